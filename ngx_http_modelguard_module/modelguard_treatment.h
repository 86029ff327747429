
/*
 * Copyright (C) the modelguard authors
 *
 * What is done to the values of one role: the words of a profile's line,
 * parsed and checked.
 *
 *     keep | drop | null | label_only
 *     | [round=N | step=x] [top=K] [min=x] [renormalize]
 */


#ifndef MODELGUARD_TREATMENT_H_INCLUDED
#define MODELGUARD_TREATMENT_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_number.h"


#define MODELGUARD_TOP_MAX          100
#define MODELGUARD_RENORMALIZE_MAX  9      /* decimals of round= with it */


typedef enum {
    MODELGUARD_KEEP = 0,
    MODELGUARD_DROP,                 /* the member or element, with its comma */
    MODELGUARD_NULL,                 /* the value becomes null */
    MODELGUARD_LABEL_ONLY,           /* 1 for the top label, 0 for the rest */
    MODELGUARD_REDUCE                /* any of round, step, top, min */
} modelguard_treatment_op_e;


typedef struct {
    modelguard_treatment_op_e  op;

    unsigned                   round:1;
    unsigned                   step:1;
    unsigned                   min:1;
    unsigned                   renormalize:1;
    unsigned                   words:9;     /* given, a bit for each */

    unsigned                   digits;      /* of round; else of step */
    unsigned                   top;         /* 0: all */
    modelguard_decimal_t       unit;        /* of step */
    modelguard_str_t           threshold;   /* of min: the number's text,
                                               in the caller's words */
} modelguard_treatment_t;


/* a treatment that keeps everything */

void modelguard_treatment_init(modelguard_treatment_t *treatment);

/*
 * Adds one word.  MODELGUARD_INVALID: *error is a constant sentence for the
 * operator, such as "\"top\" must be between 1 and 100".  A word given twice
 * is refused.
 */

int modelguard_treatment_add(modelguard_treatment_t *treatment,
    const uint8_t *word, size_t len, const char **error);

/*
 * Checks the mix after the last word: no word at all; label_only, keep, drop
 * or null with anything else; round with step; renormalize without round, or
 * with more than MODELGUARD_RENORMALIZE_MAX decimals.
 */

int modelguard_treatment_check(const modelguard_treatment_t *treatment,
    const char **error);


#endif /* MODELGUARD_TREATMENT_H_INCLUDED */
