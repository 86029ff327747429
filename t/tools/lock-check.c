
/*
 * Copyright (C) the modelguard authors
 *
 * Loaded before the C library and built with the module's headers: says when
 * a worker breaks the rules about locks, see docs/design.md.
 *
 *     held       a lock is held while the worker waits, reads or writes
 *     order      a lock is taken after one that comes later in the order of
 *                (table, shard)
 *     again      a lock is taken that is held
 *     not held   a lock is let go that is not held
 *     unlocked   a record is read or written without its shard's lock
 *
 * The pages of a table's records are out of reach of a worker but for those
 * of the shards whose locks it holds, so that nothing depends on who is asked
 * for a record, and where.  Lines go to the file that MODELGUARD_LOCKS names,
 * each fault once for each place.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "modelguard_table_inside.h"


#define LOCK_TABLES  16
#define LOCK_SAID    64
#define LOCK_WORKER  3                    /* NGX_PROCESS_WORKER */


#define lock_real(result, name, args)                                         \
    static result (*real) args;                                               \
                                                                              \
    if (real == NULL) {                                                       \
        *(void **) &real = dlsym(RTLD_NEXT, name);                            \
    }


typedef struct {
    modelguard_table_t  *table;
    size_t               size;
    size_t               first;
    unsigned             shards;
    size_t               bytes;           /* of a shard's pages */
    uint64_t             uid[2];
    uint64_t             held;            /* a bit for each shard */
} lock_table_t;


static void lock_say(const char *rule, const void *where, const char *what);
static void lock_order(lock_table_t *one, unsigned shard, const void *where);
static void lock_fault(int sig, siginfo_t *info, void *context);


static lock_table_t  lock_tables[LOCK_TABLES];
static unsigned      lock_depth;          /* robust mutexes held */
static const void   *lock_said[LOCK_SAID];
static unsigned      lock_saids;
static uint64_t      lock_taken;
static int           lock_inside;         /* of the table's own functions */
static lock_table_t *lock_paid;           /* by modelguard_table_pay() */
static unsigned      lock_paid_shard;
static int           lock_pid;
static char          lock_path[4096];


/* nginx takes the environment away */

__attribute__((constructor))
static void
lock_begin(void)
{
    const char  *path;

    path = getenv("MODELGUARD_LOCKS");

    if (path) {
        (void) snprintf(lock_path, sizeof(lock_path), "%s", path);
    }
}


/* 1 in a worker, where it also begins */

static int
lock_worker(void)
{
    static uintptr_t  *process;

    struct sigaction  sa;

    if (process == NULL) {
        process = dlsym(RTLD_DEFAULT, "ngx_process");
    }

    if (process == NULL || *process != LOCK_WORKER) {
        return 0;
    }

    if (lock_pid != getpid()) {
        lock_pid = getpid();
        lock_depth = 0;
        memset(lock_tables, 0, sizeof(lock_tables));

        memset(&sa, 0, sizeof(struct sigaction));
        sa.sa_sigaction = lock_fault;
        sa.sa_flags = SA_SIGINFO;
        (void) sigaction(SIGSEGV, &sa, NULL);
    }

    return 1;
}


static void
lock_say(const char *rule, const void *where, const char *what)
{
    int          fd, n;
    char         line[512];
    Dl_info      info;
    unsigned     i;

    for (i = 0; i < lock_saids; i++) {
        if (lock_said[i] == where) {
            return;
        }
    }

    if (lock_saids < LOCK_SAID) {
        lock_said[lock_saids++] = where;
    }

    memset(&info, 0, sizeof(Dl_info));

    if (where) {
        (void) dladdr(where, &info);
    }

    n = snprintf(line, sizeof(line), "%s: %s, in %s\n", rule, what,
                 info.dli_sname ? info.dli_sname
                 : info.dli_fname ? info.dli_fname : "?");

    fd = open(lock_path, O_WRONLY|O_APPEND|O_CREAT|O_CLOEXEC, 0666);

    if (fd != -1) {
        lock_inside++;
        (void) !write(fd, line, (size_t) n);
        lock_inside--;
        (void) close(fd);
    }
}


/* a report of what has been looked at, at the end of a worker */

__attribute__((destructor))
static void
lock_end(void)
{
    char  what[64];

    if (lock_pid && lock_pid == getpid()) {
        (void) snprintf(what, sizeof(what), "%llu locks taken",
                        (unsigned long long) lock_taken);
        lock_say("end", NULL, what);
    }
}


/* pages */

static void
lock_reach(lock_table_t *one, unsigned shard, int reach)
{
    uintptr_t  start, end;

    start = (uintptr_t) one->table + one->first + shard * one->bytes;
    end = start + one->bytes;

    /* a table in shared memory may begin within a page */

    start = (start + 4095) & ~(uintptr_t) 4095;
    end &= ~(uintptr_t) 4095;

    if (start < end) {
        (void) mprotect((void *) start, end - start,
                        reach ? PROT_READ|PROT_WRITE : PROT_NONE);
    }
}


