
/*
 * Copyright (C) the modelguard authors
 *
 * The rewriter at every place where it can be refused something: a sink that
 * takes no more when its buffer is full, memory, bytes to hold.  Whatever was
 * refused, and wherever pieces end, the answer is that error and stays it;
 * where nothing was refused the output is the same.
 */


#include "refuse_kit.h"


#define REFUSE_PAD   (4096 + 64)     /* MODELGUARD_HOLD_OUT, and more */
#define REFUSE_STEP  7               /* between the places of cuts */


typedef struct {
    const char  *spec;
    const char  *doc;                /* the members of an object */
    const char  *out;
} refuse_case_t;


static const refuse_case_t  cases[] = {

    /* what is written while it is read, and what is not */

    { "scores $.p | round=1", "\"p\":0.125,\"q\":1", "\"p\":0.1,\"q\":1" },
    { "scores $.p | round=1", "\"p\":[0.125,0.875 , 0.0001 ],\"q\":1",
      "\"p\":[0.1,0.9 , 0 ],\"q\":1" },
    { "scores $.p | round=1", "\"p\":[0.51,0.54,0.58,0.62,1e-1]",
      "\"p\":[0.5,0.5,0.5,0.6,0.1]" },
    { "scores $.p | round=1", "\"p\":[0.99,1,0.96]", "\"p\":[0.9,1,0.9]" },
    { "scores $.p | round=12", "\"p\":[0.123456789012345,1]", NULL },
    { "scores $.p | round=2 top=1", "\"p\":[0.123,0.875,[0.25,0.125]]",
      NULL },
    { "scores $.p | label_only", "\"p\":[[0.123,0.875],[5,3,9]],\"x\":[0.25]",
      "\"p\":[[0,1],[0,0,1]],\"x\":[0.25]" },
    { "logits $.p | round=1 top=1", "\"p\":[-1.25,3.5,-8.25]", NULL },
    { "scores $.p | round=2 renormalize", "\"p\":[0.123,0.377,0.5]", NULL },

    { "embedding $.e $.f | round=1", "\"e\":0.125,\"f\":-0.25,\"g\":1",
      "\"e\":0.1,\"f\":-0.2,\"g\":1" },

    /* what is cut, or null */

    { "metadata $.m | drop", "\"a\":1,\"m\":[1,{\"b\":2}],\"c\":3",
      "\"a\":1,\"c\":3" },
    { "metadata $.m | null", "\"a\":1,\"m\":[1,{\"b\":2}],\"c\":3",
      "\"a\":1,\"m\":null,\"c\":3" },
    { "scores $.p | round=1; metadata $.p[*].m | drop",
      "\"p\":[0.125,0.875,{\"m\":1}],\"q\":1",
      "\"p\":[0.1,0.9,{}],\"q\":1" },
    { "scores $.s label=$.l[*] | top=1; metadata $.l[*].m | drop",
      "\"l\":[{\"m\":7,\"a\":1},\"b\"],\"s\":[0.125,0.875]",
      "\"l\":[\"b\"],\"s\":[0.875]" },
    { "metadata $.m[*] | drop", "\"a\":1,\"m\":[1,{\"b\":2}],\"c\":3",
      "\"a\":1,\"m\":[],\"c\":3" },
    { "scores $.r[*].s label=$.r[*].l | top=1; metadata $.r[*].m | drop",
      "\"r\":[{\"l\":1,\"m\":7,\"s\":0.5},{\"l\":2,\"s\":0.6,\"m\":7}]",
      "\"r\":[{\"l\":2,\"s\":0.6}]" },
    { "scores $.r[*].s label=$.r[*].l | top=1; metadata $.r[*].m | null",
      "\"r\":[{\"l\":1,\"m\":7,\"s\":0.5},{\"l\":2,\"s\":0.6,\"m\":7}]",
      "\"r\":[{\"l\":2,\"s\":0.6,\"m\":null}]" },

    /* vectors of all shapes */

    { "scores $.p.* | round=1 top=1", "\"p\":{\"a\":0.125,\"b\":0.875}",
      "\"p\":{\"b\":0.9}" },
    { "scores $.s label=$.l[*] label=$.m[*] | round=1 top=1",
      "\"l\":[\"a\",\"b\"],\"s\":[0.125,0.875],\"m\":[3,4]",
      "\"l\":[\"b\"],\"s\":[0.9],\"m\":[4]" },
    { "scores $.d shape=$.s | round=1 top=1",
      "\"s\":[2,2],\"d\":[0.125,0.875,0.25,0.75]", NULL },
    { "scores $.d shape=$.s datatype=$.t | label_only",
      "\"d\":[0.125,0.875,0.25,0.75],\"t\":\"FP32\",\"s\":[2,2]",
      "\"d\":[0,1,0,1],\"t\":\"FP32\",\"s\":[2,2]" },
    { "scores $.d shape=$.s datatype=$.t | label_only",
      "\"d\":[3,9,5,4],\"t\":\"INT32\",\"s\":[2,2]",
      "\"d\":[3,9,5,4],\"t\":\"INT32\",\"s\":[2,2]" },
    { "scores $.d shape=$.s datatype=$.t | label_only",
      "\"t\":\"FP32\",\"s\":[2,2],\"d\":[0.125,0.875,0.25,0.75]",
      "\"t\":\"FP32\",\"s\":[2,2],\"d\":[0,1,0,1]" },
    { "scores $.d shape=$.s | round=2",
      "\"s\":[2,2],\"d\":[0.125,0.875,0.25,0.75],\"d\":[0.5,0.125]", NULL },

    /* rows of nothing but zeros, a group within a vector */

    { "scores $.d shape=$.s | round=1",
      "\"s\":[2,2],\"d\":[0.01,0.02,0.5,0.3]",
      "\"s\":[2,2],\"d\":[0,0.1,0.5,0.3]" },
    { "scores $.p | round=1; logits $.p[*].d shape=$.s | round=1",
      "\"p\":[0.125,0.875,{\"d\":[]}],\"s\":[2,2]",
      "\"p\":[0.1,0.9,{\"d\":[]}],\"s\":[2,2]" },

    /* strings */

    { "scores $.c encoding=string | round=1", "\"c\":\"0.9375:5:cat\"",
      "\"c\":\"0.9:5:cat\"" },
    { "scores $.c encoding=string | label_only",
      "\"c\":[\"0.9375:5:cat\",\"0.05:1:dog\"]",
      "\"c\":[\"1:5:cat\",\"0:1:dog\"]" },
    { "scores $.d encoding=text | round=1 top=1",
      "\"d\":\"{0: 0.125, 1: 0.875}\",\"e\":1", NULL },
    { "scores $.r[*].s label=$.r[*].l | label_only; "
      "logits $.r[*].t encoding=text | round=1 top=1",
      "\"r\":[{\"s\":0.5,\"l\":1,\"t\":\"{0: 0.125, 1: 0.875}\"}]", NULL },
    { "embedding $.e encoding=base64f32 | round=1",
      "\"e\":\"zczMPQAAAD8AAIA+\"", NULL },
    { "embedding $.e encoding=base64f32 | round=1; scores $.r[*].s "
      "label=$.r[*].l | top=1; embedding $.r[*].e encoding=base64f32 "
      "| round=1",
      "\"r\":[{\"s\":0.25,\"e\":\"zczMPQAAAD8AAIA+\"},{\"s\":0.5}]", NULL },
    { "scores $.a encoding=json inside=$.p | round=1",
      "\"a\":\"{\\\"p\\\":[0.125,0.875],\\\"\\u00e9\\/\\\":\\\"\\\\n\\\"}\","
      "\"b\":1", NULL },
    { "scores $.a encoding=json inside=$.p[*].s label=$.p[*].l | top=1",
      "\"a\":\"{\\\"p\\\":[{\\\"s\\\":0.125,\\\"l\\\":1},"
      "{\\\"s\\\":0.875,\\\"l\\\":2}]}\",\"b\":1", NULL },
    { "scores $.r[*].s label=$.r[*].l | top=1; "
      "scores $.r[*].a encoding=json inside=$.p | round=1",
      "\"r\":[{\"s\":0.5,\"l\":1,\"a\":\"{\\\"p\\\":[0.125,0.875]}\"},"
      "{\"s\":0.25,\"l\":1}]", NULL },

    /* numbers that are copied, not counted */

    { "scores $.p | round=1",
      "\"p\":0.1250000000000000000000000000000000000000000000000000000000001",
      "\"p\":0.1" },
    { "scores $.r[*].s label=$.r[*].l | round=1",
      "\"r\":[{\"s\":0.12500000000000000000000000000000000000000000000001}]",
      "\"r\":[{\"s\":0.1}]" }
};

