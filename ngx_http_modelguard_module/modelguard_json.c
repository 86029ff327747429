
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_json.h"
#include "modelguard_scan.h"


/* what is expected next */

#define JSON_VALUE         MODELGUARD_JSON_VALUE
#define JSON_VALUE_OR_END  MODELGUARD_JSON_VALUE_OR_END
#define JSON_KEY           MODELGUARD_JSON_KEY_NEXT
#define JSON_KEY_OR_END    MODELGUARD_JSON_KEY_OR_END
#define JSON_COLON         MODELGUARD_JSON_COLON
#define JSON_COMMA_OR_END  MODELGUARD_JSON_AFTER_VALUE
#define JSON_DONE          MODELGUARD_JSON_DONE

/* where a number was cut */

#define NUMBER_MINUS       0
#define NUMBER_ZERO        1
#define NUMBER_INT         2
#define NUMBER_DOT         3
#define NUMBER_FRACTION    4
#define NUMBER_E           5
#define NUMBER_SIGN        6
#define NUMBER_EXPONENT    7
#define NUMBER_WORD        8     /* NaN, Infinity */

/* where a string was cut */

#define STRING_PLAIN       0
#define STRING_UTF8        1
#define STRING_ESCAPE      2
#define STRING_HEX         3     /* 3 .. 6: four, three, two, one to come */


static int modelguard_json_begin(modelguard_json_t *json, uint8_t c);
static int modelguard_json_token(modelguard_json_t *json);
static int modelguard_json_number(modelguard_json_t *json);
static int modelguard_json_string(modelguard_json_t *json);
static int modelguard_json_utf8(modelguard_json_t *json, const uint8_t **pos);
static int modelguard_json_escape(modelguard_json_t *json,
    const uint8_t **pos);
static int modelguard_json_word(modelguard_json_t *json);
static int modelguard_json_push(modelguard_json_t *json, unsigned object);
static int modelguard_json_pop(modelguard_json_t *json, unsigned object);
static int modelguard_json_fail(modelguard_json_t *json, int error);


void
modelguard_json_init(modelguard_json_t *json, unsigned depth)
{
    memset(json, 0, sizeof(modelguard_json_t));

    json->limit = depth;
    json->state = JSON_VALUE;
    json->simd = modelguard_simd_best();
}


void
modelguard_json_reset(modelguard_json_t *json)
{
    unsigned                  limit;
    const modelguard_simd_t  *simd;

    limit = json->limit;
    simd = json->simd;

    memset(json, 0, offsetof(modelguard_json_t, stack));

    json->limit = limit;
    json->simd = simd;
}


void
modelguard_json_feed(modelguard_json_t *json, const uint8_t *bytes, size_t len)
{
    json->p = bytes;
    json->end = bytes + len;
    json->start = NULL;
    json->comma = NULL;
}


int
modelguard_json_next(modelguard_json_t *json)
{
    int      rc;
    uint8_t  c;

    if (json->error) {
        return json->error;
    }

    if (json->partial) {
        return modelguard_json_token(json);
    }

    if (json->type) {
        json->type = MODELGUARD_JSON_NONE;
        json->comma = NULL;
        json->after_comma = 0;
    }

    for ( ;; ) {

        if (json->p < json->end && *json->p <= 0x20) {
            json->p = modelguard_scan_space(json->p, json->end);
        }

        if (json->p == json->end) {
            json->start = NULL;
            return MODELGUARD_AGAIN;
        }

        c = *json->p;

        if (json->state == JSON_COMMA_OR_END) {

            if (c == ',') {
                json->comma = json->p++;
                json->after_comma = 1;
                json->state = modelguard_json_in_object(json) ? JSON_KEY
                                                              : JSON_VALUE;
                continue;
            }

        } else if (json->state == JSON_COLON) {

            if (c != ':') {
                return modelguard_json_fail(json, MODELGUARD_MALFORMED);
            }

            json->p++;
            json->state = JSON_VALUE;
            continue;
        }

        rc = modelguard_json_begin(json, c);

        return rc;
    }
}


/* a token begins at json->p with the byte c */

