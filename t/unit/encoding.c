
/*
 * Copyright (C) the modelguard authors
 *
 * Numbers in strings: every encoding with every treatment, at every split
 * point, in single bytes and against a guard page; at the limits of what is
 * held and of depth; and the answers of the corpus that hold such strings.
 */


#include "rewrite_case.h"
#include "encoding_cases.h"


#define LIMIT    200
#define LONGEST  40000


/* the same document under "hold" bytes and "depth", whole and by the byte */

static int
run_under(const kit_t *kit, const char *doc, unsigned depth, size_t hold)
{
    int                    rc[2];
    size_t                 i, len;
    unsigned               way;
    kit_out_t              out;
    modelguard_rewrite_t  *rw;

    len = strlen(doc);

    for (way = 0; way < 2; way++) {
        rw = kit_create(kit, &out, depth, hold);

        rc[way] = MODELGUARD_OK;

        for (i = 0; i < (way ? len : 1) && rc[way] == MODELGUARD_OK; i++) {
            rc[way] = kit_feed(rw, (const unsigned char *) doc + i,
                               way ? 1 : len);
        }

        if (rc[way] == MODELGUARD_OK) {
            rc[way] = modelguard_rewrite_finish(rw);
        }

        modelguard_rewrite_free(rw);
        free(out.data);
    }

    return rc[0] == rc[1] ? rc[0] : -1;
}


static void
test_hold(const char *name, const char *spec, const char *before, char fill,
    const char *after)
{
    int     below, at, above;
    char   *doc, *p;
    kit_t   kit;
    size_t  n;

    /* a token of LIMIT bytes, quotes included */

    n = LIMIT - strlen(before) - strlen(after);
    doc = malloc(LIMIT + 16);

    p = doc;
    p += sprintf(p, "{\"x\":");
    p += sprintf(p, "%s", before);
    memset(p, fill, n);
    sprintf(p + n, "%s}", after);

    kit_build(&kit, spec);

    below = run_under(&kit, doc, 8, LIMIT + 1);
    at = run_under(&kit, doc, 8, LIMIT);
    above = run_under(&kit, doc, 8, LIMIT - 1);

    ok(below == MODELGUARD_OK && at == MODELGUARD_OK
       && above == MODELGUARD_TOO_BIG,
       "%s of %d bytes where %d, %d and %d may be held", name, LIMIT,
       LIMIT + 1, LIMIT, LIMIT - 1);

    if (below || at || above != MODELGUARD_TOO_BIG) {
        printf("# %d %d %d %s\n", below, at, above, doc);
    }

    free(doc);
    kit_free();
}


static void
test_holds(void)
{
    test_hold("a string", "scores $.x encoding=string | round=1", "\"0.55:",
              'a', "\"");
    test_hold("a string without score", "scores $.x encoding=string | round=1",
              "\"", 'a', "\"");
    test_hold("a number in a string", "scores $.x encoding=string | round=1",
              "\"0.", '5', "\"");
    test_hold("a text", "scores $.x encoding=text | round=1", "\"", ' ',
              "0.55 0.44\"");
    test_hold("base64", "embedding $.x encoding=base64f32 | round=1", "\"",
              'A', "\"");
    test_hold("a document",
              "scores $.x encoding=json inside=$ | round=1", "\"[0.", '5',
              "]\"");
    test_hold("a document that stays",
              "scores $.x encoding=json inside=$.s | round=1", "\"[", ' ',
              "]\"");
}


/* texts of edits that wait together are bounded, too */

static void
test_texts(void)
{
    int          rc[3];
    char        *doc, *p;
    kit_t        kit;
    unsigned     i;

    /* the records are held from their bracket on: 8 of 24 bytes and commas */

    doc = malloc(4096);
    p = doc + sprintf(doc, "[");

    for (i = 0; i < 8; i++) {
        p += sprintf(p, "%s{\"e\":\"bef7vW3n+70=\"}", i ? "," : "");
    }

    sprintf(p, "]");

    kit_build(&kit, "scores $[*].s label=$[*].l | top=1; "
                    "embedding $[*].e encoding=base64f32 | round=1");

    for (i = 0; i < 3; i++) {
        rc[i] = run_under(&kit, doc, 8, strlen(doc) - 2 + i);
    }

    ok(rc[0] == MODELGUARD_TOO_BIG && rc[1] == MODELGUARD_OK
       && rc[2] == MODELGUARD_OK, "texts that wait in records at the limit");

    free(doc);
    kit_free();
}


