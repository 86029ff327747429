# Copyright (C) the modelguard authors
#
# modelguard_delay: who waits and for how long, who is refused all the same,
# and that nothing is left behind when a client or a worker goes.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;

use IO::Select;
use Time::HiRes qw( sleep time );

backend(model => sub {
    my ($request) = @_;

    return json_reply(length($request->{body}) . ' ' . $request->{body});
});

my $proxy = "proxy_pass http://127.0.0.1:$ENV{TEST_NGINX_MODEL_PORT};";
my $h2 = ModelguardServer::free_port();

# limit=2 window=1s: the third of three at once may come after 1.5 seconds

sub conf {
    return <<"CONF";
    modelguard_zone \$arg_k zone=one:128k;
    modelguard_zone \$arg_k zone=two:128k;
    modelguard_log_level warn;
    add_header X-Verdict \$modelguard_verdict always;
    add_header X-Cost \$modelguard_cost always;
    add_header X-Delayed \$modelguard_count_delayed always;
    server {
        listen PORT;
        listen 127.0.0.1:$h2 http2;
        location /long {
            modelguard_delay max=4s;
            modelguard_budget a zone=one limit=2 window=1s;
            $proxy
        }
        location /short {
            modelguard_delay max=300ms;
            modelguard_budget b zone=one limit=2 window=1s;
            $proxy
        }
        location /narrow {
            modelguard_delay max=8s queue=2;
            modelguard_budget c zone=one limit=1 window=1s;
            $proxy
        }
        location /never {
            modelguard_delay max=10m;
            modelguard_cost requests 3;
            modelguard_budget d zone=one limit=2 window=1s;
            $proxy
        }
        location /life {
            modelguard_delay max=10m;
            modelguard_budget e zone=one limit=1 lifetime;
            $proxy
        }
        location /rows {
            modelguard_delay max=4s;
            modelguard_param \$.logprobs set=false;
            modelguard_budget f zone=one limit=4 window=1s unit=items;
            $proxy
        }
        location /off {
            modelguard_delay off;
            modelguard_budget g zone=one limit=1 window=1s;
            $proxy
        }
        location /dry {
            modelguard_delay max=4s;
            modelguard_dry_run on;
            modelguard_budget h zone=one limit=2 window=1s;
            $proxy
        }
        location /open {
            modelguard_delay max=4s;
            modelguard_budget i zone=two unit=concurrent limit=1;
            $proxy
        }
        location /fifo {
            modelguard_delay max=8s;
            modelguard_budget j zone=two limit=4 window=1s;
            $proxy
        }
        location /ban {
            modelguard_delay max=300ms;
            modelguard_ban after=1 in=1m for=1m;
            modelguard_budget k zone=two limit=1 window=1s;
            $proxy
        }
    }
CONF
}

my $server = ModelguardServer->start(conf());

sub request {
    my ($uri, $body) = @_;

    return "GET $uri HTTP/1.0\r\n\r\n" if !defined $body;
    return "POST $uri HTTP/1.0\r\nContent-Type: application/json\r\n"
           . "Content-Length: " . length($body) . "\r\n\r\n$body";
}

