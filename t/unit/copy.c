
/*
 * Copyright (C) the modelguard authors
 *
 * From one table into another: copying, adopting, sweeping.
 */


#include "table.h"


#define NOW  1000000


static const budget_t  minute = { 10, 5, 60000, 0, 0 };
static const budget_t  life = { 100, 0, 0, MODELGUARD_BUDGET_LIFETIME, 0 };
static const budget_t  leases = { 3, 0, 60000, MODELGUARD_BUDGET_CONCURRENT,
                                  0 };


/* client n has spent 1 + n % 10 of minute, 1 + n % 100 of life */

static void
fill(table_t *table, unsigned n)
{
    unsigned  i;
    client_t  id;
    charge_t  charges[2];

    memset(charges, 0, sizeof(charges));
    charges[0].name = 7;
    charges[0].budget = &minute;
    charges[1].name = 8;
    charges[1].budget = &life;

    modelguard_table_register(table, 7, &minute);
    modelguard_table_register(table, 8, &life);

    for (i = 0; i < n; i++) {
        id = client(i);
        charges[0].cost = 1 + i % 10;
        charges[1].cost = 1 + i % 100;
        ask(table, &id, charges, 2, NOW);
    }
}


static uint64_t
left(table_t *table, unsigned n, uint64_t name, const budget_t *budget)
{
    client_t  id;
    charge_t  one;

    id = client(n);

    memset(&one, 0, sizeof(one));
    one.name = name;
    one.budget = budget;

    (void) ask(table, &id, &one, 1, NOW);

    return one.remaining;
}


static void
test_bigger(void)
{
    stat_t    before, after;
    table_t  *from, *to;
    unsigned  i, budgets, failed;
    client_t  id;
    settle_t  settle;
    report_t  report;

    from = build(2, 40);
    fill(from, 700);

    id = client(5);
    modelguard_table_ban(from, &id, 77, NOW);
    modelguard_table_overflow(&id);
    memset(&settle, 0, sizeof(settle));
    settle.name = 8;
    settle.budget = &life;
    settle.actual = 50;
    settle.learn = 1;
    modelguard_table_settle(from, &id, &settle, 1, NOW);
    before = stat_of(from);

    for (budgets = 2; budgets <= 8; budgets *= 2) {
        to = build(budgets, 20 * budgets);
        failed = 0;

        /* other places, and one more budget */

        if (budgets > 2) {
            modelguard_table_register(to, 9, &leases);
        }

        modelguard_table_register(to, 8, &life);
        modelguard_table_register(to, 7, &minute);

        memset(&report, 0xff, sizeof(report));
        modelguard_table_copy(to, from, NOW, &report);
        after = stat_of(to);

        failed += report.records != 700 || report.lost || report.budgets
                  || report.repaired || report.replayed;
        failed += walk(to) != 700 || walk(from) != 700;
        failed += before.passed != after.passed
                  || before.bans != after.bans || after.bans != 1;

        for (i = 0; i < 700; i++) {
            failed += left(to, i, 7, &minute) != 15 - 1 - i % 10;
            failed += left(to, i, 8, &life) != 100 - 1 - i % 100;
        }

        failed += charge(to, 5, &minute, 0, NOW + 76999).verdict
                  != MODELGUARD_BANNED
                  || charge(to, 5, &minute, 0, NOW + 77000).verdict
                     != MODELGUARD_PASSED;
        failed += modelguard_table_mean(to, &id, 8) != 50
                  || modelguard_table_mean(to, &id, 7) != 0;

        modelguard_table_open(to, NOW, &report);
        failed += report.repaired != 0 || report.records != 700;

        ok(failed == 0, "700 clients into a table with %u cells", budgets);
        free(to);
    }

    /* a budget that is not there any more */

    to = build(1, 70);
    modelguard_table_register(to, 8, &life);
    modelguard_table_copy(to, from, NOW, &report);
    failed = report.records != 700 || report.lost || report.budgets != 1
             || walk(to) != 700;

    for (i = 0; i < 700; i++) {
        failed += left(to, i, 8, &life) != 100 - 1 - i % 100;
    }

    ok(failed == 0, "a budget is not carried over, and counted");
    free(to);
    free(from);
}


