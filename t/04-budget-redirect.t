# Copyright (C) the modelguard authors
#
# One request is charged once, wherever nginx sends it, and only after it was
# let in.

use lib 't/lib';
use ModelguardTest;

backend(model => sub {
    my ($request) = @_;

    return $request->{uri} =~ /missing/
           ? json_reply('{"error": "no"}', status => '404 Not Found')
           : $request->{uri} =~ /accel/
           ? json_reply('{}', 'X-Accel-Redirect' => '/charged')
           : $request->{uri} =~ /named/
           ? json_reply('{}', 'X-Accel-Redirect' => '@charged_ok')
           : $request->{uri} =~ /auth-no/
           ? json_reply('', status => '403 Forbidden')
           : json_reply('{"score": 0.123456}');
});

backend(dead => sub { return (\'reset') });

# all blocks charge one client of one zone: what remains tells how often

our $locations = <<'CONF';
    add_header X-Verdict $modelguard_verdict always;
    add_header X-Budget $modelguard_budget always;
    add_header X-Remaining $modelguard_remaining always;

    location /left {
        modelguard_budget hour zone=main::zone limit=1000 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/ok;
    }
    location /charged {
        modelguard_budget hour zone=main::zone limit=1000 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/ok;
    }
    location @charged {
        modelguard_budget hour zone=main::zone limit=1000 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
CONF

our $t = 0;

add_block_preprocessor(sub {
    my ($block) = @_;

    $t++;

    (my $config = $locations . $block->config) =~ s/main::zone/redirect$t/g;
    $config =~ s/BUDGET/modelguard_budget hour zone=redirect$t limit=1000 window=1h;/g;

    $block->set_value('config', $config);
    $block->set_value('http_config',
                      "modelguard_zone all zone=redirect$t:64k;\n"
                      . ($block->http_config // ''));
});

run_tests();

__DATA__

=== TEST 1: an error_page of what was charged
--- config
    location /t {
        BUDGET
        error_page 404 /charged;
        proxy_intercept_errors on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/missing;
    }
--- request eval
["GET /left", "GET /t", "GET /t", "GET /left"]
--- error_code eval
[200, 404, 404, 200]
--- response_headers eval
["X-Remaining: 999", "X-Remaining: 998\nX-Verdict: PASSED",
 "X-Remaining: 997", "X-Remaining: 996"]



=== TEST 2: an error_page is charged if what came before was not
--- config
    location /t {
        error_page 404 = /charged;
        proxy_intercept_errors on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/missing;
    }
--- request eval
["GET /t", "GET /left"]
--- response_headers eval
["X-Remaining: 999\nX-Verdict: PASSED", "X-Remaining: 998"]



=== TEST 3: try_files to a named location
--- config
    location /t {
        BUDGET
        try_files /no-such-file @charged;
    }
    location /u {
        try_files /no-such-file @charged;
    }
--- request eval
["GET /t", "GET /u", "GET /left"]
--- response_headers eval
["X-Remaining: 999", "X-Remaining: 998", "X-Remaining: 997"]



=== TEST 4: try_files to a uri
--- config
    location /t {
        BUDGET
        try_files /no-such-file /charged;
    }
--- request eval
["GET /t", "GET /left"]
--- response_headers eval
["X-Remaining: 999", "X-Remaining: 998"]



=== TEST 5: X-Accel-Redirect
--- config
    location /t {
        BUDGET
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/accel;
    }
    location /u {
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/accel;
    }
    location /v {
        BUDGET
        rewrite ^ /named break;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location @charged_ok {
        BUDGET
        rewrite ^ /ok break;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["GET /t", "GET /u", "GET /v", "GET /left"]
--- response_headers eval
["X-Remaining: 999", "X-Remaining: 998", "X-Remaining: 997",
 "X-Remaining: 996"]



=== TEST 6: an upstream that fails, and a named location instead
--- config
    location /t {
        BUDGET
        error_page 502 = @charged;
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }
--- request eval
["GET /t", "GET /left"]
--- response_headers eval
["X-Remaining: 999", "X-Remaining: 998"]
--- no_error_log
[alert]
[crit]



=== TEST 7: rewrites, before and after
--- config
    location /t {
        rewrite ^ /charged last;
    }
    location /u {
        BUDGET
        rewrite ^ /other break;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["GET /t", "GET /u", "GET /left"]
--- response_headers eval
["X-Remaining: 999", "X-Remaining: 998", "X-Remaining: 997"]



=== TEST 8: subrequests of auth_request are not charged
--- config
    location /t {
        BUDGET
        auth_request /auth;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/ok;
    }
    location /auth {
        internal;
        BUDGET
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/ok;
    }
--- request eval
["GET /t", "GET /left"]
--- response_headers eval
["X-Remaining: 999", "X-Remaining: 998"]



=== TEST 9: what auth_request denies is not charged
--- config
    location /t {
        BUDGET
        auth_request /auth;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/ok;
    }
    location /auth {
        internal;
        BUDGET
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/auth-no;
    }
--- request eval
["GET /t", "GET /t", "GET /left"]
--- error_code eval
[403, 403, 200]
--- response_headers eval
["X-Verdict: ", "X-Remaining: ", "X-Remaining: 999"]
--- no_error_log
[alert]



=== TEST 10: nor what auth_basic denies
--- user_files
>>> passwords
user:{PLAIN}secret
--- config
    location /t {
        BUDGET
        auth_basic "x";
        auth_basic_user_file ../html/passwords;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/ok;
    }
--- request eval
["GET /t", "GET /t", "GET /t", "GET /left"]
--- more_headers eval
["", "Authorization: Basic dXNlcjp3cm9uZw==",
 "Authorization: Basic dXNlcjpzZWNyZXQ=", ""]
--- error_code eval
[401, 401, 200, 200]
--- response_headers eval
["X-Verdict: ", "X-Verdict: ", "X-Remaining: 999", "X-Remaining: 998"]
--- no_error_log
[alert]



=== TEST 11: nor what deny denies, also with satisfy any
--- config
    location /t {
        BUDGET
        deny all;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/ok;
    }
    location /u {
        BUDGET
        satisfy any;
        auth_basic "x";
        auth_basic_user_file ../html/none;
        allow all;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/ok;
    }
--- request eval
["GET /t", "GET /u", "GET /left"]
--- error_code eval
[403, 200, 200]
--- response_headers eval
["X-Verdict: ", "X-Remaining: 999", "X-Remaining: 998"]
--- no_error_log
[alert]



=== TEST 12: a mirror is not charged, and gets the body
--- config
    location /t {
        modelguard_budget rows zone=main::zone limit=1000 window=1h unit=items;
        mirror /mirror;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/ok;
    }
    location /mirror {
        internal;
        modelguard_budget rows zone=main::zone limit=1000 window=1h unit=items;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/ok;
    }
--- request eval
["POST /t\n{\"inputs\": [1,2,3]}", "POST /t\n{\"inputs\": [1,2,3]}", "GET /t"]
--- response_headers eval
["X-Remaining: 997", "X-Remaining: 994", "X-Remaining: 993"]



=== TEST 13: an items budget behind a redirect reads the body there
--- config
    location /t {
        try_files /no-such-file @items;
    }
    location @items {
        modelguard_budget rows zone=main::zone limit=5 window=1h unit=items;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["POST /t\n{\"inputs\": [1,2,3]}", "POST /t\n{\"inputs\": [1,2,3]}"]
--- error_code eval
[200, 429]
--- response_headers eval
["X-Remaining: 2", "X-Remaining: 2"]



=== TEST 14: a body that was read for a budget is there after a redirect
--- config
    location /t {
        modelguard_budget rows zone=main::zone limit=5 window=1h unit=items;
        error_page 502 = @other;
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }
    location @other {
        modelguard_budget rows zone=main::zone limit=5 window=1h unit=items;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["POST /t\n{\"inputs\": [1,2,3]}", "POST /t\n{\"inputs\": [1,2,3]}"]
--- error_code eval
[200, 429]
--- response_headers eval
["X-Remaining: 2", "X-Remaining: 2"]
--- no_error_log
[alert]
[crit]



=== TEST 15: a body too large for nginx, and an error_page with a budget
--- config
    location /t {
        client_max_body_size 10;
        error_page 413 = /items;
        modelguard_budget rows zone=main::zone limit=5 window=1h unit=items;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /items {
        modelguard_budget rows zone=main::zone limit=5 window=1h unit=items;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- raw_request eval
"POST /t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
. "Transfer-Encoding: chunked\r\n\r\n15\r\n{\"inputs\": [1,2,345]}\r\n0\r\n\r\n"
--- error_code_like: ^(200|400)$
--- no_error_log
[alert]



=== TEST 16: an error of the client before, and our own status after
--- config
    location /t {
        error_page 404 /refused;
        proxy_intercept_errors on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/missing;
    }
    location /refused {
        modelguard_budget rows zone=main::zone limit=1 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/ok;
    }
--- request eval
["GET /t", "GET /t"]
--- error_code eval
[404, 429]
--- response_headers eval
["X-Verdict: PASSED", "X-Verdict: LIMITED\nContent-Type: application/json"]



=== TEST 17: our own answer after a redirect that ended recursion
--- config
    location /t {
        error_page 404 429 /refused;
        proxy_intercept_errors on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/missing;
    }
    location /refused {
        modelguard_budget rows zone=main::zone limit=1 window=1h;
        error_page 429 /never;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/ok;
    }
    location /never {
        return 200 "never";
    }
--- request eval
["GET /t", "GET /t"]
--- error_code eval
[404, 429]
--- response_body_like eval
["score", "budget_exhausted"]



=== TEST 18: a refused request that is redirected is not charged elsewhere
--- config
    location /t {
        modelguard_budget one zone=main::zone limit=1 window=1h;
        error_page 429 = /charged;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/ok;
    }
--- request eval
["GET /t", "GET /t", "GET /left"]
--- error_code eval
[200, 200, 200]
--- response_headers eval
["X-Verdict: PASSED\nX-Budget: one", "X-Verdict: LIMITED\nX-Budget: one",
 "X-Remaining: 999"]



=== TEST 19: return in the rewrite phase comes before budgets
--- config
    location /t {
        BUDGET
        return 200 "x";
    }
--- request eval
["GET /t", "GET /left"]
--- response_headers eval
["X-Verdict: ", "X-Remaining: 999"]



=== TEST 20: a guard stays in force, and one is found, where redirects lead
--- http_config
    modelguard_profile first { scores round=1; }
    modelguard_profile second { scores round=3; }
--- config
    modelguard_field scores $.score;
    location /t {
        modelguard first;
        error_page 404 = /charged;
        proxy_intercept_errors on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/missing;
    }
    location /u {
        error_page 404 = /second;
        proxy_intercept_errors on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/missing;
    }
    location /second {
        modelguard second;
        BUDGET
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/ok;
        add_header X-Profile $modelguard_profile;
        add_header X-Remaining $modelguard_remaining;
    }
--- request eval
["GET /t", "GET /u"]
--- response_body eval
['{"score": 0.1}', '{"score": 0.123}']
--- response_headers eval
["X-Remaining: 999", "X-Profile: second\nX-Remaining: 998"]



=== TEST 21: a variable that names no profile is an error, never a pass
--- http_config
    modelguard_profile first { scores round=1; }
--- config
    location /t {
        modelguard $arg_p;
        modelguard_field scores $.score;
        BUDGET
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/ok;
    }
--- request eval
["GET /t?p=first", "GET /t?p=none", "GET /t", "GET /t?p=off", "GET /left"]
--- error_code eval
[200, 500, 500, 500, 200]
--- response_headers eval
["X-Remaining: 999", "X-Verdict: ", "X-Verdict: ", "X-Verdict: ",
 "X-Remaining: 998"]
