
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_rewrite_value.h"


/* states of the search for a number inside a string */

#define DIGITS_NONE    0
#define DIGITS_WORD    1     /* in a word, where a point begins no number */
#define DIGITS_DIGIT   2
#define DIGITS_POINT   3
#define DIGITS_E       4
#define DIGITS_SIGN    5
#define DIGITS_FOUND   6

/* of the search for the end of an escape */

#define ESCAPE_NONE    0
#define ESCAPE_BEGUN   1
#define ESCAPE_HEX     2     /* 2 .. 5: four, three, two, one to come */


static int rewrite_uncomma(modelguard_rewrite_t *rw, size_t off);
static int rewrite_drop(modelguard_rewrite_t *rw, size_t off,
    modelguard_edit_op_e op);
static void rewrite_drop_end(modelguard_rewrite_t *rw);
static void rewrite_want(modelguard_rewrite_t *rw,
    const modelguard_place_t *place);
static int rewrite_wanted(modelguard_rewrite_t *rw);
static int rewrite_is_empty(const uint8_t *p, const uint8_t *stop);
static unsigned rewrite_digits(unsigned state, uint8_t c);
static int rewrite_escape(modelguard_rewrite_t *rw, uint8_t *c);
static unsigned rewrite_value_depth(const modelguard_rewrite_t *rw);


/* a value begins, with its whole token or with the part that is there */

