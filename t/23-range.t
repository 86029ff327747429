# Copyright (C) the modelguard authors
#
# Ranges: whole documents or nothing.

use lib 't/lib';
use ModelguardTest;
use ModelguardWire;

our $Http = <<'CONF';
    modelguard_profile two { scores round=2; }
    modelguard_profile kept { scores keep; }
    modelguard_field scores $.scores;
CONF

my $body = '{"scores": [0.123456]}';

backend(model => sub {
    my ($request) = @_;
    my $range = $request->{headers}{range};
    my $if = $request->{headers}{'if-range'};

    return json_reply(substr($body, 12, 8), status => '206 Partial Content',
                      'Content-Range' => 'bytes 12-19/22')
        if defined $range || $request->{uri} =~ /206/;

    return json_reply($body, 'Accept-Ranges' => 'bytes',
                      'X-Range' => $range // 'none',
                      'X-If-Range' => $if // 'none');
});

wire_checks();
run_tests();

__DATA__

=== TEST 1: a range of a guarded file is not served (0.3)
--- http_config eval: $::Http
--- config
    modelguard two;
    location /t.json { types { application/json json; } }
--- user_files
>>> t.json
{"scores": [0.123456]}
--- wire
GET /t.json
--- wire_headers
Range: bytes=12-19
Connection: close
--- wire_like
^HTTP/1\.1 200 OK\r\n
\{"scores": \[0\.12\]\}\n$
--- wire_unlike
Content-Range|Accept-Ranges|206



=== TEST 2: the same with sendfile and several ranges (0.1) (0.3)
--- http_config eval: $::Http
--- config
    modelguard two;
    sendfile on;
    location /t.json { types { application/json json; } }
--- user_files
>>> t.json
{"scores": [0.123456]}
--- wire
GET /t.json
--- wire_headers
Range: bytes=0-3,12-19
Connection: close
--- wire_like
^HTTP/1\.1 200 OK\r\n
\{"scores": \[0\.12\]\}\n$
--- wire_unlike
multipart



=== TEST 3: a range is not asked of the model (0.4)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t
--- wire_headers
Range: bytes=12-19
If-Range: "x"
Connection: close
--- wire_like
^HTTP/1\.1 200 OK\r\n
X-If-Range: none\r\n
X-Range: none\r\n
\{"scores": \[0\.12\]\}$



=== TEST 4: nginx makes no range of a model's answer that it streams (0.3)
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 0;
    proxy_force_ranges on;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t
--- wire_headers
Range: bytes=12-19
Connection: close
--- wire_like
^HTTP/1\.1 200 OK\r\n
"scores": \[0\.12\]



=== TEST 5: proxy_force_ranges, held whole (0.3)
--- http_config eval: $::Http
--- config
    modelguard two;
    proxy_force_ranges on;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /t
--- wire_headers
Range: bytes=2-5
Connection: close
--- wire_like
^HTTP/1\.1 200 OK\r\n
Content-Length: 18\r\n
\{"scores": \[0\.12\]\}$



=== TEST 6: a part that comes unasked is refused (0.4)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /206
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
--- wire_unlike
Content-Range
--- error_log
response blocked: it is a part of a document



=== TEST 7: a return directive, where no phase of ours has run (0.3) (4)
--- http_config eval: $::Http
--- config
    modelguard two;
    location /t {
        default_type application/json;
        return 200 '{"scores": [0.123456]}';
    }
--- wire
GET /t
--- wire_headers
Range: bytes=12-19
Connection: close
--- wire_like
^HTTP/1\.1 200 OK\r\n
\{"scores": \[0\.12\]\}$
