# Copyright (C) the modelguard authors
#
# Ways round the guard: Accept-Encoding, and answers that are compressed.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret;

# the check itself: what it must see and what it must not

for my $case (
    ['as it is', $Document],
    ['in another notation', '[8374651928e-10]'],
    ['with a point elsewhere', '[83.74651928E-2]'],
    ['three digits of it', '{"a": 0.837}'],
    ['later digits of it', '{"a": "x928"}'],
    ['metadata', qq({"meta": "$Hidden"})],
    ['gzip', gzipped($Document)],
    ['gzip after other bytes', 'abc' . gzipped($Document)],
    ['gzip in gzip', gzipped(gzipped($Document))],
    ['half of a gzip stream',
     substr(gzipped($Document, -Level => 0), 0, 60)],
    ['zlib', zipped($Document)],
    ['deflate', deflated($Document)],
    ['brotli, stored', brotli($Document)],
    ['zstd, stored', zstandard($Document)],
    ['zstd, stored, longer', zstandard($Document . ' ' x 300)],
    ['escaped digits', '["0.\u0038\u0033\u0037\u0034"]'],
    ['UTF-16', utf16($Document)],
    ['float32', 'ab' . pack('f<2', $Secret, $Second)],
    ['float64', pack('d>', $Second)],
    ['float16', half($Secret), half => 1],
    ['base64 of float32', '"' . MIME::Base64::encode_base64(
                                    pack('f<', $Secret), '') . '"'],
    ['base64url of text', MIME::Base64::encode_base64("? $Document", '')
                              =~ tr{/+=}{_-}dr],
    ['digits apart', 'data: 0.83\ndata: 74\ndata: 65\ndata: 19\ndata: 28'],
) {
    my ($name, $body, @options) = @$case;

    ok(leaks("HTTP/1.1 200 OK\r\n\r\n$body", @options) > 0,
       "the check sees: $name");
    ok(leaks("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
             . chunked(unpack '(a2)*', $body), @options) > 0,
       "the check sees: $name, in chunks");
}

ok(leaks("HTTP/1.1 200 OK\r\nX-Score: $Secret\r\n\r\n") > 0,
   'the check sees a header');
ok(leaks("HTTP/1.1 200 OK\r\nETag: \"8374\"\r\n\r\n") > 0,
   'the check sees a header with some of the digits');
is_deeply([leaks("HTTP/1.1 200 OK\r\nContent-Length: 465\r\n"
                 . "Date: Mon, 28 Sep 1970 06:00:00 GMT\r\n\r\n$Rounded")],
          [], 'the check does not mind what may be seen');
is_deeply([leaks("HTTP/1.1 200 OK\r\n\r\n" . gzipped($Rounded))], [],
          'nor that compressed');

is(outcome("HTTP/1.1 200 OK\r\n\r\n$Rounded"), 'treated', 'outcome: treated');
is(outcome("HTTP/1.1 200 OK\r\n\r\n$Document"), 'other', 'outcome: other');
is(outcome("HTTP/1.1 502 Bad Gateway\r\n\r\n"), 'refused',
   'outcome: refused');
is(outcome("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"), 'cut',
   'outcome: cut');
is(outcome("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
           . "2\r\n{}\r\n"), 'cut', 'outcome: cut, in chunks');
is(outcome(''), 'cut', 'outcome: nothing at all');
is(outcome("HTTP/1.1 204 No Content\r\n\r\n"), 'empty', 'outcome: empty');

# a model that compresses if it is asked to

sub obliging {
    my ($request) = @_;
    my $asked = $request->{headers}{'accept-encoding'} // '';

    return reply(gzipped($Document), 'Content-Encoding' => 'gzip')
        if $asked =~ /gzip|\*/;

    return reply(zipped($Document), 'Content-Encoding' => 'deflate')
        if $asked =~ /deflate/;

    return reply(brotli($Document), 'Content-Encoding' => 'br')
        if $asked =~ /br/;

    return reply(zstandard($Document), 'Content-Encoding' => 'zstd')
        if $asked =~ /zstd/;

    return reply($Document);
}

