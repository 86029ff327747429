# Copyright (C) the modelguard authors
#
# NDJSON, JSON Lines, JSON text sequences, JSON documents one after another.

use lib 't/lib';
use ModelguardTest;
use ModelguardWire;

our $Http = <<'CONF';
    modelguard_profile two { scores round=2; metadata drop; }
    modelguard_field scores $.scores;
    modelguard_field metadata $.id;
    proxy_http_version 1.1;
    proxy_buffering off;
CONF

my @types = qw( application/x-ndjson application/ndjson application/jsonl
                application/x-jsonl application/jsonlines
                application/x-jsonlines application/json-lines
                application/json-seq application/stream+json
                application/x-json-stream );

our @Types = map { "GET /lines?t=$_" } @types, 'Application/X-NDJSON';

my %streams = (
    lines => "{\"scores\": [0.123456]}\n{\"scores\":[0.9876,1]}\n",
    crlf => "{\"id\": 1, \"scores\": [0.123456]}\r\n{}\r\n\r\n[0.123456]\r\n",
    none => "{\"scores\": [0.123456]}{\"scores\": [0.98765]}",
    seq => "\x1e{\"scores\": [0.123456]}\n\x1e{\"scores\": [0.98765]}\n",
    last => "{\"scores\": [0.123456]}\n{\"scores\": [0.98765]}",
    split => "{\"scores\":\n[0.123456,\n0.98765]}\n",
    roots => "1 2.5\ntrue\n\"a\"\n",
    bad => "{\"scores\": [0.123456]}\n{\"scores\": [0.12\n}\n"
           . "{\"scores\": [0.654321]}\n",
    cut => "{\"scores\": [0.123456]}\n{\"scores\": [0.98",
    bom => "\xef\xbb\xbf{\"scores\": [0.123456]}\n",
);

backend(model => sub {
    my ($request) = @_;
    my ($name) = $request->{uri} =~ m{/(\w+)};
    my ($type) = $request->{uri} =~ /t=(.*)/;

    $type //= 'application/x-ndjson';

    my $head = json_reply('', 'Content-Type' => $type,
                          'Content-Length' => undef);

    return ($head, "{\"scores\": [0.123456]}\n", \1,
            "{\"scores\": [0.98765]}\n")
        if $name eq 'slow';

    return ($head, map { ($_, \0.002) } split //, $streams{$1})
        if $name =~ /^bytes_(\w+)/;

    return json_reply($streams{$name}, 'Content-Type' => $type);
});

wire_checks();
run_tests();

__DATA__

=== TEST 1: all their types
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire eval: CORE::join "\n", @::Types
--- wire_body eval
qq{{"scores": [0.12]}\n{"scores":[0.99,1]}\n}



=== TEST 2: CRLF, empty lines, a member dropped
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /crlf
GET /bytes_crlf
--- wire_body eval
qq{{ "scores": [0.12]}\r\n{}\r\n\r\n[0.123456]\r\n}



=== TEST 3: nothing in between
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /none
GET /bytes_none
--- wire_body eval
qq{{"scores": [0.12]}{"scores": [0.99]}}



=== TEST 4: record separators
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /seq
--- wire_body eval
qq{\x1e{"scores": [0.12]}\n\x1e{"scores": [0.99]}\n}



=== TEST 5: a last line without its end
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /last
--- wire_body eval
qq{{"scores": [0.12]}\n{"scores": [0.99]}}



=== TEST 6: a document of several lines
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /split
--- wire_body eval
qq{{"scores":\n[0.12,\n0.99]}\n}



=== TEST 7: documents of any type
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /roots
GET /bytes_roots
--- wire_body eval
qq{1 2.5\ntrue\n"a"\n}



=== TEST 8: a line goes out as it came
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /slow
--- wire_early
^HTTP/1.1 200 OK\r\n.*\{"scores": \[0.12\]\}\n
--- wire_body eval
qq{{"scores": [0.12]}\n{"scores": [0.99]}\n}



=== TEST 9: an unreadable line becomes an error line, and nothing follows
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /bad
--- wire_like
\{"scores": \[0\.12\]\}\n.*\{"error":.*response_blocked.*\}\n
--- wire_unlike
0\.12.*0\.12|654|123
--- wire_cut
--- error_log
response cut: malformed JSON



=== TEST 10: so does one that is cut
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /cut
--- wire_like
\{"scores": \[0\.12\]\}\n.*\{"error":.*response_blocked.*\}\n
--- wire_unlike
0\.98
--- wire_cut
--- error_log
response cut: truncated JSON



=== TEST 11: a byte order mark
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /bom
--- wire_like
\{"error":.*response_blocked.*\}\n
--- wire_unlike
0\.12
--- wire_cut
--- error_log
response cut: malformed JSON



=== TEST 12: modelguard_types cannot make one document of lines
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_types application/x-ndjson;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /lines
--- wire_body eval
qq{{"scores": [0.12]}\n{"scores":[0.99,1]}\n}



=== TEST 13: under a type of one document they are not read
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /lines?t=application/json
--- wire_like
^HTTP/1\.1 502
--- wire_unlike
0\.12
--- error_log
response blocked: malformed JSON