static lock_table_t *
lock_find(modelguard_table_t *table)
{
    unsigned       i;
    lock_table_t  *one, *empty;

    empty = NULL;

    for (i = 0; i < LOCK_TABLES; i++) {
        one = &lock_tables[i];

        if (one->table == table) {
            return one;
        }

        if (one->table == NULL && empty == NULL) {
            empty = one;
        }
    }

    if (empty == NULL) {
        lock_say("end", (const void *) (uintptr_t) lock_find,
                 "too many tables");
        return NULL;
    }

    empty->table = table;
    empty->size = table->size;
    empty->first = modelguard_table_first(table->shards);
    empty->shards = table->shards;
    empty->bytes = (size_t) table->pages * MODELGUARD_TABLE_PAGE;
    empty->uid[0] = table->uid[0];
    empty->uid[1] = table->uid[1];
    empty->held = 0;

    for (i = 0; i < empty->shards; i++) {
        lock_reach(empty, i, 0);
    }

    return empty;
}


/* memory that is gone may come back as something else */

int
munmap(void *p, size_t size)
{
    unsigned  i;

    lock_real(int, "munmap", (void *, size_t))

    for (i = 0; i < LOCK_TABLES; i++) {
        if ((uintptr_t) lock_tables[i].table >= (uintptr_t) p
            && (uintptr_t) lock_tables[i].table < (uintptr_t) p + size)
        {
            lock_tables[i].table = NULL;
        }
    }

    return real(p, size);
}


static void
lock_fault(int sig, siginfo_t *info, void *context)
{
    unsigned       i;
    uintptr_t      at;
    ucontext_t    *uc;
    const void    *where;
    lock_table_t  *one;

    uc = context;
    at = (uintptr_t) info->si_addr;

#if (__x86_64__)
    where = (const void *) uc->uc_mcontext.gregs[REG_RIP];
#else
    (void) uc;
    where = NULL;
#endif

    for (i = 0; i < LOCK_TABLES; i++) {
        one = &lock_tables[i];

        if (one->table && at >= (uintptr_t) one->table
            && at < (uintptr_t) one->table + one->size
            && at >= (uintptr_t) one->table + one->first)
        {
            at -= (uintptr_t) one->table + one->first;
            lock_say("unlocked", where, "a record without its shard's lock");
            lock_reach(one, (unsigned) (at / one->bytes), 1);
            return;
        }
    }

    (void) signal(sig, SIG_DFL);
}


/* what is held already, when another lock is asked for */

static void
lock_order(lock_table_t *one, unsigned shard, const void *where)
{
    uint64_t       bit;
    unsigned       i;
    lock_table_t  *other;

    bit = (uint64_t) 1 << shard;

    for (i = 0; one && i < LOCK_TABLES; i++) {
        other = &lock_tables[i];

        if (other->table == NULL || other->held == 0) {
            continue;
        }

        if (other == one) {
            lock_say(other->held & bit ? "again" : "order", where,
                     "two shards of one table");
            continue;
        }

        if (other->uid[0] > one->uid[0]
            || (other->uid[0] == one->uid[0] && other->uid[1] > one->uid[1]))
        {
            lock_say("order", where, "after one of a table that comes later");
        }
    }
}


/* the table's functions */

int
modelguard_table_lock(modelguard_table_t *table, unsigned shard)
{
    int            rc;
    uint64_t       bit;
    lock_table_t  *one;

    lock_real(int, "modelguard_table_lock", (modelguard_table_t *, unsigned))

    if (!lock_worker()) {
        return real(table, shard);
    }

    one = lock_find(table);
    bit = (uint64_t) 1 << shard;

    lock_order(one, shard, __builtin_return_address(0));

    /* another's death is repaired inside */

    if (one) {
        lock_reach(one, shard, 1);
    }

    rc = real(table, shard);

    if (one && rc == MODELGUARD_OK) {
        one->held |= bit;
        lock_taken++;

    } else if (one) {
        lock_reach(one, shard, 0);
    }

    return rc;
}


void
modelguard_table_unlock(modelguard_table_t *table, unsigned shard)
{
    lock_table_t  *one;

    lock_real(void, "modelguard_table_unlock",
              (modelguard_table_t *, unsigned))

    if (lock_inside == 0 && lock_worker()) {
        one = lock_find(table);

        if (one) {

            if (!(one->held & (uint64_t) 1 << shard)) {
                lock_say("not held", __builtin_return_address(0),
                         "a lock is let go");
            }

            one->held &= ~((uint64_t) 1 << shard);
            lock_reach(one, shard, 0);
        }
    }

    real(table, shard);
}


/* takes the lock itself, and lets it go: watched where it does */

