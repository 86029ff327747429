# Copyright (C) the modelguard authors
#
# Sourced by the other scripts: the paths, and how to end with a sentence.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
BUILD=$TOP/build
SOURCES=$TOP/ngx_http_modelguard_module
JOBS=${JOBS:-$(nproc 2>/dev/null || echo 2)}


say()
{
    printf '== %s\n' "$*"
}


die()
{
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}


# Runs a command or a function with its output in a file; the output is shown
# only if it fails.  The subshell is for "set -e", which has no effect in what
# an "if" or a "||" tests.

quietly()
{
    local log=$1 status
    shift

    set +e
    (set -e; "$@") > "$log" 2>&1
    status=$?
    set -e

    if [ $status != 0 ]; then
        tail -n 100 "$log" >&2
        die "failed: $1, all of its output is in $log"
    fi
}


# Prints the version of an installed package, or fails.

installed_version()
{
    dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null \
        | sed -n 's/^installed //p' | grep .
}


# The unit tests that tools/unit.mk builds below a folder.

unit_programs()
{
    make -C "$TOP" -s --no-print-directory -f tools/unit.mk "BUILD=$1" programs
}
