
/*
 * Copyright (C) the modelguard authors
 *
 * What one answer discloses, as counted on its way out.
 */


#ifndef MODELGUARD_METER_H_INCLUDED
#define MODELGUARD_METER_H_INCLUDED


#include "modelguard_base.h"


typedef struct {
    uint64_t  bits;                  /* thousandths of a bit, saturating */
    uint64_t  input;                 /* tokens, the largest number seen */
    uint64_t  output;
    uint64_t  total;                 /* as the server says */
    unsigned  usage:1;               /* some number of tokens was seen */
} modelguard_meter_t;


/* tokens of the answer: the larger of total and input + output; 0: unknown */

uint64_t modelguard_meter_tokens(const modelguard_meter_t *meter);


#endif /* MODELGUARD_METER_H_INCLUDED */
