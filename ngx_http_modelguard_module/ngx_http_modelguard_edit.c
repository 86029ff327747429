
/*
 * Copyright (C) the modelguard authors
 */


#include "ngx_http_modelguard_edit.h"


#define NGX_HTTP_MODELGUARD_EDIT_PIECE  32768   /* read from a file at once */


/* the new body: a chain, or a file of its own */

typedef struct {
    ngx_http_request_t   *request;
    ngx_chain_t          *bufs;
    ngx_chain_t         **last;
    ngx_temp_file_t      *file;
    u_char               *piece;
    off_t                 len;

    /* of the old body: what comes next */

    ngx_chain_t          *in;
    off_t                 used;      /* of in->buf */
} ngx_http_modelguard_edit_t;


static ngx_int_t ngx_http_modelguard_edit_open(
    ngx_http_modelguard_edit_t *edit);
static ngx_int_t ngx_http_modelguard_edit_pass(
    ngx_http_modelguard_edit_t *edit, off_t len, ngx_uint_t keep);
static ngx_int_t ngx_http_modelguard_edit_keep(
    ngx_http_modelguard_edit_t *edit, ngx_buf_t *b, off_t len);
static ngx_int_t ngx_http_modelguard_edit_text(
    ngx_http_modelguard_edit_t *edit, const modelguard_str_t *text);
static ngx_int_t ngx_http_modelguard_edit_memory(
    ngx_http_modelguard_edit_t *edit, u_char *data, size_t len);
static ngx_int_t ngx_http_modelguard_edit_buf(
    ngx_http_modelguard_edit_t *edit, ngx_buf_t **b);
static ngx_int_t ngx_http_modelguard_edit_close(
    ngx_http_modelguard_edit_t *edit);
static void ngx_http_modelguard_edit_variables(ngx_http_request_t *r);


static ngx_str_t  ngx_http_modelguard_edit_length =
    ngx_string("content-length");


/* what they were is remembered by nginx */

static ngx_str_t  ngx_http_modelguard_edit_names[] = {
    ngx_string("content_length"),
    ngx_string("request_body"),
    ngx_string("request_body_file"),
    ngx_string("http_content_length"),
    ngx_string("http_inference_header_content_length"),
    ngx_null_string
};


