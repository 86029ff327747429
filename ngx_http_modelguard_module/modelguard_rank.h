
/*
 * Copyright (C) the modelguard authors
 *
 * The ranking of a vector's numbers, and what is done by rank: the parts of
 * modelguard_vector_decide(), in the order in which it calls them.
 */


#ifndef MODELGUARD_RANK_H_INCLUDED
#define MODELGUARD_RANK_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_vector.h"


#define MODELGUARD_RANK_DIGITS  9    /* decimals for ranking, where the
                                        treatment keeps the text */


typedef struct {
    const modelguard_vector_t  *vector;
    uint32_t                    top;           /* index of the greatest */
    uint32_t                    numbers;
    uint32_t                    lowest;        /* index of the least that is
                                                  kept while others are hidden,
                                                  or MODELGUARD_EDIT_NONE */
    unsigned                    negative:1;    /* a kept value is below 0 */
    unsigned                    hidden:1;      /* a value was hidden */

    /* a heap of the K greatest, the least of them first */

    uint32_t                    heap[MODELGUARD_TOP_MAX];
    unsigned                    n;
} modelguard_rank_t;


/* 1 if edit i is a number of the vector */

static inline int
modelguard_rank_is_number(const modelguard_vector_t *vector, uint32_t i)
{
    return vector->edits[i].frame == vector->frame
           && vector->edits[i].kind == MODELGUARD_EDIT_NUMBER;
}


/* less than, equal to or greater than 0, by value */

int modelguard_rank_compare(const modelguard_vector_t *vector, uint32_t a,
    uint32_t b);

/* whether a ranks before b: greater, or equal and first */

int modelguard_rank_before(const modelguard_vector_t *vector, uint32_t a,
    uint32_t b);

/* the sign of number i: -1, 0, 1 */

int modelguard_rank_sign(const modelguard_vector_t *vector, uint32_t i);

/* finds the top, counts, and fills the heap; rank->vector is set */

void modelguard_rank(modelguard_rank_t *rank);

/* marks with EDIT_ZERO what top= and min= do not let through */

void modelguard_rank_hide(modelguard_rank_t *rank);

/* rounds what is kept */

void modelguard_rank_keep(modelguard_rank_t *rank);

/* keeps the top on top after rounding */

void modelguard_guard(const modelguard_rank_t *rank);

/*
 * Where zero does not hide (among logits), what is hidden becomes a value
 * below all that is kept, made from nothing but the least of them as it is
 * sent.
 */

void modelguard_guard_fill(const modelguard_rank_t *rank);

/*
 * If the values as they came summed to 1: scales what is kept so that it
 * sums to 1 again, in whole quanta.
 */

void modelguard_guard_renormalize(const modelguard_rank_t *rank);


#endif /* MODELGUARD_RANK_H_INCLUDED */
