
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_param.h"
#include "modelguard_json.h"


/* tags of the automaton: items, then three for each parameter */

#define PARAM_ITEMS    0
#define PARAM_DIM      1              /* items, of a path that ends "[0]" */
#define PARAM_TARGET   2
#define PARAM_PARENT   (PARAM_TARGET + MODELGUARD_PARAM_MAX)
#define PARAM_WHEN     (PARAM_PARENT + MODELGUARD_PARAM_MAX)
#define PARAM_TAGS     (PARAM_WHEN + MODELGUARD_PARAM_MAX)


typedef struct {
    modelguard_automaton_entry_t   *entries;
    size_t                          n;
    modelguard_alloc_pt             alloc;
    void                           *data;
} param_entries_t;


static int param_is_json(const modelguard_str_t *text);
static int param_is_name(const modelguard_str_t *name);
static int param_is_exact(const modelguard_path_t *path);
static unsigned param_create(const modelguard_param_t *param);
static int param_same(const modelguard_path_t *a, const modelguard_path_t *b,
    unsigned n);
static int param_entry(param_entries_t *e, const modelguard_path_t *path,
    size_t tag);
static int param_parents(param_entries_t *e, modelguard_params_t *params,
    size_t i);
static int param_marks(modelguard_params_t *params,
    modelguard_alloc_pt alloc, void *data);
static size_t param_put(uint8_t *out, size_t at, const void *text,
    size_t len);
static size_t param_name(uint8_t *out, size_t at,
    const modelguard_str_t *name);
static size_t param_write(const modelguard_params_t *params, uint64_t mask,
    unsigned level, uint8_t *out, size_t at);


static const char  param_hex[] = "0123456789abcdef";


int
modelguard_param_check(const modelguard_param_t *param, const char **error)
{
    size_t                   i;
    uint8_t                  c;
    const modelguard_str_t  *value;

    value = &param->value;
    *error = NULL;

    if (param->path->n == 0) {
        *error = "the root is no parameter";

    } else if (param->op == MODELGUARD_PARAM_LIMIT) {

        for (i = 0; i < value->len; i++) {
            c = value->data[i];

            if ((uint8_t) (c - '0') >= 10 && c != '.') {
                *error = "the limit is not a decimal number";
            }
        }

        if (!param_is_json(value)) {
            *error = "the limit is not a decimal number";
        }

    } else if (param->op == MODELGUARD_PARAM_SET) {

        if (!param_is_json(value)) {
            *error = "the value is not JSON";
        }

        for (i = 0; i < param->path->n; i++) {

            if (param->path->steps[i].kind == MODELGUARD_PATH_MEMBER
                && !param_is_name(&param->path->steps[i].name))
            {
                *error = "a name is not UTF-8";
            }
        }
    }

    return *error == NULL ? MODELGUARD_OK : MODELGUARD_INVALID;
}


static int
param_is_json(const modelguard_str_t *text)
{
    int                rc;
    modelguard_json_t  json;

    modelguard_json_init(&json, MODELGUARD_JSON_DEPTH_MAX);
    modelguard_json_feed(&json, text->data, text->len);

    do {
        rc = modelguard_json_next(&json);

        /* what tokenizers take for numbers beyond RFC 8259 */

        if (rc == MODELGUARD_OK && json.type == MODELGUARD_JSON_NUMBER
            && (json.stop[-1] == 'N' || json.stop[-1] == 'y'))
        {
            return 0;
        }

    } while (rc == MODELGUARD_OK);

    if (rc != MODELGUARD_AGAIN) {
        return 0;
    }

    /* the end of a number at the root */

    modelguard_json_feed(&json, (const uint8_t *) " ", 1);

    do {
        rc = modelguard_json_next(&json);
    } while (rc == MODELGUARD_OK);

    return rc == MODELGUARD_AGAIN
           && modelguard_json_finish(&json) == MODELGUARD_OK;
}


static int
param_is_name(const modelguard_str_t *name)
{
    size_t            len;
    modelguard_str_t  text;
    uint8_t           out[MODELGUARD_PATH_NAME_MAX * 6 + 2];

    len = param_name(out, 0, name);

    text.data = out;
    text.len = len;

    return param_is_json(&text);
}


