
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_budget_quick.h"
#include "modelguard_table_inside.h"


typedef struct {
    modelguard_table_work_t     work;
    modelguard_charge_t        *charges;
    unsigned                    n;
    unsigned                    spends;      /* some cost is not 0 */
    unsigned                    known;       /* a mask of the cells charged */
    unsigned                    twice;       /* some cell is charged twice */
    unsigned                    peaks;       /* some limit is a new peak */
    uint64_t                    wait;        /* the longest that refuses */
    unsigned                    which;       /* whose it is */
    unsigned                    scarcest;    /* whose share left is smallest */
    uint32_t                    until;       /* s: some limit is spent */
    modelguard_table_body_t    *body;        /* the record as it will be */
    modelguard_cell_t          *cells[MODELGUARD_TABLE_BUDGETS];
                                             /* of the charges, in the body;
                                                NULL: not registered */
} modelguard_table_bill_t;


static modelguard_table_verdict_e modelguard_table_decide(
    modelguard_table_bill_t *bill);
static void modelguard_table_weigh(modelguard_table_bill_t *bill);
static inline uint64_t modelguard_table_weigh_one(modelguard_charge_t *charge,
    modelguard_cell_t *cell, uint64_t due, uint64_t now);
static uint64_t modelguard_table_due(const modelguard_table_bill_t *bill,
    const modelguard_charge_t *last, const modelguard_cell_t *cell);
static void modelguard_table_pass(modelguard_table_bill_t *bill);
static void modelguard_table_twice(modelguard_table_bill_t *bill);
static void modelguard_table_refuse(modelguard_table_bill_t *bill,
    modelguard_table_verdict_e verdict);
static void modelguard_table_report(modelguard_table_bill_t *bill,
    unsigned keeps);
static void modelguard_table_bind(modelguard_table_bill_t *bill,
    const modelguard_charge_t *charge, const modelguard_cell_t *cell);


void
modelguard_table_charge_any(modelguard_table_t *table,
    const modelguard_id_t *id, modelguard_charge_t *charges, unsigned n,
    uint64_t now, modelguard_verdict_t *verdict)
{
    modelguard_table_bill_t   bill;
    modelguard_table_stat_t  *stat;

    bill.charges = charges;
    bill.n = n;

    modelguard_table_find(table, id, now, &bill.work);

    /* the journal is not armed: what is in it means nothing until it passes */

    bill.body = &bill.work.shard->journal.body;

    verdict->verdict = modelguard_table_decide(&bill);
    verdict->wait = 0;

    stat = &bill.work.shard->stat;

    switch (verdict->verdict) {

    case MODELGUARD_PASSED:
        modelguard_table_pass(&bill);
        stat->passed++;
        break;

    case MODELGUARD_LIMITED:
        verdict->wait = bill.wait;
        verdict->which = bill.which;
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
        modelguard_table_report(&bill, 0);
        stat->exhausted++;
    }

    verdict->which = bill.scarcest;
}


