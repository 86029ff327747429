#!/usr/bin/env python3

# Copyright (C) the modelguard authors

"""t/50-corpus.t: serves every file of the corpus through a guarded nginx and
looks at what comes out.  TAP.  Damaged answers show that the checks can
fail."""

import sys

sys.dont_write_bytecode = True

import csv
import http.client
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time
import traceback

import expect
from table import TABLE, Guard, Out

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
CORPUS = pathlib.Path(os.environ["MODELGUARD_CORPUS"])
RUN = pathlib.Path(os.environ["MODELGUARD_RUN"])

# the same three in nginx's words, and for t/corpus/expect.py

CONF = """
    modelguard_profile round {
        scores round=2; logits round=2; logprobs round=2; embedding round=2;
        metadata drop;
    }
    modelguard_profile top {
        scores round=2 top=3; logits round=2 top=3; logprobs drop;
        embedding round=3; metadata drop;
    }
    modelguard_profile label {
        scores label_only; logits drop; logprobs null; embedding drop;
        metadata null; usage drop;
    }
"""

ROUND2 = {"round": 2}
TOP3 = {"round": 2, "top": 3}

PROFILES = {
    "round": dict(scores=ROUND2, logits=ROUND2, logprobs=ROUND2,
                  embedding=ROUND2, metadata="drop"),
    "top": dict(scores=TOP3, logits=TOP3, logprobs="drop",
                embedding={"round": 3}, metadata="drop"),
    "label": dict(scores={"label_only": True}, logits="drop",
                  logprobs="null", embedding="drop", metadata="null",
                  usage="drop"),
}

# most decimals that a listed number may have

DIGITS = {"round": 2, "top": 3, "label": 0}


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


class Entry:
    """A file of the corpus with its line of the manifest."""

    def __init__(self, line):
        self.file = line["file"]
        self.number = self.file.split("-")[0]
        self.status = int(line["status"])
        self.type = line["content_type"]
        self.body = (CORPUS / "responses" / self.file).read_bytes()


def entries():
    with open(CORPUS / "manifest.csv", newline="", encoding="utf-8") as lines:
        return {entry.number: entry
                for entry in map(Entry, csv.DictReader(lines))}


class Backend(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, files):
        self.files = files
        super().__init__(("127.0.0.1", 0), BackendHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class BackendHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        entry = self.server.files[self.path.split("/")[1]]

        self.send_response(entry.status)
        self.send_header("Content-Type", entry.type)
        self.send_header("Content-Length", str(len(entry.body)))
        self.end_headers()
        self.wfile.write(entry.body)

    def log_message(self, *arguments):
        pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Nginx:
    """One nginx with a location for every entry of the table."""

    def __init__(self, backend):
        self.prefix = RUN / "corpus"
        self.backend = backend

        shutil.rmtree(self.prefix, ignore_errors=True)
        self.prefix.mkdir(parents=True)
        (self.prefix / "fields").symlink_to(TOP / "conf-examples" / "fields")

        for _ in range(3):
            self.port = free_port()
            (self.prefix / "nginx.conf").write_text(self.conf())

            if self.start():
                break
        else:
            sys.exit("Bail out!  nginx has not started: "
                     + (self.prefix / "start.log").read_text())

        if os.environ.get("TEST_NGINX_USE_HUP"):
            self.process.send_signal(signal.SIGHUP)
            time.sleep(0.5)

    def conf(self):
        load = "".join("load_module %s;\n" % module for module in
                       os.environ.get("TEST_NGINX_LOAD_MODULES", "").split())
        paths = "".join("    %s_temp_path %s_temp;\n" % (name, name)
                        for name in ("client_body", "proxy", "fastcgi",
                                     "uwsgi", "scgi"))
        postpone = os.environ.get("TEST_NGINX_POSTPONE_OUTPUT")

        locations = "".join("""
        location /%s/ {
            %s
            modelguard $arg_profile;
            proxy_pass http://127.0.0.1:%d;
        }
""" % (number, "\n            ".join(entry.fields),
            self.backend.server_address[1])
            for number, entry in TABLE.items())

        return """%serror_log error.log notice;
error_log %s alert;
pid nginx.pid;
daemon off;
worker_processes 1;

events {
}

http {
%s    access_log off;
    %s
%s
    server {
        listen 127.0.0.1:%d;
        proxy_set_header Connection close;
%s    }
}
""" % (load, RUN / "alerts.log", paths,
            "postpone_output %s;" % postpone if postpone else "", CONF,
            self.port, locations)

    def start(self):
        environment = dict(os.environ)
        environment.pop("NGINX", None)

        with open(self.prefix / "start.log", "w") as log:
            self.process = subprocess.Popen(
                [os.environ["TEST_NGINX_BINARY"], "-p", str(self.prefix),
                 "-c", str(self.prefix / "nginx.conf"),
                 "-e", str(self.prefix / "error.log")],
                stdout=log, stderr=log, env=environment)

        for _ in range(200):
            if self.process.poll() is not None:
                return False

            if (self.prefix / "nginx.pid").exists():
                return True

            time.sleep(0.05)

        self.stop()

        return False

    def stop(self):
        self.process.terminate()

        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(10)

    def get(self, number, profile):
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=20)

        try:
            connection.request("GET", "/%s/?profile=%s" % (number, profile))
            response = connection.getresponse()

            return (response.status, response.getheader("Content-Type"),
                    response.read())
        finally:
            connection.close()


