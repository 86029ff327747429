
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_hash.h"


#define MODELGUARD_HASH_COMPRESS  2
#define MODELGUARD_HASH_FINALIZE  4


#define modelguard_hash_rotate(word, bits)                                    \
    (((word) << (bits)) | ((word) >> (64 - (bits))))


static inline uint64_t modelguard_hash_word(const uint8_t *data);
static inline uint64_t modelguard_hash_tail(const uint8_t *data, size_t len);
static inline void modelguard_hash_rounds(uint64_t *v, unsigned n);
static inline void modelguard_hash_absorb(uint64_t *v, uint64_t word);
static void modelguard_hash_mark(modelguard_id_t *id);


void
modelguard_hash(modelguard_id_t *id, const uint8_t *secret,
    const uint8_t *data, size_t len)
{
    size_t    left;
    uint64_t  low, high, v[4];

    low = modelguard_hash_word(secret);
    high = modelguard_hash_word(secret + 8);

    /* "somepseudorandomlygeneratedbytes"; 0xee says 128 bits of output */

    v[0] = low ^ 0x736f6d6570736575ULL;
    v[1] = high ^ 0x646f72616e646f6dULL ^ 0xee;
    v[2] = low ^ 0x6c7967656e657261ULL;
    v[3] = high ^ 0x7465646279746573ULL;

    for (left = len; left >= 8; left -= 8) {
        modelguard_hash_absorb(v, modelguard_hash_word(data));
        data += 8;
    }

    modelguard_hash_absorb(v, modelguard_hash_tail(data, left)
                              | (uint64_t) (len & 0xff) << 56);

    v[2] ^= 0xee;
    modelguard_hash_rounds(v, MODELGUARD_HASH_FINALIZE);
    id->low = v[0] ^ v[1] ^ v[2] ^ v[3];

    v[1] ^= 0xdd;
    modelguard_hash_rounds(v, MODELGUARD_HASH_FINALIZE);
    id->high = v[0] ^ v[1] ^ v[2] ^ v[3];

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


static inline uint64_t
modelguard_hash_tail(const uint8_t *data, size_t len)
{
    uint64_t  word;

    word = 0;

    while (len) {
        len--;
        word = word << 8 | data[len];
    }

    return word;
}


static inline void
modelguard_hash_rounds(uint64_t *v, unsigned n)
{
    while (n) {
        v[0] += v[1];
        v[1] = modelguard_hash_rotate(v[1], 13) ^ v[0];
        v[0] = modelguard_hash_rotate(v[0], 32);

        v[2] += v[3];
        v[3] = modelguard_hash_rotate(v[3], 16) ^ v[2];

        v[0] += v[3];
        v[3] = modelguard_hash_rotate(v[3], 21) ^ v[0];

        v[2] += v[1];
        v[1] = modelguard_hash_rotate(v[1], 17) ^ v[2];
        v[2] = modelguard_hash_rotate(v[2], 32);

        n--;
    }
}


static inline void
modelguard_hash_absorb(uint64_t *v, uint64_t word)
{
    v[3] ^= word;
    modelguard_hash_rounds(v, MODELGUARD_HASH_COMPRESS);
    v[0] ^= word;
}


static void
modelguard_hash_mark(modelguard_id_t *id)
{
    /* 0:0 is a free slot in a table, so no client may have it */

    if (id->low == 0 && id->high == 0) {
        id->low = 1;
    }
}
