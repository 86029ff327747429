
/*
 * Copyright (C) the modelguard authors
 *
 * What an answer discloses: a worked table of bits, token counts of all
 * shapes and all that is none, each cut at every offset.
 */


#include <math.h>

#include "rewrite_kit.h"
#include "modelguard_frame.h"
#include "modelguard_meter_number.h"


#define TEXT_MAX  8192


typedef struct {
    const char  *spec;               /* as of rewrite_kit.h */
    unsigned     classes;
    uint64_t     bits;               /* thousandths */
    const char  *doc;
} bits_case_t;


typedef struct {
    uint64_t     input;
    uint64_t     output;
    uint64_t     total;
    uint64_t     tokens;
    int          usage;
    const char  *doc;
} tokens_case_t;


#define PROBS3   "{\"p\":[0.101,0.102,0.103,0.104,0.105,0.106,0.107,0.108," \
                 "0.109,0.155]}"
#define PROBS16  "{\"p\":[0.1010000000000001,0.1020000000000001," \
                 "0.1030000000000001,0.1040000000000001,0.1050000000000001," \
                 "0.1060000000000001,0.1070000000000001,0.1080000000000001," \
                 "0.1090000000000001,0.1550000000000001]}"

static const bits_case_t  bits_cases[] = {

    /* labels */

    { "label $.l | keep", 10, 3322, "{\"l\":\"cat\"}" },
    { "label $.l | keep", 2, 1000, "{\"l\":\"cat\"}" },
    { "label $.l | keep", 0, 9966, "{\"l\":\"cat\"}" },
    { "label $.l | keep", 0, 9966, "{\"l\":17}" },
    { "label $.l | keep", 0, 0, "{\"l\":null}" },
    { "label $.l | drop", 10, 0, "{\"l\":\"cat\"}" },
    { "label $.l[*] | keep", 10, 9966, "{\"l\":[\"a\",\"b\",\"c\"]}" },
    { "label $.l | keep", 10, 9966, "{\"l\":[\"a\",\"b\",\"c\"]}" },

    /* numbers */

    { "scores $.p | keep", 0, 99660, PROBS3 },
    { "scores $.p | keep", 0, 230000, PROBS16 },
    { "scores $.p | round=3", 0, 99660, PROBS16 },
    { "scores $.p | round=2", 0, 49830, PROBS3 },
    { "scores $.p | round=2 top=3", 0, 19932, PROBS3 },
    { "scores $.p | drop", 0, 0, PROBS3 },
    { "scores $.p | null", 0, 0, PROBS3 },
    { "scores $.p | label_only", 0, 3322, PROBS3 },
    { "scores $.p | step=0.125", 0, 3000, PROBS3 },
    { "scores $.p | step=0.5", 0, 1000, "{\"p\":[0.2,0.1]}" },
    { "scores $.p | step=0.5", 0, 1000, "{\"p\":[0.6,0.1]}" },
    { "logits $.p | step=0.5", 0, 7644 + 7644, "{\"p\":[12.6,-40.1]}" },
    { "scores $.q | keep", 0, 0, PROBS3 },
    { "scores $.p | keep", 0, 0, "{\"p\":[0,0.0,-0,0e5,0.000]}" },
    { "scores $.p | keep", 0, 6644, "{\"p\":1.5}" },
    { "scores $.p | keep", 0, 6644, "{\"p\":[1.5]}" },
    { "scores $.p | keep", 0, 6644, "{\"p\":[[1.5]]}" },
    { "scores $.p | keep", 0, 0, "{\"p\":[{\"x\":1.5}]}" },
    { "scores $.p | keep", 0, 0, "{\"p\":null}" },
    { "scores $ | keep", 0, 9966, "0.125" },
    { "scores $ | keep", 0, 9966, "[0.125]" },
    { "scores $.p | keep", 0, 23000, "{\"p\":1.25e-30}" },
    { "scores $.p | keep", 0, 16610, "{\"p\":1.2e-4}" },
    { "scores $.p | keep", 0, 9966, "{\"p\":125e-3}" },
    { "scores $.p | keep", 0, 6644, "{\"p\":1.5e+3}" },
    { "scores $.p | keep", 0, 6644, "{\"p\":\"1.5E+3\"}" },
    { "scores $.p | keep", 0, 23254,
      "{\"p\":[\"1.2.3\", \"1e2.5\", \"1e2e3\", \"+1\", \"1e-+2\"]}" },
    { "scores $.p | keep", 0, 6644, "{\"p\":1.5e3}" },
    { "scores $.p | keep", 0, 23000 + 3322,
      "{\"p\":[1e400,1e-99999999999999999999]}" },
    { "scores $.p | keep", 0, 0, "{\"p\":[NaN,Infinity,-Infinity]}" },
    { "scores $.p | keep", 0, 19932, "{\"p\":0.123456}" },
    { "scores $.p | keep", 0, 23000, "{\"p\":0.1234567}" },
    { "scores $.p | keep", 0, 23000, "{\"p\":0.12345678}" },
    { "scores $.p | keep", 0, 0, "{\"p\":0.00000000}" },
    { "scores $.p | keep", 0, 23000 + 19932,
      "{\"p\":[0.00000001, 0.000000000000, 0.000000, -0.123456]}" },
    { "scores $.p | keep", 0, 69000,
      "{\"p\":[0.00000001,0.000000000000,0.00001234,0.12345678]}" },

    { "scores $.p | keep", 0, 19932 + 23000 + 23000 + 3322,
      "{\"p\":[0,0.123456,0.1234567,0,0.12345678,0.1]}" },
    { "scores $.p | keep", 0, 9 * 3322,
      "{\"p\":[0.1,0.12e1,0.5e-1,0e5,0.5, 0.12,0.5 ,0E0,0]}" },

    /* hidden logits are filled, and fills tell nothing */

    { "logits $.p | round=2 top=1", 0, 9966, "{\"p\":[1.25,-3.5,-8.25]}" },
    { "logits $.p | round=2 top=2", 0, 9966 + 9966,
      "{\"p\":[-1.25,-3.51,-8.25]}" },
    { "logits $.p | top=1", 0, 9966, "{\"p\":[-1.25,-3.5,-1e400]}" },

    /* vectors of labels and ones */

    { "scores $.p | label_only", 0, 1000, "{\"p\":0.9}" },
    { "scores $.p | label_only", 0, 1000, "{\"p\":[0.9]}" },
    { "scores $.p[*] | label_only", 0, 3000, "{\"p\":[0.9,0.1,0.2]}" },
    { "scores $.p | label_only", 0, 2000, "{\"p\":[[0.9,0.1],[0.2,0.8]]}" },
    { "scores $.p shape=$.s | label_only", 0, 3000,
      "{\"s\":[3,2],\"p\":[0.9,0.1,0.2,0.8,0.4,0.6]}" },
    { "scores $.p.* | label_only", 0, 9966, "{\"p\":{\"a\":0.9,\"b\":0.1}}" },
    { "scores $.p.* | label_only", 4, 2000, "{\"p\":{\"a\":0.9,\"b\":0.1}}" },
    { "scores $.p.* | round=1", 0, 6644, "{\"p\":{\"a\":0.9,\"b\":0.1}}" },
    { "scores $.p.* | round=1 top=1", 4, 5322,
      "{\"p\":{\"a\":0.9,\"b\":0.1}}" },

    /* class numbers are left alone, zeros too */

    { "scores $.p datatype=$.t | label_only", 0, 1000,
      "{\"t\":\"INT32\",\"p\":[0,0]}" },

    /* the elements are of another field: the array's own comes first */

    { "scores $.p | keep; logits $.p[*] | keep", 0, 3322 + 6644 + 9966,
      "{\"p\":[0.5,0.25,0.125]}" },

    { "scores $.p | keep; logits $.p[2] | keep", 0, 3322 + 6644 + 9966 + 6644,
      "{\"p\":[0.5,0.25,0.125,0.25]}" },
    { "scores $.p $.p[0] | keep; logits $.p[*] | round=1", 0, 3 * 3322,
      "{\"p\":[0.125,0.25,0.125]}" },
    { "scores $.p[0] $.p | keep; logits $.p[*] | round=1", 0, 3 * 3322,
      "{\"p\":[0.125,0.25,0.125]}" },
    { "logits $.p[*] | round=1; scores $.p $.p[0] | keep", 0, 3 * 3322,
      "{\"p\":[0.125,0.25,0.125]}" },

    /* records */

    { "scores $[*].s label=$[*].l | keep", 0, 9966 + 8000,
      "[{\"l\":\"a\",\"s\":0.9},{\"l\":\"b\",\"s\":0.1},"
      "{\"l\":\"c\",\"s\":0.5},{\"l\":\"d\",\"s\":0}]" },
    { "scores $[*].s label=$[*].l | label_only", 0, 9966,
      "[{\"l\":\"a\",\"s\":0.9},{\"l\":\"b\",\"s\":0.1}]" },
    { "scores $[*].s label=$[*].l | label_only", 8, 3000,
      "[{\"l\":\"a\",\"s\":0.9},{\"l\":\"b\",\"s\":0.1}]" },
    { "scores $[*].s label=$[*].l | round=1 top=1", 8, 6322,
      "[{\"l\":\"a\",\"s\":0.91},{\"l\":\"b\",\"s\":0.1}]" },
    { "scores $[*].s label=$[*].l | top=2", 0, 2 * (9966 + 3322),
      "[{\"l\":\"a\",\"s\":0.9},{\"l\":\"b\",\"s\":0.1},"
      "{\"l\":\"c\",\"s\":0.5},{\"l\":\"d\",\"s\":0}]" },
    { "scores $[*].s label=$[*].l | min=0.4", 0, 2 * (9966 + 3322),
      "[{\"l\":\"a\",\"s\":0.9},{\"l\":\"b\",\"s\":0.1},"
      "{\"l\":\"c\",\"s\":0.5},{\"l\":\"d\",\"s\":0}]" },
    { "label $[*].l | keep; scores $[*].s label=$[*].l label=$[*].i | keep", 0,
      2 * (1000 + 3322),
      "[{\"l\":\"a\",\"s\":0.9,\"i\":1},"
      "{\"l\":\"b\",\"s\":0.1,\"i\":2}]" },
    { "scores $.s label=$.l[*] | round=1", 0, 8644,
      "{\"s\":[0.91,0.09],\"l\":[\"a\",\"b\"]}" },

    /* strings and embeddings */

    { "scores $.d encoding=string | keep", 2, 6644 + 1000,
      "{\"d\":\"0.93:5:cat\"}" },
    { "scores $.d encoding=string | keep", 2, 6644, "{\"d\":\"0.93\"}" },
    { "scores $.d encoding=string | keep", 2, 4322, "{\"d\":\"5:cat 2\"}" },
    { "scores $.d encoding=string | label_only", 2, 1000,
      "{\"d\":\"0.93:5:cat\"}" },
    { "scores $.d encoding=text | keep", 0, 13288,
      "{\"d\":\"{0: 0.25, 1: 0.75} v1.5 4\"}" },
    { "scores $.d encoding=text | keep", 0, 13288,
      "{\"d\":\"{0: -2.5e-1, 1:\\n.75}\"}" },
    { "scores $.d encoding=text | round=1", 0, 6644,
      "{\"d\":\"{0: 0.2512, 1: 0.74}\"}" },
    { "scores $.d encoding=json inside=$.p | round=1", 0, 6644,
      "{\"d\":\"{\\\"p\\\": [0.2512, 0.74]}\"}" },
    { "scores $.d encoding=json inside=$.p | round=1", 0, 6644,
      "{\"d\":{\"p\": [0.2512, 0.74]}}" },
    { "embedding $.e encoding=base64f32 | keep", 0, 69000,
      "{\"e\":\"AACAPwAAgD8AAIA/\"}" },
    { "embedding $.e encoding=base64f32 | round=2", 0, 19932,
      "{\"e\":\"AACAPwAAgD8AAIA/\"}" },
    { "embedding $.e encoding=base64f32 | round=6", 0, 59796,
      "{\"e\":\"AACAPwAAgD8AAIA/\"}" },
    { "embedding $.e encoding=base64f32 | round=7", 0, 69000,
      "{\"e\":\"AACAPwAAgD8AAIA/\"}" },
    { "embedding $.e encoding=base64f32 | step=0.25", 0, 6000,
      "{\"e\":\"AACAPwAAgD8AAIA/\"}" },
    { "embedding $.e encoding=base64f32 | keep", 0, 23000,
      "{\"e\":\"AACAPw==\"}" },
    { "embedding $.e | keep", 0, 46000, "{\"e\":\"AACAPwAAgD8=\"}" },
    { "embedding $.e | round=2", 0, 16610, "{\"e\":[0.123,0.5,-0.666]}" },

    /* a number as a string, and what stands for a label */

    { "scores $.p | keep", 0, 6644 + 23000 + 3322,
      "{\"p\":[\"93\", \"12345678\", \" -5\"]}" },
    { "scores $.p | keep", 0, 6644, "{\"p\":[\"0.12\", \"v1\", \"a 2\"]}" },
    { "scores $.p | keep", 0, 0,
      "{\"p\":[\"0\", \"\", \"7 b\", \"1-2\", \"8 \"]}" },
    { "label $.c | keep", 2, 1000, "{\"c\":true}" },
    { "label $.c | keep", 2, 3000, "{\"c\":[false,true,null,false]}" },
    { "label $.c | drop", 2, 0, "{\"c\":true}" },
    { "scores $.p | keep", 0, 2000, "{\"p\":[false,true,null]}" },
    { "scores $[*].s label=$[*].l | keep", 2, 2 * 1000 + 2 * 3322,
      "[{\"l\":true,\"s\":0.9},{\"l\":false,\"s\":0.1}]" },

    /* fields beside one another */

    { "scores $.p | round=1; label $.l | keep; embedding $.e | drop", 10,
      3322 + 3322 + 3322,
      "{\"p\":[0.91,0.09],\"l\":\"a\",\"e\":[0.1],\"x\":0.5}" },
    { "logprobs $.**.logprob | round=1", 0, 6644 + 3322,
      "{\"c\":[{\"logprob\":-1.23},{\"t\":[{\"logprob\":-0.11}]}]}" }
};

