
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_stat.h"
#include "ngx_http_modelguard_conf.h"


#define NGX_HTTP_MODELGUARD_STAT_PAGES  8   /* the least that nginx takes */


typedef struct {
    ngx_atomic_t   counts[NGX_HTTP_MODELGUARD_STATS];
} ngx_http_modelguard_stat_sh_t;


static ngx_int_t ngx_http_modelguard_stat_zone(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_http_modelguard_stat_sh_t *ngx_http_modelguard_stat(
    ngx_http_request_t *r);
static const char *ngx_http_modelguard_stat_word(ngx_uint_t which);


/* in the order of ngx_http_modelguard_stat_e, after the reasons */

static const char  *ngx_http_modelguard_stat_words[] = {
    "treated",
    "untreated",
    "blocked",
    "cut",
    "unguarded",
    "replaced",
    "allowed",
    "delayed",
    "limited",
    "banned",
    "exhausted",
    "invalid",
    "forbidden",
    "dry_run"
};


ngx_int_t
ngx_http_modelguard_stat_init(ngx_conf_t *cf)
{
    ngx_shm_zone_t                   *shm_zone;
    ngx_http_modelguard_main_conf_t  *mgmcf;

    static ngx_str_t  name = ngx_string("modelguard_stat");

    mgmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_modelguard_module);

    if (!mgmcf->used) {
        return NGX_OK;
    }

    shm_zone = ngx_shared_memory_add(cf, &name,
                                     NGX_HTTP_MODELGUARD_STAT_PAGES
                                     * ngx_pagesize,
                                     &ngx_http_modelguard_module);
    if (shm_zone == NULL) {
        return NGX_ERROR;
    }

    if (shm_zone->init) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "the name of zone \"%V\" is reserved", &name);
        return NGX_ERROR;
    }

    shm_zone->init = ngx_http_modelguard_stat_zone;

    mgmcf->stat = shm_zone;

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_stat_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_slab_pool_t                *shpool;
    ngx_http_modelguard_stat_sh_t  *sh;

    /* nginx keeps the memory of the cycle before only for the same module */

    if (data) {
        shm_zone->data = data;
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        shm_zone->data = shpool->data;
        return NGX_OK;
    }

    sh = ngx_slab_calloc(shpool, sizeof(ngx_http_modelguard_stat_sh_t));
    if (sh == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "zone \"%V\" is too small", &shm_zone->shm.name);
        return NGX_ERROR;
    }

    shpool->data = sh;
    shm_zone->data = sh;

    return NGX_OK;
}


static ngx_http_modelguard_stat_sh_t *
ngx_http_modelguard_stat(ngx_http_request_t *r)
{
    ngx_http_modelguard_main_conf_t  *mgmcf;

    mgmcf = ngx_http_get_module_main_conf(r, ngx_http_modelguard_module);

    return mgmcf->stat ? mgmcf->stat->data : NULL;
}


void
ngx_http_modelguard_stat_count(ngx_http_request_t *r,
    ngx_http_modelguard_stat_e which)
{
    ngx_http_modelguard_stat_sh_t  *sh;

    sh = ngx_http_modelguard_stat(r);

    if (sh != NULL) {
        (void) ngx_atomic_fetch_add(&sh->counts[which], 1);
    }
}


void
ngx_http_modelguard_stat_refuse(ngx_http_request_t *r,
    ngx_http_modelguard_stat_e which, ngx_http_modelguard_reason_e reason)
{
    ngx_http_modelguard_ctx_t  *ctx;

    ngx_http_modelguard_stat_count(r, which);
    ngx_http_modelguard_stat_count(r, (ngx_http_modelguard_stat_e) reason);

    ctx = ngx_http_modelguard_ctx_get(r);

    if (ctx && ctx->reason == NGX_HTTP_MODELGUARD_REASON_NONE) {
        ctx->reason = reason;
    }
}


ngx_int_t
ngx_http_modelguard_stat_find(ngx_http_request_t *r, const ngx_str_t *word,
    ngx_atomic_uint_t *count)
{
    ngx_uint_t                      i;
    const char                     *name;
    ngx_http_modelguard_stat_sh_t  *sh;

    sh = ngx_http_modelguard_stat(r);

    if (sh == NULL) {
        return NGX_DECLINED;
    }

    for (i = NGX_HTTP_MODELGUARD_REASON_NONE + 1;
         i < NGX_HTTP_MODELGUARD_STATS;
         i++)
    {
        name = ngx_http_modelguard_stat_word(i);

        if (ngx_strlen(name) == word->len
            && ngx_strncmp(name, word->data, word->len) == 0)
        {
            *count = sh->counts[i];
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static const char *
ngx_http_modelguard_stat_word(ngx_uint_t which)
{
    if (which < NGX_HTTP_MODELGUARD_REASONS) {
        return ngx_http_modelguard_reason_word(which);
    }

    return ngx_http_modelguard_stat_words[which - NGX_HTTP_MODELGUARD_REASONS];
}
