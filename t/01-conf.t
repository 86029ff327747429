# Copyright (C) the modelguard authors
#
# Every directive: what it accepts and what it refuses at "nginx -t", in which
# contexts it may stand, and what a level inherits.

use lib 't/lib';
use ModelguardTest;

my $answer = '{"scores": [0.123456, 0.765432], "logits": [1.25, 2.5]}';

backend(model => sub {
    my ($request) = @_;
    my $uri = $request->{uri};

    if ($uri =~ m{^/name/}) {
        my %n = $uri =~ /(\w)=(\d+)/g;

        return json_reply('{"' . join('', 'a' x ($n{a} || 0),
                                      "\xc3\xa4" x ($n{u} || 0),
                                      'b' x ($n{b} || 0)) . '": 0.1234}');
    }

    return json_reply('plain', 'Content-Type' => 'text/plain')
        if $uri eq '/text';

    return json_reply($answer);
});


# "nginx -t" of lines of http{}; "..." in the message is anything

sub conf_says {
    my ($http, $message, $title) = @_;
    my ($code, $output) = nginx_output("events {}\nhttp {\n$http\n}\n", '-t');

    # t/97-warnings.t is about these

    if (!defined $message) {
        $output =~ s/.*\[warn\].* nobody is ever refused\n//g;
        is($code, 0, $title);
        unlike($output, qr/\[(?:warn|error|crit|alert|emerg)\]/,
               "$title: nothing to say");
        return;
    }

    my $level = $message =~ s/^\[warn\] // ? 'warn' : 'emerg';
    my $pattern = join '.*', map { quotemeta } split /\.\.\./, $message, -1;

    is($code, $level eq 'warn' ? 0 : 1, $title);
    like($output, qr/\[$level\] .*$pattern/, "$title: says so");
}


my $profile = 'modelguard_profile p { scores round=2; logits drop; }';
my $zone = 'modelguard_zone $remote_addr zone=z:1m;';


# in one location, with a profile, a zone and a field to be had

sub location_says {
    my ($line, $message) = @_;

    conf_says("$profile\n$zone\nserver { listen 127.0.0.1:1; location /t {\n"
              . "$line\n} }", $message, $line);
}


# A directive's values, of which none may say anything, and the message of
# each that is refused.

sub values_of {
    my ($name, $good, $bad) = @_;

    location_says("$name $_;") for @$good;
    location_says("$name $bad->[$_ * 2];", $bad->[$_ * 2 + 1])
        for 0 .. @$bad / 2 - 1;
}


# the directives of one value

my %one = (
    modelguard_dry_run => [ [ qw( on off ) ],
        [ 'yes', 'invalid value "yes" in "modelguard_dry_run" directive, '
                 . 'it must be "on" or "off"' ] ],

    modelguard_log_level => [ [ qw( info notice warn error ) ],
        [ 'crit', 'invalid value "crit"', 'debug', 'invalid value "debug"' ] ],

    modelguard_on_error => [ [ qw( block pass ) ],
        [ 'off', 'invalid value "off"' ] ],

    modelguard_opaque => [ [ qw( reject pass ) ],
        [ 'block', 'invalid value "block"' ] ],

    modelguard_buffer_size => [ [ 0, 1, '256k', '1024m' ],
        [ '-1', 'invalid value', '1x', 'invalid value' ] ],

    modelguard_inflate_size => [ [ 0, 1, '256m', '4g', '9223372036854775807' ],
        [ '-1', 'directive invalid value', '1x', 'directive invalid value',
          '1t', 'directive invalid value',
          '9223372036854775808', 'directive invalid value' ] ],

    modelguard_vector_size => [ [ 1, 2, '256k', '64m', 67108863 ],
        [ 0, 'value must be between 1 and 64m',
          67108865, 'value must be between 1 and 64m',
          '65m', 'value must be between 1 and 64m',
          '1x', 'invalid value' ] ],

    modelguard_max_depth => [ [ 1, 2, 64, 511, 512 ],
        [ 0, 'value must be between 1 and 512',
          513, 'value must be between 1 and 512',
          'deep', 'invalid number' ] ],

    modelguard_binary_output => [ [ qw( json forbid off ) ],
        [ 'on', 'invalid value "on"' ] ],

    modelguard_body_size => [ [ 0, '1', '16m' ],
        [ '16mb', 'invalid value' ] ],
);

for my $name (sort keys %one) {
    my ($good, $bad) = @{ $one{$name} };

    values_of($name, $good, $bad);

    location_says("$name $good->[0]; $name $good->[1];",
                  "\"$name\" directive is duplicate");
    location_says("$name;", "invalid number of arguments in \"$name\"");
    location_says("$name $good->[0] $good->[1];",
                  "invalid number of arguments in \"$name\"");
}


# contexts

my %sample = (
    (map { $_ => "$_ $one{$_}[0][0];" } keys %one),
    modelguard_types => 'modelguard_types application/x-json;',
    modelguard_error_body => 'modelguard_error_body plain upstream;',
    modelguard_strip_headers => 'modelguard_strip_headers x-* !x-id;',
    modelguard_field => 'modelguard_field scores $.s;',
    modelguard_budget => 'modelguard_budget b zone=z limit=1 window=1s;',
    modelguard_cost => 'modelguard_cost requests 1;',
    modelguard_param => 'modelguard_param $.n max=1;',
    modelguard => 'modelguard off;',
);

for my $name (sort keys %sample) {
    my $line = $sample{$name};
    my $refusal = "\"$name\" directive is not allowed here";

    conf_says("$zone\n$line\nserver { listen 127.0.0.1:1; $line\n"
              . "location /t { $line } }", undef,
              "$name in http, server and location");
    location_says("if (\$arg_a) { $line }", $refusal);
    location_says("limit_except GET { $line }", $refusal);
    conf_says("server { listen 127.0.0.1:1; if (\$arg_a) { $line } }",
              $refusal, "$name in if of a server");
}

for my $line ($zone, $profile) {
    my ($name) = split ' ', $line;
    my $refusal = "\"$name\" directive is not allowed here";

    location_says($line, $refusal);
    conf_says("server { listen 127.0.0.1:1; $line }", $refusal,
              "$name in server");
}


# modelguard_error_body

values_of('modelguard_error_body',
    [ qw( openai problem anthropic google plain off ),
      map { "$_ upstream" } qw( openai problem anthropic google plain ) ],
    [ 'on', 'invalid value "on"',
      'openai problem', 'invalid parameter "problem"',
      'openai Upstream', 'invalid parameter "Upstream"',
      'off upstream', 'invalid parameter "upstream"',
      'upstream', 'invalid value "upstream"',
      'openai upstream upstream', 'invalid number of arguments',
      'openai; modelguard_error_body openai', 'directive is duplicate',
      '', 'invalid number of arguments' ]);


# modelguard_strip_headers

