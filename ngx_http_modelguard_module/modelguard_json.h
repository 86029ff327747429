
/*
 * Copyright (C) the modelguard authors
 *
 * A resumable JSON tokenizer: fed pieces of any size, it yields tokens that
 * point into them, copies nothing and allocates nothing.  RFC 8259 to the
 * letter, UTF-8 checked (RFC 3629), plus the bare NaN, Infinity and
 * -Infinity that TensorFlow Serving emits.  Decided where RFC 8259 leaves
 * room: no byte order mark; escaped lone surrogates are accepted, as they
 * are ASCII on the wire; numbers may be of any size.
 *
 *                 +-------------- , ---------------+
 *                 v                                |
 *     VALUE -> (scalar) --------------------> COMMA_OR_END -> ] or } (pop)
 *       |-> [ -> VALUE_OR_END                      ^
 *       +-> { -> KEY_OR_END -> COLON -> VALUE -----+
 *
 * At the root, COMMA_OR_END is DONE: only white space may follow.
 */


#ifndef MODELGUARD_JSON_H_INCLUDED
#define MODELGUARD_JSON_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_simd.h"


#define MODELGUARD_JSON_DEPTH_MAX    512

/* json->state: what is expected next */

#define MODELGUARD_JSON_VALUE         0
#define MODELGUARD_JSON_VALUE_OR_END  1
#define MODELGUARD_JSON_KEY_NEXT      2
#define MODELGUARD_JSON_KEY_OR_END    3
#define MODELGUARD_JSON_COLON         4
#define MODELGUARD_JSON_AFTER_VALUE   5    /* a comma or an end */
#define MODELGUARD_JSON_DONE          6


typedef enum {
    MODELGUARD_JSON_NONE = 0,
    MODELGUARD_JSON_OBJECT,          /* { */
    MODELGUARD_JSON_OBJECT_END,
    MODELGUARD_JSON_ARRAY,           /* [ */
    MODELGUARD_JSON_ARRAY_END,
    MODELGUARD_JSON_KEY,             /* quotes included */
    MODELGUARD_JSON_STRING,          /* quotes included */
    MODELGUARD_JSON_NUMBER,          /* NaN and the infinities, too */
    MODELGUARD_JSON_LITERAL          /* true, false, null */
} modelguard_json_type_e;


typedef struct {

    /* the token that modelguard_json_next() returned */

    modelguard_json_type_e   type;
    const uint8_t           *start;       /* NULL: in an earlier piece */
    const uint8_t           *stop;        /* past its last byte */
    const uint8_t           *comma;       /* the comma before it; NULL: none
                                             or in an earlier piece */
    unsigned                 after_comma:1;
    unsigned                 escaped:1;   /* a string with a \ in it */

    /* after MODELGUARD_AGAIN: the type of a token that is cut in two, with
       its start (NULL as above), or MODELGUARD_JSON_NONE */

    modelguard_json_type_e   partial;

    unsigned                 depth;       /* containers that are open */

    /* private */

    const uint8_t           *p;
    const uint8_t           *end;
    unsigned                 limit;
    unsigned                 state;
    unsigned                 sub;         /* within a token */
    unsigned                 need;        /* UTF-8 bytes still to come */
    uint8_t                  low;         /* bounds of the next of them */
    uint8_t                  high;
    const char              *literal;
    int                      error;
    const modelguard_simd_t *simd;
    uint64_t                 stack[MODELGUARD_JSON_DEPTH_MAX / 64 + 1];
} modelguard_json_t;


/* depth: containers that may be open, 1 .. MODELGUARD_JSON_DEPTH_MAX */

void modelguard_json_init(modelguard_json_t *json, unsigned depth);

/* makes ready for another document */

void modelguard_json_reset(modelguard_json_t *json);

/* gives the next piece, which must stay while its tokens are looked at */

void modelguard_json_feed(modelguard_json_t *json, const uint8_t *bytes,
    size_t len);

/*
 * MODELGUARD_OK with a token; MODELGUARD_AGAIN when the piece is used up;
 * MODELGUARD_MALFORMED or MODELGUARD_TOO_DEEP, for ever after, with the type
 * of the token that breaks off in json->partial and json->p at the byte that
 * is wrong.
 */

int modelguard_json_next(modelguard_json_t *json);

/*
 * Checks, without looking at tokens, all up to and including the end of the
 * container at "depth" + 1: returns MODELGUARD_OK when json->depth has come
 * back to "depth", with that last token.
 */

int modelguard_json_skip(modelguard_json_t *json, unsigned depth);

/*
 * The end of input: MODELGUARD_OK after exactly one document, else
 * MODELGUARD_TRUNCATED.  A number at the root ends with the input only: feed
 * a white space before, and take its token.
 */

int modelguard_json_finish(const modelguard_json_t *json);

/* 1 if the innermost open container is an object */

static inline int
modelguard_json_in_object(const modelguard_json_t *json)
{
    return (int) (json->stack[json->depth / 64] >> (json->depth % 64) & 1);
}


/* notes what the innermost container is, once it is open; private */

static inline void
modelguard_json_set_object(modelguard_json_t *json, int object)
{
    uint64_t  bit, *word;

    bit = (uint64_t) 1 << (json->depth % 64);
    word = &json->stack[json->depth / 64];

    *word = object ? *word | bit : *word & ~bit;
}


/*
 * Unescapes the inside of a string token (quotes not included) to UTF-8; an
 * escaped lone surrogate becomes its three bytes.  Returns the length, or
 * size + 1 when "out" of "size" bytes is too small.
 */

size_t modelguard_json_unescape(const uint8_t *text, size_t len, uint8_t *out,
    size_t size);


#endif /* MODELGUARD_JSON_H_INCLUDED */
