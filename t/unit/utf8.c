
/*
 * Copyright (C) the modelguard authors
 *
 * The bytes of strings: all of UTF-8 and all that only looks like it, beside
 * a decoder of another kind; names unescaped; and the vector scans beside the
 * portable ones.
 */


#include "tap.h"
#include "modelguard_json.h"
#include "modelguard_scan.h"


#define SCAN_DATA  96


/* the same functions once more, without vectors */

#define modelguard_scan_digits  portable_digits
#define modelguard_scan_text    portable_text
#define modelguard_scan_space   portable_space
#define modelguard_scan_number  portable_number

#undef MODELGUARD_SCAN_H_INCLUDED
#undef MODELGUARD_SSE2
#define MODELGUARD_NO_SIMD  1

#include "modelguard_scan.h"

#undef modelguard_scan_digits
#undef modelguard_scan_text
#undef modelguard_scan_space
#undef modelguard_scan_number


/* the inside of a string: where it ends, and one less if it has escapes */

static const uint8_t *
scan(const uint8_t *p, const uint8_t *end, int portable)
{
    unsigned  escaped;

    escaped = 0;

    p = portable
        ? portable_text(&modelguard_simd_portable, p, end, &escaped)
        : modelguard_scan_text(modelguard_simd_best(), p, end, &escaped);

    return p - escaped;
}


/* the length of the character at p, 0 if there is none: by its value */

static size_t
decode(const uint8_t *p, size_t len)
{
    size_t    i, n;
    uint32_t  c;

    static const uint32_t  least[] = { 0, 0, 0x80, 0x800, 0x10000 };

    if (p[0] < 0x80) {
        return p[0] >= 0x20 && p[0] != '"' && p[0] != '\\';
    }

    for (n = 0; n < 8 && (p[0] & (0x80 >> n)); n++) { /* void */ }

    if (n < 2 || n > 4 || n > len) {
        return 0;
    }

    c = p[0] & (0xffU >> (n + 1));

    for (i = 1; i < n; i++) {

        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }

        c = c << 6 | (p[i] & 0x3f);
    }

    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
        return 0;
    }

    return n;
}


static int
is_text(const uint8_t *p, size_t len)
{
    size_t  n;

    for ( /* void */ ; len; p += n, len -= n) {
        n = decode(p, len);

        if (n == 0) {
            return 0;
        }
    }

    return 1;
}


/* 1 if the bytes may stand in a string, cut behind "cut" of them */

static int
accepts(const uint8_t *bytes, size_t len, size_t cut)
{
    int                rc;
    modelguard_json_t  json;

    modelguard_json_init(&json, 1);

    modelguard_json_feed(&json, (const uint8_t *) "\"", 1);
    rc = modelguard_json_next(&json);

    if (rc == MODELGUARD_AGAIN && cut) {
        modelguard_json_feed(&json, bytes, cut);
        rc = modelguard_json_next(&json);
    }

    if (rc == MODELGUARD_AGAIN && cut < len) {
        modelguard_json_feed(&json, bytes + cut, len - cut);
        rc = modelguard_json_next(&json);
    }

    if (rc != MODELGUARD_AGAIN) {
        return 0;
    }

    modelguard_json_feed(&json, (const uint8_t *) "\"", 1);

    return modelguard_json_next(&json) == MODELGUARD_OK
           && modelguard_json_finish(&json) == MODELGUARD_OK;
}


static size_t
encode(uint32_t c, uint8_t *out)
{
    if (c < 0x80) {
        out[0] = (uint8_t) c;
        return 1;
    }

    if (c < 0x800) {
        out[0] = (uint8_t) (0xc0 + c / 64);
        out[1] = (uint8_t) (0x80 + c % 64);
        return 2;
    }

    if (c < 0x10000) {
        out[0] = (uint8_t) (0xe0 + c / 4096);
        out[1] = (uint8_t) (0x80 + c / 64 % 64);
        out[2] = (uint8_t) (0x80 + c % 64);
        return 3;
    }

    out[0] = (uint8_t) (0xf0 + c / 262144);
    out[1] = (uint8_t) (0x80 + c / 4096 % 64);
    out[2] = (uint8_t) (0x80 + c / 64 % 64);
    out[3] = (uint8_t) (0x80 + c % 64);

    return 4;
}


