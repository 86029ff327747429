#!/usr/bin/env bash
#
# Copyright (C) the modelguard authors
#
# Builds nginx itself from the source package of the installed Debian nginx,
# with the module linked in:
#
#     build-nginx.sh static | asan | coverage | fuzz
#
# The result is build/nginx-VARIANT/objs/nginx; asan has the address and
# undefined behaviour sanitizers in all of it; coverage counts the lines of our
# sources; fuzz is what t/fuzz/directives.c is linked with, by clang.

set -euo pipefail

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/private-apt.sh"

VARIANT=${1:-static}
WORK=$BUILD/nginx-$VARIANT
SOURCE=$BUILD/nginx-source
NGINX_DEV=${NGINX_SRC:-/usr/share/nginx/src}

CC_OPT="-g -fPIC -fno-omit-frame-pointer"
LD_OPT="-fPIC"
COMPILER=gcc
MORE=

# for our own sources only: nginx's are not ours to judge

STRICT="-Wextra -Werror -Wno-unused-parameter"
STRICT="$STRICT -Wno-missing-field-initializers -Wno-cast-function-type"

case $VARIANT in

    static)
        CC_OPT="$CC_OPT -O2"
    ;;

    asan)
        # NGX_DEBUG_PALLOC makes every pool allocation a block of its own, so
        # that the sanitizer sees an access past its end; nginx copies zero
        # bytes from a null pointer on nearly every request, we never do

        CC_OPT="$CC_OPT -O1 -DNGX_DEBUG_PALLOC=1"
        CC_OPT="$CC_OPT -fsanitize=address,undefined -fno-sanitize-recover=all"
        CC_OPT="$CC_OPT -fno-sanitize=nonnull-attribute"
        STRICT="$STRICT -fsanitize=nonnull-attribute"
        LD_OPT="$LD_OPT -fsanitize=address,undefined"
    ;;

    fuzz)
        COMPILER=clang
        CC_OPT="$CC_OPT -O1 -DNGX_DEBUG_PALLOC=1"
        CC_OPT="$CC_OPT -fsanitize=fuzzer-no-link,address"
        STRICT="$STRICT -fsanitize=undefined -fno-sanitize-recover=all"
        LD_OPT="$LD_OPT -fsanitize=address,undefined"
    ;;

    coverage)
        # processes write the same files: their counters must add up, and
        # workers must be allowed to; what no file calls is in it, too

        CC_OPT="$CC_OPT -O0"
        STRICT="$STRICT --coverage -fprofile-update=atomic"
        STRICT="$STRICT -fkeep-inline-functions"
        LD_OPT="$LD_OPT --coverage"
        MORE="--user=root --group=root"
    ;;

    *)
        die "no such variant: $VARIANT"
    ;;

esac


# The source package of the installed version; if the archive has dropped that
# one for a newer security update or not mirrored it, the newest that it has of
# the same upstream release.  When there is none, the lists may be older than
# the archive.

fetch_source()
{
    local dir=$SOURCE/download version=$1 candidate lists

    rm -rf "$SOURCE"
    mkdir -p "$dir"
    cd "$dir"

    for lists in old new; do
        if [ $lists = new ]; then
            say "fetching the lists of nginx's source once more"
            private_apt_update source || true
        fi

        private_apt source apt-cache madison nginx > candidates

        for candidate in "$version" \
            $(awk '{ print $3 }' candidates | sort -rVu)
        do
            if [ "${candidate%%-*}" = "${version%%-*}" ] \
                && private_apt source apt-get source --download-only \
                       "nginx=$candidate" > "fetch-$candidate.log" 2>&1
            then
                break 2
            fi

            candidate=
        done
    done

    [ -n "$candidate" ] || die "cannot fetch the source package of nginx" \
                               "$version, see $dir/fetch-*.log"

    if [ "$candidate" != "$version" ]; then
        say "the archive has $candidate instead of $version"
    fi

    quietly "$dir/unpack.log" \
        dpkg-source -x "nginx_${candidate#*:}.dsc" "$SOURCE/nginx"

    echo "$version" > "$SOURCE/version"
}


fingerprint()
{
    cat "$SOURCE/version"
    "$COMPILER" --version
    printf '%s\n' "$TOP"
    cat "$TOP/config" "$0"
}


# Debian's choice of features, so that Debian's other modules still load, but
# not its paths: this nginx writes below the prefix it is started with.

features()
{
    local NGX_CONF_FLAGS=() flag

    . "$NGINX_DEV/conf_flags"

    for flag in "${NGX_CONF_FLAGS[@]}"; do
        case $flag in
            --with-*) printf '%s\n' "$flag" ;;
        esac
    done

    printf -- '--with-http_%s_module\n' gunzip gzip_static sub addition slice \
        stub_status realip auth_request v2 ssl

    if [ -n "$MORE" ]; then
        printf '%s\n' $MORE
    fi
}


configure()
{
    local flags

    rm -rf "$WORK"
    cp -R "$SOURCE/nginx" "$WORK"
    cd "$WORK"

    mapfile -t flags < <(features | sort -u)

    ./configure "${flags[@]}" --prefix="$WORK/prefix" \
        --error-log-path=stderr --with-cc="$(command -v "$COMPILER")" \
        --with-cc-opt="$CC_OPT" --with-ld-opt="$LD_OPT" --add-module="$TOP"

    # only the rules of our objects name our sources' folder

    sed -i "/objs\/addon\/ngx_http_modelguard_module\//,/\\\$(CFLAGS)/ \
        s#\\\$(CFLAGS)#\$(CFLAGS) $STRICT#" objs/Makefile

    if [ "$VARIANT" != static ]; then

        # words read at any address are fine on this machine and an error to
        # the sanitizer

        sed -i 's/define NGX_HAVE_NONALIGNED *1/undef NGX_HAVE_NONALIGNED/' \
            objs/ngx_auto_config.h
    fi
}


main()
{
    local version wanted

    version=$(installed_version nginx-dev) || die "nginx-dev is not installed"
    mkdir -p "$PRIVATE_APT"

    if [ "$(cat "$SOURCE/version" 2>/dev/null)" != "$version" ]; then
        say "fetching the source package of nginx $version"
        (fetch_source "$version")
    fi

    wanted=$(fingerprint | sha256sum)

    if [ "$(cat "$WORK/configured" 2>/dev/null)" != "$wanted" ]; then
        say "configuring nginx, $VARIANT"
        (ASAN_OPTIONS=detect_leaks=0 \
            quietly "$BUILD/configure-$VARIANT.log" configure)
        echo "$wanted" > "$WORK/configured"
    fi

    if ! make -C "$WORK" -q -f objs/Makefile binary >/dev/null 2>&1; then
        say "building nginx, $VARIANT"
        make -C "$WORK" -s --no-print-directory -j "$JOBS" -f objs/Makefile binary
    fi
}


main
