#!/usr/bin/env python3

# Copyright (C) the modelguard authors

"""Proves that the demo's checks fail when they should: a stand-in for the
guard, which is right or wrong in one chosen way, is put where nginx would
be.  Also tests the model and its server."""

import sys

sys.dont_write_bytecode = True

import contextlib
import decimal
import http.client
import http.server
import io
import json
import random
import re
import threading
import unittest

import answers
import client
import glyphs
import model
import server
import train

SCORES = re.compile(r'("probabilities": )\[([^]]*)\]')
LOGITS = re.compile(r',\n *"logits": \[[^]]*\]')
VERSION = re.compile(r',\n *"model_version": "3"')


def plain(value):
    text = "{:f}".format(value)

    return text.rstrip("0").rstrip(".") if "." in text else text


def guard_scores(match, top=3, keep_label=True):
    """What the module does to a vector: an own way to the same result."""

    raw = [decimal.Decimal(s) for s in match.group(2).split(", ")]
    floor = sorted(raw)[-top]
    label = raw.index(max(raw))
    cents = [(v * 100).to_integral_value() if v >= floor else 0 for v in raw]

    if keep_label:
        for i in range(len(cents)):
            if i < label and cents[i] == cents[label]:
                cents[i] -= 1

    return "%s[%s]" % (match.group(1),
                       ", ".join(plain(decimal.Decimal(c) / 100)
                                 for c in cents))


def guard(text, scores=guard_scores):
    return VERSION.sub("", LOGITS.sub("", SCORES.sub(scores, text)))


def on_scores(change):
    """The guard, then a change of the first prediction's scores."""

    def edit(text):
        def replace(match):
            return "%s[%s]" % (match.group(1), ", ".join(
                change(match.group(2).split(", "))))

        return SCORES.sub(replace, guard(text), count=1)

    return edit


def swap(a, b):
    def change(values):
        values[a], values[b] = values[b], values[a]

        return values

    return on_scores(change)


def put(index, value):
    return on_scores(lambda v: v[:index] + [value] + v[index + 1:])


# the wrong guards, and a part of the claim that must not hold

WRONG_ANSWERS = {
    "the raw answer": (lambda t: t, "decimals"),
    "scores as they were": (lambda t: guard(t, lambda m: m.group(0)),
                            "decimals"),
    "a third decimal": (put(9, "0.848"), "decimals"),
    "an exponent": (put(9, "85e-2"), "decimals"),
    "scores in strings": (put(9, '"0.85"'), "decimals"),
    "the fourth score": (lambda t: guard(t, lambda m: guard_scores(m, 4)),
                         "not zero"),
    "no guard of the top": (lambda t: guard(t, lambda m: guard_scores(
        m, 3, False)), "that of the label"),
    "the top moved": (swap(8, 9), "that of the label"),
    "two small ones swapped": (swap(3, 4), "rounded"),
    "a cent too much": (put(8, "0.11"), "rounded"),
    "rounded down": (put(9, "0.84"), "rounded"),
    "a negative zero's cousin": (put(0, "-0.01"), "rounded"),
    "one score fewer": (on_scores(lambda v: v[:-1]), "rounded"),
    "one score more": (on_scores(lambda v: v + ["0"]), "rounded"),
    "no scores": (on_scores(lambda v: []), "rounded"),
    "only zeros": (on_scores(lambda v: ["0"] * 10), "that of the label"),
    "another label": (lambda t: guard(t).replace('"9"', '"8"', 1), "labels"),
    "no label": (lambda t: re.sub(r'"classes": "9",\s*', "", guard(t), 1),
                 "labels"),
    "logits of one row": (lambda t: VERSION.sub("", LOGITS.sub(
        "", SCORES.sub(guard_scores, t), count=2)), "logits"),
    "logits null": (lambda t: guard(t).replace(
        '"ink"', '"logits": null, "ink"', 1), "logits"),
    "the version": (lambda t: LOGITS.sub("", SCORES.sub(guard_scores, t)),
                    "model_version"),
    "the version null": (lambda t: guard(t)[:-2]
                         + ', "model_version": null}\n', "model_version"),
    "one row fewer": (lambda t: re.sub(
        r",\s*\{[^}]*\}(\s*\])", r"\1", guard(t)), "as many predictions"),
    "ink by a digit": (lambda t: guard(t).replace("0.288218", "0.288219", 1),
                       "byte for byte"),
    "ink as a double": (lambda t: guard(t).replace(
        "0.28821875000000002", "0.28821875", 1), "byte for byte"),
    "a space": (lambda t: guard(t).replace('": "7"', '":  "7"', 1),
                "byte for byte"),
    "a new line less": (lambda t: guard(t)[:-1], "byte for byte"),
    "a member more": (lambda t: guard(t).replace('"ink"', '"x": 1, "ink"', 1),
                      "byte for byte"),
    "an escape undone": (lambda t: guard(t).replace(
        '"ink"', '"\\u0069nk"', 1), "byte for byte"),
    "a comma left": (lambda t: guard(t).replace("\n    ]\n", "\n    ],\n"),
                     "is JSON"),
    "cut short": (lambda t: guard(t)[:-20], "is JSON"),
    "twice": (lambda t: guard(t) * 2, "is JSON"),
    "a key twice": (lambda t: guard(t).replace(
        '"ink"', '"ink": 1, "ink"', 1), "is JSON"),
    "not a number": (put(9, "NaN"), "is JSON"),
    "nothing": (lambda t: "", "is JSON"),
    "an array": (lambda t: "[]", "is JSON"),
}


