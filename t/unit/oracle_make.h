
/*
 * Copyright (C) the modelguard authors
 *
 * The parts of rules and of documents that fit them, made up by a seeded
 * generator; oracle_shapes.h puts them together.
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
        "1000.0000000000000004", "-0.004", "0.001", "0.002", "0.0049",
        "0.125000", "0.375000", "0.50000", "1.500000", "-0.025000",
        "0.12500000000001", "0.0005000", "0.999500000"
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

    if (i > 97) {
        make_put(make, "%u.%03ue-%02u", make_random(make, 10),
                 make_random(make, 1000), make_random(make, 7));
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


#endif /* ORACLE_MAKE_H_INCLUDED */
