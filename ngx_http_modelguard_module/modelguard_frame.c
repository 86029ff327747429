
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_frame.h"
#include "modelguard_frame_events.h"


#define FRAME_RS  0x1e               /* RFC 7464 */


static int frame_sequence(modelguard_frame_t *frame);
static int frame_separators(modelguard_frame_t *frame);
static int frame_document(modelguard_frame_t *frame);
static int frame_sequence_finish(modelguard_frame_t *frame);


modelguard_frame_t *
modelguard_frame_create(const modelguard_frame_conf_t *conf)
{
    modelguard_frame_t        *frame;
    modelguard_rewrite_conf_t  rewrite;

    rewrite = conf->rewrite;

    frame = rewrite.alloc(rewrite.alloc_data, NULL, 0,
                          sizeof(modelguard_frame_t));
    if (frame == NULL) {
        return NULL;
    }

    memset(frame, 0, sizeof(modelguard_frame_t));

    frame->conf = *conf;
    frame->error = MODELGUARD_OK;

    if (conf->framing == MODELGUARD_FRAMING_EVENTS) {
        rewrite.sink = modelguard_frame_events_sink;
        rewrite.sink_data = frame;
    }

    frame->rewrite = modelguard_rewrite_create(&rewrite);

    if (frame->rewrite == NULL) {
        modelguard_frame_free(frame);
        return NULL;
    }

    return frame;
}


void
modelguard_frame_meter(modelguard_frame_t *frame,
    modelguard_meter_read_t *before, modelguard_meter_read_t *after)
{
    modelguard_rewrite_meter(frame->rewrite, before, after);
}


int
modelguard_frame_feed(modelguard_frame_t *frame, const uint8_t *bytes,
    size_t len)
{
    int  rc;

    if (frame->conf.framing == MODELGUARD_FRAMING_NONE) {
        return modelguard_rewrite_feed(frame->rewrite, bytes, len);
    }

    if (frame->error) {
        return frame->error;
    }

    if (len == 0) {
        return MODELGUARD_OK;
    }

    frame->p = bytes;
    frame->from = bytes;
    frame->end = bytes + len;

    if (frame->conf.framing == MODELGUARD_FRAMING_EVENTS) {
        rc = modelguard_frame_events(frame);

    } else {
        rc = frame_sequence(frame);
    }

    frame->error = rc;

    return rc;
}


int
modelguard_frame_finish(modelguard_frame_t *frame)
{
    int  rc;

    if (frame->conf.framing == MODELGUARD_FRAMING_NONE) {
        rc = modelguard_rewrite_finish(frame->rewrite);

        if (rc == MODELGUARD_OK) {
            frame->count++;
        }

        return rc;
    }

    if (frame->error) {
        return frame->error;
    }

    frame->from = NULL;
    frame->p = NULL;
    frame->end = NULL;

    if (frame->conf.framing == MODELGUARD_FRAMING_EVENTS) {
        rc = modelguard_frame_events_finish(frame);

    } else {
        rc = frame_sequence_finish(frame);
    }

    if (rc == MODELGUARD_OK && frame->dirty) {
        rc = modelguard_frame_commit(frame, frame->p);
    }

    /* nothing may follow */

    frame->error = (rc == MODELGUARD_OK) ? MODELGUARD_MALFORMED : rc;

    return rc;
}


int
modelguard_frame_flush(modelguard_frame_t *frame)
{
    int  rc;

    if (frame->error || !frame->ended) {
        return frame->error;
    }

    rc = modelguard_frame_commit(frame, frame->from);

    frame->error = rc;

    return rc;
}


int
modelguard_frame_pass(modelguard_frame_t *frame)
{
    int  rc;

    if (frame->conf.framing == MODELGUARD_FRAMING_NONE) {
        return modelguard_rewrite_pass(frame->rewrite);
    }

    /* an error of the sink itself leaves nothing to be done */

    if (frame->error == MODELGUARD_SINK) {
        return MODELGUARD_SINK;
    }

    if (frame->conf.framing == MODELGUARD_FRAMING_EVENTS) {
        rc = modelguard_frame_events_pass(frame);

    } else {
        rc = modelguard_rewrite_pass(frame->rewrite);
    }

    if (rc == MODELGUARD_OK) {
        rc = modelguard_frame_send(frame, frame->end);
    }

    if (rc != MODELGUARD_OK) {
        frame->error = rc;
    }

    return rc;
}


const modelguard_rewrite_stat_t *
modelguard_frame_stat(const modelguard_frame_t *frame)
{
    return modelguard_rewrite_stat(frame->rewrite);
}


