
/*
 * Copyright (C) the modelguard authors
 *
 * Bytes as a schedule: a budget, then what happens to a cell at which times,
 * compared with the reference after every step.  Any bytes are a schedule, so
 * that a fuzzer may write them, and a test may draw them.
 */


#ifndef BUDGET_SCHEDULE_H_INCLUDED
#define BUDGET_SCHEDULE_H_INCLUDED


#include "budget_reference.h"


#define SCHEDULE_STEPS  96
#define SCHEDULE_HELD   8


typedef struct {
    uint64_t  units;                 /* 0: free */
    uint64_t  then;
} schedule_held_t;


typedef struct {
    const uint8_t        *data;
    size_t                len;

    ref_t                 ref;
    modelguard_cell_t     cell;
    uint64_t              now;
    schedule_held_t       held[SCHEDULE_HELD];

    /* what passed, as long as only that was spent and time went forward */

    unsigned              pure:1;
    unsigned              passed;
    uint64_t              times[SCHEDULE_STEPS];
    uint64_t              costs[SCHEDULE_STEPS];
} schedule_t;


static inline uint64_t
schedule_byte(schedule_t *s)
{
    if (s->len == 0) {
        return 0;
    }

    s->len--;

    return *s->data++;
}


/* 0 .. max, of any magnitude, two or three bytes long */

static inline uint64_t
schedule_number(schedule_t *s, uint64_t max)
{
    uint64_t  n, size;

    size = schedule_byte(s);
    n = schedule_byte(s);

    if (size & 0x80) {
        return (size & 1) ? max - n % (max + 1) : n % (max + 1);
    }

    n = (n << 8 | schedule_byte(s)) << (size % 48);

    return n % (max + 1);
}


static inline void
schedule_budget(schedule_t *s, modelguard_budget_t *budget)
{
    memset(budget, 0, sizeof(modelguard_budget_t));

    budget->kind = (uint32_t) (schedule_byte(s) % MODELGUARD_BUDGET_KINDS);
    budget->limit = 1 + schedule_number(s, MODELGUARD_BUDGET_LIMIT_MAX - 1);

    switch (budget->kind) {

    case MODELGUARD_BUDGET_SLIDING:
        budget->burst = schedule_number(s, MODELGUARD_BUDGET_LIMIT_MAX);

        if (budget->burst / budget->limit > 40) {
            budget->burst = budget->limit * 40;
        }

        /* fall through */

    case MODELGUARD_BUDGET_CONCURRENT:
        budget->window = MODELGUARD_BUDGET_WINDOW_MIN
                         + schedule_number(s, MODELGUARD_BUDGET_WINDOW_MAX
                                              - MODELGUARD_BUDGET_WINDOW_MIN);
        break;

    case MODELGUARD_BUDGET_LIFETIME:
        break;

    default:
        budget->offset = (int32_t) schedule_number(s,
                                       2 * MODELGUARD_BUDGET_OFFSET_MAX)
                         - MODELGUARD_BUDGET_OFFSET_MAX;
    }
}


static inline void
schedule_time(schedule_t *s)
{
    int                   sign;
    uint64_t              step, edge, by;
    modelguard_budget_t  *budget;

    budget = &s->ref.budget;
    by = schedule_byte(s);
    step = budget->window ? budget->window : 86400000;
    sign = (by & 0x10) != 0;

    switch (by % 6) {

    case 0:
        return;

    case 1:
        step = by >> 5;
        break;

    case 2:
        step = step / 256 * schedule_byte(s);
        break;

    case 3:
        step = schedule_number(s, 50 * step);
        break;

    default:

        /* around the next end of a bucket or period, at most 3 ms off */

        if (modelguard_cell_start(&s->cell) > s->now) {
            edge = modelguard_cell_start(&s->cell);

        } else if (budget->window) {
            edge = modelguard_cell_start(&s->cell);
            edge += ((s->now - edge) / step + 1) * step;

        } else {
            edge = ref_period(budget, s->now + (by >> 5) * step);
        }

        by = edge + schedule_byte(s) % 7;
        by = (by < 3) ? 0 : by - 3;

        if (by < s->now) {
            s->pure = 0;
        }

        s->now = by;
        return;
    }

    if (!sign) {
        s->now += step;

    } else if (step) {
        s->pure = 0;
        s->now -= (step < s->now) ? step : s->now;
    }
}