def pictures():
    # between a three and an eight; closer than a hundredth
    close = glyphs.blend(glyphs.clean(3), glyphs.clean(8), 0.53857421875)

    return [glyphs.spoiled(9, random.Random(8)), glyphs.clean(7, 1), close]


def raw_answer():
    body = json.dumps({"instances": pictures()}).encode("ascii")

    return server.predict(model.load(), server.Counter(), body)


class CompareTest(unittest.TestCase):
    def failed(self, raw, guarded):
        return [claim for holds, claim in answers.compare(raw, guarded)
                if not holds]

    def test_right_answer(self):
        raw = raw_answer()

        self.assertEqual(self.failed(raw, guard(raw)), [])

    def test_white_space_where_members_were(self):
        raw = raw_answer()
        guarded = guard(raw).replace(',\n            "ink"', ', "ink"')

        self.assertEqual(self.failed(raw, guarded), [])

    def test_wrong_answers(self):
        raw = raw_answer()

        for name, (wrong, part) in WRONG_ANSWERS.items():
            with self.subTest(name):
                failed = self.failed(raw, wrong(raw))

                self.assertTrue(any(part in claim for claim in failed),
                                "%s: %s" % (name, failed))

    def test_table(self):
        raw = raw_answer()
        lines = answers.table(raw, guard(raw), 0)

        self.assertEqual(sum(line.endswith(" gone") for line in lines), 2)
        self.assertEqual(sum(line.endswith("*") for line in lines), 10)
        self.assertTrue(any("0.85" in line for line in lines))


