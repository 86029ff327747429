#!/usr/bin/env bash
#
# Copyright (C) the modelguard authors
#
# Measures what the guard costs, beside plain nginx in the same run:
#
#     bench.sh [--quick] [--charges]
#
# Wants the module built.  Prints tables and writes build/bench.json.
# Environment: NGINX_BIN, NGINX_MODULE, CC.

set -euo pipefail

. "$(dirname "$0")/../common.sh"

HERE=$TOP/tools/bench
WORK=$BUILD/bench
CC=${CC:-gcc}

export NGINX_BIN=${NGINX_BIN:-/usr/sbin/nginx}
export NGINX_MODULE=${NGINX_MODULE:-$BUILD/ngx_http_modelguard_module.so}

# the kernel is built as the module is

FLAGS="-std=c99 -D_GNU_SOURCE -Wall -Wextra -Werror -g -O2 -fPIC
    -fstack-protector-strong -D_FORTIFY_SOURCE=2"

[ -x "$NGINX_BIN" ] || die "there is no $NGINX_BIN"
[ -f "$NGINX_MODULE" ] || die "$NGINX_MODULE is not built"

mkdir -p "$WORK"

# shellcheck disable=SC2086
$CC $FLAGS -o "$WORK/load" "$HERE/load.c"

# shellcheck disable=SC2086
$CC $FLAGS -I "$TOP/t/unit" -I "$SOURCES" -o "$WORK/kernel" \
    "$HERE/kernel.c" "$SOURCES"/modelguard_*.c -ljansson -lpcre2-8 -lm

# shellcheck disable=SC2086
$CC $FLAGS -I "$SOURCES" -I "$HERE" -o "$WORK/charge" "$HERE/charge.c" \
    "$HERE/charge_flood.c" "$HERE/charge_tree.c" "$SOURCES"/modelguard_budget*.c \
    "$SOURCES"/modelguard_table*.c "$SOURCES"/modelguard_lock.c \
    "$SOURCES"/modelguard_hash.c

exec python3 "$HERE/bench.py" "$@"
