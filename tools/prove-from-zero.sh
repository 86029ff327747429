#!/usr/bin/env bash
#
# Copyright (C) the modelguard authors
#
# Proves on a bare Debian 12 that git and make are enough: builds a minimal
# system with debootstrap, installs these two, clones the repository, runs
# make demo and make test, and looks for what they leave behind.
#
#     prove-from-zero.sh [--worktree] [--keep] [--targets "demo test"] [DIR]
#
# --worktree clones a commit of the files as they are now, instead of HEAD;
# --keep keeps a system that DIR already has.  Needs root and debootstrap.
# DIR is build/zero by default and is removed when all went well.

set -euo pipefail

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/private-apt.sh"

RELEASE=bookworm
WORKTREE=no
KEEP=no
TARGETS="demo test"
DIR=$BUILD/zero

# What the installation of packages itself writes, beside the files that the
# packages own: dpkg's and apt's state and logs, and what maintainer scripts
# generate in these places.

PACKAGE_STATE="^/(var/lib/(dpkg|apt|ucf|systemd|pam|python|xml-core|sgml-base|\
nginx|vim|binfmts|man-db)|var/log|var/www|var/cache|etc|run|\
usr/lib/(python3|ssl|jvm)|usr/share/(python3|perl|mime|info|ca-certificates)|usr/local/(share|lib)|\
usr/lib/locale)(/|\$)|/__pycache__(/|\$)|\\.pyc\$"

# ... and the places where not even a package may leave anything

NEVER="^/(tmp|var/tmp|root|home|srv|dev/shm|run/nginx|usr/sbin/policy-rc|\
var/lib/apt/lists/.*_|var/cache/apt/.*deb)"


mounts()
{
    mount -t proc proc "$DIR/proc"
    mount -t tmpfs -o mode=1777 tmpfs "$DIR/dev/shm"
}


unmounts()
{
    umount "$DIR/dev/shm" 2>/dev/null || true
    umount "$DIR/proc" 2>/dev/null || true
}


inside()
{
    env -i HOME=/root PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
        LC_ALL=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive \
        ${TEST_NGINX_PORT:+TEST_NGINX_PORT=$TEST_NGINX_PORT} \
        chroot "$DIR" "$@" < /dev/null
}


bootstrap()
{
    local mirror

    mirror=$(private_apt_system_sources \
                 | awk -v r=$RELEASE '$2 == r { print $1; exit }')
    [ -n "$mirror" ] || die "no $RELEASE mirror is configured in /etc/apt"

    say "debootstrap $RELEASE from $mirror"

    unmounts
    rm -rf --one-file-system "$DIR"
    mkdir -p "$DIR" "$BUILD/zero-cache"
    quietly "$BUILD/zero-debootstrap.log" debootstrap --variant=minbase \
        --cache-dir="$(realpath "$BUILD/zero-cache")" \
        $RELEASE "$DIR" "$mirror"

    mkdir -p "$DIR/dev/shm"

    # how this host reaches the archive: a proxy, or a mirror that is known to
    # be frozen
    apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-Valid-Until) ' \
        > "$DIR/etc/apt/apt.conf.d/90host" || true

    say "installing git and make, and nothing else"
    quietly "$BUILD/zero-git.log" inside apt-get update
    quietly "$BUILD/zero-git.log" inside apt-get install -y \
        --no-install-recommends git make ca-certificates

    # as on a machine whose lists are out of date or were never there
    inside sh -c 'rm -rf /var/lib/apt/lists/* /var/cache/apt/*'
}


# A clone from a repository inside, as a user would make one from elsewhere.

clone()
{
    local origin=$DIR/srv/modelguard.git work=$BUILD/zero-worktree

    rm -rf "$DIR/srv/modelguard.git" "$DIR/home/user"
    mkdir -p "$DIR/home/user"

    if [ $WORKTREE = yes ]; then
        rm -rf "$work"
        mkdir -p "$work"
        (
            cd "$TOP"
            git -c safe.directory='*' ls-files -co --exclude-standard -z \
                | tar --null -T - --ignore-failed-read -cf - \
                | tar -C "$work" -xf -
        )
        git -C "$work" init -q
        git -C "$work" add -A
        git -C "$work" -c user.name=zero -c user.email=zero@localhost \
            commit -q -m 'The files as they are'
        git clone -q --bare "$work" "$origin"
    else
        git -c safe.directory='*' clone -q --bare "$TOP" "$origin"
    fi

    if [ -d "$TOP/../shared/corpus" ]; then
        mkdir -p "$DIR/home/user/shared"
        cp -R "$TOP/../shared/corpus" "$DIR/home/user/shared/"
    fi

    inside git clone -q /srv/modelguard.git /home/user/modelguard
}


