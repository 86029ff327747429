
/*
 * Copyright (C) the modelguard authors
 *
 * Decimal rounding of IEEE 754 binary32 values, exact: with 64 bit integers
 * and no floating point, so that neither a rounding mode nor a compiler's
 * option changes a bit of the result.
 *
 * A finite value is m * 2^e with m < 2^24.  Over 10^-d it is m * 5^d * 2^
 * (e + d), and m * 5^d < 2^24 * 2^34.9 fits 59 bits for all d <= 15.
 */


#ifndef MODELGUARD_FLOAT_H_INCLUDED
#define MODELGUARD_FLOAT_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_number.h"


#define MODELGUARD_FLOAT_DIGITS_MAX  MODELGUARD_NUMBER_DIGITS_MAX


/*
 * The binary32 (its bits) that is nearest, ties to even, to the multiple of
 * unit / 10^digits that is nearest to the exact value of "bits", ties to the
 * even multiple: { 1, 2 } is round=2, { 5, 2 } is step=0.05.
 *
 *     zero, whatever its sign, is +0;
 *     infinities stay, and every NaN becomes the one quiet NaN, 0x7fc00000;
 *     a value that has no more decimals than asked for stays as it is;
 *     one of 2^63 units of 10^-digits or more stays: as with numbers written
 *     as text, there is no telling decimal in it.
 *
 * unit: 1 .. 999999999, digits: 0 .. MODELGUARD_FLOAT_DIGITS_MAX, and no
 * more than 9 if the unit is not 1.
 */

uint32_t modelguard_float_round(uint32_t bits,
    const modelguard_decimal_t *unit);

/* the same of n binary32 in a row, each 4 bytes, the lowest first */

void modelguard_float_round_all(uint8_t *bytes, size_t n,
    const modelguard_decimal_t *unit);


#endif /* MODELGUARD_FLOAT_H_INCLUDED */
