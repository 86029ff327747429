# Copyright (C) the modelguard authors
#
# Ways round the parameters: what the types of a body say of it, what was
# known of its length before it was changed, and fallbacks.

use lib 't/lib';
use ModelguardTest;

# what arrived

backend(model => sub {
    my ($request) = @_;
    my $headers = $request->{headers};

    return json_reply(join(' ', $headers->{'content-length'} // '-',
                           $headers->{'x-length'} // '-', $request->{body}),
                      'Content-Type' => 'text/plain');
});

add_block_preprocessor(sub {
    my ($block) = @_;

    my $config = $block->config;

    $config =~ s/MODEL/proxy_pass http:\/\/127.0.0.1:\$TEST_NGINX_MODEL_PORT/g;

    $block->set_value('config', <<'CONF' . $config);
    add_header X-Verdict $modelguard_verdict always;
    default_type text/plain;
CONF
});

run_tests();

__DATA__

=== TEST 1: a form inside of a JSON string
--- config
    location /t {
        modelguard_param $.n max=1;
        MODEL;
    }
--- more_headers
Content-Type: Application/X-WWW-form-urlencoded; charset=utf-8
--- request eval
[ map { "POST /t\n$_" } '{"x":"&n=5&y="}', '{"x":";n=5;y="}', '{"x":"n=5"}' ]
--- error_code eval
[ 400, 400, 200 ]
--- response_body_like eval
[ 'invalid_body', 'invalid_body', '^11 - \{"x":"n=5"\}$' ]



=== TEST 2: a form inside of a file
--- config
    location /t {
        client_body_in_file_only clean;
        modelguard_param $.n max=1;
        MODEL;
    }
--- more_headers
Content-Type: application/x-www-form-urlencoded
--- request eval
[ map { "POST /t\n$_" } '{"x":"' . 'y' x 40000 . '&n=5&y="}', '{"n":1}' ]
--- error_code eval
[ 400, 200 ]



=== TEST 3: other types are JSON as ever
--- config
    location /t {
        modelguard_param $.n max=1;
        MODEL;
    }
--- more_headers eval
[ map { "Content-Type: $_" } 'text/plain', 'application/json', 'x' ]
--- request eval
[ map { "POST /t\n$_" } '{"x":"&n=5&y="}', '{"x":"&n=5;y="}', '{"n":5}' ]
--- error_code eval
[ 200, 200, 400 ]



=== TEST 4: a form, or lines, behind JSON, as if it were tensors
--- config
    location /t {
        modelguard_param $.n max=1;
        MODEL;
    }
--- more_headers eval
[ map { "Inference-Header-Content-Length: 2" . ($_ ? "\nContent-Type: $_" : '')
      } 'multipart/form-data; boundary=b', 'application/x-www-form-urlencoded',
  'text/csv', 'application/json', 'application/octet-stream', '',
  'application/json2' ]
--- request eval
[ map { "POST /t\n{}$_" }
  "\r\n--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n5\r\n--b--\r\n",
  '&n=5', "\n1,2\n3,4", "\xff", "\xff", "\xff", "\xff" ]
--- error_code eval
[ 400, 400, 400, 200, 200, 200, 400 ]



=== TEST 5: charsets in which ASCII means something else
--- config
    location /t {
        modelguard_param $.n max=1;
        MODEL;
    }
--- more_headers eval
[ map { "Content-Type: application/json; $_" } 'charset=utf-7',
  'Charset="UTF-7"', 'charset*=utf-7', 'charset*0=utf-7', 'charset =utf-7',
  'charset', 'charset=utf-8; charset=utf-7', 'charset=utf-8x',
  'charset=unicode_escape', 'charset=UTF-8', 'charset="utf-8" ;x=y',
  "charset=utf8\nContent-Type: text/plain; charset=utf-7",
  'charset=ISO-8859-1,text/x', 'charset=us-ascii' ]
--- request eval
[ ("POST /t\n" . '{"x":"+ACI-,+ACI-n+ACI-:5,+ACI-y+ACI-:+ACI-"}') x 14 ]
--- error_code eval
[ (400) x 9, 200, 200, 400, 200, 200 ]



=== TEST 6: servers to which case is nothing: a pattern
--- config
    location /t {
        modelguard_param '$.options.~(?i)^(s|\xc5\xbf)eed$' forbid;
        modelguard_param '$[~"(?i)^n$"]' max=1;
        MODEL;
    }
--- request eval
[ map { "POST /t\n$_" } '{"options":{"SeeD":1}}',
  '{"options":{"\\u017feed":1}}', '{"N":2}', '{"N":1}' ]
--- error_code eval
[ 400, 400, 400, 200 ]



=== TEST 7: a length that was asked for before the body was changed
--- config
    location /t {
        set $early $content_length;
        if ($http_content_length = "3$request_body") {
            return 403;
        }
        modelguard_param $.seed drop;
        proxy_set_header X-Length $content_length,$http_content_length,$early;
        add_header X-Body $request_body;
        MODEL;
    }
--- request
POST /t
{"seed":1,"x":2}
--- response_headers
X-Body: {"x":2}
--- response_body chomp
7 7,7,16 {"x":2}



=== TEST 8: a fallback for who has spent his budget has parameters of its own
--- http_config
    modelguard_zone $host zone=z8:1m;
--- config
    location /t {
        modelguard_budget b zone=z8 limit=1 window=1h;
        error_page 429 = @small;
        MODEL;
    }
    location @small {
        modelguard_param $.n max=1;
        modelguard_param $.seed drop;
        MODEL;
    }
--- request eval
[ map { "POST /t\n$_" } '{"n":2}', '{"n":2}', '{"n":1,"seed":1}' ]
--- error_code eval
[ 200, 400, 200 ]
--- response_body_like eval
[ '^7 - \{"n":2\}$', 'integer_above_max_value', '^7 - \{"n":1\}$' ]



=== TEST 9: try_files leads to a location without parameters
--- config
    location /t {
        modelguard_param $.n max=1;
        modelguard_param $.seed drop;
        try_files /nothing @model;
    }
    location @model {
        MODEL;
    }
--- request eval
[ map { "POST /t\n$_" } '{"n":2}', '{"n":1,"seed":1}' ]
--- error_code eval
[ 400, 200 ]
--- response_body_like eval
[ 'integer_above_max_value', '^7 - \{"n":1\}$' ]



=== TEST 10: other ways of sending a body
--- config
    location /t {
        modelguard_param $.n max=1;
        MODEL;
    }
--- request eval
[ map { "$_ /t\n" . '{"n":2}' } qw( GET PUT PATCH DELETE OPTIONS POST ) ]
--- error_code eval
[ (400) x 6 ]



=== TEST 11: trailers and extensions of chunks
--- config
    location /t {
        modelguard_param $.n max=1;
        MODEL;
    }
--- raw_request eval
"POST /t HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
. "Transfer-Encoding: chunked\r\n\r\n"
. "4;x=y\r\n{\"n\"\r\n3;{\"n\":1}\r\n:2}\r\n0\r\nn: 1\r\n\r\n"
--- error_code: 400
--- response_headers
X-Verdict: FORBIDDEN



=== TEST 12: marks of order, UTF-16, and a second document
--- config
    location /t {
        modelguard_param $.n max=1;
        MODEL;
    }
--- request eval
[ map { "POST /t\n$_" } "\xef\xbb\xbf{}", "\xff\xfe{\0}\0", "{\0}\0",
  '{}{"n":2}', "{}\n{\"n\":2}", '{"n":1,}', "{'n':2}", '{n:2}', '/**/{"n":2}',
  '{"n":0x2}', '{"n":+2}', '{"n":-NaN}' ]
--- error_code eval
[ (400) x 12 ]
--- response_body_like eval
[ ('invalid_body') x 12 ]



=== TEST 13: a page of a spent budget is not refused for its parameters
--- http_config
    modelguard_zone $host zone=z13:1m;
--- config
    modelguard_param $.n max=1;
    location /t {
        modelguard_param off;
        modelguard_budget b zone=z13 limit=1 window=1h;
        error_page 429 /429.html;
        MODEL;
    }
    location = /429.html {
    }
--- user_files
>>> 429.html
spent
--- request eval
[ map { "POST /t\n$_" } '{"n":2}', '{"n":2}' ]
--- error_code eval
[ 200, 429 ]
--- response_body_like eval
[ '^7 - ', '^spent$' ]



=== TEST 14: a dry run that leads to where it is none
--- http_config
    modelguard_zone $host zone=z14:1m;
--- config
    modelguard_budget b zone=z14 limit=10 window=1h;
    modelguard_param $.seed drop;
    location /t {
        modelguard_dry_run on;
        error_page 404 = /model;
        try_files /none =404;
    }
    location /model {
        MODEL;
    }
--- request
POST /t
{"seed":1}
--- response_body chomp
2 - {}
