
/*
 * Copyright (C) the modelguard authors
 *
 * modelguard_budget: against the definition in its header, followed slowly,
 * one window after another, in 128 bits; everything runs a second time on
 * the code for compilers without such integers.
 */


#include "tap.h"
#include "budget_kit.h"


#define MODELGUARD_BUDGET_INT128    0
#define modelguard_budget_valid      again_modelguard_budget_valid
#define modelguard_budget_roll       again_modelguard_budget_roll
#define modelguard_budget_spent      again_modelguard_budget_spent
#define modelguard_budget_wait       again_modelguard_budget_wait
#define modelguard_budget_spend      again_modelguard_budget_spend
#define modelguard_budget_remaining  again_modelguard_budget_remaining
#define modelguard_budget_reset      again_modelguard_budget_reset
#define modelguard_budget_renew      again_modelguard_budget_renew
#define modelguard_budget_settle     again_modelguard_budget_settle
#include "modelguard_budget.c"
#undef modelguard_budget_valid
#undef modelguard_budget_roll
#undef modelguard_budget_spent
#undef modelguard_budget_wait
#undef modelguard_budget_spend
#undef modelguard_budget_remaining
#undef modelguard_budget_reset
#undef modelguard_budget_renew
#undef modelguard_budget_settle


typedef struct {
    const char  *name;
    void       (*roll)(const budget_t *budget, cell_t *cell, uint64_t now);
    uint64_t   (*spent)(const budget_t *budget, const cell_t *cell,
                   uint64_t now);
    uint64_t   (*wait)(const budget_t *budget, const cell_t *cell,
                   uint64_t cost, uint64_t now);
    void       (*spend)(const budget_t *budget, cell_t *cell, uint64_t cost,
                   uint64_t now);
    uint64_t   (*remaining)(const budget_t *budget, const cell_t *cell,
                   uint64_t now);
    uint64_t   (*reset)(const budget_t *budget, const cell_t *cell,
                   uint64_t now);
} code_t;


static code_t  codes[] = {

    { "native", modelguard_budget_roll, modelguard_budget_spent,
      modelguard_budget_wait, modelguard_budget_spend,
      modelguard_budget_remaining, modelguard_budget_reset },

    { "portable", again_modelguard_budget_roll, again_modelguard_budget_spent,
      again_modelguard_budget_wait, again_modelguard_budget_spend,
      again_modelguard_budget_remaining, again_modelguard_budget_reset }
};


/* the mean of every cell of these tests, which nothing here may change */

#define MEAN  0xabc


static void
start_at(cell_t *cell, uint64_t start)
{
    cell->stamp = (start << 16) | MEAN;
}


static void
slow_roll(const budget_t *budget, cell_t *cell, uint64_t now)
{
    uint64_t  above;

    while (now >= start_of(cell) && now - start_of(cell) >= budget->window) {
        above = (cell->cur > budget->limit) ? cell->cur - budget->limit : 0;
        cell->prev = cell->cur - above;
        cell->cur = above;
        start_at(cell, start_of(cell) + budget->window);
    }
}


static wide_t
slow_spent(const budget_t *budget, const cell_t *cell, uint64_t now)
{
    wide_t    part;
    uint64_t  elapsed;

    elapsed = (now > start_of(cell)) ? now - start_of(cell) : 0;
    part = (wide_t) cell->prev * (budget->window - elapsed);

    return (part + budget->window - 1) / budget->window + cell->cur;
}


static wide_t
slow_later(const budget_t *budget, const cell_t *cell, uint64_t now)
{
    cell_t  later;

    later = *cell;
    slow_roll(budget, &later, now);

    return slow_spent(budget, &later, now);
}


static int
slow_passes(const budget_t *budget, const cell_t *cell, uint64_t cost,
    uint64_t now)
{
    return slow_later(budget, cell, now) + cost
           <= (wide_t) budget->limit + budget->burst;
}


