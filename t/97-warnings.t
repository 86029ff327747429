# Copyright (C) the modelguard authors
#
# What "nginx -t" warns of: guarded locations that can never charge.

use lib 't/lib';
use ModelguardTest;

my $zone = 'modelguard_zone $arg_k zone=z:128k;';
my $profiles = 'modelguard_profile p { scores round=2; } '
               . 'modelguard_profile none { }';
my $field = 'modelguard_field scores $.s;';
my $budget = 'modelguard_budget b zone=z limit=1 window=1s';
my $bits = 'modelguard_budget c zone=z limit=1 window=1s unit=bits;';

# the warnings of lines of http{}, and the line of the last "HERE"

sub says {
    my ($http, $expected, $title) = @_;
    my ($code, $output)
        = nginx_output("events {}\nhttp {\n$zone\n$profiles\n$http\n}\n", '-t');
    my @warnings = $output =~ /\[warn\] \S+ (.*)/g;

    is($code, 0, $title);

    if (!defined $expected) {
        is("@warnings", '', "$title: nothing");
        return;
    }

    is(scalar @warnings, 1, "$title: one warning");
    like($warnings[0] // '', qr/^$expected/, "$title: what");

    open my $in, '<', "$ENV{TEST_NGINX_SERVROOT}-output/conf/nginx.conf";
    my $line;
    while (my $text = <$in>) { $line = $. if $text =~ /HERE/ }

    like($warnings[0] // '', qr/ in \S+nginx\.conf:$line\b/, "$title: where");
}

sub location {
    my ($lines, $expected) = @_;

    says("server {\nlocation /t {\n$lines\n} }", $expected, $lines);
}

my $no = 'no "modelguard_budget" for the guarded location "/t", guarded';
my $dry = 'every "modelguard_budget" is a dry run for the guarded location '
          . '"/t", guarded';

location("$field\nmodelguard p; # HERE", $no);
location("$field modelguard p; $budget;");
location("$field modelguard p; modelguard_budget off;");
location("$field\nmodelguard p; # HERE\nmodelguard_param \$.x forbid;", $no);
location("$field\nmodelguard p; # HERE\n$budget dry_run;", $dry);
location("$field modelguard p; $budget dry_run;\n"
         . 'modelguard_budget d zone=z limit=1 window=1s;');
location("$field modelguard p; $budget; modelguard_dry_run on;");
location("$budget dry_run;");
location('return 204;');
location('modelguard off;');

# no other warning has one beside it

location("modelguard p; # HERE", 'no "modelguard_field"');
location("$field\nmodelguard none; # HERE",
         'nothing to rewrite and no "modelguard_budget"');
location("$field\nmodelguard none; # HERE\nmodelguard_budget off;",
         'nothing to rewrite and no "modelguard_budget"');

# bits

my $none = 'modelguard budget "c"';

location("$field modelguard p; $bits");
location("modelguard_field label \$.l; $bits");
location("$_\n$bits # HERE", "$none.*\"/t\" has no \"modelguard_field\"")
    for 'return 204;',
        'modelguard_field usage $.u; modelguard_field metadata $.m;',
        'modelguard_field items $.i;';
location("modelguard_field metadata \$.m; $budget;");

# what is inherited

says("$field\nmodelguard p; # HERE\nserver { location /t { } }", $no,
     'a guard of http');
says("$field\nmodelguard p;\nmodelguard_budget off;\n"
     . 'server { location /t { } }', undef, '"off" of http');
says("$field\nmodelguard p;\n$budget;\nserver { location /t { } }", undef,
     'a budget of http');
says("$field\nmodelguard p; # HERE\n$budget;\n"
     . "server { location /t { modelguard_budget off; } }", undef,
     'a budget that is switched off');
says("$field\nserver {\nmodelguard p;\nlocation /t { $budget; }\n}", undef,
     'a server is not warned of');

run_tests();

__DATA__

=== TEST 1: nothing is said of what is not guarded
--- config
    location /t {
        return 204;
    }
--- error_code: 204
