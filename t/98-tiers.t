# Copyright (C) the modelguard authors
#
# Tiers: an identity that nginx has verified, by password, by auth_request,
# by certificate or by a JSON Web Token, gets its limit and its profile; who
# is not let in is charged to nobody; who pretends to be another does not
# spend what is his; and an address has a budget of its own.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;

use Digest::SHA qw( hmac_sha256 );
use File::Path qw( make_path remove_tree );
use MIME::Base64 qw( decode_base64 encode_base64 encode_base64url );

use constant { PARTNER => 10, CUSTOMER => 4, ADDRESS => 20 };

beside('ngx_http_js_module');

my $keys = "$ENV{TEST_NGINX_SERVROOT}-keys";
my $tiers = top() . '/conf-examples/tiers';

remove_tree($keys);
make_path($keys);
chmod 0755, $keys;

sub output_of {
    open my $in, '-|', @_ or die "$_[0]: $!";
    binmode $in;
    local $/;

    return <$in> // '';
}

sub file {
    my ($name, @text) = @_;

    if (@text) {
        open my $out, '>:raw', "$keys/$name" or die "$name: $!";
        print $out @text;
        close $out;
        return "$keys/$name";
    }

    open my $in, '<:raw', "$keys/$name" or die "$name: $!";
    local $/;

    return <$in>;
}

for my $folder (qw( ours foreign )) {
    system('sh', "$tiers/make-certificates.sh", "$keys/$folder",
           qw( acme bolt )) == 0 or die 'no certificates';
    system('sh', "$tiers/make-tokens.sh", "$keys/$folder", 'acme=partner',
           'bolt=customer') == 0 or die 'no tokens';
}

# acme's certificate is renewed

rename "$keys/ours/acme.$_", "$keys/ours/old.$_" for qw( pem key );
system("cd $keys/ours && openssl req -newkey rsa:2048 -nodes -subj "
       . '/O=customers/CN=acme -keyout acme.key -out acme.csr 2>/dev/null '
       . '&& openssl x509 -req -days 3 -in acme.csr -CA ca.pem -CAkey ca.key '
       . '-CAcreateserial -out acme.pem 2>/dev/null') == 0
    or die 'no certificate';

file('users', map { "$_:{PLAIN}pass-$_\n" } qw( acme bolt ),
                                           map { "u$_" } 1 .. 30);

my $model = backend(model => sub {
    return json_reply('{"scores": [0.612345, 0.387655]}');
});

my $down = ModelguardServer::free_port();
my %tls = map { $_ => ModelguardServer::free_port() } qw( on optional );

sub guarded {
    my ($zone, $key) = @_;

    return <<"CONF";
            modelguard \$tier_$key;
            modelguard_budget client zone=tier_$zone limit=\$limit_$key
                              window=1h;
            modelguard_budget address zone=tier_address limit=@{[ ADDRESS ]}
                              window=1h;
            add_header X-Remaining \$modelguard_remaining always;
            add_header X-Budget \$modelguard_budget always;
            add_header X-Client-Id \$modelguard_client always;
            proxy_pass http://127.0.0.1:$model;
CONF
}

sub maps {
    my ($key, $variable, $partner) = @_;

    return <<"CONF";
    map \$$variable \$tier_$key {
        default customer;
        "$partner" partner;
    }
    map \$tier_$key \$limit_$key {
        default @{[ CUSTOMER ]};
        partner @{[ PARTNER ]};
    }
CONF
}

sub tls {
    my ($verify) = @_;

    return <<"CONF";
    server {
        listen 127.0.0.1:$tls{$verify} ssl;
        ssl_certificate $keys/ours/server.pem;
        ssl_certificate_key $keys/ours/server.key;
        ssl_client_certificate $keys/ours/ca.pem;
        ssl_verify_client @{[ $verify eq 'on' ? 'on' : 'optional_no_ca' ]};
        location /subject {
            @{[ guarded('subject', 'mtls') ]}
        }
        location /print {
            @{[ guarded('print', 'print') ]}
        }
    }
CONF
}

