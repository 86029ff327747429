# Copyright (C) the modelguard authors
#
# What becomes of a charge when the model fails, the client hangs up, the
# answer is withheld, or the request is sent elsewhere.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;
use Time::HiRes qw( sleep );

my $backend = backend(model => sub {
    my ($request) = @_;
    my ($what) = $request->{uri} =~ m{([a-z0-9]+)(?:\?|$)};

    return if $what eq 'silent';
    return \'reset' if $what eq 'reset';
    return \3 if $what eq 'late';
    return "junk\r\n\r\n" if $what eq 'junk';

    return json_reply('{"error": "x"}', status => "$what X")
        if $what =~ /^\d+$/;

    return json_reply('plain', 'Content-Type' => 'text/plain')
        if $what eq 'plain';

    return json_reply('', 'X-Accel-Redirect' => '/elsewhere/x')
        if $what eq 'accel';

    # a body of which not all comes

    return json_reply('{"scores": [0.5', 'Content-Length' => 1000)
        if $what eq 'cut';

    # a stream, as long as anybody listens

    return ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"a\": \"",
            map { ('x' x 1000, \0.05) } 1 .. 200) if $what eq 'stream';

    # of which the usage comes first, and counts only what was said so far

    return ("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
            "data: {\"usage\": {\"total_tokens\": 3}}\n\n",
            map { ('data: {"a": "' . 'x' x 985 . "\"}\n\n", \0.05) } 1 .. 200)
        if $what eq 'events';

    return json_reply('{"scores": [0.51, 0.49], "usage": '
                      . '{"total_tokens": 40}, "pad": "' . 'x' x 434 . '"}');
});

my $nobody = ModelguardServer::free_port();

my $h2 = ModelguardServer::free_port();

my @budgets = (
    'r zone=settle limit=1000 window=1h',
    'i zone=settle limit=1000 window=1h unit=items',
    'b zone=settle limit=1m window=1h unit=bytes',
    't zone=settle limit=1m window=1h unit=tokens',
    'n zone=settle limit=1m window=1h unit=bits',
    'ra zone=settle limit=1000 calendar=month charge=always',
    'ba zone=settle limit=1m lifetime unit=bytes charge=always',
);

my $budgets = join "\n", map { "modelguard_budget $_;" } @budgets;

my $looks = join "\n", map { /^(\w+)/; <<"CONF" } @budgets;
    location = /look/$1 {
        modelguard_budget $_;
        modelguard_cost requests 0;
        modelguard_cost items 0;
        modelguard_cost bytes 1;
        modelguard_cost tokens 1;
        modelguard_cost bits 1;
        root html/none;
    }
CONF

