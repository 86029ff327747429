
/*
 * Copyright (C) the modelguard authors
 *
 * The look-ups in an automaton, and the frame of its building.
 */


#include "modelguard_automaton_build.h"


static uint16_t automaton_named(const modelguard_automaton_t *automaton,
    const modelguard_automaton_state_t *s, const uint8_t *name, size_t len);
static inline int automaton_equal(const uint8_t *a, const uint8_t *b,
    size_t len);
static inline uint32_t automaton_hash(const uint8_t *name, size_t len);


int
modelguard_automaton_build(modelguard_automaton_t **automaton,
    const modelguard_automaton_entry_t *entries, size_t n,
    modelguard_match_pt match, modelguard_alloc_pt alloc, void *data)
{
    int                            rc;
    modelguard_automaton_build_t  *b;

    *automaton = NULL;

    if (n > MODELGUARD_AUTOMATON_PATHS_MAX) {
        return MODELGUARD_TOO_BIG;
    }

    b = alloc(data, NULL, 0, sizeof(modelguard_automaton_build_t));
    if (b == NULL) {
        return MODELGUARD_NOMEM;
    }

    memset(b, 0, sizeof(modelguard_automaton_build_t));

    b->alloc = alloc;
    b->data = data;
    b->match = match;
    b->entries = entries;
    b->n = n;

    modelguard_automaton_symbols(b);

    rc = modelguard_automaton_run(b);

    if (rc == MODELGUARD_OK) {
        rc = modelguard_automaton_finish(b, automaton);
    }

    modelguard_automaton_release(b);

    (void) alloc(data, b, sizeof(modelguard_automaton_build_t), 0);

    return rc;
}


/* short names, as most are, without a call */

static inline int
automaton_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    size_t    i;
    uint32_t  low_a, low_b, high_a, high_b;
    uint64_t  first_a, first_b, last_a, last_b;

    if (len > 16) {
        return memcmp(a, b, len) == 0;
    }

    if (len < 8) {

        if (len >= 4) {
            memcpy(&low_a, a, 4);
            memcpy(&low_b, b, 4);
            memcpy(&high_a, a + len - 4, 4);
            memcpy(&high_b, b + len - 4, 4);

            return ((low_a ^ low_b) | (high_a ^ high_b)) == 0;
        }

        for (i = 0; i < len; i++) {

            if (a[i] != b[i]) {
                return 0;
            }
        }

        return 1;
    }

    memcpy(&first_a, a, 8);
    memcpy(&first_b, b, 8);
    memcpy(&last_a, a + len - 8, 8);
    memcpy(&last_b, b + len - 8, 8);

    return ((first_a ^ first_b) | (last_a ^ last_b)) == 0;
}


uint16_t
modelguard_automaton_member(const modelguard_automaton_t *automaton,
    uint16_t state, const uint8_t *name, size_t len)
{
    const modelguard_automaton_state_t  *s;

    s = &automaton->states[state];

    /* most names can be none that is spelled out: their length is no one's */

    if (s->npatterns == 0 && (s->lengths >> (len % 32) & 1) == 0) {
        return automaton->targets[s->targets];
    }

    return automaton_named(automaton, s, name, len);
}


static uint16_t
automaton_named(const modelguard_automaton_t *automaton,
    const modelguard_automaton_state_t *s, const uint8_t *name, size_t len)
{
    int                                 subset;
    uint32_t                            hash, i;
    const modelguard_automaton_slot_t  *slots;

    if ((s->lengths >> (len % 32) & 1) != 0
        && len <= MODELGUARD_PATH_NAME_MAX)
    {
        slots = &automaton->slots[s->slots];
        hash = automaton_hash(name, len);

        for (i = hash & s->mask;
             slots[i].target != MODELGUARD_AUTOMATON_DEAD;
             i = (i + 1) & s->mask)
        {
            if (slots[i].hash == hash && slots[i].len == len
                && automaton_equal(slots[i].data, name, len))
            {
                return slots[i].target;
            }
        }
    }

    if (s->npatterns == 0) {
        return automaton->targets[s->targets];
    }

    if (len > MODELGUARD_PATH_NAME_MAX) {
        return MODELGUARD_AUTOMATON_UNDECIDED;
    }

    subset = modelguard_automaton_subset(automaton->match,
                                         &automaton->patterns[s->patterns],
                                         s->npatterns, name, len);
    if (subset < 0) {
        return MODELGUARD_AUTOMATON_UNDECIDED;
    }

    return automaton->targets[s->targets + (uint32_t) subset];
}


uint16_t
modelguard_automaton_element(const modelguard_automaton_t *automaton,
    uint16_t state, uint32_t index)
{
    uint32_t                             low, high, middle;
    const modelguard_automaton_index_t  *indexes;
    const modelguard_automaton_state_t  *s;

    s = &automaton->states[state];
    indexes = &automaton->indexes[s->indexes];

    low = 0;
    high = s->nindexes;

    while (low < high) {
        middle = (low + high) / 2;

        if (indexes[middle].index == index) {
            return indexes[middle].target;
        }

        if (indexes[middle].index < index) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return s->element;
}


int
modelguard_automaton_uniform(const modelguard_automaton_t *automaton,
    uint16_t state, uint32_t index)
{
    const modelguard_automaton_state_t  *s;

    s = &automaton->states[state];

    /* indexes that lead where the others do are not listed */

    return s->nindexes == 0
           || index > automaton->indexes[s->indexes + s->nindexes - 1].index;
}


size_t
modelguard_automaton_tags(const modelguard_automaton_t *automaton,
    uint16_t state, const uint16_t **tags)
{
    const modelguard_automaton_state_t  *s;

    s = &automaton->states[state];

    *tags = &automaton->tags[s->tags];

    return s->ntags;
}


size_t
modelguard_automaton_states(const modelguard_automaton_t *automaton)
{
    return automaton->n;
}


int
modelguard_automaton_subset(modelguard_match_pt match,
    const void *const *patterns, unsigned n, const uint8_t *name, size_t len)
{
    int       rc, subset;
    unsigned  i;

    subset = 0;

    for (i = 0; i < n; i++) {
        rc = match(patterns[i], name, len);

        if (rc < 0) {
            return -1;
        }

        if (rc > 0) {
            subset |= 1 << i;
        }
    }

    return subset;
}


uint32_t
modelguard_automaton_hash(const uint8_t *name, size_t len)
{
    return automaton_hash(name, len);
}


static inline uint32_t
automaton_hash(const uint8_t *name, size_t len)
{
    size_t    i;
    uint32_t  low, high;
    uint64_t  hash, word;

    hash = len;

    for (i = 0; i + 8 < len; i += 8) {
        memcpy(&word, name + i, 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15;
        hash ^= hash >> 32;
    }

    /* the last bytes, some of them once more where that is one load */

    if (len >= 8) {
        memcpy(&word, name + len - 8, 8);

    } else if (len >= 4) {
        memcpy(&low, name, 4);
        memcpy(&high, name + len - 4, 4);
        word = (uint64_t) high << 32 | low;

    } else if (len) {
        word = (uint64_t) name[0] << 16 | (uint64_t) name[len / 2] << 8
               | name[len - 1];

    } else {
        word = 0;
    }

    hash = (hash ^ word) * 0x9e3779b97f4a7c15;
    hash = (hash ^ hash >> 32) * 0x9e3779b97f4a7c15;

    return (uint32_t) (hash >> 32);
}
