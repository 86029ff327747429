
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_rank.h"
#include "modelguard_number.h"


/* what the sum of a distribution may miss 1 by, in 10^-9: the servers that
   send three decimals */

#define GUARD_SUM_UNIT   1000000000LL
#define GUARD_SUM_SLACK  1000000LL

/* bytes of two texts that are rounded side by side */

#define GUARD_TEXT       128


static void guard_big(const modelguard_rank_t *rank, int64_t quantum);
static int guard_reaches(const modelguard_vector_t *vector, uint32_t i,
    uint32_t top);
static int64_t guard_raise(const modelguard_rank_t *rank, int64_t quantum);
static int guard_zero_hides(const modelguard_rank_t *rank);
static int guard_is_distribution(const modelguard_vector_t *vector);


static const int64_t  guard_pow10[] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
    10000000000LL, 100000000000LL, 1000000000000LL, 10000000000000LL,
    100000000000000LL, 1000000000000000LL
};


/* the argmax guard, LITERATURE's "common guard" */

void
modelguard_guard(const modelguard_rank_t *rank)
{
    int64_t                     top, quantum;
    uint32_t                    i;
    modelguard_edit_t          *edit;
    const modelguard_vector_t  *vector;

    vector = rank->vector;
    edit = &vector->edits[rank->top];
    quantum = vector->treatment->step ? vector->treatment->unit.unit : 1;

    if (edit->op == MODELGUARD_EDIT_ROUND) {
        guard_big(rank, quantum);
        return;
    }

    if (edit->op != MODELGUARD_EDIT_SCALED) {
        return;
    }

    top = guard_raise(rank, quantum);

    for (i = vector->first; i < vector->last; i++) {

        edit = &vector->edits[i];

        if (!modelguard_rank_is_number(vector, i) || i == rank->top
            || edit->op != MODELGUARD_EDIT_SCALED || edit->scaled < top)
        {
            continue;
        }

        if (i > rank->top
            && modelguard_rank_compare(vector, i, rank->top) == 0)
        {

            /* equal as it came, and behind the top then and now */

            continue;
        }

        edit->scaled = top - quantum;
    }
}


/*
 * A top too big to be scaled: only a value as big can reach it, and becomes
 * the greatest, or below zero the least, that is not so big.
 */

static void
guard_big(const modelguard_rank_t *rank, int64_t quantum)
{
    uint32_t                    i;
    const uint8_t              *text;
    modelguard_edit_t          *edit;
    const modelguard_vector_t  *vector;

    static const uint8_t        lowest[] = "-1e308";

    vector = rank->vector;
    text = vector->text + vector->edits[rank->top].off;

    for (i = vector->first; i < vector->last; i++) {

        edit = &vector->edits[i];

        if (!modelguard_rank_is_number(vector, i) || i == rank->top
            || edit->op != MODELGUARD_EDIT_ROUND
            || !guard_reaches(vector, i, rank->top))
        {
            continue;
        }

        if (*text != '-') {
            edit->op = MODELGUARD_EDIT_SCALED;
            edit->big = 0;
            edit->scaled = (MODELGUARD_NUMBER_SCALED_MAX - 1) / quantum
                           * quantum;

        } else if (modelguard_number_compare(text,
                                             vector->edits[rank->top].len,
                                             lowest, sizeof(lowest) - 1) > 0)
        {
            edit->op = MODELGUARD_EDIT_LOWEST;

        } else {
            edit->op = MODELGUARD_EDIT_NEG_INF;
        }
    }
}


/* whether value i, rounded, reaches the top; in doubt it does */

static int
guard_reaches(const modelguard_vector_t *vector, uint32_t i, uint32_t top)
{
    size_t                    alen, blen;
    uint8_t                   a[GUARD_TEXT + MODELGUARD_NUMBER_PAD];
    uint8_t                   b[GUARD_TEXT + MODELGUARD_NUMBER_PAD];
    const modelguard_edit_t  *x, *y;

    x = &vector->edits[i];
    y = &vector->edits[top];

    if (i > top && modelguard_rank_compare(vector, i, top) == 0) {
        return 0;
    }

    if (x->len > GUARD_TEXT || y->len > GUARD_TEXT) {
        return 1;
    }

    alen = modelguard_number_round(vector->text + x->off, x->len, x->digits,
                                   a);
    blen = modelguard_number_round(vector->text + y->off, y->len, y->digits,
                                   b);

    return modelguard_number_compare(a, alen, b, blen) >= 0;
}


/*
 * Gives the top one quantum when it was rounded to zero and another value
 * would have to go below zero, or has become zero, to stay behind it.  A top
 * that is zero exactly has equals behind it, or what it hides is filled.
 */

