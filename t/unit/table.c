
/*
 * Copyright (C) the modelguard authors
 *
 * modelguard_table: bounds, verdicts, and any requests against a dumb model.
 * What happens when a table is full is tested in eviction.c.
 */


#include "table.h"


static void
test_init(void)
{
    size_t          size, failed, i;
    table_t        *table;
    static int      cells[] = { 0, 2, 2, 4, 4, 8, 8, 8, 8, 0, 0 };
    unsigned char  *mem;

    ok(modelguard_table_slot(2) == 72 && modelguard_table_slot(4) == 120
       && modelguard_table_slot(8) == 216, "bytes of slots");
    ok(modelguard_table_slot(0) == 0 && modelguard_table_slot(1) == 0
       && modelguard_table_slot(3) == 0 && modelguard_table_slot(5) == 0
       && modelguard_table_slot(9) == 0 && modelguard_table_slot(16) == 0,
       "no slots of other numbers of cells");

    failed = 0;
    table = malloc(1 << 16);

    for (i = 0; i <= 10; i++) {
        memset(table, 0xff, 1 << 16);

        if (modelguard_table_init(table, 1 << 16, (unsigned) i)
            != (cells[i] ? MODELGUARD_OK : MODELGUARD_INVALID))
        {
            failed++;
            continue;
        }

        failed += cells[i]
                  && (table->cells != (uint32_t) cells[i]
                      || modelguard_table_check(table, 1 << 16));
    }

    ok(failed == 0, "0 to 10 budgets");
    ok(modelguard_table_init((char *) table + 4, 1 << 15, 1)
       == MODELGUARD_INVALID, "bad alignment");
    free(table);

    for (i = 2; i <= 8; i *= 2) {
        size = bytes((unsigned) i, 2);

        table = malloc(size);
        failed = modelguard_table_init(table, size - 1, (unsigned) i)
                 != MODELGUARD_TOO_BIG;
        failed += modelguard_table_init(table, 0, (unsigned) i)
                  != MODELGUARD_TOO_BIG;
        failed += modelguard_table_init(table, HEADER - 1, (unsigned) i)
                  != MODELGUARD_TOO_BIG;
        free(table);

        table = calloc(1, size);
        mem = guard_copy(table, size);
        free(table);
        table = (table_t *) mem;

        failed += modelguard_table_init(table, size, (unsigned) i)
                  != MODELGUARD_OK;
        failed += table->buckets != 2 || table->size != size
                  || modelguard_table_check(table, size) != MODELGUARD_OK;
        guard_free(mem, size);

        table = malloc(size + 1);
        failed += modelguard_table_init(table, size + 1, (unsigned) i)
                  != MODELGUARD_OK || table->buckets != 2
                  || modelguard_table_check(table, size + 1)
                     != MODELGUARD_OK;
        free(table);

        ok(failed == 0, "%zu cells: a byte below two buckets, two buckets at "
           "a guard page, a byte more", i);
    }
}


