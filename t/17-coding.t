# Copyright (C) the modelguard authors
#
# Compressed answers of a model server: decoded whatever the client accepts,
# treated like any other, bounded, and sent on without the coding; what cannot
# be decoded whole is refused.

use lib 't/lib';
use ModelguardTest;
use ModelguardWire;

use Compress::Zlib ();
use IO::Compress::Deflate;
use IO::Compress::Gzip;
use IO::Compress::RawDeflate;

our $Http = <<'CONF';
    modelguard_profile two { scores round=2; }
    modelguard_profile one { scores round=1; }
    modelguard_field scores $.scores;
    proxy_cache_path cache keys_zone=cache:1m;
CONF

my $begin = '{"scores": [0.123456, 0.9], "pad": "';
my $body = $begin . 'x' x 200 . '"}';

our $Treated = '{"scores": [0.12, 0.9], "pad": "' . 'x' x 200 . '"}';
our $Length = length $body;


sub gzipped {
    my ($text) = @_;

    IO::Compress::Gzip::gzip(\$text, \my $zipped) or die;

    return $zipped;
}


sub deflated {
    my ($text) = @_;

    IO::Compress::Deflate::deflate(\$text, \my $zipped) or die;

    return $zipped;
}


sub raw_deflated {
    my ($text) = @_;

    IO::Compress::RawDeflate::rawdeflate(\$text, \my $zipped) or die;

    return $zipped;
}


sub stored {
    my ($text) = @_;

    IO::Compress::RawDeflate::rawdeflate(\$text, \my $zipped, -Level => 0)
        or die;

    return $zipped;
}


# a gzip body whose bytes come out with each event

sub flushed {
    my (@pieces) = @_;

    my ($stream) = Compress::Zlib::deflateInit(-WindowBits => 31);
    my @out;

    for my $piece (@pieces) {
        my ($data) = $stream->deflate($piece);
        my ($rest) = $stream->flush(Compress::Zlib::Z_SYNC_FLUSH());

        push @out, $data . $rest;
    }

    my ($end) = $stream->flush();

    return @out, $end;
}


# $body by the tools of brotli and zstd

my $brotli = pack 'H*',
    '1bed00802c8e77909cc852458d883f1a868d50e90da2b3d7a74560b6f0261e5c98db'
    . 'd83c22a816f4464536070e3901fd1e50609608978a06a61ca0e47f258b723a0b705f'
    . '9dff1fa701';

my $zstd = pack 'H*',
    '28b52ffd00687d010074027b2273636f726573223a205b302e3132333435362c2030'
    . '2e395d2c2022706164223a202278227d01002552e009';

# two frames with checksums

my $frames = pack 'H*',
    '28b52ffd04582101007b2273636f726573223a205b302e3132333435362c20302e39'
    . '5d2c2022706164223a2022901e0ee928b52ffd04585d0000207878227d0100430a60'
    . '01898bda90';

# the same as $zstd with a window of 16 MB, and of 8 MB

my $wide = $zstd =~ s/\A(.{5})\x68/$1\x70/rs;

my $zipped = gzipped($body);

# with everything that a header may have, and a checksum of it

my $header = pack('C4 V C2 v/a* Z* Z*', 0x1f, 0x8b, 8, 0x1e, 1, 0, 3,
                  pack('a2 v/a*', 'ab', 'c' x 50), 'answer.json', 'd' x 100);

my $named = $header . pack('v', Compress::Zlib::crc32($header) & 0xffff)
            . raw_deflated($body)
            . pack('V V', Compress::Zlib::crc32($body), length $body);

