
/*
 * Copyright (C) the modelguard authors
 *
 * Parts of a document that are at hand in one piece: what is passed here is
 * what the state machine of modelguard_json.c would take, and what is not is
 * left to it, so nothing is decided here alone.  Private to the tokenizer and
 * the rewriter.
 */


#ifndef MODELGUARD_JSON_RUN_H_INCLUDED
#define MODELGUARD_JSON_RUN_H_INCLUDED


#include "modelguard_json.h"
#include "modelguard_scan.h"


#define MODELGUARD_JSON_RUN_STRING  512


/*
 * Passes whole members and elements of the containers above "depth", up to,
 * at most, the end of the one at "depth" + 1.  For the states in which a
 * member, an element, a comma or an end may come; else does nothing.
 */

void modelguard_json_run(modelguard_json_t *json, unsigned depth);


/* white space, if there is any: mostly there is none */

static inline const uint8_t *
modelguard_json_run_space(const uint8_t *p, const uint8_t *end)
{
    return (p < end && *p <= 0x20) ? modelguard_scan_space(p, end) : p;
}


/*
 * Past the string that begins at p, or NULL; adds to *escaped.  A longer one
 * is left to the state machine at once, which will not have to begin again
 * where the piece ends.
 */

static inline const uint8_t *
modelguard_json_run_string(const modelguard_json_t *json, const uint8_t *p,
    unsigned *escaped)
{
    const uint8_t  *end;

    end = json->end;

    if (end - p > MODELGUARD_JSON_RUN_STRING) {
        end = p + MODELGUARD_JSON_RUN_STRING;
    }

    p = modelguard_scan_text(json->simd, p + 1, end, escaped);

    return (p < end && *p == '"') ? p + 1 : NULL;
}


/* past "true", "false" or "null", or NULL */

static inline const uint8_t *
modelguard_json_run_literal(const uint8_t *p, const uint8_t *end)
{
    if (end - p < 5) {
        return NULL;
    }

    if (memcmp(p, "true", 4) == 0 || memcmp(p, "null", 4) == 0) {
        return p + 4;
    }

    return memcmp(p, "false", 5) == 0 ? p + 5 : NULL;
}


/* past the scalar that begins at p, or NULL */

static inline const uint8_t *
modelguard_json_run_scalar(const modelguard_json_t *json, const uint8_t *p)
{
    int       exponent;
    unsigned  escaped;

    escaped = 0;

    if (*p == '"') {
        return modelguard_json_run_string(json, p, &escaped);
    }

    if (*p == '-' || (uint8_t) (*p - '0') < 10) {
        return modelguard_scan_number(p, json->end, &exponent);
    }

    return modelguard_json_run_literal(p, json->end);
}


/* past a colon and the white space around it, to a byte at hand, or NULL */

static inline const uint8_t *
modelguard_json_run_colon(const uint8_t *p, const uint8_t *end)
{
    if (end - p > 1 && p[0] == ':' && p[1] > 0x20) {
        return p + 1;
    }

    p = modelguard_json_run_space(p, end);

    if (p == end || *p != ':') {
        return NULL;
    }

    p = modelguard_json_run_space(p + 1, end);

    return (p < end) ? p : NULL;
}


#endif /* MODELGUARD_JSON_RUN_H_INCLUDED */
