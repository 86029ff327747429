# Copyright (C) the modelguard authors
#
# Everywhere nginx goes: what no other file asks for.  One client's answer must
# not depend on how it was got: the scores are rounded, whoever serves them and
# however it is read.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret;

use IO::Socket::INET;
use Time::HiRes qw( sleep time );

my $rows = '{"rows": [' . join(', ', (substr $Document, 0) x 300) . ']}';
my $events = "data: $Document\n\n" x 300 . "data: [DONE]\n\n";

my $port = backend(model => sub {
    my ($request) = @_;
    my ($kind) = $request->{uri} =~ m{/(\w+)[^/]*$};

    return reply('', 'X-Accel-Redirect' => '/plain/t') if $kind eq 'accel';
    return reply('', 'X-Accel-Redirect' => '/file/t.json')
        if $kind eq 'accelfile';
    return reply("$Document,,") if $kind eq 'broken';
    return reply($rows) if $kind eq 'rows';
    return reply($events, 'Content-Type' => 'text/event-stream',
                 'Content-Length' => undef) if $kind eq 'events';
    return reply('failed', status => '503 Gone',
                 'Content-Type' => 'text/plain') if $kind eq 'fail';
    return reply($Document, 'Cache-Control' => 'max-age=60');
});

# FastCGI, uwsgi and SCGI: the least that a server of them must say

sub listening {
    my ($serve) = @_;
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 9)
        or die "cannot listen: $!";
    my $parent = $$;
    my $pid = fork // die "cannot fork: $!";

    if ($pid == 0) {
        my $set = '';

        vec($set, fileno $listen, 1) = 1;

        while (getppid() == $parent) {
            next if select(my $ready = $set, undef, undef, 1) <= 0;
            my $socket = $listen->accept or next;
            $serve->($socket);
            close $socket;
        }

        POSIX::_exit(0);
    }

    return ($listen->sockport, $pid);
}


my $answer = "Content-Type: application/json\r\nETag: \"$Secret\"\r\n\r\n"
             . $Document;

my ($fastcgi, $fastcgi_pid) = listening(sub {
    my ($socket) = @_;
    my $asked = '';

    # until the empty record of the type 5, the end of the input

    while (sysread $socket, $asked, 65536, length $asked) {
        last if $asked =~ /\x01\x05..\0\0..\z/s;
    }

    syswrite $socket, join '', map { pack('C C n n C C', 1, 6, 1, length, 0, 0)
                                     . $_ } unpack '(a7)*', $answer;
    syswrite $socket, pack('C C n n C C', 1, 3, 1, 8, 0, 0) . "\0" x 8;
});

my ($uwsgi, $uwsgi_pid) = listening(sub {
    my ($socket) = @_;

    sysread $socket, my $asked, 65536;
    syswrite $socket, "HTTP/1.1 200 OK\r\n$answer";
});

my ($scgi, $scgi_pid) = listening(sub {
    my ($socket) = @_;

    sysread $socket, my $asked, 65536;
    syswrite $socket, "Status: 200 OK\r\n$answer";
});

my $second = ModelguardServer::free_port();

