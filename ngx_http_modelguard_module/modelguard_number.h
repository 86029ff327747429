
/*
 * Copyright (C) the modelguard authors
 *
 * Decimal arithmetic on the text of JSON numbers: exact, without binary
 * floating point, locale or loops over an exponent's value.
 *
 * Every "text" argument is a complete JSON number token that the tokenizer
 * has accepted (RFC 8259 section 6), or one of NaN, Infinity, -Infinity.
 */


#ifndef MODELGUARD_NUMBER_H_INCLUDED
#define MODELGUARD_NUMBER_H_INCLUDED


#include "modelguard_base.h"


#define MODELGUARD_NUMBER_DIGITS_MAX  15   /* of round=N */
#define MODELGUARD_NUMBER_SCALED_MAX  1000000000000000000LL
#define MODELGUARD_NUMBER_FORMAT_MAX  32   /* bytes of a formatted number */
#define MODELGUARD_NUMBER_PAD         32   /* rounded text is no longer than
                                              its source plus this */


typedef enum {
    MODELGUARD_NUMBER_FINITE = 0,
    MODELGUARD_NUMBER_NAN,
    MODELGUARD_NUMBER_INF,
    MODELGUARD_NUMBER_NEG_INF
} modelguard_number_class_e;


/* a positive decimal, unit / 10^digits: 0.05 is { 5, 2 } */

typedef struct {
    int64_t         unit;            /* 1 .. 999999999 */
    unsigned        digits;          /* 0 .. 9 */
} modelguard_decimal_t;


modelguard_number_class_e modelguard_number_class(const uint8_t *text,
    size_t len);

/*
 * The value times 10^digits, rounded half to even, in *scaled.
 * digits: 0 .. MODELGUARD_NUMBER_DIGITS_MAX.
 * MODELGUARD_RANGE: |result| >= MODELGUARD_NUMBER_SCALED_MAX, or not finite;
 * *scaled is then untouched.
 */

int modelguard_number_scale(const uint8_t *text, size_t len, unsigned digits,
    int64_t *scaled);

/*
 * The nearest multiple of "step" (half to the even multiple), as the value
 * times 10^step->digits in *scaled.  MODELGUARD_RANGE as above.
 */

int modelguard_number_step(const uint8_t *text, size_t len,
    const modelguard_decimal_t *step, int64_t *scaled);

/*
 * Compares values exactly: less than, equal to or greater than 0.  NaN is
 * below everything but NaN; the infinities are where they belong; -0 == 0.
 */

int modelguard_number_compare(const uint8_t *a, size_t alen, const uint8_t *b,
    size_t blen);

/*
 * Writes scaled / 10^digits in the canonical form (no exponent, no trailing
 * zeros after the point, no bare point, "0" for zero and never "-0").
 * Returns the length, at most MODELGUARD_NUMBER_FORMAT_MAX.
 */

size_t modelguard_number_format(int64_t scaled, unsigned digits, uint8_t *out);

/*
 * Rounds the text to "digits" decimals, half to even, whatever its size:
 * the canonical form of modelguard_number_format() where the value has at
 * most MODELGUARD_NUMBER_FORMAT_MAX digits before the point or is written
 * with more than "digits" decimals (those its exponent leaves), else the text
 * as it is: a huge number that needs no change.  Non-finite texts are
 * copied.  "out" has len + MODELGUARD_NUMBER_PAD bytes.  Returns the length.
 */

size_t modelguard_number_round(const uint8_t *text, size_t len,
    unsigned digits, uint8_t *out);

/*
 * Parses a directive's positive decimal such as "0.05" or "1" for step=.
 * Trailing zeros are dropped: "0.50" is { 5, 1 }.  MODELGUARD_INVALID: not a
 * plain decimal, zero, over 9 decimals written, or the unit over 999999999;
 * *decimal is then untouched.
 */

int modelguard_decimal_parse(const uint8_t *text, size_t len,
    modelguard_decimal_t *decimal);


#endif /* MODELGUARD_NUMBER_H_INCLUDED */
