
/*
 * Copyright (C) the modelguard authors
 *
 * A number is never expanded: its digits stay in the text, and its exponent
 * is only ever an offset of the point.
 */


#include "modelguard_number_long.h"


/* beyond any text's length, and ten times it plus a digit fits int64_t */

#define MODELGUARD_NUMBER_FAR  100000000000000000LL


modelguard_number_rest_e
modelguard_number_rest(const uint8_t *p, const uint8_t *end)
{
    uint8_t  ch;

    if (p < end && *p == '.') {
        p++;
    }

    if (p == end) {
        return MODELGUARD_NUMBER_EXACT;
    }

    ch = *p++;

    if (ch > '5') {
        return MODELGUARD_NUMBER_ABOVE;
    }

    if (ch != '0' && ch != '5') {
        return MODELGUARD_NUMBER_BELOW;
    }

    while (p < end && *p == '0') {
        p++;
    }

    if (ch == '5') {
        return p < end ? MODELGUARD_NUMBER_ABOVE : MODELGUARD_NUMBER_HALF;
    }

    return p < end ? MODELGUARD_NUMBER_BELOW : MODELGUARD_NUMBER_EXACT;
}


void
modelguard_number_parse(const uint8_t *text, size_t len,
    modelguard_number_t *number)
{
    int64_t         exponent;
    const uint8_t  *p, *dot, *end;

    memset(number, 0, sizeof(modelguard_number_t));

    dot = NULL;
    end = text + len;
    number->end = end;
    number->negative = (*text == '-');

    for (p = text + number->negative; p < end; p++) {

        if (*p == '.') {
            dot = p;
            continue;
        }

        if (*p == 'e' || *p == 'E') {
            break;
        }

        if (*p != '0') {
            number->last = p + 1;

            if (number->first == NULL) {
                number->first = p;
            }
        }
    }

    if (dot == NULL) {
        dot = p;

    } else {
        number->decimals = p - dot - 1;
    }

    if (number->first) {
        number->point = dot - number->first;

        if (number->first > dot) {
            number->point++;
        }
    }

    if (p < end) {
        p++;

        if (p < end && (*p == '+' || *p == '-')) {
            number->power_negative = (*p++ == '-');
        }
    }

    number->power = p;

    for (exponent = 0; p < end; p++) {
        exponent = exponent * 10 + (*p - '0');

        if (exponent > MODELGUARD_NUMBER_FAR) {
            exponent = MODELGUARD_NUMBER_FAR;
        }
    }

    number->exponent = number->power_negative ? -exponent : exponent;
}


/*
 * Refuses more than "max" digits before the cut.  A value below a tenth of
 * the last place is cut to 0 without a tail: nothing rounds it up.
 */

static int
modelguard_number_cut(const uint8_t *text, size_t len, unsigned digits,
    int64_t max, modelguard_number_cut_t *cut)
{
    int64_t              n;
    const uint8_t       *p;
    modelguard_number_t  number;

    if (modelguard_number_class(text, len) != MODELGUARD_NUMBER_FINITE) {
        return MODELGUARD_RANGE;
    }

    modelguard_number_parse(text, len, &number);

    cut->whole = 0;
    cut->negative = number.negative;
    cut->tail = number.last;
    cut->end = number.last;

    if (number.first == NULL) {
        return MODELGUARD_OK;
    }

    n = number.point + number.exponent + (int64_t) digits;

    if (n > max) {
        return MODELGUARD_RANGE;
    }

    if (n < 0) {
        return MODELGUARD_OK;
    }

    for (p = number.first; n; n--) {

        if (p < number.last && *p == '.') {
            p++;
        }

        cut->whole *= 10;

        if (p < number.last) {
            cut->whole += (uint64_t) *p++ - '0';
        }
    }

    cut->tail = p;

    return MODELGUARD_OK;
}


int
modelguard_number_scale_long(const uint8_t *text, size_t len,
    unsigned digits, int64_t *scaled)
{
    modelguard_number_cut_t   cut;
    modelguard_number_rest_e  rest;

    if (modelguard_number_cut(text, len, digits, MODELGUARD_NUMBER_DIGITS,
                              &cut)
        != MODELGUARD_OK)
    {
        return MODELGUARD_RANGE;
    }

    rest = modelguard_number_rest(cut.tail, cut.end);

    if (rest == MODELGUARD_NUMBER_ABOVE
        || (rest == MODELGUARD_NUMBER_HALF && (cut.whole & 1)))
    {
        cut.whole++;
    }

    return modelguard_number_signed(cut.whole, cut.negative, scaled);
}


