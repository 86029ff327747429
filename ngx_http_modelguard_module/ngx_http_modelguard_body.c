
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_body.h"
#include "ngx_http_modelguard_edit.h"


#define NGX_HTTP_MODELGUARD_BODY_PIECE  32768   /* read from a file at once */


/* the body on its way to the walk */

typedef struct {
    ngx_http_request_t    *request;
    modelguard_inspect_t  *inspect;
    u_char                *piece;     /* of a file */
    ngx_uint_t             form;      /* unsigned  form:1; */
} ngx_http_modelguard_body_t;


static void ngx_http_modelguard_body_handler(ngx_http_request_t *r);
static const modelguard_param_t *ngx_http_modelguard_body_required(
    ngx_http_request_t *r, const modelguard_params_t *params);
static off_t ngx_http_modelguard_body_json(ngx_http_request_t *r, off_t len);
static ngx_int_t ngx_http_modelguard_body_finish(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    modelguard_inspect_t *inspect, off_t json, uint64_t *items,
    const modelguard_param_t **violated);
static off_t ngx_http_modelguard_body_length(ngx_http_request_t *r);
static ngx_uint_t ngx_http_modelguard_body_encoded(ngx_http_request_t *r);
static ngx_uint_t ngx_http_modelguard_body_is(const ngx_table_elt_t *header,
    const ngx_str_t *name);
static ngx_int_t ngx_http_modelguard_body_type(ngx_http_request_t *r,
    ngx_uint_t tensors, ngx_uint_t *form);
static ngx_uint_t ngx_http_modelguard_body_media(const ngx_str_t *value,
    const ngx_str_t *type);
static ngx_uint_t ngx_http_modelguard_body_charset(const ngx_str_t *value);
static ngx_int_t ngx_http_modelguard_body_walk(
    ngx_http_modelguard_body_t *body, off_t rest);
static ngx_int_t ngx_http_modelguard_body_file(
    ngx_http_modelguard_body_t *body, ngx_buf_t *b, off_t len);
static ngx_int_t ngx_http_modelguard_body_feed(
    ngx_http_modelguard_body_t *body, u_char *data, size_t len);
static ngx_int_t ngx_http_modelguard_body_status(ngx_http_request_t *r,
    int rc);


static ngx_str_t  ngx_http_modelguard_body_coding =
    ngx_string("content-encoding");

static ngx_str_t  ngx_http_modelguard_body_tensors =
    ngx_string("inference-header-content-length");

static ngx_str_t  ngx_http_modelguard_body_content_type =
    ngx_string("content-type");

static ngx_str_t  ngx_http_modelguard_body_urlencoded =
    ngx_string("application/x-www-form-urlencoded");


/* with bytes behind the JSON */

static ngx_str_t  ngx_http_modelguard_body_types[] = {
    ngx_string("application/octet-stream"),
    ngx_string("application/json"),
    ngx_null_string
};


/* the bytes below 0x80 mean themselves, and nothing else means them */

static ngx_str_t  ngx_http_modelguard_body_charsets[] = {
    ngx_string("utf-8"),
    ngx_string("utf8"),
    ngx_string("us-ascii"),
    ngx_string("iso-8859-1"),
    ngx_null_string
};


ngx_int_t
ngx_http_modelguard_body_read(ngx_http_request_t *r,
    ngx_http_modelguard_ctx_t *ctx)
{
    ngx_int_t  rc;

    /*
     * No phase runs while a body is being read, so whoever comes here then
     * was redirected after a failure: what was read is all there is.  It may
     * also have been read by another module, or been discarded.
     */

    if (ctx->body != NGX_HTTP_MODELGUARD_BODY_NONE
        || r->request_body || r->discard_body)
    {
        ctx->body = NGX_HTTP_MODELGUARD_BODY_READY;
        return NGX_OK;
    }

    ctx->body = NGX_HTTP_MODELGUARD_BODY_READING;

    rc = ngx_http_read_client_request_body(r,
                                           ngx_http_modelguard_body_handler);
    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    /* the reference that reading took */

    ngx_http_finalize_request(r, NGX_DONE);

    return NGX_DONE;
}


static void
ngx_http_modelguard_body_handler(ngx_http_request_t *r)
{
    ngx_http_modelguard_ctx_t  *ctx;

    ctx = ngx_http_modelguard_ctx_find(r);
    if (ctx == NULL) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ctx->body = NGX_HTTP_MODELGUARD_BODY_READY;

    r->preserve_body = 1;

    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
}


