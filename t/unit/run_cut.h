
/*
 * Copyright (C) the modelguard authors
 *
 * Documents of run_make.h, cut in many ways and read with each level of vector
 * instructions, beside what comes out when they are fed byte by byte, which
 * leaves all to the long way.
 */


#ifndef RUN_CUT_H_INCLUDED
#define RUN_CUT_H_INCLUDED


#include "run_make.h"
#include "modelguard_simd.h"


static unsigned  cut_ways, cut_levels;


/* a piece of its very size: a sanitizer sees what is read behind it */

static inline int
cut_feed(modelguard_rewrite_t *rw, size_t at, size_t len)
{
    int       rc;
    uint8_t  *piece;

    piece = malloc(len);
    memcpy(piece, run_text + at, len);
    rc = modelguard_rewrite_feed(rw, piece, len);
    free(piece);

    return rc;
}


/* pieces of 1 to "most" bytes, or two cut at "at" */

static inline void
cut_rewrite(const kit_t *kit, kit_out_t *out, int level, size_t at,
    unsigned most, size_t hold)
{
    int                    rc;
    size_t                 i, len;
    modelguard_rewrite_t  *rw;

    rw = kit_create(kit, out, MODELGUARD_DEPTH_DEFAULT, hold);
    rc = MODELGUARD_OK;

    modelguard_rewrite_simd(rw, modelguard_simd_at((unsigned) level));

    for (i = 0; i < run_len && rc == MODELGUARD_OK; i += len) {
        len = run_len - i;

        if (most) {
            len = 1 + (most > 1 ? run_random(most) : 0);

        } else if (i < at) {
            len = at;
        }

        if (len > run_len - i) {
            len = run_len - i;
        }

        rc = cut_feed(rw, i, len);
    }

    out->rc = rc ? rc : modelguard_rewrite_finish(rw);
    out->treated = (unsigned) modelguard_rewrite_stat(rw)->treated;
    out->dropped = (unsigned) modelguard_rewrite_stat(rw)->dropped;

    modelguard_rewrite_free(rw);
}


/* which of two errors a document has is found first depends on the cut */

static inline unsigned
cut_differs(const kit_t *kit, const kit_out_t *want, int level, size_t at,
    unsigned most, size_t hold)
{
    unsigned   differs;
    kit_out_t  out;

    cut_ways++;

    cut_rewrite(kit, &out, level, at, most, hold);

    differs = (out.rc == MODELGUARD_OK) != (want->rc == MODELGUARD_OK)
              || (out.rc == MODELGUARD_OK
                  && (out.treated != want->treated
                      || out.dropped != want->dropped || out.len != want->len
                      || memcmp(out.data, want->data, out.len) != 0));

    if (differs) {
        printf("# level %d cut %zu, %u hold %zu: rc %d for %d\n# %.*s\n"
               "# %.*s\n# %.*s\n", level, at, most, hold, out.rc, want->rc,
               (int) run_len, run_text, (int) want->len, (char *) want->data,
               (int) out.len, (char *) out.data);
    }

    free(out.data);

    return differs;
}


static inline unsigned
cut_compare(const kit_t *kit, size_t hold, int whole)
{
    int        level;
    size_t     at;
    unsigned   differ;
    kit_out_t  want;

    differ = 0;

    cut_rewrite(kit, &want, MODELGUARD_SIMD_PORTABLE, 0, 1, hold);

    for (level = 0; level < MODELGUARD_SIMD_LEVELS && differ < 3; level++) {

        if (modelguard_simd_at((unsigned) level) == NULL) {
            continue;
        }

        cut_levels |= 1U << level;

        differ += cut_differs(kit, &want, level, 0, 0, hold);
        differ += cut_differs(kit, &want, level, 0, 300, hold);

        for (at = 1; whole && at < run_len && differ < 3; at++) {
            differ += cut_differs(kit, &want, level, at, 0, hold);
        }
    }

    free(want.data);

    return differ;
}


#endif /* RUN_CUT_H_INCLUDED */
