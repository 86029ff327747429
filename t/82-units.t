# Copyright (C) the modelguard authors
#
# What a request costs in each unit: declared, counted, reserved and settled.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;

# /?n=100 is answered with so many bytes, in pieces if s=1; t= are the tokens
# of its "usage"

my $backend = backend(model => sub {
    my ($request) = @_;
    my %arg = $request->{uri} =~ /(\w)=(\w+)/g;
    my $usage = defined $arg{t} ? "\"usage\": {\"total_tokens\": $arg{t}}, "
                                : '';
    my $body = "{$usage\"pad\": \"";

    $body .= 'x' x (($arg{n} // 100) - length($body) - 2) . '"}';

    if ($arg{e}) {
        my $text = "data: $body\n\ndata: [DONE]\n\n";

        return (json_reply($text, 'Content-Type' => 'text/event-stream',
                           'Content-Length' => undef));
    }

    my $reply = json_reply($body, status => $arg{c} ? "$arg{c} X" : '200 OK',
                           $arg{s} ? ('Content-Length' => undef) : ());

    return $arg{s} ? in_pieces($reply, 50) : $reply;
});

my %budget = (
    requests => 'r zone=units limit=1000 window=1h',
    items => 'i zone=units limit=1000 window=1h unit=items',
    tokens => 't zone=units limit=1m window=1h unit=tokens',
    bytes => 'b zone=units limit=1m window=1h unit=bytes',
    bits => 'n zone=units limit=1000 window=1h unit=bits',
    small => 's zone=units limit=100 window=1h unit=bytes',
    dry => 'd zone=units limit=100 window=1h unit=bytes dry_run',
);

# /look/UNIT is a 404 that gives back what it reserves: nobody sends a body

sub locations {
    my ($more) = @_;
    my $text = '';

    for my $unit (sort keys %budget) {
        my $cost = ($unit =~ /small|dry/) ? 'bytes' : $unit;

        $text .= <<"CONF";
        location /$unit {
            modelguard_budget $budget{$unit};
            proxy_pass http://127.0.0.1:$backend;
            proxy_buffering off;
            $more
        }
        location /look/$unit {
            modelguard_budget $budget{$unit};
            modelguard_cost $cost \$look;
            root html/none;
        }
        location /declared/$unit {
            modelguard_budget $budget{$unit};
            modelguard_cost $cost \$arg_cost;
            proxy_pass http://127.0.0.1:$backend;
        }
CONF
    }

    return $text;
}

my $h2 = ModelguardServer::free_port();

my $server = ModelguardServer->start(<<"CONF");
    log_not_found off;
    modelguard_zone \$http_x_key zone=units:1m;
    modelguard_profile all { scores keep; }
    modelguard_field scores \$.scores;

    map \$uri \$look { default 0; }

    add_header X-Verdict \$modelguard_verdict always;
    add_header X-Remaining \$modelguard_remaining always;
    add_header X-Cost \$modelguard_cost always;

    server {
        listen PORT;
        listen 127.0.0.1:$h2 http2;
@{[ locations('') ]}

        location = /two {
            modelguard_budget $budget{requests};
            modelguard_budget $budget{bytes};
            modelguard_cost requests 7;
            proxy_pass http://127.0.0.1:$backend;
        }

        location = /free {
            modelguard_budget $budget{requests};
            modelguard_cost requests 0;
            proxy_pass http://127.0.0.1:$backend;
        }

        location /inherits {
            modelguard_cost requests 5;

            location = /inherits/it {
                modelguard_budget $budget{requests};
                proxy_pass http://127.0.0.1:$backend;
            }
        }

        location /off {
            modelguard_cost requests 5;

            location = /off/it {
                modelguard_budget $budget{requests};
                modelguard_cost off;
                proxy_pass http://127.0.0.1:$backend;
            }
        }
    }
CONF

my $key = 0;

sub ask {
    my ($uri, @headers) = @_;

    return $server->get($uri, "X-Key: $key", @headers);
}

sub cost { return (ask(@_) =~ /^X-Cost: (\d+)/m)[0] }
sub status { return (ask(@_) =~ m{^HTTP/1.1 (\d+)})[0] }

# what is left, with what the look itself reserves

sub left {
    my ($unit) = @_;
    my $socket = $server->connect;

    print $socket "HEAD /look/$unit HTTP/1.0\r\nX-Key: $key\r\n\r\n";

    my $answer = do { local $/; <$socket> };
    my ($left) = $answer =~ /^X-Remaining: (\d+)/m;

    return $left + ($unit =~ /requests|items/ ? 0 : 1);
}

# known costs

$key++;
is(left('requests'), 1000, 'a look at requests costs nothing');
is(cost('/requests'), 1, 'a request is one request');
is(left('requests'), 999, 'and charged');
is(cost('/declared/requests?cost=20'), 20, 'or what it is said to cost');
is(left('requests'), 979, 'which is charged');
is(cost('/free'), 0, 'which may be nothing');
is(left('requests'), 979, 'and is charged');
is(cost('/inherits/it'), 5, 'a cost is inherited');
is(cost('/off/it'), 1, 'unless it is off');
is(status('/declared/requests?cost=974'), 429, 'a cost over what is left');
is(status('/free'), 200, 'does not hinder one that costs nothing');
is(left('requests'), 973, 'and is not charged');

$key++;
is(cost('/items'), 1, 'a body without items is one');
is(cost('/declared/items?cost=9'), 9, 'what is said is not counted');
is(cost('/declared/items?cost=1k'), 1000, 'k is a thousand');
is(left('items'), 990, 'so that it was over the limit');

# bytes: the body's, buffered or not, with and without a length

for my $case ('', '&s=1') {
    $key++;

    is(cost("/bytes?n=1000$case"), 4096, "a default is reserved$case");
    is(left('bytes'), 999000, 'and settled to the bytes of the body');
    is(cost("/bytes?n=3000$case"), 1000, 'then it is the mean');
    is(left('bytes'), 996000, 'whatever the body then is');
    is(cost("/bytes?n=1000$case"), 1250, 'an eighth of the last one');
    is(left('bytes'), 995000, 'is given back where it was more');
}

$key++;
is(length `curl -s -H 'X-Key: $key' \\
       'http://127.0.0.1:$server->{port}/bytes?n=[1000-1001]'`, 2001,
   'two on one connection');
is(left('bytes'), 997999, 'each has its bytes');

for my $case ('', '&s=1') {
    $key++;

    my $answer = `curl -s --http2-prior-knowledge \\
        -H 'X-Key: $key' 'http://127.0.0.1:$h2/bytes?n=1000$case'`;

    is(length $answer, 1000, "HTTP/2$case");
    is(left('bytes'), 999000, 'has frames, which do not count');
}

$key++;
is(cost('/declared/bytes?n=1000&cost=30'), 30, 'bytes that are declared');
is(left('bytes'), 999000, 'are settled, too');
is(cost('/declared/bytes?n=1000&cost=0'), 1, 'one is reserved at least');
is(left('bytes'), 998000, 'and settled');
is(status('/declared/bytes?n=1000&cost=1001k'), 429,
   'what is declared is not cut to the limit');

$key++;
is(cost('/bytes?n=100&c=400'), 4096, 'an error of the client');
is(cost('/bytes?n=100&c=404'), 4096, 'is not learnt from');
is(left('bytes'), 999800, 'but charged');

$key++;
is(cost('/small?n=60'), 100, 'a default over the limit is cut to it');
is(left('small'), 40, 'and settled');
is(status('/small?n=60'), 429, 'less than the mean is left');

$key++;
is(cost('/small?n=5000'), 100, 'more than the limit at once');
is(left('small'), 1, 'leaves nothing (less than the look needs)');

$key++;
is(status('/dry?n=60'), 200, 'a budget that only tries');
is(left('dry'), 40, 'is settled');
is(status('/dry?n=90'), 200, 'what it would refuse');
is(left('dry'), 40, 'is neither reserved nor settled');

$key++;
is(status('/two?n=500'), 200, 'two units');
is(left('requests'), 993, 'each has its cost');
is(left('bytes'), 999500, 'and what is left');

# tokens: of "usage", else a quarter of the bytes, rounded up

for my $case ('', '&s=1', '&e=1') {
    $key++;

    is(cost("/tokens?n=300&t=77$case"), 256, "tokens are reserved$case");
    is(left('tokens'), 999923, 'and settled to what the server says');
    is(cost("/tokens?n=300&t=77$case"), 77, 'and then the mean');
}

$key++;
is(cost('/tokens?n=301'), 256, 'without a usage');
is(left('tokens'), 999924, 'it is a token for 4 bytes, rounded up');

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
