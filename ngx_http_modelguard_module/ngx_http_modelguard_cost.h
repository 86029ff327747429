
/*
 * Copyright (C) the modelguard authors
 *
 * Numbers of units, as written or from variables, and the directive
 * modelguard_cost: what a request costs.
 */


#ifndef NGX_HTTP_MODELGUARD_COST_H_INCLUDED
#define NGX_HTTP_MODELGUARD_COST_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_conf.h"


/* units whose cost is known only when the response has ended */

#define ngx_http_modelguard_cost_unknown(unit)                                \
    ((unit) == NGX_HTTP_MODELGUARD_UNIT_TOKENS                                \
     || (unit) == NGX_HTTP_MODELGUARD_UNIT_BYTES                              \
     || (unit) == NGX_HTTP_MODELGUARD_UNIT_BITS)


/* what modelguard_cost says, by unit; NULL: nothing */

struct ngx_http_modelguard_costs_s {
    ngx_http_complex_value_t  *values[NGX_HTTP_MODELGUARD_UNITS];
    unsigned                   off:1;
};


/* the directive "modelguard_cost unit value", or "modelguard_cost off" */

char *ngx_http_modelguard_cost(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* the unit of that name, or NGX_HTTP_MODELGUARD_UNITS */

ngx_uint_t ngx_http_modelguard_cost_unit(const ngx_str_t *name);

/* and its name, a string that ends in NUL */

const char *ngx_http_modelguard_cost_word(ngx_uint_t unit);

/*
 * A number of units, 0 .. MODELGUARD_BUDGET_LIMIT_MAX; "k" is a thousand, "m"
 * a million.  NGX_OK or NGX_ERROR.
 */

ngx_int_t ngx_http_modelguard_cost_parse(const ngx_str_t *value,
    uint64_t *units);

/*
 * Compiles a value that has variables, or parses one that has none: then
 * *value is NULL and *units the number.  NGX_OK; NGX_DECLINED: not a number;
 * NGX_ERROR: a message has been logged.
 */

ngx_int_t ngx_http_modelguard_cost_compile(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_complex_value_t **value, uint64_t *units);

/*
 * The number that a value is in this request.  A limit must be 1 or more.
 * NGX_OK; NGX_DECLINED: a limit that is the word "unlimited"; NGX_ERROR:
 * neither, which has been logged as "what" of "name".
 */

ngx_int_t ngx_http_modelguard_cost_evaluate(ngx_http_request_t *r,
    ngx_http_complex_value_t *value, ngx_uint_t limit, const char *what,
    const char *name, uint64_t *units);

/*
 * What modelguard_cost says of a unit.  NGX_OK; NGX_DECLINED: nothing;
 * NGX_ERROR: no number, which has been logged.
 */

ngx_int_t ngx_http_modelguard_cost_find(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf, ngx_uint_t unit,
    uint64_t *units);


#endif /* NGX_HTTP_MODELGUARD_COST_H_INCLUDED */
