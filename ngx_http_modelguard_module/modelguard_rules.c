
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_rules.h"
#include "modelguard_rules_inside.h"


typedef struct {
    modelguard_alloc_pt            alloc;
    void                          *data;
    const char                    *error;
    modelguard_rule_t             *rules;
    size_t                         nrules;
    modelguard_mark_t             *marks;        /* by the automaton's tag */
    modelguard_automaton_entry_t  *entries;
    size_t                         n;
    modelguard_insides_t           insides;

    /* of the rules that are of documents: the field inside */

    const modelguard_field_t      *fields[MODELGUARD_RULES_MAX];
} rules_build_t;


static const char  *rules_role_names[] = {
    "scores", "label", "logits", "logprobs", "embedding", "metadata", "usage",
    "items"
};


static int rules_field(rules_build_t *build, const modelguard_field_t *field,
    const modelguard_treatment_t *treatment);
static modelguard_rule_t *rules_new(rules_build_t *build);
static int rules_inside(rules_build_t *build, const modelguard_field_t *field,
    const modelguard_treatment_t *treatment);
static int rules_labels(rules_build_t *build, const modelguard_field_t *field,
    modelguard_rule_t *rule);
static int rules_tensor(rules_build_t *build, const modelguard_field_t *field,
    modelguard_rule_t *rule);
static int rules_add(rules_build_t *build, const modelguard_path_t *path,
    unsigned steps, const modelguard_rule_t *rule, modelguard_part_e part);
static unsigned rules_common(const modelguard_path_t *a,
    const modelguard_path_t *b);
static int rules_records(const modelguard_path_t *value,
    const modelguard_path_t *label, unsigned *steps);
static int rules_is_parallel(const modelguard_path_t *label);
static int rules_places(rules_build_t *build, modelguard_rules_t *rules);
static int rules_place(rules_build_t *build, modelguard_place_t *place,
    const uint16_t *tags, size_t n, modelguard_mark_t *marks);
static int rules_stronger(const modelguard_rule_t *a,
    const modelguard_rule_t *b);


modelguard_role_e
modelguard_role_parse(const uint8_t *word, size_t len)
{
    unsigned  i;

    for (i = 0; i < MODELGUARD_ROLES; i++) {

        if (strlen(rules_role_names[i]) == len
            && memcmp(rules_role_names[i], word, len) == 0)
        {
            break;
        }
    }

    return (modelguard_role_e) i;
}


int
modelguard_field_check(const modelguard_field_t *field, const char **error)
{
    unsigned  i, steps;

    const modelguard_path_t  *value;

    if (field->npaths == 0) {
        *error = "no path is given";
        return MODELGUARD_INVALID;
    }

    if (modelguard_inside_check(field, error) != MODELGUARD_OK) {
        return MODELGUARD_INVALID;
    }

    if (field->nlabels == 0 && field->shape == NULL
        && field->datatype == NULL)
    {
        return MODELGUARD_OK;
    }

    if (field->role != MODELGUARD_ROLE_SCORES
        && field->role != MODELGUARD_ROLE_LOGITS)
    {
        *error = "only \"scores\" and \"logits\" take \"label\", \"shape\" "
                 "and \"datatype\"";
        return MODELGUARD_INVALID;
    }

    if (field->npaths != 1) {
        *error = "\"label\", \"shape\" and \"datatype\" need exactly one path";
        return MODELGUARD_INVALID;
    }

    if (field->nlabels && (field->shape != NULL || field->datatype != NULL)) {
        *error = "\"label\" excludes \"shape\" and \"datatype\"";
        return MODELGUARD_INVALID;
    }

    value = field->inside != NULL ? field->inside : field->paths[0];

    for (i = 0; i < field->nlabels; i++) {

        if (rules_is_parallel(field->labels[i])
            != rules_is_parallel(field->labels[0]))
        {
            *error = "labels of records and labels in parallel arrays "
                     "do not mix";
            return MODELGUARD_INVALID;
        }

        if (!rules_is_parallel(field->labels[i])
            && rules_records(value, field->labels[i], &steps)
               != MODELGUARD_OK)
        {
            *error = "the value and its label share no array";
            return MODELGUARD_INVALID;
        }
    }

    return MODELGUARD_OK;
}


void
modelguard_profile_init(modelguard_profile_t *profile)
{
    unsigned  i;

    for (i = 0; i < MODELGUARD_ROLES; i++) {
        modelguard_treatment_init(&profile->treatments[i]);
    }
}


