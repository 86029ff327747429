
/*
 * Copyright (C) the modelguard authors
 *
 * What is wrong with a state file.
 */


#include "ngx_http_modelguard_state.h"
#include "ngx_http_modelguard_state_call.h"


static ngx_int_t ngx_http_modelguard_state_header(
    ngx_http_modelguard_state_t *state, const modelguard_table_t *header,
    size_t len, off_t size, ngx_log_t *log);
static ngx_int_t ngx_http_modelguard_state_zeros(
    ngx_http_modelguard_state_t *state, off_t size);


ngx_int_t
ngx_http_modelguard_state_look(ngx_http_modelguard_state_t *state,
    uint64_t *secret, ngx_log_t *log)
{
    char       *name, *slash;
    ngx_int_t   rc;
    ngx_err_t   err;

    rc = ngx_http_modelguard_state_file(state, O_RDONLY, log);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    name = (char *) state->path.data;
    slash = strrchr(name, '/');

    if (rc == NGX_OK) {
        rc = ngx_http_modelguard_state_check(state, secret, log);
        ngx_http_modelguard_state_close(state, log);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        err = (access(name, R_OK|W_OK) == -1) ? ngx_errno : 0;

    } else {
        *slash = '\0';
        err = (access(slash == name ? "/" : name, W_OK|X_OK) == -1)
              ? ngx_errno : 0;
        *slash = '/';
    }

    if (err) {
        ngx_http_modelguard_state_refused(state, err, log);
        return NGX_ERROR;
    }

    return rc;
}


ngx_int_t
ngx_http_modelguard_state_check(ngx_http_modelguard_state_t *state,
    uint64_t *secret, ngx_log_t *log)
{
    ssize_t          n;
    ngx_err_t        err;
    ngx_int_t        rc;
    ngx_uint_t       i;
    ngx_file_info_t  fi;
    union {
        modelguard_table_t  table;
        u_char              bytes[MODELGUARD_TABLE_PAGE];
    } header;

    n = 0;
    rc = NGX_OK;

    /* another process may be writing the header of a table at work */

    for (i = 0; i < 10; i++) {
        ngx_memzero(&header, sizeof(header));

        ngx_http_modelguard_state_call(n, pread(state->fd, &header,
                                                sizeof(header), 0));

        if (n == -1 || ngx_fd_info(state->fd, &fi) == NGX_FILE_ERROR) {
            err = ngx_errno;

            ngx_log_error(state->level, log, err,
                          "modelguard zone \"%V\": the state file \"%V\" "
                          "cannot be read", state->zone, &state->path);
            return NGX_ERROR;
        }

        if (ngx_file_size(&fi) == 0) {
            return NGX_DECLINED;
        }

        rc = modelguard_table_check(&header, sizeof(header),
                                    ngx_file_size(&fi));

        if (rc != MODELGUARD_TABLE_TORN || state->first) {
            break;
        }

        ngx_msleep(1);
    }

    if (rc == MODELGUARD_OK) {

        *secret = header.table.secret;
        return NGX_OK;
    }

    return ngx_http_modelguard_state_header(state, &header.table, n,
                                            ngx_file_size(&fi), log);
}


static ngx_int_t
ngx_http_modelguard_state_header(ngx_http_modelguard_state_t *state,
    const modelguard_table_t *header, size_t len, off_t size, ngx_log_t *log)
{
    size_t         i;
    const char    *why;
    const u_char  *bytes;

    bytes = (const u_char *) header;

    for (i = 0; i < len; i++) {
        if (bytes[i]) {
            break;
        }
    }

    if (i == len) {

        if (ngx_http_modelguard_state_zeros(state, size) == NGX_OK) {
            ngx_log_error(NGX_LOG_WARN, log, 0,
                          "modelguard zone \"%V\": the state file \"%V\" is "
                          "nothing but zeros, it is begun anew", state->zone,
                          &state->path);
            return NGX_DECLINED;
        }

        why = "has no header: it is damaged";

    } else if (len < sizeof(uint64_t)
               || header->magic != MODELGUARD_TABLE_MAGIC)
    {
        why = "is not a modelguard state file";

    } else if (len < sizeof(modelguard_table_t)) {
        why = "ends within its header: it was cut";

    } else if (header->layout != MODELGUARD_TABLE_LAYOUT) {
        ngx_log_error(state->level, log, 0,
                      "modelguard zone \"%V\": the state file \"%V\" has the "
                      "layout %uD of %s module, not %d, move it away to begin "
                      "anew", state->zone, &state->path, header->layout,
                      header->layout < MODELGUARD_TABLE_LAYOUT
                      ? "an older" : "a newer", MODELGUARD_TABLE_LAYOUT);
        return NGX_ERROR;

    } else if (header->size != (uint64_t) size) {
        ngx_log_error(state->level, log, 0,
                      "modelguard zone \"%V\": the state file \"%V\" has %O "
                      "bytes, not %uL: it was cut or grown, move it away to "
                      "begin anew", state->zone, &state->path, size,
                      header->size);
        return NGX_ERROR;

    } else {
        why = "has a damaged header";
    }

    ngx_log_error(state->level, log, 0,
                  "modelguard zone \"%V\": the state file \"%V\" %s, move it "
                  "away to begin anew", state->zone, &state->path, why);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_modelguard_state_zeros(ngx_http_modelguard_state_t *state,
    off_t size)
{
    off_t    offset;
    ssize_t  i, n;
    u_char   buf[MODELGUARD_TABLE_PAGE];

    for (offset = 0; offset < size; offset += n) {
        ngx_http_modelguard_state_call(n, pread(state->fd, buf, sizeof(buf),
                                                offset));

        if (n <= 0) {
            return NGX_DECLINED;
        }

        for (i = 0; i < n; i++) {
            if (buf[i]) {
                return NGX_DECLINED;
            }
        }
    }

    return NGX_OK;
}


void
ngx_http_modelguard_state_refused(ngx_http_modelguard_state_t *state,
    ngx_err_t err, ngx_log_t *log)
{
    const char  *why;

    switch (err) {

    case ELOOP:
    case EMLINK:
        why = "is a symbolic link, which is not followed";
        break;

    case NGX_EISDIR:
        why = "is a directory, it must be a file";
        break;

    case ENXIO:
    case ENODEV:
        why = "is not a regular file";
        break;

    case NGX_EACCES:
    case NGX_EPERM:
        why = "cannot be read and written by this user";
        break;

    case EROFS:
        why = "is on a read-only file system";
        break;

    case NGX_ENOENT:
    case NGX_ENOTDIR:
        why = "is in a directory that does not exist";
        break;

    default:
        why = "cannot be opened";
    }

    ngx_log_error(state->level, log, err,
                  "modelguard zone \"%V\": the state file \"%V\" %s",
                  state->zone, &state->path, why);
}
