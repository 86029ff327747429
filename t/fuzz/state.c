
/*
 * Copyright (C) the modelguard authors
 *
 * A fuzz target: what a state file may hold after a power failure, or
 * somebody's editor.  The input makes a table, charges it, arms journals,
 * and then changes bytes of it; or it is the file itself.
 *
 *     what is not refused is opened without a step outside of it
 *     then every record is whole, counted, and there once
 *     and again opened nothing is left to repair
 *     where bodies of records were damaged, nobody has more than before
 *     it can be charged, copied and swept
 */


#include "fuzz.h"
#include "modelguard_table_inside.h"
#include "table.h"


#define CLIENTS  24
#define NOW      1700000000000ULL


typedef struct {
    table_t  *table;
    size_t    size;
    int       bodies;                /* nothing else was changed */
    uint64_t  before[CLIENTS][BUDGETS];
} file_t;


static const budget_t  kinds[BUDGETS] = {
    { 10, 5, 60000, MODELGUARD_BUDGET_SLIDING, 0 },
    { 100, 0, 0, MODELGUARD_BUDGET_LIFETIME, 0 },
    { 3, 0, 60000, MODELGUARD_BUDGET_CONCURRENT, 0 },
    { 1000000, 0, 0, MODELGUARD_BUDGET_DAY, 3600 },
    { 7, 0, 0, MODELGUARD_BUDGET_MONTH, -3600 },
    { MODELGUARD_BUDGET_LIMIT_MAX, 0, 0, MODELGUARD_BUDGET_WEEK, 0 },
    { 5, 0, 0, MODELGUARD_BUDGET_HOUR, 0 },
    { 1, 0, 1000, MODELGUARD_BUDGET_SLIDING, 0 }
};


static unsigned
charges_of(const table_t *table, charge_t *charges, uint64_t cost)
{
    unsigned  i;

    memset(charges, 0, BUDGETS * sizeof(charge_t));

    for (i = 0; i < table->cells; i++) {
        charges[i].name = i + 1;
        charges[i].budget = &kinds[i];
        charges[i].cost = cost;
    }

    return table->cells;
}


static void
charge_one(table_t *table, uint64_t n, uint64_t cost, uint64_t now,
    charge_t *charges)
{
    unsigned              count;
    client_t              id;
    modelguard_verdict_t  verdict;

    id = client(n);
    count = charges_of(table, charges, cost);

    modelguard_table_charge(table, &id, charges, count, now, &verdict);

    if (verdict.verdict > MODELGUARD_BANNED || verdict.which >= count) {
        fuzz_fail("verdict %d, %u", (int) verdict.verdict, verdict.which);
    }
}


/* what is left to each client: of one that is banned or held, nothing */

static void
measure(table_t *table, uint64_t left[CLIENTS][BUDGETS])
{
    unsigned              i, j, count;
    client_t              id;
    charge_t              charges[BUDGETS];
    modelguard_verdict_t  verdict;

    for (i = 0; i < CLIENTS; i++) {
        id = client(i);
        count = charges_of(table, charges, 0);

        modelguard_table_charge(table, &id, charges, count, NOW, &verdict);

        for (j = 0; j < BUDGETS; j++) {
            left[i][j] = (j < count && verdict.verdict != MODELGUARD_BANNED)
                         ? charges[j].remaining : 0;
        }
    }
}


static void
register_all(table_t *table)
{
    unsigned  i;

    for (i = 0; i < table->cells; i++) {

        if (modelguard_table_register(table, i + 1, &kinds[i])
            != MODELGUARD_OK)
        {
            fuzz_fail("budget %u is not registered", i);
        }
    }
}


/* a journal that its dead owner had armed, the record being anything */

static void
arm(table_t *table, fuzz_in_t *in)
{
    uint8_t                     *body;
    unsigned                     shard, n;
    record_t                     record;
    modelguard_table_journal_t  *journal;

    shard = fuzz_byte(in) % table->shards;
    journal = &modelguard_table_part(table, shard)->journal;
    record = slot(table, fuzz_byte(in) % slots(table));

    memset(journal, 0, sizeof(modelguard_table_journal_t));

    journal->id = client(fuzz_byte(in) % CLIENTS);
    journal->number = fuzz_number(in, 2);
    journal->records = fuzz_byte(in);

    n = fuzz_byte(in);

    if (n & 1) {
        journal->number = record.number % modelguard_table_records(table);
    }

    if (n & 2) {
        journal->number = fuzz_number(in, 8);
    }

    memcpy(&journal->body, record.body, 24 + 24 * table->cells);

    body = (uint8_t *) &journal->body;
    body[fuzz_byte(in) % sizeof(body_t)] ^= fuzz_byte(in);

    if (n & 4) {
        journal->body.check =
            modelguard_table_check_record(table, &journal->id,
                                          &journal->body);
    }

    journal->check = modelguard_table_check_journal(journal);
    journal->armed = (n & 8) ? 1 : fuzz_byte(in);
}


static void
damage(file_t *file, fuzz_in_t *in, unsigned op)
{
    size_t    at;
    uint8_t  *bytes;
    record_t  record;

    bytes = (uint8_t *) file->table;

    if (op == 0) {
        record = slot(file->table, fuzz_number(in, 2) % slots(file->table));
        bytes = (uint8_t *) record.body;
        bytes[fuzz_byte(in) % (24 + 24 * file->table->cells)] ^=
            fuzz_byte(in) | 1;

        return;
    }

    file->bodies = 0;

    if (op == 1) {
        at = fuzz_number(in, 2) % (2 * sizeof(modelguard_table_t));

    } else {
        at = fuzz_number(in, 3) % file->size;
    }

    bytes[at < file->size ? at : 0] = fuzz_byte(in);
}