/* a document that grows: what takes its place is bounded, too */

static void
test_grown(void)
{
    kit_t  kit;

    static const char  doc[] = "{\"x\":\"[1e9]\"}";

    kit_build(&kit, "scores $.x encoding=json inside=$ | round=1");

    ok(run_under(&kit, doc, 8, 13) == MODELGUARD_TOO_BIG
       && run_under(&kit, doc, 8, 14) == MODELGUARD_OK
       && run_under(&kit, doc, 8, 15) == MODELGUARD_OK,
       "a document that grows to 14 bytes where 13, 14 and 15 may be held");

    kit_free();
}


static void
test_depth(void)
{
    kit_t  kit;

    static const char  spec[] = "scores $.x encoding=json inside=$ | round=1";

    kit_build(&kit, spec);

    ok(run_under(&kit, "{\"x\":\"[[[0.5]]]\"}", 4, 4096) == MODELGUARD_OK
       && run_under(&kit, "{\"x\":\"[[[0.5]]]\"}", 3, 4096) == MODELGUARD_OK
       && run_under(&kit, "{\"x\":\"[[[0.5]]]\"}", 2, 4096)
          == MODELGUARD_TOO_DEEP, "depth inside a document");

    kit_free();
}


/* a sink that takes so many bytes, and an allocator so many calls */

static size_t  takes, grants;


static int
short_sink(void *data, const uint8_t *bytes, size_t len)
{
    (void) data;
    (void) bytes;

    if (len > takes) {
        return MODELGUARD_INVALID;
    }

    takes -= len;

    return MODELGUARD_OK;
}


static void *
short_alloc(void *data, void *old, size_t old_size, size_t size)
{
    if (size != 0 && grants-- == 0) {
        grants = 0;
        return NULL;
    }

    return kit_alloc(data, old, old_size, size);
}


static int
run_short(const kit_t *kit, const char *doc, size_t sink, size_t alloc)
{
    int                         rc;
    modelguard_rewrite_t       *rw;
    modelguard_rewrite_conf_t   conf;

    takes = sink;
    grants = alloc;

    conf.rules = kit->rules;
    conf.depth = 8;
    conf.hold = 65536;
    conf.sink = short_sink;
    conf.sink_data = NULL;
    conf.alloc = short_alloc;
    conf.alloc_data = NULL;

    rw = modelguard_rewrite_create(&conf);
    if (rw == NULL) {
        return MODELGUARD_NOMEM;
    }

    rc = modelguard_rewrite_feed(rw, (const uint8_t *) doc, strlen(doc));

    if (rc == MODELGUARD_OK) {
        rc = modelguard_rewrite_finish(rw);
    }

    modelguard_rewrite_free(rw);

    return rc;
}


static void
test_short(void)
{
    int       rc;
    kit_t     kit;
    size_t    i, n, len;
    unsigned  bad;

    bad = 0;
    n = 0;

    for (i = 0; i < ENCODING_CASES; i++) {

        if (encoding_cases[i].out == NULL) {
            continue;
        }

        kit_build(&kit, encoding_cases[i].spec);

        for (len = 0; len < 40; len++) {
            rc = run_short(&kit, encoding_cases[i].doc, SIZE_MAX, len);

            if (rc == MODELGUARD_OK) {
                break;
            }

            bad += (rc != MODELGUARD_NOMEM);
            n++;
        }

        bad += (rc != MODELGUARD_OK || len == 0);
        len = strlen(encoding_cases[i].out);

        bad += run_short(&kit, encoding_cases[i].doc, len, SIZE_MAX)
               != MODELGUARD_OK;
        bad += run_short(&kit, encoding_cases[i].doc, len - 1, SIZE_MAX)
               != MODELGUARD_SINK;

        kit_free();
    }

    ok(bad == 0, "%zu allocations fail, and every sink that is short by one",
       n);
}


/* after an error all that came can be passed on, once and in order */

