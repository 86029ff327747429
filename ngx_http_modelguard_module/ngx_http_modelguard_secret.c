
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_secret.h"
#include "ngx_http_modelguard_state_call.h"

#include <ngx_sha1.h>

#if (NGX_LINUX)
#include <sys/random.h>
#endif


#define NGX_HTTP_MODELGUARD_SECRET_MARK  "modelguard-secret-1 "

#define NGX_HTTP_MODELGUARD_SECRET_LEN                                        \
    (sizeof(NGX_HTTP_MODELGUARD_SECRET_MARK) - 1 + 2 * MODELGUARD_HASH_SECRET)


static ngx_int_t ngx_http_modelguard_secret_load(ngx_fd_t fd,
    const ngx_str_t *path, ngx_str_t *text, ngx_log_t *log);
static void ngx_http_modelguard_secret_fold(const ngx_str_t *text,
    uint8_t *secret);
static ngx_int_t ngx_http_modelguard_secret_save(const u_char *name,
    ngx_str_t *text, ngx_log_t *log);


ngx_int_t
ngx_http_modelguard_secret_read(const ngx_str_t *path, uint8_t *secret,
    ngx_log_t *log)
{
    ngx_fd_t   fd;
    ngx_err_t  err;
    ngx_int_t  rc;
    ngx_str_t  text;
    u_char     buf[NGX_HTTP_MODELGUARD_SECRET_MAX + 2];

    ngx_http_modelguard_state_call(fd, open((char *) path->data,
                                            O_RDONLY|O_CLOEXEC|O_NONBLOCK));

    if (fd == NGX_INVALID_FILE) {
        err = ngx_errno;

        if (err == NGX_ENOENT) {
            return NGX_DECLINED;
        }

        ngx_log_error(NGX_LOG_EMERG, log, err,
                      "modelguard secret \"%V\" cannot be opened", path);
        return NGX_ERROR;
    }

    text.data = buf;
    text.len = sizeof(buf);

    rc = ngx_http_modelguard_secret_load(fd, path, &text, log);

    if (rc == NGX_OK) {
        ngx_http_modelguard_secret_fold(&text, secret);
    }

    ngx_explicit_memzero(buf, sizeof(buf));

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", path);
    }

    return rc;
}


static ngx_int_t
ngx_http_modelguard_secret_load(ngx_fd_t fd, const ngx_str_t *path,
    ngx_str_t *text, ngx_log_t *log)
{
    size_t           size;
    ssize_t          n;
    ngx_file_info_t  fi;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR || !ngx_is_file(&fi)) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "modelguard secret \"%V\" is not a regular file", path);
        return NGX_ERROR;
    }

    if (fi.st_mode & (S_IRWXO|S_IWGRP)) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "modelguard secret \"%V\" is accessible to others, "
                      "its mode is %ui%ui%ui%ui: make it 0600", path,
                      (ngx_uint_t) (fi.st_mode >> 9 & 7),
                      (ngx_uint_t) (fi.st_mode >> 6 & 7),
                      (ngx_uint_t) (fi.st_mode >> 3 & 7),
                      (ngx_uint_t) (fi.st_mode & 7));
        return NGX_ERROR;
    }

    /* the beginning of a secret would be another one */

    size = text->len;
    text->len = 0;

    do {
        ngx_http_modelguard_state_call(n, ngx_read_fd(fd,
                                                      text->data + text->len,
                                                      size - text->len));

        if (n == -1) {
            ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                          "modelguard secret \"%V\" cannot be read", path);
            return NGX_ERROR;
        }

        text->len += n;

    } while (n && text->len < size);

    /* an editor's newline does not make it another secret */

    while (text->len && (text->data[text->len - 1] == LF
                         || text->data[text->len - 1] == CR))
    {
        text->len--;
    }

    if (text->len < NGX_HTTP_MODELGUARD_SECRET_MIN
        || text->len > NGX_HTTP_MODELGUARD_SECRET_MAX)
    {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "modelguard secret \"%V\" must have %d to %d bytes",
                      path, NGX_HTTP_MODELGUARD_SECRET_MIN,
                      NGX_HTTP_MODELGUARD_SECRET_MAX);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_modelguard_secret_fold(const ngx_str_t *text, uint8_t *secret)
{
    u_char     *p;
    ngx_int_t   n;
    ngx_uint_t  i;
    ngx_sha1_t  sha1;
    u_char      digest[20];

    p = text->data + sizeof(NGX_HTTP_MODELGUARD_SECRET_MARK) - 1;

    if (text->len == NGX_HTTP_MODELGUARD_SECRET_LEN
        && ngx_strncmp(text->data, NGX_HTTP_MODELGUARD_SECRET_MARK,
                       sizeof(NGX_HTTP_MODELGUARD_SECRET_MARK) - 1)
           == 0)
    {
        for (i = 0; i < MODELGUARD_HASH_SECRET; i++, p += 2) {
            n = ngx_hextoi(p, 2);

            if (n == NGX_ERROR) {
                break;
            }

            secret[i] = (uint8_t) n;
        }

        if (i == MODELGUARD_HASH_SECRET) {
            return;
        }
    }

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, text->data, text->len);
    ngx_sha1_final(digest, &sha1);

    ngx_memcpy(secret, digest, MODELGUARD_HASH_SECRET);

    ngx_explicit_memzero(digest, sizeof(digest));
    ngx_explicit_memzero(&sha1, sizeof(ngx_sha1_t));
}


