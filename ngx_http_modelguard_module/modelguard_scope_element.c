
/*
 * Copyright (C) the modelguard authors
 *
 * The ranges of elements and members, which go with their scores.
 */


#include "modelguard_scope.h"


modelguard_scope_t *
modelguard_scope_ranged(const modelguard_scopes_t *scopes, unsigned depth)
{
    unsigned                   i;
    const modelguard_scope_t  *scope;

    for (i = scopes->n; i > 0; i--) {
        scope = &scopes->scopes[i - 1];

        if (scope->depth != depth) {
            break;
        }

        if (scope->ranges) {
            return (modelguard_scope_t *) (uintptr_t) scope;
        }
    }

    return NULL;
}


int
modelguard_scope_element(modelguard_scopes_t *scopes, unsigned depth,
    size_t off)
{
    int                  rc;
    modelguard_edit_t   *edit;
    modelguard_scope_t  *scope;

    scope = modelguard_scope_ranged(scopes, depth);

    if (scope == NULL) {
        return MODELGUARD_OK;
    }

    edit = modelguard_hold_edit(scopes->hold, &rc);
    if (edit == NULL) {
        return rc;
    }

    edit->off = (uint32_t) off;
    edit->frame = (uint8_t) (scope - scopes->scopes);
    edit->scaled = scope->ordinal++;

    /* a member of a map that is no number is nobody's score: it stays */

    edit->kept = (scope->kind == MODELGUARD_SCOPE_MAP);

    scope->range = scopes->hold->n - 1;

    return MODELGUARD_OK;
}


void
modelguard_scope_element_end(modelguard_scopes_t *scopes, unsigned depth,
    const uint8_t *p)
{
    modelguard_edit_t   *edit;
    modelguard_scope_t  *scope;

    scope = modelguard_scope_ranged(scopes, depth);

    if (scope == NULL || scope->range == MODELGUARD_EDIT_NONE) {
        return;
    }

    edit = &scopes->hold->edits[scope->range];
    edit->len = (uint32_t) modelguard_hold_offset(scopes->hold, p) - edit->off;

    scope->range = MODELGUARD_EDIT_NONE;
}
