
/*
 * Copyright (C) the modelguard authors
 *
 * The framing at every place where it can be refused something: a sink that
 * takes no more at its n-th call, memory at the n-th request, room for the
 * fields of an event.  Whatever was refused, and wherever pieces end, the
 * answer is that error and stays it; where nothing was the output is the
 * same.
 */


#include "frame_kit.h"


typedef struct {
    modelguard_framing_e  framing;
    const char           *text;
} refuse_case_t;


static const refuse_case_t  cases[] = {
    { MODELGUARD_FRAMING_EVENTS,
      "\xef\xbb\xbf" "data: {\"p\":[0.125,\nid: 2\ndat: 3\ndata: 0.875]}\n\n"
      "data: [DONE]\n\n" },
    { MODELGUARD_FRAMING_EVENTS,
      "id: 1\r\ndata: {\"p\":0.125,\r\n: x\r\nevent: y\r\ndata: \"m\":1}\r\n"
      "da\r\nretry: 5\r\n\r\n" },
    { MODELGUARD_FRAMING_EVENTS,
      "data: [{\"p\":1},\rid: 2\rdata:\rdata: {\"p\":1}]\rid:5\r\r: c\r\r" },
    { MODELGUARD_FRAMING_EVENTS, "data: [\ndata" },
    { MODELGUARD_FRAMING_EVENTS, "data: {}\nid: 5\ndata" },
    { MODELGUARD_FRAMING_EVENTS, "data: {\"p\":0.125}\nda" },
    { MODELGUARD_FRAMING_SEQUENCE,
      "{\"p\":[0.125,0.875]}\n{\"m\":1,\"q\":2} \r\n[]\n7" }
};


typedef struct {
    frame_out_t  out;                /* of frame_kit.h, which comes first */
    size_t       sinks;              /* calls of the sink that are granted */
    size_t       allocs;
    unsigned     late;               /* calls of it from the refusal on */
    unsigned     refused;            /* requests of memory */
} refuse_t;


static int
refuse_sink(void *data, const uint8_t *bytes, size_t len)
{
    refuse_t  *refuse;

    refuse = data;

    if (refuse->sinks == 0) {
        refuse->late++;
        return MODELGUARD_INVALID;
    }

    refuse->sinks--;

    return kit_sink(&refuse->out.out, bytes, len);
}


static void *
refuse_alloc(void *data, void *old, size_t old_size, size_t size)
{
    refuse_t  *refuse;

    refuse = data;

    if (size) {

        if (refuse->allocs == 0) {
            refuse->refused++;
            return NULL;
        }

        refuse->allocs--;
    }

    return kit_alloc(NULL, old, old_size, size);
}


static void
refuse_init(refuse_t *refuse)
{
    memset(refuse, 0, sizeof(refuse_t));

    refuse->sinks = 1000000;
    refuse->allocs = 1000000;
}


/* a first piece and pieces of "step" bytes; -1: the error did not stay */

static int
refuse_run(const kit_t *kit, refuse_t *refuse, modelguard_framing_e framing,
    const char *text, size_t first, size_t step)
{
    int                       rc;
    size_t                    at, n, len;
    unsigned                  late;
    unsigned char            *copy;
    modelguard_frame_t       *frame;
    modelguard_frame_conf_t   conf;

    conf.framing = framing;
    conf.frame = frame_end;
    conf.rewrite.rules = kit->rules;
    conf.rewrite.depth = 16;
    conf.rewrite.hold = 4096;
    conf.rewrite.sink = refuse_sink;
    conf.rewrite.sink_data = refuse;
    conf.rewrite.alloc = refuse_alloc;
    conf.rewrite.alloc_data = refuse;

    frame = modelguard_frame_create(&conf);
    if (frame == NULL) {
        return MODELGUARD_NOMEM;
    }

    len = strlen(text);
    rc = MODELGUARD_OK;

    for (at = 0; at < len && rc == MODELGUARD_OK; at += n) {
        n = (at == 0 && first) ? first : step;
        n = n < len - at ? n : len - at;

        copy = guard_copy(text + at, n);
        rc = modelguard_frame_feed(frame, copy, n);
        guard_free(copy, n);
    }

    if (rc == MODELGUARD_OK) {
        rc = modelguard_frame_finish(frame);
    }

    late = refuse->late;

    if (rc != MODELGUARD_OK
        && (modelguard_frame_feed(frame, (const uint8_t *) "\n", 1) != rc
            || modelguard_frame_finish(frame) != rc
            || refuse->late != late))
    {
        rc = -1;
    }

    modelguard_frame_free(frame);

    return rc;
}


/* one call of the sink after the other is refused, or request of memory */

