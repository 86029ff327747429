
/*
 * Copyright (C) the modelguard authors
 *
 * Mutations of a JSON text as a text of JSON: values, members and elements
 * are copied, moved, removed and wrapped, numbers and names changed.  It need
 * not be well-formed.
 */


#ifndef FUZZ_JSON_H_INCLUDED
#define FUZZ_JSON_H_INCLUDED


#include "fuzz.h"


#define FUZZ_SPANS  512
#define FUZZ_OPEN   128
#define FUZZ_TEXT   65536


typedef struct {
    size_t       first;              /* its name, if it has one */
    size_t       start;
    size_t       end;
} fuzz_span_t;


typedef struct {
    size_t       n;
    fuzz_span_t  spans[FUZZ_SPANS];
} fuzz_spans_t;


static const char *const  fuzz_scalars[] = {
    "0", "-0", "0.5", "0.987654321", "1e-7", "12345678901234567890.5",
    "1e309", "-1E+2", "0.125", "0.99999999999999999999", "NaN", "Infinity",
    "-Infinity", "null", "true", "false", "\"\"", "\"a\"", "[]", "{}",
    "\"\\ud83d\\ude00\"", "\"\\ud800\"", "\"\\u0000\"", "\"\xc3\xa9\"",
    "\"0.93:5:cat\"", "\"{0: 0.25, 1: 0.75}\"", "\"AACAPwAAAD8=\"",
    "\"{\\\"p\\\":[0.123456]}\"", "[0.25,0.75]", "3.14159265358979e0",
    "{\"score\":0.54321,\"label\":\"x\"}", "18446744073709551616"
};

static const char *const  fuzz_names[] = {
    "\"p\"", "\"score\"", "\"label\"", "\"m\"", "\"s\"", "\"l\"", "\"o\"",
    "\"data\"", "\"shape\"", "\"datatype\"", "\"probs\"", "\"prob\"",
    "\"r\"", "\"x\"", "\"y\"", "\"a\"", "\"b\"", "\"sc\\u006fre\"", "\"\"",
    "\"usage\"", "\"e\"", "\"stream\"", "\"n\"", "\"logprobs\"",
    "\"prompt_tokens\"", "\"completion_tokens\"", "\"total_tokens\""
};

static const char *const  fuzz_spaces[] = { " ", "\n", "\t", "\r\n", "    " };


#define FUZZ_ANY(list)                                                        \
    list[fuzz_random(sizeof(list) / sizeof(list[0]))]


static inline void
fuzz_span_add(fuzz_spans_t *spans, size_t first, size_t start, size_t end)
{
    if (spans->n < FUZZ_SPANS) {
        spans->spans[spans->n].first = first;
        spans->spans[spans->n].start = start;
        spans->spans[spans->n].end = end;
        spans->n++;
    }
}


static inline size_t
fuzz_span_string(const uint8_t *data, size_t size, size_t i)
{
    for (i++; i < size && data[i] != '"'; i++) {
        i += (data[i] == '\\');
    }

    return i < size ? i + 1 : size;
}


static inline size_t
fuzz_span_scalar(const uint8_t *data, size_t size, size_t i)
{
    if (data[i] == '"') {
        return fuzz_span_string(data, size, i);
    }

    while (i < size && memchr(" \t\r\n,:]}[{\"", data[i], 11) == NULL) {
        i++;
    }

    return i;
}


/* all values, with their names where they are members */

