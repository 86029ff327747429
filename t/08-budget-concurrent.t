# Copyright (C) the modelguard authors
#
# Two workers, 64 connections, one client: exactly as many requests pass as
# the limit says, and a killed worker does not wedge the zone.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;

use IO::Select;

use constant {
    RUNS => 20, CONNECTIONS => 64, REQUESTS => 20, LIMIT => 1000,
};

sub conf {
    return <<"CONF";
    modelguard_zone \$arg_k zone=one:256k;
    modelguard_zone all zone=two:256k;
    modelguard_log_level info;
    keepalive_requests 10000;
    server {
        listen PORT reuseport;
        location = /ok { internal; return 200 "x"; }
        location = /no { internal; return 429 "y"; }
        location /left {
            modelguard_budget all zone=two limit=1m window=1d;
            error_page 404 =200 /remaining;
        }
        location = /remaining {
            internal;
            return 200 "left: \$modelguard_remaining";
        }
        location /back {
            modelguard_budget all zone=two limit=1m window=1d;
            modelguard_budget run zone=one limit=@{[ LIMIT ]} window=1d;
            error_page 404 =200 /ok;
            error_page 429 /no;
        }
        location /run {
            modelguard_budget run zone=one limit=@{[ LIMIT ]} window=1d;
            modelguard_budget all zone=two limit=1m window=1d;
            error_page 404 =200 /ok;
            error_page 429 /no;
        }
    }
CONF
}

my $server = ModelguardServer->start(conf(), workers => 2);

# how many of all pass; half of the connections ask for the zones in the
# other order

sub hammer {
    my ($k) = @_;
    my $select = IO::Select->new;
    my (%text, %end);

    my @sockets = map { $server->connect } 1 .. CONNECTIONS;

    for my $i (0 .. $#sockets) {
        my $uri = ($i % 2) ? 'run' : 'back';
        my $request = "GET /$uri?k=$k HTTP/1.1\r\nHost: x\r\n";

        syswrite $sockets[$i], "$request\r\n" x (REQUESTS - 1)
                               . "${request}Connection: close\r\n\r\n";
        $select->add($sockets[$i]);
        $text{$sockets[$i]} = '';
    }

    while ($select->count) {
        my @ready = $select->can_read(10) or die 'no answer';

        for my $socket (@ready) {
            sysread($socket, $text{$socket}, 65536, length $text{$socket})
                or $select->remove($socket);
        }
    }

    my $all = join '', values %text;

    return (scalar(() = $all =~ m{HTTP/1\.1 200 }g),
            scalar(() = $all =~ m{HTTP/1\.1 429 }g));
}

my ($exact, $answered) = (0, 0);

for my $k (1 .. RUNS) {
    my ($passed, $refused) = hammer($k);

    $exact += ($passed == LIMIT);
    $answered += ($passed + $refused == CONNECTIONS * REQUESTS);

    diag("run $k: $passed passed") if $passed != LIMIT;
}

is($exact, RUNS, 'exactly ' . LIMIT . ' passed, in so many runs');
is($answered, RUNS, 'and every request was answered, in so many runs');

# 1m less all that passed, and this one

like($server->get('/left'), qr/left: @{[ 1000000 - RUNS * LIMIT - 1 ]}$/,
     'what one zone refused was not charged in the other');

is(scalar(() = $server->log =~ /\[(alert|crit|emerg)\]/g), 0, 'no alert');

$server->stop;

# workers die at any point, with requests under way

$server = ModelguardServer->start(conf(), workers => 2, alerts => 0);

my $k = 1000;

for my $i (1 .. 20) {
    my @workers = $server->workers;
    my @sockets = map { $server->connect } 1 .. 8;

    for my $socket (@sockets) {
        my $end = ($socket == $sockets[0]) ? 'run' : 'back';

        syswrite $socket, join '', map { $k++; "GET /$end?k=$k HTTP/1.1\r\n"
                                               . "Host: x\r\n\r\n" } 1 .. 100;
    }

    kill 'KILL', $workers[rand @workers];
    sysread $_, my $answer, 1 for @sockets;
}

my $works = 0;

for my $i (1 .. 20) {
    $works += $server->get("/run?k=alive$i") =~ m{^HTTP/1.1 200 };
}

is($works, 20, 'after 20 killed workers the zones still work');

my @alerts = grep { !/exited on signal 9|was locked by/ }
                  $server->log =~ /(\[alert\].*|\[crit\].*)/g;

is("@alerts", '', 'no alert but those of being killed');

$server->stop;

run_tests();

__DATA__

=== TEST 1: nginx works
--- config
    location /t {
        return 204;
    }
--- error_code: 204
