
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_items.h"
#include "modelguard_number.h"
#include "modelguard_walk.h"


/* decimal digits of a count that are looked at; more saturate anyway */

#define ITEMS_DIGITS_MAX  20


struct modelguard_items_s {
    modelguard_alloc_pt  alloc;
    void                *data;
    modelguard_walk_t    walk;
    uint64_t             count;         /* the greatest so far */
    int                  error;
    unsigned             counting:1;    /* the elements of an array... */
    unsigned             skipping:1;    /* a container to its end */
    unsigned             named:1;       /* the value that is cut is named */
    unsigned             depth;         /* ...that is in this depth */
    unsigned             skip_depth;
    uint64_t             elements;
    size_t               len;           /* of the number that is cut */
    uint8_t              digits[ITEMS_DIGITS_MAX];
};


static int items_run(modelguard_items_t *items);
static void items_token(modelguard_items_t *items);
static void items_value(modelguard_items_t *items);
static void items_digits(modelguard_items_t *items, const uint8_t *stop);
static uint64_t items_number(modelguard_items_t *items);
static void items_count(modelguard_items_t *items, uint64_t count);
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
    items->counting = 0;
    items->skipping = 0;
    items->named = 0;
    items->depth = 0;
    items->skip_depth = 0;
    items->elements = 0;
    items->len = 0;

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

    rc = modelguard_items_feed(items, (const uint8_t *) " ", 1);

    if (rc == MODELGUARD_OK) {
        rc = modelguard_json_finish(&items->walk.json);
    }

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

        if (items->counting && json->depth == items->depth) {
            items->counting = 0;
            items_count(items, items->elements);
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

        if (json->type == MODELGUARD_JSON_ARRAY && items->named
            && !items->counting)
        {
            items->counting = 1;
            items->depth = json->depth - 1;
            items->elements = 0;

        } else if (modelguard_walk_is_dead(&items->walk)) {
            items->skipping = 1;
            items->skip_depth = json->depth - 1;
        }

        return;

    default:
        return;
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

    if (items->counting && depth == items->depth + 1) {
        items->elements++;
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
items_is_named(const modelguard_items_t *items)
{
    const uint16_t  *tags;

    return modelguard_automaton_tags(items->walk.automaton,
                                     items->walk.state, &tags) > 0;
}