int
modelguard_profile_check(modelguard_role_e role,
    const modelguard_treatment_t *treatment, const char **error)
{
    switch (role) {

    case MODELGUARD_ROLE_SCORES:
    case MODELGUARD_ROLE_LOGITS:
        return MODELGUARD_OK;

    case MODELGUARD_ROLE_LOGPROBS:
    case MODELGUARD_ROLE_EMBEDDING:

        if (treatment->op == MODELGUARD_LABEL_ONLY || treatment->top
            || treatment->min || treatment->renormalize)
        {
            *error = "takes only \"keep\", \"drop\", \"null\", \"round\" "
                     "and \"step\"";
            return MODELGUARD_INVALID;
        }

        return MODELGUARD_OK;

    case MODELGUARD_ROLE_LABEL:
    case MODELGUARD_ROLE_METADATA:
    case MODELGUARD_ROLE_USAGE:

        if (treatment->op == MODELGUARD_REDUCE
            || treatment->op == MODELGUARD_LABEL_ONLY)
        {
            *error = "takes only \"keep\", \"drop\" and \"null\"";
            return MODELGUARD_INVALID;
        }

        return MODELGUARD_OK;

    default:
        *error = "is for counting requests and takes no treatment";
        return MODELGUARD_INVALID;
    }
}


int
modelguard_rules_build(modelguard_rules_t **rules,
    const modelguard_field_t *const *fields, size_t n,
    const modelguard_profile_t *profile, modelguard_match_pt match,
    modelguard_alloc_pt alloc, void *data, const char **error)
{
    int                            rc;
    size_t                         i;
    rules_build_t                  build;
    modelguard_rules_t            *built;
    const modelguard_treatment_t  *treatment;

    memset(&build, 0, sizeof(rules_build_t));

    build.alloc = alloc;
    build.data = data;

    build.insides.profile = profile;
    build.insides.match = match;
    build.insides.alloc = alloc;
    build.insides.data = data;

    *error = "not enough memory";

    built = alloc(data, NULL, 0, sizeof(modelguard_rules_t));
    build.rules = alloc(data, NULL, 0,
                        MODELGUARD_RULES_MAX * sizeof(modelguard_rule_t));
    build.marks = alloc(data, NULL, 0, MODELGUARD_AUTOMATON_PATHS_MAX
                                       * sizeof(modelguard_mark_t));
    build.entries = alloc(data, NULL, 0,
                          MODELGUARD_AUTOMATON_PATHS_MAX
                          * sizeof(modelguard_automaton_entry_t));

    if (built == NULL || build.rules == NULL || build.marks == NULL
        || build.entries == NULL)
    {
        return MODELGUARD_NOMEM;
    }

    memset(built, 0, sizeof(modelguard_rules_t));

    for (i = 0; i < n; i++) {
        treatment = &profile->treatments[fields[i]->role];

        if (treatment->op == MODELGUARD_KEEP) {
            continue;
        }

        rc = rules_field(&build, fields[i], treatment);

        if (rc != MODELGUARD_OK) {
            *error = build.error ? build.error : *error;
            *error = build.insides.error ? build.insides.error : *error;
            return rc;
        }
    }

    built->nrules = build.nrules;

    rc = modelguard_automaton_build(&built->automaton, build.entries, build.n,
                                    match, alloc, data);
    if (rc != MODELGUARD_OK) {

        if (rc == MODELGUARD_TOO_BIG) {
            *error = "the fields make too many states or patterns";

        } else if (rc == MODELGUARD_UNDECIDED) {
            *error = "a pattern could not be matched";
        }

        return rc;
    }

    rc = rules_places(&build, built);

    if (build.insides.error != NULL) {
        *error = build.insides.error;
    }

    (void) alloc(data, build.entries, MODELGUARD_AUTOMATON_PATHS_MAX
                 * sizeof(modelguard_automaton_entry_t), 0);
    (void) alloc(data, build.marks, MODELGUARD_AUTOMATON_PATHS_MAX
                 * sizeof(modelguard_mark_t), 0);

    *rules = built;

    return rc;
}


