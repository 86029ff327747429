# Copyright (C) the modelguard authors
#
# Limits, bursts and costs from variables, budgets that only try, and the
# kinds of a budget.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;

my $max = '1000000000000';

my $server = ModelguardServer->start(<<"CONF");
    modelguard_zone \$http_x_key zone=variables:1m;
    modelguard_zone \$http_x_key zone=variables_items:1m;
    modelguard_zone \$arg_group zone=variables_group:1m;

    map \$arg_tier \$limit {
        gold 10;
        silver 5;
        free unlimited;
        k 2k;
        most $max;
        over 1000000000001;
        zero 0;
        negative -1;
        word many;
        none "";
        control "1\x01";
    }

    map \$arg_burst \$burst { default 0; ~^(?<n>.+)\$ \$n; }
    map \$arg_cost \$cost { default 1; ~^(?<c>.+)\$ \$c; e ""; }

    add_header X-Verdict \$modelguard_verdict always;
    add_header X-Budget \$modelguard_budget always;
    add_header X-Remaining \$modelguard_remaining always;
    add_header X-Cost \$modelguard_cost always;
    add_header X-Reset \$modelguard_reset always;
    add_header X-Dry \$modelguard_dry_budget always;
    add_header X-Count \$modelguard_count_dry_run always;

    server {
        listen PORT;
        error_page 404 405 =200 /ok;
        log_not_found off;

        location = /ok {
            internal;
            return 200;
        }

        location = /tier {
            modelguard_cost requests \$cost;
            modelguard_budget a zone=variables limit=\$limit burst=\$burst
                              window=1h;
        }

        location = /two {
            modelguard_budget a zone=variables limit=\$limit burst=\$burst
                              window=1h;
            modelguard_budget b zone=variables_group limit=3 window=1h;
        }

        location = /try {
            modelguard_budget c zone=variables limit=2 window=1h dry_run;
            modelguard_budget d zone=variables limit=4 window=1h;
        }

        location = /tries {
            modelguard_budget e zone=variables limit=1 window=1h dry_run;
            modelguard_budget f zone=variables_group limit=2 window=1h dry_run;
        }

        location = /all {
            modelguard_dry_run on;
            modelguard_budget e zone=variables limit=1 window=1h dry_run;
            modelguard_budget d zone=variables limit=4 window=1h;
        }

        location = /items {
            modelguard_budget j zone=variables_items limit=2 window=1h unit=items
                              dry_run;
            modelguard_budget k zone=variables_items limit=3 window=1h;
        }

        location = /counted {
            modelguard_budget j zone=variables_items limit=2 window=1h unit=items
                              dry_run;
            modelguard_budget l zone=variables_items limit=2 window=1h unit=items;
        }

        location = /life {
            modelguard_budget g zone=variables limit=2 lifetime;
        }

        location = /month {
            modelguard_budget h zone=variables limit=2 calendar=month
                              offset=+05:30;
        }

        location = /limit {
            modelguard_budget i zone=variables limit=\$arg_limit window=1h;
        }
    }
CONF

my $key = 0;

# the status, and some header's value

