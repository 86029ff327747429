# Copyright (C) the modelguard authors
#
# Ways round the guard: Range and If-Range, and parts that come unasked.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret;

my $start = index $Document, '8374';
my $length = length $Document;
my $etag = '"8374651928"';

# a model that serves ranges of its answer, as a file server would

sub ranged {
    my ($request) = @_;
    my $range = $request->{headers}{range} // $request->{headers}{'x-range'};
    my @headers = ('Accept-Ranges' => 'bytes', 'ETag' => $etag);

    return reply($Document, @headers) if !defined $range;

    my @parts;

    push @parts, $1 eq '' ? [$length - $2, $length - 1]
                          : [$1, $2 eq '' ? $length - 1 : $2]
        while $range =~ /(\d*)-(\d*)/g;

    return reply($Document, @headers) if !@parts;

    if (@parts == 1) {
        my ($from, $to) = @{ $parts[0] };

        return reply(substr($Document, $from, $to - $from + 1), @headers,
                     status => '206 Partial Content',
                     'Content-Range' => "bytes $from-$to/$length");
    }

    my $body = '';

    for my $part (@parts) {
        my ($from, $to) = @$part;

        $body .= "--b\r\nContent-Type: application/json\r\n"
                 . "Content-Range: bytes $from-$to/$length\r\n\r\n"
                 . substr($Document, $from, $to - $from + 1) . "\r\n";
    }

    return reply("$body--b--\r\n", @headers,
                 status => '206 Partial Content',
                 'Content-Type' => 'multipart/byteranges; boundary=b');
}

my $digits = "$start-" . ($start + 7);

my @asked = map { trick("asked for: $_->[0]", \&ranged, 'treated',
                        headers => [@$_]) }
    ["Range: bytes=$digits"], ["Range: bytes=$start-"],
    ["Range: bytes=-" . ($length - $start)], ['Range: bytes=0-'],
    ["range: bytes=$digits"], ["RANGE: bytes=$digits"],
    ["Range: BYTES=$digits"], ["Range: bytes = $digits"],
    ["Range:bytes=$digits"], ["Range: bytes=0-3,$digits"],
    ["Range: bytes=" . join ',', map { $start + $_ . '-' . ($start + $_) }
                                     0 .. 9],
    ["Range: bytes=$digits,0-3,$digits"],
    ["Range: bytes=0-0", "Range: bytes=$digits"],
    ["Range: bytes=$digits", "If-Range: $etag"],
    ["Range: bytes=$digits", "If-Range: W/$etag"],
    ["Range: bytes=$digits", 'If-Range: Mon, 28 Sep 1970 06:00:00 GMT'],
    ["If-Range: $etag", "Range: bytes=$digits"],
    ["Range: bytes=$digits", "If-Match: $etag"],
    ["Range: items=$digits"], ["Range: bytes=$digits", 'Cache-Control: no-cache'],
    ["Range: bytes=$digits", 'Accept-Encoding: gzip'],
    ["Range: bytes=99999999999999999999-"], ["Range: bytes=$length-"];

push @asked, trick('asked for over HTTP/1.0', \&ranged, 'treated',
                   version => '1.0', headers => ["Range: bytes=$digits"]);
push @asked, trick('asked for with HEAD', sub { (ranged(@_) =~
                       s/(\r\n\r\n).*/$1/sr) }, 'empty|refused',
                   method => 'HEAD', headers => ["Range: bytes=$digits"],
                   control => 0);

# what nginx does not know it forwards: what comes back is refused

push @asked, map { trick("asked for: $_", \&ranged, 'refused',
                         headers => [$_]) }
    "X-Range: bytes=$digits", "X-Range: bytes=0-3,$digits";

my $part = substr $Document, $start, 10;
my $parts = "--b\r\nContent-Type: application/json\r\n\r\n$Document\r\n"
            . "--b--\r\n";

