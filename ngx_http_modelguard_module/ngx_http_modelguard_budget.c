
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_budget.h"
#include "ngx_http_modelguard_zone.h"


typedef ngx_int_t (*ngx_http_modelguard_budget_arg_pt)(ngx_str_t *value,
    ngx_http_modelguard_budget_conf_t *budget);


typedef struct {
    ngx_str_t                          name;       /* with "=" */
    ngx_http_modelguard_budget_arg_pt  set;        /* NULL: zone */
    ngx_uint_t                         required;   /* unsigned  required:1; */
} ngx_http_modelguard_budget_arg_t;


static char *ngx_http_modelguard_budget_params(ngx_conf_t *cf,
    ngx_http_modelguard_budget_conf_t *budget, ngx_str_t *zone);
static ngx_int_t ngx_http_modelguard_budget_limit(ngx_str_t *value,
    ngx_http_modelguard_budget_conf_t *budget);
static ngx_int_t ngx_http_modelguard_budget_window(ngx_str_t *value,
    ngx_http_modelguard_budget_conf_t *budget);
static ngx_int_t ngx_http_modelguard_budget_unit(ngx_str_t *value,
    ngx_http_modelguard_budget_conf_t *budget);
static ngx_int_t ngx_http_modelguard_budget_burst(ngx_str_t *value,
    ngx_http_modelguard_budget_conf_t *budget);
static ngx_int_t ngx_http_modelguard_budget_units(ngx_str_t *value,
    uint64_t *units);
static uint64_t ngx_http_modelguard_budget_id(ngx_str_t *name);
static ngx_http_modelguard_budget_conf_t *ngx_http_modelguard_budget_add(
    ngx_conf_t *cf, ngx_http_modelguard_loc_conf_t *mglcf);


/* in the order of NGX_HTTP_MODELGUARD_UNIT_... */

static const char  *ngx_http_modelguard_budget_words[] = {
    "requests", "items", "tokens", "bytes", "bits", "concurrent", NULL
};


static ngx_http_modelguard_budget_arg_t  ngx_http_modelguard_budget_args[] = {
    { ngx_string("zone="), NULL, 1 },
    { ngx_string("limit="), ngx_http_modelguard_budget_limit, 1 },
    { ngx_string("window="), ngx_http_modelguard_budget_window, 1 },
    { ngx_string("unit="), ngx_http_modelguard_budget_unit, 0 },
    { ngx_string("burst="), ngx_http_modelguard_budget_burst, 0 }
};

#define NGX_HTTP_MODELGUARD_BUDGET_ARGS                                       \
    (sizeof(ngx_http_modelguard_budget_args)                                  \
     / sizeof(ngx_http_modelguard_budget_arg_t))


char *
ngx_http_modelguard_budget(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_modelguard_loc_conf_t *mglcf = conf;

    ngx_str_t                          *value, zone;
    ngx_http_modelguard_budget_conf_t  *budget;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (mglcf->budgets != NULL) {
            return "is duplicate";
        }

        if (cf->args->nelts != 2) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[2]);
            return NGX_CONF_ERROR;
        }

        mglcf->budgets = ngx_array_create(cf->pool, 1,
                                    sizeof(ngx_http_modelguard_budget_conf_t));

        return mglcf->budgets ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    budget = ngx_http_modelguard_budget_add(cf, mglcf);
    if (budget == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_modelguard_budget_params(cf, budget, &zone) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    switch (ngx_http_modelguard_budget_bind(cf, budget, &zone)) {

    case NGX_OK:
        return NGX_CONF_OK;

    case NGX_DECLINED:

        if (ngx_http_modelguard_conf_want(cf, &zone, budget) == NGX_OK) {
            return NGX_CONF_OK;
        }

        break;

    default: /* NGX_ERROR */
        break;
    }

    return NGX_CONF_ERROR;
}


/* the array never grows: ngx_http_modelguard_conf_want() points into it */

static ngx_http_modelguard_budget_conf_t *
ngx_http_modelguard_budget_add(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *mglcf)
{
    ngx_str_t                          *value;
    ngx_uint_t                          i;
    ngx_http_modelguard_budget_conf_t  *budget;

    value = cf->args->elts;

    if (value[1].len == 0 || ngx_strchr(value[1].data, '=') != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid budget name \"%V\"", &value[1]);
        return NULL;
    }

    if (mglcf->budgets == NULL) {

        mglcf->budgets = ngx_array_create(cf->pool, MODELGUARD_TABLE_BUDGETS,
                                    sizeof(ngx_http_modelguard_budget_conf_t));
        if (mglcf->budgets == NULL) {
            return NULL;
        }

    } else if (mglcf->budgets->nelts == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"modelguard_budget\" directive stands beside "
                           "\"modelguard_budget off\"");
        return NULL;
    }

    budget = mglcf->budgets->elts;

    for (i = 0; i < mglcf->budgets->nelts; i++) {

        if (budget[i].name.len == value[1].len
            && ngx_strncmp(budget[i].name.data, value[1].data, value[1].len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate modelguard budget \"%V\"",
                               &value[1]);
            return NULL;
        }
    }

    if (mglcf->budgets->nelts == MODELGUARD_TABLE_BUDGETS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many modelguard budgets, the maximum is %d",
                           MODELGUARD_TABLE_BUDGETS);
        return NULL;
    }

    budget = ngx_array_push(mglcf->budgets);

    ngx_memzero(budget, sizeof(ngx_http_modelguard_budget_conf_t));

    budget->name = value[1];
    budget->id = ngx_http_modelguard_budget_id(&value[1]);
    budget->unit = NGX_HTTP_MODELGUARD_UNIT_REQUESTS;

    return budget;
}


