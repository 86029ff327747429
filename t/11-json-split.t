# Copyright (C) the modelguard authors
#
# The output does not depend on how the model server cut its answer.

use lib 't/lib';
use ModelguardTest;

our $Http = <<'CONF';
    modelguard_profile two { scores round=2; metadata drop; }
    modelguard_field scores $.scores $.nested[*].scores;
    modelguard_field metadata $.meta;
    proxy_http_version 1.1;
CONF

my $body = '{"sc\u006fres": [0.123456, -1.5e-3, 0.87654321], "meta": {"a": [1]},'
           . ' "text": "caf\u00e9 \"\\\\ \u20ac", "nested": [{"scores": 0.5555},'
           . ' {"scores": [[0.1119], [0.2229]]}], "n": 12345678901234567890}';

our $Wanted = '{"sc\u006fres": [0.12, 0, 0.88], "text": '
              . '"caf\u00e9 \"\\\\ \u20ac", "nested": [{"scores": 0.56},'
              . ' {"scores": [[0.11], [0.22]]}], "n": 12345678901234567890}';

backend(model => sub {
    my ($request) = @_;
    my ($size, $kind) = $request->{uri} =~ m{/(\d+)(chunk)?};
    my $head = json_reply('', 'Content-Length' => undef,
                          $kind ? ('Transfer-Encoding' => 'chunked') : ());

    return in_pieces($head . $body, $size) if !$kind;

    return ($head, \0.002,
            map({ (sprintf("%x\r\n%s\r\n", length $_, $_), \0.002) }
                unpack "(a$size)*", $body),
            "0\r\n\r\n");
});

run_tests();

__DATA__

=== TEST 1: byte by byte, buffered (2)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- pipelined_requests eval
["GET /1", "GET /2", "GET /3", "GET /7", "GET /50", "GET /1chunk"]
--- response_body eval
[($::Wanted) x 6]



=== TEST 2: byte by byte, proxy_buffering off (2)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . {
        proxy_buffering off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- pipelined_requests eval
["GET /1", "GET /2", "GET /3", "GET /7", "GET /50", "GET /1chunk"]
--- response_body eval
[($::Wanted) x 6]



=== TEST 3: byte by byte, streamed from the first byte on, buffered
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 0;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- pipelined_requests eval
["GET /1", "GET /2", "GET /3", "GET /7", "GET /50", "GET /1chunk"]
--- response_body eval
[($::Wanted) x 6]



=== TEST 4: byte by byte, streamed, proxy_buffering off
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 0;
    location ~ . {
        proxy_buffering off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- pipelined_requests eval
["GET /1", "GET /2", "GET /3", "GET /7", "GET /50", "GET /1chunk"]
--- response_body eval
[($::Wanted) x 6]



=== TEST 5: the header goes out in the middle of the document
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 40;
    location ~ . {
        proxy_buffering off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- pipelined_requests eval
["GET /1", "GET /2", "GET /3", "GET /7", "GET /50", "GET /1chunk"]
--- response_body eval
[($::Wanted) x 6]



=== TEST 6: small proxy buffers, bytes in a temporary file (2)
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 0;
    location ~ . {
        proxy_buffer_size 512;
        proxy_buffers 2 512;
        proxy_busy_buffers_size 512;
        proxy_temp_file_write_size 512;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- pipelined_requests eval
["GET /1", "GET /7", "GET /1chunk"]
--- response_body eval
[($::Wanted) x 3]



=== TEST 7: postpone_output and limit_rate do not matter (2)
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 0;
    postpone_output 1;
    limit_rate 1000;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- pipelined_requests eval
["GET /3", "GET /50"]
--- response_body eval
[($::Wanted) x 2]
