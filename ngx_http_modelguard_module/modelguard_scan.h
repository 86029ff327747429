
/*
 * Copyright (C) the modelguard authors
 *
 * The hot scans of the tokenizer, each returning the first byte in [p, end)
 * that ends a run, or end: vectors of 16 bytes where the compiler's target
 * has SSE2 (every x86_64), bytes elsewhere and at the tail.
 */


#ifndef MODELGUARD_SCAN_H_INCLUDED
#define MODELGUARD_SCAN_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_simd.h"

#if defined(__SSE2__) && !defined(MODELGUARD_NO_SIMD)
#define MODELGUARD_SSE2  1
#include <emmintrin.h>
#endif


/* past the digits 0 to 9 */

static inline const uint8_t *
modelguard_scan_digits(const uint8_t *p, const uint8_t *end)
{
#if (MODELGUARD_SSE2)
    int      mask;
    __m128i  bytes;

    while (end - p >= 16) {
        bytes = _mm_loadu_si128((const __m128i *) (const void *) p);

        /* biased so that '0'..'9' become the ten smallest signed values */

        bytes = _mm_add_epi8(bytes, _mm_set1_epi8((char) (0x80 - '0')));
        mask = _mm_movemask_epi8(_mm_cmpgt_epi8(bytes,
                                              _mm_set1_epi8(-128 + 9)));
        if (mask) {
            return p + __builtin_ctz((unsigned) mask);
        }

        p += 16;
    }
#endif

    while (p < end && (uint8_t) (*p - '0') < 10) {
        p++;
    }

    return p;
}


/*
 * Of the inside of a string, from p on: as simd->text(), which is called
 * where the string does not end in plain text of 16 bytes.
 */

static inline const uint8_t *
modelguard_scan_text(const modelguard_simd_t *simd, const uint8_t *p,
    const uint8_t *end, unsigned *escaped)
{
#if (MODELGUARD_SSE2)
    int      mask;
    __m128i  bytes, stop;

    if (end - p >= 16) {
        bytes = _mm_loadu_si128((const __m128i *) (const void *) p);

        /* signed: bytes over 0x7f are below 0x20, too */

        stop = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
                   _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));

        mask = _mm_movemask_epi8(stop);

        if (mask) {
            p += __builtin_ctz((unsigned) mask);

            if (*p == '"') {
                return p;
            }

        } else {
            p += 16;
        }
    }
#else
    while (p < end && *p >= 0x20 && *p < 0x80 && *p != '\\') {

        if (*p == '"') {
            return p;
        }

        p++;
    }
#endif

    return simd->text(p, end, escaped);
}


/* past JSON's white space */

