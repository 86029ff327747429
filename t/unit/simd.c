
/*
 * Copyright (C) the modelguard authors
 *
 * Every level of vector instructions against the portable one, and that one
 * against a reading of RFC 8259 and RFC 3629: byte by byte at a page's end,
 * with each alignment, each length, and texts that were made to be awkward.
 */


#include "modelguard_simd.h"
#include "tap.h"


#define SIMD_LENGTHS  131
#define SIMD_ROUNDS   60000


typedef struct {
    const uint8_t  *text;
    const uint8_t  *numbers;
    unsigned        escaped;
} simd_result_t;


static uint64_t  simd_seed = 88172645463325252;


static unsigned
simd_random(unsigned n)
{
    simd_seed ^= simd_seed << 13;
    simd_seed ^= simd_seed >> 7;
    simd_seed ^= simd_seed << 17;

    return (unsigned) ((simd_seed >> 11) % n);
}


/* past the character that bytes of RFC 3629's table make, or NULL */

static const uint8_t *
simd_character(const uint8_t *p, const uint8_t *end)
{
    size_t    i, n;
    uint32_t  code;

    static const uint32_t  least[] = { 0, 0, 0x80, 0x800, 0x10000 };

    n = (*p >> 5 == 6) ? 2 : (*p >> 4 == 14) ? 3 : (*p >> 3 == 30) ? 4 : 0;

    if (n == 0 || (size_t) (end - p) < n) {
        return NULL;
    }

    code = *p & (0x7fu >> n);

    for (i = 1; i < n; i++) {

        if (p[i] >> 6 != 2) {
            return NULL;
        }

        code = code << 6 | (p[i] & 0x3f);
    }

    return code < least[n] || code > 0x10ffff || (code >> 11) == 0x1b
           ? NULL : p + n;
}


static const uint8_t *
simd_escape(const uint8_t *p, const uint8_t *end)
{
    size_t  i;

    if (end - p < 2) {
        return NULL;
    }

    if (p[1] != 'u') {
        return p[1] != '\0' && strchr("\"\\/bfnrt", p[1]) ? p + 2 : NULL;
    }

    for (i = 2; i < 6; i++) {

        if (p + i >= end || p[i] == '\0'
            || strchr("0123456789abcdefABCDEF", p[i]) == NULL)
        {
            return NULL;
        }
    }

    return p + 6;
}


/*
 * Past a number, one character at a time; NULL if none ends before end, or if
 * a digit is behind it, as behind a leading zero.
 */

static const uint8_t *
simd_number(const uint8_t *p, const uint8_t *end)
{
    size_t       i;
    const char  *state, *go;

    /* in each state: who may come, and the state after it; '#' is 1 to 9 */

    static const char  *states[] = {
        "a-b0c#d", "b0c#d", "c.eEg", "d0d#d.eEg", "e0f#f", "f0f#fEg",
        "g-h+h0i#i", "h0i#i", "i0i#i"
    };

    state = states[0];

    for ( /* void */ ; p < end; p++) {

        for (go = state + 1; *go; go += 2) {

            if ((*go == '#') ? (*p >= '1' && *p <= '9')
                             : (*go == (char) *p || (*go == 'E' && *p == 'e')))
            {
                break;
            }
        }

        if (*go == '\0') {
            return strchr(*p >= '0' && *p <= '9' ? "" : "cdfi", state[0])
                   ? p : NULL;
        }

        for (i = 0; states[i][0] != go[1]; i++) { /* void */ }

        state = states[i];
    }

    return NULL;
}


static void
simd_reference(simd_result_t *r, const uint8_t *p, const uint8_t *end)
{
    const uint8_t  *q, *next;

    r->escaped = 0;

    for (q = p; q < end; q = next) {

        if (*q == '\\') {
            next = simd_escape(q, end);
            r->escaped |= (next != NULL);

        } else if (*q >= 0x80) {
            next = simd_character(q, end);

        } else {
            next = (*q < 0x20 || *q == '"') ? NULL : q + 1;
        }

        if (next == NULL) {
            break;
        }
    }

    r->text = q;

    r->numbers = p;

    for (q = simd_number(p, end); q != NULL; q = simd_number(q, end)) {
        r->numbers = q;

        if (*q++ != ',') {
            break;
        }

        q += (q < end && *q == ' ');
    }
}


