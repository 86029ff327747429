
/*
 * Copyright (C) the modelguard authors
 *
 * Patterns on member names: the only file that calls PCRE2, with limits of
 * its own for matching, depth and heap, which nginx's wrapper lacks.
 */


#ifndef NGX_HTTP_MODELGUARD_REGEX_H_INCLUDED
#define NGX_HTTP_MODELGUARD_REGEX_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Compiles a pattern for a regex step (path_step->regex), freed
 * with the pool.  NULL: *error tells why, in the pool.
 */

void *ngx_http_modelguard_regex_compile(ngx_pool_t *pool, ngx_str_t *pattern,
    ngx_str_t *error);

/* modelguard_match_pt */

int ngx_http_modelguard_regex_match(const void *regex, const uint8_t *name,
    size_t len);


#endif /* NGX_HTTP_MODELGUARD_REGEX_H_INCLUDED */