#define BITS_CASES  (sizeof(bits_cases) / sizeof(bits_cases[0]))


static const tokens_case_t  tokens_cases[] = {
    { 5, 7, 12, 12, 1, "{\"usage\":{\"prompt_tokens\":5,"
      "\"completion_tokens\":7,\"total_tokens\":12}}" },
    { 5, 7, 0, 12, 1, "{\"usage\":{\"input_tokens\":5,\"output_tokens\":7}}" },
    { 115, 7, 0, 122, 1, "{\"usage\":{\"input_tokens\":5,"
      "\"cache_creation_input_tokens\":10,\"cache_read_input_tokens\":100,"
      "\"cache_creation\":{\"ephemeral_5m_input_tokens\":7},"
      "\"output_tokens\":7}}" },
    { 190, 0, 0, 190, 1, "{\"usage\":{\"input_tokens\":90},\"usage\":"
      "{\"input_tokens\":0,\"cache_read_input_tokens\":100}}" },
    { 200, 7, 207, 207, 1, "{\"usage\":{\"prompt_tokens\":200,"
      "\"cache_read_input_tokens\":100,\"completion_tokens\":7,"
      "\"total_tokens\":207}}" },
    { 0, 0, 9, 9, 1, "{\"usage\":{\"total_tokens\":9}}" },
    { 5, 7, 3, 12, 1, "{\"usage\":{\"total_tokens\":3,\"prompt_tokens\":5,"
      "\"completion_tokens\":7}}" },
    { 25, 12, 33, 37, 1, "{\"usageMetadata\":{\"promptTokenCount\":25,"
      "\"candidatesTokenCount\":8,\"thoughtsTokenCount\":4,"
      "\"totalTokenCount\":33}}" },
    { 15, 8, 21, 23, 1, "[{\"usageMetadata\":{\"promptTokenCount\":15,"
      "\"totalTokenCount\":15}},{\"usageMetadata\":{\"promptTokenCount\":13,"
      "\"candidatesTokenCount\":8,\"totalTokenCount\":21}}]" },
    { 11, 1, 0, 12, 1, "{\"prompt_eval_count\":11,\"eval_count\":1,"
      "\"eval_duration\":5}" },
    { 8, 3, 0, 11, 1, "{\"tokens_evaluated\":8,\"tokens_predicted\":3,"
      "\"tokens_cached\":11}" },
    { 0, 10, 0, 10, 1, "{\"details\":{\"generated_tokens\":10,"
      "\"prefill\":[{\"id\":3}]}}" },
    { 496, 11, 0, 507, 1, "{\"usage\":{\"billed_units\":{\"input_tokens\":1,"
      "\"output_tokens\":9.0},\"tokens\":{\"input_tokens\":496.0,"
      "\"output_tokens\":11}}}" },
    { 3, 0, 0, 3, 1, "{\"meta\":{\"billed_units\":{\"input_tokens\":3}}}" },
    { 37, 11, 48, 48, 1, "{\"response\":{\"usage\":{\"input_tokens\":37,"
      "\"output_tokens\":11,\"output_tokens_details\":"
      "{\"reasoning_tokens\":999,\"output_tokens\":999},"
      "\"total_tokens\":48}}}" },
    { 4, 0, 0, 4, 1, "{\"inputTextTokenCount\":4}" },
    { 5, 0, 0, 5, 1, "{\"us\\u0061ge\":{\"prompt\\u005ftokens\":5}}" },

    /* no counts */

    { 0, 0, 0, 0, 0, "{\"usage\":null}" },
    { 0, 0, 0, 0, 0, "{\"usage\":{}}" },
    { 0, 0, 0, 0, 0, "{\"usage\":[5]}" },
    { 0, 0, 0, 0, 0, "{\"usage\":{\"total_tokens\":\"12\"}}" },
    { 0, 0, 0, 0, 0, "{\"usage\":{\"total_tokens\":[12]}}" },
    { 0, 0, 0, 0, 0, "{\"usage\":{\"total_tokens\":{\"total_tokens\":12}}}" },
    { 0, 0, 0, 0, 0, "{\"usage\":{\"total_tokens\":-12}}" },
    { 0, 0, 0, 0, 0, "{\"usage\":{\"total_tokens\":12.5}}" },
    { 0, 0, 0, 0, 0, "{\"usage\":{\"total_tokens\":1e3}}" },
    { 0, 0, 0, 0, 0, "{\"usage\":{\"total_tokens\":1e400}}" },
    { 0, 0, 0, 0, 0, "{\"usage\":{\"total_tokens\":NaN}}" },
    { 0, 0, 0, 0, 0, "{\"usage\":{\"total_tokens\":true}}" },
    { 0, 0, 0, 0, 0, "{\"usage\":{\"total_tokens\":18446744073709551616}}" },
    { 0, 0, 0, 0, 0, "{\"usage\":{\"total_tokens\":18446744073709551628}}" },
    { 0, 0, 0, 0, 0, "{\"usage\":{\"total_tokens\":1000000000001}}" },
    { 0, 0, 1000000000000, 1000000000000, 1,
      "{\"usage\":{\"total_tokens\":1000000000000}}" },
    { 0, 0, 999999999999, 999999999999, 1,
      "{\"usage\":{\"total_tokens\":999999999999}}" },
    { 0, 0, 0, 0, 1, "{\"usage\":{\"total_tokens\":0}}" },
    { 0, 0, 0, 0, 0, "{\"text\":{\"usage\":{\"total_tokens\":12}}}" },
    { 0, 0, 0, 0, 0, "{\"choices\":[{\"usage\":{\"total_tokens\":12}}]}" },
    { 0, 0, 0, 0, 0, "{\"usage\":\"{\\\"total_tokens\\\":12}\"}" },
    { 0, 0, 0, 0, 0, "{\"metrics\":{\"latency\":12}}" },

    /* duplicates: the greatest, whatever comes after it */

    { 0, 0, 12, 12, 1, "{\"usage\":{\"total_tokens\":12,\"total_tokens\":-1},"
      "\"usage\":{\"total_tokens\":3},\"usage\":null}" }
};