static void
test_pass(void)
{
    kit_t                  kit;
    size_t                 i, j, len;
    unsigned               bad, n;
    kit_out_t              out;
    const char            *doc;
    modelguard_rewrite_t  *rw;

    bad = 0;
    n = 0;

    for (i = 0; i < ENCODING_CASES; i++) {
        doc = encoding_cases[i].doc;
        len = strlen(doc);

        if (encoding_cases[i].rc != MODELGUARD_UNTREATABLE) {
            continue;
        }

        kit_build(&kit, encoding_cases[i].spec);

        for (j = 1; j <= len; j++) {
            rw = kit_create(&kit, &out, 8, 4096);

            if (modelguard_rewrite_feed(rw, (const uint8_t *) doc, j)
                != MODELGUARD_OK)
            {
                (void) modelguard_rewrite_pass(rw);

            } else if (modelguard_rewrite_feed(rw, (const uint8_t *) doc + j,
                                               len - j)
                       != MODELGUARD_OK)
            {
                (void) modelguard_rewrite_pass(rw);
                bad += (out.len != len || memcmp(out.data, doc, len) != 0);
                n++;
            }

            modelguard_rewrite_free(rw);
            free(out.data);
        }

        kit_free();
    }

    ok(bad == 0 && n > 100, "%u answers passed on after an error", n);
}


/* a row of base64 longer than any buffer, in an array of two */

static void
test_long(void)
{
    char      *doc, *want, *p, *q;
    kit_t      kit;
    size_t     cut, len;
    unsigned   i, j, bad;
    kit_out_t  out;

    doc = malloc(LONGEST);
    want = malloc(LONGEST);

    p = doc + sprintf(doc, "[");
    q = want + sprintf(want, "[");

    for (i = 0; i < 2; i++) {
        p += sprintf(p, "\"");
        q += sprintf(q, "\"");

        for (j = 0; j < 700; j++) {
            p += sprintf(p, "AACAP5qZmT5t5/u9");
            q += sprintf(q, "AACAP5qZmT7NzMy9");
        }

        p += sprintf(p, "bef7vQ%s", i ? "==\"]" : "\",");
        q += sprintf(q, "zczMvQ%s", i ? "==\"]" : "\",");
    }

    kit_build(&kit, "embedding $ encoding=base64f32 | round=1");

    bad = 0;
    len = (size_t) (p - doc);

    for (cut = 0; cut < len; cut += 1999) {
        kit_run(&kit, &out, (unsigned char *) doc, len, &cut, 1);

        bad += (out.rc != MODELGUARD_OK || out.len != len
                || memcmp(out.data, want, len) != 0
                || out.treated != 2 * (700 * 3 + 1));
        free(out.data);
    }

    ok(bad == 0, "%zu bytes of base64", len);

    free(doc);
    free(want);
    kit_free();
}


/* the corpus */

typedef struct {
    const char  *file;
    const char  *spec;
    unsigned     decimals;           /* that may be left in any number */
    const char  *need;               /* in the output */
} corpus_t;


#define TENSOR  "scores $.outputs[*].data shape=$.outputs[*].shape "          \
                "datatype=$.outputs[*].datatype encoding=string | "

static const corpus_t  corpus[] = {
    { "002-triton-v2-classification.json", TENSOR "round=2", 2,
      "\"3.3:1\", \"2.4:3\"" },
    { "002-triton-v2-classification.json", TENSOR "round=2 top=3", 2,
      "\"3.3:1\", \"2.4:3\"" },
    { "002-triton-v2-classification.json", TENSOR "label_only", 0,
      "\"1:1\", \"0:3\"" },
    { "008-kserve-v2-hf-textclass-probs.json", TENSOR "round=2", 2,
      "\"{0: 0, 1: 1}\"" },
    { "008-kserve-v2-hf-textclass-probs.json", TENSOR "round=2 top=3", 2,
      "\"{0: 1, 1: 0}\"" },
    { "008-kserve-v2-hf-textclass-probs.json", TENSOR "label_only", 0,
      "\"{0: 0, 1: 1}\"" },
    { "032-seldon-v2-hf-nested-json.json", TENSOR "round=2", 2,
      "\\\"score\\\": 1}" },
    { "032-seldon-v2-hf-nested-json.json", TENSOR "round=2 top=3", 2,
      "\\\"score\\\": 1}" },
    { "032-seldon-v2-hf-nested-json.json", TENSOR "label_only", 0,
      "\\\"score\\\": 1}" },
    { "032-seldon-v2-hf-nested-json.json",
      "scores $.outputs[*].data[*] encoding=json inside=$.score | drop", 0,
      "{\\\"label\\\": \\\"NEGATIVE\\\"}" },
    { "034-mlserver-tempo-pipeline.json", TENSOR "round=2", 2,
      "[0.83, 0.04, 0.14]" },
    { "034-mlserver-tempo-pipeline.json", TENSOR "round=2 top=3", 2,
      "[0.83, 0.04, 0.14]" },
    { "034-mlserver-tempo-pipeline.json", TENSOR "label_only", 0,
      "[1, 0, 0]" }
};


