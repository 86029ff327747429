# Copyright (C) the modelguard authors
#
# Ways round the guard: numbers of 100 MB, made by the model as they are sent.
# Nothing of them may come through, in time, and the worker may not grow.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret;

use IO::Socket::INET;
use Time::HiRes qw( time );

my $digits = '8374651928' x 6553;
my $piece = length $digits;


# a start, so many bytes of one digit after the other, an end

sub endless {
    my ($type, $start, $bytes, $end) = @_;
    my @left = (int($bytes / $piece), $end);

    return ("HTTP/1.1 200 OK\r\nContent-Type: $type\r\n"
            . "Connection: close\r\n\r\n$start",
            sub { return $left[0]-- > 0 ? $digits
                         : $left[0] == -1 ? $end : undef });
}


my @numbers = (
    ['a fraction', '{"scores": [0.', '], "note": "a"}'],
    ['an integer', '{"scores": [', ']}'],
    ['an integer and a fraction', '{"scores": [1', '.5]}'],
    ['an exponent', '{"scores": [1e', ']}'],
    ['a negative exponent', '{"scores": [1e-', ']}'],
    ['a fraction and an exponent', '{"scores": [0.', 'e-5]}'],
    ['a lone score', '{"scores": 0.', '}'],
    ['a logprob', '{"logprobs": [-0.', ']}'],
    ['an embedding', '{"embedding": [0.', ']}'],
    ['a string for a score', '{"scores": ["0.', '"]}'],
    ['a string for scores', '{"scores": "0.', '"}'],
    ['metadata', '{"meta": 0.', ', "scores": [0.84]}'],
    ['metadata in a string', '{"meta": "', '", "scores": [0.84]}'],
    ['behind a leading zero', '{"scores": [0', ']}'],
    ['never ending', '{"scores": [0.', ''],
    ['in no field', '{"x": 0.', ', "scores": [0.84]}'],
    ['many of them', '{"scores": [0.84, 0.', ', 0.1, 0.2]}'],
);

my @cases = map {
    my ($name, $start, $end) = @$_;
    (["$name", $start, $end, 'application/json'],
     map({ ["$name, an event", "data: $start", "$end\n\n",
            'text/event-stream'],
           ["$name, a line", $start, "$end\n", 'application/x-ndjson'] }
         $name =~ /^a (fraction|lone score|string for a score)$/ ? 1 : ()))
} @numbers;

my $port = backend(model => sub {
    my ($request) = @_;
    my ($number, $bytes) = $request->{uri} =~ m{/(\d+)/(\d+)$} or return;
    my ($name, $start, $end, $type) = @{ $cases[$number] };

    return endless($type, $start, $bytes, $end);
});

my $server = ModelguardServer->start(<<"CONF");
    modelguard_profile two { scores round=2; embedding round=2;
                             logprobs round=2; metadata drop; }
    modelguard_field scores \$.scores;
    modelguard_field logprobs \$.logprobs;
    modelguard_field embedding \$.embedding;
    modelguard_field metadata \$.meta;
    proxy_http_version 1.1;
    proxy_buffering off;
    server {
        listen PORT;
        location /held/ { modelguard two;
                          proxy_pass http://127.0.0.1:$port; }
        location /streamed/ { modelguard two; modelguard_buffer_size 0;
                              proxy_pass http://127.0.0.1:$port; }
        location /plain/ { proxy_pass http://127.0.0.1:$port; }
    }
CONF

my ($worker) = $server->workers;


sub peak {
    my $text = do { local (@ARGV, $/) = "/proc/$worker/status"; <> };

    return $text =~ /^VmHWM:\s+(\d+) kB/m ? $1 : 0;
}


# The first 100,000 bytes that come, the last ones, and how many in all.

sub read_all {
    my ($uri) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $server->{port})
        or die "cannot connect: $!";

    my ($first, $last, $length) = ('', '', 0);
    my $end = time + 60;

    syswrite $socket, "GET $uri HTTP/1.1\r\nHost: x\r\n"
                      . "Connection: close\r\n\r\n";

    while (time < $end && sysread $socket, my $bytes, 262144) {
        $length += length $bytes;
        $first .= substr $bytes, 0, 100000 - length $first
            if length $first < 100000;
        $last = substr $last . $bytes, -1000;
    }

    return ($first, $last, $length, time < $end);
}


my $sanitized = ($ENV{MODELGUARD_MODE} // '') =~ /^(asan|coverage)$/;

# one MB for all of them, 100 MB for the telling ones

for my $number (0 .. $#cases) {
    my ($name) = @{ $cases[$number] };
    my $long = grep { $name eq $_ } 'a fraction', 'an integer',
                                    'an exponent', 'a string for a score',
                                    'metadata', 'metadata in a string',
                                    'never ending', 'in no field',
                                    'a fraction, an event',
                                    'a fraction, a line';

    for my $way ('held', 'streamed') {
        my $bytes = $long && !$sanitized && $way eq 'streamed' ? 100_000_000
                                                               : 1_000_000;
        my $before = peak();
        my ($first, $last, $length, $ended)
            = read_all("/$way/$number/$bytes");
        my $named = "$name, $bytes bytes, $way";
        my ($head, $body) = split /\r\n\r\n/, $first, 2;

        ok($ended, "$named: in time");

        # what no field names is passed, in whatever length

        my @leaks = $name eq 'in no field'
                    ? () : (leaks($first), leaks("\r\n\r\n$last"));

        is("@leaks", '', "$named: no forbidden digit");
        cmp_ok(peak() - $before, '<', 2048, "$named: memory, KB")
            if !$sanitized;
        diag("$named: $length bytes")
            if $ENV{MODELGUARD_VERBOSE};
    }
}

my ($first) = read_all('/plain/0/1000000');

ok(leaks($first) > 0, 'seen where nothing is guarded');

# the worker is the one that it was

is(($server->workers)[0], $worker, 'the worker lives');
is(scalar(() = $server->log =~ /\[(alert|crit|emerg)\]/g), 0, 'no alert');
