# Copyright (C) the modelguard authors
#
# Sockets give and take one byte at a time, or are interrupted, or are not
# ready after all: the same answers come.  Files that are read a byte at a
# time, too; where the disk is full or broken an error, and nothing is lost.

use lib 't/lib';
use ModelguardTest;
use ModelguardFault;
use ModelguardVictim;

my $fault = ModelguardFault->new or exit;
my $victim = ModelguardVictim->start($fault);
my $full = ($ENV{MODELGUARD_FAULTS} // '') eq 'full';

# what must make no difference; the large ones a byte at a time take long

my @same = (
    ['recv: one byte', 'recv', step => 2],
    ['send: one byte', 'send', step => 2],
    ['recv and send: one byte', 'recv|send', step => 3],
    ['recv: EINTR', 'recv', step => 2, error => 'EINTR'],
    ['send: EINTR', 'send', step => 2, error => 'EINTR'],
    ['recv: EAGAIN', 'recv', step => 2, error => 'EAGAIN'],
    ['send: EAGAIN', 'send', step => 2, error => 'EAGAIN'],
    ['epoll_wait: EINTR', 'wait', step => 2, error => 'EINTR'],
);

sub faults {
    my ($kind, $name, $kinds, @options) = @_;

    my @found = $victim->try($kind, sub {
        $fault->arm($victim->{worker}, $kinds, @options);
    }, sub { $fault->disarm });

    return ($victim->{seen}{hits}, map { "$name: $_" } @found);
}

for my $case (@same) {
    my ($name) = @$case;
    my ($hits, $answers, @wrong) = (0, 0);

    for my $kind (ModelguardVictim::kinds()) {
        next if $kind eq 'delayed' && !$full;

        my ($n, @found) = faults($kind, @$case);

        $hits += $n;
        push @wrong, @found;

        if ($victim->{came} ne 'right') {
            push @wrong, "$name: $kind: $victim->{came}";
        }

        $answers++;
    }

    is(join("\n", @wrong), '', "$name: $answers answers, $hits faults");
    ok($hits > 0, "$name: there were some");
}

# each n alone, and all of them: connections that break, disks that are full

for my $case (
    (map { ["recv: $_", 'recv', error => $_] } qw( ECONNRESET EIO )),
    (map { ["send: $_", 'send', error => $_] } qw( EPIPE ECONNRESET )),
    (map { my $error = $_; map { ["$_: $error", $_, error => $error] }
                               qw( read write ) } qw( EIO ENOSPC EINTR )),
    ['read: one byte', 'read'],
    ['write: one byte', 'write'],
    (map { ["open: $_", 'open', error => $_] } qw( EMFILE EIO ENOSPC )))
{
    my ($name, $kinds, @options) = @$case;
    my ($tried, $hits, @wrong) = (0, 0);
    my %came = (right => 0, error => 0, cut => 0, wrong => 0);

    for my $kind ($kinds =~ /recv|send/ ? qw( gzip params sse uniform )
                                        : qw( large params ))
    {
        for my $n (1 .. ($full ? 200 : 6)) {
            my ($hit, @found) = faults($kind, $name, $kinds, @options,
                                       first => $n);

            last if !$hit;

            push @wrong, map { "call $n: $_" } @found;
            $came{ $victim->{came} }++;
            $hits += $hit;
            $tried++;
        }
    }

    is(join("\n", @wrong), '', "$name: $tried tried, $hits faults, "
       . "$came{right} answers, $came{error} errors, $came{cut} cut");
}

# nginx says so itself where a file or a socket is broken

is(join("\n", $victim->end(qr/failed \((4|5|24|28): | only \d+ of /)), '',
   'nothing is left behind');
