
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_delay.h"
#include "ngx_http_modelguard_bill.h"
#include "ngx_http_modelguard_zone.h"


#define NGX_HTTP_MODELGUARD_DELAY_QUEUE      100
#define NGX_HTTP_MODELGUARD_DELAY_QUEUE_MAX  10000
#define NGX_HTTP_MODELGUARD_DELAY_MAX        600000     /* ms, 10 minutes */
#define NGX_HTTP_MODELGUARD_DELAY_GRAIN      10         /* ms, of the clocks */


/* a place in the queue, which the pool of the request gives back */

struct ngx_http_modelguard_delay_s {
    ngx_queue_t                  queue;
    ngx_http_modelguard_zone_t  *zone;      /* of the budget it waits for */
    uint64_t                     budget;    /* its name, hashed */
    modelguard_id_t              id;
    uint64_t                     cost;
    uint64_t                     until;     /* ms, as ngx_current_msec */
    unsigned                     queued:1;
};


static ngx_int_t ngx_http_modelguard_delay_arg(ngx_str_t *arg,
    ngx_http_modelguard_loc_conf_t *mglcf);
static ngx_http_modelguard_delay_t *ngx_http_modelguard_delay_enter(
    ngx_http_request_t *r, ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf);
static uint64_t ngx_http_modelguard_delay_wait(
    const ngx_http_modelguard_delay_t *delay,
    const ngx_http_modelguard_bill_line_t *line);
static void ngx_http_modelguard_delay_log(ngx_http_request_t *r,
    const ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t wait);
static void ngx_http_modelguard_delay_handler(ngx_http_request_t *r);
static void ngx_http_modelguard_delay_cleanup(void *data);


/* of this worker; in the order in which the requests came */

static ngx_queue_t  ngx_http_modelguard_delay_queue;
static ngx_uint_t   ngx_http_modelguard_delay_waiting;


char *
ngx_http_modelguard_delay(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_modelguard_loc_conf_t *mglcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i;

    if (mglcf->delay_max != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        mglcf->delay_max = 0;
        mglcf->delay_queue = 0;
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_modelguard_delay_arg(&value[i], mglcf) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    if (mglcf->delay_max == NGX_CONF_UNSET_MSEC) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"max\" parameter", &value[0]);
        return NGX_CONF_ERROR;
    }

    if (mglcf->delay_queue == NGX_CONF_UNSET_UINT) {
        mglcf->delay_queue = NGX_HTTP_MODELGUARD_DELAY_QUEUE;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_modelguard_delay_arg(ngx_str_t *arg,
    ngx_http_modelguard_loc_conf_t *mglcf)
{
    ngx_int_t  n;
    ngx_str_t  s;

    if (ngx_strncmp(arg->data, "max=", 4) == 0
        && mglcf->delay_max == NGX_CONF_UNSET_MSEC)
    {
        s.data = arg->data + 4;
        s.len = arg->len - 4;

        n = ngx_parse_time(&s, 0);

        if (s.len == 0 || n < 1 || n > NGX_HTTP_MODELGUARD_DELAY_MAX) {
            return NGX_ERROR;
        }

        mglcf->delay_max = (ngx_msec_t) n;

        return NGX_OK;
    }

    if (ngx_strncmp(arg->data, "queue=", 6) == 0
        && mglcf->delay_queue == NGX_CONF_UNSET_UINT)
    {
        n = ngx_atoi(arg->data + 6, arg->len - 6);

        if (n < 1 || n > NGX_HTTP_MODELGUARD_DELAY_QUEUE_MAX) {
            return NGX_ERROR;
        }

        mglcf->delay_queue = (ngx_uint_t) n;

        return NGX_OK;
    }

    return NGX_ERROR;
}


void
ngx_http_modelguard_delay_merge(ngx_http_modelguard_loc_conf_t *prev,
    ngx_http_modelguard_loc_conf_t *conf)
{
    ngx_conf_merge_uint_value(conf->delay_queue, prev->delay_queue, 0);
    ngx_conf_merge_msec_value(conf->delay_max, prev->delay_max, 0);
}


ngx_int_t
ngx_http_modelguard_delay_hold(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t items)
{
    uint64_t                          wait;
    ngx_http_modelguard_bill_t       *bill;
    ngx_http_modelguard_delay_t      *delay;
    ngx_http_modelguard_bill_line_t  *line;

    bill = ctx->bill;
    line = &bill->lines[bill->which];

    if (mglcf->delay_max == 0 || line->charge->wait > mglcf->delay_max) {
        return NGX_DECLINED;
    }

    if (mglcf->dry_run) {
        ngx_http_modelguard_delay_log(r, ctx, mglcf, line->charge->wait);
        ctx->delayed = 1;

        return NGX_OK;
    }

    delay = ngx_http_modelguard_delay_enter(r, ctx, mglcf);
    if (delay == NULL) {
        return NGX_DECLINED;
    }

    delay->zone = bill->zones[line->zone].zone;
    delay->id = bill->zones[line->zone].id;
    delay->budget = line->conf->id;
    delay->cost = line->charge->cost;

    wait = ngx_http_modelguard_delay_wait(delay, line);

    if ((uint64_t) ngx_current_msec + wait > delay->until) {
        return NGX_DECLINED;
    }

    if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!ctx->delayed) {
        ngx_http_modelguard_delay_log(r, ctx, mglcf, wait);
    }

    ctx->delayed = 1;
    ctx->items = items;

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_modelguard_delay_handler;

    r->connection->write->delayed = 1;
    ngx_add_timer(r->connection->write, (ngx_msec_t) wait);

    return NGX_AGAIN;
}


