
/*
 * Copyright (C) the modelguard authors
 *
 * The rewriter, case by case: each document at every split point, in single
 * bytes and against a guard page.
 */


#include "rewrite_case.h"


int
main(void)
{
    size_t  i;

    for (i = 0; i < REWRITE_CASES; i++) {
        test_case(&rewrite_cases[i]);
    }

    ok(kit_allocated == 0, "all memory was given back");

    return tap_done();
}