my $server = ModelguardServer->start(<<"CONF", workers => 1);
    log_not_found off;
    modelguard_zone \$http_x_key zone=settle:1m;
    modelguard_zone \$http_x_key zone=other:1m;
    modelguard_profile p { scores round=1; }
    modelguard_field scores \$.scores;

    add_header X-Remaining \$modelguard_remaining always;
    add_header X-Status \$upstream_status always;

    proxy_cache_path cache keys_zone=stored:1m;

    upstream down { server 127.0.0.1:$nobody; server 127.0.0.1:$nobody; }
    upstream model { server 127.0.0.1:$backend; }

    proxy_read_timeout 1s;
    proxy_next_upstream off;
    proxy_buffering off;

    server {
        listen PORT;
        listen 127.0.0.1:$h2 http2;

        $looks

        location /open/ {
            $budgets
            proxy_pass http://model;
        }

        # of requests only, which is charged in a way of its own; the last
        # of them in another zone

        location /plain/ {
            modelguard_budget $budgets[0];
            modelguard_budget $budgets[5];
            proxy_pass http://model;
        }

        location /plain/zones/ {
            modelguard_budget $budgets[0];
            modelguard_budget other zone=other limit=5 window=1h;
            proxy_pass http://model;
        }

        location /guarded/ {
            $budgets
            modelguard p;
            modelguard_buffer_size 64k;
            proxy_pass http://model;
        }

        location /down/ {
            $budgets
            proxy_pass http://down;
        }

        location /retried/ {
            $budgets
            proxy_next_upstream error;
            proxy_pass http://retried;
        }

        location /fallback/ {
            $budgets
            error_page 502 = \@fallback;
            proxy_intercept_errors on;
            proxy_pass http://down;
        }

        location \@fallback {
            $budgets
            proxy_pass http://model;
        }

        location /sorry/ {
            $budgets
            error_page 502 =200 /ok;
            proxy_pass http://down;
        }

        location /page/ {
            $budgets
            error_page 502 /ok;
            proxy_pass http://down;
        }

        location = /ok {
            internal;
            return 200 sorry;
        }

        location /twice/ {
            $budgets
            try_files /none \@twice;
        }

        location \@twice {
            $budgets
            proxy_pass http://model;
        }

        location /elsewhere/ {
            internal;
            $budgets
            proxy_pass http://model;
        }

        location /subrequest/ {
            $budgets
            auth_request /open/auth;
            proxy_pass http://model;
        }

        location /stored/ {
            $budgets
            error_page 502 \@stored;
            proxy_pass http://down;
        }

        location \@stored {
            proxy_cache stored;
            proxy_cache_key \$uri;
            proxy_cache_valid any 1h;
            proxy_buffering on;
            proxy_pass http://model;
        }

        location /after/ {
            $budgets
            post_action /down/y;
            proxy_pass http://model;
        }

        location /file/ {
            $budgets
            root html/none;
        }
    }

    upstream retried { server 127.0.0.1:$nobody; server 127.0.0.1:$backend; }
CONF

my $key = 0;

sub ask {
    my ($uri) = @_;

    return $server->get($uri, "X-Key: $key");
}

# what each budget has spent, in their order

sub spent {
    return join ' ', map {
        my ($name) = /^(\w+)/;
        my $socket = $server->connect;

        print $socket "HEAD /look/$name HTTP/1.0\r\nX-Key: $key\r\n\r\n";

        my $answer = do { local $/; <$socket> };
        my ($left) = $answer =~ /^X-Remaining: (\d+)/m;

        (/limit=1m/ ? 999999 : 1000) - $left;
    } @budgets;
}

sub costs {
    my ($uri, $status, $expected, $title) = @_;

    $key++;

    my $answer = ask($uri);

    like($answer, qr{^HTTP/1\.1 $status }, "$uri: $status");
    is(spent(), $expected, "$uri: $title");
}

# requests items bytes tokens bits; requests and bytes that are always charged

costs('/open/x', 200, '1 1 500 40 14 1 500', 'all is charged');
costs('/guarded/x', 200, '1 1 498 40 7 1 498', 'all that was let through');

costs('/plain/x', 200, '1 0 0 0 0 1 0', 'requests alone');
costs('/plain/404', 404, '1 0 0 0 0 1 0', "the client's error");
costs('/plain/500', 500, '0 0 0 0 0 1 0', 'given back but for always');
costs('/plain/silent', 502, '0 0 0 0 0 1 0', 'no answer');

costs('/plain/zones/500', 500, '0 0 0 0 0 0 0', 'of two zones, given back');
like(ask('/plain/zones/x'), qr/^X-Remaining: 4\r/m, 'in the other one, too');
is(spent(), '1 0 0 0 0 0 0', 'of two zones, charged');

costs('/open/500', 500, '0 0 0 0 0 1 4096', 'given back but for always');
costs('/open/503', 503, '0 0 0 0 0 1 4096', 'so are all errors of a server');
costs('/open/502', 502, '0 0 0 0 0 1 4096', 'also those of a gateway');
costs('/guarded/500', 500, '0 0 0 0 0 1 4096', 'and those made uniform');
costs('/open/silent', 502, '0 0 0 0 0 1 4096', 'no answer');
costs('/open/reset', 502, '0 0 0 0 0 1 4096', 'a reset');

$key++;
like(ask('/open/junk'), qr/^junk/, 'an answer of HTTP/0.9');
is(spent(), '1 1 8 2 64 1 8', 'is an answer, though one that cannot be read');

