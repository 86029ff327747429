
/*
 * Copyright (C) the modelguard authors
 *
 * A fuzz target: values in strings.  The input is a treatment, a line feed,
 * and bytes that become in turn
 *
 *     a document in a string, which has to be treated as the document is
 *     floats in base64, each beside what the C library makes of it
 *     the number in front of a string, beside that number rounded
 *     any text in a string, which has to come out the same if cut
 */


#include <math.h>

#include "fuzz_json.h"
#include "fuzz_number.h"
#include "fuzz_oracle.h"
#include "rewrite_kit.h"
#include "modelguard_json.h"


#define SPEC  200


static kit_t  kit;
static char   spec[2 * SPEC + 64];


static int
build(const char *field, const char *treatment)
{
    const char  *error;

    snprintf(spec, sizeof(spec), "%s | %s", field, treatment);

    if (!kit_try(&kit, spec, &error)) {
        kit_free();
        return 0;
    }

    return 1;
}


/* whole, and cut: the same, unless there is an error */

static void
run(kit_out_t *out, const unsigned char *doc, size_t len)
{
    size_t       i;
    kit_out_t    other;
    fuzz_cuts_t  cuts;

    kit_run(&kit, out, doc, len, NULL, 0);

    for (i = 0; i < 2; i++) {
        fuzz_cut(&cuts, len);
        kit_run(&kit, &other, doc, len, cuts.at, cuts.n);

        if ((other.rc == MODELGUARD_OK) != (out->rc == MODELGUARD_OK)
            || (out->rc == MODELGUARD_OK
                && (other.len != out->len
                    || memcmp(other.data, out->data, out->len) != 0)))
        {
            fuzz_fail("%s: cut at %zu of %zu: rc %d for %d\n%.*s\n%.*s", spec,
                      cuts.at[0], len, other.rc, out->rc, (int) out->len,
                      (char *) out->data, (int) other.len,
                      (char *) other.data);
        }

        free(other.data);
    }

    if (out->rc == MODELGUARD_OK && !oracle_accepts(out->data, out->len)) {
        fuzz_fail("%s: not JSON: %.*s", spec, (int) out->len,
                  (char *) out->data);
    }
}


/* {"p":"..."} with some characters as escapes */

static unsigned char *
quote(const uint8_t *data, size_t len, size_t *size)
{
    char           *doc, *p;
    size_t          i;
    const uint8_t  *ch;

    doc = malloc(len * 6 + 16);
    p = doc + sprintf(doc, "{\"p\":\"");

    for (i = 0; i < len; i++) {
        ch = &data[i];

        if (*ch < 0x20 || (*ch < 0x80 && fuzz_random(16) == 0)) {
            p += sprintf(p, "\\u%04x", *ch);
            continue;
        }

        if (*ch == '"' || *ch == '\\') {
            *p++ = '\\';
        }

        *p++ = (char) *ch;
    }

    p += sprintf(p, "\"}");
    *size = (size_t) (p - doc);

    return (unsigned char *) doc;
}


/* the string in that place, without its escapes */

static uint8_t *
unquote(const kit_out_t *out, size_t *len)
{
    uint8_t  *text;

    if (out->len < 8 || memcmp(out->data, "{\"p\":\"", 6) != 0) {
        fuzz_fail("%s: no string: %.*s", spec, (int) out->len,
                  (char *) out->data);
    }

    text = malloc(out->len);
    *len = modelguard_json_unescape(out->data + 6, out->len - 8, text,
                                    out->len);

    return text;
}