static inline void
schedule_hold(schedule_t *s, uint64_t cost)
{
    unsigned  i;

    for (i = 0; i < SCHEDULE_HELD; i++) {

        if (s->held[i].units == 0) {
            s->held[i].units = cost;
            s->held[i].then = s->now;
            return;
        }
    }
}


static inline const char *
schedule_spend(schedule_t *s, int force)
{
    uint64_t              cost, total;
    modelguard_budget_t  *budget;

    budget = &s->ref.budget;
    total = budget->limit + budget->burst;

    cost = (schedule_byte(s) % 4)
           ? schedule_number(s, total)
           : modelguard_budget_remaining(budget, &s->cell, s->now);

    if (force) {
        s->pure = 0;

    } else if (modelguard_budget_wait(budget, &s->cell, cost, s->now)) {
        return ref_passes(&s->ref, cost, s->now) ? "refused" : NULL;

    } else if (!ref_passes(&s->ref, cost, s->now)) {
        return "overrun";
    }

    modelguard_budget_spend(budget, &s->cell, cost, s->now);
    ref_spend(&s->ref, cost, s->now);
    schedule_hold(s, cost);

    if (s->pure) {
        s->times[s->passed] = s->now;
        s->costs[s->passed++] = cost;
    }

    return NULL;
}


static inline const char *
schedule_settle(schedule_t *s)
{
    uint64_t              actual, before, after;
    schedule_held_t      *held;
    modelguard_budget_t  *budget;

    budget = &s->ref.budget;
    held = &s->held[schedule_byte(s) % SCHEDULE_HELD];

    if (held->units == 0) {
        return NULL;
    }

    s->pure = 0;

    actual = schedule_number(s, 2 * held->units);
    before = modelguard_budget_spent(budget, &s->cell, s->now);

    modelguard_budget_settle(budget, &s->cell, held->units, actual,
                             held->then, s->now);
    ref_settle(&s->ref, held->units, actual, held->then, s->now);

    after = modelguard_budget_spent(budget, &s->cell, s->now);

    if (actual < held->units && before - after > held->units - actual) {
        return "more taken back than was reserved";
    }

    if (actual >= held->units && after - before != actual - held->units) {
        return "more is spent now";
    }

    held->units = 0;

    return NULL;
}


static inline const char *
schedule_renew(schedule_t *s)
{
    schedule_held_t  *held;

    s->pure = 0;
    held = &s->held[schedule_byte(s) % SCHEDULE_HELD];

    modelguard_budget_renew(&s->ref.budget, &s->cell, held->units, held->then,
                            s->now);
    ref_renew(&s->ref, held->units, held->then, s->now);
    held->then = s->now;

    return NULL;
}


/* the bound that the header states */

static inline const char *
schedule_bound(schedule_t *s)
{
    unsigned              i, j;
    ref_wide_t            sum;
    modelguard_budget_t  *budget;

    budget = &s->ref.budget;

    if (budget->kind != MODELGUARD_BUDGET_SLIDING) {
        return NULL;
    }

    for (i = 0; i < s->passed; i++) {
        sum = 0;

        for (j = i; j < s->passed; j++) {
            sum += s->costs[j];

            if (sum > (ref_wide_t) budget->limit + budget->burst
                      + (ref_wide_t) budget->limit
                        * (s->times[j] - s->times[i]) / budget->window)
            {
                return "more passed than the bound";
            }
        }
    }

    return NULL;
}


