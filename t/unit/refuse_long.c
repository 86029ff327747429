
/*
 * Copyright (C) the modelguard authors
 *
 * As refuse.c, of documents that are long: buffers that grow while there is
 * something in them, more edits than are made at once, runs of numbers that
 * have no room left for what they become.  Whatever is refused, the answer is
 * that error and stays it; where nothing was, the output is that of a
 * document that came in one piece.
 */


#include "refuse_kit.h"


#define LONG_DOC   16384
#define LONG_HOLD  (1 << 20)


/* "more", from "from" to "to" times, between the other two */

typedef struct {
    const char  *spec;
    const char  *before;
    const char  *more;
    const char  *after;
    unsigned     from;
    unsigned     to;
} long_case_t;


static const long_case_t  cases[] = {

    /* white space, a string and a number that fill the buffer by themselves */

    { "metadata $.m | drop", "{\"m\":1,", "  ", "\"b\":2}", 2100, 2100 },
    { "scores $.d shape=$.s datatype=$.t | label_only", "{\"t\":\"FP32", "xy",
      "\",\"s\":[2,1],\"d\":[3,9]}", 2100, 2100 },
    { "scores $.p | round=1", "{\"p\":0.25", "01", ",\"q\":1}", 2100, 2100 },
    { "scores $[*].s label=$[*].l | round=1", "[{\"l\":1,\"s\":0.25", "01",
      "},{\"s\":1}]", 2100, 2100 },
    { "scores $.c encoding=text | round=1", "{\"c\":\"0.55 0.91", " x",
      "0.77\"}", 2100, 2100 },

    /* more edits than there is room for at first, 256 of them */

    { "scores $.p | round=1 top=1", "{\"p\":[0.33", ",0.25", "]}", 300, 300 },
    { "scores $.p | round=12", "{\"p\":[0.33", ",0.25", "]}", 300, 300 },
    { "scores $[*].s label=$[*].l | top=1; "
      "embedding $[*].e encoding=base64f32 | round=1",
      "[1", ",1", ",{\"s\":0.5,\"e\":\"zczMPQAAAD8AAIA+\"},{\"s\":0.25}]",
      250, 258 },
    { "scores $[*].s label=$[*].l | top=1; metadata $[*].m | drop", "[1",
      ",1", ",{\"s\":0.5,\"m\":\"x\",\"n\":1},{\"s\":0.25}]", 250, 258 },

    /* an array that several rules rank */

    { "scores $[*].s label=$[*].l | top=1; scores $[*].t label=$[*].l | top=1; "
      "scores $[*].u label=$[*].l | top=1; scores $[*].v label=$[*].l | top=1; "
      "scores $[*].w label=$[*].l | top=1; scores $[*].x label=$[*].l | top=1",
      "[1", ",1", ",{\"s\":0.5,\"x\":0.125}]", 60, 60 },

    /* a run that outgrows its buffer, and what ends it */

    { "scores $.p | round=1", "{\"p\":[0.99", ",0.14", "]}", 2000, 2000 },
    { "scores $.p | round=1", "{\"p\":[0.54", ",0.2", ",0.51]}", 1005, 1020 },
    { "scores $.p | round=1", "{\"p\":[0.54", ",0.1",
      ",0.51,0.51,0.51,0.51,0.51,0.51,0.51,0.51,0.51,0.51,0.51,0.51,0.51"
      ",0.51,0.51,0.51,0.51,0.51,0.51,0.51,0.51,0.51,0.51,0.51,0.51,0.51"
      ",0.51,0.51,0.51,0.51,0.51,0.51,0.51,0.51,0.51,0.51]}", 1000, 1000 },
    { "scores $.p | round=1", "{\"p\":[0.01", ",0.01", ",0.02]}", 1000, 1000 },
    { "scores $.p | round=1", "{\"p\":[0.99", ",0.14", ",1e300]}", 1000,
      1000 },
    { "scores $.d shape=$.s | round=1", "{\"s\":[1,999],\"d\":[0.99", ",0.14",
      "]}", 1000, 1000 },

    /* a document in a string */

    { "scores $.a encoding=json inside=$.p | round=1",
      "{\"a\":\"{\\\"p\\\":[0.125", ",0.875", "]}\"}", 1000, 1000 }
};

