
/*
 * Copyright (C) the modelguard authors
 *
 * What is compiled at configuration time: rules, parameters and meters.  What
 * is refused and in what words, the limits of each, and what becomes of them
 * when there is no memory at any of their requests.
 */


#include "param.h"
#include "modelguard_meter_read.h"


#define BUILD_REQUESTS  4000         /* of memory, more than any build has */


typedef struct {
    const char  *spec;
    const char  *error;
} refused_t;


static const refused_t  refused[] = {

    /* fields */

    { "scores | round=1", "no path is given" },
    { "metadata $.x label=$.l | drop",
      "only \"scores\" and \"logits\" take \"label\", \"shape\" and "
      "\"datatype\"" },
    { "embedding $.x shape=$.s | drop",
      "only \"scores\" and \"logits\" take \"label\", \"shape\" and "
      "\"datatype\"" },
    { "scores $.a $.b shape=$.s | top=1",
      "\"label\", \"shape\" and \"datatype\" need exactly one path" },
    { "logits $.a label=$.l[*] datatype=$.t | top=1",
      "\"label\" excludes \"shape\" and \"datatype\"" },
    { "scores $.a[*].s label=$.a[*].l label=$.l[*] | top=1",
      "labels of records and labels in parallel arrays do not mix" },
    { "scores $.a label=$.l | top=1",
      "the value and its label share no array" },
    { "scores $.a[*].s label=$.b[*].l | top=1",
      "the value and its label share no array" },

    /* encodings */

    { "scores $.a inside=$.b | round=1", "\"inside\" needs \"encoding=json\"" },
    { "scores $.a inside=$.b encoding=text | round=1",
      "\"inside\" needs \"encoding=json\"" },
    { "items $.a encoding=string | drop", "it takes no \"encoding\"" },
    { "scores $.a encoding=json | round=1",
      "\"encoding=json\" needs \"inside\"" },
    { "label $.a encoding=text | drop",
      "it takes no \"encoding\" but \"json\"" },
    { "metadata $.a encoding=string | drop",
      "it takes no \"encoding\" but \"json\"" },
    { "usage $.a encoding=base64f32 | drop",
      "it takes no \"encoding\" but \"json\"" },
    { "scores $.a[*].s label=$.a[*].l encoding=text | top=1",
      "\"encoding=text\" and \"encoding=base64f32\" exclude \"label\", "
      "\"shape\" and \"datatype\"" },
    { "scores $.a shape=$.s encoding=base64f32 | round=1",
      "\"encoding=text\" and \"encoding=base64f32\" exclude \"label\", "
      "\"shape\" and \"datatype\"" },

    /* treatments */

    { "logprobs $.a | top=1",
      "takes only \"keep\", \"drop\", \"null\", \"round\" and \"step\"" },
    { "embedding $.a | label_only",
      "takes only \"keep\", \"drop\", \"null\", \"round\" and \"step\"" },
    { "logprobs $.a | round=1 min=0.5",
      "takes only \"keep\", \"drop\", \"null\", \"round\" and \"step\"" },
    { "embedding $.a | round=1 renormalize",
      "takes only \"keep\", \"drop\", \"null\", \"round\" and \"step\"" },
    { "metadata $.a | round=1",
      "takes only \"keep\", \"drop\" and \"null\"" },
    { "label $.a | label_only", "takes only \"keep\", \"drop\" and \"null\"" },
    { "items $.a | drop",
      "is for counting requests and takes no treatment" },
    { "scores $.a encoding=base64f32 | top=1",
      "what is in base64 takes only \"keep\", \"drop\", \"null\", \"round\" "
      "and \"step\"" },
    { "logits $.a encoding=base64f32 | label_only",
      "what is in base64 takes only \"keep\", \"drop\", \"null\", \"round\" "
      "and \"step\"" },

    /* all together: 16 steps are too many with an element behind them, and
       9 with 8 inside */

    { "scores $.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a encoding=json inside=$ "
      "| round=1",
      "a path has too many steps together with that inside" },
    { "scores $.a.a.a.a.a.a.a.a.a encoding=json inside=$.b.b.b.b.b.b.b.b "
      "| round=1",
      "a path has too many steps together with that inside" },
    { "scores $.a encoding=json inside=$.b[*].c "
      "label=$.b[*].b.b.b.b.b.b.b.b.b.b.b.b.b.b | top=1",
      "a path has too many steps together with that inside" },
    { "scores $.a encoding=json inside=$.b "
      "shape=$.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b | top=1",
      "a path has too many steps together with that inside" },
    { "scores $.a encoding=json inside=$.b "
      "datatype=$.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b | top=1",
      "a path has too many steps together with that inside" },
    { "scores $.~a $.~b $.~c $.~d $.~e $.~f $.~g | round=1",
      "the fields make too many states or patterns" }
};


