# Copyright (C) the modelguard authors
#
# Ways round the guard: JSON in UTF-16 and UTF-32, and bytes that are no UTF-8.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret;

my $scores = "[$Secret, $Second]";
my %encoded = (
    'UTF-16LE' => utf16($Document), 'UTF-16BE' => utf16($Document, 1),
    'UTF-16LE with a mark' => "\xff\xfe" . utf16($Document),
    'UTF-16BE with a mark' => "\xfe\xff" . utf16($Document, 1),
    'UTF-16 with a wrong mark' => "\xfe\xff" . utf16($Document),
    'UTF-32LE' => pack('V*', map { ord } split //, $Document),
    'UTF-32BE' => pack('N*', map { ord } split //, $Document),
    'UTF-32LE with a mark'
        => pack('V*', 0xfeff, map { ord } split //, $Document),
    'UTF-16LE behind a document' => '{}' . utf16($Document),
    'UTF-16LE in a string' => qq({"scores": ") . utf16($scores) . '"}',
    'UTF-16LE behind blanks' => '    ' . utf16($Document),
    'UTF-16 of odd length' => utf16($Document) . 'x',
    'full width digits, UTF-8' => qq({"scores": [)
        . join('', map { "\xef\xbc" . chr(0x90 + $_) } 8, 3, 7, 4, 6, 5)
        . ", $Secret]}",
);

my @types = ('application/json', 'application/json; charset=utf-16',
             'application/a+json', 'text/event-stream',
             'application/x-ndjson', 'application/json;charset=utf-8',
             'application/json;x=1;charset="utf-16le"');

my @tricks = map {
    my $name = $_;
    map { trick("$name as $_", reply($encoded{$name}, 'Content-Type' => $_),
                'refused|cut',
                ways => $_ eq 'application/json'
                        ? [qw( held streamed zipping cached old )]
                        : [qw( held streamed )]) } @types;
} sort keys %encoded;

# an event stream in UTF-16

push @tricks, map {
    my ($name, $text) = @$_;
    trick("$name: events",
          reply($text, 'Content-Type' => 'text/event-stream; charset=utf-16'),
          'refused|cut'),
    trick("$name: events, not said",
          reply($text, 'Content-Type' => 'text/event-stream'),
          'refused|cut|empty')
} ['UTF-16LE', utf16("data: $Document\n\n")],
  ['UTF-16BE', utf16("data: $Document\n\n", 1)],
  ['UTF-16LE with a mark', "\xff\xfe" . utf16("data: $Document\n\n")];

# only the digits in UTF-16, and the rest in ASCII

push @tricks, map { trick("digits in UTF-16, $_->[0]", reply($_->[1]),
                          'refused|cut') }
    ['low byte first', '{"scores": [' . utf16($Secret) . ']}'],
    ['high byte first', '{"scores": [' . utf16($Secret, 1) . ']}'],
    ['in a name', '{"' . utf16('scores') . qq(": $scores})];

# bytes that are no UTF-8 in names and strings: what a client that drops or
# replaces them reads must not be a name that we have missed

push @tricks, map {
    my ($name, $bytes) = @$_;
    (trick("$name in the name",
           reply(qq({"sco${bytes}res": [0.84], "scores": $scores})),
           'treated|refused|cut'),
     trick("$name before the name",
           reply(qq({"${bytes}scores": [0.84], "scores": $scores})),
           'treated|refused|cut'),
     trick("$name in a string",
           reply(qq({"a": "$bytes", "scores": $scores})),
           'treated|refused|cut'),
     trick("$name in metadata",
           reply(qq({"meta": "$bytes$Hidden", "scores": $scores})),
           'treated|refused|cut'),
     trick("$name before the quote",
           reply(qq({"a": "b$bytes", "scores": $scores, "c": "$bytes"})),
           'treated|refused|cut'),
     trick("$name between tokens", reply(qq({"scores": $bytes$scores})),
           'refused|cut'))
} (
    ['a stray continuation', "\x80"], ['a lone lead byte', "\xc3"],
    ['an overlong quote', "\xc0\xa2"], ['an overlong NUL', "\xc0\x80"],
    ['a surrogate', "\xed\xa0\x80"], ['beyond Unicode', "\xf4\x90\x80\x80"],
    ['FE', "\xfe"], ['FF', "\xff"], ['five bytes', "\xf8\x88\x80\x80\x80"],
    ['a lead byte of four', "\xf0"], ['half of four', "\xf0\x9f"],
    ['CESU', "\xed\xa0\xbc\xed\xbe\xb2"],
);

# a name with such a byte for a letter

push @tricks, map { trick('an overlong letter', reply($_),
                          'refused|cut|other', control => 0) }
    qq({"\xc1\xb3cores": [0.84]});

# UTF-16 in pieces that part the pairs

push @tricks, map { trick("UTF-16 in pieces of $_",
                          [in_pieces(reply(utf16($Document)), $_, 0.0003)],
                          'refused|cut', ways => ['held', 'streamed']) } 1, 3;

ways(@tricks);
