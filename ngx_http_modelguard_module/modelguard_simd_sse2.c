
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_scan.h"

#if (MODELGUARD_SIMD_X86)

#include <emmintrin.h>


#define SIMD_TARGET   __attribute__((target("sse2")))
#define SIMD_VECTORS  4              /* in a block of 64 bytes */


static inline void simd_load(const uint8_t *p, __m128i *bytes) SIMD_TARGET;
static inline uint64_t simd_mask(const __m128i *masks) SIMD_TARGET;
static inline uint64_t simd_equal(const __m128i *bytes, char c) SIMD_TARGET;
static inline uint64_t simd_over(const __m128i *bytes, char c) SIMD_TARGET;
static inline uint64_t simd_stops(const uint8_t *p) SIMD_TARGET;
static inline void simd_split(const uint8_t *p, modelguard_simd_split_t *is)
    SIMD_TARGET;
static inline void simd_leads(const uint8_t *p, modelguard_simd_leads_t *is)
    SIMD_TARGET;
static const uint8_t *simd_numbers(const uint8_t *p, const uint8_t *end)
    SIMD_TARGET;


static inline void
simd_load(const uint8_t *p, __m128i *bytes)
{
    unsigned  i;

    for (i = 0; i < SIMD_VECTORS; i++) {
        bytes[i] = _mm_loadu_si128((const __m128i *)
                                (const void *) (p + (size_t) 16 * i));
    }
}


static inline uint64_t
simd_mask(const __m128i *masks)
{
    uint64_t  mask;
    unsigned  i;

    mask = 0;

    for (i = 0; i < SIMD_VECTORS; i++) {
        mask |= (uint64_t) (uint32_t) _mm_movemask_epi8(masks[i])
                << (16 * i);
    }

    return mask;
}


static inline uint64_t
simd_equal(const __m128i *bytes, char c)
{
    __m128i   masks[SIMD_VECTORS];
    unsigned  i;

    for (i = 0; i < SIMD_VECTORS; i++) {
        masks[i] = _mm_cmpeq_epi8(bytes[i], _mm_set1_epi8(c));
    }

    return simd_mask(masks);
}


/* signed: 0x80 is the smallest */

static inline uint64_t
simd_over(const __m128i *bytes, char c)
{
    __m128i   masks[SIMD_VECTORS];
    unsigned  i;

    for (i = 0; i < SIMD_VECTORS; i++) {
        masks[i] = _mm_cmpgt_epi8(bytes[i], _mm_set1_epi8(c));
    }

    return simd_mask(masks);
}


static inline uint64_t
simd_stops(const uint8_t *p)
{
    __m128i   bytes[SIMD_VECTORS], low, quote;
    unsigned  i;

    simd_load(p, bytes);

    /* signed: bytes over 0x7f are below 0x20, too */

    for (i = 0; i < SIMD_VECTORS; i++) {
        low = _mm_cmpgt_epi8(_mm_set1_epi8(0x20), bytes[i]);
        quote = _mm_cmpeq_epi8(bytes[i], _mm_set1_epi8('"'));
        bytes[i] = _mm_cmpeq_epi8(bytes[i], _mm_set1_epi8('\\'));
        bytes[i] = _mm_or_si128(_mm_or_si128(low, quote), bytes[i]);
    }

    return simd_mask(bytes);
}


static inline void
simd_split(const uint8_t *p, modelguard_simd_split_t *is)
{
    __m128i  bytes[SIMD_VECTORS];

    simd_load(p, bytes);

    is->quote = simd_equal(bytes, '"');
    is->slash = simd_equal(bytes, '\\');
    is->high = simd_mask(bytes);
}


static inline void
simd_leads(const uint8_t *p, modelguard_simd_leads_t *is)
{
    __m128i   bytes[SIMD_VECTORS];
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


#include "modelguard_simd_x86.h"


/*
 * Number by number: what a block holds takes seven masks of four vectors each
 * to say, which is more than a few numbers cost.
 */

static const uint8_t *
simd_numbers(const uint8_t *p, const uint8_t *end)
{
    int             exponent;
    const uint8_t  *q;

    for (q = p; q < end; /* void */ ) {

        q = modelguard_scan_number(q, end, &exponent);

        if (q == NULL) {
            break;
        }

        p = q;

        if (*q++ != ',') {
            break;
        }

        q += (q < end && *q == ' ');
    }

    return p;
}


const modelguard_simd_t  modelguard_simd_sse2 = {
    "sse2",
    MODELGUARD_SIMD_SSE2,
    simd_text,
    simd_numbers
};

#endif
