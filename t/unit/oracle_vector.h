
/*
 * Copyright (C) the modelguard authors
 *
 * What a treatment makes of one vector, the naive way: all of it sorted, all
 * of it in digits.  Written from the headers, not from the code under test.
 */


#ifndef ORACLE_VECTOR_H_INCLUDED
#define ORACLE_VECTOR_H_INCLUDED


#include "oracle_number.h"


typedef struct {
    int          drop;
    int          null;
    int          keep;
    int          label_only;
    int          reduce;             /* round or step */
    int          renormalize;
    unsigned     digits;
    uint64_t     unit;               /* of step, or of the last decimal: 1 */
    int          step;
    unsigned     top;
    int          min;
    char         threshold[64];
} treat_t;


typedef struct {
    const char  *text;               /* as it came */
    dec_t        value;
    dec_t        sent;
    int          raw;                /* its text goes out as it came */
    int          hidden;
    int          big;
} item_t;


static const item_t  *item_sorted;


static inline int
item_compare(const void *a, const void *b)
{
    int     order;
    size_t  i, j;

    i = *(const size_t *) a;
    j = *(const size_t *) b;

    order = dec_compare(&item_sorted[j].value, &item_sorted[i].value);

    return order ? order : (i < j ? -1 : i > j);
}


static inline size_t *
item_sort(const item_t *items, size_t n)
{
    size_t  i, *order;

    order = malloc((n + 1) * sizeof(size_t));

    for (i = 0; i < n; i++) {
        order[i] = i;
    }

    item_sorted = items;
    qsort(order, n, sizeof(size_t), item_compare);

    return order;
}


/* one number rounded; what is too big for a step is rounded to its decimals */

static inline void
item_reduce(item_t *item, const treat_t *treat)
{
    item->sent = item->value;

    if (!treat->reduce || item->value.class != DEC_FINITE) {
        item->raw = 1;
        return;
    }

    if (treat->step) {
        dec_step(&item->sent, treat->unit, treat->digits);

    } else {
        dec_round(&item->sent, treat->digits);
    }

    if (dec_is_big(&item->sent, treat->digits)) {
        item->big = 1;
        item->sent = item->value;
        dec_round(&item->sent, treat->digits);
    }
}


static inline void
item_alone(item_t *item, const treat_t *treat)
{
    dec_t  other;

    if (treat->label_only) {
        dec_parse(&other, "0.5");
        dec_set(&item->sent, dec_compare(&item->value, &other) > 0, 0);
        return;
    }

    if (treat->min) {
        dec_parse(&other, treat->threshold);

        if (dec_compare(&item->value, &other) < 0) {
            dec_zero(&item->sent);
            return;
        }
    }

    item_reduce(item, treat);
}


static inline void
item_hide(item_t *items, size_t n, const size_t *order, const treat_t *treat)
{
    dec_t   threshold;
    size_t  i;

    for (i = 1; i < n; i++) {
        items[order[i]].hidden = treat->label_only
                                 || (treat->top && i >= treat->top);
    }

    if (!treat->min) {
        return;
    }

    dec_parse(&threshold, treat->threshold);

    for (i = 1; i < n; i++) {

        if (dec_compare(&items[order[i]].value, &threshold) < 0) {
            items[order[i]].hidden = 1;
        }
    }
}


/* no other value reaches the top unless it did so from the beginning */

static inline void
item_guard(item_t *items, size_t n, size_t top, const treat_t *treat,
    int ranges)
{
    int     negative;
    dec_t   quantum, lower;
    size_t  i;

    if (items[top].raw) {
        return;
    }

    dec_set(&quantum, (int64_t) treat->unit, treat->digits);
    negative = 0;

    for (i = 0; i < n; i++) {
        negative |= !items[i].hidden && items[i].value.class != DEC_NAN
                    && dec_sign(&items[i].value) < 0;
    }

    /* the top is above zero, was rounded to it, and has others below it */

    if (!negative && dec_is_zero(&items[top].sent)
        && dec_sign(&items[top].value) > 0)
    {
        for (i = 0; i < n; i++) {

            if (i != top && !(items[i].hidden && ranges)
                && (items[i].hidden || !items[i].raw)
                && (i < top
                    || dec_compare(&items[i].value, &items[top].value) != 0))
            {
                items[top].sent = quantum;
            }
        }
    }

    quantum.negative = 1;
    lower = items[top].sent;

    if (items[top].big && items[top].value.negative) {
        dec_parse(&lower, "-1e308");

        if (dec_compare(&items[top].value, &lower) <= 0) {
            dec_parse(&lower, "-Infinity");
        }

    } else if (items[top].big) {
        dec_set(&lower, (int64_t) (999999999999999999 / treat->unit
                                   * treat->unit), treat->digits);

    } else {
        dec_add(&lower, &quantum);
    }

    for (i = 0; i < n; i++) {

        if (i == top || items[i].hidden || items[i].raw
            || dec_compare(&items[i].sent, &items[top].sent) < 0
            || (i > top
                && dec_compare(&items[i].value, &items[top].value) == 0))
        {
            continue;
        }

        items[i].sent = lower;
    }
}


/* what the hidden elements of a vector are shown as: zero, or below all */

