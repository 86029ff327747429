
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_reason.h"

#include "modelguard_base.h"


typedef struct {
    const char  *word;
    const char  *sentence;
} ngx_http_modelguard_reason_t;


/* in the order of ngx_http_modelguard_reason_e */

static const ngx_http_modelguard_reason_t  ngx_http_modelguard_reasons[] = {
    { "", "no reason" },

    { "coding", "it has a content coding" },
    { "charset", "its charset is not UTF-8" },
    { "type", "its type is not in \"modelguard_types\"" },
    { "binary", "it has binary tensors" },
    { "grpc", "it is gRPC" },
    { "websocket", "the protocol is switched" },
    { "multipart", "it has several parts" },
    { "partial", "it is a part of a document" },

    { "malformed", "malformed JSON" },
    { "truncated", "truncated JSON" },
    { "depth", "it is nested deeper than \"modelguard_max_depth\"" },
    { "size", "a vector or a name is over \"modelguard_vector_size\"" },
    { "untreatable", "a score in a string" },
    { "undecided", "a member name that no pattern could be matched with" },
    { "inflate", "its content coding cannot be undone" },
    { "upstream", "the model server closed too early" },

    { "profile", "its profile is unknown" },
    { "memory", "not enough memory" }
};


static const ngx_http_modelguard_reason_t *ngx_http_modelguard_reason(
    ngx_http_modelguard_reason_e reason);


static const ngx_http_modelguard_reason_t *
ngx_http_modelguard_reason(ngx_http_modelguard_reason_e reason)
{
    if ((ngx_uint_t) reason >= NGX_HTTP_MODELGUARD_REASONS) {
        reason = NGX_HTTP_MODELGUARD_REASON_NONE;
    }

    return &ngx_http_modelguard_reasons[reason];
}


const char *
ngx_http_modelguard_reason_word(ngx_http_modelguard_reason_e reason)
{
    return ngx_http_modelguard_reason(reason)->word;
}


const char *
ngx_http_modelguard_reason_sentence(ngx_http_modelguard_reason_e reason)
{
    return ngx_http_modelguard_reason(reason)->sentence;
}


ngx_http_modelguard_reason_e
ngx_http_modelguard_reason_of(int code)
{
    switch (code) {

    case MODELGUARD_OK:
    case MODELGUARD_AGAIN:
        return NGX_HTTP_MODELGUARD_REASON_NONE;

    case MODELGUARD_MALFORMED:
        return NGX_HTTP_MODELGUARD_REASON_MALFORMED;

    case MODELGUARD_TRUNCATED:
        return NGX_HTTP_MODELGUARD_REASON_TRUNCATED;

    case MODELGUARD_TOO_DEEP:
        return NGX_HTTP_MODELGUARD_REASON_DEPTH;

    case MODELGUARD_TOO_BIG:
        return NGX_HTTP_MODELGUARD_REASON_SIZE;

    case MODELGUARD_UNDECIDED:
        return NGX_HTTP_MODELGUARD_REASON_UNDECIDED;

    case MODELGUARD_NOMEM:
    case MODELGUARD_SINK:

        /* our sinks refuse when they cannot get a buffer */

        return NGX_HTTP_MODELGUARD_REASON_MEMORY;

    default: /* MODELGUARD_UNTREATABLE, MODELGUARD_RANGE */
        return NGX_HTTP_MODELGUARD_REASON_UNTREATABLE;
    }
}
