
/*
 * Copyright (C) the modelguard authors
 *
 * Framing: a response that is a sequence of JSON documents, in pieces of any
 * size, cut into documents that go through the rewriter one after another;
 * what frames them comes out as it came.
 *
 *     bytes -> lines or documents -> rewriter -> sink
 *                     |                           ^
 *                     +---- what frames them -----+
 *
 * Memory does not grow with the length of the stream.
 */


#ifndef MODELGUARD_FRAME_H_INCLUDED
#define MODELGUARD_FRAME_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_rewrite.h"


/*
 * What may lie between the first line of data of an event and the blank line
 * that ends it, apart from data: fields and comments, in bytes.  They are put
 * back at the next line end in the data that comes out, or behind it.
 */

#define MODELGUARD_FRAME_FIELDS_MAX  4096


typedef enum {
    MODELGUARD_FRAMING_NONE = 0,     /* one document: no framing at all */
    MODELGUARD_FRAMING_EVENTS,       /* text/event-stream, WHATWG HTML 9.2 */
    MODELGUARD_FRAMING_SEQUENCE      /* NDJSON, JSON Lines, RFC 7464 text
                                        sequences, concatenated JSON */
} modelguard_framing_e;


typedef struct modelguard_frame_s  modelguard_frame_t;

/*
 * A frame is complete: all of its bytes have been given to the sink.  Called
 * with conf.rewrite.sink_data.  Anything but MODELGUARD_OK ends the reading
 * with MODELGUARD_SINK.
 */

typedef int (*modelguard_frame_pt)(void *data);


typedef struct {
    modelguard_framing_e       framing;
    modelguard_frame_pt        frame;      /* or NULL */
    modelguard_rewrite_conf_t  rewrite;    /* its sink takes all the output */
} modelguard_frame_conf_t;


/* NULL if there is no memory; the conf is copied */

modelguard_frame_t *modelguard_frame_create(
    const modelguard_frame_conf_t *conf);

/* see modelguard_rewrite_meter(): of all its documents */

void modelguard_frame_meter(modelguard_frame_t *frame,
    modelguard_meter_read_t *before, modelguard_meter_read_t *after);

/*
 * Takes a piece of input.  Results as modelguard_rewrite_feed(); TOO_BIG also
 * when an event has more than MODELGUARD_FRAME_FIELDS_MAX bytes of fields
 * after its data; MALFORMED also for data that is neither JSON nor [DONE] nor
 * white space, for a field that careless clients take for "data" (" Data"),
 * and for a line of an event stream that begins like JSON.
 *
 * A frame ends with a document's event or line; a comment line between events
 * is one, too, and so is any line end between documents of a sequence.
 */

int modelguard_frame_feed(modelguard_frame_t *frame, const uint8_t *bytes,
    size_t len);

/*
 * The end of the input.  NONE: as modelguard_rewrite_finish().  EVENTS and
 * SEQUENCE: no document at all is fine, and so is a last document without
 * the line end or blank line that should follow; one that is cut is
 * TRUNCATED.
 */

int modelguard_frame_finish(modelguard_frame_t *frame);

/*
 * No more input for now: in a SEQUENCE, whose documents need nothing between
 * them, a document that is complete is a frame, and so is what may follow it.
 * Results as modelguard_frame_feed().
 */

int modelguard_frame_flush(modelguard_frame_t *frame);

/*
 * As modelguard_rewrite_pass(): after an error, sends out untreated what is
 * held and what of the failed piece was not yet output, in its order.
 */

int modelguard_frame_pass(modelguard_frame_t *frame);

/* the sum over all documents */

const modelguard_rewrite_stat_t *modelguard_frame_stat(
    const modelguard_frame_t *frame);

/* documents that have been complete so far */

uint64_t modelguard_frame_count(const modelguard_frame_t *frame);

void modelguard_frame_free(modelguard_frame_t *frame);


#endif /* MODELGUARD_FRAME_H_INCLUDED */
