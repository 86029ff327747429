
/*
 * Copyright (C) the modelguard authors
 *
 * Parameters of request bodies: each body whole, cut in two at every offset,
 * and in single bytes, against a guard page.
 */


#include "param.h"


typedef struct {
    const char  *params;
    const char  *body;
    const char  *expected;           /* NULL: the body; see param_run() */
} param_case_t;


#define FORBID   "$.logit_bias forbid"
#define USAGE    "$.stream_options.include_usage set=true when=$.stream"
#define BINARY   "$.parameters.binary_data_output false; "                    \
                 "$.outputs[*].parameters.binary_data false"


static const param_case_t  cases[] = {

    /* forbid */

    { FORBID, "{}", NULL },
    { FORBID, "{\"logit_bias\":null}", NULL },
    { FORBID, "{\"logit_bias\": false }", NULL },
    { FORBID, "{\"logit_bias\":true}", "!$.logit_bias" },
    { FORBID, "{\"logit_bias\":{}}", "!$.logit_bias" },
    { FORBID, "{\"logit_bias\":{\"50256\":-100}}", "!$.logit_bias" },
    { FORBID, "{\"logit_bias\":[]}", "!$.logit_bias" },
    { FORBID, "{\"logit_bias\":0}", "!$.logit_bias" },
    { FORBID, "{\"logit_bias\":\"\"}", "!$.logit_bias" },
    { FORBID, "{\"logit_bias\":NaN}", "!$.logit_bias" },
    { FORBID, "{\"x\":{\"logit_bias\":1},\"y\":[{\"logit_bias\":1}]}", NULL },
    { FORBID, "{\"log\\u0069t_bi\\u0061s\":1}", "!$.logit_bias" },
    { FORBID, "{\"logit_bias\":null,\"logit_bias\":1}", "!$.logit_bias" },
    { FORBID, "{\"logit_bias\":1,\"logit_bias\":null}", "!$.logit_bias" },
    { FORBID, "[{\"logit_bias\":1}]", NULL },
    { FORBID, "{\"Logit_bias\":1}", NULL },
    { "$.**.echo forbid", "{\"a\":[[{\"b\":{\"echo\":1}}]]}", "!$.**.echo" },
    { "$.~^log forbid", "{\"a\":1,\"logprobs\":1}", "!$.~^log" },
    { "$.m[*].x forbid", "{\"m\":[{},{\"x\":null},{\"x\":1}]}",
      "!$.m[*].x" },
    { "$.a forbid; $.b forbid", "{\"b\":1,\"a\":1}", "!$.a" },

    /* max */

    { "$.n max=1", "{\"n\":1}", NULL },
    { "$.n max=1", "{\"n\":0}", NULL },
    { "$.n max=1", "{\"n\":null}", NULL },
    { "$.n max=1", "{\"n\":false}", NULL },
    { "$.n max=1", "{\"n\":true}", NULL },
    { "$.n max=0", "{\"n\":true}", "!$.n" },
    { "$.n max=0", "{\"n\":0.0e9}", NULL },
    { "$.n max=0", "{\"n\":-0}", NULL },
    { "$.n max=0", "{\"n\":1e-400}", "!$.n" },
    { "$.n max=1", "{\"n\":2}", "!$.n" },
    { "$.n max=1", "{\"n\":1.0}", NULL },
    { "$.n max=1", "{\"n\":10e-1}", NULL },
    { "$.n max=1", "{\"n\":0.1E1}", NULL },
    { "$.n max=1", "{\"n\":1.000000000000000000000000000001}", "!$.n" },
    { "$.n max=1", "{\"n\":5e0}", "!$.n" },
    { "$.n max=1", "{\"n\":1e400}", "!$.n" },
    { "$.n max=1", "{\"n\":1e99999999999999999999}", "!$.n" },
    { "$.n max=1", "{\"n\":1e18446744073709551616}", "!$.n" },
    { "$.n max=1", "{\"n\":1e4294967296}", "!$.n" },
    { "$.n max=1", "{\"n\":1e-4294967296}", NULL },
    { "$.n max=1", "{\"n\":0e4294967296}", NULL },
    { "$.n max=1", "{\"n\":-1}", "!$.n" },
    { "$.n max=1", "{\"n\":-1e-9}", "!$.n" },
    { "$.n max=1", "{\"n\":\"1\"}", "!$.n" },
    { "$.n max=1", "{\"n\":[]}", "!$.n" },
    { "$.n max=1", "{\"n\":{}}", "!$.n" },
    { "$.n max=1", "{\"n\":NaN}", "!$.n" },
    { "$.n max=1", "{\"n\":Infinity}", "!$.n" },
    { "$.n max=1", "{\"n\":-Infinity}", "!$.n" },
    { "$.n max=1", "{\"n\":1,\"\\u006e\":2}", "!$.n" },
    { "$.t max=0.5", "{\"t\":0.5000}", NULL },
    { "$.t max=0.5", "{\"t\":0.51}", "!$.t" },
    { "$.n max=9007199254740993", "{\"n\":9007199254740993}", NULL },
    { "$.n max=9007199254740992", "{\"n\":9007199254740993}", "!$.n" },
    { "$.* max=5", "{\"a\":1,\"b\":6}", "!$.*" },

    /* require */

    { "$.a require", "{\"a\":1}", NULL },
    { "$.a require", "{\"a\":false}", NULL },
    { "$.a require", "{\"a\":\"\"}", NULL },
    { "$.a require", "{\"a\":null}", "!$.a" },
    { "$.a require", "{}", "!$.a" },
    { "$.a require", "[]", "!$.a" },
    { "$.a require", "7", "!$.a" },
    { "$.a require", "{\"b\":{\"a\":1}}", "!$.a" },
    { "$.a require", "{\"a\":1,\"a\":null}", "!$.a" },
    { "$.a require; $.a max=2", "{\"a\":2}", NULL },
    { "$.a require; $.a max=2", "{}", "!$.a" },
    { "$.a require; $.a max=2", "{\"a\":3}", "!$.a" },
    { "$.m[*].r require", "{\"m\":[{\"r\":1},{\"r\":2}]}", NULL },
    { "$.m[*].r require", "{\"m\":[{\"r\":1},{\"q\":2}]}", "!$.m[*].r" },
    { "$.m[*].r require", "{\"m\":[]}", "!$.m[*].r" },
    { "$.m[*].r require", "{}", "!$.m[*].r" },
    { "$.a.b require", "{\"a\":{\"b\":1},\"a\":{}}", "!$.a.b" },
    { "$.a.b require", "{\"a\":{\"b\":1},\"a\":null}", "!$.a.b" },
    { "$.a.b require", "{\"a\":[],\"a\":{\"b\":1}}", "!$.a.b" },
    { "$.a.b.c require", "{\"a\":{\"b\":{\"c\":1}},\"a\":{}}", "!$.a.b.c" },
    { "$.m[*].r require", "{\"m\":[{\"r\":1},null]}", "!$.m[*].r" },
    { "$.m[*].r require", "{\"m\":[{\"r\":1},[1]]}", "!$.m[*].r" },
    { "$.m[*].r.s require", "{\"m\":[{\"r\":{\"s\":1}},{\"r\":{\"s\":2}}]}",
      NULL },
    { "$.m[*].r.s require", "{\"m\":[{\"r\":{\"s\":1}},{}]}",
      "!$.m[*].r.s" },
    { "$.m[*].r.s require", "{\"m\":[{\"r\":{\"s\":1}},{\"r\":7}]}",
      "!$.m[*].r.s" },
    { "$.f[*] require", "{\"f\":[1,0,\"\"]}", NULL },
    { "$.f[*] require", "{\"f\":[1,null]}", "!$.f[*]" },
    { "$.f[*] require", "{\"f\":[]}", "!$.f[*]" },
    { "$.**.k require", "{\"a\":{\"k\":1},\"b\":{}}", NULL },
    { "$.**.k require", "{\"a\":{\"k\":1},\"b\":{\"k\":null}}", "!$.**.k" },
    { "$.**.k require", "{\"a\":{}}", "!$.**.k" },
    { "$.a require when=$.s", "{\"s\":true}", "!$.a" },
    { "$.a require when=$.s", "{\"s\":false}", NULL },

    /* set where an element and any element overlap */

    { "$.m[*].x.y set=2; $.m[0].x set=1", "{\"m\":[{},{}]}",
      "{\"m\":[{\"x\":1},{\"x\":{\"y\":2}}]}" },
    { "$.m[0].x set=1; $.m[*].x.y set=2", "{\"m\":[{},{}]}",
      "{\"m\":[{\"x\":1},{\"x\":{\"y\":2}}]}" },

    /* drop: with its comma */

    { "$.d drop", "{\"d\":1}", "{}" },
    { "$.d drop", "{ \"d\" : 1 }", "{  }" },
    { "$.d drop", "{\"d\":1,\"a\":2}", "{\"a\":2}" },
    { "$.d drop", "{\"d\":1 , \"a\":2}", "{ \"a\":2}" },
    { "$.d drop", "{\"a\":2,\"d\":1}", "{\"a\":2}" },
    { "$.d drop", "{\"a\":2 , \"d\":1 }", "{\"a\":2  }" },
    { "$.d drop", "{\"a\":2,\"d\":[1,{\"d\":2}],\"b\":3}",
      "{\"a\":2,\"b\":3}" },
    { "$.d drop", "{\"d\":1,\"d\":2,\"a\":3}", "{\"a\":3}" },
    { "$.d drop", "{\"d\":1,\"d\":2}", "{}" },
    { "$.d drop", "{\"d\":1,\"a\":3,\"\\u0064\":2}", "{\"a\":3}" },
    { "$.d drop", "{\"a\":3,\"d\":{\"x\":[]},\"d\":2}", "{\"a\":3}" },
    { "$.d drop; $.e drop", "{\"d\":1,\"e\":2,\"a\":3}", "{\"a\":3}" },
    { "$.d drop; $.e drop", "{\"e\":1,\"a\":3,\"d\":4,\"e\":5,\"b\":6}",
      "{\"a\":3,\"b\":6}" },
    { "$[*] drop", "[1,[2],\"3\"]", "[]" },
    { "$[1] drop", "[1,2,3]", "[1,3]" },
    { "$[0] drop", "[1,2,3]", "[2,3]" },
    { "$[2] drop", "[1,2,3]", "[1,2]" },
    { "$.a.d drop", "{\"a\":{\"d\":1},\"d\":2}", "{\"a\":{},\"d\":2}" },
    { "$.**.d drop", "{\"d\":{\"d\":1},\"a\":[{\"d\":2,\"b\":{\"d\":3}}]}",
      "{\"a\":[{\"b\":{}}]}" },
    { "$.a drop; $.a.d drop", "{\"a\":{\"d\":1,\"e\":2}}", "{}" },
    { "$.** drop", "{\"a\":1}", "{}" },
    { "$.d drop", "\"d\"", NULL },

    /* set */

    { "$.s set=7", "{}", "{\"s\":7}" },
    { "$.s set=7", " { } ", " {\"s\":7 } " },
    { "$.s set=7", "{\"s\":\"abc\"}", "{\"s\":7}" },
    { "$.s set=7", "{\"a\":1}", "{\"a\":1,\"s\":7}" },
    { "$.s set=7", "{\"a\":1 }\n", "{\"a\":1,\"s\":7 }\n" },
    { "$.s set=7", "{\"a\":{\"s\":1}}", "{\"a\":{\"s\":1},\"s\":7}" },
    { "$.s set=7", "{\"s\":{\"s\":1},\"a\":[],\"s\":1.5e9}",
      "{\"s\":7,\"a\":[],\"s\":7}" },
    { "$.s set=7", "{\"\\u0073\":null}", "{\"\\u0073\":7}" },
    { "$.s set=7", "[]", NULL },
    { "$.s set=7", "null", NULL },
    { "$.s set=[{\"x\":null}]", "{}", "{\"s\":[{\"x\":null}]}" },
    { "$[\"a\\\"\\\\b\"] set=1", "{}", "{\"a\\\"\\\\b\":1}" },
    { "$.a.b.c set=1", "{}", "{\"a\":{\"b\":{\"c\":1}}}" },
    { "$.a.b.c set=1", "{\"a\":{}}", "{\"a\":{\"b\":{\"c\":1}}}" },
    { "$.a.b.c set=1", "{\"a\":null}", "{\"a\":{\"b\":{\"c\":1}}}" },
    { "$.a.b.c set=1", "{\"a\":[{}, 1]}", "{\"a\":{\"b\":{\"c\":1}}}" },
    { "$.a.b.c set=1", "{\"a\":{\"b\":\"x\",\"d\":1}}",
      "{\"a\":{\"b\":{\"c\":1},\"d\":1}}" },
    { "$.a.b.c set=1", "{\"a\":{\"b\":{\"c\":0}},\"a\":{}}",
      "{\"a\":{\"b\":{\"c\":1}},\"a\":{\"b\":{\"c\":1}}}" },
    { "$.o.a set=1; $.o.b set=2; $.c set=3", "{}",
      "{\"o\":{\"a\":1,\"b\":2},\"c\":3}" },
    { "$.o.a set=1; $.o.b set=2", "{\"o\":null,\"x\":0}",
      "{\"o\":{\"a\":1,\"b\":2},\"x\":0}" },
    { "$.o.a set=1; $.o.b set=2", "{\"o\":{\"b\":0}}",
      "{\"o\":{\"b\":2,\"a\":1}}" },
    /* what is set is the operator's, and is not judged */

    { "$.a.b forbid; $.a.b.c set=1", "{}", "{\"a\":{\"b\":{\"c\":1}}}" },
    { "$.a.b forbid; $.a.b.c set=1", "{\"a\":{\"b\":null}}",
      "{\"a\":{\"b\":{\"c\":1}}}" },
    { "$.a.b forbid; $.a.b.c set=1", "{\"a\":{\"b\":{\"c\":1}}}",
      "!$.a.b" },
    { "$.a.b forbid; $.a.b.c set=1", "{\"a\":{\"b\":{}}}",
      "!$.a.b" },
    { "$.a set={\"b\":9}; $.a.b max=1", "{}", "{\"a\":{\"b\":9}}" },
    { "$.a set={\"b\":9}; $.a.b max=1", "{\"a\":{\"b\":9}}",
      "!$.a.b" },
    { "$.a max=1; $.a.b set=1", "{\"a\":1}", "{\"a\":{\"b\":1}}" },
    { "$.a max=1; $.a.b set=1", "{\"a\":{}}", "!$.a" },

    { "$.m[*].n set=1", "{\"m\":[{},{\"n\":2},5,{\"x\":1}]}",
      "{\"m\":[{\"n\":1},{\"n\":1},5,{\"x\":1,\"n\":1}]}" },
    { "$.m[*].n set=1", "{}", NULL },
    { "$.m[*].n set=1", "{\"m\":{}}", NULL },
    { "$.m[1].o.p set=1", "{\"m\":[{},{},{}]}",
      "{\"m\":[{},{\"o\":{\"p\":1}},{}]}" },
    { "$.l[*] set=0", "{\"l\":[1,\"x\",[3],{}]}", "{\"l\":[0,0,0,0]}" },
    { "$.**.s set=0", "{\"s\":{\"s\":1},\"a\":{\"s\":[]},\"b\":{}}",
      "{\"s\":0,\"a\":{\"s\":0},\"b\":{}}" },

    /* what is inserted beside what is dropped */

    { "$.d drop; $.s set=1", "{\"d\":1}", "{\"s\":1}" },
    { "$.d drop; $.s set=1", "{\"d\":1,\"d\":2}", "{\"s\":1}" },
    { "$.d drop; $.s set=1", "{\"a\":0,\"d\":1}", "{\"a\":0,\"s\":1}" },
    { "$.d drop; $.s set=1", "{\"d\":1,\"a\":0}", "{\"a\":0,\"s\":1}" },
    { "$.d drop; $.s set=1", "{\"d\":{\"d\":[]} }", "{\"s\":1 }" },
    { "$.o.d drop; $.o.s set=1; $.t set=2", "{\"o\":{\"d\":1}}",
      "{\"o\":{\"s\":1},\"t\":2}" },
    { "$.d drop when=$.w; $.s set=1", "{\"d\":1}", "{\"d\":1,\"s\":1}" },
    { "$.d drop when=$.w; $.s set=1", "{\"d\":1,\"w\":true}",
      "{\"w\":true,\"s\":1}" },

    /* conditions, before and after */

    { USAGE, "{}", NULL },
    { USAGE, "{\"stream\":false}", NULL },
    { USAGE, "{\"stream\":null,\"stream_options\":null}", NULL },
    { USAGE, "{\"stream\":0.0}", NULL },
    { USAGE, "{\"stream\":[true]}",
      "{\"stream\":[true],\"stream_options\":{\"include_usage\":true}}" },
    { USAGE, "{\"stream\":{\"a\":1}}",
      "{\"stream\":{\"a\":1},\"stream_options\":{\"include_usage\":true}}" },
    { USAGE, "{\"stream\":true}",
      "{\"stream\":true,\"stream_options\":{\"include_usage\":true}}" },
    { USAGE, "{\"stream_options\":{},\"stream\":true}",
      "{\"stream_options\":{\"include_usage\":true},\"stream\":true}" },
    { USAGE, "{\"stream_options\":null,\"stream\":true}",
      "{\"stream_options\":{\"include_usage\":true},\"stream\":true}" },
    { USAGE, "{\"stream_options\":{\"include_usage\":false},\"stream\":false}",
      NULL },
    { USAGE, "{\"stream_options\":{\"include_usage\":false},\"stream\":1}",
      "{\"stream_options\":{\"include_usage\":true},\"stream\":1}" },
    { USAGE, "{\"stream\":\"true\"}",
      "{\"stream\":\"true\",\"stream_options\":{\"include_usage\":true}}" },
    { USAGE, "{\"stream\":false,\"str\\u0065am\":true}",
      "{\"stream\":false,\"str\\u0065am\":true,"
      "\"stream_options\":{\"include_usage\":true}}" },
    { "$.n max=1 when=$.s", "{\"n\":2}", NULL },
    { "$.n max=1 when=$.s", "{\"n\":2,\"s\":true}", "!$.n" },
    { "$.a set=1 when=$.x; $.b.c set=2 when=$.y; $.b.d set=3", "{\"y\":true}",
      "{\"y\":true,\"b\":{\"c\":2,\"d\":3}}" },
    { "$.a set=1 when=$.x; $.b.c set=2 when=$.y; $.b.d set=3", "{\"x\":true}",
      "{\"x\":true,\"a\":1,\"b\":{\"d\":3}}" },

    /* false */

    { BINARY, "{\"inputs\":[]}", NULL },
    { BINARY, "{\"parameters\":{\"binary_data_output\":true}}",
      "{\"parameters\":{\"binary_data_output\":false}}" },
    { BINARY, "{\"parameters\":{\"binary_data_output\":null}}", NULL },
    { BINARY, "{\"outputs\":[{\"name\":\"a\",\"parameters\":"
              "{\"binary_data\":true}},{\"parameters\":{\"binary_data\":1}},"
              "{\"parameters\":{\"binary_data\":false}}]}",
      "{\"outputs\":[{\"name\":\"a\",\"parameters\":"
      "{\"binary_data\":false}},{\"parameters\":{\"binary_data\":false}},"
      "{\"parameters\":{\"binary_data\":false}}]}" },

    /* what is no JSON document */

    { FORBID, "", "#3" },
    { FORBID, "{\"logit_bias\":1", "#3" },
    { FORBID, "{\"logit_bias\":1}}", "#2" },
    { FORBID, "{\"logit_bias\\u0000\":1}", "#2" },
    { FORBID, "{\"logit_bias\\u0000x\":1}", "#2" },
    { FORBID, "{\"\\u0000logit_bias\":1}", "#2" },
    { FORBID, "{\"a\":{\"b\\u0000\":\"\\u0000\"}}", NULL },
    { FORBID, "{\"a\":\"\\u0000\",\"\\u0001\":[\"\\u0000\"]}", NULL },
    { "$.s set=1", "{\"a\":1,}", "#2" },
    { "$.s set=1", "{,}", "#2" },
    { "$.s set=1", "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", "#4" }
};

