
/*
 * Copyright (C) the modelguard authors
 *
 * modelguard_number.c on random texts and on those of the corpus, against the
 * slow arithmetic of number_ref.h and within the tolerance of strtod().
 */


#include <inttypes.h>
#include <math.h>

#include "number_ref.h"


/* decimals that stand in the text once its exponent is applied */

static long
text_decimals(const char *text)
{
    long         n;
    const char  *dot, *e;

    e = text + strcspn(text, "eE");
    dot = memchr(text, '.', (size_t) (e - text));

    n = (dot != NULL) ? e - dot - 1 : 0;

    return *e ? n - ref_exponent(e + 1) : n;
}


static void
check_scale(const char *text, const ref_t *r, unsigned digits)
{
    int      rc, want;
    char     whole[REF_SIZE];
    size_t   len;
    double   x;
    int64_t  scaled, value;

    len = strlen(text);
    scaled = 42;
    rc = modelguard_number_scale(place(0, text, len), len, digits, &scaled);

    if (r->huge) {
        whole[0] = '\0';
        want = MODELGUARD_RANGE;

    } else if (r->tiny) {
        strcpy(whole, "0");
        want = MODELGUARD_OK;

    } else {
        ref_whole(r, digits, whole);
        want = strlen(whole) > 18 ? MODELGUARD_RANGE : MODELGUARD_OK;
    }

    expect(rc == want, "result code of scale", text, digits);

    if (want != MODELGUARD_OK) {
        expect(scaled == 42, "untouched result of scale", text, digits);
        return;
    }

    value = strtoll(whole, NULL, 10);
    value = r->negative ? -value : value;

    expect(scaled == value, "scale", text, digits);

    x = strtod(text, NULL) * pow(10, (double) digits);

    expect(fabs((double) scaled - x) <= 0.5 + fabs(x) * 1e-14,
           "scale beside strtod", text, digits);
}


static void
check_round(const char *text, const ref_t *r, unsigned digits)
{
    char         want[REF_SIZE], out[SLOT];
    size_t       n;
    const char  *p;

    n = round_text(text, digits, out);

    if (r->tiny) {
        strcpy(want, "0");

    } else if (r->huge) {
        strcpy(want, text);

    } else {
        ref_canonical(r, digits, want);

        p = r->digits + strspn(r->digits, "0");

        if (r->digits + r->before > p + 32
            && text_decimals(text) <= (long) digits)
        {
            strcpy(want, text);
        }
    }

    expect(n == strlen(want) && strcmp(out, want) == 0, "round", text,
           digits);
}


/*
 * |value - multiple| is at most half of the unit, and exactly half only for
 * an even multiple: in 128 bits, 15 more decimals and whether any follow.
 */

static void
check_step(const char *text, const ref_t *r, int64_t unit, unsigned digits)
{
    int                   rc, sticky;
    size_t                i, n, len;
    int64_t               scaled, last;
    __int128              value, gap, half;
    modelguard_decimal_t  step;

    len = strlen(text);
    step.unit = unit;
    step.digits = digits;
    scaled = 42;

    rc = modelguard_number_step(place(0, text, len), len, &step, &scaled);

    if (r->tiny) {
        expect(rc == MODELGUARD_OK && scaled == 0, "step", text, digits);
        return;
    }

    n = 0;

    if (!r->huge) {
        n = r->before - strspn(r->digits, "0");
        n = (n > r->before) ? 0 : n;
    }

    if (r->huge || n + digits > 20) {
        expect(rc == MODELGUARD_RANGE, "step's range", text, digits);
        return;
    }

    value = 0;
    sticky = 0;

    for (i = 0; i < r->before + digits + 15; i++) {
        value = value * 10
                + (i < r->before + r->after ? r->digits[i] - '0' : 0);
    }

    for ( /* void */ ; i < r->before + r->after; i++) {
        sticky |= (r->digits[i] != '0');
    }

    half = (__int128) unit * 1000000000000000LL;    /* both sides doubled */
    last = (MODELGUARD_NUMBER_SCALED_MAX - 1) / unit;

    if (rc == MODELGUARD_RANGE) {
        gap = 2 * (value - (__int128) last * half);

        expect(scaled == 42
               && (gap > half || (gap == half && (sticky || (last & 1)))),
               "step's range", text, digits);
        return;
    }

    scaled = r->negative ? -scaled : scaled;
    gap = 2 * (value - (__int128) scaled * 1000000000000000LL);

    expect(scaled >= 0 && scaled % unit == 0 && gap <= half && gap >= -half
           && !(gap == half && (sticky || (scaled / unit & 1)))
           && !(gap == -half && !sticky && (scaled / unit & 1)),
           "step", text, digits);
}


