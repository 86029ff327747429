
/*
 * Copyright (C) the modelguard authors
 *
 * modelguard_hash: SipHash-2-4 with 128 bits of output.
 */


#include "tap.h"
#include "modelguard_hash.h"


/* the code once more, for the static function that no input can reach */

#define modelguard_hash  again_modelguard_hash
#include "modelguard_hash.c"
#undef modelguard_hash


typedef struct {
    size_t       len;
    const char  *digest;
} vector_t;


/* the published vectors: key 00..0f, input 00..len-1 */

static vector_t  vectors[] = {
    { 0, "a3817f04ba25a8e66df67214c7550293" },
    { 1, "da87c1d86b99af44347659119b22fc45" },
    { 2, "8177228da4a45dc7fca38bdef60affe4" },
    { 3, "9c70b60c5267a94e5f33b6b02985ed51" },
    { 4, "f88164c12d9c8faf7d0f6e7c7bcd5579" },
    { 5, "1368875980776f8854527a07690e9627" },
    { 63, "5150d1772f50834a503e069a973fbd7c" }
};


static void
hex(char *text, const modelguard_id_t *id)
{
    unsigned  i;
    uint64_t  word;

    for (i = 0; i < 16; i++) {
        word = (i < 8) ? id->low : id->high;
        sprintf(text + 2 * i, "%02x",
                (unsigned) (word >> 8 * (i % 8) & 0xff));
    }
}


/* the slow way: one state struct, the padded message as bytes */

static uint64_t
turn(uint64_t word, int bits)
{
    while (bits--) {
        word = (word << 1) | (word >> 63);
    }

    return word;
}


static void
naive_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = turn(v[1], 13);
    v[3] = turn(v[3], 16);
    v[1] ^= v[0];
    v[3] ^= v[2];
    v[0] = turn(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = turn(v[1], 17);
    v[3] = turn(v[3], 21);
    v[1] ^= v[2];
    v[3] ^= v[0];
    v[2] = turn(v[2], 32);
}


static void
naive(modelguard_id_t *id, const uint8_t *secret, const uint8_t *data,
    size_t len)
{
    size_t    i, words;
    uint8_t   padded[4200];
    uint64_t  word, v[4];

    memset(padded, 0, sizeof(padded));
    memcpy(padded, data, len);

    words = len / 8 + 1;
    padded[words * 8 - 1] = (uint8_t) len;

    memcpy(&v[0], "uespemos", 8);
    memcpy(&v[1], "modnarod", 8);
    memcpy(&v[2], "arenegyl", 8);
    memcpy(&v[3], "setybdet", 8);

    for (i = 0; i < 4; i++) {
        word = 0;
        memcpy(&word, secret + 8 * (i % 2), 8);
        v[i] ^= word;
    }

    v[1] ^= 0xee;

    for (i = 0; i < words; i++) {
        memcpy(&word, padded + 8 * i, 8);

        v[3] ^= word;
        naive_round(v);
        naive_round(v);
        v[0] ^= word;
    }

    for (i = 0, v[2] ^= 0xee; i < 4; i++) {
        naive_round(v);
    }

    id->low = v[0] ^ v[1] ^ v[2] ^ v[3];

    for (i = 0, v[1] ^= 0xdd; i < 4; i++) {
        naive_round(v);
    }

    id->high = v[0] ^ v[1] ^ v[2] ^ v[3];
}


static int
same(const modelguard_id_t *a, const modelguard_id_t *b)
{
    return a->low == b->low && a->high == b->high;
}


static void
test_vectors(const uint8_t *secret, const uint8_t *data)
{
    char             text[33];
    size_t           i;
    modelguard_id_t  id;

    for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        modelguard_hash(&id, secret, data, vectors[i].len);
        hex(text, &id);

        ok(strcmp(text, vectors[i].digest) == 0,
           "published vector of %zu bytes: %s", vectors[i].len, text);
    }

    modelguard_hash(&id, secret, NULL, 0);
    hex(text, &id);

    ok(strcmp(text, vectors[0].digest) == 0, "no data at NULL");
}


static void
test_lengths(const uint8_t *secret, const uint8_t *data)
{
    size_t           len, shift, failed, count;
    uint8_t         *guarded, *key, moved[4200];
    modelguard_id_t  a, b;

    count = 0;
    failed = 0;
    key = guard_copy(secret, 16);

    for (len = 0; len <= 4096; len += (len < 300) ? 1 : 37) {
        naive(&a, secret, data, len);

        guarded = guard_copy(data, len);
        modelguard_hash(&b, key, guarded, len);
        guard_free(guarded, len);

        failed += !same(&a, &b);
        count++;

        for (shift = 1; shift < 8; shift++) {
            memcpy(moved + shift, data, len);
            modelguard_hash(&b, secret, moved + shift, len);

            failed += !same(&a, &b);
            count++;
        }
    }

    guard_free(key, 16);

    ok(failed == 0, "the naive hash at a guard page and unaligned, %zu times",
       count);
}


static void
test_sensitivity(void)
{
    size_t           i, len, failed, count;
    uint8_t          secret[16], data[64];
    modelguard_id_t  a, b;

    count = 0;
    failed = 0;
    memset(data, 0x5a, sizeof(data));
    memset(secret, 0xa5, sizeof(secret));

    for (len = 0; len <= sizeof(data); len++) {
        modelguard_hash(&a, secret, data, len);

        for (i = 0; i < 8 * len; i++) {
            data[i / 8] ^= (uint8_t) (1 << i % 8);
            modelguard_hash(&b, secret, data, len);
            data[i / 8] ^= (uint8_t) (1 << i % 8);

            failed += a.low == b.low || a.high == b.high;
            count++;
        }

        for (i = 0; i < 128; i++) {
            secret[i / 8] ^= (uint8_t) (1 << i % 8);
            modelguard_hash(&b, secret, data, len);
            secret[i / 8] ^= (uint8_t) (1 << i % 8);

            failed += a.low == b.low || a.high == b.high;
            count++;
        }
    }

    ok(failed == 0, "every bit of data and secret counts, %zu times", count);
}


static void
test_mark(const uint8_t *secret, const uint8_t *data)
{
    modelguard_id_t  id, again;

    id.low = 0;
    id.high = 0;
    modelguard_hash_mark(&id);
    ok(id.low == 1 && id.high == 0, "0:0 becomes 1:0");

    id.low = 0;
    id.high = 1;
    modelguard_hash_mark(&id);
    ok(id.low == 0 && id.high == 1, "0:1 stays");

    id.low = 2;
    id.high = 0;
    modelguard_hash_mark(&id);
    ok(id.low == 2 && id.high == 0, "2:0 stays");

    modelguard_hash(&id, secret, data, 20);
    again_modelguard_hash(&again, secret, data, 20);
    ok(same(&id, &again), "the second copy is the same code");
}


int
main(void)
{
    size_t   i;
    uint8_t  secret[16], data[4200];

    for (i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t) (i < 256 ? i : i * 131 >> 3);
    }

    memcpy(secret, data, 16);

    test_vectors(secret, data);
    test_lengths(secret, data);
    test_sensitivity();
    test_mark(secret, data);

    return tap_done();
}
