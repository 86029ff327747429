
/*
 * Copyright (C) the modelguard authors
 *
 * Surgery on header lists: what a guarded location does not forward to the
 * model server, and what a rewritten response may no longer say.
 */


#ifndef NGX_HTTP_MODELGUARD_HEADERS_H_INCLUDED
#define NGX_HTTP_MODELGUARD_HEADERS_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * Request: asks the model server for identity coding and for whole answers.
 * Accept-Encoding is replaced by "identity" in what is forwarded, while
 * r->headers_in.accept_encoding keeps the client's value, so that nginx's
 * gzip filter still works; Range and If-Range are removed, and
 * If-None-Match, If-Modified-Since, If-Match and If-Unmodified-Since stay.
 */

ngx_int_t ngx_http_modelguard_headers_request(ngx_http_request_t *r);

/*
 * Response, before a rewritten body of unknown length: no Content-Length
 * (main request only), no ranges, no ETag, Last-Modified, Content-MD5,
 * Digest, Repr-Digest, Content-Digest, Content-Range.
 */

void ngx_http_modelguard_headers_response(ngx_http_request_t *r);

/*
 * Response without a body: the validators, ranges and digests of the original
 * go, as they do where it has one.  A digest lets digits be guessed.
 */

void ngx_http_modelguard_headers_original(ngx_http_request_t *r);

/* Response: 1 if it has such a header; name is lower case */

ngx_uint_t ngx_http_modelguard_headers_has(ngx_http_request_t *r,
    const char *name);

/*
 * Response, before another body takes the place of its own: nothing that
 * says how the old one is coded or named.
 */

void ngx_http_modelguard_headers_replaced(ngx_http_request_t *r);

/* Response: no digests among the trailers of a rewritten body */

void ngx_http_modelguard_headers_trailers(ngx_http_request_t *r);

/* Response: removes all of that name; name is lower case */

void ngx_http_modelguard_headers_remove(ngx_http_request_t *r,
    const char *name);

/* Response: adds a header, or sets it if it is there; name is constant */

ngx_int_t ngx_http_modelguard_headers_set(ngx_http_request_t *r,
    const char *name, ngx_str_t *value);


#endif /* NGX_HTTP_MODELGUARD_HEADERS_H_INCLUDED */
