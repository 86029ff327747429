
/*
 * Copyright (C) the modelguard authors
 *
 * What every test of the rewriter needs: rules from lines of text, a run
 * over a document cut in any way, and its output.
 *
 *     "scores $.p[*] label=$.l[*] | round=2 top=3; metadata $.v | drop"
 *
 * A line is a role, its paths and companions, "|", and the treatment.
 */


#ifndef REWRITE_KIT_H_INCLUDED
#define REWRITE_KIT_H_INCLUDED


#define PCRE2_CODE_UNIT_WIDTH  8
#include <pcre2.h>

#include "tap.h"
#include "modelguard_rewrite.h"


#define KIT_FIELDS  64


typedef struct {
    modelguard_field_t    fields[KIT_FIELDS];
    modelguard_profile_t  profile;
    size_t                n;
    modelguard_rules_t   *rules;
} kit_t;


typedef struct {
    unsigned char  *data;
    size_t          len;
    size_t          size;
    int             rc;
    unsigned        treated;
    unsigned        dropped;
} kit_out_t;


/* every allocation of the code under test, to prove that all is given back */

static size_t  kit_allocated;


static inline void *
kit_alloc(void *data, void *old, size_t old_size, size_t size)
{
    void  *p;

    (void) data;

    kit_allocated -= old_size;

    if (size == 0) {
        free(old);
        return NULL;
    }

    p = realloc(old, size);
    kit_allocated += size;

    return p;
}


/* what lives as long as the rules: kit_free() gives it back */

typedef struct kit_block_s  kit_block_t;

struct kit_block_s {
    kit_block_t  *next;
    kit_block_t  *prev;
};


static kit_block_t   kit_blocks = { &kit_blocks, &kit_blocks };
static pcre2_code   *kit_regexes[KIT_FIELDS];
static size_t        kit_nregexes;


static inline void *
kit_keep(void *data, void *old, size_t old_size, size_t size)
{
    kit_block_t  *block;

    (void) data;
    (void) old_size;

    block = NULL;

    if (old != NULL) {
        block = (kit_block_t *) old - 1;
        block->next->prev = block->prev;
        block->prev->next = block->next;
    }

    if (size == 0) {
        free(block);
        return NULL;
    }

    block = realloc(block, sizeof(kit_block_t) + size);

    block->next = &kit_blocks;
    block->prev = kit_blocks.prev;
    block->prev->next = block;
    kit_blocks.prev = block;

    return block + 1;
}


static inline void
kit_free(void)
{
    while (kit_blocks.next != &kit_blocks) {
        (void) kit_keep(NULL, kit_blocks.next + 1, 0, 0);
    }

    while (kit_nregexes) {
        pcre2_code_free(kit_regexes[--kit_nregexes]);
    }
}


static inline int
kit_match(const void *regex, const uint8_t *name, size_t len)
{
    int                rc;
    pcre2_match_data  *match;

    match = pcre2_match_data_create(1, NULL);
    rc = pcre2_match(regex, name, len, 0, 0, match, NULL);
    pcre2_match_data_free(match);

    if (rc == PCRE2_ERROR_NOMATCH) {
        return 0;
    }

    return rc >= 0 ? 1 : -1;
}


/* NULL: *error says why */

static inline modelguard_path_t *
kit_path_try(const char *text, size_t len, const char **error)
{
    int                 code;
    size_t              at;
    unsigned            i;
    PCRE2_SIZE          off;
    pcre2_code         *regex;
    modelguard_path_t  *path;

    path = kit_keep(NULL, NULL, 0, sizeof(modelguard_path_t));

    if (modelguard_path_parse(path, (const uint8_t *) text, len, error, &at)
        != MODELGUARD_OK)
    {
        return NULL;
    }

    for (i = 0; i < path->n; i++) {

        if (path->steps[i].kind != MODELGUARD_PATH_REGEX) {
            continue;
        }

        regex = kit_nregexes == KIT_FIELDS
                ? NULL : pcre2_compile(path->steps[i].name.data,
                                       path->steps[i].name.len, 0, &code,
                                       &off, NULL);

        if (regex == NULL) {
            *error = "a bad pattern, or too many";
            return NULL;
        }

        kit_regexes[kit_nregexes++] = regex;
        path->steps[i].regex = regex;
    }

    return path;
}


static inline modelguard_path_t *
kit_path(const char *text, size_t len)
{
    const char         *error;
    modelguard_path_t  *path;

    path = kit_path_try(text, len, &error);

    if (path == NULL) {
        printf("Bail out! path %.*s: %s\n", (int) len, text, error);
        exit(2);
    }

    return path;
}


