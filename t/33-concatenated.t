# Copyright (C) the modelguard authors
#
# Documents with nothing between them: each goes out before the next comes.

use lib 't/lib';
use ModelguardTest;
use ModelguardWire;

our $Http = <<'CONF';
    modelguard_profile two { scores round=2; }
    modelguard_field scores $.scores;
    proxy_http_version 1.1;
    proxy_buffering off;
CONF

backend(model => sub {
    my ($request) = @_;
    my $head = json_reply('', 'Content-Type' => 'application/x-ndjson',
                          'Content-Length' => undef);
    my $document = '{"scores": [0.123456]}';

    return ($head, $document, \1, $document)
        if $request->{uri} =~ /bare/;

    return ($head, "$document$document ", \1, "\n$document\n")
        if $request->{uri} =~ /space/;

    return ($head, $document, \0.3, "\n", \1, '{"scores": [0.1234');
});

wire_checks();
run_tests();

__DATA__

=== TEST 1: no line end at all (2)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /bare
--- wire_early
"scores": \[0.12\]}
--- wire_body chop
{"scores": [0.12]}{"scores": [0.12]}



=== TEST 2: a space, and the line end late (2)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /space
--- wire_early
0.12\]}\{"scores": \[0.12\]} 
--- wire_body
{"scores": [0.12]}{"scores": [0.12]} 
{"scores": [0.12]}



=== TEST 3: a line end that comes alone, and a document that is cut (2)
--- http_config eval: $::Http
--- config
    modelguard two;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- wire
GET /late
--- wire_early
"scores": \[0.12\]}
--- wire_like
"scores": \[0\.12\]}\n?\r\n.*"code":"response_blocked"
--- wire_unlike
0\.1234