modelguard_table_verdict_e
modelguard_table_would_pass(modelguard_table_t *table,
    const modelguard_id_t *id, modelguard_charge_t *charges, unsigned n,
    uint64_t now)
{
    modelguard_table_bill_t     bill;
    modelguard_table_body_t     body;
    modelguard_table_verdict_e  verdict;

    bill.charges = charges;
    bill.n = n;
    bill.body = &body;

    modelguard_table_find(table, id, now, &bill.work);

    verdict = modelguard_table_decide(&bill);

    modelguard_table_report(&bill, 0);

    return verdict;
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


/* brings a copy of the record up to date; looks what each charge has left */

static void
modelguard_table_weigh(modelguard_table_bill_t *bill)
{
    unsigned                    i, n, known, cells;
    uint64_t                    due, wait;
    modelguard_cell_t          *cell;
    modelguard_charge_t        *charge;
    modelguard_table_budget_t  *entries;

    bill->spends = 0;
    bill->known = 0;
    bill->twice = 0;
    bill->peaks = 0;
    bill->which = 0;
    bill->wait = 0;

    if (bill->n == 0 || bill->n > MODELGUARD_TABLE_BUDGETS) {
        bill->n = 0;
        bill->wait = MODELGUARD_BUDGET_NEVER;
        return;
    }

    known = 0;
    cells = bill->work.table->cells;
    entries = bill->work.table->budgets;
    charge = bill->charges;

    modelguard_table_image(&bill->work, bill->body,
                           bill->work.record.id == NULL);

    /* charges come in the order of registration, nearly always */

    for (i = 0, n = 0; i < bill->n; i++, n++, charge++) {

        if (n >= cells || entries[n].name != charge->name || charge->name == 0)
        {
            n = modelguard_table_index(bill->work.table, charge->name);
        }

        charge->remaining = 0;
        wait = MODELGUARD_BUDGET_NEVER;
        cell = NULL;

        if (n < cells) {
            due = charge->cost;
            cell = &bill->body->cells[n];

            /* a budget that is charged twice must have room for both costs */

            if (known & 1u << n) {
                bill->twice = 1;
                due = modelguard_table_due(bill, charge, cell);
            }

            known |= 1u << n;

            if (entries[n].peak < charge->budget->limit) {
                bill->peaks = 1;
            }

            wait = modelguard_table_weigh_one(charge, cell, due,
                                              bill->work.now);
        }

        bill->cells[i] = cell;
        charge->wait = wait;
        charge->refused = (wait != 0);

        if (wait == 0) {
            bill->spends |= (charge->cost != 0);

        } else if (!charge->dry_run && wait > bill->wait) {
            bill->wait = wait;
            bill->which = i;
        }
    }

    bill->known = known;
}


static inline uint64_t
modelguard_table_weigh_one(modelguard_charge_t *charge,
    modelguard_cell_t *cell, uint64_t due, uint64_t now)
{
    uint64_t                    spent, total;
    const modelguard_budget_t  *budget;

    budget = charge->budget;

    modelguard_table_date(cell, now);
    modelguard_budget_quick_roll(budget, cell, now);

    total = budget->limit + budget->burst;
    spent = modelguard_budget_quick_spent(budget, cell, now);

    if (spent <= total) {
        charge->remaining = total - spent;

        if (due <= total - spent) {
            return 0;
        }
    }

    /* not even a cost of 0 passes when a limit has been lowered */

    return modelguard_budget_wait(budget, cell, due, now);
}


/* what the charges up to the last one take from a cell */

static uint64_t
modelguard_table_due(const modelguard_table_bill_t *bill,
    const modelguard_charge_t *last, const modelguard_cell_t *cell)
{
    unsigned                    i;
    uint64_t                    due;
    const modelguard_charge_t  *charge;

    due = last->cost;

    for (i = 0; &bill->charges[i] < last; i++) {
        charge = &bill->charges[i];

        if (bill->cells[i] == cell && !(charge->refused && charge->dry_run)) {
            due = (due > UINT64_MAX - charge->cost) ? UINT64_MAX
                                                    : due + charge->cost;
        }
    }

    return due;
}


static void
modelguard_table_pass(modelguard_table_bill_t *bill)
{
    unsigned                  i;
    modelguard_cell_t        *cell;
    modelguard_charge_t      *charge;
    modelguard_table_work_t  *work;

    if (!bill->spends) {
        modelguard_table_report(bill, 0);
        return;
    }

    work = &bill->work;
    charge = bill->charges;

    for (i = 0; i < bill->n; i++, charge++) {

        if (charge->refused) {
            continue;
        }

        cell = bill->cells[i];

        if (cell->cur | cell->prev) {

            /* fits: it was found to be no more than the limit */

            cell->cur += charge->cost;

        } else {
            modelguard_budget_spend(charge->budget, cell, charge->cost,
                                    work->now);
        }

        charge->remaining -= charge->cost;
    }

    if (bill->twice) {
        modelguard_table_twice(bill);
    }

    modelguard_table_report(bill, 1);

    if (bill->body->held > work->second) {
        modelguard_table_hold(work, bill->body, bill->known, bill->until);

    } else {
        bill->body->held = bill->until;
    }

    modelguard_table_touch(work, bill->body);
    modelguard_table_commit(work);
}


/* what is left of a cell is left after all its charges */

static void
modelguard_table_twice(modelguard_table_bill_t *bill)
{
    unsigned              i;
    modelguard_charge_t  *charge;

    for (i = 0; i < bill->n; i++) {
        charge = &bill->charges[i];

        if (bill->cells[i]) {
            charge->remaining = modelguard_budget_remaining(charge->budget,
                                                            bill->cells[i],
                                                            bill->work.now);
        }
    }
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
        modelguard_table_report(bill, 0);
        return;
    }

    modelguard_table_report(bill, verdict == MODELGUARD_LIMITED);

    until = work->record.body->held;

    if (verdict == MODELGUARD_LIMITED) {
        until = bill->until;
    }

    if (work->record.body->seen == work->second
        && work->record.body->held >= until)
    {
        return;
    }

    /* as it was: nothing is spent */

    body = modelguard_table_prepare(work);

    if (body->held < until) {
        body->held = until;
    }

    modelguard_table_touch(work, body);
    modelguard_table_commit(work);
}


/*
 * When each budget is whole again, and which has the smallest share left: one
 * of a dry run only if all are.  If the record is kept, also until when some
 * limit is spent.
 */

static void
modelguard_table_report(modelguard_table_bill_t *bill, unsigned keeps)
{
    unsigned                    i, n, scarcest;
    uint64_t                    now, share, least;
    modelguard_cell_t          *cell;
    modelguard_charge_t        *charge;
    const modelguard_budget_t  *budget;

    bill->until = 0;

    n = bill->n;
    now = bill->work.now;
    charge = bill->charges;
    least = UINT64_MAX;
    scarcest = 0;

    for (i = 0; i < n; i++, charge++) {
        cell = bill->cells[i];
        budget = charge->budget;

        if (n > 1) {
            share = charge->remaining * MODELGUARD_TABLE_WHOLE
                    / (budget->limit + budget->burst);

            if (charge->dry_run) {
                share += 2 * MODELGUARD_TABLE_WHOLE;
            }

            if (share < least) {
                least = share;
                scarcest = i;
            }
        }

        charge->reset = 0;

        if (cell == NULL) {
            continue;
        }

        charge->reset = modelguard_budget_quick_reset(budget, cell, now);

        if (keeps && (bill->peaks || charge->remaining <= budget->burst)) {
            modelguard_table_bind(bill, charge, cell);
        }
    }

    bill->scarcest = scarcest;
}


/* the second until which a limit is spent, burst or not; and the peak */

static void
modelguard_table_bind(modelguard_table_bill_t *bill,
    const modelguard_charge_t *charge, const modelguard_cell_t *cell)
{
    uint32_t                    until;
    modelguard_table_budget_t  *entry;

    entry = &bill->work.table->budgets[cell - bill->body->cells];

    if (entry->peak < charge->budget->limit) {
        entry->peak = charge->budget->limit;
    }

    if (charge->remaining > charge->budget->burst) {
        return;
    }

    until = modelguard_table_until(charge->budget, cell, bill->work.now);

    if (until > bill->until) {
        bill->until = until;
    }
}
