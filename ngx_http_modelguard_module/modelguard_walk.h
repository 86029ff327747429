
/*
 * Copyright (C) the modelguard authors
 *
 * A walk over a document: tokens, and for each value the automaton's state,
 * so that the walker knows which of its paths end there.
 */


#ifndef MODELGUARD_WALK_H_INCLUDED
#define MODELGUARD_WALK_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_json.h"
#include "modelguard_automaton.h"


/* a name of the greatest length may be all escapes of six bytes */

#define MODELGUARD_WALK_KEY_MAX  (MODELGUARD_PATH_NAME_MAX * 6 + 2)


typedef struct {
    modelguard_json_t              json;
    const modelguard_automaton_t  *automaton;

    uint16_t                       state;    /* of the value that begins, or
                                                of the member after a key */
    unsigned                       fresh:1;  /* a value begins: with its whole
                                                token, or with its first part
                                                before MODELGUARD_AGAIN or an
                                                error in it */
    unsigned                       nul:1;    /* after a key: it has \u0000
                                                among what paths may name, or
                                                is too long to tell */
    const uint8_t                 *member;   /* after a key: its name, or NULL
                                                if it is too long */
    size_t                         member_len;

    /* private */

    unsigned                       begun:1;  /* the cut value was fresh */
    unsigned                       long_key:1;
    const uint8_t                 *piece;
    size_t                         key_len;
    uint16_t                       states[MODELGUARD_JSON_DEPTH_MAX + 1];
    uint16_t                       elements[MODELGUARD_JSON_DEPTH_MAX + 1];
    uint32_t                       index[MODELGUARD_JSON_DEPTH_MAX + 1];
    uint8_t                        key[MODELGUARD_WALK_KEY_MAX];
    uint8_t                        name[MODELGUARD_PATH_NAME_MAX];
} modelguard_walk_t;


void modelguard_walk_init(modelguard_walk_t *walk,
    const modelguard_automaton_t *automaton, unsigned depth);

/* makes ready for another document */

void modelguard_walk_reset(modelguard_walk_t *walk,
    const modelguard_automaton_t *automaton);

void modelguard_walk_feed(modelguard_walk_t *walk, const uint8_t *bytes,
    size_t len);

/*
 * As modelguard_json_next(), with walk->state and walk->fresh set; also
 * MODELGUARD_UNDECIDED.  modelguard_json_skip() on walk->json may be used
 * to pass over a container that has just begun.
 */

int modelguard_walk_next(modelguard_walk_t *walk);

/* 1 if nothing can be reached in the container that has just begun */

int modelguard_walk_is_dead(const modelguard_walk_t *walk);


#endif /* MODELGUARD_WALK_H_INCLUDED */
