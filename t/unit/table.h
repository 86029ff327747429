
/*
 * Copyright (C) the modelguard authors
 *
 * What the tests of modelguard_table share.
 */


#ifndef TABLE_H_INCLUDED
#define TABLE_H_INCLUDED


#include "tap.h"
#include "modelguard_table_inside.h"


#define WAYS     MODELGUARD_TABLE_WAYS
#define BUDGETS  MODELGUARD_TABLE_BUDGETS
#define PAGE     MODELGUARD_TABLE_PAGE
#define NEVER    MODELGUARD_BUDGET_NEVER


typedef modelguard_table_t         table_t;
typedef modelguard_budget_t        budget_t;
typedef modelguard_cell_t          cell_t;
typedef modelguard_charge_t        charge_t;
typedef modelguard_settle_t        settle_t;
typedef modelguard_id_t            client_t;
typedef modelguard_table_body_t    body_t;
typedef modelguard_table_record_t  record_t;
typedef modelguard_table_stat_t    stat_t;
typedef modelguard_table_report_t  report_t;


/* a verdict, and what it says of the charge it speaks of */

typedef struct {
    modelguard_table_verdict_e  verdict;
    unsigned                    which;
    uint64_t                    wait;
    uint64_t                    remaining;
    uint64_t                    reset;
} verdict_t;


static const uint64_t  uid[2] = { 0x1122334455667788ULL, 0x99aabbccddeeff };
static uint64_t        seed = 0x9e3779b97f4a7c15ULL;


static inline uint64_t
any(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return seed * 0x2545f4914f6cdd1dULL;
}


static inline uint64_t
below(uint64_t n)
{
    return any() % n;
}


/* as the header says it, not as the code does it */

static inline size_t
bucket_bytes(unsigned cells)
{
    return WAYS * (16 + 24 + cells * 24);
}


static inline size_t
pack(unsigned cells)
{
    return PAGE / bucket_bytes(cells);
}


/* the bytes of a table of so many pages in all */

static inline size_t
bytes(size_t pages)
{
    size_t    shards, size;

    for (shards = 1; shards < 64 && pages / (shards * 2) >= 16; shards *= 2) {
        /* void */
    }

    size = sizeof(table_t) + sizeof(modelguard_table_overflow_t)
           + shards * sizeof(modelguard_table_shard_t);

    return (size + PAGE - 1) / PAGE * PAGE + pages * PAGE;
}


static inline table_t *
build(unsigned budgets, size_t pages)
{
    size_t    size;
    table_t  *table;

    size = bytes(pages);
    table = aligned_alloc(PAGE, size);

    if (table == NULL
        || modelguard_table_init(table, size, budgets, uid, 5)
           != MODELGUARD_OK)
    {
        printf("Bail out! no table\n");
        exit(2);
    }

    return table;
}


static inline client_t
client(uint64_t n)
{
    client_t        id;
    static uint8_t  secret[MODELGUARD_HASH_SECRET] = "a secret";

    modelguard_hash(&id, secret, (uint8_t *) &n, sizeof(n));

    return id;
}


/* what goes out is spoilt first */

static inline void
spoil(charge_t *charges, unsigned n)
{
    unsigned  i;

    for (i = 0; i < n; i++) {
        charges[i].refused = (unsigned) any() & 1;
        charges[i].remaining = any();
        charges[i].reset = any();
        charges[i].wait = any();
    }
}


static inline verdict_t
ask(table_t *table, const client_t *id, charge_t *charges, unsigned n,
    uint64_t now)
{
    verdict_t             told;
    modelguard_verdict_t  verdict;

    memset(&verdict, 0xff, sizeof(verdict));
    spoil(charges, n);

    modelguard_table_charge(table, id, charges, n, now, &verdict);

    told.verdict = verdict.verdict;
    told.which = verdict.which;
    told.wait = verdict.wait;
    told.remaining = 0;
    told.reset = 0;

    if (verdict.which < n && n <= BUDGETS) {
        told.remaining = charges[verdict.which].remaining;
        told.reset = charges[verdict.which].reset;
    }

    return told;
}


/* one client, one budget */

static inline verdict_t
charge(table_t *table, uint64_t n, const budget_t *budget, uint64_t cost,
    uint64_t now)
{
    client_t  id;
    charge_t  one;

    id = client(n);

    memset(&one, 0, sizeof(one));
    one.name = 7;
    one.budget = budget;
    one.cost = cost;

    return ask(table, &id, &one, 1, now);
}


static inline stat_t
stat_of(const table_t *table)
{
    stat_t  stat;

    memset(&stat, 0xff, sizeof(stat));
    modelguard_table_stat(table, &stat);

    return stat;
}


static inline int
order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(client_t));
}


/* the n-th slot of a table, whosever shard it is in */

static inline record_t
slot(const table_t *table, size_t n)
{
    size_t    page, place, way;
    uint8_t  *base;
    record_t  record;

    way = n % WAYS;
    place = n / WAYS % pack(table->cells);
    page = n / WAYS / pack(table->cells);

    base = (uint8_t *) (uintptr_t) table
           + bytes(table->shards * table->pages)
           - (size_t) table->shards * table->pages * PAGE
           + page * PAGE + place * bucket_bytes(table->cells);

    record.id = (client_t *) (void *) base + way;
    record.body = (body_t *) (void *)
                      (base + WAYS * sizeof(client_t)
                       + way * (24 + 24 * table->cells));
    record.number = n;

    return record;
}


static inline size_t
slots(const table_t *table)
{
    return (size_t) table->shards * table->pages * pack(table->cells) * WAYS;
}


/*
 * The records found by walking; -1 if an id is there twice, -2 if one has a
 * wrong check, -3 if a shard counts them wrong
 */

static inline long
walk(const table_t *table)
{
    long       n, i, twice, torn;
    size_t     k;
    record_t   record;
    client_t  *ids;

    n = 0;
    twice = 0;
    torn = 0;
    ids = malloc(slots(table) * sizeof(client_t));

    for (k = 0; k < slots(table); k++) {
        record = slot(table, k);

        if (record.id->low || record.id->high) {
            ids[n++] = *record.id;
            torn += record.body->check
                    != modelguard_table_check_record(table, record.id,
                                                     record.body);
        }
    }

    qsort(ids, (size_t) n, sizeof(client_t), order);

    for (i = 1; i < n; i++) {
        twice += order(&ids[i - 1], &ids[i]) == 0;
    }

    free(ids);

    return twice ? -1 : torn ? -2
           : (uint64_t) n != stat_of(table).records ? -3 : n;
}


#endif /* TABLE_H_INCLUDED */
