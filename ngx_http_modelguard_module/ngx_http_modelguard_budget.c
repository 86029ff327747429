
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_budget.h"
#include "ngx_http_modelguard_cost.h"
#include "ngx_http_modelguard_settle.h"
#include "ngx_http_modelguard_zone.h"


#define NGX_HTTP_MODELGUARD_LEASE      60000        /* ms, lease=1s .. 1h */
#define NGX_HTTP_MODELGUARD_LEASE_MAX  3600000


/* NGX_OK; NGX_DECLINED: invalid; NGX_ERROR: a message has been logged */

typedef ngx_int_t (*ngx_http_modelguard_budget_arg_pt)(ngx_conf_t *cf,
    ngx_str_t *value, ngx_http_modelguard_budget_conf_t *budget);


typedef struct {
    ngx_str_t                          name;       /* a flag has no "=" */
    ngx_http_modelguard_budget_arg_pt  set;        /* NULL: zone */
} ngx_http_modelguard_budget_arg_t;


static char *ngx_http_modelguard_budget_params(ngx_conf_t *cf,
    ngx_http_modelguard_budget_conf_t *budget, ngx_str_t *zone);
static char *ngx_http_modelguard_budget_check(ngx_conf_t *cf,
    ngx_http_modelguard_budget_conf_t *budget, ngx_uint_t seen);
static ngx_int_t ngx_http_modelguard_budget_set_limit(ngx_conf_t *cf,
    ngx_str_t *value, ngx_http_modelguard_budget_conf_t *budget);
static ngx_int_t ngx_http_modelguard_budget_set_burst(ngx_conf_t *cf,
    ngx_str_t *value, ngx_http_modelguard_budget_conf_t *budget);
static ngx_int_t ngx_http_modelguard_budget_set_window(ngx_conf_t *cf,
    ngx_str_t *value, ngx_http_modelguard_budget_conf_t *budget);
static ngx_int_t ngx_http_modelguard_budget_set_calendar(ngx_conf_t *cf,
    ngx_str_t *value, ngx_http_modelguard_budget_conf_t *budget);
static ngx_int_t ngx_http_modelguard_budget_set_offset(ngx_conf_t *cf,
    ngx_str_t *value, ngx_http_modelguard_budget_conf_t *budget);
static ngx_int_t ngx_http_modelguard_budget_set_lifetime(ngx_conf_t *cf,
    ngx_str_t *value, ngx_http_modelguard_budget_conf_t *budget);
static ngx_int_t ngx_http_modelguard_budget_set_lease(ngx_conf_t *cf,
    ngx_str_t *value, ngx_http_modelguard_budget_conf_t *budget);
static ngx_int_t ngx_http_modelguard_budget_set_unit(ngx_conf_t *cf,
    ngx_str_t *value, ngx_http_modelguard_budget_conf_t *budget);
static ngx_int_t ngx_http_modelguard_budget_set_charge(ngx_conf_t *cf,
    ngx_str_t *value, ngx_http_modelguard_budget_conf_t *budget);
static ngx_int_t ngx_http_modelguard_budget_set_dry_run(ngx_conf_t *cf,
    ngx_str_t *value, ngx_http_modelguard_budget_conf_t *budget);
static ngx_int_t ngx_http_modelguard_budget_time(ngx_str_t *value,
    uint64_t max, uint64_t *ms);
static uint64_t ngx_http_modelguard_budget_id(ngx_str_t *name);
static ngx_http_modelguard_budget_conf_t *ngx_http_modelguard_budget_add(
    ngx_conf_t *cf, ngx_http_modelguard_loc_conf_t *mglcf);


/* the bits of the parameters that were seen: in this order */