/* fields whose rules are built without memory, with what they become */

static const char  *built[] = {
    "scores $.p | round=1",
    "scores $.p.* | top=1",
    "scores $.p.* encoding=string | round=1",
    "scores $.r[*].s label=$.r[*].l label=$.r[*].m | top=1",
    "scores $.s label=$.a.l[*] label=$.b.l[*] | top=1",
    "scores $.d shape=$.s datatype=$.t | top=1",
    "scores $.d datatype=$.t.u | top=1",
    "logits $.a encoding=json inside=$.d shape=$.s datatype=$.t | top=1",
    "scores $.a encoding=json inside=$.r[*].s label=$.r[*].l | top=1",
    "scores $.a $.b encoding=json inside=$.p | round=1",
    "metadata $.a encoding=json inside=$.x | drop"
};


static size_t    build_left;         /* requests of memory that are granted */
static unsigned  build_asked;


/* memory is that of kit_keep(), given back by kit_free() */

static void *
build_alloc(void *data, void *old, size_t old_size, size_t size)
{
    if (size) {
        build_asked++;

        if (build_left == 0) {
            return NULL;
        }

        build_left--;
    }

    return kit_keep(data, old, old_size, size);
}


static void
test_refused(void)
{
    int          good;
    kit_t        kit;
    size_t       i;
    const char  *error;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        error = "nothing said";

        good = kit_try(&kit, refused[i].spec, &error);

        ok(!good && strcmp(error, refused[i].error) == 0, "%s: %s",
           refused[i].spec, error);

        kit_free();
    }
}


/* a pattern that gives no answer about a name that a field has */

static int
build_no_match(const void *regex, const uint8_t *name, size_t len)
{
    (void) regex;
    (void) name;
    (void) len;

    return -1;
}


static void
test_undecided(void)
{
    int                        rc;
    kit_t                      kit;
    const char                *error;
    modelguard_rules_t        *rules;
    const modelguard_field_t  *fields[1];

    kit_build(&kit, "scores $.~^a $.abc | round=1");

    fields[0] = &kit.fields[0];
    error = NULL;

    rc = modelguard_rules_build(&rules, fields, 1, &kit.profile,
                                build_no_match, kit_keep, NULL, &error);

    ok(rc == MODELGUARD_UNDECIDED
       && strcmp(error, "a pattern could not be matched") == 0,
       "a pattern without an answer: %s", error);

    kit_free();
}


/* n fields: the last of the spec, and before it the first over and over */

static int
build_many(const char *spec, size_t n, const char **error)
{
    int                        rc;
    kit_t                      kit;
    size_t                     i;
    modelguard_rules_t        *rules;
    const modelguard_field_t  *fields[512];

    kit_build(&kit, spec);

    for (i = 0; i < n; i++) {
        fields[i] = &kit.fields[i == n - 1 ? kit.n - 1 : 0];
    }

    *error = "";

    rc = modelguard_rules_build(&rules, fields, n, &kit.profile, kit_match,
                                kit_keep, NULL, error);

    kit_free();

    return rc;
}


/* fields up to a limit pass; one more is refused, in these words */

static void
test_limit(const char *spec, size_t limit, const char *words)
{
    int          rc;
    size_t       n;
    unsigned     bad;
    const char  *error;

    bad = 0;

    for (n = limit - 1; n <= limit + 1; n++) {
        rc = build_many(spec, n, &error);

        bad += (n <= limit) ? rc != MODELGUARD_OK
                            : (rc != MODELGUARD_TOO_BIG
                               || strcmp(error, words) != 0);
    }

    ok(bad == 0, "%zu fields at most: %s: %s", limit, spec, error);
}


