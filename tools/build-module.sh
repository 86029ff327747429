#!/usr/bin/env bash
#
# Copyright (C) the modelguard authors
#
# Builds the dynamic module against Debian's nginx-dev:
#
#     build-module.sh [gcc | clang]
#
# gcc's result is build/ngx_http_modelguard_module.so, the one that the tests
# and the demo load; clang's stays in build/module-clang and proves that the
# other compiler has no complaint.

set -euo pipefail

. "$(dirname "$0")/common.sh"

COMPILER=${1:-gcc}
NAME=ngx_http_modelguard_module
NGINX=${NGINX_BIN:-/usr/sbin/nginx}
NGINX_DEV=${NGINX_SRC:-/usr/share/nginx/src}

WORK=$BUILD/module-$COMPILER
OBJECT=$WORK/objs/$NAME.so

# nginx adds -Wall -Werror; -Wextra is ours.  nginx's handlers share one
# signature whether they use all of it or not, and its own headers and tables
# are written with missing trailing fields and casts of function types.

WARNINGS="-Wextra -Werror -Wno-unused-parameter"
WARNINGS="$WARNINGS -Wno-missing-field-initializers -Wno-cast-function-type"

# as Debian builds its own modules

CC_OPT="-g -O2 -fstack-protector-strong -Wformat -Werror=format-security"
CC_OPT="$CC_OPT -fPIC -D_FORTIFY_SOURCE=2 $WARNINGS"
LD_OPT="-Wl,-z,relro -Wl,-z,now -fPIC"


# What the configuration of the build depends on.  A change of a source alone
# is left to make.

fingerprint()
{
    installed_version nginx-dev || true
    "$NGINX" -V 2>&1
    "$COMPILER" --version
    printf '%s\n' "$TOP" "$CC_OPT" "$LD_OPT" "$NGINX_DEV"
    cat "$TOP/config"
}


configure()
{
    # defined by conf_flags, which nginx-dev carries for this purpose
    local NGX_CONF_FLAGS=()

    rm -rf "$WORK"
    mkdir -p "$WORK"
    cp -R "$NGINX_DEV/." "$WORK/"

    cd "$WORK"
    . ./conf_flags

    ./configure "${NGX_CONF_FLAGS[@]}" --with-cc="$(command -v "$COMPILER")" \
        --with-cc-opt="$CC_OPT" --with-ld-opt="$LD_OPT" \
        --add-dynamic-module="$TOP"
}


# The strings that nginx compares before it accepts a module.

signature()
{
    grep -a -o '[0-9],[0-9],[0-9],[01]\{30,\}' "$1" | sort -u
}


# A module links with names missing; only dlopen() would tell.

check_names()
{
    local names

    names=$(nm -u "$1" | awk '{ print $2 }' | grep modelguard) || return 0

    die "no source defines:" $names
}


main()
{
    local wanted

    [ -d "$NGINX_DEV" ] || die "$NGINX_DEV is missing: install nginx-dev"
    command -v "$COMPILER" >/dev/null || die "$COMPILER is not installed"

    mkdir -p "$BUILD"
    wanted=$(fingerprint | sha256sum)

    if [ "$(cat "$WORK/configured" 2>/dev/null)" != "$wanted" ]; then
        say "configuring the module with $COMPILER"
        (quietly "$BUILD/configure-$COMPILER.log" configure)
        echo "$wanted" > "$WORK/configured"
    fi

    if ! make -C "$WORK" -q -f objs/Makefile modules >/dev/null 2>&1; then
        say "building the module with $COMPILER"
        make -C "$WORK" -s --no-print-directory -j "$JOBS" -f objs/Makefile modules
    fi

    check_names "$OBJECT"

    [ "$(signature "$OBJECT")" = "$(signature "$NGINX")" ] \
        || die "the module's signature is not that of $NGINX"

    if [ "$COMPILER" = gcc ] && ! cmp -s "$OBJECT" "$BUILD/$NAME.so"; then
        cp "$OBJECT" "$BUILD/.$NAME.so"
        mv "$BUILD/.$NAME.so" "$BUILD/$NAME.so"
    fi
}


main
