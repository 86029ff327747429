
/*
 * Copyright (C) the modelguard authors
 *
 * br (RFC 7932), through libbrotlidec, if the build found it.
 */


#ifndef NGX_HTTP_MODELGUARD_BROTLI_H_INCLUDED
#define NGX_HTTP_MODELGUARD_BROTLI_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_modelguard_codec.h"


#if (NGX_HTTP_MODELGUARD_BROTLI)

extern const ngx_http_modelguard_codec_t  ngx_http_modelguard_brotli;

#endif


#endif /* NGX_HTTP_MODELGUARD_BROTLI_H_INCLUDED */
