# Copyright (C) the modelguard authors
#
# A zone whose key is a request header, $http_name: the header is found by its
# name, and it has to be what the variable is, in all that may differ.  What
# is asked for under /seen has asked for the variable before: there it is the
# variable that is charged.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;

my $h2 = ModelguardServer::free_port();

sub conf {
    my ($options) = @_;

    my $show = 'add_header X-Client $modelguard_client always; '
               . 'add_header X-Verdict $modelguard_verdict always; '
               . 'add_header X-Left $modelguard_remaining always;';

    return <<"CONF";
    modelguard_zone \$http_x_api_key zone=key:128k;
    modelguard_zone \$http_x_aws zone=aws:128k;
    modelguard_zone \$http_x_map zone=mapped:128k;
    modelguard_zone \$http_host zone=host:128k;
    map \$arg_m \$http_x_map { default "of the map \$arg_m"; }
    server {
        listen PORT;
        listen 127.0.0.1:$h2 http2;
        $options
        $show
        root logs;
        error_page 404 =200 \@ok;
        location \@ok { $show return 200; }
        location /key {
            modelguard_budget a zone=key limit=1000 window=1h;
        }
        location /seen {
            set \$seen \$http_x_api_key;
            modelguard_budget a zone=key limit=1000 window=1h;
        }
        location /set {
            set \$http_x_aws "of the configuration \$arg_m";
            modelguard_budget b zone=aws limit=1000 window=1h;
        }
        location /map {
            modelguard_budget c zone=mapped limit=1000 window=1h;
        }
        location /host {
            modelguard_budget d zone=host limit=1000 window=1h;
        }
    }
CONF
}

my $server;

sub client {
    my ($uri, @headers) = @_;
    my $got = $server->get($uri, @headers);

    return $1 if $got =~ /^X-Client: (\S+)/m;
    return $got =~ m{^HTTP/1.1 (\d+)} ? $1 : $got;
}

# the header's client is the variable's, and that of "as"

sub same {
    my ($name, $as, @headers) = @_;
    my $found = client('/key', @headers);

    like($found, qr/\A[0-9a-f]{16,}\z/, "$name: has a client");
    is($found, client('/seen', @headers), "$name: as the variable has it");
    is($found, $as, "$name: the one that was meant");
}

# the versions of nginx differ in this

sub variable {
    my ($name, @headers) = @_;

    is(client('/key', @headers), client('/seen', @headers),
       "$name: as the variable has it");
}

$server = ModelguardServer->start(conf(''));

my $a = client('/seen', 'X-Api-Key: a');
my $b = client('/seen', 'X-Api-Key: b');
my $nobody = client('/seen');

isnt($a, $b, 'two keys are two clients');
isnt($a, $nobody, 'and none is another one');

same('the header', $a, 'X-Api-Key: a');
same('mixed case', $a, 'x-aPi-KEY: a');
same('among others', $b, 'X-Api: a', 'X-Api-Kez: a', 'X-Api-Key: b',
     'X-Api-Key-2: a', 'Y-Api-Key: a');
same('after many', $b, (map { "X-Abc-$_: a" } 100 .. 140), 'X-Api-Key: b');
same('none', $nobody);
same('none of that length', $nobody, 'X-Api-Kez: a');
same('an empty one', $nobody, 'X-Api-Key:');
same('blanks', $nobody, 'X-Api-Key:   ');
same('a dash short', $nobody, 'XApi-Key: a', 'X-ApiKey: a');
same('underscores that nginx drops', $nobody, 'X_Api_Key: a');
same('underscores that nginx drops, beside it', $b, 'X_Api_Key: a',
     'X-Api-Key: b');

variable('two headers', 'X-Api-Key: a', 'X-Api-Key: b');
variable('two headers in another case', 'X-Api-Key: a', 'x-api-key: b');
variable('two headers, one of them empty', 'X-Api-Key:', 'X-Api-Key: b');
variable('two headers, far from each other', 'X-Api-Key: a',
         (map { "X-Abc-$_: a" } 100 .. 140), 'X-Api-Key: b');

# the value may be any

same('a long one', client('/seen', 'X-Api-Key: ' . 'a' x 3000),
     'X-Api-Key: ' . 'a' x 3000);

# what the configuration sets has the header's name, and is not the header

isnt(client('/set?m=1'), client('/set?m=2'), 'set: its values are clients');
is(client('/set?m=1', 'X-Aws: a'), client('/set?m=1', 'X-Aws: b'),
   'set: the header is none');
isnt(client('/map?m=1'), client('/map?m=2'), 'map: its values are clients');
is(client('/map?m=1', 'X-Map: a'), client('/map?m=1', 'X-Map: b'),
   'map: the header is none');
is(client('/host'), client('/host', 'X-Host: a'), '$http_host');

# HTTP/2

SKIP: {
    my $curl = `curl --version 2>/dev/null`;

    skip('curl without HTTP/2', 2) if $curl !~ /\bHTTP2\b/i;

    for my $header ('X-Api-Key: a', 'x-API-key: a') {
        my @curl = (qw( curl -sS --max-time 5 --http2-prior-knowledge -D - ),
                    '-H', $header, "http://127.0.0.1:$h2/key");
        my $got = do {
            local $/;
            open(my $out, '-|', @curl) or die "curl: $!";
            <$out>;
        };
        my ($client) = $got =~ /^x-client: (\S+)/m;
        is($client, $a, "HTTP/2: $header");
    }
}

# with names that nginx would drop otherwise, as a reload has it

ok($server->reload(conf('underscores_in_headers on;')),
   'underscores_in_headers');

same('an underscore is a dash', $a, 'X_Api_Key: a');
same('one of them', $a, 'X-Api_Key: a');
same('in capitals', $a, 'X_API_KEY: a');
same('still the header', $b, 'X-Api-Key: b');
variable('both', 'X_Api_Key: a', 'X-Api-Key: b');
variable('both, the other way round', 'X-Api-Key: b', 'X_Api_Key: a');
same('one of another name', $b, 'X_Api_Kez: a', 'X-Api-Key: b');
same('one of another name, behind', $b, 'X-Api-Key: b', 'X_Api_Kez: a');

ok($server->reload(conf('ignore_invalid_headers off;')),
   'ignore_invalid_headers');

same('the header', $b, 'X-Api-Key: b');
variable('an underscore', 'X_Api_Key: a');
variable('other characters', 'X.Api.Key: a', 'X-Api-Key: b');

$server->stop;
