
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_bill.h"
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
static ngx_int_t ngx_http_modelguard_bill_plain(
    ngx_http_modelguard_bill_t *bill);
static ngx_http_modelguard_noinline ngx_int_t ngx_http_modelguard_bill_make(
    ngx_http_modelguard_bill_t *bill, uint64_t items);
static ngx_int_t ngx_http_modelguard_bill_zone(
    ngx_http_modelguard_bill_t *bill, ngx_http_modelguard_bill_line_t *line);
static ngx_int_t ngx_http_modelguard_bill_client(
    ngx_http_modelguard_bill_t *bill, ngx_http_modelguard_zone_charge_t *zone,
    ngx_http_modelguard_zone_t *of);
static ngx_http_modelguard_noinline ngx_int_t
    ngx_http_modelguard_bill_keyless(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_zone_charge_t *zone);
static void ngx_http_modelguard_bill_sort(ngx_http_modelguard_bill_t *bill);
static void ngx_http_modelguard_bill_tell(ngx_http_modelguard_bill_t *bill,
    const ngx_http_modelguard_zone_charge_t *speaker);
static ngx_http_modelguard_noinline ngx_int_t
    ngx_http_modelguard_bill_held(ngx_http_modelguard_bill_t *bill,
    const modelguard_verdict_t *verdict, uint64_t items);
static void ngx_http_modelguard_bill_refuse(ngx_http_modelguard_bill_t *bill,
    const modelguard_verdict_t *verdict);
static ngx_int_t ngx_http_modelguard_bill_pass(
    ngx_http_modelguard_bill_t *bill);
static ngx_http_modelguard_noinline void ngx_http_modelguard_bill_tried(
    ngx_http_modelguard_bill_t *bill);
static void ngx_http_modelguard_bill_log(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_bill_line_t *line, ngx_uint_t dry_run);
static uint64_t ngx_http_modelguard_bill_seconds(uint64_t ms);