static unsigned
refuse_all(const kit_t *kit, const refuse_case_t *test, size_t first,
    size_t step, int memory, const refuse_t *want, int end)
{
    int       rc;
    size_t    n;
    unsigned  bad;
    refuse_t  refuse;

    bad = 0;

    for (n = 0; n < 1000; n++) {
        refuse_init(&refuse);

        if (memory) {
            refuse.allocs = n;

        } else {
            refuse.sinks = n;
        }

        rc = refuse_run(kit, &refuse, test->framing, test->text, first, step);

        if (refuse.late == 0 && refuse.refused == 0) {

            bad += rc != end
                   || refuse.out.out.len != want->out.out.len
                   || memcmp(refuse.out.out.data, want->out.out.data,
                             want->out.out.len) != 0;

            frame_out_free(&refuse.out);

            return bad;
        }

        bad += memory ? rc != MODELGUARD_NOMEM || refuse.refused != 1
                      : rc != MODELGUARD_SINK || refuse.late != 1;

        frame_out_free(&refuse.out);
    }

    return bad + 1;
}


static void
test_case(const refuse_case_t *test)
{
    int       end;
    kit_t     kit;
    size_t    i, len;
    refuse_t  want;
    unsigned  bad;

    kit_build(&kit, "scores $.p | round=1; metadata $.m | drop");

    len = strlen(test->text);
    bad = 0;

    refuse_init(&want);
    end = refuse_run(&kit, &want, test->framing, test->text, 0, len);

    for (i = 0; i < len; i++) {
        bad += refuse_all(&kit, test, i, i ? len : 1, 1, &want, end);
        bad += refuse_all(&kit, test, i, i ? len : 1, 0, &want, end);
    }

    ok(bad == 0, "refusals of the sink and of memory, then %d", end);

    frame_print("case", (const unsigned char *) test->text, len);

    frame_out_free(&want.out);
    kit_free();
}


/*
 * The fields of an event whose data goes on behind them: "len" bytes of them,
 * as many as are kept, one less and one more.
 */

static void
test_room(const char *eol)
{
    int       rc;
    char     *text;
    kit_t     kit;
    size_t    i, n, at, len;
    unsigned  bad;
    refuse_t  refuse;

    static const size_t  cuts[] = { 0, 12, 100 };

    kit_build(&kit, "scores $.p | round=1");

    text = malloc(MODELGUARD_FRAME_FIELDS_MAX + 256);
    bad = 0;

    for (n = MODELGUARD_FRAME_FIELDS_MAX - 1;
         n <= MODELGUARD_FRAME_FIELDS_MAX + 1;
         n++)
    {
        at = (size_t) sprintf(text, "data: {\"p\":%s:", eol);

        memset(text + at, 'x', n - 1 - strlen(eol));
        at += n - 1 - strlen(eol);

        at += (size_t) sprintf(text + at, "%s", eol);
        len = at + (size_t) sprintf(text + at, "data: 0.125}%s%s", eol, eol);

        /* in pieces that end around the end of the fields, too */

        for (i = 0; i < 6; i++) {
            refuse_init(&refuse);

            rc = refuse_run(&kit, &refuse, MODELGUARD_FRAMING_EVENTS, text,
                            i < 3 ? cuts[i] : at + 2 - i, len);

            bad += n > MODELGUARD_FRAME_FIELDS_MAX
                   ? rc != MODELGUARD_TOO_BIG
                   : rc != MODELGUARD_OK || refuse.out.out.len != len - 2
                     || strstr((char *) refuse.out.out.data, "xx") == NULL;

            frame_out_free(&refuse.out);
        }
    }

    ok(bad == 0, "%u bytes of fields, a byte less, a byte more; %s",
       MODELGUARD_FRAME_FIELDS_MAX, eol[0] == '\n' ? "LF"
                                    : eol[1] == '\n' ? "CRLF" : "CR");

    free(text);
    kit_free();
}


/* the last line has no end, and what it would be is no part of a document */

static void
test_name(void)
{
    int       rc;
    kit_t     kit;
    refuse_t  refuse;

    kit_build(&kit, "scores $.p | round=1");

    refuse_init(&refuse);
    rc = refuse_run(&kit, &refuse, MODELGUARD_FRAMING_EVENTS,
                    "data: {\"a\":\"x\ndata", 0, 100);

    ok(rc == MODELGUARD_MALFORMED, "a line end within a string, then %d", rc);

    frame_out_free(&refuse.out);
    kit_free();
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_case(&cases[i]);
    }

    test_room("\n");
    test_room("\r\n");
    test_room("\r");
    test_name();

    ok(kit_allocated == 0, "all memory was given back");

    return tap_done();
}
