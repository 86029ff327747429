
/*
 * Copyright (C) the modelguard authors
 *
 * Charging.  Nearly all charges are of a client that is known, in sliding
 * windows that have not passed, in the order of registration, and leave some
 * of every limit: they are made here, in one pass over the record.  All others
 * are for modelguard_table_charge_any(), which comes to the same for these.
 */


#include "modelguard_budget_quick.h"
#include "modelguard_table_find.h"


/* one charge; in registers, mostly */

typedef struct {
    modelguard_table_t         *table;
    modelguard_table_shard_t   *shard;
    const modelguard_id_t      *id;
    modelguard_charge_t        *charges;
    unsigned                    n;
    uint32_t                    cells;
    uint64_t                    now;
    modelguard_table_record_t   record;
} modelguard_table_quick_t;


modelguard_table_inline int modelguard_table_quick_pay(
    modelguard_table_quick_t *quick, modelguard_verdict_t *verdict);
modelguard_table_inline void modelguard_table_quick_find(
    modelguard_table_quick_t *quick, modelguard_table_bucket_t *buckets);
modelguard_table_inline int modelguard_table_quick(
    const modelguard_table_quick_t *quick, modelguard_verdict_t *verdict);
modelguard_table_inline int modelguard_table_quick_cells(
    const modelguard_table_quick_t *quick, uint64_t *sum, unsigned *which);
modelguard_table_inline void modelguard_table_quick_commit(
    const modelguard_table_quick_t *quick, uint32_t check, uint32_t second);


void
modelguard_table_charge(modelguard_table_t *table, const modelguard_id_t *id,
    modelguard_charge_t *charges, unsigned n, uint64_t now,
    modelguard_verdict_t *verdict)
{
    modelguard_table_quick_t   quick;
    modelguard_table_bucket_t  buckets[MODELGUARD_TABLE_CHOICES];

    quick.table = table;
    quick.id = id;
    quick.charges = charges;
    quick.n = n;
    quick.cells = table->cells;
    quick.now = now;

    modelguard_table_quick_find(&quick, buckets);

    modelguard_table_look(table, quick.cells, id, buckets, &quick.record);

    if (!modelguard_table_quick(&quick, verdict)) {
        modelguard_table_charge_any(table, id, charges, n, now, verdict);
    }
}


int
modelguard_table_pay(modelguard_table_t *table, const modelguard_id_t *id,
    modelguard_charge_t *charges, unsigned n, uint64_t now,
    modelguard_verdict_t *verdict)
{
    modelguard_table_quick_t  quick;

    quick.table = table;
    quick.id = id;
    quick.charges = charges;
    quick.now = now;

    /* the compiler makes another one of it that has no loops */

    if (n == 1 && table->cells == 1) {
        quick.n = 1;
        quick.cells = 1;

        return modelguard_table_quick_pay(&quick, verdict);
    }

    quick.n = n;
    quick.cells = table->cells;

    return modelguard_table_quick_pay(&quick, verdict);
}


modelguard_table_inline int
modelguard_table_quick_pay(modelguard_table_quick_t *quick,
    modelguard_verdict_t *verdict)
{
    int                        rc;
    modelguard_table_t        *table;
    modelguard_table_bucket_t  buckets[MODELGUARD_TABLE_CHOICES];

    table = quick->table;

    modelguard_table_quick_find(quick, buckets);

    rc = modelguard_table_take(table, quick->shard);

    if (rc != MODELGUARD_OK) {
        return rc;
    }

    modelguard_table_look(table, quick->cells, quick->id, buckets,
                          &quick->record);

    if (!modelguard_table_quick(quick, verdict)) {
        modelguard_table_charge_any(table, quick->id, quick->charges,
                                    quick->n, quick->now, verdict);
    }

    modelguard_lock_release(&quick->shard->lock);

    return MODELGUARD_OK;
}


/* the shard and the first bucket, and has them come from memory */

modelguard_table_inline void
modelguard_table_quick_find(modelguard_table_quick_t *quick,
    modelguard_table_bucket_t *buckets)
{
    unsigned  shard;

    shard = (unsigned) (quick->id->low & (quick->table->shards - 1));

    quick->shard = modelguard_table_part(quick->table, shard);

    /* another processor had them last, as often as not */

    modelguard_table_prefetch_own(&quick->shard->lock);
    modelguard_table_prefetch_own(&quick->shard->journal);
    modelguard_table_prefetch_own(&quick->shard->journal.body.cells[1]);
    modelguard_table_prefetch_own(&quick->shard->stat);

    modelguard_table_choose(quick->table, quick->cells, quick->id, shard,
                            buckets);
    modelguard_table_fetch(quick->cells, buckets);
}


/*
 * 1 if that was all; else 0, and nothing has been written but to the journal,
 * which is not armed.
 */

