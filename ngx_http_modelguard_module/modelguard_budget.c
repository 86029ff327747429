
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_budget.h"
#include "modelguard_budget_calendar.h"


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


#define MODELGUARD_BUDGET_LEASE_RETRY  1000      /* ms */


#define modelguard_budget_time(now)                                           \
    (((now) < MODELGUARD_BUDGET_TIME_MAX) ? (now) : MODELGUARD_BUDGET_TIME_MAX)

#define modelguard_budget_idle(cell)  ((cell)->cur == 0 && (cell)->prev == 0)


static void modelguard_budget_roll_sliding(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t now);
static void modelguard_budget_roll_leases(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t now);
static void modelguard_budget_roll_calendar(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t now);
static uint64_t modelguard_budget_wait_sliding(
    const modelguard_budget_t *budget, const modelguard_cell_t *cell,
    uint64_t target, uint64_t now);
static uint64_t modelguard_budget_period(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t now);
static void modelguard_budget_refund(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t units, uint64_t then);
static void modelguard_budget_release(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t units, uint64_t then, uint64_t now);
static uint64_t modelguard_budget_take(uint64_t *from, uint64_t units);
static uint64_t modelguard_budget_ends(const modelguard_budget_t *budget,
    uint64_t units);
static uint64_t modelguard_budget_until(uint64_t when, uint64_t now);
static uint64_t modelguard_budget_add(uint64_t a, uint64_t b);
static uint64_t modelguard_budget_muldiv(uint64_t a, uint64_t b, uint64_t c);
static void modelguard_budget_start(modelguard_cell_t *cell, uint64_t start);


int
modelguard_budget_valid(const modelguard_budget_t *budget)
{
    if (budget->limit < 1
        || budget->limit > MODELGUARD_BUDGET_LIMIT_MAX
        || budget->burst > MODELGUARD_BUDGET_LIMIT_MAX
        || budget->kind >= MODELGUARD_BUDGET_KINDS)
    {
        return 0;
    }

    if (budget->kind != MODELGUARD_BUDGET_SLIDING && budget->burst) {
        return 0;
    }

    switch (budget->kind) {

    case MODELGUARD_BUDGET_SLIDING:
    case MODELGUARD_BUDGET_CONCURRENT:
        return budget->window >= MODELGUARD_BUDGET_WINDOW_MIN
               && budget->window <= MODELGUARD_BUDGET_WINDOW_MAX
               && budget->offset == 0;

    case MODELGUARD_BUDGET_LIFETIME:
        return budget->window == 0 && budget->offset == 0;

    default: /* a calendar */
        return budget->window == 0
               && budget->offset >= -MODELGUARD_BUDGET_OFFSET_MAX
               && budget->offset <= MODELGUARD_BUDGET_OFFSET_MAX;
    }
}


void
modelguard_budget_roll(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t now)
{
    now = modelguard_budget_time(now);

    switch (budget->kind) {

    case MODELGUARD_BUDGET_SLIDING:
        modelguard_budget_roll_sliding(budget, cell, now);
        return;

    case MODELGUARD_BUDGET_CONCURRENT:
        modelguard_budget_roll_leases(budget, cell, now);
        return;

    case MODELGUARD_BUDGET_LIFETIME:
        return;

    default: /* a calendar */
        modelguard_budget_roll_calendar(budget, cell, now);
        return;
    }
}


static void
modelguard_budget_roll_sliding(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t now)
{
    uint64_t  k, start, before;

    start = modelguard_cell_start(cell);

    if (now < start || now - start < budget->window) {
        return;
    }

    k = (now - start) / budget->window;

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

    modelguard_budget_start(cell, start + k * budget->window);
}


static void
modelguard_budget_roll_leases(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t now)
{
    uint64_t  k, start;

    start = modelguard_cell_start(cell);

    if (now < start || now - start < budget->window) {
        return;
    }

    k = (now - start) / budget->window;

    cell->prev = (k == 1) ? cell->cur : 0;
    cell->cur = 0;

    modelguard_budget_start(cell, start + k * budget->window);
}