static void
test_scalars(void)
{
    size_t    len;
    uint8_t   text[4];
    uint32_t  c;
    unsigned  n, bad;

    n = 0;
    bad = 0;

    for (c = 0; c <= 0x10ffff; c++) {

        if (c >= 0xd800 && c < 0xe000) {
            continue;
        }

        len = encode(c, text);
        n++;

        bad += accepts(text, len, c % (len + 1))
               != (c >= 0x20 && c != '"' && c != '\\');
    }

    ok(bad == 0 && n == 1112064, "%u scalar values", n);
}


/* every sequence of up to two bytes, and of three and four with a lead */

static void
test_sequences(void)
{
    uint8_t   text[4];
    uint32_t  i, c;
    unsigned  n, bad, good;

    n = 0;
    bad = 0;
    good = 0;

    for (i = 0; i < 0x10000; i++) {
        text[0] = (uint8_t) (i >> 8);
        text[1] = (uint8_t) i;

        if (text[0] == '"' || text[0] == '\\' || text[1] == '"'
            || text[1] == '\\')
        {
            continue;
        }

        bad += accepts(text, 1, 0) != is_text(text, 1);
        bad += accepts(text, 2, i % 3) != is_text(text, 2);
        good += is_text(text, 2) != 0;
        n += 2;
    }

    for (i = 0xc00000; i <= 0xffffff; i++) {
        text[0] = (uint8_t) (i >> 16);
        text[1] = (uint8_t) (i >> 8);
        text[2] = (uint8_t) i;

        if (text[1] == '"' || text[1] == '\\' || text[2] == '"'
            || text[2] == '\\')
        {
            continue;
        }

        bad += accepts(text, 3, i % 4) != is_text(text, 3);
        good += is_text(text, 3) != 0;
        n++;

        /* of four, those with an edge in the middle */

        if (((text[1] + 1) & 0x0e) != 0 || ((text[2] + 1) & 0x0e) != 0) {
            continue;
        }

        for (c = 0x3f; c < 0x120; c += 0x20) {
            text[3] = (uint8_t) c;
            bad += accepts(text, 4, i % 5) != is_text(text, 4);
            n++;
        }
    }

    ok(bad == 0 && good > 1000, "%u sequences of bytes", n);
}


static uint64_t  seed = 0x2545f4914f6cdd1dULL;


static unsigned
draw(unsigned limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return (unsigned) (seed >> 33) % limit;
}


static void
test_scans(void)
{
    int             a, b;
    size_t          i, len, at, from;
    uint8_t         data[SCAN_DATA], *copy;
    unsigned        round, bad[4];
    const uint8_t  *p, *q, *end;

    static const char  likely[] = "0123456789abcdefghij \t\r\n.-+eE,";

    memset(bad, 0, sizeof(bad));

    for (round = 0; round < 4000; round++) {
        len = draw(SCAN_DATA + 1);
        at = draw((unsigned) len + 1);

        for (i = 0; i < len; i++) {

            switch (round % 4) {

            case 0:
                data[i] = (uint8_t) ('0' + draw(10));
                break;

            case 1:
                data[i] = (uint8_t) (0x20 + draw(0x60));
                break;

            case 2:
                data[i] = (uint8_t) " \t\r\n"[draw(4)];
                break;

            default:
                data[i] = (uint8_t) likely[draw(sizeof(likely) - 1)];
            }
        }

        if (at < len) {
            data[at] = (uint8_t) draw(256);
        }

        copy = guard_copy(data, len);
        end = copy + len;

        for (from = 0; from <= len; from++) {
            p = copy + from;

            bad[0] += modelguard_scan_digits(p, end)
                      != portable_digits(p, end);
            bad[1] += scan(p, end, 0) != scan(p, end, 1);
            bad[2] += modelguard_scan_space(p, end)
                      != portable_space(p, end);

            q = modelguard_scan_number(p, end, &a);

            bad[3] += q != portable_number(p, end, &b) || (q != NULL && a != b);
        }

        guard_free(copy, len);
    }

    ok(bad[0] == 0, "digits are scanned alike");
    ok(bad[1] == 0, "strings are scanned alike");
    ok(bad[2] == 0, "white space is scanned alike");
    ok(bad[3] == 0, "numbers are scanned alike");
}


