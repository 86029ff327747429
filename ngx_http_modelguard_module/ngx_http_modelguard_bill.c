
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_bill.h"
#include "ngx_http_modelguard_cost.h"
#include "ngx_http_modelguard_delay.h"
#include "ngx_http_modelguard_reject.h"
#include "ngx_http_modelguard_settle.h"
#include "ngx_http_modelguard_stat.h"
#include "ngx_http_modelguard_sweep.h"
#include "ngx_http_modelguard_variables.h"
#include "ngx_http_modelguard_zone.h"


static ngx_http_modelguard_bill_t *ngx_http_modelguard_bill_create(
    ngx_http_request_t *r, ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf);
static ngx_int_t ngx_http_modelguard_bill_make(
    ngx_http_modelguard_bill_t *bill, uint64_t items);
static ngx_int_t ngx_http_modelguard_bill_zone(
    ngx_http_modelguard_bill_t *bill, ngx_http_modelguard_bill_line_t *line);
static ngx_int_t ngx_http_modelguard_bill_line(
    ngx_http_modelguard_bill_t *bill, ngx_http_modelguard_bill_line_t *line,
    uint64_t items);
static ngx_int_t ngx_http_modelguard_bill_budget(
    ngx_http_modelguard_bill_t *bill, ngx_http_modelguard_bill_line_t *line);
static uint64_t ngx_http_modelguard_bill_reserve(
    const ngx_http_modelguard_bill_line_t *line);
static void ngx_http_modelguard_bill_sort(ngx_http_modelguard_bill_t *bill);
static void ngx_http_modelguard_bill_tell(ngx_http_modelguard_bill_t *bill,
    const ngx_http_modelguard_zone_charge_t *speaker);
static void ngx_http_modelguard_bill_refuse(ngx_http_modelguard_bill_t *bill,
    const modelguard_verdict_t *verdict);
static ngx_int_t ngx_http_modelguard_bill_pass(
    ngx_http_modelguard_bill_t *bill);
static void ngx_http_modelguard_bill_log(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_bill_line_t *line, ngx_uint_t dry_run);
static uint64_t ngx_http_modelguard_bill_seconds(uint64_t ms);


