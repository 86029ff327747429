# Copyright (C) the modelguard authors
#
# Sourced by the other scripts: the paths, and how to end with a sentence.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
BUILD=$TOP/build
SOURCES=$TOP/ngx_http_modelguard_module
JOBS=$(nproc 2>/dev/null || echo 2)


say()
{
    printf '== %s\n' "$*"
}


die()
{
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}


# Runs a command with its output in a file; the output is shown only if the
# command fails.

quietly()
{
    local log=$1
    shift

    if ! "$@" > "$log" 2>&1; then
        tail -n 100 "$log" >&2
        die "failed: $*  (all of it in $log)"
    fi
}


# Prints the version of an installed package, or fails.

installed_version()
{
    dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null \
        | sed -n 's/^installed //p' | grep .
}
