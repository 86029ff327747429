# Copyright (C) the modelguard authors
#
# Rate or quota: the status, and what the body says in every shape.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;

use JSON::PP qw( decode_json );

backend(model => sub { return json_reply('{}') });

my $proxy = "proxy_pass http://127.0.0.1:$ENV{TEST_NGINX_MODEL_PORT};";
my @kinds = ([ second => 'window=1s' ], [ almost => 'window=86399s' ],
             [ day => 'window=1d' ], [ year => 'window=366d' ],
             [ chour => 'calendar=hour' ], [ cday => 'calendar=day' ],
             [ cweek => 'calendar=week' ], [ cmonth => 'calendar=month' ],
             [ life => 'lifetime' ]);
my @shapes = qw( openai anthropic google problem plain );

# as many zones as kinds, a budget of each shape in each

sub conf {
    my $conf = "add_header X-Verdict \$modelguard_verdict always;\n"
               . "modelguard_log_level info;\n";
    my $locations = '';

    for my $kind (@kinds) {
        $conf .= "modelguard_zone \$arg_k zone=$kind->[0]:128k;\n";

        for my $shape (@shapes) {
            $locations .= "location /$kind->[0]/$shape {\n"
                . "modelguard_reject_status 420 403;\n"
                . "modelguard_error_body $shape;\n"
                . "modelguard_budget \"$shape\\\"\" zone=$kind->[0] limit=1 "
                . "$kind->[1];\n$proxy\n}\n";
        }
    }

    return "${conf}modelguard_zone \$arg_k zone=more:128k;\n"
           . "modelguard_zone \$arg_g zone=most:128k;\n"
           . "server {\nlisten PORT;\n$locations\n" . <<"CONF";
        location /default {
            modelguard_budget a zone=more limit=1 window=30d;
            $proxy
        }
        location /one {
            modelguard_reject_status 402;
            modelguard_budget b zone=more limit=1 window=30d;
            $proxy
        }
        location /both {
            modelguard_error_body problem;
            modelguard_budget "c\\"" zone=more limit=1 window=1s;
            modelguard_budget d zone=most limit=1 window=30d;
            modelguard_budget e zone=most limit=9 window=30d;
            modelguard_budget f zone=most limit=1 window=30d dry_run;
            $proxy
        }
        location /page {
            modelguard_reject_status 429 403;
            error_page 403 /sorry;
            modelguard_budget g zone=more limit=1 window=30d;
            $proxy
        }
        location = /sorry { return 200 "sorry"; }
        location /native {
            modelguard_error_body off;
            modelguard_reject_status 429 403;
            modelguard_budget h zone=more limit=1 calendar=month;
            $proxy
        }
        location /closed {
            modelguard_reject_status 444;
            modelguard_budget j zone=more limit=1 window=30d;
            $proxy
        }
        location /dear {
            modelguard_cost requests 2;
            modelguard_budget i zone=more limit=1 window=30d;
            $proxy
        }
    }
CONF
}

my $server = ModelguardServer->start(conf());

