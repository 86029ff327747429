
/*
 * Copyright (C) the modelguard authors
 *
 * modelguard_budget_quick: comes to what modelguard_budget comes to.
 */


#include "tap.h"
#include "budget_kit.h"
#include "modelguard_budget_quick.h"


#define ROUNDS  300000


/* values beside which something changes */

static uint64_t
near(uint64_t value, uint64_t max)
{
    uint64_t  n;

    n = value + below(3) - 1;

    return (n > max) ? value : n;
}


static void
choose(budget_t *budget, unsigned kind)
{
    memset(budget, 0, sizeof(budget_t));

    budget->kind = kind;
    budget->limit = sized(LIMIT_MAX);

    if (kind == MODELGUARD_BUDGET_SLIDING) {
        budget->burst = below(2) ? sized(LIMIT_MAX) : 0;
    }

    if (kind == MODELGUARD_BUDGET_SLIDING
        || kind == MODELGUARD_BUDGET_CONCURRENT)
    {
        budget->window = WINDOW_MIN + below(2) * below(WINDOW_MAX - WINDOW_MIN);
    }
}


/*
 * 1 if a charge comes to what looking, spending and looking again come to, or
 * is left alone, as it must be when it would leave nothing of the limit
 */

static int
same_charge(const budget_t *budget, const cell_t *cell, uint64_t cost,
    uint64_t now, unsigned *made)
{
    cell_t                    quick, slow;
    modelguard_budget_left_t  left;

    quick = *cell;
    slow = *cell;

    if (!modelguard_budget_quick_charge(budget, &quick, cost, now, &left)) {
        return memcmp(&quick, cell, sizeof(cell_t)) == 0;
    }

    (*made)++;

    modelguard_budget_roll(budget, &slow, now);

    if (memcmp(&slow, cell, sizeof(cell_t)) != 0
        || modelguard_budget_wait(budget, &slow, cost, now) != 0)
    {
        return 0;
    }

    modelguard_budget_spend(budget, &slow, cost, now);

    return memcmp(&slow, &quick, sizeof(cell_t)) == 0
           && left.remaining == modelguard_budget_remaining(budget, &slow, now)
           && left.remaining > budget->burst
           && left.reset == modelguard_budget_reset(budget, &slow, now);
}


static void
test_charge(void)
{
    cell_t    cell;
    budget_t  budget;
    unsigned  n, failed, made;
    uint64_t  now, cost, start, spent;

    failed = made = 0;

    for (n = 0; n < ROUNDS; n++) {
        choose(&budget, below(8) ? MODELGUARD_BUDGET_SLIDING
                                 : (unsigned) below(MODELGUARD_BUDGET_KINDS));

        start = below(8) ? sized(TIME_MAX)
                         : TIME_MAX - below(3 * WINDOW_MAX);
        now = start + (below(8) ? below(budget.window + 1)
                                : near(budget.window, TIME_MAX));
        now -= !below(16);

        cell.stamp = start << 16 | below(0x10000);
        cell.cur = below(8) ? below(budget.limit + 1) : sized(UINT64_MAX);
        cell.prev = below(2) ? sized(budget.limit) : 0;
        cell.cur *= below(8) != 0;
        cost = below(2) ? 1 : sized(budget.limit);

        /* just to the limit, and one beside it */

        spent = modelguard_budget_spent(&budget, &cell, now);

        if (below(2) && spent < budget.limit) {
            cost = near(budget.limit - spent, UINT64_MAX);
        }

        failed += !same_charge(&budget, &cell, cost, now, &made);
    }

    ok(failed == 0 && made > ROUNDS / 20,
       "%u charges, %u of them quick, %u otherwise", ROUNDS, made, failed);
}


/*
 * What was spent in the window before is scaled in 64 bits where it fits in
 * 32, and else left alone: at the bound and beside it, of windows and ages
 * that are below it.
 */

static void
test_before(void)
{
    cell_t                    cell;
    budget_t                  budget;
    unsigned                  i, failed, made;
    modelguard_budget_left_t  left;

    static const uint64_t  before[] = {
        UINT32_MAX - 1ULL, UINT32_MAX, UINT32_MAX + 1ULL
    };

    memset(&budget, 0, sizeof(budget_t));
    budget.limit = 2 * (UINT32_MAX + 1ULL);
    budget.window = 60000;

    failed = made = 0;

    for (i = 0; i < 3; i++) {
        memset(&cell, 0, sizeof(cell_t));
        cell.stamp = (uint64_t) 1000000 << 16;
        cell.cur = 5;
        cell.prev = before[i];

        failed += !same_charge(&budget, &cell, 1, 1000000 + 40000, &made);
        failed += modelguard_budget_quick_charge(&budget, &cell, 1,
                                                 1000000 + 40000, &left)
                  != (before[i] <= UINT32_MAX);
    }

    ok(failed == 0 && made == 2, "2^32 - 2, 2^32 - 1 and 2^32 spent before");
}


int
main(void)
{
    cell_t    cell, quick;
    budget_t  budget;
    unsigned  n, kind, failed, rolled, spent, reset;
    uint64_t  now, start;

    for (kind = 0; kind < MODELGUARD_BUDGET_KINDS; kind++) {
        failed = rolled = spent = reset = 0;

        for (n = 0; n < ROUNDS; n++) {
            choose(&budget, kind);

            start = below(4) ? sized(TIME_MAX)
                             : TIME_MAX - below(3 * budget.window + 3);
            cell.stamp = start << 16 | below(0x10000);
            cell.cur = below(3) ? sized(UNITS_MAX)
                                : near(budget.limit, UNITS_MAX);
            cell.cur *= below(5) != 0;
            cell.prev = below(2) ? sized(budget.limit) : 0;

            switch (below(4)) {

            case 0:
                now = near(start + budget.window, UINT64_MAX);
                break;

            case 1:
                now = start + below(budget.window + 1);
                break;

            case 2:
                now = near(TIME_MAX, UINT64_MAX);
                break;

            default:
                now = sized(TIME_MAX);
            }

            quick = cell;
            modelguard_budget_roll(&budget, &cell, now);
            modelguard_budget_quick_roll(&budget, &quick, now);

            rolled += memcmp(&cell, &quick, sizeof(cell_t)) != 0;
            spent += modelguard_budget_spent(&budget, &cell, now)
                     != modelguard_budget_quick_spent(&budget, &cell, now);
            reset += modelguard_budget_reset(&budget, &cell, now)
                     != modelguard_budget_quick_reset(&budget, &cell, now);
        }

        failed = rolled + spent + reset;

        ok(failed == 0, "kind %u: %u cells, rolled %u, spent %u and reset %u"
           " of them otherwise", kind, ROUNDS, rolled, spent, reset);
    }

    test_charge();
    test_before();

    return tap_done();
}
