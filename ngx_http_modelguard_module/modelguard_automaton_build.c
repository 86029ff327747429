
/*
 * Copyright (C) the modelguard authors
 *
 * The subset construction: the transitions of each state in its turn.
 */


#include "modelguard_automaton_build.h"


static int modelguard_automaton_expand(modelguard_automaton_build_t *b,
    uint16_t state);
static int modelguard_automaton_share(modelguard_automaton_build_t *b,
    uint16_t state);
static int modelguard_automaton_gather(modelguard_automaton_build_t *b,
    uint16_t state);
static int modelguard_automaton_edge(modelguard_automaton_build_t *b,
    uint16_t state, unsigned step);
static int modelguard_automaton_others(modelguard_automaton_build_t *b,
    uint16_t state);
static int modelguard_automaton_names(modelguard_automaton_build_t *b,
    uint16_t state);
static int modelguard_automaton_elements(modelguard_automaton_build_t *b,
    uint16_t state);
static int modelguard_automaton_target(modelguard_automaton_build_t *b,
    const uint32_t *moved, unsigned symbol, unsigned subset, uint16_t *target);
static const modelguard_path_step_t *modelguard_automaton_step(
    const modelguard_automaton_build_t *b,
    const modelguard_automaton_edge_t *edge);


int
modelguard_automaton_run(modelguard_automaton_build_t *b)
{
    int        rc;
    size_t     i;
    uint16_t   state, *targets;
    uint32_t  *sets;

    rc = modelguard_automaton_intern(b, 0, &state);
    if (rc != MODELGUARD_OK) {
        return rc;
    }

    targets = modelguard_automaton_push(b, MODELGUARD_AUTOMATON_TARGETS, 1);
    if (targets == NULL) {
        return MODELGUARD_NOMEM;
    }

    targets[0] = MODELGUARD_AUTOMATON_DEAD;

    for (i = 0; i < b->n; i++) {
        b->next[i] = (uint32_t) i << MODELGUARD_AUTOMATON_BITS
                     | modelguard_automaton_close(&b->paths[i], 1);
    }

    rc = modelguard_automaton_intern(b, (uint32_t) b->n, &state);

    sets = &b->arrays[MODELGUARD_AUTOMATON_SETS].n;

    for (state = MODELGUARD_AUTOMATON_ROOT;
         rc == MODELGUARD_OK && state < *sets;
         state++)
    {
        rc = modelguard_automaton_expand(b, state);
    }

    return rc;
}


static int
modelguard_automaton_expand(modelguard_automaton_build_t *b, uint16_t state)
{
    int  rc;

    if (modelguard_automaton_share(b, state)) {
        return MODELGUARD_OK;
    }

    rc = modelguard_automaton_gather(b, state);
    if (rc != MODELGUARD_OK) {
        return rc;
    }

    rc = modelguard_automaton_others(b, state);
    if (rc != MODELGUARD_OK) {
        return rc;
    }

    rc = modelguard_automaton_names(b, state);
    if (rc != MODELGUARD_OK) {
        return rc;
    }

    return modelguard_automaton_elements(b, state);
}


/* 1: the state has taken the transitions of an earlier one */

static int
modelguard_automaton_share(modelguard_automaton_build_t *b, uint16_t state)
{
    uint16_t                       i;
    const uint32_t                *words;
    modelguard_automaton_set_t    *sets, *set;
    modelguard_automaton_state_t   saved, *states;

    sets = b->arrays[MODELGUARD_AUTOMATON_SETS].data;
    words = b->arrays[MODELGUARD_AUTOMATON_WORDS].data;
    states = b->arrays[MODELGUARD_AUTOMATON_STATES].data;

    set = &sets[state];

    for (i = 0; i < state; i++) {
        if (sets[i].live_hash == set->live_hash
            && sets[i].nlive == set->nlive
            && memcmp(&words[sets[i].first + sets[i].n],
                      &words[set->first + set->n],
                      set->nlive * sizeof(uint32_t))
               == 0)
        {
            saved = states[state];
            states[state] = states[i];
            states[state].tags = saved.tags;
            states[state].ntags = saved.ntags;

            return 1;
        }
    }

    return 0;
}


