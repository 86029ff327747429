
/*
 * Copyright (C) the modelguard authors
 *
 * The open containers that make vectors out of numbers.
 *
 *     ARRAY     an array of numbers: one vector, or, as the data of a flat
 *               tensor, one vector for each row
 *     RECORDS   an array of records, each with a number somewhere inside
 *     MAP       an object whose members are numbers
 *     GROUP     the container of an ARRAY and of what belongs to it: LABELS
 *               (arrays cut alike), SHAPE (dimensions), a datatype
 *
 * A scope that needs its text unsent until it is decided is a holder; when
 * the last holder goes, the text is sent.
 */


#ifndef MODELGUARD_SCOPE_H_INCLUDED
#define MODELGUARD_SCOPE_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_hold.h"
#include "modelguard_rules.h"


#define MODELGUARD_SCOPES_MAX  64    /* vectors within vectors */


typedef enum {
    MODELGUARD_SCOPE_ARRAY = 0,
    MODELGUARD_SCOPE_RECORDS,
    MODELGUARD_SCOPE_MAP,
    MODELGUARD_SCOPE_GROUP,
    MODELGUARD_SCOPE_LABELS,
    MODELGUARD_SCOPE_SHAPE
} modelguard_scope_kind_e;


/* a stretch of edits */

typedef struct {
    uint32_t                 first;
    uint32_t                 last;
} modelguard_stretch_t;


typedef struct {
    const modelguard_rule_t *rule;
    modelguard_scope_kind_e  kind;
    unsigned                 depth;        /* of the container */
    unsigned                 holder:1;
    unsigned                 ranges:1;     /* elements have ranges */
    unsigned                 grouped:1;    /* ARRAY: decided by its GROUP */

    uint32_t                 first;        /* of its edits */
    uint32_t                 range;        /* the open one, or EDIT_NONE */
    uint32_t                 ordinal;      /* of the next element */

    uint64_t                 row;          /* ARRAY, GROUP: numbers in a row
                                              of a tensor, 0 if not known;
                                              SHAPE: the last dimension */
    uint64_t                 count;        /* ARRAY: numbers in this row */

    /* GROUP */

    unsigned                 value:1;      /* its ARRAY has been read */
    unsigned                 shape:1;
    unsigned                 datatype:1;
    unsigned                 foreign:1;    /* the datatype is of no score */
    unsigned                 decided:1;    /* the value, and its labels */
    unsigned                 cut:1;        /* elements went */
    uint8_t                  value_frame;
    unsigned                 nlabels;
    modelguard_stretch_t     values;
    modelguard_stretch_t     labels[MODELGUARD_FIELD_LABELS_MAX];
                                        /* or, of a tensor, which has none,
                                           duplicates of its values */
} modelguard_scope_t;


typedef struct {
    modelguard_hold_t       *hold;
    unsigned                 n;
    unsigned                 holders;
    modelguard_scope_t       scopes[MODELGUARD_SCOPES_MAX];
} modelguard_scopes_t;


/*
 * Opens what the place makes of a container that has just begun at "depth",
 * ending before "p".  "in_object": it is an object.  Also TOO_DEEP, over
 * MODELGUARD_SCOPES_MAX.
 */

int modelguard_scope_open(modelguard_scopes_t *scopes,
    const modelguard_place_t *place, unsigned depth, int is_object,
    const uint8_t *p);

/* closes the scopes of a container at "depth" that ends before "p" */

int modelguard_scope_close(modelguard_scopes_t *scopes, unsigned depth,
    const uint8_t *p);

/*
 * An element or member begins at offset "off" (its comma, if it has one) in
 * the container at "depth"; and it ends before "p".
 */

int modelguard_scope_element(modelguard_scopes_t *scopes, unsigned depth,
    size_t off);
void modelguard_scope_element_end(modelguard_scopes_t *scopes, unsigned depth,
    const uint8_t *p);

/*
 * The scope that the elements of the container at "depth" have ranges in, or
 * NULL: the innermost that wants them, which others without may lie on top of.
 */

modelguard_scope_t *modelguard_scope_ranged(const modelguard_scopes_t *scopes,
    unsigned depth);

/* the rule of a number in the container at "depth", or NULL */

const modelguard_rule_t *modelguard_scope_rule(
    const modelguard_scopes_t *scopes, const modelguard_place_t *place,
    unsigned depth);

/*
 * A number in the container at "depth" with the rule of
 * modelguard_scope_rule(): its text is "len" bytes at offset "off", in a
 * token that ends before "p".
 */

int modelguard_scope_number(modelguard_scopes_t *scopes,
    const modelguard_rule_t *rule, unsigned depth, size_t off, size_t len,
    const uint8_t *p);

/*
 * Opens a scope, as of an array at "depth", for the numbers in a string at
 * offset *off, which moves if what is before the string is sent.
 */

int modelguard_scope_text(modelguard_scopes_t *scopes,
    const modelguard_rule_t *rule, unsigned depth, size_t *off,
    const uint8_t *p);

/* 1 if the container at "depth" is the shape of a tensor */

int modelguard_scope_is_shape(const modelguard_scopes_t *scopes,
    unsigned depth);

/* a tensor's dimension, and the first byte of its datatype's name */

void modelguard_scope_dimension(modelguard_scopes_t *scopes,
    const uint8_t *text, size_t len);
int modelguard_scope_datatype(modelguard_scopes_t *scopes,
    const modelguard_mark_t *mark, const uint8_t *text, size_t len,
    const uint8_t *p);


/* the rest is between modelguard_scope.c and modelguard_scope_group.c */

/* the innermost scope, if its elements are in the container at "depth" */

modelguard_scope_t *modelguard_scope_top(const modelguard_scopes_t *scopes,
    unsigned depth);

/* a scope needs its text no longer: sends what is before "p" if none does */

int modelguard_scope_release(modelguard_scopes_t *scopes,
    modelguard_scope_t *scope, const uint8_t *p);

/* the innermost group of a rule, or NULL */

modelguard_scope_t *modelguard_scope_group(const modelguard_scopes_t *scopes,
    const modelguard_rule_t *rule);

/* a group's value or labels end before "p": the group holds them from now */

int modelguard_scope_grouped(modelguard_scopes_t *scopes,
    modelguard_scope_t *scope, const uint8_t *p);

/* 1 if the group has all that its decision needs; decides it */

int modelguard_scope_ready(const modelguard_scope_t *group);
int modelguard_scope_decide_group(modelguard_scopes_t *scopes,
    modelguard_scope_t *group, const uint8_t *p);


#endif /* MODELGUARD_SCOPE_H_INCLUDED */
