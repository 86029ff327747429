
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_conf.h"
#include "ngx_http_modelguard_ban.h"
#include "ngx_http_modelguard_budget.h"
#include "ngx_http_modelguard_cost.h"
#include "ngx_http_modelguard_delay.h"
#include "ngx_http_modelguard_field.h"
#include "ngx_http_modelguard_guard.h"
#include "ngx_http_modelguard_media.h"
#include "ngx_http_modelguard_meter.h"
#include "ngx_http_modelguard_param.h"
#include "ngx_http_modelguard_ratelimit.h"
#include "ngx_http_modelguard_reject.h"
#include "ngx_http_modelguard_rules.h"
#include "ngx_http_modelguard_shape.h"
#include "ngx_http_modelguard_strip.h"
#include "ngx_http_modelguard_zone.h"


#define NGX_HTTP_MODELGUARD_BUFFER_SIZE  (256 * 1024)
#define NGX_HTTP_MODELGUARD_BODY_SIZE    (16 * 1024 * 1024)
#define NGX_HTTP_MODELGUARD_INFLATE_SIZE (256 * 1024 * 1024)


static void ngx_http_modelguard_merge_scalars(
    ngx_http_modelguard_loc_conf_t *prev,
    ngx_http_modelguard_loc_conf_t *conf);
static char *ngx_http_modelguard_merge_inspect(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *prev,
    ngx_http_modelguard_loc_conf_t *conf);


ngx_str_t  ngx_http_modelguard_default_types[] = {
    ngx_string("application/json"),
    ngx_null_string
};


void *
ngx_http_modelguard_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_modelguard_main_conf_t  *mgmcf;

    mgmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_modelguard_main_conf_t));
    if (mgmcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     mgmcf->compiled = { NULL };
     *     mgmcf->usage = NULL;
     *     mgmcf->nothing = NULL;
     *     mgmcf->stat = NULL;
     *     mgmcf->leases = NULL;
     *     mgmcf->memory = NULL;
     *     mgmcf->used = 0;
     */

    if (ngx_array_init(&mgmcf->profiles, cf->pool, 4,
                       sizeof(ngx_http_modelguard_profile_conf_t))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&mgmcf->zones, cf->pool, 4,
                       sizeof(ngx_http_modelguard_zone_t *))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&mgmcf->wanted, cf->pool, 4,
                       sizeof(ngx_http_modelguard_wanted_t))
        != NGX_OK)
    {
        return NULL;
    }

    return mgmcf;
}


char *
ngx_http_modelguard_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_modelguard_main_conf_t *mgmcf = conf;

    ngx_int_t                      rc;
    ngx_uint_t                     i;
    ngx_http_modelguard_wanted_t  *wanted;

    wanted = mgmcf->wanted.elts;

    for (i = 0; i < mgmcf->wanted.nelts; i++) {

        if (wanted[i].budget != NULL) {
            rc = ngx_http_modelguard_budget_bind(cf, wanted[i].budget,
                                                 &wanted[i].name);

        } else {
            rc = ngx_http_modelguard_conf_profile(mgmcf, &wanted[i].name)
                 ? NGX_OK : NGX_DECLINED;
        }

        if (rc == NGX_DECLINED) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "unknown modelguard %s \"%V\" in %s:%ui",
                          wanted[i].budget ? "zone" : "profile",
                          &wanted[i].name, wanted[i].file, wanted[i].line);
        }

        if (rc != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


void *
ngx_http_modelguard_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_modelguard_loc_conf_t  *mglcf;

    mglcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_modelguard_loc_conf_t));
    if (mglcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     mglcf->fields = NULL;
     *     mglcf->profile = NULL;
     *     mglcf->off = 0;
     *     mglcf->file = NULL;
     *     mglcf->line = 0;
     *     mglcf->rules = NULL;
     *     mglcf->budgets = NULL;
     *     mglcf->costs = NULL;
     *     mglcf->usage = NULL;
     *     mglcf->values = NULL;
     *     mglcf->meter_tokens = 0;
     *     mglcf->meter_bits = 0;
     *     mglcf->error_upstream = 0;
     *     mglcf->strip = NULL;
     *     mglcf->params = NULL;
     *     mglcf->checks = NULL;
     *     mglcf->inspect = NULL;
     *     mglcf->types = { NULL };
     *     mglcf->types_keys = NULL;
     */

    mglcf->guarded = NGX_CONF_UNSET;
    mglcf->on_error = NGX_CONF_UNSET_UINT;
    mglcf->opaque = NGX_CONF_UNSET_UINT;
    mglcf->error_body = NGX_CONF_UNSET_UINT;
    mglcf->reject_status = NGX_CONF_UNSET_UINT;
    mglcf->reject_quota = NGX_CONF_UNSET_UINT;
    mglcf->headers = NGX_CONF_UNSET_UINT;
    mglcf->delay_max = NGX_CONF_UNSET_MSEC;
    mglcf->delay_queue = NGX_CONF_UNSET_UINT;
    mglcf->ban.after = NGX_HTTP_MODELGUARD_BAN_UNSET;
    mglcf->log_level = NGX_CONF_UNSET_UINT;
    mglcf->dry_run = NGX_CONF_UNSET;
    mglcf->binary_output = NGX_CONF_UNSET_UINT;
    mglcf->buffer_size = NGX_CONF_UNSET_SIZE;
    mglcf->inflate_size = NGX_CONF_UNSET;
    mglcf->vector_size = NGX_CONF_UNSET_SIZE;
    mglcf->body_size = NGX_CONF_UNSET_SIZE;
    mglcf->depth = NGX_CONF_UNSET_UINT;

    return mglcf;
}


