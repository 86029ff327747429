
/*
 * Copyright (C) the modelguard authors
 *
 * Vectors that are written while they are read: with each level of vector
 * instructions, however the input is cut, the same as what the edits of a
 * vector give.  "top=100" keeps all of a vector of up to 100 numbers, and
 * takes the way of the edits.
 */


#include "rewrite_kit.h"
#include "modelguard_simd.h"


#define RUN_TEXT    65536
#define RUN_DIGITS  7


static kit_t         run_fast[RUN_DIGITS + 1], run_slow[RUN_DIGITS + 1];
static char          run_specs[RUN_DIGITS + 1][2][64];
static char          run_text[RUN_TEXT];
static size_t        run_len;
static unsigned      run_levels, run_documents;
static uint64_t      run_seed = 88172645463325252ULL;


static unsigned
run_random(unsigned n)
{
    run_seed ^= run_seed << 13;
    run_seed ^= run_seed >> 7;
    run_seed ^= run_seed << 17;

    return (unsigned) (run_seed >> 33) % n;
}


static void
run_add(const char *text)
{
    size_t  len;

    len = strlen(text);
    memcpy(run_text + run_len, text, len);
    run_len += len;
}


static void
run_digits(unsigned n)
{
    while (n--) {
        run_text[run_len++] = (char) ('0' + run_random(10));
    }
}


/* "kind" of them are of one form, and now and then there is another */

static void
run_number(unsigned kind)
{
    unsigned  i, n;

    static const char  *odd[] = {
        "0", "-0", "1", "-1", "7", "0.0", "-0.0", "1.0", "0.5", "0.25",
        "0.125", "0.005", "0.015", "0.0050", "0.00500000000001", "-0.005",
        "0.995", "0.9949999999999999", "0.9999999999", "9.9999999", "9.995",
        "-9.9999999", "12.345678901", "99999.99999", "123456.7", "9999999.9",
        "100000000", "1e5", "1E2", "1e-5", "1.5e-3", "9.9e-3", "2.5e-01",
        "-1.25e-10", "1.7976931348623157e308", "4.9e-324", "1e400",
        "1.234567890123456789012345678901", "0.12345678901234567890123456789",
        "0.123456789012345678901234567890", "-0.12345678901234567890123456789",
        "0.50000000000000000000000000000000000000000000000000000001",
        "123456789012345678901234567890", "0.04e1", "5e-324", "1.0E+0",
        "0.5000000000000000000000000000000000000000000000000000000000"
    };

    if (run_random(kind == 4 ? 3 : 40) == 0) {
        run_add(odd[run_random(sizeof(odd) / sizeof(odd[0]))]);
        return;
    }

    if (kind == 3 && run_random(400) == 0) {
        run_add(run_random(2) ? "NaN" : "-Infinity");
        return;
    }

    if (kind >= 2 && run_random(2)) {
        run_add("-");
    }

    n = (kind == 1) ? 2 + run_random(8) : 15 + run_random(4);

    if (kind == 3) {
        run_digits(1);

    } else {
        run_add("0");
    }

    run_add(".");

    for (i = kind == 0 ? run_random(4) : 0; i > 0; i--) {
        run_add("0");
    }

    if (kind == 1 && run_random(3) == 0) {
        run_add(run_random(2) ? "73" : "734");
    }

    run_digits(n);

    if (kind == 5 && run_random(3) == 0) {
        run_add(run_random(4) ? "e-0" : "E-1");
        run_digits(1);
    }
}


static void
run_vector(unsigned kind, unsigned n)
{
    unsigned  i, space;

    space = run_random(4);
    run_add("[");

    for (i = 0; i < n; i++) {

        if (i) {
            run_add(",");

            if (space == 1) {
                run_add(" ");

            } else if (space == 2 && run_random(9) == 0) {
                run_add("\n                                 ");
                run_len -= run_random(4);
            }
        }

        run_number(kind);
    }

    run_add("]");
}


static void
run_document(void)
{
    unsigned  i, n, kind;

    run_len = 0;
    run_documents++;

    n = run_random(4);
    kind = run_random(6);

    run_add("{\"s\":[");

    for (i = 0; i <= n; i++) {

        if (i) {
            run_add(", ");
        }

        run_vector(kind, run_random(run_random(5) ? 12 : 101));
    }

    run_add("],\"d\":");
    run_vector(run_random(6), run_random(30));
    run_add(",\"x\":1}");
}