static int
same(const cell_t *a, const cell_t *b)
{
    return a->stamp == b->stamp && a->cur == b->cur && a->prev == b->prev;
}


static void
test_valid(void)
{
    size_t           i, failed;
    static uint64_t  cases[][4] = {
        { 1, 0, 1000, 1 },              { 0, 0, 1000, 0 },
        { 2, 0, 1001, 1 },              { 1, 0, 999, 0 },
        { LIMIT_MAX - 1, 0, 1000, 1 },  { LIMIT_MAX, 0, 1000, 1 },
        { LIMIT_MAX + 1, 0, 1000, 0 },  { 1, LIMIT_MAX - 1, 1000, 1 },
        { 1, LIMIT_MAX, 1000, 1 },      { 1, LIMIT_MAX + 1, 1000, 0 },
        { 1, 0, WINDOW_MAX - 1, 1 },    { 1, 0, WINDOW_MAX, 1 },
        { 1, 0, WINDOW_MAX + 1, 0 },    { 1, 0, UINT64_MAX, 0 },
        { UINT64_MAX, 0, 1000, 0 },     { 1, UINT64_MAX, 1000, 0 }
    };
    budget_t         budget;

    failed = 0;
    memset(&budget, 0, sizeof(budget));

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        budget.limit = cases[i][0];
        budget.burst = cases[i][1];
        budget.window = cases[i][2];

        failed += modelguard_budget_valid(&budget) != (int) cases[i][3];
    }

    ok(failed == 0, "bounds of the parameters, %zu cases", i);
}


static void
test_muldiv(void)
{
    unsigned  i, failed;
    uint64_t  a, b, c;

    failed = 0;

    for (i = 0; i < 300000; i++) {
        c = sized(UINT64_MAX);
        a = sized(UINT64_MAX) - 1;
        b = below(c) + (i % 2);

        if (i % 3 == 0) {
            a = b;
            b = sized(UINT64_MAX) - 1;
        }

        failed += modelguard_budget_muldiv(a, b, c)
                  != (uint64_t) ((wide_t) a * b / c);
    }

    ok(failed == 0, "portable a * b / c in 128 bits, %u times", i);
}


/* every state of small budgets, every cost, every moment */

static unsigned
exhaust(code_t *code, const budget_t *budget, const cell_t *cell,
    uint64_t now)
{
    cell_t    rolled, slow;
    unsigned  failed;
    uint64_t  cost, wait, total;

    rolled = *cell;
    slow = *cell;
    code->roll(budget, &rolled, now);
    slow_roll(budget, &slow, now);

    failed = !same(&rolled, &slow);
    total = budget->limit + budget->burst;

    failed += code->spent(budget, &rolled, now)
              != slow_spent(budget, &slow, now);
    failed += code->remaining(budget, &rolled, now)
              != (slow_spent(budget, &slow, now) >= total ? 0
                  : total - slow_spent(budget, &slow, now));

    for (cost = 0; cost <= total; cost++) {
        wait = 0;

        while (!slow_passes(budget, &slow, cost, now + wait)) {
            wait++;
        }

        failed += code->wait(budget, &rolled, cost, now) != wait;
    }

    failed += code->wait(budget, &rolled, total + 1, now) != NEVER;

    wait = 0;

    while (slow_later(budget, &slow, now + wait)) {
        wait++;
    }

    failed += code->reset(budget, &rolled, now) != wait;

    return failed;
}


static void
test_small(code_t *code)
{
    cell_t    cell;
    budget_t  budget;
    unsigned  failed, count;
    uint64_t  now;

    count = 0;
    failed = 0;
    memset(&budget, 0, sizeof(budget));

    for (budget.window = 1; budget.window <= 7; budget.window += 2) {
    for (budget.limit = 1; budget.limit <= 5; budget.limit += 2) {
    for (budget.burst = 0; budget.burst <= 4; budget.burst += 2) {
    for (cell.prev = 0; cell.prev <= budget.limit + 1; cell.prev++) {
    for (cell.cur = 0; cell.cur <= 14; cell.cur++) {

        start_at(&cell, 100);

        for (now = 98; now <= 100 + 4 * budget.window; now++) {
            failed += exhaust(code, &budget, &cell, now);
            count++;
        }
    } } } } }

    ok(failed == 0, "%s: every state of small budgets, %u", code->name, count);
}


