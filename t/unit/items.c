
/*
 * Copyright (C) the modelguard authors
 *
 * Counting the items of a request: each body whole, cut in two at every
 * offset, and in single bytes, against a guard page.
 */


#include "rewrite_kit.h"
#include "modelguard_inspect.h"


#define UNCHANGED  77                /* what *count is before */


typedef struct {
    const char  *paths;
    const char  *body;
    uint64_t     count;              /* 0: an error */
    int          rc;
} items_case_t;


static const char  builtin[] =
    "$.instances $.inputs[*].shape[0] $.inputs $.input $.prompt "
    "$.dataframe_split.data";


static const items_case_t  cases[] = {

    { builtin, "{}", 1, 0 },
    { builtin, " [1,2,3] ", 1, 0 },
    { builtin, "3", 1, 0 },
    { builtin, "\"x\"", 1, 0 },
    { builtin, "null", 1, 0 },

    { builtin, "{\"instances\":[]}", 1, 0 },
    { builtin, "{\"instances\":[1]}", 1, 0 },
    { builtin, "{\"instances\":[[1,2],[3,4],[5,[6,{\"a\":[7]}]]]}", 3, 0 },
    { builtin, "{ \"instances\" : [ {\"x\":[1,2,3,4,5]} , {} ] }", 2, 0 },
    { builtin, "{\"instances\":[{\"b64\":\"a,b\"},null,true,\"[,]\",-1e5]}",
      5, 0 },
    { builtin, "{\"instances\":{\"a\":[1,2,3]}}", 1, 0 },
    { builtin, "{\"instances\":\"abc\"}", 1, 0 },
    { builtin, "{\"instances\":null}", 1, 0 },
    { builtin, "{\"x\":{\"instances\":[1,2,3]}}", 1, 0 },

    { builtin, "{\"inputs\":[{\"name\":\"a\",\"shape\":[64,3,224]}]}", 64, 0 },
    { builtin, "{\"inputs\":[{\"shape\":[2,9]},{\"shape\":[7]},"
               "{\"shape\":[3]}]}", 7, 0 },
    { builtin, "{\"inputs\":[{\"shape\":[2]},1,2,3,4]}", 5, 0 },
    { builtin, "{\"inputs\":[\"a\",\"b\",\"c\"]}", 3, 0 },
    { builtin, "{\"inputs\":{\"a\":[1,2,3]}}", 1, 0 },
    { builtin, "{\"inputs\":[{\"shape\":[]}]}", 1, 0 },
    { builtin, "{\"inputs\":[{\"shape\":[[5,6]]}]}", 2, 0 },
    { builtin, "{\"inputs\":[{\"shape\":\"9\"}]}", 1, 0 },
    { builtin, "{\"inputs\":[{\"shape\":[\"8\",2]}]}", 4294967295, 0 },
    { builtin, "{\"inputs\":[{\"shape\":[8,\"2\"]}]}", 8, 0 },
    { builtin, "{\"input\":[\"a\",\"b\"],\"prompt\":[1,2,3]}", 3, 0 },
    { builtin, "{\"prompt\":\"x\",\"model\":\"m\"}", 1, 0 },
    { builtin, "{\"dataframe_split\":{\"columns\":[\"a\"],"
               "\"data\":[[1],[2]]}}", 2, 0 },

    /* the greatest of all places and all duplicates */

    { builtin, "{\"instances\":[1,2],\"inputs\":[1,2,3,4]}", 4, 0 },
    { builtin, "{\"instances\":[1,2,3],\"instances\":[1]}", 3, 0 },
    { builtin, "{\"instances\":[1],\"instances\":[1,2,3]}", 3, 0 },
    { builtin, "{\"instances\":[1],\"inst\\u0061nces\":[1,2,3]}", 3, 0 },
    { builtin, "{\"inputs\":[{\"shape\":[8],\"sh\\u0061p\\u0065\":[9]}]}", 9,
      0 },
    { builtin, "{\"\\u0069nputs\":[{\"shape\":[4]}]}", 4, 0 },

    /* places within places */

    { "$.a $.a[*].b", "{\"a\":[{\"b\":[1,2,3,4]},{\"b\":[1]}]}", 4, 0 },
    { "$.a $.a[*]", "{\"a\":[[1,2,3],[1,[4,5,6,7,8]]]}", 3, 0 },
    { "$.**", "[1,[2,3,4,[5,6,7,8]],9]", 9, 0 },
    { "$.** $", "[[[[0,0,0,0,0]]]]", 5, 0 },
    { "$", "[0,[],{}]", 3, 0 },
    { "$", "12", 12, 0 },
    { "$", " 12.5 ", 12, 0 },
    { "$[1]", "[5,6,[7,7,7,7,7,7,7,7,7]]", 6, 0 },
    { "$.*", "{\"a\":[1],\"b\":[1,2],\"c\":{}}", 2, 0 },
    { "$.~^in(puts|stances)$", "{\"inputs\":[1,2],\"ins\":[1,2,3]}", 2, 0 },

    /* numbers */

    { "$.n", "{\"n\":0}", 1, 0 },
    { "$.n", "{\"n\":1}", 1, 0 },
    { "$.n", "{\"n\":2}", 2, 0 },
    { "$.n", "{\"n\":2.5}", 2, 0 },
    { "$.n", "{\"n\":3.5}", 4, 0 },
    { "$.n", "{\"n\":2.50001}", 3, 0 },
    { "$.n", "{\"n\":1e2}", 100, 0 },
    { "$.n", "{\"n\":0.064E3}", 64, 0 },
    { "$.n", "{\"n\":-0}", 1, 0 },
    { "$.n", "{\"n\":-7}", 1, 0 },
    { "$.n", "{\"n\":-1e300}", 1, 0 },
    { "$.n", "{\"n\":-Infinity}", 1, 0 },
    { "$.n", "{\"n\":-1.2345678901234567e-05}", 1, 0 },
    { "$.n", "{\"n\":1.2345678901234567e-05}", 1, 0 },
    { "$.n", "{\"n\":16.000000000000000000000000}", 16, 0 },
    { "$.n", "{\"n\":4294967294}", 4294967294, 0 },
    { "$.n", "{\"n\":4294967295}", 4294967295, 0 },
    { "$.n", "{\"n\":4294967296}", 4294967295, 0 },
    { "$.n", "{\"n\":9223372036854775808}", 4294967295, 0 },
    { "$.n", "{\"n\":1e300}", 4294967295, 0 },
    { "$.n", "{\"n\":1e999999999999999999999}", 4294967295, 0 },
    { "$.n", "{\"n\":Infinity}", 4294967295, 0 },
    { "$.n", "{\"n\":NaN}", 4294967295, 0 },
    { "$.n", "{\"n\":1.00000000000000000000000000000}", 1, 0 },
    { "$.n", "{\"n\":1.000000000000000000000000000000}", 1, 0 },
    { "$.n", "{\"n\":1.0000000000000000000000000000000}", 4294967295, 0 },
    { "$.n", "{\"n\":[\"a\",5,6],\"m\":99}", 3, 0 },

    /* what is no JSON document */

    { builtin, "", 0, MODELGUARD_TRUNCATED },
    { builtin, "  ", 0, MODELGUARD_TRUNCATED },
    { builtin, "{\"instances\":[1,2", 0, MODELGUARD_TRUNCATED },
    { builtin, "{\"instances\":[1,2]", 0, MODELGUARD_TRUNCATED },
    { builtin, "{\"inputs\":tru", 0, MODELGUARD_TRUNCATED },
    { builtin, "{\"inputs\":\"a\\", 0, MODELGUARD_TRUNCATED },
    { "$", "-", 0, MODELGUARD_TRUNCATED },
    { builtin, "{\"instances\":[1,]}", 0, MODELGUARD_MALFORMED },
    { builtin, "{\"instances\":[1]}]", 0, MODELGUARD_MALFORMED },
    { builtin, "{\"instances\":[1]} {}", 0, MODELGUARD_MALFORMED },
    { builtin, "{\"instances\":[01]}", 0, MODELGUARD_MALFORMED },
    { builtin, "{\"x\":[{\"y\":[1,}]}", 0, MODELGUARD_MALFORMED },
    { builtin, "{\"instances\":\"\xff\"}", 0, MODELGUARD_MALFORMED },
    { builtin, "\xef\xbb\xbf{}", 0, MODELGUARD_MALFORMED },
    { builtin, "instances=1", 0, MODELGUARD_MALFORMED },
    { builtin, "{\"a\":[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}", 0,
      MODELGUARD_TOO_DEEP }
};

