# Copyright (C) the modelguard authors
#
# What is spent stays spent: reloads, restarts, kills, upgrades, and zones
# that become another.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;

use File::Path qw( make_path remove_tree );
use Time::HiRes qw( sleep );

use constant { LIMIT => 1000, MOVED_AT => 64 };

my $dir = "$ENV{TEST_NGINX_SERVROOT}-state";
my $file = "$dir/clients";

remove_tree($dir);
make_path($dir);

# a zone and its budgets; the client says who it is

sub conf {
    my ($zone, @budgets) = @_;
    my $locations = '';

    for my $budget (@budgets ? @budgets : ('a')) {
        $locations .= <<"CONF";
        location /$budget {
            modelguard_budget $budget zone=state limit=@{[ LIMIT ]} window=1d;
            error_page 404 =200 /ok;
        }
CONF
    }

    return <<"CONF";
    modelguard_zone $zone;
    keepalive_timeout 60s;
    server {
        listen PORT;
        location = /ok {
            internal;
            add_header X-Left \$modelguard_remaining;
            return 200;
        }
        location = /records { return 200 "records=\$modelguard_zone_records_state"; }
$locations
    }
CONF
}

sub with_state {
    my ($size, $path) = @_;

    return '$http_x_key zone=state:' . ($size // '64k') . ' state='
           . ($path // $file);
}

my $server;

sub spent {
    my ($name, $key) = @_;
    my $got = $server->get("/$name", 'X-Key: ' . ($key // 'a'));

    return LIMIT - $1 if $got =~ /^X-Left: (\d+)/m;
    return $1 if $got =~ m{^HTTP/1.1 (\d+)};
    return $got;
}

sub children {
    my ($pid) = @_;

    return split ' ', `cat /proc/$pid/task/*/children 2>/dev/null`;
}

sub kill_all {
    my $pid = delete $server->{pid};
    my @workers = children($pid);

    # the master first: it would start others

    kill 'KILL', $pid;
    kill 'KILL', @workers;
    waitpid $pid, 0;
    $server->wait_for(sub { !grep { ModelguardServer::alive($_) } @workers });
}

sub start {
    my ($conf, %more) = @_;

    $server = ModelguardServer->start($conf, workers => 2, alerts => 0, %more);
}

# a connection that stays open, and with it a worker of an old cycle

sub keep {
    my $socket = $server->connect;

    ask($socket, 'a');

    return $socket;
}

sub ask {
    my ($socket, $name) = @_;
    my $got = '';

    syswrite $socket, "GET /$name HTTP/1.1\r\nHost: x\r\nX-Key: a\r\n\r\n";

    while ($got !~ /\r\n\r\n/) {
        sysread($socket, $got, 65536, length $got) or return 'closed';
    }

    return $got =~ /^X-Left: (\d+)/m ? LIMIT - $1
           : $got =~ m{^HTTP/1.1 (\d+)} ? $1 : $got;
}


start(conf(with_state()));
is(spent('a'), 1, 'a zone in a file');
is(spent('a'), 2, 'counts');

ok($server->reload(conf(with_state())), 'a reload');
is(spent('a'), 3, 'goes on');

kill 'QUIT', $server->{pid};
waitpid delete $server->{pid}, 0;
start(conf(with_state()));
is(spent('a'), 4, 'so does a restart after QUIT');

$server->stop;
start(conf(with_state()));
is(spent('a'), 5, 'after TERM');

my $n = 5;

for (1 .. 5) {
    spent('a'), $n++ for 1 .. 20;
    kill_all();
    start(conf(with_state()));
}

is(spent('a'), ++$n, 'and after all processes were killed, five times');
unlike($server->log, qr/torn/, 'nothing was torn');

my ($worker) = children($server->{pid});
kill 'KILL', $worker;
$server->wait_for(sub { $server->log =~ /exited on signal 9/ });
is(spent('a'), ++$n, 'a new worker goes on');

for (1 .. 10) {
    kill 'HUP', $server->{pid};
    is(spent('a'), ++$n, 'HUP after HUP') if $_ % 5 == 0;
}

sleep 1;


# two nginx at once: a binary upgrade, and one of the same state

$server->stop;

{
    start(conf(with_state()), daemon => 1);
    is(spent('a'), ++$n, 'a daemon');

    my $first = $server->{pid};

    kill 'USR2', $first;

    my $second;

    ok($server->wait_for(sub {
        $second = $server->master;
        return -e "$server->{prefix}/logs/nginx.pid.oldbin"
               && $second && $second != $first && children($second) == 2;
    }), 'a binary upgrade');

    my %seen;

    # both of them accept

    for (1 .. 40) {
        $seen{spent('a')}++;
    }

    is(join(' ', sort { $a <=> $b } keys %seen),
       join(' ', $n + 1 .. $n + 40), 'both charge the same counters');
    $n += 40;

    # the new master is a child of the old one, and no worker of it

    my $workers = sub { return grep { $_ != $second } children($first) };

    kill 'WINCH', $first;
    $server->wait_for(sub { !$workers->() });
    is(spent('a'), ++$n, 'the new one alone');

    kill 'HUP', $first;
    $server->wait_for(sub { $workers->() == 2 });
    is(spent('a'), ++$n, 'the old one is back');

    # one of them moves the file to another size, the other follows

    $server->configure(conf(with_state('128k')));
    kill 'HUP', $second;
    ok($server->wait_for(sub { -s $file == 131072 }), 'the new one grows it');

    %seen = ();
    $seen{spent('a')}++ for 1 .. 40;
    is(join(' ', sort { $a <=> $b } keys %seen),
       join(' ', $n + 1 .. $n + 40), 'and the old one follows');
    $n += 40;

    # nginx's own: a master that has been brought back leaves without a word
    # to its workers

    my @left = $workers->();

    kill 'QUIT', $first;
    $server->wait_for(sub { !ModelguardServer::alive($first) });
    kill 'QUIT', @left;
    is(spent('a'), ++$n, 'the old one goes');

    $server->{pid} = $second;
    $server->stop;
    unlike($server->log, qr/\[crit\]|\[emerg\]/, 'all without a crit');
}

{
    start(conf(with_state('128k')));
    is(spent('a'), ++$n, 'one nginx');

    my $one = $server;

    local $ENV{TEST_NGINX_SERVROOT} = "$ENV{TEST_NGINX_SERVROOT}-two";

    start(conf(with_state('128k')));
    is(spent('a'), ++$n, 'another one with the same file');
    $server->stop;

    $server = $one;
    is(spent('a'), ++$n, 'share the counters');
}


# sizes

my $kept = keep();
$n++;

for my $size ('256k', '64k', '1m') {
    ok($server->reload(conf(with_state($size))), "the size becomes $size");
    like($server->log, qr/\[notice\] .*zone "state": 1 clients were carried (?#
)over from \d+ bytes to \d+/, 'it is told');
    is(spent('a'), ++$n, 'the counters go on');
}

is(-s $file, 1048576, 'the file is as large');
ok(!-e "$file.new", 'and none is left beside it');

$server->stop;
start(conf(with_state('64k')));
is(spent('a'), ++$n, 'another size at a start');
is(-s $file, 65536, 'is taken, too');


# what an old worker does

{
    my $socket = keep();
    my $busy = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);

    $n++;

    ok(!$server->reload(conf(with_state('128k')) . 'server { listen 127.0.0.1:'
                        . $busy->sockport . '; }'),
       'a configuration that fails after the file has moved');
    is(-s $file, 131072, 'it has moved');
    is(spent('a'), ++$n, 'the workers follow');
    is(ask($socket, 'a'), ++$n, 'each of them');
    is(spent('a'), ++$n, 'with the same counters') for 1 .. 4;
    unlike($server->log, qr/cannot be locked/, 'none is refused');

    ($worker) = children($server->{pid});
    kill 'KILL', $worker;
    $server->wait_for(sub { $server->log =~ /exited on signal 9/ });
    is(spent('a'), ++$n, 'a worker that starts later follows, too')
        for 1 .. 4;
}

# the mover died before the new file was in its place: "moved" is set

{
    open my $out, '+<:raw', $file or die;
    sysseek $out, MOVED_AT, 0;
    syswrite $out, pack 'Q', 33;
    close $out;

    is(spent('a'), ++$n, 'a move that was not finished is undone');

    open $out, '<:raw', $file or die;
    sysseek $out, MOVED_AT, 0;
    sysread $out, my $moved, 8;
    is(unpack('Q', $moved), 0, 'in the file');

    is(spent('a'), ++$n, 'and all go on') for 1 .. 4;
}

# a move that cannot be followed

{
    rename $file, "$file.away";

    open my $out, '+<:raw', "$file.away" or die;
    sysseek $out, MOVED_AT, 0;
    syswrite $out, pack 'Q', 33;
    close $out;

    is(spent('a'), 429, 'without a file to follow clients are refused');
    like($server->log, qr/\[crit\] .*state file "\Q$file\E" has vanished/,
         'the reason is told');
    is(spent('a'), 429, 'again') for 1 .. 3;
    my $told = () = $server->log =~ /cannot be locked, its clients are refused/g;
    ok($told >= 1 && $told <= 2, 'once a minute by a worker');

    rename "$file.away", $file;
    sleep 1.1;
    is(spent('a'), ++$n, 'it is there again') for 1 .. 4;
}


# budgets

ok($server->reload(conf(with_state('128k'), qw( a b c ))), 'more budgets');
is(spent('a'), ++$n, 'the first one goes on');
is(spent('b'), 1, 'the second one begins');
is(spent('c'), 1, 'the third one too');
ok($server->reload(conf(with_state('128k'), qw( c a ))), 'fewer budgets');
is(spent('a'), ++$n, 'go on');
is(spent('c'), 2, 'each its own');

$server->stop;
start(conf(with_state('128k'), qw( a c d e f g h i )));
is(spent('a'), ++$n, 'eight budgets at a start');
is(spent('c'), 3, 'each its own');
is(spent('i'), 1, 'the last one begins');
like($server->log, qr/\[warn\] .*the counters of 1 budgets that are not (?#
)configured any more were lost/, 'what was dropped is told');

$server->stop;
start(conf(with_state('128k')));
is(spent('a'), ++$n, 'one budget at a start');


# the key

is(spent('a', ''), 1, 'a client without a key is its address');
ok($server->reload(conf(with_state('128k') =~ s/x_key/x_other/r)),
   'another key');
like($server->log, qr/\[notice\] .*uses the "\$http_x_other" key while/,
     'is told');
is($server->get('/a', 'X-Other: a') =~ /^X-Left: (\d+)/m ? LIMIT - $1 : 0, 1,
   'clients begin anew');
is(spent('a'), 2, 'addresses go on');
ok($server->reload(conf(with_state('128k'))), 'the old key');
is(spent('a'), ++$n, 'its clients are known');


# state= comes and goes

ok($server->reload(conf('$http_x_key zone=state:128k')), 'state= is removed');
is(spent('a'), ++$n, 'the zone goes on in memory');
ok($server->reload(conf('$http_x_key zone=state:128k')), 'a reload');
is(spent('a'), ++$n, 'goes on');
is(spent('a', 'memory'), 1, 'a client that the file does not know');

ok($server->reload(conf(with_state('128k'))), 'state= is there again');
is(spent('a'), ++$n, 'what was spent in memory counts');
is(spent('a', 'memory'), 2, 'also of new clients');

ok($server->reload(conf(with_state('128k', "$dir/other"))), 'another file');
is(spent('a'), ++$n, 'is made of the first one');

$server->stop;
start(conf(with_state('128k', "$dir/other")));
is(spent('a'), ++$n, 'and is whole');

unlink "$dir/other";
ok($server->reload(conf(with_state('128k', "$dir/other"))),
   'a file that was deleted');
is(spent('a'), ++$n, 'is made anew of what is known');
ok(-e "$dir/other", 'in its place');

$server->stop;
start(conf(with_state('128k', "$dir/other")));
is(spent('a'), ++$n, 'and is whole');
ok($server->reload(conf('$http_x_key zone=state:128k')), 'in memory again');
is(spent('a'), ++$n, 'it goes on');
remove_tree($dir);
make_path($dir);
ok($server->reload(conf(with_state('64k'))), 'to a file that is not there');
is(spent('a'), ++$n, 'it is all there');
$server->stop;
start(conf(with_state('64k')));
is(spent('a'), ++$n, 'under the secret that it had in memory');

unlike($server->log, qr/\[(?:alert|crit|emerg)\]/, 'no alert, no crit');
$server->stop;

remove_tree($dir);

run_tests();

__DATA__

=== TEST 1: nginx works
--- config
    location /t {
        return 204;
    }
--- error_code: 204
