
/*
 * Copyright (C) the modelguard authors
 *
 * Parameters from a line of text, and a body run through them, cut in any
 * way:
 *
 *     "$.n max=1; $.stream_options.include_usage set=true when=$.stream"
 */


#ifndef PARAM_H_INCLUDED
#define PARAM_H_INCLUDED


#include "rewrite_kit.h"
#include "modelguard_inspect.h"


#define PARAM_DEPTH  16
#define PARAM_OUT    65536


typedef struct {
    modelguard_param_t    list[MODELGUARD_PARAM_MAX];
    size_t                n;
    modelguard_params_t  *params;
} param_kit_t;


static inline const char *
param_word(modelguard_param_t *param, const char *word, size_t len)
{
    size_t                     n;
    const char                *p;
    static const char *const   ops[] = { "forbid", "max=", "require", "drop",
                                         "set=", "false" };

    for (n = 0; n < MODELGUARD_PARAM_OPS; n++) {
        p = ops[n];

        if (len >= strlen(p) && memcmp(word, p, strlen(p)) == 0) {
            param->op = (modelguard_param_op_e) n;
            param->value.data = (const uint8_t *) word + strlen(p);
            param->value.len = len - strlen(p);
            return word + len;
        }
    }

    if (len > 5 && memcmp(word, "when=", 5) == 0) {
        param->when = kit_path(word + 5, len - 5);
        return word + len;
    }

    kit_bail("word", word, "bad");

    return NULL;
}


/* the spec must outlive the kit */

static inline void
param_build(param_kit_t *kit, const char *spec)
{
    size_t               len;
    const char          *p, *error;
    modelguard_param_t  *param;

    memset(kit, 0, sizeof(param_kit_t));

    for (p = spec; *p; /* void */ ) {
        p += strspn(p, " ;");
        len = strcspn(p, " ;");

        param = &kit->list[kit->n++];
        param->path = kit_path(p, len);
        param->text.data = (const uint8_t *) p;
        param->text.len = len;

        for (p += len; *p && *p != ';'; /* void */ ) {
            p += strspn(p, " ");
            len = strcspn(p, " ;");

            if (len) {
                p = param_word(param, p, len);
            }
        }

        if (modelguard_param_check(param, &error) != MODELGUARD_OK) {
            kit_bail("param", spec, error);
        }
    }

    if (modelguard_params_build(&kit->params, kit->list, kit->n, NULL, 0,
                                kit_match, kit_keep, NULL)
        != MODELGUARD_OK)
    {
        kit_bail("params", spec, "bad");
    }
}


/* the body with its edits, as a string; -1 if they are not in order */

static inline int
param_apply(const modelguard_inspect_result_t *result, const char *body,
    size_t len, char *out)
{
    size_t                            i, at, n;
    const modelguard_inspect_edit_t  *edit;

    at = 0;
    n = 0;

    for (i = 0; i < result->nedits; i++) {
        edit = &result->edits[i];

        if (edit->offset < at || edit->offset + edit->len > len) {
            return -1;
        }

        memcpy(out + n, body + at, edit->offset - at);
        n += edit->offset - at;

        if (edit->text.len) {
            memcpy(out + n, edit->text.data, edit->text.len);
            n += edit->text.len;
        }

        at = edit->offset + edit->len;
    }

    memcpy(out + n, body + at, len - at);
    out[n + len - at] = '\0';

    return 0;
}


/*
 * The outcome as text: the new body, "!path" of what is violated, "#code" of
 * an error.  Pieces of "step" bytes after the first of "first".
 */

static inline void
param_run(const param_kit_t *kit, const char *body, size_t first, size_t step,
    char *out)
{
    int                           rc;
    size_t                        at, n, len;
    unsigned char                *copy;
    modelguard_inspect_t         *in;
    modelguard_inspect_result_t   result;

    in = modelguard_inspect_create(kit->params, PARAM_DEPTH, kit_alloc, NULL);
    len = strlen(body);
    rc = MODELGUARD_OK;

    for (at = 0; at < len && rc == MODELGUARD_OK; at += n) {
        n = (at == 0 && first) ? first : step;
        n = n < len - at ? n : len - at;

        copy = guard_copy(body + at, n);
        rc = modelguard_inspect_feed(in, copy, n);
        memset(copy, 0xee, n);
        guard_free(copy, n);
    }

    if (rc == MODELGUARD_OK) {
        rc = modelguard_inspect_finish(in, &result);

    } else if (modelguard_inspect_finish(in, &result) != rc) {
        rc = -1;
    }

    if (rc != MODELGUARD_OK) {
        sprintf(out, "#%d", rc);

    } else if (result.violated != MODELGUARD_INSPECT_PASSED) {
        sprintf(out, "!%.*s", (int) kit->list[result.violated].text.len,
                kit->list[result.violated].text.data);

    } else if (param_apply(&result, body, len, out) != 0) {
        strcpy(out, "edits in disorder");
    }

    modelguard_inspect_free(in);
}


#endif /* PARAM_H_INCLUDED */
