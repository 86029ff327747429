#!/usr/bin/env bash
#
# Copyright (C) the modelguard authors
#
# Fetches what the cells of the matrix are built from, into a folder:
#
#     fetch.sh source trixie | unstable DIR    the source package of nginx,
#                                              with Debian's patches
#     fetch.sh binary trixie | unstable DIR    nginx, nginx-dev, and the
#                                              libraries that this nginx needs
#     fetch.sh i386 DIR                        the module's libraries and
#                                              their headers, for 32 bits
#
# Nothing is installed; the packages are only unpacked.  Exits with 3 if the
# archive answers that it does not have them, with 1 if it does not answer.

set -euo pipefail

. "$(dirname "$0")/../common.sh"
. "$(dirname "$0")/../private-apt.sh"

I386_PACKAGES="libpcre2-8-0 libpcre2-dev libjansson4 libjansson-dev
    zlib1g zlib1g-dev libbrotli1 libbrotli-dev libzstd1 libzstd-dev
    libssl3 libssl-dev libcrypt1 libcrypt-dev"

# of nginx's dependencies, those that its process maps

LIBRARIES='^(libc6|libcrypt1|libpcre2-8-0|libssl[0-9a-z]*|zlib1g|libzstd1)$'

# apt's words when the archive was there and the package was not

ANSWERED='404 +Not Found|^E: (Unable to (locate|find)|Can.t find) '


# fetch KIND LOG WHAT COMMAND ARG...: an apt command with its output added to a
# log.  The lists come first: what fails there says so itself.

fetch()
{
    local kind=$1 log=$2 what=$3
    shift 3

    private_apt "$kind" true

    if private_apt "$kind" "$@" >> "$log" 2>&1; then
        return
    fi

    if grep -Eq "$ANSWERED" "$log"; then
        say "Debian's archive does not have $what, see $log"
        exit 3
    fi

    tail -n 20 "$log" >&2
    die "Debian's archive did not answer with $what; apt's words: $log"
}


fetch_source()
{
    local suite=$1 dir=$2 dsc

    cd "$dir"
    fetch "$suite-source" "$dir/fetch.log" "nginx's source in $suite" \
        apt-get source --download-only nginx

    dsc=$(ls nginx_*.dsc)
    quietly "$dir/unpack.log" dpkg-source -x "$dsc" "$dir/nginx"
    sed -n 's/^Version: //p' "$dsc" | head -n 1 > "$dir/version"
}


# The names of the packages that a package depends on, first choices only.

dependencies()
{
    dpkg-deb -f "$1" Depends Pre-Depends \
        | sed 's/^[A-Z][A-Za-z-]*://; s/|[^,]*//g; s/([^)]*)//g' \
        | tr ', ' '\n\n' | grep . | sort -u
}


download()
{
    local kind=$1
    shift

    fetch "$kind" "$PWD/fetch.log" "$*" apt-get download "$@"
}


fetch_binary()
{
    local suite=$1 dir=$2 deb libraries=()

    cd "$dir"
    download "$suite" nginx nginx-dev
    mapfile -t libraries < <(dependencies nginx_*.deb | grep -E "$LIBRARIES")
    mapfile -t -O "${#libraries[@]}" libraries \
        < <(dependencies nginx-dev_*.deb | grep -E "$LIBRARIES")
    download "$suite" "${libraries[@]}"

    for deb in ./*.deb; do
        dpkg-deb -x "$deb" "$dir/root"
    done

    dpkg-deb -f nginx_*.deb Version > "$dir/version"
}


fetch_i386()
{
    local dir=$1 deb

    cd "$dir"
    # shellcheck disable=SC2086
    download i386 $I386_PACKAGES

    for deb in ./*.deb; do
        dpkg-deb -x "$deb" "$dir/root"
    done

    echo i386 > "$dir/version"
}


main()
{
    local dir=${*: -1}

    mkdir -p "$PRIVATE_APT" "$(dirname "$dir")"
    rm -rf "$dir"
    mkdir "$dir"

    case $1 in
        source | binary) "fetch_$1" "$2" "$dir" ;;
        i386)            fetch_i386 "$dir" ;;
        *)               die "no such thing to fetch: $1" ;;
    esac
}


main "$@"
