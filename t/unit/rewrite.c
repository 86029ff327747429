
/*
 * Copyright (C) the modelguard authors
 *
 * The rewriter, case by case: each document at every split point, in single
 * bytes and against a guard page.
 */


#include "rewrite_case.h"


#define CASE_ZEROS  "0000000000000000000000000000000000000000000000000000000"
#define CASE_LONG   "1" CASE_ZEROS CASE_ZEROS CASE_ZEROS          /* 10^165 */
#define CASE_LEAST  CASE_LONG CASE_ZEROS CASE_ZEROS CASE_ZEROS    /* 10^330 */


/*
 * Cases for which oracle.c has no answer of its own: of texts longer than 128
 * bytes the guard takes a value that may reach the top for one that does.
 */

static const rewrite_case_t  more_cases[] = {
    { "a big tie in long texts", "scores $ | round=1",
      "[" CASE_LONG ".14," CASE_LONG ".16,0.25]",
      "[99999999999999999.9," CASE_LONG ".2,0.2]", 0 },
    { "a big tie below zero", "scores $ | round=1",
      "[-" CASE_LONG ".16,-" CASE_LONG ".14]",
      "[-1e308,-" CASE_LONG ".1]", 0 },
    { "a big tie below the least that is written", "scores $ | round=1",
      "[-" CASE_LEAST ".16,-" CASE_LEAST ".14]",
      "[-Infinity,-" CASE_LEAST ".1]", 0 },

    { "a duplicate of a value that has labels",
      "scores $.s label=$.l[*] | round=1 top=1",
      "{\"s\":[0.12,0.34],\"s\":[0.56,0.78],\"l\":[1,2]}",
      "{\"s\":[0.3],\"s\":[0,0.8],\"l\":[2]}", 0 }
};


int
main(void)
{
    size_t  i;

    for (i = 0; i < REWRITE_CASES; i++) {
        test_case(&rewrite_cases[i]);
    }

    for (i = 0; i < sizeof(more_cases) / sizeof(more_cases[0]); i++) {
        test_case(&more_cases[i]);
    }

    ok(kit_allocated == 0, "all memory was given back");

    return tap_done();
}
