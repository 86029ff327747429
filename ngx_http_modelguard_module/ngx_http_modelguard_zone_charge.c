
/*
 * Copyright (C) the modelguard authors
 *
 * Charging in several zones, all or nothing.
 */


#include "ngx_http_modelguard_zone.h"


static ngx_int_t ngx_http_modelguard_zone_lock(
    ngx_http_modelguard_zone_charge_t *charges, ngx_uint_t n, ngx_log_t *log);
static void ngx_http_modelguard_zone_unlock(
    ngx_http_modelguard_zone_charge_t *charges, ngx_uint_t n);
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
    ngx_uint_t  i;

    if (ngx_http_modelguard_zone_lock(charges, n, log) == NGX_OK) {
        ngx_http_modelguard_zone_charge_locked(charges, n, now);
        ngx_http_modelguard_zone_unlock(charges, n);
    }

    for (i = 0; i < n; i++) {
        if (charges[i].verdict.verdict == MODELGUARD_EXHAUSTED) {
            ngx_http_modelguard_zone_full(charges[i].zone, now, log);
        }
    }

    return ngx_http_modelguard_zone_speaker(charges, n);
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
    ngx_uint_t                          i, j, k;
    modelguard_table_t                 *table, *other;
    ngx_http_modelguard_zone_charge_t  *charge;

    for (i = 0; i < n; i++) {
        charge = &charges[i];
        table = charge->zone->table;

        charge->shard = modelguard_table_shard(table, &charge->id);

        for (j = i; j; j--) {
            other = charges[charges[j - 1].order].zone->table;

            if (other->uid[0] < table->uid[0]
                || (other->uid[0] == table->uid[0]
                    && other->uid[1] <= table->uid[1]))
            {
                break;
            }

            charges[j].order = charges[j - 1].order;
        }

        charges[j].order = i;
    }

    for (i = 0; i < n; i++) {
        charge = &charges[charges[i].order];

        if (modelguard_table_lock(charge->zone->table, charge->shard)
            == MODELGUARD_OK)
        {
            continue;
        }

        ngx_log_error(NGX_LOG_ALERT, log, 0,
                      "modelguard: zone \"%V\" cannot be locked",
                      &charge->zone->shm_zone->shm.name);

        ngx_http_modelguard_zone_unlock(charges, i);

        for (j = 0; j < n; j++) {
            ngx_memzero(&charges[j].verdict, sizeof(modelguard_verdict_t));

            for (k = 0; k < charges[j].n; k++) {
                charges[j].charges[k].refused = 0;
                charges[j].charges[k].remaining = 0;
                charges[j].charges[k].reset = 0;
                charges[j].charges[k].wait = 0;
            }
        }

        charge->verdict.verdict = MODELGUARD_EXHAUSTED;

        return NGX_ERROR;
    }

    return NGX_OK;
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