my @asked = map { trick("asked for: $_", \&obliging, 'treated',
                        headers => [ map { "Accept-Encoding: $_" }
                                         split /\|/, $_, -1 ]) }
    'gzip', 'GZIP', 'gzip;q=1.0, identity;q=0', 'gzip;q=0.001', 'x-gzip', '*',
    '*;q=1, identity;q=0', 'br', 'zstd', 'deflate', 'gzip, deflate, br, zstd',
    'identity|gzip', 'gzip|br|zstd', ' gzip', "gzip\t", 'compress, gzip',
    'gzip,gzip,gzip', 'aws-chunked,gzip', '', '|gzip', 'gzip;q=0';

push @asked, trick('asked for in the request line of HTTP/1.0', \&obliging,
                   'treated', version => '1.0',
                   headers => ['Accept-Encoding: gzip']);

# nginx knows no header of such names, a model might

for my $name ('Accept-encoding', 'ACCEPT-ENCODING', 'accept-encoding',
              'Accept_Encoding', 'TE', 'X-Accept-Encoding')
{
    push @asked, trick("asked for in $name", \&obliging, 'treated',
                       headers => ["$name: gzip"]);
}

# a model that compresses whatever it is asked

my @accept = (headers => ['Accept-Encoding: gzip, deflate, br, zstd']);
my $big = '{"pad": "' . 'x' x 70000 . '", ' . substr $Document, 1;
my $middle = length(gzipped($Document)) >> 1;

