# Copyright (C) the modelguard authors
#
# modelguard_strip_headers: what a model server says beside the body.

use lib 't/lib';
use ModelguardTest;
use ModelguardWire;

our $Http = <<'CONF';
    modelguard_profile two { scores round=2; }
    modelguard_profile kept { scores keep; }
    modelguard_field scores $.scores;
CONF

my $body = '{"scores": [0.123456]}';

backend(model => sub {
    my ($request) = @_;
    my ($status, $kind) = $request->{uri} =~ m{/(\d+)(\w*)};

    my %headers = ('X-Model-Version' => 'v7', 'x-model-STAGE' => 'canary',
                   'X-Request-Id' => 'r1', 'X-Modelx' => 'm',
                   'Server-Timing' => 'gpu;dur=53.2',
                   'OpenAI-Processing-Ms' => '471',
                   'OpenAI-Organization' => 'o1', 'Retry-After' => '7',
                   'Server' => 'triton', 'Date' => 'then', 'Vary' => 'X-A',
                   'Location' => '/elsewhere', 'Refresh' => '9',
                   'ETag' => '"abc"', 'Expires' => 'never',
                   'Last-Modified' => 'Mon, 28 Sep 1970 06:00:00 GMT',
                   'WWW-Authenticate' => 'Basic', 'Link' => '</v7>',
                   'Cache-Control' => 'private', 'Accept-Ranges' => 'bytes');

    $headers{'Content-Type'} = 'text/html' if $kind eq 'html';
    $headers{'Content-Type'} = 'image/png' if $kind eq 'image';

    my $send = $request->{method} eq 'HEAD' || $status =~ /^(204|304)$/
               ? '' : $body;

    $headers{'Content-Length'} = length $body if $request->{method} eq 'HEAD';
    $headers{'Content-Length'} = undef if $status eq '204';

    return json_reply($send, status => "$status Reason", %headers);
});


# HTTP/2 without a negotiation, as grpc_pass speaks it: one answer with
# trailers to whatever is asked; nginx acknowledges settings before the end

sub frame {
    my ($type, $flags, $stream, $payload) = @_;

    return substr(pack('N', length $payload), 1)
           . pack('CCN', $type, $flags, $stream) . $payload;
}

sub field {
    return pack('C', 0) . join '', map { pack('C', length $_) . $_ } @_;
}

backend(trailing => sub {
    return (frame(4, 0, 0, ''),
            frame(1, 4, 1, pack('C', 0x88)
                           . field('content-type', 'application/json')
                           . field('x-model-version', 'v7')),
            frame(0, 0, 1, $body),
            frame(1, 5, 1, field('content-digest', 'sha-256=:x:')
                           . field('repr-digest', 'sha-256=:x:')
                           . field('digest', 'sha-256=x')
                           . field('content-md5', 'x')
                           . field('x-model-time', '53.2')
                           . field('x-kept', 'yes')),
            \0.3);
});


# a location for each list of names

our $Strip = sub {
    my (@lines) = @_;

    return join '', "modelguard two;\n",
                    map { "modelguard_strip_headers $_;\n" } @lines;
};

our $Pass = <<'CONF';
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
CONF

wire_checks();
run_tests();

__DATA__

=== TEST 1: nothing is stripped unless it is named (5)
--- http_config eval: $::Http
--- config eval: $::Strip->() . $::Pass
--- wire
GET /200
GET /404html
GET /304
--- wire_like
\r\nX-Model-Version: v7\r\n
\r\nServer-Timing: gpu;dur=53\.2\r\n
\r\nOpenAI-Processing-Ms: 471\r\n



=== TEST 2: names, prefixes and exceptions, on every kind of response (5)
--- http_config eval: $::Http
--- config eval
$::Strip->('x-* !x-request-id Server-Timing OPENAI-*') . $::Pass
--- wire
GET /200
HEAD /200
GET /204
GET /304
GET /302html
GET /404html
GET /422
GET /500
GET /503html
HEAD /404html
--- wire_like
\r\nX-Request-Id: r1\r\n
\r\nRetry-After: 7\r\n
\r\nCache-Control: private\r\n
--- wire_unlike
(?i)x-model|server-timing|openai-



=== TEST 3: a profile that keeps everything
--- http_config eval: $::Http
--- config eval
"modelguard kept; modelguard_budget off; modelguard_strip_headers x-model*;"
. $::Pass
--- wire
GET /200
--- wire_like
\r\nX-Request-Id: r1\r\n
\[0\.123456\]
--- wire_unlike
(?i)x-model



