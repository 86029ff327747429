
/*
 * Copyright (C) the modelguard authors
 *
 * The rewriter: one JSON document in, in pieces of any size; the same
 * document out, with the places that the rules name treated and every other
 * byte as it came.  The output does not depend on how the input was cut.
 *
 * It holds no more than one vector (the innermost container of scores, or
 * the object around parallel arrays), within limits.hold bytes.
 */


#ifndef MODELGUARD_REWRITE_H_INCLUDED
#define MODELGUARD_REWRITE_H_INCLUDED


#include "modelguard_base.h"
#include "modelguard_rules.h"
#include "modelguard_simd.h"
#include "modelguard_meter_read.h"


#define MODELGUARD_DEPTH_DEFAULT  64
#define MODELGUARD_DEPTH_MAX      512
#define MODELGUARD_HOLD_DEFAULT   (256 * 1024)
#define MODELGUARD_HOLD_MAX       (64 * 1024 * 1024)


typedef struct modelguard_rewrite_s  modelguard_rewrite_t;

/*
 * Takes output.  The bytes are valid during the call only.  Anything but
 * MODELGUARD_OK ends the rewriting with MODELGUARD_SINK.
 */

typedef int (*modelguard_sink_pt)(void *data, const uint8_t *bytes,
    size_t len);


typedef struct {
    const modelguard_rules_t  *rules;
    unsigned                   depth;      /* containers, 1 .. DEPTH_MAX */
    size_t                     hold;       /* bytes, 1 .. HOLD_MAX */
    modelguard_sink_pt         sink;
    void                      *sink_data;
    modelguard_alloc_pt        alloc;      /* for what is held; freed by
                                              modelguard_rewrite_free() */
    void                      *alloc_data;
} modelguard_rewrite_conf_t;


/* counts of what was done, for logs */

typedef struct {
    uint64_t                   treated;    /* numbers rewritten or zeroed */
    uint64_t                   dropped;    /* members and elements removed */
} modelguard_rewrite_stat_t;


/* NULL if there is no memory; the conf is copied */

modelguard_rewrite_t *modelguard_rewrite_create(
    const modelguard_rewrite_conf_t *conf);

/*
 * Scans with another level of vector instructions than modelguard_simd_best():
 * the output is the same.
 */

void modelguard_rewrite_simd(modelguard_rewrite_t *rw,
    const modelguard_simd_t *simd);

/*
 * Lets readers see the documents as they come and as they leave; either may
 * be NULL, and both are the caller's.  They do not see documents in strings
 * apart, and are told when a document ends.
 */

void modelguard_rewrite_meter(modelguard_rewrite_t *rw,
    modelguard_meter_read_t *before, modelguard_meter_read_t *after);

/*
 * Takes a piece of input.  MODELGUARD_OK, or MALFORMED, TOO_DEEP, TOO_BIG,
 * UNTREATABLE, UNDECIDED, NOMEM, SINK.  After an error every further call
 * returns the same error, and only modelguard_rewrite_pass() may output.
 */

int modelguard_rewrite_feed(modelguard_rewrite_t *rw, const uint8_t *bytes,
    size_t len);

/*
 * The end of the input.  MODELGUARD_OK when exactly one document has been
 * read; TRUNCATED (also for no document at all), or as above.
 */

int modelguard_rewrite_finish(modelguard_rewrite_t *rw);

/*
 * As modelguard_rewrite_feed(), for documents that follow one another: stops
 * at the end of the root value, all of which has then been output.
 * MODELGUARD_OK when it has been reached, with the number of bytes that were
 * taken, none behind it: a number at the root ends before the byte that ends
 * it, so that they may be 0.  MODELGUARD_AGAIN when all was taken and more is
 * needed; an error otherwise.  After MODELGUARD_OK only
 * modelguard_rewrite_reset() makes sense.
 */

int modelguard_rewrite_feed_one(modelguard_rewrite_t *rw,
    const uint8_t *bytes, size_t len, size_t *used);

/*
 * Makes ready for another document.  Buffers are kept, nothing is allocated
 * or freed, and the stat goes on counting.
 */

void modelguard_rewrite_reset(modelguard_rewrite_t *rw);

/*
 * After an error, for modelguard_on_error pass: sends out, untreated, what
 * is held and what of the failed piece was not yet output.  To be called
 * before the memory of that piece goes.  Further input is the caller's.
 */

int modelguard_rewrite_pass(modelguard_rewrite_t *rw);

const modelguard_rewrite_stat_t *modelguard_rewrite_stat(
    const modelguard_rewrite_t *rw);

/* a sentence without capital and period for a result code, constant */

const char *modelguard_rewrite_error(int rc);

void modelguard_rewrite_free(modelguard_rewrite_t *rw);


#endif /* MODELGUARD_REWRITE_H_INCLUDED */