my %coded = (
    gzip => [ gzip => $zipped ],
    upper => [ 'GZip' => $zipped ],
    xgzip => [ 'x-gzip' => $zipped ],
    listed => [ 'identity, gzip ,' => $zipped ],
    named => [ gzip => $named ],
    named_crc => [ gzip => $named =~ s/answer/anther/r ],
    members => [ gzip => gzipped($begin) . gzipped('')
                         . gzipped(substr $body, length $begin) ],
    deflate => [ deflate => deflated($body) ],
    raw => [ deflate => raw_deflated($body) ],
    stored => [ deflate => stored($body) ],
    br => [ br => $brotli ],
    zstd => [ zstd => $zstd ],
    frames => [ zstd => $frames ],

    gzip_cut => [ gzip => substr $zipped, 0, 40 ],
    gzip_head => [ gzip => substr $zipped, 0, 1 ],
    gzip_tail => [ gzip => substr $zipped, 0, -1 ],
    gzip_more => [ gzip => $zipped . substr $zipped, 0, 11 ],
    deflate_cut => [ deflate => substr deflated($body), 0, -1 ],
    deflate_head => [ deflate => "\x78" ],
    raw_cut => [ deflate => substr raw_deflated($body), 0, -1 ],
    br_cut => [ br => substr $brotli, 0, -1 ],
    zstd_cut => [ zstd => substr $zstd, 0, -1 ],
    frames_cut => [ zstd => substr $frames, 0, -1 ],

    gzip_plain => [ gzip => $body ],
    gzip_deflate => [ gzip => deflated($body) ],
    gzip_crc => [ gzip => substr($zipped, 0, -8) . 'abcd'
                          . substr $zipped, -4 ],
    gzip_size => [ gzip => substr($zipped, 0, -4) . 'abcd' ],
    gzip_bits => [ gzip => substr($zipped, 0, 12) . "\xff\xff"
                           . substr $zipped, 14 ],
    deflate_plain => [ deflate => $body ],
    deflate_sum => [ deflate => substr(deflated($body), 0, -4) . 'abcd' ],
    deflate_gzip => [ deflate => $zipped ],
    br_plain => [ br => $body ],
    zstd_plain => [ zstd => $body ],
    zstd_sum => [ zstd => substr($frames, 0, -1) . 'a' ],
    zstd_wide => [ zstd => $wide ],

    gzip_zeros => [ gzip => $zipped . "\0" x 100 ],
    gzip_text => [ gzip => $zipped . '{"scores": [0.123456]}' ],
    deflate_text => [ deflate => deflated($body) . '0.123456' ],
    deflate_parts => [ deflate => deflated($begin)
                                  . deflated(substr $body, length $begin) ],
    raw_parts => [ deflate => raw_deflated($begin)
                              . raw_deflated(substr $body, length $begin) ],
    raw_text => [ deflate => raw_deflated($body) . '0.123456' ],
    br_text => [ br => "${brotli}0.123456" ],
    zstd_text => [ zstd => "${zstd}0.123456" ],

    compress => [ compress => $zipped ],
    stacked => [ 'gzip, br' => gzipped($brotli) ],
    twice => [ 'gzip, gzip' => gzipped($zipped) ],
    headers => [ "gzip\r\nContent-Encoding: gzip" => gzipped($zipped) ],
    weight => [ 'gzip;q=1' => $zipped ],
    glued => [ 'gzip gzip' => $zipped ],

    bomb => [ gzip => gzipped($begin . 'x' x 5e6 . '"}') ],
    bombs => [ gzip => gzipped($begin)
                       . gzipped('x' x 1e6) x 5 . gzipped('"}') ],

    bad => [ gzip => gzipped('{"scores": [0.123456,]}') ],
    scalar => [ gzip => gzipped(' 1 ') ],
    large => [ gzip => gzipped($begin . join(',', 1 .. 200000) . '"}') ],
);

our $Large = '{"scores": [0.12, 0.9], "pad": "' . join(',', 1 .. 200000)
             . '"}';

my @events = map { qq(data: {"scores": [0.123456], "n": $_}\n\n) } 1 .. 3;

our $Events = join '', map { qq(data: {"scores": [0.12], "n": $_}\n\n) }
                           1 .. 3;

