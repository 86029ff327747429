
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_access.h"
#include "ngx_http_modelguard_bill.h"
#include "ngx_http_modelguard_body.h"
#include "ngx_http_modelguard_conf.h"
#include "ngx_http_modelguard_ctx.h"
#include "ngx_http_modelguard_headers.h"
#include "ngx_http_modelguard_meter.h"
#include "ngx_http_modelguard_reject.h"
#include "ngx_http_modelguard_stat.h"


static ngx_int_t ngx_http_modelguard_access_handler(ngx_http_request_t *r);
static ngx_http_modelguard_noinline ngx_int_t ngx_http_modelguard_access(
    ngx_http_request_t *r, ngx_http_modelguard_loc_conf_t *mglcf);
static ngx_http_modelguard_noinline ngx_int_t
    ngx_http_modelguard_access_guard(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf);
static ngx_http_modelguard_noinline ngx_int_t
    ngx_http_modelguard_access_inspect(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t items);
static ngx_int_t ngx_http_modelguard_access_charge(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t items);


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
    ngx_http_modelguard_loc_conf_t  *mglcf;

    mglcf = ngx_http_get_module_loc_conf(r, ngx_http_modelguard_module);

    if (!mglcf->active || r != r->main) {
        return NGX_DECLINED;
    }

    return ngx_http_modelguard_access(r, mglcf);
}


static ngx_int_t
ngx_http_modelguard_access(ngx_http_request_t *r,
    ngx_http_modelguard_loc_conf_t *mglcf)
{
    uint64_t                    items;
    ngx_int_t                   rc;
    ngx_uint_t                  n;
    ngx_http_modelguard_ctx_t  *ctx;

    n = mglcf->budgets ? mglcf->budgets->nelts : 0;

    ctx = ngx_http_modelguard_ctx_get_room(r,
                                  n ? ngx_http_modelguard_bill_size(n) : 0);
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
        && ctx->verdict != NGX_HTTP_MODELGUARD_DELAYED
        && (ctx->verdict == NGX_HTTP_MODELGUARD_INVALID
            || ctx->verdict == NGX_HTTP_MODELGUARD_FORBIDDEN
            || r->content_handler == NULL))
    {
        return NGX_DECLINED;
    }

    /* what most come to */

    if (mglcf->direct && !ctx->decided && !ctx->delayed) {
        return ngx_http_modelguard_bill_charge(r, ctx, mglcf, 1);
    }

    items = ctx->delayed ? ctx->items : 1;

    if (mglcf->inspect
        && (!ctx->delayed || ctx->decided)
        && (!ctx->decided || (mglcf->checks && mglcf->checks != ctx->checks)))
    {
        return ngx_http_modelguard_access_inspect(r, ctx, mglcf, items);
    }

    return ngx_http_modelguard_access_charge(r, ctx, mglcf, items);
}


static ngx_int_t
ngx_http_modelguard_access_charge(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t items)
{
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

    if ((mglcf->meter_tokens || mglcf->meter_bits)
        && ngx_http_modelguard_meter_request(r, ctx, mglcf) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_modelguard_bill_charge(r, ctx, mglcf, items);
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


/* the items are those of the body, if it is read for them */

static ngx_int_t
ngx_http_modelguard_access_inspect(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t items)
{
    ngx_int_t                  rc;
    const modelguard_param_t  *param;

    rc = ngx_http_modelguard_body_read(r, ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_modelguard_body_inspect(r, mglcf, &items, &param);

    if (rc == NGX_HTTP_INTERNAL_SERVER_ERROR) {
        return rc;
    }

    if (rc != NGX_OK && mglcf->tries) {
        ngx_log_error(mglcf->log_level, r->connection->log, 0,
                      "modelguard: refusing request, dry run, its items "
                      "cannot be counted: %i", rc);

        return ngx_http_modelguard_access_charge(r, ctx, mglcf, items);
    }

    if (rc != NGX_OK) {
        return ngx_http_modelguard_reject_invalid(r, ctx, mglcf, rc);
    }

    if (param) {
        return ngx_http_modelguard_reject_forbidden(r, ctx, mglcf, param);
    }

    /* a dry run has changed nothing */

    if (!mglcf->dry_run) {
        ctx->checks = mglcf->checks;
    }

    return ngx_http_modelguard_access_charge(r, ctx, mglcf, items);
}
