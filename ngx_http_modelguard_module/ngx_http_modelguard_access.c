
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_access.h"
#include "ngx_http_modelguard_body.h"
#include "ngx_http_modelguard_conf.h"
#include "ngx_http_modelguard_ctx.h"
#include "ngx_http_modelguard_error.h"
#include "ngx_http_modelguard_headers.h"
#include "ngx_http_modelguard_stat.h"
#include "ngx_http_modelguard_variables.h"
#include "ngx_http_modelguard_zone.h"


#define NGX_HTTP_MODELGUARD_MESSAGE_LEN  256   /* besides the name */


/* the budgets of a location, by zone */

typedef struct {
    ngx_uint_t                          n;
    ngx_http_modelguard_zone_charge_t   zones[MODELGUARD_TABLE_BUDGETS];
    ngx_http_modelguard_budget_conf_t  *budgets[MODELGUARD_TABLE_BUDGETS]
                                               [MODELGUARD_TABLE_BUDGETS];
} ngx_http_modelguard_bill_t;


static ngx_int_t ngx_http_modelguard_access_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_modelguard_access_guard(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf);
static ngx_int_t ngx_http_modelguard_access_inspect(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t *items);
static ngx_int_t ngx_http_modelguard_access_forbid(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    const modelguard_param_t *param);
static ngx_int_t ngx_http_modelguard_access_invalid(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, ngx_int_t status);
static ngx_int_t ngx_http_modelguard_access_charge(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t items);
static ngx_int_t ngx_http_modelguard_access_bill(ngx_http_request_t *r,
    ngx_http_modelguard_bill_t *bill,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t items);
static ngx_int_t ngx_http_modelguard_access_refuse(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf);
static ngx_int_t ngx_http_modelguard_access_retry(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx);
static ngx_int_t ngx_http_modelguard_access_message(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx, ngx_str_t *message);
static uint64_t ngx_http_modelguard_access_seconds(uint64_t ms);


