
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_variables.h"
#include "modelguard_budget.h"
#include "ngx_http_modelguard_conf.h"
#include "ngx_http_modelguard_ctx.h"
#include "ngx_http_modelguard_stat.h"
#include "ngx_http_modelguard_zone_variable.h"


#define NGX_HTTP_MODELGUARD_PREFIX_LEN  8    /* bytes of an IPv6 /64 */

#define NGX_HTTP_MODELGUARD_CLIENT_LEN  32   /* hex digits */

#define NGX_HTTP_MODELGUARD_DRY_RUN     "_DRY_RUN"


static ngx_int_t ngx_http_modelguard_variable_verdict(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_modelguard_variable_str(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_modelguard_variable_number(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_modelguard_variable_client(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_modelguard_variable_addr(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_modelguard_variable_meter(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_modelguard_variable_reason(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_modelguard_variable_count(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_modelguard_variable_set(ngx_http_variable_value_t *v,
    u_char *data, size_t len);


static ngx_http_variable_t  ngx_http_modelguard_variables[] = {

    { ngx_string("modelguard_verdict"), NULL,
      ngx_http_modelguard_variable_verdict, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("modelguard_budget"), NULL,
      ngx_http_modelguard_variable_str,
      offsetof(ngx_http_modelguard_ctx_t, budget),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("modelguard_dry_budget"), NULL,
      ngx_http_modelguard_variable_str,
      offsetof(ngx_http_modelguard_ctx_t, dry_budget),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("modelguard_profile"), NULL,
      ngx_http_modelguard_variable_str,
      offsetof(ngx_http_modelguard_ctx_t, profile),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("modelguard_param"), NULL,
      ngx_http_modelguard_variable_str,
      offsetof(ngx_http_modelguard_ctx_t, param),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("modelguard_remaining"), NULL,
      ngx_http_modelguard_variable_number,
      offsetof(ngx_http_modelguard_ctx_t, remaining),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("modelguard_reset"), NULL,
      ngx_http_modelguard_variable_number,
      offsetof(ngx_http_modelguard_ctx_t, reset),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("modelguard_cost"), NULL,
      ngx_http_modelguard_variable_number,
      offsetof(ngx_http_modelguard_ctx_t, cost),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("modelguard_tokens"), NULL,
      ngx_http_modelguard_variable_meter,
      NGX_HTTP_MODELGUARD_UNIT_TOKENS,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("modelguard_bits"), NULL,
      ngx_http_modelguard_variable_meter,
      NGX_HTTP_MODELGUARD_UNIT_BITS,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("modelguard_client"), NULL,
      ngx_http_modelguard_variable_client, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("modelguard_addr"), NULL,
      ngx_http_modelguard_variable_addr, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("modelguard_reason"), NULL,
      ngx_http_modelguard_variable_reason, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("modelguard_count_"), NULL,
      ngx_http_modelguard_variable_count, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("modelguard_zone_"), NULL,
      ngx_http_modelguard_zone_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

      ngx_http_null_variable
};


/* in the order of ngx_http_modelguard_verdict_e */

static ngx_str_t  ngx_http_modelguard_verdicts[] = {
    ngx_null_string,
    ngx_string("PASSED"),
    ngx_string("DELAYED" NGX_HTTP_MODELGUARD_DRY_RUN),
    ngx_string("LIMITED" NGX_HTTP_MODELGUARD_DRY_RUN),
    ngx_string("BANNED" NGX_HTTP_MODELGUARD_DRY_RUN),
    ngx_string("EXHAUSTED" NGX_HTTP_MODELGUARD_DRY_RUN),
    ngx_string("INVALID" NGX_HTTP_MODELGUARD_DRY_RUN),
    ngx_string("FORBIDDEN" NGX_HTTP_MODELGUARD_DRY_RUN)
};


ngx_int_t
ngx_http_modelguard_variables_add(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_modelguard_variables; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_variable_verdict(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    size_t                      len;
    ngx_str_t                  *word;
    ngx_http_modelguard_ctx_t  *ctx;

    ctx = ngx_http_modelguard_ctx_find(r);

    if (ctx == NULL || ctx->verdict == NGX_HTTP_MODELGUARD_NONE) {
        v->not_found = 1;
        return NGX_OK;
    }

    word = &ngx_http_modelguard_verdicts[ctx->verdict];
    len = word->len;

    if (ctx->verdict != NGX_HTTP_MODELGUARD_PASSED && !ctx->dry_run) {
        len -= sizeof(NGX_HTTP_MODELGUARD_DRY_RUN) - 1;
    }

    return ngx_http_modelguard_variable_set(v, word->data, len);
}


static ngx_int_t
ngx_http_modelguard_variable_str(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                  *s;
    ngx_http_modelguard_ctx_t  *ctx;

    ctx = ngx_http_modelguard_ctx_find(r);

    if (ctx == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    s = (ngx_str_t *) ((u_char *) ctx + data);

    if (s->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    return ngx_http_modelguard_variable_set(v, s->data, s->len);
}


static ngx_int_t
ngx_http_modelguard_variable_number(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                     *p;
    uint64_t                    n;
    ngx_http_modelguard_ctx_t  *ctx;

    ctx = ngx_http_modelguard_ctx_find(r);

    if (ctx == NULL || ctx->budget.len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    n = *(uint64_t *) ((u_char *) ctx + data);

    /* what is spent of a lifetime never comes back */

    if (n == MODELGUARD_BUDGET_NEVER) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_modelguard_variable_set(v, p,
                                            ngx_sprintf(p, "%uL", n) - p);
}


/* what has been metered so far; nothing if it is not, or cannot be */

static ngx_int_t
ngx_http_modelguard_variable_meter(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                     *p;
    uint64_t                    n;
    ngx_http_modelguard_ctx_t  *ctx;

    ctx = ngx_http_modelguard_ctx_find(r);

    if (ctx == NULL || ctx->metered == NULL
        || (data == NGX_HTTP_MODELGUARD_UNIT_TOKENS && !ctx->meter.usage)
        || (data == NGX_HTTP_MODELGUARD_UNIT_BITS && !ctx->metered->values))
    {
        v->not_found = 1;
        return NGX_OK;
    }

    n = (data == NGX_HTTP_MODELGUARD_UNIT_TOKENS)
        ? modelguard_meter_tokens(&ctx->meter)
        : modelguard_meter_bits(&ctx->meter);

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_modelguard_variable_set(v, p,
                                            ngx_sprintf(p, "%uL", n) - p);
}


static ngx_int_t
ngx_http_modelguard_variable_client(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                     *p;
    ngx_http_modelguard_ctx_t  *ctx;

    ctx = ngx_http_modelguard_ctx_find(r);

    if (ctx == NULL || !ctx->has_client) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_HTTP_MODELGUARD_CLIENT_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    /* the first half is what log lines show */

    ngx_sprintf(p, "%016xL%016xL", ctx->client.low, ctx->client.high);

    return ngx_http_modelguard_variable_set(v, p,
                                            NGX_HTTP_MODELGUARD_CLIENT_LEN);
}


static ngx_int_t
ngx_http_modelguard_variable_addr(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    size_t   len;
    u_char  *p;
    u_char   addr[NGX_HTTP_MODELGUARD_ADDR_MAX];

    ngx_memzero(addr, NGX_HTTP_MODELGUARD_ADDR_MAX);

    len = ngx_http_modelguard_addr(r, addr);

    p = ngx_pnalloc(r->pool, NGX_SOCKADDR_STRLEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    switch (len) {

    case 4:
        len = ngx_sprintf(p, "%ud.%ud.%ud.%ud",
                          addr[0], addr[1], addr[2], addr[3])
              - p;
        break;

#if (NGX_HAVE_INET6)

    case NGX_HTTP_MODELGUARD_PREFIX_LEN:
        len = ngx_inet6_ntop(addr, p, NGX_SOCKADDR_STRLEN);
        len = ngx_cpymem(p + len, "/64", 3) - p;
        break;

#endif

    default:
        len = ngx_cpymem(p, "unix:", 5) - p;
    }

    return ngx_http_modelguard_variable_set(v, p, len);
}


static ngx_int_t
ngx_http_modelguard_variable_reason(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    const char                 *word;
    ngx_http_modelguard_ctx_t  *ctx;

    ctx = ngx_http_modelguard_ctx_find(r);

    if (ctx == NULL || ctx->reason == NGX_HTTP_MODELGUARD_REASON_NONE) {
        v->not_found = 1;
        return NGX_OK;
    }

    word = ngx_http_modelguard_reason_word(ctx->reason);

    return ngx_http_modelguard_variable_set(v, (u_char *) word,
                                            ngx_strlen(word));
}


static ngx_int_t
ngx_http_modelguard_variable_count(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *name = (ngx_str_t *) data;

    u_char             *p;
    ngx_str_t           word;
    ngx_atomic_uint_t   count;

    word.len = name->len - (sizeof("modelguard_count_") - 1);
    word.data = name->data + sizeof("modelguard_count_") - 1;

    if (ngx_http_modelguard_stat_find(r, &word, &count) != NGX_OK) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_ATOMIC_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_modelguard_variable_set(v, p,
                                            ngx_sprintf(p, "%uA", count) - p);
}


static ngx_int_t
ngx_http_modelguard_variable_set(ngx_http_variable_value_t *v, u_char *data,
    size_t len)
{
    v->len = len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
    v->data = data;

    return NGX_OK;
}


size_t
ngx_http_modelguard_addr(ngx_http_request_t *r, u_char *out)
{
    struct sockaddr      *sa;
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    u_char               *p;
    struct sockaddr_in6  *sin6;
#endif

    sa = r->connection->sockaddr;

    switch (sa->sa_family) {

#if (NGX_HAVE_INET6)

    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;
        p = sin6->sin6_addr.s6_addr;

        if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
            ngx_memcpy(out, p + 12, 4);
            return 4;
        }

        /* a customer is given a /64 at least, so one address is nobody */

        ngx_memcpy(out, p, NGX_HTTP_MODELGUARD_PREFIX_LEN);
        return NGX_HTTP_MODELGUARD_PREFIX_LEN;

#endif

    case AF_INET:
        sin = (struct sockaddr_in *) sa;
        ngx_memcpy(out, &sin->sin_addr, 4);
        return 4;

    default: /* AF_UNIX */
        out[0] = 'u';
        return 1;
    }
}
