
/*
 * Copyright (C) the modelguard authors
 *
 * The rewriter at its bounds: depth, held bytes, tokens without end, names,
 * scopes within scopes.
 */


#include "rewrite_kit.h"
#include "modelguard_scope.h"


#define ENDLESS  (100 * 1024 * 1024)
#define PIECE    65536
#define SMALL    8192                /* held bytes for the endless */


typedef struct {
    const char  *name;
    const char  *spec;
    const char  *before;
    char         fill;
    const char  *after;
    int          rc;
    size_t       kept;               /* of before and after, if it is dropped */
    int          dropped;
} endless_t;


static const endless_t  endless[] = {

    { "a number that no rule names", "scores $.p | round=2",
      "{\"x\":1", '7', ",\"p\":0.5}", 0, 0, 0 },
    { "a fraction that no rule names", "scores $.p | round=2",
      "{\"x\":0.", '7', "}", 0, 0, 0 },
    { "a string that no rule names", "scores $.p | round=2",
      "{\"x\":\"", 's', "\"}", 0, 0, 0 },
    { "white space before a value", "scores $.p | round=2",
      "{\"x\":", ' ', "1}", 0, 0, 0 },
    { "white space behind a value", "scores $.p | round=2",
      "{\"x\":[1", '\n', "]}", 0, 0, 0 },
    { "white space behind the document", "scores $.p | round=2",
      "{\"x\":1}", ' ', "", 0, 0, 0 },
    { "white space before the document", "scores $.p | round=2",
      "", '\t', "{\"x\":1}", 0, 0, 0 },
    { "a key beside places that rules name", "scores $.p | round=2",
      "{\"", 'k', "\":1}", MODELGUARD_TOO_BIG, 0, 0 },
    { "white space behind a comma", "scores $.p | round=2",
      "{\"x\":1,", ' ', "\"y\":1}", MODELGUARD_TOO_BIG, 0, 0 },

    { "a key where no rule reaches", "scores $.p | round=2",
      "{\"x\":{\"", 'k', "\":1}}", 0, 0, 0 },
    { "white space where no rule reaches", "scores $.p | round=2",
      "{\"x\":[1,", ' ', "2]}", 0, 0, 0 },
    { "a number where no rule reaches", "scores $.p | round=2",
      "{\"x\":[1,2", '0', "]}", 0, 0, 0 },

    { "a number to be rounded", "scores $.p | round=2",
      "{\"p\":[0.", '3', "]}", MODELGUARD_TOO_BIG, 0, 0 },
    { "an integer to be rounded", "scores $.p | round=2",
      "{\"p\":9", '3', "}", MODELGUARD_TOO_BIG, 0, 0 },
    { "a string where a score is expected", "scores $.p | round=2",
      "{\"p\":\"", 's', "\"}", 0, 0, 0 },
    { "a string in a vector", "scores $.p | round=2",
      "{\"p\":[0.5,\"", 's', "\"]}", MODELGUARD_TOO_BIG, 0, 0 },
    { "white space before a vector's first number", "scores $.p | round=2",
      "{\"p\":[", ' ', "0.5]}", 0, 0, 0 },
    { "white space in a vector", "scores $.p | round=2",
      "{\"p\":[0.5", ' ', "]}", MODELGUARD_TOO_BIG, 0, 0 },
    { "white space in records", "scores $[*].s label=$[*].l | top=1",
      "[", ' ', "]", MODELGUARD_TOO_BIG, 0, 0 },
    { "white space in labels", "scores $.s label=$.l[*] | top=1",
      "{\"l\":[", ' ', "]}", MODELGUARD_TOO_BIG, 0, 0 },
    { "a datatype", "scores $.d datatype=$.t | top=1",
      "{\"t\":\"", 'F', "\"}", MODELGUARD_TOO_BIG, 0, 0 },
    { "a dimension", "scores $.d shape=$.t | top=1",
      "{\"t\":[1", '0', "]}", MODELGUARD_TOO_BIG, 0, 0 },

    { "a number that is dropped", "metadata $.x | drop",
      "{\"x\":1", '7', "}", 0, 2, 1 },
    { "a string that is dropped", "metadata $.x | drop",
      "{\"y\":1,\"x\":\"", 's', "\",\"z\":1}", 0, 13, 1 },
    { "white space that is dropped", "metadata $.x | drop",
      "{\"x\":[", ' ', "]}", 0, 2, 1 },
    { "a key that is dropped", "metadata $.x | drop",
      "{\"x\":{\"", 'k', "\":1}}", 0, 2, 1 },
    { "a map that is dropped", "scores $.x.* | drop",
      "{\"x\":{\"k\":\"", 's', "\"}}", 0, 8, 1 }
};


