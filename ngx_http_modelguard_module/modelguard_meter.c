
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_meter.h"


uint64_t
modelguard_meter_tokens(const modelguard_meter_t *meter)
{
    uint64_t  sum;

    sum = meter->input + meter->output;

    if (sum < meter->input) {
        sum = UINT64_MAX;
    }

    return meter->total > sum ? meter->total : sum;
}


uint64_t
modelguard_meter_bits(const modelguard_meter_t *meter)
{
    return meter->bits / 1000 + (meter->bits % 1000 != 0);
}


void
modelguard_meter_add(modelguard_meter_t *meter, uint64_t bits)
{
    meter->bits = (bits > UINT64_MAX - meter->bits) ? UINT64_MAX
                                                    : meter->bits + bits;
}


/* the digits of a logarithm, one by one: squaring moves them up by one */

uint32_t
modelguard_meter_log2(uint64_t n)
{
    unsigned  i, whole;
    uint64_t  x, fraction;

    if (n == 0) {
        return 0;
    }

    for (whole = 63; (n >> whole) == 0; whole--) { /* void */ }

    /* 1 <= x < 2, with 31 bits behind the point */

    x = (whole > 31) ? n >> (whole - 31) : n << (31 - whole);
    fraction = 0;

    for (i = 0; i < 20; i++) {
        x = (x * x) >> 31;
        fraction <<= 1;

        if (x >> 32) {
            x >>= 1;
            fraction |= 1;
        }
    }

    return (uint32_t) ((uint64_t) whole * 1000
                       + ((fraction * 1000 + (1 << 19)) >> 20));
}
