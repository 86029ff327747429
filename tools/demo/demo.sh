#!/bin/sh

# Copyright (C) the modelguard authors
#
# Puts nginx with modelguard in front of a small real classifier, shows what
# a client sees of it, drives a client into its budget, and checks all of it.
#
#     demo.sh                the demo; its exit status is that of the checks
#     demo.sh --self-test    proves that the checks fail when they should
#
# Environment: NGINX_MODULE, the built module; NGINX_BINARY; PYTHON.
# Everything is kept under build/demo/, and removed when all went well.

set -eu

name=demo
guarded=yes

. "$(dirname -- "$0")/common.sh"

client_pid=


cleanup()
{
    status=$?
    trap - EXIT
    trap '' HUP INT TERM

    [ -z "$client_pid" ] || stop TERM "$client_pid" || :

    if ! stop_all; then
        echo "$name: FAILED: nginx or the model server did not end well" >&2
        [ "$status" -ne 0 ] || status=1
    fi

    if [ -n "$dir" ] && [ "$status" -eq 0 ]; then
        rm -rf "$dir"

    elif [ -n "$dir" ]; then
        echo "$name: the logs are in $dir" >&2
    fi

    exit "$status"
}


check_logs()
{
    ! grep -E '\[(alert|emerg|crit)\]' "$dir/error.log" >&2 \
        || fail "nginx has logged what is above"

    ! grep -q . "$dir/nginx.log" \
        || fail "nginx has said: $(head -n 5 "$dir/nginx.log")"

    [ "$(wc -l <"$dir/server.log")" -eq 1 ] \
        || fail "the model server has said: $(tail -n 5 "$dir/server.log")"
}


demo()
{
    trap cleanup EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM

    prepare
    start_server
    start_nginx

    echo "nginx at 127.0.0.1:$port is in front of a classifier of digits at" \
        "127.0.0.1:$server_port"
    echo "(nginx and Python only; held-out accuracy:" \
        "$(sed -n 's/^"accuracy": \(.*\),$/\1/p' "$here/weights.json"))."
    echo "The six lines that guard it:"
    echo
    show_conf

    # in the background, so that a signal is acted upon at once
    "$python" "$here/client.py" --limit "$limit" \
        --raw "http://127.0.0.1:$server_port/v1/models/digits" \
        --guarded "http://127.0.0.1:$port/v1/models/digits" &
    client_pid=$!
    status=0
    wait "$client_pid" || status=$?
    client_pid=

    if [ "$guarded" = yes ]; then
        echo
        echo "The last lines of nginx's access log:"
        echo
        tail -n 4 "$dir/access.log" | sed 's/^/    /'
        echo
    fi

    stop_all || fail "nginx or the model server did not end well"
    check_logs

    [ "$status" -eq 0 ] || fail "the checks above do not all hold"

    echo "demo: the guard did what it should; nothing is left running"
}


# an nginx without the guard must not pass

self_test()
{
    "$python" "$here/test_demo.py"

    status=0
    said=$(exec 2>&1; guarded=no; demo) || status=$?

    [ "$status" -eq 1 ] \
        || fail "an unguarded nginx gave status $status, not 1"

    for sentence in 'WRONG  the logits are gone' \
                    'WRONG  no score has more than 2 decimals' \
                    'asks about 6 more: 200 (24 so far)' \
                    'FAILED: the checks above do not all hold'; do
        case $said in
            *"$sentence"*) ;;
            *) fail "an unguarded nginx did not lead to: $sentence" ;;
        esac
    done

    case ${said##*the logs are in } in
        "$repo/build/$name/"*) rm -rf "${said##*the logs are in }" ;;
    esac

    echo "demo: the demo fails when nginx does not guard"
}


case ${1-} in
    '')
        demo
        ;;

    --self-test)
        self_test
        ;;

    *)
        echo "usage: $0 [--self-test]" >&2
        exit 2
        ;;
esac