static int
modelguard_automaton_gather(modelguard_automaton_build_t *b, uint16_t state)
{
    int                                 rc;
    uint32_t                            i, mask;
    unsigned                            j;
    const uint32_t                     *words;
    const modelguard_automaton_set_t   *set;
    const modelguard_automaton_path_t  *path;

    set = b->arrays[MODELGUARD_AUTOMATON_SETS].data;
    set += state;
    words = b->arrays[MODELGUARD_AUTOMATON_WORDS].data;
    words += set->first + set->n;

    b->nwords = 0;
    b->nedges = 0;
    b->nnames = 0;
    b->nindexes = 0;
    b->npatterns = 0;

    for (i = 0; i < set->nlive; i++) {
        path = &b->paths[words[i] >> MODELGUARD_AUTOMATON_BITS];
        mask = words[i] & MODELGUARD_AUTOMATON_MASK;

        b->words[i] = words[i];
        b->member[i] = (mask & path->any_depth)
                       | (mask & path->any_member) << 1;
        b->element[i] = (mask & path->any_depth)
                        | (mask & path->any_element) << 1;
        b->nwords++;

        mask &= ~(path->any_depth | path->any_member | path->any_element);

        for (j = 0; mask >> j != 0; j++) {
            if ((mask >> j & 1) == 0) {
                continue;
            }

            rc = modelguard_automaton_edge(b, state, j);
            if (rc != MODELGUARD_OK) {
                return rc;
            }
        }
    }

    return MODELGUARD_OK;
}


/* adds the edge of a step of the last word */

static int
modelguard_automaton_edge(modelguard_automaton_build_t *b, uint16_t state,
    unsigned step)
{
    unsigned                       i;
    modelguard_automaton_edge_t   *edge;
    const modelguard_path_step_t  *source;

    edge = &b->edges[b->nedges++];

    edge->word = (uint16_t) (b->nwords - 1);
    edge->step = (uint8_t) step;
    edge->pattern = 0;

    i = b->words[edge->word] >> MODELGUARD_AUTOMATON_BITS;
    edge->symbol = b->paths[i].symbols[step];
    edge->repeated = (b->seen[edge->symbol] == state);
    b->seen[edge->symbol] = state;

    source = modelguard_automaton_step(b, edge);

    if (source->kind == MODELGUARD_PATH_MEMBER) {
        b->nnames += !edge->repeated;
        return MODELGUARD_OK;
    }

    if (source->kind == MODELGUARD_PATH_INDEX) {
        b->nindexes += !edge->repeated;
        return MODELGUARD_OK;
    }

    for (i = 0; i < b->npatterns; i++) {
        if (b->symbols[i] == edge->symbol) {
            break;
        }
    }

    if (i == MODELGUARD_AUTOMATON_REGEX_MAX) {
        return MODELGUARD_TOO_BIG;
    }

    if (i == b->npatterns) {
        b->symbols[i] = edge->symbol;
        b->regexes[i] = source->regex;
        b->npatterns++;
    }

    edge->pattern = (uint8_t) (1u << i);

    return MODELGUARD_OK;
}


/* the members whose names are not spelled out */

