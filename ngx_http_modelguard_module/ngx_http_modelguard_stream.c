
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_stream.h"
#include "ngx_http_modelguard_meter.h"
#include "ngx_http_modelguard_output.h"
#include "ngx_http_modelguard_stat.h"


static ngx_int_t ngx_http_modelguard_stream_send(
    ngx_http_modelguard_response_t *res);
static ngx_int_t ngx_http_modelguard_stream_take(
    ngx_http_modelguard_response_t *res, ngx_chain_t *in);
static ngx_int_t ngx_http_modelguard_stream_feed(
    ngx_http_modelguard_response_t *res);
static ngx_int_t ngx_http_modelguard_stream_step(
    ngx_http_modelguard_response_t *res);
static ngx_int_t ngx_http_modelguard_stream_read(
    ngx_http_modelguard_response_t *res, ngx_buf_t *b);
static ngx_int_t ngx_http_modelguard_stream_decode(
    ngx_http_modelguard_response_t *res, ngx_buf_t *b);
static ngx_int_t ngx_http_modelguard_stream_data(
    ngx_http_modelguard_response_t *res, u_char *data, size_t size);
static ngx_int_t ngx_http_modelguard_stream_flush(
    ngx_http_modelguard_response_t *res);
static ngx_int_t ngx_http_modelguard_stream_end(
    ngx_http_modelguard_response_t *res, ngx_buf_t *last);
static ngx_int_t ngx_http_modelguard_stream_fail(
    ngx_http_modelguard_response_t *res, int code);
static ngx_int_t ngx_http_modelguard_stream_cut(
    ngx_http_modelguard_response_t *res, ngx_http_modelguard_reason_e reason);
static ngx_int_t ngx_http_modelguard_stream_break(
    ngx_http_modelguard_response_t *res);
static ngx_int_t ngx_http_modelguard_stream_open(
    ngx_http_modelguard_response_t *res, ngx_uint_t exact);


