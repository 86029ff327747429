
/*
 * Copyright (C) the modelguard authors
 */


#include <zlib.h>

#include "ngx_http_modelguard_zlib.h"


#define NGX_HTTP_MODELGUARD_ZLIB_GZIP  (MAX_WBITS + 16)
#define NGX_HTTP_MODELGUARD_ZLIB_ZLIB  MAX_WBITS
#define NGX_HTTP_MODELGUARD_ZLIB_RAW   (-MAX_WBITS)

#define NGX_HTTP_MODELGUARD_ZLIB_HEAD  2    /* RFC 1950: CMF and FLG */


typedef struct {
    z_stream    stream;

    /* of deflate: what tells its two formats apart, and is then decoded */

    u_char      head[NGX_HTTP_MODELGUARD_ZLIB_HEAD];
    ngx_uint_t  nhead;
    ngx_uint_t  head_used;

    unsigned    gzip:1;
    unsigned    ready:1;        /* the stream is initialized */
    unsigned    whole:1;        /* at the end of a member, or of all */
} ngx_http_modelguard_zlib_t;


static void *ngx_http_modelguard_zlib_create_gzip(ngx_pool_t *pool);
static void *ngx_http_modelguard_zlib_create_deflate(ngx_pool_t *pool);
static ngx_int_t ngx_http_modelguard_zlib_init(ngx_http_modelguard_zlib_t *z,
    int bits);
static ngx_int_t ngx_http_modelguard_zlib_decode(void *data,
    ngx_http_modelguard_codec_io_t *io);
static ngx_int_t ngx_http_modelguard_zlib_detect(
    ngx_http_modelguard_zlib_t *z, ngx_http_modelguard_codec_io_t *io);
static ngx_int_t ngx_http_modelguard_zlib_inflate(
    ngx_http_modelguard_zlib_t *z, ngx_http_modelguard_codec_io_t *io);
static ngx_int_t ngx_http_modelguard_zlib_step(ngx_http_modelguard_zlib_t *z,
    ngx_http_modelguard_codec_io_t *io);
static ngx_uint_t ngx_http_modelguard_zlib_whole(void *data);
static void ngx_http_modelguard_zlib_free(void *data);
static void *ngx_http_modelguard_zlib_alloc(void *opaque, u_int items,
    u_int size);
static void ngx_http_modelguard_zlib_release(void *opaque, void *address);


const ngx_http_modelguard_codec_t  ngx_http_modelguard_zlib_gzip = {
    ngx_http_modelguard_zlib_create_gzip,
    ngx_http_modelguard_zlib_decode,
    ngx_http_modelguard_zlib_whole,
    ngx_http_modelguard_zlib_free
};


const ngx_http_modelguard_codec_t  ngx_http_modelguard_zlib_deflate = {
    ngx_http_modelguard_zlib_create_deflate,
    ngx_http_modelguard_zlib_decode,
    ngx_http_modelguard_zlib_whole,
    ngx_http_modelguard_zlib_free
};


static void *
ngx_http_modelguard_zlib_create_gzip(ngx_pool_t *pool)
{
    ngx_http_modelguard_zlib_t  *z;

    z = ngx_http_modelguard_zlib_create_deflate(pool);
    if (z == NULL) {
        return NULL;
    }

    z->gzip = 1;

    if (ngx_http_modelguard_zlib_init(z, NGX_HTTP_MODELGUARD_ZLIB_GZIP)
        != NGX_OK)
    {
        return NULL;
    }

    return z;
}


static void *
ngx_http_modelguard_zlib_create_deflate(ngx_pool_t *pool)
{
    ngx_http_modelguard_zlib_t  *z;

    z = ngx_pcalloc(pool, sizeof(ngx_http_modelguard_zlib_t));
    if (z == NULL) {
        return NULL;
    }

    z->stream.zalloc = ngx_http_modelguard_zlib_alloc;
    z->stream.zfree = ngx_http_modelguard_zlib_release;
    z->stream.opaque = pool;

    return z;
}


