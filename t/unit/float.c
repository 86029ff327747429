
/*
 * Copyright (C) the modelguard authors
 *
 * Rounding of binary32 values, beside glibc's printf() and strtof(), which
 * are exact, and beside long double arithmetic for steps.
 */


#include <inttypes.h>

#include "tap.h"
#include "modelguard_float.h"


#define RANDOM  40000                /* values for each number of decimals */


static uint64_t  seed = 0x2545f4914f6cdd1dULL;


static uint32_t
next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return (uint32_t) (seed >> 16);
}


static float
value_of(uint32_t bits)
{
    float  f;

    memcpy(&f, &bits, sizeof(f));

    return f;
}


static uint32_t
bits_of(float f)
{
    uint32_t  bits;

    memcpy(&bits, &f, sizeof(bits));

    return bits;
}


static uint32_t
round_to(uint32_t bits, int64_t unit, unsigned digits)
{
    modelguard_decimal_t  decimal;

    decimal.unit = unit;
    decimal.digits = digits;

    return modelguard_float_round(bits, &decimal);
}


/* a random value whose decimals matter: of any exponent, or near 1 */

static uint32_t
any_bits(unsigned kind)
{
    uint32_t  bits;

    bits = next();

    if (kind % 4 == 0) {
        return bits;
    }

    /* 2^-40 .. 2^23 */

    return (bits & 0x807fffff) | (127 - 40 + next() % 63) << 23;
}


static void
test_round(unsigned digits)
{
    char      text[512];
    float     want;
    uint32_t  bits, got;
    unsigned  i, bad;

    bad = 0;

    for (i = 0; i < RANDOM; i++) {
        bits = any_bits(i);

        if ((bits & 0x7f800000) == 0x7f800000) {
            continue;
        }

        got = round_to(bits, 1, digits);

        /* the decimal that is nearest, ties to even, of the exact value */

        snprintf(text, sizeof(text), "%.*f", (int) digits,
                 (double) value_of(bits));
        want = strtof(text, NULL);

        if (want == 0) {
            want = 0;
            bad += (got != 0);
            continue;
        }

        if (got != bits_of(want) && bad++ < 5) {
            printf("# %.*g to %u decimals: %08x for %08x\n", 30,
                   (double) value_of(bits), digits, got, bits_of(want));
        }
    }

    ok(bad == 0, "%u values to %u decimals", i, digits);
}


static void
test_step(int64_t unit, unsigned digits)
{
    char         text[512];
    float        want;
    double       power;
    uint32_t     bits, got;
    unsigned     i, bad;
    long double  scaled, multiple, below;

    bad = 0;
    power = 1;

    for (i = 0; i < digits; i++) {
        power *= 10;
    }

    for (i = 0; i < RANDOM; i++) {

        /*
         * From 2^-20 to 2^9: a 24 bit significand times 10^9 has 54 bits, and
         * k * unit fits 64, so that nothing below is rounded but the quotient
         */

        bits = (next() & 0x807fffff) | (127 - 20 + next() % 30) << 23;

        if (i % 8 == 0) {
            bits = bits_of((float) (unit * (next() % 64)) / 2 / (float) power);
        }

        scaled = (long double) value_of(bits) * power;

        if (scaled < 0) {
            scaled = -scaled;
        }

        below = (long double) (uint64_t) (scaled / unit) * unit;
        below = below > scaled ? below - unit : below;
        multiple = below / unit;

        if ((scaled - below) * 2 > unit
            || ((scaled - below) * 2 == unit
                && (uint64_t) multiple % 2 == 1))
        {
            below += unit;
        }

        snprintf(text, sizeof(text), "%s%" PRIu64 "e-%u",
                 value_of(bits) < 0 ? "-" : "", (uint64_t) below, digits);
        want = strtof(text, NULL);

        got = round_to(bits, unit, digits);

        if (got != (want == 0 ? 0 : bits_of(want)) && bad++ < 5) {
            printf("# %.*g by %lde-%u: %.9g for %s\n", 30,
                   (double) value_of(bits), (long) unit, digits,
                   (double) value_of(got), text);
        }
    }

    ok(bad == 0, "%u values by a step of %lde-%u", i, (long) unit, digits);
}


