
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_json.h"
#include "modelguard_scan.h"


static void json_run(modelguard_json_t *json, unsigned depth);
static const uint8_t *json_run_key(const modelguard_json_t *json,
    const uint8_t *p);
static const uint8_t *json_run_value(const modelguard_json_t *json,
    const uint8_t *p, int object);
static const uint8_t *json_run_string(const modelguard_json_t *json,
    const uint8_t *p);
static const uint8_t *json_run_literal(const uint8_t *p, const uint8_t *end);


int
modelguard_json_skip(modelguard_json_t *json, unsigned depth)
{
    int  rc;

    do {
        if (!json->error && !json->partial) {
            json_run(json, depth);
        }

        rc = modelguard_json_next(json);

        if (rc != MODELGUARD_OK) {
            return rc;
        }

    } while (json->depth > depth);

    return MODELGUARD_OK;
}


/*
 * Checks whole members and elements, and containers that begin and end among
 * them, as long as they are at hand and nothing is wrong: whatever else there
 * is, and the end of the container at "depth" + 1, is left to the state
 * machine, before the comma where that is possible.
 */

static void
json_run(modelguard_json_t *json, unsigned depth)
{
    int             object;
    uint8_t         c;
    unsigned        state;
    const uint8_t  *p, *end;

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
        json->p = p;
        json->state = state;

        if (p < end && *p <= 0x20) {
            p = modelguard_scan_space(p, end);
        }

        if (p == end) {
            return;
        }

        c = *p;

        if (c == (object ? '}' : ']')) {

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

            if (c != ',') {
                return;
            }

            p++;
        }

        if (object) {
            p = json_run_key(json, p);

            if (p == NULL) {
                return;
            }
        }

        if (p < end && *p <= 0x20) {
            p = modelguard_scan_space(p, end);
        }

        if (p == end) {
            return;
        }

        if (*p == '{' || *p == '[') {

            if (json->depth == json->limit) {
                return;
            }

            object = (*p++ == '{');
            state = object ? MODELGUARD_JSON_KEY_OR_END
                           : MODELGUARD_JSON_VALUE_OR_END;

            json->depth++;
            modelguard_json_set_object(json, object);

            continue;
        }

        p = json_run_value(json, p, object);

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
    const uint8_t  *end;

    end = json->end;

    if (p < end && *p <= 0x20) {
        p = modelguard_scan_space(p, end);
    }

    if (p == end || *p != '"') {
        return NULL;
    }

    p = json_run_string(json, p);

    if (p == NULL) {
        return NULL;
    }

    if (p < end && *p <= 0x20) {
        p = modelguard_scan_space(p, end);
    }

    return (p < end && *p == ':') ? p + 1 : NULL;
}


/* past one scalar, or in an array past a run of numbers; or NULL */

static const uint8_t *
json_run_value(const modelguard_json_t *json, const uint8_t *p, int object)
{
    int             exponent;
    const uint8_t  *q;

    if (*p == '"') {
        return json_run_string(json, p);
    }

    if (*p == '-' || (uint8_t) (*p - '0') < 10) {

        if (object) {
            return modelguard_scan_number(p, json->end, &exponent);
        }

        q = json->simd->numbers(p, json->end);

        return (q == p) ? NULL : q;
    }

    return json_run_literal(p, json->end);
}


static const uint8_t *
json_run_string(const modelguard_json_t *json, const uint8_t *p)
{
    unsigned  escaped;

    escaped = 0;
    p = modelguard_scan_text(json->simd, p + 1, json->end, &escaped);

    return (p < json->end && *p == '"') ? p + 1 : NULL;
}


static const uint8_t *
json_run_literal(const uint8_t *p, const uint8_t *end)
{
    if (end - p < 5) {
        return NULL;
    }

    if (memcmp(p, "true", 4) == 0 || memcmp(p, "null", 4) == 0) {
        return p + 4;
    }

    return memcmp(p, "false", 5) == 0 ? p + 5 : NULL;
}
