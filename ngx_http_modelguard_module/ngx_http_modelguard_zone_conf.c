
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_zone_init.h"


#define NGX_HTTP_MODELGUARD_ZONE_PAGES     8
#define NGX_HTTP_MODELGUARD_ZONE_INACTIVE  (30 * 24 * 3600)   /* s */
#define NGX_HTTP_MODELGUARD_ZONE_PATIENCE  50                 /* tenths of s */


static ngx_int_t ngx_http_modelguard_zone_key(ngx_conf_t *cf,
    ngx_str_t *key);
static ngx_uint_t ngx_http_modelguard_zone_same(
    ngx_http_modelguard_budget_conf_t *one,
    ngx_http_modelguard_budget_conf_t *other);
static ngx_uint_t ngx_http_modelguard_zone_value(
    ngx_http_complex_value_t *one, ngx_http_complex_value_t *other);
static ngx_int_t ngx_http_modelguard_zone_param(ngx_conf_t *cf,
    ngx_http_modelguard_zone_t *zone, ngx_str_t *value);
static char *ngx_http_modelguard_zone_state(ngx_conf_t *cf,
    ngx_http_modelguard_zone_t *zone, ssize_t size);
static char *ngx_http_modelguard_zone_bind(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_modelguard_zone_t *zone, ngx_str_t *name, ssize_t size);
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
    zone->inactive = NGX_HTTP_MODELGUARD_ZONE_INACTIVE;
    zone->state.fd = NGX_INVALID_FILE;

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[1];
    ccv.complex_value = &zone->key;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    zone->key_index = ngx_http_modelguard_zone_key(cf, &zone->key_text);

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

        if (ngx_http_modelguard_zone_param(cf, zone, &value[i]) == NGX_OK) {
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

    if (zone->state.path.len) {

        if (ngx_http_modelguard_zone_state(cf, zone, size) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }

        size = NGX_HTTP_MODELGUARD_ZONE_PAGES * ngx_pagesize;
    }

    return ngx_http_modelguard_zone_bind(cf, cmd, zone, &name, size);
}


/*
 * The index of the variable that a key is; NGX_ERROR if it is anything more,
 * or the capture of a regular expression.
 */

static ngx_int_t
ngx_http_modelguard_zone_key(ngx_conf_t *cf, ngx_str_t *key)
{
    u_char     ch;
    size_t     i;
    ngx_str_t  name;

    if (key->len < 2 || key->data[0] != '$'
        || (key->data[1] >= '0' && key->data[1] <= '9'))
    {
        return NGX_ERROR;
    }

    for (i = 1; i < key->len; i++) {
        ch = key->data[i];

        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
              || (ch >= '0' && ch <= '9') || ch == '_'))
        {
            return NGX_ERROR;
        }
    }

    name.data = key->data + 1;
    name.len = key->len - 1;

    return ngx_http_get_variable_index(cf, &name);
}


static ngx_int_t
ngx_http_modelguard_zone_param(ngx_conf_t *cf,
    ngx_http_modelguard_zone_t *zone, ngx_str_t *value)
{
    ngx_str_t  s;

    if (ngx_strncmp(value->data, "state=", 6) == 0) {

        if (zone->state.path.len || value->len == 6) {
            return NGX_ERROR;
        }

        zone->state.path.data = value->data + 6;
        zone->state.path.len = value->len - 6;

        return ngx_conf_full_name(cf->cycle, &zone->state.path, 0);
    }

    if (ngx_strncmp(value->data, "inactive=", 9) == 0) {

        s.data = value->data + 9;
        s.len = value->len - 9;

        zone->inactive = ngx_parse_time(&s, 1);

        return (zone->inactive > 0) ? NGX_OK : NGX_ERROR;
    }

    if (ngx_strcmp(value->data, "full=shared") == 0) {
        zone->shared = 1;
        return NGX_OK;
    }

    return (ngx_strcmp(value->data, "full=reject") == 0) ? NGX_OK : NGX_ERROR;
}


static char *
ngx_http_modelguard_zone_state(ngx_conf_t *cf,
    ngx_http_modelguard_zone_t *zone, ssize_t size)
{
    u_char                           *p;
    ngx_str_t                        *path;
    ngx_uint_t                        i;
    ngx_http_modelguard_zone_t      **other;
    ngx_http_modelguard_main_conf_t  *mgmcf;

    mgmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_modelguard_module);

    path = &zone->state.path;
    other = mgmcf->zones.elts;

    for (i = 0; i < mgmcf->zones.nelts; i++) {

        if (other[i]->state.path.len == path->len
            && ngx_strncmp(other[i]->state.path.data, path->data, path->len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "the state file \"%V\" is that of zone \"%V\" "
                               "already", path,
                               &other[i]->shm_zone->shm.name);
            return NGX_CONF_ERROR;
        }
    }

    p = ngx_pnalloc(cf->pool, 2 * (path->len + sizeof(".new")));
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->state.next.data = p;
    zone->state.next.len = ngx_sprintf(p, "%V.new%Z", path) - p - 1;

    p += zone->state.next.len + 1;

    zone->key_file.data = p;
    zone->key_file.len = ngx_sprintf(p, "%V.key%Z", path) - p - 1;

    /* whole pages, as nginx makes of the sizes of zones */

    zone->state.size = size & ~(ngx_pagesize - 1);
    zone->state.level = NGX_LOG_EMERG;
    zone->state.patience = NGX_HTTP_MODELGUARD_ZONE_PATIENCE;

    return NGX_CONF_OK;
}


static char *
ngx_http_modelguard_zone_bind(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_modelguard_zone_t *zone, ngx_str_t *name, ssize_t size)
{
    ngx_http_modelguard_zone_t      **zp;
    ngx_http_modelguard_main_conf_t  *mgmcf;

    mgmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_modelguard_module);

    if (ngx_array_init(&zone->budgets, cf->pool, 4,
                       sizeof(ngx_http_modelguard_budget_conf_t *))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    zone->shm_zone = ngx_shared_memory_add(cf, name, size,
                                           &ngx_http_modelguard_module);
    if (zone->shm_zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (zone->shm_zone->data) {
        zone = zone->shm_zone->data;

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%V \"%V\" is already bound to key \"%V\"",
                           &cmd->name, name, &zone->key_text);
        return NGX_CONF_ERROR;
    }

    zone->shm_zone->init = ngx_http_modelguard_zone_init;
    zone->shm_zone->data = zone;
    zone->state.zone = &zone->shm_zone->shm.name;

    zp = ngx_array_push(&mgmcf->zones);
    if (zp == NULL) {
        return NGX_CONF_ERROR;
    }

    *zp = zone;

    return NGX_CONF_OK;
}


char *
ngx_http_modelguard_zone_secret(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_modelguard_main_conf_t *mgmcf = conf;

    ngx_int_t   rc;
    ngx_str_t  *value;

    if (mgmcf->secret_file.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    mgmcf->secret_file = value[1];

    if (value[1].len == 0
        || ngx_conf_full_name(cf->cycle, &mgmcf->secret_file, 1) != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    rc = ngx_http_modelguard_secret_read(&mgmcf->secret_file, mgmcf->secret,
                                         cf->log);

    if (rc == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "modelguard secret \"%V\" does not exist",
                           &mgmcf->secret_file);
    }

    return (rc == NGX_OK) ? NGX_CONF_OK : NGX_CONF_ERROR;
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
