# Copyright (C) the modelguard authors
#
# The last file of a run: no process of any file before it wrote an alert,
# not even while it ended, and no sanitizer wrote a report.

use strict;
use warnings;

use Test::More;

my $run = $ENV{MODELGUARD_RUN};

plan skip_all => 'reads the logs of a run of tools/run-tests.sh' if !$run;

my $alerts = '';

if (open my $in, '<', "$run/alerts.log") {
    local $/;
    $alerts = <$in>;
}

ok(-e "$run/alerts.log", 'nginx opened the log for alerts');
is($alerts, '', 'no alert in any log');

my @reports = glob "$run/sanitizer*";

is_deeply(\@reports, [], 'no report of a sanitizer');

for my $report (@reports) {
    open my $in, '<', $report or next;
    diag($_) for <$in>;
}

done_testing();
