
/*
 * Copyright (C) the modelguard authors
 *
 * $modelguard_verdict, _budget, _remaining, _reset, _cost, _profile, _client,
 * _addr: read the request's record, never shared memory.
 */


#ifndef NGX_HTTP_MODELGUARD_VARIABLES_H_INCLUDED
#define NGX_HTTP_MODELGUARD_VARIABLES_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


#define NGX_HTTP_MODELGUARD_ADDR_MAX  16   /* bytes of the binary address */


ngx_int_t ngx_http_modelguard_variables_add(ngx_conf_t *cf);

/*
 * The address that $modelguard_addr prints, in binary: 4 bytes of IPv4 (also
 * of a v4-mapped address), the first 8 of IPv6, 1 of "unix:".  Returns the
 * length.
 */

size_t ngx_http_modelguard_addr(ngx_http_request_t *r, u_char *out);


#endif /* NGX_HTTP_MODELGUARD_VARIABLES_H_INCLUDED */
