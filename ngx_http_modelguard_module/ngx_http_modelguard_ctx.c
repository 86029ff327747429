
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_ctx.h"


static void ngx_http_modelguard_ctx_cleanup(void *data);


ngx_http_modelguard_ctx_t *
ngx_http_modelguard_ctx_find(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    /* the handler's address is the mark of the record: it does nothing else */

    for (cln = r->main->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_http_modelguard_ctx_cleanup) {
            return cln->data;
        }
    }

    return NULL;
}


ngx_http_modelguard_ctx_t *
ngx_http_modelguard_ctx_get(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_modelguard_ctx_t  *ctx;

    ctx = ngx_http_modelguard_ctx_find(r);

    if (ctx != NULL) {
        return ctx;
    }

    cln = ngx_pool_cleanup_add(r->main->pool,
                               sizeof(ngx_http_modelguard_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    ctx = cln->data;

    ngx_memzero(ctx, sizeof(ngx_http_modelguard_ctx_t));

    /*
     * set by ngx_memzero():
     *
     *     ctx->conf = NULL;
     *     ctx->rules = NULL;
     *     ctx->bill = NULL;
     *     ctx->verdict = NGX_HTTP_MODELGUARD_NONE;
     *     ctx->body = NGX_HTTP_MODELGUARD_BODY_NONE;
     *     ctx->reason = NGX_HTTP_MODELGUARD_REASON_NONE;
     */

    ctx->request = r->main;

    cln->handler = ngx_http_modelguard_ctx_cleanup;

    return ctx;
}


static void
ngx_http_modelguard_ctx_cleanup(void *data)
{
    /* void */
}