#define CASES  (sizeof(cases) / sizeof(cases[0]))


static void
test_case(const param_case_t *test)
{
    size_t        i, len;
    unsigned      bad;
    const char   *expected;
    param_kit_t   kit;
    static char   out[PARAM_OUT];

    param_build(&kit, test->params);

    expected = test->expected ? test->expected : test->body;
    len = strlen(test->body);
    bad = 0;

    for (i = 0; i <= len; i++) {
        param_run(&kit, test->body, i, i ? len : 1, out);

        if (strcmp(out, expected) != 0) {
            bad++;
            printf("# cut at %zu: %s\n# expected: %s\n", i, out, expected);
        }
    }

    ok(bad == 0 && kit_allocated == 0, "%s: %.50s", test->params, test->body);

    kit_free();
}


/* names with \u0000, of any length, whole and in single bytes */

static void
test_nul(void)
{
    size_t        n, len;
    unsigned      i, bad;
    const char   *escape, *expected;
    param_kit_t   kit;
    static char   body[4096], out[PARAM_OUT];

    param_build(&kit, "$.seed forbid");

    bad = 0;

    for (n = 0; n < 2000; n += (n < 300) ? 1 : 211) {

        for (i = 0; i < 6; i++) {
            escape = (i / 2 == 0) ? "\\u0000" : (i / 2 == 1) ? "\\u0041" : "";

            len = (size_t) sprintf(body, "{\"seed%s", escape);
            memset(body + len, 'x', n);
            len += n;
            len += (size_t) sprintf(body + len, "\":1}");

            param_run(&kit, body, (i & 1) ? 1 : 0, (i & 1) ? 1 : len, out);

            expected = body;

            if (i / 2 == 2 && n == 0) {
                expected = "!$.seed";

            } else if (i / 2 == 0
                       || (i == 3 && n > MODELGUARD_PATH_NAME_MAX * 6 - 10))
            {
                expected = "#2";
            }

            if (strcmp(out, expected) != 0) {
                bad++;
                printf("# %zu, %u: %.60s\n", n, i, out);
            }
        }
    }

    ok(bad == 0 && kit_allocated == 0, "names with a NUL");

    kit_free();
}


