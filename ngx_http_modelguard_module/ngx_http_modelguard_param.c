
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_param.h"
#include "ngx_http_modelguard_field.h"


typedef struct {
    ngx_str_t              name;
    modelguard_param_op_e  op;
    ngx_uint_t             value;     /* unsigned  value:1; */
} ngx_http_modelguard_param_op_t;


static char *ngx_http_modelguard_param_parse(ngx_conf_t *cf,
    modelguard_param_t *param);
static ngx_int_t ngx_http_modelguard_param_op(ngx_str_t *arg,
    modelguard_param_t *param);
static modelguard_param_t *ngx_http_modelguard_param_add(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *mglcf);
static char *ngx_http_modelguard_param_binary(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *conf);


static ngx_http_modelguard_param_op_t  ngx_http_modelguard_param_ops[] = {
    { ngx_string("forbid"), MODELGUARD_PARAM_FORBID, 0 },
    { ngx_string("max="), MODELGUARD_PARAM_LIMIT, 1 },
    { ngx_string("drop"), MODELGUARD_PARAM_DROP, 0 },
    { ngx_string("set="), MODELGUARD_PARAM_SET, 1 },
    { ngx_string("require"), MODELGUARD_PARAM_REQUIRE, 0 }
};

#define NGX_HTTP_MODELGUARD_PARAM_OPS                                         \
    (sizeof(ngx_http_modelguard_param_ops)                                    \
     / sizeof(ngx_http_modelguard_param_op_t))


/* where the binary tensor data extension of Open Inference asks for bytes */

static ngx_str_t  ngx_http_modelguard_param_binaries[] = {
    ngx_string("$.parameters.binary_data_output"),
    ngx_string("$.outputs[*].parameters.binary_data")
};

#define NGX_HTTP_MODELGUARD_PARAM_BINARIES                                    \
    (sizeof(ngx_http_modelguard_param_binaries) / sizeof(ngx_str_t))


char *
ngx_http_modelguard_param(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_modelguard_loc_conf_t *mglcf = conf;

    ngx_str_t           *value;
    ngx_uint_t           i;
    const char          *error;
    modelguard_param_t  *param, *params;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (mglcf->params != NULL) {
            return "is duplicate";
        }

        if (cf->args->nelts != 2) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[2]);
            return NGX_CONF_ERROR;
        }

        mglcf->params = ngx_array_create(cf->pool, 1,
                                         sizeof(modelguard_param_t));

        return mglcf->params ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    param = ngx_http_modelguard_param_add(cf, mglcf);
    if (param == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_modelguard_param_parse(cf, param) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    params = mglcf->params->elts;

    for (i = 0; i < mglcf->params->nelts - 1; i++) {

        error = modelguard_param_conflict(&params[i], param);

        if (error != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "conflicting modelguard param \"%V\": %s",
                               &value[1], error);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static modelguard_param_t *
ngx_http_modelguard_param_add(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *mglcf)
{
    modelguard_param_t  *param;

    if (mglcf->params == NULL) {

        mglcf->params = ngx_array_create(cf->pool, 4,
                                         sizeof(modelguard_param_t));
        if (mglcf->params == NULL) {
            return NULL;
        }

    } else if (mglcf->params->nelts == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"modelguard_param\" directive stands beside "
                           "\"modelguard_param off\"");
        return NULL;
    }

    if (mglcf->params->nelts
        == MODELGUARD_PARAM_MAX - NGX_HTTP_MODELGUARD_PARAM_BINARIES)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many modelguard params, the maximum is %uz",
                           MODELGUARD_PARAM_MAX
                           - NGX_HTTP_MODELGUARD_PARAM_BINARIES);
        return NULL;
    }

    param = ngx_array_push(mglcf->params);
    if (param == NULL) {
        return NULL;
    }

    ngx_memzero(param, sizeof(modelguard_param_t));

    return param;
}


