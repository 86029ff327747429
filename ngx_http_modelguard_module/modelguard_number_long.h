
/*
 * Copyright (C) the modelguard authors
 *
 * The long way of the decimal arithmetic, for modelguard_number.c alone:
 * texts with an exponent and texts of any length, parsed into the span of
 * their significant digits and the place of their point.  Everything takes
 * time in the text's length, nothing in the exponent's value.
 */


#ifndef MODELGUARD_NUMBER_LONG_H_INCLUDED
#define MODELGUARD_NUMBER_LONG_H_INCLUDED


#include "modelguard_number.h"


#define MODELGUARD_NUMBER_DIGITS  18    /* of the largest scaled value */


/* digits cut off, in quarters of the last kept digit; 1 and 3 are "about" */

typedef enum {
    MODELGUARD_NUMBER_EXACT = 0,
    MODELGUARD_NUMBER_BELOW,
    MODELGUARD_NUMBER_HALF,
    MODELGUARD_NUMBER_ABOVE
} modelguard_number_rest_e;


/* the value is 0.ddd * 10^(point + exponent), ddd from "first" to "last" */

typedef struct {
    const uint8_t  *first;           /* NULL: zero */
    const uint8_t  *last;            /* past the last digit that is not 0 */
    const uint8_t  *power;           /* the exponent's digits, up to "end" */
    const uint8_t  *end;
    int64_t         point;
    int64_t         exponent;        /* no farther than NUMBER_FAR */
    int64_t         decimals;        /* digits written after the point */
    unsigned        negative:1;
    unsigned        power_negative:1;
} modelguard_number_t;


typedef struct {
    uint64_t        whole;
    uint64_t        negative;        /* 0 or 1 */
    const uint8_t  *tail;            /* digits cut off */
    const uint8_t  *end;
} modelguard_number_cut_t;


/*
 * Where the digits cut off, "p" to "end", stand beside one half.  A point
 * before the first is skipped; a later one must have a digit other than 0
 * somewhere behind it, as it has in a number parsed.
 */

modelguard_number_rest_e modelguard_number_rest(const uint8_t *p,
    const uint8_t *end);

/* "text" is finite; the result points into it */

void modelguard_number_parse(const uint8_t *text, size_t len,
    modelguard_number_t *number);

/* modelguard_number_scale() and modelguard_number_step() of any text */

int modelguard_number_scale_long(const uint8_t *text, size_t len,
    unsigned digits, int64_t *scaled);
int modelguard_number_step_long(const uint8_t *text, size_t len,
    const modelguard_decimal_t *step, int64_t *scaled);

/* the multiple of "step" that is nearest to the digits cut at its decimals */

int modelguard_number_multiple(const modelguard_number_cut_t *cut,
    const modelguard_decimal_t *step, int64_t *scaled);

/*
 * Compares two values that are not zero without their signs: -1, 0 or 1.
 */

int modelguard_number_compare_magnitude(const modelguard_number_t *a,
    const modelguard_number_t *b);

/*
 * Writes the rounded value in the canonical form.  The value is at least 1.
 * Returns the length, at most 3 more than the larger of the digits before
 * the value's point and the digits of the text.
 */

size_t modelguard_number_round_long(const modelguard_number_t *number,
    unsigned digits, uint8_t *out);


static inline int
modelguard_number_signed(uint64_t whole, uint64_t negative, int64_t *scaled)
{
    if (whole >= (uint64_t) MODELGUARD_NUMBER_SCALED_MAX) {
        return MODELGUARD_RANGE;
    }

    /* signs are hard to predict: -x is ~x + 1 */

    *scaled = ((int64_t) whole ^ -(int64_t) negative) + (int64_t) negative;

    return MODELGUARD_OK;
}


#endif /* MODELGUARD_NUMBER_LONG_H_INCLUDED */
