# Copyright (C) the modelguard authors
#
# What the header of a rewritten answer says, and answers without a body.

use lib 't/lib';
use ModelguardTest;
use ModelguardWire;

our $Http = <<'CONF';
    modelguard_profile two { scores round=2; }
    modelguard_field scores $.scores;
CONF

my $body = '{"scores": [0.123456]}';

backend(model => sub {
    my ($request) = @_;
    my ($status, $kind) = $request->{uri} =~ m{/(\d+)(\w*)};
    my %headers = ('ETag' => '"abc"', 'Accept-Ranges' => 'bytes',
                   'Last-Modified' => 'Mon, 28 Sep 1970 06:00:00 GMT',
                   'Content-MD5' => 'x', 'Digest' => 'sha-256=x',
                   'Repr-Digest' => 'sha-256=:x:', 'X-Other' => 'kept',
                   'Content-Digest' => 'sha-256=:x:');

    $headers{'Content-Type'} = 'text/html' if $kind eq 'html';
    $headers{'Content-Type'} = 'application/x-protobuf' if $kind eq 'proto';
    $headers{'Location'} = 'http://localhost/x' if $status =~ /^3/;

    my $send = $request->{method} eq 'HEAD' || $status =~ /^(204|304)$/
               || $kind =~ /zero/ ? '' : $body;

    $headers{'Content-Length'} = length $body if $request->{method} eq 'HEAD';
    $headers{'Content-Length'} = undef if $status eq '204';
    $headers{'Content-Length'} = 0 if $kind =~ /zero/;

    return json_reply($send, status => "$status Reason", %headers);
});

wire_checks();
run_tests();

__DATA__

=== TEST 1: headers that no longer hold are gone, others stay (1)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- request
GET /200
--- response_body chomp
{"scores": [0.12]}
--- response_headers
Content-Length: 18
ETag:
Last-Modified:
Accept-Ranges:
Content-MD5:
Digest:
Repr-Digest:
Content-Digest:
X-Other: kept



=== TEST 2: exactly one length (1)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /200
--- wire_like
Content-Length: 18\r\n
--- wire_unlike
Content-Length.*Content-Length
Transfer-Encoding
Content-Length: 22



=== TEST 3: HEAD has what GET has, but for the length (1)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
HEAD /200
--- wire_like
^HTTP/1\.1 200 
Content-Type: application/json\r\n
X-Other: kept\r\n
\r\n\r\n$
--- wire_unlike
Content-Length|ETag|Last-Modified|Accept-Ranges|Digest|MD5



=== TEST 4: HEAD of a static file
--- http_config eval: $::Http
--- config
    modelguard two;
    location /t.json { types { application/json json; } }
--- user_files
>>> t.json
{"scores": [0.123456]}
--- wire
HEAD /t.json
--- wire_like
^HTTP/1\.1 200 
\r\n\r\n$
--- wire_unlike
Content-Length|ETag|Last-Modified|Accept-Ranges



=== TEST 5: HEAD of what GET would be refused
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
HEAD /200proto
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
Content-Type: application/json\r\n
\r\n\r\n$
--- wire_unlike
protobuf|ETag
--- error_log
response blocked



=== TEST 6: 204 and 304 of the model pass without what tells of it (1)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /204
GET /304
--- wire_like
^HTTP/1\.1 (204|304) 
X-Other: kept\r\n
\r\n\r\n$
--- wire_unlike
ETag|Last-Modified|Digest|Accept-Ranges: bytes



=== TEST 7: 204 of nginx (1)
--- http_config eval: $::Http
--- config
    modelguard two;
    location /t { return 204; }
--- error_code: 204



=== TEST 8: an empty answer passes whatever its type (1)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /200zero
GET /201zero
GET /206zero
--- wire_like
^HTTP/1\.1 20[016] 
Content-Length: 0\r\n
\r\n\r\n$



=== TEST 9: 206 cannot be read (0.4)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- request
GET /206
--- error_code: 502
--- response_body_like: response_blocked
--- error_log
response blocked: it is a part of a document



=== TEST 10: redirects and errors of the model that are not JSON pass
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /302html
GET /404html
GET /503html
GET /400proto
--- wire_like
^HTTP/1\.1 [345]\d\d 
ETag: "abc"\r\n
0\.123456



=== TEST 11: those that are JSON are rewritten
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /302
GET /404
GET /422
GET /500
GET /503
GET /201
GET /203
GET /299
--- wire_like
^HTTP/1\.1 [2345]\d\d 
Content-Length: 18\r\n
\[0\.12\]}$
--- wire_unlike
0\.123|ETag



=== TEST 12: errors of nginx pass
--- http_config eval: $::Http
--- config
    modelguard two;
    location /403 { deny all; }
    location /502 { proxy_pass http://127.0.0.1:1; }
    location /301 { return 301 /x; }
    location /nothing { }
--- wire
GET /403
GET /502
GET /301
GET /nothing
--- wire_like
^HTTP/1\.1 (403|502|301|404) 
</html>
--- wire_unlike
response_blocked
--- error_log
Connection refused



=== TEST 13: streamed: no length and no validators
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 0;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /200
--- wire_like
Transfer-Encoding: chunked\r\n
X-Other: kept\r\n
\[0\.12\]}\r\n0\r\n\r\n$
--- wire_unlike
Content-Length|ETag|Last-Modified|Accept-Ranges|Digest|MD5



=== TEST 14: an HTTP/1.0 client of a streamed answer
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 0;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /200 HTTP/1.0
--- wire_like
Connection: close\r\n
\r\n\r\n\{"scores": \[0\.12\]}$
--- wire_unlike
Content-Length|chunked



=== TEST 15: modelguard_opaque pass leaves all headers
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_opaque pass;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /200proto
GET /206
--- wire_like
Content-Length: 22\r\n
ETag: "abc"\r\n
0\.123456



=== TEST 16: add_header works on a rewritten answer and on a refusal
--- http_config eval: $::Http
--- config
    modelguard two;
    add_header X-Added yes always;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /200
GET /206
GET /200proto
--- wire_like
X-Added: yes\r\n
--- wire_unlike
X-Added.*X-Added
--- error_log
response blocked
