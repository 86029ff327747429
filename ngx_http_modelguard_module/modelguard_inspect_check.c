
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_inspect.h"
#include "modelguard_inspect_walk.h"
#include "modelguard_number.h"


/* bytes of a count that are looked at: a double's text has up to 25 */

#define INSPECT_ITEMS_MAX  32


static uint64_t inspect_items(modelguard_inspect_t *in);


void
modelguard_inspect_check(modelguard_inspect_t *in, uint64_t target,
    uint64_t when)
{
    uint8_t          c;
    const uint64_t  *ops;

    c = *in->walk.json.start;
    ops = in->params->ops;

    switch (c) {

    case 't':
    case '"':
    case '{':
    case '[':
        in->true_when |= when;
        break;

    case 'n':
        in->violated |= target & ops[MODELGUARD_PARAM_REQUIRE];
        return;

    case 'f':
        in->found |= target;
        return;

    default:
        in->limited = target & ops[MODELGUARD_PARAM_LIMIT];
        in->number_when = when;
    }

    in->found |= target;
    in->violated |= target & ops[MODELGUARD_PARAM_FORBID];

    if (c == 't') {
        in->limited = target & ops[MODELGUARD_PARAM_LIMIT];
        in->digits[0] = '1';
        in->len = 1;

        modelguard_inspect_number(in);

    } else if (c == '"' || c == '{' || c == '[') {
        in->violated |= target & ops[MODELGUARD_PARAM_LIMIT];
    }
}


void
modelguard_inspect_digits(modelguard_inspect_t *in, const uint8_t *stop)
{
    const uint8_t  *p;

    if (!in->counted && (in->limited | in->number_when) == 0) {
        return;
    }

    p = in->walk.json.start;

    if (p == NULL) {
        p = in->walk.piece;
    }

    for ( /* void */ ; p < stop; p++) {

        if (in->len >= MODELGUARD_INSPECT_DIGITS_MAX) {
            in->len = MODELGUARD_INSPECT_DIGITS_MAX + 1;
            return;
        }

        in->digits[in->len++] = *p;
    }
}


void
modelguard_inspect_number(modelguard_inspect_t *in)
{
    int                      comparable;
    size_t                   i;
    uint64_t                 limited;
    const modelguard_str_t  *value;

    if (in->counted) {
        modelguard_inspect_count(in, inspect_items(in));
    }

    limited = in->limited;

    if ((limited | in->number_when) == 0) {
        return;
    }

    comparable = in->len <= MODELGUARD_INSPECT_DIGITS_MAX
                 && modelguard_number_class(in->digits, in->len)
                    == MODELGUARD_NUMBER_FINITE;

    if (!comparable
        || modelguard_number_compare(in->digits, in->len,
                                     (const uint8_t *) "0", 1)
           != 0)
    {
        in->true_when |= in->number_when;
    }

    for (i = 0; i < in->params->n; i++) {

        if ((limited >> i & 1) == 0) {
            continue;
        }

        value = &in->params->list[i].value;

        if (!comparable
            || modelguard_number_compare(in->digits, in->len, value->data,
                                         value->len)
               > 0
            || modelguard_number_compare(in->digits, in->len,
                                         (const uint8_t *) "0", 1)
               < 0)
        {
            in->violated |= (uint64_t) 1 << i;
        }
    }
}


/* a count in a longer text than any honest one is as great as can be */

static uint64_t
inspect_items(modelguard_inspect_t *in)
{
    int64_t  value;

    if (in->digits[0] == '-') {
        return 1;
    }

    if (in->len > INSPECT_ITEMS_MAX
        || modelguard_number_scale(in->digits, in->len, 0, &value)
           != MODELGUARD_OK)
    {
        return UINT32_MAX;
    }

    return value < 1 ? 1 : (uint64_t) value;
}


void
modelguard_inspect_count(modelguard_inspect_t *in, uint64_t count)
{
    if (count > UINT32_MAX) {
        count = UINT32_MAX;
    }

    if (count > in->count) {
        in->count = count;
    }
}
