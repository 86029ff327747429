
/*
 * Copyright (C) the modelguard authors
 *
 * A document as a tree, made by jansson.  jansson would damage numbers, so
 * each is put into a string first, behind a mark; places in the tree are
 * matched with field paths by a naive recursion.
 */


#ifndef ORACLE_TREE_H_INCLUDED
#define ORACLE_TREE_H_INCLUDED


#define PCRE2_CODE_UNIT_WIDTH  8
#include <pcre2.h>

#include <jansson.h>

#include "oracle_vector.h"


#define TREE_MARK  "\\u0001"


typedef enum {
    NODE_OBJECT = 0,
    NODE_ARRAY,
    NODE_STRING,
    NODE_NUMBER,
    NODE_LITERAL
} node_type_e;


typedef struct node_s  node_t;

struct node_s {
    node_type_e   type;
    char         *text;              /* of a scalar, with its terminator */
    size_t        len;
    char         *key;               /* in an object */
    size_t        index;             /* in its container */
    node_t       *parent;
    node_t      **kids;
    size_t        nkids;

    /* what the transformation does */

    int           cut;
    const void   *rule;              /* whose path ends here */
    int           done;              /* a number that was dealt with */
    int           big;               /* compared by value */
};


/* the document with every number outside of strings made a marked string */

static inline char *
tree_quote(const char *doc, size_t len, size_t *size)
{
    int     string, number;
    char   *out, *p;
    size_t  i;

    out = malloc(len * 12 + 16);
    p = out;
    string = 0;
    number = 0;

    for (i = 0; i < len; i++) {

        if (string) {
            *p++ = doc[i];

            if (doc[i] == '\\' && i + 1 < len) {
                *p++ = doc[++i];

            } else if (doc[i] == '"') {
                string = 0;
            }

            continue;
        }

        if (number && strchr(" \t\r\n,]}:", doc[i]) != NULL) {
            *p++ = '"';
            number = 0;
        }

        if (!number && doc[i] != '\0' && strchr("-0123456789NI", doc[i])) {
            p += sprintf(p, "\"%s", TREE_MARK);
            number = 1;
        }

        string = (doc[i] == '"');
        *p++ = doc[i];
    }

    if (number) {
        *p++ = '"';
    }

    *size = (size_t) (p - out);

    return out;
}


static inline node_t *
tree_node(const json_t *json, node_t *parent, const char *key, size_t index)
{
    void        *iter;
    node_t      *node;
    size_t       i;
    const char  *word;

    node = calloc(1, sizeof(node_t));
    node->parent = parent;
    node->index = index;
    node->key = key ? strdup(key) : NULL;

    switch (json_typeof(json)) {

    case JSON_OBJECT:
        node->type = NODE_OBJECT;
        node->kids = calloc(json_object_size(json) + 1, sizeof(node_t *));

        for (iter = json_object_iter((json_t *) (uintptr_t) json);
             iter != NULL;
             iter = json_object_iter_next((json_t *) (uintptr_t) json, iter))
        {
            i = node->nkids++;
            node->kids[i] = tree_node(json_object_iter_value(iter), node,
                                      json_object_iter_key(iter), i);
        }

        return node;

    case JSON_ARRAY:
        node->type = NODE_ARRAY;
        node->nkids = json_array_size(json);
        node->kids = calloc(node->nkids + 1, sizeof(node_t *));

        for (i = 0; i < node->nkids; i++) {
            node->kids[i] = tree_node(json_array_get(json, i), node, NULL, i);
        }

        return node;

    case JSON_STRING:
        word = json_string_value(json);
        node->len = json_string_length(json);
        node->type = NODE_STRING;

        if (node->len && word[0] == '\1') {
            node->type = NODE_NUMBER;
            node->len--;
            word++;
        }

        break;

    default:
        word = json_is_true(json) ? "true"
                                  : json_is_false(json) ? "false" : "null";
        node->len = strlen(word);
        node->type = NODE_LITERAL;
    }

    node->text = malloc(node->len + 1);
    memcpy(node->text, word, node->len);
    node->text[node->len] = '\0';

    return node;
}


/* NULL: not JSON, or a key stands twice in an object */

static inline node_t *
tree_parse(const char *doc, size_t len)
{
    char          *quoted;
    size_t         size;
    json_t        *json;
    node_t        *node;
    json_error_t   error;

    quoted = tree_quote(doc, len, &size);

    json = json_loadb(quoted, size, JSON_DECODE_ANY | JSON_ALLOW_NUL
                                    | JSON_REJECT_DUPLICATES, &error);
    free(quoted);

    if (json == NULL) {
        return NULL;
    }

    node = tree_node(json, NULL, NULL, 0);
    json_decref(json);

    return node;
}


