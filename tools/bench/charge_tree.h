
/*
 * Copyright (C) the modelguard authors
 *
 * The shape of limit_req, to compare with: a red-black tree ordered by a
 * 32-bit hash, the key's bytes in the node, a list in the order of use, one
 * spin lock around all of it, a leaky bucket.  Nodes are never freed, which
 * is kinder to it than its zone is.
 */


#ifndef CHARGE_TREE_H_INCLUDED
#define CHARGE_TREE_H_INCLUDED


#include "modelguard_hash.h"


#define CHARGE_TREE_PASSED   0
#define CHARGE_TREE_REFUSED  1


/* bytes that so many clients take */

size_t charge_tree_size(uint64_t clients);

void charge_tree_init(void *memory, uint64_t clients);

/* finds or inserts, and charges 1; now in ms */

int charge_tree(void *memory, const modelguard_id_t *id, uint64_t now);


#endif /* CHARGE_TREE_H_INCLUDED */