static int
rules_field(rules_build_t *build, const modelguard_field_t *field,
    const modelguard_treatment_t *treatment)
{
    int                 rc;
    unsigned            i, last;
    modelguard_rule_t  *rule;
    modelguard_path_t  *path;

    if (field->encoding == MODELGUARD_ENCODING_JSON) {
        return rules_inside(build, field, treatment);
    }

    if (modelguard_inside_treatment(field, treatment, &build->error)
        != MODELGUARD_OK)
    {
        return MODELGUARD_INVALID;
    }

    rule = rules_new(build);
    if (rule == NULL) {
        return MODELGUARD_TOO_BIG;
    }

    rule->treatment = treatment;
    rule->encoding = field->encoding;
    rule->vector = (field->role == MODELGUARD_ROLE_SCORES
                    || field->role == MODELGUARD_ROLE_LOGITS);
    rule->wordless = (field->role == MODELGUARD_ROLE_EMBEDDING);

    for (i = 0; i < field->npaths; i++) {
        path = field->paths[i];

        rc = rules_add(build, path, path->n, rule, MODELGUARD_PART_VALUE);
        if (rc != MODELGUARD_OK) {
            return rc;
        }

        if (!rule->vector || path->n == 0
            || treatment->op == MODELGUARD_DROP
            || treatment->op == MODELGUARD_NULL)
        {
            continue;
        }

        last = path->n - 1;

        if (path->steps[last].kind == MODELGUARD_PATH_ANY_MEMBER) {

            rc = rules_add(build, path, last, rule, MODELGUARD_PART_MAP);
            if (rc != MODELGUARD_OK) {
                return rc;
            }
        }
    }

    if (treatment->op == MODELGUARD_DROP || treatment->op == MODELGUARD_NULL) {
        return MODELGUARD_OK;
    }

    if (field->nlabels) {
        return rules_labels(build, field, rule);
    }

    if (field->shape != NULL || field->datatype != NULL) {
        return rules_tensor(build, field, rule);
    }

    return MODELGUARD_OK;
}


static modelguard_rule_t *
rules_new(rules_build_t *build)
{
    modelguard_rule_t  *rule;

    if (build->nrules == MODELGUARD_RULES_MAX) {
        build->error = "too many fields";
        return NULL;
    }

    rule = &build->rules[build->nrules++];
    memset(rule, 0, sizeof(modelguard_rule_t));

    return rule;
}


/* a field of documents in strings */

