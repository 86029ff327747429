/*
 * Copyright (C) the modelguard authors
 *
 * The same work with RapidJSON: its parser's events into its writer, and its
 * tree.
 */

#include <cmath>

#include <rapidjson/document.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "kernel_time.h"

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;


static double
rounded(double value)
{
    return std::nearbyint(value * 100) / 100;
}


static void
sent(kernel_doc_t *doc, const rapidjson::StringBuffer &buffer)
{
    doc->sent = buffer.GetSize();
    memcpy(doc->out, buffer.GetString(), doc->sent);
}


class Filter {

public:
    explicit Filter(rapidjson::StringBuffer &buffer) : writer(buffer) {}

    bool Null() { return dropped() || writer.Null(); }
    bool Bool(bool b) { return dropped() || writer.Bool(b); }
    bool Int(int i) { return dropped() || writer.Int(i); }
    bool Uint(unsigned u) { return dropped() || writer.Uint(u); }
    bool Int64(int64_t i) { return dropped() || writer.Int64(i); }
    bool Uint64(uint64_t u) { return dropped() || writer.Uint64(u); }

    bool Double(double d)
    {
        return dropped() || writer.Double(rounds ? rounded(d) : d);
    }

    bool RawNumber(const char *, rapidjson::SizeType, bool) { return false; }

    bool String(const char *text, rapidjson::SizeType len, bool copy)
    {
        return dropped() || writer.String(text, len, copy);
    }

    bool Key(const char *text, rapidjson::SizeType len, bool copy)
    {
        if (drops) {
            return true;
        }

        if ((depth == 3 && is(text, len, "logits"))
            || (depth == 1 && is(text, len, "model_version")))
        {
            drop = true;
            return true;
        }

        round = depth == 3 && is(text, len, "scores");

        return writer.Key(text, len, copy);
    }

    bool StartObject() { return !open() || writer.StartObject(); }
    bool StartArray() { return !open() || writer.StartArray(); }

    bool EndObject(rapidjson::SizeType n)
    {
        return !close() || writer.EndObject(n);
    }

    bool EndArray(rapidjson::SizeType n)
    {
        return !close() || writer.EndArray(n);
    }

private:
    static bool is(const char *text, size_t len, const char *name)
    {
        return len == strlen(name) && memcmp(text, name, len) == 0;
    }

    bool dropped()
    {
        if (drop) {
            drop = false;
            return true;
        }

        return drops != 0;
    }

    bool open()
    {
        depth++;

        if (dropped()) {
            drops = drops ? drops : depth;
            return false;
        }

        if (round) {
            rounds = depth;
            round = false;
        }

        return true;
    }

    bool close()
    {
        bool written = drops == 0;

        drops = drops == depth ? 0 : drops;
        rounds = rounds == depth ? 0 : rounds;
        depth--;

        return written;
    }

    Writer writer;
    unsigned depth = 0;
    unsigned rounds = 0;
    unsigned drops = 0;
    bool round = false;
    bool drop = false;
};


static void
sax(kernel_doc_t *doc)
{
    rapidjson::StringBuffer buffer;
    Filter filter(buffer);
    rapidjson::Reader reader;
    rapidjson::MemoryStream in(doc->data, doc->len);

    if (!reader.Parse(in, filter)) {
        kernel_fail("RapidJSON cannot parse", doc->name);
    }

    sent(doc, buffer);
}


static void
dom(kernel_doc_t *doc)
{
    rapidjson::Document root;

    root.Parse(doc->data, doc->len);

    if (root.HasParseError()) {
        kernel_fail("RapidJSON cannot parse", doc->name);
    }

    auto rows = root.FindMember("predictions");

    if (rows != root.MemberEnd()) {
        for (auto &row : rows->value.GetArray()) {
            for (auto &score : row["scores"].GetArray()) {
                score.SetDouble(rounded(score.GetDouble()));
            }

            row.RemoveMember("logits");
        }
    }

    root.RemoveMember("model_version");

    rapidjson::StringBuffer buffer;
    Writer writer(buffer);

    root.Accept(writer);
    sent(doc, buffer);
}


static const kernel_method_t methods[] = {
    { "rapidjson_sax", sax, 8, 1 },
    { "rapidjson_dom", dom, 8, 1 },
    { nullptr, nullptr, 1, 0 }
};


int
main(int argc, char *argv[])
{
    return kernel_main(argc, argv, methods);
}
