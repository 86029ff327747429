
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_filter.h"
#include "ngx_http_modelguard_headers.h"
#include "ngx_http_modelguard_media.h"
#include "ngx_http_modelguard_meter.h"
#include "ngx_http_modelguard_ratelimit.h"
#include "ngx_http_modelguard_response.h"
#include "ngx_http_modelguard_stat.h"
#include "ngx_http_modelguard_stream.h"
#include "ngx_http_modelguard_strip.h"
#include "ngx_http_modelguard_uniform.h"


static ngx_int_t ngx_http_modelguard_header_filter(ngx_http_request_t *r);
static ngx_http_modelguard_noinline ngx_int_t
    ngx_http_modelguard_filter_header(ngx_http_request_t *r,
    ngx_http_modelguard_loc_conf_t *mglcf);
static ngx_int_t ngx_http_modelguard_filter_fields(ngx_http_request_t *r);
static ngx_int_t ngx_http_modelguard_filter_other(ngx_http_request_t *r);
static ngx_int_t ngx_http_modelguard_filter_pass(ngx_http_request_t *r);
static ngx_int_t ngx_http_modelguard_filter_guard(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf);
static void ngx_http_modelguard_filter_bare(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf);
static ngx_int_t ngx_http_modelguard_filter_leave(ngx_http_request_t *r);
static ngx_int_t ngx_http_modelguard_filter_rules(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    const modelguard_rules_t **rules);
static ngx_int_t ngx_http_modelguard_filter_treat(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    const modelguard_rules_t *rules, ngx_http_modelguard_media_t *media);
static ngx_int_t ngx_http_modelguard_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static void ngx_http_modelguard_filter_trailers(ngx_http_request_t *r,
    ngx_http_modelguard_response_t *res);
static ngx_http_modelguard_noinline ngx_int_t ngx_http_modelguard_filter_body(
    ngx_http_request_t *r, ngx_http_modelguard_response_t *res,
    ngx_chain_t *in);
static ngx_int_t ngx_http_modelguard_filter_native(
    ngx_http_modelguard_response_t *res, ngx_chain_t *in);


/* what all responses pay for, guarded or not */

static ngx_int_t
ngx_http_modelguard_header_filter(ngx_http_request_t *r)
{
    ngx_http_modelguard_loc_conf_t  *mglcf;

    mglcf = ngx_http_get_module_loc_conf(r, ngx_http_modelguard_module);

    if ((mglcf->active == NGX_HTTP_MODELGUARD_IDLE
         || (mglcf->active == NGX_HTTP_MODELGUARD_CHARGES
             && r->headers_out.status < NGX_HTTP_SPECIAL_RESPONSE))
        && !r->internal
        && ngx_http_get_module_ctx(r, ngx_http_modelguard_module) == NULL)
    {
        return ngx_http_modelguard_next_header(r);
    }

    return ngx_http_modelguard_filter_header(r, mglcf);
}


static ngx_int_t
ngx_http_modelguard_filter_header(ngx_http_request_t *r,
    ngx_http_modelguard_loc_conf_t *mglcf)
{
    ngx_http_modelguard_ctx_t       *ctx;
    ngx_http_modelguard_response_t  *res;

    res = ngx_http_get_module_ctx(r, ngx_http_modelguard_module);

    if (res
        && res->state == NGX_HTTP_MODELGUARD_REFUSED
        && !res->native
        && r->headers_out.status == NGX_HTTP_BAD_GATEWAY)
    {
        return ngx_http_modelguard_response_answer_header(res);
    }

    if (mglcf->guarded) {
        ctx = ngx_http_modelguard_ctx_find(r);

        if (ctx && ctx->answered && r == r->main) {
            return ngx_http_modelguard_filter_other(r);
        }

        return ngx_http_modelguard_filter_guard(r, ctx, mglcf);
    }

    /* where an internal redirect leads, the guard that it left still holds */

    if (r == r->main && r->internal && !mglcf->off) {
        ctx = ngx_http_modelguard_ctx_find(r);

        if (ctx && !ctx->answered && ctx->conf && ctx->conf->guarded) {
            return ngx_http_modelguard_filter_guard(r, ctx, ctx->conf);
        }
    }

    return ngx_http_modelguard_filter_other(r);
}


/* the client's budgets, whoever answers */

