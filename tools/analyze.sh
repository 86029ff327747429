#!/usr/bin/env bash
#
# Copyright (C) the modelguard authors
#
# clang-tidy with the checks of .clang-tidy, cppcheck, and gcc -fanalyzer, on
# all of our sources; t/tools/analyze.supp has what is not so, and why.
#
#     analyze.sh [tidy | cppcheck | gcc]       all by default

set -euo pipefail

. "$(dirname "$0")/common.sh"

WORK=$BUILD/analyze
NGINX=$BUILD/module-gcc
SUPPRESSIONS=$TOP/t/tools/analyze.supp


# Compiler options for one of our sources.

options()
{
    case ${1##*/} in
        modelguard_*)
            echo "-std=c99 -I $SOURCES"
        ;;
        *)
            echo "-I $SOURCES"
            sed -n '/^ALL_INCS/,/[^\\]$/p' "$NGINX/objs/Makefile" \
                | grep -o -e '-I [^ ]*' \
                | sed "s#-I \([^/]\)#-isystem $NGINX/\1#; s#-I /#-isystem /#"
        ;;
    esac
}


# One source to one tool; what it says goes to a file of its own.

tidy()
{
    # shellcheck disable=SC2046
    clang-tidy --quiet "$1" -- $(options "$1") 2>/dev/null \
        | grep -E ' (warning|error): ' || true
}


gcc_analyzer()
{
    # shellcheck disable=SC2046
    gcc $(options "$1") -O1 -fanalyzer -c -o /dev/null "$1" 2>&1 \
        | grep -E ' (warning|error): ' || true
}


run_cppcheck()
{
    cppcheck -q --std=c99 --enable=warning,performance,portability \
        --template='{file}:{line}: {severity}: {message} [{id}]' \
        -I "$SOURCES" "$SOURCES" 2>&1 || true
}


run()
{
    local tool=$1 source

    for source in "$SOURCES"/*.c; do
        "$tool" "$source"
    done
}


# A finding is suppressed by a line "TOOL FILE CHECK: reason".

judge()
{
    local tool=$1 line file check failed=0

    while read -r line; do
        file=${line%%:*}
        check=${line##*[}
        check=${check%%[],]*}

        if ! grep -q "^$tool ${file##*/} ${check#-}: ." "$SUPPRESSIONS"; then
            printf '%s\n' "${line#"$TOP"/}"
            failed=1
        fi
    done < "$WORK/$tool"

    return $failed
}


main()
{
    local tool status=0

    mkdir -p "$WORK"

    for tool in ${*:-tidy cppcheck gcc}; do
        say "analyzing with $tool"

        case $tool in
            tidy)      run tidy | sort -u > "$WORK/tidy" ;;
            cppcheck)  run_cppcheck > "$WORK/cppcheck" ;;
            gcc)       run gcc_analyzer | sort -u > "$WORK/gcc" ;;
            *)         die "no such tool: $tool" ;;
        esac

        judge "$tool" || status=1
    done

    return $status
}


main "$@"
