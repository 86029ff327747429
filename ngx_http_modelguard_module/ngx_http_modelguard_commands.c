
/*
 * Copyright (C) the modelguard authors
 *
 * The table of the directives, and the setters of the small ones.
 */


#include "ngx_http_modelguard_conf.h"
#include "ngx_http_modelguard_ban.h"
#include "ngx_http_modelguard_budget.h"
#include "ngx_http_modelguard_cost.h"
#include "ngx_http_modelguard_delay.h"
#include "ngx_http_modelguard_field.h"
#include "ngx_http_modelguard_guard.h"
#include "ngx_http_modelguard_meter.h"
#include "ngx_http_modelguard_param.h"
#include "ngx_http_modelguard_ratelimit.h"
#include "ngx_http_modelguard_reject.h"
#include "ngx_http_modelguard_rules.h"
#include "ngx_http_modelguard_shape.h"
#include "ngx_http_modelguard_strip.h"
#include "ngx_http_modelguard_zone.h"


static char *ngx_http_modelguard_error_shape(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_modelguard_types(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_modelguard_vector_size(ngx_conf_t *cf, void *post,
    void *data);


static ngx_conf_enum_t  ngx_http_modelguard_log_levels[] = {
    { ngx_string("info"), NGX_LOG_INFO },
    { ngx_string("notice"), NGX_LOG_NOTICE },
    { ngx_string("warn"), NGX_LOG_WARN },
    { ngx_string("error"), NGX_LOG_ERR },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_modelguard_error_bodies[] = {
    { ngx_string("off"), NGX_HTTP_MODELGUARD_ERROR_OFF },
    { ngx_string("openai"), NGX_HTTP_MODELGUARD_ERROR_OPENAI },
    { ngx_string("problem"), NGX_HTTP_MODELGUARD_ERROR_PROBLEM },
    { ngx_string("anthropic"), NGX_HTTP_MODELGUARD_ERROR_ANTHROPIC },
    { ngx_string("google"), NGX_HTTP_MODELGUARD_ERROR_GOOGLE },
    { ngx_string("plain"), NGX_HTTP_MODELGUARD_ERROR_PLAIN },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_modelguard_on_errors[] = {
    { ngx_string("block"), NGX_HTTP_MODELGUARD_BLOCK },
    { ngx_string("pass"), NGX_HTTP_MODELGUARD_PASS },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_modelguard_opaques[] = {
    { ngx_string("reject"), NGX_HTTP_MODELGUARD_OPAQUE_REJECT },
    { ngx_string("pass"), NGX_HTTP_MODELGUARD_OPAQUE_PASS },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_modelguard_binary_outputs[] = {
    { ngx_string("off"), NGX_HTTP_MODELGUARD_BINARY_OFF },
    { ngx_string("json"), NGX_HTTP_MODELGUARD_BINARY_JSON },
    { ngx_string("forbid"), NGX_HTTP_MODELGUARD_BINARY_FORBID },
    { ngx_null_string, 0 }
};


static ngx_conf_num_bounds_t  ngx_http_modelguard_depth_bounds = {
    ngx_conf_check_num_bounds, 1, MODELGUARD_DEPTH_MAX
};


static ngx_conf_post_t  ngx_http_modelguard_vector_size_post = {
    ngx_http_modelguard_vector_size
};


#define NGX_HTTP_MODELGUARD_ALL_CONF                                          \
    (NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF)


/*
 * None of these may stand in "if" or "limit_except": what a request is
 * guarded with must not depend on the order of the rewrite phase.
 */

ngx_command_t  ngx_http_modelguard_commands[] = {

    { ngx_string("modelguard_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_modelguard_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("modelguard_secret"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_modelguard_zone_secret,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("modelguard_profile"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_modelguard_profile,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("modelguard_field"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_2MORE,
      ngx_http_modelguard_field,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("modelguard"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_modelguard_guard,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("modelguard_budget"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_1MORE,
      ngx_http_modelguard_budget,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("modelguard_cost"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_TAKE12,
      ngx_http_modelguard_cost,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("modelguard_param"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_TAKE123,
      ngx_http_modelguard_param,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("modelguard_binary_output"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_modelguard_loc_conf_t, binary_output),
      &ngx_http_modelguard_binary_outputs },

    { ngx_string("modelguard_dry_run"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_modelguard_loc_conf_t, dry_run),
      NULL },

    { ngx_string("modelguard_reject_status"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_TAKE12,
      ngx_http_modelguard_reject_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("modelguard_headers"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_1MORE,
      ngx_http_modelguard_ratelimit,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("modelguard_delay"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_TAKE12,
      ngx_http_modelguard_delay,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("modelguard_ban"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_TAKE13,
      ngx_http_modelguard_ban,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("modelguard_log_level"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_modelguard_loc_conf_t, log_level),
      &ngx_http_modelguard_log_levels },

    { ngx_string("modelguard_error_body"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_TAKE12,
      ngx_http_modelguard_error_shape,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_modelguard_loc_conf_t, error_body),
      &ngx_http_modelguard_error_bodies },

    { ngx_string("modelguard_strip_headers"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_1MORE,
      ngx_http_modelguard_strip_headers,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("modelguard_buffer_size"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_modelguard_loc_conf_t, buffer_size),
      NULL },

    { ngx_string("modelguard_inflate_size"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_off_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_modelguard_loc_conf_t, inflate_size),
      NULL },

    { ngx_string("modelguard_vector_size"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_modelguard_loc_conf_t, vector_size),
      &ngx_http_modelguard_vector_size_post },

    { ngx_string("modelguard_max_depth"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_modelguard_loc_conf_t, depth),
      &ngx_http_modelguard_depth_bounds },

    { ngx_string("modelguard_body_size"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_modelguard_loc_conf_t, body_size),
      NULL },

    { ngx_string("modelguard_on_error"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_modelguard_loc_conf_t, on_error),
      &ngx_http_modelguard_on_errors },

    { ngx_string("modelguard_opaque"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_modelguard_loc_conf_t, opaque),
      &ngx_http_modelguard_opaques },

    { ngx_string("modelguard_types"),
      NGX_HTTP_MODELGUARD_ALL_CONF|NGX_CONF_1MORE,
      ngx_http_modelguard_types,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_modelguard_loc_conf_t, types_keys),
      &ngx_http_modelguard_default_types[0] },

      ngx_null_command
};


static char *
ngx_http_modelguard_error_shape(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_modelguard_loc_conf_t *mglcf = conf;

    char       *rv;
    ngx_str_t  *value;

    rv = ngx_conf_set_enum_slot(cf, cmd, conf);

    if (rv != NGX_CONF_OK || cf->args->nelts == 2) {
        return rv;
    }

    value = cf->args->elts;

    /* nginx has no pages that could replace the model server's */

    if (ngx_strcmp(value[2].data, "upstream") != 0
        || mglcf->error_body == NGX_HTTP_MODELGUARD_ERROR_OFF)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\"", &value[2]);
        return NGX_CONF_ERROR;
    }

    mglcf->error_upstream = 1;

    return NGX_CONF_OK;
}


static char *
ngx_http_modelguard_types(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    /* a wildcard would call things JSON that are not */

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strchr(value[i].data, '*') != NULL
            || ngx_strchr(value[i].data, '/') == NULL)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_types_slot(cf, cmd, conf);
}


static char *
ngx_http_modelguard_vector_size(ngx_conf_t *cf, void *post, void *data)
{
    size_t *sp = data;

    if (*sp < 1 || *sp > MODELGUARD_HOLD_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "value must be between 1 and %dm",
                           MODELGUARD_HOLD_MAX / 1024 / 1024);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