values_of('modelguard_strip_headers',
    [ 'off', 'x-*', '*', 'X-A !x-b Server-Timing', '!x-a', '!x-* x-y',
      'x-a; modelguard_strip_headers x-b', 'server date etag location',
      'retry-after vary cache-control www-authenticate',
      'content-* !content-type !connection', 'x_y x.z', 'x-a x-a',
      'x' x 200 ],
    [ '', 'invalid number of arguments',
      '""', 'invalid parameter ""',
      '!', 'invalid parameter "!"',
      '!*', 'invalid parameter "!*"',
      '**', 'invalid parameter "**"',
      '!!x', 'invalid parameter "!!x"',
      'x*y', 'invalid parameter "x*y"',
      '*-id', 'invalid parameter "*-id"',
      '"x y"', 'invalid parameter "x y"',
      'x:', 'invalid parameter "x:"',
      "x\xc3\xa4", 'invalid parameter',
      'off x', 'invalid parameter "off"',
      'x off', 'invalid parameter "off"',
      'off; modelguard_strip_headers x', 'directive is duplicate',
      'x; modelguard_strip_headers off', 'directive is duplicate',
      map { ($_, "the header \"\L$_\E\" cannot be stripped") }
          qw( content-type Content-Length content-encoding content-range
              transfer-encoding connection keep-alive upgrade trailer
              Inference-Header-Content-Length ) ]);


# modelguard_reject_status

values_of('modelguard_reject_status',
    [ 400, 401, 429, 598, 599, '400 599', '429 403', '599 400', '429 429' ],
    [ '', 'invalid number of arguments',
      399, 'value must be between 400 and 599',
      600, 'value must be between 400 and 599',
      'x', '"modelguard_reject_status" directive invalid number',
      -1, 'invalid number',
      '429 403 402', 'invalid number of arguments',
      '429 399', 'value must be between 400 and 599',
      '429 600', 'value must be between 400 and 599',
      '429 x', 'invalid number',
      '429; modelguard_reject_status 429', 'directive is duplicate' ]);


# modelguard_headers

values_of('modelguard_headers',
    [ qw( off retry ietf legacy openai ), 'ietf legacy', 'openai ietf legacy' ],
    [ '', 'invalid number of arguments',
      'on', 'invalid parameter "on"',
      'off ietf', 'invalid parameter "off"',
      'ietf off', 'invalid parameter "off"',
      'retry ietf', 'invalid parameter "retry"',
      'legacy retry', 'invalid parameter "retry"',
      'ietf ietf', 'duplicate parameter "ietf"',
      'openai legacy openai', 'duplicate parameter "openai"',
      'off; modelguard_headers ietf', 'directive is duplicate' ]);


# modelguard_delay

values_of('modelguard_delay',
    [ 'off', 'max=1ms', 'max=10m', 'max=600s', 'max=599999ms', 'max=1s queue=1',
      'queue=2 max=1s', 'max=1s queue=9999', 'max=1s queue=10000' ],
    [ '', 'invalid number of arguments',
      'max=1s queue=1 queue=1', 'invalid number of arguments',
      'on', 'invalid parameter "on"',
      'off max=1s', 'invalid parameter "off"',
      'queue=1', '"modelguard_delay" must have "max" parameter',
      'max=', 'invalid parameter "max="',
      'max=0', 'invalid parameter "max=0"',
      'max=-1', 'invalid parameter "max=-1"',
      'max=600001ms', 'invalid parameter "max=600001ms"',
      'max=1x', 'invalid parameter "max=1x"',
      'max=1s max=1s', 'invalid parameter "max=1s"',
      'max=1s queue=', 'invalid parameter "queue="',
      'max=1s queue=0', 'invalid parameter "queue=0"',
      'max=1s queue=10001', 'invalid parameter "queue=10001"',
      'max=1s; modelguard_delay off', 'directive is duplicate' ]);


# modelguard_ban

values_of('modelguard_ban',
    [ 'off', 'after=1 in=1s for=1s', 'after=2 in=2s for=2s',
      'for=366d after=255 in=1d', 'in=86399s after=254 for=31622399s' ],
    [ '', 'invalid number of arguments',
      'after=1 in=1s', 'invalid number of arguments',
      'after=1 in=1s for=1s x=1', 'invalid number of arguments',
      'on', 'invalid parameter "on"',
      'after=1', '"modelguard_ban" must have "in" parameter',
      'in=1s', '"modelguard_ban" must have "after" parameter',
      'after=1 in=1s off', 'invalid parameter "off"',
      'after=1 after=1 in=1s', 'invalid parameter "after=1"',
      'after=0 in=1s for=1s', 'invalid parameter "after=0"',
      'after=256 in=1s for=1s', 'invalid parameter "after=256"',
      'after=x in=1s for=1s', 'invalid parameter "after=x"',
      'after= in=1s for=1s', 'invalid parameter "after="',
      'after=1 in=0 for=1s', 'invalid parameter "in=0"',
      'after=1 in=86401s for=1s', 'invalid parameter "in=86401s"',
      'after=1 in= for=1s', 'invalid parameter "in="',
      'after=1 in=1s for=0', 'invalid parameter "for=0"',
      'after=1 in=1s for=367d', 'invalid parameter "for=367d"',
      'after=1 in=1s for=31622401s', 'invalid parameter "for=31622401s"',
      'after=1 in=1s for=', 'invalid parameter "for="',
      'off; modelguard_ban off', 'directive is duplicate' ]);


# modelguard_types

values_of('modelguard_types',
    [ 'application/json+x', 'application/vnd.x text/x-json' ],
    [ '*', 'invalid parameter "*"',
      'text/*', 'invalid parameter "text/*"',
      'a/b *', 'invalid parameter "*"',
      'json', 'invalid parameter "json"',
      'a/b a/b', '[warn] duplicate MIME type "a/b"',
      '', 'invalid number of arguments' ]);


# modelguard_field

