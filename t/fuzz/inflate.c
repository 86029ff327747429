
/*
 * Copyright (C) the modelguard authors
 *
 * A fuzz target: a coded body.  The first byte chooses the coding and how the
 * rest comes: as it is, or coded by the library and then perhaps damaged.
 *
 *     the output is never more than the limit, and no call is without effect
 *     every cut comes to the same end with the same bytes
 *     what was coded and not damaged comes back
 *     all memory is given back
 *
 * And as the value of Content-Encoding, it is one of the known codings only
 * if it says so.
 */


#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include "fuzz.h"
#include "ngx_http_modelguard_coding.h"


#define LIMIT   200000
#define CODED   65536
#define PLAIN   16384


typedef struct {
    ngx_int_t   rc;
    size_t      len;
    uint8_t    *data;
} body_t;


static void
run(body_t *body, unsigned coding, const uint8_t *data, size_t len,
    const fuzz_cuts_t *cuts, off_t limit)
{
    u_char                        *copy, *pos;
    size_t                         i, at, end;
    ngx_str_t                      out;
    ngx_pool_t                     pool;
    ngx_http_request_t             r;
    ngx_http_modelguard_coding_t  *c;

    body->len = 0;
    body->data = malloc(LIMIT);

    ngx_pool_init(&pool);
    memset(&r, 0, sizeof(r));
    r.pool = &pool;

    c = ngx_http_modelguard_coding_create(&r,
                                (ngx_http_modelguard_coding_e) coding, limit);
    if (c == NULL) {
        fuzz_fail("no decoder");
    }

    body->rc = NGX_AGAIN;
    at = 0;

    for (i = 0; i <= cuts->n && body->rc == NGX_AGAIN; i++) {
        end = i < cuts->n ? cuts->at[i] : len;

        copy = fuzz_copy(data + at, end - at);
        pos = copy;

        for ( ;; ) {
            body->rc = ngx_http_modelguard_coding_decode(c, &pos,
                                                         copy + (end - at),
                                                         &out);
            if (body->rc != NGX_OK) {
                break;
            }

            if (out.len == 0 || out.len > 32768
                || body->len + out.len > (size_t) limit)
            {
                fuzz_fail("%zu bytes, after %zu of %ld", out.len, body->len,
                          (long) limit);
            }

            memcpy(body->data + body->len, out.data, out.len);
            body->len += out.len;
        }

        if (body->rc == NGX_AGAIN && pos != copy + (end - at)) {
            fuzz_fail("not all is used up");
        }

        free(copy);
        at = end;
    }

    if (body->rc == NGX_AGAIN) {
        body->rc = ngx_http_modelguard_coding_finish(c);
    }

    if (body->rc == NGX_ERROR
        && ngx_http_modelguard_coding_decode(c, &pos, pos, &out) != NGX_ERROR)
    {
        fuzz_fail("the error did not stay");
    }

    ngx_pool_done(&pool);
}


static size_t
encode(unsigned coding, int raw, const uint8_t *data, size_t len, uint8_t *out)
{
    size_t    size;
    z_stream  z;

    size = CODED;

    if (coding == NGX_HTTP_MODELGUARD_CODING_BR) {

        if (!BrotliEncoderCompress(3, 18, BROTLI_MODE_TEXT, len, data, &size,
                                   out))
        {
            fuzz_fail("brotli");
        }

        return size;
    }

    if (coding == NGX_HTTP_MODELGUARD_CODING_ZSTD) {
        return ZSTD_compress(out, size, data, len, 1);
    }

    memset(&z, 0, sizeof(z));

    (void) deflateInit2(&z, 1, Z_DEFLATED,
                        coding == NGX_HTTP_MODELGUARD_CODING_GZIP ? 31
                        : raw ? -15 : 15,
                        8, Z_DEFAULT_STRATEGY);

    z.next_in = (u_char *) (uintptr_t) data;
    z.avail_in = (uInt) len;
    z.next_out = out;
    z.avail_out = (uInt) size;

    (void) deflate(&z, Z_FINISH);
    size -= z.avail_out;
    (void) deflateEnd(&z);

    return size;
}


