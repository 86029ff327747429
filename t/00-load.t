# Copyright (C) the modelguard authors
#
# The module loads, and leaves alone what it was not told to guard.

use lib 't/lib';
use ModelguardTest;

my $body = '{"scores": [0.123456789, 0.5e0, -0, 1E5], "text": "caf\u00e9 \/"}';

backend(model => sub { return in_pieces(json_reply($body), 7) });

my ($code, $output) = nginx_output(<<'CONF', '-t');
events {}
http {
    server {
        listen 127.0.0.1:1;
    }
}
CONF

is($code, 0, 'nginx -t accepts a configuration without our directives');
like($output, qr/test is successful/, 'and says so');

($code, $output) = nginx_output(<<'CONF', '-t');
events {}
http {
    modelguard_no_such_directive on;
}
CONF

isnt($code, 0, 'nginx -t fails on a directive that we do not have');
like($output, qr/unknown directive "modelguard_no_such_directive"/,
     'and names it');

run_tests();

__DATA__

=== TEST 1: a location without our directives works
--- config
    location /t {
        default_type application/json;
        return 200 '{"score": 0.123456789}';
    }
--- response_body chomp
{"score": 0.123456789}
--- response_headers
Content-Type: application/json
Content-Length: 22



=== TEST 2: a proxied answer without our directives keeps every byte
--- config
    location /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- response_body chomp
{"scores": [0.123456789, 0.5e0, -0, 1E5], "text": "caf\u00e9 \/"}
--- response_headers
Content-Type: application/json
Content-Length: 65



=== TEST 3: a configuration that fails makes nginx fail
--- config
    modelguard_no_such_directive on;
--- must_die
--- error_log
unknown directive "modelguard_no_such_directive"
