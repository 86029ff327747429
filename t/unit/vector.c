
/*
 * Copyright (C) the modelguard authors
 *
 * The decision on one vector, called directly, beside the naive one of
 * oracle_vector.h: sizes up to thousands, every K that matters, elements
 * with and without ranges, numbers of other vectors in between.
 */


#include "modelguard_vector.h"
#include "oracle_vector.h"


#define TEXT_MAX   48
#define FRAME      3
#define FOREIGN    4


typedef struct {
    const char  *name;
    unsigned     round;              /* 99: not */
    const char  *step;
    unsigned     top;
    const char  *min;
    int          renormalize;
    int          label_only;
} mix_t;


typedef struct {
    char               *text;
    size_t              len;
    item_t             *items;
    size_t              n;
    modelguard_edit_t  *edits;
    uint32_t            nedits;
    uint32_t           *at;          /* the edits of the numbers */
} sample_t;


static const mix_t  mixes[] = {
    { "round=2", 2, NULL, 0, NULL, 0, 0 },
    { "round=0", 0, NULL, 0, NULL, 0, 0 },
    { "round=15 top=2", 15, NULL, 2, NULL, 0, 0 },
    { "round=3 top=1", 3, NULL, 1, NULL, 0, 0 },
    { "round=4 top=99", 4, NULL, 99, NULL, 0, 0 },
    { "round=2 top=100 renormalize", 2, NULL, 100, NULL, 1, 0 },
    { "round=9 top=2 renormalize", 9, NULL, 2, NULL, 1, 0 },
    { "round=2 min=0.01 renormalize", 2, NULL, 0, "0.01", 1, 0 },
    { "step=0.05 top=2", 99, "0.05", 2, NULL, 0, 0 },
    { "step=7 min=-1e1", 99, "7", 0, "-1e1", 0, 0 },
    { "step=0.25 top=100", 99, "0.25", 100, NULL, 0, 0 },
    { "top=1", 99, NULL, 1, NULL, 0, 0 },
    { "top=2", 99, NULL, 2, NULL, 0, 0 },
    { "top=99", 99, NULL, 99, NULL, 0, 0 },
    { "top=100", 99, NULL, 100, NULL, 0, 0 },
    { "min=0.5", 99, NULL, 0, "0.5", 0, 0 },
    { "label_only", 99, NULL, 0, NULL, 0, 1 }
};

#define MIXES  (sizeof(mixes) / sizeof(mixes[0]))


static uint64_t  seed = 0x853c49e6748fea9bULL;


static unsigned
draw(unsigned limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return (unsigned) ((seed * 0x2545f4914f6cdd1dULL) >> 33) % limit;
}


static void
draw_text(char *out, int style, size_t n)
{
    unsigned  i;

    static const char  *odd[] = {
        "NaN", "Infinity", "-Infinity", "-0.0", "0", "1e300", "-1e300",
        "0.5", "5e-1", "1000.0000000000000004", "1000.0000000000000005",
        "-99999999999999999999.5", "-99999999999999999999.4", "1e-200"
    };

    i = draw(100);

    switch (style) {

    case 0: /* a distribution, nearly */
        sprintf(out, "%.12f", (i + 1) / 50.5 / (double) n);
        return;

    case 1: /* few values, so many ties */
        sprintf(out, "0.00%u", i % 7);
        return;

    case 2: /* logits */
        sprintf(out, "%s%u.%07u", i % 3 ? "-" : "", draw(30), draw(10000000));
        return;

    case 3:
        if (i < 40) {
            strcpy(out, odd[draw(sizeof(odd) / sizeof(odd[0]))]);
            return;
        }

        /* fall through */

    default:
        sprintf(out, "%s%u.%09u%se%s%u", i & 1 ? "-" : "", draw(10),
                draw(1000000000), i & 4 ? "00000000000000000000001" : "",
                i & 2 ? "-" : "", draw(i & 2 ? 25 : 18));
    }
}


/* only what a distribution is made of, exactly 1 in sum */