static void
test_smaller(void)
{
    table_t  *from, *to;
    unsigned  i, pages, failed, kept, high, low;
    report_t  report;

    from = build(2, 40);
    fill(from, 1000);

    for (pages = 1; pages <= 30; pages += 7) {
        to = build(2, pages);
        failed = 0;
        kept = 0;
        high = 0;
        low = 0;

        modelguard_table_register(to, 7, &minute);
        modelguard_table_register(to, 8, &life);
        modelguard_table_copy(to, from, NOW, &report);

        failed += report.records + report.lost != 1000;
        failed += walk(to) != (long) report.records;
        failed += walk(to) > (long) slots(to);

        for (i = 0; i < 1000; i++) {

            if (left(to, i, 8, &life) == 100) {
                continue;
            }

            /* 100 clients are over a limit: of minute, and 10 of life, too */

            kept += (i % 10 == 9);
            high += (i % 100 >= 50);
            low += (i % 100 < 50);
        }

        failed += kept != (pages > 7 ? 100 : 40);
        failed += report.lost && pages > 7 && high < low;

        ok(failed == 0, "1000 clients into %u pages: %u are there, %u of 100 "
           "over their limits, %u with a large share, %u with a small one",
           pages, (unsigned) report.records, kept, high, low);
        free(to);
    }

    free(from);
}


/* where all may be anywhere, those are there that spent most */

static void
test_most(void)
{
    table_t   *from, *to;
    unsigned   i, failed;
    report_t   report;

    from = build(1, 40);
    to = build(8, 1);
    modelguard_table_register(from, 7, &life);
    modelguard_table_register(to, 7, &life);

    for (i = 0; i < 40; i++) {
        charge(from, i, &life, 1 + i, NOW);
    }

    modelguard_table_copy(to, from, NOW, &report);
    failed = report.records != 16 || report.lost != 24 || walk(to) != 16;

    for (i = 0; i < 40; i++) {
        failed += left(to, i, 7, &life) != (i < 24 ? 100 : 100 - 1 - i);
    }

    ok(failed == 0, "the 16 of 40 that spent most");
    free(from);
    free(to);
}


static void
test_adopt(void)
{
    table_t  *table, *other;
    unsigned  failed, i;
    report_t  report;

    table = build(2, 40);
    fill(table, 700);
    other = build(3, 40);
    modelguard_table_register(other, 9, &leases);
    modelguard_table_register(other, 8, &life);
    modelguard_table_register(other, 7, &minute);

    modelguard_table_lock_all(table);
    other->uid[0] = 1;
    modelguard_table_copy(other, table, NOW, &report);
    failed = modelguard_table_adopt(table, other) != MODELGUARD_OK;
    modelguard_table_unlock_all(table);

    failed += table->uid[0] != uid[0] || table->cells != 4;
    failed += walk(table) != (long) report.records;
    failed += modelguard_table_check(table, table->size, table->size)
              != MODELGUARD_OK;
    free(other);

    for (i = 0; i < 700; i++) {
        failed += report.lost == 0
                  && left(table, i, 8, &life) != 100 - 1 - i % 100;
    }

    ok(failed == 0 && report.records > 650, "a table adopts another's cells");

    other = build(3, 41);
    ok(modelguard_table_adopt(table, other) == MODELGUARD_INVALID,
       "not one of another size");
    free(other);
    free(table);
}


static long
sweep(table_t *table, uint64_t inactive, uint64_t now)
{
    unsigned  n;
    uint64_t  cursor;

    for (n = 0; n < table->shards; n++) {
        cursor = 0;

        if (!modelguard_table_sweep(table, n, &cursor, 1000000, inactive, now)
            || cursor)
        {
            return -9;
        }
    }

    return walk(table);
}


