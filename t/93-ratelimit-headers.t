# Copyright (C) the modelguard authors
#
# modelguard_headers: what a response tells of its client's budgets, read back
# by a little parser of Structured Fields of our own.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;

use JSON::PP qw( decode_json );

# RFC 9651, as far as a List of Strings with parameters goes: a list of
# [ name, { key => value } ], or undef if it is none

sub parse_list {
    my ($text) = @_;
    my @list;

    for ($text) {
        /\G\x20*/gc;

        while (1) {
            my %parameters;

            /\G"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/gc
                or return undef;

            (my $name = $1) =~ s/\\(["\\])/$1/g;

            while (/\G;\x20*([a-z*][a-z0-9_.*-]*)/gc) {
                my $key = $1;

                if (!/\G=/gc) {
                    $parameters{$key} = 1;

                } elsif (/\G(-?[0-9]{1,15})(?![0-9.])/gc) {
                    $parameters{$key} = $1;

                } elsif (/\G"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/gc)
                {
                    ($parameters{$key} = $1) =~ s/\\(["\\])/$1/g;

                } else {
                    return undef;
                }
            }

            push @list, [ $name, \%parameters ];

            /\G[\x20\t]*/gc;
            return \@list if pos == length;
            /\G,[\x20\t]*/gc or return undef;
        }
    }
}

ok(!defined parse_list($_), "not a list: $_")
    for '', 'a;q=1', '"a', '"a";q=1,', '"a" "b"', '"a";q=1234567890123456',
        '"\\a"', "\"\xc3\xa4\"";
is_deeply(parse_list('"a \\"b\\\\";q=1;w=60, "c";u="x"'),
          [ [ 'a "b\\', { q => 1, w => 60 } ], [ 'c', { u => 'x' } ] ],
          'a list');

backend(model => sub {
    my ($request) = @_;

    return json_reply($request->{uri} =~ /broken/
                      ? '{"s": [0.12' : '{"usage": {"total_tokens": 7}}',
                      status => $request->{uri} =~ /busy/
                                ? '503 Busy' : '200 OK',
                      'Retry-After' => '77', 'RateLimit' => '"up";r=9',
                      'RateLimit-Policy' => '"up";q=9',
                      'RateLimit-Limit' => '9', 'X-RateLimit-Limit' => '9',
                      'x-ratelimit-reset-tokens' => '9s');
});

my $proxy = "proxy_pass http://127.0.0.1:$ENV{TEST_NGINX_MODEL_PORT};";
my $h2 = ModelguardServer::free_port();

my $server = ModelguardServer->start(<<"CONF");
    modelguard_zone \$arg_k zone=none:128k;
    modelguard_zone \$arg_k zone=retry:128k;
    modelguard_zone \$arg_k zone=ietf:128k;
    modelguard_zone \$arg_k zone=legacy:128k;
    modelguard_zone \$arg_k zone=spent:128k;
    modelguard_zone \$arg_k zone=burst:128k;
    modelguard_zone \$arg_k zone=openai:128k;
    modelguard_zone \$arg_k zone=items:128k;
    modelguard_zone \$arg_k zone=all:128k;
    modelguard_zone \$arg_k zone=page:128k;
    modelguard_zone \$arg_k zone=other:128k;
    modelguard_zone \$arg_k zone=sorry:128k;
    modelguard_zone \$arg_k zone=dry:128k;
    modelguard_zone \$arg_k zone=dear:128k;
    modelguard_zone \$arg_k zone=fast:128k;
    modelguard_zone \$arg_k zone=broken:128k;
    modelguard_zone \$arg_g zone=two:256k;
    modelguard_log_level info;
    modelguard_profile p { scores round=2; }
    server {
        listen PORT;
        listen 127.0.0.1:$h2 http2;
        location /none { $proxy }
        location /off {
            modelguard_headers off;
            modelguard_budget none zone=none limit=1 window=10s;
            $proxy
        }
        location /retry {
            modelguard_budget retry zone=retry limit=2 window=10s;
            $proxy
        }
        location /ietf {
            modelguard_headers ietf;
            modelguard_budget "a \\"b\\" \\\\" zone=ietf limit=2 window=1m;
            modelguard_budget month zone=two limit=50k window=30d unit=items;
            modelguard_budget ever zone=two limit=1000 lifetime unit=bits;
            modelguard_budget hour zone=ietf limit=1m calendar=hour unit=bytes;
            modelguard_budget open zone=ietf limit=5 unit=concurrent;
            modelguard_budget secret zone=ietf limit=1 window=1h dry_run;
            $proxy
        }
        location /legacy {
            modelguard_headers legacy;
            modelguard_budget loose zone=legacy limit=100 window=1h;
            modelguard_budget tight zone=legacy limit=3 burst=1 window=10s;
            $proxy
        }
        location /burst {
            modelguard_headers legacy;
            modelguard_budget burst zone=burst limit=3 burst=5 window=1m;
            $proxy
        }
        location /spent {
            modelguard_headers legacy ietf openai;
            modelguard_budget life zone=spent limit=1 lifetime;
            $proxy
        }
        location /openai {
            modelguard_headers openai;
            modelguard_budget rpm zone=openai limit=2 window=1m;
            modelguard_budget tpm zone=openai limit=1000 window=1m unit=tokens;
            modelguard_cost tokens 100;
            $proxy
        }
        location /items {
            modelguard_headers openai;
            modelguard_budget rows zone=items limit=200 window=1d unit=items;
            $proxy
        }
        location /all {
            modelguard_headers ietf legacy openai;
            modelguard p;
            modelguard_field scores \$.s;
            modelguard_budget day zone=all limit=1 window=1d;
            $proxy
        }
        location /page {
            modelguard_headers ietf;
            modelguard_budget page zone=page limit=1 window=10s;
            error_page 429 /sorry;
            $proxy
        }
        location /other {
            modelguard_headers legacy;
            modelguard_budget other zone=other limit=1 window=10s;
            error_page 429 =200 \@model;
            $proxy
        }
        location \@model { $proxy }
        location /sorry { $proxy }
        location /native {
            modelguard_headers legacy;
            modelguard_error_body off;
            modelguard_budget native zone=sorry limit=1 window=10s;
            $proxy
        }
        location /dry {
            modelguard_headers ietf legacy openai;
            modelguard_dry_run on;
            modelguard_budget dry zone=dry limit=1 window=10s;
            $proxy
        }
        location /dear {
            modelguard_headers ietf openai;
            modelguard_budget dear zone=dear limit=5 window=1m;
            modelguard_cost requests 6;
            $proxy
        }
        location /fast {
            modelguard_headers ietf legacy openai;
            modelguard_budget fast zone=fast limit=3 window=1s;
            $proxy
        }
        location /broken {
            modelguard_headers ietf;
            modelguard p;
            modelguard_field scores \$.s;
            modelguard_budget broken zone=broken limit=9 window=1m;
            $proxy
        }
    }
CONF

# the status, the fields in lower case, each once or a list, and the body

sub ask {
    my ($uri, @more) = @_;

    return answer($server->get($uri, @more));
}

sub answer {
    my ($head, $body) = split /\r\n\r\n/, $_[0], 2;
    my ($status) = $head =~ m{\AHTTP/\S+ (\d+)};
    my %fields;

    push @{$fields{lc $1}}, $2 while $head =~ /^([^:\s]+): *(.*?)\r?$/mg;

    return ($status, \%fields, $body);
}

# the sorted fields that are about limits, each as "name: value"

sub limits {
    my ($fields) = @_;

    return join "\n", map { my $name = $_; map { "$name: $_" }
                                           @{$fields->{$name}} }
                      grep { /ratelimit|retry/ } sort keys %$fields;
}

my $theirs = "ratelimit: \"up\";r=9\nratelimit-limit: 9\n"
             . "ratelimit-policy: \"up\";q=9\nretry-after: 77\n"
             . "x-ratelimit-limit: 9\nx-ratelimit-reset-tokens: 9s";

my ($status, $fields, $body) = ask('/none');

is(limits($fields), $theirs, 'no budget: those of the model server');

# off

($status, $fields) = ask('/off?k=off');
is(limits($fields), $theirs, 'off: those of the model server');
($status, $fields) = ask('/off?k=off');
is("$status " . limits($fields), '429 ', 'off: none on a refusal');

# retry

($status, $fields) = ask('/retry/busy?k=r');
is($status, 503, 'retry: the model server is busy');
is(limits($fields), $theirs, 'retry: and says so');
ask('/retry?k=r') for 1 .. 2;
($status, $fields) = ask('/retry?k=r');
is($status, 429, 'retry: refused');
like(limits($fields), qr/\Aretry-after: (?:10|15)\z/,
     'retry: only Retry-After, of ours');

# ietf

($status, $fields) = ask('/ietf?k=i&g=i');
is($status, 200, 'ietf: passes');
is_deeply(parse_list($fields->{'ratelimit-policy'}[0]), [
    [ 'a "b" \\', { q => 2, w => 60 } ],
    [ 'month', { q => 50000, w => 2592000, 'modelguard-unit' => 'items' } ],
    [ 'ever', { q => 1000, 'modelguard-unit' => 'bits' } ],
    [ 'hour', { q => 1000000, w => 3600, qu => 'content-bytes' } ],
    [ 'open', { q => 5, qu => 'concurrent-requests' } ],
], 'ietf: the policies');

my $list = parse_list($fields->{ratelimit}[0]);

is(join(' ', map { $_->[0] } @$list), 'a "b" \\ month ever hour open',
   'ietf: of the same budgets, the dry-run one left out');
is($list->[0][1]{r}, 1, 'ietf: one is left');
is($list->[0][1]{t}, 120, 'ietf: both buckets are empty in two minutes');
is($list->[1][1]{r}, 49999, 'ietf: of the other zone');
is($list->[1][1]{t}, 5184000, 'ietf: in 60 days');
ok(!exists $list->[2][1]{t}, 'ietf: a lifetime has no end');
is($list->[4][1]{r}, 4, 'ietf: this one is open');
is(scalar(@{$fields->{$_} || []}), 1, "ietf: one $_")
    for qw( ratelimit ratelimit-policy retry-after );
ok(!exists $fields->{$_}, "ietf: no $_")
    for qw( ratelimit-limit x-ratelimit-limit x-ratelimit-reset-tokens );
is($fields->{'retry-after'}[0], 77,
   'ietf: Retry-After of an answer is the model server\'s');

($status, $fields) = ask('/ietf?k=i&g=i');
$list = parse_list($fields->{ratelimit}[0]);
is("$status $list->[0][1]{r}", '200 0', 'ietf: the last one');
cmp_ok($list->[0][1]{t}, '>', 0, 'ietf: and it takes some time');

($status, $fields, $body) = ask('/ietf?k=i&g=i');
is($status, 429, 'ietf: refused');
$list = parse_list($fields->{ratelimit}[0]);
is($list->[0][1]{r}, 0, 'ietf: nothing is left');
is($list->[0][1]{t}, $fields->{'retry-after'}[0],
   'ietf: Retry-After is not before the end of the window');
is($list->[1][1]{r}, 49998, 'ietf: the other zone was not charged');
is(scalar @{parse_list($fields->{'ratelimit-policy'}[0])}, 5,
   'ietf: the policies on a refusal');

# a name that is no String, and one that is

for my $name ("\xc3\xa4", "a\tb", "a\x7f") {
    my ($code, $output) = nginx_output("events {}\nhttp {\n"
        . "modelguard_zone \$arg_k zone=z:64k;\nserver {\nlocation / {\n"
        . "modelguard_headers ietf;\n"
        . "modelguard_budget \"$name\" zone=z limit=1 window=1s; } } }", '-t');

    like($output, qr/\[emerg\].* cannot be sent by "modelguard_headers ietf" /,
         'a name that is no String');
    is($code, 1, 'is refused');
}

{
    my ($code, $output) = nginx_output("events {}\nhttp {\n"
        . "modelguard_zone \$arg_k zone=z:64k;\nserver {\nlocation / {\n"
        . "modelguard_headers legacy openai;\n"
        . "modelguard_budget \xc3\xa4 zone=z limit=1 window=1s; } } }", '-t');

    is($code, 0, 'where it is not sent any name is good');
}

# legacy: that which is nearest to its limit; the burst is not told

my @legacy = ([ 200, 99 ], [ 200, 2 ], [ 200, 1 ], [ 200, 0 ], [ 429, 0 ]);

for my $k (0 .. $#legacy) {
    ($status, $fields) = ask('/legacy?k=l');
    is("$status @{$fields->{'x-ratelimit-remaining'}}", "@{$legacy[$k]}",
       "legacy: request $k");
    is("@{$fields->{'x-ratelimit-limit'}}", $k ? 3 : 100,
       "legacy: the limit");
    cmp_ok($fields->{'x-ratelimit-reset'}[0], '>', 0, 'legacy: a reset');
}

is($fields->{'x-ratelimit-reset'}[0], $fields->{'retry-after'}[0],
   'legacy: a refusal says one thing only');

for my $expected (3, 3, 3, 3, 3, 2, 1, 0) {
    ($status, $fields) = ask('/burst?k=l');
    is("$status @{$fields->{'x-ratelimit-remaining'}}", "200 $expected",
       'burst: it is not told, but it is there');
}

# a lifetime that is spent: waiting never helps

for my $k (200, 429) {
    ($status, $fields, $body) = ask('/spent?k=s');
    is("$status @{$fields->{'x-ratelimit-remaining'}}", "$k 0",
       'lifetime: nothing remains');
    ok(!exists $fields->{$_}, "lifetime: no $_")
        for qw( x-ratelimit-reset x-ratelimit-reset-requests );
    is($fields->{ratelimit}[0], '"life";r=0', 'lifetime: no t');
    is($fields->{'ratelimit-policy'}[0], '"life";q=1', 'lifetime: no w');
}

ok(!exists $fields->{'retry-after'}, 'lifetime: no Retry-After');
is("@{$fields->{'x-should-retry'}}", 'false', 'lifetime: not to be retried');
like(decode_json($body)->{error}{message}, qr/will not be renewed/,
     'lifetime: and the body says so');

# openai

sub duration {
    my ($text) = @_;

    return $1 / 1000 if $text =~ /\A(\d+)ms\z/;
    $text =~ /\A(?:(?:(\d+)h)?(\d+)m)?(\d+(?:\.\d*[1-9])?)s\z/ or return -1;

    return ($1 // 0) * 3600 + ($2 // 0) * 60 + $3;
}

($status, $fields) = ask('/openai?k=o');
is(join(' ', map { "@{$fields->{\"x-ratelimit-$_\"} || ['-']}" }
             qw( limit-requests remaining-requests limit-tokens
                 remaining-tokens )), '2 1 1000 900',
   'openai: limits and what remains');
is("@{$fields->{\"x-ratelimit-reset-$_\"}}", '2m0s', "openai: reset of $_")
    for qw( requests tokens );
ok(!exists $fields->{'x-should-retry'}, 'openai: no x-should-retry');
ask('/openai?k=o');
($status, $fields) = ask('/openai?k=o');
is("$status @{$fields->{'x-ratelimit-remaining-requests'}}", '429 0',
   'openai: refused');
cmp_ok(abs(duration($fields->{'x-ratelimit-reset-requests'}[0])
           - $fields->{'retry-after'}[0]), '<', 1,
       'openai: reset and Retry-After are the same');
ok(!exists $fields->{'x-should-retry'}, 'openai: a rate may be retried');

($status, $fields) = ask('/items?k=o');
is("@{$fields->{'x-ratelimit-limit-requests'}} "
   . "@{$fields->{'x-ratelimit-remaining-requests'}} "
   . "@{$fields->{'x-ratelimit-reset-requests'}}", '200 199 48h0m0s',
   'openai: items where there are no requests');
ok(!exists $fields->{'x-ratelimit-limit-tokens'}, 'openai: no tokens');

# a guarded location, a quota

($status, $fields) = ask('/all?k=a');
is($status, 200, 'all: passes');
($status, $fields) = ask('/all?k=a');
is("$status @{$fields->{'x-should-retry'}}", '429 false',
   'all: a quota is not to be retried');
is(scalar(@{$fields->{$_}}), 1, "all: one $_")
    for qw( ratelimit ratelimit-policy x-ratelimit-limit x-ratelimit-reset
            x-ratelimit-remaining x-ratelimit-limit-requests
            x-ratelimit-reset-requests retry-after );

# error pages, ours and nginx's

ask('/page?k=p');
($status, $fields) = ask('/page?k=p');
is($status, 429, 'error_page: the status');
like(limits($fields), qr/\Aratelimit:[ ]"page";r=0;t=(\d+)\n
                         ratelimit-policy:[ ]"page";q=1;w=10\n
                         retry-after:[ ]\1\z/x,
     'error_page: from the model server, with our fields only');

ask('/other?k=p');
($status, $fields) = ask('/other?k=p');
is($status, 200, 'another model for who was refused');
like(limits($fields), qr/\Ax-ratelimit-limit:[ ]1\nx-ratelimit-remaining:[ ]0\n
                         x-ratelimit-reset:[ ]\d+\z/x,
     'with the budget, and nothing to wait for');

ask('/native?k=p');
($status, $fields) = ask('/native?k=p');
like("$status " . limits($fields),
     qr/\A429[ ]retry-after:[ ](\d+)\nx-ratelimit-limit:[ ]1\n
        x-ratelimit-remaining:[ ]0\nx-ratelimit-reset:[ ]\1\z/x,
     'on a page of nginx');

# a dry run tells nobody

ask('/dry?k=d');
($status, $fields) = ask('/dry?k=d');
is("$status " . limits($fields), "200 $theirs", 'a dry run is silent');

# what costs more than the limit

($status, $fields) = ask('/dear?k=d');
is("$status " . limits($fields),
   qq{429 ratelimit: "dear";r=5\nratelimit-policy: "dear";q=5;w=60\n}
   . "x-ratelimit-limit-requests: 5\nx-ratelimit-remaining-requests: 5\n"
   . "x-ratelimit-reset-requests: 0s\nx-should-retry: false",
   'waiting does not help who costs too much');

# a withheld answer keeps the fields

($status, $fields) = ask('/broken?k=b');
is($status, 502, 'a withheld answer');
is(limits($fields) =~ s/;t=\d+//r, "ratelimit: \"broken\";r=8\n"
   . "ratelimit-policy: \"broken\";q=9;w=60", 'tells of the budget');

# never 0 seconds when nothing is left

my ($zeros, $wrong, $unlike) = (0, 0, 0);

for my $k (1 .. 150) {
    ($status, $fields) = ask('/fast?k=f');

    my ($r, $t) = $fields->{ratelimit}[0] =~ /;r=(\d+)(?:;t=(\d+))?/;
    my $reset = $fields->{'x-ratelimit-reset'}[0];
    my $go = duration($fields->{'x-ratelimit-reset-requests'}[0]);

    $unlike += ($r != $fields->{'x-ratelimit-remaining'}[0]);
    next if $r != 0;
    $zeros++;
    $wrong++ if !$t || !$reset || $go <= 0;
    $wrong++ if $status == 429 && ($fields->{'retry-after'}[0] // 0) < 1;
    select undef, undef, undef, 0.017;
}

cmp_ok($zeros, '>', 50, "fast: nothing was left $zeros times");
is($wrong, 0, 'fast: and always some time until there is');
is($unlike, 0, 'fast: and all fields say the same');

# HTTP/2

sub h2 {
    my ($uri) = @_;

    open my $in, '-|', 'curl', '-s', '--http2-prior-knowledge', '-i',
         "http://127.0.0.1:$h2$uri" or die "cannot run curl: $!";

    return answer(do { local $/; <$in> });
}

for my $expected ([ 200, 1 ], [ 200, 0 ], [ 429, 0 ]) {
    ($status, $fields) = h2('/ietf?k=h2&g=h2');
    $list = parse_list($fields->{ratelimit}[0]);
    is("$status $list->[0][1]{r}", "@$expected", 'HTTP/2');
}

is($list->[0][1]{t}, $fields->{'retry-after'}[0], 'HTTP/2: Retry-After');

is(scalar(() = $server->log =~ /\[(alert|crit|emerg)\]/g), 0, 'no alert');

$server->stop;

run_tests();

__DATA__

=== TEST 1: words that do not go together
--- config
    location /t {
        modelguard_headers ietf legacy openai;
        return 204;
    }
--- error_code: 204
