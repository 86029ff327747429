
/*
 * Copyright (C) the modelguard authors
 *
 * The building of an automaton: private to the modelguard_automaton files.
 *
 * A position is an entry and the number of its steps already taken; taking
 * all of them accepts.  A set of positions has one word for each entry that
 * is not lost: the entry's number and a bit for each of its positions.
 *
 *     entry << 17 | bit 16 ... bit 0
 *
 * Words are sorted, so that equal sets have equal words.  Only the empty set
 * cannot accept any more: it is state 0.
 */


#ifndef MODELGUARD_AUTOMATON_BUILD_H_INCLUDED
#define MODELGUARD_AUTOMATON_BUILD_H_INCLUDED


#include "modelguard_automaton.h"


#define MODELGUARD_AUTOMATON_BITS     (MODELGUARD_PATH_STEPS_MAX + 1)
#define MODELGUARD_AUTOMATON_MASK     ((1u << MODELGUARD_AUTOMATON_BITS) - 1)
#define MODELGUARD_AUTOMATON_STEPS    (MODELGUARD_AUTOMATON_PATHS_MAX         \
                                       * MODELGUARD_PATH_STEPS_MAX)
#define MODELGUARD_AUTOMATON_BUCKETS  (2 * MODELGUARD_AUTOMATON_STATES_MAX)
#define MODELGUARD_AUTOMATON_NONE     0xffff


/*
 * Members of a state: "mask" + 1 slots, at most half of them used, hold the
 * spelled-out names; then targets[subset] of the patterns that match, of
 * which targets[0] is the default.  Elements: sorted indexes, then "element".
 */

typedef struct {
    uint32_t                         slots;      /* these are the first ones */
    uint32_t                         mask;
    uint32_t                         lengths;    /* bits: % 32, of names */
    uint32_t                         indexes;
    uint32_t                         patterns;
    uint32_t                         targets;
    uint32_t                         tags;
    uint16_t                         nindexes;
    uint16_t                         npatterns;
    uint16_t                         ntags;
    uint16_t                         element;
} modelguard_automaton_state_t;


/* a name leads to its own position at least, so a dead slot is a free one */

typedef struct {
    const uint8_t                   *data;
    uint32_t                         hash;
    uint16_t                         len;
    uint16_t                         target;
} modelguard_automaton_slot_t;


typedef struct {
    uint32_t                         index;
    uint16_t                         target;
} modelguard_automaton_index_t;


struct modelguard_automaton_s {
    size_t                           n;       /* of states */
    modelguard_match_pt              match;
    const void                     **patterns;
    modelguard_automaton_slot_t     *slots;
    modelguard_automaton_state_t    *states;
    modelguard_automaton_index_t    *indexes;
    uint16_t                        *targets;
    uint16_t                        *tags;
};


/* an entry's steps, bit i for step i; a symbol is a step's first equal one */

typedef struct {
    uint32_t                         any_member;
    uint32_t                         any_element;
    uint32_t                         any_depth;
    uint16_t                         symbols[MODELGUARD_PATH_STEPS_MAX];
} modelguard_automaton_path_t;


/*
 * In the array of words: "n" words of the set, then "nlive" words without
 * the accepting positions.  States of equal live words share transitions.
 */

typedef struct {
    uint32_t                         first;
    uint32_t                         n;
    uint32_t                         nlive;
    uint32_t                         hash;
    uint32_t                         live_hash;
} modelguard_automaton_set_t;


/* a step of one symbol, out of the state being expanded */

typedef struct {
    uint16_t                         word;
    uint16_t                         symbol;
    uint8_t                          step;
    uint8_t                          pattern;    /* its bit; 0: not one */
    uint8_t                          repeated;   /* the symbol came before */
} modelguard_automaton_edge_t;


/* the arrays of the result are in the order of their alignment */

typedef enum {
    MODELGUARD_AUTOMATON_PATTERNS = 0,
    MODELGUARD_AUTOMATON_SLOTS,
    MODELGUARD_AUTOMATON_STATES,
    MODELGUARD_AUTOMATON_INDEXES,
    MODELGUARD_AUTOMATON_TARGETS,
    MODELGUARD_AUTOMATON_TAGS,
    MODELGUARD_AUTOMATON_SETS,
    MODELGUARD_AUTOMATON_WORDS,
    MODELGUARD_AUTOMATON_ARRAYS
} modelguard_automaton_array_e;


typedef struct {
    void                            *data;
    uint32_t                         n;
    uint32_t                         size;
} modelguard_automaton_array_t;


typedef struct {
    modelguard_alloc_pt              alloc;
    void                            *data;
    modelguard_match_pt              match;
    const modelguard_automaton_entry_t
                                    *entries;
    size_t                           n;

    modelguard_automaton_array_t     arrays[MODELGUARD_AUTOMATON_ARRAYS];
    modelguard_automaton_path_t      paths[MODELGUARD_AUTOMATON_PATHS_MAX];

    /*
     * The state being expanded: its live words, the positions that every
     * member or element leads to, by word, and the edges for some only.
     */

    uint32_t                         nwords;
    uint32_t                         nedges;
    uint32_t                         nnames;
    uint32_t                         nindexes;
    uint32_t                         npatterns;
    const void                      *regexes[MODELGUARD_AUTOMATON_REGEX_MAX];
    uint16_t                         symbols[MODELGUARD_AUTOMATON_REGEX_MAX];
    uint32_t                         words[MODELGUARD_AUTOMATON_PATHS_MAX];
    uint32_t                         member[MODELGUARD_AUTOMATON_PATHS_MAX];
    uint32_t                         element[MODELGUARD_AUTOMATON_PATHS_MAX];
    uint32_t                         next[MODELGUARD_AUTOMATON_PATHS_MAX];
    modelguard_automaton_edge_t      edges[MODELGUARD_AUTOMATON_STEPS];

    /* the state that has an edge of the symbol; hash table of the sets */

    uint16_t                         seen[MODELGUARD_AUTOMATON_STEPS];
    uint16_t                         buckets[MODELGUARD_AUTOMATON_BUCKETS];
} modelguard_automaton_build_t;


/* makes the states, from the root on, in b->arrays */

int modelguard_automaton_run(modelguard_automaton_build_t *b);

/* fills in b->paths */

void modelguard_automaton_symbols(modelguard_automaton_build_t *b);

/* the positions with those that "**" steps add to them, or make needless */

uint32_t modelguard_automaton_close(const modelguard_automaton_path_t *path,
    uint32_t mask);

/*
 * Finds or adds the state of the first n words of b->next.
 * MODELGUARD_NOMEM, MODELGUARD_TOO_BIG.
 */

int modelguard_automaton_intern(modelguard_automaton_build_t *b, uint32_t n,
    uint16_t *state);

/*
 * n more elements of an array, not initialised, or NULL.  Pointers into the
 * array are valid until the next call for it.
 */

void *modelguard_automaton_push(modelguard_automaton_build_t *b,
    modelguard_automaton_array_e which, uint32_t n);

/* frees the arrays */

void modelguard_automaton_release(modelguard_automaton_build_t *b);

/* moves the result's arrays into one block.  MODELGUARD_NOMEM */

int modelguard_automaton_finish(modelguard_automaton_build_t *b,
    modelguard_automaton_t **automaton);

/* the bits of the n patterns that match, or -1 */

int modelguard_automaton_subset(modelguard_match_pt match,
    const void *const *patterns, unsigned n, const uint8_t *name, size_t len);

uint32_t modelguard_automaton_hash(const uint8_t *name, size_t len);


#endif /* MODELGUARD_AUTOMATON_BUILD_H_INCLUDED */
