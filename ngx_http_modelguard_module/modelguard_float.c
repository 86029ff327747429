
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_float.h"


#define FLOAT_SIGN       0x80000000U
#define FLOAT_INF        0x7f800000U
#define FLOAT_NAN        0x7fc00000U
#define FLOAT_BIAS       150             /* of m * 2^e with an integer m */
#define FLOAT_BITS       24

#if defined(__BYTE_ORDER__) && defined(__ORDER_LITTLE_ENDIAN__)               \
    && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FLOAT_LITTLE     1
#else
#define FLOAT_LITTLE     0
#endif


/* over 10^digits: 2^bits / 5^digits is the reciprocal, rounded up */

typedef struct {
    uint64_t  power;                     /* 5^digits */
    uint64_t  reciprocal;                /* from 2^62 on, below 2^63 */
    unsigned  bits;
} float_digits_t;


static inline uint32_t float_get(const uint8_t *p);
static inline void float_put(uint8_t *p, uint32_t bits);
static inline uint32_t float_round(uint32_t bits,
    const modelguard_decimal_t *unit);
static inline uint32_t float_decimal(uint32_t bits, unsigned digits);
static uint32_t float_step(uint32_t bits, const modelguard_decimal_t *unit);
static uint64_t float_nearest(uint64_t value, unsigned shift, uint64_t unit);
static inline uint32_t float_short(uint32_t value, unsigned digits);
static uint32_t float_quotient(uint64_t value, unsigned digits);
static uint32_t float_pack(uint64_t value, int exponent, int rest);
static inline unsigned float_width(uint64_t value);


static const float_digits_t  float_digits[] = {
    { 1ULL, 0x4000000000000000ULL, 62 },
    { 5ULL, 0x6666666666666667ULL, 65 },
    { 25ULL, 0x51eb851eb851eb86ULL, 67 },
    { 125ULL, 0x4189374bc6a7ef9eULL, 69 },
    { 625ULL, 0x68db8bac710cb296ULL, 72 },
    { 3125ULL, 0x53e2d6238da3c212ULL, 74 },
    { 15625ULL, 0x431bde82d7b634dbULL, 76 },
    { 78125ULL, 0x6b5fca6af2bd215fULL, 79 },
    { 390625ULL, 0x55e63b88c230e77fULL, 81 },
    { 1953125ULL, 0x44b82fa09b5a52ccULL, 83 },
    { 9765625ULL, 0x6df37f675ef6eae0ULL, 86 },
    { 48828125ULL, 0x57f5ff85e5925580ULL, 88 },
    { 244140625ULL, 0x465e6604b7a84466ULL, 90 },
    { 1220703125ULL, 0x709709a125da070aULL, 93 },
    { 6103515625ULL, 0x5a126e1a84ae6c08ULL, 95 },
    { 30517578125ULL, 0x480ebe7b9d58566dULL, 97 }
};


uint32_t
modelguard_float_round(uint32_t bits, const modelguard_decimal_t *unit)
{
    return float_round(bits, unit);
}


void
modelguard_float_round_all(uint8_t *bytes, size_t n,
    const modelguard_decimal_t *unit)
{
    uint8_t               *p, *end;
    modelguard_decimal_t   decimal;

    /* a copy, which what is written to "bytes" cannot change */

    decimal = *unit;
    end = bytes + n * 4;

    for (p = bytes; p < end; p += 4) {
        float_put(p, float_round(float_get(p), &decimal));
    }
}


static inline uint32_t
float_get(const uint8_t *p)
{
    return p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16
           | (uint32_t) p[3] << 24;
}


static inline void
float_put(uint8_t *p, uint32_t bits)
{
#if (FLOAT_LITTLE)

    /* compilers make one store of the four below only if all goes well */

    memcpy(p, &bits, 4);

#else
    p[0] = (uint8_t) bits;
    p[1] = (uint8_t) (bits >> 8);
    p[2] = (uint8_t) (bits >> 16);
    p[3] = (uint8_t) (bits >> 24);
#endif
}


static inline uint32_t
float_round(uint32_t bits, const modelguard_decimal_t *unit)
{
    uint32_t  sign, result;

    sign = bits & FLOAT_SIGN;
    bits &= ~FLOAT_SIGN;

    if (bits >= FLOAT_INF) {
        return bits == FLOAT_INF ? (sign | bits) : FLOAT_NAN;
    }

    result = (unit->unit == 1) ? float_decimal(bits, unit->digits)
                               : float_step(bits, unit);

    return result ? (sign | result) : 0;
}


