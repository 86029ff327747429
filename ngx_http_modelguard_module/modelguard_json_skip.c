
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_json.h"
#include "modelguard_scan.h"


static void modelguard_json_run(modelguard_json_t *json);
static const uint8_t *modelguard_json_plain(const uint8_t *p,
    const uint8_t *end);


int
modelguard_json_skip(modelguard_json_t *json, unsigned depth)
{
    int  rc;

    do {
        if (json->state == MODELGUARD_JSON_AFTER_VALUE && !json->error) {
            modelguard_json_run(json);
        }

        rc = modelguard_json_next(json);

        if (rc != MODELGUARD_OK) {
            return rc;
        }

    } while (json->depth > depth);

    return MODELGUARD_OK;
}


/*
 * Passes over a run of members or elements that are numbers or plain strings,
 * each with the comma before it, as long as all of one lies in the piece and
 * no white space is in the way.  What it leaves, the state machine takes.
 */

static void
modelguard_json_run(modelguard_json_t *json)
{
    int             exponent, object;
    const uint8_t  *p, *q, *end;

    p = json->p;
    end = json->end;
    object = modelguard_json_in_object(json);

#if (MODELGUARD_SSE2)

    while (!object && end - p > MODELGUARD_SCAN_NUMBER && *p == ',') {

        q = modelguard_scan_decimal(p + 1, &exponent);
        if (q == NULL) {
            break;
        }

        p = q;
    }

#endif

    while (end - p > 1 && *p == ',') {

        q = p + 1;

        if (object) {
            q = modelguard_json_plain(q, end);

            if (q == NULL || end - q < 2 || *q != ':') {
                break;
            }

            q++;
        }

        q = (*q == '"') ? modelguard_json_plain(q, end)
                        : modelguard_scan_number(q, end, &exponent);
        if (q == NULL) {
            break;
        }

        p = q;
    }

    json->p = p;
}


/* past a string without escapes and multi-byte characters, or NULL */

static const uint8_t *
modelguard_json_plain(const uint8_t *p, const uint8_t *end)
{
    if (p == end || *p != '"') {
        return NULL;
    }

    p = modelguard_scan_string(p + 1, end);

    return (p < end && *p == '"') ? p + 1 : NULL;
}
