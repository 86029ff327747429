
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_headers.h"


#define NGX_HTTP_MODELGUARD_HEADERS  20    /* elements of a list's part */


static ngx_int_t ngx_http_modelguard_headers_identity(ngx_http_request_t *r);
static ngx_int_t ngx_http_modelguard_headers_whole(ngx_http_request_t *r);
static ngx_uint_t ngx_http_modelguard_headers_is(ngx_table_elt_t *header,
    const char *name);
static void ngx_http_modelguard_headers_clear(ngx_list_t *headers,
    const char *name);


/* they hold for one text */

static const char  *ngx_http_modelguard_headers_digests[] = {
    "content-md5",
    "digest",
    "repr-digest",
    "content-digest",
    NULL
};


/* nginx knows of one of each, and the last if they are repeated */

static const char  *ngx_http_modelguard_headers_validators[] = {
    "etag",
    "last-modified",
    "accept-ranges",
    "content-range",
    NULL
};


ngx_int_t
ngx_http_modelguard_headers_request(ngx_http_request_t *r)
{
    if (r->headers_in.accept_encoding
        && ngx_http_modelguard_headers_identity(r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (r->headers_in.range || r->headers_in.if_range) {
        return ngx_http_modelguard_headers_whole(r);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_headers_identity(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header, *copy;

    /* the element of the list is forwarded, the copy is what gzip looks at */

    copy = ngx_palloc(r->pool, sizeof(ngx_table_elt_t));
    if (copy == NULL) {
        return NGX_ERROR;
    }

    *copy = *r->headers_in.accept_encoding;
#if (nginx_version >= 1023000)
    copy->next = NULL;
#endif

    r->headers_in.accept_encoding = copy;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (ngx_http_modelguard_headers_is(&header[i], "accept-encoding"))
            {
                ngx_str_set(&header[i].value, "identity");
            }
        }
    }

    return NGX_OK;
}


/*
 * Makes a list without Range and If-Range.  An element cannot be taken out of
 * a list in place: r->headers_in.host and others point to those after it.
 * They go on pointing to the old elements, which are as good as the copies.
 */

static ngx_int_t
ngx_http_modelguard_headers_whole(ngx_http_request_t *r)
{
    ngx_list_t        headers;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header, *h;

    if (ngx_list_init(&headers, r->pool, NGX_HTTP_MODELGUARD_HEADERS,
                      sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (ngx_http_modelguard_headers_is(&header[i], "range")
                || ngx_http_modelguard_headers_is(&header[i], "if-range"))
            {
                continue;
            }

            h = ngx_list_push(&headers);
            if (h == NULL) {
                return NGX_ERROR;
            }

            *h = header[i];
        }
    }

    r->headers_in.headers = headers;

    /* a list of one part ends in itself */

    if (headers.last == &headers.part) {
        r->headers_in.headers.last = &r->headers_in.headers.part;
    }

    r->headers_in.range = NULL;
    r->headers_in.if_range = NULL;

    return NGX_OK;
}


void
ngx_http_modelguard_headers_response(ngx_http_request_t *r)
{
    if (r == r->main) {
        ngx_http_clear_content_length(r);
    }

    ngx_http_modelguard_headers_original(r);
}


void
ngx_http_modelguard_headers_original(ngx_http_request_t *r)
{
    const char  **name;

    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_etag(r);
    ngx_http_clear_last_modified(r);

    if (r->headers_out.content_range) {
        r->headers_out.content_range->hash = 0;
        r->headers_out.content_range = NULL;
    }

    for (name = ngx_http_modelguard_headers_validators; *name; name++) {
        ngx_http_modelguard_headers_clear(&r->headers_out.headers, *name);
    }

    for (name = ngx_http_modelguard_headers_digests; *name; name++) {
        ngx_http_modelguard_headers_clear(&r->headers_out.headers, *name);
    }
}


ngx_uint_t
ngx_http_modelguard_headers_has(ngx_http_request_t *r, const char *name)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (header[i].hash != 0
                && ngx_http_modelguard_headers_is(&header[i], name))
            {
                return 1;
            }
        }
    }

    return 0;
}


void
ngx_http_modelguard_headers_replaced(ngx_http_request_t *r)
{
    if (r->headers_out.content_encoding) {
        r->headers_out.content_encoding->hash = 0;
        r->headers_out.content_encoding = NULL;
    }

    ngx_http_modelguard_headers_clear(&r->headers_out.headers,
                                      "content-encoding");
    ngx_http_modelguard_headers_clear(&r->headers_out.headers,
                                      "content-disposition");
    ngx_http_modelguard_headers_clear(&r->headers_out.headers,
                                      "content-language");
    ngx_http_modelguard_headers_clear(&r->headers_out.headers,
                                      "content-location");

    ngx_str_null(&r->headers_out.charset);
    r->headers_out.override_charset = NULL;
}


void
ngx_http_modelguard_headers_trailers(ngx_http_request_t *r)
{
    const char  **name;

    for (name = ngx_http_modelguard_headers_digests; *name; name++) {
        ngx_http_modelguard_headers_clear(&r->headers_out.trailers, *name);
    }
}


void
ngx_http_modelguard_headers_remove(ngx_http_request_t *r, const char *name)
{
    ngx_http_modelguard_headers_clear(&r->headers_out.headers, name);
}


ngx_int_t
ngx_http_modelguard_headers_set(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    ngx_http_modelguard_headers_clear(&r->headers_out.headers, name);

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->key.len = ngx_strlen(name);
    h->key.data = (u_char *) name;
    h->value = *value;
    h->lowcase_key = NULL;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return NGX_OK;
}


static ngx_uint_t
ngx_http_modelguard_headers_is(ngx_table_elt_t *header, const char *name)
{
    size_t  len;

    len = ngx_strlen(name);

    return header->key.len == len
           && ngx_strncasecmp(header->key.data, (u_char *) name, len) == 0;
}


static void
ngx_http_modelguard_headers_clear(ngx_list_t *headers, const char *name)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    for (part = &headers->part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (ngx_http_modelguard_headers_is(&header[i], name)) {
                header[i].hash = 0;
            }
        }
    }
}
