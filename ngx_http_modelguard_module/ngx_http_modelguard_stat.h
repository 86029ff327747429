
/*
 * Copyright (C) the modelguard authors
 *
 * Counters of all workers, in shared memory of the module's own: what became
 * of requests and of responses, and why responses were refused.  They begin
 * at 0 when nginx starts, and survive a reload.
 */


#ifndef NGX_HTTP_MODELGUARD_STAT_H_INCLUDED
#define NGX_HTTP_MODELGUARD_STAT_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_reason.h"


/* the reasons, ngx_http_modelguard_reason_e, are counters too: the first */

typedef enum {

    /* responses of guarded locations */

    NGX_HTTP_MODELGUARD_STAT_TREATED = NGX_HTTP_MODELGUARD_REASONS,
    NGX_HTTP_MODELGUARD_STAT_UNTREATED,    /* nothing was to be done */
    NGX_HTTP_MODELGUARD_STAT_BLOCKED,      /* before the header was sent */
    NGX_HTTP_MODELGUARD_STAT_CUT,          /* after it */
    NGX_HTTP_MODELGUARD_STAT_UNGUARDED,    /* let through all the same */
    NGX_HTTP_MODELGUARD_STAT_REPLACED,     /* errors */

    /* requests, those refused in a dry run too */

    NGX_HTTP_MODELGUARD_STAT_ALLOWED,
    NGX_HTTP_MODELGUARD_STAT_DELAYED,      /* and passed then */
    NGX_HTTP_MODELGUARD_STAT_LIMITED,
    NGX_HTTP_MODELGUARD_STAT_BANNED,       /* refused for a ban */
    NGX_HTTP_MODELGUARD_STAT_EXHAUSTED,
    NGX_HTTP_MODELGUARD_STAT_INVALID,
    NGX_HTTP_MODELGUARD_STAT_FORBIDDEN,    /* a parameter */
    NGX_HTTP_MODELGUARD_STAT_DRY_RUN,      /* allowed, though a budget that is
                                              dry-run would have refused */

    NGX_HTTP_MODELGUARD_STATS              /* how many */
} ngx_http_modelguard_stat_e;


/*
 * In the postconfiguration, if some location is guarded: the shared memory.
 * NGX_OK or NGX_ERROR.
 */

ngx_int_t ngx_http_modelguard_stat_init(ngx_conf_t *cf);

/* adds 1; any worker, no lock */

void ngx_http_modelguard_stat_count(ngx_http_request_t *r,
    ngx_http_modelguard_stat_e which);

/*
 * A response was BLOCKED, CUT or let through UNGUARDED: counts that and the
 * reason, and makes the reason that of the request if it has none.
 */

void ngx_http_modelguard_stat_refuse(ngx_http_request_t *r,
    ngx_http_modelguard_stat_e which, ngx_http_modelguard_reason_e reason);

/*
 * NGX_OK with the counter of that word; NGX_DECLINED if there is no such
 * word, or no location is guarded.
 */

ngx_int_t ngx_http_modelguard_stat_find(ngx_http_request_t *r,
    const ngx_str_t *word, ngx_atomic_uint_t *count);


#endif /* NGX_HTTP_MODELGUARD_STAT_H_INCLUDED */
