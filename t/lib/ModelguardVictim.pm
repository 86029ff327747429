package ModelguardVictim;

# Copyright (C) the modelguard authors
#
# A server of one worker that is to suffer faults, requests of all kinds, and
# what must hold after each of them whatever has failed:
#
#     my $victim = ModelguardVictim->start($fault);
#
#     $victim->try('gzip', sub { arm }, sub { disarm });   what is wrong
#     $victim->end;                                        the same, at the end
#
# The worker lives and has all its memory and descriptors back; an answer is
# the right one, an error or visibly cut; no forbidden digit came; what was
# answered was paid for, nothing was paid twice, and no lease is left.

use strict;
use warnings;

use Time::HiRes qw( sleep time );

use ModelguardFault;
use ModelguardSecret;
use ModelguardServer;

use constant { LIMIT => 1_000_000, TOKENS => 7, RESERVED => 50 };

my $usage = '"usage": {"total_tokens": ' . TOKENS . '}';
my $windows = join '|', map { my $digits = substr $_, 2;
                              map { substr $digits, $_, 4 }
                                  0 .. length($digits) - 4 }
                            $Secret, $Second;

sub document {
    my ($rows, $rounded) = @_;
    my @scores = $rounded ? ('0.84', '0.16') : ($Secret, $Second);
    my $meta = $rounded ? '' : qq( "meta": "$Hidden",);

    return '{"rows": [' . join(', ', ("{\"scores\": [$scores[0], $scores[1]],"
                                      . "$meta \"text\": \"abc\"}") x $rows)
           . "], $usage}";
}

sub events {
    return join '', map { "data: $_\n\n" } (document(2, $_[0])) x 6;
}

sub vector {
    my ($rounded) = @_;

    return '{"embedding": ['
           . join(', ', ($rounded ? ('0.84', '-0.16') : ($Secret, "-$Second"))
                        x 1500) . "], $usage}";
}


# of each kind: what the model says, what must come, and how it is asked for;
# status: what it is if nothing fails

my %kinds = (
    plain => { reply => sub { reply(document(45)) },
               body => document(45, 1) },
    large => { reply => sub { reply(document(4400)) },
               body => document(4400, 1) },
    chunks => { reply => sub {
                    reply(chunked(unpack '(a900)*', document(45)),
                          'Transfer-Encoding' => 'chunked') },
                body => document(45, 1) },
    gzip => { reply => sub { reply(gzipped(document(300)),
                                   'Content-Encoding' => 'gzip') },
              body => document(300, 1) },
    brotli => { reply => sub { reply(brotli(document(30)),
                                     'Content-Encoding' => 'br') },
                body => document(30, 1) },
    zstd => { reply => sub { reply(zstandard(document(30)),
                                   'Content-Encoding' => 'zstd') },
              body => document(30, 1) },
    sse => { reply => sub {
                 (reply('', 'Content-Type' => 'text/event-stream',
                        'Content-Length' => undef),
                  map { ($_, \0.001) } unpack '(a150)*', events()) },
             body => events(1) },
    vector => { reply => sub { reply(vector()) }, body => vector(1) },
    params => { reply => sub { reply(document(5)) }, body => document(5, 1),
                location => 'params',
                request => '{"instances": [' . join(',', (1) x 20000)
                           . '], "n": 3}' },
    refused => { reply => sub { reply(document(5)) }, location => 'refused',
                 status => 429, paid => 0 },
    forbidden => { reply => sub { reply(document(5)) }, location => 'params',
                   request => '{"instances": [1], "logprobs": 5}',
                   status => 400, paid => 0 },
    uniform => { reply => sub { reply('{"error": "secret ' . $Hidden . '"}',
                                      status => '500 X') },
                 status => 500, paid => 0 },
    delayed => { reply => sub { reply(document(5)) }, body => document(5, 1),
                 location => 'delayed', before => 1,

                 # who gets no place in the queue is refused, as at its end

                 refusal => 429 },
);

my @budgets = (
    'r zone=v limit=' . LIMIT . ' lifetime',
    't zone=v limit=' . LIMIT . ' lifetime unit=tokens',
    'c zone=v limit=' . LIMIT . ' unit=concurrent',
    'o zone=w limit=' . LIMIT . ' calendar=month',
);


