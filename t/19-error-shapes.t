# Copyright (C) the modelguard authors
#
# The shapes of errors: the module's own, those of a model server, nginx's.

use lib 't/lib';
use ModelguardTest;
use ModelguardWire;

our $Http = <<'CONF';
    modelguard_profile two { scores round=2; }
    modelguard_field scores $.scores;
    modelguard_zone $server_port zone=z:1m;
CONF

my $secret = '{"error": "CUDA 0.123456 at /srv/v7.py", "scores": [0.123456]}';

backend(model => sub {
    my ($request) = @_;
    my ($status, $kind) = $request->{uri} =~ m{/(\d+)(\w*)};

    my %headers = ('Retry-After' => '7', 'WWW-Authenticate' => 'Basic',
                   'X-RateLimit-Remaining' => '0', 'ETag' => '"abc"',
                   'Content-Language' => 'de', 'Repr-Digest' => 'sha-256=:x:',
                   'Last-Modified' => 'Mon, 28 Sep 1970 06:00:00 GMT');

    $headers{'Content-Type'} = 'text/html; charset=koi8-r' if $kind eq 'html';
    $headers{'Content-Type'} = undef if $kind eq 'none';
    $headers{'Content-Encoding'} = 'br' if $kind eq 'coded';

    my $body = $request->{method} eq 'HEAD' || $kind eq 'empty' ? '' : $secret;

    $body x= 20000 if $kind eq 'long';
    $headers{'Content-Length'} = 500 if $request->{method} eq 'HEAD';

    my $reply = json_reply($body, status => "$status Crashed-v7", %headers);

    return (substr($reply, 0, -30), \'reset') if $kind eq 'torn';
    return (substr($reply, 0, -30), \3, substr $reply, -30) if $kind eq 'slow';
    return in_pieces($reply, 20, 0.005) if $kind eq 'pieces';
    return $reply;
});

our $Model = <<'CONF';
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
CONF


# a refusal by a budget, in a shape

