# Copyright (C) the modelguard authors
#
# Ways round the guard: documents nested deeper than anybody reads.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret;

my $scores = "[$Secret, $Second]";


sub nested {
    my ($depth, $inner, $open, $close) = @_;

    $open //= '[';
    $close //= ']';

    return $open x $depth . $inner . $close x $depth;
}


my @tricks;

# around the limit of 64, and far beyond it: with the scores inside, before,
# behind, and in the place of the scores

for my $depth (60, 61, 62, 63, 64, 65, 66, 100, 511, 512, 513, 5000) {
    my $expected = $depth < 60 ? 'treated' : 'treated|refused|cut';

    push @tricks, map {
        my ($name, $body) = @$_;
        trick("$depth: $name", reply($body), $expected,
              ways => $depth =~ /^(63|64|5000)$/
                      ? [qw( held streamed zipping cached old )]
                      : [qw( held streamed )]);
    } (
        ['scores inside arrays', qq({"scores": @{[ nested($depth, $scores) ]}})],
        ['scores behind', qq({"a": @{[ nested($depth, '') ]}, )
                          . qq("scores": $scores})],
        ['scores before', qq({"scores": $scores, )
                          . qq("a": @{[ nested($depth, '') ]}})],
        ['scores behind objects', '{"a": ' . nested($depth, '1', '{"b": ', '}')
                                  . qq(, "scores": $scores})],
        ['scores deep in objects, by a pattern',
         nested($depth, $scores, '{"prob": ', '}')],
        ['objects and arrays in turn, by a pattern',
         nested($depth, $scores, '[{"prob": ', '}]')],
        ['deep in the metadata', qq({"meta": @{[ nested($depth, "\"$Hidden\"") ]}, )
                                 . qq("scores": $scores})],
        ['behind deep metadata', qq({"meta": @{[ nested($depth, '') ]}, )
                                 . qq("scores": $scores})],
        ['deep keys', nested($depth, $scores, '{"scores": ', '}')],
    );
}

# never closed, closed too often, closed wrongly, at all depths

push @tricks, map {
    my ($name, $body) = @$_;
    trick($name, reply($body), 'refused|cut',
          control => $body =~ /$Secret/ ? 1 : 0);
} (
    ['a million arrays, not closed', '[' x 1000000],
    ['a million arrays before the scores',
     '[' x 1000000 . qq({"scores": $scores})],
    ['a million objects', '{"a":' x 1000000 . $scores],
    ['not closed, scores before', qq({"scores": $scores, "a": )
                                  . '[' x 1000],
    ['not closed, scores in it', qq({"scores": @{[ '[' x 1000 ]}$Secret)],
    ['closed too often', "$Document}"],
    ['closed too often, far', $Document . '}' x 1000],
    ['closed too often, then more', "{}}, $Document"],
    ['closed wrongly', qq({"scores": [$Secret, $Second}, "a": 1]})],
    ['closed wrongly, deep', '[[[[' . $Document . ']]}]'],
    ['arrays closed by braces', nested(50, $scores, '[', '}')],
    ['objects closed by brackets', nested(50, $scores, '{"prob": ', ']')],
    ['closed at the start', "]$Document"],
    ['closed by another kind behind', qq({"scores": $scores]})],
);

# broad, not deep

push @tricks, map {
    my ($name, $body) = @$_;
    trick($name, reply($body), 'treated|refused|cut');
} (
    ['many empty arrays', '{"a": [' . join(',', ('[]') x 100000)
                          . qq(], "scores": $scores})],
    ['many scores', '{"rows": [' . join(',', ("{\"scores\": $scores}") x 3000)
                    . ']}'],
    ['in and out', '{"a": [' . join(',', (nested(50, '')) x 500)
                   . qq(], "scores": $scores})],
    ['in and out of the scores',
     '{"scores": [' . join(',', (nested(50, $scores)) x 300) . ']}'],
);

# in the other framings

push @tricks, map {
    my ($name, $type, $body) = @$_;
    trick("$name as $type", reply($body, 'Content-Type' => $type),
          'treated|refused|cut', ways => ['held', 'streamed']);
} (
    ['deep', 'text/event-stream',
     "data: @{[ nested(600, $scores) ]}\n\ndata: $Document\n\n"],
    ['deep', 'application/x-ndjson',
     nested(600, $scores) . "\n$Document\n"],
    ['never closed', 'text/event-stream',
     'data: ' . '[' x 70000 . "\n\ndata: $Document\n\n"],
    ['never closed', 'application/x-ndjson',
     '[' x 70000 . "\n$Document\n"],
);

# what is deeper than allowed may not be treated as if it were not there

my $server = ways(@tricks, { fields => <<'CONF' });
    modelguard_field scores $.**.~^prob$;
    modelguard_field scores $.**.scores;
CONF

for my $depth (62, 63, 64) {
    my $number = (grep { $tricks[$_]{name} eq "$depth: scores inside arrays" }
                       0 .. $#tricks)[0];
    my $answer = ask($server->{port}, "GET /held/$number HTTP/1.1\r\n"
                                      . "Host: x\r\nConnection: close\r\n\r\n");

    is(outcome($answer), $depth < 63 ? 'treated' : 'refused',
       "at a depth of @{[ $depth + 2 ]}");
}