/* the request's place, at the end of the queue if it has none; or NULL */

static ngx_http_modelguard_delay_t *
ngx_http_modelguard_delay_enter(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf)
{
    ngx_pool_cleanup_t           *cln;
    ngx_http_modelguard_delay_t  *delay;

    if (ctx->delay) {
        return ctx->delay;
    }

    if (ngx_http_modelguard_delay_waiting >= mglcf->delay_queue) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_modelguard_delay_t));
    if (cln == NULL) {
        return NULL;
    }

    delay = cln->data;

    if (ngx_http_modelguard_delay_queue.next == NULL) {
        ngx_queue_init(&ngx_http_modelguard_delay_queue);
    }

    ngx_queue_insert_tail(&ngx_http_modelguard_delay_queue, &delay->queue);
    ngx_http_modelguard_delay_waiting++;

    delay->queued = 1;
    delay->until = (uint64_t) ngx_current_msec + mglcf->delay_max
                   + NGX_HTTP_MODELGUARD_DELAY_GRAIN;

    cln->handler = ngx_http_modelguard_delay_cleanup;

    ctx->delay = delay;

    return delay;
}


/*
 * A window slides, so those before it need their share of it each.  What a
 * new period lets in it lets in at once.  A millisecond more: clocks are read
 * in whole ones.
 */

static uint64_t
ngx_http_modelguard_delay_wait(const ngx_http_modelguard_delay_t *delay,
    const ngx_http_modelguard_bill_line_t *line)
{
    double                              ahead;
    ngx_queue_t                        *q;
    const ngx_http_modelguard_delay_t  *other;

    ahead = 0;

    if (line->charge->budget->kind == MODELGUARD_BUDGET_SLIDING) {

        for (q = ngx_queue_prev(&delay->queue);
             q != &ngx_http_modelguard_delay_queue;
             q = ngx_queue_prev(q))
        {
            other = ngx_queue_data(q, ngx_http_modelguard_delay_t, queue);

            if (other->zone == delay->zone
                && other->budget == delay->budget
                && other->id.low == delay->id.low
                && other->id.high == delay->id.high)
            {
                ahead += (double) other->cost;
            }
        }

        ahead = ahead * (double) line->charge->budget->window
                / (double) line->charge->budget->limit;
    }

    if (ahead > (double) NGX_HTTP_MODELGUARD_DELAY_MAX) {
        ahead = (double) NGX_HTTP_MODELGUARD_DELAY_MAX;
    }

    return line->charge->wait + (uint64_t) ahead + 1;
}


/* as in limit_req: a delay is worth less of a line than a refusal */

static void
ngx_http_modelguard_delay_log(ngx_http_request_t *r,
    const ngx_http_modelguard_ctx_t *ctx,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t wait)
{
    ngx_uint_t                              level;
    const ngx_http_modelguard_bill_t       *bill;
    const ngx_http_modelguard_bill_line_t  *line;

    bill = ctx->bill;
    line = &bill->lines[bill->which];

    level = (mglcf->log_level == NGX_LOG_INFO) ? NGX_LOG_INFO
                                               : mglcf->log_level + 1;

    ngx_log_error(level, r->connection->log, 0,
                  "modelguard: delaying request%s, %uL ms, budget \"%V\", "
                  "cost: %uL, client: %016xL, by zone \"%V\"",
                  mglcf->dry_run ? ", dry run" : "", wait, &line->conf->name,
                  line->charge->cost, bill->zones[line->zone].id.low,
                  &line->conf->zone->shm_zone->shm.name);
}


static void
ngx_http_modelguard_delay_handler(ngx_http_request_t *r)
{
    ngx_event_t  *wev;

    wev = r->connection->write;

    if (wev->delayed) {

        if (ngx_handle_write_event(wev, 0) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        }

        return;
    }

    if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
}


void
ngx_http_modelguard_delay_leave(ngx_http_modelguard_ctx_t *ctx)
{
    if (ctx->delay) {
        ngx_http_modelguard_delay_cleanup(ctx->delay);
    }
}


static void
ngx_http_modelguard_delay_cleanup(void *data)
{
    ngx_http_modelguard_delay_t *delay = data;

    if (!delay->queued) {
        return;
    }

    ngx_queue_remove(&delay->queue);
    ngx_http_modelguard_delay_waiting--;

    delay->queued = 0;
}
