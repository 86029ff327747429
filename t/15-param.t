# Copyright (C) the modelguard authors
#
# Parameters of requests: what is refused and in what words, what the model
# server gets in the place of what was sent, and with what length.

use lib 't/lib';
use ModelguardTest;

beside('ngx_http_echo_module');

# what arrived: the length that was told, the coding, and the body

backend(model => sub {
    my ($request) = @_;
    my $headers = $request->{headers};

    my $rest = length($request->{body}) > 2000
               ? length($request->{body}) . ' '
                 . substr($request->{body}, 0, 40) . '...'
                 . substr($request->{body}, -40)
               : $request->{body};

    return json_reply(join(' ', $headers->{'content-length'} // '-',
                           length $request->{body},
                           $headers->{'transfer-encoding'} // '-',
                           $headers->{'inference-header-content-length'}
                           // '-', $rest),
                      'Content-Type' => 'text/plain');
});

backend(broken => sub {
    return \'reset';
});

backend(failing => sub {
    return json_reply('{}', status => '503 Service Unavailable');
});

add_block_preprocessor(sub {
    my ($block) = @_;

    my $config = $block->config;

    $config =~ s/MODEL/proxy_pass http:\/\/127.0.0.1:\$TEST_NGINX_MODEL_PORT/g;

    $block->set_value('config', <<'CONF' . $config);
    add_header X-Verdict $modelguard_verdict always;
    add_header X-Param $modelguard_param always;
    add_header X-Remaining $modelguard_remaining always;
    default_type text/plain;
CONF
});

$ENV{TEST_NGINX_H2_PORT} = do {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
        or die "cannot listen: $!";
    $socket->sockport;
};

add_response_body_check(sub {
    my ($block) = @_;

    for my $curl (@{$block->curl // []}) {
        my @options = @$curl;
        my $expected = pop @options;

        open my $in, '-|', 'curl', '-s', @options or die "no curl: $!";

        my $got = do { local $/; <$in> } // '';

        close $in;

        is($got, $expected, $block->name . ': curl');
    }
});

our $long = 'x' x 100_000;

run_tests();

__DATA__

=== TEST 1: a forbidden parameter is refused in OpenAI's words
--- config
    location /t {
        modelguard_param logit_bias forbid;
        MODEL;
    }
--- request
POST /t
{"logit_bias":{"1":-100}}
--- error_code: 400
--- response_headers
Content-Type: application/json
X-Verdict: FORBIDDEN
X-Param: logit_bias
--- response_body
{"error":{"message":"The parameter \"logit_bias\" is not allowed.","type":"invalid_request_error","param":"logit_bias","code":"unsupported_parameter"}}
--- error_log
modelguard: refusing request, parameter "logit_bias"



=== TEST 2: one that is over its limit
--- config
    location /t {
        modelguard_param $.top_logprobs max=5;
        MODEL;
    }
--- request
POST /t
{"top_logprobs":5.1}
--- error_code: 400
--- response_headers
X-Verdict: FORBIDDEN
X-Param: $.top_logprobs
--- response_body
{"error":{"message":"The parameter \"top_logprobs\" must be a number from 0 to 5.","type":"invalid_request_error","param":"top_logprobs","code":"integer_above_max_value"}}



=== TEST 3: one that is missing, as a problem
--- config
    location /t {
        modelguard_param $.inputs[*].data require;
        modelguard_error_body problem;
        MODEL;
    }
--- request
POST /t
{"inputs":[{"data":[1]},{}]}
--- error_code: 400
--- response_headers
Content-Type: application/problem+json
--- response_body
{"type":"about:blank","title":"Bad Request","status":400,"detail":"The parameter \"inputs[*].data\" must be given and must not be null.","code":"missing_required_parameter","param":"inputs[*].data"}



=== TEST 4: an answer of nginx's own
--- config
    location /t {
        modelguard_param $.n max=1;
        modelguard_error_body off;
        MODEL;
    }
--- request
POST /t
{"n":2}
--- error_code: 400
--- response_body_like: <center>nginx



=== TEST 5: an error page is not refused in its turn
--- config
    location /t {
        modelguard_param $.n max=1;
        error_page 400 = /page;
        MODEL;
    }
    location /page {
        modelguard_param $.m require;
        return 403 "page\n";
    }
--- request
POST /t
{"n":2}
--- error_code: 403
--- response_body
page



=== TEST 6: what is allowed passes as it is
--- config
    location /t {
        modelguard_param $.n max=1;
        modelguard_param $.n require;
        modelguard_param logit_bias forbid;
        modelguard_param $.x drop;
        MODEL;
    }
--- request
POST /t
{"n": 1, "logit_bias": null}
--- response_headers
X-Verdict: PASSED
!X-Param
--- response_body chomp
28 28 - - {"n": 1, "logit_bias": null}



=== TEST 7: dropped, set and inserted
--- config
    location /t {
        modelguard_param $.seed drop;
        modelguard_param $.stream_options.include_usage set=true when=$.stream;
        modelguard_param $.user 'set="guarded"';
        MODEL;
    }
--- request eval
[ "POST /t\n" . '{"seed":1,"user":"me","stream":true}',
  "POST /t\n" . '{"seed":1,"s\u0065ed":2}',
  "POST /t\n" . '{"stream_options":null,"stream":true,"a":[{}]}' ]
--- response_body eval
[ '72 72 - - {"user":"guarded","stream":true,'
  . '"stream_options":{"include_usage":true}}',
  '18 18 - - {"user":"guarded"}',
  '81 81 - - {"stream_options":{"include_usage":true},'
  . '"stream":true,"a":[{}],"user":"guarded"}' ]



=== TEST 8: a body in a temporary file, in several buffers, in one
--- config
    location /file {
        client_body_in_file_only clean;
        modelguard_param $.seed drop;
        modelguard_param $.s set=7;
        MODEL;
    }
    location /spilled {
        client_body_buffer_size 1k;
        modelguard_param $.seed drop;
        modelguard_param $.s set=7;
        MODEL;
    }
    location /memory {
        client_body_buffer_size 1m;
        modelguard_param $.seed drop;
        modelguard_param $.s set=7;
        MODEL;
    }
    location /nobuffer {
        client_body_buffer_size 1k;
        proxy_request_buffering off;
        modelguard_param $.seed drop;
        modelguard_param $.s set=7;
        MODEL;
    }
--- request eval
[ map { "POST /$_\n" . '{"a":"' . $::long . '","seed":[1,2],"b":"'
        . $::long . '" }' } qw( file spilled memory nobuffer ) ]
--- response_body eval
[ ('200022 200022 - - 200022 {"a":"' . 'x' x 34 . '...' . 'x' x 31
   . '","s":7 }') x 4 ]
--- no_error_log
[alert]



=== TEST 9: the next server gets the same, from memory and from a file
--- http_config
    upstream servers {
        server 127.0.0.1:$TEST_NGINX_BROKEN_PORT;
        server 127.0.0.1:$TEST_NGINX_FAILING_PORT;
        server 127.0.0.1:$TEST_NGINX_MODEL_PORT backup;
    }
--- config
    proxy_next_upstream error http_503 non_idempotent;
    modelguard_param $.seed drop;
    modelguard_param $.s set=7;
    location /memory {
        proxy_pass http://servers;
    }
    location /file {
        client_body_in_file_only clean;
        proxy_pass http://servers;
    }
--- request eval
[ map { "POST /$_\n" . '{"a":1,"seed":[1,2],"b":"end" }' }
      qw( memory file ) ]
--- response_body eval
[ ('24 24 - - {"a":1,"b":"end","s":7 }') x 2 ]



=== TEST 10: the connections to the model server are kept
--- http_config
    upstream kept {
        server 127.0.0.1:$TEST_NGINX_H2_PORT;
        keepalive 4;
    }
    server {
        listen 127.0.0.1:$TEST_NGINX_H2_PORT;
        location / {
            echo_read_request_body;
            echo "$connection_requests $content_length $request_body";
        }
    }
--- config
    location /t {
        modelguard_param $.seed drop;
        modelguard_param $.s set=7;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_pass http://kept;
    }
--- request eval
[ map { "POST /t\n$_" } '{"seed":1,"x":2}', '{"x":["long","longer"],"y":1}',
  '{}' ]
--- response_body eval
[ qq'1 13 {"x":2,"s":7}\n', qq'2 35 {"x":["long","longer"],"y":1,"s":7}\n',
  qq'3 7 {"s":7}\n' ]



=== TEST 11: chunked requests
--- config
    location /t {
        modelguard_param $.seed drop;
        modelguard_param $.s set=7;
        add_header X-Length $content_length;
        MODEL;
    }
--- raw_request eval
"POST /t HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
. "Transfer-Encoding: chunked\r\n\r\n"
. "8\r\n{\"seed\":\r\n1f\r\n12345,\"abc\":[1,2,3], \"d\": null}\r\n0\r\n\r\n"
--- response_headers
X-Length: 32
--- response_body chomp
32 32 - - {"abc":[1,2,3], "d": null,"s":7}



=== TEST 12: HTTP/2, with a length and without
--- http_config
    server {
        listen 127.0.0.1:$TEST_NGINX_H2_PORT http2;
        location / {
            modelguard_param $.seed drop;
            modelguard_param $.s set=7;
            modelguard_param $.n max=1;
            proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
        }
    }
--- config
    location /t {
        return 204;
    }
--- error_code: 204
--- curl eval
my $url = "http://127.0.0.1:$ENV{TEST_NGINX_H2_PORT}/";
my @h2 = ('--http2-prior-knowledge', $url);
[ [ @h2, '-d', '{"seed":1,"x":2}', '13 13 - - {"x":2,"s":7}' ],
  [ @h2, '-H', 'Content-Length:', '-d', '{"seed":1,"x":2}',
    '13 13 - - {"x":2,"s":7}' ],
  [ @h2, '-w', '%{http_code}', '-o', '/dev/null', '-d', '{"n":2}', '400' ] ]



=== TEST 13: what is refused is not charged, and budgets count edited bodies
--- http_config
    modelguard_zone $host zone=z13:1m;
--- config
    location /t {
        modelguard_budget b zone=z13 limit=10 window=1h unit=items;
        modelguard_param $.n max=1;
        modelguard_param $.seed drop;
        MODEL;
    }
--- request eval
[ map { "POST /t\n$_" } '{"instances":[1,2,3],"seed":4}',
  '{"instances":[1,2,3],"n":2}', '{"instances":[1]}' ]
--- error_code eval
[ 200, 400, 200 ]
--- response_headers eval
[ "X-Verdict: PASSED\nX-Remaining: 7", "X-Verdict: FORBIDDEN\n!X-Remaining",
  "X-Verdict: PASSED\nX-Remaining: 6" ]



=== TEST 14: a dry run changes and refuses nothing
--- config
    modelguard_dry_run on;
    location /t {
        modelguard_param $.n max=1;
        modelguard_param $.seed drop;
        MODEL;
    }
--- request eval
[ map { "POST /t\n$_" } '{"n":2,"seed":4}', '{"n":1,"seed":4}', 'x' ]
--- response_headers eval
[ "X-Verdict: FORBIDDEN_DRY_RUN\nX-Param: \$.n", "X-Verdict: PASSED",
  "X-Verdict: INVALID_DRY_RUN" ]
--- response_body eval
[ '16 16 - - {"n":2,"seed":4}', '16 16 - - {"n":1,"seed":4}', '1 1 - - x' ]


=== TEST 15: what cannot be read is refused
--- config
    location /t {
        modelguard_max_depth 4;
        modelguard_body_size 20;
        modelguard_param $.n max=1;
        MODEL;
    }
--- request eval
[ map { "POST /t\n$_" } '--x\r\nContent-Disp', '{"n":1', '[[[[[]]]]]',
  'n=2', '{"a":"123456789012"}', '{"a":"1234567890123"}', '[[[[1]]]]' ]
--- error_code eval
[ 400, 400, 400, 400, 200, 413, 200 ]
--- response_body_like eval
[ ('"param":null,"code":"invalid_body"') x 4, '^20 20 ', 'body_too_large',
  '^9 9 ' ]



=== TEST 16: a compressed body
--- config
    location /t {
        modelguard_param $.n max=1;
        MODEL;
    }
--- request
POST /t
{}
--- more_headers
Content-Encoding: gzip
--- error_code: 415
--- response_body_like: unsupported_encoding



=== TEST 17: no body
--- config
    location /t {
        modelguard_param $.n require;
        MODEL;
    }
    location /when {
        modelguard_param $.n require when=$.s;
        modelguard_param $.x set=1;
        MODEL;
    }
--- request eval
[ "GET /t", "DELETE /t", "POST /t", "PUT /t", "PATCH /t", "POST /when" ]
--- error_code eval
[ 200, 200, 400, 400, 400, 200 ]



=== TEST 18: a redirect: not twice, and what the new location wants
--- config
    location /t {
        modelguard_param $.seed drop;
        error_page 503 = /same;
        error_page 418 = /other;
        proxy_intercept_errors on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_FAILING_PORT;
    }
    location /same {
        modelguard_param $.s set=[7];
        modelguard_param $.n max=1;
        MODEL;
    }
--- request eval
[ map { "POST /t\n$_" } '{"seed":4,"n":1}', '{"seed":4,"n":2}' ]
--- error_code eval
[ 200, 400 ]
--- response_body_like eval
[ '^15 15 - - \{"n":1,"s":\[7\]\}$', 'integer_above' ]



=== TEST 19: inherited whole, replaced whole, and off
--- config
    modelguard_param $.n max=1;
    modelguard_param $.m max=1;
    location /inherited {
        MODEL;
    }
    location /replaced {
        modelguard_param $.m max=3;
        MODEL;
    }
    location /off {
        modelguard_param off;
        MODEL;
    }
--- request eval
[ map { "POST /$_\n" . '{"n":2,"m":2}' } qw( inherited replaced off ) ]
--- error_code eval
[ 400, 200, 200 ]



=== TEST 20: a mirror has the body that was sent, or the new one, with its length
--- config
    location /t {
        mirror /mirror;
        modelguard_param $.seed drop;
        MODEL;
    }
    location /mirror {
        internal;
        MODEL;
    }
--- request
POST /t
{"seed":1,"x":2}
--- response_body chomp
7 7 - - {"x":2}



=== TEST 21: subrequests are not asked
--- config
    location /t {
        auth_request /auth;
        MODEL;
    }
    location /auth {
        modelguard_param $.n max=1;
        return 204;
    }
--- request
POST /t
{"n":2}
--- response_body chomp
7 7 - - {"n":2}



=== TEST 22: binary outputs are asked for as JSON, or refused
--- config
    location /json {
        modelguard_binary_output json;
        MODEL;
    }
    location /forbid {
        modelguard_binary_output forbid;
        MODEL;
    }
    location /off {
        modelguard_binary_output json;
        location /off/off {
            modelguard_binary_output off;
            MODEL;
        }
    }
--- request eval
my $body = '{"outputs":[{"name":"a","parameters":{"binary_data":true}}]}';
[ map { "POST /$_\n$body" } qw( json forbid off/off ) ]
--- error_code eval
[ 200, 400, 200 ]
--- response_body_like eval
[ '"binary_data":false', '"param":"outputs\[\*\]\.parameters\.binary_data"',
  '"binary_data":true' ]



=== TEST 23: JSON before binary tensors
--- http_config
    modelguard_zone $host zone=z23:1m;
--- config
    location /t {
        modelguard_binary_output json;
        modelguard_budget b zone=z23 limit=100 window=1h unit=items;
        MODEL;
    }
    location /file {
        client_body_in_file_only clean;
        modelguard_binary_output json;
        MODEL;
    }
--- request eval
my $json = '{"inputs":[{"shape":[8,2]}],'
           . '"parameters":{"binary_data_output":true}}';
[ map { "POST /$_\n$json" . "\xff\x00{\"" } qw( t file ) ]
--- more_headers
Inference-Header-Content-Length: 69
--- response_headers eval
[ 'X-Remaining: 92', '!X-Remaining' ]
--- response_body eval
[ ('74 74 - 70 {"inputs":[{"shape":[8,2]}],'
  . '"parameters":{"binary_data_output":false}}' . "\xff\x00{\"") x 2 ]



=== TEST 24: a length of the JSON that is none
--- config
    location /t {
        modelguard_binary_output json;
        MODEL;
    }
--- more_headers eval
[ map { CORE::join "\n", map { "Inference-Header-Content-Length: $_" } @$_ }
      [ 3 ], [ 'x' ], [ -1 ], [ 2, 2 ], [ 0 ], [ 1 ], [ 2 ] ]
--- request eval
[ ("POST /t\n{}") x 7 ]
--- error_code eval
[ (400) x 6, 200 ]



=== TEST 25: too many places to be changed
--- config
    location /t {
        modelguard_param $.a[*] drop;
        MODEL;
    }
--- request eval
[ "POST /t\n" . '{"a":[' . CORE::join(',', (1) x 4096) . ']}',
  "POST /t\n" . '{"a":[' . CORE::join(',', (1) x 4097) . ']}' ]
--- error_code eval
[ 200, 413 ]
--- response_body_like eval
[ '^8 8 - - \{"a":\[\]\}$', 'body_too_large' ]



=== TEST 26: along with a guard, whose request headers are a list of their own
--- http_config
    modelguard_profile p { scores round=2; }
--- config
    location /t {
        modelguard p;
        modelguard_field scores $.scores;
        modelguard_opaque pass;
        modelguard_param $.seed drop;
        add_header X-Length $content_length;
        MODEL;
    }
--- request
POST /t
{"seed":1,"x":2}
--- more_headers
Range: bytes=0-1
--- response_headers
X-Length: 7
--- response_body chomp
7 7 - - {"x":2}



=== TEST 27: chunked and in a temporary file
--- config
    location /spilled {
        client_body_buffer_size 16;
        modelguard_param $.seed drop;
        modelguard_param $.s set=7;
        proxy_http_version 1.1;
        MODEL;
    }
--- raw_request eval
"POST /spilled HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
. "Transfer-Encoding: chunked\r\n\r\n"
. "8\r\n{\"seed\":\r\n1f\r\n12345,\"abc\":[1,2,3], \"d\": null}\r\n0\r\n\r\n"
--- response_body chomp
32 32 - - {"abc":[1,2,3], "d": null,"s":7}



=== TEST 28: the log of a dry run
--- config
    location /t {
        modelguard_dry_run on;
        modelguard_log_level notice;
        modelguard_param $.n max=1;
        MODEL;
    }
--- request
POST /t
{"n":2}
--- response_body chomp
7 7 - - {"n":2}
--- error_log
[notice]
refusing request, dry run, parameter "$.n"



=== TEST 29: the log of what a dry run would change
--- config
    location /t {
        modelguard_dry_run on;
        modelguard_param $.n[*] drop;
        MODEL;
    }
--- request
POST /t
{"n":[1,2]}
--- response_body chomp
11 11 - - {"n":[1,2]}
--- error_log
request body is changed in 2 places, dry run



=== TEST 30: a redirect of a request that was charged: what the new location wants
--- http_config
    modelguard_zone $host zone=z30:1m;
--- config
    modelguard_budget b zone=z30 limit=10 window=1h;
    location /t {
        error_page 503 = /other;
        proxy_intercept_errors on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_FAILING_PORT;
    }
    location /other {
        modelguard_param $.s set=[7];
        modelguard_param $.n max=1;
        MODEL;
    }
--- request eval
[ map { "POST /t\n$_" } '{"n":1}', '{"n":2}', '{"n":1}' ]
--- error_code eval
[ 200, 400, 200 ]
--- response_body_like eval
[ '^15 15 - - \{"n":1,"s":\[7\]\}$', 'integer_above', '^15 15 ' ]
