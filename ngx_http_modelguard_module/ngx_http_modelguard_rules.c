
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_rules.h"
#include "ngx_http_modelguard_field.h"
#include "ngx_http_modelguard_regex.h"


/* in main_conf->compiled: an array of fields is the same only as a pointer */

typedef struct {
    const ngx_array_t           *fields;     /* NULL: none, or the built-in
                                                items */
    const modelguard_profile_t  *profile;    /* NULL: "inspect" */
    modelguard_rules_t          *rules;

    /* without a profile: what requests are inspected for */

    const ngx_array_t           *checks;
    ngx_uint_t                   counted;
    modelguard_params_t         *inspect;
} ngx_http_modelguard_compiled_t;


static char *ngx_http_modelguard_rules_profile(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *mglcf,
    ngx_http_modelguard_profile_conf_t *pcf, modelguard_rules_t **rules);
static ngx_uint_t ngx_http_modelguard_rules_treat(const ngx_array_t *fields,
    const modelguard_profile_t *profile);
static ngx_int_t ngx_http_modelguard_rules_items(ngx_conf_t *cf,
    const ngx_array_t *fields, ngx_array_t *paths);
static ngx_uint_t ngx_http_modelguard_rules_count(const ngx_array_t *fields,
    modelguard_role_e role);
static ngx_http_modelguard_compiled_t *ngx_http_modelguard_rules_find(
    ngx_conf_t *cf, const ngx_array_t *fields,
    const modelguard_profile_t *profile);
static ngx_http_modelguard_compiled_t *ngx_http_modelguard_rules_inspected(
    ngx_conf_t *cf, const ngx_array_t *fields, const ngx_array_t *checks,
    ngx_uint_t counted);
static ngx_http_modelguard_compiled_t *ngx_http_modelguard_rules_push(
    ngx_conf_t *cf);


/* where the known model servers expect a batch; the greatest count wins */

static ngx_str_t  ngx_http_modelguard_rules_items_paths[] = {
    ngx_string("$.instances"),                 /* TF Serving */
    ngx_string("$.inputs[*].shape[0]"),        /* Open Inference Protocol */
    ngx_string("$.inputs"),                    /* TF Serving, Hugging Face */
    ngx_string("$.input"),                     /* OpenAI embeddings */
    ngx_string("$.prompt"),                    /* OpenAI completions */
    ngx_string("$.texts"),
    ngx_string("$.documents"),
    ngx_string("$.requests"),
    ngx_string("$.dataframe_split.data"),      /* MLflow */
    ngx_string("$.dataframe_records")
};

#define NGX_HTTP_MODELGUARD_RULES_ITEMS                                       \
    (sizeof(ngx_http_modelguard_rules_items_paths) / sizeof(ngx_str_t))


