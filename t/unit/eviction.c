
/*
 * Copyright (C) the modelguard authors
 *
 * modelguard_table when it is full: who is evicted, what a flood of fresh
 * keys can do, and what a writer that is killed at any moment leaves.
 */


#include <signal.h>
#include <sys/wait.h>

#include "table.h"
#include "modelguard_table_find.h"


/* every slot of one page with two buckets may hold every client */

static void
test_eviction(void)
{
    table_t   *table;
    uint64_t   n;
    unsigned   failed;
    budget_t   budget = { 100, 50, 60000, 0, 0 };
    verdict_t  verdict;

    table = build(8, 1);
    failed = 0;
    modelguard_table_register(table, 7, &budget);

    for (n = 0; n < 16; n++) {
        verdict = charge(table, n, &budget, (n == 9) ? 5 : 20 + n, 500000 + n);
        failed += verdict.verdict != MODELGUARD_PASSED
                  || walk(table) != (long) n + 1
                  || stat_of(table).evicted != 0;
    }

    ok(failed == 0 && walk(table) == 16, "free slots first");

    charge(table, 100, &budget, 30, 500100);
    ok(stat_of(table).evicted == 1 && walk(table) == 16
       && charge(table, 9, &budget, 0, 500100).remaining == 150
       && charge(table, 0, &budget, 0, 500100).remaining == 130,
       "then the smallest share");

    /* client 0 becomes idle, though it was the second smallest */

    for (n = 1; n < 16; n++) {
        if (n != 9) {
            charge(table, n, &budget, 1, 576000 - n * 1000);
        }
    }

    charge(table, 100, &budget, 1, 576500);
    charge(table, 15, &budget, 0, 620020);
    charge(table, 101, &budget, 40, 620020);

    ok(stat_of(table).evicted == 1 && stat_of(table).expired == 1
       && walk(table) == 16
       && charge(table, 15, &budget, 0, 620020).remaining == 149
       && charge(table, 1, &budget, 0, 620020).remaining == 149,
       "an idle one before all, and it counts as expired");

    charge(table, 102, &budget, 10, 620020);
    ok(charge(table, 15, &budget, 0, 620020).remaining == 150
       && charge(table, 14, &budget, 0, 620020).remaining == 149
       && stat_of(table).evicted == 2, "of equal shares the oldest charge");

    charge(table, 103, &budget, 10, 620020);
    ok(charge(table, 14, &budget, 0, 620020).remaining == 150
       && charge(table, 1, &budget, 0, 620020).remaining == 149
       && stat_of(table).evicted == 3, "a look is no charge");

    free(table);
}


/* shares are those of the largest limit that any client has */

static void
test_peak(void)
{
    table_t   *table;
    uint64_t   n;
    budget_t   budget = { 10, 0, 60000, 0, 0 };
    budget_t   large = { 1000, 0, 60000, 0, 0 };

    table = build(8, 1);
    modelguard_table_register(table, 7, &budget);

    for (n = 0; n < 16; n++) {
        charge(table, n, &large, (n == 9) ? 20 : 500, 500000 + 1000 * n);
    }

    charge(table, 100, &large, 30, 516000);
    ok(stat_of(table).evicted == 1
       && charge(table, 9, &large, 0, 516000).remaining == 1000
       && charge(table, 0, &large, 0, 516000).remaining == 500,
       "a share of the largest limit");

    free(table);
}


