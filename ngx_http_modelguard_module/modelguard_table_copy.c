
/*
 * Copyright (C) the modelguard authors
 *
 * From one table into another, and out of one.
 */


#include "modelguard_table_inside.h"


typedef struct {
    modelguard_table_t         *to;
    const modelguard_table_t   *from;
    unsigned                    kept;        /* only those that must stay */
    uint64_t                    now;
    modelguard_table_report_t  *report;
    unsigned                    cell[MODELGUARD_TABLE_BUDGETS];
} modelguard_table_copy_t;


static void modelguard_table_copy_all(modelguard_table_copy_t *copy);
static void modelguard_table_copy_one(modelguard_table_copy_t *copy,
    const modelguard_table_record_t *old);
static void modelguard_table_copy_body(const modelguard_table_copy_t *copy,
    const modelguard_table_record_t *old,
    const modelguard_table_record_t *there, modelguard_table_body_t *body);
static void modelguard_table_copy_stat(modelguard_table_copy_t *copy);


void
modelguard_table_copy(modelguard_table_t *to, const modelguard_table_t *from,
    uint64_t now, modelguard_table_report_t *report)
{
    unsigned                   i, k;
    uint64_t                   peak;
    modelguard_table_body_t    body;
    modelguard_table_copy_t    copy;
    modelguard_table_record_t  old, new;

    memset(report, 0, sizeof(modelguard_table_report_t));

    copy.to = to;
    copy.from = from;
    copy.now = now;
    copy.report = report;

    for (i = 0; i < from->cells; i++) {
        k = modelguard_table_index(to, from->budgets[i].name);
        copy.cell[i] = k;

        if (k < to->cells) {
            peak = from->budgets[i].peak;

            if (to->budgets[k].peak < peak) {
                to->budgets[k].peak = peak;
            }

        } else if (from->budgets[i].name) {
            report->budgets++;
        }
    }

    copy.kept = 1;
    modelguard_table_copy_all(&copy);

    copy.kept = 0;
    modelguard_table_copy_all(&copy);

    modelguard_table_nth(from, 0, modelguard_table_records(from), &old);

    if (old.id->low || old.id->high) {
        modelguard_table_nth(to, 0, modelguard_table_records(to), &new);
        modelguard_table_copy_body(&copy, &old, &new, &body);
        modelguard_table_store(to, &new, old.id, &body);
    }

    modelguard_table_copy_stat(&copy);
}


static void
modelguard_table_copy_all(modelguard_table_copy_t *copy)
{
    unsigned                   shard, kept;
    uint64_t                   i, n;
    modelguard_table_record_t  old;

    n = modelguard_table_records(copy->from);

    for (shard = 0; shard < copy->from->shards; shard++) {
        for (i = 0; i < n; i++) {
            modelguard_table_nth(copy->from, shard, i, &old);

            if (old.id->low == 0 && old.id->high == 0) {
                continue;
            }

            kept = (modelguard_table_rank(copy->from, old.body, copy->now)
                    == MODELGUARD_TABLE_KEPT);

            if (kept == copy->kept) {
                modelguard_table_copy_one(copy, &old);
            }
        }
    }
}


static void
modelguard_table_copy_one(modelguard_table_copy_t *copy,
    const modelguard_table_record_t *old)
{
    modelguard_table_body_t  body;
    modelguard_table_work_t  work;

    modelguard_table_find(copy->to, old->id, copy->now, &work);
    modelguard_table_copy_body(copy, old, &work.record, &body);

    if (work.record.id == NULL) {

        if (modelguard_table_place(&work) != MODELGUARD_OK) {
            copy->report->lost++;
            return;
        }

        if (work.record.id->low || work.record.id->high) {

            /* one of the two is lost */

            copy->report->lost++;

            if (work.rank >= modelguard_table_rank(copy->to, &body,
                                                   copy->now))
            {
                return;
            }

        } else {
            work.shard->stat.records++;
            copy->report->records++;
        }
    }

    modelguard_table_store(copy->to, &work.record, old->id, &body);
}


/* what only a record that is there already knows stays as it is */

