
/*
 * Copyright (C) the modelguard authors
 *
 * What a response of a guarded location is, by its status and headers: JSON
 * that can be rewritten, in some framing and coding; something that nothing
 * is to be done to; or opaque.
 */


#ifndef NGX_HTTP_MODELGUARD_MEDIA_H_INCLUDED
#define NGX_HTTP_MODELGUARD_MEDIA_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "modelguard_frame.h"
#include "ngx_http_modelguard_coding.h"
#include "ngx_http_modelguard_conf.h"
#include "ngx_http_modelguard_reason.h"


typedef struct {
    modelguard_framing_e           framing;
    ngx_http_modelguard_coding_e   coding;
    ngx_http_modelguard_reason_e   reason;    /* of NGX_ABORT */
} ngx_http_modelguard_media_t;


/*
 * NGX_OK: JSON documents in UTF-8, in one of the framings and in a coding
 * that can be undone.
 * NGX_DECLINED: tells nothing about the model: no body, or an error or a
 * redirect that is not JSON.
 * NGX_ABORT: may tell, and cannot be read, for media->reason.
 */

ngx_int_t ngx_http_modelguard_media(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    ngx_http_modelguard_media_t *media);

/* at the start: whether application/json is one of modelguard_types */

ngx_uint_t ngx_http_modelguard_media_json(
    ngx_http_modelguard_loc_conf_t *mglcf);


#endif /* NGX_HTTP_MODELGUARD_MEDIA_H_INCLUDED */
