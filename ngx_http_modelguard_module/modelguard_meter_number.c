
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_meter.h"
#include "modelguard_meter_number.h"


/* digits and exponents: no more tell more */

#define NUMBER_MAX     1000000
#define NUMBER_DIGITS  7             /* as many are MODELGUARD_METER_FLOAT */


static uint32_t number_digits(uint32_t n);


void
modelguard_meter_number_init(modelguard_meter_number_t *number)
{
    memset(number, 0, sizeof(modelguard_meter_number_t));
}


int
modelguard_meter_number_take(modelguard_meter_number_t *number, uint8_t c)
{
    unsigned  digit;

    digit = (unsigned) c - '0';

    if (digit < 10) {

        if (number->e) {
            number->power = 1;

            if (number->exponent < NUMBER_MAX) {
                number->exponent = number->exponent * 10 + digit;
            }

            return 1;
        }

        number->nonzero |= (digit != 0);

        if (number->point) {
            number->fraction |= (digit != 0);
            number->behind += (number->behind < NUMBER_MAX);
            return 1;
        }

        number->before += (number->nonzero && number->before < NUMBER_MAX);

        number->value = (number->value > MODELGUARD_METER_TOKENS_MAX)
                        ? UINT64_MAX : number->value * 10 + digit;
        return 1;
    }

    switch (c) {

    case '-':

        if (!number->e) {
            number->negative = 1;
            return 1;
        }

        number->down |= !number->power;

        return !number->power;

    case '+':
        return number->e && !number->power;

    case '.':

        if (number->point || number->e) {
            return 0;
        }

        number->point = 1;
        return 1;

    case 'e':
    case 'E':

        if (number->e || number->word) {
            return 0;
        }

        number->e = 1;
        return 1;

    default:
        number->word = 1;
        return 0;
    }
}


int
modelguard_meter_number_count(const modelguard_meter_number_t *number,
    uint64_t *count)
{
    *count = number->value;

    return !number->negative && !number->e && !number->fraction
           && !number->word && number->value <= MODELGUARD_METER_TOKENS_MAX;
}


uint32_t
modelguard_meter_number_bits(const modelguard_meter_number_t *number,
    const modelguard_gauge_t *gauge)
{
    uint32_t  bits, before, behind, exponent;

    if (number->word || !number->nonzero
        || (gauge->fill && number->negative && !number->point))
    {
        return 0;
    }

    before = number->before;
    behind = number->behind;

    if (number->power) {
        exponent = number->exponent;

        if (number->down) {
            behind += exponent;
            before -= (exponent < before) ? exponent : before;

        } else {

            /* what moves before the point is a digit as it was */

            exponent = (exponent < behind) ? exponent : behind;
            before += exponent;
            behind -= exponent;
        }
    }

    if (gauge->stepped) {
        bits = gauge->step + number_digits(before);

    } else {
        bits = number_digits(before + behind);
    }

    return bits < MODELGUARD_METER_FLOAT ? bits : MODELGUARD_METER_FLOAT;
}


const uint8_t *
modelguard_meter_number_run(const uint8_t *p, const uint8_t *end,
    uint64_t *bits)
{
    size_t          len;
    uint8_t         any;
    uint64_t        sum;
    const uint8_t  *q;

    sum = 0;

    while (end - p > 4 && p[0] == ',' && p[1] == '0') {

        if (p[2] == ',' || p[2] == ']') {
            p += 2;
            continue;
        }

        if (p[2] != '.') {
            break;
        }

        any = 0;

        for (q = p + 3; q < end && (uint8_t) (*q - '0') < 10; q++) {
            any |= *q;
        }

        len = (size_t) (q - (p + 3));

        if (len == 0 || q == end || (*q != ',' && *q != ']')) {
            break;
        }

        /* the digits but 0 have one of these bits */

        if (any & 0xf) {
            sum += (len < NUMBER_DIGITS) ? len * MODELGUARD_METER_DIGIT
                                         : MODELGUARD_METER_FLOAT;
        }

        p = q;
    }

    *bits += sum;

    return p;
}


static uint32_t
number_digits(uint32_t n)
{
    return (n < NUMBER_DIGITS) ? n * MODELGUARD_METER_DIGIT
                               : MODELGUARD_METER_FLOAT;
}