ngx_int_t
ngx_http_modelguard_access_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt              *h;
    ngx_http_core_main_conf_t        *cmcf;
    ngx_http_modelguard_main_conf_t  *mgmcf;

    mgmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_modelguard_module);

    if (!mgmcf->used) {
        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    /* after all that authenticates: nobody spends what is another's */

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_modelguard_access_handler;

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_access_handler(ngx_http_request_t *r)
{
    uint64_t                         items;
    ngx_int_t                        rc;
    ngx_http_modelguard_ctx_t       *ctx;
    ngx_http_modelguard_loc_conf_t  *mglcf;

    if (r != r->main) {
        return NGX_DECLINED;
    }

    mglcf = ngx_http_get_module_loc_conf(r, ngx_http_modelguard_module);

    if (!mglcf->guarded && mglcf->checks == NULL
        && (mglcf->budgets == NULL || mglcf->budgets->nelts == 0))
    {
        return NGX_DECLINED;
    }

    ctx = ngx_http_modelguard_ctx_get(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (mglcf->guarded && ctx->conf == NULL) {
        rc = ngx_http_modelguard_access_guard(r, ctx, mglcf);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    /*
     * A page about a refusal is not refused; another model, for who has spent
     * his budget, has parameters of its own.
     */

    if (ctx->decided && !ctx->dry_run
        && ctx->verdict != NGX_HTTP_MODELGUARD_PASSED
        && (ctx->verdict == NGX_HTTP_MODELGUARD_INVALID
            || ctx->verdict == NGX_HTTP_MODELGUARD_FORBIDDEN
            || r->content_handler == NULL))
    {
        return NGX_DECLINED;
    }

    items = 1;

    if (mglcf->inspect
        && (!ctx->decided || (mglcf->checks && mglcf->checks != ctx->checks)))
    {
        rc = ngx_http_modelguard_access_inspect(r, ctx, mglcf, &items);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (ctx->decided) {
        return NGX_DECLINED;
    }

    if (mglcf->budgets == NULL || mglcf->budgets->nelts == 0) {

        if (ctx->verdict == NGX_HTTP_MODELGUARD_NONE) {
            ngx_http_modelguard_stat_count(r, NGX_HTTP_MODELGUARD_STAT_ALLOWED);
        }

        ctx->verdict = NGX_HTTP_MODELGUARD_PASSED;
        return NGX_DECLINED;
    }

    return ngx_http_modelguard_access_charge(r, ctx, mglcf, items);
}


static ngx_int_t
ngx_http_modelguard_access_guard(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf)
{
    ngx_str_t                  name;
    const modelguard_rules_t  *rules;

    if (ngx_http_modelguard_conf_rules(r, mglcf, &rules, &name) != NGX_OK) {
        ngx_http_modelguard_stat_refuse(r, NGX_HTTP_MODELGUARD_STAT_BLOCKED,
                                        NGX_HTTP_MODELGUARD_REASON_PROFILE);

        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* who is kept nothing from may have it in parts and in any coding */

    if ((rules != NULL || mglcf->fields == NULL)
        && ngx_http_modelguard_headers_request(r) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->conf = mglcf;
    ctx->rules = rules;
    ctx->profile = name;

    return NGX_OK;
}


/* NGX_OK with *items, or what the handler is to return */

static ngx_int_t
ngx_http_modelguard_access_inspect(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t *items)
{
    ngx_int_t                  rc;
    const modelguard_param_t  *param;

    rc = ngx_http_modelguard_body_read(r, ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_modelguard_body_inspect(r, mglcf, items, &param);

    if (rc == NGX_HTTP_INTERNAL_SERVER_ERROR) {
        return rc;
    }

    if (rc != NGX_OK) {
        return ngx_http_modelguard_access_invalid(r, ctx, mglcf, rc);
    }

    if (param) {
        return ngx_http_modelguard_access_forbid(r, ctx, mglcf, param);
    }

    /* a dry run has changed nothing */

    if (!mglcf->dry_run) {
        ctx->checks = mglcf->checks;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_access_forbid(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    const modelguard_param_t *param)
{
    ngx_str_t                    limit;
    const char                  *text;
    ngx_http_modelguard_error_t  error;

    ctx->decided = 1;
    ctx->verdict = NGX_HTTP_MODELGUARD_FORBIDDEN;
    ngx_http_modelguard_stat_count(r, NGX_HTTP_MODELGUARD_STAT_FORBIDDEN);

    ctx->dry_run = mglcf->dry_run;
    ctx->param.data = (u_char *) param->text.data;
    ctx->param.len = param->text.len;

    ngx_log_error(mglcf->log_level, r->connection->log, 0,
                  "modelguard: refusing request%s, parameter \"%V\"",
                  mglcf->dry_run ? ", dry run" : "", &ctx->param);

    if (mglcf->dry_run) {
        return NGX_DECLINED;
    }

    error.status = NGX_HTTP_BAD_REQUEST;
    error.type = "invalid_request_error";

    ngx_str_null(&limit);

    switch (param->op) {

    case MODELGUARD_PARAM_LIMIT:
        error.code = "integer_above_max_value";
        text = "The parameter \"%V\" must be a number from 0 to %V.";
        limit.data = (u_char *) param->value.data;
        limit.len = param->value.len;
        break;

    case MODELGUARD_PARAM_REQUIRE:
        error.code = "missing_required_parameter";
        text = "The parameter \"%V\" must be given and must not be null.";
        break;

    default: /* MODELGUARD_PARAM_FORBID */
        error.code = "unsupported_parameter";
        text = "The parameter \"%V\" is not allowed.";
    }

    /* the path as people write it in a request */

    error.param = ctx->param;

    if (error.param.len > 2 && ngx_strncmp(error.param.data, "$.", 2) == 0) {
        error.param.data += 2;
        error.param.len -= 2;
    }

    error.message.data = ngx_pnalloc(r->pool,
                                     error.param.len + limit.len
                                     + NGX_HTTP_MODELGUARD_MESSAGE_LEN);
    if (error.message.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    error.message.len = ngx_sprintf(error.message.data, text, &error.param,
                                    &limit)
                        - error.message.data;

    return ngx_http_modelguard_error_send(r, mglcf, &error);
}


static ngx_int_t
ngx_http_modelguard_access_invalid(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, ngx_int_t status)
{
    ngx_http_modelguard_error_t  error;

    ctx->decided = 1;
    ctx->verdict = NGX_HTTP_MODELGUARD_INVALID;
    ngx_http_modelguard_stat_count(r, NGX_HTTP_MODELGUARD_STAT_INVALID);

    ctx->dry_run = mglcf->dry_run;

    error.status = status;
    error.type = "invalid_request_error";

    ngx_str_null(&error.param);

    switch (status) {

    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
        error.code = "body_too_large";
        ngx_str_set(&error.message, "The request body is too large.");
        break;

    case NGX_HTTP_UNSUPPORTED_MEDIA_TYPE:
        error.code = "unsupported_encoding";
        ngx_str_set(&error.message,
                    "The request body must not be compressed.");
        break;

    default: /* NGX_HTTP_BAD_REQUEST */
        error.code = "invalid_body";
        ngx_str_set(&error.message, "The request body is not valid JSON.");
    }

    ngx_log_error(mglcf->log_level, r->connection->log, 0,
                  "modelguard: refusing request%s, its body cannot be "
                  "inspected: %s%s", mglcf->dry_run ? ", dry run" : "",
                  error.code,
                  (status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE)
                  ? ", see \"modelguard_body_size\"" : "");

    if (mglcf->dry_run) {
        return NGX_DECLINED;
    }

    return ngx_http_modelguard_error_send(r, mglcf, &error);
}


static ngx_int_t
ngx_http_modelguard_access_charge(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t items)
{
    uint64_t                            now;
    ngx_time_t                         *tp;
    ngx_uint_t                          i;
    modelguard_verdict_t               *verdict;
    ngx_http_modelguard_bill_t          bill;
    ngx_http_modelguard_budget_conf_t  *budget;

    if (ngx_http_modelguard_access_bill(r, &bill, mglcf, items) != NGX_OK) {
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
    ctx->reset = ngx_http_modelguard_access_seconds(verdict->reset);
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
            ctx->retry = ngx_http_modelguard_access_seconds(verdict->wait);
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

    return ngx_http_modelguard_access_refuse(r, ctx, mglcf);
}


static ngx_int_t
ngx_http_modelguard_access_bill(ngx_http_request_t *r,
    ngx_http_modelguard_bill_t *bill,
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


static ngx_int_t
ngx_http_modelguard_access_refuse(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf)
{
    ngx_http_modelguard_error_t  error;

    error.status = mglcf->reject_status;

    ngx_str_null(&error.param);

    if (ctx->verdict == NGX_HTTP_MODELGUARD_EXHAUSTED) {
        error.type = "server_error";
        error.code = "capacity_exhausted";

    } else {
        error.type = "rate_limit_error";
        error.code = "budget_exhausted";
    }

    if (ngx_http_modelguard_access_message(r, ctx, &error.message) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->retry && ngx_http_modelguard_access_retry(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_modelguard_error_send(r, mglcf, &error);
}


static ngx_int_t
ngx_http_modelguard_access_retry(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx)
{
    ngx_str_t  value;

    value.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%uL", ctx->retry) - value.data;

    return ngx_http_modelguard_headers_set(r, "Retry-After", &value);
}


static ngx_int_t
ngx_http_modelguard_access_message(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx, ngx_str_t *message)
{
    u_char  *p;

    message->data = ngx_pnalloc(r->pool, ctx->budget.len
                                         + NGX_HTTP_MODELGUARD_MESSAGE_LEN);
    if (message->data == NULL) {
        return NGX_ERROR;
    }

    p = message->data;

    if (ctx->verdict == NGX_HTTP_MODELGUARD_EXHAUSTED) {
        p = ngx_sprintf(p, "No more clients can be served at the moment. "
                        "Please try again later.");

    } else if (ctx->retry) {
        p = ngx_sprintf(p, "The budget \"%V\" is exhausted. "
                        "Please try again in %uL second%s.", &ctx->budget,
                        ctx->retry, (ctx->retry == 1) ? "" : "s");

    } else {
        p = ngx_sprintf(p, "The request costs more than the budget \"%V\" "
                        "can ever hold.", &ctx->budget);
    }

    message->len = p - message->data;

    return NGX_OK;
}


/* rounded up: a client that comes back then is let through */

static uint64_t
ngx_http_modelguard_access_seconds(uint64_t ms)
{
    return ms ? (ms - 1) / 1000 + 1 : 1;
}
