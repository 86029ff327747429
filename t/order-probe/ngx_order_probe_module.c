
/*
 * Copyright (C) the modelguard authors
 *
 * Prints the names of all modules in the order that nginx has put them in,
 * which is the reverse of the order that filters run in.
 */


#include <ngx_config.h>
#include <ngx_core.h>


static ngx_int_t ngx_order_probe_init_module(ngx_cycle_t *cycle);


static ngx_core_module_t  ngx_order_probe_module_ctx = {
    ngx_string("order_probe"),
    NULL,
    NULL
};


ngx_module_t  ngx_order_probe_module = {
    NGX_MODULE_V1,
    &ngx_order_probe_module_ctx,           /* module context */
    NULL,                                  /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_order_probe_init_module,           /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_order_probe_init_module(ngx_cycle_t *cycle)
{
    ngx_uint_t  i;

    for (i = 0; i < cycle->modules_n; i++) {
        ngx_log_stderr(0, "order: %s", cycle->modules[i]->name);
    }

    return NGX_OK;
}
