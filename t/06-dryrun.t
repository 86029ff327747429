# Copyright (C) the modelguard authors
#
# modelguard_dry_run: what would have been refused is told, and passes.

use lib 't/lib';
use ModelguardTest;

backend(model => sub {
    my ($request) = @_;

    return json_reply(length $request->{body}, 'Content-Type' => 'text/plain');
});

our $show = <<'CONF';
    add_header X-Verdict $modelguard_verdict always;
    add_header X-Budget $modelguard_budget always;
    add_header X-Remaining $modelguard_remaining always;
    add_header X-Cost $modelguard_cost always;
CONF

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('config', $show . $block->config);
});

run_tests();

__DATA__

=== TEST 1: more requests than the limit
--- http_config
    modelguard_zone all zone=dry1:64k;
--- config
    modelguard_budget hour zone=dry1 limit=2 window=1h;
    location /t {
        modelguard_dry_run on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /u {
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["GET /t", "GET /t", "GET /t", "GET /t", "GET /u"]
--- error_code eval
[200, 200, 200, 200, 429]
--- response_headers eval
["X-Verdict: PASSED\nX-Remaining: 1", "X-Verdict: PASSED\nX-Remaining: 0",
 "X-Verdict: LIMITED_DRY_RUN\nX-Remaining: 0\nX-Budget: hour\nRetry-After: ",
 "X-Verdict: LIMITED_DRY_RUN\nX-Remaining: 0",
 "X-Verdict: LIMITED\nX-Remaining: 0"]



=== TEST 2: what is refused is not charged
--- http_config
    modelguard_zone all zone=dry2:64k;
--- config
    modelguard_dry_run on;
    location /t {
        modelguard_budget rows zone=dry2 limit=5 window=1h unit=items;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["POST /t\n{\"inputs\": [1,2,3,4,5,6]}", "POST /t\n{\"inputs\": [1,2,3,4,5]}"]
--- response_headers eval
["X-Verdict: LIMITED_DRY_RUN\nX-Cost: 6\nX-Remaining: 5",
 "X-Verdict: PASSED\nX-Cost: 5\nX-Remaining: 0"]
--- response_body eval
["25", "23"]



=== TEST 3: the log line, at the level asked for
--- http_config
    modelguard_zone all zone=dry3:64k;
--- config
    location /t {
        modelguard_dry_run on;
        modelguard_log_level warn;
        modelguard_budget rows zone=dry3 limit=1 window=1h unit=items;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request
POST /t
{"inputs": [1,2]}
--- response_body chomp
17
--- error_log eval
[qr/\[warn\] .* modelguard: limiting requests, dry run, budget "rows", (?#
)cost: 2, remaining: 1, client: [0-9a-f]{16}, by zone "dry3"/]



=== TEST 4: a body that cannot be counted
--- http_config
    modelguard_zone all zone=dry4:64k;
--- config
    modelguard_dry_run on;
    modelguard_body_size 20;
    location /t {
        modelguard_budget rows zone=dry4 limit=5 window=1h unit=items;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["POST /t\nno JSON", "POST /t\n{\"inputs\": [1,2,3,4,5,6]}",
 "POST /t\n{\"inputs\": [1]}", "POST /t\n{\"inputs\": [1]}"]
--- more_headers eval
["", "", "", "Content-Encoding: gzip"]
--- response_headers eval
["X-Verdict: INVALID_DRY_RUN\nX-Budget: ", "X-Verdict: INVALID_DRY_RUN",
 "X-Verdict: PASSED\nX-Remaining: 4", "X-Verdict: INVALID_DRY_RUN"]
--- response_body eval
["7", "25", "15", "15"]



=== TEST 5: the log line of such a body
--- http_config
    modelguard_zone all zone=dry5:64k;
--- config
    location /t {
        modelguard_dry_run on;
        modelguard_budget rows zone=dry5 limit=5 window=1h unit=items;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request
POST /t
no JSON
--- error_log
modelguard: refusing request, dry run, its body cannot be inspected: invalid_body



=== TEST 6: an error_page is not used
--- http_config
    modelguard_zone all zone=dry6:64k;
--- config
    location /t {
        modelguard_dry_run on;
        modelguard_budget rows zone=dry6 limit=1 window=1h unit=items;
        error_page 429 /never;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /never {
        return 200 "never";
    }
--- request
POST /t
{"inputs": [1,2]}
--- response_body chomp
17



=== TEST 7: off where the level above says on
--- http_config
    modelguard_zone all zone=dry7:64k;
    modelguard_dry_run on;
--- config
    modelguard_budget rows zone=dry7 limit=1 window=1h unit=items;
    location /t {
        modelguard_dry_run off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /u {
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
["POST /t\n[1, 2]", "POST /t\n{\"inputs\": [1,2]}",
 "POST /u\n{\"inputs\": [1,2]}"]
--- error_code eval
[200, 429, 200]
--- response_headers eval
["X-Verdict: PASSED", "X-Verdict: LIMITED", "X-Verdict: LIMITED_DRY_RUN"]
