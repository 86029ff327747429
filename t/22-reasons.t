# Copyright (C) the modelguard authors
#
# Why responses were refused, in variables, the log and the counters; and that
# the counters are those of all workers, and survive a reload.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;

my $json = '{"scores": [0.123456]}';


# what the model says to a URI, and the words that are counted for it

my @cases = (
    [ 'coding', [ qw( coding blocked ) ],
      json_reply($json, 'Content-Encoding' => 'compress') ],
    [ 'charset', [ qw( charset blocked ) ],
      json_reply($json, 'Content-Type' => 'application/json; charset=utf-16') ],
    [ 'type', [ qw( type blocked ) ],
      json_reply($json, 'Content-Type' => 'text/plain') ],
    [ 'octets', [ qw( binary blocked ) ],
      json_reply($json, 'Content-Type' => 'application/octet-stream') ],
    [ 'tensors', [ qw( binary blocked ) ],
      json_reply($json, 'Inference-Header-Content-Length' => 5) ],
    [ 'grpc', [ qw( grpc blocked ) ],
      json_reply($json, 'Content-Type' => 'application/grpc-web+proto') ],
    [ 'websocket', [ qw( websocket blocked ) ],
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
      . "Connection: upgrade\r\n\r\n" ],
    [ 'multipart', [ qw( multipart blocked ) ],
      json_reply($json, 'Content-Type' => 'multipart/mixed; boundary=x') ],
    [ 'partial', [ qw( partial blocked ) ],
      json_reply($json, status => '206 Partial Content') ],

    [ 'malformed', [ qw( malformed blocked treated ) ],
      json_reply('{"scores": [0.1}') ],
    [ 'truncated', [ qw( truncated blocked treated ) ],
      json_reply('{"scores": [0.1') ],
    [ 'depth', [ qw( depth blocked treated ) ],
      json_reply('[' x 9 . ']' x 9) ],
    [ 'size', [ qw( size blocked treated ) ],
      json_reply('{"scores": [' . join(',', (0.1) x 99) . ']}') ],
    [ 'untreatable', [ qw( untreatable blocked treated ) ],
      json_reply('{"scores": "0.5"}') ],
    [ 'undecided', [ qw( undecided blocked treated ) ],
      json_reply('{"' . 'n' x 256 . '": 0.5}') ],
    [ 'inflate', [ qw( inflate blocked treated ) ],
      json_reply('damaged', 'Content-Encoding' => 'gzip') ],
    [ 'upstream', [ qw( upstream blocked treated ) ],
      json_reply($json, 'Content-Length' => 99) ],

    [ 'cut/malformed', [ qw( malformed cut treated ) ],
      json_reply('{"scores": [0.1}') ],
    [ 'pass/type', [ qw( type unguarded ) ],
      json_reply($json, 'Content-Type' => 'text/plain') ],
    [ 'pass/malformed', [ qw( malformed unguarded treated ) ],
      json_reply('{"scores": [0.1}') ],

    [ 'fine', [ qw( treated ) ], json_reply($json) ],
    [ 'error', [ qw( untreated ) ],
      json_reply('', status => '503 No', 'Content-Type' => 'text/html') ],
    [ 'replaced', [ qw( replaced ) ],
      json_reply($json, status => '500 No') ],
    [ 'kept', [ qw( untreated ) ], json_reply($json) ],
);

my %answers = map { ("/$_->[0]" => $_->[2]) } @cases;

my @reasons = qw( coding charset type binary grpc websocket multipart partial
                  malformed truncated depth size untreatable undecided inflate
                  upstream profile memory );
my @words = (@reasons, qw( treated untreated blocked cut unguarded replaced
                           allowed limited exhausted invalid forbidden ));

