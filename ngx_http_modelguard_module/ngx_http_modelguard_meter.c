
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_meter.h"
#include "ngx_http_modelguard_headers.h"
#include "ngx_http_modelguard_media.h"
#include "ngx_http_modelguard_regex.h"


static void ngx_http_modelguard_meter_units(
    ngx_http_modelguard_loc_conf_t *conf);
static char *ngx_http_modelguard_meter_nothing(ngx_conf_t *cf);
static char *ngx_http_modelguard_meter_usage(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *prev,
    ngx_http_modelguard_loc_conf_t *conf);
static ngx_int_t ngx_http_modelguard_meter_paths(
    const ngx_http_modelguard_loc_conf_t *conf, ngx_array_t *paths);
static char *ngx_http_modelguard_meter_values(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *prev,
    ngx_http_modelguard_loc_conf_t *conf);
static char *ngx_http_modelguard_meter_value(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *conf, ngx_str_t *name,
    const modelguard_profile_t *profile);
static char *ngx_http_modelguard_meter_failed(ngx_conf_t *cf, int rc);
static const modelguard_meter_rules_t *ngx_http_modelguard_meter_rules(
    const ngx_http_modelguard_loc_conf_t *mglcf,
    const ngx_http_modelguard_loc_conf_t *treats,
    const modelguard_rules_t *rules);
static ngx_int_t ngx_http_modelguard_meter_frame(
    ngx_http_modelguard_response_t *res,
    const ngx_http_modelguard_media_t *media);
static int ngx_http_modelguard_meter_sink(void *data,
    const uint8_t *bytes, size_t len);
static ngx_int_t ngx_http_modelguard_meter_buf(
    ngx_http_modelguard_response_t *res, ngx_buf_t *b);