static void
check_text(const char *text)
{
    ref_t   r;
    size_t  i;

    static const unsigned  digits[] = { 0, 1, 2, 3, 4, 9, 14, 15 };
    static const int64_t   units[] = { 1, 2, 3, 5, 25, 999999999 };

    ref_set(&r, text);

    for (i = 0; i < nitems(digits); i++) {
        check_scale(text, &r, digits[i]);
        check_round(text, &r, digits[i]);
    }

    for (i = 0; i < nitems(units); i++) {
        check_step(text, &r, units[i], (unsigned) (rnd() % 10));
    }

    expect(modelguard_number_class((const uint8_t *) text, strlen(text))
           == MODELGUARD_NUMBER_FINITE, "class", text, 0);
}


static void
check_pair(const char *a, const char *b)
{
    int     order;
    double  x, y;

    static ref_t  ra, rb;

    order = compare_text(a, b);

    expect(compare_text(b, a) == -order, "antisymmetry", a, 0);
    expect(compare_text(a, a) == 0, "reflexivity", a, 0);

    ref_set(&ra, a);
    ref_set(&rb, b);

    if (!ra.huge && !ra.tiny && !rb.huge && !rb.tiny) {
        expect(order == ref_compare(&ra, &rb), "compare", a, 0);
    }

    x = strtod(a, NULL);
    y = strtod(b, NULL);

    if (x != y) {
        expect(order == (x < y ? -1 : 1), "compare beside strtod", a, 0);
    }
}


/* digits that make ties and carries more often than chance does */

static size_t
random_digits(char *out, size_t n)
{
    size_t       i, run;
    const char  *from;

    static const char *const  from_all[] = {
        "0123456789", "0", "9", "5", "05", "0000000001", "123456789"
    };

    for (i = 0; i < n; /* void */) {
        from = from_all[rnd() % nitems(from_all)];

        for (run = rnd() % 12 + 1; run && i < n; run--) {
            out[i++] = from[rnd() % strlen(from)];
        }
    }

    return n;
}


static void
random_text(char *out)
{
    char  *p;

    p = out;

    if (rnd() % 3 == 0) {
        *p++ = '-';
    }

    if (rnd() % 2) {
        *p++ = '0';

    } else {
        *p++ = (char) ('1' + rnd() % 9);
        p += random_digits(p, rnd() % (rnd() % 4 ? 4 : 40));
    }

    if (rnd() % 4) {
        *p++ = '.';
        p += random_digits(p, 1 + rnd() % (rnd() % 4 ? 18 : 60));
    }

    if (rnd() % 3 == 0) {
        p += sprintf(p, "%c%s%" PRIu64, rnd() % 2 ? 'e' : 'E',
                     rnd() % 2 ? "-" : (rnd() % 2 ? "+" : ""),
                     rnd() % (rnd() % 4 ? 30 : 4000));
    }

    *p = '\0';
}


static void
test_random(void)
{
    char    a[LONGEST], b[LONGEST];
    size_t  i, n;

    for (i = 0; i < 20000; i++) {
        random_text(a);
        check_text(a);
    }

    report("random texts");

    for (i = 0; i < 20000; i++) {
        random_text(a);
        random_text(b);

        if (i % 2) {
            strcpy(b, a);
            n = rnd() % strlen(b);

            if (b[n] >= '0' && b[n] <= '9') {
                b[n] = (char) ('1' + rnd() % 9);
            }
        }

        check_pair(a, b);
    }

    report("random pairs");
}


/* the exponent's letter at every place of every length */

