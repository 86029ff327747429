
/*
 * Copyright (C) the modelguard authors
 *
 * How records are written, so that a process may be killed at any store, and
 * how a table is made whole again.
 */


#include "modelguard_table_inside.h"


const uint64_t  modelguard_table_factors[MODELGUARD_TABLE_WORDS] = {
    0x70d00cf489b77f95ULL, 0x9d3008bd606e9589ULL, 0xf06f9ce73d4a569fULL,
    0x9a011cf6ea3a1d45ULL, 0x3447ea5acc53d737ULL, 0x658c4d7124310ccbULL,
    0x65666db928d39aebULL, 0xe71eb143c52bc83dULL, 0xe910f303e58fdecdULL,
    0x406fb3537ea062c3ULL, 0xf8388c9d6a137bfdULL, 0x585e90b47875c475ULL,
    0xaf1f9a50da593b27ULL, 0x8b05da22180a3f13ULL, 0x2e25910edffcef7fULL,
    0x3d735a3cb6c24fc1ULL, 0x8559d965bf008e23ULL, 0xc68f8ce667b41e79ULL,
    0xd126c69407be8acdULL, 0x7bddb643053a67afULL, 0x8f637ab478b96349ULL,
    0x8b761765247970f1ULL, 0xa31a09c27208e04dULL, 0x771144e45759e1e1ULL,
    0x1e90a6fcba92ea87ULL, 0xe3bbf4858e9bcb9fULL, 0x86473be440a8c89fULL,
    0x1dd3eba9ba2d2abdULL, 0x28bcdcdebea84a75ULL
};


static inline uint32_t modelguard_table_digest(
    const modelguard_table_t *table, const modelguard_id_t *id,
    const modelguard_table_body_t *body);
static inline void modelguard_table_write(const modelguard_table_t *table,
    const modelguard_table_record_t *record, const modelguard_id_t *id,
    const modelguard_table_body_t *body);
static int modelguard_table_redo(modelguard_table_t *table, unsigned shard);
static void modelguard_table_arm(modelguard_table_work_t *work,
    const modelguard_id_t *id);
static void modelguard_table_spend(const modelguard_table_t *table,
    const modelguard_table_record_t *record, uint64_t now);


uint32_t
modelguard_table_check_record(const modelguard_table_t *table,
    const modelguard_id_t *id, const modelguard_table_body_t *body)
{
    return modelguard_table_digest(table, id, body);
}


/*
 * A sum of products with fixed odd factors, of which the upper half is kept:
 * it tells what a power failure has mixed, not what an enemy has made.
 */

static inline uint32_t
modelguard_table_digest(const modelguard_table_t *table,
    const modelguard_id_t *id, const modelguard_table_body_t *body)
{
    uint32_t                  check;
    uint64_t                  sum;
    const uint64_t           *factor;
    const modelguard_cell_t  *cell, *last;

    factor = modelguard_table_factors;

    sum = id->low * factor[0] + id->high * factor[1]
          + body->seen * factor[2]
          + ((uint64_t) body->banned << 32 | body->held) * factor[3]
          + ((uint64_t) body->strikes << 32 | body->struck) * factor[4];

    factor += 5;
    last = body->cells + table->cells;

    for (cell = body->cells; cell < last; cell++) {
        sum += cell->stamp * factor[0] + cell->cur * factor[1]
               + cell->prev * factor[2];
        factor += 3;
    }

    check = (uint32_t) (sum >> 32);

    return check ? check : 1;
}


modelguard_table_body_t *
modelguard_table_prepare(const modelguard_table_work_t *work)
{
    modelguard_table_body_t  *body;

    body = &work->shard->journal.body;

    modelguard_table_image(work, body, work->fresh);

    return body;
}


