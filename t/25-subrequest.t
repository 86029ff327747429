# Copyright (C) the modelguard authors
#
# Subrequests: filtered by the guard of their own location, and without a say
# in the client's header.

use lib 't/lib';
use ModelguardTest;
use ModelguardWire;

our $Http = <<'CONF';
    modelguard_profile two { scores round=2; }
    modelguard_field scores $.scores;
    proxy_http_version 1.1;
CONF

backend(model => sub {
    my ($request) = @_;
    my $uri = $request->{uri};

    return json_reply('{"scores": [0.123456,]' . ' ' x 500000 . '}')
        if $uri =~ /badbig/;

    return in_pieces(json_reply('{"scores": [0.123456]}'), 5)
        if $uri =~ /slow/;

    return json_reply('{"scores": [0.123456,]}') if $uri =~ /bad/;

    return json_reply('{"scores": [0.123456', 'Content-Length' => 100)
        if $uri =~ /short/;

    return json_reply('0.123456', 'Content-Type' => 'text/plain')
        if $uri =~ /text/;

    return json_reply('{"scores": [' . join(', ', (0.123456) x 20000) . ']}')
        if $uri =~ /big/;

    return json_reply('{"scores": [0.123456]}');
});

our $Big = '{"scores": [' . join(', ', (0.12) x 20000) . ']}';

wire_checks();
run_tests();

__DATA__

