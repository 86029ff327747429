
/*
 * Copyright (C) the modelguard authors
 */


/* strict C99 hides robust mutexes */

#if !defined(_GNU_SOURCE) && !defined(_XOPEN_SOURCE)
#define _XOPEN_SOURCE  700
#endif

#include <errno.h>

#include "modelguard_lock.h"


static int modelguard_lock_result(int error);


int
modelguard_lock_init(modelguard_lock_t *lock)
{
    int                  error;
    pthread_mutexattr_t  attr;

    memset(lock, 0, sizeof(modelguard_lock_t));

    if (pthread_mutexattr_init(&attr) != 0) {
        return MODELGUARD_INVALID;
    }

    /* a robust mutex knows its owner, so checking for errors costs nothing */

    error = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);

    if (error == 0) {
        error = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    }

    if (error == 0) {
        error = pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    }

    if (error == 0) {
        error = pthread_mutex_init(&lock->u.mutex, &attr);
    }

    (void) pthread_mutexattr_destroy(&attr);

    return error ? MODELGUARD_INVALID : MODELGUARD_OK;
}


int
modelguard_lock_take(modelguard_lock_t *lock)
{
    int  error;

    /* of a robust mutex the C library tries faster than it locks */

    error = pthread_mutex_trylock(&lock->u.mutex);

    if (error == 0) {
        return MODELGUARD_OK;
    }

    if (error == EBUSY) {
        error = pthread_mutex_lock(&lock->u.mutex);
    }

    return modelguard_lock_result(error);
}


int
modelguard_lock_try(modelguard_lock_t *lock)
{
    return modelguard_lock_result(pthread_mutex_trylock(&lock->u.mutex));
}


void
modelguard_lock_repaired(modelguard_lock_t *lock)
{
    (void) pthread_mutex_consistent(&lock->u.mutex);
}


void
modelguard_lock_release(modelguard_lock_t *lock)
{
    (void) pthread_mutex_unlock(&lock->u.mutex);
}


static int
modelguard_lock_result(int error)
{
    switch (error) {

    case 0:
        return MODELGUARD_OK;

    case EOWNERDEAD:
        return MODELGUARD_LOCK_ORPHANED;

    case EBUSY:
        return MODELGUARD_AGAIN;

    default:
        return MODELGUARD_INVALID;
    }
}