static void
test_exponents(void)
{
    char    text[LONGEST];
    size_t  len, e;

    for (len = 3; len < 90; len++) {
        for (e = 1; e + 1 < len; e++) {

            if (e == 2) {
                continue;
            }

            random_digits(text, len);
            text[0] = (char) ('1' + rnd() % 9);
            text[1] = (e > 2) ? '.' : text[1];
            memset(text + e, '0', len - e);
            text[e] = (e % 2) ? 'e' : 'E';
            text[len - 1] = (char) ('0' + rnd() % 10);
            text[len] = '\0';

            check_text(text);
            check_pair(text, "1.25");
        }
    }

    report("exponents at every place");
}


static int
by_value(const void *a, const void *b)
{
    return compare_text(*(char *const *) a, *(char *const *) b);
}


/* a sorted list in which every pair is in order: the order is total */

static void
test_order(void)
{
    char          *list[300];
    size_t         i, j, fixed;

    static char               text[300][LONGEST];
    static const char *const  special[] = {
        "NaN", "-Infinity", "Infinity", "0", "-0", "0e9", "-0.00",
        "1e99999999999999999999", "1e99999999999999999998",
        "-1e99999999999999999999", "1e-99999999999999999999",
        "10e99999999999999999998", "0.1e-99999999999999999998",
        "1e9223372036854775808", "1e18446744073709551616"
    };

    fixed = nitems(special);

    for (i = 0; i < nitems(list); i++) {
        list[i] = text[i];

        if (i < fixed) {
            strcpy(text[i], special[i]);

        } else {
            random_text(text[i]);
        }
    }

    qsort(list, nitems(list), sizeof(char *), by_value);

    for (i = 0; i < nitems(list); i++) {
        for (j = i; j < nitems(list); j++) {
            expect(compare_text(list[i], list[j]) <= 0, "order", list[i], 0);
            expect(compare_text(list[i], list[j])
                   == -compare_text(list[j], list[i]),
                   "antisymmetry", list[i], 0);
        }
    }

    report("every pair of a sorted list");
}


/*
 * Lines "f16hex f32hex f64hex text"; some texts are not JSON for want of a
 * digit beside the point.
 */

static int
corpus_text(char *line, char *text)
{
    char   *p;
    size_t  n;

    line[strcspn(line, "\r\n")] = '\0';
    p = strrchr(line, ' ');

    if (p == NULL || strlen(p + 1) + 2 > LONGEST) {
        return 0;
    }

    p++;

    if (*p == '.') {
        *text++ = '0';
    }

    n = strcspn(p, ".");
    strcpy(text, p);

    if (p[n] == '.' && (p[n + 1] < '0' || p[n + 1] > '9')) {
        text[n + 1] = '0';
        strcpy(text + n + 2, p + n + 1);
    }

    return 1;
}


static void
test_corpus(void)
{
    FILE        *f;
    char         line[LONGEST + 64], path[512], text[LONGEST];
    char         last[LONGEST];
    size_t       i, texts;
    const char  *corpus;

    static const char *const  names[] = {
        "exhaustive-float16", "freetype-2-7", "google-wuffs",
        "lemire-fast-float", "more-test-cases", "tencent-rapidjson"
    };

    corpus = getenv("MODELGUARD_CORPUS");
    corpus = (corpus != NULL) ? corpus : "../shared/corpus";

    texts = 0;
    strcpy(last, "0");

    for (i = 0; i < nitems(names); i++) {
        snprintf(path, sizeof(path), "%s/json/number-texts/%s.txt", corpus,
                 names[i]);

        f = fopen(path, "r");
        if (f == NULL) {
            ok(1, "corpus # SKIP corpus not found");
            return;
        }

        while (fgets(line, sizeof(line), f) != NULL) {
            if (!corpus_text(line, text)) {
                continue;
            }

            texts++;
            check_text(text);
            check_pair(last, text);
            strcpy(last, text);
        }

        fclose(f);
    }

    ok(texts == 52977, "%zu texts of the corpus", texts);
    report("corpus");
}


int
main(void)
{
    slots_init();

    test_random();
    test_exponents();
    test_order();
    test_corpus();

    return tap_done();
}