static void
test_exhausted(void)
{
    table_t   *table;
    client_t   id;
    uint64_t   n;
    unsigned   failed;
    budget_t   budget = { 100, 50, 60000, 0, 0 };
    budget_t   other = { 10, 0, 1000, 0, 0 };
    charge_t   charges[2];
    verdict_t  verdict;

    memset(charges, 0, sizeof(charges));
    table = build(8, 1);
    failed = 0;
    modelguard_table_register(table, 7, &budget);
    modelguard_table_register(table, 8, &other);

    for (n = 0; n < 16; n++) {
        charge(table, n, &budget, (n == 3) ? 99 : 100 + n, 1000);
    }

    charge(table, 100, &budget, 101, 1000);
    ok(stat_of(table).evicted == 1
       && charge(table, 3, &budget, 0, 1000).remaining == 150,
       "limit - 1 is evicted");

    id = client(101);
    charges[0].name = 7;
    charges[0].budget = &budget;
    charges[0].cost = 1;
    ok(modelguard_table_would_pass(table, &id, charges, 1, 1000)
       == MODELGUARD_EXHAUSTED && stat_of(table).exhausted == 0
       && modelguard_table_would_pass(table, &id, charges, 1, 62000)
          == MODELGUARD_PASSED && stat_of(table).evicted == 1
       && walk(table) == 16,
       "would_pass() tells, and evicts nobody");

    verdict = charge(table, 101, &budget, 1, 1000);
    ok(verdict.verdict == MODELGUARD_EXHAUSTED && stat_of(table).exhausted == 1
       && verdict.remaining == 150 && verdict.reset == 0 && verdict.wait == 0
       && verdict.which == 0, "limit and limit + 1 are not: exhausted");

    for (n = 0; n < 16; n++) {
        failed += n != 3 && charge(table, n, &budget, 0, 1000).remaining
                            != 50 - n;
    }

    ok(failed == 0 && stat_of(table).evicted == 1 && walk(table) == 16,
       "and nobody was evicted");

    ok(charge(table, 102, &budget, 151, 1000).verdict == MODELGUARD_LIMITED
       && charge(table, 102, &budget, 0, 1000).verdict == MODELGUARD_PASSED,
       "a stranger that costs too much is limited, one that looks passes");

    verdict = charge(table, 103, &budget, 1, 61000);
    ok(verdict.verdict == MODELGUARD_EXHAUSTED
       && charge(table, 103, &budget, 1, 61999).verdict
          == MODELGUARD_EXHAUSTED, "still at the bucket's end");

    verdict = charge(table, 103, &budget, 1, 62000);
    ok(verdict.verdict == MODELGUARD_PASSED && stat_of(table).evicted == 2
       && charge(table, 0, &budget, 0, 62000).remaining == 150,
       "as soon as it is below the limit, to the second, the least goes");

    free(table);

    /* the second budget alone makes a record unevictable */

    table = build(8, 1);
    modelguard_table_register(table, 7, &budget);
    modelguard_table_register(table, 8, &other);

    charges[0].name = 7;
    charges[0].budget = &budget;
    charges[0].cost = 1;
    charges[1].name = 8;
    charges[1].budget = &other;
    charges[1].cost = 10;

    id = client(0);
    ask(table, &id, charges, 2, 1000);

    for (n = 1; n < 500; n++) {
        charge(table, n, &budget, 50, 1001);
    }

    ok(charge(table, 0, &budget, 0, 1001).remaining == 149,
       "one exhausted budget of two is enough to stay");

    for (n = 500; n < 1000; n++) {
        charge(table, n, &budget, 50, 3001);
    }

    ok(charge(table, 0, &budget, 0, 3001).remaining == 150,
       "until it is no longer exhausted");

    free(table);
}


static void
test_flood(void)
{
    table_t  *table;
    uint64_t  n, now, limit, refused;
    unsigned  failed;
    budget_t  budget = { 0, 0, 86400000, 0, 0 };

    for (limit = 1; limit <= 10; limit += 9) {
        table = build(1, 64);
        failed = 0;
        now = 1000;
        budget.limit = limit;
        modelguard_table_register(table, 7, &budget);

        /* a thousand that are spent, a thousand more as full as they get */

        for (n = 0; n < 1000; n++) {
            failed += charge(table, n, &budget, limit, now).verdict;
        }

        for (n = 1000; n < 1001000; n++) {
            charge(table, n, &budget, 1, now);
            now += (n % 10 == 0);

            if (n % 50000 == 0) {
                failed += charge(table, n / 50000, &budget, 1, now).verdict
                          != MODELGUARD_LIMITED;
            }
        }

        for (n = 0; n < 1000; n++) {
            failed += charge(table, n, &budget, 1, now).verdict
                      != MODELGUARD_LIMITED;
        }

        refused = stat_of(table).exhausted;

        ok(failed == 0 && walk(table) > 3000 && slots(table) == 4096
           && (limit == 1 ? refused > 990000 && stat_of(table).evicted == 0
                          : refused == 0 && stat_of(table).evicted > 990000),
           "limit %u: 1000 spent records outlive a million fresh keys, %u "
           "evicted, %u refused", (unsigned) limit,
           (unsigned) stat_of(table).evicted, (unsigned) refused);

        free(table);
    }
}


