
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_vector.h"
#include "modelguard_number.h"


/* decimals for ranking, where the treatment keeps the text */

#define VECTOR_RANK_DIGITS  9

/* what the sum of a distribution may miss 1 by, in 10^-9: the servers that
   send three decimals */

#define VECTOR_SUM_UNIT     1000000000LL
#define VECTOR_SUM_SLACK    1000000LL


typedef struct {
    const modelguard_vector_t  *vector;
    uint32_t                    top;           /* index of the greatest */
    uint32_t                    numbers;
    unsigned                    negative:1;    /* a kept value is below 0 */
    unsigned                    hidden:1;      /* a value was hidden */
    uint32_t                    lowest;        /* index of the least kept */

    /* a heap of the K greatest, the least of them first */

    uint32_t                    heap[MODELGUARD_TOP_MAX];
    unsigned                    n;
} vector_rank_t;


static int vector_is_number(const modelguard_vector_t *vector, uint32_t i);
static int vector_compare(const modelguard_vector_t *vector, uint32_t a,
    uint32_t b);
static int vector_before(const modelguard_vector_t *vector, uint32_t a,
    uint32_t b);
static void vector_heap_add(vector_rank_t *rank, uint32_t i, unsigned k);
static void vector_rank(vector_rank_t *rank);
static void vector_alone(const modelguard_vector_t *vector, uint32_t i);
static void vector_label_only(const vector_rank_t *rank);
static void vector_hide(vector_rank_t *rank);
static void vector_keep(vector_rank_t *rank);
static void vector_guard(const vector_rank_t *rank);
static int64_t vector_guard_raise(const vector_rank_t *rank, int64_t quantum);
static void vector_fill(const vector_rank_t *rank);
static int vector_zero_hides(const vector_rank_t *rank);
static int vector_sign(const modelguard_vector_t *vector, uint32_t i);
static void vector_renormalize(const vector_rank_t *rank);
static int vector_is_distribution(const modelguard_vector_t *vector);
static void vector_ranges(const modelguard_vector_t *vector);


static const int64_t  vector_pow10[] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
    10000000000LL, 100000000000LL, 1000000000000LL, 10000000000000LL,
    100000000000000LL, 1000000000000000LL
};


void
modelguard_vector_number(const modelguard_treatment_t *treatment,
    modelguard_edit_t *edit, const uint8_t *text, size_t len)
{
    int       rc;
    unsigned  digits;

    edit->kind = MODELGUARD_EDIT_NUMBER;
    edit->op = MODELGUARD_EDIT_KEEP;
    edit->kept = 0;

    if (treatment->step) {
        digits = treatment->unit.digits;
        rc = modelguard_number_step(text, len, &treatment->unit,
                                    &edit->scaled);

    } else {
        digits = treatment->round ? treatment->digits : VECTOR_RANK_DIGITS;
        rc = modelguard_number_scale(text, len, digits, &edit->scaled);
    }

    edit->digits = (uint8_t) (digits & 0x3f);
    edit->big = (rc != MODELGUARD_OK);
}


void
modelguard_vector_decide(const modelguard_vector_t *vector)
{
    vector_rank_t  rank;

    rank.vector = vector;

    vector_rank(&rank);

    if (rank.numbers == 0) {

        /* records without a score: nothing to hide, nothing to rank */

        return;
    }

    if (rank.numbers == 1 && !vector->ranges) {
        vector_alone(vector, rank.top);
        return;
    }

    if (vector->treatment->op == MODELGUARD_LABEL_ONLY) {
        vector_label_only(&rank);

    } else {
        vector_hide(&rank);
        vector_keep(&rank);
        vector_guard(&rank);
        vector_fill(&rank);

        if (vector->treatment->renormalize) {
            vector_renormalize(&rank);
        }
    }

    if (vector->ranges) {
        vector_ranges(vector);
    }
}


static int
vector_is_number(const modelguard_vector_t *vector, uint32_t i)
{
    return vector->edits[i].frame == vector->frame
           && vector->edits[i].kind == MODELGUARD_EDIT_NUMBER;
}


/* by the scaled values where they tell, by the texts where they do not */

static int
vector_compare(const modelguard_vector_t *vector, uint32_t a, uint32_t b)
{
    const modelguard_edit_t  *x, *y;

    x = &vector->edits[a];
    y = &vector->edits[b];

    if (!x->big && !y->big && x->scaled != y->scaled) {
        return x->scaled < y->scaled ? -1 : 1;
    }

    return modelguard_number_compare(vector->text + x->off, x->len,
                                     vector->text + y->off, y->len);
}


/* whether a ranks before b: greater, or equal and first */

