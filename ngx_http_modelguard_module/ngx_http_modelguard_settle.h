
/*
 * Copyright (C) the modelguard authors
 *
 * The end of a bill: when the request's pool is destroyed, what was reserved
 * becomes what the request has cost, or is given back, and leases end.
 */


#ifndef NGX_HTTP_MODELGUARD_SETTLE_H_INCLUDED
#define NGX_HTTP_MODELGUARD_SETTLE_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_modelguard_bill.h"


#define NGX_HTTP_MODELGUARD_BYTES_PER_TOKEN  4   /* where no usage is told */

#define NGX_HTTP_MODELGUARD_BITS_PER_FLOAT   23  /* where nothing is read */
#define NGX_HTTP_MODELGUARD_BYTES_PER_FLOAT  4


/*
 * The bills of this process that hold leases, and the timer that dates them
 * anew.  It is the timer's data: a debug log looks for "fd" where
 * ngx_connection_t has it.
 */

struct ngx_http_modelguard_leases_s {
    ngx_queue_t    bills;
    void          *unused;
    ngx_socket_t   fd;
    ngx_event_t    event;
    ngx_msec_t     period;
};


/*
 * While the configuration is read: some budget has leases of so many ms.
 * NGX_CONF_OK or NGX_CONF_ERROR.
 */

char *ngx_http_modelguard_settle_conf(ngx_conf_t *cf, uint64_t lease);

/*
 * The bill was charged: it is settled when the request's pool goes, and its
 * leases, if it has any, are kept alive.  Once for a bill.
 */

void ngx_http_modelguard_settle_open(ngx_http_modelguard_bill_t *bill);

/* what the cleanup does, "data" being the bill; nothing the second time */

void ngx_http_modelguard_settle(void *data);


#endif /* NGX_HTTP_MODELGUARD_SETTLE_H_INCLUDED */
