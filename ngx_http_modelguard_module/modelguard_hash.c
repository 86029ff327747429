
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_hash.h"


#define modelguard_hash_rotate(word, bits)                                    \
    (((word) << (bits)) | ((word) >> (64 - (bits))))

/* on four variables, for those of an array would not stay in registers */

#define modelguard_hash_round()                                               \
    (v0 += v1, v1 = modelguard_hash_rotate(v1, 13) ^ v0,                      \
     v0 = modelguard_hash_rotate(v0, 32),                                     \
     v2 += v3, v3 = modelguard_hash_rotate(v3, 16) ^ v2,                      \
     v0 += v3, v3 = modelguard_hash_rotate(v3, 21) ^ v0,                      \
     v2 += v1, v1 = modelguard_hash_rotate(v1, 17) ^ v2,                      \
     v2 = modelguard_hash_rotate(v2, 32))

#define modelguard_hash_absorb(word)                                          \
    (v3 ^= (word), modelguard_hash_round(), modelguard_hash_round(),          \
     v0 ^= (word))

#define modelguard_hash_finish()                                              \
    (modelguard_hash_round(), modelguard_hash_round(),                        \
     modelguard_hash_round(), modelguard_hash_round())


static inline uint64_t modelguard_hash_word(const uint8_t *data);
static inline uint64_t modelguard_hash_tail(const uint8_t *data, size_t len,
    size_t left);
static inline void modelguard_hash_mark(modelguard_id_t *id);


void
modelguard_hash(modelguard_id_t *id, const uint8_t *secret,
    const uint8_t *data, size_t len)
{
    size_t    left;
    uint64_t  low, high, word, v0, v1, v2, v3;

    low = modelguard_hash_word(secret);
    high = modelguard_hash_word(secret + 8);

    /* "somepseudorandomlygeneratedbytes"; 0xee says 128 bits of output */

    v0 = low ^ 0x736f6d6570736575ULL;
    v1 = high ^ 0x646f72616e646f6dULL ^ 0xee;
    v2 = low ^ 0x6c7967656e657261ULL;
    v3 = high ^ 0x7465646279746573ULL;

    for (left = len; left >= 8; left -= 8) {
        word = modelguard_hash_word(data);
        modelguard_hash_absorb(word);
        data += 8;
    }

    word = modelguard_hash_tail(data, len, left) | (uint64_t) len << 56;
    modelguard_hash_absorb(word);

    v2 ^= 0xee;
    modelguard_hash_finish();
    id->low = v0 ^ v1 ^ v2 ^ v3;

    v1 ^= 0xdd;
    modelguard_hash_finish();
    id->high = v0 ^ v1 ^ v2 ^ v3;

    modelguard_hash_mark(id);
}


static inline uint64_t
modelguard_hash_word(const uint8_t *data)
{
    return (uint64_t) data[0]
           | (uint64_t) data[1] << 8
           | (uint64_t) data[2] << 16
           | (uint64_t) data[3] << 24
           | (uint64_t) data[4] << 32
           | (uint64_t) data[5] << 40
           | (uint64_t) data[6] << 48
           | (uint64_t) data[7] << 56;
}


/* the last "left" (0 .. 7) of "len" bytes, at "data" */

static inline uint64_t
modelguard_hash_tail(const uint8_t *data, size_t len, size_t left)
{
    uint64_t  word;

    if (left == 0) {
        return 0;
    }

    /* the word that ends with them, and what is not theirs shifted out */

    if (len >= 8) {
        return modelguard_hash_word(data + left - 8) >> (64 - 8 * left);
    }

    for (word = 0; left; left--) {
        word = word << 8 | data[left - 1];
    }

    return word;
}


static inline void
modelguard_hash_mark(modelguard_id_t *id)
{
    /* 0:0 is a free slot in a table, so no client may have it */

    if (id->low == 0 && id->high == 0) {
        id->low = 1;
    }
}