static void
check_document(const char *treatment, const uint8_t *data, size_t len)
{
    size_t          i, n, size;
    uint8_t        *text;
    kit_out_t       inner, outer;
    unsigned char  *doc;

    static const char *const  roles[][2] = {
        { "scores $.r", "scores $.p encoding=json inside=$.r" },
        { "scores $", "scores $.p encoding=json inside=$" },
        { "scores $.r[*].score label=$.r[*].label",
          "scores $.p encoding=json inside=$.r[*].score label=$.r[*].label" }
    };

    i = fuzz_random(3);

    if (!build(roles[i][0], treatment)) {
        return;
    }

    run(&inner, data, len);
    kit_free();

    if (!build(roles[i][1], treatment)) {
        free(inner.data);
        return;
    }

    doc = quote(data, len, &size);
    run(&outer, doc, size);
    kit_free();

    /* a document begins with its bracket, which is no escape */

    if (inner.rc != MODELGUARD_OK || (doc[6] != '[' && doc[6] != '{')) {
        /* void */

    } else if (outer.rc != MODELGUARD_OK) {
        fuzz_fail("%s: rc %d: %.*s", spec, outer.rc, (int) size, doc);

    } else if (strncmp(treatment, "drop", 4) != 0
               && strncmp(treatment, "null", 4) != 0)
    {
        text = unquote(&outer, &n);

        if (n != inner.len || memcmp(text, inner.data, n) != 0) {
            fuzz_fail("%s: %.*s for %.*s", spec, (int) n, text,
                      (int) inner.len, (char *) inner.data);
        }

        free(text);
    }

    free(inner.data);
    free(outer.data);
    free(doc);
}


static const char  base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";


static size_t
encode(const uint8_t *data, size_t len, char *out)
{
    size_t    i, n;
    uint32_t  bits;

    for (n = 0, i = 0; i < len; i += 3) {
        bits = (uint32_t) data[i] << 16;
        bits |= i + 1 < len ? (uint32_t) data[i + 1] << 8 : 0;
        bits |= i + 2 < len ? data[i + 2] : 0;

        out[n++] = base64[bits >> 18];
        out[n++] = base64[bits >> 12 & 63];
        out[n++] = i + 1 < len ? base64[bits >> 6 & 63] : '=';
        out[n++] = i + 2 < len ? base64[bits & 63] : '=';
    }

    return n;
}


/* what the C library, which is exact, makes of a float */

static uint32_t
rounded(uint32_t bits, unsigned digits)
{
    char   text[128];
    float  value;

    memcpy(&value, &bits, 4);

    if (isnan(value)) {
        return 0x7fc00000;
    }

    if (isinf(value)) {
        return bits;
    }

    snprintf(text, sizeof(text), "%.*f", (int) digits, (double) value);
    value = strtof(text, NULL);

    if (value == 0) {
        return 0;
    }

    memcpy(&bits, &value, 4);

    return bits;
}


static void
check_floats(const uint8_t *data, size_t len)
{
    char       *text, doc[64];
    size_t      i, n;
    uint8_t     wanted[1024];
    uint32_t    bits;
    unsigned    digits;
    kit_out_t   out;

    len = len < sizeof(wanted) ? len & ~(size_t) 3 : sizeof(wanted);
    digits = (unsigned) fuzz_random(10);

    for (i = 0; i < len; i += 4) {
        bits = data[i] | (uint32_t) data[i + 1] << 8
               | (uint32_t) data[i + 2] << 16 | (uint32_t) data[i + 3] << 24;
        bits = rounded(bits, digits);
        wanted[i] = (uint8_t) bits;
        wanted[i + 1] = (uint8_t) (bits >> 8);
        wanted[i + 2] = (uint8_t) (bits >> 16);
        wanted[i + 3] = (uint8_t) (bits >> 24);
    }

    sprintf(doc, "round=%u", digits);

    if (!build("embedding $.p encoding=base64f32", doc)) {
        fuzz_fail("no rules");
    }

    text = malloc(4 * len + 16);
    n = (size_t) sprintf(text, "{\"p\":\"");
    n += encode(data, len, text + n);
    n += (size_t) sprintf(text + n, "\"}");

    run(&out, (unsigned char *) text, n);

    n = (size_t) sprintf(text, "{\"p\":\"");
    n += encode(wanted, len, text + n);
    n += (size_t) sprintf(text + n, "\"}");

    if (out.rc != MODELGUARD_OK || out.len != n
        || memcmp(out.data, text, n) != 0)
    {
        fuzz_fail("%s: rc %d: %.*s for %.*s", spec, out.rc, (int) out.len,
                  (char *) out.data, (int) n, text);
    }

    free(out.data);
    free(text);
    kit_free();
}


