#!/usr/bin/env bash
#
# Copyright (C) the modelguard authors
#
# Tests every example with "nginx -t", starts it, sends what its comment says
# and looks whether that comes back; then sees itself fail on damaged ones.

set -euo pipefail

. "$(dirname "$0")/common.sh"

exec python3 "$TOP/tools/check-examples.py" --self-test