char *
ngx_http_modelguard_rules_compile(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *mglcf)
{
    ngx_uint_t                           i, n;
    ngx_http_modelguard_main_conf_t     *mgmcf;
    ngx_http_modelguard_rules_conf_t    *rcf;
    ngx_http_modelguard_profile_conf_t  *pcf;

    mgmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_modelguard_module);

    if (mglcf->profile->lengths == NULL) {
        pcf = ngx_http_modelguard_conf_profile(mgmcf, &mglcf->profile->value);
        n = 1;

    } else {
        pcf = mgmcf->profiles.elts;
        n = mgmcf->profiles.nelts;
    }

    if (pcf == NULL || n == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "no \"modelguard_profile\" is defined for "
                      "the \"modelguard\" directive in %s:%ui",
                      mglcf->file, mglcf->line);
        return NGX_CONF_ERROR;
    }

    mglcf->rules = ngx_array_create(cf->pool, n,
                                    sizeof(ngx_http_modelguard_rules_conf_t));
    if (mglcf->rules == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < n; i++) {

        rcf = ngx_array_push(mglcf->rules);
        if (rcf == NULL) {
            return NGX_CONF_ERROR;
        }

        rcf->name = pcf[i].name;

        if (ngx_http_modelguard_rules_profile(cf, mglcf, &pcf[i], &rcf->rules)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_modelguard_rules_profile(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *mglcf,
    ngx_http_modelguard_profile_conf_t *pcf, modelguard_rules_t **rules)
{
    const char                      *error;
    ngx_http_modelguard_compiled_t  *compiled;

    *rules = NULL;

    if (!ngx_http_modelguard_rules_treat(mglcf->fields, &pcf->profile)) {
        return NGX_CONF_OK;
    }

    compiled = ngx_http_modelguard_rules_find(cf, mglcf->fields,
                                              &pcf->profile);
    if (compiled == NULL) {
        return NGX_CONF_ERROR;
    }

    if (compiled->rules == NULL
        && modelguard_rules_build(&compiled->rules, mglcf->fields->elts,
                                  mglcf->fields->nelts, &pcf->profile,
                                  ngx_http_modelguard_regex_match,
                                  ngx_http_modelguard_alloc, cf->pool, &error)
           != MODELGUARD_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "fields cannot be compiled for profile \"%V\": %s, "
                      "for the \"modelguard\" directive in %s:%ui",
                      &pcf->name, error, mglcf->file, mglcf->line);
        return NGX_CONF_ERROR;
    }

    *rules = compiled->rules;

    return NGX_CONF_OK;
}


/* whether the profile does anything to any of the fields */

static ngx_uint_t
ngx_http_modelguard_rules_treat(const ngx_array_t *fields,
    const modelguard_profile_t *profile)
{
    ngx_uint_t            i;
    modelguard_field_t  **field;

    if (fields == NULL) {
        return 0;
    }

    field = fields->elts;

    for (i = 0; i < fields->nelts; i++) {

        if (profile->treatments[field[i]->role].op != MODELGUARD_KEEP) {
            return 1;
        }
    }

    return 0;
}


char *
ngx_http_modelguard_rules_inspect(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *mglcf, ngx_uint_t counted)
{
    int                              rc;
    ngx_array_t                      paths;
    const ngx_array_t               *fields;
    ngx_http_modelguard_compiled_t  *compiled;

    fields = counted ? mglcf->fields : NULL;

    if (ngx_http_modelguard_rules_count(fields, MODELGUARD_ROLE_ITEMS) == 0) {
        fields = NULL;
    }

    compiled = ngx_http_modelguard_rules_inspected(cf, fields, mglcf->checks,
                                                   counted);
    if (compiled == NULL) {
        return NGX_CONF_ERROR;
    }

    if (compiled->inspect == NULL) {

        if (ngx_array_init(&paths, cf->temp_pool, 16,
                           sizeof(modelguard_path_t *))
            != NGX_OK
            || (counted
                && ngx_http_modelguard_rules_items(cf, fields, &paths)
                   != NGX_OK))
        {
            return NGX_CONF_ERROR;
        }

        rc = modelguard_params_build(&compiled->inspect,
                                     mglcf->checks ? mglcf->checks->elts
                                                   : NULL,
                                     mglcf->checks ? mglcf->checks->nelts : 0,
                                     paths.elts, paths.nelts,
                                     ngx_http_modelguard_regex_match,
                                     ngx_http_modelguard_alloc, cf->pool);

        if (rc != MODELGUARD_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "%s cannot be compiled: %s",
                               mglcf->checks ? "params"
                                      : "fields of the role \"items\"",
                               (rc == MODELGUARD_TOO_BIG)
                               ? "too many paths, states or patterns"
                               : (rc == MODELGUARD_UNDECIDED)
                                 ? "a pattern could not be matched"
                                 : "not enough memory");
            return NGX_CONF_ERROR;
        }
    }

    mglcf->inspect = compiled->inspect;

    return NGX_CONF_OK;
}


/* the paths of the items fields, or the built-in ones */

