
/*
 * Copyright (C) the modelguard authors
 *
 * What one answer discloses, as counted on its way out.
 */


#ifndef MODELGUARD_METER_H_INCLUDED
#define MODELGUARD_METER_H_INCLUDED


#include "modelguard_base.h"


#define MODELGUARD_METER_TOKENS_MAX  1000000000000ULL   /* a greater number is
                                                           nobody's count */


typedef struct {
    uint64_t  bits;                  /* thousandths of a bit, saturating */
    uint64_t  input;                 /* tokens, the largest number seen */
    uint64_t  output;
    uint64_t  total;                 /* as the server says */
    unsigned  usage:1;               /* some number of tokens was seen */
} modelguard_meter_t;


/* tokens of the answer: the larger of total and input + output; 0: unknown */

uint64_t modelguard_meter_tokens(const modelguard_meter_t *meter);

/* whole bits, rounded up */

uint64_t modelguard_meter_bits(const modelguard_meter_t *meter);

/* adds thousandths of a bit, saturating */

void modelguard_meter_add(modelguard_meter_t *meter, uint64_t bits);

/*
 * The logarithm of n to the base 2 in thousandths, rounded to the nearest;
 * 0 for 0 and 1.
 */

uint32_t modelguard_meter_log2(uint64_t n);


#endif /* MODELGUARD_METER_H_INCLUDED */