our $Limited = sub {
    my ($shape, $status) = @_;

    return "modelguard_error_body $shape;\n"
           . ($status ? "modelguard_reject_status $status;\n" : '') . <<'CONF';
    location /t {
        modelguard_budget b zone=z limit=1 window=1h unit=items;
        modelguard_field items $.rows;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
CONF
};

our $Costly = "POST /t\n{\"rows\": [1, 2, 3]}";


# statuses of a model server

our @Status = (400, 401, 402, 403, 404, 405, 408, 409, 413, 415, 418, 422, 429,
               500, 501, 502, 503, 504, 507, 529);

wire_checks();
run_tests();

__DATA__

=== TEST 1: Anthropic's shape (5)
--- http_config eval: $::Http
--- config eval: $::Limited->('anthropic')
--- request eval: $::Costly
--- error_code: 429
--- response_headers
Content-Type: application/json
--- response_body
{"type":"error","error":{"type":"rate_limit_error","message":"The request costs more than the budget \"b\" can ever hold."}}



=== TEST 2: a status of the operator's does not change what it is
--- http_config eval: $::Http
--- config eval: $::Limited->('anthropic', 403)
--- request eval: $::Costly
--- error_code: 403
--- response_body_like: ^\{"type":"error","error":\{"type":"rate_limit_error",



=== TEST 3: Google's shape
--- http_config eval: $::Http
--- config eval: $::Limited->('google')
--- request eval: $::Costly
--- error_code: 429
--- response_headers
Content-Type: application/json
--- response_body
{"error":{"code":429,"message":"The request costs more than the budget \"b\" can ever hold.","status":"RESOURCE_EXHAUSTED"}}



=== TEST 4: Google's shape with another status
--- http_config eval: $::Http
--- config eval: $::Limited->('google', 598)
--- request eval: $::Costly
--- error_code: 598
--- response_body_like: ^\{"error":\{"code":598,.*"status":"RESOURCE_EXHAUSTED"\}\}$



=== TEST 5: the plain shape of Ollama, Triton and TensorFlow Serving
--- http_config eval: $::Http
--- config eval: $::Limited->('plain')
--- request eval: $::Costly
--- error_code: 429
--- response_headers
Content-Type: application/json
--- response_body
{"error":"The request costs more than the budget \"b\" can ever hold."}



=== TEST 6: a body that cannot be counted
--- http_config eval: $::Http
--- config eval: $::Limited->('anthropic')
--- request
POST /t
{
--- error_code: 400
--- response_body
{"type":"error","error":{"type":"invalid_request_error","message":"The request body is not valid JSON."}}



=== TEST 7: the same as Google's
--- http_config eval: $::Http
--- config eval: $::Limited->('google') . 'modelguard_body_size 1;'
--- request eval: $::Costly
--- error_code: 413
--- response_body
{"error":{"code":413,"message":"The request body is too large.","status":"INVALID_ARGUMENT"}}



=== TEST 8: a response that is withheld
--- http_config eval: $::Http
--- config eval: "modelguard two; modelguard_error_body anthropic;" . $::Model
--- request
GET /200html
--- error_code: 502
--- response_body
{"type":"error","error":{"type":"api_error","message":"The response of the model was withheld."}}



=== TEST 9: without "upstream" a model server's errors are its own
--- http_config eval: $::Http
--- config eval: "modelguard two; modelguard_error_body openai;" . $::Model
--- wire
GET /500html
GET /429
--- wire_like
CUDA
ETag|Crashed-v7



=== TEST 10: with it, nothing that it wrote is left, and what clients need is
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_error_body openai upstream;" . $::Model
--- wire
GET /400
GET /401html
GET /404none
GET /429
GET /500
GET /500html
GET /500empty
GET /500long
GET /500pieces
GET /503coded
GET /503
GET /429 HTTP/1.0
--- wire_like
^HTTP/1\.1 \d\d\d (?!Crashed)[A-Z]
\r\nContent-Type: application/json\r\n
\r\nContent-Length: (\d+)\r\n
\r\nRetry-After: 7\r\n
\r\nWWW-Authenticate: Basic\r\n
\r\nX-RateLimit-Remaining: 0\r\n
\r\n\r\n\{"error":\{"message":"[^"]+","type":"\w+","param":null,"code":"\w+"\}\}\n$
--- wire_unlike
CUDA|0\.123|v7|koi8|ETag|Last-Modified|Digest|Language|Encoding
Content-Length.*Content-Length



=== TEST 11: a torn body is no matter
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_error_body openai upstream;" . $::Model
--- wire
GET /500torn
--- wire_early
\r\n\r\n\{"error":\{"message":.*\}\}\n$
--- no_error_log
[alert]
[crit]
[emerg]



=== TEST 12: not buffered, a client does not wait for the end
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_error_body plain upstream;
    proxy_buffering off;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /500
GET /500long
GET /500slow
GET /500torn
GET /500pieces
--- wire_early
\r\nContent-Length: 52\r\n.*\r\n\r\n\{"error":"The model failed to answer the request\."\}\n$



=== TEST 13: HEAD has the header that GET has
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_error_body plain upstream;" . $::Model
--- wire
HEAD /500
--- wire_like
^HTTP/1\.1 500 Internal Server Error\r\n
\r\nContent-Length: 52\r\n
\r\nRetry-After: 7\r\n
\r\n\r\n$



=== TEST 14: keep-alive goes on
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_error_body plain upstream;" . $::Model
--- pipelined_requests eval
['GET /500', 'GET /429', 'GET /500long', 'GET /200', 'GET /401']
--- error_code eval: [500, 429, 500, 200, 401]
--- response_body eval
["{\"error\":\"The model failed to answer the request.\"}\n",
 "{\"error\":\"The model has too many requests. Please try again later.\"}\n",
 "{\"error\":\"The model failed to answer the request.\"}\n",
 '{"error": "CUDA 0.123456 at /srv/v7.py", "scores": [0.12]}',
 "{\"error\":\"The request is not authenticated.\"}\n"]



=== TEST 15: what Anthropic's shape calls the statuses
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_error_body anthropic upstream;" . $::Model
--- request eval: [map { "GET /$_" } @::Status]
--- error_code eval: [@::Status]
--- response_body_like eval
[map { qr/\A\{"type":"error","error":\{"type":"$_","message":"[^"]+"\}\}\n\z/ }
 qw( invalid_request_error authentication_error billing_error permission_error
     not_found_error invalid_request_error invalid_request_error
     invalid_request_error request_too_large invalid_request_error
     invalid_request_error invalid_request_error rate_limit_error api_error
     api_error api_error overloaded_error timeout_error api_error
     overloaded_error )]



=== TEST 16: what Google's shape calls them
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_error_body google upstream;" . $::Model
--- request eval: [map { "GET /$_" } @::Status]
--- error_code eval: [@::Status]
--- response_body_like eval
[map { qr/\A\{"error":\{"code":\d+,"message":"[^"]+","status":"$_"\}\}\n\z/ }
 qw( INVALID_ARGUMENT UNAUTHENTICATED FAILED_PRECONDITION PERMISSION_DENIED
     NOT_FOUND UNIMPLEMENTED DEADLINE_EXCEEDED ABORTED INVALID_ARGUMENT
     INVALID_ARGUMENT FAILED_PRECONDITION INVALID_ARGUMENT RESOURCE_EXHAUSTED
     INTERNAL UNIMPLEMENTED UNAVAILABLE UNAVAILABLE DEADLINE_EXCEEDED INTERNAL
     UNAVAILABLE )]



=== TEST 17: and OpenAI's
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_error_body openai upstream;" . $::Model
--- request eval: [map { "GET /$_" } @::Status]
--- error_code eval: [@::Status]
--- response_body_like eval
[map { qr/\A\{"error":\{"message":"[^"]+","type":"$_","param":null,/ }
 ('invalid_request_error', 'authentication_error', 'invalid_request_error',
  'permission_error', ('invalid_request_error') x 8, 'rate_limit_error',
  ('server_error') x 7)]



=== TEST 18: problem details
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_error_body problem upstream;" . $::Model
--- request
GET /418
--- error_code: 418
--- response_headers
Content-Type: application/problem+json
Retry-After: 7
--- response_body
{"type":"about:blank","title":"Request Refused","status":418,"detail":"The model refused the request.","code":"request_refused"}



=== TEST 19: nginx's own pages in the location
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_error_body plain upstream;
    location /403 { deny all; }
    location /502 { proxy_pass http://127.0.0.1:1; }
    location /429 { return 429; }
    location /404 { }
--- wire
GET /403
GET /502
GET /429
GET /404
--- wire_like
^HTTP/1\.1 (403|502|429|404) 
\r\nContent-Type: application/json\r\n
\r\n\r\n\{"error":"[^"]+"\}\n$
--- wire_unlike
html
--- error_log
Connection refused



=== TEST 20: what an operator wrote stays
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_error_body plain upstream;
    error_page 502 /page.html;
    error_page 404 = @named;
    location /text { return 429 "wait\n"; }
    location /502 { proxy_pass http://127.0.0.1:1; }
    location /404 {
        proxy_intercept_errors on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location = /page.html { }
    location @named { return 404 "nothing\n"; }
--- user_files
>>> page.html
down
--- request eval: ['GET /text', 'GET /502', 'GET /404']
--- error_code eval: [429, 502, 404]
--- response_body eval: ["wait\n", "down\n", "nothing\n"]



=== TEST 21: a fallback model's answer stays, its error does not
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_error_body plain upstream;
    location ~ ^/(404|503|500) {
        proxy_intercept_errors on;
        error_page 404 503 /200;
        error_page 500 = /429;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /200 { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
    location /429 { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- request eval: ['GET /404', 'GET /503', 'GET /500']
--- error_code eval: [404, 503, 429]
--- response_body_like eval: ['CUDA.*0\.12\]', 'CUDA.*0\.12\]', '^\{"error":"The']



=== TEST 22: the module's own errors are as ever
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_error_body openai upstream;" . $::Model
--- request
GET /200html
--- error_code: 502
--- response_body_like: response_blocked



=== TEST 23: errors of a page's subrequests
--- http_config eval: $::Http
--- config
    modelguard_error_body plain upstream;
    location /t.html {
        ssi on;
    }
    location /500 {
        modelguard two;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- user_files
>>> t.html
[<!--#include virtual="/500" -->]
--- request
GET /t.html
--- response_body eval
"[{\"error\":\"The model failed to answer the request.\"}\n]\n"



=== TEST 24: a location that is not guarded is left alone
--- http_config eval: $::Http
--- config eval: "modelguard_error_body openai upstream;" . $::Model
--- request
GET /500
--- error_code: 500
--- response_body_like: CUDA



=== TEST 25: inherited along with the shape, or not at all
--- http_config eval: $::Http . "modelguard_error_body plain upstream;"
--- config
    modelguard two;
    location ~ shape {
        modelguard_error_body openai;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- request eval: ['GET /500', 'GET /500/shape']
--- error_code eval: [500, 500]
--- response_body_like eval: ['^\{"error":"The model', 'CUDA']



=== TEST 26: gzip for the client
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_error_body plain upstream;
    gzip on;
    gzip_types *;
    gzip_min_length 1;
    gzip_proxied any;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /403
--- wire_headers
Accept-Encoding: gzip
Connection: close
--- wire_gunzip eval
"{\"error\":\"The request is not permitted.\"}\n\n"



=== TEST 27: cached errors
--- http_config eval
$::Http . 'proxy_cache_path $TEST_NGINX_SERVER_ROOT/cache keys_zone=c:1m;'
--- config
    modelguard two;
    modelguard_error_body plain upstream;
    proxy_cache c;
    proxy_cache_valid any 1m;
    add_header X-Cache $upstream_cache_status always;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- request eval: ['GET /403', 'GET /403']
--- error_code eval: [403, 403]
--- response_headers eval: ['X-Cache: MISS', 'X-Cache: HIT']
--- response_body eval
[("{\"error\":\"The request is not permitted.\"}\n") x 2]
