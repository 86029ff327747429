
/*
 * Copyright (C) the modelguard authors
 *
 * modelguard_number.c: tables of what must hold, at every bound.
 */


#include <inttypes.h>
#include <math.h>
#include <time.h>

#include "number_ref.h"


typedef struct {
    const char    *text;
    unsigned       digits;
    const char    *out;
} round_case_t;


typedef struct {
    const char    *text;
    unsigned       digits;
    int            rc;
    int64_t        scaled;
} scale_case_t;


typedef struct {
    const char    *text;
    int64_t        unit;
    unsigned       digits;
    int            rc;
    int64_t        scaled;
} step_case_t;


typedef struct {
    const char    *a;
    const char    *b;
    int            order;
} compare_case_t;


typedef struct {
    const char    *text;
    int            rc;
    int64_t        unit;
    unsigned       digits;
} decimal_case_t;


static const char  nines32[] = "99999999999999999999999999999999";
static const char  ones33[] = "111111111111111111111111111111111";


static void
test_scale(void)
{
    int      rc;
    size_t   i, len;
    int64_t  scaled;

    static const scale_case_t  cases[] = {
        { "0.97283746512345678", 2, 0, 97 },
        { "-0.97283746512345678", 2, 0, -97 },
        { "0.99999", 2, 0, 100 },
        { "0.125", 2, 0, 12 },
        { "0.135", 2, 0, 14 },
        { "0.1250", 2, 0, 12 },
        { "0.12500000000000000000001", 2, 0, 13 },
        { "0.1251", 2, 0, 13 },
        { "-0.001", 2, 0, 0 },
        { "-0", 2, 0, 0 },
        { "0e5", 2, 0, 0 },
        { "-0.0e-999999999999", 2, 0, 0 },
        { "0e99999999999999999999999", 2, 0, 0 },
        { "1E5", 2, 0, 10000000 },
        { "1.5e-1", 0, 0, 0 },
        { "5e-1", 0, 0, 0 },
        { "15e-1", 0, 0, 2 },
        { "0.05e1", 0, 0, 0 },
        { "0.050000000000000000000001e1", 0, 0, 1 },
        { "5e-1000000000000000000000", 15, 0, 0 },
        { "1e999999999999999999999", 0, MODELGUARD_RANGE, 42 },
        { "NaN", 2, MODELGUARD_RANGE, 42 },
        { "Infinity", 2, MODELGUARD_RANGE, 42 },
        { "-Infinity", 2, MODELGUARD_RANGE, 42 },
        { "0.1234567890123456", 14, 0, 12345678901235 },
        { "0.1234567890123456", 15, 0, 123456789012346 },
        { "7", 0, 0, 7 },
        { "7", 15, 0, 7000000000000000 },
        { "999999999999999998", 0, 0, 999999999999999998 },
        { "999999999999999999", 0, 0, 999999999999999999 },
        { "-999999999999999999", 0, 0, -999999999999999999 },
        { "999999999999999999.4", 0, 0, 999999999999999999 },
        { "999999999999999998.5", 0, 0, 999999999999999998 },
        { "999999999999999999.5", 0, MODELGUARD_RANGE, 42 },
        { "-999999999999999999.5", 0, MODELGUARD_RANGE, 42 },
        { "1000000000000000000", 0, MODELGUARD_RANGE, 42 },
        { "1000000000000000001", 0, MODELGUARD_RANGE, 42 },
        { "1e17", 0, 0, 100000000000000000 },
        { "1e18", 0, MODELGUARD_RANGE, 42 },
        { "999.999999999999999", 15, 0, 999999999999999999 },
        { "999.9999999999999995", 15, MODELGUARD_RANGE, 42 },
        { "1000", 15, MODELGUARD_RANGE, 42 },
        { "9999999999999999.994", 2, 0, 999999999999999999 },
        { "9999999999999999.995", 2, MODELGUARD_RANGE, 42 }
    };

    for (i = 0; i < nitems(cases); i++) {
        len = strlen(cases[i].text);
        scaled = 42;
        rc = modelguard_number_scale(place(0, cases[i].text, len), len,
                                     cases[i].digits, &scaled);

        ok(rc == cases[i].rc && scaled == cases[i].scaled,
           "scale %s, %u: %" PRId64, cases[i].text, cases[i].digits, scaled);
    }
}