#define TOKENS_CASES  (sizeof(tokens_cases) / sizeof(tokens_cases[0]))


static kit_t                      kit;
static modelguard_meter_rules_t  *usage_rules;
static modelguard_meter_rules_t  *value_rules;


/* runs a document, cut in pieces of "step" from "first" on, 0: in one */

static int
run(modelguard_meter_t *meter, modelguard_framing_e framing, const char *doc,
    size_t first, size_t step)
{
    int                       rc;
    size_t                    at, n, len;
    kit_out_t                 out;
    unsigned char            *piece;
    modelguard_frame_t       *frame;
    modelguard_frame_conf_t   conf;
    modelguard_meter_read_t  *before, *after;

    memset(meter, 0, sizeof(modelguard_meter_t));
    memset(&out, 0, sizeof(kit_out_t));

    conf.framing = framing;
    conf.frame = NULL;
    conf.rewrite.rules = kit.rules;
    conf.rewrite.depth = MODELGUARD_DEPTH_DEFAULT;
    conf.rewrite.hold = MODELGUARD_HOLD_DEFAULT;
    conf.rewrite.sink = kit_sink;
    conf.rewrite.sink_data = &out;
    conf.rewrite.alloc = kit_alloc;
    conf.rewrite.alloc_data = NULL;

    frame = modelguard_frame_create(&conf);

    before = modelguard_meter_read_create(usage_rules, meter,
                                          MODELGUARD_DEPTH_DEFAULT, kit_alloc,
                                          NULL);
    after = modelguard_meter_read_create(value_rules, meter,
                                         MODELGUARD_DEPTH_DEFAULT, kit_alloc,
                                         NULL);
    modelguard_frame_meter(frame, before, after);

    len = strlen(doc);
    rc = MODELGUARD_OK;

    for (at = 0; at < len && rc == MODELGUARD_OK; at += n) {
        n = len - at;

        if (at == 0 && first && first < n) {
            n = first;

        } else if (step && step < n) {
            n = step;
        }

        piece = guard_copy((const unsigned char *) doc + at, n);

        rc = modelguard_frame_feed(frame, piece, n);

        memset(piece, 0xee, n);
        guard_free(piece, n);
    }

    if (rc == MODELGUARD_OK) {
        rc = modelguard_frame_finish(frame);
    }

    modelguard_frame_free(frame);
    modelguard_meter_read_free(before);
    modelguard_meter_read_free(after);
    free(out.data);

    return rc;
}