static size_t  counted;


static int
count_sink(void *data, const uint8_t *bytes, size_t len)
{
    (void) data;
    (void) bytes;

    counted += len;

    return MODELGUARD_OK;
}


static modelguard_rewrite_t *
limits_create(const kit_t *kit, unsigned depth, size_t hold)
{
    modelguard_rewrite_conf_t  conf;

    conf.rules = kit->rules;
    conf.depth = depth;
    conf.hold = hold;
    conf.sink = count_sink;
    conf.sink_data = NULL;
    conf.alloc = kit_alloc;
    conf.alloc_data = NULL;

    counted = 0;

    return modelguard_rewrite_create(&conf);
}


static void
test_endless(const endless_t *test)
{
    int                    rc;
    kit_t                  kit;
    size_t                 i, most, start, length;
    uint8_t               *piece;
    modelguard_rewrite_t  *rw;

    kit_build(&kit, test->spec);

    rw = limits_create(&kit, 64, SMALL);
    start = kit_allocated;
    most = start;

    piece = malloc(PIECE);
    memset(piece, test->fill, PIECE);

    rc = modelguard_rewrite_feed(rw, (const uint8_t *) test->before,
                                 strlen(test->before));

    for (i = 0; i < ENDLESS / PIECE && rc == MODELGUARD_OK; i++) {
        rc = modelguard_rewrite_feed(rw, piece, PIECE);
        most = kit_allocated > most ? kit_allocated : most;
    }

    if (rc == MODELGUARD_OK) {
        rc = modelguard_rewrite_feed(rw, (const uint8_t *) test->after,
                                     strlen(test->after));
    }

    if (rc == MODELGUARD_OK) {
        rc = modelguard_rewrite_finish(rw);
    }

    length = strlen(test->before) + strlen(test->after) + ENDLESS;

    ok(rc == test->rc && most - start <= 2 * SMALL + 16384
       && (rc != MODELGUARD_OK
           || counted == (test->dropped ? test->kept : length)),
       "%s: rc %d, %zu bytes held", test->name, rc, most - start);

    free(piece);
    modelguard_rewrite_free(rw);
    kit_free();
}


/* pieces of "step" bytes after the first of "first" */

static int
limits_run(const kit_t *kit, const char *doc, size_t first, size_t step,
    unsigned depth, size_t hold)
{
    int                    rc;
    modelguard_rewrite_t  *rw;

    rw = limits_create(kit, depth, hold);
    rc = kit_feed_all(rw, doc, strlen(doc), first, step);
    modelguard_rewrite_free(rw);

    return rc;
}


/* the same whatever the cut; -1 if it is not */

static int
limits_same(const kit_t *kit, const char *doc, unsigned depth, size_t hold)
{
    int     rc;
    size_t  i, len;

    len = strlen(doc);
    rc = limits_run(kit, doc, 0, len, depth, hold);

    for (i = 0; i < len; i++) {

        if (limits_run(kit, doc, i, i ? len : 1, depth, hold) != rc) {
            printf("# hold %zu, cut at %zu: not %d\n", hold, i, rc);
            return -1;
        }
    }

    return rc;
}


