
/*
 * Copyright (C) the modelguard authors
 *
 * The insertion is the textbook's (Cormen et al., "Introduction to
 * Algorithms", chapter 13).
 */


#include <sched.h>

#include "charge_tree.h"


#define TREE_KEY    20               /* bytes of a key, as an API key's */
#define TREE_RATE   1000000000       /* thousandths of a request a second */
#define TREE_BURST  1000000000000ULL
#define TREE_SPINS  2048


typedef struct node_s  node_t;

struct node_s {
    uint64_t   hash;
    node_t    *child[2];
    node_t    *parent;
    uint8_t    red;
    uint8_t    len;
    node_t    *before;               /* in the order of use */
    node_t    *behind;
    uint64_t   last;
    uint64_t   excess;
    uint64_t   count;
    uint8_t    key[TREE_KEY];
};


/* a slab's slot: the next power of two */

typedef union {
    node_t   node;
    uint8_t  room[128];
} slot_t;


typedef struct {
    volatile int  locked;
    node_t       *root;
    node_t        nil;
    node_t        used;              /* the list's head */
    uint64_t      n;
    uint64_t      clients;
    slot_t        slots[];
} tree_t;


size_t
charge_tree_size(uint64_t clients)
{
    return sizeof(tree_t) + clients * sizeof(slot_t);
}


void
charge_tree_init(void *memory, uint64_t clients)
{
    tree_t  *tree;

    tree = memory;

    memset(tree, 0, sizeof(tree_t));

    tree->root = &tree->nil;
    tree->used.before = &tree->used;
    tree->used.behind = &tree->used;
    tree->clients = clients;
}


static void
tree_lock(tree_t *tree)
{
    int  spins;

    for ( ;; ) {
        for (spins = 0; spins < TREE_SPINS; spins++) {
            if (tree->locked == 0
                && __sync_bool_compare_and_swap(&tree->locked, 0, 1))
            {
                return;
            }

#if defined(__x86_64__) || defined(__i386__)
            __asm__ volatile ("pause");
#endif
        }

        (void) sched_yield();
    }
}


/* "side" 0: the right child goes up, 1: the left one */

static void
tree_rotate(tree_t *tree, node_t *node, int side)
{
    node_t  *up;

    up = node->child[!side];
    node->child[!side] = up->child[side];

    if (up->child[side] != &tree->nil) {
        up->child[side]->parent = node;
    }

    up->parent = node->parent;

    if (node->parent == &tree->nil) {
        tree->root = up;

    } else {
        node->parent->child[node == node->parent->child[1]] = up;
    }

    up->child[side] = node;
    node->parent = up;
}


static void
tree_balance(tree_t *tree, node_t *node)
{
    int      side;
    node_t  *uncle, *grand;

    while (node->parent->red) {
        grand = node->parent->parent;
        side = (node->parent == grand->child[1]);
        uncle = grand->child[!side];

        if (uncle->red) {
            node->parent->red = 0;
            uncle->red = 0;
            grand->red = 1;
            node = grand;
            continue;
        }

        if (node == node->parent->child[!side]) {
            node = node->parent;
            tree_rotate(tree, node, side);
        }

        node->parent->red = 0;
        grand->red = 1;
        tree_rotate(tree, grand, !side);
    }

    tree->root->red = 0;
}


static node_t *
tree_insert(tree_t *tree, node_t *parent, int side)
{
    node_t  *node;

    if (tree->n == tree->clients) {
        return NULL;
    }

    node = &tree->slots[tree->n++].node;

    node->child[0] = &tree->nil;
    node->child[1] = &tree->nil;
    node->parent = parent;
    node->red = 1;

    if (parent == &tree->nil) {
        tree->root = node;

    } else {
        parent->child[side] = node;
    }

    return node;
}


static void
tree_used(tree_t *tree, node_t *node)
{
    node->before = &tree->used;
    node->behind = tree->used.behind;
    node->behind->before = node;
    tree->used.behind = node;
}


static int
tree_charge(tree_t *tree, const uint8_t *key, uint64_t hash, uint64_t now)
{
    int       side, rc;
    node_t   *node, *parent;
    uint64_t  excess, leaked;

    side = 0;
    parent = &tree->nil;
    node = tree->root;

    while (node != &tree->nil) {

        if (node->hash == hash) {
            rc = memcmp(key, node->key, TREE_KEY);

            if (rc == 0) {
                node->before->behind = node->behind;
                node->behind->before = node->before;
                tree_used(tree, node);

                leaked = (now - node->last) * TREE_RATE / 1000;
                excess = (node->excess > leaked) ? node->excess - leaked : 0;
                excess += 1000;

                if (excess > TREE_BURST) {
                    return CHARGE_TREE_REFUSED;
                }

                node->excess = excess;
                node->last = now;

                return CHARGE_TREE_PASSED;
            }

            side = (rc > 0);

        } else {
            side = (hash > node->hash);
        }

        parent = node;
        node = node->child[side];
    }

    node = tree_insert(tree, parent, side);

    if (node == NULL) {
        return CHARGE_TREE_REFUSED;
    }

    node->hash = hash;
    node->len = TREE_KEY;
    node->last = now;
    memcpy(node->key, key, TREE_KEY);

    tree_used(tree, node);
    tree_balance(tree, node);

    return CHARGE_TREE_PASSED;
}


int
charge_tree(void *memory, const modelguard_id_t *id, uint64_t now)
{
    int      rc;
    tree_t  *tree;
    uint8_t  key[TREE_KEY];

    tree = memory;

    memset(key, 'k', sizeof(key));
    memcpy(key, id, sizeof(modelguard_id_t));

    tree_lock(tree);
    rc = tree_charge(tree, key, id->low & 0xffffffff, now);
    __sync_lock_release(&tree->locked);

    return rc;
}
