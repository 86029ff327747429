
/*
 * Copyright (C) the modelguard authors
 */


#ifndef NGX_CONFIG_H_INCLUDED
#define NGX_CONFIG_H_INCLUDED


#include "ngx_core.h"


#endif /* NGX_CONFIG_H_INCLUDED */
