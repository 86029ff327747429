
/*
 * Copyright (C) the modelguard authors
 *
 * Field paths compiled to one deterministic automaton over a document's
 * structure: at each object member or array element the walker asks for the
 * next state.  Built at configuration time, constant and shared afterwards.
 *
 *   state 0   nothing named can be reached below: skip
 *   state 1   the root value
 *
 * In a state, the names that some path spells out are listed; any other
 * name takes the state's "other" transition, or, where patterns apply, the
 * transition of the subset of patterns that match it.
 */


#ifndef MODELGUARD_AUTOMATON_H_INCLUDED
#define MODELGUARD_AUTOMATON_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_path.h"


#define MODELGUARD_AUTOMATON_DEAD       0
#define MODELGUARD_AUTOMATON_ROOT       1
#define MODELGUARD_AUTOMATON_UNDECIDED  0xffff  /* a pattern gave no answer */

#define MODELGUARD_AUTOMATON_STATES_MAX  4096
#define MODELGUARD_AUTOMATON_PATHS_MAX   256
#define MODELGUARD_AUTOMATON_REGEX_MAX   6       /* patterns in one state */


typedef struct modelguard_automaton_s  modelguard_automaton_t;

/*
 * Matches a name with a step's compiled pattern.
 * 1: matches, 0: does not, -1: could not be decided (a limit was hit).
 */

typedef int (*modelguard_match_pt)(const void *regex, const uint8_t *name,
    size_t len);


typedef struct {
    const modelguard_path_t  *path;
    uint16_t                  tag;     /* the caller's; returned on accept */
} modelguard_automaton_entry_t;


/*
 * Builds the automaton of n entries (at most MODELGUARD_AUTOMATON_PATHS_MAX)
 * in memory of "alloc", which keeps it until the caller's allocator goes:
 * there is no destroy.  Paths and regexes stay referenced.  The entries
 * accepted in a state keep the order given.
 * MODELGUARD_NOMEM; MODELGUARD_TOO_BIG: over a bound above;
 * MODELGUARD_UNDECIDED: a pattern failed on a spelled-out name.
 */

int modelguard_automaton_build(modelguard_automaton_t **automaton,
    const modelguard_automaton_entry_t *entries, size_t n,
    modelguard_match_pt match, modelguard_alloc_pt alloc, void *data);

/*
 * The state of an object's member.  The name is unescaped.  A name longer
 * than MODELGUARD_PATH_NAME_MAX equals none that is spelled out, and is
 * MODELGUARD_AUTOMATON_UNDECIDED where patterns apply (pass name == NULL
 * and any len over the maximum).
 */

uint16_t modelguard_automaton_member(const modelguard_automaton_t *automaton,
    uint16_t state, const uint8_t *name, size_t len);

/* the state of an array's element */

uint16_t modelguard_automaton_element(const modelguard_automaton_t *automaton,
    uint16_t state, uint32_t index);

/*
 * 1 if all elements below "state" from index "index" on have the same state,
 * so that the walker need not ask again.
 */

int modelguard_automaton_uniform(const modelguard_automaton_t *automaton,
    uint16_t state, uint32_t index);

/* the number of states: they are 0 .. n - 1 */

size_t modelguard_automaton_states(const modelguard_automaton_t *automaton);

/* the tags accepted in a state: *tags has the returned number, may be 0 */

size_t modelguard_automaton_tags(const modelguard_automaton_t *automaton,
    uint16_t state, const uint16_t **tags);


#endif /* MODELGUARD_AUTOMATON_H_INCLUDED */