static void
build(const char *spec, unsigned classes)
{
    size_t                     i;
    const modelguard_field_t  *fields[KIT_FIELDS];

    kit_build(&kit, spec);

    for (i = 0; i < kit.n; i++) {
        kit.fields[i].classes = classes;
        fields[i] = &kit.fields[i];
    }

    if (modelguard_meter_values_build(&value_rules, fields, kit.n,
                                      &kit.profile, kit_match, kit_keep, NULL)
        != MODELGUARD_OK
        || modelguard_meter_usage_build(&usage_rules, NULL, 0, kit_match,
                                        kit_keep, NULL)
           != MODELGUARD_OK)
    {
        printf("Bail out! no rules\n");
        exit(2);
    }
}


static void
test_log2(void)
{
    unsigned  bad;
    uint64_t  n;

    ok(modelguard_meter_log2(0) == 0 && modelguard_meter_log2(1) == 0,
       "log2 of 0 and 1");
    ok(modelguard_meter_log2(2) == 1000 && modelguard_meter_log2(3) == 1585,
       "log2 of 2 and 3");
    ok(modelguard_meter_log2(10) == MODELGUARD_METER_DIGIT, "log2 of 10");
    ok(modelguard_meter_log2(UINT64_MAX) == 64000, "log2 of 2^64 - 1");

    bad = 0;

    for (n = 1; n < 1000000000000000ULL; n += 1 + n / 97) {
        bad += (fabs((double) modelguard_meter_log2(n)
                     - 1000 * log2((double) n))
                > 0.501);
    }

    ok(bad == 0, "log2 of many (%u differ)", bad);
}