values_of('modelguard_field',
    [ 'scores $.predictions[*]',
      'scores predictions[*].score label=predictions[*].label',
      'scores $.s[*] label=$.l[*] label=$.m[*] label=$.n[*] label=$.o[*]',
      'logits $.outputs[*].data shape=$.outputs[*].shape '
      . 'datatype=$.outputs[*].datatype',
      'metadata $ $.a \'$["b c"]\' $.*.c $.**.d',
      'label $.**.~^(prob|score)s?$', '"label" \'$[~"a.b"]\'',
      'metadata $.a=b', 'metadata $["x=y"]',
      'items $.rows', 'usage $.usage', 'logprobs $.l', 'embedding $.e',
      'scores $.s encoding=string', 'scores $.s $.t encoding=text',
      'embedding encoding=base64f32 $.e', 'logprobs $.l encoding=base64f32',
      'scores $.s shape=$.h datatype=$.t encoding=string',
      'scores $.s[*].p label=$.s[*].l encoding=string',
      'scores $.s $.t encoding=json inside=$.p',
      'scores inside=$[*].p encoding=json label=$[*].l $.s[*]',
      'metadata $.s encoding=json inside=$' ],
    [ 'score $.s', 'unknown role "score"',
      '"" $.s', 'unknown role ""',
      'scores', 'invalid number of arguments in "modelguard_field"',
      'scores $x', 'invalid path "$x": "." or "[" expected at 1',
      'scores $.a[', 'invalid path "$.a[": ... at ',
      'scores ""', 'invalid path "": empty path at 0',
      'scores $.s label=', 'invalid path "": empty path at 0',
      'scores $.s label=[', 'invalid path "[": ... at 0',
      'scores $.~(', 'invalid path "$.~(": missing closing parenthesis '
                      . 'in the pattern at 1',
      'scores "$.~(*UTF)a"', 'invalid path "$.~(*UTF)a": ... in the pattern',
      'scores $.s shape=$.a shape=$.b', 'duplicate parameter "shape=$.b"',
      'scores $.s datatype=$.a datatype=$.b',
      'duplicate parameter "datatype=$.b"',
      'scores $.s labels=$.l', 'invalid parameter "labels=$.l"',
      'scores $.s dtype=l', 'invalid parameter "dtype=l"',
      'scores $.s[*] label=$.a[*] label=$.b[*] label=$.c[*] label=$.d[*] '
      . 'label=$.e[*]', 'too many "label" parameters, the maximum is 4',
      'scores label=$.l', 'invalid field "scores": no path is given',
      'metadata $.s label=$.l', 'invalid field "metadata": only ...',
      'scores $.s $.t shape=$.u', 'invalid field "scores": ... exactly one',
      'scores $.s[*] label=$.l[*] shape=$.u',
      'invalid field "scores": "label" excludes',
      'scores $.s encoding=', 'unknown encoding in "encoding="',
      'scores $.s encoding=hex', 'unknown encoding in "encoding=hex", ...',
      'scores $.s encoding=JSON', 'unknown encoding in "encoding=JSON"',
      'scores $.s encoding=text encoding=string',
      'duplicate parameter "encoding=string"',
      'scores $.s encoding=json inside=$.a inside=$.b',
      'duplicate parameter "inside=$.b"',
      'scores $.s encoding=json inside=', 'invalid path "": empty path at 0',
      'scores $.s encoding=json inside=$x', 'invalid path "$x": ... at 1',
      'scores $.s encoding=json', 'invalid field "scores": "encoding=json" '
                                  . 'needs "inside"',
      'scores $.s inside=$.a', 'invalid field "scores": "inside" needs '
                               . '"encoding=json"',
      'scores $.s encoding=string inside=$.a',
      'invalid field "scores": "inside" needs "encoding=json"',
      'scores $.s[*] label=$.l[*] encoding=text',
      'invalid field "scores": "encoding=text" and "encoding=base64f32" '
      . 'exclude "label"',
      'logits $.s shape=$.l encoding=base64f32',
      'invalid field "logits": ... exclude "label", "shape"',
      'scores $.s datatype=$.l encoding=text',
      'invalid field "scores": ... exclude "label", "shape"',
      'scores $.s label=$.p.l encoding=json inside=$.p',
      'invalid field "scores": the value and its label share no array',
      'metadata $.s encoding=text',
      'invalid field "metadata": it takes no "encoding" but "json"',
      'label $.s encoding=base64f32', 'invalid field "label": it takes no ',
      'usage $.s encoding=string', 'invalid field "usage": it takes no ',
      'items $.s encoding=string',
      'invalid field "items": it takes no "encoding"' ]);


# modelguard_profile

sub profile_says {
    my ($lines, $message, $name) = @_;

    $name //= 'p';

    conf_says("modelguard_profile $name {\n$lines\n}", $message,
              "modelguard_profile $name { $lines }");
}

profile_says($_) for
    '', 'scores keep;', 'scores round=2 top=3 min=0.05 renormalize;',
    "scores label_only;\n logits drop;\n metadata null;\n logprobs round=3;\n"
    . "embedding step=0.05;\n usage keep;\n label drop;",
    'scores step=0.25 top=100 min=1e-3;', 'scores round=0;',
    'scores round=15;', 'scores round=9 renormalize;';

profile_says(@$_) for
    [ 'score round=2;', 'unknown role "score" in ...:' ],
    [ 'include x;', 'unknown role "include"' ],
    [ "scores keep;\nscores keep;", 'duplicate role "scores"' ],
    [ "logits top=1;\nlogits drop;", 'duplicate role "logits"' ],
    [ 'scores;', 'invalid treatment of role "scores": no treatment' ],
    [ 'scores rounded=2;', 'invalid treatment "rounded=2" of role "scores": '
                           . 'unknown treatment' ],
    [ 'scores round=16;', 'invalid treatment "round=16" of role "scores"' ],
    [ 'scores round=-1;', 'invalid treatment "round=-1" of role "scores"' ],
    [ 'scores top=0;', 'invalid treatment "top=0" of role "scores"' ],
    [ 'scores top=101;', 'invalid treatment "top=101" of role "scores"' ],
    [ 'scores step=0;', 'invalid treatment "step=0" of role "scores"' ],
    [ 'scores min=x;', 'invalid treatment "min=x" of role "scores"' ],
    [ 'scores drop=1;', 'invalid treatment "drop=1" of role "scores"' ],
    [ 'scores top=3 top=4;', 'invalid treatment "top=4" of role "scores"' ],
    [ 'scores drop round=2;', 'invalid treatment of role "scores": ' ],
    [ 'scores label_only top=1;', 'invalid treatment of role "scores": ' ],
    [ 'scores round=2 step=1;', 'invalid treatment of role "scores": ' ],
    [ 'scores renormalize;', 'invalid treatment of role "scores": ' ],
    [ 'scores round=10 renormalize;',
      'invalid treatment of role "scores": ' ],
    [ 'label round=1;', 'role "label" takes only "keep"' ],
    [ 'usage label_only;', 'role "usage" takes only "keep"' ],
    [ 'logprobs top=3;', 'role "logprobs" takes only "keep"' ],
    [ 'embedding renormalize round=2;', 'role "embedding" takes only "keep"' ],
    [ 'items keep;', 'role "items" is for counting requests' ],
    [ 'scores round=2; { }', 'unexpected "{"' ],
    [ 'scores keep;', 'invalid profile name "off"', 'off' ],
    [ 'scores keep;', 'invalid profile name "$p"', '$p' ],
    [ 'scores keep;', 'invalid profile name ""', '""' ];

conf_says("$profile\n$profile", 'duplicate modelguard profile "p"',
          'a profile twice');
conf_says('modelguard_profile p;', 'directive "modelguard_profile" has no '
          . 'opening "{"', 'a profile that is no block');
conf_says('modelguard_profile { }', 'invalid number of arguments',
          'a profile without name');


# modelguard

my $field = 'modelguard_field scores $.s;';

location_says("$field modelguard $_;") for 'p', '$arg_p', '${arg_p}', '"p"',
                                           'p$arg_p', 'off';
location_says('modelguard off;');

location_says("$field modelguard x;",
              'unknown modelguard profile "x" in ...nginx.conf:');
location_says("$field modelguard \"\";", 'unknown modelguard profile ""');
location_says("$field modelguard pp;", 'unknown modelguard profile "pp"');
location_says("$field modelguard \$no_such_variable;",
              'unknown "no_such_variable" variable');
location_says("$field modelguard p; modelguard p;",
              '"modelguard" directive is duplicate');
location_says("$field modelguard p; modelguard off;",
              '"modelguard" directive is duplicate');
location_says("modelguard off; modelguard p; $field",
              '"modelguard" directive is duplicate');
location_says('modelguard;', 'invalid number of arguments in "modelguard"');
location_says('modelguard p p;',
              'invalid number of arguments in "modelguard"');

location_says('modelguard p;', '[warn] no "modelguard_field" for the guarded '
              . 'location "/t", guarded in ...nginx.conf:');
location_says('modelguard_field label $.l; modelguard p;',
              '[warn] nothing to rewrite and no "modelguard_budget" for the '
              . 'guarded location "/t"');
location_says('modelguard_field items $.l; modelguard $arg_p;',
              '[warn] nothing to rewrite');
location_says('modelguard_field label $.l; modelguard p; '
              . 'modelguard_budget b zone=z limit=1 window=1s;');

conf_says("server { listen 127.0.0.1:1; $field modelguard \$arg_p; }",
          'no "modelguard_profile" is defined for the "modelguard" directive '
          . 'in ...nginx.conf:', 'a variable without any profile');
