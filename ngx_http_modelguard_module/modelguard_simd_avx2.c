
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_simd.h"

#if (MODELGUARD_SIMD_X86)

#include <immintrin.h>


#define SIMD_WIDTH   64
#define SIMD_TARGET  __attribute__((target("avx2,bmi")))


static inline uint64_t simd_mask(__m256i low, __m256i high) SIMD_TARGET;
static inline __m256i simd_stop(const uint8_t *p) SIMD_TARGET;
static inline __m256i simd_end(const uint8_t *p) SIMD_TARGET;
static inline __m256i simd_other(const uint8_t *p) SIMD_TARGET;
static inline uint64_t simd_stops(const uint8_t *p) SIMD_TARGET;
static inline uint64_t simd_ends(const uint8_t *p) SIMD_TARGET;
static inline uint64_t simd_others(const uint8_t *p) SIMD_TARGET;
static inline void simd_class(const uint8_t *p, modelguard_simd_class_t *is)
    SIMD_TARGET;
static inline uint64_t simd_equal(const __m256i *bytes, char c) SIMD_TARGET;


static inline uint64_t
simd_mask(__m256i low, __m256i high)
{
    return (uint64_t) (uint32_t) _mm256_movemask_epi8(low)
           | (uint64_t) (uint32_t) _mm256_movemask_epi8(high) << 32;
}


static inline __m256i
simd_stop(const uint8_t *p)
{
    __m256i  bytes;

    bytes = _mm256_loadu_si256((const __m256i *) (const void *) p);

    /* signed: bytes over 0x7f are below 0x20, too */

    return _mm256_or_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), bytes),
               _mm256_or_si256(
                   _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"')),
                   _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\'))));
}


static inline __m256i
simd_end(const uint8_t *p)
{
    __m256i  bytes;

    bytes = _mm256_loadu_si256((const __m256i *) (const void *) p);

    return _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\n')),
                           _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\r')));
}


static inline __m256i
simd_other(const uint8_t *p)
{
    __m256i  bytes;

    bytes = _mm256_loadu_si256((const __m256i *) (const void *) p);

    /* biased so that '0'..'9' become the ten smallest signed values */

    bytes = _mm256_add_epi8(bytes, _mm256_set1_epi8((char) (0x80 - '0')));

    return _mm256_cmpgt_epi8(bytes, _mm256_set1_epi8(-128 + 9));
}


static inline uint64_t
simd_stops(const uint8_t *p)
{
    return simd_mask(simd_stop(p), simd_stop(p + 32));
}


static inline uint64_t
simd_ends(const uint8_t *p)
{
    return simd_mask(simd_end(p), simd_end(p + 32));
}


static inline uint64_t
simd_others(const uint8_t *p)
{
    return simd_mask(simd_other(p), simd_other(p + 32));
}


static inline uint64_t
simd_equal(const __m256i *bytes, char c)
{
    __m256i  all;

    all = _mm256_set1_epi8(c);

    return simd_mask(_mm256_cmpeq_epi8(bytes[0], all),
                     _mm256_cmpeq_epi8(bytes[1], all));
}


static inline void
simd_class(const uint8_t *p, modelguard_simd_class_t *is)
{
    __m256i  bytes[2], lower[2];

    bytes[0] = _mm256_loadu_si256((const __m256i *) (const void *) p);
    bytes[1] = _mm256_loadu_si256((const __m256i *) (const void *) (p + 32));

    lower[0] = _mm256_or_si256(bytes[0], _mm256_set1_epi8(0x20));
    lower[1] = _mm256_or_si256(bytes[1], _mm256_set1_epi8(0x20));

    is->digit = ~simd_others(p);
    is->zero = simd_equal(bytes, '0');
    is->comma = simd_equal(bytes, ',');
    is->point = simd_equal(bytes, '.');
    is->minus = simd_equal(bytes, '-');
    is->space = simd_equal(bytes, ' ');
    is->e = simd_equal(lower, 'e');
}


#include "modelguard_simd_x86.h"


const modelguard_simd_t  modelguard_simd_avx2 = {
    "avx2",
    MODELGUARD_SIMD_AVX2,
    simd_text,
    simd_line,
    simd_digits,
    simd_numbers
};

#endif