/* each byte value at each offset stops the scans where it must */

static void
test_scan_bytes(void)
{
    size_t    at;
    uint8_t   data[40], *copy;
    unsigned  c, bad;

    bad = 0;

    for (c = 0; c < 256; c++) {

        for (at = 0; at < sizeof(data); at++) {
            memset(data, '7', sizeof(data));
            data[at] = (uint8_t) c;
            copy = guard_copy(data, sizeof(data));

            bad += modelguard_scan_digits(copy, copy + sizeof(data))
                   != copy + (c >= '0' && c <= '9' ? sizeof(data) : at);
            bad += scan(copy, copy + sizeof(data), 0)
                   != copy + (c >= 0x20 && c < 0x80 && c != '"' && c != '\\'
                              ? sizeof(data) : at);

            guard_free(copy, sizeof(data));
        }
    }

    ok(bad == 0, "each byte stops a scan or does not");
}


static void
test_unescape(void)
{
    size_t    i, len, size, n;
    uint8_t  *in, *out;
    unsigned  bad;

    static const struct {
        const char  *in;
        const char  *out;
        size_t       len;
    } texts[] = {
        { "", "", 0 },
        { "abc", "abc", 3 },
        { "\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t", 8 },
        { "\\u0000", "\0", 1 },
        { "a\\u0000b", "a\0b", 3 },
        { "\\u007f\\u0080", "\x7f\xc2\x80", 3 },
        { "\\u07ff\\u0800", "\xdf\xbf\xe0\xa0\x80", 5 },
        { "\\uFfFf", "\xef\xbf\xbf", 3 },
        { "\\ud800\\udc00", "\xf0\x90\x80\x80", 4 },
        { "\\uDBFF\\uDFFF", "\xf4\x8f\xbf\xbf", 4 },
        { "\\ud83d\\ude00!", "\xf0\x9f\x98\x80!", 5 },
        { "\\ud83d", "\xed\xa0\xbd", 3 },
        { "\\ude00", "\xed\xb8\x80", 3 },
        { "\\ud83d\\ud83d\\ude00", "\xed\xa0\xbd\xf0\x9f\x98\x80", 7 },
        { "\\ud83dx", "\xed\xa0\xbdx", 4 },
        { "\\ud83d\\n", "\xed\xa0\xbd\n", 4 },
        { "\\ud83d\\u0041", "\xed\xa0\xbd" "A", 4 },
        { "\\ude00\\ud83d", "\xed\xb8\x80\xed\xa0\xbd", 6 },
        { "\xc3\xa9\\u00e9\xf0\x9f\x98\x80",
          "\xc3\xa9\xc3\xa9\xf0\x9f\x98\x80", 8 }
    };

    bad = 0;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        len = strlen(texts[i].in);
        in = guard_copy(texts[i].in, len);

        for (size = 0; size <= texts[i].len + 5; size++) {
            out = guard_copy("0123456789abcdef", size < 16 ? size : 16);

            n = modelguard_json_unescape(in, len, out, size);

            if (size < texts[i].len) {
                bad += (n != size + 1);

            } else {
                bad += n != texts[i].len
                       || memcmp(out, texts[i].out, n) != 0;
            }

            guard_free(out, size < 16 ? size : 16);
        }

        guard_free(in, len);
    }

    ok(bad == 0, "names are unescaped into room of every size");
}


int
main(void)
{
    test_scalars();
    test_sequences();
    test_scans();
    test_scan_bytes();
    test_unescape();

    return tap_done();
}
