
/*
 * Copyright (C) the modelguard authors
 *
 * The text of a number, taken byte by byte: what it counts and what it
 * discloses.
 */


#ifndef MODELGUARD_METER_NUMBER_H_INCLUDED
#define MODELGUARD_METER_NUMBER_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_meter_rules.h"


typedef struct {
    uint64_t                 value;        /* of the digits before the point,
                                              saturating */
    uint32_t                 before;       /* significant digits there */
    uint32_t                 behind;       /* digits behind the point */
    uint32_t                 exponent;     /* saturating */
    unsigned                 point:1;
    unsigned                 e:1;
    unsigned                 power:1;      /* it has digits */
    unsigned                 down:1;       /* the exponent is negative */
    unsigned                 negative:1;
    unsigned                 nonzero:1;    /* some digit is */
    unsigned                 fraction:1;   /* some digit behind the point */
    unsigned                 word:1;       /* NaN, Infinity */
} modelguard_meter_number_t;


void modelguard_meter_number_init(modelguard_meter_number_t *number);

/* takes a byte; 0: it is no part of a number that began as this one did */

int modelguard_meter_number_take(modelguard_meter_number_t *number,
    uint8_t c);

/* 1 with the count, or 0: it is none */

int modelguard_meter_number_count(const modelguard_meter_number_t *number,
    uint64_t *count);

/* thousandths of a bit */

uint32_t modelguard_meter_number_bits(const modelguard_meter_number_t *number,
    const modelguard_gauge_t *gauge);

/*
 * Takes the beginning of a run of numbers, with a comma before each, as far
 * as they are like ",0,0.25,0.5" and it is known what follows: adds their
 * thousandths of a bit where no step is known, and returns where that ends.
 */

const uint8_t *modelguard_meter_number_run(const uint8_t *p,
    const uint8_t *end, uint64_t *bits);


#endif /* MODELGUARD_METER_NUMBER_H_INCLUDED */
