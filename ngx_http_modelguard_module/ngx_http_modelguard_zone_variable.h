
/*
 * Copyright (C) the modelguard authors
 *
 * What a zone has counted: $modelguard_zone_WORD_NAME.
 */


#ifndef NGX_HTTP_MODELGUARD_ZONE_VARIABLE_H_INCLUDED
#define NGX_HTTP_MODELGUARD_ZONE_VARIABLE_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* the get handler of the prefix variable */

ngx_int_t ngx_http_modelguard_zone_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


#endif /* NGX_HTTP_MODELGUARD_ZONE_VARIABLE_H_INCLUDED */
