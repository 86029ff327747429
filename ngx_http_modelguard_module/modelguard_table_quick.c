
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


static inline int modelguard_table_quick(modelguard_table_work_t *work,
    modelguard_charge_t *charges, unsigned n, modelguard_verdict_t *verdict);
static inline uint64_t modelguard_table_quick_cells(
    const modelguard_table_work_t *work, modelguard_charge_t *charges,
    unsigned n, modelguard_verdict_t *verdict);
static inline void modelguard_table_quick_commit(
    const modelguard_table_work_t *work, unsigned n);


void
modelguard_table_charge(modelguard_table_t *table, const modelguard_id_t *id,
    modelguard_charge_t *charges, unsigned n, uint64_t now,
    modelguard_verdict_t *verdict)
{
    modelguard_table_work_t  work;

    modelguard_table_aim(table, id, now, &work);
    modelguard_table_look(&work);

    if (!modelguard_table_quick(&work, charges, n, verdict)) {
        modelguard_table_charge_any(&work, charges, n, verdict);
    }
}


int
modelguard_table_pay(modelguard_table_t *table, const modelguard_id_t *id,
    modelguard_charge_t *charges, unsigned n, uint64_t now,
    modelguard_verdict_t *verdict)
{
    int                      rc;
    modelguard_table_work_t  work;

    modelguard_table_aim(table, id, now, &work);

    rc = modelguard_table_take(table, work.shard);

    if (rc != MODELGUARD_OK) {
        return rc;
    }

    modelguard_table_look(&work);

    if (!modelguard_table_quick(&work, charges, n, verdict)) {
        modelguard_table_charge_any(&work, charges, n, verdict);
    }

    modelguard_lock_release(&work.shard->lock);

    return MODELGUARD_OK;
}


/*
 * 1 if that was all; else 0, and nothing has been written but to the journal,
 * which is not armed.
 */

static inline int
modelguard_table_quick(modelguard_table_work_t *work,
    modelguard_charge_t *charges, unsigned n, modelguard_verdict_t *verdict)
{
    uint32_t                     check;
    uint64_t                     sum;
    const uint64_t              *factor;
    modelguard_table_journal_t  *journal;
    modelguard_table_body_t     *body, *image;

    body = work->record.body;

    if (work->record.id == NULL
        || n == 0
        || n > work->table->cells
        || body->banned > work->second
        || body->held > work->second)
    {
        return 0;
    }

    sum = modelguard_table_quick_cells(work, charges, n, verdict);

    if (sum == 0) {
        return 0;
    }

    journal = &work->shard->journal;
    image = &journal->body;

    image->seen = work->second;
    image->banned = body->banned;
    image->held = 0;
    image->strikes = body->strikes;
    image->struck = body->struck;

    /* what modelguard_table_check_record() comes to */

    factor = modelguard_table_factors;

    sum += work->id->low * factor[0] + work->id->high * factor[1]
           + work->second * factor[2]
           + ((uint64_t) image->banned << 32) * factor[3]
           + ((uint64_t) image->strikes << 32 | image->struck) * factor[4];

    check = (uint32_t) (sum >> 32);
    image->check = check ? check : 1;

    modelguard_table_quick_commit(work, n);

    verdict->verdict = MODELGUARD_PASSED;
    verdict->wait = 0;
    work->shard->stat.passed++;

    return 1;
}


/*
 * Makes the journal's cells the record's after the charges, and sets what is
 * told of them.  Returns the cells' part of the checksum, or 0 if it is not
 * for here; as a sum 0 is not to be expected, and does no harm.
 */

static inline uint64_t
modelguard_table_quick_cells(const modelguard_table_work_t *work,
    modelguard_charge_t *charges, unsigned n, modelguard_verdict_t *verdict)
{
    unsigned                          i, cells;
    uint64_t                          now, sum, cost, spends, share, least;
    const uint64_t                   *factor;
    modelguard_cell_t                *image;
    modelguard_charge_t              *charge;
    const modelguard_cell_t          *cell;
    const modelguard_budget_t        *budget;
    modelguard_budget_left_t          left;
    const modelguard_table_budget_t  *entry;

    now = work->now;
    cells = work->table->cells;
    entry = work->table->budgets;
    cell = work->record.body->cells;
    image = work->shard->journal.body.cells;
    factor = modelguard_table_factors + 5;

    charge = charges;
    least = UINT64_MAX;
    spends = 0;
    sum = 0;

    verdict->which = 0;

    for (i = 0; i < n; i++, charge++, entry++, cell++, image++, factor += 3) {
        budget = charge->budget;
        cost = charge->cost;

        *image = *cell;

        if (entry->name != charge->name
            || entry->name == 0
            || entry->peak < budget->limit
            || !modelguard_budget_quick_charge(budget, image, cost, now,
                                               &left))
        {
            return 0;
        }

        sum += image->stamp * factor[0] + image->cur * factor[1]
               + image->prev * factor[2];

        spends |= cost;

        charge->refused = 0;
        charge->remaining = left.remaining;
        charge->reset = left.reset;
        charge->wait = 0;

        if (n == 1) {
            continue;
        }

        share = left.remaining * MODELGUARD_TABLE_WHOLE
                / (budget->limit + budget->burst);

        if (charge->dry_run) {
            share += 2 * MODELGUARD_TABLE_WHOLE;
        }

        if (share < least) {
            least = share;
            verdict->which = i;
        }
    }

    for ( /* void */ ; i < cells; i++, cell++, image++, factor += 3) {
        *image = *cell;

        sum += image->stamp * factor[0] + image->cur * factor[1]
               + image->prev * factor[2];
    }

    /* who only looks leaves no trace */

    return spends ? sum : 0;
}


/* as modelguard_table_commit(), but only what differs goes to the record */

static inline void
modelguard_table_quick_commit(const modelguard_table_work_t *work, unsigned n)
{
    unsigned                     i;
    modelguard_table_body_t     *body;
    modelguard_table_shard_t    *shard;
    modelguard_table_journal_t  *journal;

    shard = work->shard;
    journal = &shard->journal;
    body = work->record.body;

    journal->number = work->record.number;
    journal->records = shard->stat.records;
    journal->id = *work->id;
    journal->check = modelguard_table_check_journal(journal);

    modelguard_table_barrier();

    journal->armed = 1;

    modelguard_table_barrier();

    body->check = journal->body.check;
    body->seen = journal->body.seen;
    body->held = journal->body.held;

    for (i = 0; i < n; i++) {
        body->cells[i].cur = journal->body.cells[i].cur;
    }

    modelguard_table_barrier();

    journal->armed = 0;
}
