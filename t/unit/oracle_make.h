
/*
 * Copyright (C) the modelguard authors
 *
 * Rules and documents that fit them, made up by a seeded generator: one
 * function for each shape of a score vector.
 */


#ifndef ORACLE_MAKE_H_INCLUDED
#define ORACLE_MAKE_H_INCLUDED


#include "tap.h"
#include <stdint.h>


#define MAKE_SIZE  16384


typedef struct {
    uint64_t  seed;
    int       style;                 /* of the numbers of this document */
    int       plain;                 /* no fractions in strings */
    size_t    n;
    char      doc[MAKE_SIZE];
    char      spec[512];
} make_t;


typedef void (*make_pt)(make_t *make);


static inline unsigned
make_random(make_t *make, unsigned limit)
{
    make->seed ^= make->seed << 13;
    make->seed ^= make->seed >> 7;
    make->seed ^= make->seed << 17;

    return (unsigned) ((make->seed * 0x2545f4914f6cdd1dULL) >> 33) % limit;
}


static inline void
make_put(make_t *make, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    make->n += (size_t) vsnprintf(make->doc + make->n, MAKE_SIZE - make->n,
                                  fmt, args);
    va_end(args);

    if (make->n >= MAKE_SIZE) {
        printf("Bail out! the document is too long\n");
        exit(2);
    }
}


static inline void
make_space(make_t *make)
{
    static const char  *spaces[] = { "", "", "", "", " ", "\n", "\t ", "\r\n" };

    make_put(make, "%s", spaces[make_random(make, 8)]);
}


static inline void
make_digits(make_t *make, unsigned n)
{
    for ( /* void */ ; n; n--) {
        make_put(make, "%u", make_random(make, 4) ? make_random(make, 10)
                                                  : 9 * make_random(make, 2));
    }
}


static inline void
make_number(make_t *make)
{
    unsigned  i;

    static const char  *odd[] = {
        "0.5", "0.50", "5e-1", "0.5", "0", "-0", "-0.0", "0e5", "1", "1.0",
        "0.005", "0.015", "0.025", "0.045", "0.995", "9.5", "0.4999999999",
        "0.50000000000000000000000000000000000000001", "1e-300", "-1e-12",
        "1e300", "-1e300", "1E+2", "2.5E-3", "123456789012345678.5",
        "0.00499999999999999999999", "-1e309", "1e309", "12345678901234567",
        "99999999999999999.5", "1000.0000000000000005",
        "1000.0000000000000004", "-0.004", "0.001", "0.002", "0.0049"
    };

    i = make_random(make, 100);

    if (make->style == 3 && i < 10) {
        make_put(make, "%s", i < 3 ? "NaN" : (i < 7 ? "Infinity"
                                                    : "-Infinity"));
        return;
    }

    if ((make->style >= 2 && i < 60) || i < 4) {
        make_put(make, "%s",
                 odd[make_random(make, sizeof(odd) / sizeof(odd[0]))]);
        return;
    }

    if (make->style == 4) {
        make_put(make, "0.00%u", make_random(make, 7));
        return;
    }

    if (make->style == 1 || (make->style >= 2 && i < 70)) {
        make_put(make, "%s%u", make_random(make, 3) ? "-" : "",
                 make_random(make, i < 50 ? 10 : 300));

    } else {
        make_put(make, "0");
    }

    make_put(make, ".");
    make_digits(make, i < 50 ? 1 + make_random(make, 4)
                             : 1 + make_random(make, i < 97 ? 18 : 60));

    if (i >= 90) {
        make_put(make, "%c%s%02u", i & 1 ? 'e' : 'E', i & 2 ? "-" : "+",
                 make_random(make, i & 2 ? 12 : 4));
    }
}


/* most of them sum to 1 */

static inline void
make_share(make_t *make, unsigned i, unsigned n, unsigned *left)
{
    unsigned  share;

    if (make->style != 0) {
        make_number(make);
        return;
    }

    share = (i + 1 == n) ? *left : make_random(make, *left + 1);
    *left -= share;

    make_put(make, share == 1000000 ? "1.0" : "0.%06u", share);
}


static inline void
make_row(make_t *make, unsigned n, int nulls)
{
    unsigned  i, left;

    left = 1000000;

    make_put(make, "[");

    for (i = 0; i < n; i++) {
        make_space(make);

        if (nulls && make_random(make, 12) == 0) {
            make_put(make, "null");

        } else {
            make_share(make, i, n, &left);
        }

        make_space(make);
        make_put(make, i + 1 < n ? "," : "");
    }

    make_put(make, "]");
}


static inline void
make_labels(make_t *make, unsigned n)
{
    unsigned  i;

    make_put(make, "[");

    for (i = 0; i < n; i++) {
        make_put(make, "%s\"l,]%u\\\"\"", i ? " ," : "", i);
    }

    make_put(make, "]");
}


/* something that no rule of these names */

static inline void
make_junk(make_t *make, unsigned depth)
{
    switch (make_random(make, depth ? 6 : 4)) {

    case 0:
        make_number(make);
        break;

    case 1:
        make_put(make, "\"\\u00e9\\n 0%s5 %u\"", make->plain ? "," : ".",
                 make_random(make, 99));
        break;

    case 2:
        make_put(make, "null");
        break;

    case 3:
        make_put(make, "{}");
        break;

    case 4:
        make_put(make, "[");
        make_junk(make, depth - 1);
        make_put(make, " , ");
        make_junk(make, depth - 1);
        make_put(make, "]");
        break;

    default:
        make_put(make, "{ \"j\\u006bunk\":");
        make_junk(make, depth - 1);
        make_put(make, ",\"\": ");
        make_junk(make, depth - 1);
        make_put(make, "}");
    }
}


/* after "|": a mix that is allowed for scores */

static inline void
make_treatment(make_t *make)
{
    char      *p;
    unsigned   i;

    static const char  *steps[] = { "0.05", "0.25", "0.1", "1", "0.003", "7" };
    static const char  *mins[] = { "0.1", "0.01", "0.5", "-1", "0", "1e-2" };

    p = make->spec + strlen(make->spec);
    i = make_random(make, 16);

    if (i == 0) {
        strcpy(p, " label_only");
        return;
    }

    if (i < 10) {
        p += sprintf(p, " round=%u", i == 9 ? 15 : make_random(make, 5));

    } else if (i < 13) {
        p += sprintf(p, " step=%s", steps[make_random(make, 6)]);

    } else {
        p += sprintf(p, " top=%u", 1 + make_random(make, 6));
        i = 99;
    }

    if (i != 99 && make_random(make, 2)) {
        p += sprintf(p, " top=%u", 1 + make_random(make, 6));
    }

    if (make_random(make, 4) == 0) {
        p += sprintf(p, " min=%s", mins[make_random(make, 6)]);
    }

    if (i < 9 && make_random(make, 2)) {
        strcpy(p, " renormalize");
    }
}


static inline void
make_spec(make_t *make, const char *paths)
{
    strcpy(make->spec, make_random(make, 2) ? "scores " : "logits ");
    strcat(make->spec, paths);
    strcat(make->spec, " |");
    make_treatment(make);
}


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

    static const char  *types[] = { "FP32", "BF16", "INT64", "FP64" };

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
                     types[make_random(make, 4)]);
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
                     types[make_random(make, 4)]);
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
        strcat(make->spec, " embedding $.**.score | round=1");
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


#endif /* ORACLE_MAKE_H_INCLUDED */
