
/*
 * Copyright (C) the modelguard authors
 *
 * The treatment of one score vector.  The rewriter collects edits, ranges of
 * held text that may be replaced; here it is decided what each becomes.
 *
 * Whatever is done, the top label stays the top label: of the values as they
 * came the greatest, the first of equals.  If rounding makes another value
 * reach that of the top, the other is lowered by one quantum (the last kept
 * decimal, or the step); where that would go below zero in a vector without
 * negative values, the top is raised instead.
 */


#ifndef MODELGUARD_VECTOR_H_INCLUDED
#define MODELGUARD_VECTOR_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_treatment.h"


#define MODELGUARD_EDIT_NONE  UINT32_MAX     /* no link */


typedef enum {
    MODELGUARD_EDIT_KEEP = 0,        /* the text stays */
    MODELGUARD_EDIT_CUT,             /* the range goes */
    MODELGUARD_EDIT_COMMA,           /* its first byte, a comma, goes */
    MODELGUARD_EDIT_NULL,
    MODELGUARD_EDIT_ZERO,
    MODELGUARD_EDIT_ONE,
    MODELGUARD_EDIT_SCALED,          /* scaled / 10^digits */
    MODELGUARD_EDIT_ROUND,           /* its own text, rounded to digits */
    MODELGUARD_EDIT_LOWEST,          /* below every finite number */
    MODELGUARD_EDIT_NEG_INF,
    MODELGUARD_EDIT_TEXT             /* "scaled" bytes, from "link" on, of the
                                        hold's texts */
} modelguard_edit_op_e;


typedef enum {
    MODELGUARD_EDIT_RANGE = 0,       /* an element or member, with its comma */
    MODELGUARD_EDIT_NUMBER           /* the text of a number */
} modelguard_edit_kind_e;


typedef struct {
    int64_t         scaled;          /* of a number, if not big; of a range:
                                        its ordinal in its container */
    uint32_t        off;             /* in the held text */
    uint32_t        len;
    uint32_t        link;            /* of a number: the range that goes with
                                        it, or MODELGUARD_EDIT_NONE */
    uint8_t         frame;           /* which open vector it belongs to */
    uint8_t         kind;
    uint8_t         op;
    uint8_t         digits:5;        /* of scaled */
    uint8_t         big:1;           /* scaled is not valid */
    uint8_t         kept:1;          /* of a range: a number in it is kept */
    uint8_t         plain:1;         /* the text is [-]d.ddd */
} modelguard_edit_t;


/* the edits [first, last) that bear a frame's number are one vector */

typedef struct {
    const modelguard_treatment_t  *treatment;
    modelguard_edit_t             *edits;
    uint32_t                       first;
    uint32_t                       last;
    const uint8_t                 *text;      /* what offsets count from */
    uint8_t                        frame;
    unsigned                       ranges:1;  /* hidden elements are cut out
                                                 with their ranges; else they
                                                 become zero */
} modelguard_vector_t;


/*
 * Fills in an edit of a number whose text is given: scaled, digits, big, as
 * the treatment wants them for ranking.
 */

void modelguard_vector_number(const modelguard_treatment_t *treatment,
    modelguard_edit_t *edit, const uint8_t *text, size_t len);

/*
 * Decides the op of every number and range of the vector.  A number alone
 * (one without ranges) has no rank: label_only makes it 1 if it is above 0.5
 * and else 0, min= makes it 0 if it is below.
 * O(n log K) with K of top=, O(n) without.
 */

void modelguard_vector_decide(const modelguard_vector_t *vector);

/*
 * The same for a number alone whose edit has been filled in: "text" is its
 * text.
 */

void modelguard_vector_alone(const modelguard_treatment_t *treatment,
    modelguard_edit_t *edit, const uint8_t *text);

/*
 * Of the ranges of a parallel array, [first, last) with "frame", cuts those
 * whose ordinal was cut in the vector.
 */

void modelguard_vector_parallel(const modelguard_vector_t *vector,
    uint32_t first, uint32_t last, uint8_t frame);

/*
 * The text of a number's edit, or "" when it is cut.  "text" is its source
 * of edit->len bytes; out has edit->len + MODELGUARD_NUMBER_PAD bytes.
 * Returns the length.
 */

size_t modelguard_vector_text(const modelguard_edit_t *edit,
    const uint8_t *text, uint8_t *out);


#endif /* MODELGUARD_VECTOR_H_INCLUDED */
