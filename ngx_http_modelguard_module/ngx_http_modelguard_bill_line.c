
/*
 * Copyright (C) the modelguard authors
 *
 * What one budget of a bill has to have found out.
 */


#include "ngx_http_modelguard_bill.h"
#include "ngx_http_modelguard_cost.h"


static ngx_int_t ngx_http_modelguard_bill_budget(
    ngx_http_modelguard_bill_t *bill, ngx_http_modelguard_bill_line_t *line);
static uint64_t ngx_http_modelguard_bill_reserve(
    const ngx_http_modelguard_bill_line_t *line);


ngx_int_t
ngx_http_modelguard_bill_line(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_bill_line_t *line, uint64_t items)
{
    ngx_int_t                                 rc;
    ngx_uint_t                                unknown;
    const ngx_http_modelguard_budget_conf_t  *conf;

    conf = line->conf;

    if (conf->limit || conf->burst) {
        rc = ngx_http_modelguard_bill_budget(bill, line);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    unknown = ngx_http_modelguard_cost_unknown(conf->unit);

    if (unknown || conf->unit == NGX_HTTP_MODELGUARD_UNIT_CONCURRENT) {
        bill->exact = 0;
    }

    rc = ngx_http_modelguard_cost_find(bill->request, bill->conf, conf->unit,
                                       &line->charge->cost);
    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_OK) {

        if (unknown && line->charge->cost == 0) {
            line->charge->cost = 1;
        }

        return NGX_OK;
    }

    if (unknown) {
        line->charge->cost = NGX_HTTP_MODELGUARD_ZONE_MEAN;
        line->charge->remaining = ngx_http_modelguard_bill_reserve(line);

    } else if (conf->unit == NGX_HTTP_MODELGUARD_UNIT_ITEMS) {
        line->charge->cost = items;
    }

    return NGX_OK;
}


/* the limit and the burst of this request */

static ngx_int_t
ngx_http_modelguard_bill_budget(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_bill_line_t *line)
{
    ngx_int_t                                 rc;
    const char                               *name;
    modelguard_budget_t                      *budget;
    const ngx_http_modelguard_budget_conf_t  *conf;

    conf = line->conf;

    budget = ngx_palloc(bill->request->pool, sizeof(modelguard_budget_t));
    if (budget == NULL) {
        return NGX_ERROR;
    }

    *budget = conf->budget;
    line->charge->budget = budget;

    /* a directive's words end in NUL */

    name = (const char *) conf->name.data;

    if (conf->limit) {
        rc = ngx_http_modelguard_cost_evaluate(bill->request, conf->limit, 1,
                                               "limit", name, &budget->limit);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (conf->burst
        && ngx_http_modelguard_cost_evaluate(bill->request, conf->burst, 0,
                                             "burst", name, &budget->burst)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* what a client without a mean is charged at first */

static uint64_t
ngx_http_modelguard_bill_reserve(const ngx_http_modelguard_bill_line_t *line)
{
    switch (line->conf->unit) {

    case NGX_HTTP_MODELGUARD_UNIT_TOKENS:
        return NGX_HTTP_MODELGUARD_RESERVE_TOKENS;

    case NGX_HTTP_MODELGUARD_UNIT_BITS:
        return NGX_HTTP_MODELGUARD_RESERVE_BITS;

    default: /* NGX_HTTP_MODELGUARD_UNIT_BYTES */
        return NGX_HTTP_MODELGUARD_RESERVE_BYTES;
    }
}
