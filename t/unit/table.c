
/*
 * Copyright (C) the modelguard authors
 *
 * modelguard_table: bounds, verdicts, and any requests against a dumb model.
 * What happens when a table is full is tested in eviction.c, what follows a
 * charge in settle.c, and what is left of a dead process in repair.c.
 */


#include "table.h"


static void
test_sizes(void)
{
    size_t         size, failed, i;
    uint64_t       most;
    unsigned       n;
    static size_t  expected[] = { 0, 64, 102, 170, 170, 256, 256, 256, 256, 0 };

    ok(sizeof(table_t) == 512 && sizeof(modelguard_lock_t) == 64
       && sizeof(modelguard_table_shard_t) % 64 == 0
       && sizeof(modelguard_table_overflow_t) == 256
       && sizeof(body_t) == MODELGUARD_TABLE_BODY_MAX,
       "structures are as wide as cache lines");

    failed = 0;

    for (n = 0; n < 10; n++) {
        failed += modelguard_table_bytes(n) != expected[n];
    }

    failed += modelguard_table_bytes(UINT32_MAX) != 0;

    ok(failed == 0, "bytes of clients with 0 to 9 budgets");

    failed = 0;

    for (n = 1; n <= 8; n *= 2) {
        for (i = 1; i < 5000; i += 1 + i / 7) {
            size = bytes(i);

            failed += modelguard_table_capacity(size, n)
                      < i * pack(n) * WAYS * 15 / 16;
            failed += modelguard_table_capacity(size, n)
                      > i * pack(n) * WAYS;
            failed += modelguard_table_capacity(size - 1, n)
                      > (i - 1) * pack(n) * WAYS;
        }
    }

    failed += modelguard_table_capacity(bytes(1) - 1, 1) != 0
              || modelguard_table_capacity(bytes(1), 1) != 64
              || modelguard_table_capacity(bytes(1) + PAGE - 1, 1) != 64
              || modelguard_table_capacity(bytes(2), 1) != 128
              || modelguard_table_capacity(0, 1) != 0
              || modelguard_table_capacity(1 << 20, 0) != 0
              || modelguard_table_capacity(1 << 20, 9) != 0;

    ok(failed == 0, "capacities");

    /* of 64 shards, each of at most 2^28 pages */

    most = (uint64_t) pack(1) * WAYS * 64 << 28;

#if SIZE_MAX > UINT32_MAX
    size = bytes((size_t) 64 << 28);

    failed = modelguard_table_capacity(size - 1, 1)
             != most - pack(1) * WAYS * 64
             || modelguard_table_capacity(size, 1) != most
             || modelguard_table_capacity(size + 64 * PAGE, 1) != most
             || modelguard_table_capacity(SIZE_MAX, 1) != most;
#else
    failed = modelguard_table_capacity(SIZE_MAX, 1) > most;
#endif

    ok(failed == 0,
       "no more than 2^34 pages are used");
}


/* 2, 4 .. 64 shards as soon as each has 16 pages, and never more */

static void
test_shards(void)
{
    size_t     pages, failed, i, k, n[64];
    table_t   *table;
    unsigned   shards, s;
    client_t   id;
    record_t   record, other;

    failed = 0;

    for (shards = 2; shards <= 128; shards *= 2) {
        for (pages = 16 * shards - 1; pages <= 16 * shards + 1; pages++) {
            table = build(1, pages);

            s = (pages < 16 * shards) ? shards / 2 : shards;
            s = (s > 64) ? 64 : s;

            failed += table->shards != s || table->pages != pages / s
                      || modelguard_table_check(table, sizeof(table_t),
                                                table->size)
                         != MODELGUARD_OK;
            failed += (uint8_t *) modelguard_table_part(table, s)
                      > (uint8_t *) slot(table, 0).id;
            failed += modelguard_table_capacity(table->size, 1)
                      != slots(table);
            free(table);
        }
    }

    ok(failed == 0, "shards for 31, 32, 33 pages and on to 2049");

    table = build(3, 16 * 64);
    failed = 0;
    memset(n, 0, sizeof(n));

    for (i = 0; i < 64000; i++) {
        id = client(i);
        s = modelguard_table_shard(table, &id);
        failed += s >= 64;
        n[s & 63]++;
    }

    for (i = 0; i < 64; i++) {
        failed += n[i] < 850 || n[i] > 1150;
    }

    ok(failed == 0, "clients go to all shards alike");

    failed = 0;
    k = 0;

    for (s = 0; s < 64; s++) {
        for (i = 0; i < modelguard_table_records(table); i++, k++) {
            modelguard_table_nth(table, s, i, &record);
            other = slot(table, k);
            failed += record.id != other.id || record.body != other.body;
            failed += record.number != i;

            failed += ((uint8_t *) record.id - (uint8_t *) table) / PAGE
                      != ((uint8_t *) record.body + 24 + 24 * 4 - 1
                          - (uint8_t *) table) / PAGE;
        }
    }

    ok(failed == 0 && k == slots(table), "%zu records where they should be, "
       "and none over the end of a page", k);

    free(table);
}


