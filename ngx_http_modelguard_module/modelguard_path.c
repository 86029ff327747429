
/*
 * Copyright (C) the modelguard authors
 *
 * The parser of field paths; see the grammar in the header.
 */


#include "modelguard_path.h"


typedef struct {
    modelguard_path_t  *path;
    const uint8_t      *text;
    size_t              len;
    size_t              pos;
    const char         *error;
    size_t              at;
} modelguard_path_parser_t;


static int modelguard_path_member(modelguard_path_parser_t *p);
static int modelguard_path_bare(modelguard_path_parser_t *p);
static int modelguard_path_bracket(modelguard_path_parser_t *p);
static int modelguard_path_index(modelguard_path_parser_t *p,
    modelguard_path_step_t *step);
static int modelguard_path_quoted(modelguard_path_parser_t *p,
    modelguard_path_step_t *step);
static modelguard_path_step_t *modelguard_path_step_add(
    modelguard_path_parser_t *p, modelguard_path_kind_e kind, size_t at);
static int modelguard_path_name_add(modelguard_path_parser_t *p,
    modelguard_path_step_t *step, size_t at, uint8_t c);
static size_t modelguard_path_word(const uint8_t *text, size_t len);
static modelguard_path_kind_e modelguard_path_word_kind(const uint8_t *word,
    size_t len);
static int modelguard_path_fail(modelguard_path_parser_t *p, size_t at,
    const char *error);


int
modelguard_path_parse(modelguard_path_t *path, const uint8_t *text,
    size_t len, const char **error, size_t *at)
{
    int                       rc;
    size_t                    n;
    modelguard_path_parser_t  p;

    p.path = path;
    p.text = text;
    p.len = len;
    p.pos = 0;
    p.error = NULL;
    p.at = 0;

    path->n = 0;
    path->size = 0;

    if (len == 0) {
        rc = modelguard_path_fail(&p, 0, "empty path");

    } else if (text[0] == '$') {
        p.pos = 1;
        rc = MODELGUARD_OK;

    } else {
        n = modelguard_path_word(text, len);

        if (n == 0
            || modelguard_path_word_kind(text, n) != MODELGUARD_PATH_MEMBER)
        {
            rc = modelguard_path_fail(&p, 0,
                                   "a path begins with \"$\" or a bare name");

        } else {
            rc = modelguard_path_bare(&p);
        }
    }

    while (rc == MODELGUARD_OK && p.pos < len) {

        if (text[p.pos] == '.') {
            rc = modelguard_path_member(&p);

        } else if (text[p.pos] == '[') {
            rc = modelguard_path_bracket(&p);

        } else {
            rc = modelguard_path_fail(&p, p.pos, "\".\" or \"[\" expected");
        }
    }

    if (rc != MODELGUARD_OK) {
        *error = p.error;
        *at = p.at;
    }

    return rc;
}


int
modelguard_path_step_equal(const modelguard_path_step_t *a,
    const modelguard_path_step_t *b)
{
    if (a->kind != b->kind) {
        return 0;
    }

    if (a->kind == MODELGUARD_PATH_INDEX) {
        return a->index == b->index;
    }

    if (a->kind == MODELGUARD_PATH_MEMBER || a->kind == MODELGUARD_PATH_REGEX)
    {
        return a->name.len == b->name.len
               && memcmp(a->name.data, b->name.data, a->name.len) == 0;
    }

    return 1;
}


/* "." and what follows it */

static int
modelguard_path_member(modelguard_path_parser_t *p)
{
    size_t                   start;
    modelguard_path_step_t  *step;

    p->pos++;

    if (p->pos == p->len || p->text[p->pos] != '~') {
        return modelguard_path_bare(p);
    }

    p->pos++;
    start = p->pos;

    if (start == p->len) {
        return modelguard_path_fail(p, start, "empty pattern");
    }

    step = modelguard_path_step_add(p, MODELGUARD_PATH_REGEX, start - 2);
    if (step == NULL) {
        return MODELGUARD_INVALID;
    }

    for ( /* void */ ; p->pos < p->len; p->pos++) {
        if (modelguard_path_name_add(p, step, start, p->text[p->pos])
            != MODELGUARD_OK)
        {
            return MODELGUARD_INVALID;
        }
    }

    return MODELGUARD_OK;
}


/* a name without quotes, "*" or "**" */

static int
modelguard_path_bare(modelguard_path_parser_t *p)
{
    size_t                   i, n, start;
    const uint8_t           *word;
    modelguard_path_kind_e   kind;
    modelguard_path_step_t  *step;

    start = p->pos;
    word = &p->text[start];
    n = modelguard_path_word(word, p->len - start);
    p->pos += n;

    if (p->pos < p->len && p->text[p->pos] != '.' && p->text[p->pos] != '[') {
        return modelguard_path_fail(p, p->pos,
                         "a name with this character must be in [\"quotes\"]");
    }

    if (n == 0) {
        return modelguard_path_fail(p, start, "name expected");
    }

    kind = modelguard_path_word_kind(word, n);

    step = modelguard_path_step_add(p, kind, start);
    if (step == NULL) {
        return MODELGUARD_INVALID;
    }

    if (kind != MODELGUARD_PATH_MEMBER) {
        return MODELGUARD_OK;
    }

    for (i = 0; i < n; i++) {
        if (modelguard_path_name_add(p, step, start, word[i])
            != MODELGUARD_OK)
        {
            return MODELGUARD_INVALID;
        }
    }

    return MODELGUARD_OK;
}


