
/*
 * Copyright (C) the modelguard authors
 *
 * Where in an answer something is metered: places of token counts, and places
 * of values with what one of them discloses.  Built at configuration time,
 * constant and shared by all requests afterwards.
 */


#ifndef MODELGUARD_METER_RULES_H_INCLUDED
#define MODELGUARD_METER_RULES_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_automaton.h"
#include "modelguard_rules.h"


#define MODELGUARD_METER_DIGIT    3322       /* log2 10, in thousandths */
#define MODELGUARD_METER_FLOAT    23000      /* a float discloses no more */
#define MODELGUARD_METER_CLASSES  1000       /* of a label, if not known */


/* what a number among token counts is */

typedef enum {
    MODELGUARD_COUNT_NONE = 0,
    MODELGUARD_COUNT_NESTED,         /* an object with more of them */
    MODELGUARD_COUNT_TOTAL,
    MODELGUARD_COUNT_PROMPT,         /* all of the input */
    MODELGUARD_COUNT_INPUT,          /* the input without these three */
    MODELGUARD_COUNT_CREATED,
    MODELGUARD_COUNT_READ,
    MODELGUARD_COUNT_TOOLS,
    MODELGUARD_COUNT_OUTPUT,
    MODELGUARD_COUNT_THOUGHTS,       /* beside the output */
    MODELGUARD_COUNTS
} modelguard_count_e;


/* the values of a field, under a treatment; bits are in thousandths */

typedef struct {
    uint32_t                       label;    /* bits of one label; 0: of the
                                                number of candidates */
    uint32_t                       step;     /* bits of a value behind its
                                                point, with "stepped" */
    uint32_t                       packed;   /* bits of a float in base64 */
    unsigned                       labels:1; /* these are labels of scores */
    unsigned                       stepped:1;
    unsigned                       top:1;    /* label_only */
    unsigned                       named:1;  /* records, with their labels */
    unsigned                       hides:1;  /* top= or min=: members of a map
                                                are labels, and not all are
                                                there */
    unsigned                       fill:1;   /* a negative integer stands for
                                                a hidden value */
    unsigned                       colon:1;  /* a string: a number, a colon
                                                and a label */
    unsigned                       base64:1;
} modelguard_gauge_t;


/* by state of the automaton */

typedef struct {
    const modelguard_gauge_t      *value;    /* or NULL, as are the others */
    const modelguard_gauge_t      *label;
    const modelguard_gauge_t      *map;      /* its members are values */
    uint8_t                        usage;    /* token counts are in here */
    uint8_t                        count;    /* or it is one: its kind */
} modelguard_meter_mark_t;


typedef struct {
    const modelguard_automaton_t  *automaton;
    modelguard_meter_mark_t       *marks;
} modelguard_meter_rules_t;


/*
 * The places of token counts: n paths, each of an object with counts or of a
 * number, or the built-in ones when n is 0.  Memory of "alloc" stays, and the
 * paths stay referenced.  Results as of modelguard_automaton_build().
 */

int modelguard_meter_usage_build(modelguard_meter_rules_t **rules,
    const modelguard_path_t *const *paths, size_t n,
    modelguard_match_pt match, modelguard_alloc_pt alloc, void *data);

/*
 * The places of values of n fields under a profile (NULL: all is kept), for
 * answers as the profile has left them.  Results as above.
 */

int modelguard_meter_values_build(modelguard_meter_rules_t **rules,
    const modelguard_field_t *const *fields, size_t n,
    const modelguard_profile_t *profile, modelguard_match_pt match,
    modelguard_alloc_pt alloc, void *data);

/* the kind of a member among token counts, by its name */

modelguard_count_e modelguard_meter_count(const uint8_t *name, size_t len);


#endif /* MODELGUARD_METER_RULES_H_INCLUDED */
