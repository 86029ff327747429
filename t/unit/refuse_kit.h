
/*
 * Copyright (C) the modelguard authors
 *
 * A rewriter that is refused something: the n-th call of its sink, the n-th
 * request of memory, or bytes to hold.
 */


#ifndef REFUSE_KIT_H_INCLUDED
#define REFUSE_KIT_H_INCLUDED


#include "rewrite_kit.h"


typedef struct {
    kit_out_t  out;
    size_t     sinks;                /* calls of the sink that are granted */
    size_t     allocs;
    unsigned   late;                 /* calls of it behind the refusal */
    unsigned   refused;              /* requests of memory */
} refuse_t;


static inline int
refuse_sink(void *data, const uint8_t *bytes, size_t len)
{
    refuse_t  *refuse;

    refuse = data;

    if (refuse->sinks == 0) {
        refuse->late++;
        return MODELGUARD_INVALID;
    }

    refuse->sinks--;

    return kit_sink(&refuse->out, bytes, len);
}


static inline void *
refuse_alloc(void *data, void *old, size_t old_size, size_t size)
{
    refuse_t  *refuse;

    refuse = data;

    if (size) {

        if (refuse->allocs == 0) {
            refuse->refused++;
            return NULL;
        }

        refuse->allocs--;
    }

    return kit_alloc(NULL, old, old_size, size);
}


/* pieces of "first" and then of "step" bytes; -1: the error did not stay */

static inline int
refuse_run(const kit_t *kit, refuse_t *refuse, const char *doc, size_t first,
    size_t step, size_t hold)
{
    int                         rc;
    unsigned                    late;
    modelguard_rewrite_t       *rw;
    modelguard_rewrite_conf_t   conf;

    conf.rules = kit->rules;
    conf.depth = 16;
    conf.hold = hold;
    conf.sink = refuse_sink;
    conf.sink_data = refuse;
    conf.alloc = refuse_alloc;
    conf.alloc_data = refuse;

    rw = modelguard_rewrite_create(&conf);
    if (rw == NULL) {
        return MODELGUARD_NOMEM;
    }

    rc = kit_feed_all(rw, doc, strlen(doc), first, step);
    late = refuse->late;

    if (rc != MODELGUARD_OK
        && (modelguard_rewrite_feed(rw, (const uint8_t *) "1", 1) != rc
            || modelguard_rewrite_finish(rw) != rc
            || (rc == MODELGUARD_SINK
                && modelguard_rewrite_pass(rw) != MODELGUARD_SINK)
            || refuse->late != late))
    {
        rc = -1;
    }

    modelguard_rewrite_free(rw);

    return rc;
}


static inline void
refuse_init(refuse_t *refuse)
{
    memset(refuse, 0, sizeof(refuse_t));

    refuse->sinks = 1000000;
    refuse->allocs = 1000000;
}


#endif /* REFUSE_KIT_H_INCLUDED */
