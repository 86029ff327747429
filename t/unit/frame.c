
/*
 * Copyright (C) the modelguard authors
 *
 * The framing: every stream of frame_cases.h whole, in bytes, in threes and
 * cut in two everywhere, in memory that ends at a forbidden page: the same
 * output and the same frames.  And what goes wrong: limits, memory, sinks.
 */


#include "frame_kit.h"
#include "frame_cases.h"


#define SPEC         "scores $.p | round=1 top=2; metadata $.m $.q[*].m | drop"
#define FLAT_EVENTS  100000


static size_t  fail_allocs;          /* requests of memory that are granted */


/* the untreated rest is there, byte for byte */

static int
passed(const frame_out_t *out, const unsigned char *text, size_t len)
{
    return out->bad == 0
           && (out->out.rc == MODELGUARD_OK
               || (out->out.len == len
                   && (len == 0 || memcmp(out->out.data, text, len) == 0)));
}


/* the same bytes, those of line ends and of "data: " put aside */

static int
passed_mixed(const frame_out_t *out, const unsigned char *text, size_t len)
{
    int     seen[256];
    size_t  i;

    memset(seen, 0, sizeof(seen));

    for (i = 0; i < len; i++) {
        seen[text[i]]++;
    }

    for (i = 0; i < out->out.len; i++) {
        seen[out->out.data[i]]--;
    }

    for (i = 0; i < 256; i++) {

        if (seen[i] && strchr("data: \r\n", (int) i) == NULL) {
            return 0;
        }
    }

    return out->bad == 0;
}


/* takes the ends of frames out of what is expected */

static void
expected(const char *text, frame_out_t *want)
{
    memset(want, 0, sizeof(frame_out_t));

    for ( /* void */ ; *text != '\0'; text++) {

        if (*text == '|') {
            (void) frame_end(want);

        } else {
            (void) kit_sink(want, (const uint8_t *) text, 1);
        }
    }
}


static void
test_case(const frame_case_t *test)
{
    kit_t           kit;
    size_t          len;
    unsigned        differ;
    frame_out_t     want, out;
    frame_check_pt  check;

    kit_build(&kit, SPEC);

    len = strlen(test->text);
    check = (test->rc == MODELGUARD_OK) ? NULL
                                        : test->mixed ? passed_mixed : passed;

    expected(test->out, &want);

    differ = frame_split(&kit, &out, test->framing,
                         (const unsigned char *) test->text, len, 1, check);

    want.out.rc = test->rc;
    want.out.treated = out.out.treated;
    want.out.dropped = out.out.dropped;
    want.count = out.count;

    if (!ok(differ == 0 && frame_equal(&out, &want), "%s: %s",
            test->framing == MODELGUARD_FRAMING_EVENTS ? "events"
                                                       : "sequence",
            test->name))
    {
        printf("# rc %d, %zu frames for %zu\n", out.out.rc, out.n, want.n);
        frame_print("wanted", want.out.data, want.out.len);
        frame_print("got   ", out.out.data, out.out.len);
    }

    frame_out_free(&want);
    frame_out_free(&out);
    kit_free();
}


static void
test_count(void)
{
    kit_t        kit;
    const char  *text;
    frame_out_t  out;

    kit_build(&kit, SPEC);

    text = "data: 1\n\n:\n\ndata: [DONE]\n\ndata:\n\n"
           "data: {\"p\":[0.28,0.51],\"m\":1}\n\ndata: {\"p\":[0.11]}";

    frame_run(&kit, &out, MODELGUARD_FRAMING_EVENTS,
              (const unsigned char *) text, strlen(text), 0, 7);

    ok(out.count == 3 && out.out.treated == 3 && out.out.dropped == 1,
       "documents and numbers of events are counted");

    frame_out_free(&out);

    text = "1 {\"p\":[0.28,0.51],\"m\":1}\n\n{\"p\":[0.11]}2";

    frame_run(&kit, &out, MODELGUARD_FRAMING_SEQUENCE,
              (const unsigned char *) text, strlen(text), 0, 7);

    ok(out.count == 4 && out.out.treated == 3 && out.out.dropped == 1,
       "documents and numbers of a sequence are counted");

    frame_out_free(&out);

    frame_run(&kit, &out, MODELGUARD_FRAMING_NONE,
              (const unsigned char *) "{}", 2, 0, 7);

    ok(out.count == 1 && out.n == 0, "one document is counted");

    frame_out_free(&out);
    kit_free();
}