/* all behind the shards is out of bounds while the table is laid */

static void
test_lay(void)
{
    size_t    size, first;
    table_t  *table, *other;

    size = bytes(200);
    table = mmap(NULL, size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    other = aligned_alloc(PAGE, size);

    if (table == MAP_FAILED || other == NULL) {
        ok(0, "memory");
        return;
    }

    memset(other, 0xff, size);

    if (modelguard_table_init(other, size, 3, uid, 9) != MODELGUARD_OK) {
        ok(0, "a table");
        return;
    }

    first = modelguard_table_first(other->shards);

    ok(mprotect((char *) table + first, size - first, PROT_NONE) == 0
       && modelguard_table_lay(table, size, 3, uid, 9) == MODELGUARD_OK
       && modelguard_table_lay(table, size, 0, uid, 9) == MODELGUARD_INVALID
       && modelguard_table_lay(table, bytes(1) - 1, 3, uid, 9)
          == MODELGUARD_TOO_BIG
       && mprotect(table, size, PROT_READ | PROT_WRITE) == 0
       && memcmp(table, other, size) == 0,
       "laid in zeros, no page of clients is touched, and it is the same");

    munmap(table, size);
    free(other);
}


static void
test_init(void)
{
    size_t          size, failed, i;
    table_t        *table;
    static int      cells[] = { 0, 1, 2, 4, 4, 8, 8, 8, 8, 0, 0 };
    unsigned char  *mem;

    failed = 0;
    table = aligned_alloc(PAGE, 1 << 16);

    for (i = 0; i <= 10; i++) {
        memset(table, 0xff, 1 << 16);

        if (modelguard_table_init(table, 1 << 16, (unsigned) i, uid, 9)
            != (cells[i] ? MODELGUARD_OK : MODELGUARD_INVALID))
        {
            failed++;
            continue;
        }

        failed += cells[i]
                  && (table->cells != (uint32_t) cells[i]
                      || table->uid[0] != uid[0] || table->uid[1] != uid[1]
                      || table->secret != 9 || stat_of(table).records != 0
                      || modelguard_table_check(table, 1 << 16, 1 << 16));
    }

    ok(failed == 0, "0 to 10 budgets");

    failed = 0;

    for (i = 1; i < 64; i++) {
        failed += modelguard_table_init((char *) table + i, 1 << 15, 1, uid,
                                        0)
                  != MODELGUARD_INVALID;
    }

    failed += modelguard_table_init((char *) table + 64, 1 << 15, 1, uid, 0)
              != MODELGUARD_OK;

    ok(failed == 0, "bad alignments, and one of 64 bytes");
    free(table);

    for (i = 1; i <= 8; i *= 2) {
        size = bytes(1);

        table = aligned_alloc(PAGE, size + PAGE);
        failed = modelguard_table_init(table, size - 1, (unsigned) i, uid, 0)
                 != MODELGUARD_TOO_BIG;
        failed += modelguard_table_init(table, 0, (unsigned) i, uid, 0)
                  != MODELGUARD_TOO_BIG;
        failed += modelguard_table_init(table, size - PAGE, (unsigned) i, uid,
                                        0)
                  != MODELGUARD_TOO_BIG;

        memset(table, 0, size);
        mem = guard_copy(table, size);
        free(table);
        table = (table_t *) (void *) mem;

        failed += modelguard_table_init(table, size, (unsigned) i, uid, 0)
                  != MODELGUARD_OK;
        failed += table->pages != 1 || table->shards != 1
                  || table->size != size
                  || modelguard_table_check(table, size, size)
                     != MODELGUARD_OK;
        guard_free(mem, size);

        table = aligned_alloc(PAGE, size + PAGE);
        failed += modelguard_table_init(table, size + 1, (unsigned) i, uid, 0)
                  != MODELGUARD_OK || table->pages != 1
                  || modelguard_table_check(table, size + 1, size + 1)
                     != MODELGUARD_OK;
        free(table);

        ok(failed == 0, "%zu cells: a byte below one page, one page at "
           "a guard page, a byte more", i);
    }
}


static int
sane(const table_t *table)
{
    return modelguard_table_check(table, sizeof(table_t), table->size);
}


static void
test_check(void)
{
    int        rc;
    size_t     size;
    table_t   *table, copy, *odd;
    budget_t   budget = { 10, 0, 60000, 0, 0 };

    table = build(3, 5);
    size = table->size;
    modelguard_table_register(table, 7, &budget);
    modelguard_table_register(table, 8, &budget);
    copy = *table;

    ok(modelguard_table_check(table, size, size) == MODELGUARD_OK
       && modelguard_table_check(table, sizeof(table_t), size)
          == MODELGUARD_OK, "a good table");
    ok(modelguard_table_check(table, size, size - 1) == MODELGUARD_TABLE_TORN
       && modelguard_table_check(table, size, size + 1)
          == MODELGUARD_TABLE_TORN
       && modelguard_table_check(table, size, size + ((uint64_t) 1 << 32))
          == MODELGUARD_TABLE_TORN
       && modelguard_table_check(table, size, 0) == MODELGUARD_TABLE_TORN
       && modelguard_table_check(table, sizeof(table_t) - 1, size)
          == MODELGUARD_TABLE_TORN, "another size");
    ok(modelguard_table_check(table, 7, size) == MODELGUARD_TABLE_FOREIGN
       && modelguard_table_check(table, 0, size) == MODELGUARD_TABLE_FOREIGN
       && modelguard_table_check(table, 8, size) == MODELGUARD_TABLE_OTHER,
       "hardly anything");

    odd = malloc(sizeof(table_t) + 1);
    memcpy((char *) odd + 1, table, sizeof(table_t));
    ok(modelguard_table_check((char *) odd + 1, sizeof(table_t), size)
       == MODELGUARD_OK, "a copy of the header at an odd address");
    free(odd);

#define damaged(field, value, code)                                           \
    table->field = value;                                                     \
    ok(sane(table) == code, #field " = " #value);                             \
    table->check = modelguard_table_sum(table, 0);                            \
    ok(modelguard_table_check(table, size, size) == code,                     \
       "and with a right sum");                                               \
    *table = copy

    damaged(layout, 0, MODELGUARD_TABLE_OTHER);
    damaged(layout, 1, MODELGUARD_TABLE_OTHER);
    damaged(layout, MODELGUARD_TABLE_LAYOUT + 1, MODELGUARD_TABLE_OTHER);
    damaged(cells, 0, MODELGUARD_TABLE_TORN);
    damaged(cells, 1, MODELGUARD_TABLE_TORN);
    damaged(cells, 3, MODELGUARD_TABLE_TORN);
    damaged(cells, 16, MODELGUARD_TABLE_TORN);
    damaged(cells, UINT32_MAX, MODELGUARD_TABLE_TORN);
    damaged(shards, 0, MODELGUARD_TABLE_TORN);
    damaged(shards, 2, MODELGUARD_TABLE_TORN);
    damaged(shards, UINT32_MAX, MODELGUARD_TABLE_TORN);
    damaged(pages, 0, MODELGUARD_TABLE_TORN);
    damaged(pages, 4, MODELGUARD_TABLE_TORN);
    damaged(pages, 6, MODELGUARD_TABLE_TORN);
    damaged(pages, UINT32_MAX, MODELGUARD_TABLE_TORN);
    damaged(pending, 9, MODELGUARD_TABLE_TORN);
    damaged(pending, UINT64_MAX, MODELGUARD_TABLE_TORN);
    damaged(budgets[0].budget.limit, 0, MODELGUARD_TABLE_TORN);
    damaged(budgets[1].budget.window, 0, MODELGUARD_TABLE_TORN);
    damaged(budgets[1].budget.burst, UINT64_MAX, MODELGUARD_TABLE_TORN);
    damaged(budgets[1].budget.kind, MODELGUARD_BUDGET_KINDS,
            MODELGUARD_TABLE_TORN);
    damaged(budgets[1].name, 7, MODELGUARD_TABLE_TORN);

    table->budgets[4] = copy.budgets[0];
    damaged(budgets[4].name, 9, MODELGUARD_TABLE_TORN);

    table->magic = 0;
    rc = sane(table);
    table->magic = MODELGUARD_TABLE_MAGIC + 1;
    ok(rc == MODELGUARD_TABLE_FOREIGN
       && sane(table) == MODELGUARD_TABLE_FOREIGN, "no table at all");
    *table = copy;

    table->moved = MODELGUARD_TABLE_MOVED;
    table->budgets[0].peak = 77;
    ok(sane(table) == MODELGUARD_OK, "what may change is not in the sum");
    *table = copy;

    free(table);
}


/* no single bit may be wrong, but of what may change */

static void
test_bits(void)
{
    int        rc;
    size_t     size, failed, i;
    table_t   *table, copy;
    uint8_t   *byte;
    budget_t   budget = { 10, 0, 60000, 0, 0 };

    table = build(3, 5);
    size = table->size;
    failed = 0;
    modelguard_table_register(table, 7, &budget);
    modelguard_table_register(table, 8, &budget);
    copy = *table;

    for (i = 0; i < 8 * sizeof(table_t); i++) {
        byte = (uint8_t *) table + i / 8;
        *byte ^= (uint8_t) (1 << i % 8);

        rc = modelguard_table_check(table, size, size);

        if (i / 64 == 0) {
            failed += rc != MODELGUARD_TABLE_FOREIGN;

        } else if (i / 32 == offsetof(table_t, layout) / 4) {
            failed += rc != MODELGUARD_TABLE_OTHER;

        } else if (memcmp(&copy.budgets, &table->budgets,
                          sizeof(copy.budgets)) == 0
                   ? (i / 8 >= offsetof(table_t, moved))
                   : (table->budgets[0].peak != copy.budgets[0].peak
                      || table->budgets[1].peak != copy.budgets[1].peak
                      || table->budgets[2].peak || table->budgets[3].peak
                      || table->budgets[4].peak || table->budgets[5].peak
                      || table->budgets[6].peak || table->budgets[7].peak))
        {
            failed += rc != MODELGUARD_OK && table->pending == copy.pending;

        } else {
            failed += rc != MODELGUARD_TABLE_TORN;
        }

        *byte ^= (uint8_t) (1 << i % 8);
    }

    ok(failed == 0 && memcmp(table, &copy, sizeof(copy)) == 0,
       "any bit of a header");

    free(table);
}


static void
test_register(void)
{
    table_t   *table;
    unsigned   i, n, failed;
    budget_t   budget = { 10, 0, 60000, 0, 0 };
    budget_t   day = { 10, 0, 0, MODELGUARD_BUDGET_DAY, 3600 };
    verdict_t  verdict;

    for (n = 1; n <= 8; n *= 2) {
        table = build(n, 4);
        failed = 0;

        for (i = 1; i <= n; i++) {
            failed += modelguard_table_index(table, i) != n;
            failed += modelguard_table_register(table, i, &budget)
                      != MODELGUARD_OK;
            failed += modelguard_table_index(table, i) != i - 1;
            failed += sane(table) != MODELGUARD_OK;
        }

        failed += modelguard_table_register(table, n + 1, &budget)
                  != MODELGUARD_TOO_BIG;
        failed += modelguard_table_register(table, n, &budget)
                  != MODELGUARD_OK;
        failed += modelguard_table_index(table, 0) != n
                  || modelguard_table_index(table, n + 1) != n;
        failed += sane(table) != MODELGUARD_OK;

        ok(failed == 0, "%u budgets and no more", n);
        free(table);
    }

    table = build(2, 4);

    ok(modelguard_table_register(table, 0, &budget) == MODELGUARD_INVALID,
       "the name 0");
    budget.window = 999;
    ok(modelguard_table_register(table, 7, &budget) == MODELGUARD_INVALID,
       "a window of 999 ms");

    budget.window = 60000;
    modelguard_table_register(table, 7, &budget);
    charge(table, 1, &budget, 8, 1000);

    budget.limit = 20;
    ok(modelguard_table_register(table, 7, &budget) == MODELGUARD_OK
       && table->budgets[0].budget.limit == 20
       && table->budgets[1].name == 0, "another limit under the same name");

    verdict = charge(table, 1, &budget, 2, 2000);
    ok(verdict.remaining == 10, "and the cells go on counting");

    budget.limit = 5;
    modelguard_table_register(table, 7, &budget);
    verdict = charge(table, 1, &budget, 0, 3000);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.remaining == 0
       && verdict.wait && verdict.wait < NEVER, "a limit below what is spent");

    ok(table->budgets[0].peak == 5, "the peak is that of the new limit");
    budget.limit = 500;
    charge(table, 2, &budget, 1, 3000);
    ok(table->budgets[0].peak == 500, "until somebody has a larger one");
    budget.limit = 5;
    modelguard_table_register(table, 7, &budget);
    ok(table->budgets[0].peak == 500, "which the same limit does not end");

    ok(modelguard_table_register(table, 7, &day) == MODELGUARD_OK
       && memcmp(&table->budgets[0].budget, &day, sizeof(day)) == 0
       && sane(table) == MODELGUARD_OK
       && modelguard_table_register(table, 7, &budget) == MODELGUARD_OK
       && memcmp(&table->budgets[0].budget, &budget, sizeof(budget)) == 0
       && sane(table) == MODELGUARD_OK, "another kind, and back");

    free(table);
}


static void
test_verdicts(void)
{
    stat_t     stat;
    table_t   *table;
    client_t   id;
    unsigned   n;
    budget_t   minute = { 10, 0, 60000, 0, 0 };
    budget_t   hour = { 15, 5, 3600000, 0, 0 };
    charge_t   charges[9];
    verdict_t  verdict;

    memset(charges, 0, sizeof(charges));
    table = build(3, 4);
    id = client(1);
    modelguard_table_register(table, 7, &minute);
    modelguard_table_register(table, 8, &hour);

    verdict = charge(table, 1, &minute, 0, 1000);
    ok(verdict.verdict == MODELGUARD_PASSED && verdict.remaining == 10
       && verdict.reset == 0 && verdict.wait == 0 && walk(table) == 0,
       "a cost of 0 looks and leaves no record");

    verdict = charge(table, 1, &minute, 11, 1000);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.wait == NEVER
       && verdict.remaining == 10 && verdict.reset == 0
       && walk(table) == 0,
       "a refused stranger leaves no record");

    verdict = charge(table, 1, &minute, 10, 1000);
    ok(verdict.verdict == MODELGUARD_PASSED && verdict.remaining == 0
       && verdict.reset == 120000 && verdict.wait == 0
       && walk(table) == 1, "all at once");

    verdict = charge(table, 1, &minute, 1, 2000);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.wait == 65000
       && verdict.reset == 119000 && verdict.remaining == 0, "and no more");

    charges[0].name = 7;
    charges[0].budget = &minute;
    charges[0].cost = 5;
    charges[1].name = 8;
    charges[1].budget = &hour;
    charges[1].cost = 5;

    verdict = ask(table, &id, charges, 2, 2000);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.which == 0
       && verdict.wait == 89000, "two budgets, one of them spent");

    verdict = ask(table, &id, &charges[1], 1, 2000);
    ok(verdict.verdict == MODELGUARD_PASSED && verdict.remaining == 15,
       "and the other was not charged");

    verdict = ask(table, &id, charges, 2, 91000);
    ok(verdict.verdict == MODELGUARD_PASSED && verdict.which == 0
       && verdict.remaining == 0, "which: the smallest share remaining");

    charges[0].cost = 0;
    charges[1].cost = 11;
    verdict = ask(table, &id, charges, 2, 91000);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.which == 1
       && verdict.remaining == 10, "which: the longest wait");

    charges[1].cost = UINT64_MAX;
    verdict = ask(table, &id, charges, 2, 91000);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.which == 1
       && verdict.wait == NEVER, "a cost of 2^64 - 1");

    charges[1].cost = 0;
    charges[1].name = 9;
    verdict = ask(table, &id, charges, 2, 999000);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.which == 1
       && verdict.wait == NEVER && verdict.remaining == 0
       && verdict.reset == 0, "a budget that is not registered");

    charges[1].name = 0;
    verdict = ask(table, &id, charges, 2, 999000);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.wait == NEVER,
       "nor is the name 0, ever");

    id = client(2);

    for (n = 0; n < 9; n++) {
        charges[n].name = 7;
        charges[n].budget = &minute;
        charges[n].cost = 2;
    }

    verdict = ask(table, &id, charges, 6, 1000);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.which == 5
       && verdict.remaining == 10, "a budget charged six times over");
    verdict = ask(table, &id, charges, 5, 1000);
    ok(verdict.verdict == MODELGUARD_PASSED && verdict.remaining == 0,
       "five times is all");

    verdict = ask(table, &id, charges, 0, 1000);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.wait == NEVER,
       "no budget is no free pass");
    verdict = ask(table, &id, charges, 9, 1000);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.wait == NEVER,
       "nor are nine");

    ok(modelguard_table_would_pass(table, &id, charges, 0, 1000)
       == MODELGUARD_LIMITED
       && modelguard_table_would_pass(table, &id, charges, 9, 1000)
          == MODELGUARD_LIMITED, "nor would they be");

    stat = stat_of(table);
    ok(stat.passed == 5 && stat.limited == 10 && stat.exhausted == 0
       && stat.evicted == 0 && stat.expired == 0 && stat.banned == 0
       && stat.bans == 0 && walk(table) == 2, "statistics");

    free(table);
}