const char *
modelguard_param_conflict(const modelguard_param_t *a,
    const modelguard_param_t *b)
{
    int       edits, sets, same_when;
    unsigned  n;

    edits = (a->op >= MODELGUARD_PARAM_DROP)
            + (b->op >= MODELGUARD_PARAM_DROP);

    sets = (a->op == MODELGUARD_PARAM_SET) + (b->op == MODELGUARD_PARAM_SET);

    n = a->path->n < b->path->n ? a->path->n : b->path->n;

    if (!param_same(a->path, b->path, n)) {
        return NULL;
    }

    if (a->path->n != b->path->n) {

        return (edits == 2 && sets)
               ? "one is set in what another sets or drops" : NULL;
    }

    same_when = a->when == NULL || b->when == NULL
                || (a->when->n == b->when->n
                    && param_same(a->when, b->when, a->when->n));

    if (edits == 2 || (edits == 1 && same_when)) {
        return "it is not changed in one way only";
    }

    if (edits == 1 || !same_when) {
        return NULL;
    }

    return a->op != b->op && a->op != MODELGUARD_PARAM_FORBID
           && b->op != MODELGUARD_PARAM_FORBID
           ? NULL : "it is given twice";
}


static int
param_same(const modelguard_path_t *a, const modelguard_path_t *b, unsigned n)
{
    unsigned  i;

    for (i = 0; i < n; i++) {

        if (!modelguard_path_step_equal(&a->steps[i], &b->steps[i])) {
            return 0;
        }
    }

    return 1;
}


int
modelguard_params_build(modelguard_params_t **result,
    const modelguard_param_t *list, size_t n,
    const modelguard_path_t *const *items, size_t nitems,
    modelguard_match_pt match, modelguard_alloc_pt alloc, void *data)
{
    int                            rc;
    size_t                         i;
    unsigned                       k;
    param_entries_t                e;
    modelguard_params_t           *params;
    modelguard_automaton_t        *automaton;
    modelguard_automaton_entry_t   entries[MODELGUARD_AUTOMATON_PATHS_MAX];

    if (n > MODELGUARD_PARAM_MAX) {
        return MODELGUARD_TOO_BIG;
    }

    params = alloc(data, NULL, 0, sizeof(modelguard_params_t));
    if (params == NULL) {
        return MODELGUARD_NOMEM;
    }

    memset(params, 0, sizeof(modelguard_params_t));

    params->list = list;
    params->n = n;

    e.entries = entries;
    e.n = 0;
    e.alloc = alloc;
    e.data = data;

    rc = MODELGUARD_OK;

    for (i = 0; i < nitems && rc == MODELGUARD_OK; i++) {
        k = items[i]->n;

        rc = param_entry(&e, items[i],
                         k && items[i]->steps[k - 1].kind
                              == MODELGUARD_PATH_INDEX
                         ? PARAM_DIM : PARAM_ITEMS);
    }

    for (i = 0; i < n && rc == MODELGUARD_OK; i++) {
        params->ops[list[i].op] |= (uint64_t) 1 << i;

        rc = param_entry(&e, list[i].path, PARAM_TARGET + i);

        if (rc == MODELGUARD_OK) {
            rc = param_parents(&e, params, i);
        }

        if (rc == MODELGUARD_OK && list[i].when != NULL) {
            params->conditional |= (uint64_t) 1 << i;

            rc = param_entry(&e, list[i].when, PARAM_WHEN + i);
        }
    }

    if (rc == MODELGUARD_OK) {
        rc = modelguard_automaton_build(&automaton, entries, e.n, match,
                                        alloc, data);

        if (rc == MODELGUARD_OK) {
            params->automaton = automaton;

            rc = param_marks(params, alloc, data);
        }
    }

    *result = params;

    return rc;
}


static int
param_entry(param_entries_t *e, const modelguard_path_t *path, size_t tag)
{
    if (e->n == MODELGUARD_AUTOMATON_PATHS_MAX) {
        return MODELGUARD_TOO_BIG;
    }

    e->entries[e->n].path = path;
    e->entries[e->n].tag = (uint16_t) tag;
    e->n++;

    return MODELGUARD_OK;
}


/* the objects whose members are awaited, outer ones first */

