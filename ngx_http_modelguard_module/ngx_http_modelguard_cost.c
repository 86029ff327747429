
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_cost.h"


#define NGX_HTTP_MODELGUARD_COST_SHOWN  32   /* bytes of a value, in a log */


/* in the order of NGX_HTTP_MODELGUARD_UNIT_... */

static ngx_str_t  ngx_http_modelguard_cost_units[] = {
    ngx_string("requests"),
    ngx_string("items"),
    ngx_string("tokens"),
    ngx_string("bytes"),
    ngx_string("bits"),
    ngx_string("concurrent")
};


char *
ngx_http_modelguard_cost(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_modelguard_loc_conf_t *mglcf = conf;

    uint64_t                   units;
    ngx_str_t                 *value;
    ngx_uint_t                 unit, off;
    ngx_http_complex_value_t  *cv;

    value = cf->args->elts;
    off = (ngx_strcmp(value[1].data, "off") == 0);

    if (mglcf->costs == NULL) {
        mglcf->costs = ngx_pcalloc(cf->pool,
                                   sizeof(ngx_http_modelguard_costs_t));
        if (mglcf->costs == NULL) {
            return NGX_CONF_ERROR;
        }

        mglcf->costs->off = off ? 1 : 0;

    } else if (off || mglcf->costs->off) {
        return "is duplicate";
    }

    if (cf->args->nelts != (off ? 2u : 3u)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid number of arguments in \"%V\" directive",
                           &cmd->name);
        return NGX_CONF_ERROR;
    }

    if (off) {
        return NGX_CONF_OK;
    }

    unit = ngx_http_modelguard_cost_unit(&value[1]);

    if (unit >= NGX_HTTP_MODELGUARD_UNIT_CONCURRENT) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (mglcf->costs->values[unit]) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate cost of \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    switch (ngx_http_modelguard_cost_compile(cf, &value[2], &cv, &units)) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\"", &value[2]);
        return NGX_CONF_ERROR;

    default: /* NGX_ERROR */
        return NGX_CONF_ERROR;
    }

    /* a number is a value without variables */

    if (cv == NULL) {
        cv = ngx_pcalloc(cf->pool, sizeof(ngx_http_complex_value_t));
        if (cv == NULL) {
            return NGX_CONF_ERROR;
        }

        cv->value = value[2];
    }

    mglcf->costs->values[unit] = cv;

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_http_modelguard_cost_unit(const ngx_str_t *name)
{
    ngx_str_t   *word;
    ngx_uint_t   unit;

    for (unit = 0; unit < NGX_HTTP_MODELGUARD_UNITS; unit++) {
        word = &ngx_http_modelguard_cost_units[unit];

        if (word->len == name->len
            && ngx_strncmp(word->data, name->data, word->len) == 0)
        {
            break;
        }
    }

    return unit;
}


const char *
ngx_http_modelguard_cost_word(ngx_uint_t unit)
{
    return (const char *) ngx_http_modelguard_cost_units[unit].data;
}


ngx_int_t
ngx_http_modelguard_cost_parse(const ngx_str_t *value, uint64_t *units)
{
    off_t     n;
    size_t    len;
    uint64_t  scale;

    len = value->len;
    scale = 1;

    if (len == 0) {
        return NGX_ERROR;
    }

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


ngx_int_t
ngx_http_modelguard_cost_compile(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_complex_value_t **value, uint64_t *units)
{
    ngx_http_compile_complex_value_t  ccv;

    *value = NULL;

    if (ngx_http_script_variables_count(text) == 0) {
        return (ngx_http_modelguard_cost_parse(text, units) == NGX_OK)
               ? NGX_OK : NGX_DECLINED;
    }

    *value = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (*value == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = text;
    ccv.complex_value = *value;

    return ngx_http_compile_complex_value(&ccv);
}


ngx_int_t
ngx_http_modelguard_cost_evaluate(ngx_http_request_t *r,
    ngx_http_complex_value_t *value, ngx_uint_t limit, const char *what,
    const char *name, uint64_t *units)
{
    size_t     i, len;
    u_char     shown[NGX_HTTP_MODELGUARD_COST_SHOWN];
    ngx_str_t  text;

    if (ngx_http_complex_value(r, value, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_modelguard_cost_parse(&text, units) == NGX_OK
        && (*units || !limit))
    {
        return NGX_OK;
    }

    if (limit && text.len == sizeof("unlimited") - 1
        && ngx_strncmp(text.data, "unlimited", sizeof("unlimited") - 1) == 0)
    {
        return NGX_DECLINED;
    }

    /* it may be the client's: no control characters, and no long lines */

    len = ngx_min(text.len, NGX_HTTP_MODELGUARD_COST_SHOWN);

    for (i = 0; i < len; i++) {
        shown[i] = (text.data[i] < 0x20 || text.data[i] >= 0x7f)
                   ? '?' : text.data[i];
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "modelguard: invalid %s of \"%s\": \"%*s\" from \"%V\"",
                  what, name, len, shown, &value->value);

    return NGX_ERROR;
}


ngx_int_t
ngx_http_modelguard_cost_find(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf, ngx_uint_t unit,
    uint64_t *units)
{
    ngx_http_complex_value_t  *value;

    value = mglcf->costs ? mglcf->costs->values[unit] : NULL;

    if (value == NULL) {
        return NGX_DECLINED;
    }

    return ngx_http_modelguard_cost_evaluate(r, value, 0, "cost",
                                       ngx_http_modelguard_cost_word(unit),
                                       units);
}
