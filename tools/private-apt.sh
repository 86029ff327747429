# Copyright (C) the modelguard authors
#
# Sourced by the scripts that fetch packages: apt with lists, caches and
# source lists of its own below the build folder, so that the system's stay
# as they are.  Signatures are checked as always.

PRIVATE_APT=${PRIVATE_APT:-$BUILD/apt}
PRIVATE_APT_FRESH=60

# where the system's sources are read from, and whose signatures count: tests
# have an archive of their own

PRIVATE_APT_ETC=${PRIVATE_APT_ETC:-/etc/apt}

if [ -z "${PRIVATE_APT_KEYRING:-}" ]; then
    PRIVATE_APT_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
fi


# Prints "URI suite" for every source of this Debian release that the system
# is configured with, in one-line or deb822 form, mirrors first.

private_apt_system_sources()
{
    local codename list

    codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")

    for list in "$PRIVATE_APT_ETC"/sources.list \
                "$PRIVATE_APT_ETC"/sources.list.d/*.list
    do
        if [ -f "$list" ]; then
            sed -n 's/\[[^]]*\]//; s/^deb[[:space:]]\{1,\}//p' "$list"
        fi
    done | awk '{ print $1, $2 }' > "$PRIVATE_APT/system"

    for list in "$PRIVATE_APT_ETC"/sources.list.d/*.sources; do
        if [ -f "$list" ]; then
            awk -v RS= -F '\n' '{
                types = uris = suites = ""
                enabled = 1

                for (i = 1; i <= NF; i++) {
                    value = $i
                    sub(/^[^:]*:[ \t]*/, "", value)

                    if ($i ~ /^Types:/) types = value
                    if ($i ~ /^URIs:/) uris = value
                    if ($i ~ /^Suites:/) suites = value
                    if ($i ~ /^Enabled:[ \t]*no/) enabled = 0
                }

                if (!enabled || (" " types " ") !~ / deb /) next

                n = split(uris, uri, /[ \t]+/)
                m = split(suites, suite, /[ \t]+/)

                for (i = 1; i <= n; i++)
                    for (j = 1; j <= m; j++)
                        print uri[i], suite[j]
            }' "$list"
        fi
    done >> "$PRIVATE_APT/system"

    awk -v c="$codename" '
        $2 == c || $2 == c "-updates" || $2 == c "-security" \
        || $2 == c "/updates" { print }' "$PRIVATE_APT/system" | sort -u
}


# Prints "URI suite" for the suites of a Debian release, on every mirror that
# has the system's own release: those of its updates, too.  What only waits to
# become an update is the last.

private_apt_suites()
{
    local release=$1 uri suite codename

    codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")

    private_apt_system_sources | while read -r uri suite; do
        case $release:$suite in

            trixie:"$codename")
                echo "1 $uri $release"
                echo "3 $uri $release-updates"
            ;;

            trixie:"$codename-security" | trixie:"$codename/updates")
                echo "2 $uri $release-security"
            ;;

            *:"$codename")
                echo "1 $uri $release"
            ;;

        esac
    done | sort -s -k 1,1 | cut -d ' ' -f 2-
}


# Makes an apt that knows the source packages of one suite of one mirror and
# nothing else; prints its kind.

private_apt_place()
{
    local uri=$1 suite=$2 kind

    kind=place-$(printf '%s-%s' "$uri" "$suite" | tr -c 'A-Za-z0-9.' -)

    mkdir -p "$PRIVATE_APT/$kind"
    echo "deb-src [signed-by=$PRIVATE_APT_KEYRING] $uri $suite main" \
        > "$PRIVATE_APT/$kind/sources.list"

    printf '%s\n' "$kind"
}


# Writes a source list.  "binary": the system's own sources as packages;
# "source": the same as source packages; "trixie", "testing" and "unstable":
# the packages of Debian 13 with its updates, of testing and of unstable, from
# the mirror of the system's release; "i386": the system's own sources as
# packages for 32 bits.  That of a place is there.

private_apt_write_sources()
{
    local uri suite codename kind=$1 keyring=$PRIVATE_APT_KEYRING

    case $kind in
        place-*)  return ;;
    esac

    codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")

    [ -f "$keyring" ] || die "$keyring is missing: no Debian signatures can" \
                             "be checked; install debian-archive-keyring"

    case $kind in

        trixie | testing | unstable)
            private_apt_suites "$kind" \
                | sed "s|^|deb [signed-by=$keyring] |; s|\$| main|"
        ;;

        *)
            private_apt_system_sources | while read -r uri suite; do
                case $kind in

                    binary)
                        echo "deb [signed-by=$keyring] $uri $suite main"
                    ;;

                    source)
                        echo "deb-src [signed-by=$keyring] $uri $suite main"
                    ;;

                    i386)
                        if [ "$suite" = "$codename" ]; then
                            echo "deb [arch=i386 signed-by=$keyring] $uri" \
                                "$suite main"
                        fi
                    ;;

                esac
            done
        ;;

    esac > "$PRIVATE_APT/$kind/sources.list"

    [ -s "$PRIVATE_APT/$kind/sources.list" ] \
        || die "no Debian $codename source is configured in $PRIVATE_APT_ETC"
}


# What every apt program of a kind is called with, in PRIVATE_APT_OPTIONS.

private_apt_options()
{
    local kind=$1 dir=$PRIVATE_APT/$1

    PRIVATE_APT_OPTIONS=(
        -q
        -o Dir::Etc::sourcelist="$dir/sources.list"
        -o Dir::Etc::sourceparts=/dev/null
        -o Dir::State::lists="$dir/lists"
        -o Dir::Cache="$dir"
        -o Dir::Cache::archives="$dir/archives"
        -o Dir::Cache::pkgcache=
        -o Dir::Cache::srcpkgcache=
        -o APT::Sandbox::User=
        -o APT::Get::List-Cleanup=false
        -o APT::Update::Post-Invoke::=
        -o Acquire::Languages=none
        -o Acquire::Retries=3
        -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
        -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false
    )

    if [ "$kind" = i386 ]; then
        PRIVATE_APT_OPTIONS+=(-o APT::Architecture=i386
                              -o APT::Architectures=i386)
    fi
}


# Fetches the lists of a kind, new or not, and fails if it could not, apt's
# words in update.log; old lists stay.

private_apt_update()
{
    local kind=$1 dir=$PRIVATE_APT/$1

    mkdir -p "$dir/lists/partial" "$dir/archives/partial"
    private_apt_write_sources "$kind"
    private_apt_options "$kind"

    apt-get "${PRIVATE_APT_OPTIONS[@]}" update > "$dir/update.log" 2>&1 \
        || return 1

    if grep -q '^[WE]: .*\(Failed\|signature\|NO_PUBKEY\)' "$dir/update.log"
    then
        return 1
    fi

    touch "$dir/lists.stamp"
}


# private_apt KIND COMMAND ARG...: runs an apt program on the private state,
# refreshing the lists if they are older than an hour.

private_apt()
{
    local kind=$1 command=$2 dir=$PRIVATE_APT/$1
    shift 2

    if [ -z "$(find "$dir/lists.stamp" -mmin "-$PRIVATE_APT_FRESH" \
               2>/dev/null)" ]
    then
        if ! private_apt_update "$kind"; then
            tail -n 100 "$dir/update.log" >&2
            die "apt could not refresh its lists, all of its words are in" \
                "$dir/update.log"
        fi
    fi

    private_apt_options "$kind"
    "${PRIVATE_APT_AS_ROOT[@]}" "$command" "${PRIVATE_APT_OPTIONS[@]}" "$@"
}

PRIVATE_APT_AS_ROOT=()
