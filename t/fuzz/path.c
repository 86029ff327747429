
/*
 * Copyright (C) the modelguard authors
 *
 * A fuzz target: paths, one a line, a blank line, and a walk of names and
 * indices.  What the automaton accepts on the way is what a matcher accepts
 * that tries every path, step by step, by itself; and a path that is written
 * down again is the same path.
 */


#include "fuzz.h"
#include "rewrite_kit.h"
#include "modelguard_automaton.h"


#define PATHS  12
#define STEPS  12


typedef struct {
    int          element;            /* else a member */
    uint32_t     index;
    const char  *name;
    size_t       len;
} place_t;


static modelguard_path_t            *paths[PATHS];
static size_t                        npaths;
static modelguard_automaton_entry_t  entries[PATHS];
static place_t                       places[STEPS];


/* whether the step names the place; -1: undecided */

static int
step_names(const modelguard_path_step_t *step, const place_t *place)
{
    switch (step->kind) {

    case MODELGUARD_PATH_MEMBER:
        return !place->element && step->name.len == place->len
               && memcmp(step->name.data, place->name, place->len) == 0;

    case MODELGUARD_PATH_ANY_MEMBER:
        return !place->element;

    case MODELGUARD_PATH_REGEX:
        return place->element ? 0
               : kit_match(step->regex, (const uint8_t *) place->name,
                           place->len);

    case MODELGUARD_PATH_ANY_ELEMENT:
        return place->element;

    case MODELGUARD_PATH_INDEX:
        return place->element && step->index == place->index;

    default:
        return 0;
    }
}


static int
path_names(const modelguard_path_t *path, size_t step, size_t n, size_t depth)
{
    size_t  i;

    if (step == path->n) {
        return n == depth;
    }

    if (path->steps[step].kind == MODELGUARD_PATH_ANY_DEPTH) {

        for (i = n; i <= depth; i++) {

            if (path_names(path, step + 1, i, depth)) {
                return 1;
            }
        }

        return 0;
    }

    return n < depth && step_names(&path->steps[step], &places[n]) == 1
           && path_names(path, step + 1, n + 1, depth);
}


/* the path in brackets and quotes */

static void
check_again(const modelguard_path_t *path)
{
    char               *text, *p;
    size_t              i, j, at;
    const char         *error;
    modelguard_path_t  *again;

    text = malloc(2 * sizeof(path->names) + 32 * path->n + 8);
    p = text;
    *p++ = '$';

    for (i = 0; i < path->n; i++) {

        switch (path->steps[i].kind) {

        case MODELGUARD_PATH_ANY_MEMBER:
            p += sprintf(p, ".*");
            continue;

        case MODELGUARD_PATH_ANY_DEPTH:
            p += sprintf(p, ".**");
            continue;

        case MODELGUARD_PATH_ANY_ELEMENT:
            p += sprintf(p, "[*]");
            continue;

        case MODELGUARD_PATH_INDEX:
            p += sprintf(p, "[%u]", path->steps[i].index);
            continue;

        default:
            break;
        }

        p += sprintf(p, path->steps[i].kind == MODELGUARD_PATH_REGEX
                        ? "[~\"" : "[\"");

        for (j = 0; j < path->steps[i].name.len; j++) {

            if (strchr("\"\\", path->steps[i].name.data[j]) != NULL) {
                *p++ = '\\';
            }

            *p++ = (char) path->steps[i].name.data[j];
        }

        p += sprintf(p, "\"]");
    }

    again = malloc(sizeof(modelguard_path_t));

    if (modelguard_path_parse(again, (uint8_t *) text, (size_t) (p - text),
                              &error, &at)
        != MODELGUARD_OK)
    {
        fuzz_fail("%.*s: %s at %zu", (int) (p - text), text, error, at);
    }

    for (i = 0; i < path->n; i++) {

        if (again->n != path->n
            || !modelguard_path_step_equal(&path->steps[i], &again->steps[i]))
        {
            fuzz_fail("%.*s: step %zu", (int) (p - text), text, i);
        }
    }

    free(again);
    free(text);
}


/* any text: an error has its place in it */

static void
check_parse(const uint8_t *data, size_t len)
{
    size_t              at;
    uint8_t            *copy;
    const char         *error;
    modelguard_path_t  *path;

    copy = fuzz_copy(data, len);
    path = malloc(sizeof(modelguard_path_t));
    error = NULL;
    at = SIZE_MAX;

    if (modelguard_path_parse(path, copy, len, &error, &at) != MODELGUARD_OK) {

        if (error == NULL || at > len) {
            fuzz_fail("no error, or at %zu", at);
        }

    } else if (path->n > MODELGUARD_PATH_STEPS_MAX
               || path->size > sizeof(path->names))
    {
        fuzz_fail("%u steps", path->n);

    } else if (memchr(data, '\0', len) == NULL) {
        check_again(path);
    }

    free(path);
    free(copy);
}


