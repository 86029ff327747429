
/*
 * Copyright (C) the modelguard authors
 *
 * Processes that charge one table are killed at random, hundreds of them.
 * Each says in shared memory what it is about to do, and what is done; what
 * it was about to do when it was killed may have happened or not, as a whole.
 * All else is exact.
 */


#include "kill.h"

#include <sched.h>
#include <time.h>


#define KILL_IDS      1000
#define KILL_LIMITED  8          /* clients with a limit */
#define KILL_LIMIT    2000
#define KILL_WRITERS  4
#define KILL_KILLS    (KILL_SLOW ? 100 : 500)
#define KILL_SIZE     (700 * 1024)


/* of one writer; only it writes, and what replaces it when it is dead */

typedef struct {
    volatile int64_t   done[KILL_IDS];       /* units, acknowledged */
    volatile uint64_t  passed;               /* charges */
    volatile uint64_t  refused;
    volatile unsigned  client;               /* at work on it, plus 1 */
    volatile int64_t   delta;                /* units, about to come */
    volatile unsigned  charging;
} writer_t;


static int        memory;
static table_t   *table;
static writer_t  *writers;
static pid_t      pids[KILL_WRITERS];

/* what those who were killed at work may have left, at least and at most */

static int64_t    least[KILL_IDS], most[KILL_IDS];
static uint64_t   undecided;


static void
writer_charge(table_t *mine, writer_t *writer, unsigned n)
{
    uint64_t   cost, actual;
    unsigned   shard, limited;
    client_t   id;
    charge_t   charges[KILL_BUDGETS];
    verdict_t  verdict;

    id = kill_client(n);
    shard = modelguard_table_shard(mine, &id);
    limited = (n < KILL_LIMITED);
    cost = 1 + below(8);

    writer->delta = (int64_t) cost;
    writer->charging = 1;
    writer->client = n + 1;

    if (modelguard_table_lock(mine, shard) != MODELGUARD_OK) {
        _exit(3);
    }

    verdict = kill_charge(mine, &id, cost,
                          limited ? KILL_LIMIT
                                  : MODELGUARD_BUDGET_LIMIT_MAX / KILL_BUDGETS,
                          charges);
    modelguard_table_unlock(mine, shard);

    if (verdict.verdict == MODELGUARD_PASSED) {
        writer->done[n] += (int64_t) cost;
        writer->passed++;

    } else if (limited && verdict.verdict == MODELGUARD_LIMITED) {
        writer->refused++;

    } else {
        _exit(4);
    }

    writer->client = 0;

    if (limited || below(4)) {
        return;
    }

    actual = below(12);

    writer->charging = 0;
    writer->delta = (int64_t) actual - (int64_t) cost;
    writer->client = n + 1;

    if (modelguard_table_lock(mine, shard) != MODELGUARD_OK
        || kill_settle(mine, &id, cost, actual) != MODELGUARD_OK)
    {
        _exit(5);
    }

    modelguard_table_unlock(mine, shard);

    writer->done[n] += (int64_t) actual - (int64_t) cost;
    writer->client = 0;
}


/* at an address of its own */

static void
writer_run(unsigned w)
{
    table_t  *mine;

    seed ^= (uint64_t) getpid() * 0x9e3779b97f4a7c15ULL;

    (void) kill_map(memory, (1 + below(64)) * MODELGUARD_TABLE_PAGE);
    mine = kill_map(memory, KILL_SIZE);

    for ( ;; ) {
        writer_charge(mine, &writers[w],
                      (unsigned) below(below(2) ? KILL_IDS : 16));
    }
}


static void
start(unsigned w)
{
    fflush(stdout);

    pids[w] = fork();

    if (pids[w] == -1) {
        bail("cannot fork");
    }

    if (pids[w] == 0) {
        seed += w;
        (void) alarm(120);
        writer_run(w);
    }

    (void) below(2);
}


