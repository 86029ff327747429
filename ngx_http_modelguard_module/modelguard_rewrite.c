
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_rewrite_value.h"


static int rewrite_run(modelguard_rewrite_t *rw);
static int rewrite_token(modelguard_rewrite_t *rw);
static int rewrite_is_plain(const modelguard_rewrite_t *rw);
static int rewrite_open(modelguard_rewrite_t *rw);
static int rewrite_cut(modelguard_rewrite_t *rw);
static void rewrite_metered(modelguard_rewrite_t *rw);
static size_t rewrite_cut_at(modelguard_rewrite_t *rw);


modelguard_rewrite_t *
modelguard_rewrite_create(const modelguard_rewrite_conf_t *conf)
{
    modelguard_rewrite_t  *rw;

    rw = conf->alloc(conf->alloc_data, NULL, 0, sizeof(modelguard_rewrite_t));
    if (rw == NULL) {
        return NULL;
    }

    rw->conf = *conf;

    memset(&rw->hold, 0, offsetof(modelguard_hold_t, out));
    rw->hold.conf = &rw->conf;

    rw->scopes.hold = &rw->hold;
    rw->inner = NULL;
    rw->before = NULL;

    modelguard_walk_init(&rw->walk, conf->rules->automaton, conf->depth);
    modelguard_rewrite_simd(rw, rw->walk.json.simd);

    modelguard_rewrite_reset(rw);

    return rw;
}


void
modelguard_rewrite_simd(modelguard_rewrite_t *rw,
    const modelguard_simd_t *simd)
{
    rw->walk.json.simd = simd;
    rw->hold.run.simd = modelguard_simd_numbers(simd->level);
}


void
modelguard_rewrite_meter(modelguard_rewrite_t *rw,
    modelguard_meter_read_t *before, modelguard_meter_read_t *after)
{
    rw->before = before;
    rw->hold.after = after;
}