static void
check_front(const uint8_t *data, size_t len)
{
    char       *number, *doc, word[16];
    size_t      n, size;
    uint8_t    *round;
    unsigned    digits;
    fuzz_in_t   in;
    kit_out_t   out;

    in.p = data;
    in.end = data + (len < 300 ? len : 300);

    number = fuzz_number_text(&in);
    digits = (unsigned) fuzz_random(MODELGUARD_NUMBER_DIGITS_MAX + 1);
    sprintf(word, "round=%u", digits);

    if (!build("scores $.p encoding=string", word)) {
        fuzz_fail("no rules");
    }

    n = strlen(number);
    doc = malloc(n + 64);
    size = (size_t) sprintf(doc, "{\"p\":\"%s:5:cat\"}", number);

    run(&out, (unsigned char *) doc, size);

    round = malloc(n + MODELGUARD_NUMBER_PAD);
    size = modelguard_number_round((uint8_t *) number, n, digits, round);

    if (out.rc == MODELGUARD_OK
        && (out.len != size + 14 || memcmp(out.data + 6, round, size) != 0
            || memcmp(out.data + 6 + size, ":5:cat\"}", 8) != 0))
    {
        fuzz_fail("%s: %s: %.*s", spec, number, (int) out.len,
                  (char *) out.data);
    }

    if (out.rc != MODELGUARD_OK && number[0] != 'N'
        && strchr(number, 'I') == NULL)
    {
        fuzz_fail("%s: %s: rc %d", spec, number, out.rc);
    }

    free(round);
    free(out.data);
    free(doc);
    free(number);
    kit_free();
}


static void
check_any(const char *treatment, const uint8_t *data, size_t len)
{
    size_t          size;
    kit_out_t       out;
    unsigned char  *doc;

    static const char *const  fields[] = {
        "scores $.p encoding=text", "scores $.p encoding=string",
        "embedding $.p encoding=base64f32", "scores $.p encoding=base64f32"
    };

    if (!build(fields[fuzz_random(4)], treatment)) {
        return;
    }

    doc = quote(data, len, &size);
    run(&out, doc, size);

    free(out.data);
    free(doc);
    kit_free();
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char            treatment[SPEC + 1];
    size_t          n;
    const uint8_t  *p;

    fuzz_begin(data, len);

    p = memchr(data, '\n', len);
    n = p != NULL ? (size_t) (p - data) : len;

    if (p == NULL || n > SPEC || memchr(data, '\0', n) != NULL
        || memchr(data, ';', n) != NULL)
    {
        return -1;
    }

    memcpy(treatment, data, n);
    treatment[n] = '\0';
    data += n + 1;
    len -= n + 1;

    check_document(treatment, data, len);
    check_any(treatment, data, len);
    check_floats(data, len);
    check_front(data, len);

    if (kit_allocated) {
        fuzz_fail("%zu bytes are not given back", kit_allocated);
    }

    return 0;
}


size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    size_t    n;
    uint8_t  *p;

    static const char *const  treatments[] = {
        "round=2", "round=0", "top=1 round=3", "drop", "null", "label_only",
        "step=0.05", "keep", "top=2", "min=0.1", "round=2 renormalize"
    };

    fuzz_reseed(seed);

    p = memchr(data, '\n', size);

    if (p == NULL || fuzz_random(6) == 0) {
        return LLVMFuzzerMutate(data, size, max);
    }

    n = (size_t) (p - data);

    if (fuzz_random(8) == 0) {
        return fuzz_splice_text(data, size, max, 0, n, FUZZ_ANY(treatments));
    }

    n++;

    return n + fuzz_json_mutate(data + n, size - n, max - n);
}
