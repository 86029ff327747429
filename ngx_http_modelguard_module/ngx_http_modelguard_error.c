
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_error.h"


#define NGX_HTTP_MODELGUARD_EVENT_HEAD  "event: error\ndata: "


static ngx_uint_t ngx_http_modelguard_error_has_page(ngx_http_request_t *r,
    ngx_uint_t status);

ngx_int_t
ngx_http_modelguard_error_is_native(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf, ngx_uint_t status)
{
    return mglcf->error_body == NGX_HTTP_MODELGUARD_ERROR_OFF
           || ngx_http_modelguard_error_has_page(r, status);
}


ngx_int_t
ngx_http_modelguard_error_body(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    const ngx_http_modelguard_error_t *error, ngx_str_t *type,
    ngx_str_t *body)
{
    return ngx_http_modelguard_shape(r->pool, mglcf->error_body, error, type,
                                     body);
}


ngx_int_t
ngx_http_modelguard_error_frame(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf, ngx_uint_t events,
    const ngx_http_modelguard_error_t *error, ngx_str_t *frame)
{
    u_char      *p;
    ngx_str_t    type, body;
    ngx_uint_t   shape;

    shape = mglcf->error_body;

    if (shape == NGX_HTTP_MODELGUARD_ERROR_PROBLEM) {
        shape = NGX_HTTP_MODELGUARD_ERROR_OPENAI;
    }

    if (ngx_http_modelguard_shape(r->pool, shape, error, &type, &body)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!events) {
        *frame = body;
        return NGX_OK;
    }

    /* the body ends with a line feed, the second one ends the event */

    frame->len = sizeof(NGX_HTTP_MODELGUARD_EVENT_HEAD) - 1 + body.len + 1;

    frame->data = ngx_pnalloc(r->pool, frame->len);
    if (frame->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(frame->data, NGX_HTTP_MODELGUARD_EVENT_HEAD,
                   sizeof(NGX_HTTP_MODELGUARD_EVENT_HEAD) - 1);
    p = ngx_cpymem(p, body.data, body.len);
    *p = LF;

    return NGX_OK;
}


ngx_int_t
ngx_http_modelguard_error_send(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    const ngx_http_modelguard_error_t *error)
{
    ngx_int_t                   rc;
    ngx_str_t                   type;
    ngx_http_complex_value_t    body;
    ngx_http_modelguard_ctx_t  *ctx;

    ctx = ngx_http_modelguard_ctx_get(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_modelguard_error_has_page(r, error->status)) {

        /* what the page's location answers may be the model's */

        return error->status;
    }

    ctx->answered = 1;

    /* to nginx the status 444 is a connection that is closed */

    if (mglcf->error_body == NGX_HTTP_MODELGUARD_ERROR_OFF
        || error->status == NGX_HTTP_CLOSE)
    {
        return error->status;
    }

    ngx_memzero(&body, sizeof(ngx_http_complex_value_t));

    if (ngx_http_modelguard_error_body(r, mglcf, error, &type, &body.value)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* as nginx does: else an earlier error would be the status of this one */

    r->err_status = error->status;
    r->expect_tested = 1;

    rc = ngx_http_send_response(r, error->status, &type, &body);

    ngx_http_finalize_request(r, rc);

    return NGX_DONE;
}


/* the conditions are those of ngx_http_special_response_handler() */

static ngx_uint_t
ngx_http_modelguard_error_has_page(ngx_http_request_t *r, ngx_uint_t status)
{
    ngx_uint_t                 i;
    ngx_http_err_page_t       *page;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (r->error_page || clcf->error_pages == NULL || r->uri_changes == 0) {
        return 0;
    }

    page = clcf->error_pages->elts;

    for (i = 0; i < clcf->error_pages->nelts; i++) {
        if (page[i].status == (ngx_int_t) status) {
            return 1;
        }
    }

    return 0;
}
