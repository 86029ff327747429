# Copyright (C) the modelguard authors
#
# The state file: what is made, what is refused and in which words, and that
# nginx -t changes nothing.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;

use Digest::MD5 qw( md5_hex );
use Fcntl qw( :flock );
use File::Path qw( make_path remove_tree );
use POSIX qw( mkfifo );

use constant { LAYOUT_AT => 8, CELLS_AT => 12, SIZE => 65536 };

my $dir = "$ENV{TEST_NGINX_SERVROOT}-state";
my $file = "$dir/clients";

remove_tree($dir);
make_path($dir);

sub zone {
    my ($more) = @_;

    return "modelguard_zone \$http_x_key zone=state:64k state=$file "
           . ($more // '') . ";\n";
}

sub conf {
    my ($zone) = @_;

    return ($zone // zone()) . <<'CONF';
    server {
        listen PORT;
        location = /ok { internal; return 204; }
        location / {
            modelguard_budget b zone=state limit=5 window=1h;
            error_page 404 =204 /ok;
        }
    }
CONF
}

sub slurp {
    my ($name) = @_;

    open my $in, '<:raw', $name or return undef;
    local $/;
    return scalar <$in>;
}

sub spew {
    my ($name, $bytes, $mode) = @_;

    unlink $name;
    open my $out, '>:raw', $name or die "$name: $!";
    print $out $bytes;
    close $out;
    chmod $mode // 0600, $name;
}

sub mode {
    return sprintf '%04o', (stat $_[0])[2] & 07777;
}

# all that is in the folder, to see that nothing has changed

sub snapshot {
    return join "\n", map {
        my @stat = lstat $_;
        join ' ', $_, @stat[1, 2, 4, 7, 9], md5_hex(-f $_ ? slurp($_) : '');
    } sort glob "$dir/*";
}

sub passes {
    my ($server, $key) = @_;
    my $got = $server->get('/', 'X-Key: ' . ($key // 'customer-4711'));

    return $got =~ m{^HTTP/1.1 (\d+)} ? $1 : $got;
}

# a port that is taken: nginx ends there, if not before

my $other = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
my $busy = 'server { listen 127.0.0.1:' . $other->sockport . '; }';

sub start_fails {
    my ($conf) = @_;

    $conf =~ s/\bPORT\b/127.0.0.1:1/;

    my ($code, $output) = nginx_output("events {}\nhttp {\n$conf\n$busy\n}",
                                       '-g', 'daemon off;');
    return ($code, $output);
}

sub check_fails {
    my ($conf) = @_;

    $conf =~ s/\bPORT\b/127.0.0.1:1/;

    return nginx_output("events {}\nhttp {\n$conf\n}", '-t');
}


# what is made

my ($code, $output) = check_fails(conf());

is($code, 0, 'nginx -t takes a state file that is not there');
is(snapshot(), '', 'and makes none');

my $server = ModelguardServer->start(conf(), workers => 2, alerts => 0);

is(passes($server), 204, 'a zone with a state file counts');
ok(-f $file, 'the file is there');
is(mode($file), '0600', 'for its owner alone');
is(-s $file, SIZE, 'of the size of the zone');
is(join(' ', sort map { s{.*/}{}r } glob "$dir/*"), 'clients clients.key',
   'beside it its secret, and nothing else');
is(mode("$file.key"), '0600', 'for its owner alone, too');
is((stat "$file.key")[4], $<, 'who is the one who started nginx');

SKIP: {
    skip 'not root', 1 if $<;

    my ($worker) = $server->workers;

    is((stat $file)[4], (stat "/proc/$worker")[4],
       'the file is that of the worker');
}

my $bytes = slurp($file);
my ($secret) = slurp("$file.key") =~ /^modelguard-secret-1 ([0-9a-f]{32})\n$/;

ok(defined $secret, 'the secret is in a form of its own');
is(substr($bytes, 0, 8), 'modguard', 'the file begins with its mark');

for my $case (['the key', 'customer-4711'], ['the address', '127.0.0.1'],
              ['the address in bytes', "\x7f\x00\x00\x01"],
              ['the secret', $secret],
              ['the secret in bytes', pack 'H*', $secret],
              ['the name of the key', 'x_key'])
{
    my ($what, $needle) = @$case;

    is(index($bytes, $needle), -1, "$what is not in the file");
}

my $before = snapshot();
($code, $output) = check_fails(conf());

is($code, 0, 'nginx -t beside a running nginx');
is(snapshot(), $before, 'changes nothing');

is(passes($server), 204, 'which goes on');
$server->stop;

($code, $output) = check_fails(conf());
is($code, 0, 'nginx -t when nobody uses the file');
is(snapshot() =~ s/(?<=clients )\d+ .*//r, $before =~ s/(?<=clients )\d+ .*//r,
   'makes nothing');

$server = ModelguardServer->start(conf(), alerts => 0);
is(passes($server), 204, 'the third after a restart');
like($server->log, qr/\[notice\] .*state file "\Q$file\E" has 1 clients/,
     'it is told how many are known');
passes($server) for 1 .. 2;
is(passes($server), 429, 'is charged after the first two');
$server->stop;

my $good = slurp($file);
my $key = slurp("$file.key");


# what is refused: a change to a good file, the words, and whether nginx -t
# says the same

sub refused {
    my ($what, $expected, $conf) = @_;
    my $before = snapshot();

    $conf //= conf();

    for my $way (['nginx', \&start_fails], ['nginx -t', \&check_fails]) {
        my ($code, $output) = $way->[1]->($conf);

        ok($code != 0 && $output =~ /\[emerg\] .*$expected/
           && $output !~ /still could not bind/,
           "$way->[0] refuses $what") or diag($output);
    }

    is(snapshot(), $before, "and nothing is touched: $what");
}

sub with {
    my ($at, $bytes) = @_;
    my $bad = $good;

    substr($bad, $at, length $bytes) = $bytes;

    return $bad;
}

my $moved = qr/move it away to begin anew/;

for my $case (
    ['a foreign file', 'x' x SIZE, qr/is not a modelguard state file/],
    ['a short foreign file', 'x', qr/is not a modelguard state file/],
    ['a line of text', "# a comment\n", qr/is not a modelguard state file/],
    ['zeros and then something', ("\0" x 8192) . 'x' . ("\0" x 4096),
     qr/has no header/],
    ['a file cut by a page', substr($good, 0, SIZE - 4096),
     qr/has 61440 bytes, not 65536: it was cut or grown/],
    ['a file cut by a byte', substr($good, 0, SIZE - 1),
     qr/has 65535 bytes, not 65536/],
    ['a file grown by a byte', $good . "\0", qr/has 65537 bytes, not 65536/],
    ['a file cut in its header', substr($good, 0, 100),
     qr/ends within its header/],
    ['a file cut in its mark', substr($good, 0, 7),
     qr/is not a modelguard state file/],
    ['an older layout', with(LAYOUT_AT, pack 'L', 1),
     qr/has the layout 1 of an older module, not \d+/],
    ['a newer layout', with(LAYOUT_AT, pack 'L', 99),
     qr/has the layout 99 of a newer module, not \d+/],
    ['a damaged header', with(CELLS_AT, pack 'L', 8), qr/has a damaged header/],
) {
    my ($what, $content, $expected) = @$case;

    spew($file, $content);
    refused($what, qr/state file "\Q$file\E" $expected.*, $moved/);
}

spew($file, $good);
spew("$file.key", "modelguard-secret-1 " . '0' x 32 . "\n");
refused('another secret', qr/was written under another secret, $moved/);

unlink "$file.key";
refused('a lost secret',
        qr/is there, but its secret "\Q$file\E.key" is missing/);

spew("$file.key", 'x' x 15);
refused('a short secret', qr/\Q$file\E.key" must have 16 to 4096 bytes/);

spew("$file.key", $key, 0604);
refused('a secret that all may read',
        qr/\.key" is accessible to others, its mode is 0604: make it 0600/);

spew("$file.key", $key);

unlink $file;
make_path($file);
refused('a directory', qr/is a directory/);
rmdir $file;

symlink "$dir/elsewhere", $file;
refused('a symbolic link to nothing', qr/is a symbolic link/);
spew("$dir/elsewhere", $good);
refused('a symbolic link to a good file', qr/is a symbolic link/);
unlink $file, "$dir/elsewhere";

mkfifo($file, 0600);
refused('a pipe', qr/is not a regular file/);
unlink $file;

refused('a missing directory',
        qr/\Q$dir\E\/nowhere\/clients(?:\.new)?" is in a directory that does (?#
)not exist \(2: No such file/,
        conf("modelguard_zone \$http_x_key zone=state:64k "
             . "state=$dir/nowhere/clients;"));

spew($file, $good);
refused('two zones with one file',
        qr/the state file "\Q$file\E" is that of zone "state" already/,
        conf(zone() . "modelguard_zone all zone=two:64k state=$file;"));

# two names of one file

link $file, "$dir/second";
spew("$dir/second.key", $key);
($code, $output) = start_fails(
    conf(zone() . "modelguard_zone all zone=two:64k state=$dir/second;"));
ok($code != 0
   && $output =~ /zones "two" and "state" have the same state file/,
   'nor by two names') or diag($output);
unlink "$dir/second", "$dir/second.key";


# what is mended

spew($file, $good, 0644);
chown 0, 0, $file if !$<;
$server = ModelguardServer->start(conf(), alerts => 0);
is(mode($file), '0600', 'a mode that is too open is mended');
like($server->log, qr/\[warn\] .*mode of the state file .* was 0644, now 0600/,
     'and told');
is(passes($server), 429, 'the counters are those of before');

SKIP: {
    skip 'not root', 1 if $<;
    skip 'workers are root', 1 if ($ENV{MODELGUARD_MODE} // '') eq 'coverage';

    isnt((stat $file)[4], 0, 'the owner is mended, too');
}

$server->stop;

for my $case (['an empty file', ''], ['a file of zeros', "\0" x SIZE]) {
    my ($what, $content) = @$case;

    spew($file, $content);
    $server = ModelguardServer->start(conf(), alerts => 0);
    is(passes($server), 204, "$what is begun anew");
    is(-s $file, SIZE, 'in its size');
    is(scalar(() = $server->log =~ /\[warn\] .*nothing but zeros/g),
       length $content ? 1 : 0, 'and told, unless it was empty');
    $server->stop;
}

# what a killed process left beside

spew($file, $good);
spew("$file.new", 'half' x 100);
$server = ModelguardServer->start(conf(), alerts => 0);
is(passes($server), 429, 'half a new file does not matter');
$server->stop;

unlink $file;
$server = ModelguardServer->start(conf(), alerts => 0);
is(passes($server), 204, 'nor when there is no other');
ok(!-e "$file.new", 'and it is used up');
is(slurp("$file.key"), $key, 'the secret stays');
$server->stop;

# a record that is torn counts as spent: the only one there is

my $torn = $good;
my $fresh = $good;

{
    my $at = 0;

    # an id of the file is found nowhere else: its bytes before and after a
    # second client comes

    spew($file, $good);
    $server = ModelguardServer->start(conf(), alerts => 0);
    is(passes($server, 'second'), 204, 'a second client');
    $server->stop;
    $fresh = slurp($file);

    my ($count, @torn) = (0);

    for (my $i = 4096; $i < SIZE; $i += 8) {
        next if substr($fresh, $i, 8) eq substr($good, $i, 8);
        next if substr($fresh, $i, 8) eq "\0" x 8;
        push @torn, $i;
    }

    # the last of what changed is in the cell of the second client's body

    $torn = $fresh;
    substr($torn, $torn[-1], 1) ^= "\x01";
}

spew($file, $torn);
$server = ModelguardServer->start(conf(), alerts => 0);
like($server->log, qr/\[warn\] .*of the state file .* 1 records were torn (?#
)and count as spent/, 'a torn record is told');
is(passes($server, 'second'), 429, 'and counts as spent');
is(passes($server, 'third'), 204, 'others do not');
$server->stop;


# who else has the file

spew($file, $good);
open my $held, '+<', $file or die;
flock $held, LOCK_EX;
($code, $output) = start_fails(conf());
ok($code != 0 && $output =~ /\[emerg\] .*is locked by another process for (?#
)too long/, 'a lock that is held for ever is told') or diag($output);
close $held;


# a relative path

my $relative = "relative-clients";
$server = ModelguardServer->start(
    conf("modelguard_zone \$http_x_key zone=state:64k state=logs/$relative;"),
    alerts => 0);
is(passes($server), 204, 'a path may be relative');
ok(-f "$server->{prefix}/logs/$relative", 'to the prefix');
$server->stop;


# modelguard_secret

my $common = "$dir/secret";

sub with_secret {
    return "modelguard_secret $common;\n" . conf(@_);
}

unlink $file, "$file.key";
spew($common, 'x' x 16);
$server = ModelguardServer->start(with_secret(), alerts => 0);
passes($server) for 1 .. 5;
is(passes($server), 429, 'a secret of the operator');
$server->stop;
ok(!-e "$file.key", 'makes one of our own needless');

spew($common, 'x' x 16 . "\n");
$server = ModelguardServer->start(with_secret(), alerts => 0);
is(passes($server), 429, 'a newline at its end does not matter');
$server->stop;

spew($common, 'x' x 17);
refused('another secret of the operator', qr/was written under another secret/,
        with_secret());

for my $case ([15, 1], [16, 0], [4096, 0], [4097, 1]) {
    my ($length, $fails) = @$case;

    spew($common, 'y' x $length);
    unlink $file;
    ($code, $output) = check_fails(with_secret());
    is($code != 0, $fails == 1, "a secret of $length bytes");
}

unlink $common;
refused('a secret that is not there',
        qr/modelguard secret "\Q$common\E" does not exist in/, with_secret());

spew($common, 'x' x 16, 0640);
($code, $output) = check_fails(with_secret());
is($code, 0, 'a group may read it');

for my $mode (0620, 0604, 0602, 0601) {
    chmod $mode, $common;
    ($code, $output) = check_fails(with_secret());
    like($output, qr/is accessible to others/, sprintf 'not so %04o', $mode);
}

make_path("$dir/folder");
($code, $output) = check_fails("modelguard_secret $dir/folder;" . conf());
like($output, qr/is not a regular file/, 'a directory is no secret');


# the parameters

for my $case (
    ['state=', 'state='], ['state=/a state=/b', 'state=/b'],
    ['inactive=', 'inactive='], ['inactive=0', 'inactive=0'],
    ['inactive=-1s', 'inactive=-1s'], ['inactive=x', 'inactive=x'],
    ['full=', 'full='], ['full=x', 'full=x'],
) {
    my ($parameters, $bad) = @$case;

    ($code, $output) = check_fails(
        "modelguard_zone all zone=state:64k $parameters;");
    like($output, qr/invalid parameter "\Q$bad\E"/, $parameters);
}

($code, $output) = check_fails("modelguard_secret a; modelguard_secret b;");
like($output, qr/secret "[^"]*\/a" does not exist/, 'a secret must be there');

spew($common, 'x' x 16);
($code, $output) = check_fails("modelguard_secret $common;" x 2);
like($output, qr/"modelguard_secret" directive is duplicate/, 'and one only');


# disks: in a namespace of mounts of our own

# none of those that it starts comes up, and what they free then is nginx's

sub in_tmpfs {
    my ($options, $script) = @_;

    local $ENV{ASAN_OPTIONS} = ($ENV{ASAN_OPTIONS} // '') . ',detect_leaks=0';

    make_path("$dir/disk");

    return scalar `unshare -m sh -c 'mount -t tmpfs -o $options none $dir/disk && $script' 2>&1`;
}

SKIP: {
    skip 'no mounts here', 6 if in_tmpfs('size=1m', 'echo mounted')
                                !~ /^mounted/;

    my $conf = "$dir/disk.conf";
    my $load = join '', map { "load_module $_;\n" }
                            split ' ', $Test::Nginx::Util::LoadModules // '';

    for my $case (['8m', 1], ['512k', 0]) {
        my ($size, $fails) = @$case;

        spew($conf, "${load}pid $dir/disk.pid; error_log stderr notice; events {}\n"
                    . "http { access_log off;\n" . conf(
            "modelguard_zone all zone=state:$size state=$dir/disk/clients;")
            =~ s/\bPORT\b/127.0.0.1:1/r . "$busy }\n");

        my $got = in_tmpfs('size=1m',
            "$ENV{TEST_NGINX_BINARY} -p $dir/ -c $conf -g \"daemon off;\"; "
            . "ls $dir/disk");

        if ($fails) {
            like($got, qr/the 8388608 bytes of "\S+\.new" cannot be (?#
)allocated \(28: No space left/, 'a full disk is told');
            unlike($got, qr/^clients$/m, 'and nothing is left there');

        } else {
            like($got, qr/^clients$/m, 'a file that fits is made');
        }

        if (!$fails) {
            $got = in_tmpfs('size=1m', "mount -o remount,ro $dir/disk; "
                . "$ENV{TEST_NGINX_BINARY} -p $dir/ -c $conf -g \"daemon off;\"");
            like($got, qr/\[emerg\] .*is on a read-only file system/,
                 'a read-only disk is told');

            $got = in_tmpfs('size=1m', "mount -o remount,ro $dir/disk; "
                . "$ENV{TEST_NGINX_BINARY} -p $dir/ -c $conf -t");
            like($got, qr/\[emerg\] .*is on a read-only file system/,
                 'by nginx -t, too');
            unlike($got, qr/successful/, 'which fails');
        }
    }
}

remove_tree($dir);

run_tests();

__DATA__

=== TEST 1: nginx works
--- config
    location /t {
        return 204;
    }
--- error_code: 204
