# Copyright (C) the modelguard authors
#
# nginx with nothing but its proxy: what this file asks of it needs no PCRE, no
# rewrite, gzip, SSI or charset module, and none of the libraries that undo br
# and zstd.  Where they are missing, such answers are refused.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret ();
use ModelguardServer;

my $json = '{"scores": [0.123456, 0.9], "n": 1.23456}';
my $event = "data: $json\n\n";

my %coded = (gzip => ModelguardSecret::gzipped($json),
             br => ModelguardSecret::brotli($json),
             zstd => ModelguardSecret::zstandard($json));

my $model = backend(model => sub {
    my ($request) = @_;
    my ($how) = $request->{uri} =~ m{(\w+)$};

    return json_reply($event x 3, 'Content-Type' => 'text/event-stream')
        if $how eq 'events';
    return json_reply("$json\n" x 3,
                      'Content-Type' => 'application/x-ndjson')
        if $how eq 'lines';
    return json_reply($coded{$how}, 'Content-Encoding' => $how)
        if $coded{$how};

    return json_reply($json, 'X-Asked' =>
                          $request->{headers}{'accept-encoding'} // 'none');
});

my $server = ModelguardServer->start(<<"CONF");
    modelguard_profile two { scores round=2; }
    modelguard_field scores \$.scores;
    modelguard_zone \$remote_addr zone=z:64k;

    server {
        listen PORT;

        location / {
            modelguard two;
            proxy_pass http://127.0.0.1:$model;
        }

        location /budget {
            modelguard two;
            modelguard_budget calls limit=2 window=1h zone=z;
            proxy_pass http://127.0.0.1:$model;
        }

        location /plain {
            proxy_pass http://127.0.0.1:$model;
        }
    }
CONF

my $treated = $json =~ s/0\.123456/0.12/r;


sub body {
    my ($uri, @headers) = @_;
    my ($head, $body) = split /\r\n\r\n/, $server->get($uri, @headers), 2;
    my ($code) = $head =~ m{^HTTP/\S+ (\d+)};

    return ($code, $body, $head);
}


my ($code, $body, $head) = body('/plain/json');
is($body, $json, 'an answer that is not guarded keeps every byte');

($code, $body, $head) = body('/json', 'Accept-Encoding: gzip, br');
is($body, $treated, 'a guarded one is rounded');
like($head, qr/^X-Asked: identity\r?$/m, 'and is not asked for with a coding');

is((body('/events'))[1], "data: $treated\n\n" x 3, 'events are rounded');
is((body('/lines'))[1], "$treated\n" x 3, 'lines are rounded');
is((body('/gzip'))[1], $treated, 'gzip is undone');

for my $how ('br', 'zstd') {
    ($code, $body, $head) = body("/$how");
    ok(($code == 200 && $body eq $treated)
       || ($code == 502 && $body !~ /123/ && $head !~ /^Content-Encoding/mi),
       "$how is undone, or refused") or diag("$head\n\n$body");
}

is(join(' ', map { (body('/budget'))[0] } 1 .. 3), '200 200 429',
   'a budget of two is for two');

$server->stop;
