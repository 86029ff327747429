
/*
 * Copyright (C) the modelguard authors
 *
 * The short way through a vector: a run of numbers with a comma before each,
 * all of one in the piece, becomes edits without the state machine.  Whatever
 * is not of this plain form is left to the long way, which gives the same.
 */


#include "modelguard_rewrite_value.h"
#include "modelguard_scan.h"


/* decimals that are read byte by byte; more take modelguard_number_scale() */

#define NUMBERS_DIGITS_MAX  9


static int numbers_run(modelguard_rewrite_t *rw, uint64_t *left);
static void numbers_like(const modelguard_rewrite_t *rw,
    modelguard_edit_t *edit);
static const uint8_t *numbers_short(modelguard_hold_t *hold,
    const modelguard_edit_t *like, const uint8_t *p, const uint8_t *end,
    uint64_t left);
static void numbers_read(modelguard_edit_t *edit,
    const modelguard_treatment_t *treatment, const uint8_t *text, size_t len,
    int exponent);
static inline int numbers_tiny(const uint8_t *text, size_t len,
    unsigned digits);
static inline int numbers_scale(const uint8_t *text, size_t len,
    unsigned digits, int64_t *scaled);


int
modelguard_rewrite_numbers(modelguard_rewrite_t *rw)
{
    int                            rc, exponent;
    uint32_t                       first;
    uint64_t                       left;
    const uint8_t                 *p, *q, *end;
    modelguard_edit_t             *edit, like;
    modelguard_json_t             *json;
    modelguard_hold_t             *hold;
    modelguard_scope_t            *scope;
    const modelguard_treatment_t  *treatment;

    json = &rw->walk.json;
    hold = &rw->hold;
    scope = &rw->scopes.scopes[rw->scopes.n - 1];
    treatment = scope->rule->treatment;

    if (!scope->rule->vector) {
        return modelguard_run_alone(hold, treatment, &json->p, json->end);
    }

    /* the last number of a row is decided on, the long way */

    left = scope->row ? scope->row - scope->count - 1 : UINT64_MAX;

    p = json->p;
    end = json->end;

    if (hold->run.active) {
        rc = numbers_run(rw, &left);

        if (rc != MODELGUARD_AGAIN) {
            return rc;
        }

        p = json->p;
    }

    numbers_like(rw, &like);

    for ( ;; ) {

        if (treatment->round && treatment->digits <= NUMBERS_DIGITS_MAX) {
            first = hold->n;

            p = numbers_short(hold, &like, p, end, left);

            left -= hold->n - first;
            scope->count += hold->n - first;
        }

        if (left == 0 || end - p < 2 || *p != ',') {
            break;
        }

        q = modelguard_scan_number(p + 1, end, &exponent);
        if (q == NULL) {
            break;
        }

        if (hold->n == hold->size) {
            edit = modelguard_hold_edit(hold, &rc);
            if (edit == NULL) {
                return rc;
            }

        } else {
            edit = &hold->edits[hold->n++];
        }

        p++;

        *edit = like;
        edit->off = (uint32_t) modelguard_hold_offset(hold, p);
        edit->len = (uint32_t) (q - p);

        numbers_read(edit, treatment, p, edit->len, exponent);

        scope->count++;
        left--;
        p = q;
    }

    json->p = p;

    return MODELGUARD_OK;
}


/* numbers that are written as they are read; MODELGUARD_AGAIN: no longer */

static int
numbers_run(modelguard_rewrite_t *rw, uint64_t *left)
{
    int                  rc;
    uint64_t             was;
    modelguard_json_t   *json;
    modelguard_scope_t  *scope;

    json = &rw->walk.json;
    scope = &rw->scopes.scopes[rw->scopes.n - 1];
    was = *left;

    rc = modelguard_run_feed(&rw->hold, &json->p, json->end, left);

    scope->count += was - *left;

    return rc;
}


/* what the edits of the run have in common */

