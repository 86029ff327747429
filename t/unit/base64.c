
/*
 * Copyright (C) the modelguard authors
 *
 * Base64 in JSON strings: RFC 4648's vectors, both alphabets, padding,
 * escapes, and what is refused.
 */


#include "tap.h"
#include "modelguard_base64.h"


#define BYTES_MAX  400


/* decodes in pieces of "step" and encodes again; the length, or -1 */

static int
again(const char *text, size_t step, unsigned char *bytes, char *out)
{
    size_t               i, n, len, size;
    unsigned char       *copy;
    modelguard_base64_t  base64;

    size = strlen(text);
    copy = guard_copy(text, size);

    if (modelguard_base64_init(&base64, copy, size) != MODELGUARD_OK) {
        guard_free(copy, size);
        return -1;
    }

    len = 0;
    i = 0;

    do {
        n = modelguard_base64_decode(&base64, bytes + i, step);

        len += modelguard_base64_encode(&base64, bytes + i, n,
                                        (uint8_t *) out + len);
        i += n;

    } while (n == step);

    out[len] = '\0';

    guard_free(copy, size);

    return i == base64.bytes && len == base64.chars ? (int) i : -2;
}


static void
test_vectors(void)
{
    int            n;
    char           out[64];
    size_t         i, step;
    unsigned       bad;
    unsigned char  bytes[64];

    static const char  *vectors[][2] = {
        { "", "" }, { "Zg==", "f" }, { "Zm8=", "fo" }, { "Zm9v", "foo" },
        { "Zm9vYg==", "foob" }, { "Zm9vYmE=", "fooba" },
        { "Zm9vYmFy", "foobar" }, { "Zg", "f" }, { "Zm8", "fo" },
        { "Zm9vYg", "foob" }, { "Zm9vYmE", "fooba" },
        { "-_-_", "\373\377\277" }, { "+/+/", "\373\377\277" }
    };

    bad = 0;

    for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {

        for (step = 3; step <= 12; step += 3) {
            n = again(vectors[i][0], step, bytes, out);

            if (n != (int) strlen(vectors[i][1])
                || memcmp(bytes, vectors[i][1], (size_t) n) != 0
                || strcmp(out, vectors[i][0]) != 0)
            {
                bad++;
                printf("# %s: %d %s\n", vectors[i][0], n, out);
            }
        }
    }

    ok(bad == 0, "%zu texts are read and written", i);
}


static void
test_escapes(void)
{
    char           out[64];
    unsigned char  bytes[64];

    ok(again("\\/\\/\\/\\/", 3, bytes, out) == 3 && strcmp(out, "////") == 0,
       "a slash that is escaped");
    ok(again("\\u002B\\u002f\\u005A\\u003d", 3, bytes, out) == -1,
       "padding that does not fit, escaped");
    ok(again("\\u002B\\u002fA\\u003d", 3, bytes, out) == 2
       && strcmp(out, "+/A=") == 0, "escapes by number");
    ok(again("-_\\u002d\\u005f", 3, bytes, out) == 3
       && strcmp(out, "-_-_") == 0, "the other alphabet, escaped");
    ok(again("AAAAAAAA\\/AAAAAAAAAAAAAAA\\u002bAAA", 12, bytes, out) == 21
       && strcmp(out, "AAAAAAAA/AAAAAAAAAAAAAAA+AAA") == 0,
       "escapes between groups");
    ok(again("AA\\nAA", 3, bytes, out) == -1
       && again("AAA\\u00e9", 3, bytes, out) == -1
       && again("AAA\\u0141", 3, bytes, out) == -1
       && again("AAA\\\"", 3, bytes, out) == -1, "escapes that are no digit");
}


static void
test_refused(void)
{
    char           out[64];
    size_t         i;
    unsigned       bad;
    unsigned char  bytes[64];

    static const char  *refused[] = {
        "A", "AAAAA", "=", "==", "====", "A===", "AA=", "AA===", "AAA==",
        "AAAA=", "AAAA====", "AA=A", "AA==AAAA", "=AAA", "A A=", "AAA ",
        " AAA", "AAA\n", "AAA.", "AAA,", "AAA*", "+A-A", "/A_A", "-A/A",
        "A\303\251A", "AB==", "AB", "AAB=", "AAB", "Zh==", "AA\177A",
        "+AAAAAAAAAA-", "AAAAAAA-AAAAAAA+AAAAAAAA", "AAAAAAAAAAAAAAA*",
        "AAAAAAAA\\n\\nAAAAAAAA", "AAAAAAAAAB==", "AAAAAAAA=AAAAAAAAAAA"
    };

    bad = 0;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {

        if (again(refused[i], 3, bytes, out) != -1) {
            bad++;
            printf("# %s\n", refused[i]);
        }
    }

    ok(bad == 0, "%zu texts are refused", i);
}


static void
test_all(void)
{
    int                  n;
    char                 text[BYTES_MAX * 2], out[BYTES_MAX * 2];
    size_t               len;
    unsigned             i, bad, seed, way;
    unsigned char        bytes[BYTES_MAX], got[BYTES_MAX + 4];
    modelguard_base64_t  base64;

    seed = 1;
    bad = 0;

    for (len = 0; len < BYTES_MAX / 2; len++) {

        for (i = 0; i < len; i++) {
            seed = seed * 1103515245 + 12345;
            bytes[i] = (unsigned char) (seed >> 16);
        }

        /* a last group that tells the alphabet */

        bytes[len] = bytes[len + 1] = bytes[len + 2] = 0xff;

        for (way = 0; way < 4; way++) {
            base64.url = way & 1;
            base64.padded = way >> 1;

            text[modelguard_base64_encode(&base64, bytes, len + 3,
                                          (uint8_t *) text)] = '\0';

            n = again(text, 12, got, out);

            bad += (n != (int) len + 3
                    || memcmp(got, bytes, len + 3) != 0
                    || (strcmp(text, out) != 0));
        }
    }

    ok(bad == 0, "%d lengths, both alphabets, with and without padding",
       BYTES_MAX / 2);
}


int
main(void)
{
    test_vectors();
    test_escapes();
    test_refused();
    test_all();

    return tap_done();
}
