
/*
 * Copyright (C) the modelguard authors
 *
 * As much of nginx's core as the files of the content codings need, for their
 * fuzz target: a pool of which every piece is the heap's own, so that the
 * sanitizer sees its ends.
 */


#ifndef NGX_CORE_H_INCLUDED
#define NGX_CORE_H_INCLUDED


#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>


#define NGX_OK       0
#define NGX_ERROR    -1
#define NGX_AGAIN    -2
#define NGX_MAX_INT32_VALUE  0x7fffffff

#define NGX_HTTP_MODELGUARD_BROTLI  1
#define NGX_HTTP_MODELGUARD_ZSTD    1

#define ngx_string(text)     { sizeof(text) - 1, (u_char *) text }
#define ngx_null_string      { 0, NULL }
#define ngx_min(a, b)        ((a) < (b) ? (a) : (b))
#define ngx_free             free
#define ngx_alloc(size, log)  ((void) (log), malloc(size))
#define ngx_strncasecmp(a, b, n)                                              \
    strncasecmp((const char *) a, (const char *) b, n)


typedef intptr_t                  ngx_int_t;
typedef uintptr_t                 ngx_uint_t;
typedef struct ngx_piece_s        ngx_piece_t;
typedef struct ngx_list_part_s    ngx_list_part_t;
typedef struct ngx_pool_cleanup_s ngx_pool_cleanup_t;


typedef struct {
    size_t                len;
    u_char               *data;
} ngx_str_t;


typedef struct {
    ngx_uint_t            hash;
    ngx_str_t             key;
    ngx_str_t             value;
} ngx_table_elt_t;


struct ngx_list_part_s {
    void                 *elts;
    ngx_uint_t            nelts;
    ngx_list_part_t      *next;
};


struct ngx_pool_cleanup_s {
    void                (*handler)(void *data);
    void                 *data;
    ngx_pool_cleanup_t   *next;
};


struct ngx_piece_s {
    ngx_piece_t          *next;
    ngx_piece_t          *prev;
};


typedef struct {
    void                 *log;
    ngx_piece_t           pieces;
    ngx_pool_cleanup_t   *cleanup;
} ngx_pool_t;


typedef struct {
    ngx_pool_t           *pool;

    struct {
        struct {
            ngx_list_part_t   part;
        } headers;

        ngx_table_elt_t  *content_encoding;
    } headers_out;
} ngx_http_request_t;


static inline void *
ngx_palloc(ngx_pool_t *pool, size_t size)
{
    ngx_piece_t  *piece;

    piece = malloc(sizeof(ngx_piece_t) + size);

    if (piece == NULL) {
        return NULL;
    }

    piece->next = pool->pieces.next;
    piece->prev = &pool->pieces;
    piece->next->prev = piece;
    pool->pieces.next = piece;

    return piece + 1;
}


static inline void *
ngx_pcalloc(ngx_pool_t *pool, size_t size)
{
    void  *p;

    p = ngx_palloc(pool, size);

    return p != NULL ? memset(p, 0, size) : NULL;
}


static inline ngx_int_t
ngx_pfree(ngx_pool_t *pool, void *p)
{
    ngx_piece_t  *piece;

    (void) pool;

    piece = (ngx_piece_t *) p - 1;
    piece->next->prev = piece->prev;
    piece->prev->next = piece->next;
    free(piece);

    return NGX_OK;
}


static inline ngx_pool_cleanup_t *
ngx_pool_cleanup_add(ngx_pool_t *pool, size_t size)
{
    ngx_pool_cleanup_t  *cln;

    (void) size;

    cln = ngx_pcalloc(pool, sizeof(ngx_pool_cleanup_t));

    if (cln != NULL) {
        cln->next = pool->cleanup;
        pool->cleanup = cln;
    }

    return cln;
}


static inline void
ngx_pool_init(ngx_pool_t *pool)
{
    memset(pool, 0, sizeof(ngx_pool_t));

    pool->pieces.next = &pool->pieces;
    pool->pieces.prev = &pool->pieces;
}


static inline void
ngx_pool_done(ngx_pool_t *pool)
{
    ngx_pool_cleanup_t  *cln;

    for (cln = pool->cleanup; cln != NULL; cln = cln->next) {

        if (cln->handler) {
            cln->handler(cln->data);
        }
    }

    while (pool->pieces.next != &pool->pieces) {
        (void) ngx_pfree(pool, pool->pieces.next + 1);
    }
}


#endif /* NGX_CORE_H_INCLUDED */
