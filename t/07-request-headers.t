# Copyright (C) the modelguard authors
#
# What a guarded location forwards: identity coding and whole answers are
# asked for, and all else is left alone.

use lib 't/lib';
use ModelguardTest;

# the request as it came, as one JSON string, big enough for gzip

backend(model => sub {
    my ($request) = @_;
    my ($head) = split /\r\n\r\n/, $request->{raw};
    my $text = join "|", "", sort(split /\r\n/, $head), "";

    $text =~ s/(["\\])/\\$1/g;

    return json_reply(qq({"request": "$text", "pad": "@{[ "x" x 2000 ]}"}));
});

our $http = <<'CONF';
    modelguard_profile plain { scores round=1; }
    modelguard_profile keep { scores keep; }
    modelguard_zone all zone=headers:64k;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
CONF

our $config = <<'CONF';
    modelguard_field scores $.score;
    location /t {
        modelguard plain;
        gzip on;
        gzip_types application/json;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /file {
        modelguard plain;
        default_type application/json;
    }
    location /kept {
        modelguard keep;
        modelguard_budget hour zone=headers limit=100 window=1h;
        default_type application/json;
    }
    location /open {
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
    location /budget {
        modelguard_budget hour zone=headers limit=100 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
CONF

# so many headers that the list of them has two or three parts

our $many = join "\n", map { "X-Number-$_: $_" } 10 .. 50;

run_tests();

__DATA__

=== TEST 1: Accept-Encoding becomes identity for the model
--- http_config eval: $main::http
--- config eval: $main::config =~ s/gzip on/gzip off/r
--- request
GET /t
--- more_headers
Accept-Encoding: br, gzip
--- response_body_like: \|Accept-Encoding: identity\|



=== TEST 2: while nginx's gzip still sees what the client accepts
--- http_config eval: $main::http
--- config eval: $main::config
--- request
GET /t
--- more_headers
Accept-Encoding: gzip
--- response_headers
Content-Encoding: gzip



=== TEST 3: and what it does not accept
--- http_config eval: $main::http
--- config eval: $main::config
--- request eval
["GET /t", "GET /t", "GET /t"]
--- more_headers eval
["Accept-Encoding: br", "", "Accept-Encoding: gzip;q=0"]
--- response_headers eval
["Content-Encoding: ", "Content-Encoding: ", "Content-Encoding: "]
--- response_body_like eval
["\\|Accept-Encoding: identity\\|", "^((?!Accept-Encoding).)*\$",
 "\\|Accept-Encoding: identity\\|"]



=== TEST 4: several of them
--- http_config eval: $main::http
--- config eval: $main::config =~ s/gzip on/gzip off/r
--- request
GET /t
--- more_headers
Accept-Encoding: gzip
X-Between: 1
accept-encoding: br
--- response_body_like: Accept-Encoding: identity\|((?!gzip|: br).)*accept-encoding: identity



=== TEST 5: Range and If-Range are not forwarded, the other conditions are
--- http_config eval: $main::http
--- config eval: $main::config
--- request
GET /t
--- more_headers
Range: bytes=2-5
If-Range: "x"
If-None-Match: "y"
If-Match: "z"
If-Modified-Since: Sun, 22 Nov 2026 00:00:00 GMT
If-Unmodified-Since: Sun, 22 Nov 2027 00:00:00 GMT
--- response_body_like: ^((?!Range).)*If-Match((?!Range).)*If-Modified-Since((?!Range).)*If-None-Match((?!Range).)*If-Unmodified-Since((?!Range).)*$



=== TEST 6: wherever they stand among many
--- http_config eval: $main::http
--- config eval: $main::config
--- request eval
["GET /t", "GET /t", "GET /t", "GET /t"]
--- more_headers eval
["Range: bytes=2-5\n$main::many\nX-Last: 1",
 "$main::many\nX-Last: 1\nRange: bytes=2-5",
 $main::many =~ s/X-Number-28/If-Range: "x"\nRange: bytes=2-5\n$&/r
 . "\nX-Last: 1",
 "Range: bytes=2-5\nRange: bytes=1-\n$main::many\nIf-Range: x\nX-Last: 1"]
--- error_code eval
[200, 200, 200, 200]
--- response_body_like eval
[("^((?!Range).)*\\|Host: localhost:?\\d*\\|((?!Range).)*X-Last: 1\\|"
  . CORE::join("\\|", map { "X-Number-$_: $_" } 10 .. 50) . "((?!Range).)*\$") x 4]



=== TEST 7: nor are they applied to a file
--- http_config eval: $main::http
--- config eval: $main::config
--- user_files
>>> file.json
{"score": 0.55, "text": "more"}
--- request
GET /file.json
--- more_headers
Range: bytes=2-5
--- error_code: 200
--- response_body
{"score": 0.6, "text": "more"}
--- response_headers
Accept-Ranges:
Content-Range:
ETag:
Last-Modified:



=== TEST 8: where nothing is guarded all is forwarded
--- http_config eval: $main::http
--- config eval: $main::config
--- request eval
["GET /open", "GET /budget"]
--- more_headers
Accept-Encoding: br, gzip
Range: bytes=2-5
If-Range: "x"
--- error_code eval
[200, 200]
--- response_body_like eval
["Accept-Encoding: br, gzip.*\\|If-Range.*\\|Range: bytes=2-5",
 "Accept-Encoding: br, gzip.*\\|If-Range.*\\|Range: bytes=2-5"]



=== TEST 9: a range of a file whose profile keeps all is served
--- http_config eval: $main::http
--- config eval: $main::config
--- user_files
>>> kept.json
{"score": 0.55, "text": "more"}
--- request
GET /kept.json
--- more_headers
Range: bytes=2-5
--- error_code: 206
--- response_body: scor
