package ModelguardWire;

# Copyright (C) the modelguard authors

use strict;
use warnings;

use Exporter qw( import );
use IO::Select;
use IO::Socket::INET;
use IO::Uncompress::Gunzip;
use Test::More ();

our @EXPORT = qw( wire_checks );


# Sends bytes to nginx and returns all that it says until it closes, or says
# nothing for five seconds, or for a moment when the length is reached.

sub talk {
    my ($bytes) = @_;

    my $port = $Test::Nginx::Util::ServerPortForClient;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $port)
        or die "cannot connect: $!";

    my $select = IO::Select->new($socket);
    my $answer = '';

    syswrite($socket, $bytes);

    my $wait = 5;

    while ($select->can_read($wait)) {
        sysread($socket, $answer, 65536, length $answer) or last;

        my ($head, $body) = split /\r\n\r\n/, $answer, 2;

        if (($head // '') =~ /^Content-Length: (\d+)/mi
            && length($body // '') >= $1)
        {
            $wait = 0.2;
        }
    }

    close $socket;

    return $answer;
}


# Blocks with "--- wire" are not asked anything by Test::Nginx but a ping: the
# requests of that section (one a line) go to a socket of their own, each with
# the lines of "--- wire_headers", or "Connection: close" in their place.  All that came back,
# header and body, must match "--- wire_like" and not "--- wire_unlike", one
# expression a line; with "--- wire_length" it is so long after the header.

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
        my $answer = talk("$line$version\r\nHost: localhost\r\n"
                          . "$headers\r\n");

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

        if (defined $block->wire_gunzip) {
            my ($head, $body) = split /\r\n\r\n/, $answer, 2;
            my ($wanted) = $block->wire_gunzip =~ /(.*)/;
            my $plain = '';

            if ($head =~ /chunked/i) {
                my $joined = '';

                while ($body =~ s/\A([0-9a-f]+)\r\n//i && hex $1) {
                    $joined .= substr $body, 0, hex $1, '';
                    $body =~ s/\A\r\n//;
                }

                $body = $joined;
            }

            IO::Uncompress::Gunzip::gunzip(\$body, \$plain);
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