my @coded = (
    ['gzip', gzipped($Document), 'Content-Encoding' => 'gzip'],
    ['gzip, in upper case', gzipped($Document),
     'Content-Encoding' => 'GZIP'],
    ['gzip, in odd case in a header in lower case', gzipped($Document),
     'content-encoding' => 'gZiP'],
    ['x-gzip', gzipped($Document), 'Content-Encoding' => 'x-gzip'],
    ['gzip, stored', gzipped($Document, -Level => 0),
     'Content-Encoding' => 'gzip'],
    ['gzip with a name and a comment',
     gzipped($Document, -Name => $Secret, -Comment => $Hidden),
     'Content-Encoding' => 'gzip'],
    ['gzip of two members', gzipped('{"scores": [') . gzipped("$Secret]}"),
     'Content-Encoding' => 'gzip'],
    ['gzip and bytes behind it', gzipped($Rounded) . $Document,
     'Content-Encoding' => 'gzip'],
    ['gzip and another behind it', gzipped($Rounded) . gzipped($Document),
     'Content-Encoding' => 'gzip'],
    ['gzip with a wrong checksum',
     gzipped($Document, -Level => 0) =~ s/.{8}\z/12345678/sr,
     'Content-Encoding' => 'gzip'],
    ['gzip without its end', substr(gzipped($Document, -Level => 0), 0, -12),
     'Content-Encoding' => 'gzip'],
    ['half of gzip', substr(gzipped($Document, -Level => 0), 0, 60),
     'Content-Encoding' => 'gzip'],
    ['gzip after a space', ' ' . gzipped($Document),
     'Content-Encoding' => 'gzip'],
    ['gzip with a parameter', gzipped($Document),
     'Content-Encoding' => 'gzip;q=1'],
    ['gzip, quoted', gzipped($Document), 'Content-Encoding' => '"gzip"'],
    ['gzip, unknown method byte',
     gzipped($Document, -Level => 0) =~ s/^(..)\x08/$1\x07/sr,
     'Content-Encoding' => 'gzip'],
    ['big gzip', gzipped($big), 'Content-Encoding' => 'gzip'],
    ['deflate', zipped($Document), 'Content-Encoding' => 'deflate'],
    ['deflate without zlib', deflated($Document),
     'Content-Encoding' => 'deflate'],
    ['gzip called deflate', gzipped($Document),
     'Content-Encoding' => 'deflate'],
    ['deflate called gzip', zipped($Document), 'Content-Encoding' => 'gzip'],
    ['br', brotli($Document), 'Content-Encoding' => 'br'],
    ['BR', brotli($Document), 'Content-Encoding' => 'BR'],
    ['zstd', zstandard($Document), 'Content-Encoding' => 'zstd'],
    ['zstd of two frames', zstandard('{"scores": [') . zstandard("$Secret]}"),
     'Content-Encoding' => 'zstd'],
    ['zstd behind a frame to be skipped',
     pack('V V', 0x184d2a50, length $Document) . $Document
     . zstandard($Rounded), 'Content-Encoding' => 'zstd'],
    ['compress', "\x1f\x9d\x90$Document", 'Content-Encoding' => 'compress'],
    ['a coding nobody knows', $Document, 'Content-Encoding' => 'rot26'],
    ['gzip called br', gzipped($Document), 'Content-Encoding' => 'br'],
    ['gzip twice', gzipped(gzipped($Document)),
     'Content-Encoding' => 'gzip, gzip'],
    ['gzip twice, said once', gzipped(gzipped($Document)),
     'Content-Encoding' => 'gzip'],
    ['gzip twice, in two headers', gzipped(gzipped($Document)),
     'Content-Encoding' => 'gzip', 'Content-Encoding' => 'gzip'],
    ['deflate, then gzip', gzipped(zipped($Document)),
     'Content-Encoding' => 'deflate, gzip'],
    ['deflate, then gzip, in two headers', gzipped(zipped($Document)),
     'Content-Encoding' => 'deflate', 'Content-Encoding' => 'gzip'],
    ['gzip and identity', gzipped($Document),
     'Content-Encoding' => 'gzip, identity'],
    ['identity and gzip', gzipped($Document),
     'Content-Encoding' => 'identity,gzip'],
    ['gzip, then identity in a second header', gzipped($Document),
     'Content-Encoding' => 'gzip', 'Content-Encoding' => 'identity'],
    ['identity, then gzip in a second header', gzipped($Document),
     'Content-Encoding' => 'identity', 'Content-Encoding' => 'gzip'],
    ['gzip, then an empty second header', gzipped($Document),
     'Content-Encoding' => 'gzip', 'Content-Encoding' => ''],
    ['gzip with an empty header', gzipped($Document),
     'Content-Encoding' => ''],
    ['gzip with a header of a comma', gzipped($Document),
     'Content-Encoding' => ','],
    ['gzip without a header', gzipped($Document)],
    ['gzip called identity', gzipped($Document),
     'Content-Encoding' => 'identity'],
    ['gzip as a type', gzipped($Document),
     'Content-Type' => 'application/gzip'],
    ['gzip as a transfer coding', gzipped($Document),
     'Transfer-Encoding' => 'gzip'],
    ['gzip, chunked', chunked(gzipped($Document)),
     'Content-Encoding' => 'gzip', 'Transfer-Encoding' => 'chunked'],
    ['gzip of an error', gzipped($Document), 'Content-Encoding' => 'gzip',
     'status' => '400 Bad Request'],
    ['gzip of an event stream', gzipped("data: $Document\n\n"),
     'Content-Encoding' => 'gzip', 'Content-Type' => 'text/event-stream'],
    ['gzip of lines', gzipped("$Document\n$Document\n"),
     'Content-Encoding' => 'gzip', 'Content-Type' => 'application/x-ndjson'],
    ['gzip of JSON that is broken', gzipped($Document =~ s/\]/,]/r),
     'Content-Encoding' => 'gzip'],
);

# in all ways, and for a client that takes no coding

my @unasked = map {
    my ($name, @reply) = @$_;
    (trick($name, reply(@reply), 'treated|refused|cut', @accept),
     trick("$name, not accepted", reply(@reply), 'treated|refused|cut'))
} @coded;

my @pieces = map { trick("$_->[0], in pieces",
                         [in_pieces($_->[1], 7, 0.0005)],
                         'treated|refused|cut', @accept) }
    ['gzip', reply(gzipped($Document), 'Content-Encoding' => 'gzip')],
    ['zstd', reply(zstandard($Document), 'Content-Encoding' => 'zstd')];

# plain JSON that says that it is not

my @plain = map { trick("plain, called $_",
                        reply($Document, 'Content-Encoding' => $_),
                        'refused|cut', @accept) }
    'gzip', 'deflate', 'br', 'zstd', 'compress', 'none', 'utf-8',
    'gzip, identity', 'identity;q=1';

push @plain, map { trick("plain, called \"$_\"",
                         reply($Document, 'Content-Encoding' => $_),
                         'treated|refused', @accept) }
    '', 'identity', 'IDENTITY', ' identity ', 'identity, identity';

ways(@asked, @unasked, @pieces, @plain);