sub ask {
    my ($uri) = @_;
    my ($head, $body) = split /\r\n\r\n/, $server->get($uri), 2;
    my ($status) = $head =~ m{\AHTTP/\S+ (\d+)};
    my ($retry) = $head =~ /^Retry-After: (\d+)\r?$/m;

    return ($status, eval { decode_json($body) } // $body, $retry);
}

my $problems = 'https://iana.org/assignments/http-problem-types#';

for my $kind (@kinds) {
    my $quota = $kind->[0] !~ /^(?:second|almost|chour)$/;

    for my $shape (@shapes) {
        my $title = "$kind->[0], $shape";

        ask("/$kind->[0]/$shape");

        my ($status, $body, $retry) = ask("/$kind->[0]/$shape");
        my $error = ($shape =~ /problem|plain/) ? $body : $body->{error};
        my $message = $error->{message} // $error->{detail} // $error->{error};

        is($status, $quota ? 403 : 420, "$title: status");

        if ($kind->[0] eq 'life') {
            is($retry, undef, "$title: no Retry-After");
            is($message, "The budget \"$shape\"\" is spent, and will not be "
                         . 'renewed.', "$title: says so");

        } elsif ($quota) {
            cmp_ok($retry, '>', 0, "$title: Retry-After");
            like($message, qr/^The[ ]quota[ ]"$shape""[ ]is[ ]exhausted\.[ ]
                              Please[ ]try[ ]again[ ]after[ ]\w+,[ ]\d\d[ ]
                              \w+[ ]20\d\d[ ]\d\d:\d\d:\d\d[ ]GMT\.$/x,
                 "$title: says when");

        } else {
            is($message, "The budget \"$shape\"\" is exhausted. Please try "
                         . "again in $retry seconds.", "$title: says when");
        }

        if ($shape eq 'openai') {
            is("$error->{type} $error->{code}",
               $quota ? 'insufficient_quota insufficient_quota'
                      : 'rate_limit_error budget_exhausted', $title);

        } elsif ($shape eq 'anthropic') {
            is("$body->{type} $error->{type}", 'error rate_limit_error',
               $title);

        } elsif ($shape eq 'google') {
            is("$error->{code} $error->{status}",
               "$status RESOURCE_EXHAUSTED", $title);
            is($error->{details} && $error->{details}[0]{'@type'},
               $quota ? 'type.googleapis.com/google.rpc.QuotaFailure' : undef,
               "$title: details");

        } elsif ($shape eq 'problem') {
            is("$body->{type} $body->{status} $body->{code}",
               "${problems}quota-exceeded $status "
               . ($quota ? 'insufficient_quota' : 'budget_exhausted'), $title);
            is_deeply($body->{'violated-policies'}, [ 'problem"' ],
                      "$title: the policy");
        }
    }
}

# the calendar's quotas end when its period ends

my ($status, $body, $retry) = ask('/cday/openai');
my ($hour, $minute, $second)
    = $body->{error}{message} =~ / (\d\d):(\d\d):(\d\d) GMT/;

cmp_ok($hour * 3600 + $minute * 60 + $second, '<=', 1, 'a day ends at 0:00');

# the codes

ask('/default?k=a');
is((ask('/default?k=a'))[0], 429, 'the same status by default');
ask('/one?k=a');
is((ask('/one?k=a'))[0], 402, 'one code is for both');

# 444 closes the connection, as everywhere in nginx

like($server->get('/closed?k=j'), qr{^HTTP/1.1 200 }, 'one passes');
is($server->get('/closed?k=j'), '', 'then there is no answer');

# all that refuse, and the longest wait of them

ask('/both?k=a&g=a');
($status, $body, $retry) = ask('/both?k=a&g=a');
is_deeply($body->{'violated-policies'}, [ 'c"', 'd' ], 'two refuse');
is($body->{code}, 'insufficient_quota', 'one of them for long');
cmp_ok($retry, '>', 86400, 'which is what Retry-After says');
ask('/both?k=b&g=b1');
($status, $body, $retry) = ask('/both?k=b&g=b2');
is("$status $body->{code} @{$body->{'violated-policies'}}",
   '429 budget_exhausted c"', 'the other one alone is a rate');

ask('/page?k=a');
is(join(' ', (ask('/page?k=a'))[0, 1]), '403 sorry',
   'error_page for the status of a quota');
ask('/native?k=a');
is((ask('/native?k=a'))[0], 403, 'nginx\'s own page for it');

($status, $body, $retry) = ask('/dear?k=a');
like($body->{error}{message}, qr/costs more than the budget "i" can ever/,
     'what costs more than a quota');
is($retry, undef, 'never passes');

is(scalar(() = $server->log =~ /\[(alert|crit|emerg)\]/g), 0, 'no alert');

$server->stop;

run_tests();

__DATA__

=== TEST 1: two codes
--- config
    location /t {
        modelguard_reject_status 429 403;
        return 204;
    }
--- error_code: 204