static inline void
fuzz_spans_find(fuzz_spans_t *spans, const uint8_t *data, size_t size)
{
    size_t  i, next, named, depth, first;
    size_t  open[FUZZ_OPEN], names[FUZZ_OPEN];

    spans->n = 0;
    depth = 0;
    named = SIZE_MAX;

    for (i = 0; i < size; i = next) {
        next = i + 1;

        if (memchr(" \t\r\n,:", data[i], 6) != NULL) {
            continue;
        }

        first = named != SIZE_MAX ? named : i;
        named = SIZE_MAX;

        if (data[i] == '{' || data[i] == '[') {

            if (depth < FUZZ_OPEN) {
                open[depth] = i;
                names[depth++] = first;
            }

            continue;
        }

        if (data[i] == '}' || data[i] == ']') {

            if (depth) {
                depth--;
                fuzz_span_add(spans, names[depth], open[depth], next);
            }

            continue;
        }

        next = fuzz_span_scalar(data, size, i);

        if (next < size && data[i] == '"' && data[next] == ':') {
            named = i;
            continue;
        }

        fuzz_span_add(spans, first, i, next);
    }
}


/* puts "text" in the place of [start, end); returns the new size */

static inline size_t
fuzz_splice(uint8_t *data, size_t size, size_t max, size_t start, size_t end,
    const void *text, size_t len)
{
    uint8_t  *copy;

    if (size - (end - start) + len > max) {
        return size;
    }

    copy = fuzz_copy(text, len);
    memmove(data + start + len, data + end, size - end);

    if (len) {
        memcpy(data + start, copy, len);
    }

    free(copy);

    return size - (end - start) + len;
}


static inline size_t
fuzz_splice_text(uint8_t *data, size_t size, size_t max, size_t start,
    size_t end, const char *text)
{
    return fuzz_splice(data, size, max, start, end, text, strlen(text));
}


static inline size_t
fuzz_json_number(uint8_t *data, size_t size, size_t max,
    const fuzz_span_t *span)
{
    char    text[64];
    size_t  i, n;

    if (fuzz_random(3) == 0) {
        i = span->start + fuzz_random(span->end - span->start);

        if (data[i] >= '0' && data[i] <= '9') {
            data[i] = (uint8_t) ('0' + fuzz_random(10));
        }

        return size;
    }

    n = 1 + fuzz_random(fuzz_random(4) ? 6 : 40);

    text[0] = '.';

    for (i = 1; i <= n; i++) {
        text[i] = "0123456789950"[fuzz_random(13)];
    }

    text[n + 1] = '\0';

    if (fuzz_random(8) == 0) {
        sprintf(text, "e%d", (int) fuzz_random(40) - 20);
    }

    i = fuzz_random(2) ? 1 : 0;

    return fuzz_splice_text(data, size, max, span->end, span->end,
                            text + (text[0] == '.' ? i : 0));
}


static inline size_t
fuzz_json_wrap(uint8_t *data, size_t size, size_t max,
    const fuzz_span_t *span)
{
    size_t                    i, n;
    const char               *before, *after;
    static const char *const  around[][2] = {
        { "[", "]" }, { "{\"p\":", "}" }, { "[0.75,", "]" },
        { "{\"score\":", ",\"label\":\"z\"}" }, { "{\"m\":1,\"s\":", "}" },
        { "\"", "\"" }
    };

    i = fuzz_random(6);
    n = fuzz_random(20) ? 1 : 1 + fuzz_random(70);
    before = around[i][0];
    after = around[i][1];

    if (size + n * (strlen(before) + strlen(after)) > max) {
        return size;
    }

    for (i = 0; i < n; i++) {
        size = fuzz_splice_text(data, size, max, span->end, span->end, after);
    }

    for (i = 0; i < n; i++) {
        size = fuzz_splice_text(data, size, max, span->start, span->start,
                                before);
    }

    return size;
}


/* a byte of a string or a name as an escape */

static inline size_t
fuzz_json_escape(uint8_t *data, size_t size, size_t max)
{
    char    text[8];
    size_t  i;

    i = fuzz_random(size);

    if (data[i] < 'A' || data[i] > 'z' || data[i] == '\\') {
        return size;
    }

    sprintf(text, fuzz_random(2) ? "\\u%04x" : "\\u%04X", data[i]);

    return fuzz_splice_text(data, size, max, i, i + 1, text);
}


