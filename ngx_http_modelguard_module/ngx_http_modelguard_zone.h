
/*
 * Copyright (C) the modelguard authors
 *
 * The zones: tables of clients, in shared memory of nginx's or in a mapped
 * file.  ..._zone_conf.c has the directive, ..._zone_init.c and ..._zone_file.c
 * make the tables, ..._zone_charge.c charges.
 */


#ifndef NGX_HTTP_MODELGUARD_ZONE_H_INCLUDED
#define NGX_HTTP_MODELGUARD_ZONE_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_conf.h"
#include "ngx_http_modelguard_state.h"


/* the part of nginx's shared memory that is not the table */

typedef struct {
    ngx_atomic_t                told;          /* s, when it was last told that
                                                  the zone is full */
    uint64_t                    offset;        /* of the table, from here */
    uint64_t                    size;          /* of the table; 0: it lies in
                                                  a file */
} ngx_http_modelguard_zone_sh_t;


struct ngx_http_modelguard_zone_s {
    ngx_shm_zone_t             *shm_zone;
    ngx_cycle_t                *cycle;
    ngx_http_modelguard_zone_t *old;           /* of the cycle before, until
                                                  init is done */
    ngx_http_complex_value_t    key;
    ngx_str_t                   key_text;      /* as configured */
    ngx_int_t                   key_index;     /* of the variable that is all
                                                  of the key, or NGX_ERROR */
    ngx_array_t                 budgets;       /* of ..._budget_conf_t *, of
                                                  distinct names; at most
                                                  MODELGUARD_TABLE_BUDGETS */
    ngx_str_t                   key_header;    /* the request header that it is
                                                  the value of, in small
                                                  letters; "": none */
    time_t                      inactive;      /* s */
    unsigned                    shared:1;      /* full=shared */
    unsigned                    fresh:1;       /* no process but those of this
                                                  cycle has its table */

    ngx_http_modelguard_state_t state;         /* of a zone with a file */
    ngx_str_t                   key_file;      /* the secret beside it */

    /* valid after init; another table after a move */

    ngx_slab_pool_t            *shpool;
    ngx_http_modelguard_zone_sh_t
                               *sh;
    modelguard_table_t         *table;

    /* the zone's secret is not kept in workers; what is made of it and of
       the key's text is */

    uint8_t                     secret[MODELGUARD_HASH_SECRET];
    uint64_t                    secret_id;
    uint8_t                     key_secret[MODELGUARD_HASH_SECRET];
    uint8_t                     addr_secret[MODELGUARD_HASH_SECRET];

    /* of this process */

    ngx_event_t                *sweep;         /* what the first charge has to
                                                  start, or NULL */
    ngx_msec_t                  lost;          /* when a move could not be
                                                  followed; 0: it could */
    time_t                      told;          /* when that was told */
};


/* what one request is to be charged in one zone */

typedef struct {
    ngx_http_modelguard_zone_t  *zone;
    modelguard_id_t              id;           /* of the client in it */
    unsigned                     n;
    modelguard_charge_t         *charges;
    unsigned                     keyless:1;    /* the id is that of its address,
                                                  which is to be counted */
    unsigned                     special:1;    /* keyless, or some cost may be
                                                  ..._ZONE_MEAN */
    modelguard_verdict_t         verdict;

    unsigned                     shard;        /* of the id */
    ngx_uint_t                   order;        /* of the i-th to be locked */
} ngx_http_modelguard_zone_charge_t;


/*
 * A cost that is not known: the client's recent mean is charged, or what stands
 * in "remaining" if there is none, but no more than the limit, for a guess must
 * not keep a client out for ever.
 */

#define NGX_HTTP_MODELGUARD_ZONE_MEAN  UINT64_MAX


/*
 * The directives "modelguard_zone $key zone=name:size [state=path]
 * [inactive=time] [full=reject|shared]" and "modelguard_secret file"
 */

char *ngx_http_modelguard_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_modelguard_zone_secret(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * When all variables are known, in the zone's initialization: whether the key
 * is $http_name and nothing else, for a header is found faster by its name
 * than through the variable.  NGX_OK or NGX_ERROR.
 */

ngx_int_t ngx_http_modelguard_zone_header(ngx_http_modelguard_zone_t *zone);

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

/*
 * In the postconfiguration: what of the cycle before can be gone on with.
 * NGX_OK or NGX_ERROR.
 */

ngx_int_t ngx_http_modelguard_zone_prepare(ngx_conf_t *cf);

/*
 * The client's id in a zone: the key's value hashed with the zone's secret
 * and the key's text.  NGX_OK, NGX_ERROR, or NGX_DECLINED when the value is
 * empty: then it is that of the address, see ngx_http_modelguard_addr().
 */

ngx_int_t ngx_http_modelguard_zone_client(ngx_http_request_t *r,
    ngx_http_modelguard_zone_t *zone, modelguard_id_t *id);
void ngx_http_modelguard_zone_address(ngx_http_modelguard_zone_t *zone,
    const u_char *addr, size_t len, modelguard_id_t *id);

/*
 * Charges every budget of n (1 .. MODELGUARD_TABLE_BUDGETS) distinct zones, or
 * none: the locks of all of them are held meanwhile.  Sets the verdicts.  If
 * some zone refuses, only the verdicts of those that refuse are set, and the
 * others are PASSED.  "now" is in ms.  Returns the index of the zone to speak
 * of: that with the longest wait when LIMITED or BANNED, else one that is
 * EXHAUSTED, else that with the smallest share remaining.  The costs that are
 * NGX_HTTP_MODELGUARD_ZONE_MEAN are set, also if nothing is charged.  In a
 * zone with full=shared a client for whom there is no room becomes the one
 * that such clients share: its "id" is set.
 */

ngx_uint_t ngx_http_modelguard_zone_charge(
    ngx_http_modelguard_zone_charge_t *charges, ngx_uint_t n, uint64_t now,
    ngx_log_t *log);

/*
 * Takes the lock of a client's shard, in whatever table the zone has moved to;
 * the caller uses zone->table after that, and gives the lock back.  NGX_OK or
 * NGX_ERROR, and then nothing may be passed.
 */

ngx_int_t ngx_http_modelguard_zone_enter(ngx_http_modelguard_zone_t *zone,
    const modelguard_id_t *id, unsigned *shard, ngx_log_t *log);

/*
 * After a MODELGUARD_TABLE_MOVED, no lock of the table being held: finds the
 * table that took over.  NGX_OK or NGX_ERROR.
 */

ngx_int_t ngx_http_modelguard_zone_follow(ngx_http_modelguard_zone_t *zone,
    ngx_log_t *log);

/* tells the log, once a minute: a zone cannot be locked; it is full */

void ngx_http_modelguard_zone_stuck(ngx_http_modelguard_zone_t *zone,
    ngx_log_t *log);
void ngx_http_modelguard_zone_full(ngx_http_modelguard_zone_t *zone,
    uint64_t now, ngx_log_t *log);

/* counts a refusal; 1 if it begins a ban, see modelguard_table_strike() */

ngx_uint_t ngx_http_modelguard_zone_strike(ngx_http_modelguard_zone_t *zone,
    const modelguard_id_t *id, const modelguard_ban_t *ban, uint64_t now);

/* settles n budgets of a client that were charged, see modelguard_settle_t */

void ngx_http_modelguard_zone_settle(ngx_http_modelguard_zone_t *zone,
    const modelguard_id_t *id, const modelguard_settle_t *settles,
    ngx_uint_t n, uint64_t now);


#endif /* NGX_HTTP_MODELGUARD_ZONE_H_INCLUDED */
