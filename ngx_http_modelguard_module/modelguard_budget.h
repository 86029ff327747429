
/*
 * Copyright (C) the modelguard authors
 *
 * The arithmetic of one budget of one client: a sliding window estimated
 * from two buckets.  With W the window, e the time since the current bucket
 * began, the spending at a moment is
 *
 *     prev * (W - e) / W  (rounded up)  +  cur
 *
 * and a request passes if that plus its cost is at most limit + burst.  At
 * the end of a bucket, what was spent above the limit (the burst) is carried
 * into the next bucket as if spent there, so that over many windows no more
 * than the limit is spent per window, whatever the burst.
 *
 * Buckets begin with a client's first charge, not on the clock's multiples.
 * Time is an argument, in milliseconds of any epoch; it may stand still, and
 * a step back counts as standing still.  Everything saturates.
 */


#ifndef MODELGUARD_BUDGET_H_INCLUDED
#define MODELGUARD_BUDGET_H_INCLUDED


#include "modelguard_base.h"


#define MODELGUARD_BUDGET_LIMIT_MAX   1000000000000ULL   /* limit and burst */
#define MODELGUARD_BUDGET_WINDOW_MIN  1000ULL          /* a second */
#define MODELGUARD_BUDGET_WINDOW_MAX  31622400000ULL     /* 366 days, in ms */
#define MODELGUARD_BUDGET_NEVER       UINT64_MAX


typedef struct {
    uint64_t  limit;                 /* units, 1 .. LIMIT_MAX */
    uint64_t  burst;                 /* units, 0 .. LIMIT_MAX */
    uint64_t  window;                /* ms, WINDOW_MIN .. WINDOW_MAX */
} modelguard_budget_t;


/* a client's state in one budget: all zeros is a client never seen */

typedef struct {
    uint64_t  start;                 /* ms, of the current bucket */
    uint64_t  cur;                   /* units */
    uint64_t  prev;
} modelguard_cell_t;


/* 1 if the parameters are in range, else 0; the others expect that */

int modelguard_budget_valid(const modelguard_budget_t *budget);

/* brings the buckets up to "now"; the functions below expect that */

void modelguard_budget_roll(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t now);

/* the estimate above, in units */

uint64_t modelguard_budget_spent(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t now);

/*
 * 0 if a cost passes now; else the least number of ms after which it passes
 * if nothing is spent until then; MODELGUARD_BUDGET_NEVER if the cost is
 * over limit + burst, or if the time does not fit.
 */

uint64_t modelguard_budget_wait(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t cost, uint64_t now);

/* spends, saturating; the caller has checked that it may */

void modelguard_budget_spend(const modelguard_budget_t *budget,
    modelguard_cell_t *cell, uint64_t cost, uint64_t now);

/* units left: limit + burst less what is spent, never below 0 */

uint64_t modelguard_budget_remaining(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t now);

/* ms until nothing is spent any more if nothing is added; 0 if idle */

uint64_t modelguard_budget_reset(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t now);


#endif /* MODELGUARD_BUDGET_H_INCLUDED */