/* members that are dropped, at the bound of edits and around it */

static void
test_edits(void)
{
    int                           rc;
    char                         *body, *p;
    size_t                        i, n;
    param_kit_t                   kit;
    modelguard_inspect_t         *in;
    modelguard_inspect_result_t   result;

    param_build(&kit, "$[*] drop");

    for (n = MODELGUARD_INSPECT_EDITS_MAX - 1;
         n <= MODELGUARD_INSPECT_EDITS_MAX + 1;
         n++)
    {
        body = malloc(2 * n + 2);
        p = body;
        *p++ = '[';

        for (i = 0; i < n; i++) {
            *p++ = '1';
            *p++ = ',';
        }

        p[-1] = ']';

        in = modelguard_inspect_create(kit.params, PARAM_DEPTH, kit_alloc,
                                       NULL);

        rc = modelguard_inspect_feed(in, (uint8_t *) body,
                                     (size_t) (p - body));

        if (rc == MODELGUARD_OK) {
            rc = modelguard_inspect_finish(in, &result);
        }

        if (n > MODELGUARD_INSPECT_EDITS_MAX) {
            ok(rc == MODELGUARD_TOO_BIG, "%zu edits: too many", n);

        } else {
            ok(rc == MODELGUARD_OK && result.nedits == n, "%zu edits", n);
        }

        modelguard_inspect_free(in);
        free(body);
    }

    ok(kit_allocated == 0, "all memory is given back");

    kit_free();
}


