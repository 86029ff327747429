
/*
 * Copyright (C) the modelguard authors
 *
 * One walk over a request's JSON body, in pieces of any size: counts the
 * items (batch rows) that the request asks about, checks its parameters, and
 * collects the edits that make the body what the parameters want.
 *
 * Items: at a place that a path names, an array counts as its number of
 * elements, a number as its value (rounded, at least 1; "shape[0]"), a string
 * where the path ends with an index as UINT32_MAX, anything else as 1.  The
 * result is the greatest count of all places and of all duplicates, and 1 if
 * no place is found.
 *
 * Parameters: every occurrence counts, duplicates and escaped names too.  A
 * condition may come after what depends on it, so that all is decided at the
 * end of the body.
 */


#ifndef MODELGUARD_INSPECT_H_INCLUDED
#define MODELGUARD_INSPECT_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_param.h"


#define MODELGUARD_INSPECT_EDITS_MAX   4096
#define MODELGUARD_INSPECT_DIGITS_MAX  256   /* of a number that is limited:
                                                a longer one is too great */
#define MODELGUARD_INSPECT_PASSED      ((size_t) -1)


typedef struct modelguard_inspect_s  modelguard_inspect_t;


/* instead of "len" bytes from "offset" on, "text" */

typedef struct {
    uint64_t                         offset;
    uint64_t                         len;
    modelguard_str_t                 text;
} modelguard_inspect_edit_t;


typedef struct {
    uint64_t                         items;     /* 1 .. UINT32_MAX */
    size_t                           violated;  /* the first parameter of the
                                                   list, or PASSED */

    /* in order and apart from each other; none if "violated" */

    const modelguard_inspect_edit_t *edits;
    size_t                           nedits;
} modelguard_inspect_result_t;


/* depth: 1 .. MODELGUARD_DEPTH_MAX containers; NULL if there is no memory */

modelguard_inspect_t *modelguard_inspect_create(
    const modelguard_params_t *params, unsigned depth,
    modelguard_alloc_pt alloc, void *data);

/*
 * MODELGUARD_OK, MALFORMED, TOO_DEEP, UNDECIDED, NOMEM, or TOO_BIG for more
 * than MODELGUARD_INSPECT_EDITS_MAX places to edit; errors stay.
 */

int modelguard_inspect_feed(modelguard_inspect_t *inspect,
    const uint8_t *bytes, size_t len);

/*
 * The end of the body.  MODELGUARD_OK with *result, valid until the walk is
 * freed; TRUNCATED or as above.
 */

int modelguard_inspect_finish(modelguard_inspect_t *inspect,
    modelguard_inspect_result_t *result);

void modelguard_inspect_free(modelguard_inspect_t *inspect);


#endif /* MODELGUARD_INSPECT_H_INCLUDED */
