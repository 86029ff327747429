
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_base64.h"


#define BASE64_BAD  64               /* no digit of base64 */
#define BASE64_PAD  65
#define BASE64_END  66


static unsigned base64_next(modelguard_base64_t *base64);
static unsigned base64_digit(modelguard_base64_t *base64, unsigned c);
static unsigned base64_escape(modelguard_base64_t *base64);


static const char  base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";


int
modelguard_base64_init(modelguard_base64_t *base64, const uint8_t *text,
    size_t len)
{
    size_t    n, pads;
    unsigned  digit, last, standard, url;

    base64->p = text;
    base64->end = text + len;

    n = 0;
    pads = 0;
    last = 0;
    url = 0;
    standard = 0;

    for ( ;; ) {
        base64->url = 0;

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

        url |= base64->url;
        standard |= (digit >= 62 && !base64->url);
        last = digit;
        n++;
    }

    base64->p = text;
    base64->bytes = n / 4 * 3 + n % 4 * 3 / 4;
    base64->chars = n + pads;
    base64->url = url & 1;
    base64->padded = (pads != 0);

    if ((url && standard) || n % 4 == 1
        || (pads && pads != (4 - n % 4) % 4)
        || (n % 4 == 2 && (last & 15)) || (n % 4 == 3 && (last & 3)))
    {
        return MODELGUARD_INVALID;
    }

    return MODELGUARD_OK;
}


size_t
modelguard_base64_decode(modelguard_base64_t *base64, uint8_t *out, size_t n)
{
    size_t    i;
    unsigned  url, digit, count;
    uint32_t  group;

    url = base64->url;

    for (i = 0; i < n; /* void */ ) {
        group = 0;

        for (count = 0; count < 4; count++) {

            digit = base64_next(base64);

            if (digit >= BASE64_BAD) {
                base64->p = base64->end;
                break;
            }

            group |= digit << (18 - 6 * count);
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

    base64->url = url & 1;

    return i;
}


size_t
modelguard_base64_encode(const modelguard_base64_t *base64,
    const uint8_t *bytes, size_t n, uint8_t *out)
{
    size_t     i, len;
    char       digits[65];
    unsigned   count, left;
    uint32_t   group;

    memcpy(digits, base64_digits, 62);
    memcpy(digits + 62, base64->url ? "-_" : "+/", 2);

    len = 0;

    for (i = 0; i < n; i += 3) {
        left = (n - i < 3) ? (unsigned) (n - i) : 3;

        group = (uint32_t) bytes[i] << 16;
        group |= (left > 1) ? (uint32_t) bytes[i + 1] << 8 : 0;
        group |= (left > 2) ? bytes[i + 2] : 0;

        for (count = 0; count < 4; count++) {

            if (count <= left) {
                out[len++] = (uint8_t) digits[group >> (18 - 6 * count) & 63];

            } else if (base64->padded) {
                out[len++] = '=';
            }
        }
    }

    return len;
}


/* the value of the next character; sets "url" for one of that alphabet */

static unsigned
base64_next(modelguard_base64_t *base64)
{
    unsigned  c;

    if (base64->p == base64->end) {
        return BASE64_END;
    }

    c = *base64->p++;

    return base64_digit(base64, c == '\\' ? base64_escape(base64) : c);
}


static unsigned
base64_digit(modelguard_base64_t *base64, unsigned c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }

    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }

    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }

    switch (c) {

    case '+':
        return 62;

    case '/':
        return 63;

    case '-':
    case '_':
        base64->url = 1;
        return c == '-' ? 62 : 63;

    case '=':
        return BASE64_PAD;

    default:
        return BASE64_BAD;
    }
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
