
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_zone_init.h"


#define NGX_HTTP_MODELGUARD_LOG_CTX  " in modelguard zone \"\""


static ngx_http_modelguard_zone_t *ngx_http_modelguard_zone_before(
    ngx_cycle_t *cycle, ngx_http_modelguard_zone_t *zone);
static ngx_int_t ngx_http_modelguard_zone_memory(
    ngx_http_modelguard_zone_t *zone, ngx_uint_t reused);
static ngx_int_t ngx_http_modelguard_zone_create(
    ngx_http_modelguard_zone_t *zone);
static ngx_int_t ngx_http_modelguard_zone_table(
    ngx_http_modelguard_zone_t *zone);
static void ngx_http_modelguard_zone_derive(ngx_http_modelguard_zone_t *zone);
static void ngx_http_modelguard_zone_key(ngx_http_modelguard_zone_t *zone);
static void ngx_http_modelguard_zone_want(ngx_http_modelguard_zone_set_t *set,
    uint64_t name, const modelguard_budget_t *budget);


ngx_int_t
ngx_http_modelguard_zone_prepare(ngx_conf_t *cf)
{
    ngx_uint_t                        i, renew;
    ngx_http_modelguard_zone_t       *old, **zones, *zone;
    ngx_http_modelguard_main_conf_t  *mgmcf;

    mgmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_modelguard_module);

    zones = mgmcf->zones.elts;

    for (i = 0; i < mgmcf->zones.nelts; i++) {
        zone = zones[i];
        zone->cycle = cf->cycle;

        if (mgmcf->secret_file.len) {
            ngx_memcpy(zone->secret, mgmcf->secret, MODELGUARD_HASH_SECRET);
            zone->secret_id = ngx_http_modelguard_secret_id(zone->secret);
        }

        old = ngx_http_modelguard_zone_before(cf->cycle->old_cycle, zone);

        if (old == NULL || old->table == NULL) {
            continue;
        }

        zone->old = old;

        /* nginx would go on with memory that does not suit any more */

        renew = ((old->state.path.len != 0) != (zone->state.path.len != 0));

        if (zone->state.path.len == 0 && !renew) {
            renew = (zone->secret_id && zone->secret_id != old->secret_id)
                    || !ngx_http_modelguard_zone_fits(zone, old->table);
        }

        /* both of them: it looks at one to reuse and at the other to free */

        zone->shm_zone->noreuse = renew;
        old->shm_zone->noreuse = renew;
    }

    return NGX_OK;
}


/* the zone of the same name in the cycle that ends, or NULL */

