
/*
 * Copyright (C) the modelguard authors
 *
 * The edits of a body while it is walked: private to the modelguard_inspect
 * files.  An edit is noted for all parameters that may want it, where it
 * begins, so that they are in order; which of them apply and who keeps which
 * comma is known at the end only.
 */


#ifndef MODELGUARD_INSPECT_EDIT_H_INCLUDED
#define MODELGUARD_INSPECT_EDIT_H_INCLUDED


#include "modelguard_inspect.h"


#define MODELGUARD_INSPECT_NONE  UINT64_MAX    /* no offset */


typedef enum {
    MODELGUARD_INSPECT_DROP = 0,
    MODELGUARD_INSPECT_SET,
    MODELGUARD_INSPECT_FALSE,
    MODELGUARD_INSPECT_OBJECT,       /* instead of what is no object */
    MODELGUARD_INSPECT_INSERT        /* behind an object's last member */
} modelguard_inspect_kind_e;


typedef struct {
    modelguard_inspect_kind_e   kind;
    unsigned                    level;     /* steps taken, see
                                              modelguard_param_members() */
    unsigned                    members;   /* of INSERT: there are some */
    uint64_t                    mask;      /* the parameters */
    uint64_t                    start;     /* of the member or value */
    uint64_t                    end;       /* of the value */
    uint64_t                    before;    /* of DROP: the commas, or NONE */
    uint64_t                    after;
} modelguard_inspect_note_t;


typedef struct {
    modelguard_alloc_pt         alloc;
    void                       *data;
    modelguard_inspect_note_t  *notes;
    size_t                      n;
    size_t                      size;      /* of notes, in elements */
    modelguard_inspect_edit_t  *edits;     /* as resolved */
    size_t                      nedits;
    uint8_t                    *text;
    size_t                      ntext;
} modelguard_inspect_edits_t;


void modelguard_inspect_edits_init(modelguard_inspect_edits_t *edits,
    modelguard_alloc_pt alloc, void *data);

/* MODELGUARD_OK with *note; NOMEM, TOO_BIG */

int modelguard_inspect_edits_add(modelguard_inspect_edits_t *edits,
    modelguard_inspect_note_t **note);

/* fills in edits->edits for the parameters that apply.  NOMEM */

int modelguard_inspect_edits_resolve(modelguard_inspect_edits_t *edits,
    const modelguard_params_t *params, uint64_t active);

void modelguard_inspect_edits_free(modelguard_inspect_edits_t *edits);


#endif /* MODELGUARD_INSPECT_EDIT_H_INCLUDED */
