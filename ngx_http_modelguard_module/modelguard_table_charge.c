
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_table_inside.h"


/* "index" is by charge, the rest by cell */

typedef struct {
    modelguard_table_work_t     work;
    modelguard_charge_t        *charges;
    unsigned                    n;
    unsigned                    spends;      /* some cost is not 0 */
    unsigned                    known;       /* a mask of the cells below */
    uint64_t                    wait;        /* the longest that refuses */
    unsigned                    which;       /* whose it is */
    unsigned                    index[MODELGUARD_TABLE_BUDGETS];
    modelguard_cell_t           cells[MODELGUARD_TABLE_BUDGETS];
} modelguard_table_bill_t;


static modelguard_table_verdict_e modelguard_table_decide(
    modelguard_table_bill_t *bill);
static void modelguard_table_weigh(modelguard_table_bill_t *bill);
static uint64_t modelguard_table_weigh_one(modelguard_table_bill_t *bill,
    unsigned i);
static uint64_t modelguard_table_due(const modelguard_table_bill_t *bill,
    unsigned which, unsigned n);
static void modelguard_table_pass(modelguard_table_bill_t *bill);
static void modelguard_table_refuse(modelguard_table_bill_t *bill,
    modelguard_table_verdict_e verdict);
static uint32_t modelguard_table_spent(const modelguard_table_bill_t *bill);
static unsigned modelguard_table_scarcest(const modelguard_table_bill_t *bill);


void
modelguard_table_charge(modelguard_table_t *table, const modelguard_id_t *id,
    modelguard_charge_t *charges, unsigned n, uint64_t now,
    modelguard_verdict_t *verdict)
{
    modelguard_table_bill_t   bill;
    modelguard_table_stat_t  *stat;

    memset(verdict, 0, sizeof(modelguard_verdict_t));

    bill.charges = charges;
    bill.n = n;

    modelguard_table_find(table, id, now, &bill.work);

    verdict->verdict = modelguard_table_decide(&bill);

    stat = &bill.work.shard->stat;

    switch (verdict->verdict) {

    case MODELGUARD_PASSED:
        modelguard_table_pass(&bill);
        stat->passed++;
        break;

    case MODELGUARD_LIMITED:
        verdict->which = bill.which;
        verdict->wait = bill.wait;
        modelguard_table_refuse(&bill, verdict->verdict);
        stat->limited++;
        return;

    case MODELGUARD_BANNED:
        verdict->wait = (uint64_t) bill.work.record.body->banned * 1000 - now;

        /* the end of the ban does not help who has nothing left then */

        if (verdict->wait < bill.wait) {
            verdict->wait = bill.wait;
        }

        modelguard_table_refuse(&bill, verdict->verdict);
        stat->banned++;
        break;

    default: /* MODELGUARD_EXHAUSTED */
        stat->exhausted++;
    }

    verdict->which = modelguard_table_scarcest(&bill);
}


modelguard_table_verdict_e
modelguard_table_would_pass(modelguard_table_t *table,
    const modelguard_id_t *id, modelguard_charge_t *charges, unsigned n,
    uint64_t now)
{
    modelguard_table_bill_t  bill;

    bill.charges = charges;
    bill.n = n;

    modelguard_table_find(table, id, now, &bill.work);

    return modelguard_table_decide(&bill);
}


uint64_t
modelguard_table_mean(modelguard_table_t *table, const modelguard_id_t *id,
    uint64_t name)
{
    unsigned                 i;
    modelguard_table_work_t  work;

    i = modelguard_table_index(table, name);

    if (i == table->cells) {
        return 0;
    }

    modelguard_table_find(table, id, 0, &work);

    if (work.record.id == NULL) {
        return 0;
    }

    return modelguard_budget_mean(&work.record.body->cells[i]);
}


static modelguard_table_verdict_e
modelguard_table_decide(modelguard_table_bill_t *bill)
{
    modelguard_table_work_t  *work;

    work = &bill->work;

    modelguard_table_weigh(bill);

    if (work->record.id && work->record.body->banned > work->second) {
        return MODELGUARD_BANNED;
    }

    if (bill->wait) {
        return MODELGUARD_LIMITED;
    }

    if (bill->spends && work->record.id == NULL
        && modelguard_table_place(work) != MODELGUARD_OK)
    {
        return MODELGUARD_EXHAUSTED;
    }

    return MODELGUARD_PASSED;
}


/* brings copies of the cells up to date, and looks what each charge has left */

static void
modelguard_table_weigh(modelguard_table_bill_t *bill)
{
    unsigned              i, n;
    uint64_t              wait;
    modelguard_charge_t  *charge;

    bill->spends = 0;
    bill->known = 0;
    bill->which = 0;
    bill->wait = 0;

    if (bill->n == 0 || bill->n > MODELGUARD_TABLE_BUDGETS) {
        bill->n = 0;
        bill->wait = MODELGUARD_BUDGET_NEVER;
        return;
    }

    for (i = 0; i < bill->n; i++) {
        charge = &bill->charges[i];

        n = modelguard_table_index(bill->work.table, charge->name);
        bill->index[i] = n;

        charge->remaining = 0;
        charge->reset = 0;

        if (n == bill->work.table->cells) {
            wait = MODELGUARD_BUDGET_NEVER;

        } else {
            wait = modelguard_table_weigh_one(bill, i);
        }

        charge->wait = wait;
        charge->refused = (wait != 0);

        if (wait == 0) {
            bill->spends |= (charge->cost != 0);

        } else if (!charge->dry_run && wait > bill->wait) {
            bill->wait = wait;
            bill->which = i;
        }
    }
}


