
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_inspect.h"
#include "modelguard_inspect_walk.h"


static int inspect_run(modelguard_inspect_t *in);
static int inspect_cut(modelguard_inspect_t *in);
static int inspect_token(modelguard_inspect_t *in);
static int inspect_value(modelguard_inspect_t *in);
static int inspect_note(modelguard_inspect_t *in,
    const modelguard_param_mark_t *mark, inspect_level_t *level);
static int inspect_note_value(modelguard_inspect_t *in,
    modelguard_inspect_kind_e kind, uint64_t mask, unsigned depth);
static void inspect_open(modelguard_inspect_t *in);
static int inspect_close(modelguard_inspect_t *in);
static void inspect_end(modelguard_inspect_t *in);
static uint64_t inspect_offset(const modelguard_inspect_t *in,
    const uint8_t *p);
static uint64_t inspect_comma(const modelguard_inspect_t *in);


modelguard_inspect_t *
modelguard_inspect_create(const modelguard_params_t *params, unsigned depth,
    modelguard_alloc_pt alloc, void *data)
{
    modelguard_inspect_t  *in;

    in = alloc(data, NULL, 0, sizeof(modelguard_inspect_t));
    if (in == NULL) {
        return NULL;
    }

    memset(in, 0, offsetof(modelguard_inspect_t, digits));

    in->levels = alloc(data, NULL, 0, (depth + 1) * sizeof(inspect_level_t));

    if (in->levels == NULL) {
        (void) alloc(data, in, sizeof(modelguard_inspect_t), 0);
        return NULL;
    }

    memset(in->levels, 0, sizeof(inspect_level_t));

    in->alloc = alloc;
    in->data = data;
    in->params = params;
    in->depth = depth;
    in->count = 1;
    in->error = MODELGUARD_OK;

    modelguard_inspect_edits_init(&in->edits, alloc, data);
    modelguard_walk_init(&in->walk, params->automaton, depth);

    return in;
}


int
modelguard_inspect_feed(modelguard_inspect_t *in, const uint8_t *bytes,
    size_t len)
{
    int  rc;

    if (in->error || len == 0) {
        return in->error;
    }

    modelguard_walk_feed(&in->walk, bytes, len);

    rc = inspect_run(in);

    in->offset += len;
    in->error = (rc == MODELGUARD_AGAIN) ? MODELGUARD_OK : rc;

    return in->error;
}


int
modelguard_inspect_finish(modelguard_inspect_t *in,
    modelguard_inspect_result_t *result)
{
    int       rc;
    uint64_t  active, violated;

    if (in->error) {
        return in->error;
    }

    rc = modelguard_inspect_feed(in, (const uint8_t *) " ", 1);

    if (rc == MODELGUARD_OK) {
        rc = modelguard_json_finish(&in->walk.json);

    } else if (rc == MODELGUARD_MALFORMED) {

        /* a space is wrong nowhere but inside a token */

        rc = MODELGUARD_TRUNCATED;
    }

    in->error = rc;

    if (rc != MODELGUARD_OK) {
        return rc;
    }

    active = ~in->params->conditional | in->true_when;

    violated = in->violated
               | (in->params->ops[MODELGUARD_PARAM_REQUIRE] & ~in->found);
    violated &= active;

    result->items = in->count;
    result->violated = MODELGUARD_INSPECT_PASSED;
    result->edits = NULL;
    result->nedits = 0;

    if (violated) {
        result->violated = 0;

        while ((violated >> result->violated & 1) == 0) {
            result->violated++;
        }

        return MODELGUARD_OK;
    }

    in->error = modelguard_inspect_edits_resolve(&in->edits, in->params,
                                                 active);

    result->edits = in->edits.edits;
    result->nedits = in->edits.nedits;

    return in->error;
}


void
modelguard_inspect_free(modelguard_inspect_t *in)
{
    modelguard_inspect_edits_free(&in->edits);

    (void) in->alloc(in->data, in->levels,
                     (in->depth + 1) * sizeof(inspect_level_t), 0);
    (void) in->alloc(in->data, in, sizeof(modelguard_inspect_t), 0);
}


static int
inspect_run(modelguard_inspect_t *in)
{
    int                 rc;
    modelguard_json_t  *json;

    json = &in->walk.json;

    for ( ;; ) {

        if (in->skipping) {
            rc = modelguard_json_skip(json, in->skip_depth);

            if (rc != MODELGUARD_OK) {
                return rc;
            }

            in->skipping = 0;
            inspect_end(in);
            continue;
        }

        rc = modelguard_walk_next(&in->walk);

        if (rc == MODELGUARD_AGAIN) {
            return inspect_cut(in);
        }

        if (rc != MODELGUARD_OK) {
            return rc;
        }

        rc = inspect_token(in);

        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }
}


