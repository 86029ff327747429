
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_headers.h"


#define NGX_HTTP_MODELGUARD_HEADERS  20    /* elements of a list's part */


static ngx_int_t ngx_http_modelguard_headers_part(ngx_http_request_t *r);
static ngx_int_t ngx_http_modelguard_headers_identity(ngx_http_request_t *r);
static ngx_int_t ngx_http_modelguard_headers_whole(ngx_http_request_t *r);
static ngx_uint_t ngx_http_modelguard_headers_is(ngx_table_elt_t *header,
    const char *name, size_t len);
static void ngx_http_modelguard_headers_clear(ngx_list_t *headers,
    const ngx_str_t *names);


/* they hold for one text */

static const ngx_str_t  ngx_http_modelguard_headers_digests[] = {
    ngx_string("content-md5"),
    ngx_string("digest"),
    ngx_string("repr-digest"),
    ngx_string("content-digest"),
    ngx_null_string
};


/* and of these nginx knows one of each, and the last if they are repeated */

static const ngx_str_t  ngx_http_modelguard_headers_texts[] = {
    ngx_string("etag"),
    ngx_string("last-modified"),
    ngx_string("accept-ranges"),
    ngx_string("content-range"),
    ngx_string("content-md5"),
    ngx_string("digest"),
    ngx_string("repr-digest"),
    ngx_string("content-digest"),
    ngx_null_string
};


static const ngx_str_t  ngx_http_modelguard_headers_bodies[] = {
    ngx_string("content-encoding"),
    ngx_string("content-disposition"),
    ngx_string("content-language"),
    ngx_string("content-location"),
    ngx_null_string
};


ngx_int_t
ngx_http_modelguard_headers_request(ngx_http_request_t *r)
{
#if (NGX_HTTP_GZIP)
    if (r->headers_in.accept_encoding == NULL) {
        return ngx_http_modelguard_headers_part(r);
    }
#endif

    if (ngx_http_modelguard_headers_identity(r) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_modelguard_headers_part(r);
}


static ngx_int_t
ngx_http_modelguard_headers_part(ngx_http_request_t *r)
{
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
    ngx_table_elt_t  *header;
#if (NGX_HTTP_GZIP)
    ngx_table_elt_t  *copy;

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
#endif

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (ngx_http_modelguard_headers_is(&header[i], "accept-encoding",
                                              sizeof("accept-encoding") - 1))
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

            if (ngx_http_modelguard_headers_is(&header[i], "range",
                                               sizeof("range") - 1)
                || ngx_http_modelguard_headers_is(&header[i], "if-range",
                                                  sizeof("if-range") - 1))
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
    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_etag(r);
    ngx_http_clear_last_modified(r);

    if (r->headers_out.content_range) {
        r->headers_out.content_range->hash = 0;
        r->headers_out.content_range = NULL;
    }

    ngx_http_modelguard_headers_clear(&r->headers_out.headers,
                                      ngx_http_modelguard_headers_texts);
}


ngx_uint_t
ngx_http_modelguard_headers_has(ngx_http_request_t *r, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    len = ngx_strlen(name);

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (header[i].hash != 0
                && ngx_http_modelguard_headers_is(&header[i], name, len))
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
                                      ngx_http_modelguard_headers_bodies);

    ngx_str_null(&r->headers_out.charset);
    r->headers_out.override_charset = NULL;
}


void
ngx_http_modelguard_headers_trailers(ngx_http_request_t *r)
{
    ngx_http_modelguard_headers_clear(&r->headers_out.trailers,
                                      ngx_http_modelguard_headers_digests);
}


void
ngx_http_modelguard_headers_remove(ngx_http_request_t *r, const char *name)
{
    ngx_str_t  names[2];

    names[0].data = (u_char *) name;
    names[0].len = ngx_strlen(name);

    ngx_str_null(&names[1]);

    ngx_http_modelguard_headers_clear(&r->headers_out.headers, names);
}


ngx_int_t
ngx_http_modelguard_headers_set(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    ngx_http_modelguard_headers_remove(r, name);

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
ngx_http_modelguard_headers_is(ngx_table_elt_t *header, const char *name,
    size_t len)
{
    return header->key.len == len
           && ngx_tolower(header->key.data[0]) == ngx_tolower(name[0])
           && ngx_strncasecmp(header->key.data, (u_char *) name, len) == 0;
}


/* a list is gone through once: most headers have no name's length */

static void
ngx_http_modelguard_headers_clear(ngx_list_t *headers, const ngx_str_t *names)
{
    uint64_t          lens;
    ngx_uint_t        i;
    const ngx_str_t  *name;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    lens = 0;

    for (name = names; name->len; name++) {
        lens |= (uint64_t) 1 << name->len % 64;
    }

    for (part = &headers->part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (header[i].hash == 0
                || (lens >> header[i].key.len % 64 & 1) == 0)
            {
                continue;
            }

            for (name = names; name->len; name++) {

                if (ngx_http_modelguard_headers_is(&header[i],
                                                   (char *) name->data,
                                                   name->len))
                {
                    header[i].hash = 0;
                    break;
                }
            }
        }
    }
}