static void
numbers_like(const modelguard_rewrite_t *rw, modelguard_edit_t *edit)
{
    const modelguard_scope_t  *scope;

    scope = &rw->scopes.scopes[rw->scopes.n - 1];

    memset(edit, 0, sizeof(modelguard_edit_t));

    edit->link = MODELGUARD_EDIT_NONE;
    edit->frame = (uint8_t) (rw->scopes.n - 1);
    edit->kind = MODELGUARD_EDIT_NUMBER;
    edit->op = MODELGUARD_EDIT_KEEP;
    edit->digits = (uint8_t) (scope->rule->treatment->digits & 0x1f);
    edit->plain = 1;
}


#if (MODELGUARD_SSE2)

/*
 * The innermost loop: numbers "d.ddd" or "d.ddde-dd" that are easy to round,
 * far enough from the end of the piece.  Returns where it stopped.
 */

static const uint8_t *
numbers_short(modelguard_hold_t *hold, const modelguard_edit_t *like,
    const uint8_t *p, const uint8_t *end, uint64_t left)
{
    int                 exponent;
    size_t              len;
    uint32_t            n, last;
    const uint8_t      *q;
    modelguard_edit_t  *edit;

    n = hold->n;
    last = (left < hold->size - n) ? n + (uint32_t) left : hold->size;

    for ( /* void */ ; n < last; n++) {

        if (end - p <= MODELGUARD_SCAN_NUMBER || *p != ',') {
            break;
        }

        exponent = 0;

        q = modelguard_scan_decimal(p + 1, &exponent);
        if (q == NULL) {
            break;
        }

        len = (size_t) (q - p - 1);
        edit = &hold->edits[n];

        *edit = *like;
        edit->off = (uint32_t) modelguard_hold_offset(hold, p + 1);
        edit->len = (uint32_t) len;
        edit->plain = !exponent;

        if (exponent ? !numbers_tiny(p + 1, len, like->digits)
                     : !numbers_scale(p + 1, len, like->digits, &edit->scaled))
        {
            break;
        }

        p = q;
    }

    hold->n = n;

    return p;
}

#else

static const uint8_t *
numbers_short(modelguard_hold_t *hold, const modelguard_edit_t *like,
    const uint8_t *p, const uint8_t *end, uint64_t left)
{
    (void) hold;
    (void) like;
    (void) end;
    (void) left;

    return p;
}

#endif


static void
numbers_read(modelguard_edit_t *edit, const modelguard_treatment_t *treatment,
    const uint8_t *text, size_t len, int exponent)
{
    unsigned  digits;

    digits = treatment->digits;

    if (treatment->round && digits <= NUMBERS_DIGITS_MAX) {

        if (!exponent) {

            if (numbers_scale(text, len, digits, &edit->scaled)) {
                return;
            }

        } else if (numbers_tiny(text, len, digits)) {
            edit->plain = 0;
            return;
        }
    }

    modelguard_vector_number(treatment, edit, text, len);
}


/*
 * The same for "d.ddde-dd": whether the value, below 10 * 10^-dd, rounds to
 * zero.
 */

static inline int
numbers_tiny(const uint8_t *text, size_t len, unsigned digits)
{
    unsigned        shift;
    const uint8_t  *p, *end;

    p = text + (*text == '-');
    end = text + len;

    if (end - p < 6 || p[1] != '.' || (end[-4] | 0x20) != 'e'
        || end[-3] != '-')
    {
        return 0;
    }

    shift = (unsigned) (end[-2] - '0') * 10 + (unsigned) (end[-1] - '0');

    return shift >= digits + 2;
}


/*
 * modelguard_number_scale() for "d.ddd" with a digit behind the last one that
 * is kept, which is no 5 before nothing but zeros.  Returns 1 if it is so.
 */

static inline int
numbers_scale(const uint8_t *text, size_t len, unsigned digits,
    int64_t *scaled)
{
    int             negative;
    int64_t         value;
    const uint8_t  *p, *last, *end;

    end = text + len;
    negative = (*text == '-');
    p = text + negative;

    if ((size_t) (end - p) < digits + 4 || p[1] != '.') {
        return 0;
    }

    value = *p - '0';
    p += 2;

    for (last = p + digits; p < last; p++) {
        value = value * 10 + (*p - '0');
    }

    if (*p >= '5') {

        if (*p == '5' && p[1] == '0') {
            return 0;
        }

        value++;
    }

    *scaled = negative ? -value : value;

    return 1;
}
