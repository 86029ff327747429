
/*
 * Copyright (C) the modelguard authors
 *
 * Compiles the fields of a location: under its profiles to the rules of the
 * rewriter, and those of the role "items", with the parameters, to
 * what is looked for in a request.
 * What two locations have in common is compiled once.
 */


#ifndef NGX_HTTP_MODELGUARD_RULES_H_INCLUDED
#define NGX_HTTP_MODELGUARD_RULES_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_conf.h"


/*
 * Sets mglcf->rules of a guarded location, of the profile that it names or,
 * when that is a variable, of all profiles.  A message has been logged when
 * it is not NGX_CONF_OK.
 */

char *ngx_http_modelguard_rules_compile(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *mglcf);

/*
 * Sets mglcf->inspect, of mglcf->checks and, if items are counted, of the
 * items fields or of the built-in paths.
 */

char *ngx_http_modelguard_rules_inspect(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *mglcf, ngx_uint_t counted);


#endif /* NGX_HTTP_MODELGUARD_RULES_H_INCLUDED */
