# Copyright (C) the modelguard authors
#
# A model server that says less or more than it has to say, says two lengths,
# says something where there is nothing to say, or stops talking: at each place,
# in each framing.  What it breaks off is in t/75-truncated-upstream.t.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret;

my $length = length $Document;
my $event = "data: $Document\n\n";
my $line = "$Document\n";
my $zip = gzipped($Document, -Level => 0);
my @tricks;

# of each framing: a body, and the places where it is not in one piece

my @framings = (
    ['json', $Document, 'application/json'],
    ['events', $event x 2, 'text/event-stream'],
    ['lines', $line x 2, 'application/x-ndjson'],
    ['gzip', $zip, 'application/json', 'Content-Encoding' => 'gzip'],
);

sub stalls {
    return (@_, \3);
}

for my $framing (@framings) {
    my ($name, $body, $type, @headers) = @$framing;
    my $all = length $body;
    my @places = (1, int($all / 3), int($all / 2), $all - 1);

    push @headers, 'Content-Type' => $type;

    # more than said: what is over is not the answer's

    push @tricks, map {
        trick("$name: length $_ of $all",
              reply($body, @headers, 'Content-Length' => $_),
              'refused|cut|treated|empty|other', control => 0,
              ways => ['held', 'streamed', 'zipping']);
    } 0, @places;

    # less than said, and then nothing more

    push @tricks, map {
        trick("$name: stalls at $_",
              [stalls(reply(substr($body, 0, $_), @headers,
                            'Content-Length' => $all))],
              'refused|cut|treated|empty|other', control => 0,
              ways => ['held', 'streamed']);
    } 0, $places[1];

    # chunks that are longer or shorter than said

    push @tricks, map {
        my ($what, $said) = @$_;
        trick("$name: a chunk $what than it says",
              reply(sprintf("%x\r\n", $said) . "$body\r\n0\r\n\r\n", @headers,
                    'Transfer-Encoding' => 'chunked'),
              'refused|cut|treated|empty|other', control => 0,
              ways => ['held', 'streamed', 'zipping']);
    } ['longer', $all - 7], ['much longer', 3], ['shorter', $all + 4],
      ['much shorter', $all + 4000];

    push @tricks, trick("$name: stalls in a chunk",
                        [stalls(reply(sprintf("%x\r\n", $all)
                                      . substr($body, 0, $places[2]),
                                      @headers,
                                      'Transfer-Encoding' => 'chunked'))],
                        'refused|cut|treated|empty|other', control => 0,
                        ways => ['held', 'streamed']);

    # both a length and chunks; two lengths; none that is a number

    push @tricks,
        trick("$name: a length and chunks",
              reply(chunked($body), @headers, 'Content-Length' => 5,
                    'Transfer-Encoding' => 'chunked'),
              'refused|cut|treated', control => 0, ways => ['held',
                                                            'streamed']),
        trick("$name: two lengths",
              reply($body, @headers, 'Content-Length' => $all,
                    'Content-Length' => 7),
              'refused|cut|treated|empty|other', control => 0,
              ways => ['held', 'streamed']),
        (map { trick("$name: a length of \"$_\"",
                     reply($body, @headers, 'Content-Length' => $_),
                     'refused|cut|treated|empty|other', control => 0,
                     ways => ['held', 'streamed']) }
             '-1', 'x', '99999999999999999999', '0x10', ' ', "$all, $all");
}

# a second answer behind the first, in the same or in another write

my $second = reply('{"scores": [' . "$Secret]}");

push @tricks,
    trick('a second answer', reply($Document) . $second, 'treated'),
    trick('a second answer, later', [reply($Document), \0.02, $second],
          'treated'),
    trick('a second answer behind chunks',
          reply(chunked($Document), 'Transfer-Encoding' => 'chunked')
          . $second, 'refused|cut|treated', control => 0);

# a body where there must be none

push @tricks,
    trick('204 with a body', reply($Document, status => '204 No Content'),
          'empty|refused|cut', control => 0),
    trick('304 with a body', reply($Document, status => '304 Not Modified'),
          'empty|refused|cut|other', control => 0),
    trick('HEAD with a body', reply($Document), 'empty|refused|cut',
          method => 'HEAD', control => 0),
    trick('an interim answer with a body',
          "HTTP/1.1 100 Continue\r\n\r\n$Document" . reply($Document),
          'refused|cut|treated', control => 0,
          ways => ['held', 'streamed']);

# it stops in the header, or before it

push @tricks, map {
    trick("the header stalls: $_->[0]", [stalls($_->[1])], 'refused|cut',
          control => 0, ways => ['held', 'streamed']);
} ['at once', ''], ['in the status', 'HTTP/1.1 20'],
  ['in a name', "HTTP/1.1 200 OK\r\nContent-Le"],
  ['before its end', "HTTP/1.1 200 OK\r\nX-Score: $Secret\r\n"];

# a length of a number of scores that a header would tell

push @tricks, trick('one byte at a time, and the last is missing',
                    [(map { ($_, \0.0005) }
                          unpack '(a9)*', reply($Document, 'Content-Length'
                                                => $length + 1))],
                    'refused|cut', control => 0, ways => ['held',
                                                          'streamed']);

ways(@tricks, { server => 'proxy_read_timeout 300ms;' });
