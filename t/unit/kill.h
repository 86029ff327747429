
/*
 * Copyright (C) the modelguard authors
 *
 * A table in memory that processes share, for the tests that kill them.
 */


#ifndef KILL_H_INCLUDED
#define KILL_H_INCLUDED


#include <signal.h>
#include <sys/wait.h>

#include "tap.h"
#include "modelguard_table_inside.h"


#define KILL_NOW      1750000000000ULL
#define KILL_BUDGETS  3

/* everything is slower under the sanitizers */

#ifdef __SANITIZE_ADDRESS__
#define KILL_SLOW     1
#else
#define KILL_SLOW     0
#endif


typedef modelguard_table_t    table_t;
typedef modelguard_budget_t   budget_t;
typedef modelguard_charge_t   charge_t;
typedef modelguard_settle_t   settle_t;
typedef modelguard_verdict_t  verdict_t;
typedef modelguard_id_t       client_t;


static uint64_t  seed = 0x9e3779b97f4a7c15ULL;


static inline uint64_t
below(uint64_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return (seed * 0x2545f4914f6cdd1dULL >> 11) % n;
}


static inline void
bail(const char *what)
{
    printf("Bail out! %s\n", what);
    fflush(stdout);
    _exit(2);
}


/* memory that can be mapped once more elsewhere; never unmapped */

static inline void *
kill_map(int fd, size_t size)
{
    void  *mem;

    mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (mem == MAP_FAILED) {
        bail("no shared memory");
    }

    return mem;
}


static inline int
kill_memory(size_t size)
{
    int  fd;

    fd = memfd_create("modelguard", MFD_CLOEXEC);

    if (fd == -1 || ftruncate(fd, (off_t) size) != 0) {
        bail("no shared memory");
    }

    return fd;
}


/* one budget of each kind that keeps what was spent while time stands still */

static inline const budget_t *
kill_budget(unsigned i, uint64_t limit)
{
    static budget_t  budgets[KILL_BUDGETS];

    memset(&budgets[i], 0, sizeof(budget_t));

    budgets[i].limit = limit;
    budgets[i].window = (i == 0) ? 86400000 : 0;
    budgets[i].kind = (i == 0) ? MODELGUARD_BUDGET_SLIDING
                    : (i == 1) ? MODELGUARD_BUDGET_LIFETIME
                               : MODELGUARD_BUDGET_MONTH;

    return &budgets[i];
}


static inline table_t *
kill_table(void *mem, size_t size)
{
    table_t  *table;
    unsigned  i;
    uint64_t  uid[2] = { 1, 2 };

    table = mem;

    if (modelguard_table_init(table, size, KILL_BUDGETS, uid, 3)
        != MODELGUARD_OK
        || modelguard_table_lock_all(table) != MODELGUARD_OK)
    {
        bail("no table");
    }

    for (i = 0; i < KILL_BUDGETS; i++) {
        if (modelguard_table_register(table, i + 1,
                             kill_budget(i, MODELGUARD_BUDGET_LIMIT_MAX))
            != MODELGUARD_OK)
        {
            bail("no budget");
        }
    }

    modelguard_table_unlock_all(table);

    return table;
}


static inline client_t
kill_client(uint64_t n)
{
    client_t        id;
    static uint8_t  secret[MODELGUARD_HASH_SECRET] = "a secret";

    modelguard_hash(&id, secret, (uint8_t *) &n, sizeof(n));

    return id;
}


/* the second budget costs twice as much as the first, the third three times */

static inline verdict_t
kill_charge(table_t *table, const client_t *id, uint64_t cost, uint64_t limit,
    charge_t *charges)
{
    unsigned   i;
    verdict_t  verdict;

    memset(charges, 0, KILL_BUDGETS * sizeof(charge_t));
    memset(&verdict, 0xff, sizeof(verdict));

    for (i = 0; i < KILL_BUDGETS; i++) {
        charges[i].name = i + 1;
        charges[i].budget = kill_budget(i, limit * (i + 1));
        charges[i].cost = cost * (i + 1);
    }

    modelguard_table_charge(table, id, charges, KILL_BUDGETS, KILL_NOW,
                            &verdict);

    return verdict;
}


static inline int
kill_settle(table_t *table, const client_t *id, uint64_t reserved,
    uint64_t actual)
{
    unsigned  i;
    settle_t  settles[KILL_BUDGETS];

    memset(settles, 0, sizeof(settles));

    for (i = 0; i < KILL_BUDGETS; i++) {
        settles[i].name = i + 1;
        settles[i].budget = kill_budget(i, MODELGUARD_BUDGET_LIMIT_MAX
                                           / KILL_BUDGETS * (i + 1));
        settles[i].reserved = reserved * (i + 1);
        settles[i].actual = actual * (i + 1);
        settles[i].then = KILL_NOW;
    }

    return modelguard_table_settle(table, id, settles, KILL_BUDGETS,
                                   KILL_NOW);
}


/* all ids, in whatever lies between them */

static inline const client_t *
kill_pages(const table_t *table, size_t *n)
{
    size_t  first;

    first = modelguard_table_first(table->shards);
    *n = (size_t) table->shards * table->pages * MODELGUARD_TABLE_PAGE
         / sizeof(client_t);

    return (const client_t *) (const void *) ((const char *) table + first);
}


#endif /* KILL_H_INCLUDED */
