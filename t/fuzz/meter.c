
/*
 * Copyright (C) the modelguard authors
 *
 * A fuzz target: rules and an answer, or a few, that is metered.  What is
 * read does not depend on the cut, is no more than there can be, and grows
 * with what is read.
 */


#include "fuzz_rules.h"
#include "modelguard_meter_read.h"


/* "ends": a document ends behind each line feed */

static void
run(const modelguard_meter_rules_t *rules, modelguard_meter_t *meter,
    const fuzz_input_t *input, const fuzz_cuts_t *cuts, int ends)
{
    size_t                    i, at, end, n;
    uint8_t                  *copy;
    modelguard_meter_read_t  *read;

    memset(meter, 0, sizeof(modelguard_meter_t));

    read = modelguard_meter_read_create(rules, meter, 32, kit_alloc, NULL);

    for (i = 0, at = 0; i <= cuts->n; i++) {
        end = i < cuts->n ? cuts->at[i] : input->len;

        while (at < end) {
            n = end - at;

            if (ends && memchr(input->doc + at, '\n', n) != NULL) {
                n = (size_t) ((const uint8_t *) memchr(input->doc + at, '\n',
                                                       n)
                              - input->doc) + 1 - at;
            }

            copy = fuzz_copy(input->doc + at, n);
            modelguard_meter_read_feed(read, copy, n);
            free(copy);

            at += n;

            if (ends && input->doc[at - 1] == '\n') {
                modelguard_meter_read_end(read);
            }
        }
    }

    modelguard_meter_read_end(read);
    modelguard_meter_read_free(read);
}


static void
check(const modelguard_meter_rules_t *rules, const fuzz_input_t *input,
    int ends)
{
    fuzz_cuts_t         cuts;
    fuzz_input_t        less;
    modelguard_meter_t  whole, other;

    static const fuzz_cuts_t  uncut;

    run(rules, &whole, input, &uncut, ends);

    fuzz_cut(&cuts, input->len);
    run(rules, &other, input, &cuts, ends);

    if (memcmp(&whole, &other, sizeof(modelguard_meter_t)) != 0) {
        fuzz_fail("cut at %zu: %llu bits for %llu, %llu of %llu for %llu of "
                  "%llu", cuts.at[0], (unsigned long long) other.bits,
                  (unsigned long long) whole.bits,
                  (unsigned long long) other.output,
                  (unsigned long long) other.total,
                  (unsigned long long) whole.output,
                  (unsigned long long) whole.total);
    }

    /* a byte holds no more than a number */

    if (whole.bits > (input->len + 1) * MODELGUARD_METER_FLOAT
        || whole.input > 4 * MODELGUARD_METER_TOKENS_MAX
        || whole.output > 4 * MODELGUARD_METER_TOKENS_MAX
        || whole.total > MODELGUARD_METER_TOKENS_MAX
        || (!whole.usage && modelguard_meter_tokens(&whole) != 0)
        || modelguard_meter_bits(&whole) != (whole.bits + 999) / 1000)
    {
        fuzz_fail("%llu bits, %llu and %llu of %llu",
                  (unsigned long long) whole.bits,
                  (unsigned long long) whole.input,
                  (unsigned long long) whole.output,
                  (unsigned long long) whole.total);
    }

    /* lines before say no more than all lines */

    if (ends) {
        less = *input;

        while (less.len && less.doc[less.len - 1] != '\n') {
            less.len--;
        }

        run(rules, &other, &less, &uncut, 1);

        if (other.bits > whole.bits || other.output > whole.output
            || other.input > whole.input || other.total > whole.total)
        {
            fuzz_fail("less says more");
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    kit_t                      kit;
    size_t                     i;
    const char                *error;
    fuzz_input_t               input;
    modelguard_meter_rules_t  *rules;
    const modelguard_field_t  *fields[KIT_FIELDS];

    fuzz_begin(data, len);

    if (!fuzz_split(&input, data, len) || fuzz_spec_is_slow(input.spec)) {
        return -1;
    }

    if (!kit_try(&kit, input.spec, &error)) {
        kit_free();
        return -1;
    }

    for (i = 0; i < kit.n; i++) {
        fields[i] = &kit.fields[i];
    }

    if (modelguard_meter_values_build(&rules, fields, kit.n,
                                      fuzz_random(2) ? &kit.profile : NULL,
                                      kit_match, kit_keep, NULL)
        == MODELGUARD_OK)
    {
        check(rules, &input, 0);
        check(rules, &input, 1);
    }

    if (modelguard_meter_usage_build(&rules, NULL, 0, kit_match, kit_keep,
                                     NULL)
        == MODELGUARD_OK)
    {
        check(rules, &input, 0);
        check(rules, &input, 1);
    }

    kit_free();

    if (kit_allocated) {
        fuzz_fail("%zu bytes are not given back", kit_allocated);
    }

    return 0;
}


size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    fuzz_reseed(seed);

    if (fuzz_random(20) == 0) {
        return fuzz_shape(data, size, max);
    }

    return fuzz_rules_mutate(data, size, max, fuzz_json_mutate);
}