backend(model => sub {
    my ($request) = @_;
    my ($how, $name, $cut) = $request->{uri} =~ m{^/(\w+)/(\w+)(?:/(\d+))?};

    if ($how eq 'events') {
        my ($first, @rest) = flushed(@events);

        return (json_reply($first, 'Content-Type' => 'text/event-stream',
                           'Content-Length' => undef,
                           'Content-Encoding' => 'gzip'),
                map { (\1, $_) } @rest)
            if $name eq 'live';

        return in_pieces(json_reply(join('', $first, @rest),
                                    'Content-Type' => 'text/event-stream',
                                    'Content-Encoding' => 'gzip'), 1, 0.0005);
    }

    return json_reply($body) if $how eq 'plain';

    my ($coding, $bytes) = @{ $coded{$name} || [ gzip => '' ] };
    my %headers = ('Content-Encoding' => $coding, ETag => '"e"',
                   'Accept-Ranges' => 'bytes');

    $headers{'Cache-Control'} = 'max-age=60' if $how eq 'cached';
    $headers{'Content-Length'} = undef if $how eq 'open';

    return json_reply('', %headers, status => '304 Not Modified',
                      'Content-Length' => undef)
        if $how eq 'unchanged';

    return json_reply('', %headers, 'Content-Length' => length $bytes)
        if $request->{method} eq 'HEAD';

    return json_reply($bytes, %headers, status => '422 Unprocessable')
        if $how eq 'error';

    return json_reply(gzipped('<p>'), %headers, status => '422 Unprocessable',
                      'Content-Type' => 'text/html',
                      'Content-Length' => undef)
        if $how eq 'page';

    if ($cut) {
        my ($head, $tail) = split /(?<=\r\n\r\n)/,
                                  json_reply($bytes, %headers), 2;

        return ($head, in_pieces($tail, $cut));
    }

    return json_reply($bytes, %headers);
});

wire_checks();
run_tests();

__DATA__

=== TEST 1: each coding, for a client that accepts none (0.2)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t/gzip
GET /t/upper
GET /t/xgzip
GET /t/listed
GET /t/named
GET /t/members
GET /t/deflate
GET /t/raw
GET /t/stored
GET /t/br
GET /t/zstd
GET /t/frames
GET /open/gzip
GET /open/raw
GET /open/br
GET /open/zstd
--- wire_like
^HTTP/1\.1 200 OK\r\n
Content-Length: 234\r\n
--- wire_unlike
Content-Encoding
ETag
Accept-Ranges
0\.123
--- wire_body eval: $::Treated



=== TEST 2: each coding, for a client that accepts all (0.2)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t/gzip
GET /t/raw
GET /t/br
GET /t/zstd
--- wire_headers
Accept-Encoding: gzip, deflate, br, zstd
Connection: close
--- wire_like
^HTTP/1\.1 200 OK\r\n
--- wire_unlike
Content-Encoding
--- wire_body eval: $::Treated



=== TEST 3: byte by byte (3)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t/gzip/1
GET /t/named/1
GET /t/members/1
GET /t/deflate/1
GET /t/raw/1
GET /t/br/1
GET /t/zstd/1
GET /t/frames/1
GET /t/members/7
GET /t/frames/3
--- wire_body eval: $::Treated



=== TEST 4: byte by byte, streamed with proxy_buffering off
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 0;
    proxy_buffering off;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t/gzip/1
GET /t/raw/1
GET /t/br/1
GET /t/zstd/1
--- wire_like
^HTTP/1\.1 200 OK\r\n
--- wire_unlike
Content-Encoding
--- wire_body eval: $::Treated



=== TEST 5: HTTP/1.0
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t/gzip HTTP/1.0
GET /t/zstd HTTP/1.0
--- wire_unlike
Content-Encoding
--- wire_body eval: $::Treated



