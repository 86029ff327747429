
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_rewrite.h"
#include "modelguard_walk.h"
#include "modelguard_hold.h"
#include "modelguard_scope.h"


/* what the text of the value that begins is wanted for */

#define WANT_NOTHING   0
#define WANT_NUMBER    1
#define WANT_SHAPE     2
#define WANT_DATATYPE  3

/* states of the search for a number inside a string */

#define DIGITS_NONE    0
#define DIGITS_DIGIT   1
#define DIGITS_POINT   2
#define DIGITS_E       3
#define DIGITS_SIGN    4
#define DIGITS_FOUND   5


struct modelguard_rewrite_s {
    modelguard_rewrite_conf_t  conf;
    modelguard_walk_t          walk;
    modelguard_hold_t          hold;
    modelguard_scopes_t        scopes;

    int                        error;
    const uint8_t             *end;         /* of the piece */

    /* of the token that is cut, or the comma before it */

    size_t                     token_off;
    size_t                     comma_off;

    const modelguard_rule_t   *rule;        /* of the value, if it is to be
                                               treated as a number */
    const modelguard_mark_t   *mark;        /* of a datatype */
    unsigned                   want;
    unsigned                   digits;      /* in the string that is cut */

    unsigned                   skipping:1;  /* a container, to its end */
    unsigned                   dropping:1;  /* the value goes */
    unsigned                   dropped:1;   /* its beginning was dealt with */
    unsigned                   skip_depth;
    uint32_t                   drop_edit;   /* in what is held */

    /* by depth: a member or an element has been kept */

    uint64_t                   kept[MODELGUARD_JSON_DEPTH_MAX / 64 + 1];
};


static int rewrite_run(modelguard_rewrite_t *rw);
static int rewrite_token(modelguard_rewrite_t *rw);
static int rewrite_key(modelguard_rewrite_t *rw);
static int rewrite_value(modelguard_rewrite_t *rw);
static int rewrite_member(modelguard_rewrite_t *rw, unsigned depth,
    size_t off, int drop);
static int rewrite_uncomma(modelguard_rewrite_t *rw, size_t off);
static int rewrite_drop(modelguard_rewrite_t *rw, size_t off,
    modelguard_edit_op_e op);
static int rewrite_drop_end(modelguard_rewrite_t *rw);
static void rewrite_want(modelguard_rewrite_t *rw,
    const modelguard_place_t *place);
static int rewrite_open(modelguard_rewrite_t *rw);
static int rewrite_scalar(modelguard_rewrite_t *rw);
static int rewrite_wanted(modelguard_rewrite_t *rw);
static int rewrite_end(modelguard_rewrite_t *rw);
static int rewrite_string(modelguard_rewrite_t *rw, const uint8_t *stop);
static int rewrite_cut(modelguard_rewrite_t *rw);
static size_t rewrite_cut_at(modelguard_rewrite_t *rw);
static unsigned rewrite_value_depth(const modelguard_rewrite_t *rw);
static size_t rewrite_start(const modelguard_rewrite_t *rw);
static size_t rewrite_comma(const modelguard_rewrite_t *rw);


modelguard_rewrite_t *
modelguard_rewrite_create(const modelguard_rewrite_conf_t *conf)
{
    modelguard_rewrite_t  *rw;

    rw = conf->alloc(conf->alloc_data, NULL, 0, sizeof(modelguard_rewrite_t));
    if (rw == NULL) {
        return NULL;
    }

    rw->conf = *conf;

    modelguard_walk_init(&rw->walk, conf->rules->automaton, conf->depth);

    memset(&rw->hold, 0, offsetof(modelguard_hold_t, out));
    rw->hold.conf = &rw->conf;

    rw->scopes.hold = &rw->hold;
    rw->scopes.n = 0;
    rw->scopes.holders = 0;

    rw->error = MODELGUARD_OK;
    rw->end = NULL;
    rw->token_off = 0;
    rw->comma_off = 0;
    rw->rule = NULL;
    rw->mark = NULL;
    rw->want = WANT_NOTHING;
    rw->digits = DIGITS_NONE;
    rw->skipping = 0;
    rw->dropping = 0;
    rw->dropped = 0;
    rw->skip_depth = 0;
    rw->drop_edit = MODELGUARD_EDIT_NONE;

    memset(rw->kept, 0, sizeof(rw->kept));

    return rw;
}


int
modelguard_rewrite_feed(modelguard_rewrite_t *rw, const uint8_t *bytes,
    size_t len)
{
    int  rc;

    if (rw->error) {
        return rw->error;
    }

    if (len == 0) {
        return MODELGUARD_OK;
    }

    rw->end = bytes + len;
    rw->hold.from = bytes;

    modelguard_walk_feed(&rw->walk, bytes, len);

    rc = rewrite_run(rw);

    if (rc == MODELGUARD_AGAIN) {
        rc = rewrite_cut(rw);
    }

    if (rc == MODELGUARD_OK) {
        rc = modelguard_hold_flush(&rw->hold);
    }

    rw->error = rc;

    return rc;
}