my @unasked = map {
    my ($name, $expected, @reply) = @$_;
    trick("unasked: $name", reply(@reply), $expected)
} (
    ['206', 'refused', $part, status => '206 Partial Content',
     'Content-Range' => "bytes $digits/$length"],
    ['206 of the whole', 'refused', $Document,
     status => '206 Partial Content',
     'Content-Range' => "bytes 0-@{[ $length - 1 ]}/$length"],
    ['206 without Content-Range', 'refused', $part,
     status => '206 Partial Content'],
    ['206 with another reason', 'refused', $Document, status => '206 OK'],
    ['206 of no type', 'refused', $part, status => '206 Partial Content',
     'Content-Type' => undef],
    ['206 that is compressed', 'refused', gzipped($Document),
     status => '206 Partial Content', 'Content-Encoding' => 'gzip'],
    ['206 in chunks', 'refused', chunked($part),
     status => '206 Partial Content', 'Transfer-Encoding' => 'chunked'],
    ['206 of an event stream', 'refused', "data: $Document\n\n",
     status => '206 Partial Content',
     'Content-Type' => 'text/event-stream'],
    ['multipart 206', 'refused', $parts, status => '206 Partial Content',
     'Content-Type' => 'multipart/byteranges; boundary=b'],
    ['multipart 200', 'refused', $parts,
     'Content-Type' => 'multipart/byteranges; boundary=b'],
    ['multipart called JSON', 'refused|cut', $parts],
    ['multipart called JSON, a boundary', 'refused|cut', $parts,
     'Content-Type' => 'application/json; boundary=b'],
    ['Content-Range on a 200', 'treated|refused', $Document,
     'Content-Range' => "bytes $digits/8374651928"],
    ['Content-Range on a 200 of a part', 'refused|cut', $part,
     'Content-Range' => "bytes $digits/$length"],
    ['a part that is JSON, on a 200', 'treated|refused|other|cut',
     '{"scores": [0.8374651928]}', 'Content-Range' => 'bytes 0-25/900'],
    ['Content-Range on an error', 'treated|refused|other', $Document,
     status => '404 Not Found', 'Content-Range' => 'bytes */8374651928'],
    ['416', 'treated|refused|other', $Document,
     status => '416 Requested Range Not Satisfiable',
     'Content-Range' => 'bytes */837465'],
    ['226', 'treated|refused', $Document, status => '226 IM Used',
     'IM' => 'range'],
    ['200 and Accept-Ranges', 'treated', $Document,
     'Accept-Ranges' => 'bytes', 'ETag' => $etag],
    ['207', 'treated|refused', $Document, status => '207 Multi-Status'],
);

# nginx's own ranges: of a file, of a cache, of what it forces

my @own = map {
    my $range = $_;
    map { trick("nginx's own, $_->[0]: $range", reply($Document,
                    'ETag' => $etag, 'Accept-Ranges' => 'bytes',
                    'Last-Modified' => 'Mon, 28 Sep 1970 06:00:00 GMT'),
                'treated', ways => [$_->[1]], control => 0,
                headers => ["Range: bytes=$range", @$_[2 .. $#$_]]) }
        ['held', 'held'], ['streamed', 'streamed'], ['a hit', 'cached'],
        ['a hit, If-Range', 'cached', "If-Range: $etag"];
} $digits, "0-3,$digits", '-100';

my $server = ways(@asked, @unasked, @own, {
    location => 'proxy_force_ranges on;',
    server => "location = /file.json { modelguard two; sendfile on;\n"
              . "types { application/json json; } }\n"
              . "location = /plain.json { alias html/file.json; }\n"
              . "location = /return { modelguard two;\n"
              . "default_type application/json; return 200 '$Document'; }\n",
    check => sub {
        my ($trick, $way, $answer) = @_;
        my ($head) = split /\r\n\r\n/, $answer;

        return grep { $head =~ /$_/mi }
                    '^Content-Range', '^Accept-Ranges: bytes', '^HTTP/\S+ 206';
    },
});

mkdir "$server->{prefix}/html";
open my $file, '>', "$server->{prefix}/html/file.json" or die;
print $file $Document;
close $file;

for my $range ($digits, "0-3,$digits", "$start-", '-100') {
    for my $uri ('/file.json', '/return') {
        my $answer = ask($server->{port}, "GET $uri HTTP/1.1\r\nHost: x\r\n"
                         . "Range: bytes=$range\r\nConnection: close\r\n\r\n");

        is_deeply([outcome($answer), leaks($answer)], ['treated'],
                  "$uri: $range");
    }

    ok(leaks(ask($server->{port}, "GET /plain.json HTTP/1.1\r\nHost: x\r\n"
                 . "Range: bytes=$range\r\nConnection: close\r\n\r\n")) > 0,
       "a file that is not guarded: $range");
}
