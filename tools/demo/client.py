#!/usr/bin/env python3

# Copyright (C) the modelguard authors

"""Asks the model server and the nginx in front of it the same questions,
prints both answers side by side, then spends a client's budget.  Every step
is checked; the exit status is 1 when a check does not hold.

    client.py --raw URL --guarded URL [--limit ITEMS]

The URLs are those of the model, as http://127.0.0.1:8501/v1/models/digits."""

import sys

sys.dont_write_bytecode = True

import argparse
import http.client
import json
import os
import random
import signal
import urllib.parse

import answers
import glyphs

DEADLINE = 10               # seconds for everything
BATCH = 6
WINDOW = 60                 # seconds of the budget in nginx.conf


class Stop(Exception):
    """Going on makes no sense; the sentence says why."""


class Report:
    def __init__(self):
        self.checks = 0
        self.failed = []

    def check(self, holds, claim):
        self.checks += 1

        if not holds:
            self.failed.append(claim)

        print("  %-5s  %s" % ("ok" if holds else "WRONG", claim))

        return holds

    def check_all(self, checks):
        for holds, claim in checks:
            self.check(holds, claim)


class Answer:
    def __init__(self, response, body):
        self.status = response.status
        self.reason = response.reason
        self.headers = response.getheaders()
        self.body = body

    def header(self, name):
        """The only header of that name, or None."""

        values = [v for n, v in self.headers if n.lower() == name.lower()]

        return values[0] if len(values) == 1 else None

    def text(self):
        return self.body.decode("utf-8", "replace")


def ask(url, path="", instances=None, key=None):
    """One request on a connection of its own, so that any worker may get
    it."""

    parts = urllib.parse.urlsplit(url)
    headers = {"Content-Type": "application/json"}
    body = None

    if key is not None:
        headers["X-API-Key"] = key

    if instances is not None:
        body = json.dumps({"instances": instances})

    connection = http.client.HTTPConnection(parts.hostname, parts.port,
                                            timeout=5)

    try:
        connection.request("GET" if body is None else "POST",
                           parts.path + path, body, headers)
        response = connection.getresponse()

        return Answer(response, response.read())

    except (OSError, http.client.HTTPException) as error:
        raise Stop("%s%s did not answer: %s: %s"
                   % (url, path, type(error).__name__, error)) from None

    finally:
        connection.close()


def predict(url, instances, key=None):
    return ask(url, ":predict", instances, key)


def raw_predictions(url, instances):
    answer = predict(url, instances)

    if answer.status != 200:
        raise Stop("the model server answered %d: %s"
                   % (answer.status, answer.text()))

    return json.loads(answer.text())["predictions"]


def close_call(url, first=3, second=8):
    """A picture between two digits that is barely the second one, so that
    both scores round to the same two decimals.  Found by halving, as anyone
    who sees exact scores can."""

    start, goal = glyphs.clean(first), glyphs.clean(second)
    low, high = 0.0, 1.0

    for _ in range(30):
        middle = (low + high) / 2
        picture = glyphs.blend(start, goal, middle)
        row = raw_predictions(url, [picture])[0]
        scores = row["probabilities"]

        if row["classes"] != str(second):
            low = middle
            continue

        high = middle

        if scores[second] - scores[first] < 0.002 \
           and round(scores[second], 2) == round(scores[first], 2):
            return picture

    raise Stop("no picture was found between a %d and an %d"
               % (first, second))


def show_prediction(raw, guarded, number, picture, title):
    print("\n%s\n" % title)

    for line in glyphs.drawing(picture):
        print("      |%s|" % line)

    print()

    for line in answers.table(raw, guarded, number):
        print(line)


def rows_seen(url):
    """How many pictures the model has looked at so far."""

    parts = urllib.parse.urlsplit(url)
    answer = ask("http://%s" % parts.netloc, "/monitoring/rows")

    if answer.status != 200:
        raise Stop("the model server does not say how many rows it has seen")

    return int(answer.text())


def compare_answers(raw_url, guarded_url, report, tag):
    pictures = [glyphs.spoiled(9, random.Random(8)), glyphs.clean(7, 1),
                close_call(raw_url)]
    key = "reader-" + tag

    raw = predict(raw_url, pictures)
    guarded = predict(guarded_url, pictures, key)

    if guarded.status != 200:
        raise Stop("nginx answered %d: %s"
                   % (guarded.status, guarded.text()[:300]))

    try:
        show_prediction(raw.text(), guarded.text(), 0, pictures[0],
                        "A nine from a bad scanner:")
        show_prediction(raw.text(), guarded.text(), 2, pictures[2],
                        "A close call, eight or three: rounding alone would "
                        "have moved the top score.")
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Stop("the guarded answer is not of the model's shape: %s"
                   % error) from None

    print("\nThe guarded answer (%d bytes instead of %d):\n"
          % (len(guarded.body), len(raw.body)))

    report.check(guarded.header("Content-Type") == raw.header("Content-Type"),
                 "the content type is the same")
    report.check_all(answers.compare(raw.text(), guarded.text()))

    raw = predict(raw_url, [pictures[1][:-1]])
    guarded = predict(guarded_url, [pictures[1][:-1]], key)

    report.check(raw.status == guarded.status == 400
                 and raw.body == guarded.body,
                 "an error of the model (400) comes through as it is")

    report.check(ask(guarded_url, "", None, key).status == 200,
                 "a question about the model's state is answered")


