# Copyright (C) the modelguard authors
#
# What cannot be read: a clean 502 while the header is held, a cut connection
# after that, or the rest untreated with modelguard_on_error pass.

use lib 't/lib';
use ModelguardTest;
use ModelguardWire;

our $Http = <<'CONF';
    modelguard_profile two { scores round=2; }
    modelguard_field scores $.scores;
    proxy_http_version 1.1;
CONF

my $start = '{"text": "0123456789", "scores": [0.123456, ';

our %Bad = (
    comma    => $start . '0.98765,]}',
    trailing => $start . '0.98765]} {"scores": [0.55555]}',
    garbage  => $start . '0.98765]}x',
    utf      => $start . '0.98765], "t": "' . "\xff" . '"}',
    literal  => $start . '0.98765], "t": nul}',
    open     => $start . '0.98765',
    string   => $start . '0.98765], "t": "abc',
    control  => $start . '0.98765], "t": "a' . "\n" . '"}',
    number   => $start . '0.98765, 01]}',
    bom      => "\xef\xbb\xbf" . $start . '0.98765]}',
    html     => '<html>0.98765</html>',
    space    => '   ',
);

sub each_name {
    return join '', map { my $size = $_; map { "GET /$_$size\n" } sort keys %Bad }
                    @_;
}

my $good = $start . '0.98765], "end": true}';

backend(model => sub {
    my ($request) = @_;
    my ($name, $size) = $request->{uri} =~ m{/(\w+?)(\d*)$};
    my $body = $Bad{$name};

    if (defined $body) {
        my $head = json_reply('', 'Content-Length' => length $body);

        return $size ? ($head, \0.01, in_pieces($body, $size)) : $head . $body;
    }

    my $head = json_reply('', 'Content-Length' => length($good));
    my $chunks = json_reply('', 'Content-Length' => undef,
                            'Transfer-Encoding' => 'chunked');
    my $part = substr $good, 0, 60;

    return ($head . $part) if $name eq 'short';
    return ($head, \0.05, $part, \0.05) if $name eq 'slowshort';
    return ($head) if $name eq 'none';
    return ($chunks . "3c\r\n$part\r\n") if $name eq 'cut';
    return ($chunks, \0.05, "3c\r\n$part\r\n", \0.05) if $name eq 'slowcut';
    return ($chunks . "3c\r\n$part\r\nxyz\r\n") if $name eq 'invalid';
    return ($head . $part, \0.1, \'reset') if $name eq 'reset';
    return ($head . $part, \3) if $name eq 'timeout';
    return json_reply($good);
});

wire_checks();
run_tests();

__DATA__

=== TEST 1: malformed, while the header is held (0.11)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire eval: main::each_name('')
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
Content-Type: application/json\r\n
Content-Length: 127\r\n
response_blocked"}}\n$
--- wire_unlike
98765|12345|0\.12
--- error_log
modelguard: response blocked: malformed JSON



=== TEST 2: the same byte by byte
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire eval: main::each_name(1)
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
response_blocked"}}\n$
--- wire_unlike
98765|12345|0\.12
--- error_log
response blocked



=== TEST 3: the same with proxy_buffering off
--- http_config eval: $::Http
--- config
    modelguard two;
    proxy_buffering off;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire eval: main::each_name('', 3)
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
response_blocked"}}\n$
--- wire_unlike
98765|12345|0\.12
--- error_log
response blocked



=== TEST 4: malformed after the header: cut, without the last chunk (1)
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 0;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire eval: main::each_name('', 3)
--- wire_unlike
98765
\r\n0\r\n\r\n
Content-Length
502
--- error_log
modelguard: response cut: malformed JSON



=== TEST 5: the same with proxy_buffering off
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 0;
    proxy_buffering off;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire eval: main::each_name('', 3)
--- wire_unlike
98765
\r\n0\r\n\r\n
Content-Length
502
--- error_log
modelguard: response cut: malformed JSON



=== TEST 6: modelguard_error_body problem
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_error_body problem;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /comma
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
Content-Type: application/problem\+json\r\n
"status":502
--- error_log
response blocked



=== TEST 7: modelguard_error_body off
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_error_body off;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire eval: main::each_name('', 3)
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
Content-Type: text/html\r\n
Connection: close\r\n
</html>\r\n$
--- wire_unlike
98765|12345
--- error_log
response blocked



=== TEST 8: error_page with a file
--- http_config eval: $::Http
--- config
    modelguard two;
    error_page 502 /sorry.html;
    location = /sorry.html { }
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- user_files
>>> sorry.html
sorry
--- wire eval: main::each_name('', 3)
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
\r\n\r\nsorry\n$
--- error_log
response blocked



