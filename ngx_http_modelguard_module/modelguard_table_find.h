
/*
 * Copyright (C) the modelguard authors
 *
 * Where an id's record may be, and which it is: in two steps, of which the
 * first needs no lock, so that memory comes while the lock is waited for.
 */


#ifndef MODELGUARD_TABLE_FIND_H_INCLUDED
#define MODELGUARD_TABLE_FIND_H_INCLUDED


#include "modelguard_table_inside.h"


/* cells of a body that is small: its bucket has 8 cache lines, or 11 */

#define MODELGUARD_TABLE_SMALL  2


/* the two buckets of an id */

static inline void
modelguard_table_choose(const modelguard_table_t *table,
    const modelguard_id_t *id, unsigned shard,
    modelguard_table_bucket_t *buckets)
{
    size_t          size;
    unsigned        i, pack;
    uint64_t        word, page[2], place[2];
    const uint8_t  *pages;

    pack = modelguard_table_pack(table->cells);
    size = MODELGUARD_TABLE_WAYS
           * (sizeof(modelguard_id_t) + modelguard_table_room(table));

    pages = (const uint8_t *) table + modelguard_table_first(table->shards)
            + (uint64_t) shard * table->pages * MODELGUARD_TABLE_PAGE;

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

    modelguard_table_unroll
    for (i = 0; i < MODELGUARD_TABLE_CHOICES; i++) {
        buckets[i].ids = (modelguard_id_t *) (uintptr_t)
                             (pages + page[i] * MODELGUARD_TABLE_PAGE
                              + place[i] * size);
        buckets[i].number = (page[i] * pack + place[i])
                            * MODELGUARD_TABLE_WAYS;
    }
}


/* the id's record in a bucket, or MODELGUARD_TABLE_WAYS */

static inline unsigned
modelguard_table_way(const modelguard_id_t *stored, const modelguard_id_t *id)
{
    unsigned  way;
    uint64_t  low;

    low = id->low;

    modelguard_table_unroll
    for (way = 0; way < MODELGUARD_TABLE_WAYS; way++) {

        if (stored[way].low == low && stored[way].high == id->high) {
            break;
        }
    }

    return way;
}


/* what an id's buckets are, which does not change while the table is one */

static inline void
modelguard_table_aim(modelguard_table_t *table, const modelguard_id_t *id,
    uint64_t now, modelguard_table_work_t *work)
{
    unsigned          line, shard;
    modelguard_id_t  *ids;

    shard = (unsigned) (id->low & (table->shards - 1));

    work->table = table;
    work->shard = modelguard_table_part(table, shard);
    work->id = id;
    work->now = now;
    work->second = modelguard_table_second(now);
    work->fresh = 0;
    work->rank = 0;

    modelguard_table_choose(table, id, shard, work->buckets);

    modelguard_table_prefetch(work->buckets[0].ids);
    modelguard_table_prefetch(work->buckets[0].ids
                              + MODELGUARD_TABLE_WAYS / 2);
    modelguard_table_prefetch(work->buckets[1].ids);
    modelguard_table_prefetch(work->buckets[1].ids
                              + MODELGUARD_TABLE_WAYS / 2);

    /*
     * Whose body is wanted is known when the ids have come from memory, and
     * then it is another wait: all of the first bucket's come with the ids,
     * if they are small.
     */

    if (table->cells <= MODELGUARD_TABLE_SMALL) {
        ids = work->buckets[0].ids;

        modelguard_table_unroll
        for (line = MODELGUARD_TABLE_WAYS / 4; line < 8; line++) {
            modelguard_table_prefetch(ids + line * 4);
        }
    }
}


/* finds the record, the lock being held */

static inline void
modelguard_table_look(modelguard_table_work_t *work)
{
    unsigned                    way;
    modelguard_table_bucket_t  *bucket;

    if (!modelguard_table_likely(work->id->high != MODELGUARD_TABLE_MAGIC)
        && work->id->low == MODELGUARD_TABLE_SPILL)
    {
        modelguard_table_nth(work->table, 0,
                             modelguard_table_records(work->table),
                             &work->record);
        return;
    }

    bucket = &work->buckets[0];
    way = modelguard_table_way(bucket->ids, work->id);

    if (way == MODELGUARD_TABLE_WAYS) {
        bucket++;
        way = modelguard_table_way(bucket->ids, work->id);

        if (way == MODELGUARD_TABLE_WAYS) {
            work->record.id = NULL;
            return;
        }
    }

    modelguard_table_record(work->table, bucket, way, &work->record);
}


/*
 * Takes a shard's lock: MODELGUARD_OK, MODELGUARD_TABLE_MOVED or
 * MODELGUARD_INVALID, see modelguard_table_lock()
 */

static inline int
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