ngx_int_t
ngx_http_modelguard_edit(ngx_http_request_t *r,
    const modelguard_inspect_edit_t *edits, ngx_uint_t n)
{
    off_t                       at;
    ngx_uint_t                  i;
    ngx_http_modelguard_edit_t  edit;

    ngx_memzero(&edit, sizeof(ngx_http_modelguard_edit_t));

    edit.request = r;
    edit.last = &edit.bufs;
    edit.in = r->request_body->bufs;

    if (ngx_http_modelguard_edit_open(&edit) != NGX_OK) {
        return NGX_ERROR;
    }

    at = 0;

    for (i = 0; i < n; i++) {

        if (ngx_http_modelguard_edit_pass(&edit, (off_t) edits[i].offset - at,
                                          1)
            != NGX_OK
            || ngx_http_modelguard_edit_text(&edit, &edits[i].text) != NGX_OK
            || ngx_http_modelguard_edit_pass(&edit, (off_t) edits[i].len, 0)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        at = (off_t) (edits[i].offset + edits[i].len);
    }

    if (ngx_http_modelguard_edit_pass(&edit, NGX_MAX_OFF_T_VALUE, 1)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_modelguard_edit_close(&edit);
}


/* a file, if there is one in the old body */

static ngx_int_t
ngx_http_modelguard_edit_open(ngx_http_modelguard_edit_t *edit)
{
    ngx_chain_t               *cl;
    ngx_temp_file_t           *tf;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    for (cl = edit->in; cl; cl = cl->next) {
        if (!ngx_buf_in_memory(cl->buf) && cl->buf->in_file) {
            break;
        }
    }

    if (cl == NULL) {
        return NGX_OK;
    }

    r = edit->request;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    edit->piece = ngx_palloc(r->pool, NGX_HTTP_MODELGUARD_EDIT_PIECE);
    tf = ngx_pcalloc(r->pool, sizeof(ngx_temp_file_t));

    if (edit->piece == NULL || tf == NULL) {
        return NGX_ERROR;
    }

    /* as ngx_http_write_request_body() does */

    tf->file.fd = NGX_INVALID_FILE;
    tf->file.log = r->connection->log;
    tf->path = clcf->client_body_temp_path;
    tf->pool = r->pool;
    tf->log_level = r->request_body_file_log_level;
    tf->persistent = r->request_body_in_persistent_file;
    tf->clean = r->request_body_in_clean_file;

    if (r->request_body_file_group_access) {
        tf->access = 0660;
    }

    edit->file = tf;

    return ngx_create_temp_file(&tf->file, tf->path, tf->pool, tf->persistent,
                                tf->clean, tf->access);
}


/* goes on by "len" bytes of the old body, or to its end */

static ngx_int_t
ngx_http_modelguard_edit_pass(ngx_http_modelguard_edit_t *edit, off_t len,
    ngx_uint_t keep)
{
    off_t       n;
    ngx_buf_t  *b;

    while (len > 0 && edit->in) {
        b = edit->in->buf;
        n = ngx_min(ngx_buf_size(b) - edit->used, len);

        if (keep && n
            && ngx_http_modelguard_edit_keep(edit, b, n) != NGX_OK)
        {
            return NGX_ERROR;
        }

        edit->used += n;
        len -= n;

        if (edit->used == ngx_buf_size(b)) {
            edit->in = edit->in->next;
            edit->used = 0;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_edit_keep(ngx_http_modelguard_edit_t *edit, ngx_buf_t *b,
    off_t len)
{
    off_t    pos;
    ssize_t  n;

    if (ngx_buf_in_memory(b)) {
        return ngx_http_modelguard_edit_memory(edit, b->pos + edit->used,
                                               (size_t) len);
    }

    pos = b->file_pos + edit->used;

    while (len) {
        n = ngx_read_file(b->file, edit->piece,
                          (size_t) ngx_min(len,
                                           NGX_HTTP_MODELGUARD_EDIT_PIECE),
                          pos);

        if (n <= 0) {
            return NGX_ERROR;
        }

        if (ngx_http_modelguard_edit_memory(edit, edit->piece, (size_t) n)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        pos += n;
        len -= n;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_edit_text(ngx_http_modelguard_edit_t *edit,
    const modelguard_str_t *text)
{
    u_char  *p;

    if (text->len == 0) {
        return NGX_OK;
    }

    p = (u_char *) text->data;

    if (edit->file == NULL) {

        p = ngx_pnalloc(edit->request->pool, text->len);
        if (p == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(p, text->data, text->len);
    }

    return ngx_http_modelguard_edit_memory(edit, p, text->len);
}


static ngx_int_t
ngx_http_modelguard_edit_memory(ngx_http_modelguard_edit_t *edit,
    u_char *data, size_t len)
{
    ngx_buf_t   *b;
    ngx_file_t  *file;

    edit->len += len;

    if (edit->file) {
        file = &edit->file->file;

        return (ngx_write_file(file, data, len, file->offset) == (ssize_t) len)
               ? NGX_OK : NGX_ERROR;
    }

    if (ngx_http_modelguard_edit_buf(edit, &b) != NGX_OK) {
        return NGX_ERROR;
    }

    /* where the next server's attempt begins is b->start */

    b->memory = 1;
    b->start = data;
    b->pos = data;
    b->last = data + len;
    b->end = b->last;

    return NGX_OK;
}


static ngx_int_t
ngx_http_modelguard_edit_buf(ngx_http_modelguard_edit_t *edit, ngx_buf_t **b)
{
    ngx_chain_t  *cl;

    *b = ngx_calloc_buf(edit->request->pool);
    cl = ngx_alloc_chain_link(edit->request->pool);

    if (*b == NULL || cl == NULL) {
        return NGX_ERROR;
    }

    cl->buf = *b;
    cl->next = NULL;

    *edit->last = cl;
    edit->last = &cl->next;

    return NGX_OK;
}


/*
 * The old body stays as it is: a subrequest that was made before, as for a
 * mirror, has it with its length.
 */

static ngx_int_t
ngx_http_modelguard_edit_close(ngx_http_modelguard_edit_t *edit)
{
    ngx_buf_t                *b;
    ngx_http_request_t       *r;
    ngx_http_request_body_t  *rb;

    r = edit->request;

    rb = ngx_palloc(r->pool, sizeof(ngx_http_request_body_t));
    if (rb == NULL) {
        return NGX_ERROR;
    }

    *rb = *r->request_body;

    if (edit->file) {

        if (ngx_http_modelguard_edit_buf(edit, &b) != NGX_OK) {
            return NGX_ERROR;
        }

        b->in_file = 1;
        b->file_last = edit->len;
        b->file = &edit->file->file;

        rb->temp_file = edit->file;

        ngx_pfree(r->pool, edit->piece);
    }

    rb->bufs = edit->bufs;

    r->request_body = rb;
    r->headers_in.content_length_n = edit->len;

    ngx_http_modelguard_edit_variables(r);

    return ngx_http_modelguard_edit_header(r,
                                           &ngx_http_modelguard_edit_length,
                                           edit->len);
}


/* whoever asked before, as "if" does, is not to spoil fastcgi's parameters */

static void
ngx_http_modelguard_edit_variables(ngx_http_request_t *r)
{
    ngx_str_t                  *name;
    ngx_uint_t                  i;
    ngx_http_variable_t        *v;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {

        for (name = ngx_http_modelguard_edit_names; name->len; name++) {

            if (v[i].name.len == name->len
                && ngx_strncmp(v[i].name.data, name->data, name->len) == 0)
            {
                r->variables[i].valid = 0;
                r->variables[i].not_found = 0;
            }
        }
    }
}


ngx_int_t
ngx_http_modelguard_edit_header(ngx_http_request_t *r, const ngx_str_t *name,
    off_t value)
{
    ngx_str_t         text;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    text.data = ngx_pnalloc(r->pool, NGX_OFF_T_LEN);
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    text.len = ngx_sprintf(text.data, "%O", value) - text.data;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (header[i].key.len == name->len
                && ngx_strncasecmp(header[i].key.data, name->data, name->len)
                   == 0)
            {
                header[i].value = text;
            }
        }
    }

    /* it may be an element of an older list */

    if (name == &ngx_http_modelguard_edit_length
        && r->headers_in.content_length)
    {
        r->headers_in.content_length->value = text;
    }

    return NGX_OK;
}
