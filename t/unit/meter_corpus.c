
/*
 * Copyright (C) the modelguard authors
 *
 * The tokens of every answer of the corpus that says how many it cost, in
 * pieces of many kinds, beside an oracle of its own: jansson's trees, in
 * which counts are looked for by the names around them and not by paths.
 */


#include <dirent.h>

#include <jansson.h>

#include "rewrite_kit.h"
#include "modelguard_frame.h"


#define CORPUS_FILE   (1 << 20)
#define CORPUS_USAGE  37             /* answers with counts, at least */


/* the greatest of each, over all documents */

typedef struct {
    json_int_t       prompt;
    json_int_t       input;
    json_int_t       created;
    json_int_t       read;
    json_int_t       output;
    json_int_t       thoughts;
    json_int_t       total;
    int              seen;
} oracle_t;


static kit_t                      kit;
static modelguard_meter_rules_t  *rules;


static int
is_one_of(const char *name, const char *names)
{
    size_t       len;
    const char  *p;

    len = strlen(name);

    for (p = strstr(names, name); p != NULL; p = strstr(p + 1, name)) {

        if ((p == names || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
        {
            return 1;
        }
    }

    return 0;
}


static void
oracle_count(oracle_t *oracle, const char *name, json_t *value)
{
    json_int_t   n, *field;

    n = (json_int_t) json_real_value(value);

    if (is_one_of(name, "total_tokens totalTokenCount totalTokens")) {
        field = &oracle->total;

    } else if (is_one_of(name, "prompt_tokens promptTokenCount inputTokens "
                         "prompt_eval_count tokens_evaluated "
                         "inputTextTokenCount"))
    {
        field = &oracle->prompt;

    } else if (strcmp(name, "input_tokens") == 0) {
        field = &oracle->input;

    } else if (strcmp(name, "cache_creation_input_tokens") == 0) {
        field = &oracle->created;

    } else if (strcmp(name, "cache_read_input_tokens") == 0) {
        field = &oracle->read;

    } else if (strcmp(name, "thoughtsTokenCount") == 0) {
        field = &oracle->thoughts;

    } else if (is_one_of(name, "completion_tokens output_tokens outputTokens "
                         "candidatesTokenCount eval_count tokens_predicted "
                         "generated_tokens"))
    {
        field = &oracle->output;

    } else {
        return;
    }

    oracle->seen = 1;

    if (n > *field) {
        *field = n;
    }
}


/* "inside": the object is one of counts */

static void
oracle_walk(oracle_t *oracle, json_t *value, int inside)
{
    size_t       i;
    json_t      *member;
    const char  *name;

    json_array_foreach(value, i, member) {
        oracle_walk(oracle, member, 0);
    }

    json_object_foreach(value, name, member) {

        if (json_is_number(member)) {

            if (inside
                || is_one_of(name, "prompt_eval_count eval_count "
                             "tokens_evaluated tokens_predicted "
                             "inputTextTokenCount"))
            {
                oracle_count(oracle, name, member);
            }

        } else {
            oracle_walk(oracle, member,
                        is_one_of(name, "usage usageMetadata details meta "
                                  "billed_units")
                        || (inside && strcmp(name, "tokens") == 0));
        }
    }
}


/* lets the oracle read one document; 0: it cannot */

static int
oracle_document(oracle_t *oracle, const char *text, size_t len, size_t *used)
{
    json_t        *root;
    json_error_t   error;

    /* some integers are too great for jansson */

    root = json_loadb(text, len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL
                                 | JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL,
                      &error);
    if (root == NULL) {
        return 0;
    }

    oracle_walk(oracle, root, 0);
    json_decref(root);

    *used = (size_t) error.position;

    return 1;
}


/* an event is the lines of data up to an empty one */

static void
oracle_events(oracle_t *oracle, const char *text, size_t len)
{
    char        *data;
    size_t       n, used, size;
    const char  *p, *eol;

    data = malloc(len + 1);
    size = 0;

    for (p = text; p <= text + len; p = eol + 1) {
        eol = memchr(p, '\n', (size_t) (text + len - p));

        if (eol == NULL) {
            eol = text + len;
        }

        n = (size_t) (eol - p);
        n -= (n && p[n - 1] == '\r');

        if (n == 0) {
            (void) oracle_document(oracle, data, size, &used);
            size = 0;

        } else if (n > 5 && memcmp(p, "data:", 5) == 0) {
            memcpy(data + size, p + 5, n - 5);
            size += n - 5;
            data[size++] = '\n';
        }
    }

    (void) oracle_document(oracle, data, size, &used);

    free(data);
}


static void
oracle(oracle_t *result, modelguard_framing_e framing, const char *text,
    size_t len)
{
    size_t  at, used;

    memset(result, 0, sizeof(oracle_t));

    if (framing == MODELGUARD_FRAMING_EVENTS) {
        oracle_events(result, text, len);
        return;
    }

    for (at = 0; at < len; at += used) {

        if (!oracle_document(result, text + at, len - at, &used)) {
            return;
        }
    }
}


static int
discard(void *data, const uint8_t *bytes, size_t len)
{
    (void) data;
    (void) bytes;
    (void) len;

    return MODELGUARD_OK;
}


/* pieces of "step" bytes */

static void
metered(modelguard_meter_t *meter, modelguard_framing_e framing,
    const unsigned char *text, size_t len, size_t step)
{
    int                       rc;
    size_t                    at, n;
    unsigned char            *piece;
    modelguard_frame_t       *frame;
    modelguard_frame_conf_t   conf;
    modelguard_meter_read_t  *before;

    memset(meter, 0, sizeof(modelguard_meter_t));

    conf.framing = framing;
    conf.frame = NULL;
    conf.rewrite.rules = kit.rules;
    conf.rewrite.depth = MODELGUARD_DEPTH_DEFAULT;
    conf.rewrite.hold = MODELGUARD_HOLD_DEFAULT;
    conf.rewrite.sink = discard;
    conf.rewrite.sink_data = NULL;
    conf.rewrite.alloc = kit_alloc;
    conf.rewrite.alloc_data = NULL;

    frame = modelguard_frame_create(&conf);
    before = modelguard_meter_read_create(rules, meter,
                                          MODELGUARD_DEPTH_DEFAULT, kit_alloc,
                                          NULL);
    modelguard_frame_meter(frame, before, NULL);

    rc = MODELGUARD_OK;

    for (at = 0; at < len && rc == MODELGUARD_OK; at += n) {
        n = len - at < step ? len - at : step;

        piece = malloc(n);
        memcpy(piece, text + at, n);

        rc = modelguard_frame_feed(frame, piece, n);

        free(piece);
    }

    if (rc == MODELGUARD_OK) {
        (void) modelguard_frame_finish(frame);
    }

    modelguard_frame_free(frame);
    modelguard_meter_read_free(before);
}


static int
is_same(const modelguard_meter_t *meter, const oracle_t *result)
{
    uint64_t  input, tokens;

    input = (uint64_t) (result->input + result->created + result->read);

    if (input < (uint64_t) result->prompt) {
        input = (uint64_t) result->prompt;
    }

    tokens = input + (uint64_t) (result->output + result->thoughts);

    if (tokens < (uint64_t) result->total) {
        tokens = (uint64_t) result->total;
    }

    return (int) meter->usage == result->seen && meter->input == input
           && meter->total == (uint64_t) result->total
           && modelguard_meter_tokens(meter) == tokens;
}


static modelguard_framing_e
framing_of(const char *name)
{
    if (strstr(name, ".sse") != NULL) {
        return MODELGUARD_FRAMING_EVENTS;
    }

    return strstr(name, ".ndjson") != NULL ? MODELGUARD_FRAMING_SEQUENCE
                                           : MODELGUARD_FRAMING_NONE;
}


/* 1 if the answer has counts */

static unsigned
test_file(const char *dir, const char *name)
{
    char                   path[1024];
    FILE                  *f;
    size_t                 i, len;
    unsigned               bad;
    oracle_t               result;
    unsigned char         *text;
    modelguard_meter_t     meter;
    modelguard_framing_e   framing;

    static const size_t    steps[] = { 1, 2, 3, 7, 64, 1000, CORPUS_FILE };

    snprintf(path, sizeof(path), "%s/responses/%s", dir, name);

    f = fopen(path, "rb");
    if (f == NULL) {
        return 0;
    }

    text = malloc(CORPUS_FILE);
    len = fread(text, 1, CORPUS_FILE, f);
    fclose(f);

    framing = framing_of(name);
    bad = 0;

    oracle(&result, framing, (char *) text, len);

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        metered(&meter, framing, text, len, steps[i]);
        bad += !is_same(&meter, &result);
    }

    ok(bad == 0, "%s: %llu tokens (%u differ, the oracle has %lld, %lld)",
       name, (unsigned long long) modelguard_meter_tokens(&meter), bad,
       (long long) result.total, (long long) result.output);

    free(text);

    return result.seen != 0;
}


int
main(void)
{
    DIR            *d;
    char            path[1024];
    unsigned        n;
    const char     *dir;
    struct dirent  *entry;

    dir = getenv("MODELGUARD_CORPUS");

    if (dir == NULL) {
        dir = "../shared/corpus";
    }

    snprintf(path, sizeof(path), "%s/responses", dir);

    d = opendir(path);

    if (d == NULL) {
        printf("ok - # SKIP corpus not found\n1..1\n");
        return 0;
    }

    kit_build(&kit, "metadata $.no.such | drop");

    if (modelguard_meter_usage_build(&rules, NULL, 0, NULL, kit_keep, NULL)
        != MODELGUARD_OK)
    {
        printf("Bail out! no rules\n");
        return 2;
    }

    n = 0;

    for (entry = readdir(d); entry != NULL; entry = readdir(d)) {

        if (strstr(entry->d_name, ".json") != NULL
            || strstr(entry->d_name, ".sse") != NULL
            || strstr(entry->d_name, ".ndjson") != NULL)
        {
            n += test_file(dir, entry->d_name);
        }
    }

    closedir(d);

    ok(n >= CORPUS_USAGE, "%u answers with counts", n);

    kit_free();
    ok(kit_allocated == 0, "all memory is given back");

    return tap_done();
}
