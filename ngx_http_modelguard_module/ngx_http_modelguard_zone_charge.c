
/*
 * Copyright (C) the modelguard authors
 *
 * Charging in several zones, all or nothing.
 */


#include "ngx_http_modelguard_zone.h"


#define NGX_HTTP_MODELGUARD_CHARGE_TRIES  10   /* moves to follow at once */


static ngx_http_modelguard_noinline ngx_uint_t ngx_http_modelguard_zone_any(
    ngx_http_modelguard_zone_charge_t *charges, ngx_uint_t n, uint64_t now,
    ngx_log_t *log);
static ngx_http_modelguard_noinline ngx_int_t
    ngx_http_modelguard_zone_overflow(
    ngx_http_modelguard_zone_charge_t *charges, ngx_uint_t n, uint64_t now,
    ngx_log_t *log);
static ngx_int_t ngx_http_modelguard_zone_lock(
    ngx_http_modelguard_zone_charge_t *charges, ngx_uint_t n, ngx_log_t *log);
static void ngx_http_modelguard_zone_order(
    ngx_http_modelguard_zone_charge_t *charges, ngx_uint_t n);
static ngx_uint_t ngx_http_modelguard_zone_after(
    ngx_http_modelguard_zone_t *zone, ngx_http_modelguard_zone_t *other);
static void ngx_http_modelguard_zone_refuse(
    ngx_http_modelguard_zone_charge_t *charges, ngx_uint_t n,
    ngx_http_modelguard_zone_charge_t *charge);
static void ngx_http_modelguard_zone_unlock(
    ngx_http_modelguard_zone_charge_t *charges, ngx_uint_t n);
static void ngx_http_modelguard_zone_special(
    ngx_http_modelguard_zone_charge_t *charge);
static void ngx_http_modelguard_zone_guess(modelguard_charge_t *charge,
    uint64_t mean);
static void ngx_http_modelguard_zone_charge_locked(
    ngx_http_modelguard_zone_charge_t *charges, ngx_uint_t n, uint64_t now);
static ngx_uint_t ngx_http_modelguard_zone_speaker(
    ngx_http_modelguard_zone_charge_t *charges, ngx_uint_t n);
static uint64_t ngx_http_modelguard_zone_share(
    ngx_http_modelguard_zone_charge_t *charge);


ngx_uint_t
ngx_http_modelguard_zone_charge(ngx_http_modelguard_zone_charge_t *charges,
    ngx_uint_t n, uint64_t now, ngx_log_t *log)
{
    /* what most requests come to */

    if (n == 1
        && !charges[0].special
        && modelguard_table_pay(charges[0].zone->table, &charges[0].id,
                                charges[0].charges, charges[0].n, now,
                                &charges[0].verdict)
           == MODELGUARD_OK
        && (charges[0].verdict.verdict != MODELGUARD_EXHAUSTED
            || ngx_http_modelguard_zone_overflow(charges, n, now, log)
               != NGX_AGAIN))
    {
        return 0;
    }

    return ngx_http_modelguard_zone_any(charges, n, now, log);
}


static ngx_uint_t
ngx_http_modelguard_zone_any(ngx_http_modelguard_zone_charge_t *charges,
    ngx_uint_t n, uint64_t now, ngx_log_t *log)
{
    ngx_uint_t  i;

    /* once as they are, and once for each zone that is full and shares */

    for (i = 0; i <= n; i++) {

        if (ngx_http_modelguard_zone_lock(charges, n, log) != NGX_OK) {
            break;
        }

        ngx_http_modelguard_zone_charge_locked(charges, n, now);
        ngx_http_modelguard_zone_unlock(charges, n);

        if (ngx_http_modelguard_zone_overflow(charges, n, now, log)
            != NGX_AGAIN)
        {
            break;
        }
    }

    return ngx_http_modelguard_zone_speaker(charges, n);
}


