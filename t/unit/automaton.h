
/*
 * Copyright (C) the modelguard authors
 *
 * What the tests of the automaton share: an allocator that counts and fails
 * on demand, a simple pattern language, and paths and places from text.
 */


#ifndef AUTOMATON_H_INCLUDED
#define AUTOMATON_H_INCLUDED


#include "tap.h"
#include "modelguard_automaton.h"


#define ENTRIES  300
#define TAG(i)   ((uint16_t) (60000 - 7 * (i)))


/* "regex" in a path's steps is the step's name: its source */

typedef struct {
    size_t                        n;
    modelguard_path_t             paths[ENTRIES];
    modelguard_automaton_entry_t  entries[ENTRIES];
    modelguard_automaton_t       *automaton;
} fixture_t;


static fixture_t  fixture;
static size_t     memory_live, memory_calls, memory_fail, memory_bytes;
static size_t     match_calls;


/* counts what is live, checks the sizes it is told, fails when it is time */

static inline void *
memory_alloc(void *data, void *old, size_t old_size, size_t size)
{
    size_t   *p;
    uint8_t  *copy;

    if (data != &fixture || (old == NULL) != (old_size == 0)) {
        printf("Bail out! wrong arguments of the allocator\n");
        exit(2);
    }

    p = NULL;

    if (old != NULL) {
        p = (size_t *) old - 2;

        if (p[0] != old_size) {
            printf("Bail out! the allocator was told a wrong size\n");
            exit(2);
        }
    }

    if (size == 0) {
        if (p != NULL) {
            memory_live--;
            free(p);
        }

        return NULL;
    }

    if (++memory_calls == memory_fail) {
        return NULL;
    }

    copy = malloc(2 * sizeof(size_t) + size);
    if (copy == NULL) {
        printf("Bail out! no memory\n");
        exit(2);
    }

    memset(copy, 0xa5, 2 * sizeof(size_t) + size);
    ((size_t *) (void *) copy)[0] = size;

    if (p != NULL) {
        memcpy(copy + 2 * sizeof(size_t), old,
               old_size < size ? old_size : size);
        free(p);

    } else {
        memory_live++;
    }

    memory_bytes = size;

    return copy + 2 * sizeof(size_t);
}


/* "^x" prefix, "x$" suffix, "x" anywhere, "?" never known, "!" if any "!" */

static inline int
match(const void *regex, const uint8_t *name, size_t len)
{
    size_t                   i, n;
    const uint8_t           *text;
    const modelguard_str_t  *source;

    match_calls++;

    source = regex;
    text = source->data;
    n = source->len;

    if (text[0] == '?') {
        return -1;
    }

    if (text[0] == '!') {
        return len != 0 && memchr(name, '!', len) != NULL ? -1 : 0;
    }

    if (text[0] == '^') {
        return len >= n - 1 && memcmp(name, text + 1, n - 1) == 0;
    }

    if (text[n - 1] == '$') {
        return len >= n - 1
               && memcmp(name + len - (n - 1), text, n - 1) == 0;
    }

    for (i = 0; i + n <= len; i++) {
        if (memcmp(name + i, text, n) == 0) {
            return 1;
        }
    }

    return 0;
}


static inline void
fixture_add(const void *text, size_t len)
{
    size_t              at;
    unsigned            i;
    const char         *error;
    modelguard_path_t  *path;

    path = &fixture.paths[fixture.n];

    if (modelguard_path_parse(path, text, len, &error, &at) != MODELGUARD_OK) {
        printf("Bail out! %.*s: %s\n", (int) len, (const char *) text, error);
        exit(2);
    }

    for (i = 0; i < path->n; i++) {
        if (path->steps[i].kind == MODELGUARD_PATH_REGEX) {
            path->steps[i].regex = &path->steps[i].name;
        }
    }

    fixture.entries[fixture.n].path = path;
    fixture.entries[fixture.n].tag = TAG(fixture.n);
    fixture.n++;
}


static inline void
fixture_free(void)
{
    if (fixture.automaton != NULL) {
        memory_live--;
        free((size_t *) (void *) fixture.automaton - 2);
        fixture.automaton = NULL;
    }

    fixture.n = 0;
}


static inline int
fixture_build(void)
{
    fixture.automaton = (modelguard_automaton_t *) &fixture;

    return modelguard_automaton_build(&fixture.automaton, fixture.entries,
                                      fixture.n, match, memory_alloc,
                                      &fixture);
}


static inline int
fixture_make(const char *paths)
{
    const char  *end;

    fixture_free();

    while (*paths != '\0') {
        end = strstr(paths, " , ");
        if (end == NULL) {
            fixture_add(paths, strlen(paths));
            break;
        }

        fixture_add(paths, (size_t) (end - paths));
        paths = end + 3;
    }

    return fixture_build();
}


static inline uint16_t
member(uint16_t state, const char *name)
{
    return modelguard_automaton_member(fixture.automaton, state,
                                       (const uint8_t *) name, strlen(name));
}


static inline uint16_t
element(uint16_t state, uint32_t index)
{
    return modelguard_automaton_element(fixture.automaton, state, index);
}


/* every name ends at a guard page */

static inline uint16_t
place_walk(const char *place)
{
    char            name[64];
    size_t          len;
    uint16_t        state;
    unsigned char  *copy;

    state = MODELGUARD_AUTOMATON_ROOT;

    while (*place != '\0') {
        len = strcspn(place, "/");
        memcpy(name, place, len);
        name[len] = '\0';
        place += len + (place[len] == '/');

        if (name[0] == '#') {
            state = element(state, (uint32_t) strtoul(name + 1, NULL, 10));

        } else if (name[0] == '%') {
            state = modelguard_automaton_member(fixture.automaton, state,
                                                NULL, 256);

        } else {
            len = strcmp(name, "_") == 0 ? 0 : len;
            copy = guard_copy(name, len);
            state = modelguard_automaton_member(fixture.automaton, state,
                                                copy, len);
            guard_free(copy, len);
        }

        if (state == MODELGUARD_AUTOMATON_UNDECIDED) {
            break;
        }
    }

    return state;
}


static inline const char *
state_print(uint16_t state)
{
    size_t           i, n;
    const uint16_t  *tags;

    static char  out[4096];

    if (state == MODELGUARD_AUTOMATON_UNDECIDED) {
        return "undecided";
    }

    n = modelguard_automaton_tags(fixture.automaton, state, &tags);

    if (state == MODELGUARD_AUTOMATON_DEAD) {
        return n == 0 ? "dead" : "dead with tags";
    }

    out[0] = '\0';

    for (i = 0; i < n; i++) {
        sprintf(out + strlen(out), "%s%u", i ? " " : "",
                (60000u - tags[i]) / 7);
    }

    return out;
}


#endif /* AUTOMATON_H_INCLUDED */
