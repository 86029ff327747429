
/*
 * Copyright (C) the modelguard authors
 *
 * The large blocks of a response: its rewriter, what that holds, and bufs.
 * nginx's pools give such to malloc() and free() with each request, and the
 * C library gives the end of its heap back to the kernel each time, and has
 * it filled with zeros again.  A worker keeps some instead, for the response
 * that comes next.
 */


#ifndef NGX_HTTP_MODELGUARD_MEMORY_H_INCLUDED
#define NGX_HTTP_MODELGUARD_MEMORY_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* what is smaller is of the pool, what is larger is not kept; in bytes */

#define NGX_HTTP_MODELGUARD_MEMORY_UNIT     1024
#define NGX_HTTP_MODELGUARD_MEMORY_CLASSES  64
#define NGX_HTTP_MODELGUARD_MEMORY_MAX                                        \
    (NGX_HTTP_MODELGUARD_MEMORY_UNIT * NGX_HTTP_MODELGUARD_MEMORY_CLASSES)

/* the most that a worker keeps, in bytes */

#define NGX_HTTP_MODELGUARD_MEMORY_KEPT     (256 * 1024)


typedef struct ngx_http_modelguard_memory_s  ngx_http_modelguard_memory_t;


/* the blocks of one response */

typedef struct {
    ngx_pool_t                    *pool;
    ngx_http_modelguard_memory_t  *memory;
    ngx_queue_t                    blocks;
} ngx_http_modelguard_blocks_t;


/* what a worker keeps, in the cycle's pool; or NULL */

ngx_http_modelguard_memory_t *ngx_http_modelguard_memory_create(
    ngx_conf_t *cf);

/*
 * No blocks yet.  All of them are to be freed with the pool at the latest, by
 * ngx_http_modelguard_memory_free().
 */

void ngx_http_modelguard_memory_init(ngx_http_modelguard_blocks_t *blocks,
    ngx_http_modelguard_memory_t *memory, ngx_pool_t *pool);

/* modelguard_alloc_pt, "data" being ngx_http_modelguard_blocks_t */

void *ngx_http_modelguard_memory_alloc(void *data, void *old, size_t old_size,
    size_t size);

/* frees all that are left */

void ngx_http_modelguard_memory_free(ngx_http_modelguard_blocks_t *blocks);


#endif /* NGX_HTTP_MODELGUARD_MEMORY_H_INCLUDED */
