
/*
 * Copyright (C) the modelguard authors
 *
 * What lies between the values that are treated.  Everything here is taken
 * from bytes at hand, one member or element after another, and changes the
 * tokenizer, the walk and the rewriter as their own steps would have; what is
 * not whole, or is not plain, is left to them from its comma on.
 */


#include "modelguard_rewrite_value.h"
#include "modelguard_json_run.h"


/* of one step: it was taken; it was not; a part of it was, and all is as
   after a token */

#define PLAIN_TAKEN  MODELGUARD_OK
#define PLAIN_LEFT   MODELGUARD_AGAIN
#define PLAIN_PART   (-1)


static int plain_step(modelguard_rewrite_t *rw, unsigned bottom);
static int plain_members(modelguard_rewrite_t *rw, const uint8_t *start,
    const uint8_t *p, int object);
static const uint8_t *plain_name(modelguard_rewrite_t *rw, const uint8_t *p,
    uint16_t *state);
static int plain_element(modelguard_rewrite_t *rw, uint16_t *state);
static int plain_value(modelguard_rewrite_t *rw, const uint8_t *p,
    uint16_t state);
static int plain_left(modelguard_rewrite_t *rw, const uint8_t *start,
    const uint8_t *p, uint16_t state);
static int plain_drop(modelguard_rewrite_t *rw, const uint8_t *p);
static int plain_treat(modelguard_rewrite_t *rw, const uint8_t *p,
    uint16_t state, const modelguard_place_t *place);
static int plain_number(modelguard_rewrite_t *rw, const uint8_t *p,
    const modelguard_rule_t *rule);
static int plain_vector(modelguard_rewrite_t *rw, const uint8_t *p,
    uint16_t state, const modelguard_place_t *place);
static int plain_first(modelguard_rewrite_t *rw,
    const modelguard_rule_t *rule, const uint8_t *p, const uint8_t *stop);
static int plain_open(modelguard_rewrite_t *rw, const uint8_t *p,
    uint16_t state);
static void plain_push(modelguard_rewrite_t *rw, const uint8_t *p,
    uint16_t state, int object);
static int plain_pop(modelguard_rewrite_t *rw, unsigned depth);
static int plain_skip(modelguard_rewrite_t *rw);
static void plain_keep(modelguard_rewrite_t *rw);


int
modelguard_rewrite_plain(modelguard_rewrite_t *rw)
{
    int       rc;
    unsigned  bottom;

    /* members and elements of a vector have ranges, or are of it */

    bottom = rw->scopes.n ? rw->scopes.scopes[rw->scopes.n - 1].depth : 0;

    do {
        if (rw->walk.json.depth == bottom) {
            return MODELGUARD_OK;
        }

        rc = plain_step(rw, bottom);

    } while (rc == PLAIN_TAKEN && !rw->skipping);

    return (rc == PLAIN_LEFT || rc == PLAIN_PART) ? MODELGUARD_OK : rc;
}


/* a member, an element, or the end of a container that is not at "bottom" */

static int
plain_step(modelguard_rewrite_t *rw, unsigned bottom)
{
    int                 object;
    const uint8_t      *p, *start;
    modelguard_json_t  *json;

    json = &rw->walk.json;
    object = modelguard_json_in_object(json);

    p = modelguard_json_run_space(json->p, json->end);

    if (p == json->end) {
        return PLAIN_LEFT;
    }

    if (*p == (object ? '}' : ']')) {

        if (json->depth - 1 != bottom) {
            json->depth--;
            json->p = p + 1;
            json->state = MODELGUARD_JSON_AFTER_VALUE;

            return PLAIN_TAKEN;
        }

        if (bottom) {
            return PLAIN_LEFT;
        }

        json->depth = 0;
        json->p = p + 1;
        json->type = object ? MODELGUARD_JSON_OBJECT_END
                            : MODELGUARD_JSON_ARRAY_END;
        json->state = MODELGUARD_JSON_DONE;

        return PLAIN_TAKEN;
    }

    start = p;

    if (json->state == MODELGUARD_JSON_AFTER_VALUE) {

        /* behind what was dropped the comma goes, too */

        if (*p != ','
            || (rw->kept[json->depth / 64] >> (json->depth % 64) & 1) == 0)
        {
            return PLAIN_LEFT;
        }

        p = modelguard_json_run_space(p + 1, json->end);
    }

    return plain_members(rw, start, p, object);
}


