
/*
 * Copyright (C) the modelguard authors
 *
 * What the framing should make of an event stream, the simple way: all of it
 * in memory, split into lines and events, each document rewritten alone.
 */


#ifndef FRAME_REFERENCE_H_INCLUDED
#define FRAME_REFERENCE_H_INCLUDED


#include "frame_kit.h"


typedef struct {
    const unsigned char  *text;
    size_t                len;
    const unsigned char  *value;     /* of data */
    size_t                value_len;
    size_t                term;      /* bytes of the line end, behind text */
    int                   data;
} ref_line_t;


typedef struct {
    ref_line_t           *lines;
    size_t                n;
    size_t                from;      /* the line where the document begins */
    size_t                last;      /* of its lines */
    kit_out_t             doc;
    int                   blank;     /* ends with a blank line */
    int                   exact;     /* no fields between data */
} ref_event_t;


static inline void
ref_put(kit_out_t *out, const void *bytes, size_t len)
{
    if (len) {
        (void) kit_sink(out, bytes, len);
    }
}


/* the line at "p"; returns where the next one begins */

static inline const unsigned char *
ref_line(const unsigned char *p, const unsigned char *end, ref_line_t *line)
{
    memset(line, 0, sizeof(ref_line_t));

    line->text = p;

    while (p < end && *p != '\r' && *p != '\n') {
        p++;
    }

    line->len = (size_t) (p - line->text);

    if (p < end) {
        line->term = (*p == '\r' && end - p > 1 && p[1] == '\n') ? 2 : 1;
    }

    if (line->len == 4 && memcmp(line->text, "data", 4) == 0) {
        line->data = 1;
        line->value = line->text + 4;

    } else if (line->len >= 5 && memcmp(line->text, "data:", 5) == 0) {
        line->data = 1;
        line->value = line->text + 5;
    }

    line->value_len = line->data ? (size_t) (p - line->value) : 0;

    return p + line->term;
}


static inline size_t
ref_space(const unsigned char *p, size_t len)
{
    size_t  n;

    for (n = 0; n < len && (p[n] == ' ' || p[n] == '\t'); n++) { /* void */ }

    return n;
}


/* the lines of the event at "p", and its document, if it has one */

static inline const unsigned char *
ref_event(const unsigned char *p, const unsigned char *end, ref_event_t *event)
{
    size_t       i, skip, gap;
    ref_line_t  *line;

    memset(event, 0, sizeof(ref_event_t));

    event->lines = malloc(((size_t) (end - p) + 1) * sizeof(ref_line_t));
    event->from = (size_t) -1;
    event->exact = 1;
    gap = 0;

    while (p < end && !event->blank) {
        line = &event->lines[event->n];
        p = ref_line(p, end, line);

        event->blank = (line->len == 0);
        event->n += !event->blank;
    }

    for (i = 0; i < event->n; i++) {
        line = &event->lines[i];

        if (!line->data) {
            gap = 1;
            continue;
        }

        if (event->from == (size_t) -1) {
            skip = ref_space(line->value, line->value_len);

            if (skip == line->value_len) {
                continue;
            }

            event->from = i;
            line->value += skip;
            line->value_len -= skip;

        } else {
            event->exact &= !gap;
            ref_put(&event->doc, "\n", 1);
        }

        gap = 0;
        event->last = i;

        if (line->value_len) {
            ref_put(&event->doc, line->value, line->value_len);
        }
    }

    if (event->doc.len >= 6 && memcmp(event->doc.data, "[DONE]", 6) == 0) {
        i = 6;

        while (i < event->doc.len && event->doc.data[i] <= ' ') {
            i++;
        }

        if (i == event->doc.len) {
            event->from = (size_t) -1;
            event->exact = 1;
        }
    }

    return p;
}


static inline void
ref_event_free(ref_event_t *event)
{
    free(event->lines);
    free(event->doc.data);
}


static inline void
ref_raw(frame_out_t *out, const ref_line_t *line)
{
    ref_put(&out->out, line->text, line->len + line->term);
}


/* the document rewritten, with the separator of its first two lines */

static inline void
ref_document(frame_out_t *out, const ref_event_t *event, const kit_out_t *doc)
{
    size_t             i;
    const ref_line_t  *line;

    line = &event->lines[event->from];
    ref_put(&out->out, line->text, (size_t) (line->value - line->text));

    for (i = 0; i < doc->len; i++) {

        if (doc->data[i] != '\n') {
            ref_put(&out->out, doc->data + i, 1);
            continue;
        }

        ref_put(&out->out, line->text + line->len, line->term);
        ref_put(&out->out, "data:", 5);
    }

    line = &event->lines[event->last];
    ref_put(&out->out, line->text + line->len, line->term);
}


/*
 * What the stream should become, with the ends of frames where line ends are
 * not CR alone.  Returns a result code; *exact is 0 where fields are between
 * data, whose place is not told here.
 */