def openai_error(text):
    """Whether a text is an error in the shape of OpenAI's API."""

    try:
        document = json.loads(text)
        error = document["error"]

        return set(document) == {"error"} \
            and set(error) == {"message", "type", "param", "code"} \
            and isinstance(error["message"], str) and error["message"] != "" \
            and isinstance(error["type"], str)

    except (ValueError, KeyError, TypeError):
        return False


def show_answer(answer):
    print("         | HTTP/1.1 %d %s" % (answer.status, answer.reason))

    for name, value in answer.headers:
        print("         | %s: %s" % (name, value))

    print("         |")

    for line in answer.text().splitlines():
        print("         | %s" % line)


def check_refusal(answer, report):
    retry = answer.header("Retry-After") or ""

    report.check(answer.status == 429, "its status is 429")
    report.check(retry.isdigit() and 1 <= int(retry) <= 2 * WINDOW,
                 "Retry-After is a number of seconds within two windows")
    report.check((answer.header("Content-Type") or "")
                 .startswith("application/json"), "it is JSON")
    report.check(openai_error(answer.text()),
                 "its body is an error in the provider's shape")


def spend_budget(raw_url, guarded_url, report, limit, tag):
    """The budget is counted in pictures, not in requests: batches until one
    does not fit, then a batch that fits to the last picture, then one
    picture too many."""

    rng = random.Random(4)
    key = "copier-" + tag
    full = limit // BATCH
    sizes = [BATCH] * (full + 1) + [limit - full * BATCH, 1]
    wanted = [200] * full + [429, 200, 429]
    refusal = None

    # a batch of nothing is no request
    plan = [p for p in zip(sizes, wanted) if p[0] > 0]
    before = rows_seen(raw_url)
    passed = 0

    print("\nA client with %d pictures a minute, in batches of up to %d:\n"
          % (limit, BATCH))

    for size, status in plan:
        batch = [glyphs.spoiled(i % 10, rng) for i in range(size)]
        answer = predict(guarded_url, batch, key)

        if answer.status == 200:
            passed += size

        report.check(answer.status == status,
                     "%s asks about %d more: %d (%d so far)"
                     % (key, size, answer.status, passed))

        if answer.status != 200 and refusal is None:
            refusal = answer
            show_answer(answer)
            check_refusal(answer, report)

    report.check(rows_seen(raw_url) - before == limit,
                 "the model has looked at exactly %d of its pictures" % limit)

    other = predict(guarded_url, [glyphs.clean(5)], "friend-" + tag)
    report.check(other.status == 200,
                 "another client, friend-%s, is served: %d"
                 % (tag, other.status))


def run(options, report):
    answer = ask(options.raw)

    if answer.status != 200 or b"AVAILABLE" not in answer.body:
        raise Stop("%s is no model: %d %s"
                   % (options.raw, answer.status, answer.text()[:300]))

    compare_answers(options.raw, options.guarded, report, str(os.getpid()))
    spend_budget(options.raw, options.guarded, report, options.limit,
                 str(os.getpid()))


def finish(report, reason):
    """The exit status, after a last sentence."""

    if reason is None and not report.failed:
        print("\nclient: all %d checks hold" % report.checks)
        return 0

    claims = ["it does not hold that " + claim for claim in report.failed]
    first, *rest = claims if reason is None else [reason] + claims
    reason = first

    if rest:
        reason += " (and %d more)" % len(rest)

    sys.stdout.flush()
    sys.stderr.write("\nclient: FAILED: %s\n" % reason)

    return 1


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description="compare a model server with the nginx in front of it")
    parser.add_argument("--raw", required=True, metavar="URL")
    parser.add_argument("--guarded", required=True, metavar="URL")
    parser.add_argument("--limit", type=int, default=20, metavar="ITEMS")
    options = parser.parse_args(arguments)

    report = Report()
    reason = None

    def late(number, frame):
        raise Stop("the demo took more than %d seconds" % DEADLINE)

    signal.signal(signal.SIGALRM, late)
    signal.alarm(DEADLINE)

    try:
        run(options, report)
    except Stop as stop:
        reason = str(stop)
    finally:
        signal.alarm(0)

    return finish(report, reason)


if __name__ == "__main__":
    sys.exit(main())
