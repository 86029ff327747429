
/*
 * Copyright (C) the modelguard authors
 *
 * The syntax of field paths: what is read from good ones, where and why bad
 * ones are refused, and every bound.
 */


#include "tap.h"
#include "modelguard_path.h"


typedef struct {
    const char  *text;
    const char  *steps;    /* as path_print() writes them */
} path_good_t;


typedef struct {
    const char  *text;
    size_t       at;
    const char  *error;
} path_bad_t;


static const path_good_t  path_good[] = {
    { "$", "" },
    { "$.a", " m(a)" },
    { "a", " m(a)" },
    { "a.b", " m(a) m(b)" },
    { "$.a.b", " m(a) m(b)" },
    { "choices[*].logprobs", " m(choices) [*] m(logprobs)" },
    { "$.choices[*].logprobs", " m(choices) [*] m(logprobs)" },
    { "$.*", " *" },
    { "$.**", " **" },
    { "$.**.**.a", " ** ** m(a)" },
    { "$.**[*][0]", " ** [*] [0]" },
    { "$[0]", " [0]" },
    { "$[007]", " [7]" },
    { "$[*]", " [*]" },
    { "$[*][*]", " [*] [*]" },
    { "a[12][3].b", " m(a) [12] [3] m(b)" },
    { "$[\"a\"]", " m(a)" },
    { "$[\"\"]", " m()" },
    { "$[\"\"].a", " m() m(a)" },
    { "$[\"a.b[0] ~*\"]", " m(a.b[0] ~*)" },
    { "$[\"*\"]", " m(*)" },
    { "$[\"**\"].x", " m(**) m(x)" },
    { "$[\"a\\\"b\\\\c\"]", " m(a\"b\\c)" },
    { "$[\"]\"]", " m(])" },
    { "$.~^a", " r(^a)" },
    { "$.~^a.*\\d[\"x\"]~ $", " r(^a.*\\d[\"x\"]~ $)" },
    { "a.~b", " m(a) r(b)" },
    { "a[*].~.", " m(a) [*] r(.)" },
    { "$[~\"^a\\\\d\\\"$\"].b", " r(^a\\d\"$) m(b)" },
    { "a[~\"x\"][~\"y\"][1]", " m(a) r(x) r(y) [1]" },
    { "$.a*b", " m(a*b)" },
    { "$.***", " m(***)" },
    { "a*", " m(a*)" },
    { "***", " m(***)" },
    { "$.$ref", " m($ref)" },
    { "$.0", " m(0)" },
    { "-1", " m(-1)" },
    { "$.a\\b", " m(a\\b)" },
    { "\xc3\xa9t\xc3\xa9.x", " m(\xc3\xa9t\xc3\xa9) m(x)" },
    { "$.a$", " m(a$)" },
    { "data.ndarray[*].t:proba", " m(data) m(ndarray) [*] m(t:proba)" }
};


static const char  path_begin[] = "a path begins with \"$\" or a bare name";
static const char  path_next[] = "\".\" or \"[\" expected";
static const char  path_quote[] =
                          "a name with this character must be in [\"quotes\"]";
static const char  path_bracket[] =
                              "\"*\", an index or a \"quoted\" name expected";
static const char  path_escape[] = "only \\\" and \\\\ are escapes";


