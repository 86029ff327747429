
/*
 * Copyright (C) the modelguard authors
 *
 * Loaded before the C library: makes the n-th call of a kind fail.  The file
 * that MODELGUARD_FAULT names, 4096 bytes, is shared by all processes and says
 * which, see fault_t; nothing fails in a process that it does not name, but
 * what is allocated and freed is counted there from the start.
 *
 * What is faked on a socket that is waited for with EPOLLET is announced
 * again, as the kernel would when it comes true.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fault.h"


#define FAULT_FDS  4096


void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *p);


static int fault_socket(int fd);
static int fault_io(int fd, uint64_t kind, const void *caller);
static void fault_again(int fd);


static fault_t  *fault;
static uint64_t  fault_pid;

static struct {
    int                 epoll;           /* + 1; 0: not waited for */
    struct epoll_event  event;
} fault_fds[FAULT_FDS];


__attribute__((constructor))
static void
fault_init(void)
{
    int          fd;
    void        *mem;
    const char  *path;

    path = getenv("MODELGUARD_FAULT");

    if (path == NULL) {
        return;
    }

    fd = open(path, O_RDWR|O_CLOEXEC);

    if (fd == -1) {
        return;
    }

    mem = mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
    (void) close(fd);

    if (mem != MAP_FAILED) {
        fault_pid = (uint64_t) getpid();
        fault = mem;
    }
}


pid_t
fork(void)
{
    pid_t  pid;

    fault_real(pid_t, "fork", (void))

    pid = real();

    if (pid == 0) {
        fault_pid = (uint64_t) getpid();
    }

    return pid;
}


int
fault_hit(uint64_t kind, const void *caller)
{
    Dl_info      info;
    uint64_t     n;
    const char  *name;

    if (fault == NULL || !(fault->kinds & kind)
        || (fault->pid != fault_pid && fault->pid != FAULT_ANY))
    {
        return 0;
    }

    name = "";

    if (dladdr(caller, &info) && info.dli_fname) {
        name = strrchr(info.dli_fname, '/');
        name = name ? name + 1 : info.dli_fname;
    }

    if (fault->module && strstr(name, "modelguard") == NULL) {
        return 0;
    }

    n = ++fault->calls;

    if (n < fault->first || n > fault->last
        || (fault->step > 1 && (n - fault->first) % fault->step))
    {
        return 0;
    }

    fault->hits++;
    strncpy(fault->who, name, sizeof(fault->who) - 1);

    return 1;
}


/* memory */

static void *
fault_counted(void *p)
{
    if (p && fault && fault->owner == fault_pid) {
        fault->live++;
    }

    return p;
}


static int
fault_memory(const void *caller)
{
    if (fault_hit(FAULT_ALLOC, caller)) {
        errno = ENOMEM;
        return 1;
    }

    return 0;
}


void *
malloc(size_t size)
{
    return fault_memory(__builtin_return_address(0))
           ? NULL : fault_counted(__libc_malloc(size));
}


void *
calloc(size_t n, size_t size)
{
    return fault_memory(__builtin_return_address(0))
           ? NULL : fault_counted(__libc_calloc(n, size));
}


void *
realloc(void *p, size_t size)
{
    if (fault_memory(__builtin_return_address(0))) {
        return NULL;
    }

    return p ? __libc_realloc(p, size)
             : fault_counted(__libc_realloc(p, size));
}


void *
memalign(size_t alignment, size_t size)
{
    return fault_memory(__builtin_return_address(0))
           ? NULL : fault_counted(__libc_memalign(alignment, size));
}


void *
aligned_alloc(size_t alignment, size_t size)
{
    return fault_memory(__builtin_return_address(0))
           ? NULL : fault_counted(__libc_memalign(alignment, size));
}


int
posix_memalign(void **p, size_t alignment, size_t size)
{
    void  *mem;

    if (fault_memory(__builtin_return_address(0))) {
        return ENOMEM;
    }

    mem = fault_counted(__libc_memalign(alignment, size));

    if (mem == NULL) {
        return ENOMEM;
    }

    *p = mem;

    return 0;
}


void
free(void *p)
{
    if (p && fault && fault->owner == fault_pid) {
        fault->live--;
    }

    __libc_free(p);
}


/* sockets, and files where the same calls are used */

static int
fault_socket(int fd)
{
    struct stat  st;

    return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}


/* 1: fails with errno; 2: is to be short */

