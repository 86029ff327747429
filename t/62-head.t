# Copyright (C) the modelguard authors
#
# Ways round the guard: HEAD, and what headers tell of the original.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret;

my $length = length $Document;

# headers that tell the digits, a digest or the length of the original

my @telling = (
    'ETag' => '"8374651928"', 'Content-MD5' => 'ODM3NDY1MTkyOA==',
    'Digest' => 'sha-256=ODM3NDY1MTkyOA==',
    'Repr-Digest' => 'sha-256=:ODM3NDY1MTkyOA==:',
    'Content-Digest' => 'sha-256=:ODM3NDY1MTkyOA==:',
    'Last-Modified' => 'Mon, 28 Sep 1970 06:00:00 GMT',
    'Accept-Ranges' => 'bytes',
);

# nothing of the original may be told: no length, validator or digest of it

sub headers_ok {
    my ($trick, $way, $answer) = @_;
    my ($head) = split /\r\n\r\n/, $answer;

    return $trick->{any} || $head !~ m{\AHTTP/1.1 200} ? () :
        map { "it has $_" } grep { $head =~ /^$_/mi }
            "Content-Length: $length\\r", 'ETag:', 'Content-MD5:', 'Digest:',
            'Repr-Digest:', 'Content-Digest:', 'Last-Modified:',
            'Content-Range:', 'Accept-Ranges: bytes';
}

sub both {
    my ($name, $expected, @reply) = @_;
    my ($whole) = reply(@reply);
    my $head = $whole =~ s/(\r\n\r\n).*/$1/sr;
    my $any = $name =~ /^any/ ? 1 : 0;

    return (
        trick("HEAD, $name", $head, 'empty|refused', method => 'HEAD',
              any => $any),
        trick("HEAD, $name, over HTTP/1.0", $head, 'empty|refused',
              method => 'HEAD', version => '1.0', any => $any),
        trick("HEAD, $name, compressed", $head, 'empty|refused',
              method => 'HEAD', any => $any,
              headers => ['Accept-Encoding: gzip']),
        trick("GET, $name", $whole, $expected, any => $any),
    );
}

my @tricks = (
    both('headers that tell', 'treated', $Document, @telling),
    both('the same in lower case', 'treated', $Document,
         map { lc } @telling[0 .. 9]),
    both('each of them twice', 'treated', $Document, @telling[0 .. 9],
         @telling[0 .. 9]),
    both('a weak validator', 'treated', $Document,
         'ETag' => 'W/"8374651928"'),
    both('a validator that is none', 'treated', $Document,
         'ETag' => '8374651928'),
    both('in chunks', 'treated', chunked($Document), @telling,
         'Transfer-Encoding' => 'chunked'),
    both('of an unknown length', 'treated', $Document, @telling,
         'Content-Length' => undef),
    both('compressed by the model', 'treated|refused|cut',
         gzipped($Document), @telling, 'Content-Encoding' => 'gzip'),
    both('of no type', 'refused', $Document, @telling,
         'Content-Type' => undef),
    both('of another type', 'refused', $Document, @telling,
         'Content-Type' => 'application/octet-stream'),
    both('part of it', 'refused', $Document, @telling,
         status => '206 Partial Content'),
    both('an event stream', 'treated|refused', "data: $Document\n\n",
         @telling, 'Content-Type' => 'text/event-stream'),
    both('lines', 'treated|refused', "$Document\n", @telling,
         'Content-Type' => 'application/x-ndjson'),
    both('an error in JSON', 'treated|refused', $Document, @telling,
         status => '400 Bad Request'),
    both('an empty body', 'empty|refused', '', @telling),
);

# the model sends a body to HEAD, or answers a HEAD like a GET

push @tricks, map { trick("HEAD, $_->[0]", $_->[1], 'empty|refused',
                          method => 'HEAD', control => 0) }
    ['with a body', reply($Document)],
    ['with a body that is broken', reply("$Document,,")],
    ['with a body in chunks', reply(chunked($Document),
                                    'Transfer-Encoding' => 'chunked')],
    ['a length of secrets', reply('', 'Content-Length' => 8374651928)];

# other methods whose answers have no body, or pretend it

push @tricks, map { trick("$_", reply($Document, @telling),
                          'treated|refused|empty', method => $_, any => 0,
                          control => 0) }
    'OPTIONS', 'POST', 'PUT', 'DELETE', 'PATCH', 'head', 'Head', 'TRACE',
    'PROPFIND', 'QUERY', 'LINK';

# a HEAD fills the cache, a GET empties it, and the other way around

push @tricks,
    trick('HEAD of a cache', reply($Document, @telling), 'empty',
          method => 'HEAD', ways => ['cached'], query => '?a', control => 0),
    trick('HEAD of a cache that a GET has filled',
          reply($Document, @telling), 'empty',
          method => 'HEAD', ways => ['cached'], control => 0);

my $server = ways(@tricks, { check => \&headers_ok });

# a HEAD and a GET of one document must not tell how much has been cut off

for my $way ('held', 'streamed') {
    my ($head) = ask($server->{port}, "HEAD /$way/3 HTTP/1.1\r\nHost: x\r\n"
                                      . "Connection: close\r\n\r\n");

    unlike($head, qr/^Content-Length/mi, "HEAD, $way: no length");
}

# HEAD of a file, of a return directive, and with the cache's GET

$server->stop;

my $other = ModelguardServer->start(<<"CONF");
    modelguard_profile two { scores round=2; metadata drop; }
    modelguard_field scores \$.scores;
    modelguard_field metadata \$.meta;
    server {
        listen PORT;
        modelguard two;
        location = /file.json { types { application/json json; } }
        location = /return { default_type application/json;
                             return 200 '$Document'; }
        location = /plain { modelguard off; alias html/file.json; }
    }
CONF

mkdir "$other->{prefix}/html";
open my $file, '>', "$other->{prefix}/html/file.json" or die;
print $file $Document;
close $file;

for my $uri ('/file.json', '/return') {
    my $answer = ask($other->{port}, "HEAD $uri HTTP/1.1\r\nHost: x\r\n"
                                     . "Connection: close\r\n\r\n");

    is_deeply([outcome($answer, 'HEAD'), leaks($answer)], ['empty'],
              "HEAD $uri");
    is_deeply([headers_ok({}, '', $answer)], [], "HEAD $uri: headers");
}

like(ask($other->{port}, "HEAD /plain HTTP/1.1\r\nHost: x\r\n"
                         . "Connection: close\r\n\r\n"),
     qr/^Content-Length: $length\r/m, 'HEAD of what is not guarded');
