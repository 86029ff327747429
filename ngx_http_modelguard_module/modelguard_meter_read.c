
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_meter_read.h"
#include "modelguard_meter_number.h"
#include "modelguard_meter_text.h"
#include "modelguard_scan.h"
#include "modelguard_walk.h"


#define READ_DIGITS  7               /* as many are MODELGUARD_METER_FLOAT */


/* a container that is open, by depth; at 0 is the root value */

typedef struct {
    const modelguard_gauge_t      *value;    /* of the numbers in it: they are
                                                one vector */
    const modelguard_gauge_t      *label;    /* of the scalars in it */
    const modelguard_gauge_t      *scores;   /* of the labels counted here */
    unsigned                       array;    /* the depth of the innermost
                                                array; 0: none */
    uint32_t                       labels;
    uint32_t                       numbers;
    uint32_t                       ones;
    unsigned                       usage:1;
} read_level_t;


struct modelguard_meter_read_s {
    modelguard_alloc_pt            alloc;
    void                          *data;
    const modelguard_meter_rules_t  *rules;
    modelguard_meter_t            *meter;
    read_level_t                  *levels;
    unsigned                       depth;
    uint64_t                       counts[MODELGUARD_COUNTS];

    /* the value that has begun */

    const modelguard_gauge_t      *value;
    const modelguard_gauge_t      *label;
    modelguard_count_e             count;
    modelguard_count_e             member;   /* that the last key names */
    modelguard_meter_number_t      number;
    modelguard_meter_text_t        text;

    unsigned                       vector:1; /* it is one of its container's */
    unsigned                       begun:1;  /* the document */
    unsigned                       failed:1;
    unsigned                       skipping:1;
    unsigned                       skip_depth;

    modelguard_walk_t              walk;
};


static int read_run(modelguard_meter_read_t *read);
static void read_token(modelguard_meter_read_t *read);
static void read_value(modelguard_meter_read_t *read);
static void read_open(modelguard_meter_read_t *read);
static void read_close(modelguard_meter_read_t *read);
static void read_part(modelguard_meter_read_t *read, const uint8_t *stop);
static void read_scalar(modelguard_meter_read_t *read);
static void read_number(modelguard_meter_read_t *read);
static void read_numbers(modelguard_meter_read_t *read);
static uint32_t read_fraction(const uint8_t *p, const uint8_t *stop);
static void read_literal(modelguard_meter_read_t *read);
static void read_count(modelguard_meter_read_t *read);
static void read_label(modelguard_meter_read_t *read);
static int read_in_array(const modelguard_meter_read_t *read, unsigned depth);


modelguard_meter_read_t *
modelguard_meter_read_create(const modelguard_meter_rules_t *rules,
    modelguard_meter_t *meter, unsigned depth, modelguard_alloc_pt alloc,
    void *data)
{
    modelguard_meter_read_t  *read;

    read = alloc(data, NULL, 0, sizeof(modelguard_meter_read_t));
    if (read == NULL) {
        return NULL;
    }

    memset(read, 0, offsetof(modelguard_meter_read_t, walk));

    read->levels = alloc(data, NULL, 0, (depth + 1) * sizeof(read_level_t));

    if (read->levels == NULL) {
        (void) alloc(data, read, sizeof(modelguard_meter_read_t), 0);
        return NULL;
    }

    memset(read->levels, 0, sizeof(read_level_t));

    read->alloc = alloc;
    read->data = data;
    read->rules = rules;
    read->meter = meter;
    read->depth = depth;

    modelguard_walk_init(&read->walk, rules->automaton, depth);

    return read;
}


void
modelguard_meter_read_feed(modelguard_meter_read_t *read,
    const uint8_t *bytes, size_t len)
{
    if (read->failed || len == 0) {
        return;
    }

    read->begun = 1;

    modelguard_walk_feed(&read->walk, bytes, len);

    if (read_run(read) != MODELGUARD_AGAIN) {
        read->failed = 1;
    }
}


