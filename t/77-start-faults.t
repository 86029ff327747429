# Copyright (C) the modelguard authors
#
# The configuration is read while the n-th allocation, slab, file operation or
# mapping fails, for every n (MODELGUARD_FAULTS=full; else for so many, spread
# over all): an error that says so, never a crash, and never a state file that
# has lost what was in it.  What is interrupted by a signal is no error.

use lib 't/lib';
use ModelguardTest;
use ModelguardFault;
use ModelguardServer;

use File::Path qw( make_path remove_tree );
use Time::HiRes qw( sleep );

use constant {
    FULL => ($ENV{MODELGUARD_FAULTS} // '') eq 'full',
    SOME => 30, LIMIT => 1000,
};

my $fault = ModelguardFault->new or exit;
my $dir = "$ENV{TEST_NGINX_SERVROOT}-start";
my $module = $ENV{TEST_NGINX_LOAD_MODULES};
my %environment = %{ ($fault->env)[1] };

remove_tree($dir);
make_path($dir);
chmod 0777, $dir;

sub conf {
    my ($size, $more) = @_;

    return <<"CONF" . ($more // '');
    modelguard_zone \$arg_k zone=kept:$size state=$dir/kept;
    server {
        listen PORT;
        location = /ok {
            internal;
            add_header X-Remaining \$modelguard_remaining;
            return 200;
        }
        location / {
            modelguard_budget spent zone=kept limit=@{[ LIMIT ]} lifetime;
            error_page 404 =200 /ok;
        }
    }
CONF
}

# directives of all kinds

my $all = <<"CONF";
    modelguard_zone \$arg_k zone=one:1m;
    modelguard_zone \$http_x_a:\$arg_k zone=two:256k inactive=1d full=shared;
    modelguard_field scores \$.rows[*].p label=\$.rows[*].l;
    modelguard_field scores \$.**.~^(prob|score)s?\$;
    modelguard_field scores \$.outputs[*].data shape=\$.outputs[*].shape;
    modelguard_field embedding \$.e encoding=base64f32;
    modelguard_field metadata \$.**.meta;
    modelguard_profile a { scores round=2 top=3; metadata drop; }
    modelguard_profile b { scores label_only; embedding round=2; }
    map \$arg_t \$tier { default a; b b; }
    modelguard_error_body anthropic upstream;
    modelguard_strip_headers X-A X-B-*;
    modelguard_types application/x-a application/x-b;
    server {
        listen unix:$dir/socket;
        modelguard \$tier;
        location /one {
            modelguard_budget a zone=one limit=\$arg_l window=1h unit=items;
            modelguard_budget b zone=two limit=5 calendar=day dry_run;
            modelguard_cost items \$arg_i;
            modelguard_param \$.logprobs forbid;
            modelguard_param \$.n max=5 when=\$.x;
            modelguard_param \$.y 'set={"a": 1}';
            modelguard_delay max=2s;
            modelguard_ban after=3 in=1m for=1h;
            modelguard_dry_run on;
            return 200 \$modelguard_count_limited;
        }
        location /two {
            modelguard b;
            modelguard_budget off;
            return 200 \$modelguard_zone_records_one;
        }
    }
CONF

# A configuration that lies there, tried, or begun with and ended: the exit
# code, the signal and what was said.

my $prefix = "$ENV{TEST_NGINX_SERVROOT}-server";
my $port = ModelguardServer::free_port();

sub configure {
    my ($http) = @_;
    my $server = bless { prefix => $prefix, port => $port, workers => 1,
                         master => 'on', alerts => 0 }, 'ModelguardServer';

    remove_tree($prefix);
    make_path("$prefix/conf", "$prefix/logs");
    $server->configure($http);
}

sub tried {
    my ($begin) = @_;
    my $log = "$prefix/logs/said";

    unlink $log, "$prefix/logs/nginx.pid";

    my $pid = fork // die "cannot fork: $!";

    if ($pid == 0) {
        %ENV = (%ENV, %environment);
        open STDOUT, '>', $log or die;
        open STDERR, '>&', \*STDOUT or die;
        exec $ENV{TEST_NGINX_BINARY}, '-p', "$prefix/", '-c',
             "$prefix/conf/nginx.conf", $begin ? () : '-t' or die;
    }

    waitpid $pid, 0;

    my ($code, $signal) = ($? >> 8, $? & 127);

    open my $in, '<', $log or die "$log: $!";
    my $text = join '', <$in>;

    if ($begin && $code == 0 && !$signal) {
        my $server = bless { prefix => $prefix }, 'ModelguardServer';
        my $master;

        # its parent is gone as soon as it is there

        $server->wait_for(sub { $master = $server->master });

        # one that comes before nginx waits for signals is overlooked

        $server->wait_for(sub {
            kill 'TERM', $master
                if `cat /proc/$master/cmdline 2>/dev/null` =~ /\Q$prefix/;
            return ModelguardServer::gone($master);
        }) or die 'nginx does not end';
    }

    return ($code, $signal, $text);
}

# of each kind: which of its calls

sub calls {
    my ($begin, $grown, $kinds, @options) = @_;

    unlink glob "$dir/new*";
    grow() if $grown;
    $fault->all($kinds, @options, first => 1_000_000_000);
    tried($begin);

    my $n = $fault->disarm->{calls};

    return ($n, 1 .. $n) if FULL || $n <= SOME;

    # another start each time, so that in time all are tried

    my $step = $n / SOME;
    my $from = rand $step;

    return ($n, map { 1 + int($from + $_ * $step) } 0 .. SOME - 1);
}

sub left {
    my ($k) = @_;
    my $server = ModelguardServer->start(conf('256k'), alerts => 0);
    my ($left) = $server->get("/?k=$k") =~ /^X-Remaining: (\d+)/m;

    $server->stop;

    return $left // 'unknown';
}

# another size each time

my $sizes = 0;

sub grow {
    configure(conf((320 + 64 * (++$sizes % 4)) . 'k'));
}

# what fails outside of nginx and the module may be borne in silence

sub sweep {
    my ($name, $begin, $kinds, @options) = @_;
    my ($n, @calls) = calls($begin, scalar($name =~ /^grown/), $kinds,
                             @options);
    my ($borne, $unsorted, @wrong) = (0, 0);
    my %errors = @options;
    my $again = ($errors{error} // '') eq 'EINTR';

    for my $call (@calls) {
        unlink glob "$dir/new*";
        grow() if $name =~ /^grown/;
        $fault->all($kinds, first => $call, @options);

        my ($code, $signal, $text) = tried($begin);
        my $seen = $fault->disarm;
        my $ours = $seen->{who} =~ /modelguard/;

        # without memory glibc's getpwnam() may end the process, which nginx
        # calls for its user as soon as it has read its configuration

        next if $signal && $seen->{who} =~ /^libc/
                && $text =~ /syntax is ok\n(?:.*nss_\w+\.c:.*)?\s*\z/;

        push @wrong, "call $call of $seen->{who}: signal $signal"
            if $signal;

        next if $signal || !$seen->{hits};

        if ($code == 0) {
            $borne++;

            # two are of nginx's ngx_sort(), which says so and does not sort

            push @wrong, "call $call of $seen->{who}: no error"
                if !$again && $kinds =~ /alloc|pool/
                   && $seen->{who} =~ /nginx|modelguard/
                   && ($ours || $text !~ /\[emerg\].*malloc\(\d+\) failed/
                       || ++$unsorted > 2);

        } else {
            push @wrong, "call $call of $seen->{who}: not a word of it: $text"
                if $text !~ /\[(emerg|alert|crit|error)\]|failed/;

            push @wrong, "call $call of $seen->{who}: an error: $text"
                if $again && $ours;
        }
    }

    push @wrong, 'there are no such calls'
        if $n == 0 && $kinds ne 'read' && $kinds ne 'write';

    is(join("\n", @wrong), '', "$name: " . @calls . " of $n, $borne borne");
}

my $server = ModelguardServer->start(conf('256k'), alerts => 0);

$server->get('/?k=a') for 1 .. 7;
$server->stop;

my $left = LIMIT - 7;

configure(conf('256k', $all));
is((tried())[2] =~ s/.*(syntax is ok|test is successful)\n//gr, '',
   'the configuration is right');

for my $what ([all => '256k', $all], [same => '256k', ''],
              [grown => '512k', ''], [new => '256k', '']) {
    my ($name, $size, $more) = @$what;
    my $begin = $name ne 'all';

    for my $fault (
        (map { [$_, $_, error => 'ENOMEM'] }
             $begin ? qw( slab map ) : qw( alloc pool slab map )),
        $begin ? (map { my $error = $_;
                        map { ["$_, $error", $_, error => $error,
                               module => 1] }
                            $error eq 'ENOSPC' ? 'write'
                            : $error eq 'EINTR' ? qw( read write open )
                            : qw( read write open name ) }
                      qw( EIO ENOSPC EINTR )) : (),
        $begin ? (['read, short', 'read', module => 1],
                  ['write, short', 'write', module => 1]) : ())
    {
        my ($title, @fault) = @$fault;

        configure(conf($size, $more) =~ s{\Q$dir\E/kept}
                                         {$dir/@{[ $name eq 'new'
                                                   ? 'new' : 'kept' ]}}r);
        sweep("$name, $title", $begin, @fault);

        next if $name eq 'new';

        is(left('a'), --$left, "$name, $title: nothing charged is lost");
    }
}

remove_tree($dir);
