
/*
 * Copyright (C) the modelguard authors
 *
 * The header and body filters: which responses are rewritten, what their
 * headers may say, and the way of the bytes through the rewriter.
 */


#ifndef NGX_HTTP_MODELGUARD_FILTER_H_INCLUDED
#define NGX_HTTP_MODELGUARD_FILTER_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


ngx_int_t ngx_http_modelguard_filter_init(ngx_conf_t *cf);


#endif /* NGX_HTTP_MODELGUARD_FILTER_H_INCLUDED */
