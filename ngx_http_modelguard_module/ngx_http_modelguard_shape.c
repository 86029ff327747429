
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_shape.h"


#define NGX_HTTP_MODELGUARD_OPENAI                                            \
    "{\"error\":{\"message\":\"%V\",\"type\":\"%s\",\"param\":%V,"            \
    "\"code\":\"%s\"}}\n"

#define NGX_HTTP_MODELGUARD_PROBLEM                                           \
    "{\"type\":\"%s%s\",\"title\":\"%s\",\"status\":%ui,"                     \
    "\"detail\":\"%V\",\"code\":\"%s\"%V%s%V}\n"

#define NGX_HTTP_MODELGUARD_PROBLEM_TYPES                                     \
    "https://iana.org/assignments/http-problem-types#"

#define NGX_HTTP_MODELGUARD_PROBLEM_POLICIES  ",\"violated-policies\":"

#define NGX_HTTP_MODELGUARD_ANTHROPIC                                         \
    "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":\"%V\"}}\n"

#define NGX_HTTP_MODELGUARD_GOOGLE                                            \
    "{\"error\":{\"code\":%ui,\"message\":\"%V\",\"status\":\"%s\"%V}}\n"

#define NGX_HTTP_MODELGUARD_GOOGLE_QUOTA                                      \
    ",\"details\":[{\"@type\":"                                               \
    "\"type.googleapis.com/google.rpc.QuotaFailure\","                        \
    "\"violations\":[{\"description\":\"%V\"}]}]"

#define NGX_HTTP_MODELGUARD_PLAIN                                             \
    "{\"error\":\"%V\"}\n"


/* longer than any of the above without its message, and their words */

#define NGX_HTTP_MODELGUARD_SHAPE_LEN  (384 + NGX_INT_T_LEN)


#define NGX_HTTP_MODELGUARD_LIMITED                                           \
    "The model has too many requests. Please try again later."
#define NGX_HTTP_MODELGUARD_REFUSED                                           \
    "The model refused the request."
#define NGX_HTTP_MODELGUARD_FAILED                                            \
    "The model failed to answer the request."
#define NGX_HTTP_MODELGUARD_UNAVAILABLE                                       \
    "The model is not available. Please try again later."


/*
 * What each shape calls a status.  RFC 9457 wants the status's own phrase as
 * the title of "about:blank"; Google's are the names of google.rpc.Code.
 */

typedef struct {
    ngx_uint_t   status;
    const char  *title;
    const char  *openai;
    const char  *anthropic;
    const char  *google;
    const char  *code;
    ngx_str_t    message;
} ngx_http_modelguard_shape_t;


static const ngx_http_modelguard_shape_t *ngx_http_modelguard_shape_find(
    ngx_uint_t status);
static ngx_int_t ngx_http_modelguard_shape_escape(ngx_pool_t *pool,
    const ngx_str_t *text, ngx_str_t *escaped);
static ngx_int_t ngx_http_modelguard_shape_param(ngx_pool_t *pool,
    ngx_uint_t shape, const ngx_http_modelguard_error_t *error,
    ngx_str_t *param);
static ngx_int_t ngx_http_modelguard_shape_details(ngx_pool_t *pool,
    ngx_uint_t shape, const ngx_http_modelguard_error_t *error,
    const ngx_str_t *message, ngx_str_t *details);
static const char *ngx_http_modelguard_shape_title(
    const ngx_http_modelguard_error_t *error);
static const char *ngx_http_modelguard_shape_anthropic(
    const ngx_http_modelguard_error_t *error);
static const char *ngx_http_modelguard_shape_google(
    const ngx_http_modelguard_error_t *error);
static ngx_uint_t ngx_http_modelguard_shape_is(const char *type,
    const char *name);


