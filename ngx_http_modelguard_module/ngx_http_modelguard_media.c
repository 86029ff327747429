
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_headers.h"
#include "ngx_http_modelguard_media.h"


#define NGX_HTTP_MODELGUARD_TYPE_MAX  127   /* RFC 6838, section 4.2 */


/* a type, or the beginning of one when it ends with "/" or "*" */

typedef struct {
    ngx_str_t                      name;
    modelguard_framing_e           framing;
    ngx_http_modelguard_reason_e   reason;
} ngx_http_modelguard_type_t;


static ngx_int_t ngx_http_modelguard_media_type(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    ngx_http_modelguard_media_t *media);
static ngx_uint_t ngx_http_modelguard_media_is_json(ngx_http_request_t *r);
static ngx_uint_t ngx_http_modelguard_media_lowcase(ngx_http_request_t *r,
    u_char *lowcase, ngx_str_t *type);
static ngx_uint_t ngx_http_modelguard_media_is(const ngx_str_t *type,
    const ngx_str_t *name);
static ngx_uint_t ngx_http_modelguard_media_utf8(ngx_http_request_t *r);
static ngx_uint_t ngx_http_modelguard_media_charset(u_char *p, u_char *last);


static ngx_str_t  ngx_http_modelguard_json = ngx_string("application/json");


/* whatever "modelguard_types" says: these are never one document */

static const ngx_http_modelguard_type_t  ngx_http_modelguard_types[] = {

    { ngx_string("text/event-stream"), MODELGUARD_FRAMING_EVENTS, 0 },

    { ngx_string("application/x-ndjson"), MODELGUARD_FRAMING_SEQUENCE, 0 },
    { ngx_string("application/ndjson"), MODELGUARD_FRAMING_SEQUENCE, 0 },
    { ngx_string("application/jsonl"), MODELGUARD_FRAMING_SEQUENCE, 0 },
    { ngx_string("application/x-jsonl"), MODELGUARD_FRAMING_SEQUENCE, 0 },
    { ngx_string("application/jsonlines"), MODELGUARD_FRAMING_SEQUENCE, 0 },
    { ngx_string("application/x-jsonlines"), MODELGUARD_FRAMING_SEQUENCE, 0 },
    { ngx_string("application/json-lines"), MODELGUARD_FRAMING_SEQUENCE, 0 },
    { ngx_string("application/json-seq"), MODELGUARD_FRAMING_SEQUENCE, 0 },
    { ngx_string("application/stream+json"), MODELGUARD_FRAMING_SEQUENCE, 0 },
    { ngx_string("application/x-json-stream"), MODELGUARD_FRAMING_SEQUENCE,
      0 },

    { ngx_string("application/grpc*"), MODELGUARD_FRAMING_NONE,
      NGX_HTTP_MODELGUARD_REASON_GRPC },
    { ngx_string("multipart/"), MODELGUARD_FRAMING_NONE,
      NGX_HTTP_MODELGUARD_REASON_MULTIPART },
    { ngx_string("application/octet-stream"), MODELGUARD_FRAMING_NONE,
      NGX_HTTP_MODELGUARD_REASON_BINARY },
    { ngx_string("application/vnd.amazon.eventstream"),
      MODELGUARD_FRAMING_NONE, NGX_HTTP_MODELGUARD_REASON_BINARY },

    { ngx_null_string, MODELGUARD_FRAMING_NONE, 0 }
};


ngx_uint_t
ngx_http_modelguard_media_json(ngx_http_modelguard_loc_conf_t *mglcf)
{
    ngx_str_t  *json;

    json = &ngx_http_modelguard_json;

    return mglcf->types.size
           && ngx_hash_find(&mglcf->types,
                            ngx_hash_key(json->data, json->len), json->data,
                            json->len)
              != NULL;
}