static void
test_check(void)
{
    size_t     size, failed, i;
    table_t   *table, copy;
    budget_t   budget = { 10, 0, 60000, 0, 0 };
    uint64_t  *word;

    table = build(3, 5);
    size = table->size;
    failed = 0;
    modelguard_table_register(table, 7, &budget);
    modelguard_table_register(table, 8, &budget);
    copy = *table;

    ok(modelguard_table_check(table, size) == MODELGUARD_OK, "a good table");
    ok(modelguard_table_check(table, size - 1) == MODELGUARD_INVALID
       && modelguard_table_check(table, size + 1) == MODELGUARD_INVALID
       && modelguard_table_check(table, sizeof(table_t) - 1)
          == MODELGUARD_INVALID
       && modelguard_table_check(table, 0) == MODELGUARD_INVALID,
       "another size");
    ok(modelguard_table_check((char *) table + 4, size) == MODELGUARD_INVALID,
       "bad alignment");

#define damaged(field, value)                                                 \
    table->field = value;                                                     \
    ok(modelguard_table_check(table, size) == MODELGUARD_INVALID,             \
       #field " = " #value);                                                  \
    *table = copy

    damaged(magic, 0);
    damaged(magic, MODELGUARD_TABLE_MAGIC + 1);
    damaged(layout, 0);
    damaged(layout, MODELGUARD_TABLE_LAYOUT + 1);
    damaged(cells, 0);
    damaged(cells, 2);
    damaged(cells, 3);
    damaged(cells, 8);
    damaged(cells, UINT32_MAX);
    damaged(buckets, 0);
    damaged(buckets, 1);
    damaged(buckets, 4);
    damaged(buckets, 6);
    damaged(buckets, UINT64_MAX);
    damaged(size, 0);
    damaged(size, UINT64_MAX);
    damaged(records, 41);
    damaged(records, UINT64_MAX);
    damaged(budgets[0].budget.limit, 0);
    damaged(budgets[1].budget.window, 0);
    damaged(budgets[1].budget.burst, UINT64_MAX);
    damaged(budgets[1].name, 7);

    table->budgets[4] = copy.budgets[0];
    damaged(budgets[4].name, 9);
    table->budgets[3] = copy.budgets[0];
    table->budgets[3].name = 9;
    ok(modelguard_table_check(table, size) == MODELGUARD_OK,
       "a budget in the last cell");
    *table = copy;

    table->records = 40;
    ok(modelguard_table_check(table, size) == MODELGUARD_OK, "a full table");
    *table = copy;

    /* no single bit of the numbers that address memory may be wrong */

    for (i = 0; i < 4 * 64; i++) {
        word = (uint64_t *) table + i / 64;
        *word ^= (uint64_t) 1 << i % 64;
        failed += modelguard_table_check(table, size) != MODELGUARD_INVALID;
        *word ^= (uint64_t) 1 << i % 64;
    }

    ok(failed == 0, "any bit of magic, layout, cells, buckets, size");

    free(table);
}


static void
test_register(void)
{
    table_t   *table;
    unsigned   i, n, failed;
    budget_t   budget = { 10, 0, 60000, 0, 0 };
    verdict_t  verdict;

    for (n = 2; n <= 8; n *= 2) {
        table = build(n, 4);
        failed = 0;

        for (i = 1; i <= n; i++) {
            failed += modelguard_table_register(table, i, &budget)
                      != MODELGUARD_OK;
        }

        failed += modelguard_table_register(table, n + 1, &budget)
                  != MODELGUARD_TOO_BIG;
        failed += modelguard_table_register(table, n, &budget)
                  != MODELGUARD_OK;
        failed += modelguard_table_check(table, table->size)
                  != MODELGUARD_OK;

        ok(failed == 0, "%u budgets and no more", n);
        free(table);
    }

    table = build(1, 4);

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

    free(table);
}


static void
test_verdicts(void)
{
    table_t   *table;
    client_t   id;
    unsigned   n;
    budget_t   minute = { 10, 0, 60000, 0, 0 };
    budget_t   hour = { 15, 5, 3600000, 0, 0 };
    charge_t   charges[9];
    verdict_t  verdict;

    table = build(3, 4);
    id = client(1);
    modelguard_table_register(table, 7, &minute);
    modelguard_table_register(table, 8, &hour);

    verdict = charge(table, 1, &minute, 0, 1000);
    ok(verdict.verdict == MODELGUARD_PASSED && verdict.remaining == 10
       && verdict.reset == 0 && verdict.wait == 0 && table->records == 0
       && walk(table) == 0, "a cost of 0 looks and leaves no record");

    verdict = charge(table, 1, &minute, 11, 1000);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.wait == NEVER
       && verdict.remaining == 10 && verdict.reset == 0
       && table->records == 0 && walk(table) == 0,
       "a refused stranger leaves no record");

    verdict = charge(table, 1, &minute, 10, 1000);
    ok(verdict.verdict == MODELGUARD_PASSED && verdict.remaining == 0
       && verdict.reset == 120000 && verdict.wait == 0
       && table->records == 1 && walk(table) == 1, "all at once");

    verdict = charge(table, 1, &minute, 1, 2000);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.wait == 65000
       && verdict.reset == 119000 && verdict.remaining == 0, "and no more");

    charges[0].name = 7;
    charges[0].budget = &minute;
    charges[0].cost = 5;
    charges[1].name = 8;
    charges[1].budget = &hour;
    charges[1].cost = 5;

    modelguard_table_charge(table, &id, charges, 2, 2000, &verdict);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.which == 0
       && verdict.wait == 89000, "two budgets, one of them spent");

    modelguard_table_charge(table, &id, &charges[1], 1, 2000, &verdict);
    ok(verdict.verdict == MODELGUARD_PASSED && verdict.remaining == 15,
       "and the other was not charged");

    modelguard_table_charge(table, &id, charges, 2, 91000, &verdict);
    ok(verdict.verdict == MODELGUARD_PASSED && verdict.which == 0
       && verdict.remaining == 0, "which: the smallest share remaining");

    charges[0].cost = 0;
    charges[1].cost = 11;
    modelguard_table_charge(table, &id, charges, 2, 91000, &verdict);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.which == 1
       && verdict.remaining == 10, "which: the longest wait");

    charges[1].cost = UINT64_MAX;
    modelguard_table_charge(table, &id, charges, 2, 91000, &verdict);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.which == 1
       && verdict.wait == NEVER, "a cost of 2^64 - 1");

    charges[1].cost = 0;
    charges[1].name = 9;
    modelguard_table_charge(table, &id, charges, 2, 999000, &verdict);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.which == 1
       && verdict.wait == NEVER && verdict.remaining == 0
       && verdict.reset == 0, "a budget that is not registered");

    charges[1].name = 0;
    modelguard_table_charge(table, &id, charges, 2, 999000, &verdict);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.wait == NEVER,
       "nor is the name 0, ever");

    id = client(2);

    for (n = 0; n < 9; n++) {
        charges[n].name = 7;
        charges[n].budget = &minute;
        charges[n].cost = 2;
    }

    modelguard_table_charge(table, &id, charges, 6, 1000, &verdict);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.which == 5
       && verdict.remaining == 10, "a budget charged six times over");
    modelguard_table_charge(table, &id, charges, 5, 1000, &verdict);
    ok(verdict.verdict == MODELGUARD_PASSED && verdict.remaining == 0,
       "five times is all");

    modelguard_table_charge(table, &id, charges, 0, 1000, &verdict);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.wait == NEVER,
       "no budget is no free pass");
    modelguard_table_charge(table, &id, charges, 9, 1000, &verdict);
    ok(verdict.verdict == MODELGUARD_LIMITED && verdict.wait == NEVER,
       "nor are nine");

    ok(modelguard_table_would_pass(table, &id, charges, 0, 1000)
       == MODELGUARD_LIMITED
       && modelguard_table_would_pass(table, &id, charges, 9, 1000)
          == MODELGUARD_LIMITED, "nor would they be");

    ok(table->passed == 5 && table->limited == 10 && table->exhausted == 0
       && table->evicted == 0 && table->records == 2, "statistics");

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
    model_t    model;
    table_t   *table, *moved, *before;
    client_t   id;
    budget_t   params[BUDGETS];
    charge_t   charges[BUDGETS];
    unsigned   i, n, c, which, failed, passes;
    uint64_t   now, wait;
    verdict_t  verdict;

    table = build(budgets, 2 + budgets % 2);
    moved = malloc(table->size);
    before = malloc(table->size);
    memset(&model, 0, sizeof(model));
    failed = 0;
    passes = 0;
    now = 1000000;

    for (i = 0; i < budgets; i++) {
        memset(&params[i], 0, sizeof(budget_t));
        params[i].limit = 5 + below(100);
        params[i].burst = below(2) ? below(50) : 0;
        params[i].window = 1000 + below(100000);
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

        modelguard_table_charge(table, &id, charges, c, now, &verdict);
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

    failed += walk(table) != (long) table->records;
    failed += table->passed != passes || table->passed + table->limited != i;

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

    test_init();
    test_check();
    test_register();
    test_verdicts();

    for (budgets = 1; budgets <= BUDGETS; budgets++) {
        test_model(budgets);
    }

    return tap_done();
}