static int
vector_before(const modelguard_vector_t *vector, uint32_t a, uint32_t b)
{
    int  rc;

    rc = vector_compare(vector, a, b);

    return rc > 0 || (rc == 0 && a < b);
}


static void
vector_heap_add(vector_rank_t *rank, uint32_t i, unsigned k)
{
    unsigned                    at, child;
    uint32_t                   *heap, last;
    const modelguard_vector_t  *vector;

    vector = rank->vector;
    heap = rank->heap;

    if (rank->n < k) {

        for (at = rank->n++; at > 0; at = (at - 1) / 2) {

            if (!vector_before(vector, heap[(at - 1) / 2], i)) {
                break;
            }

            heap[at] = heap[(at - 1) / 2];
        }

        heap[at] = i;
        return;
    }

    if (!vector_before(vector, i, heap[0])) {
        return;
    }

    last = i;

    for (at = 0; (child = 2 * at + 1) < k; at = child) {

        if (child + 1 < k
            && vector_before(vector, heap[child], heap[child + 1]))
        {
            child++;
        }

        if (!vector_before(vector, last, heap[child])) {
            break;
        }

        heap[at] = heap[child];
    }

    heap[at] = last;
}


static void
vector_rank(vector_rank_t *rank)
{
    uint32_t                    i;
    unsigned                    k;
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

        if (!vector_is_number(vector, i)) {
            continue;
        }

        rank->numbers++;

        if (rank->top == MODELGUARD_EDIT_NONE
            || vector_before(vector, i, rank->top))
        {
            rank->top = i;
        }

        if (k) {
            vector_heap_add(rank, i, k);
        }
    }
}


static void
vector_alone(const modelguard_vector_t *vector, uint32_t i)
{
    const uint8_t                 *text;
    modelguard_edit_t             *edit;
    const modelguard_treatment_t  *treatment;

    edit = &vector->edits[i];
    text = vector->text + edit->off;
    treatment = vector->treatment;

    if (treatment->op == MODELGUARD_LABEL_ONLY) {

        /* the answer of a sigmoid, and its only bit */

        edit->op = modelguard_number_compare(text, edit->len,
                                             (const uint8_t *) "0.5", 3) > 0
                   ? MODELGUARD_EDIT_ONE : MODELGUARD_EDIT_ZERO;
        return;
    }

    if (treatment->min
        && modelguard_number_compare(text, edit->len,
                                     treatment->threshold.data,
                                     treatment->threshold.len) < 0)
    {
        edit->op = MODELGUARD_EDIT_ZERO;
        return;
    }

    if (treatment->round || treatment->step) {
        edit->op = edit->big ? MODELGUARD_EDIT_ROUND : MODELGUARD_EDIT_SCALED;
    }
}


static void
vector_label_only(const vector_rank_t *rank)
{
    uint32_t                    i;
    const modelguard_vector_t  *vector;

    vector = rank->vector;

    for (i = vector->first; i < vector->last; i++) {

        if (vector_is_number(vector, i)) {
            vector->edits[i].op = MODELGUARD_EDIT_ZERO;
        }
    }

    vector->edits[rank->top].op = MODELGUARD_EDIT_ONE;
}


/* marks with EDIT_ZERO what top= and min= do not let through */

static void
vector_hide(vector_rank_t *rank)
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

        if (!vector_is_number(vector, i) || i == rank->top) {
            continue;
        }

        edit = &vector->edits[i];

        /* heap[0] is the last of the K that rank first */

        if ((treatment->top && i != rank->heap[0]
             && !vector_before(vector, i, rank->heap[0]))
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

static void
vector_keep(vector_rank_t *rank)
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

        if (!vector_is_number(vector, i) || edit->op == MODELGUARD_EDIT_ZERO) {
            continue;
        }

        text = vector->text + edit->off;

        if (reduce && !edit->big) {
            edit->op = MODELGUARD_EDIT_SCALED;

        } else if (reduce) {

            class = modelguard_number_class(text, edit->len);

            if (class == MODELGUARD_NUMBER_FINITE) {
                edit->op = MODELGUARD_EDIT_ROUND;

            } else if (class == MODELGUARD_NUMBER_NAN) {
                continue;
            }
        }

        if (*text == '-') {
            rank->negative = 1;
        }

        if (rank->hidden && !vector->ranges
            && (rank->lowest == MODELGUARD_EDIT_NONE
                || vector_before(vector, rank->lowest, i)))
        {
            rank->lowest = i;
        }
    }
}


/* the argmax guard, LITERATURE's "common guard" */

