
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_rules_inside.h"


static modelguard_path_t *inside_path(modelguard_insides_t *insides,
    const modelguard_path_t *prefix, modelguard_path_t *path);


static const char  *inside_names[] = {
    "", "string", "text", "base64f32", "json"
};


modelguard_encoding_e
modelguard_encoding_parse(const uint8_t *word, size_t len)
{
    unsigned  i;

    for (i = 1; i < MODELGUARD_ENCODINGS; i++) {

        if (strlen(inside_names[i]) == len
            && memcmp(inside_names[i], word, len) == 0)
        {
            break;
        }
    }

    return (modelguard_encoding_e) i;
}


int
modelguard_inside_check(const modelguard_field_t *field, const char **error)
{
    if (field->inside != NULL && field->encoding != MODELGUARD_ENCODING_JSON) {
        *error = "\"inside\" needs \"encoding=json\"";
        return MODELGUARD_INVALID;
    }

    if (field->encoding == MODELGUARD_ENCODING_NONE) {
        return MODELGUARD_OK;
    }

    if (field->role == MODELGUARD_ROLE_ITEMS) {
        *error = "it takes no \"encoding\"";
        return MODELGUARD_INVALID;
    }

    if (field->encoding == MODELGUARD_ENCODING_JSON) {

        if (field->inside == NULL) {
            *error = "\"encoding=json\" needs \"inside\"";
            return MODELGUARD_INVALID;
        }

        return MODELGUARD_OK;
    }

    if (field->role == MODELGUARD_ROLE_LABEL
        || field->role == MODELGUARD_ROLE_METADATA
        || field->role == MODELGUARD_ROLE_USAGE)
    {
        *error = "it takes no \"encoding\" but \"json\"";
        return MODELGUARD_INVALID;
    }

    if (field->encoding != MODELGUARD_ENCODING_STRING
        && (field->nlabels || field->shape != NULL || field->datatype != NULL))
    {
        *error = "\"encoding=text\" and \"encoding=base64f32\" exclude "
                 "\"label\", \"shape\" and \"datatype\"";
        return MODELGUARD_INVALID;
    }

    return MODELGUARD_OK;
}


int
modelguard_inside_treatment(const modelguard_field_t *field,
    const modelguard_treatment_t *treatment, const char **error)
{
    if (field->encoding == MODELGUARD_ENCODING_BASE64F32
        && (treatment->op == MODELGUARD_LABEL_ONLY || treatment->top
            || treatment->min || treatment->renormalize))
    {
        *error = "what is in base64 takes only \"keep\", \"drop\", \"null\", "
                 "\"round\" and \"step\"";
        return MODELGUARD_INVALID;
    }

    return MODELGUARD_OK;
}


modelguard_field_t *
modelguard_inside_field(modelguard_insides_t *insides,
    const modelguard_field_t *field, const modelguard_path_t *prefix)
{
    unsigned             i;
    modelguard_field_t  *made;

    made = insides->alloc(insides->data, NULL, 0, sizeof(modelguard_field_t));
    if (made == NULL) {
        return NULL;
    }

    memset(made, 0, sizeof(modelguard_field_t));

    made->role = field->role;
    made->npaths = 1;

    made->paths = insides->alloc(insides->data, NULL, 0,
                                 sizeof(modelguard_path_t *));
    if (made->paths == NULL) {
        return NULL;
    }

    made->paths[0] = inside_path(insides, prefix, field->inside);
    if (made->paths[0] == NULL) {
        return NULL;
    }

    for (i = 0; i < field->nlabels; i++) {

        made->labels[i] = inside_path(insides, prefix, field->labels[i]);
        if (made->labels[i] == NULL) {
            return NULL;
        }
    }

    made->nlabels = field->nlabels;

    if (field->shape != NULL) {

        made->shape = inside_path(insides, prefix, field->shape);
        if (made->shape == NULL) {
            return NULL;
        }
    }

    if (field->datatype != NULL) {

        made->datatype = inside_path(insides, prefix, field->datatype);
        if (made->datatype == NULL) {
            return NULL;
        }
    }

    return made;
}


modelguard_path_t *
modelguard_inside_elements(modelguard_insides_t *insides,
    const modelguard_path_t *path)
{
    modelguard_path_t  elements;

    memset(&elements, 0, sizeof(modelguard_path_t));

    elements.n = 1;
    elements.steps[0].kind = MODELGUARD_PATH_ANY_ELEMENT;

    return inside_path(insides, path, &elements);
}


static modelguard_path_t *
inside_path(modelguard_insides_t *insides, const modelguard_path_t *prefix,
    modelguard_path_t *path)
{
    modelguard_path_t  *joined;

    if (prefix == NULL) {
        return path;
    }

    if (prefix->n + path->n > MODELGUARD_PATH_STEPS_MAX) {
        insides->error = "a path has too many steps together with that inside";
        return NULL;
    }

    joined = insides->alloc(insides->data, NULL, 0, sizeof(modelguard_path_t));
    if (joined == NULL) {
        return NULL;
    }

    /* the names stay those of the two paths */

    memcpy(joined, prefix, sizeof(modelguard_path_t));
    memcpy(&joined->steps[prefix->n], path->steps,
           path->n * sizeof(modelguard_path_step_t));

    joined->n += path->n;

    return joined;
}


const modelguard_rule_t *
modelguard_inside_rule(modelguard_insides_t *insides,
    const modelguard_field_t *const *fields, size_t n, int *rc)
{
    modelguard_rules_t   *rules;
    modelguard_inside_t  *inside;

    for (inside = insides->list; inside != NULL; inside = inside->next) {

        if (inside->n == n
            && memcmp(inside->fields, fields,
                      n * sizeof(modelguard_field_t *)) == 0)
        {
            return &inside->rule;
        }
    }

    *rc = MODELGUARD_NOMEM;

    inside = insides->alloc(insides->data, NULL, 0,
                            sizeof(modelguard_inside_t));
    if (inside == NULL) {
        return NULL;
    }

    memset(inside, 0, sizeof(modelguard_inside_t));

    inside->fields = insides->alloc(insides->data, NULL, 0,
                                    n * sizeof(modelguard_field_t *));
    if (inside->fields == NULL) {
        return NULL;
    }

    memcpy(inside->fields, fields, n * sizeof(modelguard_field_t *));
    inside->n = n;

    *rc = modelguard_rules_build(&rules, fields, n, insides->profile,
                                 insides->match, insides->alloc,
                                 insides->data, &insides->error);
    if (*rc != MODELGUARD_OK) {
        return NULL;
    }

    inside->rule.encoding = MODELGUARD_ENCODING_JSON;
    inside->rule.inside = rules;

    inside->next = insides->list;
    insides->list = inside;

    return &inside->rule;
}
