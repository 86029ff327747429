
/*
 * Copyright (C) the modelguard authors
 *
 * What the files of the library that makes calls fail share.
 */


#ifndef FAULT_H_INCLUDED
#define FAULT_H_INCLUDED


#include <stddef.h>
#include <stdint.h>


#define FAULT_ALLOC  0x001
#define FAULT_RECV   0x002               /* from sockets */
#define FAULT_SEND   0x004               /* to sockets */
#define FAULT_WAIT   0x008               /* epoll_wait() */
#define FAULT_READ   0x010               /* from files */
#define FAULT_WRITE  0x020               /* to files, and their size */
#define FAULT_OPEN   0x040               /* files, and their locks */
#define FAULT_MAP    0x080
#define FAULT_SLAB   0x100               /* of the module, in the zones */
#define FAULT_POOL   0x200               /* of the module, in pools */
#define FAULT_NAME   0x400               /* names, owners, modes */

#define FAULT_ANY    UINT64_MAX
#define FAULT_SHORT  0                   /* as an error: one byte is done */


typedef struct {
    uint64_t  pid;                       /* 0: nobody's calls */
    uint64_t  kinds;
    uint64_t  error;                     /* errno, or FAULT_SHORT */
    uint64_t  first;                     /* these calls fail: 1 is the first */
    uint64_t  last;
    uint64_t  step;                      /* every so many of them */
    uint64_t  calls;                     /* out */
    uint64_t  hits;
    int64_t   live;                      /* blocks of memory of "owner" */
    uint64_t  owner;
    uint64_t  module;                    /* 1: only calls of the module */
    char      who[64];                   /* the file that the last call hit was
                                            made from */
} fault_t;


#define fault_real(result, name, args)                                        \
    static result (*real) args;                                               \
                                                                              \
    if (real == NULL) {                                                       \
        *(void **) &real = dlsym(RTLD_NEXT, name);                            \
    }


/* 1 if this call of a kind is to fail; "caller" is where it returns to */

int fault_hit(uint64_t kind, const void *caller);

/* the module has been loaded from there: its calls of nginx's allocators */

void fault_pools(const char *path);


#endif /* FAULT_H_INCLUDED */
