
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_response.h"
#include "ngx_http_modelguard_error.h"
#include "ngx_http_modelguard_meter.h"
#include "ngx_http_modelguard_ratelimit.h"
#include "ngx_http_modelguard_stat.h"


static void ngx_http_modelguard_response_cleanup(void *data);
static ngx_int_t ngx_http_modelguard_response_body(
    ngx_http_modelguard_response_t *res);
static void ngx_http_modelguard_response_error(
    ngx_http_modelguard_error_t *error);
static ngx_int_t ngx_http_modelguard_response_send(
    ngx_http_modelguard_response_t *res);


ngx_http_output_header_filter_pt  ngx_http_modelguard_next_header;
ngx_http_output_body_filter_pt    ngx_http_modelguard_next_body;


ngx_http_modelguard_response_t *
ngx_http_modelguard_response_create(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf)
{
    ngx_pool_cleanup_t               *cln;
    ngx_http_modelguard_response_t   *res;
    ngx_http_modelguard_main_conf_t  *mgmcf;

    cln = ngx_pool_cleanup_add(r->pool,
                               sizeof(ngx_http_modelguard_response_t));
    if (cln == NULL) {
        return NULL;
    }

    res = cln->data;

    ngx_memzero(res, sizeof(ngx_http_modelguard_response_t));

    mgmcf = ngx_http_get_module_main_conf(r, ngx_http_modelguard_module);

    ngx_http_modelguard_memory_init(&res->blocks, mgmcf->memory, r->pool);

    cln->handler = ngx_http_modelguard_response_cleanup;

    res->request = r;
    res->conf = mglcf;
    res->last_out = &res->out;

    ngx_http_set_ctx(r, res, ngx_http_modelguard_module);

    return res;
}


static void
ngx_http_modelguard_response_cleanup(void *data)
{
    ngx_http_modelguard_response_t *res = data;

    ngx_http_modelguard_memory_free(&res->blocks);
}


void
ngx_http_modelguard_response_consume(ngx_chain_t *in)
{
    ngx_buf_t  *b;

    for ( /* void */ ; in; in = in->next) {
        b = in->buf;

        b->pos = b->last;

        if (b->in_file) {
            b->file_pos = b->file_last;
        }
    }
}


void
ngx_http_modelguard_response_free(ngx_http_modelguard_response_t *res)
{
    if (res->frame) {
        modelguard_frame_free(res->frame);
        res->frame = NULL;
    }

    if (res->coding) {
        ngx_http_modelguard_coding_free(res->coding);
        res->coding = NULL;
    }
}


void
ngx_http_modelguard_response_stop(ngx_http_modelguard_response_t *res)
{
    ngx_http_modelguard_response_free(res);

    ngx_http_modelguard_response_consume(res->in);

    res->in = NULL;
    res->out = NULL;
    res->last_out = &res->out;
    res->buf = NULL;
}


ngx_int_t
ngx_http_modelguard_response_refuse(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf, ngx_int_t status,
    ngx_http_modelguard_reason_e reason)
{
    ngx_http_modelguard_response_t  *res;

    /* an unknown profile has been logged, with its name */

    if (reason != NGX_HTTP_MODELGUARD_REASON_PROFILE) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "modelguard: response blocked: %s",
                      ngx_http_modelguard_reason_sentence(reason));
    }

    ngx_http_modelguard_stat_refuse(r, NGX_HTTP_MODELGUARD_STAT_BLOCKED,
                                    reason);

    res = ngx_http_modelguard_response_create(r, mglcf);
    if (res == NULL) {
        return NGX_ERROR;
    }

    res->state = NGX_HTTP_MODELGUARD_REFUSED;

    if (r == r->main
        && (status != NGX_HTTP_BAD_GATEWAY
            || ngx_http_modelguard_response_body(res) != NGX_OK))
    {
        res->native = 1;
    }

    /*
     * As ngx_http_filter_finalize_request() does: filters that prepared for
     * the response must not take nginx's error response for it.  Returning
     * the status lets error_page lead anywhere, and frees the upstream.
     */

    ngx_http_clean_header(r);
    ngx_memzero(r->ctx, sizeof(void *) * ngx_http_max_module);

    ngx_http_set_ctx(r, res, ngx_http_modelguard_module);

    return status;
}


/* NGX_DECLINED: the answer is nginx's */

static ngx_int_t
ngx_http_modelguard_response_body(ngx_http_modelguard_response_t *res)
{
    ngx_http_request_t           *r;
    ngx_http_modelguard_error_t   error;

    r = res->request;

    if (ngx_http_modelguard_error_is_native(r, res->conf,
                                            NGX_HTTP_BAD_GATEWAY))
    {
        return NGX_DECLINED;
    }

    ngx_http_modelguard_response_error(&error);

    return ngx_http_modelguard_error_body(r, res->conf, &error, &res->type,
                                          &res->body);
}


/* a decoder knows more than that something was wrong */

const char *
ngx_http_modelguard_response_why(const ngx_http_modelguard_response_t *res)
{
    return res->reason == NGX_HTTP_MODELGUARD_REASON_INFLATE && res->coding
           ? ngx_http_modelguard_coding_error(res->coding)
           : ngx_http_modelguard_reason_sentence(res->reason);
}


