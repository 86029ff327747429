
/*
 * Copyright (C) the modelguard authors
 *
 * Members and elements of all kinds, one after another: what is taken in one
 * loop, because it is at hand, comes out as what is taken token by token.
 */


#include "run_cut.h"


#define PLAIN_KITS  5


static kit_t  plain_kits[PLAIN_KITS];

static const char  *plain_specs[] = {
    "logprobs $.n $.r[*].n | round=2; scores $.s $.r[*].s | round=3;"
    " logits $.d $.r[*].d | drop; metadata $.z $.r[*].z | null",

    "logprobs $.n $.r[*].n | round=6; scores $.s $.r[*].s | round=2 top=2;"
    " metadata $.d $.r[*].d $.r[1] | drop",

    "embedding $.n $.r[*].n | round=1; embedding $.s $.r[*].s | round=4;"
    " logits $.d $.r[*].d | drop; metadata $.r[*].z | drop",

    "scores $.r[*].n | round=2; logprobs $.n | round=9;"
    " metadata $.s[1] $.r[*].s[0] | drop; logits $.d | null",

    "scores $.s $.r[*].s | round=2; metadata $.r[*].s[*] | null;"
    " metadata $.s[*] | drop"
};


static const char  *plain_values[] = {
    "0", "-0", "-0.0", "1", "0.5", "-0.005", "0.125", "9.995", "-12.3456789",
    "99999.99999", "999999.95", "9e5", "9e6", "1e400", "1e-400", "4.9e-324",
    "0.12345678901234567890123456789", "-0.1234567890123456789012345678",
    "0.1234567890123456789012345678901", "0.123456789012345678901234567890",
    "0.1234567890123456789012345678901234", "NaN", "-Infinity", "true",
    "null", "false", "\"\"", "\"a\"", "\"\\n\\\"\"", "\"\\u00e9\"",
    "\"0.5\"", "[]", "{}", "[1,2,30]", "[ 0.125 ]", "[[0.123456]]",
    "[{\"n\":0.123456}]", "{\"n\":0.123456}", "[0.7312498,0.1120054]",
    "[0.7312498,0.7312499,\"a\"]", "{\"d\":[1,{\"d\":2}]}", "[01]", "[1,]",
    "[,1]", "{,\"n\":1}", "[1}", "{\"a\":1]", "\"\n\"", "tru", "0.1x", "-",
    "[-]", ""
};


static void
plain_value(unsigned odd)
{
    unsigned  n;

    n = sizeof(plain_values) / sizeof(char *);

    switch (run_random(6)) {

    case 0:
        run_vector(run_random(6), run_random(12));
        return;

    case 1:
        run_add(plain_values[run_random(odd ? n : n - 12)]);
        return;

    case 2:
        run_add("\"");
        run_digits(run_random(70));
        run_add("\"");
        return;

    default:
        run_number(run_random(6));
    }
}


static void
plain_space(unsigned space)
{
    if (space && run_random(4) == 0) {
        run_add(run_random(2) ? " " : "\n\t ");
    }
}


static void
plain_object(unsigned members, unsigned space, unsigned odd)
{
    unsigned  i;

    static const char  *names[] = {
        "n", "s", "d", "z", "a", "logprob", "", "\\u006e", "n\\u0000"
    };

    run_add("{");

    for (i = 0; i < members; i++) {
        plain_space(space);

        if (i) {
            run_add(",");
            plain_space(space);
        }

        run_add("\"");
        run_add(names[run_random(run_random(4) ? 5 : 9)]);
        run_add("\"");
        plain_space(space);
        run_add(":");
        plain_space(space);
        plain_value(odd);
    }

    plain_space(space);
    run_add("}");
}


static void
plain_document(unsigned odd)
{
    size_t    at;
    unsigned  i, n, space;

    space = run_random(2);
    run_len = 0;

    if (run_random(4) == 0) {
        plain_object(run_random(7), space, odd);
        return;
    }

    run_add("{\"r\":[");
    n = run_random(5);

    for (i = 0; i < n; i++) {

        if (i) {
            run_add(",");
            plain_space(space);
        }

        if (run_random(8)) {
            plain_object(run_random(7), space, odd);

        } else {
            plain_value(odd);
        }
    }

    run_add("],");

    /* the members of what follows are the root's */

    at = run_len;
    plain_object(1 + run_random(4), space, odd);
    run_text[at] = ' ';
}


static void
plain_random(unsigned odd)
{
    unsigned  i, differ;

    differ = 0;

    for (i = 0; i < 1000 && differ < 3; i++) {
        plain_document(odd && i % 4 == 0);
        differ += cut_compare(&plain_kits[run_random(PLAIN_KITS)],
                              MODELGUARD_HOLD_DEFAULT, i % 50 == 0);
    }

    ok(differ == 0, "%u random documents%s", i,
       odd ? ", some of them malformed" : "");
}


/* a number where the output ends, before it, and behind it */

static void
plain_full(void)
{
    char      number[48];
    unsigned  n, i, differ;

    differ = 0;

    for (n = 0; n < 90 && differ < 3; n++) {
        sprintf(number, "-8.%0*d1", (int) (1 + n % 40), 0);

        run_len = 0;
        run_add("{\"a\":\"");

        for (i = 0; i < 4010 + n; i++) {
            run_add("p");
        }

        run_add("\"");

        for (i = 0; i < 300; i++) {
            run_add(",\"n\":");
            run_add(i % 3 ? "-0.12345678" : number);
        }

        run_add("}");

        differ += cut_compare(&plain_kits[i % 2], MODELGUARD_HOLD_DEFAULT, 0);
    }

    ok(differ == 0, "the output is filled up to its last byte");
}


/* limits of what may be held, around the length of all that is read */

static void
plain_limits(void)
{
    size_t    hold;
    unsigned  i, differ;

    static const char  *texts[] = {
        "{\"n\":0.12345678}", "{\"a\":1,\"n\" : 0.12345678,\"a\":2}",
        "{\"s\":[0.12345678,0.25,0.5]}", "{\"a\":1,\"d\":[1,2],\"a\":3}",
        "{\"a\":0,   \"s\":[0.5]   ,\"d\":0.123456}"
    };

    differ = 0;

    for (i = 0; i < sizeof(texts) / sizeof(char *); i++) {

        for (hold = 1; hold < 48 && differ < 3; hold++) {
            run_len = 0;
            run_add(texts[i]);
            differ += cut_compare(&plain_kits[0], hold, 1);
        }
    }

    ok(differ == 0, "limits from 1 to 47 bytes");
}


int
main(void)
{
    unsigned  i, level, levels;

    for (i = 0; i < PLAIN_KITS; i++) {
        kit_build(&plain_kits[i], plain_specs[i]);
    }

    plain_random(0);
    plain_random(1);
    plain_full();
    plain_limits();

    levels = 0;

    for (level = 0; level < MODELGUARD_SIMD_LEVELS; level++) {
        levels |= (unsigned) (modelguard_simd_at(level) != NULL) << level;
    }

    ok(cut_levels == levels, "with all levels of the CPU, in %u ways",
       cut_ways);

    kit_free();

    ok(kit_allocated == 0, "all memory is given back");

    return tap_done();
}
