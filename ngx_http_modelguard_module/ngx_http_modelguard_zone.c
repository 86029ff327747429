
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_zone.h"

#if (NGX_LINUX)
#include <sys/random.h>
#endif


#define NGX_HTTP_MODELGUARD_ZONE_LAYOUT  2

#define NGX_HTTP_MODELGUARD_FULL_PERIOD  60000    /* ms between log lines */

#define NGX_HTTP_MODELGUARD_LOG_CTX      " in modelguard zone \"\""


/* the zone's memory: this in the slab, and the table in all that is left */

typedef struct {
    uint32_t   layout;
    uint32_t   unused;
    uint8_t    secret[MODELGUARD_HASH_SECRET];
    uint64_t   offset;               /* of the table, from here */
    uint64_t   size;                 /* of the table */
    uint64_t   full;                 /* ms, when it last was told */
} ngx_http_modelguard_zone_sh_t;


static ngx_int_t ngx_http_modelguard_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_modelguard_zone_create(ngx_shm_zone_t *shm_zone);
static ngx_int_t ngx_http_modelguard_zone_random(u_char *p, size_t len,
    ngx_log_t *log);
static void ngx_http_modelguard_zone_derive(ngx_http_modelguard_zone_t *zone);
static ngx_int_t ngx_http_modelguard_zone_setup(
    ngx_http_modelguard_zone_t *zone, ngx_http_modelguard_zone_t *ozone);
static int ngx_http_modelguard_zone_reset_locked(
    ngx_http_modelguard_zone_t *zone, ngx_http_modelguard_zone_t *ozone);
static int ngx_http_modelguard_zone_lay(ngx_http_modelguard_zone_t *zone,
    ngx_http_modelguard_zone_t *ozone, modelguard_table_t *table);
static int ngx_http_modelguard_zone_register_locked(
    ngx_http_modelguard_zone_t *zone, modelguard_table_t *table);


char *
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

    zp = ngx_array_push(&mgmcf->zones);
    if (zp == NULL) {
        return NGX_CONF_ERROR;
    }

    *zp = zone;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_modelguard_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_modelguard_zone_t  *ozone = data;

    ngx_http_modelguard_zone_t     *zone;
    ngx_http_modelguard_zone_sh_t  *sh;

    zone = shm_zone->data;
    zone->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (ozone == NULL && !shm_zone->shm.exists) {

        if (ngx_http_modelguard_zone_create(shm_zone) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    sh = zone->shpool->data;

    if (sh->layout != NGX_HTTP_MODELGUARD_ZONE_LAYOUT) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "modelguard zone \"%V\" has the layout %uD, not %d",
                      &shm_zone->shm.name, sh->layout,
                      NGX_HTTP_MODELGUARD_ZONE_LAYOUT);
        return NGX_ERROR;
    }

    if (ozone
        && (ozone->key_text.len != zone->key_text.len
            || ngx_strncmp(ozone->key_text.data, zone->key_text.data,
                           zone->key_text.len)
               != 0))
    {
        /*
         * The key's text is hashed into the ids, so the records of the old
         * key are never found again: they go idle and are evicted.
         */

        ngx_log_error(NGX_LOG_NOTICE, shm_zone->shm.log, 0,
                      "modelguard zone \"%V\" uses the \"%V\" key "
                      "while previously it used the \"%V\" key, "
                      "clients begin anew", &shm_zone->shm.name,
                      &zone->key_text, &ozone->key_text);
    }

    zone->sh = sh;
    zone->table = (modelguard_table_t *) ((u_char *) sh + sh->offset);
    zone->shpool->log_nomem = 0;

    ngx_http_modelguard_zone_derive(zone);

    return ngx_http_modelguard_zone_setup(zone, ozone);
}


