# Copyright (C) the modelguard authors
#
# Numbers that are in strings: classification strings, texts, base64 of
# floats, and documents within documents.

use lib 't/lib';
use ModelguardTest;
use ModelguardWire;

use MIME::Base64 qw( encode_base64 );

our $Http = <<'CONF';
    modelguard_profile two { scores round=2; logits round=2; embedding round=2;
                             logprobs round=2; metadata drop; }
    modelguard_profile top { scores round=2 top=3; embedding round=2; }
    modelguard_profile one { scores label_only; embedding drop; }
    modelguard_profile step { scores step=0.25; embedding step=0.5; }
CONF

our $Location = <<'CONF';
    location /t { proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT; }
CONF

our $Tensor = <<'CONF';
    modelguard_field scores $.outputs[*].data shape=$.outputs[*].shape
                            datatype=$.outputs[*].datatype encoding=string;
CONF

our $Big = join ',', map { '\"k' . $_ . '\": [0.1234567, 0.8765433]' } 1 .. 3000;

our %Answers = (
    triton => read_corpus('responses/002-triton-v2-classification.json'),
    dicts => read_corpus('responses/008-kserve-v2-hf-textclass-probs.json'),
    seldon => read_corpus('responses/032-seldon-v2-hf-nested-json.json'),
    tensor => read_corpus('responses/034-mlserver-tempo-pipeline.json'),
    openai => read_corpus('responses/142-openai-embeddings-base64-batch-rec.json'),
    voyage => read_corpus('responses/210-voyage-embeddings-base64.json'),
    batch => '{"outputs":[{"data":["0.61:0:a","0.39:1:b","0.2:0:a","0.8:1:b"],'
             . '"shape":[2,2],"datatype":"BYTES"}]}',
    floats => '{"e":"AACAP5qZmT5t5/u9","f":[0.1234]}',
    slashes => '{"e":"\/\/9\/Pw=="}',
    odd => '{"e":"AACAPwA="}',
    json => '{"d":"{\"l\": \"caf\u00e9 \/\", \"s\": [0.1234, 0.8766], '
            . '\"t\": 1.5}"}',
    string => '{"d":"0.1234"}',
    escaped => '{"s":"0.12\u00334:cat"}',
    label => '{"s":"cat:0.1234"}',
    text => '{"s":"probability of 0.83123 is too low, 5 of 7"}',
    big => '{"d":"{' . $Big . '}"}',
    broken => '{"d":"{\"s\": [0.1234"}',
    deep => '{"d":"' . '[' x 64 . '0.1234' . ']' x 64 . '"}',
    deeper => '{"d":"' . '[' x 65 . '0.1234' . ']' x 65 . '"}',
);

backend(model => sub {
    my ($request) = @_;
    my ($name, $step) = $request->{uri} =~ m{/t/(\w+)(?:/(\d+))?};

    return json_reply($Answers{$name}) if !$step;

    return in_pieces(json_reply($Answers{$name}), $step);
});

# the floats of all strings of base64 in a body

sub floats {
    my ($body) = @_;

    return join ' ', map { sprintf '%.9g', $_ }
        map { unpack 'f<*', MIME::Base64::decode_base64($_) }
        $body =~ /"(?:embedding|e)":\s*"([^"]*)"/g;
}

our $Rounded = sub {
    my ($name, $format) = @_;

    return join ' ', map { sprintf '%.9g', unpack 'f', pack 'f', $_ }
        map { my $text = sprintf $format, $_; $text == 0 ? 0 : $text }
        split ' ', floats($Answers{$name});
};

add_response_body_check(sub {
    my ($block, $body) = @_;

    return if !defined $block->floats;

    is(floats($body), $block->floats, $block->name . ' - the floats');
    is(length $body, length $Answers{$1}, $block->name . ' - the length')
        if $block->request =~ m{/t/(\w+)};
});

run_tests();

__DATA__

