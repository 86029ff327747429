
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_output.h"


#define NGX_HTTP_MODELGUARD_OUTPUT_FRAME  4096   /* first size of a frame */


static int ngx_http_modelguard_output_keep(
    ngx_http_modelguard_response_t *res, const uint8_t *bytes, size_t len);
static int ngx_http_modelguard_output_write(
    ngx_http_modelguard_response_t *res, const uint8_t *bytes, size_t len);
static int ngx_http_modelguard_output_commit(
    ngx_http_modelguard_response_t *res);
static ngx_buf_t *ngx_http_modelguard_output_buf(
    ngx_http_modelguard_response_t *res);


int
ngx_http_modelguard_output_sink(void *data, const uint8_t *bytes, size_t len)
{
    ngx_http_modelguard_response_t *res = data;

    int  rc;

    if (res->framing == MODELGUARD_FRAMING_NONE || res->spilled) {
        return ngx_http_modelguard_output_write(res, bytes, len);
    }

    if (len <= res->conf->buffer_size - res->part.len) {
        return ngx_http_modelguard_output_keep(res, bytes, len);
    }

    res->spilled = 1;

    rc = ngx_http_modelguard_output_commit(res);

    return rc == MODELGUARD_OK
           ? ngx_http_modelguard_output_write(res, bytes, len) : rc;
}


int
ngx_http_modelguard_output_frame(void *data)
{
    ngx_http_modelguard_response_t *res = data;

    res->spilled = 0;

    return ngx_http_modelguard_output_commit(res);
}


ngx_int_t
ngx_http_modelguard_output_cancel(ngx_http_modelguard_response_t *res)
{
    res->part.len = 0;

    return res->spilled ? NGX_DECLINED : NGX_OK;
}


ngx_int_t
ngx_http_modelguard_output_unframe(ngx_http_modelguard_response_t *res)
{
    res->framing = MODELGUARD_FRAMING_NONE;

    return ngx_http_modelguard_output_commit(res) == MODELGUARD_OK
           ? NGX_OK : NGX_ERROR;
}


/* the frame's memory doubles up to modelguard_buffer_size, and stays */

static int
ngx_http_modelguard_output_keep(ngx_http_modelguard_response_t *res,
    const uint8_t *bytes, size_t len)
{
    size_t   size;
    u_char  *p;

    if (len > res->part_size - res->part.len) {

        size = ngx_max(res->part_size * 2, NGX_HTTP_MODELGUARD_OUTPUT_FRAME);
        size = ngx_max(size, res->part.len + len);
        size = ngx_min(size, res->conf->buffer_size);

        p = ngx_http_modelguard_memory_alloc(&res->blocks, res->part.data,
                                             res->part_size, size);
        if (p == NULL) {
            return MODELGUARD_NOMEM;
        }

        res->part.data = p;
        res->part_size = size;
    }

    ngx_memcpy(res->part.data + res->part.len, bytes, len);
    res->part.len += len;

    return MODELGUARD_OK;
}


static int
ngx_http_modelguard_output_commit(ngx_http_modelguard_response_t *res)
{
    size_t  len;

    len = res->part.len;

    if (len == 0) {
        return MODELGUARD_OK;
    }

    res->part.len = 0;

    return ngx_http_modelguard_output_write(res, res->part.data, len);
}


static int
ngx_http_modelguard_output_write(ngx_http_modelguard_response_t *res,
    const uint8_t *bytes, size_t len)
{
    size_t      n;
    ngx_buf_t  *b;

    res->length += len;
    res->dirty = 1;

    while (len) {
        b = res->buf;

        if (b == NULL || b->last == b->end) {
            b = ngx_http_modelguard_output_buf(res);
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


/* a buf at the end of res->out */

static ngx_buf_t *
ngx_http_modelguard_output_buf(ngx_http_modelguard_response_t *res)
{
    u_char       *p;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    cl = ngx_chain_get_free_buf(res->request->pool, &res->free);
    if (cl == NULL) {
        return NULL;
    }

    p = ngx_http_modelguard_memory_alloc(&res->blocks, NULL, 0, res->size);
    if (p == NULL) {
        return NULL;
    }

    b = cl->buf;

    b->start = p;
    b->pos = p;
    b->last = p;
    b->end = p + res->size;
    b->tag = (ngx_buf_tag_t) &ngx_http_modelguard_module;
    b->temporary = 1;
    b->recycled = 1;
    b->flush = 0;
    b->last_buf = 0;
    b->last_in_chain = 0;

    *res->last_out = cl;
    res->last_out = &cl->next;

    res->buf = b;
    res->bufs++;
    res->size = ngx_min(res->size * 2, NGX_HTTP_MODELGUARD_BUF_SIZE);

    return b;
}


/* those without memory are behind those that were sent last */

void
ngx_http_modelguard_output_sent(ngx_http_modelguard_response_t *res)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    for (cl = res->free; cl && cl->buf->start; cl = cl->next) {
        b = cl->buf;

        (void) ngx_http_modelguard_memory_alloc(&res->blocks, b->start,
                                                b->end - b->start, 0);
        b->start = NULL;

        res->bufs--;
    }
}


/*
 * A buf that carries flags alone.  It cannot be one of ours: it is empty from
 * the start, so nobody could tell when those after us are done with it.
 */

ngx_buf_t *
ngx_http_modelguard_output_special(ngx_http_modelguard_response_t *res)
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