static inline const uint8_t *
modelguard_scan_space(const uint8_t *p, const uint8_t *end)
{
    while (p < end && *p <= 0x20
           && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
    {
        p++;
    }

    return p;
}


#if (MODELGUARD_SSE2)

/* what the short way through a number looks at: sign, digit, point, a
   fraction of up to 31 digits, and "e-ddd" with what ends it */

#define MODELGUARD_SCAN_NUMBER  (3 + 32 + 6)

/*
 * Past "d.ddd" or "d.ddde-dd" with at least MODELGUARD_SCAN_NUMBER bytes from
 * p on, or NULL if it is not of this form.
 */

static inline const uint8_t *
modelguard_scan_decimal(const uint8_t *p, int *exponent)
{
    __m128i   bytes, bias, nine;
    unsigned  mask, i;

    p += (*p == '-');

    if ((uint8_t) (p[0] - '0') >= 10 || p[1] != '.') {
        return NULL;
    }

    p += 2;
    bias = _mm_set1_epi8((char) (0x80 - '0'));
    nine = _mm_set1_epi8(-128 + 9);

    bytes = _mm_loadu_si128((const __m128i *) (const void *) p);
    bytes = _mm_cmpgt_epi8(_mm_add_epi8(bytes, bias), nine);
    mask = (unsigned) _mm_movemask_epi8(bytes);

    if (mask == 0) {
        p += 16;

        bytes = _mm_loadu_si128((const __m128i *) (const void *) p);
        bytes = _mm_cmpgt_epi8(_mm_add_epi8(bytes, bias), nine);
        mask = (unsigned) _mm_movemask_epi8(bytes);

        if (mask == 0) {
            return NULL;
        }

    } else if (mask & 1) {
        return NULL;
    }

    p += __builtin_ctz(mask);

    if ((*p | 0x20) != 'e') {
        return p;
    }

    *exponent = 1;

    p++;
    p += (*p == '-' || *p == '+');

    for (i = 0; (uint8_t) (p[i] - '0') < 10; i++) {

        if (i == 3) {
            return NULL;
        }
    }

    return i ? p + i : NULL;
}

#endif


/*
 * Past a whole number (RFC 8259 section 6) with at least one byte behind it;
 * NULL if it is none, or may go on in the next piece, or is NaN or Infinity:
 * the state machine decides then.  *exponent tells whether it has one.
 */

static inline const uint8_t *
modelguard_scan_number(const uint8_t *p, const uint8_t *end, int *exponent)
{
    const uint8_t  *start;

    *exponent = 0;

#if (MODELGUARD_SSE2)

    if (end - p >= MODELGUARD_SCAN_NUMBER) {
        start = modelguard_scan_decimal(p, exponent);

        if (start != NULL) {
            return start;
        }

        *exponent = 0;
    }

#endif

    if (p < end && *p == '-') {
        p++;
    }

    start = p;

    if (end - p > 1 && (uint8_t) (p[0] - '0') < 10
        && (uint8_t) (p[1] - '0') >= 10)
    {
        p++;

    } else {
        p = modelguard_scan_digits(p, end);

        if (p == start || p == end || *start == '0') {
            return NULL;
        }
    }

    if (*p == '.') {
        start = ++p;
        p = modelguard_scan_digits(p, end);

        if (p == start || p == end) {
            return NULL;
        }
    }

    if ((*p | 0x20) == 'e') {
        *exponent = 1;
        p++;

        if (p < end && (*p == '+' || *p == '-')) {
            p++;
        }

        start = p;
        p = modelguard_scan_digits(p, end);

        if (p == start || p == end) {
            return NULL;
        }
    }

    return p;
}


/*
 * Past the rest of an array of a few whole numbers without sign and white
 * space, and its "]", from the first number on; or NULL if it is another or a
 * longer one.
 */

static inline const uint8_t *
modelguard_scan_small(const uint8_t *p, const uint8_t *end)
{
#if (MODELGUARD_SSE2)
    int       i;
    __m128i   bytes, bias, nine;
    unsigned  digits, commas, zeros, starts, wrong, n;

    if (end - p < 32) {
        return NULL;
    }

    digits = 0;
    commas = 0;
    zeros = 0;

    bias = _mm_set1_epi8((char) (0x80 - '0'));
    nine = _mm_set1_epi8(-128 + 10);

    for (i = 0; i < 32; i += 16) {
        bytes = _mm_loadu_si128((const __m128i *) (const void *) (p + i));

        commas |= (unsigned) _mm_movemask_epi8(
                              _mm_cmpeq_epi8(bytes, _mm_set1_epi8(','))) << i;
        zeros |= (unsigned) _mm_movemask_epi8(
                              _mm_cmpeq_epi8(bytes, _mm_set1_epi8('0'))) << i;

        bytes = _mm_cmplt_epi8(_mm_add_epi8(bytes, bias), nine);
        digits |= (unsigned) _mm_movemask_epi8(bytes) << i;
    }

    if ((digits | commas) == 0xffffffff) {
        return NULL;
    }

    n = (unsigned) __builtin_ctz(~(digits | commas));

    /* a digit begins each number, and a zero only itself */

    starts = commas << 1 | 1;
    wrong = starts & (~digits | (zeros & digits >> 1));

    return p[n] == ']' && (wrong & (0xffffffff >> (31 - n))) == 0
           ? p + n + 1 : NULL;
#else
    (void) p;
    (void) end;

    return NULL;
#endif
}


#endif /* MODELGUARD_SCAN_H_INCLUDED */