ngx_int_t
ngx_http_modelguard_bill_charge(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t items)
{
    ngx_int_t                           rc;
    ngx_time_t                         *tp;
    ngx_http_modelguard_bill_t         *bill;
    ngx_http_modelguard_zone_charge_t  *speaker;

    bill = ngx_http_modelguard_bill_create(r, ctx, mglcf);
    if (bill == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    tp = ngx_timeofday();

    bill->time = (uint64_t) tp->sec * 1000 + tp->msec;

    rc = mglcf->plain ? ngx_http_modelguard_bill_plain(bill) : NGX_DECLINED;

    if (rc == NGX_DECLINED) {
        rc = ngx_http_modelguard_bill_make(bill, items);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (bill->nlines == 0) {
        return ngx_http_modelguard_bill_pass(bill);
    }

    speaker = bill->zones;
    speaker += ngx_http_modelguard_zone_charge(bill->zones, bill->nzones,
                                               bill->time, r->connection->log);

    ngx_http_modelguard_bill_tell(bill, speaker);

    if (speaker->verdict.verdict != MODELGUARD_PASSED) {
        return ngx_http_modelguard_bill_held(bill, &speaker->verdict, items);
    }

    bill->charged = 1;

    if (!bill->exact || mglcf->refunds) {
        ngx_http_modelguard_settle_open(bill);
    }

    return ngx_http_modelguard_bill_pass(bill);
}


/* held back, or refused */

static ngx_int_t
ngx_http_modelguard_bill_held(ngx_http_modelguard_bill_t *bill,
    const modelguard_verdict_t *verdict, uint64_t items)
{
    ngx_int_t                              rc;
    ngx_http_request_t                    *r;
    ngx_http_modelguard_ctx_t             *ctx;
    const ngx_http_modelguard_loc_conf_t  *mglcf;

    r = bill->request;
    ctx = bill->ctx;
    mglcf = bill->conf;

    ctx->dry_run = mglcf->dry_run;
    ctx->retry = 0;

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
    bill->leased = 0;
    bill->zones = &bill->zone;
    bill->charges = (modelguard_charge_t *) (bill + 1);
    bill->lines = (ngx_http_modelguard_bill_line_t *) (bill->charges + n);

    ctx->bill = bill;

    return bill;
}


/*
 * Where all budgets are of one zone and nothing has to be found out; else
 * NGX_DECLINED.
 */

static ngx_int_t
ngx_http_modelguard_bill_plain(ngx_http_modelguard_bill_t *bill)
{
    ngx_uint_t                          n;
    modelguard_charge_t                *charge;
    ngx_http_modelguard_zone_t         *zone;
    ngx_http_modelguard_bill_line_t    *line;
    ngx_http_modelguard_budget_conf_t  *conf;

    conf = bill->conf->budgets->elts;
    n = bill->conf->budgets->nelts;
    zone = conf->zone;
    line = bill->lines;
    charge = bill->charges;

    bill->exact = 1;
    bill->nzones = 1;
    bill->nlines = n;
    bill->zone.n = n;

    for ( /* void */ ; n; n--, conf++, line++, charge++) {

        if (conf->zone != zone) {
            return NGX_DECLINED;
        }

        charge->name = conf->id;
        charge->budget = &conf->budget;
        charge->cost = 1;
        charge->dry_run = conf->dry_run;
        charge->refused = 0;

        line->conf = conf;
        line->charge = charge;
        line->dated = bill->time;
        line->zone = 0;
    }

    return ngx_http_modelguard_bill_client(bill, &bill->zone, zone);
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
    ngx_uint_t                          i;
    ngx_http_modelguard_zone_charge_t  *zone;

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

    zone->n = 1;

    return ngx_http_modelguard_bill_client(bill, zone, line->conf->zone);
}


static ngx_int_t
ngx_http_modelguard_bill_client(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_zone_charge_t *zone, ngx_http_modelguard_zone_t *of)
{
    ngx_int_t  rc;

    zone->zone = of;
    zone->charges = bill->charges;
    zone->special = 0;
    zone->keyless = 0;

    if (of->sweep) {
        ngx_http_modelguard_sweep_start(of);
    }

    rc = ngx_http_modelguard_zone_client(bill->request, of, &zone->id);

    return (rc != NGX_DECLINED) ? rc
                                : ngx_http_modelguard_bill_keyless(bill, zone);
}


static ngx_int_t
ngx_http_modelguard_bill_keyless(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_zone_charge_t *zone)
{
    u_char  addr[NGX_HTTP_MODELGUARD_ADDR_MAX];

    zone->keyless = 1;
    zone->special = 1;

    ngx_http_modelguard_zone_address(zone->zone, addr,
                                ngx_http_modelguard_addr(bill->request, addr),
                                &zone->id);
    return NGX_OK;
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

    /* lines and charges are in one order, but for those of other zones */

    if (bill->nzones == 1) {
        line += speaker->verdict.which;

    } else {
        while (line->charge != which) {
            line++;
        }
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
    ngx_http_modelguard_ctx_t  *ctx;

    ctx = bill->ctx;

    ctx->decided = 1;

    ngx_http_modelguard_delay_leave(ctx);

    ctx->verdict = ctx->delayed ? NGX_HTTP_MODELGUARD_DELAYED
                                : NGX_HTTP_MODELGUARD_PASSED;
    ngx_http_modelguard_stat_count(bill->request,
                                   ctx->delayed
                                   ? NGX_HTTP_MODELGUARD_STAT_DELAYED
                                   : NGX_HTTP_MODELGUARD_STAT_ALLOWED);

    if (bill->conf->trials) {
        ngx_http_modelguard_bill_tried(bill);
    }

    return NGX_DECLINED;
}


/* those that only try have refused it, perhaps */

static void
ngx_http_modelguard_bill_tried(ngx_http_modelguard_bill_t *bill)
{
    ngx_uint_t                        i;
    ngx_http_modelguard_ctx_t        *ctx;
    ngx_http_modelguard_bill_line_t  *line;

    ctx = bill->ctx;

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
