
/*
 * Copyright (C) the modelguard authors
 *
 * modelguard_treatment.c: words, values and mixes, every word against a
 * guard page.
 */


#include "tap.h"
#include "modelguard_treatment.h"


#define nitems(a)  (sizeof(a) / sizeof((a)[0]))


typedef struct {
    const char  *words;
    const char  *error;              /* NULL: accepted */
} words_case_t;


static const char  alone[] = "\"keep\", \"drop\", \"null\" and "
                             "\"label_only\" exclude any other treatment";
static const char  round_range[] = "\"round\" must be between 0 and 15";
static const char  top_range[] = "\"top\" must be between 1 and 100";
static const char  min_number[] = "\"min\" must be a number";
static const char  step_decimal[] =
    "\"step\" must be a positive decimal of at most 9 digits";


/* adds the words parted by spaces, then checks; the error or NULL */

static const char *
treat(modelguard_treatment_t *t, const char *words)
{
    int             rc;
    size_t          len;
    const char     *error;
    unsigned char  *word;

    modelguard_treatment_init(t);

    while (*words) {
        len = strcspn(words, " ");
        word = guard_copy(words, len);

        error = "not set";
        rc = modelguard_treatment_add(t, word, len, &error);

        guard_free(word, len);

        if (rc != MODELGUARD_OK) {
            return rc == MODELGUARD_INVALID ? error : "a wrong code";
        }

        words += len;
        words += (*words == ' ');
    }

    error = "not set";
    rc = modelguard_treatment_check(t, &error);

    if (rc == MODELGUARD_OK) {
        return NULL;
    }

    return rc == MODELGUARD_INVALID ? error : "a wrong code";
}


static void
run(const words_case_t *cases, size_t n)
{
    int                     pass;
    size_t                  i;
    const char             *error;
    modelguard_treatment_t  t;

    for (i = 0; i < n; i++) {
        error = treat(&t, cases[i].words);

        pass = (error == NULL) ? (cases[i].error == NULL)
               : (cases[i].error != NULL
                  && strcmp(error, cases[i].error) == 0);

        ok(pass, "\"%s\": %s", cases[i].words, error ? error : "good");
    }
}


static void
test_words(void)
{
    static const words_case_t  cases[] = {
        { "keep", NULL },
        { "drop", NULL },
        { "null", NULL },
        { "label_only", NULL },
        { "round=0", NULL },
        { "round=1", NULL },
        { "round=14", NULL },
        { "round=15", NULL },
        { "round=16", round_range },
        { "round=99999999999999999999", round_range },
        { "round=-1", round_range },
        { "round=", round_range },
        { "round", round_range },
        { "round=2x", round_range },
        { "round=2.0", round_range },
        { "round=/", round_range },
        { "round=:", round_range },
        { "top=0", top_range },
        { "top=1", NULL },
        { "top=2", NULL },
        { "top=99", NULL },
        { "top=100", NULL },
        { "top=101", top_range },
        { "top=4294967297", top_range },
        { "top=", top_range },
        { "top", top_range },
        { "step=0.05", NULL },
        { "step=1", NULL },
        { "step=999999998", NULL },
        { "step=999999999", NULL },
        { "step=1000000000", step_decimal },
        { "step=0.00000001", NULL },
        { "step=0.000000001", NULL },
        { "step=0.0000000001", step_decimal },
        { "step=0", step_decimal },
        { "step=-1", step_decimal },
        { "step=1e-2", step_decimal },
        { "step=", step_decimal },
        { "step", step_decimal },
        { "", "no treatment is given" },
        { "Keep", "unknown treatment" },
        { "kee", "unknown treatment" },
        { "keeps", "unknown treatment" },
        { "=", "unknown treatment" },
        { "=keep", "unknown treatment" },
        { "noise=1", "unknown treatment" },
        { "rounds=1", "unknown treatment" },
        { "keep=", "treatment takes no value" },
        { "drop=1", "treatment takes no value" },
        { "renormalize=9", "treatment takes no value" }
    };

    run(cases, nitems(cases));
}


static void
test_min(void)
{
    static const words_case_t  cases[] = {
        { "min=0", NULL },
        { "min=-0.5", NULL },
        { "min=1e-3", NULL },
        { "min=1E+3", NULL },
        { "min=10.25e10", NULL },
        { "min=", min_number },
        { "min", min_number },
        { "min=-", min_number },
        { "min=+1", min_number },
        { "min=01", min_number },
        { "min=-01", min_number },
        { "min=00", min_number },
        { "min=.5", min_number },
        { "min=5.", min_number },
        { "min=1e", min_number },
        { "min=1e+", min_number },
        { "min=1.e5", min_number },
        { "min=0x10", min_number },
        { "min=NaN", min_number },
        { "min=Infinity", min_number },
        { "min=-Infinity", min_number },
        { "min=1,5", min_number },
        { "min=1.5.5", min_number },
        { "min==1", min_number }
    };

    run(cases, nitems(cases));
}


