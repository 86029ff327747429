#!/usr/bin/env python3
#
# Copyright (C) the modelguard authors

"""Is enough of the code run by tests?  Asks gcov for the counters of all
objects, adds them up by line (an object of each level of vector instructions
has lines that others have not), prints the lines of each file and layer that
ran, also to build/coverage/summary.txt, and fails below the thresholds: every
line of layer 0 must have run or be explained in t/coverage-exceptions.txt, and
90 % of the rest must have run.  What of the rest did not is explained by groups
in the same file; what belongs to none is listed.  Lines that did not run are in
build/coverage/missed.txt, each with its group.

    coverage.py all | units      units judges layer 0 only, 99 %"""

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
LAYER_0 = {"all": 100, "units": 99}
REST = 90


def exceptions():
    """What need not run: the reasons of single lines by (file, function, text
    of the line), and groups as (name, files, pattern).  A line of the file is

        FILE: FUNCTION(): TEXT: REASON
        group NAME: FILES: PATTERN: REASON

    A reason has no ": ".  The second line of a text in a function is "TEXT @2",
    and so on.  The pattern of a group is looked for in the statement that
    decides whether the line runs, and in the line; see reason_of()."""

    found = {}
    groups = []

    with open(EXCEPTIONS) as stream:
        for line in stream:
            line = line.strip()

            if line.startswith("group "):
                name, files, rest = line[len("group "):].split(": ", 2)
                pattern, reason = rest.rsplit(": ", 1)
                assert reason
                groups.append((name, re.compile(files + "$"),
                               re.compile(pattern)))

            elif line and not line.startswith("#"):
                name, function, rest = line.split(": ", 2)
                text, reason = rest.rsplit(": ", 1)
                assert reason and function.endswith("()")
                found[name, function[:-2], text] = reason

    return found, groups


def statement(text, number):
    """The line, after the condition that it depends on and the paragraph
    before that, as one line: what a group's pattern is looked for in."""

    here = text[number - 1]
    room = len(here) - len(here.lstrip())
    at = number - 1

    while at > 0 and text[at].strip() != "{" or text[at] == here:
        before = text[at - 1]

        if before == "{":
            break

        at -= 1

        if (before.strip() and len(before) - len(before.lstrip()) < room
                and re.match(r"\s*(if|} else|switch|case|default|for|while)\b",
                             before)):
            break

    first = at
    blanks = 0

    while first > 0 and text[first - 1] != "{" and blanks < 2:
        first -= 1
        blanks += not text[first].strip()

    return " ".join(line.strip() for line in text[first:number]
                    if line.strip())


def reason_of(groups, name, text, function, number):
    """The name of the first group that explains a line of the rest, or None."""

    said = f"{function}(): {statement(text, number)}"

    for group, files, pattern in groups:
        if files.match(name) and pattern.search(said):
            return group

    return None


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


def plain(name):
    """The lines of a file as they are."""

    with open(os.path.join(TOP, "ngx_http_modelguard_module", name)) as stream:
        return stream.read().split("\n")


def main():
    scope = sys.argv[1] if len(sys.argv) > 1 else "all"
    excused, groups = exceptions()
    used = set()
    lines = []
    missed = {0: [], 1: []}
    totals = {0: [0, 0], 1: [0, 0]}
    explained = {0: 0, 1: 0}
    counts = collections.Counter()

    for name, found in sorted(counters(scope).items()):
        layer = 0 if name.startswith("modelguard_") else 1
        text = source(name)
        ran = count = 0

        for number, times in sorted(found.items()):
            here, function, key = text[number - 1]
            count += 1
            group = None

            if times:
                ran += 1
                continue

            if key in excused:
                used.add(key)

            if key in excused and layer == 0:
                explained[0] += 1
                ran += 1
                continue

            if layer:
                group = excused.get(key) or reason_of(groups, name,
                                                      plain(name), function,
                                                      number)

            if group:
                explained[layer] += 1
                counts[group] += 1

            missed[layer].append((group, f"{name}:{number}: {function}(): "
                                         f"{here}"))

        totals[layer][0] += ran
        totals[layer][1] += count
        lines.append(f"{100 * ran / max(count, 1):6.1f} % "
                     f"{ran:5} of {count:5}  {name}")

    for layer, what in ((0, "layer 0, with what is explained"),
                        (1, "the rest")):
        ran, count = totals[layer]
        lines.append(f"{100 * ran / max(count, 1):6.1f} % "
                     f"{ran:5} of {count:5}  {what}")

    for layer, what in ((0, "layer 0"), (1, "the rest")):
        left = sum(group is None for group, _ in missed[layer])
        lines.append(f"{explained[layer]:17} lines of {what} explained, "
                     f"{left} neither run nor explained")

    for group in sorted(counts):
        lines.append(f"{counts[group]:17} of the rest: {group}")

    ran, count = totals[0]
    failed = ran * 100 < count * LAYER_0[scope]

    if count == 0:
        failed = True
        lines.append("nothing of layer 0 was counted")

    if scope == "all":
        ran, count = totals[1]
        failed = failed or ran * 100 < count * REST

        for key in sorted(key for key in set(excused) - used
                          if key[0].startswith("modelguard_")):
            failed = True
            lines.append("explained and not missed: %s: %s(): %s" % key)

    lines += [f"not run: {line}" for _, line in missed[0]]
    lines += [f"not run, not explained: {line}"
              for group, line in missed[1] if group is None and scope == "all"]

    with open(os.path.join(FOLDER, "summary.txt"), "w") as stream:
        stream.write("\n".join(lines) + "\n")

    with open(os.path.join(FOLDER, "missed.txt"), "w") as stream:
        for group, line in missed[0] + missed[1]:
            stream.write(f"{line}  [{group}]\n" if group else line + "\n")

    print("\n".join(lines))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
