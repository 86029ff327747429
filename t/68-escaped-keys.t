# Copyright (C) the modelguard authors
#
# Ways round the guard: names written otherwise.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret;

my $scores = "[$Secret, $Second]";


# every character of a name as an escape

sub escaped {
    my ($name, $format) = @_;

    return join '', map { sprintf $format // '\u%04x', ord } split //, $name;
}

my @names = map { my $at = $_;
                  join '', map { $_ == $at ? escaped(substr 'scores', $_, 1)
                                           : substr 'scores', $_, 1 } 0 .. 5 }
                0 .. 5;

# names that are "scores" for whoever reads JSON: must be treated

my @tricks = map {
    my ($name, $key) = @$_;
    (trick($name, reply(qq({"$key": $scores})), 'treated'),
     trick("$name, byte by byte",
           [in_pieces(reply(qq({"$key": $scores})), 1, 0.0003)], 'treated',
           ways => ['streamed']))
} (
    (map { ["one letter: $_", $_] } @names),
    ['all letters', escaped('scores')],
    ['all letters, upper case', escaped('scores', '\u%04X')],
    ['odd letters', '\u0073c\u006Fr\u0065s'],
);

push @tricks, map { trick("whitespace around the colon: $_->[0]",
                          reply(qq({"scores"$_->[1]$scores})), 'treated') }
    ['none', ':'], ['much', " \n\t: \r\n"], ['tabs', "\t:\t"],
    ['70000 blanks', ' ' x 70000 . ':' . ' ' x 70000];

# metadata by an escaped name: dropped

push @tricks, map { trick("metadata: $_",
                          reply(qq({"$_": "$Hidden", "scores": [0.84]})),
                          'treated') }
    'meta', escaped('meta'), '\u006deta', 'met\u0061', 'm\u0065t\u0061';

# names that no field can name, though a careless reader takes them for one:
# not our business, but they must not upset what stands beside them

push @tricks, map {
    my ($name, $key) = @$_;
    trick("beside $name", reply(qq({"$key": [0.84], "scores": $scores})),
          'treated|refused|cut');
} (
    ['a NUL', 'scores\u0000'], ['upper case', 'SCORES'],
    ['a space', 'scores '], ['a combining mark', 'score\u0301s'],
    ['full width', '\uff53\uff43\uff4f\uff52\uff45\uff53'],
    ['Cyrillic', 'sc\u043eres'], ['an astral letter', '\ud835\udc2c'],
    ['a quote', 'scores\"'], ['a quote escaped by number', 'scores\u0022'],
    ['a backslash', 'scores\\\\'], ['many backslashes', '\\\\' x 31],
    ['a brace', '}{'], ['a bracket', ']'], ['a slash', 'scores\/'],
    ['an empty name', ''], ['a long name', 'k' x 70000],
    ['a long escaped name', '\u006b' x 20000], ['control', '\b\f\n\r\t'],
    ['a lone high surrogate', '\ud800'], ['a lone low one', '\udc00'],
    ['two high ones', '\ud800\ud800'], ['a number', '0.84'],
    ['a path', '$.scores'], ['proto', '__proto__'],
);

# bad escapes: not JSON for us, whatever a client makes of it

push @tricks, map {
    my ($name, $key) = @$_;
    trick("bad escape: $name", reply(qq({"$key": $scores})), 'refused|cut');
} (
    ['\x', '\x73cores'], ['three digits', '\u073scores'],
    ['no hexadecimal', '\u00g3cores'], ['capital U', '\U0073cores'],
    ['octal', '\163cores'], ['a letter', '\scores'], ['braces', '\u{73}cores'],
    ['a raw newline', "scores\n"], ['a raw tab', "\tscores"],
    ['a quote', "\\'scores"], ['cut off', '\u00'], ['a backslash', 'scores\\'],
);

# names that are not quoted, or not with double quotes

push @tricks, map {
    trick("name: $_", reply("{$_: $scores}"), 'refused|cut');
} 'scores', "'scores'", '`scores`', '[scores]', '"scores', 'scores"',
  '"sco" "res"', '"sco"+"res"', '/**/"scores"', '"scores"/**/', '0', '"a", b';

# the same in a row, in an array of rows, and deep, by a pattern

push @tricks, map {
    my ($name, $body) = @$_;
    trick($name, reply($body), 'treated');
} (
    ['rows', qq({"ro\\u0077s": [{"\\u0073cores": $scores}]})],
    ['a pattern', qq({"x": {"probabili\\u0074y": $scores}})],
    ['a pattern, all escaped',
     qq({"x": {"@{[ escaped('probability') ]}": $scores}})],
    ['a name with a dot', qq({"a.b": $scores})],
    ['a name with an escaped dot', qq({"a\\u002eb": $scores})],
    ['a name with a quote', qq({"a\\"b": $scores})],
    ['a name with a quote by number', qq({"a\\u0022b": $scores})],
    ['a name with a backslash', qq({"a\\\\b": $scores})],
    ['a name with a backslash by number', qq({"a\\u005Cb": $scores})],
    ['a name with a slash', qq({"a/b": $scores})],
    ['a name with an escaped slash', qq({"a\\/b": $scores})],
    ['a name with a slash by number', qq({"a\\u002fb": $scores})],
    ['a name with an umlaut', qq({"\xc3\xbc": $scores})],
    ['a name with an escaped umlaut', qq({"\\u00fc": $scores})],
    ['a name beyond the plane', qq({"\xf0\x9f\x8e\xb2": $scores})],
    ['a name beyond the plane, escaped', qq({"\\ud83c\\udfb2": $scores})],
    ['a name beyond the plane, upper case', qq({"\\uD83C\\uDFB2": $scores})],
    ['an empty name', qq({"": $scores})],
);

ways(@tricks, { fields => <<"CONF" });
    modelguard_field scores \$.**.~^probability\$;
    modelguard_field scores '\$["a.b"]' '\$["a\\\\"b"]' '\$["a\\\\\\\\b"]'
                            '\$["a/b"]' '\$["\xc3\xbc"]' '\$[""]'
                            '\$["\xf0\x9f\x8e\xb2"]';
CONF
