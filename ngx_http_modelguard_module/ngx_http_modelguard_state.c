
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_state.h"
#include "ngx_http_modelguard_state_call.h"

#include <sys/file.h>
#include <sys/mman.h>


#define NGX_HTTP_MODELGUARD_STATE_STEP  100    /* ms */


static void ngx_http_modelguard_state_own(ngx_http_modelguard_state_t *state,
    ngx_file_info_t *fi, ngx_log_t *log);
static ngx_int_t ngx_http_modelguard_state_lock(
    ngx_http_modelguard_state_t *state, ngx_log_t *log);
static ngx_int_t ngx_http_modelguard_state_share(
    ngx_http_modelguard_state_t *state, ngx_log_t *log);
static ngx_int_t ngx_http_modelguard_state_memory(
    ngx_http_modelguard_state_t *state, size_t size, ngx_log_t *log);
static ngx_err_t ngx_http_modelguard_state_allocate(ngx_fd_t fd, size_t size);
static ngx_int_t ngx_http_modelguard_state_repair(
    ngx_http_modelguard_state_t *state, ngx_log_t *log);


ngx_int_t
ngx_http_modelguard_state_open(ngx_http_modelguard_state_t *state,
    uint64_t *secret, ngx_log_t *log)
{
    ngx_int_t  rc;

    rc = ngx_http_modelguard_state_file(state, O_RDWR, log);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_modelguard_state_lock(state, log);

    if (rc == NGX_OK
        && ngx_http_modelguard_state_current(state) != NGX_OK)
    {
        rc = NGX_AGAIN;
    }

    if (rc == NGX_OK) {
        rc = ngx_http_modelguard_state_check(state, secret, log);
    }

    if (rc != NGX_OK) {
        ngx_http_modelguard_state_close(state, log);
    }

    return rc;
}


ngx_int_t
ngx_http_modelguard_state_map(ngx_http_modelguard_state_t *state,
    ngx_log_t *log)
{
    ngx_file_info_t  fi;

    if (ngx_fd_info(state->fd, &fi) == NGX_FILE_ERROR) {
        ngx_log_error(state->level, log, ngx_errno,
                      ngx_fd_info_n " \"%V\" failed", &state->path);
        return NGX_ERROR;
    }

    ngx_http_modelguard_state_own(state, &fi, log);

    if (ngx_http_modelguard_state_memory(state, ngx_file_size(&fi), log)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return state->first ? ngx_http_modelguard_state_repair(state, log)
                        : NGX_OK;
}


void
ngx_http_modelguard_state_close(ngx_http_modelguard_state_t *state,
    ngx_log_t *log)
{
    if (state->table != NULL) {

        if (munmap(state->table, state->mapped) == -1) {
            ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                          "munmap(\"%V\") failed", &state->path);
        }

        state->table = NULL;
    }

    if (state->fd != NGX_INVALID_FILE) {

        if (ngx_close_file(state->fd) == NGX_FILE_ERROR) {
            ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                          ngx_close_file_n " \"%V\" failed", &state->path);
        }

        state->fd = NGX_INVALID_FILE;
    }
}


