
/*
 * Copyright (C) the modelguard authors
 *
 * What the tests of modelguard_budget share: short names, random numbers.
 */


#ifndef BUDGET_KIT_H_INCLUDED
#define BUDGET_KIT_H_INCLUDED


#include "modelguard_budget.h"


#define LIMIT_MAX   MODELGUARD_BUDGET_LIMIT_MAX
#define WINDOW_MIN  MODELGUARD_BUDGET_WINDOW_MIN
#define WINDOW_MAX  MODELGUARD_BUDGET_WINDOW_MAX
#define OFFSET_MAX  MODELGUARD_BUDGET_OFFSET_MAX
#define UNITS_MAX   MODELGUARD_BUDGET_UNITS_MAX
#define TIME_MAX    MODELGUARD_BUDGET_TIME_MAX
#define NEVER       MODELGUARD_BUDGET_NEVER

#define start_of(cell)  modelguard_cell_start(cell)


typedef modelguard_budget_t  budget_t;
typedef modelguard_cell_t    cell_t;

__extension__ typedef unsigned __int128  wide_t;


static uint64_t  seed = 0x9e3779b97f4a7c15ULL;


static inline uint64_t
any(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return seed * 0x2545f4914f6cdd1dULL;
}


static inline uint64_t
below(uint64_t n)
{
    return any() % n;
}


/* of any magnitude, from 1 to "max" */

static inline uint64_t
sized(uint64_t max)
{
    uint64_t  n;

    n = any() >> below(64);

    return n % max + 1;
}


#endif /* BUDGET_KIT_H_INCLUDED */
