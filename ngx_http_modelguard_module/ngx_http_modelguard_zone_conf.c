
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_zone.h"


#define NGX_HTTP_MODELGUARD_ZONE_PAGES  8


static ngx_uint_t ngx_http_modelguard_zone_same(
    ngx_http_modelguard_budget_conf_t *one,
    ngx_http_modelguard_budget_conf_t *other);
static ngx_uint_t ngx_http_modelguard_zone_value(
    ngx_http_complex_value_t *one, ngx_http_complex_value_t *other);
static char *ngx_http_modelguard_zone_size(ngx_conf_t *cf, ngx_str_t *value,
    ngx_str_t *name, ssize_t *size);


char *
ngx_http_modelguard_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ssize_t                            size;
    ngx_str_t                         *value, name;
    ngx_uint_t                         i;
    ngx_http_modelguard_zone_t        *zone;
    ngx_http_compile_complex_value_t   ccv;

    value = cf->args->elts;

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_modelguard_zone_t));
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->key_text = value[1];

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[1];
    ccv.complex_value = &zone->key;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    size = 0;
    ngx_str_null(&name);

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "zone=", 5) == 0 && name.len == 0) {

            if (ngx_http_modelguard_zone_size(cf, &value[i], &name, &size)
                != NGX_CONF_OK)
            {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\"", &value[i]);
        return NGX_CONF_ERROR;
    }

    if (name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"zone\" parameter", &cmd->name);
        return NGX_CONF_ERROR;
    }

    return ngx_http_modelguard_zone_bind(cf, cmd, zone, &name, size);
}


static char *
ngx_http_modelguard_zone_size(ngx_conf_t *cf, ngx_str_t *value,
    ngx_str_t *name, ssize_t *size)
{
    u_char     *p;
    ngx_str_t   s;

    name->data = value->data + 5;

    p = (u_char *) ngx_strchr(name->data, ':');

    if (p == NULL || p == name->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone size \"%V\"", value);
        return NGX_CONF_ERROR;
    }

    name->len = p - name->data;

    s.data = p + 1;
    s.len = value->data + value->len - s.data;

    *size = ngx_parse_size(&s);

    if (*size == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone size \"%V\"", value);
        return NGX_CONF_ERROR;
    }

    if (*size < (ssize_t) (NGX_HTTP_MODELGUARD_ZONE_PAGES * ngx_pagesize)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" is too small", name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_http_modelguard_zone_t *
ngx_http_modelguard_zone_find(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_str_t                        *s;
    ngx_uint_t                        i;
    ngx_http_modelguard_zone_t      **zone;
    ngx_http_modelguard_main_conf_t  *mgmcf;

    mgmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_modelguard_module);

    zone = mgmcf->zones.elts;

    for (i = 0; i < mgmcf->zones.nelts; i++) {
        s = &zone[i]->shm_zone->shm.name;

        if (s->len == name->len
            && ngx_strncmp(s->data, name->data, name->len) == 0)
        {
            return zone[i];
        }
    }

    return NULL;
}


char *
ngx_http_modelguard_zone_add(ngx_conf_t *cf,
    ngx_http_modelguard_budget_conf_t *budget)
{
    ngx_http_modelguard_zone_t         *zone;
    ngx_http_modelguard_budget_conf_t  *known, **bp;

    zone = budget->zone;

    known = ngx_http_modelguard_zone_budget(zone, budget->id);

    if (known) {

        if (ngx_http_modelguard_zone_same(known, budget)) {
            return NGX_CONF_OK;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "modelguard budget \"%V\" in zone \"%V\" conflicts "
                           "with another definition of \"%V\"", &budget->name,
                           &zone->shm_zone->shm.name, &known->name);
        return NGX_CONF_ERROR;
    }

    if (zone->budgets.nelts == MODELGUARD_TABLE_BUDGETS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many modelguard budgets in zone \"%V\", "
                           "the most is %d", &zone->shm_zone->shm.name,
                           MODELGUARD_TABLE_BUDGETS);
        return NGX_CONF_ERROR;
    }

    /* a copy: the caller's array may move when it grows */

    known = ngx_palloc(cf->pool, sizeof(ngx_http_modelguard_budget_conf_t));
    if (known == NULL) {
        return NGX_CONF_ERROR;
    }

    *known = *budget;

    bp = ngx_array_push(&zone->budgets);
    if (bp == NULL) {
        return NGX_CONF_ERROR;
    }

    *bp = known;

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_http_modelguard_zone_same(ngx_http_modelguard_budget_conf_t *one,
    ngx_http_modelguard_budget_conf_t *other)
{
    return one->name.len == other->name.len
           && ngx_strncmp(one->name.data, other->name.data, one->name.len) == 0
           && one->budget.limit == other->budget.limit
           && one->budget.burst == other->budget.burst
           && one->budget.window == other->budget.window
           && one->budget.kind == other->budget.kind
           && one->budget.offset == other->budget.offset
           && one->unit == other->unit
           && one->dry_run == other->dry_run
           && one->always == other->always
           && ngx_http_modelguard_zone_value(one->limit, other->limit)
           && ngx_http_modelguard_zone_value(one->burst, other->burst);
}


/* variables may be equal or not: their text must be */

static ngx_uint_t
ngx_http_modelguard_zone_value(ngx_http_complex_value_t *one,
    ngx_http_complex_value_t *other)
{
    if (one == NULL || other == NULL) {
        return one == other;
    }

    return one->value.len == other->value.len
           && ngx_strncmp(one->value.data, other->value.data, one->value.len)
              == 0;
}


ngx_http_modelguard_budget_conf_t *
ngx_http_modelguard_zone_budget(ngx_http_modelguard_zone_t *zone, uint64_t id)
{
    ngx_uint_t                           i;
    ngx_http_modelguard_budget_conf_t  **budget;

    budget = zone->budgets.elts;

    for (i = 0; i < zone->budgets.nelts; i++) {
        if (budget[i]->id == id) {
            return budget[i];
        }
    }

    return NULL;
}
