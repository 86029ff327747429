
/*
 * Copyright (C) the modelguard authors
 *
 * The automaton at its bounds, the look-up of names, and a lack of memory.
 */


#include "automaton.h"
#include "modelguard_automaton_build.h"


static void
test_pattern_limit(void)
{
    int       rc;
    char      text[32];
    size_t    i, n;
    unsigned  bad, k;

    for (n = 5; n <= 7; n++) {
        fixture_free();

        for (i = 0; i < n; i++) {
            sprintf(text, "$.~%c", (int) ('a' + i));
            fixture_add(text, strlen(text));
        }

        rc = fixture_build();
        bad = 0;

        for (k = 0; rc == MODELGUARD_OK && k < 1u << n; k++) {
            char         name[8], tags[32];
            const char  *got;

            name[0] = '\0';
            tags[0] = '\0';

            for (i = 0; i < n; i++) {
                if (k & 1u << i) {
                    sprintf(name + strlen(name), "%c", (int) ('a' + i));
                    sprintf(tags + strlen(tags), "%s%u",
                            tags[0] != '\0' ? " " : "", (unsigned) i);
                }
            }

            got = state_print(member(1, name));
            bad += strcmp(got, k == 0 ? "dead" : tags) != 0;
        }

        ok(n <= MODELGUARD_AUTOMATON_REGEX_MAX
           ? rc == MODELGUARD_OK && bad == 0
           : rc == MODELGUARD_TOO_BIG && fixture.automaton == NULL
             && memory_live == 0,
           "%u patterns in a state", (unsigned) n);
    }

    rc = fixture_make("$.~a , $.~b , $.~c , $.~d , $.~e , $.~f , $.~a , "
                      "$[~\"b\"].x , a.~g , b.~h");
    ok(rc == MODELGUARD_OK,
       "8 patterns, 6 of them in a state, and two twice");

    fixture_free();
}


static void
test_path_limit(void)
{
    int              rc;
    char             text[32];
    size_t           i, n;
    unsigned         bad;
    const uint16_t  *tags;

    for (n = 255; n <= 257; n++) {
        fixture_free();

        for (i = 0; i < n; i++) {
            sprintf(text, "name_%03u_score", (unsigned) i);
            fixture_add(text, strlen(text));
        }

        rc = fixture_build();
        bad = 0;

        for (i = 0; rc == MODELGUARD_OK && i < n; i++) {
            sprintf(text, "name_%03u_score", (unsigned) i);
            bad += modelguard_automaton_tags(fixture.automaton,
                                             member(1, text), &tags) != 1
                   || tags[0] != TAG(i);

            text[7]++;
            bad += i % 10 == 9 && member(1, text) != 0;
            text[0] = 'N';
            bad += member(1, text) != 0;
            text[0] = 'n';
            text[13] = 'f';
            bad += member(1, text) != 0;
        }

        ok(n <= MODELGUARD_AUTOMATON_PATHS_MAX
           ? rc == MODELGUARD_OK && bad == 0
           : rc == MODELGUARD_TOO_BIG && fixture.automaton == NULL
             && memory_live == 0,
           "%u paths", (unsigned) n);
    }

    fixture_free();
}


/* each step of a path that begins with its own name is one state */

static void
test_state_limit(void)
{
    int              rc;
    char             text[256];
    size_t           i, k, n, len, steps;
    uint16_t         state;
    const uint16_t  *tags;

    for (n = 4095; n <= 4097; n++) {
        fixture_free();
        steps = 0;
        len = 0;
        state = 1;

        for (i = 0; i < 256; i++) {
            steps = n - 2 - 16 * i;
            steps = steps < 16 ? steps : 16;
            len = (size_t) sprintf(text, "n%03u", (unsigned) i);

            for (k = 1; k < steps; k++) {
                memcpy(text + len, "[*]", 3);
                len += 3;
            }

            fixture_add(text, len);
        }

        rc = fixture_build();

        if (rc == MODELGUARD_OK) {
            state = member(state, "n255");

            for (k = 1; k < steps; k++) {
                state = element(state, 1);
            }

            rc = modelguard_automaton_tags(fixture.automaton, state, &tags)
                 == 1 && tags[0] == TAG(255) ? MODELGUARD_OK : -1;
        }

        ok(n <= MODELGUARD_AUTOMATON_STATES_MAX
           ? rc == MODELGUARD_OK && state > 1
             && modelguard_automaton_states(fixture.automaton) == n
           : rc == MODELGUARD_TOO_BIG && fixture.automaton == NULL
             && memory_live == 0,
           "%u states", (unsigned) n);
    }

    rc = fixture_make("$.**.a.*.*.*.*.*.*.*.*.*.*.*.*.*.*");
    ok(rc == MODELGUARD_TOO_BIG && memory_live == 0,
       "a path of 2^14 states is refused");

    rc = fixture_make("$.**.a.**.b.**.c.**.d.**.e.**.f.**.g.** , "
                      "$.**.h.**.i.**.j.**.k");
    ok(rc == MODELGUARD_OK, "many steps of any depth are not too many states");

    fixture_free();
}