static uint64_t
modelguard_table_weigh_one(modelguard_table_bill_t *bill, unsigned i)
{
    unsigned                    n;
    uint64_t                    due;
    modelguard_cell_t          *cell;
    modelguard_charge_t        *charge;
    modelguard_table_work_t    *work;
    const modelguard_budget_t  *budget;

    work = &bill->work;
    charge = &bill->charges[i];
    budget = charge->budget;
    n = bill->index[i];
    cell = &bill->cells[n];

    if (!(bill->known & 1u << n)) {
        bill->known |= 1u << n;

        if (work->record.id) {
            *cell = work->record.body->cells[n];

        } else {
            memset(cell, 0, sizeof(modelguard_cell_t));
        }
    }

    modelguard_table_date(cell, work->now);
    modelguard_budget_roll(budget, cell, work->now);

    charge->remaining = modelguard_budget_remaining(budget, cell, work->now);
    charge->reset = modelguard_budget_reset(budget, cell, work->now);

    /* a budget that is charged twice must have room for both costs */

    due = modelguard_table_due(bill, n, i);
    due = (due > UINT64_MAX - charge->cost) ? UINT64_MAX : due + charge->cost;

    /* not even a cost of 0 passes when a limit has been lowered */

    return (charge->remaining > due)
           ? 0 : modelguard_budget_wait(budget, cell, due, work->now);
}


/* what the first n charges take from a cell */

static uint64_t
modelguard_table_due(const modelguard_table_bill_t *bill, unsigned which,
    unsigned n)
{
    unsigned                    i;
    uint64_t                    due;
    const modelguard_charge_t  *charge;

    due = 0;

    for (i = 0; i < n; i++) {
        charge = &bill->charges[i];

        if (bill->index[i] == which
            && !(charge->refused && charge->dry_run))
        {
            due = (due > UINT64_MAX - charge->cost) ? UINT64_MAX
                                                    : due + charge->cost;
        }
    }

    return due;
}


static void
modelguard_table_pass(modelguard_table_bill_t *bill)
{
    unsigned                  i, n;
    uint32_t                  until;
    modelguard_charge_t      *charge;
    modelguard_table_work_t  *work;
    modelguard_table_body_t  *body;

    if (!bill->spends) {
        return;
    }

    work = &bill->work;
    body = modelguard_table_prepare(work);

    for (i = 0; i < bill->n; i++) {
        charge = &bill->charges[i];

        if (!charge->refused) {
            modelguard_budget_spend(charge->budget,
                                    &bill->cells[bill->index[i]],
                                    charge->cost, work->now);
        }
    }

    for (i = 0; i < bill->n; i++) {
        charge = &bill->charges[i];
        n = bill->index[i];

        if (n == work->table->cells) {
            continue;
        }

        body->cells[n] = bill->cells[n];

        if (charge->cost || bill->n > 1) {
            charge->remaining = modelguard_budget_remaining(charge->budget,
                                                            &bill->cells[n],
                                                            work->now);
            charge->reset = modelguard_budget_reset(charge->budget,
                                                    &bill->cells[n],
                                                    work->now);
        }
    }

    until = modelguard_table_spent(bill);

    modelguard_table_hold(work, body, bill->known, until);
    modelguard_table_touch(work, body);
    modelguard_table_commit(work);
}


/* an answer to a client is a sign of life, but once a second will do */

static void
modelguard_table_refuse(modelguard_table_bill_t *bill,
    modelguard_table_verdict_e verdict)
{
    uint32_t                  until;
    modelguard_table_work_t  *work;
    modelguard_table_body_t  *body;

    work = &bill->work;

    if (work->record.id == NULL) {
        return;
    }

    until = work->record.body->held;

    if (verdict == MODELGUARD_LIMITED) {
        until = modelguard_table_spent(bill);
    }

    if (work->record.body->seen == work->second
        && work->record.body->held >= until)
    {
        return;
    }

    body = modelguard_table_prepare(work);

    if (body->held < until) {
        body->held = until;
    }

    modelguard_table_touch(work, body);
    modelguard_table_commit(work);
}


/* the second until which some limit is spent, burst or not; and the peaks */

static uint32_t
modelguard_table_spent(const modelguard_table_bill_t *bill)
{
    unsigned                    i, n;
    uint32_t                    until, latest;
    const modelguard_charge_t  *charge;
    modelguard_table_budget_t  *entry;

    latest = 0;

    for (i = 0; i < bill->n; i++) {
        charge = &bill->charges[i];
        n = bill->index[i];

        if (n == bill->work.table->cells) {
            continue;
        }

        entry = &bill->work.table->budgets[n];

        if (entry->peak < charge->budget->limit) {
            entry->peak = charge->budget->limit;
        }

        if (charge->remaining > charge->budget->burst) {
            continue;
        }

        until = modelguard_table_until(charge->budget, &bill->cells[n],
                                       bill->work.now);
        if (until > latest) {
            latest = until;
        }
    }

    return latest;
}


/* the charge with the smallest share left; of a dry run only if all are */

static unsigned
modelguard_table_scarcest(const modelguard_table_bill_t *bill)
{
    unsigned                    i, which;
    uint64_t                    share, least;
    const modelguard_charge_t  *charge;

    which = 0;
    least = UINT64_MAX;

    for (i = 0; i < bill->n && bill->n > 1; i++) {
        charge = &bill->charges[i];

        share = charge->remaining * MODELGUARD_TABLE_WHOLE
                / (charge->budget->limit + charge->budget->burst);

        if (charge->dry_run) {
            share += 2 * MODELGUARD_TABLE_WHOLE;
        }

        if (share < least) {
            least = share;
            which = i;
        }
    }

    return which;
}
