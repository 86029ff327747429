# Copyright (C) the modelguard authors
#
# Sourced by install-deps.sh and build-nginx.sh: apt with lists, caches and
# source lists of its own below the build folder, so that the system's stay
# as they are.  Signatures are checked as always.

PRIVATE_APT=$BUILD/apt
PRIVATE_APT_FRESH=60


# Prints "URI suite" for every source of this Debian release that the system
# is configured with, in one-line or deb822 form, mirrors first.

private_apt_system_sources()
{
    local codename list

    codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")

    for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        if [ -f "$list" ]; then
            sed -n 's/\[[^]]*\]//; s/^deb[[:space:]]\{1,\}//p' "$list"
        fi
    done | awk '{ print $1, $2 }' > "$PRIVATE_APT/system"

    for list in /etc/apt/sources.list.d/*.sources; do
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


# Writes a source list.  "binary": the system's own sources as packages;
# "source": the same as source packages; "trixie" and "unstable": the
# packages of Debian 13 and of unstable, from the mirror of the system's
# release; "trixie-source" and "unstable-source": their source packages, from
# there, too; "i386": the system's own sources as packages for 32 bits.

private_apt_write_sources()
{
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    local uri suite codename kind=$1

    codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")

    [ -f "$keyring" ] || die "$keyring is missing: no Debian signatures can" \
                             "be checked; install debian-archive-keyring"

    private_apt_system_sources | while read -r uri suite; do
        case $kind in

            binary)
                echo "deb [signed-by=$keyring] $uri $suite main"
            ;;

            source)
                echo "deb-src [signed-by=$keyring] $uri $suite main"
            ;;

            trixie | unstable)
                if [ "$suite" = "$codename" ]; then
                    echo "deb [signed-by=$keyring] $uri $kind main"
                fi
            ;;

            trixie-source | unstable-source)
                if [ "$suite" = "$codename" ]; then
                    echo "deb-src [signed-by=$keyring] $uri ${kind%-source}" \
                         main
                fi
            ;;

            i386)
                if [ "$suite" = "$codename" ]; then
                    echo "deb [arch=i386 signed-by=$keyring] $uri $suite main"
                fi
            ;;

        esac
    done > "$PRIVATE_APT/$kind/sources.list"

    [ -s "$PRIVATE_APT/$kind/sources.list" ] \
        || die "no Debian $codename source is configured in /etc/apt"
}


# private_apt KIND COMMAND ARG...: runs an apt program on the private state,
# refreshing the lists if they are older than an hour.

private_apt()
{
    local kind=$1 command=$2 dir=$PRIVATE_APT/$1
    shift 2

    mkdir -p "$dir/lists/partial" "$dir/archives/partial"

    local options=(
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
        options+=(-o APT::Architecture=i386 -o APT::Architectures=i386)
    fi

    if [ -z "$(find "$dir/lists.stamp" -mmin "-$PRIVATE_APT_FRESH" \
               2>/dev/null)" ]
    then
        private_apt_write_sources "$kind"
        quietly "$dir/update.log" apt-get "${options[@]}" update
        if grep -q '^[WE]: .*\(Failed\|signature\|NO_PUBKEY\)' \
                "$dir/update.log"
        then
            cat "$dir/update.log" >&2
            die "apt could not refresh its lists"
        fi
        touch "$dir/lists.stamp"
    fi

    "${PRIVATE_APT_AS_ROOT[@]}" "$command" "${options[@]}" "$@"
}

PRIVATE_APT_AS_ROOT=()