static void
test_name_len(void)
{
    int       rc;
    char      text[600];
    size_t    n, i;
    uint16_t  state;

    memset(text, 'x', sizeof(text));

    for (n = 254; n <= 256; n++) {
        fixture_free();
        memcpy(text, "$.", 2);

        /* the longest name there is, and a pattern beside it */

        fixture_add(text, 2 + (n < 256 ? n : 255));
        rc = fixture_build();
        state = rc == MODELGUARD_OK
                ? modelguard_automaton_member(fixture.automaton, 1,
                                              (uint8_t *) text + 2, n)
                : 0;
        ok(n < 256 ? state > 1 : state == 0, "a name of %u bytes",
           (unsigned) n);

        fixture_add("$.~^x", 5);
        i = fixture.n;
        fixture_free();
        fixture.n = i;
        rc = fixture_build();
        state = rc == MODELGUARD_OK
                ? modelguard_automaton_member(fixture.automaton, 1,
                                              (uint8_t *) text + 2, n)
                : 0;
        ok(n < 256 ? state > 1 && state != MODELGUARD_AUTOMATON_UNDECIDED
                   : state == MODELGUARD_AUTOMATON_UNDECIDED,
           "a name of %u bytes where a pattern applies", (unsigned) n);
    }

    /* 7 and 7 + 256 and 7 + 32 bytes are not mixed up */

    (void) fixture_make("$.xxxxxxx");
    ok(modelguard_automaton_member(fixture.automaton, 1,
                                   (uint8_t *) text + 2, 7) > 1
       && modelguard_automaton_member(fixture.automaton, 1,
                                      (uint8_t *) text + 2, 39) == 0
       && modelguard_automaton_member(fixture.automaton, 1, NULL, 263) == 0
       && modelguard_automaton_member(fixture.automaton, 1, NULL, 65543) == 0,
       "the length counts");

    fixture_free();
}


#define zero(s)                                                               \
    state_print(modelguard_automaton_member(fixture.automaton,                \
                                            MODELGUARD_AUTOMATON_ROOT,        \
                                            (const uint8_t *) (s),            \
                                            sizeof(s) - 1))


static void
test_name_zero(void)
{
    int  rc;

    fixture_free();
    fixture_add("$[\"a\0b\"]", 8);
    fixture_add("$[\"a\0c\"]", 8);
    fixture_add("$[\"\0\"]", 6);
    fixture_add("$.a", 3);
    rc = fixture_build();

    ok(rc == MODELGUARD_OK && strcmp(zero("a\0b"), "0") == 0
       && strcmp(zero("a\0c"), "1") == 0 && strcmp(zero("\0"), "2") == 0
       && strcmp(zero("a"), "3") == 0 && strcmp(zero("a\0"), "dead") == 0
       && strcmp(zero("\0\0"), "dead") == 0 && strcmp(zero(""), "dead") == 0,
       "names with zero bytes");

    fixture_free();
}


