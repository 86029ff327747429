
/*
 * Copyright (C) the modelguard authors
 *
 * modelguard_table_would_pass() foretells modelguard_table_charge() and
 * leaves no trace.
 */


#include "modelguard_table.h"
#include "tap.h"


#define SIZE   8192
#define STEPS  200000


static uint64_t  table_memory[SIZE / 8] __attribute__ ((aligned (64)));
static uint64_t  table_before[SIZE / 8];

static uint64_t  random_state = 88172645463325252ULL;


static uint64_t
random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;

    return random_state;
}


int
main(void)
{
    int                         wrong, traces;
    unsigned                    i, n, seen[4];
    uint64_t                    now;
    modelguard_id_t             id;
    modelguard_table_t         *table;
    modelguard_charge_t         charges[2];
    modelguard_verdict_t        verdict;
    modelguard_table_verdict_e  foretold;

    static const modelguard_budget_t  minute = { 5, 2, 60000, 0, 0 };
    static const modelguard_budget_t  hour = { 12, 0, 3600000, 0, 0 };
    static const modelguard_ban_t     ban = { 3, 100, 300 };
    static const uint64_t             uid[2] = { 1, 2 };

    table = (modelguard_table_t *) table_memory;

    ok(modelguard_table_init(table, SIZE, 2, uid, 0) == MODELGUARD_OK,
       "a table");
    ok(modelguard_table_register(table, 1, &minute) == MODELGUARD_OK
       && modelguard_table_register(table, 2, &hour) == MODELGUARD_OK,
       "two budgets");

    memset(charges, 0, sizeof(charges));
    charges[0].name = 1;
    charges[0].budget = &minute;
    charges[1].name = 2;
    charges[1].budget = &hour;

    now = 1000000;
    wrong = 0;
    traces = 0;
    memset(seen, 0, sizeof(seen));

    for (i = 0; i < STEPS; i++) {
        now += random_next() % 2000;

        id.low = (random_next() % 100 + 1) * 0x9e3779b97f4a7c15ULL;
        id.high = id.low * 0xbf58476d1ce4e5b9ULL;

        n = 1 + (unsigned) (random_next() % 2);
        charges[0].cost = random_next() % 9;
        charges[1].cost = random_next() % 14;
        charges[0].dry_run = (random_next() % 8 == 0);
        charges[1].dry_run = (random_next() % 8 == 0);

        memcpy(table_before, table_memory, SIZE);

        foretold = modelguard_table_would_pass(table, &id, charges, n, now);

        traces += (memcmp(table_before, table_memory, SIZE) != 0);

        modelguard_table_charge(table, &id, charges, n, now, &verdict);

        wrong += (foretold != verdict.verdict);
        seen[verdict.verdict]++;

        if (verdict.verdict == MODELGUARD_LIMITED) {
            (void) modelguard_table_strike(table, &id, &ban, now);
        }
    }

    ok(wrong == 0, "%d of %d charges were foretold wrongly", wrong, STEPS);
    ok(traces == 0, "%d of %d looks left a trace", traces, STEPS);
    ok(seen[MODELGUARD_PASSED] > 1000 && seen[MODELGUARD_LIMITED] > 1000
       && seen[MODELGUARD_EXHAUSTED] > 100 && seen[MODELGUARD_BANNED] > 1000,
       "all verdicts occur: %u passed, %u limited, %u exhausted, %u banned",
       seen[0], seen[1], seen[2], seen[3]);

    charges[0].cost = 1;
    charges[0].dry_run = 0;
    (void) modelguard_table_ban(table, &id, 0, now);

    ok(modelguard_table_would_pass(table, &id, charges, 0, now)
       == MODELGUARD_LIMITED
       && modelguard_table_would_pass(table, &id, charges,
                                      MODELGUARD_TABLE_BUDGETS + 1, now)
          == MODELGUARD_LIMITED,
       "no charges, and too many of them, do not pass");

    charges[0].name = 3;

    ok(modelguard_table_would_pass(table, &id, charges, 1, now)
       == MODELGUARD_LIMITED, "a budget that is not registered does not pass");

    return tap_done();
}
