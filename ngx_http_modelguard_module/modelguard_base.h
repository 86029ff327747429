
/*
 * Copyright (C) the modelguard authors
 *
 * Types and result codes shared by every file of the pure layer.  The pure
 * layer knows no nginx type, no clock, no I/O and no allocator of its own:
 * memory, time and secrets come in as arguments.
 */


#ifndef MODELGUARD_BASE_H_INCLUDED
#define MODELGUARD_BASE_H_INCLUDED


#include <stddef.h>
#include <stdint.h>
#include <string.h>


/* result codes; every function of the layer returns these or a count */

#define MODELGUARD_OK           0
#define MODELGUARD_AGAIN        1    /* more input is needed */
#define MODELGUARD_MALFORMED    2    /* not JSON, or not UTF-8 */
#define MODELGUARD_TRUNCATED    3    /* the input ended inside the document */
#define MODELGUARD_TOO_DEEP     4    /* nested deeper than the limit */
#define MODELGUARD_TOO_BIG      5    /* a vector or a name over the limit */
#define MODELGUARD_UNTREATABLE  6    /* a value that no treatment can hide */
#define MODELGUARD_UNDECIDED    7    /* a pattern could not be decided */
#define MODELGUARD_NOMEM        8
#define MODELGUARD_SINK         9    /* the sink refused the output */
#define MODELGUARD_RANGE        10   /* a number does not fit */
#define MODELGUARD_INVALID      11   /* a bad argument, configuration only */


typedef struct {
    const uint8_t  *data;            /* not terminated by zero */
    size_t          len;
} modelguard_str_t;


/*
 * The caller's allocator, realloc() in shape: "old" of "old_size" bytes is
 * NULL and 0 at first; size 0 frees.  Returns NULL if there is no memory,
 * and then "old" is still valid.
 */

typedef void *(*modelguard_alloc_pt)(void *data, void *old, size_t old_size,
    size_t size);


#endif /* MODELGUARD_BASE_H_INCLUDED */
