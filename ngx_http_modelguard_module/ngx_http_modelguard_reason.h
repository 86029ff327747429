
/*
 * Copyright (C) the modelguard authors
 *
 * Why a response was refused: a word for variables and counters, and a
 * sentence for the log.
 */


#ifndef NGX_HTTP_MODELGUARD_REASON_H_INCLUDED
#define NGX_HTTP_MODELGUARD_REASON_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    NGX_HTTP_MODELGUARD_REASON_NONE = 0,

    /* by the header of the response */

    NGX_HTTP_MODELGUARD_REASON_CODING,       /* one that is not undone */
    NGX_HTTP_MODELGUARD_REASON_CHARSET,
    NGX_HTTP_MODELGUARD_REASON_TYPE,
    NGX_HTTP_MODELGUARD_REASON_BINARY,       /* application/octet-stream, or
                                                Inference-Header-Content-
                                                Length */
    NGX_HTTP_MODELGUARD_REASON_GRPC,         /* application/grpc... */
    NGX_HTTP_MODELGUARD_REASON_WEBSOCKET,    /* 101 */
    NGX_HTTP_MODELGUARD_REASON_MULTIPART,
    NGX_HTTP_MODELGUARD_REASON_PARTIAL,      /* 206 */

    /* by its body */

    NGX_HTTP_MODELGUARD_REASON_MALFORMED,
    NGX_HTTP_MODELGUARD_REASON_TRUNCATED,
    NGX_HTTP_MODELGUARD_REASON_DEPTH,
    NGX_HTTP_MODELGUARD_REASON_SIZE,
    NGX_HTTP_MODELGUARD_REASON_UNTREATABLE,
    NGX_HTTP_MODELGUARD_REASON_UNDECIDED,    /* a pattern */
    NGX_HTTP_MODELGUARD_REASON_INFLATE,      /* damaged, or a bomb */
    NGX_HTTP_MODELGUARD_REASON_UPSTREAM,     /* closed too early */

    NGX_HTTP_MODELGUARD_REASON_PROFILE,      /* a variable that names none */
    NGX_HTTP_MODELGUARD_REASON_MEMORY,

    NGX_HTTP_MODELGUARD_REASONS              /* how many */
} ngx_http_modelguard_reason_e;


/* lower case, letters only; "" for NONE */

const char *ngx_http_modelguard_reason_word(
    ngx_http_modelguard_reason_e reason);

/* without capital and period; "no reason" for NONE */

const char *ngx_http_modelguard_reason_sentence(
    ngx_http_modelguard_reason_e reason);

/* the reason that a result code of the pure layer, MODELGUARD_..., is */

ngx_http_modelguard_reason_e ngx_http_modelguard_reason_of(int code);


#endif /* NGX_HTTP_MODELGUARD_REASON_H_INCLUDED */
