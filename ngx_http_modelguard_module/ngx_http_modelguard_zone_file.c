
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_zone_init.h"


#define NGX_HTTP_MODELGUARD_FILE_TRIES  50    /* of FILE_STEP */
#define NGX_HTTP_MODELGUARD_FILE_STEP   100   /* ms */


static void ngx_http_modelguard_zone_file_cleanup(void *data);
static ngx_int_t ngx_http_modelguard_zone_file_look(
    ngx_http_modelguard_zone_t *zone);
static ngx_int_t ngx_http_modelguard_zone_file_try(
    ngx_http_modelguard_zone_t *zone, uint64_t secret);
static ngx_int_t ngx_http_modelguard_zone_file_secret(
    ngx_http_modelguard_zone_t *zone);
static ngx_int_t ngx_http_modelguard_zone_file_match(
    ngx_http_modelguard_zone_t *zone, uint64_t secret);
static ngx_int_t ngx_http_modelguard_zone_file_new_secret(
    ngx_http_modelguard_zone_t *zone);
static ngx_int_t ngx_http_modelguard_zone_file_join(
    ngx_http_modelguard_zone_t *zone);
static modelguard_table_t *ngx_http_modelguard_zone_file_apart(
    ngx_http_modelguard_zone_t *zone);
static ngx_int_t ngx_http_modelguard_zone_file_replace(
    ngx_http_modelguard_zone_t *zone, modelguard_table_t *from);
static ngx_int_t ngx_http_modelguard_zone_file_move(
    ngx_http_modelguard_zone_t *zone, ngx_http_modelguard_state_t *next,
    modelguard_table_t *from);
static ngx_int_t ngx_http_modelguard_zone_file_enter(
    ngx_http_modelguard_zone_t *zone, modelguard_table_t **sources);
static ngx_uint_t ngx_http_modelguard_zone_file_same(
    ngx_http_modelguard_zone_t *zone);
static ngx_int_t ngx_http_modelguard_zone_file_unique(
    ngx_http_modelguard_zone_t *zone);


