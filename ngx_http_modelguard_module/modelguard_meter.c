
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_meter.h"


uint64_t
modelguard_meter_tokens(const modelguard_meter_t *meter)
{
    uint64_t  sum;

    sum = meter->input + meter->output;

    if (sum < meter->input) {
        sum = UINT64_MAX;
    }

    return meter->total > sum ? meter->total : sum;
}
