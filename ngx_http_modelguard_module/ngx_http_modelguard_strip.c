
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_strip.h"


/*
 * What nginx and its modules add has this for a hash, what came from an
 * upstream that of its name, which is never 1.
 */

#define NGX_HTTP_MODELGUARD_OWN_HASH  1


typedef struct {
    ngx_str_t   name;        /* lower case, without "!" and "*" */
    unsigned    prefix:1;
    unsigned    except:1;
} ngx_http_modelguard_strip_t;


static char *ngx_http_modelguard_strip_add(ngx_conf_t *cf,
    ngx_array_t *strip, ngx_str_t *value);
static ngx_uint_t ngx_http_modelguard_strip_token(const ngx_str_t *name);
static void ngx_http_modelguard_strip_list(ngx_http_request_t *r,
    ngx_list_t *headers, const ngx_array_t *strip);
static ngx_uint_t ngx_http_modelguard_strip_match(const ngx_str_t *name,
    const ngx_array_t *strip);
static ngx_uint_t ngx_http_modelguard_strip_in(const ngx_str_t *name,
    const ngx_str_t *names);
static void ngx_http_modelguard_strip_forget(ngx_http_request_t *r,
    ngx_table_elt_t *header);


/* without these a response could not be read */

static const ngx_str_t  ngx_http_modelguard_strip_never[] = {
    ngx_string("content-type"),
    ngx_string("content-length"),
    ngx_string("content-encoding"),
    ngx_string("content-range"),
    ngx_string("transfer-encoding"),
    ngx_string("connection"),
    ngx_string("keep-alive"),
    ngx_string("upgrade"),
    ngx_string("trailer"),
    ngx_string("inference-header-content-length"),
    ngx_null_string
};


/* clients and caches act on these: only if they are named in full */

static const ngx_str_t  ngx_http_modelguard_strip_named[] = {
    ngx_string("cache-control"),
    ngx_string("location"),
    ngx_string("retry-after"),
    ngx_string("vary"),
    ngx_string("www-authenticate"),
    ngx_null_string
};


/*
 * nginx looks at the elements through these, even at those that are out of
 * force, and makes a Date and a Server of its own where there is none.
 */

static const size_t  ngx_http_modelguard_strip_pointers[] = {
    offsetof(ngx_http_headers_out_t, server),
    offsetof(ngx_http_headers_out_t, date),
    offsetof(ngx_http_headers_out_t, location),
    offsetof(ngx_http_headers_out_t, refresh),
    offsetof(ngx_http_headers_out_t, last_modified),
    offsetof(ngx_http_headers_out_t, accept_ranges),
    offsetof(ngx_http_headers_out_t, www_authenticate),
    offsetof(ngx_http_headers_out_t, expires),
    offsetof(ngx_http_headers_out_t, etag)
};


