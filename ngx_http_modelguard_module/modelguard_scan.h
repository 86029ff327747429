
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


/* past the bytes of a string that stand for themselves: not ", \, a control
   character or the beginning of a multi-byte character */

static inline const uint8_t *
modelguard_scan_string(const uint8_t *p, const uint8_t *end)
{
#if (MODELGUARD_SSE2)
    int      mask;
    __m128i  bytes, stop;

    while (end - p >= 16) {
        bytes = _mm_loadu_si128((const __m128i *) (const void *) p);

        /* signed: bytes over 0x7f are below 0x20, too */

        stop = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
                   _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));

        mask = _mm_movemask_epi8(stop);
        if (mask) {
            return p + __builtin_ctz((unsigned) mask);
        }

        p += 16;
    }
#endif

    while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\') {
        p++;
    }

    return p;
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


#endif /* MODELGUARD_SCAN_H_INCLUDED */