ngx_int_t
ngx_http_modelguard_state_current(ngx_http_modelguard_state_t *state)
{
    ngx_file_info_t  fi;

    if (lstat((char *) state->path.data, &fi) == -1) {
        return (state->ino == 0) ? NGX_OK : NGX_DECLINED;
    }

    return (fi.st_ino == state->ino && fi.st_dev == state->dev)
           ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_http_modelguard_state_whole(ngx_http_modelguard_state_t *state)
{
    ngx_file_info_t  fi;

    if (ngx_fd_info(state->fd, &fi) == NGX_FILE_ERROR
        || ngx_file_size(&fi) < (off_t) state->mapped)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_modelguard_state_file(ngx_http_modelguard_state_t *state, int flags,
    ngx_log_t *log)
{
    ngx_err_t        err;
    ngx_file_info_t  fi;

    state->dev = 0;
    state->ino = 0;
    state->first = 0;

    flags |= O_CLOEXEC|O_NOFOLLOW|O_NONBLOCK|O_NOCTTY;

    ngx_http_modelguard_state_call(state->fd,
                                   open((char *) state->path.data, flags));

    if (state->fd == NGX_INVALID_FILE) {
        err = ngx_errno;

        if (err == NGX_ENOENT) {
            return NGX_DECLINED;
        }

        ngx_http_modelguard_state_refused(state, err, log);
        return NGX_ERROR;
    }

    err = 0;

    if (ngx_fd_info(state->fd, &fi) == NGX_FILE_ERROR) {
        err = ngx_errno;

    } else if (ngx_is_dir(&fi)) {
        err = NGX_EISDIR;

    } else if (!ngx_is_file(&fi)) {
        err = ENXIO;
    }

    if (err) {
        ngx_http_modelguard_state_refused(state, err, log);
        ngx_http_modelguard_state_close(state, log);
        return NGX_ERROR;
    }

    state->dev = fi.st_dev;
    state->ino = fi.st_ino;

    return NGX_OK;
}


/* the workers must be able to open it again, and nobody else */

static void
ngx_http_modelguard_state_own(ngx_http_modelguard_state_t *state,
    ngx_file_info_t *fi, ngx_log_t *log)
{
    if (geteuid() == 0 && fi->st_uid != state->user) {

        if (fchown(state->fd, state->user, (gid_t) -1) == -1) {
            ngx_log_error(NGX_LOG_WARN, log, ngx_errno,
                          "fchown(\"%V\") failed", &state->path);

        } else {
            ngx_log_error(NGX_LOG_NOTICE, log, 0,
                          "modelguard zone \"%V\": the state file \"%V\" was "
                          "of user %d, now of %d", state->zone, &state->path,
                          (int) fi->st_uid, (int) state->user);
        }
    }

    if ((fi->st_mode & 07777) == 0600) {
        return;
    }

    if (fchmod(state->fd, 0600) == -1) {
        ngx_log_error(NGX_LOG_WARN, log, ngx_errno,
                      "fchmod(\"%V\") failed", &state->path);
        return;
    }

    ngx_log_error(NGX_LOG_WARN, log, 0,
                  "modelguard zone \"%V\": the mode of the state file \"%V\" "
                  "was " NGX_HTTP_MODELGUARD_MODE_FORMAT ", now 0600",
                  state->zone, &state->path,
                  ngx_http_modelguard_mode(fi->st_mode));
}


static ngx_int_t
ngx_http_modelguard_state_lock(ngx_http_modelguard_state_t *state,
    ngx_log_t *log)
{
    int        rc;
    ngx_err_t  err;

    ngx_http_modelguard_state_call(rc, flock(state->fd, LOCK_EX|LOCK_NB));

    if (rc == 0) {
        state->first = 1;
        return NGX_OK;
    }

    err = ngx_errno;

    if (err == EWOULDBLOCK) {
        return ngx_http_modelguard_state_share(state, log);
    }

    ngx_log_error(state->level, log, err,
                  "modelguard zone \"%V\": the state file \"%V\" cannot be "
                  "locked", state->zone, &state->path);
    return NGX_ERROR;
}


/* also gives up an exclusive lock; somebody else may have it in between */

static ngx_int_t
ngx_http_modelguard_state_share(ngx_http_modelguard_state_t *state,
    ngx_log_t *log)
{
    int         rc;
    ngx_err_t   err;
    ngx_uint_t  i;

    for (i = 0; /* void */ ; i++) {

        ngx_http_modelguard_state_call(rc, flock(state->fd, LOCK_SH|LOCK_NB));

        if (rc == 0) {
            return NGX_OK;
        }

        err = ngx_errno;

        if (err != EWOULDBLOCK || i == state->patience) {
            break;
        }

        ngx_msleep(NGX_HTTP_MODELGUARD_STATE_STEP);
    }

    ngx_log_error(state->level, log, err,
                  "modelguard zone \"%V\": the state file \"%V\" is locked by "
                  "another process for too long", state->zone, &state->path);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_modelguard_state_memory(ngx_http_modelguard_state_t *state,
    size_t size, ngx_log_t *log)
{
    void  *addr;

    addr = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED, state->fd, 0);

    if (addr == MAP_FAILED) {
        ngx_log_error(state->level, log, ngx_errno,
                      "modelguard zone \"%V\": mmap(\"%V\", %uz) failed",
                      state->zone, &state->path, size);
        return NGX_ERROR;
    }

    state->table = addr;
    state->mapped = size;

    return NGX_OK;
}


/* also tells without errno */

static ngx_err_t
ngx_http_modelguard_state_allocate(ngx_fd_t fd, size_t size)
{
    ngx_err_t  err;

    do {
        err = posix_fallocate(fd, 0, size);
    } while (err == NGX_EINTR);

    return err;
}


/* nobody else uses the file: nobody comes in before we share it */

static ngx_int_t
ngx_http_modelguard_state_repair(ngx_http_modelguard_state_t *state,
    ngx_log_t *log)
{
    ngx_int_t                   rc;
    ngx_err_t                   err;
    ngx_time_t                 *tp;
    modelguard_table_report_t   report;

    /* a file with holes would kill a worker when the disk is full */

    err = ngx_http_modelguard_state_allocate(state->fd, state->mapped);

    if (err) {
        ngx_log_error(state->level, log, err,
                      "modelguard zone \"%V\": the %uz bytes of the state "
                      "file \"%V\" cannot be allocated", state->zone,
                      state->mapped, &state->path);
        return NGX_ERROR;
    }

    tp = ngx_timeofday();

    modelguard_table_open(state->table,
                          (uint64_t) tp->sec * 1000 + tp->msec, &report);

    if (report.repaired || report.replayed) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "modelguard zone \"%V\": of the state file \"%V\" %uL "
                      "records were torn and count as spent, %uL changes were "
                      "completed", state->zone, &state->path, report.repaired,
                      report.replayed);
    }

    ngx_log_error(NGX_LOG_NOTICE, log, 0,
                  "modelguard zone \"%V\": the state file \"%V\" has %uL "
                  "clients", state->zone, &state->path, report.records);

    rc = ngx_http_modelguard_state_share(state, log);

    if (rc == NGX_OK
        && ngx_http_modelguard_state_current(state) != NGX_OK)
    {
        return NGX_AGAIN;
    }

    return rc;
}