static int
simd_same(const modelguard_simd_t *simd, const simd_result_t *r,
    const uint8_t *p, const uint8_t *end)
{
    unsigned  escaped;

    escaped = 0;

    return simd->text(p, end, &escaped) == r->text && escaped == r->escaped
           && simd->numbers(p, end) == r->numbers;
}


/* pieces of text that are likely to be together, and wrong ones */

static size_t
simd_make(uint8_t *out, size_t len, unsigned odd)
{
    size_t       n, at;
    const char  *piece;

    static const char  *good[] = {
        "\\n", "\\\"", "\\\\", "\\u00e9", "\\uD83d", "\xc3\xa9", "\xdf\xbf",
        "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "0123456789", " ", "~",
        "plain words", "\x7f", "\\/", "\\t"
    };

    static const char  *bad[] = {
        "\"", "\\", "\\x", "\\u12g4", "\\u", "\\U0000", "\x1f", "\n", "\r",
        "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf",
        "\xed\xa0\x80", "\xe1\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xff", "\xf1\x80\x80", "\xc3(", "\xe2\x82("
    };

    for (at = 0; at < len; at += n) {

        if (simd_random(1000) < odd) {
            piece = bad[simd_random(sizeof(bad) / sizeof(bad[0]))];

        } else if (simd_random(3) == 0) {
            piece = good[simd_random(sizeof(good) / sizeof(good[0]))];

        } else {
            piece = "a";
        }

        n = strlen(piece);

        if (n > len - at) {
            n = len - at;
        }

        memcpy(out + at, piece, n);
    }

    return len;
}


/* each length and each place of a byte, which ends or does not end a run */

static void
simd_single(const modelguard_simd_t *simd)
{
    size_t          len, at, i;
    uint8_t         text[SIMD_LENGTHS], *copy;
    unsigned        wrong, n, fill;
    simd_result_t   r;

    static const char     fills[] = "a7";
    static const uint8_t  bytes[] = {
        '"', '\\', 0x1f, 0x20, 0x7f, 0x80, 0xc3, 0xe2, 0xf0, 0xff, 0, '\n',
        '\r', '/', '0', '9', ':', 0xaf, 0xb9
    };

    wrong = 0;
    n = 0;

    for (fill = 0; fill < 2; fill++) {

        for (len = 0; len < SIMD_LENGTHS; len++) {
            memset(text, fills[fill], len);
            copy = guard_copy(text, len);

            for (at = 0; at <= len; at++) {

                for (i = 0; i < sizeof(bytes); i++) {

                    if (at < len) {
                        copy[at] = bytes[i];
                    }

                    simd_reference(&r, copy, copy + len);
                    wrong += !simd_same(simd, &r, copy, copy + len);
                    n++;
                }

                if (at < len) {
                    copy[at] = (uint8_t) fills[fill];
                }
            }

            guard_free(copy, len);
        }
    }

    ok(wrong == 0, "%s: one byte at each place of each length: %u wrong of %u",
       simd->name, wrong, n);
}


/* all two bytes, and all leads with all that may follow at their bounds */

static void
simd_pairs(const modelguard_simd_t *simd)
{
    size_t          at;
    uint8_t         text[80], *copy;
    unsigned        a, b, wrong, n;
    simd_result_t   r;

    wrong = 0;
    n = 0;

    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '"';
    copy = guard_copy(text, sizeof(text));

    for (at = 0; at < sizeof(text) - 5; at += 13) {

        for (a = 0; a < 256; a++) {

            for (b = 0; b < 256; b++) {
                copy[at] = (uint8_t) a;
                copy[at + 1] = (uint8_t) b;
                copy[at + 2] = 0x80;
                copy[at + 3] = (uint8_t) (b & 1 ? 0xbf : 'f');

                simd_reference(&r, copy, copy + sizeof(text));
                wrong += !simd_same(simd, &r, copy, copy + sizeof(text));
                n++;
            }
        }

        memcpy(copy, text, sizeof(text));
    }

    guard_free(copy, sizeof(text));

    ok(wrong == 0, "%s: all pairs of bytes: %u wrong of %u", simd->name,
       wrong, n);
}


