
/*
 * Copyright (C) the modelguard authors
 *
 * The state of a walk over a body: private to the modelguard_inspect files.
 */


#ifndef MODELGUARD_INSPECT_WALK_H_INCLUDED
#define MODELGUARD_INSPECT_WALK_H_INCLUDED


#include "modelguard_inspect.h"
#include "modelguard_inspect_edit.h"
#include "modelguard_walk.h"


/* a container that is open, by depth; at 0 is the root value */

typedef struct {
    uint64_t                     end;        /* of its last value, or of its
                                                bracket */
    uint64_t                     waiting;    /* parameters whose member is */
    uint64_t                     seen;       /* awaited, and was seen */
    size_t                       first;      /* edits of its last value */
    size_t                       n;
    uint32_t                     elements;
    unsigned                     counting:1; /* an array that is named */
    unsigned                     members:1;  /* it has some */
} inspect_level_t;


struct modelguard_inspect_s {
    modelguard_alloc_pt          alloc;
    void                        *data;
    const modelguard_params_t   *params;
    inspect_level_t             *levels;
    unsigned                     depth;      /* levels, but for the root's */
    modelguard_inspect_edits_t   edits;

    uint64_t                     count;      /* the greatest so far */
    int                          error;

    uint64_t                     offset;     /* of the piece */
    uint64_t                     cut_start;  /* of the token that is cut */
    uint64_t                     cut_comma;  /* before it */
    uint64_t                     start;      /* of the member or element */
    uint64_t                     comma;      /* before it, or NONE */

    uint64_t                     violated;
    uint64_t                     found;      /* of those that are required */
    uint64_t                     true_when;

    unsigned                     skipping:1; /* a container to its end */
    unsigned                     counted:1;  /* the number is a count */
    unsigned                     skip_depth;
    uint64_t                     limited;    /* by these is the number */
    uint64_t                     number_when;
    size_t                       len;        /* of the number */
    uint8_t                      digits[MODELGUARD_INSPECT_DIGITS_MAX];

    modelguard_walk_t            walk;
};


/* what the first byte of a value, at json->start, tells the parameters */

void modelguard_inspect_check(modelguard_inspect_t *in, uint64_t target,
    uint64_t when);

/* takes the bytes of a number up to "stop", if anybody wants it */

void modelguard_inspect_digits(modelguard_inspect_t *in, const uint8_t *stop);

/* the number is complete */

void modelguard_inspect_number(modelguard_inspect_t *in);

void modelguard_inspect_count(modelguard_inspect_t *in, uint64_t count);


#endif /* MODELGUARD_INSPECT_WALK_H_INCLUDED */