static void
test_meter(void)
{
    modelguard_meter_t  meter;

    memset(&meter, 0, sizeof(modelguard_meter_t));

    ok(modelguard_meter_bits(&meter) == 0, "no bits");

    modelguard_meter_add(&meter, 1);
    ok(modelguard_meter_bits(&meter) == 1, "bits are rounded up");

    modelguard_meter_add(&meter, 999);
    ok(modelguard_meter_bits(&meter) == 1, "1000 are a bit");

    modelguard_meter_add(&meter, 1);
    ok(modelguard_meter_bits(&meter) == 2, "1001 are two");

    modelguard_meter_add(&meter, UINT64_MAX - 1);
    ok(meter.bits == UINT64_MAX
       && modelguard_meter_bits(&meter) == UINT64_MAX / 1000 + 1,
       "bits saturate");

    meter.input = UINT64_MAX;
    meter.output = 2;
    ok(modelguard_meter_tokens(&meter) == UINT64_MAX, "tokens saturate");

    meter.input = 3;
    meter.total = 4;
    ok(modelguard_meter_tokens(&meter) == 5, "tokens: the sum");

    meter.total = 6;
    ok(modelguard_meter_tokens(&meter) == 6, "tokens: the total");
}


static void
test_bits(void)
{
    int                  rc;
    size_t               i, cut, len;
    unsigned             bad;
    const bits_case_t   *c;
    modelguard_meter_t   meter;

    for (i = 0; i < BITS_CASES; i++) {
        c = &bits_cases[i];
        len = strlen(c->doc);

        build(c->spec, c->classes);

        rc = run(&meter, MODELGUARD_FRAMING_NONE, c->doc, 0, 0);

        ok(rc == MODELGUARD_OK && meter.bits == c->bits,
           "bits of %s under \"%s\": %llu of %llu, %d", c->doc, c->spec,
           (unsigned long long) meter.bits, (unsigned long long) c->bits, rc);

        bad = 0;

        for (cut = 1; cut < len; cut++) {
            rc = run(&meter, MODELGUARD_FRAMING_NONE, c->doc, cut, 0);
            bad += (rc != MODELGUARD_OK || meter.bits != c->bits);
        }

        for (cut = 1; cut < 4; cut++) {
            rc = run(&meter, MODELGUARD_FRAMING_NONE, c->doc, 0, cut);
            bad += (rc != MODELGUARD_OK || meter.bits != c->bits);
        }

        ok(bad == 0, "the same however cut (%u differ)", bad);

        kit_free();
    }
}


