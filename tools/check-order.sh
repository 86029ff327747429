#!/usr/bin/env bash
#
# Copyright (C) the modelguard authors
#
# Checks where nginx really puts our filter, in the dynamic build with other
# people's modules loaded before and after it, and in a static build if there
# is one:
#
#     check-order.sh [--self-test]
#
# A module of ours, loaded for this purpose only, prints the list.

set -euo pipefail

. "$(dirname "$0")/common.sh"

NGINX=${NGINX_BIN:-/usr/sbin/nginx}
NGINX_DEV=${NGINX_SRC:-/usr/share/nginx/src}
WORK=$BUILD/order-probe
OURS=ngx_http_modelguard_module
PROBE=$WORK/objs/ngx_order_probe_module.so
BESIDE=$BUILD/beside/usr/lib/nginx/modules

# the list runs against a response: what is later in it sees it earlier

RUN_AFTER_US="ngx_http_write_filter_module ngx_http_header_filter_module
    ngx_http_chunked_filter_module ngx_http_v2_filter_module
    ngx_http_range_header_filter_module ngx_http_gzip_filter_module
    ngx_http_postpone_filter_module ngx_http_ssi_filter_module
    ngx_http_charset_filter_module"

RUN_BEFORE_US="ngx_http_sub_filter_module ngx_http_addition_filter_module
    ngx_http_gunzip_filter_module ngx_http_userid_filter_module
    ngx_http_headers_filter_module ngx_http_copy_filter_module
    ngx_http_range_body_filter_module ngx_http_not_modified_filter_module
    ngx_http_slice_filter_module"

THIRD_PARTY="ngx_http_echo_module ngx_http_headers_more_filter_module
    ngx_http_subs_filter_module"


build_probe()
{
    local NGX_CONF_FLAGS=()

    rm -rf "$WORK"
    mkdir -p "$WORK"
    cp -R "$NGINX_DEV/." "$WORK/"
    cd "$WORK"
    . ./conf_flags

    ./configure "${NGX_CONF_FLAGS[@]}" --with-cc-opt="-g -O2 -fPIC" \
        --add-dynamic-module="$TOP/t/order-probe"
    make -s -f objs/Makefile modules
}


# modules_of NGINX FILE ...: what the list is with these modules loaded.

modules_of()
{
    local nginx=$1 prefix=$WORK/prefix file
    shift

    mkdir -p "$prefix/logs"

    {
        for file in "$@"; do
            echo "load_module $file;"
        done
        echo "pid $prefix/logs/nginx.pid;"
        echo "events {}"
        echo "http {"
        for file in client_body proxy fastcgi uwsgi scgi; do
            echo "    ${file}_temp_path $prefix/$file;"
        done
        echo "    access_log off;"
        echo "}"
    } > "$prefix/nginx.conf"

    ASAN_OPTIONS=detect_leaks=0 "$nginx" -t -p "$prefix/" \
        -c "$prefix/nginx.conf" > "$prefix/output" 2>&1 || true

    sed -n 's/^nginx: order: //p' "$prefix/output" | grep . \
        || { cat "$prefix/output" >&2; die "$nginx printed no list"; }
}


place_of()
{
    grep -n -x "$1" "$2" | cut -d : -f 1
}


# check_list TITLE LIST [NAME ...]: the names are those of other people's
# filters that have to run before ours.

check_list()
{
    local title=$1 list=$2 ours name place bad=0
    shift 2

    ours=$(place_of $OURS "$list")

    if [ -z "$ours" ]; then
        echo "$title: $OURS is not in the list"
        return 1
    fi

    for name in $RUN_AFTER_US; do
        place=$(place_of "$name" "$list")

        if [ -z "$place" ] || [ "$place" -gt "$ours" ]; then
            echo "$title: $name does not run after us"
            bad=1
        fi
    done

    for name in $RUN_BEFORE_US "$@"; do
        place=$(place_of "$name" "$list")

        # Debian's nginx and a static one may each lack some
        if [ -n "$place" ] && [ "$place" -lt "$ours" ]; then
            echo "$title: $name does not run before us"
            bad=1
        fi

        if [ -z "$place" ] && [ "$name" = ngx_http_gunzip_filter_module ]; then
            echo "$title: there is no $name"
            bad=1
        fi
    done

    [ $bad = 0 ] && echo "$title: our filter runs where it should"
    return $bad
}


# Lists that are wrong in one way each, made of a right one.

self_test()
{
    local list=$WORK/list.dynamic name

    for name in charset gunzip subs; do
        awk -v ours=$OURS -v other="ngx_http_${name}_filter_module" '
            $0 == ours  { print other; next }
            $0 == other { print ours; next }
            { print }' "$list" > "$WORK/list.wrong"

        # shellcheck disable=SC2086
        if check_list "$name" "$WORK/list.wrong" $THIRD_PARTY >/dev/null; then
            die "a list with $name on the wrong side of us passes"
        fi
    done

    grep -v -x $OURS "$list" > "$WORK/list.wrong"

    if check_list "none" "$WORK/list.wrong" >/dev/null; then
        die "a list without us passes"
    fi

    echo "order check: it can fail"
}


main()
{
    local variant nginx third=() file name bad=0

    if [ ! -f "$PROBE" ] || [ "$NGINX" -nt "$PROBE" ] \
        || [ -n "$(find "$TOP/t/order-probe" -newer "$PROBE")" ]
    then
        mkdir -p "$BUILD"
        (quietly "$BUILD/order-probe.log" build_probe)
    fi

    for name in $THIRD_PARTY; do
        file=$BESIDE/$name.so
        [ -f "$file" ] || die "$file is missing: run install-deps.sh test"
        third+=("$file")
    done

    file=$BUILD/$OURS.so

    modules_of "$NGINX" "$PROBE" "$file" "${third[@]}" > "$WORK/list.dynamic"
    modules_of "$NGINX" "$PROBE" "${third[@]}" "$file" > "$WORK/list.last"

    # shellcheck disable=SC2086
    {
        check_list "dynamic, loaded first" "$WORK/list.dynamic" $THIRD_PARTY \
            || bad=1
        check_list "dynamic, loaded last" "$WORK/list.last" $THIRD_PARTY \
            || bad=1
    }

    for variant in static asan; do
        nginx=$BUILD/nginx-$variant/objs/nginx

        if [ -x "$nginx" ]; then
            modules_of "$nginx" "$PROBE" "${third[@]}" > "$WORK/list.$variant"

            # shellcheck disable=SC2086
            check_list "$variant" "$WORK/list.$variant" $THIRD_PARTY || bad=1
        fi
    done

    if [ $bad != 0 ]; then
        exit 1
    fi

    if [ "${1:-}" = --self-test ]; then
        self_test
    fi
}


main "$@"
