# Copyright (C) the modelguard authors
#
# Ways round the guard: copies in nginx's cache, of any state and whoever has
# filled it.  The cache keeps the original; each hit is treated for the client
# who asks.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret;

# what the model says depends on the beginning of the path; /flaky says it
# once, and then nothing but errors

my $port = backend(model => sub {
    my ($request) = @_;
    my ($kind) = $request->{uri} =~ m{^/(\w+)};
    my $asked = $request->{headers}{'accept-encoding'} // '';
    my $again = defined $request->{headers}{'if-none-match'};
    my @live = ('Cache-Control' => 'max-age=1');
    my @long = ('Cache-Control' => 'max-age=600');

    return reply($Document, @long) if $kind eq 'long';
    return reply($Document, @long, 'ETag' => '"8374651928"',
                 'Vary' => 'X-Tier') if $kind eq 'vary';
    return reply(gzipped($Document), @long, 'Content-Encoding' => 'gzip',
                 'Vary' => 'Accept-Encoding')
        if $kind eq 'gzip' || ($kind eq 'asked' && $asked =~ /gzip/);
    return reply($Document, @long, 'Vary' => 'Accept-Encoding')
        if $kind eq 'asked';
    return reply(chunked($Document), @long, 'Transfer-Encoding' => 'chunked')
        if $kind eq 'chunked';
    return reply("data: $Document\n\n", @long,
                 'Content-Type' => 'text/event-stream') if $kind eq 'events';
    return reply($Secret, @long, 'Content-Type' => 'text/plain')
        if $kind eq 'text';
    return reply($Document, @long, status => '404 Not Found')
        if $kind eq 'missing';
    return reply($Document =~ s/\]/,]/r, @long) if $kind eq 'broken';
    return reply('{"pad": "' . 'x' x 300000 . '", ' . substr($Document, 1),
                 @long) if $kind eq 'big';
    return reply('', status => '304 Not Modified', @live,
                 'Content-Length' => undef, 'Content-Type' => undef,
                 'ETag' => '"8374651928"') if $kind eq 'valid' && $again;
    return reply($Document, @live, 'ETag' => '"8374651928"')
        if $kind eq 'valid';
    return (reply($Document, @live, 'Cache-Control' =>
                  'stale-while-revalidate=30'))
        if $kind eq 'swr';
    return (\1.5, reply($Document, @live)) if $kind eq 'slow'
                                              && $request->{count} > 1;

    # stale: good to begin with
    return reply('gone', status => '500 Gone', 'Content-Type' => 'text/plain')
        if $kind eq 'stale' && $request->{headers}{'x-fail'};

    return reply($Document, @live);
});