char *
ngx_http_modelguard_strip_headers(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_modelguard_loc_conf_t *mglcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i, off;

    value = cf->args->elts;

    off = cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0;

    if (mglcf->strip) {

        if (off || mglcf->strip->nelts == 0) {
            return "is duplicate";
        }

    } else {
        mglcf->strip = ngx_array_create(cf->pool, 4,
                                        sizeof(ngx_http_modelguard_strip_t));
        if (mglcf->strip == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (off) {
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_modelguard_strip_add(cf, mglcf->strip, &value[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_modelguard_strip_add(ngx_conf_t *cf, ngx_array_t *strip,
    ngx_str_t *value)
{
    ngx_http_modelguard_strip_t  *rule;

    rule = ngx_array_push(strip);
    if (rule == NULL) {
        return NGX_CONF_ERROR;
    }

    rule->name = *value;
    rule->prefix = 0;
    rule->except = 0;

    if (rule->name.len && rule->name.data[0] == '!') {
        rule->except = 1;
        rule->name.data++;
        rule->name.len--;
    }

    if (rule->name.len && rule->name.data[rule->name.len - 1] == '*') {
        rule->prefix = 1;
        rule->name.len--;
    }

    ngx_strlow(rule->name.data, rule->name.data, rule->name.len);

    /* "*" is all there is, but "!*" is a mistake, and so is "off" with more */

    if (!ngx_http_modelguard_strip_token(&rule->name)
        || (rule->name.len == 0 && (!rule->prefix || rule->except))
        || ngx_strcmp(value->data, "off") == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"",
                           value);
        return NGX_CONF_ERROR;
    }

    if (!rule->prefix
        && !rule->except
        && ngx_http_modelguard_strip_in(&rule->name,
                                        ngx_http_modelguard_strip_never))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the header \"%V\" cannot be stripped", value);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* RFC 9110, section 5.6.2, without "*" and "!", which mean something here */

static ngx_uint_t
ngx_http_modelguard_strip_token(const ngx_str_t *name)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if ((c < '0' || c > '9')
            && (c < 'a' || c > 'z')
            && (c == '\0' || ngx_strchr("#$%&'+-.^_`|~", c) == NULL))
        {
            return 0;
        }
    }

    return 1;
}


void
ngx_http_modelguard_strip(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf)
{
    if (mglcf->strip == NULL || mglcf->strip->nelts == 0 || r != r->main) {
        return;
    }

    ngx_http_modelguard_strip_list(r, &r->headers_out.headers, mglcf->strip);
}


void
ngx_http_modelguard_strip_trailers(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf)
{
    if (mglcf->strip == NULL || mglcf->strip->nelts == 0 || r != r->main) {
        return;
    }

    ngx_http_modelguard_strip_list(r, &r->headers_out.trailers, mglcf->strip);
}


static void
ngx_http_modelguard_strip_list(ngx_http_request_t *r, ngx_list_t *headers,
    const ngx_array_t *strip)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    for (part = &headers->part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (header[i].hash == 0
                || header[i].hash == NGX_HTTP_MODELGUARD_OWN_HASH
                || !ngx_http_modelguard_strip_match(&header[i].key, strip))
            {
                continue;
            }

            header[i].hash = 0;
            ngx_http_modelguard_strip_forget(r, &header[i]);
        }
    }
}


static ngx_uint_t
ngx_http_modelguard_strip_match(const ngx_str_t *name,
    const ngx_array_t *strip)
{
    ngx_uint_t                          i, full, prefix;
    const ngx_http_modelguard_strip_t  *rule;

    full = 0;
    prefix = 0;
    rule = strip->elts;

    for (i = 0; i < strip->nelts; i++) {

        if (name->len < rule[i].name.len
            || (name->len != rule[i].name.len && !rule[i].prefix)
            || ngx_strncasecmp(name->data, rule[i].name.data,
                               rule[i].name.len)
               != 0)
        {
            continue;
        }

        if (rule[i].except) {
            return 0;
        }

        if (rule[i].prefix) {
            prefix = 1;

        } else {
            full = 1;
        }
    }

    if (full || !prefix) {
        return full;
    }

    return !ngx_http_modelguard_strip_in(name, ngx_http_modelguard_strip_never)
           && !ngx_http_modelguard_strip_in(name,
                                            ngx_http_modelguard_strip_named);
}


static ngx_uint_t
ngx_http_modelguard_strip_in(const ngx_str_t *name, const ngx_str_t *names)
{
    for ( /* void */ ; names->len; names++) {

        if (name->len == names->len
            && ngx_strncasecmp(name->data, names->data, names->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static void
ngx_http_modelguard_strip_forget(ngx_http_request_t *r,
    ngx_table_elt_t *header)
{
    ngx_uint_t         i, n;
    ngx_table_elt_t  **pointer;

    if (r->headers_out.last_modified == header) {
        r->headers_out.last_modified_time = -1;
    }

    n = sizeof(ngx_http_modelguard_strip_pointers) / sizeof(size_t);

    for (i = 0; i < n; i++) {
        pointer = (ngx_table_elt_t **) ((u_char *) &r->headers_out
                                     + ngx_http_modelguard_strip_pointers[i]);

        if (*pointer == header) {
            *pointer = NULL;
        }
    }
}