static inline int
kit_word(modelguard_field_t *field, const char *word, size_t len,
    const char **error)
{
    size_t               n;
    modelguard_path_t  **to;

    if (len > 9 && memcmp(word, "encoding=", 9) == 0) {
        field->encoding = modelguard_encoding_parse((const uint8_t *) word + 9,
                                                    len - 9);
        *error = "a bad encoding";

        return field->encoding != MODELGUARD_ENCODINGS;
    }

    n = 0;

    if (len > 6 && memcmp(word, "label=", 6) == 0) {

        if (field->nlabels == MODELGUARD_FIELD_LABELS_MAX) {
            *error = "too many labels";
            return 0;
        }

        to = &field->labels[field->nlabels++];
        n = 6;

    } else if (len > 6 && memcmp(word, "shape=", 6) == 0) {
        to = &field->shape;
        n = 6;

    } else if (len > 9 && memcmp(word, "datatype=", 9) == 0) {
        to = &field->datatype;
        n = 9;

    } else if (len > 7 && memcmp(word, "inside=", 7) == 0) {
        to = &field->inside;
        n = 7;

    } else {

        if (field->npaths == KIT_FIELDS) {
            *error = "too many paths";
            return 0;
        }

        to = &field->paths[field->npaths++];
    }

    *to = kit_path_try(word + n, len - n, error);

    return *to != NULL;
}


/* one line, "*spec" becomes what is behind it */

static inline int
kit_line(kit_t *kit, const char **spec, const char **error)
{
    size_t                   len;
    const char              *p;
    modelguard_field_t      *field;
    modelguard_treatment_t   treatment;

    field = &kit->fields[kit->n++];
    field->paths = kit_keep(NULL, NULL, 0,
                            KIT_FIELDS * sizeof(modelguard_path_t *));

    p = *spec + strspn(*spec, " ;");
    len = strcspn(p, " ");
    field->role = modelguard_role_parse((const uint8_t *) p, len);

    for (p += len; /* void */ ; p += len) {
        p += strspn(p, " ");
        len = strcspn(p, " ");

        if (*p == '|') {
            break;
        }

        if (len == 0) {
            *error = "no \"|\"";
            return 0;
        }

        if (!kit_word(field, p, len, error)) {
            return 0;
        }
    }

    if (field->role == MODELGUARD_ROLES) {
        *error = "a bad role";
        return 0;
    }

    if (modelguard_field_check(field, error) != MODELGUARD_OK) {
        return 0;
    }

    modelguard_treatment_init(&treatment);

    for (p++; *p != '\0' && *p != ';'; p += len) {
        p += strspn(p, " ");
        len = strcspn(p, " ;");

        if (len
            && modelguard_treatment_add(&treatment, (const uint8_t *) p, len,
                                        error)
               != MODELGUARD_OK)
        {
            return 0;
        }
    }

    if (modelguard_treatment_check(&treatment, error) != MODELGUARD_OK
        || modelguard_profile_check(field->role, &treatment, error)
           != MODELGUARD_OK)
    {
        return 0;
    }

    kit->profile.treatments[field->role] = treatment;

    *spec = p + strspn(p, " ;");

    return 1;
}


/*
 * The spec must outlive the kit.  0: *error says why not; the kit is then to
 * be given back as well.
 */

static inline int
kit_try(kit_t *kit, const char *spec, const char **error)
{
    size_t                     i;
    const char                *p;
    const modelguard_field_t  *fields[KIT_FIELDS];

    memset(kit, 0, sizeof(kit_t));
    modelguard_profile_init(&kit->profile);

    for (p = spec; *p != '\0'; /* void */ ) {

        if (kit->n == KIT_FIELDS) {
            *error = "too many fields";
            return 0;
        }

        if (!kit_line(kit, &p, error)) {
            return 0;
        }
    }

    for (i = 0; i < kit->n; i++) {
        fields[i] = &kit->fields[i];
    }

    return modelguard_rules_build(&kit->rules, fields, kit->n, &kit->profile,
                                  kit_match, kit_keep, NULL, error)
           == MODELGUARD_OK;
}


static inline void
kit_bail(const char *what, const char *spec, const char *error)
{
    printf("Bail out! %s in \"%s\": %s\n", what, spec, error);
    exit(2);
}


static inline void
kit_build(kit_t *kit, const char *spec)
{
    const char  *error;

    if (!kit_try(kit, spec, &error)) {
        kit_bail("rules", spec, error);
    }
}