static const uint8_t *
read_paths(const uint8_t *p, const uint8_t *end)
{
    size_t          i, n, tries;
    const char     *error;
    const uint8_t  *eol;

    npaths = 0;

    while (p < end && *p != '\n') {
        eol = memchr(p, '\n', (size_t) (end - p));
        eol = (eol != NULL) ? eol : end;
        n = (size_t) (eol - p);

        check_parse(p, n);

        for (tries = 0, i = 0; i < n; i++) {
            tries += (memchr("*+{", p[i], 3) != NULL);
        }

        if (npaths < PATHS && (memchr(p, '~', n) == NULL || tries < 4)) {
            paths[npaths] = kit_path_try((const char *) p, n, &error);
            npaths += (paths[npaths] != NULL);
        }

        p = eol + (eol < end);
    }

    return p + (p < end);
}


/* a name that a path has, or any other; an index that one has, or any other */

static void
draw_place(place_t *place, fuzz_in_t *in)
{
    unsigned                       op;
    const modelguard_path_t       *path;
    const modelguard_path_step_t  *step;

    static const char *const  names[] = { "a", "score", "", "p", "scores",
                                          "\xc3\xa9", "x.y", "prob", "[" };

    op = fuzz_byte(in);

    place->element = op & 1;
    place->index = op >> 2;
    place->name = names[op % 9];
    place->len = strlen(place->name);

    if (!(op & 2) || npaths == 0) {
        return;
    }

    path = paths[fuzz_byte(in) % npaths];

    if (path->n == 0) {
        return;
    }

    step = &path->steps[fuzz_byte(in) % path->n];

    if (step->kind == MODELGUARD_PATH_INDEX) {
        place->element = 1;
        place->index = step->index + fuzz_byte(in) % 3;

    } else if (step->kind == MODELGUARD_PATH_MEMBER
               || (step->kind == MODELGUARD_PATH_REGEX && step->name.len < 99))
    {
        place->element = 0;
        place->name = (const char *) step->name.data;
        place->len = step->name.len;
    }
}


static void
check_tags(const modelguard_automaton_t *automaton, uint16_t state,
    size_t depth)
{
    size_t           i, j, n;
    const uint16_t  *tags;

    if (state >= modelguard_automaton_states(automaton)) {
        fuzz_fail("state %u", state);
    }

    n = modelguard_automaton_tags(automaton, state, &tags);

    for (i = 0, j = 0; i < npaths; i++) {

        if (!path_names(paths[i], 0, 0, depth)) {
            continue;
        }

        if (j == n || tags[j] != 100 + i) {
            fuzz_fail("path %zu is not accepted at depth %zu", i, depth);
        }

        j++;
    }

    if (j != n) {
        fuzz_fail("%zu accepted for %zu, at depth %zu", n, j, depth);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    size_t                   i;
    uint16_t                 state;
    fuzz_in_t                in;
    modelguard_automaton_t  *automaton;

    in.p = read_paths(data, data + len);
    in.end = data + len;

    for (i = 0; i < npaths; i++) {
        entries[i].path = paths[i];
        entries[i].tag = (uint16_t) (100 + i);
    }

    if (modelguard_automaton_build(&automaton, entries, npaths, kit_match,
                                   kit_keep, NULL)
        == MODELGUARD_OK)
    {
        state = MODELGUARD_AUTOMATON_ROOT;
        check_tags(automaton, state, 0);

        for (i = 0; i < STEPS && in.p < in.end; i++) {
            draw_place(&places[i], &in);

            if (places[i].element) {

                if (modelguard_automaton_uniform(automaton, state,
                                                 places[i].index)
                    && modelguard_automaton_element(automaton, state,
                                                    places[i].index)
                       != modelguard_automaton_element(automaton, state,
                                                       places[i].index + 7))
                {
                    fuzz_fail("not uniform");
                }

                state = modelguard_automaton_element(automaton, state,
                                                     places[i].index);

            } else {
                state = modelguard_automaton_member(automaton, state,
                                        (const uint8_t *) places[i].name,
                                        places[i].len);
            }

            if (state == MODELGUARD_AUTOMATON_UNDECIDED) {
                break;
            }

            check_tags(automaton, state, i + 1);
        }
    }

    kit_free();

    return 0;
}