void
modelguard_meter_read_end(modelguard_meter_read_t *read)
{
    if (!read->begun) {
        return;
    }

    /* a number at the root ends here */

    modelguard_meter_read_feed(read, (const uint8_t *) " ", 1);

    modelguard_walk_init(&read->walk, read->rules->automaton, read->depth);

    read->begun = 0;
    read->failed = 0;
    read->skipping = 0;
}


void
modelguard_meter_read_free(modelguard_meter_read_t *read)
{
    (void) read->alloc(read->data, read->levels,
                       (read->depth + 1) * sizeof(read_level_t), 0);
    (void) read->alloc(read->data, read, sizeof(modelguard_meter_read_t), 0);
}


static int
read_run(modelguard_meter_read_t *read)
{
    int                 rc;
    modelguard_json_t  *json;

    json = &read->walk.json;

    for ( ;; ) {

        if (read->skipping) {
            rc = modelguard_json_skip(json, read->skip_depth);

            if (rc != MODELGUARD_OK) {
                return rc;
            }

            read->skipping = 0;
            continue;
        }

        rc = modelguard_walk_next(&read->walk);

        if (rc != MODELGUARD_OK) {

            /* what is there of a token that is cut, or breaks off */

            if (read->walk.fresh) {
                read_value(read);
            }

            if (json->partial == MODELGUARD_JSON_NUMBER
                || json->partial == MODELGUARD_JSON_STRING)
            {
                read_part(read, json->p);
            }

            return rc;
        }

        read_token(read);
    }
}


static void
read_token(modelguard_meter_read_t *read)
{
    modelguard_walk_t  *walk;

    walk = &read->walk;

    switch (walk->json.type) {

    case MODELGUARD_JSON_KEY:

        read->member = MODELGUARD_COUNT_NONE;

        if (read->levels[walk->json.depth].usage && walk->member != NULL) {
            read->member = modelguard_meter_count(walk->member,
                                                  walk->member_len);
        }

        return;

    case MODELGUARD_JSON_OBJECT_END:
    case MODELGUARD_JSON_ARRAY_END:
        read_close(read);
        return;

    default:
        break;
    }

    if (walk->fresh) {
        read_value(read);
    }

    switch (walk->json.type) {

    case MODELGUARD_JSON_OBJECT:
    case MODELGUARD_JSON_ARRAY:
        read_open(read);
        break;

    case MODELGUARD_JSON_NUMBER:
        read_part(read, walk->json.stop);
        read_scalar(read);
        read_numbers(read);
        break;

    case MODELGUARD_JSON_STRING:
        read_part(read, walk->json.stop);
        read_scalar(read);
        break;

    case MODELGUARD_JSON_LITERAL:
        read_literal(read);
        break;

    default:
        break;
    }
}


/* a value begins */

static void
read_value(modelguard_meter_read_t *read)
{
    unsigned                        depth;
    const read_level_t             *level;
    const modelguard_json_t        *json;
    const modelguard_meter_mark_t  *mark;

    json = &read->walk.json;

    depth = json->depth - (json->type == MODELGUARD_JSON_OBJECT
                           || json->type == MODELGUARD_JSON_ARRAY);

    level = &read->levels[depth];
    mark = &read->rules->marks[read->walk.state];

    read->value = mark->value;
    read->label = mark->label;
    read->vector = 0;

    if (level->value != NULL) {

        if (read->value == NULL && read_in_array(read, depth)) {
            read->value = level->value;
        }

        read->vector = (read->value == level->value);
    }

    if (read->label == NULL && read_in_array(read, depth)) {
        read->label = level->label;
    }

    read->count = level->usage ? read->member : MODELGUARD_COUNT_NONE;

    if (mark->usage && read->count == MODELGUARD_COUNT_NONE) {
        read->count = (modelguard_count_e) mark->count;
    }

    modelguard_meter_number_init(&read->number);

    if (read->value != NULL) {
        modelguard_meter_text_init(&read->text, read->value, read->meter);
    }
}


