
/*
 * Copyright (C) the modelguard authors
 *
 * The configuration: structures, creation and merging, and the setters of
 * the directives with all their validation.  Constant at request time.
 */


#ifndef NGX_HTTP_MODELGUARD_CONF_H_INCLUDED
#define NGX_HTTP_MODELGUARD_CONF_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "modelguard_rules.h"
#include "modelguard_rewrite.h"
#include "modelguard_meter_rules.h"
#include "modelguard_param.h"
#include "modelguard_table.h"
#include "ngx_http_modelguard_ctx.h"
#include "ngx_http_modelguard_memory.h"


#define NGX_HTTP_MODELGUARD_BLOCK         0   /* modelguard_on_error */
#define NGX_HTTP_MODELGUARD_PASS          1

#define NGX_HTTP_MODELGUARD_OPAQUE_REJECT 0   /* modelguard_opaque */
#define NGX_HTTP_MODELGUARD_OPAQUE_PASS   1

#define NGX_HTTP_MODELGUARD_BINARY_OFF    0   /* modelguard_binary_output */
#define NGX_HTTP_MODELGUARD_BINARY_JSON   1
#define NGX_HTTP_MODELGUARD_BINARY_FORBID 2

#define NGX_HTTP_MODELGUARD_IDLE          0   /* active */
#define NGX_HTTP_MODELGUARD_CHARGES       1   /* nothing with a response that is
                                                 no error */
#define NGX_HTTP_MODELGUARD_ACTIVE        2

#define NGX_HTTP_MODELGUARD_BAN_UNSET     0xffffffff  /* ban.after */

#define NGX_HTTP_MODELGUARD_UNIT_REQUESTS 0
#define NGX_HTTP_MODELGUARD_UNIT_ITEMS    1
#define NGX_HTTP_MODELGUARD_UNIT_TOKENS   2
#define NGX_HTTP_MODELGUARD_UNIT_BYTES    3
#define NGX_HTTP_MODELGUARD_UNIT_BITS     4
#define NGX_HTTP_MODELGUARD_UNIT_CONCURRENT  5
#define NGX_HTTP_MODELGUARD_UNITS         6   /* how many */


/*
 * What follows a question that all requests are asked, and is not to make
 * the question longer: a frame on the stack, registers saved.
 */

#if defined(__GNUC__)
#define ngx_http_modelguard_noinline  __attribute__((noinline))
#else
#define ngx_http_modelguard_noinline
#endif


typedef struct ngx_http_modelguard_zone_s  ngx_http_modelguard_zone_t;
typedef struct ngx_http_modelguard_costs_s  ngx_http_modelguard_costs_t;
typedef struct ngx_http_modelguard_leases_s  ngx_http_modelguard_leases_t;


/* modelguard_budget */

typedef struct {
    ngx_str_t                    name;
    uint64_t                     id;         /* of the name, hashed */
    ngx_http_modelguard_zone_t  *zone;       /* ngx_http_modelguard_zone.h */
    modelguard_budget_t          budget;     /* limit 1, burst 0 where they
                                                come from variables */
    ngx_uint_t                   unit;
    ngx_http_complex_value_t    *limit;      /* NULL: as in "budget" */
    ngx_http_complex_value_t    *burst;
    unsigned                     dry_run:1;
    unsigned                     always:1;   /* charge=always */
    u_char                      *file;       /* where it stands */
    ngx_uint_t                   line;
} ngx_http_modelguard_budget_conf_t;


typedef struct {
    ngx_str_t                    name;
    modelguard_profile_t         profile;
} ngx_http_modelguard_profile_conf_t;


/* a profile as compiled for the fields of one location */

typedef struct {
    ngx_str_t                    name;
    modelguard_rules_t          *rules;      /* NULL: nothing to rewrite */
} ngx_http_modelguard_rules_conf_t;


/* where values are metered in what a profile lets through */

typedef struct {
    ngx_str_t                    name;       /* "": not guarded */
    modelguard_meter_rules_t    *rules;
} ngx_http_modelguard_values_conf_t;


/* a name that was used before it was defined, with the place of its use */

typedef struct {
    ngx_str_t                    name;
    ngx_http_modelguard_budget_conf_t
                                *budget;     /* that wants the zone of that
                                                name; NULL: it is a profile */
    u_char                      *file;
    ngx_uint_t                   line;
} ngx_http_modelguard_wanted_t;


typedef struct {
    ngx_array_t                  profiles;   /* of ..._profile_conf_t */
    ngx_array_t                  zones;      /* of ..._zone_t * */
    ngx_array_t                  wanted;     /* of ..._wanted_t */
    ngx_array_t                  compiled;   /* what was compiled so far, see
                                                ngx_http_modelguard_rules.c */
    modelguard_meter_rules_t    *usage;      /* the built-in places of token
                                                counts, if needed */
    modelguard_rules_t          *nothing;    /* rules without fields, to look
                                                at what passes */
    ngx_str_t                    secret_file;   /* modelguard_secret */
    uint8_t                      secret[MODELGUARD_HASH_SECRET];
    ngx_shm_zone_t              *stat;       /* the counters, NULL if not
                                                used */
    ngx_http_modelguard_leases_t
                                *leases;     /* of this process that are open;
                                                NULL: no budget has any */
    ngx_http_modelguard_memory_t
                                *memory;     /* for responses */
    unsigned                     used:1;     /* some location is guarded or
                                                has budgets */
} ngx_http_modelguard_main_conf_t;


