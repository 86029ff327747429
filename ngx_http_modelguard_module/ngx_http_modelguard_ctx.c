
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
    return ngx_http_modelguard_ctx_get_room(r, 0);
}


ngx_http_modelguard_ctx_t *
ngx_http_modelguard_ctx_get_room(ngx_http_request_t *r, size_t room)
{
    ngx_pool_t                 *pool;
    ngx_http_modelguard_ctx_t  *ctx;

    ctx = ngx_http_modelguard_ctx_find(r);

    if (ctx != NULL) {
        return ctx;
    }

    pool = r->main->pool;

    ctx = ngx_palloc(pool, sizeof(ngx_http_modelguard_ctx_t) + room);
    if (ctx == NULL) {
        return NULL;
    }

    ngx_memzero(&ctx->conf, sizeof(ngx_http_modelguard_ctx_t)
                            - offsetof(ngx_http_modelguard_ctx_t, conf));

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
    ctx->room = room ? ctx + 1 : NULL;
    ctx->room_size = room;

    /* as ngx_pool_cleanup_add() does it, in memory that is there already */

    ctx->cleanup.handler = ngx_http_modelguard_ctx_cleanup;
    ctx->cleanup.data = ctx;
    ctx->cleanup.next = pool->cleanup;
    pool->cleanup = &ctx->cleanup;

    return ctx;
}


static void
ngx_http_modelguard_ctx_cleanup(void *data)
{
    /* void */
}
