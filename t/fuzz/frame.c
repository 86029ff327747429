
/*
 * Copyright (C) the modelguard authors
 *
 * A fuzz target: a byte that chooses framing and rules, and a stream.
 *
 *     every cut gives the same frames and the same bytes
 *     with rules that keep all, all bytes come out, behind an error too
 *     events are what the reference of the unit tests makes of them
 */


#include "fuzz_json.h"
#include "frame_kit.h"
#include "frame_reference.h"


static const char *const  specs[] = {
    "scores $.p $.q[*].p | keep",
    "metadata $.m $.q.m $.q[*].m $[*].m | drop",
    "scores $.p | round=1",
    "scores $.r[*].score label=$.r[*].label | top=1; logprobs $.e | drop"
};


static void
check_cut(const kit_t *kit, const frame_out_t *whole,
    modelguard_framing_e framing, const uint8_t *text, size_t len,
    size_t first, size_t step)
{
    frame_out_t  out;

    frame_run(kit, &out, framing, text, len, first, step);

    /* a string that breaks off, with a number: either error may come first */

    if ((out.out.rc == MODELGUARD_UNTREATABLE
         && whole->out.rc == MODELGUARD_MALFORMED)
        || (out.out.rc == MODELGUARD_MALFORMED
            && whole->out.rc == MODELGUARD_UNTREATABLE))
    {
        out.out.rc = whole->out.rc;
    }

    if (!frame_equal(whole, &out)) {
        fuzz_fail("cut at %zu, %zu: rc %d for %d, %zu frames for %zu, bad %u",
                  first, step, out.out.rc, whole->out.rc, out.n, whole->n,
                  out.bad);
    }

    frame_out_free(&out);
}


/* data of several lines comes out in the style of the first of them */

static int
is_joined(const uint8_t *text, size_t len)
{
    int             joined;
    size_t          i, lines;
    ref_event_t     event;
    const uint8_t  *p;

    joined = 0;

    for (p = text; p < text + len && !joined; /* void */ ) {
        p = ref_event(p, text + len, &event);

        for (lines = 0, i = 0; i < event.n; i++) {
            lines += event.lines[i].data;
        }

        joined = (lines > 1);
        ref_event_free(&event);
    }

    return joined;
}


/* what the reference is made for */

static int
is_plain(const uint8_t *text, size_t len)
{
    return memchr(text, '\0', len) == NULL && len < 2048;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    kit_t                 kit;
    size_t                which;
    frame_out_t           whole;
    modelguard_framing_e  framing;

    if (len == 0) {
        return -1;
    }

    fuzz_begin(data, len);

    which = (data[0] >> 1) % 4;
    framing = (data[0] & 1) ? MODELGUARD_FRAMING_SEQUENCE
                            : MODELGUARD_FRAMING_EVENTS;
    data++;
    len--;

    kit_build(&kit, specs[which]);

    frame_run(&kit, &whole, framing, data, len, len, 1);

    if (whole.bad) {
        fuzz_fail("bad %u", whole.bad);
    }

    if (which == 0
        && (framing == MODELGUARD_FRAMING_SEQUENCE || !is_joined(data, len))
        && !untouched(&whole, data, len))
    {
        fuzz_fail("kept, and not the same");
    }

    check_cut(&kit, &whole, framing, data, len, 0, 1 + len / 512);
    check_cut(&kit, &whole, framing, data, len, 0, 1 + fuzz_random(9));
    check_cut(&kit, &whole, framing, data, len, fuzz_random(len + 1), len + 1);

    if (framing == MODELGUARD_FRAMING_EVENTS && is_plain(data, len)
        && whole.out.rc == MODELGUARD_OK
        && !beside_reference(&kit, &whole, data, len,
                             memchr(data, '\r', len) == NULL))
    {
        fuzz_fail("not as the reference says");
    }

    frame_out_free(&whole);
    kit_free();

    if (kit_allocated) {
        fuzz_fail("%zu bytes are not given back", kit_allocated);
    }

    return 0;
}


/* a line is copied, removed, put in, or ended in another way */

static size_t
mutate_lines(uint8_t *data, size_t size, size_t max)
{
    size_t  at, end;

    static const char *const  lines[] = {
        "data: {\"p\":[0.123456,0.876544]}\n\n", "data: [DONE]\n\n",
        ": comment\n", "event: x\n", "id: 7\n", "\n", "\r", "\r\n", "data\n",
        "data:\n", "data:{\"m\":1,\ndata: \"p\":0.55555}\n\n", "\x1e",
        "{\"p\":0.98765}\n", "retry: 10\r\n", " data: 1\n", "\xef\xbb\xbf",
        "data: [\ndata: 1]\n", "0.25 ", "[0.5]", "data:  \n", "dat", "ata: "
    };

    at = fuzz_random(size + 1);

    while (at < size && at > 0 && data[at - 1] != '\n') {
        at++;
    }

    if (fuzz_random(2)) {
        return fuzz_splice_text(data, size, max, at, at, FUZZ_ANY(lines));
    }

    for (end = at; end < size && data[end] != '\n'; end++) { /* void */ }

    end += (end < size);

    switch (fuzz_random(3)) {

    case 0:
        return fuzz_splice(data, size, max, at, end, "", 0);

    case 1:
        return fuzz_splice(data, size, max, end, end, data + at, end - at);

    default:
        return end > at ? fuzz_splice_text(data, size, max, end - 1, end,
                                           fuzz_random(2) ? "\r" : "\r\n")
                        : size;
    }
}


size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    fuzz_reseed(seed);

    if (size < 2 || fuzz_random(12) == 0) {
        return LLVMFuzzerMutate(data, size, max);
    }

    if (fuzz_random(12) == 0) {
        data[0] = (uint8_t) fuzz_random(8);
    }

    if (fuzz_random(2)) {
        return 1 + mutate_lines(data + 1, size - 1, max - 1);
    }

    return 1 + fuzz_json_mutate(data + 1, size - 1, max - 1);
}
