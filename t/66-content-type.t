# Copyright (C) the modelguard authors
#
# Ways round the guard: what the model calls its answer.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret;

my $events = "data: $Document\n\ndata: [DONE]\n\n";
my $lines = "$Document\n$Document\n";
my @tricks;

# JSON under names that are JSON, or near it: treated or refused

push @tricks, map {
    trick("JSON as \"$_\"", reply($Document, 'Content-Type' => $_),
          'treated|refused');
} 'application/json', 'Application/JSON', 'APPLICATION/JSON',
  'application/json;charset=utf-8', 'application/json; charset=UTF-8',
  'application/json ; charset=utf-8', 'application/json;',
  'application/json;;', 'application/json;odd', 'application/json; odd="a;b"',
  'application/json; charset="utf-8"', 'application/json; charset=',
  'application/json; a=b; charset=utf-8', 'application/json; charset=us-ascii',
  "application/json\t; charset=utf-8", ' application/json ',
  'application/json, text/html', 'text/html, application/json',
  'application/json text/plain', 'application/json/', 'application//json',
  'application/json;boundary=b', 'application/json; profile="x"',
  'application/problem+json', 'application/vnd.api+json',
  'application/ld+json;profile=x', 'application/geo+JSON',
  'application/+json', 'application/x+json+json', 'application/json+x',
  'application/a+json; charset=utf-8', 'text/json', 'text/x+json',
  'text/json; charset=utf-8', 'application/jsonp', 'application/json5',
  'application/x-json', 'application/jsonlines', 'application/json-seq',
  'application/javascript', 'application/hal+json', 'image/svg+json',
  'application/json-patch+json', 'model/vnd+json', 'application/vnd.a+json+zip',
  'application/' . 'a' x 300 . '+json', 'application/json' . ' ' x 200,
  '"application/json"', 'application/json(comment)', 'application /json',
  'application/json; charset=utf-8; charset=utf-7',
  'application/json; charset=utf-7; charset=utf-8';

# JSON under names that are none

