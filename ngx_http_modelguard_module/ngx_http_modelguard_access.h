
/*
 * Copyright (C) the modelguard authors
 *
 * The PRECONTENT handler: finds the guard, counts the request's items,
 * and asks for the bill.
 */


#ifndef NGX_HTTP_MODELGUARD_ACCESS_H_INCLUDED
#define NGX_HTTP_MODELGUARD_ACCESS_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


ngx_int_t ngx_http_modelguard_access_init(ngx_conf_t *cf);


#endif /* NGX_HTTP_MODELGUARD_ACCESS_H_INCLUDED */
