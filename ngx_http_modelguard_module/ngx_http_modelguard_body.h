
/*
 * Copyright (C) the modelguard authors
 *
 * The request body: read whole, in memory or in a temporary file, and walked
 * once: items are counted, parameters checked, and edited for the model.
 */


#ifndef NGX_HTTP_MODELGUARD_BODY_H_INCLUDED
#define NGX_HTTP_MODELGUARD_BODY_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_conf.h"


/*
 * Begins to read the body, if that has not been done.  NGX_OK: it is there;
 * NGX_DONE: the phases will be run again when it is; else a status.
 */

ngx_int_t ngx_http_modelguard_body_read(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx);

/*
 * Inspects the body that was read for mglcf->inspect, and edits it as the
 * parameters want, unless it is a dry run.  A request without a body costs 1.
 * NGX_OK with *items, and *violated, the parameter that the body violates,
 * or NULL; NGX_HTTP_BAD_REQUEST: not JSON, or of a Content-Type by which it
 * may be read as something else; NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
 * over modelguard_body_size, or too many edits;
 * NGX_HTTP_UNSUPPORTED_MEDIA_TYPE: a Content-Encoding other than identity;
 * NGX_HTTP_INTERNAL_SERVER_ERROR.
 *
 * Of the binary tensor data extension of the Open Inference Protocol, in
 * which Inference-Header-Content-Length bytes of JSON stand before the
 * tensors, these are inspected, and that header is set, too.
 */

ngx_int_t ngx_http_modelguard_body_inspect(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t *items,
    const modelguard_param_t **violated);


#endif /* NGX_HTTP_MODELGUARD_BODY_H_INCLUDED */
