
/*
 * Copyright (C) the modelguard authors
 *
 * The syntax of field paths.
 *
 *     path    = "$" *step
 *     step    = "." name            a member; a name has no . [ ] " ~ or
 *                                   space, and is not * or **
 *             | "." "*"             any member of an object
 *             | "." "**"            any number (0 included) of members and
 *                                   elements
 *             | "." "~" regex       a member whose name matches; the regex
 *                                   takes the rest of the path
 *             | "[" "*" "]"         any element of an array
 *             | "[" digits "]"      the element of that index, from 0
 *             | "[" quoted "]"      a member; \" and \\ are the escapes
 *             | "[" "~" quoted "]"  a member whose name matches
 *
 * The leading "$" may be left out when the path begins with a name:
 * "choices[*].logprobs" is "$.choices[*].logprobs".
 */


#ifndef MODELGUARD_PATH_H_INCLUDED
#define MODELGUARD_PATH_H_INCLUDED


#include "modelguard_base.h"


#define MODELGUARD_PATH_STEPS_MAX  16
#define MODELGUARD_PATH_NAME_MAX   255      /* bytes of a name, unescaped */
#define MODELGUARD_PATH_INDEX_MAX  65535


typedef enum {
    MODELGUARD_PATH_MEMBER = 0,
    MODELGUARD_PATH_ANY_MEMBER,
    MODELGUARD_PATH_ANY_DEPTH,
    MODELGUARD_PATH_REGEX,
    MODELGUARD_PATH_ANY_ELEMENT,
    MODELGUARD_PATH_INDEX
} modelguard_path_kind_e;


typedef struct {
    modelguard_path_kind_e   kind;
    uint32_t                 index;    /* of PATH_INDEX */
    modelguard_str_t         name;     /* of PATH_MEMBER, the source of
                                          PATH_REGEX; in path->names */
    const void              *regex;    /* of PATH_REGEX: compiled by the
                                          caller, NULL after parsing */
} modelguard_path_step_t;


typedef struct {
    unsigned                 n;        /* steps used; 0 is the root, "$" */
    modelguard_path_step_t   steps[MODELGUARD_PATH_STEPS_MAX];
    size_t                   size;     /* bytes used of names */
    uint8_t                  names[1024];
} modelguard_path_t;


/*
 * Parses "len" bytes of text.  The path owns its names: a modelguard_path_t
 * must not be copied by assignment.  On MODELGUARD_INVALID, *error is a
 * constant sentence without a capital and a period ("unclosed bracket"),
 * and *at the offset in the text.
 */

int modelguard_path_parse(modelguard_path_t *path, const uint8_t *text,
    size_t len, const char **error, size_t *at);

/* 1 if the steps a and b name the same places; regexes by their source */

int modelguard_path_step_equal(const modelguard_path_step_t *a,
    const modelguard_path_step_t *b);


#endif /* MODELGUARD_PATH_H_INCLUDED */
