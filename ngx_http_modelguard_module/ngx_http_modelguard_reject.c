
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_ban.h"
#include "ngx_http_modelguard_bill.h"
#include "ngx_http_modelguard_error.h"
#include "ngx_http_modelguard_quota.h"
#include "ngx_http_modelguard_reject.h"
#include "ngx_http_modelguard_stat.h"


#define NGX_HTTP_MODELGUARD_MESSAGE_LEN  256   /* besides the name */


static ngx_int_t ngx_http_modelguard_reject_policies(ngx_http_request_t *r,
    const ngx_http_modelguard_bill_t *bill, ngx_str_t *policies);
static ngx_int_t ngx_http_modelguard_reject_message(ngx_http_request_t *r,
    const ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_bill_line_t *line, ngx_str_t *message);


ngx_int_t
ngx_http_modelguard_reject_forbidden(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    const modelguard_param_t *param)
{
    ngx_str_t                    limit;
    const char                  *text;
    ngx_http_modelguard_error_t  error;

    ctx->decided = 1;
    ctx->verdict = NGX_HTTP_MODELGUARD_FORBIDDEN;
    ngx_http_modelguard_stat_count(r, NGX_HTTP_MODELGUARD_STAT_FORBIDDEN);

    ctx->dry_run = mglcf->dry_run;
    ctx->param.data = (u_char *) param->text.data;
    ctx->param.len = param->text.len;

    ngx_log_error(mglcf->log_level, r->connection->log, 0,
                  "modelguard: refusing request%s, parameter \"%V\"",
                  mglcf->dry_run ? ", dry run" : "", &ctx->param);

    if (mglcf->dry_run) {
        return NGX_DECLINED;
    }

    error.status = NGX_HTTP_BAD_REQUEST;
    error.type = "invalid_request_error";
    error.problem = NULL;

    ngx_str_null(&limit);
    ngx_str_null(&error.policies);

    switch (param->op) {

    case MODELGUARD_PARAM_LIMIT:
        error.code = "integer_above_max_value";
        text = "The parameter \"%V\" must be a number from 0 to %V.";
        limit.data = (u_char *) param->value.data;
        limit.len = param->value.len;
        break;

    case MODELGUARD_PARAM_REQUIRE:
        error.code = "missing_required_parameter";
        text = "The parameter \"%V\" must be given and must not be null.";
        break;

    default: /* MODELGUARD_PARAM_FORBID */
        error.code = "unsupported_parameter";
        text = "The parameter \"%V\" is not allowed.";
    }

    /* the path as people write it in a request */

    error.param = ctx->param;

    if (error.param.len > 2 && ngx_strncmp(error.param.data, "$.", 2) == 0) {
        error.param.data += 2;
        error.param.len -= 2;
    }

    error.message.data = ngx_pnalloc(r->pool,
                                     error.param.len + limit.len
                                     + NGX_HTTP_MODELGUARD_MESSAGE_LEN);
    if (error.message.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    error.message.len = ngx_sprintf(error.message.data, text, &error.param,
                                    &limit)
                        - error.message.data;

    return ngx_http_modelguard_error_send(r, mglcf, &error);
}


ngx_int_t
ngx_http_modelguard_reject_invalid(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, ngx_int_t status)
{
    ngx_http_modelguard_error_t  error;

    ctx->decided = 1;
    ctx->verdict = NGX_HTTP_MODELGUARD_INVALID;
    ngx_http_modelguard_stat_count(r, NGX_HTTP_MODELGUARD_STAT_INVALID);

    ctx->dry_run = mglcf->dry_run;

    error.status = status;
    error.type = "invalid_request_error";
    error.problem = NULL;

    ngx_str_null(&error.param);
    ngx_str_null(&error.policies);

    switch (status) {

    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
        error.code = "body_too_large";
        ngx_str_set(&error.message, "The request body is too large.");
        break;

    case NGX_HTTP_UNSUPPORTED_MEDIA_TYPE:
        error.code = "unsupported_encoding";
        ngx_str_set(&error.message,
                    "The request body must not be compressed.");
        break;

    default: /* NGX_HTTP_BAD_REQUEST */
        error.code = "invalid_body";
        ngx_str_set(&error.message, "The request body is not valid JSON.");
    }

    ngx_log_error(mglcf->log_level, r->connection->log, 0,
                  "modelguard: refusing request%s, its body cannot be "
                  "inspected: %s%s", mglcf->dry_run ? ", dry run" : "",
                  error.code,
                  (status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE)
                  ? ", see \"modelguard_body_size\"" : "");

    if (mglcf->dry_run) {
        return NGX_DECLINED;
    }

    return ngx_http_modelguard_error_send(r, mglcf, &error);
}


ngx_int_t
ngx_http_modelguard_reject_limited(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf)
{
    ngx_uint_t                        quota;
    ngx_http_modelguard_bill_t       *bill;
    ngx_http_modelguard_error_t       error;
    ngx_http_modelguard_bill_line_t  *line;

    bill = ctx->bill;
    line = &bill->lines[bill->which];
    quota = 0;

    ngx_str_null(&error.param);
    ngx_str_null(&error.policies);

    switch (ctx->verdict) {

    case NGX_HTTP_MODELGUARD_EXHAUSTED:
        error.type = "server_error";
        error.code = "capacity_exhausted";
        error.problem = NGX_HTTP_MODELGUARD_PROBLEM_CAPACITY;
        break;

    case NGX_HTTP_MODELGUARD_BANNED:
        error.type = "rate_limit_error";
        error.code = "client_banned";
        error.problem = NGX_HTTP_MODELGUARD_PROBLEM_ABUSE;
        break;

    default: /* NGX_HTTP_MODELGUARD_LIMITED */
        ngx_http_modelguard_ban_strike(r, ctx, mglcf);

        quota = ngx_http_modelguard_quota(line->charge->budget);

        error.type = quota ? "insufficient_quota" : "rate_limit_error";
        error.code = quota ? "insufficient_quota" : "budget_exhausted";
        error.problem = NGX_HTTP_MODELGUARD_PROBLEM_QUOTA;

        if (ngx_http_modelguard_reject_policies(r, bill, &error.policies)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    error.status = quota ? mglcf->reject_quota : mglcf->reject_status;

    if (ngx_http_modelguard_reject_message(r, ctx, line, &error.message)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_modelguard_error_send(r, mglcf, &error);
}


/* the names of those that refuse, as a JSON array */

static ngx_int_t
ngx_http_modelguard_reject_policies(ngx_http_request_t *r,
    const ngx_http_modelguard_bill_t *bill, ngx_str_t *policies)
{
    u_char                                 *p;
    size_t                                  len;
    ngx_uint_t                              i;
    const ngx_str_t                        *name;
    const ngx_http_modelguard_bill_line_t  *line;

    len = sizeof("[]");
    line = bill->lines;

    for (i = 0; i < bill->nlines; i++) {
        name = &line[i].conf->name;
        len += name->len + sizeof(",\"\"")
               + ngx_escape_json(NULL, name->data, name->len);
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    policies->data = p;

    for (i = 0; i < bill->nlines; i++) {

        if (!line[i].charge->refused || line[i].conf->dry_run) {
            continue;
        }

        name = &line[i].conf->name;

        *p = (p == policies->data) ? '[' : ',';
        p++;
        *p++ = '"';
        p = (u_char *) ngx_escape_json(p, name->data, name->len);
        *p++ = '"';
    }

    if (p != policies->data) {
        *p++ = ']';
    }

    policies->len = p - policies->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_reject_message(ngx_http_request_t *r,
    const ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_bill_line_t *line, ngx_str_t *message)
{
    u_char                     *p;
    const ngx_str_t            *name;
    const modelguard_budget_t  *budget;

    name = &line->conf->name;
    budget = line->charge->budget;

    p = ngx_pnalloc(r->pool, name->len + NGX_HTTP_MODELGUARD_MESSAGE_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    message->data = p;

    if (ctx->verdict == NGX_HTTP_MODELGUARD_EXHAUSTED) {
        p = ngx_sprintf(p, "No more clients can be served at the moment. "
                        "Please try again later.");

    } else if (ctx->verdict == NGX_HTTP_MODELGUARD_BANNED) {
        p = ngx_sprintf(p, "Too many requests have been refused.");

        if (ctx->retry) {
            p = ngx_sprintf(p, " Please try again in %uL second%s.",
                            ctx->retry, (ctx->retry == 1) ? "" : "s");
        }

    } else if (ctx->retry == 0) {

        if (line->charge->cost > budget->limit + budget->burst) {
            p = ngx_sprintf(p, "The request costs more than the budget "
                            "\"%V\" can ever hold.", name);

        } else {
            p = ngx_sprintf(p, "The budget \"%V\" is spent, and will not be "
                            "renewed.", name);
        }

    } else if (ngx_http_modelguard_quota(budget)) {

        /* a person reads this, and a date says more than seconds */

        p = ngx_sprintf(p, "The quota \"%V\" is exhausted. "
                        "Please try again after ", name);
        p = ngx_http_time(p, ngx_time() + (time_t) ctx->retry);
        *p++ = '.';

    } else {
        p = ngx_sprintf(p, "The budget \"%V\" is exhausted. "
                        "Please try again in %uL second%s.", name, ctx->retry,
                        (ctx->retry == 1) ? "" : "s");
    }

    message->len = p - message->data;

    return NGX_OK;
}


char *
ngx_http_modelguard_reject_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_modelguard_loc_conf_t *mglcf = conf;

    ngx_int_t    n;
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (mglcf->reject_status != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        n = ngx_atoi(value[i].data, value[i].len);

        if (n == NGX_ERROR) {
            return "invalid number";
        }

        if (n < 400 || n > 599) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "value must be between 400 and 599");
            return NGX_CONF_ERROR;
        }

        if (i == 1) {
            mglcf->reject_status = n;
        }

        mglcf->reject_quota = n;
    }

    return NGX_CONF_OK;
}