static void
test_large(code_t *code)
{
    cell_t    cell, rolled, slow, twice;
    budget_t  budget;
    unsigned  i, bad[6];
    uint64_t  now, cost, wait, reset;

    memset(bad, 0, sizeof(bad));
    memset(&budget, 0, sizeof(budget));

    for (i = 0; i < 30000; i++) {
        budget.limit = sized(LIMIT_MAX);
        budget.burst = sized(LIMIT_MAX) - 1;
        budget.window = 999 + sized(WINDOW_MAX - 999);

        if (budget.burst / budget.limit > 300) {
            budget.burst = budget.limit * 300;
        }

        start_at(&cell, sized(1ULL << 42));
        cell.prev = sized(budget.limit + 1) - 1;
        cell.cur = sized(budget.limit + budget.burst + 1) - 1;
        now = start_of(&cell) + sized(300 * budget.window) - 1;

        rolled = cell;
        slow = cell;
        twice = cell;
        code->roll(&budget, &rolled, now);
        code->roll(&budget, &twice,
                   start_of(&cell) + below(now - start_of(&cell) + 1));
        code->roll(&budget, &twice, now);
        slow_roll(&budget, &slow, now);

        bad[0] += !same(&rolled, &slow);
        bad[1] += !same(&rolled, &twice);
        bad[2] += code->spent(&budget, &rolled, now)
                  != slow_spent(&budget, &slow, now);

        cost = sized(budget.limit + budget.burst + 1) - 1;
        wait = code->wait(&budget, &rolled, cost, now);

        bad[3] += wait ? !slow_passes(&budget, &slow, cost, now + wait)
                         || slow_passes(&budget, &slow, cost, now + wait - 1)
                       : !slow_passes(&budget, &slow, cost, now);

        reset = code->reset(&budget, &rolled, now);

        bad[4] += (reset == 0) != (slow_spent(&budget, &slow, now) == 0)
                  || (reset
                      && (slow_later(&budget, &slow, now + reset) != 0
                          || slow_later(&budget, &slow, now + reset - 1)
                             == 0));

        code->spend(&budget, &rolled, cost, now);

        bad[5] += code->spent(&budget, &rolled, now)
                  != slow_spent(&budget, &slow, now) + cost
                  || (cost && code->reset(&budget, &rolled, now) == 0);
    }

    ok(bad[0] == 0, "%s: roll as window by window, %u", code->name, i);
    ok(bad[1] == 0, "%s: rolled twice as once, %u", code->name, i);
    ok(bad[2] == 0, "%s: spent as in 128 bits, %u", code->name, i);
    ok(bad[3] == 0, "%s: passes after wait, not 1 ms before", code->name);
    ok(bad[4] == 0, "%s: idle after reset, not 1 ms before", code->name);
    ok(bad[5] == 0, "%s: spending adds the cost, reset is not 0", code->name);
}


