
/*
 * Copyright (C) the modelguard authors
 *
 * Edits of a request body that was read: what is sent to the model server.
 */


#ifndef NGX_HTTP_MODELGUARD_EDIT_H_INCLUDED
#define NGX_HTTP_MODELGUARD_EDIT_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "modelguard_inspect.h"


/*
 * Gives the request a body with n edits, which may be freed afterwards, and
 * its length.  In memory nothing is copied but the new text.  A body in a
 * file is written to a new one: nginx sends a file from its beginning when
 * it tries the next server.
 */

ngx_int_t ngx_http_modelguard_edit(ngx_http_request_t *r,
    const modelguard_inspect_edit_t *edits, ngx_uint_t n);

/* sets all request headers of that name, given in lower case */

ngx_int_t ngx_http_modelguard_edit_header(ngx_http_request_t *r,
    const ngx_str_t *name, off_t value);


#endif /* NGX_HTTP_MODELGUARD_EDIT_H_INCLUDED */
