
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_frame_events.h"


static int events_eol_commit(modelguard_frame_t *frame, int blank, uint8_t c);


int
modelguard_frame_events_eol(modelguard_frame_t *frame)
{
    int                   rc, blank, data;
    uint8_t               c;
    modelguard_events_t  *events;

    events = &frame->events;

    blank = (events->line == MODELGUARD_LINE_START);
    data = 0;

    if (events->data == MODELGUARD_DATA_DOCUMENT) {

        if (blank) {
            rc = modelguard_frame_events_end(frame);

            if (rc != MODELGUARD_OK) {
                return rc == MODELGUARD_TRUNCATED ? MODELGUARD_MALFORMED : rc;
            }

        } else {
            data = (events->line == MODELGUARD_LINE_DATA);
        }
    }

    c = *frame->p++;

    if (data) {
        events->term[0] = c;
        events->term_len = 1;
        frame->from = frame->p;

    } else if (events->data == MODELGUARD_DATA_DOCUMENT) {
        rc = modelguard_frame_events_settle(frame, frame->p);

        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    rc = events_eol_commit(frame, blank, c);

    events->line = MODELGUARD_LINE_START;
    events->comment = 0;
    events->cr = (c == '\r');
    events->cr_data = (data != 0);
    events->lone = 0;

    return rc;
}


/*
 * Whether the line, ended by c, completes a frame.  Is a CR all of the line
 * end?  A LF that is to come should be in the frame, but must not be waited
 * for where lines end in CR alone: the line before this one tells.
 */

static int
events_eol_commit(modelguard_frame_t *frame, int blank, uint8_t c)
{
    modelguard_events_t  *events;

    events = &frame->events;

    if (blank) {
        events->data = MODELGUARD_DATA_NONE;
        events->fields = 0;

    } else if (events->data != MODELGUARD_DATA_NONE) {
        return MODELGUARD_OK;

    } else if (!events->comment) {

        /* goes with its event */

        events->fields = 1;

        return MODELGUARD_OK;

    } else if (events->fields) {
        return MODELGUARD_OK;
    }

    if (c == '\r' && !events->lone) {
        events->wait = 1;
        return MODELGUARD_OK;
    }

    return modelguard_frame_commit(frame, frame->p);
}


int
modelguard_frame_events_lf(modelguard_frame_t *frame)
{
    int                   rc;
    modelguard_events_t  *events;

    events = &frame->events;

    events->cr = 0;
    events->lone = (*frame->p != '\n');

    if (!events->lone) {
        frame->p++;

        if (events->cr_data) {
            events->term[events->term_len++] = '\n';
            frame->from = frame->p;

        } else if (events->data == MODELGUARD_DATA_DOCUMENT) {
            rc = modelguard_frame_events_settle(frame, frame->p);

            if (rc != MODELGUARD_OK) {
                return rc;
            }
        }
    }

    if (!events->wait) {
        return MODELGUARD_OK;
    }

    events->wait = 0;

    return modelguard_frame_commit(frame, frame->p);
}
