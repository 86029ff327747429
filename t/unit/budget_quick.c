
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

    return tap_done();
}
