
/*
 * Copyright (C) the modelguard authors
 *
 * Forgets clients who have been idle for long: a timer of one worker.
 */


#ifndef NGX_HTTP_MODELGUARD_SWEEP_H_INCLUDED
#define NGX_HTTP_MODELGUARD_SWEEP_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_zone.h"


/*
 * When a process begins to work: the timer, if this is the one to have it; and
 * secrets that only the master needs are forgotten.  Where no other process
 * can charge, the timer of a zone without clients waits for the first one,
 * at zone->sweep.  NGX_OK or NGX_ERROR.
 */

ngx_int_t ngx_http_modelguard_sweep_init(ngx_cycle_t *cycle);

/* before a charge, if zone->sweep is not NULL */

void ngx_http_modelguard_sweep_start(ngx_http_modelguard_zone_t *zone);


#endif /* NGX_HTTP_MODELGUARD_SWEEP_H_INCLUDED */
