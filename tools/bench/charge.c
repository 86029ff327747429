
/*
 * Copyright (C) the modelguard authors
 *
 * What a charge costs, and what a client takes, without nginx:
 *
 *     charge bytes
 *     charge run STRUCTURE PATTERN CLIENTS PROCESSES BUDGETS CHARGES
 *     charge flood KEYS CLIENTS
 *     charge hash CHARGES
 *
 * STRUCTURE: table, or tree, which is limit_req's shape; PATTERN: uniform,
 * zipf (exponent 1), hot (1000 clients get all) or one.  Every client has a
 * record before the measurement begins.  "run" prints nanoseconds of a charge
 * as one process sees them, locks and all, the key's hash not among them: the
 * median of many batches, so that what else the machine does counts little.
 * Prints lines "KEY VALUE".
 */


#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "charge.h"
#include "charge_tree.h"

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>

#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#endif


#define CHARGE_HOT    1000
#define CHARGE_LIMIT  MODELGUARD_BUDGET_LIMIT_MAX
#define CHARGE_MB     (1024 * 1024)
#define CHARGE_BATCH  5000
#define CHARGE_MOST   16             /* processes */


typedef struct {
    int              tree;
    unsigned         budgets;
    uint64_t         clients;
    uint64_t         charges;
    const char      *pattern;
    modelguard_id_t  *sequence;       /* the next "charges" clients */
    void            *memory;
    size_t           size;
} charge_bench_t;


typedef struct {
    volatile unsigned  ready;
    volatile double    nanoseconds[CHARGE_MOST];
    volatile uint64_t  refused[CHARGE_MOST];
} charge_shared_t;


static uint64_t  charge_seed = 0x9e3779b97f4a7c15ULL;


void
charge_fail(const char *what)
{
    fprintf(stderr, "charge: %s\n", what);
    exit(1);
}


static uint64_t
charge_random(void)
{
    charge_seed ^= charge_seed << 13;
    charge_seed ^= charge_seed >> 7;
    charge_seed ^= charge_seed << 17;

    return charge_seed * 0x2545f4914f6cdd1dULL >> 11;
}


uint64_t
charge_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000000ULL + (uint64_t) ts.tv_nsec;
}


void *
charge_map(size_t size)
{
    void  *mem;

    mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (mem == MAP_FAILED) {
        charge_fail("no memory");
    }

    return mem;
}


modelguard_id_t
charge_id(uint64_t n)
{
    modelguard_id_t  id;
    static uint8_t   secret[MODELGUARD_HASH_SECRET] = "a secret";

    modelguard_hash(&id, secret, (uint8_t *) &n, sizeof(n));

    return id;
}


/* the least memory that holds so many clients, with some slack */

size_t
charge_room(uint64_t clients, unsigned budgets)
{
    size_t  size;

    size = CHARGE_MB / 4;

    while (modelguard_table_capacity(size, budgets) < clients) {
        size += size / 64 / MODELGUARD_TABLE_PAGE * MODELGUARD_TABLE_PAGE
                + MODELGUARD_TABLE_PAGE;
    }

    return size;
}


void
charge_parameters(modelguard_budget_t *budget, uint64_t limit)
{
    memset(budget, 0, sizeof(modelguard_budget_t));

    budget->limit = limit;
    budget->window = 3600000;
    budget->kind = MODELGUARD_BUDGET_SLIDING;
}


modelguard_table_t *
charge_table(void *memory, size_t size, unsigned budgets, uint64_t limit)
{
    uint64_t             uid[2] = { 1, 2 };
    unsigned             i;
    modelguard_table_t  *table;
    modelguard_budget_t  budget;

    table = memory;
    charge_parameters(&budget, limit);

    if (modelguard_table_init(table, size, budgets, uid, 3) != MODELGUARD_OK
        || modelguard_table_lock_all(table) != MODELGUARD_OK)
    {
        charge_fail("no table");
    }

    for (i = 1; i <= budgets; i++) {
        if (modelguard_table_register(table, i, &budget) != MODELGUARD_OK) {
            charge_fail("no budget");
        }
    }

    modelguard_table_unlock_all(table);

    return table;
}


modelguard_table_verdict_e
charge_one(modelguard_table_t *table, const modelguard_id_t *id,
    const modelguard_budget_t *budget, unsigned budgets, uint64_t now)
{
    unsigned              i;
    modelguard_charge_t   charges[MODELGUARD_TABLE_BUDGETS];
    modelguard_verdict_t  verdict;

    for (i = 0; i < budgets; i++) {
        charges[i].name = i + 1;
        charges[i].budget = budget;
        charges[i].cost = 1;
        charges[i].dry_run = 0;
    }

    if (modelguard_table_pay(table, id, charges, budgets, now, &verdict)
        != MODELGUARD_OK)
    {
        charge_fail("no lock");
    }

    return verdict.verdict;
}


