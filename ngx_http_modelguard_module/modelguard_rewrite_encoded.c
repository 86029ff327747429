
/*
 * Copyright (C) the modelguard authors
 *
 * What is in a string: a score in front, a text with numbers in it, or
 * floats in base64.
 *
 *     number = ["-"] (digits ["." *digit] | "." digits)
 *              [("e" | "E") ["+" | "-"] digits]
 *
 * is what printf(), Python and NumPy ("1.e-05", "1.") write.
 */


#include "modelguard_rewrite_value.h"
#include "modelguard_base64.h"
#include "modelguard_float.h"


#define ENCODED_FLOAT   4
#define ENCODED_BYTES   192          /* floats and groups of base64, whole */
#define ENCODED_CHARS   (ENCODED_BYTES / 3 * 4)


/* text that is read with its escapes undone */

typedef struct {
    const uint8_t  *p;
    const uint8_t  *end;
    unsigned        escaped:1;       /* what was taken had an escape in it */
    uint8_t         before;          /* the character before p, for a search */
} encoded_t;


static int encoded_is_hidden(const uint8_t *text, size_t len);
static int encoded_is_mark(const encoded_t *encoded, size_t *n);
static uint8_t encoded_first(const uint8_t *text, size_t len);
static int encoded_string(modelguard_rewrite_t *rw, size_t off,
    const uint8_t *text, size_t len);
static int encoded_is_score(encoded_t *encoded);
static int encoded_no_score(const uint8_t *text, size_t len);
static int encoded_text(modelguard_rewrite_t *rw, size_t off, size_t len);
static const uint8_t *encoded_find(encoded_t *encoded);
static int encoded_number(encoded_t *encoded);
static int encoded_digits(encoded_t *encoded);
static uint8_t encoded_peek(const encoded_t *encoded, size_t *n);
static void encoded_take(encoded_t *encoded, size_t n);
static int encoded_is_digit(uint8_t c);
static int encoded_is_word(uint8_t c);
static int encoded_floats(modelguard_rewrite_t *rw, size_t off,
    const uint8_t *text, size_t len);


int
modelguard_rewrite_encoded(modelguard_rewrite_t *rw, size_t off,
    const uint8_t *text, size_t len)
{
    switch (rw->rule->encoding) {

    case MODELGUARD_ENCODING_STRING:
        return encoded_string(rw, off, text, len);

    case MODELGUARD_ENCODING_TEXT:
        return encoded_text(rw, off, len);

    case MODELGUARD_ENCODING_BASE64F32:
        return encoded_floats(rw, off, text, len);

    default: /* MODELGUARD_ENCODING_JSON */

        if (encoded_first(text, len) == '{' || encoded_first(text, len) == '[')
        {
            return modelguard_rewrite_document(rw, off, text, len);
        }

        if (encoded_is_hidden(text, len)) {
            return MODELGUARD_UNTREATABLE;
        }

        /* the name of a class, or a text, beside documents */

        return encoded_no_score(text + 1, len - 2);
    }
}


/*
 * A document that is a string once more, or behind a byte order mark, which
 * many decoders skip: what is in it would not be found.
 */

static int
encoded_is_hidden(const uint8_t *text, size_t len)
{
    size_t     n;
    uint8_t    c;
    encoded_t  encoded;

    encoded.p = text + 1;
    encoded.end = text + len - 1;

    for ( ;; ) {
        c = encoded_peek(&encoded, &n);

        if (c == '{' || c == '[') {
            return 1;
        }

        if (c != ' ' && c != '"' && c != '\\' && !encoded_is_mark(&encoded, &n))
        {
            return 0;
        }

        encoded.p += n;
    }
}


/* U+FEFF, with an escape or in UTF-8: sets its length */

static int
encoded_is_mark(const encoded_t *encoded, size_t *n)
{
    size_t          i;
    const uint8_t  *p;

    static const char  hex[] = "feff", utf8[] = "\xef\xbb\xbf";

    p = encoded->p;

    if (*n != 6) {
        *n = sizeof(utf8) - 1;

        return (size_t) (encoded->end - p) >= *n && memcmp(p, utf8, *n) == 0;
    }

    for (i = 0; i < 4 && (p[i + 2] | 0x20) == hex[i]; i++) { /* void */ }

    return i == 4;
}


/* the first character of a string that is no white space */

static uint8_t
encoded_first(const uint8_t *text, size_t len)
{
    size_t     n;
    encoded_t  encoded;

    encoded.p = text + 1;
    encoded.end = text + len - 1;

    while (encoded_peek(&encoded, &n) == ' ') {
        encoded.p += n;
    }

    return encoded_peek(&encoded, &n);
}