/*
 * The member or element at p, whose comma or first byte is at "start", and
 * those that follow it and its value at once.
 */

static int
plain_members(modelguard_rewrite_t *rw, const uint8_t *start,
    const uint8_t *p, int object)
{
    int                 rc;
    uint16_t            state;
    unsigned            depth;
    modelguard_json_t  *json;

    json = &rw->walk.json;
    depth = json->depth;

    for ( ;; ) {

        if (object) {
            p = plain_name(rw, p, &state);

        } else if (plain_element(rw, &state) == PLAIN_LEFT) {
            return PLAIN_LEFT;
        }

        if (p == NULL || p == json->end
            || (size_t) (p - start) > rw->conf.hold)
        {
            return PLAIN_LEFT;
        }

        rc = plain_value(rw, p, state);

        if (rc != PLAIN_TAKEN) {
            return (rc == PLAIN_LEFT && object)
                   ? plain_left(rw, start, p, state) : rc;
        }

        start = json->p;

        if (json->depth != depth || json->end - start < 2 || *start != ','
            || start[1] <= 0x20)
        {
            return PLAIN_TAKEN;
        }

        p = start + 1;
    }
}


/* past a member's name and its colon, or NULL */

static const uint8_t *
plain_name(modelguard_rewrite_t *rw, const uint8_t *p, uint16_t *state)
{
    unsigned            escaped;
    const uint8_t      *name;
    modelguard_json_t  *json;

    json = &rw->walk.json;

    if (p == json->end || *p != '"') {
        return NULL;
    }

    name = p + 1;
    escaped = 0;

    p = modelguard_json_run_string(json, p, &escaped);

    if (p == NULL || escaped) {
        return NULL;
    }

    json->start = name - 1;
    json->stop = p;

    *state = modelguard_automaton_member(rw->walk.automaton,
                                         rw->walk.states[json->depth], name,
                                         (size_t) (p - 1 - name));

    return (*state == MODELGUARD_AUTOMATON_UNDECIDED)
           ? NULL : modelguard_json_run_colon(p, json->end);
}


/* elements are counted only where they differ, which is the walk's to do */

static int
plain_element(modelguard_rewrite_t *rw, uint16_t *state)
{
    unsigned            depth;
    modelguard_walk_t  *walk;

    walk = &rw->walk;
    depth = walk->json.depth;

    if (walk->elements[depth] == MODELGUARD_AUTOMATON_UNDECIDED) {

        if (!modelguard_automaton_uniform(walk->automaton,
                                          walk->states[depth],
                                          walk->index[depth]))
        {
            return PLAIN_LEFT;
        }

        walk->elements[depth] = modelguard_automaton_element(walk->automaton,
                                                         walk->states[depth],
                                                         walk->index[depth]);
    }

    *state = walk->elements[depth];

    return PLAIN_TAKEN;
}


/* the value at p, if there is nothing to be done but with its numbers */

static int
plain_value(modelguard_rewrite_t *rw, const uint8_t *p, uint16_t state)
{
    modelguard_json_t         *json;
    const modelguard_place_t  *place;

    json = &rw->walk.json;
    place = &rw->conf.rules->places[state];

    if (place->nmarks || place->encoded != NULL) {
        return PLAIN_LEFT;
    }

    if (place->value != NULL) {
        return plain_treat(rw, p, state, place);
    }

    if (*p == '[' || *p == '{') {
        return plain_open(rw, p, state);
    }

    p = modelguard_json_run_scalar(json, p);

    if (p == NULL) {
        return PLAIN_LEFT;
    }

    json->p = p;
    json->state = MODELGUARD_JSON_AFTER_VALUE;

    plain_keep(rw);

    return PLAIN_TAKEN;
}


/*
 * The value at p is not plain, but its name has been read: what follows is
 * as after the token of the name, which began with a comma or the name.
 */

static int
plain_left(modelguard_rewrite_t *rw, const uint8_t *start, const uint8_t *p,
    uint16_t state)
{
    int                 rc;
    modelguard_walk_t  *walk;
    modelguard_json_t  *json;

    walk = &rw->walk;
    json = &walk->json;

    json->p = p;
    json->type = MODELGUARD_JSON_KEY;
    json->state = MODELGUARD_JSON_VALUE;
    json->escaped = 0;
    json->after_comma = (*start == ',');
    json->comma = json->after_comma ? start : NULL;

    walk->state = state;
    walk->fresh = 0;
    walk->nul = 0;
    walk->member = json->start + 1;
    walk->member_len = (size_t) (json->stop - json->start) - 2;

    rc = modelguard_rewrite_key(rw);

    if (rc != MODELGUARD_OK) {
        return rc;
    }

    return rw->dropping ? plain_drop(rw, p) : PLAIN_LEFT;
}