static void
modelguard_table_copy_body(const modelguard_table_copy_t *copy,
    const modelguard_table_record_t *old,
    const modelguard_table_record_t *there, modelguard_table_body_t *body)
{
    unsigned                  i;
    modelguard_table_body_t  *from;

    from = old->body;

    memset(body, 0, modelguard_table_room(copy->to));

    if (there->id != NULL) {
        memcpy(body, there->body, modelguard_table_room(copy->to));
    }

    body->seen = from->seen;

    if (body->banned < from->banned) {
        body->banned = from->banned;
    }

    if (body->held < from->held) {
        body->held = from->held;
    }

    body->strikes = from->strikes;
    body->struck = from->struck;

    for (i = 0; i < copy->from->cells; i++) {
        if (copy->cell[i] < copy->to->cells) {
            body->cells[copy->cell[i]] = from->cells[i];
        }
    }

    body->check = modelguard_table_check_record(copy->to, old->id, body);
}


/* what was counted goes on from there, in the first shard */

static void
modelguard_table_copy_stat(modelguard_table_copy_t *copy)
{
    modelguard_table_stat_t  sum, *stat;

    modelguard_table_stat(copy->from, &sum);

    stat = &modelguard_table_part(copy->to, 0)->stat;

    stat->passed += sum.passed;
    stat->limited += sum.limited;
    stat->banned += sum.banned;
    stat->bans += sum.bans;
    stat->evicted += sum.evicted;
    stat->expired += sum.expired;
    stat->exhausted += sum.exhausted;
    stat->skipped += sum.skipped;
    stat->recovered += sum.recovered;
    stat->repaired += sum.repaired;
}


int
modelguard_table_adopt(modelguard_table_t *table,
    const modelguard_table_t *from)
{
    size_t                    first;
    unsigned                  i;
    modelguard_table_stat_t  *stat;

    if (from->size != table->size) {
        return MODELGUARD_INVALID;
    }

    first = modelguard_table_first(table->shards);

    table->magic = 0;

    modelguard_table_barrier();

    table->cells = from->cells;
    table->secret = from->secret;
    memcpy(table->budgets, from->budgets, sizeof(table->budgets));

    *modelguard_table_spill(table) = *modelguard_table_spill(from);

    for (i = 0; i < table->shards; i++) {
        stat = &modelguard_table_part(table, i)->stat;
        *stat = modelguard_table_part(from, i)->stat;
    }

    memcpy((uint8_t *) table + first, (const uint8_t *) from + first,
           (size_t) table->size - first);

    table->check = modelguard_table_sum(table, 0);

    modelguard_table_barrier();

    table->magic = MODELGUARD_TABLE_MAGIC;

    return MODELGUARD_OK;
}


int
modelguard_table_sweep(modelguard_table_t *table, unsigned shard,
    uint64_t *cursor, unsigned n, uint64_t inactive, uint64_t now)
{
    unsigned                        way, pack;
    uint64_t                        total;
    modelguard_table_work_t         work;
    modelguard_table_bucket_t       bucket;
    const modelguard_table_body_t  *body;

    memset(&work, 0, sizeof(modelguard_table_work_t));

    work.table = table;
    work.shard = modelguard_table_part(table, shard);
    work.now = now;
    work.second = modelguard_table_second(now);

    /* a page that is only read is memory, too */

    if (work.shard->stat.records == 0) {
        *cursor = 0;
        return 1;
    }

    pack = modelguard_table_pack(table->cells);
    total = (uint64_t) table->pages * pack;

    for ( /* void */ ; n && *cursor < total; n--, ++*cursor) {

        modelguard_table_bucket(table, shard, *cursor / pack,
                                (unsigned) (*cursor % pack), &bucket);

        for (way = 0; way < MODELGUARD_TABLE_WAYS; way++) {

            modelguard_table_record(table, &bucket, way, &work.record);
            body = work.record.body;

            if ((work.record.id->low == 0 && work.record.id->high == 0)
                || body->seen >= work.second
                || work.second - body->seen <= inactive
                || modelguard_table_rank(table, body, now) >> 32)
            {
                continue;
            }

            modelguard_table_clear(&work);
            work.shard->stat.expired++;
        }
    }

    if (*cursor < total) {
        return 0;
    }

    *cursor = 0;

    return 1;
}