/*
 * A number up to the first colon or the end.  A string that begins with a
 * bracket is a text (KServe's dicts), and any other holds no score, or one
 * that cannot be told from what surrounds it.
 */

static int
encoded_string(modelguard_rewrite_t *rw, size_t off, const uint8_t *text,
    size_t len)
{
    uint8_t         c;
    encoded_t       encoded;
    const uint8_t  *start;

    c = encoded_first(text, len);

    if (c == '{' || c == '[' || c == '(') {
        return encoded_text(rw, off, len);
    }

    encoded.p = text + 1;
    encoded.end = text + len - 1;
    encoded.escaped = 0;

    while (encoded.p < encoded.end && *encoded.p == ' ') {
        encoded.p++;
    }

    start = encoded.p;

    if (!encoded_is_score(&encoded)) {
        return encoded_no_score(text + 1, len - 2);
    }

    if (encoded.escaped) {
        return MODELGUARD_UNTREATABLE;
    }

    return modelguard_scope_number(&rw->scopes, rw->rule,
                                   rw->walk.json.depth,
                                   off + (size_t) (start - text),
                                   (size_t) (encoded.p - start),
                                   rw->walk.json.stop);
}


/* a number, and nothing but spaces up to a colon or the end */

static int
encoded_is_score(encoded_t *encoded)
{
    size_t     n;
    uint8_t    c;
    encoded_t  rest;

    c = encoded_peek(encoded, &n);

    if (c == '-') {
        encoded_take(encoded, n);
    }

    if (!encoded_number(encoded)) {
        return 0;
    }

    /* "5.", an integer to modelguard_number.h without its point */

    rest = *encoded;

    if (rest.p < rest.end && *rest.p == '.') {
        rest.p++;
    }

    while (rest.p < rest.end && *rest.p == ' ') {
        rest.p++;
    }

    c = encoded_peek(&rest, &n);

    return n == 0 || c == ':';
}


/*
 * Fractions and exponents anywhere are refused, as in a string without an
 * encoding; so is a number with a plus, which nothing that is sent might
 * follow.  Any other is the text of a label or an answer.
 */

static int
encoded_no_score(const uint8_t *text, size_t len)
{
    size_t     n;
    encoded_t  encoded;

    encoded.p = text;
    encoded.end = text + len;
    encoded.escaped = 0;
    encoded.before = ' ';

    if (encoded_find(&encoded) != NULL) {
        return MODELGUARD_UNTREATABLE;
    }

    encoded.p = text;

    while (encoded_peek(&encoded, &n) == ' ') {
        encoded_take(&encoded, n);
    }

    if (encoded_peek(&encoded, &n) != '+') {
        return MODELGUARD_OK;
    }

    encoded_take(&encoded, n);

    return encoded_digits(&encoded) ? MODELGUARD_UNTREATABLE : MODELGUARD_OK;
}


/* all numbers with a fraction or an exponent are a vector */

