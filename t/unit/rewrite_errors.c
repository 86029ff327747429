
/*
 * Copyright (C) the modelguard authors
 *
 * The rewriter when things go wrong: no memory at any of its requests, a
 * sink that refuses, documents that end in an error, and what is passed on
 * behind the error: the treated beginning and the rest as it came, with
 * nothing lost and nothing twice.
 */


#include <ctype.h>

#include "rewrite_kit.h"


#define LONG  3000                   /* digits: a number with its own buffer */


typedef struct {
    const char  *spec;
    const char  *doc;
    int          rc;
} error_case_t;


/*
 * Every treatment here puts as many bytes in the place of a value as it had,
 * so that what is passed on stands where it stood.
 */

static const error_case_t  cases[] = {
    { "scores $.p | label_only", "{\"p\":[3,9,5],\"x\":[1,}",
      MODELGUARD_MALFORMED },
    { "scores $.p | label_only", "{\"p\":[3,9,5,", MODELGUARD_TRUNCATED },
    { "scores $.p | label_only", "{\"p\":[3,9],\"x\":tru",
      MODELGUARD_TRUNCATED },
    { "scores $ | label_only", "-", MODELGUARD_TRUNCATED },
    { "scores $ | label_only", "", MODELGUARD_TRUNCATED },
    { "scores $[*] | label_only", "[[3,9],[5,4],[\"0.25\"]]",
      MODELGUARD_UNTREATABLE },
    { "scores $ | label_only", "[[3,9],[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
      MODELGUARD_TOO_DEEP },
    { "scores $.a $.b | label_only",
      "{\"a\":[3,9],\"b\":[1,2                                        "
      "                                                            ]}",
      MODELGUARD_TOO_BIG },
    { "scores $[*].s label=$[*].l | label_only",
      "[{\"s\":3,\"x\":\"                                                    "
      "                                            \"}]",
      MODELGUARD_TOO_BIG },
    { "scores $.a $.~^z | label_only",
      "{\"a\":[3,9],\"zkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
      "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\":1}",
      MODELGUARD_TOO_BIG },
    { "scores $.s label=$.l[*] | label_only",
      "{\"s\":[7],\"l\":[7],\"q\":[}", MODELGUARD_MALFORMED },
    { "scores $.d shape=$.s | label_only",
      "{\"s\":[3,2],\"d\":[3,9,5,4,8,x", MODELGUARD_MALFORMED },
    { "scores $.d shape=$.s | label_only",
      "{\"d\":[3,9,5,4,8],\"s\":[3,2],}", MODELGUARD_MALFORMED }
};


static size_t  kit_fail;             /* requests of memory that are granted */


static void *
failing_alloc(void *data, void *old, size_t old_size, size_t size)
{
    if (size) {

        if (kit_fail == 0) {
            return NULL;
        }

        kit_fail--;
    }

    return kit_alloc(data, old, old_size, size);
}


static int
failing_sink(void *data, const uint8_t *bytes, size_t len)
{
    kit_out_t  *out;

    out = data;

    if (out->rc == 0) {
        return MODELGUARD_INVALID;
    }

    out->rc--;

    return kit_sink(data, bytes, len);
}


static modelguard_rewrite_t *
errors_create(const kit_t *kit, kit_out_t *out, size_t hold,
    modelguard_sink_pt sink)
{
    modelguard_rewrite_conf_t  conf;

    conf.rules = kit->rules;
    conf.depth = 16;
    conf.hold = hold;
    conf.sink = sink;
    conf.sink_data = out;
    conf.alloc = failing_alloc;
    conf.alloc_data = NULL;

    return modelguard_rewrite_create(&conf);
}


/*
 * As a filter that passes: after an error the failed piece goes out through
 * the rewriter, later ones around it.  Returns the error.
 */

static int
errors_run(modelguard_rewrite_t *rw, kit_out_t *out, const char *doc,
    size_t len, size_t first, size_t step)
{
    int             rc;
    size_t          at, n, before;
    unsigned char  *copy;

    rc = MODELGUARD_OK;

    for (at = 0; at < len; at += n) {
        n = (at == 0 && first) ? first : step;
        n = n < len - at ? n : len - at;

        if (rc != MODELGUARD_OK) {
            (void) kit_sink(out, (const uint8_t *) doc + at, n);
            continue;
        }

        copy = guard_copy(doc + at, n);
        rc = modelguard_rewrite_feed(rw, copy, n);

        if (rc != MODELGUARD_OK) {

            /* nothing more is taken, and passing is for once */

            if (modelguard_rewrite_feed(rw, copy, n) != rc
                || modelguard_rewrite_finish(rw) != rc
                || modelguard_rewrite_pass(rw) != MODELGUARD_OK)
            {
                rc = -1;
            }

            before = out->len;

            if (modelguard_rewrite_pass(rw) != MODELGUARD_OK
                || out->len != before)
            {
                rc = -1;
            }
        }

        memset(copy, 0xee, n);
        guard_free(copy, n);
    }

    if (rc == MODELGUARD_OK) {
        rc = modelguard_rewrite_finish(rw);

        if (rc != MODELGUARD_OK
            && (modelguard_rewrite_finish(rw) != rc
                || modelguard_rewrite_pass(rw) != MODELGUARD_OK))
        {
            rc = -1;
        }
    }

    return rc;
}


