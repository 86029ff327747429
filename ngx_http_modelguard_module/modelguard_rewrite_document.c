
/*
 * Copyright (C) the modelguard authors
 *
 * A document in a string: its escapes are undone, it goes through a rewriter
 * of its own, and what comes out takes the place of the string.  Where
 * nothing was treated the string stays, byte by byte; else it is escaped as
 * the string was in the two points that encoders differ in most, "\/" for
 * "/" and "\u" for what is not ASCII, and with as few escapes as JSON needs
 * in all others.
 */


#include "modelguard_rewrite_value.h"


#define DOCUMENT_OUT   512
#define DOCUMENT_ROOM  12            /* of one character: two escapes */


typedef struct {
    modelguard_hold_t  *hold;
    size_t              len;         /* in the hold's room for a text */
    int                 rc;

    uint8_t             out[DOCUMENT_OUT];
    size_t              n;

    uint32_t            code;        /* of a character of many bytes */
    unsigned            need;        /* those to come */

    unsigned            slash:1;     /* as "\/" */
    unsigned            ascii:1;
} document_t;


static int document_rewrite(modelguard_rewrite_t *rw, document_t *document,
    const uint8_t *doc, size_t len, modelguard_rewrite_stat_t *stat);
static void document_style(document_t *document, const uint8_t *text,
    size_t len);
static int document_sink(void *data, const uint8_t *bytes, size_t len);
static void document_char(document_t *document, uint8_t c);
static void document_unicode(document_t *document, uint8_t c);
static void document_escape(document_t *document, uint32_t code);
static int document_flush(document_t *document);


int
modelguard_rewrite_document(modelguard_rewrite_t *rw, size_t off,
    const uint8_t *text, size_t len)
{
    int                         rc;
    size_t                      n;
    uint8_t                    *doc;
    document_t                  document;
    modelguard_rewrite_stat_t   stat;

    doc = modelguard_hold_scratch(&rw->hold, len, &rc);
    if (doc == NULL) {
        return rc;
    }

    n = modelguard_json_unescape(text + 1, len - 2, doc, len);

    document.hold = &rw->hold;
    document.len = 0;
    document.rc = MODELGUARD_OK;
    document.n = 0;
    document.need = 0;

    document_style(&document, text, len);

    document.out[document.n++] = '"';

    rc = document_rewrite(rw, &document, doc, n, &stat);

    if (rc == MODELGUARD_OK && stat.treated + stat.dropped == 0) {
        return MODELGUARD_OK;
    }

    if (rc == MODELGUARD_OK) {
        document.out[document.n++] = '"';
        rc = document_flush(&document);
    }

    if (rc != MODELGUARD_OK) {
        return rc;
    }

    rw->hold.stat.treated += stat.treated;
    rw->hold.stat.dropped += stat.dropped;

    return modelguard_hold_replace(&rw->hold, off, rw->walk.json.stop,
                                   document.len, rw->scopes.holders != 0);
}


static int
document_rewrite(modelguard_rewrite_t *rw, document_t *document,
    const uint8_t *doc, size_t len, modelguard_rewrite_stat_t *stat)
{
    int                         rc;
    modelguard_rewrite_t       *inner;
    modelguard_rewrite_conf_t   conf;

    inner = rw->inner;

    if (inner == NULL) {
        conf = rw->conf;
        conf.rules = rw->rule->inside;
        conf.sink = document_sink;

        inner = modelguard_rewrite_create(&conf);
        if (inner == NULL) {
            return MODELGUARD_NOMEM;
        }

        rw->inner = inner;
    }

    inner->conf.rules = rw->rule->inside;
    inner->conf.sink_data = document;

    modelguard_rewrite_reset(inner);

    memset(&inner->hold.stat, 0, sizeof(modelguard_rewrite_stat_t));

    rc = modelguard_rewrite_feed(inner, doc, len);

    if (rc == MODELGUARD_OK) {
        rc = modelguard_rewrite_finish(inner);
    }

    *stat = inner->hold.stat;

    return (rc == MODELGUARD_SINK) ? document->rc : rc;
}


static void
document_style(document_t *document, const uint8_t *text, size_t len)
{
    size_t  i;

    document->slash = 0;
    document->ascii = 1;

    for (i = 0; i < len; i++) {

        if (text[i] >= 0x80) {
            document->ascii = 0;

        } else if (text[i] == '\\') {
            i++;
            document->slash |= (text[i] == '/');
        }
    }
}


static int
document_sink(void *data, const uint8_t *bytes, size_t len)
{
    size_t       i;
    document_t  *document;

    document = data;

    for (i = 0; i < len; i++) {

        if (document->n > DOCUMENT_OUT - DOCUMENT_ROOM
            && document_flush(document) != MODELGUARD_OK)
        {
            return MODELGUARD_SINK;
        }

        if (bytes[i] >= 0x80 && document->ascii) {
            document_unicode(document, bytes[i]);

        } else {
            document_char(document, bytes[i]);
        }
    }

    return MODELGUARD_OK;
}


static void
document_char(document_t *document, uint8_t c)
{
    size_t  i;

    static const char  named[] = "\"\"\\\\\bb\ff\nn\rr\tt";

    if (c < 0x20 || c == '"' || c == '\\' || (c == '/' && document->slash)) {

        if (c == '/') {
            document->out[document->n++] = '\\';

        } else {
            for (i = 0; i < sizeof(named) - 1 && named[i] != (char) c; i += 2)
            {
                /* void */
            }

            if (i == sizeof(named) - 1) {
                document_escape(document, c);
                return;
            }

            document->out[document->n++] = '\\';
            c = (uint8_t) named[i + 1];
        }
    }

    document->out[document->n++] = c;
}


/* a byte of UTF-8, which the rewriter has found to be well formed */

static void
document_unicode(document_t *document, uint8_t c)
{
    if (c >= 0xf0) {
        document->code = c & 0x07;
        document->need = 3;
        return;
    }

    if (c >= 0xe0) {
        document->code = c & 0x0f;
        document->need = 2;
        return;
    }

    if (c >= 0xc0) {
        document->code = c & 0x1f;
        document->need = 1;
        return;
    }

    document->code = document->code << 6 | (c & 0x3f);

    if (--document->need) {
        return;
    }

    if (document->code < 0x10000) {
        document_escape(document, document->code);
        return;
    }

    document->code -= 0x10000;

    document_escape(document, 0xd800 | document->code >> 10);
    document_escape(document, 0xdc00 | (document->code & 0x3ff));
}


static void
document_escape(document_t *document, uint32_t code)
{
    int  shift;

    static const char  hex[] = "0123456789abcdef";

    document->out[document->n++] = '\\';
    document->out[document->n++] = 'u';

    for (shift = 12; shift >= 0; shift -= 4) {
        document->out[document->n++] = (uint8_t) hex[code >> shift & 15];
    }
}


static int
document_flush(document_t *document)
{
    uint8_t  *room;

    room = modelguard_hold_text(document->hold, document->len + document->n,
                                &document->rc);
    if (room == NULL) {
        return document->rc;
    }

    memcpy(room + document->len, document->out, document->n);

    document->len += document->n;
    document->n = 0;

    return MODELGUARD_OK;
}