char *
ngx_http_modelguard_meter_merge(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *prev,
    ngx_http_modelguard_loc_conf_t *conf)
{
    ngx_http_modelguard_meter_units(conf);

    if (!conf->meter_tokens && !conf->meter_bits) {
        return NGX_CONF_OK;
    }

    if (ngx_http_modelguard_meter_nothing(cf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (conf->meter_tokens
        && ngx_http_modelguard_meter_usage(cf, prev, conf) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (conf->meter_bits) {
        return ngx_http_modelguard_meter_values(cf, prev, conf);
    }

    return NGX_CONF_OK;
}


static void
ngx_http_modelguard_meter_units(ngx_http_modelguard_loc_conf_t *conf)
{
    ngx_uint_t                          i;
    ngx_http_modelguard_budget_conf_t  *budget;

    if (conf->budgets == NULL) {
        return;
    }

    budget = conf->budgets->elts;

    for (i = 0; i < conf->budgets->nelts; i++) {

        switch (budget[i].unit) {

        case NGX_HTTP_MODELGUARD_UNIT_TOKENS:
            conf->meter_tokens = 1;
            break;

        case NGX_HTTP_MODELGUARD_UNIT_BITS:
            conf->meter_bits = 1;
            break;

        default:
            break;
        }
    }
}


static char *
ngx_http_modelguard_meter_nothing(ngx_conf_t *cf)
{
    int                               rc;
    const char                       *error;
    modelguard_profile_t              profile;
    ngx_http_modelguard_main_conf_t  *mgmcf;

    mgmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_modelguard_module);

    if (mgmcf->nothing) {
        return NGX_CONF_OK;
    }

    modelguard_profile_init(&profile);

    rc = modelguard_rules_build(&mgmcf->nothing, NULL, 0, &profile, NULL,
                                ngx_http_modelguard_alloc, cf->pool, &error);

    return (rc == MODELGUARD_OK) ? NGX_CONF_OK
                                 : ngx_http_modelguard_meter_failed(cf, rc);
}


/* the places of fields of the role "usage", or the built-in ones */

static char *
ngx_http_modelguard_meter_usage(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *prev,
    ngx_http_modelguard_loc_conf_t *conf)
{
    int                               rc;
    ngx_array_t                       paths;
    ngx_http_modelguard_main_conf_t  *mgmcf;

    if (prev->usage && prev->fields == conf->fields) {
        conf->usage = prev->usage;
        return NGX_CONF_OK;
    }

    if (ngx_array_init(&paths, cf->temp_pool, 16, sizeof(modelguard_path_t *))
        != NGX_OK
        || ngx_http_modelguard_meter_paths(conf, &paths) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    mgmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_modelguard_module);

    if (paths.nelts == 0 && mgmcf->usage) {
        conf->usage = mgmcf->usage;
        return NGX_CONF_OK;
    }

    rc = modelguard_meter_usage_build(&conf->usage, paths.elts, paths.nelts,
                                      ngx_http_modelguard_regex_match,
                                      ngx_http_modelguard_alloc, cf->pool);
    if (rc != MODELGUARD_OK) {
        return ngx_http_modelguard_meter_failed(cf, rc);
    }

    if (paths.nelts == 0) {
        mgmcf->usage = conf->usage;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_modelguard_meter_paths(const ngx_http_modelguard_loc_conf_t *conf,
    ngx_array_t *paths)
{
    unsigned              n;
    ngx_uint_t            i;
    modelguard_path_t   **path;
    modelguard_field_t  **field;

    if (conf->fields == NULL) {
        return NGX_OK;
    }

    field = conf->fields->elts;

    for (i = 0; i < conf->fields->nelts; i++) {

        if (field[i]->role != MODELGUARD_ROLE_USAGE) {
            continue;
        }

        for (n = 0; n < field[i]->npaths; n++) {

            path = ngx_array_push(paths);
            if (path == NULL) {
                return NGX_ERROR;
            }

            *path = field[i]->paths[n];
        }
    }

    return NGX_OK;
}


/* as mglcf->rules: for the profile that is named, or for all of them */

static char *
ngx_http_modelguard_meter_values(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *prev,
    ngx_http_modelguard_loc_conf_t *conf)
{
    ngx_str_t                            name;
    ngx_uint_t                           i, n;
    ngx_http_modelguard_main_conf_t     *mgmcf;
    ngx_http_modelguard_rules_conf_t    *rcf;
    ngx_http_modelguard_profile_conf_t  *pcf;

    if (conf->fields == NULL) {
        return NGX_CONF_OK;
    }

    if (prev->values && prev->fields == conf->fields
        && prev->profile == conf->profile)
    {
        conf->values = prev->values;
        return NGX_CONF_OK;
    }

    n = conf->guarded ? conf->rules->nelts : 0;

    conf->values = ngx_array_create(cf->pool, n + 1,
                                   sizeof(ngx_http_modelguard_values_conf_t));
    if (conf->values == NULL) {
        return NGX_CONF_ERROR;
    }

    /* the first is for what no profile of this location has treated */

    ngx_str_null(&name);

    if (ngx_http_modelguard_meter_value(cf, conf, &name, NULL)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (n == 0) {
        return NGX_CONF_OK;
    }

    mgmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_modelguard_module);
    rcf = conf->rules->elts;

    for (i = 0; i < n; i++) {
        pcf = ngx_http_modelguard_conf_profile(mgmcf, &rcf[i].name);

        if (ngx_http_modelguard_meter_value(cf, conf, &pcf->name,
                                            &pcf->profile)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_modelguard_meter_value(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *conf, ngx_str_t *name,
    const modelguard_profile_t *profile)
{
    int                                 rc;
    ngx_http_modelguard_values_conf_t  *vcf;

    vcf = ngx_array_push(conf->values);
    if (vcf == NULL) {
        return NGX_CONF_ERROR;
    }

    vcf->name = *name;

    rc = modelguard_meter_values_build(&vcf->rules, conf->fields->elts,
                                       conf->fields->nelts, profile,
                                       ngx_http_modelguard_regex_match,
                                       ngx_http_modelguard_alloc, cf->pool);

    return (rc == MODELGUARD_OK) ? NGX_CONF_OK
                                 : ngx_http_modelguard_meter_failed(cf, rc);
}


static char *
ngx_http_modelguard_meter_failed(ngx_conf_t *cf, int rc)
{
    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "fields cannot be compiled for metering: %s",
                  (rc == MODELGUARD_TOO_BIG)
                  ? "too many paths, states or patterns"
                  : (rc == MODELGUARD_UNDECIDED)
                    ? "a pattern could not be matched"
                    : "not enough memory");

    return NGX_CONF_ERROR;
}


ngx_int_t
ngx_http_modelguard_meter_request(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf)
{
    if (!mglcf->meter_tokens && !mglcf->meter_bits) {
        return NGX_OK;
    }

    if (ctx->metered == NULL) {
        ngx_memzero(&ctx->meter, sizeof(modelguard_meter_t));
        ctx->received = 0;
    }

    ctx->metered = mglcf;

    return ngx_http_modelguard_headers_request(r);
}


void
ngx_http_modelguard_meter_start(ngx_http_modelguard_response_t *res,
    const modelguard_rules_t *rules)
{
    ngx_http_request_t                    *r;
    modelguard_meter_read_t               *before, *after;
    ngx_http_modelguard_ctx_t             *ctx;
    const modelguard_meter_rules_t        *values;
    const ngx_http_modelguard_loc_conf_t  *mglcf;

    r = res->request;
    ctx = ngx_http_modelguard_ctx_find(r);

    if (ctx == NULL || ctx->metered == NULL) {
        return;
    }

    res->counter = &ctx->received;

    mglcf = ctx->metered;
    before = NULL;
    after = NULL;

    if (mglcf->meter_tokens) {
        before = modelguard_meter_read_create(mglcf->usage, &ctx->meter,
                                              (unsigned) mglcf->depth,
                                              ngx_http_modelguard_memory_alloc,
                                              &res->blocks);
    }

    values = ngx_http_modelguard_meter_rules(mglcf, res->conf, rules);

    if (values) {
        after = modelguard_meter_read_create(values, &ctx->meter,
                                             (unsigned) mglcf->depth,
                                             ngx_http_modelguard_memory_alloc,
                                             &res->blocks);
    }

    modelguard_frame_meter(res->frame, before, after);

    res->disclosed = ctx->meter.bits;
}


/*
 * NULL: no values are metered, or none are named.  Where a redirect has led,
 * the response is treated by another location than that of the budgets, or
 * by none: then its values are worth what they say.
 */

static const modelguard_meter_rules_t *
ngx_http_modelguard_meter_rules(const ngx_http_modelguard_loc_conf_t *mglcf,
    const ngx_http_modelguard_loc_conf_t *treats,
    const modelguard_rules_t *rules)
{
    ngx_uint_t                          i, k;
    ngx_http_modelguard_rules_conf_t   *rcf;
    ngx_http_modelguard_values_conf_t  *vcf;

    if (mglcf->values == NULL) {
        return NULL;
    }

    if (treats->values) {
        mglcf = treats;
    }

    vcf = mglcf->values->elts;

    if (rules == NULL) {
        return vcf[0].rules;
    }

    rcf = treats->rules->elts;

    for (i = 0; i < treats->rules->nelts; i++) {

        if (rcf[i].rules == rules) {
            break;
        }
    }

    for (k = 1; k < mglcf->values->nelts && i < treats->rules->nelts; k++) {

        if (vcf[k].name.len == rcf[i].name.len
            && ngx_strncmp(vcf[k].name.data, rcf[i].name.data,
                           rcf[i].name.len)
               == 0)
        {
            return vcf[k].rules;
        }
    }

    return vcf[0].rules;
}


void
ngx_http_modelguard_meter_block(ngx_http_modelguard_response_t *res)
{
    ngx_http_modelguard_ctx_t  *ctx;

    ctx = ngx_http_modelguard_ctx_find(res->request);

    if (ctx && ctx->metered) {
        ctx->meter.bits = res->disclosed;
    }
}


void
ngx_http_modelguard_meter_lose(ngx_http_modelguard_response_t *res)
{
    ngx_http_modelguard_ctx_t  *ctx;

    ctx = ngx_http_modelguard_ctx_find(res->request);

    if (ctx && ctx->metered) {
        ctx->unread = 1;
        ctx->opaque = 1;
    }
}


void
ngx_http_modelguard_meter_header(ngx_http_request_t *r)
{
    ngx_int_t                        rc;
    ngx_http_modelguard_ctx_t       *ctx;
    ngx_http_modelguard_media_t      media;
    ngx_http_modelguard_response_t  *res;

    ctx = ngx_http_modelguard_ctx_find(r);

    if (ctx == NULL || ctx->metered == NULL || ctx->answered
        || r->header_only || r->method == NGX_HTTP_HEAD)
    {
        return;
    }

    rc = ngx_http_modelguard_media(r, ctx->metered, &media);

    if (rc == NGX_DECLINED) {
        ctx->unread = 0;
        return;
    }

    ctx->unread = 1;

    res = ngx_http_modelguard_response_create(r, ctx->metered);
    if (res == NULL) {
        return;
    }

    res->state = NGX_HTTP_MODELGUARD_OBSERVE;
    res->counter = &ctx->received;

    if (rc != NGX_OK) {
        ngx_http_modelguard_meter_lose(res);
        return;
    }

    res->framing = media.framing;

    if (ngx_http_modelguard_meter_frame(res, &media) != NGX_OK) {
        ngx_http_modelguard_response_free(res);
        ngx_http_set_ctx(r, NULL, ngx_http_modelguard_module);
        return;
    }

    ngx_http_modelguard_meter_start(res, NULL);

    r->filter_need_in_memory = 1;
}


/* a rewriter without rules, whose output goes nowhere */

static ngx_int_t
ngx_http_modelguard_meter_frame(ngx_http_modelguard_response_t *res,
    const ngx_http_modelguard_media_t *media)
{
    ngx_http_request_t               *r;
    modelguard_frame_conf_t           conf;
    ngx_http_modelguard_main_conf_t  *mgmcf;

    r = res->request;
    mgmcf = ngx_http_get_module_main_conf(r, ngx_http_modelguard_module);

    conf.framing = media->framing;
    conf.frame = NULL;
    conf.rewrite.rules = mgmcf->nothing;
    conf.rewrite.depth = (unsigned) res->conf->depth;
    conf.rewrite.hold = res->conf->vector_size;
    conf.rewrite.sink = ngx_http_modelguard_meter_sink;
    conf.rewrite.sink_data = NULL;
    conf.rewrite.alloc = ngx_http_modelguard_memory_alloc;
    conf.rewrite.alloc_data = &res->blocks;

    res->frame = modelguard_frame_create(&conf);
    if (res->frame == NULL) {
        return NGX_ERROR;
    }

    if (media->coding == NGX_HTTP_MODELGUARD_CODING_NONE) {
        return NGX_OK;
    }

    res->coding = ngx_http_modelguard_coding_create(r, media->coding,
                                                    res->conf->inflate_size);

    return res->coding ? NGX_OK : NGX_ERROR;
}


static int
ngx_http_modelguard_meter_sink(void *data, const uint8_t *bytes, size_t len)
{
    return MODELGUARD_OK;
}


void
ngx_http_modelguard_meter_body(ngx_http_modelguard_response_t *res,
    ngx_chain_t *in)
{
    ngx_buf_t                  *b;
    ngx_chain_t                *cl;
    ngx_http_modelguard_ctx_t  *ctx;

    for (cl = in; cl; cl = cl->next) {
        b = cl->buf;

        if (res->coding == NULL) {
            *res->counter += ngx_buf_size(b);
        }

        if (res->frame == NULL) {
            continue;
        }

        if (ngx_buf_in_memory(b)) {

            if (ngx_http_modelguard_meter_buf(res, b) != NGX_OK) {

                /* it passes as far as it could be read, too */

                (void) modelguard_frame_pass(res->frame);

                ngx_http_modelguard_meter_lose(res);
                ngx_http_modelguard_response_free(res);
                continue;
            }

        } else if (b->in_file) {
            ngx_http_modelguard_meter_lose(res);
            ngx_http_modelguard_response_free(res);
            continue;
        }

        if (!b->last_buf && !b->last_in_chain) {
            continue;
        }

        if (modelguard_frame_finish(res->frame) == MODELGUARD_OK) {
            ctx = ngx_http_modelguard_ctx_find(res->request);

            if (ctx) {
                ctx->unread = 0;
            }

        } else {
            ngx_http_modelguard_meter_lose(res);
        }

        ngx_http_modelguard_response_free(res);
    }
}


static ngx_int_t
ngx_http_modelguard_meter_buf(ngx_http_modelguard_response_t *res,
    ngx_buf_t *b)
{
    u_char     *pos;
    ngx_int_t   rc;
    ngx_str_t   out;

    if (res->coding == NULL) {
        return modelguard_frame_feed(res->frame, b->pos, b->last - b->pos);
    }

    pos = b->pos;

    for ( ;; ) {
        rc = ngx_http_modelguard_coding_decode(res->coding, &pos, b->last,
                                               &out);

        if (rc != NGX_OK) {
            return (rc == NGX_AGAIN) ? NGX_OK : NGX_ERROR;
        }

        *res->counter += out.len;

        if (modelguard_frame_feed(res->frame, out.data, out.len)
            != MODELGUARD_OK)
        {
            return NGX_ERROR;
        }
    }
}
