# Copyright (C) the modelguard authors
#
# What responses disclose, in $modelguard_tokens and $modelguard_bits, where
# they are rewritten and where they pass as they are, however they come.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;

use IO::Compress::Deflate;
use IO::Compress::Gzip;
use POSIX qw( ceil );

my $usage = '"usage":{"prompt_tokens":5,"completion_tokens":7,'
            . '"total_tokens":12}';
my $json = "{\"scores\": [0.123456, 0.876544], $usage}";
my $big = "{\"scores\": [0.123456, 0.876544], \"pad\": \"" . 'x' x 300000
          . "\", $usage}";

my $events = "data: {\"scores\": [0.123456]}\n\n"
             . "data: {\"scores\": [0.987654], \"usage\": null}\n\n"
             . "data: {\"choices\":[],$usage}\n\ndata: [DONE]\n\n";
my $lines = "{\"scores\": [0.5], \"done\": false}\n"
            . "{\"prompt_eval_count\": 26, \"eval_count\": 259}\n";


sub coded {
    my ($how, $text) = @_;
    my $zipped;

    no strict 'refs';
    &{"IO::Compress::" . ($how eq 'gzip' ? 'Gzip::gzip' : 'Deflate::deflate')}
        (\$text, \$zipped) or die;

    return json_reply($zipped, 'Content-Encoding' => $how);
}


sub streamed {
    my ($type, @pieces) = @_;

    return (json_reply('', 'Content-Type' => $type,
                       'Content-Length' => undef), @pieces);
}