int
modelguard_rewrite_value(modelguard_rewrite_t *rw)
{
    int                        rc, drop;
    size_t                     off, start;
    unsigned                   depth;
    modelguard_json_t         *json;
    const modelguard_place_t  *place;

    json = &rw->walk.json;
    place = &rw->conf.rules->places[rw->walk.state];
    depth = rewrite_value_depth(rw);
    start = modelguard_hold_offset(&rw->hold, json->start);

    rw->want = MODELGUARD_WANT_NOTHING;
    rw->rule = NULL;

    drop = place->value != NULL
           && place->value->treatment->op == MODELGUARD_DROP;

    if (!rw->dropped && depth > 0) {
        off = json->after_comma ? modelguard_rewrite_comma(rw) : start;

        if (start - off > rw->conf.hold) {
            return MODELGUARD_TOO_BIG;
        }

        rc = modelguard_rewrite_member(rw, depth, off, drop);
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    rw->dropped = 0;

    if (rw->dropping) {
        return MODELGUARD_OK;
    }

    if (place->value != NULL
        && (drop || place->value->treatment->op == MODELGUARD_NULL))
    {
        /* the root cannot be dropped: it becomes null */

        return rewrite_drop(rw, modelguard_hold_offset(&rw->hold, json->start),
                            MODELGUARD_EDIT_NULL);
    }

    rewrite_want(rw, place);

    return MODELGUARD_OK;
}


/* a member's name has been read */

int
modelguard_rewrite_key(modelguard_rewrite_t *rw)
{
    int                        rc, drop;
    size_t                     off;
    modelguard_json_t         *json;
    const modelguard_place_t  *place;

    json = &rw->walk.json;
    place = &rw->conf.rules->places[rw->walk.state];

    off = json->after_comma ? modelguard_rewrite_comma(rw)
                            : modelguard_rewrite_start(rw);

    if (modelguard_hold_offset(&rw->hold, json->stop) - off > rw->conf.hold) {
        return MODELGUARD_TOO_BIG;
    }

    drop = place->value != NULL
           && place->value->treatment->op == MODELGUARD_DROP;

    rc = modelguard_rewrite_member(rw, json->depth, off, drop);

    rw->dropped = 1;

    return rc;
}


/*
 * A member or an element begins at "off", with its comma if it has one.  The
 * comma of the first that is kept goes when others before it were dropped.
 */

int
modelguard_rewrite_member(modelguard_rewrite_t *rw, unsigned depth,
    size_t off, int drop)
{
    int                 rc;
    uint64_t           *kept, bit;
    modelguard_json_t  *json;

    json = &rw->walk.json;

    if (drop) {
        return rewrite_drop(rw, off, MODELGUARD_EDIT_CUT);
    }

    rc = modelguard_scope_element(&rw->scopes, depth, off);
    if (rc != MODELGUARD_OK) {
        return rc;
    }

    kept = &rw->kept[depth / 64];
    bit = (uint64_t) 1 << (depth % 64);

    if (*kept & bit) {
        return MODELGUARD_OK;
    }

    *kept |= bit;

    return json->after_comma ? rewrite_uncomma(rw, off) : MODELGUARD_OK;
}


static int
rewrite_uncomma(modelguard_rewrite_t *rw, size_t off)
{
    int                 rc;
    modelguard_edit_t  *edit;

    edit = modelguard_hold_edit(&rw->hold, &rc);
    if (edit == NULL) {
        return rc;
    }

    edit->off = (uint32_t) off;
    edit->op = MODELGUARD_EDIT_COMMA;
    edit->frame = MODELGUARD_SCOPES_MAX;

    if (rw->scopes.holders) {
        return MODELGUARD_OK;
    }

    /* the comma may be in an earlier piece: let the edit do it */

    return modelguard_hold_send(&rw->hold, rw->walk.json.start
                                           ? rw->walk.json.start
                                           : rw->hold.from);
}


/* the value goes, from "off" on: nothing, or null, takes its place */

static int
rewrite_drop(modelguard_rewrite_t *rw, size_t off, modelguard_edit_op_e op)
{
    int                 rc;
    modelguard_edit_t  *edit;

    rw->dropping = 1;
    rw->drop_edit = MODELGUARD_EDIT_NONE;

    if (rw->scopes.holders) {
        edit = modelguard_hold_edit(&rw->hold, &rc);
        if (edit == NULL) {
            return rc;
        }

        edit->off = (uint32_t) off;
        edit->op = (uint8_t) op;
        edit->frame = MODELGUARD_SCOPES_MAX;

        rw->drop_edit = rw->hold.n - 1;

        return MODELGUARD_OK;
    }

    rc = modelguard_hold_send_to(&rw->hold, off);
    if (rc != MODELGUARD_OK) {
        return rc;
    }

    if (op == MODELGUARD_EDIT_NULL) {
        rw->hold.stat.treated++;

        return modelguard_hold_write(&rw->hold, (const uint8_t *) "null", 4);
    }

    rw->hold.stat.dropped++;

    return MODELGUARD_OK;
}


static void
rewrite_drop_end(modelguard_rewrite_t *rw)
{
    const uint8_t      *stop;
    modelguard_edit_t  *edit;

    stop = rw->walk.json.stop;

    rw->dropping = 0;

    if (rw->drop_edit == MODELGUARD_EDIT_NONE) {
        modelguard_hold_discard(&rw->hold, stop);
        return;
    }

    edit = &rw->hold.edits[rw->drop_edit];
    edit->len = (uint32_t) modelguard_hold_offset(&rw->hold, stop) - edit->off;
}


/* notes what the value's text is wanted for */

static void
rewrite_want(modelguard_rewrite_t *rw, const modelguard_place_t *place)
{
    unsigned                   i, depth;
    modelguard_json_type_e     type;
    const modelguard_json_t   *json;

    json = &rw->walk.json;
    type = json->type ? json->type : json->partial;

    if (type == MODELGUARD_JSON_OBJECT || type == MODELGUARD_JSON_ARRAY) {
        return;
    }

    depth = rewrite_value_depth(rw);
    rw->digits = DIGITS_NONE;
    rw->escape = ESCAPE_NONE;

    if (type == MODELGUARD_JSON_NUMBER
        && modelguard_scope_is_shape(&rw->scopes, depth))
    {
        rw->want = MODELGUARD_WANT_SHAPE;
        return;
    }

    rw->rule = modelguard_scope_rule(&rw->scopes, place, depth);

    if (rw->rule != NULL && type == MODELGUARD_JSON_NUMBER) {
        rw->want = MODELGUARD_WANT_NUMBER;
        return;
    }

    if (type != MODELGUARD_JSON_STRING) {
        return;
    }

    if (place->encoded != NULL) {
        rw->rule = place->encoded;
    }

    if (rw->rule != NULL) {
        rw->want = rw->rule->encoding ? MODELGUARD_WANT_ENCODED
                                      : MODELGUARD_WANT_NOTHING;
        return;
    }

    for (i = 0; i < place->nmarks; i++) {

        if (place->marks[i].part == MODELGUARD_PART_DATATYPE) {
            rw->want = MODELGUARD_WANT_DATATYPE;
            rw->mark = &place->marks[i];
            return;
        }
    }
}


/* a scalar is complete */

int
modelguard_rewrite_scalar(modelguard_rewrite_t *rw)
{
    int                 rc;
    modelguard_json_t  *json;

    json = &rw->walk.json;

    if (!rw->dropping) {

        if (rw->want != MODELGUARD_WANT_NOTHING) {
            rc = rewrite_wanted(rw);

        } else if (rw->rule != NULL && json->type == MODELGUARD_JSON_STRING) {
            rc = modelguard_rewrite_string(rw, json->stop);

        } else {
            rc = MODELGUARD_OK;
        }

        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    return modelguard_rewrite_end(rw);
}


static int
rewrite_wanted(modelguard_rewrite_t *rw)
{
    int                 rc;
    size_t              off, len;
    const uint8_t      *text;
    modelguard_json_t  *json;

    json = &rw->walk.json;

    off = modelguard_rewrite_start(rw);
    len = modelguard_hold_offset(&rw->hold, json->stop) - off;

    if (len > rw->conf.hold) {
        return MODELGUARD_TOO_BIG;
    }

    if (rw->want == MODELGUARD_WANT_NUMBER) {
        return modelguard_scope_number(&rw->scopes, rw->rule, json->depth, off,
                                       len, json->stop);
    }

    text = json->start;

    if (text == NULL) {
        text = modelguard_hold_join(&rw->hold, json->stop, &rc);
        if (text == NULL) {
            return rc;
        }

        text += off;
    }

    if (rw->want == MODELGUARD_WANT_ENCODED) {
        return modelguard_rewrite_encoded(rw, off, text, len);
    }

    if (rw->want == MODELGUARD_WANT_SHAPE) {
        modelguard_scope_dimension(&rw->scopes, text, len);
        return MODELGUARD_OK;
    }

    return modelguard_scope_datatype(&rw->scopes, rw->mark, text, len,
                                     json->stop);
}


/* a value, scalar or container, is complete */

int
modelguard_rewrite_end(modelguard_rewrite_t *rw)
{
    modelguard_json_t  *json;

    json = &rw->walk.json;

    rw->rule = NULL;
    rw->want = MODELGUARD_WANT_NOTHING;

    if (rw->dropping) {
        rewrite_drop_end(rw);
    }

    modelguard_scope_element_end(&rw->scopes, json->depth, json->stop);

    return MODELGUARD_OK;
}


/*
 * A string where a score is expected: harmless without a decimal fraction or
 * an exponent in it; else it cannot be let through and cannot be rounded.
 * Where an embedding is expected it is one, in an encoding nobody named.
 */

int
modelguard_rewrite_string(modelguard_rewrite_t *rw, const uint8_t *stop)
{
    uint8_t         c;
    unsigned        state;
    const uint8_t  *p;

    p = rw->walk.json.start != NULL ? rw->walk.json.start : rw->walk.piece;

    if (rw->rule->wordless) {
        return rewrite_is_empty(p, stop) ? MODELGUARD_OK
                                         : MODELGUARD_UNTREATABLE;
    }

    state = rw->digits;

    for ( /* void */ ; p < stop && state != DIGITS_FOUND; p++) {

        c = *p;

        if (c == '\\' && rw->escape == ESCAPE_NONE) {
            rw->escape = ESCAPE_BEGUN;
            rw->code = 0;
            continue;
        }

        if (rw->escape != ESCAPE_NONE && !rewrite_escape(rw, &c)) {
            continue;
        }

        state = rewrite_digits(state, c);
    }

    rw->digits = state;

    return state == DIGITS_FOUND ? MODELGUARD_UNTREATABLE : MODELGUARD_OK;
}


/* between the quotes; a part of a string may lack either */

static int
rewrite_is_empty(const uint8_t *p, const uint8_t *stop)
{
    for ( /* void */ ; p < stop; p++) {
        if (*p != '"') {
            return 0;
        }
    }

    return 1;
}


/*
 * The search goes on with c.  ".5" is a number, though not in "v.5", and so is
 * "5.e-01", as NumPy writes it.
 */

static unsigned
rewrite_digits(unsigned state, uint8_t c)
{
    if ((uint8_t) (c - '0') < 10) {
        return (state <= DIGITS_DIGIT) ? DIGITS_DIGIT : DIGITS_FOUND;
    }

    if (c == '.') {
        return (state == DIGITS_WORD) ? DIGITS_NONE : DIGITS_POINT;
    }

    if ((state == DIGITS_DIGIT || state == DIGITS_POINT)
        && (c | 0x20) == 'e')
    {
        return DIGITS_E;
    }

    if (state == DIGITS_E && (c == '-' || c == '+')) {
        return DIGITS_SIGN;
    }

    return (((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c >= 0x80)
           ? DIGITS_WORD : DIGITS_NONE;
}


/*
 * Goes on with an escape: returns 1 at its end, with the character if it may
 * be of a number and else with some other.
 */

static int
rewrite_escape(modelguard_rewrite_t *rw, uint8_t *c)
{
    unsigned  digit;

    if (rw->escape == ESCAPE_BEGUN) {

        if (*c == 'u') {
            rw->escape = ESCAPE_HEX;
            return 0;
        }

        rw->escape = ESCAPE_NONE;
        *c = '\\';

        return 1;
    }

    digit = *c;
    digit = (digit <= '9') ? digit - '0' : (digit | 0x20) - 'a' + 10;

    rw->code = rw->code << 4 | digit;

    if (++rw->escape < ESCAPE_HEX + 4) {
        return 0;
    }

    rw->escape = ESCAPE_NONE;
    *c = (rw->code < 0x80) ? (uint8_t) rw->code : '\\';

    return 1;
}


/* the depth of the container that the value is in */

static unsigned
rewrite_value_depth(const modelguard_rewrite_t *rw)
{
    const modelguard_json_t  *json;

    json = &rw->walk.json;

    if (json->type == MODELGUARD_JSON_OBJECT
        || json->type == MODELGUARD_JSON_ARRAY)
    {
        return json->depth - 1;
    }

    return json->depth;
}


size_t
modelguard_rewrite_start(const modelguard_rewrite_t *rw)
{
    const modelguard_json_t  *json;

    json = &rw->walk.json;

    return json->start != NULL
           ? modelguard_hold_offset(&rw->hold, json->start) : rw->token_off;
}


size_t
modelguard_rewrite_comma(const modelguard_rewrite_t *rw)
{
    const modelguard_json_t  *json;

    json = &rw->walk.json;

    return json->comma != NULL
           ? modelguard_hold_offset(&rw->hold, json->comma) : rw->comma_off;
}
