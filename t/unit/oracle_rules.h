
/*
 * Copyright (C) the modelguard authors
 *
 * The rules of oracle_spec.h carried out on a whole tree.
 */


#ifndef ORACLE_RULES_H_INCLUDED
#define ORACLE_RULES_H_INCLUDED


#include "oracle_spec.h"


static inline int
rule_names(const rule_t *rule, const node_t *node)
{
    unsigned  i;

    for (i = 0; i < rule->npaths; i++) {

        if (path_matches(rule->paths[i], strlen(rule->paths[i]), node)) {
            return 1;
        }
    }

    return 0;
}


/* drop wins, then null, then the first */

static inline void
oracle_name(const oracle_t *oracle, node_t *node)
{
    size_t         i;
    unsigned       r;
    const rule_t  *rule, *best;

    best = NULL;

    for (r = 0; r < oracle->n; r++) {
        rule = &oracle->rules[r];

        if (rule->treat.keep || !rule_names(rule, node)) {
            continue;
        }

        if (best == NULL || (rule->treat.drop && !best->treat.drop)
            || (rule->treat.null && !best->treat.drop && !best->treat.null))
        {
            best = rule;
        }
    }

    node->rule = best;

    if (best != NULL && (best->treat.null || best->treat.drop)) {
        node->cut = best->treat.drop && node->parent != NULL;
        tree_set(node, NODE_LITERAL, "null");
        node->rule = NULL;

        return;
    }

    for (i = 0; i < node->nkids; i++) {
        oracle_name(oracle, node->kids[i]);
    }
}


/* the rule that names the numbers right in this array, through itself */

static inline const rule_t *
array_rule(const node_t *node)
{
    if (node == NULL || node->type != NODE_ARRAY) {
        return NULL;
    }

    return node->rule != NULL ? node->rule : array_rule(node->parent);
}


static inline const rule_t *
number_rule(const node_t *node)
{
    const rule_t  *rule;

    rule = array_rule(node->parent);

    return rule != NULL ? rule : node->rule;
}


static inline int
path_is_parallel(const char *path)
{
    return strlen(path) > 3 && strcmp(path + strlen(path) - 3, "[*]") == 0;
}


static inline const node_t *
ancestor(const node_t *node, const char *path, size_t len)
{
    for ( /* void */ ; node != NULL; node = node->parent) {

        if (path_matches(path, len, node)) {
            break;
        }
    }

    return node;
}


/* the element of "top" that the node is in */

static inline node_t *
element_of(node_t *node, const node_t *top)
{
    while (node->parent != top) {
        node = node->parent;
    }

    return node;
}


/*
 * The container whose numbers are one vector with this one, NULL: none.
 * "ranges" is 1 if its elements are cut, 2 if its members are.
 */

static inline const node_t *
vector_of(const node_t *node, const rule_t *rule, int *ranges)
{
    size_t         len;
    const char    *path;
    const node_t  *top;

    *ranges = 0;

    if (array_rule(node->parent) == rule) {
        return node->parent;
    }

    path = rule->paths[0];
    len = strlen(path);

    if (node->parent != NULL && node->parent->type == NODE_OBJECT
        && path[len - 1] == '*' && path[len - 2] == '.')
    {
        *ranges = 2;
        return node->parent;
    }

    if (!rule_has_records(rule)) {
        return NULL;
    }

    len = rule_records(rule);

    for (top = node->parent; top != NULL; top = top->parent) {

        if (top->type == NODE_ARRAY && path_matches(path, len, top)) {
            *ranges = !rule->shared;
            return top;
        }
    }

    return NULL;
}


/* all nodes that a path names below "top", in order */

static inline size_t
tree_find(node_t *node, const char *path, size_t len, node_t **found, size_t n)
{
    size_t  i;

    if (!node->cut && path_matches(path, len, node)) {
        found[n++] = node;
    }

    for (i = 0; i < node->nkids && n < 64; i++) {
        n = tree_find(node->kids[i], path, len, found, n);
    }

    return n;
}


static inline void
vector_write(oracle_t *oracle, node_t **nodes, size_t n, const rule_t *rule,
    int ranges)
{
    char     text[DEC_TEXT];
    item_t  *items;
    size_t   i;

    items = calloc(n + 1, sizeof(item_t));

    for (i = 0; i < n; i++) {
        items[i].text = nodes[i]->text;
    }

    item_decide(items, n, &rule->treat, ranges);

    oracle->vectors++;

    if (item_properties(items, n, &rule->treat, ranges)) {
        oracle->bad++;
        printf("# the oracle is wrong about a vector of %zu\n", n);
    }

    for (i = 0; i < n; i++) {
        nodes[i]->done = items[i].hidden ? 2 : 1;

        if (!items[i].raw) {
            dec_text(&items[i].sent, text);
            free(nodes[i]->text);
            nodes[i]->text = strdup(text);
            nodes[i]->len = strlen(text);
            nodes[i]->big = items[i].big || strlen(text) > 100;
        }
    }

    free(items);
}


/* cuts the elements of which no number is kept */

static inline void
vector_cut(const node_t *top, node_t **nodes, size_t n, int ranges)
{
    int     hidden;
    size_t  i, j, kept, numbers;

    hidden = 0;

    for (i = 0; i < n; i++) {
        hidden |= (nodes[i]->done == 2);
    }

    for (j = 0; j < top->nkids && hidden; j++) {
        kept = 0;
        numbers = 0;

        for (i = 0; i < n; i++) {

            if (element_of(nodes[i], top) == top->kids[j]) {
                numbers++;
                kept += (nodes[i]->done != 2);
            }
        }

        if (kept == 0 && (numbers || ranges == 1)) {
            top->kids[j]->cut = 1;
        }
    }
}


