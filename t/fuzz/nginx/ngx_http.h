
/*
 * Copyright (C) the modelguard authors
 */


#ifndef NGX_HTTP_H_INCLUDED
#define NGX_HTTP_H_INCLUDED


#include "ngx_core.h"


#endif /* NGX_HTTP_H_INCLUDED */