void
modelguard_table_commit(modelguard_table_work_t *work)
{
    modelguard_table_stat_t  *stat;

    stat = &work->shard->stat;

    if (work->fresh && (work->record.id->low || work->record.id->high)) {

        if (work->rank >> 32) {
            stat->evicted++;

        } else {
            stat->expired++;
        }
    }

    modelguard_table_arm(work, work->id);
}


void
modelguard_table_clear(modelguard_table_work_t *work)
{
    modelguard_id_t  none;

    none.low = 0;
    none.high = 0;

    (void) modelguard_table_prepare(work);

    modelguard_table_arm(work, &none);
}


/* the journal holds the body already */

static void
modelguard_table_arm(modelguard_table_work_t *work, const modelguard_id_t *id)
{
    uint64_t                     records;
    const modelguard_id_t       *old;
    modelguard_table_shard_t    *shard;
    modelguard_table_journal_t  *journal;

    shard = work->shard;
    journal = &shard->journal;
    old = work->record.id;
    records = shard->stat.records;

    if ((old->low != id->low || old->high != id->high)
        && work->record.number < modelguard_table_records(work->table))
    {
        records -= (records && (old->low || old->high));
        records += (id->low || id->high);
    }

    journal->number = work->record.number;
    journal->records = records;
    journal->id = *id;
    journal->body.check = modelguard_table_digest(work->table, id,
                                                  &journal->body);
    journal->check = modelguard_table_check_journal(journal);

    modelguard_table_barrier();

    journal->armed = 1;

    modelguard_table_barrier();

    modelguard_table_write(work->table, &work->record, id, &journal->body);
    shard->stat.records = records;

    modelguard_table_barrier();

    journal->armed = 0;
}


void
modelguard_table_store(const modelguard_table_t *table,
    const modelguard_table_record_t *record, const modelguard_id_t *id,
    const modelguard_table_body_t *body)
{
    modelguard_table_write(table, record, id, body);
}


/* may be done any number of times, from any point on */

static inline void
modelguard_table_write(const modelguard_table_t *table,
    const modelguard_table_record_t *record, const modelguard_id_t *id,
    const modelguard_table_body_t *body)
{
    if (record->id->low != id->low || record->id->high != id->high) {
        record->id->low = 0;
        record->id->high = 0;
    }

    modelguard_table_barrier();

    memcpy(record->body, body, modelguard_table_room(table));

    modelguard_table_barrier();

    *record->id = *id;
}


void
modelguard_table_repair(modelguard_table_t *table, unsigned shard)
{
    if (shard == 0) {
        modelguard_table_enter(table);
    }

    (void) modelguard_table_redo(table, shard);

    modelguard_table_part(table, shard)->stat.recovered++;
}


/* 1 if there was something to do */

static int
modelguard_table_redo(modelguard_table_t *table, unsigned shard)
{
    int                          redone;
    modelguard_table_shard_t    *part;
    modelguard_table_record_t    record;
    modelguard_table_journal_t  *journal;

    part = modelguard_table_part(table, shard);
    journal = &part->journal;

    redone = 0;

    /* a journal that a power failure has torn says nothing */

    if (journal->armed == 1
        && journal->number <= modelguard_table_records(table)
        && journal->check == modelguard_table_check_journal(journal)
        && journal->body.check
           == modelguard_table_check_record(table, &journal->id,
                                            &journal->body))
    {
        modelguard_table_nth(table, shard, journal->number, &record);
        modelguard_table_store(table, &record, &journal->id, &journal->body);
        part->stat.records = journal->records;
        redone = 1;
    }

    modelguard_table_barrier();

    journal->armed = 0;

    return redone;
}


/*
 * Of a budget that changes its kind no moment is without a window that the
 * kind needs, for only the holder of all locks sees this done.
 */