def listed(oracle, tree):
    """Pointers of the numbers that the oracle lists for a file."""

    found = set()

    for kind in ("score", "embedding"):
        places = oracle.get(kind, [])

        if isinstance(places, dict):
            for pattern in places["patterns"]:
                pointer = "/" + pattern.replace(".", "/")
                found |= {p for p, _ in expect.pointers(tree)
                          if matches(pointer, p)}
        else:
            found |= set(places)

    return found


def matches(pattern, pointer):
    a, b = pattern.split("/"), pointer.split("/")

    return len(a) == len(b) and all(x in ("*", y) for x, y in zip(a, b))


def named(specs, tree):
    """Pointers of the numbers that the specs treat."""

    found = set()

    for spec in specs:
        kind, pointer = spec[0], spec[2]

        if kind == "place":
            continue

        if kind == "records":
            pointer += "/*" + spec[3]

        elif kind != "lone":
            pointer += "/*"

        found |= {p for p, leaf in expect.pointers(tree)
                  if matches(pointer, p) and isinstance(leaf, expect.Number)}

    return found


def vectors(specs, tree):
    """(numbers with their labels) of every vector: what must stay on top."""

    for spec in specs:
        kind, pointer = spec[0], spec[2]

        for _, _, node in expect.find(tree, pointer):
            if kind == "array":
                yield pointer, [(str(i), n) for i, n in enumerate(node)]

            elif kind == "map":
                yield pointer, list(node.items())

            elif kind == "records":
                key = expect.steps(spec[3])[0]
                yield pointer, [
                    (json.dumps([v for k, v in expect.children(r)
                                 if k != key]), expect.get(r, key))
                    for r in node]

        if kind == "parallel":
            for (_, _, node), (_, _, labels) in zip(
                    expect.find(tree, pointer), expect.find(tree, spec[3])):
                yield pointer, list(zip(labels, node))

        if kind == "tensor":
            row = int(spec[3])

            for _, _, node in expect.find(tree, pointer):
                for i in range(0, len(node), row):
                    yield pointer, [(str(i + j), n) for j, n
                                    in enumerate(node[i:i + row])]


def top_label(vector):
    return vector[expect.rank([number for _, number in vector])[0]][0]


def check_guarded(tap, entry, row, oracle, answers):
    name = entry.file
    raw = entry.body.decode("utf-8")
    tree = expect.parse(raw)
    places = listed(oracle, tree)

    tap.ok(places == named(row.specs, tree),
           "%s: the table names the numbers that the oracle lists" % name,
           sorted(places ^ named(row.specs, tree))[:10])

    for profile, treatments in PROFILES.items():
        status, kind, body = answers[profile]
        title = "%s, %s" % (name, profile)

        if not tap.ok((status, kind) == (entry.status, entry.type),
                      "%s: status and type are the same" % title,
                      "%s %s %s" % (status, kind, body[:300])):
            continue

        try:
            guarded = expect.parse(body.decode("utf-8"))
        except ValueError as error:
            tap.ok(False, "%s: it is JSON" % title, error)
            continue

        expected = expect.Expected(raw, row.specs, treatments)
        wrong = expect.differences(expected.tree, guarded)

        tap.ok(not wrong, "%s: treated as it should be, and all else is as it "
               "was" % title, wrong[:10])

        long = [] if expected.cut else [
            "%s: %s" % (p, n) for p, n in expect.pointers(guarded)
            if p in places and isinstance(n, expect.Number)
            and expect.digits_of(n) > DIGITS[profile]]

        if expected.cut:
            long = [p for p in named(row.specs, guarded)
                    for _, _, n in expect.find(guarded, p)
                    if expect.digits_of(n) > DIGITS[profile]]

        tap.ok(not long, "%s: no number is longer than allowed" % title,
               long[:10])

        before = [top_label(v) for _, v in vectors(row.specs, tree)]
        after = [top_label(v) for _, v in vectors(row.specs, guarded)]

        tap.ok(before == after, "%s: top labels are kept" % title,
               "%s %s" % (before, after))

        check_survivors(tap, title, row, tree, guarded, expected.cut)


