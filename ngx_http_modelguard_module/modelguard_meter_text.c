
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_meter_text.h"


#define TEXT_FLOAT_CHARS  16         /* of base64: three floats */
#define TEXT_FLOATS       3


static void text_char(modelguard_meter_text_t *text, uint8_t c);
static void text_number(modelguard_meter_text_t *text, uint8_t c);
static int text_is_digit(uint8_t c);
static int text_is_word(uint8_t c);


void
modelguard_meter_text_init(modelguard_meter_text_t *text,
    const modelguard_gauge_t *gauge, modelguard_meter_t *meter)
{
    text->gauge = gauge;
    text->meter = meter;
    text->chars = 0;
    text->within = 0;
    text->digit = 0;
    text->escaped = 0;
    text->colon = 0;
    text->more = 0;
    text->before = ' ';
}


void
modelguard_meter_text_take(modelguard_meter_text_t *text, const uint8_t *p,
    const uint8_t *stop)
{
    for ( /* void */ ; p < stop; p++) {

        if (text->gauge->base64) {
            text->chars += (*p != '"' && *p != '\\' && *p != '=');

        } else if (text->escaped) {
            text->escaped = 0;
            text_char(text, ' ');

        } else if (*p == '\\') {
            text->escaped = 1;

        } else {
            text_char(text, *p);
        }
    }
}


void
modelguard_meter_text_end(modelguard_meter_text_t *text)
{
    uint64_t  floats;

    if (text->gauge->base64) {
        floats = text->chars / TEXT_FLOAT_CHARS * TEXT_FLOATS
                 + text->chars % TEXT_FLOAT_CHARS * TEXT_FLOATS
                   / TEXT_FLOAT_CHARS;

        modelguard_meter_add(text->meter, floats * text->gauge->packed);

    } else if (text->gauge->top && text->digit) {

        /* how many there were to choose from is not known */

        modelguard_meter_add(text->meter, text->gauge->label);
    }
}


static void
text_char(modelguard_meter_text_t *text, uint8_t c)
{
    text->digit |= (text_is_digit(c) != 0);

    if (text->gauge->top) {
        return;
    }

    if (text->within) {

        if ((c != '-' || text->number.e)
            && modelguard_meter_number_take(&text->number, c))
        {
            text->before = c;
            return;
        }

        text_number(text, c);
    }

    if ((text_is_digit(c) || c == '.') && !text_is_word(text->before)) {
        modelguard_meter_number_init(&text->number);
        (void) modelguard_meter_number_take(&text->number, c);

        text->within = 1;

    } else if (c != '"' && c != '-' && c != '+' && c != ' ') {
        text->more = 1;
    }

    if (c == ':') {

        if (!text->colon && text->gauge->colon) {
            modelguard_meter_add(text->meter, text->gauge->label);
        }

        text->colon = 1;
    }

    text->before = c;
}


/*
 * A number has ended before c: one with a fraction or an exponent counts, and
 * any that is all there is, or that before the colon.
 */

static void
text_number(modelguard_meter_text_t *text, uint8_t c)
{
    modelguard_meter_number_t  *number;

    number = &text->number;
    text->within = 0;

    /* what ended it is no part of it */

    number->word = 0;

    if (number->behind || number->power
        || (c == '"' && !text->more)
        || (text->gauge->colon && !text->colon && (c == ':' || c == '"')))
    {
        modelguard_meter_add(text->meter,
                             modelguard_meter_number_bits(number,
                                                          text->gauge));
    }

    text->more = 1;
}


static int
text_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}


static int
text_is_word(uint8_t c)
{
    return text_is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
           || c == '_' || c >= 0x80;
}
