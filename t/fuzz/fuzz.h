
/*
 * Copyright (C) the modelguard authors
 *
 * What every fuzz target needs: an end with a sentence, numbers that depend on
 * the input alone, pieces of it whose ends the sanitizer watches.
 *
 * Headers of t/unit that place pieces at a guard page get pieces of the heap
 * instead, which is as strict under the sanitizer, and faster.
 */


#ifndef FUZZ_H_INCLUDED
#define FUZZ_H_INCLUDED


#include <stdarg.h>
#include <stdint.h>

#include "tap.h"


#define FUZZ_CUTS  4


typedef struct {
    const uint8_t  *p;
    const uint8_t  *end;
} fuzz_in_t;


typedef struct {
    size_t          n;
    size_t          at[FUZZ_CUTS];   /* ascending */
} fuzz_cuts_t;


static uint64_t  fuzz_seed;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
    unsigned seed);


/* a find */

static inline void
fuzz_fail(const char *fmt, ...)
{
    va_list  args;

    fflush(stdout);

    va_start(args, fmt);
    fprintf(stderr, "FIND: ");
    vfprintf(stderr, fmt, args);
    fprintf(stderr, "\n");
    va_end(args);

    abort();
}


static inline uint64_t
fuzz_next(void)
{
    fuzz_seed ^= fuzz_seed << 13;
    fuzz_seed ^= fuzz_seed >> 7;
    fuzz_seed ^= fuzz_seed << 17;

    return fuzz_seed * 0x2545f4914f6cdd1dULL;
}


static inline size_t
fuzz_random(size_t n)
{
    return (size_t) ((fuzz_next() >> 20) % n);
}


/* what is drawn from now on depends on these bytes alone */

static inline void
fuzz_begin(const uint8_t *data, size_t len)
{
    size_t  i;

    fuzz_seed = 14695981039346656037ULL;

    for (i = 0; i < len; i++) {
        fuzz_seed = (fuzz_seed ^ data[i]) * 1099511628211ULL;
    }

    fuzz_seed |= 1;
}


static inline void
fuzz_reseed(unsigned seed)
{
    fuzz_seed = ((uint64_t) seed + 1) * 0x9e3779b97f4a7c15ULL;
    (void) fuzz_next();
}


/* the next byte of the input, 0 behind its end */

static inline uint8_t
fuzz_byte(fuzz_in_t *in)
{
    return in->p < in->end ? *in->p++ : 0;
}


static inline uint64_t
fuzz_number(fuzz_in_t *in, unsigned bytes)
{
    uint64_t  n;

    for (n = 0; bytes; bytes--) {
        n = n << 8 | fuzz_byte(in);
    }

    return n;
}


static inline void
fuzz_cut(fuzz_cuts_t *cuts, size_t len)
{
    size_t  i, j, at;

    cuts->n = 1 + fuzz_random(FUZZ_CUTS);

    for (i = 0; i < cuts->n; i++) {
        at = fuzz_random(len + 1);

        for (j = i; j && cuts->at[j - 1] > at; j--) {
            cuts->at[j] = cuts->at[j - 1];
        }

        cuts->at[j] = at;
    }
}


static inline unsigned char *
fuzz_copy(const void *data, size_t len)
{
    unsigned char  *copy;

    copy = malloc(len ? len : 1);

    if (copy == NULL) {
        exit(2);
    }

    if (len) {
        memcpy(copy, data, len);
    }

    return copy;
}


#define guard_copy(data, len)  fuzz_copy(data, len)
#define guard_free(copy, len)  free(copy)


#endif /* FUZZ_H_INCLUDED */
