
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_table_find.h"


/* buckets of a shard are told apart by 32 bits of an id */

#define MODELGUARD_TABLE_PAGES  ((uint64_t) 1 << 28)


static unsigned modelguard_table_cells(unsigned budgets);
static unsigned modelguard_table_geometry(size_t size, uint64_t *pages);


size_t
modelguard_table_bytes(unsigned budgets)
{
    unsigned  pack;

    pack = modelguard_table_pack(modelguard_table_cells(budgets));

    return pack ? MODELGUARD_TABLE_PAGE / (pack * MODELGUARD_TABLE_WAYS) : 0;
}


uint64_t
modelguard_table_capacity(size_t size, unsigned budgets)
{
    unsigned  shards;
    uint64_t  pages;

    shards = modelguard_table_geometry(size, &pages);

    return shards * pages
           * modelguard_table_pack(modelguard_table_cells(budgets))
           * MODELGUARD_TABLE_WAYS;
}


int
modelguard_table_init(void *mem, size_t size, unsigned budgets,
    const uint64_t uid[2], uint64_t secret)
{
    /* nothing is written where no table can be */

    if (modelguard_table_capacity(size, budgets)) {
        memset(mem, 0, size);
    }

    return modelguard_table_lay(mem, size, budgets, uid, secret);
}


int
modelguard_table_lay(void *mem, size_t size, unsigned budgets,
    const uint64_t uid[2], uint64_t secret)
{
    unsigned             i, cells, shards;
    uint64_t             pages;
    modelguard_table_t  *table;

    cells = modelguard_table_cells(budgets);

    if (cells == 0 || ((uintptr_t) mem & 63)) {
        return MODELGUARD_INVALID;
    }

    shards = modelguard_table_geometry(size, &pages);

    if (pages == 0) {
        return MODELGUARD_TOO_BIG;
    }

    table = mem;

    table->layout = MODELGUARD_TABLE_LAYOUT;
    table->cells = cells;
    table->shards = shards;
    table->pages = (uint32_t) pages;
    table->size = size;
    table->uid[0] = uid[0];
    table->uid[1] = uid[1];
    table->secret = secret;

    for (i = 0; i < shards; i++) {
        if (modelguard_lock_init(&modelguard_table_part(table, i)->lock)
            != MODELGUARD_OK)
        {
            return MODELGUARD_INVALID;
        }
    }

    table->check = modelguard_table_sum(table, 0);

    modelguard_table_barrier();

    table->magic = MODELGUARD_TABLE_MAGIC;

    return MODELGUARD_OK;
}


int
modelguard_table_check(const void *mem, size_t len, uint64_t size)
{
    unsigned            i, j, shards;
    uint64_t            pages, check, name;
    modelguard_table_t  table;

    memset(&table, 0, sizeof(modelguard_table_t));
    memcpy(&table, mem, (len < sizeof(modelguard_table_t))
                        ? len : sizeof(modelguard_table_t));

    if (table.magic != MODELGUARD_TABLE_MAGIC) {
        return MODELGUARD_TABLE_FOREIGN;
    }

    if (table.layout != MODELGUARD_TABLE_LAYOUT) {
        return MODELGUARD_TABLE_OTHER;
    }

    check = table.pending ? table.next.check : table.check;

    if (len < sizeof(modelguard_table_t)
        || table.pending > MODELGUARD_TABLE_BUDGETS
        || modelguard_table_sum(&table, table.pending) != check
        || table.size != size)
    {
        return MODELGUARD_TABLE_TORN;
    }

    /* the sum was right, so the rest is to be sure */

    shards = modelguard_table_geometry((size_t) size, &pages);

    if (modelguard_table_pack(table.cells) == 0
        || pages == 0
        || table.shards != shards
        || table.pages != pages)
    {
        return MODELGUARD_TABLE_TORN;
    }

    modelguard_table_enter(&table);

    for (i = 0; i < MODELGUARD_TABLE_BUDGETS; i++) {
        name = table.budgets[i].name;

        if (name == 0) {
            continue;
        }

        if (i >= table.cells
            || !modelguard_budget_valid(&table.budgets[i].budget))
        {
            return MODELGUARD_TABLE_TORN;
        }

        for (j = 0; j < i; j++) {
            if (table.budgets[j].name == name) {
                return MODELGUARD_TABLE_TORN;
            }
        }
    }

    return MODELGUARD_OK;
}