/* a record is in its first bucket, found soonest, while that is half empty */

static void
test_first(void)
{
    table_t                   *table;
    unsigned                   n, way, failed;
    budget_t                   budget = { 1000, 0, 86400000, 0, 0 };
    client_t                   id;
    modelguard_table_bucket_t  bucket;

    table = build(1, 64);
    modelguard_table_register(table, 7, &budget);
    failed = 0;

    for (n = 0; n < slots(table) / 16; n++) {
        (void) charge(table, n, &budget, 1, 1000);

        id = client(n);
        modelguard_table_choose(table, table->cells, &id,
                                modelguard_table_shard(table, &id), &bucket);

        for (way = 0; way < WAYS; way++) {
            if (memcmp(&bucket.ids[way], &id, sizeof(client_t)) == 0) {
                break;
            }
        }

        failed += (way == WAYS);
    }

    ok(failed == 0 && n > 100, "%u records are in their first bucket", n);

    free(table);
}


static void
test_load(void)
{
    table_t         *table;
    uint64_t         n, room, before;
    unsigned         i, failed;
    budget_t         budget = { 1000, 0, 86400000, 0, 0 };
    static unsigned  load[] = { 50, 70, 80, 90, 95, 100, 200 };

    table = build(1, 1024);
    room = slots(table);
    modelguard_table_register(table, 7, &budget);
    n = 0;
    failed = 0;
    before = 0;

    for (i = 0; i < sizeof(load) / sizeof(load[0]); i++) {

        for (/* void */ ; n < room * load[i] / 100; n++) {

            if (n == room * load[i] / 100 - room / 100) {
                before = stat_of(table).evicted;
            }

            failed += charge(table, n, &budget, 1, 1000).verdict;
        }

        printf("# %u%% of the slots: %.3f%% of all inserts evicted, %.3f%% "
               "of the last ones, %.2f%% full\n", load[i],
               100.0 * (double) stat_of(table).evicted / (double) n,
               100.0 * (double) (stat_of(table).evicted - before)
               / (double) (room / 100),
               100.0 * (double) stat_of(table).records / (double) room);

        failed += load[i] <= 70 && stat_of(table).evicted != 0;
        failed += stat_of(table).records + stat_of(table).evicted != n;
    }

    ok(failed == 0, "no eviction up to 70%% of the slots");
    ok(walk(table) == (long) stat_of(table).records && room == 65536,
       "no id twice in a saturated table, records counted right");

    free(table);
}


/* what an interrupted insert may leave in a free slot is not inherited */

static void
test_leftover(void)
{
    size_t     k;
    table_t   *table;
    client_t   id;
    charge_t   one;
    record_t   record;
    uint64_t   n;
    unsigned   failed;
    budget_t   budget = { 100, 0, 60000, 0, 0 };
    verdict_t  verdict;

    table = build(4, 3);
    failed = 0;
    modelguard_table_register(table, 7, &budget);

    for (k = 0; k < slots(table); k++) {
        record = slot(table, k);
        memset(record.body, 0xff, modelguard_table_room(table));
    }

    for (n = 0; n < 10; n++) {
        failed += charge(table, n, &budget, 1, 5000).remaining != 99;
    }

    modelguard_table_register(table, 8, &budget);

    memset(&one, 0, sizeof(one));
    one.name = 8;
    one.budget = &budget;
    one.cost = 1;

    for (n = 0; n < 10; n++) {
        id = client(n);
        verdict = ask(table, &id, &one, 1, 5000);
        failed += verdict.remaining != 99;
    }

    ok(failed == 0 && walk(table) == 10,
       "new records are clean, whatever was in the slot");

    free(table);
}