/* a finite value without its sign, to so many decimals */

static inline uint32_t
float_decimal(uint32_t bits, unsigned digits)
{
    int       shift;
    uint64_t  value;

    /* value * 5^digits / 2^shift is over 10^-digits */

    shift = FLOAT_BIAS - (int) digits - (int) (bits >> (FLOAT_BITS - 1));

    if (shift <= 0) {
        return bits;
    }

    /* what is below has 59 bits at most; subnormals are here, too */

    if (shift > 63) {
        return 0;
    }

    value = (bits & ((1U << (FLOAT_BITS - 1)) - 1)) | 1U << (FLOAT_BITS - 1);
    value *= float_digits[digits].power;

    /* half to even: with an odd quotient a half is enough for a carry */

    value += ((uint64_t) 1 << (shift - 1)) - 1 + (value >> shift & 1);
    value >>= shift;

    return (value >> 32) ? float_quotient(value, digits)
                         : float_short((uint32_t) value, digits);
}


/* a finite value without its sign, by any step */

static uint32_t
float_step(uint32_t bits, const modelguard_decimal_t *unit)
{
    int       exponent;
    uint64_t  value, multiple;

    exponent = (int) (bits >> (FLOAT_BITS - 1));
    value = bits & ((1U << (FLOAT_BITS - 1)) - 1);

    if (exponent) {
        value |= 1U << (FLOAT_BITS - 1);
        exponent--;
    }

    exponent += 1 - FLOAT_BIAS + (int) unit->digits;
    value *= float_digits[unit->digits].power;

    if (exponent >= 0) {

        if (float_width(value) + (unsigned) exponent > 63) {
            return bits;
        }

        value <<= exponent;
        exponent = 0;
    }

    multiple = float_nearest(value, (unsigned) -exponent,
                             (uint64_t) unit->unit);
    value = multiple * (uint64_t) unit->unit;

    return (value >> 32) ? float_quotient(value, unit->digits)
                         : float_short((uint32_t) value, unit->digits);
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


/*
 * The float nearest to value / 10^digits.  The product with the reciprocal
 * is the exact quotient q, scaled to between 2^61 and 2^63, or less than 1
 * more, without its fraction.  A tie t is a multiple of 2^37, and q of
 * 2^(bits - 32) / 5^digits, so that q and t differ by 2^37 / 5^15 > 4 at
 * least where they differ: the product is t exactly where q is, and on the
 * same side of it elsewhere.
 */

static inline uint32_t
float_short(uint32_t value, unsigned digits)
{
    int                    exponent;
    unsigned               shift, drop;
    uint64_t               quotient;
    const float_digits_t  *over;

    if (value == 0) {
        return 0;
    }

    over = &float_digits[digits];
    shift = 32 - float_width(value);
    value <<= shift;

    quotient = value * (over->reciprocal >> 32)
               + (value * (over->reciprocal & 0xffffffff) >> 32);

    drop = 38 + (unsigned) (quotient >> 62);
    exponent = FLOAT_BIAS - 1 + 32 + (int) drop
               - (int) (shift + over->bits + digits);

    quotient += ((uint64_t) 1 << (drop - 1)) - 1 + (quotient >> drop & 1);

    /* a carry out of the significand is one in the exponent */

    return ((uint32_t) exponent << (FLOAT_BITS - 1))
           + (uint32_t) (quotient >> drop);
}


/* the same of a greater value, by long division in base 2 */

static uint32_t
float_quotient(uint64_t value, unsigned digits)
{
    int       exponent;
    unsigned  shift;
    uint64_t  power, rest;

    /* value / 10^digits is value / 5^digits / 2^digits */

    power = float_digits[digits].power;
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


static inline unsigned
float_width(uint64_t value)
{
#if defined(__GNUC__)

    return value ? 64 - (unsigned) __builtin_clzll(value) : 0;

#else
    unsigned  n;

    for (n = 0; value >> n > 0xff; n += 8) { /* void */ }

    for ( /* void */ ; n < 64 && value >> n; n++) { /* void */ }

    return n;

#endif
}