static int
fault_io(int fd, uint64_t kind, const void *caller)
{
    int  sock;

    if (fault == NULL || !(fault->kinds & kind)) {
        return 0;
    }

    sock = fault_socket(fd);

    if (sock) {
        kind &= FAULT_RECV|FAULT_SEND;

    } else {
        kind &= FAULT_READ|FAULT_WRITE;
    }

    if (!(fault->kinds & kind) || !fault_hit(kind, caller)) {
        return 0;
    }

    if (fault->error == FAULT_SHORT) {
        return 2;
    }

    if (sock && fault->error == EAGAIN) {
        fault_again(fd);
    }

    errno = (int) fault->error;

    return 1;
}


/* as if it had become ready only now */

static void
fault_again(int fd)
{
    if (fd >= 0 && fd < FAULT_FDS && fault_fds[fd].epoll) {
        (void) epoll_ctl(fault_fds[fd].epoll - 1, EPOLL_CTL_MOD, fd,
                         &fault_fds[fd].event);
    }
}


static void
fault_short(int fd, ssize_t n)
{
    if (n >= 0) {
        fault_again(fd);
    }
}


int
epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
    fault_real(int, "epoll_ctl", (int, int, int, struct epoll_event *))

    if (fd >= 0 && fd < FAULT_FDS) {

        if (op == EPOLL_CTL_DEL) {
            fault_fds[fd].epoll = 0;

        } else {
            fault_fds[fd].epoll = epoll + 1;
            fault_fds[fd].event = *event;
        }
    }

    return real(epoll, op, fd, event);
}


int
close(int fd)
{
    fault_real(int, "close", (int))

    if (fd >= 0 && fd < FAULT_FDS) {
        fault_fds[fd].epoll = 0;
    }

    return real(fd);
}


int
epoll_wait(int epoll, struct epoll_event *events, int n, int timeout)
{
    fault_real(int, "epoll_wait", (int, struct epoll_event *, int, int))

    if (fault_hit(FAULT_WAIT, __builtin_return_address(0))) {
        errno = (int) fault->error;
        return -1;
    }

    return real(epoll, events, n, timeout);
}


#define fault_transfer(name, kind, fd, args, passed, one)                     \
                                                                              \
