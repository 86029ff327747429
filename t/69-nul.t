# Copyright (C) the modelguard authors
#
# Ways round the guard: \u0000 and raw NUL bytes, in names, in strings, between
# tokens, in headers.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret;

my $scores = "[$Secret, $Second]";


sub bodies {
    my ($expected, @cases) = @_;

    return map {
        my ($name, $body, @headers) = @$_;
        trick($name, reply($body, @headers), $expected);
    } @cases;
}

# escaped: JSON as any other

my @tricks = bodies('treated',
    ['\u0000 in a string before', qq({"a": "\\u0000", "scores": $scores})],
    ['\u0000 in a string after', qq({"scores": $scores, "a": "x\\u0000"})],
    ['a string of \u0000', qq({"a": "@{[ '\u0000' x 5000 ]}", )
                           . qq("scores": $scores})],
    ['\u0000 in a name before', qq({"a\\u0000": 1, "scores": $scores})],
    ['\u0000 as a name', qq({"\\u0000": [1], "scores": $scores})],
    ['\u0000scores beside scores',
     qq({"\\u0000scores": [0.84], "scores": $scores})],
    ['scores\u0000 beside scores',
     qq({"scores\\u0000": [0.84], "scores": $scores})],
    ['scores\u0000x twice beside scores', qq({"scores\\u0000x": 1, )
        . qq("scores\\u0000x": 2, "scores": $scores})],
    ['metadata with \u0000',
     qq({"meta": "a\\u0000$Hidden", "scores": $scores})],
    ['metadata behind \u0000', qq({"meta": "\\u0000$Hidden", )
                               . qq("scores": $scores})],
    ['a field named with \u0000', qq({"p\\u0000q": 1, "scores": $scores})],
);

# a name that a C program would cut off at the NUL is another name; that
# reading it so gives the scores away is what such a client has of its model

push @tricks, map { trick("cut off at \\u0000: $_->[0]", reply($_->[1]),
                          'treated|refused|cut|other', control => 0) }
    ['scores\u0000', '{"scores\u0000": [0.84]}'],
    ['meta\u0000', '{"meta\u0000": "x", "scores": [0.84]}'];

# a pattern for names must not stop at a NUL

push @tricks, bodies('treated',
    ['a pattern and \u0000 before', qq({"x\\u0000prob": $scores})],
    ['a pattern and \u0000 after', qq({"prob\\u0000y": $scores})],
    ['a pattern and \u0000 alone', qq({"a": {"prob\\u0000": $scores}})],
);

# raw: never JSON

push @tricks, bodies('refused|cut',
    ['a NUL at the start', "\0$Document"],
    ['a NUL at the end', "$Document\0"],
    ['many NULs at the end', $Document . "\0" x 9000],
    ['many NULs at the start', "\0" x 9000 . $Document],
    ['a NUL in a name', qq({"sco\0res": $scores})],
    ['a NUL after a name', qq({"scores\0": $scores})],
    ['a NUL before a name', qq({"\0scores": $scores})],
    ['a NUL behind the quote', qq({"scores"\0: $scores})],
    ['a NUL before the colon', qq({"scores" \0: $scores})],
    ['a NUL behind the colon', qq({"scores":\0$scores})],
    ['a NUL in an array', qq({"scores": [\0$Secret]})],
    ['a NUL behind a number', qq({"scores": [$Secret\0]})],
    ['a NUL in a number', qq({"scores": [0.8374\x{0}651928]})],
    ['a NUL for the comma', qq({"scores": [$Secret\0$Second]})],
    ['a NUL in a string', qq({"a": "\0", "scores": $scores})],
    ['a NUL for a blank', qq({\0"scores":\0$scores\0})],
    ['a NUL between documents', "$Document\0$Document"],
    ['NULs between all', join("\0", split //, $Document)],
    ['a NUL and a document behind it', "{}\0$Document"],
    ['a NUL in an escape', qq({"\\\0u0073cores": $scores})],
    ['nothing but NULs and digits', "\0\0\0$Secret\0"],
    ['a document padded to a block', $Document . "\0" x (512 - 70)],
    ['a document in fixed fields', "\0\0\0\x47$Document"],
);

# raw, in the other framings

push @tricks, map {
    my ($name, $type, $body) = @$_;
    trick("$name as $type", reply($body, 'Content-Type' => $type),
          'refused|cut|treated');
} (
    ['a NUL before data', 'text/event-stream', "\0data: $Document\n\n"],
    ['a NUL in data', 'text/event-stream', "data: \0$Document\n\n"],
    ['a NUL for the newline', 'text/event-stream', "data: $Document\0\0"],
    ['a NUL in the name', 'text/event-stream', "da\0ta: $Document\n\n"],
    ['a NUL between events', 'text/event-stream',
     "data: {}\n\n\0\n\ndata: $Document\n\n"],
    ['a NUL for the newline', 'application/x-ndjson',
     "$Document\0$Document\0"],
    ['a NUL in a line', 'application/x-ndjson', "{}\n\0$Document\n"],
    ['an empty line of NULs', 'application/x-ndjson',
     "{}\n\0\0\n$Document\n"],
);

# in headers: nginx refuses such an answer by itself

push @tricks, map { trick("in a header: $_->[0]", $_->[1], 'refused|cut',
                          control => 0) }
    ['of the type', reply($Document, 'Content-Type'
                                     => "application/json\0text/plain")],
    ['before the type', reply($Document, 'Content-Type'
                                         => "\0application/json")],
    ['of the coding', reply(gzipped($Document), 'Content-Encoding'
                                                => "identity\0gzip")],
    ['in a name', reply($Document, "X-\0A" => 1)],
    ['in the length', reply($Document, 'Content-Length' => "1\x{0}9")];

push @tricks, map {
    trick("in pieces: $_->[0]", [in_pieces(reply($_->[1]), 3, 0.0003)],
          $_->[2], ways => ['streamed']);
} ['\u0000', qq({"a\\u0000": "\\u0000", "scores": $scores}), 'treated'],
  ['NUL', qq({"a": 1,\0 "scores": $scores}), 'refused|cut'];

ways(@tricks, { fields => <<'CONF' });
    modelguard_field scores $.**.~prob;
CONF
