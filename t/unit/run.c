
/*
 * Copyright (C) the modelguard authors
 *
 * Vectors that are written while they are read: with each level of vector
 * instructions, however the input is cut, the same as what the edits of a
 * vector give.  "top=100" keeps all of a vector of up to 100 numbers, and
 * takes the way of the edits.
 */


#include "run_make.h"
#include "modelguard_simd.h"


#define RUN_DIGITS  7


static kit_t         run_fast[RUN_DIGITS + 1], run_slow[RUN_DIGITS + 1];
static char          run_specs[RUN_DIGITS + 1][2][64];
static unsigned      run_levels, run_documents;


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
