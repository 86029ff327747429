
/*
 * Copyright (C) the modelguard authors
 *
 * A fuzz target: the tokenizer accepts what jansson accepts, tells the same
 * tokens however the text is cut, and the same end when containers are
 * skipped.
 */


#include "fuzz_json.h"
#include "fuzz_oracle.h"
#include "modelguard_json.h"


#define DEPTH   64
#define TOKENS  4096


typedef struct {
    modelguard_json_type_e  type;
    size_t                  stop;
    unsigned                depth;
    unsigned                flags;
} token_t;


typedef struct {
    int                     rc;
    size_t                  n;
    token_t                 tokens[TOKENS];
} run_t;


static run_t     whole, other;
static uint64_t  skips;              /* a bit for each container */


static void
token_add(run_t *run, const modelguard_json_t *json, size_t stop)
{
    token_t  *token;

    if (run->n == TOKENS) {
        return;
    }

    token = &run->tokens[run->n++];
    token->type = json->type;
    token->stop = stop;
    token->depth = json->depth;
    token->flags = (unsigned) modelguard_json_in_object(json);
    token->flags |= (unsigned) json->after_comma << 1;

    if (json->type == MODELGUARD_JSON_STRING
        || json->type == MODELGUARD_JSON_KEY)
    {
        token->flags |= (unsigned) json->escaped << 2;
    }
}


/* a string as the other library reads it */

static void
check_string(const modelguard_json_t *json)
{
    size_t         n, len;
    json_t        *string;
    uint8_t       *out;
    json_error_t   error;

    len = (size_t) (json->stop - json->start);

    string = json_loadb((const char *) json->start, len,
                        JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

    if (string == NULL) {
        return;
    }

    out = malloc(len);
    n = modelguard_json_unescape(json->start + 1, len - 2, out, len);

    if (n != json_string_length(string)
        || memcmp(out, json_string_value(string), n) != 0)
    {
        fuzz_fail("unescaped: %.*s", (int) len, json->start);
    }

    free(out);
    json_decref(string);
}


static int
piece(run_t *run, modelguard_json_t *json, const uint8_t *data, size_t offset,
    int skip, unsigned *back)
{
    int  rc;

    for ( ;; ) {

        if (*back != (unsigned) -1) {
            rc = modelguard_json_skip(json, *back);

            if (rc == MODELGUARD_OK) {
                *back = (unsigned) -1;
            }

        } else {
            rc = modelguard_json_next(json);
        }

        if (rc != MODELGUARD_OK) {
            return rc;
        }

        token_add(run, json, offset + (size_t) (json->stop - data));

        if (json->type == MODELGUARD_JSON_OBJECT
            || json->type == MODELGUARD_JSON_ARRAY)
        {
            if (skip && (skips >> (run->n % 64) & 1)) {
                *back = json->depth - 1;
            }

        } else if (run == &whole && (json->type == MODELGUARD_JSON_STRING
                                     || json->type == MODELGUARD_JSON_KEY))
        {
            check_string(json);
        }
    }
}


static void
run_cut(run_t *run, const uint8_t *data, size_t len, const fuzz_cuts_t *cuts,
    int skip)
{
    size_t             i, at, end;
    uint8_t           *copy;
    unsigned           back;
    modelguard_json_t  json;

    modelguard_json_init(&json, DEPTH);

    run->n = 0;
    run->rc = MODELGUARD_AGAIN;
    at = 0;
    back = (unsigned) -1;

    for (i = 0; i <= cuts->n && run->rc == MODELGUARD_AGAIN; i++) {
        end = i < cuts->n ? cuts->at[i] : len;
        copy = fuzz_copy(data + at, end - at);

        modelguard_json_feed(&json, copy, end - at);
        run->rc = piece(run, &json, copy, at, skip, &back);

        free(copy);
        at = end;
    }

    if (run->rc == MODELGUARD_AGAIN) {
        modelguard_json_feed(&json, (const uint8_t *) "\n", 1);
        run->rc = piece(run, &json, (const uint8_t *) "\n", len, skip, &back);
    }

    if (run->rc == MODELGUARD_AGAIN) {
        run->rc = modelguard_json_finish(&json);
    }
}


static void
same(const run_t *a, const run_t *b, const char *what)
{
    size_t  i;

    if (a->rc != b->rc || a->n != b->n) {
        fuzz_fail("%s: rc %d for %d, %zu tokens for %zu", what, b->rc, a->rc,
                  b->n, a->n);
    }

    for (i = 0; i < a->n; i++) {

        if (memcmp(&a->tokens[i], &b->tokens[i], sizeof(token_t)) != 0) {
            fuzz_fail("%s: token %zu, to %zu for %zu", what, i,
                      b->tokens[i].stop, a->tokens[i].stop);
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    int          accepts;
    fuzz_cuts_t  cuts;

    fuzz_begin(data, len);

    cuts.n = 0;
    run_cut(&whole, data, len, &cuts, 0);

    accepts = oracle_accepts(data, len);

    if (whole.rc != MODELGUARD_TOO_DEEP
        && accepts != (whole.rc == MODELGUARD_OK))
    {
        fuzz_fail("rc %d, and jansson says %d", whole.rc, accepts);
    }

    fuzz_cut(&cuts, len);
    run_cut(&other, data, len, &cuts, 0);
    same(&whole, &other, "cut");

    skips = fuzz_next();

    fuzz_cut(&cuts, len);
    run_cut(&other, data, len, &cuts, 1);

    if (other.rc != whole.rc) {
        fuzz_fail("skipped: rc %d for %d", other.rc, whole.rc);
    }

    run_cut(&whole, data, len, &(fuzz_cuts_t) { 0, { 0 } }, 1);
    same(&whole, &other, "skipped and cut");

    return 0;
}


size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    fuzz_reseed(seed);

    if (fuzz_random(4) == 0) {
        return LLVMFuzzerMutate(data, size, max);
    }

    return fuzz_json_mutate(data, size, max);
}