static int
modelguard_json_begin(modelguard_json_t *json, uint8_t c)
{
    json->start = json->p;

    if (json->state >= JSON_COMMA_OR_END || c == ']' || c == '}') {

        if (c == ']'
            && (json->state == JSON_COMMA_OR_END
                || json->state == JSON_VALUE_OR_END))
        {
            return modelguard_json_pop(json, 0);
        }

        if (c == '}'
            && (json->state == JSON_COMMA_OR_END
                || json->state == JSON_KEY_OR_END))
        {
            return modelguard_json_pop(json, 1);
        }

        return modelguard_json_fail(json, MODELGUARD_MALFORMED);
    }

    if (json->state == JSON_KEY || json->state == JSON_KEY_OR_END) {

        if (c != '"') {
            return modelguard_json_fail(json, MODELGUARD_MALFORMED);
        }

        json->partial = MODELGUARD_JSON_KEY;

    } else if ((uint8_t) (c - '0') < 10) {
        json->partial = MODELGUARD_JSON_NUMBER;
        json->sub = (c == '0') ? NUMBER_ZERO : NUMBER_INT;

    } else {

        switch (c) {

        case '"':
            json->partial = MODELGUARD_JSON_STRING;
            break;

        case '-':
            json->partial = MODELGUARD_JSON_NUMBER;
            json->sub = NUMBER_MINUS;
            break;

        case '[':
            return modelguard_json_push(json, 0);

        case '{':
            return modelguard_json_push(json, 1);

        case 't':
            json->partial = MODELGUARD_JSON_LITERAL;
            json->literal = "rue";
            break;

        case 'f':
            json->partial = MODELGUARD_JSON_LITERAL;
            json->literal = "alse";
            break;

        case 'n':
            json->partial = MODELGUARD_JSON_LITERAL;
            json->literal = "ull";
            break;

        case 'N':
            json->partial = MODELGUARD_JSON_NUMBER;
            json->sub = NUMBER_WORD;
            json->literal = "aN";
            break;

        case 'I':
            json->partial = MODELGUARD_JSON_NUMBER;
            json->sub = NUMBER_WORD;
            json->literal = "nfinity";
            break;

        default:
            return modelguard_json_fail(json, MODELGUARD_MALFORMED);
        }
    }

    if (c == '"') {
        json->sub = STRING_PLAIN;
        json->escaped = 0;
    }

    json->p++;

    return modelguard_json_token(json);
}


/* goes on with the token json->partial at json->p */

static int
modelguard_json_token(modelguard_json_t *json)
{
    int                     rc;
    modelguard_json_type_e  type;

    type = json->partial;

    switch (type) {

    case MODELGUARD_JSON_NUMBER:
        rc = modelguard_json_number(json);
        break;

    case MODELGUARD_JSON_LITERAL:
        rc = modelguard_json_word(json);
        break;

    default:
        rc = modelguard_json_string(json);
    }

    if (rc != MODELGUARD_OK) {
        return rc;
    }

    json->type = type;
    json->partial = MODELGUARD_JSON_NONE;
    json->stop = json->p;

    if (type == MODELGUARD_JSON_KEY) {
        json->state = JSON_COLON;

    } else {
        json->state = json->depth ? JSON_COMMA_OR_END : JSON_DONE;
    }

    return MODELGUARD_OK;
}


static int
modelguard_json_number(modelguard_json_t *json)
{
    uint8_t         c;
    const uint8_t  *p, *end;

    p = json->p;
    end = json->end;

    for ( ;; ) {

        if (json->sub == NUMBER_WORD) {
            return modelguard_json_word(json);
        }

        if (json->sub == NUMBER_INT || json->sub == NUMBER_FRACTION
            || json->sub == NUMBER_EXPONENT)
        {
            p = modelguard_scan_digits(p, end);
        }

        json->p = p;

        if (p == end) {
            return MODELGUARD_AGAIN;
        }

        c = *p;

        switch (json->sub) {

        case NUMBER_MINUS:

            if (c == 'I') {
                json->literal = "Infinity";
                json->sub = NUMBER_WORD;
                continue;
            }

            json->sub = (c == '0') ? NUMBER_ZERO : NUMBER_INT;
            break;

        case NUMBER_ZERO:
        case NUMBER_INT:

            if (c == '.') {
                json->sub = NUMBER_DOT;
                p++;
                continue;
            }

            /* fall through */

        case NUMBER_FRACTION:

            if ((c | 0x20) != 'e') {
                return MODELGUARD_OK;
            }

            json->sub = NUMBER_E;
            p++;
            continue;

        case NUMBER_DOT:
            json->sub = NUMBER_FRACTION;
            break;

        case NUMBER_E:

            json->sub = NUMBER_SIGN;

            if (c == '+' || c == '-') {
                p++;
                continue;
            }

            continue;

        case NUMBER_SIGN:
            json->sub = NUMBER_EXPONENT;
            break;

        default: /* NUMBER_EXPONENT */
            return MODELGUARD_OK;
        }

        /* the first digit of a part, where one is a must */

        if ((uint8_t) (c - '0') >= 10) {
            return modelguard_json_fail(json, MODELGUARD_MALFORMED);
        }

        p++;
    }
}


static int
modelguard_json_string(modelguard_json_t *json)
{
    int             rc;
    uint8_t         c;
    unsigned        escaped;
    const uint8_t  *p;

    p = json->p;
    escaped = json->escaped;

    for ( ;; ) {

        if (json->sub == STRING_PLAIN) {
            p = modelguard_scan_text(json->simd, p, json->end, &escaped);
            json->escaped = escaped & 1;
        }

        if (p == json->end) {
            json->p = p;
            return MODELGUARD_AGAIN;
        }

        if (json->sub == STRING_PLAIN) {

            c = *p;

            if (c == '"') {
                json->p = p + 1;
                return MODELGUARD_OK;
            }

            if (c == '\\') {
                escaped = 1;
                json->escaped = 1;
                json->sub = STRING_ESCAPE;
                p++;
                continue;
            }
        }

        if (json->sub <= STRING_UTF8) {
            rc = modelguard_json_utf8(json, &p);

        } else {
            rc = modelguard_json_escape(json, &p);
        }

        if (rc != MODELGUARD_OK) {
            json->p = p - 1;
            return modelguard_json_fail(json, rc);
        }
    }
}


