#!/usr/bin/env python3
#
# Copyright (C) the modelguard authors

"""Builds the module for every nginx that matters and runs a part of the
suite on each:

    matrix.py [CELL ...]          all cells, or those
    matrix.py --list              their names
    matrix.py --source NAME=DIR   besides, cells for an unpacked source of
                                  another nginx, or of another's nginx
    matrix.py --full CELL         all of t/*.t on a cell
    matrix.py --strict            a cell fails, too, when the archive has
                                  nothing to build it from
    matrix.py --docs              writes the table of docs/compatibility.md
    matrix.py --check             is that table one of these cells?

A cell that fails does not stop the others, but the command fails in the end.
When the archive does not have what it lists, fetch.sh looks for another, and
the table says so.
What ran is in build/matrix.json, logs are in build/matrix.

Environment: TEST_NGINX_PORT, the first port to use; JOBS=2, cells that
are tested at a time, while one more is built with as many compilers: JOBS=1 is
for one core."""

import argparse
import concurrent.futures
import datetime
import json
import os
import queue
import re
import resource
import subprocess
import sys
import threading
import time

import build
import cells

TOP = build.TOP
BUILD = build.BUILD
RESULTS = os.path.join(TOP, "build", "matrix.json")
PAGE = os.path.join(TOP, "docs", "compatibility.md")

# Tests sleep more than they compute, but builds do not: they are done one
# after the other, beside the tests of other cells.

BUILDING = threading.Lock()
MERGING = threading.Lock()
PORTS = 60


def summary(log):
    """What prove said last."""

    with open(log, errors="replace") as stream:
        text = stream.read()

    match = re.findall(r"^Files=(\d+), Tests=(\d+)", text, re.M)

    return f"{match[-1][0]} files, {match[-1][1]} checks" if match else ""


def run_tests(cell, built, port, full):
    """The tests of a cell on what was built: true, and what ran."""

    name = "matrix-" + cell.name
    log = os.path.join(BUILD, cell.name + ".tests.log")
    mode = "asan" if cell.kind == "asan" else "default"
    tests = [] if full else cell.tests
    environment = dict(
        os.environ, MATRIX_CELL=name, MATRIX_NGINX=built.nginx,
        MATRIX_MODULE=built.module, TEST_NGINX_PORT=str(port),
        **built.environment)

    with open(log, "w") as stream:
        status = subprocess.call(
            ["bash", "tools/run-tests.sh", mode, "--timer", *tests],
            cwd=TOP, env=environment, stdout=stream,
            stderr=subprocess.STDOUT)

    complaint = built.after(os.path.join(TOP, "build", "run", name))

    if complaint:
        with open(log, "a") as stream:
            stream.write(complaint)

    return status == 0 and not complaint, summary(log)


def run_cell(cell, ports, full):
    """One cell, built and tested, as a record of the results."""

    record = {"cell": cell.name, "version": "", "from": "", "compiler": "",
              "linkage": cell.linkage, "ran": "", "result": "failed",
              "date": datetime.date.today().isoformat()}

    try:
        with BUILDING:
            began = time.time()

            try:
                built = build.build(cell)
            finally:
                record["build_seconds"] = round(time.time() - began)

        record.update({"version": built.version, "from": built.origin,
                       "compiler": built.compiler, "ran": built.ran})

        if built.nginx:
            port = ports.get()
            began = time.time()

            try:
                passed, record["ran"] = run_tests(cell, built, port, full)
            finally:
                ports.put(port)

            record["test_seconds"] = round(time.time() - began)
            record["result"] = "passed" if passed else "failed"

        else:
            record["result"] = "passed"

    except build.Missing as reason:
        record.update(result="not in the archive", ran=str(reason))

    except (build.Failed, OSError) as reason:
        record["ran"] = str(reason)

    print(f"{record['cell']:24} {record['version']:20} "
          f"{record['from'] or '-'}: "
          f"{record['result']}: {record['ran']}; "
          f"built in {record.get('build_seconds', 0)} s, "
          f"tested in {record.get('test_seconds', 0)} s", flush=True)

    return record


def run(wanted, full, everything):
    """All of them; the records in the order of the list.  A run that is
    stopped has left what it got to."""

    def one(cell):
        record = run_cell(cell, ports, full)

        if not full:
            with MERGING:
                merge([record], everything)

        return record

    jobs = int(build.JOBS)
    base = int(os.environ.get("TEST_NGINX_PORT", "21000"))
    ports = queue.Queue()

    for i in range(jobs):
        ports.put(base + i * PORTS)

    # whoever has built and finds no port waits for one

    with concurrent.futures.ThreadPoolExecutor(jobs + 1) as pool:
        return list(pool.map(one, wanted))


