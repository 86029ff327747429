
/*
 * Copyright (C) the modelguard authors
 *
 * What the tests of modelguard_table share.
 */


#ifndef TABLE_H_INCLUDED
#define TABLE_H_INCLUDED


#include "tap.h"
#include "modelguard_table.h"


#define WAYS     MODELGUARD_TABLE_WAYS
#define BUDGETS  MODELGUARD_TABLE_BUDGETS
#define NEVER    MODELGUARD_BUDGET_NEVER
#define HEADER   ((sizeof(table_t) + 63) / 64 * 64)


typedef modelguard_table_t    table_t;
typedef modelguard_budget_t   budget_t;
typedef modelguard_cell_t     cell_t;
typedef modelguard_charge_t   charge_t;
typedef modelguard_verdict_t  verdict_t;
typedef modelguard_id_t       client_t;


static uint64_t  seed = 0x9e3779b97f4a7c15ULL;


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


/* the bytes of a table of so many buckets */

static inline size_t
bytes(unsigned cells, size_t buckets)
{
    return HEADER + buckets * WAYS * modelguard_table_slot(cells);
}


static inline table_t *
build(unsigned budgets, size_t buckets)
{
    size_t    size;
    table_t  *table;
    unsigned  cells;

    cells = (budgets <= 2) ? 2 : (budgets <= 4) ? 4 : 8;
    size = bytes(cells, buckets);

    table = aligned_alloc(64, (size + 63) / 64 * 64);

    if (table == NULL
        || modelguard_table_init(table, size, budgets) != MODELGUARD_OK)
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


/* one client, one budget */

static inline verdict_t
charge(table_t *table, uint64_t n, const budget_t *budget, uint64_t cost,
    uint64_t now)
{
    client_t   id;
    charge_t   one;
    verdict_t  verdict;

    id = client(n);
    one.name = 7;
    one.budget = budget;
    one.cost = cost;

    memset(&verdict, 0xff, sizeof(verdict));
    modelguard_table_charge(table, &id, &one, 1, now, &verdict);

    return verdict;
}


static inline int
order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(client_t));
}


/* the records found by walking, or -1 if an id is there twice */

static inline long
walk(const table_t *table)
{
    long             n, i, twice;
    size_t           b, way;
    client_t        *ids;
    const uint8_t   *base;
    const client_t  *id;

    n = 0;
    twice = 0;
    ids = malloc(table->buckets * WAYS * sizeof(client_t));

    for (b = 0; b < table->buckets; b++) {
        base = (const uint8_t *) table + bytes(table->cells, b);
        id = (const client_t *) base;

        for (way = 0; way < WAYS; way++) {
            if (id[way].low || id[way].high) {
                ids[n++] = id[way];
            }
        }
    }

    qsort(ids, (size_t) n, sizeof(client_t), order);

    for (i = 1; i < n; i++) {
        twice += order(&ids[i - 1], &ids[i]) == 0;
    }

    free(ids);

    return twice ? -1 : n;
}


#endif /* TABLE_H_INCLUDED */
