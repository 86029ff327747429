# Copyright (C) the modelguard authors
#
# What goes beside the body: trailers, and the headers by which a model server
# changes how nginx sends it.

use lib 't/lib';
use ModelguardTest;
use ModelguardWire;

our $Http = <<'CONF';
    modelguard_profile two { scores round=2; }
    modelguard_field scores $.scores;
CONF

backend(model => sub {
    my ($request) = @_;

    return json_reply('{"scores": [0.123456, 0.9]}',
                      $request->{uri} =~ /unbuffered/
                      ? ('X-Accel-Buffering' => 'no') : (),
                      $request->{uri} =~ /limited/
                      ? ('X-Accel-Limit-Rate' => '1k') : ());
});

wire_checks();
run_tests();

__DATA__

=== TEST 1: trailers of nginx's own follow a streamed answer (2)
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 0;
    location ~ . {
        add_trailer X-After $modelguard_verdict;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- wire
GET /t
--- wire_like
^HTTP/1\.1 200 OK\r\n
\{"scores": \[0\.12, 0\.9\]\}\r\n
\r\n0\r\nX-After: PASSED\r\n\r\n$
--- wire_unlike
0\.123



=== TEST 2: X-Accel-Buffering changes nothing of the bytes (2)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- request eval
['GET /unbuffered', 'GET /buffered', 'GET /limited']
--- response_body eval
['{"scores": [0.12, 0.9]}', '{"scores": [0.12, 0.9]}',
 '{"scores": [0.12, 0.9]}']
--- response_headers eval
['Content-Length: 23', 'Content-Length: 23', 'Content-Length: 23']



=== TEST 3: nor does it where the header is not held (2)
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 0;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- request eval
['GET /unbuffered', 'GET /buffered', 'GET /limited']
--- response_body eval
['{"scores": [0.12, 0.9]}', '{"scores": [0.12, 0.9]}',
 '{"scores": [0.12, 0.9]}']
