
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_coding.h"
#include "ngx_http_modelguard_codec.h"
#include "ngx_http_modelguard_brotli.h"
#include "ngx_http_modelguard_zlib.h"
#include "ngx_http_modelguard_zstd.h"


#ifndef NGX_HTTP_MODELGUARD_CODING_BUF
#define NGX_HTTP_MODELGUARD_CODING_BUF  32768
#endif


typedef struct {
    ngx_str_t                           name;
    ngx_http_modelguard_coding_e        coding;
    const ngx_http_modelguard_codec_t  *codec;
} ngx_http_modelguard_coding_name_t;


struct ngx_http_modelguard_coding_s {
    const ngx_http_modelguard_codec_t  *codec;
    void                               *data;      /* NULL when freed */
    ngx_pool_t                         *pool;
    u_char                             *buf;
    off_t                               limit;     /* 0: none */
    off_t                               total;     /* of output */
    const char                         *error;     /* NULL: none */
    unsigned                            fed:1;
    unsigned                            full:1;    /* the output was filled:
                                                      there may be more */
};


static ngx_uint_t ngx_http_modelguard_coding_is(ngx_table_elt_t *header);
static ngx_http_modelguard_coding_e ngx_http_modelguard_coding_add(
    ngx_http_modelguard_coding_e coding, ngx_str_t *value);
static ngx_http_modelguard_coding_e ngx_http_modelguard_coding_name(
    u_char *name, size_t len);
static ngx_int_t ngx_http_modelguard_coding_step(
    ngx_http_modelguard_coding_t *coding, u_char **pos, u_char *last,
    ngx_str_t *out);
static ngx_int_t ngx_http_modelguard_coding_fail(
    ngx_http_modelguard_coding_t *coding, const char *error);
static void ngx_http_modelguard_coding_cleanup(void *data);


static ngx_http_modelguard_coding_name_t  ngx_http_modelguard_codings[] = {
    { ngx_string("gzip"), NGX_HTTP_MODELGUARD_CODING_GZIP,
      &ngx_http_modelguard_zlib_gzip },
    { ngx_string("x-gzip"), NGX_HTTP_MODELGUARD_CODING_GZIP,
      &ngx_http_modelguard_zlib_gzip },
    { ngx_string("deflate"), NGX_HTTP_MODELGUARD_CODING_DEFLATE,
      &ngx_http_modelguard_zlib_deflate },
#if (NGX_HTTP_MODELGUARD_BROTLI)
    { ngx_string("br"), NGX_HTTP_MODELGUARD_CODING_BR,
      &ngx_http_modelguard_brotli },
#endif
#if (NGX_HTTP_MODELGUARD_ZSTD)
    { ngx_string("zstd"), NGX_HTTP_MODELGUARD_CODING_ZSTD,
      &ngx_http_modelguard_zstd },
#endif
    { ngx_string("identity"), NGX_HTTP_MODELGUARD_CODING_NONE, NULL },
    { ngx_null_string, NGX_HTTP_MODELGUARD_CODING_UNKNOWN, NULL }
};


ngx_http_modelguard_coding_e
ngx_http_modelguard_coding_of(ngx_http_request_t *r)
{
    ngx_uint_t                     i;
    ngx_list_part_t               *part;
    ngx_table_elt_t               *header, *known;
    ngx_http_modelguard_coding_e   coding;

    coding = NGX_HTTP_MODELGUARD_CODING_NONE;
    known = r->headers_out.content_encoding;

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (header[i].hash == 0
                || !ngx_http_modelguard_coding_is(&header[i]))
            {
                continue;
            }

            coding = ngx_http_modelguard_coding_add(coding, &header[i].value);

            if (known == &header[i]) {
                known = NULL;
            }
        }
    }

    if (known && known->hash) {
        coding = ngx_http_modelguard_coding_add(coding, &known->value);
    }

    return coding;
}


void
ngx_http_modelguard_coding_clear(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (ngx_http_modelguard_coding_is(&header[i])) {
                header[i].hash = 0;
            }
        }
    }

    if (r->headers_out.content_encoding) {
        r->headers_out.content_encoding->hash = 0;
        r->headers_out.content_encoding = NULL;
    }
}


static ngx_uint_t
ngx_http_modelguard_coding_is(ngx_table_elt_t *header)
{
    return header->key.len == sizeof("Content-Encoding") - 1
           && ngx_strncasecmp(header->key.data, (u_char *) "Content-Encoding",
                              sizeof("Content-Encoding") - 1)
              == 0;
}


/* the elements of a header's value, to those that were seen before */

static ngx_http_modelguard_coding_e
ngx_http_modelguard_coding_add(ngx_http_modelguard_coding_e coding,
    ngx_str_t *value)
{
    u_char                        *p, *last, *name, *end;
    ngx_http_modelguard_coding_e   next;

    p = value->data;
    last = p + value->len;

    for ( /* void */ ; p < last; p++) {

        while (p < last && (*p == ' ' || *p == '\t')) {
            p++;
        }

        name = p;

        while (p < last && *p != ',') {
            p++;
        }

        end = p;

        while (end > name && (end[-1] == ' ' || end[-1] == '\t')) {
            end--;
        }

        if (end == name) {
            continue;
        }

        next = ngx_http_modelguard_coding_name(name, end - name);

        if (next == NGX_HTTP_MODELGUARD_CODING_NONE) {
            continue;
        }

        if (coding != NGX_HTTP_MODELGUARD_CODING_NONE) {
            return NGX_HTTP_MODELGUARD_CODING_UNKNOWN;
        }

        coding = next;
    }

    return coding;
}


