
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_inspect_edit.h"


#define EDITS_FIRST  16


/* where the resolving is */

typedef struct {
    const modelguard_params_t   *params;
    uint64_t                     active;
    uint64_t                     skip;     /* the end of what was edited */
    uint64_t                     comma;    /* after a run of members dropped
                                              from the first one on */
    uint64_t                     emptied;  /* the end of a last member, all
                                              being dropped */
    uint8_t                     *text;     /* NULL: only measured */
    size_t                       at;
} edits_state_t;


static void edits_run(modelguard_inspect_edits_t *edits,
    edits_state_t *state);
static void edits_drop(edits_state_t *state,
    const modelguard_inspect_note_t *note, modelguard_inspect_edit_t *edit);
static void edits_text(edits_state_t *state,
    const modelguard_inspect_note_t *note, modelguard_inspect_edit_t *edit);
static void edits_put(edits_state_t *state, const char *text, size_t len);


void
modelguard_inspect_edits_init(modelguard_inspect_edits_t *edits,
    modelguard_alloc_pt alloc, void *data)
{
    memset(edits, 0, sizeof(modelguard_inspect_edits_t));

    edits->alloc = alloc;
    edits->data = data;
}


int
modelguard_inspect_edits_add(modelguard_inspect_edits_t *edits,
    modelguard_inspect_note_t **note)
{
    void    *notes;
    size_t   size;

    if (edits->n == MODELGUARD_INSPECT_EDITS_MAX) {
        return MODELGUARD_TOO_BIG;
    }

    if (edits->n == edits->size) {
        size = edits->size ? 2 * edits->size : EDITS_FIRST;

        notes = edits->alloc(edits->data, edits->notes,
                             edits->size * sizeof(modelguard_inspect_note_t),
                             size * sizeof(modelguard_inspect_note_t));
        if (notes == NULL) {
            return MODELGUARD_NOMEM;
        }

        edits->notes = notes;
        edits->size = size;
    }

    *note = &edits->notes[edits->n++];

    memset(*note, 0, sizeof(modelguard_inspect_note_t));

    (*note)->before = MODELGUARD_INSPECT_NONE;
    (*note)->after = MODELGUARD_INSPECT_NONE;

    return MODELGUARD_OK;
}


int
modelguard_inspect_edits_resolve(modelguard_inspect_edits_t *edits,
    const modelguard_params_t *params, uint64_t active)
{
    edits_state_t  state;

    if (edits->n == 0) {
        return MODELGUARD_OK;
    }

    edits->edits = edits->alloc(edits->data, NULL, 0,
                                edits->n * sizeof(modelguard_inspect_edit_t));
    if (edits->edits == NULL) {
        return MODELGUARD_NOMEM;
    }

    state.params = params;
    state.active = active;
    state.text = NULL;

    edits_run(edits, &state);

    if (state.at) {
        edits->ntext = state.at;

        edits->text = edits->alloc(edits->data, NULL, 0, edits->ntext);
        if (edits->text == NULL) {
            return MODELGUARD_NOMEM;
        }

        state.text = edits->text;

        edits_run(edits, &state);
    }

    return MODELGUARD_OK;
}


static void
edits_run(modelguard_inspect_edits_t *edits, edits_state_t *state)
{
    size_t                            i;
    modelguard_inspect_edit_t        *edit;
    const modelguard_inspect_note_t  *note;

    state->at = 0;
    state->skip = 0;
    state->comma = MODELGUARD_INSPECT_NONE;
    state->emptied = MODELGUARD_INSPECT_NONE;

    edits->nedits = 0;

    for (i = 0; i < edits->n; i++) {
        note = &edits->notes[i];

        /* of what is edited already, nothing is left */

        if ((note->mask & state->active) == 0 || note->start < state->skip) {
            continue;
        }

        edit = &edits->edits[edits->nedits++];

        edit->offset = note->start;
        edit->len = note->end - note->start;
        edit->text.data = NULL;
        edit->text.len = 0;

        if (note->kind == MODELGUARD_INSPECT_DROP) {
            edits_drop(state, note, edit);

        } else {
            edits_text(state, note, edit);
        }

        state->skip = note->end;
    }
}


/*
 * A member goes with the comma before it, but those at the beginning of a
 * container with the one after.
 */

static void
edits_drop(edits_state_t *state, const modelguard_inspect_note_t *note,
    modelguard_inspect_edit_t *edit)
{
    if (note->before != MODELGUARD_INSPECT_NONE
        && note->before != state->comma)
    {
        edit->offset = note->before;
        edit->len = note->end - note->before;
        return;
    }

    state->comma = note->after;

    if (note->after == MODELGUARD_INSPECT_NONE) {
        state->emptied = note->end;
        return;
    }

    edit->len = note->after + 1 - note->start;
}


static void
edits_text(edits_state_t *state, const modelguard_inspect_note_t *note,
    modelguard_inspect_edit_t *edit)
{
    size_t                     i, at;
    uint64_t                   mask;
    const modelguard_param_t  *list;

    mask = note->mask & state->active;
    list = state->params->list;

    if (note->kind == MODELGUARD_INSPECT_SET) {

        for (i = 0; (mask >> i & 1) == 0; i++) { /* void */ }

        edit->text = list[i].value;
        return;
    }

    if (note->kind == MODELGUARD_INSPECT_FALSE) {
        edit->text.data = (const uint8_t *) "false";
        edit->text.len = 5;
        return;
    }

    at = state->at;

    if (note->kind == MODELGUARD_INSPECT_OBJECT) {
        edits_put(state, "{", 1);

    } else if (note->members && note->start != state->emptied) {
        edits_put(state, ",", 1);
    }

    state->at += modelguard_param_members(state->params, mask, note->level,
                                          state->text
                                          ? state->text + state->at : NULL);

    if (note->kind == MODELGUARD_INSPECT_OBJECT) {
        edits_put(state, "}", 1);
    }

    if (state->text) {
        edit->text.data = state->text + at;
        edit->text.len = state->at - at;
    }
}


static void
edits_put(edits_state_t *state, const char *text, size_t len)
{
    if (state->text) {
        memcpy(state->text + state->at, text, len);
    }

    state->at += len;
}


void
modelguard_inspect_edits_free(modelguard_inspect_edits_t *edits)
{
    if (edits->notes) {
        (void) edits->alloc(edits->data, edits->notes,
                            edits->size * sizeof(modelguard_inspect_note_t),
                            0);
    }

    if (edits->edits) {
        (void) edits->alloc(edits->data, edits->edits,
                            edits->n * sizeof(modelguard_inspect_edit_t), 0);
    }

    if (edits->text) {
        (void) edits->alloc(edits->data, edits->text, edits->ntext, 0);
    }
}