#define CASES  (sizeof(cases) / sizeof(cases[0]))
#define DEPTH  16


static modelguard_params_t *
items_compile(const char *paths)
{
    size_t                    n, len;
    modelguard_params_t      *params;
    const modelguard_path_t  *list[16];

    for (n = 0; *paths; paths += len, n++) {
        paths += strspn(paths, " ");
        len = strcspn(paths, " ");
        list[n] = kit_path(paths, len);
    }

    if (modelguard_params_build(&params, NULL, 0, list, n, kit_match, kit_keep,
                                NULL)
        != MODELGUARD_OK)
    {
        kit_bail("automaton", paths, "bad");
    }

    return params;
}


static int
items_finish(modelguard_inspect_t *items, uint64_t *count)
{
    int                          rc;
    modelguard_inspect_result_t  result;

    rc = modelguard_inspect_finish(items, &result);

    if (rc == MODELGUARD_OK) {
        *count = result.items;
    }

    return rc;
}


/* pieces of "step" bytes after the first of "first" */

static int
items_run(const modelguard_params_t *params, const char *body, size_t first,
    size_t step, uint64_t *count)
{
    int                    rc;
    size_t                 at, n, len;
    unsigned char         *copy;
    modelguard_inspect_t  *items;

    items = modelguard_inspect_create(params, DEPTH, kit_alloc, NULL);
    len = strlen(body);
    rc = MODELGUARD_OK;

    for (at = 0; at < len && rc == MODELGUARD_OK; at += n) {
        n = (at == 0 && first) ? first : step;
        n = n < len - at ? n : len - at;

        copy = guard_copy(body + at, n);
        rc = modelguard_inspect_feed(items, copy, n);

        memset(copy, 0xee, n);
        guard_free(copy, n);

        /* nothing is no more input, and errors stay */

        if (modelguard_inspect_feed(items, copy, 0) != rc) {
            rc = -1;
        }
    }

    *count = UNCHANGED;

    if (rc == MODELGUARD_OK) {
        rc = items_finish(items, count);

    } else if (items_finish(items, count) != rc) {
        rc = -1;
    }

    modelguard_inspect_free(items);

    return rc;
}


