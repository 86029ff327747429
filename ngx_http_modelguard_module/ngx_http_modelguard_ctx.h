
/*
 * Copyright (C) the modelguard authors
 *
 * The record of one client request, shared by the request and the response
 * side, which meet nowhere else.  It hangs on the main request's pool as a
 * cleanup, so that it is found again after an internal redirect has zeroed
 * r->ctx: nothing is charged twice, and the guard of the location that the
 * client asked for stays in force wherever the redirect leads, unless that
 * location has a "modelguard" of its own.
 */


#ifndef NGX_HTTP_MODELGUARD_CTX_H_INCLUDED
#define NGX_HTTP_MODELGUARD_CTX_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "modelguard_rules.h"
#include "modelguard_hash.h"
#include "modelguard_meter.h"
#include "ngx_http_modelguard_reason.h"


typedef struct ngx_http_modelguard_loc_conf_s  ngx_http_modelguard_loc_conf_t;
typedef struct ngx_http_modelguard_bill_s  ngx_http_modelguard_bill_t;
typedef struct ngx_http_modelguard_delay_s  ngx_http_modelguard_delay_t;
typedef struct ngx_http_modelguard_ctx_s  ngx_http_modelguard_ctx_t;


/* the outcome for one request, in $modelguard_verdict's order of words */

typedef enum {
    NGX_HTTP_MODELGUARD_NONE = 0,      /* not guarded, or not reached: "" */
    NGX_HTTP_MODELGUARD_PASSED,
    NGX_HTTP_MODELGUARD_DELAYED,       /* and passed then */
    NGX_HTTP_MODELGUARD_LIMITED,
    NGX_HTTP_MODELGUARD_BANNED,
    NGX_HTTP_MODELGUARD_EXHAUSTED,     /* the zone has no room left */
    NGX_HTTP_MODELGUARD_INVALID,       /* a body that cannot be read */
    NGX_HTTP_MODELGUARD_FORBIDDEN      /* a parameter in it */
} ngx_http_modelguard_verdict_e;


typedef enum {
    NGX_HTTP_MODELGUARD_BODY_NONE = 0,
    NGX_HTTP_MODELGUARD_BODY_READING,
    NGX_HTTP_MODELGUARD_BODY_READY
} ngx_http_modelguard_body_e;


struct ngx_http_modelguard_ctx_s {
    ngx_pool_cleanup_t                     cleanup;    /* of the request's pool,
                                                          which finds it */
    ngx_http_request_t                    *request;    /* the main request */
    void                                  *room;       /* of what was asked for,
                                                          until it is taken;
                                                          or NULL */
    size_t                                 room_size;

    /* what is not read before it is set, and not zeroed */

    uint64_t                               items;      /* of its body, while
                                                          it is delayed */
    uint64_t                               remaining;  /* units */
    uint64_t                               reset;      /* seconds, or
                                                   MODELGUARD_BUDGET_NEVER */
    uint64_t                               cost;       /* of the first budget
                                                          charged, in units */
    modelguard_id_t                        client;     /* in its zone */
    modelguard_meter_t                     meter;      /* what its response
                                                          has disclosed */
    uint64_t                               received;   /* bytes of its body,
                                                          decoded */

    /* the guard: set when a guarded location is first reached */

    const ngx_http_modelguard_loc_conf_t  *conf;
    const modelguard_rules_t              *rules;      /* NULL: nothing to
                                                          rewrite */
    ngx_str_t                              profile;

    /* the verdict: set once */

    ngx_http_modelguard_verdict_e          verdict;
    ngx_str_t                              budget;     /* the one spoken of;
                                                          "": neither is what
                                                          is left of it */
    uint64_t                               retry;      /* seconds, 0: never */
    ngx_http_modelguard_bill_t            *bill;       /* NULL: no budget was
                                                          asked */
    ngx_str_t                              dry_budget; /* the dry-run one that
                                                          would have refused */

    ngx_http_modelguard_delay_t           *delay;      /* its place in the
                                                          queue, or NULL */

    ngx_http_modelguard_body_e             body;

    /* the first of the refusals of its responses */

    ngx_http_modelguard_reason_e           reason;
    const ngx_array_t                     *checks;     /* the body has passed
                                                          these */
    ngx_str_t                              param;      /* the path of the one
                                                          that it has not */

    const ngx_http_modelguard_loc_conf_t  *metered;    /* whose budgets want
                                                          the meter, or NULL:
                                                          it is not set */

    unsigned                               unread:1;   /* it could not be
                                                          read to its end */
    unsigned                               opaque:1;   /* and what could not
                                                          be read was sent */
    unsigned                               decided:1;
    unsigned                               dry_run:1;
    unsigned                               delayed:1;  /* it is, or was */
    unsigned                               banned:1;   /* by this refusal */
    unsigned                               has_client:1;
    unsigned                               answered:1; /* the response is our
                                                          own: let it pass */
};


/* finds the record of r->main, or NULL */

ngx_http_modelguard_ctx_t *ngx_http_modelguard_ctx_find(
    ngx_http_request_t *r);

/* finds or creates; NULL if there is no memory */

ngx_http_modelguard_ctx_t *ngx_http_modelguard_ctx_get(ngx_http_request_t *r);

/* the same; one that is created has so many bytes beside it, at ctx->room */

ngx_http_modelguard_ctx_t *ngx_http_modelguard_ctx_get_room(
    ngx_http_request_t *r, size_t room);


#endif /* NGX_HTTP_MODELGUARD_CTX_H_INCLUDED */
