
/*
 * Copyright (C) the modelguard authors
 *
 * Rules and documents that fit them: one function for each shape of a score
 * vector.
 */


#ifndef ORACLE_SHAPES_H_INCLUDED
#define ORACLE_SHAPES_H_INCLUDED


#include "oracle_make.h"


typedef void (*make_pt)(make_t *make);


static inline void
make_rows(make_t *make, unsigned depth)
{
    unsigned  i, n;

    if (depth == 0 || make_random(make, 3) == 0) {
        make_row(make, make_random(make, 9), 1);
        return;
    }

    n = make_random(make, 4);
    make_put(make, "[ ");

    for (i = 0; i < n; i++) {

        if (make_random(make, 5) == 0) {
            make_number(make);

        } else {
            make_rows(make, depth - 1);
        }

        make_put(make, i + 1 < n ? ", " : " ");
    }

    make_put(make, "]");
}


static inline void
make_array(make_t *make)
{
    make_spec(make, "$.p");

    make_put(make, "{\"a\":");
    make_junk(make, 3);
    make_put(make, " , \"p\" : ");

    if (make_random(make, 6) == 0) {
        make_number(make);

    } else {
        make_rows(make, make_random(make, 4));
    }

    make_put(make, ",\"b\":");
    make_junk(make, 2);
    make_put(make, "}");
}


static inline void
make_record(make_t *make, unsigned i, unsigned n, unsigned *left)
{
    int  first;

    first = (int) make_random(make, 2);

    make_put(make, "{");

    if (make_random(make, 3) == 0) {
        make_put(make, "\"m\":");
        make_junk(make, 2);
        make_put(make, ",");
    }

    if (first) {
        make_put(make, " \"label\" : \"x%u\",", i);
    }

    if (make_random(make, 15) == 0) {
        make_put(make, "\"score\":null");

    } else {
        make_put(make, "\"sc\\u006fre\":");
        make_share(make, i, n, left);
    }

    make_put(make, first ? "}" : ",\"label\":\"y\" }");
}


static inline void
make_record_array(make_t *make)
{
    unsigned  i, n, left;

    n = make_random(make, 8);
    left = 1000000;

    make_put(make, "[");

    for (i = 0; i < n; i++) {
        make_space(make);
        make_record(make, i, n, &left);
        make_space(make);
        make_put(make, i + 1 < n ? "," : "");
    }

    make_put(make, "]");
}


static inline void
make_records(make_t *make)
{
    int  rows;

    rows = (int) make_random(make, 2);

    make_spec(make, rows ? "$[*][*].score label=$[*][*].label"
                         : "$.r[*].score label=$.r[*].label");

    if (make_random(make, 2)) {
        strcat(make->spec, rows ? "; metadata $[*][*].m |"
                                : "; metadata $.r[*].m |");
        strcat(make->spec, make_random(make, 2) ? " drop" : " null");
    }

    make_put(make, rows ? "[" : "{\"z\":[1],\"r\":");
    make_record_array(make);

    if (rows) {
        make_put(make, " ,");
        make_record_array(make);
    }

    make_put(make, rows ? "]" : ",\"q\":1.25}");
}


static inline void
make_pairs(make_t *make)
{
    unsigned  i, n, left;

    make_spec(make, "$[*][1] label=$[*][0]");

    n = 1 + make_random(make, 6);
    left = 1000000;

    make_put(make, "[");

    for (i = 0; i < n; i++) {
        make_put(make, "%s[\"k%u\", ", i ? " , " : "", i);
        make_share(make, i, n, &left);
        make_put(make, "]");
    }

    make_put(make, "]");
}


static inline void
make_map(make_t *make)
{
    unsigned  i, n, left;

    make_spec(make, "$.m.*");

    if (make_random(make, 3) == 0) {
        strcat(make->spec, "; metadata $.m.k1 $.m.k3 | drop");
    }

    n = make_random(make, 8);
    left = 1000000;

    make_put(make, "{\"m\":{");

    for (i = 0; i < n; i++) {
        make_space(make);
        make_put(make, "\"k%u\" :", i);

        switch (make_random(make, 10)) {

        case 0:
            make_put(make, "\"name\"");
            break;

        case 1:
            make_row(make, 3, 0);
            break;

        default:
            make_share(make, i, n, &left);
        }

        make_space(make);
        make_put(make, i + 1 < n ? "," : "");
    }

    make_put(make, "} , \"n\":[0.123] }");
}


