
/*
 * Copyright (C) the modelguard authors
 *
 * A reader that looks at documents as they go by, in pieces of any size, and
 * meters what the rules name in them.  It never fails: what it cannot read it
 * does not count.  Of what breaks off, all before the error is read.
 *
 * Tokens: counts are cumulative, so the greatest of each kind is kept over
 * all documents of an answer.  Anything but an integer from 0 to
 * MODELGUARD_METER_TOKENS_MAX ("7.0" is one) is no count.
 *
 * Bits, in thousandths, of values as they leave:
 *
 *     number      log2 10 for each digit: those behind the point and the
 *                 significant ones before it, at most 23 bits; zero: 0
 *     stepped     -log2 of the step, and log2 10 for each digit before the
 *                 point, at most 23 bits; zero: 0
 *     label_only  log2 K of a vector of K values, 1 of a value alone
 *     base64      23 for each float, fewer if they are rounded
 *     string      the sum of the numbers in it with a fraction
 *     label       log2 K, K being the number of labels beside the scores of
 *                 an array of two or more, else the field's classes
 */


#ifndef MODELGUARD_METER_READ_H_INCLUDED
#define MODELGUARD_METER_READ_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_meter.h"
#include "modelguard_meter_rules.h"


typedef struct modelguard_meter_read_s  modelguard_meter_read_t;


/* depth: containers, 1 .. MODELGUARD_JSON_DEPTH_MAX; NULL: no memory */

modelguard_meter_read_t *modelguard_meter_read_create(
    const modelguard_meter_rules_t *rules, modelguard_meter_t *meter,
    unsigned depth, modelguard_alloc_pt alloc, void *data);

void modelguard_meter_read_feed(modelguard_meter_read_t *read,
    const uint8_t *bytes, size_t len);

/* the document is over, and another may begin */

void modelguard_meter_read_end(modelguard_meter_read_t *read);

void modelguard_meter_read_free(modelguard_meter_read_t *read);


#endif /* MODELGUARD_METER_READ_H_INCLUDED */
