
/*
 * Copyright (C) the modelguard authors
 *
 * zstd (RFC 8878), through libzstd, if the build found it: any number of
 * frames, one after the other.
 */


#ifndef NGX_HTTP_MODELGUARD_ZSTD_H_INCLUDED
#define NGX_HTTP_MODELGUARD_ZSTD_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_modelguard_codec.h"


#if (NGX_HTTP_MODELGUARD_ZSTD)

extern const ngx_http_modelguard_codec_t  ngx_http_modelguard_zstd;

#endif


#endif /* NGX_HTTP_MODELGUARD_ZSTD_H_INCLUDED */
