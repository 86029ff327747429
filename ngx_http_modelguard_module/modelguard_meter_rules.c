
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_meter.h"
#include "modelguard_meter_rules.h"


typedef enum {
    METER_USAGE = 0,
    METER_VALUE,
    METER_LABEL,
    METER_MAP
} meter_part_e;


typedef struct {
    modelguard_gauge_t            *gauge;    /* NULL: of usage */
    modelguard_count_e             count;
    meter_part_e                   part;
} meter_tag_t;


typedef struct {
    modelguard_alloc_pt            alloc;
    void                          *data;
    size_t                         n;
    meter_tag_t                    tags[MODELGUARD_AUTOMATON_PATHS_MAX];
    modelguard_automaton_entry_t   entries[MODELGUARD_AUTOMATON_PATHS_MAX];
} meter_build_t;


static int meter_builtin(meter_build_t *build);
static int meter_add(meter_build_t *build, const modelguard_path_t *path,
    meter_part_e part, modelguard_gauge_t *gauge);
static int meter_field(meter_build_t *build, const modelguard_field_t *field,
    const modelguard_treatment_t *treatment);
static int meter_labels(meter_build_t *build, const modelguard_field_t *field,
    const modelguard_treatment_t *treatment);
static int meter_documents(meter_build_t *build,
    const modelguard_field_t *field, modelguard_gauge_t *gauge);
static void meter_gauge(modelguard_gauge_t *gauge,
    const modelguard_field_t *field, const modelguard_treatment_t *treatment);
static int meter_path(meter_build_t *build, const modelguard_path_t *path,
    unsigned steps, const modelguard_path_t *more, meter_part_e part,
    modelguard_gauge_t *gauge);
static int meter_finish(meter_build_t *build, modelguard_meter_rules_t **rules,
    modelguard_match_pt match);
static void meter_mark(modelguard_meter_mark_t *mark, const meter_tag_t *tag);


/* where the known servers and providers say what an answer has cost */

static const char  *meter_paths[] = {
    "$.usage",                               /* OpenAI, vLLM, TGI, Anthropic */
    "$.response.usage",                      /* OpenAI responses, streamed */
    "$.message.usage",                       /* Anthropic, streamed */
    "$.delta.usage",                         /* Cohere 2, streamed */
    "$.x_groq.usage",
    "$.metadata.usage",                      /* Bedrock converse, streamed */
    "$[*].usage",
    "$.meta",                                /* Cohere 1 */
    "$.response.meta",
    "$.usageMetadata",                       /* Google */
    "$[*].usageMetadata",                    /* the same, streamed */
    "$.response.usageMetadata",
    "$.details",                             /* TGI */
    "$[*].details",
    "$.prompt_eval_count",                   /* Ollama */
    "$.eval_count",
    "$.tokens_evaluated",                    /* llama.cpp */
    "$.tokens_predicted",
    "$.inputTextTokenCount",                 /* Bedrock Titan */
    "$[\"amazon-bedrock-invocationMetrics\"]",
    "$.metrics",                             /* Replicate */
    NULL
};


static const struct {
    const char          *name;
    modelguard_count_e   count;
} meter_names[] = {
    { "tokens", MODELGUARD_COUNT_NESTED },
    { "billed_units", MODELGUARD_COUNT_NESTED },
    { "total_tokens", MODELGUARD_COUNT_TOTAL },
    { "totalTokens", MODELGUARD_COUNT_TOTAL },
    { "totalTokenCount", MODELGUARD_COUNT_TOTAL },
    { "total_token_count", MODELGUARD_COUNT_TOTAL },
    { "prompt_tokens", MODELGUARD_COUNT_PROMPT },
    { "promptTokens", MODELGUARD_COUNT_PROMPT },
    { "promptTokenCount", MODELGUARD_COUNT_PROMPT },
    { "prompt_token_count", MODELGUARD_COUNT_PROMPT },
    { "prompt_eval_count", MODELGUARD_COUNT_PROMPT },
    { "tokens_evaluated", MODELGUARD_COUNT_PROMPT },
    { "inputTextTokenCount", MODELGUARD_COUNT_PROMPT },
    { "inputTokens", MODELGUARD_COUNT_PROMPT },
    { "inputTokenCount", MODELGUARD_COUNT_PROMPT },
    { "input_token_count", MODELGUARD_COUNT_PROMPT },
    { "input_tokens", MODELGUARD_COUNT_INPUT },
    { "cache_creation_input_tokens", MODELGUARD_COUNT_CREATED },
    { "cache_read_input_tokens", MODELGUARD_COUNT_READ },
    { "toolUsePromptTokenCount", MODELGUARD_COUNT_TOOLS },
    { "completion_tokens", MODELGUARD_COUNT_OUTPUT },
    { "completionTokens", MODELGUARD_COUNT_OUTPUT },
    { "output_tokens", MODELGUARD_COUNT_OUTPUT },
    { "outputTokens", MODELGUARD_COUNT_OUTPUT },
    { "outputTokenCount", MODELGUARD_COUNT_OUTPUT },
    { "output_token_count", MODELGUARD_COUNT_OUTPUT },
    { "candidatesTokenCount", MODELGUARD_COUNT_OUTPUT },
    { "thoughtsTokenCount", MODELGUARD_COUNT_THOUGHTS },
    { "eval_count", MODELGUARD_COUNT_OUTPUT },
    { "generated_tokens", MODELGUARD_COUNT_OUTPUT },
    { "tokens_predicted", MODELGUARD_COUNT_OUTPUT }
};