static void
modelguard_budget_roll_calendar(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t now)
{
    uint64_t  own, start, begin;

    if (modelguard_budget_idle(cell)) {
        return;
    }

    /* only another kind leaves a "prev" */

    cell->cur = modelguard_budget_add(cell->cur, cell->prev);
    cell->prev = 0;

    start = modelguard_cell_start(cell);
    begin = modelguard_budget_calendar_begin(budget, now);

    if (start == begin) {
        return;
    }

    own = modelguard_budget_calendar_begin(budget, start);

    if (start > begin) {
        modelguard_budget_start(cell, own);
        return;
    }

    /* another kind or offset does not tell when in its window was spent */

    if (start == own) {
        cell->cur = 0;
    }

    modelguard_budget_start(cell, begin);
}


uint64_t
modelguard_budget_spent(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t now)
{
    uint64_t  gone, start;

    gone = 0;
    start = modelguard_cell_start(cell);
    now = modelguard_budget_time(now);

    if (budget->kind == MODELGUARD_BUDGET_SLIDING
        && cell->prev
        && now > start)
    {
        gone = modelguard_budget_muldiv(cell->prev, now - start,
                                        budget->window);
    }

    /* what is gone is rounded down, so what is left is rounded up */

    return modelguard_budget_add(cell->prev - gone, cell->cur);
}


uint64_t
modelguard_budget_wait(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t cost, uint64_t now)
{
    uint64_t  total, target;

    total = budget->limit + budget->burst;

    if (cost > total) {
        return MODELGUARD_BUDGET_NEVER;
    }

    target = total - cost;
    now = modelguard_budget_time(now);

    if (modelguard_budget_spent(budget, cell, now) <= target) {
        return 0;
    }

    switch (budget->kind) {

    case MODELGUARD_BUDGET_SLIDING:
        return modelguard_budget_wait_sliding(budget, cell, target, now);

    case MODELGUARD_BUDGET_CONCURRENT:
        return MODELGUARD_BUDGET_LEASE_RETRY;

    case MODELGUARD_BUDGET_LIFETIME:
        return MODELGUARD_BUDGET_NEVER;

    default: /* a calendar */
        return modelguard_budget_period(budget, cell, now);
    }
}


/* the ms until no more than "target" is spent, which is not so now */

