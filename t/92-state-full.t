# Copyright (C) the modelguard authors
#
# What becomes of clients for whom there is no room, of those who do not come
# back, and what a zone counts.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;

use File::Path qw( make_path remove_tree );
use Time::HiRes qw( sleep time );

my @words = qw( records capacity passed limited banned bans evicted expired
                exhausted skipped recovered repaired );

my $dir = "$ENV{TEST_NGINX_SERVROOT}-state";

remove_tree($dir);
make_path($dir);

sub counters {
    my ($zone) = @_;

    return join ' ', map { "$_=\$modelguard_zone_${_}_$zone" } @words;
}

sub conf {
    return <<"CONF";
    modelguard_zone \$http_x_key zone=reject:32k full=reject;
    modelguard_zone \$http_x_key zone=Shared:32k full=shared;
    modelguard_zone \$http_x_key zone=file:32k full=shared state=$dir/file;
    modelguard_zone \$http_x_key zone=wide:256k;
    modelguard_zone \$http_x_key zone=sweep:32k inactive=1s;
    modelguard_zone \$http_x_key zone=debt:32k inactive=1s;
    server {
        listen PORT;
        location = /ok {
            internal;
            add_header X-Verdict \$modelguard_verdict;
            add_header X-Left \$modelguard_remaining;
            add_header X-Client \$modelguard_client;
            return 200;
        }
        location /reject {
            modelguard_budget one zone=reject limit=1 window=1d;
            error_page 404 =200 /ok;
        }
        location /shared {
            modelguard_budget one zone=Shared limit=1 burst=2 window=1d;
            error_page 404 =200 /ok;
        }
        location /file {
            modelguard_budget one zone=file limit=3 window=1d;
            error_page 404 =200 /ok;
        }
        location /both {
            modelguard_budget many zone=wide limit=1000 window=1d;
            modelguard_budget one zone=file limit=3 window=1d;
            error_page 404 =200 /ok;
        }
        location /sweep {
            modelguard_budget one zone=sweep limit=5 window=1s;
            error_page 404 =200 /ok;
        }
        location /debt {
            modelguard_budget one zone=debt limit=5 window=1d;
            error_page 404 =200 /ok;
        }
        location = /count/reject { return 200 "@{[ counters('reject') ]}"; }
        location = /count/Shared { return 200 "@{[ counters('Shared') ]}"; }
        location = /count/file { return 200 "@{[ counters('file') ]}"; }
        location = /count/wide { return 200 "@{[ counters('wide') ]}"; }
        location = /count/sweep { return 200 "@{[ counters('sweep') ]}"; }
        location = /count/debt { return 200 "@{[ counters('debt') ]}"; }
        location = /count/none {
            return 200 "[\$modelguard_zone_records_nowhere][\$modelguard_zone_bogus_file][\$modelguard_zone_records][\$modelguard_zone_records_]";
        }
    }
CONF
}

my $server = ModelguardServer->start(conf(), workers => 2, alerts => 0);

sub ask {
    my ($uri, $key) = @_;
    my $got = $server->get("/$uri", "X-Key: $key");

    return 200 if $got =~ m{^HTTP/1.1 200 };
    return $1 if $got =~ /"code": ?"(\w+)"/;
    return $got;
}

sub count {
    my ($zone, $word) = @_;

    return $server->get("/count/$zone") =~ /\b$word=(\d+)/ ? $1 : undef;
}

# until there is no room for twenty; the last one of them

sub fill {
    my ($uri, $zone, $times) = @_;
    my $capacity = count($zone, 'capacity');
    my ($n, $refused, $last) = (0, 0);

    while ($refused < 20 && $n < 4 * $capacity) {
        $n++;
        my $got = '';

        $got = ask($uri, "filler $n") for 1 .. $times;

        if ($got ne '200') {
            $refused++;
            $last = "filler $n";
        }
    }

    is($refused, 20, "zone $zone is full");

    return $last;
}


is(ask('reject', 'first'), 200, 'a client');
is(count('reject', 'records'), 1, 'is a record');
is(count('reject', 'passed'), 1, 'and has passed');
is(ask('reject', 'first'), 'insufficient_quota', 'its second request');
is(count('reject', 'limited'), 1, 'is counted as limited');

