# Copyright (C) the modelguard authors

"""What the Python clients' tests share."""

import json
import os
import re
import traceback
import urllib.request

NAME = os.environ["MODELGUARD_NAME"]
BUFFERED = os.environ["MODELGUARD_BUFFERED"]
UNBUFFERED = os.environ["MODELGUARD_UNBUFFERED"]
LIMITED = os.environ["MODELGUARD_LIMITED"]
BUDGETS = os.environ["MODELGUARD_BUDGETS"]
REPLAY = os.environ["MODELGUARD_REPLAY"]

MODES = (("buffered", BUFFERED), ("unbuffered", UNBUFFERED))


def ok(good, text, *details):
    print("%sok - %s: %s" % ("" if good else "not ", NAME, text), flush=True)

    if not good:
        for detail in details:
            for line in str(detail).splitlines():
                print("# " + line, flush=True)


def equal(got, wanted, text):
    ok(got == wanted, text, "got    %r" % (got,), "wanted %r" % (wanted,))


def raises(kind, call, text):
    """The exception, None if it is not of that kind."""

    try:
        got = call()
    except kind as error:
        ok(True, text)
        return error
    except Exception as error:
        ok(False, text, "%s: %s" % (type(error), error))
    else:
        ok(False, text, "no exception but %r" % (got,))

    return None


def waiting(gate):
    """True if the stream of that name has not been ended by the server."""

    with urllib.request.urlopen("%s/control/release/%s" % (REPLAY, gate),
                                timeout=10) as answer:
        return json.load(answer)["waiting"]


def digits(value):
    """The fractions of three digits or more in what a client was given."""

    return re.findall(r"\d\.\d{3,}", str(value))


def main(checks, limited):
    """The checks in both modes, then those of a budget."""

    for mode, base in MODES:
        for check in checks:
            try:
                check(mode + ": ", base)
            except Exception:
                ok(False, "%s: %s: no unexpected error"
                   % (mode, check.__name__), traceback.format_exc())

    try:
        limited()
    except Exception:
        ok(False, "over the budget: no unexpected error",
           traceback.format_exc())

    print("# done")
