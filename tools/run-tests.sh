#!/usr/bin/env bash
#
# Copyright (C) the modelguard authors
#
# Runs t/*.t with prove, in one of the modes:
#
#     run-tests.sh default | hup | postpone | randomize | static | asan | crash
#                  | coverage [--with-units] [prove's options and files ...]
#
# --with-units runs the unit tests of build/unit in the same prove.  The logs
# of a run stay in build/run/MODE.

set -euo pipefail

. "$(dirname "$0")/common.sh"

MODE=${1:-default}
MODULE=$BUILD/ngx_http_modelguard_module.so
shift || true

unset "${!TEST_NGINX_USE@}" TEST_NGINX_POSTPONE_OUTPUT TEST_NGINX_RANDOMIZE \
    TEST_NGINX_SERVROOT TEST_NGINX_LOAD_MODULES MODELGUARD_ALERTS

export TEST_NGINX_BINARY=${NGINX_BIN:-/usr/sbin/nginx}
export TEST_NGINX_LOAD_MODULES=$MODULE
export TEST_NGINX_TIMEOUT=${TEST_NGINX_TIMEOUT:-10}
export MODELGUARD_MODE=$MODE
export MODELGUARD_RUN=$BUILD/run/${MATRIX_CELL:-$MODE}
export MODELGUARD_CORPUS=${MODELGUARD_CORPUS:-$TOP/../shared/corpus}

case $MODE in

    default | crash)
    ;;

    hup)
        export TEST_NGINX_USE_HUP=1

        # s; thrice that is all the time that a reload is given

        export TEST_NGINX_SLEEP=${TEST_NGINX_SLEEP:-0.03}
    ;;

    postpone)
        export TEST_NGINX_POSTPONE_OUTPUT=1
    ;;

    randomize)
        export TEST_NGINX_RANDOMIZE=1
    ;;

    static | coverage)
        export TEST_NGINX_BINARY=$BUILD/nginx-$MODE/objs/nginx
        export TEST_NGINX_LOAD_MODULES=
    ;;

    asan)
        export TEST_NGINX_BINARY=$BUILD/nginx-asan/objs/nginx
        export TEST_NGINX_LOAD_MODULES=

        SANITIZER=log_path=$MODELGUARD_RUN/sanitizer
        SUPPRESSIONS=$TOP/t/tools/lsan.supp

        # Test::Nginx adds the block to log_path, and knows only commas

        export ASAN_OPTIONS=$SANITIZER,detect_stack_use_after_return=1
        export UBSAN_OPTIONS=$SANITIZER:print_stacktrace=1
        export LSAN_OPTIONS=suppressions=$SUPPRESSIONS:print_suppressions=0
    ;;

    *)
        die "no such mode: $MODE"
    ;;

esac

# a cell of tools/matrix has an nginx, a module and a folder of its own

if [ -n "${MATRIX_CELL:-}" ]; then
    export TEST_NGINX_BINARY=$MATRIX_NGINX
    export TEST_NGINX_LOAD_MODULES=$MATRIX_MODULE
fi

[ -x "$TEST_NGINX_BINARY" ] || die "$TEST_NGINX_BINARY is not built"

# Test::Nginx's own port, or one further on when another run, or what a killed
# one left behind, sits on it; below those that the system gives to clients

if [ $MODE != randomize ] && [ -z "${TEST_NGINX_PORT:-}" ]; then
    TEST_NGINX_PORT=$(perl -MIO::Socket::INET -e '
        for (my $port = 1984; $port < 32000; $port += 101) {
            IO::Socket::INET->new(Listen => 1, LocalPort => $port) or next;
            print $port;
            last;
        }')
    export TEST_NGINX_PORT
fi

UNITS=()
ARGUMENTS=()
FILES=no

for argument in "$@"; do
    case $argument in
        --with-units)
            mapfile -t UNITS < <(unit_programs "$BUILD")
        ;;
        *.t)
            FILES=yes
            ARGUMENTS+=("$argument")
        ;;
        *)
            ARGUMENTS+=("$argument")
        ;;
    esac
done

cd "$TOP"

# Those modes change how Test::Nginx starts its nginx and its configuration.
# A file that starts one of its own would only do the same once more; the last
# file reads the logs of all.

if [ $FILES = no ]; then
    case $MODE in
        hup | postpone | randomize)
            mapfile -t files < <(grep -l '^run_tests' t/*.t)
            ARGUMENTS+=("${files[@]}" t/99-alerts.t)
        ;;
        *)
            ARGUMENTS+=(t/*.t)
        ;;
    esac
fi

rm -rf "$MODELGUARD_RUN"
mkdir -p "$MODELGUARD_RUN"

say "prove, mode $MODE"
exec prove -I t/lib "${UNITS[@]}" "${ARGUMENTS[@]}"
