# Copyright (C) the modelguard authors
#
# A state file on a disk that is full, or that may only be read: a clear
# error, and what works goes on.  Wants to mount, in a namespace of its own.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;

use File::Path qw( make_path remove_tree );

my $dir = "$ENV{TEST_NGINX_SERVROOT}-disk";

remove_tree($dir);
make_path($dir);

if (system("unshare -m mount -t tmpfs none $dir 2>/dev/null") != 0) {
    ok(1, 'this user may not mount anything # SKIP');
    exit;
}

# nginx, after commands in a mount namespace of its own

sub under {
    my ($commands) = @_;

    return [ 'unshare', '-m', 'sh', '-ec', "$commands; exec \"\$\@\"", 'sh' ];
}

sub disk {
    my ($size) = @_;

    return "mount -t tmpfs -o size=$size,mode=777 none $dir";
}

sub conf {
    my ($size, $name) = @_;
    my $zone = $name // 'disk';

    return <<"CONF";
    modelguard_zone \$arg_k zone=$zone:$size state=$dir/$zone;
    server {
        listen PORT;
        location = /ok {
            internal;
            add_header X-Remaining \$modelguard_remaining;
            return 200;
        }
        location / {
            modelguard_budget spent zone=$zone limit=1000 lifetime;
            error_page 404 =200 /ok;
        }
    }
CONF
}

sub left {
    my ($server) = @_;

    return $server->get('/?k=a') =~ /^X-Remaining: (\d+)/m ? $1 : 'unknown';
}

# what nginx says where it cannot start

sub fails {
    my ($conf, $commands) = @_;
    my $server = eval {
        ModelguardServer->start($conf, alerts => 0, leaks => 0,
                                under => under($commands));
    };
    my $said = "$@";

    $server->stop if $server;

    return $server ? 'it started' : $said;
}

my $said = fails(conf('1m'), disk('100k'));

like($said, qr/\[emerg\] [^\n]*\Q$dir\E\/disk\b[^\n]*No space left/,
     'a full disk at start: [emerg], and why');

$said = fails(conf('1m'), disk('2m') . "; mount -o remount,ro $dir");

like($said, qr/\[emerg\] [^\n]*\Q$dir\E\/disk\b[^\n]*Read-only file system/,
     'a disk that may only be read at start');

$said = fails(conf('1m', 'absent/disk'), disk('2m'));

like($said, qr/\[emerg\] [^\n]*No such file or directory/,
     'a directory that is not there');

# at a reload

my $server = ModelguardServer->start(conf('256k'), workers => 2, alerts => 0,
                                     under => under(disk('600k')));

is(left($server), 999, 'a small zone has room');

ok(!$server->reload(conf('8m')), 'a reload to what does not fit');
like($server->log, qr/\[emerg\] [^\n]*No space left/, 'is refused, and why');
is(left($server), 998, 'the old configuration goes on');

ok($server->reload(conf('256k')), 'and can be loaded again');
is(left($server), 997, 'with its counters');

is(system("df $dir >/dev/null; nsenter -t $server->{pid} -m sh -ec '"
          . "mount --bind $dir $dir; mount -o remount,ro,bind $dir'"), 0,
   'the disk may only be read from now on');

ok(!$server->reload(conf('300k')), 'another size');
like($server->log, qr/\[emerg\] [^\n]*Read-only file system/,
     'is refused, and why');
is(left($server), 996, 'the old one goes on');

# whether it is taken is one thing, that nothing is lost another

my $taken = $server->reload(conf('256k'));

is(left($server), 995, 'a reload that changes nothing loses nothing'
                       . ($taken ? '' : ' (it is refused)'));

is(join("\n", $server->log =~ /(\[alert\].*)/g), '', 'no alert');

$server->stop;
remove_tree($dir);
