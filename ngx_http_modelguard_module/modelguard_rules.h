
/*
 * Copyright (C) the modelguard authors
 *
 * Fields (where things are in the JSON) and a profile (how they are treated)
 * compiled to the rules that the rewriter follows.  Built at configuration
 * time, constant and shared by all requests afterwards.
 */


#ifndef MODELGUARD_RULES_H_INCLUDED
#define MODELGUARD_RULES_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_path.h"
#include "modelguard_automaton.h"
#include "modelguard_treatment.h"


#define MODELGUARD_FIELD_LABELS_MAX  4
#define MODELGUARD_RULES_MAX         128    /* paths in fields of a location */


typedef enum {
    MODELGUARD_ROLE_SCORES = 0,
    MODELGUARD_ROLE_LABEL,
    MODELGUARD_ROLE_LOGITS,
    MODELGUARD_ROLE_LOGPROBS,
    MODELGUARD_ROLE_EMBEDDING,
    MODELGUARD_ROLE_METADATA,
    MODELGUARD_ROLE_USAGE,
    MODELGUARD_ROLE_ITEMS,           /* in requests; takes no treatment */
    MODELGUARD_ROLES
} modelguard_role_e;


/*
 * One modelguard_field line.  A path that ends
 *
 *     on a number     names that number alone;
 *     on an array     names every number in it, and in arrays within it: each
 *                     array that holds numbers is one vector;
 *     with ".*"       names the members of an object: its numbers are one
 *                     vector, a map of label to score;
 *     on an object    names nothing to round (but drop and null apply).
 *
 * "labels": the places of an element's labels.  One that ends with "[*]" is
 * an array parallel to the scores; any other belongs to a record: the
 * innermost "[*]" that it shares with the value's path is the array of
 * records.  "shape": the array of dimensions of a flat tensor, "datatype":
 * a string that tells scores from class numbers: a tensor whose datatype
 * begins with "INT", "UINT" or "BOOL" is left alone.  Labels, shape and
 * datatype want exactly one value path, and labels exclude the other two.
 */

typedef struct {
    modelguard_role_e          role;
    unsigned                   npaths;
    modelguard_path_t        **paths;
    unsigned                   nlabels;
    modelguard_path_t         *labels[MODELGUARD_FIELD_LABELS_MAX];
    modelguard_path_t         *shape;        /* or NULL */
    modelguard_path_t         *datatype;     /* or NULL */
} modelguard_field_t;


typedef struct {
    modelguard_treatment_t     treatments[MODELGUARD_ROLES];
} modelguard_profile_t;


/* a field with its treatment, as the rewriter sees it */

typedef struct {
    const modelguard_treatment_t  *treatment;
    unsigned                       vector:1;     /* numbers are ranked: scores
                                                    and logits */
    unsigned                       datatype:1;   /* the field has one */
    unsigned                       shape:1;
    unsigned                       nlabels;      /* arrays parallel to it */
} modelguard_rule_t;


/* what a place is to a rule, apart from its value */

typedef enum {
    MODELGUARD_PART_VALUE = 0,
    MODELGUARD_PART_MAP,             /* an object: a map of label to score */
    MODELGUARD_PART_RECORDS,         /* an array of records */
    MODELGUARD_PART_GROUP,           /* the container of value and labels, or
                                        of value, shape and datatype */
    MODELGUARD_PART_LABELS,          /* an array parallel to the value */
    MODELGUARD_PART_SHAPE,
    MODELGUARD_PART_DATATYPE
} modelguard_part_e;


typedef struct {
    const modelguard_rule_t       *rule;
    modelguard_part_e              part;
} modelguard_mark_t;


/* all that is known of one state of the automaton */

typedef struct {
    const modelguard_rule_t       *value;    /* or NULL */
    const modelguard_mark_t       *marks;    /* the other parts */
    unsigned                       nmarks;
} modelguard_place_t;


typedef struct {
    modelguard_automaton_t        *automaton;
    modelguard_place_t            *places;   /* by state */
    size_t                         nrules;   /* 0: nothing to rewrite */
} modelguard_rules_t;


/* the role of a word, or MODELGUARD_ROLES if it is none */

modelguard_role_e modelguard_role_parse(const uint8_t *word, size_t len);

/* MODELGUARD_INVALID: *error is a constant sentence for the operator */

int modelguard_field_check(const modelguard_field_t *field,
    const char **error);

/* every role kept */

void modelguard_profile_init(modelguard_profile_t *profile);

/*
 * Whether a role takes a treatment: scores and logits take all; logprobs and
 * embedding keep, drop, null, round and step; label, metadata and usage
 * keep, drop and null; items none.
 */

int modelguard_profile_check(modelguard_role_e role,
    const modelguard_treatment_t *treatment, const char **error);

/*
 * Builds the rules of n fields under a profile, in memory of "alloc" that is
 * never freed.  Fields and the profile's thresholds stay referenced.
 * Where two fields name one place: drop wins, then null, then the field that
 * stands first.  On failure *error is a constant sentence.
 */

int modelguard_rules_build(modelguard_rules_t **rules,
    const modelguard_field_t *const *fields, size_t n,
    const modelguard_profile_t *profile, modelguard_match_pt match,
    modelguard_alloc_pt alloc, void *data, const char **error);


#endif /* MODELGUARD_RULES_H_INCLUDED */