/* one sentence for all causes: clients are not told what gave it away */

static void
ngx_http_modelguard_response_error(ngx_http_modelguard_error_t *error)
{
    error->status = NGX_HTTP_BAD_GATEWAY;
    error->type = "upstream_error";
    error->code = "response_blocked";
    error->problem = NULL;

    ngx_str_null(&error->param);
    ngx_str_null(&error->policies);

    ngx_str_set(&error->message, "The response of the model was withheld.");
}


ngx_int_t
ngx_http_modelguard_response_frame(ngx_http_modelguard_response_t *res,
    ngx_uint_t events, ngx_str_t *frame)
{
    ngx_http_modelguard_error_t  error;

    ngx_http_modelguard_response_error(&error);

    return ngx_http_modelguard_error_frame(res->request, res->conf, events,
                                           &error, frame);
}


ngx_int_t
ngx_http_modelguard_response_answer_header(ngx_http_modelguard_response_t *res)
{
    ngx_http_request_t         *r;
    ngx_http_modelguard_ctx_t  *ctx;

    r = res->request;

    res->state = NGX_HTTP_MODELGUARD_ANSWER;

    r->headers_out.status = NGX_HTTP_BAD_GATEWAY;
    r->headers_out.status_line.len = 0;

    r->headers_out.content_type = res->type;
    r->headers_out.content_type_len = res->type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.content_length_n = res->body.len;

    if (r == r->main) {
        ctx = ngx_http_modelguard_ctx_find(r);

        if (ctx) {
            ctx->answered = 1;

            if (ngx_http_modelguard_ratelimit_send(r, ctx) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    return ngx_http_modelguard_next_header(r);
}


ngx_int_t
ngx_http_modelguard_response_answer_body(ngx_http_modelguard_response_t *res,
    ngx_chain_t *in)
{
    ngx_uint_t    last;
    ngx_chain_t  *cl;

    last = 0;

    for (cl = in; cl; cl = cl->next) {
        if (cl->buf->last_buf || cl->buf->last_in_chain) {
            last = 1;
        }
    }

    ngx_http_modelguard_response_consume(in);

    if (!last) {
        return NGX_OK;
    }

    res->state = NGX_HTTP_MODELGUARD_DONE;

    return ngx_http_modelguard_response_send(res);
}


/* sends res->body and the end; a subrequest has an empty one */

static ngx_int_t
ngx_http_modelguard_response_send(ngx_http_modelguard_response_t *res)
{
    ngx_buf_t           *b;
    ngx_chain_t          out;
    ngx_http_request_t  *r;

    r = res->request;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    if (res->body.len) {
        b->memory = 1;
        b->pos = res->body.data;
        b->last = res->body.data + res->body.len;
    }

    if (r == r->main) {
        b->last_buf = 1;

    } else {
        b->sync = 1;
    }

    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_modelguard_next_body(r, &out);
}


ngx_int_t
ngx_http_modelguard_response_block(ngx_http_modelguard_response_t *res)
{
    ngx_int_t            rc;
    ngx_uint_t           last;
    ngx_http_request_t  *r;

    r = res->request;
    last = res->last;

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "modelguard: response blocked: %s",
                  ngx_http_modelguard_response_why(res));

    ngx_http_modelguard_stat_refuse(r, NGX_HTTP_MODELGUARD_STAT_BLOCKED,
                                    res->reason);

    ngx_http_modelguard_response_stop(res);
    ngx_http_modelguard_meter_block(res);

    if (r == r->main) {

        /* nginx cuts the connection when a filter finalizes a request */

        if (ngx_http_modelguard_response_body(res) != NGX_OK) {
            r->keepalive = 0;
            res->state = NGX_HTTP_MODELGUARD_NATIVE;

            return ngx_http_filter_finalize_request(r,
                                                    &ngx_http_modelguard_module,
                                                    NGX_HTTP_BAD_GATEWAY);
        }

        r->err_status = NGX_HTTP_BAD_GATEWAY;

        /* the rest of the response will not be waited for */

        if (!last) {
            r->keepalive = 0;
        }
    }

    ngx_http_clean_header(r);

    rc = ngx_http_modelguard_response_answer_header(res);

    res->state = NGX_HTTP_MODELGUARD_DONE;

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return NGX_ERROR;
    }

    if (r->header_only) {
        return NGX_OK;
    }

    rc = ngx_http_modelguard_response_send(res);

    if (rc == NGX_OK && r == r->main && !last) {

        /* all is sent, and the sender is to stop */

        res->failed = 1;

        return NGX_ERROR;
    }

    return rc;
}


/* the last filter takes an empty chain only when something is pending */

ngx_int_t
ngx_http_modelguard_response_drain(ngx_http_request_t *r)
{
    if (r->connection->buffered
        || r->postponed
        || (r->buffered & NGX_HTTP_SSI_BUFFERED))
    {
        return ngx_http_modelguard_next_body(r, NULL);
    }

    return NGX_OK;
}
