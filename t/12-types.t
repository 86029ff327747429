# Copyright (C) the modelguard authors
#
# What is JSON is rewritten; what is not is refused.

use lib 't/lib';
use ModelguardTest;

our $Http = <<'CONF';
    modelguard_profile two { scores round=2; }
    modelguard_field scores $.scores;
CONF

our @Json = (
    'application/json', 'Application/JSON', 'application/json;charset=UTF-8',
    'application/json; charset="utf-8"', 'application/json ; charset=utf8',
    'application/json; charset=us-ascii', 'application/json; v=2; charset=utf-8',
    'application/vnd.api+json', 'application/problem+JSON; profile="x y"',
    'application/json; charset=', 'application/json;',
);

our @Opaque = (
    'text/plain', 'text/html', 'text/json', 'text/event-streams',
    'application/octet-stream', 'application/x-protobuf', 'application/grpc',
    'application/grpc+json', 'application/vnd.amazon.eventstream',
    'application/jso', 'application/jsonx', 'application/+json', '+json',
    'application/x' . 'x' x 200 . '+json', 'multipart/mixed; boundary=x',
    'application/json; charset=utf-16', 'application/json; charset="UTF-16LE"',
    'application/json; v=2; charset=iso-8859-1',
    'application/json; charset=utf-8; charset=utf-32', 'none',
);

backend(model => sub {
    my ($request) = @_;
    my ($type) = $request->{uri} =~ /[?]t=(.*)/;

    $type =~ s/%(..)/chr hex $1/ge;
    $type = undef if $type eq 'none';

    return json_reply('{"scores": [0.123456]}', 'Content-Type' => $type);
});

backend(upgrade => sub {
    return ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            . "Connection: upgrade\r\n\r\n", \0.1, '0.123456');
});

sub requests {
    return [ map { my $type = $_;
                   $type =~ s/([^A-Za-z0-9])/sprintf '%%%02x', ord $1/ge;
                   "GET /t?t=$type" } @_ ];
}

run_tests();

__DATA__

=== TEST 1: JSON in all its notations
--- http_config eval: $::Http
--- config
    modelguard two;
    location /t { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- pipelined_requests eval: main::requests(@::Json)
--- response_body eval
[('{"scores": [0.12]}') x @::Json]



=== TEST 2: whatever else is a 502 (0.8)
--- http_config eval: $::Http
--- config
    modelguard two;
    location /t { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- pipelined_requests eval: main::requests(@::Opaque)
--- error_code eval
[(502) x @::Opaque]
--- response_body eval
[(<<'JSON') x @::Opaque]
{"error":{"message":"The response of the model was withheld.","type":"upstream_error","param":null,"code":"response_blocked"}}
JSON



=== TEST 3: the model's type is not left on the refusal
--- http_config eval: $::Http
--- config
    modelguard two;
    location /t { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- request
GET /t?t=text/plain
--- error_code: 502
--- response_headers
Content-Type: application/json
Content-Length: 127
--- error_log
response blocked: its type is not in "modelguard_types"



=== TEST 4: the log names the charset
--- http_config eval: $::Http
--- config
    modelguard two;
    location /t { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- request
GET /t?t=application/json;charset=koi8-r
--- error_code: 502
--- error_log
response blocked: its charset is not UTF-8



=== TEST 5: modelguard_opaque pass
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_opaque pass;
    location /t { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- pipelined_requests eval: main::requests(@::Opaque)
--- response_body eval
[('{"scores": [0.123456]}') x @::Opaque]



=== TEST 6: modelguard_types
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_types text/json application/x-model;
    location /t { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- pipelined_requests eval
main::requests('text/json', 'application/x-MODEL;v=1', 'application/a+json')
--- response_body eval
[('{"scores": [0.12]}') x 3]



=== TEST 7: a guard without fields refuses what it cannot read
--- http_config
    modelguard_profile kept { scores keep; }
--- config
    modelguard kept;
    location /t { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- pipelined_requests eval: main::requests('text/plain', 'application/json')
--- error_code eval: [502, 200]



=== TEST 8: an answer to be upgraded is refused (1)
--- http_config eval: $::Http
--- config
    modelguard two;
    location /t {
        proxy_http_version 1.1;
        proxy_set_header Upgrade websocket;
        proxy_set_header Connection upgrade;
        proxy_pass http://127.0.0.1:$TEST_NGINX_UPGRADE_PORT;
    }
--- error_code: 502
--- response_body_like: response_blocked
--- error_log
response blocked: the protocol is switched