static void
test_sweep(void)
{
    stat_t    stat;
    table_t  *table;
    uint64_t  cursor, now;
    unsigned  i, n, failed, calls;
    client_t  id;

    table = build(1, 40);
    modelguard_table_register(table, 7, &minute);
    failed = 0;

    for (i = 0; i < 300; i++) {
        charge(table, i, &minute, 5, NOW + 1000 * i);
    }

    id = client(1);
    modelguard_table_ban(table, &id, 1000, NOW);
    id = client(1000);
    modelguard_table_overflow(&id);
    modelguard_table_ban(table, &id, 1, NOW);

    /* all are idle 120 s after their first charge; the last 100 s are kept */

    now = NOW + 400000;

    for (n = 0; n < table->shards; n++) {
        cursor = 0;
        calls = 0;

        while (!modelguard_table_sweep(table, n, &cursor, 7, 200, now)) {
            calls++;
            failed += cursor != 7 * calls;
        }

        failed += cursor != 0
                  || calls != (modelguard_table_records(table) / WAYS - 1) / 7;
    }

    stat = stat_of(table);

    ok(failed == 0 && stat.expired == 199 && stat.evicted == 0
       && walk(table) == 101,
       "all of more than 200 s are gone, but for one banned");

    failed = sweep(table, 200, now) != 101;
    failed += sweep(table, 199, now) != 100;

    /* 19 are not idle before 120 s have gone */

    failed += sweep(table, 100, now) != 20;
    failed += sweep(table, 0, NOW + 999999) != 1;
    failed += sweep(table, 0, NOW + 1000000) != 0;
    failed += stat_of(table).expired != 300;

    modelguard_table_overflow(&id);
    failed += !modelguard_table_spill(table)->id.low;

    ok(failed == 0, "to the second; the overflow record stays");

    free(table);

    /* a record with something spent, or held, or seen in the future, stays */

    table = build(3, 40);
    modelguard_table_register(table, 7, &life);
    charge(table, 1, &life, 1, NOW);
    charge(table, 2, &life, 0, NOW);
    failed = sweep(table, 0, NOW + 1000000000) != 1;

    modelguard_table_register(table, 7, &minute);
    charge(table, 3, &minute, 10, NOW + 1000000000);
    failed += sweep(table, 0, NOW) != 2;
    failed += sweep(table, 0, NOW + 1000000000 + 60000) != 1;

    ok(failed == 0, "what is spent, or of the future, stays");
    free(table);
}


/* one bucket at a time: who has none has nothing to look at */

static void
test_sweep_empty(void)
{
    table_t   *table;
    uint64_t   cursor;
    unsigned   i, n, failed;

    table = build(1, 40);
    modelguard_table_register(table, 7, &minute);
    failed = 0;

    for (i = 0; i < 2; i++) {

        for (n = 0; n < table->shards; n++) {
            cursor = 0;

            failed += modelguard_table_sweep(table, n, &cursor, 1, 200, NOW)
                      != (modelguard_table_part(table, n)->stat.records == 0);
            failed += cursor
                      != (modelguard_table_part(table, n)->stat.records != 0);
        }

        failed += walk(table) != (long) i;
        charge(table, 1, &minute, 5, NOW);
    }

    /* the last one has gone halfway */

    failed += sweep(table, 200, NOW + 400000) != 0;

    for (n = 0; n < table->shards; n++) {
        cursor = 5;

        failed += !modelguard_table_sweep(table, n, &cursor, 1, 200, NOW)
                  || cursor != 0;
    }

    ok(failed == 0, "a shard without records is swept at once");
    free(table);
}


/* a file and then a zone that knows less of the same clients */

static void
test_two(void)
{
    table_t   *file, *zone, *to;
    unsigned   i, failed;
    client_t   id;
    report_t   report;

    file = build(2, 40);
    fill(file, 200);

    zone = build(1, 40);
    modelguard_table_register(zone, 7, &minute);

    for (i = 0; i < 100; i++) {
        charge(zone, i, &minute, 11, NOW);
    }

    id = client(150);
    modelguard_table_ban(file, &id, 70, NOW);
    id = client(3);
    modelguard_table_ban(file, &id, 60, NOW);
    id = client(4);
    modelguard_table_ban(zone, &id, 50, NOW);

    to = build(2, 40);
    modelguard_table_register(to, 7, &minute);
    modelguard_table_register(to, 8, &life);
    modelguard_table_copy(to, file, NOW, &report);
    modelguard_table_copy(to, zone, NOW, &report);

    failed = walk(to) != 200 || report.lost;

    for (i = 0; i < 200; i++) {
        failed += left(to, i, 7, &minute)
                  != ((i < 100) ? 15 - 11 : 15 - 1 - i % 10);
        failed += left(to, i, 8, &life) != 100 - 1 - i % 100;
    }

    ok(failed == 0, "a second table takes no budget away that it has not");
    ok(charge(to, 3, &minute, 0, NOW + 59999).verdict == MODELGUARD_BANNED
       && charge(to, 4, &minute, 0, NOW + 49999).verdict == MODELGUARD_BANNED
       && charge(to, 150, &minute, 0, NOW + 69999).verdict
          == MODELGUARD_BANNED,
       "nor any ban");

    free(to);
    free(zone);
    free(file);
}


int
main(void)
{
    test_bigger();
    test_two();
    test_smaller();
    test_most();
    test_adopt();
    test_sweep();
    test_sweep_empty();

    return tap_done();
}
