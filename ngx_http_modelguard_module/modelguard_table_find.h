
/*
 * Copyright (C) the modelguard authors
 *
 * Where an id's record may be, and which it is: what of it needs no lock can
 * be done before, so that memory comes while the lock is waited for.
 */


#ifndef MODELGUARD_TABLE_FIND_H_INCLUDED
#define MODELGUARD_TABLE_FIND_H_INCLUDED


#include "modelguard_table_inside.h"


/* cells of a body that is small: its bucket has 8 cache lines, or 11 */

#define MODELGUARD_TABLE_SMALL  2


/* the two buckets of an id, which do not change while the table is one */

modelguard_table_inline void
modelguard_table_choose(const modelguard_table_t *table,
    const modelguard_id_t *id, unsigned shard,
    modelguard_table_bucket_t *buckets)
{
    unsigned  pack;
    uint64_t  word, page[2], place[2];

    pack = modelguard_table_pack(table->cells);

    /* 32 bits choose a page, and what is left of them a bucket in it */

    word = (id->low >> 32) * table->pages;
    page[0] = word >> 32;
    place[0] = (word & UINT32_MAX) * pack >> 32;

    word = (id->high >> 32) * table->pages;
    page[1] = word >> 32;
    place[1] = (word & UINT32_MAX) * pack >> 32;

    if (page[0] == page[1] && place[0] == place[1]) {
        place[1] = (place[1] + 1 < pack) ? place[1] + 1 : 0;
    }

    modelguard_table_bucket(table, shard, page[0], place[0], &buckets[0]);
    modelguard_table_bucket(table, shard, page[1], place[1], &buckets[1]);
}


/*
 * Whose body is wanted is known when the ids have come from memory, and then
 * it is another wait: all of the first bucket's come with the ids, if they
 * are small.
 */

modelguard_table_inline void
modelguard_table_fetch(const modelguard_table_t *table,
    const modelguard_table_bucket_t *buckets)
{
    unsigned                line;
    const modelguard_id_t  *ids;

    ids = buckets[0].ids;

    modelguard_table_prefetch(ids);
    modelguard_table_prefetch(ids + MODELGUARD_TABLE_WAYS / 2);
    modelguard_table_prefetch(buckets[1].ids);
    modelguard_table_prefetch(buckets[1].ids + MODELGUARD_TABLE_WAYS / 2);

    if (table->cells <= MODELGUARD_TABLE_SMALL) {

        modelguard_table_unroll
        for (line = MODELGUARD_TABLE_WAYS / 4; line < 8; line++) {
            modelguard_table_prefetch(ids + (size_t) line * 4);
        }
    }
}


/* the id's record in a bucket, or MODELGUARD_TABLE_WAYS */

modelguard_table_inline unsigned
modelguard_table_way(const modelguard_id_t *stored, uint64_t low,
    uint64_t high)
{
    unsigned  way;

    modelguard_table_unroll
    for (way = 0; way < MODELGUARD_TABLE_WAYS; way++) {

        if (stored[way].low == low && stored[way].high == high) {
            break;
        }
    }

    return way;
}


/* the record of an id, or one whose id is NULL */

modelguard_table_inline void
modelguard_table_look(const modelguard_table_t *table,
    const modelguard_id_t *id, const modelguard_table_bucket_t *buckets,
    modelguard_table_record_t *record)
{
    unsigned  way;
    uint64_t  low, high;

    low = id->low;
    high = id->high;

    way = modelguard_table_way(buckets[0].ids, low, high);

    if (way < MODELGUARD_TABLE_WAYS) {
        modelguard_table_record(table, &buckets[0], way, record);
        return;
    }

    way = modelguard_table_way(buckets[1].ids, low, high);

    if (way < MODELGUARD_TABLE_WAYS) {
        modelguard_table_record(table, &buckets[1], way, record);
        return;
    }

    record->id = NULL;
}


/*
 * Takes a shard's lock: MODELGUARD_OK, MODELGUARD_TABLE_MOVED or
 * MODELGUARD_INVALID, see modelguard_table_lock()
 */

modelguard_table_inline int
modelguard_table_take(modelguard_table_t *table,
    modelguard_table_shard_t *part)
{
    int  rc;

    rc = modelguard_lock_take(&part->lock);

    if (modelguard_table_likely(rc == MODELGUARD_OK
                                && table->moved != MODELGUARD_TABLE_MOVED))
    {
        return MODELGUARD_OK;
    }

    return modelguard_table_taken(table, part, rc);
}


#endif /* MODELGUARD_TABLE_FIND_H_INCLUDED */
