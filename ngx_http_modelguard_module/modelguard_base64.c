
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_base64.h"


#define BASE64_DIGIT     63
#define BASE64_URL       64          /* with a digit: "-" or "_" */
#define BASE64_STANDARD  128         /* "+" or "/" */
#define BASE64_OTHER     192         /* of both: they are mixed; or no digit */
#define BASE64_PAD       256
#define BASE64_BAD       257
#define BASE64_END       258


static inline unsigned base64_seen(const uint8_t *p);
static size_t base64_groups(modelguard_base64_t *base64, uint8_t *out,
    size_t n);
static unsigned base64_next(modelguard_base64_t *base64);
static unsigned base64_escape(modelguard_base64_t *base64);


static const char  base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/* the digit, and its alphabet if it is of one of them only */

static const uint8_t  base64_values[256] = {
    192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192,
    192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192,
    192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 190, 192,
    126, 192, 191, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 192, 192,
    192, 192, 192, 192, 192, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
    25, 192, 192, 192, 192, 127, 192, 26, 27, 28, 29, 30, 31, 32, 33,
    34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
    49, 50, 51, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192,
    192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192,
    192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192,
    192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192,
    192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192,
    192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192,
    192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192,
    192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192,
    192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192,
    192
};


int
modelguard_base64_init(modelguard_base64_t *base64, const uint8_t *text,
    size_t len)
{
    size_t          n, pads;
    unsigned        digit, last, more, seen;
    const uint8_t  *p;

    base64->p = text;
    base64->end = text + len;

    n = 0;
    pads = 0;
    last = 0;
    seen = 0;

    for ( ;; ) {

        p = base64->p;

        while (base64->end - p >= 8 && pads == 0) {
            more = seen | base64_seen(p) | base64_seen(p + 4);

            if ((more & BASE64_OTHER) == BASE64_OTHER) {
                break;
            }

            seen = more;
            p += 8;
            last = base64_values[p[-1]];
        }

        n += (size_t) (p - base64->p);
        base64->p = p;

        digit = base64_next(base64);

        if (digit == BASE64_END) {
            break;
        }

        if (digit == BASE64_PAD) {
            pads++;
            continue;
        }

        if (digit == BASE64_BAD || pads) {
            return MODELGUARD_INVALID;
        }

        seen |= digit;
        last = digit;
        n++;
    }

    base64->p = text;
    base64->bytes = n / 4 * 3 + n % 4 * 3 / 4;
    base64->chars = n + pads;
    base64->url = ((seen & BASE64_URL) != 0);
    base64->padded = (pads != 0);

    if ((seen & BASE64_OTHER) == BASE64_OTHER || n % 4 == 1
        || (pads && pads != (4 - n % 4) % 4)
        || (n % 4 == 2 && (last & 15)) || (n % 4 == 3 && (last & 3)))
    {
        return MODELGUARD_INVALID;
    }

    return MODELGUARD_OK;
}


/* what is in four characters */

static inline unsigned
base64_seen(const uint8_t *p)
{
    return (unsigned) (base64_values[p[0]] | base64_values[p[1]]
                       | base64_values[p[2]] | base64_values[p[3]]);
}


size_t
modelguard_base64_decode(modelguard_base64_t *base64, uint8_t *out, size_t n)
{
    size_t    i;
    unsigned  digit, count;
    uint32_t  group;

    for (i = 0; i < n; /* void */ ) {

        i += base64_groups(base64, out + i, n - i);

        if (i == n) {
            break;
        }

        group = 0;

        for (count = 0; count < 4; count++) {

            digit = base64_next(base64);

            if (digit >= BASE64_PAD) {
                base64->p = base64->end;
                break;
            }

            group |= (digit & BASE64_DIGIT) << (18 - 6 * count);
        }

        if (count < 2) {
            break;
        }

        out[i++] = (uint8_t) (group >> 16);

        if (count > 2) {
            out[i++] = (uint8_t) (group >> 8);
        }

        if (count < 4) {
            break;
        }

        out[i++] = (uint8_t) group;
    }

    return i;
}


/* whole groups without an escape, for n bytes at most */

static size_t
base64_groups(modelguard_base64_t *base64, uint8_t *out, size_t n)
{
    size_t          i;
    unsigned        a, b, c, d;
    uint32_t        group;
    const uint8_t  *p, *end;

    p = base64->p;
    end = base64->end;

    for (i = 0; i < n && end - p >= 4; i += 3) {
        a = base64_values[p[0]];
        b = base64_values[p[1]];
        c = base64_values[p[2]];
        d = base64_values[p[3]];

        /* the alphabets were not mixed */

        if (((a | b | c | d) & BASE64_OTHER) == BASE64_OTHER) {
            break;
        }

        group = (a & BASE64_DIGIT) << 18 | (b & BASE64_DIGIT) << 12
                | (c & BASE64_DIGIT) << 6 | (d & BASE64_DIGIT);

        out[i] = (uint8_t) (group >> 16);
        out[i + 1] = (uint8_t) (group >> 8);
        out[i + 2] = (uint8_t) group;

        p += 4;
    }

    base64->p = p;

    return i;
}


size_t
modelguard_base64_encode(const modelguard_base64_t *base64,
    const uint8_t *bytes, size_t n, uint8_t *out)
{
    size_t    i, len;
    char      digits[65];
    unsigned  count, left;
    uint32_t  group;

    memcpy(digits, base64_digits, 62);
    memcpy(digits + 62, base64->url ? "-_" : "+/", 2);

    len = 0;

    for (i = 0; n - i >= 3; i += 3) {
        group = (uint32_t) bytes[i] << 16 | (uint32_t) bytes[i + 1] << 8
                | bytes[i + 2];

        out[len++] = (uint8_t) digits[group >> 18];
        out[len++] = (uint8_t) digits[group >> 12 & BASE64_DIGIT];
        out[len++] = (uint8_t) digits[group >> 6 & BASE64_DIGIT];
        out[len++] = (uint8_t) digits[group & BASE64_DIGIT];
    }

    left = (unsigned) (n - i);

    if (left == 0) {
        return len;
    }

    group = (uint32_t) bytes[i] << 16;
    group |= (left > 1) ? (uint32_t) bytes[i + 1] << 8 : 0;

    for (count = 0; count < 4; count++) {

        if (count <= left) {
            out[len++] = (uint8_t) digits[group >> (18 - 6 * count)
                                          & BASE64_DIGIT];

        } else if (base64->padded) {
            out[len++] = '=';
        }
    }

    return len;
}


/* the value of the next character, with its alphabet; or which it is not */

static unsigned
base64_next(modelguard_base64_t *base64)
{
    unsigned  c;

    if (base64->p == base64->end) {
        return BASE64_END;
    }

    c = *base64->p++;

    if (c == '\\') {
        c = base64_escape(base64);
    }

    if (c == '=') {
        return BASE64_PAD;
    }

    return (c > 0xff || base64_values[c] == BASE64_OTHER) ? BASE64_BAD
                                                          : base64_values[c];
}


/* the character of an escape whose "\" has been read; 0 for most */

static unsigned
base64_escape(modelguard_base64_t *base64)
{
    unsigned        i, c, code;
    const uint8_t  *p;

    p = base64->p;

    if (p < base64->end && *p == '/') {
        base64->p++;
        return '/';
    }

    if (base64->end - p < 5 || *p != 'u') {
        return 0;
    }

    code = 0;

    for (i = 1; i < 5; i++) {
        c = p[i];
        code = code << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }

    base64->p += 5;

    return code;
}
