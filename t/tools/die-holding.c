
/*
 * Copyright (C) the modelguard authors
 *
 * Loaded before the C library: notes every robust mutex that is let go, and
 * kills the process that is about to let a chosen one go, once.  The file
 * that MODELGUARD_DIE names is shared by all processes and has to be there,
 * 8 KB of zeros:
 *
 *     "chosen"   a mutex's address, written by whoever tests; 0 again once
 *                its owner is about to die
 *     "n"        mutexes noted
 *     "mutexes"  their addresses, which workers have from their master
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>


#define DIE_SIZE    8192
#define DIE_MAX     ((DIE_SIZE - 16) / 8)
#define DIE_ROBUST  16               /* in glibc's kind of a mutex */


typedef struct {
    uint64_t  chosen;
    uint64_t  n;
    uint64_t  mutexes[DIE_MAX];
} die_t;


static die_t  *die;
static int   (*die_unlock)(pthread_mutex_t *mutex);


__attribute__((constructor))
static void
die_init(void)
{
    int          fd;
    void        *mem;
    const char  *path;

    die_unlock = (int (*)(pthread_mutex_t *)) dlsym(RTLD_NEXT,
                                                    "pthread_mutex_unlock");
    path = getenv("MODELGUARD_DIE");

    if (path == NULL) {
        return;
    }

    fd = open(path, O_RDWR);

    if (fd == -1) {
        return;
    }

    mem = mmap(NULL, DIE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void) close(fd);

    if (mem != MAP_FAILED) {
        die = mem;
    }
}


int
pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    uint64_t  i, n, address;

    if (die == NULL || !(mutex->__data.__kind & DIE_ROBUST)) {
        return die_unlock(mutex);
    }

    address = (uint64_t) (uintptr_t) mutex;

    if (die->chosen == address
        && __sync_bool_compare_and_swap(&die->chosen, address, 0))
    {
        (void) kill(getpid(), SIGKILL);
    }

    n = die->n;

    for (i = 0; i < n && i < DIE_MAX; i++) {
        if (die->mutexes[i] == address) {
            return die_unlock(mutex);
        }
    }

    i = __sync_fetch_and_add(&die->n, 1);

    if (i < DIE_MAX) {
        die->mutexes[i] = address;
    }

    return die_unlock(mutex);
}
