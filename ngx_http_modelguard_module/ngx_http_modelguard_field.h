
/*
 * Copyright (C) the modelguard authors
 *
 * The directives that name places in the JSON and what is done to them:
 * modelguard_field and the block modelguard_profile.
 */


#ifndef NGX_HTTP_MODELGUARD_FIELD_H_INCLUDED
#define NGX_HTTP_MODELGUARD_FIELD_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_conf.h"


/* the directive "modelguard_field role path ... [label=path] ..." */

char *ngx_http_modelguard_field(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* the directive "modelguard_profile name { role treatment ...; }" */

char *ngx_http_modelguard_profile(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Parses a path, with its patterns compiled, in memory of cf->pool.
 * NULL: a message has been logged.
 */

modelguard_path_t *ngx_http_modelguard_field_path(ngx_conf_t *cf,
    ngx_str_t *text);


#endif /* NGX_HTTP_MODELGUARD_FIELD_H_INCLUDED */