static void
simd_fuzz(const modelguard_simd_t *simd)
{
    size_t          len, from;
    uint8_t         text[SIMD_LENGTHS + 300], *copy;
    unsigned        wrong, round, stopped;
    simd_result_t   r;

    memset(text, ' ', sizeof(text));

    static const unsigned  odds[] = { 0, 3, 30, 300 };

    wrong = 0;
    stopped = 0;

    copy = guard_copy(text, sizeof(text));

    for (round = 0; round < SIMD_ROUNDS; round++) {
        len = simd_random((round & 7) ? SIMD_LENGTHS : sizeof(text));
        from = sizeof(text) - len;

        (void) simd_make(copy + from, len, odds[simd_random(4)]);

        simd_reference(&r, copy + from, copy + sizeof(text));

        stopped += (r.text != copy + sizeof(text));
        wrong += !simd_same(simd, &r, copy + from, copy + sizeof(text));
    }

    guard_free(copy, sizeof(text));

    ok(wrong == 0, "%s: random texts at a page's end: %u wrong of %u, %u "
       "of them stop", simd->name, wrong, SIMD_ROUNDS, stopped);
}


/* arrays of numbers, some with a byte changed */

static void
simd_arrays(const modelguard_simd_t *simd)
{
    size_t          len, at, n;
    uint8_t         text[SIMD_LENGTHS * 2], *from, *copy;
    unsigned        wrong, round, whole;
    const char     *piece;
    simd_result_t   r;

    memset(text, ' ', sizeof(text));

    static const char  *numbers[] = {
        "0", "1", "7", "42", "100", "-1", "-0", "0.5", "-0.25", "3.14159265",
        "1e5", "1E-7", "2.5e+10", "-1.5e-300", "1234567890123456789012",
        "0.12345678901234567", "32", "111", "0e0", "0.0"
    };

    static const char  changes[] = "0123456789.,-+eE ]}x\"\n\0";

    wrong = 0;
    whole = 0;

    copy = guard_copy(text, sizeof(text));

    for (round = 0; round < SIMD_ROUNDS * 2; round++) {
        len = 1 + simd_random(sizeof(text));
        from = copy + sizeof(text) - len;

        for (at = 0; at < len; at += n) {
            piece = numbers[simd_random(sizeof(numbers) / sizeof(numbers[0]))];

            n = strlen(piece);
            n = n < len - at ? n : len - at;
            memcpy(from + at, piece, n);

            if (at + n < len) {
                from[at + n++] = ',';
            }

            if (at + n < len && (round & 16)) {
                from[at + n++] = ' ';
            }
        }

        from[len - 1] = (round & 1) ? ']' : from[len - 1];

        if (round & 6) {
            from[simd_random((unsigned) len)] =
                               (uint8_t) changes[simd_random(sizeof(changes))];
        }

        simd_reference(&r, from, from + len);

        whole += (r.numbers == from + len - 1);
        wrong += !simd_same(simd, &r, from, from + len);
    }

    guard_free(copy, sizeof(text));

    ok(wrong == 0 && whole > 1000, "%s: arrays of numbers: %u wrong of %u, "
       "%u to the end", simd->name, wrong, round, whole);
}


/* blocks of nothing but escapes or characters of two bytes, then plain text */