static const ngx_http_modelguard_shape_t  ngx_http_modelguard_shapes[] = {

    { 400, "Bad Request", "invalid_request_error", "invalid_request_error",
      "INVALID_ARGUMENT", "request_refused",
      ngx_string(NGX_HTTP_MODELGUARD_REFUSED) },

    { 401, "Unauthorized", "authentication_error", "authentication_error",
      "UNAUTHENTICATED", "not_authenticated",
      ngx_string("The request is not authenticated.") },

    { 402, "Payment Required", "invalid_request_error", "billing_error",
      "FAILED_PRECONDITION", "request_refused",
      ngx_string(NGX_HTTP_MODELGUARD_REFUSED) },

    { 403, "Forbidden", "permission_error", "permission_error",
      "PERMISSION_DENIED", "not_permitted",
      ngx_string("The request is not permitted.") },

    { 404, "Not Found", "invalid_request_error", "not_found_error",
      "NOT_FOUND", "not_found",
      ngx_string("There is no such model or resource.") },

    { 405, "Method Not Allowed", "invalid_request_error",
      "invalid_request_error", "UNIMPLEMENTED", "request_refused",
      ngx_string(NGX_HTTP_MODELGUARD_REFUSED) },

    { 408, "Request Timeout", "invalid_request_error",
      "invalid_request_error", "DEADLINE_EXCEEDED", "request_timeout",
      ngx_string("The request came too slowly.") },

    { 409, "Conflict", "invalid_request_error", "invalid_request_error",
      "ABORTED", "request_refused",
      ngx_string(NGX_HTTP_MODELGUARD_REFUSED) },

    { 413, "Content Too Large", "invalid_request_error",
      "request_too_large", "INVALID_ARGUMENT", "request_too_large",
      ngx_string("The request is too large.") },

    { 415, "Unsupported Media Type", "invalid_request_error",
      "invalid_request_error", "INVALID_ARGUMENT", "request_refused",
      ngx_string(NGX_HTTP_MODELGUARD_REFUSED) },

    { 422, "Unprocessable Content", "invalid_request_error",
      "invalid_request_error", "INVALID_ARGUMENT", "request_refused",
      ngx_string(NGX_HTTP_MODELGUARD_REFUSED) },

    { 429, "Too Many Requests", "rate_limit_error", "rate_limit_error",
      "RESOURCE_EXHAUSTED", "rate_limited",
      ngx_string(NGX_HTTP_MODELGUARD_LIMITED) },

    { 500, "Internal Server Error", "server_error", "api_error", "INTERNAL",
      "model_failed", ngx_string(NGX_HTTP_MODELGUARD_FAILED) },

    { 501, "Not Implemented", "server_error", "api_error", "UNIMPLEMENTED",
      "model_failed", ngx_string(NGX_HTTP_MODELGUARD_FAILED) },

    { 502, "Bad Gateway", "server_error", "api_error", "UNAVAILABLE",
      "model_unavailable", ngx_string(NGX_HTTP_MODELGUARD_UNAVAILABLE) },

    { 503, "Service Unavailable", "server_error", "overloaded_error",
      "UNAVAILABLE", "model_unavailable",
      ngx_string(NGX_HTTP_MODELGUARD_UNAVAILABLE) },

    { 504, "Gateway Timeout", "server_error", "timeout_error",
      "DEADLINE_EXCEEDED", "model_timeout",
      ngx_string("The model did not answer in time.") },

    { 529, "Request Failed", "server_error", "overloaded_error",
      "UNAVAILABLE", "model_unavailable",
      ngx_string(NGX_HTTP_MODELGUARD_UNAVAILABLE) },

    /* the rest of 4xx, and that of 5xx */

    { 499, "Request Refused", "invalid_request_error",
      "invalid_request_error", "FAILED_PRECONDITION", "request_refused",
      ngx_string(NGX_HTTP_MODELGUARD_REFUSED) },

    { 599, "Request Failed", "server_error", "api_error", "INTERNAL",
      "model_failed", ngx_string(NGX_HTTP_MODELGUARD_FAILED) }
};


