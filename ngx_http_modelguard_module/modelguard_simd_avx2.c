
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_scan.h"

#if (MODELGUARD_SIMD_X86)

#include <immintrin.h>


#define SIMD_TARGET   __attribute__((target("avx2,bmi")))
#define SIMD_VECTORS  2              /* in a block of 64 bytes */


typedef struct {
    uint64_t  digit;
    uint64_t  zero;
    uint64_t  comma;
    uint64_t  point;
    uint64_t  minus;
    uint64_t  space;
    uint64_t  e;                     /* or E */
} simd_class_t;


static inline void simd_load(const uint8_t *p, __m256i *bytes) SIMD_TARGET;
static inline uint64_t simd_mask(const __m256i *masks) SIMD_TARGET;
static inline uint64_t simd_equal(const __m256i *bytes, char c) SIMD_TARGET;
static inline uint64_t simd_over(const __m256i *bytes, char c) SIMD_TARGET;
static inline uint64_t simd_stops(const uint8_t *p) SIMD_TARGET;
static inline uint64_t simd_others(const uint8_t *p) SIMD_TARGET;
static inline void simd_split(const uint8_t *p, modelguard_simd_split_t *is)
    SIMD_TARGET;
static inline void simd_leads(const uint8_t *p, modelguard_simd_leads_t *is)
    SIMD_TARGET;
static inline void simd_class(const uint8_t *p, simd_class_t *is)
    SIMD_TARGET;
static const uint8_t *simd_numbers(const uint8_t *p, const uint8_t *end)
    SIMD_TARGET;
static unsigned simd_block(const uint8_t *p) SIMD_TARGET;


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
simd_class(const uint8_t *p, simd_class_t *is)
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


static const uint8_t *
simd_numbers(const uint8_t *p, const uint8_t *end)
{
    int             exponent;
    unsigned        n;
    const uint8_t  *q;

    for (q = p; q < end; /* void */ ) {

        /*
         * More instructions than number by number where numbers are long, and
         * less time: what follows a number need not wait for its end.
         */

        n = (end - q > SIMD_BLOCK) ? simd_block(q) : 0;

        if (n) {
            q += n;

        } else {
            q = modelguard_scan_number(q, end, &exponent);

            if (q == NULL) {
                break;
            }
        }

        p = q;

        if (*q++ != ',') {
            break;
        }

        q += (q < end && *q == ' ');
    }

    return p;
}


/*
 * How many of SIMD_BLOCK bytes at p are whole numbers with commas between, of
 * which the first begins at p; 0 if there is none, or anything is wrong with
 * them.  All bytes are looked at together: a bit for each, and what must
 * follow what is a shift by one.
 */

static unsigned
simd_block(const uint8_t *p)
{
    uint64_t      known, start, run, wrong, region;
    unsigned      cut;
    simd_class_t  is;

    simd_class(p, &is);

    known = is.digit | is.comma | is.point | is.minus | is.e | is.space;

    cut = (~known == 0) ? SIMD_BLOCK : (unsigned) __builtin_ctzll(~known);

    if (cut == 0) {
        return 0;
    }

    /* the last number that is known to have ended */

    if (cut == SIMD_BLOCK || (is.digit >> (cut - 1) & 1) == 0) {
        region = is.comma & (~(uint64_t) 0 >> (SIMD_BLOCK - cut));

        if (region == 0) {
            return 0;
        }

        cut = SIMD_BLOCK - 1 - (unsigned) __builtin_clzll(region);
    }

    if (cut == 0) {
        return 0;
    }

    region = ~(uint64_t) 0 >> (SIMD_BLOCK - cut);

    /* where a number begins, its sign, and its first digit */

    start = is.comma << 1 | 1;

    wrong = is.space & ~(is.comma << 1);

    start = (start & ~is.space) | is.space << 1;

    wrong |= start & ~(is.minus | is.digit);
    wrong |= is.comma & ~(is.digit << 1);
    wrong |= is.minus & ~(start | is.e << 1);
    wrong |= is.minus << 1 & ~is.digit;

    start = (start & ~is.minus) | (start & is.minus) << 1;

    wrong |= start & is.zero & is.digit >> 1;

    /* a fraction ends in anything but another point */

    wrong |= is.point & ~(is.digit << 1);
    wrong |= is.point << 1 & ~is.digit;

    run = (is.point << 1) + is.digit;

    wrong |= run & ~is.digit & is.point;

    if (is.e & region) {
        wrong |= is.e & ~(is.digit << 1);

        start = is.e << 1;
        wrong |= start & ~(is.digit | is.minus);

        start = (start & is.digit) | (start & is.minus) << 1;
        run = start + is.digit;

        wrong |= run & ~is.digit & (is.point | is.e);
    }

    return ((wrong & region) == 0 && (is.digit >> (cut - 1) & 1)) ? cut : 0;
}


const modelguard_simd_t  modelguard_simd_avx2 = {
    "avx2",
    MODELGUARD_SIMD_AVX2,
    simd_text,
    simd_numbers
};

#endif
