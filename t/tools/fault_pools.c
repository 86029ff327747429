
/*
 * Copyright (C) the modelguard authors
 *
 * nginx's allocators are those of the program itself, which come before what
 * is loaded: so the module's table of functions is changed once it is there.
 */


#define _GNU_SOURCE

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>

#include "fault.h"


typedef ElfW(Dyn)   fault_dyn_t;
typedef ElfW(Sym)   fault_sym_t;
typedef ElfW(Rela)  fault_rela_t;
typedef ElfW(Addr)  fault_addr_t;


typedef struct {
    const char   *name;
    void         *ours;
    void        **real;
} fault_call_t;


static int fault_patch(struct dl_phdr_info *info, size_t size, void *data);


/* ngx_array_t, whose room an element may find without asking for memory */

typedef struct {
    void       *elts;
    uintptr_t   nelts;
    size_t      size;
    uintptr_t   nalloc;
} fault_array_t;


#define fault_allocator(name, kind, result, bad, args, passed)                \
    fault_some(name, kind, 1, result, bad, args, passed)


/* fails only where "can" says that it could */

#define fault_some(name, kind, can, result, bad, args, passed)                \
                                                                              \
static void  *fault_##name##_real;                                            \
                                                                              \
static result                                                                 \
fault_##name args                                                             \
{                                                                             \
    result (*real) args;                                                      \
                                                                              \
    if ((can) && fault_hit(kind, __builtin_return_address(0))) {              \
        return bad;                                                           \
    }                                                                         \
                                                                              \
    *(void **) &real = fault_##name##_real;                                   \
                                                                              \
    return real passed;                                                       \
}


fault_allocator(slab_alloc, FAULT_SLAB, void *, NULL,
                (void *pool, size_t size), (pool, size))
fault_allocator(slab_calloc, FAULT_SLAB, void *, NULL,
                (void *pool, size_t size), (pool, size))
fault_allocator(palloc, FAULT_POOL, void *, NULL,
                (void *pool, size_t size), (pool, size))
fault_allocator(pcalloc, FAULT_POOL, void *, NULL,
                (void *pool, size_t size), (pool, size))
fault_allocator(pnalloc, FAULT_POOL, void *, NULL,
                (void *pool, size_t size), (pool, size))
fault_allocator(alloc, FAULT_POOL, void *, NULL,
                (size_t size, void *log), (size, log))
fault_allocator(alloc_chain_link, FAULT_POOL, void *, NULL,
                (void *pool), (pool))
fault_allocator(array_create, FAULT_POOL, void *, NULL,
                (void *pool, uintptr_t n, size_t size), (pool, n, size))
fault_some(array_push, FAULT_POOL, a->nelts == a->nalloc, void *, NULL,
           (fault_array_t *a), (a))
fault_some(array_push_n, FAULT_POOL, a->nelts + n > a->nalloc, void *, NULL,
           (fault_array_t *a, uintptr_t n), (a, n))
fault_allocator(create_temp_buf, FAULT_POOL, void *, NULL,
                (void *pool, size_t size), (pool, size))
fault_allocator(list_push, FAULT_POOL, void *, NULL, (void *list), (list))
fault_allocator(pool_cleanup_add, FAULT_POOL, void *, NULL,
                (void *pool, size_t size), (pool, size))
fault_allocator(chain_add_copy, FAULT_POOL, intptr_t, -1,
                (void *pool, void *to, void *from), (pool, to, from))


#define fault_entry(name)                                                     \
    { "ngx_" #name, (void *) (uintptr_t) &fault_##name, &fault_##name##_real }


static const fault_call_t  fault_calls[] = {
    fault_entry(slab_alloc),
    fault_entry(slab_calloc),
    fault_entry(palloc),
    fault_entry(pcalloc),
    fault_entry(pnalloc),
    fault_entry(alloc),
    fault_entry(alloc_chain_link),
    fault_entry(array_create),
    fault_entry(array_push),
    fault_entry(array_push_n),
    fault_entry(create_temp_buf),
    fault_entry(list_push),
    fault_entry(pool_cleanup_add),
    fault_entry(chain_add_copy)
};


void
fault_pools(const char *path)
{
    (void) dl_iterate_phdr(fault_patch, (void *) (uintptr_t) path);
}


static void
fault_patch_one(fault_addr_t base, const char *name, fault_addr_t offset)
{
    void      **entry;
    size_t      i;
    uintptr_t   page;

    for (i = 0; i < sizeof(fault_calls) / sizeof(fault_calls[0]); i++) {
        if (strcmp(name, fault_calls[i].name) == 0) {
            break;
        }
    }

    if (i == sizeof(fault_calls) / sizeof(fault_calls[0])) {
        return;
    }

    entry = (void **) (base + offset);
    page = (uintptr_t) entry & ~(uintptr_t) 4095;

    if (mprotect((void *) page, 8192, PROT_READ|PROT_WRITE) == 0
        || mprotect((void *) page, 4096, PROT_READ|PROT_WRITE) == 0)
    {
        *fault_calls[i].real = *entry;
        *entry = fault_calls[i].ours;
    }
}


static int
fault_patch(struct dl_phdr_info *info, size_t size, void *data)
{
    size_t               i, n;
    const char          *strings;
    fault_dyn_t         *dyn;
    const fault_sym_t   *symbols;
    const fault_rela_t  *rela;

    (void) size;

    if (strcmp(info->dlpi_name, data) != 0) {
        return 0;
    }

    strings = NULL;
    symbols = NULL;
    rela = NULL;
    dyn = NULL;
    n = 0;

    for (i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC) {
            dyn = (fault_dyn_t *) (info->dlpi_addr
                                 + info->dlpi_phdr[i].p_vaddr);
        }
    }

    for ( /* void */ ; dyn && dyn->d_tag != DT_NULL; dyn++) {

        switch (dyn->d_tag) {

        case DT_STRTAB:
            strings = (const char *) dyn->d_un.d_ptr;
            break;

        case DT_SYMTAB:
            symbols = (const fault_sym_t *) dyn->d_un.d_ptr;
            break;

        case DT_JMPREL:
            rela = (const fault_rela_t *) dyn->d_un.d_ptr;
            break;

        case DT_PLTRELSZ:
            n = dyn->d_un.d_val / sizeof(fault_rela_t);
            break;

        default:
            break;
        }
    }

    if (strings && symbols && rela) {
        for (i = 0; i < n; i++) {
            fault_patch_one(info->dlpi_addr,
                            strings + symbols[ELF64_R_SYM(rela[i].r_info)]
                                          .st_name,
                            rela[i].r_offset);
        }
    }

    return 1;
}
