
/*
 * Copyright (C) the modelguard authors
 *
 * What the decoders of the libraries have in common.  Each library is behind
 * one file: zlib, brotli, zstd.
 */


#ifndef NGX_HTTP_MODELGUARD_CODEC_H_INCLUDED
#define NGX_HTTP_MODELGUARD_CODEC_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>


/* sentences for the log, as ngx_http_modelguard_coding_error() has them */

#define NGX_HTTP_MODELGUARD_CODEC_DAMAGED                                     \
    "its content coding is damaged"
#define NGX_HTTP_MODELGUARD_CODEC_GARBAGE                                     \
    "its content coding is followed by other bytes"
#define NGX_HTTP_MODELGUARD_CODEC_NOMEM                                       \
    "there is no memory to undo its content coding"


/* [in, in_last) is read and [out, out_last) written, "in" and "out" move */

typedef struct {
    u_char      *in;
    u_char      *in_last;
    u_char      *out;
    u_char      *out_last;
    const char  *error;         /* set along with NGX_ERROR */
} ngx_http_modelguard_codec_io_t;


typedef struct {

    /* NULL if there is no memory */

    void       *(*create)(ngx_pool_t *pool);

    /*
     * Decodes until the input is used up or the output is full, and is called
     * without input only if it had filled the output before.  NGX_OK, or
     * NGX_ERROR, after which only free() may follow.
     */

    ngx_int_t   (*decode)(void *data, ngx_http_modelguard_codec_io_t *io);

    /* whether what has been decoded so far may be all of it */

    ngx_uint_t  (*whole)(void *data);

    void        (*free)(void *data);

} ngx_http_modelguard_codec_t;


#endif /* NGX_HTTP_MODELGUARD_CODEC_H_INCLUDED */
