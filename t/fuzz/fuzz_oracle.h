
/*
 * Copyright (C) the modelguard authors
 *
 * Whether a text is JSON, asked of jansson: with what it does not take, and
 * the tokenizer does, replaced first.
 *
 *     numbers      of any size, NaN and the infinities: null
 *     \uXXXX       lone surrogates and zeros, too: a letter
 *     a zero       outside of strings, where jansson takes it for the end:
 *                  a question mark
 */


#ifndef FUZZ_ORACLE_H_INCLUDED
#define FUZZ_ORACLE_H_INCLUDED


#include <jansson.h>

#include "fuzz.h"


/* the length of the JSON number, or name of one, at "p"; 0: there is none */

static inline size_t
oracle_number(const uint8_t *p, size_t len)
{
    size_t                    i, n;
    static const char *const  names[] = { "NaN", "Infinity", "-Infinity" };

    for (i = 0; i < 3; i++) {
        n = strlen(names[i]);

        if (len >= n && memcmp(p, names[i], n) == 0) {
            return n;
        }
    }

#define ORACLE_DIGITS()                                                       \
    for (n = i; i < len && p[i] >= '0' && p[i] <= '9'; i++) { /* void */ }

    i = (len && p[0] == '-');

    if (i < len && p[i] == '0') {
        i++;

    } else {
        ORACLE_DIGITS();

        if (n == i) {
            return 0;
        }
    }

    if (i < len && p[i] == '.') {
        i++;
        ORACLE_DIGITS();

        if (n == i) {
            return 0;
        }
    }

    if (i < len && (p[i] | 0x20) == 'e') {
        i++;
        i += (i < len && (p[i] == '-' || p[i] == '+'));
        ORACLE_DIGITS();

        if (n == i) {
            return 0;
        }
    }

    return i;
}


static inline int
oracle_is_hex(const uint8_t *p, const uint8_t *end)
{
    int  i;

    for (i = 0; i < 4; i++) {

        if (p + i >= end || p[i] == '\0'
            || strchr("0123456789abcdefABCDEF", p[i]) == NULL)
        {
            return 0;
        }
    }

    return 1;
}


/* the text as jansson takes it, of "len" bytes or less */

static inline uint8_t *
oracle_plain(const uint8_t *data, size_t len, size_t *size)
{
    int             string;
    size_t          n;
    uint8_t        *out, *to;
    const uint8_t  *p, *end;

    out = malloc(len * 6 + 1);
    to = out;
    end = data + len;
    string = 0;

    for (p = data; p < end; p++) {

        if (string) {

            if (*p == '\\' && p + 1 < end && p[1] == 'u'
                && oracle_is_hex(p + 2, end))
            {
                memcpy(to, "\\u0041", 6);
                to += 6;
                p += 5;
                continue;
            }

            if (*p == '\\' && p + 1 < end) {
                *to++ = *p++;

            } else if (*p == '"') {
                string = 0;
            }

            *to++ = *p;
            continue;
        }

        n = 0;

        if (p == data || memchr(" \t\r\n,:[", p[-1], 7) != NULL) {
            n = oracle_number(p, (size_t) (end - p));
        }

        if (n) {
            memcpy(to, "null", 4);
            to += 4;
            p += n - 1;
            continue;
        }

        string = (*p == '"');
        *to++ = *p != '\0' ? *p : '?';
    }

    *size = (size_t) (to - out);

    return out;
}


/* 1: JSON; 0: not */

static inline int
oracle_accepts(const uint8_t *data, size_t len)
{
    size_t         size;
    json_t        *json;
    uint8_t       *plain;
    json_error_t   error;

    plain = oracle_plain(data, len, &size);

    json = json_loadb((char *) plain, size, JSON_DECODE_ANY | JSON_ALLOW_NUL,
                      &error);
    free(plain);

    json_decref(json);

    return json != NULL;
}


#endif /* FUZZ_ORACLE_H_INCLUDED */
