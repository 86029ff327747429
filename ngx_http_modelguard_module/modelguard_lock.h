
/*
 * Copyright (C) the modelguard authors
 *
 * The lock of one shard: a process-shared robust mutex of the C library, in
 * memory that any number of processes map at any address.  The only file of
 * the layer that knows threads.
 */


#ifndef MODELGUARD_LOCK_H_INCLUDED
#define MODELGUARD_LOCK_H_INCLUDED


#include <pthread.h>

#include "modelguard_base.h"


#define MODELGUARD_LOCK_ORPHANED  32   /* taken; its owner has died */


typedef struct {
    union {
        pthread_mutex_t  mutex;
        uint8_t          room[64];
    } u;
} modelguard_lock_t;


/* nobody may hold or wait for it; MODELGUARD_OK or MODELGUARD_INVALID */

int modelguard_lock_init(modelguard_lock_t *lock);

/*
 * MODELGUARD_OK; MODELGUARD_LOCK_ORPHANED: the lock is held, and whoever held
 * it before died: repair what it protects; MODELGUARD_INVALID: not a lock.
 */

int modelguard_lock_take(modelguard_lock_t *lock);

/* as above, or MODELGUARD_AGAIN if another holds it */

int modelguard_lock_try(modelguard_lock_t *lock);

/* after the repair, the lock being held */

void modelguard_lock_repaired(modelguard_lock_t *lock);

void modelguard_lock_release(modelguard_lock_t *lock);


#endif /* MODELGUARD_LOCK_H_INCLUDED */
