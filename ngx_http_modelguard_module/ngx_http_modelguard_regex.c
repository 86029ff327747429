
/*
 * Copyright (C) the modelguard authors
 */


#ifndef PCRE2_CODE_UNIT_WIDTH
#define PCRE2_CODE_UNIT_WIDTH  8
#endif

#include <pcre2.h>

#include "ngx_http_modelguard_regex.h"


/* what one match may cost, whatever the pattern and the name */

#define NGX_HTTP_MODELGUARD_REGEX_MATCHES  10000
#define NGX_HTTP_MODELGUARD_REGEX_DEPTH    1000
#define NGX_HTTP_MODELGUARD_REGEX_HEAP     1024     /* kibibytes */
#define NGX_HTTP_MODELGUARD_REGEX_NAME     255      /* bytes */

#define NGX_HTTP_MODELGUARD_REGEX_ERROR    256

/*
 * Names are bytes, and UTF-8 in patterns is matched as bytes; a pattern may
 * not switch that with "(*UTF)".  Nothing is captured.
 */

#define NGX_HTTP_MODELGUARD_REGEX_OPTIONS                                     \
    (PCRE2_NO_AUTO_CAPTURE|PCRE2_NEVER_UTF|PCRE2_NEVER_UCP)


/*
 * The match data is working memory that is shared by all requests: a worker
 * is one thread, and a match never yields.
 */

typedef struct {
    pcre2_code           *code;
    pcre2_match_context  *context;
    pcre2_match_data     *match;
} ngx_http_modelguard_regex_t;


static ngx_int_t ngx_http_modelguard_regex_limit(
    ngx_http_modelguard_regex_t *re);
static ngx_int_t ngx_http_modelguard_regex_error(ngx_pool_t *pool,
    ngx_str_t *error, int code, size_t at);
static void ngx_http_modelguard_regex_cleanup(void *data);


void *
ngx_http_modelguard_regex_compile(ngx_pool_t *pool, ngx_str_t *pattern,
    ngx_str_t *error)
{
    int                           code;
    size_t                        at;
    ngx_pool_cleanup_t           *cln;
    ngx_http_modelguard_regex_t  *re;

    ngx_str_set(error, "not enough memory");

    cln = ngx_pool_cleanup_add(pool, sizeof(ngx_http_modelguard_regex_t));
    if (cln == NULL) {
        return NULL;
    }

    re = cln->data;

    ngx_memzero(re, sizeof(ngx_http_modelguard_regex_t));

    cln->handler = ngx_http_modelguard_regex_cleanup;

    re->code = pcre2_compile(pattern->data, pattern->len,
                             NGX_HTTP_MODELGUARD_REGEX_OPTIONS, &code, &at,
                             NULL);
    if (re->code == NULL) {
        (void) ngx_http_modelguard_regex_error(pool, error, code, at);
        return NULL;
    }

    if (ngx_http_modelguard_regex_limit(re) != NGX_OK) {
        return NULL;
    }

    return re;
}


static ngx_int_t
ngx_http_modelguard_regex_limit(ngx_http_modelguard_regex_t *re)
{
    re->context = pcre2_match_context_create(NULL);
    re->match = pcre2_match_data_create(1, NULL);

    if (re->context == NULL || re->match == NULL) {
        return NGX_ERROR;
    }

    (void) pcre2_set_match_limit(re->context,
                                 NGX_HTTP_MODELGUARD_REGEX_MATCHES);
    (void) pcre2_set_depth_limit(re->context,
                                 NGX_HTTP_MODELGUARD_REGEX_DEPTH);
    (void) pcre2_set_heap_limit(re->context,
                                NGX_HTTP_MODELGUARD_REGEX_HEAP);

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_regex_error(ngx_pool_t *pool, ngx_str_t *error, int code,
    size_t at)
{
    u_char  *p, message[NGX_HTTP_MODELGUARD_REGEX_ERROR];

    if (pcre2_get_error_message(code, message, sizeof(message)) < 0) {
        ngx_memcpy(message, "unknown error", sizeof("unknown error"));
    }

    p = ngx_pnalloc(pool, ngx_strlen(message) + sizeof(" in the pattern at ")
                          + NGX_SIZE_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    error->data = p;
    error->len = ngx_sprintf(p, "%s in the pattern at %uz", message, at) - p;

    return NGX_OK;
}


int
ngx_http_modelguard_regex_match(const void *regex, const uint8_t *name,
    size_t len)
{
    int                                 rc;
    const ngx_http_modelguard_regex_t  *re = regex;

    if (len > NGX_HTTP_MODELGUARD_REGEX_NAME) {
        return -1;
    }

    rc = pcre2_match(re->code, name, len, 0, 0, re->match, re->context);

    if (rc == PCRE2_ERROR_NOMATCH) {
        return 0;
    }

    /* rc == 0: more groups than room for them, which nobody reads */

    return (rc >= 0) ? 1 : -1;
}


static void
ngx_http_modelguard_regex_cleanup(void *data)
{
    ngx_http_modelguard_regex_t *re = data;

    pcre2_match_data_free(re->match);
    pcre2_match_context_free(re->context);
    pcre2_code_free(re->code);
}
