
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_hold.h"
#include "modelguard_number.h"


#define HOLD_RAW_MIN    4096
#define HOLD_EDITS_MIN  256

/* what the short way writes at most: text before a number, and the number */

#define HOLD_RUN_TEXT    16
#define HOLD_RUN_DIGITS  9
#define HOLD_RUN_ROOM    (HOLD_RUN_TEXT + HOLD_RUN_DIGITS + 2)


static uint32_t hold_run(modelguard_hold_t *hold, const uint8_t *text,
    size_t *from, uint32_t i);
static int hold_run_number(uint8_t *out, const modelguard_edit_t *edit);
static int hold_edited(modelguard_hold_t *hold, const uint8_t *text,
    size_t len);
static void hold_sent(modelguard_hold_t *hold, size_t off);
static int hold_sink(modelguard_hold_t *hold, const uint8_t *bytes,
    size_t len);


int
modelguard_hold_stash(modelguard_hold_t *hold, const uint8_t *p)
{
    int     rc;
    void   *raw;
    size_t  len;

    len = (size_t) (p - hold->from);

    if (len == 0) {
        return MODELGUARD_OK;
    }

    if (len > hold->conf->hold || hold->raw_len > hold->conf->hold - len) {
        return MODELGUARD_TOO_BIG;
    }

    if (hold->raw_len + len > hold->raw_size) {
        raw = hold->raw;

        rc = modelguard_hold_grow(hold, &raw, &hold->raw_size,
                                  hold->raw_len + len, HOLD_RAW_MIN);
        if (rc != MODELGUARD_OK) {
            return rc;
        }

        hold->raw = raw;
    }

    memcpy(hold->raw + hold->raw_len, hold->from, len);

    hold->raw_len += len;
    hold->from = p;

    return MODELGUARD_OK;
}


const uint8_t *
modelguard_hold_join(modelguard_hold_t *hold, const uint8_t *p, int *rc)
{
    *rc = MODELGUARD_OK;

    if (modelguard_hold_offset(hold, p) > hold->conf->hold) {
        *rc = MODELGUARD_TOO_BIG;
        return NULL;
    }

    if (hold->raw_len == 0) {
        return hold->from;
    }

    *rc = modelguard_hold_stash(hold, p);

    return *rc == MODELGUARD_OK ? hold->raw : NULL;
}