static void
test_step(void)
{
    int                   rc;
    size_t                i, len;
    int64_t               scaled;
    modelguard_decimal_t  step;

    static const step_case_t  cases[] = {
        { "0.97", 5, 2, 0, 95 },
        { "0.975", 5, 2, 0, 100 },
        { "0.925", 5, 2, 0, 90 },
        { "0.9250000000000000000000000001", 5, 2, 0, 95 },
        { "0.9249999999999999999999999999", 5, 2, 0, 90 },
        { "-0.975", 5, 2, 0, -100 },
        { "-0.02", 5, 2, 0, 0 },
        { "0.5", 1, 0, 0, 0 },
        { "1.5", 1, 0, 0, 2 },
        { "1", 2, 0, 0, 0 },
        { "3", 2, 0, 0, 4 },
        { "1.00000000000000000000001", 2, 0, 0, 2 },
        { "1e-1", 25, 2, 0, 0 },
        { "1.25e-1", 25, 2, 0, 0 },
        { "3.75e-1", 25, 2, 0, 50 },
        { "0e999999999999999999", 25, 2, 0, 0 },
        { "1e-999999999999999999999", 25, 2, 0, 0 },
        { "1", 999999999, 9, 0, 999999999 },
        { "0.0000000015", 1, 9, 0, 2 },
        { "499999999.5", 999999999, 0, 0, 0 },
        { "499999999.50000000000000000001", 999999999, 0, 0, 999999999 },
        { "999999999999999999", 3, 0, 0, 999999999999999999 },
        { "1000000000000000000", 3, 0, 0, 999999999999999999 },
        { "1000000000000000000.4999999999999", 3, 0, 0, 999999999999999999 },
        { "1000000000000000000.5", 3, 0, MODELGUARD_RANGE, 42 },
        { "1000000000000000001", 3, 0, MODELGUARD_RANGE, 42 },
        { "1000000000000000000", 1, 0, MODELGUARD_RANGE, 42 },
        { "9999999999999999999", 7, 0, MODELGUARD_RANGE, 42 },
        { "1e19", 7, 0, MODELGUARD_RANGE, 42 },
        { "1e999999999999999999999", 7, 0, MODELGUARD_RANGE, 42 },
        { "NaN", 5, 2, MODELGUARD_RANGE, 42 },
        { "-Infinity", 5, 2, MODELGUARD_RANGE, 42 }
    };

    for (i = 0; i < nitems(cases); i++) {
        len = strlen(cases[i].text);
        step.unit = cases[i].unit;
        step.digits = cases[i].digits;
        scaled = 42;

        rc = modelguard_number_step(place(0, cases[i].text, len), len, &step,
                                    &scaled);

        ok(rc == cases[i].rc && scaled == cases[i].scaled,
           "step %s, %" PRId64 ": %" PRId64, cases[i].text, step.unit,
           scaled);
    }
}


static void
test_round(void)
{
    char    out[SLOT], text[SLOT];
    size_t  i;

    static const round_case_t  cases[] = {
        { "1e-1", 2, "0.1" },
        { "0.1", 2, "0.1" },
        { "0.10", 2, "0.1" },
        { "1.0", 2, "1" },
        { "0.99999", 2, "1" },
        { "-0.001", 2, "0" },
        { "-0", 0, "0" },
        { "-0.0e7", 2, "0" },
        { "1E5", 2, "100000" },
        { "0.125", 2, "0.12" },
        { "0.135", 2, "0.14" },
        { "-2.5", 0, "-2" },
        { "-3.5", 0, "-4" },
        { "NaN", 2, "NaN" },
        { "Infinity", 2, "Infinity" },
        { "-Infinity", 2, "-Infinity" },
        { "9.5", 0, "10" },
        { "1e31", 2, "10000000000000000000000000000000" },
        { "-1.5e31", 2, "-15000000000000000000000000000000" },
        { "1e32", 2, "1e32" },
        { "1e33", 2, "1e33" },
        { "-1.5E400", 2, "-1.5E400" },
        { "12345678901234567890.50", 1, "12345678901234567890.5" },
        { "12345678901234567890.25", 1, "12345678901234567890.2" },
        { "123456789012345678901234567890123", 0,
          "123456789012345678901234567890123" },
        { "123456789012345678901234567890123.50", 2,
          "123456789012345678901234567890123.50" },
        { "123456789012345678901234567890123.000", 2,
          "123456789012345678901234567890123" },
        { "123456789012345678901234567890123.455", 2,
          "123456789012345678901234567890123.46" },
        { "1.23456789012345678901234567890123455e32", 2,
          "123456789012345678901234567890123.46" },
        { "-123456789012345678901234567890129.995", 2,
          "-123456789012345678901234567890130" },
        { "1e99999999999999999999", 2, "1e99999999999999999999" }
    };

    for (i = 0; i < nitems(cases); i++) {
        round_text(cases[i].text, cases[i].digits, out);

        ok(strcmp(out, cases[i].out) == 0, "round %s, %u: %s",
           cases[i].text, cases[i].digits, out);
    }

    sprintf(text, "0.125%0300d1", 0);
    round_text(text, 2, out);
    ok(strcmp(out, "0.13") == 0, "a half and 300 zeros and 1 is above");

    sprintf(text, "0.%0400d1e401", 0);
    round_text(text, 2, out);
    ok(strcmp(out, "1") == 0, "400 zeros after the point, moved back");

    sprintf(text, "%s.5", nines32);
    round_text(text, 0, out);
    ok(strlen(out) == 33 && strcmp(out + 1, nines32) < 0 && out[0] == '1'
       && strspn(out + 1, "0") == 32, "32 nines carry into a 33rd digit");

    sprintf(text, "%s.5", ones33);
    round_text(text, 0, out);
    ok(strncmp(out, ones33, 32) == 0 && strcmp(out + 32, "2") == 0,
       "33 digits are rounded");
}