my $port = backend(model => sub { return $answers{$_[0]{uri} =~ s/\?.*//r} });

my $counts = join ' ', map { "$_=\$modelguard_count_$_" } @words;

my $proxy = "proxy_http_version 1.1; proxy_set_header Upgrade \$http_upgrade;
             proxy_set_header Connection upgrade;
             proxy_pass http://127.0.0.1:$port;";

my $http = <<"CONF";
    modelguard_profile two { scores round=2; }
    modelguard_profile none { scores keep; }
    modelguard_field scores \$.scores \$.~^(no+)*x\$;
    modelguard_max_depth 8;
    modelguard_vector_size 128;
    modelguard_zone \$arg_key zone=clients:1m;
    log_format reason '\$uri \$status <\$modelguard_reason>';
    map \$arg_profile \$profile { default two; ~(?<p>.+) \$p; }

    server {
        listen PORT;
        modelguard two;
        access_log logs/reason.log reason;

        location / { $proxy }
        location /cut/ { modelguard_buffer_size 0; $proxy }
        location /pass/ {
            modelguard_on_error pass;
            modelguard_opaque pass;
            $proxy
        }
        location /replaced { modelguard_error_body plain upstream; $proxy }
        location /kept { modelguard none; $proxy }
        location /profile { modelguard \$profile; $proxy }
        location /budget {
            modelguard_budget b zone=clients limit=1 window=1h unit=items;
            modelguard_field items \$.rows;
            modelguard_field scores \$.scores;
            proxy_pass http://127.0.0.1:$port/fine;
        }
        location /dry {
            modelguard_dry_run on;
            modelguard_budget d zone=clients limit=1 window=1h;
            proxy_pass http://127.0.0.1:$port/fine;
        }
        location /counts {
            modelguard off;
            access_log off;
            return 200 "pid=\$pid $counts";
        }
        location /unknown {
            modelguard off;
            access_log off;
            return 200 "<\$modelguard_count_nothing\$modelguard_count_codin>";
        }
    }
CONF

my $server = ModelguardServer->start($http, workers => 2, alerts => 0);


# all counters, and the worker that was asked, as "pid"

sub counters {
    my ($body) = $server->get('/counts') =~ /\r\n\r\n(.*)/s;

    return { map { split /=/ } split ' ', $body };
}


# which counters a request moves, and by how much

sub moves {
    my ($before, $after) = @_;

    return join ' ', map { my $n = $after->{$_} - $before->{$_};
                           $n == 0 ? () : $n == 1 ? $_ : "$_+$n" } sort @words;
}

sub logged {
    my ($uri) = @_;

    open my $in, '<', "$server->{prefix}/logs/reason.log" or return '';

    return join '', grep { m{^\Q$uri\E } } <$in>;
}

my $start = counters();

is(moves({ map { ($_ => 0) } @words }, $start), '', 'all counters begin at 0');

for my $case (@cases) {
    my ($name, $expected) = @$case;
    my $before = counters();
    my $got = $server->get("/$name");

    $server->wait_for(sub { logged("/$name") ne '' });

    my ($reason) = grep { my $word = $_; grep { $_ eq $word } @reasons }
                        @$expected;

    is(moves($before, counters()), join(' ', sort @$expected, 'allowed'),
       "$name: what is counted");
    is(logged("/$name") =~ s/\A\S+ \d+ //r, '<' . ($reason // '-') . ">\n",
       "$name: \$modelguard_reason");
    like($got, qr/response_blocked/, "$name: 502")
        if grep { $_ eq 'blocked' } @$expected;
}

my %moved = (
    '/profile?profile=nobody' => 'blocked profile untreated',
    '/budget?key=a' => 'allowed treated',
    '/dry?key=d' => 'allowed treated',
);

for my $uri (sort keys %moved) {
    my $before = counters();

    $server->get($uri);
    is(moves($before, counters()), $moved{$uri}, "$uri: what is counted");
}

is(logged('/profile') =~ s/\A\S+ //r, "500 <profile>\n",
   'the reason of an unknown profile');

for my $uri ('/budget?key=a', '/dry?key=d') {
    my $before = counters();
    my $answer = $server->get($uri);

    # in a dry run the request goes on, and so there is a response

    is(moves($before, counters()), $uri =~ /dry/ ? 'limited treated'
                                                 : 'limited',
       "$uri: what is counted over the limit");
}

{
    my $before = counters();

    $server->get('/budget?key=c', 'Content-Length: 1', 'Content-Encoding: x',
                 '', '{');
    is(moves($before, counters()), 'invalid', 'a body that cannot be counted');
}

is(($server->get('/unknown') =~ /\r\n\r\n(.*)/s)[0], '<>',
   'an unknown word is empty');

unlike($server->log, qr/\[(?:alert|emerg)\]/, 'no alert so far');


# both workers count, and see what the other one has counted

my (%workers, $sum);

my $before = counters();
my $sent = 0;

for (1 .. 400) {
    my @open = map { $server->connect } 1 .. 8;

    print $_ "GET /type HTTP/1.0\r\n\r\n" for @open;

    for my $socket (@open) {
        local $/;
        my $answer = <$socket> // '';
        $sent++;
    }

    my $now = counters();

    $workers{$now->{pid}} = $now->{type} - $before->{type} == $sent;

    last if keys %workers == 2 && $sent >= 80;
}

is(scalar keys %workers, 2, 'two workers were asked');
is(scalar(grep { $_ } values %workers), 2,
   'and both tell the sum of what both have counted');


# a reload keeps them, one without a guard forgets them

$before = counters();

ok($server->reload($http), 'a reload');
is(moves($before, counters()), '', 'keeps all counters');
isnt($before->{type}, 0, 'which are not 0');

$server->get('/type');
is(moves($before, counters()), 'allowed blocked type', 'and they go on');

my $unguarded = <<'CONF';
    server {
        listen PORT;
        location / { return 200 "<$modelguard_count_type>"; }
    }
CONF

ok($server->reload($unguarded), 'a configuration that guards nothing');
is(($server->get('/') =~ /\r\n\r\n(.*)/s)[0], '<>', 'has no counters');

ok($server->reload($http), 'and the guard again');
is(counters()->{type}, 0, 'begins anew');

ok(!$server->reload($http =~ s/zone=clients:1m/zone=modelguard_stat:1m/r
                          =~ s/zone=clients/zone=modelguard_stat/gr),
   'the name of the zone is reserved');
like($server->log, qr/\[emerg\] .*"modelguard_stat"/, 'and the log says so');

$server->stop;


# what a client sees as the last of a stream that is cut, in each shape

my $events = "data: {\"scores\": [0.123456]}\n\ndata: {\"scores\": [0.9}\n\n";
my $lines = "{\"scores\": [0.123456]}\n{\"scores\": [0.9}\n";

%answers = ();

my $streams = backend(streams => sub {
    my ($request) = @_;

    return json_reply($events, 'Content-Type' => 'text/event-stream')
        if $request->{uri} =~ /events/;

    return json_reply($lines, 'Content-Type' => 'application/x-ndjson');
});

my $withheld = 'The response of the model was withheld.';
my $openai = "{\"error\":{\"message\":\"$withheld\",\"type\":\"upstream_error\","
             . '"param":null,"code":"response_blocked"}}';

my %last = (
    openai => $openai,
    problem => $openai,
    off => $openai,
    plain => "{\"error\":\"$withheld\"}",
    google => "{\"error\":{\"code\":502,\"message\":\"$withheld\","
              . '"status":"UNAVAILABLE"}}',
    anthropic => '{"type":"error","error":{"type":"api_error",'
                 . "\"message\":\"$withheld\"}}",
);

my $locations = join '', map {
    "location /$_/ { modelguard_error_body $_;
                     proxy_pass http://127.0.0.1:$streams; }\n" } sort keys %last;

$server = ModelguardServer->start(<<"CONF", alerts => 0);
    modelguard_profile two { scores round=2; }
    modelguard_field scores \$.scores;
    server {
        listen PORT;
        modelguard two;
        $locations
    }
CONF

for my $shape (sort keys %last) {
    is(($server->get("/$shape/events") =~ /\r\n\r\n(.*)/s)[0],
       "data: {\"scores\": [0.12]}\n\nevent: error\ndata: $last{$shape}\n\n",
       "$shape: the last event");
    is(($server->get("/$shape/lines") =~ /\r\n\r\n(.*)/s)[0],
       "{\"scores\": [0.12]}\n$last{$shape}\n", "$shape: the last line");
}

unlike($server->log, qr/\[(?:alert|emerg)\]/, 'no alert');

$server->stop;