costs('/open/late', 504, '0 0 0 0 0 1 4096', 'a timeout');
costs('/down/x', 502, '0 0 0 0 0 1 4096', 'nobody there');
costs('/page/x', 502, '0 0 0 0 0 1 4096', 'an error page is no answer');

costs('/open/400', 400, '1 1 14 4 0 1 14', "the client's errors are not");
costs('/open/429', 429, '1 1 14 4 0 1 14', 'nor that the model is busy');
costs('/file/x', 404, '1 1 153 39 0 1 153', 'nor what nginx finds');

costs('/retried/x', 200, '1 1 500 40 14 1 500', 'once, of two servers');
costs('/fallback/x', 200, '1 1 500 40 14 1 500', 'once, of two upstreams');
costs('/twice/x', 200, '1 1 500 40 14 1 500', 'once, of two locations');
costs('/open/accel', 200, '1 1 500 40 14 1 500', 'once, sent elsewhere');
costs('/subrequest/x', 200, '1 1 500 40 14 1 500', 'not for a subrequest');
costs('/after/x', 200, '1 1 500 40 14 1 500', 'whatever follows the answer');
costs('/sorry/x', 200, '1 1 5 2 64 1 5', 'an answer in place of an error');

# an answer under another's status, also out of a cache

for my $from ('a model', 'a cache') {
    costs('/stored/x', 502, '1 1 500 40 14 1 500', "an answer of $from");
    costs('/stored/500', 502, '0 0 0 0 0 1 4096', "an error of $from");
}

# what the guard withholds was an answer

costs('/guarded/plain', 502, '1 1 4096 256 64 1 4096', 'withheld by its type');
costs('/guarded/cut', 502, '1 1 4096 256 64 1 4096', 'withheld as cut');

# a model that dies in mid-stream

costs('/open/cut', 200, '1 1 15 4 64 1 15', 'what was sent of it');

# a client that hangs up: never less than what was reserved

sub hang_up {
    my ($uri, $bytes) = @_;
    my $seen = () = $server->log =~ /prematurely closed connection|sending to c/g;
    my $socket = $server->connect;
    my $got = '';

    $key++;
    print $socket "GET $uri HTTP/1.0\r\nX-Key: $key\r\n\r\n";

    while (length $got < $bytes) {
        sysread($socket, $got, 65536, length $got) or last;
    }

    close $socket;
    sleep 1;
}

for my $uri ('/open/stream', '/open/events') {
    hang_up($uri, 1000);
    like(spent(), qr/^1 1 4096 (\d{3}) 64 1 4096$/, "$uri, soon");
    cmp_ok((split ' ', spent())[3], '>=', 256, "$uri: tokens that were reserved");

    hang_up($uri, 20000);

    my @spent = split ' ', spent();

    is("@spent[0, 1, 4, 5]", '1 1 64 1', "$uri, later");
    cmp_ok($spent[2], '>', 15000, "$uri: bytes that were sent");
    cmp_ok($spent[3], '>', 15000 / 4, "$uri: tokens that were sent");
    is($spent[6], $spent[2], "$uri: always or not");
}

for my $uri ('/open/stream', '/guarded/events') {
    $key++;
    system("curl -s --http2-prior-knowledge --max-time 0.5 -o /dev/null "
           . "-H 'X-Key: $key' http://127.0.0.1:$h2$uri");
    sleep 0.3;

    my @spent = split ' ', spent();

    is("@spent[0, 1, 4, 5]", '1 1 64 1', "HTTP/2, $uri: as reserved");
    cmp_ok($spent[2], '>=', 4096, "HTTP/2, $uri: bytes");
    cmp_ok($spent[3], '>=', 256, "HTTP/2, $uri: tokens");
}

# before there is any answer

hang_up('/open/late', 0);
is(spent(), '1 1 4096 256 64 1 4096', 'a client that does not wait');

unlike($server->log, qr/\[(alert|crit|emerg)\]/, 'no alert');

$server->stop;

run_tests();

__DATA__

=== TEST 1: nginx works
--- config
    location /t {
        return 204;
    }
--- error_code: 204
