
/*
 * Copyright (C) the modelguard authors
 *
 * The loops over numbers, written once: each level's file defines
 *
 *     NUMBERS_TARGET          the attribute of its functions
 *     numbers_others(p)       which of the 32 bytes at p are no digits: bit by
 *                             bit, the first one lowest; those behind the
 *                             first behind p[1] need not be right
 *
 * and includes this file, which is of no use otherwise.
 */


#ifndef MODELGUARD_SIMD_NUMBERS_LOOP_H_INCLUDED
#define MODELGUARD_SIMD_NUMBERS_LOOP_H_INCLUDED


#include "modelguard_base.h"

#ifdef NUMBERS_TARGET


/* of a number by its key: a sign, eight digits, a point */

#define NUMBERS_WRITTEN       16

/* of a key, the zeros before the digit before the point */

#define NUMBERS_HIGH(digits)  (MODELGUARD_ROUND_ZERO << (digits) * 8 << 8)


static inline uint64_t numbers_load(const uint8_t *p) NUMBERS_TARGET;
static inline void numbers_store(uint8_t *p, uint64_t word) NUMBERS_TARGET;
static inline uint64_t numbers_carry(uint64_t key) NUMBERS_TARGET;
static inline const uint8_t *numbers_any(const uint8_t *p) NUMBERS_TARGET;
static const uint8_t *numbers_spaced(const uint8_t *p) NUMBERS_TARGET;
static inline int numbers_ends(uint8_t c) NUMBERS_TARGET;
static inline const uint8_t *numbers_tiny(const uint8_t *p, unsigned digits)
    NUMBERS_TARGET;
static const uint8_t *numbers_whole(modelguard_round_t *round,
    const uint8_t *p, const uint8_t *start)
    __attribute__((noinline)) NUMBERS_TARGET;
static inline uint8_t *numbers_put(uint8_t *out, uint64_t key,
    unsigned negative, const unsigned digits)
    __attribute__((always_inline)) NUMBERS_TARGET;
static inline const uint8_t *numbers_digits(modelguard_round_t *round,
    const uint8_t *p, const uint8_t *last, const unsigned digits)
    __attribute__((always_inline)) NUMBERS_TARGET;
static const uint8_t *numbers_round(modelguard_round_t *round,
    const uint8_t *p, const uint8_t *last) NUMBERS_TARGET;


/* eight bytes, the first one highest */

static inline uint64_t
numbers_load(const uint8_t *p)
{
    return (uint64_t) p[0] << 56 | (uint64_t) p[1] << 48
           | (uint64_t) p[2] << 40 | (uint64_t) p[3] << 32
           | (uint64_t) p[4] << 24 | (uint64_t) p[5] << 16
           | (uint64_t) p[6] << 8 | (uint64_t) p[7];
}


static inline void
numbers_store(uint8_t *p, uint64_t word)
{
    p[0] = (uint8_t) (word >> 56);
    p[1] = (uint8_t) (word >> 48);
    p[2] = (uint8_t) (word >> 40);
    p[3] = (uint8_t) (word >> 32);
    p[4] = (uint8_t) (word >> 24);
    p[5] = (uint8_t) (word >> 16);
    p[6] = (uint8_t) (word >> 8);
    p[7] = (uint8_t) word;
}


/*
 * The last digit is one above 9.  With 0xc6 on top of each a digit above 9
 * carries into the next one and is left as 0; the others are 6 too many.
 */

static inline uint64_t
numbers_carry(uint64_t key)
{
    key += 0xc6c6c6c6c6c6c6c6ULL;

    return ((key & 0x0f0f0f0f0f0f0f0fULL)
            - (key >> 7 & 0x0101010101010101ULL) * 6)
           | MODELGUARD_ROUND_ZERO;
}


/* past a number of any form, its sign excepted, or NULL */

static inline const uint8_t *
numbers_any(const uint8_t *p)
{
    unsigned  mask;

    mask = numbers_others(p);

    if (mask & 1) {
        return NULL;
    }

    if (mask & 2) {
        p++;

    } else {
        mask &= ~3U;

        if (mask == 0 || *p == '0') {
            return NULL;
        }

        p += __builtin_ctz(mask);
    }

    if (*p == '.') {
        p++;
        mask = numbers_others(p);

        if (mask & 1) {
            return NULL;
        }

        if (mask & 2) {
            p++;

        } else {
            mask &= ~3U;

            if (mask == 0) {
                return NULL;
            }

            p += __builtin_ctz(mask);
        }
    }

    return ((*p | 0x20) == 'e') ? modelguard_numbers_exponent(p) : p;
}


/* from a comma to the number behind it, or NULL */

static const uint8_t *
numbers_spaced(const uint8_t *p)
{
    unsigned  i;

    for (i = 1; i <= MODELGUARD_NUMBERS_SPACE; i++) {

        if (p[i] != ' ' && p[i] != '\n' && p[i] != '\r' && p[i] != '\t') {
            return p + i;
        }
    }

    return NULL;
}


/* whether c is seen to end a number: zeros may stand for what is not there */

static inline int
numbers_ends(uint8_t c)
{
    return c == ',' || c == ']' || c == ' ' || c == '\n' || c == '\r'
           || c == '\t';
}


/*
 * Past "e-dd" at p if it makes a value below 10 round to zero, or NULL
 */

