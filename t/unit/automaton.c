
/*
 * Copyright (C) the modelguard authors
 *
 * The automaton against tables made by hand, and against a naive matcher
 * that walks each path on its own.
 */


#include "automaton.h"


#define PLACE_MAX  12


typedef struct {
    int                           index;    /* -1: a member */
    const uint8_t                *name;
    size_t                        len;
} place_t;


typedef struct {
    const char                   *paths;    /* separated by " , " */
    const char                   *place;    /* "a/#0/_": _ is "", % long */
    const char                   *tags;     /* entries, from 0; "" none */
} table_t;


static uint32_t  random_seed;


static const table_t  tables[] = {

    /* each kind of step alone */

    { "$", "", "0" },
    { "$", "a", "dead" },
    { "$", "#0", "dead" },
    { "$.a", "", "" },
    { "$.a", "a", "0" },
    { "$.a", "b", "dead" },
    { "$.a", "aa", "dead" },
    { "$.a", "_", "dead" },
    { "$.a", "A", "dead" },
    { "$.a", "#0", "dead" },
    { "$.a", "a/a", "dead" },
    { "$.a", "%", "dead" },
    { "$[\"\"]", "_", "0" },
    { "$[\"\"]", "a", "dead" },
    { "$.*", "a", "0" },
    { "$.*", "_", "0" },
    { "$.*", "%", "0" },
    { "$.*", "#0", "dead" },
    { "$.*", "a/b", "dead" },
    { "$[*]", "#0", "0" },
    { "$[*]", "#65535", "0" },
    { "$[*]", "#100000", "0" },
    { "$[*]", "a", "dead" },
    { "$[3]", "#3", "0" },
    { "$[3]", "#2", "dead" },
    { "$[3]", "#4", "dead" },
    { "$[3]", "3", "dead" },
    { "$[65535]", "#65535", "0" },
    { "$[65535]", "#65536", "dead" },
    { "$[65535]", "#131071", "dead" },
    { "$.**", "", "0" },
    { "$.**", "a", "0" },
    { "$.**", "#7", "0" },
    { "$.**", "a/#7/b/#0/_", "0" },
    { "$.**", "%", "0" },
    { "$.~^ab", "abc", "0" },
    { "$.~^ab", "ab", "0" },
    { "$.~^ab", "a", "dead" },
    { "$.~^ab", "cab", "dead" },
    { "$.~^ab", "#0", "dead" },
    { "$.~^ab", "ab/ab", "dead" },
    { "$.~^ab", "%", "undecided" },
    { "$.~bc$", "abc", "0" },
    { "$.~bc$", "bcd", "dead" },
    { "$.~b", "abc", "0" },
    { "$.~b", "_", "dead" },
    { "$.~?", "a", "undecided" },
    { "$.~!", "a", "dead" },
    { "$.~!", "a!", "undecided" },

    /* one after the other */

    { "a.b", "a/b", "0" },
    { "a.b", "a", "" },
    { "a.b", "b", "dead" },
    { "a[*].b", "a/#5/b", "0" },
    { "a[*].b", "a/b", "dead" },
    { "a[1][2]", "a/#1/#2", "0" },
    { "a[1][2]", "a/#2/#1", "dead" },
    { "$[0].a[1].b", "#0/a/#1/b", "0" },
    { "$.*.*", "a/b", "0" },
    { "$.*.*", "a", "" },
    { "$.*[*].*", "x/#0/y", "0" },
    { "$.a.~^b", "a/bx", "0" },
    { "$.a.~^b", "a/x", "dead" },
    { "$[~\"^a\"].b[~\"c$\"]", "ax/b/xc", "0" },
    { "$[~\"^a\"].b[~\"c$\"]", "ax/b/cx", "dead" },

    /* any depth */

    { "$.**.b", "b", "0" },
    { "$.**.b", "a/b", "0" },
    { "$.**.b", "a/#0/b", "0" },
    { "$.**.b", "b/b/b", "0" },
    { "$.**.b", "b/b/c", "" },
    { "$.**.b", "", "" },
    { "$.**.b", "#0", "" },
    { "a.**.b", "a/b", "0" },
    { "a.**.b", "a/x/#1/b", "0" },
    { "a.**.b", "x/b", "dead" },
    { "a.**", "a", "0" },
    { "a.**", "", "" },
    { "a.**", "a/b/c", "0" },
    { "a.**.b.c", "a/b/b/c", "0" },
    { "a.**.b.c", "a/b/x/c", "" },
    { "$.**.a.**.b", "a/b", "0" },
    { "$.**.a.**.b", "x/a/y/b", "0" },
    { "$.**.a.**.b", "b/a", "" },
    { "$.**.a.**.b", "a/b/a", "" },
    { "$.**.a.**.b", "a/b/b", "0" },
    { "$.**.**.b", "b", "0" },
    { "$.**.**.b", "x/#0/y/b", "0" },
    { "$.**.**", "", "0" },
    { "$.**[0]", "a/#0", "0" },
    { "$.**[0]", "#1/#0", "0" },
    { "$.**[0]", "#0/#1", "" },
    { "$.**[*]", "a", "" },
    { "$.**[*]", "a/#9", "0" },
    { "$.**.*", "a/b", "0" },
    { "$.**.*", "a/#0", "" },
    { "$.**.a.*.*", "a/a/x/y", "0" },
    { "$.**.a.*.*", "a/x/a/y", "" },
    { "$.**.a.*.*", "a/a/a/y", "0" },
    { "$.**[~\"^a\"].b", "x/ab/b", "0" },
    { "$.**[~\"^a\"].b", "x/b/b", "" },
    { "$.**.~^a", "%", "undecided" },
    { "$.**[~\"^a\"].**", "abc/%", "0" },
    { "$.**.a.**[~\"^b\"].**", "a/b/%", "0" },
    { "$.**[0][*].**.c", "#0/#1/#0/c", "0" },
    { "$.**[0][*].**.c", "#1/#0/c", "" },

    /* a name and what it shares a state with */

    { "$.a , $.a", "a", "0 1" },
    { "$.b , $.a", "a", "1" },
    { "$.* , $.a", "a", "0 1" },
    { "$.* , $.a", "b", "0" },
    { "$.a.x , $.*.y", "a/x", "0" },
    { "$.a.x , $.*.y", "a/y", "1" },
    { "$.a.x , $.*.y", "b/x", "dead" },
    { "$.a.x , $.*.y", "b/y", "1" },
    { "$.a.x , $.b.x", "a/x", "0" },
    { "$.a.x , $.b.x", "b/x", "1" },
    { "$.a.b , $.a", "a", "1" },
    { "$.a.b , $.a", "a/b", "0" },
    { "$.** , $.a , $", "", "0 2" },
    { "$.** , $.a , $", "a", "0 1" },
    { "$.a , $.**.a", "a", "0 1" },
    { "$.a , $.**.a", "x/a", "1" },
    { "$.a.**.c , $.**.b.c", "a/b/c", "0 1" },
    { "$.a.**.c , $.**.b.c", "a/x/c", "0" },
    { "$.a.**.c , $.**.b.c", "x/b/c", "1" },
    { "$[*] , $[2] , $[0]", "#2", "0 1" },
    { "$[*] , $[2] , $[0]", "#0", "0 2" },
    { "$[*] , $[2] , $[0]", "#1", "0" },
    { "$[*] , $[2] , $[0]", "#3", "0" },
    { "$[5] , $[3] , $[4] , $[3]", "#3", "1 3" },
    { "$[5] , $[3] , $[4] , $[3]", "#4", "2" },
    { "$[5] , $[3] , $[4] , $[3]", "#5", "0" },
    { "$[5] , $[3] , $[4] , $[3]", "#6", "dead" },
    { "$[*].a , $[1].b", "#1/a", "0" },
    { "$[*].a , $[1].b", "#1/b", "1" },
    { "$[*].a , $[1].b", "#0/b", "dead" },
    { "$.* , $[*]", "x", "0" },
    { "$.* , $[*]", "#0", "1" },

    /* patterns */

    { "$.~^a , $.~b$", "ab", "0 1" },
    { "$.~^a , $.~b$", "ax", "0" },
    { "$.~^a , $.~b$", "xb", "1" },
    { "$.~^a , $.~b$", "x", "dead" },
    { "$.~^a , $.~b$ , $.~x", "axb", "0 1 2" },
    { "$.~^a , $.~b$ , $.~x", "ax", "0 2" },
    { "$.~^a , $.~b$ , $.~x", "xb", "1 2" },
    { "$.~^a , $.~b$ , $.~x", "c", "dead" },
    { "$.~^a , $.ab", "ab", "0 1" },
    { "$.~^a , $.ab", "ac", "0" },
    { "$.~^x , $.ab", "ab", "1" },
    { "$.~^a , $.*", "b", "1" },
    { "$.~^a , $.*", "a", "0 1" },
    { "$.~^a , $.*", "%", "undecided" },
    { "$[~\"^a\"].c , $[~\"b$\"].d , $.ab.e", "ab/c", "0" },
    { "$[~\"^a\"].c , $[~\"b$\"].d , $.ab.e", "ab/d", "1" },
    { "$[~\"^a\"].c , $[~\"b$\"].d , $.ab.e", "ab/e", "2" },
    { "$[~\"^a\"].c , $[~\"b$\"].d , $.ab.e", "abb/e", "dead" },
    { "$[~\"^a\"].c , $[~\"^a\"].d", "ax/c", "0" },
    { "$[~\"^a\"].c , $[~\"^a\"].d", "ax/d", "1" },
    { "$.a.~? , $.~^b", "bc", "1" },
    { "$.a.~? , $.~^b", "a/x", "undecided" },
    { "$.~? , $[*]", "#0", "1" },
    { "$.~^a , $.~? , $.~c", "a", "undecided" },
    { "$.~! , $.abc", "abc", "1" }
};