static const path_bad_t  path_bad[] = {
    { "", 0, "empty path" },
    { ".", 0, path_begin },
    { ".a", 0, path_begin },
    { "*", 0, path_begin },
    { "**", 0, path_begin },
    { "*.a", 0, path_begin },
    { "**.a", 0, path_begin },
    { "**[0]", 0, path_begin },
    { "[0]", 0, path_begin },
    { "[\"a\"]", 0, path_begin },
    { "]", 0, path_begin },
    { "\"a\"", 0, path_begin },
    { "~a", 0, path_begin },
    { " a", 0, path_begin },
    { "$a", 1, path_next },
    { "$$", 1, path_next },
    { "$*", 1, path_next },
    { "$ ", 1, path_next },
    { "$]", 1, path_next },
    { "$~a", 1, path_next },
    { "$.", 2, "name expected" },
    { "$..a", 2, "name expected" },
    { "$.a.", 4, "name expected" },
    { "$.a..b", 4, "name expected" },
    { "$.[0]", 2, "name expected" },
    { "a.", 2, "name expected" },
    { "$.a b", 3, path_quote },
    { "a b", 1, path_quote },
    { "$.a]", 3, path_quote },
    { "$.a\"", 3, path_quote },
    { "$.\"a\"", 2, path_quote },
    { "$.a~b", 3, path_quote },
    { "$.*~", 3, path_quote },
    { "$. a", 2, path_quote },
    { "$.a ", 3, path_quote },
    { "$.~", 3, "empty pattern" },
    { "a.b.~", 5, "empty pattern" },
    { "$[", 1, "unclosed bracket" },
    { "a.b[", 3, "unclosed bracket" },
    { "$[*", 1, "unclosed bracket" },
    { "$[0", 1, "unclosed bracket" },
    { "$[\"a\"", 1, "unclosed bracket" },
    { "$[~\"a\"", 1, "unclosed bracket" },
    { "$[]", 2, path_bracket },
    { "$[a]", 2, path_bracket },
    { "$[-1]", 2, path_bracket },
    { "$[ 0]", 2, path_bracket },
    { "$['a']", 2, path_bracket },
    { "$[**]", 3, "\"]\" expected" },
    { "$[0 ]", 3, "\"]\" expected" },
    { "$[0a]", 3, "\"]\" expected" },
    { "$[1:2]", 3, "\"]\" expected" },
    { "$[\"a\" ]", 5, "\"]\" expected" },
    { "$[\"a\"b\"]", 5, "\"]\" expected" },
    { "$[~a]", 3, "quote expected" },
    { "$[~", 3, "quote expected" },
    { "$[~]", 3, "quote expected" },
    { "$[~\"\"]", 3, "empty pattern" },
    { "$[\"", 2, "unclosed quote" },
    { "$[\"a]", 2, "unclosed quote" },
    { "$[\"a\\", 2, "unclosed quote" },
    { "$[\"a\\\"]", 2, "unclosed quote" },
    { "$[~\"a", 3, "unclosed quote" },
    { "$[\"a\\n\"]", 4, path_escape },
    { "$[\"\\u0041\"]", 3, path_escape },
    { "$[~\"\\d\"]", 4, path_escape },
    { "$[0]a", 4, path_next },
    { "$[0]]", 4, path_next },
    { "$[*]*", 4, path_next },
    { "$[\"a\"]b", 6, path_next },
    { "$[65536]", 2, "index over 65535" },
    { "$[99999999999999999999]", 2, "index over 65535" },
    { "a[4294967296]", 2, "index over 65535" }
};


static void
path_print(const modelguard_path_t *path, char *out)
{
    int                            n;
    char                           kind;
    unsigned                       i;
    const modelguard_path_step_t  *step;

    *out = '\0';

    for (i = 0; i < path->n; i++) {
        step = &path->steps[i];
        kind = 'm';
        n = 0;

        switch (step->kind) {

        case MODELGUARD_PATH_ANY_MEMBER:
            n = sprintf(out, " *");
            break;

        case MODELGUARD_PATH_ANY_DEPTH:
            n = sprintf(out, " **");
            break;

        case MODELGUARD_PATH_ANY_ELEMENT:
            n = sprintf(out, " [*]");
            break;

        case MODELGUARD_PATH_INDEX:
            n = sprintf(out, " [%u]", (unsigned) step->index);
            break;

        case MODELGUARD_PATH_REGEX:
            kind = 'r';

            /* fall through */

        case MODELGUARD_PATH_MEMBER:
            n = sprintf(out, " %c(%.*s)", kind, (int) step->name.len,
                        (const char *) step->name.data);
            break;
        }

        out += n;
    }
}


/* parses a copy that ends at a guard page and is gone afterwards */

static int
path_parse(modelguard_path_t *path, const void *text, size_t len,
    const char **error, size_t *at)
{
    int             rc;
    unsigned char  *copy;

    *error = NULL;
    *at = 9999;
    memset(path, 0xa5, sizeof(modelguard_path_t));

    copy = guard_copy(text, len);
    rc = modelguard_path_parse(path, copy, len, error, at);
    guard_free(copy, len);

    return rc;
}