sub conf {
    return <<"CONF";
    js_import jwt from $tiers/jwt.js;
    js_preload_object jwt_key from $keys/jwt.json;

    set_real_ip_from 127.0.0.1;
    real_ip_header X-From;

    map \$ssl_client_verify \$subject {
        default "";
        SUCCESS \$ssl_client_s_dn;
    }
    map \$ssl_client_verify \$print {
        default "";
        SUCCESS \$ssl_client_fingerprint;
    }

    @{[ maps('basic', 'remote_user', 'acme') ]}
    @{[ maps('request', 'client_tier', 'partner') ]}
    @{[ maps('mtls', 'subject', 'CN=acme,O=customers') ]}
    @{[ maps('print', 'subject', 'CN=acme,O=customers') ]}
    @{[ maps('jwt', 'jwt_tier', 'partner') ]}

    modelguard_zone \$remote_user zone=tier_basic:128k;
    modelguard_zone \$client zone=tier_request:128k;
    modelguard_zone \$subject zone=tier_subject:128k;
    modelguard_zone \$print zone=tier_print:128k;
    modelguard_zone \$jwt_sub zone=tier_jwt:128k;
    modelguard_zone \$modelguard_addr zone=tier_address:128k;
    modelguard_zone "\$remote_user \$model" zone=tier_model:128k;

    map \$uri \$model {
        default other;
        "~^/model/([a-z]+)" \$1;
    }

    modelguard_profile partner { scores round=4; }
    modelguard_profile customer { scores round=2; }
    modelguard_field scores \$.scores;

    map \$http_x_api_key \$known {
        default "";
        k-acme acme;
        k-bolt bolt;
    }
    map \$known \$known_tier {
        default customer;
        acme partner;
    }

    server {
        listen PORT;

        location /basic {
            auth_basic models;
            auth_basic_user_file $keys/users;
            @{[ guarded('basic', 'basic') ]}
        }

        location /model/ {
            auth_basic models;
            auth_basic_user_file $keys/users;
            modelguard_budget model zone=tier_model limit=2 window=1h;
            add_header X-Remaining \$modelguard_remaining always;
            add_header X-Budget \$modelguard_budget always;
            proxy_pass http://127.0.0.1:$model;
        }

        location /service {
            internal;
            if (\$known = "") { return 403; }
            add_header X-Client \$known;
            add_header X-Tier \$known_tier;
            return 204;
        }
        location = /auth {
            internal;
            proxy_pass http://PORT/askservice;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
        }
        location = /askservice {
            rewrite ^ /service;
        }
        location /request {
            auth_request /auth;
            auth_request_set \$client \$upstream_http_x_client;
            auth_request_set \$client_tier \$upstream_http_x_tier;
            @{[ guarded('request', 'request') ]}
        }

        location = /nobody {
            internal;
            proxy_pass http://127.0.0.1:$down;
        }
        location /broken {
            auth_request /nobody;
            auth_request_set \$client \$upstream_http_x_client;
            auth_request_set \$client_tier \$upstream_http_x_tier;
            @{[ guarded('request', 'request') ]}
        }

        location = /verify {
            internal;
            js_content jwt.check;
        }
        location /jwt {
            auth_request /verify;
            auth_request_set \$jwt_sub \$sent_http_x_jwt_sub;
            auth_request_set \$jwt_tier \$sent_http_x_jwt_tier;
            @{[ guarded('jwt', 'jwt') ]}
        }

        # what is left of an address, less the one for asking

        location = /left {
            modelguard_budget address zone=tier_address limit=@{[ ADDRESS ]}
                              window=1h;
            error_page 404 =200 /ok;
        }
        location = /ok {
            internal;
            add_header X-Remaining \$modelguard_remaining;
            return 200;
        }
    }
    @{[ tls('on') ]}
    @{[ tls('optional') ]}
CONF
}

file('jwt.json', file('ours/jwt.json'));

my $server = ModelguardServer->start(conf(), alerts => 0);

# "status remaining budget score", "-" for what is not there