/* pieces that end where their memory does, and where a number does */

static void
test_pieces(void)
{
    size_t                    at, n, len, step;
    unsigned                  bad;
    unsigned char            *piece;
    modelguard_meter_t        meter;
    modelguard_meter_read_t  *read;

    static const char         doc[] =
        "{\"p\":[0,0.5,0,0.25,0.123456,0,1.5,0.12e1,0.5,0]}";

    build("scores $.p | keep", 0);

    bad = 0;
    len = sizeof(doc) - 1;

    for (step = 1; step <= len; step++) {

        memset(&meter, 0, sizeof(modelguard_meter_t));

        read = modelguard_meter_read_create(value_rules, &meter,
                                            MODELGUARD_DEPTH_DEFAULT,
                                            kit_alloc, NULL);

        for (at = 0; at < len; at += n) {
            n = (step < len - at) ? step : len - at;

            piece = guard_copy((const unsigned char *) doc + at, n);
            modelguard_meter_read_feed(read, piece, n);
            guard_free(piece, n);
        }

        modelguard_meter_read_end(read);
        modelguard_meter_read_free(read);

        bad += (meter.bits != 14 * 3322);
    }

    ok(bad == 0, "pieces of any size (%u differ)", bad);

    kit_free();
}


static int
tokens_differ(const tokens_case_t *c, const modelguard_meter_t *meter)
{
    return meter->input != c->input || meter->output != c->output
           || meter->total != c->total || (int) meter->usage != c->usage
           || modelguard_meter_tokens(meter) != c->tokens
           || meter->bits != 0;
}


