# Copyright (C) the modelguard authors
#
# The n-th allocation of a request fails, and then all from the n-th on, for
# every n until nothing fails any more.  MODELGUARD_FAULTS=full: all ways.

use lib 't/lib';
use ModelguardTest;
use ModelguardFault;
use ModelguardVictim;

my $fault = ModelguardFault->new or exit;
my $victim = ModelguardVictim->start($fault);
my $full = ($ENV{MODELGUARD_FAULTS} // '') eq 'full';

# Those of malloc() and its like first; then those that the module asks nginx
# for, most of which malloc() hears nothing of.

sub sweep {
    my ($kind, $which, $forever) = @_;
    my ($n, $hits, @wrong) = (0, 0);
    my %came = (right => 0, error => 0, cut => 0, wrong => 0);

    while (++$n <= 2000) {
        my @found = $victim->try($kind, sub {
            $fault->arm($victim->{worker}, $which, first => $n,
                        last => $forever ? 0 : $n);
        }, sub { $fault->disarm });

        $came{ $victim->{came} }++;
        push @wrong, map { "allocation $n: $_" } @found;

        last if !$victim->{seen}{hits} || @wrong > 20;
        $hits += $victim->{seen}{hits};
    }

    is(join("\n", @wrong), '', "$kind, $which: " . ($n - 1) . ', '
       . ($forever ? 'each the first of those that' : 'each')
       . " failed: $hits failures, $came{right} answers, $came{error} "
       . "errors, $came{cut} cut");
    is($victim->{seen}{hits}, 0, "$kind, $which: all of them");
}

for my $kind (ModelguardVictim::kinds()) {
    next if $kind eq 'delayed' && !$full;

    for my $which (qw( alloc pool )) {
        sweep($kind, $which, 0);
        sweep($kind, $which, 1) if $full || $which eq 'alloc';
    }
}

is(join("\n", $victim->end), '', 'nothing is left behind');
