
/*
 * Copyright (C) the modelguard authors
 *
 * The mean cost in the low 16 bits of a cell's stamp: up to 2047 as it is,
 * above that with a hidden bit, as floating-point numbers have it.
 */


#include "modelguard_budget.h"


#define MODELGUARD_BUDGET_MEAN      0xffffULL
#define MODELGUARD_BUDGET_MANTISSA  10           /* bits */


uint64_t
modelguard_budget_mean(const modelguard_cell_t *cell)
{
    uint64_t  code, exponent, mantissa;

    code = cell->stamp & MODELGUARD_BUDGET_MEAN;
    exponent = code >> MODELGUARD_BUDGET_MANTISSA;

    if (exponent == 0) {
        return code;
    }

    mantissa = code & ((1 << MODELGUARD_BUDGET_MANTISSA) - 1);
    mantissa += 1 << MODELGUARD_BUDGET_MANTISSA;

    /* a damaged cell may have any exponent */

    if (exponent > 64 - (MODELGUARD_BUDGET_MANTISSA + 1)) {
        return MODELGUARD_BUDGET_UNITS_MAX;
    }

    mantissa <<= exponent - 1;

    return (mantissa < MODELGUARD_BUDGET_UNITS_MAX)
           ? mantissa : MODELGUARD_BUDGET_UNITS_MAX;
}


void
modelguard_budget_learn(modelguard_cell_t *cell, uint64_t actual)
{
    uint64_t  mean, next, exponent;

    if (actual > MODELGUARD_BUDGET_UNITS_MAX) {
        actual = MODELGUARD_BUDGET_UNITS_MAX;
    }

    next = actual;
    mean = modelguard_budget_mean(cell);

    if (mean) {
        next = (mean * 7 + actual + 7) / 8;

        /* rounding up alone would never get from 8 to 1 */

        if (next == mean && actual < mean) {
            next--;
        }
    }

    if (next == 0) {
        next = 1;
    }

    exponent = 0;

    while (next >> (MODELGUARD_BUDGET_MANTISSA + 1)) {
        next = (next >> 1) + (next & 1);
        exponent++;
    }

    /* the exponent 0 has no hidden bit, 1 has it */

    next += exponent << MODELGUARD_BUDGET_MANTISSA;

    cell->stamp = (cell->stamp & ~MODELGUARD_BUDGET_MEAN) | next;
}
