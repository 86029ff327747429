# Copyright (C) the modelguard authors
#
# What demo.sh and run.sh share: starts the model server and nginx under a
# directory of build/, and stops both by process id.  Sourced, not run.

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
repo=$(CDPATH='' cd -- "$here/../.." && pwd -P)

python=${PYTHON:-python3}
nginx=${NGINX_BINARY:-/usr/sbin/nginx}
module=${NGINX_MODULE:-build/ngx_http_modelguard_module.so}
limit=20

dir=
server_pid=
nginx_pid=
worker_pids=

# nginx takes a variable of this name for a list of sockets
unset NGINX

PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE


fail()
{
    echo "$name: FAILED: $*" >&2
    exit 1
}


# a zombie has ended, though nobody has waited for it

alive()
{
    [ -n "$1" ] && [ -e "/proc/$1" ] \
        && ! grep -qs '^State:[[:space:]]*[ZX]' "/proc/$1/status"
}


# Processes of a session.  nginx leads one of its own, so that its workers are
# found even if somebody has killed their master.

members()
{
    cat /proc/[0-9]*/stat 2>/dev/null \
        | sed -n "s/^\([0-9]*\) (.*) [A-Za-z] [0-9]* [0-9]* $1 .*/\1/p"
}


# until COMMAND...: polls for up to 5 seconds

until_true()
{
    tries=100

    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.05
    done
}


ended()
{
    for pid in "$@"; do
        ! alive "$pid" || return 1
    done
}


# stop SIGNAL PID...: asks, then insists

stop()
{
    signal=$1
    shift

    for pid in "$@"; do
        ! alive "$pid" || kill -s "$signal" "$pid" 2>/dev/null || :
    done

    until_true ended "$@" && return 0

    for pid in "$@"; do
        ! alive "$pid" || kill -s KILL "$pid" 2>/dev/null || :
    done

    until_true ended "$@" || :

    return 1
}


stop_all()
{
    clean=0

    if [ -n "$nginx_pid" ]; then
        stop TERM "$nginx_pid" || clean=1
        worker_pids=$(members "$nginx_pid")
        # shellcheck disable=SC2086
        ended $worker_pids || clean=1
        # shellcheck disable=SC2086
        stop TERM $worker_pids || clean=1
        wait "$nginx_pid" 2>/dev/null || clean=1
    fi

    if [ -n "$server_pid" ]; then
        stop TERM "$server_pid" || clean=1
        wait "$server_pid" 2>/dev/null || clean=1
    fi

    nginx_pid=
    server_pid=

    return "$clean"
}


prepare()
{
    case $module in
        /*) ;;
        *)  module=$repo/$module ;;
    esac

    command -v "$python" >/dev/null || fail "$python is not installed"
    [ -x "$nginx" ] || fail "$nginx is not there; it comes with the package" \
        "nginx"
    [ "$guarded" = no ] || [ -r "$module" ] \
        || fail "$module is not there; \"make\" builds it"

    mkdir -p "$repo/build/$name"
    dir=$(mktemp -d -p "$repo/build/$name")
    chmod 755 "$dir"
    mkdir "$dir/tmp"

    TMPDIR=$dir/tmp
    export TMPDIR
}


start_server()
{
    "$python" "$here/server.py" --port-file "$dir/server.port" \
        >"$dir/server.log" 2>&1 &
    server_pid=$!

    server_up()
    {
        [ -s "$dir/server.port" ] || ! alive "$server_pid"
    }

    until_true server_up || :

    [ -s "$dir/server.port" ] \
        || fail "the model server has not started: $(cat "$dir/server.log")"

    read -r server_port <"$dir/server.port"
}


free_port()
{
    "$python" -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}


# Workers of a master that is root run as the owner of the source tree, who
# can surely read it.

user_line()
{
    [ "$(id -u)" -eq 0 ] || return 0

    owner=$(stat -c '%U %G' "$repo")

    case $owner in
        *UNKNOWN*) owner="root root" ;;
    esac

    echo "user $owner;"
}


# guard LINE: a line of the configuration that needs the module

guard()
{
    [ "$guarded" = no ] || printf '%s\n' "$*"
}


write_conf()
{
    cat >"$dir/nginx.conf" <<END
$(guard "load_module \"$module\";")

$(user_line)
daemon            off;
worker_processes  2;
pid               nginx.pid;
error_log         error.log notice;

events {
}

http {
    client_body_temp_path  tmp/body;
    proxy_temp_path        tmp/proxy;
    fastcgi_temp_path      tmp/fastcgi;
    uwsgi_temp_path        tmp/uwsgi;
    scgi_temp_path         tmp/scgi;

    log_format demo '\$http_x_api_key \$status \$body_bytes_sent'
                    '$(guard ' $modelguard_verdict cost=$modelguard_cost' \
                             'left=$modelguard_remaining')';
    access_log access.log demo;

$(guard "    modelguard_zone \$http_x_api_key zone=clients:1m;")
$(guard "    modelguard_profile public { scores round=2 top=3; logits drop;" \
    "metadata drop; }")

    server {
        listen 127.0.0.1:$port;

        location /v1/models/ {
$(guard "            include \"$repo/conf-examples/fields/tfserving.conf\";")
$(guard "            modelguard public;")
$(guard "            modelguard_budget minute zone=clients limit=$limit" \
    "window=1m unit=items;")
            proxy_pass http://127.0.0.1:$server_port;
        }
    }
}
END
}


show_conf()
{
    sed -n -e '/^ *modelguard/p' -e '/^ *include/p' -e '/^ *proxy_pass/p' \
        "$dir/nginx.conf" | sed -e 's/^ */    /' -e "s|\"$repo/\(.*\)\"|\1|"
}


nginx_up()
{
    [ -s "$dir/nginx.pid" ] || ! alive "$nginx_pid"
}


# A free port may be taken a moment later, so there are three attempts.  The
# pid file is written once nginx listens.

start_nginx()
{
    for attempt in 1 2 3; do
        port=${PORT:-$(free_port)}
        write_conf

        setsid "$nginx" -p "$dir/" -c nginx.conf -e error.log \
            >"$dir/nginx.log" 2>&1 &
        nginx_pid=$!

        until_true nginx_up || :

        [ ! -s "$dir/nginx.pid" ] || return 0

        stop TERM "$nginx_pid" || :
        wait "$nginx_pid" 2>/dev/null || :
        nginx_pid=

        [ -z "${PORT-}" ] || break
        grep -qs 'bind() to .* failed' "$dir/nginx.log" || break
    done

    fail "nginx has not started: $(head -n 5 "$dir/nginx.log")"
}