static modelguard_rewrite_t *
run_create(const kit_t *kit, kit_out_t *out, int level)
{
    modelguard_rewrite_t  *rw;

    rw = kit_create(kit, out, MODELGUARD_DEPTH_DEFAULT,
                    MODELGUARD_HOLD_DEFAULT);

    if (level >= 0) {
        modelguard_rewrite_simd(rw, modelguard_simd_at((unsigned) level));
    }

    return rw;
}


/* pieces of 1 to "most" bytes, or two cut at "at" */

static void
run_rewrite(const kit_t *kit, kit_out_t *out, int level, size_t at,
    unsigned most)
{
    int                    rc;
    size_t                 i, len;
    uint8_t               *piece;
    modelguard_rewrite_t  *rw;

    rw = run_create(kit, out, level);
    rc = MODELGUARD_OK;

    for (i = 0; i < run_len && rc == MODELGUARD_OK; i += len) {
        len = run_len - i;

        if (most) {
            len = 1 + run_random(most);

        } else if (i < at) {
            len = at;
        }

        if (len > run_len - i) {
            len = run_len - i;
        }

        /* of its very size, so that a sanitizer sees what is read behind it */

        piece = malloc(len);
        memcpy(piece, run_text + i, len);
        rc = modelguard_rewrite_feed(rw, piece, len);
        free(piece);
    }

    out->rc = rc ? rc : modelguard_rewrite_finish(rw);
    out->treated = (unsigned) modelguard_rewrite_stat(rw)->treated;

    modelguard_rewrite_free(rw);
}


static unsigned
run_differs(const kit_out_t *want, int digits, int level, size_t at,
    unsigned most)
{
    unsigned   differs;
    kit_out_t  out;

    run_rewrite(&run_fast[digits], &out, level, at, most);

    differs = out.rc != want->rc
              || (out.rc == MODELGUARD_OK
                  && (out.treated != want->treated || out.len != want->len
                      || memcmp(out.data, want->data, out.len) != 0));

    if (differs) {
        printf("# digits %d level %d cut %zu, %u: rc %d for %d\n# %.*s\n"
               "# %.*s\n# %.*s\n", digits, level, at, most, out.rc, want->rc,
               (int) run_len, run_text, (int) want->len, (char *) want->data,
               (int) out.len, (char *) out.data);
    }

    free(out.data);

    return differs;
}


static unsigned
run_compare(int digits, int whole)
{
    int        level;
    size_t     at;
    unsigned   differ;
    kit_out_t  want;

    differ = 0;

    run_rewrite(&run_slow[digits], &want, -1, 0, 0);

    for (level = 0; level < MODELGUARD_SIMD_LEVELS && differ < 3; level++) {

        if (modelguard_simd_at((unsigned) level) == NULL) {
            continue;
        }

        run_levels |= 1U << level;

        differ += run_differs(&want, digits, level, 0, 0);
        differ += run_differs(&want, digits, level, 0, 1);
        differ += run_differs(&want, digits, level, 0, 300);

        for (at = 1; whole && at < run_len && differ < 3; at++) {
            differ += run_differs(&want, digits, level, at, 0);
        }
    }

    free(want.data);

    return differ;
}


static void
run_build(void)
{
    int  i;

    for (i = 0; i <= RUN_DIGITS; i++) {
        sprintf(run_specs[i][0], "scores $.s[*] | round=%d; logits $.d | drop",
                i);
        sprintf(run_specs[i][1], "scores $.s[*] | round=%d top=100;"
                " logits $.d | drop", i);

        kit_build(&run_fast[i], run_specs[i][0]);
        kit_build(&run_slow[i], run_specs[i][1]);
    }
}


/* as many numbers that are greatest as there is room for, and one more */

static void
run_ties(void)
{
    unsigned  n, i, equal, differ;

    differ = 0;

    for (n = 1; n < 70; n++) {

        for (equal = 0; equal < 3; equal++) {
            run_len = 0;
            run_add("{\"s\":[[0.1234567,0.1");

            for (i = 0; i < n; i++) {
                run_add(equal == 1 ? ",0.7312" : ",0.73");
                run_digits(equal ? 0 : 1 + run_random(3));
            }

            run_add(equal == 2 ? ",0.7349,0.001,-0.73]]}"
                               : ",0.001,-0.73999999999999999,5e-1]]}");

            differ += run_compare(2, n > 30 && n < 35);
        }
    }

    ok(differ == 0, "1 to 69 numbers share the top");
}


/* what is written is longer than what was read: there is room for it */

