
/*
 * Copyright (C) the modelguard authors
 *
 * Numbers without rank, which are sent while they are read: with each level of
 * vector instructions, however the input is cut, the same as what comes out
 * when it is fed byte by byte, which leaves each number to the long way.
 */


#include "run_cut.h"


#define ALONE_DIGITS  7


typedef struct {
    kit_out_t   out;
    unsigned    left;      /* calls that the sink takes; then it refuses */
} alone_sink_t;


static kit_t      alone_kits[ALONE_DIGITS + 1], alone_odd[6];
static char       alone_specs[ALONE_DIGITS + 1][80];

static const char  *alone_odd_specs[] = {
    "embedding $.s | step=0.05; logits $.d | drop",
    "embedding $.s | null; logits $.d | drop",
    "embedding $.s | keep; logits $.d | drop",
    "embedding $.s[*] $.s | round=2; metadata $.s[2] | drop",
    "embedding $.s[*] | round=2; metadata $.s[*][1] | null",
    "scores $.s[*][*][1] | round=1 top=2; embedding $.s[*] | round=3"
};


static void
alone_build(void)
{
    int     i;
    size_t  n;

    for (i = 0; i <= ALONE_DIGITS; i++) {
        sprintf(alone_specs[i], "embedding $.s | round=%d; logits $.d | drop",
                i);
        kit_build(&alone_kits[i], alone_specs[i]);
    }

    for (n = 0; n < sizeof(alone_odd_specs) / sizeof(char *); n++) {
        kit_build(&alone_odd[n], alone_odd_specs[n]);
    }
}


static void
alone_document(void)
{
    unsigned  kind, i;

    run_len = 0;
    kind = run_random(6);

    run_add("{\"d\":[0.25,1],\"s\":");

    if (run_random(2)) {
        run_vector(kind, run_random(101));

    } else {
        run_add("[");

        for (i = run_random(5); i > 0; i--) {
            run_vector(kind, run_random(20));
            run_add(run_random(2) ? "," : " ,0.12345678 , ");
        }

        run_vector(kind, run_random(20));
        run_add("]");
    }

    run_add(",\"d\":");
    run_vector(run_random(6), run_random(9));
    run_add(",\"x\":0.125}");
}


static void
alone_random(void)
{
    unsigned  i, n, differ;

    differ = 0;

    for (i = 0; i < 400 && differ < 3; i++) {
        alone_document();
        differ += cut_compare(&alone_kits[run_random(ALONE_DIGITS + 1)],
                                MODELGUARD_HOLD_DEFAULT, i % 50 == 0);

        n = run_random(sizeof(alone_odd_specs) / sizeof(char *));
        differ += cut_compare(&alone_odd[n], MODELGUARD_HOLD_DEFAULT, 0);
    }

    ok(differ == 0, "%u random documents", i);
}


/* what is no number, or not plainly one, in every place of a vector */

static void
alone_mixed(void)
{
    int         digits;
    size_t      i, n;
    unsigned    at, differ;

    static const char  *values[] = {
        "0", "-0", "-0.0", "1", "-1", "9.99999999", "-9.99999999", "0.05",
        "0.125", "0.0000005", "0.00000050000", "99999999", "99999.9999999",
        "999999.95", "9999999.5", "9e5", "9e6", "-9e6", "1e400", "1e-400",
        "5E-1", "0.5e+1", "4.9e-324", "NaN", "Infinity", "-Infinity",
        "0.12345678901234567890123456789012", " 0.123456789",
        "0.123456789012345678901234567890123",
        "12345678901234567890123456789012.5",
        "0.1234567890123456789012345678901234567890123456789", "\t0.123456 ",
        "\r\n                              0.1234567",
        "                                0.1234567",
        "                                 0.1234567", "null", "true",
        "\"0\"", "\"\"", "\"0.123456\"", "\"\\u0030.5\"", "[]",
        "[0.123456,0.65432]", "[[0.123456]]", "{}", "{\"a\":0.123456}",
        "{\"s\":[0.123456,{\"s\":[0.654321]}]}", "", "0.", ".5", "-", "--1",
        "+1", "00.5", "0.1.2", "0.1e", "0.1e-", "0.1x", "1e-05x", "0.5e-0005",
        "0.5e00000000000000000000000000000000000000000000000001", "0x1",
        "0.123456789}", "0.123456789]", "0.1 0.2", "0.1,,0.2", "nul",
        "\"\n\"", "\"\\x\"", "\"\xff\"", "/**/1", "0.1\x01", "\xc3\xa9", ":1"
    };

    n = sizeof(values) / sizeof(values[0]);
    differ = 0;

    for (digits = 0; digits <= ALONE_DIGITS; digits++) {

        for (i = 0; i < n && differ < 3; i++) {

            for (at = 0; at < 4; at++) {
                run_len = 0;
                run_add("{\"s\":[");
                run_add(at == 0 ? values[i] : "0.7312498");
                run_add(",0.1120054,");
                run_add(at == 1 ? values[i] : "-0.0041120054");
                run_add(",");
                run_add(at == 2 ? values[i] : "1.25");
                run_add(" , 0.99999 ]");
                run_add(at == 3 ? "" : ",\"x\":0.123}");

                differ += cut_compare(&alone_kits[digits],
                                        MODELGUARD_HOLD_DEFAULT,
                                        digits == 2 && at == 1);
            }
        }
    }

    ok(differ == 0, "%zu values among numbers, in 0 to 7 digits", n);
}


/*
 * Numbers as short as they can be, which leave as long as they came, beside
 * some that fill the output to each of the bytes before its end.
 */

