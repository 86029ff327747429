
/*
 * Copyright (C) the modelguard authors
 *
 * The refusals of a request, as answers: which status, which words, and when
 * to come again.  Each logs, counts and notes its verdict; in a dry run that
 * is all.
 */


#ifndef NGX_HTTP_MODELGUARD_REJECT_H_INCLUDED
#define NGX_HTTP_MODELGUARD_REJECT_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_conf.h"


/* all return what the phase handler is to return */

/* the body cannot be inspected: 400, 413 or 415 */

ngx_int_t ngx_http_modelguard_reject_invalid(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, ngx_int_t status);

/* a parameter in the body is not allowed */

ngx_int_t ngx_http_modelguard_reject_forbidden(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    const modelguard_param_t *param);

/* the directive "modelguard_reject_status code [quota_code]" */

char *ngx_http_modelguard_reject_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * A budget is spent, the client banned, or there is no room: the verdict and
 * the bill are in the record
 */

ngx_int_t ngx_http_modelguard_reject_limited(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf);


#endif /* NGX_HTTP_MODELGUARD_REJECT_H_INCLUDED */