static uint64_t
charge_batch(const charge_bench_t *bench, uint64_t i, uint64_t n)
{
    uint64_t             now, refused;
    modelguard_budget_t  budget;

    refused = 0;
    now = CHARGE_NOW + i / 0x1000;
    charge_parameters(&budget, CHARGE_LIMIT);

    for (n += i; i < n; i++) {
        now += !(i & 0xfff);

        if (bench->tree) {
            refused += charge_tree(bench->memory, &bench->sequence[i],
                                   now) != CHARGE_TREE_PASSED;

        } else {
            refused += charge_one(bench->memory, &bench->sequence[i], &budget,
                                  bench->budgets, now) != MODELGUARD_PASSED;
        }
    }

    return refused;
}


static int
charge_order(const void *a, const void *b)
{
    double  x, y;

    x = *(const double *) a;
    y = *(const double *) b;

    return (x > y) - (x < y);
}


static double
charge_loop(const charge_bench_t *bench, volatile uint64_t *refused)
{
    double    *times, median;
    uint64_t   i, n, start;

    n = bench->charges / CHARGE_BATCH;
    times = malloc((n + 1) * sizeof(double));

    if (times == NULL || n == 0) {
        charge_fail("no memory, or too few charges");
    }

    for (i = 0; i < n; i++) {
        start = charge_clock();
        *refused += charge_batch(bench, i * CHARGE_BATCH, CHARGE_BATCH);
        times[i] = (double) (charge_clock() - start) / CHARGE_BATCH;
    }

    qsort(times, n, sizeof(double), charge_order);
    median = times[n / 2];
    free(times);

    return median;
}


/* a rank of 0 .. n - 1 whose frequency is 1 / (rank + 1) */

