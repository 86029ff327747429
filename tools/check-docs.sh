#!/usr/bin/env bash
#
# Copyright (C) the modelguard authors
#
# Checks the documentation: every nginx snippet with "nginx -t", the
# directives and variables against the tables of the module, the links; then
# sees itself fail on damaged ones.
#
#     check-docs.sh [--self-test]
#
# The self-test always runs; the option is there so that it can be asked for.

set -euo pipefail

. "$(dirname "$0")/common.sh"

exec python3 "$TOP/tools/check-docs.py" --self-test