static void
run_longer(void)
{
    int        level;
    unsigned   i, differ;
    kit_out_t  want;

    run_len = 0;
    run_add("{\"s\":[[9e5");

    for (i = 0; i < 9000; i++) {
        run_add(",8e5");
    }

    run_add("]]}");

    differ = 0;

    run_rewrite(&run_fast[2], &want, MODELGUARD_SIMD_PORTABLE, 0, 1);

    for (level = 0; level < MODELGUARD_SIMD_LEVELS; level++) {

        if (modelguard_simd_at((unsigned) level) != NULL) {
            differ += run_differs(&want, 2, level, 0, 0);
        }
    }

    ok(differ == 0 && want.len > run_len, "%zu bytes become %zu", run_len,
       want.len);

    free(want.data);
}


/*
 * The guard makes "1" into "0.999999" in as many places as there may be ties:
 * the numbers before fill what was written up to the end of its room.
 */

static void
run_lowered(void)
{
    unsigned   n, i, differ;
    kit_out_t  want;

    differ = 0;

    for (n = 970; n < 1012 && differ < 3; n++) {
        run_len = 0;
        run_add("{\"s\":[[0.5");

        for (i = 0; i < n; i++) {
            run_add(",0.1");
        }

        for (i = 0; i < 31; i++) {
            run_add(",0.9999999");
        }

        run_add(",1]]}");

        run_rewrite(&run_fast[6], &want, MODELGUARD_SIMD_PORTABLE, 0, 0);

        differ += (want.len != run_len - 31);
        differ += run_differs(&want, 6, MODELGUARD_SIMD_PORTABLE, 0, 1);

        free(want.data);
    }

    ok(differ == 0, "31 numbers are lowered where there is no room left");
}


static void
run_carries(void)
{
    int         digits;
    size_t      i;
    unsigned    differ;

    static const char  *documents[] = {
        "{\"s\":[[0.1,9.99999999,0.2]]}",
        "{\"s\":[[0.1,-9.99999999,0.2]]}",
        "{\"s\":[[0.99999999999999,0.98,0.2]]}",
        "{\"s\":[[0.1,0.19999999999999,0.0999999999]]}",
        "{\"s\":[[0.0000000001,0.000000000101,0.0000000001]]}",
        "{\"s\":[[-0.0000000001,-0.000000000101,0.0000000001]]}",
        "{\"s\":[[-0.1,-0.2,-0.3]]}",
        "{\"s\":[[0.5]]}",
        "{\"s\":[[0.000001]]}",
        "{\"s\":[[]]}",
        "{\"s\":[[0.9,\"0\",0.8]]}",
        "{\"s\":[[0.9,null,0.8123456789012345678]]}",
        "{\"s\":[[0.9,{\"a\":0.8},0.8123456789012345678]]}",
        "{\"s\":[[0.9,[0.912,0.911],0.8123456789012345678]]}",
        "{\"s\":[[0.9,0.5 , 0.4\t,\r\n0.8123456789012345678 ]]}",
        "{\"s\":[[0.9,0.5,0.4.1]]}",
        "{\"s\":[[0.9,0.5,00.4]]}",
        "{\"s\":[[0.9,0.5,0.4e]]}",
        "{\"s\":[[0.9,0.5,0.4e-05x]]}",
        "{\"s\":[[0.9,0.5,--0.4]]}",
        "{\"s\":[[0.9,0.5,-]]}",
        "{\"s\":[[0.9,0.5,,0.4]]}",
        "{\"s\":[[0.9,0.5,0.4}]}",
        "{\"s\":[[0.9,0.5,0.41234567890123456"
    };

    differ = 0;

    for (digits = 0; digits <= RUN_DIGITS; digits++) {

        for (i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
            run_len = 0;
            run_add(documents[i]);

            differ += run_compare(digits, 1);
        }
    }

    ok(differ == 0, "carries, zeros, other values, errors, in 0 to 7 digits");
}


int
main(void)
{
    unsigned  i, differ;

    run_build();

    run_ties();
    run_longer();
    run_lowered();
    run_carries();

    differ = 0;

    for (i = 0; i < 1000 && differ < 3; i++) {
        run_document();
        differ += run_compare((int) run_random(RUN_DIGITS + 1), i % 100 == 0);
    }

    ok(differ == 0, "%u random documents", run_documents);
    ok(run_levels & 1, "levels %#x", run_levels);
    ok(kit_allocated == 0, "all memory is given back");

    kit_free();

    return tap_done();
}
