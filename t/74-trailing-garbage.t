# Copyright (C) the modelguard authors
#
# Ways round the guard: bytes behind the document.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret;

my $scores = "[$Secret, $Second]";
my @tricks;

# behind a harmless document, and behind one that is treated

my %garbage = (
    'a second document' => $Document, 'one on a new line' => "\n$Document",
    'one behind CRLF' => "\r\n$Document", 'one behind a comma' =>
    ",$Document", 'one behind a semicolon' => ";$Document",
    'one behind a NUL' => "\0$Document", 'one behind a separator' =>
    "\x1e$Document", 'one behind a form feed' => "\f$Document",
    'one behind a substitute' => "\x1a$Document",
    'one behind an end of text' => "\x03$Document",
    'one behind a BOM' => "\xef\xbb\xbf$Document",
    'one in a comment' => "/* $Document */", 'one in a // comment' =>
    "// $Document\n", 'one in a # comment' => "# $Document\n",
    'one behind a boundary' => "\r\n--b\r\n\r\n$Document\r\n--b--\r\n",
    'one far behind' => ' ' x 70000 . $Document,
    'one behind many newlines' => "\n" x 300000 . $Document,
    'a number' => "$Secret", 'a number behind a blank' => " $Secret",
    'a string' => "\"$Secret\"", 'an array' => $scores,
    'a member' => ", \"scores\": $scores}", 'a brace and a member' =>
    "}, \"scores\": $scores}", 'JavaScript' => ";var scores=$scores;",
    'HTML' => "<!-- $Secret -->", 'an event' => "\n\ndata: $Document\n\n",
    'a trailer' => "\r\nX-Scores: $Secret\r\n\r\n", 'text' =>
    " took 0.8374651928 s", 'gzip' => gzipped($Document),
    'the last chunk' => "0\r\n\r\n$Document", 'another answer' =>
    "\r\n" . reply($Document), 'an exponent' => "e$Secret",
    'base64' => MIME::Base64::encode_base64($Document, ''),
);

for my $name (sort keys %garbage) {
    push @tricks, map {
        my ($what, $before, @ways) = @$_;
        trick("$name behind $what", reply("$before$garbage{$name}"),
              'refused|cut', ways => \@ways);
    } ['a harmless document', '{"scores": [0.84]}', 'held', 'streamed',
       'cached', 'zipping'],
      ['what is treated', $Document, 'held', 'streamed', 'old'],
      ['an empty object', '{}', 'streamed'], ['null', 'null ', 'held'];
}

# in front of it

push @tricks, map { trick("in front: " . ($_ =~ s/\s+/ /gr),
                          reply("$_$Document"), 'refused|cut') }
    ")]}',\n", 'for(;;);', 'while(1);', '/**/', 'callback(', '&&&START&&&',
    "#!json\n", '<html>', 'HTTP/1.1 200 OK ', '=', '{}&&', '5 ', 'x',
    "$Secret ", "\"$Secret\"\n", "[$Secret]\n", "// $Secret\n";

push @tricks, map { trick("around: $_->[0]", reply("$_->[1]$Document$_->[2]"),
                          'refused|cut') }
    ['JSONP', 'callback(', ');'], ['parentheses', '(', ')'],
    ['HTML', '<pre>', '</pre>'], ['Markdown', "```json\n", "\n```"];

# behind the length that the model has said: nginx takes no more than that

push @tricks, map {
    my ($name, @reply) = @$_;
    trick("lengths: $name", reply(@reply), 'treated|refused|cut',
          control => 0);
} (
    ['more than said', "$Rounded$Document", 'Content-Length' =>
     length $Rounded],
    ['said twice', "{}$Document", 'Content-Length' => 2,
     'Content-Length' => 2 + length $Document],
    ['said twice, the long one first', "{}$Document",
     'Content-Length' => 2 + length $Document, 'Content-Length' => 2],
    ['0, and a body', $Document, 'Content-Length' => 0],
    ['negative', $Document, 'Content-Length' => -1],
    ['no number', $Document, 'Content-Length' => 'x'],
    ['hexadecimal', $Document, 'Content-Length' => '0x10'],
    ['signed', $Document, 'Content-Length' => '+22'],
    ['too large for any', $Document, 'Content-Length' => '9' x 30],
    ['and chunks', chunked($Rounded) . $Document, 'Content-Length' =>
     length(chunked($Rounded) . $Document), 'Transfer-Encoding' => 'chunked'],
    ['chunks, then a document', chunked($Rounded) . $Document,
     'Transfer-Encoding' => 'chunked'],
    ['chunks, with extensions', "2;x=$Secret\r\n{}\r\n0;y=$Hidden\r\n\r\n",
     'Transfer-Encoding' => 'chunked'],
    ['chunks, with trailers', "2\r\n{}\r\n0\r\nX-Scores: $Secret\r\n\r\n",
     'Transfer-Encoding' => 'chunked', 'Trailer' => 'X-Scores'],
    ['chunks, twice', chunked($Rounded) . chunked($Document),
     'Transfer-Encoding' => 'chunked'],
);

# the outcome "empty" and "other" are those of the harmless part alone

$_->{expected} = 'treated|refused|cut|empty|other'
    for grep { $_->{name} =~ /^lengths/ } @tricks;

# in the other framings: each event and each line is a document

push @tricks, map {
    my ($name, $type, $body) = @$_;
    trick("$name as $type", reply($body, 'Content-Type' => $type),
          'treated|refused|cut|other', ways => [qw( held streamed cached )]);
} (
    ['two documents in an event', 'text/event-stream',
     "data: {}$Document\n\n"],
    ['a document and text in an event', 'text/event-stream',
     "data: {} $Secret\n\n"],
    ['a document and a comma in an event', 'text/event-stream',
     "data: {},$Document\n\n"],
    ['behind the last event', 'text/event-stream', "data: {}\n\n$Document"],
    ['behind [DONE]', 'text/event-stream',
     "data: [DONE]\n\n$Document\n\ndata: $Document\n\n"],
    ['behind [DONE] at once', 'text/event-stream',
     "data: [DONE]$Document\n\n"],
    ['two documents in a line', 'application/x-ndjson', "{}$Document\n"],
    ['a document and a comma in a line', 'application/x-ndjson',
     "{},$Document\n"],
    ['a document and text in a line', 'application/x-ndjson',
     "{} $Secret\n"],
    ['text on a line', 'application/x-ndjson', "{}\nscore: $Secret\n"],
    ['a document over two lines', 'application/x-ndjson',
     "{\"scores\":\n$scores}\n"],
    ['an array of lines', 'application/x-ndjson',
     "[$Document,\n$Document]\n"],
    ['a comment on a line', 'application/x-ndjson', "// $Secret\n{}\n"],
    ['the last line without its end', 'application/x-ndjson',
     "{}\n$Document"],
);

# the garbage comes later than the document

push @tricks, map {
    trick("later: $_->[0]", [reply($Rounded, 'Content-Length' => undef),
                             \0.05, $_->[1]], 'refused|cut',
          ways => ['held', 'streamed']);
} ['a document', $Document], ['a blank, then a document', " $Document"],
  ['a member', ", \"scores\": $scores}"];

# whitespace is no garbage

push @tricks, map { trick("whitespace: $_->[0]",
                          reply("$Document$_->[1]"), 'treated') }
    ['a newline', "\n"], ['CRLF', "\r\n"], ['all kinds', " \t\r\n"],
    ['a lot', "\n" x 100000];

ways(@tricks);
