
/*
 * Copyright (C) the modelguard authors
 *
 * The rewriter alone, fed in pieces as nginx feeds it and in one, beside
 * jansson doing the same work through a tree, and beside memcpy().
 *
 * Work: round every number under $.predictions[*].scores to 2 decimals, drop
 * logits and model_version.
 */


#include <math.h>

#include <jansson.h>

#include "kernel_time.h"
#include "rewrite_kit.h"


#define KERNEL_PIECE   (32 * 1024)

#define KERNEL_SPEC                                                           \
    "scores $.predictions[*].scores | round=2;"                               \
    "logits $.predictions[*].logits | drop;"                                  \
    "metadata $.model_version | drop"


static kit_t   kernel_kit;
static size_t  kernel_piece;


/* as a server would: the output is copied once */

static int
kernel_sink(void *data, const uint8_t *bytes, size_t len)
{
    kernel_doc_t  *doc;

    doc = data;

    if (len > KERNEL_BUFFER - doc->sent) {
        return MODELGUARD_SINK;
    }

    memcpy(doc->out + doc->sent, bytes, len);
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
        len = doc->len - at < kernel_piece ? doc->len - at : kernel_piece;
        rc = modelguard_rewrite_feed(rw, (uint8_t *) doc->data + at, len);
    }

    if (rc != MODELGUARD_OK || modelguard_rewrite_finish(rw) != MODELGUARD_OK)
    {
        kernel_fail("the rewriter has failed", doc->name);
    }

    modelguard_rewrite_free(rw);
}


static void
kernel_pieces(kernel_doc_t *doc)
{
    kernel_piece = KERNEL_PIECE;
    kernel_rewrite(doc);
}


static void
kernel_whole(kernel_doc_t *doc)
{
    kernel_piece = doc->len;
    kernel_rewrite(doc);
}


static void
kernel_memcpy(kernel_doc_t *doc)
{
    memcpy(doc->out, doc->data, doc->len);
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

    root = json_loadb(doc->data, doc->len, 0, NULL);

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
    memcpy(doc->out, text, doc->sent);

    free(text);
    json_decref(root);
}


static const kernel_method_t  kernel_methods[] = {
    { "modelguard",       kernel_pieces,  1,  1 },
    { "modelguard_whole", kernel_whole,   1,  1 },
    { "jansson",          kernel_jansson, 32, 1 },
    { "memcpy",           kernel_memcpy,  1,  0 },
    { NULL,               NULL,           1,  0 }
};


int
main(int argc, char *argv[])
{
    kit_build(&kernel_kit, KERNEL_SPEC);

    return kernel_main(argc, argv, kernel_methods);
}
