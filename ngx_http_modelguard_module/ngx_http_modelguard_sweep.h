
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


/*
 * When a process begins to work: the timer, if this is the one to have it; and
 * secrets that only the master needs are forgotten.  NGX_OK or NGX_ERROR.
 */

ngx_int_t ngx_http_modelguard_sweep_init(ngx_cycle_t *cycle);


#endif /* NGX_HTTP_MODELGUARD_SWEEP_H_INCLUDED */
