
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_uniform.h"
#include "ngx_http_modelguard_error.h"
#include "ngx_http_modelguard_headers.h"
#include "ngx_http_modelguard_stat.h"


ngx_uint_t
ngx_http_modelguard_uniform(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf)
{
    ngx_http_upstream_t             *u;
    ngx_http_modelguard_response_t  *res;

    if (!mglcf->error_upstream
        || r->headers_out.status < NGX_HTTP_BAD_REQUEST)
    {
        return 0;
    }

    res = ngx_http_get_module_ctx(r, ngx_http_modelguard_module);

    if (res
        && (res->state == NGX_HTTP_MODELGUARD_REFUSED
            || res->state == NGX_HTTP_MODELGUARD_NATIVE))
    {
        return 0;
    }

    u = r->upstream;

    /*
     * After X-Accel-Redirect and after a failure it is a finished one; a
     * cached response never begins.
     */

#if (NGX_HTTP_CACHE)
    if (u && (u->cleanup || r->cached)) {
#else
    if (u && u->cleanup) {
#endif
        return u->headers_in.status_n >= NGX_HTTP_BAD_REQUEST;
    }

    /* nginx sets r->err_status for its own pages, and for what replaces them */

    return r->err_status >= NGX_HTTP_BAD_REQUEST
           && !(r->error_page && r->internal)
           && mglcf == ngx_http_get_module_loc_conf(r,
                                                   ngx_http_modelguard_module);
}


ngx_int_t
ngx_http_modelguard_uniform_header(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf)
{
    ngx_str_t                        type;
    ngx_http_modelguard_error_t      error;
    ngx_http_modelguard_response_t  *res;

    res = ngx_http_modelguard_response_create(r, mglcf);
    if (res == NULL) {
        return NGX_ERROR;
    }

    res->state = NGX_HTTP_MODELGUARD_UNIFORM;

    ngx_http_modelguard_shape_status(&error, r->headers_out.status);

    if (ngx_http_modelguard_error_body(r, mglcf, &error, &type, &res->body)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_modelguard_stat_count(r, NGX_HTTP_MODELGUARD_STAT_REPLACED);

    ngx_http_modelguard_headers_response(r);
    ngx_http_modelguard_headers_replaced(r);

    /* the phrase of a status line may be the model server's */

    r->headers_out.status_line.len = 0;

    r->headers_out.content_type = type;
    r->headers_out.content_type_len = type.len;
    r->headers_out.content_type_lowcase = NULL;

    if (r == r->main) {
        r->headers_out.content_length_n = res->body.len;
    }

    if (r->method == NGX_HTTP_HEAD || r->header_only) {
        res->state = NGX_HTTP_MODELGUARD_DONE;
    }

    return ngx_http_modelguard_next_header(r);
}


/*
 * Ours is sent as soon as something comes: the client need not wait for the
 * end of a body that it will not see, nor suffer if there is none.
 */

ngx_int_t
ngx_http_modelguard_uniform_body(ngx_http_modelguard_response_t *res,
    ngx_chain_t *in)
{
    ngx_buf_t           *b;
    ngx_uint_t           last;
    ngx_chain_t         *cl, out;
    ngx_http_request_t  *r;

    r = res->request;
    last = 0;

    for (cl = in; cl; cl = cl->next) {
        if (cl->buf->last_buf || cl->buf->last_in_chain) {
            last = 1;
        }
    }

    ngx_http_modelguard_response_consume(in);

    if (in == NULL || (!last && res->body.len == 0)) {
        return ngx_http_modelguard_response_drain(r);
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    if (res->body.len) {
        b->memory = 1;
        b->pos = res->body.data;
        b->last = res->body.data + res->body.len;

        res->body.len = 0;

    } else {
        b->sync = (r != r->main);
    }

    if (last) {
        res->state = NGX_HTTP_MODELGUARD_DONE;

        b->last_buf = (r == r->main);
        b->last_in_chain = 1;

    } else {
        b->flush = 1;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_modelguard_next_body(r, &out);
}