/*
 * Whether the output is the beginning of "good", treated, up to a point, and
 * from there the document; the number at "long_at" loses "lost" bytes.
 */

static int
is_passed(const kit_out_t *out, const char *doc, size_t len,
    const kit_out_t *good, size_t long_at, size_t lost)
{
    size_t  at, from;

    for (at = 0; at <= out->len; at++) {

        from = at > long_at ? at + lost : at;

        if (out->len - at == len - from
            && (at == out->len
                || memcmp(out->data + at, doc + from, len - from) == 0))
        {
            return 1;
        }

        if (at < out->len
            && (at >= good->len || out->data[at] != good->data[at]))
        {
            return 0;
        }
    }

    return 0;
}


static void
test_case(const error_case_t *test)
{
    int                    rc;
    kit_t                  kit;
    size_t                 i, k, len;
    unsigned               bad;
    kit_out_t              out;
    modelguard_rewrite_t  *rw;

    kit_build(&kit, test->spec);

    len = strlen(test->doc);
    bad = 0;

    for (i = 0; i <= len; i++) {
        memset(&out, 0, sizeof(kit_out_t));
        kit_fail = 1000;

        rw = errors_create(&kit, &out, 96, kit_sink);
        rc = errors_run(rw, &out, test->doc, len, i, i ? len : 1);
        modelguard_rewrite_free(rw);

        bad += rc != test->rc || out.len != len;

        for (k = 0; k < len && k < out.len; k++) {
            bad += out.data[k] != (uint8_t) test->doc[k]
                   && !(strchr("01", out.data[k]) != NULL
                        && isdigit((unsigned char) test->doc[k]));
        }

        if (bad) {
            printf("# cut at %zu: rc %d, %.*s\n", i, rc, (int) out.len,
                   (char *) out.data);
            free(out.data);
            break;
        }

        free(out.data);
    }

    ok(bad == 0, "passed after \"%s\": %.60s",
       modelguard_rewrite_error(test->rc), test->doc);

    kit_free();
}


/* a name over the limit where a pattern applies */

static void
test_undecided(void)
{
    int                    rc;
    char                   doc[400];
    kit_t                  kit;
    kit_out_t              out;
    modelguard_rewrite_t  *rw;

    kit_build(&kit, "scores $.a $.~^z | label_only");

    memset(doc, 'z', sizeof(doc));
    memcpy(doc, "{\"a\":[3,9],\"", 12);
    strcpy(doc + 300, "\":[3,9]}");

    memset(&out, 0, sizeof(kit_out_t));
    kit_fail = 1000;

    rw = errors_create(&kit, &out, 4096, kit_sink);
    rc = errors_run(rw, &out, doc, strlen(doc), 40, 100);
    modelguard_rewrite_free(rw);

    ok(rc == MODELGUARD_UNDECIDED && out.len == strlen(doc)
       && memcmp(out.data, "{\"a\":[0,1],\"", 12) == 0
       && memcmp(out.data + 12, doc + 12, out.len - 12) == 0,
       "passed after \"%s\"", modelguard_rewrite_error(rc));

    free(out.data);
    kit_free();
}


/*
 * A document that needs every buffer: one request of memory after the other
 * is refused, until all are granted.
 */

static void
test_memory(const char *spec, const char *doc, size_t first, size_t step,
    size_t lost)
{
    int                    rc;
    kit_t                  kit;
    size_t                 n, len, at;
    unsigned               bad, refused;
    kit_out_t              out, good;
    modelguard_rewrite_t  *rw;

    kit_build(&kit, spec);

    len = strlen(doc);
    bad = 0;
    refused = 0;

    kit_run(&kit, &good, (const unsigned char *) doc, len, NULL, 0);

    for (n = 0; n < 100; n++) {
        memset(&out, 0, sizeof(kit_out_t));
        kit_fail = n;

        rw = errors_create(&kit, &out, 1 << 20, kit_sink);

        if (rw == NULL) {
            refused++;
            continue;
        }

        rc = errors_run(rw, &out, doc, len, first, step);
        modelguard_rewrite_free(rw);

        if (rc == MODELGUARD_OK) {
            bad += out.len != good.len
                   || memcmp(out.data, good.data, good.len) != 0;
            free(out.data);
            break;
        }

        refused++;
        at = (size_t) (strchr(doc, '7') - doc);

        if (rc != MODELGUARD_NOMEM
            || !(is_passed(&out, doc, len, &good, at, 0)
                 || is_passed(&out, doc, len, &good, at, lost)))
        {
            bad++;
            printf("# request %zu: rc %d, %zu bytes: %.60s\n", n, rc, out.len,
                   (char *) out.data);
        }

        free(out.data);
    }

    ok(bad == 0 && good.rc == MODELGUARD_OK && n < 100 && refused > 0,
       "%u refusals of memory: %.40s, in pieces of %zu", refused, spec, step);

    free(good.data);
    kit_free();
}


