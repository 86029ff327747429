
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_zstd.h"


#if (NGX_HTTP_MODELGUARD_ZSTD)


#include <zstd.h>
#include <zstd_errors.h>


/* RFC 9659: as a content coding, zstd has windows of up to 8 MB */

#define NGX_HTTP_MODELGUARD_ZSTD_WINDOW  23


typedef struct {
    ZSTD_DStream  *stream;
    unsigned       whole:1;     /* at the end of a frame */
} ngx_http_modelguard_zstd_t;


static void *ngx_http_modelguard_zstd_create(ngx_pool_t *pool);
static ngx_int_t ngx_http_modelguard_zstd_decode(void *data,
    ngx_http_modelguard_codec_io_t *io);
static ngx_int_t ngx_http_modelguard_zstd_error(size_t code,
    ngx_http_modelguard_codec_io_t *io);
static ngx_uint_t ngx_http_modelguard_zstd_whole(void *data);
static void ngx_http_modelguard_zstd_free(void *data);


const ngx_http_modelguard_codec_t  ngx_http_modelguard_zstd = {
    ngx_http_modelguard_zstd_create,
    ngx_http_modelguard_zstd_decode,
    ngx_http_modelguard_zstd_whole,
    ngx_http_modelguard_zstd_free
};


static void *
ngx_http_modelguard_zstd_create(ngx_pool_t *pool)
{
    size_t                       rc;
    ngx_http_modelguard_zstd_t  *z;

    z = ngx_pcalloc(pool, sizeof(ngx_http_modelguard_zstd_t));
    if (z == NULL) {
        return NULL;
    }

    z->stream = ZSTD_createDStream();
    if (z->stream == NULL) {
        return NULL;
    }

    rc = ZSTD_DCtx_setParameter(z->stream, ZSTD_d_windowLogMax,
                                NGX_HTTP_MODELGUARD_ZSTD_WINDOW);
    if (ZSTD_isError(rc)) {
        ngx_http_modelguard_zstd_free(z);
        return NULL;
    }

    return z;
}


static ngx_int_t
ngx_http_modelguard_zstd_decode(void *data,
    ngx_http_modelguard_codec_io_t *io)
{
    ngx_http_modelguard_zstd_t *z = data;

    size_t          rc;
    ZSTD_inBuffer   in;
    ZSTD_outBuffer  out;

    in.src = io->in;
    in.size = io->in_last - io->in;
    in.pos = 0;

    out.dst = io->out;
    out.size = io->out_last - io->out;
    out.pos = 0;

    /* it stops at the end of each frame */

    while (in.pos < in.size || !z->whole) {

        rc = ZSTD_decompressStream(z->stream, &out, &in);

        if (ZSTD_isError(rc)) {
            return ngx_http_modelguard_zstd_error(rc, io);
        }

        z->whole = (rc == 0);

        if (!z->whole) {
            break;
        }
    }

    io->in += in.pos;
    io->out += out.pos;

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_zstd_error(size_t code,
    ngx_http_modelguard_codec_io_t *io)
{
    switch (ZSTD_getErrorCode(code)) {

    case ZSTD_error_memory_allocation:
        io->error = NGX_HTTP_MODELGUARD_CODEC_NOMEM;
        break;

    case ZSTD_error_frameParameter_windowTooLarge:
        io->error = "its zstd window is over 8 MB";
        break;

    default:
        io->error = NGX_HTTP_MODELGUARD_CODEC_DAMAGED;
    }

    return NGX_ERROR;
}


static ngx_uint_t
ngx_http_modelguard_zstd_whole(void *data)
{
    ngx_http_modelguard_zstd_t *z = data;

    return z->whole;
}


static void
ngx_http_modelguard_zstd_free(void *data)
{
    ngx_http_modelguard_zstd_t *z = data;

    (void) ZSTD_freeDStream(z->stream);
    z->stream = NULL;
}


#endif /* NGX_HTTP_MODELGUARD_ZSTD */
