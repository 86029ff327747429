
/*
 * Copyright (C) the modelguard authors
 *
 * What a request's JSON body may say: parameters that are forbidden, bounded,
 * required, removed or set, compiled together with the places where items are
 * counted into one automaton.
 *
 * A place is named by a path as everywhere.  A path of plain members and
 * elements alone (no "**", ".*" or pattern) that ends in a member is exact:
 * only then is a missing member known to be missing, so that "require" can
 * ask for it in every object, and for each object on the way to it, and "set"
 * can add it.
 */


#ifndef MODELGUARD_PARAM_H_INCLUDED
#define MODELGUARD_PARAM_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_automaton.h"


#define MODELGUARD_PARAM_MAX  64      /* parameters compiled together */


typedef enum {
    MODELGUARD_PARAM_FORBID = 0,      /* only null and false pass */
    MODELGUARD_PARAM_LIMIT,           /* 0 .. value; null, false, true as 1 */
    MODELGUARD_PARAM_REQUIRE,         /* present and not null */
    MODELGUARD_PARAM_DROP,            /* is removed */
    MODELGUARD_PARAM_SET,             /* gets the value, where it is missing
                                         too, if the path is exact */
    MODELGUARD_PARAM_FALSE,           /* what is not null or false becomes
                                         false */
    MODELGUARD_PARAM_OPS
} modelguard_param_op_e;


typedef struct {
    modelguard_param_op_e           op;
    modelguard_str_t                text;    /* the path as written */
    modelguard_str_t                value;   /* of LIMIT: a number; of SET:
                                                JSON */
    const modelguard_path_t        *path;
    const modelguard_path_t        *when;    /* the parameter applies only if
                                                a value there is not null,
                                                false or 0; NULL: always */
} modelguard_param_t;


/* by state of the automaton: bit i is for the parameter i */

typedef struct {
    uint64_t                        target;  /* the path ends here */
    uint64_t                        parent;  /* a member is awaited in here */
    uint64_t                        when;    /* its condition is here */
    unsigned                        items:1; /* items are counted here */
    unsigned                        dim:1;   /* they are a dimension */
} modelguard_param_mark_t;


/* compiled: read by modelguard_inspect.h, constant */

typedef struct {
    const modelguard_automaton_t   *automaton;
    const modelguard_param_t       *list;
    size_t                          n;
    modelguard_param_mark_t        *marks;
    uint64_t                        ops[MODELGUARD_PARAM_OPS];
    uint64_t                        conditional;

    /* by steps taken: those of SET for which what is no object becomes one */

    uint64_t                        objects[MODELGUARD_PATH_STEPS_MAX + 1];
} modelguard_params_t;


/*
 * Checks one parameter, "value" of LIMIT (a decimal without a sign or an
 * exponent) and SET (one JSON document).  MODELGUARD_OK or
 * MODELGUARD_INVALID with *error, a constant sentence.
 */

int modelguard_param_check(const modelguard_param_t *param,
    const char **error);

/*
 * Whether two parameters contradict each other: for one place, only a limit
 * and a requirement go together, or conditions that differ.  Returns NULL or
 * a constant sentence.
 */

const char *modelguard_param_conflict(const modelguard_param_t *a,
    const modelguard_param_t *b);

/*
 * Compiles n parameters and the paths of items (either may be 0), in memory
 * of "alloc" that stays.  The list and its paths stay referenced.  Results
 * as of modelguard_automaton_build(), and MODELGUARD_TOO_BIG for more than
 * MODELGUARD_PARAM_MAX.
 */

int modelguard_params_build(modelguard_params_t **params,
    const modelguard_param_t *list, size_t n,
    const modelguard_path_t *const *items, size_t nitems,
    modelguard_match_pt match, modelguard_alloc_pt alloc, void *data);

/*
 * Writes the members that the parameters of "mask" (of the op SET) add to an
 * object at which "level" steps of their paths are taken, without the braces
 * around: "a":1,"b":{"c":2}.  Returns the length; out == NULL: the length
 * only.
 */

size_t modelguard_param_members(const modelguard_params_t *params,
    uint64_t mask, unsigned level, uint8_t *out);


#endif /* MODELGUARD_PARAM_H_INCLUDED */
