
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_scope.h"


static int scope_open_array(modelguard_scopes_t *scopes,
    const modelguard_rule_t *rule, unsigned depth, const uint8_t *p);
static int scope_open_again(modelguard_scopes_t *scopes,
    modelguard_scope_t *scope, const modelguard_scope_t *group,
    const uint8_t *p);
static int scope_open_grouped(modelguard_scopes_t *scopes,
    modelguard_scope_t *scope, const modelguard_scope_t *group,
    const uint8_t *p);
static int scope_push(modelguard_scopes_t *scopes,
    modelguard_scope_kind_e kind, const modelguard_rule_t *rule,
    unsigned depth, const uint8_t *p);
static int scope_holds(modelguard_scope_kind_e kind);
static int scope_hold(modelguard_scopes_t *scopes, modelguard_scope_t *scope,
    const uint8_t *p);
static int scope_end(modelguard_scopes_t *scopes, modelguard_scope_t *scope,
    const uint8_t *p);
static int scope_decide(modelguard_scopes_t *scopes,
    const modelguard_scope_t *scope, const uint8_t *p);
static int scope_alone(modelguard_scopes_t *scopes,
    const modelguard_rule_t *rule, size_t off, size_t len, const uint8_t *p);
static int scope_row(modelguard_scopes_t *scopes, modelguard_scope_t *scope,
    const uint8_t *p);


