
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_json.h"


static uint32_t modelguard_json_hex4(const uint8_t *p);


size_t
modelguard_json_unescape(const uint8_t *text, size_t len, uint8_t *out,
    size_t size)
{
    size_t          n;
    uint32_t        c, low;
    const uint8_t  *p, *end;

    static const uint8_t  named[] = "\"\"\\\\//b\bf\fn\nr\rt\t";

    n = 0;
    end = text + len;

    for (p = text; p < end; /* void */ ) {

        if (*p != '\\') {

            if (n == size) {
                return size + 1;
            }

            out[n++] = *p++;
            continue;
        }

        if (p[1] != 'u') {

            if (n == size) {
                return size + 1;
            }

            for (c = 0; named[c] != p[1]; c += 2) { /* void */ }

            out[n++] = named[c + 1];
            p += 2;
            continue;
        }

        c = modelguard_json_hex4(p + 2);
        p += 6;

        if ((c & 0xfc00) == 0xd800 && end - p >= 6 && p[0] == '\\'
            && p[1] == 'u')
        {
            low = modelguard_json_hex4(p + 2);

            if ((low & 0xfc00) == 0xdc00) {
                c = 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff);
                p += 6;
            }
        }

        if (size - n < 4 && size - n < 1U + (c > 0x7f) + (c > 0x7ff)
                                       + (c > 0xffff))
        {
            return size + 1;
        }

        if (c < 0x80) {
            out[n++] = (uint8_t) c;
            continue;
        }

        if (c < 0x800) {
            out[n++] = (uint8_t) (0xc0 | c >> 6);

        } else {

            if (c < 0x10000) {
                out[n++] = (uint8_t) (0xe0 | c >> 12);

            } else {
                out[n++] = (uint8_t) (0xf0 | c >> 18);
                out[n++] = (uint8_t) (0x80 | (c >> 12 & 0x3f));
            }

            out[n++] = (uint8_t) (0x80 | (c >> 6 & 0x3f));
        }

        out[n++] = (uint8_t) (0x80 | (c & 0x3f));
    }

    return n;
}


static uint32_t
modelguard_json_hex4(const uint8_t *p)
{
    uint32_t  i, c, value;

    value = 0;

    for (i = 0; i < 4; i++) {
        c = p[i];
        value = value << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }

    return value;
}