static ngx_int_t
ngx_http_modelguard_rules_items(ngx_conf_t *cf, const ngx_array_t *fields,
    ngx_array_t *paths)
{
    unsigned              n;
    ngx_uint_t            i;
    modelguard_path_t   **path;
    modelguard_field_t  **field;

    if (fields == NULL) {

        for (i = 0; i < NGX_HTTP_MODELGUARD_RULES_ITEMS; i++) {

            path = ngx_array_push(paths);
            if (path == NULL) {
                return NGX_ERROR;
            }

            *path = ngx_http_modelguard_field_path(cf,
                                    &ngx_http_modelguard_rules_items_paths[i]);
            if (*path == NULL) {
                return NGX_ERROR;
            }
        }

        return NGX_OK;
    }

    field = fields->elts;

    for (i = 0; i < fields->nelts; i++) {

        if (field[i]->role != MODELGUARD_ROLE_ITEMS) {
            continue;
        }

        for (n = 0; n < field[i]->npaths; n++) {

            path = ngx_array_push(paths);
            if (path == NULL) {
                return NGX_ERROR;
            }

            *path = (modelguard_path_t *) field[i]->paths[n];
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_modelguard_rules_count(const ngx_array_t *fields,
    modelguard_role_e role)
{
    ngx_uint_t            i, n;
    modelguard_field_t  **field;

    if (fields == NULL) {
        return 0;
    }

    n = 0;
    field = fields->elts;

    for (i = 0; i < fields->nelts; i++) {
        n += (field[i]->role == role);
    }

    return n;
}


/* finds or adds an entry, one that was added having all else NULL */

static ngx_http_modelguard_compiled_t *
ngx_http_modelguard_rules_find(ngx_conf_t *cf, const ngx_array_t *fields,
    const modelguard_profile_t *profile)
{
    ngx_uint_t                        i;
    ngx_http_modelguard_compiled_t   *compiled;
    ngx_http_modelguard_main_conf_t  *mgmcf;

    mgmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_modelguard_module);

    compiled = mgmcf->compiled.elts;

    for (i = 0; i < mgmcf->compiled.nelts; i++) {

        if (compiled[i].fields == fields && compiled[i].profile == profile) {
            return &compiled[i];
        }
    }

    compiled = ngx_http_modelguard_rules_push(cf);

    if (compiled != NULL) {
        compiled->fields = fields;
        compiled->profile = profile;
    }

    return compiled;
}


static ngx_http_modelguard_compiled_t *
ngx_http_modelguard_rules_inspected(ngx_conf_t *cf, const ngx_array_t *fields,
    const ngx_array_t *checks, ngx_uint_t counted)
{
    ngx_uint_t                        i;
    ngx_http_modelguard_compiled_t   *compiled;
    ngx_http_modelguard_main_conf_t  *mgmcf;

    mgmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_modelguard_module);

    compiled = mgmcf->compiled.elts;

    for (i = 0; i < mgmcf->compiled.nelts; i++) {

        if (compiled[i].profile == NULL && compiled[i].fields == fields
            && compiled[i].checks == checks && compiled[i].counted == counted)
        {
            return &compiled[i];
        }
    }

    compiled = ngx_http_modelguard_rules_push(cf);

    if (compiled != NULL) {
        compiled->fields = fields;
        compiled->checks = checks;
        compiled->counted = counted;
    }

    return compiled;
}


static ngx_http_modelguard_compiled_t *
ngx_http_modelguard_rules_push(ngx_conf_t *cf)
{
    ngx_http_modelguard_compiled_t   *compiled;
    ngx_http_modelguard_main_conf_t  *mgmcf;

    mgmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_modelguard_module);

    if (mgmcf->compiled.elts == NULL
        && ngx_array_init(&mgmcf->compiled, cf->pool, 16,
                          sizeof(ngx_http_modelguard_compiled_t))
           != NGX_OK)
    {
        return NULL;
    }

    compiled = ngx_array_push(&mgmcf->compiled);

    if (compiled != NULL) {
        ngx_memzero(compiled, sizeof(ngx_http_modelguard_compiled_t));
    }

    return compiled;
}
