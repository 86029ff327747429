
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_error.h"


#define NGX_HTTP_MODELGUARD_OPENAI                                            \
    "{\"error\":{\"message\":\"%V\",\"type\":\"%s\",\"param\":%V,"            \
    "\"code\":\"%s\"}}\n"

#define NGX_HTTP_MODELGUARD_PROBLEM                                           \
    "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%ui,"              \
    "\"detail\":\"%V\",\"code\":\"%s\"%V}\n"


typedef struct {
    ngx_uint_t   status;
    const char  *title;
} ngx_http_modelguard_title_t;


static ngx_uint_t ngx_http_modelguard_error_has_page(ngx_http_request_t *r,
    ngx_uint_t status);
static ngx_int_t ngx_http_modelguard_error_member(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf, ngx_str_t *member);
static ngx_int_t ngx_http_modelguard_error_escape(ngx_http_request_t *r,
    const ngx_str_t *text, ngx_str_t *escaped);
static const char *ngx_http_modelguard_error_title(ngx_uint_t status);


/* RFC 9457 wants the status's own phrase as the title of "about:blank" */

static const ngx_http_modelguard_title_t  ngx_http_modelguard_titles[] = {
    { NGX_HTTP_BAD_REQUEST, "Bad Request" },
    { NGX_HTTP_UNAUTHORIZED, "Unauthorized" },
    { 402, "Payment Required" },
    { NGX_HTTP_FORBIDDEN, "Forbidden" },
    { NGX_HTTP_NOT_FOUND, "Not Found" },
    { NGX_HTTP_NOT_ALLOWED, "Method Not Allowed" },
    { NGX_HTTP_CONFLICT, "Conflict" },
    { NGX_HTTP_REQUEST_ENTITY_TOO_LARGE, "Content Too Large" },
    { NGX_HTTP_UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type" },
    { NGX_HTTP_TOO_MANY_REQUESTS, "Too Many Requests" },
    { NGX_HTTP_INTERNAL_SERVER_ERROR, "Internal Server Error" },
    { NGX_HTTP_BAD_GATEWAY, "Bad Gateway" },
    { NGX_HTTP_SERVICE_UNAVAILABLE, "Service Unavailable" },
    { NGX_HTTP_GATEWAY_TIME_OUT, "Gateway Timeout" },
    { 0, "Request Refused" }
};


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
    size_t       len;
    ngx_str_t    message, param;
    const char  *title;

    if (ngx_http_modelguard_error_escape(r, &error->message, &message)
        != NGX_OK
        || ngx_http_modelguard_error_member(r, mglcf, &param) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (mglcf->error_body == NGX_HTTP_MODELGUARD_ERROR_PROBLEM) {
        title = ngx_http_modelguard_error_title(error->status);

        len = sizeof(NGX_HTTP_MODELGUARD_PROBLEM) + ngx_strlen(title)
              + NGX_INT_T_LEN + message.len + ngx_strlen(error->code)
              + param.len;

        body->data = ngx_pnalloc(r->pool, len);
        if (body->data == NULL) {
            return NGX_ERROR;
        }

        ngx_str_set(type, "application/problem+json");

        body->len = ngx_sprintf(body->data, NGX_HTTP_MODELGUARD_PROBLEM,
                                title, error->status, &message, error->code,
                                &param)
                    - body->data;

        return NGX_OK;
    }

    len = sizeof(NGX_HTTP_MODELGUARD_OPENAI) + message.len + param.len
          + ngx_strlen(error->type) + ngx_strlen(error->code);

    body->data = ngx_pnalloc(r->pool, len);
    if (body->data == NULL) {
        return NGX_ERROR;
    }

    ngx_str_set(type, "application/json");

    body->len = ngx_sprintf(body->data, NGX_HTTP_MODELGUARD_OPENAI, &message,
                            error->type, &param, error->code)
                - body->data;

    return NGX_OK;
}


void
ngx_http_modelguard_error_param(const ngx_http_modelguard_ctx_t *ctx,
    ngx_str_t *name)
{
    ngx_str_null(name);

    if (ctx == NULL || ctx->verdict != NGX_HTTP_MODELGUARD_FORBIDDEN
        || ctx->dry_run)
    {
        return;
    }

    *name = ctx->param;

    if (name->len > 2 && name->data[0] == '$' && name->data[1] == '.') {
        name->data += 2;
        name->len -= 2;
    }
}


/* for the shape: a value, or a member if there is a name */

static ngx_int_t
ngx_http_modelguard_error_member(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf, ngx_str_t *member)
{
    u_char      *p;
    ngx_str_t    name, escaped;
    ngx_uint_t   problem;

    problem = (mglcf->error_body == NGX_HTTP_MODELGUARD_ERROR_PROBLEM);

    ngx_http_modelguard_error_param(ngx_http_modelguard_ctx_find(r), &name);

    if (name.len == 0) {
        ngx_str_set(member, "null");
        member->len = problem ? 0 : member->len;
        return NGX_OK;
    }

    if (ngx_http_modelguard_error_escape(r, &name, &escaped) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(r->pool, escaped.len + sizeof(",\"param\":\"\""));
    if (p == NULL) {
        return NGX_ERROR;
    }

    member->data = p;
    member->len = ngx_sprintf(p, "%s\"%V\"", problem ? ",\"param\":" : "",
                              &escaped)
                  - p;

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

    if (mglcf->error_body == NGX_HTTP_MODELGUARD_ERROR_OFF) {
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


static ngx_int_t
ngx_http_modelguard_error_escape(ngx_http_request_t *r, const ngx_str_t *text,
    ngx_str_t *escaped)
{
    escaped->len = text->len + ngx_escape_json(NULL, text->data, text->len);

    escaped->data = ngx_pnalloc(r->pool, escaped->len);
    if (escaped->data == NULL) {
        return NGX_ERROR;
    }

    ngx_escape_json(escaped->data, text->data, text->len);

    return NGX_OK;
}


static const char *
ngx_http_modelguard_error_title(ngx_uint_t status)
{
    const ngx_http_modelguard_title_t  *title;

    for (title = ngx_http_modelguard_titles; title->status; title++) {
        if (title->status == status) {
            break;
        }
    }

    return title->title;
}
