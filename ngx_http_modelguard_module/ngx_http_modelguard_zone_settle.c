
/*
 * Copyright (C) the modelguard authors
 *
 * What is asked of one zone outside of charging.
 */


#include "ngx_http_modelguard_zone.h"


void
ngx_http_modelguard_zone_settle(ngx_http_modelguard_zone_t *zone,
    const modelguard_id_t *id, const modelguard_settle_t *settles,
    ngx_uint_t n, uint64_t now)
{
    int       rc;
    unsigned  shard;

    if (ngx_http_modelguard_zone_enter(zone, id, &shard, ngx_cycle->log)
        != NGX_OK)
    {
        return;
    }

    rc = modelguard_table_settle(zone->table, id, settles, (unsigned) n, now);

    modelguard_table_unlock(zone->table, shard);

    /* the record was evicted, and the zone is full of clients who owe more */

    if (rc != MODELGUARD_OK) {
        ngx_http_modelguard_zone_full(zone, now, ngx_cycle->log);
    }
}


ngx_uint_t
ngx_http_modelguard_zone_strike(ngx_http_modelguard_zone_t *zone,
    const modelguard_id_t *id, const modelguard_ban_t *ban, uint64_t now)
{
    unsigned         shard;
    ngx_uint_t       began;
    modelguard_id_t  overflow;

    /* who shares a record with others is not banned for what they do */

    modelguard_table_overflow(&overflow);

    if (id->low == overflow.low && id->high == overflow.high) {
        return 0;
    }

    if (ngx_http_modelguard_zone_enter(zone, id, &shard, ngx_cycle->log)
        != NGX_OK)
    {
        return 0;
    }

    began = modelguard_table_strike(zone->table, id, ban, now);

    modelguard_table_unlock(zone->table, shard);

    return began;
}
