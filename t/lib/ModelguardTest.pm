package ModelguardTest;

# Copyright (C) the modelguard authors

use strict;
use warnings;

use Cwd qw( getcwd realpath );
use File::Basename qw( dirname );
use File::Path qw( make_path );
use IO::Socket::INET;
use Socket qw( IPPROTO_TCP TCP_NODELAY SOL_SOCKET SO_LINGER );
use Test::More ();
use Time::HiRes ();

our $TOP;

my $asan;


# Test::Nginx looks at the environment and at the current directory when it is
# loaded, so that this has to come first.  Whoever runs one file by hand gets
# Debian's nginx and the module of the last "make build".

BEGIN {
    $TOP = realpath(dirname(__FILE__) . '/../..');

    my $run = $ENV{MODELGUARD_RUN} || "$TOP/build/run/by-hand";

    if (!$ENV{TEST_NGINX_BINARY}) {
        $ENV{TEST_NGINX_BINARY} = '/usr/sbin/nginx';
        $ENV{TEST_NGINX_LOAD_MODULES}
            //= "$TOP/build/ngx_http_modelguard_module.so";
    }

    $ENV{MODELGUARD_CORPUS} ||= "$TOP/../shared/corpus";
    $ENV{TEST_NGINX_TOP} = $TOP;
    $ENV{TEST_NGINX_BESIDE} = "$TOP/build/beside/usr/lib/nginx/modules";
    $ENV{TEST_NGINX_SERVROOT} ||= "$run/servroot";
    $ENV{MODELGUARD_ALERTS} ||= "$run/alerts.log";

    # random ports put the server root and the locks in places of their own
    make_path("$run/t", "$run/tmp");
    $ENV{TMPDIR} = "$run/tmp";

    # a process that only reads its configuration leaves its memory to the
    # system: not a leak

    $asan = $ENV{ASAN_OPTIONS};

    my $cwd = getcwd();

    chdir $run or die "cannot change to $run: $!";
    require Test::Nginx::Socket;
    chdir $cwd or die "cannot change to $cwd: $!";
}

our @EXPORT = qw( backend json_reply in_pieces read_corpus beside run_tests
                  nginx_output top );

my (@backends, $ran);
my $first = $$;


# Our names and those of Test::Nginx::Socket, all into the caller; its DATA
# holds the blocks.

sub import {
    my ($class, @options) = @_;
    my $caller = caller;

    strict->import;
    warnings->import;

    die "$class takes no options" if @options;

    eval "package $caller; use Test::Nginx::Socket 'no_plan'; 1" or die $@;

    no strict 'refs';
    no warnings 'redefine';

    *{"${caller}::$_"} = \&{$_} for @EXPORT;
}


sub top {
    return $TOP;
}


# Every block: no alert, no crit and no emerg unless it says otherwise; GET /t
# unless it says otherwise; and a second log with nothing but alerts, which
# t/99-alerts.t reads when all is over: what the master writes at the end of
# a process comes after the checks of the block.

