
/*
 * Copyright (C) the modelguard authors
 *
 * A fuzz target: rules and a document.
 *
 *     the output does not depend on how the document is cut
 *     rules that keep all give the same bytes, behind an error too
 *     the output is what an independent transformation of a tree makes
 *     without memory it ends with an error, and gives all back
 */


#include "fuzz_rules.h"
#include "fuzz_oracle.h"
#include "oracle_rules.h"


#define ORACLE_MAX  2048


static size_t  allocs_left;          /* until the one that fails */


static void *
fuzz_alloc(void *data, void *old, size_t old_size, size_t size)
{
    if (size != 0 && allocs_left-- == 0) {
        allocs_left = 0;
        return NULL;
    }

    return kit_alloc(data, old, old_size, size);
}


/* cut, and behind an error all that was not sent */

static void
run(const kit_t *kit, kit_out_t *out, const uint8_t *doc, size_t len,
    const fuzz_cuts_t *cuts, size_t hold)
{
    int                         rc;
    size_t                      i, at, end;
    uint8_t                    *copy;
    modelguard_rewrite_t       *rw;
    modelguard_rewrite_conf_t   conf;

    memset(out, 0, sizeof(kit_out_t));

    conf.rules = kit->rules;
    conf.depth = 32;
    conf.hold = hold;
    conf.sink = kit_sink;
    conf.sink_data = out;
    conf.alloc = fuzz_alloc;
    conf.alloc_data = NULL;

    rw = modelguard_rewrite_create(&conf);

    if (rw == NULL) {
        out->rc = MODELGUARD_NOMEM;
        return;
    }

    rc = MODELGUARD_OK;
    at = 0;

    for (i = 0; i <= cuts->n; i++) {
        end = i < cuts->n ? cuts->at[i] : len;

        if (rc != MODELGUARD_OK) {
            (void) kit_sink(out, doc + at, end - at);
            at = end;
            continue;
        }

        copy = fuzz_copy(doc + at, end - at);

        rc = modelguard_rewrite_feed(rw, copy, end - at);

        if (rc != MODELGUARD_OK
            && modelguard_rewrite_pass(rw) != MODELGUARD_OK)
        {
            fuzz_fail("no pass");
        }

        free(copy);
        at = end;
    }

    if (rc == MODELGUARD_OK) {
        rc = modelguard_rewrite_finish(rw);

        if (rc != MODELGUARD_OK
            && modelguard_rewrite_pass(rw) != MODELGUARD_OK)
        {
            fuzz_fail("no pass");
        }
    }

    out->rc = rc;
    out->treated = (unsigned) modelguard_rewrite_stat(rw)->treated;
    out->dropped = (unsigned) modelguard_rewrite_stat(rw)->dropped;

    modelguard_rewrite_free(rw);
}


/*
 * A string that cannot be treated and is no UTF-8 either has two errors; which
 * of them comes first depends on the cut.
 */

static int
same_rc(int a, int b)
{
    if (a == b || a == MODELGUARD_OK || b == MODELGUARD_OK) {
        return a == b;
    }

    return a == MODELGUARD_UNTREATABLE || b == MODELGUARD_UNTREATABLE;
}


static void
check_cuts(const kit_t *kit, const kit_out_t *whole, const uint8_t *doc,
    size_t len)
{
    size_t       i, hold;
    kit_out_t    out;
    fuzz_cuts_t  cuts;

    for (i = 0; i < 2; i++) {
        fuzz_cut(&cuts, len);
        run(kit, &out, doc, len, &cuts, MODELGUARD_HOLD_DEFAULT);

        if (!same_rc(out.rc, whole->rc)
            || (out.rc == MODELGUARD_OK
                && (out.len != whole->len || out.treated != whole->treated
                    || out.dropped != whole->dropped
                    || (out.len
                        && memcmp(out.data, whole->data, out.len) != 0))))
        {
            fuzz_fail("cut at %zu: rc %d for %d\n%.*s\n%.*s", cuts.at[0],
                      out.rc, whole->rc, (int) whole->len,
                      (char *) whole->data, (int) out.len, (char *) out.data);
        }

        free(out.data);
    }

    /* a bound that may be too small: an error, or the same */

    hold = 1 + fuzz_random(len + 2);
    fuzz_cut(&cuts, len);
    run(kit, &out, doc, len, &cuts, hold);

    if (!same_rc(out.rc, whole->rc) && out.rc != MODELGUARD_TOO_BIG) {
        fuzz_fail("hold %zu: rc %d for %d", hold, out.rc, whole->rc);
    }

    free(out.data);
}


