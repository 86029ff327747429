
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_simd.h"

#if (MODELGUARD_SIMD_X86)

#include <emmintrin.h>


#define SIMD_WIDTH   16
#define SIMD_TARGET  __attribute__((target("sse2")))


static inline uint64_t simd_stops(const uint8_t *p) SIMD_TARGET;
static inline uint64_t simd_ends(const uint8_t *p) SIMD_TARGET;
static inline uint64_t simd_others(const uint8_t *p) SIMD_TARGET;
static inline void simd_class(const uint8_t *p, modelguard_simd_class_t *is)
    SIMD_TARGET;
static inline uint64_t simd_equal(const __m128i *bytes, char c) SIMD_TARGET;
static inline uint64_t simd_mask(__m128i a, __m128i b, __m128i c, __m128i d)
    SIMD_TARGET;


static inline uint64_t
simd_stops(const uint8_t *p)
{
    __m128i  bytes, stop;

    bytes = _mm_loadu_si128((const __m128i *) (const void *) p);

    /* signed: bytes over 0x7f are below 0x20, too */

    stop = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
               _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                            _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));

    return (uint64_t) (unsigned) _mm_movemask_epi8(stop);
}


static inline uint64_t
simd_ends(const uint8_t *p)
{
    __m128i  bytes, end;

    bytes = _mm_loadu_si128((const __m128i *) (const void *) p);
    end = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')),
                       _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')));

    return (uint64_t) (unsigned) _mm_movemask_epi8(end);
}


static inline uint64_t
simd_others(const uint8_t *p)
{
    __m128i  bytes;

    bytes = _mm_loadu_si128((const __m128i *) (const void *) p);

    /* biased so that '0'..'9' become the ten smallest signed values */

    bytes = _mm_add_epi8(bytes, _mm_set1_epi8((char) (0x80 - '0')));
    bytes = _mm_cmpgt_epi8(bytes, _mm_set1_epi8(-128 + 9));

    return (uint64_t) (unsigned) _mm_movemask_epi8(bytes);
}


static inline uint64_t
simd_mask(__m128i a, __m128i b, __m128i c, __m128i d)
{
    return (uint64_t) (unsigned) _mm_movemask_epi8(a)
           | (uint64_t) (unsigned) _mm_movemask_epi8(b) << 16
           | (uint64_t) (unsigned) _mm_movemask_epi8(c) << 32
           | (uint64_t) (unsigned) _mm_movemask_epi8(d) << 48;
}


static inline uint64_t
simd_equal(const __m128i *bytes, char c)
{
    __m128i  all;

    all = _mm_set1_epi8(c);

    return simd_mask(_mm_cmpeq_epi8(bytes[0], all),
                     _mm_cmpeq_epi8(bytes[1], all),
                     _mm_cmpeq_epi8(bytes[2], all),
                     _mm_cmpeq_epi8(bytes[3], all));
}


static inline void
simd_class(const uint8_t *p, modelguard_simd_class_t *is)
{
    __m128i   bytes[4], lower[4], nine;
    unsigned  i;

    nine = _mm_set1_epi8(-128 + 9);

    for (i = 0; i < 4; i++) {
        bytes[i] = _mm_loadu_si128((const __m128i *)
                                   (const void *) (p + 16 * i));
    }

    is->zero = simd_equal(bytes, '0');
    is->comma = simd_equal(bytes, ',');
    is->point = simd_equal(bytes, '.');
    is->minus = simd_equal(bytes, '-');
    is->space = simd_equal(bytes, ' ');

    for (i = 0; i < 4; i++) {
        lower[i] = _mm_or_si128(bytes[i], _mm_set1_epi8(0x20));
        bytes[i] = _mm_cmpgt_epi8(_mm_add_epi8(bytes[i],
                                      _mm_set1_epi8((char) (0x80 - '0'))),
                                  nine);
    }

    is->e = simd_equal(lower, 'e');
    is->digit = ~simd_mask(bytes[0], bytes[1], bytes[2], bytes[3]);
}


#include "modelguard_simd_x86.h"


const modelguard_simd_t  modelguard_simd_sse2 = {
    "sse2",
    MODELGUARD_SIMD_SSE2,
    simd_text,
    simd_line,
    simd_digits,
    simd_numbers
};

#endif
