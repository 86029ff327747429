
/*
 * Copyright (C) the modelguard authors
 *
 * Rate or quota: whether a budget has room again soon, so that a program may
 * wait for it, or a person has to be told.
 */


#ifndef NGX_HTTP_MODELGUARD_QUOTA_H_INCLUDED
#define NGX_HTTP_MODELGUARD_QUOTA_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_conf.h"


/* 1 for a calendar's day, week or month, a lifetime and a window of a day */

ngx_uint_t ngx_http_modelguard_quota(const modelguard_budget_t *budget);

/*
 * Seconds that it is for, of a calendar's month the most that it can have;
 * 0 for a lifetime and for what is open at once.
 */

uint64_t ngx_http_modelguard_quota_window(const modelguard_budget_t *budget);

/*
 * 1 if the request was not refused, or a program may well try it again: it is
 * neither banned, nor refused by a quota, nor dearer than its budget.
 */

ngx_uint_t ngx_http_modelguard_quota_retries(
    const ngx_http_modelguard_ctx_t *ctx);


#endif /* NGX_HTTP_MODELGUARD_QUOTA_H_INCLUDED */