static void
check_memory(const kit_t *kit, const kit_out_t *whole, const uint8_t *doc,
    size_t len)
{
    kit_out_t    out;
    fuzz_cuts_t  cuts;

    fuzz_cut(&cuts, len);

    allocs_left = fuzz_random(8);
    run(kit, &out, doc, len, &cuts, MODELGUARD_HOLD_DEFAULT);
    allocs_left = SIZE_MAX;

    if (!same_rc(out.rc, whole->rc) && out.rc != MODELGUARD_NOMEM) {
        fuzz_fail("no memory: rc %d for %d", out.rc, whole->rc);
    }

    free(out.data);
}


/* the same fields under treatments that keep all */

static void
check_identity(const uint8_t *doc, size_t len)
{
    kit_t        kit;
    kit_out_t    out;
    fuzz_cuts_t  cuts;

    kit_build(&kit, "scores $.**.p $.r[*].score $ | keep; metadata $.m | keep");

    fuzz_cut(&cuts, len);
    run(&kit, &out, doc, len, &cuts, MODELGUARD_HOLD_DEFAULT);

    if (out.len != len || (len && memcmp(out.data, doc, len) != 0)) {
        fuzz_fail("rc %d, kept, and not the same:\n%.*s", out.rc,
                  (int) out.len, (char *) out.data);
    }

    if (out.rc == MODELGUARD_OK && !oracle_accepts(doc, len)) {
        fuzz_fail("not JSON, and taken");
    }

    free(out.data);
}


/* whether all numbers are of a size that the oracle can write out */

static int
numbers_fit(const uint8_t *doc, size_t len)
{
    int             string;
    long            digits, exponent;
    const uint8_t  *p, *end;

    if (len > ORACLE_MAX) {
        return 0;
    }

    end = doc + len;
    string = 0;

    for (p = doc; p < end; p++) {

        if (string) {

            if (*p == '\\') {
                p++;

            } else {
                string = (*p != '"');
            }

            continue;
        }

        string = (*p == '"');

        for (digits = 0; p < end && memchr("0123456789.", *p, 11); p++) {
            digits++;
        }

        exponent = 0;

        if (digits && p < end && (*p | 0x20) == 'e') {

            for (p++; p < end && memchr("0123456789+-", *p, 12); p++) {
                exponent = exponent * 10 + (*p & 15) % 10;
                exponent = exponent > 9999 ? 9999 : exponent;
            }
        }

        if (digits + exponent > 400) {
            return 0;
        }

        p -= (digits != 0);
    }

    return 1;
}


static void
check_oracle(const fuzz_input_t *input, const kit_out_t *out)
{
    node_t    *wanted, *got;
    oracle_t   oracle;

    if (memmem(input->doc, input->len, "\\u0001", 6) != NULL
        || memmem(input->doc, input->len, "\\u0000", 6) != NULL)
    {
        return;
    }

    wanted = tree_parse((const char *) input->doc, input->len);

    if (wanted == NULL) {
        return;
    }

    got = tree_parse((const char *) out->data, out->len);

    oracle_build(&oracle, input->spec);
    oracle_apply(&oracle, wanted, input->len);

    if (oracle.bad || got == NULL || !tree_equal(wanted, got)) {
        fuzz_fail("not as the oracle says:\n%s\n%.*s\n%.*s", input->spec,
                  (int) input->len, (const char *) input->doc, (int) out->len,
                  (char *) out->data);
    }

    tree_free(wanted);
    tree_free(got);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    kit_t         kit;
    kit_out_t     whole;
    const char   *error;
    fuzz_input_t  input;

    static const fuzz_cuts_t  uncut;

    fuzz_begin(data, len);
    allocs_left = SIZE_MAX;

    if (!fuzz_split(&input, data, len) || fuzz_spec_is_slow(input.spec)) {
        return -1;
    }

    if (!kit_try(&kit, input.spec, &error)) {
        kit_free();
        return -1;
    }

    run(&kit, &whole, input.doc, input.len, &uncut, MODELGUARD_HOLD_DEFAULT);

    check_cuts(&kit, &whole, input.doc, input.len);
    check_memory(&kit, &whole, input.doc, input.len);

    if (whole.rc == MODELGUARD_OK && whole.len
        && !oracle_accepts(whole.data, whole.len))
    {
        fuzz_fail("not JSON: %.*s", (int) whole.len, (char *) whole.data);
    }

    if (whole.rc == MODELGUARD_OK && fuzz_spec_is_plain(input.spec)
        && numbers_fit(input.doc, input.len))
    {
        check_oracle(&input, &whole);
    }

    kit_free();
    free(whole.data);

    check_identity(input.doc, input.len);
    kit_free();

    if (kit_allocated != 0) {
        fuzz_fail("%zu bytes are not given back", kit_allocated);
    }

    return 0;
}


size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    fuzz_reseed(seed);

    if (fuzz_random(16) == 0) {
        return fuzz_shape(data, size, max);
    }

    return fuzz_rules_mutate(data, size, max, fuzz_json_mutate);
}
