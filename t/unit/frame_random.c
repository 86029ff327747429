
/*
 * Copyright (C) the modelguard authors
 *
 * The framing on random streams beside the reference of frame_reference.h;
 * and on damaged ones, which must be passed without a byte lost.
 */


#include "frame_kit.h"
#include "frame_reference.h"


#define STREAMS  600
#define KEEP     "scores $.p $.q[*].p | keep"
#define DROP     "metadata $.m $.q.m $.q[*].m $[*].m | drop"


typedef struct {
    const char  *term;               /* line end, or NULL for any */
    const char  *data;               /* "data:", "data: ", or NULL for any */
    int          between;            /* fields between data */
    int          bare;               /* "data" alone */
} style_t;


static uint64_t  seed = 88172645463325252ULL;


static unsigned
draw(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return (unsigned) ((seed >> 11) % n);
}


static void
put(kit_out_t *out, const char *text)
{
    ref_put(out, text, strlen(text));
}


static void
put_any(kit_out_t *out, const char *const *texts, unsigned n)
{
    put(out, texts[draw(n)]);
}


#define PUT_ANY(out, texts)                                                   \
    put_any(out, texts, sizeof(texts) / sizeof(texts[0]))


static void
put_space(kit_out_t *out)
{
    static const char *const  spaces[] = {
        "", "", "", "", "", " ", "  ", "\t", "\n", "\n ", "\n  ", " \n\n"
    };

    PUT_ANY(out, spaces);
}


/* a document with numbers that are scores and others, and what is dropped */

static void
put_value(kit_out_t *out, unsigned depth)
{
    unsigned  i, n;

    static const char *const  names[] = {
        "\"p\"", "\"m\"", "\"q\"", "\"x\"", "\"\\u0070\"", "\"data: \""
    };

    static const char *const  scalars[] = {
        "0.28", "0.5149", "1", "-3.75e-2", "7", "0", "true", "null",
        "\"\"", "\"\\n\\ndata: x\"", "\"\xc3\xa9\\\"\"", "[DONE]" + 6
    };

    n = draw(depth ? 10 : 4);
    put_space(out);

    if (n < 4) {
        PUT_ANY(out, scalars);

        if (out->len == 0 || out->data[out->len - 1] <= ' '
            || strchr("[,:", out->data[out->len - 1]) != NULL)
        {
            put(out, "12.125");
        }

    } else {
        put(out, n < 7 ? "[" : "{");

        for (i = draw(4); i > 0; i--) {

            if (n >= 7) {
                put_space(out);
                PUT_ANY(out, names);
                put_space(out);
                put(out, ":");
                put_value(out, depth - 1);

            } else if (draw(3)) {
                put(out, "0.6180339");

            } else {
                put_value(out, depth - 1);
            }

            put(out, i > 1 ? "," : "");
        }

        put_space(out);
        put(out, n < 7 ? "]" : "}");
    }

    put_space(out);
}


static void
put_term(kit_out_t *out, const style_t *style)
{
    static const char *const  terms[] = { "\n", "\r", "\r\n" };

    put(out, style->term != NULL ? style->term : terms[draw(3)]);
}


static void
put_field(kit_out_t *out, const style_t *style)
{
    static const char *const  fields[] = {
        "event: x", "id:", "id: 7", "retry: 30", ":", ": ping", ":data: 0.5",
        "da", "datas: 1", "d", "dataa", "unknown", " id: 1", "x:data:",
        "date"
    };

    PUT_ANY(out, fields);
    put_term(out, style);
}


static void
put_data(kit_out_t *out, const style_t *style, const char *text, size_t len)
{
    if (len == 0 && style->bare && draw(3) == 0) {
        put(out, "data");

    } else if (style->data != NULL) {
        put(out, style->data);

    } else {
        put(out, draw(2) ? "data:" : "data: ");
    }

    if (len) {
        ref_put(out, text, len);
    }
}


/* a document as lines of data, the last one without its end */

