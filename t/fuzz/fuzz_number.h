
/*
 * Copyright (C) the modelguard authors
 *
 * Any bytes as the text of a JSON number.
 */


#ifndef FUZZ_NUMBER_H_INCLUDED
#define FUZZ_NUMBER_H_INCLUDED


#include "fuzz.h"


/*
 * Takes bytes up to and including the first that is over 127.  What cannot
 * stand where it does is left out.  The text is of the heap, and ends with a
 * zero.
 */

static inline char *
fuzz_number_text(fuzz_in_t *in)
{
    int      state;                  /* 0 sign, 1 first digit, 2 whole, 3 point,
                                        4 fraction, 5 e, 6 its sign, 7 rest */
    char     ch, *text, *out;
    uint8_t  byte;
    size_t   len;

    static const char  alphabet[] = "0123456789.-e0459+E.";
    static const char *const  names[] = { "NaN", "Infinity", "-Infinity" };

    text = malloc((size_t) (in->end - in->p) + 16);
    out = text;
    state = 0;

    for (byte = fuzz_byte(in); byte && byte < 128; byte = fuzz_byte(in)) {

        ch = memchr(alphabet, byte, 13) ? (char) byte : alphabet[byte % 20];

        if (ch >= '0' && ch <= '9') {

            if (state == 2 && out[-1] == '0'
                && (out - text == 1 || out[-2] == '-'))
            {
                out--;
            }

            state = (state < 2) ? 2 : (state == 3) ? 4
                    : (state == 5 || state == 6) ? 7 : state;

        } else if (ch == '-' && state == 0) {
            state = 1;

        } else if (ch == '.' && state == 2) {
            state = 3;

        } else if ((ch == 'e' || ch == 'E') && (state == 2 || state == 4)) {
            state = 5;

        } else if ((ch == '-' || ch == '+') && state == 5) {
            state = 6;

        } else {
            continue;
        }

        *out++ = ch;
    }

    if (state == 0 || state == 1 || state == 3 || state == 5 || state == 6) {
        *out++ = '7';
    }

    *out = '\0';

    if (byte >= 250) {
        strcpy(text, names[byte % 3]);
    }

    /* of exactly its size, for the sanitizer, with the zero */

    len = strlen(text) + 1;
    out = (char *) fuzz_copy(text, len);
    free(text);

    return out;
}


#endif /* FUZZ_NUMBER_H_INCLUDED */