sub prepare_block {
    my ($block) = @_;

    $ran++;

    if (defined $asan) {
        $ENV{ORI_ASAN_OPTIONS}
            = $asan . (defined $block->must_die ? ',detect_leaks=0' : '');
    }

    # Test::Nginx warns of what a configuration that has to fail says

    if (defined $block->must_die) {
        if (defined $block->error_log && !ref $block->error_log) {
            $block->set_value('error_log', "[emerg]\n" . $block->error_log);
        }

        return;
    }

    if (!defined $block->no_error_log) {
        my $expected = $block->error_log // '';

        $expected = join "\n", @$expected if ref $expected eq 'ARRAY';

        $block->set_value('no_error_log',
                          [ grep { index($expected, $_) < 0 }
                                 '[alert]', '[crit]', '[emerg]' ]);
    }

    if (!defined $block->request && !defined $block->raw_request
        && !defined $block->pipelined_requests)
    {
        $block->set_value('request', 'GET /t');
    }

    my $http = $block->http_config // '';
    my $postpone = $ENV{TEST_NGINX_POSTPONE_OUTPUT};

    # Test::Nginx writes it to the configuration only along with HUP

    if (defined $postpone && $http !~ /\bpostpone_output\b/) {
        $block->set_value('http_config', "postpone_output $postpone;\n$http");
    }

    # most blocks are about rewriting only, which nginx would warn of

    $http = $block->http_config // '';

    if ($http !~ /\bmodelguard_budget\b/) {
        $block->set_value('http_config', "modelguard_budget off;\n$http");
    }

    if (!defined $block->allow_alerts) {
        $block->set_value('main_config',
                          "error_log $ENV{MODELGUARD_ALERTS} alert;\n"
                          . ($block->main_config // ''));
    }
}


sub run_tests() {
    my $blocks = scalar Test::Base::blocks();

    $ran = 0;

    Test::Nginx::Socket::no_long_string();
    Test::Nginx::Socket::master_on();
    Test::Nginx::Socket::add_block_preprocessor(\&prepare_block);

    Test::Nginx::Socket::run_tests();

    Test::More::is($ran, $blocks, "$0 all $blocks blocks were run");
}


# Other people's modules, by the name of the file without .so, loaded after
# ours into the same nginx.

sub beside {
    for my $name (@_) {
        my $file = "$ENV{TEST_NGINX_BESIDE}/$name.so";

        die "$file is missing: run tools/install-deps.sh test" if !-f $file;

        $Test::Nginx::Util::LoadModules
            = join ' ', grep { defined }
                             $Test::Nginx::Util::LoadModules, $file;
    }
}


# nginx_output($configuration, @options): the exit code of the nginx under
# test and what it printed, for "-t" and the like, in a prefix of its own.

sub nginx_output {
    my ($conf, @options) = @_;
    my $prefix = "$ENV{TEST_NGINX_SERVROOT}-output";

    make_path("$prefix/conf", "$prefix/logs");

    my $load = join '', map { "load_module $_;\n" }
                            split ' ', $Test::Nginx::Util::LoadModules // '';

    # the compiled-in folders belong to the system's nginx
    my $paths = join '', map { "${_}_temp_path $prefix/$_;\n" }
                             qw( client_body proxy fastcgi uwsgi scgi );

    $conf =~ s/\bhttp\s*\{/http {\n$paths/;

    open my $out, '>', "$prefix/conf/nginx.conf" or die "$prefix: $!";
    print $out "${load}pid $prefix/logs/nginx.pid;\n$conf";
    close $out;

    my $pid = open my $in, '-|';

    defined $pid or die "cannot fork: $!";

    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT or die;
        $ENV{ASAN_OPTIONS} = "$asan,detect_leaks=0" if defined $asan;
        exec $ENV{TEST_NGINX_BINARY}, '-p', "$prefix/", '-c',
             "$prefix/conf/nginx.conf", @options
            or die "$ENV{TEST_NGINX_BINARY}: $!";
    }

    my $text = do { local $/; <$in> };

    close $in;

    return ($? >> 8, $text // '');
}


# One request from a socket: a hash of method, uri, headers (lower case), body
# and raw (all of it).  undef if the peer said nothing.

sub read_request {
    my ($socket) = @_;
    my $raw = '';

    until ($raw =~ /\r\n\r\n/) {
        sysread($socket, $raw, 65536, length $raw) or return undef;
    }

    my ($head, $body) = split /\r\n\r\n/, $raw, 2;
    my ($line, @lines) = split /\r\n/, $head;
    my %headers = map { /^([^:]+):\s*(.*)$/ ? (lc $1, $2) : () } @lines;
    my $length = $headers{'content-length'} || 0;

    while (length $body < $length) {
        sysread($socket, $body, 65536, length $body) or last;
    }

    my ($method, $uri) = split / /, $line;

    return { method => $method, uri => $uri, headers => \%headers,
             body => $body, raw => "$head\r\n\r\n$body" };
}


sub send_all {
    my ($socket, $bytes) = @_;
    my $sent = 0;

    while ($sent < length $bytes) {
        $sent += syswrite($socket, $bytes, length($bytes) - $sent, $sent)
                 // return 0;
    }

    return 1;
}


sub serve_connection {
    my ($socket, $answer, $count) = @_;

    setsockopt($socket, IPPROTO_TCP, TCP_NODELAY, 1);

    my $request = read_request($socket) or return;

    $request->{count} = $count;

    for my $piece ($answer->($request)) {

        if (!ref $piece) {
            send_all($socket, $piece) or return;

        } elsif (ref $piece eq 'CODE') {
            while (defined(my $bytes = $piece->())) {
                send_all($socket, $bytes) or return;
            }

        } elsif ($$piece eq 'reset') {
            setsockopt($socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));
            close $socket;
            return;

        } else {
            Time::HiRes::sleep($$piece);
        }
    }

    shutdown($socket, 1);

    # until nginx has read all of it and closes: a close with unread input
    # would be a reset

    1 while sysread($socket, my $rest, 65536);
}


# backend($name, $answer): a server for as long as this file runs.  $answer is
# called with each request and returns what to send, piece by piece: a string
# is one write, \0.1 a pause of that many seconds, \'reset' a reset, a function
# is called for more bytes until it returns undef.  It sends
# bytes, so a status line is up to the caller; see json_reply().  Its port is
# $TEST_NGINX_NAME_PORT in the blocks, and the return value.

sub backend {
    my ($name, $answer) = @_;

    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 128,
                                       ReuseAddr => 1)
        or die "cannot listen: $!";

    my $port = $listen->sockport;
    my $parent = $$;
    my $pid = fork;

    defined $pid or die "cannot fork: $!";

    if ($pid == 0) {
        my $count = 0;
        my $set = '';

        @backends = ();
        $SIG{CHLD} = 'IGNORE';
        $SIG{PIPE} = 'IGNORE';
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', '/dev/null';

        vec($set, fileno $listen, 1) = 1;

        while (getppid() == $parent) {
            my $ready = $set;

            next if select($ready, undef, undef, 1) <= 0;

            my $socket = $listen->accept or next;
            my $child;

            $count++;

            next if $child = fork;

            if (defined $child) {
                close $listen;
                alarm 60;
                serve_connection($socket, $answer, $count);
                POSIX::_exit(0);
            }
        }

        POSIX::_exit(0);
    }

    close $listen;
    push @backends, $pid;
    $ENV{'TEST_NGINX_' . uc($name) . '_PORT'} = $port;

    return $port;
}


# An HTTP response: the body, and headers in place of or beside the defaults;
# status => '404 Not Found' sets the status, undef takes a header away.

sub json_reply {
    my ($body, %options) = @_;
    my $status = delete $options{status} // '200 OK';

    my %headers = ('Content-Type' => 'application/json',
                   'Content-Length' => length $body,
                   'Connection' => 'close', %options);

    return join "\r\n", "HTTP/1.1 $status",
                (map { defined $headers{$_} ? "$_: $headers{$_}" : () }
                     sort keys %headers),
                '', $body;
}


# A string in pieces of so many bytes, with a pause after each that makes
# nginx read them one by one.

sub in_pieces {
    my ($text, $size, $pause) = @_;

    return map { ($_, \($pause // 0.002)) } unpack "(a$size)*", $text;
}


# The bytes of a corpus file, or undef if there is no corpus.

sub read_corpus {
    my ($name) = @_;

    open my $in, '<:raw', "$ENV{MODELGUARD_CORPUS}/$name" or return undef;

    local $/;

    return scalar <$in>;
}


END {
    if ($$ == $first) {
        local $?;

        for my $pid (@backends) {
            kill 'TERM', $pid;
            waitpid $pid, 0;
        }
    }
}

1;

__END__

=head1 NAME

ModelguardTest - Test::Nginx::Socket with this project's defaults

=head1 SYNOPSIS

    use lib 't/lib';
    use ModelguardTest;

    backend(model => sub {
        my ($request) = @_;     # method uri headers body raw count
        return in_pieces(json_reply('{"score": 0.123456}'), 1);
    });

    run_tests();

    __DATA__

    === TEST 1: a sentence of behaviour
    --- config
        location /t {
            proxy_pass http://127.0.0.1:$TEST_NGINX_MODEL_PORT;
        }
    --- response_body chomp
    {"score": 0.12}

=head1 DESCRIPTION

All of Test::Nginx::Socket works as documented there.  No plan is given: the
number of checks is counted, and that every block ran is one of them.  Each
block asks C<GET /t> unless it has a request, and fails on an alert, crit or
emerg in the log unless it has C<--- no_error_log> or expects one in
C<--- error_log>; C<--- allow_alerts> lets processes end with an alert, for a
test that kills one.  C<repeat_each> is 1; call it before C<run_tests> where
state between requests matters.  The master process is on; C<workers(2)> gives
two workers.

C<backend>, C<json_reply> and C<in_pieces> make upstreams that answer byte by
byte, stop in the middle or reset; C<beside('ngx_http_echo_module')> loads
another module after ours; C<nginx_output($conf, '-t')> returns the exit code
and the output; C<read_corpus($file)> a file of the corpus or undef; C<top()>
and C<$TEST_NGINX_TOP> are the root of the repository.

Run one file by hand with C<prove -I t/lib t/00-load.t> after C<make build>.

=cut
