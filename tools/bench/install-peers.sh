#!/usr/bin/env bash
#
# Copyright (C) the modelguard authors
#
# Installs what the benchmark compares with and Debian does not have, below
# build/bench: fastify of npm, and LiteLLM of PyPI.  What cannot be had in time
# is left out; the tables say so, and the logs beside them say why.

set -u

. "$(dirname "$0")/../common.sh"

HERE=$TOP/tools/bench/peers
WORK=$BUILD/bench

NPM_SECONDS=90
PIP_SECONDS=240


# A stamp beside an installation is that of the list it was made from.

fresh()
{
    cmp -s "$1" "$2/installed"
}


# bounded SECONDS COMMAND...: ends with us, too

bounded()
{
    setpriv --pdeathsig TERM timeout "$@"
}


npm_packages()
{
    local dir=$WORK/npm

    fresh "$HERE/package.json" "$dir" && return

    rm -rf "$dir"
    mkdir -p "$dir"
    cp "$HERE/package.json" "$dir"

    bounded "$NPM_SECONDS" npm install --prefix "$dir" --no-audit --no-fund \
        --ignore-scripts --cache "$dir/cache" > "$dir/npm.log" 2>&1 \
        && cp "$HERE/package.json" "$dir/installed"
}


# Not compiled: only what is imported will be, once.

litellm()
{
    local dir=$WORK/litellm

    fresh "$HERE/requirements.txt" "$dir" && return

    rm -rf "$dir"
    mkdir -p "$WORK"
    python3 -m venv "$dir" > "$WORK/litellm.log" 2>&1 || return

    if bounded "$PIP_SECONDS" "$dir/bin/pip" install --quiet --no-compile \
        --disable-pip-version-check -r "$HERE/requirements.txt" \
        >> "$WORK/litellm.log" 2>&1
    then
        cp "$HERE/requirements.txt" "$dir/installed"

    else
        rm -f "$dir/bin/litellm"
        return 1
    fi
}


npm_packages || say "the benchmark goes on without fastify"
litellm || say "the benchmark goes on without LiteLLM"

exit 0