#define METER_NAMES  (sizeof(meter_names) / sizeof(meter_names[0]))


modelguard_count_e
modelguard_meter_count(const uint8_t *name, size_t len)
{
    size_t  i;

    for (i = 0; i < METER_NAMES; i++) {

        if (strlen(meter_names[i].name) == len
            && memcmp(meter_names[i].name, name, len) == 0)
        {
            return meter_names[i].count;
        }
    }

    return MODELGUARD_COUNT_NONE;
}


int
modelguard_meter_usage_build(modelguard_meter_rules_t **rules,
    const modelguard_path_t *const *paths, size_t n,
    modelguard_match_pt match, modelguard_alloc_pt alloc, void *data)
{
    int             rc;
    size_t          i;
    meter_build_t   build;

    build.alloc = alloc;
    build.data = data;
    build.n = 0;

    rc = (n == 0) ? meter_builtin(&build) : MODELGUARD_OK;

    for (i = 0; i < n && rc == MODELGUARD_OK; i++) {
        rc = meter_add(&build, paths[i], METER_USAGE, NULL);
    }

    return rc == MODELGUARD_OK ? meter_finish(&build, rules, match) : rc;
}


static int
meter_builtin(meter_build_t *build)
{
    int                 rc;
    size_t              i, at;
    const char         *error, *text;
    modelguard_path_t  *path;

    rc = MODELGUARD_OK;

    for (i = 0; meter_paths[i] != NULL && rc == MODELGUARD_OK; i++) {
        text = meter_paths[i];

        path = build->alloc(build->data, NULL, 0, sizeof(modelguard_path_t));
        if (path == NULL) {
            return MODELGUARD_NOMEM;
        }

        rc = modelguard_path_parse(path, (const uint8_t *) text, strlen(text),
                                   &error, &at);

        if (rc == MODELGUARD_OK) {
            rc = meter_add(build, path, METER_USAGE, NULL);
        }
    }

    return rc;
}


static int
meter_add(meter_build_t *build, const modelguard_path_t *path,
    meter_part_e part, modelguard_gauge_t *gauge)
{
    meter_tag_t                   *tag;
    const modelguard_path_step_t  *step;

    if (build->n == MODELGUARD_AUTOMATON_PATHS_MAX) {
        return MODELGUARD_TOO_BIG;
    }

    build->entries[build->n].path = path;
    build->entries[build->n].tag = (uint16_t) build->n;

    tag = &build->tags[build->n++];

    tag->gauge = gauge;
    tag->part = part;
    tag->count = MODELGUARD_COUNT_NONE;

    if (part != METER_USAGE || path->n == 0) {
        return MODELGUARD_OK;
    }

    step = &path->steps[path->n - 1];

    if (step->kind == MODELGUARD_PATH_MEMBER) {
        tag->count = modelguard_meter_count(step->name.data, step->name.len);
    }

    /* who names a number by its path means it */

    if (tag->count == MODELGUARD_COUNT_NONE
        || tag->count == MODELGUARD_COUNT_NESTED)
    {
        tag->count = MODELGUARD_COUNT_TOTAL;
    }

    return MODELGUARD_OK;
}


