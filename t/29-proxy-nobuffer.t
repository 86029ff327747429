# Copyright (C) the modelguard authors
#
# Answers that are passed on as they come, and clients that are slow.

use lib 't/lib';
use ModelguardTest;
use ModelguardWire;

use IO::Socket::INET;

our $Http = <<'CONF';
    modelguard_profile two { scores round=2; }
    modelguard_field scores $.scores $.rows[*].scores;
    proxy_http_version 1.1;
CONF

my $row = '{"scores": [0.123456, 0.9], "pad": "' . 'x' x 400 . '"}';

our $Rows = '{"rows": [' . join(', ', ($row) x 10000) . ']}';
our $RowsRounded = $Rows =~ s/0\.123456/0.12/gr;

# a port with a small buffer in the kernel, so that a slow client is felt

$ENV{TEST_NGINX_SLOW_PORT} = do {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);

    $socket->sockport;
};

backend(model => sub {
    my ($request) = @_;
    my $uri = $request->{uri};
    my $head = json_reply('', 'Content-Length' => undef);

    return json_reply($Rows) if $uri =~ /whole/;

    return ($head, unpack '(a30011)*', $Rows) if $uri =~ /rows/;

    return ($head, '{"scores": [0.123456], "t": "abc', \1, 'def"}')
        if $uri =~ /pause/;

    return ($head, \1, '{"scores": [0.123456]}');
});

wire_checks();
run_tests();

__DATA__

=== TEST 1: what is treated goes out before the rest has come (2)
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 0;
    proxy_buffering off;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /pause
--- wire_early
^HTTP/1.1 200 OK\r\n
"scores": \[0.12\], "t": "
--- wire_body
{"scores": [0.12], "t": "abcdef"}



=== TEST 2: so does the header (2)
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 0;
    proxy_buffering off;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /later
--- wire_early
^HTTP/1.1 200 OK\r\n.*\r\n\r\n$
--- wire_body
{"scores": [0.12]}



=== TEST 3: held, nothing goes out early (2)
--- http_config eval: $::Http
--- config
    modelguard two;
    proxy_buffering off;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /pause
--- wire_early
^$
--- wire_like
Content-Length: 33\r\n
--- wire_body
{"scores": [0.12], "t": "abcdef"}



=== TEST 4: past modelguard_buffer_size all that is held goes out at once
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 16;
    location ~ . {
        proxy_buffering off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- wire
GET /pause
--- wire_early
"scores": \[0.12\], "t": "
--- wire_body
{"scores": [0.12], "t": "abcdef"}



=== TEST 5: a long answer, in all ways of proxying
--- http_config eval: $::Http
--- config
    modelguard two;
    location /u/ {
        proxy_buffering off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /z/ {
        modelguard_buffer_size 0;
        proxy_buffering off;
        proxy_buffer_size 1m;
        proxy_buffers 4 1m;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /h/ {
        modelguard_buffer_size 8m;
        proxy_buffering off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /rows
GET /whole
GET /u/rows
GET /u/whole
GET /z/rows
GET /z/whole
GET /h/rows
GET /h/whole
--- wire_body eval: $::RowsRounded



=== TEST 6: a long answer to a slow client (2)
--- http_config eval
$::Http . <<'CONF'
    server {
        listen 127.0.0.1:$TEST_NGINX_SLOW_PORT sndbuf=8k;
        modelguard two;
        location /u/ {
            proxy_buffering off;
            proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
        }
        location /z/ {
            modelguard_buffer_size 0;
            proxy_buffering off;
            proxy_buffer_size 1m;
            proxy_buffers 4 1m;
            proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
        }
        location /h/ {
            modelguard_buffer_size 8m;
            proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
        }
        location / { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
    }
CONF
--- config
--- wire
GET /rows
GET /u/rows
GET /z/rows
GET /z/whole
GET /h/whole
--- wire_slow
--- wire_port eval: $ENV{TEST_NGINX_SLOW_PORT}
--- wire_body eval: $::RowsRounded



=== TEST 7: a long answer to a slow client, compressed
--- http_config eval
$::Http . <<'CONF'
    server {
        listen 127.0.0.1:$TEST_NGINX_SLOW_PORT sndbuf=8k;
        modelguard two;
        gzip on;
        gzip_comp_level 1;
        gzip_types application/json;
        gzip_http_version 1.0;
        proxy_buffering off;
        location / { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
    }
CONF
--- config
--- wire
GET /rows
--- wire_headers
Accept-Encoding: gzip
Connection: close
--- wire_slow
--- wire_port eval: $ENV{TEST_NGINX_SLOW_PORT}
--- wire_gunzip eval: $::RowsRounded
