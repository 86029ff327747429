
/*
 * Copyright (C) the modelguard authors
 *
 * What a budget means, worked out slowly from all that happened: a list of
 * events that is gone through from its beginning for each question, bucket
 * by bucket, in 128 bits; calendars by gmtime_r(); leases one by one.  It
 * shares no code with modelguard_budget.  For t/unit and t/fuzz.
 */


#ifndef BUDGET_REFERENCE_H_INCLUDED
#define BUDGET_REFERENCE_H_INCLUDED


#include <string.h>
#include <time.h>

#include "modelguard_budget.h"


#define REF_EVENTS  512
#define REF_NEVER   UINT64_MAX


__extension__ typedef __int128  ref_wide_t;


typedef struct {
    uint64_t    at;                  /* the bucket, epoch or period in which
                                        it happened */
    uint64_t    of;                  /* the one that it charges, or from which
                                        it takes; REF_NEVER: none */
    ref_wide_t  units;               /* below 0: takes */
} ref_event_t;


typedef struct {
    modelguard_budget_t  budget;
    ref_event_t          events[REF_EVENTS];
    unsigned             n;
    uint64_t             base;       /* SLIDING: where the buckets begin */
    uint64_t             latest;     /* bucket, epoch or period; time does not
                                        go back behind it */
} ref_t;


static inline ref_wide_t
ref_min(ref_wide_t a, ref_wide_t b)
{
    return (a < b) ? a : b;
}


static inline uint64_t
ref_time(uint64_t now)
{
    return (now > MODELGUARD_BUDGET_TIME_MAX)
           ? MODELGUARD_BUDGET_TIME_MAX : now;
}


/* ms since 1970 of the beginning of the period of "now", 0 if before that */

static inline uint64_t
ref_period(const modelguard_budget_t *budget, uint64_t now)
{
    time_t     local;
    struct tm  tm;

    local = (time_t) (now / 1000) + budget->offset;

    gmtime_r(&local, &tm);

    tm.tm_sec = 0;
    tm.tm_min = 0;

    if (budget->kind != MODELGUARD_BUDGET_HOUR) {
        tm.tm_hour = 0;
    }

    if (budget->kind == MODELGUARD_BUDGET_MONTH) {
        tm.tm_mday = 1;
    }

    local = timegm(&tm);

    if (budget->kind == MODELGUARD_BUDGET_WEEK) {

        while (gmtime_r(&local, &tm)->tm_wday != 1) {
            local -= 86400;
        }
    }

    local -= budget->offset;

    return (local < 0) ? 0 : (uint64_t) local * 1000;
}


/* the bucket, epoch or period that is the current one at "now" */

static inline uint64_t
ref_at(const ref_t *ref, uint64_t now)
{
    uint64_t  at;

    now = ref_time(now);

    switch (ref->budget.kind) {

    case MODELGUARD_BUDGET_SLIDING:
        at = (now < ref->base) ? 0 : (now - ref->base) / ref->budget.window;
        break;

    case MODELGUARD_BUDGET_CONCURRENT:
        at = now / ref->budget.window;
        break;

    case MODELGUARD_BUDGET_LIFETIME:
        at = 0;
        break;

    default:
        at = ref_period(&ref->budget, now);
        break;
    }

    return (ref->n && at < ref->latest) ? ref->latest : at;
}


/*
 * What the bucket "at" holds and what is left of the one before; buckets that
 * hold more than the limit give the rest to the next one.
 */

static inline void
ref_buckets(const ref_t *ref, uint64_t at, ref_wide_t *cur, ref_wide_t *prev)
{
    unsigned     i;
    uint64_t     b;
    ref_wide_t  *from;

    i = 0;
    *cur = 0;
    *prev = 0;

    for (b = 0; b <= at; b++) {

        if (b) {
            *prev = ref_min(*cur, ref->budget.limit);
            *cur -= *prev;
        }

        for ( /* void */ ; i < ref->n && ref->events[i].at == b; i++) {

            if (ref->events[i].units >= 0) {
                *cur = ref_min(*cur + ref->events[i].units,
                               MODELGUARD_BUDGET_UNITS_MAX);
                continue;
            }

            if (ref->events[i].of == b || ref->events[i].of + 1 == b) {
                from = (ref->events[i].of == b) ? cur : prev;
                *from -= ref_min(*from, -ref->events[i].units);
            }
        }

        if (i == ref->n && *cur == 0 && *prev == 0) {
            return;
        }

        /* long silences */

        if (*cur == 0 && *prev == 0) {
            b = ((ref->events[i].at < at) ? ref->events[i].at : at) - 1;
        }
    }
}