static uint32_t
random_below(uint32_t n)
{
    random_seed = random_seed * 1664525 + 1013904223;

    return (random_seed >> 8) % n;
}


static void
test_tables(void)
{
    int          rc;
    size_t       i;
    const char  *tags;

    for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        rc = fixture_make(tables[i].paths);
        tags = rc == MODELGUARD_OK ? state_print(place_walk(tables[i].place))
                                   : "no automaton";

        ok(strcmp(tags, tables[i].tags) == 0 && memory_live == 1,
           "{ %s } at \"%s\": %s (got %s)", tables[i].paths, tables[i].place,
           tables[i].tags, tags);
    }

    fixture_free();
}


static void
test_states(void)
{
    size_t           n;
    uint16_t         state;
    const uint16_t  *tags;

    ok(fixture_build() == MODELGUARD_OK
       && member(MODELGUARD_AUTOMATON_ROOT, "a") == 0
       && element(MODELGUARD_AUTOMATON_ROOT, 0) == 0
       && modelguard_automaton_uniform(fixture.automaton, 1, 0)
       && modelguard_automaton_tags(fixture.automaton, 1, &tags) == 0
       && modelguard_automaton_states(fixture.automaton) == 2,
       "no entries");

    (void) fixture_make("$");
    ok(member(0, "a") == 0 && element(0, 3) == 0
       && modelguard_automaton_member(fixture.automaton, 0, NULL, 1000) == 0
       && modelguard_automaton_uniform(fixture.automaton, 0, 0)
       && modelguard_automaton_tags(fixture.automaton, 0, &tags) == 0,
       "the dead state stays dead");

    (void) fixture_make("$.**.b");
    ok(member(1, "x") == 1 && element(1, 4) == 1
       && member(member(1, "b"), "x") == 1
       && member(member(1, "b"), "b") == member(1, "b"),
       "the root of any depth is come back to");

    (void) fixture_make("a.b.c , $.a.b.d , x.b.c");
    state = member(member(1, "a"), "b");
    ok(state > 1 && member(state, "c") != member(state, "d")
       && member(state, "c") > 1 && member(state, "d") > 1,
       "paths with a common beginning share states");

    (void) fixture_make("a.b , $[\"a\"].b , $.a[\"b\"]");
    fixture.entries[0].tag = 5;
    fixture.entries[1].tag = 3;
    fixture.entries[2].tag = 5;
    n = fixture.n;
    fixture_free();
    fixture.n = n;
    ok(fixture_build() == MODELGUARD_OK
       && modelguard_automaton_tags(fixture.automaton, place_walk("a/b"),
                                    &tags) == 3
       && tags[0] == 5 && tags[1] == 3 && tags[2] == 5,
       "tags are in the order of the entries, one for each");

    fixture_free();
}


