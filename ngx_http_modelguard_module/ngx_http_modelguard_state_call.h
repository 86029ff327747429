
/*
 * Copyright (C) the modelguard authors
 *
 * Calls of the system that a signal may interrupt: the master process gets
 * some at any time, as a worker ends or a reload is asked for, and nginx does
 * not let the kernel begin calls anew.
 */


#ifndef NGX_HTTP_MODELGUARD_STATE_CALL_H_INCLUDED
#define NGX_HTTP_MODELGUARD_STATE_CALL_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>


/* again, as long as it fails for a signal; -1 is an error */

#define ngx_http_modelguard_state_call(rc, call)                              \
    for (rc = call; rc == -1 && ngx_errno == NGX_EINTR; rc = call) {          \
        /* void */                                                            \
    }


#endif /* NGX_HTTP_MODELGUARD_STATE_CALL_H_INCLUDED */