static inline int
kit_sink(void *data, const uint8_t *bytes, size_t len)
{
    kit_out_t  *out;

    out = data;

    if (out->len + len > out->size) {
        out->size = (out->len + len) * 2;
        out->data = realloc(out->data, out->size);
    }

    memcpy(out->data + out->len, bytes, len);
    out->len += len;

    return MODELGUARD_OK;
}


static inline modelguard_rewrite_t *
kit_create(const kit_t *kit, kit_out_t *out, unsigned depth, size_t hold)
{
    modelguard_rewrite_conf_t  conf;

    memset(out, 0, sizeof(kit_out_t));

    conf.rules = kit->rules;
    conf.depth = depth;
    conf.hold = hold;
    conf.sink = kit_sink;
    conf.sink_data = out;
    conf.alloc = kit_alloc;
    conf.alloc_data = NULL;

    return modelguard_rewrite_create(&conf);
}


/* one piece, placed right before a page that must not be touched */

static inline int
kit_feed(modelguard_rewrite_t *rw, const unsigned char *bytes, size_t len)
{
    int             rc;
    unsigned char  *copy;

    copy = guard_copy(bytes, len);

    rc = modelguard_rewrite_feed(rw, copy, len);

    memset(copy, 0xee, len);
    guard_free(copy, len);

    return rc;
}


/*
 * The document in a first piece, if that is to have any bytes, and in pieces
 * of "step" bytes: the first error, or that of the end.
 */

static inline int
kit_feed_all(modelguard_rewrite_t *rw, const char *doc, size_t len,
    size_t first, size_t step)
{
    int     rc;
    size_t  at, n;

    rc = MODELGUARD_OK;

    for (at = 0; at < len && rc == MODELGUARD_OK; at += n) {
        n = (at == 0 && first) ? first : step;
        n = n < len - at ? n : len - at;

        rc = kit_feed(rw, (const unsigned char *) doc + at, n);
    }

    return rc == MODELGUARD_OK ? modelguard_rewrite_finish(rw) : rc;
}


/*
 * Runs over the document cut at "n" ascending offsets.  out->data is the
 * caller's to free.
 */

static inline void
kit_run(const kit_t *kit, kit_out_t *out, const unsigned char *doc,
    size_t len, const size_t *cuts, size_t n)
{
    int                    rc;
    size_t                 i, at;
    modelguard_rewrite_t  *rw;

    rw = kit_create(kit, out, MODELGUARD_DEPTH_DEFAULT,
                    MODELGUARD_HOLD_DEFAULT);
    rc = MODELGUARD_OK;
    at = 0;

    for (i = 0; i < n && rc == MODELGUARD_OK; i++) {
        rc = kit_feed(rw, doc + at, cuts[i] - at);
        at = cuts[i];
    }

    if (rc == MODELGUARD_OK) {
        rc = kit_feed(rw, doc + at, len - at);
    }

    if (rc == MODELGUARD_OK) {
        rc = modelguard_rewrite_finish(rw);
    }

    out->rc = rc;
    out->treated = (unsigned) modelguard_rewrite_stat(rw)->treated;
    out->dropped = (unsigned) modelguard_rewrite_stat(rw)->dropped;

    modelguard_rewrite_free(rw);
}


/* the same, one byte at a time */

static inline void
kit_run_bytes(const kit_t *kit, kit_out_t *out, const unsigned char *doc,
    size_t len)
{
    size_t   i, *cuts;

    cuts = malloc((len + 1) * sizeof(size_t));

    for (i = 0; i < len; i++) {
        cuts[i] = i;
    }

    kit_run(kit, out, doc, len, cuts, len);

    free(cuts);
}


/*
 * Whole, in bytes, cut in two at every offset: the same result code and, if
 * it is good, the same output.  Returns the number of ways that differ.
 */

static inline unsigned
kit_split(const kit_t *kit, const unsigned char *doc, size_t len,
    kit_out_t *whole)
{
    size_t     at;
    unsigned   differ;
    kit_out_t  out;

    differ = 0;

    kit_run(kit, whole, doc, len, NULL, 0);

    for (at = 0; at <= len; at++) {

        if (at < len) {
            kit_run(kit, &out, doc, len, &at, 1);

        } else {
            kit_run_bytes(kit, &out, doc, len);
        }

        if (out.rc != whole->rc
            || (out.rc == MODELGUARD_OK
                && (out.len != whole->len
                    || (out.len
                        && memcmp(out.data, whole->data, out.len) != 0))))
        {
            differ++;

            printf("# cut at %zu of %zu: rc %d for %d: %.*s\n", at, len,
                   out.rc, whole->rc, (int) out.len, (char *) out.data);
        }

        free(out.data);
    }

    return differ;
}


#endif /* REWRITE_KIT_H_INCLUDED */