static void
test_tokens(const char *spec)
{
    int                   rc;
    size_t                i, cut, len;
    unsigned              bad;
    modelguard_meter_t    meter;
    const tokens_case_t  *c;

    build(spec, 0);

    for (i = 0; i < TOKENS_CASES; i++) {
        c = &tokens_cases[i];
        len = strlen(c->doc);

        rc = run(&meter, MODELGUARD_FRAMING_NONE, c->doc, 0, 0);

        ok(rc == MODELGUARD_OK && !tokens_differ(c, &meter),
           "tokens of %s under \"%s\": %llu + %llu, %llu, %d", c->doc, spec,
           (unsigned long long) meter.input, (unsigned long long) meter.output,
           (unsigned long long) meter.total, rc);

        bad = 0;

        for (cut = 1; cut < len; cut++) {
            rc = run(&meter, MODELGUARD_FRAMING_NONE, c->doc, cut, 0);
            bad += (rc != MODELGUARD_OK || tokens_differ(c, &meter));
        }

        rc = run(&meter, MODELGUARD_FRAMING_NONE, c->doc, 0, 1);
        bad += (rc != MODELGUARD_OK || tokens_differ(c, &meter));

        ok(bad == 0, "the same however cut (%u differ)", bad);
    }

    kit_free();
}


static void
test_frames(void)
{
    int                 rc;
    size_t              cut;
    unsigned            bad;
    modelguard_meter_t  meter;

    static const char   events[] =
        ": hi\r\n\r\nevent: message_start\r\ndata: {\"message\":{\"usage\":"
        "{\"input_tokens\":92,\"cache_read_input_tokens\":8,\r\n"
        "data: \"output_tokens\":1}}}\r\n\r\n"
        "data: {\"p\":[0.11,0.89],\"usage\":{\"output_tokens\":189}}\n\n"
        "data: {\"p\":[0.11],\"usage\":{\"output_tokens\":150}}\n\n"
        "data: [DONE]\n\n";

    static const char   lines[] =
        "{\"p\":0.5,\"usage\":null}\n0.5\n{\"p\":[0.25]}"
        "{\"prompt_eval_count\":26}\n\n{\"eval_count\":259,\"p\":1}";

    build("scores $.p | round=1", 0);

    bad = 0;

    for (cut = 0; cut < sizeof(events) - 1; cut++) {
        rc = run(&meter, MODELGUARD_FRAMING_EVENTS, events, cut, 0);

        bad += (rc != MODELGUARD_OK || meter.input != 100
                || meter.output != 189 || meter.bits != 3 * 3322);
    }

    ok(bad == 0, "events (%u differ)", bad);

    bad = 0;

    for (cut = 0; cut < sizeof(lines) - 1; cut++) {
        rc = run(&meter, MODELGUARD_FRAMING_SEQUENCE, lines, cut, 0);

        bad += (rc != MODELGUARD_OK || meter.input != 26
                || meter.output != 259 || meter.bits != 3 * 3322);
    }

    ok(bad == 0, "lines (%u differ)", bad);

    kit_free();

    build("scores $ | keep", 0);

    rc = run(&meter, MODELGUARD_FRAMING_SEQUENCE, "0.5\n0.25\n0.125", 0, 0);
    ok(rc == MODELGUARD_OK && meter.bits == 6 * 3322,
       "numbers that are documents");

    kit_free();
}


/* what breaks off is counted up to there, and breaks nothing */

static void
test_broken(void)
{
    int                 rc;
    modelguard_meter_t  meter;

    build("scores $.p | keep", 0);

    rc = run(&meter, MODELGUARD_FRAMING_NONE,
             "{\"usage\":{\"total_tokens\":5},\"p\":[0.5,0.5}", 0, 0);
    ok(rc == MODELGUARD_MALFORMED && meter.total == 5, "malformed");

    rc = run(&meter, MODELGUARD_FRAMING_NONE,
             "{\"usage\":{\"total_tokens\":5", 0, 0);
    ok(rc == MODELGUARD_TRUNCATED && meter.total <= 5, "truncated");

    rc = run(&meter, MODELGUARD_FRAMING_EVENTS,
             "data: {\"usage\":{\"total_tokens\":5}}\n\ndata: {x}\n\n", 0, 0);
    ok(rc == MODELGUARD_MALFORMED && meter.total == 5, "a malformed event");

    kit_free();
}