static void
test_case(const items_case_t *test)
{
    int                         rc;
    size_t                      i, len;
    uint64_t                    count;
    unsigned                    bad;
    const modelguard_params_t  *params;

    params = items_compile(test->paths);
    len = strlen(test->body);
    bad = 0;

    for (i = 0; i <= len; i++) {
        rc = items_run(params, test->body, i, i ? len : 1, &count);

        if (rc != test->rc || count != (rc ? UNCHANGED : test->count)) {
            bad++;
            printf("# cut at %zu: rc %d for %d, count %llu\n", i, rc, test->rc,
                   (unsigned long long) count);
        }
    }

    ok(bad == 0, "%s%.60s", test->paths == builtin ? "" : test->paths,
       test->body);

    kit_free();
}


/* counts in one piece and in many, and a depth at its limit */

static void
test_many(void)
{
    char                       *body;
    size_t                      i, len;
    uint64_t                    count;
    unsigned                    bad;
    modelguard_inspect_t       *items;
    const modelguard_params_t  *params;

    params = items_compile("$.instances $.n[*].shape[0]");
    bad = 0;
    count = 0;

    items = modelguard_inspect_create(params, DEPTH, kit_alloc, NULL);

    bad += modelguard_inspect_feed(items, (const uint8_t *) "{\"instances\":[1",
                                 15) != 0;

    for (i = 1; i < 300000; i++) {
        bad += modelguard_inspect_feed(items, (const uint8_t *) ",[{}]", 5)
               != 0;
    }

    bad += modelguard_inspect_feed(items, (const uint8_t *) "]}", 2) != 0;
    bad += items_finish(items, &count) != 0;
    modelguard_inspect_free(items);

    ok(bad == 0 && count == 300000, "300000 elements");

    for (len = DEPTH - 1; len <= DEPTH + 1; len++) {
        body = malloc(2 * len);
        memset(body, '[', len);
        memset(body + len, ']', len);

        items = modelguard_inspect_create(params, DEPTH, kit_alloc, NULL);

        ok(modelguard_inspect_feed(items, (uint8_t *) body, 2 * len)
           == (len > DEPTH ? MODELGUARD_TOO_DEEP : MODELGUARD_OK),
           "depth %zu, the limit is %d", len, DEPTH);

        modelguard_inspect_free(items);
        free(body);
    }

    kit_free();
}


static void *
no_memory(void *data, void *old, size_t old_size, size_t size)
{
    (void) data;
    (void) old;
    (void) old_size;
    (void) size;

    return NULL;
}


static void
test_undecided(void)
{
    char                       *body;
    size_t                      n;
    uint64_t                    count;
    modelguard_inspect_t       *items;
    const modelguard_params_t  *params;

    params = items_compile("$.~^x");

    for (n = 255; n <= 256; n++) {
        body = malloc(n + 16);
        memset(body, 'x', n + 16);
        memcpy(body, "{\"", 2);
        memcpy(body + n + 2, "\":[0,0]}", 8);

        items = modelguard_inspect_create(params, DEPTH, kit_alloc, NULL);

        count = 0;

        (void) modelguard_inspect_feed(items, (uint8_t *) body, n + 10);

        ok(items_finish(items, &count)
           == (n > 255 ? MODELGUARD_UNDECIDED : MODELGUARD_OK)
           && count == (n > 255 ? 0 : 2),
           "a name of %zu bytes where a pattern applies", n);

        modelguard_inspect_free(items);
        free(body);
    }

    ok(modelguard_inspect_create(params, DEPTH, no_memory, NULL) == NULL,
       "no memory");

    kit_free();
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < CASES; i++) {
        test_case(&cases[i]);
    }

    test_many();
    test_undecided();

    ok(kit_allocated == 0, "all memory was given back");

    return tap_done();
}