static int
modelguard_automaton_others(modelguard_automaton_build_t *b, uint16_t state)
{
    int                            rc;
    uint16_t                      *targets;
    uint32_t                       i, n;
    const void                   **patterns;
    modelguard_automaton_state_t  *s;

    n = 1u << b->npatterns;

    patterns = modelguard_automaton_push(b, MODELGUARD_AUTOMATON_PATTERNS,
                                         b->npatterns);
    targets = modelguard_automaton_push(b, MODELGUARD_AUTOMATON_TARGETS, n);

    if (patterns == NULL || targets == NULL) {
        return MODELGUARD_NOMEM;
    }

    s = b->arrays[MODELGUARD_AUTOMATON_STATES].data;
    s += state;

    s->npatterns = (uint16_t) b->npatterns;
    s->patterns = b->arrays[MODELGUARD_AUTOMATON_PATTERNS].n - b->npatterns;
    s->targets = b->arrays[MODELGUARD_AUTOMATON_TARGETS].n - n;

    for (i = 0; i < b->npatterns; i++) {
        patterns[i] = b->regexes[i];
    }

    /* new states move "s" */

    for (i = 0; i < n; i++) {
        rc = modelguard_automaton_target(b, b->member,
                                         MODELGUARD_AUTOMATON_NONE, i,
                                         &targets[i]);
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    return MODELGUARD_OK;
}


static int
modelguard_automaton_names(modelguard_automaton_build_t *b, uint16_t state)
{
    int                            rc, subset;
    uint16_t                       target;
    uint32_t                       i, k, size, hash;
    modelguard_automaton_slot_t   *slots;
    modelguard_automaton_state_t  *s;
    const modelguard_path_step_t  *step;

    if (b->nnames == 0) {
        return MODELGUARD_OK;
    }

    for (size = 2; size < 2 * b->nnames; size *= 2) { /* void */ }

    slots = modelguard_automaton_push(b, MODELGUARD_AUTOMATON_SLOTS, size);
    if (slots == NULL) {
        return MODELGUARD_NOMEM;
    }

    memset(slots, 0, size * sizeof(modelguard_automaton_slot_t));

    s = b->arrays[MODELGUARD_AUTOMATON_STATES].data;
    s += state;

    s->slots = b->arrays[MODELGUARD_AUTOMATON_SLOTS].n - size;
    s->mask = size - 1;

    for (i = 0; i < b->nedges; i++) {
        step = modelguard_automaton_step(b, &b->edges[i]);

        if (step->kind == MODELGUARD_PATH_MEMBER) {
            s->lengths |= 1u << step->name.len % 32;
        }
    }

    for (i = 0; i < b->nedges; i++) {
        step = modelguard_automaton_step(b, &b->edges[i]);

        if (step->kind != MODELGUARD_PATH_MEMBER || b->edges[i].repeated) {
            continue;
        }

        subset = modelguard_automaton_subset(b->match, b->regexes,
                                             b->npatterns, step->name.data,
                                             step->name.len);
        if (subset < 0) {
            return MODELGUARD_UNDECIDED;
        }

        rc = modelguard_automaton_target(b, b->member, b->edges[i].symbol,
                                         (unsigned) subset, &target);
        if (rc != MODELGUARD_OK) {
            return rc;
        }

        hash = modelguard_automaton_hash(step->name.data, step->name.len);

        for (k = hash & (size - 1);
             slots[k].target != MODELGUARD_AUTOMATON_DEAD;
             k = (k + 1) & (size - 1))
        {
            /* void */
        }

        slots[k].data = step->name.data;
        slots[k].hash = hash;
        slots[k].len = (uint16_t) step->name.len;
        slots[k].target = target;
    }

    return MODELGUARD_OK;
}


static int
modelguard_automaton_elements(modelguard_automaton_build_t *b, uint16_t state)
{
    int                            rc;
    uint16_t                       target, other;
    uint32_t                       i, k, n, first;
    modelguard_automaton_index_t  *indexes;
    modelguard_automaton_state_t  *s;
    const modelguard_path_step_t  *step;

    indexes = modelguard_automaton_push(b, MODELGUARD_AUTOMATON_INDEXES,
                                        b->nindexes);
    if (indexes == NULL) {
        return MODELGUARD_NOMEM;
    }

    first = b->arrays[MODELGUARD_AUTOMATON_INDEXES].n - b->nindexes;
    n = 0;

    rc = modelguard_automaton_target(b, b->element,
                                     MODELGUARD_AUTOMATON_NONE, 0, &other);

    for (i = 0; rc == MODELGUARD_OK && i < b->nedges; i++) {
        step = modelguard_automaton_step(b, &b->edges[i]);

        if (step->kind != MODELGUARD_PATH_INDEX || b->edges[i].repeated) {
            continue;
        }

        rc = modelguard_automaton_target(b, b->element, b->edges[i].symbol,
                                         0, &target);

        if (rc != MODELGUARD_OK || target == other) {
            continue;
        }

        for (k = n++; k > 0 && indexes[k - 1].index > step->index; k--) {
            indexes[k] = indexes[k - 1];
        }

        indexes[k].index = step->index;
        indexes[k].target = target;
    }

    b->arrays[MODELGUARD_AUTOMATON_INDEXES].n = first + n;

    s = b->arrays[MODELGUARD_AUTOMATON_STATES].data;
    s += state;

    s->indexes = first;
    s->nindexes = (uint16_t) n;
    s->element = other;

    return rc;
}


/*
 * The state of the positions moved to, and of those behind the edges that
 * have the symbol or one of the subset of patterns.
 */

static int
modelguard_automaton_target(modelguard_automaton_build_t *b,
    const uint32_t *moved, unsigned symbol, unsigned subset, uint16_t *target)
{
    uint32_t                            i, n, mask;
    const modelguard_automaton_edge_t  *edge;

    memcpy(b->next, moved, b->nwords * sizeof(uint32_t));

    for (i = 0; i < b->nedges; i++) {
        edge = &b->edges[i];

        if (edge->symbol == symbol || (edge->pattern & subset) != 0) {
            b->next[edge->word] |= 2u << edge->step;
        }
    }

    n = 0;

    for (i = 0; i < b->nwords; i++) {
        mask = modelguard_automaton_close(
                   &b->paths[b->words[i] >> MODELGUARD_AUTOMATON_BITS],
                   b->next[i]);

        if (mask != 0) {
            b->next[n++] = (b->words[i] & ~MODELGUARD_AUTOMATON_MASK) | mask;
        }
    }

    if (n == 0) {
        *target = MODELGUARD_AUTOMATON_DEAD;
        return MODELGUARD_OK;
    }

    return modelguard_automaton_intern(b, n, target);
}


static const modelguard_path_step_t *
modelguard_automaton_step(const modelguard_automaton_build_t *b,
    const modelguard_automaton_edge_t *edge)
{
    uint32_t  entry;

    entry = b->words[edge->word] >> MODELGUARD_AUTOMATON_BITS;

    return &b->entries[entry].path->steps[edge->step];
}