static inline int
ref_stream(const kit_t *kit, frame_out_t *out, const unsigned char *text,
    size_t len, int *exact)
{
    int                   plain;
    size_t                i;
    kit_out_t             doc;
    ref_event_t           event;
    const unsigned char  *p, *end;

    memset(out, 0, sizeof(frame_out_t));

    *exact = 1;
    p = text;
    end = text + len;

    if (len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        ref_put(&out->out, p, 3);
        p += 3;
    }

    while (p < end && out->out.rc == MODELGUARD_OK) {
        p = ref_event(p, end, &event);
        *exact &= event.exact;
        plain = 1;

        for (i = 0; i < event.n && i < event.from; i++) {
            ref_raw(out, &event.lines[i]);

            plain &= event.lines[i].text[0] == ':';

            if (plain && event.lines[i].term) {
                (void) frame_end(out);
            }
        }

        if (event.from != (size_t) -1) {
            kit_run(kit, &doc, event.doc.data, event.doc.len, NULL, 0);

            out->out.rc = doc.rc;
            out->count++;

            ref_document(out, &event, &doc);
            free(doc.data);

            for (i = event.from + 1; i < event.n; i++) {

                if (!event.lines[i].data) {
                    ref_raw(out, &event.lines[i]);
                }
            }
        }

        if (event.blank) {
            ref_raw(out, &event.lines[event.n]);
            (void) frame_end(out);
        }

        ref_event_free(&event);
    }

    if (out->out.len > (out->n ? out->ends[out->n - 1] : 0)) {
        (void) frame_end(out);
    }

    return out->out.rc;
}


/*
 * What a client sees: for each event the other lines, and the data without
 * the white space after its line ends.  "kit", if there is one: with the
 * document rewritten.
 */

static inline void
ref_meaning(const kit_t *kit, kit_out_t *out, const unsigned char *text,
    size_t len)
{
    size_t                i;
    kit_out_t             doc;
    ref_event_t           event;
    const unsigned char  *p, *end;

    memset(out, 0, sizeof(kit_out_t));

    p = text;
    end = text + len;

    if (len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        p += 3;
    }

    while (p < end) {
        p = ref_event(p, end, &event);

        for (i = 0; i < event.n; i++) {

            if (!event.lines[i].data) {
                ref_put(out, event.lines[i].text, event.lines[i].len);
                ref_put(out, "\1", 1);
            }
        }

        if (kit != NULL && event.from != (size_t) -1) {
            kit_run(kit, &doc, event.doc.data, event.doc.len, NULL, 0);

        } else {
            doc = event.doc;
            event.doc.data = NULL;
        }

        for (i = 0; i < doc.len; i++) {
            ref_put(out, doc.data + i, 1);

            if (doc.data[i] == '\n') {
                i += ref_space(doc.data + i + 1, doc.len - i - 1);
            }
        }

        free(doc.data);

        ref_put(out, "\2", 1);
        ref_event_free(&event);
    }
}


static inline int
same_bytes(const kit_out_t *a, const kit_out_t *b)
{
    return a->len == b->len
           && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}


/* the output beside the reference: bytes, or what they mean */

static inline int
beside_reference(const kit_t *kit, const frame_out_t *out,
    const unsigned char *text, size_t len, int frames)
{
    int          rc, same, exact;
    kit_out_t    wanted, got;
    frame_out_t  ref;

    rc = ref_stream(kit, &ref, text, len, &exact);

    if (rc != MODELGUARD_OK) {
        same = (out->out.rc == rc
                || (rc == MODELGUARD_TRUNCATED
                    && out->out.rc == MODELGUARD_MALFORMED));

    } else if (exact) {
        same = out->out.rc == MODELGUARD_OK && same_bytes(&ref.out, &out->out)
               && ref.count == out->count;

        if (frames) {
            same &= ref.n == out->n
                    && (out->n == 0 || memcmp(ref.ends, out->ends,
                                             out->n * sizeof(size_t)) == 0);
        }

    } else {
        ref_meaning(kit, &wanted, text, len);
        ref_meaning(NULL, &got, out->out.data, out->out.len);

        same = out->out.rc == MODELGUARD_OK && same_bytes(&wanted, &got);

        free(wanted.data);
        free(got.data);
    }

    if (!same) {
        printf("# rc %d for %d, exact %d, %zu frames for %zu\n", out->out.rc,
               rc, exact, out->n, ref.n);
        frame_print("in    ", text, len);
        frame_print("wanted", ref.out.data, ref.out.len);
        frame_print("got   ", out->out.data, out->out.len);
    }

    frame_out_free(&ref);

    return same;
}


/* nothing is changed: what comes out is what went in, also behind an error */

static inline int
untouched(const frame_out_t *out, const unsigned char *text, size_t len)
{
    return out->bad == 0 && out->out.len == len
           && (len == 0 || memcmp(out->out.data, text, len) == 0);
}


#endif /* FRAME_REFERENCE_H_INCLUDED */
