# Copyright (C) the modelguard authors
#
# JSON of a guarded location is rewritten, whoever sends it, and arrives with
# its exact length.

use lib 't/lib';
use ModelguardTest;
use ModelguardWire;

our $Http = <<'CONF';
    modelguard_profile two { scores round=2; }
    modelguard_profile drop { scores drop; }
    modelguard_profile kept { scores keep; }
    modelguard_field scores $.scores;
CONF

my $body = '{"scores": [0.123456, 0.87654321], "text": "caf\u00e9 \/", "n": 1E5}';

backend(model => sub {
    my ($request) = @_;
    my $uri = $request->{uri};

    return json_reply('[0.123456]', 'Content-Type' => undef, status => '200 OK')
        if $uri =~ /typeless/;

    return json_reply($body, status => '400 Bad Request')
        if $uri =~ /error/;

    return json_reply('{"scores": []}') if $uri =~ /empty/;

    return json_reply('', 'Content-Length' => undef,
                      'Transfer-Encoding' => 'chunked') . "0\r\n\r\n"
        if $uri =~ /nothing/;

    return json_reply($body, 'Content-Length' => undef) if $uri =~ /close/;

    return json_reply($body, 'Content-Length' => undef,
                      'Transfer-Encoding' => 'chunked')
           =~ s/\r\n\r\n.*//sr
           . sprintf("\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", length $body, $body)
        if $uri =~ /chunked/;

    return json_reply($body);
});

wire_checks();
run_tests();

__DATA__

=== TEST 1: a proxied answer is rewritten and has its exact length
--- http_config eval: $::Http
--- config
    modelguard two;
    location /t { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- response_body chomp
{"scores": [0.12, 0.88], "text": "caf\u00e9 \/", "n": 1E5}
--- response_headers
Content-Type: application/json
Content-Length: 58
Transfer-Encoding:



=== TEST 2: other bytes leave as they came, whatever their notation (0.10)
--- http_config eval: $::Http
--- config
    modelguard drop;
    location /t { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- response_body chomp
{ "text": "caf\u00e9 \/", "n": 1E5}



=== TEST 3: the body of a return directive is rewritten (4)
--- http_config eval: $::Http
--- config
    modelguard two;
    location /t {
        default_type application/json;
        return 200 '{"scores": [0.123456]}';
    }
--- response_body chomp
{"scores": [0.12]}
--- response_headers
Content-Length: 18



=== TEST 4: a static file is rewritten
--- http_config eval: $::Http
--- config
    modelguard two;
    location /t.json { types { application/json json; } }
--- user_files
>>> t.json
{"scores": [0.123456, 1e-3]}
--- request
GET /t.json
--- response_body
{"scores": [0.12, 0]}
--- response_headers
Content-Length: 22



=== TEST 5: an unguarded location is untouched though another is guarded
--- http_config eval: $::Http
--- config
    location /guarded { modelguard two; return 204; }
    location /t { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- response_body chomp
{"scores": [0.123456, 0.87654321], "text": "caf\u00e9 \/", "n": 1E5}
--- response_headers
Content-Length: 68



=== TEST 6: modelguard off
--- http_config eval: $::Http
--- config
    modelguard two;
    location /t {
        modelguard off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- response_body chomp
{"scores": [0.123456, 0.87654321], "text": "caf\u00e9 \/", "n": 1E5}



=== TEST 7: a profile that keeps everything leaves the answer alone
--- http_config eval: $::Http
--- config
    modelguard kept;
    location /t.json { types { application/json json; } }
--- user_files
>>> t.json
{"scores": [0.123456, 1e-3], "broken": }
--- request
GET /t.json
--- response_body
{"scores": [0.123456, 1e-3], "broken": }
--- response_headers_like
ETag: .+
Accept-Ranges: bytes



=== TEST 8: an error of the model that is JSON is rewritten
--- http_config eval: $::Http
--- config
    modelguard two;
    location /error { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- request
GET /error
--- error_code: 400
--- response_body chomp
{"scores": [0.12, 0.88], "text": "caf\u00e9 \/", "n": 1E5}



=== TEST 9: an answer without length, to the end of the connection
--- http_config eval: $::Http
--- config
    modelguard two;
    location /close { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- request
GET /close
--- response_body chomp
{"scores": [0.12, 0.88], "text": "caf\u00e9 \/", "n": 1E5}
--- response_headers
Content-Length: 58



=== TEST 10: an answer in chunks gets its length too
--- http_config eval: $::Http
--- config
    modelguard two;
    location /chunked {
        proxy_http_version 1.1;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request
GET /chunked
--- response_body chomp
{"scores": [0.12, 0.88], "text": "caf\u00e9 \/", "n": 1E5}
--- response_headers
Content-Length: 58
Transfer-Encoding:



=== TEST 11: an HTTP/1.0 client keeps its connection as the length is known (1)
--- http_config eval: $::Http
--- config
    modelguard two;
    location /chunked {
        proxy_http_version 1.1;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- wire
GET /chunked HTTP/1.0
--- wire_headers
Connection: keep-alive
--- wire_like
Connection: keep-alive
Content-Length: 58
"scores": \[0\.12, 0\.88\]



=== TEST 12: nothing to rewrite in the document
--- http_config eval: $::Http
--- config
    modelguard two;
    location /empty { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- request
GET /empty
--- response_body chomp
{"scores": []}



=== TEST 13: a chunked answer with no bytes is an empty answer (1)
--- http_config eval: $::Http
--- config
    modelguard two;
    location /nothing {
        proxy_http_version 1.1;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request
GET /nothing
--- response_body:
--- response_headers
Content-Length: 0



=== TEST 14: one connection, several answers
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- pipelined_requests eval
["GET /t", "GET /empty", "GET /close", "GET /t"]
--- response_body eval
['{"scores": [0.12, 0.88], "text": "caf\u00e9 \/", "n": 1E5}',
 '{"scores": []}',
 '{"scores": [0.12, 0.88], "text": "caf\u00e9 \/", "n": 1E5}',
 '{"scores": [0.12, 0.88], "text": "caf\u00e9 \/", "n": 1E5}']



=== TEST 15: a profile from a variable
--- http_config eval: $::Http
--- config
    location /t {
        modelguard $arg_p;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- pipelined_requests eval
["GET /t?p=drop", "GET /t?p=two", "GET /t?p=kept"]
--- response_body eval
['{ "text": "caf\u00e9 \/", "n": 1E5}',
 '{"scores": [0.12, 0.88], "text": "caf\u00e9 \/", "n": 1E5}',
 '{"scores": [0.123456, 0.87654321], "text": "caf\u00e9 \/", "n": 1E5}']



=== TEST 16: a variable that names no profile never lets JSON through
--- http_config eval: $::Http
--- config
    location /t {
        modelguard $arg_p;
        default_type application/json;
        return 200 '{"scores": [0.123456]}';
    }
--- request
GET /t?p=nobody
--- error_code: 500
--- response_body_unlike: 0\.123456
--- error_log
modelguard



=== TEST 17: the same where the answer is an error page in JSON
--- http_config eval: $::Http
--- config
    location ~ . {
        modelguard $arg_p;
        types { application/json json; }
        error_page 500 502 /error.json;
    }
--- user_files
>>> error.json
{"scores": [0.123456]}
>>> t.json
{"scores": [0.654321]}
--- request
GET /t.json?p=nobody
--- error_code: 500
--- response_body_unlike: \b0\.\d
--- error_log
modelguard
