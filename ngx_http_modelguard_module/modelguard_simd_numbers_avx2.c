
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_simd_numbers.h"

#if (MODELGUARD_SIMD_X86)

#include <immintrin.h>


#define NUMBERS_TARGET  __attribute__((target("avx2,bmi,bmi2")))


static inline unsigned numbers_others(const uint8_t *p) NUMBERS_TARGET;


static inline unsigned
numbers_others(const uint8_t *p)
{
    __m256i  bytes;

    bytes = _mm256_loadu_si256((const __m256i *) (const void *) p);

    /* digits become 0 to 9, and others get the highest bit */

    bytes = _mm256_xor_si256(bytes, _mm256_set1_epi8('0'));
    bytes = _mm256_adds_epu8(bytes, _mm256_set1_epi8(0x7f - 9));

    return (unsigned) _mm256_movemask_epi8(bytes);
}


#include "modelguard_simd_numbers_loop.h"


const modelguard_simd_numbers_t  modelguard_simd_numbers_avx2 = {
    numbers_round
};

#endif
