# Copyright (C) the modelguard authors
#
# Content codings: none is asked for, one that cannot be undone is refused, and
# nginx's own still works.  Those that are undone: t/17-coding.t.

use lib 't/lib';
use ModelguardTest;
use ModelguardWire;

use IO::Compress::Gzip;

our $Http = <<'CONF';
    modelguard_profile two { scores round=2; }
    modelguard_field scores $.scores;
CONF

my $body = '{"scores": [0.123456], "pad": "' . 'x' x 200 . '"}';

IO::Compress::Gzip::gzip(\$body, \my $zipped);

backend(model => sub {
    my ($request) = @_;
    my $asked = $request->{headers}{'accept-encoding'} // 'none';
    my ($how) = $request->{uri} =~ m{/(\w+)};
    my %headers = ('X-Asked' => $asked);

    $headers{'Content-Encoding'} = $1 if $request->{uri} =~ /[?]c=(.*)/;

    return json_reply($zipped, %headers, 'Content-Encoding' => 'gzip',
                      'Content-Type' => 'text/plain')
        if $how eq 'text';

    return json_reply($zipped, %headers, 'Content-Encoding' => 'gzip')
        if $how eq 'always' || ($how eq 'asked' && $asked =~ /gzip/);

    return json_reply($body, %headers, status => '400 Bad Request')
        if $how eq 'error';

    return json_reply($body, %headers);
});

wire_checks();
run_tests();

__DATA__

=== TEST 1: the model is not asked for a coding (0.2)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /asked
--- wire_headers
Accept-Encoding: gzip, br
Connection: close
--- wire_like
^HTTP/1\.1 200 OK\r\n
X-Asked: identity\r\n
"scores": \[0\.12\]
--- wire_unlike
Content-Encoding
0\.123



=== TEST 2: a coding that comes unasked and cannot be undone (0.2)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /plain?c=compress
GET /plain?c=exi
GET /plain?c=gzip,br
GET /plain?c=gzip,gzip
GET /error?c=aes128gcm
--- wire_headers
Accept-Encoding: gzip, br
Connection: close
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
response_blocked
--- wire_unlike
Content-Encoding
--- error_log
response blocked: it has a content coding



=== TEST 3: gunzip does no harm to a coding that is undone (0.2)
--- http_config eval: $::Http
--- config
    modelguard two;
    gunzip on;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /always
--- wire_headers
Accept-Encoding: gzip
Connection: close
--- wire_like
^HTTP/1\.1 200 OK\r\n
"scores": \[0\.12\]
--- wire_unlike
Content-Encoding
0\.123



=== TEST 4: gunzip for a client that cannot: its output is rewritten (3)
--- http_config eval: $::Http
--- config
    modelguard two;
    gunzip on;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /always
--- wire_like
^HTTP/1\.1 200 OK\r\n
"scores": \[0\.12\]
--- wire_unlike
0\.123



=== TEST 5: identity is no coding
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /plain?c=identity
GET /plain?c=Identity
--- wire_like
"scores": \[0\.12\]



=== TEST 6: nginx compresses what has been rewritten (3)
--- http_config eval: $::Http
--- config
    modelguard two;
    gzip on;
    gzip_types application/json;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /asked
--- wire_headers
Accept-Encoding: gzip
Connection: close
--- wire_like
Content-Encoding: gzip\r\n
X-Asked: identity\r\n
--- wire_gunzip eval
'{"scores": [0.12], "pad": "' . 'x' x 200 . '"}'



=== TEST 7: the same, streamed with proxy_buffering off
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 0;
    proxy_buffering off;
    gzip on;
    gzip_types application/json;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /asked
--- wire_headers
Accept-Encoding: gzip
Connection: close
--- wire_like
Content-Encoding: gzip\r\n
--- wire_gunzip eval
'{"scores": [0.12], "pad": "' . 'x' x 200 . '"}'



=== TEST 8: gzip_static that is not gzip is refused
--- http_config eval: $::Http
--- config
    modelguard two;
    location /t.json {
        gzip_static always;
        types { application/json json; }
    }
--- user_files
>>> t.json.gz
not even zipped
--- request
GET /t.json
--- error_code: 502
--- response_body_like: response_blocked
--- response_headers
Content-Encoding:
--- error_log
response blocked: its content coding



=== TEST 9: what sub_filter makes of the answer is rewritten (3)
--- http_config eval: $::Http
--- config
    modelguard two;
    location /asked {
        sub_filter_types application/json;
        sub_filter 0.123456 0.654321;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- wire
GET /asked
--- wire_like
"scores": \[0\.65\]
--- wire_unlike
0\.654



=== TEST 10: gunzip does not take the refusal for the answer (1)
--- http_config eval: $::Http
--- config
    modelguard two;
    gunzip on;
    location ^~ /off/ {
        modelguard_error_body off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/;
    }
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /text
GET /off/text
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
(response_blocked"}}\n|</html>\r\n)$
--- error_log
response blocked
