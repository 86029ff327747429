
/*
 * Copyright (C) the modelguard authors
 *
 * modelguard_strip_headers: what a model server says beside the body, and
 * clients are not to see.
 */


#ifndef NGX_HTTP_MODELGUARD_STRIP_H_INCLUDED
#define NGX_HTTP_MODELGUARD_STRIP_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_conf.h"


/* the setter of the directive */

char *ngx_http_modelguard_strip_headers(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Takes the headers that match out of a main request's response, as far as
 * they come from an upstream: what nginx adds itself stays.
 */

void ngx_http_modelguard_strip(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf);

/* the same for trailers, which are there when the body ends */

void ngx_http_modelguard_strip_trailers(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf);


#endif /* NGX_HTTP_MODELGUARD_STRIP_H_INCLUDED */
