
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_settle.h"
#include "ngx_http_modelguard_cost.h"
#include "ngx_http_modelguard_zone.h"


/* what is known of a request when it ends */

typedef struct {
    uint64_t                    bytes;        /* of the body, sent */
    unsigned                    complete:1;   /* sent to its end, by us */
    unsigned                    success:1;    /* no error by status */
    unsigned                    failed:1;     /* the upstream did */
} ngx_http_modelguard_settle_end_t;


static ngx_uint_t ngx_http_modelguard_settle_status(
    const ngx_http_request_t *r);
static ngx_http_modelguard_noinline void ngx_http_modelguard_settle_lines(
    ngx_http_modelguard_bill_t *bill, ngx_uint_t status);
static void ngx_http_modelguard_settle_end(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_settle_end_t *end, ngx_uint_t status);
static ngx_uint_t ngx_http_modelguard_settle_failed(
    ngx_http_modelguard_bill_t *bill, ngx_uint_t status);
static ngx_uint_t ngx_http_modelguard_settle_line(
    ngx_http_modelguard_bill_t *bill, ngx_http_modelguard_bill_line_t *line,
    const ngx_http_modelguard_settle_end_t *end, modelguard_settle_t *settle);
static uint64_t ngx_http_modelguard_settle_actual(
    ngx_http_modelguard_bill_t *bill, ngx_http_modelguard_bill_line_t *line,
    const ngx_http_modelguard_settle_end_t *end);
static ngx_uint_t ngx_http_modelguard_settle_measured(
    ngx_http_modelguard_bill_t *bill, ngx_http_modelguard_bill_line_t *line,
    const ngx_http_modelguard_settle_end_t *end);
static ngx_http_modelguard_leases_t *ngx_http_modelguard_settle_leases(
    ngx_http_modelguard_bill_t *bill);
static void ngx_http_modelguard_settle_close(ngx_http_modelguard_bill_t *bill);
static void ngx_http_modelguard_settle_timer(ngx_event_t *ev);
static void ngx_http_modelguard_settle_renew(ngx_http_modelguard_bill_t *bill,
    uint64_t now);


void
ngx_http_modelguard_settle(void *data)
{
    ngx_http_modelguard_bill_t *bill = data;

    ngx_uint_t  status;

    if (!bill->charged) {
        return;
    }

    bill->charged = 0;

    status = ngx_http_modelguard_settle_status(bill->request);

    /* most are of requests, and answered */

    if (!bill->exact || status >= NGX_HTTP_INTERNAL_SERVER_ERROR) {
        ngx_http_modelguard_settle_lines(bill, status);
    }
}


static void
ngx_http_modelguard_settle_lines(ngx_http_modelguard_bill_t *bill,
    ngx_uint_t status)
{
    uint64_t                            now;
    ngx_time_t                         *tp;
    ngx_uint_t                          i, j, n, failed;
    modelguard_settle_t                 settles[MODELGUARD_TABLE_BUDGETS];
    ngx_http_modelguard_bill_line_t    *line;
    ngx_http_modelguard_settle_end_t    end;
    ngx_http_modelguard_zone_charge_t  *zone;

    failed = ngx_http_modelguard_settle_failed(bill, status);

    if (bill->exact && !failed) {
        return;
    }

    ngx_http_modelguard_settle_close(bill);
    ngx_http_modelguard_settle_end(bill, &end, status);

    end.failed = failed ? 1 : 0;

    tp = ngx_timeofday();
    now = (uint64_t) tp->sec * 1000 + tp->msec;

    for (i = 0; i < bill->nzones; i++) {
        n = 0;

        for (j = 0; j < bill->nlines; j++) {
            line = &bill->lines[j];

            if (line->zone == i
                && ngx_http_modelguard_settle_line(bill, line, &end,
                                                   &settles[n]))
            {
                n++;
            }
        }

        if (n) {
            zone = &bill->zones[i];

            ngx_http_modelguard_zone_settle(zone->zone, &zone->id, settles, n,
                                            now);
        }
    }
}


static ngx_uint_t
ngx_http_modelguard_settle_status(const ngx_http_request_t *r)
{
    /* what a post_action has met with was no answer to the client */

    if (r->post_action) {
        return NGX_HTTP_OK;
    }

    /* as the access log has it */

    return r->err_status ? r->err_status : r->headers_out.status;
}


static void
ngx_http_modelguard_settle_end(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_settle_end_t *end, ngx_uint_t status)
{
    off_t                sent;
    ngx_http_request_t  *r;

    r = bill->request;

    sent = r->connection->sent - (off_t) r->header_size;

    end->bytes = (sent > 0) ? (uint64_t) sent : 0;
    end->complete = (r->request_complete
                     && bill->ctx->reason == NGX_HTTP_MODELGUARD_REASON_NONE);

    /* HTTP/0.9 has none */

    end->success = (status < NGX_HTTP_SPECIAL_RESPONSE);
}


