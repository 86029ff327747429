package ModelguardLoad;

# Copyright (C) the modelguard authors
#
# Many keep-alive connections to one server, one request at a time on each,
# from one process.  Every answer is counted when all of it has come, and so
# is every request whose answer never came: what a server has done for those
# nobody knows.
#
#     my $load = ModelguardLoad->new($server, connections => 16,
#                                    next => sub { [$tag, $request] });
#
#     $load->run(sub { $load->{answers} >= 100 });
#     $load->drain;                    after the server is gone
#
# next returns undef when there is nothing more to ask.  $load->{count} holds
# for each tag how many answers came with each status; $load->{lost} how many
# requests were sent in vain.

use strict;
use warnings;

use Errno qw( EAGAIN EINTR );
use IO::Socket::INET;
use Time::HiRes qw( time );


sub new {
    my ($class, $server, %options) = @_;

    return bless { server => $server, answers => 0, count => {}, lost => {},
                   closed => 0, open => {}, set => '', %options }, $class;
}


sub open_one {
    my ($self) = @_;
    my $socket = eval { $self->{server}->connect } or return 0;
    my $fd = fileno $socket;

    $socket->blocking(0);
    $self->{open}{$fd} = { socket => $socket, text => '' };
    vec($self->{set}, $fd, 1) = 1;
    $self->ask($fd);

    return 1;
}


sub close_one {
    my ($self, $fd) = @_;
    my $one = delete $self->{open}{$fd};

    vec($self->{set}, $fd, 1) = 0;
    $self->{lost}{ $one->{tag} }++ if defined $one->{tag};
    $self->{closed}++;
}


# A request that nothing could be written of was not sent.

sub ask {
    my ($self, $fd) = @_;
    my $one = $self->{open}{$fd};
    my $next = $self->{enough} ? undef : $self->{next}->();

    local $SIG{PIPE} = 'IGNORE';

    if (!$next) {
        $self->close_one($fd);
        return;
    }

    $one->{tag} = $next->[0];
    $one->{text} = '';

    # a request fits into any socket's buffer

    if (!defined syswrite $one->{socket}, $next->[1]) {
        undef $one->{tag};
        $self->{unsent}->($next) if $self->{unsent};
        $self->close_one($fd);
    }
}


# 1 if the connection goes on

sub hear {
    my ($self, $fd) = @_;
    my $one = $self->{open}{$fd};
    my $got = sysread $one->{socket}, $one->{text}, 65536,
                      length $one->{text};

    if (!$got) {
        return 1 if !defined $got && ($! == EAGAIN || $! == EINTR);
        $self->close_one($fd);
        return 0;
    }

    my $end = index $one->{text}, "\r\n\r\n";

    return 1 if $end < 0;

    my $head = substr $one->{text}, 0, $end;
    my ($length) = $head =~ /^Content-Length: (\d+)/mi;

    return 1 if length $one->{text} < $end + 4 + ($length // 0);

    my ($status) = $head =~ m{^HTTP/1\.. (\d+)};

    $self->{count}{ $one->{tag} }{$status}++;
    $self->{answers}++;
    $self->{answer}->($one->{tag}, $status, $one->{text})
        if $self->{answer};
    undef $one->{tag};

    if ($head =~ /^Connection: close/mi) {
        $self->close_one($fd);
        return 0;
    }

    $self->ask($fd);

    return 1;
}


# Goes on until stop() is true, or nothing more is asked for.  Connections
# that the server closes are opened anew.

sub run {
    my ($self, $stop) = @_;
    my $end = time + ($self->{patience} // 60);

    $self->{enough} = 0;

    while (time < $end && !($stop && $stop->())) {

        while (keys %{ $self->{open} } < $self->{connections}) {
            my $before = keys %{ $self->{open} };

            last if !$self->open_one || keys %{ $self->{open} } == $before;
        }

        last if !keys %{ $self->{open} };

        my $ready = $self->{set};

        select($ready, undef, undef, 0.5) > 0 or next;

        for my $fd (keys %{ $self->{open} }) {
            $self->hear($fd) if vec $ready, $fd, 1;
        }
    }
}


# Asks for nothing more, and hears what still comes.

sub drain {
    my ($self, $seconds) = @_;
    my $end = time + ($seconds // 10);

    $self->{enough} = 1;

    while (time < $end && keys %{ $self->{open} }) {
        my $ready = $self->{set};

        select($ready, undef, undef, 0.5) > 0 or next;

        for my $fd (keys %{ $self->{open} }) {
            $self->hear($fd) if vec $ready, $fd, 1;
        }
    }

    $self->close_one($_) for keys %{ $self->{open} };
}


# of one tag: answers with that status

sub answered {
    my ($self, $tag, $status) = @_;

    return $self->{count}{$tag}{ $status // 200 } // 0;
}


sub total {
    my ($self, $status) = @_;
    my $sum = 0;

    $sum += $_->{$status} // 0 for values %{ $self->{count} };

    return $sum;
}


sub lost {
    my ($self, $tag) = @_;

    return $self->{lost}{$tag} // 0 if defined $tag;

    my $sum = 0;

    $sum += $_ for values %{ $self->{lost} };

    return $sum;
}

1;
