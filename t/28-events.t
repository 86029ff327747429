# Copyright (C) the modelguard authors
#
# text/event-stream: each event's data is a document, what frames it stays.

use lib 't/lib';
use ModelguardTest;
use ModelguardWire;

our $Http = <<'CONF';
    modelguard_profile two { scores round=2; metadata drop; }
    modelguard_field scores $.scores;
    modelguard_field metadata $.id;
    proxy_http_version 1.1;
    proxy_buffering off;
CONF

my %streams = (
    plain => "data: {\"scores\": [0.123456]}\n\n"
             . "data: {\"scores\":[0.9876,1]}\n\ndata: [DONE]\n\n",
    crlf => "event: a\r\ndata: {\"id\": 7, \"scores\": [0.123456]}\r\n"
            . "id: 1\r\n\r\ndata:{}\r\n\r\n",
    cr => "data: {\"scores\": [0.123456]}\r\rdata: [DONE]\r\r",
    comments => ": ping\n\nretry: 10\ndata: {\"scores\": [0.123456]}\n: x\n\n",
    lines => "data: {\"scores\":\ndata: [0.123456,\ndata:  0.98765]}\n\n",
    last => "data: {\"scores\": [0.123456]}",
    error => "data: {\"scores\": [0.1]}\n\n"
             . "data: {\"error\": {\"code\": 500, \"message\": \"no\"}}\n\n",
    bom => "\xef\xbb\xbfdata: {\"scores\": [0.123456]}\n\n",
    empty => "data:\n\ndata\n\nevent: x\n\n",
    bad => "data: {\"scores\": [0.123456]}\n\ndata: {\"scores\": [0.12\n\n"
           . "data: {\"scores\": [0.654321]}\n\n",
    text => "data: hello 0.123456\n\n",
    cut => "data: {\"scores\": [0.123456]}\n\ndata: {\"scores\": [0.98",
    name => "Data: {\"scores\": [0.123456]}\n\n",
    big => "data: {\"scores\": [0.123456], \"t\": \"" . 'x' x 500 . "\"}\n\n"
           . "data: {\"scores\": [0.98765]}\n\n",
    bigbad => "data: {\"scores\": [0.123456], \"t\": \"" . 'x' x 9000
              . "\", 0.98765\n\n",
);

