
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_bill.h"
#include "ngx_http_modelguard_cost.h"
#include "ngx_http_modelguard_delay.h"
#include "ngx_http_modelguard_reject.h"
#include "ngx_http_modelguard_settle.h"
#include "ngx_http_modelguard_stat.h"
#include "ngx_http_modelguard_variables.h"
#include "ngx_http_modelguard_zone.h"


/* a bill as the zones take it */

typedef struct {
    ngx_http_modelguard_zone_charge_t   zones[MODELGUARD_TABLE_BUDGETS];
    modelguard_charge_t                *charges[MODELGUARD_TABLE_BUDGETS];
                                                /* of the bill's lines */
} ngx_http_modelguard_bill_sheet_t;


static ngx_http_modelguard_bill_t *ngx_http_modelguard_bill_create(
    ngx_http_request_t *r, ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf);
static ngx_int_t ngx_http_modelguard_bill_make(
    ngx_http_modelguard_bill_t *bill, uint64_t items);
static ngx_int_t ngx_http_modelguard_bill_line(
    ngx_http_modelguard_bill_t *bill, ngx_http_modelguard_bill_line_t *line,
    uint64_t items);
static ngx_int_t ngx_http_modelguard_bill_cost(
    ngx_http_modelguard_bill_t *bill, ngx_http_modelguard_bill_line_t *line,
    uint64_t items);
static ngx_int_t ngx_http_modelguard_bill_zones(
    ngx_http_modelguard_bill_t *bill);
static void ngx_http_modelguard_bill_lay(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_bill_sheet_t *sheet);
static void ngx_http_modelguard_bill_reserve(
    ngx_http_modelguard_bill_line_t *line, modelguard_charge_t *charge);
