# Copyright (C) the modelguard authors
#
# A worker keeps the large blocks of a response for the next one: answers of
# all sizes at once, and what they leave behind.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;

# rows of 20 scores; 502 and the connection's end for what is not JSON

sub row    { return '[' . join(',', map { '0.' . 123456 * $_ } 1 .. 20) . ']' }
sub scores { return '{"rows":[' . join(',', (row()) x $_[0]) . ']' }

my $rounded = '[' . join(',', map { sprintf '%.2f', '0.' . 123456 * $_ }
                              1 .. 20) . ']';
$rounded =~ s/0(?=[],])//g;

my $backend = backend(model => sub {
    my ($request) = @_;
    my ($kind, $rows) = $request->{uri} =~ m{^/(\w+)/(\d+)};
    my $body = scores($rows) . ($kind eq 'bad' ? '' : '}');

    return json_reply($body) if $kind ne 'cut';

    # in pieces, so that others come between

    return (json_reply('', 'Content-Length' => undef),
            map { ($_, \0.001) } unpack '(a5000)*', $body);
});

my $server = ModelguardServer->start(<<"CONF");
    modelguard_profile two { scores round=2; }

    server {
        listen PORT;

        location / {
            modelguard two;
            modelguard_field scores \$.rows[*];
            proxy_buffers 16 16k;
            proxy_pass http://127.0.0.1:$backend;
        }
    }
CONF

my ($worker) = split ' ', do {
    my $master = $server->master;

    open my $in, '<', "/proc/$master/task/$master/children"
        or die "no children: $!";
    <$in>;
};

sub begin {
    my $socket = $server->connect;

    print $socket "GET $_[0] HTTP/1.0\r\n\r\n";

    return $socket;
}

sub body {
    my ($socket) = @_;
    my $answer = do { local $/; <$socket> } // '';

    return ($answer =~ /\r\n\r\n(.*)/s)[0] // '';
}

sub expected { return '{"rows":[' . join(',', ($rounded) x $_[0]) . ']}' }

sub faults {
    open my $in, '<', "/proc/$worker/stat" or die "no stat: $!";

    return (split ' ', (<$in> =~ s/.*\) //r))[7];
}

sub rss {
    open my $in, '<', "/proc/$worker/status" or die "no status: $!";

    return (join('', <$in>) =~ /VmRSS:\s+(\d+)/)[0];
}

# all at once: what is withheld, what is over modelguard_buffer_size (256k
# are 3500 rows), what is refused with the header still held, and after it

my @sizes = (1, 30, 500, 3400, 3600, 6000, 2, 40);
my $wrong = 0;

sub round_of_all {
    my @open = map { [$_, begin("/cut/$_")] } @sizes;
    my @bad = map { begin("/bad/$_") } 1, 500, 6000;

    push @open, map { [$_, begin("/whole/$_")] } @sizes;

    # one who does not wait

    close begin('/whole/6000');

    $wrong += body($_->[1]) ne expected($_->[0]) for @open;
    $wrong += body($_) =~ /0\.\d{3}/ for @bad;
}

round_of_all() for 1 .. 3;

# how many are withheld at once is up to the machine; what is lost for good is
# lost every time

my $grown;

for (1 .. 5) {
    my $rss = rss();

    round_of_all() for 1 .. 3;

    $grown = rss() - $rss;
    last if $grown < 1024;
}

is($wrong, 0, 'answers at once, of all sizes, many times');

SKIP: {
    skip 'a sanitizer lets nothing be used again', 2
        if $ENV{MODELGUARD_MODE} eq 'asan';

    cmp_ok($grown, '<', 1024, "no more memory another time ($grown KB)");

    body(begin('/whole/500')) for 1 .. 10;

    my $before = faults();

    body(begin('/whole/500')) for 1 .. 50;

    my $faults = faults() - $before;

    cmp_ok($faults, '<', 50, "50 answers without new pages ($faults)");
}

like($server->log, qr/response (?:blocked|cut)/, 'the bad ones were seen');

$server->stop;

run_tests();

__DATA__

=== TEST 1: nginx works
--- config
    location /t {
        return 204;
    }
--- error_code: 204
