
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_stream.h"
#include "ngx_http_modelguard_headers.h"


static ngx_int_t ngx_http_modelguard_stream_take(
    ngx_http_modelguard_response_t *res, ngx_chain_t *in);
static ngx_int_t ngx_http_modelguard_stream_feed(
    ngx_http_modelguard_response_t *res);
static ngx_int_t ngx_http_modelguard_stream_step(
    ngx_http_modelguard_response_t *res);
static ngx_int_t ngx_http_modelguard_stream_data(
    ngx_http_modelguard_response_t *res, u_char *data, size_t size);
static ngx_int_t ngx_http_modelguard_stream_flush(
    ngx_http_modelguard_response_t *res);
static ngx_int_t ngx_http_modelguard_stream_end(
    ngx_http_modelguard_response_t *res, ngx_buf_t *last);
static ngx_int_t ngx_http_modelguard_stream_fail(
    ngx_http_modelguard_response_t *res, int code);
static ngx_int_t ngx_http_modelguard_stream_cut(
    ngx_http_modelguard_response_t *res, const char *why);
static ngx_int_t ngx_http_modelguard_stream_open(
    ngx_http_modelguard_response_t *res, ngx_uint_t exact);
static int ngx_http_modelguard_stream_sink(void *data, const uint8_t *bytes,
    size_t len);
static ngx_buf_t *ngx_http_modelguard_stream_buf(
    ngx_http_modelguard_response_t *res);
static ngx_buf_t *ngx_http_modelguard_stream_special(
    ngx_http_modelguard_response_t *res);