/* fields after the data: as many as there may be, and one byte more */

static void
test_fields(int between, int diff)
{
    int             rc;
    char           *text;
    kit_t           kit;
    size_t          len, fields;
    unsigned        differ;
    frame_out_t     out;
    frame_check_pt  check;

    kit_build(&kit, SPEC);

    rc = diff > 0 ? MODELGUARD_TOO_BIG : MODELGUARD_OK;
    fields = MODELGUARD_FRAME_FIELDS_MAX + (size_t) diff;

    text = malloc(fields + 100);

    /* all but the second line of data is fields, with their line ends */

    len = (size_t) sprintf(text, "data: {\"p\":[7]%sid: 1\n:c\n%s",
                           between ? "\n" : "}\n",
                           between ? "data: }\n" : "");

    memset(text + len, 'x', fields - 10);
    text[len] = ':';
    len += fields - 10;

    len += (size_t) sprintf(text + len, "\n\n");

    check = (rc != MODELGUARD_OK) ? passed : NULL;

    differ = frame_split(&kit, &out, MODELGUARD_FRAMING_EVENTS,
                         (unsigned char *) text, len, 97, check);

    ok(differ == 0 && out.out.rc == rc && out.out.len == len
       && memcmp(out.out.data, text, len) == 0,
       "%zu bytes of fields %s data", fields, between ? "between" : "behind");

    free(text);
    frame_out_free(&out);
    kit_free();
}


/* an event, or a comment, is a frame before another byte has come */

static void
test_prompt(const char *text, modelguard_framing_e framing, size_t frames)
{
    kit_t                kit;
    frame_out_t          out;
    modelguard_frame_t  *frame;

    kit_build(&kit, SPEC);

    frame = frame_create(&kit, &out, framing);

    ok(modelguard_frame_feed(frame, (const uint8_t *) text, strlen(text))
       == MODELGUARD_OK
       && out.n == frames && out.out.len == strlen(text),
       "%zu frames are not waited for", frames);

    modelguard_frame_free(frame);
    frame_out_free(&out);
    kit_free();
}


/* what is complete when the input pauses; "after" are the frames then */

static void
test_flush(const char *text, modelguard_framing_e framing, int rc,
    size_t before, size_t after)
{
    kit_t                kit;
    size_t               i, len;
    unsigned             bad;
    frame_out_t          out;
    modelguard_frame_t  *frame;

    kit_build(&kit, SPEC);

    frame = frame_create(&kit, &out, framing);

    bad = (modelguard_frame_flush(frame) != MODELGUARD_OK || out.n != 0);
    bad += modelguard_frame_feed(frame, (const uint8_t *) text, strlen(text))
           != rc;
    bad += (out.n != before);

    len = out.out.len;

    for (i = 0; i < 2; i++) {
        bad += (modelguard_frame_flush(frame) != rc || out.n != after
                || out.out.len != len);
    }

    ok(bad == 0, "%zu frames of %zu bytes, %zu when the input pauses", before,
       strlen(text), after);

    modelguard_frame_free(frame);
    frame_out_free(&out);
    kit_free();
}


/* what is endless but not data passes as it comes */