static void
test_clock(code_t *code)
{
    cell_t    cell, before;
    uint64_t  wait;
    budget_t  budget = { 10, 5, 1000, 0, 0 };

    memset(&cell, 0, sizeof(cell));
    code->roll(&budget, &cell, 1700000000123ULL);

    ok(code->reset(&budget, &cell, 1700000000123ULL) == 0
       && code->remaining(&budget, &cell, 1700000000123ULL) == 15
       && code->wait(&budget, &cell, 15, 1700000000123ULL) == 0,
       "%s: a client never seen is idle", code->name);

    code->spend(&budget, &cell, 0, 1700000000123ULL);
    ok(cell.cur == 0 && start_of(&cell) == 1700000000000ULL
       && code->reset(&budget, &cell, 1700000000123ULL) == 0,
       "%s: a cost of 0 starts nothing", code->name);

    code->spend(&budget, &cell, 3, 1700000000123ULL);
    ok(start_of(&cell) == 1700000000123ULL && cell.cur == 3,
       "%s: the first charge begins the bucket", code->name);

    memset(&cell, 0, sizeof(cell));
    code->spend(&budget, &cell, 12, 5000);
    code->spend(&budget, &cell, 3, 5000);

    wait = code->wait(&budget, &cell, 1, 5000);
    ok(wait == 1000 + 1000 - 900 && code->wait(&budget, &cell, 1, 5000) == wait,
       "%s: a standing clock gives nothing back", code->name);

    before = cell;
    code->roll(&budget, &cell, 2000);
    ok(same(&cell, &before) && code->remaining(&budget, &cell, 2000) == 0
       && code->wait(&budget, &cell, 1, 2000) == wait + 3000
       && code->wait(&budget, &cell, 1, 4999) == wait + 1,
       "%s: a step back gives nothing back", code->name);

    code->roll(&budget, &cell, 6999);
    ok(start_of(&cell) == 6000 && cell.cur == 5 && cell.prev == 10,
       "%s: the burst is carried over", code->name);

    code->roll(&budget, &cell, 7000);
    ok(cell.cur == 0 && cell.prev == 5
       && code->reset(&budget, &cell, 7000) == 1000,
       "%s: and is gone a window later", code->name);

    code->roll(&budget, &cell, 8999);
    ok(code->reset(&budget, &cell, 8999) == 0, "%s: idle", code->name);

    code->spend(&budget, &cell, 1, 8999);
    ok(start_of(&cell) == 8999, "%s: a charge when idle begins anew",
       code->name);

    memset(&cell, 0, sizeof(cell));
    start_at(&cell, 9000);
    code->spend(&budget, &cell, 1, 10);
    ok(start_of(&cell) == 10 && cell.stamp % 65536 == MEAN,
       "%s: also before an idle start", code->name);

    start_at(&cell, 0);
    cell.cur = UNITS_MAX;
    cell.prev = 10;
    code->roll(&budget, &cell, TIME_MAX);
    ok(start_of(&cell) == TIME_MAX - TIME_MAX % 1000
       && cell.cur == UNITS_MAX - 10 * (TIME_MAX / 1000)
       && cell.prev == 10 && cell.stamp % 65536 == MEAN,
       "%s: any number of windows at once", code->name);
}


