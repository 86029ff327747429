# Copyright (C) the modelguard authors
#
# Every bound of the filter at one below, at it, and one above.

use lib 't/lib';
use ModelguardTest;
use ModelguardWire;

our $Http = <<'CONF';
    modelguard_profile two { scores round=2; }
    modelguard_profile only { scores label_only; }
    modelguard_field scores $.scores;
    proxy_http_version 1.1;
CONF

# /length/N: a document of N bytes, which stay as they are
# /vector/N: a vector whose text has N bytes, without the closing bracket
# /depth/N: N containers in each other
# /numbers/N: numbers that become shorter, and none that ties with the top

sub numbers {
    my ($count) = @_;

    return join ', ', '0.900000',
                map { sprintf '0.%06d', $_ * 7919 % 490000 } 2 .. $count;
}

our $Numbers = numbers(60000);

backend(model => sub {
    my ($request) = @_;
    my ($kind, $n) = $request->{uri} =~ m{/(\w+)/(\d+)};
    my $body;

    $body = '{"t": "' . 'x' x ($n - 9) . '"}' if $kind eq 'length';
    $body = '{"scores": [' . '0.1,' . '1' x ($n - 5) . ']}'
        if $kind eq 'vector';
    $body = '[' x $n . ']' x $n if $kind eq 'depth';
    $body = "{\"scores\": [[$Numbers], [$Numbers]]}" if $kind eq 'numbers';

    return json_reply($body);
});

# half to even, in integers

sub rounded {
    my ($micros) = @_;
    my ($cents, $rest) = (int($micros / 10000), $micros % 10000);

    $cents++ if $rest > 5000 || ($rest == 5000 && $cents % 2);

    return sprintf('%d.%02d', $cents / 100, $cents % 100) =~ s/\.?0+$//r;
}

our $Rounded = $Numbers =~ s/0\.(\d+)/rounded($1)/ger;

wire_checks();
run_tests();

__DATA__

=== TEST 1: modelguard_buffer_size: up to it the length is known
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 1000;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /length/999
GET /length/1000
--- wire_like
^HTTP/1\.1 200 OK\r\n
Content-Length: (999|1000)\r\n
x"}$
--- wire_unlike
chunked



=== TEST 2: modelguard_buffer_size: above it the answer is streamed
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 1000;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /length/1001
GET /length/100000
--- wire_like
^HTTP/1\.1 200 OK\r\n
Transfer-Encoding: chunked\r\n
x"}\r\n0\r\n\r\n$
--- wire_unlike
Content-Length



=== TEST 3: the default of modelguard_buffer_size
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /length/262144
--- wire_like
Content-Length: 262144\r\n
x"}$
--- wire_length: 262144



=== TEST 4: one byte over the default
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /length/262145
--- wire_like
chunked\r\n
x"}\r\n0\r\n\r\n$
--- wire_unlike
Content-Length



=== TEST 5: modelguard_max_depth, below it and at it
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_max_depth 5;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /depth/4
GET /depth/5
--- wire_like
^HTTP/1\.1 200 OK\r\n
\[\[\[\[\]?\]\]\]\]



=== TEST 6: modelguard_max_depth, above it
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_max_depth 5;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /depth/6
GET /depth/100000
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
--- error_log
response blocked: it is nested deeper than "modelguard_max_depth"



=== TEST 7: the default of modelguard_max_depth
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- pipelined_requests eval
["GET /depth/63", "GET /depth/64", "GET /length/50", "GET /depth/65"]
--- error_code eval
[200, 200, 200, 502]



=== TEST 8: modelguard_vector_size, below it and at it
--- http_config eval: $::Http
--- config
    modelguard only;
    modelguard_vector_size 100;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /vector/99
GET /vector/100
--- wire_like
^HTTP/1\.1 200 OK\r\n
\{"scores": \[0,1\]}$



=== TEST 9: modelguard_vector_size, above it
--- http_config eval: $::Http
--- config
    modelguard only;
    modelguard_vector_size 100;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /vector/101
GET /vector/40000
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
--- error_log
response blocked: a vector or a name is over "modelguard_vector_size"



=== TEST 10: more output than the ring of bufs holds
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_vector_size 1m;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- request
GET /numbers/1
--- response_body eval
"{\"scores\": [[$::Rounded], [$::Rounded]]}"



=== TEST 11: the same held whole
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_vector_size 1m;
    modelguard_buffer_size 8m;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- request
GET /numbers/1
--- response_body eval
"{\"scores\": [[$::Rounded], [$::Rounded]]}"
--- response_headers eval
"Content-Length: " . (2 * length($::Rounded) + 20)



=== TEST 12: the same to a client that is slow
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_vector_size 1m;
    modelguard_buffer_size 1k;
    location /numbers/1 {
        limit_rate 400k;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request
GET /numbers/1
--- response_body eval
"{\"scores\": [[$::Rounded], [$::Rounded]]}"
