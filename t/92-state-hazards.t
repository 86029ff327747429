# Copyright (C) the modelguard authors
#
# What others do to the files of a zone: links laid in the way, one file under
# two names, a file cut while it is at work, a copy of it.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;

use File::Copy qw( copy );
use File::Path qw( make_path remove_tree );
use POSIX ();
use Time::HiRes qw( sleep );

my $dir = "$ENV{TEST_NGINX_SERVROOT}-state";
my $file = "$dir/clients";

sub fresh {
    remove_tree($dir);
    make_path($dir);
    chmod 0777, $dir;
}

sub conf {
    my ($zone) = @_;

    $zone //= "modelguard_zone \$http_x_key zone=hazard:64k state=$file;\n";

    return $zone . <<'CONF';
    server {
        listen PORT;
        location = /ok { internal; return 204; }
        location / {
            modelguard_budget b zone=hazard limit=5 window=1h;
            error_page 404 =204 /ok;
        }
    }
CONF
}

sub spew {
    my ($name, $bytes) = @_;

    open my $out, '>', $name or die "$name: $!";
    print $out $bytes;
    close $out;
}

sub passed {
    my ($server, $n) = @_;

    return grep { $server->get('/', 'X-Key: a') =~ m{^HTTP/1.1 204} } 1 .. $n;
}


# whoever may write to the folder lays somebody else's file in the way of the
# one that is about to grow

for my $how ('a link', 'a file of two names') {
    fresh();
    spew("$dir/victim", "precious\n");
    chmod 0640, "$dir/victim";

    if ($how eq 'a link') {
        symlink "$dir/victim", "$file.new";

    } else {
        link "$dir/victim", "$file.new";
    }

    my @before = stat "$dir/victim";
    my $server = eval {
        ModelguardServer->start(conf(), alerts => 0, leaks => 0)
    };
    my @after = stat "$dir/victim";

    is("@after[2, 4, 7, 9]", "@before[2, 4, 7, 9]",
       "$how in the way: what it leads to stays as it is");

    if ($how ne 'a link') {
        ok($server && passed($server, 7) == 5, "$how: and is no obstacle");
    }

    $server->stop if $server;
}


# two ways to write one path

fresh();
make_path("$dir/sub");

my $twice = conf("modelguard_zone \$http_x_key zone=hazard:64k state=$file;\n"
                 . 'modelguard_zone $http_x_key zone=other:128k state='
                 . "$dir/sub/../clients;\n");
my ($plain) = $twice =~ s/\bPORT\b/127.0.0.1:1/r;

# a port that is taken: nginx ends there, if not before

my $other = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
my $busy = 'server { listen 127.0.0.1:' . $other->sockport . '; }';

my ($code, $output) = nginx_output("events {}\nhttp {\n$plain\n$busy\n}",
                                   '-g', 'daemon off;');

ok($code != 0 && $output =~ /zones "other" and "hazard" have the same state/,
   'one file by two paths and sizes is refused') or diag($output);
is(-s $file, 65536, 'and nothing became of it');


# the file is emptied while nginx is at work: a reload is what heals it

fresh();

my $server = ModelguardServer->start(conf(), alerts => 0);

passed($server, 2);
truncate $file, 0;

kill 'HUP', $server->{pid};
$server->wait_for(sub {
    eval { $server->get('/', 'X-Key: a') =~ m{^HTTP/1.1 204} }
}) or diag $server->log;

ok(ModelguardServer::alive($server->{pid}), 'the master outlives it');
is(passed($server, 7), 4, 'and clients are counted again');
like($server->log, qr/was cut while it was in use/, 'the log says so');
$server->stop;


# state= names a copy of the file that is at work

fresh();
$server = ModelguardServer->start(conf(), alerts => 0);
passed($server, 1);
copy($file, "$dir/copy");
copy("$file.key", "$dir/copy.key");
chmod 0600, "$dir/copy", "$dir/copy.key";
passed($server, 2);

ok($server->reload(conf(conf() =~ s/state=\S+;/state=$dir\/copy;/r
                        =~ /^(.*?\n)/)), 'a reload with a copy of the file');
is(passed($server, 7), 2, 'loses none of what was counted since');
$server->stop;


# without a master process the cycle that ends keeps its timers

$server = ModelguardServer->start(conf(
    "modelguard_zone \$http_x_key zone=hazard:64k;\n"),
    alerts => 0, master => 'off');
passed($server, 1);
$server->configure(conf("modelguard_zone \$http_x_key zone=hazard:128k;\n"));
kill 'HUP', $server->{pid};
sleep 2.5;
ok(ModelguardServer::alive($server->{pid}), 'no timer of it touches a zone '
   . 'that has gone');
$server->stop;


# two zones, of which one was begun with a copy of the other's file: requests
# that take the locks of both do so in one order, however they name them

fresh();

my $both = <<"CONF";
    modelguard_zone \$arg_k zone=hazard:64k state=$file;
    modelguard_zone \$arg_k zone=other:64k state=$dir/copy;
    keepalive_requests 1000000;
    server {
        listen PORT reuseport;
        error_page 404 =204 /ok;
        location = /ok { internal; return 204; }
        location = /0 {
            modelguard_budget a zone=hazard limit=1000m window=1h;
            modelguard_budget b zone=other limit=1000m window=1h;
        }
        location = /1 {
            modelguard_budget b zone=other limit=1000m window=1h;
            modelguard_budget a zone=hazard limit=1000m window=1h;
        }
        location = /more {
            modelguard_budget a zone=other limit=1000m window=1h;
            modelguard_budget b zone=hazard limit=1000m window=1h;
        }
    }
CONF

ModelguardServer->start($both, alerts => 0)->stop;
copy($file, "$dir/copy");
copy("$file.key", "$dir/copy.key");

$server = ModelguardServer->start($both, workers => 4, alerts => 0);

my @clients;

for my $i (0 .. 7) {
    my $client = fork // die "cannot fork: $!";

    if ($client == 0) {
        my $socket = $server->connect;
        my $end = time + 2;
        my $uri = $i % 2;

        alarm 10;

        while (time < $end) {
            my $left = 50;

            syswrite $socket, "GET /$uri?k=1 HTTP/1.1\r\nHost: a\r\n\r\n" x 50;

            while ($left > 0) {
                sysread $socket, my $bytes, 65536 or POSIX::_exit(1);
                $left -= () = $bytes =~ /^HTTP/mg;
            }
        }

        POSIX::_exit(0);
    }

    push @clients, $client;
}

is((grep { waitpid $_, 0; $? } @clients), 0, 'no two workers wait for each '
   . 'other');
$server->stop;