my $new = fill('reject', 'reject', 1);

is(ask('reject', $new), 'capacity_exhausted', 'and refuses new ones');
is(ask('reject', 'first'), 'insufficient_quota', 'and who spent all, for that');
is(count('reject', 'exhausted'), 21, 'each is counted');
is(count('reject', 'evicted'), 0, 'nobody was evicted');
cmp_ok(count('reject', 'records'), '>', count('reject', 'capacity') * .7,
       'the room was used');
cmp_ok(count('reject', 'records'), '<=', count('reject', 'capacity'),
       'and not more');
is(scalar(() = $server->log =~ /zone "reject" is full of clients over their (?#
)limits, new ones are refused/g), 1, 'it is told once');

# the shared record: three requests, whoever asks

$new = fill('shared', 'Shared', 3);

is(ask('shared', $new), 'insufficient_quota',
   'the room of those who come late is used up');
is(scalar(() = $server->log =~ /zone "Shared" is full of clients over their (?#
)limits, new ones share one record/g), 1, 'it is told once, too');
cmp_ok(count('Shared', 'exhausted'), '>=', 21, 'each is counted');

# in a file, and in a location with another zone besides

$new = fill('file', 'file', 3);

my $passed = count('wide', 'passed');

is(ask('both', $new), 'insufficient_quota', 'beside another zone');
is(count('wide', 'passed'), $passed, 'which is not charged');

$server->stop;
$server = ModelguardServer->start(conf(), workers => 2, alerts => 0);
is(ask('file', $new), 'insufficient_quota', 'the shared record survives');
is(count('file', 'exhausted') > 20, 1, 'and so do the counters');
is(count('reject', 'records'), 0, 'a zone in memory begins anew');

# whose record is it

my ($one) = $server->get('/sweep', 'X-Key: one') =~ /X-Client: (\w+)/;
my ($two) = $server->get('/sweep', 'X-Key: two') =~ /X-Client: (\w+)/;

isnt($one, $two, 'clients differ where there is room');

# no key

is(ask('debt', ''), 200, 'a client without a key is charged by its address');
is(count('debt', 'skipped'), 1, 'and counted');
is(ask('debt', 'x'), 200, 'another has one');
is(count('debt', 'skipped'), 1, 'and is not');

is($server->get('/count/none') =~ /(\[.*)$/ ? $1 : '', '[][][][]',
   'unknown zones and words are empty');

# the sweep

ask('sweep', "guest $_") for 1 .. 40;

cmp_ok(count('sweep', 'records'), '>=', 40, 'forty guests');
ok($server->wait_for(sub { count('sweep', 'records') == 0 }),
   'are forgotten when they are idle for long');
cmp_ok(count('sweep', 'expired'), '>=', 40, 'and counted');
is(count('debt', 'records'), 2, 'who has spent something is not forgotten');

# a timer must not keep a worker

my $start = time;

ok($server->reload(conf()), 'a reload');
cmp_ok(time - $start, '<', 5, 'is not held up');

ask('sweep', "guest $_") for 1 .. 10;
ok($server->wait_for(sub { count('sweep', 'records') == 0 }),
   'the sweep goes on after it');

my ($first) = split ' ', `cat /proc/$server->{pid}/task/*/children`;

kill 'KILL', $first;
$server->wait_for(sub { $server->log =~ /exited on signal 9/ });
ask('sweep', "guest $_") for 1 .. 10;
ok($server->wait_for(sub { count('sweep', 'records') == 0 }),
   'and when its worker was killed');

unlike($server->log, qr/\[crit\]|\[emerg\]|open socket/, 'no crit');
$server->stop;

# without a master process, and a reload of that

$server = ModelguardServer->start(conf(), alerts => 0, master => 'off');
ask('sweep', "guest $_") for 1 .. 10;
ok($server->wait_for(sub { count('sweep', 'records') == 0 }),
   'one process does it all');
$server->stop;

remove_tree($dir);

run_tests();

__DATA__

=== TEST 1: nginx works
--- config
    location /t {
        return 204;
    }
--- error_code: 204