def merge(records, everything):
    """The results with those of the cells that did not run this time."""

    old = {}

    if os.path.exists(RESULTS):
        with open(RESULTS) as stream:
            old = {r["cell"]: r for r in json.load(stream)["cells"]}

    old.update({r["cell"]: r for r in records})
    order = [cell.name for cell in everything]

    # what --source tried by hand stays at the end

    order += [name for name in old if name not in order]

    with open(RESULTS, "w") as stream:
        json.dump({"cells": [old[n] for n in order if n in old]}, stream,
                  indent=1)
        stream.write("\n")


def failures(records, strict):
    """Names of those that failed; when the archive has nothing of a version,
    its cells failed, too: a matrix without it proves nothing."""

    bad = ["failed", "not in the archive"] if strict else ["failed"]
    failed = [r["cell"] for r in records if r["result"] in bad]

    if strict:
        return failed

    for version in ("trixie", "unstable"):
        mine = [r for r in records if r["cell"].startswith(version + "-")]

        if mine and all(r["result"] == "not in the archive" for r in mine):
            failed += [r["cell"] for r in mine]

    return failed


def count(records):
    """How many of the cells are green, and what became of the others."""

    results = [r["result"] for r in records]
    parts = [f"{results.count('passed')} of {len(results)} cells"]
    parts += [f"{results.count(result)} {result}"
              for result in ("not in the archive", "failed")
              if result in results]

    return ", ".join(parts)


COLUMNS = ("cell", "nginx", "from", "compiler", "linkage", "ran", "result",
           "date")


def rows(records):
    """The lines of the table."""

    yield "| " + " | ".join(COLUMNS) + " |"
    yield "|---" * len(COLUMNS) + "|"

    for r in records:
        cells_of = dict(r, nginx=r["version"])
        yield "| " + " | ".join(cells_of.get(k, "") for k in COLUMNS) + " |"


def split_page():
    """The page before, between and after the markers of the table."""

    with open(PAGE) as stream:
        parts = re.split(r"(<!-- matrix -->\n|<!-- end of matrix -->\n)",
                         stream.read())

    if len(parts) != 5:
        sys.exit(f"{PAGE}: the markers of the table are missing")

    return parts


def write_page():
    """Puts the last results into the page."""

    with open(RESULTS) as stream:
        records = json.load(stream)["cells"]

    parts = split_page()
    parts[2] = "\n".join(rows(records)) + "\n"

    with open(PAGE, "w") as stream:
        stream.write("".join(parts))


def check_page(everything, quiet=False):
    """Every cell has its line, none of them says "failed"."""

    lines = split_page()[2].splitlines()[2:]
    table = {line.split("|")[1].strip(): line for line in lines}
    problems = [f"no line for the cell {cell.name}" for cell in everything
                if cell.name not in table]
    problems += [f"the cell {name} failed" for name, line in table.items()
                 if line.split("|")[1 + COLUMNS.index("result")].strip()
                 == "failed"]

    for problem in problems:
        if not quiet:
            print(f"docs/compatibility.md: {problem}; run make matrix and "
                  "tools/matrix/matrix.py --docs")

    return not problems


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="CELL")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--source", action="append", default=[])
    arguments = parser.parse_args()

    if arguments.docs:
        return write_page()

    if arguments.check or arguments.list:
        everything = cells.cells("unstable")

        if arguments.list:
            return print("\n".join(cell.name for cell in everything))

        # a list with one cell more must be noticed, or the check is none

        more = everything + [everything[0]._replace(name="self-test")]

        if check_page(more, quiet=True):
            sys.exit("matrix.py --check does not notice a cell without a "
                     "line")

        return sys.exit(0 if check_page(everything) else 1)

    start = time.time()

    try:
        everything = cells.cells(build.newest())
    except build.Failed as reason:
        sys.exit(f"matrix.py: {reason}")

    print(f"fetched the source in {time.time() - start:.0f} s", flush=True)
    extra = []

    for source in arguments.source:
        name, folder = source.split("=", 1)
        build.add_source(name, folder)
        extra += cells.of_version(name)

    wanted = extra or everything
    everything = everything + extra

    if arguments.names:
        wanted = [c for c in everything if c.name in arguments.names]

        if len(wanted) != len(set(arguments.names)):
            sys.exit("no such cell; see --list")

    records = run(wanted, arguments.full, everything)
    failed = failures(records, arguments.strict)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{count(records)}; {time.time() - start:.0f} s, "
          f"{used.ru_utime + used.ru_stime:.0f} s of a processor; failed: "
          f"{' '.join(failed) or 'none'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