int
modelguard_table_pay(modelguard_table_t *table, const modelguard_id_t *id,
    modelguard_charge_t *charges, unsigned n, uint64_t now,
    modelguard_verdict_t *verdict)
{
    int  rc;

    lock_real(int, "modelguard_table_pay",
              (modelguard_table_t *, const modelguard_id_t *,
               modelguard_charge_t *, unsigned, uint64_t,
               modelguard_verdict_t *))

    if (lock_worker()) {
        lock_paid = lock_find(table);
        lock_paid_shard = (unsigned) (id->low & (table->shards - 1));

        if (lock_paid) {
            lock_order(lock_paid, lock_paid_shard,
                       __builtin_return_address(0));
        }
    }

    rc = real(table, id, charges, n, now, verdict);

    if (lock_paid && lock_paid->held & (uint64_t) 1 << lock_paid_shard) {
        lock_say("held", __builtin_return_address(0), "after a charge");
    }

    lock_paid = NULL;

    return rc;
}


int
modelguard_lock_take(modelguard_lock_t *lock)
{
    int  rc;

    lock_real(int, "modelguard_lock_take", (modelguard_lock_t *))

    rc = real(lock);

    if (lock_paid) {

        /* another's death is repaired inside */

        lock_paid->held |= (uint64_t) 1 << lock_paid_shard;
        lock_reach(lock_paid, lock_paid_shard, 1);
        lock_taken++;
    }

    return rc;
}


void
modelguard_lock_release(modelguard_lock_t *lock)
{
    lock_real(void, "modelguard_lock_release", (modelguard_lock_t *))

    if (lock_paid) {
        lock_paid->held &= ~((uint64_t) 1 << lock_paid_shard);
        lock_reach(lock_paid, lock_paid_shard, 0);
    }

    real(lock);
}


int
modelguard_table_lock_all(modelguard_table_t *table)
{
    int            rc;
    unsigned       i;
    lock_table_t  *one;

    lock_real(int, "modelguard_table_lock_all", (modelguard_table_t *))

    if (!lock_worker()) {
        return real(table);
    }

    one = lock_find(table);

    if (one && one->held) {
        lock_say("again", __builtin_return_address(0), "all of a table");
    }

    for (i = 0; one && i < one->shards; i++) {
        lock_reach(one, i, 1);
    }

    lock_inside++;
    rc = real(table);
    lock_inside--;

    if (one && rc == MODELGUARD_OK) {
        one->held = (one->shards < 64) ? ((uint64_t) 1 << one->shards) - 1
                                       : UINT64_MAX;
        lock_taken += one->shards;
    }

    return rc;
}


void
modelguard_table_unlock_all(modelguard_table_t *table)
{
    unsigned       i;
    lock_table_t  *one;

    lock_real(void, "modelguard_table_unlock_all", (modelguard_table_t *))

    if (!lock_worker()) {
        real(table);
        return;
    }

    one = lock_find(table);

    if (one) {
        one->held = 0;

        for (i = 0; i < one->shards; i++) {
            lock_reach(one, i, 0);
        }
    }

    lock_inside++;
    real(table);
    lock_inside--;
}


/* what may wait; locks are never held so long */

static void
lock_waits(const char *name, const void *where)
{
    unsigned  i;

    if (lock_inside || lock_pid == 0) {
        return;
    }

    for (i = 0; i < LOCK_TABLES; i++) {
        if (lock_tables[i].table && lock_tables[i].held) {
            lock_say("held", where, name);

            /* not by all that follows */

            lock_tables[i].held = 0;
        }
    }
}


int
epoll_wait(int epoll, struct epoll_event *events, int n, int timeout)
{
    lock_real(int, "epoll_wait", (int, struct epoll_event *, int, int))

    lock_waits("at epoll_wait()", (const void *) (uintptr_t) lock_waits);

    return real(epoll, events, n, timeout);
}


#define lock_transfer(name, args, passed)                                     \
                                                                              \
ssize_t                                                                       \
name args                                                                     \
{                                                                             \
    lock_real(ssize_t, #name, args)                                           \
                                                                              \
    lock_waits("at " #name "()", __builtin_return_address(0));                \
                                                                              \
    return real passed;                                                       \
}


lock_transfer(write, (int fd, const void *p, size_t n), (fd, p, n))
lock_transfer(read, (int fd, void *p, size_t n), (fd, p, n))
lock_transfer(writev, (int fd, const struct iovec *iov, int n), (fd, iov, n))
lock_transfer(readv, (int fd, const struct iovec *iov, int n), (fd, iov, n))
lock_transfer(recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags))
lock_transfer(send, (int fd, const void *p, size_t n, int flags),
              (fd, p, n, flags))


/* and memory, which is not asked for under a lock either */

void *__libc_malloc(size_t size);


void *
malloc(size_t size)
{
    if (lock_pid && lock_pid == getpid()) {
        lock_waits("at malloc()", __builtin_return_address(0));
    }

    return __libc_malloc(size);
}
