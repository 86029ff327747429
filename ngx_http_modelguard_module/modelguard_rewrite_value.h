
/*
 * Copyright (C) the modelguard authors
 *
 * The rewriter's state, and what it does with one value: the seam between
 * modelguard_rewrite.c, which follows the tokens, and
 * modelguard_rewrite_value.c.
 */


#ifndef MODELGUARD_REWRITE_VALUE_H_INCLUDED
#define MODELGUARD_REWRITE_VALUE_H_INCLUDED


#include "modelguard_rewrite.h"
#include "modelguard_walk.h"
#include "modelguard_hold.h"
#include "modelguard_scope.h"


/* what the text of the value that begins is wanted for */

#define MODELGUARD_WANT_NOTHING   0
#define MODELGUARD_WANT_NUMBER    1
#define MODELGUARD_WANT_SHAPE     2
#define MODELGUARD_WANT_DATATYPE  3
#define MODELGUARD_WANT_ENCODED   4    /* a string, for what is in it */


struct modelguard_rewrite_s {
    modelguard_rewrite_conf_t  conf;
    modelguard_walk_t          walk;
    modelguard_scopes_t        scopes;
    modelguard_rewrite_t      *inner;       /* of documents in strings, or
                                               NULL */

    modelguard_meter_read_t   *before;      /* of the input, or NULL */

    int                        error;
    const uint8_t             *end;         /* of the piece */

    /* of the token that is cut, or the comma before it */

    size_t                     token_off;
    size_t                     comma_off;

    const modelguard_rule_t   *rule;        /* of the value, if it is to be
                                               treated as a number */
    const modelguard_mark_t   *mark;        /* of a datatype */
    unsigned                   want;

    /* in the string that is cut: what of a number has been seen, and of an
       escape; its code */

    unsigned                   digits;
    unsigned                   escape;
    unsigned                   code;

    unsigned                   one:1;       /* stop at the root's end */
    unsigned                   skipping:1;  /* a container, to its end */
    unsigned                   dropping:1;  /* the value goes */
    unsigned                   dropped:1;   /* its beginning was dealt with */
    unsigned                   skip_depth;
    uint32_t                   drop_edit;   /* in what is held */

    /* by depth: a member or an element has been kept */

    uint64_t                   kept[MODELGUARD_JSON_DEPTH_MAX / 64 + 1];

    /* last, so that a sanitizer sees what is written beyond its output */

    modelguard_hold_t          hold;
};


/*
 * A member or an element begins at "off", with its comma if it has one; and
 * goes if "drop".
 */

int modelguard_rewrite_member(modelguard_rewrite_t *rw, unsigned depth,
    size_t off, int drop);

/* a member's name has been read, and nothing behind its colon */

int modelguard_rewrite_key(modelguard_rewrite_t *rw);

/* a value begins, with its whole token or with the part that is there */

int modelguard_rewrite_value(modelguard_rewrite_t *rw);

/* a scalar is complete; a value, scalar or container, is complete */

int modelguard_rewrite_scalar(modelguard_rewrite_t *rw);
int modelguard_rewrite_end(modelguard_rewrite_t *rw);

/* whether the numbers that follow the one that was the token are like it */

int modelguard_rewrite_is_run(const modelguard_rewrite_t *rw);

/*
 * Takes a run of numbers that follow one in a vector which is held: the
 * caller has seen that nothing but the vector's rule applies to them.
 */

int modelguard_rewrite_numbers(modelguard_rewrite_t *rw);

/*
 * Takes members and elements that follow, and the end of the root, as long as
 * each is at hand, and is plain, or a number, a vector of numbers or a member
 * that is dropped.  A member, an element, a comma or an
 * end is next, and nothing is being skipped or dropped.
 */

int modelguard_rewrite_plain(modelguard_rewrite_t *rw);

/* a string, or a part of it before "stop", where a score is expected */

int modelguard_rewrite_string(modelguard_rewrite_t *rw, const uint8_t *stop);

/*
 * A string is complete that rw->rule has an encoding for: its token, quotes
 * included, at offset "off".  Treats what is in it.
 */

int modelguard_rewrite_encoded(modelguard_rewrite_t *rw, size_t off,
    const uint8_t *text, size_t len);

/* the same for a string that is a document */

int modelguard_rewrite_document(modelguard_rewrite_t *rw, size_t off,
    const uint8_t *text, size_t len);

/* the offsets of the token's first byte, and of the comma before it */

size_t modelguard_rewrite_start(const modelguard_rewrite_t *rw);
size_t modelguard_rewrite_comma(const modelguard_rewrite_t *rw);


#endif /* MODELGUARD_REWRITE_VALUE_H_INCLUDED */