#define CASES  (sizeof(cases) / sizeof(cases[0]))


static const size_t  holds[] = { 100, 600, 2000, 4000, LONG_HOLD };
static const size_t  steps[] = { 99, 1000, LONG_DOC };


static size_t
long_doc(char *doc, const long_case_t *test, unsigned n)
{
    char  *p;

    p = doc + sprintf(doc, "%s", test->before);

    while (n--) {
        p += sprintf(p, "%s", test->more);
    }

    return (size_t) (p - doc) + (size_t) sprintf(p, "%s", test->after);
}


/* 1 if it is the output; it is given back */

static int
long_is(refuse_t *refuse, const kit_out_t *want)
{
    int  same;

    same = refuse->out.len == want->len
           && memcmp(refuse->out.data, want->data, want->len) == 0;

    free(refuse->out.data);

    return same;
}


/* the n-th request of memory, or call of the sink, from the first on */

static unsigned
long_refuse(const kit_t *kit, const char *doc, size_t step, int memory,
    const kit_out_t *want)
{
    int       rc;
    size_t    n;
    unsigned  bad;
    refuse_t  refuse;

    bad = 0;

    for (n = 0; n < 4000; n++) {
        refuse_init(&refuse);

        if (memory) {
            refuse.allocs = n;

        } else {
            refuse.sinks = n;
        }

        rc = refuse_run(kit, &refuse, doc, 0, step, LONG_HOLD);

        if (rc == MODELGUARD_OK) {
            return bad + !long_is(&refuse, want) + refuse.refused
                   + refuse.late;
        }

        free(refuse.out.data);

        bad += memory ? rc != MODELGUARD_NOMEM || refuse.refused != 1
                      : rc != MODELGUARD_SINK || refuse.late != 1;
    }

    return bad + 1;
}


/* as many bytes may be held as are said: too big is the only other answer */

static unsigned
long_hold(const kit_t *kit, const char *doc, size_t hold, unsigned *small,
    const kit_out_t *want)
{
    int       rc, first;
    size_t    i;
    unsigned  bad;
    refuse_t  refuse;

    bad = 0;
    first = MODELGUARD_OK;

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        refuse_init(&refuse);

        rc = refuse_run(kit, &refuse, doc, 0, steps[i], hold);

        bad += (i && rc != first)
               || (rc != MODELGUARD_OK && rc != MODELGUARD_TOO_BIG);
        first = rc;

        if (rc == MODELGUARD_OK) {
            bad += !long_is(&refuse, want);
            continue;
        }

        free(refuse.out.data);
    }

    *small += (first == MODELGUARD_TOO_BIG);

    return bad;
}


static void
test_case(const long_case_t *test)
{
    char       doc[LONG_DOC];
    kit_t      kit;
    size_t     i, len;
    unsigned   n, bad, small;
    kit_out_t  want;

    kit_build(&kit, test->spec);

    bad = 0;
    small = 0;

    for (n = test->from; n <= test->to; n++) {

        len = long_doc(doc, test, n);
        kit_run(&kit, &want, (const unsigned char *) doc, len, NULL, 0);

        bad += want.rc != MODELGUARD_OK;

        /* what depends on the length shows in one piece */

        if (n > test->from) {
            bad += long_refuse(&kit, doc, LONG_DOC, 1, &want);
            free(want.data);
            continue;
        }

        for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
            bad += long_refuse(&kit, doc, steps[i], 1, &want);

            /* a call for every piece is many of the shortest */

            if (i) {
                bad += long_refuse(&kit, doc, steps[i], 0, &want);
            }
        }

        for (i = 0; i < sizeof(holds) / sizeof(holds[0]); i++) {
            bad += long_hold(&kit, doc, holds[i], &small, &want);
        }

        free(want.data);
    }

    ok(bad == 0, "%u to %u times %s: %s, too big for %u", test->from, test->to,
       test->more, test->spec, small);

    kit_free();
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < CASES; i++) {
        test_case(&cases[i]);
    }

    ok(kit_allocated == 0, "all memory was given back");

    return tap_done();
}