ngx_int_t
ngx_http_modelguard_bill_charge(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t items)
{
    uint64_t                            now;
    ngx_int_t                           rc;
    ngx_time_t                         *tp;
    ngx_uint_t                          speaker;
    modelguard_verdict_t               *verdict;
    ngx_http_modelguard_bill_t         *bill;

    bill = ngx_http_modelguard_bill_create(r, ctx, mglcf);
    if (bill == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    tp = ngx_timeofday();
    now = (uint64_t) tp->sec * 1000 + tp->msec;

    bill->time = now;

    if (ngx_http_modelguard_bill_make(bill, items) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->dry_run = mglcf->dry_run;
    ctx->retry = 0;

    if (bill->nlines == 0) {
        return ngx_http_modelguard_bill_pass(bill);
    }

    speaker = ngx_http_modelguard_zone_charge(bill->zones, bill->nzones, now,
                                              r->connection->log);

    verdict = &bill->zones[speaker].verdict;

    ngx_http_modelguard_bill_tell(bill, &bill->zones[speaker]);

    if (verdict->verdict == MODELGUARD_PASSED) {
        bill->charged = 1;

        if (!bill->exact || bill->refunds) {
            ngx_http_modelguard_settle_open(bill);
        }

        return ngx_http_modelguard_bill_pass(bill);
    }

    if (verdict->verdict == MODELGUARD_LIMITED) {
        rc = ngx_http_modelguard_delay_hold(r, ctx, mglcf, items);

        if (rc == NGX_OK) {
            ctx->decided = 1;
            ctx->verdict = NGX_HTTP_MODELGUARD_DELAYED;
            ngx_http_modelguard_stat_count(r, NGX_HTTP_MODELGUARD_STAT_DELAYED);

            return NGX_DECLINED;
        }

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    ngx_http_modelguard_bill_refuse(bill, verdict);

    /* a ban was logged when it began */

    if (verdict->verdict != MODELGUARD_BANNED) {
        ngx_http_modelguard_bill_log(bill, &bill->lines[bill->which],
                                     mglcf->dry_run);
    }

    if (mglcf->dry_run) {
        return NGX_DECLINED;
    }

    return ngx_http_modelguard_reject_limited(r, ctx, mglcf);
}


static void
ngx_http_modelguard_bill_refuse(ngx_http_modelguard_bill_t *bill,
    const modelguard_verdict_t *verdict)
{
    ngx_http_modelguard_ctx_t   *ctx;
    ngx_http_modelguard_stat_e   stat;

    ctx = bill->ctx;

    ctx->decided = 1;

    ngx_http_modelguard_delay_leave(ctx);

    switch (verdict->verdict) {

    case MODELGUARD_EXHAUSTED:
        ctx->verdict = NGX_HTTP_MODELGUARD_EXHAUSTED;
        stat = NGX_HTTP_MODELGUARD_STAT_EXHAUSTED;
        break;

    case MODELGUARD_BANNED:
        ctx->verdict = NGX_HTTP_MODELGUARD_BANNED;
        stat = NGX_HTTP_MODELGUARD_STAT_BANNED;
        break;

    default: /* MODELGUARD_LIMITED */
        ctx->verdict = NGX_HTTP_MODELGUARD_LIMITED;
        stat = NGX_HTTP_MODELGUARD_STAT_LIMITED;
    }

    ngx_http_modelguard_stat_count(bill->request, stat);

    if (ctx->verdict != NGX_HTTP_MODELGUARD_EXHAUSTED
        && verdict->wait != MODELGUARD_BUDGET_NEVER)
    {
        ctx->retry = ngx_http_modelguard_bill_seconds(verdict->wait);
    }
}


/* one that was refused is written anew when the request tries again */

static ngx_http_modelguard_bill_t *
ngx_http_modelguard_bill_create(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf)
{
    ngx_uint_t                   n;
    ngx_http_modelguard_bill_t  *bill;

    bill = ctx->bill;

    if (bill && bill->conf == mglcf) {
        return bill;
    }

    n = mglcf->budgets->nelts;

    /* the room is for the location that the request came to first */

    if (ctx->room && ngx_http_modelguard_bill_size(n) <= ctx->room_size) {
        bill = ctx->room;
        ctx->room = NULL;

    } else {
        bill = ngx_palloc(r->main->pool, ngx_http_modelguard_bill_size(n));
        if (bill == NULL) {
            return NULL;
        }
    }

    bill->request = r->main;
    bill->ctx = ctx;
    bill->conf = mglcf;
    bill->charged = 0;
    bill->settled = 0;
    bill->leased = 0;
    bill->zones = &bill->zone;
    bill->charges = (modelguard_charge_t *) (bill + 1);
    bill->lines = (ngx_http_modelguard_bill_line_t *) (bill->charges + n);

    ctx->bill = bill;

    return bill;
}


static ngx_int_t
ngx_http_modelguard_bill_make(ngx_http_modelguard_bill_t *bill, uint64_t items)
{
    ngx_int_t                           rc;
    ngx_uint_t                          i, n;
    modelguard_charge_t                *charge;
    ngx_http_modelguard_bill_line_t    *line;
    ngx_http_modelguard_budget_conf_t  *conf;

    conf = bill->conf->budgets->elts;
    n = bill->conf->budgets->nelts;
    line = bill->lines;
    charge = bill->charges;

    bill->which = 0;
    bill->exact = 1;
    bill->refunds = 0;
    bill->tries = 0;
    bill->nzones = 0;
    bill->nlines = 0;

    for (i = 0; i < n; i++, conf++) {

        charge->name = conf->id;
        charge->budget = &conf->budget;
        charge->cost = 1;
        charge->dry_run = conf->dry_run;
        charge->refused = 0;

        line->conf = conf;
        line->charge = charge;
        line->dated = bill->time;

        /* most are as they are written */

        if (conf->unit != NGX_HTTP_MODELGUARD_UNIT_REQUESTS
            || conf->limit
            || conf->burst
            || bill->conf->costs)
        {
            rc = ngx_http_modelguard_bill_line(bill, line, items);

            if (rc == NGX_DECLINED) {
                continue;
            }

            if (rc != NGX_OK) {
                return NGX_ERROR;
            }
        }

        bill->refunds |= !conf->always;
        bill->tries |= conf->dry_run;

        if (bill->nzones == 1 && bill->zones[0].zone == conf->zone) {
            line->zone = 0;
            bill->zones[0].n++;

        } else if (ngx_http_modelguard_bill_zone(bill, line) != NGX_OK) {
            return NGX_ERROR;
        }

        line++;
        charge++;
    }

    bill->nlines = line - bill->lines;

    if (bill->nzones > 1 || !bill->exact) {
        ngx_http_modelguard_bill_sort(bill);
    }

    return NGX_OK;
}


/* finds the line's zone among the bill's, or adds it */

static ngx_int_t
ngx_http_modelguard_bill_zone(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_bill_line_t *line)
{
    ngx_int_t                           rc;
    ngx_uint_t                          i;
    ngx_http_modelguard_zone_charge_t  *zone;
    u_char                              addr[NGX_HTTP_MODELGUARD_ADDR_MAX];

    for (i = 0; i < bill->nzones; i++) {
        if (bill->zones[i].zone == line->conf->zone) {
            break;
        }
    }

    line->zone = i;

    if (i < bill->nzones) {
        bill->zones[i].n++;
        return NGX_OK;
    }

    if (i == 1 && bill->zones == &bill->zone) {
        zone = ngx_palloc(bill->request->pool,
                          bill->conf->budgets->nelts
                          * sizeof(ngx_http_modelguard_zone_charge_t));
        if (zone == NULL) {
            return NGX_ERROR;
        }

        zone[0] = bill->zone;
        bill->zones = zone;
    }

    zone = &bill->zones[i];

    bill->nzones++;

    zone->zone = line->conf->zone;
    zone->n = 1;
    zone->charges = bill->charges;
    zone->special = 0;
    zone->keyless = 0;

    if (zone->zone->sweep) {
        ngx_http_modelguard_sweep_start(zone->zone);
    }

    rc = ngx_http_modelguard_zone_client(bill->request, zone->zone, &zone->id);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    zone->keyless = 1;
    zone->special = 1;

    ngx_http_modelguard_zone_address(zone->zone, addr,
                                ngx_http_modelguard_addr(bill->request, addr),
                                &zone->id);
    return NGX_OK;
}


/* NGX_DECLINED: the budget does not hold for this request */

static ngx_int_t
ngx_http_modelguard_bill_line(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_bill_line_t *line, uint64_t items)
{
    ngx_int_t                                 rc;
    ngx_uint_t                                unknown;
    const ngx_http_modelguard_budget_conf_t  *conf;

    conf = line->conf;

    if (conf->limit || conf->burst) {
        rc = ngx_http_modelguard_bill_budget(bill, line);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    unknown = ngx_http_modelguard_cost_unknown(conf->unit);

    if (unknown || conf->unit == NGX_HTTP_MODELGUARD_UNIT_CONCURRENT) {
        bill->exact = 0;
    }

    rc = ngx_http_modelguard_cost_find(bill->request, bill->conf, conf->unit,
                                       &line->charge->cost);
    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_OK) {

        if (unknown && line->charge->cost == 0) {
            line->charge->cost = 1;
        }

        return NGX_OK;
    }

    if (unknown) {
        line->charge->cost = NGX_HTTP_MODELGUARD_ZONE_MEAN;
        line->charge->remaining = ngx_http_modelguard_bill_reserve(line);

    } else if (conf->unit == NGX_HTTP_MODELGUARD_UNIT_ITEMS) {
        line->charge->cost = items;
    }

    return NGX_OK;
}


/* the limit and the burst of this request */

static ngx_int_t
ngx_http_modelguard_bill_budget(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_bill_line_t *line)
{
    ngx_int_t                                 rc;
    const char                               *name;
    modelguard_budget_t                      *budget;
    const ngx_http_modelguard_budget_conf_t  *conf;

    conf = line->conf;

    budget = ngx_palloc(bill->request->pool, sizeof(modelguard_budget_t));
    if (budget == NULL) {
        return NGX_ERROR;
    }

    *budget = conf->budget;
    line->charge->budget = budget;

    /* a directive's words end in NUL */

    name = (const char *) conf->name.data;

    if (conf->limit) {
        rc = ngx_http_modelguard_cost_evaluate(bill->request, conf->limit, 1,
                                               "limit", name, &budget->limit);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (conf->burst
        && ngx_http_modelguard_cost_evaluate(bill->request, conf->burst, 0,
                                             "burst", name, &budget->burst)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* what a client without a mean is charged at first */

static uint64_t
ngx_http_modelguard_bill_reserve(const ngx_http_modelguard_bill_line_t *line)
{
    switch (line->conf->unit) {

    case NGX_HTTP_MODELGUARD_UNIT_TOKENS:
        return NGX_HTTP_MODELGUARD_RESERVE_TOKENS;

    case NGX_HTTP_MODELGUARD_UNIT_BITS:
        return NGX_HTTP_MODELGUARD_RESERVE_BITS;

    default: /* NGX_HTTP_MODELGUARD_UNIT_BYTES */
        return NGX_HTTP_MODELGUARD_RESERVE_BYTES;
    }
}


/* puts the charges of each zone side by side, and notes what is to be asked */

static void
ngx_http_modelguard_bill_sort(ngx_http_modelguard_bill_t *bill)
{
    ngx_uint_t                        i, j, n;
    modelguard_charge_t               charges[MODELGUARD_TABLE_BUDGETS];
    ngx_http_modelguard_bill_line_t  *line;

    n = 0;

    for (j = 0; j < bill->nzones; j++) {

        bill->zones[j].charges = &bill->charges[n];
        bill->zones[j].special |= !bill->exact;

        for (i = 0; i < bill->nlines; i++) {
            line = &bill->lines[i];

            if (line->zone == j) {
                charges[n] = *line->charge;
                line->charge = &bill->charges[n++];
            }
        }
    }

    ngx_memcpy(bill->charges, charges, n * sizeof(modelguard_charge_t));
}


/* what the zones say */

static void
ngx_http_modelguard_bill_tell(ngx_http_modelguard_bill_t *bill,
    const ngx_http_modelguard_zone_charge_t *speaker)
{
    const modelguard_charge_t        *which;
    ngx_http_modelguard_ctx_t        *ctx;
    ngx_http_modelguard_bill_line_t  *line;

    ctx = bill->ctx;
    which = &speaker->charges[speaker->verdict.which];
    line = bill->lines;

    if (bill->nzones == 1) {
        line += speaker->verdict.which;
    }

    while (line->charge != which) {
        line++;
    }

    bill->which = line - bill->lines;

    ctx->budget = line->conf->name;
    ctx->remaining = which->remaining;
    ctx->reset = (which->reset == MODELGUARD_BUDGET_NEVER)
                 ? MODELGUARD_BUDGET_NEVER
                 : ngx_http_modelguard_bill_seconds(which->reset);
    ctx->cost = bill->lines[0].charge->cost;
    ctx->client = speaker->id;
    ctx->has_client = 1;
}


static ngx_int_t
ngx_http_modelguard_bill_pass(ngx_http_modelguard_bill_t *bill)
{
    ngx_uint_t                        i;
    ngx_http_modelguard_ctx_t        *ctx;
    ngx_http_modelguard_bill_line_t  *line;

    ctx = bill->ctx;

    ctx->decided = 1;

    ngx_http_modelguard_delay_leave(ctx);

    ctx->verdict = ctx->delayed ? NGX_HTTP_MODELGUARD_DELAYED
                                : NGX_HTTP_MODELGUARD_PASSED;
    ngx_http_modelguard_stat_count(bill->request,
                                   ctx->delayed
                                   ? NGX_HTTP_MODELGUARD_STAT_DELAYED
                                   : NGX_HTTP_MODELGUARD_STAT_ALLOWED);

    if (!bill->tries) {
        return NGX_DECLINED;
    }

    /* those that only try have refused it, perhaps */

    for (i = 0; i < bill->nlines; i++) {
        line = &bill->lines[i];

        if (!line->charge->refused) {
            continue;
        }

        if (ctx->dry_budget.len == 0) {
            ctx->dry_budget = line->conf->name;
            ngx_http_modelguard_stat_count(bill->request,
                                           NGX_HTTP_MODELGUARD_STAT_DRY_RUN);
        }

        ngx_http_modelguard_bill_log(bill, line, 1);
    }

    return NGX_DECLINED;
}


static void
ngx_http_modelguard_bill_log(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_bill_line_t *line, ngx_uint_t dry_run)
{
    ngx_http_modelguard_zone_charge_t  *zone;

    zone = &bill->zones[line->zone];

    ngx_log_error(bill->conf->log_level, bill->request->connection->log, 0,
                  "modelguard: limiting requests%s, budget \"%V\", "
                  "cost: %uL, remaining: %uL, client: %016xL, by zone \"%V\"",
                  dry_run ? ", dry run" : "", &line->conf->name,
                  line->charge->cost, line->charge->remaining, zone->id.low,
                  &zone->zone->shm_zone->shm.name);
}


/* rounded up: a client that comes back then is let through */

static uint64_t
ngx_http_modelguard_bill_seconds(uint64_t ms)
{
    return ms ? (ms - 1) / 1000 + 1 : 1;
}
