# Copyright (C) the modelguard authors
#
# A worker is killed while it holds each of the zone's locks: the others go
# on, and every counter is right.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;
use ModelguardLoad;

use File::Path qw( make_path remove_tree );

use constant { CLIENTS => 400, LIMIT => 1_000_000_000, SIZE => 8192 };

my $dir = "$ENV{TEST_NGINX_SERVROOT}-state";
my $library = "$dir/die-holding.so";
my $source = top() . '/t/tools/die-holding.c';

# the sanitizers want to come first

if (($ENV{MODELGUARD_MODE} // '') eq 'asan') {
    ok(1, 'nothing can be loaded before the sanitizers # SKIP');
    exit;
}

remove_tree($dir);
make_path($dir);
chmod 0777, $dir;

my $cc = $ENV{CC} // 'gcc';

is(system("$cc -O2 -Wall -Wextra -Werror -fPIC -shared -o $library $source"
          . ' -ldl'), 0, 'the library is built') or exit;

sub conf {
    my ($state) = @_;

    return <<"CONF";
    modelguard_zone \$arg_k zone=locks$state:512k
                    @{[ $state ? "state=$dir/locks" : '' ]};
    keepalive_requests 1000000;
    default_type text/plain;
    server {
        listen PORT reuseport;
        root $dir;
        location /file {
            modelguard_budget spent zone=locks$state limit=@{[ LIMIT ]}
                              lifetime;
            add_header X-Remaining \$modelguard_remaining;
        }
    }
CONF
}

open my $file, '>', "$dir/file" or die;
print $file 'x' x 100;
close $file;

sub control {
    open my $control, '+<', "$dir/die" or die;
    binmode $control;

    return $control;
}

sub locks {
    my $control = control();

    sysread $control, my $bytes, SIZE;

    my (undef, $n, @all) = unpack 'Q*', $bytes;

    return @all[0 .. $n - 1];
}

sub chosen {
    my $control = control();

    sysread $control, my $bytes, 8;

    return unpack 'Q', $bytes;
}

sub choose {
    my $control = control();

    syswrite $control, pack 'Q', $_[0];
}

for my $state ('', 1) {
    my $name = $state ? 'state file' : 'shared memory';

    open my $control, '>', "$dir/die" or die;
    print $control "\0" x SIZE;
    close $control;
    chmod 0666, "$dir/die";

    my $server = ModelguardServer->start(
        conf($state), workers => 3, alerts => 0,
        env => { LD_PRELOAD => $library, MODELGUARD_DIE => "$dir/die" });

    my $asked = 0;
    my $load = ModelguardLoad->new($server, connections => 24,
        next => sub {
            my $k = $asked++ % CLIENTS;

            return [$k, "GET /file?k=$k HTTP/1.1\r\nHost: x\r\n\r\n"];
        },
        unsent => sub { });

    # every shard has been used by then

    $load->run(sub { $load->{answers} >= 2 * CLIENTS });

    my @locks = locks();
    my @alive;

    ok(@locks > 1, "$name: " . @locks . ' locks');

    for my $lock (@locks) {
        choose($lock);

        my $end = $load->{answers} + 20 * CLIENTS;

        $load->run(sub { !chosen() || $load->{answers} >= $end });
        push @alive, $lock if chosen();
        choose(0);

        # the same shard at once, by another worker

        $end = $load->{answers} + CLIENTS;
        $load->run(sub { $load->{answers} >= $end });
    }

    $load->drain;

    my $deaths = () = $server->log =~ /exited on signal 9/g;

    is($deaths, @locks - @alive, "$name: as many died as were to die");
    ok(@alive <= 1, "$name: with each lock that a request takes ("
                    . @alive . ' others)');

    my @wrong;

    for my $k (0 .. CLIENTS - 1) {
        my ($left) = $server->get("/file?k=$k") =~ /^X-Remaining: (\d+)/m;
        my $spent = LIMIT - ($left // LIMIT) - 1;
        my $least = $load->answered($k);
        my $most = $least + $load->lost($k);

        push @wrong, "client $k: $spent, not $least to $most"
            if $spent < $least || $spent > $most;
    }

    is(join("\n", @wrong), '', "$name: $load->{answers} answers, "
       . $load->lost . ' lost: all counted');
    is(join("\n", grep { !/exited on signal 9/ }
                  $server->log =~ /(\[(?:alert|crit|emerg)\].*)/g), '',
       "$name: no alert but that they were killed");
    is($load->total(200), $load->{answers}, "$name: nobody was refused");

    $server->stop;
}

remove_tree($dir);