conf_says("$field modelguard p;\nserver { listen 127.0.0.1:1;\n"
          . "location /t { } }\n$profile", undef,
          'a profile that stands after its use');
conf_says("$profile\nmodelguard nobody;\nserver { listen 127.0.0.1:1; "
          . "modelguard off; }", 'unknown modelguard profile "nobody" in ...:',
          'an unknown profile that every server overrides');
conf_says("$profile\nserver { listen 127.0.0.1:1; modelguard p;\n"
          . "location /t { $field } }", undef,
          'no warning of a server whose locations have the fields');

my ($line) = (nginx_output("events {}\nhttp {\n\nmodelguard x;\n\n\n}\n",
                           '-t'))[1] =~ /nginx\.conf:(\d+)/;
my ($late) = (nginx_output("events {}\nhttp {\n\nmodelguard_budget b "
                           . "zone=y limit=1 window=1s;\n\n\n}\n",
                           '-t'))[1] =~ /nginx\.conf:(\d+)/;

# nginx_output() puts lines of its own before
is($line, $late, 'an unknown zone is told with its line as is a profile');
my @head = (nginx_output("events {}\nhttp {\n\nbad;\n}\n", '-t'))[1]
           =~ /nginx\.conf:(\d+)/;
is($line, $head[0], 'and it is the line of the directive');


# modelguard_zone, as far as it is not t/02-key.t's

conf_says($zone, undef, 'a zone');
conf_says('modelguard_zone $remote_addr;',
          '"modelguard_zone" must have "zone" parameter', 'no zone parameter');
conf_says('modelguard_zone;', 'invalid number of arguments', 'no key');
conf_says('modelguard_zone $remote_addr zone=z:28k;',
          'zone "z" is too small', 'a zone of seven pages');
conf_says('modelguard_zone $remote_addr zone=z:1m x=y;',
          'invalid parameter "x=y"', 'an unknown parameter of a zone');
conf_says('modelguard_zone $remote_addr zone=z;', 'invalid zone size',
          'a zone without size');
conf_says("$zone\n$zone", 'already bound', 'a zone twice');


# modelguard_param

location_says("modelguard_param $_;") for
    'logit_bias forbid', '$.n max=1', '$.n max=0.5', '$.a[*].b drop',
    q('$["a b"]' 'set={"a": [1, null]}'), 'n require', '$.**.x forbid',
    '$.~^log forbid', '$.o.u set=true when=$.stream', 'off',
    '$.n max=1; modelguard_param $.n require',
    '$.n max=1 when=$.a; modelguard_param $.n max=2 when=$.b',
    '$.n max=1; modelguard_param n[0] drop; modelguard_param n.a set=1';

location_says(@$_) for
    [ 'modelguard_param;', 'invalid number of arguments' ],
    [ 'modelguard_param n max=1 when=a b;', 'invalid number of arguments' ],
    [ 'modelguard_param n;',
      '"modelguard_param" must say what becomes of "n"' ],
    [ 'modelguard_param n[ drop;', 'invalid path "n["' ],
    [ 'modelguard_param $ drop;',
      'invalid parameter "drop" of "$": the root is no parameter' ],
    [ 'modelguard_param n x;', 'invalid parameter "x"' ],
    [ 'modelguard_param n forbidden;', 'invalid parameter "forbidden"' ],
    [ 'modelguard_param n drop=1;', 'invalid parameter "drop=1"' ],
    [ 'modelguard_param n max;', 'invalid parameter "max"' ],
    [ 'modelguard_param n max=;', 'the limit is not a decimal number' ],
    [ 'modelguard_param n max=-1;', 'the limit is not a decimal number' ],
    [ 'modelguard_param n max=1e3;', 'the limit is not a decimal number' ],
    [ 'modelguard_param n set=;', 'the value is not JSON' ],
    [ 'modelguard_param n set=yes;', 'the value is not JSON' ],
    [ q(modelguard_param n 'set={"a":1';), 'the value is not JSON' ],
    [ 'modelguard_param n max=1 stream;', 'invalid parameter "stream"' ],
    [ 'modelguard_param n max=1 when=;', 'invalid path ""' ],
    [ 'modelguard_param n max=1 when=a[;', 'invalid path "a["' ],
    [ 'modelguard_param off off;', 'invalid parameter "off"' ],
    [ 'modelguard_param off; modelguard_param off;',
      '"modelguard_param" directive is duplicate' ],
    [ 'modelguard_param off; modelguard_param n drop;',
      'stands beside "modelguard_param off"' ],
    [ 'modelguard_param n drop; modelguard_param off;',
      '"modelguard_param" directive is duplicate' ],
    [ 'modelguard_param n max=1; modelguard_param $.n max=2;',
      'conflicting modelguard param "$.n": it is given twice' ],
    [ 'modelguard_param n drop; modelguard_param n set=1 when=a;',
      'conflicting modelguard param "n": it is not changed in one way only' ],
    [ 'modelguard_param n set=1; modelguard_param n.a set=1;',
      'conflicting modelguard param "n.a": one is set in what another' ],
    [ 'modelguard_param "$.~(" forbid;', 'invalid path "$.~("' ];

for my $n (61 .. 63) {
    location_says(join(' ', map { "modelguard_param p$_ drop;" } 1 .. $n),
                  $n > 62 ? 'too many modelguard params, the maximum is 62'
                          : undef);
}


# modelguard_budget

my $budget = 'modelguard_budget b zone=z';

location_says("$budget $_;") for
    'limit=1 window=1s', 'limit=1000 window=1m unit=requests',
    'limit=2k window=1h unit=items burst=10', 'limit=2m window=366d burst=0',
    'limit=1000000m window=30d burst=1000000000k', 'limit=5K window=1M',
    'window=1y limit=1M', 'limit=10 "window=1h 30m" burst=1k',
    'limit=1 calendar=hour', 'limit=1 calendar=day offset=+14:00',
    'limit=1 calendar=week offset=-14:00', 'calendar=month limit=1',
    'limit=1 calendar=day offset=+00:00', 'limit=1 lifetime',
    'limit=$arg_l window=1s', 'limit=$arg_l burst=$arg_b window=1s',
    'limit=1$arg_l lifetime', 'limit=1 lifetime dry_run',
    'limit=1 lifetime charge=always', 'limit=1 lifetime charge=answered',
    'limit=1 unit=concurrent', 'limit=1 unit=concurrent lease=1s',
    'limit=$arg_l unit=concurrent lease=1h dry_run';

location_says("modelguard_field scores \$.s; $budget limit=1 window=1s "
              . "unit=$_;") for qw( tokens bytes bits );

