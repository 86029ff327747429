
/*
 * Copyright (C) the modelguard authors
 *
 * The state of one guarded response between the header filter and the body
 * filter, r's own context, and what is answered in place of a response that
 * is refused.
 *
 * A refusal while the header is not sent yet is a clean 502.  The header
 * filter refuses by returning the status: nginx then makes its own error
 * response, and when that arrives here its header and body are exchanged for
 * ours, or it is left as it is where the answer is to be nginx's.
 */


#ifndef NGX_HTTP_MODELGUARD_RESPONSE_H_INCLUDED
#define NGX_HTTP_MODELGUARD_RESPONSE_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "modelguard_frame.h"
#include "ngx_http_modelguard_coding.h"
#include "ngx_http_modelguard_conf.h"
#include "ngx_http_modelguard_reason.h"


typedef enum {
    NGX_HTTP_MODELGUARD_REWRITE = 0,   /* goes through the rewriter */
    NGX_HTTP_MODELGUARD_COPY,          /* as it comes: modelguard_on_error */
    NGX_HTTP_MODELGUARD_OBSERVE,       /* as it comes, metered */
    NGX_HTTP_MODELGUARD_ENDED,         /* the document is over, but not the
                                          response */
    NGX_HTTP_MODELGUARD_REFUSED,       /* nginx's error response is awaited */
    NGX_HTTP_MODELGUARD_ANSWER,        /* its body is to be exchanged */
    NGX_HTTP_MODELGUARD_UNIFORM,       /* an error, whose body is to be
                                          exchanged */
    NGX_HTTP_MODELGUARD_NATIVE,        /* it passes, and nothing after it */
    NGX_HTTP_MODELGUARD_DONE           /* nothing passes any more */
} ngx_http_modelguard_state_e;


typedef struct {
    ngx_http_request_t                    *request;
    const ngx_http_modelguard_loc_conf_t  *conf;
    ngx_http_modelguard_state_e            state;
    ngx_http_modelguard_blocks_t           blocks;

    ngx_http_upstream_t                   *upstream;   /* the sender or NULL */
    ngx_http_modelguard_coding_t          *coding;     /* NULL: in none */
    modelguard_framing_e                   framing;
    modelguard_frame_t                    *frame;
    ngx_http_modelguard_reason_e           reason;     /* of a refusal */

    ngx_chain_t                           *in;         /* our links, bufs of
                                                          the sender */
    ngx_chain_t                           *out;        /* from here on ours */
    ngx_chain_t                          **last_out;
    ngx_chain_t                           *busy;
    ngx_chain_t                           *free;       /* bufs without memory */
    ngx_buf_t                             *buf;        /* the last of "out",
                                                          being filled */
    ngx_uint_t                             bufs;       /* with memory */
    size_t                                 size;       /* of the next one */

    ngx_str_t                              part;       /* of a frame, not
                                                          complete */
    size_t                                 part_size;

    off_t                                  received;   /* decoded */
    off_t                                  length;     /* of the output */
    uint64_t                               disclosed;  /* ctx->meter.bits
                                                          before it */
    uint64_t                              *counter;    /* ctx->received, or
                                                          NULL */

    ngx_str_t                              type;       /* the answer's */
    ngx_str_t                              body;

    unsigned                               held:1;     /* the header is */
    unsigned                               last:1;     /* the sender has
                                                          said all */
    unsigned                               dirty:1;    /* not all is flushed */
    unsigned                               spilled:1;  /* a part of the frame
                                                          is in "out" */
    unsigned                               native:1;
    unsigned                               failed:1;
} ngx_http_modelguard_response_t;


extern ngx_http_output_header_filter_pt  ngx_http_modelguard_next_header;
extern ngx_http_output_body_filter_pt    ngx_http_modelguard_next_body;


/* creates a zeroed one as r's context in place of any other, or NULL */

ngx_http_modelguard_response_t *ngx_http_modelguard_response_create(
    ngx_http_request_t *r, const ngx_http_modelguard_loc_conf_t *mglcf);

/* marks bufs as read, as their owner waits for that */

void ngx_http_modelguard_response_consume(ngx_chain_t *in);

/* frees the decoder, the frames and their rewriter */

void ngx_http_modelguard_response_free(ngx_http_modelguard_response_t *res);

/* the same, and drops whatever is held, in and out */

void ngx_http_modelguard_response_stop(ngx_http_modelguard_response_t *res);

/* in the header filter: refuses; returns what the filter is to return */

ngx_int_t ngx_http_modelguard_response_refuse(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf, ngx_int_t status,
    ngx_http_modelguard_reason_e reason);

/* the header and the body of the error response that "refuse" asked for */

ngx_int_t ngx_http_modelguard_response_answer_header(
    ngx_http_modelguard_response_t *res);
ngx_int_t ngx_http_modelguard_response_answer_body(
    ngx_http_modelguard_response_t *res, ngx_chain_t *in);

/*
 * In the body filter, while the header is held: answers for res->reason, now.
 * Nothing of "res" may be touched afterwards.
 */

ngx_int_t ngx_http_modelguard_response_block(
    ngx_http_modelguard_response_t *res);

/* a sentence for res->reason, while the decoder is there, for logs */

const char *ngx_http_modelguard_response_why(
    const ngx_http_modelguard_response_t *res);

/* the frame that tells a client that its stream ends in an error */

ngx_int_t ngx_http_modelguard_response_frame(
    ngx_http_modelguard_response_t *res, ngx_uint_t events,
    ngx_str_t *frame);

/* lets a pending response out: an empty call that stands for no new output */

ngx_int_t ngx_http_modelguard_response_drain(ngx_http_request_t *r);


#endif /* NGX_HTTP_MODELGUARD_RESPONSE_H_INCLUDED */