static void
test_uniform(void)
{
    int       rc;
    size_t    i;
    uint16_t  state;
    uint32_t  from;

    static const struct {
        const char  *paths;
        const char  *place;
        uint32_t     from;     /* the least index that is uniform */
    } uniforms[] = {
        { "$.a", "", 0 },
        { "$[*]", "", 0 },
        { "$.**", "", 0 },
        { "$[0]", "", 1 },
        { "$[5]", "", 6 },
        { "$[65535]", "", 65536 },
        { "$[*] , $[5] , $[2]", "", 6 },
        { "$[7][2]", "#7", 3 },
        { "$[7][2]", "#6", 0 },
        { "a[3] , a[*].b , $.*[9]", "a", 10 },
        { "a[3] , a[*].b , $.*[9]", "b", 10 },
        { "a[3] , a[*].b", "a", 4 },
        { "$.**[2].x", "", 3 },
        { "$.**[2].x", "a/#2", 3 },

        /* the element of index 0 is where all elements are */

        { "$.**[0][*].**.c", "#0", 0 },
        { "$.**[0][*].**.c", "#1", 1 }
    };

    for (i = 0; i < sizeof(uniforms) / sizeof(uniforms[0]); i++) {
        rc = fixture_make(uniforms[i].paths);
        state = place_walk(uniforms[i].place);
        from = uniforms[i].from;

        ok(rc == MODELGUARD_OK
           && modelguard_automaton_uniform(fixture.automaton, state, from)
           && modelguard_automaton_uniform(fixture.automaton, state, from + 1)
           && modelguard_automaton_uniform(fixture.automaton, state,
                                           UINT32_MAX)
           && (from == 0
               || (!modelguard_automaton_uniform(fixture.automaton, state,
                                                 from - 1)
                   && !modelguard_automaton_uniform(fixture.automaton, state,
                                                    0))),
           "elements of { %s } at \"%s\" are alike from %u",
           uniforms[i].paths, uniforms[i].place, (unsigned) from);
    }

    fixture_free();
}