ssize_t                                                                       \
name args                                                                     \
{                                                                             \
    int      how;                                                             \
    ssize_t  n;                                                               \
                                                                              \
    fault_real(ssize_t, #name, args)                                          \
                                                                              \
    how = fault_io(fd, kind, __builtin_return_address(0));                    \
                                                                              \
    if (how == 1) {                                                           \
        return -1;                                                            \
    }                                                                         \
                                                                              \
    if (how == 2) {                                                           \
        n = real one;                                                         \
        fault_short(fd, n);                                                   \
        return n;                                                             \
    }                                                                         \
                                                                              \
    return real passed;                                                       \
}


#define FAULT_IN   FAULT_RECV|FAULT_READ
#define FAULT_OUT  FAULT_SEND|FAULT_WRITE

fault_transfer(recv, FAULT_IN, fd,
               (int fd, void *p, size_t n_, int flags),
               (fd, p, n_, flags), (fd, p, n_ ? 1 : 0, flags))

fault_transfer(read, FAULT_IN, fd, (int fd, void *p, size_t n_),
               (fd, p, n_), (fd, p, n_ ? 1 : 0))

fault_transfer(pread, FAULT_IN, fd,
               (int fd, void *p, size_t n_, off_t at),
               (fd, p, n_, at), (fd, p, n_ ? 1 : 0, at))

fault_transfer(pread64, FAULT_IN, fd,
               (int fd, void *p, size_t n_, off64_t at),
               (fd, p, n_, at), (fd, p, n_ ? 1 : 0, at))

fault_transfer(send, FAULT_OUT, fd,
               (int fd, const void *p, size_t n_, int flags),
               (fd, p, n_, flags), (fd, p, n_ ? 1 : 0, flags))

fault_transfer(write, FAULT_OUT, fd, (int fd, const void *p, size_t n_),
               (fd, p, n_), (fd, p, n_ ? 1 : 0))

fault_transfer(pwrite, FAULT_OUT, fd,
               (int fd, const void *p, size_t n_, off_t at),
               (fd, p, n_, at), (fd, p, n_ ? 1 : 0, at))

fault_transfer(pwrite64, FAULT_OUT, fd,
               (int fd, const void *p, size_t n_, off64_t at),
               (fd, p, n_, at), (fd, p, n_ ? 1 : 0, at))

fault_transfer(sendfile64, FAULT_OUT, to,
               (int to, int from, off64_t *at, size_t n_),
               (to, from, at, n_), (to, from, at, n_ ? 1 : 0))


static struct iovec
fault_first(const struct iovec *iov, int n)
{
    int           i;
    struct iovec  one;

    one.iov_base = NULL;
    one.iov_len = 0;

    for (i = 0; i < n; i++) {
        if (iov[i].iov_len) {
            one.iov_base = iov[i].iov_base;
            one.iov_len = 1;
            break;
        }
    }

    return one;
}


#define fault_vector(name, kind, args, passed, one)                           \
                                                                              \
ssize_t                                                                       \
name args                                                                     \
{                                                                             \
    int           how;                                                        \
    ssize_t       n;                                                          \
    struct iovec  first;                                                      \
                                                                              \
    fault_real(ssize_t, #name, args)                                          \
                                                                              \
    how = fault_io(fd, kind, __builtin_return_address(0));                    \
                                                                              \
    if (how == 1) {                                                           \
        return -1;                                                            \
    }                                                                         \
                                                                              \
    if (how == 2) {                                                           \
        first = fault_first(iov, count);                                      \
        n = real one;                                                         \
        fault_short(fd, n);                                                   \
        return n;                                                             \
    }                                                                         \
                                                                              \
    return real passed;                                                       \
}


fault_vector(readv, FAULT_IN, (int fd, const struct iovec *iov, int count),
             (fd, iov, count), (fd, &first, 1))

fault_vector(writev, FAULT_OUT, (int fd, const struct iovec *iov, int count),
             (fd, iov, count), (fd, &first, 1))

fault_vector(pwritev64, FAULT_OUT,
             (int fd, const struct iovec *iov, int count, off64_t at),
             (fd, iov, count, at), (fd, &first, 1, at))


/* files: what is one call cannot be short */

#define fault_error(result, name, kind, bad, args, passed)                    \
                                                                              \
result                                                                        \
name args                                                                     \
{                                                                             \
    fault_real(result, #name, args)                                           \
                                                                              \
    if (fault && fault->error != FAULT_SHORT                                  \
        && fault_hit(kind, __builtin_return_address(0)))                      \
    {                                                                         \
        errno = (int) fault->error;                                           \
        return bad;                                                           \
    }                                                                         \
                                                                              \
    return real passed;                                                       \
}


fault_error(int, ftruncate, FAULT_WRITE, -1, (int fd, off_t n), (fd, n))
fault_error(int, ftruncate64, FAULT_WRITE, -1, (int fd, off64_t n), (fd, n))
fault_error(int, fsync, FAULT_WRITE, -1, (int fd), (fd))
fault_error(int, fdatasync, FAULT_WRITE, -1, (int fd), (fd))
fault_error(int, msync, FAULT_WRITE, -1, (void *p, size_t n, int flags),
            (p, n, flags))
fault_error(int, posix_fallocate, FAULT_WRITE, (int) fault->error,
            (int fd, off_t at, off_t n), (fd, at, n))
fault_error(int, posix_fallocate64, FAULT_WRITE, (int) fault->error,
            (int fd, off64_t at, off64_t n), (fd, at, n))
fault_error(int, rename, FAULT_NAME, -1, (const char *from, const char *to),
            (from, to))
fault_error(int, unlink, FAULT_NAME, -1, (const char *path), (path))
fault_error(int, flock, FAULT_OPEN, -1, (int fd, int how), (fd, how))
fault_error(int, fchmod, FAULT_NAME, -1, (int fd, mode_t mode), (fd, mode))
fault_error(int, fchown, FAULT_NAME, -1, (int fd, uid_t user, gid_t group),
            (fd, user, group))
fault_error(int, fstat64, FAULT_NAME, -1, (int fd, struct stat64 *st),
            (fd, st))
fault_error(int, lstat64, FAULT_NAME, -1,
            (const char *path, struct stat64 *st), (path, st))
fault_error(ssize_t, getrandom, FAULT_READ, -1,
            (void *p, size_t n, unsigned flags), (p, n, flags))
fault_error(void *, mmap64, FAULT_MAP, MAP_FAILED,
            (void *p, size_t n, int prot, int flags, int fd, off64_t at),
            (p, n, prot, flags, fd, at))
fault_error(int, __open64_2, FAULT_OPEN, -1, (const char *path, int flags),
            (path, flags))


int
open64(const char *path, int flags, ...)
{
    mode_t   mode;
    va_list  args;

    fault_real(int, "open64", (const char *, int, ...))

    va_start(args, flags);
    mode = (flags & (O_CREAT|O_TMPFILE)) ? va_arg(args, mode_t) : 0;
    va_end(args);

    if (fault && fault->error != FAULT_SHORT
        && fault_hit(FAULT_OPEN, __builtin_return_address(0)))
    {
        errno = (int) fault->error;
        return -1;
    }

    return real(path, flags, mode);
}


void *
dlopen(const char *path, int flags)
{
    void  *handle;

    fault_real(void *, "dlopen", (const char *, int))

    handle = real(path, flags);

    if (handle && fault && path && strstr(path, "modelguard")) {
        fault_pools(path);
    }

    return handle;
}
