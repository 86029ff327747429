
/*
 * Copyright (C) the modelguard authors
 *
 * What the rewriter makes of one document each: a line of rules as in
 * rewrite_kit.h, the document, and the bytes that come out.
 */


#ifndef REWRITE_CASES_H_INCLUDED
#define REWRITE_CASES_H_INCLUDED


#include "modelguard_base.h"


typedef struct {
    const char  *name;
    const char  *spec;
    const char  *doc;
    const char  *out;            /* NULL: an error */
    int          rc;
} rewrite_case_t;


static const rewrite_case_t  rewrite_cases[] = {

    { "no rule matches: bytes stay", "scores $.x | round=2",
      " { \"a\" : [ 1.50 , -0e0 ,\t\"\\u00e9\\/\" , NaN ] }\r\n",
      " { \"a\" : [ 1.50 , -0e0 ,\t\"\\u00e9\\/\" , NaN ] }\r\n", 0 },

    { "a vector is rounded", "scores $.p | round=2",
      "{\"p\":[0.12345,0.50000,0.37655]}",
      "{\"p\":[0.12,0.5,0.38]}", 0 },

    { "white space in a vector stays", "scores $.p | round=2",
      "{\"p\": [ 0.12345 , 0.5111 ,\n0.36544 ] }",
      "{\"p\": [ 0.12 , 0.51 ,\n0.37 ] }", 0 },

    { "rows are vectors of their own", "scores $.p | round=1 top=1",
      "{\"p\":[[0.12,0.88],[0.61,0.39]]}",
      "{\"p\":[[0,0.9],[0.6,0]]}", 0 },

    { "rows three deep", "scores $ | label_only",
      "[[[0.1,0.9],[3,2]],[[-1.5,-2.5]]]",
      "[[[0,1],[1,0]],[[1,0]]]", 0 },

    { "a number of its own", "scores $.s | round=3",
      "{\"s\":0.12351,\"t\":0.12351}", "{\"s\":0.124,\"t\":0.12351}", 0 },

    { "the root is a number", "scores $ | round=1", "0.56", "0.6", 0 },

    { "the root is an array", "scores $ | round=1", "[0.14,0.86]",
      "[0.1,0.9]", 0 },

    { "the argmax guard lowers a tie before", "scores $ | round=2",
      "[0.501,0.503,0.2]", "[0.49,0.5,0.2]", 0 },

    { "the argmax guard lowers a tie behind", "scores $ | round=2",
      "[0.503,0.501]", "[0.5,0.49]", 0 },

    { "true ties stay", "scores $ | round=2", "[0.5,0.5]", "[0.5,0.5]", 0 },

    { "the guard raises a top that became zero", "scores $ | round=1",
      "[0.01,0.03,0.02]", "[0,0.1,0]", 0 },

    { "the guard among negatives", "scores $ | round=0",
      "[-1.4,-1.3,-9.7]", "[-2,-1,-10]", 0 },

    { "the guard with a step", "scores $ | step=0.25",
      "[0.51,0.52,0.1]", "[0.25,0.5,0]", 0 },

    { "top of a positional vector zeroes", "scores $ | top=2",
      "[0.1,0.25,0.6,0.05]", "[0,0.25,0.6,0]", 0 },

    { "ties of top: lowest index", "scores $ | top=1",
      "[0.2,0.4,0.4]", "[0,0.4,0]", 0 },

    { "top among logits hides below", "logits $ | top=1 round=1",
      "[-3.25,-1.16,-5.5]", "[-3,-1.2,-3]", 0 },

    { "zeros that are kept hide zeros", "scores $ | top=3",
      "[0.9,0.1,0,0]", "[0.9,0.1,0,0]", 0 },

    { "min zeroes, but not the top", "scores $ | min=0.5",
      "[0.1,0.2,0.3]", "[0,0,0.3]", 0 },

    { "min of a number alone", "scores $.s | min=0.5",
      "{\"s\":0.4}", "{\"s\":0}", 0 },

    { "label_only of one number", "scores $[*] | label_only",
      "[0.51,0.5,0.49]", "[1,0,0]", 0 },

    { "label_only of one column", "scores $ | label_only",
      "[[0.93],[0.12]]", "[[1],[0]]", 0 },

    { "renormalize", "scores $ | round=2 top=2 renormalize",
      "[0.1,0.25,0.6,0.05]", "[0,0.29,0.71,0]", 0 },

    { "renormalize only what summed to 1",
      "scores $ | round=2 top=2 renormalize",
      "[0.1,0.25,0.3,0.05]", "[0,0.25,0.3,0]", 0 },

    { "NaN and the infinities", "scores $ | round=1",
      "[NaN,Infinity,-Infinity,0.123]", "[NaN,Infinity,-Infinity,0.1]", 0 },

    { "label_only with NaN", "scores $ | label_only",
      "[NaN,-Infinity,0.1]", "[0,0,1]", 0 },

    { "null stays in a vector", "scores $ | round=1 top=1",
      "[0.12,null,0.86]", "[0,null,0.9]", 0 },

    { "records: all", "scores $[*].score label=$[*].label | round=1",
      "[{\"label\":\"a\",\"score\":0.91},{\"label\":\"b\",\"score\":0.09}]",
      "[{\"label\":\"a\",\"score\":0.9},{\"label\":\"b\",\"score\":0.1}]", 0 },

    { "records: the first goes",
      "scores $[*].score label=$[*].label | top=1",
      "[{\"label\":\"a\",\"score\":0.1} , {\"score\":0.9,\"label\":\"b\"}]",
      "[  {\"score\":0.9,\"label\":\"b\"}]", 0 },

    { "records: the last goes",
      "scores $[*].score label=$[*].label | top=1 round=1",
      "[{\"score\":0.91},{\"score\":0.09}]", "[{\"score\":0.9}]", 0 },

    { "records: the middle stays",
      "scores $[*].score label=$[*].label | label_only",
      "[{\"score\":0.1},{\"score\":0.8},{\"score\":0.1}]",
      "[{\"score\":1}]", 0 },

    { "records in rows",
      "scores $[*][*].score label=$[*][*].label | top=1",
      "[[{\"score\":0.1},{\"score\":0.9}],[{\"score\":0.7}]]",
      "[[{\"score\":0.9}],[{\"score\":0.7}]]", 0 },

    { "pairs", "scores $[*][1] label=$[*][0] | top=1 round=1",
      "[[\"a\",0.12],[\"b\",0.88]]", "[[\"b\",0.9]]", 0 },

    { "records with what is dropped inside",
      "scores $[*].s label=$[*].l | round=1; metadata $[*].m | drop",
      "[{\"m\":1,\"s\":0.91,\"l\":\"x\"},{\"s\":0.09,\"m\":{\"a\":[1]}}]",
      "[{\"s\":0.9,\"l\":\"x\"},{\"s\":0.1}]", 0 },

    { "records cut with what is dropped inside",
      "scores $[*].s label=$[*].l | top=1; metadata $[*].m | null",
      "[{\"m\":1,\"s\":0.1},{\"s\":0.9,\"m\":{\"a\":[1]}}]",
      "[{\"s\":0.9,\"m\":null}]", 0 },

    { "a record with the score twice",
      "scores $[*].s label=$[*].l | top=1 round=1",
      "[{\"s\":0.91,\"s\":0.81},{\"s\":0.5}]", "[{\"s\":0.9,\"s\":0}]", 0 },

    { "a map", "scores $.* | top=2 round=2",
      "{\"a\":0.111,\"b\":0.555,\"c\":0.333}",
      "{\"b\":0.56,\"c\":0.33}", 0 },

    { "a map keeps what is no score", "scores $.* | top=1",
      "{\"id\":\"x\",\"a\":0.1,\"b\":0.9,\"n\":null}",
      "{\"id\":\"x\",\"b\":0.9,\"n\":null}", 0 },

    { "a map with a dropped member",
      "scores $.* | top=1; metadata $.v | drop",
      "{\"v\":3,\"a\":0.1,\"b\":0.9}", "{\"b\":0.9}", 0 },

    { "parallel arrays", "scores $.s label=$.l[*] | top=1 round=1",
      "{\"l\":[\"a\",\"b\",\"c\"],\"s\":[0.12,0.66,0.22]}",
      "{\"l\":[\"b\"],\"s\":[0.7]}", 0 },

    { "parallel arrays, scores first",
      "scores $.s label=$.l[*] | top=2",
      "{\"s\":[0.1,0.7,0.2],\"x\":1,\"l\":[\"a\",\"b\",\"c\"],\"y\":2}",
      "{\"s\":[0.7,0.2],\"x\":1,\"l\":[\"b\",\"c\"],\"y\":2}", 0 },

    { "parallel arrays without labels are positional",
      "scores $.s label=$.l[*] | top=1", "{\"s\":[0.1,0.7,0.2]}",
      "{\"s\":[0,0.7,0]}", 0 },

    { "parallel: two arrays of labels",
      "scores $.s label=$.l[*] label=$.i[*] | top=1",
      "{\"i\":[1,2],\"s\":[0.1,0.7],\"l\":[\"a\",\"b\"]}",
      "{\"i\":[2],\"s\":[0.7],\"l\":[\"b\"]}", 0 },

    { "parallel in each element",
      "scores $[*].prob label=$[*].label[*] | top=1 round=1",
      "[{\"prob\":[0.36,0.64],\"label\":[\"a\",\"b\"]},"
      "{\"label\":[\"c\",\"d\"],\"prob\":[0.92,0.08]}]",
      "[{\"prob\":[0.6],\"label\":[\"b\"]},"
      "{\"label\":[\"c\"],\"prob\":[0.9]}]", 0 },

    { "a flat tensor", "scores $.data shape=$.shape | label_only",
      "{\"shape\":[2,3],\"data\":[0.1,0.7,0.2,0.6,0.3,0.1]}",
      "{\"shape\":[2,3],\"data\":[0,1,0,1,0,0]}", 0 },

    { "a flat tensor, shape behind", "scores $.data shape=$.shape | top=1",
      "{\"data\":[0.1,0.7,0.2,0.6,0.3,0.1],\"shape\":[2,3]}",
      "{\"data\":[0,0.7,0,0.6,0,0],\"shape\":[2,3]}", 0 },

    { "a flat tensor of one column", "scores $.data shape=$.shape | top=1",
      "{\"shape\":[3,1],\"data\":[0.1,0.7,0.2]}",
      "{\"shape\":[3,1],\"data\":[0.1,0.7,0.2]}", 0 },

    { "a flat tensor without a shape", "scores $.data shape=$.shape | top=1",
      "{\"data\":[0.1,0.7,0.2]}", "{\"data\":[0,0.7,0]}", 0 },

    { "class numbers are no scores",
      "scores $.o[*].data shape=$.o[*].shape datatype=$.o[*].datatype "
      "| label_only",
      "{\"o\":[{\"datatype\":\"INT64\",\"shape\":[3],\"data\":[5,5,7]},"
      "{\"datatype\":\"FP32\",\"shape\":[1,2],\"data\":[0.3,0.7]},"
      "{\"shape\":[2],\"data\":[5,7],\"datatype\":\"INT8\"},"
      "{\"data\":[0.5,0.6],\"datatype\":\"BF16\",\"shape\":[1,2]}]}",
      "{\"o\":[{\"datatype\":\"INT64\",\"shape\":[3],\"data\":[5,5,7]},"
      "{\"datatype\":\"FP32\",\"shape\":[1,2],\"data\":[0,1]},"
      "{\"shape\":[2],\"data\":[5,7],\"datatype\":\"INT8\"},"
      "{\"data\":[0,1],\"datatype\":\"BF16\",\"shape\":[1,2]}]}", 0 },

    { "labels that are no array beside labels that are",
      "scores $[*].s label=$[*].l[*] label=$[*].y[*] | min=0.5",
      "[{\"s\":[0.7,0.1],\"l\":{\"a\":1,\"b\":2},\"y\":[\"c\",\"d\"]}]",
      "[{\"s\":[0.7],\"l\":{\"a\":1,\"b\":2},\"y\":[\"c\"]}]", 0 },
    { "a datatype with escapes",
      "scores $.o[*].data shape=$.o[*].shape datatype=$.o[*].datatype "
      "| round=2",
      "{\"o\":[{\"datatype\":\"UIN\\u00548\",\"shape\":[1,2],"
      "\"data\":[-85.9,0.015]},"
      "{\"datatype\":\"\\u0049\\u004E\\u0054\",\"shape\":[1],"
      "\"data\":[0.015]},"
      "{\"shape\":[1],\"data\":[0.015],\"datatype\":\"BOO\\u004c\"},"
      "{\"datatype\":\"\\u0046P32\",\"shape\":[1],\"data\":[0.015]},"
      "{\"datatype\":\"IN\\t\",\"shape\":[1],\"data\":[0.015]},"
      "{\"datatype\":\"IN\",\"shape\":[1],\"data\":[0.015]},"
      "{\"datatype\":\"\",\"shape\":[1],\"data\":[0.015]},"
      "{\"datatype\":\"BOO\\ud83d\\ude00\",\"shape\":[1],"
      "\"data\":[0.015]}]}",
      "{\"o\":[{\"datatype\":\"UIN\\u00548\",\"shape\":[1,2],"
      "\"data\":[-85.9,0.015]},"
      "{\"datatype\":\"\\u0049\\u004E\\u0054\",\"shape\":[1],"
      "\"data\":[0.015]},"
      "{\"shape\":[1],\"data\":[0.015],\"datatype\":\"BOO\\u004c\"},"
      "{\"datatype\":\"\\u0046P32\",\"shape\":[1],\"data\":[0.02]},"
      "{\"datatype\":\"IN\\t\",\"shape\":[1],\"data\":[0.02]},"
      "{\"datatype\":\"IN\",\"shape\":[1],\"data\":[0.02]},"
      "{\"datatype\":\"\",\"shape\":[1],\"data\":[0.02]},"
      "{\"datatype\":\"BOO\\ud83d\\ude00\",\"shape\":[1],"
      "\"data\":[0.02]}]}", 0 },

    { "a tensor's values twice, all else behind",
      "scores $.d shape=$.h datatype=$.t | label_only",
      "{\"d\":[0.1,0.9,0.6,0.4,0.7],\"d\":[0.4,0.6,0.9,0.1],"
      "\"h\":[2,2],\"t\":\"FP32\"}",
      "{\"d\":[0,1,1,0,1],\"d\":[0,1,1,0],\"h\":[2,2],\"t\":\"FP32\"}", 0 },
    { "a tensor's values twice, all else before",
      "scores $.d shape=$.h datatype=$.t | label_only",
      "{\"h\":[2,2],\"t\":\"FP32\",\"d\":[0.1,0.9,0.6,0.4],"
      "\"d\":[0.4,0.6,0.9,0.1]}",
      "{\"h\":[2,2],\"t\":\"FP32\",\"d\":[0,1,1,0],\"d\":[0,1,1,0]}", 0 },
    { "a tensor's values twice, all else between",
      "scores $.d shape=$.h datatype=$.t | label_only",
      "{\"d\":[0.1,0.9,0.6,0.4],\"h\":[2,2],\"t\":\"FP32\","
      "\"d\":[0.4,0.6,0.9,0.1]}",
      "{\"d\":[0,1,1,0],\"h\":[2,2],\"t\":\"FP32\",\"d\":[0,1,1,0]}", 0 },
    { "class numbers twice, the datatype behind",
      "scores $.d shape=$.h datatype=$.t | label_only",
      "{\"d\":[5,6],\"d\":[7,7],\"h\":[1,2],\"t\":\"INT64\"}",
      "{\"d\":[5,6],\"d\":[7,7],\"h\":[1,2],\"t\":\"INT64\"}", 0 },
    { "a tensor's values six times",
      "scores $.d shape=$.h | label_only",
      "{\"d\":[0.1,0.9],\"d\":[0.2,0.8],\"d\":[0.3,0.7],\"d\":[0.4,0.6],"
      "\"d\":[0.1,0.9],\"d\":[0.9,0.1],\"d\":[0.8,0.2],\"h\":[2]}",
      "{\"d\":[0,1],\"d\":[0,1],\"d\":[0,1],\"d\":[0,1],"
      "\"d\":[0,1],\"d\":[1,0],\"d\":[1,0],\"h\":[2]}", 0 },
    { "a tensor's values twice, and no shape",
      "scores $.d shape=$.h | label_only",
      "{\"d\":[0.1,0.9],\"x\":1,\"d\":[0.8,0.2]}",
      "{\"d\":[0,1],\"x\":1,\"d\":[1,0]}", 0 },

    { "drop the first member", "metadata $.a | drop",
      "{ \"a\" : {\"x\":[1,{}]} , \"b\":2}", "{   \"b\":2}", 0 },

    { "drop the last member", "metadata $.b | drop",
      "{\"a\":1 , \"b\":\"x\" }", "{\"a\":1  }", 0 },

    { "drop the only member", "metadata $.a | drop", "{\"a\":1}", "{}", 0 },

    { "drop all members", "metadata $.* | drop", "{\"a\":1,\"b\":[2]}",
      "{}", 0 },

    { "drop two in a row", "metadata $.a $.b | drop",
      "{\"a\":1,\"b\":2,\"c\":3,\"a\":4}", "{\"c\":3}", 0 },

    { "drop elements", "metadata $[0] $[2] | drop", "[1,2,3,4]", "[2,4]", 0 },

    { "labels again, behind those that were cut",
      "scores $.s label=$.l[*] | round=1 top=1",
      "{\"l\":[\"a\",\"b\"],\"s\":[0.71234567890123456,0.3],"
      "\"l\":[\"a\",\"b\"]}", NULL, MODELGUARD_UNTREATABLE },

    { "labels again, where none was cut",
      "scores $.s label=$.l[*] | round=1 top=5",
      "{\"l\":[\"a\",\"b\"],\"s\":[0.71234567890123456,0.3],"
      "\"l\":[\"a\",\"b\",\"c\"],\"l\":[]}",
      "{\"l\":[\"a\",\"b\"],\"s\":[0.7,0.3],"
      "\"l\":[\"a\",\"b\",\"c\"],\"l\":[]}", 0 },

    { "drop a duplicate key, each", "metadata $.a | drop",
      "{\"a\":1,\"b\":2,\"\\u0061\":3}", "{\"b\":2}", 0 },

    { "an escaped key", "scores $.logprobs | round=1",
      "{\"lo\\u0067probs\":[0.123]}", "{\"lo\\u0067probs\":[0.1]}", 0 },

    { "null for a value", "logits $.a | null",
      "{\"a\":[1.5,{\"b\":2}],\"c\":0}", "{\"a\":null,\"c\":0}", 0 },

    { "the root cannot be dropped", "metadata $ | drop", "{\"a\":1}",
      "null", 0 },

    { "any depth", "logprobs $.**.logprob | round=1",
      "{\"a\":[{\"logprob\":-0.123},{\"b\":{\"logprob\":-1.25}}]}",
      "{\"a\":[{\"logprob\":-0.1},{\"b\":{\"logprob\":-1.2}}]}", 0 },

    { "a pattern", "scores $.**.~^(prob|score)s?$ | round=1",
      "{\"score\":0.11,\"x\":{\"probs\":[0.22,0.78],\"probe\":0.11}}",
      "{\"score\":0.1,\"x\":{\"probs\":[0.2,0.8],\"probe\":0.11}}", 0 },

    { "drop wins over rounding", "scores $.a | round=1; metadata $.a | drop",
      "{\"a\":0.15,\"b\":1}", "{\"b\":1}", 0 },

    { "an embedding is rounded without rank", "embedding $.e | round=1",
      "{\"e\":[0.11,0.12,[0.13,-0.26]]}", "{\"e\":[0.1,0.1,[0.1,-0.3]]}", 0 },

    { "integers stay integers", "scores $ | round=2", "[5,5,7]",
      "[5,5,7]", 0 },

    { "an empty vector", "scores $ | label_only", "[]", "[]", 0 },
    { "an empty record array", "scores $[*].s label=$[*].l | top=1", "[]",
      "[]", 0 },
    { "an empty map", "scores $.* | top=1", "{}", "{}", 0 },

    { "a vector within a vector", "scores $ | round=1 top=1",
      "[0.11,[0.22,0.78],0.89]", "[0,[0,0.8],0.9]", 0 },

    { "a huge number", "scores $ | round=1",
      "[1e400,123456789012345678901234567890.123,1E5]",
      "[1e400,123456789012345678901234567890.1,100000]", 0 },

    { "-0 and its kind", "scores $[*] | round=1", "[-0,-0.01,-0e99,0.0]",
      "[0,0,0,0]", 0 },

    { "a score in a string", "scores $ | round=1", "[\"0.93:5:cat\"]",
      NULL, MODELGUARD_UNTREATABLE },
    { "a score in a string, in a dict", "scores $ | round=1",
      "[\"{0: 9e-05}\"]", NULL, MODELGUARD_UNTREATABLE },
    { "a string without a score", "scores $ | round=1",
      "[\"room 101 e.g. e-5 5.\"]", "[\"room 101 e.g. e-5 5.\"]", 0 },

    { "an embedding in a string", "embedding $.data[*].embedding | round=1",
      "{\"data\":[{\"embedding\":\"AAAA\"}]}", NULL,
      MODELGUARD_UNTREATABLE },
    { "no embedding in a string", "embedding $.data[*].embedding | round=1",
      "{\"data\":[{\"embedding\":\"\"}]}",
      "{\"data\":[{\"embedding\":\"\"}]}", 0 },

    { "a score in a string, without a zero", "scores $ | round=1",
      "[\".93\"]", NULL, MODELGUARD_UNTREATABLE },
    { "the same, negative", "scores $ | round=1",
      "[\"a: -.93\"]", NULL, MODELGUARD_UNTREATABLE },
    { "the same, its point escaped", "scores $ | round=1",
      "[\"\\u002E93\"]", NULL, MODELGUARD_UNTREATABLE },
    { "a point in a word", "scores $ | round=1",
      "[\"v.5\",\"a_.5\",\"...\",\"5.\",\"1 .\",\"\xc3\xa9.5\"]",
      "[\"v.5\",\"a_.5\",\"...\",\"5.\",\"1 .\",\"\xc3\xa9.5\"]",
      0 },
    { "a score in a string, as NumPy writes it", "scores $ | round=1",
      "[\"5.e-01\"]", NULL, MODELGUARD_UNTREATABLE },
    { "a score in a string, escaped", "scores $ | round=1",
      "[\"0.\\u00393\"]", NULL, MODELGUARD_UNTREATABLE },
    { "a score in a string, its point escaped", "scores $ | round=1",
      "[\"x 0\\u002E9\"]", NULL, MODELGUARD_UNTREATABLE },
    { "no score in an escape", "scores $ | round=1",
      "[\"caf\\u00e9 1\\n5 \\\\0\\\"5. 0\\u012e5\"]",
      "[\"caf\\u00e9 1\\n5 \\\\0\\\"5. 0\\u012e5\"]", 0 },

    { "rows beside labels are vectors of their own",
      "scores $.s label=$.l[*] | round=1 top=1",
      "{\"s\":[[0.123,0.877],[0.811,0.189]],\"l\":[\"a\",\"b\"]}",
      "{\"s\":[[0,0.9],[0.8,0]],\"l\":[\"a\",\"b\"]}", 0 },
    { "rows behind labels are vectors of their own",
      "scores $.s label=$.l[*] | round=1 top=1",
      "{\"l\":[\"a\",\"b\"],\"s\":[[0.123,0.877],[0.811,0.189]]}",
      "{\"l\":[\"a\",\"b\"],\"s\":[[0,0.9],[0.8,0]]}", 0 },
    { "rows of rows where every array may be one of records",
      "scores $.p | round=1; logits $.**[*].g label=$.**[*].n | drop; "
      "logits $.**[*].h label=$.**[*].n | round=1",
      "{\"p\":[[0.123,0.877],[0.811,0.189]]}",
      "{\"p\":[[0.1,0.9],[0.8,0.2]]}", 0 },
    { "two scores in a record: the last field cuts, the other is filled",
      "logits $[*].g label=$[*].n | top=1; scores $[*].s label=$[*].n | top=2",
      "[{\"g\":-5,\"s\":0.2},{\"g\":-1,\"s\":0.7},{\"g\":-3,\"s\":0.1}]",
      "[{\"g\":-3,\"s\":0.2},{\"g\":-1,\"s\":0.7}]", 0 },
    { "rows of class numbers, the datatype behind",
      "scores $.d datatype=$.t | top=1", "{\"d\":[[5,7],[9]],\"t\":\"INT8\"}",
      "{\"d\":[[5,7],[9]],\"t\":\"INT8\"}", 0 },
    { "halves in a run", "scores $ | round=2",
      "[0.9,0.125000,0.375000,0.12500001,-0.125000,1.25e-01,9.96e-03,4e-03]",
      "[0.9,0.12,0.38,0.13,-0.12,0.12,0.01,0]", 0 },
    { "-0 is no negative value", "scores $ | round=2",
      "[-0.0,0.001]", "[0,0.01]", 0 },
    { "a top that is zero is not raised", "logits $ | round=1 top=1",
      "[-3,0,-5]", "[-2,0,-2]", 0 },
    { "elements of a vector that become null",
      "scores $.s | round=2; metadata $.s[*] | null",
      "{\"s\":[0.125,0.5]}", "{\"s\":[null,null]}", 0 },

    { "renormalized where all is rounded to zero",
      "scores $ | round=1 renormalize",
      "[-1e-12,0.04,0.04,0.04,0.04,0.04,0.04,0.04,0.04,0.04,0.04,0.04,0.04,"
      "0.04,0.04,0.04,0.04,0.04,0.04,0.04,0.04,0.04,0.04,0.04,0.04,0.04]",
      "[-0.1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]", 0 },

    { "NaN only, below a threshold", "scores $ | round=0 min=0.01",
      "[NaN,NaN]", "[NaN,0]", 0 },

    { "what NaN hides", "scores $ | top=2", "[0.9,NaN,NaN]", "[0.9,NaN,0]",
      0 },
    { "values too big to scale stay behind their top", "scores $ | round=0",
      "[12345678901234567890.4,12345678901234567890.45,9]",
      "[999999999999999999,12345678901234567890,9]", 0 },
    { "values too far below zero to scale, too", "logits $ | round=0",
      "[-12345678901234567890.4,-12345678901234567890.35]",
      "[-1e308,-12345678901234567890]", 0 },

    { "renormalized before it is filled",
      "scores $ | round=2 top=3 renormalize",
      "[0.703,0.297,-1e-12,-2e-12]", "[0.7,0.3,0,-2]", 0 },

    { "empty labels in a vector, which goes on waiting for their scores",
      "scores $.s | round=2; scores $.x label=$.s[2].l[*] | round=2; "
      "metadata $.z | drop",
      "{\"s\":[0.91234,0.81234,{\"l\":[]}],\"z\":1,\"y\":2}",
      "{\"s\":[0.91,0.81,{\"l\":[]}],\"y\":2}", 0 },
    { "the same, and there are scores",
      "scores $.s | round=2; scores $.x label=$.s[2].l[*] | round=2",
      "{\"s\":[0.9121,0.9142,{\"l\":[]}],\"x\":[0.12345,0.99456]}",
      "{\"s\":[0.9,0.91,{\"l\":[]}],\"x\":[0.12,0.99]}", 0 },

    { "numbers among records, in an array with two rules",
      "scores $.s[*].p label=$.s[*].l | round=1 top=1; "
      "scores $.s | round=1 top=1",
      "{\"s\":[{\"p\":0.91},{\"p\":0.12},0.33,0.44]}",
      "{\"s\":[{\"p\":0.9}]}", 0 },

    { "hidden zeros below a zero that is kept", "scores $ | round=1 top=1",
      "[0,0.0,0e5]", "[0,0,0]", 0 },
    { "a type and a dimension where the tensor is",
      "scores $.d[*] shape=$.d datatype=$.d | round=1",
      "{\"d\":[[0.12,0.34]],\"e\":{\"d\":1.25}}",
      "{\"d\":[[0.1,0.3]],\"e\":{\"d\":1.25}}", 0 },
    { "the type alone, where the tensor is",
      "scores $.d[*] datatype=$.d | round=1",
      "{\"d\":\"INT32\"}", "{\"d\":\"INT32\"}", 0 },
    { "a dimension below zero: one vector of all",
      "scores $.d shape=$.s | round=1 top=1",
      "{\"s\":[2,-2],\"d\":[0.12,0.34,0.56,0.78]}",
      "{\"s\":[2,-2],\"d\":[0,0,0,0.8]}", 0 },
    { "a dimension too great to count", "scores $.d shape=$.s | round=1 top=1",
      "{\"s\":[2,1e99],\"d\":[0.12,0.34,0.56,0.78]}",
      "{\"s\":[2,1e99],\"d\":[0,0,0,0.8]}", 0 },

    { "malformed", "scores $ | round=1", "[0.1,]", NULL,
      MODELGUARD_MALFORMED },
    { "malformed in what is skipped", "scores $.a | round=1",
      "{\"b\":[1,{\"c\":tru}]}", NULL, MODELGUARD_MALFORMED },
    { "malformed in what is dropped", "metadata $.a | drop",
      "{\"a\":[01]}", NULL, MODELGUARD_MALFORMED },
    { "truncated", "scores $ | round=1", "[0.1,0.2", NULL,
      MODELGUARD_TRUNCATED },
    { "empty", "scores $ | round=1", "", NULL, MODELGUARD_TRUNCATED },
    { "trailing garbage", "scores $ | round=1", "[1] x", NULL,
      MODELGUARD_MALFORMED },
    { "two documents", "scores $ | round=1", "{}{}", NULL,
      MODELGUARD_MALFORMED }
};


#define REWRITE_CASES  (sizeof(rewrite_cases) / sizeof(rewrite_cases[0]))


#endif /* REWRITE_CASES_H_INCLUDED */
