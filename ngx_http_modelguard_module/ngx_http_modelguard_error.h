
/*
 * Copyright (C) the modelguard authors
 *
 * Answers of our own: refusals in the shape that the provider's clients
 * understand (modelguard_error_body).
 */


#ifndef NGX_HTTP_MODELGUARD_ERROR_H_INCLUDED
#define NGX_HTTP_MODELGUARD_ERROR_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_conf.h"


typedef struct {
    ngx_uint_t   status;
    const char  *type;       /* "rate_limit_error", "upstream_error", ... */
    const char  *code;       /* "budget_exhausted", ... */
    ngx_str_t    message;    /* escaped by us; a sentence for people */
} ngx_http_modelguard_error_t;


/*
 * 1 if the answer is to be left to nginx: modelguard_error_body is off, or
 * the location has an error_page for the status.
 */

ngx_int_t ngx_http_modelguard_error_is_native(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf, ngx_uint_t status);

/*
 * The name of the parameter that the request was refused for, as it is told:
 * the configured path without "$."; empty if it was refused for none.
 */

void ngx_http_modelguard_error_param(const ngx_http_modelguard_ctx_t *ctx,
    ngx_str_t *name);

/*
 * Builds the body.  Sets *type to the content type and *body to pool memory.
 * NGX_OK or NGX_ERROR.
 */

ngx_int_t ngx_http_modelguard_error_body(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    const ngx_http_modelguard_error_t *error, ngx_str_t *type,
    ngx_str_t *body);

/*
 * For a phase handler: answers the request, marking the record as answered.
 * Returns what the handler is to return; a native answer (error->status)
 * is also possible.
 */

ngx_int_t ngx_http_modelguard_error_send(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    const ngx_http_modelguard_error_t *error);


#endif /* NGX_HTTP_MODELGUARD_ERROR_H_INCLUDED */
