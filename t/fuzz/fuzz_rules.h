
/*
 * Copyright (C) the modelguard authors
 *
 * Inputs of two lines' worth: the rules as in rewrite_kit.h, a line feed, and
 * what they are to be applied to.  And mutations of both.
 */


#ifndef FUZZ_RULES_H_INCLUDED
#define FUZZ_RULES_H_INCLUDED


#include "fuzz_json.h"
#include "rewrite_kit.h"
#include "oracle_shapes.h"


#define FUZZ_SPEC  400


typedef struct {
    char            spec[FUZZ_SPEC + 1];
    const uint8_t  *doc;
    size_t          len;
} fuzz_input_t;


static const char *const  fuzz_paths[] = {
    "$.p", "$", "$.m.*", "$.**.~^(prob|score)s?$", "$.**.a", "$[0]",
    "$.r[*].score label=$.r[*].label",
    "$[*][*].score label=$[*][*].label", "$[*][1] label=$[*][0]",
    "$[*].s label=$[*].l[*] label=$[*].x.y[*]",
    "$.o[*].data shape=$.o[*].shape datatype=$.o[*].datatype",
    "$.p encoding=string", "$.p encoding=text", "$.p encoding=base64f32",
    "$.p encoding=json inside=$.p", "$.**.m", "$.* $.**[1]",
    "$.p encoding=json inside=$.r[*].score label=$.r[*].label",
    "$.choices[*].logprobs", "$[\"p\"]", "$.q[*].p $.p"
};

static const char *const  fuzz_roles[] = {
    "scores", "logits", "logprobs", "embedding", "metadata", "label", "usage"
};

static const char *const  fuzz_treatments[] = {
    "keep", "drop", "null", "label_only", "round=0", "round=2", "round=4",
    "step=0.05", "step=0.25", "top=1", "top=3 round=2", "min=0.1 round=3",
    "round=2 top=3 renormalize", "round=15", "step=7", "round=1 renormalize"
};

/* for a second field, at what the first ones are about */

static const char *const  fuzz_tails[] = {
    "; metadata $.r[*].m | drop", "; metadata $[*][*].m | null",
    "; metadata $.m.k1 $.m.k3 | drop", "; metadata $.**.b $[0] | drop",
    "; metadata $.**.x | drop"
};


/* the rules and the rest; 0: there are none, or they cannot be */

static inline int
fuzz_split(fuzz_input_t *input, const uint8_t *data, size_t len)
{
    size_t          n;
    const uint8_t  *p;

    p = memchr(data, '\n', len);

    if (p == NULL || p == data || p - data > FUZZ_SPEC) {
        return 0;
    }

    n = (size_t) (p - data);

    if (memchr(data, '\0', n) != NULL) {
        return 0;
    }

    memcpy(input->spec, data, n);
    input->spec[n] = '\0';
    input->doc = p + 1;
    input->len = len - n - 1;

    return 1;
}


/* patterns that try for long are another test's */

static inline int
fuzz_spec_is_slow(const char *spec)
{
    const char  *p;
    unsigned     n;

    n = 0;

    for (p = strchr(spec, '~'); p != NULL && *p != '\0'; p++) {
        n += (strchr("*+{", *p) != NULL);
    }

    return n > 3;
}


/*
 * Whether the oracle knows all of these rules: the shapes it was written for,
 * or "**" and patterns, and one more field at most that drops.
 */

static inline int
fuzz_spec_is_plain(const char *spec)
{
    size_t       i, len, known;
    const char  *p, *tail;

    len = strcspn(spec, " ");

    if (strncmp(spec, "scores ", 7) != 0 && strncmp(spec, "logits ", 7) != 0) {
        return 0;
    }

    p = spec + len + 1;
    tail = strstr(p, " | ");

    if (tail == NULL) {
        return 0;
    }

    len = (size_t) (tail - p);
    known = 0;

    for (i = 0; i < 11; i++) {
        known |= strlen(fuzz_paths[i]) == len
                 && memcmp(p, fuzz_paths[i], len) == 0;
    }

    p = strchr(tail, ';');

    if (!known || p == NULL) {
        return (int) known;
    }

    for (i = 0; i < sizeof(fuzz_tails) / sizeof(fuzz_tails[0]); i++) {

        if (strcmp(p, fuzz_tails[i]) == 0) {
            return 1;
        }
    }

    return 0;
}