/* the model: all clients in an array, each with a cell for every budget */

#define CLIENTS  16

typedef struct {
    cell_t  cells[CLIENTS][BUDGETS];
} model_t;


static uint64_t
model_charge(model_t *model, unsigned n, const charge_t *charges,
    unsigned count, uint64_t now, unsigned *which, int *passed)
{
    cell_t   *cell;
    unsigned  i, j;
    uint64_t  wait, longest, sum;

    longest = 0;
    *which = 0;

    for (i = 0; i < count; i++) {
        cell = &model->cells[n][charges[i].name - 100];
        modelguard_budget_roll(charges[i].budget, cell, now);

        sum = 0;

        for (j = 0; j <= i; j++) {
            sum += (charges[j].name == charges[i].name) ? charges[j].cost : 0;
        }

        wait = modelguard_budget_wait(charges[i].budget, cell, sum, now);

        if (wait > longest) {
            longest = wait;
            *which = i;
        }
    }

    *passed = (longest == 0);

    for (i = 0; i < count && longest == 0; i++) {
        cell = &model->cells[n][charges[i].name - 100];
        modelguard_budget_spend(charges[i].budget, cell, charges[i].cost,
                                now);
    }

    return longest;
}


/* no other charge has less than 99.99% of the share remaining of "which" */

