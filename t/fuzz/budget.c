
/*
 * Copyright (C) the modelguard authors
 *
 * A fuzz target: any bytes are a schedule of what happens to a budget at
 * random times, and the reference must agree with modelguard_budget after
 * every step.
 */


#include <stdio.h>
#include <stdlib.h>

#include "budget_schedule.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char  *wrong;

    wrong = schedule_run(data, len);

    if (wrong) {
        fprintf(stderr, "modelguard_budget: %s\n", wrong);
        abort();
    }

    return 0;
}
