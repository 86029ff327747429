#!/usr/bin/env python3

# Copyright (C) the modelguard authors

"""t/50-corpus.t: serves every file of the corpus through a guarded nginx, in
several ways, and looks at what comes out.  TAP.  Damaged answers show that the
checks can fail."""

import sys

sys.dont_write_bytecode = True

import collections
import csv
import gzip
import json
import os
import pathlib
import re
import time

import check
import expect
import fields
import frames
import serve
from table import TABLE, Guard, Out

CORPUS = pathlib.Path(os.environ["MODELGUARD_CORPUS"])
FIELDS = serve.TOP / "conf-examples" / "fields"


class Tap:
    def __init__(self):
        self.n = 0
        self.failed = 0

    def ok(self, holds, name, why=""):
        self.n += 1

        if not holds:
            self.failed += 1

        print("%sok %d - %s" % ("" if holds else "not ", self.n, name))

        if not holds and why:
            self.diag(why)

        return holds

    def diag(self, text):
        for line in str(text).split("\n"):
            print("# " + line, file=sys.stderr)


def entries():
    with open(CORPUS / "manifest.csv", newline="", encoding="utf-8") as lines:
        found = [serve.Entry(line, CORPUS) for line in csv.DictReader(lines)]

    return {entry.number: entry for entry in found}


def check_same(tap, title, row, answers):
    """All ways gave the same; the answer to "whole".  What passes as it is
    keeps its coding."""

    whole = answers["whole"]

    if isinstance(row, Out) and row.answer == "passed":
        status, kind, body = answers["gzip"]
        answers = dict(answers, gzip=(status, kind, gzip.decompress(body)))

    other = {way: (answer[0], answer[1], len(answer[2]), answer[2][:200])
             for way, answer in answers.items() if answer != whole}

    tap.ok(not other, "%s: the same bytes in %d ways" % (title, len(answers)),
           "%s\n%s" % (other, (whole[0], whole[1], len(whole[2]),
                               whole[2][:200])))

    return whole


def check_out(tap, title, row, entry, answer):
    status, _, body = answer

    if row.answer == "passed":
        tap.ok((status, body) == (entry.status, entry.body),
               title + ": out of scope, and passed",
               "%s %s" % (status, body[:200]))
    else:
        tap.ok(status == 502 and b"response_blocked" in body,
               title + ": out of scope, and blocked",
               "%s %s" % (status, body[:200]))


def check_held(tap, nginx, raw, whole):
    """The first event comes while the model server has not sent the next."""

    entry = raw.entry
    stop = frames.first(entry.body, entry.framing)
    wanted = frames.first(whole[2], entry.framing)

    for way in ("hold", "hold-direct"):
        came, body = nginx.held(entry.number, way, "round", stop, wanted)

        if not tap.ok(came and body == whole[2],
                      "%s, %s: the first event is not delayed"
                      % (entry.file, way), "%s %s" % (came, body[:300])):
            return False

    if entry.number == "006":
        came, _ = nginx.held(entry.number, "hold", "round", stop, wanted + 1)
        tap.ok(not came, "%s: a byte that has not come is noticed"
               % entry.file)

    return True