/* 1 if it was killed, and not gone before */

static int
end(unsigned w)
{
    int        status;
    unsigned   n;
    writer_t  *writer;

    (void) kill(pids[w], SIGKILL);

    if (waitpid(pids[w], &status, 0) != pids[w]
        || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
    {
        return 0;
    }

    writer = &writers[w];
    n = writer->client;

    if (n) {
        n--;

        if (writer->delta < 0) {
            least[n] += writer->delta;

        } else {
            most[n] += writer->delta;
        }

        undecided += writer->charging;
        writer->client = 0;
    }

    return 1;
}


static unsigned
kill_at_random(void)
{
    unsigned         i, w, killed;
    struct timespec  pause;

    killed = 0;

    for (w = 0; w < KILL_WRITERS; w++) {
        start(w);
    }

    for (i = 0; i < KILL_KILLS; i++) {
        pause.tv_sec = 0;
        pause.tv_nsec = (long) below(8000000);

        (void) nanosleep(&pause, NULL);

        w = (unsigned) below(KILL_WRITERS);
        killed += (unsigned) end(w);
        start(w);
    }

    for (w = 0; w < KILL_WRITERS; w++) {
        killed += (unsigned) end(w);
    }

    return killed;
}


static uint64_t
spent(table_t *from, const client_t *id, unsigned i)
{
    unsigned  shard;
    uint64_t  limit;
    charge_t  charges[KILL_BUDGETS];

    limit = MODELGUARD_BUDGET_LIMIT_MAX / KILL_BUDGETS;
    shard = modelguard_table_shard(from, id);

    if (modelguard_table_lock(from, shard) != MODELGUARD_OK) {
        return UINT64_MAX;
    }

    (void) kill_charge(from, id, 0, limit, charges);
    modelguard_table_unlock(from, shard);

    return limit * (i + 1) - charges[i].remaining;
}


static uint64_t
copies(const table_t *from, const client_t *id)
{
    size_t           i, n;
    uint64_t         found;
    const client_t  *pages;

    found = 0;
    pages = kill_pages(from, &n);

    for (i = 0; i < n; i++) {
        found += (pages[i].low == id->low && pages[i].high == id->high);
    }

    return found;
}


static void
check(table_t *from, const char *when)
{
    int64_t                  acked;
    unsigned                 n, w, lost, invented, torn, over, twice, absent;
    uint64_t                 units, records, copy, refused;
    client_t                 id;
    modelguard_table_stat_t  stat;

    lost = invented = torn = over = twice = absent = 0;
    records = refused = 0;

    for (n = 0; n < KILL_IDS; n++) {
        acked = 0;

        for (w = 0; w < KILL_WRITERS; w++) {
            acked += writers[w].done[n];
        }

        id = kill_client(n);
        units = spent(from, &id, 0);
        copy = copies(from, &id);

        lost += ((int64_t) units < acked + least[n]);
        invented += ((int64_t) units > acked + most[n]);
        torn += (spent(from, &id, 1) != 2 * units
                 || spent(from, &id, 2) != 3 * units);
        over += (n < KILL_LIMITED && units > KILL_LIMIT);
        twice += (copy > 1);
        absent += (copy == 0 && acked > 0);
        records += copy;
    }

    for (w = 0; w < KILL_WRITERS; w++) {
        refused += writers[w].refused;
    }

    modelguard_table_stat(from, &stat);

    ok(lost == 0, "%s: no charge is lost (%u of %u clients)", when, lost,
       KILL_IDS);
    ok(invented == 0, "%s: none is invented (%u)", when, invented);
    ok(torn == 0, "%s: all budgets of a charge or none (%u)", when, torn);
    ok(over == 0 && refused > 0, "%s: no limit is overrun (%u)", when, over);
    ok(twice == 0, "%s: no client twice (%u)", when, twice);
    ok(absent == 0, "%s: no client is missing (%u)", when, absent);
    ok(stat.records == records, "%s: %llu records, as counted (%llu)", when,
       (unsigned long long) records, (unsigned long long) stat.records);
}


/* who dies with a lock in the hand is found out, shard by shard */

static void
die_holding(void)
{
    int                      status;
    pid_t                    pid;
    unsigned                 shard, fine, all;
    modelguard_table_stat_t  before, after;

    fine = 0;

    for (shard = 0; shard <= table->shards; shard++) {
        all = (shard == table->shards);

        modelguard_table_stat(table, &before);
        fflush(stdout);

        pid = fork();

        if (pid == 0) {
            if (all) {
                (void) modelguard_table_lock_all(table);

            } else {
                (void) modelguard_table_lock(table, shard);
            }

            (void) kill(getpid(), SIGKILL);
        }

        (void) waitpid(pid, &status, 0);

        if (all) {
            fine += (modelguard_table_lock_all(table) == MODELGUARD_OK);
            modelguard_table_unlock_all(table);
            fine += (modelguard_table_lock_all(table) == MODELGUARD_OK);
            modelguard_table_unlock_all(table);

        } else {
            fine += (modelguard_table_lock(table, shard) == MODELGUARD_OK);
            modelguard_table_unlock(table, shard);
            fine += (modelguard_table_lock(table, shard) == MODELGUARD_OK);
            modelguard_table_unlock(table, shard);
        }

        modelguard_table_stat(table, &after);

        fine += (after.recovered - before.recovered
                 == (all ? table->shards : 1));
    }

    ok(fine == 3 * (table->shards + 1),
       "each of %u locks, and all, outlives its owner (%u)", table->shards,
       fine);
}


int
main(void)
{
    void                      *copy;
    unsigned                   killed, w;
    uint64_t                   passed;
    modelguard_table_stat_t    stat;
    modelguard_table_report_t  report;

    (void) alarm(120);

    memory = kill_memory(KILL_SIZE);
    table = kill_table(kill_map(memory, KILL_SIZE), KILL_SIZE);
    writers = kill_map(kill_memory(KILL_WRITERS * sizeof(writer_t)),
                       KILL_WRITERS * sizeof(writer_t));

    ok(table->shards > 1, "%u shards", table->shards);

    die_holding();

    modelguard_table_stat(table, &stat);
    passed = stat.recovered;

    killed = kill_at_random();

    ok(killed == KILL_KILLS + KILL_WRITERS,
       "%u processes were killed, and none ended before", killed);

    /* the looks of check() count as passed, too */

    modelguard_table_stat(table, &stat);
    check(table, "shared");

    ok(stat.recovered > passed, "%llu died with a lock in the hand",
       (unsigned long long) (stat.recovered - passed));
    ok(stat.repaired == 0, "no record had to be made up (%llu)",
       (unsigned long long) stat.repaired);
    ok(stat.evicted == 0, "none was evicted");

    passed = 0;

    for (w = 0; w < KILL_WRITERS; w++) {
        passed += writers[w].passed;
    }

    ok(stat.passed >= passed && stat.passed <= passed + undecided,
       "%llu charges passed, %llu undecided, %llu counted",
       (unsigned long long) passed, (unsigned long long) undecided,
       (unsigned long long) stat.passed);

    /* what a restart makes of it */

    copy = aligned_alloc(MODELGUARD_TABLE_PAGE, KILL_SIZE);
    memcpy(copy, table, KILL_SIZE);

    ok(modelguard_table_check(copy, KILL_SIZE, KILL_SIZE) == MODELGUARD_OK,
       "the header is whole");

    modelguard_table_open(copy, KILL_NOW, &report);

    ok(report.repaired == 0 && report.records == stat.records,
       "opened anew: %llu records, %llu of them repaired",
       (unsigned long long) report.records,
       (unsigned long long) report.repaired);

    check(copy, "opened anew");
    free(copy);

    return tap_done();
}
