
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_quota.h"
#include "ngx_http_modelguard_bill.h"


#define NGX_HTTP_MODELGUARD_QUOTA_HOUR   3600
#define NGX_HTTP_MODELGUARD_QUOTA_DAY    86400


ngx_uint_t
ngx_http_modelguard_quota(const modelguard_budget_t *budget)
{
    return budget->kind == MODELGUARD_BUDGET_LIFETIME
           || ngx_http_modelguard_quota_window(budget)
              >= NGX_HTTP_MODELGUARD_QUOTA_DAY;
}


uint64_t
ngx_http_modelguard_quota_window(const modelguard_budget_t *budget)
{
    switch (budget->kind) {

    case MODELGUARD_BUDGET_SLIDING:
        return budget->window / 1000;

    case MODELGUARD_BUDGET_HOUR:
        return NGX_HTTP_MODELGUARD_QUOTA_HOUR;

    case MODELGUARD_BUDGET_DAY:
        return NGX_HTTP_MODELGUARD_QUOTA_DAY;

    case MODELGUARD_BUDGET_WEEK:
        return 7 * NGX_HTTP_MODELGUARD_QUOTA_DAY;

    case MODELGUARD_BUDGET_MONTH:
        return 31 * NGX_HTTP_MODELGUARD_QUOTA_DAY;

    default: /* MODELGUARD_BUDGET_LIFETIME, MODELGUARD_BUDGET_CONCURRENT */
        return 0;
    }
}


ngx_uint_t
ngx_http_modelguard_quota_retries(const ngx_http_modelguard_ctx_t *ctx)
{
    const ngx_http_modelguard_bill_t       *bill;
    const ngx_http_modelguard_bill_line_t  *line;

    if (ctx->verdict == NGX_HTTP_MODELGUARD_BANNED) {
        return 0;
    }

    if (ctx->verdict != NGX_HTTP_MODELGUARD_LIMITED) {
        return 1;
    }

    bill = ctx->bill;

    line = &bill->lines[bill->which];

    return ctx->retry
           && !ctx->banned
           && !ngx_http_modelguard_quota(line->charge->budget);
}
