
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_simd.h"

#if (MODELGUARD_SIMD_X86)

#include <immintrin.h>


#define SIMD_TARGET   __attribute__((target("avx2,bmi")))
#define SIMD_VECTORS  2              /* in a block of 64 bytes */


static inline void simd_load(const uint8_t *p, __m256i *bytes) SIMD_TARGET;
static inline uint64_t simd_mask(const __m256i *masks) SIMD_TARGET;
static inline uint64_t simd_equal(const __m256i *bytes, char c) SIMD_TARGET;
static inline uint64_t simd_over(const __m256i *bytes, char c) SIMD_TARGET;
static inline uint64_t simd_stops(const uint8_t *p) SIMD_TARGET;
static inline uint64_t simd_ends(const uint8_t *p) SIMD_TARGET;
static inline uint64_t simd_others(const uint8_t *p) SIMD_TARGET;
static inline void simd_split(const uint8_t *p, modelguard_simd_split_t *is)
    SIMD_TARGET;
static inline void simd_leads(const uint8_t *p, modelguard_simd_leads_t *is)
    SIMD_TARGET;
static inline void simd_class(const uint8_t *p, modelguard_simd_class_t *is)
    SIMD_TARGET;


static inline void
simd_load(const uint8_t *p, __m256i *bytes)
{
    unsigned  i;

    for (i = 0; i < SIMD_VECTORS; i++) {
        bytes[i] = _mm256_loadu_si256((const __m256i *)
                                (const void *) (p + (size_t) 32 * i));
    }
}


static inline uint64_t
simd_mask(const __m256i *masks)
{
    uint64_t  mask;
    unsigned  i;

    mask = 0;

    for (i = 0; i < SIMD_VECTORS; i++) {
        mask |= (uint64_t) (uint32_t) _mm256_movemask_epi8(masks[i])
                << (32 * i);
    }

    return mask;
}


static inline uint64_t
simd_equal(const __m256i *bytes, char c)
{
    __m256i   masks[SIMD_VECTORS];
    unsigned  i;

    for (i = 0; i < SIMD_VECTORS; i++) {
        masks[i] = _mm256_cmpeq_epi8(bytes[i], _mm256_set1_epi8(c));
    }

    return simd_mask(masks);
}


/* signed: 0x80 is the smallest */

static inline uint64_t
simd_over(const __m256i *bytes, char c)
{
    __m256i   masks[SIMD_VECTORS];
    unsigned  i;

    for (i = 0; i < SIMD_VECTORS; i++) {
        masks[i] = _mm256_cmpgt_epi8(bytes[i], _mm256_set1_epi8(c));
    }

    return simd_mask(masks);
}


static inline uint64_t
simd_stops(const uint8_t *p)
{
    __m256i   bytes[SIMD_VECTORS], low, quote;
    unsigned  i;

    simd_load(p, bytes);

    /* signed: bytes over 0x7f are below 0x20, too */

    for (i = 0; i < SIMD_VECTORS; i++) {
        low = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), bytes[i]);
        quote = _mm256_cmpeq_epi8(bytes[i], _mm256_set1_epi8('"'));
        bytes[i] = _mm256_cmpeq_epi8(bytes[i], _mm256_set1_epi8('\\'));
        bytes[i] = _mm256_or_si256(_mm256_or_si256(low, quote), bytes[i]);
    }

    return simd_mask(bytes);
}


static inline uint64_t
simd_ends(const uint8_t *p)
{
    __m256i   bytes[SIMD_VECTORS];
    unsigned  i;

    simd_load(p, bytes);

    for (i = 0; i < SIMD_VECTORS; i++) {
        bytes[i] = _mm256_or_si256(
                       _mm256_cmpeq_epi8(bytes[i], _mm256_set1_epi8('\n')),
                       _mm256_cmpeq_epi8(bytes[i], _mm256_set1_epi8('\r')));
    }

    return simd_mask(bytes);
}


static inline uint64_t
simd_others(const uint8_t *p)
{
    __m256i   bytes[SIMD_VECTORS];
    unsigned  i;

    simd_load(p, bytes);

    /* biased so that '0'..'9' become the ten smallest signed values */

    for (i = 0; i < SIMD_VECTORS; i++) {
        bytes[i] = _mm256_add_epi8(bytes[i],
                                _mm256_set1_epi8((char) (0x80 - '0')));
    }

    return simd_over(bytes, -128 + 9);
}


static inline void
simd_split(const uint8_t *p, modelguard_simd_split_t *is)
{
    __m256i  bytes[SIMD_VECTORS];

    simd_load(p, bytes);

    is->quote = simd_equal(bytes, '"');
    is->slash = simd_equal(bytes, '\\');
    is->high = simd_mask(bytes);
}


static inline void
simd_leads(const uint8_t *p, modelguard_simd_leads_t *is)
{
    __m256i   bytes[SIMD_VECTORS];
    uint64_t  below_90, below_a0;

    simd_load(p, bytes);

    is->next = ~simd_over(bytes, (char) 0xbf);
    is->two = simd_over(bytes, (char) 0xc1);
    is->three = simd_over(bytes, (char) 0xdf);
    is->four = simd_over(bytes, (char) 0xef);
    is->over = simd_over(bytes, (char) 0xf4);

    below_90 = ~simd_over(bytes, (char) 0x8f);
    below_a0 = ~simd_over(bytes, (char) 0x9f);

    is->narrow = is->next
                 & ((simd_equal(bytes, (char) 0xe0) << 1 & below_a0)
                    | (simd_equal(bytes, (char) 0xed) << 1 & ~below_a0)
                    | (simd_equal(bytes, (char) 0xf0) << 1 & below_90)
                    | (simd_equal(bytes, (char) 0xf4) << 1 & ~below_90));
}


static inline void
simd_class(const uint8_t *p, modelguard_simd_class_t *is)
{
    __m256i   bytes[SIMD_VECTORS];
    unsigned  i;

    is->digit = ~simd_others(p);

    simd_load(p, bytes);

    is->zero = simd_equal(bytes, '0');
    is->comma = simd_equal(bytes, ',');
    is->point = simd_equal(bytes, '.');
    is->minus = simd_equal(bytes, '-');
    is->space = simd_equal(bytes, ' ');

    for (i = 0; i < SIMD_VECTORS; i++) {
        bytes[i] = _mm256_or_si256(bytes[i], _mm256_set1_epi8(0x20));
    }

    is->e = simd_equal(bytes, 'e');
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