static ngx_http_modelguard_coding_e
ngx_http_modelguard_coding_name(u_char *name, size_t len)
{
    ngx_http_modelguard_coding_name_t  *known;

    for (known = ngx_http_modelguard_codings; known->name.len; known++) {

        if (known->name.len == len
            && ngx_strncasecmp(known->name.data, name, len) == 0)
        {
            break;
        }
    }

    return known->coding;
}


ngx_http_modelguard_coding_t *
ngx_http_modelguard_coding_create(ngx_http_request_t *r,
    ngx_http_modelguard_coding_e coding, off_t limit)
{
    ngx_pool_cleanup_t                 *cln;
    ngx_http_modelguard_coding_t       *c;
    ngx_http_modelguard_coding_name_t  *known;

    known = ngx_http_modelguard_codings;

    while (known->coding != coding) {
        known++;
    }

    if (known->codec == NULL) {
        return NULL;
    }

    c = ngx_pcalloc(r->pool, sizeof(ngx_http_modelguard_coding_t));
    if (c == NULL) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    c->buf = ngx_palloc(r->pool, NGX_HTTP_MODELGUARD_CODING_BUF);
    if (c->buf == NULL) {
        return NULL;
    }

    c->codec = known->codec;
    c->pool = r->pool;
    c->limit = limit;

    c->data = c->codec->create(r->pool);
    if (c->data == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_modelguard_coding_cleanup;
    cln->data = c;

    return c;
}


ngx_int_t
ngx_http_modelguard_coding_decode(ngx_http_modelguard_coding_t *coding,
    u_char **pos, u_char *last, ngx_str_t *out)
{
    ngx_int_t  rc;

    if (coding->error || coding->data == NULL) {
        return NGX_ERROR;
    }

    while (*pos < last || coding->full) {

        rc = ngx_http_modelguard_coding_step(coding, pos, last, out);

        if (rc != NGX_AGAIN) {
            return rc;
        }
    }

    return NGX_AGAIN;
}


/* one call of the library; NGX_AGAIN: there was no output */

static ngx_int_t
ngx_http_modelguard_coding_step(ngx_http_modelguard_coding_t *coding,
    u_char **pos, u_char *last, ngx_str_t *out)
{
    off_t                           size;
    ngx_http_modelguard_codec_io_t  io;

    size = NGX_HTTP_MODELGUARD_CODING_BUF;

    /* one byte more than the limit allows, to see whether there is one */

    if (coding->limit && size > coding->limit - coding->total) {
        size = coding->limit - coding->total + 1;
    }

    io.in = *pos;
    io.in_last = last;
    io.out = coding->buf;
    io.out_last = coding->buf + size;
    io.error = NULL;

    if (*pos < last) {
        coding->fed = 1;
    }

    if (coding->codec->decode(coding->data, &io) != NGX_OK) {
        return ngx_http_modelguard_coding_fail(coding, io.error);
    }

    out->data = coding->buf;
    out->len = io.out - coding->buf;

    coding->total += out->len;

    if (coding->limit && coding->total > coding->limit) {
        return ngx_http_modelguard_coding_fail(coding,
                        "it decodes to more than \"modelguard_inflate_size\"");
    }

    if (out->len == 0 && io.in == *pos && io.in < last) {
        return ngx_http_modelguard_coding_fail(coding,
                                           NGX_HTTP_MODELGUARD_CODEC_DAMAGED);
    }

    *pos = io.in;
    coding->full = (io.out == io.out_last);

    return out->len ? NGX_OK : NGX_AGAIN;
}


/* a decoder that failed has nothing to keep its memory for */

static ngx_int_t
ngx_http_modelguard_coding_fail(ngx_http_modelguard_coding_t *coding,
    const char *error)
{
    coding->error = error;

    ngx_http_modelguard_coding_free(coding);

    return NGX_ERROR;
}


ngx_int_t
ngx_http_modelguard_coding_finish(ngx_http_modelguard_coding_t *coding)
{
    if (coding->error || coding->data == NULL) {
        return NGX_ERROR;
    }

    /* no body at all is no coded body */

    if (coding->fed && !coding->codec->whole(coding->data)) {
        return ngx_http_modelguard_coding_fail(coding,
                                          "its content coding ends too early");
    }

    return NGX_OK;
}


const char *
ngx_http_modelguard_coding_error(const ngx_http_modelguard_coding_t *coding)
{
    return coding->error ? coding->error : "its content coding is undone";
}


void
ngx_http_modelguard_coding_free(ngx_http_modelguard_coding_t *coding)
{
    if (coding->data == NULL) {
        return;
    }

    coding->codec->free(coding->data);
    coding->data = NULL;

    (void) ngx_pfree(coding->pool, coding->buf);
    coding->buf = NULL;
}


static void
ngx_http_modelguard_coding_cleanup(void *data)
{
    ngx_http_modelguard_coding_free(data);
}