struct ngx_http_modelguard_loc_conf_s {
    ngx_array_t                 *fields;     /* of modelguard_field_t * */
    ngx_http_complex_value_t    *profile;    /* "modelguard": NULL when off */
    ngx_flag_t                   guarded;    /* 0 also when never set */
    ngx_flag_t                   off;        /* "modelguard off" is written */
    u_char                      *file;       /* where "modelguard" stands */
    ngx_uint_t                   line;
    ngx_array_t                 *rules;      /* of ..._rules_conf_t; one for a
                                                constant name, else one for
                                                each profile */
    ngx_array_t                 *budgets;    /* of ..._budget_conf_t; NULL or
                                                empty: none */
    ngx_http_modelguard_costs_t *costs;      /* modelguard_cost, or NULL */
    modelguard_meter_rules_t    *usage;      /* places of token counts; NULL
                                                unless meter_tokens */
    ngx_array_t                 *values;     /* of ..._values_conf_t, as
                                                "rules"; NULL unless
                                                meter_bits and fields */
    ngx_array_t                 *params;     /* of modelguard_param_t, as
                                                written; NULL or empty: none */
    ngx_array_t                 *checks;     /* the same with what the binary
                                                output asks; NULL: none */
    modelguard_params_t         *inspect;    /* of these and, if a budget
                                                counts items, of the items
                                                fields or the built-in ones;
                                                NULL: no body is read */

    ngx_uint_t                   binary_output;

    ngx_uint_t                   on_error;
    ngx_uint_t                   opaque;
    ngx_uint_t                   error_body;
    ngx_flag_t                   error_upstream;  /* the model server's too */
    ngx_array_t                 *strip;           /* modelguard_strip_headers;
                                                     NULL or empty: none */
    ngx_uint_t                   reject_status;
    ngx_uint_t                   reject_quota;    /* its second code */
    ngx_uint_t                   headers;         /* modelguard_headers: bits,
                                                     see ..._ratelimit.h */
    u_char                      *headers_file;    /* where that stands */
    ngx_uint_t                   headers_line;
    ngx_flag_t                   ratelimit;       /* has budgets, and headers
                                                     are not off */
    ngx_msec_t                   delay_max;       /* modelguard_delay; 0: off */
    ngx_uint_t                   delay_queue;
    modelguard_ban_t             ban;             /* "after" is 0: off */
    ngx_uint_t                   log_level;
    ngx_flag_t                   dry_run;
    size_t                       buffer_size;     /* header held up to */
    size_t                       vector_size;     /* modelguard_rewrite hold */
    size_t                       body_size;       /* request body inspected */
    off_t                        inflate_size;    /* coded response: output;
                                                     0: no limit */
    ngx_uint_t                   depth;
    ngx_hash_t                   types;           /* modelguard_types */
    ngx_array_t                 *types_keys;
    ngx_uint_t                   types_json;      /* application/json is one */

    ngx_uint_t                   active;          /* what is to be done, see
                                                     above: the first question
                                                     of every request */

    unsigned                     meter_tokens:1;  /* a budget's unit is it */
    unsigned                     meter_bits:1;
    unsigned                     tries:1;         /* bodies are read for
                                                     dry-run budgets only */
    unsigned                     plain:1;         /* all budgets count requests
                                                     and are as written, at no
                                                     other cost than 1 */
    unsigned                     direct:1;        /* plain, and no body is to be
                                                     read or metered */
    unsigned                     refunds:1;       /* a budget gives back what
                                                     failed */
    unsigned                     trials:1;        /* a budget only tries */
};


extern ngx_command_t  ngx_http_modelguard_commands[];
extern ngx_str_t  ngx_http_modelguard_default_types[];

void *ngx_http_modelguard_create_main_conf(ngx_conf_t *cf);
char *ngx_http_modelguard_init_main_conf(ngx_conf_t *cf, void *conf);
void *ngx_http_modelguard_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_modelguard_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);

/*
 * The rules of a request in a guarded location: evaluates the profile's name.
 * NGX_OK with *rules (NULL: nothing to rewrite) and *name; NGX_ERROR when a
 * variable names no profile, which has been logged: never an unguarded pass.
 */

ngx_int_t ngx_http_modelguard_conf_rules(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    const modelguard_rules_t **rules, ngx_str_t *name);

/* the profile of that name, or NULL */

ngx_http_modelguard_profile_conf_t *ngx_http_modelguard_conf_profile(
    const ngx_http_modelguard_main_conf_t *mgmcf, ngx_str_t *name);

/*
 * Notes a name to be found once all of http{} is read.  "budget" as in
 * ..._wanted_t.  NGX_OK or NGX_ERROR.
 */

ngx_int_t ngx_http_modelguard_conf_want(ngx_conf_t *cf, ngx_str_t *name,
    ngx_http_modelguard_budget_conf_t *budget);

/* modelguard_alloc_pt over a pool, "data" being the ngx_pool_t */

void *ngx_http_modelguard_alloc(void *data, void *old, size_t old_size,
    size_t size);


extern ngx_module_t  ngx_http_modelguard_module;


#endif /* NGX_HTTP_MODELGUARD_CONF_H_INCLUDED */
