
/*
 * Copyright (C) the modelguard authors
 *
 * The bill of one request: which budgets of which zones it is charged, with
 * what costs.
 */


#ifndef NGX_HTTP_MODELGUARD_BILL_H_INCLUDED
#define NGX_HTTP_MODELGUARD_BILL_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_zone.h"


/* one budget of one request */

typedef struct {
    const ngx_http_modelguard_budget_conf_t  *conf;
    modelguard_charge_t                      *charge;     /* the cost, reserved
                                                             or charged, and
                                                             what came of it */
    uint64_t                                  dated;      /* ms, when that was;
                                                             leases: last */
    ngx_uint_t                                zone;       /* which of the
                                                             bill's */
} ngx_http_modelguard_bill_line_t;


/*
 * In the request's pool, for as long as the request lives.  The lines are in
 * the order of the location's budgets, without those that a limit of
 * "unlimited" leaves out; the charges are that, too, but zone by zone.
 */

struct ngx_http_modelguard_bill_s {
    ngx_pool_cleanup_t                        cleanup;    /* if something may
                                                             have to be
                                                             settled */
    ngx_http_request_t                       *request;    /* the main one */
    ngx_http_modelguard_ctx_t                *ctx;        /* its record */
    const ngx_http_modelguard_loc_conf_t     *conf;       /* whose budgets */
    uint64_t                                  time;       /* ms, of the
                                                             charge */
    ngx_uint_t                                which;      /* the line to speak
                                                             of */
    unsigned                                  exact:1;    /* the costs are known
                                                             from the start */
    unsigned                                  charged:1;  /* not refused, nor
                                                             settled */
    unsigned                                  leased:1;   /* in the queue */
    ngx_queue_t                               queue;      /* of open leases */

    ngx_uint_t                                nzones;
    ngx_uint_t                                nlines;
    ngx_http_modelguard_zone_charge_t        *zones;      /* "zone", if there
                                                             is only one */
    ngx_http_modelguard_zone_charge_t         zone;
    ngx_http_modelguard_bill_line_t          *lines;
    modelguard_charge_t                      *charges;
};


/* bytes of a bill of so many budgets */

#define ngx_http_modelguard_bill_size(n)                                      \
    (sizeof(ngx_http_modelguard_bill_t)                                       \
     + (n) * (sizeof(modelguard_charge_t)                                     \
              + sizeof(ngx_http_modelguard_bill_line_t)))


/* what is reserved where neither modelguard_cost nor the client's mean tells */

#define NGX_HTTP_MODELGUARD_RESERVE_TOKENS  256
#define NGX_HTTP_MODELGUARD_RESERVE_BYTES   4096
#define NGX_HTTP_MODELGUARD_RESERVE_BITS    64


/*
 * Charges all budgets of the location, or none, and sets the record's
 * verdict.  Returns what the phase handler is to return.
 */

ngx_int_t ngx_http_modelguard_bill_charge(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t items);

/*
 * The limit, the burst and the cost of a line whose "conf" and "charge" are
 * set.  NGX_OK, NGX_ERROR, or NGX_DECLINED: the budget does not hold for this
 * request.
 */

ngx_int_t ngx_http_modelguard_bill_line(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_bill_line_t *line, uint64_t items);


#endif /* NGX_HTTP_MODELGUARD_BILL_H_INCLUDED */
