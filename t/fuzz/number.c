
/*
 * Copyright (C) the modelguard authors
 *
 * A fuzz target: two numbers, made well-formed, rounded, scaled, stepped and
 * compared, beside arithmetic on the digits written out in full.
 */


#include <inttypes.h>

#include "fuzz.h"
#include "fuzz_number.h"
#include "number_ref.h"
#include "oracle_number.h"


/* whether the oracles can write it out */

static int
fits(const char *text)
{
    long         digits, exponent;
    const char  *e;

    e = strpbrk(text, "eE");
    digits = (long) (e ? (size_t) (e - text) : strlen(text));
    exponent = e ? ref_exponent(e + 1) : 0;

    return digits + labs(exponent) < 400;
}


static void
check_scale(const char *text, unsigned digits)
{
    int      rc;
    ref_t    ref;
    int64_t  scaled, wanted;
    char     whole[REF_SIZE];

    ref_set(&ref, text);
    ref_whole(&ref, digits, whole);

    scaled = 42;
    rc = modelguard_number_scale((const uint8_t *) text, strlen(text), digits,
                                 &scaled);

    if (strlen(whole) > 18) {

        if (rc != MODELGUARD_RANGE || scaled != 42) {
            fuzz_fail("scale %s, %u: rc %d", text, digits, rc);
        }

        return;
    }

    wanted = strtoll(whole, NULL, 10);
    wanted = ref.negative ? -wanted : wanted;

    if (rc != MODELGUARD_OK || scaled != wanted) {
        fuzz_fail("scale %s, %u: %" PRId64 " for %" PRId64, text, digits,
                  scaled, wanted);
    }
}


static void
check_round(const char *text, unsigned digits)
{
    ref_t    ref;
    size_t   n, len;
    char     wanted[REF_SIZE];
    uint8_t  *out;

    len = strlen(text);
    out = malloc(len + MODELGUARD_NUMBER_PAD);

    n = modelguard_number_round((const uint8_t *) text, len, digits, out);

    ref_set(&ref, text);
    ref_canonical(&ref, digits, wanted);

    if (n == len && memcmp(out, text, len) == 0
        && ref.before > MODELGUARD_NUMBER_FORMAT_MAX)
    {
        /* a huge one stays, if nothing of it is below the last digit */

        if (ref.after > digits) {
            fuzz_fail("round %s, %u: stays", text, digits);
        }

    } else if (n != strlen(wanted) || memcmp(out, wanted, n) != 0) {
        fuzz_fail("round %s, %u: %.*s for %s", text, digits, (int) n, out,
                  wanted);
    }

    free(out);
}


static void
check_step(const char *text, const modelguard_decimal_t *step)
{
    int      rc;
    char     out[DEC_TEXT];
    dec_t    value, other;
    int64_t  scaled;

    dec_parse(&value, text);
    dec_step(&value, (uint64_t) step->unit, step->digits);

    scaled = 42;
    rc = modelguard_number_step((const uint8_t *) text, strlen(text), step,
                                &scaled);

    if (dec_is_big(&value, step->digits)) {

        if (rc != MODELGUARD_RANGE || scaled != 42) {
            fuzz_fail("step %s: rc %d", text, rc);
        }

        return;
    }

    dec_set(&other, scaled, step->digits);
    dec_text(&value, out);

    if (rc != MODELGUARD_OK || dec_compare(&value, &other) != 0) {
        fuzz_fail("step %s, %" PRId64 "/%u: %" PRId64 " for %s", text,
                  step->unit, step->digits, scaled, out);
    }
}


static void
check_compare(const char *a, const char *b)
{
    int    order, wanted;
    dec_t  x, y;

    order = modelguard_number_compare((const uint8_t *) a, strlen(a),
                                      (const uint8_t *) b, strlen(b));
    order = (order > 0) - (order < 0);

    dec_parse(&x, a);
    dec_parse(&y, b);

    wanted = dec_compare(&x, &y);
    wanted = (wanted > 0) - (wanted < 0);

    if (order != wanted) {
        fuzz_fail("compare %s, %s: %d for %d", a, b, order, wanted);
    }
}


/* any number at all: no crash, in bounds, canonical, idempotent */

static void
check_any(const char *text, unsigned digits)
{
    size_t    n, m, len;
    int64_t   scaled;
    uint8_t  *out, *again, *copy;

    len = strlen(text);
    copy = fuzz_copy(text, len);     /* without the zero */
    out = malloc(len + MODELGUARD_NUMBER_PAD);

    n = modelguard_number_round(copy, len, digits, out);

    if (n == 0 || n > len + MODELGUARD_NUMBER_PAD) {
        fuzz_fail("round %s: %zu bytes", text, n);
    }

    again = malloc(n + MODELGUARD_NUMBER_PAD);
    m = modelguard_number_round(out, n, digits, again);

    if (m != n || memcmp(again, out, n) != 0) {
        fuzz_fail("round %s, %u twice: %.*s, %.*s", text, digits, (int) n,
                  out, (int) m, again);
    }

    if (modelguard_number_compare(copy, len, copy, len) != 0) {
        fuzz_fail("compare %s with itself", text);
    }

    if (modelguard_number_scale(copy, len, digits, &scaled) == MODELGUARD_OK) {
        n = modelguard_number_format(scaled, digits, out);

        if (modelguard_number_compare(out, n, again, m) != 0) {
            fuzz_fail("scale and round %s, %u", text, digits);
        }
    }

    free(again);
    free(out);
    free(copy);
}


static void
check_decimal(const uint8_t *data, size_t len)
{
    uint8_t               *copy;
    modelguard_decimal_t   decimal;

    copy = fuzz_copy(data, len);

    if (modelguard_decimal_parse(copy, len, &decimal) == MODELGUARD_OK
        && (decimal.unit < 1 || decimal.unit > 999999999
            || decimal.digits > 9
            || (decimal.digits && decimal.unit % 10 == 0)))
    {
        fuzz_fail("decimal %.*s", (int) len, data);
    }

    free(copy);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char                  *a, *b;
    unsigned               digits;
    fuzz_in_t              in;
    modelguard_decimal_t   step;

    if (len < 8) {
        return -1;
    }

    check_decimal(data, len);

    in.p = data;
    in.end = data + len;

    digits = fuzz_byte(&in) % (MODELGUARD_NUMBER_DIGITS_MAX + 1);
    step.digits = fuzz_byte(&in) % 10;
    step.unit = 1 + (int64_t) (fuzz_number(&in, 4) % 999999999);

    if (digits & 1) {
        step.unit = 1 + step.unit % 100;
    }

    a = fuzz_number_text(&in);
    b = fuzz_number_text(&in);

    check_any(a, digits);
    check_any(b, digits);

    if (fits(a) && a[0] != 'N' && !strchr(a, 'I')) {
        check_scale(a, digits);
        check_round(a, digits);
        check_step(a, &step);

        if (fits(b)) {
            check_compare(a, b);
        }
    }

    free(a);
    free(b);

    return 0;
}