static void
test_limits(void)
{
    static const char  paths[] = "too many paths in the fields";

    test_limit("scores $.a | round=1", MODELGUARD_RULES_MAX,
               "too many fields");

    /* of three paths each: two of them strings, and what is in no string */

    test_limit("scores $.a encoding=json inside=$.b | round=1",
               MODELGUARD_RULES_MAX / 2, "too many fields");

    test_limit("scores $.a | round=1; "
               "logits $.b encoding=json inside=$.c | round=1",
               MODELGUARD_RULES_MAX - 1, "too many fields");

    /* a rule each, and so many paths: the value, its map, labels, a group */

    test_limit("scores $.a $.b $.c $.d | round=1",
               MODELGUARD_AUTOMATON_PATHS_MAX / 4, paths);
    test_limit("scores $.a.* $.b | round=1",
               MODELGUARD_AUTOMATON_PATHS_MAX / 3, paths);
    test_limit("scores $.a label=$.l[*] label=$.m[*] | top=1",
               MODELGUARD_AUTOMATON_PATHS_MAX / 4, paths);
    test_limit("scores $.a label=$.l[*] label=$.m[*] label=$.n[*] | top=1",
               MODELGUARD_AUTOMATON_PATHS_MAX / 5, paths);
    test_limit("scores $.a shape=$.s datatype=$.t | top=1",
               MODELGUARD_AUTOMATON_PATHS_MAX / 4, paths);
    test_limit("scores $.a shape=$.s | top=1",
               MODELGUARD_AUTOMATON_PATHS_MAX / 3, paths);
    test_limit("scores $.a $.b | round=1; "
               "logits $.d shape=$.s datatype=$.t | top=1",
               MODELGUARD_AUTOMATON_PATHS_MAX / 2 - 1, paths);
    test_limit("scores $.a $.b $.c encoding=json inside=$.d | round=1",
               MODELGUARD_AUTOMATON_PATHS_MAX / 9, paths);

    /* a string is one path more, and so are strings in an array */

    test_limit("scores $.a $.b $.c $.d $.e $.f $.g $.h $.i $.j $.k $.l $.m "
               "$.n $.o $.p | round=1; "
               "logits $.z encoding=json inside=$.d | round=1",
               MODELGUARD_AUTOMATON_PATHS_MAX / 16, paths);
    test_limit("scores $.a $.b $.c $.d $.e $.f $.g $.h $.i $.j $.k $.l $.m "
               "$.n $.o $.p $.q | round=1; "
               "logits $.z encoding=json inside=$.d | round=1",
               MODELGUARD_AUTOMATON_PATHS_MAX / 17, paths);
}


/* of two fields at one place: drop wins over null, and null over the rest */

static void
test_stronger(void)
{
    kit_t      kit;
    size_t     i;
    kit_out_t  out;

    static const char  doc[] = "{\"a\":0.125,\"b\":1}";

    static const char *const  pairs[][2] = {
        { "metadata $.a | drop; scores $.a | round=1", "{\"b\":1}" },
        { "scores $.a | round=1; metadata $.a | drop", "{\"b\":1}" },
        { "metadata $.a | drop; usage $.a | null", "{\"b\":1}" },
        { "usage $.a | null; metadata $.a | drop", "{\"b\":1}" },
        { "usage $.a | null; scores $.a | round=1",
          "{\"a\":null,\"b\":1}" },
        { "scores $.a | round=1; usage $.a | null",
          "{\"a\":null,\"b\":1}" },
        { "scores $.a | round=1; logits $.a | round=2",
          "{\"a\":0.1,\"b\":1}" },
        { "logits $.a | round=2; scores $.a | round=1",
          "{\"a\":0.12,\"b\":1}" }
    };

    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        kit_build(&kit, pairs[i][0]);
        kit_run(&kit, &out, (const unsigned char *) doc, sizeof(doc) - 1,
                NULL, 0);

        ok(out.rc == MODELGUARD_OK && out.len == strlen(pairs[i][1])
           && memcmp(out.data, pairs[i][1], out.len) == 0,
           "%s: %.*s", pairs[i][0], (int) out.len, (char *) out.data);

        free(out.data);
        kit_free();
    }
}


/*
 * A build with one request of memory after the other refused, until all are
 * granted: no memory, and never a build that lacks something.
 */

