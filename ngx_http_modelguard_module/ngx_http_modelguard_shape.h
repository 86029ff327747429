
/*
 * Copyright (C) the modelguard authors
 *
 * The text of an error in one of the shapes of modelguard_error_body.
 */


#ifndef NGX_HTTP_MODELGUARD_SHAPE_H_INCLUDED
#define NGX_HTTP_MODELGUARD_SHAPE_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


#define NGX_HTTP_MODELGUARD_ERROR_OFF        0   /* nginx's own page */
#define NGX_HTTP_MODELGUARD_ERROR_OPENAI     1
#define NGX_HTTP_MODELGUARD_ERROR_PROBLEM    2   /* RFC 9457 */
#define NGX_HTTP_MODELGUARD_ERROR_ANTHROPIC  3
#define NGX_HTTP_MODELGUARD_ERROR_GOOGLE     4
#define NGX_HTTP_MODELGUARD_ERROR_PLAIN      5


typedef struct {
    ngx_uint_t   status;
    const char  *type;       /* "rate_limit_error", "upstream_error", ... */
    const char  *code;       /* "budget_exhausted", ... */
    ngx_str_t    message;    /* escaped by us; a sentence for people */
    ngx_str_t    param;      /* the same; the parameter at fault or empty */
    const char  *problem;    /* a registered type of problem, or NULL */
    ngx_str_t    policies;   /* the budgets at fault, a JSON array, or empty */
} ngx_http_modelguard_error_t;


/* the types of problem that draft-ietf-httpapi-ratelimit-headers registers */

#define NGX_HTTP_MODELGUARD_PROBLEM_QUOTA     "quota-exceeded"
#define NGX_HTTP_MODELGUARD_PROBLEM_CAPACITY  "temporary-reduced-capacity"
#define NGX_HTTP_MODELGUARD_PROBLEM_ABUSE     "abnormal-usage-detected"

/*
 * Sets *type to the content type, a constant, and *body to memory of the
 * pool: one JSON document on one line, and its line feed.  OFF is written as
 * OPENAI.  NGX_OK or NGX_ERROR.
 */

ngx_int_t ngx_http_modelguard_shape(ngx_pool_t *pool, ngx_uint_t shape,
    const ngx_http_modelguard_error_t *error, ngx_str_t *type,
    ngx_str_t *body);

/*
 * What can be said of an error by its status alone, 400 to 599: fills in all
 * of *error.
 */

void ngx_http_modelguard_shape_status(ngx_http_modelguard_error_t *error,
    ngx_uint_t status);


#endif /* NGX_HTTP_MODELGUARD_SHAPE_H_INCLUDED */
