#!/usr/bin/env perl

# Copyright (C) the modelguard authors
#
# Every file of the corpus whose shape is in scope, through nginx with three
# profiles.  t/corpus/table.py says which file is guarded with which fields,
# or why it is out of scope; t/corpus/run.py does the rest.

use strict;
use warnings;

use Cwd qw( realpath );
use File::Basename qw( dirname );

my $top = realpath(dirname(__FILE__) . '/..');

$ENV{MODELGUARD_CORPUS} ||= "$top/../shared/corpus";
$ENV{MODELGUARD_RUN} ||= "$top/build/run/by-hand";
$ENV{PYTHONDONTWRITEBYTECODE} = 1;

if (!$ENV{TEST_NGINX_BINARY}) {
    $ENV{TEST_NGINX_BINARY} = '/usr/sbin/nginx';
    $ENV{TEST_NGINX_LOAD_MODULES}
        //= "$top/build/ngx_http_modelguard_module.so";
}

if (!-f "$ENV{MODELGUARD_CORPUS}/manifest.csv") {
    print "1..0 # SKIP no corpus at $ENV{MODELGUARD_CORPUS}\n";
    exit 0;
}

exec 'python3', "$top/t/corpus/run.py", @ARGV
    or die "cannot run python3: $!";
