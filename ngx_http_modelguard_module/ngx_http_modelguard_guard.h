
/*
 * Copyright (C) the modelguard authors
 *
 * The directive modelguard: which profile a location is guarded with.  The
 * choice at request time is ngx_http_modelguard_conf_rules().
 */


#ifndef NGX_HTTP_MODELGUARD_GUARD_H_INCLUDED
#define NGX_HTTP_MODELGUARD_GUARD_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_conf.h"


/* the directive "modelguard name | $variable | off" */

char *ngx_http_modelguard_guard(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* merges the guard, and compiles its rules; fields have been merged */

char *ngx_http_modelguard_guard_merge(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *prev,
    ngx_http_modelguard_loc_conf_t *conf);

/* warns of a location whose guard, when all is merged, can do little */

void ngx_http_modelguard_guard_warn(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *conf);


#endif /* NGX_HTTP_MODELGUARD_GUARD_H_INCLUDED */