static void
vector_guard(const vector_rank_t *rank)
{
    int64_t                     top, quantum;
    uint32_t                    i;
    modelguard_edit_t          *edit;
    const modelguard_vector_t  *vector;

    vector = rank->vector;
    edit = &vector->edits[rank->top];

    if (edit->op != MODELGUARD_EDIT_SCALED) {
        return;
    }

    quantum = vector->treatment->step ? vector->treatment->unit.unit : 1;
    top = vector_guard_raise(rank, quantum);

    for (i = vector->first; i < vector->last; i++) {

        edit = &vector->edits[i];

        if (!vector_is_number(vector, i) || i == rank->top
            || edit->op != MODELGUARD_EDIT_SCALED || edit->scaled < top)
        {
            continue;
        }

        if (i > rank->top && vector_compare(vector, i, rank->top) == 0) {

            /* equal as it came, and behind the top then and now */

            continue;
        }

        edit->scaled = top - quantum;
    }
}


/*
 * Gives the top one quantum when it was rounded to zero and another value
 * would have to go below zero, or has become zero, to stay behind it.
 */

static int64_t
vector_guard_raise(const vector_rank_t *rank, int64_t quantum)
{
    uint32_t                    i;
    modelguard_edit_t          *top, *edit;
    const modelguard_vector_t  *vector;

    vector = rank->vector;
    top = &vector->edits[rank->top];

    if (rank->negative || top->scaled != 0) {
        return top->scaled;
    }

    for (i = vector->first; i < vector->last; i++) {

        edit = &vector->edits[i];

        if (!vector_is_number(vector, i) || i == rank->top
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

static void
vector_fill(const vector_rank_t *rank)
{
    uint8_t                     op;
    int64_t                     unit, floor;
    uint32_t                    i;
    modelguard_edit_t          *edit, *low;
    const modelguard_vector_t  *vector;

    static const uint8_t        lowest[] = "-1e308";

    vector = rank->vector;

    if (rank->lowest == MODELGUARD_EDIT_NONE || vector_zero_hides(rank)) {
        return;
    }

    low = &vector->edits[rank->lowest];
    floor = 0;

    if (!low->big) {
        op = MODELGUARD_EDIT_SCALED;
        unit = vector_pow10[low->digits];
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

        if (vector_is_number(vector, i) && edit->op == MODELGUARD_EDIT_ZERO) {
            edit->op = op;
            edit->scaled = floor;
            edit->digits = 0;
        }
    }
}


/* whether a hidden value may become zero without outranking a kept one */

static int
vector_zero_hides(const vector_rank_t *rank)
{
    uint32_t                    i;
    const modelguard_vector_t  *vector;

    vector = rank->vector;

    if (vector_sign(vector, rank->lowest) < 0) {
        return 0;
    }

    if (vector_sign(vector, rank->top) > 0) {
        return 1;
    }

    for (i = vector->first; i < vector->last; i++) {

        if (vector_is_number(vector, i)
            && vector->edits[i].op == MODELGUARD_EDIT_ZERO
            && vector_sign(vector, i) < 0)
        {
            return 0;
        }
    }

    return 1;
}


static int
vector_sign(const modelguard_vector_t *vector, uint32_t i)
{
    return modelguard_number_compare(vector->text + vector->edits[i].off,
                                     vector->edits[i].len,
                                     (const uint8_t *) "0", 1);
}


/*
 * Scales what is kept so that it sums to 1 again, in whole quanta: the share
 * of each is rounded down and the top takes what is left.
 */

static void
vector_renormalize(const vector_rank_t *rank)
{
    int64_t                     sum, left, unit, top;
    uint32_t                    i;
    modelguard_edit_t          *edit;
    const modelguard_vector_t  *vector;

    vector = rank->vector;
    unit = vector_pow10[vector->treatment->digits];

    if (!vector_is_distribution(vector)) {
        return;
    }

    sum = 0;

    for (i = vector->first; i < vector->last; i++) {
        edit = &vector->edits[i];

        if (vector_is_number(vector, i)
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

        if (vector_is_number(vector, i)
            && edit->op == MODELGUARD_EDIT_SCALED)
        {
            edit->scaled = edit->scaled * unit / sum;
            left -= edit->scaled;
        }
    }

    vector->edits[rank->top].scaled += left;
    top = vector->edits[rank->top].scaled;

    for (i = vector->first; i < vector->last; i++) {
        edit = &vector->edits[i];

        if (vector_is_number(vector, i) && i != rank->top
            && edit->op == MODELGUARD_EDIT_SCALED && edit->scaled >= top
            && (i < rank->top || vector_compare(vector, i, rank->top) != 0))
        {
            edit->scaled--;
            vector->edits[rank->top].scaled++;
            break;
        }
    }
}


/* whether the values as they came are probabilities that sum to 1 */

static int
vector_is_distribution(const modelguard_vector_t *vector)
{
    int64_t                   sum, value;
    uint32_t                  i;
    const modelguard_edit_t  *edit;

    sum = 0;

    for (i = vector->first; i < vector->last; i++) {

        edit = &vector->edits[i];

        if (!vector_is_number(vector, i)) {
            continue;
        }

        if (modelguard_number_scale(vector->text + edit->off, edit->len,
                                    VECTOR_RANK_DIGITS, &value)
            != MODELGUARD_OK
            || value < 0 || value > VECTOR_SUM_UNIT + VECTOR_SUM_SLACK)
        {
            return 0;
        }

        sum += value;

        if (sum > VECTOR_SUM_UNIT + VECTOR_SUM_SLACK) {
            return 0;
        }
    }

    return sum >= VECTOR_SUM_UNIT - VECTOR_SUM_SLACK;
}


/*
 * A range goes when all numbers in it are hidden, or when it has none and
 * something is hidden: what has no score ranks last.  The comma of the first
 * range that stays goes, too, unless it is the first of all.
 */

static void
vector_ranges(const modelguard_vector_t *vector)
{
    int                 kept;
    uint32_t            i, hidden;
    modelguard_edit_t  *edit;

    hidden = 0;

    for (i = vector->first; i < vector->last; i++) {

        edit = &vector->edits[i];

        if (!vector_is_number(vector, i)
            || edit->link == MODELGUARD_EDIT_NONE)
        {
            continue;
        }

        if (edit->op == MODELGUARD_EDIT_ZERO) {
            hidden = 1;

        } else {
            vector->edits[edit->link].kept = 1;
        }
    }

    if (!hidden) {
        return;
    }

    kept = 0;

    for (i = vector->first; i < vector->last; i++) {

        edit = &vector->edits[i];

        if (edit->frame != vector->frame
            || edit->kind != MODELGUARD_EDIT_RANGE)
        {
            continue;
        }

        if (!edit->kept) {
            edit->op = MODELGUARD_EDIT_CUT;

        } else if (!kept) {
            kept = 1;

            if (edit->scaled > 0) {
                edit->op = MODELGUARD_EDIT_COMMA;
            }
        }
    }
}


void
modelguard_vector_parallel(const modelguard_vector_t *vector, uint32_t first,
    uint32_t last, uint8_t frame)
{
    int                 kept;
    uint32_t            i, at;
    modelguard_edit_t  *edit, *score;

    kept = 0;
    at = vector->first;

    for (i = first; i < last; i++) {

        edit = &vector->edits[i];

        if (edit->frame != frame || edit->kind != MODELGUARD_EDIT_RANGE) {
            continue;
        }

        if (edit->scaled == 0) {
            at = vector->first;
            kept = 0;
        }

        /* both lists are in the order of their ordinals */

        score = NULL;

        for ( /* void */ ; at < vector->last; at++) {

            score = &vector->edits[at];

            if (score->frame == vector->frame
                && score->kind == MODELGUARD_EDIT_RANGE
                && score->scaled >= edit->scaled)
            {
                break;
            }

            score = NULL;
        }

        if (score != NULL && score->scaled == edit->scaled
            && score->op == MODELGUARD_EDIT_CUT)
        {
            edit->op = MODELGUARD_EDIT_CUT;

        } else if (!kept) {
            kept = 1;

            if (edit->scaled > 0) {
                edit->op = MODELGUARD_EDIT_COMMA;
            }
        }
    }
}


size_t
modelguard_vector_text(const modelguard_edit_t *edit, const uint8_t *text,
    uint8_t *out)
{
    size_t       len;
    const char  *word;

    switch (edit->op) {

    case MODELGUARD_EDIT_KEEP:
        memcpy(out, text, edit->len);
        return edit->len;

    case MODELGUARD_EDIT_SCALED:
        return modelguard_number_format(edit->scaled, edit->digits, out);

    case MODELGUARD_EDIT_ROUND:
        return modelguard_number_round(text, edit->len, edit->digits, out);

    case MODELGUARD_EDIT_NULL:
        word = "null";
        break;

    case MODELGUARD_EDIT_ZERO:
        word = "0";
        break;

    case MODELGUARD_EDIT_ONE:
        word = "1";
        break;

    case MODELGUARD_EDIT_LOWEST:
        word = "-1e308";
        break;

    case MODELGUARD_EDIT_NEG_INF:
        word = "-Infinity";
        break;

    default: /* MODELGUARD_EDIT_CUT, MODELGUARD_EDIT_COMMA */
        return 0;
    }

    len = strlen(word);
    memcpy(out, word, len);

    return len;
}