static void
draw_shares(sample_t *sample, char (*texts)[TEXT_MAX])
{
    size_t    i;
    unsigned  left, share;

    left = 1000000;

    for (i = 0; i < sample->n; i++) {
        share = (i + 1 == sample->n) ? left
                                     : draw(2 * left
                                            / (unsigned) (sample->n - i) + 1);
        share = share > left ? left : share;
        left -= share;

        sprintf(texts[i], share == 1000000 ? "1" : "0.%06u", share);
    }
}


static void
sample_edit(sample_t *sample, int kind, uint32_t off, uint32_t len)
{
    modelguard_edit_t  *edit;

    edit = &sample->edits[sample->nedits++];

    memset(edit, 0, sizeof(modelguard_edit_t));

    edit->kind = (uint8_t) kind;
    edit->frame = FRAME;
    edit->off = off;
    edit->len = len;
    edit->link = MODELGUARD_EDIT_NONE;
}


/* a text of numbers, an edit for each, and ranges if wanted */

static void
sample_make(sample_t *sample, size_t n, int style, int ranges)
{
    char    (*texts)[TEXT_MAX];
    size_t    i, len;

    sample->n = n;
    sample->len = 0;
    sample->nedits = 0;
    sample->text = malloc((n + 1) * (TEXT_MAX + 1));
    sample->items = calloc(n + 1, sizeof(item_t));
    sample->edits = calloc(n * 3 + 1, sizeof(modelguard_edit_t));
    sample->at = calloc(n + 1, sizeof(uint32_t));

    texts = calloc(n + 1, TEXT_MAX);

    for (i = 0; i < n; i++) {
        draw_text(texts[i], style, n);
    }

    if (style == 5) {
        draw_shares(sample, texts);
    }

    for (i = 0; i < n; i++) {
        len = strlen(texts[i]);

        if (draw(10) == 0) {
            sample_edit(sample, MODELGUARD_EDIT_NUMBER,
                        (uint32_t) sample->len, (uint32_t) len);
            sample->edits[sample->nedits - 1].frame = FOREIGN;
        }

        if (ranges) {
            sample_edit(sample, MODELGUARD_EDIT_RANGE,
                        (uint32_t) sample->len, (uint32_t) len + 1);
            sample->edits[sample->nedits - 1].scaled = (int64_t) i;
        }

        sample->at[i] = sample->nedits;

        sample_edit(sample, MODELGUARD_EDIT_NUMBER, (uint32_t) sample->len,
                    (uint32_t) len);

        if (ranges) {
            sample->edits[sample->nedits - 1].link = sample->nedits - 2;
        }

        memcpy(sample->text + sample->len, texts[i], len);
        sample->len += len;
        sample->text[sample->len++] = '\0';
    }

    for (i = 0; i < n; i++) {
        sample->items[i].text = sample->text
                                + sample->edits[sample->at[i]].off;
    }

    free(texts);
}


static void
sample_free(sample_t *sample)
{
    free(sample->text);
    free(sample->items);
    free(sample->edits);
    free(sample->at);
}


static void
mix_treatments(const mix_t *mix, modelguard_treatment_t *treatment,
    treat_t *treat)
{
    char         *word, *copy, *words;
    size_t        i;
    const char   *error;

    modelguard_treatment_init(treatment);
    memset(treat, 0, sizeof(treat_t));

    copy = strdup(mix->name);

    for (word = strtok_r(copy, " ", &words); word != NULL;
         word = strtok_r(NULL, " ", &words))
    {
        if (strncmp(word, "min=", 4) == 0) {
            word = (char *) (uintptr_t) strstr(mix->name, "min=");
        }

        (void) modelguard_treatment_add(treatment, (uint8_t *) word,
                                        strcspn(word, " "), &error);
    }

    free(copy);

    treat->label_only = mix->label_only;
    treat->renormalize = mix->renormalize;
    treat->top = mix->top;
    treat->unit = 1;

    if (mix->round != 99) {
        treat->reduce = 1;
        treat->digits = mix->round;
    }

    if (mix->step != NULL) {
        treat->reduce = 1;
        treat->step = 1;
        treat->unit = 0;

        for (i = 0; mix->step[i]; i++) {

            if (mix->step[i] == '.') {
                treat->digits = (unsigned) strlen(mix->step + i + 1);

            } else {
                treat->unit = treat->unit * 10
                              + (uint64_t) (mix->step[i] - '0');
            }
        }
    }

    if (mix->min != NULL) {
        treat->min = 1;
        strcpy(treat->threshold, mix->min);
    }
}