/* the value of the member that goes, as far as it is at hand */

static int
plain_drop(modelguard_rewrite_t *rw, const uint8_t *p)
{
    int                 rc;
    unsigned            depth;
    const uint8_t      *stop;
    modelguard_json_t  *json;

    json = &rw->walk.json;
    depth = json->depth;

    if (*p == '[' || *p == '{') {

        if (depth == json->limit) {
            return PLAIN_LEFT;
        }

        rw->dropped = 0;

        plain_push(rw, p + 1, MODELGUARD_AUTOMATON_DEAD, *p == '{');

        rc = plain_skip(rw);

        if (rw->skipping) {
            return rc;
        }

        stop = json->p;

    } else {
        stop = modelguard_json_run_scalar(json, p);

        if (stop == NULL) {
            return PLAIN_LEFT;
        }

        rw->dropped = 0;

        json->p = stop;
        json->state = MODELGUARD_JSON_AFTER_VALUE;
    }

    json->stop = stop;

    return modelguard_rewrite_end(rw);
}


/* a rule is for the value at p */

static int
plain_treat(modelguard_rewrite_t *rw, const uint8_t *p, uint16_t state,
    const modelguard_place_t *place)
{
    if (place->value->treatment->op == MODELGUARD_DROP
        || place->value->treatment->op == MODELGUARD_NULL)
    {
        return PLAIN_LEFT;
    }

    if (*p == '[') {
        return plain_vector(rw, p, state, place);
    }

    return modelguard_json_in_object(&rw->walk.json)
           ? plain_number(rw, p, place->value) : PLAIN_LEFT;
}


static int
plain_number(modelguard_rewrite_t *rw, const uint8_t *p,
    const modelguard_rule_t *rule)
{
    int                 rc, exponent;
    const uint8_t      *stop;
    modelguard_json_t  *json;

    json = &rw->walk.json;

    if (*p != '-' && (uint8_t) (*p - '0') >= 10) {
        return PLAIN_LEFT;
    }

    stop = modelguard_scan_number(p, json->end, &exponent);

    if (stop == NULL || (size_t) (stop - p) > rw->conf.hold) {
        return PLAIN_LEFT;
    }

    json->p = stop;
    json->state = MODELGUARD_JSON_AFTER_VALUE;

    plain_keep(rw);

    if (rw->scopes.n == 0) {
        rc = modelguard_run_one(&rw->hold, rule->treatment, p, stop);

        if (rc != MODELGUARD_AGAIN) {
            return rc;
        }
    }

    return modelguard_scope_number(&rw->scopes, rule, json->depth,
                                   modelguard_hold_offset(&rw->hold, p),
                                   (size_t) (stop - p), stop);
}


/* an array of numbers that is a vector, and not within another */

static int
plain_vector(modelguard_rewrite_t *rw, const uint8_t *p, uint16_t state,
    const modelguard_place_t *place)
{
    int                 rc, exponent;
    const uint8_t      *stop;
    modelguard_json_t  *json;

    json = &rw->walk.json;

    if (rw->scopes.n || json->depth == json->limit) {
        return PLAIN_LEFT;
    }

    p++;
    stop = modelguard_scan_number(p, json->end, &exponent);

    if (stop == NULL || (size_t) (stop - p) > rw->conf.hold) {
        return PLAIN_LEFT;
    }

    plain_keep(rw);
    plain_push(rw, p, state, 0);

    rc = modelguard_scope_open(&rw->scopes, place, json->depth, 0, p);

    return rc == MODELGUARD_OK ? plain_first(rw, place->value, p, stop) : rc;
}


/* the first number of the rule's vector, [p, stop), and those that follow */

