
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_simd_numbers.h"
#include "modelguard_number.h"


#define NUMBERS_TARGET
#define NUMBERS_KEY_MAX  100000000


static inline unsigned numbers_others(const uint8_t *p);


const modelguard_simd_numbers_t *
modelguard_simd_numbers(unsigned level)
{
#if (MODELGUARD_SIMD_X86)

    if (level == MODELGUARD_SIMD_AVX2) {
        return &modelguard_simd_numbers_avx2;
    }

    if (level == MODELGUARD_SIMD_SSE2) {
        return &modelguard_simd_numbers_sse2;
    }

#endif

    (void) level;

    return &modelguard_simd_numbers_portable;
}


const uint8_t *
modelguard_numbers_exponent(const uint8_t *p)
{
    unsigned  i;

    p++;
    p += (*p == '-' || *p == '+');

    for (i = 0; (uint8_t) (p[i] - '0') < 10; i++) {

        if (i == 3) {
            return NULL;
        }
    }

    return i ? p + i : NULL;
}


int
modelguard_numbers_scale(const uint8_t *text, size_t len, unsigned digits,
    uint64_t *key, unsigned *negative)
{
    int64_t   scaled;
    unsigned  i;

    if (modelguard_number_scale(text, len, digits, &scaled) != MODELGUARD_OK
        || scaled >= NUMBERS_KEY_MAX || scaled <= -NUMBERS_KEY_MAX)
    {
        return 0;
    }

    *negative = (scaled < 0);

    if (scaled < 0) {
        scaled = -scaled;
    }

    *key = MODELGUARD_ROUND_ZERO;

    for (i = 0; scaled; i += 8) {
        *key += (uint64_t) (scaled % 10) << i;
        scaled /= 10;
    }

    return 1;
}


uint8_t *
modelguard_numbers_write(uint8_t *out, uint64_t key, unsigned negative,
    unsigned digits)
{
    unsigned  i, n;

    if (key == MODELGUARD_ROUND_ZERO) {
        *out++ = '0';
        return out;
    }

    if (negative) {
        *out++ = '-';
    }

    /* the digits before the point, and of those behind it up to n */

    for (n = 0; n < digits && (key >> n * 8 & 0xff) == '0'; n++) {
        /* void */
    }

    for (i = 8; i > digits + 1 && (key >> (i - 1) * 8 & 0xff) == '0'; i--) {
        /* void */
    }

    while (i > digits || i > n) {

        if (i == digits) {
            *out++ = '.';
        }

        *out++ = (uint8_t) (key >> --i * 8);
    }

    return out;
}


void
modelguard_numbers_top(modelguard_round_t *round, uint64_t key, size_t in,
    size_t len, const uint8_t *out)
{
    modelguard_round_tie_t  *tie;

    if (key > round->top || round->nties == 0) {
        round->top = key;
        round->nties = 0;
    }

    if (round->nties == MODELGUARD_ROUND_TIES) {
        round->full = 1;
        return;
    }

    tie = &round->ties[round->nties++];

    tie->in = in;
    tie->out = (size_t) (out - round->begin);
    tie->len = (uint32_t) len;
}


static inline unsigned
numbers_others(const uint8_t *p)
{
    unsigned  mask, i;

    mask = (uint8_t) (p[0] - '0') >= 10;

    if ((uint8_t) (p[1] - '0') >= 10) {
        mask |= 2;
    }

    for (i = 2; i < 32; i++) {

        if ((uint8_t) (p[i] - '0') >= 10) {
            return mask | 1U << i;
        }
    }

    return mask;
}


#include "modelguard_simd_numbers_loop.h"


const modelguard_simd_numbers_t  modelguard_simd_numbers_portable = {
    numbers_round
};