static char *
ngx_http_modelguard_param_parse(ngx_conf_t *cf, modelguard_param_t *param)
{
    ngx_str_t   *value, s;
    const char  *error;

    value = cf->args->elts;

    param->path = ngx_http_modelguard_field_path(cf, &value[1]);
    if (param->path == NULL) {
        return NGX_CONF_ERROR;
    }

    param->text.data = value[1].data;
    param->text.len = value[1].len;

    if (cf->args->nelts == 2) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"modelguard_param\" must say what becomes of "
                           "\"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_modelguard_param_op(&value[2], param) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"",
                           &value[2]);
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 4) {

        if (ngx_strncmp(value[3].data, "when=", 5) != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[3]);
            return NGX_CONF_ERROR;
        }

        s.data = value[3].data + 5;
        s.len = value[3].len - 5;

        param->when = ngx_http_modelguard_field_path(cf, &s);
        if (param->when == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (modelguard_param_check(param, &error) != MODELGUARD_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" of \"%V\": %s",
                           &value[2], &value[1], error);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_modelguard_param_op(ngx_str_t *arg, modelguard_param_t *param)
{
    ngx_uint_t                       i;
    ngx_http_modelguard_param_op_t  *op;

    op = ngx_http_modelguard_param_ops;

    for (i = 0; i < NGX_HTTP_MODELGUARD_PARAM_OPS; i++) {

        if (arg->len < op[i].name.len
            || ngx_strncmp(arg->data, op[i].name.data, op[i].name.len) != 0
            || (arg->len > op[i].name.len && !op[i].value))
        {
            continue;
        }

        param->op = op[i].op;
        param->value.data = arg->data + op[i].name.len;
        param->value.len = arg->len - op[i].name.len;

        return NGX_OK;
    }

    return NGX_ERROR;
}


char *
ngx_http_modelguard_param_merge(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *prev,
    ngx_http_modelguard_loc_conf_t *conf)
{
    ngx_uint_t  n;

    if (conf->params == NULL) {
        conf->params = prev->params;
    }

    ngx_conf_merge_uint_value(conf->binary_output, prev->binary_output,
                              NGX_HTTP_MODELGUARD_BINARY_OFF);

    n = conf->params ? conf->params->nelts : 0;

    if (n == 0
        && conf->binary_output == NGX_HTTP_MODELGUARD_BINARY_OFF)
    {
        return NGX_CONF_OK;
    }

    if (conf->params == prev->params
        && conf->binary_output == prev->binary_output
        && prev->checks)
    {
        /* an internal redirect sees that it is the same, too */

        conf->checks = prev->checks;
        return NGX_CONF_OK;
    }

    conf->checks = ngx_array_create(cf->pool,
                                    n + NGX_HTTP_MODELGUARD_PARAM_BINARIES,
                                    sizeof(modelguard_param_t));
    if (conf->checks == NULL) {
        return NGX_CONF_ERROR;
    }

    if (n) {
        ngx_memcpy(ngx_array_push_n(conf->checks, n), conf->params->elts,
                   n * sizeof(modelguard_param_t));
    }

    if (conf->binary_output == NGX_HTTP_MODELGUARD_BINARY_OFF) {
        return NGX_CONF_OK;
    }

    return ngx_http_modelguard_param_binary(cf, conf);
}


/* the array has room for them */

static char *
ngx_http_modelguard_param_binary(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *conf)
{
    ngx_str_t           *text;
    ngx_uint_t           i;
    modelguard_param_t  *param;

    for (i = 0; i < NGX_HTTP_MODELGUARD_PARAM_BINARIES; i++) {
        text = &ngx_http_modelguard_param_binaries[i];

        param = ngx_array_push(conf->checks);

        ngx_memzero(param, sizeof(modelguard_param_t));

        param->op = (conf->binary_output == NGX_HTTP_MODELGUARD_BINARY_JSON)
                    ? MODELGUARD_PARAM_FALSE : MODELGUARD_PARAM_FORBID;
        param->text.data = text->data;
        param->text.len = text->len;

        param->path = ngx_http_modelguard_field_path(cf, text);
        if (param->path == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}