/* the number of elements that are not as the oracle has them */

static unsigned
sample_compare(const sample_t *sample, int ranges)
{
    char                      wanted[DEC_TEXT];
    dec_t                     value;
    size_t                    i, len;
    uint8_t                   got[TEXT_MAX + MODELGUARD_NUMBER_PAD + 1];
    unsigned                  bad;
    const item_t             *item;
    const modelguard_edit_t  *edit;

    bad = 0;

    for (i = 0; i < sample->n; i++) {
        item = &sample->items[i];
        edit = &sample->edits[sample->at[i]];

        if (ranges) {
            bad += (sample->edits[edit->link].op == MODELGUARD_EDIT_CUT)
                   != item->hidden;

            if (item->hidden) {
                continue;
            }
        }

        len = modelguard_vector_text(edit, (uint8_t *) (uintptr_t) item->text,
                                     got);
        got[len] = '\0';

        if (item->raw) {
            bad += strcmp((char *) got, item->text) != 0;

        } else if (item->big || edit->op == MODELGUARD_EDIT_LOWEST) {
            dec_parse(&value, (char *) got);
            bad += dec_compare(&value, &item->sent) != 0;

        } else {
            dec_text(&item->sent, wanted);
            bad += strcmp((char *) got, wanted) != 0;
        }

        if (bad == 1) {
            dec_text(&item->sent, wanted);
            printf("# %zu of %zu: %s: got %s, not %s\n", i, sample->n,
                   item->text, got, wanted);
        }
    }

    return bad;
}


/* the kept values, in units of the last decimal, are 10^digits in sum */

static int
sample_sums_to_one(const sample_t *sample, unsigned digits)
{
    size_t   i;
    int64_t  sum, one;

    sum = 0;

    for (i = 0; i < sample->n; i++) {

        if (sample->edits[sample->at[i]].op == MODELGUARD_EDIT_SCALED) {
            sum += sample->edits[sample->at[i]].scaled;
        }
    }

    for (one = 1; digits; digits--) {
        one *= 10;
    }

    return sum == one;
}


static unsigned
test_sample(const mix_t *mix, size_t n, int style, int ranges)
{
    size_t                  i;
    treat_t                 treat;
    sample_t                sample;
    unsigned                bad;
    modelguard_edit_t      *edit;
    modelguard_vector_t     vector;
    modelguard_treatment_t  treatment;

    mix_treatments(mix, &treatment, &treat);
    sample_make(&sample, n, style, ranges);

    for (i = 0; i < sample.nedits; i++) {
        edit = &sample.edits[i];

        if (edit->kind == MODELGUARD_EDIT_NUMBER) {
            modelguard_vector_number(&treatment, edit,
                                     (uint8_t *) sample.text + edit->off,
                                     edit->len);
        }
    }

    vector.treatment = &treatment;
    vector.edits = sample.edits;
    vector.first = 0;
    vector.last = sample.nedits;
    vector.text = (uint8_t *) sample.text;
    vector.frame = FRAME;
    vector.ranges = (ranges != 0);

    modelguard_vector_decide(&vector);
    item_decide(sample.items, n, &treat, ranges);

    bad = sample_compare(&sample, ranges)
          + item_properties(sample.items, n, &treat, ranges);

    for (i = 0; i < sample.nedits; i++) {
        bad += sample.edits[i].frame == FOREIGN
               && sample.edits[i].op != MODELGUARD_EDIT_KEEP;
    }

    /* a vector of one is a number alone, unless it has ranges */

    if (mix->renormalize && style == 5 && mix->min == NULL
        && n > !ranges)
    {
        bad += !sample_sums_to_one(&sample, mix->round);
    }

    if (bad) {
        printf("# %s, %zu numbers, style %d, ranges %d\n", mix->name, n,
               style, ranges);
    }

    sample_free(&sample);

    return bad;
}


