#!/usr/bin/env bash
#
# Copyright (C) the modelguard authors
#
# Measures what the guard costs, beside plain nginx and beside what people
# would use instead, in the same run:
#
#     bench.sh [--quick] [--charges]
#
# Builds the module and the programs of the benchmark, while the peers of npm
# and PyPI are installed, and runs bench.py.
# Environment: NGINX_BIN, NGINX_MODULE, CC.

set -euo pipefail

. "$(dirname "$0")/../common.sh"

HERE=$TOP/tools/bench
WORK=$BUILD/bench
PEERS=$WORK/peers
CC=${CC:-gcc}
CXX=${CXX:-g++}

export NGINX_BIN=${NGINX_BIN:-/usr/sbin/nginx}
export NGINX_MODULE=${NGINX_MODULE:-$BUILD/ngx_http_modelguard_module.so}

# the kernel is built as the module is

FLAGS="-std=c99 -D_GNU_SOURCE -Wall -Wextra -Werror -g -O2 -fPIC
    -fstack-protector-strong -D_FORTIFY_SOURCE=2"

PEER_LIBRARIES=(-L "$PEERS/usr/lib/x86_64-linux-gnu"
    -Wl,-rpath,"$PEERS/usr/lib/x86_64-linux-gnu")


kernel()
{
    local name=$1
    shift

    # shellcheck disable=SC2086
    $CC $FLAGS "$@" -I "$TOP/t/unit" -I "$SOURCES" -o "$WORK/$name" \
        "$HERE/kernel.c" "$SOURCES"/modelguard_*.c -ljansson -lpcre2-8 -lm
}


# peer NAME COMMAND...: without it if it cannot be built

peer()
{
    local name=$1
    shift

    rm -f "$WORK/$name"
    "$@" -I "$HERE" -isystem "$PEERS/usr/include" -g -O2 -o "$WORK/$name" \
        "${PEER_LIBRARIES[@]}" > "$WORK/$name.log" 2>&1 \
        || say "the benchmark goes on without $name"
}


programs()
{
    # shellcheck disable=SC2086
    $CC $FLAGS -o "$WORK/load" "$HERE/load.c"

    # shellcheck disable=SC2086
    $CC $FLAGS -I "$SOURCES" -I "$HERE" -o "$WORK/charge" "$HERE/charge.c" \
        "$HERE/charge_flood.c" "$HERE/charge_tree.c" \
        "$SOURCES"/modelguard_budget*.c "$SOURCES"/modelguard_table*.c \
        "$SOURCES"/modelguard_lock.c "$SOURCES"/modelguard_hash.c

    kernel kernel

    # one program for each lower level of vector instructions

    rm -f "$WORK"/kernel_portable "$WORK"/kernel_sse2

    if [ -f "$SOURCES/modelguard_simd.h" ]; then
        kernel kernel_portable -DMODELGUARD_SIMD_MAX=0
        kernel kernel_sse2 -DMODELGUARD_SIMD_MAX=1
    fi

    peer kernel_yajl $CC -std=c99 -D_GNU_SOURCE "$HERE/kernel_yajl.c" -lyajl
    peer kernel_rapidjson $CXX -std=c++17 "$HERE/kernel_rapidjson.cc"

    # its on-demand parser is chosen by the compiler, not at run time

    peer kernel_simdjson $CXX -std=c++17 -march=native \
        "$HERE/kernel_simdjson.cc" -lsimdjson
}


say "installing fastify and LiteLLM, building"

mkdir -p "$WORK"

setpriv --pdeathsig TERM "$HERE/install-peers.sh" &

"$TOP/tools/build-module.sh" gcc
programs

wait

[ -x "$NGINX_BIN" ] || die "there is no $NGINX_BIN"
[ -f "$NGINX_MODULE" ] || die "$NGINX_MODULE is not built"

exec python3 "$HERE/bench.py" "$@"