static int
encoded_text(modelguard_rewrite_t *rw, size_t off, size_t len)
{
    int                 rc;
    unsigned            depth;
    encoded_t           encoded;
    const uint8_t      *text, *start;
    modelguard_json_t  *json;

    json = &rw->walk.json;
    depth = json->depth + 1;

    rc = modelguard_scope_text(&rw->scopes, rw->rule, depth, &off,
                               json->stop);
    if (rc != MODELGUARD_OK) {
        return rc;
    }

    text = modelguard_hold_join(&rw->hold, json->stop, &rc);
    if (text == NULL) {
        return rc;
    }

    /* it is joined, and stays where it is until the scope is closed */

    encoded.p = text + off + 1;
    encoded.end = text + off + len - 1;
    encoded.escaped = 0;
    encoded.before = ' ';

    for ( ;; ) {
        start = encoded_find(&encoded);
        if (start == NULL) {
            break;
        }

        if (encoded.escaped) {
            return MODELGUARD_UNTREATABLE;
        }

        rc = modelguard_scope_number(&rw->scopes, rw->rule, depth,
                                     (size_t) (start - text),
                                     (size_t) (encoded.p - start),
                                     json->stop);
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    return modelguard_scope_close(&rw->scopes, depth, json->stop);
}


/*
 * Goes to the end of the next number that has a fraction or an exponent:
 * returns its first byte, or NULL; "escaped" is of that number.  A "-" is its
 * sign unless it stands between two numbers or words; ".5" begins a number,
 * though not in "v.5".
 */

static const uint8_t *
encoded_find(encoded_t *encoded)
{
    int             minus;
    size_t          n;
    uint8_t         c;
    const uint8_t  *start, *sign;

    sign = NULL;
    minus = 0;

    for ( ;; ) {
        start = encoded->p;
        c = encoded_peek(encoded, &n);

        if (n == 0) {
            return NULL;
        }

        if (encoded_is_digit(c)
            || (c == '.' && !encoded_is_word(encoded->before)))
        {
            encoded->escaped = (minus > 1);

            if (encoded_number(encoded) > 1) {
                encoded->before = '0';
                return minus ? sign : start;
            }

            if (encoded->p > start) {
                encoded->before = '0';
                minus = 0;
                continue;
            }
        }

        minus = 0;

        if (c == '-' && !encoded_is_word(encoded->before)) {
            sign = start;
            minus = (n > 1) ? 2 : 1;
        }

        encoded->before = c;
        encoded->p += n;
    }
}


/* 0: no number, and nothing is taken; 2: with a fraction or an exponent */

static int
encoded_number(encoded_t *encoded)
{
    int        kind, whole;
    size_t     n;
    uint8_t    c;
    encoded_t  next;

    kind = 1;
    whole = encoded_digits(encoded);

    next = *encoded;
    c = encoded_peek(&next, &n);

    if (c == '.') {
        encoded_take(&next, n);

        if (encoded_digits(&next)) {
            *encoded = next;
            whole = 1;
            kind = 2;
        }
    }

    if (!whole) {
        return 0;
    }

    /* the exponent may follow a bare point */

    c = encoded_peek(&next, &n);

    if ((c | 0x20) != 'e') {
        return kind;
    }

    encoded_take(&next, n);

    c = encoded_peek(&next, &n);

    if (c == '-' || c == '+') {
        encoded_take(&next, n);
    }

    if (encoded_digits(&next)) {
        *encoded = next;
        kind = 2;
    }

    return kind;
}


static int
encoded_digits(encoded_t *encoded)
{
    int      some;
    size_t   n;
    uint8_t  c;

    for (some = 0; /* void */ ; some = 1) {
        c = encoded_peek(encoded, &n);

        if (!encoded_is_digit(c)) {
            return some;
        }

        encoded_take(encoded, n);
    }
}


/*
 * The next character and its length in the text, 0 at the end.  One that is
 * not ASCII is given as some byte above.
 */

static uint8_t
encoded_peek(const encoded_t *encoded, size_t *n)
{
    uint8_t         c;
    unsigned        i, code;
    const uint8_t  *p;

    p = encoded->p;

    if (p == encoded->end) {
        *n = 0;
        return '\0';
    }

    if (*p != '\\') {
        *n = 1;
        return *p;
    }

    if (p[1] != 'u') {
        *n = 2;

        /* \n and its kind are white space */

        return (p[1] >= 'a') ? ' ' : p[1];
    }

    *n = 6;
    code = 0;

    for (i = 2; i < 6; i++) {
        c = p[i];
        code = code << 4
               | (unsigned) (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }

    return (code < 0x80) ? (uint8_t) code : 0x80;
}


static void
encoded_take(encoded_t *encoded, size_t n)
{
    encoded->p += n;
    encoded->escaped |= (n > 1);
}


static int
encoded_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}


static int
encoded_is_word(uint8_t c)
{
    return encoded_is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
           || c == '_' || c >= 0x80;
}


static int
encoded_floats(modelguard_rewrite_t *rw, size_t off, const uint8_t *text,
    size_t len)
{
    int                            rc;
    size_t                         n, size;
    uint8_t                       *out, bytes[ENCODED_BYTES];
    modelguard_base64_t            base64;
    modelguard_decimal_t           unit;
    const modelguard_treatment_t  *treatment;

    if (modelguard_base64_init(&base64, text + 1, len - 2) != MODELGUARD_OK
        || base64.bytes % ENCODED_FLOAT)
    {
        return MODELGUARD_UNTREATABLE;
    }

    treatment = rw->rule->treatment;
    unit = treatment->unit;

    if (!treatment->step) {
        unit.unit = 1;
        unit.digits = treatment->digits;
    }

    out = modelguard_hold_text(&rw->hold, base64.chars + 2, &rc);
    if (out == NULL) {
        return rc;
    }

    size = 0;
    out[size++] = '"';

    do {
        n = modelguard_base64_decode(&base64, bytes, ENCODED_BYTES);

        modelguard_float_round_all(bytes, n / ENCODED_FLOAT, &unit);
        rw->hold.stat.treated += n / ENCODED_FLOAT;

        size += modelguard_base64_encode(&base64, bytes, n, out + size);

    } while (n == ENCODED_BYTES);

    out[size++] = '"';

    return modelguard_hold_replace(&rw->hold, off, rw->walk.json.stop, size,
                                   rw->scopes.holders != 0);
}