ngx_int_t
ngx_http_modelguard_shape(ngx_pool_t *pool, ngx_uint_t shape,
    const ngx_http_modelguard_error_t *error, ngx_str_t *type, ngx_str_t *body)
{
    u_char     *p;
    ngx_str_t   message, param, details;

    if (ngx_http_modelguard_shape_escape(pool, &error->message, &message)
        != NGX_OK
        || ngx_http_modelguard_shape_param(pool, shape, error, &param)
           != NGX_OK
        || ngx_http_modelguard_shape_details(pool, shape, error, &message,
                                             &details)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(pool, NGX_HTTP_MODELGUARD_SHAPE_LEN + message.len
                          + param.len + details.len + error->policies.len
                          + ngx_strlen(error->type)
                          + ngx_strlen(error->code));
    if (p == NULL) {
        return NGX_ERROR;
    }

    body->data = p;
    ngx_str_set(type, "application/json");

    switch (shape) {

    case NGX_HTTP_MODELGUARD_ERROR_PROBLEM:
        ngx_str_set(type, "application/problem+json");

        p = ngx_sprintf(p, NGX_HTTP_MODELGUARD_PROBLEM,
                        error->problem ? NGX_HTTP_MODELGUARD_PROBLEM_TYPES
                                       : "about:blank",
                        error->problem ? error->problem : "",
                        ngx_http_modelguard_shape_title(error), error->status,
                        &message, error->code, &param,
                        error->policies.len
                        ? NGX_HTTP_MODELGUARD_PROBLEM_POLICIES : "",
                        &error->policies);
        break;

    case NGX_HTTP_MODELGUARD_ERROR_ANTHROPIC:
        p = ngx_sprintf(p, NGX_HTTP_MODELGUARD_ANTHROPIC,
                        ngx_http_modelguard_shape_anthropic(error), &message);
        break;

    case NGX_HTTP_MODELGUARD_ERROR_GOOGLE:
        p = ngx_sprintf(p, NGX_HTTP_MODELGUARD_GOOGLE, error->status,
                        &message, ngx_http_modelguard_shape_google(error),
                        &details);
        break;

    case NGX_HTTP_MODELGUARD_ERROR_PLAIN:
        p = ngx_sprintf(p, NGX_HTTP_MODELGUARD_PLAIN, &message);
        break;

    default: /* NGX_HTTP_MODELGUARD_ERROR_OPENAI */
        p = ngx_sprintf(p, NGX_HTTP_MODELGUARD_OPENAI, &message, error->type,
                        &param, error->code);
    }

    body->len = p - body->data;

    return NGX_OK;
}


void
ngx_http_modelguard_shape_status(ngx_http_modelguard_error_t *error,
    ngx_uint_t status)
{
    const ngx_http_modelguard_shape_t  *shape;

    shape = ngx_http_modelguard_shape_find(status);

    error->status = status;
    error->type = shape->openai;
    error->code = shape->code;
    error->message = shape->message;

    ngx_str_null(&error->param);
    ngx_str_null(&error->policies);
    error->problem = NULL;
}


static const ngx_http_modelguard_shape_t *
ngx_http_modelguard_shape_find(ngx_uint_t status)
{
    ngx_uint_t                          rest;
    const ngx_http_modelguard_shape_t  *shape;

    rest = (status < NGX_HTTP_INTERNAL_SERVER_ERROR) ? 499 : 599;

    for (shape = ngx_http_modelguard_shapes; /* void */ ; shape++) {
        if (shape->status == status || shape->status == rest) {
            return shape;
        }
    }
}


static ngx_int_t
ngx_http_modelguard_shape_escape(ngx_pool_t *pool, const ngx_str_t *text,
    ngx_str_t *escaped)
{
    escaped->len = text->len + ngx_escape_json(NULL, text->data, text->len);

    escaped->data = ngx_pnalloc(pool, escaped->len);
    if (escaped->data == NULL) {
        return NGX_ERROR;
    }

    ngx_escape_json(escaped->data, text->data, text->len);

    return NGX_OK;
}


/* the value of a member, or in a problem, which has none, a member */

static ngx_int_t
ngx_http_modelguard_shape_param(ngx_pool_t *pool, ngx_uint_t shape,
    const ngx_http_modelguard_error_t *error, ngx_str_t *param)
{
    ngx_str_t    escaped;
    ngx_uint_t   problem;

    problem = (shape == NGX_HTTP_MODELGUARD_ERROR_PROBLEM);

    if (error->param.len == 0) {
        ngx_str_set(param, "null");
        param->len = problem ? 0 : param->len;
        return NGX_OK;
    }

    if (ngx_http_modelguard_shape_escape(pool, &error->param, &escaped)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    param->data = ngx_pnalloc(pool, escaped.len + sizeof(",\"param\":\"\""));
    if (param->data == NULL) {
        return NGX_ERROR;
    }

    param->len = ngx_sprintf(param->data, "%s\"%V\"",
                             problem ? ",\"param\":" : "", &escaped)
                 - param->data;

    return NGX_OK;
}


/* Google tells a quota from a rate by the details only */

static ngx_int_t
ngx_http_modelguard_shape_details(ngx_pool_t *pool, ngx_uint_t shape,
    const ngx_http_modelguard_error_t *error, const ngx_str_t *message,
    ngx_str_t *details)
{
    ngx_str_null(details);

    if (shape != NGX_HTTP_MODELGUARD_ERROR_GOOGLE
        || !ngx_http_modelguard_shape_is(error->code, "insufficient_quota"))
    {
        return NGX_OK;
    }

    details->data = ngx_pnalloc(pool, message->len
                                + sizeof(NGX_HTTP_MODELGUARD_GOOGLE_QUOTA));
    if (details->data == NULL) {
        return NGX_ERROR;
    }

    details->len = ngx_sprintf(details->data, NGX_HTTP_MODELGUARD_GOOGLE_QUOTA,
                               message)
                   - details->data;

    return NGX_OK;
}


/* of a registered type it is that of the registry */

static const char *
ngx_http_modelguard_shape_title(const ngx_http_modelguard_error_t *error)
{
    if (error->problem == NULL) {
        return ngx_http_modelguard_shape_find(error->status)->title;
    }

    if (ngx_http_modelguard_shape_is(error->problem,
                                     NGX_HTTP_MODELGUARD_PROBLEM_QUOTA))
    {
        return "Request cannot be satisfied as assigned quota has been "
               "exceeded";
    }

    if (ngx_http_modelguard_shape_is(error->problem,
                                     NGX_HTTP_MODELGUARD_PROBLEM_ABUSE))
    {
        return "Request cannot be satisfied due to abnormal usage";
    }

    return "Request cannot be satisfied due to temporary server capacity "
           "constraints";
}


/* modelguard_reject_status may give a budget's refusal any status */

static const char *
ngx_http_modelguard_shape_anthropic(const ngx_http_modelguard_error_t *error)
{
    if (ngx_http_modelguard_shape_is(error->type, "rate_limit_error")
        || ngx_http_modelguard_shape_is(error->type, "insufficient_quota"))
    {
        return "rate_limit_error";
    }

    if (ngx_http_modelguard_shape_is(error->code, "capacity_exhausted")) {
        return "overloaded_error";
    }

    return ngx_http_modelguard_shape_find(error->status)->anthropic;
}


static const char *
ngx_http_modelguard_shape_google(const ngx_http_modelguard_error_t *error)
{
    if (ngx_http_modelguard_shape_is(error->type, "rate_limit_error")
        || ngx_http_modelguard_shape_is(error->type, "insufficient_quota"))
    {
        return "RESOURCE_EXHAUSTED";
    }

    if (ngx_http_modelguard_shape_is(error->code, "capacity_exhausted")) {
        return "UNAVAILABLE";
    }

    return ngx_http_modelguard_shape_find(error->status)->google;
}


static ngx_uint_t
ngx_http_modelguard_shape_is(const char *type, const char *name)
{
    return ngx_strcmp(type, name) == 0;
}
