
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

#include "ngx_http_modelguard_conf.h"


/*
 * Charges all budgets of the location, or none, and sets the record's
 * verdict.  Returns what the phase handler is to return.
 */

ngx_int_t ngx_http_modelguard_bill_charge(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t items);


#endif /* NGX_HTTP_MODELGUARD_BILL_H_INCLUDED */
