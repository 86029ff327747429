# Copyright (C) the modelguard authors
#
# Ways round the guard: answers that the model breaks off, at every byte and
# in every manner.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret;

my $scores = "[$Secret, $Second]";
my $length = length $Document;
my @tricks;

# at every byte: shorter than said; to the end of the connection; in a chunk;
# between chunks; and reset

my @manners = (
    ['shorter than said', sub {
        reply($_[0], 'Content-Length' => $length) }],
    ['to the end', sub { reply($_[0], 'Content-Length' => undef) }],
    ['in a chunk', sub {
        reply(sprintf("%x\r\n", $length) . $_[0],
              'Transfer-Encoding' => 'chunked') }],
    ['between chunks', sub {
        reply(sprintf("%x\r\n", length $_[0]) . "$_[0]\r\n",
              'Transfer-Encoding' => 'chunked') }],
    ['reset', sub {
        [reply($_[0], 'Content-Length' => $length), \0.01, \'reset'] }],
);

for my $at (0 .. $length - 1) {
    my $part = substr $Document, 0, $at;
    my $manner = $manners[$at % @manners];
    my $other = $manners[($at + 1) % @manners];

    # what is left may have no secret in it yet

    push @tricks, map {
        trick("$_->[0] at $at", $_->[1]->($part),
              $at == 0 || $part !~ /\S/ ? 'refused|cut|empty'
                                        : 'refused|cut',
              control => 0,
              ways => [qw( held streamed )]) } $manner, $other;
}

# in a number and behind it, in all manners and ways

my $inside = index($Document, '4651928');
my $behind = index($Document, ',');

push @tricks, map {
    my ($name, $make) = @$_;
    map { trick("$name at $_", $make->(substr $Document, 0, $_),
                'refused|cut', control => $name eq 'to the end') }
        $inside, $behind, $behind - 1, $length - 1;
} @manners;

# the last chunk is missing, or bad

push @tricks, map {
    trick("chunks: $_->[0]", reply(chunked($Document) =~ s/0\r\n\r\n\z/$_->[1]/r,
                                   'Transfer-Encoding' => 'chunked'),
          $_->[2], control => 0, ways => [qw( held streamed zipping cached )]);
} ['no last chunk', '', 'refused|cut'], ['half of it', '0', 'refused|cut'],
  ['without its end', "0\r\n", 'refused|cut|treated'],
  ['a bad size', "zz\r\n", 'refused|cut'],
  ['a size too large', "ffffffffffffffff\r\n$Document", 'refused|cut'],
  ['a negative one', "-1\r\n$Document", 'refused|cut'],
  ['a size without a chunk', "400\r\n", 'refused|cut'];

# what is whole in itself, though the model has said more: never passed as if
# it were whole; and to the end of the connection it is whole

push @tricks,
    trick('a whole document, more was said',
          reply($Document, 'Content-Length' => $length + 10),
          'refused|cut'),
    trick('a whole document and blanks, more was said',
          reply("$Document  ", 'Content-Length' => $length + 10),
          'refused|cut'),
    trick('a whole document, reset behind it',
          [reply($Document, 'Content-Length' => $length + 1), \0.02,
           \'reset'], 'refused|cut', control => 0),
    trick('a whole document to the end',
          reply($Document, 'Content-Length' => undef), 'treated');

# big ones, whose beginning has been sent

my $big = '{"rows": ['
          . join(', ', map { qq({"scores": $scores, "pad": ")
                             . 'x' x 200 . '"}' } 1 .. 1500);

push @tricks, map { trick("a big one: $_->[0]", $_->[1], 'refused|cut') }
    ['shorter than said', reply($big, 'Content-Length' => 9999999)],
    ['in a number', reply("$big, {\"scores\": [0.83746519",
                          'Content-Length' => 9999999)],
    ['in a name', reply("$big, {\"sco", 'Content-Length' => 9999999)],
    ['in a chunk', reply(sprintf("%x\r\n", 9999999) . $big,
                         'Transfer-Encoding' => 'chunked')];

# in other framings and codings

push @tricks, map {
    my ($name, @reply) = @$_;
    trick($name, reply(@reply), 'refused|cut|treated|empty|other',
          ways => [qw( held streamed zipping )], control => 0);
} (
    (map { my $at = $_;
           ["events, at $at", substr("data: $Document\n\n", 0, $at),
            'Content-Type' => 'text/event-stream',
            'Content-Length' => $length + 50] }
         3, 10, 6 + $inside, 6 + $behind, 6 + $length, 7 + $length),
    (map { my $at = $_;
           ["events to the end, at $at",
            substr("data: $Document\n\n", 0, $at),
            'Content-Type' => 'text/event-stream',
            'Content-Length' => undef] }
         3, 10, 6 + $inside, 6 + $behind, 6 + $length, 7 + $length),
    (map { my $at = $_;
           ["lines, at $at", substr("$Document\n$Document\n", 0, $at),
            'Content-Type' => 'application/x-ndjson',
            'Content-Length' => 2 * $length + 2] }
         $inside, $behind, $length, $length + 1, $length + $inside),
    (map { my $at = $_;
           ["lines to the end, at $at",
            substr("$Document\n$Document\n", 0, $at),
            'Content-Type' => 'application/x-ndjson',
            'Content-Length' => undef] }
         $inside, $behind, $length, $length + 1, $length + $inside),
    (map { my $at = $_; my $zip = gzipped($Document, -Level => 0);
           (["gzip, at $at", substr($zip, 0, $at),
             'Content-Encoding' => 'gzip', 'Content-Length' => length $zip],
            ["gzip to the end, at $at", substr($zip, 0, $at),
             'Content-Encoding' => 'gzip', 'Content-Length' => undef]) }
         1, 9, 15, 30, 50, length(gzipped($Document, -Level => 0)) - 8,
         length(gzipped($Document, -Level => 0)) - 1),
    (map { my $at = $_; my $zstd = zstandard($Document);
           ["zstd to the end, at $at", substr($zstd, 0, $at),
            'Content-Encoding' => 'zstd', 'Content-Length' => undef] }
         3, 8, 30, 60),
    (map { my $at = $_; my $br = brotli($Document);
           ["brotli to the end, at $at", substr($br, 0, $at),
            'Content-Encoding' => 'br', 'Content-Length' => undef] }
         2, 30, length(brotli($Document)) - 1),
);

# headers that are cut, and no answer at all

push @tricks, map { trick("headers: $_->[0]", $_->[1], 'refused|cut',
                          control => 0, ways => ['held', 'streamed']) }
    ['nothing', ''], ['half a status', 'HTTP/1.1 2'],
    ['no end', "HTTP/1.1 200 OK\r\nX-Score: $Secret\r\n"],
    ['reset', ["HTTP/1.1 200 OK\r\nX-Score: $Secret\r\n", \0.01, \'reset']],
    ['HTTP/0.9', $Document];

# the model hangs in the middle of a number

push @tricks, trick('it hangs', [reply("{\"scores\": [0.8374",
                                       'Content-Length' => 50), \3],
                    'refused|cut', control => 0, ways => ['held', 'streamed']);

ways(@tricks, { server => 'proxy_read_timeout 1s;' });