def damages(number, answer):
    """Damaged answers to the profile "top", each of which must be noticed."""

    status, kind, body = answer
    text = body.decode("utf-8")

    def replaced(*pairs):
        for old, new in pairs:
            assert old in text, (number, old)
            yield status, kind, text.replace(old, new, 1).encode()

    if number == "016":
        yield status, kind, body + b"]"
        yield status, "text/plain", body
        yield from replaced(("0.44", "0.435"), ("0.44", "0.38"),
                            ('"classes": 5', '"classes": 5.0'),
                            ('"key": "1"', '"key": "2"'),
                            ('"key": "1"', '"key": "\\u0031"'),
                            ('"key": "1"', '"key":  "1"'))

    elif number == "140":
        yield from replaced(("event: response.created\n", ""),
                            ("event: response.created\n", "event: x\n"),
                            ("data: {", "data:{"), ("\n\n", "\n"),
                            ("\n\n", "\n\n: comment\n\n"),
                            ('"sequence_number":0', '"sequence_number":1'),
                            ('"top_p":1.0', '"top_p":1'),
                            ('"delta":"', '"logprobs":[],"delta":"'))
        yield status, kind, body[:-len(body) // 3]

    elif number == "002":
        yield from replaced(("3.3:1", "3.4:1"), ("3.3:1", "3.3:2"),
                            ('"2.4:3"', '2.4'))

    elif number == "142":
        vector = re.search(r'"embedding": ?"([^"]+)"', text).group(1)
        other = "B" if vector[101] == "A" else "A"

        yield from replaced((vector, vector[:100] + other + vector[101:]),
                            (vector, vector[4:]), (vector, vector + "===="),
                            (vector, vector.replace("/", "_")))


def check_damages(tap, raw, answer):
    for damage in damages(raw.entry.number, answer):
        noticed = not all(holds for holds, _, _
                          in check.check_answer(raw, "top", damage))
        tap.ok(noticed and damage != answer,
               "%s: a damaged answer is noticed" % raw.entry.file, damage)

    if raw.entry.number == "016":
        leak = (answer[0], answer[1], raw.entry.body)
        tap.ok(not all(holds for holds, _, _
                       in check.check_answer(raw, "top", leak)),
               "%s: the answer as it came is noticed" % raw.entry.file)


def fetch(nginx):
    """Answers by number, profile and way."""

    wanted = [(number, profile) for number in TABLE
              for profile in check.PROFILES]
    answers = {key: {} for key in wanted}

    for number, profile in wanted:
        for way in serve.WAYS:
            answers[number, profile][way] = nginx.get(number, way, profile)

    if nginx.http2:
        for key, answer in nginx.get_all_http2(wanted).items():
            answers[key]["http2"] = answer

    return answers


def check_all(tap, nginx, files, oracle, answers):
    counts = collections.Counter()
    delayed = 0

    for number, row in TABLE.items():
        entry = files[number]

        if isinstance(row, Out):
            counts["out"] += 1

            for profile in check.PROFILES:
                title = "%s, %s" % (entry.file, profile)
                whole = check_same(tap, title, row, answers[number, profile])
                check_out(tap, title, row, entry, whole)
            continue

        raw = check.Raw(entry, row, oracle.get(entry.file, {}))
        lines = list(fields.read((FIELDS / (row.fields + ".conf"))
                                 .read_text(encoding="utf-8")))

        counts[entry.framing] += 1
        counts["documents"] += len(raw.trees)
        counts["numbers"] += sum(map(len, raw.listed))

        for holds, name, why in check.check_fields(raw, lines):
            tap.ok(holds, "%s: %s" % (entry.file, name), why)

        for profile in check.PROFILES:
            title = "%s, %s" % (entry.file, profile)
            whole = check_same(tap, title, row, answers[number, profile])
            good = True

            for holds, name, why in check.check_answer(raw, profile, whole):
                good &= tap.ok(holds, "%s: %s" % (title, name), why)

            if profile == "top" and good:
                check_damages(tap, raw, whole)

        # after a few that wait in vain the rest would, too

        if entry.framing != "json" and delayed < 3:
            delayed += not check_held(tap, nginx, raw,
                                      answers[number, "round"]["whole"])
            counts["held"] += 2

    return counts


def summary(tap, counts, answers, started):
    ways = sum(map(len, answers.values()))

    tap.diag("corpus: %d files: %d json, %d sse, %d ndjson; %d out of scope"
             % (len(TABLE), counts["json"], counts["sse"], counts["ndjson"],
                counts["out"]))
    tap.diag("    %d documents with %d numbers and strings to treat"
             % (counts["documents"], counts["numbers"]))
    tap.diag("    %d answers in %d profiles and %d ways, %d held"
             % (ways, len(check.PROFILES),
                max(map(len, answers.values())), counts["held"]))

    for number, row in TABLE.items():
        if isinstance(row, Out):
            tap.diag("    %s is %s: %s" % (number, row.answer, row.reason))

    tap.diag("    %.1f s, %.1f s of them for the answers"
             % (time.monotonic() - started, counts["seconds"]))


def main():
    started = time.monotonic()
    tap = Tap()
    files = entries()

    with open(CORPUS / "oracle.json", encoding="utf-8") as oracle:
        oracle = json.load(oracle)

    tap.ok(sorted(files) == sorted(TABLE), "the table has every file",
           sorted(set(files) ^ set(TABLE)))

    shipped = {path.stem for path in FIELDS.glob("*.conf")}
    used = {row.fields for row in TABLE.values()}
    tap.ok(shipped == used, "%d files of fields are all used" % len(shipped),
           sorted(shipped ^ used))

    backend = serve.Backend(files)
    nginx = serve.Nginx(backend, check.PROFILES, check.CONF)

    if not nginx.http2:
        tap.diag("corpus: no HTTP/2, for nginx or curl has none")

    try:
        answers = fetch(nginx)
        fetched = time.monotonic() - started
        counts = check_all(tap, nginx, files, oracle, answers)
        counts["seconds"] = fetched
    finally:
        code = nginx.stop()
        backend.shutdown()
        backend.server_close()

    tap.ok(code == 0, "nginx ended well", code)
    summary(tap, counts, answers, started)
    print("1..%d" % tap.n)
    sys.stdout.flush()
    sys.exit(1 if tap.failed else 0)


if __name__ == "__main__":
    main()