static void
path_test_good(void)
{
    int                rc;
    char               out[4096];
    size_t             i, at, j, owned;
    const char        *error;
    modelguard_path_t  path;

    for (i = 0; i < sizeof(path_good) / sizeof(path_good[0]); i++) {
        rc = path_parse(&path, path_good[i].text, strlen(path_good[i].text),
                        &error, &at);

        ok(rc == MODELGUARD_OK, "\"%s\" is a path%s%s", path_good[i].text,
           error ? ": " : "", error ? error : "");

        if (rc != MODELGUARD_OK) {
            continue;
        }

        path_print(&path, out);
        owned = 0;

        for (j = 0; j < path.n; j++) {
            owned += path.steps[j].regex == NULL
                     && path.steps[j].name.data >= path.names
                     && path.steps[j].name.data + path.steps[j].name.len
                        <= path.names + path.size;
        }

        ok(strcmp(out, path_good[i].steps) == 0 && owned == path.n
           && error == NULL && at == 9999,
           "\"%s\" has the steps%s", path_good[i].text, out);
    }
}


static void
path_test_bad(void)
{
    int                rc;
    size_t             i, at;
    const char        *error;
    modelguard_path_t  path;

    for (i = 0; i < sizeof(path_bad) / sizeof(path_bad[0]); i++) {
        rc = path_parse(&path, path_bad[i].text, strlen(path_bad[i].text),
                        &error, &at);

        ok(rc == MODELGUARD_INVALID && error != NULL
           && strcmp(error, path_bad[i].error) == 0 && at == path_bad[i].at,
           "\"%s\" is refused at %u: %s (got %d, %u: %s)", path_bad[i].text,
           (unsigned) path_bad[i].at, path_bad[i].error, rc, (unsigned) at,
           error ? error : "nothing");
    }
}


/* any bytes but the closing quote are a name, zero included */

static void
path_test_bytes(void)
{
    size_t             at;
    uint8_t            text[16];
    unsigned           c, quoted, bare;
    const char        *error;
    modelguard_path_t  path;

    quoted = 0;
    bare = 0;

    for (c = 0; c < 256; c++) {
        memcpy(text, "$[\"x?y\"]", 8);
        text[4] = (uint8_t) c;

        if (path_parse(&path, text, 8, &error, &at) == MODELGUARD_OK
            && path.n == 1 && path.steps[0].name.len == 3
            && path.steps[0].name.data[1] == c)
        {
            quoted++;
        }

        memcpy(text, "$.x?y", 5);
        text[3] = (uint8_t) c;

        if (path_parse(&path, text, 5, &error, &at) == MODELGUARD_OK
            && path.n == 1 && path.steps[0].name.len == 3
            && path.steps[0].name.data[1] == c)
        {
            bare++;
        }
    }

    ok(quoted == 256 - 2, "254 bytes stand for themselves in quotes (%u)",
       quoted);
    ok(bare == 256 - 9, "247 bytes stand for themselves in a name (%u)", bare);
}


static void
path_test_steps(void)
{
    int                rc;
    char               text[256];
    size_t             i, n, k, at, len, step;
    const char        *error;
    modelguard_path_t  path;

    static const char *const  kinds[] = {
        ".a", ".*", ".**", "[*]", "[0]", "[\"a\"]", "[~\"a\"]"
    };

    for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        step = strlen(kinds[k]);

        for (n = 15; n <= 17; n++) {
            text[0] = '$';
            len = 1;

            for (i = 0; i < n; i++) {
                memcpy(text + len, kinds[k], step);
                len += step;
            }

            rc = path_parse(&path, text, len, &error, &at);

            if (n <= MODELGUARD_PATH_STEPS_MAX) {
                ok(rc == MODELGUARD_OK && path.n == n, "%u steps %s",
                   (unsigned) n, kinds[k]);

            } else {
                ok(rc == MODELGUARD_INVALID
                   && strcmp(error, "more than 16 steps") == 0
                   && at == 1 + 16 * step + (kinds[k][0] == '.'),
                   "%u steps %s are too many", (unsigned) n, kinds[k]);
            }
        }
    }

    for (n = 14; n <= 16; n++) {
        text[0] = 'a';
        len = 1;

        for (i = 0; i < n; i++) {
            memcpy(text + len, "[1]", 3);
            len += 3;
        }

        memcpy(text + len, ".~r", 3);
        rc = path_parse(&path, text, len + 3, &error, &at);

        ok(n == 14 ? rc == MODELGUARD_OK && path.n == 16
                   : rc == MODELGUARD_INVALID
                     && strcmp(error, "more than 16 steps") == 0
                     && at == (n == 15 ? len : len - 3),
           "a bare name, %u indexes and a pattern", (unsigned) n);
    }
}