/* a document passes if as many bytes may be held as it needs, and not one
   byte less */

static void
test_hold(const char *spec, const char *doc, size_t need)
{
    kit_t     kit;
    size_t    hold;
    unsigned  bad;

    kit_build(&kit, spec);
    bad = 0;

    for (hold = 1; hold <= need + 2; hold++) {
        bad += limits_same(&kit, doc, 64, hold)
               != (hold < need ? MODELGUARD_TOO_BIG : MODELGUARD_OK);

        if (bad == 1) {
            printf("# at %zu\n", hold);
        }
    }

    ok(bad == 0, "%zu bytes held for %s: %s", need, spec, doc);

    kit_free();
}


static void
test_holds(void)
{
    /* from the first number up to the end of the array */

    test_hold("scores $.p | round=2", "{\"p\":[ 0.125 , 0.875 ]}", 15);
    test_hold("scores $.p | round=2", "{\"p\":[ 0.125 ]}", 7);
    test_hold("scores $.p | round=2", "{\"p\":0.125}", 5);
    test_hold("scores $ | round=2", "0.125", 5);

    /* rows one by one; the comma before the second */

    test_hold("scores $ | round=1", "[[0.1,0.2],[0.1]]", 8);
    test_hold("scores $.d shape=$.s | top=1",
              "{\"s\":[2,2],\"d\":[0.1,0.2,0.3,0.4]}", 7);
    test_hold("scores $.d shape=$.s | top=1",
              "{\"d\":[0.1,0.2,0.3,0.4],\"s\":[2,2]}", 26);

    /* from the bracket on */

    test_hold("scores $[*].s label=$[*].l | top=1",
              "[{\"s\":0.25},{\"l\":1}]", 19);
    test_hold("scores $[*].s label=$[*].l | top=1", "[{},{}, []]", 10);
    test_hold("scores $.* | top=1", "{\"a\":0.25,\"b\":0.5}", 17);
    test_hold("scores $.s label=$.l[*] | top=1",
              "{\"s\":[0.25,0.5],\"l\":[1,2]}", 19);
    test_hold("scores $.s label=$.l[*] | top=1", "{\"l\":[  ] }", 5);
    test_hold("scores $.s label=$.l[*] | top=1", "{\"abcd\":[  ] ,\"l\":1}",
              6);

    /* a type, a dimension */

    test_hold("scores $.d datatype=$.t | top=1",
              "{\"t\":\"FP32 and more\",\"d\":[1]}", 15);
    test_hold("scores $.d shape=$.t | top=1", "{\"t\":[123456],\"d\":[1]}",
              6);

    /* keys, and what is between a comma and a value */

    test_hold("metadata $.abc | drop", "{\"abc\":0 , \"defgh\" :1}", 9);
    test_hold("metadata $.a | drop", "{\"b\":1,  \"c\":1}", 6);
    test_hold("metadata $[7] | drop", "[1,    2]", 5);
}


static void
test_depth(void)
{
    char      doc[256];
    kit_t     kit;
    size_t    depth;
    unsigned  limit, bad;

    kit_build(&kit, "scores $.**.p | round=2; metadata $.x | drop");

    for (limit = 1; limit <= 5; limit += 2) {
        bad = 0;

        for (depth = limit - 1; depth <= limit + 1; depth++) {
            memset(doc, '[', depth);
            doc[depth] = '1';
            memset(doc + depth + 1, ']', depth);
            doc[depth * 2 + 1] = '\0';

            bad += limits_same(&kit, doc, limit, 1000)
                   != (depth > limit ? MODELGUARD_TOO_DEEP : MODELGUARD_OK);

            /* the same in what is dropped */

            if (depth) {
                memcpy(doc, "{\"x\":", 5);
                memset(doc + 5, '[', depth - 1);
                doc[depth + 4] = '1';
                memset(doc + depth + 5, ']', depth - 1);
                strcpy(doc + depth * 2 + 4, "}");

                bad += limits_same(&kit, doc, limit, 1000)
                       != (depth > limit ? MODELGUARD_TOO_DEEP
                                         : MODELGUARD_OK);
            }
        }

        ok(bad == 0, "depth %u", limit);
    }

    kit_free();
}


