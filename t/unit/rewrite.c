
/*
 * Copyright (C) the modelguard authors
 *
 * The rewriter, case by case: each document at every split point, in single
 * bytes and against a guard page.
 */


#include "rewrite_kit.h"
#include "rewrite_cases.h"


static void
test_case(const rewrite_case_t *test)
{
    int        pass;
    kit_t      kit;
    unsigned   differ;
    kit_out_t  out;

    kit_build(&kit, test->spec);

    differ = kit_split(&kit, (const unsigned char *) test->doc,
                       strlen(test->doc), &out);

    if (test->out != NULL) {
        pass = out.rc == MODELGUARD_OK && out.len == strlen(test->out)
               && memcmp(out.data, test->out, out.len) == 0;

    } else {
        pass = out.rc == test->rc;
    }

    if (!ok(pass && differ == 0, "%s", test->name)) {
        printf("# %s\n# rc %d, got  %.*s\n# wanted      %s\n", test->doc,
               out.rc, (int) out.len, (char *) out.data,
               test->out ? test->out : "an error");
    }

    free(out.data);
    kit_free();
}


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
