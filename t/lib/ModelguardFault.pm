package ModelguardFault;

# Copyright (C) the modelguard authors
#
# Faults in one process, or in all: t/tools/fault*.c, built and loaded before
# the C library.
#
#     my $fault = ModelguardFault->new;          undef: not with sanitizers
#     my $server = ModelguardServer->start($http, alerts => 0, $fault->env);
#
#     $fault->own($pid);                         $fault->live counts its memory
#     $fault->arm($pid, 'alloc', first => 3);    the third fails
#     $fault->disarm;                            calls seen, hits, and of whom
#
# Kinds: alloc recv send wait read write open map slab pool name,
# joined by "|".  error
# is a name of Errno or "short" (one byte is done); step => 2 is every other
# call, last => 0 every one from first on, and module => 1 counts only those of
# the module itself.  all() arms for all processes.

use strict;
use warnings;

use Errno ();
use File::Path qw( make_path );
use Test::More ();

my %kinds = (alloc => 1, recv => 2, send => 4, wait => 8, read => 16,
             write => 32, open => 64, map => 128, slab => 256, pool => 512,
             name => 1024);

use constant { SIZE => 4096, FOREVER => ~0 };


sub new {
    my ($class) = @_;
    my $dir = "$ENV{TEST_NGINX_SERVROOT}-fault";
    my $library = "$dir/fault.so";
    my $tools = ModelguardTest::top() . '/t/tools';

    # the sanitizers want to come first, and what is linked in has no table of
    # functions of its own

    if (($ENV{MODELGUARD_MODE} // '') =~ /^(asan|static|coverage)$/) {
        Test::More::ok(1, 'nothing can be loaded before the sanitizers # SKIP');
        return undef;
    }

    make_path($dir);

    my $cc = $ENV{CC} // 'gcc';

    Test::More::is(system("$cc -O2 -Wall -Wextra -Werror -fPIC -shared"
                          . " -o $library $tools/fault.c $tools/fault_pools.c"
                          . ' -ldl'), 0,
                   'the library is built') or return undef;

    my $self = bless { library => $library, file => "$dir/control" }, $class;

    open my $out, '>', $self->{file} or die "$self->{file}: $!";
    print $out "\0" x SIZE;
    close $out;
    chmod 0666, $self->{file};

    open $self->{control}, '+<', $self->{file} or die "$self->{file}: $!";
    binmode $self->{control};

    return $self;
}


sub env {
    my ($self) = @_;

    return (env => { LD_PRELOAD => $self->{library},
                     MODELGUARD_FAULT => $self->{file} });
}


sub words {
    my ($self) = @_;

    sysseek $self->{control}, 0, 0;
    sysread $self->{control}, my $bytes, 152;

    return unpack 'Q8 q Q2 Z64', $bytes;
}


sub put {
    my ($self, $at, @words) = @_;

    sysseek $self->{control}, $at * 8, 0;
    syswrite $self->{control}, pack 'Q*', @words;
}


sub own {
    my ($self, $pid) = @_;

    $self->put(8, 0, $pid);
}


sub live {
    return ($_[0]->words)[8];
}


# what is named last is written first: the pid arms it

sub arm {
    my ($self, $pid, $kinds, %options) = @_;
    my $bits = 0;
    my $error = $options{error} // 'short';

    $bits |= $kinds{$_} // die "no kind $_" for split /\|/, $kinds;

    my $first = $options{first} // 1;
    my $last = $options{last} // ($options{step} ? 0 : $first);

    $self->put(0, 0);
    $self->put(1, $bits, $error eq 'short' ? 0 : Errno->can($error)->(),
               $first, $last || FOREVER, $options{step} // 1, 0, 0);
    $self->put(10, $options{module} // 0);
    sysseek $self->{control}, 88, 0;
    syswrite $self->{control}, "\0" x 64;
    $self->put(0, $pid);
}


sub all {
    my ($self, @rest) = @_;

    $self->arm(FOREVER, @rest);
}


sub disarm {
    my ($self) = @_;

    $self->put(0, 0);

    my @words = $self->words;

    return { calls => $words[6], hits => $words[7], who => $words[11] };
}


# workers of a server, oldest first; with one, the only one

sub workers {
    my ($server) = @_;

    return sort { $a <=> $b }
                split ' ', `cat /proc/$server->{pid}/task/*/children`;
}


sub descriptors {
    my ($pid) = @_;
    my @all = glob "/proc/$pid/fd/*";

    return scalar @all;
}

1;
