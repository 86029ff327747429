
/*
 * Copyright (C) the modelguard authors
 *
 * Where the rewriter's output goes: to bufs of our own, and, in a response
 * that is a sequence of frames, first to a frame that can still be taken
 * back.
 *
 *     sink -> frame, until it is complete -> res->out -> next body filter
 *               |                               ^
 *               +-- over modelguard_buffer_size-+
 */


#ifndef NGX_HTTP_MODELGUARD_OUTPUT_H_INCLUDED
#define NGX_HTTP_MODELGUARD_OUTPUT_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_response.h"


#define NGX_HTTP_MODELGUARD_BUFS      16
#define NGX_HTTP_MODELGUARD_BUF_SIZE  32768

#define NGX_HTTP_MODELGUARD_BUF_FIRST  4096   /* then doubled */


/* modelguard_sink_pt and modelguard_frame_pt, "data" being the response */

int ngx_http_modelguard_output_sink(void *data, const uint8_t *bytes,
    size_t len);
int ngx_http_modelguard_output_frame(void *data);

/*
 * Takes back what of the frame is not complete.  NGX_DECLINED: a part of it
 * has gone to res->out already.
 */

ngx_int_t ngx_http_modelguard_output_cancel(
    ngx_http_modelguard_response_t *res);

/* no frames any more: bytes go to res->out at once; NGX_OK or NGX_ERROR */

ngx_int_t ngx_http_modelguard_output_unframe(
    ngx_http_modelguard_response_t *res);

/* a buf that carries flags alone, at the end of res->out, or NULL */

ngx_buf_t *ngx_http_modelguard_output_special(
    ngx_http_modelguard_response_t *res);


/* gives back the memory of the bufs in res->free */

void ngx_http_modelguard_output_sent(ngx_http_modelguard_response_t *res);


#endif /* NGX_HTTP_MODELGUARD_OUTPUT_H_INCLUDED */