my $server = ModelguardServer->start(<<"CONF");
    proxy_cache_path cache keys_zone=ways:1m;
    proxy_cache_path large keys_zone=large:1m use_temp_path=off;
    modelguard_profile two   { scores round=2; metadata drop; }
    modelguard_profile keep  { scores keep; }
    modelguard_profile label { scores label_only; metadata drop; }
    modelguard_field scores \$.scores;
    modelguard_field metadata \$.meta;
    map \$http_x_tier \$tier { default two; full keep; none label; }
    proxy_cache_key \$uri;
    proxy_cache ways;
    proxy_http_version 1.1;
    server {
        listen PORT;
        add_header X-Cache \$upstream_cache_status always;

        # unguarded: fills the same cache
        location ~ ^/open(/.*) { proxy_pass http://127.0.0.1:$port\$1;
                                 proxy_cache_key \$1; }
        location ~ ^/guard(/.*) { modelguard \$tier;
                                  proxy_pass http://127.0.0.1:$port\$1;
                                  proxy_cache_key \$1;
                                  gunzip on; }
        location ~ ^/stream(/.*) { modelguard \$tier;
                                   modelguard_buffer_size 0;
                                   proxy_pass http://127.0.0.1:$port\$1;
                                   proxy_cache_key \$1;
                                   gzip on; gzip_types *; gzip_min_length 1; }
        location ~ ^/stale(/.*) { modelguard \$tier;
                                  proxy_pass http://127.0.0.1:$port\$1;
                                  proxy_cache_key \$1;
                                  proxy_cache_use_stale error timeout updating
                                                        http_500;
                                  proxy_cache_background_update on;
                                  proxy_set_header X-Fail \$http_x_fail; }
        location ~ ^/again(/.*) { modelguard \$tier;
                                  proxy_pass http://127.0.0.1:$port\$1;
                                  proxy_cache_key \$1;
                                  proxy_cache_revalidate on; }
        location ~ ^/lock(/.*) { modelguard \$tier;
                                 proxy_pass http://127.0.0.1:$port\$1;
                                 proxy_cache_key \$1;
                                 proxy_cache_lock on; }
        location ~ ^/bypass(/.*) { modelguard \$tier;
                                   proxy_pass http://127.0.0.1:$port\$1;
                                   proxy_cache_key \$1;
                                   proxy_cache_bypass \$http_pragma; }
        location ~ ^/slice(/.*) { modelguard \$tier;
                                  proxy_pass http://127.0.0.1:$port\$1;
                                  proxy_cache_key \$1;
                                  proxy_cache_methods GET HEAD POST;
                                  proxy_ignore_headers Vary Cache-Control; }
    }
CONF

sub get {
    my ($uri, @headers) = @_;
    my $method = $uri =~ s/^(HEAD|POST) // ? $1 : 'GET';

    return ask($server->{port}, join "\r\n", "$method $uri HTTP/1.1",
                                     'Host: x', @headers,
                                     'Connection: close', '', '');
}

# of all that is in the cache, filled by whom: [name, fills, asks, states,
# outcome]

my $n = 0;

sub copy {
    my ($name, $fill, $asks, $states, $expected) = @_;
    my ($uri, @headers) = @$fill;

    $n++;

    my $first = get("$uri/$n", @headers);

    ok(leaks($first) > 0, "$name: who fills the cache sees all")
        if $expected !~ s/^!//;

    for my $ask (@$asks) {
        my ($place, @more) = @$ask;
        my ($kind) = $uri =~ m{(/\w+)$};
        my $answer = get("$place$kind/$n", @more);
        my $named = "$name: $place @more";

        is_deeply([leaks($answer)], [], "$named: no forbidden digit");
        like(outcome($answer, $place =~ /^HEAD/ ? 'HEAD' : ''),
             qr/^($expected)$/, "$named: $expected") or diag($answer);
        like($answer, qr/^X-Cache: ($states)\r/m, "$named: $states")
            if $states;
    }
}

my @all = (['/guard'], ['/stream'], ['/guard', 'Accept-Encoding: gzip'],
           ['/stream', 'Accept-Encoding: gzip'],
           ['/guard', 'Range: bytes=10-30'], ['/guard', 'Range: bytes=-40'],
           ['/stream', 'Range: bytes=10-20,13-22'],
           ['/guard', 'If-None-Match: "8374651928"'],
           ['/guard', 'If-None-Match: *'], ['/again'], ['/stale'], ['/lock'],
           ['/slice'], ['/guard', 'Cache-Control: only-if-cached'],
           ['/guard', 'Cache-Control: max-stale=9999']);

copy('a hit that an unguarded location has filled', ['/open/long'],
     \@all, 'HIT', 'treated|empty');
copy('a hit that a tier that sees all has filled',
     ['/guard/long', 'X-Tier: full'], \@all, 'HIT', 'treated|empty');
copy('a hit that one has filled who sees labels',
     ['/guard/long', 'X-Tier: none'], \@all, 'HIT', '!treated|empty');
copy('a copy that varies', ['/guard/vary', 'X-Tier: full'],
     [['/guard'], ['/stream'], ['/slice', 'X-Tier: two']], '',
     'treated|empty');