class Guard(http.server.BaseHTTPRequestHandler):
    """Stands where nginx would be; "mode" is how it goes wrong."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def forward(self, method, body):
        connection = http.client.HTTPConnection("127.0.0.1",
                                                self.server.model_port)

        try:
            connection.request(method, self.path, body)
            response = connection.getresponse()

            return response.status, response.read()
        finally:
            connection.close()

    def reply(self, status, body, headers=()):
        self.send_response(status)

        for name, value in headers:
            self.send_header(name, value)

        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, mode):
        error = {"message": "the budget is spent", "type": "requests",
                 "param": None, "code": "rate_limit_exceeded"}
        headers = {"Content-Type": "application/json", "Retry-After": "57"}

        if mode == "no code":
            del error["code"]

        if mode == "no message":
            error["message"] = ""

        if mode == "no retry":
            del headers["Retry-After"]

        if mode in ("0", "soon", "121"):
            headers["Retry-After"] = mode

        if mode == "html":
            headers["Content-Type"] = "text/html"

        text = json.dumps({"error": error})

        if mode == "text":
            text = "429 Too Many Requests"

        self.reply(503 if mode == "503" else 429, text.encode("ascii"),
                   headers.items())

    def admit(self, items):
        """Charges a client, and says whether it may pass."""

        mode = self.server.mode
        key = self.headers["X-API-Key"]
        key = key.replace("friend", "copier") if mode == "one purse" else key
        cost = 1 if mode == "requests" else items
        limit = {"19": 19, "21": 21}.get(mode, 20)
        spent = self.server.spent.get(key, 0)
        passes = mode == "endless" or spent + cost <= limit

        if passes or mode == "charged in vain":
            self.server.spent[key] = spent + cost

        return passes

    def do_GET(self):
        if self.server.mode == "no state":
            self.refuse("text")
            return

        status, body = self.forward("GET", None)
        self.reply(status, body, [("Content-Type", "application/json")])

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        mode = self.server.mode

        if not self.admit(len(json.loads(body.decode())["instances"])):
            if mode == "asked anyway":
                self.forward("POST", body)

            self.refuse(mode)
            return

        status, body = self.forward("POST", body)

        if status == 200:
            edit = WRONG_ANSWERS[mode][0] if mode in WRONG_ANSWERS else guard
            body = edit(body.decode()).encode()

        if mode == "errors eaten" and status == 400:
            body = b"{}"

        self.reply(status, body, [("Content-Type", "text/plain"
                                   if mode == "type" else
                                   "application/json")])

    def log_message(self, format, *args):
        pass


@contextlib.contextmanager
def serving(that):
    thread = threading.Thread(target=that.serve_forever, args=(0.02,))
    thread.start()

    try:
        yield that
    finally:
        that.shutdown()
        thread.join()
        that.server_close()


class ClientTest(unittest.TestCase):
    """The client from end to end, against right and wrong guards."""

    def run_client(self, mode):
        front = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Guard)
        front.daemon_threads = True
        front.mode = mode
        front.spent = {}

        out, err = io.StringIO(), io.StringIO()

        with serving(server.Server(0)) as back, serving(front), \
                contextlib.redirect_stdout(out), \
                contextlib.redirect_stderr(err):
            front.model_port = back.server_port
            status = client.main([
                "--raw", "http://127.0.0.1:%d/v1/models/digits"
                % back.server_port,
                "--guarded", "http://127.0.0.1:%d/v1/models/digits"
                % front.server_port])

        return status, out.getvalue(), err.getvalue()

    def test_right_guard(self):
        status, out, err = self.run_client("right")

        self.assertEqual((status, err), (0, ""), out)
        self.assertIn("checks hold", out)
        self.assertNotIn("WRONG", out)

    def test_wrong_guards(self):
        wrong = {
            "the raw answer": "decimals",
            "no guard of the top": "that of the label",
            "cut short": "not of the model's shape",
            "nothing": "not of the model's shape",
            "type": "content type",
            "no state": "model's state",
            "errors eaten": "an error of the model",
            "endless": "asks about 6 more: 200",
            "requests": "asks about 6 more: 200",
            "charged in vain": "asks about 2 more: 429",
            "asked anyway": "has looked at exactly 20",
            "19": "asks about 2 more: 429",
            "21": "asks about 1 more: 200",
            "one purse": "another client",
            "503": "its status is 429",
            "no retry": "Retry-After",
            "0": "Retry-After",
            "121": "Retry-After",
            "soon": "Retry-After",
            "html": "it is JSON",
            "text": "provider's shape",
            "no code": "provider's shape",
            "no message": "provider's shape",
        }

        for mode, part in wrong.items():
            with self.subTest(mode):
                status, out, err = self.run_client(mode)
                claims = [line for line in out.splitlines()
                          if "WRONG" in line] + [err]

                self.assertEqual(status, 1, mode)
                self.assertIn("client: FAILED: ", err)
                self.assertTrue(any(part in claim for claim in claims),
                                "%s: %s" % (mode, claims))

    def test_nobody_there(self):
        err = io.StringIO()

        with contextlib.redirect_stderr(err):
            status = client.main(["--raw", "http://127.0.0.1:1/v1/models/x",
                                  "--guarded", "http://127.0.0.1:1/"])

        self.assertEqual(status, 1)
        self.assertIn("did not answer", err.getvalue())


class ModelTest(unittest.TestCase):
    def test_accuracy_is_the_recorded_one(self):
        net = model.load()

        self.assertEqual(net["accuracy"],
                         model.accuracy(net, train.held_out()))
        self.assertEqual(net["held_out"], train.HELD_OUT)
        self.assertGreater(net["accuracy"], 0.9)

    def test_softmax(self):
        values = model.softmax([1000.0, 1000.0, -1000.0])

        self.assertEqual(values, [0.5, 0.5, 0.0])
        self.assertEqual(model.argmax([1, 3, 3]), 1)


class ServerTest(unittest.TestCase):
    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)

        that = self.stack.enter_context(serving(server.Server(0)))
        self.connection = http.client.HTTPConnection(
            "127.0.0.1", that.server_port, timeout=5)
        self.stack.callback(self.connection.close)

    def ask(self, method, path, body=None):
        self.connection.request(method, path, body)
        response = self.connection.getresponse()
        text = response.read().decode()

        self.assertEqual(int(response.getheader("Content-Length")),
                         len(text) if method != "HEAD" else
                         int(response.getheader("Content-Length")))

        return response.status, text

    def test_predict_keeps_the_connection(self):
        body = json.dumps({"instances": [glyphs.clean(d) for d in range(10)]})

        for path in (":predict", "/versions/3:predict"):
            status, text = self.ask("POST", "/v1/models/digits" + path, body)
            document = json.loads(text)
            kept = self.connection.sock

            self.assertEqual(status, 200)
            self.assertIsNotNone(kept)
            self.assertEqual([p["classes"] for p in document["predictions"]],
                             list("0123456789"))
            self.assertEqual(document["model_version"], "3")

            for row in document["predictions"]:
                self.assertEqual(len(row["logits"]), 10)
                self.assertAlmostEqual(sum(row["probabilities"]), 1.0)

    def test_state(self):
        status, text = self.ask("GET", "/v1/models/digits")
        state = json.loads(text)["model_version_status"][0]

        self.assertEqual((status, state["state"]), (200, "AVAILABLE"))

        status, text = self.ask("GET", "/v1/models/digits/metadata")

        self.assertEqual(json.loads(text)["model_spec"]["version"], "3")
        self.assertEqual(self.ask("HEAD", "/v1/models/digits"), (200, ""))

    def test_errors(self):
        path = "/v1/models/digits:predict"
        good = [0.0] * 64

        for body in ("", "{", "[]", "{}", '{"instances": []}',
                     '{"instances": 1}', '{"instances": [1]}', "[" * 100000,
                     json.dumps({"instances": [good[:-1]]}),
                     json.dumps({"instances": [good + [0]]}),
                     json.dumps({"instances": [good, ["a"] * 64]}),
                     json.dumps({"instances": [[True] * 64]}),
                     json.dumps({"instances": [[1e7] * 64]}),
                     json.dumps({"instances": [[float("nan")] * 64]}),
                     b'{"instances": "\xff"}'):
            status, text = self.ask("POST", path, body)

            self.assertEqual(status, 400, body[:60])
            self.assertEqual(list(json.loads(text)), ["error"])

        self.assertEqual(self.ask("GET", "/v1/models/other")[0], 404)
        self.assertEqual(self.ask("GET", "/elsewhere")[0], 400)

        status, text = self.ask("POST", path, json.dumps(
            {"instances": [good]}))
        self.assertEqual(status, 200)


if __name__ == "__main__":
    unittest.main()