location_says("$budget $_->[0];", $_->[1]) for
    [ 'limit=0 window=1s', 'invalid parameter "limit=0"' ],
    [ 'limit=0k window=1s', 'invalid parameter "limit=0k"' ],
    [ 'limit=k window=1s', 'invalid parameter "limit=k"' ],
    [ 'limit= window=1s', 'invalid parameter "limit="' ],
    [ 'limit=-1 window=1s', 'invalid parameter "limit=-1"' ],
    [ 'limit=1.5 window=1s', 'invalid parameter "limit=1.5"' ],
    [ 'limit=1g window=1s', 'invalid parameter "limit=1g"' ],
    [ 'limit=1000000000001 window=1s',
      'invalid parameter "limit=1000000000001"' ],
    [ 'limit=1000001m window=1s', 'invalid parameter "limit=1000001m"' ],
    [ 'limit=99999999999999999999 window=1s', 'invalid parameter "limit=9' ],
    [ 'limit=99999999999999k window=1s', 'invalid parameter "limit=9' ],
    [ 'limit=1 window=0', 'invalid parameter "window=0"' ],
    [ 'limit=1 window=500ms', 'invalid parameter "window=500ms"' ],
    [ 'limit=1 window=367d', 'invalid parameter "window=367d"' ],
    [ 'limit=1 window=31622401s', 'invalid parameter "window=31622401s"' ],
    [ 'limit=1 window=', 'invalid parameter "window="' ],
    [ 'limit=1 window=soon', 'invalid parameter "window=soon"' ],
    [ 'limit=1 window=1s unit=token', 'invalid parameter "unit=token"' ],
    [ 'limit=1 window=1s unit=item', 'invalid parameter "unit=item"' ],
    [ 'limit=1 window=1s burst=x', 'invalid parameter "burst=x"' ],
    [ 'limit=1 window=1s burst=1000001m',
      'invalid parameter "burst=1000001m"' ],
    [ 'limit=unlimited window=1s', 'invalid parameter "limit=unlimited"' ],
    [ 'limit=1 window=1s dry_run=', 'invalid parameter "dry_run="' ],
    [ 'limit=1 window=1s dry_runs', 'invalid parameter "dry_runs"' ],
    [ 'limit=1 window=1s bogus=1', 'invalid parameter "bogus=1"' ],
    [ 'limit=1 lifetime=1', 'invalid parameter "lifetime=1"' ],
    [ 'limit=1 window=1s dry_run dry_run', 'duplicate parameter "dry_run"' ],
    [ 'limit=1 calendar=day calendar=day',
      'duplicate parameter "calendar=day"' ],
    [ 'limit=$ window=1s', 'invalid variable name' ],
    [ 'limit=$modelguard_bogus window=1s',
      'unknown "modelguard_bogus" variable' ],
    [ 'limit=1 burst=$modelguard_bogus window=1s',
      'unknown "modelguard_bogus" variable' ],
    [ 'limit=1 window=$arg_w', 'invalid parameter "window=$arg_w"' ],
    [ 'limit=1 calendar=year', 'invalid parameter "calendar=year"' ],
    [ 'limit=1 calendar=', 'invalid parameter "calendar="' ],
    [ 'limit=1 calendar=day offset=1', 'invalid parameter "offset=1"' ],
    [ 'limit=1 calendar=day offset=01:00',
      'invalid parameter "offset=01:00"' ],
    [ 'limit=1 calendar=day offset=+1:000',
      'invalid parameter "offset=+1:000"' ],
    [ 'limit=1 calendar=day offset=+00:60',
      'invalid parameter "offset=+00:60"' ],
    [ 'limit=1 calendar=day offset=+14:01',
      'invalid parameter "offset=+14:01"' ],
    [ 'limit=1 calendar=day offset=-14:01',
      'invalid parameter "offset=-14:01"' ],
    [ 'limit=1 calendar=day offset=+xx:00',
      'invalid parameter "offset=+xx:00"' ],
    [ 'limit=1 window=1s charge=never', 'invalid parameter "charge=never"' ],
    [ 'limit=1 unit=concurrent lease=0', 'invalid parameter "lease=0"' ],
    [ 'limit=1 unit=concurrent lease=3601s',
      'invalid parameter "lease=3601s"' ],
    [ 'limit=1 unit=concurrent lease=1500ms',
      'invalid parameter "lease=1500ms"' ],
    [ 'limit=1 unit=concurrent window=1s',
      '"window" parameter cannot be used with "unit=concurrent"' ],
    [ 'limit=1 unit=concurrent calendar=day',
      '"calendar" parameter cannot be used with "unit=concurrent"' ],
    [ 'limit=1 unit=concurrent lifetime',
      '"lifetime" parameter cannot be used with "unit=concurrent"' ],
    [ 'limit=1 unit=concurrent burst=1',
      '"burst" parameter cannot be used with "unit=concurrent"' ],
    [ 'limit=1 unit=concurrent offset=+01:00',
      '"offset" parameter cannot be used with "unit=concurrent"' ],
    [ 'limit=1 unit=concurrent charge=always',
      '"charge" parameter cannot be used with "unit=concurrent"' ],
    [ 'limit=1 window=1s offset=+01:00',
      '"offset" parameter cannot be used without "calendar"' ],
    [ 'limit=1 lifetime offset=+01:00',
      '"offset" parameter cannot be used without "calendar"' ],
    [ 'limit=1 lifetime burst=1',
      '"burst" parameter cannot be used without "window"' ],
    [ 'limit=1 calendar=day burst=$arg_b',
      '"burst" parameter cannot be used without "window"' ],
    [ 'limit=1 window=1s lease=10s',
      '"lease" parameter cannot be used without "unit=concurrent"' ],
    map({ [ "limit=1 $_", '"modelguard_budget" must have only one of '
                          . '"window", "calendar" and "lifetime" parameters' ]
    } 'window=1s lifetime', 'calendar=day window=1s', 'lifetime calendar=day'),
    [ 'limit=1 limit=2 window=1s', 'duplicate parameter "limit=2"' ],
    [ 'limit=1 window=1s zone=z', 'duplicate parameter "zone=z"' ],
    [ 'limit=1', '"modelguard_budget" must have "window", "calendar" or '
                 . '"lifetime" parameter' ],
    [ 'window=1s', '"modelguard_budget" must have "limit" parameter' ];

location_says(@$_) for
    [ 'modelguard_budget b limit=1 window=1s;',
      '"modelguard_budget" must have "zone" parameter' ],
    [ 'modelguard_budget b zone= limit=1 window=1s;',
      'invalid parameter "zone="' ],
    [ 'modelguard_budget b zone=y limit=1 window=1s;',
      'unknown modelguard zone "y" in ...nginx.conf:' ],
    [ 'modelguard_budget zone=z limit=1 window=1s;',
      'invalid budget name "zone=z"' ],
    [ 'modelguard_budget "" zone=z limit=1 window=1s;',
      'invalid budget name ""' ],
    [ 'modelguard_budget b;',
      '"modelguard_budget" must have "zone" parameter' ],
    [ 'modelguard_budget;', 'invalid number of arguments' ],
    [ 'modelguard_budget off;' ],
    [ 'modelguard_budget off zone=z;', 'invalid parameter "zone=z"' ],
    [ 'modelguard_budget off; modelguard_budget off;',
      '"modelguard_budget" directive is duplicate' ],
    [ "$budget limit=1 window=1s; modelguard_budget off;",
      '"modelguard_budget" directive is duplicate' ],
    [ "modelguard_budget off; $budget limit=1 window=1s;",
      'stands beside "modelguard_budget off"' ],
    [ "$budget limit=1 window=1s; $budget limit=2 window=1m;",
      'duplicate modelguard budget "b"' ];

for my $n (7, 8, 9) {
    location_says(join(' ', map { "modelguard_budget b$_ zone=z limit=1 "
                                  . 'window=1s;' } 1 .. $n),
                  $n > 8 ? 'too many modelguard budgets, the maximum is 8'
                         : undef);
}

conf_says("server { listen 127.0.0.1:1; $budget limit=1 window=1s; }\n$zone",
          undef, 'a zone that stands after its use');

my $twice = "$zone\nserver { listen 127.0.0.1:1;\n"
            . "location /a { $budget limit=1 window=1s; }\n"
            . "location /b { $budget %s; }\n}";