static void
alone_full(void)
{
    unsigned  i, n, differ;

    differ = 0;

    for (n = 0; n < 40 && differ < 3; n++) {
        run_len = 0;
        run_add("{\"");

        for (i = 0; i < n; i++) {
            run_add("p");
        }

        run_add("\":1,\"s\":[0");

        for (i = 0; i < 3000; i++) {
            run_add(i % 40 == n ? ",0.123456" : ",0");
        }

        for (i = 0; i < 600; i++) {
            run_add(i % 2 ? ",-8.123456" : ",-99.999999");
        }

        run_add("]}");

        differ += cut_compare(&alone_kits[6], MODELGUARD_HOLD_DEFAULT, 0);
    }

    ok(differ == 0, "the output is filled up to its last byte");
}


/* the limit of what is held is that of the long way */

static void
alone_limits(void)
{
    size_t    hold;
    unsigned  i, spaces, digits, differ;

    differ = 0;

    for (hold = 1; hold < 130 && differ < 3; hold += (hold < 100 ? 11 : 1)) {

        for (spaces = 0; spaces < 130; spaces += (spaces < 28 ? 7 : 1)) {

            for (digits = 1; digits < 130; digits += 32) {
                run_len = 0;
                run_add("{\"s\":[0.5,");

                for (i = 0; i < spaces; i++) {
                    run_add(" ");
                }

                run_add("0.");
                run_digits(digits);
                run_add(",0.25,0.125]}");

                differ += cut_compare(&alone_kits[2], hold, 0);
            }
        }
    }

    ok(differ == 0, "limits from 1 to 129 bytes");
}


static int
alone_refuse(void *data, const uint8_t *bytes, size_t len)
{
    alone_sink_t  *sink;

    sink = data;

    if (sink->left == 0) {
        return MODELGUARD_SINK;
    }

    sink->left--;

    return kit_sink(&sink->out, bytes, len);
}


/* what a sink has taken before it refuses is the beginning of the output */

static void
alone_refused(void)
{
    int                         rc;
    unsigned                    i, bad, left;
    kit_out_t                   want;
    alone_sink_t                sink;
    modelguard_rewrite_t       *rw;
    modelguard_rewrite_conf_t   conf;

    run_len = 0;
    run_add("{\"s\":[0.5");

    for (i = 0; i < 3000; i++) {
        run_add(",0.25");
        run_digits(9);
    }

    run_add("]}");

    cut_rewrite(&alone_kits[4], &want, MODELGUARD_SIMD_PORTABLE, 0, 1,
                  MODELGUARD_HOLD_DEFAULT);
    bad = 0;
    rc = MODELGUARD_SINK;

    for (left = 0; rc != MODELGUARD_OK && left < 100; left++) {
        memset(&sink, 0, sizeof(alone_sink_t));
        sink.left = left;

        conf.rules = alone_kits[4].rules;
        conf.depth = MODELGUARD_DEPTH_DEFAULT;
        conf.hold = MODELGUARD_HOLD_DEFAULT;
        conf.sink = alone_refuse;
        conf.sink_data = &sink;
        conf.alloc = kit_alloc;
        conf.alloc_data = NULL;

        rw = modelguard_rewrite_create(&conf);
        rc = cut_feed(rw, 0, run_len);

        if (rc == MODELGUARD_OK) {
            rc = modelguard_rewrite_finish(rw);
        }

        bad += (rc != MODELGUARD_OK && rc != MODELGUARD_SINK)
               || sink.out.len > want.len
               || (rc == MODELGUARD_OK && sink.out.len != want.len)
               || (rc != MODELGUARD_OK
                   && modelguard_rewrite_pass(rw) != MODELGUARD_SINK)
               || (sink.out.len
                   && memcmp(sink.out.data, want.data, sink.out.len) != 0);

        modelguard_rewrite_free(rw);
        free(sink.out.data);
    }

    ok(bad == 0 && rc == MODELGUARD_OK && left > 5,
       "a sink refuses at each of %u times", left - 1);

    free(want.data);
}


/* after an error, what was treated stays so and the rest goes as it is */

static void
alone_passed(void)
{
    int                    rc;
    size_t                 n, at, len;
    unsigned               bad;
    kit_out_t              out;
    modelguard_rewrite_t  *rw;

    static const char  text[] =
        "{\"s\":[0.7312498,0.1120054,-0.0041123,5e-1,0.25x,0.123456]}";
    static const char  want[] =
        "{\"s\":[0.73,0.11,0,0.5,0.25x,0.123456]}";

    bad = 0;
    len = sizeof(text) - 1;

    for (at = 1; at < len; at++) {
        rw = kit_create(&alone_kits[2], &out, MODELGUARD_DEPTH_DEFAULT,
                        MODELGUARD_HOLD_DEFAULT);

        n = at;
        rc = modelguard_rewrite_feed(rw, (const uint8_t *) text, at);

        if (rc == MODELGUARD_OK) {
            n = len;
            rc = modelguard_rewrite_feed(rw, (const uint8_t *) text + at,
                                         len - at);
        }

        bad += (rc != MODELGUARD_MALFORMED
                || modelguard_rewrite_pass(rw) != MODELGUARD_OK);

        (void) kit_sink(&out, (const uint8_t *) text + n, len - n);

        bad += out.len != sizeof(want) - 1
               || memcmp(out.data, want, out.len) != 0;

        modelguard_rewrite_free(rw);
        free(out.data);
    }

    ok(bad == 0, "passed after an error, cut at %zu places", at - 1);
}


int
main(void)
{
    alone_build();

    alone_mixed();
    alone_full();
    alone_limits();
    alone_refused();
    alone_passed();
    alone_random();

    ok(cut_levels & 1, "%u ways, levels %#x", cut_ways, cut_levels);
    ok(kit_allocated == 0, "all memory is given back");

    kit_free();

    return tap_done();
}