ngx_int_t
ngx_http_modelguard_stream_start(ngx_http_modelguard_response_t *res,
    const modelguard_rules_t *rules)
{
    off_t                       size;
    ngx_http_request_t         *r;
    modelguard_rewrite_conf_t   conf;

    r = res->request;

    conf.rules = rules;
    conf.depth = (unsigned) res->conf->depth;
    conf.hold = res->conf->vector_size;
    conf.sink = ngx_http_modelguard_stream_sink;
    conf.sink_data = res;
    conf.alloc = ngx_http_modelguard_alloc;
    conf.alloc_data = r->pool;

    res->rewrite = modelguard_rewrite_create(&conf);
    if (res->rewrite == NULL) {
        return NGX_ERROR;
    }

    /* after X-Accel-Redirect r->upstream is a finished one */

    if (r->upstream && r->upstream->cleanup) {
        res->upstream = r->upstream;
    }

    size = r->headers_out.content_length_n;

    if (size <= 0 || size > NGX_HTTP_MODELGUARD_BUF_SIZE) {
        size = NGX_HTTP_MODELGUARD_BUF_SIZE;
    }

    res->size = (size_t) size;
    res->held = 1;

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

        if (res->held && r == r->main) {
            return NGX_OK;
        }

        if (res->held || res->out == NULL) {

            if (!drain) {
                break;
            }

            rc = ngx_http_modelguard_response_drain(r);

        } else {
            rc = ngx_http_modelguard_next_body(r, res->out);
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
 * the rewriter held comes out at once.  They are then part of the ring.
 */

static ngx_int_t
ngx_http_modelguard_stream_feed(ngx_http_modelguard_response_t *res)
{
    ngx_int_t  rc;

    while (res->in) {

        if (!res->held
            && res->free == NULL
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
    size_t        size;
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    cl = res->in;
    b = cl->buf;
    size = 0;

    if (ngx_buf_in_memory(b)) {
        size = b->last - b->pos;

    } else if (b->in_file) {
        ngx_log_error(NGX_LOG_ALERT, res->request->connection->log, 0,
                      "modelguard: a response in a file only");
        return NGX_ERROR;
    }

    if (size > NGX_HTTP_MODELGUARD_BUF_SIZE) {
        size = NGX_HTTP_MODELGUARD_BUF_SIZE;
    }

    if (size) {
        rc = ngx_http_modelguard_stream_data(res, b->pos, size);

        if (rc != NGX_OK) {
            return rc;
        }

        b->pos += size;

        if (b->pos < b->last) {
            return NGX_OK;
        }
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


static ngx_int_t
ngx_http_modelguard_stream_data(ngx_http_modelguard_response_t *res,
    u_char *data, size_t size)
{
    int        code;
    ngx_int_t  rc;

    res->received += size;

    switch (res->state) {

    case NGX_HTTP_MODELGUARD_REWRITE:
        code = modelguard_rewrite_feed(res->rewrite, data, size);
        break;

    case NGX_HTTP_MODELGUARD_COPY:
        code = ngx_http_modelguard_stream_sink(res, data, size);
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
                                         "the model server closed too early");
    }

    if (res->held || !res->dirty) {
        return NGX_OK;
    }

    res->dirty = 0;

    if (res->buf) {
        res->buf->flush = 1;
        return NGX_OK;
    }

    b = ngx_http_modelguard_stream_special(res);
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

    /* no body at all is as harmless as "Content-Length: 0" */

    if (res->state == NGX_HTTP_MODELGUARD_REWRITE && res->received) {
        code = modelguard_rewrite_finish(res->rewrite);

        if (code != MODELGUARD_OK) {
            rc = ngx_http_modelguard_stream_fail(res, code);

            if (rc != NGX_OK) {
                return rc;
            }
        }
    }

    if (res->rewrite) {
        modelguard_rewrite_free(res->rewrite);
        res->rewrite = NULL;
    }

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
        b = ngx_http_modelguard_stream_special(res);
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
    const char          *why;
    ngx_http_request_t  *r;

    r = res->request;

    switch (code) {

    case MODELGUARD_TOO_DEEP:
        why = "it is nested deeper than \"modelguard_max_depth\"";
        break;

    case MODELGUARD_TOO_BIG:
        why = "a vector or a name is over \"modelguard_vector_size\"";
        break;

    default:
        why = modelguard_rewrite_error(code);
    }

    if (res->conf->on_error != NGX_HTTP_MODELGUARD_PASS
        || res->state != NGX_HTTP_MODELGUARD_REWRITE
        || code == MODELGUARD_SINK)
    {
        return ngx_http_modelguard_stream_cut(res, why);
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "modelguard: response passed unguarded: %s", why);

    if (modelguard_rewrite_pass(res->rewrite) != MODELGUARD_OK) {
        return NGX_ERROR;
    }

    modelguard_rewrite_free(res->rewrite);
    res->rewrite = NULL;

    res->state = NGX_HTTP_MODELGUARD_COPY;

    return NGX_OK;
}


/* NGX_ABORT: there is still time for a clean answer */

static ngx_int_t
ngx_http_modelguard_stream_cut(ngx_http_modelguard_response_t *res,
    const char *why)
{
    res->why = why;

    if (res->held) {
        return NGX_ABORT;
    }

    ngx_log_error(NGX_LOG_ERR, res->request->connection->log, 0,
                  "modelguard: response cut: %s", why);

    return NGX_ERROR;
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


/* modelguard_sink_pt */

static int
ngx_http_modelguard_stream_sink(void *data, const uint8_t *bytes, size_t len)
{
    ngx_http_modelguard_response_t *res = data;

    size_t      n;
    ngx_buf_t  *b;

    res->length += len;
    res->dirty = 1;

    while (len) {
        b = res->buf;

        if (b == NULL || b->last == b->end) {
            b = ngx_http_modelguard_stream_buf(res);
            if (b == NULL) {
                return MODELGUARD_NOMEM;
            }
        }

        n = ngx_min(len, (size_t) (b->end - b->last));

        b->last = ngx_cpymem(b->last, bytes, n);
        bytes += n;
        len -= n;
    }

    return MODELGUARD_OK;
}


/* a buf at the end of res->out: of the ring, or a new one */

static ngx_buf_t *
ngx_http_modelguard_stream_buf(ngx_http_modelguard_response_t *res)
{
    size_t               size;
    ngx_buf_t           *b;
    ngx_chain_t         *cl;
    ngx_http_request_t  *r;

    r = res->request;
    cl = res->free;

    if (cl) {
        res->free = cl->next;
        b = cl->buf;

    } else {
        size = res->bufs ? NGX_HTTP_MODELGUARD_BUF_SIZE : res->size;

        b = ngx_create_temp_buf(r->pool, size);
        if (b == NULL) {
            return NULL;
        }

        cl = ngx_alloc_chain_link(r->pool);
        if (cl == NULL) {
            return NULL;
        }

        b->tag = (ngx_buf_tag_t) &ngx_http_modelguard_module;

        cl->buf = b;
        res->bufs++;
    }

    b->recycled = 1;
    b->flush = 0;
    b->last_buf = 0;
    b->last_in_chain = 0;

    cl->next = NULL;
    *res->last_out = cl;
    res->last_out = &cl->next;

    res->buf = b;

    return b;
}


/*
 * A buf that carries flags alone.  It cannot be of the ring: it is empty from
 * the start, so nobody could tell when those after us are done with it.
 */

static ngx_buf_t *
ngx_http_modelguard_stream_special(ngx_http_modelguard_response_t *res)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    b = ngx_calloc_buf(res->request->pool);
    if (b == NULL) {
        return NULL;
    }

    cl = ngx_alloc_chain_link(res->request->pool);
    if (cl == NULL) {
        return NULL;
    }

    cl->buf = b;
    cl->next = NULL;

    *res->last_out = cl;
    res->last_out = &cl->next;

    res->buf = NULL;

    return b;
}
