
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_ban.h"
#include "ngx_http_modelguard_bill.h"
#include "ngx_http_modelguard_zone.h"


#define NGX_HTTP_MODELGUARD_BAN_AFTER  255
#define NGX_HTTP_MODELGUARD_BAN_IN     86400          /* a day */
#define NGX_HTTP_MODELGUARD_BAN_FOR    31622400       /* 366 days */


static ngx_int_t ngx_http_modelguard_ban_arg(ngx_str_t *arg,
    modelguard_ban_t *ban);


char *
ngx_http_modelguard_ban(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_modelguard_loc_conf_t *mglcf = conf;

    ngx_str_t         *value;
    ngx_uint_t         i;
    modelguard_ban_t   ban;

    if (mglcf->ban.after != NGX_HTTP_MODELGUARD_BAN_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        mglcf->ban.after = 0;
        return NGX_CONF_OK;
    }

    ngx_memzero(&ban, sizeof(modelguard_ban_t));

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_modelguard_ban_arg(&value[i], &ban) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    if (ban.after == 0 || ban.in == 0 || ban.time == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"%s\" parameter", &value[0],
                           ban.after == 0 ? "after"
                                          : ban.in == 0 ? "in" : "for");
        return NGX_CONF_ERROR;
    }

    mglcf->ban = ban;

    return NGX_CONF_OK;
}


/* none of them may be 0, so one that is not has been given before */

static ngx_int_t
ngx_http_modelguard_ban_arg(ngx_str_t *arg, modelguard_ban_t *ban)
{
    uint32_t   *field;
    ngx_int_t   n, most;
    ngx_str_t   s;

    if (ngx_strncmp(arg->data, "after=", 6) == 0) {
        s.data = arg->data + 6;
        s.len = arg->len - 6;

        n = ngx_atoi(s.data, s.len);

        field = &ban->after;
        most = NGX_HTTP_MODELGUARD_BAN_AFTER;

    } else if (ngx_strncmp(arg->data, "in=", 3) == 0) {
        s.data = arg->data + 3;
        s.len = arg->len - 3;

        n = ngx_parse_time(&s, 1);

        field = &ban->in;
        most = NGX_HTTP_MODELGUARD_BAN_IN;

    } else if (ngx_strncmp(arg->data, "for=", 4) == 0) {
        s.data = arg->data + 4;
        s.len = arg->len - 4;

        n = ngx_parse_time(&s, 1);

        field = &ban->time;
        most = NGX_HTTP_MODELGUARD_BAN_FOR;

    } else {
        return NGX_ERROR;
    }

    if (s.len == 0 || n < 1 || n > most || *field != 0) {
        return NGX_ERROR;
    }

    *field = (uint32_t) n;

    return NGX_OK;
}


void
ngx_http_modelguard_ban_merge(ngx_http_modelguard_loc_conf_t *prev,
    ngx_http_modelguard_loc_conf_t *conf)
{
    if (conf->ban.after != NGX_HTTP_MODELGUARD_BAN_UNSET) {
        return;
    }

    if (prev->ban.after == NGX_HTTP_MODELGUARD_BAN_UNSET) {
        conf->ban.after = 0;
        return;
    }

    conf->ban = prev->ban;
}


void
ngx_http_modelguard_ban_strike(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf)
{
    ngx_uint_t                          i, zones;
    ngx_http_modelguard_bill_t         *bill;
    ngx_http_modelguard_bill_line_t    *line;
    ngx_http_modelguard_zone_charge_t  *zone;

    if (mglcf->ban.after == 0) {
        return;
    }

    bill = ctx->bill;
    zones = 0;

    for (i = 0; i < bill->nlines; i++) {
        line = &bill->lines[i];

        if (!line->charge->refused
            || line->conf->dry_run
            || (zones & ((ngx_uint_t) 1 << line->zone)))
        {
            continue;
        }

        zones |= (ngx_uint_t) 1 << line->zone;
        zone = &bill->zones[line->zone];

        if (!ngx_http_modelguard_zone_strike(zone->zone, &zone->id,
                                             &mglcf->ban, bill->time))
        {
            continue;
        }

        ngx_log_error(mglcf->log_level, r->connection->log, 0,
                      "modelguard: banning client for %uD s, after %uD "
                      "refusals in %uD s, client: %016xL, by zone \"%V\"",
                      mglcf->ban.time, mglcf->ban.after, mglcf->ban.in,
                      zone->id.low, &zone->zone->shm_zone->shm.name);

        ctx->banned = 1;

        /*
         * What its budget alone would let in sooner is refused until then; a
         * ban ends with a second, that in which its time is over.
         */

        if (ctx->retry && ctx->retry <= mglcf->ban.time) {
            ctx->retry = (uint64_t) mglcf->ban.time + 1;
        }
    }
}
