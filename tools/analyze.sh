#!/usr/bin/env bash
#
# Copyright (C) the modelguard authors
#
# clang-tidy with the checks of .clang-tidy, cppcheck, and gcc -fanalyzer, on
# all of our sources; t/tools/analyze.supp has what is not so, and why.
#
#     analyze.sh [tidy | cppcheck | gcc]       all by default
#     analyze.sh --self-test                   each must find a planted bug

set -euo pipefail

. "$(dirname "$0")/common.sh"

WORK=$BUILD/analyze
NGINX=$BUILD/module-gcc
SUPPRESSIONS=$TOP/t/tools/analyze.supp
INCLUDE=$SOURCES


# Compiler options for one of our sources.

options()
{
    case ${1##*/} in
        modelguard_*)
            echo "-std=c99 -I $INCLUDE"
        ;;
        *)
            echo "-I $INCLUDE"
            sed -n '/^ALL_INCS/,/[^\\]$/p' "$NGINX/objs/Makefile" \
                | grep -o -e '-I [^ ]*' | grep -v ' /usr/include$' | sort -u \
                | sed "s#-I \([^/]\)#-isystem $NGINX/\1#; s#-I /#-isystem /#"
        ;;
    esac
}


# One source to one tool, findings only: "FILE:LINE:COLUMN: ... [CHECK]".  A
# tool that fails and finds nothing has not looked.

findings()
{
    local source=$1 status=0 said
    shift

    said=$("$@" 2>&1) || status=$?

    if ! grep -E ' (fatal error|warning|error): ' <<< "$said" \
        && [ $status != 0 ]
    then
        printf '%s:0: error: %s failed, %s [failed]\n' "$source" "$1" "$status"
    fi
}


# The deep mode of clang's analyzer takes thrice the time, most of it in
# functions that it gives up on.

tidy()
{
    local shallow=(-Xclang -analyzer-config -Xclang mode=shallow)

    # shellcheck disable=SC2046
    findings "$1" clang-tidy --quiet "--config-file=$TOP/.clang-tidy" \
        "${shallow[@]/#/--extra-arg=}" "$1" -- $(options "$1")
}


gcc_analyzer()
{
    # shellcheck disable=SC2046
    findings "$1" gcc $(options "$1") -O1 -fanalyzer -c -o /dev/null "$1"
}


run_cppcheck()
{
    findings "$SOURCES" cppcheck -q -j 2 --std=c99 \
        --enable=warning,performance,portability \
        --template='{file}:{line}: warning: {severity}, {message} [{id}]' \
        --template-location='' -I "$INCLUDE" "$SOURCES"
}


# A function for each source, two at a time.

run()
{
    printf '%s\0' "$SOURCES"/*.c \
        | xargs -0 -n 1 -P 2 "$0" --one "$1"
}


analyze()
{
    case $1 in
        tidy)      run tidy ;;
        cppcheck)  run_cppcheck ;;
        gcc)       run gcc_analyzer ;;
        *)         die "no such tool: $1" ;;
    esac | sort -u > "$WORK/$1"
}


# A finding is suppressed by a line "TOOL FILE CHECK: reason"; one that
# suppresses nothing has to go.

judge()
{
    local tool=$1 line file check rest failed=0 used=$WORK/$1.used

    : > "$used"

    while read -r line; do
        file=${line%%:*}
        check=${line##*[}
        check=${check%%[],]*}
        check="$tool ${file##*/} ${check#-}:"

        if grep -q "^$check ." "$SUPPRESSIONS"; then
            printf '%s\n' "$check" >> "$used"
        else
            printf '%s\n' "${line#"$TOP"/}"
            failed=1
        fi
    done < "$WORK/$tool"

    while read -r tool file check rest; do
        if ! grep -qxF "$tool $file $check" "$used"; then
            printf 'suppressed and not found: %s\n' "$tool $file $check $rest"
            failed=1
        fi
    done < <(grep "^$tool " "$SUPPRESSIONS")

    return $failed
}


# A bug for each tool, in both layers.

self_test()
{
    local tool check

    WORK=$BUILD/analyze/planted
    SOURCES=$WORK/ngx_http_modelguard_module
    mkdir -p "$SOURCES"

    cat > "$SOURCES/modelguard_planted.c" <<'END'
#include "modelguard_base.h"

size_t  modelguard_planted_size(unsigned n, unsigned m);
int     modelguard_planted_index(void);

size_t
modelguard_planted_size(unsigned n, unsigned m)
{
    return n * m;
}

int
modelguard_planted_index(void)
{
    int  a[4] = { 1, 2, 3, 4 };

    return a[4];
}
END

    cat > "$SOURCES/ngx_http_modelguard_planted.c" <<'END'
#include <ngx_config.h>
#include <ngx_core.h>

ngx_int_t  ngx_http_modelguard_planted(ngx_str_t *s, ngx_uint_t n);

ngx_int_t
ngx_http_modelguard_planted(ngx_str_t *s, ngx_uint_t n)
{
    if (n > 3) {
        s = NULL;
    }

    return (ngx_int_t) s->len;
}
END

    while read -r tool check; do
        [ -e "$WORK/$tool" ] || analyze "$tool"
        grep -q "$check" "$WORK/$tool" \
            || die "$tool did not find the planted bug: $check"
    done <<'END'
tidy modelguard_planted.c:9:.*implicit-widening
tidy ngx_http_modelguard_planted.c:13:.*core.NullDereference
cppcheck modelguard_planted.c:17:.*arrayIndexOutOfBounds
gcc ngx_http_modelguard_planted.c:13:.*Wanalyzer-null-dereference
END

    if judge gcc > /dev/null; then
        die "a finding is not a failure"
    fi

    rm -r "$WORK"
    say "tidy, cppcheck and gcc found what was planted"
}


main()
{
    local tool status=0

    mkdir -p "$WORK"

    case ${1:-} in

        --one)
            "$2" "$3"
            return
        ;;

        --self-test)
            rm -rf "$WORK/planted"
            self_test
            return
        ;;

    esac

    for tool in ${*:-tidy cppcheck gcc}; do
        say "analyzing with $tool"
        analyze "$tool"
        judge "$tool" || status=1
    done

    return $status
}


main "$@"
