#!/usr/bin/env bash
#
# Copyright (C) the modelguard authors
#
# Builds the fuzz targets of t/fuzz and runs them, two at a time or as many as
# there are processors:
#
#     fuzz.sh                  all, FUZZ_TIME seconds each, by default 60
#     fuzz.sh rewrite json     these
#
# Prints for each target what it did, and fails if one has a find.  What was
# learnt stays in build/fuzz/TARGET, finds and logs are beside it.
#
# FUZZ_TIMEOUT=60 seconds, for one input, is what a hang takes on any machine:
# libFuzzer's clock is the one on the wall, and an input takes milliseconds.
#
# With FUZZ_SEED=N all runs of the same code try the same inputs, and a faster
# machine more of them, at most as many as t/fuzz/executions says: so that a
# change that breaks something fails, and one that does not passes.  What
# libFuzzer learns from comparisons, by reading its folder again and from where
# things are in memory is left out of such a run.

set -euo pipefail

. "$(dirname "$0")/common.sh"

FUZZ_TIME=${FUZZ_TIME:-60}
FUZZ_JOBS=${FUZZ_JOBS:-$JOBS}
FUZZ_OUT=${FUZZ_OUT:-$BUILD/fuzz}
FUZZ_SOURCES=${FUZZ_SOURCES:-$SOURCES}

FUZZ_TIMEOUT=${FUZZ_TIMEOUT:-60}
FUZZ_STEPS=${FUZZ_STEPS:-all}        # or build, or run
FUZZ_SEED=${FUZZ_SEED:-}             # none: another in every run

CLANG=${CLANG:-clang}
FLAGS="-g -O1 -D_GNU_SOURCE -Wall -Wextra -Werror -fno-sanitize-recover=all"
SANITIZERS=address,undefined
LIBS="-ljansson -lpcre2-8 -lm -lpthread"

TIMEFORMAT='%U %S'

export ASAN_OPTIONS=detect_stack_use_after_return=0:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1


targets()
{
    (cd "$TOP/t/fuzz" && ls -- *.c) | sed 's/\.c$//'
}


# The pure layer, with what tells libFuzzer where it has been.

build_layer()
{
    make -s -j "$JOBS" -f "$TOP/tools/fuzz.mk" CC="$CLANG" \
        OUT="$FUZZ_OUT/objs" SOURCES="$FUZZ_SOURCES" \
        FLAGS="$FLAGS -fsanitize=fuzzer-no-link,$SANITIZERS"
}


build_target()
{
    local name=$1 extra="" libs=""

    if [ -e "$TOP/t/fuzz/$name.build" ]; then
        . "$TOP/t/fuzz/$name.build"
    fi

    # shellcheck disable=SC2086
    "$CLANG" $FLAGS -fsanitize=fuzzer,$SANITIZERS \
        -I "$TOP/t/fuzz" -I "$TOP/t/unit" -I "$FUZZ_SOURCES" \
        -o "$FUZZ_OUT/$name.bin" "$TOP/t/fuzz/$name.c" $extra \
        "$FUZZ_OUT/objs/layer.a" $LIBS $libs
}


run_target()
{
    local name=$1 status=0 corpus=$FUZZ_OUT/$1
    local log=$FUZZ_OUT/$name.log args=() fixed=()

    if [ -n "$FUZZ_SEED" ]; then
        corpus=$FUZZ_OUT/$name-fixed
        rm -rf "$corpus" "$corpus-seeds"
        mkdir -p "$corpus"
        fixed_args "$name" "$corpus-seeds"

    else
        "$TOP/tools/fuzz-seeds.py" "$name" "$corpus"
    fi

    if [ -e "$TOP/t/fuzz/$name.dict" ]; then
        args+=("-dict=$TOP/t/fuzz/$name.dict")
    fi

    {
        time "${fixed[@]}" "$FUZZ_OUT/$name.bin" "-max_total_time=$FUZZ_TIME" \
            -max_len=4096 "-timeout=$FUZZ_TIMEOUT" -rss_limit_mb=2048 \
            -print_final_stats=1 -verbosity=1 \
            "-artifact_prefix=$FUZZ_OUT/$name-" "${args[@]}" \
            "$corpus" > "$log" 2>&1
    } 2> "$FUZZ_OUT/$name.cpu" || status=$?

    summary "$name" "$log" "$status"

    if [ $status != 0 ]; then
        show_find "$name" "$log"
    fi

    return $status
}


# A find is kept, and so is what libFuzzer said of it; both are shown, for where
# nobody can look into the folder later.

show_find()
{
    local name=$1 log=$2 input

    cp "$log" "$FUZZ_OUT/$name-find.log"

    grep -vE '^#[0-9]|^stat::' "$log" | tail -n 60 | cut -c 1-500

    input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)

    if [ -n "$input" ]; then
        say "$input, in base64:"
        base64 "$input"
    fi
}


# Sets "args" and "fixed", of run_target(), to what a run with a seed takes.

fixed_args()
{
    local name=$1 seeds=$2 runs

    runs=$(awk -v name="$name" '$1 == name { print $2 }' \
        "$TOP/t/fuzz/executions")
    [ -n "$runs" ] || die "t/fuzz/executions says nothing of $name"

    mkdir -p "$seeds"
    "$TOP/tools/fuzz-seeds.py" "$name" "$seeds"

    args+=("-seed=$FUZZ_SEED" "-runs=$runs" -use_cmp=0 -reload=0)

    # the order in which a folder is read is the file system's

    find "$seeds" -type f | LC_ALL=C sort | tr '\n' ',' | sed 's/,$//' \
        > "$seeds.list"

    if [ -s "$seeds.list" ]; then
        args+=("-seed_inputs=@$seeds.list")
    fi

    if setarch -R true 2> /dev/null; then
        fixed=(setarch -R)
    fi
}


summary()
{
    local name=$1 log=$2 status=$3 runs edges cpu find

    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    cpu=$(awk '{ printf "%.1f", $1 + $2 }' "$FUZZ_OUT/$name.cpu")
    edges=$(sed -n 's/^#[0-9].* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    find="no find"

    if [ "$status" != 0 ]; then
        find="FIND, see $FUZZ_OUT/$name-find.log"
    fi

    printf '%-12s %10s executions in %6s s of a processor %6s edges, %s\n' \
        "$name" "${runs:-?}" "${cpu:-?}" "${edges:-?}" "$find"
}


main()
{
    local name failed=0 running=0

    [ $# != 0 ] || set -- $(targets)

    mkdir -p "$FUZZ_OUT"

    if [ "$FUZZ_STEPS" != run ]; then
        build_layer

        for name in "$@"; do
            [ -e "$TOP/t/fuzz/$name.c" ] || die "there is no t/fuzz/$name.c"
            build_target "$name"
        done
    fi

    [ "$FUZZ_STEPS" != build ] || return 0

    say "$# targets, $FUZZ_TIME seconds each, $FUZZ_JOBS at a time"

    for name in "$@"; do

        if [ $running -ge "$FUZZ_JOBS" ]; then
            wait -n || failed=1
            running=$((running - 1))
        fi

        run_target "$name" &
        running=$((running + 1))
    done

    while [ $running -gt 0 ]; do
        wait -n || failed=1
        running=$((running - 1))
    done

    return $failed
}


main "$@"
