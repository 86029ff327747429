
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_rewrite_value.h"
#include "modelguard_json_run.h"


static int members_name(modelguard_rewrite_t *rw, const uint8_t **pos,
    uint16_t *state);
static int members_value(modelguard_rewrite_t *rw, const uint8_t *p,
    uint16_t state);
static int members_number(modelguard_rewrite_t *rw, const uint8_t *p,
    const modelguard_rule_t *rule);
static int members_container(modelguard_rewrite_t *rw, const uint8_t *p);


/* of one member: it was taken; it was not, or is not whole */

#define MEMBERS_TAKEN  MODELGUARD_OK
#define MEMBERS_LEFT   MODELGUARD_AGAIN


int
modelguard_rewrite_members(modelguard_rewrite_t *rw)
{
    int                  rc;
    uint16_t             state;
    unsigned             depth;
    const uint8_t       *p;
    modelguard_json_t   *json;
    modelguard_scope_t  *scope;

    json = &rw->walk.json;
    depth = json->depth;

    /* members that have ranges, or belong to a vector, have more to be done */

    if (rw->scopes.n) {
        scope = &rw->scopes.scopes[rw->scopes.n - 1];

        if (scope->depth == depth) {
            return MODELGUARD_OK;
        }
    }

    do {
        p = json->p;

        rc = members_name(rw, &p, &state);

        if (rc == MEMBERS_TAKEN) {
            rc = members_value(rw, p, state);
        }

    } while (rc == MEMBERS_TAKEN && !rw->skipping);

    return rc == MEMBERS_LEFT ? MODELGUARD_OK : rc;
}


/* a member's comma, its name and its colon; *pos becomes where it goes on */

static int
members_name(modelguard_rewrite_t *rw, const uint8_t **pos, uint16_t *state)
{
    unsigned            escaped;
    uint64_t           *kept, bit;
    const uint8_t      *p, *start, *name;
    modelguard_json_t  *json;

    json = &rw->walk.json;
    kept = &rw->kept[json->depth / 64];
    bit = (uint64_t) 1 << (json->depth % 64);

    p = modelguard_json_run_space(*pos, json->end);
    start = p;

    if (json->state == MODELGUARD_JSON_AFTER_VALUE) {

        /* a comma behind members that were dropped goes, too */

        if (p == json->end || *p != ',' || (*kept & bit) == 0) {
            return MEMBERS_LEFT;
        }

        p = modelguard_json_run_space(p + 1, json->end);
    }

    if (p == json->end || *p != '"') {
        return MEMBERS_LEFT;
    }

    name = p + 1;
    escaped = 0;

    p = modelguard_json_run_string(json, p, &escaped);

    if (p == NULL || escaped || (size_t) (p - start) > rw->conf.hold) {
        return MEMBERS_LEFT;
    }

    *state = modelguard_automaton_member(rw->walk.automaton,
                                         rw->walk.states[json->depth], name,
                                         (size_t) (p - 1 - name));

    if (*state == MODELGUARD_AUTOMATON_UNDECIDED) {
        return MEMBERS_LEFT;
    }

    *pos = modelguard_json_run_colon(p, json->end);

    return *pos == NULL ? MEMBERS_LEFT : MEMBERS_TAKEN;
}


/* the value at p, if there is nothing to be done but with its number */

static int
members_value(modelguard_rewrite_t *rw, const uint8_t *p, uint16_t state)
{
    modelguard_json_t         *json;
    const modelguard_place_t  *place;

    json = &rw->walk.json;
    place = &rw->conf.rules->places[state];

    if (place->nmarks || place->encoded != NULL) {
        return MEMBERS_LEFT;
    }

    if (place->value != NULL) {
        return members_number(rw, p, place->value);
    }

    if (*p == '[' || *p == '{') {

        return state == MODELGUARD_AUTOMATON_DEAD ? members_container(rw, p)
                                                  : MEMBERS_LEFT;
    }

    p = modelguard_json_run_scalar(json, p);

    if (p == NULL) {
        return MEMBERS_LEFT;
    }

    json->p = p;
    json->state = MODELGUARD_JSON_AFTER_VALUE;

    rw->kept[json->depth / 64] |= (uint64_t) 1 << (json->depth % 64);

    return MEMBERS_TAKEN;
}


static int
members_number(modelguard_rewrite_t *rw, const uint8_t *p,
    const modelguard_rule_t *rule)
{
    int                 exponent;
    const uint8_t      *stop;
    modelguard_json_t  *json;

    json = &rw->walk.json;

    if (rule->treatment->op == MODELGUARD_DROP
        || rule->treatment->op == MODELGUARD_NULL
        || (*p != '-' && (uint8_t) (*p - '0') >= 10))
    {
        return MEMBERS_LEFT;
    }

    stop = modelguard_scan_number(p, json->end, &exponent);

    if (stop == NULL || (size_t) (stop - p) > rw->conf.hold) {
        return MEMBERS_LEFT;
    }

    json->p = stop;
    json->state = MODELGUARD_JSON_AFTER_VALUE;

    rw->kept[json->depth / 64] |= (uint64_t) 1 << (json->depth % 64);

    return modelguard_scope_number(&rw->scopes, rule, json->depth,
                                   modelguard_hold_offset(&rw->hold, p),
                                   (size_t) (stop - p), stop);
}


/* a container that no rule reaches into, to its end if that is at hand */

static int
members_container(modelguard_rewrite_t *rw, const uint8_t *p)
{
    int                 object;
    unsigned            depth;
    const uint8_t      *q;
    modelguard_json_t  *json;

    json = &rw->walk.json;
    depth = json->depth;

    if (depth == json->limit) {
        return MEMBERS_LEFT;
    }

    rw->kept[depth / 64] |= (uint64_t) 1 << (depth % 64);

    object = (*p == '{');

    if (!object) {
        q = modelguard_scan_small(p + 1, json->end);

        if (q != NULL) {
            json->p = q;
            json->state = MODELGUARD_JSON_AFTER_VALUE;

            return MEMBERS_TAKEN;
        }
    }

    json->depth++;
    json->p = p + 1;
    json->state = object ? MODELGUARD_JSON_KEY_OR_END
                         : MODELGUARD_JSON_VALUE_OR_END;

    modelguard_json_set_object(json, object);
    modelguard_json_run(json, depth);

    p = modelguard_json_run_space(json->p, json->end);

    if (json->depth == depth + 1 && p < json->end
        && *p == (object ? '}' : ']'))
    {
        json->depth = depth;
        json->p = p + 1;
        json->state = MODELGUARD_JSON_AFTER_VALUE;

        return MEMBERS_TAKEN;
    }

    rw->skipping = 1;
    rw->skip_depth = depth;

    return MEMBERS_TAKEN;
}