int
modelguard_rewrite_finish(modelguard_rewrite_t *rw)
{
    int  rc;

    static const uint8_t  space = ' ';

    if (rw->error) {
        return rw->error;
    }

    /* a number at the root ends with the input; the space is not sent */

    rw->end = &space + 1;
    rw->hold.from = &space;

    modelguard_walk_feed(&rw->walk, &space, 1);

    rc = rewrite_run(rw);

    if (rc == MODELGUARD_AGAIN) {
        rc = modelguard_json_finish(&rw->walk.json);
    }

    if (rc == MODELGUARD_OK) {
        rc = modelguard_hold_send(&rw->hold, &space);
    }

    if (rc == MODELGUARD_OK) {
        rc = modelguard_hold_flush(&rw->hold);
    }

    /* nothing may follow, and nothing is left to pass */

    rw->error = (rc == MODELGUARD_OK) ? MODELGUARD_MALFORMED : rc;
    rw->end = &space;

    return rc;
}


int
modelguard_rewrite_pass(modelguard_rewrite_t *rw)
{
    int  rc;

    /* an error of the sink itself leaves nothing to be done */

    if (rw->error == MODELGUARD_SINK || rw->end == NULL) {
        return rw->error == MODELGUARD_SINK ? MODELGUARD_SINK : MODELGUARD_OK;
    }

    rw->hold.n = 0;

    rc = modelguard_hold_send(&rw->hold, rw->end);

    if (rc == MODELGUARD_OK) {
        rc = modelguard_hold_flush(&rw->hold);
    }

    rw->end = NULL;

    return rc;
}


const modelguard_rewrite_stat_t *
modelguard_rewrite_stat(const modelguard_rewrite_t *rw)
{
    return &rw->hold.stat;
}


const char *
modelguard_rewrite_error(int rc)
{
    static const char  *errors[] = {
        "no error",
        "more input is needed",
        "malformed JSON",
        "truncated JSON",
        "JSON nested too deep",
        "a score vector too big to hold",
        "a score in a string",
        "a member name that no pattern could be matched with",
        "not enough memory",
        "the output was refused",
        "a number out of range",
        "an invalid argument"
    };

    if (rc < 0 || rc > MODELGUARD_INVALID) {
        rc = MODELGUARD_INVALID;
    }

    return errors[rc];
}


void
modelguard_rewrite_free(modelguard_rewrite_t *rw)
{
    modelguard_rewrite_conf_t  conf;

    conf = rw->conf;

    modelguard_hold_free(&rw->hold);

    (void) conf.alloc(conf.alloc_data, rw, sizeof(modelguard_rewrite_t), 0);
}


static int
rewrite_run(modelguard_rewrite_t *rw)
{
    int  rc;

    for ( ;; ) {

        if (rw->skipping) {
            rc = modelguard_json_skip(&rw->walk.json, rw->skip_depth);

            if (rc == MODELGUARD_OK) {
                rw->skipping = 0;
                rc = rewrite_end(rw);
            }

        } else {
            rc = modelguard_walk_next(&rw->walk);

            if (rc == MODELGUARD_OK) {
                rc = rewrite_token(rw);
            }
        }

        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }
}


