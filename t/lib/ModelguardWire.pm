package ModelguardWire;

# Copyright (C) the modelguard authors

use strict;
use warnings;

use Exporter qw( import );
use IO::Select;
use IO::Socket::INET;
use Socket qw( SOL_SOCKET SO_RCVBUF inet_aton pack_sockaddr_in );
use IO::Uncompress::Gunzip;
use Test::More ();
use Time::HiRes qw( time sleep );

our @EXPORT = qw( wire_checks );


# Sends bytes to nginx and returns all that it says until it closes, or says
# nothing for five seconds, or for a moment when the length is reached; and
# what it had said after half a second.

sub talk {
    my ($bytes, $port, $slow) = @_;

    my $socket = IO::Socket::INET->new(Proto => 'tcp') or die "no socket: $!";

    setsockopt($socket, SOL_SOCKET, SO_RCVBUF, 4096) if $slow;

    $port ||= $Test::Nginx::Util::ServerPortForClient;

    connect($socket, pack_sockaddr_in($port, inet_aton('127.0.0.1')))
        or die "cannot connect: $!";

    my $select = IO::Select->new($socket);
    my ($answer, $early, $wait, $start) = ('', undef, 5, time);

    syswrite($socket, $bytes);

    while ($select->can_read($wait)) {
        my $now = time;

        $early //= $answer if $now > $start + 0.5;

        sysread($socket, $answer, $slow ? 4096 : 65536, length $answer)
            or last;

        sleep 0.002 if $slow && time < $start + 3;

        my ($head, $body) = split /\r\n\r\n/, $answer, 2;

        if (($head // '') =~ /^Content-Length: (\d+)/mi
            && length($body // '') >= $1)
        {
            $wait = 0.2;
        }
    }

    close $socket;

    return ($answer, $early // $answer);
}


sub unchunked {
    my ($head, $body) = split /\r\n\r\n/, $_[0], 2;
    my ($joined, $at) = ('', 0);

    return $body // '' if $head !~ /^Transfer-Encoding: chunked/mi;

    while (substr($body, $at, 20) =~ /\A([0-9a-f]+)\r\n/i && hex $1) {
        $at += length $&;
        $joined .= substr $body, $at, hex $1;
        $at += 2 + hex $1;
    }

    return substr($body, $at) eq "0\r\n\r\n" ? $joined : 'cut';
}


# Blocks with "--- wire" are not asked anything by Test::Nginx but a ping: the
# requests of that section (one a line) go to a socket of their own, each with
# the lines of "--- wire_headers", or "Connection: close" in their place.  All that came back,
# header and body, must match "--- wire_like" and not "--- wire_unlike", one
# expression a line; with "--- wire_length" it is so long after the header.
# "--- wire_early" is for the first half second, "--- wire_body" for the body
# without chunks and "--- wire_gunzip" for the same unzipped.  With "---
# wire_cut" the last chunk must be missing.  "--- wire_slow" reads slowly, and
# "--- wire_port" asks another server.

sub prepare {
    my ($block) = @_;

    return if !defined $block->wire;

    $block->set_value('request', 'GET /wire-ping');
    $block->set_value('error_code', 204);
    $block->set_value('config', ($block->config // '') . <<'CONF');
    location = /wire-ping {
        modelguard off;
        return 204;
    }
CONF
}


sub check {
    my ($block) = @_;

    return if !defined $block->wire;

    my $name = $block->name;
    my $headers = $block->wire_headers // 'Connection: close';

    $headers =~ s/\n*\z/\n/ if $headers ne '';
    $headers =~ s/\n/\r\n/g;

    for my $line (split /\n/, $block->wire) {

        next if $line eq '';

        my $version = $line =~ / HTTP\S+$/ ? '' : ' HTTP/1.1';
        my ($answer, $early) = talk("$line$version\r\nHost: localhost\r\n"
                                    . "$headers\r\n", scalar $block->wire_port,
                                    defined $block->wire_slow);

        for my $like (split /\n/, $block->wire_like // '') {
            Test::More::like($answer, qr/$like/s, "$name - $line: $like");
        }

        for my $unlike (split /\n/, $block->wire_unlike // '') {
            Test::More::unlike($answer, qr/$unlike/s,
                               "$name - $line: not $unlike");
        }

        if (defined $block->wire_length) {
            my ($head, $body) = split /\r\n\r\n/, $answer, 2;

            Test::More::is(length($body // ''), $block->wire_length,
                           "$name - $line: length of the body");
        }

        for my $like (split /\n/, $block->wire_early // '') {
            Test::More::like($early, qr/$like/s, "$name - $line early: $like");
        }

        if (defined $block->wire_body) {
            my $wanted = $block->wire_body;
            my $body = unchunked($answer);

            # the line end of a section in a file may not be of the body

            Test::More::ok($body eq $wanted || "$body\n" eq $wanted,
                           "$name - $line: body");
        }

        if (defined $block->wire_cut) {
            Test::More::is(unchunked($answer), 'cut', "$name - $line: cut");
        }

        if (defined $block->wire_gunzip) {
            my $wanted = $block->wire_gunzip =~ s/\n\z//r;
            my $zipped = unchunked($answer);

            IO::Uncompress::Gunzip::gunzip(\$zipped, \my $plain);
            Test::More::is($plain, $wanted, "$name - $line: unzipped");
        }
    }
}


# To be called before run_tests().

sub wire_checks {
    Test::Nginx::Socket::add_block_preprocessor(\&prepare);
    Test::Nginx::Socket::add_response_body_check(\&check);
}

1;
