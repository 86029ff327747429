
/*
 * Copyright (C) the modelguard authors
 *
 * Every rewritten document beside an independent transformation of a tree
 * made by jansson: the cases of rewrite_cases.h, and documents made up for
 * every shape and treatment.
 */


#include "rewrite_kit.h"
#include "rewrite_cases.h"
#include "oracle_rules.h"
#include "oracle_shapes.h"


#define DOCUMENTS  250               /* of each shape */
#define CUTS       5


typedef struct {
    const char  *name;
    make_pt      make;
} shape_t;


static const shape_t  shapes[] = {
    { "an array, and rows of rows", make_array },
    { "records", make_records },
    { "pairs", make_pairs },
    { "a map", make_map },
    { "parallel arrays", make_parallel },
    { "a flat tensor", make_tensor },
    { "any tree", make_any }
};


static uint64_t  cuts_seed = 88172645463325252ULL;
static unsigned  vectors, vectors_bad;


/* 1: the output is what the oracle makes of the document; -1: it cannot */

static int
beside_oracle(const char *spec, const char *doc, size_t len,
    const kit_out_t *out)
{
    int        same;
    node_t    *wanted, *got;
    oracle_t   oracle;

    wanted = tree_parse(doc, len);

    if (wanted == NULL) {
        return -1;
    }

    got = tree_parse((const char *) out->data, out->len);

    oracle_build(&oracle, spec);
    oracle_apply(&oracle, wanted, len);

    same = got != NULL && tree_equal(wanted, got);

    vectors += oracle.vectors;
    vectors_bad += oracle.bad;

    tree_free(wanted);

    if (got != NULL) {
        tree_free(got);
    }

    return same;
}


static void
test_cases(void)
{
    int                    same;
    kit_t                  kit;
    size_t                 i, len;
    unsigned               bad, compared, twice;
    kit_out_t              out;
    const rewrite_case_t  *test;

    bad = 0;
    compared = 0;
    twice = 0;

    for (i = 0; i < REWRITE_CASES; i++) {
        test = &rewrite_cases[i];

        if (test->out == NULL) {
            continue;
        }

        kit_build(&kit, test->spec);

        len = strlen(test->doc);
        kit_run(&kit, &out, (const unsigned char *) test->doc, len, NULL, 0);

        same = beside_oracle(test->spec, test->doc, len, &out);

        if (same < 0) {
            twice++;

        } else {
            compared++;
        }

        if (same == 0) {
            bad++;
            printf("# %s: %s\n# %s\n# %.*s\n", test->name, test->spec,
                   test->doc, (int) out.len, (char *) out.data);
        }

        free(out.data);
        kit_free();
    }

    ok(bad == 0 && compared > 40, "%u cases are as the oracle says",
       compared);
    ok(twice <= 10, "%u cases have a key twice, which no tree can have",
       twice);
}


static size_t
random_cuts(size_t *cuts, size_t len)
{
    size_t  i, n, at;

    cuts_seed ^= cuts_seed << 13;
    cuts_seed ^= cuts_seed >> 7;
    cuts_seed ^= cuts_seed << 17;

    n = 1 + cuts_seed % CUTS;
    at = 0;

    for (i = 0; i < n; i++) {
        at += (cuts_seed >> (8 + 10 * i)) % (2 * len / n + 1);
        cuts[i] = at > len ? len : at;
    }

    return n;
}


static int
same_output(const kit_out_t *a, kit_out_t *b)
{
    int  same;

    same = a->rc == b->rc && a->treated == b->treated
           && a->dropped == b->dropped && a->len == b->len
           && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);

    free(b->data);

    return same;
}


static int
test_document(const make_t *make, int bytes)
{
    int                   same;
    kit_t                 kit;
    size_t                cuts[CUTS];
    unsigned              i;
    kit_out_t             whole, out;
    const unsigned char  *doc;

    doc = (const unsigned char *) make->doc;

    kit_build(&kit, make->spec);
    kit_run(&kit, &whole, doc, make->n, NULL, 0);

    same = whole.rc == MODELGUARD_OK
           && beside_oracle(make->spec, make->doc, make->n, &whole) == 1;

    if (!same) {
        printf("# rc %d: %s\n# %s\n# %.*s\n", whole.rc, make->spec,
               make->doc, (int) whole.len, (char *) whole.data);
    }

    for (i = 0; i < 3 && same; i++) {
        kit_run(&kit, &out, doc, make->n, cuts,
                random_cuts(cuts, make->n));
        same = same_output(&whole, &out);
    }

    if (bytes && same) {
        kit_run_bytes(&kit, &out, doc, make->n);
        same = same_output(&whole, &out);
    }

    if (!same && i) {
        printf("# not the same when cut: %s\n# %s\n", make->spec, make->doc);
    }

    free(whole.data);
    kit_free();

    return same;
}


static void
test_shape(const shape_t *shape)
{
    make_t   *make;
    unsigned  i, bad;

    make = malloc(sizeof(make_t));
    make->seed = 0x9e3779b97f4a7c15ULL + (uint64_t) (shape - shapes);
    bad = 0;

    for (i = 0; i < DOCUMENTS && bad < 5; i++) {
        make->n = 0;
        make->doc[0] = '\0';
        make->spec[0] = '\0';
        make->plain = 0;
        make->style = (int) make_random(make, 5);

        shape->make(make);

        bad += !test_document(make, i % 5 == 0);
    }

    free(make);

    ok(bad == 0, "%s: %u documents are as the oracle says", shape->name, i);
}


int
main(void)
{
    size_t  i;

    test_cases();

    for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        test_shape(&shapes[i]);
    }

    ok(vectors_bad == 0 && vectors > 500, "of %u vectors each keeps its top, "
       "its decimals and its count", vectors);

    ok(kit_allocated == 0, "all memory was given back");

    return tap_done();
}