static inline size_t
fuzz_json_move(uint8_t *data, size_t size, size_t max,
    const fuzz_spans_t *spans, const fuzz_span_t *span, int whole)
{
    size_t              start, len;
    uint8_t            *copy;
    const fuzz_span_t  *from;

    from = &spans->spans[fuzz_random(spans->n)];

    start = whole ? from->first : from->start;
    len = from->end - start;
    copy = fuzz_copy(data + start, len);

    size = fuzz_splice(data, size, max, whole ? span->first : span->start,
                       span->end, copy, len);
    free(copy);

    return size;
}


/* the element or member again, behind itself */

static inline size_t
fuzz_json_double(uint8_t *data, size_t size, size_t max,
    const fuzz_span_t *span)
{
    size_t    n, i, len;
    uint8_t  *copy;

    len = span->end - span->first;
    copy = fuzz_copy(data + span->first, len);
    n = fuzz_random(30) ? 1 : 1 + fuzz_random(40);

    for (i = 0; i < n && size + len + 1 <= max; i++) {
        size = fuzz_splice_text(data, size, max, span->end, span->end, ",");
        size = fuzz_splice(data, size, max, span->end + 1, span->end + 1,
                           copy, len);
    }

    free(copy);

    return size;
}


static inline size_t
fuzz_json_remove(uint8_t *data, size_t size, size_t max,
    const fuzz_span_t *span)
{
    size_t  start, end;

    start = span->first;
    end = span->end;

    if (end < size && data[end] == ',') {
        end++;

    } else if (start && data[start - 1] == ',') {
        start--;
    }

    return fuzz_splice(data, size, max, start, end, "", 0);
}


static inline size_t
fuzz_json_rename(uint8_t *data, size_t size, size_t max,
    const fuzz_span_t *span)
{
    size_t  end;

    if (span->first == span->start) {
        return fuzz_splice_text(data, size, max, span->start, span->end,
                                FUZZ_ANY(fuzz_scalars));
    }

    end = fuzz_span_string(data, size, span->first);

    return fuzz_splice_text(data, size, max, span->first, end,
                            FUZZ_ANY(fuzz_names));
}


static inline size_t
fuzz_json_once(uint8_t *data, size_t size, size_t max)
{
    fuzz_span_t          *span;
    static fuzz_spans_t   spans;

    fuzz_spans_find(&spans, data, size);

    if (spans.n == 0 || fuzz_random(12) == 0) {
        return LLVMFuzzerMutate(data, size, max);
    }

    span = &spans.spans[fuzz_random(spans.n)];

    switch (fuzz_random(11)) {

    case 0:
        return fuzz_json_move(data, size, max, &spans, span, 0);

    case 1:
        return fuzz_json_move(data, size, max, &spans, span, 1);

    case 2:
        return fuzz_json_double(data, size, max, span);

    case 3:
        return fuzz_json_remove(data, size, max, span);

    case 4:
        return fuzz_splice_text(data, size, max, span->start, span->end,
                                FUZZ_ANY(fuzz_scalars));

    case 5:
        return fuzz_json_rename(data, size, max, span);

    case 6:
        return fuzz_json_wrap(data, size, max, span);

    case 7:
        return fuzz_json_escape(data, size, max);

    case 8:
        return fuzz_splice_text(data, size, max, span->end, span->end,
                                FUZZ_ANY(fuzz_spaces));

    default:
        return fuzz_json_number(data, size, max, span);
    }
}


/* a few mutations; "data" has room for "max" bytes; never empty */

static inline size_t
fuzz_json_mutate(uint8_t *data, size_t size, size_t max)
{
    size_t  i, n;

    n = 1 + fuzz_random(3);

    for (i = 0; i < n; i++) {
        size = fuzz_json_once(data, size, max);
    }

    if (size == 0) {
        data[0] = '0';
        size = 1;
    }

    return size;
}


#endif /* FUZZ_JSON_H_INCLUDED */
