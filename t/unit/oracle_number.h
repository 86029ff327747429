
/*
 * Copyright (C) the modelguard authors
 *
 * Slow decimal arithmetic that shares nothing with the code under test:
 * every number is written out in full, digit by digit, and added by hand.
 */


#ifndef ORACLE_NUMBER_H_INCLUDED
#define ORACLE_NUMBER_H_INCLUDED


#include <ctype.h>
#include <stdint.h>

#include "tap.h"


#define DEC_INT   420                /* digits before the point, and behind */
#define DEC_ALL   840
#define DEC_TEXT  (DEC_ALL + 4)


typedef enum {
    DEC_FINITE = 0,
    DEC_NAN,
    DEC_INF
} dec_class_e;


typedef struct {
    dec_class_e  class;
    int          negative;
    uint8_t      d[DEC_ALL];
} dec_t;


static inline void
dec_zero(dec_t *a)
{
    memset(a, 0, sizeof(dec_t));
}


static inline int
dec_is_zero(const dec_t *a)
{
    static const uint8_t  zeros[DEC_ALL];

    return a->class == DEC_FINITE && memcmp(a->d, zeros, DEC_ALL) == 0;
}


/* -1, 0 or 1: the sign of the value */

static inline int
dec_sign(const dec_t *a)
{
    if (a->class == DEC_NAN) {
        return -1;
    }

    return dec_is_zero(a) ? 0 : (a->negative ? -1 : 1);
}


static inline void
dec_parse(dec_t *a, const char *text)
{
    int     digits, point, at, i;
    char   *number;
    long    exponent;
    size_t  len, j;

    dec_zero(a);

    a->negative = (*text == '-');
    text += a->negative;

    if (*text == 'N' || *text == 'I') {
        a->class = (*text == 'N') ? DEC_NAN : DEC_INF;
        return;
    }

    len = strcspn(text, "eE");
    exponent = text[len] ? strtol(text + len + 1, NULL, 10) : 0;

    number = malloc(len + 1);
    digits = 0;
    point = -1;

    for (j = 0; j < len; j++) {

        if (text[j] == '.') {
            point = digits;

        } else {
            number[digits++] = text[j];
        }
    }

    if (point < 0) {
        point = digits;
    }

    for (i = 0; i < digits; i++) {

        if (number[i] == '0') {
            continue;
        }

        at = DEC_INT - point - (int) exponent + i;

        if (exponent < -100000 || exponent > 100000 || at < 0
            || at >= DEC_ALL)
        {
            printf("Bail out! no place for %s\n", text);
            exit(2);
        }

        a->d[at] = (uint8_t) (number[i] - '0');
    }

    free(number);
}


static inline int
dec_rank(const dec_t *a)
{
    if (a->class == DEC_NAN) {
        return 0;
    }

    return a->class == DEC_FINITE ? 2 : (a->negative ? 1 : 3);
}


/* NaN is below everything */

static inline int
dec_compare(const dec_t *a, const dec_t *b)
{
    int  order;

    if (dec_rank(a) != 2 || dec_rank(b) != 2) {
        return dec_rank(a) - dec_rank(b);
    }

    if (dec_sign(a) != dec_sign(b)) {
        return dec_sign(a) - dec_sign(b);
    }

    order = memcmp(a->d, b->d, DEC_ALL);
    order = (order > 0) - (order < 0);

    return dec_sign(a) < 0 ? -order : order;
}


/* "n" more in the digit at "at" */

static inline void
dec_carry(dec_t *a, int at, uint64_t n)
{
    for ( /* void */ ; n && at >= 0; at--) {
        n += a->d[at];
        a->d[at] = (uint8_t) (n % 10);
        n /= 10;
    }
}


/* a - b of magnitudes, a being the greater */

static inline void
dec_borrow(dec_t *a, const dec_t *b)
{
    int  i, digit, borrow;

    borrow = 0;

    for (i = DEC_ALL - 1; i >= 0; i--) {
        digit = a->d[i] - b->d[i] - borrow;
        borrow = (digit < 0);
        a->d[i] = (uint8_t) (digit + 10 * borrow);
    }
}


/* a += b, both finite */