ngx_int_t
ngx_http_modelguard_secret_write(const ngx_str_t *path, const uint8_t *secret,
    ngx_log_t *log)
{
    u_char     *p, *name;
    ngx_int_t   rc;
    ngx_str_t   text;
    u_char      buf[NGX_HTTP_MODELGUARD_SECRET_LEN + 1];

    name = ngx_alloc(path->len + sizeof(".new"), log);
    if (name == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(name, "%V.new%Z", path);

    p = ngx_cpymem(buf, NGX_HTTP_MODELGUARD_SECRET_MARK,
                   sizeof(NGX_HTTP_MODELGUARD_SECRET_MARK) - 1);
    p = ngx_hex_dump(p, (u_char *) secret, MODELGUARD_HASH_SECRET);
    *p++ = LF;

    text.data = buf;
    text.len = p - buf;

    rc = ngx_http_modelguard_secret_save(name, &text, log);

    ngx_explicit_memzero(buf, sizeof(buf));

    if (rc == NGX_OK
        && ngx_rename_file(name, path->data) == NGX_FILE_ERROR)
    {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      ngx_rename_file_n " \"%s\" to \"%V\" failed", name,
                      path);
        rc = NGX_ERROR;
    }

    if (rc != NGX_OK) {
        (void) ngx_delete_file(name);
    }

    ngx_free(name);

    return rc;
}


static ngx_int_t
ngx_http_modelguard_secret_save(const u_char *name, ngx_str_t *text,
    ngx_log_t *log)
{
    int       rc;
    ssize_t   n;
    ngx_fd_t  fd;

    /* what a killed process left */

    (void) ngx_delete_file(name);

    ngx_http_modelguard_state_call(fd, open((char *) name,
                                            O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC,
                                            0600));

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      "modelguard secret \"%s\" cannot be created", name);
        return NGX_ERROR;
    }

    ngx_http_modelguard_state_call(n, ngx_write_fd(fd, text->data, text->len));

    rc = -1;

    if (n == (ssize_t) text->len) {
        ngx_http_modelguard_state_call(rc, fsync(fd));
    }

    if (rc == -1) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      "modelguard secret \"%s\" cannot be written", name);
        n = -1;
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      ngx_close_file_n " \"%s\" failed", name);
    }

    return (n == -1) ? NGX_ERROR : NGX_OK;
}


#if (NGX_LINUX)

ngx_int_t
ngx_http_modelguard_secret_random(void *p, size_t len, ngx_log_t *log)
{
    ssize_t    n;
    ngx_err_t  err;

    while (len) {
        n = getrandom(p, len, 0);

        if (n == -1) {
            err = ngx_errno;

            if (err == NGX_EINTR) {
                continue;
            }

            ngx_log_error(NGX_LOG_EMERG, log, err, "getrandom() failed");
            return NGX_ERROR;
        }

        p = (u_char *) p + n;
        len -= n;
    }

    return NGX_OK;
}

#else

ngx_int_t
ngx_http_modelguard_secret_random(void *p, size_t len, ngx_log_t *log)
{
    ssize_t   n;
    ngx_fd_t  fd;

    fd = ngx_open_file("/dev/urandom", NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      ngx_open_file_n " \"/dev/urandom\" failed");
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, p, len);

    if (n != (ssize_t) len) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      ngx_read_fd_n " \"/dev/urandom\" failed");
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      ngx_close_file_n " \"/dev/urandom\" failed");
    }

    return (n == (ssize_t) len) ? NGX_OK : NGX_ERROR;
}

#endif


uint64_t
ngx_http_modelguard_secret_id(const uint8_t *secret)
{
    modelguard_id_t  id;

    modelguard_hash(&id, secret, (uint8_t *) "secret", 6);

    return id.low ? id.low : 1;
}
