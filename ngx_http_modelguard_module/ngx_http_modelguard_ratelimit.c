
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_ratelimit.h"
#include "ngx_http_modelguard_bill.h"
#include "ngx_http_modelguard_headers.h"
#include "ngx_http_modelguard_quota.h"


#define NGX_HTTP_MODELGUARD_RATELIMIT_FAMILIES                                \
    (NGX_HTTP_MODELGUARD_HEADERS_IETF                                         \
     |NGX_HTTP_MODELGUARD_HEADERS_LEGACY                                      \
     |NGX_HTTP_MODELGUARD_HEADERS_OPENAI)

/* an item of a list without its name, and the longest duration */

#define NGX_HTTP_MODELGUARD_RATELIMIT_ITEM      128
#define NGX_HTTP_MODELGUARD_RATELIMIT_DURATION  (NGX_INT64_LEN + 16)


/* what is told of one budget */

typedef struct {
    const ngx_http_modelguard_budget_conf_t  *conf;
    uint64_t                                  limit;
    uint64_t                                  remaining;
    uint64_t                                  reset;     /* ms, or NEVER */
    unsigned                                  refused:1;
} ngx_http_modelguard_ratelimit_t;


static ngx_int_t ngx_http_modelguard_ratelimit_retry(ngx_http_request_t *r,
    const ngx_http_modelguard_ctx_t *ctx);
static ngx_uint_t ngx_http_modelguard_ratelimit_lines(
    const ngx_http_modelguard_ctx_t *ctx,
    ngx_http_modelguard_ratelimit_t *lines);
static void ngx_http_modelguard_ratelimit_line(
    const ngx_http_modelguard_ctx_t *ctx, ngx_uint_t i,
    ngx_http_modelguard_ratelimit_t *line);
static void ngx_http_modelguard_ratelimit_clear(ngx_http_request_t *r);
static ngx_int_t ngx_http_modelguard_ratelimit_ietf(ngx_http_request_t *r,
    const ngx_http_modelguard_ratelimit_t *lines, ngx_uint_t n);
static u_char *ngx_http_modelguard_ratelimit_name(u_char *p,
    const ngx_str_t *name);
static u_char *ngx_http_modelguard_ratelimit_policy(u_char *p,
    const ngx_http_modelguard_budget_conf_t *conf);
static ngx_int_t ngx_http_modelguard_ratelimit_legacy(ngx_http_request_t *r,
    const ngx_http_modelguard_ratelimit_t *line);
static ngx_int_t ngx_http_modelguard_ratelimit_openai(ngx_http_request_t *r,
    const ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_ratelimit_t *lines, ngx_uint_t n);
static ngx_int_t ngx_http_modelguard_ratelimit_number(ngx_http_request_t *r,
    const char *name, uint64_t number);
static ngx_int_t ngx_http_modelguard_ratelimit_duration(ngx_http_request_t *r,
    const char *name, uint64_t ms);
static const ngx_http_modelguard_ratelimit_t *
    ngx_http_modelguard_ratelimit_tightest(
    const ngx_http_modelguard_ratelimit_t *lines, ngx_uint_t n,
    ngx_uint_t units);


typedef struct {
    ngx_str_t    word;
    ngx_uint_t   bit;
} ngx_http_modelguard_ratelimit_word_t;


static ngx_http_modelguard_ratelimit_word_t
    ngx_http_modelguard_ratelimit_words[] = {
    { ngx_string("off"), NGX_HTTP_MODELGUARD_HEADERS_OFF },
    { ngx_string("retry"), NGX_HTTP_MODELGUARD_HEADERS_RETRY },
    { ngx_string("ietf"), NGX_HTTP_MODELGUARD_HEADERS_IETF },
    { ngx_string("legacy"), NGX_HTTP_MODELGUARD_HEADERS_LEGACY },
    { ngx_string("openai"), NGX_HTTP_MODELGUARD_HEADERS_OPENAI },
    { ngx_null_string, 0 }
};


