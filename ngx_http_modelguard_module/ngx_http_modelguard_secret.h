
/*
 * Copyright (C) the modelguard authors
 *
 * Secrets under which clients are hashed, and the files that hold them.
 */


#ifndef NGX_HTTP_MODELGUARD_SECRET_H_INCLUDED
#define NGX_HTTP_MODELGUARD_SECRET_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>

#include "modelguard_hash.h"


#define NGX_HTTP_MODELGUARD_SECRET_MIN  16     /* bytes of a file, without */
#define NGX_HTTP_MODELGUARD_SECRET_MAX  4096   /* the newlines at its end */


/*
 * Reads a file of any content, which is folded to MODELGUARD_HASH_SECRET
 * bytes; what ..._secret_write() wrote comes back as it was.  "path" ends
 * with a zero.  NGX_OK; NGX_DECLINED: there is no such file; NGX_ERROR: a
 * message has been logged.
 */

ngx_int_t ngx_http_modelguard_secret_read(const ngx_str_t *path,
    uint8_t *secret, ngx_log_t *log);

/*
 * Makes a file, 0600, all of it or none; the caller sees to it that nobody
 * else does at the same time.  NGX_OK or NGX_ERROR.
 */

ngx_int_t ngx_http_modelguard_secret_write(const ngx_str_t *path,
    const uint8_t *secret, ngx_log_t *log);

/* "len" bytes from the system; NGX_OK or NGX_ERROR */

ngx_int_t ngx_http_modelguard_secret_random(void *p, size_t len,
    ngx_log_t *log);

/* tells secrets apart and gives nothing away of them; never 0 */

uint64_t ngx_http_modelguard_secret_id(const uint8_t *secret);


#endif /* NGX_HTTP_MODELGUARD_SECRET_H_INCLUDED */