static int64_t
guard_raise(const modelguard_rank_t *rank, int64_t quantum)
{
    uint32_t                    i;
    modelguard_edit_t          *top, *edit;
    const modelguard_vector_t  *vector;

    vector = rank->vector;
    top = &vector->edits[rank->top];

    if (rank->negative || top->scaled != 0
        || modelguard_rank_sign(vector, rank->top) <= 0)
    {
        return top->scaled;
    }

    for (i = vector->first; i < vector->last; i++) {

        edit = &vector->edits[i];

        if (!modelguard_rank_is_number(vector, i) || i == rank->top
            || (edit->op == MODELGUARD_EDIT_ZERO && vector->ranges)
            || (edit->op == MODELGUARD_EDIT_KEEP))
        {
            continue;
        }

        if (modelguard_number_compare(vector->text + edit->off, edit->len,
                                      vector->text + top->off, top->len) != 0
            || i < rank->top)
        {
            top->scaled = quantum;
            break;
        }
    }

    return top->scaled;
}


/*
 * Where zero does not hide (among logits), what is hidden becomes a value
 * below all that is kept, made from nothing but the least of them as it is
 * sent.
 */

void
modelguard_guard_fill(const modelguard_rank_t *rank)
{
    uint8_t                     op;
    int64_t                     unit, floor;
    uint32_t                    i;
    modelguard_edit_t          *edit, *low;
    const modelguard_vector_t  *vector;

    static const uint8_t        lowest[] = "-1e308";

    vector = rank->vector;

    if (rank->lowest == MODELGUARD_EDIT_NONE || guard_zero_hides(rank)) {
        return;
    }

    low = &vector->edits[rank->lowest];
    floor = 0;

    if (!low->big) {
        op = MODELGUARD_EDIT_SCALED;
        unit = guard_pow10[low->digits];
        floor = low->scaled / unit - 2;

    } else if (modelguard_number_compare(vector->text + low->off, low->len,
                                         lowest, sizeof(lowest) - 1) > 0)
    {
        op = MODELGUARD_EDIT_LOWEST;

    } else {
        op = MODELGUARD_EDIT_NEG_INF;
    }

    for (i = vector->first; i < vector->last; i++) {

        edit = &vector->edits[i];

        if (modelguard_rank_is_number(vector, i)
            && edit->op == MODELGUARD_EDIT_ZERO)
        {
            edit->op = op;
            edit->scaled = floor;
            edit->digits = 0;
        }
    }
}


/* whether a hidden value may become zero without outranking a kept one */

static int
guard_zero_hides(const modelguard_rank_t *rank)
{
    uint32_t                    i;
    const modelguard_vector_t  *vector;

    vector = rank->vector;

    if (modelguard_rank_sign(vector, rank->lowest) < 0) {
        return 0;
    }

    if (modelguard_rank_sign(vector, rank->top) > 0) {
        return 1;
    }

    for (i = vector->first; i < vector->last; i++) {

        if (modelguard_rank_is_number(vector, i)
            && vector->edits[i].op == MODELGUARD_EDIT_ZERO
            && modelguard_rank_sign(vector, i) < 0)
        {
            return 0;
        }
    }

    return 1;
}


/*
 * Scales what is kept so that it sums to 1 again, in whole quanta: the share
 * of each is rounded down and the top takes what is left.
 */

void
modelguard_guard_renormalize(const modelguard_rank_t *rank)
{
    int64_t                     sum, left, unit;
    uint32_t                    i;
    modelguard_edit_t          *edit;
    const modelguard_vector_t  *vector;

    vector = rank->vector;
    unit = guard_pow10[vector->treatment->digits];

    if (!guard_is_distribution(vector)) {
        return;
    }

    sum = 0;

    for (i = vector->first; i < vector->last; i++) {
        edit = &vector->edits[i];

        if (modelguard_rank_is_number(vector, i)
            && edit->op == MODELGUARD_EDIT_SCALED)
        {
            sum += edit->scaled;
        }
    }

    if (sum <= 0) {
        return;
    }

    left = unit;

    for (i = vector->first; i < vector->last; i++) {
        edit = &vector->edits[i];

        if (modelguard_rank_is_number(vector, i)
            && edit->op == MODELGUARD_EDIT_SCALED)
        {
            edit->scaled = edit->scaled * unit / sum;
            left -= edit->scaled;
        }
    }

    /* if nothing is left no share was rounded: none has reached the top's */

    vector->edits[rank->top].scaled += left;
}


/* whether the values as they came are probabilities that sum to 1 */

static int
guard_is_distribution(const modelguard_vector_t *vector)
{
    int64_t                   sum, value;
    uint32_t                  i;
    const modelguard_edit_t  *edit;

    sum = 0;

    for (i = vector->first; i < vector->last; i++) {

        edit = &vector->edits[i];

        if (!modelguard_rank_is_number(vector, i)) {
            continue;
        }

        if (modelguard_number_scale(vector->text + edit->off, edit->len,
                                    MODELGUARD_RANK_DIGITS, &value)
            != MODELGUARD_OK
            || value < 0 || value > GUARD_SUM_UNIT + GUARD_SUM_SLACK)
        {
            return 0;
        }

        sum += value;

        if (sum > GUARD_SUM_UNIT + GUARD_SUM_SLACK) {
            return 0;
        }
    }

    return sum >= GUARD_SUM_UNIT - GUARD_SUM_SLACK;
}