#define NGX_HTTP_MODELGUARD_BUDGET_ZONE      0x0001
#define NGX_HTTP_MODELGUARD_BUDGET_LIMIT     0x0002
#define NGX_HTTP_MODELGUARD_BUDGET_UNIT      0x0004
#define NGX_HTTP_MODELGUARD_BUDGET_WINDOW    0x0008
#define NGX_HTTP_MODELGUARD_BUDGET_CALENDAR  0x0010
#define NGX_HTTP_MODELGUARD_BUDGET_LIFETIME  0x0020
#define NGX_HTTP_MODELGUARD_BUDGET_OFFSET    0x0040
#define NGX_HTTP_MODELGUARD_BUDGET_BURST     0x0080
#define NGX_HTTP_MODELGUARD_BUDGET_LEASE     0x0100
#define NGX_HTTP_MODELGUARD_BUDGET_CHARGE    0x0200
#define NGX_HTTP_MODELGUARD_BUDGET_DRY_RUN   0x0400

static ngx_http_modelguard_budget_arg_t  ngx_http_modelguard_budget_args[] = {
    { ngx_string("zone="), NULL },
    { ngx_string("limit="), ngx_http_modelguard_budget_set_limit },
    { ngx_string("unit="), ngx_http_modelguard_budget_set_unit },
    { ngx_string("window="), ngx_http_modelguard_budget_set_window },
    { ngx_string("calendar="), ngx_http_modelguard_budget_set_calendar },
    { ngx_string("lifetime"), ngx_http_modelguard_budget_set_lifetime },
    { ngx_string("offset="), ngx_http_modelguard_budget_set_offset },
    { ngx_string("burst="), ngx_http_modelguard_budget_set_burst },
    { ngx_string("lease="), ngx_http_modelguard_budget_set_lease },
    { ngx_string("charge="), ngx_http_modelguard_budget_set_charge },
    { ngx_string("dry_run"), ngx_http_modelguard_budget_set_dry_run }
};

#define NGX_HTTP_MODELGUARD_BUDGET_ARGS                                       \
    (sizeof(ngx_http_modelguard_budget_args)                                  \
     / sizeof(ngx_http_modelguard_budget_arg_t))


/* which of them say when what was spent comes back: one of these */

#define NGX_HTTP_MODELGUARD_BUDGET_KINDS                                      \
    (NGX_HTTP_MODELGUARD_BUDGET_WINDOW                                        \
     |NGX_HTTP_MODELGUARD_BUDGET_CALENDAR                                     \
     |NGX_HTTP_MODELGUARD_BUDGET_LIFETIME)


char *
ngx_http_modelguard_budget(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_modelguard_loc_conf_t *mglcf = conf;

    ngx_str_t                          *value, zone;
    ngx_http_modelguard_budget_conf_t  *budget;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (mglcf->budgets != NULL) {
            return "is duplicate";
        }

        if (cf->args->nelts != 2) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[2]);
            return NGX_CONF_ERROR;
        }

        mglcf->budgets = ngx_array_create(cf->pool, 1,
                                    sizeof(ngx_http_modelguard_budget_conf_t));

        return mglcf->budgets ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    budget = ngx_http_modelguard_budget_add(cf, mglcf);
    if (budget == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_modelguard_budget_params(cf, budget, &zone) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    switch (ngx_http_modelguard_budget_bind(cf, budget, &zone)) {

    case NGX_OK:
        return NGX_CONF_OK;

    case NGX_DECLINED:

        if (ngx_http_modelguard_conf_want(cf, &zone, budget) == NGX_OK) {
            return NGX_CONF_OK;
        }

        break;

    default: /* NGX_ERROR */
        break;
    }

    return NGX_CONF_ERROR;
}


/* the array never grows: ngx_http_modelguard_conf_want() points into it */