=== TEST 6: more than the header is held for, in and out of buffers (3)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
    location ~ ^/open {
        proxy_buffering off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- wire
GET /t/large
GET /open/large
--- wire_unlike
Content-Encoding
Content-Length
--- wire_body eval: $::Large



=== TEST 7: a slow client
--- http_config eval: $::Http
--- config
    modelguard two;
    sendfile off;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t/large
--- wire_slow
--- wire_body eval: $::Large



=== TEST 8: nginx compresses again (3)
--- http_config eval: $::Http
--- config
    modelguard two;
    gzip on;
    gzip_types application/json;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t/gzip
GET /t/deflate
GET /t/br
GET /t/zstd
--- wire_headers
Accept-Encoding: gzip
Connection: close
--- wire_like
Content-Encoding: gzip\r\n
--- wire_gunzip eval: $::Treated



=== TEST 9: gunzip of nginx, before us
--- http_config eval: $::Http
--- config
    modelguard two;
    gunzip on;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t/gzip
GET /t/members
GET /t/deflate
--- wire_unlike
Content-Encoding
--- wire_body eval: $::Treated



=== TEST 10: cut short
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t/gzip_cut
GET /t/gzip_head
GET /t/gzip_tail
GET /t/gzip_more
GET /t/deflate_cut
GET /t/deflate_head
GET /t/raw_cut
GET /t/br_cut
GET /t/zstd_cut
GET /t/frames_cut
GET /open/gzip_tail
GET /t/gzip_tail/1
GET /t/zstd_cut/1
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
response_blocked"}}\n$
--- wire_unlike
Content-Encoding
0\.12
--- error_log
response blocked: its content coding ends too early
--- no_error_log
malformed
is damaged
[alert]



=== TEST 11: damaged, or not what it says
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t/gzip_plain
GET /t/gzip_deflate
GET /t/gzip_crc
GET /t/gzip_size
GET /t/gzip_bits
GET /t/named_crc
GET /t/deflate_plain
GET /t/deflate_sum
GET /t/deflate_gzip
GET /t/br_plain
GET /t/zstd_plain
GET /t/zstd_sum
GET /t/zstd_wide
GET /t/gzip_crc/1
GET /t/zstd_sum/1
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
response_blocked"}}\n$
--- wire_unlike
Content-Encoding
0\.12
--- error_log
response blocked: its content coding is damaged
response blocked: its zstd window is over 8 MB
--- no_error_log
malformed
[alert]



=== TEST 12: something after the end
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t/gzip_zeros
GET /t/gzip_text
GET /t/deflate_text
GET /t/deflate_parts
GET /t/raw_parts
GET /t/raw_text
GET /t/br_text
GET /t/zstd_text
GET /t/gzip_zeros/1
GET /t/raw_text/1
GET /t/br_text/1
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
response_blocked"}}\n$
--- wire_unlike
0\.12
--- error_log
response blocked: its content coding is damaged
response blocked: its content coding is followed by other bytes
--- no_error_log
malformed
[alert]



=== TEST 13: damaged when the header is gone: the connection is cut
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 0;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t/gzip_crc
GET /t/gzip_tail
GET /t/gzip_text
GET /t/br_cut
--- wire_unlike
\r\n0\r\n\r\n$
0\.123
Content-Encoding
--- error_log
response cut: its content coding



=== TEST 14: codings that nobody knows, and more than one
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t/compress
GET /t/stacked
GET /t/twice
GET /t/headers
GET /t/weight
GET /t/glued
HEAD /t/stacked
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
--- wire_unlike
Content-Encoding
--- error_log
response blocked: it has a content coding



=== TEST 15: the same with modelguard_opaque pass
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_opaque pass;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t/compress
GET /t/weight
--- wire_like
^HTTP/1\.1 200 OK\r\n
Content-Encoding: (compress|gzip;q=1)\r\n
\r\n\r\n\x1f\x8b



=== TEST 16: below modelguard_inflate_size, and at it
--- http_config eval: $::Http
--- config eval
"modelguard two;
 location ~ ^/t {
     modelguard_inflate_size $::Length;
     proxy_pass http://127.0.0.1:\$TEST_NGINX_MODEL_PORT;
 }
 location ~ ^/open {
     modelguard_inflate_size @{[ $::Length + 1 ]};
     proxy_pass http://127.0.0.1:\$TEST_NGINX_MODEL_PORT;
 }"
--- wire
GET /t/gzip
GET /t/members
GET /t/raw/1
GET /t/deflate
GET /t/br
GET /t/zstd
GET /t/frames
GET /open/gzip
GET /open/br
GET /open/zstd
--- wire_body eval: $::Treated



=== TEST 17: above modelguard_inflate_size
--- http_config eval: $::Http
--- config eval
"modelguard two;
 location ~ . {
     modelguard_inflate_size @{[ $::Length - 1 ]};
     proxy_pass http://127.0.0.1:\$TEST_NGINX_MODEL_PORT;
 }"
--- wire
GET /t/gzip
GET /t/members
GET /t/raw/1
GET /t/deflate
GET /t/br
GET /t/zstd
GET /t/frames
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
response_blocked"}}\n$
--- wire_unlike
0\.12
--- error_log
response blocked: it decodes to more than "modelguard_inflate_size"



=== TEST 18: modelguard_inflate_size does not count what is not coded
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_inflate_size 1;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /plain/x
--- wire_body eval: $::Treated



=== TEST 19: bombs
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_inflate_size 1m;
    location ~ ^/t {
        modelguard_buffer_size 2m;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- wire
GET /t/bomb
GET /t/bombs
GET /t/bombs/1000
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
response_blocked"}}\n$
--- error_log
response blocked: it decodes to more than "modelguard_inflate_size"



=== TEST 20: a bomb when the header is gone
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_inflate_size 1m;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t/bomb
GET /t/bombs
--- wire_like
^HTTP/1\.1 200 OK\r\n
--- wire_body
cut
--- error_log
response cut: it decodes to more than "modelguard_inflate_size"



=== TEST 21: no limit
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_inflate_size 0;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t/bomb
GET /t/bombs
--- wire_like
^HTTP/1\.1 200 OK\r\n
x"}\r\n0\r\n\r\n$



=== TEST 22: HEAD
--- http_config eval: $::Http
--- config
    modelguard two;
    proxy_method HEAD;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
HEAD /t/gzip
HEAD /t/zstd
--- wire_like
^HTTP/1\.1 200 OK\r\n
\r\n\r\n$
--- wire_unlike
Content-Encoding
Content-Length
ETag



=== TEST 23: 304
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /unchanged/gzip
--- wire_headers
If-None-Match: "e"
Connection: close
--- wire_like
^HTTP/1\.1 304 Not Modified\r\n
\r\n\r\n$



=== TEST 24: an error in JSON is treated, another passes coded
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /error/gzip
GET /error/br
--- wire_like
^HTTP/1\.1 422
--- wire_unlike
Content-Encoding
0\.123
--- wire_body eval: $::Treated



=== TEST 25: an error page
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /page/x
--- wire_like
^HTTP/1\.1 422
Content-Encoding: gzip\r\n
--- wire_gunzip chomp
<p>



=== TEST 26: nothing at all is harmless
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t/nothing
GET /open/nothing
--- wire_like
^HTTP/1\.1 200 OK\r\n
--- wire_body chomp



=== TEST 27: bad JSON within a coding
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t/bad
GET /t/bad/1
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
--- wire_unlike
0\.12
--- error_log
response blocked: malformed JSON



=== TEST 28: the cache keeps what the model said (2)
--- http_config eval: $::Http
--- config
    proxy_cache cache;
    proxy_cache_key $uri;
    location ~ . {
        modelguard $arg_p;
        add_header X-Cache $upstream_cache_status;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- pipelined_requests eval
["GET /cached/scalar?p=two",
 "GET /cached/gzip?p=two", "GET /cached/gzip?p=two", "GET /cached/gzip?p=one",
 "GET /cached/zstd?p=two", "GET /cached/zstd?p=one"]
--- error_code eval
[200, 200, 200, 200, 200, 200]
--- response_body_like eval
['^ 1 $',
 ('^\{"scores": \[0.12, 0.9\].*x"\}$') x 2, '^\{"scores": \[0.1, 0.9\]',
 '^\{"scores": \[0.12, 0.9\].*x"\}$', '^\{"scores": \[0.1, 0.9\].*x"\}$']
--- response_headers eval
["X-Cache: MISS", "X-Cache: MISS", "X-Cache: HIT",
 "X-Cache: HIT", "X-Cache: MISS", "X-Cache: HIT"]



=== TEST 29: kept connections
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- pipelined_requests eval
[map { "GET /t/$_" } (qw( gzip members raw br zstd frames )) x 3, 'bad']
--- error_code eval
[(200) x 18, 502]
--- response_body_like eval
[('^\{"scores": \[0.12, 0.9\], "pad": "x{200}"\}$') x 18, 'response_blocked']



=== TEST 30: compressed events come out as they come in (3)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . {
        proxy_buffering off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- wire
GET /events/live
--- wire_early
^HTTP/1.1 200 OK\r\n
data: \{"scores": \[0.12\], "n": 1\}\n\n
--- wire_unlike
Content-Encoding
0\.123
--- wire_body eval: $::Events



=== TEST 31: compressed events in buffers of nginx, byte by byte
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /events/all
--- wire_unlike
Content-Encoding
0\.123
--- wire_body eval: $::Events



=== TEST 32: a profile that does nothing leaves the coding
--- http_config eval
"modelguard_profile keep { scores keep; } $::Http"
--- config
    modelguard keep;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t/gzip
GET /open/gzip
--- wire_like
Content-Encoding: gzip\r\n
--- wire_gunzip eval
'{"scores": [0.123456, 0.9], "pad": "' . 'x' x 200 . '"}'