static int
rules_inside(rules_build_t *build, const modelguard_field_t *field,
    const modelguard_treatment_t *treatment)
{
    int                  rc;
    unsigned             i;
    modelguard_path_t   *path, *elements;
    modelguard_rule_t   *rule;
    modelguard_field_t  *inside, *joined;

    inside = modelguard_inside_field(&build->insides, field, NULL);
    if (inside == NULL) {
        return MODELGUARD_NOMEM;
    }

    rule = rules_new(build);
    if (rule == NULL) {
        return MODELGUARD_TOO_BIG;
    }

    build->fields[rule - build->rules] = inside;

    for (i = 0; i < field->npaths; i++) {
        path = field->paths[i];

        rc = rules_add(build, path, path->n, rule, MODELGUARD_PART_DOCUMENT);
        if (rc != MODELGUARD_OK) {
            return rc;
        }

        elements = modelguard_inside_elements(&build->insides, path);
        joined = modelguard_inside_field(&build->insides, field, path);

        if (elements == NULL || joined == NULL) {
            return build->insides.error ? MODELGUARD_TOO_BIG
                                        : MODELGUARD_NOMEM;
        }

        rc = rules_add(build, elements, elements->n, rule,
                       MODELGUARD_PART_DOCUMENT);
        if (rc != MODELGUARD_OK) {
            return rc;
        }

        rc = rules_field(build, joined, treatment);
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    return MODELGUARD_OK;
}


static int
rules_labels(rules_build_t *build, const modelguard_field_t *field,
    modelguard_rule_t *rule)
{
    int                 rc;
    unsigned            i, steps, common;
    modelguard_path_t  *value, *label;

    value = field->paths[0];
    steps = 0;

    if (!rules_is_parallel(field->labels[0])) {
        (void) rules_records(value, field->labels[0], &steps);

        return rules_add(build, value, steps, rule, MODELGUARD_PART_RECORDS);
    }

    common = value->n;

    for (i = 0; i < field->nlabels; i++) {
        label = field->labels[i];
        steps = rules_common(value, label);

        if (steps < common) {
            common = steps;
        }

        rc = rules_add(build, label, label->n - 1, rule,
                       MODELGUARD_PART_LABELS);
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    rule->nlabels = field->nlabels;

    return rules_add(build, value, common, rule, MODELGUARD_PART_GROUP);
}


static int
rules_tensor(rules_build_t *build, const modelguard_field_t *field,
    modelguard_rule_t *rule)
{
    int                 rc;
    unsigned            steps, common;
    modelguard_path_t  *value;

    value = field->paths[0];
    common = value->n;

    if (field->shape != NULL) {
        rule->shape = 1;
        common = rules_common(value, field->shape);

        rc = rules_add(build, field->shape, field->shape->n, rule,
                       MODELGUARD_PART_SHAPE);
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    if (field->datatype != NULL) {
        rule->datatype = 1;
        steps = rules_common(value, field->datatype);

        if (steps < common) {
            common = steps;
        }

        rc = rules_add(build, field->datatype, field->datatype->n, rule,
                       MODELGUARD_PART_DATATYPE);
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    return rules_add(build, value, common, rule, MODELGUARD_PART_GROUP);
}


/* the first "steps" steps of a path have a part in a rule */

static int
rules_add(rules_build_t *build, const modelguard_path_t *path, unsigned steps,
    const modelguard_rule_t *rule, modelguard_part_e part)
{
    modelguard_path_t  *prefix;

    if (build->n == MODELGUARD_AUTOMATON_PATHS_MAX) {
        build->error = "too many paths in the fields";
        return MODELGUARD_TOO_BIG;
    }

    if (steps != path->n) {

        prefix = build->alloc(build->data, NULL, 0, sizeof(modelguard_path_t));
        if (prefix == NULL) {
            return MODELGUARD_NOMEM;
        }

        /* its names stay those of the path */

        memcpy(prefix, path, sizeof(modelguard_path_t));
        prefix->n = steps;

        path = prefix;
    }

    build->marks[build->n].rule = rule;
    build->marks[build->n].part = part;

    build->entries[build->n].path = path;
    build->entries[build->n].tag = (uint16_t) build->n;

    build->n++;

    return MODELGUARD_OK;
}


static unsigned
rules_common(const modelguard_path_t *a, const modelguard_path_t *b)
{
    unsigned  i;

    for (i = 0; i < a->n && i < b->n; i++) {

        if (!modelguard_path_step_equal(&a->steps[i], &b->steps[i])) {
            break;
        }
    }

    return i;
}


/* the number of steps down to the array of records */

static int
rules_records(const modelguard_path_t *value, const modelguard_path_t *label,
    unsigned *steps)
{
    unsigned  i;

    for (i = rules_common(value, label); i > 0; i--) {

        if (value->steps[i - 1].kind == MODELGUARD_PATH_ANY_ELEMENT) {
            *steps = i - 1;
            return MODELGUARD_OK;
        }
    }

    return MODELGUARD_INVALID;
}


static int
rules_is_parallel(const modelguard_path_t *label)
{
    return label->n > 0
           && label->steps[label->n - 1].kind == MODELGUARD_PATH_ANY_ELEMENT;
}


/* resolves what each state of the automaton means */

static int
rules_places(rules_build_t *build, modelguard_rules_t *rules)
{
    int                 rc;
    size_t              i, n, states, total;
    const uint16_t     *tags;
    modelguard_mark_t  *marks;

    states = modelguard_automaton_states(rules->automaton);
    total = 0;

    for (i = 0; i < states; i++) {
        total += modelguard_automaton_tags(rules->automaton, (uint16_t) i,
                                           &tags);
    }

    rules->places = build->alloc(build->data, NULL, 0,
                                 states * sizeof(modelguard_place_t));

    /* one more, as an allocator may refuse to give nothing */

    marks = build->alloc(build->data, NULL, 0,
                         (total + 1) * sizeof(modelguard_mark_t));

    if (rules->places == NULL || marks == NULL) {
        return MODELGUARD_NOMEM;
    }

    for (i = 0; i < states; i++) {
        n = modelguard_automaton_tags(rules->automaton, (uint16_t) i, &tags);

        rc = rules_place(build, &rules->places[i], tags, n, marks);
        if (rc != MODELGUARD_OK) {
            return rc;
        }

        marks += n;
    }

    return MODELGUARD_OK;
}


static int
rules_place(rules_build_t *build, modelguard_place_t *place,
    const uint16_t *tags, size_t n, modelguard_mark_t *marks)
{
    int                        rc;
    size_t                     i, documents;
    const modelguard_mark_t   *mark;
    const modelguard_field_t  *fields[MODELGUARD_AUTOMATON_PATHS_MAX];

    rc = MODELGUARD_OK;
    documents = 0;

    place->value = NULL;
    place->encoded = NULL;
    place->marks = marks;
    place->nmarks = 0;

    for (i = 0; i < n; i++) {
        mark = &build->marks[tags[i]];

        if (mark->part == MODELGUARD_PART_DOCUMENT) {
            fields[documents++] = build->fields[mark->rule - build->rules];
            continue;
        }

        if (mark->part != MODELGUARD_PART_VALUE) {
            marks[place->nmarks++] = *mark;
            continue;
        }

        if (place->value == NULL || rules_stronger(mark->rule, place->value)) {
            place->value = mark->rule;
        }

        if (place->encoded == NULL && mark->rule->encoding) {
            place->encoded = mark->rule;
        }
    }

    if (documents) {
        place->encoded = modelguard_inside_rule(&build->insides, fields,
                                                documents, &rc);
    }

    return place->encoded != NULL || documents == 0 ? MODELGUARD_OK : rc;
}


static int
rules_stronger(const modelguard_rule_t *a, const modelguard_rule_t *b)
{
    if (b->treatment->op == MODELGUARD_DROP) {
        return 0;
    }

    if (a->treatment->op == MODELGUARD_DROP) {
        return 1;
    }

    return a->treatment->op == MODELGUARD_NULL
           && b->treatment->op != MODELGUARD_NULL;
}
