
/*
 * Copyright (C) the modelguard authors
 *
 * The sets of positions, their steps, and the arrays they are kept in.
 */


#include "modelguard_automaton_build.h"


static uint16_t modelguard_automaton_symbol(modelguard_automaton_build_t *b,
    size_t entry, unsigned step);
static int modelguard_automaton_add(modelguard_automaton_build_t *b,
    const modelguard_automaton_set_t *from);


static const size_t  modelguard_automaton_sizes[] = {
    sizeof(const void *),
    sizeof(modelguard_automaton_slot_t),
    sizeof(modelguard_automaton_state_t),
    sizeof(modelguard_automaton_index_t),
    sizeof(uint16_t),
    sizeof(uint16_t),
    sizeof(modelguard_automaton_set_t),
    sizeof(uint32_t)
};


void
modelguard_automaton_symbols(modelguard_automaton_build_t *b)
{
    size_t                        i;
    unsigned                      j;
    const modelguard_path_t      *source;
    modelguard_automaton_path_t  *path;

    for (i = 0; i < b->n; i++) {
        source = b->entries[i].path;
        path = &b->paths[i];

        for (j = 0; j < source->n; j++) {
            switch (source->steps[j].kind) {

            case MODELGUARD_PATH_ANY_MEMBER:
                path->any_member |= 1u << j;
                break;

            case MODELGUARD_PATH_ANY_ELEMENT:
                path->any_element |= 1u << j;
                break;

            case MODELGUARD_PATH_ANY_DEPTH:
                path->any_depth |= 1u << j;
                break;

            default:  /* a member, a pattern or an index */
                path->symbols[j] = modelguard_automaton_symbol(b, i, j);
            }
        }
    }
}


static uint16_t
modelguard_automaton_symbol(modelguard_automaton_build_t *b, size_t entry,
    unsigned step)
{
    size_t                         i;
    unsigned                       j;
    const modelguard_path_t       *path;
    const modelguard_path_step_t  *a, *c;

    a = &b->entries[entry].path->steps[step];

    for (i = 0; i <= entry; i++) {
        path = b->entries[i].path;

        for (j = 0; j < path->n; j++) {
            c = &path->steps[j];

            if (i == entry && j == step) {
                break;
            }

            if (modelguard_path_step_equal(a, c)
                || (a->kind == MODELGUARD_PATH_REGEX && a->kind == c->kind
                    && a->regex != NULL && a->regex == c->regex))
            {
                return b->paths[i].symbols[j];
            }
        }
    }

    return (uint16_t) (entry * MODELGUARD_PATH_STEPS_MAX + step);
}


uint32_t
modelguard_automaton_close(const modelguard_automaton_path_t *path,
    uint32_t mask)
{
    uint32_t  deep;

    do {
        deep = mask;
        mask |= (mask & path->any_depth) << 1;
    } while (mask != deep);

    deep = mask & path->any_depth;

    if (deep == 0) {
        return mask;
    }

    /*
     * Whatever earlier positions may accept has a tail that the last "**"
     * accepts, and so it accepts the whole: they add nothing but states.
     */

    while ((deep & (deep - 1)) != 0) {
        deep &= deep - 1;
    }

    return mask & ~(deep - 1);
}


int
modelguard_automaton_intern(modelguard_automaton_build_t *b, uint32_t n,
    uint16_t *state)
{
    uint32_t                           i, hash;
    const uint32_t                    *words;
    modelguard_automaton_set_t         set;
    const modelguard_automaton_set_t  *sets;

    sets = b->arrays[MODELGUARD_AUTOMATON_SETS].data;
    words = b->arrays[MODELGUARD_AUTOMATON_WORDS].data;

    hash = 0;

    for (i = 0; i < n; i++) {
        hash = (hash ^ b->next[i]) * 0x9e3779b1;
        hash ^= hash >> 15;
    }

    for (i = hash % MODELGUARD_AUTOMATON_BUCKETS;
         b->buckets[i] != 0;
         i = (i + 1) % MODELGUARD_AUTOMATON_BUCKETS)
    {
        set = sets[b->buckets[i]];

        if (set.hash == hash && set.n == n
            && memcmp(&words[set.first], b->next, n * sizeof(uint32_t)) == 0)
        {
            *state = b->buckets[i];
            return MODELGUARD_OK;
        }
    }

    if (b->arrays[MODELGUARD_AUTOMATON_SETS].n
        == MODELGUARD_AUTOMATON_STATES_MAX)
    {
        return MODELGUARD_TOO_BIG;
    }

    *state = (uint16_t) b->arrays[MODELGUARD_AUTOMATON_SETS].n;
    b->buckets[i] = *state;

    memset(&set, 0, sizeof(modelguard_automaton_set_t));

    set.n = n;
    set.hash = hash;

    return modelguard_automaton_add(b, &set);
}