static ngx_http_modelguard_budget_conf_t *
ngx_http_modelguard_budget_add(ngx_conf_t *cf,
    ngx_http_modelguard_loc_conf_t *mglcf)
{
    ngx_str_t                          *value;
    ngx_uint_t                          i;
    ngx_http_modelguard_budget_conf_t  *budget;

    value = cf->args->elts;

    if (value[1].len == 0 || ngx_strchr(value[1].data, '=') != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid budget name \"%V\"", &value[1]);
        return NULL;
    }

    if (mglcf->budgets == NULL) {

        mglcf->budgets = ngx_array_create(cf->pool, MODELGUARD_TABLE_BUDGETS,
                                    sizeof(ngx_http_modelguard_budget_conf_t));
        if (mglcf->budgets == NULL) {
            return NULL;
        }

    } else if (mglcf->budgets->nelts == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"modelguard_budget\" directive stands beside "
                           "\"modelguard_budget off\"");
        return NULL;
    }

    budget = mglcf->budgets->elts;

    for (i = 0; i < mglcf->budgets->nelts; i++) {

        if (budget[i].name.len == value[1].len
            && ngx_strncmp(budget[i].name.data, value[1].data, value[1].len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate modelguard budget \"%V\"",
                               &value[1]);
            return NULL;
        }
    }

    if (mglcf->budgets->nelts == MODELGUARD_TABLE_BUDGETS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many modelguard budgets, the maximum is %d",
                           MODELGUARD_TABLE_BUDGETS);
        return NULL;
    }

    budget = ngx_array_push(mglcf->budgets);

    ngx_memzero(budget, sizeof(ngx_http_modelguard_budget_conf_t));

    budget->name = value[1];
    budget->id = ngx_http_modelguard_budget_id(&value[1]);
    budget->unit = NGX_HTTP_MODELGUARD_UNIT_REQUESTS;
    budget->file = cf->conf_file->file.name.data;
    budget->line = cf->conf_file->line;

    return budget;
}