backend(model => sub {
    my ($request) = @_;
    my ($name) = $request->{uri} =~ m{/(\w+)};
    my $type = 'text/event-stream; charset=utf-8';
    my $head = json_reply('', 'Content-Type' => $type,
                          'Content-Length' => undef);

    return ($head, "data: {\"scores\": [0.123456]}\n\n", \1,
            ": ping\n\n", \1, "data: {\"scores\": [0.98765]}\n\n")
        if $name eq 'slow';

    return ($head, map { ($_, \0.002) } split //, $streams{$1})
        if $name =~ /^bytes_(\w+)/;

    return json_reply($streams{$name}, 'Content-Type' => $type)
        if $request->{uri} =~ /length/;

    return ($head, $streams{$name});
});

wire_checks();
run_tests();

__DATA__

=== TEST 1: the data of each event is treated
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /plain
--- wire_like
^HTTP/1\.1 200 OK\r\n.*Content-Type: text/event-stream; charset=utf-8\r\n
--- wire_body eval
qq{data: {"scores": [0.12]}\n\ndata: {"scores":[0.99,1]}\n\ndata: [DONE]\n\n}



=== TEST 2: CRLF, fields around the data, a member dropped
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /crlf
--- wire_body eval
qq{event: a\r\ndata: { "scores": [0.12]}\r\nid: 1\r\n\r\ndata:{}\r\n\r\n}



=== TEST 3: CR alone
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /cr
--- wire_body eval
qq{data: {"scores": [0.12]}\r\rdata: [DONE]\r\r}



=== TEST 4: comments and retry
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /comments
--- wire_body eval
qq{: ping\n\nretry: 10\ndata: {"scores": [0.12]}\n: x\n\n}



=== TEST 5: data of several lines
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /lines
--- wire_body eval
qq{data: {"scores":\ndata: [0.12,\ndata:  0.99]}\n\n}



=== TEST 6: a last event without its blank line
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /last
--- wire_body: data: {"scores": [0.12]}



=== TEST 7: an error of the model's own
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /error
--- wire_body eval
qq{data: {"scores": [0.1]}\n\n}
. qq{data: {"error": {"code": 500, "message": "no"}}\n\n}



=== TEST 8: a byte order mark; empty events
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /bom
--- wire_body eval
qq{\xef\xbb\xbfdata: {"scores": [0.12]}\n\n}



=== TEST 9: events without a document
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /empty
--- wire_body eval
qq{data:\n\ndata\n\nevent: x\n\n}



=== TEST 10: byte by byte
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /bytes_crlf
--- wire_body eval
qq{event: a\r\ndata: { "scores": [0.12]}\r\nid: 1\r\n\r\ndata:{}\r\n\r\n}



=== TEST 11: an event goes out as it came
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /slow
--- wire_early
^HTTP/1.1 200 OK\r\n.*data: \{"scores": \[0.12\]\}\n\n
--- wire_body eval
qq{data: {"scores": [0.12]}\n\n: ping\n\ndata: {"scores": [0.99]}\n\n}



=== TEST 12: an unreadable event becomes an error event, and nothing follows
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /bad
--- wire_like
data: \{"scores": \[0\.12\]\}\n\n.*event: error\ndata: \{.*response_blocked.*\}\n\n
--- wire_unlike
0\.12.*0\.12|654|123
--- wire_cut
--- error_log
response cut: malformed JSON



=== TEST 13: text that is no JSON
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /text
--- wire_like
event: error\ndata: \{.*response_blocked.*\}\n\n
--- wire_unlike
123
--- wire_cut
--- error_log
response cut: malformed JSON



=== TEST 14: a field that careless clients read as data
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /name
--- wire_like
event: error\n
--- wire_unlike
123
--- wire_cut
--- error_log
response cut: malformed JSON



=== TEST 15: a model that stops in the middle
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /cut
--- wire_like
data: \{"scores": \[0\.12\]\}\n\n.*event: error\ndata: \{.*\}\n\n
--- wire_unlike
0\.98
--- wire_cut
--- error_log
response cut: truncated JSON



=== TEST 16: modelguard_on_error pass
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_on_error pass;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /bad
--- wire_body eval
qq!data: {"scores": [0.12]}\n\ndata: {"scores": [0.12\n\n!
. qq!data: {"scores": [0.654321]}\n\n!
--- error_log
response passed unguarded: malformed JSON



=== TEST 17: an event over modelguard_buffer_size goes out in parts
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 100;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /big
--- wire_body eval
qq!data: {"scores": [0.12], "t": "! . 'x' x 500 . qq!"}\n\n!
. qq!data: {"scores": [0.99]}\n\n!



=== TEST 18: and is cut, without an error event, when it cannot be read
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 100;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /bigbad
--- wire_unlike
event: error|987
--- wire_cut
--- error_log
response cut: malformed JSON



=== TEST 19: buffered by nginx, with a length
--- http_config eval: $::Http
--- config
    modelguard two;
    proxy_buffering on;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /plain?length
--- wire_like
Transfer-Encoding: chunked\r\n
--- wire_body eval
qq{data: {"scores": [0.12]}\n\ndata: {"scores":[0.99,1]}\n\ndata: [DONE]\n\n}



=== TEST 20: HTTP/1.0 has no chunks
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /plain HTTP/1.0
--- wire_body eval
qq{data: {"scores": [0.12]}\n\ndata: {"scores":[0.99,1]}\n\ndata: [DONE]\n\n}