static inline void
tree_free(node_t *node)
{
    size_t  i;

    for (i = 0; i < node->nkids; i++) {
        tree_free(node->kids[i]);
    }

    free(node->kids);
    free(node->text);
    free(node->key);
    free(node);
}


static inline void
tree_set(node_t *node, node_type_e type, const char *text)
{
    size_t  i;

    for (i = 0; i < node->nkids; i++) {
        tree_free(node->kids[i]);
    }

    free(node->kids);
    free(node->text);

    node->kids = NULL;
    node->nkids = 0;
    node->type = type;
    node->text = strdup(text);
    node->len = strlen(text);
}


static inline node_t *
tree_member(const node_t *object, const char *key)
{
    size_t  i;

    for (i = 0; i < object->nkids; i++) {

        if (!object->kids[i]->cut && object->kids[i]->key != NULL
            && strcmp(object->kids[i]->key, key) == 0)
        {
            return object->kids[i];
        }
    }

    return NULL;
}


/* "wanted", with its cuts, beside the tree "got", where nothing is cut */

static inline int
tree_equal(const node_t *wanted, const node_t *got)
{
    dec_t          a, b;
    size_t         i, n;
    const node_t  *other;

    if (wanted->type != got->type) {
        return 0;
    }

    if (wanted->type > NODE_ARRAY) {

        if (wanted->big) {
            dec_parse(&a, wanted->text);
            dec_parse(&b, got->text);

            return dec_compare(&a, &b) == 0;
        }

        return wanted->len == got->len
               && memcmp(wanted->text, got->text, got->len) == 0;
    }

    for (n = 0, i = 0; i < wanted->nkids; i++) {

        if (wanted->kids[i]->cut) {
            continue;
        }

        if (wanted->type == NODE_OBJECT) {
            other = tree_member(got, wanted->kids[i]->key);

        } else {
            other = n < got->nkids ? got->kids[n] : NULL;
        }

        if (other == NULL || !tree_equal(wanted->kids[i], other)) {
            return 0;
        }

        n++;
    }

    return n == got->nkids;
}


/*
 * The last step of a path's text, which "*len" is cut off before.  A pattern
 * is always the last, and has points and brackets of its own.
 */

static inline const char *
path_last(const char *path, size_t *len)
{
    size_t       i;
    const char  *pattern;

    pattern = strstr(path, ".~");

    if (pattern != NULL && pattern < path + *len) {
        *len = (size_t) (pattern - path);
        return pattern;
    }

    for (i = *len - 1; i > 1 && path[i] != '.' && path[i] != '['; i--) {
        /* void */
    }

    *len = i;

    return path + i;
}


static inline int
path_regex(const char *pattern, size_t len, const char *name)
{
    int                rc, code;
    PCRE2_SIZE         off;
    pcre2_code        *regex;
    pcre2_match_data  *match;

    regex = pcre2_compile((PCRE2_SPTR) pattern, len, 0, &code, &off, NULL);
    match = pcre2_match_data_create(1, NULL);

    rc = pcre2_match(regex, (PCRE2_SPTR) name, strlen(name), 0, 0, match,
                     NULL);

    pcre2_match_data_free(match);
    pcre2_code_free(regex);

    return rc >= 0;
}


/* whether the path, its first "len" bytes, names the node */

static inline int
path_matches(const char *path, size_t len, const node_t *node)
{
    size_t       size;
    const char  *step;

    if (len <= 1) {
        return node->parent == NULL;
    }

    size = len;
    step = path_last(path, &len);
    size -= len;

    if (size == 3 && memcmp(step, ".**", 3) == 0) {

        for ( /* void */ ; node != NULL; node = node->parent) {

            if (path_matches(path, len, node)) {
                return 1;
            }
        }

        return 0;
    }

    if (node->parent == NULL || !path_matches(path, len, node->parent)) {
        return 0;
    }

    if (step[0] == '[') {

        if (node->parent->type != NODE_ARRAY) {
            return 0;
        }

        return step[1] == '*' || (size_t) atoi(step + 1) == node->index;
    }

    if (node->parent->type != NODE_OBJECT) {
        return 0;
    }

    if (step[1] == '~') {
        return path_regex(step + 2, size - 2, node->key);
    }

    return (size == 2 && step[1] == '*')
           || (strlen(node->key) == size - 1
               && memcmp(node->key, step + 1, size - 1) == 0);
}


#endif /* ORACLE_TREE_H_INCLUDED */
