
/*
 * Copyright (C) the modelguard authors
 *
 * A vector that is rounded and nothing else is written while it is read: of
 * what is held until its end no edits are kept, but the text as it will be,
 * and where the greatest numbers are in it.  As soon as anything turns up
 * that this does not do for, the edits are made from the text that is held,
 * and all goes on as if there had been no run.
 *
 *     held text   0.7312498,0.1120054,0.7308112,0.0041...
 *                                               ^ round.in
 *     written     0.73,0.11,0.73,               ^ round.out
 *     ties        ^         ^
 */


#ifndef MODELGUARD_RUN_H_INCLUDED
#define MODELGUARD_RUN_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_treatment.h"
#include "modelguard_simd_numbers.h"


typedef struct modelguard_hold_s  modelguard_hold_t;


typedef struct {
    const modelguard_simd_numbers_t  *simd;
    const modelguard_treatment_t     *treatment;
    unsigned                          active;
    uint8_t                           frame;     /* of the vector */
    uint64_t                          numbers;
    size_t                            size;      /* of round.begin */
    modelguard_round_t                round;
} modelguard_run_t;


/* a vector begins with the number at offset 0: a run if that may be one */

void modelguard_run_begin(modelguard_hold_t *hold,
    const modelguard_treatment_t *treatment, uint8_t frame);

/*
 * Takes the number of "len" bytes at offset "off" of "text", where the held
 * text is.  MODELGUARD_AGAIN: the run has become edits, and the number is not
 * among them yet.  Also NOMEM, TOO_BIG.
 */

int modelguard_run_number(modelguard_hold_t *hold, const uint8_t *text,
    size_t off, size_t len);

/*
 * Takes up to *left of the numbers in [*p, end) that follow, each with the
 * comma before it.  Counts *left down and *p up.  MODELGUARD_AGAIN as above.
 */

int modelguard_run_feed(modelguard_hold_t *hold, const uint8_t **p,
    const uint8_t *end, uint64_t *left);

/*
 * Numbers without rank, none of which is held: rounds those in [*p, end) that
 * follow, each with the comma before it, and sends them.  Counts *p up, to
 * where it is left to the long way: at once if "treatment" is not for a run, or
 * if what is before *p has not been sent.  Also SINK.
 */

int modelguard_run_alone(modelguard_hold_t *hold,
    const modelguard_treatment_t *treatment, const uint8_t **p,
    const uint8_t *end);

/*
 * The same of one number, [p, stop).  MODELGUARD_AGAIN: it is left to the long
 * way, and what is before it may have been sent.
 */

int modelguard_run_one(modelguard_hold_t *hold,
    const modelguard_treatment_t *treatment, const uint8_t *p,
    const uint8_t *stop);

/*
 * The vector ends before p.  MODELGUARD_OK: it may be sent; MODELGUARD_AGAIN
 * as above.
 */

int modelguard_run_decide(modelguard_hold_t *hold, const uint8_t *p);

/* sends the vector and what is behind it, up to p */

int modelguard_run_send(modelguard_hold_t *hold, const uint8_t *p);

/* makes edits of the run; the result codes are those of a hold */

int modelguard_run_edits(modelguard_hold_t *hold);


#endif /* MODELGUARD_RUN_H_INCLUDED */