/* a limit of the number's text */

static void
test_digits(void)
{
    size_t       n;
    param_kit_t  kit;
    static char  out[PARAM_OUT], body[PARAM_OUT];

    param_build(&kit, "$.n max=1");

    for (n = MODELGUARD_INSPECT_DIGITS_MAX - 1;
         n <= MODELGUARD_INSPECT_DIGITS_MAX + 1;
         n++)
    {
        memset(body, '0', n + 16);
        memcpy(body, "{\"n\":1.", 7);
        strcpy(body + 5 + n, "}");

        param_run(&kit, body, 9, 7, out);

        ok(strcmp(out, n > MODELGUARD_INSPECT_DIGITS_MAX ? "!$.n" : body) == 0,
           "a one of %zu bytes", n);
    }

    kit_free();
}


static void *
no_memory(void *data, void *old, size_t old_size, size_t size)
{
    unsigned  *left = data;

    if (size && *left == 0) {
        return NULL;
    }

    *left -= (size != 0);

    return kit_alloc(NULL, old, old_size, size);
}


static void
test_memory(const char *body, size_t first, unsigned granted)
{
    int                           rc;
    unsigned                      n, left;
    param_kit_t                   kit;
    modelguard_inspect_t         *in;
    modelguard_inspect_result_t   result;

    param_build(&kit, "$.a drop; $.b.c set=1");

    for (n = 0; n < 16; n++) {
        left = n;
        in = modelguard_inspect_create(kit.params, PARAM_DEPTH, no_memory,
                                       &left);
        if (in == NULL) {
            continue;
        }

        rc = modelguard_inspect_feed(in, (const uint8_t *) body, first);

        if (rc == MODELGUARD_OK) {
            rc = modelguard_inspect_feed(in, (const uint8_t *) body + first,
                                         strlen(body) - first);
        }

        if (rc == MODELGUARD_OK) {
            rc = modelguard_inspect_finish(in, &result);
        }

        modelguard_inspect_free(in);

        if (rc == MODELGUARD_OK) {
            break;
        }

        ok(rc == MODELGUARD_NOMEM, "no memory after %u allocations", n);
    }

    ok(n == granted && kit_allocated == 0, "%u allocations: %s", n, body);

    kit_free();
}


