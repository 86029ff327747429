
/*
 * Copyright (C) the modelguard authors
 *
 * gzip and deflate, through zlib.
 */


#ifndef NGX_HTTP_MODELGUARD_ZLIB_H_INCLUDED
#define NGX_HTTP_MODELGUARD_ZLIB_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_modelguard_codec.h"


/* RFC 1952: any number of members, one after the other */

extern const ngx_http_modelguard_codec_t  ngx_http_modelguard_zlib_gzip;

/* RFC 1950, or RFC 1951 alone: some servers send that by the same name */

extern const ngx_http_modelguard_codec_t  ngx_http_modelguard_zlib_deflate;


#endif /* NGX_HTTP_MODELGUARD_ZLIB_H_INCLUDED */