char *
ngx_http_modelguard_ratelimit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_modelguard_loc_conf_t *mglcf = conf;

    ngx_str_t                             *value;
    ngx_uint_t                             i, headers;
    ngx_http_modelguard_ratelimit_word_t  *word;

    if (mglcf->headers != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    headers = 0;

    for (i = 1; i < cf->args->nelts; i++) {

        for (word = ngx_http_modelguard_ratelimit_words;
             word->word.len;
             word++)
        {
            if (ngx_strcmp(value[i].data, word->word.data) == 0) {
                break;
            }
        }

        if (word->word.len == 0
            || (!(word->bit & NGX_HTTP_MODELGUARD_RATELIMIT_FAMILIES)
                && cf->args->nelts > 2))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        if (headers & word->bit) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate parameter \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        headers |= word->bit;
    }

    if (headers) {
        headers |= NGX_HTTP_MODELGUARD_HEADERS_RETRY;
    }

    mglcf->headers = headers;
    mglcf->headers_file = cf->conf_file->file.name.data;
    mglcf->headers_line = cf->conf_file->line;

    return NGX_CONF_OK;
}


char *
ngx_http_modelguard_ratelimit_merge(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *prev,
    ngx_http_modelguard_loc_conf_t *conf)
{
    size_t                              j;
    ngx_uint_t                          i;
    ngx_http_modelguard_budget_conf_t  *budget;

    if (conf->headers == NGX_CONF_UNSET_UINT) {
        conf->headers_file = prev->headers_file;
        conf->headers_line = prev->headers_line;
    }

    ngx_conf_merge_uint_value(conf->headers, prev->headers,
                              NGX_HTTP_MODELGUARD_HEADERS_RETRY);

    if (conf->budgets == NULL || conf->budgets->nelts == 0) {
        return NGX_CONF_OK;
    }

    conf->ratelimit = (conf->headers != NGX_HTTP_MODELGUARD_HEADERS_OFF);

    if (!(conf->headers & NGX_HTTP_MODELGUARD_HEADERS_IETF)) {
        return NGX_CONF_OK;
    }

    /* a String of Structured Fields has no other characters, nor escapes */

    budget = conf->budgets->elts;

    for (i = 0; i < conf->budgets->nelts; i++) {

        for (j = 0; j < budget[i].name.len; j++) {

            if (budget[i].name.data[j] >= 0x20
                && budget[i].name.data[j] < 0x7f)
            {
                continue;
            }

            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "the name of modelguard budget \"%V\" cannot be "
                          "sent by \"modelguard_headers ietf\" in %s:%ui, "
                          "printable ASCII characters can", &budget[i].name,
                          conf->headers_file, conf->headers_line);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_modelguard_ratelimit_send(ngx_http_request_t *r,
    const ngx_http_modelguard_ctx_t *ctx)
{
    ngx_uint_t                              n;
    const ngx_http_modelguard_loc_conf_t   *mglcf;
    const ngx_http_modelguard_ratelimit_t  *line;
    ngx_http_modelguard_ratelimit_t         lines[MODELGUARD_TABLE_BUDGETS];

    if (ctx->bill == NULL) {
        return NGX_OK;
    }

    mglcf = ctx->bill->conf;

    if (mglcf->headers == NGX_HTTP_MODELGUARD_HEADERS_OFF || mglcf->dry_run) {
        return NGX_OK;
    }

    if (ngx_http_modelguard_ratelimit_retry(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!(mglcf->headers & NGX_HTTP_MODELGUARD_RATELIMIT_FAMILIES)) {
        return NGX_OK;
    }

    n = ngx_http_modelguard_ratelimit_lines(ctx, lines);

    if (n == 0) {
        return NGX_OK;
    }

    ngx_http_modelguard_ratelimit_clear(r);

    if ((mglcf->headers & NGX_HTTP_MODELGUARD_HEADERS_IETF)
        && ngx_http_modelguard_ratelimit_ietf(r, lines, n) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (mglcf->headers & NGX_HTTP_MODELGUARD_HEADERS_LEGACY) {
        line = ngx_http_modelguard_ratelimit_tightest(lines, n,
                                                      (ngx_uint_t) -1);

        if (ngx_http_modelguard_ratelimit_legacy(r, line) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (mglcf->headers & NGX_HTTP_MODELGUARD_HEADERS_OPENAI) {
        return ngx_http_modelguard_ratelimit_openai(r, ctx, lines, n);
    }

    return NGX_OK;
}


/* a success needs no Retry-After: the other model's, for who was refused */

static ngx_int_t
ngx_http_modelguard_ratelimit_retry(ngx_http_request_t *r,
    const ngx_http_modelguard_ctx_t *ctx)
{
    if (ctx->verdict != NGX_HTTP_MODELGUARD_LIMITED
        && ctx->verdict != NGX_HTTP_MODELGUARD_BANNED)
    {
        return NGX_OK;
    }

    ngx_http_modelguard_headers_remove(r, "retry-after");

    if (ctx->retry == 0
        || r->headers_out.status < NGX_HTTP_SPECIAL_RESPONSE)
    {
        return NGX_OK;
    }

    return ngx_http_modelguard_ratelimit_number(r, "Retry-After", ctx->retry);
}


static ngx_uint_t
ngx_http_modelguard_ratelimit_lines(const ngx_http_modelguard_ctx_t *ctx,
    ngx_http_modelguard_ratelimit_t *lines)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < ctx->bill->nlines; i++) {

        /* what does not refuse is the operator's business only */

        if (ctx->bill->lines[i].conf->dry_run) {
            continue;
        }

        ngx_http_modelguard_ratelimit_line(ctx, i, &lines[n++]);
    }

    return n;
}


/*
 * The burst is not told: who paces requests by the limit never meets it, and
 * what remains is then never more than the limit.
 */

static void
ngx_http_modelguard_ratelimit_line(const ngx_http_modelguard_ctx_t *ctx,
    ngx_uint_t i, ngx_http_modelguard_ratelimit_t *line)
{
    const ngx_http_modelguard_bill_t       *bill;
    const ngx_http_modelguard_bill_line_t  *from;

    bill = ctx->bill;
    from = &bill->lines[i];

    line->conf = from->conf;
    line->limit = from->charge->budget->limit;
    line->remaining = ngx_min(from->charge->remaining, line->limit);
    line->reset = from->charge->reset;
    line->refused = from->charge->refused;

    if (ctx->verdict == NGX_HTTP_MODELGUARD_BANNED
        && from->zone == bill->lines[bill->which].zone)
    {
        line->remaining = 0;
        line->reset = ctx->retry ? ctx->retry * 1000
                                 : MODELGUARD_BUDGET_NEVER;
        line->refused = 1;
        return;
    }

    /* Retry-After is not earlier than the end of the window that is told */

    if (from->charge->refused
        && from->charge->wait != MODELGUARD_BUDGET_NEVER)
    {
        line->reset = from->charge->wait;
    }

    if (line->remaining == 0 && line->reset == 0) {
        line->reset = 1;
    }
}


static void
ngx_http_modelguard_ratelimit_clear(ngx_http_request_t *r)
{
    ngx_str_t         *key;
    ngx_uint_t         i;
    ngx_list_part_t   *part;
    ngx_table_elt_t   *header;

    static ngx_str_t   vendor = ngx_string("x-ratelimit-");
    static ngx_str_t   ietf = ngx_string("ratelimit");

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {
            key = &header[i].key;

            if ((key->len >= vendor.len
                 && ngx_strncasecmp(key->data, vendor.data, vendor.len) == 0)
                || (key->len >= ietf.len
                    && ngx_strncasecmp(key->data, ietf.data, ietf.len) == 0
                    && (key->len == ietf.len || key->data[ietf.len] == '-')))
            {
                header[i].hash = 0;
            }
        }
    }
}


static ngx_int_t
ngx_http_modelguard_ratelimit_ietf(ngx_http_request_t *r,
    const ngx_http_modelguard_ratelimit_t *lines, ngx_uint_t n)
{
    u_char      *p, *q;
    size_t       len;
    ngx_str_t    policy, limit;
    ngx_uint_t   i;

    len = 0;

    for (i = 0; i < n; i++) {
        len += lines[i].conf->name.len * 2
               + NGX_HTTP_MODELGUARD_RATELIMIT_ITEM;
    }

    policy.data = ngx_pnalloc(r->pool, len * 2);
    if (policy.data == NULL) {
        return NGX_ERROR;
    }

    limit.data = policy.data + len;

    p = policy.data;
    q = limit.data;

    for (i = 0; i < n; i++) {

        if (i) {
            p = ngx_cpymem(p, ", ", 2);
            q = ngx_cpymem(q, ", ", 2);
        }

        p = ngx_http_modelguard_ratelimit_name(p, &lines[i].conf->name);
        p = ngx_sprintf(p, ";q=%uL", lines[i].limit);
        p = ngx_http_modelguard_ratelimit_policy(p, lines[i].conf);

        q = ngx_http_modelguard_ratelimit_name(q, &lines[i].conf->name);
        q = ngx_sprintf(q, ";r=%uL", lines[i].remaining);

        if (lines[i].reset != MODELGUARD_BUDGET_NEVER
            && lines[i].reset)
        {
            q = ngx_sprintf(q, ";t=%uL", (lines[i].reset - 1) / 1000 + 1);
        }
    }

    policy.len = p - policy.data;
    limit.len = q - limit.data;

    if (ngx_http_modelguard_headers_set(r, "RateLimit-Policy", &policy)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_modelguard_headers_set(r, "RateLimit", &limit);
}


/* a String of RFC 9651; the characters have been looked at before */

static u_char *
ngx_http_modelguard_ratelimit_name(u_char *p, const ngx_str_t *name)
{
    size_t  i;

    *p++ = '"';

    for (i = 0; i < name->len; i++) {

        if (name->data[i] == '"' || name->data[i] == '\\') {
            *p++ = '\\';
        }

        *p++ = name->data[i];
    }

    *p++ = '"';

    return p;
}


/* "qu" has three registered units; the others are a parameter of our own */

static u_char *
ngx_http_modelguard_ratelimit_policy(u_char *p,
    const ngx_http_modelguard_budget_conf_t *conf)
{
    uint64_t     window;
    const char  *unit;

    window = ngx_http_modelguard_quota_window(&conf->budget);

    if (window) {
        p = ngx_sprintf(p, ";w=%uL", window);
    }

    switch (conf->unit) {

    case NGX_HTTP_MODELGUARD_UNIT_ITEMS:
        unit = ";modelguard-unit=\"items\"";
        break;

    case NGX_HTTP_MODELGUARD_UNIT_TOKENS:
        unit = ";modelguard-unit=\"tokens\"";
        break;

    case NGX_HTTP_MODELGUARD_UNIT_BITS:
        unit = ";modelguard-unit=\"bits\"";
        break;

    case NGX_HTTP_MODELGUARD_UNIT_BYTES:
        unit = ";qu=\"content-bytes\"";
        break;

    case NGX_HTTP_MODELGUARD_UNIT_CONCURRENT:
        unit = ";qu=\"concurrent-requests\"";
        break;

    default: /* NGX_HTTP_MODELGUARD_UNIT_REQUESTS */
        return p;
    }

    return ngx_cpymem(p, unit, ngx_strlen(unit));
}


static ngx_int_t
ngx_http_modelguard_ratelimit_legacy(ngx_http_request_t *r,
    const ngx_http_modelguard_ratelimit_t *line)
{
    uint64_t  reset;

    if (ngx_http_modelguard_ratelimit_number(r, "X-RateLimit-Limit",
                                             line->limit)
        != NGX_OK
        || ngx_http_modelguard_ratelimit_number(r, "X-RateLimit-Remaining",
                                                line->remaining)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (line->reset == MODELGUARD_BUDGET_NEVER) {
        return NGX_OK;
    }

    reset = line->reset ? (line->reset - 1) / 1000 + 1 : 0;

    return ngx_http_modelguard_ratelimit_number(r, "X-RateLimit-Reset", reset);
}


static ngx_int_t
ngx_http_modelguard_ratelimit_openai(ngx_http_request_t *r,
    const ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_ratelimit_t *lines, ngx_uint_t n)
{
    ngx_str_t                               no;
    const ngx_http_modelguard_ratelimit_t  *line;

    line = ngx_http_modelguard_ratelimit_tightest(lines, n,
                                     1 << NGX_HTTP_MODELGUARD_UNIT_REQUESTS);
    if (line == NULL) {
        line = ngx_http_modelguard_ratelimit_tightest(lines, n,
                                     1 << NGX_HTTP_MODELGUARD_UNIT_ITEMS);
    }

    if (line
        && (ngx_http_modelguard_ratelimit_number(r,
                "x-ratelimit-limit-requests", line->limit) != NGX_OK
            || ngx_http_modelguard_ratelimit_number(r,
                   "x-ratelimit-remaining-requests", line->remaining)
               != NGX_OK
            || ngx_http_modelguard_ratelimit_duration(r,
                   "x-ratelimit-reset-requests", line->reset) != NGX_OK))
    {
        return NGX_ERROR;
    }

    line = ngx_http_modelguard_ratelimit_tightest(lines, n,
                                     1 << NGX_HTTP_MODELGUARD_UNIT_TOKENS);

    if (line
        && (ngx_http_modelguard_ratelimit_number(r,
                "x-ratelimit-limit-tokens", line->limit) != NGX_OK
            || ngx_http_modelguard_ratelimit_number(r,
                   "x-ratelimit-remaining-tokens", line->remaining) != NGX_OK
            || ngx_http_modelguard_ratelimit_duration(r,
                   "x-ratelimit-reset-tokens", line->reset) != NGX_OK))
    {
        return NGX_ERROR;
    }

    if (ngx_http_modelguard_quota_retries(ctx)) {
        return NGX_OK;
    }

    ngx_str_set(&no, "false");

    return ngx_http_modelguard_headers_set(r, "x-should-retry", &no);
}


static ngx_int_t
ngx_http_modelguard_ratelimit_number(ngx_http_request_t *r, const char *name,
    uint64_t number)
{
    ngx_str_t  value;

    value.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%uL", number) - value.data;

    return ngx_http_modelguard_headers_set(r, name, &value);
}


/* as OpenAI writes them, and Go: "20ms", "1.5s", "6m0s", "720h0m0s" */

static ngx_int_t
ngx_http_modelguard_ratelimit_duration(ngx_http_request_t *r,
    const char *name, uint64_t ms)
{
    u_char     *p;
    uint64_t    seconds;
    ngx_str_t   value;

    if (ms == MODELGUARD_BUDGET_NEVER) {
        return NGX_OK;
    }

    value.data = ngx_pnalloc(r->pool, NGX_HTTP_MODELGUARD_RATELIMIT_DURATION);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    p = value.data;

    if (ms && ms < 1000) {
        p = ngx_sprintf(p, "%uLms", ms);

    } else {
        seconds = ms / 1000;
        ms %= 1000;

        if (seconds >= 3600) {
            p = ngx_sprintf(p, "%uLh", seconds / 3600);
        }

        if (seconds >= 60) {
            p = ngx_sprintf(p, "%uLm", seconds / 60 % 60);
        }

        p = ngx_sprintf(p, "%uL", seconds % 60);

        if (ms) {
            p = ngx_sprintf(p, ".%03uL", ms);

            while (*(p - 1) == '0') {
                p--;
            }
        }

        *p++ = 's';
    }

    value.len = p - value.data;

    return ngx_http_modelguard_headers_set(r, name, &value);
}


/*
 * Of the units in the mask: that which refused with the longest wait, else
 * that with the smallest share remaining; NULL if there is none.
 */

static const ngx_http_modelguard_ratelimit_t *
ngx_http_modelguard_ratelimit_tightest(
    const ngx_http_modelguard_ratelimit_t *lines, ngx_uint_t n,
    ngx_uint_t units)
{
    double                                  share, least;
    ngx_uint_t                              i;
    const ngx_http_modelguard_ratelimit_t  *line;

    line = NULL;
    least = 0;

    for (i = 0; i < n; i++) {

        if (!(units & ((ngx_uint_t) 1 << lines[i].conf->unit))) {
            continue;
        }

        share = (double) lines[i].remaining / (double) lines[i].limit;

        if (line == NULL
            || lines[i].refused > line->refused
            || (lines[i].refused == line->refused
                && (line->refused ? lines[i].reset > line->reset
                                  : share < least)))
        {
            line = &lines[i];
            least = share;
        }
    }

    return line;
}
