# Copyright (C) the modelguard authors
#
# Beside nginx's own modules a guard that keeps everything changes nothing:
# each request goes to a plain location and to a guarded one of the same
# nginx, and the answers must be the same, header and body.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret;

my $pad = '{"pad": "' . 'x' x 3000 . '", ' . substr $Document, 1;

my $zipped = gzipped($pad);    # the time is in it

my $port = backend(model => sub {
    my ($request) = @_;
    my ($kind) = $request->{uri} =~ m{/(\w+)[^/]*$};
    my $headers = $request->{headers};
    my @validators = ('ETag' => '"abc"', 'Last-Modified' =>
                      'Mon, 28 Sep 1970 06:00:00 GMT',
                      'Cache-Control' => 'max-age=3600');

    return reply(join('', map { "$_: " . ($headers->{$_} // '-') . "\n" }
                              qw( range if-range accept-encoding
                                  if-none-match )),
                 'Content-Type' => 'text/plain') if $kind eq 'asked';
    return reply($zipped, 'Content-Encoding' => 'gzip', @validators)
        if $kind eq 'gzip';
    return reply(brotli($Document), 'Content-Encoding' => 'br')
        if $kind eq 'br';
    return reply(substr($Document, 3, 9), status => '206 Partial Content',
                 'Content-Range' => 'bytes 3-11/99') if $kind eq 'part';
    return reply(pack('f<*', 1 .. 9),
                 'Content-Type' => 'application/octet-stream')
        if $kind eq 'binary';
    return reply("data: $Document\n\n: c\n\nid: 1\ndata: [DONE]\n\n",
                 'Content-Type' => 'text/event-stream') if $kind eq 'events';
    return reply("$Document\n$Document\n",
                 'Content-Type' => 'application/x-ndjson')
        if $kind eq 'lines';
    return reply("$Document,,", @validators) if $kind eq 'broken';
    return reply(chunked(unpack '(a100)*', $pad),
                 'Transfer-Encoding' => 'chunked') if $kind eq 'chunks';
    return reply($Document, status => '404 Not Found') if $kind eq 'missing';
    return reply('', status => '304 Not Modified', 'Content-Length' => undef,
                 @validators) if $kind eq 'same';
    return reply('<!--# echo var="arg_a" -->{<!--# include virtual="/inc"'
                 . ' -->}', 'Content-Type' => 'text/html')
        if $kind eq 'ssi';
    return reply($pad, @validators);
});

my %inside = (
    proxy => '', unbuffered => 'proxy_buffering off;',
    old => 'proxy_http_version 1.0;',
    gzip => 'gzip on; gzip_types *; gzip_vary on; gzip_proxied any;',
    gunzip => 'gunzip on;',
    sub => 'sub_filter_types *; sub_filter_once off;'
           . 'sub_filter scores SCORES; sub_filter xx y;',
    range => 'proxy_force_ranges on;',
    cache => 'proxy_cache beside; proxy_cache_valid 1m;'
             . 'add_header X-Cache $upstream_cache_status;',
    limit => 'limit_req zone=%s burst=2 nodelay; limit_req_status 429;',
    slow => 'limit_rate 100k; postpone_output 1;',
    ssi => 'ssi on;',
    expires => 'expires 1h; add_header X-A b always;'
               . 'add_trailer X-T $upstream_status;',
    addition => 'addition_types *; add_after_body /inc;',
);

sub locations {
    my ($letter, $guard) = @_;
    my $text = '';

    for my $name (sort keys %inside) {
        my $more = $inside{$name} =~ s/%s/$letter/gr;

        $text .= "location /$letter/$name/ { $guard $more\n"
                 . "proxy_cache_key $letter\$request_uri;\n"
                 . "proxy_pass http://127.0.0.1:$port/; }\n";
    }

    return "$text location /$letter/file/ { $guard alias html/; sendfile on;"
           . "gzip_static on; types { application/json json; } }\n"
           . "location /$letter/none/ { $guard alias html/none/; }\n"
           . "location /$letter/return { $guard default_type text/plain;\n"
           . "return 200 '$Document'; }\n";
}

# nginx 1.22 has HTTP/2 for all of a port

my $first = ModelguardServer::free_port();

my $server = ModelguardServer->start(<<"CONF");
    modelguard_profile keep { scores keep; metadata keep; }
    modelguard_field scores \$.scores;
    modelguard_field metadata \$.meta;
    proxy_cache_path cache keys_zone=beside:1m;
    limit_req_zone \$server_port zone=a:64k rate=1r/m;
    limit_req_zone \$server_port zone=b:64k rate=1r/m;
    proxy_http_version 1.1;
    server {
        listen PORT http2;
        location = /inc { default_type text/plain; return 200 'i'; }
        @{[ locations('a', 'modelguard off;') ]}
        @{[ locations('b', 'modelguard keep;') ]}
    }
    server {
        listen 127.0.0.1:$first;
        location = /inc { default_type text/plain; return 200 'i'; }
        @{[ locations('a', 'modelguard off;') ]}
        @{[ locations('b', 'modelguard keep;') ]}
    }
CONF

mkdir "$server->{prefix}/html";

for my $file (['t.json', $Document], ['t.json.gz', gzipped($pad)]) {
    open my $out, '>:raw', "$server->{prefix}/html/$file->[0]" or die;
    print $out $file->[1];
    close $out;
}

# the same request to both, over HTTP/1.1 and over HTTP/2

my $curl = `curl --version 2>/dev/null` =~ /HTTP2/;


sub answer {
    my ($letter, $uri, $http2, @options) = @_;
    my $port = $http2 ? $server->{port} : $first;
    my $version = $http2 ? '--http2-prior-knowledge' : '--http1.1';

    open my $in, '-|', 'curl', '-s', '-i', '--raw', '-m', '10', $version,
                       @options,
                       "http://127.0.0.1:$port/$letter$uri"
        or die "curl: $!";

    local $/;
    binmode $in;

    my $text = <$in> // '';

    close $in;

    # the time, and a number that nginx counts up

    return $text =~ s/^(Date|Expires):[^\n]*\n//mgir =~ s/\b0{10}\d{10}\b/n/gr;
}


sub same {
    my ($uri, @options) = @_;

    for my $http2 (0, 1) {
        my $plain = answer('a', $uri, $http2, @options);
        my $guarded = answer('b', $uri, $http2, @options);

        ok($plain eq $guarded && $plain =~ m{\AHTTP/},
           "$uri @options" . ($http2 ? ', HTTP/2' : ''))
            or diag(substr($plain, 0, 600), "\n---\n",
                    substr($guarded, 0, 600));
    }
}


SKIP: {
    skip 'curl has no HTTP/2', 1 if !$curl;

    my @gzip = ('-H', 'Accept-Encoding: gzip');

    for my $name (qw( proxy unbuffered old gunzip cache sub range )) {
        same("/$name/$_"), same("/$name/$_", @gzip)
            for qw( t asked gzip part binary events lines broken missing );
    }

    for my $name ('proxy', 'range', 'cache', 'file', 'sub') {
        my $t = $name eq 'file' ? 't.json' : 't';

        same("/$name/$t", '-r', $_)
            for '0-3', '-5', '5-', '0-1,4-5', '99999-';
        same("/$name/asked", '-r', '3-4', '-H', 'If-Range: "abc"');
        same("/$name/$t", '-I');
        same("/$name/$t", '-H', "If-None-Match: $_")
            for '"abc"', 'W/"abc"', '*', '"x"';
        same("/$name/$t", '-H', 'If-Match: "x"');
        same("/$name/$t", '-H', 'If-Modified-Since: '
                                . 'Mon, 28 Sep 1970 06:00:00 GMT');
    }

    same("/gzip/$_", @gzip) for qw( t gzip events lines missing );
    same("/gzip/$_") for qw( t chunks );
    same("/gzip/t", '-H', 'Accept-Encoding: gzip;q=0');
    same("/file/t.json", @gzip);
    same("/proxy/$_") for qw( br chunks same );
    same("/slow/$_") for qw( t chunks events );
    same("/ssi/ssi?a=1");
    same("/ssi/t");
    same("/expires/$_") for qw( t missing chunks );
    same("/addition/$_") for qw( t chunks );
    same("/return");
    same("/none/x");
    same("/proxy/t", '-d', 'a=b');
    same("/proxy/t", '-X', 'DELETE');

    # one after the other, each zone has had as many

    same("/limit/t") for 1 .. 4;
    like(answer('b', '/limit/t', 0), qr{^HTTP/1.1 429}, 'limit_req limits');
    like(answer('b', '/cache/t', 0), qr/^X-Cache: HIT/m, 'the cache hits');
    like(answer('b', '/sub/t', 0), qr/SCORES/, 'sub_filter filters');
    like(answer('b', '/range/t', 0, '-r', '0-3'), qr{^HTTP/1.1 206},
         'ranges are served');
    like(answer('b', '/gzip/t', 0, @gzip), qr/^Content-Encoding: gzip/m,
         'gzip compresses');
    unlike(answer('b', '/gunzip/gzip', 0), qr/^Content-Encoding/m,
           'gunzip unpacks');
    like(answer('b', '/ssi/ssi?a=1', 0), qr/1\{.*i.*\}/s, 'SSI includes');
}

is(scalar(() = $server->log =~ /\[(alert|crit|emerg)\]/g), 0, 'no alert');