/* the three ways to write a name, and the two of a pattern */

static void
path_test_name_len(void)
{
    int                rc, regex;
    char               text[600];
    size_t             i, k, n, at, head, tail;
    const char        *error;
    modelguard_path_t  path;

    static const char *const  forms[][3] = {
        { "", "x", "" }, { "$.", "x", "" }, { "$[\"", "x", "\"]" },
        { "$[\"", "\\\"", "\"]" }, { "$.~", "x", "" },
        { "$[~\"", "x", "\"]" }, { "$[~\"", "\\\\", "\"]" }
    };

    static const size_t  starts[] = { 0, 2, 2, 2, 3, 3, 3 };

    for (k = 0; k < sizeof(forms) / sizeof(forms[0]); k++) {
        regex = strchr(forms[k][0], '~') != NULL;

        for (n = 254; n <= 256; n++) {
            head = strlen(forms[k][0]);
            memcpy(text, forms[k][0], head);

            for (i = 0; i < n; i++) {
                memcpy(text + head, forms[k][1], strlen(forms[k][1]));
                head += strlen(forms[k][1]);
            }

            tail = strlen(forms[k][2]);
            memcpy(text + head, forms[k][2], tail);

            rc = path_parse(&path, text, head + tail, &error, &at);

            if (n <= MODELGUARD_PATH_NAME_MAX) {
                ok(rc == MODELGUARD_OK && path.n == 1
                   && path.steps[0].name.len == n && path.size == n,
                   "%s%s%s of %u bytes", forms[k][0], forms[k][1],
                   forms[k][2], (unsigned) n);

            } else {
                ok(rc == MODELGUARD_INVALID && at == starts[k]
                   && strcmp(error, regex ? "pattern longer than 255 bytes"
                                          : "name longer than 255 bytes") == 0,
                   "%s%s%s of %u bytes is too long", forms[k][0],
                   forms[k][1], forms[k][2], (unsigned) n);
            }
        }
    }
}


static void
path_test_names(void)
{
    int                rc;
    char               text[1200];
    size_t             i, k, n, at, len;
    const char        *error;
    modelguard_path_t  path;

    static const char *const  last[] = { ".", ".~", "[\"" };

    /* five names of 200 bytes and one of the rest */

    for (k = 0; k < 3; k++) {
        for (n = 23; n <= 25; n++) {
            text[0] = '$';
            len = 1;

            for (i = 0; i < 5; i++) {
                text[len] = '.';
                memset(text + len + 1, 'a' + (int) i, 200);
                len += 201;
            }

            i = strlen(last[k]);
            memcpy(text + len, last[k], i);
            memset(text + len + i, 'z', n);
            memcpy(text + len + i + n, "\"]", 2);

            rc = path_parse(&path, text, len + i + n + (k == 2 ? 2 : 0),
                            &error, &at);

            if (n <= 24) {
                ok(rc == MODELGUARD_OK && path.n == 6
                   && path.size == 1000 + n
                   && path.steps[5].name.data[n - 1] == 'z',
                   "names of %u bytes together, the last after %s",
                   (unsigned) (1000 + n), last[k]);

            } else {
                ok(rc == MODELGUARD_INVALID && at == len + (k == 2 ? 1 : i)
                   && strcmp(error, "names longer than 1024 bytes together")
                      == 0,
                   "names of 1025 bytes together, the last after %s",
                   last[k]);
            }
        }
    }

    /* a step without a name fits after 1024 bytes of names */

    memcpy(text + 1006 + 1 + 24, "[*][0].*[\"\"]", 12);
    text[1006] = '.';
    memset(text + 1007, 'y', 24);

    rc = path_parse(&path, text, 1006 + 1 + 24 + 12, &error, &at);

    ok(rc == MODELGUARD_OK && path.n == 10 && path.size == 1024,
       "steps without names after 1024 bytes of names");
}