=== TEST 1: auth_request by a guarded location (4)
--- http_config eval: $::Http
--- config
    modelguard two;
    location /auth {
        internal;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/text;
    }
    location /json { auth_request /auth;
                     proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- request
GET /json
--- response_body chomp
{"scores": [0.12]}
--- response_headers
Content-Length: 18



=== TEST 2: SSI with guarded and unguarded parts (4)
--- http_config eval: $::Http
--- config
    location /page.html { ssi on; }
    location /model/ {
        modelguard two;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /free/ { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- user_files
>>> page.html
a<!--#include virtual="/model/slow" -->b<!--#include virtual="/free/x"
-->c<!--#include virtual="/model/x" -->d<!--#include virtual="/model/slow" -->e
--- request
GET /page.html
--- response_body
a{"scores": [0.12]}b{"scores": [0.123456]}c{"scores": [0.12]}d{"scores": [0.12]}e



=== TEST 3: what is refused leaves a gap, and the page goes on (4)
--- http_config eval: $::Http
--- config
    location /page.html { ssi on; }
    location /model/ {
        modelguard two;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- user_files
>>> page.html
a<!--#include virtual="/model/bad" -->b<!--#include virtual="/model/text"
-->c<!--#include virtual="/model/slow" -->d<!--#include virtual="/model/short" -->e
--- request
GET /page.html
--- response_body
abc{"scores": [0.12]}de
--- error_log
response blocked: malformed JSON
response blocked: its type is not in "modelguard_types"
response blocked: the model server closed too early



=== TEST 4: parts that stream, one of them bad: the page is cut (4)
--- http_config eval: $::Http
--- config
    location /page.html { ssi on; }
    location /model/ {
        modelguard two;
        modelguard_buffer_size 0;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- user_files
>>> page.html
a<!--#include virtual="/model/slow" -->b<!--#include virtual="/model/bad" -->c
--- wire
GET /page.html
--- wire_unlike
123456
\r\n0\r\n\r\n
--- error_log
response cut: malformed JSON



=== TEST 5: parts kept in memory
--- http_config eval: $::Http
--- config
    location /page.html { ssi on; }
    location /model/ {
        modelguard two;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- user_files
>>> page.html
<!--#include virtual="/model/slow" set="x" --><!--#echo var="x" encoding="none" -->
--- request
GET /page.html
--- response_body
{"scores": [0.12]}



=== TEST 6: big parts that wait for each other (4)
--- http_config eval: $::Http
--- config
    location /page.html { ssi on; }
    location /model/ {
        modelguard two;
        modelguard_buffer_size 1k;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- user_files
>>> page.html
<!--#include virtual="/model/slow" -->,<!--#include virtual="/model/big" -->,<!--#include virtual="/model/big" -->
--- request
GET /page.html
--- response_body eval
qq({"scores": [0.12]},$::Big,$::Big\n)



=== TEST 7: additions around a guarded document: its length is not final (1)
--- http_config eval: $::Http
--- config
    location /model/ {
        modelguard two;
        addition_types application/json;
        add_before_body /before;
        add_after_body /after;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /before { default_type text/html; return 200 "before "; }
    location /after { default_type text/html; return 200 " after"; }
--- request
GET /model/x
--- response_body chomp
before {"scores": [0.12]} after
--- response_headers
Content-Length:



=== TEST 8: additions after a guarded document only
--- http_config eval: $::Http
--- config
    location /model/ {
        modelguard two;
        addition_types application/json;
        add_after_body /free/;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /free/ { modelguard two;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/slow; }
--- request
GET /model/slow
--- response_body chomp
{"scores": [0.12]}{"scores": [0.12]}



=== TEST 9: a guarded document added to a page
--- http_config eval: $::Http
--- config
    location /page.html { add_after_body /model/x; }
    location /model/ {
        modelguard two;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- user_files
>>> page.html
page
--- request
GET /page.html
--- response_body chop
page
{"scores": [0.12]}
--- response_headers
Content-Length:



=== TEST 10: a mirror to a guarded location (4)
--- http_config eval: $::Http
--- config
    modelguard two;
    location /mirror { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/text; }
    location /json {
        mirror /mirror;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request
GET /json
--- response_body chomp
{"scores": [0.12]}
--- no_error_log
[alert]
response blocked



=== TEST 11: SSI in a guarded document is filtered as what it becomes (3)
--- http_config eval: $::Http
--- config
    location = /doc.json {
        modelguard two;
        ssi on;
        ssi_types application/json;
        types { application/json json; }
    }
    location /model/ {
        modelguard two;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- user_files
>>> doc.json
{"scores": [0.98765], "x": "<!--#include virtual='/model/slow' -->"}
--- request
GET /doc.json
--- response_body
{"scores": [0.99], "x": "{"scores": [0.12]}"}



=== TEST 12: an internal redirect of a subrequest keeps its own guard
--- http_config eval: $::Http
--- config
    location /page.html { ssi on; }
    location /model/ {
        modelguard two;
        error_page 404 = /found.json;
    }
    location = /found.json {
        modelguard two;
        types { application/json json; }
    }
--- user_files
>>> page.html
a<!--#include virtual="/model/none" -->b
>>> found.json
{"scores": [0.98765]}
--- request
GET /page.html
--- response_body
a{"scores": [0.99]}
b
--- error_log
No such file



=== TEST 13: an addition before a document that comes slowly: header first (1)
--- http_config eval: $::Http
--- config
    location /model/ {
        modelguard two;
        addition_types application/json;
        add_before_body /before;
        proxy_buffering off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /before { default_type text/html; return 200 "before "; }
--- wire
GET /model/slow
--- wire_like
^HTTP/1\.1 200 OK\r\n
--- wire_unlike
Content-Length
--- wire_body
before {"scores": [0.12]}



=== TEST 14: the rest of what is refused is read, so that the page goes on (2)
--- http_config eval: $::Http
--- config
    location /page.html { ssi on; }
    location /model/ {
        modelguard two;
        proxy_buffers 4 1k;
        proxy_buffer_size 1k;
        proxy_busy_buffers_size 1k;
        proxy_max_temp_file_size 0;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- user_files
>>> page.html
a<!--#include virtual="/model/badbig" -->b<!--#include virtual="/model/slow" -->c
--- request
GET /page.html
--- response_body
ab{"scores": [0.12]}c
--- error_log
response blocked: malformed JSON
