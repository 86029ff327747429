# Copyright (C) the modelguard authors
#
# A zone with a state file outlives "kill -9" of the master and all workers
# under load, again and again: what was spent is the number of answers that
# left, never fewer, at most the requests in flight more.  The same across
# reloads under load.  MODELGUARD_CRASH=full: 50 times.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;
use ModelguardLoad;

use File::Path qw( make_path remove_tree );
use Time::HiRes qw( sleep time );

use constant {
    FULL => ($ENV{MODELGUARD_CRASH} // '') eq 'full',
    CLIENTS => 20, CONNECTIONS => 32, LIMIT => 1_000_000_000,
};

my $state = "$ENV{TEST_NGINX_SERVROOT}-state";
my $server;

remove_tree($state);
make_path($state);
chmod 0777, $state;

sub conf {
    my ($size) = @_;

    return <<"CONF";
    modelguard_zone \$arg_k zone=kill:$size state=$state/kill;
    keepalive_requests 1000000;
    default_type text/plain;
    server {
        listen PORT;
        root $state;
        location /file {
            modelguard_budget spent zone=kill limit=@{[ LIMIT ]} lifetime;
            modelguard_budget month zone=kill limit=@{[ LIMIT ]}
                              calendar=month;
            add_header X-Remaining \$modelguard_remaining;
        }
    }
CONF
}

sub request {
    my ($k, $path) = @_;

    return "GET /" . ($path // 'file') . "?k=$k HTTP/1.1\r\nHost: x\r\n\r\n";
}

my $asked = 0;

sub load {
    return ModelguardLoad->new($server, connections => CONNECTIONS,
        next => sub {
            my $k = $asked++ % CLIENTS;

            return [$k, request($k)];
        },
        unsent => sub { }, @_);
}

# what a client has spent; asking costs 1 as well

sub spent {
    my ($k) = @_;
    my ($left) = $server->get("/file?k=$k") =~ /^X-Remaining: (\d+)/m
        or return 'unknown';

    return LIMIT - $left - 1;
}

# each client's: at least, at most; compared, and set to what it is

my (%least, %most);

sub expect {
    my ($load) = @_;

    for my $k (0 .. CLIENTS - 1) {
        $least{$k} += $load->answered($k);
        $most{$k} += $load->answered($k) + $load->lost($k);
    }
}

sub wrong {
    my @wrong;

    for my $k (0 .. CLIENTS - 1) {
        my $spent = spent($k);

        push @wrong, "client $k: $spent, not $least{$k} to $most{$k}"
            if $spent !~ /^\d+$/ || $spent < $least{$k}
               || $spent > $most{$k};

        $least{$k} = $most{$k} = $spent + 1 if $spent =~ /^\d+$/;
    }

    return @wrong;
}

sub alerts {
    my $allowed = shift // qr/exited on signal 9/;

    return join "\n", grep { !/$allowed/ }
                           $server->log =~ /(\[(?:alert|crit|emerg)\].*)/g;
}

# from a process of its own, while the load goes on

sub kill_all {
    my ($delay) = @_;
    my $master = $server->{pid};
    my @workers = $server->workers;
    my $pid = fork;

    defined $pid or die "cannot fork: $!";

    return ($master, @workers) if $pid;

    sleep $delay;

    # the master first leaves orphans at work for a moment; the other way
    # round it must not start new workers meanwhile

    my @all = ($master, @workers);

    if (rand() < 0.5) {
        kill 'STOP', $master;
        @all = (@workers, $master);
    }

    kill 'KILL', $_ for @all;
    POSIX::_exit(0);
}

sub killed {
    my ($master, @workers) = @_;

    waitpid $master, 0;
    delete $server->{pid};
    1 while waitpid(-1, POSIX::WNOHANG()) > 0;

    $server->wait_for(sub { @workers == grep { ModelguardServer::gone($_) }
                                             @workers })
        or die 'workers survive being killed';
}

open my $file, '>', "$state/file" or die;
print $file 'x' x 100;
close $file;

$server = ModelguardServer->start(conf('256k'), workers => 2,
                                  alerts => 0);
($least{$_}, $most{$_}) = (0, 0) for 0 .. CLIENTS - 1;

my ($times, $started, $lost, $answers) = (FULL ? 50 : 5, 0, 0, 0);
my @wrong;

for my $time (1 .. $times) {
    my $load = load();
    my @all = kill_all(0.02 + rand 0.2);

    # until nobody answers any more

    $load->run;
    $load->drain;
    killed(@all);
    expect($load);

    $lost += $load->lost;
    $answers += $load->{answers};
    $started += $server->launch;

    push @wrong, map { "time $time: $_" } wrong();
}

is($started, $times, "killed and started again $times times");
is("@wrong", '', "$answers answers counted, $lost requests in flight");
ok($lost > 0, 'some were in flight when nginx was killed');
is(alerts(), '', 'no alert');

# the file: whose, and what is in it

my @stat = stat "$state/kill";

is(sprintf('%o', $stat[2] & 07777), '600', 'nobody else reads the file');

# reloads under load

@wrong = ();
($lost, $answers) = (0, 0);

my $reloads = FULL ? 20 : 3;
my $load = load();

for my $time (1 .. $reloads) {
    my $enough = $load->{answers} + 300 + int rand 700;

    $load->run(sub { $load->{answers} >= $enough });
    kill 'HUP', $server->{pid};
}

my $enough = $load->{answers} + 500;

$load->run(sub { $load->{answers} >= $enough });
$load->drain;
expect($load);

is(join("\n", wrong()), '', "$reloads reloads under load: "
   . "$load->{answers} answers, " . $load->lost . ' lost');
is(alerts(), '', 'no alert');

# zones that grow and shrink at a reload, under load

@wrong = ();

for my $size ('1m', '128k', '512k') {
    my $load = load();
    my $enough = 300;

    $load->run(sub { $load->{answers} >= $enough });
    $server->configure(conf($size));
    kill 'HUP', $server->{pid};

    $enough = 2000;
    $load->run(sub { $load->{answers} >= $enough });
    $load->drain;
    expect($load);

    sleep 0.5;
    push @wrong, map { "$size: $_" } wrong();
}

is("@wrong", '', 'larger, smaller, larger: all counters go on');
is(alerts(), '', 'no alert');

killed(kill_all(0));
ok($server->launch, 'killed and started after that');
is(join("\n", wrong()), '', 'the counters are the same');

$server->stop;
remove_tree($state);
