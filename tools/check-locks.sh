#!/usr/bin/env bash
#
# Copyright (C) the modelguard authors
#
# The rules about locks, watched while the tests of budgets run:
#
#     check-locks.sh              t/tools/lock-check.c must have no complaint
#     check-locks.sh --self-test  and must have one of each known bug that is
#                                 put back into a copy of the sources
#
# Works on what build-module.sh has built.

set -euo pipefail

. "$(dirname "$0")/common.sh"

LOCKS=$BUILD/locks
LIBRARY=$LOCKS/lock-check.so
REPORT=$LOCKS/report
NAME=ngx_http_modelguard_module
OBJECTS=$BUILD/module-gcc
NGINX=${NGINX_BIN:-/usr/sbin/nginx}

TESTS="t/03-budget.t t/04-budget-redirect.t t/05-budget-reload.t
    t/08-budget-concurrent.t t/83-settle.t t/85-kill.t
    t/88-concurrent-budgets.t t/95-ban.t"


prepare()
{
    rm -rf "$LOCKS"
    mkdir -p "$LOCKS"

    gcc -O2 -Wall -Wextra -Werror -fPIC -shared -I "$SOURCES" -o "$LIBRARY" \
        "$TOP/t/tools/lock-check.c" -ldl

    # of the tests, only nginx is watched

    cat > "$LOCKS/nginx" <<END
#!/bin/sh
exec env LD_PRELOAD=$LIBRARY MODELGUARD_LOCKS=$REPORT $NGINX "\$@"
END
    chmod +x "$LOCKS/nginx"
}


# The tests with a module; what the checker says is in $REPORT.

watch()
{
    local module=$1
    shift

    rm -f "$REPORT"
    : > "$REPORT"
    chmod 666 "$REPORT"

    (
        cd "$TOP"
        export TEST_NGINX_BINARY=$LOCKS/nginx
        export TEST_NGINX_LOAD_MODULES=$module
        export MODELGUARD_RUN=$LOCKS/run MODELGUARD_MODE=locks
        timeout 300 prove -I t/lib "$@"
    ) > "$LOCKS/tests.log" 2>&1
}


# A worker, and some requests in two zones that are charged and settled: what
# a known bug does to whole tests may be to let them hang.

ask()
{
    local module=$1 port pid i

    rm -rf "$LOCKS/ask"
    mkdir -p "$LOCKS/ask/logs"
    rm -f "$REPORT"
    : > "$REPORT"
    chmod 666 "$REPORT"

    port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(
               Listen => 1, LocalAddr => "127.0.0.1")->sockport')

    cat > "$LOCKS/ask/nginx.conf" <<END
load_module $module;
daemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log;
events { }
http {
    access_log off;
    modelguard_zone \$arg_k zone=one:1m;
    modelguard_zone \$arg_k zone=two:1m;
    server {
        listen 127.0.0.1:$port;
        location /one {
            modelguard_budget a zone=one limit=1000 window=1h;
            modelguard_budget b zone=one limit=100k unit=bytes lifetime;
        }
        location /plain {
            modelguard_budget a zone=one limit=1000 window=1h;
        }
        location /two {
            modelguard_budget a zone=one limit=1000 window=1h;
            modelguard_budget c zone=two limit=1000 window=1h;
        }
    }
}
END

    "$LOCKS/nginx" -p "$LOCKS/ask/" -c "$LOCKS/ask/nginx.conf" \
        > "$LOCKS/ask/output" 2>&1 &
    pid=$!

    perl -MIO::Socket::INET -MTime::HiRes=sleep -e '
        my ($port) = @ARGV;
        my $end = time + 10;

        for my $i (1 .. 60) {
            my $way = ("one", "two", "plain")[$i % 3];
            my $k = $i % 20;
            my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1",
                                               PeerPort => $port);

            if (!$socket) {
                last if time > $end;
                sleep 0.1;
                redo;
            }

            local $SIG{ALRM} = sub { die };
            alarm 2;
            print $socket "GET /$way?k=$k HTTP/1.0\r\n\r\n";
            eval { 1 while <$socket> };
            alarm 0;
        }
    ' "$port"

    kill -QUIT $pid
    for i in $(seq 30); do
        kill -0 $pid 2>/dev/null || break
        sleep 0.1
    done
    kill -TERM $pid 2>/dev/null || true
    wait $pid || true
}


taken()
{
    awk '/^end: [0-9]+ locks/ { n += $2 } END { print n + 0 }' "$REPORT"
}


