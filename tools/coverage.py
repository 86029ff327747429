#!/usr/bin/env python3
#
# Copyright (C) the modelguard authors

"""Is enough of the code run by tests?  Asks gcov for the counters of all
objects, adds them up by line (an object of each level of vector instructions
has lines that others have not), prints the lines of each file and layer that
ran, also to build/coverage/summary.txt, and fails below the thresholds: 99 % of
layer 0, where what t/coverage-exceptions.txt explains counts as run, and 90 %
of the rest.  Lines that did not run are in build/coverage/missed.txt.

    coverage.py all | units      units judges layer 0 only"""

import collections
import glob
import json
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(TOP, "build", "coverage")
EXCEPTIONS = os.path.join(TOP, "t", "coverage-exceptions.txt")
LAYER_0 = 99
REST = 90


def exceptions():
    """(file, function, text of the line) of lines that need not run.  A line
    of the file is "FILE: FUNCTION(): TEXT: REASON"; the reason has no ": ".
    The second line of that text in the function is "TEXT @2", and so on."""

    found = set()

    with open(EXCEPTIONS) as stream:
        for line in stream:
            line = line.strip()

            if line and not line.startswith("#"):
                name, function, rest = line.split(": ", 2)
                text, reason = rest.rsplit(": ", 1)
                assert reason and function.endswith("()")
                found.add((name, function[:-2], text))

    return found


def counters(scope):
    """file name -> line number -> count"""

    folders = glob.glob(os.path.join(FOLDER, "unit", "objs-*"))
    found = collections.defaultdict(dict)

    if scope == "all":
        folders.append(os.path.join(TOP, "build", "nginx-coverage", "objs",
                                    "addon", "ngx_http_modelguard_module"))

    for folder in folders:
        notes = sorted(glob.glob(os.path.join(folder, "*.gcno")))
        said = subprocess.run(["gcov", "--json-format", "--stdout"] + notes,
                              stdout=subprocess.PIPE, check=True,
                              stderr=subprocess.DEVNULL).stdout

        for text in said.splitlines():
            for entry in json.loads(text)["files"]:
                if "ngx_http_modelguard_module/" not in entry["file"]:
                    continue

                lines = found[os.path.basename(entry["file"])]

                for line in entry["lines"]:
                    number = line["line_number"]
                    lines[number] = lines.get(number, 0) + line["count"]

    return found


def source(name):
    """The lines of a file as (text, function, key); the compiler does not say
    in which function a line is that was put into another one."""

    lines = []
    function = None
    seen = collections.Counter()

    with open(os.path.join(TOP, "ngx_http_modelguard_module", name)) as stream:
        for line in stream:
            begin = re.match(r"(\w+)\(", line)

            if begin:
                function = begin.group(1)
                seen.clear()

            text = line.strip()
            seen[text] += 1
            again = f" @{seen[text]}" if seen[text] > 1 else ""

            lines.append((text, function, (name, function, text + again)))

    return lines


def main():
    scope = sys.argv[1] if len(sys.argv) > 1 else "all"
    excused = exceptions()
    used = set()
    lines = []
    missed = {0: [], 1: []}
    totals = {0: [0, 0], 1: [0, 0]}
    explained = 0

    for name, found in sorted(counters(scope).items()):
        layer = 0 if name.startswith("modelguard_") else 1
        text = source(name)
        ran = count = 0

        for number, times in sorted(found.items()):
            here, function, key = text[number - 1]
            count += 1

            if times:
                ran += 1
            elif key in excused:
                used.add(key)
                ran += 1
                explained += 1
            else:
                missed[layer].append(f"{name}:{number}: {function}(): {here}")

        totals[layer][0] += ran
        totals[layer][1] += count
        lines.append(f"{100 * ran / max(count, 1):6.1f} % "
                     f"{ran:5} of {count:5}  {name}")

    for layer, what in ((0, "layer 0, with what is explained"),
                        (1, "the rest")):
        ran, count = totals[layer]
        lines.append(f"{100 * ran / max(count, 1):6.1f} % "
                     f"{ran:5} of {count:5}  {what}")

    lines.append(f"{explained:17} lines explained")

    ran, count = totals[0]
    failed = ran * 100 < count * LAYER_0

    if count == 0:
        failed = True
        lines.append("nothing of layer 0 was counted")

    if scope == "all":
        ran, count = totals[1]
        failed = failed or ran * 100 < count * REST

        for key in sorted(excused - used):
            failed = True
            lines.append("explained and not missed: %s: %s(): %s" % key)

    lines += [f"not run: {line}" for line in missed[0]]

    with open(os.path.join(FOLDER, "summary.txt"), "w") as stream:
        stream.write("\n".join(lines) + "\n")

    with open(os.path.join(FOLDER, "missed.txt"), "w") as stream:
        stream.write("\n".join(missed[0] + missed[1]) + "\n")

    print("\n".join(lines))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