static int
param_parents(param_entries_t *e, modelguard_params_t *params, size_t i)
{
    int                        rc;
    unsigned                   create, k;
    modelguard_path_t         *parent;
    const modelguard_path_t   *path;
    const modelguard_param_t  *param;

    param = &params->list[i];
    path = param->path;

    if (param->op != MODELGUARD_PARAM_SET
        && param->op != MODELGUARD_PARAM_REQUIRE)
    {
        return MODELGUARD_OK;
    }

    create = param_create(param);

    for (k = create; k < path->n; k++) {

        parent = e->alloc(e->data, NULL, 0, sizeof(modelguard_path_t));
        if (parent == NULL) {
            return MODELGUARD_NOMEM;
        }

        /* the names stay in the whole path */

        memset(parent, 0, sizeof(modelguard_path_t));
        memcpy(parent->steps, path->steps, k * sizeof(path->steps[0]));
        parent->n = k;

        if (param->op == MODELGUARD_PARAM_SET && k > create) {
            params->objects[k] |= (uint64_t) 1 << i;
        }

        rc = param_entry(e, parent, PARAM_PARENT + i);

        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    return MODELGUARD_OK;
}


/*
 * The least number of steps after which only plain members follow, and thus
 * can be made; all steps if nothing can.
 */

static unsigned
param_create(const modelguard_param_t *param)
{
    unsigned                  k;
    const modelguard_path_t  *path;

    path = param->path;
    k = path->n;

    if (!param_is_exact(path)
        || path->steps[k - 1].kind != MODELGUARD_PATH_MEMBER)
    {
        return k;
    }

    while (k > 0 && path->steps[k - 1].kind == MODELGUARD_PATH_MEMBER) {
        k--;
    }

    return k;
}


static int
param_is_exact(const modelguard_path_t *path)
{
    unsigned  i;

    for (i = 0; i < path->n; i++) {

        switch (path->steps[i].kind) {

        case MODELGUARD_PATH_MEMBER:
        case MODELGUARD_PATH_ANY_ELEMENT:
        case MODELGUARD_PATH_INDEX:
            break;

        default:
            return 0;
        }
    }

    return 1;
}


static int
param_marks(modelguard_params_t *params, modelguard_alloc_pt alloc,
    void *data)
{
    size_t                    i, n, states;
    const uint16_t           *tags;
    modelguard_param_mark_t  *mark;

    states = modelguard_automaton_states(params->automaton);

    params->marks = alloc(data, NULL, 0,
                          states * sizeof(modelguard_param_mark_t));
    if (params->marks == NULL) {
        return MODELGUARD_NOMEM;
    }

    memset(params->marks, 0, states * sizeof(modelguard_param_mark_t));

    for (i = 0; i < states; i++) {
        mark = &params->marks[i];

        n = modelguard_automaton_tags(params->automaton, (uint16_t) i, &tags);

        for ( /* void */ ; n; n--, tags++) {

            if (*tags < PARAM_TARGET) {
                mark->items = 1;
                mark->dim |= (*tags == PARAM_DIM);

            } else if (*tags < PARAM_PARENT) {
                mark->target |= (uint64_t) 1 << (*tags - PARAM_TARGET);

            } else if (*tags < PARAM_WHEN) {
                mark->parent |= (uint64_t) 1 << (*tags - PARAM_PARENT);

            } else {
                mark->when |= (uint64_t) 1 << (*tags - PARAM_WHEN);
            }
        }
    }

    return MODELGUARD_OK;
}


size_t
modelguard_param_members(const modelguard_params_t *params, uint64_t mask,
    unsigned level, uint8_t *out)
{
    return param_write(params, mask, level, out, 0);
}


/* as deep as a path has steps */

static size_t
param_write(const modelguard_params_t *params, uint64_t mask, unsigned level,
    uint8_t *out, size_t at)
{
    size_t                         i, j, first, outer;
    uint64_t                       same;
    const modelguard_param_t      *list;
    const modelguard_path_step_t  *step;

    first = at;
    list = params->list;

    for (i = 0; i < params->n; i++) {

        if ((mask >> i & 1) == 0) {
            continue;
        }

        step = &list[i].path->steps[level];
        outer = params->n;
        same = 0;

        for (j = i; j < params->n; j++) {

            if ((mask >> j & 1) == 0
                || !modelguard_path_step_equal(step,
                                               &list[j].path->steps[level]))
            {
                continue;
            }

            same |= (uint64_t) 1 << j;

            /* "[0].a" and "[*].a.b": what is set on the outside */

            if (outer == params->n && list[j].path->n == level + 1) {
                outer = j;
            }
        }

        mask &= ~same;

        if (at > first) {
            at = param_put(out, at, ",", 1);
        }

        at = param_name(out, at, &step->name);
        at = param_put(out, at, ":", 1);

        if (outer < params->n) {
            at = param_put(out, at, list[outer].value.data,
                           list[outer].value.len);
            continue;
        }

        at = param_put(out, at, "{", 1);
        at = param_write(params, same, level + 1, out, at);
        at = param_put(out, at, "}", 1);
    }

    return at;
}


static size_t
param_name(uint8_t *out, size_t at, const modelguard_str_t *name)
{
    size_t   i;
    uint8_t  c;

    at = param_put(out, at, "\"", 1);

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (c < 0x20) {
            at = param_put(out, at, "\\u00", 4);
            at = param_put(out, at, &param_hex[c >> 4], 1);
            at = param_put(out, at, &param_hex[c & 15], 1);
            continue;
        }

        if (c == '"' || c == '\\') {
            at = param_put(out, at, "\\", 1);
        }

        at = param_put(out, at, &c, 1);
    }

    return param_put(out, at, "\"", 1);
}


static size_t
param_put(uint8_t *out, size_t at, const void *text, size_t len)
{
    if (out != NULL) {
        memcpy(out + at, text, len);
    }

    return at + len;
}