/* the piece is used up: what it has of the next token is noted */

static int
inspect_cut(modelguard_inspect_t *in)
{
    int                 rc;
    modelguard_json_t  *json;

    json = &in->walk.json;

    if (json->comma != NULL) {
        in->cut_comma = inspect_offset(in, json->comma);
    }

    if (json->partial && json->start != NULL) {
        in->cut_start = inspect_offset(in, json->start);
    }

    if (in->walk.fresh) {
        rc = inspect_value(in);

        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    if (json->partial == MODELGUARD_JSON_NUMBER) {
        modelguard_inspect_digits(in, json->end);
    }

    return MODELGUARD_AGAIN;
}


static int
inspect_token(modelguard_inspect_t *in)
{
    int                 rc;
    modelguard_json_t  *json;

    json = &in->walk.json;

    switch (json->type) {

    case MODELGUARD_JSON_KEY:

        in->comma = inspect_comma(in);
        in->start = json->start != NULL ? inspect_offset(in, json->start)
                                        : in->cut_start;

        /* "seed\u0000" is "seed" where C reads it */

        return in->walk.nul ? MODELGUARD_MALFORMED : MODELGUARD_OK;

    case MODELGUARD_JSON_OBJECT_END:
    case MODELGUARD_JSON_ARRAY_END:
        return inspect_close(in);

    default:
        break;
    }

    if (in->walk.fresh) {
        rc = inspect_value(in);

        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    switch (json->type) {

    case MODELGUARD_JSON_OBJECT:
    case MODELGUARD_JSON_ARRAY:
        inspect_open(in);
        return MODELGUARD_OK;

    case MODELGUARD_JSON_NUMBER:
        modelguard_inspect_digits(in, json->stop);
        modelguard_inspect_number(in);
        break;

    default:
        break;
    }

    inspect_end(in);

    return MODELGUARD_OK;
}


/* a value begins: json->start is its first byte */

static int
inspect_value(modelguard_inspect_t *in)
{
    size_t                          i;
    unsigned                        depth;
    inspect_level_t                *level;
    modelguard_json_t              *json;
    const modelguard_param_mark_t  *mark;

    json = &in->walk.json;

    depth = json->depth - (json->type == MODELGUARD_JSON_OBJECT
                           || json->type == MODELGUARD_JSON_ARRAY);

    level = &in->levels[depth];
    mark = &in->params->marks[in->walk.state];

    if (depth == 0
        || (json->stack[depth / 64] >> (depth % 64) & 1) == 0)
    {
        in->comma = inspect_comma(in);
        in->start = inspect_offset(in, json->start);
    }

    /* the comma that follows the value before this one */

    for (i = level->first; i < level->first + level->n; i++) {
        in->edits.notes[i].after = in->comma;
    }

    level->first = in->edits.n;
    level->n = 0;
    level->members = 1;
    level->seen |= mark->target | mark->parent;

    if (level->counting && level->elements < UINT32_MAX) {
        level->elements++;
    }

    in->counted = (mark->items != 0);
    in->limited = 0;
    in->number_when = 0;
    in->len = 0;

    /* servers take "8" for 8 in a shape: it is as great as can be */

    if (mark->dim && *json->start == '"') {
        modelguard_inspect_count(in, UINT32_MAX);
    }

    if ((mark->target | mark->parent | mark->when) == 0) {
        return MODELGUARD_OK;
    }

    /* what is no object lacks the member that is awaited there */

    if (*json->start != '{') {
        in->violated |= mark->parent
                        & in->params->ops[MODELGUARD_PARAM_REQUIRE];
    }

    modelguard_inspect_check(in, mark->target, mark->when);

    return inspect_note(in, mark, level);
}


static int
inspect_note(modelguard_inspect_t *in, const modelguard_param_mark_t *mark,
    inspect_level_t *level)
{
    int              rc;
    uint8_t          c;
    unsigned         depth;
    uint64_t         objects;
    const uint64_t  *ops;

    depth = (unsigned) (level - in->levels);
    ops = in->params->ops;
    c = *in->walk.json.start;

    if (depth == 0) {
        return MODELGUARD_OK;
    }

    rc = inspect_note_value(in, MODELGUARD_INSPECT_DROP,
                            mark->target & ops[MODELGUARD_PARAM_DROP], depth);

    if (rc == MODELGUARD_OK) {
        rc = inspect_note_value(in, MODELGUARD_INSPECT_SET,
                                mark->target & ops[MODELGUARD_PARAM_SET],
                                depth);
    }

    if (rc == MODELGUARD_OK && c != 'f' && c != 'n') {
        rc = inspect_note_value(in, MODELGUARD_INSPECT_FALSE,
                                mark->target & ops[MODELGUARD_PARAM_FALSE],
                                depth);
    }

    if (rc == MODELGUARD_OK && c != '{'
        && depth <= MODELGUARD_PATH_STEPS_MAX)
    {
        objects = mark->parent & in->params->objects[depth];

        rc = inspect_note_value(in, MODELGUARD_INSPECT_OBJECT, objects,
                                depth);
    }

    level->n = in->edits.n - level->first;

    return rc;
}


/* one note for all parameters that want the same of a value */

static int
inspect_note_value(modelguard_inspect_t *in, modelguard_inspect_kind_e kind,
    uint64_t mask, unsigned depth)
{
    int                         rc;
    modelguard_inspect_note_t  *note;

    if (mask == 0) {
        return MODELGUARD_OK;
    }

    rc = modelguard_inspect_edits_add(&in->edits, &note);

    if (rc != MODELGUARD_OK) {
        return rc;
    }

    note->kind = kind;
    note->level = depth;
    note->mask = mask;
    note->start = inspect_offset(in, in->walk.json.start);

    if (kind == MODELGUARD_INSPECT_DROP) {
        note->start = in->start;
        note->before = in->comma;
    }

    return MODELGUARD_OK;
}


static void
inspect_open(modelguard_inspect_t *in)
{
    inspect_level_t    *level;
    modelguard_json_t  *json;

    json = &in->walk.json;
    level = &in->levels[json->depth];

    level->end = inspect_offset(in, json->stop);
    level->waiting = 0;
    level->seen = 0;
    level->first = 0;
    level->n = 0;
    level->elements = 0;
    level->counting = 0;
    level->members = 0;

    if (json->type == MODELGUARD_JSON_OBJECT) {
        level->waiting = in->params->marks[in->walk.state].parent;
    }

    if (json->type == MODELGUARD_JSON_ARRAY && in->counted) {
        level->counting = 1;

    } else if (modelguard_walk_is_dead(&in->walk)) {
        in->skipping = 1;
        in->skip_depth = json->depth - 1;
    }
}


static int
inspect_close(modelguard_inspect_t *in)
{
    int                         rc;
    uint64_t                    missing, set;
    unsigned                    depth;
    inspect_level_t            *level;
    modelguard_inspect_note_t  *note;

    depth = in->walk.json.depth;
    level = &in->levels[depth + 1];

    if (level->counting) {
        modelguard_inspect_count(in, level->elements);
    }

    missing = level->waiting & ~level->seen;

    if (missing) {
        in->violated |= missing & in->params->ops[MODELGUARD_PARAM_REQUIRE];

        set = missing & in->params->ops[MODELGUARD_PARAM_SET];

        if (set) {
            rc = modelguard_inspect_edits_add(&in->edits, &note);

            if (rc != MODELGUARD_OK) {
                return rc;
            }

            note->kind = MODELGUARD_INSPECT_INSERT;
            note->level = depth;
            note->members = level->members;
            note->mask = set;
            note->start = level->end;
            note->end = level->end;
        }
    }

    inspect_end(in);

    return MODELGUARD_OK;
}


/* a value has ended */

static void
inspect_end(modelguard_inspect_t *in)
{
    size_t            i;
    inspect_level_t  *level;

    level = &in->levels[in->walk.json.depth];
    level->end = inspect_offset(in, in->walk.json.stop);

    for (i = level->first; i < level->first + level->n; i++) {
        in->edits.notes[i].end = level->end;
    }
}


static uint64_t
inspect_offset(const modelguard_inspect_t *in, const uint8_t *p)
{
    return in->offset + (uint64_t) (p - in->walk.piece);
}


/* the comma before the token */

static uint64_t
inspect_comma(const modelguard_inspect_t *in)
{
    const modelguard_json_t  *json;

    json = &in->walk.json;

    if (!json->after_comma) {
        return MODELGUARD_INSPECT_NONE;
    }

    return json->comma != NULL ? inspect_offset(in, json->comma)
                               : in->cut_comma;
}