static void
test_saturation(code_t *code)
{
    cell_t    cell;
    uint64_t  now, k;
    budget_t  budget = { LIMIT_MAX, LIMIT_MAX, WINDOW_MAX, 0, 0 };

    now = TIME_MAX / 2;
    memset(&cell, 0, sizeof(cell));

    ok(code->wait(&budget, &cell, 2 * LIMIT_MAX - 1, now) == 0
       && code->wait(&budget, &cell, 2 * LIMIT_MAX, now) == 0
       && code->wait(&budget, &cell, 2 * LIMIT_MAX + 1, now) == NEVER
       && code->wait(&budget, &cell, UINT64_MAX, now) == NEVER,
       "%s: the largest cost", code->name);

    code->spend(&budget, &cell, 2 * LIMIT_MAX, now);

    ok(code->wait(&budget, &cell, 2 * LIMIT_MAX, now) == 3 * WINDOW_MAX
       && code->reset(&budget, &cell, now) == 3 * WINDOW_MAX
       && code->wait(&budget, &cell, LIMIT_MAX, now) == 2 * WINDOW_MAX,
       "%s: limit, burst and window at their bounds", code->name);

    code->roll(&budget, &cell, now + WINDOW_MAX + WINDOW_MAX / 4);
    ok(code->spent(&budget, &cell, now + WINDOW_MAX + WINDOW_MAX / 4)
       == LIMIT_MAX + LIMIT_MAX / 4 * 3, "%s: spent at the bounds",
       code->name);

    cell.cur = 0;
    code->spend(&budget, &cell, UNITS_MAX - 1, now);
    ok(cell.cur == UNITS_MAX - 1, "%s: one below the most units", code->name);

    code->spend(&budget, &cell, 1, now);
    ok(cell.cur == UNITS_MAX, "%s: the most units", code->name);

    code->spend(&budget, &cell, 1, now);
    ok(cell.cur == UNITS_MAX, "%s: one more saturates", code->name);

    code->spend(&budget, &cell, UINT64_MAX, now);
    ok(cell.cur == UNITS_MAX
       && code->spent(&budget, &cell, now) == UNITS_MAX
       && code->remaining(&budget, &cell, now) == 0
       && code->wait(&budget, &cell, 0, now) != 0,
       "%s: a cost of 2^64 - 1 saturates", code->name);

    budget.limit = 1;
    budget.window = 1000;
    memset(&cell, 0, sizeof(cell));

    /* k buckets end, and the last unit takes one more window to go */

    k = TIME_MAX / 1000 - 1;
    code->spend(&budget, &cell, k, 0);
    ok(code->reset(&budget, &cell, 0) == (k + 1) * 1000
       && code->reset(&budget, &cell, TIME_MAX % 1000)
          == (k + 1) * 1000 - TIME_MAX % 1000,
       "%s: the longest wait that fits", code->name);

    start_at(&cell, TIME_MAX % 1000);
    ok(code->reset(&budget, &cell, 0) == TIME_MAX,
       "%s: until the last moment", code->name);

    start_at(&cell, TIME_MAX % 1000 + 1);
    ok(code->reset(&budget, &cell, 0) == NEVER,
       "%s: not one ms later", code->name);

    start_at(&cell, 0);
    code->spend(&budget, &cell, 1, 0);
    ok(code->reset(&budget, &cell, 0) == NEVER,
       "%s: a wait that does not fit", code->name);

    cell.cur = UNITS_MAX;
    ok(code->reset(&budget, &cell, 0) == NEVER
       && code->wait(&budget, &cell, 0, 0) == NEVER,
       "%s: nor does the longest", code->name);
}


static void
test_end(code_t *code)
{
    cell_t    cell, later;
    budget_t  budget = { 10, 0, 1000, 0, 0 };

    memset(&cell, 0, sizeof(cell));
    code->spend(&budget, &cell, 10, UINT64_MAX);
    ok(start_of(&cell) == TIME_MAX && cell.cur == 10,
       "%s: time past the last moment is the last moment", code->name);

    later = cell;
    code->roll(&budget, &later, UINT64_MAX);
    ok(same(&cell, &later)
       && code->wait(&budget, &cell, 1, UINT64_MAX) == NEVER
       && code->reset(&budget, &cell, UINT64_MAX) == NEVER,
       "%s: and stands still there", code->name);

    start_at(&cell, TIME_MAX - 1100);
    ok(code->wait(&budget, &cell, 1, TIME_MAX - 1100) == 1100
       && code->wait(&budget, &cell, 2, TIME_MAX - 1100) == NEVER,
       "%s: what would come back later never does", code->name);

    code->roll(&budget, &cell, TIME_MAX + 1);
    ok(start_of(&cell) == TIME_MAX - 100
       && code->spent(&budget, &cell, TIME_MAX - 1) == 10
       && code->spent(&budget, &cell, TIME_MAX) == 9
       && code->spent(&budget, &cell, TIME_MAX + 1) == 9,
       "%s: the last moments", code->name);
}


int
main(void)
{
    unsigned  i;

    test_valid();
    test_muldiv();

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        test_small(&codes[i]);
        test_large(&codes[i]);
        test_clock(&codes[i]);
        test_saturation(&codes[i]);
        test_end(&codes[i]);
    }

    return tap_done();
}
