
/*
 * Copyright (C) the modelguard authors
 *
 * The tokenizer: sequences of tokens however the input is cut, the public
 * conformance suite, and depth.
 */


#include <dirent.h>
#include <limits.h>

#include "tap.h"
#include "modelguard_json.h"


#define TEXT_MAX  8192


typedef struct {
    const char  *doc;
    const char  *tokens;             /* a letter and the text for each */
} json_case_t;


/*
 * { } [ ] as they are; k, s, n, l: a key, string, number, literal and its
 * text; "!": malformed, "~": truncated, "^": too deep.
 */

static const json_case_t  cases[] = {
    { "{}", "{ }" },
    { " [ ] ", "[ ]" },
    { "[[],{}]", "[ [ ] { } ]" },
    { "0", "n0" },
    { " -0.0e-0 ", "n-0.0e-0" },
    { "1E+23", "n1E+23" },
    { "123456789012345678901234567890", "n123456789012345678901234567890" },
    { "[-1,2.50,3e4]", "[ n-1 n2.50 n3e4 ]" },
    { "[NaN,Infinity,-Infinity]", "[ nNaN nInfinity n-Infinity ]" },
    { "[true , false\n,\tnull\r]", "[ ltrue lfalse lnull ]" },
    { "{\"a\":1,\"b\" : [\"c\"]}", "{ k\"a\" n1 k\"b\" [ s\"c\" ] }" },
    { "{\"\":\"\"}", "{ k\"\" s\"\" }" },
    { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\uDE00\"",
      "s\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\uDE00\"" },
    { "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
      "s\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
    { "[\"a long string with nothing in it but plain bytes\",1]",
      "[ s\"a-long-string-with-nothing-in-it-but-plain-bytes\" n1 ]" },
    { "[1234567890123456789012345678901234567890.5]",
      "[ n1234567890123456789012345678901234567890.5 ]" },

    { "", "~" },
    { " ", "~" },
    { "[", "[ ~" },
    { "[1", "[ n1 ~" },
    { "{\"a\"", "{ k\"a\" ~" },
    { "{\"a\":", "{ k\"a\" ~" },
    { "\"abc", "~" },
    { "[1,", "[ n1 ~" },
    { "[1,]", "[ n1 !" },
    { "[,1]", "[ !" },
    { "[1 2]", "[ n1 !" },
    { "{,}", "{ !" },
    { "{\"a\":1,}", "{ k\"a\" n1 !" },
    { "{\"a\" 1}", "{ k\"a\" !" },
    { "{\"a\",1}", "{ k\"a\" !" },
    { "{1:1}", "{ !" },
    { "{\"a\":}", "{ k\"a\" !" },
    { "[}", "[ !" },
    { "{]", "{ !" },
    { "{\"a\"}", "{ k\"a\" !" },
    { "]", "!" },
    { "[]]", "[ ] !" },
    { "{} {}", "{ } !" },
    { "1 2", "n1 !" },
    { "1,", "n1 !" },
    { ":", "!" },
    { "01", "n0 !" },
    { "-", "!" },
    { "-a", "!" },
    { "+1", "!" },
    { ".5", "!" },
    { "1.", "!" },
    { "1.e1", "!" },
    { "1e", "!" },
    { "1e+", "!" },
    { "1e+-1", "!" },
    { "--1", "!" },
    { "0x1", "n0 !" },
    { "-NaN", "!" },
    { "+Infinity", "!" },
    { "nan", "!" },
    { "infinity", "!" },
    { "Inf", "!" },
    { "NaNa", "nNaN !" },
    { "-Infinit ", "!" },
    { "True", "!" },
    { "tru", "!" },
    { "truex", "ltrue !" },
    { "nul1", "!" },
    { "'a'", "!" },
    { "\"\\x\"", "!" },
    { "\"\\u12g4\"", "!" },
    { "\"\\u123\"", "!" },
    { "\"\\U0041\"", "!" },
    { "\"a\nb\"", "!" },
    { "\"a\tb\"", "!" },
    { "\"\x1f\"", "!" },
    { "\"\x7f\"", "s\"\x7f\"" },
    { "\"\x80\"", "!" },
    { "\"\xc3(\"", "!" },
    { "\"\xed\xa0\x80\"", "!" },
    { "\"\xf4\x90\x80\x80\"", "!" },
    { "\xef\xbb\xbf{}", "!" },
    { "/**/1", "!" },
    { "[1]\v", "[ n1 ] !" },
    { "[\f1]", "[ !" },
    { "[[[[[[[[[]]]]]]]]]", "[ [ [ [ [ [ [ [ ^" }
};

#define CASES  (sizeof(cases) / sizeof(cases[0]))


typedef struct {
    size_t  n;
    int     rc;
    char    text[TEXT_MAX];          /* the tokens as in the cases */
    size_t  part;                    /* of text: the token that is cut */
} json_tokens_t;


static void
tokens_put(json_tokens_t *tokens, const uint8_t *from, const uint8_t *to)
{
    for ( /* void */ ; from < to && tokens->n < TEXT_MAX - 8; from++) {
        tokens->text[tokens->n++] = (char) (*from == ' ' ? '-' : *from);
    }
}


static void
tokens_begin(json_tokens_t *tokens, char c)
{
    if (tokens->n && tokens->n < TEXT_MAX - 8) {
        tokens->text[tokens->n++] = ' ';
    }

    tokens->text[tokens->n++] = c;
}


/* what there is in one piece; returns what ended it */

static int
tokens_read(json_tokens_t *tokens, modelguard_json_t *json,
    const uint8_t *piece)
{
    int             rc;
    const uint8_t  *start;

    static const char  letters[] = " {}[]ksnl";

    for ( ;; ) {
        rc = modelguard_json_next(json);
        start = json->start != NULL ? json->start : piece;

        if (rc == MODELGUARD_AGAIN) {

            if (json->partial) {

                if (json->start != NULL) {
                    tokens_begin(tokens, letters[json->partial]);
                }

                tokens_put(tokens, start, json->end);
            }

            return rc;
        }

        if (rc != MODELGUARD_OK) {
            return rc;
        }

        if (json->start != NULL) {
            tokens_begin(tokens, letters[json->type]);
        }

        if (json->type >= MODELGUARD_JSON_KEY) {
            tokens_put(tokens, start, json->stop);
        }
    }
}


/*
 * All tokens of a document cut behind "first" bytes and then every "step";
 * a token that was begun but not completed is taken back.
 */

static void
tokens_run(json_tokens_t *tokens, const void *doc, size_t len, size_t first,
    size_t step)
{
    int                rc;
    char              *last;
    size_t             at, n;
    uint8_t           *copy;
    modelguard_json_t  json;

    modelguard_json_init(&json, 8);

    tokens->n = 0;
    rc = MODELGUARD_AGAIN;

    for (at = 0; at < len && rc == MODELGUARD_AGAIN; at += n) {
        n = (at == 0 && first) ? first : step;
        n = n < len - at ? n : len - at;

        copy = guard_copy((const uint8_t *) doc + at, n);

        modelguard_json_feed(&json, copy, n);
        rc = tokens_read(tokens, &json, copy);

        guard_free(copy, n);
    }

    if (rc == MODELGUARD_AGAIN) {
        modelguard_json_feed(&json, (const uint8_t *) " ", 1);
        rc = tokens_read(tokens, &json, json.p);
    }

    tokens->text[tokens->n] = '\0';

    if (json.partial) {

        /* no token in the cases has a space: take back what was begun */

        last = strrchr(tokens->text, ' ');
        tokens->n = (json.start == NULL && len && last != NULL)
                    ? (size_t) (last - tokens->text) : tokens->n;
    }

    tokens->rc = (rc == MODELGUARD_AGAIN) ? modelguard_json_finish(&json)
                                          : rc;

    if (modelguard_json_finish(&json) != tokens->rc
        || (rc != MODELGUARD_AGAIN && modelguard_json_next(&json) != rc))
    {
        tokens->rc = -1;
    }
}


/* the sequence of the cases from what was read */

static int
tokens_match(const json_tokens_t *tokens, const char *wanted)
{
    int          rc;
    char         end;
    size_t       n;

    n = strlen(wanted);
    end = n ? wanted[n - 1] : ' ';

    rc = (end == '!') ? MODELGUARD_MALFORMED
                      : (end == '~') ? MODELGUARD_TRUNCATED
                                     : (end == '^') ? MODELGUARD_TOO_DEEP
                                                    : MODELGUARD_OK;

    if (rc != MODELGUARD_OK) {
        n--;

        while (n && wanted[n - 1] == ' ') {
            n--;
        }
    }

    /* behind the last token may stand the beginning of one that is bad */

    return tokens->rc == rc && tokens->n >= n
           && memcmp(tokens->text, wanted, n) == 0
           && (rc == MODELGUARD_OK ? tokens->n == n
                                   : tokens->n == n || n == 0
                                     || tokens->text[n] == ' ');
}


static void
test_cases(void)
{
    size_t          i, at, len;
    unsigned        bad;
    json_tokens_t   tokens;

    for (i = 0; i < CASES; i++) {
        len = strlen(cases[i].doc);
        bad = 0;

        for (at = 0; at <= len; at++) {
            tokens_run(&tokens, cases[i].doc, len, at, at ? len : 1);

            if (!tokens_match(&tokens, cases[i].tokens)) {
                bad++;
                tokens.text[tokens.n] = '\0';
                printf("# cut at %zu: rc %d: %s for %s\n", at, tokens.rc,
                       tokens.text, cases[i].tokens);
            }
        }

        ok(bad == 0, "tokens of %s", cases[i].tokens);
    }
}


/* whether a document is accepted, in pieces of "step" bytes */

static int
accepts(const uint8_t *doc, size_t len, size_t step, unsigned depth)
{
    int                rc;
    size_t             at, n;
    uint8_t           *copy;
    modelguard_json_t  json;

    modelguard_json_init(&json, depth);

    rc = MODELGUARD_AGAIN;

    for (at = 0; at <= len && rc == MODELGUARD_AGAIN; at += n) {
        n = (at == len) ? 1 : (step < len - at) ? step : len - at;
        copy = guard_copy(at == len ? (const uint8_t *) " " : doc + at, n);

        modelguard_json_feed(&json, copy, n);

        while ((rc = modelguard_json_next(&json)) == MODELGUARD_OK) {
            /* void */
        }

        guard_free(copy, n);
    }

    return rc == MODELGUARD_AGAIN ? modelguard_json_finish(&json) : rc;
}


/* the decisions that RFC 8259 leaves to us: what is accepted of i_* */

static const char  *accepted[] = {
    "i_number_double_huge_neg_exp.json",
    "i_number_huge_exp.json",
    "i_number_neg_int_huge_exp.json",
    "i_number_pos_double_huge_exp.json",
    "i_number_real_neg_overflow.json",
    "i_number_real_pos_overflow.json",
    "i_number_real_underflow.json",
    "i_number_too_big_neg_int.json",
    "i_number_too_big_pos_int.json",
    "i_number_very_big_negative_int.json",
    "i_object_key_lone_2nd_surrogate.json",
    "i_string_1st_surrogate_but_2nd_missing.json",
    "i_string_1st_valid_surrogate_2nd_invalid.json",
    "i_string_incomplete_surrogate_and_escape_valid.json",
    "i_string_incomplete_surrogate_pair.json",
    "i_string_incomplete_surrogates_escape_valid.json",
    "i_string_invalid_lonely_surrogate.json",
    "i_string_invalid_surrogate.json",
    "i_string_inverted_surrogates_U+1D11E.json",
    "i_string_lone_second_surrogate.json",
    "i_structure_500_nested_arrays.json",

    /* TensorFlow Serving's */

    "n_number_NaN.json",
    "n_number_infinity.json",
    "n_number_minus_infinity.json"
};


static int
is_accepted(const char *name)
{
    size_t  i;

    for (i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {

        if (strcmp(accepted[i], name) == 0) {
            return 1;
        }
    }

    return name[0] == 'y';
}


static uint8_t *
read_file(const char *dir, const char *name, size_t *len)
{
    FILE     *file;
    char      path[PATH_MAX + NAME_MAX + 2];
    uint8_t  *data;

    snprintf(path, sizeof(path), "%s/%s", dir, name);

    file = fopen(path, "rb");
    data = malloc(1 << 20);
    *len = file != NULL ? fread(data, 1, 1 << 20, file) : 0;

    if (file != NULL) {
        fclose(file);
    }

    return data;
}


static void
test_suite(void)
{
    int             rc, good;
    DIR            *dir;
    char            path[PATH_MAX];
    size_t          len;
    uint8_t        *doc;
    unsigned        bad[3], n[3], kind;
    const char     *corpus;
    struct dirent  *entry;

    corpus = getenv("MODELGUARD_CORPUS");

    snprintf(path, sizeof(path), "%s/json/JSONTestSuite/test_parsing",
             corpus != NULL ? corpus : "../shared/corpus");

    dir = opendir(path);

    if (dir == NULL) {
        tap_count++;
        printf("ok %u - # SKIP corpus not found\n", tap_count);
        return;
    }

    memset(bad, 0, sizeof(bad));
    memset(n, 0, sizeof(n));

    for (entry = readdir(dir); entry != NULL; entry = readdir(dir)) {

        if (strstr(entry->d_name, ".json") == NULL) {
            continue;
        }

        kind = entry->d_name[0] == 'y' ? 0 : entry->d_name[0] == 'n' ? 1 : 2;
        doc = read_file(path, entry->d_name, &len);

        rc = accepts(doc, len, len + 1, MODELGUARD_JSON_DEPTH_MAX);
        good = (rc == MODELGUARD_OK) == is_accepted(entry->d_name);

        /* hundreds of thousands of brackets end at the limit anyway */

        good = good && accepts(doc, len, 1, MODELGUARD_JSON_DEPTH_MAX) == rc;
        good = good && accepts(doc, len, 7, MODELGUARD_JSON_DEPTH_MAX) == rc;

        n[kind]++;

        if (!good) {
            bad[kind]++;
            printf("# %s: rc %d\n", entry->d_name, rc);

        } else if (kind == 2) {
            printf("# %s %s\n", rc == MODELGUARD_OK ? "accepted" : "refused ",
                   entry->d_name);
        }

        free(doc);
    }

    closedir(dir);

    ok(bad[0] == 0 && n[0] >= 95, "%u of y_* are accepted", n[0]);
    ok(bad[1] == 0 && n[1] >= 187, "%u of n_* are refused, but the three "
       "bare words", n[1]);
    ok(bad[2] == 0 && n[2] >= 35, "%u of i_* are as decided", n[2]);
}


/* arrays, objects, or one in the other */

static size_t
nest(char *out, size_t depth, int kind)
{
    char    *p;
    size_t   i;

    p = out;

    for (i = 0; i < depth; i++) {
        p += sprintf(p, "%s", kind == 2 || (kind == 3 && (i & 1)) ? "{\"a\":"
                                                                  : "[");
    }

    *p++ = '1';

    for (i = depth; i > 0; i--) {
        *p++ = kind == 2 || (kind == 3 && !(i & 1)) ? '}' : ']';
    }

    return (size_t) (p - out);
}


static void
test_depth(void)
{
    int       rc, kind;
    size_t    i, depth, len;
    uint8_t  *doc;
    unsigned  bad;

    static const unsigned  limits[] = { 1, 2, 63, 64, 65, 127, 128, 511, 512 };

    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        bad = 0;

        for (depth = limits[i] - 1; depth <= limits[i] + 1; depth++) {
            doc = malloc(depth * 8 + 8);

            for (kind = 1; kind <= 3; kind++) {
                len = nest((char *) doc, depth, kind);
                rc = accepts(doc, len, kind == 1 ? 1 : len, limits[i]);

                bad += rc != (depth > limits[i] ? MODELGUARD_TOO_DEEP
                                                : MODELGUARD_OK);
            }

            free(doc);
        }

        ok(bad == 0, "a depth of %u", limits[i]);
    }
}


int
main(void)
{
    test_cases();
    test_suite();
    test_depth();

    return tap_done();
}