/* what is in the innermost of n arrays, where "most" of them are as many as
   can be */

static void
test_scope(const char *spec, const char *value, size_t most)
{
    int       rc;
    char      doc[512];
    kit_t     kit;
    size_t    n, len;
    unsigned  bad;

    kit_build(&kit, spec);

    len = strlen(value);
    bad = 0;

    for (n = most - 1; n <= most + 1; n++) {
        memset(doc, '[', n);
        strcpy(doc + n, value);
        memset(doc + n + len, ']', n);
        doc[n * 2 + len] = '\0';

        rc = limits_same(&kit, doc, 200, 1000);

        bad += rc != (n > most ? MODELGUARD_TOO_DEEP : MODELGUARD_OK);
    }

    ok(bad == 0, "vectors within vectors, %zu of them: %s", most, spec);

    kit_free();
}


static void
test_scopes(void)
{
    test_scope("scores $ | round=2", "0.125,0.5", MODELGUARD_SCOPES_MAX);

    /* the numbers of a text are one more */

    test_scope("scores $ encoding=text | round=2", "\"0.125 0.5\"",
               MODELGUARD_SCOPES_MAX - 1);
}


/* a name of n bytes, plain or all escaped, as a key */

static void
test_name(const char *spec, size_t n, int escaped, int rc, int treated)
{
    char       *doc, *p;
    kit_t       kit;
    size_t      i;
    unsigned    differ;
    kit_out_t   out;

    kit_build(&kit, spec);

    doc = malloc(n * 6 + 32);
    p = doc + sprintf(doc, "{\"");

    for (i = 0; i < n; i++) {
        p += sprintf(p, "%s", escaped ? "\\u0078" : "x");
    }

    p += sprintf(p, "\":0.125}");

    kit_run(&kit, &out, (unsigned char *) doc, (size_t) (p - doc), NULL, 0);

    differ = out.rc != rc || (rc == 0 && (int) out.treated != treated);
    free(out.data);

    kit_run_bytes(&kit, &out, (unsigned char *) doc, (size_t) (p - doc));

    differ += out.rc != rc || (rc == 0 && (int) out.treated != treated);
    free(out.data);

    ok(differ == 0, "a name of %zu bytes%s%s", n, escaped ? ", escaped" : "",
       spec[8] == '$' && spec[10] == '~' ? ", and a pattern" : "");

    free(doc);
    kit_free();
}


static void
test_names(void)
{
    int     escaped;
    char    spec[320];
    size_t  n;

    for (escaped = 0; escaped < 2; escaped++) {

        for (n = 254; n <= 255; n++) {
            sprintf(spec, "scores $.%*s | round=2", (int) n, "");
            memset(spec + 9, 'x', n);

            test_name(spec, n, escaped, MODELGUARD_OK, 1);
            test_name(spec, n - 1, escaped, MODELGUARD_OK, 0);
            test_name(spec, n + 1, escaped, MODELGUARD_OK, 0);
        }

        test_name(spec, 10000, escaped, MODELGUARD_OK, 0);

        for (n = 254; n <= 257; n++) {
            test_name("scores $.~^x+$ | round=2", n, escaped,
                      n > 255 ? MODELGUARD_UNDECIDED : MODELGUARD_OK, 1);
        }
    }
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(endless) / sizeof(endless[0]); i++) {
        test_endless(&endless[i]);
    }

    test_holds();
    test_depth();
    test_scopes();
    test_names();

    ok(kit_allocated == 0, "all memory was given back");

    return tap_done();
}