=== TEST 9: modelguard_on_error pass, header held: nothing is lost
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_on_error pass;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- pipelined_requests eval
["GET /comma", "GET /garbage", "GET /trailing1", "GET /html", "GET /space",
 "GET /open3", "GET /string"]
--- response_body eval
my $start = '{"text": "0123456789", "scores": [';
[$start . '0.123456, 0.98765,]}', $start . '0.12, 0.99]}x',
 $start . '0.12, 0.99]} {"scores": [0.55555]}', '<html>0.98765</html>', '   ',
 $start . '0.123456, 0.98765',
 $start . '0.12, 0.99], "t": "abc']



=== TEST 10: modelguard_on_error pass, streamed, proxy_buffering off
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_on_error pass;
    modelguard_buffer_size 0;
    proxy_buffering off;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- pipelined_requests eval
["GET /comma", "GET /garbage", "GET /trailing1", "GET /html", "GET /space",
 "GET /open3", "GET /string"]
--- response_body eval
my $start = '{"text": "0123456789", "scores": [';
[$start . '0.123456, 0.98765,]}', $start . '0.12, 0.99]}x',
 $start . '0.12, 0.99]} {"scores": [0.55555]}', '<html>0.98765</html>', '   ',
 $start . '0.123456, 0.98765',
 $start . '0.12, 0.99], "t": "abc']



=== TEST 11: a model server that stops too early (0.7)
--- http_config eval: $::Http
--- config
    modelguard two;
    proxy_read_timeout 300ms;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /short
GET /slowshort
GET /none
GET /cut
GET /slowcut
GET /reset
GET /timeout
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
response_blocked"}}\n$
--- wire_unlike
98765|12345|0\.12
--- error_log
modelguard: response blocked: the model server closed too early



=== TEST 12: the same with proxy_buffering off (0.7)
--- http_config eval: $::Http
--- config
    modelguard two;
    proxy_buffering off;
    proxy_read_timeout 300ms;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /short
GET /slowshort
GET /none
GET /cut
GET /slowcut
GET /reset
GET /timeout
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
response_blocked"}}\n$
--- wire_unlike
98765|12345|0\.12
--- error_log
modelguard: response blocked: the model server closed too early



=== TEST 13: the same with error_page and modelguard_on_error pass (0.7)
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_on_error pass;
    proxy_read_timeout 300ms;
    error_page 502 /sorry.html;
    location = /sorry.html { }
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- user_files
>>> sorry.html
sorry
--- wire
GET /short
GET /slowshort
GET /none
GET /cut
GET /slowcut
GET /reset
GET /timeout
--- wire_like
^HTTP/1\.1 502 Bad Gateway\r\n
\r\n\r\nsorry\n$
--- error_log
response blocked



=== TEST 14: stops too early after the header: nothing held is emitted (0.7)
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 0;
    proxy_read_timeout 300ms;
    location /u/ {
        proxy_buffering off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /short
GET /slowshort
GET /cut
GET /slowcut
GET /reset
GET /timeout
GET /u/short
GET /u/slowshort
GET /u/cut
GET /u/slowcut
GET /u/reset
GET /u/timeout
--- wire_unlike
98765|123456,
\r\n0\r\n\r\n
502
--- error_log
modelguard: response cut: the model server closed too early



=== TEST 15: chunks that are none: nginx cuts, and nothing has been sent
--- http_config eval: $::Http
--- config
    modelguard two;
    location /u/ {
        proxy_buffering off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /invalid
GET /u/invalid
--- wire_unlike
200|scores
--- error_log
upstream sent invalid chunked response



=== TEST 16: the connection goes on after a refusal of a whole answer
--- http_config eval: $::Http
--- config
    modelguard two;
    location = /bad.json { types { application/json json; } }
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- user_files
>>> bad.json
{"scores": [0.98765}
--- pipelined_requests eval
["GET /bad.json", "GET /good", "GET /bad.json"]
--- error_code eval
[502, 200, 502]
--- response_body_like eval
["response_blocked", 'scores": \[0.12, 0.99\], "end": true', "response_blocked"]



=== TEST 17: a static file, modelguard_error_body off
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_error_body off;
    sendfile on;
    location /bad.json { types { application/json json; } }
--- user_files
>>> bad.json
{"scores": [0.98765}
--- request
GET /bad.json
--- error_code: 502
--- response_body_like: </html>
--- error_log
response blocked



=== TEST 18: what passes unguarded is logged
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_on_error pass;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- request
GET /trailing
--- response_body_like: 0.55555
--- error_log
modelguard: response passed unguarded: malformed JSON