/* a string that breaks off is counted up to there, however it is cut */

static void
test_broken_text(void)
{
    size_t                    i, cut, len;
    unsigned                  bad;
    unsigned char            *piece;
    modelguard_meter_t        meter;
    modelguard_meter_read_t  *read;

    static const char  *const  docs[] = {
        "{\"p\":\"0.12 0.5=\n0.25\"}",
        "{\"p\":\"0.12 0.5 0.25\n\"}",
        "{\"p\":\"0.12 0.5=\xff 0.25\"}",
        "{\"p\":\"0.12 0.5=\xe2\x82\" 0.25\"}",
        "{\"p\":\"0.12 0.5=\\x 0.25\"}",
        "{\"p\":\"0.12 0.5=\\u00g0 0.25\"}"
    };

    build("scores $.p encoding=text | keep", 0);

    for (i = 0; i < sizeof(docs) / sizeof(docs[0]); i++) {
        bad = 0;
        len = strlen(docs[i]);

        for (cut = 0; cut < len; cut++) {

            memset(&meter, 0, sizeof(modelguard_meter_t));

            read = modelguard_meter_read_create(value_rules, &meter,
                                                MODELGUARD_DEPTH_DEFAULT,
                                                kit_alloc, NULL);

            piece = guard_copy((const unsigned char *) docs[i], cut);
            modelguard_meter_read_feed(read, piece, cut);
            guard_free(piece, cut);

            piece = guard_copy((const unsigned char *) docs[i] + cut,
                               len - cut);
            modelguard_meter_read_feed(read, piece, len - cut);
            guard_free(piece, len - cut);

            modelguard_meter_read_end(read);
            modelguard_meter_read_free(read);

            bad += (meter.bits != 3 * 3322);
        }

        ok(bad == 0, "a string that breaks off, %zu (%u differ)", i, bad);
    }

    kit_free();
}


/* fields of the role "usage" take the place of the built-in ones */

static void
test_paths(void)
{
    modelguard_meter_t        meter;
    const modelguard_path_t  *paths[3];

    static const char         doc[] =
        "{\"usage\":{\"total_tokens\":5},\"a\":[{\"n\":7},{\"n\":6}],"
        "\"u\":{\"input_tokens\":3,\"n\":99},\"eval_count\":4}";

    build("scores $.p | keep", 0);

    paths[0] = kit_path("$.a[*].n", 8);
    paths[1] = kit_path("$.u", 3);
    paths[2] = kit_path("$.~^eval_", 9);

    ok(modelguard_meter_usage_build(&usage_rules, paths, 3, kit_match,
                                    kit_keep, NULL)
       == MODELGUARD_OK, "paths");

    (void) run(&meter, MODELGUARD_FRAMING_NONE, doc, 0, 1);

    ok(meter.total == 7 && meter.input == 3 && meter.output == 0,
       "counts at paths: %llu + %llu, %llu", (unsigned long long) meter.input,
       (unsigned long long) meter.output, (unsigned long long) meter.total);

    kit_free();
}


/* no memory for the reader, or for its levels */

static unsigned  granted;


static void *
no_memory(void *data, void *old, size_t old_size, size_t size)
{
    if (size && granted == 0) {
        return NULL;
    }

    granted -= (size != 0);

    return kit_alloc(data, old, old_size, size);
}


static void
test_memory(void)
{
    unsigned                  n;
    modelguard_meter_t        meter;
    modelguard_meter_read_t  *read;

    build("scores $.p | keep", 0);

    memset(&meter, 0, sizeof(modelguard_meter_t));
    read = NULL;

    for (n = 0; n < 10 && read == NULL; n++) {
        granted = n;
        read = modelguard_meter_read_create(value_rules, &meter, 8, no_memory,
                                            NULL);

        ok(read != NULL || kit_allocated == 0,
           "%u requests of memory granted", n);
    }

    ok(read != NULL && n == 3, "a reader has two");

    modelguard_meter_read_free(read);
    kit_free();
}


int
main(void)
{
    test_memory();
    test_log2();
    test_meter();
    test_bits();
    test_pieces();
    test_tokens("scores $.p | keep");
    test_tokens("usage $.usage $.meta | drop");
    test_frames();
    test_broken();
    test_broken_text();
    test_paths();

    ok(kit_allocated == 0, "all memory is given back");

    return tap_done();
}