conf_says(sprintf($twice, 'limit=1 window=1s'), undef,
          'one budget in two locations');
conf_says(sprintf($twice, $_), 'modelguard budget "b" in zone "z" conflicts',
          "one budget in two locations: $_") for
    'limit=2 window=1s', 'limit=1 window=2s', 'limit=1 window=1s burst=1',
    'limit=1 window=1s unit=items', 'limit=1 calendar=hour',
    'limit=$arg_l window=1s', 'limit=1 window=1s burst=$arg_b',
    'limit=1 window=1s dry_run', 'limit=1 window=1s charge=always';

for my $case (
    [ 'limit=$arg_l window=1s', 'limit=$arg_l window=1s', 1 ],
    [ 'limit=$arg_l window=1s', 'limit=$arg_k window=1s' ],
    [ 'limit=1 burst=$arg_l window=1s', 'limit=1 window=1s burst=$arg_l', 1 ],
    [ 'limit=1 burst=$arg_l window=1s', 'limit=1 window=1s burst=$arg_k' ],
    [ 'limit=1 calendar=day', 'limit=1 calendar=day offset=+00:00', 1 ],
    [ 'limit=1 calendar=day', 'limit=1 calendar=day offset=+00:01' ],
    [ 'limit=1 calendar=day', 'limit=1 calendar=week' ],
    [ 'limit=1 lifetime', 'limit=1 lifetime charge=answered', 1 ],
    [ 'limit=1 unit=concurrent', 'limit=1 unit=concurrent lease=60s', 1 ],
    [ 'limit=1 unit=concurrent', 'limit=1 unit=concurrent lease=61s' ])
{
    my ($one, $other, $same) = @$case;

    conf_says("$zone\nserver { listen 127.0.0.1:1;\n"
              . "location /a { $budget $one; }\n"
              . "location /b { $budget $other; }\n}",
              $same ? undef : 'modelguard budget "b" in zone "z" conflicts',
              "$one and $other");
}


# modelguard_cost

location_says(@$_) for
    [ "modelguard_cost requests 1; modelguard_cost items 0;\n"
      . "modelguard_cost tokens 1k; modelguard_cost bytes 1m;\n"
      . 'modelguard_cost bits $arg_b;' ],
    [ 'modelguard_cost requests 1000000m;' ],
    [ 'modelguard_cost off;' ],
    [ 'modelguard_cost requests;', 'invalid number of arguments' ],
    [ 'modelguard_cost requests 1 2;', 'invalid number of arguments' ],
    [ 'modelguard_cost off 1;', 'invalid number of arguments' ],
    [ 'modelguard_cost request 1;', 'invalid parameter "request"' ],
    [ 'modelguard_cost concurrent 1;', 'invalid parameter "concurrent"' ],
    [ 'modelguard_cost requests x;', 'invalid parameter "x"' ],
    [ 'modelguard_cost requests "";', 'invalid parameter ""' ],
    [ 'modelguard_cost requests -1;', 'invalid parameter "-1"' ],
    [ 'modelguard_cost requests unlimited;', 'invalid parameter "unlimited"' ],
    [ 'modelguard_cost requests 1000001m;', 'invalid parameter "1000001m"' ],
    [ 'modelguard_cost requests $modelguard_bogus;',
      'unknown "modelguard_bogus" variable' ],
    [ 'modelguard_cost requests 1; modelguard_cost requests 2;',
      'duplicate cost of "requests"' ],
    [ 'modelguard_cost off; modelguard_cost off;',
      '"modelguard_cost" directive is duplicate' ],
    [ 'modelguard_cost requests 1; modelguard_cost off;',
      '"modelguard_cost" directive is duplicate' ],
    [ 'modelguard_cost off; modelguard_cost requests 1;',
      '"modelguard_cost" directive is duplicate' ];


# what is in base64 is not ranked

for my $t ('label_only', 'top=1', 'min=0.5', 'round=2 top=3 renormalize') {
    conf_says("modelguard_profile p { scores $t; logits round=2; }\n"
              . "server { listen 127.0.0.1:1; location /t { modelguard p;\n"
              . "modelguard_field $_->[0]; } }", $_->[1], "$_->[0] under $t")
        for
        [ 'scores $.s encoding=base64f32',
          'fields cannot be compiled for profile "p": what is in base64 takes '
          . 'only "keep", "drop", "null", "round" and "step", for the' ],
        [ 'logits $.s encoding=base64f32' ], [ 'scores $.s encoding=text' ];
}

my $steps = join '.', map { "a$_" } 1 .. 10;

for my $n (5, 6, 7) {
    my $inside = join '.', map { "b$_" } 1 .. $n;

    conf_says("modelguard_profile p { scores round=2; }\n"
              . "server { listen 127.0.0.1:1; location /t { modelguard p;\n"
              . "modelguard_field scores \$.$steps encoding=json "
              . "inside=\$.$inside; } }",
              $n > 6 ? 'a path has too many steps together with that inside'
                     : undef, "10 and $n steps");
}


# fields that together are too much

my @roles = map { "modelguard_field metadata \$.a$_;" } 1 .. 128;

conf_says("modelguard_profile p { metadata drop; }\n"
          . "server { listen 127.0.0.1:1; location /t { modelguard p;\n"
          . join("\n", @roles, $_->[0]) . "} }", $_->[1],
          "a field more than the limit: $_->[0]") for
    [ '' ],
    [ 'modelguard_field metadata $.b;',
      'fields cannot be compiled for profile "p": too many fields, for the '
      . '"modelguard" directive in ...nginx.conf:' ],
    [ 'modelguard_field usage $.b;' ];

for my $n (255, 256, 257) {
    my $paths = join ' ', map { "\$.a$_" } 1 .. $n;

    location_says("modelguard_field items $paths; modelguard_budget b zone=z "
                  . 'limit=1 window=1s unit=items;',
                  $n > 256 ? 'fields of the role "items" cannot be compiled: '
                             . 'too many paths' : undef);
    location_says("modelguard_field items $paths;");
}


# many locations are no problem: what they share is compiled once

my $many = join "\n", map { "location /$_ { modelguard p; modelguard_budget b "
                            . 'zone=z limit=1 window=1s unit=items; }' }
                          1 .. 2000;

conf_says("$profile\n$zone\nserver { listen 127.0.0.1:1;\n"
          . "modelguard_field scores \$.**.~^s;\n$many\n}", undef,
          'two thousand locations');

# A guard of the server would refuse the text by which Test::Nginx sees that a
# reload is done, hence "modelguard_opaque pass" in such blocks.

run_tests();

__DATA__

=== TEST 1: a location inherits all of the guard
--- http_config
    modelguard_opaque pass;
    modelguard_profile p { scores round=2; logits drop; }
    modelguard_field scores $.scores;
    modelguard_field logits $.logits;
    modelguard p;
--- config
    location /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- response_body chomp
{"scores": [0.12, 0.77]}



=== TEST 2: one field in a location replaces those of the server
--- http_config
    modelguard_opaque pass;
    modelguard_profile p { scores round=2; logits drop; }