static void
test_mixes(void)
{
    static const words_case_t  cases[] = {
        { "keep keep", "duplicate \"keep\"" },
        { "drop drop", "duplicate \"drop\"" },
        { "null null", "duplicate \"null\"" },
        { "label_only label_only", "duplicate \"label_only\"" },
        { "round=2 round=2", "duplicate \"round\"" },
        { "round=2 top=1 round=3", "duplicate \"round\"" },
        { "step=1 step=2", "duplicate \"step\"" },
        { "top=1 top=2", "duplicate \"top\"" },
        { "min=0 min=1", "duplicate \"min\"" },
        { "round=2 renormalize renormalize", "duplicate \"renormalize\"" },
        { "keep drop", alone },
        { "null label_only", alone },
        { "keep round=2", alone },
        { "round=2 keep", alone },
        { "drop top=1", alone },
        { "null min=0", alone },
        { "label_only renormalize", alone },
        { "label_only step=0.1", alone },
        { "top=1 label_only", alone },
        { "round=2 step=0.1", "\"round\" and \"step\" are mutually "
          "exclusive" },
        { "step=0.1 top=2 round=2", "\"round\" and \"step\" are mutually "
          "exclusive" },
        { "renormalize", "\"renormalize\" requires \"round\"" },
        { "step=0.1 renormalize", "\"renormalize\" requires \"round\"" },
        { "top=3 min=0 renormalize", "\"renormalize\" requires \"round\"" },
        { "round=8 renormalize", NULL },
        { "round=9 renormalize", NULL },
        { "renormalize round=9", NULL },
        { "round=10 renormalize",
          "\"renormalize\" requires \"round\" of at most 9" },
        { "renormalize round=15",
          "\"renormalize\" requires \"round\" of at most 9" },
        { "top=3", NULL },
        { "min=0.5", NULL },
        { "top=3 min=0.5", NULL },
        { "min=0.1 step=0.05 top=5", NULL },
        { "round=2 top=3 min=0.01 renormalize", NULL }
    };

    run(cases, nitems(cases));
}


static void
test_values(void)
{
    const char             *error;
    modelguard_treatment_t  t, before;

    static const uint8_t  min[] = "min=-1.5e-3";

    modelguard_treatment_init(&t);
    ok(t.op == MODELGUARD_KEEP && !t.round && !t.step && !t.min
       && !t.renormalize && t.top == 0, "a fresh treatment keeps everything");

    ok(treat(&t, "keep") == NULL && t.op == MODELGUARD_KEEP, "op of keep");
    ok(treat(&t, "drop") == NULL && t.op == MODELGUARD_DROP, "op of drop");
    ok(treat(&t, "null") == NULL && t.op == MODELGUARD_NULL, "op of null");
    ok(treat(&t, "label_only") == NULL && t.op == MODELGUARD_LABEL_ONLY,
       "op of label_only");

    ok(treat(&t, "round=12") == NULL && t.op == MODELGUARD_REDUCE && t.round
       && t.digits == 12 && !t.step && !t.min && !t.renormalize
       && t.top == 0, "round=12");

    ok(treat(&t, "step=0.250") == NULL && t.op == MODELGUARD_REDUCE && t.step
       && t.unit.unit == 25 && t.unit.digits == 2 && t.digits == 2
       && !t.round, "step=0.250");

    ok(treat(&t, "top=42") == NULL && t.op == MODELGUARD_REDUCE
       && t.top == 42 && !t.round && !t.step, "top=42");

    ok(treat(&t, "round=2 top=5 renormalize") == NULL
       && t.op == MODELGUARD_REDUCE && t.round && t.renormalize && t.top == 5
       && t.digits == 2, "round=2 top=5 renormalize");

    modelguard_treatment_init(&t);
    ok(modelguard_treatment_add(&t, min, sizeof(min) - 1, &error)
       == MODELGUARD_OK && t.min && t.op == MODELGUARD_REDUCE
       && t.threshold.data == min + 4
       && t.threshold.len == sizeof(min) - 5,
       "the threshold is the caller's text");

    before = t;
    ok(modelguard_treatment_add(&t, (const uint8_t *) "top=101", 7, &error)
       == MODELGUARD_INVALID && memcmp(&t, &before, sizeof(t)) == 0,
       "a refused word changes nothing");
}


int
main(void)
{
    test_words();
    test_min();
    test_mixes();
    test_values();

    return tap_done();
}
