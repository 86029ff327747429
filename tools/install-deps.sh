#!/usr/bin/env bash
#
# Copyright (C) the modelguard authors
#
# Installs what a purpose needs on Debian 12 and nothing else:
#
#     install-deps.sh build | run | test | bench | matrix | clients | servers
#                     ...
#
# Quick and silent when everything is there.  Uses sudo only if it is not
# root.  apt's lists and downloads stay below the build folder.

set -euo pipefail

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/private-apt.sh"

BUILD_PACKAGES="gcc libc6-dev make nginx nginx-dev libjansson-dev
    libpcre2-dev libssl-dev zlib1g-dev libbrotli-dev libzstd-dev"

RUN_PACKAGES="python3 curl"

TEST_PACKAGES="clang libclang-rt-14-dev binutils dpkg-dev perl procps
    python3 curl openssl
    libhttp-message-perl libipc-run-perl liblist-moreutils-perl
    libtest-base-perl libtest-longstring-perl libtext-diff-perl liburi-perl
    libwww-perl libfilter-perl"

BENCH_PACKAGES="valgrind python3 python3-venv g++ util-linux"

# what the benchmark compares with, and the libraries that it needs: like the
# modules below, unpacked only; the benchmark does without what is not to be
# had, and says so

PEER_PACKAGES="haproxy libnginx-mod-http-lua libnginx-mod-http-ndk
    libnginx-mod-http-js libnginx-mod-http-subs-filter
    lua-cjson lua-resty-core lua-resty-lrucache
    libluajit2-5.1-2 libluajit2-5.1-common liblua5.3-0 libpcre3
    libopentracing-c-wrapper0 libopentracing1
    libsimdjson-dev libsimdjson14 rapidjson-dev libyajl-dev libyajl2"

# ccache because the cells of the matrix compile the same nginx again and
# again; gcc-multilib for 32 bits; gpg for an archive that tests sign

MATRIX_PACKAGES="ccache patchelf gcc-multilib valgrind dpkg-dev xz-utils
    gpg gpg-agent gpgconf gpgv"

COVERAGE_PACKAGES="gcovr"
ANALYZE_PACKAGES="clang-tidy cppcheck"

# node and npm are looked for by their commands: Debian's or any other's

CLIENTS_PACKAGES="python3 python3-venv"

# a compiler for what has no wheel; Triton links with Python's library

SERVERS_PACKAGES="python3 python3-venv libpython3.11 g++ cmake"

# other people's modules that the tests load beside ours: only unpacked below
# the build folder, so that the system's nginx does not get them

BESIDE_PACKAGES="libnginx-mod-http-echo
    libnginx-mod-http-headers-more-filter libnginx-mod-http-subs-filter
    libnginx-mod-http-js"

AS_ROOT=()
SERVICE_POLICY=/usr/sbin/policy-rc.d


become_root()
{
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null \
            || die "packages are missing: run it as root, or install sudo"
        AS_ROOT=(sudo)
    fi
}


# Forbids package scripts to start services: a host that builds a module did
# not ask for a web server on port 80.

forbid_services()
{
    if [ ! -e "$SERVICE_POLICY" ]; then
        trap allow_services EXIT
        printf '#!/bin/sh\nexit 101\n' \
            | "${AS_ROOT[@]}" tee "$SERVICE_POLICY" >/dev/null
        "${AS_ROOT[@]}" chmod 755 "$SERVICE_POLICY"
    fi
}


allow_services()
{
    "${AS_ROOT[@]}" rm -f "$SERVICE_POLICY"
    trap - EXIT
}


# Prints those of the packages that are not installed.

missing()
{
    local package

    for package in "$@"; do
        installed_version "$package" >/dev/null || echo "$package"
    done
}


install()
{
    local had_nginx=yes

    become_root
    installed_version nginx >/dev/null || had_nginx=no

    say "installing:" "$@"

    forbid_services
    PRIVATE_APT_AS_ROOT=("${AS_ROOT[@]}" env DEBIAN_FRONTEND=noninteractive)

    quietly "$PRIVATE_APT/install.log" private_apt binary apt-get install \
        -y --no-install-recommends -o Dpkg::Use-Pty=0 \
        -o Dpkg::Options::=--force-confold "$@"

    PRIVATE_APT_AS_ROOT=()
    allow_services

    if [ $had_nginx = no ] && [ -d /run/systemd/system ]; then
        "${AS_ROOT[@]}" systemctl disable --quiet nginx 2>/dev/null || true
    fi
}