/*
 * A cell that another budget wrote has no reference, but what is said of it
 * must agree with itself, and it must not lose what is spent from now on.
 */

static inline const char *
schedule_foreign(schedule_t *s)
{
    uint64_t             cost, wait, spent, after;
    modelguard_cell_t    later;
    modelguard_budget_t  budget;

    schedule_budget(s, &budget);
    cost = schedule_number(s, budget.limit + budget.burst);

    modelguard_budget_roll(&budget, &s->cell, s->now);
    spent = modelguard_budget_spent(&budget, &s->cell, s->now);
    wait = modelguard_budget_wait(&budget, &s->cell, cost, s->now);

    if ((wait == 0) != (spent + cost <= budget.limit + budget.burst)) {
        return "foreign: wait and spent";
    }

    if (wait && wait != MODELGUARD_BUDGET_NEVER
        && budget.kind != MODELGUARD_BUDGET_CONCURRENT)
    {
        later = s->cell;
        modelguard_budget_roll(&budget, &later, s->now + wait - 1);

        if (modelguard_budget_wait(&budget, &later, cost, s->now + wait - 1)
            != 1)
        {
            return "foreign: 1 ms before the wait";
        }

        modelguard_budget_roll(&budget, &later, s->now + wait);

        if (modelguard_budget_wait(&budget, &later, cost, s->now + wait)) {
            return "foreign: after the wait";
        }
    }

    if ((modelguard_budget_reset(&budget, &s->cell, s->now) == 0)
        != (s->cell.cur == 0 && s->cell.prev == 0))
    {
        return "foreign: reset";
    }

    modelguard_budget_spend(&budget, &s->cell, cost, s->now);
    after = modelguard_budget_spent(&budget, &s->cell, s->now);

    if (after != spent + cost && after != MODELGUARD_BUDGET_UNITS_MAX) {
        return "foreign: spend";
    }

    modelguard_budget_settle(&budget, &s->cell, cost, 0, s->now, s->now);
    after = modelguard_budget_spent(&budget, &s->cell, s->now);

    return (after < spent) ? "foreign: taken back" : NULL;
}


/* NULL, or what is wrong */

static inline const char *
schedule_run(const uint8_t *data, size_t len)
{
    unsigned              i;
    schedule_t            s;
    const char           *wrong;
    modelguard_budget_t   budget;

    memset(&s, 0, sizeof(s));
    s.data = data;
    s.len = len;
    s.pure = 1;

    schedule_budget(&s, &budget);

    if (!modelguard_budget_valid(&budget)) {
        return "not valid";
    }

    ref_init(&s.ref, &budget);

    s.now = schedule_number(&s, MODELGUARD_BUDGET_TIME_MAX);
    s.cell.stamp = schedule_byte(&s) << 8;
    s.cell.stamp |= schedule_byte(&s);

    for (i = 0; i < SCHEDULE_STEPS && s.len; i++) {
        schedule_time(&s);

        modelguard_budget_roll(&budget, &s.cell, s.now);
        ref_roll(&s.ref, s.now);

        switch (schedule_byte(&s) % 8) {

        case 0:
            wrong = NULL;
            break;

        case 1:
        case 2:
            wrong = schedule_settle(&s);
            break;

        case 3:
            wrong = schedule_renew(&s);
            break;

        case 4:
            wrong = schedule_spend(&s, 1);
            break;

        default:
            wrong = schedule_spend(&s, 0);
            break;
        }

        if (wrong == NULL) {
            wrong = ref_check(&s.ref, &s.cell,
                              schedule_number(&s, budget.limit + budget.burst
                                                  + 1),
                              s.now);
        }

        if (wrong) {
            return wrong;
        }
    }

    wrong = schedule_bound(&s);

    for (i = 0; i < 4 && wrong == NULL; i++) {
        wrong = schedule_foreign(&s);
        schedule_time(&s);
    }

    return wrong;
}


#endif /* BUDGET_SCHEDULE_H_INCLUDED */