int
modelguard_hold_send(modelguard_hold_t *hold, const uint8_t *p)
{
    int             rc;
    const uint8_t  *text;

    if (hold->run.active) {
        return modelguard_run_send(hold, p);
    }

    if (hold->n) {
        text = modelguard_hold_join(hold, p, &rc);
        if (text == NULL) {
            return rc;
        }

        rc = hold_edited(hold, text,
                         hold->raw_len ? hold->raw_len
                                       : (size_t) (p - hold->from));
        if (rc != MODELGUARD_OK) {
            return rc;
        }

        modelguard_hold_discard(hold, p);

        return MODELGUARD_OK;
    }

    if (hold->raw_len) {
        rc = modelguard_hold_write(hold, hold->raw, hold->raw_len);
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    rc = modelguard_hold_write(hold, hold->from, (size_t) (p - hold->from));

    hold->raw_len = 0;
    hold->from = p;

    return rc;
}


int
modelguard_hold_send_to(modelguard_hold_t *hold, size_t off)
{
    int  rc;

    if (off >= hold->raw_len) {
        return modelguard_hold_send(hold, hold->from + (off - hold->raw_len));
    }

    rc = modelguard_hold_write(hold, hold->raw, off);

    hold->raw_len -= off;
    memmove(hold->raw, hold->raw + off, hold->raw_len);

    return rc;
}


void
modelguard_hold_discard(modelguard_hold_t *hold, const uint8_t *p)
{
    hold->raw_len = 0;
    hold->from = p;
    hold->n = 0;
    hold->texts_len = 0;
}


modelguard_edit_t *
modelguard_hold_edit(modelguard_hold_t *hold, int *rc)
{
    void               *edits;
    size_t              size;
    modelguard_edit_t  *edit;

    if (hold->run.active) {
        *rc = modelguard_run_edits(hold);
        if (*rc != MODELGUARD_OK) {
            return NULL;
        }
    }

    if (hold->n == hold->size) {

        /* every edit stands for a byte at least */

        if (hold->n > hold->conf->hold) {
            *rc = MODELGUARD_TOO_BIG;
            return NULL;
        }

        edits = hold->edits;
        size = hold->size * sizeof(modelguard_edit_t);

        *rc = modelguard_hold_grow(hold, &edits, &size,
                                   size + sizeof(modelguard_edit_t),
                                   HOLD_EDITS_MIN * sizeof(modelguard_edit_t));
        if (*rc != MODELGUARD_OK) {
            return NULL;
        }

        hold->edits = edits;
        hold->size = (uint32_t) (size / sizeof(modelguard_edit_t));
    }

    edit = &hold->edits[hold->n++];

    edit->scaled = 0;
    edit->len = 0;
    edit->link = MODELGUARD_EDIT_NONE;
    edit->kind = MODELGUARD_EDIT_RANGE;
    edit->op = MODELGUARD_EDIT_KEEP;
    edit->digits = 0;
    edit->big = 0;
    edit->kept = 0;
    edit->plain = 0;

    return edit;
}


uint8_t *
modelguard_hold_scratch(modelguard_hold_t *hold, size_t len, int *rc)
{
    void  *scratch;

    if (len > hold->scratch_size) {
        scratch = hold->scratch;

        *rc = modelguard_hold_grow(hold, &scratch, &hold->scratch_size, len,
                                   HOLD_RAW_MIN);
        if (*rc != MODELGUARD_OK) {
            return NULL;
        }

        hold->scratch = scratch;
    }

    return hold->scratch;
}


uint8_t *
modelguard_hold_text(modelguard_hold_t *hold, size_t len, int *rc)
{
    void    *texts;
    size_t   want;

    want = hold->texts_len + len;

    if (want > hold->conf->hold) {
        *rc = MODELGUARD_TOO_BIG;
        return NULL;
    }

    if (want > hold->texts_size) {
        texts = hold->texts;

        *rc = modelguard_hold_grow(hold, &texts, &hold->texts_size, want,
                                   HOLD_RAW_MIN);
        if (*rc != MODELGUARD_OK) {
            return NULL;
        }

        hold->texts = texts;
    }

    return hold->texts + hold->texts_len;
}


int
modelguard_hold_replace(modelguard_hold_t *hold, size_t off, const uint8_t *p,
    size_t len, int held)
{
    int                 rc;
    modelguard_edit_t  *edit;

    if (held) {
        edit = modelguard_hold_edit(hold, &rc);
        if (edit == NULL) {
            return rc;
        }

        edit->scaled = (int64_t) len;
        edit->off = (uint32_t) off;
        edit->len = (uint32_t) (modelguard_hold_offset(hold, p) - off);
        edit->link = (uint32_t) hold->texts_len;
        edit->op = MODELGUARD_EDIT_TEXT;
        edit->frame = UINT8_MAX;

        hold->texts_len += len;

        return MODELGUARD_OK;
    }

    rc = modelguard_hold_send_to(hold, off);

    if (rc == MODELGUARD_OK) {
        rc = modelguard_hold_write(hold, hold->texts + hold->texts_len, len);
        modelguard_hold_discard(hold, p);
    }

    return rc;
}


int
modelguard_hold_write(modelguard_hold_t *hold, const uint8_t *bytes,
    size_t len)
{
    int  rc;

    if (len <= MODELGUARD_HOLD_OUT - hold->out_len) {

        if (len) {
            memcpy(hold->out + hold->out_len, bytes, len);
            hold->out_len += len;
        }

        return MODELGUARD_OK;
    }

    rc = modelguard_hold_flush(hold);
    if (rc != MODELGUARD_OK) {
        return rc;
    }

    if (len <= MODELGUARD_HOLD_OUT / 4) {
        memcpy(hold->out, bytes, len);
        hold->out_len = len;

        return MODELGUARD_OK;
    }

    return hold_sink(hold, bytes, len);
}


int
modelguard_hold_number(modelguard_hold_t *hold, const modelguard_edit_t *edit,
    const uint8_t *text)
{
    int       rc;
    size_t    len;
    uint8_t  *scratch;

    len = edit->len + MODELGUARD_NUMBER_PAD;

    if (edit->op != MODELGUARD_EDIT_ROUND
        || len <= MODELGUARD_HOLD_OUT / 4)
    {
        if (MODELGUARD_HOLD_OUT - hold->out_len < MODELGUARD_HOLD_OUT / 4) {
            rc = modelguard_hold_flush(hold);
            if (rc != MODELGUARD_OK) {
                return rc;
            }
        }

        hold->out_len += modelguard_vector_text(edit, text,
                                                hold->out + hold->out_len);
        return MODELGUARD_OK;
    }

    scratch = modelguard_hold_scratch(hold, len, &rc);
    if (scratch == NULL) {
        return rc;
    }

    len = modelguard_vector_text(edit, text, scratch);

    return modelguard_hold_write(hold, scratch, len);
}


int
modelguard_hold_flush(modelguard_hold_t *hold)
{
    size_t  len;

    len = hold->out_len;

    if (len == 0) {
        return MODELGUARD_OK;
    }

    hold->out_len = 0;

    return hold_sink(hold, hold->out, len);
}


int
modelguard_hold_grow(modelguard_hold_t *hold, void **data, size_t *size,
    size_t want, size_t min)
{
    void    *grown;
    size_t   n;

    for (n = *size ? *size * 2 : min; n < want; n *= 2) { /* void */ }

    grown = hold->conf->alloc(hold->conf->alloc_data, *data, *size, n);
    if (grown == NULL) {
        return MODELGUARD_NOMEM;
    }

    *data = grown;
    *size = n;

    return MODELGUARD_OK;
}


void
modelguard_hold_free(modelguard_hold_t *hold)
{
    const modelguard_rewrite_conf_t  *conf;

    conf = hold->conf;

    if (hold->raw != NULL) {
        (void) conf->alloc(conf->alloc_data, hold->raw, hold->raw_size, 0);
    }

    if (hold->edits != NULL) {
        (void) conf->alloc(conf->alloc_data, hold->edits,
                           hold->size * sizeof(modelguard_edit_t), 0);
    }

    if (hold->scratch != NULL) {
        (void) conf->alloc(conf->alloc_data, hold->scratch,
                           hold->scratch_size, 0);
    }

    if (hold->texts != NULL) {
        (void) conf->alloc(conf->alloc_data, hold->texts, hold->texts_size, 0);
    }

    if (hold->run.round.begin != NULL) {
        (void) conf->alloc(conf->alloc_data, hold->run.round.begin,
                           hold->run.size, 0);
    }

    hold->raw = NULL;
    hold->edits = NULL;
    hold->scratch = NULL;
    hold->texts = NULL;
    hold->run.round.begin = NULL;
}


/* sends the text with all edits applied; an edit inside a cut goes with it */

static int
hold_edited(modelguard_hold_t *hold, const uint8_t *text, size_t len)
{
    int                       rc;
    size_t                    at;
    uint32_t                  i;
    const modelguard_edit_t  *edit;

    at = 0;

    for (i = 0; i < hold->n; i++) {

        i = hold_run(hold, text, &at, i);

        if (i == hold->n) {
            break;
        }

        edit = &hold->edits[i];

        if (edit->op == MODELGUARD_EDIT_KEEP || edit->off < at) {
            continue;
        }

        rc = modelguard_hold_write(hold, text + at, edit->off - at);
        if (rc != MODELGUARD_OK) {
            return rc;
        }

        at = edit->off + (edit->op == MODELGUARD_EDIT_COMMA ? 1 : edit->len);

        if (edit->op == MODELGUARD_EDIT_COMMA) {
            continue;
        }

        if (edit->op == MODELGUARD_EDIT_CUT) {
            hold->stat.dropped++;
            continue;
        }

        if (edit->op == MODELGUARD_EDIT_TEXT) {
            rc = modelguard_hold_write(hold, hold->texts + edit->link,
                                       (size_t) edit->scaled);
            if (rc != MODELGUARD_OK) {
                return rc;
            }

            continue;
        }

        hold->stat.treated++;

        rc = modelguard_hold_number(hold, edit, text + edit->off);
        if (rc != MODELGUARD_OK) {
            hold_sent(hold, edit->off);
            return rc;
        }
    }

    return modelguard_hold_write(hold, text + at, len - at);
}


/*
 * The short way: edits from i on that put a small number in the place of
 * another, with little text between.  Returns the first that is not so.
 */

static uint32_t
hold_run(modelguard_hold_t *hold, const uint8_t *text, size_t *from,
    uint32_t i)
{
    int                       n;
    size_t                    at, gap;
    uint8_t                  *out, *last;
    uint32_t                  first;
    const modelguard_edit_t  *edit;

    at = *from;
    first = i;
    out = hold->out + hold->out_len;
    last = hold->out + MODELGUARD_HOLD_OUT - HOLD_RUN_ROOM;

    for ( /* void */ ; i < hold->n && out <= last; i++) {

        edit = &hold->edits[i];
        gap = edit->off - at;

        if (edit->off < at || gap > HOLD_RUN_TEXT) {
            break;
        }

        n = hold_run_number(out + gap, edit);
        if (n == 0) {
            break;
        }

        while (gap) {
            *out++ = text[at++];
            gap--;
        }

        out += n;
        at += edit->len;
    }

    hold->out_len = (size_t) (out - hold->out);
    hold->stat.treated += i - first;
    *from = at;

    return i;
}


/* writes 0 or a fraction below 1; 0 when the number is anything else */

static int
hold_run_number(uint8_t *out, const modelguard_edit_t *edit)
{
    int       i;
    uint32_t  value;

    if (edit->op == MODELGUARD_EDIT_ZERO
        || (edit->op == MODELGUARD_EDIT_SCALED && edit->scaled == 0))
    {
        *out = '0';
        return 1;
    }

    if (edit->op != MODELGUARD_EDIT_SCALED || edit->scaled < 0
        || edit->scaled > UINT32_MAX || edit->digits > HOLD_RUN_DIGITS)
    {
        return 0;
    }

    value = (uint32_t) edit->scaled;

    for (i = edit->digits + 1; i > 1; i--) {
        out[i] = (uint8_t) ('0' + value % 10);
        value /= 10;
    }

    if (value) {
        return 0;
    }

    out[0] = '0';
    out[1] = '.';

    for (i = edit->digits + 2; out[i - 1] == '0'; i--) { /* void */ }

    return i;
}


/* no memory for a number: what was before it must not be passed once more */

static void
hold_sent(modelguard_hold_t *hold, size_t off)
{
    if (hold->raw_len == 0) {
        hold->from += off;
        return;
    }

    hold->raw_len -= off;
    memmove(hold->raw, hold->raw + off, hold->raw_len);
}


static int
hold_sink(modelguard_hold_t *hold, const uint8_t *bytes, size_t len)
{
    if (hold->after != NULL) {
        modelguard_meter_read_feed(hold->after, bytes, len);
    }

    return hold->conf->sink(hold->conf->sink_data, bytes, len)
           == MODELGUARD_OK ? MODELGUARD_OK : MODELGUARD_SINK;
}
