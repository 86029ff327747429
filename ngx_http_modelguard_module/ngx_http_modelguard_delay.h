
/*
 * Copyright (C) the modelguard authors
 *
 * The directive modelguard_delay: a request that would be refused waits, on a
 * timer, and is charged again.  It holds nothing meanwhile but its place: no
 * lock, no reservation.
 *
 * Who waits in one worker for the same budget of the same client sleeps one
 * behind the other, each as long as the budget needs to have room for all
 * that are before it.  Requests that come when there is room are not held
 * back for those that still sleep, nor are the workers' queues one.
 */


#ifndef NGX_HTTP_MODELGUARD_DELAY_H_INCLUDED
#define NGX_HTTP_MODELGUARD_DELAY_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_conf.h"


/* the directive "modelguard_delay max=time [queue=N] | off" */

char *ngx_http_modelguard_delay(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

void ngx_http_modelguard_delay_merge(ngx_http_modelguard_loc_conf_t *prev,
    ngx_http_modelguard_loc_conf_t *conf);

/*
 * A request was LIMITED, as the record's bill says.  NGX_AGAIN: it waits, and
 * the phases will be run again, with ctx->delayed set, so that the handler
 * charges it for ctx->items; NGX_DECLINED: it has to be refused; NGX_OK: it
 * would have waited, but it is a dry run; else a status.
 */

ngx_int_t ngx_http_modelguard_delay_hold(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t items);

/* the request is decided: its place in the queue is free */

void ngx_http_modelguard_delay_leave(ngx_http_modelguard_ctx_t *ctx);


#endif /* NGX_HTTP_MODELGUARD_DELAY_H_INCLUDED */
