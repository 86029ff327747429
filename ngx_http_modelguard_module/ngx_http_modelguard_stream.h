
/*
 * Copyright (C) the modelguard authors
 *
 * The way of a response's bytes: the sender's chain, the decoder, the frames
 * and their rewriter, bufs of our own.  No buf of the sender is ever passed
 * on, and none is kept.
 */


#ifndef NGX_HTTP_MODELGUARD_STREAM_H_INCLUDED
#define NGX_HTTP_MODELGUARD_STREAM_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_response.h"


#define NGX_HTTP_MODELGUARD_BUFFERED  0x08   /* of r->buffered; the image
                                                filter's, which has no JSON */


/*
 * Makes the decoder and the frames with their rewriter, and sets res->held
 * if the header is to be held; NGX_OK or NGX_ERROR.
 */

ngx_int_t ngx_http_modelguard_stream_start(
    ngx_http_modelguard_response_t *res, const modelguard_rules_t *rules,
    ngx_http_modelguard_coding_e coding);

/* the body filter, in the states REWRITE, COPY and ENDED */

ngx_int_t ngx_http_modelguard_stream(ngx_http_modelguard_response_t *res,
    ngx_chain_t *in);


#endif /* NGX_HTTP_MODELGUARD_STREAM_H_INCLUDED */
