# Copyright (C) the modelguard authors
#
# Bodies in files: a cache, big static files, sendfile, threads.

use lib 't/lib';
use ModelguardTest;
use ModelguardWire;

our $Http = <<'CONF';
    modelguard_profile two { scores round=2; metadata drop; }
    modelguard_profile one { scores round=1; metadata drop; }
    modelguard_field scores $.scores;
    modelguard_field metadata $.meta;
    proxy_cache_path cache keys_zone=cache:1m;
CONF

my @many = map { sprintf '0.%06d', $_ * 7919 % 490000 } 1 .. 30000;

our $Big = '{"meta": {"a": "' . 'y' x 100 . '"}, "scores": [[0.9, '
           . join(', ', @many) . ']], "end": "z"}';

our $BigRounded = $Big =~ s/"meta": .*?\},//r =~ s/0\.(\d{6})/rounded($1)/ger;

# half to even; no other number ties with the top

sub rounded {
    my ($micros) = @_;
    my ($cents, $rest) = (int($micros / 10000), $micros % 10000);

    $cents++ if $rest > 5000 || ($rest == 5000 && $cents % 2);

    return sprintf('0.%02d', $cents) =~ s/\.?0+$//r;
}

backend(model => sub {
    my ($request) = @_;

    return json_reply('{"scores": [0.123456]}',
                      'Cache-Control' => 'max-age=60',
                      'ETag' => '"abc"')
        if $request->{uri} !~ /bad|type/;

    return json_reply('{"scores": [0.123456,]}',
                      'Cache-Control' => 'max-age=60')
        if $request->{uri} =~ /bad/;

    return json_reply("0.123456", 'Content-Type' => 'text/plain',
                      'Cache-Control' => 'max-age=60');
});

wire_checks();
run_tests();

__DATA__

=== TEST 1: a hit of the cache is treated like a miss, by each profile (2)
--- http_config eval: $::Http
--- config
    proxy_cache cache;
    proxy_cache_key $uri;
    location ~ . {
        modelguard $arg_p;
        add_header X-Cache $upstream_cache_status;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- pipelined_requests eval
["GET /t?p=two", "GET /t?p=two", "GET /t?p=one"]
--- response_body eval
['{"scores": [0.12]}', '{"scores": [0.12]}',
 '{"scores": [0.1]}']
--- response_headers eval
["X-Cache: MISS", "X-Cache: HIT", "X-Cache: HIT"]



=== TEST 2: a range of a hit (0.3)
--- http_config eval: $::Http
--- config
    modelguard two;
    proxy_cache cache;
    add_header X-Cache $upstream_cache_status;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /range
GET /range
GET /range
--- wire_headers
Range: bytes=12-19
Connection: close
--- wire_like
^HTTP/1\.1 200 OK\r\n
X-Cache: (MISS|HIT)\r\n
"scores": \[0\.12\]



=== TEST 3: a bad document in the cache is refused every time
--- http_config eval: $::Http
--- config
    modelguard two;
    proxy_cache cache;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /bad
GET /bad
GET /bad
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
response_blocked"}}\n$
--- error_log
response blocked



=== TEST 4: so is another type, and it is not stored
--- http_config eval: $::Http
--- config
    modelguard two;
    proxy_cache cache;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /type
GET /type
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
response_blocked"}}\n$
--- error_log
response blocked



=== TEST 5: a validator of the cached document is not answered with it (1)
--- http_config eval: $::Http
--- config
    modelguard two;
    proxy_cache cache;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /etag
GET /etag
--- wire_like
^HTTP/1\.1 200 OK\r\n
--- wire_unlike
ETag



=== TEST 6: a big file with sendfile on (0.1)
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_vector_size 1m;
    sendfile on;
    location /big.json { types { application/json json; } }
--- user_files eval: ">>> big.json\n$::Big"
--- request
GET /big.json
--- response_body eval: $::BigRounded



=== TEST 7: a big file with sendfile, threads and directio (2)
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_vector_size 1m;
    sendfile on;
    aio threads;
    directio 4k;
    output_buffers 2 8k;
    open_file_cache max=10;
    location /big.json { types { application/json json; } }
--- user_files eval: ">>> big.json\n$::Big"
--- pipelined_requests eval
["GET /big.json", "GET /big.json"]
--- response_body eval: [$::BigRounded, $::BigRounded]



=== TEST 8: the same to a slow client, streamed
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_vector_size 1m;
    modelguard_buffer_size 0;
    sendfile on;
    aio threads;
    output_buffers 1 4k;
    limit_rate 300k;
    location /big.json { types { application/json json; } }
--- user_files eval: ">>> big.json\n$::Big"
--- request
GET /big.json
--- response_body eval: $::BigRounded



=== TEST 9: a file that stays in the open file cache (0.1)
--- http_config eval: $::Http
--- config
    modelguard two;
    sendfile on;
    open_file_cache max=10;
    open_file_cache_min_uses 1;
    location /t.json { types { application/json json; } }
--- user_files
>>> t.json
{"scores": [0.123456]}
--- pipelined_requests eval
["GET /t.json", "GET /t.json", "GET /t.json"]
--- response_body eval
["{\"scores\": [0.12]}\n", "{\"scores\": [0.12]}\n", "{\"scores\": [0.12]}\n"]