static ngx_int_t
ngx_http_modelguard_zone_create(ngx_shm_zone_t *shm_zone)
{
    size_t                          len;
    u_char                         *table;
    ngx_uint_t                      pages;
    ngx_slab_pool_t                *shpool;
    ngx_http_modelguard_zone_sh_t  *sh;

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;
    shpool->log_nomem = 0;

    /* one piece for both, so that they share a page */

    len = sizeof(NGX_HTTP_MODELGUARD_LOG_CTX) + shm_zone->shm.name.len;

    sh = ngx_slab_calloc(shpool, sizeof(ngx_http_modelguard_zone_sh_t) + len);
    if (sh == NULL) {
        goto small;
    }

    table = NULL;

    for (pages = shpool->pfree; pages; pages--) {

        table = ngx_slab_alloc(shpool, pages * ngx_pagesize);
        if (table) {
            break;
        }
    }

    if (table == NULL) {
        goto small;
    }

    if (ngx_http_modelguard_zone_random(sh->secret, MODELGUARD_HASH_SECRET,
                                        shm_zone->shm.log)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    shpool->log_ctx = (u_char *) sh + sizeof(ngx_http_modelguard_zone_sh_t);

    ngx_sprintf(shpool->log_ctx, " in modelguard zone \"%V\"%Z",
                &shm_zone->shm.name);

    sh->layout = NGX_HTTP_MODELGUARD_ZONE_LAYOUT;
    sh->offset = table - (u_char *) sh;
    sh->size = pages * ngx_pagesize;

    shpool->data = sh;

    return NGX_OK;

small:

    ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                  "zone \"%V\" is too small", &shm_zone->shm.name);

    return NGX_ERROR;
}


#if (NGX_LINUX)

static ngx_int_t
ngx_http_modelguard_zone_random(u_char *p, size_t len, ngx_log_t *log)
{
    ssize_t    n;
    ngx_err_t  err;

    while (len) {
        n = getrandom(p, len, 0);

        if (n == -1) {
            err = ngx_errno;

            if (err == NGX_EINTR) {
                continue;
            }

            ngx_log_error(NGX_LOG_EMERG, log, err, "getrandom() failed");
            return NGX_ERROR;
        }

        p += n;
        len -= n;
    }

    return NGX_OK;
}

#else

static ngx_int_t
ngx_http_modelguard_zone_random(u_char *p, size_t len, ngx_log_t *log)
{
    ssize_t   n;
    ngx_fd_t  fd;

    fd = ngx_open_file("/dev/urandom", NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      ngx_open_file_n " \"/dev/urandom\" failed");
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, p, len);

    if (n != (ssize_t) len) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      ngx_read_fd_n " \"/dev/urandom\" failed");
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      ngx_close_file_n " \"/dev/urandom\" failed");
    }

    return (n == (ssize_t) len) ? NGX_OK : NGX_ERROR;
}

#endif


/*
 * Values of the key and addresses are hashed under secrets of their own, so
 * that nobody gets at the record of an address by sending a key.
 */

static void
ngx_http_modelguard_zone_derive(ngx_http_modelguard_zone_t *zone)
{
    modelguard_id_t                 id;
    ngx_http_modelguard_zone_sh_t  *sh;
    uint8_t                         secret[MODELGUARD_HASH_SECRET];

    sh = zone->sh;

    modelguard_hash(&id, sh->secret, zone->key_text.data, zone->key_text.len);
    ngx_memcpy(secret, &id, MODELGUARD_HASH_SECRET);

    modelguard_hash(&id, secret, (uint8_t *) "key", 3);
    ngx_memcpy(zone->key_secret, &id, MODELGUARD_HASH_SECRET);

    modelguard_hash(&id, secret, (uint8_t *) "addr", 4);
    ngx_memcpy(zone->addr_secret, &id, MODELGUARD_HASH_SECRET);

    ngx_explicit_memzero(secret, MODELGUARD_HASH_SECRET);
}


static ngx_int_t
ngx_http_modelguard_zone_setup(ngx_http_modelguard_zone_t *zone,
    ngx_http_modelguard_zone_t *ozone)
{
    int          rc;
    ngx_log_t   *log;
    ngx_uint_t   reset;

    log = zone->shm_zone->shm.log;

    reset = 0;

    if (ozone == NULL && !zone->shm_zone->shm.exists) {
        rc = ngx_http_modelguard_zone_lay(zone, NULL, zone->table);

    } else if (modelguard_table_lock_all(zone->table) == MODELGUARD_OK) {
        rc = ngx_http_modelguard_zone_register_locked(zone, zone->table);

        if (rc == MODELGUARD_TOO_BIG) {
            reset = 1;
            rc = ngx_http_modelguard_zone_reset_locked(zone, ozone);
        }

        modelguard_table_unlock_all(zone->table);

    } else {
        rc = MODELGUARD_INVALID;
    }

    if (rc == MODELGUARD_TOO_BIG) {
        ngx_log_error(NGX_LOG_EMERG, log, 0, "zone \"%V\" is too small",
                      &zone->shm_zone->shm.name);
        return NGX_ERROR;
    }

    if (rc != MODELGUARD_OK) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "modelguard zone \"%V\" cannot hold its budgets: %d",
                      &zone->shm_zone->shm.name, rc);
        return NGX_ERROR;
    }

    if (reset) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "modelguard zone \"%V\" has no room for its new "
                      "budgets, all its counters were reset",
                      &zone->shm_zone->shm.name);
    }

    return NGX_OK;
}


