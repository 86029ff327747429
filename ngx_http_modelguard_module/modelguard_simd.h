
/*
 * Copyright (C) the modelguard authors
 *
 * The long scans, which pay for a call: one constant table of them for each
 * level of vector instructions, all with the same results.  Who scans takes
 * modelguard_simd_best() once and keeps the pointer.
 *
 * MODELGUARD_NO_SIMD leaves the portable level alone; MODELGUARD_SIMD_MAX is
 * the highest level that modelguard_simd_best() takes.
 */


#ifndef MODELGUARD_SIMD_H_INCLUDED
#define MODELGUARD_SIMD_H_INCLUDED


#include "modelguard_base.h"


#define MODELGUARD_SIMD_PORTABLE  0
#define MODELGUARD_SIMD_SSE2      1
#define MODELGUARD_SIMD_AVX2      2
#define MODELGUARD_SIMD_LEVELS    3

#ifndef MODELGUARD_SIMD_MAX
#define MODELGUARD_SIMD_MAX       MODELGUARD_SIMD_AVX2
#endif

#if !defined(MODELGUARD_NO_SIMD) && defined(__GNUC__)                         \
    && (defined(__x86_64__) || defined(__i386__))
#define MODELGUARD_SIMD_X86       1
#else
#define MODELGUARD_SIMD_X86       0
#endif


/*
 * Past what is in [p, end) from p on, or end.
 *
 *     text    inside of a JSON string: bytes that stand for themselves, whole
 *             escapes and whole multi-byte characters (RFC 3629).  Stops at
 *             a quote, at what is none of these, and at what the end cuts.
 *             Sets *escaped to 1 where it passes an escape.
 *     numbers of an array, which begin at p: "1,2.5, -3e-7", each followed by
 *             a byte that is at hand, with nothing but a comma and at most
 *             one space between.  Returns p if there is not one.
 */

typedef const uint8_t *(*modelguard_simd_text_pt)(const uint8_t *p,
    const uint8_t *end, unsigned *escaped);
typedef const uint8_t *(*modelguard_simd_scan_pt)(const uint8_t *p,
    const uint8_t *end);


typedef struct {
    const char               *name;
    unsigned                  level;
    modelguard_simd_text_pt   text;
    modelguard_simd_scan_pt   numbers;
} modelguard_simd_t;


/* the highest level that was compiled in, is allowed, and the CPU has */

const modelguard_simd_t *modelguard_simd_best(void);

/* one level, or NULL where it was not compiled in or the CPU has it not */

const modelguard_simd_t *modelguard_simd_at(unsigned level);


/* the rest is between the files of the levels */

extern const modelguard_simd_t  modelguard_simd_portable;

#if (MODELGUARD_SIMD_X86)

extern const modelguard_simd_t  modelguard_simd_sse2;
extern const modelguard_simd_t  modelguard_simd_avx2;

/* what 64 bytes are: a bit for each, the first one lowest */

typedef struct {
    uint64_t                  quote;
    uint64_t                  slash;       /* backwards */
    uint64_t                  high;        /* 0x80 and over */
} modelguard_simd_split_t;


typedef struct {
    uint64_t                  next;        /* 0x80 .. 0xbf */
    uint64_t                  two;         /* 0xc2 and over, or ASCII */
    uint64_t                  three;       /* 0xe0 and over, or ASCII */
    uint64_t                  four;        /* 0xf0 and over, or ASCII */
    uint64_t                  over;        /* 0xf5 and over, or ASCII */
    uint64_t                  narrow;      /* a second byte that its lead does
                                              not allow, though it is a next */
} modelguard_simd_leads_t;

#endif

extern const uint8_t  modelguard_simd_escapes[256];

/* past the number at p (RFC 8259 section 6), or NULL if none ends here */

const uint8_t *modelguard_simd_number(const uint8_t *p, const uint8_t *end);


/*
 * The length of the escape or the multi-byte character at p < end, or 0 if
 * it is none, or is cut, or is not well-formed.
 */

static inline size_t
modelguard_simd_special(const uint8_t *p, const uint8_t *end,
    unsigned *escaped)
{
    size_t   n, i, len;
    uint8_t  c;

    c = p[0];
    len = (size_t) (end - p);

    if (len < 2) {
        return 0;
    }

    if (c == '\\') {
        n = modelguard_simd_escapes[p[1]];

        if (n > len) {
            return 0;
        }

        for (i = 2; i < n; i++) {

            if ((uint8_t) (p[i] - '0') >= 10
                && (uint8_t) ((p[i] | 0x20) - 'a') >= 6)
            {
                return 0;
            }
        }

        *escaped |= (n != 0);

        return n;
    }

    if (c < 0xc2 || c > 0xf4 || (p[1] & 0xc0) != 0x80) {
        return 0;
    }

    if (c < 0xe0) {
        return 2;
    }

    if (len < 3 || (p[2] & 0xc0) != 0x80) {
        return 0;
    }

    if (c < 0xf0) {

        /* neither overlong nor a surrogate */

        return (c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f)
               ? 0 : 3;
    }

    if (len < 4 || (p[3] & 0xc0) != 0x80) {
        return 0;
    }

    return (c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f) ? 0 : 4;
}


#endif /* MODELGUARD_SIMD_H_INCLUDED */
