
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_items.h"
#include "modelguard_number.h"
#include "modelguard_walk.h"


/* bytes of a number that are looked at: a double's text has up to 25 */

#define ITEMS_DIGITS_MAX  32


struct modelguard_items_s {
    modelguard_alloc_pt  alloc;
    void                *data;
    modelguard_walk_t    walk;
    uint64_t             count;         /* the greatest so far */
    int                  error;
    unsigned             skipping:1;    /* a container to its end */
    unsigned             named:1;       /* the value that is cut is named */
    unsigned             skip_depth;
    size_t               len;           /* of the number that is cut */
    uint8_t              digits[ITEMS_DIGITS_MAX];

    /* by depth: the elements of an array that is named */

    uint32_t             elements[MODELGUARD_JSON_DEPTH_MAX + 1];
    uint64_t             counting[MODELGUARD_JSON_DEPTH_MAX / 64 + 1];
};


static int items_run(modelguard_items_t *items);
static void items_token(modelguard_items_t *items);
static void items_open(modelguard_items_t *items);
static void items_value(modelguard_items_t *items);
static void items_digits(modelguard_items_t *items, const uint8_t *stop);
static uint64_t items_number(modelguard_items_t *items);
static void items_count(modelguard_items_t *items, uint64_t count);
static int items_is_counting(const modelguard_items_t *items, unsigned depth);
static int items_is_named(const modelguard_items_t *items);


modelguard_items_t *
modelguard_items_create(const modelguard_automaton_t *automaton,
    unsigned depth, modelguard_alloc_pt alloc, void *data)
{
    modelguard_items_t  *items;

    items = alloc(data, NULL, 0, sizeof(modelguard_items_t));
    if (items == NULL) {
        return NULL;
    }

    modelguard_walk_init(&items->walk, automaton, depth);

    items->alloc = alloc;
    items->data = data;
    items->count = 1;
    items->error = MODELGUARD_OK;
    items->skipping = 0;
    items->named = 0;
    items->skip_depth = 0;
    items->len = 0;

    memset(items->counting, 0, sizeof(items->counting));

    return items;
}


int
modelguard_items_feed(modelguard_items_t *items, const uint8_t *bytes,
    size_t len)
{
    int  rc;

    if (items->error || len == 0) {
        return items->error;
    }

    modelguard_walk_feed(&items->walk, bytes, len);

    rc = items_run(items);

    items->error = (rc == MODELGUARD_AGAIN) ? MODELGUARD_OK : rc;

    return items->error;
}


int
modelguard_items_finish(modelguard_items_t *items, uint64_t *count)
{
    int  rc;

    if (items->error) {
        return items->error;
    }

    rc = modelguard_items_feed(items, (const uint8_t *) " ", 1);

    if (rc == MODELGUARD_OK) {
        rc = modelguard_json_finish(&items->walk.json);

    } else if (rc == MODELGUARD_MALFORMED) {

        /* a space is wrong nowhere but inside a token */

        rc = MODELGUARD_TRUNCATED;
    }

    items->error = rc;

    if (rc == MODELGUARD_OK) {
        *count = items->count;
    }

    return rc;
}


void
modelguard_items_free(modelguard_items_t *items)
{
    (void) items->alloc(items->data, items, sizeof(modelguard_items_t), 0);
}


static int
items_run(modelguard_items_t *items)
{
    int                 rc;
    modelguard_json_t  *json;

    json = &items->walk.json;

    for ( ;; ) {

        if (items->skipping) {
            rc = modelguard_json_skip(json, items->skip_depth);

            if (rc != MODELGUARD_OK) {
                return rc;
            }

            items->skipping = 0;
            continue;
        }

        rc = modelguard_walk_next(&items->walk);

        if (rc == MODELGUARD_AGAIN) {

            if (items->walk.fresh) {
                items_value(items);
            }

            if (items->named && json->partial == MODELGUARD_JSON_NUMBER) {
                items_digits(items, json->end);
            }

            return rc;
        }

        if (rc != MODELGUARD_OK) {
            return rc;
        }

        items_token(items);
    }
}


