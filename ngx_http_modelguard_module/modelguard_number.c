
/*
 * Copyright (C) the modelguard authors
 *
 * A number is cut, not converted: the digits that are kept become an integer,
 * and of the digits cut off only their place beside one half matters.  Texts
 * without an exponent take the short way here; modelguard_number_long.c has
 * the rest.
 */


#include "modelguard_number_long.h"


#define MODELGUARD_DECIMAL_DIGITS  9
#define MODELGUARD_DECIMAL_UNIT    999999999ULL

/* a letter is an exponent or a non-finite name: no other byte has the bit */

#define MODELGUARD_NUMBER_LETTER   0x4040404040404040ULL


static const uint64_t  modelguard_number_pow10[] = {
    1ULL,
    10ULL,
    100ULL,
    1000ULL,
    10000ULL,
    100000ULL,
    1000000ULL,
    10000000ULL,
    100000000ULL,
    1000000000ULL,
    10000000000ULL,
    100000000000ULL,
    1000000000000ULL,
    10000000000000ULL,
    100000000000000ULL,
    1000000000000000ULL,
    10000000000000000ULL,
    100000000000000000ULL,
    1000000000000000000ULL,
    10000000000000000000ULL
};


static inline uint64_t
modelguard_number_load(const uint8_t *p)
{
    uint64_t  word;

    memcpy(&word, p, sizeof(uint64_t));

    return word;
}


/* overlapping loads instead of a loop, whose end could not be predicted */

static inline uint64_t
modelguard_number_letters(const uint8_t *text, size_t len)
{
    size_t    i, last;
    uint32_t  head, tail;
    uint64_t  word;

    if (len >= sizeof(uint64_t)) {
        last = len - sizeof(uint64_t);

        word = modelguard_number_load(text)
               | modelguard_number_load(text + (last < 8 ? last : 8))
               | modelguard_number_load(text + (last < 16 ? last : 16))
               | modelguard_number_load(text + last);

        for (i = 24; i < last; i += sizeof(uint64_t)) {
            word |= modelguard_number_load(text + i);
        }

        return word & MODELGUARD_NUMBER_LETTER;
    }

    if (len >= sizeof(uint32_t)) {
        memcpy(&head, text, sizeof(uint32_t));
        memcpy(&tail, text + len - sizeof(uint32_t), sizeof(uint32_t));

        return (head | tail) & MODELGUARD_NUMBER_LETTER;
    }

    word = (uint64_t) (text[0] | text[len / 2] | text[len - 1]);

    return word & MODELGUARD_NUMBER_LETTER;
}


/* the short way; MODELGUARD_AGAIN: the text needs the long one */

static inline int
modelguard_number_cut_plain(const uint8_t *text, size_t len, unsigned digits,
    modelguard_number_cut_t *cut)
{
    size_t          i, n;
    uint64_t        whole;
    const uint8_t  *p, *end;

    if (modelguard_number_letters(text, len)) {
        return MODELGUARD_AGAIN;
    }

    end = text + len;

    cut->negative = (text[0] == '-');
    p = text + cut->negative;

    if (end - p >= 2 && p[1] == '.') {
        whole = (uint64_t) *p - '0';
        p += 2;

    } else {
        if ((size_t) (end - p) > MODELGUARD_NUMBER_DIGITS - digits) {
            n = MODELGUARD_NUMBER_DIGITS - digits;

        } else {
            n = (size_t) (end - p);
        }

        for (whole = 0; n && *p != '.'; n--) {
            whole = whole * 10 + *p++ - '0';
        }

        if (p < end && *p++ != '.') {
            return MODELGUARD_AGAIN;
        }
    }

    n = (size_t) (end - p);

    if (n > digits) {
        n = digits;
    }

    for (i = 0; i < n; i++) {
        whole = whole * 10 + p[i] - '0';
    }

    if (n < digits) {
        whole *= modelguard_number_pow10[digits - n];
    }

    cut->whole = whole;
    cut->tail = p + n;
    cut->end = end;

    return MODELGUARD_OK;
}


modelguard_number_class_e
modelguard_number_class(const uint8_t *text, size_t len)
{
    if (*text == 'N') {
        return MODELGUARD_NUMBER_NAN;
    }

    if (*text == 'I') {
        return MODELGUARD_NUMBER_INF;
    }

    if (*text == '-' && len > 1 && text[1] == 'I') {
        return MODELGUARD_NUMBER_NEG_INF;
    }

    return MODELGUARD_NUMBER_FINITE;
}


int
modelguard_number_scale(const uint8_t *text, size_t len, unsigned digits,
    int64_t *scaled)
{
    const uint8_t           *p;
    modelguard_number_cut_t  cut;

    if (modelguard_number_cut_plain(text, len, digits, &cut)
        != MODELGUARD_OK)
    {
        return modelguard_number_scale_long(text, len, digits, scaled);
    }

    p = cut.tail;

    if (p < cut.end) {

        if (*p != '5') {
            cut.whole += (*p > '5');

        } else {
            for (p++; p < cut.end && *p == '0'; p++) {
                /* void */
            }

            cut.whole += (p < cut.end) | (cut.whole & 1);
        }
    }

    return modelguard_number_signed(cut.whole, cut.negative, scaled);
}


int
modelguard_number_step(const uint8_t *text, size_t len,
    const modelguard_decimal_t *step, int64_t *scaled)
{
    modelguard_number_cut_t  cut;

    if (modelguard_number_cut_plain(text, len, step->digits, &cut)
        != MODELGUARD_OK)
    {
        return modelguard_number_step_long(text, len, step, scaled);
    }

    return modelguard_number_multiple(&cut, step, scaled);
}