my %answers = (
    json => [ json_reply($json) ],
    big => [ json_reply($big) ],
    bytes => [ json_reply('', 'Content-Length' => length $json),
               map { ($_, \0.002) } split //, $json ],
    events => [ streamed('text/event-stream', $events) ],
    eventbytes => [ streamed('text/event-stream',
                             map { ($_, \0.001) } split //, $events) ],
    eventsplit => [ streamed('text/event-stream',
                             map { ($_, \0.2) } split /(?=_tokens)/, $events) ],
    lines => [ streamed('application/x-ndjson', $lines) ],
    gzip => [ coded('gzip', $json) ],
    gzipbig => [ coded('gzip', $big) ],
    deflate => [ coded('deflate', $json) ],
    compress => [ json_reply($json, 'Content-Encoding' => 'compress') ],
    text => [ json_reply($json, 'Content-Type' => 'text/plain') ],
    malformed => [ json_reply("{$usage, \"scores\": [0.5, 0.25}") ],
    truncated => [ json_reply("{$usage, \"scores\": [0.5, 0.25]") ],
    damaged => [ json_reply('damaged', 'Content-Encoding' => 'gzip') ],
    none => [ json_reply('{"scores": [0, 0.0]}') ],
    hostile => [ json_reply('{"usage":{"total_tokens":-5,"prompt_tokens":'
                            . '1e400,"completion_tokens":184467440737095516160'
                            . '}}') ],
    error => [ json_reply("{\"error\": \"no\"}", status => '400 No') ],
    empty => [ json_reply('', status => '204 No Content',
                          'Content-Length' => undef) ],
    own => [ json_reply("{\"cost\": {\"n\": 42}, $usage}") ],
    accel => [ json_reply('', 'X-Accel-Redirect' => '/files/answer.json') ],
);

my $port = backend(model => sub {
    my ($request) = @_;
    my ($name) = $request->{uri} =~ m{^/\w+/(\w+)};

    return json_reply(sprintf '{"asked": "%s %s"}',
                      map { $request->{headers}{$_} // '-' }
                          qw( accept-encoding range ))
        if $name eq 'asked';

    return @{$answers{$name}};
});

my $budgets = 'modelguard_budget t zone=clients limit=1000000 window=1h
                   unit=tokens;
               modelguard_budget b zone=clients limit=1000000 window=1h
                   unit=bits;';

my $http = <<"CONF";
    modelguard_zone \$arg_key zone=clients:1m;

    modelguard_profile drop { scores round=2; usage drop; }
    modelguard_profile label { scores label_only; }
    modelguard_profile none { scores keep; }
    map \$arg_profile \$profile { default drop; ~(?<p>.+) \$p; }

    log_format meter '\$request_uri <\$modelguard_tokens> <\$modelguard_bits>';
    proxy_cache_path cache keys_zone=cache:1m;
    proxy_http_version 1.1;

    server {
        listen PORT;
        access_log logs/meter.log meter;
        modelguard_field scores \$.scores;
        modelguard_field usage \$.usage \$.prompt_eval_count \$.eval_count;

        location /drop/ {
            modelguard drop;
            $budgets
            proxy_pass http://127.0.0.1:$port;
        }
        location /stream/ {
            modelguard drop;
            modelguard_buffer_size 0;
            $budgets
            proxy_buffering off;
            proxy_pass http://127.0.0.1:$port;
        }
        location /profile/ {
            modelguard \$profile;
            $budgets
            proxy_pass http://127.0.0.1:$port;
        }
        location /kept/ {
            modelguard none;
            $budgets
            proxy_pass http://127.0.0.1:$port;
        }
        location /open/ {
            $budgets
            proxy_pass http://127.0.0.1:$port;
        }
        location /openstream/ {
            $budgets
            proxy_buffering off;
            proxy_pass http://127.0.0.1:$port;
        }
        location /cached/ {
            $budgets
            proxy_cache cache;
            proxy_cache_valid any 1h;
            sendfile on;
            proxy_pass http://127.0.0.1:$port;
        }
        location /tokens/ {
            modelguard_budget t zone=clients limit=1m window=1h unit=tokens;
            proxy_pass http://127.0.0.1:$port;
        }
        location /requests/ {
            modelguard_budget r zone=clients limit=1m window=1h;
            proxy_pass http://127.0.0.1:$port;
        }
        location /own/ {
            modelguard_field usage \$.cost.n;
            modelguard_field scores \$.scores;
            $budgets
            proxy_pass http://127.0.0.1:$port;
        }
        location /files/ {
            internal;
            alias files/;
        }
    }
CONF

my $server = ModelguardServer->start($http, workers => 1, alerts => 0);

mkdir "$server->{prefix}/files";
open my $file, '>', "$server->{prefix}/files/answer.json" or die;
print $file $json;
close $file;


# what was logged for the n-th request of a URI

sub logged {
    my ($uri, $n) = @_;
    my @lines;

    $server->wait_for(sub {
        open my $in, '<', "$server->{prefix}/logs/meter.log" or return 0;
        @lines = grep { m{^\Q$uri\E } } <$in>;
        return @lines >= $n;
    });

    return ($lines[$n - 1] // '') =~ s/^\S+ (.*)\n/$1/r;
}


sub body {
    my ($answer) = @_;

    return ($answer =~ /\r\n\r\n(.*)/s)[0] // '';
}

# two numbers of two decimals are 4 digits; of six, 12

my @cases = (
    [ 'drop/json', '<12> <14>' ],
    [ 'drop/big', '<12> <14>' ],
    [ 'drop/bytes', '<12> <14>' ],
    [ 'drop/events', '<12> <14>' ],
    [ 'drop/lines', '<285> <4>' ],
    [ 'drop/gzip', '<12> <14>' ],
    [ 'drop/gzipbig', '<12> <14>' ],
    [ 'drop/deflate', '<12> <14>' ],
    [ 'drop/none', '<-> <0>' ],
    [ 'drop/hostile', '<-> <0>' ],
    [ 'drop/error', '<-> <0>' ],
    [ 'drop/empty', '<-> <0>' ],
    [ 'drop/malformed', '<12> <0>' ],
    [ 'drop/truncated', '<12> <0>' ],
    [ 'drop/damaged', '<-> <0>' ],
    [ 'drop/compress', '<-> <0>' ],
    [ 'stream/json', '<12> <14>' ],
    [ 'stream/events', '<12> <14>' ],
    [ 'stream/eventbytes', '<12> <14>' ],
    [ 'stream/eventsplit', '<12> <14>' ],
    [ 'stream/malformed', '<12> <0>' ],
    [ 'profile/json', '<12> <14>' ],
    [ 'profile/json?profile=label', '<12> <1>' ],
    [ 'profile/json?profile=none', '<12> <40>' ],
    [ 'own/own', '<42> <0>' ],
    [ 'requests/json', '<-> <->' ],
    [ 'tokens/json', '<12> <->' ],
);

for my $where (qw( kept open openstream cached )) {
    push @cases, map { [ "$where/$_->[0]", $_->[1], 'same' ] }
        [ 'json', '<12> <40>' ],
        [ 'big', '<12> <40>' ],
        [ 'bytes', '<12> <40>' ],
        [ 'events', '<12> <40>' ],
        [ 'lines', '<285> <4>' ],
        [ 'gzip', '<12> <40>' ],
        [ 'gzipbig', '<12> <40>' ],
        [ 'deflate', '<12> <40>' ],
        [ 'compress', '<-> <0>' ],
        [ 'text', '<-> <0>' ],
        [ 'malformed', '<12> <10>' ],
        [ 'truncated', '<12> <10>' ],
        [ 'damaged', '<-> <0>' ],
        [ 'hostile', '<-> <0>' ],
        [ 'error', '<-> <0>' ];
}

push @cases, [ 'openstream/eventbytes', '<12> <40>', 'same' ],
             [ 'openstream/eventsplit', '<12> <40>', 'same' ],
             [ 'open/accel', '<12> <40>' ];

my %count;

for my $case (@cases) {
    my ($uri, $expected, $same) = @$case;
    my $answer = $server->get("/$uri", 'Accept-Encoding: gzip, br',
                              'Range: bytes=0-5');

    is(logged("/$uri", ++$count{$uri}), $expected, "$uri: what is metered");

    if ($same) {
        my @pieces = grep { !ref } @{$answers{$uri =~ s{.*/}{}r}};

        is(body($answer), body(join '', @pieces), "$uri: passes as it is");
    }
}

# out of the cache's files, too

for my $name (qw( json big gzip events )) {
    my $answer = $server->get("/cached/$name");

    is(logged("/cached/$name", ++$count{"cached/$name"}), '<12> <40>',
       "$name: metered from the cache");
    is(body($answer), body(join '', @{$answers{$name}}),
       "$name: passes as it is from the cache");
}

for my $name (qw( json events )) {
    my $socket = $server->connect;

    print $socket "HEAD /open/$name HTTP/1.0\r\n\r\n";
    1 while <$socket>;

    is(logged("/open/$name", ++$count{"open/$name"}), '<-> <0>',
       "HEAD of $name: nothing is metered");
}


# a client that hangs up is metered up to there

for my $where (qw( stream openstream )) {
    my $socket = $server->connect;
    my $begin = '';

    print $socket "GET /$where/eventsplit HTTP/1.0\r\n\r\n";

    while ($begin !~ /scores/) {
        sysread($socket, $begin, 1024, length $begin) or last;
    }

    close $socket;

    like(logged("/$where/eventsplit", ++$count{"$where/eventsplit"}),
         qr/^<(-|5|12)> <[1-9]\d*>$/, "$where: metered until it hangs up");
}


for my $case ([ 'identity -', qw( drop kept open tokens ) ],
              [ 'gzip, br bytes=0-5', 'requests' ])
{
    my ($asked, @where) = @$case;

    like($server->get("/$_/asked", 'Accept-Encoding: gzip, br',
                      'Range: bytes=0-5'),
         qr/"\Q$asked\E"/, "$_: what the model server is asked for")
        for @where;
}

unlike($server->log, qr/\[(?:alert|emerg)\]/, 'no alert');

$server->stop;


# the worked table of docs/units.md, line by line

{
    my (@rows, $said);

    open my $in, '<', top() . '/docs/units.md' or die;

    while (my $line = <$in>) {
        $line =~ /^\| (?:`([\[\{].*?)`|the same) \| `(.*?)` \| `(.*?)` \| (\S+) \|$/
            or next;
        $said = $1 if defined $1;
        push @rows, [ $said, $2, $3, $4 ];
    }

    ok(@rows >= 24, 'the table has ' . @rows . ' lines');

    my $places = join '', map { <<"PLACE" } 0 .. $#rows;
        location /row/$_ {
            modelguard row$_;
            modelguard_field $rows[$_][1];
            modelguard_budget b zone=rows limit=1000m window=1h unit=bits;
            proxy_pass http://127.0.0.1:MODEL;
        }
PLACE
    my $profiles = join '', map { my ($role) = $rows[$_][1] =~ /^(\w+)/;
                                  "modelguard_profile row$_ {
                                       $role $rows[$_][2]; }\n" } 0 .. $#rows;

    my $model = backend(rows => sub {
        my ($n) = $_[0]{uri} =~ /(\d+)/;

        return json_reply($rows[$n][0]);
    });

    $places =~ s/MODEL/$model/g;

    $server = ModelguardServer->start(<<"CONF", workers => 1, alerts => 0);
        modelguard_zone \$remote_addr zone=rows:1m;
        $profiles
        log_format meter '\$request_uri <\$modelguard_bits>';

        server {
            listen PORT;
            access_log logs/meter.log meter;
            $places
        }
CONF

    for my $n (0 .. $#rows) {
        $server->get("/row/$n");
        is(logged("/row/$n", 1), '<' . ceil($rows[$n][3]) . '>',
           join ', ', @{$rows[$n]});
    }

    $server->stop;
}


# the configuration

sub warns {
    my ($conf) = @_;

    return (nginx_output("events {} http { modelguard_zone \$arg_k zone=z:1m;
                          modelguard_profile none { scores keep; } $conf }",
                         '-t'))[1];
}

my $bits = 'modelguard_budget b zone=z limit=1m window=1h unit=bits;';

like(warns("server { location /x { $bits } }"),
     qr{\[warn\].*location "/x" has no "modelguard_field"},
     'bits without fields: a warning');
unlike(warns("server { location /x { modelguard_field scores \$.s; $bits } }"),
       qr/\[(warn|emerg)\]/, 'bits with fields: none');

like(warns("modelguard_field scores \$.s classes=$_;"),
     qr/\[emerg\].*"classes=\Q$_\E", it must be between 2 and 1000000000/,
     "classes=$_")
    for '', 0, 1, -5, 'x', '1.5', 1000000001;
unlike(warns("modelguard_field scores \$.s classes=$_;"), qr/\[emerg\]/,
       "classes=$_") for 2, 1000, 1000000000;
like(warns('modelguard_field scores $.s classes=5 classes=5;'),
     qr/\[emerg\].*duplicate parameter "classes=5"/, 'classes= twice');