#define CASES  (sizeof(cases) / sizeof(cases[0]))


/* a string of "pad" bytes, and the members behind it */

static size_t
refuse_doc(char *doc, size_t pad, const char *members)
{
    size_t  at;

    at = (size_t) sprintf(doc, "{\"_\":\"");

    memset(doc + at, '.', pad);
    at += pad;

    return at + (size_t) sprintf(doc + at, "\",%s}", members);
}


/*
 * The buffer of the output is full at each place of the document: refused
 * there by the sink, the answer is that, and else the output is as ever.
 */

static void
test_sink(const refuse_case_t *test)
{
    int        rc;
    char       doc[REFUSE_PAD + 512];
    kit_t      kit;
    size_t     pad, len, n, want_at;
    unsigned   bad, refused;
    refuse_t   refuse;
    kit_out_t  want;

    kit_build(&kit, test->spec);

    len = refuse_doc(doc, 0, test->doc);
    kit_run(&kit, &want, (const unsigned char *) doc, len, NULL, 0);

    want_at = strlen("{\"_\":\"");
    bad = want.rc != MODELGUARD_OK
          || (test->out != NULL
              && (want.len != want_at + 3 + strlen(test->out)
                  || memcmp(want.data + want_at + 2, test->out,
                            strlen(test->out)) != 0));
    refused = 0;

    for (pad = REFUSE_PAD - 64 - len - 16; pad < REFUSE_PAD; pad++) {
        len = refuse_doc(doc, pad, test->doc);

        for (n = 0; n < 8; n++) {
            refuse_init(&refuse);
            refuse.sinks = n;

            rc = refuse_run(&kit, &refuse, doc, 0, len, 4096);

            if (rc == MODELGUARD_OK) {
                bad += refuse.out.len != want.len + pad
                       || memcmp(refuse.out.data + want_at + pad,
                                 want.data + want_at, want.len - want_at)
                          != 0;

                free(refuse.out.data);
                break;
            }

            refused++;
            bad += rc != MODELGUARD_SINK || refuse.late != 1;

            free(refuse.out.data);
        }
    }

    ok(bad == 0 && refused > 0, "%u refusals of the sink: %s: %.*s", refused,
       test->spec, (int) want.len, (char *) want.data);

    free(want.data);
    kit_free();
}