int
modelguard_meter_values_build(modelguard_meter_rules_t **rules,
    const modelguard_field_t *const *fields, size_t n,
    const modelguard_profile_t *profile, modelguard_match_pt match,
    modelguard_alloc_pt alloc, void *data)
{
    int                            rc;
    size_t                         i;
    meter_build_t                  build;
    modelguard_treatment_t         keep;
    const modelguard_treatment_t  *treatment;

    build.alloc = alloc;
    build.data = data;
    build.n = 0;

    modelguard_treatment_init(&keep);

    for (i = 0; i < n; i++) {
        treatment = profile ? &profile->treatments[fields[i]->role] : &keep;

        rc = meter_field(&build, fields[i], treatment);
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    return meter_finish(&build, rules, match);
}


static int
meter_field(meter_build_t *build, const modelguard_field_t *field,
    const modelguard_treatment_t *treatment)
{
    int                       rc;
    unsigned                  i;
    meter_part_e              part;
    modelguard_gauge_t       *gauge;
    const modelguard_path_t  *path;

    /* what is dropped is not there to be counted */

    if (field->role == MODELGUARD_ROLE_METADATA
        || field->role == MODELGUARD_ROLE_USAGE
        || field->role == MODELGUARD_ROLE_ITEMS
        || treatment->op == MODELGUARD_DROP
        || treatment->op == MODELGUARD_NULL)
    {
        return MODELGUARD_OK;
    }

    gauge = build->alloc(build->data, NULL, 0, sizeof(modelguard_gauge_t));
    if (gauge == NULL) {
        return MODELGUARD_NOMEM;
    }

    meter_gauge(gauge, field, treatment);

    part = (field->role == MODELGUARD_ROLE_LABEL) ? METER_LABEL : METER_VALUE;

    for (i = 0; i < field->npaths; i++) {
        path = field->paths[i];

        rc = meter_add(build, path, part, gauge);

        if (rc == MODELGUARD_OK && part == METER_VALUE && path->n
            && path->steps[path->n - 1].kind == MODELGUARD_PATH_ANY_MEMBER)
        {
            rc = meter_path(build, path, path->n - 1, NULL, METER_MAP, gauge);
        }

        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    if (field->encoding == MODELGUARD_ENCODING_JSON) {
        return meter_documents(build, field, gauge);
    }

    return field->nlabels ? meter_labels(build, field, treatment)
                          : MODELGUARD_OK;
}


/* of labels that stand for one another, one is counted */

static int
meter_labels(meter_build_t *build, const modelguard_field_t *field,
    const modelguard_treatment_t *treatment)
{
    modelguard_gauge_t  *gauge;

    gauge = build->alloc(build->data, NULL, 0, sizeof(modelguard_gauge_t));
    if (gauge == NULL) {
        return MODELGUARD_NOMEM;
    }

    meter_gauge(gauge, field, treatment);

    gauge->labels = 1;

    /* how many there were is known where none was hidden */

    if (field->classes == 0 && treatment->op != MODELGUARD_LABEL_ONLY
        && treatment->top == 0 && !treatment->min)
    {
        gauge->label = 0;
    }

    return meter_add(build, field->labels[0], METER_LABEL, gauge);
}


/* strings in an array, and documents that are in no string */

static int
meter_documents(meter_build_t *build, const modelguard_field_t *field,
    modelguard_gauge_t *gauge)
{
    int       rc;
    unsigned  i;

    rc = MODELGUARD_OK;

    for (i = 0; i < field->npaths && rc == MODELGUARD_OK; i++) {

        if (field->paths[i]->n + field->inside->n
            <= MODELGUARD_PATH_STEPS_MAX)
        {
            rc = meter_path(build, field->paths[i], field->paths[i]->n,
                            field->inside, METER_VALUE, gauge);
        }
    }

    return rc;
}


static void
meter_gauge(modelguard_gauge_t *gauge, const modelguard_field_t *field,
    const modelguard_treatment_t *treatment)
{
    uint32_t  unit;

    memset(gauge, 0, sizeof(modelguard_gauge_t));

    gauge->label = modelguard_meter_log2(field->classes
                                         ? field->classes
                                         : MODELGUARD_METER_CLASSES);

    gauge->top = (treatment->op == MODELGUARD_LABEL_ONLY);
    gauge->hides = (treatment->top || treatment->min);
    gauge->named = (field->nlabels != 0);
    gauge->colon = (field->encoding == MODELGUARD_ENCODING_STRING);
    gauge->base64 = (field->encoding == MODELGUARD_ENCODING_BASE64F32
                     || (field->role == MODELGUARD_ROLE_EMBEDDING
                         && field->encoding == MODELGUARD_ENCODING_NONE));
    gauge->packed = MODELGUARD_METER_FLOAT;

    /* see modelguard_guard_fill(); round=0 leaves no other numbers */

    gauge->fill = ((treatment->top || treatment->min)
                   && field->role == MODELGUARD_ROLE_LOGITS
                   && !(treatment->round && treatment->digits == 0)
                   && !(treatment->step && treatment->unit.digits == 0));

    if (treatment->step) {
        unit = modelguard_meter_log2((uint64_t) treatment->unit.unit);

        gauge->step = treatment->unit.digits * MODELGUARD_METER_DIGIT;
        gauge->step = (gauge->step > unit) ? gauge->step - unit : 0;
        gauge->stepped = 1;
        gauge->packed = gauge->step;

    } else if (treatment->round) {
        gauge->packed = treatment->digits * MODELGUARD_METER_DIGIT;
    }

    if (gauge->packed > MODELGUARD_METER_FLOAT) {
        gauge->packed = MODELGUARD_METER_FLOAT;
    }
}


/* the first "steps" steps of a path, and those of "more" */

static int
meter_path(meter_build_t *build, const modelguard_path_t *path,
    unsigned steps, const modelguard_path_t *more, meter_part_e part,
    modelguard_gauge_t *gauge)
{
    modelguard_path_t  *made;

    made = build->alloc(build->data, NULL, 0, sizeof(modelguard_path_t));
    if (made == NULL) {
        return MODELGUARD_NOMEM;
    }

    /* the names stay those of the two paths */

    memcpy(made, path, sizeof(modelguard_path_t));
    made->n = steps;

    if (more != NULL) {
        memcpy(&made->steps[steps], more->steps,
               more->n * sizeof(modelguard_path_step_t));
        made->n += more->n;
    }

    return meter_add(build, made, part, gauge);
}


static int
meter_finish(meter_build_t *build, modelguard_meter_rules_t **result,
    modelguard_match_pt match)
{
    int                        rc;
    size_t                     i, n, states;
    const uint16_t            *tags;
    modelguard_automaton_t    *automaton;
    modelguard_meter_rules_t  *rules;

    rules = build->alloc(build->data, NULL, 0,
                         sizeof(modelguard_meter_rules_t));
    if (rules == NULL) {
        return MODELGUARD_NOMEM;
    }

    rc = modelguard_automaton_build(&automaton, build->entries, build->n,
                                    match, build->alloc, build->data);
    if (rc != MODELGUARD_OK) {
        return rc;
    }

    states = modelguard_automaton_states(automaton);

    rules->automaton = automaton;
    rules->marks = build->alloc(build->data, NULL, 0,
                                states * sizeof(modelguard_meter_mark_t));
    if (rules->marks == NULL) {
        return MODELGUARD_NOMEM;
    }

    memset(rules->marks, 0, states * sizeof(modelguard_meter_mark_t));

    for (i = 0; i < states; i++) {
        n = modelguard_automaton_tags(automaton, (uint16_t) i, &tags);

        for ( /* void */ ; n; n--, tags++) {
            meter_mark(&rules->marks[i], &build->tags[*tags]);
        }
    }

    *result = rules;

    return MODELGUARD_OK;
}


/* of two fields at one place the first counts; labels of scores know more */

static void
meter_mark(modelguard_meter_mark_t *mark, const meter_tag_t *tag)
{
    switch (tag->part) {

    case METER_USAGE:

        if (!mark->usage) {
            mark->usage = 1;
            mark->count = (uint8_t) tag->count;
        }

        break;

    case METER_VALUE:

        if (mark->value == NULL) {
            mark->value = tag->gauge;
        }

        break;

    case METER_MAP:

        if (mark->map == NULL) {
            mark->map = tag->gauge;
        }

        break;

    default: /* METER_LABEL */

        if (mark->label == NULL
            || (tag->gauge->labels && !mark->label->labels))
        {
            mark->label = tag->gauge;
        }
    }
}
