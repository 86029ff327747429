
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_json_run.h"


static const uint8_t *json_run_key(const modelguard_json_t *json,
    const uint8_t *p);
static const uint8_t *json_run_elements(const modelguard_json_t *json,
    const uint8_t *p);


int
modelguard_json_skip(modelguard_json_t *json, unsigned depth)
{
    int  rc;

    do {
        if (!json->error && !json->partial) {
            modelguard_json_run(json, depth);
        }

        rc = modelguard_json_next(json);

        if (rc != MODELGUARD_OK) {
            return rc;
        }

    } while (json->depth > depth);

    return MODELGUARD_OK;
}


void
modelguard_json_run(modelguard_json_t *json, unsigned depth)
{
    int             object;
    unsigned        state;
    const uint8_t  *p, *q, *end;

    p = json->p;
    end = json->end;
    state = json->state;

    if (state != MODELGUARD_JSON_AFTER_VALUE
        && state != MODELGUARD_JSON_VALUE_OR_END
        && state != MODELGUARD_JSON_KEY_OR_END)
    {
        return;
    }

    object = modelguard_json_in_object(json);

    for ( ;; ) {

        /* from here the state machine could go on */

        json->p = p;
        json->state = state;

        p = modelguard_json_run_space(p, end);

        if (p == end) {
            return;
        }

        if (*p == (object ? '}' : ']')) {

            if (json->depth <= depth + 1) {
                return;
            }

            json->depth--;
            object = modelguard_json_in_object(json);
            state = MODELGUARD_JSON_AFTER_VALUE;
            p++;

            continue;
        }

        if (state == MODELGUARD_JSON_AFTER_VALUE) {

            if (*p != ',') {
                return;
            }

            p = modelguard_json_run_space(p + 1, end);
        }

        if (object) {
            p = json_run_key(json, p);
        }

        if (p == NULL || p == end) {
            return;
        }

        if (*p == '{' || *p == '[') {

            if (json->depth == json->limit) {
                return;
            }

            object = (*p++ == '{');

            if (!object) {
                q = modelguard_scan_small(p, end);

                if (q != NULL) {
                    p = q;
                    object = modelguard_json_in_object(json);
                    state = MODELGUARD_JSON_AFTER_VALUE;

                    continue;
                }
            }

            state = object ? MODELGUARD_JSON_KEY_OR_END
                           : MODELGUARD_JSON_VALUE_OR_END;

            json->depth++;
            modelguard_json_set_object(json, object);

            continue;
        }

        p = object ? modelguard_json_run_scalar(json, p)
                   : json_run_elements(json, p);

        if (p == NULL) {
            return;
        }

        state = MODELGUARD_JSON_AFTER_VALUE;
    }
}


/* past a member's name and its colon, or NULL */

static const uint8_t *
json_run_key(const modelguard_json_t *json, const uint8_t *p)
{
    unsigned  escaped;

    if (p == json->end || *p != '"') {
        return NULL;
    }

    escaped = 0;
    p = modelguard_json_run_string(json, p, &escaped);

    return (p == NULL) ? NULL : modelguard_json_run_colon(p, json->end);
}


/* past one element, or a run of numbers; or NULL */

static const uint8_t *
json_run_elements(const modelguard_json_t *json, const uint8_t *p)
{
    const uint8_t  *q;

    if (*p == '-' || (uint8_t) (*p - '0') < 10) {
        q = json->simd->numbers(p, json->end);

        return (q == p) ? NULL : q;
    }

    return modelguard_json_run_scalar(json, p);
}
