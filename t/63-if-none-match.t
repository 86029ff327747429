# Copyright (C) the modelguard authors
#
# Ways round the guard: conditional requests, validators, 304 and 412.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret;

my $etag = '"8374651928"';
my $date = 'Mon, 28 Sep 1970 06:00:00 GMT';

my @validators = ('ETag' => $etag, 'Last-Modified' => $date,
                  'Cache-Control' => 'max-age=60');

# a model that answers conditions

sub conditional {
    my ($request) = @_;
    my $headers = $request->{headers};

    return reply('', status => '304 Not Modified', @validators,
                 'Content-Length' => undef, 'Content-Type' => undef)
        if ($headers->{'if-none-match'} // '') =~ /8374651928|\*/
           || ($headers->{'if-modified-since'} // '') eq $date;

    return reply($Document, status => '412 Precondition Failed', @validators)
        if ($headers->{'if-match'} // $etag) !~ /8374651928|\*/;

    return reply($Document, @validators);
}

my @tricks = map { trick("asked for: $_->[0]", \&conditional,
                         'treated|empty|refused', headers => [@$_],
                         control => 0) }
    ["If-None-Match: $etag"], ["If-None-Match: W/$etag"],
    ['If-None-Match: *'], ["If-None-Match: \"a\", $etag"],
    ["If-None-Match: $etag, \"b\""], ['If-None-Match: 8374651928'],
    ["if-none-match: $etag"], ["If-None-Match: \"a\"", "If-None-Match: $etag"],
    ['If-None-Match: "other"'], ["If-Match: $etag"], ['If-Match: *'],
    ['If-Match: "other"'], ["If-Match: W/$etag"],
    ["If-Modified-Since: $date"],
    ['If-Modified-Since: Tue, 29 Sep 1970 06:00:00 GMT'],
    ["If-Unmodified-Since: $date"],
    ['If-Unmodified-Since: Sun, 27 Sep 1970 06:00:00 GMT'],
    ["If-None-Match: $etag", "If-Modified-Since: $date"],
    ["If-None-Match: $etag", 'Accept-Encoding: gzip'],
    ["If-None-Match: $etag", 'Range: bytes=13-22', "If-Range: $etag"];

push @tricks, map { trick("asked for with HEAD: $_", sub {
                              (conditional(@_) =~ s/(\r\n\r\n).*/$1/sr) },
                          'empty|refused', method => 'HEAD',
                          headers => [$_], control => 0) }
    "If-None-Match: $etag", 'If-Match: "other"';

# without a condition, the same answers, which leak where nothing is guarded

push @tricks, map {
    my ($name, $expected, @reply) = @$_;
    trick("unasked: $name", reply(@reply), $expected)
} (
    ['validators', 'treated', $Document, @validators],
    ['a weak validator', 'treated', $Document, 'ETag' => "W/$etag"],
    ['a broken validator', 'treated', $Document, 'ETag' => '"8374'],
    ['validators twice', 'treated', $Document, @validators, @validators],
    ['412 with the document', 'treated|refused', $Document, @validators,
     status => '412 Precondition Failed'],
    ['428', 'treated|refused', $Document, @validators,
     status => '428 Precondition Required'],
    ['203', 'treated', $Document, @validators,
     status => '203 Non-Authoritative Information'],
);

# a 304, a 204 or a 1xx with a body is none: the body must not be read as one

push @tricks, map {
    my ($name, @reply) = @$_;
    trick("unasked: $name", reply(@reply), 'empty|refused|cut', control => 0)
} (
    ['304 with the document', $Document, status => '304 Not Modified'],
    ['304 with chunks', chunked($Document), status => '304 Not Modified',
     'Transfer-Encoding' => 'chunked'],
    ['204 with the document', $Document, status => '204 No Content'],
    ['204 with chunks', chunked($Document), status => '204 No Content',
     'Transfer-Encoding' => 'chunked'],
    ['205 with the document and no type', $Document,
     status => '205 Reset Content', 'Content-Type' => undef],
    ['304 of a length only', '', status => '304 Not Modified',
     'Content-Length' => length $Document],
);

push @tricks, trick('205 with the document', reply($Document,
                        status => '205 Reset Content'),
                    'treated|empty|refused|cut');

sub no_validator {
    my ($trick, $way, $answer) = @_;
    my ($head) = split /\r\n\r\n/, $answer;

    return $head !~ m{\AHTTP/1.1 [23]} ? () :
        map { "it has $_" } grep { $head =~ /^$_/mi } 'ETag:',
                                                      'Last-Modified:';
}

my $server = ways(@tricks, { check => \&no_validator });

# a validator that somebody of another tier has seen, against the cache; the
# cache revalidates with it

my $port = backend(tiers => sub {
    my ($request) = @_;

    return reply('', status => '304 Not Modified', 'ETag' => $etag,
                 'Cache-Control' => 'max-age=1', 'Content-Length' => undef,
                 'Content-Type' => undef)
        if ($request->{headers}{'if-none-match'} // '') eq $etag;

    return reply($Document, 'ETag' => $etag, 'Last-Modified' => $date,
                 'Cache-Control' => 'max-age=1');
});

$server->stop;

my $tiers = ModelguardServer->start(<<"CONF");
    proxy_cache_path cache keys_zone=ways:1m;
    modelguard_profile two  { scores round=2; metadata drop; }
    modelguard_profile keep { scores keep; }
    modelguard_field scores \$.scores;
    modelguard_field metadata \$.meta;
    server {
        listen PORT;
        location / {
            modelguard \$arg_tier;
            proxy_cache ways;
            proxy_cache_key \$uri;
            proxy_cache_revalidate on;
            add_header X-Cache \$upstream_cache_status always;
            proxy_pass http://127.0.0.1:$port;
        }
    }
CONF

sub tier {
    my ($tier, @headers) = @_;

    return ask($tiers->{port}, join "\r\n", "GET /t?tier=$tier HTTP/1.1",
                                    'Host: x', @headers, 'Connection: close',
                                    '', '');
}

for my $round (1, 2) {
    ok(leaks(tier('keep')) > 0, 'the cache is filled by a tier that sees all');

    for my $condition ("If-None-Match: $etag", "If-None-Match: W/$etag",
                       'If-None-Match: *', "If-Modified-Since: $date",
                       "If-Match: $etag", 'If-Match: "x"', 'X-None: x')
    {
        my $answer = tier('two', $condition);

        is_deeply([leaks($answer)], [], "another tier, $condition");
        like(outcome($answer), qr/^(treated|empty|refused)$/,
             "another tier, $condition: the outcome");
        unlike($answer, qr/^(ETag|Last-Modified):/mi,
               "another tier, $condition: no validator");
        like($answer, qr/^X-Cache: (HIT|REVALIDATED|EXPIRED)/m,
             "another tier, $condition: from the cache");
    }

    Time::HiRes::sleep(2.1) if $round == 1;
}