ngx_int_t
ngx_http_modelguard_body_inspect(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf, uint64_t *items,
    const modelguard_param_t **violated)
{
    off_t                       len, json;
    ngx_int_t                   rc;
    ngx_http_modelguard_body_t  body;

    len = ngx_http_modelguard_body_length(r);

    *items = 1;
    *violated = NULL;

    if (len == 0) {
        *violated = ngx_http_modelguard_body_required(r, mglcf->inspect);
        return NGX_OK;
    }

    if (len > (off_t) mglcf->body_size) {
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    if (ngx_http_modelguard_body_encoded(r)) {
        return NGX_HTTP_UNSUPPORTED_MEDIA_TYPE;
    }

    json = ngx_http_modelguard_body_json(r, len);

    ngx_memzero(&body, sizeof(ngx_http_modelguard_body_t));

    if (json == NGX_ERROR
        || ngx_http_modelguard_body_type(r, json < len, &body.form) != NGX_OK)
    {
        return NGX_HTTP_BAD_REQUEST;
    }

    body.request = r;
    body.inspect = modelguard_inspect_create(mglcf->inspect,
                                             (unsigned) mglcf->depth,
                                             ngx_http_modelguard_alloc,
                                             r->pool);
    if (body.inspect == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_modelguard_body_walk(&body, json);

    if (rc == NGX_OK) {
        rc = ngx_http_modelguard_body_finish(r, mglcf, body.inspect, json,
                                             items, violated);
    }

    modelguard_inspect_free(body.inspect);

    return rc;
}


/* what no body cannot have */

static const modelguard_param_t *
ngx_http_modelguard_body_required(ngx_http_request_t *r,
    const modelguard_params_t *params)
{
    size_t  i;

    if (!(r->method & (NGX_HTTP_POST|NGX_HTTP_PUT|NGX_HTTP_PATCH))) {
        return NULL;
    }

    for (i = 0; i < params->n; i++) {

        if (params->list[i].op == MODELGUARD_PARAM_REQUIRE
            && params->list[i].when == NULL)
        {
            return &params->list[i];
        }
    }

    return NULL;
}


/* how much of the body is JSON, or NGX_ERROR */

static off_t
ngx_http_modelguard_body_json(ngx_http_request_t *r, off_t len)
{
    off_t             json;
    ngx_uint_t        i, n;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    n = 0;
    json = len;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (!ngx_http_modelguard_body_is(&header[i],
                                             &ngx_http_modelguard_body_tensors))
            {
                continue;
            }

            json = ngx_atoof(header[i].value.data, header[i].value.len);

            if (n++ || json == NGX_ERROR || json > len) {
                return NGX_ERROR;
            }
        }
    }

    return json;
}


static ngx_int_t
ngx_http_modelguard_body_finish(ngx_http_request_t *r,
    const ngx_http_modelguard_loc_conf_t *mglcf,
    modelguard_inspect_t *inspect, off_t json, uint64_t *items,
    const modelguard_param_t **violated)
{
    int                          status;
    off_t                        len;
    modelguard_inspect_result_t  result;

    status = modelguard_inspect_finish(inspect, &result);

    if (status != MODELGUARD_OK) {
        return ngx_http_modelguard_body_status(r, status);
    }

    *items = result.items;

    if (result.violated != MODELGUARD_INSPECT_PASSED) {
        *violated = &mglcf->inspect->list[result.violated];
        return NGX_OK;
    }

    if (result.nedits == 0) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "modelguard: request body is changed in %uz place%s%s",
                  result.nedits, result.nedits == 1 ? "" : "s",
                  mglcf->dry_run ? ", dry run" : "");

    if (mglcf->dry_run) {
        return NGX_OK;
    }

    len = ngx_http_modelguard_body_length(r);

    if (ngx_http_modelguard_edit(r, result.edits, result.nedits) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    json += ngx_http_modelguard_body_length(r) - len;

    return ngx_http_modelguard_edit_header(r,
                                           &ngx_http_modelguard_body_tensors,
                                           json)
           == NGX_OK ? NGX_OK : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static off_t
ngx_http_modelguard_body_length(ngx_http_request_t *r)
{
    off_t         len;
    ngx_chain_t  *cl;

    if (r->request_body == NULL) {
        return 0;
    }

    len = 0;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        len += ngx_buf_size(cl->buf);
    }

    return len;
}