void
modelguard_table_enter(modelguard_table_t *table)
{
    modelguard_table_budget_t      *entry;
    const modelguard_table_next_t  *next;

    if (table->pending == 0 || table->pending > MODELGUARD_TABLE_BUDGETS) {
        table->pending = 0;
        return;
    }

    next = &table->next;
    entry = &table->budgets[table->pending - 1];

    if (entry->name != next->name
        || entry->budget.limit != next->budget.limit)
    {
        entry->peak = next->budget.limit;
    }

    modelguard_table_barrier();

    entry->budget.limit = next->budget.limit;
    entry->budget.burst = next->budget.burst;
    entry->budget.offset = next->budget.offset;

    if (next->budget.window) {
        entry->budget.window = next->budget.window;
    }

    modelguard_table_barrier();

    entry->budget.kind = next->budget.kind;

    modelguard_table_barrier();

    entry->budget.window = next->budget.window;

    modelguard_table_barrier();

    entry->name = next->name;
    table->check = next->check;

    modelguard_table_barrier();

    table->pending = 0;
}


void
modelguard_table_open(modelguard_table_t *table, uint64_t now,
    modelguard_table_report_t *report)
{
    unsigned                     shard;
    uint64_t                     i, n;
    modelguard_table_stat_t     *stat;
    modelguard_table_shard_t    *part;
    modelguard_table_record_t    record;

    memset(report, 0, sizeof(modelguard_table_report_t));

    modelguard_table_enter(table);

    /* no check covers them */

    for (i = 0; i < MODELGUARD_TABLE_BUDGETS; i++) {
        if (table->budgets[i].peak > MODELGUARD_BUDGET_LIMIT_MAX) {
            table->budgets[i].peak = MODELGUARD_BUDGET_LIMIT_MAX;
        }
    }

    n = modelguard_table_records(table);

    for (shard = 0; shard < table->shards; shard++) {
        part = modelguard_table_part(table, shard);
        stat = &part->stat;

        (void) modelguard_lock_init(&part->lock);

        report->replayed += (uint64_t) modelguard_table_redo(table, shard);

        stat->records = 0;

        for (i = 0; i < n; i++) {
            modelguard_table_nth(table, shard, i, &record);

            if (record.id->low == 0 && record.id->high == 0) {
                continue;
            }

            stat->records++;

            if (record.body->check
                == modelguard_table_check_record(table, record.id,
                                                 record.body))
            {
                report->records++;
                continue;
            }

            modelguard_table_spend(table, &record, now);

            report->repaired++;
            stat->repaired++;
        }
    }

    /* the overflow record is nobody's slot */

    modelguard_table_nth(table, 0, n, &record);

    if ((record.id->low || record.id->high)
        && record.body->check
           != modelguard_table_check_record(table, record.id, record.body))
    {
        modelguard_table_overflow(record.id);
        modelguard_table_spend(table, &record, now);

        report->repaired++;
        modelguard_table_part(table, 0)->stat.repaired++;
    }

    table->moved = 0;
}


/* a record of which nothing is known but the id: it has spent all there is */

static void
modelguard_table_spend(const modelguard_table_t *table,
    const modelguard_table_record_t *record, uint64_t now)
{
    unsigned                    i;
    uint32_t                    until;
    uint64_t                    all;
    modelguard_budget_t         budget;
    modelguard_table_body_t     body;
    const modelguard_budget_t  *registered;

    memset(&body, 0, sizeof(modelguard_table_body_t));

    body.seen = modelguard_table_second(now);

    for (i = 0; i < table->cells; i++) {

        if (table->budgets[i].name == 0) {
            continue;
        }

        registered = &table->budgets[i].budget;
        budget = *registered;

        if (budget.limit < table->budgets[i].peak) {
            budget.limit = table->budgets[i].peak;
        }

        all = budget.limit + budget.burst;

        modelguard_budget_roll(&budget, &body.cells[i], now);
        modelguard_budget_spend(&budget, &body.cells[i], all, now);

        until = modelguard_table_until(registered, &body.cells[i], now);

        if (until > body.held) {
            body.held = until;
        }
    }

    body.check = modelguard_table_check_record(table, record->id, &body);

    modelguard_table_store(table, record, record->id, &body);
}