static void
test_ties(void)
{
    size_t    i;
    unsigned  bad;

    static const struct {
        float     from;
        int64_t   unit;
        unsigned  digits;
        float     to;
    } ties[] = {
        { 0.125f, 1, 2, 0.12f }, { 0.375f, 1, 2, 0.38f },
        { -0.125f, 1, 2, -0.12f }, { 0.5f, 1, 0, 0 }, { 1.5f, 1, 0, 2 },
        { 2.5f, 1, 0, 2 }, { 0.25f, 1, 1, 0.2f }, { 0.75f, 1, 1, 0.8f },
        { 0.0625f, 1, 3, 0.062f }, { 0.1875f, 1, 3, 0.188f },
        { 8388607.5f, 1, 0, 8388608.0f }, { 8388606.5f, 1, 0, 8388606.0f },
        { 0.375f, 25, 2, 0.5f }, { 0.125f, 25, 2, 0 },
        { 0.625f, 25, 2, 0.5f }, { 0.5f, 1, 15, 0.5f },
        { 0.75f, 5, 1, 1.0f }, { 0.25f, 5, 1, 0 }, { 15.0f, 10, 0, 20.0f },
        { 25.0f, 10, 0, 20.0f }, { 33554432.0f, 10, 0, 33554430.0f },
        { 33554452.0f, 10, 0, 33554448.0f },
        { 33554468.0f, 10, 0, 33554472.0f }
    };

    bad = 0;

    for (i = 0; i < sizeof(ties) / sizeof(ties[0]); i++) {

        if (round_to(bits_of(ties[i].from), ties[i].unit, ties[i].digits)
            != bits_of(ties[i].to))
        {
            bad++;
            printf("# %.9g by %lde-%u\n", (double) ties[i].from,
                   (long) ties[i].unit, ties[i].digits);
        }
    }

    ok(bad == 0, "%zu ties to even", i);
}


static void
test_special(void)
{
    ok(round_to(0x80000000, 1, 2) == 0 && round_to(0, 1, 2) == 0
       && round_to(0x80000000, 1, 0) == 0 && round_to(0x80000001, 1, 15) == 0,
       "zero has no sign");
    ok(round_to(bits_of(-0.001f), 1, 2) == 0, "nor has what becomes zero");
    ok(round_to(0x7f800000, 1, 2) == 0x7f800000
       && round_to(0xff800000, 5, 1) == 0xff800000, "the infinities stay");
    ok(round_to(0x7f800001, 1, 2) == 0x7fc00000
       && round_to(0xffffffff, 1, 2) == 0x7fc00000
       && round_to(0x7fdeadbe, 5, 1) == 0x7fc00000, "NaN carries nothing");
    ok(round_to(0x7f7fffff, 1, 0) == 0x7f7fffff
       && round_to(0xff7fffff, 1, 15) == 0xff7fffff
       && round_to(0x7f7fffff, 5, 1) == 0x7f7fffff,
       "the greatest values stay");
    ok(round_to(1, 1, 15) == 0 && round_to(0x007fffff, 1, 15) == 0
       && round_to(0x00800000, 999999999, 9) == 0, "subnormals become zero");

    /* 2^62 is the last that is rounded to a step, 2^63 the first that is not */

    ok(round_to(bits_of(4611686018427387904.0f), 999999999, 0)
       == bits_of(4611686018427387904.0f - 387904.0f), "a step of 2^62");
    ok(round_to(bits_of(9223372036854775808.0f), 999999999, 0)
       == bits_of(9223372036854775808.0f), "a step of 2^63 is kept");
    ok(round_to(bits_of(1.0f), 999999999, 0) == 0
       && round_to(bits_of(5e8f), 999999999, 0) == bits_of(1e9f)
       && round_to(bits_of(4.9e8f), 999999999, 0) == 0, "a great step");
}


int
main(void)
{
    unsigned  digits;

    for (digits = 0; digits <= MODELGUARD_FLOAT_DIGITS_MAX; digits++) {
        test_round(digits);
    }

    test_step(5, 2);
    test_step(25, 2);
    test_step(1, 1);
    test_step(3, 0);
    test_step(7, 9);
    test_step(999999999, 9);
    test_step(123456789, 5);
    test_step(1, 9);

    test_ties();
    test_special();

    return tap_done();
}
