# Copyright (C) the modelguard authors
#
# A binary upgrade (USR2): the old and the new master charge one state file
# at the same time, under load, and nothing is lost when the old one goes.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;
use ModelguardLoad;

use File::Path qw( make_path remove_tree );
use Time::HiRes qw( sleep );

use constant { CLIENTS => 20, LIMIT => 1_000_000_000, HARD => 500 };

my $state = "$ENV{TEST_NGINX_SERVROOT}-state";

remove_tree($state);
make_path($state);
chmod 0777, $state;

open my $file, '>', "$state/file" or die;
print $file 'x' x 100;
close $file;
symlink 'file', "$state/hard";

my $conf = <<"CONF";
    modelguard_zone \$arg_k zone=upgrade:256k state=$state/upgrade;
    keepalive_requests 1000000;
    default_type text/plain;
    server {
        listen PORT;
        root $state;
        location /file {
            modelguard_budget spent zone=upgrade limit=@{[ LIMIT ]} lifetime;
            add_header X-Remaining \$modelguard_remaining;
        }
        location /hard {
            modelguard_budget hard zone=upgrade limit=@{[ HARD ]} lifetime;
        }
    }
CONF

my $server = ModelguardServer->start($conf, workers => 2, alerts => 0,
                                     daemon => 1);

my $asked = 0;
my $load = ModelguardLoad->new($server, connections => 32, next => sub {
    my $k = $asked++ % CLIENTS;

    # every other request draws on one small budget

    return ($asked / CLIENTS) % 2
           ? [$k, "GET /file?k=$k HTTP/1.1\r\nHost: x\r\n\r\n"]
           : ['hard', "GET /hard?k=hard HTTP/1.1\r\nHost: x\r\n\r\n"];
}, unsent => sub { });

sub serve {
    my ($more) = @_;
    my $enough = $load->{answers} + $more;

    $load->run(sub { $load->{answers} >= $enough });
}

my $old = $server->{pid};

serve(300);
kill 'USR2', $old;

ok($server->wait_for(sub {
    my $pid = $server->pid_file;

    return $pid && $pid != $old && $server->pid_file('nginx.pid.oldbin') == $old
           && `cat /proc/$pid/task/*/children` =~ /\d+ \d+/;
}), 'a second master and its workers') or diag($server->log);

my $new = $server->pid_file;

# connections go to either

for (1 .. 3) {
    serve(500);
    $load->drain;
}

my $both = () = $server->log =~ /start worker process/g;

ok($both >= 4, "workers of both masters ($both)");

# the old one's workers finish

kill 'WINCH', $old;
serve(1000);
kill 'QUIT', $old;
serve(1000);

ok($server->wait_for(sub { ModelguardServer::gone($old) }), 'the old master is gone');
$server->{pid} = $new;

serve(1000);
$load->drain;

my @wrong;

for my $k (0 .. CLIENTS - 1) {
    my ($left) = $server->get("/file?k=$k") =~ /^X-Remaining: (\d+)/m;
    my $spent = LIMIT - ($left // LIMIT) - 1;
    my $least = $load->answered($k);
    my $most = $least + $load->lost($k);

    push @wrong, "client $k: $spent, not $least to $most"
        if $spent < $least || $spent > $most;
}

is(join("\n", @wrong), '',
   "$load->{answers} answers, " . $load->lost . ' lost: all counted');

my ($passed, $lost) = ($load->answered('hard', 200), $load->lost('hard'));

ok($passed <= HARD && $passed + $lost >= HARD && $load->answered('hard', 429),
   "of a budget of @{[ HARD ]} $passed passed, $lost lost");

# the reverse: the new one goes, the old one takes over again

kill 'USR2', $new;

ok($server->wait_for(sub {
    my $pid = $server->pid_file;

    return $pid && $pid != $new
           && `cat /proc/$pid/task/*/children` =~ /\d+ \d+/;
}), 'a third master');

my $third = $server->pid_file;
my ($before) = $server->get('/file?k=back') =~ /^X-Remaining: (\d+)/m;

kill 'QUIT', $third;

ok($server->wait_for(sub { ModelguardServer::gone($third) }), 'which goes again');

my ($after) = $server->get('/file?k=back') =~ /^X-Remaining: (\d+)/m;

is($after, $before - 1, 'what it counted stays');
like($server->get('/hard?k=hard'), qr{^HTTP/1.1 429 }, 'and so does a limit');

is(join("\n", grep { !/exited on signal 9/ }
              $server->log =~ /(\[(?:alert|crit|emerg)\].*)/g), '',
   'no alert');

$server->stop;
remove_tree($state);
