# Copyright (C) the modelguard authors
#
# Budgets: what passes, what is refused and with what answer, how items are
# counted, and who a client is.

use lib 't/lib';
use ModelguardTest;

use Digest::MD5 qw( md5_hex );

# how much of the body arrived, and whether it is the one that was sent

backend(model => sub {
    my ($request) = @_;

    return json_reply(length($request->{body}) . ' '
                      . md5_hex($request->{body}),
                      'Content-Type' => 'text/plain');
});

backend(slow => sub {
    return (\2.1, json_reply('{}'));
});

# the headers that most blocks look at, and one zone with the key "k"

our $show = <<'CONF';
    add_header X-Verdict $modelguard_verdict always;
    add_header X-Budget $modelguard_budget always;
    add_header X-Remaining $modelguard_remaining always;
    add_header X-Reset $modelguard_reset always;
    add_header X-Cost $modelguard_cost always;
    add_header X-Addr $modelguard_addr always;
    add_header X-Client $modelguard_client always;
CONF

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('config', $show . $block->config);
});

# checks that a section of one request cannot express, while nginx runs

$ENV{TEST_NGINX_H2_PORT} = free_port();

add_response_body_check(sub {
    my ($block) = @_;

    check_h2($block->name, @$_) for @{$block->h2 // []};
    check_sends($block->name, @$_) for @{$block->sends // []};
    check_flood($block->name, $block->flood) if $block->flood;
});

sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
        or die "cannot listen: $!";

    return $socket->sockport;
}

# the status, the cost and what remains

sub check_h2 {
    my ($name, @options) = @_;
    my $expected = pop @options;

    open my $in, '-|', 'curl', '-s', '--http2-prior-knowledge', '-D', '-',
         '-o', '/dev/null', @options,
         "http://127.0.0.1:$ENV{TEST_NGINX_H2_PORT}/t"
        or die "cannot run curl: $!";

    my $head = do { local $/; <$in> } // '';

    close $in;

    my ($status) = $head =~ m{^HTTP/2 (\d+)};
    my ($cost) = $head =~ /^x-cost: (\S+)/m;
    my ($remaining) = $head =~ /^x-remaining: (\S+)/m;

    is(join(' ', map { $_ // '-' } $status, $cost, $remaining), $expected,
       "$name: " . substr join(' ', @options), 0, 40);
}

# what comes back for some bytes until the connection is closed

sub exchange {
    my ($bytes) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => server_port())
        or die "cannot connect: $!";

    print $socket $bytes;

    local $/;

    return <$socket> // '';
}

sub check_sends {
    my ($name, $bytes, $expected) = @_;

    like(exchange($bytes), $expected, "$name: " . length($bytes) . ' bytes');
}

# one request after the other, each of another client

sub get {
    my ($uri) = @_;

    return exchange("GET $uri HTTP/1.0\r\nHost: x\r\n\r\n");
}

sub check_flood {
    my ($name, $n) = @_;
    my ($passed, $exhausted, $other) = (0, 0, 0);
    my $answer;

    for my $k (1 .. $n) {
        my $got = get("/u?k=$k");

        if ($got =~ m{^HTTP/1.1 200}) {
            $passed++;

        } elsif ($got =~ /^X-Verdict: EXHAUSTED\r$/m) {
            $exhausted++;
            $answer = $got;

        } else {
            $other++;
        }
    }

    cmp_ok($passed, '>', 100, "$name: $passed clients fit");
    cmp_ok($exhausted, '>', 10, "$name: $exhausted are refused");
    is($other, 0, "$name: no other answers");

    like($answer, qr{^HTTP/1.1 429 .*"type":"server_error".*}s,
         "$name: the answer");
    like($answer, qr/"code":"capacity_exhausted"/, "$name: its code");
    unlike($answer, qr/^Retry-After/m, "$name: nobody knows when");

    like(get('/u?k=first'), qr/^X-Verdict: LIMITED\r$/m,
         "$name: who is over the limit stays so");

    my $log = do { local (@ARGV, $/) = error_log_file(); <> };

    is(scalar(() = $log =~ /\[error\] .* modelguard: zone "a40" is full /g),
       1, "$name: the zone is said to be full once");
}

sub error_log_file {
    return "$Test::Nginx::Util::ServRoot/logs/error.log";
}

# a location for bodies, and its zone

our $t = 0;

sub items_zone {
    $t++;

    return "modelguard_zone \$arg_k zone=items$t:64k;";
}

sub items_config {
    my ($limit, $more) = @_;

    $more //= '';

    return <<"CONF";
    location /t {
        modelguard_budget rows zone=items$t limit=$limit window=1h unit=items;
        $more
        proxy_pass http://127.0.0.1:\$TEST_NGINX_MODEL_PORT;
    }
CONF
}

# 100 kB of rows: far more than a buffer

our $rows = '{"instances": [' . join(',', ('[0.123456789, 0.1234]') x 4000)
            . ']}';

sub chunked {
    my ($body, $size) = @_;

    return join '', (map { sprintf "%x\r\n%s\r\n", length, $_ }
                         unpack "(a$size)*", $body),
                    "0\r\n\r\n";
}

run_tests();

__DATA__

=== TEST 1: as many requests as the limit pass, and the next is refused
--- http_config
    modelguard_zone $arg_k zone=a1:64k;
--- config
    location /t {
        modelguard_budget hour zone=a1 limit=3 window=1h;
        return 204;
    }
    location /u {
        modelguard_budget hour zone=a1 limit=3 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["GET /u?k=a", "GET /u?k=a", "GET /u?k=a", "GET /u?k=a", "GET /u?k=b",
 "GET /t?k=a"]
--- error_code eval
[200, 200, 200, 429, 200, 204]
--- response_headers eval
["X-Verdict: PASSED\nX-Remaining: 2\nX-Budget: hour\nX-Cost: 1",
 "X-Verdict: PASSED\nX-Remaining: 1",
 "X-Verdict: PASSED\nX-Remaining: 0",
 "X-Verdict: LIMITED\nX-Remaining: 0\nRetry-After: 4800\nX-Reset: 7200",
 "X-Verdict: PASSED\nX-Remaining: 2",
 "X-Verdict: "]



=== TEST 2: a burst is on top of the limit
--- http_config
    modelguard_zone $arg_k zone=a2:64k;
--- config
    location /t {
        modelguard_budget hour zone=a2 limit=2 burst=1 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["GET /t", "GET /t", "GET /t", "GET /t"]
--- error_code eval
[200, 200, 200, 429]
--- response_headers eval
["X-Remaining: 2", "X-Remaining: 1", "X-Remaining: 0", "X-Remaining: 0"]



=== TEST 3: a client that comes back after Retry-After passes
--- http_config
    modelguard_zone $arg_k zone=a3:64k;
--- config
    location /t {
        modelguard_budget second zone=a3 limit=2 window=1s;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /slow {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SLOW_PORT;
    }
--- request eval
["GET /t", "GET /t", "GET /t", "GET /slow", "GET /t"]
--- error_code eval
[200, 200, 429, 200, 200]
--- response_headers eval
["Retry-After: ", "Retry-After: ", "Retry-After: 2", "", "Retry-After: "]



=== TEST 4: the answer in the shape of OpenAI's errors
--- http_config
    modelguard_zone $arg_k zone=a4:64k;
--- config
    location /t {
        modelguard_budget "a \"b\" \\" zone=a4 limit=1 window=10s;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["GET /t", "GET /t", "HEAD /t"]
--- error_code eval
[200, 429, 429]
--- response_body eval
["0 d41d8cd98f00b204e9800998ecf8427e",
'{"error":{"message":"The budget \"a \\"b\\" \\\\\" is exhausted. '
. 'Please try again in 20 seconds.","type":"rate_limit_error","param":null,'
. '"code":"budget_exhausted"}}' . "\n",
""]
--- response_headers eval
["Retry-After: ",
 "Content-Type: application/json\nRetry-After: 20\nContent-Length: 161",
 "Content-Type: application/json\nRetry-After: 20\nContent-Length: 161"]



=== TEST 5: the answer as problem details
--- http_config
    modelguard_zone $arg_k zone=a5:64k;
--- config
    location /t {
        modelguard_budget hour zone=a5 limit=1 window=10s;
        modelguard_error_body problem;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /u {
        modelguard_budget hour zone=a5 limit=1 window=10s;
        modelguard_error_body problem;
        modelguard_reject_status 451;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["GET /t", "GET /t", "GET /u"]
--- error_code eval
[200, 429, 451]
--- response_body eval
["0 d41d8cd98f00b204e9800998ecf8427e",
map { '{"type":"https://iana.org/assignments/http-problem-types'
      . '#quota-exceeded","title":"Request cannot be satisfied as assigned '
      . 'quota has been exceeded","status":' . $_ . ',"detail":'
      . '"The budget \"hour\" is exhausted. Please try again in 20 seconds.",'
      . '"code":"budget_exhausted","violated-policies":["hour"]}' . "\n" }
    429, 451]
--- response_headers eval
["", "Content-Type: application/problem+json",
 "Content-Type: application/problem+json"]



=== TEST 6: nginx's own answer, with Retry-After
--- http_config
    modelguard_zone $arg_k zone=a6:64k;
--- config
    location /t {
        modelguard_budget hour zone=a6 limit=1 window=10s;
        modelguard_error_body off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["GET /t", "GET /t"]
--- error_code eval
[200, 429]
--- response_body_like eval
["^0 ", "<h1>429 Too Many Requests</h1>"]
--- response_headers eval
["Retry-After: ", "Content-Type: text/html\nRetry-After: 20"]



=== TEST 7: an error_page of the location wins over our answer
--- http_config
    modelguard_zone $arg_k zone=a7:64k;
--- config
    location /t {
        modelguard_budget hour zone=a7 limit=1 window=10s;
        error_page 429 /wait;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /wait {
        default_type text/plain;
        return 200 "wait $modelguard_reset\n";
    }
--- request eval
["GET /t", "GET /t"]
--- error_code eval
[200, 429]
--- response_body eval
["0 d41d8cd98f00b204e9800998ecf8427e", "wait 20\n"]
--- response_headers eval
["Retry-After: ", "Content-Type: text/plain\nRetry-After: 20"]



=== TEST 8: other statuses
--- http_config
    modelguard_zone $arg_k zone=a8:64k;
--- config
    modelguard_budget hour zone=a8 limit=1 window=10s;
    location /t {
        modelguard_reject_status 400;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /u {
        modelguard_reject_status 599;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /v {
        modelguard_reject_status 503;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /w {
        modelguard_budget off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["GET /t", "GET /t", "GET /u", "GET /v", "GET /w"]
--- error_code eval
[200, 400, 599, 503, 200]



=== TEST 9: several budgets in one zone are charged together or not at all
--- http_config
    modelguard_zone $arg_k zone=a9:64k;
--- config
    location /t {
        modelguard_budget many zone=a9 limit=100 window=1h;
        modelguard_budget few zone=a9 limit=5 window=1h unit=items;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /many {
        modelguard_budget many zone=a9 limit=100 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /few {
        modelguard_budget few zone=a9 limit=5 window=1h unit=items;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["POST /t\n[1]", "POST /t\n{\"inputs\": [1,2,3,4]}",
 "POST /t\n{\"inputs\": [1,2]}", "POST /t\n{\"inputs\": [1,2]}",
 "GET /many", "GET /few"]
--- error_code eval
[200, 200, 429, 429, 200, 429]
--- response_headers eval
["X-Budget: few\nX-Remaining: 4\nX-Cost: 1",
 "X-Budget: few\nX-Remaining: 0\nX-Cost: 1",
 "X-Budget: few\nX-Remaining: 0\nX-Cost: 1",
 "X-Budget: few\nX-Remaining: 0",
 "X-Budget: many\nX-Remaining: 97",
 "X-Budget: few\nX-Remaining: 0"]



=== TEST 10: budgets in several zones are charged together or not at all
--- http_config
    modelguard_zone $arg_k zone=b10:64k;
    modelguard_zone $arg_j zone=a10:64k;
    modelguard_zone "all" zone=c10:64k;
--- config
    location /t {
        modelguard_budget k zone=b10 limit=10 window=1h;
        modelguard_budget j zone=a10 limit=2 window=1h;
        modelguard_budget all zone=c10 limit=9 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /k {
        modelguard_budget k zone=b10 limit=10 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /all {
        modelguard_budget all zone=c10 limit=9 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["GET /t?k=1&j=1", "GET /t?k=2&j=1", "GET /t?k=3&j=1", "GET /t?k=1&j=1",
 "GET /k?k=1", "GET /k?k=3", "GET /all", "GET /t?k=1&j=2"]
--- error_code eval
[200, 200, 429, 429, 200, 200, 200, 200]
--- response_headers eval
["X-Budget: j\nX-Remaining: 1",
 "X-Budget: j\nX-Remaining: 0",
 "X-Budget: j\nX-Remaining: 0\nX-Verdict: LIMITED",
 "X-Budget: j\nX-Remaining: 0",
 "X-Budget: k\nX-Remaining: 8",
 "X-Budget: k\nX-Remaining: 9",
 "X-Budget: all\nX-Remaining: 6",
 "X-Budget: j\nX-Remaining: 1"]



=== TEST 11: of several refusals the one with the longest wait is told
--- http_config
    modelguard_zone $arg_k zone=a11:64k;
    modelguard_zone $arg_k zone=b11:64k;
--- config
    location /t {
        modelguard_budget minute zone=a11 limit=1 window=1m;
        modelguard_budget hour zone=b11 limit=1 window=1h;
        modelguard_budget second zone=a11 limit=1 window=1s;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["GET /t", "GET /t"]
--- error_code eval
[200, 429]
--- response_headers eval
["", "X-Budget: hour\nRetry-After: 7200"]



=== TEST 12: one below the limit, the limit, and one above it
--- http_config eval: main::items_zone()
--- config eval: main::items_config(5)
--- request eval
["POST /t?k=4\n{\"instances\": [1,2,3,4]}",
 "POST /t?k=5\n{\"instances\": [1,2,3,4,5]}",
 "POST /t?k=6\n{\"instances\": [1,2,3,4,5,6]}",
 "POST /t?k=6\n{\"instances\": [1,2,3,4,5]}",
 "POST /t?k=4\n{\"instances\": [1]}",
 "POST /t?k=5\n{\"instances\": [1]}"]
--- error_code eval
[200, 200, 429, 200, 200, 429]
--- response_headers eval
["X-Cost: 4\nX-Remaining: 1", "X-Cost: 5\nX-Remaining: 0",
 "X-Cost: 6\nX-Remaining: 5\nRetry-After: \nX-Verdict: LIMITED",
 "X-Cost: 5\nX-Remaining: 0", "X-Remaining: 0",
 "Retry-After: 4320\nX-Remaining: 0"]



=== TEST 13: a request that can never pass is told so
--- http_config eval: main::items_zone()
--- config eval: main::items_config(2)
--- request eval
"POST /t\n{\"instances\": [1,2,3]}"
--- error_code: 429
--- response_body
{"error":{"message":"The request costs more than the budget \"rows\" can ever hold.","type":"rate_limit_error","param":null,"code":"budget_exhausted"}}
--- error_log eval
[qr/\[error\] .* modelguard: limiting requests, budget "rows", cost: 3, (?#
)remaining: 2, client: [0-9a-f]{16}, by zone "items$main::t"/]



=== TEST 14: the shapes of batches
--- http_config eval: main::items_zone()
--- config eval: main::items_config('1m')
--- request eval
["POST /t\n{\"instances\": [[1,2],[3,4],[5,6]]}",
 "POST /t\n{\"inputs\": [{\"name\": \"x\", \"shape\": [4, 3], \"datatype\": \"FP32\", \"data\": [1,2]}]}",
 "POST /t\n{\"inputs\": [\"a\", \"b\", \"c\"]}",
 "POST /t\n{\"inputs\": \"a\"}",
 "POST /t\n{\"input\": [\"a\", \"b\"]}",
 "POST /t\n{\"prompt\": [\"a\", \"b\", \"c\", \"d\"]}",
 "POST /t\n{\"dataframe_split\": {\"columns\": [1], \"data\": [[1],[2]]}}",
 "POST /t\n{}",
 "POST /t\n[1,2,3]",
 "POST /t\n\"text\"",
 "POST /t\n{\"instances\": []}"]
--- response_headers eval
["X-Cost: 3", "X-Cost: 4", "X-Cost: 3", "X-Cost: 1", "X-Cost: 2", "X-Cost: 4",
 "X-Cost: 2", "X-Cost: 1", "X-Cost: 1", "X-Cost: 1", "X-Cost: 1"]



=== TEST 15: duplicates, escapes and several places count the greatest
--- http_config eval: main::items_zone()
--- config eval: main::items_config('1m')
--- request eval
["POST /t\n{\"instances\": [1,2,3], \"instances\": [1]}",
 "POST /t\n{\"instances\": [1], \"instances\": [1,2,3]}",
 "POST /t\n{\"inst\\u0061nces\": [1,2,3,4]}",
 "POST /t\n{\"instances\": [1], \"prompt\": [1,2,3,4,5]}",
 "POST /t\n{\"inputs\": [{\"shape\": [2,9]}, {\"shape\": [7]}]}",
 "POST /t\n{\"x\": {\"instances\": [1,2,3]}}",
 "POST /t\n{\"Instances\": [1,2,3]}",
 "POST /t\n  {\"instances\" :\r\n\t[ {\"a\": [1,2,3]} , \"],[\" ] }  \n"]
--- response_headers eval
["X-Cost: 3", "X-Cost: 3", "X-Cost: 4", "X-Cost: 5", "X-Cost: 7", "X-Cost: 1",
 "X-Cost: 1", "X-Cost: 2"]



=== TEST 16: paths of the location's own
--- http_config eval: main::items_zone()
--- config eval: main::items_config('1m', 'modelguard_field items $.batch.rows;')
--- request eval
["POST /t\n{\"instances\": [1,2,3]}", "POST /t\n{\"batch\": {\"rows\": [1,2]}}"]
--- response_headers eval
["X-Cost: 1", "X-Cost: 2"]



=== TEST 17: a request without a body costs one
--- http_config eval: main::items_zone()
--- config eval: main::items_config(4)
--- request eval
["GET /t", "HEAD /t", "DELETE /t", "POST /t"]
--- more_headers eval
["", "", "", "Content-Length: 0"]
--- response_headers eval
["X-Cost: 1\nX-Remaining: 3", "X-Cost: 1\nX-Remaining: 2",
 "X-Cost: 1\nX-Remaining: 1", "X-Cost: 1\nX-Remaining: 0"]



=== TEST 18: what is not JSON is refused, never cost 1
--- http_config eval: main::items_zone()
--- config eval: main::items_config(9)
--- request eval
["POST /t\n{\"instances\": [1,2", "POST /t\n{\"instances\": [1]} x",
 "POST /t\nk=v&instances=1", "POST /t\n{'instances': [1]}",
 "POST /t\n{\"a\": \"\xff\"}", "POST /t\n" . "[" x 65 . "]" x 65,
 "POST /t\n" . "[" x 64 . "]" x 64]
--- error_code eval
[400, 400, 400, 400, 400, 400, 200]
--- response_headers eval
["X-Verdict: INVALID\nX-Budget: \nX-Client: \nRetry-After: ",
 "X-Verdict: INVALID", "X-Verdict: INVALID", "X-Verdict: INVALID",
 "X-Verdict: INVALID", "X-Verdict: INVALID",
 "X-Verdict: PASSED\nX-Remaining: 8"]



=== TEST 19: the answer to what is not JSON
--- http_config eval: main::items_zone()
--- config eval: main::items_config(9)
--- request
POST /t
{
--- error_code: 400
--- response_headers
Content-Type: application/json
--- response_body
{"error":{"message":"The request body is not valid JSON.","type":"invalid_request_error","param":null,"code":"invalid_body"}}
--- error_log
[error]
modelguard: refusing request, its body cannot be inspected: invalid_body



=== TEST 20: modelguard_body_size is the largest body that is counted
--- http_config eval: main::items_zone()
--- config eval: main::items_config(9, 'modelguard_body_size 20;')
--- request eval
["POST /t\n{\"inputs\": [1,2,345]}", "POST /t\n{\"inputs\": [1,2,34]}",
 "POST /t\n{\"inputs\": [1,2,3]}"]
--- error_code eval
[413, 200, 200]
--- response_body_like eval
["body_too_large", "^20 ", "^19 "]



=== TEST 21: a compressed body cannot be counted
--- http_config eval: main::items_zone()
--- config eval: main::items_config(9)
--- request eval
["POST /t\n{\"inputs\": [1,2]}", "POST /t\n{\"inputs\": [1,2]}",
 "POST /t\n{\"inputs\": [1,2]}", "GET /t"]
--- more_headers eval
["Content-Encoding: gzip", "Content-Encoding: identity",
 "content-encoding: identity, br", "Content-Encoding: gzip"]
--- error_code eval
[415, 200, 415, 200]
--- response_body_like eval
["unsupported_encoding", "^17 ", "unsupported_encoding", "^0 "]



=== TEST 22: a body in a temporary file is counted, and arrives whole
--- http_config eval: main::items_zone()
--- config eval: main::items_config(4000, 'client_body_buffer_size 1k;')
--- request eval
["POST /t\n" . $main::rows, "POST /t\n" . $main::rows]
--- error_code eval
[200, 429]
--- response_headers eval
["X-Cost: 4000\nX-Remaining: 0", "X-Cost: 4000"]
--- response_body_like eval
["^" . length($main::rows) . " " . Digest::MD5::md5_hex($main::rows) . "\$",
 "budget_exhausted"]
--- error_log
a client request body is buffered to a temporary file



=== TEST 23: so is one in memory
--- http_config eval: main::items_zone()
--- config eval: main::items_config(4000, 'client_body_buffer_size 1m;')
--- request eval
["POST /t\n" . $main::rows]
--- response_headers
X-Cost: 4000
--- response_body_like eval
"^" . length($main::rows) . " " . Digest::MD5::md5_hex($main::rows) . "\$"
--- no_error_log
[warn]



=== TEST 24: and one that always goes to a file
--- http_config eval: main::items_zone()
--- config eval: main::items_config(4000, 'client_body_in_file_only clean;')
--- request eval
["POST /t\n" . $main::rows, "POST /t\n{\"inputs\": [1,2,3]}", "GET /t"]
--- error_code eval
[200, 429, 429]
--- response_headers eval
["X-Cost: 4000", "X-Cost: 3", "X-Cost: 1"]



=== TEST 25: the size of a body in a file is bounded as well
--- http_config eval: main::items_zone()
--- config eval
main::items_config(4000, "client_body_buffer_size 1k; modelguard_body_size "
                         . (length($main::rows) - 1) . ";")
--- request eval
["POST /t\n" . $main::rows, "POST /t\n" . substr($main::rows, 0, -1),
 "POST /t\n" . $main::rows =~ s/ //r]
--- error_code eval
[413, 400, 200]



=== TEST 26: a chunked body
--- http_config eval: main::items_zone()
--- config eval: main::items_config(4000)
--- raw_request eval
"POST /t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
. "Transfer-Encoding: chunked\r\n\r\n" . main::chunked($main::rows, 1000)
--- response_headers
X-Cost: 4000
--- response_body_like eval
"^" . length($main::rows) . " " . Digest::MD5::md5_hex($main::rows) . "\$"



=== TEST 27: a chunked body of one byte at a time
--- http_config eval: main::items_zone()
--- config eval: main::items_config(4000)
--- raw_request eval
"POST /t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
. "Transfer-Encoding: chunked\r\n\r\n"
. main::chunked('{"inst\u0061nces": [1, 2, 3]}', 1)
--- response_headers
X-Cost: 3



=== TEST 28: an empty chunked body
--- http_config eval: main::items_zone()
--- config eval: main::items_config(4000)
--- raw_request eval
"POST /t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
. "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
--- response_headers
X-Cost: 1



=== TEST 29: a body that comes late
--- http_config eval: main::items_zone()
--- config eval: main::items_config(4000)
--- raw_request eval
["POST /t HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 21\r\n",
 "\r\n", "{\"inputs\": ", "[1,2,345]", "}"]
--- raw_request_middle_delay: 0.1
--- response_headers
X-Cost: 3
--- response_body_like: ^21



=== TEST 30: a body that never comes whole costs nothing
--- http_config eval: main::items_zone()
--- config eval: main::items_config(4000, 'client_body_timeout 200ms;')
--- raw_request eval
"POST /t HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 200\r\n"
. "\r\n{\"inputs\": "
--- ignore_response
--- wait: 0.5
--- no_error_log
[alert]



=== TEST 31: over HTTP/2
--- http_config eval: main::items_zone()
--- config eval
"listen 127.0.0.1:\$TEST_NGINX_H2_PORT http2;\n" . main::items_config(5)
--- request
GET /t?k=x
--- h2 eval
[["-d", '{"inputs": [1,2,3]}', "200 3 2"],
 ["-d", '{"inputs": [1,2,3]}', "429 3 2"],
 ["-d", '{"inputs": [1,2,', "400 - -"],
 ["-d", '{"inputs": [1]}', "200 1 1"],
 ["-d", '{"inputs": "' . "a" x 30000 . '"}', "200 1 0"],
 ["-d", '{"inputs": "' . "a" x 30000 . '"}', "429 1 0"],
 ["-G", "-d", "k=y", "200 1 4"]]



=== TEST 32: an empty key is the address, and no key can be an address
--- http_config
    modelguard_zone $arg_k zone=a32:64k;
--- config
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Real-IP;
    location /t {
        modelguard_budget hour zone=a32 limit=2 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["GET /t", "GET /t?k=", "GET /t", "GET /t?k=127.0.0.1", "GET /t", "GET /t",
 "GET /t", "GET /t?k=ABCD"]
--- more_headers eval
["", "", "", "", "X-Real-IP: 10.0.0.1", "X-Real-IP: ::ffff:10.0.0.1",
 "X-Real-IP: 65.66.67.68", ""]
--- error_code eval
[200, 200, 429, 200, 200, 200, 200, 200]
--- response_headers eval
["X-Remaining: 1\nX-Addr: 127.0.0.1", "X-Remaining: 0",
 "X-Addr: 127.0.0.1", "X-Remaining: 1",
 "X-Remaining: 1\nX-Addr: 10.0.0.1", "X-Remaining: 0\nX-Addr: 10.0.0.1",
 "X-Remaining: 1", "X-Remaining: 1"]



=== TEST 33: IPv6 clients are counted by their /64
--- http_config
    modelguard_zone $modelguard_addr zone=a33:64k;
    modelguard_zone "" zone=b33:64k;
--- config
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Real-IP;
    location /t {
        modelguard_budget k zone=a33 limit=2 window=1h;
        modelguard_budget a zone=b33 limit=9 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["GET /t", "GET /t", "GET /t", "GET /t", "GET /t", "GET /t"]
--- more_headers eval
["X-Real-IP: 2001:db8:1:2::1", "X-Real-IP: 2001:db8:1:2:ffff:ffff:ffff:ffff",
 "X-Real-IP: 2001:db8:1:2:3:4:5:6", "X-Real-IP: 2001:db8:1:3::1",
 "X-Real-IP: 2001:db8::1", "X-Real-IP: ::1"]
--- error_code eval
[200, 200, 429, 200, 200, 200]
--- response_headers eval
["X-Remaining: 1\nX-Addr: 2001:db8:1:2::/64",
 "X-Remaining: 0\nX-Addr: 2001:db8:1:2::/64",
 "X-Addr: 2001:db8:1:2::/64", "X-Addr: 2001:db8:1:3::/64\nX-Remaining: 1",
 "X-Addr: 2001:db8::/64", "X-Addr: ::/64"]



=== TEST 34: a client is 32 hex digits, and its key is in no line of ours
--- http_config
    modelguard_zone $http_x_key zone=a34:64k;
    modelguard_zone $http_x_key zone=b34:64k;
--- config
    location /t {
        modelguard_budget a zone=a34 limit=1 window=1h;
        modelguard_budget b zone=b34 limit=9 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["GET /t", "GET /t"]
--- more_headers
X-Key: secret-key
--- error_code eval
[200, 429]
--- response_headers_like eval
["X-Client: (?!0{32})[0-9a-f]{32}", "X-Client: (?!0{32})[0-9a-f]{32}"]
--- no_error_log eval
[qr/modelguard.*secret-key/]



=== TEST 35: variables where nothing is charged
--- config
    location /t {
        default_type text/plain;
        return 200 "[$modelguard_verdict$modelguard_budget$modelguard_remaining$modelguard_reset$modelguard_cost$modelguard_profile$modelguard_client][$modelguard_addr]";
    }
--- response_body chomp
[][127.0.0.1]
--- response_headers
X-Verdict:
X-Budget:



=== TEST 36: variables in the access log, and another log level
--- http_config eval
main::items_zone() . <<'CONF'
    log_format mg '$modelguard_verdict $modelguard_budget '
                  '$modelguard_remaining $modelguard_cost $modelguard_addr '
                  '$modelguard_reset $status [$modelguard_profile]';
CONF
--- config eval
"access_log logs/access.log mg;"
. main::items_config(2, 'modelguard_log_level notice;')
--- request
POST /t
[[1], {"instances": 1}, 3]
--- wait: 0.1
--- access_log
PASSED rows 1 1 127.0.0.1 7200 200 [-]



=== TEST 37: variables in the access log when refused, and a log level
--- http_config eval
main::items_zone() . <<'CONF'
    log_format mg '$modelguard_verdict $modelguard_budget '
                  '$modelguard_remaining $modelguard_cost $modelguard_addr '
                  '$modelguard_reset $status [$modelguard_profile]';
CONF
--- config eval
"access_log logs/access.log mg;"
. main::items_config(2, 'modelguard_log_level notice;')
--- request
POST /t
{"instances": [1,2,3]}
--- wait: 0.1
--- error_code: 429
--- access_log
LIMITED rows 2 3 127.0.0.1 1 429 [-]
--- error_log eval
[qr/\[notice\] .* modelguard: limiting requests, budget "rows"/]



=== TEST 38: a refused request does not reach the model, nor its body the disk
--- http_config
    modelguard_zone $arg_k zone=a37:64k;
--- config
    location /t {
        modelguard_budget hour zone=a37 limit=1 window=1h;
        client_body_buffer_size 1k;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["GET /t", "POST /t\n" . $main::rows, "GET /t"]
--- error_code eval
[200, 429, 429]
--- no_error_log
a client request body is buffered
[alert]



=== TEST 39: no 100 (Continue) for what is refused
--- http_config
    modelguard_zone $arg_k zone=a39:64k;
--- config
    location /t {
        modelguard_budget hour zone=a39 limit=1 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request
GET /t
--- sends eval
[["POST /t HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n"
  . "Expect: 100-continue\r\n\r\n", qr{^HTTP/1\.1 429 .*budget_exhausted}s]]



=== TEST 40: a zone that is full of clients over their limits
--- http_config
    modelguard_zone $arg_k zone=a40:32k;
--- config
    location /u {
        modelguard_budget hour zone=a40 limit=1 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request
GET /u?k=first
--- flood: 400



=== TEST 41: keys of any length
--- http_config
    modelguard_zone $http_x_key zone=a40:64k;
--- config
    large_client_header_buffers 4 32k;
    location /t {
        modelguard_budget hour zone=a40 limit=1 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
        proxy_set_header X-Key "";
    }
--- request eval
["GET /t", "GET /t", "GET /t"]
--- more_headers eval
["X-Key: " . "a" x 16000 . "b", "X-Key: " . "a" x 16000 . "c",
 "X-Key: " . "a" x 16000 . "b"]
--- error_code eval
[200, 200, 429]



=== TEST 42: the log names the directive to raise
--- http_config eval: main::items_zone()
--- config eval: main::items_config(9, 'modelguard_body_size 20;')
--- request
POST /t
{"inputs": [1,2,345]}
--- error_code: 413
--- error_log
its body cannot be inspected: body_too_large, see "modelguard_body_size"



=== TEST 43: requests on one connection, with bodies
--- http_config eval: main::items_zone()
--- config eval: main::items_config(5, 'client_body_buffer_size 1k;')
--- request
GET /t
--- sends eval
[[CORE::join('', map {
      "POST /t HTTP/1.1\r\nHost: x\r\nConnection: "
      . ($_ == 3 ? "close" : "keep-alive")
      . "\r\nContent-Length: " . length($main::rows) . "\r\n\r\n$main::rows"
  } 1 .. 3), qr{^(HTTP/1\.1 429 (?:(?!HTTP/1).)*can ever hold[^\n]*\n){3}\z}s],
 [CORE::join('', map {
      my $body = '{"inputs": [1' . ' ' x 2000 . ',2]}';
      "POST /t HTTP/1.1\r\nHost: x\r\nConnection: "
      . ($_ == 3 ? "close" : "keep-alive")
      . "\r\nContent-Length: " . length($body) . "\r\n\r\n$body"
  } 1 .. 3), qr{^(HTTP/1\.1 200 .*?[0-9a-f]{32}){2}HTTP/1\.1 429 }s]]



=== TEST 44: a key of one variable, in braces, with text, and of several
--- http_config
    modelguard_zone $arg_k zone=a44:64k;
    modelguard_zone ${arg_k} zone=b44:64k;
    modelguard_zone $arg_k- zone=c44:64k;
    modelguard_zone $arg_k$arg_g zone=d44:64k;
--- config
    location /a {
        modelguard_budget hour zone=a44 limit=2 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /b {
        modelguard_budget hour zone=b44 limit=2 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /c {
        modelguard_budget hour zone=c44 limit=2 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /d {
        modelguard_budget hour zone=d44 limit=2 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["GET /a?k=x&g=y", "GET /a?k=x&g=z", "GET /a?k=y&g=z",
 "GET /b?k=x&g=y", "GET /b?k=x&g=z", "GET /b?k=y&g=z",
 "GET /c?k=x&g=y", "GET /c?k=x&g=z", "GET /c?k=y&g=z",
 "GET /d?k=x&g=y", "GET /d?k=x&g=z", "GET /d?k=xy"]
--- response_headers eval
[("X-Remaining: 1", "X-Remaining: 0", "X-Remaining: 1") x 3,
 "X-Remaining: 1", "X-Remaining: 1", "X-Remaining: 0"]