static ngx_int_t
ngx_http_modelguard_zone_overflow(ngx_http_modelguard_zone_charge_t *charges,
    ngx_uint_t n, uint64_t now, ngx_log_t *log)
{
    ngx_int_t                           rc;
    ngx_uint_t                          i;
    modelguard_id_t                     id;
    ngx_http_modelguard_zone_charge_t  *charge;

    rc = NGX_OK;

    for (i = 0; i < n; i++) {
        charge = &charges[i];

        if (charge->verdict.verdict != MODELGUARD_EXHAUSTED) {
            continue;
        }

        ngx_http_modelguard_zone_full(charge->zone, now, log);

        if (!charge->zone->shared) {
            continue;
        }

        modelguard_table_overflow(&id);

        if (charge->id.low != id.low || charge->id.high != id.high) {
            charge->id = id;
            rc = NGX_AGAIN;
        }
    }

    return rc;
}


/*
 * The order is the same in all workers, also in those of another cycle, where
 * the zones may be written in another order.  A zone whose lock cannot be had
 * refuses.
 */

static ngx_int_t
ngx_http_modelguard_zone_lock(ngx_http_modelguard_zone_charge_t *charges,
    ngx_uint_t n, ngx_log_t *log)
{
    int                                 rc;
    ngx_uint_t                          i, tries;
    ngx_http_modelguard_zone_charge_t  *charge;

    for (tries = 0; /* void */ ; tries++) {

        ngx_http_modelguard_zone_order(charges, n);

        rc = MODELGUARD_OK;
        charge = NULL;

        for (i = 0; i < n; i++) {
            charge = &charges[charges[i].order];

            rc = modelguard_table_lock(charge->zone->table, charge->shard);

            if (rc != MODELGUARD_OK) {
                break;
            }
        }

        if (rc == MODELGUARD_OK) {
            return NGX_OK;
        }

        ngx_http_modelguard_zone_unlock(charges, i);

        if (rc != MODELGUARD_TABLE_MOVED
            || tries == NGX_HTTP_MODELGUARD_CHARGE_TRIES
            || ngx_http_modelguard_zone_follow(charge->zone, log) != NGX_OK)
        {
            break;
        }
    }

    ngx_http_modelguard_zone_stuck(charge->zone, log);
    ngx_http_modelguard_zone_refuse(charges, n, charge);

    return NGX_ERROR;
}


static void
ngx_http_modelguard_zone_order(ngx_http_modelguard_zone_charge_t *charges,
    ngx_uint_t n)
{
    ngx_uint_t                   i, j;
    ngx_http_modelguard_zone_t  *zone;

    for (i = 0; i < n; i++) {
        zone = charges[i].zone;

        charges[i].shard = modelguard_table_shard(zone->table,
                                                  &charges[i].id);

        for (j = i; j; j--) {

            if (ngx_http_modelguard_zone_after(zone,
                                        charges[charges[j - 1].order].zone))
            {
                break;
            }

            charges[j].order = charges[j - 1].order;
        }

        charges[j].order = i;
    }
}


/* the numbers of a table are also those of a copy of its file */

static ngx_uint_t
ngx_http_modelguard_zone_after(ngx_http_modelguard_zone_t *zone,
    ngx_http_modelguard_zone_t *other)
{
    ngx_uint_t  i;

    for (i = 0; i < 2; i++) {
        if (zone->table->uid[i] != other->table->uid[i]) {
            return zone->table->uid[i] > other->table->uid[i];
        }
    }

    if (zone->state.dev != other->state.dev) {
        return zone->state.dev > other->state.dev;
    }

    return zone->state.ino > other->state.ino;
}


/* nothing was charged */

static void
ngx_http_modelguard_zone_refuse(ngx_http_modelguard_zone_charge_t *charges,
    ngx_uint_t n, ngx_http_modelguard_zone_charge_t *charge)
{
    ngx_uint_t  i, k;

    for (i = 0; i < n; i++) {
        ngx_memzero(&charges[i].verdict, sizeof(modelguard_verdict_t));

        for (k = 0; k < charges[i].n; k++) {
            if (charges[i].charges[k].cost == NGX_HTTP_MODELGUARD_ZONE_MEAN) {
                ngx_http_modelguard_zone_guess(&charges[i].charges[k], 0);
            }

            charges[i].charges[k].refused = 0;
            charges[i].charges[k].remaining = 0;
            charges[i].charges[k].reset = 0;
            charges[i].charges[k].wait = 0;
        }
    }

    charge->verdict.verdict = MODELGUARD_EXHAUSTED;
}