static int
modelguard_automaton_add(modelguard_automaton_build_t *b,
    const modelguard_automaton_set_t *from)
{
    uint16_t                            *tag;
    uint32_t                             i, word, accept, *words;
    modelguard_automaton_set_t          *set;
    modelguard_automaton_state_t        *s;
    const modelguard_automaton_entry_t  *entry;

    set = modelguard_automaton_push(b, MODELGUARD_AUTOMATON_SETS, 1);
    s = modelguard_automaton_push(b, MODELGUARD_AUTOMATON_STATES, 1);
    words = modelguard_automaton_push(b, MODELGUARD_AUTOMATON_WORDS,
                                      2 * from->n);

    if (set == NULL || s == NULL || words == NULL) {
        return MODELGUARD_NOMEM;
    }

    *set = *from;
    set->first = b->arrays[MODELGUARD_AUTOMATON_WORDS].n - 2 * set->n;

    memset(s, 0, sizeof(modelguard_automaton_state_t));
    s->tags = b->arrays[MODELGUARD_AUTOMATON_TAGS].n;

    for (i = 0; i < set->n; i++) {
        word = b->next[i];
        words[i] = word;

        entry = &b->entries[word >> MODELGUARD_AUTOMATON_BITS];
        accept = 1u << entry->path->n;

        if ((word & accept) != 0) {
            tag = modelguard_automaton_push(b, MODELGUARD_AUTOMATON_TAGS, 1);
            if (tag == NULL) {
                return MODELGUARD_NOMEM;
            }

            *tag = entry->tag;
            s->ntags++;
        }

        word &= ~accept;

        if ((word & MODELGUARD_AUTOMATON_MASK) != 0) {
            words[set->n + set->nlive++] = word;
            set->live_hash = (set->live_hash ^ word) * 0x9e3779b1;
            set->live_hash ^= set->live_hash >> 15;
        }
    }

    return MODELGUARD_OK;
}


void *
modelguard_automaton_push(modelguard_automaton_build_t *b,
    modelguard_automaton_array_e which, uint32_t n)
{
    void                          *p;
    size_t                         elt;
    uint32_t                       size;
    modelguard_automaton_array_t  *array;

    array = &b->arrays[which];
    elt = modelguard_automaton_sizes[which];

    if (array->data == NULL || n > array->size - array->n) {
        size = 2 * array->size + n + 64;

        p = b->alloc(b->data, array->data, array->size * elt, size * elt);
        if (p == NULL) {
            return NULL;
        }

        array->data = p;
        array->size = size;
    }

    p = (uint8_t *) array->data + array->n * elt;
    array->n += n;

    return p;
}


void
modelguard_automaton_release(modelguard_automaton_build_t *b)
{
    unsigned                       i;
    modelguard_automaton_array_t  *array;

    for (i = 0; i < MODELGUARD_AUTOMATON_ARRAYS; i++) {
        array = &b->arrays[i];

        if (array->data != NULL) {
            (void) b->alloc(b->data, array->data,
                            array->size * modelguard_automaton_sizes[i], 0);
        }
    }
}


int
modelguard_automaton_finish(modelguard_automaton_build_t *b,
    modelguard_automaton_t **automaton)
{
    void                          *parts[MODELGUARD_AUTOMATON_SETS];
    size_t                         size;
    uint8_t                       *p;
    unsigned                       i;
    modelguard_automaton_t        *a;
    modelguard_automaton_array_t  *arrays;

    arrays = b->arrays;
    size = sizeof(modelguard_automaton_t);

    for (i = 0; i < MODELGUARD_AUTOMATON_SETS; i++) {
        size += arrays[i].n * modelguard_automaton_sizes[i];
    }

    a = b->alloc(b->data, NULL, 0, size);
    if (a == NULL) {
        return MODELGUARD_NOMEM;
    }

    p = (uint8_t *) (a + 1);

    for (i = 0; i < MODELGUARD_AUTOMATON_SETS; i++) {
        size = arrays[i].n * modelguard_automaton_sizes[i];
        parts[i] = p;

        if (size != 0) {
            memcpy(p, arrays[i].data, size);
            p += size;
        }
    }

    a->n = arrays[MODELGUARD_AUTOMATON_STATES].n;
    a->match = b->match;
    a->patterns = parts[MODELGUARD_AUTOMATON_PATTERNS];
    a->slots = parts[MODELGUARD_AUTOMATON_SLOTS];
    a->states = parts[MODELGUARD_AUTOMATON_STATES];
    a->indexes = parts[MODELGUARD_AUTOMATON_INDEXES];
    a->targets = parts[MODELGUARD_AUTOMATON_TARGETS];
    a->tags = parts[MODELGUARD_AUTOMATON_TAGS];

    *automaton = a;

    return MODELGUARD_OK;
}
