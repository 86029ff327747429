
/*
 * Copyright (C) the modelguard authors
 *
 * What the tests of the framing need: a run over a stream cut in any way, its
 * output, and where frames ended in it.
 */


#ifndef FRAME_KIT_H_INCLUDED
#define FRAME_KIT_H_INCLUDED


#include "rewrite_kit.h"
#include "modelguard_frame.h"


typedef struct {
    kit_out_t     out;               /* the sink's data */

    size_t       *ends;              /* output before each end of a frame */
    size_t        n;
    size_t        size;

    uint64_t      count;             /* documents */
    size_t        sent;              /* output when the error came */
    unsigned      bad;               /* calls with a wrong result */
} frame_out_t;


static size_t  frame_allocs;         /* calls of the allocator */


static inline void *
frame_alloc(void *data, void *old, size_t old_size, size_t size)
{
    frame_allocs++;

    return kit_alloc(data, old, old_size, size);
}


static inline int
frame_end(void *data)
{
    frame_out_t  *out;

    out = data;

    if (out->n == out->size) {
        out->size = out->size * 2 + 16;
        out->ends = realloc(out->ends, out->size * sizeof(size_t));
    }

    out->ends[out->n++] = out->out.len;

    return MODELGUARD_OK;
}


static inline modelguard_frame_t *
frame_create(const kit_t *kit, frame_out_t *out, modelguard_framing_e framing)
{
    modelguard_frame_conf_t  conf;

    memset(out, 0, sizeof(frame_out_t));

    conf.framing = framing;
    conf.frame = frame_end;
    conf.rewrite.rules = kit->rules;
    conf.rewrite.depth = 16;
    conf.rewrite.hold = 4096;
    conf.rewrite.sink = kit_sink;
    conf.rewrite.sink_data = out;
    conf.rewrite.alloc = frame_alloc;
    conf.rewrite.alloc_data = NULL;

    return modelguard_frame_create(&conf);
}


static inline void
frame_out_free(frame_out_t *out)
{
    free(out->out.data);
    free(out->ends);
}


/*
 * The error came: nothing more is taken, and passing is for once.  "copy" is
 * what the failed piece was.
 */

static inline void
frame_failed(modelguard_frame_t *frame, frame_out_t *out,
    const unsigned char *copy, size_t len, int rc)
{
    size_t  before;

    out->sent = out->out.len;

    out->bad += modelguard_frame_feed(frame, copy, len) != rc
                || modelguard_frame_finish(frame) != rc
                || out->out.len != out->sent
                || modelguard_frame_pass(frame) != MODELGUARD_OK;

    before = out->out.len;

    out->bad += modelguard_frame_pass(frame) != MODELGUARD_OK
                || out->out.len != before
                || modelguard_frame_feed(frame, copy, len) != rc
                || out->out.len != before;
}


/*
 * Runs over the stream in a first piece and in pieces of "step" bytes; after
 * an error as a filter that passes.  The output is the caller's to free.
 */

static inline void
frame_run(const kit_t *kit, frame_out_t *out, modelguard_framing_e framing,
    const unsigned char *text, size_t len, size_t first, size_t step)
{
    int                  rc;
    size_t               at, n;
    unsigned char       *copy;
    modelguard_frame_t  *frame;

    frame = frame_create(kit, out, framing);
    rc = MODELGUARD_OK;

    for (at = 0; at < len; at += n) {
        n = (at == 0 && first) ? first : step;
        n = n < len - at ? n : len - at;

        if (rc != MODELGUARD_OK) {
            (void) kit_sink(out, text + at, n);
            continue;
        }

        copy = guard_copy(text + at, n);

        rc = modelguard_frame_feed(frame, copy, n);

        if (rc != MODELGUARD_OK) {
            frame_failed(frame, out, copy, n, rc);
        }

        memset(copy, 0xee, n);
        guard_free(copy, n);
    }

    if (rc == MODELGUARD_OK) {
        rc = modelguard_frame_finish(frame);

        if (rc != MODELGUARD_OK) {
            frame_failed(frame, out, (const unsigned char *) "x", 1, rc);

        } else {
            out->bad += modelguard_frame_finish(frame) == MODELGUARD_OK
                        || modelguard_frame_feed(frame,
                                                 (const uint8_t *) "\n", 1)
                           == MODELGUARD_OK;
        }
    }

    out->out.rc = rc;
    out->out.treated = (unsigned) modelguard_frame_stat(frame)->treated;
    out->out.dropped = (unsigned) modelguard_frame_stat(frame)->dropped;
    out->count = modelguard_frame_count(frame);

    modelguard_frame_free(frame);
}


/*
 * The same result, frames and, up to the last frame if there was an error,
 * output.
 */

static inline int
frame_equal(const frame_out_t *a, const frame_out_t *b)
{
    size_t  len;

    if (a->out.rc != b->out.rc || a->n != b->n || a->count != b->count
        || a->bad || b->bad
        || (a->n && memcmp(a->ends, b->ends, a->n * sizeof(size_t)) != 0))
    {
        return 0;
    }

    if (a->out.rc == MODELGUARD_OK) {

        if (a->out.len != b->out.len || a->out.treated != b->out.treated
            || a->out.dropped != b->out.dropped)
        {
            return 0;
        }

        len = a->out.len;

    } else {
        len = a->n ? a->ends[a->n - 1] : 0;
    }

    return len == 0 || memcmp(a->out.data, b->out.data, len) == 0;
}


static inline void
frame_print(const char *what, const unsigned char *text, size_t len)
{
    size_t  i;

    printf("# %s ", what);

    for (i = 0; i < len; i++) {

        if (text[i] < 0x20 || text[i] >= 0x7f) {
            printf("\\x%02x", text[i]);

        } else {
            printf("%c", text[i]);
        }
    }

    printf("\n");
}


/*
 * Whole, in bytes, in threes, cut in two at every "every"-th offset: returns
 * the number of ways that differ.  "check", if there is one, looks at each.
 */

typedef int (*frame_check_pt)(const frame_out_t *out,
    const unsigned char *text, size_t len);


static inline unsigned
frame_split(const kit_t *kit, frame_out_t *whole, modelguard_framing_e framing,
    const unsigned char *text, size_t len, size_t every, frame_check_pt check)
{
    size_t       at, step;
    unsigned     differ;
    frame_out_t  out;

    frame_run(kit, whole, framing, text, len, len, 1);

    differ = (check != NULL && !check(whole, text, len));

    for (at = 0; at < len + 2; at += every) {
        step = len + 1;

        if (at == 0 || at > len) {
            step = at ? 3 : 1;
        }

        frame_run(kit, &out, framing, text, len, at < len ? at : 0, step);

        if (!frame_equal(whole, &out)
            || (check != NULL && !check(&out, text, len)))
        {
            if (differ++ == 0) {
                printf("# cut at %zu of %zu: rc %d for %d, %zu frames for"
                       " %zu, %u bad\n", at, len, out.out.rc, whole->out.rc,
                       out.n, whole->n, out.bad);
                frame_print("whole", whole->out.data, whole->out.len);
                frame_print("cut  ", out.out.data, out.out.len);
            }
        }

        frame_out_free(&out);
    }

    return differ;
}


#endif /* FRAME_KIT_H_INCLUDED */
