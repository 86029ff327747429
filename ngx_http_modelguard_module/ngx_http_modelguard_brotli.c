
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_brotli.h"


#if (NGX_HTTP_MODELGUARD_BROTLI)


#include <brotli/decode.h>


typedef struct {
    BrotliDecoderState  *state;
    unsigned             whole:1;
} ngx_http_modelguard_brotli_t;


static void *ngx_http_modelguard_brotli_create(ngx_pool_t *pool);
static ngx_int_t ngx_http_modelguard_brotli_decode(void *data,
    ngx_http_modelguard_codec_io_t *io);
static ngx_int_t ngx_http_modelguard_brotli_error(
    ngx_http_modelguard_brotli_t *b, ngx_http_modelguard_codec_io_t *io);
static ngx_uint_t ngx_http_modelguard_brotli_whole(void *data);
static void ngx_http_modelguard_brotli_free(void *data);
static void *ngx_http_modelguard_brotli_alloc(void *opaque, size_t size);
static void ngx_http_modelguard_brotli_release(void *opaque, void *address);


const ngx_http_modelguard_codec_t  ngx_http_modelguard_brotli = {
    ngx_http_modelguard_brotli_create,
    ngx_http_modelguard_brotli_decode,
    ngx_http_modelguard_brotli_whole,
    ngx_http_modelguard_brotli_free
};


/*
 * The library allocates and frees with every block of the body, and a pool
 * takes nothing small back: an endless stream would grow without bound.  Its
 * windows are up to 16 MB: the larger ones that are not RFC 7932's are off
 * unless asked for.
 */

static void *
ngx_http_modelguard_brotli_create(ngx_pool_t *pool)
{
    ngx_http_modelguard_brotli_t  *b;

    b = ngx_pcalloc(pool, sizeof(ngx_http_modelguard_brotli_t));
    if (b == NULL) {
        return NULL;
    }

    b->state = BrotliDecoderCreateInstance(ngx_http_modelguard_brotli_alloc,
                                           ngx_http_modelguard_brotli_release,
                                           pool->log);
    if (b->state == NULL) {
        return NULL;
    }

    return b;
}


static ngx_int_t
ngx_http_modelguard_brotli_decode(void *data,
    ngx_http_modelguard_codec_io_t *io)
{
    ngx_http_modelguard_brotli_t *b = data;

    size_t               in, out;
    const uint8_t       *next;
    BrotliDecoderResult  rc;

    if (!b->whole) {
        next = io->in;
        in = io->in_last - io->in;
        out = io->out_last - io->out;

        rc = BrotliDecoderDecompressStream(b->state, &in, &next, &out,
                                           &io->out, NULL);

        io->in = io->in_last - in;

        if (rc == BROTLI_DECODER_RESULT_ERROR) {
            return ngx_http_modelguard_brotli_error(b, io);
        }

        if (rc != BROTLI_DECODER_RESULT_SUCCESS) {
            return NGX_OK;
        }

        b->whole = 1;
    }

    if (io->in != io->in_last) {
        io->error = NGX_HTTP_MODELGUARD_CODEC_GARBAGE;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_brotli_error(ngx_http_modelguard_brotli_t *b,
    ngx_http_modelguard_codec_io_t *io)
{
    BrotliDecoderErrorCode  code;

    code = BrotliDecoderGetErrorCode(b->state);

    /* the codes count down, and those of memory are in the middle */

    if (code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES
        && code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES)
    {
        io->error = NGX_HTTP_MODELGUARD_CODEC_NOMEM;

    } else {
        io->error = NGX_HTTP_MODELGUARD_CODEC_DAMAGED;
    }

    return NGX_ERROR;
}


static ngx_uint_t
ngx_http_modelguard_brotli_whole(void *data)
{
    ngx_http_modelguard_brotli_t *b = data;

    return b->whole;
}


static void
ngx_http_modelguard_brotli_free(void *data)
{
    ngx_http_modelguard_brotli_t *b = data;

    BrotliDecoderDestroyInstance(b->state);
    b->state = NULL;
}


static void *
ngx_http_modelguard_brotli_alloc(void *opaque, size_t size)
{
    return ngx_alloc(size, opaque);
}


static void
ngx_http_modelguard_brotli_release(void *opaque, void *address)
{
    ngx_free(address);
}


#endif /* NGX_HTTP_MODELGUARD_BROTLI */