static inline void
vector_parallel(const node_t *group, const rule_t *rule, const node_t *top)
{
    size_t    i, j, n, len;
    node_t   *found[64];
    unsigned  r;

    for (r = 0; r < rule->nlabels; r++) {
        len = strlen(rule->labels[r]) - 3;
        n = tree_find((node_t *) (uintptr_t) group, rule->labels[r], len,
                      found, 0);

        for (i = 0; i < n; i++) {

            if (found[i]->type != NODE_ARRAY) {
                continue;
            }

            for (j = 0; j < found[i]->nkids && j < top->nkids; j++) {
                found[i]->kids[j]->cut |= top->kids[j]->cut;
            }
        }
    }
}


/* the group of an array and of what stands at another path, or NULL */

static inline node_t *
group_of(const node_t *top, const rule_t *rule, const char *other)
{
    size_t  common;

    if (other[0] == '\0' || top == NULL || top->rule != rule) {
        return NULL;
    }

    common = path_common(rule->paths[0], other);

    return (node_t *) (uintptr_t) ancestor(top, rule->paths[0], common);
}


/* the numbers in a row of the tensor, 0 for all of them; -1: class numbers */

static inline long
vector_row(const node_t *top, const rule_t *rule)
{
    long           row;
    char           text[DEC_TEXT];
    dec_t          value;
    size_t         i, n;
    node_t        *found[64], *group;
    const node_t  *named;

    for (named = top; named != NULL && named->rule != rule; /* void */) {
        named = named->parent;
    }

    group = group_of(named, rule, rule->datatype);

    if (group != NULL) {
        n = tree_find(group, rule->datatype, strlen(rule->datatype), found,
                      0);

        if (n && found[0]->type == NODE_STRING
            && (strncmp(found[0]->text, "INT", 3) == 0
                || strncmp(found[0]->text, "UINT", 4) == 0
                || strncmp(found[0]->text, "BOOL", 4) == 0))
        {
            return -1;
        }
    }

    group = group_of(top, rule, rule->shape);

    if (group == NULL) {
        return 0;
    }

    n = tree_find(group, rule->shape, strlen(rule->shape), found, 0);
    row = 0;

    for (i = 0; n && found[0]->type == NODE_ARRAY && i < found[0]->nkids; i++) {

        if (found[0]->kids[i]->type == NODE_NUMBER) {
            dec_parse(&value, found[0]->kids[i]->text);
            dec_round(&value, 0);
            dec_text(&value, text);
            row = strlen(text) > 17 ? 0 : atol(text);
        }
    }

    return row < 0 ? 0 : row;
}


/* whether the array is cut in parallel to others; they are in the group */

static inline node_t *
group_parallel(const node_t *top, const rule_t *rule)
{
    size_t     i, n;
    node_t    *group, *found[64];
    unsigned   r;

    if (rule->nlabels == 0 || !path_is_parallel(rule->labels[0])) {
        return NULL;
    }

    group = group_of(top, rule, rule->labels[0]);

    for (r = 0; r < rule->nlabels && group != NULL; r++) {

        n = tree_find(group, rule->labels[r], strlen(rule->labels[r]) - 3,
                      found, 0);

        for (i = 0; i < n; i++) {

            if (found[i]->type == NODE_ARRAY) {
                return group;
            }
        }
    }

    return NULL;
}


/* decides the vector that the first of these numbers is in */

static inline void
oracle_vector(oracle_t *oracle, node_t **all, size_t n, const rule_t *rule)
{
    int            ranges, other;
    long           row;
    size_t         i, m, len;
    node_t       **nodes, *group;
    const node_t  *top;

    ranges = 0;
    top = rule->vector ? vector_of(all[0], rule, &ranges) : NULL;

    nodes = calloc(n + 1, sizeof(node_t *));
    nodes[0] = all[0];
    m = 1;

    for (i = 1; i < n && top != NULL; i++) {

        if (!all[i]->done && number_rule(all[i]) == rule
            && vector_of(all[i], rule, &other) == top && other == ranges)
        {
            nodes[m++] = all[i];
        }
    }

    group = ranges ? NULL : group_parallel(top, rule);

    if (group != NULL) {
        ranges = 1;
    }

    if (ranges) {
        vector_write(oracle, nodes, m, rule, ranges);
        vector_cut(top, nodes, m, ranges);

        if (group != NULL) {
            vector_parallel(group, rule, top);
        }

        free(nodes);
        return;
    }

    row = vector_row(top, rule);

    for (i = 0; i < m; i += len) {
        len = (row > 0 && (size_t) row < m - i) ? (size_t) row : m - i;

        if (row >= 0) {
            vector_write(oracle, nodes + i, len, rule, 0);
        }
    }

    for (i = 0; i < m; i++) {
        nodes[i]->done = nodes[i]->done ? nodes[i]->done : 1;
    }

    free(nodes);
}


static inline size_t
oracle_numbers(node_t *node, node_t **all, size_t n)
{
    size_t  i;

    if (node->type == NODE_NUMBER && number_rule(node) != NULL) {
        all[n++] = node;
    }

    for (i = 0; i < node->nkids; i++) {
        n = oracle_numbers(node->kids[i], all, n);
    }

    return n;
}


static inline void
oracle_apply(oracle_t *oracle, node_t *root, size_t max)
{
    size_t    i, n;
    node_t  **all;

    oracle_name(oracle, root);

    all = calloc(max + 1, sizeof(node_t *));
    n = oracle_numbers(root, all, 0);

    for (i = 0; i < n; i++) {

        if (!all[i]->done) {
            oracle_vector(oracle, all + i, n - i, number_rule(all[i]));
        }
    }

    free(all);
}


#endif /* ORACLE_RULES_H_INCLUDED */