static void
path_test_index(void)
{
    int                rc;
    char               text[32];
    size_t             at;
    uint32_t           i, good;
    const char        *error;
    modelguard_path_t  path;

    good = 0;

    for (i = 0; i <= MODELGUARD_PATH_INDEX_MAX + 1; i++) {
        sprintf(text, "$[%u]", (unsigned) i);
        error = NULL;

        rc = modelguard_path_parse(&path, (uint8_t *) text, strlen(text),
                                   &error, &at);

        if (rc == MODELGUARD_OK && path.steps[0].index == i) {
            good++;
        }

        if (i >= 65534) {
            ok(i <= 65535 ? rc == MODELGUARD_OK && path.steps[0].index == i
                          : rc == MODELGUARD_INVALID && at == 2,
               "index %u", (unsigned) i);
        }
    }

    ok(good == 65536, "65536 indexes (%u)", (unsigned) good);
}


static void
path_test_equal(void)
{
    size_t             i, j, at;
    unsigned           bad;
    const char        *error;
    modelguard_path_t  a, b;

    static const char *const  steps[] = {
        "$.a", "$.b", "$.aa", "$[\"\"]", "$.*", "$.**", "$[*]", "$[0]",
        "$[1]", "$.~a", "$.~b", "$[\"*\"]", "$[\"**\"]"
    };

    bad = 0;

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        for (j = 0; j < sizeof(steps) / sizeof(steps[0]); j++) {
            (void) path_parse(&a, steps[i], strlen(steps[i]), &error, &at);
            (void) path_parse(&b, steps[j], strlen(steps[j]), &error, &at);

            a.steps[0].regex = &a;
            b.steps[0].regex = &b;

            if (modelguard_path_step_equal(&a.steps[0], &b.steps[0])
                != (i == j))
            {
                bad++;
            }
        }
    }

    ok(bad == 0, "13 x 13 steps are equal to themselves only");

    (void) path_parse(&a, "$[\"a\"]", 6, &error, &at);
    (void) path_parse(&b, "a", 1, &error, &at);
    ok(modelguard_path_step_equal(&a.steps[0], &b.steps[0]),
       "a quoted name equals the bare one");

    (void) path_parse(&a, "$[~\"a\"]", 7, &error, &at);
    (void) path_parse(&b, "$.~a", 4, &error, &at);
    ok(modelguard_path_step_equal(&a.steps[0], &b.steps[0]),
       "a quoted pattern equals the bare one");
}


/* random texts of the grammar's bytes: no crash, the bounds hold */

static void
path_test_random(void)
{
    int                rc;
    size_t             at, len;
    uint8_t            text[40];
    unsigned           i, k, bad, good;
    uint32_t           seed;
    const char        *error;
    modelguard_path_t  path;

    static const char  bytes[] = "$..[[]]\"\"~**a0b1 \\";

    seed = 20240501;
    bad = 0;
    good = 0;

    for (i = 0; i < 200000; i++) {
        seed = seed * 1664525 + 1013904223;
        len = (seed >> 16) % 12;

        for (k = 0; k < len; k++) {
            seed = seed * 1664525 + 1013904223;
            text[k] = (uint8_t) bytes[(seed >> 16) % (sizeof(bytes) - 1)];
        }

        error = NULL;
        at = 9999;
        rc = modelguard_path_parse(&path, text, len, &error, &at);

        if (rc == MODELGUARD_OK) {
            good++;
            bad += path.n > 16 || path.size > len || error != NULL;

        } else {
            bad += rc != MODELGUARD_INVALID || error == NULL || at > len;
        }
    }

    ok(bad == 0 && good > 1000, "200000 random texts, %u are paths", good);
}


int
main(void)
{
    path_test_good();
    path_test_bad();
    path_test_bytes();
    path_test_steps();
    path_test_name_len();
    path_test_names();
    path_test_index();
    path_test_equal();
    path_test_random();

    return tap_done();
}
