
/*
 * Copyright (C) the modelguard authors
 *
 * The whole test framework: TAP for prove, and memory that ends at a page
 * that must not be touched.
 */


#ifndef TAP_H_INCLUDED
#define TAP_H_INCLUDED


#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>


static unsigned  tap_count, tap_failed;


static inline int
tap_ok(int pass, const char *file, int line, const char *fmt, ...)
{
    va_list  args;

    tap_count++;
    tap_failed += !pass;

    printf("%sok %u - ", pass ? "" : "not ", tap_count);

    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);

    printf("\n");

    if (!pass) {
        printf("# at %s:%d\n", file, line);
    }

    return pass;
}


#define ok(pass, ...)                                                         \
    tap_ok((pass) != 0, __FILE__, __LINE__, __VA_ARGS__)


static inline int
tap_done(void)
{
    printf("1..%u\n", tap_count);

    return tap_failed ? 1 : 0;
}


/*
 * A copy of "len" bytes that ends right before an inaccessible page, so that
 * a read of one byte too many is a crash.  Freed with guard_free().
 */

static inline unsigned char *
guard_copy(const void *data, size_t len)
{
    size_t          page, size;
    unsigned char  *map;

    page = (size_t) sysconf(_SC_PAGESIZE);
    size = (len / page + 1) * page;

    map = mmap(NULL, size + page, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED
        || mprotect(map + size, page, PROT_NONE) != 0)
    {
        printf("Bail out! no guard page\n");
        exit(2);
    }

    if (len) {
        memcpy(map + size - len, data, len);
    }

    return map + size - len;
}


static inline void
guard_free(unsigned char *copy, size_t len)
{
    size_t  page, size;

    page = (size_t) sysconf(_SC_PAGESIZE);
    size = (len / page + 1) * page;

    (void) munmap(copy + len - size, size + page);
}


#endif /* TAP_H_INCLUDED */
