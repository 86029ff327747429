
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_walk.h"


static void walk_value(modelguard_walk_t *walk, unsigned depth);
static uint16_t walk_element(modelguard_walk_t *walk, unsigned depth);
static void walk_container(modelguard_walk_t *walk);
static int walk_key(modelguard_walk_t *walk);
static void walk_key_part(modelguard_walk_t *walk, const uint8_t *stop);
static int walk_has_nul(const modelguard_walk_t *walk, size_t len);


void
modelguard_walk_init(modelguard_walk_t *walk,
    const modelguard_automaton_t *automaton, unsigned depth)
{
    modelguard_json_init(&walk->json, depth);

    modelguard_walk_reset(walk, automaton);
}


void
modelguard_walk_reset(modelguard_walk_t *walk,
    const modelguard_automaton_t *automaton)
{
    modelguard_json_reset(&walk->json);

    walk->automaton = automaton;
    walk->state = MODELGUARD_AUTOMATON_ROOT;
    walk->fresh = 0;
    walk->nul = 0;
    walk->begun = 0;
    walk->long_key = 0;
    walk->key_len = 0;
    walk->piece = NULL;
}


void
modelguard_walk_feed(modelguard_walk_t *walk, const uint8_t *bytes, size_t len)
{
    walk->piece = bytes;

    modelguard_json_feed(&walk->json, bytes, len);
}


int
modelguard_walk_next(modelguard_walk_t *walk)
{
    int                 rc;
    modelguard_json_t  *json;

    json = &walk->json;

    rc = modelguard_json_next(json);

    walk->fresh = 0;

    if (rc != MODELGUARD_OK) {

        if (json->partial == MODELGUARD_JSON_KEY) {

            if (rc == MODELGUARD_AGAIN) {
                walk_key_part(walk, json->end);
            }

        } else if (json->partial && !walk->begun) {
            walk->begun = 1;
            walk_value(walk, json->depth);
        }

        return rc;
    }

    switch (json->type) {

    case MODELGUARD_JSON_KEY:
        return walk_key(walk);

    case MODELGUARD_JSON_OBJECT:
    case MODELGUARD_JSON_ARRAY:
        walk_value(walk, json->depth - 1);
        walk_container(walk);
        break;

    case MODELGUARD_JSON_OBJECT_END:
    case MODELGUARD_JSON_ARRAY_END:
        break;

    default:

        if (walk->begun) {
            walk->begun = 0;
            break;
        }

        walk_value(walk, json->depth);
    }

    return MODELGUARD_OK;
}


/* a value begins in the container at "depth" */

static void
walk_value(modelguard_walk_t *walk, unsigned depth)
{
    const modelguard_json_t  *json;

    json = &walk->json;
    walk->fresh = 1;

    if (depth == 0 || (json->stack[depth / 64] >> (depth % 64) & 1) != 0) {

        /* walk->state was set at the beginning, or by the key */

        return;
    }

    walk->state = walk_element(walk, depth);
}


static uint16_t
walk_element(modelguard_walk_t *walk, unsigned depth)
{
    uint16_t  state;

    state = walk->elements[depth];

    if (state != MODELGUARD_AUTOMATON_UNDECIDED) {
        return state;
    }

    if (modelguard_automaton_uniform(walk->automaton, walk->states[depth],
                                     walk->index[depth]))
    {
        state = modelguard_automaton_element(walk->automaton,
                                             walk->states[depth],
                                             walk->index[depth]);
        walk->elements[depth] = state;

        return state;
    }

    return modelguard_automaton_element(walk->automaton, walk->states[depth],
                                        walk->index[depth]++);
}


static void
walk_container(modelguard_walk_t *walk)
{
    unsigned  depth;

    depth = walk->json.depth;

    walk->states[depth] = walk->state;
    walk->elements[depth] = MODELGUARD_AUTOMATON_UNDECIDED;
    walk->index[depth] = 0;
}


int
modelguard_walk_is_dead(const modelguard_walk_t *walk)
{
    uint16_t                  state;
    const modelguard_json_t  *json;

    json = &walk->json;
    state = walk->states[json->depth];

    if (state == MODELGUARD_AUTOMATON_DEAD) {
        return 1;
    }

    return json->type == MODELGUARD_JSON_ARRAY
           && modelguard_automaton_uniform(walk->automaton, state, 0)
           && modelguard_automaton_element(walk->automaton, state, 0)
              == MODELGUARD_AUTOMATON_DEAD;
}


static int
walk_key(modelguard_walk_t *walk)
{
    size_t                    len;
    const uint8_t            *name;
    const modelguard_json_t  *json;

    json = &walk->json;

    if (json->start != NULL) {
        name = json->start;
        len = (size_t) (json->stop - json->start);

    } else {
        walk_key_part(walk, json->stop);

        name = walk->key;
        len = walk->key_len;
    }

    if (len >= 2) {
        name++;
        len -= 2;
    }

    walk->nul = 0;

    if (walk->long_key) {
        len = MODELGUARD_PATH_NAME_MAX + 1;
        walk->nul = json->escaped;

    } else if (json->escaped) {
        len = modelguard_json_unescape(name, len, walk->name,
                                       MODELGUARD_PATH_NAME_MAX);
        name = walk->name;
        walk->nul = walk_has_nul(walk, len) ? 1 : 0;
    }

    walk->key_len = 0;
    walk->long_key = 0;

    if (len > MODELGUARD_PATH_NAME_MAX) {
        name = NULL;
    }

    walk->member = name;
    walk->member_len = len;

    walk->state = modelguard_automaton_member(walk->automaton,
                                              walk->states[json->depth], name,
                                              len);

    return walk->state == MODELGUARD_AUTOMATON_UNDECIDED
           ? MODELGUARD_UNDECIDED : MODELGUARD_OK;
}


static int
walk_has_nul(const modelguard_walk_t *walk, size_t len)
{
    /* of a name that is too long, its last character may be missing */

    if (len > MODELGUARD_PATH_NAME_MAX) {
        len = MODELGUARD_PATH_NAME_MAX - 3;
    }

    return memchr(walk->name, '\0', len) != NULL;
}


/* a key that is cut is put together; one that is too long only noted */

static void
walk_key_part(modelguard_walk_t *walk, const uint8_t *stop)
{
    size_t          len;
    const uint8_t  *start;

    start = walk->json.start != NULL ? walk->json.start : walk->piece;
    len = (size_t) (stop - start);

    if (len > MODELGUARD_WALK_KEY_MAX - walk->key_len) {
        walk->long_key = 1;
        return;
    }

    memcpy(walk->key + walk->key_len, start, len);
    walk->key_len += len;
}
