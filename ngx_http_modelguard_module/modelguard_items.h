
/*
 * Copyright (C) the modelguard authors
 *
 * Counts the items (batch rows) that a request asks about, in one walk over
 * its JSON body, in pieces of any size.
 *
 * At a place that a path names, an array counts as its number of elements, a
 * number as its value (rounded, at least 1; "shape[0]"), anything else as 1.
 * The result is the greatest count of all places and of all duplicates, and
 * 1 if no place is found.
 */


#ifndef MODELGUARD_ITEMS_H_INCLUDED
#define MODELGUARD_ITEMS_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_automaton.h"


typedef struct modelguard_items_s  modelguard_items_t;


/* depth: 1 .. MODELGUARD_DEPTH_MAX containers; NULL if there is no memory */

modelguard_items_t *modelguard_items_create(
    const modelguard_automaton_t *automaton, unsigned depth,
    modelguard_alloc_pt alloc, void *data);

/* MODELGUARD_OK, MALFORMED, TOO_DEEP, UNDECIDED or NOMEM; errors stay */

int modelguard_items_feed(modelguard_items_t *items, const uint8_t *bytes,
    size_t len);

/*
 * The end of the body.  MODELGUARD_OK with *count, 1 .. UINT32_MAX
 * (saturating); TRUNCATED or as above.
 */

int modelguard_items_finish(modelguard_items_t *items, uint64_t *count);

void modelguard_items_free(modelguard_items_t *items);


#endif /* MODELGUARD_ITEMS_H_INCLUDED */
