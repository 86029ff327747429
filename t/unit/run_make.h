
/*
 * Copyright (C) the modelguard authors
 *
 * Vectors of numbers, random ones and odd ones, for the tests of a run.
 */


#ifndef RUN_MAKE_H_INCLUDED
#define RUN_MAKE_H_INCLUDED


#include "rewrite_kit.h"


#define RUN_TEXT    65536


static char      run_text[RUN_TEXT];
static size_t    run_len;
static uint64_t  run_seed = 88172645463325252ULL;


static inline unsigned
run_random(unsigned n)
{
    run_seed ^= run_seed << 13;
    run_seed ^= run_seed >> 7;
    run_seed ^= run_seed << 17;

    return (unsigned) (run_seed >> 33) % n;
}


static inline void
run_add(const char *text)
{
    size_t  len;

    len = strlen(text);
    memcpy(run_text + run_len, text, len);
    run_len += len;
}


static inline void
run_digits(unsigned n)
{
    while (n--) {
        run_text[run_len++] = (char) ('0' + run_random(10));
    }
}


/* "kind" of them are of one form, and now and then there is another */

static inline void
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


static inline void
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


#endif /* RUN_MAKE_H_INCLUDED */
