
/*
 * Copyright (C) the modelguard authors
 *
 * Content codings of a response, undone: gzip and deflate through zlib, and
 * br and zstd where the build found their libraries.
 */


#ifndef NGX_HTTP_MODELGUARD_CODING_H_INCLUDED
#define NGX_HTTP_MODELGUARD_CODING_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


typedef struct ngx_http_modelguard_coding_s  ngx_http_modelguard_coding_t;


typedef enum {
    NGX_HTTP_MODELGUARD_CODING_NONE = 0,     /* none, or identity */
    NGX_HTTP_MODELGUARD_CODING_GZIP,         /* gzip, x-gzip */
    NGX_HTTP_MODELGUARD_CODING_DEFLATE,      /* zlib's format, or raw */
    NGX_HTTP_MODELGUARD_CODING_BR,
    NGX_HTTP_MODELGUARD_CODING_ZSTD,
    NGX_HTTP_MODELGUARD_CODING_UNKNOWN       /* none of these, more than one,
                                                or not in this build */
} ngx_http_modelguard_coding_e;


/*
 * The coding of a response, from all its Content-Encoding headers: for each
 * element of headers_out.headers of that name which is in force (hash not 0)
 * and r->headers_out.content_encoding.
 */

ngx_http_modelguard_coding_e ngx_http_modelguard_coding_of(
    ngx_http_request_t *r);

/* takes all its Content-Encoding headers out of a response */

void ngx_http_modelguard_coding_clear(ngx_http_request_t *r);

/*
 * A decoder for one body in r->pool, freed by a cleanup of the pool at the
 * latest.  "coding" is GZIP, DEFLATE, BR or ZSTD; "limit" is the most bytes
 * of output, 0 for no limit.  NULL if there is no memory.
 */

ngx_http_modelguard_coding_t *ngx_http_modelguard_coding_create(
    ngx_http_request_t *r, ngx_http_modelguard_coding_e coding, off_t limit);

/*
 * Decodes some of [*pos, last), moving *pos.  NGX_OK: *out is set to output
 * in a buffer of the decoder (of up to 32 KB), valid until the next call,
 * never empty; call again, also when *pos has come to "last".  NGX_AGAIN: all
 * input is used up and there is no more output.  NGX_ERROR: damaged, over
 * the limit or no memory, see _error(); errors stay.
 */

ngx_int_t ngx_http_modelguard_coding_decode(
    ngx_http_modelguard_coding_t *coding, u_char **pos, u_char *last,
    ngx_str_t *out);

/* the end of the input: NGX_OK if the coded body was whole, or NGX_ERROR */

ngx_int_t ngx_http_modelguard_coding_finish(
    ngx_http_modelguard_coding_t *coding);

/* a sentence without capital and period for the log, constant */

const char *ngx_http_modelguard_coding_error(
    const ngx_http_modelguard_coding_t *coding);

/* frees what the decoder holds now instead of with the pool */

void ngx_http_modelguard_coding_free(ngx_http_modelguard_coding_t *coding);


#endif /* NGX_HTTP_MODELGUARD_CODING_H_INCLUDED */
