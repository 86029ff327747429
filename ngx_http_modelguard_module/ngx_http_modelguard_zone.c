
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_zone.h"


#define NGX_HTTP_MODELGUARD_TOLD_PERIOD  60      /* s between log lines */

#define NGX_HTTP_MODELGUARD_FOLLOW_TRIES  10
#define NGX_HTTP_MODELGUARD_FOLLOW_STEP   10     /* ms */
#define NGX_HTTP_MODELGUARD_FOLLOW_AGAIN  1000   /* ms after it has failed */


static ngx_str_t *ngx_http_modelguard_zone_sent(ngx_http_request_t *r,
    ngx_http_modelguard_zone_t *zone);
static ngx_http_modelguard_noinline ngx_int_t ngx_http_modelguard_zone_value(
    ngx_http_request_t *r, ngx_http_modelguard_zone_t *zone,
    modelguard_id_t *id);
static ngx_int_t ngx_http_modelguard_zone_reopen(
    ngx_http_modelguard_zone_t *zone, ngx_log_t *log);
static ngx_int_t ngx_http_modelguard_zone_stay(
    ngx_http_modelguard_zone_t *zone);


ngx_int_t
ngx_http_modelguard_zone_client(ngx_http_request_t *r,
    ngx_http_modelguard_zone_t *zone, modelguard_id_t *id)
{
    ngx_str_t  *key;

    key = zone->key_header.len ? ngx_http_modelguard_zone_sent(r, zone) : NULL;

    if (key == NULL) {
        return ngx_http_modelguard_zone_value(r, zone, id);
    }

    if (key->len == 0) {
        return NGX_DECLINED;
    }

    modelguard_hash(id, zone->key_secret, key->data, key->len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_zone_value(ngx_http_request_t *r,
    ngx_http_modelguard_zone_t *zone, modelguard_id_t *id)
{
    ngx_str_t                   key;
    ngx_http_variable_value_t  *value;

    if (zone->key_index != NGX_ERROR) {

        /* what the complex value would copy */

        value = ngx_http_get_flushed_variable(r, (ngx_uint_t) zone->key_index);

        key.len = (value && !value->not_found) ? value->len : 0;
        key.data = key.len ? value->data : NULL;

    } else if (ngx_http_complex_value(r, &zone->key, &key) != NGX_OK) {
        return NGX_ERROR;
    }

    if (key.len == 0) {
        return NGX_DECLINED;
    }

    modelguard_hash(id, zone->key_secret, key.data, key.len);

    return NGX_OK;
}


/*
 * The value of the header, if there is no more than one of that name, and if
 * nobody has asked for the variable before; else NULL.
 */

static ngx_str_t *
ngx_http_modelguard_zone_sent(ngx_http_request_t *r,
    ngx_http_modelguard_zone_t *zone)
{
    size_t                      len;
    ngx_uint_t                  i;
    ngx_list_part_t            *part;
    ngx_table_elt_t            *header, *found;
    ngx_http_variable_value_t  *v;

    static ngx_str_t  none = ngx_null_string;

    v = &r->variables[zone->key_index];

    if (v->valid || v->not_found) {
        return NULL;
    }

    len = zone->key_header.len;
    found = NULL;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++, header++) {

            if (header->key.len != len || header->hash == 0) {
                continue;
            }

            if (header->lowcase_key == NULL) {
                return NULL;
            }

            if (ngx_memcmp(header->lowcase_key, zone->key_header.data, len)
                != 0)
            {
                /* to the variable, an underscore is a dash */

                if (ngx_strlchr(header->lowcase_key,
                                header->lowcase_key + len, '_')
                    != NULL)
                {
                    return NULL;
                }

                continue;
            }

            if (found) {
                return NULL;
            }

            found = header;
        }
    }

    return found ? &found->value : &none;
}


ngx_int_t
ngx_http_modelguard_zone_header(ngx_http_modelguard_zone_t *zone)
{
    size_t                      i;
    ngx_str_t                  *header;
    ngx_uint_t                  n;
    ngx_http_variable_t        *v, *prefix;
    ngx_http_core_main_conf_t  *cmcf;

    static ngx_str_t  name = ngx_string("http_");

    cmcf = ngx_http_cycle_get_module_main_conf(zone->cycle,
                                               ngx_http_core_module);

    if (zone->key_index == NGX_ERROR || cmcf == NULL) {
        return NGX_OK;
    }

    v = cmcf->variables.elts;
    v += zone->key_index;

    prefix = cmcf->prefix_variables.elts;

    for (n = 0; n < cmcf->prefix_variables.nelts; n++) {

        if (prefix[n].name.len == name.len
            && ngx_strncmp(prefix[n].name.data, name.data, name.len) == 0)
        {
            break;
        }
    }

    /* $http_host and others, and what a configuration sets, are otherwise */

    if (n == cmcf->prefix_variables.nelts
        || v->get_handler != prefix[n].get_handler
        || v->name.len <= name.len)
    {
        return NGX_OK;
    }

    header = &zone->key_header;

    header->len = v->name.len - name.len;

    header->data = ngx_pnalloc(zone->cycle->pool, header->len);
    if (header->data == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < header->len; i++) {
        header->data[i] = v->name.data[name.len + i];

        if (header->data[i] == '_') {
            header->data[i] = '-';
        }
    }

    return NGX_OK;
}


void
ngx_http_modelguard_zone_address(ngx_http_modelguard_zone_t *zone,
    const u_char *addr, size_t len, modelguard_id_t *id)
{
    modelguard_hash(id, zone->addr_secret, addr, len);
}