static void
test_endless(const char *begin, modelguard_framing_e framing)
{
    kit_t                kit;
    size_t               i, allocs, before;
    unsigned             bad;
    frame_out_t          out;
    unsigned char        text[1000];
    modelguard_frame_t  *frame;

    kit_build(&kit, SPEC);

    memset(text, *begin == '\n' ? ' ' : *begin, sizeof(text));
    bad = 0;

    frame = frame_create(&kit, &out, framing);

    bad += modelguard_frame_feed(frame, (const uint8_t *) begin,
                                 strlen(begin))
           != MODELGUARD_OK;

    allocs = frame_allocs;

    for (i = 0; i < 1000; i++) {
        before = out.out.len;
        bad += modelguard_frame_feed(frame, text, sizeof(text))
               != MODELGUARD_OK
               || out.out.len != before + sizeof(text);
    }

    bad += modelguard_frame_finish(frame) != MODELGUARD_OK;

    ok(bad == 0 && frame_allocs == allocs, "a megabyte of \"%c\"", text[0]);

    modelguard_frame_free(frame);
    frame_out_free(&out);
    kit_free();
}


static int
flat_sink(void *data, const uint8_t *bytes, size_t len)
{
    uint64_t  *out;

    out = data;

    out[0] += len;
    out[1] ^= bytes[len - 1];

    return MODELGUARD_OK;
}


static int
flat_end(void *data)
{
    ((uint64_t *) data)[2]++;

    return MODELGUARD_OK;
}


/* a stream of any length takes no more memory than its first events */

static void
test_flat(modelguard_framing_e framing, const char *event, size_t step)
{
    kit_t                     kit;
    size_t                    i, at, n, len, allocs, bytes;
    uint64_t                  out[3];
    unsigned                  bad;
    modelguard_frame_t       *frame;
    modelguard_frame_conf_t   conf;

    kit_build(&kit, SPEC);

    memset(out, 0, sizeof(out));
    memset(&conf, 0, sizeof(conf));

    conf.framing = framing;
    conf.frame = flat_end;
    conf.rewrite.rules = kit.rules;
    conf.rewrite.depth = 16;
    conf.rewrite.hold = 65536;
    conf.rewrite.sink = flat_sink;
    conf.rewrite.sink_data = out;
    conf.rewrite.alloc = frame_alloc;

    frame = modelguard_frame_create(&conf);

    len = strlen(event);
    allocs = 0;
    bytes = 0;
    bad = 0;

    for (i = 0; i < FLAT_EVENTS; i++) {

        for (at = 0; at < len; at += n) {
            n = step < len - at ? step : len - at;
            bad += modelguard_frame_feed(frame, (const uint8_t *) event + at,
                                         n)
                   != MODELGUARD_OK;
        }

        if (i == 2) {
            allocs = frame_allocs;
            bytes = kit_allocated;
        }
    }

    ok(bad == 0 && frame_allocs == allocs && kit_allocated == bytes
       && modelguard_frame_finish(frame) == MODELGUARD_OK
       && modelguard_frame_count(frame) == FLAT_EVENTS && out[2] == FLAT_EVENTS
       && modelguard_frame_stat(frame)->treated == 3 * FLAT_EVENTS,
       "%d documents in pieces of %zu: no memory but for the first",
       FLAT_EVENTS, step);

    modelguard_frame_free(frame);
    kit_free();
}


static void *
failing_alloc(void *data, void *old, size_t old_size, size_t size)
{
    if (size) {

        if (fail_allocs == 0) {
            return NULL;
        }

        fail_allocs--;
    }

    return kit_alloc(data, old, old_size, size);
}


/* the sink, or the end of a frame, refuses its n-th call: out->rc counts */

static int
failing_sink(void *data, const uint8_t *bytes, size_t len)
{
    kit_out_t  *out;

    out = data;

    return out->rc-- > 0 ? kit_sink(out, bytes, len) : MODELGUARD_INVALID;
}


static int
failing_end(void *data)
{
    return ((kit_out_t *) data)->rc-- > 0 ? MODELGUARD_OK : MODELGUARD_INVALID;
}


