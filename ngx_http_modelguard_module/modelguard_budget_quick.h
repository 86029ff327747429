
/*
 * Copyright (C) the modelguard authors
 *
 * What modelguard_budget comes to in the case of nearly all charges, without
 * a call: a sliding window that has not passed, nothing in the bucket before,
 * no more in this one than the limit.  In any other case they call the
 * function of the same name, and they always come to what it comes to.
 */


#ifndef MODELGUARD_BUDGET_QUICK_H_INCLUDED
#define MODELGUARD_BUDGET_QUICK_H_INCLUDED


#include "modelguard_budget.h"


/* what is left of a budget after a charge */

typedef struct {
    uint64_t  remaining;             /* units */
    uint64_t  reset;                 /* ms */
} modelguard_budget_left_t;


static inline void
modelguard_budget_quick_roll(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t now)
{
    if (budget->kind == MODELGUARD_BUDGET_SLIDING
        && now < modelguard_cell_start(cell) + budget->window)
    {
        return;
    }

    modelguard_budget_roll(budget, cell, now);
}


/* of a damaged cell it may be even more than MODELGUARD_BUDGET_UNITS_MAX */

static inline uint64_t
modelguard_budget_quick_spent(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t now)
{
    return cell->prev ? modelguard_budget_spent(budget, cell, now)
                      : cell->cur;
}


static inline uint64_t
modelguard_budget_quick_reset(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t now)
{
    uint64_t  when;

    /* the next bucket end empties "cur", and the one after it "prev" */

    if (budget->kind == MODELGUARD_BUDGET_SLIDING
        && cell->cur
        && cell->cur <= budget->limit)
    {
        when = modelguard_cell_start(cell) + 2 * budget->window;

        if (when <= MODELGUARD_BUDGET_TIME_MAX
            && now <= MODELGUARD_BUDGET_TIME_MAX)
        {
            return when - now;
        }
    }

    return modelguard_budget_reset(budget, cell, now);
}


/*
 * Charges a cost, if the cell needs no rolling and is left with some of the
 * limit, whatever the burst: 1, with the cell, *remaining and *reset as
 * modelguard_budget_spend(), _remaining() and _reset() would have them.  Else
 * 0, and nothing is changed.
 */

static inline int
modelguard_budget_quick_charge(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t cost, uint64_t now,
    modelguard_budget_left_t *left)
{
    uint64_t  age, cur, spent, window;

    window = budget->window;

    /* before the start it is larger than any window */

    age = now - modelguard_cell_start(cell);

    if (budget->kind != MODELGUARD_BUDGET_SLIDING
        || age >= window
        || now > MODELGUARD_BUDGET_TIME_MAX - 2 * MODELGUARD_BUDGET_WINDOW_MAX)
    {
        return 0;
    }

    /* of a damaged cell they may be anything: no sum of any two */

    cur = cell->cur;
    spent = cur;

    if (cur >= budget->limit) {
        return 0;
    }

    if (cell->prev) {

        if ((cell->prev | age) > UINT32_MAX) {
            return 0;
        }

        spent += cell->prev - cell->prev * age / window;

    } else if (cur == 0) {

        /* its bucket begins anew */

        return 0;
    }

    if (spent >= budget->limit
        || cost >= budget->limit - spent
        || cur + cost == 0)
    {
        return 0;
    }

    cell->cur = cur + cost;
    left->remaining = budget->limit + budget->burst - spent - cost;
    left->reset = 2 * window - age;

    return 1;
}


#endif /* MODELGUARD_BUDGET_QUICK_H_INCLUDED */
