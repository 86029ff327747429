
/*
 * Copyright (C) the modelguard authors
 *
 * The arithmetic of one budget of one client.
 *
 * SLIDING: a window estimated from two buckets.  With W the window, e the
 * time since the current bucket began, the spending at a moment is
 *
 *     prev * (W - e) / W  (rounded up)  +  cur
 *
 * and a request passes if that plus its cost is at most limit + burst.  At
 * the end of a bucket, what was spent above the limit (the burst) is carried
 * into the next bucket as if spent there, so that over many windows no more
 * than the limit is spent per window, whatever the burst.  Buckets begin with
 * a client's first charge, not on the clock's multiples.
 *
 * What passes: the estimate never falls faster than the limit per window, so
 * in any d ms, wherever they begin, at most
 *
 *     limit + burst + limit * d / W
 *
 * At once that is limit + burst, also at the edge of two buckets, where a
 * window that forgets lets two limits pass.  In the length of one window it
 * is under 2 * limit + burst, and somebody who spends all at the end of a
 * bucket, and then each unit as it comes back, gets within two units of it,
 * as from a token bucket; in k windows at most (k + 1) * limit + burst.
 *
 * HOUR, DAY, WEEK, MONTH: calendar periods, which begin at whole hours, at
 * midnight, on Mondays and on the first, "offset" seconds east of UTC; what
 * was spent is forgotten at the end of a period, so that around it two limits
 * may pass at once: whom that hurts adds a sliding budget.  LIFETIME: never.
 *
 * CONCURRENT: how many are open at once.  "window" is the lease: one that is
 * neither released nor renewed is forgotten after one to two of them, which
 * heals what a killed process left behind.  Epochs of "window" begin at
 * multiples of it; "cur" counts leases dated in this one, "prev" those dated
 * in the one before.
 *
 * Time is an argument, in milliseconds of any epoch (calendar: of 1970); it
 * may stand still, and a step back counts as standing still until it is made
 * up for.  Time past MODELGUARD_BUDGET_TIME_MAX is that time.  Everything
 * saturates at MODELGUARD_BUDGET_UNITS_MAX.
 *
 * The kind of a cell's budget may change under it.  All that the cell counts
 * is still spent, and goes as the new kind lets it go: a start that is none
 * of a calendar's periods counts in the period at hand.
 */


#ifndef MODELGUARD_BUDGET_H_INCLUDED
#define MODELGUARD_BUDGET_H_INCLUDED


#include "modelguard_base.h"


#define MODELGUARD_BUDGET_LIMIT_MAX   1000000000000ULL   /* limit and burst */
#define MODELGUARD_BUDGET_UNITS_MAX   0x0000ffffffffffffULL   /* cur, prev */
#define MODELGUARD_BUDGET_WINDOW_MIN  1000ULL          /* a second */
#define MODELGUARD_BUDGET_WINDOW_MAX  31622400000ULL     /* 366 days, in ms */
#define MODELGUARD_BUDGET_OFFSET_MAX  50400            /* 14 hours, in s */
#define MODELGUARD_BUDGET_TIME_MAX    0x0000ffffffffffffULL   /* ms */
#define MODELGUARD_BUDGET_NEVER       UINT64_MAX


typedef enum {
    MODELGUARD_BUDGET_SLIDING = 0,
    MODELGUARD_BUDGET_HOUR,
    MODELGUARD_BUDGET_DAY,
    MODELGUARD_BUDGET_WEEK,
    MODELGUARD_BUDGET_MONTH,
    MODELGUARD_BUDGET_LIFETIME,
    MODELGUARD_BUDGET_CONCURRENT,
    MODELGUARD_BUDGET_KINDS
} modelguard_budget_kind_e;


typedef struct {
    uint64_t  limit;                 /* units, 1 .. LIMIT_MAX */
    uint64_t  burst;                 /* units, 0 .. LIMIT_MAX, of SLIDING;
                                        else 0 */
    uint64_t  window;                /* ms, WINDOW_MIN .. WINDOW_MAX, of
                                        SLIDING and CONCURRENT; else 0 */
    uint32_t  kind;                  /* modelguard_budget_kind_e */
    int32_t   offset;                /* s, -OFFSET_MAX .. OFFSET_MAX, of the
                                        calendar kinds; else 0 */
} modelguard_budget_t;


/* a client's state in one budget: all zeros is a client never seen */

typedef struct {
    uint64_t  stamp;                 /* the start of the current bucket or
                                        period in ms, << 16, and the mean */
    uint64_t  cur;                   /* units */
    uint64_t  prev;
} modelguard_cell_t;


#define modelguard_cell_start(cell)  ((cell)->stamp >> 16)


/* 1 if the parameters are in range, else 0; the others expect that */

int modelguard_budget_valid(const modelguard_budget_t *budget);

/* brings the cell up to "now"; the functions below expect that */

void modelguard_budget_roll(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t now);

/* what is spent now, in units */

uint64_t modelguard_budget_spent(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t now);

/*
 * 0 if a cost passes now; else the least number of ms after which it passes
 * if nothing is spent until then; MODELGUARD_BUDGET_NEVER if the cost is
 * over limit + burst, if a lifetime is spent, or if the time does not fit.
 * CONCURRENT: 1000, for nobody knows.
 */

uint64_t modelguard_budget_wait(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t cost, uint64_t now);

/* spends, saturating; the caller has checked that it may */

void modelguard_budget_spend(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t cost, uint64_t now);

/*
 * Turns "reserved" units that were spent at "then" into "actual" ones.  More
 * is spent now; less is taken back from where it still counts, and never more
 * than is there: what has been carried into another bucket stays spent, and
 * so does what was spent while the clock was behind the cell.  CONCURRENT:
 * releases leases dated "then", all of them if actual is 0; those that were
 * taken while the clock was behind, too.
 */

void modelguard_budget_settle(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t reserved, uint64_t actual,
    uint64_t then, uint64_t now);

/*
 * CONCURRENT: dates "cost" leases of "then" anew, also if they have been
 * forgotten meanwhile.
 */

void modelguard_budget_renew(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t cost, uint64_t then, uint64_t now);

/* units left: limit + burst less what is spent, never below 0 */

uint64_t modelguard_budget_remaining(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t now);

/*
 * ms until nothing is spent any more if nothing is added; 0 if idle;
 * LIFETIME: MODELGUARD_BUDGET_NEVER once something is spent
 */

uint64_t modelguard_budget_reset(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t now);

/*
 * The client's recent mean cost: an exponential mean that gives an eighth to
 * the last one, kept in 16 bits (6 of exponent, 10 of mantissa; within 0.1 %,
 * rounded up).  0: nothing learnt yet; a mean that was learnt is at least 1.
 */

uint64_t modelguard_budget_mean(const modelguard_cell_t *cell);
void modelguard_budget_learn(modelguard_cell_t *cell, uint64_t actual);


#endif /* MODELGUARD_BUDGET_H_INCLUDED */