static void
test_compare(void)
{
    size_t  i;

    static const compare_case_t  cases[] = {
        { "0.5", "0.50", 0 },
        { "0.5", "0.500000001", -1 },
        { "-0.5", "-0.500000001", 1 },
        { "-0.5", "-0.50", 0 },
        { "0.12345678", "0.12345679", -1 },
        { "9.5", "10.5", -1 },
        { "-9.5", "-10.5", 1 },
        { "1e1", "10.0", 0 },
        { "0.1e2", "1.0e1", 0 },
        { "100", "1E2", 0 },
        { "-1", "1", -1 },
        { "-0", "0", 0 },
        { "-0.0", "0.00", 0 },
        { "0e9", "-0e-9", 0 },
        { "0", "1e-99999999999999999999", -1 },
        { "0", "-1e-99999999999999999999", 1 },
        { "1e99999999999999999999", "1e99999999999999999998", 1 },
        { "10e99999999999999999998", "1e99999999999999999999", 0 },
        { "100e99999999999999999998", "1e99999999999999999999", 1 },
        { "1e-99999999999999999999", "1e-99999999999999999998", -1 },
        { "0.01e-99999999999999999999", "1e-100000000000000000001", 0 },
        { "1e100000000000000000000", "10e99999999999999999999", 0 },
        { "1e0000000000000000000000002", "100", 0 },
        { "1e+2", "1e2", 0 },
        { "NaN", "NaN", 0 },
        { "NaN", "-Infinity", -1 },
        { "-Infinity", "-1e999999999999999999999", -1 },
        { "-Infinity", "-Infinity", 0 },
        { "Infinity", "1e999999999999999999999", 1 },
        { "Infinity", "Infinity", 0 },
        { "Infinity", "NaN", 1 },
        { "NaN", "0.5", -1 }
    };

    for (i = 0; i < nitems(cases); i++) {
        ok(compare_text(cases[i].a, cases[i].b) == cases[i].order
           && compare_text(cases[i].b, cases[i].a) == -cases[i].order,
           "compare %s, %s", cases[i].a, cases[i].b);
    }
}


/* every formatted number reads back as what it was */

static void
test_format(void)
{
    int       rc;
    char      text[64], want[64];
    size_t    i, len;
    int64_t   n, back;
    uint8_t  *out;
    unsigned  digits;

    static const int64_t  edges[] = {
        0, 1, -1, 9, 10, 11, 99, 100, -100, 101, 999999999999999999,
        -999999999999999999, INT64_MAX, INT64_MIN, INT64_MIN + 1
    };

    out = slot[1] + SLOT - MODELGUARD_NUMBER_FORMAT_MAX;

    for (i = 0; i < 200000; i++) {
        n = (i < nitems(edges) * 16) ? edges[i / 16]
            : (int64_t) (rnd() % MODELGUARD_NUMBER_SCALED_MAX)
              / (int64_t) pow(10, (double) (rnd() % 18));
        n = (i >= nitems(edges) * 16 && rnd() % 2) ? -n : n;
        digits = (unsigned) (i % 16);

        len = modelguard_number_format(n, digits, out);
        memcpy(text, out, len);
        text[len] = '\0';

        expect(len <= MODELGUARD_NUMBER_FORMAT_MAX, "length", text, digits);
        expect(strchr(text, '.') == NULL
               || (text[len - 1] != '0' && text[len - 1] != '.'),
               "form", text, digits);

        if (digits == 0) {
            snprintf(want, sizeof(want), "%" PRId64, n);
            expect(strcmp(text, want) == 0, "integer", text, digits);
        }

        if (n < MODELGUARD_NUMBER_SCALED_MAX
            && n > -MODELGUARD_NUMBER_SCALED_MAX)
        {
            back = 42;
            rc = modelguard_number_scale(place(0, text, len), len, digits,
                                         &back);
            expect(rc == MODELGUARD_OK && back == n, "round trip", text,
                   digits);
        }
    }

    report("format");

    len = modelguard_number_format(INT64_MIN, 15, out);
    ok(len == 21 && memcmp(out, "-9223.372036854775808", 21) == 0,
       "format of the smallest");
}


