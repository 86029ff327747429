
/*
 * Copyright (C) the modelguard authors
 *
 * A fuzz target: parameters, a line feed, and a body.
 *
 *     $.n max=1; $.a.b set=true when=$.stream; $.input items
 *
 *     every cut gives the same verdict, items and edits
 *     what comes out is JSON, and has no parameter that is refused
 *     and taken once more it comes to the same
 */


#include "fuzz_json.h"
#include "fuzz_oracle.h"
#include "rewrite_kit.h"
#include "modelguard_inspect.h"


#define DEPTH  32
#define SPEC   400


typedef struct {
    modelguard_param_t         list[MODELGUARD_PARAM_MAX];
    size_t                     n;
    const modelguard_path_t   *items[MODELGUARD_PARAM_MAX];
    size_t                     nitems;
    int                        when;
    int                        moves;    /* what is dropped has an index */
    modelguard_params_t       *params;
} spec_t;


typedef struct {
    int                        rc;
    uint64_t                   items;
    size_t                     violated;
    size_t                     nedits;
    kit_out_t                  body;     /* with the edits */
} result_t;


/* a word behind the path; 0: it is none */

static int
spec_word(modelguard_param_t *param, const char *word, size_t len)
{
    size_t                    i, n;
    const char               *error;
    static const char *const  ops[] = { "forbid", "max=", "require", "drop",
                                        "set=", "false" };

    if (len > 5 && memcmp(word, "when=", 5) == 0) {
        param->when = kit_path_try(word + 5, len - 5, &error);
        return param->when != NULL;
    }

    for (i = 0; i < MODELGUARD_PARAM_OPS; i++) {
        n = strlen(ops[i]);

        if (len >= n && memcmp(word, ops[i], n) == 0
            && (ops[i][n - 1] == '=' || len == n))
        {
            param->op = (modelguard_param_op_e) i;
            param->value.data = (const uint8_t *) word + n;
            param->value.len = len - n;

            return 1;
        }
    }

    return 0;
}


static int
spec_line(spec_t *spec, const char *p, const char *end)
{
    size_t                    len;
    const char               *error;
    modelguard_param_t       *param;
    const modelguard_path_t  *path;

    p += strspn(p, " ");
    len = strcspn(p, " ;");

    path = kit_path_try(p, len, &error);

    if (path == NULL || spec->n == 16) {
        return 0;
    }

    param = &spec->list[spec->n];
    memset(param, 0, sizeof(modelguard_param_t));

    param->path = path;
    param->op = MODELGUARD_PARAM_OPS;
    param->text.data = (const uint8_t *) p;
    param->text.len = len;

    for (p += len; p < end; p += len) {
        p += strspn(p, " ");
        len = strcspn(p, " ;");

        if (len == 5 && memcmp(p, "items", 5) == 0) {
            spec->items[spec->nitems++] = path;
            return spec->nitems < 16;
        }

        if (len && !spec_word(param, p, len)) {
            return 0;
        }
    }

    if (param->op == MODELGUARD_PARAM_OPS
        || modelguard_param_check(param, &error) != MODELGUARD_OK)
    {
        return 0;
    }

    for (len = 0; len < spec->n; len++) {

        if (modelguard_param_conflict(&spec->list[len], param) != NULL) {
            return 0;
        }
    }

    spec->when |= (param->when != NULL);
    spec->moves |= param->op == MODELGUARD_PARAM_DROP
                   && memchr(param->text.data, '[', param->text.len) != NULL;
    spec->n++;

    return 1;
}


static int
spec_build(spec_t *spec, const char *text)
{
    const char  *end;

    memset(spec, 0, sizeof(spec_t));

    for ( ;; ) {
        end = text + strcspn(text, ";");

        if (!spec_line(spec, text, end)) {
            return 0;
        }

        if (*end == '\0') {
            break;
        }

        text = end + 1;
    }

    return modelguard_params_build(&spec->params, spec->list, spec->n,
                                   spec->items, spec->nitems, kit_match,
                                   kit_keep, NULL)
           == MODELGUARD_OK;
}


static void
apply(result_t *result, const modelguard_inspect_result_t *found,
    const uint8_t *data, size_t len)
{
    size_t                            i, at;
    const modelguard_inspect_edit_t  *edit;

    at = 0;

    for (i = 0; i < found->nedits; i++) {
        edit = &found->edits[i];

        if (edit->offset < at || edit->offset + edit->len > len) {
            fuzz_fail("edit %zu is out of order", i);
        }

        (void) kit_sink(&result->body, data + at, edit->offset - at);

        if (edit->text.len) {
            (void) kit_sink(&result->body, edit->text.data, edit->text.len);
        }

        at = edit->offset + edit->len;
    }

    (void) kit_sink(&result->body, data + at, len - at);
}