files()
{
    inside find / -xdev \( -path /proc -o -path /sys -o -path /dev \
        -o -path /home/user/modelguard/build -o -lname '/etc/alternatives/*' \
        \) -prune -o -print | sort
}


# Processes whose root is inside: nothing else can tell them from the host's.

processes()
{
    local entry root

    for entry in /proc/[0-9]*; do
        root=$(readlink "$entry/root" 2>/dev/null) || continue

        case $root in
            "$DIR" | "$DIR"/*)
                echo "${entry#/proc/} $(tr '\0' ' ' < "$entry/cmdline")"
            ;;
        esac
    done
}


# check_leftovers TARGET: what is there that was not there before.

check_leftovers()
{
    local target=$1 bad=0 left

    sleep 1

    left=$(processes)
    if [ -n "$left" ]; then
        printf 'make %s left these processes:\n%s\n' "$target" "$left"
        bad=1
    fi

    files > "$BUILD/zero-files.after"

    inside sh -c 'cat /var/lib/dpkg/info/*.list /var/lib/dpkg/info/*.conffiles
                  2>/dev/null' | sort -u > "$BUILD/zero-files.packages"

    # a package names /lib/x what is found in /usr/lib/x
    sed -n 's#^/\(bin\|sbin\|lib[0-9]*\)/#/usr/\1/#p' \
        "$BUILD/zero-files.packages" > "$BUILD/zero-files.merged"
    sort -u -o "$BUILD/zero-files.packages" "$BUILD/zero-files.packages" \
        "$BUILD/zero-files.merged"

    left=$(comm -13 "$BUILD/zero-files.before" "$BUILD/zero-files.after" \
               | comm -23 - "$BUILD/zero-files.packages" \
               | grep -Ev "$PACKAGE_STATE") || true

    if [ -n "$left" ]; then
        printf 'make %s left these files:\n%s\n' "$target" "$left"
        bad=1
    fi

    left=$(comm -13 "$BUILD/zero-files.before" "$BUILD/zero-files.after" \
               | grep -E "$NEVER") || true

    if [ -n "$left" ]; then
        printf 'make %s left these files:\n%s\n' "$target" "$left"
        bad=1
    fi

    left=$(inside git -C /home/user/modelguard status --porcelain)

    if [ -n "$left" ]; then
        printf 'make %s changed the clone:\n%s\n' "$target" "$left"
        bad=1
    fi

    return $bad
}


main()
{
    local target failed=0

    while [ $# -gt 0 ]; do
        case $1 in
            --worktree)  WORKTREE=yes ;;
            --keep)      KEEP=yes ;;
            --targets)   TARGETS=$2; shift ;;
            -*)          die "no such option: $1" ;;
            *)           DIR=$1 ;;
        esac
        shift
    done

    [ "$(id -u)" = 0 ] || die "chroot needs root"
    command -v debootstrap >/dev/null || die "debootstrap is not installed"

    mkdir -p "$PRIVATE_APT" "$(dirname "$DIR")"
    DIR=$(realpath -m "$DIR")

    if [ $KEEP = no ] || [ ! -x "$DIR/usr/bin/git" ]; then
        bootstrap
    fi

    trap unmounts EXIT
    mounts

    inside dpkg-query -W -f '${Package} ${Version}\n' \
        > "$BUILD/zero-packages.before"

    say "bare system: $(wc -l < "$BUILD/zero-packages.before") packages"
    clone
    files > "$BUILD/zero-files.before"

    for target in $TARGETS; do
        say "make $target, from zero"

        if ! inside make -C /home/user/modelguard "$target"; then
            say "make $target FAILED"
            failed=1
        fi

        check_leftovers "$target" || failed=1
    done

    inside dpkg-query -W -f '${Package} ${Version}\n' \
        > "$BUILD/zero-packages.after"

    say "packages added: $(comm -13 "$BUILD/zero-packages.before" \
                               "$BUILD/zero-packages.after" | wc -l)"

    if [ $failed = 1 ]; then
        die "not proven; the system stays in $DIR"
    fi

    say "proven from zero: $TARGETS; no process and no file left behind"

    if [ $KEEP = no ]; then
        unmounts
        rm -rf --one-file-system "$DIR"
    fi
}


main "$@"
