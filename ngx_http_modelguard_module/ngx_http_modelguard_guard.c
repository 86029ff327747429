
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_guard.h"
#include "ngx_http_modelguard_rules.h"


#define NGX_HTTP_MODELGUARD_GUARD_NAME  64   /* bytes of a name in the log */


static ngx_uint_t ngx_http_modelguard_guard_rewrites(
    const ngx_http_modelguard_loc_conf_t *conf);
static void ngx_http_modelguard_guard_dry(ngx_conf_t *cf,
    const ngx_http_modelguard_loc_conf_t *conf, const ngx_str_t *name);
static void ngx_http_modelguard_guard_bits(ngx_conf_t *cf,
    const ngx_http_modelguard_loc_conf_t *conf, const ngx_str_t *name);


char *
ngx_http_modelguard_guard(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_modelguard_loc_conf_t *mglcf = conf;

    ngx_str_t                         *value;
    ngx_http_modelguard_main_conf_t   *mgmcf;
    ngx_http_compile_complex_value_t   ccv;

    if (mglcf->guarded != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        mglcf->guarded = 0;
        mglcf->off = 1;
        return NGX_CONF_OK;
    }

    mglcf->guarded = 1;
    mglcf->file = cf->conf_file->file.name.data;
    mglcf->line = cf->conf_file->line;

    mglcf->profile = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (mglcf->profile == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[1];
    ccv.complex_value = mglcf->profile;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    mgmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_modelguard_module);

    if (mglcf->profile->lengths != NULL
        || ngx_http_modelguard_conf_profile(mgmcf, &value[1]) != NULL)
    {
        return NGX_CONF_OK;
    }

    if (ngx_http_modelguard_conf_want(cf, &value[1], NULL) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_modelguard_guard_merge(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *prev,
    ngx_http_modelguard_loc_conf_t *conf)
{
    ngx_http_modelguard_main_conf_t  *mgmcf;

    if (conf->guarded == NGX_CONF_UNSET) {
        conf->guarded = (prev->guarded == 1);
        conf->profile = prev->profile;
        conf->off = prev->off;
        conf->file = prev->file;
        conf->line = prev->line;
    }

    if (!conf->guarded) {
        return NGX_CONF_OK;
    }

    mgmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_modelguard_module);
    mgmcf->used = 1;

    if (conf->profile == prev->profile && conf->fields == prev->fields
        && prev->rules != NULL)
    {
        conf->rules = prev->rules;
        return NGX_CONF_OK;
    }

    return ngx_http_modelguard_rules_compile(cf, conf);
}


void
ngx_http_modelguard_guard_warn(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    /* a server's own guard is mostly there for its locations to inherit */

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->name.len == 0 || clcf->noname) {
        return;
    }

    ngx_http_modelguard_guard_bits(cf, conf, &clcf->name);

    if (!conf->guarded) {
        return;
    }

    if (conf->fields == NULL) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "no \"modelguard_field\" for the guarded location "
                      "\"%V\", guarded in %s:%ui", &clcf->name, conf->file,
                      conf->line);
        return;
    }

    if (conf->budgets != NULL && conf->budgets->nelts != 0) {
        ngx_http_modelguard_guard_dry(cf, conf, &clcf->name);
        return;
    }

    if (conf->checks == NULL && !ngx_http_modelguard_guard_rewrites(conf)) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "nothing to rewrite and no \"modelguard_budget\" for the "
                      "guarded location \"%V\", guarded in %s:%ui",
                      &clcf->name, conf->file, conf->line);
        return;
    }

    /* "modelguard_budget off" says that it is meant */

    if (conf->budgets == NULL) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "no \"modelguard_budget\" for the guarded location "
                      "\"%V\", guarded in %s:%ui, nobody is ever refused",
                      &clcf->name, conf->file, conf->line);
    }
}


static ngx_uint_t
ngx_http_modelguard_guard_rewrites(const ngx_http_modelguard_loc_conf_t *conf)
{
    ngx_uint_t                         i;
    ngx_http_modelguard_rules_conf_t  *rules;

    rules = conf->rules->elts;

    for (i = 0; i < conf->rules->nelts; i++) {

        if (rules[i].rules != NULL) {
            return 1;
        }
    }

    return 0;
}


static void
ngx_http_modelguard_guard_dry(ngx_conf_t *cf,
    const ngx_http_modelguard_loc_conf_t *conf, const ngx_str_t *name)
{
    ngx_uint_t                          i;
    ngx_http_modelguard_budget_conf_t  *budget;

    budget = conf->budgets->elts;

    for (i = 0; i < conf->budgets->nelts; i++) {

        if (!budget[i].dry_run) {
            return;
        }
    }

    ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                  "every \"modelguard_budget\" is a dry run for the guarded "
                  "location \"%V\", guarded in %s:%ui, nobody is ever refused",
                  name, conf->file, conf->line);
}


/* a budget of bits counts what the fields disclose, guarded or not */

static void
ngx_http_modelguard_guard_bits(ngx_conf_t *cf,
    const ngx_http_modelguard_loc_conf_t *conf, const ngx_str_t *name)
{
    ngx_uint_t                          i, n;
    modelguard_field_t                **field;
    ngx_http_modelguard_budget_conf_t  *budget;

    n = conf->fields ? conf->fields->nelts : 0;
    field = n ? conf->fields->elts : NULL;

    for (i = 0; i < n; i++) {

        switch (field[i]->role) {

        case MODELGUARD_ROLE_METADATA:
        case MODELGUARD_ROLE_USAGE:
        case MODELGUARD_ROLE_ITEMS:
            break;

        default:
            return;
        }
    }

    n = conf->budgets ? conf->budgets->nelts : 0;
    budget = n ? conf->budgets->elts : NULL;

    for (i = 0; i < n; i++) {

        if (budget[i].unit == NGX_HTTP_MODELGUARD_UNIT_BITS) {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                          "modelguard budget \"%V\" in %s:%ui counts bits, "
                          "but location \"%V\" has no \"modelguard_field\" "
                          "that discloses any", &budget[i].name,
                          budget[i].file, budget[i].line, name);
        }
    }
}


ngx_int_t
ngx_http_modelguard_conf_rules(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    const modelguard_rules_t **rules, ngx_str_t *name)
{
    ngx_str_t                          value;
    ngx_uint_t                         i;
    ngx_http_modelguard_rules_conf_t  *rcf;

    rcf = mglcf->rules->elts;

    if (mglcf->profile->lengths == NULL) {
        *rules = rcf[0].rules;
        *name = rcf[0].name;
        return NGX_OK;
    }

    if (ngx_http_complex_value(r, mglcf->profile, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < mglcf->rules->nelts; i++) {

        if (rcf[i].name.len == value.len
            && ngx_strncmp(rcf[i].name.data, value.data, value.len) == 0)
        {
            *rules = rcf[i].rules;
            *name = rcf[i].name;
            return NGX_OK;
        }
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "modelguard: unknown profile \"%*s\"",
                  ngx_min(value.len, NGX_HTTP_MODELGUARD_GUARD_NAME),
                  value.data);

    return NGX_ERROR;
}