/* what another table has is taken over, for others wait for these locks */

static int
ngx_http_modelguard_zone_reset_locked(ngx_http_modelguard_zone_t *zone,
    ngx_http_modelguard_zone_t *ozone)
{
    int                  rc;
    modelguard_table_t  *table;

    table = ngx_memalign(64, zone->table->size, zone->shm_zone->shm.log);
    if (table == NULL) {
        return MODELGUARD_NOMEM;
    }

    rc = ngx_http_modelguard_zone_lay(zone, ozone, table);

    if (rc == MODELGUARD_OK) {
        rc = modelguard_table_adopt(zone->table, table);
    }

    ngx_free(table);

    return rc;
}


/*
 * The budgets of the cycle that ends are kept if they fit: its workers still
 * charge them, and go on if the new configuration is not taken after all.
 */

static int
ngx_http_modelguard_zone_lay(ngx_http_modelguard_zone_t *zone,
    ngx_http_modelguard_zone_t *ozone, modelguard_table_t *table)
{
    int                                  rc;
    uint64_t                             uid[2];
    ngx_uint_t                           i, n;
    ngx_http_modelguard_zone_sh_t       *sh;
    ngx_http_modelguard_budget_conf_t  **budget;

    sh = zone->sh;
    n = zone->budgets.nelts;

    if (ngx_http_modelguard_zone_random((u_char *) uid, sizeof(uid),
                                        zone->shm_zone->shm.log)
        != NGX_OK)
    {
        return MODELGUARD_INVALID;
    }

    if (ozone) {
        budget = ozone->budgets.elts;

        for (i = 0; i < ozone->budgets.nelts; i++) {
            if (ngx_http_modelguard_zone_budget(zone, budget[i]->id) == NULL) {
                n++;
            }
        }

        if (n > MODELGUARD_TABLE_BUDGETS) {
            n = zone->budgets.nelts;
            ozone = NULL;
        }
    }

    rc = modelguard_table_init(table, sh->size, n ? (unsigned) n : 1, uid, 0);

    if (rc == MODELGUARD_OK && ozone) {
        rc = ngx_http_modelguard_zone_register_locked(ozone, table);
    }

    if (rc == MODELGUARD_OK) {
        rc = ngx_http_modelguard_zone_register_locked(zone, table);
    }

    return rc;
}


static int
ngx_http_modelguard_zone_register_locked(ngx_http_modelguard_zone_t *zone,
    modelguard_table_t *table)
{
    int                                  rc;
    ngx_uint_t                           i;
    ngx_http_modelguard_budget_conf_t  **budget;

    budget = zone->budgets.elts;

    for (i = 0; i < zone->budgets.nelts; i++) {

        rc = modelguard_table_register(table, budget[i]->id,
                                       &budget[i]->budget);
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    return MODELGUARD_OK;
}


ngx_int_t
ngx_http_modelguard_zone_client(ngx_http_request_t *r,
    ngx_http_modelguard_zone_t *zone, ngx_str_t *addr, modelguard_id_t *id)
{
    ngx_str_t  key;

    if (ngx_http_complex_value(r, &zone->key, &key) != NGX_OK) {
        return NGX_ERROR;
    }

    if (key.len == 0) {
        modelguard_hash(id, zone->addr_secret, addr->data, addr->len);
        return NGX_OK;
    }

    modelguard_hash(id, zone->key_secret, key.data, key.len);

    return NGX_OK;
}


void
ngx_http_modelguard_zone_full(ngx_http_modelguard_zone_t *zone, uint64_t now,
    ngx_log_t *log)
{
    ngx_http_modelguard_zone_sh_t  *sh;

    sh = zone->sh;

    /* a clock that was set back must not silence the line for long */

    if (sh->full && now >= sh->full
        && now - sh->full < NGX_HTTP_MODELGUARD_FULL_PERIOD)
    {
        return;
    }

    sh->full = now;

    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "modelguard: zone \"%V\" is full of clients over "
                  "their limits, new ones are refused",
                  &zone->shm_zone->shm.name);
}