static const char  fail_events[] =
    ":c\n\xef\xbb\xbf\nid: 1\r\ndata: {\"p\":[0.28\r\nid: 2\r\ndata: ,0.51,\r\n"
    "id: 3\r\ndata: 0.44],\r\ndata: \"q\":1}\r\nid: 4\r\n\r\ndata: [DONE]\n\n"
    "data: {\"p\":[0.28\nid: 2\ndata: ,0.51,0.44]}\nid: 4\n";

static const char  fail_sequence[] =
    "\x1e{\"p\":[0.28,0.51,0.4]}\n1{\"p\":[0.28,0.51,0.4]} {\"p\":[0.28]}[]\n";


static int
failing_run(modelguard_frame_t *frame, const char *text, size_t step)
{
    int     rc;
    size_t  at, n, len;

    len = strlen(text);
    rc = MODELGUARD_OK;

    for (at = 0; at < len && rc == MODELGUARD_OK; at += n) {
        n = step < len - at ? step : len - at;
        rc = modelguard_frame_feed(frame, (const uint8_t *) text + at, n);
    }

    return rc == MODELGUARD_OK ? modelguard_frame_finish(frame) : rc;
}


/* every request of memory, or every call of the sink, fails once */

static void
test_failing(modelguard_framing_e framing, const char *text, size_t step,
    int memory)
{
    int                       rc;
    kit_t                     kit;
    size_t                    n, before;
    unsigned                  bad;
    kit_out_t                 out;
    modelguard_frame_t       *frame;
    modelguard_frame_conf_t   conf;

    kit_build(&kit, SPEC);

    memset(&conf, 0, sizeof(conf));

    conf.framing = framing;
    conf.frame = failing_end;
    conf.rewrite.rules = kit.rules;
    conf.rewrite.depth = 16;
    conf.rewrite.hold = 4096;
    conf.rewrite.sink = failing_sink;
    conf.rewrite.sink_data = &out;
    conf.rewrite.alloc = failing_alloc;

    bad = 0;

    for (n = 0; n < 1000; n++) {
        memset(&out, 0, sizeof(out));

        fail_allocs = memory ? n : 1000;
        out.rc = memory ? 100000 : (int) n;

        frame = modelguard_frame_create(&conf);

        if (frame == NULL) {
            bad += !memory;
            continue;
        }

        rc = failing_run(frame, text, step);

        if (rc == MODELGUARD_OK) {
            modelguard_frame_free(frame);
            free(out.data);
            break;
        }

        before = out.len;
        out.rc = 100000;

        if (memory) {
            bad += rc != MODELGUARD_NOMEM
                   || modelguard_frame_pass(frame) != MODELGUARD_OK;

        } else {
            bad += rc != MODELGUARD_SINK
                   || modelguard_frame_pass(frame) != MODELGUARD_SINK
                   || modelguard_frame_finish(frame) != MODELGUARD_SINK
                   || modelguard_frame_feed(frame, (const uint8_t *) "1", 1)
                      != MODELGUARD_SINK
                   || out.len != before;
        }

        modelguard_frame_free(frame);
        free(out.data);
    }

    ok(bad == 0 && n > 2 && n < 1000 && kit_allocated == 0,
       "%zu refusals of %s, in pieces of %zu", n, memory ? "memory"
                                                         : "the sink", step);

    kit_free();
}


static void
test_failings(void)
{
    size_t  i;

    static const size_t  steps[] = { 1, 7, 1000 };

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        test_failing(MODELGUARD_FRAMING_EVENTS, fail_events, steps[i], 0);
        test_failing(MODELGUARD_FRAMING_EVENTS, fail_events, steps[i], 1);
        test_failing(MODELGUARD_FRAMING_SEQUENCE, fail_sequence, steps[i], 0);
        test_failing(MODELGUARD_FRAMING_SEQUENCE, fail_sequence, steps[i], 1);
    }
}


/* calls in an order of no sense, and no one to tell of frames */

