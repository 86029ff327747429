
/*
 * Copyright (C) the modelguard authors
 *
 * One table of words; what a word's value must be is said by the function
 * that reads it, what may stand beside it by modelguard_treatment_check().
 */


#include "modelguard_treatment.h"


#define MODELGUARD_WORD_KEEP         0x001
#define MODELGUARD_WORD_DROP         0x002
#define MODELGUARD_WORD_NULL         0x004
#define MODELGUARD_WORD_LABEL_ONLY   0x008
#define MODELGUARD_WORD_ROUND        0x010
#define MODELGUARD_WORD_STEP         0x020
#define MODELGUARD_WORD_TOP          0x040
#define MODELGUARD_WORD_MIN          0x080
#define MODELGUARD_WORD_RENORMALIZE  0x100

#define MODELGUARD_WORDS_ALONE       0x00f


typedef const char *(*modelguard_word_pt)(modelguard_treatment_t *treatment,
    const modelguard_str_t *value);


typedef struct {
    const char                *name;
    size_t                     len;
    unsigned                   bit;
    modelguard_treatment_op_e  op;
    modelguard_word_pt         set;         /* NULL: the word has no value */
    const char                *duplicate;
} modelguard_word_t;


static const char *modelguard_treatment_round(
    modelguard_treatment_t *treatment, const modelguard_str_t *value);
static const char *modelguard_treatment_step(
    modelguard_treatment_t *treatment, const modelguard_str_t *value);
static const char *modelguard_treatment_top(
    modelguard_treatment_t *treatment, const modelguard_str_t *value);
static const char *modelguard_treatment_min(
    modelguard_treatment_t *treatment, const modelguard_str_t *value);


#define MODELGUARD_WORD(name, bit, op, set)                                   \
    { name, sizeof(name) - 1, bit, op, set, "duplicate \"" name "\"" }


static const modelguard_word_t  modelguard_words[] = {

    MODELGUARD_WORD("keep", MODELGUARD_WORD_KEEP, MODELGUARD_KEEP, NULL),

    MODELGUARD_WORD("drop", MODELGUARD_WORD_DROP, MODELGUARD_DROP, NULL),

    MODELGUARD_WORD("null", MODELGUARD_WORD_NULL, MODELGUARD_NULL, NULL),

    MODELGUARD_WORD("label_only", MODELGUARD_WORD_LABEL_ONLY,
                    MODELGUARD_LABEL_ONLY, NULL),

    MODELGUARD_WORD("round", MODELGUARD_WORD_ROUND, MODELGUARD_REDUCE,
                    modelguard_treatment_round),

    MODELGUARD_WORD("step", MODELGUARD_WORD_STEP, MODELGUARD_REDUCE,
                    modelguard_treatment_step),

    MODELGUARD_WORD("top", MODELGUARD_WORD_TOP, MODELGUARD_REDUCE,
                    modelguard_treatment_top),

    MODELGUARD_WORD("min", MODELGUARD_WORD_MIN, MODELGUARD_REDUCE,
                    modelguard_treatment_min),

    MODELGUARD_WORD("renormalize", MODELGUARD_WORD_RENORMALIZE,
                    MODELGUARD_REDUCE, NULL)
};

#define MODELGUARD_WORDS                                                      \
    (sizeof(modelguard_words) / sizeof(modelguard_word_t))


/* a count of at most "max", or -1 */

static int
modelguard_treatment_count(const modelguard_str_t *value, int max)
{
    int     n;
    size_t  i;

    if (value->len == 0) {
        return -1;
    }

    n = 0;

    for (i = 0; i < value->len; i++) {

        if (value->data[i] < '0' || value->data[i] > '9') {
            return -1;
        }

        n = n * 10 + (value->data[i] - '0');

        if (n > max) {
            return -1;
        }
    }

    return n;
}


static size_t
modelguard_treatment_digits(const modelguard_str_t *value, size_t i)
{
    size_t  start;

    start = i;

    while (i < value->len && value->data[i] >= '0' && value->data[i] <= '9') {
        i++;
    }

    return i - start;
}


/* a number of RFC 8259, section 6, and nothing else */

static int
modelguard_treatment_is_number(const modelguard_str_t *value)
{
    size_t          i, n;
    const uint8_t  *p;

    i = 0;
    p = value->data;

    if (i < value->len && p[i] == '-') {
        i++;
    }

    n = modelguard_treatment_digits(value, i);

    if (n == 0 || (n > 1 && p[i] == '0')) {
        return 0;
    }

    i += n;

    if (i < value->len && p[i] == '.') {
        i++;
        n = modelguard_treatment_digits(value, i);

        if (n == 0) {
            return 0;
        }

        i += n;
    }

    if (i < value->len && (p[i] == 'e' || p[i] == 'E')) {
        i++;

        if (i < value->len && (p[i] == '+' || p[i] == '-')) {
            i++;
        }

        n = modelguard_treatment_digits(value, i);

        if (n == 0) {
            return 0;
        }

        i += n;
    }

    return i == value->len;
}