static void
test_mix(const mix_t *mix)
{
    int       style;
    size_t    i, n;
    unsigned  bad, count;

    static const size_t  sizes[] = { 98, 99, 100, 101, 1000, 5000 };

    bad = 0;
    count = 0;

    for (n = 0; n < 12 && bad < 9; n++) {

        for (i = 0; i < 6; i++) {

            for (style = 0; style < 6; style++, count += 2) {
                bad += test_sample(mix, n, style, 0) != 0;
                bad += test_sample(mix, n, style, 1) != 0;
            }
        }
    }

    for (i = 0; i < 6 && bad < 9; i++) {

        for (style = 0; style < (i < 4 ? 6 : 1); style++, count += 2) {
            bad += test_sample(mix, sizes[i], i < 4 ? style : (int) i, 0) != 0;
            bad += test_sample(mix, sizes[i] / (i == 5 ? 10 : 1),
                               i < 4 ? style : 1, 1) != 0;
        }
    }

    ok(bad == 0, "%s: %u vectors as the oracle has them", mix->name, count);
}


/* ranges of a parallel array follow those of the vector */

static void
test_parallel(void)
{
    size_t               n, i;
    unsigned             bad, cut, comma;
    modelguard_edit_t    edits[64];
    modelguard_vector_t  vector;

    bad = 0;

    for (cut = 0; cut < 1 << 5; cut++) {

        for (n = 0; n < 8; n++) {
            memset(edits, 0, sizeof(edits));

            for (i = 0; i < 5; i++) {
                edits[i].frame = FRAME;
                edits[i].scaled = (int64_t) i;
                edits[i].op = (cut >> i & 1) ? MODELGUARD_EDIT_CUT
                                             : MODELGUARD_EDIT_KEEP;
            }

            for (i = 0; i < n; i++) {
                edits[8 + i].frame = FRAME;
                edits[8 + i].scaled = (int64_t) i;
            }

            vector.edits = edits;
            vector.first = 0;
            vector.last = 5;
            vector.frame = FRAME;

            modelguard_vector_parallel(&vector, 8, (uint32_t) (8 + n), FRAME);

            comma = 0;

            for (i = 0; i < n; i++) {

                if (i < 5 && (cut >> i & 1)) {
                    bad += edits[8 + i].op != MODELGUARD_EDIT_CUT;
                    continue;
                }

                bad += edits[8 + i].op != (comma == 0 && i > 0
                                           ? MODELGUARD_EDIT_COMMA
                                           : MODELGUARD_EDIT_KEEP);
                comma = 1;
            }
        }
    }

    ok(bad == 0, "arrays in parallel, all ways to cut 5 of 0 to 7");
}


static void
test_text(void)
{
    size_t             i, len;
    uint8_t            out[64];
    unsigned           bad;
    modelguard_edit_t  edit;

    static const struct {
        uint8_t      op;
        const char  *text;
    } words[] = {
        { MODELGUARD_EDIT_KEEP, "1.2500" },
        { MODELGUARD_EDIT_CUT, "" },
        { MODELGUARD_EDIT_COMMA, "" },
        { MODELGUARD_EDIT_NULL, "null" },
        { MODELGUARD_EDIT_ZERO, "0" },
        { MODELGUARD_EDIT_ONE, "1" },
        { MODELGUARD_EDIT_SCALED, "-0.07" },
        { MODELGUARD_EDIT_ROUND, "1.25" },
        { MODELGUARD_EDIT_LOWEST, "-1e308" },
        { MODELGUARD_EDIT_NEG_INF, "-Infinity" }
    };

    bad = 0;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        memset(&edit, 0, sizeof(modelguard_edit_t));

        edit.op = words[i].op;
        edit.len = 6;
        edit.scaled = -7;
        edit.digits = 2;

        len = modelguard_vector_text(&edit, (const uint8_t *) "1.2500", out);

        bad += len != strlen(words[i].text)
               || memcmp(out, words[i].text, len) != 0;
    }

    ok(bad == 0, "the text of every kind of edit");
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < MIXES; i++) {
        test_mix(&mixes[i]);
    }

    test_parallel();
    test_text();

    return tap_done();
}
