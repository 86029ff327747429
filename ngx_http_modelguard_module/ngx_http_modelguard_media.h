
/*
 * Copyright (C) the modelguard authors
 *
 * What a response of a guarded location is, by its status and headers: JSON
 * that can be rewritten, something that nothing is to be done to, or opaque.
 */


#ifndef NGX_HTTP_MODELGUARD_MEDIA_H_INCLUDED
#define NGX_HTTP_MODELGUARD_MEDIA_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_conf.h"


/*
 * NGX_OK: a JSON document in UTF-8 and in no coding.
 * NGX_DECLINED: tells nothing about the model: no body, or an error or a
 * redirect that is not JSON.
 * NGX_ABORT: may tell, and cannot be read; *why is a constant phrase.
 */

ngx_int_t ngx_http_modelguard_media(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf, const char **why);


#endif /* NGX_HTTP_MODELGUARD_MEDIA_H_INCLUDED */
