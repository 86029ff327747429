package ModelguardServer;

# Copyright (C) the modelguard authors
#
# An nginx of one's own, for tests that Test::Nginx's blocks cannot express:
# reloads with another configuration, several workers, many connections.
#
#     my $server = ModelguardServer->start($http, workers => 2);
#
#     $server->get('/t', 'X-Key: a');     the whole response
#     $server->reload($http);             1 if it was taken, else 0
#     $server->log;                       the error log so far
#     $server->stop;
#
# $http is the http block's contents; PORT in it becomes the server's port.
# With alerts => 0, t/99-alerts.t does not see this server's alerts.  With
# daemon => 1 it is not a child of ours, as a binary upgrade wants it.

use strict;
use warnings;

use File::Path qw( make_path remove_tree );
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw( sleep time );


sub start {
    my ($class, $http, %options) = @_;
    my $prefix = "$ENV{TEST_NGINX_SERVROOT}-server";

    my $self = bless { prefix => $prefix, port => free_port(),
                       workers => $options{workers} // 1,
                       master => $options{master} // 'on',
                       alerts => $options{alerts} // 1 }, $class;

    remove_tree($prefix);
    make_path("$prefix/conf", "$prefix/logs");

    $self->configure($http);
    $self->launch(%options)
        or die "nginx did not start: " . $self->log;

    return $self;
}


# Starts nginx with the configuration as it lies there; 1 if it serves, with
# all of its workers: who kills them has to know them.  What env sets is in its environment, and under => [...] is a command to run it.
# With daemon => 1 it is nobody's child: only so can it be upgraded.  With
# leaks => 0 nobody looks what it has not freed at its end: nginx frees little
# where it does not start, or has no master process.

sub launch {
    my ($self, %options) = @_;
    my $prefix = $self->{prefix};
    my $pid = fork;

    defined $pid or die "cannot fork: $!";

    if ($pid == 0) {
        open STDOUT, '>', "$prefix/logs/output" or die;
        open STDERR, '>&', \*STDOUT or die;
        %ENV = (%ENV, %{ $options{env} // {} });
        $ENV{ASAN_OPTIONS} .= ',detect_leaks=0'
            if defined $ENV{ASAN_OPTIONS}
               && (!($options{leaks} // 1) || $self->{master} eq 'off');
        exec @{ $options{under} // [] }, $ENV{TEST_NGINX_BINARY}, '-p',
             "$prefix/", '-c', "$prefix/conf/nginx.conf", '-g',
             'daemon ' . ($options{daemon} ? 'on;' : 'off;')
            or die "$ENV{TEST_NGINX_BINARY}: $!";
    }

    if ($options{daemon}) {
        waitpid $pid, 0;
        $pid = undef;
        $self->wait_for(sub { $pid = $self->master })
            or die "nginx did not start: " . $self->log;
    }

    $self->{pid} = $pid;

    my $up;

    # somebody else's answer on our port says nothing of this one

    $self->wait_for(sub {
        return 1 if waitpid($pid, POSIX::WNOHANG()) == $pid;

        return $up = ($self->{master} eq 'off'
                      || $self->workers >= $self->{workers})
                     && eval { $self->connect };
    });

    delete $self->{pid} if !$up;
    $self->{pid} = $self->pid_file if $up && $options{daemon};

    return $up ? 1 : 0;
}


# the pids of the processes that the master has started

sub workers {
    my ($self) = @_;

    return split ' ', `cat /proc/$self->{pid}/task/*/children 2>/dev/null`;
}


sub configure {
    my ($self, $http) = @_;
    my $prefix = $self->{prefix};

    my $load = join '', map { "load_module $_;\n" }
                            split ' ', $Test::Nginx::Util::LoadModules // '';

    my $paths = join '', map { "${_}_temp_path $prefix/$_;\n" }
                             qw( client_body proxy fastcgi uwsgi scgi );

    $http =~ s/\bPORT\b/127.0.0.1:$self->{port}/g;

    open my $out, '>', "$prefix/conf/nginx.conf" or die "$prefix: $!";
    print $out "${load}pid $prefix/logs/nginx.pid;\n"
               . "worker_processes $self->{workers};\n"
               . "master_process $self->{master};\n"
               . "error_log $prefix/logs/error.log info;\n"
               . ($self->{alerts} ? "error_log $ENV{MODELGUARD_ALERTS} alert;\n"
                                  : '')
               . "events { worker_connections 1024; }\n"
               . "http {\naccess_log off;\n$paths\n$http\n}\n";
    close $out;
}


sub connect {
    my ($self) = @_;

    return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                 PeerPort => $self->{port})
           || die "cannot connect: $!";
}


sub get {
    my ($self, $uri, @headers) = @_;
    my $socket = $self->connect;

    print $socket join "\r\n", "GET $uri HTTP/1.0", 'Host: localhost',
                               @headers, '', '';
    local $/;

    return <$socket> // '';
}


# New workers accept when the old ones have been told to go, and one of them
# may hear of it long after another has gone: until it has closed the socket it
# answers with the old configuration.  A refused one leaves all as it is.

sub reload {
    my ($self, $http) = @_;
    my $seen = length $self->log;
    my @old = $self->workers;
    my $taken;

    $self->configure($http);

    kill 'HUP', $self->{pid} or die "cannot signal nginx: $!";

    $self->wait_for(sub {
        my $log = substr $self->log, $seen;

        $taken = 1 if $log =~ /gracefully shutting down.*exited with code 0/s
                      && !grep { $self->listens($_) } @old;
        $taken = 0 if $log =~ /\[emerg\] (?!.*bind\(\) to)/
                      || $log =~ /still could not bind/;

        return defined $taken;
    }) or die "nginx did not reload: " . substr $self->log, $seen;

    return $taken;
}


# whether a process has the socket on which connections are accepted

sub listens {
    my ($self, $pid) = @_;
    my $local = sprintf '0100007F:%04X', $self->{port};

    open my $in, '<', '/proc/net/tcp' or die "/proc/net/tcp: $!";

    my %mine = map { ("socket:[$_->[9]]" => 1) }
                   grep { $_->[1] eq $local && $_->[3] eq '0A' }
                        map { [split ' ', $_] } <$in>;

    return grep { $mine{ readlink $_ // '' } } glob "/proc/$pid/fd/*";
}


sub log {
    my ($self) = @_;

    open my $in, '<', "$self->{prefix}/logs/error.log" or return '';

    local $/;

    return <$in> // '';
}


sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;

    kill 'TERM', $pid;
    waitpid $pid, 0;
    $self->wait_for(sub { gone($pid) });
}


# A zombie is gone, too: its parent may never ask for it.  Not so one that is
# about to be: its sockets are closed last.

sub gone {
    open my $in, '<', "/proc/$_[0]/stat" or return 1;

    return (<$in> // ') Z') =~ /\) [ZX]/;
}


sub alive {
    return !gone($_[0]);
}


sub pid_file {
    my ($self, $name) = @_;

    open my $in, '<', "$self->{prefix}/logs/" . ($name // 'nginx.pid')
        or return 0;

    return int(<$in> // 0);
}


# who is the master, as its file says

sub master {
    return $_[0]->pid_file || undef;
}


sub DESTROY {
    my ($self) = @_;
    local ($?, $!, $@);

    $self->stop;
}


sub wait_for {
    my ($self, $condition) = @_;
    my $end = time + 10;

    while (time < $end) {
        return 1 if $condition->();
        sleep 0.02;
    }

    return 0;
}


# Beside Test::Nginx's own and below those that the system gives to whoever
# connects: between a server's end and its next start nobody may be given it.

my $next_port = int rand 700;

sub free_port {
    my $base = ($ENV{TEST_NGINX_PORT} // 20000) + 200;

    for (1 .. 700) {
        my $port = $base + $next_port++ % 700;

        return $port if IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                              LocalPort => $port,
                                              Listen => 1);
    }

    die "no port is free from $base on";
}

1;
