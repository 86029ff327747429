# Copyright (C) the modelguard authors
#
# Internal redirects: the guard that a request has met stays in force.

use lib 't/lib';
use ModelguardTest;
use ModelguardWire;

our $Http = <<'CONF';
    modelguard_profile two { scores round=2; }
    modelguard_profile one { scores round=1; }
    modelguard_field scores $.scores;
    proxy_http_version 1.1;
CONF

backend(model => sub {
    my ($request) = @_;
    my $uri = $request->{uri};

    return json_reply('', 'X-Accel-Redirect' => '/internal/secret.json')
        if $uri =~ /accel$/;

    return json_reply('', 'X-Accel-Redirect' => '/internal/secret.json',
                      'Content-Type' => 'text/plain')
        if $uri =~ /acceltext$/;

    return json_reply('', 'X-Accel-Redirect' => '/off/secret.json')
        if $uri =~ /acceloff$/;

    return json_reply('', 'X-Accel-Redirect' => '@named')
        if $uri =~ /accelnamed$/;

    return json_reply('0.123456', 'Content-Type' => 'text/plain')
        if $uri =~ /text$/;

    return json_reply('{"scores": [0.123456,]}') if $uri =~ /bad$/;

    return in_pieces(json_reply('{"scores": [0.123456]}'), 5)
        if $uri =~ /slow$/;

    return json_reply('{"scores": [0.123456]}', status => '404 Not Found')
        if $uri =~ /missing$/;

    return json_reply('{"scores": [0.123456]}');
});

wire_checks();
run_tests();

__DATA__

=== TEST 1: X-Accel-Redirect to a location that says nothing (0.5)
--- http_config eval: $::Http
--- config
    location /model/ {
        modelguard two;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /internal/ {
        internal;
        alias $TEST_NGINX_SERVER_ROOT/html/;
        types { application/json json; }
    }
--- user_files
>>> secret.json
{"scores": [0.98765]}
--- request
GET /model/accel
--- response_body
{"scores": [0.99]}
--- response_headers
ETag:



=== TEST 2: X-Accel-Redirect to a named location
--- http_config eval: $::Http
--- config
    location /model/ {
        modelguard two;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location @named {
        rewrite ^ /slow break;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request
GET /model/accelnamed
--- response_body chomp
{"scores": [0.12]}



=== TEST 3: X-Accel-Redirect to a location that says off
--- http_config eval: $::Http
--- config
    location /model/ {
        modelguard two;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /off/ {
        internal;
        modelguard off;
        alias $TEST_NGINX_SERVER_ROOT/html/;
        types { application/json json; }
    }
--- user_files
>>> secret.json
{"scores": [0.98765]}
--- request
GET /model/acceloff
--- response_body
{"scores": [0.98765]}



=== TEST 4: X-Accel-Redirect to a file that is no JSON is refused
--- http_config eval: $::Http
--- config
    location /model/ {
        modelguard two;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /internal/ {
        internal;
        alias $TEST_NGINX_SERVER_ROOT/html/;
    }
--- user_files
>>> secret.json
0.98765
--- request
GET /model/acceltext
--- error_code: 502
--- response_body_like: response_blocked
--- error_log
response blocked



=== TEST 5: error_page to a location that says nothing
--- http_config eval: $::Http
--- config
    location /model/ {
        modelguard two;
        proxy_intercept_errors on;
        error_page 404 = /other/slow;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /other/ { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- request
GET /model/missing
--- response_body chomp
{"scores": [0.12]}



=== TEST 6: error_page to a named location
--- http_config eval: $::Http
--- config
    location /model/ {
        modelguard two;
        proxy_intercept_errors on;
        error_page 404 = @other;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location @other {
        rewrite ^ /slow break;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request
GET /model/missing
--- response_body chomp
{"scores": [0.12]}



=== TEST 7: error_page to a location with a guard of its own
--- http_config eval: $::Http
--- config
    location /model/ {
        modelguard two;
        proxy_intercept_errors on;
        error_page 404 = /other/slow;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /other/ {
        modelguard one;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request
GET /model/missing
--- response_body chomp
{"scores": [0.1]}



=== TEST 8: try_files to a named location
--- http_config eval: $::Http
--- config
    location /model/ {
        modelguard two;
        try_files /nothing @other;
    }
    location @other {
        rewrite ^ /slow break;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request
GET /model/x
--- response_body chomp
{"scores": [0.12]}



=== TEST 9: into a guarded location
--- http_config eval: $::Http
--- config
    location /page/ { error_page 404 = /model/slow; }
    location /model/ {
        modelguard two;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request
GET /page/none
--- response_body chomp
{"scores": [0.12]}
--- error_log
No such file



=== TEST 10: a rewrite is no redirect: the last location decides
--- http_config eval: $::Http
--- config
    location /model/ {
        modelguard two;
        rewrite ^ /other/x last;
    }
    location /other/ { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- request
GET /model/x
--- response_body chomp
{"scores": [0.123456]}



=== TEST 11: a refusal of a header leads to another model (1)
--- http_config eval: $::Http
--- config
    location /model/ {
        modelguard two;
        error_page 502 = /other/slow;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /other/ { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- request
GET /model/text
--- response_body chomp
{"scores": [0.12]}
--- error_log
response blocked



=== TEST 12: a refusal of a body leads to a file, which is guarded too (1)
--- http_config eval: $::Http
--- config
    types { application/json json; }
    location /model/ {
        modelguard two;
        error_page 502 = /file.json;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location = /file.json { }
--- user_files
>>> file.json
{"scores": [0.98765]}
--- wire
GET /model/bad
--- wire_like
^HTTP/1\.1 200 OK\r\n
\{"scores": \[0\.99\]\}\n$
--- wire_unlike
0\.12
--- error_log
response blocked



=== TEST 13: a refusal that leads to what is refused again (1)
--- http_config eval: $::Http
--- config
    location /model/ {
        modelguard two;
        error_page 502 = /sorry.html;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location = /sorry.html { }
--- user_files
>>> sorry.html
sorry
--- wire
GET /model/bad
GET /model/text
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
--- wire_unlike
sorry|0\.12
--- error_log
response blocked



=== TEST 14: and round and round (1)
--- http_config eval: $::Http
--- config
    modelguard two;
    recursive_error_pages on;
    location /model/ {
        error_page 502 = /model/text;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /bad/ {
        error_page 502 = /bad/bad.json;
        root html;
        types { application/json json; }
    }
--- user_files
>>> bad/bad.json
{"scores": [0.98765}
--- wire
GET /model/text
GET /model/bad
GET /bad/bad.json
--- wire_unlike
0\.12|0\.98|200 OK
--- error_log
rewrite or internal redirection cycle



=== TEST 15: a refusal that leads to another site
--- http_config eval: $::Http
--- config
    modelguard two;
    error_page 502 https://example.org/;
    location /model/ { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /model/text
GET /model/bad
--- wire_like
^HTTP/1\.1 302 
Location: https://example.org/\r\n
--- wire_unlike
0\.12
--- error_log
response blocked



=== TEST 16: an error of nginx with a page in JSON
--- http_config eval: $::Http
--- config
    location /model/ {
        modelguard two;
        deny all;
        error_page 403 /error.json;
    }
    location = /error.json { allow all; types { application/json json; } }
--- user_files
>>> error.json
{"scores": [0.98765]}
--- request
GET /model/x
--- error_code: 403
--- error_log
access forbidden