static void
run(const spec_t *spec, result_t *result, const uint8_t *data, size_t len,
    const fuzz_cuts_t *cuts)
{
    size_t                        i, at, end;
    uint8_t                      *copy;
    modelguard_inspect_t         *in;
    modelguard_inspect_result_t   found;

    memset(result, 0, sizeof(result_t));

    in = modelguard_inspect_create(spec->params, DEPTH, kit_alloc, NULL);
    at = 0;

    for (i = 0; i <= cuts->n && result->rc == MODELGUARD_OK; i++) {
        end = i < cuts->n ? cuts->at[i] : len;

        copy = fuzz_copy(data + at, end - at);
        result->rc = modelguard_inspect_feed(in, copy, end - at);
        free(copy);

        at = end;
    }

    if (result->rc == MODELGUARD_OK) {
        result->rc = modelguard_inspect_finish(in, &found);

        if (result->rc == MODELGUARD_OK) {
            result->items = found.items;
            result->violated = found.violated;
            result->nedits = found.nedits;
            apply(result, &found, data, len);
        }
    }

    modelguard_inspect_free(in);
}


static int
same(const result_t *a, const result_t *b)
{
    return a->rc == b->rc && a->items == b->items && a->violated == b->violated
           && a->nedits == b->nedits && a->body.len == b->body.len
           && (a->body.len == 0
               || memcmp(a->body.data, b->body.data, a->body.len) == 0);
}


/* the value at a path of plain members; NULL: none, or another path */

static json_t *
lookup(json_t *root, const modelguard_path_t *path)
{
    size_t                         i;
    const modelguard_path_step_t  *step;

    for (i = 0; i < path->n; i++) {
        step = &path->steps[i];

        if (step->kind != MODELGUARD_PATH_MEMBER) {
            return NULL;
        }

        root = json_object_getn(root, (const char *) step->name.data,
                                step->name.len);
    }

    return root;
}


/* "$.**.name" beside another path: whether that has the name in it, or may */

static int
overlap_deep(const modelguard_path_t *deep, const modelguard_path_t *path)
{
    size_t                         n;
    const modelguard_path_step_t  *last, *step;

    last = &deep->steps[deep->n - 1];

    for (n = 0; n < path->n && last->kind == MODELGUARD_PATH_MEMBER; n++) {
        step = &path->steps[n];

        if (modelguard_path_step_equal(step, last)
            || (step->kind != MODELGUARD_PATH_MEMBER
                && step->kind < MODELGUARD_PATH_ANY_ELEMENT))
        {
            return 1;
        }
    }

    return last->kind != MODELGUARD_PATH_MEMBER;
}


/* whether both may name a value, or one a place in what the other names */

static int
overlap(const modelguard_path_t *a, const modelguard_path_t *b)
{
    size_t                         n;
    const modelguard_path_step_t  *s, *t;

    for (n = 0; n < a->n && n < b->n; n++) {
        s = &a->steps[n];
        t = &b->steps[n];

        if (s->kind == MODELGUARD_PATH_ANY_DEPTH) {
            return overlap_deep(a, b);
        }

        if (t->kind == MODELGUARD_PATH_ANY_DEPTH) {
            return overlap_deep(b, a);
        }

        if (s->kind == t->kind && s->kind != MODELGUARD_PATH_REGEX
            && !modelguard_path_step_equal(s, t))
        {
            return 0;
        }
    }

    return 1;
}


/*
 * What is set is not judged, and is the last word: what is refused, dropped or
 * set may be made again by what is set in it, or with names in its value.
 */

static int
is_set(const spec_t *spec, const modelguard_param_t *param)
{
    size_t                     i;
    const modelguard_param_t  *set;

    for (i = 0; i < spec->n; i++) {
        set = &spec->list[i];

        if (set->op == MODELGUARD_PARAM_SET && set != param
            && (overlap(set->path, param->path)
                || memchr(set->value.data, '{', set->value.len) != NULL))
        {
            return 1;
        }
    }

    return 0;
}


/* what was there as it had to be, and is taken away with what it is in */

static int
is_undone(const spec_t *spec, const modelguard_param_t *param)
{
    size_t                     i;
    const modelguard_param_t  *other;

    if (param->op != MODELGUARD_PARAM_REQUIRE) {
        return 0;
    }

    for (i = 0; i < spec->n; i++) {
        other = &spec->list[i];

        if ((other->op == MODELGUARD_PARAM_DROP
             || other->op == MODELGUARD_PARAM_FALSE)
            && overlap(other->path, param->path))
        {
            return 1;
        }
    }

    return 0;
}


/* whether a body that passed may be refused, or changed, once more */

static int
is_remade(const spec_t *spec)
{
    size_t  i;

    for (i = 0; i < spec->n; i++) {

        if (is_set(spec, &spec->list[i])
            || is_undone(spec, &spec->list[i]))
        {
            return 1;
        }
    }

    return 0;
}


/* the parameters of the outcome, as another library reads them */

