
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_simd.h"


static const uint8_t *simd_text(const uint8_t *p, const uint8_t *end,
    unsigned *escaped);
static const uint8_t *simd_digits(const uint8_t *p, const uint8_t *end);
static const uint8_t *simd_numbers(const uint8_t *p, const uint8_t *end);


const modelguard_simd_t  modelguard_simd_portable = {
    "portable",
    MODELGUARD_SIMD_PORTABLE,
    simd_text,
    simd_numbers
};


/* the length of an escape, by the byte behind the backslash; 0: none */

const uint8_t  modelguard_simd_escapes[256] = {
    ['"'] = 2, ['\\'] = 2, ['/'] = 2, ['b'] = 2, ['f'] = 2, ['n'] = 2,
    ['r'] = 2, ['t'] = 2, ['u'] = 6
};


const modelguard_simd_t *
modelguard_simd_best(void)
{
    unsigned                  level;
    const modelguard_simd_t  *simd;

    for (level = MODELGUARD_SIMD_MAX; level > 0; level--) {
        simd = modelguard_simd_at(level);

        if (simd != NULL) {
            return simd;
        }
    }

    return &modelguard_simd_portable;
}


const modelguard_simd_t *
modelguard_simd_at(unsigned level)
{
#if (MODELGUARD_SIMD_X86)

    __builtin_cpu_init();

    if (level == MODELGUARD_SIMD_AVX2 && __builtin_cpu_supports("avx2")
        && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
    {
        return &modelguard_simd_avx2;
    }

    if (level == MODELGUARD_SIMD_SSE2 && __builtin_cpu_supports("sse2")) {
        return &modelguard_simd_sse2;
    }

#endif

    return level == MODELGUARD_SIMD_PORTABLE ? &modelguard_simd_portable
                                             : NULL;
}


static const uint8_t *
simd_text(const uint8_t *p, const uint8_t *end, unsigned *escaped)
{
    size_t  n;

    while (p < end) {

        if (*p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\') {
            p++;
            continue;
        }

        n = modelguard_simd_special(p, end, escaped);

        if (n == 0) {
            break;
        }

        p += n;
    }

    return p;
}


static const uint8_t *
simd_digits(const uint8_t *p, const uint8_t *end)
{
    while (p < end && (uint8_t) (*p - '0') < 10) {
        p++;
    }

    return p;
}


static const uint8_t *
simd_numbers(const uint8_t *p, const uint8_t *end)
{
    const uint8_t  *q;

    q = modelguard_simd_number(p, end);

    while (q != NULL) {
        p = q;

        if (*q++ != ',') {
            break;
        }

        q += (q < end && *q == ' ');
        q = modelguard_simd_number(q, end);
    }

    return p;
}


const uint8_t *
modelguard_simd_number(const uint8_t *p, const uint8_t *end)
{
    const uint8_t  *start;

    p += (p < end && *p == '-');

    start = p;
    p = simd_digits(p, end);

    if (p == start || p == end || (*start == '0' && p - start > 1)) {
        return NULL;
    }

    if (*p == '.') {
        start = ++p;
        p = simd_digits(p, end);

        if (p == start || p == end) {
            return NULL;
        }
    }

    if ((*p | 0x20) == 'e') {
        p++;
        p += (p < end && (*p == '-' || *p == '+'));

        start = p;
        p = simd_digits(p, end);

        if (p == start || p == end) {
            return NULL;
        }
    }

    return p;
}