uint64_t
modelguard_frame_count(const modelguard_frame_t *frame)
{
    return frame->count;
}


void
modelguard_frame_free(modelguard_frame_t *frame)
{
    modelguard_rewrite_conf_t  conf;

    conf = frame->conf.rewrite;

    if (frame->events.field_text != NULL) {
        (void) conf.alloc(conf.alloc_data, frame->events.field_text,
                          MODELGUARD_FRAME_FIELDS_MAX, 0);
    }

    if (frame->rewrite != NULL) {
        modelguard_rewrite_free(frame->rewrite);
    }

    (void) conf.alloc(conf.alloc_data, frame, sizeof(modelguard_frame_t), 0);
}


int
modelguard_frame_write(modelguard_frame_t *frame, const uint8_t *bytes,
    size_t len)
{
    const modelguard_rewrite_conf_t  *conf;

    if (len == 0) {
        return MODELGUARD_OK;
    }

    conf = &frame->conf.rewrite;
    frame->dirty = 1;

    return conf->sink(conf->sink_data, bytes, len) == MODELGUARD_OK
           ? MODELGUARD_OK : MODELGUARD_SINK;
}


int
modelguard_frame_send(modelguard_frame_t *frame, const uint8_t *p)
{
    int             rc;
    const uint8_t  *from;

    from = frame->from;
    frame->from = p;

    if (frame->held_len) {
        rc = modelguard_frame_write(frame, frame->held, frame->held_len);
        frame->held_len = 0;

        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    return p == from ? MODELGUARD_OK
                     : modelguard_frame_write(frame, from,
                                              (size_t) (p - from));
}


int
modelguard_frame_commit(modelguard_frame_t *frame, const uint8_t *p)
{
    int  rc;

    rc = modelguard_frame_send(frame, p);
    if (rc != MODELGUARD_OK) {
        return rc;
    }

    frame->dirty = 0;
    frame->ended = 0;

    if (frame->conf.frame == NULL) {
        return MODELGUARD_OK;
    }

    return frame->conf.frame(frame->conf.rewrite.sink_data) == MODELGUARD_OK
           ? MODELGUARD_OK : MODELGUARD_SINK;
}


static int
frame_sequence(modelguard_frame_t *frame)
{
    int  rc;

    while (frame->p < frame->end) {

        if (!frame->inside) {
            rc = frame_separators(frame);

            if (rc != MODELGUARD_OK || frame->p == frame->end) {
                return rc;
            }
        }

        rc = frame_document(frame);

        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    return MODELGUARD_OK;
}


/* what is between documents, up to where the next one begins */

static int
frame_separators(modelguard_frame_t *frame)
{
    int             rc, container;
    uint8_t         c;
    const uint8_t  *p;

    for (p = frame->p; p < frame->end; p++) {

        c = *p;

        if (c == '\n') {
            rc = modelguard_frame_commit(frame, p + 1);
            if (rc != MODELGUARD_OK) {
                return rc;
            }

        } else if (c != ' ' && c != '\t' && c != '\r' && c != FRAME_RS) {
            break;
        }

        frame->scalar = 0;
    }

    frame->p = p;

    if (p == frame->end) {
        return modelguard_frame_send(frame, p);
    }

    container = (*p == '{' || *p == '[');

    if (frame->scalar && !container) {
        return MODELGUARD_MALFORMED;
    }

    rc = frame->ended ? modelguard_frame_commit(frame, p)
                      : modelguard_frame_send(frame, p);

    frame->inside = 1;
    frame->scalar = !container;

    return rc;
}


static int
frame_document(modelguard_frame_t *frame)
{
    int     rc;
    size_t  used;

    rc = modelguard_rewrite_feed_one(frame->rewrite, frame->p,
                                     (size_t) (frame->end - frame->p), &used);

    frame->p += used;
    frame->from = frame->p;
    frame->dirty = 1;

    if (rc == MODELGUARD_AGAIN) {
        return MODELGUARD_OK;
    }

    if (rc != MODELGUARD_OK) {

        /* the rewriter has all of the piece, for modelguard_rewrite_pass() */

        return rc;
    }

    modelguard_rewrite_reset(frame->rewrite);

    frame->count++;
    frame->inside = 0;
    frame->ended = 1;

    return MODELGUARD_OK;
}


static int
frame_sequence_finish(modelguard_frame_t *frame)
{
    int  rc;

    if (!frame->inside) {
        return MODELGUARD_OK;
    }

    rc = modelguard_rewrite_finish(frame->rewrite);

    if (rc == MODELGUARD_OK) {
        frame->count++;
    }

    return rc;
}