=== TEST 4: what is let through unguarded
--- http_config eval: $::Http
--- config eval: $::Strip->('x-model*') . "modelguard_opaque pass;" . $::Pass
--- wire
GET /200image
--- wire_like
\r\nX-Request-Id: r1\r\n
0\.123456
--- wire_unlike
(?i)x-model



=== TEST 5: a prefix ends where it ends
--- http_config eval: $::Http
--- config eval: $::Strip->('x-model-* !x-model-s*') . $::Pass
--- wire
GET /200
--- wire_like
\r\nX-Modelx: m\r\n
\r\nx-model-STAGE: canary\r\n
--- wire_unlike
X-Model-Version



=== TEST 6: a name is a whole name
--- http_config eval: $::Http
--- config eval: $::Strip->('x-model server-tim openai') . $::Pass
--- wire
GET /200
--- wire_like
\r\nX-Modelx: m\r\n
\r\nX-Model-Version: v7\r\n
\r\nServer-Timing: 
\r\nOpenAI-Organization: o1\r\n



=== TEST 7: an exception wins wherever it stands, over a full name too
--- http_config eval: $::Http
--- config eval
$::Strip->('!x-model-version x-model-version', 'x-*', '!X-MODELX') . $::Pass
--- wire
GET /200
--- wire_like
\r\nX-Modelx: m\r\n
\r\nX-Model-Version: v7\r\n
--- wire_unlike
X-Request-Id
(?i)x-model-stage



=== TEST 8: everything but what clients need
--- http_config eval: $::Http
--- config eval: $::Strip->('*') . $::Pass
--- wire
GET /200
--- wire_like
\r\nContent-Type: application/json\r\n
\r\nContent-Length: 18\r\n
\r\nConnection: close\r\n
\r\nRetry-After: 7\r\n
\r\nWWW-Authenticate: Basic\r\n
\r\nCache-Control: private\r\n
\r\nVary: X-A\r\n
\r\nLocation: /elsewhere\r\n
\[0\.12\]
--- wire_unlike
(?i)\r\n(x-|openai|server-timing|etag|expires|refresh|link|last-|accept-)



=== TEST 9: an error that passes keeps what its body needs
--- http_config eval: $::Http
--- config eval: $::Strip->('*') . $::Pass
--- wire
GET /404html
--- wire_like
\r\nContent-Type: text/html\r\n
\r\nContent-Length: 22\r\n
--- wire_unlike
(?i)\r\n(x-|openai|server-timing|etag|expires|refresh|link|last-|accept-)



=== TEST 10: those that nginx keeps by other means
--- http_config eval: $::Http
--- config eval
$::Strip->('location refresh etag expires last-modified accept-ranges '
           . 'www-authenticate cache-control vary retry-after link')
. $::Pass
--- wire
GET /404html
GET /304
GET /302html
--- wire_unlike
(?i)\r\n(etag|expires|refresh|location|www-|cache-|vary|retry|link|last-m|acc)
--- wire_like
\r\nX-Request-Id: r1\r\n



=== TEST 11: Server and Date become nginx's own, which they are by default
--- http_config eval: $::Http
--- config eval
$::Strip->('server date') . <<'CONF'
    proxy_pass_header Server;
    proxy_pass_header Date;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
CONF
--- wire
GET /200
GET /404html
--- wire_like
\r\nServer: nginx
\r\nDate: \w\w\w, 
--- wire_unlike
triton
Date: then



=== TEST 12: without it they are the model server's
--- http_config eval: $::Http
--- config eval
$::Strip->('x-*') . <<'CONF'
    proxy_pass_header Server;
    proxy_pass_header Date;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
CONF
--- wire
GET /200
GET /404html
--- wire_like
\r\nServer: triton\r\n
\r\nDate: then\r\n



=== TEST 13: what nginx adds stays, and may say what was stripped
--- http_config eval: $::Http
--- config eval
$::Strip->('x-* etag') . <<'CONF'
    add_header X-Model-Version ours always;
    add_header X-Id $upstream_http_x_request_id always;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
CONF
--- wire
GET /200
GET /404html
GET /200image
--- wire_like
\r\nX-Model-Version: ours\r\n
\r\nX-Id: r1\r\n
--- wire_unlike
Version: v7
X-Request-Id
--- error_log
response blocked



=== TEST 14: answers of the module's own are as they were
--- http_config
    modelguard_profile two { scores round=2; }
    modelguard_field scores $.scores;
    modelguard_zone $server_port zone=z:1m;