static int
rewrite_token(modelguard_rewrite_t *rw)
{
    int                 rc;
    modelguard_json_t  *json;

    json = &rw->walk.json;

    switch (json->type) {

    case MODELGUARD_JSON_KEY:
        return rewrite_key(rw);

    case MODELGUARD_JSON_OBJECT_END:
    case MODELGUARD_JSON_ARRAY_END:

        rc = modelguard_scope_close(&rw->scopes, json->depth + 1, json->stop);

        return rc == MODELGUARD_OK ? rewrite_end(rw) : rc;

    default:
        break;
    }

    if (rw->walk.fresh) {
        rc = rewrite_value(rw);
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    if (json->type == MODELGUARD_JSON_OBJECT
        || json->type == MODELGUARD_JSON_ARRAY)
    {
        return rewrite_open(rw);
    }

    return rewrite_scalar(rw);
}


static int
rewrite_key(modelguard_rewrite_t *rw)
{
    int                        rc, drop;
    size_t                     off;
    modelguard_json_t         *json;
    const modelguard_place_t  *place;

    json = &rw->walk.json;
    place = &rw->conf.rules->places[rw->walk.state];

    off = json->after_comma ? rewrite_comma(rw) : rewrite_start(rw);

    if (modelguard_hold_offset(&rw->hold, json->stop) - off > rw->conf.hold) {
        return MODELGUARD_TOO_BIG;
    }

    drop = place->value != NULL
           && place->value->treatment->op == MODELGUARD_DROP;

    rc = rewrite_member(rw, json->depth, off, drop);

    rw->dropped = 1;

    return rc;
}


/* a value begins, with its whole token or with the part that is there */

static int
rewrite_value(modelguard_rewrite_t *rw)
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

    rw->want = WANT_NOTHING;
    rw->rule = NULL;

    drop = place->value != NULL
           && place->value->treatment->op == MODELGUARD_DROP;

    if (!rw->dropped && depth > 0) {
        off = json->after_comma ? rewrite_comma(rw) : start;

        if (start - off > rw->conf.hold) {
            return MODELGUARD_TOO_BIG;
        }

        rc = rewrite_member(rw, depth, off, drop);
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


/*
 * A member or an element begins at "off", with its comma if it has one.  The
 * comma of the first that is kept goes when others before it were dropped.
 */

static int
rewrite_member(modelguard_rewrite_t *rw, unsigned depth, size_t off, int drop)
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


static int
rewrite_drop_end(modelguard_rewrite_t *rw)
{
    const uint8_t      *stop;
    modelguard_edit_t  *edit;

    stop = rw->walk.json.stop;

    rw->dropping = 0;

    if (rw->drop_edit == MODELGUARD_EDIT_NONE) {
        modelguard_hold_discard(&rw->hold, stop);
        return MODELGUARD_OK;
    }

    edit = &rw->hold.edits[rw->drop_edit];
    edit->len = (uint32_t) modelguard_hold_offset(&rw->hold, stop) - edit->off;

    return MODELGUARD_OK;
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

    if (type == MODELGUARD_JSON_NUMBER
        && modelguard_scope_is_shape(&rw->scopes, depth))
    {
        rw->want = WANT_SHAPE;
        return;
    }

    rw->rule = modelguard_scope_rule(&rw->scopes, place, depth);

    if (rw->rule != NULL) {
        rw->want = (type == MODELGUARD_JSON_NUMBER) ? WANT_NUMBER
                                                    : WANT_NOTHING;
        return;
    }

    for (i = 0; i < place->nmarks; i++) {

        if (place->marks[i].part == MODELGUARD_PART_DATATYPE
            && type == MODELGUARD_JSON_STRING)
        {
            rw->want = WANT_DATATYPE;
            rw->mark = &place->marks[i];
            return;
        }
    }
}


/* a container has begun */

static int
rewrite_open(modelguard_rewrite_t *rw)
{
    int                        rc, is_object;
    modelguard_json_t         *json;
    const modelguard_place_t  *place;

    json = &rw->walk.json;

    rw->kept[json->depth / 64] &= ~((uint64_t) 1 << (json->depth % 64));
    rw->skip_depth = json->depth - 1;

    if (rw->dropping) {
        rw->skipping = 1;
        return MODELGUARD_OK;
    }

    is_object = (json->type == MODELGUARD_JSON_OBJECT);
    place = &rw->conf.rules->places[rw->walk.state];

    rc = modelguard_scope_open(&rw->scopes, place, json->depth, is_object,
                               json->stop);
    if (rc != MODELGUARD_OK) {
        return rc;
    }

    /* a container that no rule reaches into is checked and copied whole */

    if (modelguard_walk_is_dead(&rw->walk)
        && (rw->scopes.n == 0
            || rw->scopes.scopes[rw->scopes.n - 1].depth != json->depth))
    {
        rw->skipping = 1;
    }

    return MODELGUARD_OK;
}


/* a scalar is complete */

static int
rewrite_scalar(modelguard_rewrite_t *rw)
{
    int                 rc;
    modelguard_json_t  *json;

    json = &rw->walk.json;

    if (!rw->dropping) {

        if (rw->want != WANT_NOTHING) {
            rc = rewrite_wanted(rw);

        } else if (rw->rule != NULL && json->type == MODELGUARD_JSON_STRING) {
            rc = rewrite_string(rw, json->stop);

        } else {
            rc = MODELGUARD_OK;
        }

        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    return rewrite_end(rw);
}


static int
rewrite_wanted(modelguard_rewrite_t *rw)
{
    int                 rc;
    size_t              off, len;
    const uint8_t      *text;
    modelguard_json_t  *json;

    json = &rw->walk.json;

    off = rewrite_start(rw);
    len = modelguard_hold_offset(&rw->hold, json->stop) - off;

    if (rw->want == WANT_NUMBER) {

        if (len > rw->conf.hold) {
            return MODELGUARD_TOO_BIG;
        }

        return modelguard_scope_number(&rw->scopes, rw->rule, json->depth, off,
                                       json->stop);
    }

    text = json->start;

    if (text == NULL) {
        text = modelguard_hold_join(&rw->hold, json->stop, &rc);
        if (text == NULL) {
            return rc;
        }

        text += off;
    }

    if (rw->want == WANT_SHAPE) {
        modelguard_scope_dimension(&rw->scopes, text, len);
        return MODELGUARD_OK;
    }

    return modelguard_scope_datatype(&rw->scopes, rw->mark, text, len,
                                     json->stop);
}


/* a value, scalar or container, is complete */

static int
rewrite_end(modelguard_rewrite_t *rw)
{
    int                 rc;
    modelguard_json_t  *json;

    json = &rw->walk.json;

    rw->rule = NULL;
    rw->want = WANT_NOTHING;

    if (rw->dropping) {
        rc = rewrite_drop_end(rw);
        if (rc != MODELGUARD_OK) {
            return rc;
        }

        /* a null that stands for a value is an element all the same */
    }

    modelguard_scope_element_end(&rw->scopes, json->depth, json->stop);

    return MODELGUARD_OK;
}


/*
 * A string where a score is expected: harmless without a decimal fraction or
 * an exponent in it; else it cannot be let through and cannot be rounded.
 */

static int
rewrite_string(modelguard_rewrite_t *rw, const uint8_t *stop)
{
    uint8_t         c;
    unsigned        state;
    const uint8_t  *p;

    p = rw->walk.json.start != NULL ? rw->walk.json.start : rw->walk.piece;
    state = rw->digits;

    for ( /* void */ ; p < stop && state != DIGITS_FOUND; p++) {

        c = *p;

        if ((uint8_t) (c - '0') < 10) {
            state = (state <= DIGITS_DIGIT) ? DIGITS_DIGIT : DIGITS_FOUND;

        } else if (state == DIGITS_DIGIT && c == '.') {
            state = DIGITS_POINT;

        } else if (state == DIGITS_DIGIT && (c | 0x20) == 'e') {
            state = DIGITS_E;

        } else if (state == DIGITS_E && (c == '-' || c == '+')) {
            state = DIGITS_SIGN;

        } else {
            state = DIGITS_NONE;
        }
    }

    rw->digits = state;

    return state == DIGITS_FOUND ? MODELGUARD_UNTREATABLE : MODELGUARD_OK;
}


/* the piece ends: what cannot be sent yet is put aside */

static int
rewrite_cut(modelguard_rewrite_t *rw)
{
    int                 rc;
    size_t              at;
    modelguard_json_t  *json;

    json = &rw->walk.json;

    if (rw->walk.fresh && !rw->skipping) {
        rc = rewrite_value(rw);
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    if (!rw->dropping && rw->rule != NULL
        && json->partial == MODELGUARD_JSON_STRING)
    {
        rc = rewrite_string(rw, rw->end);
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    if (rw->dropping && rw->scopes.holders == 0) {
        modelguard_hold_discard(&rw->hold, rw->end);
        return MODELGUARD_OK;
    }

    if (json->partial && json->start != NULL) {
        rw->token_off = modelguard_hold_offset(&rw->hold, json->start);
    }

    if (json->after_comma && json->comma != NULL) {
        rw->comma_off = modelguard_hold_offset(&rw->hold, json->comma);
    }

    if (rw->scopes.holders == 0) {
        at = rewrite_cut_at(rw);

        rc = modelguard_hold_send_to(&rw->hold, at);
        if (rc != MODELGUARD_OK) {
            return rc;
        }

        rw->token_off -= at;
        rw->comma_off -= at;
    }

    return modelguard_hold_stash(&rw->hold, rw->end);
}


/* the offset from which on nothing may be sent */

static size_t
rewrite_cut_at(modelguard_rewrite_t *rw)
{
    const modelguard_json_t  *json;

    json = &rw->walk.json;

    if (rw->skipping) {
        return modelguard_hold_offset(&rw->hold, rw->end);
    }

    if (json->partial == MODELGUARD_JSON_NONE
        || json->partial == MODELGUARD_JSON_KEY)
    {
        if (json->after_comma && json->type == MODELGUARD_JSON_NONE) {
            return rw->comma_off;
        }

        if (json->partial == MODELGUARD_JSON_KEY) {
            return rw->token_off;
        }

    } else if (rw->want != WANT_NOTHING) {
        return rw->token_off;
    }

    return modelguard_hold_offset(&rw->hold, rw->end);
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


static size_t
rewrite_start(const modelguard_rewrite_t *rw)
{
    const modelguard_json_t  *json;

    json = &rw->walk.json;

    return json->start != NULL
           ? modelguard_hold_offset(&rw->hold, json->start) : rw->token_off;
}


static size_t
rewrite_comma(const modelguard_rewrite_t *rw)
{
    const modelguard_json_t  *json;

    json = &rw->walk.json;

    return json->comma != NULL
           ? modelguard_hold_offset(&rw->hold, json->comma) : rw->comma_off;
}
