
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_bill.h"
#include "ngx_http_modelguard_reject.h"
#include "ngx_http_modelguard_stat.h"
#include "ngx_http_modelguard_variables.h"
#include "ngx_http_modelguard_zone.h"


/* the budgets of a location, by zone */

typedef struct {
    ngx_uint_t                          n;
    ngx_http_modelguard_zone_charge_t   zones[MODELGUARD_TABLE_BUDGETS];
    ngx_http_modelguard_budget_conf_t  *budgets[MODELGUARD_TABLE_BUDGETS]
                                               [MODELGUARD_TABLE_BUDGETS];
} ngx_http_modelguard_bill_sheet_t;


static ngx_int_t ngx_http_modelguard_bill_make(ngx_http_request_t *r,
    ngx_http_modelguard_bill_sheet_t *bill,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t items);
static uint64_t ngx_http_modelguard_bill_seconds(uint64_t ms);


ngx_int_t
ngx_http_modelguard_bill_charge(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t items)
{
    uint64_t                            now;
    ngx_time_t                         *tp;
    ngx_uint_t                          i;
    modelguard_verdict_t               *verdict;
    ngx_http_modelguard_bill_sheet_t          bill;
    ngx_http_modelguard_budget_conf_t  *budget;

    if (ngx_http_modelguard_bill_make(r, &bill, mglcf, items) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    tp = ngx_timeofday();
    now = (uint64_t) tp->sec * 1000 + tp->msec;

    i = ngx_http_modelguard_zone_charge(bill.zones, bill.n, now,
                                        r->connection->log);

    verdict = &bill.zones[i].verdict;
    budget = bill.budgets[i][verdict->which];

    ctx->decided = 1;
    ctx->dry_run = mglcf->dry_run;
    ctx->budget = budget->name;
    ctx->remaining = verdict->remaining;
    ctx->reset = ngx_http_modelguard_bill_seconds(verdict->reset);
    ctx->cost = bill.zones[0].charges[0].cost;
    ctx->client = bill.zones[i].id;
    ctx->has_client = 1;
    ctx->retry = 0;

    if (verdict->verdict == MODELGUARD_PASSED) {
        ctx->verdict = NGX_HTTP_MODELGUARD_PASSED;
        ngx_http_modelguard_stat_count(r, NGX_HTTP_MODELGUARD_STAT_ALLOWED);

        return NGX_DECLINED;
    }

    if (verdict->verdict == MODELGUARD_EXHAUSTED) {
        ctx->verdict = NGX_HTTP_MODELGUARD_EXHAUSTED;
        ngx_http_modelguard_stat_count(r, NGX_HTTP_MODELGUARD_STAT_EXHAUSTED);

    } else {
        ctx->verdict = NGX_HTTP_MODELGUARD_LIMITED;
        ngx_http_modelguard_stat_count(r, NGX_HTTP_MODELGUARD_STAT_LIMITED);

        if (verdict->wait != MODELGUARD_BUDGET_NEVER) {
            ctx->retry = ngx_http_modelguard_bill_seconds(verdict->wait);
        }
    }

    ngx_log_error(mglcf->log_level, r->connection->log, 0,
                  "modelguard: limiting requests%s, budget \"%V\", "
                  "cost: %uL, remaining: %uL, client: %016xL, by zone \"%V\"",
                  mglcf->dry_run ? ", dry run" : "", &budget->name,
                  bill.zones[i].charges[verdict->which].cost,
                  verdict->remaining, ctx->client.low,
                  &budget->zone->shm_zone->shm.name);

    if (mglcf->dry_run) {
        return NGX_DECLINED;
    }

    return ngx_http_modelguard_reject_limited(r, ctx, mglcf);
}


static ngx_int_t
ngx_http_modelguard_bill_make(ngx_http_request_t *r,
    ngx_http_modelguard_bill_sheet_t *bill,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t items)
{
    ngx_str_t                           addr;
    ngx_uint_t                          i, j;
    modelguard_charge_t                *charge;
    ngx_http_modelguard_budget_conf_t  *budget;
    ngx_http_modelguard_zone_charge_t  *zone;
    u_char                              buf[NGX_HTTP_MODELGUARD_ADDR_MAX];

    addr.data = buf;
    addr.len = ngx_http_modelguard_addr(r, buf);

    bill->n = 0;
    budget = mglcf->budgets->elts;

    for (i = 0; i < mglcf->budgets->nelts; i++) {

        for (j = 0; j < bill->n; j++) {
            if (bill->zones[j].zone == budget[i].zone) {
                break;
            }
        }

        zone = &bill->zones[j];

        if (j == bill->n) {
            bill->n++;

            zone->zone = budget[i].zone;
            zone->n = 0;

            if (ngx_http_modelguard_zone_client(r, zone->zone, &addr,
                                                &zone->id)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        bill->budgets[j][zone->n] = &budget[i];
        charge = &zone->charges[zone->n++];

        charge->name = budget[i].id;
        charge->budget = &budget[i].budget;
        charge->cost = (budget[i].unit == NGX_HTTP_MODELGUARD_UNIT_ITEMS)
                       ? items : 1;
    }

    return NGX_OK;
}


/* rounded up: a client that comes back then is let through */

static uint64_t
ngx_http_modelguard_bill_seconds(uint64_t ms)
{
    return ms ? (ms - 1) / 1000 + 1 : 1;
}