static void
check(unsigned coding, const uint8_t *data, size_t len, off_t limit,
    body_t *whole)
{
    body_t       other;
    size_t       n;
    fuzz_cuts_t  cuts;

    static const fuzz_cuts_t  uncut;

    run(whole, coding, data, len, &uncut, limit);

    fuzz_cut(&cuts, len);
    run(&other, coding, data, len, &cuts, limit);

    n = other.len < whole->len ? other.len : whole->len;

    if (other.rc != whole->rc || (other.rc == NGX_OK && other.len != whole->len)
        || memcmp(other.data, whole->data, n) != 0)
    {
        fuzz_fail("coding %u cut at %zu of %zu: rc %ld for %ld, %zu bytes for "
                  "%zu", coding, cuts.at[0], len, (long) other.rc,
                  (long) whole->rc, other.len, whole->len);
    }

    free(other.data);
}


static void
check_header(const uint8_t *data, size_t len)
{
    uint8_t                       *copy;
    ngx_table_elt_t                header;
    ngx_http_request_t             r;
    ngx_http_modelguard_coding_e   coding;

    copy = fuzz_copy(data, len);
    memset(&r, 0, sizeof(r));
    memset(&header, 0, sizeof(header));

    header.hash = 1;
    header.key.data = (u_char *) "content-ENCODING";
    header.key.len = 16;
    header.value.data = copy;
    header.value.len = len;

    r.headers_out.headers.part.elts = &header;
    r.headers_out.headers.part.nelts = 1;

    coding = ngx_http_modelguard_coding_of(&r);

    if (coding == NGX_HTTP_MODELGUARD_CODING_GZIP
        && memmem(data, len, "zip", 3) == NULL
        && memmem(data, len, "ZIP", 3) == NULL && len < 4)
    {
        fuzz_fail("%.*s is gzip", (int) len, data);
    }

    ngx_http_modelguard_coding_clear(&r);

    if (header.hash
        || ngx_http_modelguard_coding_of(&r)
           != NGX_HTTP_MODELGUARD_CODING_NONE)
    {
        fuzz_fail("not cleared");
    }

    free(copy);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    size_t     i, n, size;
    body_t     body;
    uint8_t   *coded, *plain;
    unsigned   op, coding;
    fuzz_in_t  in;

    if (len < 4) {
        return -1;
    }

    fuzz_begin(data, len);

    op = data[0];
    coding = NGX_HTTP_MODELGUARD_CODING_GZIP + (op & 3);
    data++;
    len--;

    check_header(data, len);

    if (!(op & 4)) {
        check(coding, data, len, 1 + (off_t) fuzz_random(LIMIT), &body);
        free(body.data);

        return 0;
    }

    /* the rest again and again, so that it is longer than a buffer */

    coded = malloc(CODED);
    plain = malloc(PLAIN);
    n = (op & 8) ? PLAIN : len % PLAIN;

    for (i = 0; i < n; i++) {
        plain[i] = data[i % len] ^ (uint8_t) ((op & 16) ? i / len : 0);
    }

    size = encode(coding, op & 32, plain, n, coded);

    if (op & 64) {
        in.p = data;
        in.end = data + len;

        for (i = data[0] % 4 + 1; i; i--) {
            coded[fuzz_number(&in, 2) % size] = fuzz_byte(&in);
        }

        check(coding, coded, size, 1 + (off_t) fuzz_random(LIMIT), &body);

    } else {
        check(coding, coded, size, LIMIT, &body);

        if (body.rc != NGX_OK || body.len != n
            || memcmp(body.data, plain, n) != 0)
        {
            fuzz_fail("coding %u: rc %ld, %zu bytes for %zu", coding,
                      (long) body.rc, body.len, n);
        }
    }

    free(body.data);
    free(coded);
    free(plain);

    return 0;
}
