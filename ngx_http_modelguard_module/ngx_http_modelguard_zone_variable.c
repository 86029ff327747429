
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_zone_variable.h"
#include "ngx_http_modelguard_zone.h"


typedef struct {
    ngx_str_t   word;
    ngx_uint_t  offset;              /* in modelguard_table_stat_t */
} ngx_http_modelguard_zone_word_t;


static ngx_http_modelguard_zone_t *ngx_http_modelguard_zone_named(
    ngx_http_request_t *r, ngx_str_t *name);
static ngx_int_t ngx_http_modelguard_zone_count(
    ngx_http_modelguard_zone_t *zone, ngx_str_t *word, uint64_t *count);


static ngx_http_modelguard_zone_word_t  ngx_http_modelguard_zone_words[] = {
    { ngx_string("records"), offsetof(modelguard_table_stat_t, records) },
    { ngx_string("passed"), offsetof(modelguard_table_stat_t, passed) },
    { ngx_string("limited"), offsetof(modelguard_table_stat_t, limited) },
    { ngx_string("banned"), offsetof(modelguard_table_stat_t, banned) },
    { ngx_string("bans"), offsetof(modelguard_table_stat_t, bans) },
    { ngx_string("evicted"), offsetof(modelguard_table_stat_t, evicted) },
    { ngx_string("expired"), offsetof(modelguard_table_stat_t, expired) },
    { ngx_string("exhausted"), offsetof(modelguard_table_stat_t, exhausted) },
    { ngx_string("skipped"), offsetof(modelguard_table_stat_t, skipped) },
    { ngx_string("recovered"), offsetof(modelguard_table_stat_t, recovered) },
    { ngx_string("repaired"), offsetof(modelguard_table_stat_t, repaired) },
    { ngx_null_string, 0 }
};


ngx_int_t
ngx_http_modelguard_zone_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *name = (ngx_str_t *) data;

    u_char                      *p, *last;
    uint64_t                     count;
    ngx_str_t                    word, rest;
    ngx_http_modelguard_zone_t  *zone;

    word.data = name->data + sizeof("modelguard_zone_") - 1;
    last = name->data + name->len;

    p = ngx_strlchr(word.data, last, '_');

    if (p == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    word.len = p - word.data;

    rest.data = p + 1;
    rest.len = last - rest.data;

    zone = ngx_http_modelguard_zone_named(r, &rest);

    if (zone == NULL
        || ngx_http_modelguard_zone_count(zone, &word, &count) != NGX_OK)
    {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    v->data = p;
    v->len = ngx_sprintf(p, "%uL", count) - p;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


/* nginx makes the names of variables small letters */

static ngx_http_modelguard_zone_t *
ngx_http_modelguard_zone_named(ngx_http_request_t *r, ngx_str_t *name)
{
    ngx_str_t                        *s;
    ngx_uint_t                        i;
    ngx_http_modelguard_zone_t      **zone;
    ngx_http_modelguard_main_conf_t  *mgmcf;

    mgmcf = ngx_http_get_module_main_conf(r, ngx_http_modelguard_module);

    zone = mgmcf->zones.elts;

    for (i = 0; i < mgmcf->zones.nelts; i++) {
        s = &zone[i]->shm_zone->shm.name;

        if (s->len == name->len
            && ngx_strncasecmp(s->data, name->data, name->len) == 0)
        {
            return zone[i];
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_modelguard_zone_count(ngx_http_modelguard_zone_t *zone,
    ngx_str_t *word, uint64_t *count)
{
    modelguard_table_t               *table;
    modelguard_table_stat_t           stat;
    ngx_http_modelguard_zone_word_t  *one;

    /* if the new one cannot be had, the old one is the best there is */

    if (zone->table->moved) {
        (void) ngx_http_modelguard_zone_follow(zone, ngx_cycle->log);
    }

    table = zone->table;

    if (word->len == 8 && ngx_strncmp(word->data, "capacity", 8) == 0) {
        *count = modelguard_table_capacity(table->size, table->cells);
        return NGX_OK;
    }

    for (one = ngx_http_modelguard_zone_words; one->word.len; one++) {

        if (one->word.len == word->len
            && ngx_strncmp(one->word.data, word->data, word->len) == 0)
        {
            modelguard_table_stat(table, &stat);
            *count = *(uint64_t *) ((u_char *) &stat + one->offset);
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}