static void
test_decimal(void)
{
    int                   rc;
    size_t                i, len;
    modelguard_decimal_t  d;

    static const decimal_case_t  cases[] = {
        { "0.05", MODELGUARD_OK, 5, 2 },
        { "1", MODELGUARD_OK, 1, 0 },
        { "10", MODELGUARD_OK, 10, 0 },
        { "0.50", MODELGUARD_OK, 5, 1 },
        { "1.0", MODELGUARD_OK, 1, 0 },
        { "999999998", MODELGUARD_OK, 999999998, 0 },
        { "999999999", MODELGUARD_OK, 999999999, 0 },
        { "1000000000", MODELGUARD_INVALID, 42, 42 },
        { "0.00000001", MODELGUARD_OK, 1, 8 },
        { "0.000000001", MODELGUARD_OK, 1, 9 },
        { "0.0000000001", MODELGUARD_INVALID, 42, 42 },
        { "0.5000000000", MODELGUARD_INVALID, 42, 42 },
        { "0.999999999", MODELGUARD_OK, 999999999, 9 },
        { "1.000000000", MODELGUARD_OK, 1, 0 },
        { "1.000000001", MODELGUARD_INVALID, 42, 42 },
        { "99999999.9", MODELGUARD_OK, 999999999, 1 },
        { "999999999.000000000", MODELGUARD_OK, 999999999, 0 },
        { "1000000000.000000000", MODELGUARD_INVALID, 42, 42 },
        { "99999999999999999999999999", MODELGUARD_INVALID, 42, 42 },
        { "0", MODELGUARD_INVALID, 42, 42 },
        { "0.0", MODELGUARD_INVALID, 42, 42 },
        { "", MODELGUARD_INVALID, 42, 42 },
        { ".", MODELGUARD_INVALID, 42, 42 },
        { ".5", MODELGUARD_INVALID, 42, 42 },
        { "5.", MODELGUARD_INVALID, 42, 42 },
        { "0.5.5", MODELGUARD_INVALID, 42, 42 },
        { "-1", MODELGUARD_INVALID, 42, 42 },
        { "+1", MODELGUARD_INVALID, 42, 42 },
        { "1e2", MODELGUARD_INVALID, 42, 42 },
        { "01", MODELGUARD_INVALID, 42, 42 },
        { "1 ", MODELGUARD_INVALID, 42, 42 },
        { "1/", MODELGUARD_INVALID, 42, 42 },
        { "1:", MODELGUARD_INVALID, 42, 42 }
    };

    for (i = 0; i < nitems(cases); i++) {
        d.unit = 42;
        d.digits = 42;
        len = strlen(cases[i].text);

        rc = modelguard_decimal_parse(place(0, cases[i].text, len), len, &d);

        ok(rc == cases[i].rc && d.unit == cases[i].unit
           && d.digits == cases[i].digits, "decimal \"%s\"", cases[i].text);
    }
}


/* texts of a million digits: time must follow the length, not the value */

static void
test_long(void)
{
    int       order;
    char     *text;
    size_t    n, len;
    int64_t   scaled;
    uint8_t  *out;
    clock_t   start;

    n = 1000000;
    text = malloc(n + 64);
    out = malloc(n + 64 + MODELGUARD_NUMBER_PAD);

    start = clock();

    memset(text, '0', n + 64);
    text[1] = '.';
    len = n + (size_t) sprintf(text + n, "1e%zu", n - 1);

    scaled = 0;
    (void) modelguard_number_scale((uint8_t *) text, len, 2, &scaled);
    ok(scaled == 100, "a million zeros after the point, moved back");

    order = modelguard_number_compare((uint8_t *) text, len,
                                      (const uint8_t *) "1.0", 3);
    ok(order == 0, "and it compares as 1");

    memset(text, '9', n);
    text[1] = 'e';
    ok(modelguard_number_scale((uint8_t *) text, n, 2, &scaled)
       == MODELGUARD_RANGE, "an exponent of a million digits");

    ok(modelguard_number_round((uint8_t *) text, n, 2, out) == n
       && memcmp(text, out, n) == 0, "is left as it is");

    memset(text, '9', n);
    memcpy(text + n, ".995", 4);
    len = modelguard_number_round((uint8_t *) text, n + 4, 2, out);
    ok(len == n + 1 && out[0] == '1' && out[n] == '0',
       "a million nines carry");

    ok(clock() - start < 2 * CLOCKS_PER_SEC, "in no time");

    free(text);
    free(out);
}


int
main(void)
{
    slots_init();

    test_scale();
    test_step();
    test_round();
    test_compare();
    test_format();
    test_decimal();
    test_long();

    return tap_done();
}
