
/*
 * Copyright (C) the modelguard authors
 *
 * The framing's state, and the event stream: the seam between
 * modelguard_frame.c, which owns the input, the output and the sequence of
 * documents, and modelguard_frame_events.c.
 *
 *     line:  START -> NAME -> DATA              after "data:"
 *              |        |
 *              |        +---> OTHER             any other field
 *              +------------> OTHER             a comment
 *
 *     data:  NONE -> BLANK -> DOCUMENT          in the rewriter
 *                      |         ^
 *                      +-----> DONE_PART ----> DONE
 *                              "[" .. "[DONE"
 *
 * Outside of DOCUMENT all bytes leave as they came, those that may still
 * become "data" or "[DONE]" excepted.  In it, data goes to the rewriter and
 * all else to the fields that are put back later.
 */


#ifndef MODELGUARD_FRAME_EVENTS_H_INCLUDED
#define MODELGUARD_FRAME_EVENTS_H_INCLUDED


#include "modelguard_frame.h"


typedef enum {
    MODELGUARD_LINE_START = 0,
    MODELGUARD_LINE_NAME,
    MODELGUARD_LINE_OTHER,
    MODELGUARD_LINE_DATA
} modelguard_line_e;


typedef enum {
    MODELGUARD_DATA_NONE = 0,
    MODELGUARD_DATA_BLANK,
    MODELGUARD_DATA_DONE_PART,
    MODELGUARD_DATA_DONE,
    MODELGUARD_DATA_DOCUMENT
} modelguard_data_e;


typedef struct {
    modelguard_line_e          line;
    modelguard_data_e          data;

    unsigned                   bom;         /* bytes of it that were seen */
    unsigned                   match;       /* letters of "data" */
    unsigned                   done;        /* bytes of "[DONE]" */

    unsigned                   exact:1;     /* nothing but these letters */
    unsigned                   trail:1;     /* white space after them */
    unsigned                   comment:1;   /* the line is one */
    unsigned                   naming:1;    /* its name has not ended */
    unsigned                   fields:1;    /* the event has had a field */
    unsigned                   cr:1;        /* a LF may belong to it */
    unsigned                   cr_data:1;   /* it ended a line of data */
    unsigned                   lone:1;      /* the last line ended in CR */
    unsigned                   wait:1;      /* the LF is to be committed */
    unsigned                   joined:1;    /* the data has two lines */
    unsigned                   apart:1;     /* fields are no whole lines */

    const uint8_t             *lf;          /* the next one in the piece */
    const uint8_t             *lf_cr;       /* the next CR */

    /* the end of the last line of data, which is not sent yet */

    size_t                     term_len;
    uint8_t                    term[2];

    /* what takes the place of a line end in the document */

    size_t                     end_len;     /* of it, the line end */
    size_t                     separator_len;
    uint8_t                    separator[8];

    size_t                     fields_len;
    size_t                     fields_seen; /* in this event */
    uint8_t                   *field_text;  /* of FRAME_FIELDS_MAX bytes */
} modelguard_events_t;


struct modelguard_frame_s {
    modelguard_frame_conf_t    conf;
    modelguard_rewrite_t      *rewrite;
    uint64_t                   count;
    int                        error;

    const uint8_t             *p;
    const uint8_t             *end;

    /* what has been taken and not been given on: the first bytes of a text
       that is known, and [from, p) */

    const uint8_t             *from;
    const uint8_t             *held;
    size_t                     held_len;

    unsigned                   dirty:1;     /* output, and no frame since */

    /* SEQUENCE */

    unsigned                   inside:1;    /* a document */
    unsigned                   scalar:1;    /* right behind one */
    unsigned                   ended:1;     /* a document, and no frame
                                               since */

    modelguard_events_t        events;
};


/* takes the piece that [from, end) is */

int modelguard_frame_events(modelguard_frame_t *frame);

/* the end of the input */

int modelguard_frame_events_finish(modelguard_frame_t *frame);

/* after an error: what is held and the rest of the piece, untreated */

int modelguard_frame_events_pass(modelguard_frame_t *frame);

/*
 * The rewriter's sink.  In a document of two or more lines of data, a line
 * feed stands for what was between them: there is none inside a token of
 * JSON.
 */

int modelguard_frame_events_sink(void *data, const uint8_t *bytes, size_t len);

/* a line ends, with the CR or LF at frame->p; and what follows after a CR */

int modelguard_frame_events_eol(modelguard_frame_t *frame);
int modelguard_frame_events_lf(modelguard_frame_t *frame);

/* the event's document is complete: ends its data, and then its fields */

int modelguard_frame_events_end(modelguard_frame_t *frame);

/*
 * Gives on what is held and what is before p: to the sink, or in a document
 * to the fields, which may be TOO_BIG.  from becomes p.
 */

int modelguard_frame_events_settle(modelguard_frame_t *frame,
    const uint8_t *p);


/* gives bytes to the sink */

int modelguard_frame_write(modelguard_frame_t *frame, const uint8_t *bytes,
    size_t len);

/* sends what is held and what is before p, as it came; from becomes p */

int modelguard_frame_send(modelguard_frame_t *frame, const uint8_t *p);

/* the same, and the frame is complete */

int modelguard_frame_commit(modelguard_frame_t *frame, const uint8_t *p);


#endif /* MODELGUARD_FRAME_EVENTS_H_INCLUDED */