=== TEST 1: Triton's classification strings are rounded
--- skip_eval: 4: !defined $::Answers{triton}
--- http_config eval: $::Http
--- config eval: "modelguard two; $::Tensor $::Location"
--- request
GET /t/triton
--- response_body_like: "data" : \[ "3\.3:1", "2\.4:3" \]



=== TEST 2: and have a top label
--- skip_eval: 4: !defined $::Answers{triton}
--- http_config eval: $::Http
--- config eval: "modelguard one; $::Tensor $::Location"
--- request
GET /t/triton
--- response_body_like: "data" : \[ "1:1", "0:3" \]



=== TEST 3: row by row, though the shape comes last
--- http_config eval: $::Http
--- config eval: "modelguard one; $::Tensor $::Location"
--- request
GET /t/batch
--- response_body chomp
{"outputs":[{"data":["1:0:a","0:1:b","0:0:a","1:1:b"],"shape":[2,2],"datatype":"BYTES"}]}



=== TEST 4: byte by byte it is the same
--- http_config eval: $::Http
--- config eval: "modelguard one; $::Tensor $::Location proxy_buffering off;"
--- request
GET /t/batch/1
--- response_body chomp
{"outputs":[{"data":["1:0:a","0:1:b","0:0:a","1:1:b"],"shape":[2,2],"datatype":"BYTES"}]}



=== TEST 5: KServe's dicts by the same field
--- skip_eval: 4: !defined $::Answers{triton}
--- http_config eval: $::Http
--- config eval: "modelguard two; $::Tensor $::Location"
--- request
GET /t/dicts
--- response_body_like: "\{0: 0, 1: 1\}",\s*"\{0: 1, 1: 0\}"



=== TEST 6: the dicts' labels
--- skip_eval: 4: !defined $::Answers{triton}
--- http_config eval: $::Http
--- config eval: "modelguard one; $::Tensor $::Location"
--- request
GET /t/dicts
--- response_body_like: "\{0: 0, 1: 1\}",\s*"\{0: 1, 1: 0\}"



=== TEST 7: JSON in a string by the same field
--- skip_eval: 4: !defined $::Answers{triton}
--- http_config eval: $::Http
--- config eval: "modelguard step; $::Tensor $::Location"
--- request
GET /t/seldon
--- response_body_like: "data":\["\{\\"label\\": \\"NEGATIVE\\", \\"score\\": 1\}"\]



=== TEST 8: numbers in the same field
--- skip_eval: 4: !defined $::Answers{triton}
--- http_config eval: $::Http
--- config eval: "modelguard top; $::Tensor $::Location"
--- request
GET /t/tensor
--- response_body_like: "data": \[0\.83, 0\.04, 0\.14\]