static inline ref_wide_t
ref_spent(const ref_t *ref, uint64_t now)
{
    unsigned     i;
    uint64_t     at, elapsed, begin;
    ref_wide_t   sum, cur, prev, part;

    sum = 0;
    now = ref_time(now);
    at = ref_at(ref, now);

    if (ref->budget.kind == MODELGUARD_BUDGET_SLIDING) {
        ref_buckets(ref, at, &cur, &prev);

        begin = ref->base + at * ref->budget.window;
        elapsed = (now > begin) ? now - begin : 0;
        part = prev * (ref->budget.window - elapsed);

        return ref_min((part + ref->budget.window - 1) / ref->budget.window
                       + cur, MODELGUARD_BUDGET_UNITS_MAX);
    }

    /* the others: what is dated so that it still counts */

    for (i = 0; i < ref->n; i++) {

        if (ref->events[i].of == at
            || ref->budget.kind == MODELGUARD_BUDGET_LIFETIME
            || (ref->budget.kind == MODELGUARD_BUDGET_CONCURRENT
                && ref->events[i].of + 1 == at))
        {
            sum = ref_min(sum + ref->events[i].units,
                          MODELGUARD_BUDGET_UNITS_MAX);
        }
    }

    return sum;
}


static inline int
ref_passes(const ref_t *ref, uint64_t cost, uint64_t now)
{
    return ref_spent(ref, now) + cost
           <= (ref_wide_t) ref->budget.limit + ref->budget.burst;
}


/* nothing counts any more, nor ever will */

static inline int
ref_idle(const ref_t *ref, uint64_t now)
{
    uint64_t    at;
    ref_wide_t  cur, prev;

    if (ref->budget.kind != MODELGUARD_BUDGET_SLIDING) {
        return ref_spent(ref, now) == 0;
    }

    at = ref_at(ref, now);

    if (ref->n == 0) {
        return 1;
    }

    ref_buckets(ref, at, &cur, &prev);

    return cur == 0 && prev == 0;
}


static inline void
ref_event(ref_t *ref, uint64_t at, uint64_t of, ref_wide_t units)
{
    if (ref->n < REF_EVENTS) {
        ref->events[ref->n].at = at;
        ref->events[ref->n].of = of;
        ref->events[ref->n].units = units;
        ref->n++;
    }
}


static inline void
ref_init(ref_t *ref, const modelguard_budget_t *budget)
{
    memset(ref, 0, sizeof(ref_t));
    ref->budget = *budget;
}


static inline void
ref_roll(ref_t *ref, uint64_t now)
{
    ref->latest = ref_at(ref, now);

    if (ref_idle(ref, now)) {
        ref->n = 0;
        ref->base = ref_time(now);
    }
}


static inline void
ref_spend(ref_t *ref, uint64_t cost, uint64_t now)
{
    if (cost == 0) {
        return;
    }

    ref_roll(ref, now);
    ref->latest = ref_at(ref, now);
    ref_event(ref, ref->latest, ref->latest, cost);
}


/*
 * Takes up to "units" from what is dated "of" and has not been taken yet;
 * returns how many.  Not SLIDING.
 */

static inline ref_wide_t
ref_take(ref_t *ref, uint64_t of, ref_wide_t units)
{
    unsigned    i;
    ref_wide_t  part, taken;

    taken = 0;

    for (i = 0; i < ref->n; i++) {

        if (ref->events[i].of == of) {
            part = ref_min(ref->events[i].units, units - taken);
            ref->events[i].units -= part;
            taken += part;
        }
    }

    return taken;
}


static inline void
ref_settle(ref_t *ref, uint64_t reserved, uint64_t actual, uint64_t then,
    uint64_t now)
{
    int         behind;
    uint64_t    of, at;
    ref_wide_t  units;

    if (actual >= reserved) {
        ref_spend(ref, actual - reserved, now);
        return;
    }

    ref_roll(ref, now);

    if (ref->n == 0) {
        return;
    }

    now = ref_time(now);
    then = ref_time(then);
    at = ref->latest;
    units = (ref_wide_t) reserved - actual;

    switch (ref->budget.kind) {

    case MODELGUARD_BUDGET_SLIDING:

        /* before the first bucket nothing was spent */

        if (then < ref->base) {
            return;
        }

        of = (then - ref->base) / ref->budget.window;
        ref_event(ref, at, (of > at) ? at : of, -units);
        return;

    case MODELGUARD_BUDGET_CONCURRENT:
        of = then / ref->budget.window;
        behind = now / ref->budget.window < at;

        if (of >= at) {
            (void) ref_take(ref, at, units);
            return;
        }

        if (of + 1 == at) {
            units -= ref_take(ref, of, units);
        }

        if (behind) {
            (void) ref_take(ref, at, units);
        }

        return;

    case MODELGUARD_BUDGET_LIFETIME:
        (void) ref_take(ref, 0, units);
        return;

    default:
        if (ref_period(&ref->budget, then) >= at) {
            (void) ref_take(ref, at, units);
        }
    }
}