/* an answer that was refused here is no failure of who gave it */

static ngx_uint_t
ngx_http_modelguard_settle_failed(ngx_http_modelguard_bill_t *bill,
    ngx_uint_t status)
{
    ngx_http_request_t         *r;
    ngx_http_upstream_state_t  *state;

    r = bill->request;

    if (status < NGX_HTTP_INTERNAL_SERVER_ERROR) {
        return 0;
    }

    if (r->upstream_states == NULL || r->upstream_states->nelts == 0) {
        return bill->ctx->reason == NGX_HTTP_MODELGUARD_REASON_NONE;
    }

#if (NGX_HTTP_CACHE)

    /* nobody was asked for what the cache had, so the last is of before */

    if (r->cached && r->upstream) {
        return r->upstream->headers_in.status_n
               >= NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

#endif

    state = r->upstream_states->elts;
    state += r->upstream_states->nelts - 1;

    return state->status == 0
           || state->status >= NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* 1 if there is something to settle */

static ngx_uint_t
ngx_http_modelguard_settle_line(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_bill_line_t *line,
    const ngx_http_modelguard_settle_end_t *end, modelguard_settle_t *settle)
{
    ngx_uint_t  unknown;

    /* a dry run that would have refused has not charged */

    if (line->charge->refused || line->charge->cost == 0) {
        return 0;
    }

    unknown = ngx_http_modelguard_cost_unknown(line->conf->unit);

    settle->name = line->conf->id;
    settle->budget = line->charge->budget;
    settle->reserved = line->charge->cost;
    settle->then = line->dated;
    settle->learn = 0;
    settle->renew = 0;

    if (line->conf->unit == NGX_HTTP_MODELGUARD_UNIT_CONCURRENT
        || (end->failed && !line->conf->always))
    {
        settle->actual = 0;

    } else if (unknown) {
        settle->actual = ngx_http_modelguard_settle_actual(bill, line, end);

        /*
         * Errors cost little, and HEAD nothing: they must not make what
         * follows look cheap.
         */

        settle->learn = (end->success
                         && settle->actual
                         && ngx_http_modelguard_settle_measured(bill, line,
                                                                end));

    } else {
        settle->actual = line->charge->cost;
    }

    return settle->actual != settle->reserved || settle->learn;
}


/*
 * What could not be measured to its end, because the client hung up or the
 * response was withheld, or its bits not at all, costs what was reserved at
 * least.
 */

static uint64_t
ngx_http_modelguard_settle_actual(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_bill_line_t *line,
    const ngx_http_modelguard_settle_end_t *end)
{
    uint64_t                          actual, estimate;
    ngx_uint_t                        measured;
    const ngx_http_modelguard_ctx_t  *ctx;

    ctx = bill->ctx;
    measured = ngx_http_modelguard_settle_measured(bill, line, end);

    switch (line->conf->unit) {

    case NGX_HTTP_MODELGUARD_UNIT_TOKENS:
        actual = modelguard_meter_tokens(&ctx->meter);

        /* the text of what is compressed on its way is as long as ever */

        estimate = ngx_max(end->bytes, ctx->received);
        estimate = estimate / NGX_HTTP_MODELGUARD_BYTES_PER_TOKEN
                   + (estimate % NGX_HTTP_MODELGUARD_BYTES_PER_TOKEN != 0);

        /* what the server says first of a stream is not what it says last */

        if (actual == 0
            || ((!measured || ctx->unread) && actual < estimate))
        {
            actual = estimate;
        }

        break;

    case NGX_HTTP_MODELGUARD_UNIT_BITS:
        actual = modelguard_meter_bits(&ctx->meter);

        /* what cannot be read may be floats, one behind the other */

        if (ctx->opaque && end->success) {
            estimate = end->bytes * NGX_HTTP_MODELGUARD_BITS_PER_FLOAT
                       / NGX_HTTP_MODELGUARD_BYTES_PER_FLOAT + 1;
            actual = ngx_max(actual, estimate);
        }

        break;

    default: /* NGX_HTTP_MODELGUARD_UNIT_BYTES */
        actual = end->bytes;
    }

    return measured ? actual : ngx_max(actual, line->charge->cost);
}


static ngx_uint_t
ngx_http_modelguard_settle_measured(ngx_http_modelguard_bill_t *bill,
    ngx_http_modelguard_bill_line_t *line,
    const ngx_http_modelguard_settle_end_t *end)
{
    ngx_http_modelguard_ctx_t  *ctx;

    if (!end->complete || end->failed) {
        return 0;
    }

    if (line->conf->unit != NGX_HTTP_MODELGUARD_UNIT_BITS || !end->success) {
        return 1;
    }

    ctx = bill->ctx;

    return ctx->metered && ctx->metered->values && !ctx->unread;
}


char *
ngx_http_modelguard_settle_conf(ngx_conf_t *cf, uint64_t lease)
{
    ngx_http_modelguard_leases_t     *leases;
    ngx_http_modelguard_main_conf_t  *mgmcf;

    mgmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_modelguard_module);

    if (mgmcf->leases == NULL) {
        leases = ngx_pcalloc(cf->pool, sizeof(ngx_http_modelguard_leases_t));
        if (leases == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_queue_init(&leases->bills);

        leases->fd = (ngx_socket_t) -1;
        leases->period = lease / 2;

        leases->event.handler = ngx_http_modelguard_settle_timer;
        leases->event.data = leases;
        leases->event.log = &cf->cycle->new_log;
        leases->event.cancelable = 1;

        mgmcf->leases = leases;
    }

    leases = mgmcf->leases;
    leases->period = ngx_min(leases->period, (ngx_msec_t) (lease / 2));

    return NGX_CONF_OK;
}


void
ngx_http_modelguard_settle_open(ngx_http_modelguard_bill_t *bill)
{
    ngx_uint_t                     i;
    ngx_pool_t                    *pool;
    ngx_http_modelguard_leases_t  *leases;

    /* as ngx_pool_cleanup_add() does it, in memory that is there already */

    pool = bill->request->pool;

    bill->cleanup.handler = ngx_http_modelguard_settle;
    bill->cleanup.data = bill;
    bill->cleanup.next = pool->cleanup;
    pool->cleanup = &bill->cleanup;

    if (bill->exact) {
        return;
    }

    for (i = 0; i < bill->nlines; i++) {

        if (bill->lines[i].conf->unit == NGX_HTTP_MODELGUARD_UNIT_CONCURRENT
            && !bill->lines[i].charge->refused)
        {
            break;
        }
    }

    if (i == bill->nlines) {
        return;
    }

    leases = ngx_http_modelguard_settle_leases(bill);

    ngx_queue_insert_tail(&leases->bills, &bill->queue);
    bill->leased = 1;

    if (!leases->event.timer_set) {
        ngx_add_timer(&leases->event, leases->period);
    }
}


static ngx_http_modelguard_leases_t *
ngx_http_modelguard_settle_leases(ngx_http_modelguard_bill_t *bill)
{
    ngx_http_modelguard_main_conf_t  *mgmcf;

    mgmcf = ngx_http_get_module_main_conf(bill->request,
                                          ngx_http_modelguard_module);

    return mgmcf->leases;
}


/* a timer that outlived its configuration would be one of freed memory */

static void
ngx_http_modelguard_settle_close(ngx_http_modelguard_bill_t *bill)
{
    ngx_http_modelguard_leases_t  *leases;

    if (!bill->leased) {
        return;
    }

    bill->leased = 0;
    ngx_queue_remove(&bill->queue);

    leases = ngx_http_modelguard_settle_leases(bill);

    if (ngx_queue_empty(&leases->bills) && leases->event.timer_set) {
        ngx_del_timer(&leases->event);
    }
}


static void
ngx_http_modelguard_settle_timer(ngx_event_t *ev)
{
    ngx_http_modelguard_leases_t *leases = ev->data;

    uint64_t                     now;
    ngx_time_t                  *tp;
    ngx_queue_t                 *q;
    ngx_http_modelguard_bill_t  *bill;

    tp = ngx_timeofday();
    now = (uint64_t) tp->sec * 1000 + tp->msec;

    for (q = ngx_queue_head(&leases->bills);
         q != ngx_queue_sentinel(&leases->bills);
         q = ngx_queue_next(q))
    {
        bill = ngx_queue_data(q, ngx_http_modelguard_bill_t, queue);

        ngx_http_modelguard_settle_renew(bill, now);
    }

    /* also in a worker that shuts down: its streams may last for hours */

    if (!ngx_queue_empty(&leases->bills)) {
        ngx_add_timer(ev, leases->period);
    }
}


static void
ngx_http_modelguard_settle_renew(ngx_http_modelguard_bill_t *bill,
    uint64_t now)
{
    ngx_uint_t                          i;
    modelguard_settle_t                 settle;
    ngx_http_modelguard_bill_line_t    *line;
    ngx_http_modelguard_zone_charge_t  *zone;

    for (i = 0; i < bill->nlines; i++) {
        line = &bill->lines[i];

        /*
         * A lease holds for one to two of its time.  With a timer of half of
         * it, one that is left alone below a quarter is never older than
         * three of them when the timer comes again.
         */

        if (line->conf->unit != NGX_HTTP_MODELGUARD_UNIT_CONCURRENT
            || line->charge->refused
            || now < line->dated + line->charge->budget->window / 4)
        {
            continue;
        }

        zone = &bill->zones[line->zone];

        settle.name = line->conf->id;
        settle.budget = line->charge->budget;
        settle.reserved = line->charge->cost;
        settle.actual = line->charge->cost;
        settle.then = line->dated;
        settle.learn = 0;
        settle.renew = 1;

        ngx_http_modelguard_zone_settle(zone->zone, &zone->id, &settle, 1,
                                        now);
        line->dated = now;
    }
}