def check_survivors(tap, title, row, tree, guarded, cut):
    lost = []

    for pointer in row.survive:
        before = [v for _, _, v in expect.find(tree, pointer)]
        after = [v for _, _, v in expect.find(guarded, pointer)]

        if not before:
            lost.append("%s is not in the raw answer" % pointer)

        elif before != after and not (cut and after
                                      and all(v in before for v in after)):
            lost.append(pointer)

    tap.ok(not lost, "%s: %d things survive" % (title, len(row.survive)),
           lost)


def check_out(tap, entry, row, oracle, answers):
    """Blocked, passed as it is, or (base64 that is dropped) without it."""

    tree = None

    if "base64" in oracle:
        tree = expect.parse(entry.body.decode("utf-8"))

    for profile, (status, _, body) in answers.items():
        title = "%s, %s: out of scope, " % (entry.file, profile)

        if row.answer == "passed":
            tap.ok((status, body) == (entry.status, entry.body),
                   title + "and passed", "%s %s" % (status, body[:200]))

        elif tree is not None and PROFILES[profile]["embedding"] == "drop":
            left = [p for p in oracle["base64"]
                    for _, _, text in expect.find(tree, p)
                    if text.encode() in body]

            tap.ok(status == 200 and not left, title + "and dropped", left)

        else:
            tap.ok(status == 502 and b"response_blocked" in body,
                   title + "and blocked", "%s %s" % (status, body[:200]))


def summary(tap):
    reasons = {}

    for row in TABLE.values():
        if isinstance(row, Out):
            reasons.setdefault((row.reason, row.answer), 0)
            reasons[row.reason, row.answer] += 1

    tap.diag("corpus: %d files, %d in scope, %d out of scope:"
             % (len(TABLE), sum(isinstance(row, Guard)
                                for row in TABLE.values()),
                sum(reasons.values())))

    for (reason, answer), count in sorted(reasons.items()):
        tap.diag("    %2d  %s (%s)" % (count, reason, answer))


def mutants(row, entry, oracle, answers):
    """Damages to a guarded answer, each of which must be noticed."""

    status, kind, body = answers["top"]
    text = body.decode("utf-8")

    damages = [
        (status, kind, body + b"]"),
        (status, kind, text.replace("0.44", "0.435").encode()),
        (status, kind, text.replace("0.44", "0.38").encode()),
        (status, kind, text.replace('"classes": 5', '"classes": 5.0').encode()),
        (status, kind, text.replace('"key": "1"', '"key": "2"').encode()),
        (status, "text/plain", body),
        (200, kind, entry.body),
    ]

    for damage in damages:
        assert damage != answers["top"], damage

        silent = Tap()
        silent.diag = lambda text: None
        stdout, sys.stdout = sys.stdout, open(os.devnull, "w")

        try:
            check_guarded(silent, entry, row, oracle,
                          dict(answers, top=damage))
        except (ArithmeticError, AttributeError, LookupError, TypeError,
                    ValueError):
            silent.failed += 1
        finally:
            sys.stdout.close()
            sys.stdout = stdout

        yield silent.failed > 0, damage


def main():
    tap = Tap()
    files = entries()

    with open(CORPUS / "oracle.json", encoding="utf-8") as oracle:
        oracle = json.load(oracle)

    tap.ok(sorted(files) == sorted(TABLE), "the table has every file",
           sorted(set(files) ^ set(TABLE)))

    backend = Backend(files)
    nginx = Nginx(backend)

    try:
        for number, row in TABLE.items():
            entry = files.get(number)

            if entry is None:
                continue

            answers = {profile: nginx.get(number, profile)
                       for profile in PROFILES}
            listing = oracle.get(entry.file, {})

            if isinstance(row, Out):
                check_out(tap, entry, row, listing, answers)
                continue

            try:
                check_guarded(tap, entry, row, listing, answers)
            except (ArithmeticError, AttributeError, LookupError, TypeError,
                    ValueError):
                tap.ok(False, "%s: its shape is kept" % entry.file,
                       traceback.format_exc())

            if number == "016":
                for noticed, damage in mutants(row, entry, listing, answers):
                    tap.ok(noticed, "a damaged answer is noticed", damage)

    finally:
        code = nginx.stop()
        backend.shutdown()
        backend.server_close()

    tap.ok(code == 0, "nginx ended well", code)
    summary(tap)
    print("1..%d" % tap.n)
    sys.stdout.flush()
    sys.exit(1 if tap.failed else 0)


if __name__ == "__main__":
    main()