char *
ngx_http_modelguard_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_modelguard_loc_conf_t *prev = parent;
    ngx_http_modelguard_loc_conf_t *conf = child;

    ngx_http_modelguard_merge_scalars(prev, conf);

    if (ngx_http_merge_types(cf, &conf->types_keys, &conf->types,
                             &prev->types_keys, &prev->types,
                             ngx_http_modelguard_default_types)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    conf->types_json = ngx_http_modelguard_media_json(conf);

    if (conf->fields == NULL) {
        conf->fields = prev->fields;
    }

    if (conf->strip == NULL) {
        conf->strip = prev->strip;
    }

    if (ngx_http_modelguard_guard_merge(cf, prev, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_modelguard_param_merge(cf, prev, conf) != NGX_CONF_OK
        || ngx_http_modelguard_merge_inspect(cf, prev, conf) != NGX_CONF_OK
        || ngx_http_modelguard_meter_merge(cf, prev, conf) != NGX_CONF_OK
        || ngx_http_modelguard_ratelimit_merge(cf, prev, conf) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    conf->active = NGX_HTTP_MODELGUARD_IDLE;

    if (conf->checks || (conf->budgets && conf->budgets->nelts)) {
        conf->active = NGX_HTTP_MODELGUARD_CHARGES;
    }

    if (conf->guarded
        || conf->meter_tokens || conf->meter_bits
        || (conf->ratelimit
            && conf->headers != NGX_HTTP_MODELGUARD_HEADERS_RETRY))
    {
        conf->active = NGX_HTTP_MODELGUARD_ACTIVE;
    }

    conf->direct = (conf->plain && conf->inspect == NULL);

    ngx_http_modelguard_guard_warn(cf, conf);

    return NGX_CONF_OK;
}


static void
ngx_http_modelguard_merge_scalars(ngx_http_modelguard_loc_conf_t *prev,
    ngx_http_modelguard_loc_conf_t *conf)
{
    ngx_conf_merge_uint_value(conf->on_error, prev->on_error,
                              NGX_HTTP_MODELGUARD_BLOCK);
    ngx_conf_merge_uint_value(conf->opaque, prev->opaque,
                              NGX_HTTP_MODELGUARD_OPAQUE_REJECT);
    if (conf->error_body == NGX_CONF_UNSET_UINT) {
        conf->error_upstream = prev->error_upstream;
    }

    ngx_conf_merge_uint_value(conf->error_body, prev->error_body,
                              NGX_HTTP_MODELGUARD_ERROR_OPENAI);
    ngx_conf_merge_uint_value(conf->reject_status, prev->reject_status,
                              NGX_HTTP_TOO_MANY_REQUESTS);
    ngx_conf_merge_uint_value(conf->reject_quota, prev->reject_quota,
                              NGX_HTTP_TOO_MANY_REQUESTS);
    ngx_http_modelguard_delay_merge(prev, conf);
    ngx_http_modelguard_ban_merge(prev, conf);

    ngx_conf_merge_uint_value(conf->log_level, prev->log_level, NGX_LOG_ERR);
    ngx_conf_merge_value(conf->dry_run, prev->dry_run, 0);
    ngx_conf_merge_size_value(conf->buffer_size, prev->buffer_size,
                              NGX_HTTP_MODELGUARD_BUFFER_SIZE);
    ngx_conf_merge_off_value(conf->inflate_size, prev->inflate_size,
                             NGX_HTTP_MODELGUARD_INFLATE_SIZE);
    ngx_conf_merge_size_value(conf->vector_size, prev->vector_size,
                              MODELGUARD_HOLD_DEFAULT);
    ngx_conf_merge_size_value(conf->body_size, prev->body_size,
                              NGX_HTTP_MODELGUARD_BODY_SIZE);
    ngx_conf_merge_uint_value(conf->depth, prev->depth,
                              MODELGUARD_DEPTH_DEFAULT);
}


static char *
ngx_http_modelguard_merge_inspect(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *prev,
    ngx_http_modelguard_loc_conf_t *conf)
{
    ngx_uint_t                          i, n, items, tries;
    ngx_http_modelguard_main_conf_t    *mgmcf;
    ngx_http_modelguard_budget_conf_t  *budget;

    if (conf->budgets == NULL) {
        conf->budgets = prev->budgets;
    }

    if (conf->costs == NULL) {
        conf->costs = prev->costs;
    }

    n = conf->budgets ? conf->budgets->nelts : 0;

    if (n == 0 && conf->checks == NULL) {
        return NGX_CONF_OK;
    }

    mgmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_modelguard_module);
    mgmcf->used = 1;

    items = 0;
    tries = (conf->checks == NULL);

    conf->plain = (n && conf->costs == NULL);

    for (i = 0; i < n; i++) {
        budget = conf->budgets->elts;

        conf->plain &= (budget[i].unit == NGX_HTTP_MODELGUARD_UNIT_REQUESTS
                        && budget[i].limit == NULL
                        && budget[i].burst == NULL);
        conf->refunds |= !budget[i].always;
        conf->trials |= budget[i].dry_run;

        if (budget[i].unit == NGX_HTTP_MODELGUARD_UNIT_ITEMS
            && (conf->costs == NULL
                || conf->costs->values[NGX_HTTP_MODELGUARD_UNIT_ITEMS]
                   == NULL))
        {
            items = 1;
            tries &= budget[i].dry_run;
        }
    }

    conf->tries = tries ? 1 : 0;

    if (!items && conf->checks == NULL) {
        return NGX_CONF_OK;
    }

    return ngx_http_modelguard_rules_inspect(cf, conf, items);
}


ngx_http_modelguard_profile_conf_t *
ngx_http_modelguard_conf_profile(const ngx_http_modelguard_main_conf_t *mgmcf,
    ngx_str_t *name)
{
    ngx_uint_t                           i;
    ngx_http_modelguard_profile_conf_t  *pcf;

    pcf = mgmcf->profiles.elts;

    for (i = 0; i < mgmcf->profiles.nelts; i++) {

        if (pcf[i].name.len == name->len
            && ngx_strncmp(pcf[i].name.data, name->data, name->len) == 0)
        {
            return &pcf[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_modelguard_conf_want(ngx_conf_t *cf, ngx_str_t *name,
    ngx_http_modelguard_budget_conf_t *budget)
{
    ngx_http_modelguard_wanted_t     *wanted;
    ngx_http_modelguard_main_conf_t  *mgmcf;

    mgmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_modelguard_module);

    wanted = ngx_array_push(&mgmcf->wanted);
    if (wanted == NULL) {
        return NGX_ERROR;
    }

    wanted->name = *name;
    wanted->budget = budget;
    wanted->file = cf->conf_file->file.name.data;
    wanted->line = cf->conf_file->line;

    return NGX_OK;
}


void *
ngx_http_modelguard_alloc(void *data, void *old, size_t old_size, size_t size)
{
    ngx_pool_t *pool = data;

    void  *p;

    if (size == 0) {

        if (old != NULL) {
            (void) ngx_pfree(pool, old);
        }

        return NULL;
    }

    if (old != NULL && size <= old_size) {
        return old;
    }

    p = ngx_palloc(pool, size);
    if (p == NULL) {
        return NULL;
    }

    if (old != NULL) {
        ngx_memcpy(p, old, old_size);
        (void) ngx_pfree(pool, old);
    }

    return p;
}