static void
test_patterns(void)
{
    int       rc;
    size_t    n;
    uint16_t  state;

    rc = fixture_make("$.~^a , $.ab , $.ac.~x , $[0]");
    match_calls = 0;
    state = member(1, "ab");
    ok(rc == MODELGUARD_OK && match_calls == 0 && state > 1,
       "no pattern runs on a spelled-out name");

    (void) member(1, "ad");
    ok(match_calls == 1, "one pattern runs once on another name");

    match_calls = 0;
    (void) element(1, 0);
    (void) modelguard_automaton_member(fixture.automaton, 1, NULL, 300);
    (void) member(0, "a");
    (void) member(state, "ab");
    ok(match_calls == 0, "no pattern runs where none applies");

    (void) fixture_make("$.~^a , $[~\"^a\"].b , $[~\"^a\"].c");
    match_calls = 0;
    (void) member(1, "ad");
    ok(match_calls == 1, "equal sources run once");

    (void) fixture_make("$.~^a , $.~^b");
    fixture.paths[1].steps[0].regex = fixture.paths[0].steps[0].regex;
    n = fixture.n;
    fixture_free();
    fixture.n = n;
    rc = fixture_build();
    match_calls = 0;
    state = member(1, "ad");
    ok(rc == MODELGUARD_OK && match_calls == 1
       && strcmp(state_print(state), "0 1") == 0,
       "equal compiled patterns run once");

    rc = fixture_make("$.a , $.~?");
    ok(rc == MODELGUARD_UNDECIDED && fixture.automaton == NULL
       && memory_live == 0, "a pattern fails on a spelled-out name");

    rc = fixture_make("$.ok , $.a! , $.~!");
    ok(rc == MODELGUARD_UNDECIDED && memory_live == 0,
       "a pattern fails on the second spelled-out name");

    rc = fixture_make("$.b.a , $.c.~?");
    ok(rc == MODELGUARD_OK,
       "a pattern is not asked about the names of other states");

    fixture_free();
}


/* 1 if the path can (prefix: or its beginning does) take all of the place */

static int
naive(const modelguard_path_t *path, unsigned step, const place_t *place,
    size_t n, int prefix)
{
    int                            taken;
    const modelguard_path_step_t  *s;

    if (n == 0 && prefix) {
        return 1;
    }

    if (step == path->n) {
        return n == 0;
    }

    s = &path->steps[step];

    if (s->kind == MODELGUARD_PATH_ANY_DEPTH) {
        return naive(path, step + 1, place, n, prefix)
               || (n > 0 && naive(path, step, place + 1, n - 1, prefix));
    }

    if (n == 0) {
        return 0;
    }

    taken = 0;

    switch (s->kind) {

    case MODELGUARD_PATH_MEMBER:
        taken = place->index < 0 && place->len == s->name.len
                && memcmp(place->name, s->name.data, s->name.len) == 0;
        break;

    case MODELGUARD_PATH_ANY_MEMBER:
        taken = place->index < 0;
        break;

    case MODELGUARD_PATH_REGEX:
        taken = place->index < 0 && place->len <= 255
                && match(s->regex, place->name, place->len) == 1;
        break;

    case MODELGUARD_PATH_ANY_ELEMENT:
        taken = place->index >= 0;
        break;

    case MODELGUARD_PATH_INDEX:
        taken = place->index >= 0 && (uint32_t) place->index == s->index;
        break;

    default:
        break;
    }

    return taken && naive(path, step + 1, place + 1, n - 1, prefix);
}


