
/*
 * Copyright (C) the modelguard authors
 *
 * Metering a response, for locations with budgets of tokens or bits: the
 * readers of what the rewriter takes and gives, and, where nothing is
 * rewritten, of what goes by.  The counts are in ctx->meter.  Metering never
 * blocks or changes a response: what cannot be read is not counted.
 */


#ifndef NGX_HTTP_MODELGUARD_METER_H_INCLUDED
#define NGX_HTTP_MODELGUARD_METER_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_conf.h"
#include "ngx_http_modelguard_response.h"


/* decides what a location meters, by its budgets, and compiles for it */

char *ngx_http_modelguard_meter_merge(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *prev,
    ngx_http_modelguard_loc_conf_t *conf);

/*
 * The main request, before it is charged: notes that its response is metered,
 * and asks the model server for one that can be read.  NGX_OK or NGX_ERROR.
 */

ngx_int_t ngx_http_modelguard_meter_request(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf);

/*
 * Attaches readers to a response that goes through res->frame, treated by
 * these rules of res->conf, or by none.
 */

void ngx_http_modelguard_meter_start(ngx_http_modelguard_response_t *res,
    const modelguard_rules_t *rules);

/* takes back what a response would have disclosed that is blocked */

void ngx_http_modelguard_meter_block(ngx_http_modelguard_response_t *res);

/* what is left of a response will pass, and cannot be read */

void ngx_http_modelguard_meter_lose(ngx_http_modelguard_response_t *res);

/* the header of a response that passes as it is: prepares to look at it */

void ngx_http_modelguard_meter_header(ngx_http_request_t *r);

/* looks at a part of the body; the bufs are left as they are */

void ngx_http_modelguard_meter_body(ngx_http_modelguard_response_t *res,
    ngx_chain_t *in);


#endif /* NGX_HTTP_MODELGUARD_METER_H_INCLUDED */
