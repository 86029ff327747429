
/*
 * Copyright (C) the modelguard authors
 *
 * modelguard_budget: what a sliding budget lets pass in any span of time.
 */


#include "tap.h"
#include "budget_kit.h"


/*
 * The estimate falls by at most limit / window a ms, because what is carried
 * over a bucket's end never exceeds the limit.  So over any d ms, wherever
 * they begin, no more passes than
 *
 *     limit + burst + limit * d / window
 *
 * which is limit + burst at an instant, also at the edge of two buckets,
 * where a fixed window would let twice the limit pass.
 */

#define EVENTS  1500

static uint64_t  times[EVENTS], costs[EVENTS];


static unsigned
overruns(const budget_t *budget, unsigned n)
{
    wide_t    sum;
    unsigned  i, j, failed;

    failed = 0;

    for (i = 0; i < n; i++) {
        sum = 0;

        for (j = i; j < n; j++) {
            sum += costs[j];
            failed += sum > (wide_t) budget->limit + budget->burst
                            + (wide_t) budget->limit * (times[j] - times[i])
                              / budget->window;
        }
    }

    return failed;
}


static void
test_rate(void)
{
    cell_t    cell;
    budget_t  budget;
    unsigned  run, n, tries, failed;
    uint64_t  now, cost;

    failed = 0;
    memset(&budget, 0, sizeof(budget));

    for (run = 0; run < 40; run++) {
        budget.limit = sized(200);
        budget.burst = (run % 2) ? sized(300) : 0;
        budget.window = 1000 + below(2000);

        memset(&cell, 0, sizeof(cell));
        now = below(1ULL << 40);

        for (n = 0, tries = 0; n < EVENTS && tries < 100000; tries++) {
            modelguard_budget_roll(&budget, &cell, now);

            /* all that is left, or a little, or nothing for a long while */

            cost = modelguard_budget_remaining(&budget, &cell, now);

            if (run % 4 > 1) {
                cost = sized(cost + 1);
            }

            if (cost
                && modelguard_budget_wait(&budget, &cell, cost, now) == 0)
            {
                modelguard_budget_spend(&budget, &cell, cost, now);
                times[n] = now;
                costs[n++] = cost;
            }

            now += (below(50) == 0) ? below(3 * budget.window)
                                    : below(1 + budget.window / 50);
        }

        failed += overruns(&budget, n);
    }

    ok(failed == 0, "limit + burst + limit * d / window over any d, "
       "%u runs", run);
}


static void
test_edge(void)
{
    cell_t    cell;
    uint64_t  edge;
    budget_t  budget = { 100, 0, 60000, 0, 0 };

    memset(&cell, 0, sizeof(cell));
    edge = 5000 + budget.window;

    modelguard_budget_spend(&budget, &cell, 1, 5000);
    modelguard_budget_roll(&budget, &cell, edge - 1);
    modelguard_budget_spend(&budget, &cell, 99, edge - 1);

    ok(modelguard_budget_remaining(&budget, &cell, edge - 1) == 0,
       "full at the end of a bucket");

    modelguard_budget_roll(&budget, &cell, edge);
    ok(modelguard_budget_wait(&budget, &cell, 1, edge) == 600,
       "full at the start of the next, one unit after 1/100 window");
    ok(modelguard_budget_wait(&budget, &cell, 100, edge) == 60000,
       "all after one window");
}


/*
 * The worst that is possible within the length of a window: all but one unit
 * at the end of a bucket, and then each unit as it comes back.
 */

