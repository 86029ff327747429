
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_field.h"
#include "ngx_http_modelguard_regex.h"


static char *ngx_http_modelguard_field_argument(ngx_conf_t *cf,
    modelguard_field_t *field, ngx_str_t *arg);
static char *ngx_http_modelguard_field_encoding(ngx_conf_t *cf,
    modelguard_field_t *field, ngx_str_t *arg);
static char *ngx_http_modelguard_field_classes(ngx_conf_t *cf,
    modelguard_field_t *field, ngx_str_t *arg);
static ngx_uint_t ngx_http_modelguard_field_has_name(ngx_str_t *arg);
static ngx_int_t ngx_http_modelguard_field_patterns(ngx_conf_t *cf,
    modelguard_path_t *path, ngx_str_t *text);
static char *ngx_http_modelguard_profile_role(ngx_conf_t *cf,
    ngx_command_t *dummy, void *conf);
static char *ngx_http_modelguard_profile_treatment(ngx_conf_t *cf,
    modelguard_role_e role, modelguard_treatment_t *treatment);


char *
ngx_http_modelguard_field(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_modelguard_loc_conf_t *mglcf = conf;

    ngx_str_t            *value;
    ngx_uint_t            i;
    const char           *error;
    modelguard_field_t   *field, **fieldp;

    value = cf->args->elts;

    field = ngx_pcalloc(cf->pool, sizeof(modelguard_field_t));
    if (field == NULL) {
        return NGX_CONF_ERROR;
    }

    field->role = modelguard_role_parse(value[1].data, value[1].len);

    if (field->role == MODELGUARD_ROLES) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown role \"%V\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    field->paths = ngx_palloc(cf->pool, (cf->args->nelts - 2)
                                        * sizeof(modelguard_path_t *));
    if (field->paths == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_http_modelguard_field_argument(cf, field, &value[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (modelguard_field_check(field, &error) != MODELGUARD_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid field \"%V\": %s",
                           &value[1], error);
        return NGX_CONF_ERROR;
    }

    if (mglcf->fields == NULL) {

        mglcf->fields = ngx_array_create(cf->pool, 4,
                                         sizeof(modelguard_field_t *));
        if (mglcf->fields == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    fieldp = ngx_array_push(mglcf->fields);
    if (fieldp == NULL) {
        return NGX_CONF_ERROR;
    }

    *fieldp = field;

    return NGX_CONF_OK;
}


static char *
ngx_http_modelguard_field_argument(ngx_conf_t *cf, modelguard_field_t *field,
    ngx_str_t *arg)
{
    ngx_str_t            text;
    modelguard_path_t   *path, **place;

    text = *arg;

    if (ngx_strncmp(arg->data, "encoding=", 9) == 0) {
        return ngx_http_modelguard_field_encoding(cf, field, arg);
    }

    if (ngx_strncmp(arg->data, "classes=", 8) == 0) {
        return ngx_http_modelguard_field_classes(cf, field, arg);
    }

    if (ngx_strncmp(arg->data, "label=", 6) == 0) {

        if (field->nlabels == MODELGUARD_FIELD_LABELS_MAX) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "too many \"label\" parameters, the maximum "
                               "is %d", MODELGUARD_FIELD_LABELS_MAX);
            return NGX_CONF_ERROR;
        }

        place = &field->labels[field->nlabels++];
        text.data += 6;

    } else if (ngx_strncmp(arg->data, "shape=", 6) == 0) {
        place = &field->shape;
        text.data += 6;

    } else if (ngx_strncmp(arg->data, "datatype=", 9) == 0) {
        place = &field->datatype;
        text.data += 9;

    } else if (ngx_strncmp(arg->data, "inside=", 7) == 0) {
        place = &field->inside;
        text.data += 7;

    } else if (ngx_http_modelguard_field_has_name(arg)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"",
                           arg);
        return NGX_CONF_ERROR;

    } else {
        field->paths[field->npaths] = NULL;
        place = &field->paths[field->npaths++];
    }

    if (*place != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate parameter \"%V\"",
                           arg);
        return NGX_CONF_ERROR;
    }

    text.len -= text.data - arg->data;

    path = ngx_http_modelguard_field_path(cf, &text);
    if (path == NULL) {
        return NGX_CONF_ERROR;
    }

    *place = path;

    return NGX_CONF_OK;
}


static char *
ngx_http_modelguard_field_encoding(ngx_conf_t *cf, modelguard_field_t *field,
    ngx_str_t *arg)
{
    if (field->encoding != MODELGUARD_ENCODING_NONE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate parameter \"%V\"",
                           arg);
        return NGX_CONF_ERROR;
    }

    field->encoding = modelguard_encoding_parse(arg->data + 9, arg->len - 9);

    if (field->encoding == MODELGUARD_ENCODINGS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown encoding in \"%V\", it must be \"string\", "
                           "\"text\", \"base64f32\" or \"json\"", arg);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_modelguard_field_classes(ngx_conf_t *cf, modelguard_field_t *field,
    ngx_str_t *arg)
{
    ngx_int_t  n;

    if (field->classes) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate parameter \"%V\"",
                           arg);
        return NGX_CONF_ERROR;
    }

    n = ngx_atoi(arg->data + 8, arg->len - 8);

    if (n < 2 || n > MODELGUARD_CLASSES_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", it must be between "
                           "2 and %d", arg, MODELGUARD_CLASSES_MAX);
        return NGX_CONF_ERROR;
    }

    field->classes = (unsigned) n;

    return NGX_CONF_OK;
}