int
modelguard_table_register(modelguard_table_t *table, uint64_t name,
    const modelguard_budget_t *budget)
{
    unsigned  i;

    if (name == 0 || !modelguard_budget_valid(budget)) {
        return MODELGUARD_INVALID;
    }

    i = modelguard_table_index(table, name);

    if (i == table->cells) {

        for (i = 0; table->budgets[i].name; i++) {
            if (i == table->cells - 1) {
                return MODELGUARD_TOO_BIG;
            }
        }
    }

    table->next.name = name;
    table->next.budget = *budget;
    table->next.check = modelguard_table_sum(table, i + 1);

    /* from here on it is done, if need be by the next holder of the locks */

    modelguard_table_barrier();

    table->pending = i + 1;

    modelguard_table_barrier();
    modelguard_table_enter(table);

    return MODELGUARD_OK;
}


unsigned
modelguard_table_index(const modelguard_table_t *table, uint64_t name)
{
    unsigned  i;

    if (name == 0) {
        return table->cells;
    }

    for (i = 0; i < table->cells; i++) {
        if (table->budgets[i].name == name) {
            break;
        }
    }

    return i;
}


unsigned
modelguard_table_shard(const modelguard_table_t *table,
    const modelguard_id_t *id)
{
    return (unsigned) (id->low & (table->shards - 1));
}


int
modelguard_table_lock(modelguard_table_t *table, unsigned shard)
{
    return modelguard_table_take(table,
                                 modelguard_table_part(table, shard));
}


int
modelguard_table_taken(modelguard_table_t *table,
    modelguard_table_shard_t *part, int rc)
{
    if (rc == MODELGUARD_LOCK_ORPHANED) {
        modelguard_table_repair(table,
                                (unsigned)
                                (part - modelguard_table_part(table, 0)));
        modelguard_lock_repaired(&part->lock);
        rc = MODELGUARD_OK;
    }

    if (rc != MODELGUARD_OK) {
        return MODELGUARD_INVALID;
    }

    if (table->moved == MODELGUARD_TABLE_MOVED) {
        modelguard_lock_release(&part->lock);
        return MODELGUARD_TABLE_MOVED;
    }

    return MODELGUARD_OK;
}


void
modelguard_table_unlock(modelguard_table_t *table, unsigned shard)
{
    modelguard_lock_release(&modelguard_table_part(table, shard)->lock);
}


int
modelguard_table_lock_all(modelguard_table_t *table)
{
    int                        rc;
    unsigned                   i;
    modelguard_table_shard_t  *part;

    for (i = 0; i < table->shards; i++) {
        part = modelguard_table_part(table, i);
        rc = modelguard_lock_take(&part->lock);

        if (rc == MODELGUARD_LOCK_ORPHANED) {
            modelguard_table_repair(table, i);
            modelguard_lock_repaired(&part->lock);
            rc = MODELGUARD_OK;
        }

        if (rc != MODELGUARD_OK) {

            while (i) {
                modelguard_table_unlock(table, --i);
            }

            return MODELGUARD_INVALID;
        }
    }

    return MODELGUARD_OK;
}


void
modelguard_table_unlock_all(modelguard_table_t *table)
{
    unsigned  i;

    for (i = table->shards; i; i--) {
        modelguard_table_unlock(table, i - 1);
    }
}


void
modelguard_table_overflow(modelguard_id_t *id)
{
    id->low = MODELGUARD_TABLE_SPILL;
    id->high = MODELGUARD_TABLE_MAGIC;
}


void
modelguard_table_skipped(modelguard_table_t *table, unsigned shard)
{
    modelguard_table_part(table, shard)->stat.skipped++;
}


void
modelguard_table_stat(const modelguard_table_t *table,
    modelguard_table_stat_t *stat)
{
    unsigned                        i;
    const modelguard_table_stat_t  *part;

    memset(stat, 0, sizeof(modelguard_table_stat_t));

    for (i = 0; i < table->shards; i++) {
        part = &modelguard_table_part(table, i)->stat;

        stat->records += part->records;
        stat->passed += part->passed;
        stat->limited += part->limited;
        stat->banned += part->banned;
        stat->bans += part->bans;
        stat->evicted += part->evicted;
        stat->expired += part->expired;
        stat->exhausted += part->exhausted;
        stat->skipped += part->skipped;
        stat->recovered += part->recovered;
        stat->repaired += part->repaired;
    }
}