static ngx_int_t
ngx_http_modelguard_filter_fields(ngx_http_request_t *r)
{
    ngx_http_modelguard_ctx_t  *ctx;

    if (r != r->main) {
        return NGX_OK;
    }

    ctx = ngx_http_modelguard_ctx_find(r);

    return ctx ? ngx_http_modelguard_ratelimit_send(r, ctx) : NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_filter_other(ngx_http_request_t *r)
{
    if (ngx_http_modelguard_filter_fields(r) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_modelguard_filter_pass(r);
}


/*
 * Not ours.  In place of a refused response, it is nginx's error response,
 * and the rest of the refused one must not follow it.
 */

static ngx_int_t
ngx_http_modelguard_filter_pass(ngx_http_request_t *r)
{
    ngx_http_modelguard_response_t  *res;

    res = ngx_http_get_module_ctx(r, ngx_http_modelguard_module);

    if (res) {
        switch (res->state) {

        case NGX_HTTP_MODELGUARD_REFUSED:
        case NGX_HTTP_MODELGUARD_NATIVE:
            res->state = NGX_HTTP_MODELGUARD_NATIVE;
            break;

        default:
            ngx_http_set_ctx(r, NULL, ngx_http_modelguard_module);
        }
    }

    if (ngx_http_get_module_ctx(r, ngx_http_modelguard_module) == NULL) {
        ngx_http_modelguard_meter_header(r);
    }

    return ngx_http_modelguard_next_header(r);
}


static ngx_int_t
ngx_http_modelguard_filter_guard(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf)
{
    ngx_int_t                     rc;
    const modelguard_rules_t     *rules;
    ngx_http_modelguard_media_t   media;

    /* the body of such a subrequest goes nowhere: auth_request, mirror */

    if (r != r->main && r->header_only) {
        return ngx_http_modelguard_filter_pass(r);
    }

    ngx_http_modelguard_strip(r, mglcf);

    if (ngx_http_modelguard_filter_fields(r) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_modelguard_uniform(r, mglcf)) {
        return ngx_http_modelguard_uniform_header(r, mglcf);
    }

    rc = ngx_http_modelguard_media(r, mglcf, &media);

    if (rc == NGX_DECLINED) {
        ngx_http_modelguard_filter_bare(r, ctx, mglcf);
        return ngx_http_modelguard_filter_leave(r);
    }

    if (ngx_http_modelguard_filter_rules(r, ctx, mglcf, &rules) != NGX_OK) {
        return ngx_http_modelguard_response_refuse(r, mglcf,
                                           NGX_HTTP_INTERNAL_SERVER_ERROR,
                                           NGX_HTTP_MODELGUARD_REASON_PROFILE);
    }

    /* a profile that keeps all there is need not be able to read it */

    if (rules == NULL && (rc == NGX_OK || mglcf->fields)) {
        return ngx_http_modelguard_filter_leave(r);
    }

    if (rc == NGX_OK) {
        ngx_http_modelguard_stat_count(r, NGX_HTTP_MODELGUARD_STAT_TREATED);
        return ngx_http_modelguard_filter_treat(r, mglcf, rules, &media);
    }

    if (mglcf->opaque == NGX_HTTP_MODELGUARD_OPAQUE_PASS) {
        ngx_http_modelguard_stat_refuse(r, NGX_HTTP_MODELGUARD_STAT_UNGUARDED,
                                        media.reason);
        return ngx_http_modelguard_filter_pass(r);
    }

    return ngx_http_modelguard_response_refuse(r, mglcf, NGX_HTTP_BAD_GATEWAY,
                                               media.reason);
}


/* there is no body to treat, but its headers may tell of the original */

static void
ngx_http_modelguard_filter_bare(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf)
{
    const modelguard_rules_t  *rules;

    if (r->headers_out.status >= NGX_HTTP_SPECIAL_RESPONSE
        && r->headers_out.status != NGX_HTTP_NOT_MODIFIED)
    {
        return;
    }

    if (ngx_http_modelguard_filter_rules(r, ctx, mglcf, &rules) != NGX_OK
        || rules)
    {
        ngx_http_modelguard_headers_original(r);
    }
}


/* what follows a refusal has been counted with it */

static ngx_int_t
ngx_http_modelguard_filter_leave(ngx_http_request_t *r)
{
    if (ngx_http_get_module_ctx(r, ngx_http_modelguard_module) == NULL) {
        ngx_http_modelguard_stat_count(r, NGX_HTTP_MODELGUARD_STAT_UNTREATED);
    }

    return ngx_http_modelguard_filter_pass(r);
}


static ngx_int_t
ngx_http_modelguard_filter_rules(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    const modelguard_rules_t **rules)
{
    ngx_str_t  name;

    if (ctx && ctx->conf == mglcf) {
        *rules = ctx->rules;
        return NGX_OK;
    }

    return ngx_http_modelguard_conf_rules(r, mglcf, rules, &name);
}


static ngx_int_t
ngx_http_modelguard_filter_treat(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    const modelguard_rules_t *rules, ngx_http_modelguard_media_t *media)
{
    ngx_http_modelguard_response_t  *res;

    res = ngx_http_modelguard_response_create(r, mglcf);
    if (res == NULL) {
        return NGX_ERROR;
    }

    res->framing = media->framing;

    if (media->coding != NGX_HTTP_MODELGUARD_CODING_NONE) {
        ngx_http_modelguard_coding_clear(r);
    }

    if (r->method == NGX_HTTP_HEAD || r->header_only) {
        res->state = NGX_HTTP_MODELGUARD_DONE;

        ngx_http_modelguard_headers_response(r);

        return ngx_http_modelguard_next_header(r);
    }

    if (ngx_http_modelguard_stream_start(res, rules, media->coding) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_modelguard_headers_response(r);

    /* the copy filter looks at it when the body begins */

    r->filter_need_in_memory = 1;

    return res->held ? NGX_OK : ngx_http_modelguard_next_header(r);
}


static ngx_int_t
ngx_http_modelguard_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_http_modelguard_response_t  *res;

    res = ngx_http_get_module_ctx(r, ngx_http_modelguard_module);

    if (res == NULL && r->headers_out.trailers.part.nelts == 0) {
        return ngx_http_modelguard_next_body(r, in);
    }

    return ngx_http_modelguard_filter_body(r, res, in);
}


/* those of an upstream come when it has ended, before the last buf */

static void
ngx_http_modelguard_filter_trailers(ngx_http_request_t *r,
    ngx_http_modelguard_response_t *res)
{
    ngx_http_modelguard_ctx_t             *ctx;
    const ngx_http_modelguard_loc_conf_t  *mglcf;

    if (res && res->state != NGX_HTTP_MODELGUARD_OBSERVE) {
        ngx_http_modelguard_headers_trailers(r);
        ngx_http_modelguard_strip_trailers(r, res->conf);
        return;
    }

    mglcf = ngx_http_get_module_loc_conf(r, ngx_http_modelguard_module);

    if (!mglcf->guarded && r->internal && !mglcf->off) {
        ctx = ngx_http_modelguard_ctx_find(r);

        if (ctx && ctx->conf) {
            mglcf = ctx->conf;
        }
    }

    if (mglcf->guarded) {
        ngx_http_modelguard_strip_trailers(r, mglcf);
    }
}


static ngx_int_t
ngx_http_modelguard_filter_body(ngx_http_request_t *r,
    ngx_http_modelguard_response_t *res, ngx_chain_t *in)
{
    if (r->headers_out.trailers.part.nelts != 0) {
        ngx_http_modelguard_filter_trailers(r, res);
    }

    if (res == NULL) {
        return ngx_http_modelguard_next_body(r, in);
    }

    switch (res->state) {

    case NGX_HTTP_MODELGUARD_REWRITE:
    case NGX_HTTP_MODELGUARD_COPY:
    case NGX_HTTP_MODELGUARD_ENDED:
        return ngx_http_modelguard_stream(res, in);

    case NGX_HTTP_MODELGUARD_OBSERVE:
        ngx_http_modelguard_meter_body(res, in);
        return ngx_http_modelguard_next_body(res->request, in);

    case NGX_HTTP_MODELGUARD_ANSWER:
        return ngx_http_modelguard_response_answer_body(res, in);

    case NGX_HTTP_MODELGUARD_UNIFORM:
        return ngx_http_modelguard_uniform_body(res, in);

    case NGX_HTTP_MODELGUARD_NATIVE:
        return ngx_http_modelguard_filter_native(res, in);

    case NGX_HTTP_MODELGUARD_REFUSED:
        ngx_http_modelguard_response_consume(in);
        return NGX_ERROR;

    default: /* NGX_HTTP_MODELGUARD_DONE */
        break;
    }

    ngx_http_modelguard_response_consume(in);

    if (res->failed) {
        return NGX_ERROR;
    }

    return ngx_http_modelguard_response_drain(res->request);
}


static ngx_int_t
ngx_http_modelguard_filter_native(ngx_http_modelguard_response_t *res,
    ngx_chain_t *in)
{
    ngx_chain_t  *cl;

    for (cl = in; cl; cl = cl->next) {
        if (cl->buf->last_buf || cl->buf->last_in_chain) {
            res->state = NGX_HTTP_MODELGUARD_DONE;
        }
    }

    return ngx_http_modelguard_next_body(res->request, in);
}


ngx_int_t
ngx_http_modelguard_filter_init(ngx_conf_t *cf)
{
    ngx_http_modelguard_main_conf_t  *mgmcf;

    mgmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_modelguard_module);

    if (!mgmcf->used) {
        return NGX_OK;
    }

    mgmcf->memory = ngx_http_modelguard_memory_create(cf);
    if (mgmcf->memory == NULL) {
        return NGX_ERROR;
    }

    ngx_http_modelguard_next_header = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_modelguard_header_filter;

    ngx_http_modelguard_next_body = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_modelguard_body_filter;

    return NGX_OK;
}