static void
test_name_bytes(void)
{
    int             rc;
    char            text[600];
    size_t          n, i;
    uint16_t        state;
    unsigned        bad;
    unsigned char  *copy;

    /* all lengths, the name and each with a byte changed, at a guard page */

    fixture_free();

    for (n = 1; n <= 200; n++) {
        memcpy(text, "$.", 2);
        memset(text + 2, 'a', n);
        fixture_add(text, n + 2);
    }

    rc = fixture_build();
    bad = rc != MODELGUARD_OK;

    for (n = 0; rc == MODELGUARD_OK && n <= 210; n++) {
        memset(text, 'a', n);
        copy = guard_copy(text, n);
        state = modelguard_automaton_member(fixture.automaton, 1, copy, n);
        bad += n >= 1 && n <= 200 ? state != 1 + n : state != 0;

        for (i = 0; i < n; i++) {
            copy[i] = 'b';
            bad += modelguard_automaton_member(fixture.automaton, 1, copy, n)
                   != 0;
            copy[i] = 'a';
        }

        guard_free(copy, n);
    }

    ok(bad == 0, "names of 1 to 200 bytes, and with each byte changed");

    fixture_free();
}


/* names that only their bytes tell apart: those of a pair have one hash */

static void
test_name_hash(void)
{
    char      path[32];
    size_t    i, len;
    unsigned  bad;

    static const char  *pairs[][2] = {
        { "bmknmyk", "qzzxdqj" }, { "llfnkin", "mnukwkp" },
        { "njaqq", "bojwh" }, { "eevlx", "ecefa" }, { "a97", "GNP" },
        { "i8v", "R05" }
    };

    bad = 0;

    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        len = strlen(pairs[i][0]);

        bad += modelguard_automaton_hash((const uint8_t *) pairs[i][0], len)
               != modelguard_automaton_hash((const uint8_t *) pairs[i][1],
                                            len);

        sprintf(path, "$.%s", pairs[i][0]);
        bad += fixture_make(path) != MODELGUARD_OK;

        bad += strcmp(state_print(member(1, pairs[i][0])), "0") != 0;
        bad += strcmp(state_print(member(1, pairs[i][1])), "dead") != 0;

        sprintf(path, "$.%s , $.%s", pairs[i][0], pairs[i][1]);
        bad += fixture_make(path) != MODELGUARD_OK;

        bad += strcmp(state_print(member(1, pairs[i][0])), "0") != 0;
        bad += strcmp(state_print(member(1, pairs[i][1])), "1") != 0;
    }

    ok(bad == 0, "names of one hash");

    fixture_free();
}


/* states that differ in what they accept only share their tables */

static void
test_memory(void)
{
    int     rc;
    char    text[32];
    size_t  i;

    fixture_free();

    for (i = 0; i < 256; i++) {
        sprintf(text, "$.**.name_%u", (unsigned) i);
        fixture_add(text, strlen(text));
    }

    rc = fixture_build();

    ok(rc == MODELGUARD_OK && memory_live == 1 && memory_bytes < 65536,
       "256 names at any depth in %u bytes", (unsigned) memory_bytes);

    fixture_free();
}


static void
test_nomem(void)
{
    int       rc;
    size_t    i, n;
    unsigned  bad;

    static const char *const  paths[] = {
        "$",
        "a[*].b , $.**.c[3] , $[~\"^a\"].d , $[~\"b$\"].e[1][2]",
        "$.**.a.*.*.*.*.*.*.*[*].~^x",
        "$.**.a.*.*.*.*.*.*[1] , $.**[~\"^b\"].*[*].*.*[3] , $.**.**.x , x"
    };

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        bad = 0;
        rc = MODELGUARD_NOMEM;

        for (n = 1; rc != MODELGUARD_OK && n < 1000; n++) {
            memory_calls = 0;
            memory_fail = n;
            rc = fixture_make(paths[i]);

            bad += rc == MODELGUARD_OK
                   ? memory_live != 1 || fixture.automaton == NULL
                   : memory_live != 0 || fixture.automaton != NULL
                     || rc != MODELGUARD_NOMEM;
        }

        memory_fail = 0;

        ok(bad == 0 && rc == MODELGUARD_OK && n > 5,
           "{ %s }: %u allocations fail in turn", paths[i],
           (unsigned) (n - 2));
    }

    fixture_free();
}


int
main(void)
{
    test_pattern_limit();
    test_path_limit();
    test_state_limit();
    test_name_len();
    test_name_zero();
    test_name_bytes();
    test_name_hash();
    test_memory();
    test_nomem();

    ok(memory_live == 0, "no memory is lost");

    return tap_done();
}