int
modelguard_scope_open(modelguard_scopes_t *scopes,
    const modelguard_place_t *place, unsigned depth, int is_object,
    const uint8_t *p)
{
    int                        rc;
    unsigned                   i;
    const modelguard_rule_t   *within;
    const modelguard_mark_t   *mark;
    const modelguard_scope_t  *above;

    static const uint8_t  kinds[] = {
        0,
        MODELGUARD_SCOPE_MAP,
        MODELGUARD_SCOPE_RECORDS,
        MODELGUARD_SCOPE_GROUP,
        MODELGUARD_SCOPE_LABELS,
        MODELGUARD_SCOPE_SHAPE,
        0
    };

    /* looked up before the marks put scopes of their own on top of it */

    above = modelguard_scope_top(scopes, depth - 1);
    within = NULL;

    if (above != NULL && above->kind == MODELGUARD_SCOPE_ARRAY) {
        within = above->rule;
    }

    for (i = 0; i < place->nmarks; i++) {
        mark = &place->marks[i];

        if (mark->part == MODELGUARD_PART_DATATYPE
            || (mark->part == MODELGUARD_PART_MAP && !is_object)
            || (mark->part != MODELGUARD_PART_MAP
                && mark->part != MODELGUARD_PART_GROUP && is_object)
            || (mark->part == MODELGUARD_PART_LABELS
                && modelguard_scope_group(scopes, mark->rule) == NULL))
        {
            continue;
        }

        rc = scope_push(scopes, (modelguard_scope_kind_e) kinds[mark->part],
                        mark->rule, depth, p);
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    if (is_object) {
        return MODELGUARD_OK;
    }

    if (place->value != NULL && place->value != within) {
        return scope_open_array(scopes, place->value, depth, p);
    }

    /* an array within an array that is treated is a vector of its own */

    return within != NULL
           ? scope_push(scopes, MODELGUARD_SCOPE_ARRAY, within, depth, p)
           : MODELGUARD_OK;
}


static int
scope_open_array(modelguard_scopes_t *scopes, const modelguard_rule_t *rule,
    unsigned depth, const uint8_t *p)
{
    int                        rc;
    const modelguard_scope_t  *group;

    group = modelguard_scope_group(scopes, rule);

    if (group != NULL && group->foreign) {
        return MODELGUARD_OK;
    }

    rc = scope_push(scopes, MODELGUARD_SCOPE_ARRAY, rule, depth, p);

    if (rc != MODELGUARD_OK || group == NULL) {
        return rc;
    }

    /* the group is below on the stack: it has not moved */

    if (group->value) {
        return scope_open_again(scopes, &scopes->scopes[scopes->n - 1], group,
                                p);
    }

    return scope_open_grouped(scopes, &scopes->scopes[scopes->n - 1], group,
                              p);
}


/*
 * A duplicate of the value: of a tensor it is one more, with the same rows;
 * beside labels it is a vector of its own.
 */

static int
scope_open_again(modelguard_scopes_t *scopes, modelguard_scope_t *scope,
    const modelguard_scope_t *group, const uint8_t *p)
{
    if (scope->rule->nlabels) {
        return MODELGUARD_OK;
    }

    if (!group->holder) {
        scope->row = group->row;
        return MODELGUARD_OK;
    }

    if (group->nlabels == MODELGUARD_FIELD_LABELS_MAX
        || group->value_frame != (uint8_t) (scope - scopes->scopes))
    {
        return MODELGUARD_OK;
    }

    scope->grouped = 1;

    return scope_hold(scopes, scope, p);
}


static int
scope_open_grouped(modelguard_scopes_t *scopes, modelguard_scope_t *scope,
    const modelguard_scope_t *group, const uint8_t *p)
{
    const modelguard_rule_t  *rule;

    rule = scope->rule;

    if (rule->nlabels) {
        scope->grouped = 1;
        scope->ranges = 1;

        return scope_hold(scopes, scope, p);
    }

    if ((rule->shape && !group->shape)
        || (rule->datatype && !group->datatype))
    {
        scope->grouped = 1;

        return scope_hold(scopes, scope, p);
    }

    scope->row = group->row;

    return MODELGUARD_OK;
}


static int
scope_push(modelguard_scopes_t *scopes, modelguard_scope_kind_e kind,
    const modelguard_rule_t *rule, unsigned depth, const uint8_t *p)
{
    modelguard_scope_t  *scope;

    if (scopes->n == MODELGUARD_SCOPES_MAX) {
        return MODELGUARD_TOO_DEEP;
    }

    scope = &scopes->scopes[scopes->n++];

    memset(scope, 0, sizeof(modelguard_scope_t));

    scope->rule = rule;
    scope->kind = kind;
    scope->depth = depth;
    scope->first = scopes->hold->n;
    scope->range = MODELGUARD_EDIT_NONE;

    if (!scope_holds(kind)) {
        return MODELGUARD_OK;
    }

    scope->ranges = 1;

    return scope_hold(scopes, scope, p);
}


static int
scope_holds(modelguard_scope_kind_e kind)
{
    return kind == MODELGUARD_SCOPE_RECORDS || kind == MODELGUARD_SCOPE_MAP
           || kind == MODELGUARD_SCOPE_LABELS;
}


static int
scope_hold(modelguard_scopes_t *scopes, modelguard_scope_t *scope,
    const uint8_t *p)
{
    int  rc;

    if (scopes->holders == 0) {
        rc = modelguard_hold_send(scopes->hold, p);
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    scope->first = scopes->hold->n;
    scope->holder = 1;
    scopes->holders++;

    return MODELGUARD_OK;
}


int
modelguard_scope_release(modelguard_scopes_t *scopes, modelguard_scope_t *scope,
    const uint8_t *p)
{
    if (!scope->holder) {
        return MODELGUARD_OK;
    }

    scope->holder = 0;
    scopes->holders--;

    if (scopes->holders) {
        return MODELGUARD_OK;
    }

    /* the limit holds for what came in one piece, too */

    if (modelguard_hold_offset(scopes->hold, p) > scopes->hold->conf->hold) {
        return MODELGUARD_TOO_BIG;
    }

    return modelguard_hold_send(scopes->hold, p);
}


/* the innermost scope, if its elements are in the container at "depth" */

modelguard_scope_t *
modelguard_scope_top(const modelguard_scopes_t *scopes, unsigned depth)
{
    const modelguard_scope_t  *scope;

    if (scopes->n == 0) {
        return NULL;
    }

    scope = &scopes->scopes[scopes->n - 1];

    return scope->depth == depth ? (modelguard_scope_t *) (uintptr_t) scope
                                 : NULL;
}


int
modelguard_scope_close(modelguard_scopes_t *scopes, unsigned depth,
    const uint8_t *p)
{
    int                  rc;
    modelguard_scope_t  *scope;

    for ( ;; ) {
        scope = modelguard_scope_top(scopes, depth);

        if (scope == NULL) {
            return MODELGUARD_OK;
        }

        rc = scope_end(scopes, scope, p);
        if (rc != MODELGUARD_OK) {
            return rc;
        }

        scopes->n--;
    }
}


static int
scope_end(modelguard_scopes_t *scopes, modelguard_scope_t *scope,
    const uint8_t *p)
{
    int                  rc;
    modelguard_scope_t  *group;

    switch (scope->kind) {

    case MODELGUARD_SCOPE_GROUP:
        rc = scope->value ? modelguard_scope_decide_group(scopes, scope, p)
                          : MODELGUARD_OK;
        break;

    case MODELGUARD_SCOPE_SHAPE:

        group = modelguard_scope_group(scopes, scope->rule);

        if (group == NULL) {
            return MODELGUARD_OK;
        }

        group->shape = 1;
        group->row = scope->row;

        return modelguard_scope_ready(group)
               ? modelguard_scope_decide_group(scopes, group, p)
               : MODELGUARD_OK;

    case MODELGUARD_SCOPE_LABELS:
        return modelguard_scope_grouped(scopes, scope, p);

    default:

        if (scope->grouped) {
            return modelguard_scope_grouped(scopes, scope, p);
        }

        rc = scope_decide(scopes, scope, p);
    }

    if (rc != MODELGUARD_OK) {
        return rc;
    }

    return modelguard_scope_release(scopes, scope, p);
}


static int
scope_decide(modelguard_scopes_t *scopes, const modelguard_scope_t *scope,
    const uint8_t *p)
{
    int                  rc;
    modelguard_vector_t  vector;

    if (!scope->holder) {
        return MODELGUARD_OK;
    }

    vector.frame = (uint8_t) (scope - scopes->scopes);

    if (scopes->hold->run.active && scopes->hold->run.frame == vector.frame) {

        if (scopes->holders == 1) {
            rc = modelguard_run_decide(scopes->hold, p);

            if (rc != MODELGUARD_AGAIN) {
                return rc;
            }

        } else {

            /* it is not sent yet, and only edits can wait */

            rc = modelguard_run_edits(scopes->hold);
            if (rc != MODELGUARD_OK) {
                return rc;
            }
        }
    }

    vector.text = modelguard_hold_join(scopes->hold, p, &rc);
    if (vector.text == NULL) {
        return rc;
    }

    vector.treatment = scope->rule->treatment;
    vector.edits = scopes->hold->edits;
    vector.first = scope->first;
    vector.last = scopes->hold->n;

    /* where two rules rank one container only the last has its ranges */

    vector.ranges = (scope->ranges && scope->ordinal);

    modelguard_vector_decide(&vector);

    return MODELGUARD_OK;
}


const modelguard_rule_t *
modelguard_scope_rule(const modelguard_scopes_t *scopes,
    const modelguard_place_t *place, unsigned depth)
{
    const modelguard_scope_t  *scope;

    scope = modelguard_scope_top(scopes, depth);

    if (scope != NULL && scope->kind == MODELGUARD_SCOPE_ARRAY) {
        return scope->rule;
    }

    return place->value;
}


int
modelguard_scope_number(modelguard_scopes_t *scopes,
    const modelguard_rule_t *rule, unsigned depth, size_t off, size_t len,
    const uint8_t *p)
{
    int                  rc;
    unsigned             i;
    const uint8_t       *text;
    modelguard_edit_t   *edit;
    modelguard_scope_t  *scope;

    for (i = scopes->n; i > 0; i--) {
        scope = &scopes->scopes[i - 1];

        if (scope->rule == rule
            && (scope->kind == MODELGUARD_SCOPE_RECORDS
                || (scope->depth == depth
                    && (scope->kind == MODELGUARD_SCOPE_ARRAY
                        || scope->kind == MODELGUARD_SCOPE_MAP))))
        {
            break;
        }
    }

    if (i == 0 || !rule->vector) {
        return scope_alone(scopes, rule, off, len, p);
    }

    scope = &scopes->scopes[i - 1];

    if (!scope->holder) {

        if (scopes->holders == 0) {
            rc = modelguard_hold_send_to(scopes->hold, off);
            if (rc != MODELGUARD_OK) {
                return rc;
            }

            off = 0;
        }

        /* what was held when it began may have been sent */

        scope->first = scopes->hold->n;
        scope->holder = 1;
        scopes->holders++;

        if (scope->kind == MODELGUARD_SCOPE_ARRAY && scopes->holders == 1
            && scopes->hold->n == 0)
        {
            modelguard_run_begin(scopes->hold, rule->treatment,
                                 (uint8_t) (i - 1));
        }
    }

    text = modelguard_hold_join(scopes->hold, p, &rc);
    if (text == NULL) {
        return rc;
    }

    if (scopes->hold->run.active && scopes->hold->run.frame == i - 1) {
        rc = modelguard_run_number(scopes->hold, text, off, len);

        if (rc != MODELGUARD_AGAIN) {
            return (rc == MODELGUARD_OK && scope->row)
                   ? scope_row(scopes, scope, p) : rc;
        }
    }

    edit = modelguard_hold_edit(scopes->hold, &rc);
    if (edit == NULL) {
        return rc;
    }

    edit->off = (uint32_t) off;
    edit->len = (uint32_t) len;
    edit->frame = (uint8_t) (i - 1);
    edit->link = scope->range;

    if (scope->kind == MODELGUARD_SCOPE_MAP
        && scope->range != MODELGUARD_EDIT_NONE)
    {
        scopes->hold->edits[scope->range].kept = 0;
    }

    modelguard_vector_number(rule->treatment, edit, text + off, len);

    return scope->row ? scope_row(scopes, scope, p) : MODELGUARD_OK;
}


int
modelguard_scope_text(modelguard_scopes_t *scopes,
    const modelguard_rule_t *rule, unsigned depth, size_t *off,
    const uint8_t *p)
{
    int                  rc;
    modelguard_scope_t  *scope;

    if (scopes->holders == 0) {
        rc = modelguard_hold_send_to(scopes->hold, *off);
        if (rc != MODELGUARD_OK) {
            return rc;
        }

        *off = 0;
    }

    rc = scope_push(scopes, MODELGUARD_SCOPE_ARRAY, rule, depth, p);
    if (rc != MODELGUARD_OK) {
        return rc;
    }

    scope = &scopes->scopes[scopes->n - 1];
    scope->holder = 1;
    scopes->holders++;

    return MODELGUARD_OK;
}


/* a row of a tensor whose shape is known is decided and sent at its end */

static int
scope_row(modelguard_scopes_t *scopes, modelguard_scope_t *scope,
    const uint8_t *p)
{
    int  rc;

    if (++scope->count < scope->row) {
        return MODELGUARD_OK;
    }

    rc = scope_decide(scopes, scope, p);
    if (rc != MODELGUARD_OK) {
        return rc;
    }

    scope->count = 0;

    rc = modelguard_scope_release(scopes, scope, p);

    scope->first = scopes->hold->n;

    return rc;
}


/* a number without rank */

static int
scope_alone(modelguard_scopes_t *scopes, const modelguard_rule_t *rule,
    size_t off, size_t len, const uint8_t *p)
{
    int                 rc;
    const uint8_t      *text;
    modelguard_edit_t   edit, *held;
    modelguard_hold_t  *hold;

    hold = scopes->hold;

    if (scopes->holders == 0) {
        rc = modelguard_hold_send_to(hold, off);
        if (rc != MODELGUARD_OK) {
            return rc;
        }

        off = 0;
    }

    text = modelguard_hold_join(hold, p, &rc);
    if (text == NULL) {
        return rc;
    }

    memset(&edit, 0, sizeof(modelguard_edit_t));

    edit.off = (uint32_t) off;
    edit.len = (uint32_t) len;
    edit.link = MODELGUARD_EDIT_NONE;
    edit.frame = MODELGUARD_SCOPES_MAX;

    modelguard_vector_number(rule->treatment, &edit, text + off, edit.len);
    modelguard_vector_alone(rule->treatment, &edit, text + off);

    /* of a number in a string the rest of the token follows it */

    if (scopes->holders || off + len < modelguard_hold_offset(hold, p)) {
        held = modelguard_hold_edit(hold, &rc);
        if (held == NULL) {
            return rc;
        }

        *held = edit;

        return scopes->holders ? MODELGUARD_OK : modelguard_hold_send(hold, p);
    }

    if (edit.op == MODELGUARD_EDIT_KEEP) {
        return MODELGUARD_OK;
    }

    hold->stat.treated++;

    rc = modelguard_hold_number(hold, &edit, text);

    if (rc == MODELGUARD_OK) {
        modelguard_hold_discard(hold, p);
    }

    return rc;
}