/*
 * One byte of a multi-byte character: the well-formed sequences of RFC 3629
 * section 4, no overlong form, no surrogate, nothing over U+10FFFF.
 */

static int
modelguard_json_utf8(modelguard_json_t *json, const uint8_t **pos)
{
    uint8_t  c;

    c = *(*pos)++;

    if (json->sub == STRING_UTF8) {

        if (c < json->low || c > json->high) {
            return MODELGUARD_MALFORMED;
        }

        json->low = 0x80;
        json->high = 0xbf;

        if (--json->need == 0) {
            json->sub = STRING_PLAIN;
        }

        return MODELGUARD_OK;
    }

    if (c < 0xc2 || c > 0xf4) {

        /* a control character, a stray continuation, an overlong lead */

        return MODELGUARD_MALFORMED;
    }

    json->sub = STRING_UTF8;
    json->low = 0x80;
    json->high = 0xbf;

    if (c < 0xe0) {
        json->need = 1;

    } else if (c < 0xf0) {
        json->need = 2;

        if (c == 0xe0) {
            json->low = 0xa0;

        } else if (c == 0xed) {
            json->high = 0x9f;
        }

    } else {
        json->need = 3;

        if (c == 0xf0) {
            json->low = 0x90;

        } else if (c == 0xf4) {
            json->high = 0x8f;
        }
    }

    return MODELGUARD_OK;
}


static int
modelguard_json_escape(modelguard_json_t *json, const uint8_t **pos)
{
    uint8_t  c;

    c = *(*pos)++;

    if (json->sub == STRING_ESCAPE) {

        switch (c) {

        case '"':
        case '\\':
        case '/':
        case 'b':
        case 'f':
        case 'n':
        case 'r':
        case 't':
            json->sub = STRING_PLAIN;
            return MODELGUARD_OK;

        case 'u':
            json->sub = STRING_HEX;
            return MODELGUARD_OK;
        }

        return MODELGUARD_MALFORMED;
    }

    if ((uint8_t) (c - '0') >= 10 && (uint8_t) ((c | 0x20) - 'a') >= 6) {
        return MODELGUARD_MALFORMED;
    }

    json->sub = (json->sub == STRING_HEX + 3) ? STRING_PLAIN : json->sub + 1;

    return MODELGUARD_OK;
}


static int
modelguard_json_word(modelguard_json_t *json)
{
    while (*json->literal != '\0') {

        if (json->p == json->end) {
            return MODELGUARD_AGAIN;
        }

        if (*json->p != (uint8_t) *json->literal) {
            return modelguard_json_fail(json, MODELGUARD_MALFORMED);
        }

        json->p++;
        json->literal++;
    }

    return MODELGUARD_OK;
}


static int
modelguard_json_push(modelguard_json_t *json, unsigned object)
{
    uint64_t  bit;

    if (json->depth == json->limit) {
        return modelguard_json_fail(json, MODELGUARD_TOO_DEEP);
    }

    json->depth++;
    bit = (uint64_t) 1 << (json->depth % 64);

    if (object) {
        json->stack[json->depth / 64] |= bit;
        json->state = JSON_KEY_OR_END;

    } else {
        json->stack[json->depth / 64] &= ~bit;
        json->state = JSON_VALUE_OR_END;
    }

    json->stop = ++json->p;

    json->type = object ? MODELGUARD_JSON_OBJECT : MODELGUARD_JSON_ARRAY;

    return MODELGUARD_OK;
}


static int
modelguard_json_pop(modelguard_json_t *json, unsigned object)
{
    if (json->depth == 0
        || (unsigned) modelguard_json_in_object(json) != object)
    {
        return modelguard_json_fail(json, MODELGUARD_MALFORMED);
    }

    json->depth--;
    json->state = json->depth ? JSON_COMMA_OR_END : JSON_DONE;
    json->stop = ++json->p;

    json->type = object ? MODELGUARD_JSON_OBJECT_END
                        : MODELGUARD_JSON_ARRAY_END;

    return MODELGUARD_OK;
}


static int
modelguard_json_fail(modelguard_json_t *json, int error)
{
    json->error = error;

    return error;
}


int
modelguard_json_finish(const modelguard_json_t *json)
{
    if (json->error) {
        return json->error;
    }

    return (json->state == JSON_DONE) ? MODELGUARD_OK : MODELGUARD_TRUNCATED;
}