push @tricks, map {
    trick('JSON as ' . ($_ // 'nothing'),
          reply($Document, 'Content-Type' => $_), 'refused');
} undef, '', 'text/plain', 'TEXT/PLAIN', 'text/plain; charset=utf-8',
  'text/html', 'text/xml', 'application/xml', 'application/xhtml+xml',
  'text/csv', 'application/octet-stream', 'application/x-unknown',
  'application/pdf', 'image/png', 'image/gif', 'video/mp4', 'audio/mpeg',
  'font/woff', 'multipart/mixed', 'multipart/x-mixed-replace; boundary=b',
  'multipart/form-data; boundary=b', 'message/http', 'message/rfc822',
  'application/http', 'application/x-www-form-urlencoded', 'text/css',
  'application/graphql-response', '*/*', 'application/*', 'json', '/', ';',
  'charset=utf-8', 'application', 'x', 'application/json\0', '\"';

# charsets in which other bytes are digits, or that tell a client to read
# otherwise than we do

push @tricks, map {
    trick("JSON in charset $_",
          reply($Document, 'Content-Type' => "application/json; charset=$_"),
          'refused|treated');
} 'utf-7', 'utf-16', 'utf-16le', 'utf-32', 'ibm037', 'shift_jis', 'gb18030',
  'iso-2022-jp', 'hz-gb-2312', 'x-user-defined', 'unicode-1-1-utf-7', 'cp500',
  'utf-8-sig', 'utf8', 'UTF8', '"utf-16"', "'utf-8'", 'utf-8 utf-16',
  'latin1', 'iso-8859-1';

# really encoded so

my $plus = $Document =~ s/([0-9]+)/sprintf '+%s-',
               MIME::Base64::encode_base64(utf16($1, 1), '') =~ tr{=}{}dr/ger;

push @tricks,
    trick('UTF-7', reply($plus, 'Content-Type'
                                => 'application/json; charset=utf-7'),
          'refused', control => 0),
    trick('UTF-7, not said', reply($plus), 'refused|cut', control => 0);

# the type said twice, or in another header

push @tricks, map {
    my ($name, @types) = @$_;
    trick("types: $name",
          reply($Document, map { ('Content-Type' => $_) } @types),
          'treated|refused');
} (
    ['JSON twice', 'application/json', 'application/json'],
    ['JSON, then text', 'application/json', 'text/plain'],
    ['text, then JSON', 'text/plain', 'application/json'],
    ['octets, then JSON', 'application/octet-stream', 'application/json'],
    ['JSON, then octets', 'application/json', 'application/octet-stream'],
    ['JSON, then nothing', 'application/json', ''],
    ['nothing, then JSON', '', 'application/json'],
    ['JSON, then events', 'application/json', 'text/event-stream'],
    ['events, then JSON', 'text/event-stream', 'application/json'],
    ['lines, then JSON', 'application/x-ndjson', 'application/json'],
);

push @tricks, map {
    my ($name, @headers) = @$_;
    trick("headers: $name", reply($Document, 'Content-Type' => undef,
                                  @headers), 'treated|refused',
          control => $name !~ /colon/);
} (
    ['another case', 'content-TYPE' => 'application/json'],
    ['an underscore', 'Content_Type' => 'application/json'],
    ['a space before the colon', 'Content-Type ' => 'application/json'],
    ['of another name', 'X-Content-Type' => 'application/json'],
    ['Content-Disposition', 'Content-Type' => 'text/plain',
     'Content-Disposition' => 'attachment; filename="a.json"'],
    ['X-Accel-Charset', 'Content-Type' => 'application/json',
     'X-Accel-Charset' => 'utf-16'],
    ['X-Accel-Buffering', 'Content-Type' => 'application/json',
     'X-Accel-Buffering' => 'no'],
    ['Transfer-Encoding: identity', 'Content-Type' => 'application/json',
     'Transfer-Encoding' => 'identity'],
    ['a Content-Language', 'Content-Type' => 'application/json',
     'Content-Language' => 'x-plain'],
    ['nosniff', 'Content-Type' => 'text/html',
     'X-Content-Type-Options' => 'nosniff'],
);

# framings under each other's names

push @tricks, map {
    my ($name, $type, $body, @more) = @$_;
    trick("$name as $type", reply($body, 'Content-Type' => $type, @more),
          'treated|refused|cut');
} (
    map({ my ($name, $body) = @$_;
          map { [$name, $_, $body] }
              'application/json', 'text/event-stream',
              'text/event-stream; charset=utf-8', 'Text/Event-Stream',
              'application/x-ndjson', 'application/ndjson',
              'application/jsonl', 'application/jsonlines',
              'application/json-lines', 'application/x-jsonlines',
              'application/stream+json', 'application/json-seq' }
        ['a document', $Document], ['events', $events], ['lines', $lines],
        ['documents without a newline', "$Document$Document"],
        ['documents with a comma', "$Document,$Document"],
        ['records with a separator', "\x1e$Document\n\x1e$Document\n"],
        ['a document, then events', "$Document\n\n$events"],
        ['events, then a document', "$events$Document"],
        ['lines of events', "data: $Document\ndata: $Document\n"]),
);

# events that hide what they carry

push @tricks, map {
    my ($name, $body) = @$_;
    map { trick("events, $name, $_->[0]",
                reply($body, 'Content-Type' => 'text/event-stream',
                      @$_[1 .. $#$_]),
                'treated|refused|cut|other', ways => [qw( held streamed )]) }
        ['whole', ()], ['to the end', 'Content-Length' => undef];
} (
    ['no space', "data:$Document\n\n"],
    ['two spaces', "data:  $Document\n\n"],
    ['a tab', "data:\t$Document\n\n"],
    ['CR', "data: $Document\r\r"],
    ['CRLF', "data: $Document\r\n\r\n"],
    ['CR and LF', "data: $Document\r\n\n\r"],
    ['a comment', ": $Document\n\ndata: {}\n\n"],
    ['a comment without a space', ":$Document\ndata: {}\n\n"],
    ['the name of an event', "event: $Secret\ndata: {}\n\n"],
    ['an id', "id: $Secret\ndata: {}\n\n"],
    ['retry', "retry: 8374651928\ndata: {}\n\n"],
    ['a field nobody knows', "score: $Secret\ndata: {}\n\n"],
    ['a field without a colon', "$Secret\ndata: {}\n\n"],
    ['Data', "Data: $Document\n\n"],
    ['a space before', " data: $Document\n\n"],
    ['a space before the colon', "data : $Document\n\n"],
    ['a BOM', "\xef\xbb\xbfdata: $Document\n\n"],
    ['two BOMs', "\xef\xbb\xbf\xef\xbb\xbfdata: $Document\n\n"],
    ['in two lines', "data: {\"scores\": [$Secret,\ndata: $Second]}\n\n"],
    ['in two lines and a comment',
     "data: {\"scores\": [$Secret,\n:a\ndata: $Second]}\n\n"],
    ['a number in two lines', "data: {\"scores\": [0.8374\ndata: 651928]}\n\n"],
    ['no blank line at the end', "data: $Document"],
    ['no blank line, CR', "data: $Document\r"],
    ['after [DONE]', "data: [DONE]\n\ndata: $Document\n\n"],
    ['[DONE] with more', "data: [DONE] $Document\n\n"],
    ['an error', "data: {\"error\": {\"message\": \"a\"}}\n\n"
                 . "data: $Document\n\n"],
    ['text', "data: the score is $Secret\n\n"],
    ['a number', "data: $Secret\n\n"],
    ['a string', "data: \"$Secret\"\n\n"],
    ['two documents in one', "data: $Document$Document\n\n"],
    ['a NUL in the name', "da\0ta: $Document\n\n"],
    ['a NUL in an id', "id: \0$Secret\ndata: {}\n\n"],
    ['half a document', "data: {\"scores\": [$Secret\n\n"],
    ['half a document, and the other half',
     "data: {\"scores\": [$Secret\n\ndata: ]}\n\n"],
    ['empty data', "data:\n\ndata: $Document\n\n"],
    ['data without a colon', "data\ndata: $Document\n\n"],
    ['ping', "event: ping\ndata: $Document\n\n"],
    ['many newlines', "\n\n\n\ndata: $Document\n\n\n\n"],
);

# a client's Accept, which a model obliges

sub obliging {
    my ($request) = @_;
    my $accept = $request->{headers}{accept} // 'application/json';

    return reply($accept =~ /event-stream/ ? $events
                 : $accept =~ /ndjson/ ? $lines : $Document,
                 'Content-Type' => $accept =~ s/,.*//r);
}

push @tricks, map { trick("Accept: $_", \&obliging, 'treated|refused|cut',
                          headers => ["Accept: $_"]) }
    'application/json', 'text/event-stream', 'application/x-ndjson',
    'text/plain', 'application/json;q=0, text/plain', '*/*',
    'text/event-stream, application/json';

ways(@tricks);
