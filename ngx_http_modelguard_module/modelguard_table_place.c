
/*
 * Copyright (C) the modelguard authors
 *
 * Who is evicted, and who may not be.
 */


#include "modelguard_table_inside.h"


static int modelguard_table_candidate(modelguard_table_work_t *work);


/*
 * Free records of the emptier bucket come first, for that fills a table best;
 * but as long as the first one is not half full it does as well, and is where
 * a record is found soonest.
 */

int
modelguard_table_place(modelguard_table_work_t *work)
{
    unsigned                i, way, vacant, most;
    const modelguard_id_t  *stored;

    most = 0;

    for (i = 0; i < MODELGUARD_TABLE_CHOICES; i++) {
        stored = work->buckets[i].ids;
        vacant = 0;

        for (way = 0; way < MODELGUARD_TABLE_WAYS; way++) {

            if (stored[way].low || stored[way].high) {
                continue;
            }

            vacant++;

            if (vacant > most) {
                most = vacant;
                modelguard_table_record(work->table, &work->buckets[i], way,
                                        &work->record);
            }
        }

        if (vacant > MODELGUARD_TABLE_WAYS / 2) {
            break;
        }
    }

    if (most == 0 && modelguard_table_candidate(work) != MODELGUARD_OK) {
        return MODELGUARD_NOMEM;
    }

    work->fresh = 1;

    return MODELGUARD_OK;
}


static int
modelguard_table_candidate(modelguard_table_work_t *work)
{
    unsigned                   i, way;
    uint64_t                   rank;
    modelguard_table_record_t  record;

    work->rank = MODELGUARD_TABLE_KEPT;

    for (i = 0; i < MODELGUARD_TABLE_CHOICES; i++) {
        for (way = 0; way < MODELGUARD_TABLE_WAYS; way++) {

            modelguard_table_record(work->table, &work->buckets[i], way,
                                    &record);
            rank = modelguard_table_rank(work->table, record.body, work->now);

            if (rank < work->rank) {
                work->rank = rank;
                work->record = record;
            }
        }
    }

    return (work->rank == MODELGUARD_TABLE_KEPT) ? MODELGUARD_NOMEM
                                                 : MODELGUARD_OK;
}


uint64_t
modelguard_table_rank(const modelguard_table_t *table,
    const modelguard_table_body_t *body, uint64_t now)
{
    uint32_t             second;
    unsigned             i;
    uint64_t             spent, share, largest;
    modelguard_cell_t    cell;
    modelguard_budget_t  budget;

    second = modelguard_table_second(now);

    if (body->held > second || body->banned > second) {
        return MODELGUARD_TABLE_KEPT;
    }

    largest = 0;

    for (i = 0; i < table->cells; i++) {
        cell = body->cells[i];

        if (table->budgets[i].name == 0 || (cell.cur | cell.prev) == 0) {
            continue;
        }

        budget = table->budgets[i].budget;

        if (budget.limit < table->budgets[i].peak) {
            budget.limit = table->budgets[i].peak;
        }

        modelguard_table_date(&cell, now);
        modelguard_budget_roll(&budget, &cell, now);
        spent = modelguard_budget_spent(&budget, &cell, now);

        if (spent == 0) {
            continue;
        }

        /* fits: a limit has 40 bits */

        share = MODELGUARD_TABLE_WHOLE;

        if (spent < budget.limit) {
            share = 1 + spent * (MODELGUARD_TABLE_WHOLE - 1) / budget.limit;
        }

        if (share > largest) {
            largest = share;
        }
    }

    return largest << 32 | body->seen;
}


uint32_t
modelguard_table_until(const modelguard_budget_t *budget,
    const modelguard_cell_t *cell, uint64_t now)
{
    uint64_t             wait;
    modelguard_budget_t  bare;

    /* a lease that is not renewed heals, and counts too little to protect */

    if (budget->kind == MODELGUARD_BUDGET_CONCURRENT) {
        return 0;
    }

    bare = *budget;
    bare.burst = 0;

    wait = modelguard_budget_wait(&bare, cell, 1, now);

    if (wait == 0) {
        return 0;
    }

    if (wait > MODELGUARD_BUDGET_TIME_MAX
        || now > MODELGUARD_BUDGET_TIME_MAX
        || (now + wait - 1) / 1000 + 1 > MODELGUARD_TABLE_LAST)
    {
        return MODELGUARD_TABLE_FOREVER;
    }

    return (uint32_t) ((now + wait - 1) / 1000 + 1);
}


void
modelguard_table_hold(const modelguard_table_work_t *work,
    modelguard_table_body_t *body, unsigned known, uint32_t until)
{
    unsigned                   i;
    const modelguard_table_t  *table;

    table = work->table;

    if (body->held > work->second && body->held > until) {

        for (i = 0; i < table->cells; i++) {

            if (!(known & 1u << i)
                && table->budgets[i].name
                && (body->cells[i].cur | body->cells[i].prev))
            {
                return;
            }
        }
    }

    body->held = until;
}
