
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
#define MODELGUARD_CLASSES_MAX       1000000000
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


/* how a string at a place holds the values */

typedef enum {
    MODELGUARD_ENCODING_NONE = 0,
    MODELGUARD_ENCODING_STRING,      /* "0.93:5:cat": a number in front */
    MODELGUARD_ENCODING_TEXT,        /* "{0: 0.1, 1: 0.9}": a vector */
    MODELGUARD_ENCODING_BASE64F32,   /* little-endian binary32 in base64 */
    MODELGUARD_ENCODING_JSON,        /* a document */
    MODELGUARD_ENCODINGS
} modelguard_encoding_e;


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
 * begins with "INT", "UINT" or "BOOL", escaped or not, is left alone.  Labels,
 * shape and datatype want exactly one value path, and labels exclude the other
 * two.
 *
 * "encoding": strings at the value's paths, or as elements of an array there,
 * hold the values; what is no string is treated as without it.  With JSON,
 * "inside" is the value's path in that document, and so are "labels", "shape"
 * and "datatype"; with BASE64F32 and TEXT there are none of these.
 */

typedef struct {
    modelguard_role_e          role;
    unsigned                   npaths;
    modelguard_path_t        **paths;
    unsigned                   nlabels;
    modelguard_path_t         *labels[MODELGUARD_FIELD_LABELS_MAX];
    modelguard_path_t         *shape;        /* or NULL */
    modelguard_path_t         *datatype;     /* or NULL */
    modelguard_encoding_e      encoding;
    modelguard_path_t         *inside;       /* of JSON, else NULL */
    unsigned                   classes;      /* candidates of a label, for what
                                                it discloses, two or more; 0:
                                                not known */
} modelguard_field_t;


typedef struct modelguard_rules_s  modelguard_rules_t;


typedef struct {
    modelguard_treatment_t     treatments[MODELGUARD_ROLES];
} modelguard_profile_t;


/* a field with its treatment, as the rewriter sees it */

typedef struct {
    const modelguard_treatment_t  *treatment;
    unsigned                       vector:1;     /* numbers are ranked: scores
                                                    and logits */
    unsigned                       wordless:1;   /* no string is a word:
                                                    embeddings */
    unsigned                       datatype:1;   /* the field has one */
    unsigned                       shape:1;
    unsigned                       nlabels;      /* arrays parallel to it */
    modelguard_encoding_e          encoding;
    const modelguard_rules_t      *inside;       /* of JSON: treatment is NULL,
                                                    and the rest 0 */
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
    MODELGUARD_PART_DATATYPE,
    MODELGUARD_PART_DOCUMENT         /* a string that holds one; no mark of a
                                        place */
} modelguard_part_e;


typedef struct {
    const modelguard_rule_t       *rule;
    modelguard_part_e              part;
} modelguard_mark_t;


/* all that is known of one state of the automaton */

typedef struct {
    const modelguard_rule_t       *value;    /* or NULL */
    const modelguard_rule_t       *encoded;  /* of strings, or NULL */
    const modelguard_mark_t       *marks;    /* the other parts */
    unsigned                       nmarks;
} modelguard_place_t;


struct modelguard_rules_s {
    modelguard_automaton_t        *automaton;
    modelguard_place_t            *places;   /* by state */
    size_t                         nrules;   /* 0: nothing to rewrite */
};


/* the role of a word, or MODELGUARD_ROLES if it is none */

modelguard_role_e modelguard_role_parse(const uint8_t *word, size_t len);

/* the encoding of a word, or MODELGUARD_ENCODINGS if it is none */

modelguard_encoding_e modelguard_encoding_parse(const uint8_t *word,
    size_t len);

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
 * stands first; for a string, then, the first field with an encoding, and
 * JSON before the others.  Scores and logits in base64 take only keep, drop,
 * null, round and step.  On failure *error is a constant sentence.
 */

int modelguard_rules_build(modelguard_rules_t **rules,
    const modelguard_field_t *const *fields, size_t n,
    const modelguard_profile_t *profile, modelguard_match_pt match,
    modelguard_alloc_pt alloc, void *data, const char **error);


#endif /* MODELGUARD_RULES_H_INCLUDED */
