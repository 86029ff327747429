
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


#endif /* MODELGUARD_BUDGET_QUICK_H_INCLUDED */