/* one request of memory after the other refused, in pieces of all sizes */

static void
test_memory(const refuse_case_t *test)
{
    int        rc;
    char       doc[REFUSE_PAD + 512];
    kit_t      kit;
    size_t     i, len, n;
    unsigned   bad, refused;
    refuse_t   refuse;
    kit_out_t  want;

    kit_build(&kit, test->spec);

    len = refuse_doc(doc, 0, test->doc);
    kit_run(&kit, &want, (const unsigned char *) doc, len, NULL, 0);

    bad = 0;
    refused = 0;

    for (i = 0; i < len; i += REFUSE_STEP) {

        for (n = 0; n < 64; n++) {
            refuse_init(&refuse);
            refuse.allocs = n;

            rc = refuse_run(&kit, &refuse, doc, i, i ? len : 1, 4096);

            if (rc == MODELGUARD_OK) {
                bad += refuse.out.len != want.len || refuse.refused
                       || memcmp(refuse.out.data, want.data, want.len) != 0;

                free(refuse.out.data);
                break;
            }

            refused++;
            bad += rc != MODELGUARD_NOMEM || refuse.refused != 1;

            free(refuse.out.data);
        }

        bad += n == 64;
    }

    ok(bad == 0 && refused > 0, "%u refusals of memory: %s", refused,
       test->spec);

    free(want.data);
    kit_free();
}


