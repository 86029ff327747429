# Copyright (C) the modelguard authors
#
# What one request does changes nothing for the next one in the same worker:
# the configuration is constant once it has been read.

use lib 't/lib';
use ModelguardTest;

run_tests();

__DATA__

=== TEST 1: refusals, errors and other profiles leave no trace (0.9)
--- http_config
    modelguard_profile p { scores round=1; metadata drop; }
    modelguard_profile q { scores label_only; }
    modelguard_zone $arg_k zone=const:64k;
--- config
    modelguard_field scores $.s;
    modelguard_field metadata $.v;

    location /t {
        default_type application/json;
        modelguard $arg_p;

        if ($arg_bad) {
            return 200 '{"s": [0.16, 0.84';
        }

        return 200 '{"s": [0.16, 0.84], "v": 3}';
    }

    location /b {
        default_type application/json;
        modelguard p;
        modelguard_budget hour zone=const limit=1 window=1h;
        try_files /none @b;
    }

    location @b {
        default_type application/json;
        return 200 '{"s": [0.16, 0.84], "v": 3}';
    }
--- request eval
["GET /t?p=p", "GET /t?p=none", "GET /t?p=p",
 "GET /t?p=p&bad=1", "GET /t?p=p", "GET /t?p=q", "GET /t?p=p",
 "GET /b?k=a", "GET /b?k=a", "GET /b?k=b", "GET /t?p=p"]
--- error_code eval
[200, 500, 200, 502, 200, 200, 200, 200, 429, 200, 200]
--- response_body_like eval
my $p = qr/^\{"s": \[0\.2, 0\.8\]\}$/;
[$p, qr/500/, $p, qr/"code":"response_blocked"/, $p,
 qr/^\{"s": \[0, 1\], "v": 3\}$/, $p, $p, qr/budget_exhausted/, $p, $p]