sub verdict {
    my ($text) = @_;
    my ($status) = $text =~ m{\AHTTP/\S+ (\d+)};
    my ($verdict) = $text =~ /^X-Verdict: (\S+)\r$/m;

    return ($status // '-') . ' ' . ($verdict // '-');
}

# requests that begin one after the other at once: [ verdict, seconds, text,
# place ] each

sub at_once {
    my (@requests) = @_;
    my $select = IO::Select->new;
    my (@answers, %index, $place);
    my $start = time;

    for my $i (0 .. $#requests) {
        my $socket = $server->connect;

        syswrite $socket, $requests[$i];
        $index{$socket} = $i;
        $answers[$i] = [ '', 0, '' ];
        $select->add($socket);
        sleep 0.01;
    }

    while ($select->count) {
        my @ready = $select->can_read(15) or last;

        for my $socket (@ready) {
            my $answer = $answers[$index{$socket}];

            next if sysread $socket, $answer->[2], 65536, length $answer->[2];

            $answer->[0] = verdict($answer->[2]);
            $answer->[1] = time - $start;
            $answer->[3] = $place++;
            $select->remove($socket);
        }
    }

    return @answers;
}

sub verdicts {
    return join ', ', map { $_->[0] } @_;
}

my @got = at_once((request('/long?k=a')) x 3);

is(verdicts(@got), '200 PASSED, 200 PASSED, 200 DELAYED',
   'the third of two waits');
cmp_ok($got[1][1], '<', 0.5, 'who passes does not');
cmp_ok($got[2][1], '>', 1.3, 'long enough');
cmp_ok($got[2][1], '<', 2, 'and not longer');
like($got[2][2], qr/^X-Delayed: 1\r$/m, 'counted');

like($server->log, qr/\[notice\].*modelguard:[ ]delaying[ ]request,[ ]1[45]\d\d
                      [ ]ms,[ ]budget[ ]"a",[ ]cost:[ ]1,[ ]
                      client:[ ][0-9a-f]{16},[ ]by[ ]zone[ ]"one",/x,
     'logged, one level below a refusal');
unlike($server->log, qr/limiting/, 'and not as one');

# refused at once

@got = at_once((request('/short?k=b')) x 3);
is(verdicts(@got), '200 PASSED, 200 PASSED, 429 LIMITED',
   'longer than "max": refused');
cmp_ok($got[2][1], '<', 0.5, 'at once');
like($got[2][2], qr/^Retry-After: 2\r$/m, 'with Retry-After');

@got = at_once(request('/never?k=c'));
is($got[0][0], '429 LIMITED', 'waiting never helps');
cmp_ok($got[0][1], '<', 0.5, 'so nobody waits');

@got = at_once((request('/life?k=c')) x 2);
is(verdicts(@got), '200 PASSED, 429 LIMITED', 'nor when a lifetime is spent');
cmp_ok($got[1][1], '<', 0.5, 'at once');

@got = at_once((request('/off?k=d')) x 2);
is(verdicts(@got), '200 PASSED, 429 LIMITED', 'off');

@got = at_once((request('/ban?k=d')) x 3);
is(verdicts(@got), '200 PASSED, 429 LIMITED, 429 BANNED',
   'who is banned does not wait');
cmp_ok($got[2][1], '<', 0.5, 'at all');

# a dry run: nobody waits

@got = at_once((request('/dry?k=e')) x 3);
is(verdicts(@got), '200 PASSED, 200 PASSED, 200 DELAYED_DRY_RUN', 'a dry run');
cmp_ok($got[2][1], '<', 0.5, 'at once');

# one after the other, in the order of coming

@got = at_once((request('/fifo?k=f')) x 10);
is(verdicts(@got), join(', ', ('200 PASSED') x 4, ('200 DELAYED') x 6),
   'six wait');
is(join(' ', map { $_->[3] } @got[4 .. 9]), '4 5 6 7 8 9',
   'and pass in the order in which they came');

my $apart = 0;

for my $i (5 .. 9) {
    $apart += ($got[$i][1] - $got[$i - 1][1] > 0.1);
}

cmp_ok($apart, '>=', 4, 'at intervals');

# each sleeps for those before it, so that they do not wake in vain

my @waits = $server->log =~ /delaying request, (\d+) ms, budget "j"/g;

is(scalar @waits, 6, 'six sleep');
is(scalar(grep { $waits[$_] > $waits[$_ - 1] + 150 } 1 .. $#waits), 5,
   "each longer than the one before: @waits");

# and none before there is room: at most limit + burst in any window

cmp_ok($got[4][1], '>', 1.1, 'the first of them after the window');

# the queue of the worker

@got = at_once((request('/narrow?k=g')) x 4);
is(verdicts(@got), '200 PASSED, 200 DELAYED, 200 DELAYED, 429 LIMITED',
   'two places, and one too many');
cmp_ok($got[3][1], '<', 0.5, 'is refused at once');

# who leaves frees his place, and is not charged

{
    my @gone = map { $server->connect } 1 .. 2;

    at_once(request('/narrow?k=h'));
    syswrite $_, request('/narrow?k=h') for @gone;
    sleep 0.2;
    close $_ for @gone;
    sleep 0.2;

    my $start = time;

    @got = at_once((request('/narrow?k=h')) x 2);
    is(verdicts(@got), '200 DELAYED, 200 DELAYED',
       'who leaves frees his place');
    cmp_ok($got[0][1], '<', 2.2, 'and has not been charged');
}

# a body is counted once, and edited once

{
    my $body = '{"instances": [1, 2, 3], "logprobs": true}';

    @got = at_once((request('/rows?k=i', $body)) x 2);
    is(verdicts(@got), '200 PASSED, 200 DELAYED', 'with a body');
    like($_->[2], qr/^X-Cost: 3\r$/m, 'of three items') for @got;
    like($_->[2], qr/43 \{"instances": \[1, 2, 3\], "logprobs": false\}$/,
         'that was edited once') for @got;
}

# the body may come in pieces, and other requests after it

{
    my $socket = $server->connect;
    my $body = '{"instances": [1, 2, 3]}';
    my $head = "POST /rows?k=j HTTP/1.1\r\nHost: x\r\nContent-Length: "
               . length($body) . "\r\n\r\n";
    my $text = '';

    syswrite $socket, $head . $body . $head . substr $body, 0, 9;
    sleep 0.1;
    syswrite $socket, substr($body, 9)
                      . "GET /off?k=j HTTP/1.1\r\nHost: x\r\n"
                      . "Connection: close\r\n\r\n";

    1 while sysread $socket, $text, 65536, length $text;

    is(join(' ', $text =~ /^X-Verdict: (\S+)\r$/mg), 'PASSED DELAYED PASSED',
       'three on one connection');
}

# leases

@got = at_once(request('/open?k=k'));
is($got[0][0], '200 PASSED', 'a lease');

# HTTP/2

sub h2 {
    my ($time, $uri) = @_;
    my $curl = "curl -s --http2-prior-knowledge -i -m $time";
    my $text = `$curl 'http://127.0.0.1:$h2$uri'`;

    return join ' ', $text =~ /^x-verdict: (\S+)\r$/mg;
}

is(join(' ', map { h2(9, '/long?k=l') } 1 .. 3), 'PASSED PASSED DELAYED',
   'HTTP/2');

at_once((request('/narrow?k=m')) x 1);
is(h2(0.3, '/narrow?k=m'), '', 'HTTP/2: a client that leaves')
    for 1 .. 2;
@got = at_once((request('/narrow?k=m')) x 2);
is(verdicts(@got), '200 DELAYED, 200 DELAYED', 'HTTP/2: its place is free');

# a worker that is told to go answers who waits, and goes

{
    my $socket = $server->connect;
    my $text = '';

    at_once((request('/long?k=n')) x 2);
    syswrite $socket, request('/long?k=n');
    sleep 0.1;

    is($server->reload(conf()), 1, 'a worker goes');
    sysread $socket, $text, 65536, length $text or last for 1 .. 9;
    is(verdict($text), '200 DELAYED', 'when who waits has been served');
    @got = at_once(request('/long?k=n2'));
    is($got[0][0], '200 PASSED', 'the next one works');
}

# one that is stopped does not wait for them

{
    my $socket = $server->connect;

    at_once((request('/long?k=o')) x 2);
    syswrite $socket, request('/long?k=o');
    sleep 0.1;
}

is(scalar(() = $server->log =~ /\[(alert|crit|emerg)\]/g), 0, 'no alert');

{
    my $start = time;

    $server->stop;
    cmp_ok(time - $start, '<', 1, 'a stopped server stops');
    is(scalar(() = $server->log =~ /\[(alert|crit|emerg)\]/g), 0,
       'no alert after it');
}

run_tests();

__DATA__

=== TEST 1: off
--- config
    location /t {
        modelguard_delay off;
        return 204;
    }
--- error_code: 204
