
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_frame_events.h"


static int events_pass_fields(modelguard_frame_t *frame);
static int events_stash(modelguard_frame_t *frame, const uint8_t *bytes,
    size_t len);
static int events_fields(modelguard_frame_t *frame);


int
modelguard_frame_events_end(modelguard_frame_t *frame)
{
    int                   rc;
    modelguard_events_t  *events;

    events = &frame->events;

    rc = modelguard_rewrite_finish(frame->rewrite);
    if (rc != MODELGUARD_OK) {
        return rc;
    }

    modelguard_rewrite_reset(frame->rewrite);

    frame->count++;
    events->data = MODELGUARD_DATA_BLANK;

    if (events->term_len == 0 && events->fields_len) {

        /* the last line of all, which has no end, and no room for more */

        events->term_len = events->end_len;
        memcpy(events->term, events->separator, events->end_len);
    }

    return events_fields(frame);
}


int
modelguard_frame_events_pass(modelguard_frame_t *frame)
{
    int                   rc;
    modelguard_events_t  *events;

    events = &frame->events;

    if (events->data != MODELGUARD_DATA_DOCUMENT) {
        return MODELGUARD_OK;
    }

    events->apart = (events->line != MODELGUARD_LINE_DATA);

    rc = modelguard_rewrite_pass(frame->rewrite);

    if (rc != MODELGUARD_OK) {
        return rc;
    }

    if (events->line == MODELGUARD_LINE_DATA && events->fields_len) {
        return events_pass_fields(frame);
    }

    return events_fields(frame);
}


/*
 * The fields have found no line end in the data that was passed, which may
 * have stopped within a line, and the rest of it is the caller's: they are
 * put behind the end of this line if it is here, and else break it.
 */

static int
events_pass_fields(modelguard_frame_t *frame)
{
    int             rc;
    const uint8_t  *p;

    p = frame->from;

    if (p < frame->end
        && (*p == '\n' || (*p == '\r' && frame->end - p > 1)))
    {
        p += (*p == '\r' && p[1] == '\n') ? 2 : 1;

        rc = modelguard_frame_send(frame, p);
        if (rc != MODELGUARD_OK) {
            return rc;
        }

        return events_fields(frame);
    }

    return modelguard_frame_events_sink(frame, (const uint8_t *) "\n", 1);
}


int
modelguard_frame_events_sink(void *data, const uint8_t *bytes, size_t len)
{
    int                   rc;
    size_t                n;
    const uint8_t        *lf, *end;
    modelguard_frame_t   *frame;
    modelguard_events_t  *events;

    frame = data;
    events = &frame->events;

    if (!events->joined) {
        return modelguard_frame_write(frame, bytes, len);
    }

    end = bytes + len;

    while (bytes < end) {
        n = (size_t) (end - bytes);
        lf = memchr(bytes, '\n', n);

        rc = modelguard_frame_write(frame, bytes,
                                    lf == NULL ? n : (size_t) (lf - bytes));
        if (rc != MODELGUARD_OK || lf == NULL) {
            return rc;
        }

        n = 0;

        if (events->fields_len && !events->apart) {
            n = events->end_len;

            rc = modelguard_frame_write(frame, events->separator, n);

            if (rc == MODELGUARD_OK) {
                rc = modelguard_frame_write(frame, events->field_text,
                                            events->fields_len);
            }

            if (rc != MODELGUARD_OK) {
                return rc;
            }

            events->fields_len = 0;
        }

        rc = modelguard_frame_write(frame, events->separator + n,
                                    events->separator_len - n);
        if (rc != MODELGUARD_OK) {
            return rc;
        }

        bytes = lf + 1;
    }

    return MODELGUARD_OK;
}


int
modelguard_frame_events_settle(modelguard_frame_t *frame, const uint8_t *p)
{
    int  rc;

    if (frame->events.data != MODELGUARD_DATA_DOCUMENT) {
        return modelguard_frame_send(frame, p);
    }

    if (frame->held_len) {
        rc = events_stash(frame, frame->held, frame->held_len);

        if (rc != MODELGUARD_OK) {
            return rc;
        }

        frame->held_len = 0;
    }

    if (p == frame->from) {
        return MODELGUARD_OK;
    }

    rc = events_stash(frame, frame->from, (size_t) (p - frame->from));

    if (rc == MODELGUARD_OK) {
        frame->from = p;
    }

    return rc;
}


static int
events_stash(modelguard_frame_t *frame, const uint8_t *bytes, size_t len)
{
    modelguard_events_t              *events;
    const modelguard_rewrite_conf_t  *conf;

    events = &frame->events;

    if (len > MODELGUARD_FRAME_FIELDS_MAX - events->fields_seen) {
        return MODELGUARD_TOO_BIG;
    }

    if (events->field_text == NULL) {
        conf = &frame->conf.rewrite;

        events->field_text = conf->alloc(conf->alloc_data, NULL, 0,
                                         MODELGUARD_FRAME_FIELDS_MAX);
        if (events->field_text == NULL) {
            return MODELGUARD_NOMEM;
        }
    }

    memcpy(events->field_text + events->fields_len, bytes, len);

    events->fields_len += len;
    events->fields_seen += len;

    return MODELGUARD_OK;
}


/* the end of the last line of data, and the fields */

static int
events_fields(modelguard_frame_t *frame)
{
    int                   rc;
    modelguard_events_t  *events;

    events = &frame->events;

    rc = modelguard_frame_write(frame, events->term, events->term_len);
    events->term_len = 0;

    if (rc == MODELGUARD_OK) {
        rc = modelguard_frame_write(frame, events->field_text,
                                    events->fields_len);
        events->fields_len = 0;
    }

    return rc;
}