ngx_int_t
ngx_http_modelguard_zone_file(ngx_http_modelguard_zone_t *zone)
{
    uint64_t             secret;
    ngx_int_t            rc;
    ngx_log_t           *log;
    ngx_uint_t           i;
    ngx_core_conf_t     *ccf;
    ngx_pool_cleanup_t  *cln;

    log = zone->shm_zone->shm.log;

    if (ngx_test_config) {
        return ngx_http_modelguard_zone_file_look(zone);
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(zone->cycle->conf_ctx,
                                           ngx_core_module);
    zone->state.user = ccf->user;

    cln = ngx_pool_cleanup_add(zone->cycle->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_modelguard_zone_file_cleanup;
    cln->data = zone;

    for (i = 0; i < NGX_HTTP_MODELGUARD_FILE_TRIES; i++) {

        rc = ngx_http_modelguard_state_open(&zone->state, &secret, log);

        if (rc == NGX_OK) {
            rc = ngx_http_modelguard_zone_file_try(zone, secret);

        } else if (rc == NGX_DECLINED) {
            rc = ngx_http_modelguard_zone_file_replace(zone, NULL);
        }

        if (rc == NGX_OK) {
            zone->table = zone->state.table;
            return NGX_OK;
        }

        ngx_http_modelguard_state_close(&zone->state, log);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        /* rc == NGX_AGAIN */

        ngx_msleep(NGX_HTTP_MODELGUARD_FILE_STEP);
    }

    ngx_log_error(NGX_LOG_EMERG, log, 0,
                  "modelguard zone \"%V\": another process is about to make "
                  "the state file \"%V\" for too long",
                  &zone->shm_zone->shm.name, &zone->state.path);

    return NGX_ERROR;
}


static void
ngx_http_modelguard_zone_file_cleanup(void *data)
{
    ngx_http_modelguard_zone_t *zone = data;

    zone->table = NULL;

    ngx_http_modelguard_state_close(&zone->state, ngx_cycle->log);
}


/* nginx -t: nothing is created or changed */

static ngx_int_t
ngx_http_modelguard_zone_file_look(ngx_http_modelguard_zone_t *zone)
{
    uint64_t   secret;
    ngx_int_t  rc;

    rc = ngx_http_modelguard_state_look(&zone->state, &secret,
                                        zone->shm_zone->shm.log);

    if (rc == NGX_DECLINED) {
        return (ngx_http_modelguard_zone_file_secret(zone) == NGX_ERROR)
               ? NGX_ERROR : NGX_OK;
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_modelguard_zone_file_match(zone, secret);
}


static ngx_int_t
ngx_http_modelguard_zone_file_try(ngx_http_modelguard_zone_t *zone,
    uint64_t secret)
{
    ngx_int_t  rc;

    if (ngx_http_modelguard_zone_file_unique(zone) != NGX_OK
        || ngx_http_modelguard_zone_file_match(zone, secret) != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = ngx_http_modelguard_state_map(&zone->state, zone->shm_zone->shm.log);

    if (rc == NGX_OK) {
        rc = ngx_http_modelguard_zone_file_join(zone);
    }

    if (rc != NGX_DECLINED) {
        return rc;
    }

    return ngx_http_modelguard_zone_file_replace(zone, zone->state.table);
}


/* NGX_DECLINED: there is none yet */

static ngx_int_t
ngx_http_modelguard_zone_file_secret(ngx_http_modelguard_zone_t *zone)
{
    ngx_int_t  rc;

    if (zone->secret_id) {
        return NGX_OK;
    }

    rc = ngx_http_modelguard_secret_read(&zone->key_file, zone->secret,
                                         zone->shm_zone->shm.log);
    if (rc == NGX_OK) {
        zone->secret_id = ngx_http_modelguard_secret_id(zone->secret);
    }

    return rc;
}


static ngx_int_t
ngx_http_modelguard_zone_file_match(ngx_http_modelguard_zone_t *zone,
    uint64_t secret)
{
    ngx_int_t  rc;

    rc = ngx_http_modelguard_zone_file_secret(zone);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm_zone->shm.log, 0,
                      "modelguard zone \"%V\": the state file \"%V\" is "
                      "there, but its secret \"%V\" is missing",
                      &zone->shm_zone->shm.name, &zone->state.path,
                      &zone->key_file);
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (secret != zone->secret_id) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm_zone->shm.log, 0,
                      "modelguard zone \"%V\": the state file \"%V\" was "
                      "written under another secret, move it away to begin "
                      "anew", &zone->shm_zone->shm.name, &zone->state.path);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * The ids of clients that are to be carried over are made of the secret of
 * the zone that they come from.
 */

static ngx_int_t
ngx_http_modelguard_zone_file_new_secret(ngx_http_modelguard_zone_t *zone)
{
    ngx_int_t   rc;
    ngx_log_t  *log;

    log = zone->shm_zone->shm.log;

    rc = ngx_http_modelguard_zone_file_secret(zone);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (zone->old) {
        ngx_memcpy(zone->secret, zone->old->secret, MODELGUARD_HASH_SECRET);

    } else if (ngx_http_modelguard_secret_random(zone->secret,
                                                 MODELGUARD_HASH_SECRET, log)
               != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_modelguard_secret_write(&zone->key_file, zone->secret, log)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    zone->secret_id = ngx_http_modelguard_secret_id(zone->secret);

    return NGX_OK;
}


/* NGX_DECLINED: it does not suit, and a new one has to take its place */

static ngx_int_t
ngx_http_modelguard_zone_file_join(ngx_http_modelguard_zone_t *zone)
{
    int                  rc;
    ngx_int_t            result;
    modelguard_table_t  *table;

    table = zone->state.table;

    rc = modelguard_table_lock_all(table);

    if (rc == MODELGUARD_OK) {

        if (ngx_http_modelguard_state_current(&zone->state) != NGX_OK) {
            result = NGX_AGAIN;

        } else if (zone->state.mapped != zone->state.size
                   || !ngx_http_modelguard_zone_fits(zone, table)
                   || ngx_http_modelguard_zone_file_apart(zone))
        {
            result = NGX_DECLINED;

        } else {
            result = NGX_OK;

            /* who was to take its place has died before */

            table->moved = 0;

            rc = ngx_http_modelguard_zone_register(zone, table);
        }

        modelguard_table_unlock_all(table);

        if (rc == MODELGUARD_OK) {
            return result;
        }
    }

    ngx_log_error(NGX_LOG_EMERG, zone->shm_zone->shm.log, 0,
                  "modelguard zone \"%V\": the state file \"%V\" cannot be "
                  "used: %d", &zone->shm_zone->shm.name, &zone->state.path,
                  rc);

    return NGX_ERROR;
}


/*
 * The table of the cycle before if it is not that of the file: state= was
 * added, or names another file that was there already, maybe a copy of it.
 */

static modelguard_table_t *
ngx_http_modelguard_zone_file_apart(ngx_http_modelguard_zone_t *zone)
{
    ngx_http_modelguard_zone_t  *old;

    old = zone->old;

    if (old == NULL || old->secret_id != zone->secret_id) {
        return NULL;
    }

    return (zone->state.table
            && old->state.table
            && old->state.ino == zone->state.ino
            && old->state.dev == zone->state.dev)
           ? NULL : old->table;
}


static ngx_int_t
ngx_http_modelguard_zone_file_replace(ngx_http_modelguard_zone_t *zone,
    modelguard_table_t *from)
{
    ngx_int_t                        rc;
    ngx_log_t                       *log;
    ngx_http_modelguard_state_t      next;
    ngx_http_modelguard_zone_set_t   set;

    log = zone->shm_zone->shm.log;

    rc = ngx_http_modelguard_state_create(&zone->state, &next, log);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_modelguard_zone_file_new_secret(zone);

    if (rc != NGX_OK) {
        goto failed;
    }

    if (from == NULL) {
        ngx_http_modelguard_zone_warn(zone);
    }

    /* budgets that only another nginx knows, if there is one */

    ngx_http_modelguard_zone_collect(zone,
                                     (from && !zone->old && !zone->state.first)
                                     ? from : NULL, &set);

    rc = ngx_http_modelguard_zone_lay(zone, next.table, next.size, &set);

    if (rc != NGX_OK) {
        goto failed;
    }

    rc = ngx_http_modelguard_zone_file_move(zone, &next, from);

    if (rc != NGX_OK) {
        goto failed;
    }

    ngx_http_modelguard_state_close(&zone->state, log);
    zone->state = next;

    return ngx_http_modelguard_state_finish(&zone->state, log);

failed:

    ngx_http_modelguard_state_abandon(&next, log);

    return rc;
}


/*
 * No charge is lost: whoever waits for a lock of the old table meanwhile
 * finds that it has moved, and follows.  Where the file and the zone so far
 * know the same client, the zone is right.
 */

static ngx_int_t
ngx_http_modelguard_zone_file_move(ngx_http_modelguard_zone_t *zone,
    ngx_http_modelguard_state_t *next, modelguard_table_t *from)
{
    ngx_int_t            rc;
    ngx_uint_t           i;
    modelguard_table_t  *apart, *sources[2];

    apart = ngx_http_modelguard_zone_file_apart(zone);

    sources[0] = from;
    sources[1] = apart;

    if (ngx_http_modelguard_zone_file_enter(zone, sources) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_modelguard_state_current(&zone->state);

    if (rc == NGX_OK) {

        for (i = 0; i < 2; i++) {
            if (sources[i]) {
                ngx_http_modelguard_zone_copy(zone, next->table, sources[i]);
            }
        }

        if (from) {
            from->moved = MODELGUARD_TABLE_MOVED;
        }

        /* its file was deleted, and its workers find this one there */

        if (apart && ngx_http_modelguard_zone_file_same(zone)) {
            apart->moved = MODELGUARD_TABLE_MOVED;
        }

        rc = ngx_http_modelguard_state_publish(next,
                                               zone->shm_zone->shm.log);
        if (rc != NGX_OK) {

            if (from) {
                from->moved = 0;
            }

            if (apart) {
                apart->moved = 0;
            }
        }

    } else {
        rc = NGX_AGAIN;
    }

    for (i = 0; i < 2; i++) {
        if (sources[i]) {
            modelguard_table_unlock_all(sources[i]);
        }
    }

    return rc;
}


/* in the order of all who take locks of several tables */

static ngx_int_t
ngx_http_modelguard_zone_file_enter(ngx_http_modelguard_zone_t *zone,
    modelguard_table_t **sources)
{
    int                  rc;
    ngx_uint_t           i, k, swap;
    modelguard_table_t  *one, *other;

    one = sources[0];
    other = sources[1];

    swap = (one && other
            && (other->uid[0] < one->uid[0]
                || (other->uid[0] == one->uid[0]
                    && other->uid[1] < one->uid[1])));

    for (i = 0; i < 2; i++) {
        k = swap ? 1 - i : i;

        if (sources[k] == NULL) {
            continue;
        }

        rc = modelguard_table_lock_all(sources[k]);

        if (rc == MODELGUARD_OK) {
            continue;
        }

        ngx_log_error(NGX_LOG_EMERG, zone->shm_zone->shm.log, 0,
                      "modelguard zone \"%V\" cannot be locked: %d",
                      &zone->shm_zone->shm.name, rc);

        if (i && sources[1 - k]) {
            modelguard_table_unlock_all(sources[1 - k]);
        }

        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_modelguard_zone_file_same(ngx_http_modelguard_zone_t *zone)
{
    ngx_str_t  *one, *other;

    one = &zone->state.path;
    other = &zone->old->state.path;

    return one->len == other->len
           && ngx_strncmp(one->data, other->data, one->len) == 0;
}


/* two paths may lead to one file, which must not be moved from under a zone */

static ngx_int_t
ngx_http_modelguard_zone_file_unique(ngx_http_modelguard_zone_t *zone)
{
    ngx_uint_t                        i;
    ngx_http_modelguard_zone_t      **other;
    ngx_http_modelguard_main_conf_t  *mgmcf;

    mgmcf = ngx_http_cycle_get_module_main_conf(zone->cycle,
                                                ngx_http_modelguard_module);

    other = mgmcf->zones.elts;

    for (i = 0; i < mgmcf->zones.nelts; i++) {

        if (other[i] != zone
            && other[i]->state.table != NULL
            && other[i]->state.ino == zone->state.ino
            && other[i]->state.dev == zone->state.dev)
        {
            ngx_log_error(NGX_LOG_EMERG, zone->shm_zone->shm.log, 0,
                          "modelguard zones \"%V\" and \"%V\" have the same "
                          "state file", &zone->shm_zone->shm.name,
                          &other[i]->shm_zone->shm.name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
