
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
    __m128i  low, high, zero, rest;

    zero = _mm_set1_epi8('0');
    rest = _mm_set1_epi8(0x7f - 9);

    low = _mm_loadu_si128((const __m128i *) (const void *) p);
    high = _mm_loadu_si128((const __m128i *) (const void *) (p + 16));

    /* digits become 0 to 9, and others get the highest bit */

    low = _mm_adds_epu8(_mm_xor_si128(low, zero), rest);
    high = _mm_adds_epu8(_mm_xor_si128(high, zero), rest);

    return (unsigned) _mm_movemask_epi8(low)
           | (unsigned) _mm_movemask_epi8(high) << 16;
}


#include "modelguard_simd_numbers_loop.h"


const modelguard_simd_numbers_t  modelguard_simd_numbers_sse2 = {
    numbers_round
};

#endif
