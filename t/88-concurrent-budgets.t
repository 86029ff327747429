# Copyright (C) the modelguard authors
#
# Four workers, 256 connections, eight budgets in each location, in different
# orders, costs of 1 to 3 requests and 1 to 5 items from variables and from
# bodies: of each budget exactly what its limit says, across reloads too.
# MODELGUARD_CRASH=full: 50 runs of each.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;
use ModelguardLoad;

use constant {
    FULL => ($ENV{MODELGUARD_CRASH} // '') eq 'full',
    CONNECTIONS => 256,
};

use constant RUNS => FULL ? 50 : 3;

my @budgets = (
    'a zone=mixed limit=$arg_a window=1h',
    'b zone=mixed limit=$arg_b unit=items lifetime',
    'c zone=mixed limit=1m window=1d',
    'd zone=mixed limit=1m unit=items calendar=month',
    'e zone=mixed limit=1m calendar=hour',
    'f zone=mixed limit=1000 unit=concurrent',
    'g zone=other limit=$arg_a lifetime',
    'h zone=other limit=$arg_b unit=items window=1h',
);

sub budgets {
    my $text = '';

    $text .= "modelguard_budget $budgets[$_];\n" for @_;

    return $text;
}

my $costs = 'modelguard_cost requests $arg_c; modelguard_cost items $arg_i;';

my $conf = <<"CONF";
    modelguard_zone \$arg_k zone=mixed:1m;
    modelguard_zone \$arg_k zone=other:1m;
    keepalive_requests 1000000;
    server {
        listen PORT reuseport backlog=1024;
        location = /ok { internal; return 200 "x"; }
        location = /no { internal; return 429 "y"; }
        location = /model { return 200 "z"; }
        location /one {
            @{[ budgets(0 .. 7) ]} $costs
            error_page 404 =200 /ok;
            error_page 429 /no;
        }
        location /two {
            @{[ budgets(reverse 0 .. 7) ]} $costs
            error_page 404 =200 /ok;
            error_page 429 /no;
        }
        location /rows {
            @{[ budgets(6, 1, 4, 0, 7, 3, 2, 5) ]}
            modelguard_cost requests \$arg_c;
            error_page 429 /no;
            proxy_pass http://PORT/model;
        }
    }
CONF

my $server = ModelguardServer->start($conf, workers => 4);

# one request of so many of both units

sub ask {
    my ($k, $limits, $requests, $items, $way) = @_;
    my $query = "k=$k&a=$limits->[0]&b=$limits->[1]&c=$requests";
    my $tag = "$requests $items";

    return [$tag, "GET /$way?$query&i=$items HTTP/1.1\r\nHost: x\r\n\r\n"]
        if $way ne 'rows';

    my $body = '{"instances":[' . join(',', (1) x $items) . ']}';

    return [$tag, "POST /rows?$query HTTP/1.1\r\nHost: x\r\n"
                  . 'Content-Length: ' . length($body) . "\r\n"
                  . "Content-Type: application/json\r\n\r\n$body"];
}

# what passed, and what is unknown, in both units

sub sums {
    my ($load) = @_;
    my @sums = (0) x 4;

    for my $tag (keys %{ $load->{count} }, keys %{ $load->{lost} }) {
        my ($requests, $items) = split ' ', $tag;

        next if $load->{summed}{$tag}++;

        $sums[0] += $requests * $load->answered($tag);
        $sums[1] += $items * $load->answered($tag);
        $sums[2] += $requests * $load->lost($tag);
        $sums[3] += $items * $load->lost($tag);
    }

    return @sums;
}

my $k = 0;

sub hammer {
    my ($reload) = @_;
    my @limits = (300 + int rand 600, 500 + int rand 1200);
    my ($asked, $total) = (0, 1200);

    $k++;

    my $load = ModelguardLoad->new($server, connections => CONNECTIONS,
        next => sub {
            return undef if $asked++ >= $total;
            return ask($k, \@limits, 1 + int rand 3, 1 + int rand 5,
                       (qw( one two rows ))[rand 3]);
        });

    if ($reload) {
        $load->run(sub { $load->{answers} >= 200 });
        kill 'HUP', $server->{pid};
    }

    $load->run;
    $load->drain;

    # the rest, by ones

    my $refused = 0;
    my $last = ModelguardLoad->new($server, connections => 1, next => sub {
        return $refused ? undef : ask($k, \@limits, 1, 1, 'one');
    }, answer => sub { $refused = 1 if $_[1] == 429 });

    $last->run;

    my @one = sums($load);
    my @two = sums($last);
    my @sums = map { $one[$_] + $two[$_] } 0 .. 3;

    my $over = $sums[0] > $limits[0] || $sums[1] > $limits[1];
    my $full = $sums[0] + $sums[2] >= $limits[0]
               || $sums[1] + $sums[3] >= $limits[1];
    my $answered = $load->{answers} + $load->lost >= $total;

    diag("run $k: limits @limits, sums @sums, $load->{answers} answers")
        if $over || !$full || !$answered;

    return ($over ? 1 : 0, $full ? 1 : 0, $answered ? 1 : 0, $sums[2]);
}

for my $reload (0, 1) {
    my ($over, $full, $answered, $lost) = (0, 0, 0, 0);
    my $name = $reload ? 'with a reload' : 'without one';

    for (1 .. RUNS) {
        my @got = hammer($reload);

        $over += $got[0];
        $full += $got[1];
        $answered += $got[2];
        $lost += $got[3];
    }

    is($over, 0, "$name: no budget is overrun by one, in ${\RUNS} runs");
    is($full, RUNS, "$name: one is spent to the last unit, in all of them"
                    . " ($lost unknown)");
    is($answered, RUNS, "$name: all requests are answered or known as lost");
}

is(scalar(() = $server->log =~ /\[(alert|crit|emerg)\]/g), 0, 'no alert');

$server->stop;
