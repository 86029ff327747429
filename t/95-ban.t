# Copyright (C) the modelguard authors
#
# modelguard_ban: who is refused again and again, for how long, in which zone,
# and what the answers and the log say.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;

use JSON::PP qw( decode_json );
use Time::HiRes qw( sleep );

backend(model => sub { return json_reply('{}') });

my $proxy = "proxy_pass http://127.0.0.1:$ENV{TEST_NGINX_MODEL_PORT};";

sub conf {
    return <<"CONF";
    modelguard_zone \$arg_k zone=one:128k;
    modelguard_zone \$arg_g zone=two:128k;
    modelguard_log_level warn;
    add_header X-Verdict \$modelguard_verdict always;
    add_header X-Banned \$modelguard_count_banned always;
    server {
        listen PORT;
        modelguard_headers openai;
        modelguard_ban after=3 in=1m for=1h;
        location /one {
            modelguard_budget a zone=one limit=1 window=10s;
            $proxy
        }
        location /free {
            modelguard_budget b zone=one limit=1m window=1d;
            modelguard_cost requests 0;
            $proxy
        }
        location /two {
            modelguard_budget c zone=two limit=100 window=10s;
            $proxy
        }
        location /both {
            modelguard_budget a zone=one limit=1 window=10s;
            modelguard_budget c zone=two limit=100 window=10s;
            $proxy
        }
        location /share {
            modelguard_budget b zone=one limit=1m window=1d;
            modelguard_budget c zone=two limit=100 window=10s;
            $proxy
        }
        location /mixed {
            modelguard_budget m zone=one limit=1 window=10s;
            modelguard_budget n zone=two limit=1 window=10s dry_run;
            $proxy
        }
        location /short {
            modelguard_ban after=1 in=1s for=2s;
            modelguard_budget d zone=one limit=1 window=1s;
            $proxy
        }
        location /off {
            modelguard_ban off;
            modelguard_budget e zone=two limit=1 window=10s;
            $proxy
        }
        location /dry {
            modelguard_dry_run on;
            modelguard_budget f zone=two limit=1 window=10s;
            $proxy
        }
        location /soft {
            modelguard_budget g zone=two limit=1 window=10s dry_run;
            $proxy
        }
        location /problem {
            modelguard_error_body problem;
            modelguard_ban after=1 in=1s for=1m;
            modelguard_budget h zone=two limit=1 window=10s;
            $proxy
        }
        location /dear {
            modelguard_ban after=1 in=1s for=1m;
            modelguard_cost requests 9;
            modelguard_budget i zone=two limit=1 window=10s;
            $proxy
        }
        location /plain {
            modelguard_ban off;
            modelguard_budget b zone=one limit=1m window=1d;
            $proxy
        }
    }
CONF
}

my $server = ModelguardServer->start(conf());

# "status verdict Retry-After"