static void
items_token(modelguard_items_t *items)
{
    modelguard_json_t  *json;

    json = &items->walk.json;

    switch (json->type) {

    case MODELGUARD_JSON_KEY:
        return;

    case MODELGUARD_JSON_OBJECT_END:
    case MODELGUARD_JSON_ARRAY_END:

        if (items_is_counting(items, json->depth + 1)) {
            items_count(items, items->elements[json->depth + 1]);
        }

        return;

    default:
        break;
    }

    if (items->walk.fresh) {
        items_value(items);
    }

    switch (json->type) {

    case MODELGUARD_JSON_NUMBER:

        if (items->named) {
            items_digits(items, json->stop);
            items_count(items, items_number(items));
        }

        return;

    case MODELGUARD_JSON_OBJECT:
    case MODELGUARD_JSON_ARRAY:

        items_open(items);

        return;

    default:
        return;
    }
}


/* a container has begun: its elements are counted, or what is in it */

static void
items_open(modelguard_items_t *items)
{
    uint64_t            bit;
    modelguard_json_t  *json;

    json = &items->walk.json;
    bit = (uint64_t) 1 << (json->depth % 64);

    items->counting[json->depth / 64] &= ~bit;

    if (json->type == MODELGUARD_JSON_ARRAY && items->named) {
        items->counting[json->depth / 64] |= bit;
        items->elements[json->depth] = 0;

    } else if (modelguard_walk_is_dead(&items->walk)) {
        items->skipping = 1;
        items->skip_depth = json->depth - 1;
    }
}


/* a value begins */

static void
items_value(modelguard_items_t *items)
{
    unsigned            depth;
    modelguard_json_t  *json;

    json = &items->walk.json;

    depth = json->depth - (json->type == MODELGUARD_JSON_OBJECT
                           || json->type == MODELGUARD_JSON_ARRAY);

    if (items_is_counting(items, depth)
        && items->elements[depth] < UINT32_MAX)
    {
        items->elements[depth]++;
    }

    items->named = (items_is_named(items) != 0);
    items->len = 0;
}


/* the first digits of a number and its sign, point and exponent */

static void
items_digits(modelguard_items_t *items, const uint8_t *stop)
{
    const uint8_t  *p;

    p = items->walk.json.start;

    if (p == NULL) {
        p = items->walk.piece;
    }

    for ( /* void */ ; p < stop; p++) {

        if (items->len == ITEMS_DIGITS_MAX) {
            items->len++;
        }

        if (items->len > ITEMS_DIGITS_MAX) {
            return;
        }

        items->digits[items->len++] = *p;
    }
}


/* a count in a longer text than any honest one is as great as can be */

static uint64_t
items_number(modelguard_items_t *items)
{
    int64_t  value;

    if (items->len && items->digits[0] == '-') {
        return 1;
    }

    if (items->len > ITEMS_DIGITS_MAX
        || modelguard_number_scale(items->digits, items->len, 0, &value)
           != MODELGUARD_OK)
    {
        return UINT32_MAX;
    }

    return value < 1 ? 1 : (uint64_t) value;
}


static void
items_count(modelguard_items_t *items, uint64_t count)
{
    if (count > UINT32_MAX) {
        count = UINT32_MAX;
    }

    if (count > items->count) {
        items->count = count;
    }
}


static int
items_is_counting(const modelguard_items_t *items, unsigned depth)
{
    return (int) (items->counting[depth / 64] >> (depth % 64) & 1);
}


static int
items_is_named(const modelguard_items_t *items)
{
    const uint16_t  *tags;

    return modelguard_automaton_tags(items->walk.automaton,
                                     items->walk.state, &tags) > 0;
}