static inline void
make_parallel(make_t *make)
{
    unsigned  n, part, i;

    make_spec(make, "$[*].s label=$[*].l[*] label=$[*].x.y[*]");

    make_put(make, "[");

    for (part = 0; part < 2; part++) {
        n = make_random(make, 7);
        i = make_random(make, 8);

        make_put(make, part ? " , {" : "{");

        if (i & 1) {
            make_put(make, "\"l\" : ");
            make_labels(make, n);
            make_put(make, ",");
        }

        make_put(make, "\"s\": ");

        if (make_random(make, 6) == 0) {
            make_rows(make, 2);

        } else {
            make_row(make, n, 1);
        }

        if (!(i & 1) && i < 6) {
            make_put(make, ",\"j\":");
            make_junk(make, 2);
            make_put(make, " , \"l\":");
            make_labels(make, n);
        }

        if (i & 2) {
            make_put(make, ",\"x\":{\"y\" : ");
            make_labels(make, n);
            make_put(make, "}");
        }

        make_put(make, "}");
    }

    make_put(make, "]");
}


static inline void
make_tensor(make_t *make)
{
    unsigned  part, rows, columns, order;

    static const char  *types[] = { "FP32", "BF16", "INT64", "FP64", "UINT8",
                                    "BOOL", "BYTES", "IN" };

    make_spec(make, "$.o[*].data shape=$.o[*].shape "
                    "datatype=$.o[*].datatype");

    make_put(make, "{\"o\":[");

    for (part = 0; part < 3; part++) {
        rows = make_random(make, 4);
        columns = make_random(make, 4);
        order = make_random(make, 4);

        make_put(make, part ? ", {" : "{");

        if (order & 1) {
            make_put(make, "\"shape\":[%u, %u],", rows, columns);
        }

        if (order & 2) {
            make_put(make, "\"datatype\":\"%s\",",
                     types[make_random(make, 8)]);
        }

        make_put(make, "\"data\":");

        if (make_random(make, 8) == 0) {
            make_rows(make, 2);

        } else {
            make_row(make, rows * columns + (make_random(make, 5) == 0), 0);
        }

        if (!(order & 1) && make_random(make, 5)) {
            make_put(make, ", \"shape\" : [ %u , %u ]", rows, columns);
        }

        if (!(order & 2) && make_random(make, 5)) {
            make_put(make, ", \"datatype\" : \"%s\"",
                     types[make_random(make, 8)]);
        }

        make_put(make, "}");
    }

    make_put(make, "]}");
}


/* any tree, of few names */

static inline void
make_tree(make_t *make, unsigned depth)
{
    unsigned  i, n, object;

    static const char  *names[] = { "a", "\\u0062", "score", "pro\\u0062s" };

    if (depth == 0 || make_random(make, 4) == 0) {

        if (make_random(make, 3)) {
            make_number(make);

        } else {
            make_junk(make, 1);
        }

        return;
    }

    object = make_random(make, 2);
    n = make_random(make, 5);

    make_put(make, object ? "{" : "[");

    for (i = 0; i < n; i++) {
        make_space(make);

        if (object && i < 4) {
            make_put(make, "\"%s\" : ", names[i]);

        } else if (object) {
            break;
        }

        make_tree(make, depth - 1);
        make_space(make);
        make_put(make, i + 1 < (object && n > 4 ? 4 : n) ? "," : "");
    }

    make_put(make, object ? "}" : "]");
}


static inline void
make_any(make_t *make)
{
    switch (make_random(make, 5)) {

    case 0:
        make_spec(make, "$.**.~^(prob|score)s?$");
        break;

    case 1:
        strcpy(make->spec, "metadata $.**.a $.**[1] $.**.probs | drop");
        break;

    case 2:
        strcpy(make->spec, "metadata $.**.a | null; usage $.**.b | drop;");
        strcat(make->spec, " logprobs $.**.score | round=1");
        break;

    case 3:
        make_spec(make, "$");
        strcat(make->spec, "; metadata $.**.b $[0] | drop");
        break;

    default:
        strcpy(make->spec, "logprobs $.**.score | step=0.25;");
        strcat(make->spec, " metadata $.* $.**[0] | drop");
    }

    make->plain = 1;
    make_tree(make, 5);
}


#endif /* ORACLE_SHAPES_H_INCLUDED */