static char *
ngx_http_modelguard_budget_params(ngx_conf_t *cf,
    ngx_http_modelguard_budget_conf_t *budget, ngx_str_t *zone)
{
    ngx_str_t                         *value, s;
    ngx_uint_t                         i, n, seen;
    ngx_http_modelguard_budget_arg_t  *arg;

    value = cf->args->elts;
    arg = ngx_http_modelguard_budget_args;
    seen = 0;

    for (i = 2; i < cf->args->nelts; i++) {

        for (n = 0; n < NGX_HTTP_MODELGUARD_BUDGET_ARGS; n++) {

            if (ngx_strncmp(value[i].data, arg[n].name.data, arg[n].name.len)
                == 0)
            {
                break;
            }
        }

        if (n == NGX_HTTP_MODELGUARD_BUDGET_ARGS) {
            goto invalid;
        }

        if (seen & (1u << n)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate parameter \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        seen |= 1u << n;

        s.data = value[i].data + arg[n].name.len;
        s.len = value[i].len - arg[n].name.len;

        if (s.len == 0) {
            goto invalid;
        }

        if (arg[n].set == NULL) {
            *zone = s;

        } else if (arg[n].set(&s, budget) != NGX_OK) {
            goto invalid;
        }
    }

    for (n = 0; n < NGX_HTTP_MODELGUARD_BUDGET_ARGS; n++) {

        if (arg[n].required && !(seen & (1u << n))) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" must have \"%*s\" parameter", &value[0],
                               arg[n].name.len - 1, arg[n].name.data);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"",
                       &value[i]);
    return NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_modelguard_budget_limit(ngx_str_t *value,
    ngx_http_modelguard_budget_conf_t *budget)
{
    if (ngx_http_modelguard_budget_units(value, &budget->budget.limit)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return budget->budget.limit ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_modelguard_budget_burst(ngx_str_t *value,
    ngx_http_modelguard_budget_conf_t *budget)
{
    return ngx_http_modelguard_budget_units(value, &budget->budget.burst);
}


static ngx_int_t
ngx_http_modelguard_budget_window(ngx_str_t *value,
    ngx_http_modelguard_budget_conf_t *budget)
{
    ngx_int_t  seconds;

    seconds = ngx_parse_time(value, 1);

    if (seconds == NGX_ERROR
        || (uint64_t) seconds > MODELGUARD_BUDGET_WINDOW_MAX / 1000)
    {
        return NGX_ERROR;
    }

    budget->budget.window = (uint64_t) seconds * 1000;

    return (budget->budget.window >= MODELGUARD_BUDGET_WINDOW_MIN)
           ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_modelguard_budget_unit(ngx_str_t *value,
    ngx_http_modelguard_budget_conf_t *budget)
{
    ngx_uint_t  i;

    for (i = 0; ngx_http_modelguard_budget_words[i]; i++) {

        if (ngx_strcmp(value->data, ngx_http_modelguard_budget_words[i]) == 0)
        {
            budget->unit = i;
            return NGX_OK;
        }
    }

    return NGX_ERROR;
}


/* 0 .. MODELGUARD_BUDGET_LIMIT_MAX; "k" is a thousand, "m" a million */

static ngx_int_t
ngx_http_modelguard_budget_units(ngx_str_t *value, uint64_t *units)
{
    off_t     n;
    size_t    len;
    uint64_t  scale;

    len = value->len;
    scale = 1;

    switch (value->data[len - 1]) {

    case 'K':
    case 'k':
        len--;
        scale = 1000;
        break;

    case 'M':
    case 'm':
        len--;
        scale = 1000000;
        break;

    default:
        break;
    }

    n = ngx_atoof(value->data, len);

    if (n == NGX_ERROR || (uint64_t) n > MODELGUARD_BUDGET_LIMIT_MAX / scale) {
        return NGX_ERROR;
    }

    *units = (uint64_t) n * scale;

    return NGX_OK;
}


/*
 * The name's hash, which finds a client's cells again after a reload.  Not a
 * secret, so its key is none; never 0, which marks free cells.
 */

static uint64_t
ngx_http_modelguard_budget_id(ngx_str_t *name)
{
    uint8_t          key[MODELGUARD_HASH_SECRET];
    modelguard_id_t  id;

    ngx_memzero(key, sizeof(key));

    modelguard_hash(&id, key, name->data, name->len);

    return id.low ? id.low : 1;
}


ngx_int_t
ngx_http_modelguard_budget_bind(ngx_conf_t *cf,
    ngx_http_modelguard_budget_conf_t *budget, ngx_str_t *zone)
{
    budget->zone = ngx_http_modelguard_zone_find(cf, zone);

    if (budget->zone == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_http_modelguard_zone_add(cf, budget) != NGX_CONF_OK) {
        return NGX_ERROR;
    }

    return NGX_OK;
}