static modelguard_verdict_t *ngx_http_modelguard_bill_read(
    ngx_http_modelguard_bill_t *bill, ngx_http_modelguard_bill_sheet_t *sheet,
    ngx_uint_t speaker, uint64_t now);
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
    uint64_t                           now;
    ngx_int_t                          rc;
    ngx_time_t                        *tp;
    ngx_uint_t                         speaker;
    modelguard_verdict_t              *verdict;
    ngx_http_modelguard_bill_t        *bill;
    ngx_http_modelguard_bill_line_t   *line;
    ngx_http_modelguard_bill_sheet_t   sheet;

    bill = ngx_http_modelguard_bill_create(r, ctx, mglcf);

    if (bill == NULL || ngx_http_modelguard_bill_make(bill, items) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->dry_run = mglcf->dry_run;
    ctx->retry = 0;

    if (bill->nlines == 0) {
        return ngx_http_modelguard_bill_pass(bill);
    }

    ngx_http_modelguard_bill_lay(bill, &sheet);

    tp = ngx_timeofday();
    now = (uint64_t) tp->sec * 1000 + tp->msec;

    speaker = ngx_http_modelguard_zone_charge(sheet.zones, bill->nzones, now,
                                              r->connection->log);

    verdict = ngx_http_modelguard_bill_read(bill, &sheet, speaker, now);
    line = &bill->lines[bill->which];

    ctx->budget = line->conf->name;
    ctx->remaining = line->remaining;
    ctx->reset = (line->reset == MODELGUARD_BUDGET_NEVER)
                 ? MODELGUARD_BUDGET_NEVER
                 : ngx_http_modelguard_bill_seconds(line->reset);
    ctx->cost = bill->lines[0].cost;
    ctx->client = bill->zones[line->zone].id;
    ctx->has_client = 1;

    if (verdict->verdict == MODELGUARD_PASSED) {
        bill->charged = 1;
        ngx_http_modelguard_settle_open(bill);

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
        ngx_http_modelguard_bill_log(bill, line, mglcf->dry_run);
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


/*
 * A cleanup's data if something may have to be settled, else just memory; a
 * bill that was refused is written anew when the request tries again.
 */

static ngx_http_modelguard_bill_t *
ngx_http_modelguard_bill_create(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf)
{
    size_t                              size;
    ngx_uint_t                          i, n, exact, settle;
    ngx_pool_cleanup_t                 *cln;
    ngx_http_modelguard_bill_t         *bill;
    ngx_http_modelguard_budget_conf_t  *conf;

    bill = ctx->bill;

    if (bill && bill->conf == mglcf) {
        return bill;
    }

    conf = mglcf->budgets->elts;
    n = mglcf->budgets->nelts;
    exact = 1;
    settle = 0;

    for (i = 0; i < n; i++) {

        if (conf[i].unit == NGX_HTTP_MODELGUARD_UNIT_CONCURRENT
            || ngx_http_modelguard_cost_unknown(conf[i].unit))
        {
            exact = 0;
        }

        settle |= !conf[i].always;
    }

    settle |= !exact;

    size = sizeof(ngx_http_modelguard_bill_t)
           + n * (sizeof(ngx_http_modelguard_bill_line_t)
                  + sizeof(ngx_http_modelguard_bill_zone_t));

    if (settle) {
        cln = ngx_pool_cleanup_add(r->main->pool, size);
        if (cln == NULL) {
            return NULL;
        }

        bill = cln->data;

    } else {
        cln = NULL;

        bill = ngx_palloc(r->main->pool, size);
        if (bill == NULL) {
            return NULL;
        }
    }

    bill->request = r->main;
    bill->ctx = ctx;
    bill->conf = mglcf;
    bill->time = 0;
    bill->which = 0;
    bill->exact = exact;
    bill->charged = 0;
    bill->settled = 0;
    bill->leased = 0;
    bill->nzones = 0;
    bill->nlines = 0;
    bill->lines = (ngx_http_modelguard_bill_line_t *) (bill + 1);
    bill->zones = (ngx_http_modelguard_bill_zone_t *) (bill->lines + n);

    if (cln) {
        cln->handler = ngx_http_modelguard_settle;
    }

    ctx->bill = bill;

    return bill;
}


static ngx_int_t
ngx_http_modelguard_bill_make(ngx_http_modelguard_bill_t *bill, uint64_t items)
{
    ngx_int_t                           rc;
    ngx_uint_t                          i;
    ngx_http_modelguard_bill_line_t    *line;
    ngx_http_modelguard_budget_conf_t  *conf;

    conf = bill->conf->budgets->elts;

    bill->nlines = 0;
    bill->which = 0;

    for (i = 0; i < bill->conf->budgets->nelts; i++) {
        line = &bill->lines[bill->nlines];

        line->conf = &conf[i];
        line->budget = conf[i].budget;
        line->cost = 0;
        line->dated = 0;
        line->remaining = 0;
        line->reset = 0;
        line->wait = 0;
        line->zone = 0;
        line->refused = 0;

        rc = ngx_http_modelguard_bill_line(bill, line, items);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_OK) {
            bill->nlines++;
        }
    }

    return ngx_http_modelguard_bill_zones(bill);
}


/* NGX_DECLINED: the budget does not hold for this request */

static ngx_int_t
ngx_http_modelguard_bill_line(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_bill_line_t *line, uint64_t items)
{
    ngx_int_t                                 rc;
    const char                               *name;
    const ngx_http_modelguard_budget_conf_t  *conf;

    conf = line->conf;

    /* a directive's words end in NUL */

    name = (const char *) conf->name.data;

    if (conf->limit) {
        rc = ngx_http_modelguard_cost_evaluate(bill->request, conf->limit, 1,
                                               "limit", name,
                                               &line->budget.limit);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (conf->burst
        && ngx_http_modelguard_cost_evaluate(bill->request, conf->burst, 0,
                                             "burst", name,
                                             &line->budget.burst)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_modelguard_bill_cost(bill, line, items);
}


static ngx_int_t
ngx_http_modelguard_bill_cost(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_bill_line_t *line, uint64_t items)
{
    ngx_int_t  rc;

    rc = ngx_http_modelguard_cost_find(bill->request, bill->conf,
                                       line->conf->unit, &line->cost);
    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (ngx_http_modelguard_cost_unknown(line->conf->unit)) {

        if (rc == NGX_DECLINED) {
            line->cost = NGX_HTTP_MODELGUARD_ZONE_MEAN;

        } else if (line->cost == 0) {
            line->cost = 1;
        }

        return NGX_OK;
    }

    if (rc == NGX_DECLINED) {
        line->cost = (line->conf->unit == NGX_HTTP_MODELGUARD_UNIT_ITEMS)
                     ? items : 1;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_bill_zones(ngx_http_modelguard_bill_t *bill)
{
    ngx_str_t                         addr;
    ngx_uint_t                        i, j;
    ngx_http_modelguard_zone_t       *zone;
    ngx_http_modelguard_bill_line_t  *line;
    u_char                            buf[NGX_HTTP_MODELGUARD_ADDR_MAX];

    addr.data = buf;
    addr.len = ngx_http_modelguard_addr(bill->request, buf);

    bill->nzones = 0;

    for (i = 0; i < bill->nlines; i++) {
        line = &bill->lines[i];
        zone = line->conf->zone;

        for (j = 0; j < bill->nzones; j++) {
            if (bill->zones[j].zone == zone) {
                break;
            }
        }

        line->zone = j;

        if (j < bill->nzones) {
            continue;
        }

        bill->nzones++;
        bill->zones[j].zone = zone;

        if (ngx_http_modelguard_zone_client(bill->request, zone, &addr,
                                            &bill->zones[j].id)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_http_modelguard_bill_lay(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_bill_sheet_t *sheet)
{
    ngx_uint_t                          i, unknown;
    modelguard_charge_t                *charge;
    ngx_http_modelguard_bill_line_t    *line;
    ngx_http_modelguard_zone_charge_t  *zone;

    unknown = 0;

    for (i = 0; i < bill->nzones; i++) {
        zone = &sheet->zones[i];

        zone->zone = bill->zones[i].zone;
        zone->id = bill->zones[i].id;
        zone->n = 0;
    }

    for (i = 0; i < bill->nlines; i++) {
        line = &bill->lines[i];
        zone = &sheet->zones[line->zone];
        charge = &zone->charges[zone->n++];

        ngx_memzero(charge, sizeof(modelguard_charge_t));

        charge->name = line->conf->id;
        charge->budget = &line->budget;
        charge->cost = line->cost;
        charge->dry_run = line->conf->dry_run;

        sheet->charges[i] = charge;

        if (line->cost == NGX_HTTP_MODELGUARD_ZONE_MEAN) {
            unknown |= (ngx_uint_t) 1 << line->zone;
        }
    }

    if (unknown == 0) {
        return;
    }

    for (i = 0; i < bill->nzones; i++) {
        if (unknown & ((ngx_uint_t) 1 << i)) {
            ngx_http_modelguard_zone_means(&sheet->zones[i]);
        }
    }

    for (i = 0; i < bill->nlines; i++) {
        line = &bill->lines[i];

        if (line->cost == NGX_HTTP_MODELGUARD_ZONE_MEAN) {
            ngx_http_modelguard_bill_reserve(line, sheet->charges[i]);
        }
    }
}


/*
 * A guess of ours must not keep a client out for ever: never more than the
 * limit.  What modelguard_cost declares is taken at its word.
 */

static void
ngx_http_modelguard_bill_reserve(ngx_http_modelguard_bill_line_t *line,
    modelguard_charge_t *charge)
{
    line->cost = charge->cost;

    if (line->cost == 0) {

        switch (line->conf->unit) {

        case NGX_HTTP_MODELGUARD_UNIT_TOKENS:
            line->cost = NGX_HTTP_MODELGUARD_RESERVE_TOKENS;
            break;

        case NGX_HTTP_MODELGUARD_UNIT_BITS:
            line->cost = NGX_HTTP_MODELGUARD_RESERVE_BITS;
            break;

        default: /* NGX_HTTP_MODELGUARD_UNIT_BYTES */
            line->cost = NGX_HTTP_MODELGUARD_RESERVE_BYTES;
        }
    }

    line->cost = ngx_min(line->cost, line->budget.limit);

    charge->cost = line->cost;
}


/* what the zones say, line by line; returns the verdict to speak of */

static modelguard_verdict_t *
ngx_http_modelguard_bill_read(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_bill_sheet_t *sheet, ngx_uint_t speaker, uint64_t now)
{
    ngx_uint_t                        i;
    modelguard_charge_t              *charge, *which;
    modelguard_verdict_t             *verdict;
    ngx_http_modelguard_bill_line_t  *line;

    bill->time = now;

    verdict = &sheet->zones[speaker].verdict;
    which = &sheet->zones[speaker].charges[verdict->which];

    for (i = 0; i < bill->nzones; i++) {
        bill->zones[i].id = sheet->zones[i].id;
    }

    for (i = 0; i < bill->nlines; i++) {
        line = &bill->lines[i];
        charge = sheet->charges[i];

        line->refused = charge->refused;
        line->remaining = charge->remaining;
        line->reset = charge->reset;
        line->wait = charge->wait;
        line->dated = now;

        if (charge == which) {
            bill->which = i;
        }
    }

    return verdict;
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

    for (i = 0; i < bill->nlines; i++) {
        line = &bill->lines[i];

        if (!line->refused) {
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
    ngx_http_modelguard_bill_zone_t  *zone;

    zone = &bill->zones[line->zone];

    ngx_log_error(bill->conf->log_level, bill->request->connection->log, 0,
                  "modelguard: limiting requests%s, budget \"%V\", "
                  "cost: %uL, remaining: %uL, client: %016xL, by zone \"%V\"",
                  dry_run ? ", dry run" : "", &line->conf->name, line->cost,
                  line->remaining, zone->id.low,
                  &zone->zone->shm_zone->shm.name);
}


/* rounded up: a client that comes back then is let through */

static uint64_t
ngx_http_modelguard_bill_seconds(uint64_t ms)
{
    return ms ? (ms - 1) / 1000 + 1 : 1;
}
