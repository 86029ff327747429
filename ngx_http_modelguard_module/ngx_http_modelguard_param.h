
/*
 * Copyright (C) the modelguard authors
 *
 * The directives about request bodies: modelguard_param and
 * modelguard_binary_output.
 */


#ifndef NGX_HTTP_MODELGUARD_PARAM_H_INCLUDED
#define NGX_HTTP_MODELGUARD_PARAM_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_conf.h"


/* the directive "modelguard_param path what [when=path] | off" */

char *ngx_http_modelguard_param(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Inherits, and sets conf->checks: all that is asked of a request's body,
 * NULL if nothing is.
 */

char *ngx_http_modelguard_param_merge(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *prev,
    ngx_http_modelguard_loc_conf_t *conf);


#endif /* NGX_HTTP_MODELGUARD_PARAM_H_INCLUDED */
