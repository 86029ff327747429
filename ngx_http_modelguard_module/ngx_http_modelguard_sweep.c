
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_sweep.h"


#define NGX_HTTP_MODELGUARD_SWEEP_TICK     1000    /* ms */
#define NGX_HTTP_MODELGUARD_SWEEP_PERIOD   600     /* s for a whole table */
#define NGX_HTTP_MODELGUARD_SWEEP_BUCKETS  64      /* with the lock held */
#define NGX_HTTP_MODELGUARD_SWEEP_MOST     16384   /* buckets in a tick */


/*
 * What debug logging takes for a connection: its "fd" must be where that of
 * ngx_connection_t is.
 */

typedef struct {
    ngx_connection_t             connection;
    ngx_event_t                  event;
    ngx_http_modelguard_zone_t  *zone;
    unsigned                     shard;
    uint64_t                     cursor;
} ngx_http_modelguard_sweep_t;


static ngx_int_t ngx_http_modelguard_sweep_add(ngx_cycle_t *cycle,
    ngx_http_modelguard_zone_t *zone, ngx_uint_t alone);
static void ngx_http_modelguard_sweep_cleanup(void *data);
static void ngx_http_modelguard_sweep_handler(ngx_event_t *ev);
static void ngx_http_modelguard_sweep(ngx_http_modelguard_sweep_t *sweep,
    ngx_uint_t n, ngx_log_t *log);


ngx_int_t
ngx_http_modelguard_sweep_init(ngx_cycle_t *cycle)
{
    ngx_uint_t                        i, single, alone;
    ngx_core_conf_t                  *ccf;
    ngx_http_modelguard_zone_t      **zone;
    ngx_http_modelguard_main_conf_t  *mgmcf;

    mgmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                                ngx_http_modelguard_module);

    if (mgmcf == NULL) {
        return NGX_OK;
    }

    zone = mgmcf->zones.elts;
    single = (ngx_process == NGX_PROCESS_SINGLE);

    if (!single) {

        /* the next configuration asks the master's copy, not this one */

        ngx_explicit_memzero(mgmcf->secret, MODELGUARD_HASH_SECRET);

        for (i = 0; i < mgmcf->zones.nelts; i++) {
            ngx_explicit_memzero(zone[i]->secret, MODELGUARD_HASH_SECRET);
        }
    }

    if (!single && (ngx_process != NGX_PROCESS_WORKER || ngx_worker != 0)) {
        return NGX_OK;
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    alone = (single || ccf->worker_processes == 1);

    for (i = 0; i < mgmcf->zones.nelts; i++) {
        if (ngx_http_modelguard_sweep_add(cycle, zone[i], alone) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_sweep_add(ngx_cycle_t *cycle,
    ngx_http_modelguard_zone_t *zone, ngx_uint_t alone)
{
    ngx_pool_cleanup_t           *cln;
    modelguard_table_stat_t       stat;
    ngx_http_modelguard_sweep_t  *sweep;

    cln = ngx_pool_cleanup_add(cycle->pool,
                               sizeof(ngx_http_modelguard_sweep_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_modelguard_sweep_cleanup;

    sweep = cln->data;
    ngx_memzero(sweep, sizeof(ngx_http_modelguard_sweep_t));

    sweep->zone = zone;
    sweep->connection.fd = (ngx_socket_t) -1;

    /* where reloads are frequent every shard has its turn all the same */

    sweep->shard = (unsigned) ngx_random() % zone->table->shards;

    sweep->event.handler = ngx_http_modelguard_sweep_handler;
    sweep->event.log = cycle->log;
    sweep->event.data = sweep;
    sweep->event.cancelable = 1;

    zone->sweep = &sweep->event;

    /* one that was killed may have left some */

    modelguard_table_stat(zone->table, &stat);

    if (!alone || !zone->fresh || stat.records) {
        ngx_http_modelguard_sweep_start(zone);
    }

    return NGX_OK;
}


void
ngx_http_modelguard_sweep_start(ngx_http_modelguard_zone_t *zone)
{
    ngx_event_t  *ev;

    ev = zone->sweep;
    zone->sweep = NULL;

    ngx_add_timer(ev, NGX_HTTP_MODELGUARD_SWEEP_TICK);
}


/* without a master process the timers outlive a cycle */

static void
ngx_http_modelguard_sweep_cleanup(void *data)
{
    ngx_http_modelguard_sweep_t *sweep = data;

    if (sweep->event.timer_set) {
        ngx_del_timer(&sweep->event);
    }
}


static void
ngx_http_modelguard_sweep_handler(ngx_event_t *ev)
{
    uint64_t                      buckets;
    ngx_uint_t                    period, n;
    modelguard_table_t           *table;
    ngx_http_modelguard_sweep_t  *sweep;

    if (ngx_exiting || ngx_terminate || ngx_quit) {
        return;
    }

    sweep = ev->data;

    /* without a master process the memory of a cycle that ended is gone */

    if (sweep->zone->cycle != ngx_cycle) {
        return;
    }

    table = sweep->zone->table;

    buckets = modelguard_table_capacity(table->size, table->cells)
              / MODELGUARD_TABLE_WAYS;

    period = ngx_min((ngx_uint_t) sweep->zone->inactive,
                     NGX_HTTP_MODELGUARD_SWEEP_PERIOD);

    n = (ngx_uint_t) ngx_min(buckets / period + table->shards,
                             NGX_HTTP_MODELGUARD_SWEEP_MOST);

    ngx_http_modelguard_sweep(sweep, n, ev->log);

    ngx_add_timer(ev, NGX_HTTP_MODELGUARD_SWEEP_TICK);
}


static void
ngx_http_modelguard_sweep(ngx_http_modelguard_sweep_t *sweep, ngx_uint_t n,
    ngx_log_t *log)
{
    int                          rc, done;
    uint64_t                     now;
    ngx_uint_t                   some;
    ngx_http_modelguard_zone_t  *zone;

    zone = sweep->zone;
    now = (uint64_t) ngx_time() * 1000;

    while (n) {
        some = ngx_min(n, NGX_HTTP_MODELGUARD_SWEEP_BUCKETS);

        /* the table may be another one than before, with fewer shards */

        sweep->shard %= zone->table->shards;

        rc = modelguard_table_lock(zone->table, sweep->shard);

        if (rc == MODELGUARD_TABLE_MOVED) {

            if (ngx_http_modelguard_zone_follow(zone, log) != NGX_OK) {
                return;
            }

            sweep->cursor = 0;
            continue;
        }

        if (rc != MODELGUARD_OK) {
            ngx_http_modelguard_zone_stuck(zone, log);
            return;
        }

        done = modelguard_table_sweep(zone->table, sweep->shard,
                                      &sweep->cursor, (unsigned) some,
                                      (uint64_t) zone->inactive, now);

        modelguard_table_unlock(zone->table, sweep->shard);

        if (done) {
            sweep->shard++;
            sweep->cursor = 0;
        }

        n -= some;
    }
}
