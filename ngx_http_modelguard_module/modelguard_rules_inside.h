
/*
 * Copyright (C) the modelguard authors
 *
 * Fields with an encoding: their words and checks, and the rules of the
 * documents that strings hold.  A part of modelguard_rules.c.
 */


#ifndef MODELGUARD_RULES_INSIDE_H_INCLUDED
#define MODELGUARD_RULES_INSIDE_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_rules.h"


/* documents at one place: those fields' rules, built when first needed */

typedef struct modelguard_inside_s  modelguard_inside_t;

struct modelguard_inside_s {
    modelguard_rule_t           rule;
    size_t                      n;
    const modelguard_field_t  **fields;
    modelguard_inside_t        *next;
};


typedef struct {
    const modelguard_profile_t  *profile;
    modelguard_match_pt          match;
    modelguard_alloc_pt          alloc;
    void                        *data;
    const char                  *error;
    modelguard_inside_t         *list;
} modelguard_insides_t;


/* what modelguard_field_check() checks of an encoding */

int modelguard_inside_check(const modelguard_field_t *field,
    const char **error);

/* MODELGUARD_INVALID, *error: a treatment that the encoding does not take */

int modelguard_inside_treatment(const modelguard_field_t *field,
    const modelguard_treatment_t *treatment, const char **error);

/*
 * The field as it is inside the document, prefix NULL, or as if the document
 * stood at "prefix" and were in no string: a server may send either.  NULL
 * when there is no memory, or, with *error, for too many steps.
 */

modelguard_field_t *modelguard_inside_field(modelguard_insides_t *insides,
    const modelguard_field_t *field, const modelguard_path_t *prefix);

/* the path of the elements of an array at "path"; NULL as above */

modelguard_path_t *modelguard_inside_elements(modelguard_insides_t *insides,
    const modelguard_path_t *path);

/* the rule of a place that n such fields name, or NULL with *rc */

const modelguard_rule_t *modelguard_inside_rule(modelguard_insides_t *insides,
    const modelguard_field_t *const *fields, size_t n, int *rc);


#endif /* MODELGUARD_RULES_INSIDE_H_INCLUDED */