ngx_int_t
ngx_http_modelguard_zone_enter(ngx_http_modelguard_zone_t *zone,
    const modelguard_id_t *id, unsigned *shard, ngx_log_t *log)
{
    int         rc;
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_MODELGUARD_FOLLOW_TRIES; i++) {

        *shard = modelguard_table_shard(zone->table, id);

        rc = modelguard_table_lock(zone->table, *shard);

        if (rc == MODELGUARD_OK) {
            return NGX_OK;
        }

        if (rc != MODELGUARD_TABLE_MOVED
            || ngx_http_modelguard_zone_follow(zone, log) != NGX_OK)
        {
            break;
        }
    }

    ngx_http_modelguard_zone_stuck(zone, log);

    return NGX_ERROR;
}


ngx_int_t
ngx_http_modelguard_zone_follow(ngx_http_modelguard_zone_t *zone,
    ngx_log_t *log)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    if (zone->lost
        && (ngx_msec_int_t) (ngx_current_msec - zone->lost)
           < NGX_HTTP_MODELGUARD_FOLLOW_AGAIN)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_HTTP_MODELGUARD_FOLLOW_TRIES; i++) {

        rc = ngx_http_modelguard_zone_stay(zone);

        if (rc == NGX_DECLINED) {
            rc = ngx_http_modelguard_zone_reopen(zone, log);
        }

        if (rc == NGX_OK) {
            zone->lost = 0;
            return NGX_OK;
        }

        if (rc == NGX_ERROR) {
            break;
        }

        /* rc == NGX_AGAIN */

        ngx_msleep(NGX_HTTP_MODELGUARD_FOLLOW_STEP);
    }

    zone->lost = ngx_current_msec | 1;

    return NGX_ERROR;
}


/*
 * The file at the path is still this one: who wanted to put another one in
 * its place has died before.  NGX_DECLINED: it is another one.
 */

static ngx_int_t
ngx_http_modelguard_zone_stay(ngx_http_modelguard_zone_t *zone)
{
    ngx_int_t  rc;

    rc = ngx_http_modelguard_state_current(&zone->state);

    if (rc != NGX_OK) {
        return rc;
    }

    if (modelguard_table_lock_all(zone->table) != MODELGUARD_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_modelguard_state_current(&zone->state);

    if (rc == NGX_OK) {
        zone->table->moved = 0;
    }

    modelguard_table_unlock_all(zone->table);

    return rc;
}


static ngx_int_t
ngx_http_modelguard_zone_reopen(ngx_http_modelguard_zone_t *zone,
    ngx_log_t *log)
{
    uint64_t                     secret;
    ngx_int_t                    rc;
    ngx_http_modelguard_state_t  next;

    next = zone->state;
    next.fd = NGX_INVALID_FILE;
    next.table = NULL;
    next.level = NGX_LOG_INFO;
    next.patience = 2;

    /* what went wrong is told as often as that the clients are refused */

    if (zone->told == 0
        || ngx_time() - zone->told >= NGX_HTTP_MODELGUARD_TOLD_PERIOD)
    {
        next.level = NGX_LOG_CRIT;
    }

    rc = ngx_http_modelguard_state_open(&next, &secret, log);

    if (rc == NGX_DECLINED) {
        ngx_log_error(next.level, log, 0,
                      "modelguard zone \"%V\": the state file \"%V\" has "
                      "vanished", &zone->shm_zone->shm.name,
                      &zone->state.path);
        return NGX_ERROR;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (secret != zone->secret_id) {
        ngx_log_error(next.level, log, 0,
                      "modelguard zone \"%V\": the state file \"%V\" is now "
                      "written under another secret",
                      &zone->shm_zone->shm.name, &zone->state.path);
        rc = NGX_ERROR;

    } else {
        rc = ngx_http_modelguard_state_map(&next, log);
    }

    if (rc != NGX_OK) {
        ngx_http_modelguard_state_close(&next, log);
        return rc;
    }

    next.level = zone->state.level;
    next.patience = zone->state.patience;

    ngx_http_modelguard_state_close(&zone->state, log);

    zone->state = next;
    zone->table = next.table;

    ngx_log_error(NGX_LOG_INFO, log, 0,
                  "modelguard zone \"%V\" has moved to a new file, this "
                  "process follows", &zone->shm_zone->shm.name);

    return NGX_OK;
}


void
ngx_http_modelguard_zone_stuck(ngx_http_modelguard_zone_t *zone,
    ngx_log_t *log)
{
    time_t  now;

    now = ngx_time();

    /* a clock that was set back must not silence the line for long */

    if (zone->told && now >= zone->told
        && now - zone->told < NGX_HTTP_MODELGUARD_TOLD_PERIOD)
    {
        return;
    }

    zone->told = now;

    ngx_log_error(NGX_LOG_CRIT, log, 0,
                  "modelguard: zone \"%V\" cannot be locked, its clients are "
                  "refused", &zone->shm_zone->shm.name);
}


void
ngx_http_modelguard_zone_full(ngx_http_modelguard_zone_t *zone, uint64_t now,
    ngx_log_t *log)
{
    ngx_atomic_uint_t               told, seconds;
    ngx_http_modelguard_zone_sh_t  *sh;

    sh = zone->sh;

    told = sh->told;
    seconds = (ngx_atomic_uint_t) (now / 1000);

    if (told && seconds >= told
        && seconds - told < NGX_HTTP_MODELGUARD_TOLD_PERIOD)
    {
        return;
    }

    if (!ngx_atomic_cmp_set(&sh->told, told, seconds)) {
        return;
    }

    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "modelguard: zone \"%V\" is full of clients over "
                  "their limits, new ones %s", &zone->shm_zone->shm.name,
                  zone->shared ? "share one record" : "are refused");
}