sub summary {
    my ($answer) = @_;

    return join ' ', map { $answer =~ $_ ? "$1" : '-' }
                         qr{^HTTP/\S+ (\d+)}, qr/^X-Remaining: (\d+)/m,
                         qr/^X-Budget: (\w+)/m, qr/"scores": \[([0-9.]+)/;
}

sub plain {
    my ($uri, $from, @headers) = @_;

    return summary($server->get($uri, "X-From: $from", @headers));
}

sub with_certificate {
    my ($verify, $uri, $from, $pair, @more) = @_;

    return output_of('curl', '-si', '--cacert', "$keys/ours/ca.pem",
                     $pair ? ('-E', "$keys/$pair.pem", '--key',
                              "$keys/$pair.key") : (),
                     map({ ('-H', $_) } "X-From: $from", @more),
                     "https://127.0.0.1:$tls{$verify}/$uri");
}

sub left {
    my ($from) = @_;

    return (split ' ', plain('/left', $from))[1];
}

# Tokens: what is not given is good.

sub token {
    my (%options) = @_;

    my $claims = $options{claims}
                 // sprintf('{"sub":"%s","tier":"%s","aud":%s,"exp":%s%s}',
                            $options{sub} // 'acme',
                            $options{tier} // 'partner',
                            $options{aud} // '"models"',
                            $options{exp} // time + 600,
                            $options{more} // '');
    my $header = $options{header}
                 // sprintf('{"alg":"%s"}', $options{alg} // 'RS256');
    my $signed = encode_base64url($header) . '.' . encode_base64url($claims);

    my $signature = $options{signature};

    if (defined $options{secret}) {
        $signature = hmac_sha256($signed, $options{secret});

    } elsif (!defined $signature) {
        file('to-sign', $signed);
        $signature = output_of(qw( openssl dgst -sha256 -sign ), "$keys/"
                               . ($options{key} // 'ours') . '/jwt.key',
                               "$keys/to-sign");
    }

    return "$signed." . encode_base64url($signature);
}

sub bearer {
    return 'Authorization: Bearer ' . token(@_);
}

sub basic {
    return 'Authorization: Basic ' . encode_base64("$_[0]:$_[1]", '');
}

# For each way: how acme and bolt are asked for, and forgeries of acme with
# what becomes of them.

my $public = decode_base64(file('ours/jwt.json') =~ s/.*"key": "(.*)".*/$1/sr);
my $pem = output_of('openssl', 'rsa', '-in', "$keys/ours/jwt.key", '-pubout');

my @of_jwt = (
    ['no token', 401],
    ['another scheme', 401, basic('acme', 'pass-acme')],
    ['no signature', 401, bearer(signature => '')],
    ['alg none', 401, bearer(alg => 'none', signature => '')],
    ['alg none, and a signature', 401, bearer(alg => 'none',
                                              signature => 'x')],
    ['alg NONE', 401, bearer(alg => 'NONE', signature => 'x')],
    ['a header without alg', 401, bearer(header => '{}')],
    ['a header that is no JSON', 401, bearer(header => 'alg')],
    ['a critical extension', 401,
     bearer(header => '{"alg":"RS256","crit":["x"],"x":1}')],
    ['the public key as a secret', 401, bearer(alg => 'HS256',
                                               secret => $public)],
    ['the same as text', 401, bearer(alg => 'HS256', secret => $pem)],
    ['the same with the right alg', 401, bearer(secret => $public)],
    ['another algorithm', 401, bearer(alg => 'RS512')],
    ['a foreign key', 401, bearer(key => 'foreign')],
    ['its key in the header', 401,
     bearer(key => 'foreign', header => '{"alg":"RS256","jwk":{"kty":"RSA"}}')],
    ['a bad signature', 401, bearer(signature => 'x' x 256)],
    ['the signature of another token', 401, do {
        my ($header, $claims) = split /[.]/, token();
        my $other = (split /[.]/, token(sub => 'bolt'))[2];
        "Authorization: Bearer $header.$claims.$other";
    }],
    ['a byte behind it', 401, bearer() . '.'],
    ['expired', 401, bearer(exp => time - 1)],
    ['without expiry', 401, bearer(claims => '{"sub":"acme","aud":"models"}')],
    ['an expiry in words', 401, bearer(exp => '"never"')],
    ['not yet', 401, bearer(more => ',"nbf":' . (time + 600))],
    ['for others', 401, bearer(aud => '"shops"')],
    ['for nobody', 401, bearer(aud => 'null')],
    ['without a subject', 401, bearer(claims => '{"aud":"models","exp":'
                                                . (time + 600) . '}')],
    ['a subject that is no string', 401, bearer(
        claims => '{"sub":["acme"],"aud":"models","exp":' . (time + 600)
                  . '}')],
    ['an empty subject', 401, bearer(sub => '')],
    ['a subject with a line break', 401, bearer(sub => 'acme\nX-A: b')],
    ['two tokens', '40[01]', bearer(key => 'foreign'), bearer()],
    ['a header of ours', 401, 'X-Jwt-Sub: acme', 'X-Jwt-Tier: partner'],
);

my @ways = (
    {
        name => 'basic', uri => '/basic',
        acme => [basic('acme', 'pass-acme')],
        bolt => [basic('bolt', 'pass-bolt')],
        forged => [
            ['nothing', 401],
            ['a wrong password', 401, basic('acme', 'pass-bolt')],
            ['no password', 401, basic('acme', '')],
            ['a name that is not known', 401, basic('acme ', 'pass-acme')],
            ['a header', 401, 'Remote-User: acme', 'X-Remote-User: acme'],
        ],
    },
    {
        name => 'auth_request', uri => '/request',
        acme => ['X-API-Key: k-acme'],
        bolt => ['X-API-Key: k-bolt'],
        forged => [
            ['nothing', 403],
            ['a key that is not known', 403, 'X-API-Key: k-acmf'],
            ['a header of the service', 403, 'X-Client: acme',
             'X-Tier: partner'],
        ],
    },
    {
        name => 'jwt, RS256', uri => '/jwt',
        acme => [bearer()],
        bolt => [bearer(sub => 'bolt', tier => 'customer')],
        forged => \@of_jwt,
    },
);

my $net = 0;

# $send->($from, $who) and $send->($from, @headers) for a way

sub check {
    my ($name, $send, @forged) = @_;
    my @from = map { "198.51.100." . ($net + $_) } 1 .. 4;

    $net += 4;

    is($send->($from[0], 'acme'), '200 9 client 0.6123',
       "$name: a partner has the limit and the profile of partners");
    is($send->($from[1], 'bolt'), '200 3 client 0.61',
       "$name: a customer those of customers");

    my @wrong = grep {
        my ($what, $status, @headers) = @$_;
        my $answer = $send->($from[2], '', @headers);

        diag("$name: $what: $answer") if $answer !~ /^$status - - -$/;

        $answer !~ /^$status - - -$/;
    } @forged;

    is("@wrong", '', "$name: " . scalar(@forged) . ' forgeries are refused');
    is(left($from[2]), ADDRESS - 1, "$name: and charged to no address");
    is($send->($from[0], 'acme'), '200 8 client 0.6123',
       "$name: nor to whom they name");

    is($send->($from[1], 'bolt', 'X-Client: acme', 'X-Tier: partner',
               'X-Jwt-Sub: acme', 'X-Jwt-Tier: partner',
               'Remote-User: acme'), '200 2 client 0.61',
       "$name: one's own identity goes before headers");

    $send->($from[0], 'acme') for 1 .. 7;

    is($send->($from[0], 'acme'), '200 0 client 0.6123',
       "$name: a partner's last");
    is($send->($from[0], 'acme'), '429 0 client -',
       "$name: and then no more");
    is($send->($from[3], 'acme'), '429 0 client -',
       "$name: from another address neither");
    is($send->($from[1], 'bolt'), '200 1 client 0.61',
       "$name: the customer goes on");

    # 10 of acme, 2 refused without a charge

    is(left($from[0]), ADDRESS - PARTNER - 1,
       "$name: the address was charged as often");
}

for my $way (@ways) {
    check($way->{name}, sub {
        my ($from, $who, @headers) = @_;

        return plain($way->{uri}, $from, $who ? @{ $way->{$who} } : (),
                     @headers);
    }, @{ $way->{forged} });
}

check('mtls', sub {
    my ($from, $who, @headers) = @_;
    my $pair = $who ? "ours/$who" : shift @headers;

    return summary(with_certificate('on', 'subject', $from, $pair, @headers));
}, ['no certificate', 400, ''],
   ['a foreign one of that subject', 400, 'foreign/acme'],
   ['a header', 400, '', 'X-SSL-Client-S-DN: CN=acme,O=customers']);

# subject or fingerprint

my $old = 'ours/old';

like(summary(with_certificate('on', 'subject', '198.51.100.90', $old)),
     qr/^429 0 client/, 'mtls: a renewed certificate has the same subject');
is(summary(with_certificate('on', 'print', '198.51.100.90', $old)),
   '200 9 client 0.6123', 'mtls: by fingerprint it begins');
is(summary(with_certificate('on', 'print', '198.51.100.90', 'ours/acme')),
   '200 9 client 0.6123', 'mtls: anew');
is(summary(with_certificate('on', 'print', '198.51.100.90', $old)),
   '200 8 client 0.6123', 'mtls: each for itself');

# where anybody's certificate is let in, the map keeps them apart

my $foreign = with_certificate('optional', 'print', '198.51.100.91',
                               'foreign/acme');

is(summary($foreign), '200 3 client 0.61',
   'mtls: a foreign certificate that was let in has no subject');
is(summary(with_certificate('optional', 'print', '198.51.100.91', '')),
   '200 2 client 0.61', 'mtls: it is charged as its address');
is(summary(with_certificate('optional', 'print', '198.51.100.90', $old)),
   '200 7 client 0.6123', 'mtls: and not as whom it names');

# a budget for each model

is(join(', ', map { plain("/model/$_", '198.51.100.96',
                          basic('acme', 'pass-acme')) } qw( a a b a b b )),
   '200 1 model 0.612345, 200 0 model 0.612345, 200 1 model 0.612345, '
   . '429 0 model -, 200 0 model 0.612345, 429 0 model -',
   'a budget for each client and model');
is(plain('/model/a', '198.51.100.96', basic('bolt', 'pass-bolt')),
   '200 1 model 0.612345', 'and another client');

# a service that is down lets nobody in

is(plain('/broken', '198.51.100.92', 'X-API-Key: k-acme'), '500 - - -',
   'auth_request: no service, no answer');
is(left('198.51.100.92'), ADDRESS - 1, 'auth_request: and no charge');

# claims that nobody has thought of

is(plain('/jwt', '198.51.100.93', bearer(sub => 'c1', tier => 'root')),
   '200 3 client 0.61', 'jwt: an unknown tier is that of customers');
is(plain('/jwt', '198.51.100.93', bearer(sub => 'c2', tier => '')),
   '200 3 client 0.61', 'jwt: so is none');
is(plain('/jwt', '198.51.100.93', bearer(sub => 'c4',
                                         tier => 'partner\nX-A: b')),
   '200 3 client 0.61', 'jwt: so is one with a line break');
is(plain('/jwt', '198.51.100.93',
         bearer(claims => '{"sub":"c5","tier":["partner"],"aud":"models",'
                          . '"exp":' . (time + 99) . '}')),
   '200 3 client 0.61', 'jwt: so is a list');
is(plain('/jwt', '198.51.100.93', bearer(sub => 'c1', tier => 'customer',
                                         exp => time + 99)),
   '200 2 client 0.61', 'jwt: another token, the same client');
is(plain('/jwt', '198.51.100.93', bearer(sub => 'c1')),
   '200 7 client 0.6123', 'jwt: a better tier does not forget what was spent');
is(plain('/jwt', '198.51.100.95', bearer(sub => 'c3', tier => 'customer',
                                         aud => '["a","models"]')),
   '200 3 client 0.61', 'jwt: one audience of several');

# one address, many identities

sub user {
    my ($number, $from) = @_;

    return plain('/basic', $from, basic("u$number", "pass-u$number"));
}

my @passed = grep { user($_, '2001:db8:1:2::1') =~ /^200/ } 1 .. ADDRESS;

is(scalar @passed, ADDRESS, 'an address may have many clients');
is(user(21, '2001:db8:1:2::1'), '429 0 address -', 'but not any number');
is(user(22, '2001:db8:1:2:ffff:ffff:ffff:ffff'), '429 0 address -',
   'all of a /64 are one address');
is(user(21, '2001:db8:1:3::1'), '200 3 client 0.61',
   'the next /64 is another, and the refused were not charged');

left('192.0.2.77') for 1 .. ADDRESS;

is(user(23, '::ffff:192.0.2.77'), '429 0 address -',
   'an IPv4 address in IPv6 is itself');

# the same with a shared secret

my $secret = join '', map { chr } 1 .. 32;

file('jwt.json', '{"alg": "HS256", "aud": "models", "key": "'
                 . encode_base64($secret, '') . '"}');
ok($server->reload(conf()), 'jwt: another kind of key is taken');

my @hs = (
    ['a token of the old key', 401, bearer()],
    ['the wrong secret', 401, bearer(alg => 'HS256', secret => "$secret ")],
    ['no secret', 401, bearer(alg => 'HS256', secret => '')],
    ['alg none', 401, bearer(alg => 'none', signature => 'x')],
    ['the other alg', 401, bearer(secret => $secret)],
    ['expired', 401, bearer(alg => 'HS256', secret => $secret,
                            exp => time - 1)],
);

my @taken = grep { plain('/jwt', '198.51.100.94', @$_[2 .. $#$_])
                   !~ /^$_->[1] - - -$/ } @hs;

is("@{[ map { $_->[0] } @taken ]}", '',
   'jwt, HS256: ' . @hs . ' forgeries are refused');
is(left('198.51.100.94'), ADDRESS - 1, 'jwt, HS256: and charged to nobody');
is(plain('/jwt', '198.51.100.94', bearer(alg => 'HS256', secret => $secret,
                                         sub => 'c1', tier => 'customer')),
   '200 0 client 0.61', 'jwt, HS256: a client of before goes on');

# njs leaves OpenSSL's reasons behind for the next handshake to find

my @alerts = grep { !/ignoring stale global SSL error/ }
                  $server->log =~ /(\[(?:alert|crit|emerg)\].*)/g;

is("@alerts", '', 'no alert');

$server->stop;

run_tests();

__DATA__

=== TEST 1: nginx works
--- config
    location /t {
        return 204;
    }
--- error_code: 204