static void
check_refused(const spec_t *spec, const kit_out_t *body)
{
    size_t                     i;
    json_t                    *root, *value;
    const modelguard_param_t  *param;

    root = json_loadb((const char *) body->data, body->len,
                      JSON_DECODE_ANY | JSON_ALLOW_NUL
                      | JSON_DECODE_INT_AS_REAL, NULL);

    for (i = 0; i < spec->n && root != NULL; i++) {
        param = &spec->list[i];
        value = lookup(root, param->path);

        if (param->when != NULL || value == NULL || is_set(spec, param)) {
            continue;
        }

        if (param->op == MODELGUARD_PARAM_DROP
            || ((param->op == MODELGUARD_PARAM_FORBID
                 || param->op == MODELGUARD_PARAM_FALSE)
                && !json_is_null(value) && !json_is_false(value))
            || (param->op == MODELGUARD_PARAM_LIMIT
                && (json_is_string(value) || json_is_object(value)
                    || json_is_array(value)
                    || json_number_value(value)
                       > strtod((const char *) param->value.data, NULL))))
        {
            fuzz_fail("%.*s is there: %.*s", (int) param->text.len,
                      param->text.data, (int) body->len, (char *) body->data);
        }
    }

    json_decref(root);
}


static void
check(const spec_t *spec, const result_t *whole, const uint8_t *data,
    size_t len)
{
    result_t     other;
    fuzz_cuts_t  cuts;

    if (whole->rc == MODELGUARD_OK && !oracle_accepts(data, len)) {
        fuzz_fail("not JSON, and taken");
    }

    fuzz_cut(&cuts, len);
    run(spec, &other, data, len, &cuts);

    if (!same(whole, &other)) {
        fuzz_fail("cut at %zu: rc %d for %d, violated %zu for %zu",
                  cuts.at[0], other.rc, whole->rc, other.violated,
                  whole->violated);
    }

    free(other.body.data);

    if (whole->rc != MODELGUARD_OK
        || whole->violated != MODELGUARD_INSPECT_PASSED)
    {
        return;
    }

    if (!oracle_accepts(whole->body.data, whole->body.len)) {
        fuzz_fail("not JSON: %.*s", (int) whole->body.len,
                  (char *) whole->body.data);
    }

    check_refused(spec, &whole->body);

    if (spec->when || spec->moves || is_remade(spec)) {
        return;
    }

    fuzz_cut(&cuts, whole->body.len);
    run(spec, &other, whole->body.data, whole->body.len, &cuts);

    if (other.rc == MODELGUARD_TOO_DEEP || other.rc == MODELGUARD_TOO_BIG) {
        free(other.body.data);
        return;
    }

    if (other.rc != MODELGUARD_OK || other.violated != whole->violated
        || other.body.len != whole->body.len
        || memcmp(other.body.data, whole->body.data, other.body.len) != 0)
    {
        fuzz_fail("once more: rc %d, violated %zu, %.*s", other.rc,
                  other.violated, (int) whole->body.len,
                  (char *) whole->body.data);
    }

    free(other.body.data);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char                text[SPEC + 1];
    size_t              n;
    spec_t              spec;
    result_t            whole;
    const uint8_t      *p;

    static const fuzz_cuts_t  uncut;

    fuzz_begin(data, len);

    p = memchr(data, '\n', len);
    n = p != NULL ? (size_t) (p - data) : len;

    if (p == NULL || n > SPEC || memchr(data, '\0', n) != NULL
        || memchr(data, '~', n) != NULL)
    {
        return -1;
    }

    memcpy(text, data, n);
    text[n] = '\0';

    if (spec_build(&spec, text)) {
        n++;
        data += n;
        len -= n;

        run(&spec, &whole, data, len, &uncut);
        check(&spec, &whole, data, len);

        free(whole.body.data);
    }

    kit_free();

    if (kit_allocated) {
        fuzz_fail("%zu bytes are not given back", kit_allocated);
    }

    return 0;
}


static size_t
mutate_spec(uint8_t *data, size_t n, size_t size, size_t max)
{
    char  text[128];

    static const char *const  paths[] = {
        "$.n", "$.a", "$.a.b", "$.a.b.c", "$.**.d", "$.l[*].n", "$.x[0]",
        "$.s", "$.input", "$.m.*", "$", "$.p", "$.stream", "$.usage.n"
    };

    static const char *const  ops[] = {
        "forbid", "max=1", "max=5.25", "require", "drop", "set=true",
        "set={\"z\":[1]}", "set=null", "false", "items", "drop when=$.w",
        "set=7 when=$.stream", "forbid when=$.a.b", "max=0", "drop"
    };

    sprintf(text, "%s %s", FUZZ_ANY(paths), FUZZ_ANY(ops));

    if (fuzz_random(2) || n + strlen(text) > SPEC - 8) {
        return fuzz_splice_text(data, size, max, 0, n, text);
    }

    strcat(text, "; ");

    return fuzz_splice_text(data, size, max, 0, 0, text);
}


size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    size_t    n;
    uint8_t  *p;

    fuzz_reseed(seed);

    p = memchr(data, '\n', size);

    if (p == NULL || fuzz_random(20) == 0) {
        return LLVMFuzzerMutate(data, size, max);
    }

    n = (size_t) (p - data);

    if (fuzz_random(5) == 0) {
        return mutate_spec(data, n, size, max);
    }

    n++;

    return n + fuzz_json_mutate(data + n, size - n, max - n);
}
