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
# An archive that is being updated, and a mirror that is late, list what they
# do not have.  So the lists are fetched once more, then every version that
# is listed is tried, the newest first: those of the release and its updates on
# every mirror, and the same one of nginx in other releases.  For a source,
# what is left is the tarball of nginx itself, whose hash the lists have.
# DIR/version is what it was in the end, DIR/from where it was found and what
# was not there; DIR/missing is what is listed when there is nothing.
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

# apt's words when the archive was there and the package was not, or was
# another one

ANSWERED='404 +Not Found|^E: (Unable to (locate|find)|Can.t find) '
ANSWERED="$ANSWERED|Hash Sum mismatch|unexpected size|not have a Release file"

SILENT=
ABSENT=()
VERSION=
FROM=


# answered LOG WHAT: of something that failed, did the archive say so?

answered()
{
    if ! grep -Eq "$ANSWERED" "$1"; then
        SILENT=yes
        tail -n 20 "$1" >&2
        say "Debian's archive did not answer with $2"
    fi
}


give_up()
{
    if [ -n "$SILENT" ]; then
        die "Debian's archive did not answer with $1; apt's words are above"
    fi

    say "Debian's archive does not have $1"
    printf '%s\n' "${ABSENT[0]}" > missing
    exit 3
}


# absent WHAT SUITE: tells what is listed in vain, and keeps it for the table.

absent()
{
    local what

    say "$2 lists $1, and it is not to be had"

    for what in "${ABSENT[@]}"; do
        if [ "$what" = "$1" ]; then
            return
        fi
    done

    ABSENT+=("$1")
}


# What the folder has in the end; its version is the last that is written.

finish()
{
    local what from=$FROM separator='; not to be had: '

    # another mirror may have had it

    for what in "${ABSENT[@]}"; do
        if [ "$what" != "$VERSION" ]; then
            from=$from$separator$what
            separator=', '
        fi
    done

    if [ "$from" != "$FROM" ]; then
        say "going on with $VERSION from $from"
    fi

    printf '%s\n' "$from" > from
    printf '%s\n' "$VERSION" > version
}


# get FOLDER KIND ARG...: an apt program that runs there, its output in
# fetch.log and in all.log.

get()
{
    local folder=$1 kind=$2 status=0
    shift 2

    (cd "$folder" && private_apt "$kind" "$@") > fetch.log 2>&1 < /dev/null \
        || status=1
    cat fetch.log >> all.log

    return $status
}


# Fetches the lists of a kind, for those that are there may be old.

refresh()
{
    if ! private_apt_update "$1"; then
        answered "$PRIVATE_APT/$1/update.log" "the list of $2"
        rm -f "$PRIVATE_APT/$1/lists.stamp"
        return 1
    fi
}


# Prints what a kind lists of a package as "version suite", the newest first.

versions()
{
    private_apt "$1" apt-cache madison "$2" 2>/dev/null < /dev/null \
        | awk '{ sub(/\/.*/, "", $6); if (!seen[$3]++) print $3, $6 }' \
        | sort -s -k 1,1rV
}


# Prints the suites that may have the same nginx as a release; what only waits
# to become its update is one of them.

others()
{
    case $1 in
        unstable) echo testing experimental ;;
        *)        echo "$1-proposed-updates" "$1-backports" testing unstable ;;
    esac
}


# listed FILE RELEASE: what the release lists of nginx's source, the newest
# first, as "version suite kind"; a kind is an apt that knows nothing else, so
# that the second mirror is asked when the first does not have it.

listed()
{
    local to=$1 release=$2 uri suite kind

    private_apt_suites "$release" > suites

    while read -r uri suite; do
        kind=$(private_apt_place "$uri" "$suite")

        if refresh "$kind" "$suite" >&2; then
            versions "$kind" nginx | sed "s|\$| $kind|"
        fi
    done < suites > unsorted

    sort -s -k 1,1rV unsorted > "$to"
}


# try_source VERSION SUITE KIND

try_source()
{
    local version=$1 suite=$2 kind=$3

    rm -rf try nginx
    mkdir try

    if ! get try "$kind" apt-get source --only-source --download-only \
             "nginx=$version"
    then
        answered fetch.log "nginx $version of $suite"
        absent "$version" "$suite"
        return 1
    fi

    quietly unpack.log dpkg-source -x try/nginx_*.dsc nginx
    VERSION=$version
    FROM=$suite
}


# try_tarball VERSION SUITE KIND: what Debian's patches are for.