static inline void
item_fill(item_t *items, size_t n, const size_t *order)
{
    int      low;
    dec_t    floor, two;
    size_t   i, lowest;

    lowest = n;
    low = 0;

    for (i = 0; i < n; i++) {

        if (!items[order[i]].hidden
            && items[order[i]].value.class != DEC_NAN)
        {
            lowest = order[i];
        }

        low |= items[order[i]].hidden && dec_sign(&items[order[i]].value) < 0;
    }

    dec_zero(&floor);

    if (lowest < n
        && (dec_sign(&items[lowest].value) < 0
            || (low && dec_sign(&items[order[0]].value) <= 0)))
    {
        floor = items[lowest].sent;

        if (items[lowest].raw) {
            dec_round(&floor, 9);
        }

        if (items[lowest].value.class != DEC_FINITE
            || items[lowest].big
            || dec_is_big(&floor, items[lowest].raw ? 9 : 0))
        {
            dec_parse(&floor, "-1e308");

            if (dec_compare(&items[lowest].value, &floor) <= 0) {
                dec_parse(&floor, "-Infinity");
            }

        } else {
            dec_truncate(&floor);
            dec_set(&two, -2, 0);
            dec_add(&floor, &two);
        }
    }

    for (i = 0; i < n; i++) {

        if (items[i].hidden) {
            items[i].sent = floor;
            items[i].raw = 0;
        }
    }
}


/* a * 10^digits, for what is known to be small */

static inline int64_t
item_small(const dec_t *a, unsigned digits)
{
    int      i;
    int64_t  n;

    for (n = 0, i = DEC_INT - 8; i < DEC_INT + (int) digits; i++) {
        n = n * 10 + a->d[i];
    }

    return a->negative ? -n : n;
}


/* the kept values share 1 again, if all of them shared it at first */

static inline void
item_renormalize(item_t *items, size_t n, size_t top, unsigned digits)
{
    dec_t    sum, value, limit;
    size_t   i;
    int64_t  total, one, left, share;

    dec_zero(&sum);
    dec_parse(&limit, "1.001");

    for (i = 0; i < n; i++) {

        if (items[i].value.class != DEC_FINITE) {
            return;
        }

        value = items[i].value;
        dec_round(&value, 9);

        if (dec_sign(&value) < 0 || dec_compare(&value, &limit) > 0) {
            return;
        }

        value.negative = 0;
        dec_add(&sum, &value);
    }

    if (dec_compare(&sum, &limit) > 0) {
        return;
    }

    dec_parse(&limit, "0.999");

    if (dec_compare(&sum, &limit) < 0) {
        return;
    }

    for (total = 0, i = 0; i < n; i++) {
        total += items[i].hidden ? 0 : item_small(&items[i].sent, digits);
    }

    if (total <= 0) {
        return;
    }

    dec_set(&limit, 1, 0);
    one = item_small(&limit, digits);
    left = one;

    for (i = 0; i < n; i++) {

        if (!items[i].hidden && i != top) {
            share = item_small(&items[i].sent, digits) * one / total;
            dec_set(&items[i].sent, share, digits);
            left -= share;
        }
    }

    dec_set(&items[top].sent, left, digits);
}


/*
 * "ranges": what is hidden will be cut out, so that it need not be shown.
 */

static inline void
item_decide(item_t *items, size_t n, const treat_t *treat, int ranges)
{
    size_t  i, top, *order;

    for (i = 0; i < n; i++) {
        dec_parse(&items[i].value, items[i].text);
        items[i].raw = 0;
        items[i].hidden = 0;
        items[i].big = 0;
    }

    if (n == 0) {
        return;
    }

    if (n == 1 && !ranges) {
        item_alone(&items[0], treat);
        return;
    }

    order = item_sort(items, n);
    top = order[0];

    item_hide(items, n, order, treat);

    if (treat->label_only) {

        for (i = 0; i < n; i++) {
            dec_set(&items[i].sent, i == top, 0);
        }

        free(order);
        return;
    }

    for (i = 0; i < n; i++) {

        if (!items[i].hidden) {
            item_reduce(&items[i], treat);
        }
    }

    item_guard(items, n, top, treat, ranges);

    if (treat->renormalize) {
        item_renormalize(items, n, top, treat->digits);
    }

    if (ranges) {

        for (i = 0; i < n; i++) {

            if (items[i].hidden) {
                dec_zero(&items[i].sent);
            }
        }

    } else {
        item_fill(items, n, order);
    }

    free(order);
}


/*
 * What must hold whatever the treatment: returns the number of properties
 * that do not.
 */

static inline unsigned
item_properties(const item_t *items, size_t n, const treat_t *treat,
    int ranges)
{
    dec_t     value;
    size_t    i, top, first, kept;
    unsigned  bad;

    if (n == 0 || (n == 1 && !ranges)) {
        return 0;
    }

    top = 0;
    first = n;
    bad = 0;
    kept = 0;

    for (i = 0; i < n; i++) {

        if (dec_compare(&items[i].value, &items[top].value) > 0) {
            top = i;
        }

        kept += !items[i].hidden;

        if (items[i].hidden && ranges) {
            continue;
        }

        if (first == n
            || dec_compare(&items[i].sent, &items[first].sent) > 0)
        {
            first = i;
        }

        value = items[i].sent;

        if (treat->reduce && value.class == DEC_FINITE) {
            dec_round(&value, treat->digits);
            bad += (dec_compare(&value, &items[i].sent) != 0);
        }
    }

    /* nothing is greater than a NaN, and a vector of them has no order */

    if (items[top].value.class != DEC_NAN) {
        bad += (first != top);
    }

    bad += (treat->top != 0 && kept > treat->top);

    /* strictly greatest, unless the tie was there */

    for (i = 0; i < n; i++) {
        bad += i != top && !(items[i].hidden && ranges)
               && dec_compare(&items[i].value, &items[top].value) != 0
               && !items[i].hidden
               && dec_compare(&items[i].sent, &items[top].sent) == 0;
    }

    return bad;
}


#endif /* ORACLE_VECTOR_H_INCLUDED */