sub ask {
    my ($uri, $header) = @_;
    my $answer = $server->get($uri, "X-Key: $key");
    my ($status) = $answer =~ m{^HTTP/1\.1 (\d+)};
    my ($value) = $answer =~ /^\Q$header\E: ([^\r]*)/m;

    return $status if $status >= 400 && $status != 429;
    return "$status " . ($value // '-');
}

sub asks {
    my ($uri, $header, $expected, $title) = @_;

    is(ask($uri, $header), $expected, "$uri: $title");
}

# limits

$key++;
asks('/tier?tier=gold', 'X-Remaining', '200 9', 'one of ten');
asks('/tier?tier=silver', 'X-Remaining', '200 3', 'what is spent stays');
asks('/tier?tier=k', 'X-Remaining', '200 1997', 'k is a thousand');
asks('/tier?tier=most', 'X-Remaining', '200 ' . ($max - 4), 'the most');
asks('/tier?tier=gold&cost=6', 'X-Remaining', '200 0', 'all of it');
asks('/tier?tier=gold', 'X-Remaining', '429 0', 'is all');
asks('/tier?tier=silver', 'X-Remaining', '429 0', 'over a smaller limit, too');
asks('/tier?tier=gold&burst=2', 'X-Remaining', '200 1', 'a burst is more');
asks('/tier?tier=gold&burst=1', 'X-Remaining', '429 0', 'or not');
asks('/tier?tier=k', 'X-Remaining', '200 1988', 'a greater limit');
asks("/tier?tier=gold&burst=$max", 'X-Remaining', '200 ' . ($max + 10 - 13),
     'the greatest burst');

# what is no number is never passed

for my $tier (qw( over zero negative word none control other )) {
    asks("/tier?tier=$tier", '', 500, 'no limit');
}

for my $burst (qw( -1 1000000000001 x unlimited 1kk )) {
    asks("/tier?tier=gold&burst=$burst", '', 500, 'no burst');
}

for my $cost (qw( -1 1000000000001 x unlimited e k )) {
    asks("/tier?tier=most&cost=$cost", '', 500, 'no cost');
}

asks('/two?tier=word', '', 500, 'one of two is no limit');
asks('/limit', '', 500, 'a variable without a value');
asks('/limit?limit=1', 'X-Remaining', '200 0', 'one with');

my $log = $server->log;

like($log, qr/\[error\] .*modelguard: invalid limit of "a": "many" (?#
)from "\$limit"/, 'a word is told');
like($log, qr/invalid limit of "a": "" from/, 'an empty value, too');
like($log, qr/invalid limit of "a": "1\?" from/, 'no control bytes');
like($log, qr/invalid burst of "a": "unlimited" from "\$burst"/,
     'only a limit may be unlimited');
like($log, qr/invalid cost of "requests": "unlimited" from "\$cost"/,
     'not a cost');

asks('/tier?tier=most&cost=0', 'X-Remaining', '200 ' . ($max - 13),
     'none of these was charged');
asks("/tier?tier=most&cost=$max", 'X-Remaining', '429 ' . ($max - 13),
     'the greatest cost');

# unlimited

asks('/tier?tier=free', 'X-Budget', '200 -', 'no budget holds');
asks('/tier?tier=free', 'X-Verdict', '200 PASSED', 'and it passes');
asks('/tier?tier=most', 'X-Remaining', '200 ' . ($max - 14), 'uncharged');

$key++;
asks('/two?tier=free&group=1', 'X-Budget', '200 b', 'one budget of two holds');
asks('/two?tier=free&group=1', 'X-Remaining', '200 1', 'and is charged');
asks('/two?tier=gold&group=1', 'X-Remaining', '200 0', 'both are');
asks('/two?tier=gold&group=1', 'X-Budget', '429 b', 'and none if one refuses');
asks('/tier?tier=gold', 'X-Remaining', '200 8', 'really');

# budgets that only try

$key++;
asks('/try', 'X-Dry', '200 -', 'a dry-run budget has room');
asks('/try', 'X-Dry', '200 -', 'to the last');
asks('/try', 'X-Dry', '200 c', 'and tells when it would refuse');
asks('/try', 'X-Count', '200 2', 'which is counted');
asks('/try', 'X-Verdict', '429 LIMITED', 'the other one refuses');

like($server->log, qr/limiting requests, dry run, budget "c", cost: 1, (?#
)remaining: 0, client: [0-9a-f]{16}, by zone "variables"/, 'a log line');
unlike($server->log, qr/limiting requests, dry run, budget "d"/, 'of one');

$key++;
asks('/try', 'X-Verdict', '200 PASSED', 'as if it were not there') for 1 .. 4;

$key++;
asks('/tries?group=2', 'X-Dry', '200 -', 'two that only try');
asks('/tries?group=2', 'X-Dry', '200 e', 'the first');
asks('/tries?group=2', 'X-Dry', '200 e', 'the first of both');
like($server->log, qr/limiting requests, dry run, budget "f".*_group"/,
     'but both are told');

$key++;
asks('/all', 'X-Verdict', '200 PASSED', 'a location that only tries') for 1 .. 4;
asks('/all', 'X-Verdict', '200 LIMITED_DRY_RUN', 'has a verdict of its own');

# who only tries to count items refuses nothing for what cannot be counted

sub post {
    my ($uri, $body) = @_;

    my $socket = $server->connect;

    print $socket "POST $uri HTTP/1.0\r\nX-Key: $key\r\nContent-Length: ",
                  length $body, "\r\n\r\n$body";

    my $answer = do { local $/; <$socket> };

    return ($answer =~ m{^HTTP/1.1 (\d+)})[0];
}

$key++;
is(post('/items', '{"instances": [1, 2, 3]}'), 200, 'three, of two');
is(post('/items', 'no JSON'), 200, 'and what is no JSON');
is(post('/items', '{"instances": [1'), 200, 'or ends too soon');
is(post('/items', '{}'), 429, 'are charged elsewhere');
is(post('/counted', 'no JSON'), 400, 'a budget that holds refuses it');
like($server->log, qr/dry run, its items cannot be counted: 400/, 'is logged');

# kinds

$key++;
asks('/life', 'X-Remaining', '200 1', 'a lifetime');
asks('/life', 'X-Remaining', '200 0', 'is short');
asks('/life', 'X-Remaining', '429 0', 'and has an end');
asks('/life', 'X-Reset', '429 -', 'after which nothing comes back');
unlike($server->get('/life', "X-Key: $key"), qr/^Retry-After/m,
       'that no waiting changes');

asks('/month', 'X-Remaining', '200 1', 'a month');
asks('/month', 'X-Remaining', '200 0', 'has an end');
like($server->get('/month', "X-Key: $key"), qr/^Retry-After: [1-9]/m,
     'that one can wait for');

unlike($server->log, qr/\[(alert|crit|emerg)\]/, 'no alert');

$server->stop;

run_tests();

__DATA__

=== TEST 1: nginx works
--- config
    location /t {
        return 204;
    }
--- error_code: 204