static void
read_open(modelguard_meter_read_t *read)
{
    read_level_t                   *level;
    const modelguard_json_t        *json;
    const modelguard_meter_mark_t  *mark;

    json = &read->walk.json;
    mark = &read->rules->marks[read->walk.state];
    level = &read->levels[json->depth];

    memset(level, 0, sizeof(read_level_t));

    if (json->type == MODELGUARD_JSON_ARRAY) {
        level->value = read->value;
        level->label = read->label;
        level->array = json->depth;

    } else {
        level->value = mark->map;
        level->array = level[-1].array;
        level->usage = (mark->usage
                        || read->count == MODELGUARD_COUNT_NESTED);
    }

    if (level->value == NULL && level->label == NULL && !level->usage
        && modelguard_walk_is_dead(&read->walk))
    {
        read->skipping = 1;
        read->skip_depth = json->depth - 1;
    }
}


/* what is known of a vector at its end */

static void
read_close(modelguard_meter_read_t *read)
{
    uint32_t             bits;
    read_level_t        *level;

    level = &read->levels[read->walk.json.depth + 1];

    if (level->labels) {
        bits = level->scores->label;

        if (bits == 0) {
            bits = modelguard_meter_log2(level->labels > 1
                                         ? level->labels
                                         : MODELGUARD_METER_CLASSES);
        }

        modelguard_meter_add(read->meter, (uint64_t) level->labels * bits);
    }

    if (level->numbers == 1 && read->walk.json.type
                               == MODELGUARD_JSON_OBJECT_END)
    {
        modelguard_meter_add(read->meter, level->value->label);

    } else if (level->numbers) {

        /* the rows of a tensor have a one each */

        if (level->ones == 0) {
            level->ones = 1;
        }

        bits = modelguard_meter_log2(level->numbers / level->ones);

        modelguard_meter_add(read->meter, (uint64_t) level->ones
                                          * (bits > 1000 ? bits : 1000));
    }
}


/* the bytes of a number or string up to "stop" */

static void
read_part(modelguard_meter_read_t *read, const uint8_t *stop)
{
    int                       is_string;
    const uint8_t            *p;
    const modelguard_json_t  *json;

    if (read->value == NULL && read->count == MODELGUARD_COUNT_NONE) {
        return;
    }

    json = &read->walk.json;

    p = json->start != NULL ? json->start : read->walk.piece;

    is_string = (json->type == MODELGUARD_JSON_STRING
                 || (json->type == MODELGUARD_JSON_NONE
                     && json->partial == MODELGUARD_JSON_STRING));

    if (!is_string) {

        for ( /* void */ ; p < stop; p++) {
            (void) modelguard_meter_number_take(&read->number, *p);
        }

    } else if (read->value != NULL) {
        modelguard_meter_text_take(&read->text, p, stop);
    }
}


static void
read_scalar(modelguard_meter_read_t *read)
{
    if (read->walk.json.type == MODELGUARD_JSON_NUMBER) {

        if (read->count > MODELGUARD_COUNT_NESTED) {
            read_count(read);
        }

        if (read->value != NULL) {
            read_number(read);
        }

    } else if (read->value != NULL) {
        modelguard_meter_text_end(&read->text);
    }

    if (read->label != NULL) {
        read_label(read);
    }
}


static void
read_number(modelguard_meter_read_t *read)
{
    read_level_t              *level;
    const modelguard_gauge_t  *gauge;

    gauge = read->value;

    if (!gauge->top) {
        modelguard_meter_add(read->meter,
                             modelguard_meter_number_bits(&read->number,
                                                          gauge));

        if (gauge->hides && read->vector
            && !read_in_array(read, read->walk.json.depth))
        {
            modelguard_meter_add(read->meter, gauge->label);
        }

        return;
    }

    /* the only record that is left says nothing by its score */

    if (gauge->named) {
        return;
    }

    if (!read->vector) {
        modelguard_meter_add(read->meter, 1000);
        return;
    }

    level = &read->levels[read->walk.json.depth];

    level->numbers++;
    level->ones += read->number.nonzero;
}


/*
 * The short way through a run of numbers, with a comma before each, all of
 * one in the piece: for vectors whose digits alone are counted.
 */