static uint64_t
modelguard_budget_wait_sliding(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t target, uint64_t now)
{
    uint64_t  k, cur, prev, when;

    k = 0;
    cur = cell->cur;
    prev = cell->prev;

    if (cur > target) {

        /* no bucket before the k-th from here gets down to the target */

        k = modelguard_budget_ends(budget, cur - target);

        if (k > MODELGUARD_BUDGET_TIME_MAX / budget->window) {
            return MODELGUARD_BUDGET_NEVER;
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

    when = modelguard_cell_start(cell) + (k + 1) * budget->window
           - modelguard_budget_muldiv(target - cur, budget->window, prev);

    return modelguard_budget_until(when, now);
}


/* the ms until the end of a calendar's period, the cell's or this one */

static uint64_t
modelguard_budget_period(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t now)
{
    uint64_t  start;

    start = modelguard_cell_start(cell);

    return modelguard_budget_until(
               modelguard_budget_calendar_end(budget,
                                              (start > now) ? start : now),
               now);
}


void
modelguard_budget_spend(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t cost, uint64_t now)
{
    if (cost == 0) {
        return;
    }

    if (modelguard_budget_idle(cell)) {
        now = modelguard_budget_time(now);

        switch (budget->kind) {

        case MODELGUARD_BUDGET_SLIDING:
        case MODELGUARD_BUDGET_LIFETIME:
            break;

        case MODELGUARD_BUDGET_CONCURRENT:
            now -= now % budget->window;
            break;

        default: /* a calendar */
            now = modelguard_budget_calendar_begin(budget, now);
            break;
        }

        modelguard_budget_start(cell, now);
    }

    cell->cur = modelguard_budget_add(cell->cur, cost);
}


void
modelguard_budget_settle(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t reserved, uint64_t actual,
    uint64_t then, uint64_t now)
{
    if (actual >= reserved) {
        modelguard_budget_spend(budget, cell, actual - reserved, now);
        return;
    }

    now = modelguard_budget_time(now);

    if (budget->kind == MODELGUARD_BUDGET_CONCURRENT) {
        modelguard_budget_release(budget, cell, reserved - actual, then, now);
        return;
    }

    modelguard_budget_refund(budget, cell, reserved - actual, then);
}


static void
modelguard_budget_refund(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t units, uint64_t then)
{
    uint64_t  start;

    if (budget->kind == MODELGUARD_BUDGET_LIFETIME) {
        units -= modelguard_budget_take(&cell->cur, units);
        (void) modelguard_budget_take(&cell->prev, units);
        return;
    }

    start = modelguard_cell_start(cell);

    if (then >= start) {
        (void) modelguard_budget_take(&cell->cur, units);
        return;
    }

    if (budget->kind == MODELGUARD_BUDGET_SLIDING
        && start - then <= budget->window)
    {
        (void) modelguard_budget_take(&cell->prev, units);
    }
}


static void
modelguard_budget_release(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t units, uint64_t then, uint64_t now)
{
    uint64_t  start;

    start = modelguard_cell_start(cell);

    if (then >= start) {
        (void) modelguard_budget_take(&cell->cur, units);
        return;
    }

    if (start - then <= budget->window) {
        units -= modelguard_budget_take(&cell->prev, units);
    }

    /* leases that are taken while the clock is behind are in "cur" */

    if (now < start) {
        (void) modelguard_budget_take(&cell->cur, units);
    }
}


void
modelguard_budget_renew(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t cost, uint64_t then, uint64_t now)
{
    if (budget->kind != MODELGUARD_BUDGET_CONCURRENT) {
        return;
    }

    modelguard_budget_settle(budget, cell, cost, 0, then, now);
    modelguard_budget_spend(budget, cell, cost, now);
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

    if (modelguard_budget_idle(cell)) {
        return 0;
    }

    now = modelguard_budget_time(now);

    switch (budget->kind) {

    case MODELGUARD_BUDGET_SLIDING:
        k = cell->cur ? modelguard_budget_ends(budget, cell->cur) : 0;
        break;

    case MODELGUARD_BUDGET_CONCURRENT:
        k = (cell->cur != 0);
        break;

    case MODELGUARD_BUDGET_LIFETIME:
        return MODELGUARD_BUDGET_NEVER;

    default: /* a calendar */
        return modelguard_budget_period(budget, cell, now);
    }

    /* k bucket ends empty "cur", and one more empties "prev" */

    if (k > MODELGUARD_BUDGET_TIME_MAX / budget->window) {
        return MODELGUARD_BUDGET_NEVER;
    }

    return modelguard_budget_until(modelguard_cell_start(cell)
                                   + (k + 1) * budget->window, now);
}


/* takes up to "units" away, and returns how many */

static uint64_t
modelguard_budget_take(uint64_t *from, uint64_t units)
{
    if (units > *from) {
        units = *from;
    }

    *from -= units;

    return units;
}


/* the bucket ends that let go of that many, at least 1 */

static uint64_t
modelguard_budget_ends(const modelguard_budget_t *budget, uint64_t units)
{
    return (units > budget->limit) ? (units - 1) / budget->limit + 1 : 1;
}


static uint64_t
modelguard_budget_until(uint64_t when, uint64_t now)
{
    return (when > MODELGUARD_BUDGET_TIME_MAX)
           ? MODELGUARD_BUDGET_NEVER : when - now;
}


static uint64_t
modelguard_budget_add(uint64_t a, uint64_t b)
{
    if (a > MODELGUARD_BUDGET_UNITS_MAX
        || b > MODELGUARD_BUDGET_UNITS_MAX - a)
    {
        return MODELGUARD_BUDGET_UNITS_MAX;
    }

    return a + b;
}


static void
modelguard_budget_start(modelguard_cell_t *cell, uint64_t start)
{
    cell->stamp = (start << 16) | (cell->stamp & 0xffff);
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