/* a byte more may be held each time: too big up to some, and good from it */

static void
test_hold(const refuse_case_t *test)
{
    int        rc, first;
    char       doc[REFUSE_PAD + 512];
    kit_t      kit;
    size_t     i, len, hold, need;
    unsigned   bad;
    refuse_t   refuse;

    kit_build(&kit, test->spec);

    len = refuse_doc(doc, 0, test->doc);
    bad = 0;
    need = 0;

    for (hold = 1; need == 0 || hold < need + 3; hold++) {
        first = MODELGUARD_OK;

        for (i = 0; i < len; i += REFUSE_STEP) {
            refuse_init(&refuse);

            rc = refuse_run(&kit, &refuse, doc, i, i ? len : 1, hold);
            free(refuse.out.data);

            bad += (rc != MODELGUARD_OK && rc != MODELGUARD_TOO_BIG)
                   || (i && rc != first);
            first = rc;
        }

        if (first == MODELGUARD_TOO_BIG) {
            bad += need != 0;

        } else if (need == 0) {
            need = hold;
        }

        bad += hold > 512;

        if (hold > 512) {
            break;
        }
    }

    ok(bad == 0, "%zu bytes to hold: %s", need, test->spec);

    kit_free();
}


/* the calls for documents that follow one another, in an order of no sense */

static void
test_one(void)
{
    kit_t                  kit;
    size_t                 used;
    kit_out_t              out;
    modelguard_rewrite_t  *rw;

    kit_build(&kit, "scores $ | round=1");

    rw = kit_create(&kit, &out, 8, 100);

    ok(modelguard_rewrite_feed_one(rw, NULL, 0, &used) == MODELGUARD_AGAIN
       && used == 0 && out.len == 0, "a piece of nothing");
    ok(modelguard_rewrite_feed_one(rw, (const uint8_t *) "[0.125] [", 9, &used)
       == MODELGUARD_OK
       && used == 7 && out.len == 5, "a document");
    ok(modelguard_rewrite_feed_one(rw, (const uint8_t *) " [1]", 4, &used)
       == MODELGUARD_MALFORMED
       && used == 4 && out.len == 5, "another one, and no reset");

    modelguard_rewrite_reset(rw);

    ok(modelguard_rewrite_feed_one(rw, (const uint8_t *) " [1]", 4, &used)
       == MODELGUARD_OK
       && used == 4 && out.len == 9, "another one, after a reset");

    modelguard_rewrite_free(rw);
    free(out.data);
    kit_free();

    ok(strcmp(modelguard_rewrite_error(-1), "an invalid argument") == 0
       && strcmp(modelguard_rewrite_error(MODELGUARD_INVALID + 1),
                 "an invalid argument") == 0
       && strcmp(modelguard_rewrite_error(MODELGUARD_OK), "no error") == 0,
       "a sentence for every code");
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < CASES; i++) {
        test_sink(&cases[i]);
        test_memory(&cases[i]);
        test_hold(&cases[i]);
    }

    test_one();

    ok(kit_allocated == 0, "all memory was given back");

    return tap_done();
}