static int
plain_first(modelguard_rewrite_t *rw, const modelguard_rule_t *rule,
    const uint8_t *p, const uint8_t *stop)
{
    int                        rc;
    uint16_t                   state;
    modelguard_json_t         *json;
    const modelguard_place_t  *place;

    json = &rw->walk.json;

    if (plain_element(rw, &state) == PLAIN_LEFT) {
        return PLAIN_PART;
    }

    place = &rw->conf.rules->places[state];

    if (place->value != NULL
        && (place->value->treatment->op == MODELGUARD_DROP
            || place->value->treatment->op == MODELGUARD_NULL))
    {
        return PLAIN_PART;
    }

    json->p = stop;
    json->type = MODELGUARD_JSON_NUMBER;
    json->state = MODELGUARD_JSON_AFTER_VALUE;

    plain_keep(rw);

    rc = modelguard_scope_number(&rw->scopes, rule, json->depth,
                                 modelguard_hold_offset(&rw->hold, p),
                                 (size_t) (stop - p), stop);

    if (rc == MODELGUARD_OK && modelguard_rewrite_is_run(rw)) {
        rc = modelguard_rewrite_numbers(rw);
    }

    if (rc != MODELGUARD_OK) {
        return rc;
    }

    if (!plain_pop(rw, json->depth - 1)) {
        return PLAIN_PART;
    }

    return modelguard_scope_close(&rw->scopes, json->depth + 1, json->p);
}


static int
plain_open(modelguard_rewrite_t *rw, const uint8_t *p, uint16_t state)
{
    int                 object;
    uint16_t            element;
    const uint8_t      *q;
    modelguard_json_t  *json;

    json = &rw->walk.json;
    object = (*p++ == '{');

    if (json->depth == json->limit) {
        return PLAIN_LEFT;
    }

    plain_keep(rw);

    if (!object && state == MODELGUARD_AUTOMATON_DEAD) {
        q = modelguard_scan_small(p, json->end);

        if (q != NULL) {
            json->p = q;
            json->state = MODELGUARD_JSON_AFTER_VALUE;

            return PLAIN_TAKEN;
        }
    }

    plain_push(rw, p, state, object);

    if (state == MODELGUARD_AUTOMATON_DEAD
        || (!object && plain_element(rw, &element) == PLAIN_TAKEN
            && element == MODELGUARD_AUTOMATON_DEAD))
    {
        return plain_skip(rw);
    }

    return PLAIN_TAKEN;
}


/* a container has begun before p */

static void
plain_push(modelguard_rewrite_t *rw, const uint8_t *p, uint16_t state,
    int object)
{
    unsigned            depth;
    modelguard_walk_t  *walk;
    modelguard_json_t  *json;

    walk = &rw->walk;
    json = &walk->json;
    depth = ++json->depth;

    json->p = p;
    json->type = object ? MODELGUARD_JSON_OBJECT : MODELGUARD_JSON_ARRAY;
    json->state = object ? MODELGUARD_JSON_KEY_OR_END
                         : MODELGUARD_JSON_VALUE_OR_END;

    modelguard_json_set_object(json, object);

    walk->states[depth] = state;
    walk->elements[depth] = MODELGUARD_AUTOMATON_UNDECIDED;
    walk->index[depth] = 0;

    rw->kept[depth / 64] &= ~((uint64_t) 1 << (depth % 64));
}


/* the container above "depth" ends here: returns 1 if that is at hand */

static int
plain_pop(modelguard_rewrite_t *rw, unsigned depth)
{
    int                 object;
    const uint8_t      *p;
    modelguard_json_t  *json;

    json = &rw->walk.json;
    object = modelguard_json_in_object(json);

    p = modelguard_json_run_space(json->p, json->end);

    if (json->depth != depth + 1 || p == json->end
        || *p != (object ? '}' : ']'))
    {
        return 0;
    }

    json->depth = depth;
    json->p = p + 1;
    json->state = MODELGUARD_JSON_AFTER_VALUE;

    return 1;
}


/* a container that no rule reaches into, to its end if that is at hand */

static int
plain_skip(modelguard_rewrite_t *rw)
{
    unsigned  depth;

    depth = rw->walk.json.depth - 1;

    modelguard_json_run(&rw->walk.json, depth);

    if (!plain_pop(rw, depth)) {
        rw->skipping = 1;
        rw->skip_depth = depth;
    }

    return PLAIN_TAKEN;
}


static void
plain_keep(modelguard_rewrite_t *rw)
{
    unsigned  depth;

    depth = rw->walk.json.depth;

    rw->kept[depth / 64] |= (uint64_t) 1 << (depth % 64);
}