static ngx_int_t
ngx_http_modelguard_zlib_init(ngx_http_modelguard_zlib_t *z, int bits)
{
    if (inflateInit2(&z->stream, bits) != Z_OK) {
        return NGX_ERROR;
    }

    z->ready = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_zlib_decode(void *data,
    ngx_http_modelguard_codec_io_t *io)
{
    ngx_http_modelguard_zlib_t *z = data;

    u_char     *in, *in_last;
    ngx_int_t   rc;

    if (!z->ready) {
        rc = ngx_http_modelguard_zlib_detect(z, io);

        if (rc != NGX_OK) {
            return (rc == NGX_AGAIN) ? NGX_OK : NGX_ERROR;
        }
    }

    if (z->head_used < z->nhead) {
        in = io->in;
        in_last = io->in_last;

        io->in = z->head + z->head_used;
        io->in_last = z->head + z->nhead;

        rc = ngx_http_modelguard_zlib_inflate(z, io);

        z->head_used = io->in - z->head;

        io->in = in;
        io->in_last = in_last;

        if (rc != NGX_OK || z->head_used < z->nhead) {
            return rc;
        }
    }

    return ngx_http_modelguard_zlib_inflate(z, io);
}


/*
 * The first two bytes of RFC 1950 are a multiple of 31, and its method is 8.
 * To RFC 1951 these four bits are those of a stored block with padding that
 * is not zero, which no encoder writes.
 */

static ngx_int_t
ngx_http_modelguard_zlib_detect(ngx_http_modelguard_zlib_t *z,
    ngx_http_modelguard_codec_io_t *io)
{
    int  bits;

    while (z->nhead < NGX_HTTP_MODELGUARD_ZLIB_HEAD) {

        if (io->in == io->in_last) {
            return NGX_AGAIN;
        }

        z->head[z->nhead++] = *io->in++;
    }

    if ((z->head[0] & 0x0f) == Z_DEFLATED
        && (z->head[0] * 256 + z->head[1]) % 31 == 0)
    {
        bits = NGX_HTTP_MODELGUARD_ZLIB_ZLIB;

    } else {
        bits = NGX_HTTP_MODELGUARD_ZLIB_RAW;
    }

    if (ngx_http_modelguard_zlib_init(z, bits) != NGX_OK) {
        io->error = NGX_HTTP_MODELGUARD_CODEC_NOMEM;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_zlib_inflate(ngx_http_modelguard_zlib_t *z,
    ngx_http_modelguard_codec_io_t *io)
{
    ngx_int_t  rc;

    for ( ;; ) {

        if (z->whole) {

            if (io->in == io->in_last) {
                return NGX_OK;
            }

            if (!z->gzip) {
                io->error = NGX_HTTP_MODELGUARD_CODEC_GARBAGE;
                return NGX_ERROR;
            }

            /* what follows has to be another member */

            (void) inflateReset(&z->stream);

            z->whole = 0;
        }

        rc = ngx_http_modelguard_zlib_step(z, io);

        if (rc != NGX_AGAIN) {
            return rc;
        }
    }
}


/* NGX_AGAIN at the end of a member */

static ngx_int_t
ngx_http_modelguard_zlib_step(ngx_http_modelguard_zlib_t *z,
    ngx_http_modelguard_codec_io_t *io)
{
    int  rc;

    /* zlib counts in 32 bits; what is left over comes with the next call */

    z->stream.next_in = io->in;
    z->stream.avail_in = (u_int) ngx_min((size_t) (io->in_last - io->in),
                                         NGX_MAX_INT32_VALUE);
    z->stream.next_out = io->out;
    z->stream.avail_out = (u_int) (io->out_last - io->out);

    rc = inflate(&z->stream, Z_NO_FLUSH);

    io->in = z->stream.next_in;
    io->out = z->stream.next_out;

    switch (rc) {

    case Z_STREAM_END:
        z->whole = 1;
        return NGX_AGAIN;

    case Z_OK:
    case Z_BUF_ERROR:
        return NGX_OK;

    case Z_MEM_ERROR:
        io->error = NGX_HTTP_MODELGUARD_CODEC_NOMEM;
        return NGX_ERROR;

    default: /* Z_DATA_ERROR, Z_NEED_DICT */
        io->error = NGX_HTTP_MODELGUARD_CODEC_DAMAGED;
        return NGX_ERROR;
    }
}


static ngx_uint_t
ngx_http_modelguard_zlib_whole(void *data)
{
    ngx_http_modelguard_zlib_t *z = data;

    return z->whole;
}


static void
ngx_http_modelguard_zlib_free(void *data)
{
    ngx_http_modelguard_zlib_t *z = data;

    if (z->ready) {
        (void) inflateEnd(&z->stream);
        z->ready = 0;
    }
}


/*
 * The state and the window: two allocations for all members, and both too big
 * for the small ones of a pool, so that they can be freed early.
 */

static void *
ngx_http_modelguard_zlib_alloc(void *opaque, u_int items, u_int size)
{
    return ngx_palloc(opaque, (size_t) items * size);
}


static void
ngx_http_modelguard_zlib_release(void *opaque, void *address)
{
    (void) ngx_pfree(opaque, address);
}
