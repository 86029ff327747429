
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_error.h"
#include "ngx_http_modelguard_headers.h"
#include "ngx_http_modelguard_reject.h"
#include "ngx_http_modelguard_stat.h"


#define NGX_HTTP_MODELGUARD_MESSAGE_LEN  256   /* besides the name */


static ngx_int_t ngx_http_modelguard_reject_retry(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx);
static ngx_int_t ngx_http_modelguard_reject_message(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx, ngx_str_t *message);


ngx_int_t
ngx_http_modelguard_reject_forbidden(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    const modelguard_param_t *param)
{
    ngx_str_t                    limit;
    const char                  *text;
    ngx_http_modelguard_error_t  error;

    ctx->decided = 1;
    ctx->verdict = NGX_HTTP_MODELGUARD_FORBIDDEN;
    ngx_http_modelguard_stat_count(r, NGX_HTTP_MODELGUARD_STAT_FORBIDDEN);

    ctx->dry_run = mglcf->dry_run;
    ctx->param.data = (u_char *) param->text.data;
    ctx->param.len = param->text.len;

    ngx_log_error(mglcf->log_level, r->connection->log, 0,
                  "modelguard: refusing request%s, parameter \"%V\"",
                  mglcf->dry_run ? ", dry run" : "", &ctx->param);

    if (mglcf->dry_run) {
        return NGX_DECLINED;
    }

    error.status = NGX_HTTP_BAD_REQUEST;
    error.type = "invalid_request_error";

    ngx_str_null(&limit);

    switch (param->op) {

    case MODELGUARD_PARAM_LIMIT:
        error.code = "integer_above_max_value";
        text = "The parameter \"%V\" must be a number from 0 to %V.";
        limit.data = (u_char *) param->value.data;
        limit.len = param->value.len;
        break;

    case MODELGUARD_PARAM_REQUIRE:
        error.code = "missing_required_parameter";
        text = "The parameter \"%V\" must be given and must not be null.";
        break;

    default: /* MODELGUARD_PARAM_FORBID */
        error.code = "unsupported_parameter";
        text = "The parameter \"%V\" is not allowed.";
    }

    /* the path as people write it in a request */

    error.param = ctx->param;

    if (error.param.len > 2 && ngx_strncmp(error.param.data, "$.", 2) == 0) {
        error.param.data += 2;
        error.param.len -= 2;
    }

    error.message.data = ngx_pnalloc(r->pool,
                                     error.param.len + limit.len
                                     + NGX_HTTP_MODELGUARD_MESSAGE_LEN);
    if (error.message.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    error.message.len = ngx_sprintf(error.message.data, text, &error.param,
                                    &limit)
                        - error.message.data;

    return ngx_http_modelguard_error_send(r, mglcf, &error);
}


ngx_int_t
ngx_http_modelguard_reject_invalid(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, ngx_int_t status)
{
    ngx_http_modelguard_error_t  error;

    ctx->decided = 1;
    ctx->verdict = NGX_HTTP_MODELGUARD_INVALID;
    ngx_http_modelguard_stat_count(r, NGX_HTTP_MODELGUARD_STAT_INVALID);

    ctx->dry_run = mglcf->dry_run;

    error.status = status;
    error.type = "invalid_request_error";

    ngx_str_null(&error.param);

    switch (status) {

    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
        error.code = "body_too_large";
        ngx_str_set(&error.message, "The request body is too large.");
        break;

    case NGX_HTTP_UNSUPPORTED_MEDIA_TYPE:
        error.code = "unsupported_encoding";
        ngx_str_set(&error.message,
                    "The request body must not be compressed.");
        break;

    default: /* NGX_HTTP_BAD_REQUEST */
        error.code = "invalid_body";
        ngx_str_set(&error.message, "The request body is not valid JSON.");
    }

    ngx_log_error(mglcf->log_level, r->connection->log, 0,
                  "modelguard: refusing request%s, its body cannot be "
                  "inspected: %s%s", mglcf->dry_run ? ", dry run" : "",
                  error.code,
                  (status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE)
                  ? ", see \"modelguard_body_size\"" : "");

    if (mglcf->dry_run) {
        return NGX_DECLINED;
    }

    return ngx_http_modelguard_error_send(r, mglcf, &error);
}


ngx_int_t
ngx_http_modelguard_reject_limited(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf)
{
    ngx_http_modelguard_error_t  error;

    error.status = mglcf->reject_status;

    ngx_str_null(&error.param);

    if (ctx->verdict == NGX_HTTP_MODELGUARD_EXHAUSTED) {
        error.type = "server_error";
        error.code = "capacity_exhausted";

    } else {
        error.type = "rate_limit_error";
        error.code = "budget_exhausted";
    }

    if (ngx_http_modelguard_reject_message(r, ctx, &error.message) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->retry && ngx_http_modelguard_reject_retry(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_modelguard_error_send(r, mglcf, &error);
}


static ngx_int_t
ngx_http_modelguard_reject_retry(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx)
{
    ngx_str_t  value;

    value.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%uL", ctx->retry) - value.data;

    return ngx_http_modelguard_headers_set(r, "Retry-After", &value);
}


static ngx_int_t
ngx_http_modelguard_reject_message(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx, ngx_str_t *message)
{
    u_char  *p;

    message->data = ngx_pnalloc(r->pool, ctx->budget.len
                                         + NGX_HTTP_MODELGUARD_MESSAGE_LEN);
    if (message->data == NULL) {
        return NGX_ERROR;
    }

    p = message->data;

    if (ctx->verdict == NGX_HTTP_MODELGUARD_EXHAUSTED) {
        p = ngx_sprintf(p, "No more clients can be served at the moment. "
                        "Please try again later.");

    } else if (ctx->retry) {
        p = ngx_sprintf(p, "The budget \"%V\" is exhausted. "
                        "Please try again in %uL second%s.", &ctx->budget,
                        ctx->retry, (ctx->retry == 1) ? "" : "s");

    } else {
        p = ngx_sprintf(p, "The request costs more than the budget \"%V\" "
                        "can ever hold.", &ctx->budget);
    }

    message->len = p - message->data;

    return NGX_OK;
}
