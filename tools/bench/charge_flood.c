
/*
 * Copyright (C) the modelguard authors
 *
 * Fresh keys by the million, and what becomes of those who had spent all of
 * a budget, or half of it, before.
 */


#include <string.h>

#include "charge.h"


#define FLOOD_TENTHS   10
#define FLOOD_BATCHES  100           /* in a tenth */
#define FLOOD_SPENT    1000          /* clients of either sort */
#define FLOOD_QUOTA    10


static uint64_t
flood_rss(void)
{
    FILE           *file;
    char            line[256];
    unsigned long   resident;

    resident = 0;
    file = fopen("/proc/self/smaps_rollup", "r");

    while (file != NULL && fgets(line, sizeof(line), file) != NULL
           && sscanf(line, "Rss: %lu", &resident) != 1)
    {
        /* void */
    }

    if (resident == 0) {
        charge_fail("no /proc/self/smaps_rollup");
    }

    (void) fclose(file);

    return resident;
}


/* how many of those with something spent are still known for it */

static uint64_t
flood_known(modelguard_table_t *table, const modelguard_budget_t *budget,
    uint64_t first, uint64_t remaining)
{
    uint64_t              n, known;
    unsigned              shard;
    modelguard_id_t       id;
    modelguard_charge_t   charge;
    modelguard_verdict_t  verdict;

    known = 0;

    for (n = first; n < first + FLOOD_SPENT; n++) {
        memset(&charge, 0, sizeof(charge));
        charge.name = 1;
        charge.budget = budget;

        id = charge_id(n);
        shard = modelguard_table_shard(table, &id);

        if (modelguard_table_lock(table, shard) != MODELGUARD_OK) {
            charge_fail("no lock");
        }

        modelguard_table_charge(table, &id, &charge, 1, CHARGE_NOW, &verdict);
        modelguard_table_unlock(table, shard);

        known += (charge.remaining == remaining);
    }

    return known;
}


static int
flood_order(const void *a, const void *b)
{
    double  x, y;

    x = *(const double *) a;
    y = *(const double *) b;

    return (x > y) - (x < y);
}


/* million charges a second, in the best batches but a tenth of them */

static double
flood_tenth(modelguard_table_t *table, const modelguard_budget_t *budget,
    uint64_t n, uint64_t keys, uint64_t *admitted)
{
    double           rates[FLOOD_BATCHES];
    uint64_t         start, batch, end;
    modelguard_id_t  id;

    for (batch = 0; batch < FLOOD_BATCHES; batch++) {
        start = charge_clock();

        for (end = n + keys / FLOOD_BATCHES; n < end; n++) {
            id = charge_id(n);
            *admitted += charge_one(table, &id, budget, 1, CHARGE_NOW)
                         == MODELGUARD_PASSED;
        }

        rates[batch] = (double) (keys / FLOOD_BATCHES) * 1000
                       / (double) (charge_clock() - start);
    }

    qsort(rates, FLOOD_BATCHES, sizeof(double), flood_order);

    return rates[FLOOD_BATCHES * 9 / 10];
}


void
charge_flood(uint64_t keys, uint64_t clients)
{
    size_t                   size;
    double                   first, last, rates[FLOOD_TENTHS];
    uint64_t                 n, tenth, start, rss;
    uint64_t                 spent, half, admitted;
    modelguard_id_t          id;
    modelguard_table_t      *table;
    modelguard_budget_t      budget;
    modelguard_table_stat_t  stat;

    charge_pin(0);
    charge_parameters(&budget, FLOOD_QUOTA);

    size = charge_room(clients, 1);
    table = charge_table(charge_map(size), size, 1, FLOOD_QUOTA);

    for (n = 0; n < 2 * FLOOD_SPENT; n++) {
        id = charge_id(n);

        for (tenth = 0;
             tenth < (n < FLOOD_SPENT ? FLOOD_QUOTA : FLOOD_QUOTA / 2);
             tenth++)
        {
            (void) charge_one(table, &id, &budget, 1, CHARGE_NOW);
        }
    }

    /* the zone is full before the clock starts */

    n = 1000000000;
    admitted = 0;

    for (start = n; n < start + 2 * clients; n++) {
        id = charge_id(n);
        (void) charge_one(table, &id, &budget, 1, CHARGE_NOW);
    }

    spent = flood_known(table, &budget, 0, 0);
    printf("keys %llu\nclients %llu\nzone_bytes %zu\n",
           (unsigned long long) keys, (unsigned long long) clients, size);

    rss = 0;

    for (tenth = 0; tenth < FLOOD_TENTHS; tenth++) {
        rates[tenth] = flood_tenth(table, &budget, n, keys / FLOOD_TENTHS,
                                   &admitted);
        n += keys / FLOOD_TENTHS;

        printf("rate_%u %.3f\n", (unsigned) tenth + 1, rates[tenth]);

        /* by then all code has been loaded, too */

        if (tenth == 0) {
            rss = flood_rss();
        }

        if (flood_known(table, &budget, 0, 0) < spent) {
            spent = flood_known(table, &budget, 0, 0);
        }
    }

    half = flood_known(table, &budget, FLOOD_SPENT, FLOOD_QUOTA / 2);
    modelguard_table_stat(table, &stat);

    first = rates[0];
    last = rates[FLOOD_TENTHS - 1];

    printf("records %llu\nevicted %llu\nexhausted %llu\nadmitted %llu\n",
           (unsigned long long) stat.records,
           (unsigned long long) stat.evicted,
           (unsigned long long) stat.exhausted,
           (unsigned long long) admitted);
    printf("spent_before %u\nspent_after %llu\nhalf_after %llu\n",
           FLOOD_SPENT, (unsigned long long) spent,
           (unsigned long long) half);
    printf("rss_kb %llu\nrss_kb_grown %lld\n", (unsigned long long) rss,
           (long long) (flood_rss() - rss));
    printf("last_to_first %.3f\n", last / first);
}
