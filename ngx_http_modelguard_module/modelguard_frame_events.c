
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_frame_events.h"


#define EVENTS_BOM      3
#define EVENTS_NAME     4            /* "data" */
#define EVENTS_DONE     6            /* "[DONE]" */


static int events_piece(modelguard_frame_t *frame);
static int events_cut(modelguard_frame_t *frame);
static void events_bom(modelguard_frame_t *frame);
static int events_start(modelguard_frame_t *frame);
static int events_name(modelguard_frame_t *frame);
static int events_name_end(modelguard_frame_t *frame);
static int events_other(modelguard_frame_t *frame);
static int events_data(modelguard_frame_t *frame);
static int events_blank(modelguard_frame_t *frame, const uint8_t *stop);
static int events_done_part(modelguard_frame_t *frame, const uint8_t *stop);
static int events_document(modelguard_frame_t *frame);
static int events_line(modelguard_frame_t *frame);
static int events_feed(modelguard_frame_t *frame, const uint8_t *stop);
static const uint8_t *events_line_end(modelguard_frame_t *frame);


static const uint8_t  events_bom_text[] = "\xef\xbb\xbf";
static const uint8_t  events_name_text[] = "data";
static const uint8_t  events_done_text[] = "[DONE]";


int
modelguard_frame_events(modelguard_frame_t *frame)
{
    int  rc;

    frame->events.lf = NULL;
    frame->events.lf_cr = NULL;

    if (frame->events.bom < EVENTS_BOM) {
        events_bom(frame);
    }

    while (frame->p < frame->end) {
        rc = events_piece(frame);

        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    return events_cut(frame);
}


/* takes a part of the piece that is of one kind */

static int
events_piece(modelguard_frame_t *frame)
{
    modelguard_events_t  *events;

    events = &frame->events;

    if (events->cr) {
        return modelguard_frame_events_lf(frame);
    }

    switch (events->line) {

    case MODELGUARD_LINE_START:
        return events_start(frame);

    case MODELGUARD_LINE_NAME:
        return events_name(frame);

    case MODELGUARD_LINE_OTHER:
        return events_other(frame);

    default:
        return events_data(frame);
    }
}


/* the piece ends: all is given on but what is not decided yet */

static int
events_cut(modelguard_frame_t *frame)
{
    int                   rc;
    size_t                n;
    const uint8_t        *text;
    modelguard_events_t  *events;

    events = &frame->events;

    if (events->line == MODELGUARD_LINE_NAME && events->exact) {
        n = events->match;
        text = events_name_text;

    } else if (events->data == MODELGUARD_DATA_DONE_PART) {
        n = events->done;
        text = events_done_text;

    } else {
        return modelguard_frame_events_settle(frame, frame->end);
    }

    if ((size_t) (frame->end - frame->from) > n - frame->held_len) {
        rc = modelguard_frame_events_settle(frame, frame->end - n);
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    frame->held = text;
    frame->held_len = n;
    frame->from = frame->end;

    return MODELGUARD_OK;
}


/* the first bytes of the stream; a mark that is none begins a field's name */

static void
events_bom(modelguard_frame_t *frame)
{
    modelguard_events_t  *events;

    events = &frame->events;

    while (frame->p < frame->end && events->bom < EVENTS_BOM) {

        if (*frame->p != events_bom_text[events->bom]) {

            if (events->bom) {
                events->line = MODELGUARD_LINE_NAME;
                events->match = 0;
                events->exact = 0;
                events->trail = 0;
            }

            events->bom = EVENTS_BOM;

            return;
        }

        frame->p++;
        events->bom++;
    }
}


static int
events_start(modelguard_frame_t *frame)
{
    uint8_t               c;
    modelguard_events_t  *events;

    events = &frame->events;
    c = *frame->p;

    if (c == '\n' || c == '\r') {
        return modelguard_frame_events_eol(frame);
    }

    events->comment = (c == ':');
    events->naming = 0;

    if (c == ':') {
        events->line = MODELGUARD_LINE_OTHER;
        return MODELGUARD_OK;
    }

    if (frame->end - frame->p > EVENTS_NAME
        && memcmp(frame->p, "data:", EVENTS_NAME + 1) == 0)
    {
        frame->p += EVENTS_NAME + 1;

        return events_line(frame);
    }

    events->line = MODELGUARD_LINE_NAME;
    events->match = 0;
    events->exact = 1;
    events->trail = 0;

    return MODELGUARD_OK;
}


/*
 * A field's name.  Some clients trim it, or know no difference between upper
 * and lower case: what they would take for "data" is refused.  So is a line
 * that begins like JSON, which others read without any field name.
 */

static int
events_name(modelguard_frame_t *frame)
{
    uint8_t               c;
    modelguard_events_t  *events;

    events = &frame->events;

    for ( /* void */ ; frame->p < frame->end; frame->p++) {

        c = *frame->p;

        if (c == ':' || c == '\n' || c == '\r') {
            return events_name_end(frame);
        }

        if (c <= 0x20 || c >= 0x7f) {

            if (events->match > 0 && events->match < EVENTS_NAME) {
                break;
            }

            events->trail = (events->match == EVENTS_NAME);
            events->exact = 0;

            continue;
        }

        if (events->match < EVENTS_NAME
            && (c | 0x20) == events_name_text[events->match])
        {
            events->exact = events->exact
                            && c == events_name_text[events->match];
            events->match++;

            continue;
        }

        if (events->match == 0
            && (c == '{' || c == '[' || c == '"' || c == '-'
                || (uint8_t) (c - '0') < 10))
        {
            return MODELGUARD_MALFORMED;
        }

        break;
    }

    if (frame->p == frame->end) {
        return MODELGUARD_OK;
    }

    events->line = MODELGUARD_LINE_OTHER;
    events->naming = 1;

    return modelguard_frame_events_settle(frame, frame->from);
}


static int
events_name_end(modelguard_frame_t *frame)
{
    modelguard_events_t  *events;

    events = &frame->events;

    if (events->match < EVENTS_NAME) {
        events->line = MODELGUARD_LINE_OTHER;

        return modelguard_frame_events_settle(frame, frame->from);
    }

    if (!events->exact) {
        return MODELGUARD_MALFORMED;
    }

    frame->p += (*frame->p == ':');

    return events_line(frame);
}


/*
 * A line that is passed.  A name with other bytes than those of ASCII text is
 * no field: it is something binary, or in UTF-16, that is called a stream.
 */

static int
events_other(modelguard_frame_t *frame)
{
    const uint8_t  *p, *end;

    end = events_line_end(frame);

    if (frame->events.naming) {

        for (p = frame->p; p < end && *p != ':'; p++) {
            if ((*p < 0x20 && *p != '\t') || *p >= 0x7f) {
                return MODELGUARD_MALFORMED;
            }
        }

        frame->events.naming = (p == end);
    }

    frame->p = end;

    return frame->p < frame->end ? modelguard_frame_events_eol(frame)
                                 : MODELGUARD_OK;
}


static int
events_data(modelguard_frame_t *frame)
{
    int                   rc;
    const uint8_t        *stop;
    modelguard_events_t  *events;

    events = &frame->events;
    stop = events_line_end(frame);

    switch (events->data) {

    case MODELGUARD_DATA_DOCUMENT:
        rc = events_feed(frame, stop);
        break;

    case MODELGUARD_DATA_DONE_PART:
        rc = events_done_part(frame, stop);
        break;

    default:
        rc = events_blank(frame, stop);
    }

    if (rc != MODELGUARD_OK) {
        return rc;
    }

    if (frame->p == stop && stop < frame->end
        && events->data != MODELGUARD_DATA_DONE_PART)
    {
        return modelguard_frame_events_eol(frame);
    }

    return MODELGUARD_OK;
}


/* white space, before a document or after [DONE] */

static int
events_blank(modelguard_frame_t *frame, const uint8_t *stop)
{
    const uint8_t        *p;
    modelguard_events_t  *events;

    events = &frame->events;

    for (p = frame->p; p < stop && (*p == ' ' || *p == '\t'); p++) {
        /* void */
    }

    frame->p = p;

    if (p == stop) {
        return MODELGUARD_OK;
    }

    if (events->data == MODELGUARD_DATA_DONE) {
        return MODELGUARD_MALFORMED;
    }

    if (*p == '[' && (p + 1 == stop || p[1] == 'D')) {
        events->data = MODELGUARD_DATA_DONE_PART;
        events->done = 1;
        frame->p++;

        return MODELGUARD_OK;
    }

    return events_document(frame);
}


/* "[", or more of "[DONE]", has been read */

static int
events_done_part(modelguard_frame_t *frame, const uint8_t *stop)
{
    int                   rc;
    modelguard_events_t  *events;

    events = &frame->events;

    if (frame->p < stop && *frame->p == events_done_text[events->done]) {
        frame->p++;

        if (++events->done < EVENTS_DONE) {
            return MODELGUARD_OK;
        }

        events->data = MODELGUARD_DATA_DONE;

        return modelguard_frame_events_settle(frame, frame->from);
    }

    if (events->done > 1) {
        return MODELGUARD_MALFORMED;
    }

    /* an array after all, whose "[" may be of an earlier piece */

    if (frame->held_len == 0) {
        frame->p--;
        return events_document(frame);
    }

    frame->held_len = 0;

    rc = events_document(frame);

    return rc == MODELGUARD_OK
           ? modelguard_rewrite_feed(frame->rewrite, events_done_text, 1) : rc;
}


static int
events_document(modelguard_frame_t *frame)
{
    modelguard_events_t  *events;

    events = &frame->events;

    events->data = MODELGUARD_DATA_DOCUMENT;
    events->joined = 0;
    events->apart = 0;
    events->term_len = 0;
    events->end_len = 0;
    events->fields_len = 0;
    events->fields_seen = 0;

    return modelguard_frame_send(frame, frame->p);
}


/*
 * A line of data begins.  The space after its colon is none of the data for a
 * client, but white space in a document: it stays where it was.
 */

static int
events_line(modelguard_frame_t *frame)
{
    modelguard_events_t  *events;

    events = &frame->events;
    events->line = MODELGUARD_LINE_DATA;

    if (events->data == MODELGUARD_DATA_NONE) {
        events->data = MODELGUARD_DATA_BLANK;
    }

    if (events->data != MODELGUARD_DATA_DOCUMENT) {
        return modelguard_frame_events_settle(frame, frame->from);
    }

    if (!events->joined) {
        events->joined = 1;
        events->end_len = events->term_len;
        events->separator_len = events->term_len + EVENTS_NAME + 1;

        memcpy(events->separator, events->term, events->term_len);
        memcpy(events->separator + events->term_len, "data:",
               EVENTS_NAME + 1);
    }

    events->term_len = 0;
    frame->held_len = 0;
    frame->from = frame->p;

    return modelguard_rewrite_feed(frame->rewrite, (const uint8_t *) "\n", 1);
}


static int
events_feed(modelguard_frame_t *frame, const uint8_t *stop)
{
    const uint8_t  *p;

    p = frame->p;

    frame->p = stop;
    frame->from = stop;

    return modelguard_rewrite_feed(frame->rewrite, p, (size_t) (stop - p));
}


int
modelguard_frame_events_finish(modelguard_frame_t *frame)
{
    int                   rc;
    modelguard_events_t  *events;

    events = &frame->events;

    if (events->line == MODELGUARD_LINE_NAME && events->match == EVENTS_NAME) {

        if (!events->exact) {
            return MODELGUARD_MALFORMED;
        }

        rc = events_line(frame);
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    if (events->data == MODELGUARD_DATA_DONE_PART) {
        return MODELGUARD_TRUNCATED;
    }

    rc = modelguard_frame_events_settle(frame, frame->p);

    if (rc != MODELGUARD_OK || events->data != MODELGUARD_DATA_DOCUMENT) {
        return rc;
    }

    events->apart = (events->line != MODELGUARD_LINE_START
                     && events->line != MODELGUARD_LINE_DATA);

    return modelguard_frame_events_end(frame);
}


/* the first CR or LF from p on, or the end of the piece */

static const uint8_t *
events_line_end(modelguard_frame_t *frame)
{
    size_t                len;
    modelguard_events_t  *events;

    events = &frame->events;
    len = (size_t) (frame->end - frame->p);

    /* each is looked for again only when it has been passed */

    if (events->lf == NULL || events->lf < frame->p) {
        events->lf = memchr(frame->p, '\n', len);

        if (events->lf == NULL) {
            events->lf = frame->end;
        }
    }

    if (events->lf_cr == NULL || events->lf_cr < frame->p) {
        events->lf_cr = memchr(frame->p, '\r', len);

        if (events->lf_cr == NULL) {
            events->lf_cr = frame->end;
        }
    }

    return events->lf < events->lf_cr ? events->lf : events->lf_cr;
}