copy('a copy that is compressed', ['/open/gzip', 'Accept-Encoding: gzip'],
     \@all, '', 'treated|refused|empty|cut');
copy('a copy that is compressed, by one who takes it',
     ['/guard/gzip', 'X-Tier: full', 'Accept-Encoding: gzip'],
     [['/guard'], ['/guard', 'Accept-Encoding: gzip'], ['/stream']], '',
     '!treated|refused|empty|cut');
copy('a copy in the coding of another client',
     ['/open/asked', 'Accept-Encoding: gzip'],
     [@all, map { ['/slice', "Accept-Encoding: $_"] } 'gzip', 'identity'], '',
     'treated|refused|empty|cut');
copy('a copy that came in chunks', ['/open/chunked'], \@all, 'HIT',
     'treated|empty');
copy('an event stream', ['/open/events'], \@all, 'HIT',
     'treated|refused|empty|cut');
copy('an error', ['/open/missing'], [['/guard'], ['/stream']], '',
     'refused|treated|empty');
copy('a broken document', ['/open/broken'], [['/guard'], ['/stream']], '',
     'refused|cut');
copy('text', ['/open/text'], [['/guard'], ['/stream']], '', 'refused');
copy('a big one, from the file', ['/open/big'], \@all, 'HIT',
     'treated|empty');
copy('HEAD of a hit', ['/open/long'],
     [['HEAD /guard'], ['HEAD /stream'],
      ['HEAD /guard', 'Range: bytes=10-30']], 'HIT', 'treated|empty');
copy('POST of a hit', ['/open/long'], [['POST /slice']], 'HIT|MISS',
     'treated');
copy('bypassed', ['/open/long'], [['/bypass', 'Pragma: x']], 'BYPASS',
     'treated');
copy('served while another is updating it', ['/open/long'], [['/lock']],
     'HIT', 'treated');

# those that time makes of them

my @later = (
    ['/again', 'valid', 'REVALIDATED'], ['/guard', 'valid', 'EXPIRED'],
    ['/stale', 'stale', 'STALE|EXPIRED', 'X-Fail: 1'],
    ['/stale', 'swr', 'STALE|EXPIRED'], ['/guard', 'swr', 'EXPIRED'],
    ['/stale', 'slow', 'STALE|UPDATING|EXPIRED'],
    ['/lock', 'slow', 'EXPIRED'],
);

for my $later (@later) {
    my ($place, $kind) = @$later;

    ok(leaks(get("/open/$kind$place")) > 0, "$kind: all is in the cache");
}

Time::HiRes::sleep(2.1);

for my $later (@later) {
    my ($place, $kind, $states, @headers) = @$later;

    for my $time (1, 2) {
        my $answer = get("$place/$kind$place", @headers);

        is_deeply([leaks($answer), outcome($answer)], ['treated'],
                  "$kind by $place, time $time") or diag($answer);
        like($answer, qr/^X-Cache: ($states|HIT|STALE|UPDATING)\r/m,
             "$kind by $place, time $time: $states") or diag($answer);
    }
}

# what lies in the cache is the original, or tiers would spoil it for others

copy('the cache keeps the original', ['/guard/long'], [['/guard']], 'HIT',
     '!treated');
ok(leaks(get("/guard/long/$n", 'X-Tier: full')) > 0,
   'a tier that sees all sees all after one that does not');
ok(leaks(get("/open/long/$n")) > 0, 'and so does who is not guarded');

my $files = '';

for my $file (split /\n/, `find $server->{prefix}/cache -type f`) {
    open my $in, '<:raw', $file or next;
    local $/;
    $files .= <$in>;
}

like($files, qr/$Secret/, 'the file in the cache has the original');

is(scalar(() = $server->log =~ /\[(alert|crit|emerg)\]/g), 0, 'no alert');
