
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_body.h"


#define NGX_HTTP_MODELGUARD_BODY_PIECE  32768   /* read from a file at once */


static void ngx_http_modelguard_body_handler(ngx_http_request_t *r);
static off_t ngx_http_modelguard_body_length(ngx_http_request_t *r);
static ngx_uint_t ngx_http_modelguard_body_encoded(ngx_http_request_t *r);
static ngx_int_t ngx_http_modelguard_body_walk(ngx_http_request_t *r,
    modelguard_items_t *items);
static ngx_int_t ngx_http_modelguard_body_file(ngx_http_request_t *r,
    modelguard_items_t *items, ngx_buf_t *b, u_char **piece);
static ngx_int_t ngx_http_modelguard_body_status(ngx_http_request_t *r,
    int rc);


ngx_int_t
ngx_http_modelguard_body_read(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx)
{
    ngx_int_t  rc;

    /*
     * No phase runs while a body is being read, so whoever comes here then
     * was redirected after a failure: what was read is all there is.  It may
     * also have been read by another module, or been discarded.
     */

    if (ctx->body != NGX_HTTP_MODELGUARD_BODY_NONE
        || r->request_body || r->discard_body)
    {
        ctx->body = NGX_HTTP_MODELGUARD_BODY_READY;
        return NGX_OK;
    }

    ctx->body = NGX_HTTP_MODELGUARD_BODY_READING;

    rc = ngx_http_read_client_request_body(r,
                                           ngx_http_modelguard_body_handler);
    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    /* the reference that reading took */

    ngx_http_finalize_request(r, NGX_DONE);

    return NGX_DONE;
}


static void
ngx_http_modelguard_body_handler(ngx_http_request_t *r)
{
    ngx_http_modelguard_ctx_t  *ctx;

    ctx = ngx_http_modelguard_ctx_find(r);
    if (ctx == NULL) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ctx->body = NGX_HTTP_MODELGUARD_BODY_READY;

    r->preserve_body = 1;

    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
}


ngx_int_t
ngx_http_modelguard_body_items(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t *items)
{
    int                  status;
    off_t                len;
    ngx_int_t            rc;
    modelguard_items_t  *counter;

    len = ngx_http_modelguard_body_length(r);

    if (len == 0) {
        *items = 1;
        return NGX_OK;
    }

    if (len > (off_t) mglcf->body_size) {
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    if (ngx_http_modelguard_body_encoded(r)) {
        return NGX_HTTP_UNSUPPORTED_MEDIA_TYPE;
    }

    counter = modelguard_items_create(mglcf->items, (unsigned) mglcf->depth,
                                      ngx_http_modelguard_alloc, r->pool);
    if (counter == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_modelguard_body_walk(r, counter);

    if (rc == NGX_OK) {
        status = modelguard_items_finish(counter, items);

        rc = (status == MODELGUARD_OK)
             ? NGX_OK : ngx_http_modelguard_body_status(r, status);
    }

    modelguard_items_free(counter);

    return rc;
}


static off_t
ngx_http_modelguard_body_length(ngx_http_request_t *r)
{
    off_t         len;
    ngx_chain_t  *cl;

    if (r->request_body == NULL) {
        return 0;
    }

    len = 0;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        len += ngx_buf_size(cl->buf);
    }

    return len;
}


static ngx_uint_t
ngx_http_modelguard_body_encoded(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (header[i].key.len == sizeof("content-encoding") - 1
                && ngx_strncasecmp(header[i].key.data,
                                   (u_char *) "content-encoding",
                                   sizeof("content-encoding") - 1)
                   == 0
                && (header[i].value.len != sizeof("identity") - 1
                    || ngx_strncasecmp(header[i].value.data,
                                       (u_char *) "identity",
                                       sizeof("identity") - 1)
                       != 0))
            {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_modelguard_body_walk(ngx_http_request_t *r,
    modelguard_items_t *items)
{
    int           status;
    u_char       *piece;
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    rc = NGX_OK;
    piece = NULL;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        b = cl->buf;

        if (ngx_buf_in_memory(b)) {
            status = modelguard_items_feed(items, b->pos, b->last - b->pos);

            if (status != MODELGUARD_OK) {
                rc = ngx_http_modelguard_body_status(r, status);
                break;
            }

        } else if (b->in_file) {
            rc = ngx_http_modelguard_body_file(r, items, b, &piece);

            if (rc != NGX_OK) {
                break;
            }
        }
    }

    if (piece) {
        ngx_pfree(r->pool, piece);
    }

    return rc;
}


static ngx_int_t
ngx_http_modelguard_body_file(ngx_http_request_t *r,
    modelguard_items_t *items, ngx_buf_t *b, u_char **piece)
{
    int      status;
    off_t    pos;
    size_t   size;
    ssize_t  n;

    if (*piece == NULL) {

        *piece = ngx_palloc(r->pool, NGX_HTTP_MODELGUARD_BODY_PIECE);
        if (*piece == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    for (pos = b->file_pos; pos < b->file_last; pos += n) {

        size = (size_t) ngx_min(b->file_last - pos,
                                NGX_HTTP_MODELGUARD_BODY_PIECE);

        n = ngx_read_file(b->file, *piece, size, pos);

        if (n == NGX_ERROR) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (n == 0) {
            ngx_log_error(NGX_LOG_CRIT, r->connection->log, 0,
                          "modelguard: \"%V\" ends before the request body",
                          &b->file->name);
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        status = modelguard_items_feed(items, *piece, n);

        if (status != MODELGUARD_OK) {
            return ngx_http_modelguard_body_status(r, status);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_body_status(ngx_http_request_t *r, int rc)
{
    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "modelguard items: %d", rc);

    return (rc == MODELGUARD_NOMEM) ? NGX_HTTP_INTERNAL_SERVER_ERROR
                                    : NGX_HTTP_BAD_REQUEST;
}
