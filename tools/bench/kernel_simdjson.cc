/*
 * Copyright (C) the modelguard authors
 *
 * The same work with simdjson on demand, which passes over what it is not
 * asked for and does not check all of it; and its tree, parsed only.
 */

#include <cmath>

#include <simdjson.h>

#include "kernel_time.h"

using namespace simdjson;


class Out {

public:
    explicit Out(kernel_doc_t *doc) : start(doc->out), p(doc->out) {}

    void put(char c) { *p++ = c; }

    void put(std::string_view text)
    {
        memcpy(p, text.data(), text.size());
        p += text.size();
    }

    void comma(bool &first)
    {
        if (!first) {
            put(',');
        }

        first = false;
    }

    void key(std::string_view name, bool &first)
    {
        comma(first);
        put('"');
        put(name);
        put("\":");
    }

    // with at most two decimals, and no trailing zero, of a small number

    void score(double value)
    {
        long n = std::lrint(value * 100);

        if (n < 0) {
            put('-');
            n = -n;
        }

        p += snprint(p, n / 100);
        n %= 100;

        if (n == 0) {
            return;
        }

        put('.');
        put((char) ('0' + n / 10));

        if (n % 10) {
            put((char) ('0' + n % 10));
        }
    }

    size_t size() const { return (size_t) (p - start); }

private:
    static int snprint(char *to, long n)
    {
        if (n < 10) {
            *to = (char) ('0' + n);
            return 1;
        }

        return sprintf(to, "%ld", n);
    }

    char *start;
    char *p;
};


static void
row(Out &out, ondemand::object members)
{
    bool first = true;

    out.put('{');

    for (auto field : members) {
        std::string_view name = field.unescaped_key();

        if (name == "logits") {
            continue;
        }

        out.key(name, first);

        if (name != "scores") {
            out.put(to_json_string(field.value()).value());
            continue;
        }

        bool start = true;

        out.put('[');

        for (auto score : field.value().get_array()) {
            out.comma(start);
            out.score(score.get_double());
        }

        out.put(']');
    }

    out.put('}');
}


static ondemand::parser parser;
static dom::parser tree_parser;


static void
ondemand_rewrite(kernel_doc_t *doc)
{
    Out out(doc);
    bool first = true;
    auto root = parser.iterate(doc->data, doc->len,
                               doc->len + KERNEL_SPARE).value_unsafe();

    out.put('{');

    for (auto field : root.get_object()) {
        std::string_view name = field.unescaped_key();

        if (name == "model_version") {
            continue;
        }

        out.key(name, first);

        if (name != "predictions") {
            out.put(to_json_string(field.value()).value());
            continue;
        }

        bool start = true;

        out.put('[');

        for (auto one : field.value().get_array()) {
            out.comma(start);
            row(out, one.get_object());
        }

        out.put(']');
    }

    out.put('}');
    doc->sent = out.size();
}


static void
dom_parse(kernel_doc_t *doc)
{
    if (tree_parser.parse(doc->data, doc->len, false).error()) {
        kernel_fail("simdjson cannot parse", doc->name);
    }
}


static const kernel_method_t methods[] = {
    { "simdjson_ondemand", ondemand_rewrite, 2, 1 },
    { "simdjson_dom_parse", dom_parse, 2, 0 },
    { nullptr, nullptr, 1, 0 }
};


int
main(int argc, char *argv[])
{
    return kernel_main(argc, argv, methods);
}