ngx_int_t
ngx_http_modelguard_stream_start(ngx_http_modelguard_response_t *res,
    const modelguard_rules_t *rules, ngx_http_modelguard_coding_e coding)
{
    ngx_http_request_t       *r;
    modelguard_frame_conf_t   conf;

    r = res->request;

    conf.framing = res->framing;
    conf.frame = ngx_http_modelguard_output_frame;
    conf.rewrite.rules = rules;
    conf.rewrite.depth = (unsigned) res->conf->depth;
    conf.rewrite.hold = res->conf->vector_size;
    conf.rewrite.sink = ngx_http_modelguard_output_sink;
    conf.rewrite.sink_data = res;
    conf.rewrite.alloc = ngx_http_modelguard_memory_alloc;
    conf.rewrite.alloc_data = &res->blocks;

    res->frame = modelguard_frame_create(&conf);
    if (res->frame == NULL) {
        return NGX_ERROR;
    }

    ngx_http_modelguard_meter_start(res, rules);

    if (coding != NGX_HTTP_MODELGUARD_CODING_NONE) {
        res->coding = ngx_http_modelguard_coding_create(r, coding,
                                                     res->conf->inflate_size);
        if (res->coding == NULL) {
            return NGX_ERROR;
        }
    }

    /* after X-Accel-Redirect r->upstream is a finished one */

    if (r->upstream && r->upstream->cleanup) {
        res->upstream = r->upstream;
    }

    res->size = NGX_HTTP_MODELGUARD_BUF_FIRST;

    /* frames are there to be seen as they come, and so is the header */

    if (res->framing == MODELGUARD_FRAMING_NONE && res->conf->buffer_size) {
        res->held = 1;

    } else {
        res->dirty = 1;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_modelguard_stream(ngx_http_modelguard_response_t *res,
    ngx_chain_t *in)
{
    ngx_int_t            rc;
    ngx_uint_t           drain;
    ngx_http_request_t  *r;

    r = res->request;

    if (ngx_http_modelguard_stream_take(res, in) != NGX_OK) {
        goto failed;
    }

    drain = in == NULL || res->busy;

    for ( ;; ) {

        /* cycle while we can write to a client */

        rc = ngx_http_modelguard_stream_feed(res);

        if (rc == NGX_ABORT) {
            r->buffered &= ~NGX_HTTP_MODELGUARD_BUFFERED;
            return ngx_http_modelguard_response_block(res);
        }

        if (rc == NGX_ERROR) {
            goto failed;
        }

        if (rc == NGX_DONE) {
            (void) ngx_http_modelguard_stream_send(res);
            goto failed;
        }

        if (res->held && r == r->main) {
            return NGX_OK;
        }

        if (res->held || res->out == NULL) {

            if (!drain) {
                break;
            }

            rc = ngx_http_modelguard_response_drain(r);

        } else {
            rc = ngx_http_modelguard_stream_send(res);
        }

        if (rc == NGX_ERROR) {
            goto failed;
        }

        drain = 0;

        if (res->held) {
            break;
        }

        ngx_chain_update_chains(r->pool, &res->free, &res->busy, &res->out,
                                (ngx_buf_tag_t) &ngx_http_modelguard_module);
        res->last_out = &res->out;
        res->buf = NULL;

        ngx_http_modelguard_output_sent(res);
    }

    if (res->in) {
        r->buffered |= NGX_HTTP_MODELGUARD_BUFFERED;

    } else {
        r->buffered &= ~NGX_HTTP_MODELGUARD_BUFFERED;
    }

    return (res->in || res->busy) ? NGX_AGAIN : NGX_OK;

failed:

    ngx_http_modelguard_response_stop(res);

    res->state = NGX_HTTP_MODELGUARD_DONE;
    res->failed = 1;

    r->buffered &= ~NGX_HTTP_MODELGUARD_BUFFERED;

    return NGX_ERROR;
}


/* frames are flushed as they came */

static ngx_int_t
ngx_http_modelguard_stream_send(ngx_http_modelguard_response_t *res)
{
    if (res->framing != MODELGUARD_FRAMING_NONE && res->buf) {
        res->buf->flush = 1;
        res->dirty = 0;
    }

    return ngx_http_modelguard_next_body(res->request, res->out);
}


static ngx_int_t
ngx_http_modelguard_stream_take(ngx_http_modelguard_response_t *res,
    ngx_chain_t *in)
{
    ngx_chain_t         *cl;
    ngx_http_request_t  *r;

    r = res->request;

    if (in && ngx_chain_add_copy(r->pool, &res->in, in) != NGX_OK) {
        return NGX_ERROR;
    }

    for (cl = in; cl; cl = cl->next) {
        if (cl->buf->last_buf || (cl->buf->last_in_chain && r != r->main)) {
            res->last = 1;
        }
    }

    /* a filter before us made subrequests, whose output needs our header */

    if (res->held && r == r->main && r->postponed) {
        return ngx_http_modelguard_stream_open(res, 0);
    }

    return NGX_OK;
}


/*
 * Feeds the rewriter while there is input and, once the header is sent, a
 * buf to write to.  The output of one step may take more bufs than that: what
 * the rewriter held comes out at once.
 */

static ngx_int_t
ngx_http_modelguard_stream_feed(ngx_http_modelguard_response_t *res)
{
    ngx_int_t  rc;

    while (res->in) {

        if (!res->held
            && res->bufs >= NGX_HTTP_MODELGUARD_BUFS)
        {
            break;
        }

        rc = ngx_http_modelguard_stream_step(res);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_stream_step(ngx_http_modelguard_response_t *res)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    cl = res->in;
    b = cl->buf;

    if (ngx_buf_in_memory(b)) {

        rc = res->coding ? ngx_http_modelguard_stream_decode(res, b)
                         : ngx_http_modelguard_stream_read(res, b);

        if (rc != NGX_OK) {
            return rc == NGX_AGAIN ? NGX_OK : rc;
        }

    } else if (b->in_file) {
        ngx_log_error(NGX_LOG_ALERT, res->request->connection->log, 0,
                      "modelguard: a response in a file only");
        return NGX_ERROR;
    }

    if (b->in_file) {
        b->file_pos = b->file_last;
    }

    res->in = cl->next;
    ngx_free_chain(res->request->pool, cl);

    if (b->last_buf || b->last_in_chain) {
        return ngx_http_modelguard_stream_end(res, b);
    }

    if (b->flush) {
        return ngx_http_modelguard_stream_flush(res);
    }

    return NGX_OK;
}


/* some of a buf of the sender; NGX_AGAIN: there is more of it */

static ngx_int_t
ngx_http_modelguard_stream_read(ngx_http_modelguard_response_t *res,
    ngx_buf_t *b)
{
    size_t     size;
    ngx_int_t  rc;

    size = ngx_min(b->last - b->pos, NGX_HTTP_MODELGUARD_BUF_SIZE);

    if (size == 0) {
        return NGX_OK;
    }

    rc = ngx_http_modelguard_stream_data(res, b->pos, size);

    if (rc != NGX_OK) {
        return rc;
    }

    b->pos += size;

    return b->pos < b->last ? NGX_AGAIN : NGX_OK;
}


/* the same, coded: a few bytes may be any amount of output */

static ngx_int_t
ngx_http_modelguard_stream_decode(ngx_http_modelguard_response_t *res,
    ngx_buf_t *b)
{
    ngx_int_t  rc;
    ngx_str_t  out;

    rc = ngx_http_modelguard_coding_decode(res->coding, &b->pos, b->last,
                                           &out);
    if (rc == NGX_ERROR) {
        return ngx_http_modelguard_stream_cut(res,
                                         NGX_HTTP_MODELGUARD_REASON_INFLATE);
    }

    if (rc == NGX_AGAIN) {
        return NGX_OK;
    }

    rc = ngx_http_modelguard_stream_data(res, out.data, out.len);

    return rc == NGX_OK ? NGX_AGAIN : rc;
}


static ngx_int_t
ngx_http_modelguard_stream_data(ngx_http_modelguard_response_t *res,
    u_char *data, size_t size)
{
    int        code;
    ngx_int_t  rc;

    res->received += size;

    if (res->counter) {
        *res->counter += size;
    }

    switch (res->state) {

    case NGX_HTTP_MODELGUARD_REWRITE:
        code = modelguard_frame_feed(res->frame, data, size);
        break;

    case NGX_HTTP_MODELGUARD_COPY:
        code = ngx_http_modelguard_output_sink(res, data, size);
        break;

    case NGX_HTTP_MODELGUARD_ENDED:
        code = MODELGUARD_MALFORMED;
        break;

    default:
        return NGX_OK;
    }

    if (code != MODELGUARD_OK) {
        rc = ngx_http_modelguard_stream_fail(res, code);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (res->held && res->length > (off_t) res->conf->buffer_size) {
        return ngx_http_modelguard_stream_open(res, 0);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_stream_flush(ngx_http_modelguard_response_t *res)
{
    ngx_buf_t            *b;
    ngx_http_upstream_t  *u;

    u = res->upstream;

    /*
     * An upstream that failed after it had sent its header is finalized, and
     * then flushed instead of ended.
     */

    if (u && u == res->request->upstream && u->cleanup == NULL) {
        res->last = 1;

        return ngx_http_modelguard_stream_cut(res,
                                         NGX_HTTP_MODELGUARD_REASON_UPSTREAM);
    }

    if (res->state == NGX_HTTP_MODELGUARD_REWRITE
        && res->framing != MODELGUARD_FRAMING_NONE
        && modelguard_frame_flush(res->frame) != MODELGUARD_OK)
    {
        return NGX_ERROR;
    }

    if (res->held || !res->dirty) {
        return NGX_OK;
    }

    res->dirty = 0;

    if (res->buf) {
        res->buf->flush = 1;
        return NGX_OK;
    }

    b = ngx_http_modelguard_output_special(res);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->flush = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_stream_end(ngx_http_modelguard_response_t *res,
    ngx_buf_t *last)
{
    int                  code;
    ngx_int_t            rc;
    ngx_buf_t           *b;
    ngx_uint_t           exact;
    ngx_http_request_t  *r;

    r = res->request;
    exact = (last->last_buf || r != r->main);

    if (res->coding
        && ngx_http_modelguard_coding_finish(res->coding) != NGX_OK)
    {
        return ngx_http_modelguard_stream_cut(res,
                                         NGX_HTTP_MODELGUARD_REASON_INFLATE);
    }

    /* no body at all is as harmless as "Content-Length: 0" */

    if (res->state == NGX_HTTP_MODELGUARD_REWRITE && res->received) {
        code = modelguard_frame_finish(res->frame);

        if (code != MODELGUARD_OK) {
            rc = ngx_http_modelguard_stream_fail(res, code);

            if (rc != NGX_OK) {
                return rc;
            }
        }
    }

    if (ngx_http_modelguard_output_frame(res) != MODELGUARD_OK) {
        return NGX_ERROR;
    }

    ngx_http_modelguard_response_free(res);

    if (res->state == NGX_HTTP_MODELGUARD_REWRITE) {
        res->state = NGX_HTTP_MODELGUARD_ENDED;
    }

    if (exact) {
        res->state = NGX_HTTP_MODELGUARD_DONE;

        ngx_http_modelguard_response_consume(res->in);
        res->in = NULL;
    }

    if (res->held && ngx_http_modelguard_stream_open(res, exact) != NGX_OK) {
        return NGX_ERROR;
    }

    b = res->buf;

    if (b == NULL) {
        b = ngx_http_modelguard_output_special(res);
        if (b == NULL) {
            return NGX_ERROR;
        }

        b->sync = !last->last_buf;
    }

    b->last_buf = last->last_buf;
    b->last_in_chain = last->last_in_chain;

    return NGX_OK;
}


/* NGX_OK when the response goes on, by modelguard_on_error pass */

static ngx_int_t
ngx_http_modelguard_stream_fail(ngx_http_modelguard_response_t *res, int code)
{
    ngx_http_request_t  *r;

    r = res->request;
    res->reason = ngx_http_modelguard_reason_of(code);

    if (res->conf->on_error != NGX_HTTP_MODELGUARD_PASS
        || res->state != NGX_HTTP_MODELGUARD_REWRITE
        || code == MODELGUARD_SINK)
    {
        return ngx_http_modelguard_stream_cut(res, res->reason);
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "modelguard: response passed unguarded: %s",
                  ngx_http_modelguard_reason_sentence(res->reason));

    ngx_http_modelguard_stat_refuse(r, NGX_HTTP_MODELGUARD_STAT_UNGUARDED,
                                    res->reason);
    ngx_http_modelguard_meter_lose(res);

    if (ngx_http_modelguard_output_unframe(res) != NGX_OK
        || modelguard_frame_pass(res->frame) != MODELGUARD_OK)
    {
        return NGX_ERROR;
    }

    modelguard_frame_free(res->frame);
    res->frame = NULL;

    res->state = NGX_HTTP_MODELGUARD_COPY;

    return NGX_OK;
}


/*
 * NGX_ABORT: there is still time for a clean answer; NGX_DONE: what is in
 * res->out is to be sent, and nothing after it.
 */

static ngx_int_t
ngx_http_modelguard_stream_cut(ngx_http_modelguard_response_t *res,
    ngx_http_modelguard_reason_e reason)
{
    res->reason = reason;

    if (res->held) {
        return NGX_ABORT;
    }

    ngx_log_error(NGX_LOG_ERR, res->request->connection->log, 0,
                  "modelguard: response cut: %s",
                  ngx_http_modelguard_response_why(res));

    ngx_http_modelguard_stat_refuse(res->request,
                                    NGX_HTTP_MODELGUARD_STAT_CUT, reason);

    return res->framing == MODELGUARD_FRAMING_NONE
           ? NGX_ERROR : ngx_http_modelguard_stream_break(res);
}


/*
 * Clients take the end of a stream for its end, however it comes: a last
 * frame tells them of the error.
 */

static ngx_int_t
ngx_http_modelguard_stream_break(ngx_http_modelguard_response_t *res)
{
    ngx_str_t             frame;
    ngx_uint_t            events;
    modelguard_framing_e  framing;

    framing = res->framing;

    if (ngx_http_modelguard_output_cancel(res) != NGX_OK) {

        /* the client has a part of the frame, which it will not get whole */

        return NGX_DONE;
    }

    events = (framing == MODELGUARD_FRAMING_EVENTS);

    if (ngx_http_modelguard_response_frame(res, events, &frame) == NGX_OK) {
        (void) ngx_http_modelguard_output_sink(res, frame.data, frame.len);
        (void) ngx_http_modelguard_output_frame(res);
    }

    return NGX_DONE;
}


static ngx_int_t
ngx_http_modelguard_stream_open(ngx_http_modelguard_response_t *res,
    ngx_uint_t exact)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = res->request;

    res->held = 0;
    res->dirty = 1;

    if (exact) {
        r->headers_out.content_length_n = res->length;
    }

    rc = ngx_http_modelguard_next_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return NGX_ERROR;
    }

    return NGX_OK;
}
