
/*
 * Copyright (C) the modelguard authors
 *
 * What is dropped and set in random documents, against the same done by
 * another JSON library; the result must be JSON, and what was not named the
 * same.
 */


#include <jansson.h>

#include "param.h"


#define DOCUMENTS  800
#define TEXT       16384


typedef struct {
    char     text[TEXT];
    size_t   len;
} oracle_text_t;


static unsigned  oracle_seed = 20261122;


static const char  oracle_spec[] =
    "$.**.d drop; $.a.b.c set=[7]; $.a.b.e set={\"z\":1} when=$.w; "
    "$.l[*].n set=5; $.l[*].m drop; $.x[0] drop; $.x[2] drop; $.f drop; "
    "$.s set=null; $.b false";


static unsigned
oracle_random(unsigned n)
{
    oracle_seed = oracle_seed * 1103515245 + 12345;

    return (oracle_seed >> 16) % n;
}


static void
oracle_put(oracle_text_t *t, const char *text)
{
    strcpy(t->text + t->len, text);
    t->len += strlen(text);
}


static void
oracle_space(oracle_text_t *t)
{
    static const char *const  spaces[] = { "", "", "", " ", "\n\t", "  " };

    oracle_put(t, spaces[oracle_random(6)]);
}


/* a name is written with an escape now and then */

static void
oracle_name(oracle_text_t *t, char name)
{
    char  text[16];

    if (oracle_random(8) == 0) {
        sprintf(text, "\"\\u%04x\"", name);

    } else {
        sprintf(text, "\"%c\"", name);
    }

    oracle_put(t, text);
}


static void
oracle_value(oracle_text_t *t, unsigned depth)
{
    char                      name;
    unsigned                  kind, n;
    static const char         names[] = "abcdeflmnswxzo";
    static const char *const  scalars[] = {
        "null", "true", "false", "0", "-1.5e3", "\"\"", "\"a,]}\\\"\"", "12"
    };

    kind = oracle_random(depth > 5 || t->len > TEXT / 4 ? 2 : 6);

    if (kind < 2 && depth > 0) {
        oracle_put(t, scalars[oracle_random(8)]);
        return;
    }

    oracle_put(t, kind == 5 ? "[" : "{");
    oracle_space(t);

    n = 0;

    for (name = 0; name < 14; name++) {

        if (oracle_random(3)) {
            continue;
        }

        if (n++) {
            oracle_put(t, ",");
            oracle_space(t);
        }

        if (kind != 5) {
            oracle_name(t, names[(unsigned) name]);
            oracle_space(t);
            oracle_put(t, ":");
            oracle_space(t);
        }

        oracle_value(t, depth + 1);
        oracle_space(t);
    }

    oracle_put(t, kind == 5 ? "]" : "}");
}


static void
oracle_drop(json_t *json)
{
    void        *next;
    size_t       i;
    json_t      *value;
    const char  *name;

    (void) json_object_del(json, "d");

    json_array_foreach(json, i, value) {
        oracle_drop(value);
    }

    json_object_foreach_safe(json, next, name, value) {
        oracle_drop(value);
    }
}


/* the object that is the member, made if need be */

static json_t *
oracle_object(json_t *json, const char *name)
{
    if (!json_is_object(json_object_get(json, name))) {
        json_object_set_new(json, name, json_object());
    }

    return json_object_get(json, name);
}


static int
oracle_true(json_t *json)
{
    if (json_is_number(json)) {
        return json_number_value(json) != 0;
    }

    return json != NULL && !json_is_false(json) && !json_is_null(json);
}


/* $.**.d is the first: what is in it is not looked at */

static void
oracle_apply(json_t *json)
{
    int      when;
    size_t   i;
    json_t  *value, *object;

    when = oracle_true(json_object_get(json, "w"));

    oracle_drop(json);

    if (json_is_array(json)) {
        return;
    }

    object = oracle_object(oracle_object(json, "a"), "b");
    json_object_set_new(object, "c", json_pack("[i]", 7));

    if (when) {
        json_object_set_new(object, "e", json_pack("{si}", "z", 1));
    }

    json_array_foreach(json_object_get(json, "l"), i, value) {

        if (json_is_object(value)) {
            json_object_set_new(value, "n", json_integer(5));
            (void) json_object_del(value, "m");
        }
    }

    value = json_object_get(json, "x");
    (void) json_array_remove(value, 2);
    (void) json_array_remove(value, 0);

    (void) json_object_del(json, "f");
    json_object_set_new(json, "s", json_null());

    value = json_object_get(json, "b");

    if (value && !json_is_null(value)) {
        json_object_set_new(json, "b", json_false());
    }
}


int
main(void)
{
    size_t                i, n;
    json_t               *json, *result;
    unsigned              bad, changed;
    param_kit_t           kit;
    oracle_text_t         t;
    static char           out[PARAM_OUT], cut[PARAM_OUT];

    param_build(&kit, oracle_spec);

    bad = 0;
    changed = 0;

    for (i = 0; i < DOCUMENTS && bad < 5; i++) {

        t.len = 0;
        oracle_value(&t, 0);

        json = json_loads(t.text, JSON_REJECT_DUPLICATES, NULL);

        if (json == NULL) {
            kit_bail("document", t.text, "bad");
        }

        oracle_apply(json);

        param_run(&kit, t.text, 0, t.len, out);

        result = json_loads(out, JSON_REJECT_DUPLICATES, NULL);

        n = oracle_random(60) + 1;
        param_run(&kit, t.text, oracle_random(3), n, cut);

        if (!json_equal(json, result) || strcmp(out, cut) != 0) {
            bad++;
            printf("# %s\n# %s\n# %s\n", t.text, out, cut);
        }

        changed += (strcmp(t.text, out) != 0);

        json_decref(json);
        json_decref(result);
    }

    ok(bad == 0 && i == DOCUMENTS, "%zu documents", i);
    ok(changed > DOCUMENTS / 2, "%u of them are changed", changed);
    ok(kit_allocated == 0, "all memory is given back");

    kit_free();

    return tap_done();
}