static inline void
dec_add(dec_t *a, const dec_t *b)
{
    int    i;
    dec_t  other;

    if (a->negative == b->negative) {

        for (i = 0; i < DEC_ALL; i++) {
            dec_carry(a, i, b->d[i]);
        }

        return;
    }

    if (memcmp(a->d, b->d, DEC_ALL) >= 0) {
        dec_borrow(a, b);
        return;
    }

    other = *b;
    dec_borrow(&other, a);
    *a = other;
}


/* n / 10^digits */

static inline void
dec_set(dec_t *a, int64_t n, unsigned digits)
{
    dec_zero(a);

    a->negative = (n < 0);

    dec_carry(a, DEC_INT + (int) digits - 1,
              n < 0 ? 0 - (uint64_t) n : (uint64_t) n);
}


/* the digits from "at" on beside one half: 0 none, 1 below, 2 half, 3 above */

static inline int
dec_rest(const dec_t *a, int at)
{
    int  i, first;

    first = a->d[at];

    for (i = at + 1; i < DEC_ALL && a->d[i] == 0; i++) { /* void */ }

    if (i == DEC_ALL) {
        return first == 0 ? 0 : (first < 5 ? 1 : (first == 5 ? 2 : 3));
    }

    return first < 5 ? 1 : 3;
}


/* to "digits" decimals, half to even */

static inline void
dec_round(dec_t *a, unsigned digits)
{
    int  at, rest;

    at = DEC_INT + (int) digits;
    rest = dec_rest(a, at);

    memset(a->d + at, 0, (size_t) (DEC_ALL - at));

    if (rest == 3 || (rest == 2 && (a->d[at - 1] & 1))) {
        dec_carry(a, at - 1, 1);
    }
}


/* to the nearest multiple of unit / 10^digits, half to the even multiple */

static inline void
dec_step(dec_t *a, uint64_t unit, unsigned digits)
{
    int       i, at, rest, up;
    dec_t     multiple;
    uint64_t  left;

    at = DEC_INT + (int) digits;
    rest = dec_rest(a, at);

    dec_zero(&multiple);
    multiple.negative = a->negative;

    left = 0;

    for (i = 0; i < at; i++) {
        left = left * 10 + a->d[i];
        multiple.d[i] = (uint8_t) (left / unit);
        left %= unit;
    }

    /* twice what is left, with its fraction, beside the unit */

    if (rest == 0) {
        up = (2 * left > unit)
             || (2 * left == unit && (multiple.d[at - 1] & 1));

    } else if (rest == 2) {
        up = (2 * left + 1 > unit)
             || (2 * left + 1 == unit && (multiple.d[at - 1] & 1));

    } else {
        up = (2 * left + (rest == 3) >= unit);
    }

    if (up) {
        dec_carry(&multiple, at - 1, 1);
    }

    dec_zero(a);
    a->negative = multiple.negative;

    for (i = 0; i < at; i++) {
        dec_carry(a, i, multiple.d[i] * unit);
    }
}


/* whether |a| * 10^digits has more than 18 digits */

static inline int
dec_is_big(const dec_t *a, unsigned digits)
{
    int  i;

    for (i = 0; i < DEC_INT - (18 - (int) digits); i++) {

        if (a->d[i]) {
            return 1;
        }
    }

    return 0;
}


/* without the decimals */

static inline void
dec_truncate(dec_t *a)
{
    memset(a->d + DEC_INT, 0, DEC_ALL - DEC_INT);
}


/* the canonical form: no exponent, no zeros that say nothing, no "-0" */

static inline void
dec_text(const dec_t *a, char *out)
{
    int  i, last;

    if (a->class != DEC_FINITE) {
        strcpy(out, a->class == DEC_NAN ? "NaN"
                                        : a->negative ? "-Infinity"
                                                      : "Infinity");
        return;
    }

    if (dec_sign(a) < 0) {
        *out++ = '-';
    }

    for (i = 0; i < DEC_INT - 1 && a->d[i] == 0; i++) { /* void */ }

    for ( /* void */ ; i < DEC_INT; i++) {
        *out++ = (char) ('0' + a->d[i]);
    }

    for (last = DEC_ALL - 1; last >= DEC_INT && a->d[last] == 0; last--) {
        /* void */
    }

    if (last >= DEC_INT) {
        *out++ = '.';

        for (i = DEC_INT; i <= last; i++) {
            *out++ = (char) ('0' + a->d[i]);
        }
    }

    *out = '\0';
}


#endif /* ORACLE_NUMBER_H_INCLUDED */