static void
read_numbers(modelguard_meter_read_t *read)
{
    int                        exponent;
    uint64_t                   bits;
    unsigned                   depth;
    const uint8_t             *p, *q;
    modelguard_json_t         *json;
    const modelguard_gauge_t  *gauge;

    json = &read->walk.json;
    depth = json->depth;
    gauge = read->levels[depth].value;

    if (!read->vector || gauge->top || read->label != NULL
        || !read_in_array(read, depth))
    {
        return;
    }

    /* else those that follow have the state of this one, and so its gauge */

    if (read->walk.elements[depth] == MODELGUARD_AUTOMATON_UNDECIDED) {
        return;
    }

    bits = 0;

    for (p = json->p; json->end - p >= 2 && *p == ','; p = q) {

        if (!gauge->stepped) {
            q = modelguard_meter_number_run(p, json->end, &bits);
            if (q != p) {
                continue;
            }
        }

        q = modelguard_scan_number(p + 1, json->end, &exponent);
        if (q == NULL) {
            break;
        }

        if (!exponent && !gauge->stepped && p[1] == '0') {
            bits += read_fraction(p + 2, q);
            continue;
        }

        modelguard_meter_number_init(&read->number);

        for (p++; p < q; p++) {
            (void) modelguard_meter_number_take(&read->number, *p);
        }

        bits += modelguard_meter_number_bits(&read->number, gauge);
    }

    json->p = p;

    modelguard_meter_add(read->meter, bits);
}


/* of "0.ddd", what follows the first digit */

static uint32_t
read_fraction(const uint8_t *p, const uint8_t *stop)
{
    const uint8_t  *digit;

    p++;

    for (digit = p; digit < stop; digit++) {

        if (*digit != '0') {
            return (stop - p < READ_DIGITS)
                   ? (uint32_t) (stop - p) * MODELGUARD_METER_DIGIT
                   : MODELGUARD_METER_FLOAT;
        }
    }

    return 0;
}


/* true and false: a label, or one bit; its last letter is in the piece */

static void
read_literal(modelguard_meter_read_t *read)
{
    if (read->walk.json.stop[-1] != 'e') {
        return;
    }

    if (read->value != NULL) {
        modelguard_meter_add(read->meter, 1000);
    }

    if (read->label != NULL) {
        read_label(read);
    }
}


static void
read_count(modelguard_meter_read_t *read)
{
    uint64_t             count, sum, *counts;
    modelguard_meter_t  *meter;

    if (!modelguard_meter_number_count(&read->number, &count)) {
        return;
    }

    meter = read->meter;
    counts = read->counts;

    meter->usage = 1;

    if (count <= counts[read->count]) {
        return;
    }

    counts[read->count] = count;

    sum = counts[MODELGUARD_COUNT_INPUT] + counts[MODELGUARD_COUNT_CREATED]
          + counts[MODELGUARD_COUNT_READ];

    if (sum < counts[MODELGUARD_COUNT_PROMPT]) {
        sum = counts[MODELGUARD_COUNT_PROMPT];
    }

    sum += counts[MODELGUARD_COUNT_TOOLS];

    if (sum > meter->input) {
        meter->input = sum;
    }

    sum = counts[MODELGUARD_COUNT_OUTPUT] + counts[MODELGUARD_COUNT_THOUGHTS];

    if (sum > meter->output) {
        meter->output = sum;
    }

    if (counts[MODELGUARD_COUNT_TOTAL] > meter->total) {
        meter->total = counts[MODELGUARD_COUNT_TOTAL];
    }
}


static void
read_label(modelguard_meter_read_t *read)
{
    unsigned       array;
    read_level_t  *level;

    array = read->levels[read->walk.json.depth].array;

    if (!read->label->labels || array == 0) {
        modelguard_meter_add(read->meter, read->label->label);
        return;
    }

    level = &read->levels[array];

    level->scores = read->label;
    level->labels++;
}


static int
read_in_array(const modelguard_meter_read_t *read, unsigned depth)
{
    const modelguard_json_t  *json;

    json = &read->walk.json;

    return depth != 0
           && (json->stack[depth / 64] >> (depth % 64) & 1) == 0;
}
