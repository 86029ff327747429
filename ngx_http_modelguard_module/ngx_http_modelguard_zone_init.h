
/*
 * Copyright (C) the modelguard authors
 *
 * How a zone comes by its table, and the table by what was counted before:
 * ..._zone_init.c for memory of nginx's, ..._zone_file.c for a state file.
 * In the master process, before workers are there, or beside those of the
 * cycle that ends.
 */


#ifndef NGX_HTTP_MODELGUARD_ZONE_INIT_H_INCLUDED
#define NGX_HTTP_MODELGUARD_ZONE_INIT_H_INCLUDED


#include "ngx_http_modelguard_zone.h"
#include "ngx_http_modelguard_secret.h"


/* the budgets of a table to be, the most important ones first */

typedef struct {
    ngx_uint_t           n;
    uint64_t             names[MODELGUARD_TABLE_BUDGETS];
    modelguard_budget_t  budgets[MODELGUARD_TABLE_BUDGETS];
} ngx_http_modelguard_zone_set_t;


/* the init callback of the shared memory */

ngx_int_t ngx_http_modelguard_zone_init(ngx_shm_zone_t *shm_zone, void *data);

/* the state file of a zone that has one.  NGX_OK or NGX_ERROR */

ngx_int_t ngx_http_modelguard_zone_file(ngx_http_modelguard_zone_t *zone);

/* whether a table has cells for all budgets of a zone */

ngx_uint_t ngx_http_modelguard_zone_fits(ngx_http_modelguard_zone_t *zone,
    const modelguard_table_t *table);

/* registers them, all locks being held; a result of the table's */

int ngx_http_modelguard_zone_register(ngx_http_modelguard_zone_t *zone,
    modelguard_table_t *table);

/*
 * The budgets of a zone, those of the cycle before, whose workers still
 * charge them, and those of "table", unless it is NULL; as many as fit.
 */

void ngx_http_modelguard_zone_collect(ngx_http_modelguard_zone_t *zone,
    const modelguard_table_t *table, ngx_http_modelguard_zone_set_t *set);

/* a new table with these budgets.  NGX_OK or NGX_ERROR */

ngx_int_t ngx_http_modelguard_zone_lay(ngx_http_modelguard_zone_t *zone,
    modelguard_table_t *table, size_t size,
    const ngx_http_modelguard_zone_set_t *set);

/* warns if the secret is not that of the cycle before; 1 if so */

ngx_uint_t ngx_http_modelguard_zone_warn(ngx_http_modelguard_zone_t *zone);

/* copies, all locks of "from" being held, and tells how it went */

void ngx_http_modelguard_zone_copy(ngx_http_modelguard_zone_t *zone,
    modelguard_table_t *to, const modelguard_table_t *from);


#endif /* NGX_HTTP_MODELGUARD_ZONE_INIT_H_INCLUDED */
