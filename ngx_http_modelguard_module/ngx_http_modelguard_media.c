
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_media.h"


#define NGX_HTTP_MODELGUARD_TYPE_MAX  127   /* RFC 6838, section 4.2 */


static ngx_uint_t ngx_http_modelguard_media_json(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf);
static ngx_uint_t ngx_http_modelguard_media_coded(ngx_http_request_t *r);
static ngx_uint_t ngx_http_modelguard_media_utf8(ngx_http_request_t *r);
static ngx_uint_t ngx_http_modelguard_media_charset(u_char *p, u_char *last);


ngx_int_t
ngx_http_modelguard_media(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf, const char **why)
{
    ngx_uint_t  status;

    status = r->headers_out.status;

    if (status == NGX_HTTP_SWITCHING_PROTOCOLS) {
        *why = "the protocol is switched";
        return NGX_ABORT;
    }

    if (status < NGX_HTTP_OK
        || status == NGX_HTTP_NO_CONTENT
        || status == NGX_HTTP_NOT_MODIFIED
        || r->headers_out.content_length_n == 0)
    {
        return NGX_DECLINED;
    }

    if (status == NGX_HTTP_PARTIAL_CONTENT) {
        *why = "it is a part of a document";
        return NGX_ABORT;
    }

    if (!ngx_http_modelguard_media_json(r, mglcf)) {

        if (status >= NGX_HTTP_SPECIAL_RESPONSE) {
            return NGX_DECLINED;
        }

        *why = "its type is not in \"modelguard_types\"";
        return NGX_ABORT;
    }

    if (ngx_http_modelguard_media_coded(r)) {
        *why = "it has a content coding";
        return NGX_ABORT;
    }

    if (!ngx_http_modelguard_media_utf8(r)) {
        *why = "its charset is not UTF-8";
        return NGX_ABORT;
    }

    return NGX_OK;
}


/* r->headers_out.content_type_len may take in parameters other than charset */

static ngx_uint_t
ngx_http_modelguard_media_json(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf)
{
    u_char      c, *p;
    size_t      len;
    u_char      type[NGX_HTTP_MODELGUARD_TYPE_MAX];
    ngx_uint_t  hash;

    p = r->headers_out.content_type.data;
    hash = 0;

    for (len = 0; len < r->headers_out.content_type.len; len++) {

        c = ngx_tolower(p[len]);

        if (c == ';' || c == ' ' || c == '\t') {
            break;
        }

        if (len == NGX_HTTP_MODELGUARD_TYPE_MAX) {
            return 0;
        }

        type[len] = c;
        hash = ngx_hash(hash, c);
    }

    if (len == 0) {
        return 0;
    }

    if (mglcf->types.size
        && ngx_hash_find((ngx_hash_t *) &mglcf->types, hash, type, len))
    {
        return 1;
    }

    return len > sizeof("application/+json") - 1
           && ngx_memcmp(type, "application/", sizeof("application/") - 1) == 0
           && ngx_memcmp(type + len - (sizeof("+json") - 1), "+json",
                         sizeof("+json") - 1)
              == 0;
}


static ngx_uint_t
ngx_http_modelguard_media_coded(ngx_http_request_t *r)
{
    ngx_table_elt_t  *h;

    h = r->headers_out.content_encoding;

    if (h == NULL || h->hash == 0 || h->value.len == 0) {
        return 0;
    }

    return h->value.len != sizeof("identity") - 1
           || ngx_strncasecmp(h->value.data, (u_char *) "identity",
                              sizeof("identity") - 1)
              != 0;
}


/* nginx keeps the charset apart only if it is the type's first parameter */

static ngx_uint_t
ngx_http_modelguard_media_utf8(ngx_http_request_t *r)
{
    u_char     *p, *last;
    ngx_str_t  *charset;

    charset = &r->headers_out.charset;

    if (charset->len
        && !ngx_http_modelguard_media_charset(charset->data,
                                              charset->data + charset->len))
    {
        return 0;
    }

    p = r->headers_out.content_type.data;
    last = p + r->headers_out.content_type.len;

    while (p < last) {

        if (*p++ != ';') {
            continue;
        }

        while (p < last && (*p == ' ' || *p == '\t')) {
            p++;
        }

        if ((size_t) (last - p) < sizeof("charset=") - 1
            || ngx_strncasecmp(p, (u_char *) "charset=",
                               sizeof("charset=") - 1)
               != 0)
        {
            continue;
        }

        p += sizeof("charset=") - 1;

        if (!ngx_http_modelguard_media_charset(p, last)) {
            return 0;
        }
    }

    return 1;
}


/* the value ends with the parameter; it may be quoted, and "last" may be too */

static ngx_uint_t
ngx_http_modelguard_media_charset(u_char *p, u_char *last)
{
    size_t  len;

    if (p < last && *p == '"') {
        p++;
    }

    for (len = 0; p + len < last; len++) {
        if (p[len] == ';' || p[len] == '"' || p[len] == ' ') {
            break;
        }
    }

    switch (len) {

    case 0:
        return 1;

    case sizeof("utf8") - 1:
        return ngx_strncasecmp(p, (u_char *) "utf8", len) == 0;

    case sizeof("utf-8") - 1:
        return ngx_strncasecmp(p, (u_char *) "utf-8", len) == 0;

    case sizeof("us-ascii") - 1:
        return ngx_strncasecmp(p, (u_char *) "us-ascii", len) == 0;

    default:
        return 0;
    }
}