modelguard_table_inline int
modelguard_table_quick(const modelguard_table_quick_t *quick,
    modelguard_verdict_t *verdict)
{
    uint32_t                        check, second;
    uint64_t                        sum, ban, strikes;
    const uint64_t                 *factor;
    const modelguard_table_body_t  *body;

    if (quick->record.id == NULL) {
        return 0;
    }

    body = quick->record.body;
    second = modelguard_table_second(quick->now);

    if (body->banned > second
        || body->held > second
        || !modelguard_table_quick_cells(quick, &sum, &verdict->which))
    {
        return 0;
    }

    ban = (uint64_t) body->banned << 32;
    strikes = (uint64_t) body->strikes << 32 | body->struck;

    /* what modelguard_table_check_record() comes to */

    factor = modelguard_table_factors;

    sum += quick->id->low * factor[0] + quick->id->high * factor[1]
           + second * factor[2] + ban * factor[3] + strikes * factor[4];

    check = (uint32_t) (sum >> 32);

    modelguard_table_quick_commit(quick, check ? check : 1, second);

    verdict->verdict = MODELGUARD_PASSED;
    verdict->wait = 0;

    return 1;
}


/*
 * Makes the journal's cells the record's after the charges, and sets what is
 * told of them, and the cells' part of the checksum.  0 if it is not for here.
 */

modelguard_table_inline int
modelguard_table_quick_cells(const modelguard_table_quick_t *quick,
    uint64_t *sum, unsigned *which)
{
    unsigned                          i, n, cells;
    uint64_t                          part, spends, share, least;
    const uint64_t                   *factor;
    modelguard_cell_t                 cell, *image;
    modelguard_charge_t              *charge;
    const modelguard_cell_t          *old;
    modelguard_budget_left_t          left;
    const modelguard_budget_t        *budget;
    const modelguard_table_budget_t  *entry;

    n = quick->n;
    cells = quick->cells;

    if (n == 0 || n > cells) {
        return 0;
    }

    charge = quick->charges;
    entry = quick->table->budgets;
    old = quick->record.body->cells;
    image = quick->shard->journal.body.cells;
    factor = modelguard_table_factors + 5;

    least = UINT64_MAX;
    spends = 0;
    part = 0;

    *which = 0;

    for (i = 0; i < n; i++, charge++) {
        budget = charge->budget;
        cell = old[i];

        if (entry[i].name != charge->name
            || entry[i].name == 0
            || entry[i].peak < budget->limit
            || !modelguard_budget_quick_charge(budget, &cell, charge->cost,
                                               quick->now, &left))
        {
            return 0;
        }

        spends |= charge->cost;

        charge->refused = 0;
        charge->remaining = left.remaining;
        charge->reset = left.reset;
        charge->wait = 0;

        image[i] = cell;

        part += cell.stamp * factor[0] + cell.cur * factor[1]
                + cell.prev * factor[2];
        factor += 3;

        if (n > 1) {
            share = left.remaining * MODELGUARD_TABLE_WHOLE
                    / (budget->limit + budget->burst);

            if (charge->dry_run) {
                share += 2 * MODELGUARD_TABLE_WHOLE;
            }

            if (share < least) {
                least = share;
                *which = i;
            }
        }
    }

    for ( /* void */ ; i < cells; i++) {
        cell = old[i];
        image[i] = cell;

        part += cell.stamp * factor[0] + cell.cur * factor[1]
                + cell.prev * factor[2];
        factor += 3;
    }

    *sum = part;

    /* who only looks leaves no trace */

    return spends != 0;
}


/* as modelguard_table_commit(), but only what differs goes to the record */

modelguard_table_inline void
modelguard_table_quick_commit(const modelguard_table_quick_t *quick,
    uint32_t check, uint32_t second)
{
    unsigned                     i;
    modelguard_table_body_t     *body;
    modelguard_table_shard_t    *shard;
    modelguard_table_journal_t  *journal;

    shard = quick->shard;
    journal = &shard->journal;
    body = quick->record.body;

    journal->number = quick->record.number;
    journal->records = shard->stat.records;
    journal->id = *quick->id;
    journal->body.check = check;
    journal->body.seen = second;
    journal->body.banned = body->banned;
    journal->body.held = 0;
    journal->body.strikes = body->strikes;
    journal->body.struck = body->struck;
    journal->check = modelguard_table_check_journal(journal);

    modelguard_table_barrier();

    journal->armed = 1;

    modelguard_table_barrier();

    body->check = check;
    body->seen = second;
    body->held = 0;

    for (i = 0; i < quick->n; i++) {
        body->cells[i].cur = journal->body.cells[i].cur;
    }

    modelguard_table_barrier();

    journal->armed = 0;

    shard->stat.passed++;
}