static ngx_uint_t
ngx_http_modelguard_body_encoded(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (ngx_http_modelguard_body_is(&header[i],
                                            &ngx_http_modelguard_body_coding)
                && (header[i].value.len != sizeof("identity") - 1
                    || ngx_strncasecmp(header[i].value.data,
                                       (u_char *) "identity",
                                       sizeof("identity") - 1)
                       != 0))
            {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_modelguard_body_is(const ngx_table_elt_t *header,
    const ngx_str_t *name)
{
    return header->key.len == name->len
           && ngx_strncasecmp(header->key.data, name->data, name->len) == 0;
}


/*
 * A server that goes by the type would read something else than was looked
 * at: a form in the strings of the JSON, or behind it, or what another charset
 * makes of it, as UTF-7 makes quotes of ASCII.
 */

static ngx_int_t
ngx_http_modelguard_body_type(ngx_http_request_t *r, ngx_uint_t tensors,
    ngx_uint_t *form)
{
    ngx_str_t        *type;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (!ngx_http_modelguard_body_is(&header[i],
                                      &ngx_http_modelguard_body_content_type))
            {
                continue;
            }

            if (!ngx_http_modelguard_body_charset(&header[i].value)) {
                return NGX_ERROR;
            }

            if (ngx_http_modelguard_body_media(&header[i].value,
                                         &ngx_http_modelguard_body_urlencoded))
            {
                *form = 1;
            }

            if (!tensors) {
                continue;
            }

            for (type = ngx_http_modelguard_body_types; type->len; type++) {

                if (ngx_http_modelguard_body_media(&header[i].value, type)) {
                    break;
                }
            }

            if (type->len == 0) {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_modelguard_body_media(const ngx_str_t *value, const ngx_str_t *type)
{
    u_char  c;

    if (value->len < type->len
        || ngx_strncasecmp(value->data, type->data, type->len) != 0)
    {
        return 0;
    }

    if (value->len == type->len) {
        return 1;
    }

    c = value->data[type->len];

    return c == ';' || c == ',' || c == ' ' || c == '\t';
}


/* all of them, in whatever way they are written */

static ngx_uint_t
ngx_http_modelguard_body_charset(const ngx_str_t *value)
{
    u_char     *p, *last;
    ngx_str_t  *charset;

    p = value->data;
    last = p + value->len;

    for ( ;; ) {
        p = ngx_strlcasestrn(p, last, (u_char *) "charset",
                             sizeof("charset") - 2);
        if (p == NULL) {
            return 1;
        }

        p += sizeof("charset") - 1;

        if (p == last || *p++ != '=') {
            return 0;
        }

        if (p < last && *p == '"') {
            p++;
        }

        for (charset = ngx_http_modelguard_body_charsets; charset->len;
             charset++)
        {
            if ((size_t) (last - p) >= charset->len
                && ngx_strncasecmp(p, charset->data, charset->len) == 0)
            {
                break;
            }
        }

        if (charset->len == 0) {
            return 0;
        }

        p += charset->len;

        if (p < last && *p == '"') {
            p++;
        }

        if (p < last && *p != ';' && *p != ',' && *p != ' ' && *p != '\t') {
            return 0;
        }
    }
}


/* the first "rest" bytes */

static ngx_int_t
ngx_http_modelguard_body_walk(ngx_http_modelguard_body_t *body, off_t rest)
{
    off_t                size;
    ngx_int_t            rc;
    ngx_buf_t           *b;
    ngx_chain_t         *cl;
    ngx_http_request_t  *r;

    r = body->request;
    rc = NGX_OK;

    for (cl = r->request_body->bufs; cl && rest; cl = cl->next) {
        b = cl->buf;
        size = ngx_min(ngx_buf_size(b), rest);
        rest -= size;

        if (ngx_buf_in_memory(b)) {
            rc = ngx_http_modelguard_body_feed(body, b->pos, (size_t) size);

        } else if (b->in_file) {
            rc = ngx_http_modelguard_body_file(body, b, size);
        }

        if (rc != NGX_OK) {
            break;
        }
    }

    if (body->piece) {
        ngx_pfree(r->pool, body->piece);
    }

    return rc;
}


static ngx_int_t
ngx_http_modelguard_body_file(ngx_http_modelguard_body_t *body, ngx_buf_t *b,
    off_t len)
{
    off_t                pos, last;
    size_t               size;
    ssize_t              n;
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = body->request;

    if (body->piece == NULL) {

        body->piece = ngx_palloc(r->pool, NGX_HTTP_MODELGUARD_BODY_PIECE);
        if (body->piece == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    last = b->file_pos + len;

    for (pos = b->file_pos; pos < last; pos += n) {

        size = (size_t) ngx_min(last - pos,
                                NGX_HTTP_MODELGUARD_BODY_PIECE);

        n = ngx_read_file(b->file, body->piece, size, pos);

        if (n == NGX_ERROR) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (n == 0) {
            ngx_log_error(NGX_LOG_CRIT, r->connection->log, 0,
                          "modelguard: \"%V\" ends before the request body",
                          &b->file->name);
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        rc = ngx_http_modelguard_body_feed(body, body->piece, n);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_body_feed(ngx_http_modelguard_body_t *body, u_char *data,
    size_t len)
{
    int  status;

    /* clients send JSON as a form, but it has one name then, and no value */

    if (body->form
        && (ngx_strlchr(data, data + len, '&') != NULL
            || ngx_strlchr(data, data + len, ';') != NULL))
    {
        return NGX_HTTP_BAD_REQUEST;
    }

    status = modelguard_inspect_feed(body->inspect, data, len);

    return status == MODELGUARD_OK
           ? NGX_OK : ngx_http_modelguard_body_status(body->request, status);
}


static ngx_int_t
ngx_http_modelguard_body_status(ngx_http_request_t *r, int rc)
{
    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "modelguard inspect: %d", rc);

    switch (rc) {

    case MODELGUARD_NOMEM:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;

    case MODELGUARD_TOO_BIG:

        ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                      "modelguard: request body has more than %d places to "
                      "be changed", MODELGUARD_INSPECT_EDITS_MAX);

        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;

    default:
        return NGX_HTTP_BAD_REQUEST;
    }
}