static const char *const  random_names[] = {
    "a", "b", "ab", "ba", "aab", "abc", "", "scores", "scored", "c"
};

static const char *const  random_steps[] = {
    ".a", ".b", ".ab", "[\"\"]", ".ba", ".scores", ".*", ".*", "[*]", "[*]",
    ".**", ".**", ".**", "[0]", "[1]", "[3]", "[~\"^a\"]", "[~\"b$\"]",
    "[~\"a\"]", "[~\"^score\"]"
};


/* checks a random place and all places on the way; returns what is wrong */

static unsigned
random_place(unsigned *accepted, unsigned *undecided)
{
    size_t           i, k, n, depth, found;
    uint16_t         state;
    place_t          place[PLACE_MAX];
    unsigned         bad, alive;
    uint32_t         index, j;
    const uint16_t  *tags;

    bad = 0;
    state = MODELGUARD_AUTOMATON_ROOT;
    depth = random_below(8);

    for (n = 0; /* void */ ; n++) {
        found = modelguard_automaton_tags(fixture.automaton, state, &tags);
        k = 0;
        alive = 0;

        for (i = 0; i < fixture.n; i++) {
            alive |= (unsigned) naive(&fixture.paths[i], 0, place, n, 1);

            if (naive(&fixture.paths[i], 0, place, n, 0)) {
                bad += k >= found || tags[k] != TAG(i);
                k++;
            }
        }

        bad += k != found;
        bad += alive != (state != MODELGUARD_AUTOMATON_DEAD);
        *accepted += (unsigned) k;

        if (n == depth) {
            return bad;
        }

        index = random_below(6);
        alive = 1;

        for (j = index; j < 9; j++) {
            alive &= element(state, j) == element(state, index);
        }

        bad += alive != (unsigned) modelguard_automaton_uniform(
                                       fixture.automaton, state, index);

        if (random_below(3) == 0) {
            place[n].index = (int) index;
            state = element(state, index);
            continue;
        }

        i = random_below(sizeof(random_names) / sizeof(random_names[0]));
        place[n].index = -1;
        place[n].name = (const uint8_t *) random_names[i];
        place[n].len = strlen(random_names[i]);

        if (random_below(40) == 0) {
            place[n].name = NULL;
            place[n].len = 256 + random_below(100);
        }

        state = modelguard_automaton_member(fixture.automaton, state,
                                            place[n].name, place[n].len);

        if (state == MODELGUARD_AUTOMATON_UNDECIDED) {
            bad += place[n].len < 256;
            (*undecided)++;
            return bad;
        }
    }
}


static void
test_random(void)
{
    int       rc;
    char      text[256];
    size_t    i, k, n, len;
    unsigned  round, bad, checks, accepted, undecided, refused;

    random_seed = 20240607;

    for (round = 0; round < 6; round++) {
        bad = 0;
        checks = 0;
        accepted = 0;
        undecided = 0;
        refused = 0;

        for (i = 0; i < 200; i++) {
            fixture_free();
            n = 1 + random_below(2 + 2 * round);

            for (k = 0; k < n; k++) {
                text[0] = '$';
                text[1] = '\0';

                for (len = random_below(6); len > 0; len--) {
                    strcat(text, random_steps[random_below(
                                                  sizeof(random_steps)
                                                  / sizeof(random_steps[0]))]);
                }

                fixture_add(text, strlen(text));
            }

            rc = fixture_build();

            if (rc != MODELGUARD_OK) {
                refused += rc == MODELGUARD_TOO_BIG;
                bad += rc != MODELGUARD_TOO_BIG;
                continue;
            }

            for (k = 0; k < 60; k++) {
                bad += random_place(&accepted, &undecided);
                checks++;
            }
        }

        ok(bad == 0 && refused < 20 && accepted > 2000 && undecided > 50,
           "%u places below up to %u paths: %u accepted, %u undecided, "
           "%u automatons refused, %u wrong", checks, 2 + 2 * round, accepted,
           undecided, refused, bad);
    }

    fixture_free();
}


int
main(void)
{
    test_tables();
    test_states();
    test_uniform();
    test_patterns();
    test_random();

    ok(memory_live == 0, "no memory is lost");

    return tap_done();
}
