
/*
 * Copyright (C) the modelguard authors
 *
 * The same work with yajl: events of its parser into its generator.  Numbers
 * come as text, and only those that are rounded are converted.
 */


#include <math.h>

#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

#include "kernel_time.h"


#define KERNEL_DEPTH  64


typedef struct {
    yajl_gen  gen;
    unsigned  depth;
    unsigned  rounds;               /* the depth of what is rounded, or 0 */
    unsigned  drops;                /* the depth of what is dropped, or 0 */
    int       round;                /* the next value is rounded */
    int       drop;                 /* the next value is dropped */
} kernel_yajl_t;


/* 1 if a value is to be dropped; then nothing of it is written */

static int
kernel_dropped(kernel_yajl_t *y)
{
    if (y->drop) {
        y->drop = 0;
        return 1;
    }

    return y->drops != 0;
}


static int
kernel_null(void *data)
{
    kernel_yajl_t  *y;

    y = data;

    if (!kernel_dropped(y)) {
        yajl_gen_null(y->gen);
    }

    return 1;
}


static int
kernel_boolean(void *data, int value)
{
    kernel_yajl_t  *y;

    y = data;

    if (!kernel_dropped(y)) {
        yajl_gen_bool(y->gen, value);
    }

    return 1;
}


static int
kernel_number(void *data, const char *text, size_t len)
{
    int             n;
    char            number[32];
    kernel_yajl_t  *y;

    y = data;

    if (kernel_dropped(y)) {
        return 1;
    }

    if (y->rounds == 0) {
        yajl_gen_number(y->gen, text, len);
        return 1;
    }

    n = snprintf(number, sizeof(number), "%.2f", strtod(text, NULL));
    yajl_gen_number(y->gen, number, (size_t) n);

    return 1;
}


static int
kernel_string(void *data, const unsigned char *text, size_t len)
{
    kernel_yajl_t  *y;

    y = data;

    if (!kernel_dropped(y)) {
        yajl_gen_string(y->gen, text, len);
    }

    return 1;
}


static int
kernel_is(const unsigned char *text, size_t len, const char *name)
{
    return len == strlen(name) && memcmp(text, name, len) == 0;
}


static int
kernel_key(void *data, const unsigned char *text, size_t len)
{
    kernel_yajl_t  *y;

    y = data;

    if (y->drops != 0) {
        return 1;
    }

    if ((y->depth == 3 && kernel_is(text, len, "logits"))
        || (y->depth == 1 && kernel_is(text, len, "model_version")))
    {
        y->drop = 1;
        return 1;
    }

    y->round = y->depth == 3 && kernel_is(text, len, "scores");
    yajl_gen_string(y->gen, text, len);

    return 1;
}


/* 1 if the container is written */

static int
kernel_open(kernel_yajl_t *y)
{
    y->depth++;

    if (kernel_dropped(y)) {
        y->drops = y->drops ? y->drops : y->depth;
        return 0;
    }

    if (y->round) {
        y->rounds = y->depth;
        y->round = 0;
    }

    return 1;
}


static int
kernel_close(kernel_yajl_t *y)
{
    int  written;

    written = y->drops == 0;

    if (y->drops == y->depth) {
        y->drops = 0;
    }

    if (y->rounds == y->depth) {
        y->rounds = 0;
    }

    y->depth--;

    return written;
}


static int
kernel_open_map(void *data)
{
    kernel_yajl_t  *y;

    y = data;

    if (kernel_open(y)) {
        yajl_gen_map_open(y->gen);
    }

    return 1;
}


static int
kernel_close_map(void *data)
{
    kernel_yajl_t  *y;

    y = data;

    if (kernel_close(y)) {
        yajl_gen_map_close(y->gen);
    }

    return 1;
}


static int
kernel_open_array(void *data)
{
    kernel_yajl_t  *y;

    y = data;

    if (kernel_open(y)) {
        yajl_gen_array_open(y->gen);
    }

    return 1;
}


static int
kernel_close_array(void *data)
{
    kernel_yajl_t  *y;

    y = data;

    if (kernel_close(y)) {
        yajl_gen_array_close(y->gen);
    }

    return 1;
}


static const yajl_callbacks  kernel_callbacks = {
    kernel_null,
    kernel_boolean,
    NULL,
    NULL,
    kernel_number,
    kernel_string,
    kernel_open_map,
    kernel_key,
    kernel_close_map,
    kernel_open_array,
    kernel_close_array
};


static void
kernel_yajl(kernel_doc_t *doc)
{
    size_t                len;
    yajl_handle           parser;
    kernel_yajl_t         y;
    const unsigned char  *text;

    memset(&y, 0, sizeof(kernel_yajl_t));

    y.gen = yajl_gen_alloc(NULL);
    parser = yajl_alloc(&kernel_callbacks, NULL, &y);

    if (yajl_parse(parser, (unsigned char *) doc->data, doc->len)
        != yajl_status_ok
        || yajl_complete_parse(parser) != yajl_status_ok)
    {
        kernel_fail("yajl cannot parse", doc->name);
    }

    yajl_gen_get_buf(y.gen, &text, &len);
    memcpy(doc->out, text, len);
    doc->sent = len;

    yajl_free(parser);
    yajl_gen_free(y.gen);
}


static const kernel_method_t  kernel_methods[] = {
    { "yajl", kernel_yajl, 8, 1 },
    { NULL,   NULL,        1, 0 }
};


int
main(int argc, char *argv[])
{
    return kernel_main(argc, argv, kernel_methods);
}