static int
model_least(const model_t *model, unsigned n, const charge_t *charges,
    unsigned count, unsigned which, uint64_t now)
{
    double         share, least;
    unsigned       i;
    const cell_t  *cell;

    least = 2;
    share = 2;

    for (i = 0; i < count; i++) {
        cell = &model->cells[n][charges[i].name - 100];
        share = (double) modelguard_budget_remaining(charges[i].budget, cell,
                                                     now)
                / (double) (charges[i].budget->limit
                            + charges[i].budget->burst);
        least = (share < least) ? share : least;
    }

    cell = &model->cells[n][charges[which].name - 100];
    share = (double) modelguard_budget_remaining(charges[which].budget, cell,
                                                 now)
            / (double) (charges[which].budget->limit
                        + charges[which].budget->burst);

    return share < least + 0.0001;
}


static void
test_model(unsigned budgets)
{
    int        passed;
    stat_t     stat;
    model_t    model;
    table_t   *table, *moved, *before;
    client_t   id;
    budget_t   params[BUDGETS];
    charge_t   charges[BUDGETS];
    unsigned   i, n, c, which, failed, passes;
    uint64_t   now, wait;
    verdict_t  verdict;

    memset(charges, 0, sizeof(charges));
    table = build(budgets, 1 + budgets % 3);
    moved = aligned_alloc(PAGE, table->size);
    before = aligned_alloc(PAGE, table->size);
    memset(&model, 0, sizeof(model));
    failed = 0;
    passes = 0;
    now = 1000000;

    for (i = 0; i < budgets; i++) {
        memset(&params[i], 0, sizeof(budget_t));
        params[i].limit = 5 + below(100);
        params[i].burst = below(2) ? below(50) : 0;
        params[i].window = 1000 + below(100000);
        params[i].kind = MODELGUARD_BUDGET_SLIDING;
        params[i].offset = 0;
        failed += modelguard_table_register(table, 100 + i, &params[i])
                  != MODELGUARD_OK;
    }

    for (i = 0; i < 40000; i++) {
        n = (unsigned) below(budgets % 2 ? 8 : CLIENTS);
        id = client(n);
        c = 1 + (unsigned) below(budgets);

        for (which = 0; which < c; which++) {
            charges[which].name = 100 + below(budgets);
            charges[which].budget = &params[charges[which].name - 100];
            charges[which].cost = below(4) ? below(4) : below(60);
        }

        wait = model_charge(&model, n, charges, c, now, &which, &passed);

        memcpy(before, table, table->size);
        failed += modelguard_table_would_pass(table, &id, charges, c, now)
                  != (passed ? MODELGUARD_PASSED : MODELGUARD_LIMITED);
        failed += memcmp(before, table, table->size) != 0;

        verdict = ask(table, &id, charges, c, now);
        passes += (unsigned) passed;

        failed += verdict.verdict
                  != (passed ? MODELGUARD_PASSED : MODELGUARD_LIMITED);
        failed += verdict.wait != wait;
        failed += passed ? !model_least(&model, n, charges, c, verdict.which,
                                        now)
                         : verdict.which != which;
        failed += verdict.which >= c;

        which = (unsigned) charges[verdict.which].name - 100;

        failed += verdict.remaining
                  != modelguard_budget_remaining(&params[which],
                                               &model.cells[n][which], now)
                  || verdict.reset
                     != modelguard_budget_reset(&params[which],
                                              &model.cells[n][which], now);

        now += below(100) ? below(300) : below(500000);
        now -= below(50) ? 0 : 100;

        if (i == 20000) {
            memcpy(moved, table, table->size);
            memset(table, 0xff, moved->size);
            free(table);
            table = moved;
        }
    }

    stat = stat_of(table);
    failed += walk(table) != (long) stat.records;
    failed += stat.passed != passes || stat.passed + stat.limited != i;

    ok(failed == 0 && passes > 1000 && passes < i - 1000,
       "as the model does with %u budgets, moved half way, %u times, %u "
       "passed", budgets, i, passes);

    free(before);
    free(table);
}


int
main(void)
{
    unsigned  budgets;

    test_sizes();
    test_shards();
    test_init();
    test_lay();
    test_check();
    test_bits();
    test_register();
    test_verdicts();

    for (budgets = 1; budgets <= BUDGETS; budgets++) {
        test_model(budgets);
    }

    return tap_done();
}
