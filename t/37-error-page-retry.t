# Copyright (C) the modelguard authors
#
# Retry-After and the other fields where a location has budgets and nothing
# else: its answers that are no errors are not looked at, unless an internal
# redirect has led to them.

use lib 't/lib';
use ModelguardTest;
use ModelguardServer;

backend(model => sub {
    return json_reply('{"score": 0.5}', 'Retry-After' => '77');
});

my $proxy = "proxy_pass http://127.0.0.1:$ENV{TEST_NGINX_MODEL_PORT};";

my @pages = (
    none => '',
    page => 'error_page 429 /to_page;',
    success => 'error_page 429 =200 /to_page;',
    named => 'error_page 429 @named;',
    named_success => 'error_page 429 =200 @named;',
    model => 'error_page 429 = /other;',
    named_model => 'error_page 429 = @other;',
    idle => 'error_page 429 = /to_idle;',
    redirect => 'error_page 429 =302 http://127.0.0.1/sorry;',
    elsewhere => 'error_page 429 http://127.0.0.1/sorry;',
    status => 'modelguard_reject_status 503; error_page 503 /to_page;',
    twice => 'recursive_error_pages on; error_page 429 /missing;',
    again => 'error_page 429 = /to_again;',
);

my ($zones, $locations) = ('', '');

for (my $i = 0; $i < @pages; $i += 2) {
    $zones .= "modelguard_zone all zone=$pages[$i]:64k;\n";
    $locations .= <<"CONF";
    location /$pages[$i] {
        modelguard_budget $pages[$i] zone=$pages[$i] limit=1 window=100s;
        $pages[$i + 1]
        $proxy
    }
    location /if_$pages[$i] {
        if (\$arg_x = "") {
            set \$x 1;
        }
        modelguard_budget $pages[$i] zone=$pages[$i] limit=1 window=100s;
        $pages[$i + 1]
        limit_except POST { $proxy }
    }
CONF
}

my $server = ModelguardServer->start(<<"CONF");
    $zones
    modelguard_zone all zone=last:64k;
    server {
        listen PORT;
        root logs;
        location = /to_page { internal; return 200 "page"; }
        location \@named { return 200 "named"; }
        location = /other {
            modelguard_budget last zone=last limit=1000 window=100s;
            $proxy
        }
        location \@other { $proxy }
        location = /to_idle { $proxy }
        location = /missing { error_page 404 /to_page; }
        location = /to_again {
            modelguard_budget last zone=last limit=1000 window=100s;
            modelguard_headers legacy;
            $proxy
        }
        $locations
    }
CONF

# "status Retry-After"

sub ask {
    my ($uri) = @_;
    my $got = $server->get($uri);
    my ($status) = $got =~ m{^HTTP/1.1 (\d+)};
    my @retry = $got =~ /^Retry-After: (\d+)\r?$/mg;

    $_ = ($_ > 90 && $_ <= 200) ? 'ours' : $_ for @retry;

    return join ' ', $status // $got, @retry;
}

my %right = (
    none => '429 ours', page => '429 ours', success => '200',
    named => '429 ours', named_success => '200', model => '200',
    named_model => '200', idle => '200', redirect => '302 ours',
    elsewhere => '302 ours', status => '503 ours', twice => '404 ours',
    again => '200',
);

for (my $i = 0; $i < @pages; $i += 2) {
    my $name = $pages[$i];

    is(ask("/$name"), '200 77', "$name: passes, the model server's Retry-After");
    is(ask("/$name"), $right{$name}, "$name: refused");
    is(ask("/if_$name"), $right{$name}, "$name: refused after if");
}

$server->stop;
