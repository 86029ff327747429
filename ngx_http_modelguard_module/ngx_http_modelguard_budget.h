
/*
 * Copyright (C) the modelguard authors
 *
 * The directive modelguard_budget.
 */


#ifndef NGX_HTTP_MODELGUARD_BUDGET_H_INCLUDED
#define NGX_HTTP_MODELGUARD_BUDGET_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_conf.h"


/*
 * The directive "modelguard_budget name zone= limit= (window= | calendar=
 * [offset=] | lifetime) [unit=] [burst=] [lease=] [charge=] [dry_run]", or
 * "modelguard_budget off".
 */

char *ngx_http_modelguard_budget(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Binds a budget to the zone of that name.  NGX_OK, NGX_DECLINED: there is
 * no such zone (yet); NGX_ERROR: a message has been logged.
 */

ngx_int_t ngx_http_modelguard_budget_bind(ngx_conf_t *cf,
    ngx_http_modelguard_budget_conf_t *budget, ngx_str_t *zone);


#endif /* NGX_HTTP_MODELGUARD_BUDGET_H_INCLUDED */
