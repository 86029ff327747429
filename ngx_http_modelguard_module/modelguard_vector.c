
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_vector.h"
#include "modelguard_rank.h"
#include "modelguard_number.h"


static int vector_round(const modelguard_vector_t *vector);
static void vector_label_only(const modelguard_rank_t *rank);
static void vector_ranges(const modelguard_vector_t *vector);


void
modelguard_vector_number(const modelguard_treatment_t *treatment,
    modelguard_edit_t *edit, const uint8_t *text, size_t len)
{
    int       rc;
    unsigned  digits;

    edit->kind = MODELGUARD_EDIT_NUMBER;
    edit->op = MODELGUARD_EDIT_KEEP;
    edit->kept = 0;
    edit->plain = 0;

    if (treatment->step) {
        digits = treatment->unit.digits;
        rc = modelguard_number_step(text, len, &treatment->unit,
                                    &edit->scaled);

    } else {
        digits = treatment->round ? treatment->digits : MODELGUARD_RANK_DIGITS;
        rc = modelguard_number_scale(text, len, digits, &edit->scaled);
    }

    edit->digits = (uint8_t) (digits & 0x1f);
    edit->big = (rc != MODELGUARD_OK);
}


void
modelguard_vector_decide(const modelguard_vector_t *vector)
{
    uint32_t           i;
    modelguard_rank_t  rank;

    if (vector_round(vector)) {
        return;
    }

    rank.vector = vector;

    modelguard_rank(&rank);

    if (rank.numbers == 0) {

        /* records without a score: nothing to hide, nothing to rank */

        return;
    }

    if (rank.numbers == 1 && !vector->ranges) {
        i = rank.top;
        modelguard_vector_alone(vector->treatment, &vector->edits[i],
                                vector->text + vector->edits[i].off);
        return;
    }

    if (vector->treatment->op == MODELGUARD_LABEL_ONLY) {
        vector_label_only(&rank);

    } else {
        modelguard_rank_hide(&rank);
        modelguard_rank_keep(&rank);
        modelguard_guard(&rank);

        if (vector->treatment->renormalize) {
            modelguard_guard_renormalize(&rank);
        }

        modelguard_guard_fill(&rank);
    }

    if (vector->ranges) {
        vector_ranges(vector);
    }
}


/*
 * The short way of what is asked for most: rounding alone, of a positional
 * vector whose top stays above all others.  Returns 0 if that is not so, and
 * has then changed nothing that the long way does not set.
 */

static int
vector_round(const modelguard_vector_t *vector)
{
    int64_t                        top;
    uint32_t                       i, numbers, ties;
    modelguard_edit_t             *edit;
    const modelguard_treatment_t  *treatment;

    treatment = vector->treatment;

    if (!treatment->round || treatment->top || treatment->min
        || treatment->renormalize || vector->ranges)
    {
        return 0;
    }

    top = 0;
    ties = 1;
    numbers = 0;

    for (i = vector->first; i < vector->last; i++) {

        edit = &vector->edits[i];

        if (!modelguard_rank_is_number(vector, i)) {
            continue;
        }

        if (edit->big) {
            return 0;
        }

        edit->op = MODELGUARD_EDIT_SCALED;
        numbers++;

        if (edit->scaled > top) {
            top = edit->scaled;
            ties = 0;

        } else {
            ties += (edit->scaled == top);
        }
    }

    return ties == 0 && numbers > 1;
}


void
modelguard_vector_alone(const modelguard_treatment_t *treatment,
    modelguard_edit_t *edit, const uint8_t *text)
{
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
vector_label_only(const modelguard_rank_t *rank)
{
    uint32_t                    i;
    const modelguard_vector_t  *vector;

    vector = rank->vector;

    for (i = vector->first; i < vector->last; i++) {

        if (modelguard_rank_is_number(vector, i)) {
            vector->edits[i].op = MODELGUARD_EDIT_ZERO;
        }
    }

    vector->edits[rank->top].op = MODELGUARD_EDIT_ONE;
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

        if (!modelguard_rank_is_number(vector, i)
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
