
/*
 * Copyright (C) the modelguard authors
 *
 * The same rules as the rewriter's, read from the same lines of text.
 */


#ifndef ORACLE_SPEC_H_INCLUDED
#define ORACLE_SPEC_H_INCLUDED


#include "oracle_tree.h"


#define ORACLE_FIELDS  16
#define ORACLE_PATHS   8


typedef struct {
    char      role[16];
    char      paths[ORACLE_PATHS][128];
    unsigned  npaths;
    char      labels[4][128];
    unsigned  nlabels;
    char      shape[128];
    char      datatype[128];
    treat_t   treat;
    int       vector;
    int       shared;                /* its records are a later rule's, too */
} rule_t;


typedef struct {
    rule_t    rules[ORACLE_FIELDS];
    unsigned  n;
    unsigned  vectors;               /* decided, and of them those ... */
    unsigned  bad;                   /* ... whose properties do not hold */
} oracle_t;


static inline void
oracle_treat(treat_t *treat, const char *word)
{
    size_t  i;

    if (strcmp(word, "drop") == 0) {
        treat->drop = 1;

    } else if (strcmp(word, "null") == 0) {
        treat->null = 1;

    } else if (strcmp(word, "keep") == 0) {
        treat->keep = 1;

    } else if (strcmp(word, "label_only") == 0) {
        treat->label_only = 1;

    } else if (strcmp(word, "renormalize") == 0) {
        treat->renormalize = 1;

    } else if (strncmp(word, "round=", 6) == 0) {
        treat->reduce = 1;
        treat->digits = (unsigned) atoi(word + 6);
        treat->unit = 1;

    } else if (strncmp(word, "step=", 5) == 0) {
        treat->reduce = 1;
        treat->step = 1;

        for (i = 5; word[i]; i++) {

            if (word[i] != '.') {
                treat->unit = treat->unit * 10 + (uint64_t) (word[i] - '0');
                treat->digits += (strchr(word, '.') != NULL
                                  && word + i > strchr(word, '.'));
            }
        }

    } else if (strncmp(word, "top=", 4) == 0) {
        treat->top = (unsigned) atoi(word + 4);

    } else {
        treat->min = 1;
        strcpy(treat->threshold, word + 4);
    }
}


/* the bytes that two paths have in common, in whole steps */

static inline size_t
path_common(const char *a, const char *b)
{
    size_t  i, common;

    common = 1;

    for (i = 1; /* void */ ; i++) {

        if ((a[i] == '\0' || a[i] == '.' || a[i] == '[')
            && (b[i] == '\0' || b[i] == '.' || b[i] == '['))
        {
            common = i;
        }

        if (a[i] != b[i] || a[i] == '\0') {
            return common;
        }
    }
}


/* the bytes of a value's path that name the array of its records */

static inline size_t
rule_records(const rule_t *rule)
{
    size_t  len, steps, common;

    common = path_common(rule->paths[0], rule->labels[0]);
    steps = 1;

    for (len = 1; len + 3 <= common; len++) {

        if (memcmp(rule->paths[0] + len, "[*]", 3) == 0) {
            steps = len;
        }
    }

    return steps;
}


static inline int
rule_has_records(const rule_t *rule)
{
    size_t  len;

    len = rule->nlabels ? strlen(rule->labels[0]) : 0;

    return len && strcmp(rule->labels[0] + len - 3, "[*]") != 0
           && !rule->treat.drop && !rule->treat.null && !rule->treat.keep;
}


/* where two rules cut one array of records, the last has its way */

static inline void
oracle_share(oracle_t *oracle)
{
    rule_t   *a, *b;
    unsigned  i, j;

    for (i = 0; i < oracle->n; i++) {

        for (j = i + 1; j < oracle->n; j++) {
            a = &oracle->rules[i];
            b = &oracle->rules[j];

            a->shared |= rule_has_records(a) && rule_has_records(b)
                         && rule_records(a) == rule_records(b)
                         && memcmp(a->paths[0], b->paths[0], rule_records(a))
                            == 0;
        }
    }
}


/* the lines of rewrite_kit.h */

static inline void
oracle_build(oracle_t *oracle, const char *spec)
{
    int      treats;
    char    *copy, *line, *word, *lines, *words;
    rule_t  *rule;

    memset(oracle, 0, sizeof(oracle_t));

    copy = strdup(spec);

    for (line = strtok_r(copy, ";", &lines); line != NULL;
         line = strtok_r(NULL, ";", &lines))
    {
        rule = &oracle->rules[oracle->n++];
        treats = 0;

        for (word = strtok_r(line, " ", &words); word != NULL;
             word = strtok_r(NULL, " ", &words))
        {
            if (rule->role[0] == '\0') {
                strcpy(rule->role, word);

            } else if (strcmp(word, "|") == 0) {
                treats = 1;

            } else if (treats) {
                oracle_treat(&rule->treat, word);

            } else if (strncmp(word, "label=", 6) == 0) {
                strcpy(rule->labels[rule->nlabels++], word + 6);

            } else if (strncmp(word, "shape=", 6) == 0) {
                strcpy(rule->shape, word + 6);

            } else if (strncmp(word, "datatype=", 9) == 0) {
                strcpy(rule->datatype, word + 9);

            } else {
                strcpy(rule->paths[rule->npaths++], word);
            }
        }

        rule->vector = strcmp(rule->role, "scores") == 0
                       || strcmp(rule->role, "logits") == 0;
    }

    free(copy);

    oracle_share(oracle);
}


#endif /* ORACLE_SPEC_H_INCLUDED */