static void
make(file_t *file, fuzz_in_t *in)
{
    unsigned  op, raw, seal;
    uint64_t  now;
    charge_t  charges[BUDGETS];

    static const uint8_t  pages[] = { 1, 1, 2, 3, 1, 5, 2, 33 };

    op = fuzz_byte(in);
    seal = op & 1;

    file->size = bytes(pages[op >> 1 & 7]);
    file->table = build(1 + (op >> 4 & 7), pages[op >> 1 & 7]);
    file->bodies = 1;
    register_all(file->table);

    now = NOW - 300000;

    while (in->p < in->end) {
        op = fuzz_byte(in);

        if (op >= 0xc0) {
            break;
        }

        now += (op & 31) * 250;
        charge_one(file->table, fuzz_byte(in) % CLIENTS,
                   fuzz_number(in, op >> 6) + (op >> 5 & 1),
                   now < NOW ? now : NOW, charges);
    }

    measure(file->table, file->before);
    raw = 0;

    while (in->p < in->end) {
        op = fuzz_byte(in) % 4;

        if (raw && op != 1) {

            /* the geometry may be damaged */

            op = 2;
        }

        if (op == 3) {
            file->bodies = 0;
            arm(file->table, in);

        } else {
            raw |= (op != 0);
            damage(file, in, op);
        }
    }

    if (seal) {
        file->table->check = modelguard_table_sum(file->table, 0);
        file->table->next.check =
            modelguard_table_sum(file->table, file->table->pending);
    }
}


static void
check_whole(const table_t *table, const char *what)
{
    long  n;

    n = walk(table);

    /* an id of anybody's making may be there twice */

    if (n == -2 || n == -3) {
        fuzz_fail("%s: %s", what, n == -2 ? "a wrong check" : "a wrong count");
    }
}


static void
check_left(file_t *file)
{
    unsigned         i, j;
    static uint64_t  after[CLIENTS][BUDGETS];

    measure(file->table, after);

    for (i = 0; i < CLIENTS; i++) {

        for (j = 0; j < file->table->cells; j++) {

            if (after[i][j] > file->before[i][j]) {
                fuzz_fail("client %u, budget %u: %llu for %llu", i, j,
                          (unsigned long long) after[i][j],
                          (unsigned long long) file->before[i][j]);
            }
        }
    }
}


/* into a table of the same budgets, which may be smaller */

static void
check_copy(const table_t *table, unsigned pages)
{
    stat_t    stat;
    table_t  *to;
    report_t  report;

    to = build(table->cells, pages);
    register_all(to);

    modelguard_table_copy(to, table, NOW, &report);
    check_whole(to, "copied");

    stat = stat_of(table);

    if (report.records + report.lost > stat.records) {
        fuzz_fail("of %llu records %llu were copied, %llu lost",
                  (unsigned long long) stat.records,
                  (unsigned long long) report.records,
                  (unsigned long long) report.lost);
    }

    free(to);
}


static void
use(table_t *table, uint64_t now)
{
    unsigned              i, shard;
    uint64_t              cursor;
    client_t              id;
    charge_t              charges[BUDGETS];
    settle_t              settle;
    modelguard_ban_t      ban;

    ban.after = 2;
    ban.in = 60;
    ban.time = 60;

    for (i = 0; i < CLIENTS + 8; i++) {
        charge_one(table, i, i % 3, now, charges);

        id = client(i);
        (void) modelguard_table_strike(table, &id, &ban, now);
        (void) modelguard_table_mean(table, &id, 1);

        settle.name = 1;
        settle.budget = &kinds[0];
        settle.reserved = 2;
        settle.actual = i;
        settle.then = now - 1000;
        settle.learn = 1;
        settle.renew = 0;

        (void) modelguard_table_settle(table, &id, &settle, 1, now);
    }

    check_whole(table, "used");

    for (shard = 0; shard < table->shards; shard++) {
        cursor = 0;

        for (i = 0; i < 1000; i++) {

            if (modelguard_table_sweep(table, shard, &cursor, 7, 60,
                                       now + 86400000 * 40ULL))
            {
                break;
            }
        }

        if (i == 1000) {
            fuzz_fail("the sweep does not end");
        }
    }

    check_whole(table, "swept");
}


static void
check_open(file_t *file)
{
    report_t  report;

    if (modelguard_table_check(file->table, file->size, file->size)
        != MODELGUARD_OK)
    {
        return;
    }

    modelguard_table_open(file->table, NOW, &report);
    check_whole(file->table, "opened");

    modelguard_table_open(file->table, NOW, &report);

    if (report.repaired || report.replayed
        || modelguard_table_check(file->table, file->size, file->size)
           != MODELGUARD_OK)
    {
        fuzz_fail("opened again: %llu repaired, %llu replayed",
                  (unsigned long long) report.repaired,
                  (unsigned long long) report.replayed);
    }

    if (file->bodies) {
        check_left(file);
    }

    check_copy(file->table, 1);
    check_copy(file->table, 3);

    use(file->table, NOW);
}


/* a header of any bytes, and said to be of any size */

static void
check_bytes(const uint8_t *data, size_t len)
{
    uint8_t  *copy;

    copy = fuzz_copy(data, len);

    (void) modelguard_table_check(copy, len, len);
    (void) modelguard_table_check(copy, len, UINT64_MAX);
    (void) modelguard_table_check(copy, len, 1 + fuzz_next());

    free(copy);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    file_t     file;
    fuzz_in_t  in;

    fuzz_begin(data, len);
    check_bytes(data, len);

    seed = 1;
    in.p = data;
    in.end = data + len;

    make(&file, &in);
    check_open(&file);

    free(file.table);

    return 0;
}