# Debian 12 has no Test::Nginx.  The package of Debian unstable is plain Perl
# and runs on it; its dependencies are those of Debian 12.

install_test_nginx()
{
    local dir=$PRIVATE_APT/unstable/archives

    if installed_version libtest-nginx-perl >/dev/null; then
        return
    fi

    mkdir -p "$dir"
    rm -f "$dir"/libtest-nginx-perl_*.deb

    (
        cd "$dir"
        quietly "$PRIVATE_APT/download.log" \
            private_apt unstable apt-get download libtest-nginx-perl
    )

    install "$(ls "$dir"/libtest-nginx-perl_*_all.deb)"
}


# unpack FOLDER PACKAGE...

unpack()
{
    local package missing=() dir=$PRIVATE_APT/binary/archives to=$1
    shift

    for package in "$@"; do
        if [ ! -f "$to/$package" ]; then
            missing+=("$package")
            rm -f "$dir/$package"_*.deb
        fi
    done

    if [ ${#missing[@]} -eq 0 ]; then
        return
    fi

    mkdir -p "$dir" "$to"

    (
        cd "$dir"
        quietly "$PRIVATE_APT/download.log" \
            private_apt binary apt-get download "${missing[@]}"
    )

    for package in "${missing[@]}"; do
        dpkg-deb -x "$dir/$package"_*.deb "$to"
        touch "$to/$package"
    done
}


# All at once, or else each that is to be had.

unpack_peers()
{
    local package to=$BUILD/bench/peers

    # shellcheck disable=SC2086
    if (unpack "$to" $PEER_PACKAGES) 2>/dev/null; then
        return
    fi

    for package in $PEER_PACKAGES; do
        (unpack "$to" "$package") \
            || say "the benchmark goes on without $package"
    done
}


main()
{
    local purpose wanted="" needed

    [ $# -gt 0 ] || die "say for what: build, run, test, bench, matrix," \
                        "clients, servers"

    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null
    then
        die "this needs Debian 12 (there is no apt-get here)"
    fi

    for purpose in "$@"; do
        case $purpose in
            build)  wanted="$wanted $BUILD_PACKAGES" ;;
            run)    wanted="$wanted $BUILD_PACKAGES $RUN_PACKAGES" ;;
            test)   wanted="$wanted $BUILD_PACKAGES $TEST_PACKAGES" ;;
            bench)
                wanted="$wanted $BUILD_PACKAGES $BENCH_PACKAGES"
                command -v node >/dev/null || wanted="$wanted nodejs"
                command -v npm >/dev/null || wanted="$wanted npm"
            ;;
            coverage) wanted="$wanted $COVERAGE_PACKAGES" ;;
            analyze)  wanted="$wanted $ANALYZE_PACKAGES" ;;
            matrix)
                wanted="$wanted $BUILD_PACKAGES $TEST_PACKAGES"
                wanted="$wanted $MATRIX_PACKAGES"
            ;;
            clients)
                wanted="$wanted $CLIENTS_PACKAGES"
                command -v node >/dev/null || wanted="$wanted nodejs"
                command -v npm >/dev/null || wanted="$wanted npm"
            ;;
            servers)  wanted="$wanted $SERVERS_PACKAGES" ;;
            *)      die "no such purpose: $purpose" ;;
        esac
    done

    mkdir -p "$PRIVATE_APT"

    # shellcheck disable=SC2086
    needed=$(missing $wanted | sort -u)

    if [ -n "$needed" ]; then
        # shellcheck disable=SC2086
        install $needed
    fi

    case " $* " in
        *" test "* | *" matrix "*)
            install_test_nginx
            # shellcheck disable=SC2086
            unpack "$BUILD/beside" $BESIDE_PACKAGES
        ;;
    esac

    case " $* " in
        *" bench "*)  unpack_peers ;;
    esac
}


main "$@"
