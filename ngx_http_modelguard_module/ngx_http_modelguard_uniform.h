
/*
 * Copyright (C) the modelguard authors
 *
 * "modelguard_error_body ... upstream": error responses of a guarded location
 * in one shape, with nothing in them that the model server wrote.
 */


#ifndef NGX_HTTP_MODELGUARD_UNIFORM_H_INCLUDED
#define NGX_HTTP_MODELGUARD_UNIFORM_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_conf.h"
#include "ngx_http_modelguard_response.h"


/*
 * In the header filter: 1 if the response is an error that is to be replaced:
 * one of the model server, or a page of nginx's own for the location, but not
 * what an error_page led to.
 */

ngx_uint_t ngx_http_modelguard_uniform(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf);

/*
 * Sends the header, with the status and the headers that do not speak of the
 * body; the response is then in the state UNIFORM.
 */

ngx_int_t ngx_http_modelguard_uniform_header(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf);

/* in the body filter: takes a body, and sends ours */

ngx_int_t ngx_http_modelguard_uniform_body(ngx_http_modelguard_response_t *res,
    ngx_chain_t *in);


#endif /* NGX_HTTP_MODELGUARD_UNIFORM_H_INCLUDED */