my $server = ModelguardServer->start(<<"CONF");
    modelguard_profile two { scores round=2; metadata drop; }
    modelguard_profile keep { scores keep; metadata keep; }
    modelguard_field scores \$.scores \$.rows[*].scores;
    modelguard_field metadata \$.meta \$.rows[*].meta;
    proxy_cache_path cache keys_zone=all:1m;
    proxy_http_version 1.1;
    types { application/json json; }
    server {
        listen PORT sndbuf=4k;
        location /plain/ { proxy_pass http://127.0.0.1:$port/; }
        location /file/ { internal; alias html/; }
        location /model/ { modelguard two; proxy_pass http://127.0.0.1:$port/; }
        location /stream/ { modelguard two; modelguard_buffer_size 0;
                            proxy_buffering off;
                            proxy_pass http://127.0.0.1:$port/; }
        location /tier/ { modelguard \$arg_tier; proxy_cache all;
                          proxy_cache_key \$uri;
                          add_header X-Cache \$upstream_cache_status;
                          proxy_pass http://127.0.0.1:$port/; }
        location /fastcgi { modelguard two; fastcgi_pass 127.0.0.1:$fastcgi;
                            fastcgi_param REQUEST_METHOD \$request_method; }
        location /uwsgi { modelguard two; uwsgi_pass 127.0.0.1:$uwsgi; }
        location /scgi { modelguard two; scgi_pass 127.0.0.1:$scgi;
                         scgi_param SCGI 1; }
        location /grpc { modelguard two; grpc_pass 127.0.0.1:$second; }
        location /opengrpc { grpc_pass 127.0.0.1:$second; }
        location /openfastcgi { fastcgi_pass 127.0.0.1:$fastcgi; }
        location /static/ { modelguard two; sendfile on; alias html/; }
        location /threads/ { modelguard two; aio threads; directio 512;
                             alias html/; }
        location /limited/ { modelguard two; limit_rate 60k;
                             proxy_pass http://127.0.0.1:$port/; }
        location /try/ { modelguard two; try_files /none \@model; }
        location \@model { proxy_pass http://127.0.0.1:$port; }
        location /error/ { modelguard two; proxy_intercept_errors on;
                           error_page 503 =200 /file/t.json;
                           proxy_pass http://127.0.0.1:$port/; }
        location /page.html { ssi on; ssi_types *; alias html/page.html; }
        location /auth/ { auth_request /model/t;
                          modelguard two;
                          proxy_pass http://127.0.0.1:$port/; }
    }
    server {
        listen 127.0.0.1:$second http2;
        location / { modelguard two; proxy_pass http://127.0.0.1:$port; }
        location ~ grpc { default_type application/grpc;
                          return 200 '$Document'; }
    }
CONF

mkdir "$server->{prefix}/html";

for my $file (['t.json', $Document], ['rows.json', $rows],
              ['bad.json', "$Document,,"],
              ['page.html', '<!--# include virtual="/model/t" -->'])
{
    open my $out, '>:raw', "$server->{prefix}/html/$file->[0]" or die;
    print $out $file->[1];
    close $out;
}


sub treated {
    my ($name, $text) = @_;

    is_deeply([leaks($text), outcome($text)], ['treated'], $name)
        or diag(substr $text, 0, 600);
}


sub get {
    my ($uri, $version, @headers) = @_;

    return ask($server->{port}, join "\r\n", "GET $uri HTTP/" . ($version
                                             // '1.1'), 'Host: x', @headers,
                                     'Connection: close', '', '');
}


ok(leaks(get('/plain/t')) > 0, 'seen where nothing is guarded');
ok(leaks(get('/openfastcgi')) > 0, 'FastCGI, where nothing is guarded');

for my $version ('1.0', '1.1') {
    treated("$_, HTTP/$version", get($_, $version))
        for '/model/t', '/stream/t', '/fastcgi', '/uwsgi', '/scgi',
            '/static/t.json', '/static/rows.json', '/threads/rows.json',
            '/limited/rows', '/try/t', '/error/fail', '/page.html',
            '/auth/t', '/model/accel', '/model/accelfile', '/model/rows',
            '/stream/rows', '/model/events', '/stream/events';
}

unlike(get($_), qr/^ETag/mi, "$_: no validator")
    for '/fastcgi', '/uwsgi', '/scgi', '/static/t.json', '/model/accelfile';

# HTTP/0.9 has no header at all, and the body is treated all the same

my $bare = ask($server->{port}, "GET /model/t\r\n");

is_deeply([leaks("\r\n\r\n$bare")], [], 'HTTP/0.9: no forbidden digit');
like($bare, qr/^\{"scores": \[0\.84/, 'HTTP/0.9: treated');

# many requests on one connection, after refused answers of a file too; after
# one of a proxied model nginx closes

my $all = ask($server->{port}, join '', map({
    "GET $_ HTTP/1.1\r\nHost: x\r\n\r\n" }
    qw( /model/t /static/bad.json /model/t /fastcgi /static/bad.json
        /static/t.json /model/rows /uwsgi /model/t )),
    "GET /model/broken HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

is_deeply([leaks($all)], [], 'keep-alive: no forbidden digit');
is(scalar(() = $all =~ m{HTTP/1.1 200 }g), 7, 'keep-alive: good answers');
is(scalar(() = $all =~ m{HTTP/1.1 502 }g), 3,
   'keep-alive: refused answers between them');

# the cache keeps the original, and each client gets his own

ok(leaks(get('/tier/t?tier=keep')) > 0, 'the cache: a tier that sees all');
treated('the cache: one that does not', get('/tier/t?tier=two'));
like(get('/tier/t?tier=two'), qr/^X-Cache: HIT/m, 'the cache: a hit');
ok(leaks(get('/tier/t?tier=keep')) > 0, 'the cache: it keeps the original');

# slow clients: 1 KB at a time

for my $uri ('/model/rows', '/stream/rows', '/stream/events') {
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort =>
                                       $server->{port}) or die;
    my $text = '';

    setsockopt $socket, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(), 2048;
    syswrite $socket, "GET $uri HTTP/1.0\r\n\r\n";

    while (sysread $socket, $text, 1024, length $text) {
        sleep 0.02;
    }

    treated("a slow client, $uri", $text);
    is(scalar(() = $text =~ /0\.84/g), 300, "a slow client, $uri: all of it");
}

SKIP: {
    skip 'curl has no HTTP/2', 5
        if `curl --version 2>/dev/null` !~ /HTTP2/;

    for my $uri ('t', 'rows', 'events', 'broken') {
        my $text = `curl -s -i --http2-prior-knowledge -m 10 http://127.0.0.1:$second/$uri`;

        is_deeply([leaks($text)], [], "HTTP/2, $uri: no forbidden digit");
        like($text, $uri eq 'broken' ? qr{^HTTP/2 502} : qr/0\.84/,
             "HTTP/2, $uri");
    }
}

# gRPC cannot be read, and is refused

ok(leaks(get('/opengrpc')) > 0, 'gRPC, where nothing is guarded');

my $refused = get('/grpc');

is_deeply([leaks($refused), outcome($refused)], ['refused'],
          'gRPC is refused');

SKIP: {
    my $built = `$ENV{TEST_NGINX_BINARY} -V 2>&1`;

    skip 'this nginx is built without HTTP/3', 1
        if $built !~ /with-http_v3_module/;
    skip 'no client for HTTP/3 here', 1
        if `curl --version 2>/dev/null` !~ /HTTP3/;
    ok(1, 'HTTP/3');
}

is(scalar(() = $server->log =~ /\[(alert|crit|emerg)\]/g), 0, 'no alert');

kill 'TERM', $fastcgi_pid, $uwsgi_pid, $scgi_pid;
waitpid $_, 0 for $fastcgi_pid, $uwsgi_pid, $scgi_pid;
