# Copyright (C) the modelguard authors
#
# What a thief tries who wants answers for less than they cost: answers that
# are compressed or cannot be read, and cheap requests before dear ones.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;

my $backend = backend(model => sub {
    my ($request) = @_;
    my ($what, $n) = $request->{uri} =~ m{/(\w+)/(\d+)$};

    return json_reply('{"pad": "' . 'x' x ($n - 11) . '"}')
        if $what eq 'text';

    return json_reply('{"usage": {"total_tokens": ' . $n . '}}')
        if $what eq 'usage';

    # a frame that is too deep to be read hides the last count from us

    return json_reply("data: {\"usage\": {\"total_tokens\": 3}}\n\n"
                      . 'data: {"a": ' . '[' x 2000 . ']' x 2000 . "}\n\n"
                      . 'data: {"a": "' . 'x' x $n . "\"}\n\n"
                      . "data: {\"usage\": {\"total_tokens\": $n}}\n\n",
                      'Content-Type' => 'text/event-stream')
        if $what eq 'deep';

    return json_reply('0' x $n, 'Content-Type' => 'text/csv')
        if $what eq 'csv';

    # one that is cut while it is sent

    return json_reply('{"scores": [oops, ' . join(', ', ('0.5') x $n),
                      'Content-Length' => undef)
        if $what eq 'broken';

    return json_reply('{"scores": [' . join(', ', ('0.5') x $n) . ']}');
});

my $server = ModelguardServer->start(<<"CONF", workers => 1);
    modelguard_zone \$http_x_key zone=thief:1m;
    modelguard_profile p { scores round=1; }
    modelguard_profile label { scores label_only; }
    modelguard_field scores \$.scores;

    log_format thief '\$modelguard_remaining \$modelguard_cost';
    add_header X-Remaining \$modelguard_remaining always;
    add_header X-Cost \$modelguard_cost always;

    upstream model { server 127.0.0.1:$backend; }

    server {
        listen PORT;

        gzip on;
        gzip_types *;
        gzip_min_length 1;
        gzip_http_version 1.0;

        location /tokens/ {
            modelguard_budget tokens zone=thief limit=1m lifetime unit=tokens;
            proxy_pass http://model;
        }

        location /bits/ {
            modelguard_budget bits zone=thief limit=1m lifetime unit=bits;
            proxy_pass http://model;
        }

        location /pass/ {
            modelguard p;
            modelguard_on_error pass;
            modelguard_opaque pass;
            modelguard_buffer_size 0;
            modelguard_budget bits zone=thief limit=1m lifetime unit=bits;
            proxy_pass http://model;
        }

        # the guard of another location, or none, where a redirect leads

        location /label/ {
            modelguard label;
            modelguard_budget bits zone=thief limit=1m lifetime unit=bits;

            location /label/same/ { proxy_pass http://model/; }
            location /label/other/ { try_files /none \@other; }
            location /label/off/ { try_files /none \@off; }
        }

        location \@other {
            modelguard p;
            proxy_pass http://model;
        }

        location \@off {
            modelguard off;
            proxy_pass http://model;
        }

        location = /look/tokens {
            modelguard_budget tokens zone=thief limit=1m lifetime unit=tokens;
            modelguard_cost tokens 1;
            root html/none;
        }

        location = /look/bits {
            modelguard_budget bits zone=thief limit=1m lifetime unit=bits;
            modelguard_cost bits 1;
            root html/none;
        }
    }
CONF

my $key = 0;

sub ask {
    my ($method, $uri, @headers) = @_;
    my $socket = $server->connect;

    print $socket join("\r\n", "$method $uri HTTP/1.0", "X-Key: $key",
                       @headers, '', '');

    return do { local $/; <$socket> };
}

sub cost { return (ask('GET', @_) =~ /^X-Cost: (\d+)/m)[0] }

sub spent {
    my ($unit) = @_;

    return 999999
           - (ask('HEAD', "/look/$unit") =~ /^X-Remaining: (\d+)/m)[0];
}

# an answer that nginx compresses on its way has the same text

for my $headers ([], ['Accept-Encoding: gzip']) {
    $key++;
    ask('GET', '/tokens/text/40000', @$headers);
    is(spent('tokens'), 10000, "tokens of 40000 bytes: @$headers");
}

# a count that comes first, and then what hides the others

$key++;
ask('GET', '/tokens/deep/40000');
cmp_ok(spent('tokens'), '>=', 10000, 'what follows a count costs its bytes');

# answers without a body are free, and nothing is learnt from them

$key++;
is(cost('/tokens/usage/900'), 256, 'what is reserved first');
is(cost('/tokens/usage/900'), 900, 'the mean');
ask('HEAD', '/tokens/usage/900') for 1 .. 40;
is(cost('/tokens/usage/900'), 900, 'the same after many that cost nothing');

$key++;
ask('GET', '/bits/text/100') for 1 .. 40;
is(cost('/bits/scores/100'), 64, 'answers that tell nothing are no mean');

# small answers, and then a large one that cannot be read

for my $at ('bits', 'pass') {

    for my $what ('csv', 'broken') {
        $key++;
        ask('GET', "/$at/scores/1") for 1 .. 60;
        cmp_ok(cost("/$at/scores/1"), '<', 16, "$at: a small mean");

        my $before = spent('bits');

        like(ask('GET', "/$at/$what/10000"), qr/0{9}|oops/,
             "$at: $what passes");
        cmp_ok(spent('bits') - $before, '>', 20000, "$at: $what is not free");
    }
}

# 100 numbers of one digit each, and one behind the point that is 0 or 5

$key++;
ask('GET', '/label/same/scores/100');
is(spent('bits'), 7, 'a label');

for my $to ('other', 'off') {
    $key++;
    like(ask('GET', "/label/$to/scores/100"), qr/0\.5, 0\.5/, "$to: scores");
    is(spent('bits'), 333, "$to: counted as they leave");
}

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