static void
test_order(void)
{
    kit_t                     kit;
    kit_out_t                 out;
    modelguard_frame_t       *frame;
    modelguard_frame_conf_t   conf;

    kit_build(&kit, SPEC);

    memset(&conf, 0, sizeof(conf));
    memset(&out, 0, sizeof(out));

    conf.framing = MODELGUARD_FRAMING_EVENTS;
    conf.rewrite.rules = kit.rules;
    conf.rewrite.depth = 16;
    conf.rewrite.hold = 4096;
    conf.rewrite.sink = kit_sink;
    conf.rewrite.sink_data = &out;
    conf.rewrite.alloc = kit_alloc;

    frame = modelguard_frame_create(&conf);

    ok(modelguard_frame_pass(frame) == MODELGUARD_OK
       && modelguard_frame_feed(frame, NULL, 0) == MODELGUARD_OK
       && out.len == 0, "passing before anything, feeding nothing");

    ok(modelguard_frame_feed(frame, (const uint8_t *) "data: 1\n\n:", 10)
       == MODELGUARD_OK
       && out.len == 10
       && modelguard_frame_finish(frame) == MODELGUARD_OK
       && modelguard_frame_pass(frame) == MODELGUARD_OK
       && out.len == 10, "frames of which nobody is told");

    modelguard_frame_free(frame);
    free(out.data);
    kit_free();
}


int
main(void)
{
    int     diff;
    size_t  i;

    for (i = 0; i < FRAME_CASES; i++) {
        test_case(&frame_cases[i]);
    }

    test_count();

    for (diff = -1; diff <= 1; diff++) {
        test_fields(0, diff);
        test_fields(1, diff);
    }

    test_prompt("data: 1\n\n", MODELGUARD_FRAMING_EVENTS, 1);
    test_prompt("data: 1\r\n\r\n:\r\n", MODELGUARD_FRAMING_EVENTS, 2);
    test_prompt("data: 1\r\r:c\rid: 1\rdata: 2\r\r",
                MODELGUARD_FRAMING_EVENTS, 3);
    test_prompt("1\n{}\n\n", MODELGUARD_FRAMING_SEQUENCE, 3);

    test_flush("{}", MODELGUARD_FRAMING_SEQUENCE, MODELGUARD_OK, 0, 1);
    test_flush("{}[] ", MODELGUARD_FRAMING_SEQUENCE, MODELGUARD_OK, 1, 2);
    test_flush("{}\n", MODELGUARD_FRAMING_SEQUENCE, MODELGUARD_OK, 1, 1);
    test_flush("{}{", MODELGUARD_FRAMING_SEQUENCE, MODELGUARD_OK, 1, 1);
    test_flush("12", MODELGUARD_FRAMING_SEQUENCE, MODELGUARD_OK, 0, 0);
    test_flush("{}{]", MODELGUARD_FRAMING_SEQUENCE, MODELGUARD_MALFORMED, 1,
               1);
    test_flush("data: {}\n", MODELGUARD_FRAMING_EVENTS, MODELGUARD_OK, 0, 0);
    test_flush("{}", MODELGUARD_FRAMING_NONE, MODELGUARD_OK, 0, 0);

    test_endless(" ", MODELGUARD_FRAMING_EVENTS);
    test_endless("\xef\xbb\xbf", MODELGUARD_FRAMING_EVENTS);
    test_endless(":", MODELGUARD_FRAMING_EVENTS);
    test_endless("dd", MODELGUARD_FRAMING_EVENTS);
    test_endless("\n", MODELGUARD_FRAMING_SEQUENCE);

    for (i = 7; i < 1000; i *= 100) {
        test_flat(MODELGUARD_FRAMING_EVENTS,
                  "id: 1\ndata: {\"p\":[0.28,\nid: 2\ndata: 0.51, 0.44]}\n"
                  "id: 3\n\n", i);
        test_flat(MODELGUARD_FRAMING_SEQUENCE,
                  "{\"p\":[0.28,0.51, 0.44]}\n", i);
    }

    test_failings();
    test_order();

    ok(kit_allocated == 0, "all memory was given back");

    return tap_done();
}
