
/*
 * Copyright (C) the modelguard authors
 *
 * What is skipped is checked like what is looked at: documents, good ones
 * and ones with a byte changed, go through modelguard_json_skip() and
 * through modelguard_json_next(), cut here and there.
 */


#include "oracle_shapes.h"
#include "modelguard_json.h"


#define DOCUMENTS  600
#define CHANGES    12


static const char  *dense[] = {
    "[0,1,22,3.5,-4,5e6,-7.25E-8,\"\",\"a\",\"bcdefghijklmnopqrstuvwxyz\",0]",
    "{\"a\":1,\"b\":\"c\",\"d\":-0.5,\"\":0,\"e\":\"\\n\",\"f\":[1,2],\"g\":3}",
    "[1,[2,3,{\"a\":1,\"b\":2}],4,\"\xc3\xa9\",5,\"x\",true,6,null,7,NaN,8]",
    "[1,2 ,3, 4,\"5\",6\n]",
    "{\"a\":1,\"b\":{},\"c\":[],\"d\":{\"e\":1,\"f\":2},\"g\":-Infinity}",
    "[0.5,00]", "[1,-]", "[1,.5]", "[1,2.]", "[1,2.e1]", "[1,1e]", "[1,+1]",
    "[1,\"a]", "[1,\"a\"\"b\"]", "[1,2,]", "[1,,2]", "{\"a\":1,\"b\"}",
    "{\"a\":1,\"b\":}", "{\"a\":1,2:3}", "{\"a\":1,\"b\",1}", "[1,2}",
    "{\"a\":1,\"b\":2]", "[1:2]", "[1,\"a\":2]", "{\"a\":1:2}", "[1,2",
    "[1,\"\x01\"]", "[1,\"\x80\"]", "[1,01]", "[1,-01]", "[1,0x1]",
    "[1,2]]", "[1,2],", "[1,2]3",
    "{\"a\":[1,22,0,105,9],\"b\":[0],\"c\":[1],\"d\":\"xxxxxxxxxxxxxxxxxx\"}",
    "[[1,2],[10,20],[\"0123456789abcdefghijklmnopqrstuvwxyz\",[true,false]]]"
};


/*
 * The end of the container that is the document, with pieces of "step" bytes
 * behind the first of "first": the result and how many bytes it took.
 */

static int
run(const char *doc, size_t len, size_t first, size_t step, int skip,
    size_t *used)
{
    int                rc;
    size_t             at, n;
    unsigned char     *copy;
    modelguard_json_t  json;

    modelguard_json_init(&json, 16);

    rc = MODELGUARD_AGAIN;
    *used = 0;

    for (at = 0; at < len && rc == MODELGUARD_AGAIN; at += n) {
        n = (at == 0 && first) ? first : step;
        n = n < len - at ? n : len - at;

        /* the sanitizers see what is read behind it */

        copy = malloc(n);
        memcpy(copy, doc + at, n);
        modelguard_json_feed(&json, copy, n);

        if (skip) {
            rc = modelguard_json_skip(&json, 0);

        } else {
            do {
                rc = modelguard_json_next(&json);
            } while (rc == MODELGUARD_OK && json.depth > 0);
        }

        if (rc == MODELGUARD_OK) {
            *used = at + (size_t) (json.p - copy);
        }

        free(copy);
    }

    return rc;
}


static unsigned
differ(const char *doc, size_t len)
{
    int     rc;
    size_t  i, used, wanted;

    rc = run(doc, len, 0, len, 0, &wanted);

    for (i = 0; i <= len; i += 1 + len / 16) {

        if (run(doc, len, i, i ? len : 1, 1, &used) != rc || used != wanted) {
            printf("# cut at %zu: not %d, %zu: %.*s\n", i, rc, wanted,
                   (int) len, doc);
            return 1;
        }
    }

    return run(doc, len, 0, len, 1, &used) != rc || used != wanted;
}


/* each byte replaced by each of those that mean something */

static void
test_dense(void)
{
    char        doc[128];
    size_t      i, j, k, len;
    unsigned    n, bad;

    static const char  bytes[] = "{}[],:\"\\0195.-+eE aN\x01\x80\xc3";

    n = 0;
    bad = 0;

    for (i = 0; i < sizeof(dense) / sizeof(dense[0]) && bad < 5; i++) {
        len = strlen(dense[i]);

        strcpy(doc, dense[i]);
        bad += differ(doc, len);

        for (j = 1; j < len; j++) {

            for (k = 0; bytes[k] && bad < 5; k++, n++) {
                strcpy(doc, dense[i]);
                doc[j] = bytes[k];

                bad += differ(doc, len);
            }
        }
    }

    ok(bad == 0 && n > 9000, "%u documents of one byte changed", n);
}


static void
test_random(void)
{
    char      *p;
    make_t    *make;
    unsigned   i, j, n, bad;

    make = malloc(sizeof(make_t));
    make->seed = 0xda942042e4dd58b5ULL;
    n = 0;
    bad = 0;

    for (i = 0; i < DOCUMENTS && bad < 5; i++) {
        make->n = 0;
        make->spec[0] = '\0';
        make->style = (int) make_random(make, 5);

        if (i & 1) {
            make_any(make);

        } else {
            make_records(make);
        }

        for (j = 0; j < CHANGES; j++, n++) {
            bad += differ(make->doc, make->n);

            p = make->doc + make_random(make, (unsigned) make->n);
            *p = (char) (j & 1 ? make_random(make, 256) : ',');
        }
    }

    free(make);

    ok(bad == 0, "%u documents changed at random", n);
}


int
main(void)
{
    test_dense();
    test_random();

    return tap_done();
}
