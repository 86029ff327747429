
/*
 * Copyright (C) the modelguard authors
 *
 * The text between what has been sent and what has been read: at most one
 * vector, and the edits that wait for its end.
 *
 *     earlier pieces            this piece
 *     +--------------------+    +----------------------------+
 *     | raw                |    | from               |
 *     +--------------------+    +----------------------------+
 *     0               raw_len ........ offsets go on ........>
 *
 * Offsets count from the first byte that has not been sent.  While a whole
 * vector lies in one piece nothing is copied.
 */


#ifndef MODELGUARD_HOLD_H_INCLUDED
#define MODELGUARD_HOLD_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_rewrite.h"
#include "modelguard_vector.h"
#include "modelguard_run.h"


#define MODELGUARD_HOLD_OUT  4096


struct modelguard_hold_s {
    const modelguard_rewrite_conf_t  *conf;

    uint8_t                          *raw;
    size_t                            raw_len;
    size_t                            raw_size;
    const uint8_t                    *from;

    modelguard_edit_t                *edits;      /* by offset */
    uint32_t                          n;
    uint32_t                          size;

    modelguard_run_t                  run;        /* or none, with edits */

    modelguard_rewrite_stat_t         stat;
    modelguard_meter_read_t          *after;      /* of the output, or NULL */

    uint8_t                          *scratch;    /* one number's new text, or
                                                     a string unescaped */
    size_t                            scratch_size;
    uint8_t                          *texts;      /* of edits with a text */
    size_t                            texts_len;
    size_t                            texts_size;
    size_t                            out_len;
    uint8_t                           out[MODELGUARD_HOLD_OUT];
};


static inline size_t
modelguard_hold_offset(const modelguard_hold_t *hold, const uint8_t *p)
{
    return hold->raw_len + (size_t) (p - hold->from);
}


/* the result codes are MODELGUARD_OK, TOO_BIG, NOMEM and SINK */

/* copies [from, p) to the earlier pieces; from becomes p */

int modelguard_hold_stash(modelguard_hold_t *hold, const uint8_t *p);

/* makes all before p lie in one place; returns where offset 0 is, or NULL */

const uint8_t *modelguard_hold_join(modelguard_hold_t *hold,
    const uint8_t *p, int *rc);

/* sends what is before p, edited; the edits are used up, from becomes p */

int modelguard_hold_send(modelguard_hold_t *hold, const uint8_t *p);

/* sends the first "off" bytes, for an offset that may be in earlier pieces */

int modelguard_hold_send_to(modelguard_hold_t *hold, size_t off);

/* forgets what is before p */

void modelguard_hold_discard(modelguard_hold_t *hold, const uint8_t *p);

/* appends an edit; NULL with *rc */

modelguard_edit_t *modelguard_hold_edit(modelguard_hold_t *hold, int *rc);

/* "len" bytes to work in, until the next number is sent; NULL with *rc */

uint8_t *modelguard_hold_scratch(modelguard_hold_t *hold, size_t len,
    int *rc);

/*
 * Room for a text of "len" bytes that is to take another's place; a second
 * call may ask for more and keeps what the first was filled with.  NULL with
 * *rc, TOO_BIG for more than conf.hold bytes together with those that wait.
 */

uint8_t *modelguard_hold_text(modelguard_hold_t *hold, size_t len, int *rc);

/*
 * The first "len" bytes of that room take the place of all from "off" to p:
 * in an edit when the text is "held", else they are sent.
 */

int modelguard_hold_replace(modelguard_hold_t *hold, size_t off,
    const uint8_t *p, size_t len, int held);

/* sends bytes of our own */

int modelguard_hold_write(modelguard_hold_t *hold, const uint8_t *bytes,
    size_t len);

/* sends the new text of one number, whose source is "text" */

int modelguard_hold_number(modelguard_hold_t *hold,
    const modelguard_edit_t *edit, const uint8_t *text);

/*
 * Doubles a buffer, "size" bytes at "data", or "min" if it is none, until
 * "want" bytes fit.  MODELGUARD_NOMEM leaves it as it is.
 */

int modelguard_hold_grow(modelguard_hold_t *hold, void **data, size_t *size,
    size_t want, size_t min);

/* hands the collected output to the sink */

int modelguard_hold_flush(modelguard_hold_t *hold);

void modelguard_hold_free(modelguard_hold_t *hold);


#endif /* MODELGUARD_HOLD_H_INCLUDED */