static ngx_http_modelguard_zone_t *
ngx_http_modelguard_zone_before(ngx_cycle_t *cycle,
    ngx_http_modelguard_zone_t *zone)
{
    ngx_str_t        *name;
    ngx_uint_t        i;
    ngx_shm_zone_t   *shm_zone;
    ngx_list_part_t  *part;

    if (cycle == NULL) {
        return NULL;
    }

    name = &zone->shm_zone->shm.name;

    for (part = &cycle->shared_memory.part; part; part = part->next) {
        shm_zone = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (shm_zone[i].tag == &ngx_http_modelguard_module
                && shm_zone[i].init == ngx_http_modelguard_zone_init
                && shm_zone[i].shm.name.len == name->len
                && ngx_strncmp(shm_zone[i].shm.name.data, name->data,
                               name->len)
                   == 0)
            {
                return shm_zone[i].data;
            }
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_modelguard_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_int_t                    rc;
    ngx_log_t                   *log;
    ngx_uint_t                   reused;
    ngx_http_modelguard_zone_t  *zone;

    zone = shm_zone->data;
    log = shm_zone->shm.log;

    zone->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    /* newer versions pass the old data along with memory that is new, too */

    reused = (data != NULL && !shm_zone->noreuse);

    zone->fresh = (!reused && zone->state.path.len == 0);

    if (!reused && ngx_http_modelguard_zone_create(zone) != NGX_OK) {
        return NGX_ERROR;
    }

    zone->sh = zone->shpool->data;
    zone->shpool->log_nomem = 0;

    if (zone->old && zone->old->state.path.len
        && ngx_http_modelguard_state_whole(&zone->old->state) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "modelguard zone \"%V\": the state file \"%V\" was cut "
                      "while it was in use", &shm_zone->shm.name,
                      &zone->old->state.path);
        zone->old = NULL;
    }

    /* another nginx may have moved the file meanwhile */

    if (zone->old && zone->old->table->moved
        && ngx_http_modelguard_zone_follow(zone->old, log) != NGX_OK)
    {
        zone->old = NULL;
    }

    if (zone->state.path.len) {
        rc = ngx_http_modelguard_zone_file(zone);

    } else {
        rc = ngx_http_modelguard_zone_memory(zone, reused);
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_modelguard_zone_header(zone) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_modelguard_zone_derive(zone);
    ngx_http_modelguard_zone_key(zone);

    /* its cycle is about to end */

    zone->old = NULL;

    return NGX_OK;
}


/* what all processes share besides the table, and memory for a table */

static ngx_int_t
ngx_http_modelguard_zone_create(ngx_http_modelguard_zone_t *zone)
{
    size_t                          len;
    u_char                         *table;
    ngx_str_t                      *name;
    ngx_uint_t                      pages;
    ngx_slab_pool_t                *shpool;
    ngx_http_modelguard_zone_sh_t  *sh;

    name = &zone->shm_zone->shm.name;

    shpool = zone->shpool;
    shpool->log_nomem = 0;

    /* one piece for both, so that they share a page */

    len = sizeof(NGX_HTTP_MODELGUARD_LOG_CTX) + name->len;

    sh = ngx_slab_calloc(shpool, sizeof(ngx_http_modelguard_zone_sh_t) + len);
    if (sh == NULL) {
        goto small;
    }

    shpool->log_ctx = (u_char *) sh + sizeof(ngx_http_modelguard_zone_sh_t);

    ngx_sprintf(shpool->log_ctx, " in modelguard zone \"%V\"%Z", name);

    shpool->data = sh;

    if (zone->state.path.len) {
        return NGX_OK;
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

    sh->offset = table - (u_char *) sh;
    sh->size = pages * ngx_pagesize;

    return NGX_OK;

small:

    ngx_log_error(NGX_LOG_EMERG, zone->shm_zone->shm.log, 0,
                  "zone \"%V\" is too small", name);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_modelguard_zone_memory(ngx_http_modelguard_zone_t *zone,
    ngx_uint_t reused)
{
    int                              rc;
    ngx_log_t                       *log;
    modelguard_table_t              *from;
    ngx_http_modelguard_zone_t      *old;
    ngx_http_modelguard_zone_set_t   set;

    log = zone->shm_zone->shm.log;
    old = zone->old;

    if (zone->secret_id == 0) {

        if (old) {
            ngx_memcpy(zone->secret, old->secret, MODELGUARD_HASH_SECRET);

        } else if (ngx_http_modelguard_secret_random(zone->secret,
                                                     MODELGUARD_HASH_SECRET,
                                                     log)
                   != NGX_OK)
        {
            return NGX_ERROR;
        }

        zone->secret_id = ngx_http_modelguard_secret_id(zone->secret);
    }

    zone->table = (modelguard_table_t *)
                      ((u_char *) zone->sh + zone->sh->offset);

    if (reused) {
        return ngx_http_modelguard_zone_table(zone);
    }

    from = (old && !ngx_http_modelguard_zone_warn(zone)) ? old->table : NULL;

    ngx_http_modelguard_zone_collect(zone, NULL, &set);

    if (ngx_http_modelguard_zone_lay(zone, zone->table, zone->sh->size, &set)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (from == NULL) {
        return NGX_OK;
    }

    rc = modelguard_table_lock_all(from);

    if (rc != MODELGUARD_OK) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "modelguard zone \"%V\" cannot be locked: %d",
                      &zone->shm_zone->shm.name, rc);
        return NGX_ERROR;
    }

    ngx_http_modelguard_zone_copy(zone, zone->table, from);

    modelguard_table_unlock_all(from);

    return NGX_OK;
}


/* the memory of the cycle before, whose workers go on using it */

static ngx_int_t
ngx_http_modelguard_zone_table(ngx_http_modelguard_zone_t *zone)
{
    int         rc;
    ngx_log_t  *log;

    log = zone->shm_zone->shm.log;

    rc = modelguard_table_lock_all(zone->table);

    if (rc == MODELGUARD_OK) {
        rc = ngx_http_modelguard_zone_register(zone, zone->table);
        modelguard_table_unlock_all(zone->table);
    }

    if (rc != MODELGUARD_OK) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "modelguard zone \"%V\" cannot hold its budgets: %d",
                      &zone->shm_zone->shm.name, rc);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * Values of the key and addresses are hashed under secrets of their own, so
 * that nobody gets at the record of an address by sending a key.  That of the
 * addresses does not depend on the key's text: they outlive its change.
 */

static void
ngx_http_modelguard_zone_derive(ngx_http_modelguard_zone_t *zone)
{
    modelguard_id_t  id;
    uint8_t          secret[MODELGUARD_HASH_SECRET];

    modelguard_hash(&id, zone->secret, (uint8_t *) "key", 3);
    ngx_memcpy(secret, &id, MODELGUARD_HASH_SECRET);

    modelguard_hash(&id, secret, zone->key_text.data, zone->key_text.len);
    ngx_memcpy(zone->key_secret, &id, MODELGUARD_HASH_SECRET);

    modelguard_hash(&id, zone->secret, (uint8_t *) "addr", 4);
    ngx_memcpy(zone->addr_secret, &id, MODELGUARD_HASH_SECRET);

    ngx_explicit_memzero(secret, MODELGUARD_HASH_SECRET);
    ngx_explicit_memzero(&id, sizeof(modelguard_id_t));
}


static void
ngx_http_modelguard_zone_key(ngx_http_modelguard_zone_t *zone)
{
    ngx_http_modelguard_zone_t  *old;

    old = zone->old;

    if (old == NULL
        || (old->key_text.len == zone->key_text.len
            && ngx_strncmp(old->key_text.data, zone->key_text.data,
                           zone->key_text.len)
               == 0))
    {
        return;
    }

    /*
     * The key's text is hashed into the ids, so the records of the old key
     * are never found again: they go idle and are evicted.
     */

    ngx_log_error(NGX_LOG_NOTICE, zone->shm_zone->shm.log, 0,
                  "modelguard zone \"%V\" uses the \"%V\" key while previously "
                  "it used the \"%V\" key, clients begin anew but for those "
                  "told apart by their addresses", &zone->shm_zone->shm.name,
                  &zone->key_text, &old->key_text);
}


ngx_uint_t
ngx_http_modelguard_zone_fits(ngx_http_modelguard_zone_t *zone,
    const modelguard_table_t *table)
{
    unsigned                             n;
    ngx_uint_t                           i, needed, left;
    ngx_http_modelguard_budget_conf_t  **budget;

    budget = zone->budgets.elts;
    needed = 0;
    left = 0;

    for (i = 0; i < zone->budgets.nelts; i++) {
        if (modelguard_table_index(table, budget[i]->id) == table->cells) {
            needed++;
        }
    }

    for (n = 0; n < table->cells; n++) {
        if (table->budgets[n].name == 0) {
            left++;
        }
    }

    return needed <= left;
}


int
ngx_http_modelguard_zone_register(ngx_http_modelguard_zone_t *zone,
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


void
ngx_http_modelguard_zone_collect(ngx_http_modelguard_zone_t *zone,
    const modelguard_table_t *table, ngx_http_modelguard_zone_set_t *set)
{
    unsigned                             n;
    ngx_uint_t                           i;
    ngx_http_modelguard_budget_conf_t  **budget;

    set->n = 0;

    budget = zone->budgets.elts;

    for (i = 0; i < zone->budgets.nelts; i++) {
        ngx_http_modelguard_zone_want(set, budget[i]->id, &budget[i]->budget);
    }

    if (zone->old) {
        budget = zone->old->budgets.elts;

        for (i = 0; i < zone->old->budgets.nelts; i++) {
            ngx_http_modelguard_zone_want(set, budget[i]->id,
                                          &budget[i]->budget);
        }
    }

    for (n = 0; table && n < table->cells; n++) {
        if (table->budgets[n].name) {
            ngx_http_modelguard_zone_want(set, table->budgets[n].name,
                                          &table->budgets[n].budget);
        }
    }
}


static void
ngx_http_modelguard_zone_want(ngx_http_modelguard_zone_set_t *set,
    uint64_t name, const modelguard_budget_t *budget)
{
    ngx_uint_t  i;

    for (i = 0; i < set->n; i++) {
        if (set->names[i] == name) {
            return;
        }
    }

    if (set->n < MODELGUARD_TABLE_BUDGETS) {
        set->names[set->n] = name;
        set->budgets[set->n++] = *budget;
    }
}


ngx_int_t
ngx_http_modelguard_zone_lay(ngx_http_modelguard_zone_t *zone,
    modelguard_table_t *table, size_t size,
    const ngx_http_modelguard_zone_set_t *set)
{
    int         rc;
    unsigned    n;
    uint64_t    uid[2];
    ngx_log_t  *log;
    ngx_uint_t  i;

    log = zone->shm_zone->shm.log;

    if (ngx_http_modelguard_secret_random(uid, sizeof(uid), log) != NGX_OK) {
        return NGX_ERROR;
    }

    n = set->n ? (unsigned) set->n : 1;

    /* what the kernel gives is zero, and its pages are none until used */

#if !(NGX_DEBUG_MALLOC || NGX_HAVE_DEBUG_MALLOC)

    if (zone->fresh) {
        rc = modelguard_table_lay(table, size, n, uid, zone->secret_id);

    } else

#endif
    {
        rc = modelguard_table_init(table, size, n, uid, zone->secret_id);
    }

    for (i = 0; rc == MODELGUARD_OK && i < set->n; i++) {
        rc = modelguard_table_register(table, set->names[i],
                                       &set->budgets[i]);
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

    return NGX_OK;
}


ngx_uint_t
ngx_http_modelguard_zone_warn(ngx_http_modelguard_zone_t *zone)
{
    if (zone->old == NULL || zone->old->secret_id == zone->secret_id) {
        return 0;
    }

    ngx_log_error(NGX_LOG_WARN, zone->shm_zone->shm.log, 0,
                  "modelguard zone \"%V\" has another secret than before, "
                  "all clients begin anew", &zone->shm_zone->shm.name);

    return 1;
}


void
ngx_http_modelguard_zone_copy(ngx_http_modelguard_zone_t *zone,
    modelguard_table_t *to, const modelguard_table_t *from)
{
    ngx_log_t                  *log;
    ngx_str_t                  *name;
    ngx_time_t                 *tp;
    modelguard_table_report_t   report;

    log = zone->shm_zone->shm.log;
    name = &zone->shm_zone->shm.name;
    tp = ngx_timeofday();

    modelguard_table_copy(to, from, (uint64_t) tp->sec * 1000 + tp->msec,
                          &report);

    ngx_log_error(NGX_LOG_NOTICE, log, 0,
                  "modelguard zone \"%V\": %uL clients were carried over from "
                  "%uL bytes to %uL", name, report.records, from->size,
                  to->size);

    if (report.lost) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "modelguard zone \"%V\": %uL clients were lost, there "
                      "is no room for them", name, report.lost);
    }

    if (report.budgets) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "modelguard zone \"%V\": the counters of %uL budgets "
                      "that are not configured any more were lost", name,
                      report.budgets);
    }
}
