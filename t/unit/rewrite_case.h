
/*
 * Copyright (C) the modelguard authors
 *
 * One case of a table of rewrite_cases.h: whole, cut in two at every offset
 * and byte by byte.
 */


#ifndef REWRITE_CASE_H_INCLUDED
#define REWRITE_CASE_H_INCLUDED


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


#endif /* REWRITE_CASE_H_INCLUDED */
