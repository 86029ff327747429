
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_rank.h"
#include "modelguard_number.h"


static int rank_compare_plain(const uint8_t *a, size_t alen, const uint8_t *b,
    size_t blen);
static void rank_heap_add(modelguard_rank_t *rank, uint32_t i, unsigned k);


/* by the scaled values where they tell, by the texts where they do not */

int
modelguard_rank_compare(const modelguard_vector_t *vector, uint32_t a,
    uint32_t b)
{
    int                       rc;
    const modelguard_edit_t  *x, *y;

    x = &vector->edits[a];
    y = &vector->edits[b];

    if (!x->big && !y->big && x->scaled != y->scaled) {
        return x->scaled < y->scaled ? -1 : 1;
    }

    if (x->plain && y->plain) {
        rc = rank_compare_plain(vector->text + x->off, x->len,
                                vector->text + y->off, y->len);
        if (rc != 0) {
            return rc;
        }
    }

    return modelguard_number_compare(vector->text + x->off, x->len,
                                     vector->text + y->off, y->len);
}


/*
 * Of two texts "d.ddd" the first digit that differs tells; 0 if none does,
 * or if there are signs.
 */

static int
rank_compare_plain(const uint8_t *a, size_t alen, const uint8_t *b,
    size_t blen)
{
    if (*a == '-' || *b == '-') {
        return 0;
    }

    return memcmp(a, b, alen < blen ? alen : blen);
}


/* whether a ranks before b: greater, or equal and first */

int
modelguard_rank_before(const modelguard_vector_t *vector, uint32_t a,
    uint32_t b)
{
    int  rc;

    rc = modelguard_rank_compare(vector, a, b);

    return rc > 0 || (rc == 0 && a < b);
}


int
modelguard_rank_sign(const modelguard_vector_t *vector, uint32_t i)
{
    return modelguard_number_compare(vector->text + vector->edits[i].off,
                                     vector->edits[i].len,
                                     (const uint8_t *) "0", 1);
}


static void
rank_heap_add(modelguard_rank_t *rank, uint32_t i, unsigned k)
{
    unsigned                    at, child;
    uint32_t                   *heap, last;
    const modelguard_vector_t  *vector;

    vector = rank->vector;
    heap = rank->heap;

    if (rank->n < k) {

        for (at = rank->n++; at > 0; at = (at - 1) / 2) {

            if (!modelguard_rank_before(vector, heap[(at - 1) / 2], i)) {
                break;
            }

            heap[at] = heap[(at - 1) / 2];
        }

        heap[at] = i;
        return;
    }

    if (!modelguard_rank_before(vector, i, heap[0])) {
        return;
    }

    last = i;

    for (at = 0; (child = 2 * at + 1) < k; at = child) {

        if (child + 1 < k
            && modelguard_rank_before(vector, heap[child], heap[child + 1]))
        {
            child++;
        }

        if (!modelguard_rank_before(vector, last, heap[child])) {
            break;
        }

        heap[at] = heap[child];
    }

    heap[at] = last;
}


void
modelguard_rank(modelguard_rank_t *rank)
{
    uint32_t                    i;
    unsigned                    k;
    const modelguard_edit_t    *edit, *top;
    const modelguard_vector_t  *vector;

    vector = rank->vector;
    k = vector->treatment->top;

    rank->top = MODELGUARD_EDIT_NONE;
    rank->lowest = MODELGUARD_EDIT_NONE;
    rank->numbers = 0;
    rank->negative = 0;
    rank->hidden = 0;
    rank->n = 0;

    for (i = vector->first; i < vector->last; i++) {

        if (!modelguard_rank_is_number(vector, i)) {
            continue;
        }

        rank->numbers++;
        edit = &vector->edits[i];

        if (rank->top == MODELGUARD_EDIT_NONE) {
            rank->top = i;

        } else {
            top = &vector->edits[rank->top];

            if ((edit->scaled >= top->scaled || edit->big || top->big)
                && modelguard_rank_before(vector, i, rank->top))
            {
                rank->top = i;
            }
        }

        if (k) {
            rank_heap_add(rank, i, k);
        }
    }
}


/* marks with EDIT_ZERO what top= and min= do not let through */

void
modelguard_rank_hide(modelguard_rank_t *rank)
{
    uint32_t                       i;
    modelguard_edit_t             *edit;
    const modelguard_vector_t     *vector;
    const modelguard_treatment_t  *treatment;

    vector = rank->vector;
    treatment = vector->treatment;

    if (treatment->top == 0 && !treatment->min) {
        return;
    }

    for (i = vector->first; i < vector->last; i++) {

        if (!modelguard_rank_is_number(vector, i) || i == rank->top) {
            continue;
        }

        edit = &vector->edits[i];

        /* heap[0] is the last of the K that rank first */

        if ((treatment->top && i != rank->heap[0]
             && !modelguard_rank_before(vector, i, rank->heap[0]))
            || (treatment->min
                && modelguard_number_compare(vector->text + edit->off,
                                             edit->len,
                                             treatment->threshold.data,
                                             treatment->threshold.len) < 0))
        {
            edit->op = MODELGUARD_EDIT_ZERO;
            rank->hidden = 1;
        }
    }
}


/* rounds what is kept */

void
modelguard_rank_keep(modelguard_rank_t *rank)
{
    int                            reduce;
    uint32_t                       i;
    const uint8_t                 *text;
    modelguard_edit_t             *edit;
    const modelguard_vector_t     *vector;
    modelguard_number_class_e      class;

    vector = rank->vector;
    reduce = vector->treatment->round || vector->treatment->step;

    for (i = vector->first; i < vector->last; i++) {

        edit = &vector->edits[i];

        if (!modelguard_rank_is_number(vector, i)
            || edit->op == MODELGUARD_EDIT_ZERO)
        {
            continue;
        }

        text = vector->text + edit->off;

        if (reduce && !edit->big) {
            edit->op = MODELGUARD_EDIT_SCALED;

        } else if (edit->big) {

            class = modelguard_number_class(text, edit->len);

            if (class == MODELGUARD_NUMBER_NAN) {
                continue;
            }

            if (reduce && class == MODELGUARD_NUMBER_FINITE) {
                edit->op = MODELGUARD_EDIT_ROUND;
            }
        }

        if (*text == '-' && modelguard_rank_sign(vector, i) < 0) {
            rank->negative = 1;
        }

        if (rank->hidden && !vector->ranges
            && (rank->lowest == MODELGUARD_EDIT_NONE
                || modelguard_rank_before(vector, rank->lowest, i)))
        {
            rank->lowest = i;
        }
    }
}