static void
put_lines(kit_out_t *out, const style_t *style, const kit_out_t *doc)
{
    size_t       len;
    const char  *p, *lf, *end;

    p = (const char *) doc->data;
    end = p + doc->len;

    for ( ;; ) {
        lf = memchr(p, '\n', (size_t) (end - p));
        len = (size_t) ((lf == NULL ? end : lf) - p);

        put_data(out, style, p, len);

        if (lf == NULL) {
            return;
        }

        p = lf + 1;

        put_term(out, style);

        while (style->between && draw(4) == 0) {
            put_field(out, style);
        }
    }
}


static void
put_event(kit_out_t *out, const style_t *style)
{
    unsigned   kind;
    kit_out_t  doc;

    static const char *const  blanks[] = {
        "", " ", "\t", "  ", "[DONE]", " [DONE]  "
    };

    memset(&doc, 0, sizeof(doc));

    while (draw(3) == 0) {
        put_field(out, style);
    }

    kind = draw(10);

    if (kind == 0) {
        put_term(out, style);
        return;
    }

    if (kind < 3) {
        put(&doc, blanks[draw(6)]);

        if (style->bare && draw(3) == 0) {
            put(&doc, "\n");
        }

    } else {
        put_value(&doc, 4);
    }

    if (doc.len == 0) {
        put(&doc, " ");
    }

    put_lines(out, style, &doc);
    free(doc.data);

    if (draw(20) == 0) {
        put_term(out, style);
        put_field(out, style);

        put_term(out, style);
        return;
    }

    put_term(out, style);

    while (draw(4) == 0) {
        put_field(out, style);
    }

    put_term(out, style);
}


static void
put_stream(kit_out_t *out, const style_t *style)
{
    unsigned  n;

    memset(out, 0, sizeof(kit_out_t));

    put(out, draw(8) ? "" : "\xef\xbb\xbf");

    for (n = draw(6); n > 0; n--) {
        put_event(out, style);
    }

    /* or no blank line, or no line end */

    n = draw(4);

    while (n && out->len
           && strchr("\r\n", out->data[out->len - 1]) != NULL)
    {
        out->len--;
        n--;
    }

    if (out->len == 0) {
        put(out, "\n");
    }
}


static void
draw_style(style_t *style, int uniform)
{
    static const char *const  terms[] = { "\n", "\r\n", "\r", NULL };
    static const char *const  datas[] = { "data:", "data: ", NULL };

    style->term = terms[draw(uniform ? 3 : 4)];
    style->data = datas[draw(uniform ? 2 : 3)];
    style->between = uniform ? 0 : (draw(3) == 0);
    style->bare = !uniform && draw(2);
}


static void
test_random(const char *spec)
{
    int          frames;
    kit_t        kit;
    style_t      style;
    unsigned     i, bad, good, events;
    kit_out_t    text;
    frame_out_t  out;

    kit_build(&kit, spec);

    bad = 0;
    good = 0;
    events = 0;

    for (i = 0; i < STREAMS && bad < 5; i++) {
        draw_style(&style, 0);
        put_stream(&text, &style);

        frames = style.term != NULL && strcmp(style.term, "\r") != 0;

        bad += frame_split(&kit, &out, MODELGUARD_FRAMING_EVENTS, text.data,
                           text.len, text.len / 8 + 1, NULL)
               != 0;
        bad += !beside_reference(&kit, &out, text.data, text.len, frames);

        good += out.out.rc == MODELGUARD_OK;
        events += (unsigned) out.count;

        frame_out_free(&out);
        free(text.data);
    }

    ok(bad == 0 && good > STREAMS * 9 / 10,
       "%u random streams with %u documents: %s", i, events, spec);

    kit_free();
}