/*
 * Of one sign, with one digit before the point and no exponent: the order of
 * the bytes is that of the magnitudes.
 */

static inline int
modelguard_number_compare_plain(const uint8_t *a, size_t alen,
    const uint8_t *b, size_t blen, int *order)
{
    size_t  n, point;

    n = (alen < blen) ? alen : blen;
    point = (*a == '-') + 1;

    if (n <= point
        || (*a == '-') != (*b == '-') || a[point] != '.' || b[point] != '.'
        || modelguard_number_letters(a, alen)
        || modelguard_number_letters(b, blen))
    {
        return MODELGUARD_AGAIN;
    }

    *order = memcmp(a, b, n);

    if (*order == 0) {
        *order = (modelguard_number_rest(a + n, a + alen)
                  != MODELGUARD_NUMBER_EXACT)
                 - (modelguard_number_rest(b + n, b + blen)
                    != MODELGUARD_NUMBER_EXACT);
    }

    if (*a == '-') {
        *order = (*order < 0) - (*order > 0);
    }

    return MODELGUARD_OK;
}


int
modelguard_number_compare(const uint8_t *a, size_t alen, const uint8_t *b,
    size_t blen)
{
    int                        asign, bsign, order;
    modelguard_number_t        an, bn;
    modelguard_number_class_e  ac, bc;

    static const int  rank[] = { 2, 0, 3, 1 };    /* by class */

    if (modelguard_number_compare_plain(a, alen, b, blen, &order)
        == MODELGUARD_OK)
    {
        return order;
    }

    ac = modelguard_number_class(a, alen);
    bc = modelguard_number_class(b, blen);

    if (ac != MODELGUARD_NUMBER_FINITE || bc != MODELGUARD_NUMBER_FINITE) {
        return rank[ac] - rank[bc];
    }

    modelguard_number_parse(a, alen, &an);
    modelguard_number_parse(b, blen, &bn);

    asign = (an.first == NULL) ? 0 : (an.negative ? -1 : 1);
    bsign = (bn.first == NULL) ? 0 : (bn.negative ? -1 : 1);

    if (asign != bsign || asign == 0) {
        return asign - bsign;
    }

    return asign * modelguard_number_compare_magnitude(&an, &bn);
}


size_t
modelguard_number_format(int64_t scaled, unsigned digits, uint8_t *out)
{
    size_t    i, n, len;
    uint8_t  *p;
    uint64_t  whole;

    whole = (scaled < 0) ? 0 - (uint64_t) scaled : (uint64_t) scaled;

    while (digits && whole % 10 == 0) {
        whole /= 10;
        digits--;
    }

    for (n = 1; n < 20 && whole >= modelguard_number_pow10[n]; n++) {
        /* void */
    }

    if (n <= digits) {
        n = digits + 1;
    }

    len = (scaled < 0) + n + (digits != 0);
    p = out + len;

    for (i = 0; i < n; i++) {

        if (i == digits && i != 0) {
            *--p = '.';
        }

        *--p = (uint8_t) ('0' + whole % 10);
        whole /= 10;
    }

    if (scaled < 0) {
        *out = '-';
    }

    return len;
}


size_t
modelguard_number_round(const uint8_t *text, size_t len, unsigned digits,
    uint8_t *out)
{
    int64_t              scaled;
    modelguard_number_t  number;

    if (modelguard_number_scale(text, len, digits, &scaled)
        == MODELGUARD_OK)
    {
        return modelguard_number_format(scaled, digits, out);
    }

    if (modelguard_number_class(text, len) == MODELGUARD_NUMBER_FINITE) {
        modelguard_number_parse(text, len, &number);

        /* written out in full only where that is no longer than the text */

        if (number.point + number.exponent <= MODELGUARD_NUMBER_FORMAT_MAX
            || number.decimals - number.exponent > (int64_t) digits)
        {
            return modelguard_number_round_long(&number, digits, out);
        }
    }

    memcpy(out, text, len);

    return len;
}


int
modelguard_decimal_parse(const uint8_t *text, size_t len,
    modelguard_decimal_t *decimal)
{
    size_t    i;
    uint64_t  unit;
    unsigned  digits, point;

    if (len > 1 && text[0] == '0' && text[1] != '.') {
        return MODELGUARD_INVALID;
    }

    unit = 0;
    digits = 0;
    point = 0;

    for (i = 0; i < len; i++) {

        if (text[i] == '.' && !point && i != 0 && i != len - 1) {
            point = 1;
            continue;
        }

        if (text[i] < '0' || text[i] > '9') {
            return MODELGUARD_INVALID;
        }

        digits += point;
        unit = unit * 10 + (uint64_t) (text[i] - '0');

        if (digits > MODELGUARD_DECIMAL_DIGITS
            || unit >= (uint64_t) MODELGUARD_NUMBER_SCALED_MAX)
        {
            return MODELGUARD_INVALID;
        }
    }

    if (unit == 0) {
        return MODELGUARD_INVALID;
    }

    while (digits && unit % 10 == 0) {
        unit /= 10;
        digits--;
    }

    if (unit > MODELGUARD_DECIMAL_UNIT) {
        return MODELGUARD_INVALID;
    }

    decimal->unit = (int64_t) unit;
    decimal->digits = digits;

    return MODELGUARD_OK;
}
