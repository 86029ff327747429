
/*
 * Copyright (C) the modelguard authors
 *
 * The framing on every stream of the corpus, in pieces of many kinds: byte
 * for byte the same where nothing is to be changed, and beside the reference
 * of frame_reference.h where numbers are rounded.
 */


#include <dirent.h>

#include "frame_kit.h"
#include "frame_reference.h"


#define KEEP  "scores $.p $.q[*].p | keep"


static unsigned char *
corpus_file(const char *dir, const char *name, size_t *len)
{
    char            path[1024];
    FILE           *f;
    unsigned char  *text;

    snprintf(path, sizeof(path), "%s/responses/%s", dir, name);

    f = fopen(path, "rb");
    if (f == NULL) {
        return NULL;
    }

    text = malloc(1 << 20);
    *len = fread(text, 1, 1 << 20, f);
    fclose(f);

    return text;
}


/* each line alone, the simple way */

static int
beside_lines(const kit_t *kit, const frame_out_t *out,
    const unsigned char *text, size_t len)
{
    int                   same;
    kit_out_t             want, made;
    ref_line_t            line;
    const unsigned char  *p;

    memset(&want, 0, sizeof(want));

    for (p = text; p < text + len; /* void */ ) {
        p = ref_line(p, text + len, &line);

        if (line.len) {
            kit_run(kit, &made, line.text, line.len, NULL, 0);
            ref_put(&want, made.data, made.len);
            free(made.data);
        }

        ref_put(&want, line.text + line.len, line.term);
    }

    same = out->out.rc == MODELGUARD_OK && same_bytes(&want, &out->out);

    free(want.data);

    return same;
}


/* 1: as it should be; the treated numbers are counted */

static int
corpus_run(const char *spec, const char *name, const unsigned char *text,
    size_t len, unsigned *treated)
{
    int                   good, keep;
    kit_t                 kit;
    frame_out_t           out;
    modelguard_framing_e  framing;

    kit_build(&kit, spec);

    keep = (strstr(spec, "keep") != NULL);
    framing = strstr(name, ".sse") != NULL ? MODELGUARD_FRAMING_EVENTS
                                           : MODELGUARD_FRAMING_SEQUENCE;

    good = frame_split(&kit, &out, framing, text, len, len / 40 + 1, NULL)
           == 0;

    *treated += out.out.treated;

    if (keep && strstr(name, "torture") == NULL) {
        good &= out.out.rc == MODELGUARD_OK && untouched(&out, text, len);
    }

    good &= framing == MODELGUARD_FRAMING_EVENTS
            ? beside_reference(&kit, &out, text, len, 0)
            : beside_lines(&kit, &out, text, len);

    if (!good) {
        printf("# %s: rc %d, %zu of %zu bytes\n", name, out.out.rc,
               out.out.len, len);
    }

    frame_out_free(&out);
    kit_free();

    return good;
}


static void
test_corpus(void)
{
    DIR            *dir;
    char            path[1024];
    size_t          len;
    unsigned        files, bad, treated, kept;
    const char     *corpus;
    struct dirent  *entry;
    unsigned char  *text;

    static const char  round[] =
        "logprobs $.choices[*].logprobs.content[*].logprob"
        " $.choices[*].logprobs.token_logprobs[*] $.token.logprob"
        " $.logprobs[*].logprob | round=1; scores $.score | round=0";

    corpus = getenv("MODELGUARD_CORPUS");
    corpus = (corpus != NULL) ? corpus : "../shared/corpus";

    snprintf(path, sizeof(path), "%s/responses", corpus);

    dir = opendir(path);

    if (dir == NULL) {
        ok(1, "corpus # SKIP corpus not found");
        return;
    }

    files = 0;
    bad = 0;
    treated = 0;
    kept = 0;

    while ((entry = readdir(dir)) != NULL) {

        if (strstr(entry->d_name, ".sse") == NULL
            && strstr(entry->d_name, ".ndjson") == NULL)
        {
            continue;
        }

        text = corpus_file(corpus, entry->d_name, &len);

        if (text == NULL) {
            continue;
        }

        files++;
        bad += !corpus_run(KEEP, entry->d_name, text, len, &kept);
        bad += !corpus_run(round, entry->d_name, text, len, &treated);

        free(text);
    }

    closedir(dir);

    ok(bad == 0 && files > 20 && treated > 100 && kept == 0,
       "%u streams of the corpus, %u numbers rounded", files, treated);
}


int
main(void)
{
    test_corpus();

    ok(kit_allocated == 0, "all memory was given back");

    return tap_done();
}
