
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_float.h"


#define FLOAT_SIGN       0x80000000U
#define FLOAT_INF        0x7f800000U
#define FLOAT_NAN        0x7fc00000U
#define FLOAT_BIAS       150             /* of m * 2^e with an integer m */
#define FLOAT_BITS       24


static uint64_t float_nearest(uint64_t value, unsigned shift, uint64_t unit);
static uint32_t float_quotient(uint64_t value, unsigned digits);
static uint32_t float_pack(uint64_t value, int exponent, int rest);
static unsigned float_width(uint64_t value);


static const uint64_t  float_pow5[] = {
    1, 5, 25, 125, 625, 3125, 15625, 78125, 390625, 1953125, 9765625,
    48828125, 244140625, 1220703125, 6103515625ULL, 30517578125ULL
};


uint32_t
modelguard_float_round(uint32_t bits, const modelguard_decimal_t *unit)
{
    int       exponent;
    uint32_t  sign, result;
    uint64_t  value, multiple;

    sign = bits & FLOAT_SIGN;
    bits &= ~FLOAT_SIGN;

    if (bits >= FLOAT_INF) {
        return bits == FLOAT_INF ? (sign | bits) : FLOAT_NAN;
    }

    exponent = (int) (bits >> (FLOAT_BITS - 1));
    value = bits & ((1U << (FLOAT_BITS - 1)) - 1);

    if (exponent) {
        value |= 1U << (FLOAT_BITS - 1);
        exponent--;
    }

    exponent += 1 - FLOAT_BIAS + (int) unit->digits;
    value *= float_pow5[unit->digits];

    if (exponent >= 0) {

        if (unit->unit == 1 || float_width(value) + (unsigned) exponent > 63) {
            return bits ? (sign | bits) : 0;
        }

        value <<= exponent;
        exponent = 0;
    }

    multiple = float_nearest(value, (unsigned) -exponent,
                             (uint64_t) unit->unit);

    result = float_quotient(multiple * (uint64_t) unit->unit, unit->digits);

    return result ? (sign | result) : 0;
}


/* value / 2^shift / unit, to the nearest integer, half to even */

static uint64_t
float_nearest(uint64_t value, unsigned shift, uint64_t unit)
{
    uint64_t  whole, low, multiple, twice;

    /* the value has 63 bits at most: below a half of any unit */

    if (shift > 64) {
        return 0;
    }

    whole = (shift < 64) ? value >> shift : 0;
    low = (shift < 64) ? value - (whole << shift) : value;

    multiple = whole / unit;

    /* twice the remainder: its integer part, and in "low" whether more */

    twice = whole % unit * 2;

    if (shift) {
        twice += low >> (shift - 1);
        low &= ((uint64_t) 1 << (shift - 1)) - 1;
    }

    if (twice > unit
        || (twice == unit && (low != 0 || (multiple & 1))))
    {
        multiple++;
    }

    return multiple;
}


/* the float nearest to value / 10^digits, by long division in base 2 */

static uint32_t
float_quotient(uint64_t value, unsigned digits)
{
    int       exponent;
    unsigned  shift;
    uint64_t  power, rest;

    if (value == 0) {
        return 0;
    }

    /* value / 10^digits is value / 5^digits / 2^digits */

    power = float_pow5[digits];
    shift = 63 - float_width(power);
    shift = (shift > 36) ? 36 : shift;

    exponent = -(int) digits;
    rest = value % power;
    value /= power;

    /* at least one bit more than fit: the rest only breaks ties then */

    while (value >> (FLOAT_BITS + 1) == 0) {
        rest <<= shift;
        value = value << shift | rest / power;
        rest %= power;
        exponent -= (int) shift;
    }

    return float_pack(value, exponent, rest != 0);
}


/* value * 2^exponent, and a little more if "rest", of the normal range */

static uint32_t
float_pack(uint64_t value, int exponent, int rest)
{
    unsigned  drop;
    uint64_t  low, half;

    drop = float_width(value) - FLOAT_BITS;
    half = (uint64_t) 1 << (drop - 1);
    low = value & (half * 2 - 1);

    value >>= drop;
    exponent += (int) drop;

    if (low > half || (low == half && (rest || (value & 1)))) {

        /* a carry out of the significand is one in the exponent */

        value++;
    }

    return (uint32_t) (((uint64_t) (exponent + FLOAT_BIAS - 1)
                        << (FLOAT_BITS - 1))
                       + value);
}


static unsigned
float_width(uint64_t value)
{
    unsigned  n;

    for (n = 0; value >> n > 0xff; n += 8) { /* void */ }

    for ( /* void */ ; n < 64 && value >> n; n++) { /* void */ }

    return n;
}