static void
test_memories(void)
{
    char    *doc, *number;
    size_t   i;

    static const size_t  steps[] = { 1, 17, 1000, 100000 };

    number = malloc(LONG + 1);
    memset(number, '7', LONG);
    memcpy(number + LONG - 6, ".25000", 6);
    number[LONG] = '\0';

    doc = malloc(LONG * 3);

    for (i = 0; i < 4; i++) {
        sprintf(doc, "{\"a\":[3,9],\"p\":[3,%s,1],\"z\":[4,5]}", number);
        test_memory("scores $.p | round=1; logits $.a $.z | label_only", doc,
                    0, steps[i], 4);

        sprintf(doc, "{\"a\":[3,9],\"p\":%s,\"z\":[4,5]}", number);
        test_memory("scores $.p | round=1; logits $.a $.z | label_only", doc,
                    0, steps[i], 4);

        sprintf(doc, "[{\"l\":1,\"s\":%s},{\"s\":1,\"q\":\"%*s\"}]", number,
                900, "");
        test_memory("scores $[*].s label=$[*].l | round=1", doc, 0, steps[i],
                    4);
    }

    free(number);
    free(doc);
}


/* the sink refuses its n-th call */

static void
test_sink(void)
{
    int                    rc, n;
    char                  *doc;
    kit_t                  kit;
    size_t                 i, at, m, len;
    unsigned               bad, refused;
    kit_out_t              out;
    modelguard_rewrite_t  *rw;

    kit_build(&kit, "scores $.p | round=1 top=2; metadata $.m | drop");

    doc = malloc(100000);
    len = (size_t) sprintf(doc, "{\"m\":[1],\"p\":[0.123");

    for (i = 0; i < 5000; i++) {
        len += (size_t) sprintf(doc + len, ",0.%zu", i);
    }

    len += (size_t) sprintf(doc + len, "],\"x\":\"%*s\"}", 20000, "");

    for (i = 100; i < 100000; i = i * 30) {
        bad = 0;
        refused = 0;

        for (n = 0; n < 2000; n++) {
            memset(&out, 0, sizeof(kit_out_t));
            out.rc = n;
            kit_fail = 1000;

            rw = errors_create(&kit, &out, 1 << 20, failing_sink);
            rc = MODELGUARD_OK;

            for (at = 0; at < len && rc == MODELGUARD_OK; at += m) {
                m = i < len - at ? i : len - at;
                rc = modelguard_rewrite_feed(rw, (uint8_t *) doc + at, m);
            }

            if (rc == MODELGUARD_OK) {
                rc = modelguard_rewrite_finish(rw);
            }

            if (rc == MODELGUARD_OK) {
                modelguard_rewrite_free(rw);
                free(out.data);
                break;
            }

            refused++;
            out.rc = 99;

            bad += rc != MODELGUARD_SINK
                   || modelguard_rewrite_pass(rw) != MODELGUARD_SINK
                   || modelguard_rewrite_finish(rw) != MODELGUARD_SINK
                   || modelguard_rewrite_feed(rw, (uint8_t *) doc, 1)
                      != MODELGUARD_SINK
                   || out.rc != 99;

            modelguard_rewrite_free(rw);
            free(out.data);
        }

        ok(bad == 0 && refused > 1 && n < 2000,
           "%u refusals of the sink, in pieces of %zu", refused, i);
    }

    free(doc);
    kit_free();
}


/* calls in an order of no sense */

static void
test_order(void)
{
    kit_t                  kit;
    kit_out_t              out;
    modelguard_rewrite_t  *rw;

    kit_build(&kit, "scores $ | round=1");

    rw = kit_create(&kit, &out, 8, 100);

    ok(modelguard_rewrite_pass(rw) == MODELGUARD_OK && out.len == 0,
       "passing before anything");
    ok(modelguard_rewrite_feed(rw, NULL, 0) == MODELGUARD_OK,
       "feeding nothing");
    ok(modelguard_rewrite_feed(rw, (const uint8_t *) "[0.125]", 7)
       == MODELGUARD_OK
       && modelguard_rewrite_finish(rw) == MODELGUARD_OK
       && out.len == 5, "a document");
    ok(modelguard_rewrite_feed(rw, (const uint8_t *) " ", 1)
       == MODELGUARD_MALFORMED
       && modelguard_rewrite_finish(rw) == MODELGUARD_MALFORMED
       && modelguard_rewrite_pass(rw) == MODELGUARD_OK && out.len == 5,
       "nothing may follow its end");

    modelguard_rewrite_free(rw);
    free(out.data);
    kit_free();
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_case(&cases[i]);
    }

    test_undecided();
    test_memories();
    test_sink();
    test_order();

    ok(kit_allocated == 0, "all memory was given back");

    return tap_done();
}