--- config
    modelguard two;
    modelguard_strip_headers * retry-after;
    modelguard_budget b zone=z limit=1 window=1h;
    location ~ . { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
--- request eval: ['GET /200', 'GET /200']
--- error_code eval: [200, 429]
--- response_headers_like eval
["Content-Type: application/json",
 "Retry-After: \\d+\nContent-Type: application/json"]
--- response_body_like eval: ['0\.12\]', 'budget_exhausted']



=== TEST 15: the arrays of a level replace those above, "off" ends them
--- http_config eval
$::Http . "modelguard_strip_headers x-*; modelguard_strip_headers openai-*;"
--- config
    modelguard two;
    location /200/inherits { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
    location /200/own {
        modelguard_strip_headers server-timing;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /200/off {
        modelguard_strip_headers off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval: ['GET /200/inherits', 'GET /200/own', 'GET /200/off']
--- response_headers eval
["X-Request-Id:\nOpenAI-Organization:\nServer-Timing: gpu;dur=53.2",
 "X-Request-Id: r1\nOpenAI-Organization: o1\nServer-Timing:",
 "X-Request-Id: r1\nOpenAI-Organization: o1\nServer-Timing: gpu;dur=53.2"]



=== TEST 16: a location that is not guarded is left alone
--- http_config eval: $::Http
--- config eval: 'modelguard_strip_headers *;' . $::Pass
--- wire
GET /200
--- wire_like
\r\nX-Model-Version: v7\r\n
\[0\.123456\]



=== TEST 17: the guard goes along with an internal redirect, and so does this
--- http_config eval: $::Http
--- config
    location ~ . {
        modelguard two;
        modelguard_strip_headers x-*;
        proxy_intercept_errors on;
        error_page 404 = @other;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location @other {
        rewrite ^ /200 break;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- wire
GET /404html
--- wire_like
\r\nServer-Timing: 
\[0\.12\]
--- wire_unlike
\r\nX-



=== TEST 18: a static file's own headers are nginx's
--- http_config eval: $::Http
--- config
    location /t.txt {
        modelguard two;
        modelguard_opaque pass;
        modelguard_strip_headers etag last-modified accept-ranges;
        types { text/plain txt; }
    }
--- user_files
>>> t.txt
text
--- request
GET /t.txt
--- response_headers_like
ETag: ".*"
Last-Modified: .*



=== TEST 19: digests among the trailers of a rewritten answer
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 0;
    location ~ . {
        add_trailer X-After yes;
        grpc_pass 127.0.0.1:$TEST_NGINX_TRAILING_PORT;
    }
--- wire
GET /200
--- wire_headers
TE: trailers
Connection: close
--- wire_like
\[0\.12\]}\r\n0\r\n
\r\nx-model-time: 53\.2\r\n
\r\nx-kept: yes\r\n
\r\nX-After: yes\r\n
--- wire_unlike
(?i)digest|md5



=== TEST 20: trailers by their names
--- http_config eval: $::Http
--- config
    modelguard two;
    modelguard_buffer_size 0;
    modelguard_strip_headers x-* !x-kept;
    location ~ . {
        add_trailer X-After yes;
        grpc_pass 127.0.0.1:$TEST_NGINX_TRAILING_PORT;
    }
--- wire
GET /200
--- wire_headers
TE: trailers
Connection: close
--- wire_like
\[0\.12\]}\r\n0\r\n
\r\nx-kept: yes\r\n
\r\nX-After: yes\r\n
--- wire_unlike
(?i)digest|md5|x-model



=== TEST 21: trailers of an answer that is left as it is
--- http_config eval: $::Http
--- config
    modelguard kept;
    modelguard_strip_headers x-* !x-kept;
    location ~ . {
        add_trailer X-After yes;
        grpc_pass 127.0.0.1:$TEST_NGINX_TRAILING_PORT;
    }
--- wire
GET /200
--- wire_headers
TE: trailers
Connection: close
--- wire_like
\[0\.123456\]}\r\n0\r\n
\r\nx-kept: yes\r\n
\r\ncontent-digest: 
\r\nX-After: yes\r\n
--- wire_unlike
(?i)x-model



=== TEST 22: trailers where nothing is guarded
--- http_config eval: $::Http
--- config
    modelguard_strip_headers x-*;
    location /guarded { modelguard two; }
    location ~ . {
        add_trailer X-After yes;
        grpc_pass 127.0.0.1:$TEST_NGINX_TRAILING_PORT;
    }
--- wire
GET /200
--- wire_headers
TE: trailers
Connection: close
--- wire_like
\r\nx-model-time: 53\.2\r\n
\r\ncontent-digest: 
