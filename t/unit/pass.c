
/*
 * Copyright (C) the modelguard authors
 *
 * The framing after an error: what is passed on behind it, above all the
 * fields of an event whose data stops within a line, and a sink that takes no
 * more just then.
 */


#include "frame_kit.h"


typedef struct {
    const char  *name;
    const char  *text;
    const char  *out;
} pass_case_t;


/*
 * The line end that the fields would have followed is dropped with the value
 * around it: they go behind the end of the line that failed, or break it
 * where its end has not come yet.
 */

static const pass_case_t  cases[] = {
    { "LF", "data: {\"m\":[1\nid: 2\ndata: ,x]}\n\n",
      "data: { ,x]}\nid: 2\n\n" },
    { "CRLF", "data: {\"m\":[1\r\nid: 2\r\ndata: ,x]}\r\n\r\n",
      "data: { ,x]}\r\nid: 2\r\n\r\n" },
    { "CR", "data: {\"m\":[1\rid: 2\rdata: ,x]}\r\r",
      "data: { ,x]}\rid: 2\r\r" },
    { "no end", "data: {\"m\":[1\nid: 2\ndata: ,x]}",
      "data: { ,x]}\nid: 2\ndata:" }
};


/* granted calls of the sink: 0 is the last */

static unsigned  pass_left;


static int
pass_sink(void *data, const uint8_t *bytes, size_t len)
{
    if (pass_left == 0) {
        return MODELGUARD_INVALID;
    }

    pass_left--;

    return kit_sink(data, bytes, len);
}


static modelguard_frame_t *
pass_create(const kit_t *kit, frame_out_t *out, modelguard_framing_e framing)
{
    modelguard_frame_conf_t  conf;

    memset(out, 0, sizeof(frame_out_t));
    memset(&conf, 0, sizeof(modelguard_frame_conf_t));

    conf.framing = framing;
    conf.rewrite.rules = kit->rules;
    conf.rewrite.depth = 16;
    conf.rewrite.hold = 4096;
    conf.rewrite.sink = pass_sink;
    conf.rewrite.sink_data = out;
    conf.rewrite.alloc = kit_alloc;

    return modelguard_frame_create(&conf);
}


static void
test_case(const pass_case_t *test)
{
    int                  rc, passed;
    kit_t                kit;
    unsigned             n;
    frame_out_t          out;
    modelguard_frame_t  *frame;

    kit_build(&kit, "metadata $.m | drop");

    for (n = 0; n < 100; n++) {
        frame = pass_create(&kit, &out, MODELGUARD_FRAMING_EVENTS);

        pass_left = 100;

        rc = modelguard_frame_feed(frame, (const uint8_t *) test->text,
                                   strlen(test->text));

        pass_left = n;
        passed = modelguard_frame_pass(frame);

        modelguard_frame_free(frame);

        if (passed == MODELGUARD_OK || rc != MODELGUARD_MALFORMED) {
            break;
        }

        free(out.out.data);

        if (passed != MODELGUARD_SINK) {
            break;
        }
    }

    ok(rc == MODELGUARD_MALFORMED && passed == MODELGUARD_OK && n > 1
       && out.out.len == strlen(test->out)
       && memcmp(out.out.data, test->out, out.out.len) == 0,
       "fields behind a failed line, %s, after %u refusals", test->name, n);

    frame_print("passed", out.out.data, out.out.len);

    free(out.out.data);
    kit_free();
}


/* the error of the sink stays, and nothing more is given to it */

static void
test_sink(modelguard_framing_e framing, const char *text)
{
    kit_t                kit;
    size_t               len;
    frame_out_t          out;
    modelguard_frame_t  *frame;

    kit_build(&kit, "metadata $.m | drop");

    len = strlen(text);
    frame = pass_create(&kit, &out, framing);

    pass_left = 100;

    ok(modelguard_frame_feed(frame, (const uint8_t *) text, len)
       == MODELGUARD_MALFORMED, "a bad document");

    pass_left = 0;

    ok(modelguard_frame_pass(frame) == MODELGUARD_SINK, "the sink is full");

    pass_left = 100;

    ok(modelguard_frame_pass(frame)
       == (framing == MODELGUARD_FRAMING_NONE ? MODELGUARD_OK
                                              : MODELGUARD_SINK)
       && pass_left == 100, "nothing is passed twice");

    modelguard_frame_free(frame);
    free(out.out.data);
    kit_free();
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_case(&cases[i]);
    }

    test_sink(MODELGUARD_FRAMING_NONE, "{\"a\":1,x}");
    test_sink(MODELGUARD_FRAMING_SEQUENCE, "{\"a\":1}\n{\"a\":x}");
    test_sink(MODELGUARD_FRAMING_EVENTS, "data: {\"a\":x}\n\n");

    ok(kit_allocated == 0, "all memory was given back");

    return tap_done();
}
