
/*
 * Copyright (C) the modelguard authors
 *
 * A table in a mapped file.  Every cycle of nginx opens and maps the file
 * anew and holds a shared flock() of it.  That lock belongs to the open file
 * description, which workers inherit, so that it is held as long as any
 * process uses the file; who gets it exclusively is alone with the file, and
 * repairs what those before him left behind.
 *
 * A file is never laid out in place: a new one grows beside it, under an
 * exclusive flock(), as "path.new", and is renamed over it when it is whole.
 */


#ifndef NGX_HTTP_MODELGUARD_STATE_H_INCLUDED
#define NGX_HTTP_MODELGUARD_STATE_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>

#include "modelguard_table.h"


#define NGX_HTTP_MODELGUARD_MODE_FORMAT  "%ui%ui%ui%ui"

#define ngx_http_modelguard_mode(mode)                                        \
    (ngx_uint_t) ((mode) >> 9 & 7), (ngx_uint_t) ((mode) >> 6 & 7),           \
    (ngx_uint_t) ((mode) >> 3 & 7), (ngx_uint_t) ((mode) & 7)


typedef struct {
    ngx_str_t            path;       /* absolute, terminated by zero; empty:
                                        there is no file */
    ngx_str_t            next;       /* the same of the file beside it */
    size_t               size;       /* of the file to be, in bytes */
    ngx_str_t           *zone;       /* its name, for the log */
    ngx_uint_t           level;      /* of the messages of errors */
    ngx_uint_t           patience;   /* tenths of a second to wait for others */
    ngx_uid_t            user;       /* the owner to be, if we are root */

    /* what was seen at the path; 0: nothing, or nothing of worth */

    dev_t                dev;
    ino_t                ino;

    /* while it is open */

    ngx_fd_t             fd;         /* else NGX_INVALID_FILE */
    modelguard_table_t  *table;      /* else NULL */
    size_t               mapped;
    unsigned             first:1;    /* nobody else used it */
} ngx_http_modelguard_state_t;


/*
 * For nginx -t: looks at the file and touches nothing.  NGX_OK: "secret" is
 * the id of its secret; NGX_DECLINED: there is none, but there could be;
 * NGX_ERROR: a message has been logged.
 */

ngx_int_t ngx_http_modelguard_state_look(ngx_http_modelguard_state_t *state,
    uint64_t *secret, ngx_log_t *log);

/*
 * Opens and locks what is at the path, and looks at its header.  NGX_OK:
 * "secret" is the id of its secret; NGX_DECLINED: nothing of worth is there;
 * NGX_AGAIN: it was replaced meanwhile; NGX_ERROR: a message has been logged.
 * It is to be closed only after NGX_OK.
 */

ngx_int_t ngx_http_modelguard_state_open(ngx_http_modelguard_state_t *state,
    uint64_t *secret, ngx_log_t *log);

/*
 * Maps what was opened; who is alone with it repairs it.  NGX_OK, NGX_AGAIN
 * or NGX_ERROR as above; the caller closes it.
 */

ngx_int_t ngx_http_modelguard_state_map(ngx_http_modelguard_state_t *state,
    ngx_log_t *log);

/*
 * Unmaps and closes; the file stays.  May be called of one not open.
 */

void ngx_http_modelguard_state_close(ngx_http_modelguard_state_t *state,
    ngx_log_t *log);

/* NGX_OK if the path still leads to what was seen there, else NGX_DECLINED */

ngx_int_t ngx_http_modelguard_state_current(
    ngx_http_modelguard_state_t *state);

/*
 * NGX_OK if what is mapped is still in the file, else NGX_DECLINED: somebody
 * cut it, and who touches what is gone is killed.
 */

ngx_int_t ngx_http_modelguard_state_whole(ngx_http_modelguard_state_t *state);

/*
 * Makes an empty file beside what "state" has seen, and maps it; there is no
 * table in it yet.  NGX_OK; NGX_AGAIN: another process is about it, or has
 * done so; NGX_ERROR: a message has been logged.
 */

ngx_int_t ngx_http_modelguard_state_create(ngx_http_modelguard_state_t *state,
    ngx_http_modelguard_state_t *next, ngx_log_t *log);

/*
 * Puts that file, which has become a table, in the place of what was there;
 * or removes it again.  NGX_OK or NGX_ERROR.
 */

ngx_int_t ngx_http_modelguard_state_publish(ngx_http_modelguard_state_t *next,
    ngx_log_t *log);
void ngx_http_modelguard_state_abandon(ngx_http_modelguard_state_t *next,
    ngx_log_t *log);

/* once it is published: lets others in, and has it written to the disk */

ngx_int_t ngx_http_modelguard_state_finish(ngx_http_modelguard_state_t *next,
    ngx_log_t *log);

/*
 * The steps of these: opens what is at the path, NGX_DECLINED if there is
 * nothing; reads its header, NGX_DECLINED if there is nothing in the file;
 * and says why a file cannot be used.
 */

ngx_int_t ngx_http_modelguard_state_file(ngx_http_modelguard_state_t *state,
    int flags, ngx_log_t *log);
ngx_int_t ngx_http_modelguard_state_check(ngx_http_modelguard_state_t *state,
    uint64_t *secret, ngx_log_t *log);
void ngx_http_modelguard_state_refused(ngx_http_modelguard_state_t *state,
    ngx_err_t err, ngx_log_t *log);


#endif /* NGX_HTTP_MODELGUARD_STATE_H_INCLUDED */