#define build_refusals(call, name)                                            \
                                                                              \
    {                                                                         \
        bad = 0;                                                              \
                                                                              \
        for (n = 0; n < BUILD_REQUESTS; n++) {                                \
            build_left = n;                                                   \
            build_asked = 0;                                                  \
                                                                              \
            rc = call;                                                        \
                                                                              \
            if (rc == MODELGUARD_OK) {                                        \
                break;                                                        \
            }                                                                 \
                                                                              \
            bad += rc != MODELGUARD_NOMEM;                                    \
        }                                                                     \
                                                                              \
        ok(bad == 0 && n > 0 && n < BUILD_REQUESTS && build_asked == n,       \
           "%u refusals of memory: %s", (unsigned) n, name);                  \
    }


static int
build_rules(const kit_t *kit)
{
    int                        rc;
    size_t                     i;
    const char                *error;
    modelguard_rules_t        *rules;
    const modelguard_field_t  *fields[KIT_FIELDS];

    for (i = 0; i < kit->n; i++) {
        fields[i] = &kit->fields[i];
    }

    error = NULL;

    rc = modelguard_rules_build(&rules, fields, kit->n, &kit->profile,
                                kit_match, build_alloc, NULL, &error);

    return (rc != MODELGUARD_OK && strcmp(error, "not enough memory") != 0)
           ? -1 : rc;
}


static int
build_values(const kit_t *kit, const modelguard_profile_t *profile)
{
    size_t                     i;
    modelguard_meter_rules_t  *rules;
    const modelguard_field_t  *fields[KIT_FIELDS];

    for (i = 0; i < kit->n; i++) {
        fields[i] = &kit->fields[i];
    }

    return modelguard_meter_values_build(&rules, fields, kit->n, profile,
                                         kit_match, build_alloc, NULL);
}


static void
test_memory(void)
{
    int                        rc;
    kit_t                      kit;
    size_t                     i, n;
    unsigned                   bad;
    param_kit_t                params;
    modelguard_params_t       *made;
    modelguard_meter_rules_t  *rules;

    for (i = 0; i < sizeof(built) / sizeof(built[0]); i++) {
        kit_build(&kit, built[i]);

        build_refusals(build_rules(&kit), built[i])
        build_refusals(build_values(&kit, &kit.profile), "its meter")
        build_refusals(build_values(&kit, NULL), "its meter, all kept")

        kit_free();
    }

    build_refusals(modelguard_meter_usage_build(&rules, NULL, 0, kit_match,
                                                build_alloc, NULL),
                   "token counts")

    param_build(&params, "$.a drop; $.b.c.d set=1; $.e[*].f require when=$.g");

    build_refusals(modelguard_params_build(&made, params.list, params.n, NULL,
                                           0, kit_match, build_alloc, NULL),
                   "parameters")

    kit_free();
}


/* paths of token counts and of values, up to those that fit */

static void
test_meter_limits(void)
{
    int                        rc;
    kit_t                      kit;
    size_t                     n;
    unsigned                   i, bad;
    const modelguard_path_t   *paths[MODELGUARD_AUTOMATON_PATHS_MAX + 1];
    modelguard_meter_rules_t  *rules;
    const modelguard_field_t  *fields[MODELGUARD_AUTOMATON_PATHS_MAX + 1];

    kit_build(&kit, "scores $.a | round=1");

    for (i = 0; i <= MODELGUARD_AUTOMATON_PATHS_MAX; i++) {
        paths[i] = kit.fields[0].paths[0];
        fields[i] = &kit.fields[0];
    }

    bad = 0;

    for (n = MODELGUARD_AUTOMATON_PATHS_MAX - 1;
         n <= MODELGUARD_AUTOMATON_PATHS_MAX + 1;
         n++)
    {
        rc = n > MODELGUARD_AUTOMATON_PATHS_MAX ? MODELGUARD_TOO_BIG
                                                : MODELGUARD_OK;

        bad += modelguard_meter_usage_build(&rules, paths, n, kit_match,
                                            kit_keep, NULL) != rc;
        bad += modelguard_meter_values_build(&rules, fields, n, &kit.profile,
                                             kit_match, kit_keep, NULL) != rc;
    }

    ok(bad == 0, "%d paths of a meter", MODELGUARD_AUTOMATON_PATHS_MAX);

    kit_free();

    kit_build(&kit, "scores $.~a $.~b $.~c $.~d $.~e $.~f | round=1");

    fields[0] = &kit.fields[0];
    bad = modelguard_meter_values_build(&rules, fields, 1, NULL, kit_match,
                                        kit_keep, NULL) != MODELGUARD_OK;

    fields[1] = &kit.fields[1];
    kit.fields[1] = kit.fields[0];
    kit.fields[1].paths = kit_keep(NULL, NULL, 0, sizeof(void *));
    kit.fields[1].paths[0] = kit_path("$.~g", 4);
    kit.fields[1].npaths = 1;
    bad += modelguard_meter_values_build(&rules, fields, 2, NULL, kit_match,
                                         kit_keep, NULL)
           != MODELGUARD_TOO_BIG;

    ok(bad == 0, "%d patterns of a meter", MODELGUARD_AUTOMATON_REGEX_MAX);

    kit_free();
}


