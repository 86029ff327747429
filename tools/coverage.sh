#!/usr/bin/env bash
#
# Copyright (C) the modelguard authors
#
# Counts the lines that the unit tests and t/*.t run:
#
#     coverage.sh [--units] [prove's options and files ...]
#
# Without files these are all of t/*.t but those that kill -9 and flood: who is
# killed counts nothing.  With --units only the unit tests run, and only layer
# 0 is judged.  The result is in build/coverage/summary.txt and missed.txt;
# tools/coverage.py says what is enough.

set -euo pipefail

. "$(dirname "$0")/common.sh"

WORK=$BUILD/coverage
SCOPE=all


build_units()
{
    make -C "$TOP" -s --no-print-directory -j "$JOBS" -f tools/unit.mk \
        BUILD=build/coverage \
        FLAGS_plain="-O0 -g --coverage -fkeep-inline-functions \
            -Wall -Wextra -I t/unit -I ngx_http_modelguard_module" plain
}


run_files()
{
    local files=()

    if [[ " $* " != *".t "* ]]; then
        mapfile -t files < <(cd "$TOP" && printf '%s\n' t/*.t \
            | grep -v -e t/85-kill -e t/86- -e t/87- -e t/88-)
    fi

    "$TOP/tools/run-tests.sh" coverage "$@" "${files[@]}"
}


main()
{
    local status=0 programs

    if [ "${1:-}" = --units ]; then
        SCOPE=units
        shift
    fi

    mkdir -p "$WORK"

    # make knows nothing of other flags

    if [ ! "$WORK/build.log" -nt "$0" ]; then
        rm -rf "$WORK/unit"
    fi

    say "building the unit tests with counters"
    quietly "$WORK/build.log" build_units
    find "$WORK" "$BUILD/nginx-coverage" -name '*.gcda' -delete 2>/dev/null \
        || true

    if [ $SCOPE = all ]; then
        "$TOP/tools/build-nginx.sh" coverage
        find "$BUILD/nginx-coverage" -name '*.gcda' -delete
    fi

    say "running the unit tests"
    mapfile -t programs < <(unit_programs build/coverage)
    prove -j "$JOBS" "${programs[@]}" || status=1

    if [ $SCOPE = all ]; then
        run_files "$@" || status=1
    fi

    say "reading the counters"
    "$TOP/tools/coverage.py" $SCOPE || status=1

    return $status
}


main "$@"