static uint64_t
charge_zipf(uint64_t n)
{
    double           at;
    uint64_t         i, low, high, middle;
    static double   *sums;
    static uint64_t  sums_n;

    if (sums_n != n) {
        sums = malloc(n * sizeof(double));

        if (sums == NULL) {
            charge_fail("no memory");
        }

        for (i = 0, at = 0; i < n; i++) {
            at += 1.0 / (double) (i + 1);
            sums[i] = at;
        }

        sums_n = n;
    }

    at = sums[n - 1] * ((double) (charge_random() >> 1)
                        / (double) (1ULL << 52));
    low = 0;
    high = n - 1;

    while (low < high) {
        middle = (low + high) / 2;

        if (sums[middle] < at) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low;
}


static void
charge_sequence(charge_bench_t *bench)
{
    uint64_t  i, n, hot;

    hot = (bench->clients < CHARGE_HOT) ? bench->clients : CHARGE_HOT;

    for (i = 0; i < bench->charges; i++) {
        switch (bench->pattern[0]) {

        case 'u':
            n = charge_random() % bench->clients;
            break;

        case 'z':
            n = charge_zipf(bench->clients);
            break;

        case 'h':
            n = charge_random() % hot * (bench->clients / hot);
            break;

        default:
            n = 1;
        }

        bench->sequence[i] = charge_id(n);
    }
}


static void
charge_fill(charge_bench_t *bench)
{
    uint64_t             n;
    modelguard_id_t      id;
    modelguard_budget_t  budget;

    charge_parameters(&budget, CHARGE_LIMIT);

    bench->size = bench->tree ? charge_tree_size(bench->clients)
                              : charge_room(bench->clients * 5 / 4,
                                            bench->budgets);
    bench->memory = charge_map(bench->size);

    if (bench->tree) {
        charge_tree_init(bench->memory, bench->clients);

    } else {
        (void) charge_table(bench->memory, bench->size, bench->budgets,
                            CHARGE_LIMIT);
    }

    for (n = 0; n < bench->clients; n++) {
        id = charge_id(n);

        if (bench->tree) {
            (void) charge_tree(bench->memory, &id, CHARGE_NOW);

        } else if (charge_one(bench->memory, &id, &budget, bench->budgets,
                              CHARGE_NOW)
                   != MODELGUARD_PASSED)
        {
            charge_fail("no room for all clients");
        }
    }
}


void
charge_pin(unsigned n)
{
    int        i, core;
    cpu_set_t  all, one;

    if (sched_getaffinity(0, sizeof(all), &all) != 0) {
        return;
    }

    core = (int) n % CPU_COUNT(&all);
    CPU_ZERO(&one);

    for (i = 0; i < CPU_SETSIZE; i++) {
        if (CPU_ISSET(i, &all) && core-- == 0) {
            CPU_SET(i, &one);
            break;
        }
    }

    (void) sched_setaffinity(0, sizeof(one), &one);
}


static void
charge_process(charge_bench_t *bench, charge_shared_t *shared, unsigned n,
    unsigned processes)
{
    size_t    i;
    uint64_t  sum;

    charge_pin(n);
    charge_seed += (n + 1) * 0x2545f4914f6cdd1dULL;
    charge_sequence(bench);

    /* the pages that a fork has still to find are not what is measured */

    for (i = 0, sum = 0; i < bench->size; i += MODELGUARD_TABLE_PAGE) {
        sum += ((volatile uint8_t *) bench->memory)[i];
    }

    (void) __sync_fetch_and_add(&shared->ready, 1);

    while (shared->ready < processes) {
        (void) sched_yield();
    }

    CALLGRIND_START_INSTRUMENTATION;

    shared->nanoseconds[n] = charge_loop(bench, &shared->refused[n]);

    CALLGRIND_STOP_INSTRUMENTATION;

    if (sum == 0) {
        charge_fail("nothing is in the table");
    }
}


static void
charge_run(charge_bench_t *bench, unsigned processes)
{
    double            sum;
    unsigned          n;
    uint64_t          refused;
    charge_shared_t  *shared;

    charge_fill(bench);

    shared = charge_map(sizeof(charge_shared_t));
    bench->sequence = malloc(bench->charges * sizeof(modelguard_id_t));

    if (bench->sequence == NULL) {
        charge_fail("no memory");
    }

    for (n = 1; n < processes; n++) {
        if (fork() == 0) {
            charge_process(bench, shared, n, processes);
            _exit(0);
        }
    }

    charge_process(bench, shared, 0, processes);

    while (wait(NULL) > 0) { /* void */ }

    for (n = 0, sum = 0, refused = 0; n < processes; n++) {
        sum += shared->nanoseconds[n];
        refused += shared->refused[n];
    }

    if (refused) {
        charge_fail("a charge was refused");
    }

    printf("ns %.2f\n", sum / processes);
}


static void
charge_hash(uint64_t n)
{
    uint64_t         i, start;
    uint8_t          key[20] = "sk-0123456789abcdef";
    modelguard_id_t  id;

    memset(&id, 0, sizeof(id));
    start = charge_clock();

    for (i = 0; i < n; i++) {
        key[0] = (uint8_t) id.low;
        modelguard_hash(&id, (const uint8_t *) "0123456789abcdef", key,
                        sizeof(key));
    }

    printf("ns %.2f\n", (double) (charge_clock() - start) / (double) n);
}


static void
charge_bytes(void)
{
    unsigned  budgets;

    for (budgets = 1; budgets <= MODELGUARD_TABLE_BUDGETS; budgets++) {
        printf("bytes_%u %zu\n", budgets, modelguard_table_bytes(budgets));
        printf("clients_%u %.0f\n", budgets,
               (double) modelguard_table_capacity(32 * CHARGE_MB, budgets)
               / 32);
    }
}


int
main(int argc, char **argv)
{
    charge_bench_t  bench;

    memset(&bench, 0, sizeof(bench));

    if (argc == 2 && strcmp(argv[1], "bytes") == 0) {
        charge_bytes();

    } else if (argc == 3 && strcmp(argv[1], "hash") == 0) {
        charge_hash(strtoull(argv[2], NULL, 10));

    } else if (argc == 4 && strcmp(argv[1], "flood") == 0) {
        charge_flood(strtoull(argv[2], NULL, 10),
                     strtoull(argv[3], NULL, 10));

    } else if (argc == 8 && strcmp(argv[1], "run") == 0) {
        bench.tree = (strcmp(argv[2], "tree") == 0);
        bench.pattern = argv[3];
        bench.clients = strtoull(argv[4], NULL, 10);
        bench.budgets = (unsigned) strtoul(argv[6], NULL, 10);
        bench.charges = strtoull(argv[7], NULL, 10);

        charge_run(&bench, (unsigned) strtoul(argv[5], NULL, 10));

    } else {
        charge_fail("see the head of charge.c for its arguments");
    }

    return 0;
}