ngx_int_t
ngx_http_modelguard_state_create(ngx_http_modelguard_state_t *state,
    ngx_http_modelguard_state_t *next, ngx_log_t *log)
{
    int              result;
    ngx_err_t        err;
    ngx_int_t        rc;
    ngx_file_info_t  fi, there;

    *next = *state;
    next->table = NULL;
    next->first = 1;

    ngx_http_modelguard_state_call(next->fd, open((char *) next->next.data,
                                       O_RDWR|O_CREAT|O_CLOEXEC|O_NOFOLLOW
                                       |O_NONBLOCK, 0600));

    if (next->fd == NGX_INVALID_FILE) {
        err = ngx_errno;
        next->path = next->next;
        ngx_http_modelguard_state_refused(next, err, log);
        return NGX_ERROR;
    }

    /* whoever holds this lock is the only one who may rename over the path */

    ngx_http_modelguard_state_call(result, flock(next->fd, LOCK_EX|LOCK_NB));

    if (result == -1
        || ngx_fd_info(next->fd, &fi) == NGX_FILE_ERROR
        || lstat((char *) next->next.data, &there) == -1
        || fi.st_ino != there.st_ino || fi.st_dev != there.st_dev)
    {
        rc = NGX_AGAIN;
        goto failed;
    }

    /* what else lies there, or lies elsewhere too, is not ours to empty */

    if (ngx_http_modelguard_state_current(state) != NGX_OK
        || !ngx_is_file(&fi) || fi.st_nlink != 1
        || (fi.st_uid != geteuid() && fi.st_uid != next->user))
    {
        (void) ngx_delete_file(next->next.data);
        rc = NGX_AGAIN;
        goto failed;
    }

    next->dev = fi.st_dev;
    next->ino = fi.st_ino;

    err = 0;

    ngx_http_modelguard_state_call(result, ftruncate(next->fd, 0));

    if (result == -1
        || fchmod(next->fd, 0600) == -1
        || (geteuid() == 0 && fchown(next->fd, next->user, (gid_t) -1) == -1))
    {
        err = ngx_errno;
    }

    if (err == 0) {
        err = ngx_http_modelguard_state_allocate(next->fd, next->size);
    }

    if (err) {
        ngx_log_error(next->level, log, err,
                      "modelguard zone \"%V\": the %uz bytes of \"%V\" cannot "
                      "be allocated", next->zone, next->size, &next->next);

    } else if (ngx_http_modelguard_state_memory(next, next->size, log)
               == NGX_OK)
    {
        return NGX_OK;
    }

    (void) ngx_delete_file(next->next.data);
    rc = NGX_ERROR;

failed:

    ngx_http_modelguard_state_close(next, log);

    return rc;
}


ngx_int_t
ngx_http_modelguard_state_publish(ngx_http_modelguard_state_t *next,
    ngx_log_t *log)
{
    if (ngx_rename_file(next->next.data, next->path.data) == NGX_FILE_ERROR) {
        ngx_log_error(next->level, log, ngx_errno,
                      ngx_rename_file_n " \"%V\" to \"%V\" failed",
                      &next->next, &next->path);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_modelguard_state_finish(ngx_http_modelguard_state_t *next,
    ngx_log_t *log)
{
    if (ngx_http_modelguard_state_share(next, log) != NGX_OK) {
        return NGX_ERROR;
    }

    /* a rename may outlive a power failure that the contents do not */

    if (fdatasync(next->fd) == -1) {
        ngx_log_error(NGX_LOG_WARN, log, ngx_errno,
                      "fdatasync(\"%V\") failed", &next->path);
    }

    return NGX_OK;
}


void
ngx_http_modelguard_state_abandon(ngx_http_modelguard_state_t *next,
    ngx_log_t *log)
{
    (void) ngx_delete_file(next->next.data);

    ngx_http_modelguard_state_close(next, log);
}
