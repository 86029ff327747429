
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


/* one of an id's two buckets, which do not change while the table is one */

modelguard_table_inline void
modelguard_table_choice(const modelguard_table_t *table, uint32_t cells,
    uint64_t half, modelguard_table_bucket_t *bucket)
{
    uint64_t  word;

    /* 32 bits choose a page, and what is left of them a bucket in it */

    word = (half >> 32) * table->pages;

    bucket->page = word >> 32;
    bucket->place = (word & UINT32_MAX) * modelguard_table_pack(cells) >> 32;
}


modelguard_table_inline void
modelguard_table_choose(const modelguard_table_t *table, uint32_t cells,
    const modelguard_id_t *id, unsigned shard,
    modelguard_table_bucket_t *bucket)
{
    modelguard_table_choice(table, cells, id->low, bucket);
    modelguard_table_seat(table, cells, shard, bucket);
}


/* the second one, the first being known */

modelguard_table_inline void
modelguard_table_choose_other(const modelguard_table_t *table, uint32_t cells,
    const modelguard_id_t *id, unsigned shard,
    modelguard_table_bucket_t *buckets)
{
    modelguard_table_choice(table, cells, id->high, &buckets[1]);

    if (buckets[0].page == buckets[1].page
        && buckets[0].place == buckets[1].place)
    {
        buckets[1].place++;

        if (buckets[1].place == modelguard_table_pack(cells)) {
            buckets[1].place = 0;
        }
    }

    modelguard_table_seat(table, cells, shard, &buckets[1]);
}


/*
 * Whose body is wanted is known when the ids have come from memory, and then
 * it is another wait: all of the first bucket's come with the ids, if they
 * are small.  The second bucket, where few are, would be another page: finding
 * where that is takes as long as all of the first one's lines.
 */

modelguard_table_inline void
modelguard_table_fetch(uint32_t cells, const modelguard_table_bucket_t *bucket)
{
    unsigned                line;
    const modelguard_id_t  *ids;

    ids = bucket->ids;

    modelguard_table_prefetch(ids);
    modelguard_table_prefetch(ids + MODELGUARD_TABLE_WAYS / 2);

    if (cells <= MODELGUARD_TABLE_SMALL) {

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


/*
 * The record of an id, or one whose id is NULL; the first bucket is known, the
 * second one is if there is no record.
 */

modelguard_table_inline void
modelguard_table_look(const modelguard_table_t *table, uint32_t cells,
    const modelguard_id_t *id, modelguard_table_bucket_t *buckets,
    modelguard_table_record_t *record)
{
    unsigned  way, shard;
    uint64_t  low, high;

    low = id->low;
    high = id->high;

    way = modelguard_table_way(buckets[0].ids, low, high);

    if (way < MODELGUARD_TABLE_WAYS) {
        modelguard_table_record_of(cells, &buckets[0], way, record);
        return;
    }

    shard = (unsigned) (low & (table->shards - 1));

    modelguard_table_choose_other(table, cells, id, shard, buckets);

    way = modelguard_table_way(buckets[1].ids, low, high);

    if (way < MODELGUARD_TABLE_WAYS) {
        modelguard_table_record_of(cells, &buckets[1], way, record);
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
