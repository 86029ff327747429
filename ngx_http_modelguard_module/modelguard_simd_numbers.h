
/*
 * Copyright (C) the modelguard authors
 *
 * Loops over the numbers of an array, one for each level of vector
 * instructions, all with the same results: the level is chosen once an array,
 * not once a number.
 *
 * A loop takes ",number" after ",number".  It stops before the first that it
 * cannot take, and leaves that to who called.
 */


#ifndef MODELGUARD_SIMD_NUMBERS_H_INCLUDED
#define MODELGUARD_SIMD_NUMBERS_H_INCLUDED


#include "modelguard_simd.h"


/* what may be read behind the place where a loop is told to stop: a comma,
   white space, a sign, 32 digits, a point, 32 digits, "e-ddd" and an end */

#define MODELGUARD_NUMBERS_SPACE  32
#define MODELGUARD_NUMBERS_SLACK  (MODELGUARD_NUMBERS_SPACE + 80)

/* decimals of round= that the loop writes: with the digit before the point
   and one that a carry may need they are eight */

#define MODELGUARD_ROUND_DIGITS  6
#define MODELGUARD_ROUND_TIES    32

/* "00000000" */

#define MODELGUARD_ROUND_ZERO    0x3030303030303030ULL


/* a number that is the greatest so far, once rounded */

typedef struct {
    size_t                   in;          /* offset of its text */
    size_t                   out;         /* offset of what was written */
    uint32_t                 len;         /* of its text */
} modelguard_round_tie_t;


/*
 * The vector as it is written.  A number that was rounded has a key: its
 * absolute value times 10^digits, as eight decimal digits, the first one
 * highest, so that keys are in the order of the values.
 */

typedef struct {
    unsigned                 digits;      /* 1 .. MODELGUARD_ROUND_DIGITS */
    unsigned                 full;        /* more ties than there is room */
    uint64_t                 top;         /* the greatest key, above 0 */
    unsigned                 nties;       /* 0: no value was above 0 */
    modelguard_round_tie_t   ties[MODELGUARD_ROUND_TIES];

    size_t                   in;          /* offset of what comes next */
    uint8_t                 *begin;       /* of the output */
    uint8_t                 *out;         /* its end */
    uint32_t                 left;        /* numbers that may be taken */
} modelguard_round_t;


/*
 * Writes numbers, each with what is before it, rounded half to even in the
 * canonical form of modelguard_number_format().  What is written is never
 * longer than what was read, and up to 16 bytes behind it are touched.
 * Begins no number at or behind "last", and reads up to
 * MODELGUARD_NUMBERS_SLACK bytes from there.  Returns where it stopped, p or
 * past a number, of which a byte that ends it has been seen.
 */

typedef const uint8_t *(*modelguard_numbers_round_pt)(
    modelguard_round_t *round, const uint8_t *p, const uint8_t *last);


typedef struct {
    modelguard_numbers_round_pt  round;
} modelguard_simd_numbers_t;


/* of a level that modelguard_simd_at() has */

const modelguard_simd_numbers_t *modelguard_simd_numbers(unsigned level);


/* the rest is between the files of the levels and modelguard_run.c */

extern const modelguard_simd_numbers_t  modelguard_simd_numbers_portable;

#if (MODELGUARD_SIMD_X86)

extern const modelguard_simd_numbers_t  modelguard_simd_numbers_sse2;
extern const modelguard_simd_numbers_t  modelguard_simd_numbers_avx2;

#endif

/* past "e-dd" at p, or NULL when it is none or too long for a loop */

const uint8_t *modelguard_numbers_exponent(const uint8_t *p);

/*
 * Rounds any number: its key and whether it is below zero, or 0 when the key
 * has no room for it.
 */

int modelguard_numbers_scale(const uint8_t *text, size_t len, unsigned digits,
    uint64_t *key, unsigned *negative);

/* writes a number by its key, with a sign unless it is zero; its end */

uint8_t *modelguard_numbers_write(uint8_t *out, uint64_t key,
    unsigned negative, unsigned digits);

/* notes a number that is the greatest, or as great; "full" may be set */

void modelguard_numbers_top(modelguard_round_t *round, uint64_t key,
    size_t in, size_t len, const uint8_t *out);


#endif /* MODELGUARD_SIMD_NUMBERS_H_INCLUDED */
