
/*
 * Copyright (C) the modelguard authors
 *
 * modelguard_budget: the mean cost in 16 bits.
 */


#include "tap.h"
#include "budget_kit.h"


static uint64_t
learnt(uint64_t actual)
{
    cell_t  cell;

    memset(&cell, 0, sizeof(cell));
    modelguard_budget_learn(&cell, actual);

    return modelguard_budget_mean(&cell);
}


static void
test_first(void)
{
    unsigned  i, failed;
    uint64_t  n, mean;

    failed = 0;

    for (n = 1; n < 2048; n++) {
        failed += learnt(n) != n;
    }

    ok(failed == 0 && learnt(2048) == 2048 && learnt(2049) == 2050
       && learnt(4093) == 4094 && learnt(4095) == 4096,
       "up to 2048 as it is, then rounded up");
    ok(learnt(0) == 1, "nothing is learnt as 1, as 0 is nothing learnt");

    failed = 0;

    for (i = 0; i < 300000; i++) {
        n = sized(UNITS_MAX);
        mean = learnt(n);
        failed += mean < n || mean - n > n / 1000;
    }

    ok(failed == 0, "never less, at most 0.1 %% more, %u", i);
    ok(learnt(UNITS_MAX - 1) == UNITS_MAX && learnt(UNITS_MAX) == UNITS_MAX
       && learnt(UNITS_MAX + 1) == UNITS_MAX
       && learnt(UINT64_MAX) == UNITS_MAX, "the most units");
}


static void
test_codes(void)
{
    cell_t    cell, again;
    unsigned  code, failed, bounds;
    uint64_t  mean, last;

    last = 0;
    failed = 0;
    bounds = 0;
    memset(&cell, 0, sizeof(cell));

    for (code = 0; code < 65536; code++) {
        cell.stamp = 0x123456789abc0000ULL | code;
        mean = modelguard_budget_mean(&cell);
        bounds += mean > UNITS_MAX || mean < last;

        /* the same again changes nothing */

        again = cell;
        modelguard_budget_learn(&again, mean);
        failed += code && modelguard_budget_mean(&again) != mean;
        failed += again.stamp >> 16 != cell.stamp >> 16;
        last = mean;
    }

    ok(bounds == 0, "all codes ascend and end at the most units");
    ok(failed == 0, "a mean is the mean of itself, and no start changes");
}


static void
test_learn(void)
{
    double    exact;
    cell_t    cell, again;
    unsigned  i, k, failed;
    uint64_t  actual, mean, next, low, high;

    memset(&cell, 0, sizeof(cell));
    modelguard_budget_learn(&cell, 800);
    modelguard_budget_learn(&cell, 0);
    ok(modelguard_budget_mean(&cell) == 700, "an eighth less");

    modelguard_budget_learn(&cell, 1500);
    ok(modelguard_budget_mean(&cell) == 800, "an eighth more");

    again = cell;
    modelguard_budget_learn(&cell, UNITS_MAX);
    modelguard_budget_learn(&again, UINT64_MAX);
    ok(cell.stamp == again.stamp, "more than the most units are the most");

    failed = 0;

    for (i = 0; i < 500; i++) {
        memset(&cell, 0, sizeof(cell));
        actual = sized(UNITS_MAX / 2);
        modelguard_budget_learn(&cell, actual);
        exact = (double) actual;
        low = actual;
        high = actual;

        for (k = 0; k < 100; k++) {
            actual = below(4) ? actual + below(actual / 2 + 2)
                              : sized(UNITS_MAX / 2);
            actual %= UNITS_MAX / 2;
            low = (actual < low) ? actual : low;
            high = (actual > high) ? actual : high;
            exact = exact * 7 / 8 + (double) actual / 8;

            next = (modelguard_budget_mean(&cell) * 7 + actual) / 8;
            modelguard_budget_learn(&cell, actual);
            mean = modelguard_budget_mean(&cell);

            failed += mean < next || mean > next + next / 1000 + 2
                      || (double) mean < exact * 0.999 - 8
                      || mean < low || mean > high + high / 1000 + 1;
        }
    }

    ok(failed == 0, "each step as exact as 16 bits can be, never too low, %u",
       i * k);

    failed = 0;

    for (i = 0; i < 2000; i++) {
        memset(&cell, 0, sizeof(cell));
        modelguard_budget_learn(&cell, sized(UNITS_MAX));
        actual = sized((i % 2) ? UNITS_MAX : 2000);

        for (k = 0; k < 2500; k++) {
            modelguard_budget_learn(&cell, actual);
        }

        mean = modelguard_budget_mean(&cell);
        failed += mean < actual || mean - actual > actual / 100
                  || (actual < 2048 && mean != actual);
    }

    ok(failed == 0, "gets to what is always the same, %u", i);
}


int
main(void)
{
    test_first();
    test_codes();
    test_learn();

    return tap_done();
}
