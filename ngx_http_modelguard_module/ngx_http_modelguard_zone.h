
/*
 * Copyright (C) the modelguard authors
 *
 * The shared memory zones: ngx_http_modelguard_zone.c is the only file that
 * touches ngx_slab_*, ..._zone_charge.c charges, and ..._zone_conf.c has the
 * directive.
 */


#ifndef NGX_HTTP_MODELGUARD_ZONE_H_INCLUDED
#define NGX_HTTP_MODELGUARD_ZONE_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_conf.h"


struct ngx_http_modelguard_zone_s {
    ngx_shm_zone_t             *shm_zone;
    ngx_http_complex_value_t    key;
    ngx_str_t                   key_text;      /* as configured */
    ngx_array_t                 budgets;       /* of ..._budget_conf_t *, of
                                                  distinct names; at most
                                                  MODELGUARD_TABLE_BUDGETS */

    /* in shared memory, valid after init */

    ngx_slab_pool_t            *shpool;
    void                       *sh;
    modelguard_table_t         *table;

    /* of the zone's secret and the key's text, computed at init */

    uint8_t                     key_secret[MODELGUARD_HASH_SECRET];
    uint8_t                     addr_secret[MODELGUARD_HASH_SECRET];
};


/* what one request is to be charged in one zone */

typedef struct {
    ngx_http_modelguard_zone_t  *zone;
    modelguard_id_t              id;           /* of the client in it */
    unsigned                     n;
    modelguard_charge_t          charges[MODELGUARD_TABLE_BUDGETS];
    modelguard_verdict_t         verdict;

    unsigned                     shard;        /* of the id */
    ngx_uint_t                   order;        /* of the i-th to be locked */
} ngx_http_modelguard_zone_charge_t;


/* a cost that ngx_http_modelguard_zone_means() is to find out */

#define NGX_HTTP_MODELGUARD_ZONE_MEAN  UINT64_MAX


/* the directive "modelguard_zone $key zone=name:size" */

char *ngx_http_modelguard_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* finds a zone by name in the main configuration, or NULL */

ngx_http_modelguard_zone_t *ngx_http_modelguard_zone_find(ngx_conf_t *cf,
    ngx_str_t *name);

/*
 * Notes that a budget counts in its zone.  A second budget of the same name
 * in the same zone must have the same parameters; variables, the same text.
 * NGX_CONF_OK or a message logged and NGX_CONF_ERROR.
 */

char *ngx_http_modelguard_zone_add(ngx_conf_t *cf,
    ngx_http_modelguard_budget_conf_t *budget);

/* the zone's budget of that id, or NULL */

ngx_http_modelguard_budget_conf_t *ngx_http_modelguard_zone_budget(
    ngx_http_modelguard_zone_t *zone, uint64_t id);

/* asks for the shared memory of a new zone; "cmd" names the directive */

char *ngx_http_modelguard_zone_bind(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_modelguard_zone_t *zone, ngx_str_t *name, ssize_t size);

/*
 * The client's id in a zone: the key's value hashed with the zone's secret
 * and the key's text, or "addr", see ngx_http_modelguard_addr(), when the
 * value is empty.  NGX_OK or NGX_ERROR.
 */

ngx_int_t ngx_http_modelguard_zone_client(ngx_http_request_t *r,
    ngx_http_modelguard_zone_t *zone, ngx_str_t *addr, modelguard_id_t *id);

/*
 * Charges every budget of n (1 .. MODELGUARD_TABLE_BUDGETS) distinct zones, or
 * none: the locks of all of them are held meanwhile.  Sets the verdicts.  If
 * some zone refuses, only the verdicts of those that refuse are set, and the
 * others are PASSED.  "now" is in ms.  Returns the index of the zone to speak
 * of: that with the longest wait when LIMITED, else one that is EXHAUSTED,
 * else that with the smallest share remaining.
 */

ngx_uint_t ngx_http_modelguard_zone_charge(
    ngx_http_modelguard_zone_charge_t *charges, ngx_uint_t n, uint64_t now,
    ngx_log_t *log);

/* tells the log that a zone is full, once a minute */

void ngx_http_modelguard_zone_full(ngx_http_modelguard_zone_t *zone,
    uint64_t now, ngx_log_t *log);

/*
 * Puts the client's recent mean, or 0 if there is none, in place of the costs
 * that are NGX_HTTP_MODELGUARD_ZONE_MEAN.
 */

void ngx_http_modelguard_zone_means(ngx_http_modelguard_zone_charge_t *charge);

/* settles n budgets of a client that were charged, see modelguard_settle_t */

void ngx_http_modelguard_zone_settle(ngx_http_modelguard_zone_t *zone,
    const modelguard_id_t *id, const modelguard_settle_t *settles,
    ngx_uint_t n, uint64_t now);


#endif /* NGX_HTTP_MODELGUARD_ZONE_H_INCLUDED */