static void
test_param_limits(void)
{
    int                       rc;
    size_t                    n;
    unsigned                  i, bad;
    modelguard_param_t        list[MODELGUARD_PARAM_MAX + 1];
    const modelguard_path_t  *items[MODELGUARD_AUTOMATON_PATHS_MAX + 1];
    modelguard_params_t      *params;

    memset(list, 0, sizeof(list));

    for (i = 0; i <= MODELGUARD_PARAM_MAX; i++) {
        list[i].path = kit_path("$.a", 3);
        list[i].op = MODELGUARD_PARAM_DROP;
    }

    bad = 0;

    for (n = MODELGUARD_PARAM_MAX - 1; n <= MODELGUARD_PARAM_MAX + 1; n++) {
        rc = modelguard_params_build(&params, list, n, NULL, 0, kit_match,
                                     kit_keep, NULL);

        bad += rc != (n > MODELGUARD_PARAM_MAX ? MODELGUARD_TOO_BIG
                                               : MODELGUARD_OK);
    }

    ok(bad == 0, "%d parameters", MODELGUARD_PARAM_MAX);

    /* the objects around count, too: $ and $.a of $.a.b */

    for (i = 0; i <= MODELGUARD_AUTOMATON_PATHS_MAX; i++) {
        items[i] = kit_path("$.i", 3);
    }

    list[0].path = kit_path("$.a.b", 5);
    list[0].op = MODELGUARD_PARAM_REQUIRE;
    bad = 0;

    for (n = MODELGUARD_AUTOMATON_PATHS_MAX - 4;
         n <= MODELGUARD_AUTOMATON_PATHS_MAX + 1;
         n++)
    {
        rc = modelguard_params_build(&params, list, 1, items, n, kit_match,
                                     kit_keep, NULL);

        bad += rc != (n + 3 > MODELGUARD_AUTOMATON_PATHS_MAX
                      ? MODELGUARD_TOO_BIG : MODELGUARD_OK);
    }

    ok(bad == 0, "%d paths of parameters and items",
       MODELGUARD_AUTOMATON_PATHS_MAX);

    kit_free();
}


/* what is set must be a name in JSON: controls are escaped, UTF-8 is checked */

static void
test_param_names(void)
{
    int                  rc;
    char                 out[256];
    const char          *error;
    param_kit_t          kit;
    modelguard_param_t   param;

    param_build(&kit, "$[\"a\x01\x1f\n\\\"\\\\z\"] set=1");
    param_run(&kit, "{}", 0, 100, out);

    ok(strcmp(out, "{\"a\\u0001\\u001f\\u000a\\\"\\\\z\":1}") == 0,
       "a name with controls: %s", out);

    memset(&param, 0, sizeof(modelguard_param_t));

    param.op = MODELGUARD_PARAM_SET;
    param.value.data = (const uint8_t *) "1";
    param.value.len = 1;
    param.path = kit_path("$.a[\"b\xff\"]", 9);

    rc = modelguard_param_check(&param, &error);

    ok(rc == MODELGUARD_INVALID && strcmp(error, "a name is not UTF-8") == 0,
       "a name that is not");

    param.path = kit_path("$.a[\"b\xc3\xa9\"]", 10);

    ok(modelguard_param_check(&param, &error) == MODELGUARD_OK,
       "a name in UTF-8");

    kit_free();
}


int
main(void)
{
    test_refused();
    test_undecided();
    test_limits();
    test_stronger();
    test_memory();
    test_meter_limits();
    test_param_limits();
    test_param_names();

    ok(kit_allocated == 0, "all memory was given back");

    return tap_done();
}
