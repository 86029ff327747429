
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_simd_numbers.h"

#if (MODELGUARD_SIMD_X86)

#include <emmintrin.h>


#define NUMBERS_TARGET  __attribute__((target("sse2")))


static inline unsigned numbers_others(const uint8_t *p) NUMBERS_TARGET;


static inline unsigned
numbers_others(const uint8_t *p)
{
    __m128i  low, high, bias, nine;

    /* biased so that '0'..'9' become the ten smallest signed values */

    bias = _mm_set1_epi8((char) (0x80 - '0'));
    nine = _mm_set1_epi8(-128 + 9);

    low = _mm_loadu_si128((const __m128i *) (const void *) p);
    high = _mm_loadu_si128((const __m128i *) (const void *) (p + 16));

    low = _mm_cmpgt_epi8(_mm_add_epi8(low, bias), nine);
    high = _mm_cmpgt_epi8(_mm_add_epi8(high, bias), nine);

    return (unsigned) _mm_movemask_epi8(low)
           | (unsigned) _mm_movemask_epi8(high) << 16;
}


#include "modelguard_simd_numbers_loop.h"


const modelguard_simd_numbers_t  modelguard_simd_numbers_sse2 = {
    numbers_skip,
    numbers_round
};

#endif