static void
test_words(void)
{
    table_t   *table;
    client_t   a = { 5, 0 }, b = { 0, 5 };
    unsigned   i;
    charge_t   one;
    budget_t   budget = { 100, 0, 60000, 0, 0 };
    verdict_t  verdict;

    table = build(8, 1);
    modelguard_table_register(table, 7, &budget);
    memset(&one, 0, sizeof(one));
    one.name = 7;
    one.budget = &budget;
    one.cost = 10;

    for (i = 0; i < 3; i++) {
        verdict = ask(table, &a, &one, 1, 1000);
        verdict = ask(table, &b, &one, 1, 1000);
    }

    ok(verdict.remaining == 70 && walk(table) == 2,
       "ids that differ in one word, and have a word of zeros");

    for (i = 0; i < 100; i++) {
        charge(table, i, &budget, 9, 1000);
    }

    one.cost = 0;
    verdict = ask(table, &b, &one, 1, 1000);
    ok(verdict.remaining == 70, "are not free slots");

    free(table);
}


/* records whose first cell cannot be what charges of 1 or 2 units leave */

static unsigned
unsound(const table_t *table, uint64_t limit)
{
    size_t         k;
    unsigned       n;
    record_t       record;
    const cell_t  *cell;

    n = 0;

    for (k = 0; k < slots(table); k++) {
        record = slot(table, k);
        cell = record.body->cells;

        if (record.id->low || record.id->high) {
            n += cell->cur < 1 || cell->cur > limit || cell->prev > limit
                 || modelguard_cell_start(cell) < 1000;
        }
    }

    return n;
}


/*
 * A writer killed at any moment leaves no id twice, no cell over its budget,
 * no wrong check or count, and its lock to the next one.
 */

static void
test_killed(void)
{
    int       status;
    pid_t     pid;
    size_t    size;
    table_t  *table;
    uint64_t  n, recovered;
    unsigned  kills, failed;
    budget_t  budget = { 3, 0, 60000, 0, 0 };

    size = bytes(1);
    table = mmap(NULL, size, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    failed = 0;
    recovered = 0;

    for (kills = 0; kills < 60; kills++) {

        if (kills % 20 == 0) {
            modelguard_table_init(table, size, 2, uid, 0);
            modelguard_table_register(table, 7, &budget);
        }

        fflush(stdout);
        pid = fork();

        if (pid == 0) {
            alarm(10);

            for (n = 0; /* void */ ; n++) {
                modelguard_table_lock(table, 0);
                charge(table, n, &budget, 1 + n % 2, 1000 + 100 * n);
                modelguard_table_unlock(table, 0);
            }
        }

        usleep((useconds_t) (300 + 37 * kills));
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);

        n = stat_of(table).recovered;
        failed += modelguard_table_lock(table, 0) != MODELGUARD_OK;
        recovered += stat_of(table).recovered - n;

        failed += walk(table) < 0;
        failed += unsound(table, 3);
        failed += modelguard_table_check(table, size, size) != MODELGUARD_OK;

        modelguard_table_unlock(table, 0);
    }

    ok(failed == 0 && stat_of(table).passed > 1000 && recovered > 5,
       "a writer killed %u times, %u times while it held the lock", kills,
       (unsigned) recovered);

    munmap(table, size);
}


int
main(void)
{
    test_eviction();
    test_peak();
    test_exhausted();
    test_flood();
    test_first();
    test_load();
    test_leftover();
    test_words();
    test_killed();

    return tap_done();
}
