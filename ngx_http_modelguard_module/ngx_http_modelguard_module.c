
/*
 * Copyright (C) the modelguard authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_conf.h"
#include "ngx_http_modelguard_access.h"
#include "ngx_http_modelguard_filter.h"
#include "ngx_http_modelguard_stat.h"
#include "ngx_http_modelguard_sweep.h"
#include "ngx_http_modelguard_variables.h"
#include "ngx_http_modelguard_zone.h"


static ngx_int_t ngx_http_modelguard_init(ngx_conf_t *cf);


static ngx_http_module_t  ngx_http_modelguard_module_ctx = {
    ngx_http_modelguard_variables_add,     /* preconfiguration */
    ngx_http_modelguard_init,              /* postconfiguration */

    ngx_http_modelguard_create_main_conf,  /* create main configuration */
    ngx_http_modelguard_init_main_conf,    /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_modelguard_create_loc_conf,   /* create location configuration */
    ngx_http_modelguard_merge_loc_conf     /* merge location configuration */
};


ngx_module_t  ngx_http_modelguard_module = {
    NGX_MODULE_V1,
    &ngx_http_modelguard_module_ctx,       /* module context */
    ngx_http_modelguard_commands,          /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_modelguard_sweep_init,        /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_modelguard_init(ngx_conf_t *cf)
{
    if (ngx_http_modelguard_access_init(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_modelguard_stat_init(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_modelguard_zone_prepare(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_modelguard_filter_init(cf);
}