--- config
    modelguard_field scores $.scores;
    modelguard_field logits $.logits;
    modelguard p;

    location /t {
        modelguard_field scores $.scores;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- response_body chomp
{"scores": [0.12, 0.77], "logits": [1.25, 2.5]}



=== TEST 3: a location names another profile for the same fields
--- http_config
    modelguard_opaque pass;
    modelguard_profile p { scores round=2; logits drop; }
    modelguard_profile q { scores label_only; }
--- config
    modelguard_field scores $.scores;
    modelguard_field logits $.logits;
    modelguard p;

    location /t {
        modelguard q;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- response_body chomp
{"scores": [0, 1], "logits": [1.25, 2.5]}



=== TEST 4: off ends the guard, also for nested locations
--- http_config
    modelguard_opaque pass;
    modelguard_profile p { scores round=2; logits drop; }
--- config
    modelguard_field scores $.scores;
    modelguard p;

    location /t {
        modelguard off;

        location /t/in {
            proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
        }
    }
--- request
GET /t/in
--- response_body chomp
{"scores": [0.123456, 0.765432], "logits": [1.25, 2.5]}



=== TEST 5: a nested location takes the guard up again
--- http_config
    modelguard_profile p { scores round=2; logits drop; }
--- config
    modelguard_field scores $.scores;

    location /t {
        modelguard off;

        location /t/in {
            modelguard p;
            proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
        }
    }
--- request
GET /t/in
--- response_body chomp
{"scores": [0.12, 0.77], "logits": [1.25, 2.5]}



=== TEST 6: a variable chooses the profile
--- http_config
    modelguard_profile p { scores round=2; logits drop; }
    modelguard_profile q { scores label_only; }
--- config
    location /t {
        modelguard_field scores $.scores;
        modelguard_field logits $.logits;
        modelguard $arg_p;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
        add_header Profile $modelguard_profile;
    }
--- request eval
['GET /t?p=p', 'GET /t?p=q']
--- response_body eval
['{"scores": [0.12, 0.77]}', '{"scores": [0, 1], "logits": [1.25, 2.5]}']
--- response_headers eval
['Profile: p', 'Profile: q']



=== TEST 7: a variable that names no profile never passes
--- http_config
    modelguard_profile p { scores round=2; logits drop; }
--- config
    location /t {
        modelguard_field scores $.scores;
        modelguard $arg_p;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
['GET /t?p=off', 'GET /t?p=', 'GET /t', 'GET /t?p=pp', 'GET /t?p=P']
--- error_code eval
[500, 500, 500, 500, 500]
--- error_log eval
qr/\[error\] .*modelguard: unknown profile "(?:off|pp|P|)"/



=== TEST 8: the log has no more than the start of such a name
--- http_config
    modelguard_profile p { scores round=2; logits drop; }
--- config
    location /t {
        modelguard_field scores $.scores;
        modelguard $arg_p;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
[map { 'GET /t?p=' . 'x' x $_ } 63, 64, 65]
--- error_code eval
[500, 500, 500]
--- grep_error_log eval
qr/unknown profile "x+"/
--- grep_error_log_out eval
qr/^unknown profile "x{63,64}"\n$/



=== TEST 9: a profile that keeps what the fields name rewrites nothing
--- http_config
    modelguard_profile p { scores keep; }
--- config
    location /t {
        modelguard_field scores $.scores;
        modelguard p;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
        add_header Profile $modelguard_profile;
    }
--- response_body chomp
{"scores": [0.123456, 0.765432], "logits": [1.25, 2.5]}
--- response_headers
Profile: p



=== TEST 10: a pattern in a path
--- http_config
    modelguard_profile p { scores round=1; }
--- config
    location /t {
        modelguard_field scores "$.~^(score|logit)s?$";
        modelguard p;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- response_body chomp
{"scores": [0.1, 0.8], "logits": [1.2, 2.5]}



=== TEST 11: a location inherits the budgets
--- http_config
    modelguard_zone $remote_addr zone=z11:1m;
    modelguard_budget b zone=z11 limit=1 window=1h;
--- config
    location /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
['GET /t', 'GET /t']
--- error_code eval
[200, 429]



=== TEST 12: one budget in a location replaces those of the server
--- http_config
    modelguard_zone $remote_addr zone=z12:1m;
--- config
    modelguard_budget a zone=z12 limit=1 window=1h;

    location /t {
        modelguard_budget b zone=z12 limit=2 window=1h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
        add_header Budget $modelguard_budget always;
    }
--- request eval
['GET /t', 'GET /t', 'GET /t']
--- error_code eval
[200, 200, 429]
--- response_headers eval
['Budget: b', 'Budget: b', 'Budget: b']



=== TEST 13: off ends the budgets, also for nested locations
--- http_config
    modelguard_zone $remote_addr zone=z13:1m;
--- config
    modelguard_budget a zone=z13 limit=1 window=1h;

    location /t {
        modelguard_budget off;

        location /t/in {
            proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
        }
    }
--- request eval
['GET /t/in', 'GET /t/in', 'GET /t/in']
--- error_code eval
[200, 200, 200]



=== TEST 14: k and m are thousands and millions
--- http_config
    modelguard_zone $remote_addr zone=z14:1m;
--- config
    location /k {
        modelguard_budget k zone=z14 limit=2k window=1h;
        rewrite ^ / break;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
        add_header Remaining $modelguard_remaining;
    }

    location /m {
        modelguard_budget m zone=z14 limit=3m window=1h burst=1k;
        rewrite ^ / break;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
        add_header Remaining $modelguard_remaining;
    }
--- request eval
['GET /k', 'GET /m']
--- response_headers eval
['Remaining: 1999', 'Remaining: 3000999']



=== TEST 15: reject_status, error_body and log_level are inherited
--- http_config
    modelguard_zone $remote_addr zone=z15:1m;
    modelguard_reject_status 503;
--- config
    modelguard_budget b zone=z15 limit=1 window=1h unit=items;
    modelguard_error_body problem;
    modelguard_log_level notice;

    location /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request
POST /t
{"instances": [1, 2]}
--- error_code: 503
--- response_headers
Content-Type: application/problem+json
--- grep_error_log eval
qr/\[\w+\](?= \d+#\d+: \*\d+ modelguard: limiting requests)/
--- grep_error_log_out
[notice]
--- no_error_log
[error]
[alert]



=== TEST 16: and a location has its own
--- http_config
    modelguard_zone $remote_addr zone=z16:1m;
    modelguard_reject_status 503;
    modelguard_error_body problem;
    modelguard_log_level notice;
--- config
    location /t {
        modelguard_budget b zone=z16 limit=1 window=1h unit=items;
        modelguard_reject_status 403;
        modelguard_error_body openai;
        modelguard_log_level warn;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request
POST /t
{"instances": [1, 2]}
--- error_code: 403
--- response_headers
Content-Type: application/json
--- grep_error_log eval
qr/\[\w+\](?= \d+#\d+: \*\d+ modelguard: limiting requests)/
--- grep_error_log_out
[warn]



=== TEST 17: the defaults of these are 429, openai, error
--- http_config
    modelguard_zone $remote_addr zone=z17:1m;
--- config
    location /t {
        modelguard_budget b zone=z17 limit=1 window=1h unit=items;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request
POST /t
{"instances": [1, 2]}
--- error_code: 429
--- response_body_like: "error"
--- grep_error_log eval
qr/\[\w+\](?= \d+#\d+: \*\d+ modelguard: limiting requests)/
--- grep_error_log_out
[error]



=== TEST 18: dry_run is inherited
--- http_config
    modelguard_zone $remote_addr zone=z18:1m;
    modelguard_dry_run on;
--- config
    modelguard_budget b zone=z18 limit=1 window=1h;

    location /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
        add_header Verdict $modelguard_verdict;
    }

    location /off {
        modelguard_dry_run off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
['GET /t', 'GET /t', 'GET /off']
--- error_code eval
[200, 200, 429]
--- response_headers eval
['Verdict: PASSED', 'Verdict: LIMITED_DRY_RUN', 'Verdict: ']



=== TEST 19: max_depth is inherited
--- http_config
    modelguard_opaque pass;
    modelguard_profile p { scores round=2; }
    modelguard_max_depth 1;
--- config
    modelguard_field scores $.scores;
    modelguard p;

    location /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }

    location /two {
        modelguard_max_depth 2;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
['GET /t', 'GET /two']
--- error_code eval
[502, 200]



=== TEST 20: vector_size is inherited
--- http_config
    modelguard_opaque pass;
    modelguard_profile p { scores top=1; }
    modelguard_vector_size 8;
--- config
    modelguard_field scores $.scores;
    modelguard p;

    location /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }

    location /more {
        modelguard_vector_size 1k;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
['GET /t', 'GET /more']
--- error_code eval
[502, 200]



=== TEST 21: on_error is inherited
--- http_config
    modelguard_opaque pass;
    modelguard_profile p { scores round=2; }
    modelguard_on_error pass;
--- config
    modelguard_field scores $.scores;
    modelguard_max_depth 1;
    modelguard p;

    location /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }

    location /block {
        modelguard_on_error block;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
['GET /t', 'GET /block']
--- error_code eval
[200, 502]



=== TEST 22: opaque is inherited
--- http_config
    modelguard_profile p { scores round=2; }
    modelguard_opaque pass;
--- config
    modelguard_field scores $.scores;
    modelguard p;

    location /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/text;
    }

    location /reject {
        modelguard_opaque reject;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/text;
    }
--- request eval
['GET /t', 'GET /reject']
--- error_code eval
[200, 502]



=== TEST 23: types is inherited, application/json always being one
--- http_config
    modelguard_profile p { scores round=2; }
    modelguard_types text/plain;
--- config
    modelguard_field scores $.scores;
    modelguard p;

    location /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }

    location /text {
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }

    location /own {
        modelguard_types text/x-json;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/text;
    }
--- request eval
['GET /t', 'GET /text', 'GET /own']
--- error_code eval
[200, 502, 502]



=== TEST 24: buffer_size is inherited
--- http_config
    modelguard_opaque pass;
    modelguard_profile p { scores round=2; }
    modelguard_buffer_size 0;
--- config
    modelguard_field scores $.scores;
    modelguard p;

    location /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }

    location /more {
        modelguard_buffer_size 1k;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
['GET /t', 'GET /more']
--- response_headers eval
["Content-Length: \n", "Content-Length: 47"]



=== TEST 25: body_size is inherited, and the items fields replace the built-in
--- http_config
    modelguard_zone $remote_addr zone=z25:1m;
    modelguard_body_size 20;
--- config
    modelguard_budget b zone=z25 limit=100 window=1h unit=items;
    add_header Cost $modelguard_cost always;

    location /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }

    location /more {
        modelguard_body_size 21;
        modelguard_field items $.rows;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
['POST /t
{"instances":[1,2,3]}', 'POST /t
{"instances": [1,2]}', 'POST /more
{"instances":[1,2,3]}', 'POST /more
{"rows": [1,2,3,4,5]}']
--- error_code eval
[413, 200, 200, 200]
--- response_headers eval
['Cost: ', 'Cost: 2', 'Cost: 1', 'Cost: 5']



=== TEST 26: the guard of a server holds in "if" and limit_except too
--- http_config
    modelguard_opaque pass;
    modelguard_profile p { scores round=2; }
--- config
    modelguard_field scores $.scores;
    modelguard p;

    location /t {
        if ($arg_a) {
            proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
        }

        limit_except GET {
            proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
        }

        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
['GET /t', 'GET /t?a=1', 'DELETE /t']
--- response_body_like eval
['0\.77]', '0\.77]', '0\.77]']



=== TEST 27: a bad configuration stops nginx
--- config
    location /t {
        modelguard nobody;
    }
--- must_die
--- error_log
unknown modelguard profile "nobody" in



=== TEST 28: a pattern that needs too much decides nothing, and that blocks
--- http_config
    modelguard_profile p { scores round=1; }
--- config
    location /t {
        modelguard_field scores "$.~^(a+)+$";
        modelguard p;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/name/;
    }
--- request eval
['GET /t?a=8', 'GET /t?a=32&b=1']
--- response_body_like eval
['^{"a{8}": 0.1}$', '"error"']
--- error_code eval
[200, 502]



=== TEST 29: a pattern is matched with names of up to 255 bytes
--- http_config
    modelguard_profile p { scores round=1; }
--- config
    location /t {
        modelguard_field scores "$.~^a+$";
        modelguard p;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/name/;
    }
--- request eval
['GET /t?a=254', 'GET /t?a=255', 'GET /t?a=256', 'GET /t?a=100000']
--- response_body_like eval
['^{"a+": 0.1}$', '^{"a+": 0.1}$', '"error"', '"error"']
--- error_code eval
[200, 200, 502, 502]



=== TEST 30: a pattern without anchors, and bytes that are not ASCII
--- http_config
    modelguard_profile p { scores round=1; }
--- config
    location /t {
        modelguard_field scores "$.~(?i)A.{0,2}B$";
        modelguard p;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT/name/;
    }
--- request eval
['GET /t?a=2&b=1', 'GET /t?a=1&u=1&b=1', 'GET /t?a=1&u=1']
--- response_body_like eval
['^{"aab": 0.1}$', '^{"a.*b": 0.1}$', ': 0.1234}$']



=== TEST 31: two locations share what is compiled of their fields
--- http_config
    modelguard_profile p { scores round=2; }
    modelguard_profile q { scores round=1; }
    modelguard_field scores $.scores;
    modelguard_field logits $.logits;
--- config
    location /p {
        modelguard p;
        rewrite ^ / break;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }

    location /q {
        modelguard q;
        rewrite ^ / break;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }

    location /r {
        modelguard p;
        rewrite ^ / break;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }

    location /s {
        modelguard p;
        modelguard_field logits $.scores;
        modelguard_field scores $.logits;
        rewrite ^ / break;
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
    }
--- request eval
['GET /p', 'GET /q', 'GET /r', 'GET /s']
--- response_body eval
['{"scores": [0.12, 0.77], "logits": [1.25, 2.5]}',
 '{"scores": [0.1, 0.8], "logits": [1.25, 2.5]}',
 '{"scores": [0.12, 0.77], "logits": [1.25, 2.5]}',
 '{"scores": [0.123456, 0.765432], "logits": [1.25, 2.5]}']



=== TEST 32: the record of a request is found after an internal redirect
--- http_config
    modelguard_zone $remote_addr zone=z32:1m;
    modelguard_profile p { scores round=2; }
--- config
    modelguard_budget b zone=z32 limit=10 window=1h;
    modelguard_field scores $.scores;

    location /t {
        modelguard p;
        proxy_pass http://127.0.0.1:1;
        error_page 502 = /other;
    }

    location /other {
        proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
        add_header Profile $modelguard_profile;
        add_header Remaining $modelguard_remaining;
    }
--- response_body chomp
{"scores": [0.12, 0.77], "logits": [1.25, 2.5]}
--- response_headers
Profile: p
Remaining: 9
--- no_error_log
[alert]
[crit]
[emerg]