static int
modelguard_path_bracket(modelguard_path_parser_t *p)
{
    int                      rc;
    size_t                   start;
    uint8_t                  c;
    modelguard_path_step_t  *step;

    start = p->pos++;

    /* the kind is set right below */

    step = modelguard_path_step_add(p, MODELGUARD_PATH_ANY_ELEMENT, start);
    if (step == NULL) {
        return MODELGUARD_INVALID;
    }

    if (p->pos == p->len) {
        return modelguard_path_fail(p, start, "unclosed bracket");
    }

    c = p->text[p->pos];
    rc = MODELGUARD_OK;

    if (c == '*') {
        p->pos++;

    } else if (c >= '0' && c <= '9') {
        step->kind = MODELGUARD_PATH_INDEX;
        rc = modelguard_path_index(p, step);

    } else if (c == '"') {
        step->kind = MODELGUARD_PATH_MEMBER;
        rc = modelguard_path_quoted(p, step);

    } else if (c == '~') {
        p->pos++;
        step->kind = MODELGUARD_PATH_REGEX;
        rc = modelguard_path_quoted(p, step);

    } else {
        return modelguard_path_fail(p, p->pos,
                           "\"*\", an index or a \"quoted\" name expected");
    }

    if (rc != MODELGUARD_OK) {
        return rc;
    }

    if (p->pos == p->len) {
        return modelguard_path_fail(p, start, "unclosed bracket");
    }

    if (p->text[p->pos] != ']') {
        return modelguard_path_fail(p, p->pos, "\"]\" expected");
    }

    p->pos++;

    return MODELGUARD_OK;
}


static int
modelguard_path_index(modelguard_path_parser_t *p,
    modelguard_path_step_t *step)
{
    size_t   start;
    uint8_t  c;

    start = p->pos;

    for ( /* void */ ; p->pos < p->len; p->pos++) {
        c = p->text[p->pos];

        if (c < '0' || c > '9') {
            break;
        }

        step->index = step->index * 10 + (uint32_t) (c - '0');

        if (step->index > MODELGUARD_PATH_INDEX_MAX) {
            return modelguard_path_fail(p, start, "index over 65535");
        }
    }

    return MODELGUARD_OK;
}


static int
modelguard_path_quoted(modelguard_path_parser_t *p,
    modelguard_path_step_t *step)
{
    size_t   start;
    uint8_t  c;

    start = p->pos;

    if (p->pos == p->len || p->text[p->pos] != '"') {
        return modelguard_path_fail(p, start, "quote expected");
    }

    for (p->pos++; p->pos < p->len; p->pos++) {
        c = p->text[p->pos];

        if (c == '"') {
            p->pos++;

            if (step->kind == MODELGUARD_PATH_REGEX && step->name.len == 0) {
                return modelguard_path_fail(p, start, "empty pattern");
            }

            return MODELGUARD_OK;
        }

        if (c == '\\') {
            p->pos++;

            if (p->pos == p->len) {
                break;
            }

            c = p->text[p->pos];

            if (c != '"' && c != '\\') {
                return modelguard_path_fail(p, p->pos - 1,
                                     "only \\\" and \\\\ are escapes");
            }
        }

        if (modelguard_path_name_add(p, step, start, c) != MODELGUARD_OK) {
            return MODELGUARD_INVALID;
        }
    }

    return modelguard_path_fail(p, start, "unclosed quote");
}


static modelguard_path_step_t *
modelguard_path_step_add(modelguard_path_parser_t *p,
    modelguard_path_kind_e kind, size_t at)
{
    modelguard_path_t       *path;
    modelguard_path_step_t  *step;

    path = p->path;

    if (path->n == MODELGUARD_PATH_STEPS_MAX) {
        (void) modelguard_path_fail(p, at, "more than 16 steps");
        return NULL;
    }

    step = &path->steps[path->n++];

    step->kind = kind;
    step->index = 0;
    step->name.data = &path->names[path->size];
    step->name.len = 0;
    step->regex = NULL;

    return step;
}


/* the name grows at the end of path->names: it is the last step's */

static int
modelguard_path_name_add(modelguard_path_parser_t *p,
    modelguard_path_step_t *step, size_t at, uint8_t c)
{
    modelguard_path_t  *path;

    path = p->path;

    if (step->name.len == MODELGUARD_PATH_NAME_MAX) {
        return modelguard_path_fail(p, at,
                                    step->kind == MODELGUARD_PATH_REGEX
                                    ? "pattern longer than 255 bytes"
                                    : "name longer than 255 bytes");
    }

    if (path->size == sizeof(path->names)) {
        return modelguard_path_fail(p, at,
                                    "names longer than 1024 bytes together");
    }

    path->names[path->size++] = c;
    step->name.len++;

    return MODELGUARD_OK;
}


/* the bytes before anything that a bare name cannot have */

static size_t
modelguard_path_word(const uint8_t *text, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        switch (text[i]) {

        case '.':
        case '[':
        case ']':
        case '"':
        case '~':
        case ' ':
        case '\t':
        case '\r':
        case '\n':
            return i;

        default:
            break;
        }
    }

    return len;
}


static modelguard_path_kind_e
modelguard_path_word_kind(const uint8_t *word, size_t len)
{
    if (len == 1 && word[0] == '*') {
        return MODELGUARD_PATH_ANY_MEMBER;
    }

    if (len == 2 && word[0] == '*' && word[1] == '*') {
        return MODELGUARD_PATH_ANY_DEPTH;
    }

    return MODELGUARD_PATH_MEMBER;
}


static int
modelguard_path_fail(modelguard_path_parser_t *p, size_t at,
    const char *error)
{
    p->at = at;
    p->error = error;

    return MODELGUARD_INVALID;
}