static void
test_worst(void)
{
    cell_t           cell;
    size_t           i;
    wide_t           sum;
    unsigned         j, k, n, close, over;
    uint64_t         now, cost;
    static budget_t  budgets[] = {
        { 100, 0, 1000, 0, 0 }, { 100, 50, 1000, 0, 0 },
        { 500, 0, 1000, 0, 0 }, { 500, 700, 1001, 0, 0 },
        { 1, 0, 1000, 0, 0 }, { 2, 0, 1400, 0, 0 }, { 7, 3, 1013, 0, 0 }
    };

    close = 0;
    over = 0;

    for (i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
        memset(&cell, 0, sizeof(cell));
        modelguard_budget_spend(&budgets[i], &cell, 1, 5);
        times[0] = 5;
        costs[0] = 1;
        n = 1;

        for (now = 5 + budgets[i].window - 1;
             now < 5 + 3 * budgets[i].window;
             now++)
        {
            modelguard_budget_roll(&budgets[i], &cell, now);
            cost = modelguard_budget_remaining(&budgets[i], &cell, now);

            if (cost) {
                modelguard_budget_spend(&budgets[i], &cell, cost, now);
                times[n] = now;
                costs[n++] = cost;
            }
        }

        for (j = 0; j < n; j++) {
            sum = 0;

            for (k = j; k < n && times[k] - times[j] < budgets[i].window; k++) {
                sum += costs[k];
            }

            over += sum >= 2 * budgets[i].limit + budgets[i].burst;

            if (j == 1) {
                close += sum + 2 >= 2 * budgets[i].limit + budgets[i].burst;
            }
        }

        over += overruns(&budgets[i], n);
    }

    ok(over == 0, "2 * limit + burst never passes in one window");
    ok(close == i, "but two units less may, %u budgets", close);
}


/*
 * A clock that stands still, steps back and comes again: no more passes than
 * in the time that it has gone forward.
 */

static void
test_steps(void)
{
    cell_t    cell;
    budget_t  budget;
    unsigned  run, n, tries, failed;
    uint64_t  now, cost, step, forward;

    failed = 0;
    memset(&budget, 0, sizeof(budget));

    for (run = 0; run < 40; run++) {
        budget.limit = sized(200);
        budget.burst = (run % 2) ? sized(300) : 0;
        budget.window = 1000 + below(2000);

        memset(&cell, 0, sizeof(cell));
        now = 10000000 + below(1ULL << 40);
        forward = 0;

        for (n = 0, tries = 0; n < EVENTS && tries < 20000; tries++) {
            modelguard_budget_roll(&budget, &cell, now);
            cost = modelguard_budget_remaining(&budget, &cell, now);

            if (run % 4 > 1) {
                cost = sized(cost + 1);
            }

            if (cost
                && modelguard_budget_wait(&budget, &cell, cost, now) == 0)
            {
                modelguard_budget_spend(&budget, &cell, cost, now);
                times[n] = forward;
                costs[n++] = cost;
            }

            step = (below(50) == 0) ? below(3 * budget.window)
                                    : below(1 + budget.window / 50);

            if (below(3) == 0) {
                now -= step;

            } else {
                now += step;
                forward += step;
            }
        }

        failed += overruns(&budget, n);
    }

    ok(failed == 0, "nor in the time that a stepping clock went forward, "
       "%u runs", run);
}


static void
test_average(void)
{
    cell_t           cell;
    uint64_t         now, cost, total;
    unsigned         i, failed, windows;
    static budget_t  budgets[] = {
        { 100, 0, 1000, 0, 0 }, { 100, 50, 1000, 0, 0 },
        { 100, 5000, 1000, 0, 0 }, { 1, 20, 1000, 0, 0 },
        { 7, 7, 1013, 0, 0 }
    };

    windows = 400;
    failed = 0;

    for (i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
        memset(&cell, 0, sizeof(cell));
        total = 0;

        for (now = 77; now < 77 + windows * budgets[i].window; now++) {
            modelguard_budget_roll(&budgets[i], &cell, now);
            cost = modelguard_budget_remaining(&budgets[i], &cell, now);
            modelguard_budget_spend(&budgets[i], &cell, cost, now);
            total += cost;
        }

        /* rounding up costs the greedy at most a unit a window */

        failed += total > windows * budgets[i].limit + budgets[i].burst;
        failed += total < windows * (budgets[i].limit - 1) + budgets[i].burst;
    }

    ok(failed == 0, "greed gets the limit per window in the long run, "
       "and the burst once, %u budgets", i);
}


int
main(void)
{
    test_rate();
    test_edge();
    test_worst();
    test_steps();
    test_average();

    return tap_done();
}