void
modelguard_rewrite_reset(modelguard_rewrite_t *rw)
{
    rewrite_metered(rw);

    modelguard_walk_reset(&rw->walk, rw->conf.rules->automaton);

    rw->hold.raw_len = 0;
    rw->hold.from = NULL;
    rw->hold.n = 0;
    rw->hold.out_len = 0;
    rw->hold.texts_len = 0;
    rw->hold.run.active = 0;

    rw->scopes.n = 0;
    rw->scopes.holders = 0;

    rw->error = MODELGUARD_OK;
    rw->end = NULL;
    rw->token_off = 0;
    rw->comma_off = 0;
    rw->rule = NULL;
    rw->mark = NULL;
    rw->want = MODELGUARD_WANT_NOTHING;
    rw->digits = 0;
    rw->escape = 0;
    rw->code = 0;
    rw->one = 0;
    rw->skipping = 0;
    rw->dropping = 0;
    rw->dropped = 0;
    rw->skip_depth = 0;
    rw->drop_edit = MODELGUARD_EDIT_NONE;

    memset(rw->kept, 0, sizeof(rw->kept));
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

    if (rw->before != NULL) {
        modelguard_meter_read_feed(rw->before, bytes, len);
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
modelguard_rewrite_feed_one(modelguard_rewrite_t *rw, const uint8_t *bytes,
    size_t len, size_t *used)
{
    int             rc;
    const uint8_t  *p;

    *used = len;

    if (rw->error) {
        return rw->error;
    }

    if (len == 0) {
        return MODELGUARD_AGAIN;
    }

    rw->end = bytes + len;
    rw->hold.from = bytes;
    rw->one = 1;

    modelguard_walk_feed(&rw->walk, bytes, len);

    rc = rewrite_run(rw);

    if (rw->before != NULL) {
        modelguard_meter_read_feed(rw->before, bytes,
                                   (size_t) (rw->walk.json.p - bytes));
    }

    if (rc == MODELGUARD_AGAIN) {
        rc = rewrite_cut(rw);

        if (rc == MODELGUARD_OK) {
            rc = modelguard_hold_flush(&rw->hold);
        }

        rw->error = rc;

        return rc == MODELGUARD_OK ? MODELGUARD_AGAIN : rc;
    }

    p = rw->walk.json.p;

    if (rc == MODELGUARD_OK) {
        rc = modelguard_hold_send(&rw->hold, p);
    }

    if (rc == MODELGUARD_OK) {
        rc = modelguard_hold_flush(&rw->hold);
    }

    rw->error = rc;

    if (rc == MODELGUARD_OK) {
        *used = (size_t) (p - bytes);
        rw->error = MODELGUARD_MALFORMED;
        rw->end = p;
    }

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

    } else if (rc == MODELGUARD_MALFORMED) {

        /* a space is wrong nowhere but inside a token */

        rc = MODELGUARD_TRUNCATED;
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

    rewrite_metered(rw);

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
    rw->hold.run.active = 0;

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

    if (rw->inner != NULL) {
        modelguard_rewrite_free(rw->inner);
    }

    modelguard_hold_free(&rw->hold);

    (void) conf.alloc(conf.alloc_data, rw, sizeof(modelguard_rewrite_t), 0);
}


/* MODELGUARD_OK only for rw->one */

static int
rewrite_run(modelguard_rewrite_t *rw)
{
    int                 rc;
    modelguard_json_t  *json;

    json = &rw->walk.json;

    for ( ;; ) {

        if (rw->skipping) {
            rc = modelguard_json_skip(json, rw->skip_depth);

            if (rc == MODELGUARD_OK) {
                rw->skipping = 0;
                rc = modelguard_rewrite_end(rw);
            }

        } else {
            rc = modelguard_walk_next(&rw->walk);

            if (rc == MODELGUARD_OK) {
                rc = rewrite_token(rw);
            }

            if (rc == MODELGUARD_OK && modelguard_rewrite_is_run(rw)) {
                rc = modelguard_rewrite_numbers(rw);
            }
        }

        if (rc == MODELGUARD_OK && rewrite_is_plain(rw)) {
            rc = modelguard_rewrite_plain(rw);
        }

        if (rc != MODELGUARD_OK) {
            return rc;
        }

        if (rw->one && json->depth == 0
            && modelguard_json_finish(json) == MODELGUARD_OK)
        {
            return MODELGUARD_OK;
        }
    }
}


int
modelguard_rewrite_is_run(const modelguard_rewrite_t *rw)
{
    uint16_t                   state;
    const modelguard_json_t   *json;
    const modelguard_scope_t  *scope;
    const modelguard_place_t  *place;

    json = &rw->walk.json;

    if (json->type != MODELGUARD_JSON_NUMBER || rw->scopes.n == 0) {
        return 0;
    }

    scope = &rw->scopes.scopes[rw->scopes.n - 1];

    if (scope->kind != MODELGUARD_SCOPE_ARRAY || scope->depth != json->depth
        || !(scope->rule->vector ? scope->holder : rw->scopes.holders == 0)
        || modelguard_scope_ranged(&rw->scopes, json->depth) != NULL)
    {
        return 0;
    }

    /* the state of all elements that follow, once it is known */

    state = rw->walk.elements[json->depth];

    if (state == MODELGUARD_AUTOMATON_UNDECIDED) {
        return 0;
    }

    place = &rw->conf.rules->places[state];

    return place->value == NULL
           || place->value->treatment == scope->rule->treatment;
}


/* whether something may follow that needs no more than a look */

static int
rewrite_is_plain(const modelguard_rewrite_t *rw)
{
    const modelguard_json_t  *json;

    json = &rw->walk.json;

    return (json->state == MODELGUARD_JSON_AFTER_VALUE
            || json->state == MODELGUARD_JSON_KEY_OR_END
            || json->state == MODELGUARD_JSON_VALUE_OR_END)
           && !rw->skipping && !rw->dropping;
}


static int
rewrite_token(modelguard_rewrite_t *rw)
{
    int                 rc;
    modelguard_json_t  *json;

    json = &rw->walk.json;

    switch (json->type) {

    case MODELGUARD_JSON_KEY:
        return modelguard_rewrite_key(rw);

    case MODELGUARD_JSON_OBJECT_END:
    case MODELGUARD_JSON_ARRAY_END:

        rc = modelguard_scope_close(&rw->scopes, json->depth + 1, json->stop);

        return rc == MODELGUARD_OK ? modelguard_rewrite_end(rw) : rc;

    default:
        break;
    }

    if (rw->walk.fresh) {
        rc = modelguard_rewrite_value(rw);
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    if (json->type == MODELGUARD_JSON_OBJECT
        || json->type == MODELGUARD_JSON_ARRAY)
    {
        return rewrite_open(rw);
    }

    return modelguard_rewrite_scalar(rw);
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


/* the piece ends: what cannot be sent yet is put aside */

static int
rewrite_cut(modelguard_rewrite_t *rw)
{
    int                 rc;
    size_t              at;
    modelguard_json_t  *json;

    json = &rw->walk.json;

    if (rw->walk.fresh && !rw->skipping) {
        rc = modelguard_rewrite_value(rw);
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    if (!rw->dropping && rw->rule != NULL
        && rw->want == MODELGUARD_WANT_NOTHING
        && json->partial == MODELGUARD_JSON_STRING)
    {
        rc = modelguard_rewrite_string(rw, rw->end);
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


/* a document is over, as it came and as it left */

static void
rewrite_metered(modelguard_rewrite_t *rw)
{
    if (rw->before != NULL) {
        modelguard_meter_read_end(rw->before);
    }

    if (rw->hold.after != NULL) {
        modelguard_meter_read_end(rw->hold.after);
    }
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

    } else if (rw->want != MODELGUARD_WANT_NOTHING) {
        return rw->token_off;
    }

    return modelguard_hold_offset(&rw->hold, rw->end);
}
