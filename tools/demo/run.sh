#!/bin/sh

# Copyright (C) the modelguard authors
#
# Keeps the demo's classifier and the nginx in front of it up until ctrl-C.
#
# Environment: PORT, of nginx; NGINX_MODULE, the built module; NGINX_BINARY;
# PYTHON.  Everything is kept under build/run/, and removed at the end.

set -eu

name=run
guarded=yes

. "$(dirname -- "$0")/common.sh"


cleanup()
{
    status=$?
    trap - EXIT
    trap '' HUP INT TERM

    if ! stop_all; then
        echo "$name: FAILED: nginx or the model server did not end well" >&2
        [ "$status" -ne 0 ] || status=1
    fi

    if [ -n "$dir" ] && [ "$status" -eq 0 ]; then
        rm -rf "$dir"
        echo
        echo "run: nginx and the model server have ended"

    elif [ -n "$dir" ]; then
        echo "$name: the logs are in $dir" >&2
    fi

    exit "$status"
}


trap cleanup EXIT
trap 'exit 0' HUP INT TERM

prepare
start_server
start_nginx

nine=${dir#"$repo/"}/nine.json
raw=http://127.0.0.1:$server_port/v1/models/digits
url=http://127.0.0.1:$port/v1/models/digits

"$python" -c 'import json, random, sys
sys.path.insert(0, sys.argv[1])
import glyphs
print(json.dumps({"instances": [glyphs.spoiled(9, random.Random(8))]}))' \
    "$here" >"$dir/nine.json"

cat <<END
The six lines that guard the classifier:

$(show_conf)

From the top of the repository, ask the model itself, then through
modelguard:

    curl -d @$nine $raw:predict
    curl -i -H 'X-API-Key: me' -d @$nine $url:predict

Both side by side, and a client spending its $limit pictures a minute:

    python3 tools/demo/client.py --raw $raw \\
        --guarded $url

The configuration is $dir/nginx.conf; after a
change of it, tell nginx: kill -HUP $nginx_pid
The logs are beside it.  Ctrl-C ends nginx and the model server.
END

while alive "$nginx_pid" && alive "$server_pid"; do
    sleep 1
done

fail "nginx or the model server has ended by itself"