sub ask {
    my ($uri) = @_;

    our $answer = $server->get($uri);
    our ($body) = $answer =~ /\r\n\r\n(.*)/s;

    my ($status) = $answer =~ m{\AHTTP/\S+ (\d+)};
    my ($verdict) = $answer =~ /^X-Verdict: (\S+)\r$/m;
    my ($retry) = $answer =~ /^Retry-After: (\d+)\r$/m;

    return join ' ', map { $_ // '-' } $status, $verdict, $retry;
}

our ($answer, $body);

is(ask('/one?k=a'), '200 PASSED -', 'the limit is 1');
like(ask('/one?k=a'), qr/^429 LIMITED (?:1\d|20)$/, 'a refusal');
like(ask('/one?k=a'), qr/^429 LIMITED (?:1\d|20)$/, 'a second one');
unlike($answer, qr/x-should-retry/, 'which may be retried');
is(ask('/plain?k=a'), '200 PASSED -', 'that is below "after"');
is(ask('/one?k=a'), '429 LIMITED 3601',
   'the third begins the ban, and Retry-After is the end of that');
like($answer, qr/^x-should-retry: false\r$/m, 'which SDKs are told');
like(ask('/one?k=a'), qr/^429 BANNED (?:360[01]|35\d\d)$/, 'banned');
like($answer, qr/^x-should-retry: false\r$/m, 'SDKs are told again');
like($answer, qr/^x-ratelimit-remaining-requests: 0\r$/m, 'nothing is left');
is(decode_json($body)->{error}{code}, 'client_banned', 'the code');
like(decode_json($body)->{error}{message},
     qr/^Too many requests have been refused\. Please try again in \d+ sec/,
     'the message');
like(ask('/plain?k=a'), qr/^429 BANNED/, 'so is all that the zone charges');
like(ask('/free?k=a'), qr/^429 BANNED/, 'costs of 0 too');
like($answer, qr/^X-Banned: 3\r$/m, 'three were refused for it');
is(ask('/two?g=a'), '200 PASSED -', 'another zone does not know of it');
like(ask('/both?k=a&g=a'), qr/^429 BANNED/, 'both zones: one is enough');
ask('/two?g=a') for 1 .. 5;
like(ask('/share?k=a&g=a'), qr/^429 BANNED/,
     'also when the other is nearer to its limit');
is(ask('/plain?k=b'), '200 PASSED -', 'another client is not banned');

# both zones asked: only that which refused strikes

ask('/both?k=c&g=c') for 1 .. 4;
like(ask('/plain?k=c'), qr/^429 BANNED/, 'the zone that refused bans');
is(ask('/two?g=c'), '200 PASSED -', 'the other does not');

# the end of a ban

is(ask('/short?k=d'), '200 PASSED -', 'passes');
is(ask('/short?k=d'), '429 LIMITED 3', 'a ban of two seconds');
like(ask('/plain?k=d'), qr/^429 BANNED [123]$/, 'banned');
sleep 3.1;
is(ask('/plain?k=d'), '200 PASSED -', 'not any more');

# off, and dry runs

ask('/off?g=e') for 1 .. 5;
is(ask('/two?g=e'), '200 PASSED -', 'off');
ask('/dry?g=f') for 1 .. 5;
is(ask('/two?g=f'), '200 PASSED -', 'a dry run is no refusal');
ask('/soft?g=g') for 1 .. 5;
is(ask('/two?g=g'), '200 PASSED -', 'nor is that of one budget');

ask('/mixed?k=m&g=m') for 1 .. 5;
like(ask('/plain?k=m'), qr/^429 BANNED/, 'of two, the one that refuses bans');
is(ask('/two?g=m'), '200 PASSED -', 'and that which is dry does not');

# the shapes

ask('/problem?g=h') for 1 .. 2;
like(ask('/problem?g=h'), qr/^429 BANNED/, 'banned');
is(decode_json($body)->{type}, 'https://iana.org/assignments/'
   . 'http-problem-types#abnormal-usage-detected', 'a registered problem');

# what never passes is not told to wait for the end of the ban

is(ask('/dear?g=i'), '429 LIMITED -', 'too dear for ever');
like(ask('/two?g=i'), qr/^429 BANNED/, 'and banned');

# the log: once for each ban, with the hash and not the key

my $log = $server->log;
my @began = $log =~ /(\[warn\].*banning client.*)/g;

is(scalar @began, 6, 'six bans are logged');
like($began[0], qr/modelguard:[ ]banning[ ]client[ ]for[ ]3600[ ]s,[ ]
                   after[ ]3[ ]refusals[ ]in[ ]60[ ]s,[ ]
                   client:[ ][0-9a-f]{16},[ ]by[ ]zone[ ]"one",/x, 'with what they are');

unlike($log, qr/modelguard: limiting[^\n]*"GET \/plain/,
       'and not what is refused for them');

# they outlive a reload

is($server->reload(conf()), 1, 'reload');
like(ask('/plain?k=a'), qr/^429 BANNED/, 'banned all the same');

is(scalar(() = $server->log =~ /\[(alert|crit|emerg)\]/g), 0, 'no alert');

$server->stop;

run_tests();

__DATA__

=== TEST 1: off
--- config
    location /t {
        modelguard_ban off;
        return 204;
    }
--- error_code: 204
