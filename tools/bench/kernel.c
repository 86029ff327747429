
/*
 * Copyright (C) the modelguard authors
 *
 * The rewriter alone, beside jansson doing the same work through a tree, and
 * beside memcpy():
 *
 *     kernel NAME=FILE ...
 *
 * Work: round every number under $.predictions[*].scores to 2 decimals, drop
 * logits and model_version.  Prints one line "KEY GB/s" for each method and
 * file, from the best of several runs.
 */


#include <math.h>
#include <time.h>

#include <jansson.h>

#include "rewrite_kit.h"


#define KERNEL_RUNS    7
#define KERNEL_BYTES   (16 * 1024 * 1024)   /* of input in a run */
#define KERNEL_SLOW    32                   /* jansson gets so much less */
#define KERNEL_PIECE   (32 * 1024)
#define KERNEL_BUFFER  (8 * 1024 * 1024)

#define KERNEL_SPEC                                                           \
    "scores $.predictions[*].scores | round=2;"                               \
    "logits $.predictions[*].logits | drop;"                                  \
    "metadata $.model_version | drop"


typedef struct {
    const char     *name;
    unsigned char  *data;
    size_t          len;
    size_t          piece;
    size_t          sent;
} kernel_doc_t;


typedef void (*kernel_pt)(kernel_doc_t *doc);


static kit_t           kernel_kit;
static unsigned char  *kernel_buffer;


static void
kernel_fail(const char *what, const char *name)
{
    fprintf(stderr, "kernel: %s: %s\n", what, name);
    exit(1);
}


/* as a server would: the output is copied once */

static int
kernel_sink(void *data, const uint8_t *bytes, size_t len)
{
    kernel_doc_t  *doc;

    doc = data;

    if (len > KERNEL_BUFFER - doc->sent) {
        return MODELGUARD_SINK;
    }

    memcpy(kernel_buffer + doc->sent, bytes, len);
    doc->sent += len;

    return MODELGUARD_OK;
}


static void
kernel_rewrite(kernel_doc_t *doc)
{
    int                         rc;
    size_t                      at, len;
    modelguard_rewrite_t       *rw;
    modelguard_rewrite_conf_t   conf;

    conf.rules = kernel_kit.rules;
    conf.depth = MODELGUARD_DEPTH_DEFAULT;
    conf.hold = MODELGUARD_HOLD_DEFAULT;
    conf.sink = kernel_sink;
    conf.sink_data = doc;
    conf.alloc = kit_alloc;
    conf.alloc_data = NULL;

    doc->sent = 0;

    rw = modelguard_rewrite_create(&conf);
    rc = rw ? MODELGUARD_OK : MODELGUARD_NOMEM;

    for (at = 0; at < doc->len && rc == MODELGUARD_OK; at += len) {
        len = doc->len - at < doc->piece ? doc->len - at : doc->piece;
        rc = modelguard_rewrite_feed(rw, doc->data + at, len);
    }

    if (rc != MODELGUARD_OK || modelguard_rewrite_finish(rw) != MODELGUARD_OK)
    {
        kernel_fail("the rewriter has failed", doc->name);
    }

    modelguard_rewrite_free(rw);
}


static void
kernel_memcpy(kernel_doc_t *doc)
{
    memcpy(kernel_buffer, doc->data, doc->len);
    doc->sent = doc->len;
}


static void
kernel_round(json_t *scores)
{
    size_t   i;
    json_t  *value;

    json_array_foreach(scores, i, value) {
        json_real_set(value, rint(json_real_value(value) * 100) / 100);
    }
}


static void
kernel_jansson(kernel_doc_t *doc)
{
    char    *text;
    size_t   i;
    json_t  *root, *row;

    root = json_loadb((const char *) doc->data, doc->len, 0, NULL);

    if (root == NULL) {
        kernel_fail("jansson cannot parse", doc->name);
    }

    json_array_foreach(json_object_get(root, "predictions"), i, row) {
        kernel_round(json_object_get(row, "scores"));
        json_object_del(row, "logits");
    }

    json_object_del(root, "model_version");

    text = json_dumps(root, JSON_COMPACT);

    if (text == NULL) {
        kernel_fail("jansson cannot print", doc->name);
    }

    doc->sent = strlen(text);

    free(text);
    json_decref(root);
}


static double
kernel_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


static void
kernel_time(const char *key, kernel_doc_t *doc, kernel_pt method, size_t bytes)
{
    double    best, start, took;
    size_t    i, times;
    unsigned  run;

    best = 0;
    times = bytes / doc->len + 1;

    for (run = 0; run < KERNEL_RUNS; run++) {
        start = kernel_now();

        for (i = 0; i < times; i++) {
            method(doc);
        }

        took = kernel_now() - start;

        if (run == 0 || took < best) {
            best = took;
        }
    }

    printf("%s_%s %.3f\n", key, doc->name,
           (double) doc->len * (double) times / best / 1e9);
}


/* The same document, however it is fed: else the speed means nothing. */

static void
kernel_check(kernel_doc_t *doc)
{
    size_t          sent;
    unsigned char  *whole;

    whole = malloc(KERNEL_BUFFER);

    doc->piece = doc->len;
    kernel_rewrite(doc);

    sent = doc->sent;
    memcpy(whole, kernel_buffer, sent);

    doc->piece = KERNEL_PIECE;
    kernel_rewrite(doc);

    if (doc->sent != sent || memcmp(whole, kernel_buffer, sent) != 0
        || sent == 0 || sent >= doc->len)
    {
        kernel_fail("the rewriter's output is not what it must be", doc->name);
    }

    free(whole);
}


static void
kernel_load(kernel_doc_t *doc, const char *file)
{
    FILE  *in;

    in = fopen(file, "rb");

    if (in == NULL) {
        kernel_fail("no such file", file);
    }

    doc->data = malloc(KERNEL_BUFFER);
    doc->len = fread(doc->data, 1, KERNEL_BUFFER, in);
    fclose(in);

    if (doc->len == 0 || doc->len == KERNEL_BUFFER) {
        kernel_fail("empty or too large", file);
    }
}


int
main(int argc, char *argv[])
{
    int           i;
    char         *file;
    kernel_doc_t  doc;

    kit_build(&kernel_kit, KERNEL_SPEC);
    kernel_buffer = malloc(KERNEL_BUFFER);

    for (i = 1; i < argc; i++) {
        memset(&doc, 0, sizeof(kernel_doc_t));

        file = strchr(argv[i], '=');

        if (file == NULL) {
            kernel_fail("not NAME=FILE", argv[i]);
        }

        *file++ = '\0';
        doc.name = argv[i];

        kernel_load(&doc, file);
        kernel_check(&doc);

        kernel_time("modelguard", &doc, kernel_rewrite, KERNEL_BYTES);

        doc.piece = doc.len;
        kernel_time("modelguard_whole", &doc, kernel_rewrite, KERNEL_BYTES);

        kernel_time("jansson", &doc, kernel_jansson,
                    KERNEL_BYTES / KERNEL_SLOW);
        kernel_time("memcpy", &doc, kernel_memcpy, KERNEL_BYTES);

        free(doc.data);
    }

    return 0;
}