static inline void
ref_renew(ref_t *ref, uint64_t cost, uint64_t then, uint64_t now)
{
    if (ref->budget.kind == MODELGUARD_BUDGET_CONCURRENT) {
        ref_settle(ref, cost, 0, then, now);
        ref_spend(ref, cost, now);
    }
}


/*
 * What the code says of a cell must be true of the history.  Returns NULL, or
 * what is wrong.
 */

static inline const char *
ref_wait(const ref_t *ref, const modelguard_cell_t *cell, uint64_t cost,
    uint64_t now)
{
    uint64_t    wait;
    ref_wide_t  total;

    now = ref_time(now);
    total = (ref_wide_t) ref->budget.limit + ref->budget.burst;
    wait = modelguard_budget_wait(&ref->budget, cell, cost, now);

    if (cost > total) {
        return (wait == MODELGUARD_BUDGET_NEVER) ? NULL : "wait, too much";
    }

    if (ref_passes(ref, cost, now)) {
        return (wait == 0) ? NULL : "wait, passes now";
    }

    if (wait == 0) {
        return "no wait, does not pass";
    }

    if (ref->budget.kind == MODELGUARD_BUDGET_CONCURRENT) {
        return (wait == 1000) ? NULL : "wait for a lease";
    }

    if (ref->budget.kind == MODELGUARD_BUDGET_LIFETIME) {
        return (wait == MODELGUARD_BUDGET_NEVER) ? NULL : "wait for life";
    }

    if (wait == MODELGUARD_BUDGET_NEVER) {
        return ref_passes(ref, cost, MODELGUARD_BUDGET_TIME_MAX)
               ? "wait is never" : NULL;
    }

    if (now + wait > MODELGUARD_BUDGET_TIME_MAX) {
        return "wait past the end";
    }

    return !ref_passes(ref, cost, now + wait) ? "wait is too short"
           : ref_passes(ref, cost, now + wait - 1) ? "wait is too long" : NULL;
}


static inline const char *
ref_check(const ref_t *ref, const modelguard_cell_t *cell, uint64_t cost,
    uint64_t now)
{
    uint64_t           reset, remaining;
    const char        *wrong;
    ref_wide_t         spent, total;
    modelguard_cell_t  rolled, again;

    rolled = *cell;
    modelguard_budget_roll(&ref->budget, &rolled, now);

    again = rolled;
    modelguard_budget_roll(&ref->budget, &again, now);

    if (memcmp(&rolled, &again, sizeof(again)) != 0) {
        return "rolled twice";
    }

    if ((rolled.stamp ^ cell->stamp) & 0xffff) {
        return "the mean";
    }

    spent = ref_spent(ref, now);
    total = (ref_wide_t) ref->budget.limit + ref->budget.burst;

    if (spent != modelguard_budget_spent(&ref->budget, &rolled, now)) {
        return "spent";
    }

    remaining = modelguard_budget_remaining(&ref->budget, &rolled, now);

    if (remaining != ((spent < total) ? total - spent : 0)) {
        return "remaining";
    }

    reset = modelguard_budget_reset(&ref->budget, &rolled, now);
    now = ref_time(now);

    if (ref_idle(ref, now) != (reset == 0) || (remaining == 0 && reset == 0)) {
        return "reset is 0";
    }

    if (reset == MODELGUARD_BUDGET_NEVER) {

        if (ref_idle(ref, MODELGUARD_BUDGET_TIME_MAX)) {
            return "reset is never";
        }

    } else if (reset) {

        if (now + reset > MODELGUARD_BUDGET_TIME_MAX
            || !ref_idle(ref, now + reset))
        {
            return "reset is too short";
        }

        if (ref_idle(ref, now + reset - 1)) {
            return "reset is too long";
        }
    }

    wrong = ref_wait(ref, &rolled, cost, now);

    return wrong ? wrong : ref_wait(ref, &rolled, 0, now);
}


#endif /* BUDGET_REFERENCE_H_INCLUDED */
