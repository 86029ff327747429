
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_budget.h"


#ifndef MODELGUARD_BUDGET_INT128

#ifdef __SIZEOF_INT128__
#define MODELGUARD_BUDGET_INT128  1
#else
#define MODELGUARD_BUDGET_INT128  0
#endif

#endif


#if (MODELGUARD_BUDGET_INT128)

__extension__ typedef unsigned __int128  modelguard_budget_uint128_t;

#endif


static uint64_t modelguard_budget_muldiv(uint64_t a, uint64_t b, uint64_t c);
static uint64_t modelguard_budget_add(uint64_t a, uint64_t b);
static uint64_t modelguard_budget_since(const modelguard_cell_t *cell,
    uint64_t wait, uint64_t now);


int
modelguard_budget_valid(const modelguard_budget_t *budget)
{
    return budget->limit >= 1
           && budget->limit <= MODELGUARD_BUDGET_LIMIT_MAX
           && budget->burst <= MODELGUARD_BUDGET_LIMIT_MAX
           && budget->window >= MODELGUARD_BUDGET_WINDOW_MIN
           && budget->window <= MODELGUARD_BUDGET_WINDOW_MAX;
}


void
modelguard_budget_roll(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t now)
{
    uint64_t  k, before;

    if (now < cell->start || now - cell->start < budget->window) {
        return;
    }

    k = (now - cell->start) / budget->window;

    /*
     * Every bucket end takes the limit off "cur" and leaves the rest in it,
     * so k of them are one subtraction; "before" is what was in the bucket
     * that is the previous one now.
     */

    before = 0;

    if (k - 1 <= cell->cur / budget->limit) {
        before = cell->cur - (k - 1) * budget->limit;
    }

    cell->prev = (before < budget->limit) ? before : budget->limit;
    cell->cur = before - cell->prev;
    cell->start += k * budget->window;
}


uint64_t
modelguard_budget_spent(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t now)
{
    uint64_t  gone;

    if (cell->prev == 0) {
        return cell->cur;
    }

    gone = 0;

    if (now > cell->start) {
        gone = modelguard_budget_muldiv(cell->prev, now - cell->start,
                                        budget->window);
    }

    /* what is gone is rounded down, so what is left is rounded up */

    return modelguard_budget_add(cell->prev - gone, cell->cur);
}


uint64_t
modelguard_budget_wait(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t cost, uint64_t now)
{
    uint64_t  k, cur, prev, wait, total, target;

    total = budget->limit + budget->burst;

    if (cost > total) {
        return MODELGUARD_BUDGET_NEVER;
    }

    target = total - cost;

    if (modelguard_budget_spent(budget, cell, now) <= target) {
        return 0;
    }

    k = 0;
    cur = cell->cur;
    prev = cell->prev;

    if (cur > target) {

        /* no bucket before the k-th from here gets down to the target */

        k = 1;

        if (cur - target > budget->limit) {
            k = (cur - target - 1) / budget->limit + 1;

            if (k > UINT64_MAX / budget->window - 1) {
                return MODELGUARD_BUDGET_NEVER;
            }
        }

        prev = cur - (k - 1) * budget->limit;

        if (prev > budget->limit) {
            prev = budget->limit;
        }

        cur -= (k - 1) * budget->limit + prev;
    }

    /*
     * cur <= target < cur + prev, and what is asked for is the least e with
     * prev * (W - e) <= (target - cur) * W.
     */

    wait = k * budget->window + budget->window
           - modelguard_budget_muldiv(target - cur, budget->window, prev);

    return modelguard_budget_since(cell, wait, now);
}


void
modelguard_budget_spend(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t cost, uint64_t now)
{
    (void) budget;

    if (cost == 0) {
        return;
    }

    if (cell->cur == 0 && cell->prev == 0) {
        cell->start = now;
    }

    cell->cur = modelguard_budget_add(cell->cur, cost);
}


uint64_t
modelguard_budget_remaining(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t now)
{
    uint64_t  spent, total;

    total = budget->limit + budget->burst;
    spent = modelguard_budget_spent(budget, cell, now);

    return (spent < total) ? total - spent : 0;
}


uint64_t
modelguard_budget_reset(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t now)
{
    uint64_t  k;

    if (cell->cur == 0 && cell->prev == 0) {
        return 0;
    }

    /* k bucket ends empty "cur", and one more empties "prev" */

    k = (cell->cur != 0);

    if (cell->cur > budget->limit) {
        k = (cell->cur - 1) / budget->limit + 1;

        if (k > UINT64_MAX / budget->window - 1) {
            return MODELGUARD_BUDGET_NEVER;
        }
    }

    return modelguard_budget_since(cell, (k + 1) * budget->window, now);
}


/* the ms from now to "wait" ms after the start of the bucket */

static uint64_t
modelguard_budget_since(const modelguard_cell_t *cell, uint64_t wait,
    uint64_t now)
{
    if (now < cell->start) {
        return modelguard_budget_add(wait, cell->start - now);
    }

    return wait - (now - cell->start);
}


static uint64_t
modelguard_budget_add(uint64_t a, uint64_t b)
{
    return (a > UINT64_MAX - b) ? UINT64_MAX : a + b;
}


#if (MODELGUARD_BUDGET_INT128)

/* a * b / c rounded down; the caller knows that it fits: a or b <= c */

static uint64_t
modelguard_budget_muldiv(uint64_t a, uint64_t b, uint64_t c)
{
    if ((a | b) <= UINT32_MAX) {
        return a * b / c;
    }

    return (uint64_t) ((modelguard_budget_uint128_t) a * b / c);
}

#else

/* the same: multiplies modulo c bit by bit, which cannot overflow */

static uint64_t
modelguard_budget_muldiv(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t  bit, part, quotient, rest;

    if ((a | b) <= UINT32_MAX) {
        return a * b / c;
    }

    part = a % c;
    quotient = 0;
    rest = 0;

    for (bit = (uint64_t) 1 << 63; bit; bit >>= 1) {
        quotient <<= 1;

        if (rest >= c - rest) {
            rest -= c - rest;
            quotient++;

        } else {
            rest += rest;
        }

        if (!(b & bit)) {
            continue;
        }

        if (rest >= c - part) {
            rest -= c - part;
            quotient++;

        } else {
            rest += part;
        }
    }

    return a / c * b + quotient;
}

#endif
