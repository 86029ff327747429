# Copyright (C) the modelguard authors
#
# Ways round the guard: byte order marks.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret;

my $bom = "\xef\xbb\xbf";
my $scores = "[$Secret, $Second]";

my %marks = (
    'UTF-8' => $bom, 'UTF-8, two' => $bom x 2, 'UTF-8, many' => $bom x 5000,
    'half of one' => "\xef\xbb", 'the first byte' => "\xef",
    'UTF-16 BE' => "\xfe\xff", 'UTF-16 LE' => "\xff\xfe",
    'UTF-32 BE' => "\0\0\xfe\xff", 'UTF-32 LE' => "\xff\xfe\0\0",
    'UTF-7' => '+/v8-', 'UTF-1' => "\xf7\x64\x4c", 'SCSU' => "\x0e\xfe\xff",
    'BOCU-1' => "\xfb\xee\x28", 'GB18030' => "\x84\x31\x95\x33",
    'UTF-EBCDIC' => "\xdd\x73\x66\x73", 'reversed' => "\xbf\xbb\xef",
    'U+2060' => "\xe2\x81\xa0", 'U+200B' => "\xe2\x80\x8b",
    'U+00A0' => "\xc2\xa0", 'U+2028' => "\xe2\x80\xa8", 'U+FFFE' =>
    "\xef\xbf\xbe", 'as an escape' => '\ufeff',
);

my @tricks;

# before a document: it is no JSON, whatever clients forgive

for my $name (sort keys %marks) {
    my $mark = $marks{$name};
    my $places = $name eq 'UTF-8' ? 'treated|refused|cut' : 'refused|cut';

    push @tricks,
        trick("$name before the document", reply("$mark$Document"), $places),
        trick("$name before the document, with a charset",
              reply("$mark$Document", 'Content-Type'
                    => 'application/json; charset=utf-8'), $places,
              ways => ['held', 'streamed']),
        map { trick(@$_, ways => ['held', 'streamed']) }
        ["a blank, then $name", reply(" $mark$Document"), 'refused|cut'],
        ["$name behind the document", reply("$Document$mark"),
              'refused|cut'],
        ["$name between two", reply("{}$mark$Document"), 'refused|cut'],
        ["$name within", reply(qq({${mark}"scores": $scores})),
              'refused|cut'],
        ["$name before a value", reply(qq({"scores":$mark$scores})),
              'refused|cut'],
        ["$name before a number", reply(qq({"scores": [$mark$Secret]})),
              'refused|cut'],
        ["$name behind a number", reply(qq({"scores": [$Secret$mark]})),
              'refused|cut'];
}

# in a name it is part of the name; beside it the name without it is treated

push @tricks, map {
    my ($name, $body) = @$_;
    trick($name, reply($body), 'treated|refused|cut');
} (
    ['in a name beside it', qq({"${bom}scores": [0.84], "scores": $scores})],
    ['as an escape beside it',
     qq({"\\ufeffscores": [0.84], "scores": $scores})],
    ['in a string', qq({"a": "$bom", "scores": $scores})],
    ['in metadata', qq({"meta": "$bom$Hidden", "scores": $scores})],
);

# in the other framings: at the start of an event stream it is skipped, and
# only there and once

push @tricks, map {
    my ($name, $type, $body) = @$_;
    map { trick("$name as $type, $_->[0]",
                ref $_->[1] ? [in_pieces(reply($body, 'Content-Type' => $type),
                                         1, 0.0002)]
                            : reply($body, 'Content-Type' => $type),
                'treated|refused|cut|other', ways => $_->[2]) }
        ['whole', '', ['held', 'streamed', 'cached', 'zipping']],
        ['byte by byte', [], ['streamed']];
} (
    ['before the first field', 'text/event-stream',
     "${bom}data: $Document\n\n"],
    ['twice before it', 'text/event-stream',
     "$bom${bom}data: $Document\n\n"],
    ['half before it', 'text/event-stream', "\xef\xbbdata: $Document\n\n"],
    ['before a comment', 'text/event-stream',
     "$bom:$Document\n\ndata: {}\n\n"],
    ['before the second event', 'text/event-stream',
     "data: {}\n\n${bom}data: $Document\n\n"],
    ['before each line', 'text/event-stream',
     "${bom}event: a\n${bom}data: $Document\n\n"],
    ['before the document', 'text/event-stream',
     "data: $bom$Document\n\n"],
    ['before the space', 'text/event-stream', "data:$bom $Document\n\n"],
    ['alone, then the document', 'text/event-stream', "$bom$Document\n\n"],
    ['before the first line', 'application/x-ndjson',
     "$bom$Document\n$Document\n"],
    ['before the second line', 'application/x-ndjson',
     "{}\n$bom$Document\n"],
    ['alone on a line', 'application/x-ndjson', "$bom\n$Document\n"],
);

push @tricks, map { trick("in pieces of $_ bytes",
                          [in_pieces(reply("$bom$Document"), $_, 0.0003)],
                          'treated|refused|cut', ways => ['streamed']) } 1, 2;

push @tricks, trick('compressed', reply(gzipped("$bom$Document"),
                        'Content-Encoding' => 'gzip'), 'treated|refused|cut');

ways(@tricks);
