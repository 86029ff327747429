
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


#define MODELGUARD_HOLD_OUT  4096


typedef struct {
    const modelguard_rewrite_conf_t  *conf;

    uint8_t                          *raw;
    size_t                            raw_len;
    size_t                            raw_size;
    const uint8_t                    *from;

    modelguard_edit_t                *edits;      /* by offset */
    uint32_t                          n;
    uint32_t                          size;

    modelguard_rewrite_stat_t         stat;

    uint8_t                          *scratch;    /* one number's new text */
    size_t                            scratch_size;
    size_t                            out_len;
    uint8_t                           out[MODELGUARD_HOLD_OUT];
} modelguard_hold_t;


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

/* sends bytes of our own */

int modelguard_hold_write(modelguard_hold_t *hold, const uint8_t *bytes,
    size_t len);

/* sends the new text of one number, whose source is "text" */

int modelguard_hold_number(modelguard_hold_t *hold,
    const modelguard_edit_t *edit, const uint8_t *text);

/* hands the collected output to the sink */

int modelguard_hold_flush(modelguard_hold_t *hold);

void modelguard_hold_free(modelguard_hold_t *hold);


#endif /* MODELGUARD_HOLD_H_INCLUDED */
