
/*
 * Copyright (C) the modelguard authors
 *
 * Base64 (RFC 4648, sections 4 and 5) inside a JSON string: read group by
 * group, and written back in the same alphabet and with the same padding.
 */


#ifndef MODELGUARD_BASE64_H_INCLUDED
#define MODELGUARD_BASE64_H_INCLUDED


#include "modelguard_base.h"


typedef struct {
    const uint8_t  *p;
    const uint8_t  *end;
    size_t          bytes;           /* that the text stands for */
    size_t          chars;           /* of the text, unescaped, with padding */
    unsigned        url:1;           /* "-" and "_" for "+" and "/" */
    unsigned        padded:1;
} modelguard_base64_t;


/*
 * Looks at the whole text of a JSON string, without its quotes; escapes of
 * ASCII characters ("\/", "\u002B") count as these.  Both alphabets are
 * accepted, though not mixed, with padding or without.  MODELGUARD_INVALID:
 * anything else, a group of one character, or bits set behind the last byte.
 */

int modelguard_base64_init(modelguard_base64_t *base64, const uint8_t *text,
    size_t len);

/*
 * Reads at most "n" bytes, a multiple of 3, from where it left off: returns
 * the number, less than n at the end.
 */

size_t modelguard_base64_decode(modelguard_base64_t *base64, uint8_t *out,
    size_t n);

/*
 * Writes n bytes, a multiple of 3 but for the last, in the alphabet of
 * "base64" and padded if it was.  Returns the number of characters, at most
 * (n + 2) / 3 * 4.
 */

size_t modelguard_base64_encode(const modelguard_base64_t *base64,
    const uint8_t *bytes, size_t n, uint8_t *out);


#endif /* MODELGUARD_BASE64_H_INCLUDED */
