
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_memory.h"


/* where every use of freed memory is to be seen, nothing is kept */

#if (NGX_DEBUG_PALLOC) || defined(__SANITIZE_ADDRESS__)
#define NGX_HTTP_MODELGUARD_MEMORY_LIMIT  0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NGX_HTTP_MODELGUARD_MEMORY_LIMIT  0
#endif
#endif

#ifndef NGX_HTTP_MODELGUARD_MEMORY_LIMIT
#define NGX_HTTP_MODELGUARD_MEMORY_LIMIT  NGX_HTTP_MODELGUARD_MEMORY_KEPT
#endif


/* stands before its bytes, which are aligned as those of malloc() */

typedef union {

    struct {
        ngx_queue_t                    queue;
        ngx_uint_t                     class;
    } in;

    u_char                             align[2 * NGX_POOL_ALIGNMENT];
} ngx_http_modelguard_block_t;


struct ngx_http_modelguard_memory_s {
    size_t                             kept;
    ngx_uint_t                         hand;
    ngx_queue_t                        free[NGX_HTTP_MODELGUARD_MEMORY_CLASSES];
};


static void *ngx_http_modelguard_memory_take(
    ngx_http_modelguard_blocks_t *blocks, ngx_uint_t class);
static void ngx_http_modelguard_memory_give(
    ngx_http_modelguard_memory_t *memory, ngx_http_modelguard_block_t *block);
static void ngx_http_modelguard_memory_drop(
    ngx_http_modelguard_memory_t *memory, size_t limit);
static void ngx_http_modelguard_memory_cleanup(void *data);


ngx_http_modelguard_memory_t *
ngx_http_modelguard_memory_create(ngx_conf_t *cf)
{
    ngx_uint_t                     i;
    ngx_pool_cleanup_t            *cln;
    ngx_http_modelguard_memory_t  *memory;

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_http_modelguard_memory_t));
    if (cln == NULL) {
        return NULL;
    }

    memory = cln->data;

    memory->kept = 0;
    memory->hand = 0;

    for (i = 0; i < NGX_HTTP_MODELGUARD_MEMORY_CLASSES; i++) {
        ngx_queue_init(&memory->free[i]);
    }

    cln->handler = ngx_http_modelguard_memory_cleanup;

    return memory;
}


void
ngx_http_modelguard_memory_init(ngx_http_modelguard_blocks_t *blocks,
    ngx_http_modelguard_memory_t *memory, ngx_pool_t *pool)
{
    blocks->pool = pool;
    blocks->memory = memory;

    ngx_queue_init(&blocks->blocks);
}


void *
ngx_http_modelguard_memory_alloc(void *data, void *old, size_t old_size,
    size_t size)
{
    ngx_http_modelguard_blocks_t *blocks = data;

    void                         *p;
    ngx_http_modelguard_block_t  *block;

    p = NULL;

    if (size) {

        if (old && size <= old_size) {
            return old;
        }

        if (size < NGX_HTTP_MODELGUARD_MEMORY_UNIT
            || size > NGX_HTTP_MODELGUARD_MEMORY_MAX)
        {
            p = ngx_palloc(blocks->pool, size);

        } else {
            p = ngx_http_modelguard_memory_take(blocks,
                                 (size - 1) / NGX_HTTP_MODELGUARD_MEMORY_UNIT);
        }

        if (p == NULL) {
            return NULL;
        }

        if (old) {
            ngx_memcpy(p, old, old_size);
        }
    }

    if (old == NULL || old_size < NGX_HTTP_MODELGUARD_MEMORY_UNIT) {
        return p;
    }

    if (old_size > NGX_HTTP_MODELGUARD_MEMORY_MAX) {
        (void) ngx_pfree(blocks->pool, old);
        return p;
    }

    block = (ngx_http_modelguard_block_t *) old - 1;

    ngx_queue_remove(&block->in.queue);

    ngx_http_modelguard_memory_give(blocks->memory, block);

    return p;
}


void
ngx_http_modelguard_memory_free(ngx_http_modelguard_blocks_t *blocks)
{
    ngx_queue_t                  *q;
    ngx_http_modelguard_block_t  *block;

    while (!ngx_queue_empty(&blocks->blocks)) {

        q = ngx_queue_head(&blocks->blocks);
        ngx_queue_remove(q);

        block = ngx_queue_data(q, ngx_http_modelguard_block_t, in.queue);

        ngx_http_modelguard_memory_give(blocks->memory, block);
    }
}


static void *
ngx_http_modelguard_memory_take(ngx_http_modelguard_blocks_t *blocks,
    ngx_uint_t class)
{
    size_t                         size;
    ngx_queue_t                   *q;
    ngx_http_modelguard_block_t   *block;
    ngx_http_modelguard_memory_t  *memory;

    memory = blocks->memory;
    size = (class + 1) * NGX_HTTP_MODELGUARD_MEMORY_UNIT;

    if (!ngx_queue_empty(&memory->free[class])) {

        /* the one that was used last is in the processor's cache */

        q = ngx_queue_head(&memory->free[class]);
        ngx_queue_remove(q);

        block = ngx_queue_data(q, ngx_http_modelguard_block_t, in.queue);

        memory->kept -= size;

    } else {
        block = ngx_alloc(sizeof(ngx_http_modelguard_block_t) + size,
                          blocks->pool->log);
        if (block == NULL) {
            return NULL;
        }

        block->in.class = class;
    }

    ngx_queue_insert_head(&blocks->blocks, &block->in.queue);

    return block + 1;
}


static void
ngx_http_modelguard_memory_give(ngx_http_modelguard_memory_t *memory,
    ngx_http_modelguard_block_t *block)
{
    ngx_queue_insert_head(&memory->free[block->in.class], &block->in.queue);

    memory->kept += (block->in.class + 1) * NGX_HTTP_MODELGUARD_MEMORY_UNIT;

    if (memory->kept > NGX_HTTP_MODELGUARD_MEMORY_LIMIT) {
        ngx_http_modelguard_memory_drop(memory,
                                        NGX_HTTP_MODELGUARD_MEMORY_LIMIT);
    }
}


/* class after class, so that sizes nobody asks for any more go, too */

static void
ngx_http_modelguard_memory_drop(ngx_http_modelguard_memory_t *memory,
    size_t limit)
{
    ngx_queue_t                  *q;
    ngx_http_modelguard_block_t  *block;

    while (memory->kept > limit) {

        memory->hand = (memory->hand + 1) % NGX_HTTP_MODELGUARD_MEMORY_CLASSES;

        if (ngx_queue_empty(&memory->free[memory->hand])) {
            continue;
        }

        q = ngx_queue_last(&memory->free[memory->hand]);
        ngx_queue_remove(q);

        memory->kept -= (memory->hand + 1) * NGX_HTTP_MODELGUARD_MEMORY_UNIT;

        block = ngx_queue_data(q, ngx_http_modelguard_block_t, in.queue);

        ngx_free(block);
    }
}


static void
ngx_http_modelguard_memory_cleanup(void *data)
{
    ngx_http_modelguard_memory_drop(data, 0);
}