static char *
ngx_http_modelguard_budget_params(ngx_conf_t *cf,
    ngx_http_modelguard_budget_conf_t *budget, ngx_str_t *zone)
{
    ngx_int_t                          rc;
    ngx_str_t                         *value, s;
    ngx_uint_t                         i, n, seen;
    ngx_http_modelguard_budget_arg_t  *arg;

    value = cf->args->elts;
    arg = ngx_http_modelguard_budget_args;
    seen = 0;

    for (i = 2; i < cf->args->nelts; i++) {

        for (n = 0; n < NGX_HTTP_MODELGUARD_BUDGET_ARGS; n++) {

            if (ngx_strncmp(value[i].data, arg[n].name.data, arg[n].name.len)
                == 0)
            {
                break;
            }
        }

        if (n == NGX_HTTP_MODELGUARD_BUDGET_ARGS) {
            goto invalid;
        }

        if (seen & (1u << n)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate parameter \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        seen |= 1u << n;

        s.data = value[i].data + arg[n].name.len;
        s.len = value[i].len - arg[n].name.len;

        /* a value after "=", and none after a flag */

        if ((s.len == 0) == (s.data[-1] == '=')) {
            goto invalid;
        }

        rc = NGX_OK;

        if (arg[n].set == NULL) {
            *zone = s;

        } else {
            rc = arg[n].set(cf, &s, budget);
        }

        if (rc == NGX_DECLINED) {
            goto invalid;
        }

        if (rc != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_modelguard_budget_check(cf, budget, seen);

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"",
                       &value[i]);
    return NGX_CONF_ERROR;
}


/* the parameters that need one another, or do not go together */

static char *
ngx_http_modelguard_budget_check(ngx_conf_t *cf,
    ngx_http_modelguard_budget_conf_t *budget, ngx_uint_t seen)
{
    ngx_str_t   *value;
    ngx_uint_t   kinds;
    const char  *missing, *alone, *with;

    value = cf->args->elts;

    kinds = seen & NGX_HTTP_MODELGUARD_BUDGET_KINDS;
    missing = NULL;
    alone = NULL;
    with = NULL;

    if (!(seen & NGX_HTTP_MODELGUARD_BUDGET_ZONE)) {
        missing = "\"zone\"";

    } else if (!(seen & NGX_HTTP_MODELGUARD_BUDGET_LIMIT)) {
        missing = "\"limit\"";

    } else if (budget->unit == NGX_HTTP_MODELGUARD_UNIT_CONCURRENT) {

        alone = (seen & NGX_HTTP_MODELGUARD_BUDGET_WINDOW) ? "window"
                : (seen & NGX_HTTP_MODELGUARD_BUDGET_CALENDAR) ? "calendar"
                : (seen & NGX_HTTP_MODELGUARD_BUDGET_LIFETIME) ? "lifetime"
                : (seen & NGX_HTTP_MODELGUARD_BUDGET_OFFSET) ? "offset"
                : (seen & NGX_HTTP_MODELGUARD_BUDGET_BURST) ? "burst"
                : (seen & NGX_HTTP_MODELGUARD_BUDGET_CHARGE) ? "charge"
                : NULL;

        if (alone) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%s\" parameter cannot be used with "
                               "\"unit=concurrent\"", alone);
            return NGX_CONF_ERROR;
        }

        budget->budget.kind = MODELGUARD_BUDGET_CONCURRENT;

        if (budget->budget.window == 0) {
            budget->budget.window = NGX_HTTP_MODELGUARD_LEASE;
        }

        return ngx_http_modelguard_settle_conf(cf, budget->budget.window);

    } else if (kinds == 0) {
        missing = "\"window\", \"calendar\" or \"lifetime\"";

    } else if (kinds & (kinds - 1)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have only one of \"window\", "
                           "\"calendar\" and \"lifetime\" parameters",
                           &value[0]);
        return NGX_CONF_ERROR;

    } else if ((seen & NGX_HTTP_MODELGUARD_BUDGET_OFFSET)
               && !(seen & NGX_HTTP_MODELGUARD_BUDGET_CALENDAR))
    {
        alone = "offset";
        with = "calendar";

    } else if ((seen & NGX_HTTP_MODELGUARD_BUDGET_BURST)
               && !(seen & NGX_HTTP_MODELGUARD_BUDGET_WINDOW))
    {
        alone = "burst";
        with = "window";

    } else if (seen & NGX_HTTP_MODELGUARD_BUDGET_LEASE) {
        alone = "lease";
        with = "unit=concurrent";
    }

    if (missing) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have %s parameter", &value[0],
                           missing);
        return NGX_CONF_ERROR;
    }

    if (alone) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s\" parameter cannot be used without \"%s\"",
                           alone, with);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_modelguard_budget_set_limit(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_modelguard_budget_conf_t *budget)
{
    ngx_int_t  rc;

    rc = ngx_http_modelguard_cost_compile(cf, value, &budget->limit,
                                          &budget->budget.limit);

    if (rc != NGX_OK) {
        return rc;
    }

    /* the table takes no budget without a limit: the least there is */

    if (budget->limit) {
        budget->budget.limit = 1;
    }

    return budget->budget.limit ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_modelguard_budget_set_burst(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_modelguard_budget_conf_t *budget)
{
    return ngx_http_modelguard_cost_compile(cf, value, &budget->burst,
                                            &budget->budget.burst);
}


static ngx_int_t
ngx_http_modelguard_budget_set_window(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_modelguard_budget_conf_t *budget)
{
    budget->budget.kind = MODELGUARD_BUDGET_SLIDING;

    return ngx_http_modelguard_budget_time(value, MODELGUARD_BUDGET_WINDOW_MAX,
                                           &budget->budget.window);
}


static ngx_int_t
ngx_http_modelguard_budget_set_calendar(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_modelguard_budget_conf_t *budget)
{
    if (ngx_strcmp(value->data, "hour") == 0) {
        budget->budget.kind = MODELGUARD_BUDGET_HOUR;

    } else if (ngx_strcmp(value->data, "day") == 0) {
        budget->budget.kind = MODELGUARD_BUDGET_DAY;

    } else if (ngx_strcmp(value->data, "week") == 0) {
        budget->budget.kind = MODELGUARD_BUDGET_WEEK;

    } else if (ngx_strcmp(value->data, "month") == 0) {
        budget->budget.kind = MODELGUARD_BUDGET_MONTH;

    } else {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* +HH:MM or -HH:MM, east of UTC being positive */

static ngx_int_t
ngx_http_modelguard_budget_set_offset(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_modelguard_budget_conf_t *budget)
{
    u_char     *p;
    ngx_int_t   hours, minutes, seconds;

    p = value->data;

    if (value->len != sizeof("+00:00") - 1
        || (p[0] != '+' && p[0] != '-') || p[3] != ':')
    {
        return NGX_DECLINED;
    }

    hours = ngx_atoi(p + 1, 2);
    minutes = ngx_atoi(p + 4, 2);

    if (hours == NGX_ERROR || minutes == NGX_ERROR || minutes > 59) {
        return NGX_DECLINED;
    }

    seconds = hours * 3600 + minutes * 60;

    if (seconds > MODELGUARD_BUDGET_OFFSET_MAX) {
        return NGX_DECLINED;
    }

    budget->budget.offset = (int32_t) (p[0] == '-' ? -seconds : seconds);

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_budget_set_lifetime(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_modelguard_budget_conf_t *budget)
{
    budget->budget.kind = MODELGUARD_BUDGET_LIFETIME;

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_budget_set_lease(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_modelguard_budget_conf_t *budget)
{
    return ngx_http_modelguard_budget_time(value,
                                           NGX_HTTP_MODELGUARD_LEASE_MAX,
                                           &budget->budget.window);
}


static ngx_int_t
ngx_http_modelguard_budget_set_unit(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_modelguard_budget_conf_t *budget)
{
    budget->unit = ngx_http_modelguard_cost_unit(value);

    return (budget->unit < NGX_HTTP_MODELGUARD_UNITS) ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_modelguard_budget_set_charge(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_modelguard_budget_conf_t *budget)
{
    if (ngx_strcmp(value->data, "always") == 0) {
        budget->always = 1;

    } else if (ngx_strcmp(value->data, "answered") != 0) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_budget_set_dry_run(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_modelguard_budget_conf_t *budget)
{
    budget->dry_run = 1;

    return NGX_OK;
}


/* whole seconds, 1 or more */

static ngx_int_t
ngx_http_modelguard_budget_time(ngx_str_t *value, uint64_t max, uint64_t *ms)
{
    ngx_int_t  seconds;

    seconds = ngx_parse_time(value, 1);

    if (seconds == NGX_ERROR || seconds == 0
        || (uint64_t) seconds > max / 1000)
    {
        return NGX_DECLINED;
    }

    *ms = (uint64_t) seconds * 1000;

    return NGX_OK;
}


/*
 * The name's hash, which finds a client's cells again after a reload.  Not a
 * secret, so its key is none; never 0, which marks free cells.
 */

static uint64_t
ngx_http_modelguard_budget_id(ngx_str_t *name)
{
    uint8_t          key[MODELGUARD_HASH_SECRET];
    modelguard_id_t  id;

    ngx_memzero(key, sizeof(key));

    modelguard_hash(&id, key, name->data, name->len);

    return id.low ? id.low : 1;
}


ngx_int_t
ngx_http_modelguard_budget_bind(ngx_conf_t *cf,
    ngx_http_modelguard_budget_conf_t *budget, ngx_str_t *zone)
{
    budget->zone = ngx_http_modelguard_zone_find(cf, zone);

    if (budget->zone == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_http_modelguard_zone_add(cf, budget) != NGX_CONF_OK) {
        return NGX_ERROR;
    }

    return NGX_OK;
}
