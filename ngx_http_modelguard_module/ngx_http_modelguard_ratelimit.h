
/*
 * Copyright (C) the modelguard authors
 *
 * What a response tells of its client's budgets in its header
 * (modelguard_headers): when to come again, and how much is left.
 */


#ifndef NGX_HTTP_MODELGUARD_RATELIMIT_H_INCLUDED
#define NGX_HTTP_MODELGUARD_RATELIMIT_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_conf.h"


#define NGX_HTTP_MODELGUARD_HEADERS_OFF     0x0000
#define NGX_HTTP_MODELGUARD_HEADERS_RETRY   0x0001   /* Retry-After */
#define NGX_HTTP_MODELGUARD_HEADERS_IETF    0x0002   /* RateLimit and
                                                        RateLimit-Policy */
#define NGX_HTTP_MODELGUARD_HEADERS_LEGACY  0x0004   /* X-RateLimit-... */
#define NGX_HTTP_MODELGUARD_HEADERS_OPENAI  0x0008   /* x-ratelimit-...-requests
                                                        and -tokens */


/* the directive "modelguard_headers off | retry | ietf | legacy | openai" */

char *ngx_http_modelguard_ratelimit(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Merges the directive; the budgets have been merged.  NGX_CONF_OK, or
 * NGX_CONF_ERROR when a budget has a name that no field can carry.
 */

char *ngx_http_modelguard_ratelimit_merge(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *prev,
    ngx_http_modelguard_loc_conf_t *conf);

/*
 * Response of the main request: adds the fields, taking the place of any of
 * the same names, also of those that an upstream has sent.  Nothing, if no
 * budget was asked or in a dry run.  May be called again.  NGX_OK or
 * NGX_ERROR.
 */

ngx_int_t ngx_http_modelguard_ratelimit_send(ngx_http_request_t *r,
    const ngx_http_modelguard_ctx_t *ctx);


#endif /* NGX_HTTP_MODELGUARD_RATELIMIT_H_INCLUDED */
