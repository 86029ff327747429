
/*
 * Copyright (C) the modelguard authors
 *
 * Keyed 128-bit hash: SipHash-2-4 with its 128-bit output (Aumasson and
 * Bernstein, "SipHash: a fast short-input PRF", 2012, and the reference
 * implementation's test vectors).  Client keys are stored as nothing else.
 */


#ifndef MODELGUARD_HASH_H_INCLUDED
#define MODELGUARD_HASH_H_INCLUDED


#include "modelguard_base.h"


#define MODELGUARD_HASH_SECRET  16   /* bytes */


typedef struct {
    uint64_t  low;                   /* bytes 0 to 7, little-endian */
    uint64_t  high;                  /* bytes 8 to 15 */
} modelguard_id_t;


/*
 * The id of "len" bytes under a secret of MODELGUARD_HASH_SECRET bytes.
 * Never returns the id 0:0, which marks a free slot; that one becomes 1:0.
 */

void modelguard_hash(modelguard_id_t *id, const uint8_t *secret,
    const uint8_t *data, size_t len);


#endif /* MODELGUARD_HASH_H_INCLUDED */