# all kinds, those that take their time last

sub kinds {
    return sort { ($kinds{$a}{before} // 0) <=> ($kinds{$b}{before} // 0)
                  || $a cmp $b } keys %kinds;
}


sub configuration {
    my ($port) = @_;
    my $all = join "\n", map { "modelguard_budget $_;" } @budgets;
    my $looks = join "\n", map { /^(\w)/; <<"CONF" } @budgets;
        location = /look/$1 {
            modelguard_budget $_;
            modelguard_cost requests 0;
            modelguard_cost tokens 1;
            add_header X-Remaining \$modelguard_remaining always;
            root none;
        }
CONF

    return <<"CONF";
    log_not_found off;
    modelguard_zone \$arg_k zone=v:1m;
    modelguard_zone \$arg_k zone=w:1m;
    modelguard_field scores \$.rows[*].scores;
    modelguard_field metadata \$.rows[*].meta;
    modelguard_field embedding \$.embedding;
    modelguard_profile two { scores round=2; embedding round=2;
                             metadata drop; }
    modelguard_cost tokens @{[ RESERVED ]};
    proxy_http_version 1.1;
    client_max_body_size 1m;
    client_body_buffer_size 8k;
    proxy_read_timeout 5s;
    server {
        listen PORT;
        modelguard two;
        modelguard_error_body openai upstream;
        location /model/ {
            $all
            proxy_pass http://127.0.0.1:$port;
        }
        location /params/ {
            $all
            modelguard_budget i zone=w limit=@{[ LIMIT ]} window=1h unit=items;
            modelguard_param \$.logprobs forbid;
            modelguard_param \$.n max=5;
            modelguard_param \$.top_k set=1;
            proxy_pass http://127.0.0.1:$port;
        }
        location /refused/ {
            $all
            modelguard_budget no zone=v limit=2 window=1h;
            modelguard_cost requests 3;
            proxy_pass http://127.0.0.1:$port;
        }
        location /delayed/ {
            modelguard_budget slow zone=w limit=10 window=1s;
            $all
            modelguard_delay max=2s;
            proxy_pass http://127.0.0.1:$port;
        }
        location /before/ {
            modelguard_budget slow zone=w limit=10 window=1s;
            modelguard_cost requests 10;
            root none;
        }
        $looks
    }
CONF
}


sub start {
    my ($class, $fault) = @_;

    my $port = ModelguardTest::backend(victim => sub {
        my ($request) = @_;
        my ($kind) = $request->{uri} =~ /([a-z]+)\?/ or return;

        return $kinds{$kind}{reply}->();
    });

    my $server = ModelguardServer->start(configuration($port), alerts => 0,
                                         $fault->env);

    my $self = bless { server => $server, fault => $fault, key => 0 }, $class;

    ($self->{worker}) = ModelguardFault::workers($server);
    $fault->own($self->{worker});

    # what is allocated once only

    for my $kind (kinds()) {
        my @wrong = $self->try($kind);

        die "$kind: @wrong" if @wrong;
    }

    $self->{live} = $self->{first} = $fault->live;
    $self->{descriptors} = ModelguardFault::descriptors($self->{worker});

    return $self;
}


sub spent {
    my ($self, $budget, $key) = @_;
    my $answer = $self->{server}->get("/look/$budget?k=$key");
    my ($left) = $answer =~ /^X-Remaining: (\d+)/m or return 'unknown';

    return LIMIT - $left;
}


sub request {
    my ($kind, $key) = @_;
    my $what = $kinds{$kind};
    my $location = $what->{location} // 'model';
    my $body = $what->{request};
    my $line = "/$location/$kind?k=$key HTTP/1.1\r\nHost: x\r\n"
               . "Connection: close\r\n";

    return "GET $line\r\n" if !defined $body;

    return "POST $line" . "Content-Type: application/json\r\n"
           . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
}


# (status, body, whether it is whole)

sub parts {
    my ($raw) = @_;
    my ($head, $body) = split /\r\n\r\n/, $raw, 2;

    return (0, '', 0) if !defined $body;

    my ($status) = $head =~ m{\AHTTP/1\.\d (\d+)};
    my $whole = 1;

    if ($head =~ /^Transfer-Encoding: chunked/mi) {
        ($body, $whole) = ModelguardSecret::unchunked($head, $body);

    } elsif ($head =~ /^Content-Length: (\d+)/mi) {
        $whole = length $body == $1;
    }

    return ($status // 0, $body, $whole);
}


# What is wrong; and in $self->{came} what came of it: right, error or cut.

sub try {
    my ($self, $kind, $arm, $disarm) = @_;
    my $what = $kinds{$kind};
    my $key = 'k' . ++$self->{key};
    my @wrong;

    $self->{server}->get("/before/?k=$key") if $what->{before};

    $arm->() if $arm;
    my $raw = ask($self->{server}{port}, request($kind, $key), 10);
    $self->settled if $arm;
    $self->{seen} = $disarm->() if $disarm;

    my ($status, $body, $whole) = parts($raw);
    my $right = $whole && $status == ($what->{status} // 200)
                && (!defined $what->{body} || $body eq $what->{body});

    $self->{came} = $right ? 'right' : !$whole ? 'cut'
                    : $status >= 500 ? 'error'
                    : $arm && $status == ($what->{refusal} // 0) ? 'refused'
                    : 'wrong';

    push @wrong, "status $status, body " . substr($body, 0, 200)
        if $self->{came} eq 'wrong';
    push @wrong, 'nothing fails, and yet: ' . $self->{came}
        if !$arm && !$right;
    push @wrong, "forbidden digits $1" if $raw =~ /($windows|$Hidden)/;

    push @wrong, $self->costs($kind, $key, $right);
    push @wrong, $self->remains if $arm;

    return map { "$kind: $_" } @wrong;
}


# Waits for a request to be over, before faults end.

sub settled {
    my ($self) = @_;
    my $end = time + 2;

    sleep 0.002 while time < $end
                      && $self->{fault}->live != $self->{live}
                      && ModelguardServer::alive($self->{worker});
}


sub costs {
    my ($self, $kind, $key, $right) = @_;
    my $what = $kinds{$kind};
    my $paid = $what->{paid} // 1;
    my ($r, $t, $c, $o) = map { $self->spent($_, $key) } qw( r t c o );
    my @wrong;

    return "the counters are $r $t $c $o" if "$r$t$c$o" =~ /unknown/;

    $c--;                               # that of who asks
    push @wrong, "$c leases are left" if $c != 0;
    push @wrong, "$r requests in one zone, $o in another" if $r != $o;
    push @wrong, "$r requests paid" if $r > 1 || $right && $r != $paid
                                       || $r && $self->{came} eq 'refused';
    push @wrong, "$t tokens paid" if $t > 200_000
                                     || $right && $t < $paid * TOKENS;

    return @wrong;
}


sub remains {
    my ($self) = @_;
    my $end = time + 3;
    my ($worker) = ModelguardFault::workers($self->{server});
    my ($live, $descriptors);

    return "the worker has died\n" . $self->{server}->log
        if ($worker // 0) != $self->{worker};

    while (time < $end) {
        $live = $self->{fault}->live;
        $descriptors = ModelguardFault::descriptors($worker);

        return () if $live == $self->{live}
                     && $descriptors == $self->{descriptors};
        sleep 0.005;
    }

    # fewer than at first is no leak: the worker keeps some for the next response

    $self->{live} = $live;

    my $more = $live - $self->{first};

    return () if $more <= 0 && $descriptors == $self->{descriptors};

    # not again and again

    $self->{first} = $live;

    return "$more blocks of memory more, $descriptors descriptors, not "
           . $self->{descriptors};
}


# Lets the worker go in peace, which tells what it has left.

sub end {
    my ($self, $allowed) = @_;
    my $server = $self->{server};
    my $pid = delete $server->{pid};

    kill 'QUIT', $pid;
    waitpid $pid, 0;

    return grep { !$allowed || !/$allowed/ }
                $server->log =~ /(\[(?:alert|crit)\].*|.*exited on signal.*)/g;
}

1;