/* what is refused of a configuration */

static void
test_conf(void)
{
    size_t                    i;
    const char               *error;
    modelguard_param_t        a, b;
    static const char *const  values[] = {
        "max=", "max=-1", "max=1e2", "max=x", "max=1.", "max=01", "max=.5",
        "set=", "set=abc", "set={", "set=1,2", "set=NaN", "set=[Infinity]",
        "set={\"a\":1}x", "set=\"\xff\"", NULL
    };
    static const char *const  pairs[][3] = {
        { "$.a", "max=1", "require" },
        { "$.a", "forbid", "forbid" },
        { "$.a", "max=1", "max=2" },
        { "$.a", "drop", "set=1" },
        { "$.a", "set=1", "set=1" },
        { "$.a", "set=1", "require" },
        { "$.a", "drop", "max=1" },
        { "$.a", "forbid", "max=1" },
        { "$.a", "forbid", "require" }
    };

    for (i = 0; values[i]; i++) {
        memset(&a, 0, sizeof(a));
        a.path = kit_path("$.a", 3);
        (void) param_word(&a, values[i], strlen(values[i]));

        ok(modelguard_param_check(&a, &error) == MODELGUARD_INVALID,
           "\"%s\" is refused", i == 14 ? "set=bad UTF-8" : values[i]);
    }

    a.path = kit_path("$", 1);
    a.op = MODELGUARD_PARAM_DROP;

    ok(modelguard_param_check(&a, &error) == MODELGUARD_INVALID, "the root");

    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        memset(&a, 0, sizeof(a));
        memset(&b, 0, sizeof(b));

        a.path = kit_path(pairs[i][0], 3);
        b.path = kit_path(pairs[i][0], 3);
        (void) param_word(&a, pairs[i][1], strlen(pairs[i][1]));
        (void) param_word(&b, pairs[i][2], strlen(pairs[i][2]));

        ok((modelguard_param_conflict(&a, &b) == NULL) == (i == 0)
           && (modelguard_param_conflict(&b, &a) == NULL) == (i == 0),
           "%s beside %s", pairs[i][1], pairs[i][2]);

        b.when = kit_path("$.w", 3);
        a.when = kit_path("$.v", 3);

        ok((modelguard_param_conflict(&a, &b) == NULL)
           == (i != 3 && i != 4),
           "%s beside %s, of other conditions", pairs[i][1], pairs[i][2]);
    }

    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));

    a.path = kit_path("$.a", 3);
    b.path = kit_path("$.a.b", 5);
    (void) param_word(&a, "set=1", 5);
    (void) param_word(&b, "drop", 4);

    ok(modelguard_param_conflict(&a, &b) != NULL, "set in set");

    b.op = MODELGUARD_PARAM_FORBID;

    ok(modelguard_param_conflict(&a, &b) == NULL, "forbid in set");

    b.path = kit_path("$.b", 3);
    b.op = MODELGUARD_PARAM_DROP;

    ok(modelguard_param_conflict(&a, &b) == NULL, "another place");

    kit_free();
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < CASES; i++) {
        test_case(&cases[i]);
    }

    test_nul();
    test_edits();
    test_digits();
    test_memory("{\"a\":1}", 0, 5);
    test_memory("{\"a\":12}", 6, 5);
    test_memory("{}", 1, 5);
    test_conf();

    return tap_done();
}