try_tarball()
{
    local version=$1 suite=$2 kind=$3 uri file hash

    rm -rf try nginx
    mkdir try nginx

    get . "$kind" apt-get source --only-source --print-uris "nginx=$version"
    tr -d "'" < fetch.log \
        | awk '$2 ~ /\.orig\.tar\.[a-z0-9]+$/ { print $1, $2, $4 }' > tarball

    read -r uri file hash < tarball || return 1

    if ! get try "$kind" /usr/lib/apt/apt-helper download-file "$uri" \
             "$file" "$hash"
    then
        answered fetch.log "$file of $suite"
        absent "$file" "$suite"
        return 1
    fi

    quietly unpack.log tar -x -f "try/$file" -C nginx --strip-components=1
    VERSION=${version%-*}
    FROM="nginx's tarball in $suite, without Debian's patches"
}


# any_of COMMAND FILE [VERSION]: tries what is listed until one is had; all,
# or those of one version with or without Debian's part of it.

any_of()
{
    local command=$1 list=$2 wanted=${3:-} version suite kind

    while read -r version suite kind <&3; do
        if [ -n "$wanted" ] && [ "$version" != "$wanted" ] \
            && [ "${version%-*}" != "$wanted" ]
        then
            continue
        fi

        if "$command" "$version" "$suite" "$kind"; then
            return 0
        fi
    done 3< "$list"

    return 1
}


first()
{
    sed -n '1s/ .*//p' "$1"
}


fetch_source()
{
    local release=$1 dir=$2 newest suite what="nginx's source in $1"

    cd "$dir"
    listed own "$release"
    newest=$(first own)

    if [ -n "$newest" ] && any_of try_source own "$newest"; then
        return
    fi

    say "fetching the lists of $release once more"
    ABSENT=()
    listed own "$release"

    if any_of try_source own; then
        return
    fi

    newest=$(first own)
    [ -n "$newest" ] || die "Debian's archive lists no nginx in $release"

    for suite in $(others "$release"); do
        listed other "$suite"

        if any_of try_source other "${newest%-*}"; then
            return
        fi
    done

    any_of try_tarball own || give_up "$what"
}


# The names of the packages that a package depends on, first choices only.

dependencies()
{
    dpkg-deb -f "$1" Depends Pre-Depends \
        | sed 's/^[A-Z][A-Za-z-]*://; s/|[^,]*//g; s/([^)]*)//g' \
        | tr ', ' '\n\n' | grep . | sort -u
}


# one KIND PACKAGE: the newest version that is listed and there.

one()
{
    local kind=$1 package=$2 version suite

    versions "$kind" "$package" > versions

    while read -r version suite <&3; do
        if get . "$kind" apt-get download "$package=$version"; then
            return 0
        fi

        answered fetch.log "$package $version of $suite"
        absent "$package $version" "$suite"
    done 3< versions

    return 1
}


# download KIND PACKAGE...: all at once, or else each that is to be had.

download()
{
    local package kind=$1
    shift

    if get . "$kind" apt-get download "$@"; then
        return
    fi

    say "fetching the lists of $kind once more"
    refresh "$kind" "$kind" || true

    if get . "$kind" apt-get download "$@"; then
        return
    fi

    for package in "$@"; do
        one "$kind" "$package" || give_up "$package of $kind"
    done
}


# nginx_of KIND [COUNT]: nginx and its nginx-dev, of all or so many versions.

nginx_of()
{
    local kind=$1 count=${2:-100} version suite

    versions "$kind" nginx | head -n "$count" > versions

    while read -r version suite <&3; do
        rm -f ./*.deb

        if get . "$kind" apt-get download "nginx=$version" "nginx-dev=$version"
        then
            VERSION=$version
            FROM=$suite
            return 0
        fi

        answered fetch.log "nginx $version of $suite"
        absent "$version" "$suite"
    done 3< versions

    return 1
}


fetch_binary()
{
    local kind=$1 dir=$2 deb libraries=()

    cd "$dir"

    if ! { refresh "$kind" "$kind" && nginx_of "$kind" 1; }; then
        say "fetching the lists of $kind once more"
        ABSENT=()

        if ! { refresh "$kind" "$kind" && nginx_of "$kind"; }; then
            [ "$kind" = unstable ] || give_up "nginx's packages in $kind"
            kind=testing
            refresh "$kind" "$kind" && nginx_of "$kind" \
                || give_up "nginx's packages in $1"
        fi
    fi

    mapfile -t libraries < <(dependencies nginx_*.deb | grep -E "$LIBRARIES")
    mapfile -t -O "${#libraries[@]}" libraries \
        < <(dependencies nginx-dev_*.deb | grep -E "$LIBRARIES")
    download "$kind" "${libraries[@]}"

    for deb in ./*.deb; do
        dpkg-deb -x "$deb" root
    done
}


fetch_i386()
{
    local dir=$1 deb

    cd "$dir"
    # shellcheck disable=SC2086
    download i386 $I386_PACKAGES

    for deb in ./*.deb; do
        dpkg-deb -x "$deb" root
    done

    VERSION=i386
    FROM="Debian's i386"
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

    finish
}


main "$@"