/*
 * The sum of products with odd constants, modulo 2^64: no byte can change and
 * the sum not.
 */

uint64_t
modelguard_table_sum(const modelguard_table_t *table, uint64_t pending)
{
    size_t              i;
    uint64_t            sum, word, factor;
    modelguard_table_t  copy;

    copy = *table;

    copy.pending = pending;
    modelguard_table_enter(&copy);

    copy.check = 0;
    copy.moved = 0;
    copy.pending = 0;
    memset(&copy.next, 0, sizeof(modelguard_table_next_t));

    for (i = 0; i < MODELGUARD_TABLE_BUDGETS; i++) {
        copy.budgets[i].peak = 0;
    }

    /* the magic is there last */

    copy.magic = MODELGUARD_TABLE_MAGIC;

    sum = 0;
    factor = 0x9e3779b97f4a7c15ULL;

    for (i = 0; i < sizeof(modelguard_table_t); i += sizeof(uint64_t)) {
        memcpy(&word, (uint8_t *) &copy + i, sizeof(uint64_t));

        sum += word * factor;
        factor *= 0xd1342543de82ef95ULL;
    }

    return sum;
}


void
modelguard_table_nth(const modelguard_table_t *table, unsigned shard,
    uint64_t number, modelguard_table_record_t *record)
{
    unsigned                      pack;
    uint64_t                      place;
    modelguard_table_bucket_t     bucket;
    modelguard_table_overflow_t  *spill;

    if (number == modelguard_table_records(table)) {
        spill = modelguard_table_spill(table);

        record->id = &spill->id;
        record->body = &spill->body;
        record->number = number;
        return;
    }

    pack = modelguard_table_pack(table->cells);
    place = number / MODELGUARD_TABLE_WAYS;

    modelguard_table_bucket(table, shard, place / pack,
                            (unsigned) (place % pack), &bucket);
    modelguard_table_record(table, &bucket,
                            (unsigned) (number % MODELGUARD_TABLE_WAYS),
                            record);
}


void
modelguard_table_find(modelguard_table_t *table, const modelguard_id_t *id,
    uint64_t now, modelguard_table_work_t *work)
{
    unsigned  shard;

    shard = (unsigned) (id->low & (table->shards - 1));

    work->table = table;
    work->shard = modelguard_table_part(table, shard);
    work->id = id;
    work->now = now;
    work->second = modelguard_table_second(now);
    work->fresh = 0;
    work->rank = 0;

    if (id->low == MODELGUARD_TABLE_SPILL && id->high == MODELGUARD_TABLE_MAGIC)
    {
        modelguard_table_nth(table, shard, modelguard_table_records(table),
                             &work->record);
        return;
    }

    modelguard_table_choose(table, table->cells, id, shard, work->buckets);
    modelguard_table_fetch(table->cells, work->buckets);
    modelguard_table_look(table, table->cells, id, work->buckets,
                          &work->record);
}


/* cells of a record for so many budgets; 0 for no good number */

static unsigned
modelguard_table_cells(unsigned budgets)
{
    unsigned  cells;

    if (budgets == 0 || budgets > MODELGUARD_TABLE_BUDGETS) {
        return 0;
    }

    for (cells = 1; cells < budgets; cells *= 2) { /* void */ }

    return cells;
}


/* the number of shards, and of pages in each: 0 if there is no room */

static unsigned
modelguard_table_geometry(size_t size, uint64_t *pages)
{
    size_t    first;
    unsigned  shards;

    for (shards = MODELGUARD_TABLE_SHARDS; /* void */ ; shards /= 2) {
        first = modelguard_table_first(shards);

        *pages = (size > first) ? (size - first) / MODELGUARD_TABLE_PAGE
                                  / shards
                                : 0;

        if (*pages >= MODELGUARD_TABLE_SHARD_PAGES || shards == 1) {
            break;
        }
    }

    if (*pages > MODELGUARD_TABLE_PAGES) {
        *pages = MODELGUARD_TABLE_PAGES;
    }

    return shards;
}
