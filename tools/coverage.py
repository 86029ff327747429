#!/usr/bin/env python3
#
# Copyright (C) the modelguard authors

"""Is enough of the code run by tests?  Reads build/coverage/coverage.json,
which tools/coverage.sh has gcovr write, prints the lines of each file and
layer that ran, also to build/coverage/summary.txt, and fails below the
thresholds: all of layer 0 but what t/coverage-exceptions.txt explains, 90 %
of the rest.

    coverage.py all | units      units judges layer 0 only"""

import json
import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(TOP, "build", "coverage")
EXCEPTIONS = os.path.join(TOP, "t", "coverage-exceptions.txt")
REST = 90


def exceptions():
    """(file, text of the line) of lines that need not run.  A line of the
    file is "FILE: TEXT: REASON"; the reason has no ": "."""

    found = set()

    with open(EXCEPTIONS) as stream:
        for line in stream:
            line = line.strip()

            if line and not line.startswith("#"):
                name, rest = line.split(": ", 1)
                text, reason = rest.rsplit(": ", 1)
                assert reason
                found.add((name, text))

    return found


def source(name):
    with open(os.path.join(TOP, name)) as stream:
        return [line.strip() for line in stream]


def main():
    scope = sys.argv[1] if len(sys.argv) > 1 else "all"
    excused = exceptions()
    used = set()
    lines = []
    missed = []
    totals = {0: [0, 0], 1: [0, 0]}

    with open(os.path.join(FOLDER, "coverage.json")) as stream:
        files = json.load(stream)["files"]

    for entry in sorted(files, key=lambda f: f["file"]):
        name = os.path.basename(entry["file"])
        layer = 0 if name.startswith("modelguard_") else 1
        text = source(entry["file"])
        ran = count = 0

        for line in entry["lines"]:
            if line.get("gcovr/noncode"):
                continue

            here = (name, text[line["line_number"] - 1])
            count += 1

            if line["count"]:
                ran += 1
            elif here in excused:
                used.add(here)
                ran += 1
            elif layer == 0:
                missed.append(f"{name}:{line['line_number']}: {here[1]}")

        totals[layer][0] += ran
        totals[layer][1] += count
        lines.append(f"{100 * ran / max(count, 1):6.1f} % "
                     f"{ran:5} of {count:5}  {name}")

    failed = bool(missed)

    for layer, what in ((0, "layer 0, with what is explained"),
                        (1, "the rest")):
        ran, count = totals[layer]
        lines.append(f"{100 * ran / max(count, 1):6.1f} % "
                     f"{ran:5} of {count:5}  {what}")

    if totals[0][1] == 0:
        failed = True
        lines.append("nothing of layer 0 was counted")

    if scope == "all":
        ran, count = totals[1]
        failed = failed or ran * 100 < count * REST

        for name, text in sorted(excused - used):
            failed = True
            lines.append(f"explained and not missed: {name}: {text}")

    lines += [f"not run: {line}" for line in missed]

    with open(os.path.join(FOLDER, "summary.txt"), "w") as stream:
        stream.write("\n".join(lines) + "\n")

    print("\n".join(lines))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