static inline const uint8_t *
numbers_tiny(const uint8_t *p, unsigned digits)
{
    unsigned  tens, ones;

    tens = (unsigned) p[2] - '0';
    ones = (unsigned) p[3] - '0';

    return (p[1] == '-' && tens < 10 && ones < 10
            && tens * 10 + ones >= digits + 2)
           ? p + 4 : NULL;
}


/* the long way for one number, white space before it included */

static const uint8_t *
numbers_whole(modelguard_round_t *round, const uint8_t *p,
    const uint8_t *start)
{
    size_t          len, written;
    uint8_t        *out;
    uint8_t         text[NUMBERS_WRITTEN];
    uint64_t        key;
    unsigned        negative;
    const uint8_t  *q, *end;

    q = numbers_spaced(p);

    if (q == NULL) {
        return NULL;
    }

    end = numbers_any(q + (*q == '-'));

    if (end == NULL || !numbers_ends(*end)) {
        return NULL;
    }

    len = (size_t) (end - q);

    if (!modelguard_numbers_scale(q, len, round->digits, &key, &negative)) {
        return NULL;
    }

    written = (size_t) (modelguard_numbers_write(text, key, negative,
                                                 round->digits) - text);

    /* for "9e6" there may be no room */

    if (written > len) {
        return NULL;
    }

    out = round->out + (q - p);

    if (!negative && key >= round->top) {
        modelguard_numbers_top(round, key, round->in + (size_t) (q - start),
                               len, out);
    }

    if (!round->full) {
        memcpy(round->out, p, (size_t) (q - p));
        memcpy(out, text, written);
        round->out = out + written;
    }

    return end;
}


/* writes a comma, and the number */

static inline uint8_t *
numbers_put(uint8_t *out, uint64_t key, unsigned negative,
    const unsigned digits)
{
    unsigned  n;
    uint64_t  rest;

    rest = key ^ MODELGUARD_ROUND_ZERO;

    out[0] = ',';
    out[1] = '-';
    out += 1 + (negative & (rest != 0));

    /* the zeros that end the fraction go, and with all of it the point */

    n = digits - ((unsigned) __builtin_ctzll(rest | (uint64_t) 1
                                                    << (digits * 8)) >> 3);

    out[0] = (uint8_t) (key >> (digits * 8));
    out[1] = '.';
    numbers_store(out + 2, key << (64 - digits * 8));

    return out + 1 + n + (n > 0);
}


/* inlined for each number of digits, so that all shifts are constants */

static inline const uint8_t *
numbers_digits(modelguard_round_t *round, const uint8_t *p,
    const uint8_t *last, const unsigned digits)
{
    uint8_t        *out;
    unsigned        mask, two, tail, negative;
    uint64_t        frac, key;
    const uint8_t  *q, *end, *start;

    start = p;

    for ( /* void */ ; round->left && p < last && *p == ','; round->left--) {

        negative = (p[1] == '-');
        q = p + 1 + negative;

        /* where it ends does not wait for its sign */

        mask = numbers_others(p + 1) >> negative;

        if ((mask & 7) != 2 || q[1] != '.' || (mask &= mask - 1) == 0) {
            goto whole;
        }

        end = q + __builtin_ctz(mask);
        frac = numbers_load(q + 2);

        if (end - q < 10) {
            tail = (unsigned) (end - q - 2) * 8;
            frac = (frac & ~(~(uint64_t) 0 >> tail))
                   | MODELGUARD_ROUND_ZERO >> tail;
        }

        two = (unsigned) (frac >> (48 - digits * 8)) & 0xffff;

        key = (frac >> (64 - digits * 8) | (uint64_t) *q << (digits * 8)
               | NUMBERS_HIGH(digits))
              + (two > 0x3530);

        if (*end != ',') {

            if ((*end | 0x20) == 'e') {
                end = numbers_tiny(end, digits);

                if (end == NULL) {
                    goto whole;
                }

                key = MODELGUARD_ROUND_ZERO;
                two = 0;
            }

            if (!numbers_ends(*end)) {
                goto whole;
            }
        }

        if (two == 0x3530) {
            goto whole;
        }

        if ((key & 0xff) > '9') {
            key = numbers_carry(key);

            if ((key ^ NUMBERS_HIGH(digits)) >> (digits * 8) >> 8) {
                goto whole;
            }
        }

        out = round->out;

        if ((key & (negative - (uint64_t) 1)) >= round->top) {

            modelguard_numbers_top(round, key,
                                   round->in + (size_t) (q - start),
                                   (size_t) (end - q), out + 1);
            if (round->full) {
                break;
            }
        }

        round->out = numbers_put(out, key, negative, digits);
        p = end;

        continue;

    whole:

        end = numbers_whole(round, p, start);

        if (end == NULL || round->full) {
            break;
        }

        p = end;
    }

    round->in += (size_t) (p - start);

    return p;
}


static const uint8_t *
numbers_round(modelguard_round_t *round, const uint8_t *p,
    const uint8_t *last)
{
    switch (round->digits) {

    case 1:
        return numbers_digits(round, p, last, 1);

    case 2:
        return numbers_digits(round, p, last, 2);

    case 3:
        return numbers_digits(round, p, last, 3);

    case 4:
        return numbers_digits(round, p, last, 4);

    case 5:
        return numbers_digits(round, p, last, 5);

    default: /* MODELGUARD_ROUND_DIGITS */
        return numbers_digits(round, p, last, 6);
    }
}


#endif /* NUMBERS_TARGET */


#endif /* MODELGUARD_SIMD_NUMBERS_LOOP_H_INCLUDED */
