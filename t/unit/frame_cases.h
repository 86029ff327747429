
/*
 * Copyright (C) the modelguard authors
 *
 * Streams, and what comes out: "|" stands for the end of a frame.  After an
 * error only what is before the last one counts.
 */


#ifndef FRAME_CASES_H_INCLUDED
#define FRAME_CASES_H_INCLUDED


#define FRAME_MIXED  1               /* what is passed is in another order */


typedef struct {
    modelguard_framing_e  framing;
    const char           *name;
    const char           *text;
    const char           *out;
    int                   rc;
    int                   mixed;
} frame_case_t;


#define NONE(name, text, out)                                                 \
    { MODELGUARD_FRAMING_NONE, name, text, out, MODELGUARD_OK, 0 }

#define EVENTS(name, text, out)                                               \
    { MODELGUARD_FRAMING_EVENTS, name, text, out, MODELGUARD_OK, 0 }

#define EVENTS_BAD(name, text, out, rc)                                       \
    { MODELGUARD_FRAMING_EVENTS, name, text, out, MODELGUARD_ ## rc, 0 }

#define EVENTS_MIXED(name, text, out, rc)                                     \
    { MODELGUARD_FRAMING_EVENTS, name, text, out, MODELGUARD_ ## rc,          \
      FRAME_MIXED }

#define SEQUENCE(name, text, out)                                             \
    { MODELGUARD_FRAMING_SEQUENCE, name, text, out, MODELGUARD_OK, 0 }

#define SEQUENCE_BAD(name, text, out, rc)                                     \
    { MODELGUARD_FRAMING_SEQUENCE, name, text, out, MODELGUARD_ ## rc, 0 }


/* "scores $.p | round=1 top=2; metadata $.m $.q[*].m | drop" */

static const frame_case_t  frame_cases[] = {

    NONE("one document", "{\"p\":[0.28,0.51]}", "{\"p\":[0.3,0.5]}"),

    EVENTS("nothing", "", ""),
    EVENTS("one event", "data: {\"p\":[0.28,0.51]}\n\n",
           "data: {\"p\":[0.3,0.5]}\n\n|"),
    EVENTS("two events", "data: {\"p\":[0.28]}\n\ndata: {\"p\":[0.51]}\n\n",
           "data: {\"p\":[0.3]}\n\n|data: {\"p\":[0.5]}\n\n|"),
    EVENTS("no space", "data:{\"p\":[0.28]}\n\ndata:1\n\ndata:[]\n\n",
           "data:{\"p\":[0.3]}\n\n|data:1\n\n|data:[]\n\n|"),
    EVENTS("more spaces", "data:   {\"p\":[0.28]}  \n\n",
           "data:   {\"p\":[0.3]}  \n\n|"),
    EVENTS("CR LF", "data: {\"p\":[0.28]}\r\n\r\ndata: {\"p\":[0.51]}\r\n\r\n",
           "data: {\"p\":[0.3]}\r\n\r\n|data: {\"p\":[0.5]}\r\n\r\n|"),
    EVENTS("CR", "data: {\"p\":[0.28]}\r\rdata: {\"p\":[0.51]}\r\r",
           "data: {\"p\":[0.3]}\r\r|data: {\"p\":[0.5]}\r\r|"),
    EVENTS("LF, and a blank line of CR LF",
           "data: {\"p\":[0.28]}\n\r\ndata: 1\n\r\n",
           "data: {\"p\":[0.3]}\n\r\n|data: 1\n\r\n|"),
    EVENTS("CR, and a blank line of LF", "data: 1\r:\r\n\ndata: 2\n\r",
           "data: 1\r:\r\n\n|data: 2\n\r|"),
    EVENTS("fields around",
           "event: x\nid: 7\nretry: 3\ndata: {\"p\":[0.28]}\nid:\n:c\n\n"
           "event\n\n",
           "event: x\nid: 7\nretry: 3\ndata: {\"p\":[0.3]}\nid:\n:c\n\n|"
           "event\n\n|"),
    EVENTS("fields around, CR", "id: 7\rdata: {\"p\":[0.28]}\rid:\r:c\r\r",
           "id: 7\rdata: {\"p\":[0.3]}\rid:\r:c\r\r|"),
    EVENTS("fields around, CR LF",
           "id: 7\r\ndata: {\"p\":[0.28]}\r\nid:\r\n:c\r\n\r\n",
           "id: 7\r\ndata: {\"p\":[0.3]}\r\nid:\r\n:c\r\n\r\n|"),
    EVENTS("comments are frames",
           ": ping\n: ping\r\n:\n\ndata: 1\n:c\n\n:\n",
           ": ping\n|: ping\r\n|:\n|\n|data: 1\n:c\n\n|:\n|"),
    EVENTS("but not after fields", "id: 1\n: ping\n\n: ping\rid\r",
           "id: 1\n: ping\n\n|: ping\r|id\r|"),
    EVENTS("comments, CR", ": ping\r: ping\r\r:", ": ping\r|: ping\r|\r|:|"),
    EVENTS("a comment that looks like data", ":data: 0.28\n:{\"p\":[0.28]}\n",
           ":data: 0.28\n|:{\"p\":[0.28]}\n|"),
    EVENTS("two lines of data",
           "data: {\"p\":\ndata: [0.28]}\n\n",
           "data: {\"p\":\ndata: [0.3]}\n\n|"),
    EVENTS("three, CR LF, no space",
           "data:{\"p\":\r\ndata:[0.28\r\ndata:]}\r\n\r\n",
           "data:{\"p\":\r\ndata:[0.3\r\ndata:]}\r\n\r\n|"),
    EVENTS("three, CR", "data:{\"p\":\rdata:[0.28\rdata:]}\r\r",
           "data:{\"p\":\rdata:[0.3\rdata:]}\r\r|"),
    EVENTS("the first separator for all",
           "data: {\"p\":\r\ndata:[0.28\ndata: ]}\r\n\n",
           "data: {\"p\":\r\ndata:[0.3\r\ndata: ]}\r\n\n|"),
    EVENTS("a line of data that is dropped",
           "data: {\"m\":\ndata: 1,\ndata: \"p\":[0.28]}\n\n",
           "data: {\ndata: \"p\":[0.3]}\n\n|"),
    EVENTS("empty lines of data",
           "data\ndata: \ndata:\t{\"p\":\ndata\ndata: [0.28]}\ndata:\n\n",
           "data\ndata: \ndata:\t{\"p\":\ndata:\ndata: [0.3]}\ndata:\n\n|"),
    EVENTS("spaces in some lines",
           "data: [\ndata:\ndata: 1]\ndata: \n\n",
           "data: [\ndata:\ndata: 1]\ndata: \n\n|"),
    EVENTS("a scalar, and white space",
           "data: 1\ndata: \n\ndata:1 \ndata\n\ndata: \"x\"\n\n",
           "data: 1\ndata: \n\n|data:1 \ndata:\n\n|data: \"x\"\n\n|"),
    EVENTS("numbers in two lines",
           "data: {\"p\":[0.28\ndata: ,\ndata: 0.51]}\n\n",
           "data: {\"p\":[0.3\ndata: ,\ndata: 0.5]}\n\n|"),
    EVENTS("fields between data",
           "data: {\"p\":\nid: 2\n:c\ndata: [0.28]}\nretry: 1\n\n",
           "data: {\"p\":\nid: 2\n:c\ndata: [0.3]}\nretry: 1\n\n|"),
    EVENTS("fields between data that is held",
           "data: {\"p\":[0.28,\nid: 2\ndata: 0.51],\ndata: \"q\":1}\n\n",
           "data: {\"p\":[0.3,\nid: 2\ndata: 0.5],\ndata: \"q\":1}\n\n|"),
    EVENTS("fields between data that goes",
           "data: {\"m\":[\nid: 2\ndata: 1]}\nid: 3\n\n",
           "data: {}\nid: 2\nid: 3\n\n|"),
    EVENTS("the same without an end",
           "data: {\"m\":[\r\nid: 2\r\ndata: 1],\r\ndata: \"q\":[\r\nid: 3\r\n"
           "data: \"\",{\"m\":\r\nid: 4\r\ndata: 1}]}",
           "data: {\r\nid: 2\r\ndata: \"q\":[\r\nid: 3\r\ndata: \"\",{}]}\r\n"
           "id: 4\r\n|"),
    EVENTS("fields in data that goes, at the end",
           "data: {\"q\":\ndata: 1,\"m\":[\nid: 2\ndata: 1]}",
           "data: {\"q\":\ndata: 1}\nid: 2\n|"),
    EVENTS("a field at the end in data that is held",
           "data: {\"p\":[0.28\ndata: ,0.51]}\nid: 2",
           "data: {\"p\":[0.3\ndata: ,0.5]}\nid: 2|"),
    EVENTS("a mark", "\xef\xbb\xbf" "data: {\"p\":[0.28]}\n\n",
           "\xef\xbb\xbf" "data: {\"p\":[0.3]}\n\n|"),
    EVENTS("a mark, and nothing", "\xef\xbb\xbf", "\xef\xbb\xbf|"),
    EVENTS("half a mark", "\xef\xbb" "date: 1\n\xef\xbb\n",
           "\xef\xbb" "date: 1\n\xef\xbb\n|"),
    EVENTS("[DONE]", "data: 1\n\ndata: [DONE]\n\ndata:\t [DONE] \t\n\n",
           "data: 1\n\n|data: [DONE]\n\n|data:\t [DONE] \t\n\n|"),
    EVENTS("[DONE] with all around it",
           "id: 1\r\ndata:\r\ndata:[DONE]\r\n:c\r\nid: 2\r\ndata\r\n\r\n",
           "id: 1\r\ndata:\r\ndata:[DONE]\r\n:c\r\nid: 2\r\ndata\r\n\r\n|"),
    EVENTS("[DONE], and no more", "data: [DONE]", "data: [DONE]|"),
    EVENTS("what begins like [DONE]",
           "data: [\ndata: 0.28]\n\ndata: [\ndata\n:c\ndata: ]\n\n"
           "data:[[]]\n\n",
           "data: [\ndata: 0.28]\n\n|data: [\ndata:\n:c\ndata: ]\n\n|"
           "data:[[]]\n\n|"),
    EVENTS("empty data",
           "data\n\ndata:\n\ndata: \n\ndata:\ndata:\r\n\ndata:\t\t\n:c\nid: 1\n"
           "data:  \n\n",
           "data\n\n|data:\n\n|data: \n\n|data:\ndata:\r\n\n|data:\t\t\n:c\n"
           "id: 1\ndata:  \n\n|"),
    EVENTS("no blank line", "data: {\"p\":[0.28]}\n",
           "data: {\"p\":[0.3]}\n|"),
    EVENTS("no line end", "data: {\"p\":[0.28]}", "data: {\"p\":[0.3]}|"),
    EVENTS("no line end, a number", "data: 1", "data: 1|"),
    EVENTS("no line end, a field", "data: {\"p\":[0.28]}\r\nid: 1",
           "data: {\"p\":[0.3]}\r\nid: 1|"),
    EVENTS("no line end, fields", "data: [1]\nid: 1\ndat", "data: [1]\nid: 1\n"
           "dat|"),
    EVENTS("no line end, a name", "data: [1]\n\ndat", "data: [1]\n\n|dat|"),
    EVENTS("no line end, data", "data", "data|"),
    EVENTS("no line end, data and its colon", "id\ndata:", "id\ndata:|"),
    EVENTS("no line end, more data", "data: [1]\ndata", "data: [1]\ndata:|"),
    EVENTS("no line end, a colon", "data: [1]\r\ndata:", "data: [1]\r\ndata:|"),
    EVENTS("a CR at the end", "data: [1]\r\n\r", "data: [1]\r\n\r|"),
    EVENTS("other names",
           "database: 1\nd: 2\ndata2\nxdata: 3\n da: 4\ndat\nda ta: 5\n"
           "data x: 6\nevent: data: 7\n data y\n\n",
           "database: 1\nd: 2\ndata2\nxdata: 3\n da: 4\ndat\nda ta: 5\n"
           "data x: 6\nevent: data: 7\n data y\n\n|"),
    EVENTS("other names among data",
           "data: 1\ndatabase: 1\nd: 2\ndat\n\ndata: 2\nid\ndata:\ndat\n\n",
           "data: 1\ndatabase: 1\nd: 2\ndat\n\n|data: 2\nid\ndata:\ndat\n\n|"),
    EVENTS("blank lines", "\n\n\r\n\ndata: 1\n\n\n\r\r\r",
           "\n|\n|\r\n|\n|data: 1\n\n|\n|\r|\r|\r|"),
    EVENTS("the root goes", "data: {\"m\":1}\n\n", "data: {}\n\n|"),
    EVENTS("an error event",
           "data: {\"p\":[0.28]}\n\nevent: error\ndata: {\"error\":{}}\n\n",
           "data: {\"p\":[0.3]}\n\n|event: error\ndata: {\"error\":{}}\n\n|"),

    EVENTS_BAD("text", "data: 1\n\ndata: hello\n\n", "data: 1\n\n|",
               MALFORMED),
    EVENTS_BAD("text, and the fields of its event",
               "data: 1\n\nevent: x\n:c\nid: 1\ndata: hello\n\n",
               "data: 1\n\n|", MALFORMED),
    EVENTS_BAD("two documents", "data: 1\n\ndata: 1 2\n\n", "data: 1\n\n|",
               MALFORMED),
    EVENTS_BAD("two documents in two lines", "data: {}\ndata: {}\n\n", "",
               MALFORMED),
    EVENTS_BAD("a document in two events",
               "data: 1\n\ndata: {\"p\":[3,\n\ndata: 9]}\n\n", "data: 1\n\n|",
               MALFORMED),
    EVENTS_BAD("a string in two lines",
               "data: \"a\ndata: b\"\n\n", "", MALFORMED),
    EVENTS_BAD("a number in two lines",
               "data: {\"p\":[3,9.\ndata: 5]}\n\n", "", MALFORMED),
    EVENTS_BAD("cut", "data: 1\n\ndata: {\"p\":[3,9", "data: 1\n\n|",
               TRUNCATED),
    EVENTS_BAD("cut in the second line", "data: {\"p\":[3,\ndata: 9", "",
               TRUNCATED),
    EVENTS_BAD("cut behind a line", "data: {\"p\":[3,9\r\nid: 1\r\n", "",
               TRUNCATED),
    EVENTS_BAD("cut in [DONE]", "data: 1\n\ndata: [DON", "data: 1\n\n|",
               TRUNCATED),
    EVENTS_BAD("cut behind [", "data: 1\n\ndata: [", "data: 1\n\n|",
               TRUNCATED),
    EVENTS_BAD("not [DONE]", "data: 1\n\ndata: [DONE\n\n", "data: 1\n\n|",
               MALFORMED),
    EVENTS_BAD("not [DONE] either", "data: [DONe]\n\n", "", MALFORMED),
    EVENTS_BAD("more than [DONE]", "data: [DONE]]\n\n", "", MALFORMED),
    EVENTS_BAD("[DONE] twice", "data: [DONE]\ndata: [DONE]\n\n", "",
               MALFORMED),
    EVENTS_BAD("[DONE] and a document", "data: [DONE]\ndata: {}\n\n", "",
               MALFORMED),
    EVENTS_BAD("a document and [DONE]", "data: {}\ndata: [DONE]\n\n", "",
               MALFORMED),
    EVENTS_BAD("a [ that is alone", "data: [\n\n", "", MALFORMED),
    EVENTS_BAD("a document in a document's line", "data: {}{}\n\n", "",
               MALFORMED),
    EVENTS_BAD("Data", "data: 1\n\nData: 3\n\n", "data: 1\n\n|", MALFORMED),
    EVENTS_BAD("a space before", "data: 1\n\n data: 3\n\n", "data: 1\n\n|",
               MALFORMED),
    EVENTS_BAD("a space behind", "data: 1\n\ndata : 3\n\n", "data: 1\n\n|",
               MALFORMED),
    EVENTS_BAD("all of it", "\t \xc2\xa0" "dATA \xc2\xa0:3", "", MALFORMED),
    EVENTS_BAD("it at the end", ":\n DATA", ":\n|", MALFORMED),
    EVENTS_BAD("it as a line", ":\n DATA\n\n", ":\n|", MALFORMED),
    EVENTS_BAD("a second mark",
               "\xef\xbb\xbf\xef\xbb\xbf" "data: 3\n\n", "", MALFORMED),
    EVENTS_BAD("a mark in the stream",
               "data: 1\n\n\xef\xbb\xbf" "data: 3\n\n", "data: 1\n\n|",
               MALFORMED),
    EVENTS_BAD("half a mark and data", "\xef\xbb" "data: 3\n\n", "",
               MALFORMED),
    EVENTS_BAD("a document without a name", "{\"p\":[3,9]}\n", "", MALFORMED),
    EVENTS_BAD("others", ":\n [3,9]\n", ":\n|", MALFORMED),
    EVENTS_BAD("a number without a name", ":\n0.7\n", ":\n|", MALFORMED),
    EVENTS_BAD("a string without a name", ":\n\"x\"\n", ":\n|", MALFORMED),
    EVENTS_BAD("it after data", "data: {\"p\":[3,9]}\n{\"p\":[3,9]}\n\n", "",
               MALFORMED),
    EVENTS_BAD("Data after data", "data: {\"p\":[3,9]}\nid: 1\nData: 1\n\n",
               "", MALFORMED),
    EVENTS_BAD("Data after data that is held",
               "data: {\"p\":[3,9,\r\nid: 1\r\nData: 1\r\n\r\n", "",
               MALFORMED),
    EVENTS_BAD("Data after two lines that are held",
               "data: {\"p\":[3,\ndata: 9,\n Data: 1\n\n", "", MALFORMED),
    EVENTS_BAD("a score in a string", "data: {\"p\":[\"0.25\"]}\n\n", "",
               UNTREATABLE),
    EVENTS_BAD("too deep", "data: [[[[[[[[[[[[[[[[[[[[]]]\n\n", "", TOO_DEEP),
    EVENTS_MIXED("fields, and an error behind them",
                 "data: {\"p\":[9,\nid: 1\ndata: 5],}\nid: 2\n\n", "",
                 MALFORMED),
    EVENTS_MIXED("fields, CR LF, and an error behind them",
                 "data: {\"p\":[9,\r\nid: 1\r\ndata: 5],}\r\nid: 2\r\n\r\n",
                 "", MALFORMED),
    EVENTS_MIXED("fields, and a cut", "data: {\"p\":[3,9,\nid: 1\ndata: 5", "",
                 TRUNCATED),

    SEQUENCE("nothing", "", ""),
    SEQUENCE("white space", " \t\r", " \t\r|"),
    SEQUENCE("lines", "{\"p\":[0.28]}\n{\"p\":[0.51]}\n",
             "{\"p\":[0.3]}\n|{\"p\":[0.5]}\n|"),
    SEQUENCE("CR LF", "{\"p\":[0.28]}\r\n{\"p\":[0.51]}\r\n",
             "{\"p\":[0.3]}\r\n|{\"p\":[0.5]}\r\n|"),
    SEQUENCE("no line end", "{\"p\":[0.28]}\n{\"p\":[0.51]}",
             "{\"p\":[0.3]}\n|{\"p\":[0.5]}|"),
    SEQUENCE("no separator", "{\"p\":[0.28]}{\"p\":[0.51]}[][]",
             "{\"p\":[0.3]}|{\"p\":[0.5]}|[]|[]|"),
    SEQUENCE("spaces", "{\"p\":[0.28]} \t{\"p\":[0.51]} ",
             "{\"p\":[0.3]} \t|{\"p\":[0.5]} |"),
    SEQUENCE("RFC 7464", "\x1e{\"p\":[0.28]}\n\x1e{\"p\":[0.51]}\n",
             "\x1e{\"p\":[0.3]}\n|\x1e{\"p\":[0.5]}\n|"),
    SEQUENCE("RFC 7464 without line ends", "\x1e{\"p\":[0.28]}\x1e\x1e[]",
             "\x1e{\"p\":[0.3]}\x1e\x1e|[]|"),
    SEQUENCE("documents of several lines",
             "{\n \"p\": [\n0.28\n]\n}\n\n{\r\n}\r\n",
             "{\n \"p\": [\n0.3\n]\n}\n|\n|{\r\n}\r\n|"),
    SEQUENCE("empty lines", "\n\n{}\n\n\n{}", "\n|\n|{}\n|\n|\n|{}|"),
    SEQUENCE("scalars", "1 2\n\"a\"\ttrue\x1enull\n-1.5e3\n0",
             "1 |2\n|\"a\"\t|true\x1e|null\n|-1.5e3\n|0|"),
    SEQUENCE("scalars and containers", "1{}\"a\"[]true[1]2",
             "1|{}|\"a\"|[]|true|[1]|2|"),
    SEQUENCE("members that go", "{\"m\":1}{\"m\":[2],\"p\":[0.28],\"m\":3}\n",
             "{}|{\"p\":[0.3]}\n|"),

    SEQUENCE_BAD("two numbers", "{}\n1\"a\"", "{}\n|", MALFORMED),
    SEQUENCE_BAD("a number and a sign", "[]\n1-2", "[]\n|", MALFORMED),
    SEQUENCE_BAD("two literals", "[]\ntruefalse", "[]\n|", MALFORMED),
    SEQUENCE_BAD("two strings", "[]\n\"a\"\"b\"", "[]\n|", MALFORMED),
    SEQUENCE_BAD("a leading zero", "01", "", MALFORMED),
    SEQUENCE_BAD("a comma", "{\"p\":[3,9]}\n,{}", "{\"p\":[3,9]}\n|",
                 MALFORMED),
    SEQUENCE_BAD("a mark", "\xef\xbb\xbf{}", "", MALFORMED),
    SEQUENCE_BAD("text", "{}\nhello\n", "{}\n|", MALFORMED),
    SEQUENCE_BAD("cut", "{}\n{\"p\":[3,9", "{}\n|", TRUNCATED),
    SEQUENCE_BAD("cut in a literal", "{}\ntru", "{}\n|", TRUNCATED),
    SEQUENCE_BAD("cut in a number", "{}\n1.", "{}\n|", TRUNCATED),
    SEQUENCE_BAD("a separator in a document", "{}\n{\"p\":\x1e[3]}", "{}\n|",
                 MALFORMED),
    SEQUENCE_BAD("an error before a line end", "{} {\"p\":[3,9],}\n{}\n",
                 "{} |", MALFORMED),
    SEQUENCE_BAD("a score in a string", "{}{\"p\":[\"0.25\"]}\n{}", "{}|",
                 UNTREATABLE)
};


#define FRAME_CASES  (sizeof(frame_cases) / sizeof(frame_cases[0]))


#endif /* FRAME_CASES_H_INCLUDED */
