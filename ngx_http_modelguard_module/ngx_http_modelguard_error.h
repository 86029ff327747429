
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
#include "ngx_http_modelguard_shape.h"


/*
 * 1 if the answer is to be left to nginx: modelguard_error_body is off, or
 * the location has an error_page for the status.
 */

ngx_int_t ngx_http_modelguard_error_is_native(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf, ngx_uint_t status);

/*
 * Builds the body.  Sets *type to the content type and *body to pool memory.
 * NGX_OK or NGX_ERROR.
 */

ngx_int_t ngx_http_modelguard_error_body(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    const ngx_http_modelguard_error_t *error, ngx_str_t *type,
    ngx_str_t *body);

/*
 * Builds the error as the last frame of a stream: an event of the type
 * "error" for text/event-stream ("events" is 1), else one line of JSON.  A
 * stream has to end in something that clients take for an error, so "off"
 * and "problem" are written as "openai".  Sets *frame to pool memory.
 * NGX_OK or NGX_ERROR.
 */

ngx_int_t ngx_http_modelguard_error_frame(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf, ngx_uint_t events,
    const ngx_http_modelguard_error_t *error, ngx_str_t *frame);

/*
 * For a phase handler: answers the request, marking the record as answered.
 * Returns what the handler is to return; a native answer (error->status)
 * is also possible.
 */

ngx_int_t ngx_http_modelguard_error_send(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    const ngx_http_modelguard_error_t *error);


#endif /* NGX_HTTP_MODELGUARD_ERROR_H_INCLUDED */