ngx_int_t
ngx_http_modelguard_media(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    ngx_http_modelguard_media_t *media)
{
    ngx_int_t   rc;
    ngx_uint_t  status;

    status = r->headers_out.status;

    if (status == NGX_HTTP_SWITCHING_PROTOCOLS) {
        media->reason = NGX_HTTP_MODELGUARD_REASON_WEBSOCKET;
        return NGX_ABORT;
    }

    /*
     * HTTP/0.9 of an upstream: there is no header at all.  And an interim
     * response: nginx before 1.29 takes the one after it for its body.
     */

    if (status < NGX_HTTP_OK) {
        media->reason = NGX_HTTP_MODELGUARD_REASON_TYPE;
        return NGX_ABORT;
    }

    if (status == NGX_HTTP_NO_CONTENT
        || status == NGX_HTTP_NOT_MODIFIED
        || r->headers_out.content_length_n == 0)
    {
        return NGX_DECLINED;
    }

    rc = ngx_http_modelguard_media_type(r, mglcf, media);

    /*
     * An error that is not JSON.  gRPC's come with their status in trailers,
     * and one with tensors is none.
     */

    if (rc == NGX_ABORT
        && status >= NGX_HTTP_SPECIAL_RESPONSE
        && media->reason != NGX_HTTP_MODELGUARD_REASON_GRPC
        && !ngx_http_modelguard_headers_has(r,
                                            "inference-header-content-length"))
    {
        return NGX_DECLINED;
    }

    if (status == NGX_HTTP_PARTIAL_CONTENT
        || (status < NGX_HTTP_SPECIAL_RESPONSE
            && ngx_http_modelguard_headers_has(r, "content-range")))
    {
        media->reason = NGX_HTTP_MODELGUARD_REASON_PARTIAL;
        return NGX_ABORT;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    media->coding = ngx_http_modelguard_coding_of(r);

    if (media->coding == NGX_HTTP_MODELGUARD_CODING_UNKNOWN) {
        media->reason = NGX_HTTP_MODELGUARD_REASON_CODING;
        return NGX_ABORT;
    }

    if (!ngx_http_modelguard_media_utf8(r)) {
        media->reason = NGX_HTTP_MODELGUARD_REASON_CHARSET;
        return NGX_ABORT;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_media_type(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    ngx_http_modelguard_media_t *media)
{
    u_char                             lowcase[NGX_HTTP_MODELGUARD_TYPE_MAX];
    ngx_str_t                          type;
    ngx_uint_t                         hash;
    const ngx_http_modelguard_type_t  *known;

    media->framing = MODELGUARD_FRAMING_NONE;
    media->reason = NGX_HTTP_MODELGUARD_REASON_TYPE;

    /* what most of them are */

    if (mglcf->types_json
        && ngx_http_modelguard_media_is_json(r)
        && !ngx_http_modelguard_headers_has(r,
                                            "inference-header-content-length"))
    {
        return NGX_OK;
    }

    hash = ngx_http_modelguard_media_lowcase(r, lowcase, &type);

    if (type.len == 0) {
        return NGX_ABORT;
    }

    for (known = ngx_http_modelguard_types; known->name.len; known++) {

        if (ngx_http_modelguard_media_is(&type, &known->name)) {
            media->framing = known->framing;
            media->reason = known->reason;

            return known->framing == MODELGUARD_FRAMING_NONE ? NGX_ABORT
                                                             : NGX_OK;
        }
    }

    /* the binary tensor data extension: JSON first, whatever the type says */

    if (ngx_http_modelguard_headers_has(r, "inference-header-content-length"))
    {
        media->reason = NGX_HTTP_MODELGUARD_REASON_BINARY;
        return NGX_ABORT;
    }

    if (mglcf->types.size
        && ngx_hash_find((ngx_hash_t *) &mglcf->types, hash, type.data,
                         type.len))
    {
        return NGX_OK;
    }

    return type.len > sizeof("application/+json") - 1
           && ngx_memcmp(type.data, "application/", sizeof("application/") - 1)
              == 0
           && ngx_memcmp(type.data + type.len - (sizeof("+json") - 1),
                         "+json", sizeof("+json") - 1)
              == 0
           ? NGX_OK : NGX_ABORT;
}


static ngx_uint_t
ngx_http_modelguard_media_is_json(ngx_http_request_t *r)
{
    ngx_str_t  *type, *json;

    type = &r->headers_out.content_type;
    json = &ngx_http_modelguard_json;

    return type->len >= json->len
           && ngx_memcmp(type->data, json->data, json->len) == 0
           && (type->len == json->len || type->data[json->len] == ';');
}


/*
 * The type without its parameters, and its hash; an empty one if there is
 * none or it is too long.  r->headers_out.content_type_len may take in
 * parameters other than charset.
 */

static ngx_uint_t
ngx_http_modelguard_media_lowcase(ngx_http_request_t *r, u_char *lowcase,
    ngx_str_t *type)
{
    u_char      c, *p;
    size_t      len;
    ngx_uint_t  hash;

    p = r->headers_out.content_type.data;
    hash = 0;

    type->len = 0;
    type->data = lowcase;

    for (len = 0; len < r->headers_out.content_type.len; len++) {

        c = ngx_tolower(p[len]);

        if (c == ';' || c == ' ' || c == '\t') {
            break;
        }

        if (len == NGX_HTTP_MODELGUARD_TYPE_MAX) {
            return 0;
        }

        lowcase[len] = c;
        hash = ngx_hash(hash, c);
    }

    type->len = len;

    return hash;
}


static ngx_uint_t
ngx_http_modelguard_media_is(const ngx_str_t *type, const ngx_str_t *name)
{
    size_t  len;

    len = name->len;

    switch (name->data[len - 1]) {

    case '*':
        len--;
        break;

    case '/':
        break;

    default:
        if (type->len != len) {
            return 0;
        }
    }

    return type->len >= len && ngx_memcmp(type->data, name->data, len) == 0;
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