static inline void
fuzz_spec_line(char *spec)
{
    sprintf(spec + strlen(spec), "%s %s | %s", FUZZ_ANY(fuzz_roles),
            FUZZ_ANY(fuzz_paths), FUZZ_ANY(fuzz_treatments));
}


/* other rules for the same document */

static inline void
fuzz_spec_mutate(char *spec)
{
    char    *p, old[FUZZ_SPEC + 1];
    size_t   len;

    strcpy(old, spec);

    switch (fuzz_random(6)) {

    case 0:
        spec[0] = '\0';
        fuzz_spec_line(spec);
        break;

    case 1:
        if (strlen(spec) < FUZZ_SPEC - 128) {
            strcat(spec, "; ");
            fuzz_spec_line(spec);
        }

        break;

    case 2:
        if (strlen(spec) < FUZZ_SPEC - 128) {
            strcat(spec, FUZZ_ANY(fuzz_tails));
        }

        break;

    case 3:
        len = LLVMFuzzerMutate((uint8_t *) spec, strlen(spec), FUZZ_SPEC);
        spec[len] = '\0';

        for (p = spec; p < spec + len; p++) {
            *p = (*p == '\n' || *p == '\0') ? ' ' : *p;
        }

        break;

    case 4:
        p = strchr(spec, ';');

        if (p != NULL) {
            *p = '\0';
            break;
        }

        /* fall through */

    default:
        p = strchr(spec, '|');

        if (p != NULL && p - spec < FUZZ_SPEC - 64) {
            strcpy(p + 1, " ");
            strcat(p, FUZZ_ANY(fuzz_treatments));
            p = strchr(old, ';');

            if (p != NULL && strlen(spec) + strlen(p) < FUZZ_SPEC) {
                strcat(spec, p);
            }
        }
    }
}


/* a document and rules made up for one of the shapes */

static inline size_t
fuzz_shape(uint8_t *data, size_t size, size_t max)
{
    size_t                len;
    static make_t         make;
    static const make_pt  shapes[] = { make_array, make_records, make_pairs,
                                       make_map, make_parallel, make_tensor,
                                       make_any };

    make.n = 0;
    make.doc[0] = '\0';
    make.spec[0] = '\0';
    make.plain = 0;
    make.seed = fuzz_next();
    make.style = (int) make_random(&make, 5);

    shapes[fuzz_random(7)](&make);

    len = strlen(make.spec);

    if (len + 1 + make.n > max) {
        return size;
    }

    memcpy(data, make.spec, len);
    data[len] = '\n';
    memcpy(data + len + 1, make.doc, make.n);

    return len + 1 + make.n;
}


/*
 * Mutates the rules, or by "rest" what is behind them; "data" has room for
 * "max" bytes.
 */

typedef size_t (*fuzz_rest_pt)(uint8_t *data, size_t size, size_t max);

static inline size_t
fuzz_rules_mutate(uint8_t *data, size_t size, size_t max, fuzz_rest_pt rest)
{
    char     spec[FUZZ_SPEC * 2];
    size_t   n, len;
    uint8_t *p;

    p = memchr(data, '\n', size);
    n = p != NULL ? (size_t) (p - data) : size + 1;

    if (n > FUZZ_SPEC || n > size || max < FUZZ_SPEC * 2) {
        return LLVMFuzzerMutate(data, size, max);
    }

    if (fuzz_random(4)) {
        len = max - n - 1 > FUZZ_SPEC ? max - n - 1 - FUZZ_SPEC : 1;

        if (size - n - 1 > len) {
            return size;
        }

        return n + 1 + rest(data + n + 1, size - n - 1, len);
    }

    memcpy(spec, data, n);
    spec[n] = '\0';

    fuzz_spec_mutate(spec);

    len = strlen(spec);

    if (len > FUZZ_SPEC || size - n + len > max) {
        return size;
    }

    return fuzz_splice(data, size, max, 0, n, spec, len);
}


#endif /* FUZZ_RULES_H_INCLUDED */