/*
 * A bare name with "=" is a name that a path might have, but more likely a
 * misspelt parameter, which must not guard less in silence.  "$.a=b" is such
 * a name.
 */

static ngx_uint_t
ngx_http_modelguard_field_has_name(ngx_str_t *arg)
{
    u_char  ch;
    size_t  i;

    for (i = 0; i < arg->len; i++) {
        ch = arg->data[i];

        if (ch == '=') {
            return 1;
        }

        if (ch == '$' || ch == '.' || ch == '[') {
            break;
        }
    }

    return 0;
}


modelguard_path_t *
ngx_http_modelguard_field_path(ngx_conf_t *cf, ngx_str_t *text)
{
    size_t              at;
    const char         *error;
    modelguard_path_t  *path;

    path = ngx_palloc(cf->pool, sizeof(modelguard_path_t));
    if (path == NULL) {
        return NULL;
    }

    if (modelguard_path_parse(path, text->data, text->len, &error, &at)
        != MODELGUARD_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid path \"%V\": %s at %uz", text, error, at);
        return NULL;
    }

    if (ngx_http_modelguard_field_patterns(cf, path, text) != NGX_OK) {
        return NULL;
    }

    return path;
}


static ngx_int_t
ngx_http_modelguard_field_patterns(ngx_conf_t *cf, modelguard_path_t *path,
    ngx_str_t *text)
{
    unsigned                  i;
    ngx_str_t                 pattern, error;
    modelguard_path_step_t   *step;

    for (i = 0; i < path->n; i++) {
        step = &path->steps[i];

        if (step->kind != MODELGUARD_PATH_REGEX) {
            continue;
        }

        pattern.data = (u_char *) step->name.data;
        pattern.len = step->name.len;

        step->regex = ngx_http_modelguard_regex_compile(cf->pool, &pattern,
                                                        &error);
        if (step->regex == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid path \"%V\": %V", text, &error);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


char *
ngx_http_modelguard_profile(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_modelguard_main_conf_t *mgmcf = conf;

    char                                *rv;
    ngx_str_t                           *value;
    ngx_conf_t                           save;
    ngx_http_modelguard_profile_conf_t  *pcf;

    value = cf->args->elts;

    /* the first two could not be told from what else "modelguard" takes */

    if (ngx_strcmp(value[1].data, "off") == 0
        || ngx_strchr(value[1].data, '$') != NULL
        || value[1].len == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid profile name \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_modelguard_conf_profile(mgmcf, &value[1]) != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate modelguard profile \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    pcf = ngx_array_push(&mgmcf->profiles);
    if (pcf == NULL) {
        return NGX_CONF_ERROR;
    }

    pcf->name = value[1];
    modelguard_profile_init(&pcf->profile);

    save = *cf;
    cf->handler = ngx_http_modelguard_profile_role;
    cf->handler_conf = &pcf->profile;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    return rv;
}


static char *
ngx_http_modelguard_profile_role(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf)
{
    modelguard_profile_t *profile = conf;

    ngx_str_t               *value;
    modelguard_role_e        role;
    modelguard_treatment_t  *treatment;

    value = cf->args->elts;

    role = modelguard_role_parse(value[0].data, value[0].len);

    if (role == MODELGUARD_ROLES) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown role \"%V\"",
                           &value[0]);
        return NGX_CONF_ERROR;
    }

    treatment = &profile->treatments[role];

    if (treatment->words) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate role \"%V\"",
                           &value[0]);
        return NGX_CONF_ERROR;
    }

    return ngx_http_modelguard_profile_treatment(cf, role, treatment);
}


static char *
ngx_http_modelguard_profile_treatment(ngx_conf_t *cf, modelguard_role_e role,
    modelguard_treatment_t *treatment)
{
    ngx_str_t   *value;
    ngx_uint_t   i;
    const char  *error;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        /* a threshold stays in the argument's memory, that of cf->pool */

        if (modelguard_treatment_add(treatment, value[i].data, value[i].len,
                                     &error)
            != MODELGUARD_OK)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid treatment \"%V\" of role \"%V\": %s",
                               &value[i], &value[0], error);
            return NGX_CONF_ERROR;
        }
    }

    if (modelguard_treatment_check(treatment, &error) != MODELGUARD_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid treatment of role \"%V\": %s", &value[0],
                           error);
        return NGX_CONF_ERROR;
    }

    if (modelguard_profile_check(role, treatment, &error) != MODELGUARD_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "role \"%V\" %s", &value[0],
                           error);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