static void
ngx_http_modelguard_zone_unlock(ngx_http_modelguard_zone_charge_t *charges,
    ngx_uint_t n)
{
    ngx_http_modelguard_zone_charge_t  *charge;

    while (n) {
        charge = &charges[charges[--n].order];

        modelguard_table_unlock(charge->zone->table, charge->shard);
    }
}


static void
ngx_http_modelguard_zone_charge_locked(
    ngx_http_modelguard_zone_charge_t *charges, ngx_uint_t n, uint64_t now)
{
    ngx_uint_t                          i, refused;
    ngx_http_modelguard_zone_charge_t  *charge;

    refused = 0;

    for (i = 0; i < n; i++) {
        charge = &charges[i];

        ngx_memzero(&charge->verdict, sizeof(modelguard_verdict_t));

        if (charge->special) {
            ngx_http_modelguard_zone_special(charge);
        }

        if (n > 1) {
            charge->verdict.verdict = modelguard_table_would_pass(
                                          charge->zone->table, &charge->id,
                                          charge->charges, charge->n, now);
        }

        refused |= (charge->verdict.verdict != MODELGUARD_PASSED);
    }

    for (i = 0; i < n; i++) {
        charge = &charges[i];

        if (refused && charge->verdict.verdict == MODELGUARD_PASSED) {
            continue;
        }

        modelguard_table_charge(charge->zone->table, &charge->id,
                                charge->charges, charge->n, now,
                                &charge->verdict);
    }
}


/* what is to be done under the lock, once */

static void
ngx_http_modelguard_zone_special(ngx_http_modelguard_zone_charge_t *charge)
{
    ngx_uint_t            i;
    modelguard_table_t   *table;
    modelguard_charge_t  *one;

    table = charge->zone->table;

    charge->special = 0;

    if (charge->keyless) {
        modelguard_table_skipped(table, charge->shard);
    }

    for (i = 0; i < charge->n; i++) {
        one = &charge->charges[i];

        if (one->cost == NGX_HTTP_MODELGUARD_ZONE_MEAN) {
            ngx_http_modelguard_zone_guess(one,
                                modelguard_table_mean(table, &charge->id,
                                                      one->name));
        }
    }
}


static void
ngx_http_modelguard_zone_guess(modelguard_charge_t *charge, uint64_t mean)
{
    charge->cost = mean ? mean : charge->remaining;
    charge->cost = ngx_min(charge->cost, charge->budget->limit);
}


static ngx_uint_t
ngx_http_modelguard_zone_speaker(ngx_http_modelguard_zone_charge_t *charges,
    ngx_uint_t n)
{
    uint64_t    share, least;
    ngx_uint_t  i, limited, exhausted, passed;

    least = UINT64_MAX;
    limited = n;
    exhausted = n;
    passed = 0;

    for (i = 0; i < n; i++) {

        switch (charges[i].verdict.verdict) {

        case MODELGUARD_LIMITED:
        case MODELGUARD_BANNED:
            if (limited == n
                || charges[i].verdict.wait > charges[limited].verdict.wait)
            {
                limited = i;
            }

            break;

        case MODELGUARD_EXHAUSTED:
            exhausted = i;
            break;

        default: /* MODELGUARD_PASSED */
            share = ngx_http_modelguard_zone_share(&charges[i]);

            if (share < least) {
                least = share;
                passed = i;
            }
        }
    }

    return (limited < n) ? limited : (exhausted < n) ? exhausted : passed;
}


/* what is left of the budget spoken of, in parts of 2^20 */

static uint64_t
ngx_http_modelguard_zone_share(ngx_http_modelguard_zone_charge_t *charge)
{
    const modelguard_budget_t  *budget;

    budget = charge->charges[charge->verdict.which].budget;

    /* fits: remaining is below 2^41 */

    return (charge->charges[charge->verdict.which].remaining << 20)
           / (budget->limit + budget->burst);
}
