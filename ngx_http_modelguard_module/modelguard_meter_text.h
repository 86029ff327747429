
/*
 * Copyright (C) the modelguard authors
 *
 * What a string discloses where values are expected, taken in pieces: floats
 * in base64, or a text with numbers in it.
 */


#ifndef MODELGUARD_METER_TEXT_H_INCLUDED
#define MODELGUARD_METER_TEXT_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_meter.h"
#include "modelguard_meter_number.h"
#include "modelguard_meter_rules.h"


typedef struct {
    const modelguard_gauge_t   *gauge;
    modelguard_meter_t         *meter;
    modelguard_meter_number_t   number;
    uint64_t                    chars;       /* of base64 */
    unsigned                    within:1;    /* a number */
    unsigned                    digit:1;     /* there was one */
    unsigned                    escaped:1;
    unsigned                    colon:1;     /* there was one */
    unsigned                    more:1;      /* than a number */
    uint8_t                     before;      /* the character before */
} modelguard_meter_text_t;


void modelguard_meter_text_init(modelguard_meter_text_t *text,
    const modelguard_gauge_t *gauge, modelguard_meter_t *meter);

/* some of the string's token, which has quotes at both ends */

void modelguard_meter_text_take(modelguard_meter_text_t *text,
    const uint8_t *p, const uint8_t *stop);

/* the string has ended */

void modelguard_meter_text_end(modelguard_meter_text_t *text);


#endif /* MODELGUARD_METER_TEXT_H_INCLUDED */