static void
test_damaged(modelguard_framing_e framing)
{
    int          was;
    kit_t        kit;
    size_t       at;
    style_t      style;
    unsigned     i, bad, before, failed;
    kit_out_t    text;
    frame_out_t  out;

    static const char  damage[] = "\n\r :,]}[{\"dD0a\x1e\xef\\";

    kit_build(&kit, KEEP);

    bad = 0;
    before = 0;
    failed = 0;

    for (i = 0; i < STREAMS && bad < 5; i++) {
        if (framing == MODELGUARD_FRAMING_EVENTS) {
            draw_style(&style, 1);
            put_stream(&text, &style);

        } else {
            memset(&text, 0, sizeof(text));

            for (at = draw(5) + 1; at > 0; at--) {
                put_value(&text, 4);
                put(&text, "\n");
            }
        }

        at = draw((unsigned) text.len);
        was = text.data[at];
        text.data[at] = (unsigned char) damage[draw(sizeof(damage) - 1)];

        frame_run(&kit, &out, framing, text.data, text.len, text.len, 1);

        /* an event whose lines are no more alike comes out in one style */

        if (out.out.rc == MODELGUARD_OK) {
            frame_out_free(&out);
            free(text.data);
            continue;
        }

        frame_out_free(&out);

        bad += frame_split(&kit, &out, framing, text.data, text.len,
                           text.len / 8 + 1,
                           strchr("\r\nd", text.data[at]) == NULL
                           && strchr("\r\ndat:", was) == NULL
                           ? untouched : NULL)
               != 0;

        failed++;

        if (bad && bad != before) {
            before = bad;
            printf("# %u: damage at %zu, rc %d\n", bad, at, out.out.rc);
            frame_print("in ", text.data, text.len);
            frame_print("out", out.out.data, out.out.len);
        }

        frame_out_free(&out);
        free(text.data);
    }

    ok(bad == 0 && failed > STREAMS / 5, "%u damaged streams", failed);

    kit_free();
}


/* documents and separators that are known */

static void
test_sequences(const char *spec)
{
    kit_t        kit;
    unsigned     i, n, bad;
    kit_out_t    text, want, doc, made;
    frame_out_t  out;

    static const char *const  separators[] = {
        "\n", "\r\n", " ", "\t\r", "\x1e", "\n\x1e", "\n\n \n"
    };

    kit_build(&kit, spec);

    bad = 0;

    for (i = 0; i < STREAMS && bad < 5; i++) {
        memset(&text, 0, sizeof(text));
        memset(&want, 0, sizeof(want));

        for (n = draw(6) + 1; n > 0; n--) {
            memset(&doc, 0, sizeof(doc));
            put_value(&doc, 4);

            kit_run(&kit, &made, doc.data, doc.len, NULL, 0);
            ref_put(&text, doc.data, doc.len);
            ref_put(&want, made.data, made.len);

            doc.len = 0;
            PUT_ANY(&doc, separators);

            ref_put(&text, doc.data, doc.len);
            ref_put(&want, doc.data, doc.len);

            free(doc.data);
            free(made.data);
        }

        bad += frame_split(&kit, &out, MODELGUARD_FRAMING_SEQUENCE, text.data,
                           text.len, text.len / 8 + 1, NULL)
               != 0;
        bad += out.out.rc != MODELGUARD_OK || !same_bytes(&out.out, &want);

        if (bad) {
            frame_print("in    ", text.data, text.len);
            frame_print("wanted", want.data, want.len);
            frame_print("got   ", out.out.data, out.out.len);
        }

        frame_out_free(&out);
        free(text.data);
        free(want.data);
    }

    ok(bad == 0, "%u random sequences: %s", i, spec);

    kit_free();
}


int
main(void)
{
    test_random("scores $.p $.q[*].p | round=1 top=2; " DROP);
    test_random("scores $.p | keep; metadata $.m $.q[*].m | null");

    test_sequences("scores $.p | round=1 top=2; " DROP);
    test_sequences("scores $.p $[*].p | keep; metadata $.x | null");

    test_damaged(MODELGUARD_FRAMING_EVENTS);
    test_damaged(MODELGUARD_FRAMING_SEQUENCE);

    ok(kit_allocated == 0, "all memory was given back");

    return tap_done();
}
