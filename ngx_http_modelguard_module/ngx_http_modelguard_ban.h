
/*
 * Copyright (C) the modelguard authors
 *
 * The directive modelguard_ban: who is refused again and again is refused for
 * some time, whatever room there is.
 */


#ifndef NGX_HTTP_MODELGUARD_BAN_H_INCLUDED
#define NGX_HTTP_MODELGUARD_BAN_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_conf.h"


/* the directive "modelguard_ban after=N in=time for=time | off" */

char *ngx_http_modelguard_ban(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

void ngx_http_modelguard_ban_merge(ngx_http_modelguard_loc_conf_t *prev,
    ngx_http_modelguard_loc_conf_t *conf);

/*
 * A request was LIMITED, and not in a dry run: counts that in every zone that
 * has refused it.  Where a ban begins it is logged, and the record's "retry"
 * becomes the end of it.
 */

void ngx_http_modelguard_ban_strike(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf);


#endif /* NGX_HTTP_MODELGUARD_BAN_H_INCLUDED */