static const char *
modelguard_treatment_round(modelguard_treatment_t *treatment,
    const modelguard_str_t *value)
{
    int  n;

    n = modelguard_treatment_count(value, MODELGUARD_NUMBER_DIGITS_MAX);

    if (n < 0) {
        return "\"round\" must be between 0 and 15";
    }

    treatment->round = 1;
    treatment->digits = (unsigned) n;

    return NULL;
}


static const char *
modelguard_treatment_step(modelguard_treatment_t *treatment,
    const modelguard_str_t *value)
{
    if (modelguard_decimal_parse(value->data, value->len, &treatment->unit)
        != MODELGUARD_OK)
    {
        return "\"step\" must be a positive decimal of at most 9 digits";
    }

    treatment->step = 1;
    treatment->digits = treatment->unit.digits;

    return NULL;
}


static const char *
modelguard_treatment_top(modelguard_treatment_t *treatment,
    const modelguard_str_t *value)
{
    int  n;

    n = modelguard_treatment_count(value, MODELGUARD_TOP_MAX);

    if (n < 1) {
        return "\"top\" must be between 1 and 100";
    }

    treatment->top = (unsigned) n;

    return NULL;
}


static const char *
modelguard_treatment_min(modelguard_treatment_t *treatment,
    const modelguard_str_t *value)
{
    if (!modelguard_treatment_is_number(value)) {
        return "\"min\" must be a number";
    }

    treatment->min = 1;
    treatment->threshold = *value;

    return NULL;
}


void
modelguard_treatment_init(modelguard_treatment_t *treatment)
{
    memset(treatment, 0, sizeof(modelguard_treatment_t));

    treatment->op = MODELGUARD_KEEP;
}


static const modelguard_word_t *
modelguard_treatment_word(const uint8_t *name, size_t len)
{
    size_t                    i;
    const modelguard_word_t  *word;

    for (i = 0; i < MODELGUARD_WORDS; i++) {
        word = &modelguard_words[i];

        if (word->len == len && memcmp(word->name, name, len) == 0) {
            return word;
        }
    }

    return NULL;
}


int
modelguard_treatment_add(modelguard_treatment_t *treatment,
    const uint8_t *word, size_t len, const char **error)
{
    size_t                    n;
    modelguard_str_t          value;
    const modelguard_word_t  *w;

    for (n = 0; n < len && word[n] != '='; n++) {
        /* void */
    }

    w = modelguard_treatment_word(word, n);

    if (w == NULL) {
        *error = "unknown treatment";
        return MODELGUARD_INVALID;
    }

    if (treatment->words & w->bit) {
        *error = w->duplicate;
        return MODELGUARD_INVALID;
    }

    if (w->set) {
        value.data = word + n + (n < len);
        value.len = len - n - (n < len);

        *error = w->set(treatment, &value);

        if (*error) {
            return MODELGUARD_INVALID;
        }

    } else if (n < len) {
        *error = "treatment takes no value";
        return MODELGUARD_INVALID;
    }

    if (w->bit == MODELGUARD_WORD_RENORMALIZE) {
        treatment->renormalize = 1;
    }

    treatment->words |= w->bit & 0x1ff;
    treatment->op = w->op;

    return MODELGUARD_OK;
}


int
modelguard_treatment_check(const modelguard_treatment_t *treatment,
    const char **error)
{
    unsigned  words;

    words = treatment->words;

    if (words == 0) {
        *error = "no treatment is given";
        return MODELGUARD_INVALID;
    }

    /* a single bit has no bit in common with its predecessor */

    if ((words & MODELGUARD_WORDS_ALONE) && (words & (words - 1))) {
        *error = "\"keep\", \"drop\", \"null\" and \"label_only\""
                 " exclude any other treatment";
        return MODELGUARD_INVALID;
    }

    if (treatment->round && treatment->step) {
        *error = "\"round\" and \"step\" are mutually exclusive";
        return MODELGUARD_INVALID;
    }

    if (treatment->renormalize && !treatment->round) {
        *error = "\"renormalize\" requires \"round\"";
        return MODELGUARD_INVALID;
    }

    if (treatment->renormalize
        && treatment->digits > MODELGUARD_RENORMALIZE_MAX)
    {
        *error = "\"renormalize\" requires \"round\" of at most 9";
        return MODELGUARD_INVALID;
    }

    return MODELGUARD_OK;
}