=== TEST 9: the ready file for KServe and Triton
--- skip_eval: 4: !defined $::Answers{triton}
--- http_config eval: $::Http
--- config eval
"modelguard two; include $::ENV{TEST_NGINX_TOP}/conf-examples/fields/kserve.conf;
$::Location"
--- request eval
[ "GET /t/triton", "GET /t/dicts", "GET /t/seldon", "GET /t/tensor" ]
--- response_body_like eval
[ qr/"3\.3:1"/, qr/\{0: 0, 1: 1\}/, qr/score\\": 1\}/, qr/\[0\.83, 0\.04, 0\.14\]/ ]



=== TEST 10: floats in base64, and numbers by the same field
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_field embedding \$.e \$.f encoding=base64f32;
$::Location"
--- request
GET /t/floats
--- response_body chomp
{"e":"AACAP5qZmT6PwvW9","f":[0.12]}



=== TEST 11: a step
--- http_config eval: $::Http
--- config eval
"modelguard step; modelguard_field embedding \$.e \$.f encoding=base64f32;
$::Location"
--- request
GET /t/floats
--- response_body chomp
{"e":"AACAPwAAAD8AAAAA","f":[0]}



=== TEST 12: drop
--- http_config eval: $::Http
--- config eval
"modelguard one; modelguard_field embedding \$.e encoding=base64f32;
$::Location"
--- request
GET /t/floats
--- response_body chomp
{"f":[0.1234]}



=== TEST 13: OpenAI's embeddings by the ready file: as many bytes and floats
--- skip_eval: 4: !defined $::Answers{triton}
--- http_config eval: $::Http
--- config eval
"modelguard two; include $::ENV{TEST_NGINX_TOP}/conf-examples/fields/openai.conf;
$::Location"
--- request
GET /t/openai
--- floats eval: $::Rounded->('openai', '%.2f')



=== TEST 14: Voyage's
--- skip_eval: 4: !defined $::Answers{triton}
--- http_config eval: $::Http
--- config eval
"modelguard two; include $::ENV{TEST_NGINX_TOP}/conf-examples/fields/openai.conf;
$::Location"
--- request
GET /t/voyage
--- floats eval: $::Rounded->('voyage', '%.2f')



=== TEST 15: slashes that are escaped
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_field embedding \$.e encoding=base64f32;
$::Location"
--- request
GET /t/slashes
--- response_body chomp
{"e":"AACAPw=="}



=== TEST 16: what is no row of floats is blocked
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_field embedding \$.e encoding=base64f32;
$::Location"
--- request
GET /t/odd
--- error_code: 502
--- response_body_unlike: AACA
--- error_log: a score in a string



=== TEST 17: a document in a string, its labels escaped as they came
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_field scores \$.d encoding=json inside=\$.s;
modelguard_field metadata \$.d encoding=json inside=\$.t; $::Location"
--- request
GET /t/json
--- response_body chomp
{"d":"{\"l\": \"caf\u00e9 \/\", \"s\": [0.12, 0.88]}"}



=== TEST 18: a score where a document should be is blocked
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_field scores \$.d encoding=json inside=\$.s;
$::Location"
--- request
GET /t/string
--- error_code: 502
--- response_body_unlike: 0\.12
--- error_log: a score in a string



=== TEST 19: a broken document is blocked
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_field scores \$.d encoding=json inside=\$.s;
$::Location"
--- request
GET /t/broken
--- error_code: 502
--- response_body_unlike: 0\.12
--- error_log: truncated JSON



=== TEST 20: depth in a document
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_field scores \$.d encoding=json inside=\$;
$::Location"
--- request eval
[ "GET /t/deep", "GET /t/deeper" ]
--- error_code eval
[ 200, 502 ]
--- response_body_like eval
[ qr/\[0\.12\]/, qr/response_blocked/ ]



=== TEST 21: a document of a hundred kilobytes, in pieces
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_field scores \$.d encoding=json inside=\$.*;
$::Location proxy_buffering off;"
--- request
GET /t/big/4999
--- response_body eval
my $want = $::Answers{big}; $want =~ s/0\.1234567/0.12/g;
$want =~ s/0\.8765433/0.88/g; $want



=== TEST 22: one that is more than may be held is blocked
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_field scores \$.d encoding=json inside=\$.*;
modelguard_vector_size 64k; $::Location"
--- request
GET /t/big
--- error_code: 502
--- response_body_unlike: 0\.12
--- error_log: over "modelguard_vector_size"



=== TEST 23: digits behind escapes are blocked
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_field scores \$.s encoding=string; $::Location"
--- request
GET /t/escaped
--- error_code: 502
--- response_body_unlike: 0\.12
--- error_log: a score in a string



=== TEST 24: a score behind its label is blocked
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_field scores \$.s encoding=string; $::Location"
--- request
GET /t/label
--- error_code: 502
--- response_body_unlike: 0\.12
--- error_log: a score in a string



=== TEST 25: and is a number in a text
--- http_config eval: $::Http
--- config eval
"modelguard two; modelguard_field scores \$.s encoding=text; $::Location"
--- request eval
[ "GET /t/label", "GET /t/text" ]
--- response_body eval
[ '{"s":"cat:0.12"}', '{"s":"probability of 0.83 is too low, 5 of 7"}' ]