static char *
corpus_read(const char *name, size_t *len)
{
    char         path[1024], *text;
    FILE        *file;
    const char  *dir;

    dir = getenv("MODELGUARD_CORPUS");

    snprintf(path, sizeof(path), "%s/responses/%s",
             dir != NULL && *dir != '\0' ? dir : "../shared/corpus", name);

    file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }

    text = malloc(LONGEST * 4);
    *len = fread(text, 1, LONGEST * 4 - 1, file);
    text[*len] = '\0';

    fclose(file);

    return text;
}


/* the most decimals of any number in the text; 99 for an exponent */

static unsigned
corpus_decimals(const char *text, size_t len)
{
    size_t    i;
    unsigned  n, most;

    most = 0;

    for (i = 1; i < len; i++) {

        if (text[i] == '.' && text[i - 1] >= '0' && text[i - 1] <= '9') {

            for (n = 0; text[i + 1] >= '0' && text[i + 1] <= '9'; i++) {
                n++;
            }

            most = (n > most) ? n : most;
        }
    }

    return most;
}


static void
test_corpus(const corpus_t *test)
{
    char      *doc, *text;
    kit_t      kit;
    size_t     len;
    unsigned   differ, decimals;
    kit_out_t  out;

    doc = corpus_read(test->file, &len);
    if (doc == NULL) {
        printf("# no %s\n", test->file);
        ok(1, "# SKIP corpus not found");
        return;
    }

    kit_build(&kit, test->spec);

    differ = kit_split(&kit, (unsigned char *) doc, len, &out);

    text = calloc(1, out.len + 1);
    memcpy(text, out.data, out.len);

    decimals = corpus_decimals(text, out.len);

    if (!ok(out.rc == MODELGUARD_OK && differ == 0
            && decimals <= test->decimals
            && strstr(text, test->need) != NULL, "%s: %s", test->file,
            strchr(test->spec, '|')))
    {
        printf("# rc %d, %u decimals, %u differ: %s\n", out.rc, decimals,
               differ, text);
    }

    free(text);
    free(doc);
    free(out.data);
    kit_free();
}


/* every float of a base64 embedding is what the numbers would have been */

static void
test_embedding(const char *name)
{
    char      *doc;
    kit_t      kit;
    size_t     len, n;
    unsigned   bad;
    kit_out_t  out, twice;

    doc = corpus_read(name, &len);
    if (doc == NULL) {
        ok(1, "# SKIP corpus not found");
        return;
    }

    kit_build(&kit, "embedding $.data[*].embedding encoding=base64f32 "
                    "| round=2");

    kit_run(&kit, &out, (unsigned char *) doc, len, NULL, 0);
    kit_run(&kit, &twice, out.data, out.len, NULL, 0);

    bad = 0;

    for (n = 0; n < out.len; n++) {
        bad += (out.data[n] != (unsigned char) doc[n]);
    }

    ok(out.rc == MODELGUARD_OK && out.len == len && out.treated > 500
       && bad > len / 2 && twice.len == len
       && memcmp(twice.data, out.data, len) == 0,
       "%s: %u floats, as many bytes, and the same when done twice", name,
       out.treated);

    free(doc);
    free(out.data);
    free(twice.data);
    kit_free();
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < ENCODING_CASES; i++) {
        test_case(&encoding_cases[i]);
    }

    test_holds();
    test_texts();
    test_grown();
    test_depth();
    test_short();
    test_pass();
    test_long();

    for (i = 0; i < sizeof(corpus) / sizeof(corpus[0]); i++) {
        test_corpus(&corpus[i]);
    }

    test_embedding("142-openai-embeddings-base64-batch-rec.json");
    test_embedding("210-voyage-embeddings-base64.json");

    ok(kit_allocated == 0, "all memory was given back");

    return tap_done();
}
