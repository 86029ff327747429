# Copyright (C) the modelguard authors
#
# What becomes of a zone when nginx is reloaded.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;

# a configuration: the zone's key and size, and a location for each budget

sub conf {
    my ($key, $size, @budgets) = @_;
    my $locations = '';

    for my $budget (@budgets) {
        my ($name) = $budget =~ /^(\S+)/;

        $locations .= <<"CONF";
        location /$name {
            modelguard_budget $budget window=1h zone=reload;
            error_page 404 =200 /ok;
        }
CONF
    }

    return <<"CONF";
    modelguard_zone $key zone=reload:$size;
    server {
        listen PORT;
        location = /ok {
            internal;
            add_header X-Remaining \$modelguard_remaining;
            return 200;
        }
$locations
    }
CONF
}

my $server;

# what remains, or the status of a refusal

sub left {
    my ($name, $key) = @_;
    my $got = $server->get("/$name", 'X-Key: ' . ($key // 'a'));

    return $1 if $got =~ /^X-Remaining: (\d+)/m;
    return $1 if $got =~ m{^HTTP/1.1 (\d+)};
    return $got;
}

$server = ModelguardServer->start(conf('$http_x_key', '64k', 'a limit=5',
                                       'b limit=100'), workers => 2,
                                  alerts => 0);

is(left('a'), 4, 'a budget begins full');
is(left('a'), 3, 'and is spent');
is(left('b'), 99, 'beside another one');

ok($server->reload(conf('$http_x_key', '64k', 'a limit=5', 'b limit=100')),
   'the same configuration is taken');
is(left('a'), 2, 'and the counters go on');
is(left('b'), 98, 'all of them');

ok($server->reload(conf('$http_x_key', '64k', 'b limit=100', 'a limit=9')),
   'another limit and order are taken');
is(left('a'), 5, 'the limit takes effect, what was spent stays');
is(left('b'), 97, 'the other budget goes on');

ok($server->reload(conf('$http_x_key', '64k', 'a limit=2', 'b limit=100')),
   'a limit below what was spent is taken');
is(left('a'), 429, 'and refuses');

unlike($server->log, qr/carried over/, 'nothing had to be moved so far');

ok($server->reload(conf('$http_x_key', '64k', 'a limit=9', 'b limit=100',
                        'c limit=7')),
   'a third budget needs larger records');
like($server->log, qr/\[notice\] .*zone "reload": 1 clients were carried (?#
)over/, 'it is said that they are carried over');
is(left('a'), 4, 'the counters go on');
is(left('c'), 6, 'the new budget counts');

ok($server->reload(conf('$http_x_key', '64k', 'a limit=9', 'b limit=100',
                        'c limit=7', 'd limit=8')),
   'a fourth one has a free place');
is(left('a'), 3, 'so the counters go on');
is(left('d'), 7, 'the new budget counts');
is(scalar(() = $server->log =~ /carried over/g), 1,
   'nothing had to be moved again');

ok($server->reload(conf('"${http_x_key}"', '64k', 'a limit=9', 'b limit=100',
                        'c limit=7', 'd limit=8')),
   'another key is taken, if only its text differs');
like($server->log, qr/\[notice\] .*zone "reload" uses the "\$\{http_x_key\}" (?#
)key while previously it used the "\$http_x_key" key/, 'and told');
is(left('a'), 8, 'clients begin anew');

ok($server->reload(conf('$http_x_key', '64k', 'a limit=9', 'b limit=100')),
   'the old key is taken again');
is(left('a'), 2, 'its clients are known, their ids have not changed');
is(left('b'), 96, 'in all budgets');

# eight budgets that come and go must not wedge the zone

my $taken = 0;

for my $i (1 .. 6) {
    $taken += $server->reload(conf('$http_x_key', '64k',
                                   map { "n$i$_ limit=9" } 1 .. 8));
    $taken += (left("n${i}8") eq '8');
}

is($taken, 12, 'six times eight new names');

ok(!$server->reload(conf('$http_x_key', '64k', 'a limit=9',
                         'b limit=9 bogus=1')),
   'a broken configuration is not taken');
is(left('n68'), 7, 'and nothing is lost');

# the zone has been handled by the time that a port cannot be had

my $other = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
my $busy = 'server { listen 127.0.0.1:' . $other->sockport . '; }';

ok($server->reload(conf('$http_x_key', '64k', 'a limit=9', 'b limit=9')),
   'two budgets');
is(left('a'), 8, 'count');
is(left('a'), 7, 'and count');
ok(!$server->reload(conf('$http_x_key', '64k', map { "z$_ limit=9" } 1 .. 3)
                    . $busy), 'a busy port undoes three others');
like(left('a'), qr/^[678]$/, 'the old budgets still count');
like(left('b'), qr/^[78]$/, 'both of them');

ok($server->reload(conf('$http_x_key', '128k', 'a limit=9')),
   'another size is taken');
is(left('a'), 5, 'and what was spent is carried over');

ok($server->reload(conf('$http_x_key', '64k', 'a limit=9')),
   'a smaller one, too');
is(left('a'), 4, 'and it is carried over again');

unlike($server->log, qr/\[(alert|crit)\]/, 'no alert, no crit');

$server->stop;

# eight pages are the least, and hold eight budgets

my $pages = 8 * 4096;

for my $budgets (0, 1, 8) {
    my ($code, $output) = nginx_output(
        "events {}\nhttp {"
        . conf('$http_x_key', $pages, map { "e$_ limit=9" } 1 .. $budgets)
          =~ s/\bPORT\b/127.0.0.1:1/r . '}', '-t');

    is($code, 0, "eight pages hold $budgets budgets") or diag($output);
}

my ($code, $output) = nginx_output(
    "events {}\nhttp {"
    . conf('$http_x_key', $pages - 1, 'a limit=9')
      =~ s/\bPORT\b/127.0.0.1:1/r . '}', '-t');

isnt($code, 0, 'a zone below eight pages is refused');
like($output, qr/zone "reload" is too small/, 'as too small');

($code, $output) = nginx_output(
    "events {}\nhttp {"
    . conf('$http_x_key', '64k', map { "e$_ limit=9" } 1 .. 9)
      =~ s/\bPORT\b/127.0.0.1:1/r . '}', '-t');

isnt($code, 0, 'nine budgets in a zone are refused');
like($output, qr/too many modelguard budgets in zone "reload"/, 'in words');

for my $case (
    ['modelguard_zone $arg_a zone=z:64k; modelguard_zone $arg_b zone=z:64k;',
     qr/modelguard_zone "z" is already bound to key "\$arg_a"/],
    ['modelguard_zone $arg_a zone=z:64k; server { '
     . 'location /a { modelguard_budget x zone=z limit=1 window=1h; } '
     . 'location /b { modelguard_budget x zone=z limit=2 window=1h; } }',
     qr/budget "x" in zone "z" conflicts with another definition/],
    ['modelguard_zone $arg_a;', qr/"modelguard_zone" must have "zone" parameter/],
    ['modelguard_zone $arg_a zone=z;', qr/invalid zone size "zone=z"/],
    ['modelguard_zone $arg_a zone=:64k;', qr/invalid zone size "zone=:64k"/],
    ['modelguard_zone $arg_a zone=z:x;', qr/invalid zone size "zone=z:x"/],
    ['modelguard_zone $arg_a zone=z:64k zone=y:64k;',
     qr/invalid parameter "zone=y:64k"/],
    ['modelguard_zone $arg_a zone=z:64k bogus;', qr/invalid parameter "bogus"/],
) {
    my ($conf, $expected) = @$case;

    ($code, $output) = nginx_output("events {}\nhttp { $conf }", '-t');

    ok($code != 0 && $output =~ $expected, $conf) or diag($output);
}

run_tests();

__DATA__

=== TEST 1: nginx works
--- config
    location /t {
        return 204;
    }
--- error_code: 204