int
modelguard_number_step_long(const uint8_t *text, size_t len,
    const modelguard_decimal_t *step, int64_t *scaled)
{
    modelguard_number_cut_t  cut;

    /*
     * One digit more than scale() takes: what is just over the range may
     * have its nearest multiple inside.
     */

    if (modelguard_number_cut(text, len, step->digits,
                              MODELGUARD_NUMBER_DIGITS + 1, &cut)
        != MODELGUARD_OK)
    {
        return MODELGUARD_RANGE;
    }

    return modelguard_number_multiple(&cut, step, scaled);
}


int
modelguard_number_multiple(const modelguard_number_cut_t *cut,
    const modelguard_decimal_t *step, int64_t *scaled)
{
    uint64_t  unit, multiple, quarters;

    unit = (uint64_t) step->unit;
    multiple = cut->whole / unit;

    quarters = 4 * (cut->whole % unit)
               + (uint64_t) modelguard_number_rest(cut->tail, cut->end);

    if (quarters > 2 * unit || (quarters == 2 * unit && (multiple & 1))) {
        multiple++;
    }

    return modelguard_number_signed(multiple * unit, cut->negative, scaled);
}


/* the exponents may have more digits than any integer: by digit, from left */

static int64_t
modelguard_number_exponent_diff(const modelguard_number_t *a,
    const modelguard_number_t *b)
{
    size_t   i, alen, blen;
    int64_t  da, db, diff;

    alen = (size_t) (a->end - a->power);
    blen = (size_t) (b->end - b->power);

    diff = 0;

    for (i = (alen > blen) ? alen : blen; i; i--) {
        da = (i <= alen) ? a->power[alen - i] - '0' : 0;
        db = (i <= blen) ? b->power[blen - i] - '0' : 0;

        diff = diff * 10 + (a->power_negative ? -da : da)
                         - (b->power_negative ? -db : db);

        /* this far apart no later digit brings them together */

        if (diff > MODELGUARD_NUMBER_FAR) {
            diff = MODELGUARD_NUMBER_FAR;

        } else if (diff < -MODELGUARD_NUMBER_FAR) {
            diff = -MODELGUARD_NUMBER_FAR;
        }
    }

    return diff;
}


int
modelguard_number_compare_magnitude(const modelguard_number_t *a,
    const modelguard_number_t *b)
{
    int64_t         diff;
    const uint8_t  *p, *q;

    diff = modelguard_number_exponent_diff(a, b) + a->point - b->point;

    if (diff != 0) {
        return diff < 0 ? -1 : 1;
    }

    p = a->first;
    q = b->first;

    while (p < a->last && q < b->last) {

        if (*p == '.') {
            p++;
            continue;
        }

        if (*q == '.') {
            q++;
            continue;
        }

        if (*p != *q) {
            return *p < *q ? -1 : 1;
        }

        p++;
        q++;
    }

    /* the last digits are not 0, so the longer one is the larger one */

    return (p < a->last) - (q < b->last);
}


/* one more in the last place, from "p" back to "start" */

static uint8_t *
modelguard_number_carry(uint8_t *start, uint8_t *end)
{
    uint8_t  *p;

    for (p = end; p > start; /* void */) {
        p--;

        if (*p == '.') {
            continue;
        }

        if (*p != '9') {
            (*p)++;
            return end;
        }

        *p = '0';
    }

    memmove(start + 1, start, (size_t) (end - start));
    *start = '1';

    return end + 1;
}


size_t
modelguard_number_round_long(const modelguard_number_t *number,
    unsigned digits, uint8_t *out)
{
    int64_t                    i, width;
    uint8_t                   *p, *start;
    const uint8_t             *src;
    modelguard_number_rest_e   rest;

    p = out;
    src = number->first;
    width = number->point + number->exponent;

    if (number->negative) {
        *p++ = '-';
    }

    start = p;

    for (i = 0; i < width + (int64_t) digits; i++) {

        if (src < number->last && *src == '.') {
            src++;
        }

        if (i >= width && src == number->last) {
            break;
        }

        if (i == width) {
            *p++ = '.';
        }

        *p++ = (src < number->last) ? *src++ : '0';
    }

    rest = modelguard_number_rest(src, number->last);

    if (rest == MODELGUARD_NUMBER_ABOVE
        || (rest == MODELGUARD_NUMBER_HALF && (p[-1] & 1)))
    {
        p = modelguard_number_carry(start, p);
    }

    if (i > width) {
        while (p[-1] == '0') {
            p--;
        }

        if (p[-1] == '.') {
            p--;
        }
    }

    return (size_t) (p - out);
}
