
/*
 * Copyright (C) the modelguard authors
 *
 * What becomes of a client after its charge: the true cost, strikes, bans.
 */


#include "modelguard_table_inside.h"


static int modelguard_table_due(const modelguard_table_t *table,
    const modelguard_settle_t *settles, unsigned n);
static int modelguard_table_struck(const modelguard_table_work_t *work,
    const modelguard_ban_t *ban, modelguard_table_body_t *body);
static uint32_t modelguard_table_end(uint64_t now, uint32_t time);


int
modelguard_table_settle(modelguard_table_t *table, const modelguard_id_t *id,
    const modelguard_settle_t *settles, unsigned n, uint64_t now)
{
    unsigned                    i, k, known;
    uint32_t                    until, latest;
    modelguard_cell_t          *cell;
    modelguard_table_work_t     work;
    modelguard_table_body_t    *body;
    const modelguard_settle_t  *settle;

    modelguard_table_find(table, id, now, &work);

    if (work.record.id == NULL) {

        if (!modelguard_table_due(table, settles, n)) {
            return MODELGUARD_OK;
        }

        if (modelguard_table_place(&work) != MODELGUARD_OK) {
            return MODELGUARD_NOMEM;
        }
    }

    body = modelguard_table_prepare(&work);

    known = 0;
    latest = 0;

    for (i = 0; i < n; i++) {
        settle = &settles[i];
        k = modelguard_table_index(table, settle->name);

        if (k == table->cells) {
            continue;
        }

        cell = &body->cells[k];

        modelguard_table_date(cell, now);
        modelguard_budget_roll(settle->budget, cell, now);

        if (settle->renew) {
            modelguard_budget_renew(settle->budget, cell, settle->reserved,
                                    settle->then, now);

        } else if (work.fresh) {
            modelguard_budget_spend(settle->budget, cell, settle->actual,
                                    now);

        } else {
            modelguard_budget_settle(settle->budget, cell, settle->reserved,
                                     settle->actual, settle->then, now);
        }

        if (settle->learn) {
            modelguard_budget_learn(cell, settle->actual);
        }

        known |= 1u << k;
        until = modelguard_table_until(settle->budget, cell, now);

        if (until > latest) {
            latest = until;
        }
    }

    modelguard_table_hold(&work, body, known, latest);
    modelguard_table_touch(&work, body);
    modelguard_table_commit(&work);

    return MODELGUARD_OK;
}


/* 1 if there is something to be spent */

static int
modelguard_table_due(const modelguard_table_t *table,
    const modelguard_settle_t *settles, unsigned n)
{
    unsigned  i;

    for (i = 0; i < n; i++) {

        if (modelguard_table_index(table, settles[i].name) != table->cells
            && (settles[i].renew ? settles[i].reserved : settles[i].actual))
        {
            return 1;
        }
    }

    return 0;
}


int
modelguard_table_strike(modelguard_table_t *table, const modelguard_id_t *id,
    const modelguard_ban_t *ban, uint64_t now)
{
    int                       begun;
    modelguard_table_work_t   work;
    modelguard_table_body_t  *body;

    modelguard_table_find(table, id, now, &work);

    if (work.record.id == NULL) {

        if (modelguard_table_place(&work) != MODELGUARD_OK) {
            return 0;
        }

    } else if (work.record.body->banned > work.second) {
        return 0;
    }

    body = modelguard_table_prepare(&work);
    begun = modelguard_table_struck(&work, ban, body);

    modelguard_table_touch(&work, body);
    modelguard_table_commit(&work);

    work.shard->stat.bans += (uint64_t) begun;

    return begun;
}


/*
 * Strikes are counted by intervals of ban->in: 8 bits each of the count before
 * the one with the last strike, and in it.
 */

static int
modelguard_table_struck(const modelguard_table_work_t *work,
    const modelguard_ban_t *ban, modelguard_table_body_t *body)
{
    int64_t   gone;
    uint32_t  cur, prev, past;

    prev = body->strikes >> 8 & 0xff;
    cur = body->strikes & 0xff;

    gone = (int64_t) (work->second / ban->in) - body->struck / ban->in;

    if (gone > 0) {
        prev = (gone == 1) ? cur : 0;
        cur = 0;
    }

    /* clocks of processes differ by little: one that is far off was wrong */

    if (gone >= 0 || gone < -1) {
        body->struck = work->second;
    }

    cur += (cur < 0xff);

    /* a clock that was set back stands at the start of the interval */

    past = (gone < 0) ? 0 : work->second % ban->in;

    if ((prev * (ban->in - past) + ban->in - 1) / ban->in + cur >= ban->after)
    {
        body->strikes = 0;
        body->banned = modelguard_table_end(work->now, ban->time);
        return 1;
    }

    body->strikes = prev << 8 | cur;

    return 0;
}


int
modelguard_table_ban(modelguard_table_t *table, const modelguard_id_t *id,
    uint32_t time, uint64_t now)
{
    modelguard_table_work_t   work;
    modelguard_table_body_t  *body;

    modelguard_table_find(table, id, now, &work);

    if (work.record.id == NULL) {

        if (time == 0) {
            return MODELGUARD_OK;
        }

        if (modelguard_table_place(&work) != MODELGUARD_OK) {
            return MODELGUARD_NOMEM;
        }
    }

    body = modelguard_table_prepare(&work);

    body->strikes = 0;
    body->banned = time ? modelguard_table_end(now, time) : 0;

    modelguard_table_touch(&work, body);
    modelguard_table_commit(&work);

    work.shard->stat.bans += (time != 0);

    return MODELGUARD_OK;
}


/* rounded up: not a moment less than was said */

static uint32_t
modelguard_table_end(uint64_t now, uint32_t time)
{
    uint64_t  end;

    end = now / 1000 + (now % 1000 != 0);

    if (end > MODELGUARD_TABLE_LAST || end + time > MODELGUARD_TABLE_LAST) {
        return MODELGUARD_TABLE_LAST;
    }

    return (uint32_t) (end + time);
}
