
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_scope.h"
#include "modelguard_number.h"
#include "modelguard_json.h"


#define SCOPE_TYPE  4                /* bytes of a type that are looked at */


static int scope_has_cut(const modelguard_vector_t *vector);
static void scope_decide_values(const modelguard_scope_t *group,
    const modelguard_vector_t *vector);
static void scope_decide_rows(const modelguard_vector_t *all, uint64_t row);
static int scope_is_foreign(const uint8_t *text, size_t len);
static void scope_keep(const modelguard_vector_t *all);


modelguard_scope_t *
modelguard_scope_group(const modelguard_scopes_t *scopes,
    const modelguard_rule_t *rule)
{
    unsigned                   i;
    const modelguard_scope_t  *scope;

    for (i = scopes->n; i > 0; i--) {
        scope = &scopes->scopes[i - 1];

        if (scope->kind == MODELGUARD_SCOPE_GROUP && scope->rule == rule) {
            return (modelguard_scope_t *) (uintptr_t) scope;
        }
    }

    return NULL;
}


/* the value, or labels, of a group have been read: the group holds them */

int
modelguard_scope_grouped(modelguard_scopes_t *scopes, modelguard_scope_t *scope,
    const uint8_t *p)
{
    modelguard_scope_t    *group;
    modelguard_stretch_t  *stretch;

    /* there was one when the scope began, which holds since then */

    group = modelguard_scope_group(scopes, scope->rule);

    if (group->decided && scope->kind == MODELGUARD_SCOPE_LABELS) {

        /* a duplicate: which elements went is known no longer */

        return group->cut ? MODELGUARD_UNTREATABLE
                          : modelguard_scope_release(scopes, scope, p);
    }

    stretch = NULL;

    if (scope->kind == MODELGUARD_SCOPE_ARRAY && !group->value) {
        stretch = &group->values;
        group->value = 1;
        group->value_frame = (uint8_t) (scope - scopes->scopes);

    } else if (group->nlabels < MODELGUARD_FIELD_LABELS_MAX) {
        stretch = &group->labels[group->nlabels++];
    }

    if (stretch != NULL) {
        stretch->first = scope->first;
        stretch->last = scopes->hold->n;
    }

    /* one holder takes over from the other */

    if (!group->holder) {
        group->holder = 1;
        scopes->holders++;
    }

    scope->holder = 0;
    scopes->holders--;

    return modelguard_scope_ready(group)
           ? modelguard_scope_decide_group(scopes, group, p)
           : MODELGUARD_OK;
}


int
modelguard_scope_ready(const modelguard_scope_t *group)
{
    const modelguard_rule_t  *rule;

    rule = group->rule;

    return group->value && group->nlabels >= rule->nlabels
           && (group->shape || !rule->shape)
           && (group->datatype || !rule->datatype);
}


int
modelguard_scope_decide_group(modelguard_scopes_t *scopes,
    modelguard_scope_t *group, const uint8_t *p)
{
    int                  rc;
    unsigned             i;
    modelguard_vector_t  vector;

    if (!group->holder) {
        return MODELGUARD_OK;
    }

    vector.text = modelguard_hold_join(scopes->hold, p, &rc);
    if (vector.text == NULL) {
        return rc;
    }

    vector.treatment = group->rule->treatment;
    vector.edits = scopes->hold->edits;
    vector.first = group->values.first;
    vector.last = group->values.last;
    vector.frame = group->value_frame;
    vector.ranges = (group->rule->nlabels && group->nlabels);

    scope_decide_values(group, &vector);

    for (i = 0; i < group->nlabels; i++) {

        if (group->rule->nlabels) {
            modelguard_vector_parallel(&vector, group->labels[i].first,
                                       group->labels[i].last,
                                       group->value_frame);
            continue;
        }

        vector.first = group->labels[i].first;
        vector.last = group->labels[i].last;

        scope_decide_values(group, &vector);
    }

    if (group->rule->nlabels) {
        group->cut = (scope_has_cut(&vector) != 0);
    }

    group->decided = 1;
    group->nlabels = 0;

    return modelguard_scope_release(scopes, group, p);
}