complaints()
{
    grep -v '^end: [0-9]* locks taken' "$REPORT" | sort | uniq -c || true
}


# Compiles one changed source as the build has, and links it with the rest.

rebuild()
{
    local file=$1 source=$2 module=$3 object

    object=objs/addon/$NAME/${file%.c}.o

    make -C "$OBJECTS" -n -W "$SOURCES/$file" -f objs/Makefile modules \
        | sed -e "s#$SOURCES/$file#$source -I $SOURCES#" \
              -e "s#$object#$source.o#" -e "s#-o objs/$NAME.so#-o $module#" \
              -e "s#-Wl,--version-script=[^ ]*##" \
        | grep -v '^make' > "$LOCKS/rebuild.sh"

    (cd "$OBJECTS" && sh -e "$LOCKS/rebuild.sh") > "$LOCKS/rebuild.log" 2>&1 \
        || die "a known bug does not compile, see $LOCKS/rebuild.log"

    [ -s "$module" ] || die "nothing was linked: $LOCKS/rebuild.log"
}


# The module as it is, but with names that the checker can stand in front of.

open_module()
{
    local file=modelguard_lock.c

    OPEN=$LOCKS/open/$NAME.so
    mkdir -p "${OPEN%/*}"

    cp "$SOURCES/$file" "$LOCKS/open.c"
    rebuild "$file" "$LOCKS/open.c" "$OPEN"
}


# plant NAME RULE FILE EXPRESSION: puts a bug back by a sed expression,
# and wants a complaint of that rule.

plant()
{
    local name=$1 rule=$2 file=$3 expression=$4 source module

    source=$LOCKS/$name.c
    module=$LOCKS/$name/$NAME.so
    mkdir -p "${module%/*}"

    sed -E "$expression" "$SOURCES/$file" > "$source"

    if cmp -s "$source" "$SOURCES/$file"; then
        die "the bug \"$name\" no longer fits $file: change the expression"
    fi

    rebuild "$file" "$source" "$module"

    ask "$module"

    if ! grep -q "^$rule: " "$REPORT"; then
        cat "$REPORT"
        die "the bug \"$name\" is not complained of by \"$rule\""
    fi

    printf '   %-9s %s\n' "$name:" "$(grep -m 1 "^$rule: " "$REPORT")"
}


self_test()
{
    say "locks: known bugs put back"

    ask "$OPEN"

    [ -z "$(complaints)" ] && [ "$(taken)" -gt 60 ] \
        || { cat "$REPORT"; die "without one, there are complaints"; }

    # the lock of a charge is not let go

    plant leave held modelguard_table_quick.c \
        '/^    modelguard_lock_release\(/d'

    # a charge of one zone, which takes its lock itself, without it

    plant pay unlocked modelguard_table_quick.c \
        's/rc = modelguard_table_take\(table, quick->shard\);/rc = MODELGUARD_OK;/'

    # a settlement after the lock has been let go

    plant late unlocked ngx_http_modelguard_zone_settle.c \
        '/^ngx_http_modelguard_zone_settle/,/^}/{
            /    modelguard_table_unlock/d
            s/^    rc = modelguard_table_settle/    modelguard_table_unlock(zone->table, shard);\n&/
        }'

    # several zones, the last first

    plant invert order ngx_http_modelguard_zone_charge.c \
        '/^ngx_http_modelguard_zone_after/,/^}/s/uid\[i\] > /uid[i] < /'

    # let go twice

    plant twice "not held" ngx_http_modelguard_zone_settle.c \
        '/^ngx_http_modelguard_zone_settle/,/^}/{
            s/^    modelguard_table_unlock.*/&\n&/
        }'

    # logging, which writes, under a lock

    plant log held ngx_http_modelguard_zone_charge.c \
        '/^ngx_http_modelguard_zone_unlock/,/^}/{
            s/^ +modelguard_table_unlock/    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "under a lock");\n&/
        }'
}


main()
{
    local found

    prepare
    open_module

    if [ "${1:-}" = --self-test ]; then
        self_test
        return
    fi

    say "locks, watched"

    watch "$OPEN" $TESTS \
        || { tail -30 "$LOCKS/tests.log"; die "the tests fail"; }

    [ "$(taken)" -gt 1000 ] || die "hardly a lock was taken: $(taken)"

    found=$(complaints)

    if [ -n "$found" ]; then
        printf '%s\n' "$found"
        die "rules about locks are broken"
    fi

    say "locks: $(taken) taken, no rule broken"
}


main "$@"