static void
simd_blocks(const modelguard_simd_t *simd)
{
    size_t          i, plain, n, len;
    uint8_t         text[512], *copy;
    unsigned        wrong, count;
    simd_result_t   r;

    static const char  *pairs[] = { "\xc3\xa9", "\\n", "\\\\" };

    wrong = 0;
    count = 0;

    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {

        for (plain = 0; plain < 66; plain++) {

            for (n = 30; n < 100; n++) {
                memset(text, 'a', sizeof(text));

                for (len = plain; len < plain + 2 * n; len += 2) {
                    memcpy(text + len, pairs[i], 2);
                }

                len += 150;
                text[len++] = '"';
                copy = guard_copy(text, len);

                simd_reference(&r, copy, copy + len);
                wrong += !simd_same(simd, &r, copy, copy + len);
                count++;

                guard_free(copy, len);
            }
        }
    }

    ok(wrong == 0, "%s: dense blocks and plain ones: %u wrong of %u",
       simd->name, wrong, count);
}


/* all that four characters of numbers can be */

static void
simd_short(const modelguard_simd_t *simd)
{
    size_t          at, i;
    uint8_t         text[100], *copy;
    unsigned        wrong, n, code;
    simd_result_t   r;

    static const char  all[] = "019.-+eE, ]x";

    wrong = 0;
    n = 0;

    for (i = 0; i < sizeof(text); i++) {
        text[i] = (uint8_t) "12,"[i % 3];
    }

    copy = guard_copy(text, sizeof(text));

    for (at = 0; at < 66; at += (at == 0) ? 57 : 5) {

        for (code = 0; code < 12 * 12 * 12 * 12 * 12; code++) {
            copy[at] = (uint8_t) all[code % 12];
            copy[at + 1] = (uint8_t) all[code / 12 % 12];
            copy[at + 2] = (uint8_t) all[code / 144 % 12];
            copy[at + 3] = (uint8_t) all[code / 1728 % 12];
            copy[at + 4] = (uint8_t) all[code / 20736];

            simd_reference(&r, copy, copy + sizeof(text));
            wrong += !simd_same(simd, &r, copy, copy + sizeof(text));
            n++;
        }

        memcpy(copy, text, sizeof(text));
    }

    guard_free(copy, sizeof(text));

    ok(wrong == 0, "%s: all of five characters: %u wrong of %u", simd->name,
       wrong, n);
}


/* the same bytes at each alignment */

static void
simd_aligned(const modelguard_simd_t *simd)
{
    size_t          at, len;
    uint8_t         text[SIMD_LENGTHS], room[SIMD_LENGTHS + 64];
    unsigned        wrong, n, round;
    simd_result_t   r;

    wrong = 0;
    n = 0;

    for (round = 0; round < 20; round++) {

        for (len = 0; len < SIMD_LENGTHS; len++) {
            (void) simd_make(text, len, round < 10 ? 0 : 20);

            for (at = 0; at < 64; at++) {
                memset(room, 'a', sizeof(room));
                memcpy(room + at, text, len);

                simd_reference(&r, room + at, room + at + len);
                wrong += !simd_same(simd, &r, room + at, room + at + len);
                n++;
            }
        }
    }

    ok(wrong == 0, "%s: each alignment and length: %u wrong of %u",
       simd->name, wrong, n);
}


int
main(void)
{
    unsigned                  level, n;
    const modelguard_simd_t  *simd;

    n = 0;

    for (level = 0; level < MODELGUARD_SIMD_LEVELS; level++) {
        simd = modelguard_simd_at(level);

        if (simd == NULL) {
            ok(level != MODELGUARD_SIMD_PORTABLE, "no level %u here # SKIP",
               level);
            continue;
        }

        n = level;

        ok(simd->level == level, "level %u is %s", level, simd->name);

        simd_single(simd);
        simd_pairs(simd);
        simd_fuzz(simd);
        simd_arrays(simd);
        simd_blocks(simd);
        simd_short(simd);
        simd_aligned(simd);
    }

    if (n > MODELGUARD_SIMD_MAX) {
        n = MODELGUARD_SIMD_MAX;
    }

    ok(modelguard_simd_best() == modelguard_simd_at(n), "the best is %s",
       modelguard_simd_best()->name);

    ok(modelguard_simd_at(MODELGUARD_SIMD_LEVELS) == NULL,
       "there is no level above");

    return tap_done();
}