static int
scope_has_cut(const modelguard_vector_t *vector)
{
    uint32_t  i;

    for (i = vector->first; i < vector->last; i++) {

        if (vector->edits[i].op == MODELGUARD_EDIT_CUT) {
            return 1;
        }
    }

    return 0;
}


static void
scope_decide_values(const modelguard_scope_t *group,
    const modelguard_vector_t *vector)
{
    if (group->foreign) {
        scope_keep(vector);

    } else {
        scope_decide_rows(vector, group->row);
    }
}


/* a vector for every "row" numbers; the last may be shorter */

static void
scope_decide_rows(const modelguard_vector_t *all, uint64_t row)
{
    uint32_t             i;
    uint64_t             count;
    modelguard_vector_t  vector;

    vector = *all;

    if (row == 0) {
        modelguard_vector_decide(&vector);
        return;
    }

    count = 0;

    for (i = all->first; i < all->last; i++) {

        if (all->edits[i].frame != all->frame
            || all->edits[i].kind != MODELGUARD_EDIT_NUMBER
            || ++count < row)
        {
            continue;
        }

        vector.last = i + 1;
        modelguard_vector_decide(&vector);

        vector.first = i + 1;
        count = 0;
    }

    vector.last = all->last;
    modelguard_vector_decide(&vector);
}


/* the arrays within were decided before the datatype was known */

static void
scope_keep(const modelguard_vector_t *all)
{
    uint32_t  i;

    for (i = all->first; i < all->last; i++) {

        if (all->edits[i].frame != MODELGUARD_SCOPES_MAX) {
            all->edits[i].op = MODELGUARD_EDIT_KEEP;
        }
    }
}


int
modelguard_scope_is_shape(const modelguard_scopes_t *scopes, unsigned depth)
{
    const modelguard_scope_t  *scope;

    scope = modelguard_scope_top(scopes, depth);

    return scope != NULL && scope->kind == MODELGUARD_SCOPE_SHAPE;
}


void
modelguard_scope_dimension(modelguard_scopes_t *scopes, const uint8_t *text,
    size_t len)
{
    int64_t              value;
    modelguard_scope_t  *scope;

    scope = &scopes->scopes[scopes->n - 1];

    /* what is no count of columns makes the whole tensor one vector */

    if (modelguard_number_scale(text, len, 0, &value) != MODELGUARD_OK
        || value < 0)
    {
        value = 0;
    }

    scope->row = (uint64_t) value;
}


/*
 * Whether a type of the Open Inference Protocol (the quotes are part of the
 * text) holds class numbers and flags.  Scores are FP16, FP32, FP64, BF16; a
 * type that is not known, or BYTES, may hold them, too.
 */

static int
scope_is_foreign(const uint8_t *text, size_t len)
{
    unsigned  i;
    uint8_t   name[SCOPE_TYPE];

    static const char  *types[] = { "INT", "UINT", "BOOL" };

    /* no more of the name than is compared; zeros where it is shorter */

    memset(name, 0, sizeof(name));

    (void) modelguard_json_unescape(text + 1, len - 2, name, sizeof(name));

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {

        if (memcmp(name, types[i], strlen(types[i])) == 0) {
            return 1;
        }
    }

    return 0;
}


int
modelguard_scope_datatype(modelguard_scopes_t *scopes,
    const modelguard_mark_t *mark, const uint8_t *text, size_t len,
    const uint8_t *p)
{
    modelguard_scope_t  *group;

    group = modelguard_scope_group(scopes, mark->rule);

    if (group == NULL) {
        return MODELGUARD_OK;
    }

    group->datatype = 1;
    group->foreign = (scope_is_foreign(text, len) != 0);

    return modelguard_scope_ready(group)
           ? modelguard_scope_decide_group(scopes, group, p)
           : MODELGUARD_OK;
}
