# Copyright (C) the modelguard authors

"""PyPI openai, and budgets of every kind: it waits for a rate, does not wait
for a quota, and pays for streams, also for those that it does not read."""

import time

import openai

from python_checks import *

ASK = dict(model="m", messages=[{"role": "user", "content": "hello?"}])
USAGE = dict(stream=True, stream_options={"include_usage": True})


def client(kind, key=None, retries=3):
    return openai.OpenAI(base_url="%s/%s/v1" % (BUDGETS, kind),
                         api_key=NAME + "_" + (key or kind), timeout=20,
                         max_retries=retries)


def text_of(stream):
    return "".join(chunk.choices[0].delta.content or ""
                   for chunk in stream if chunk.choices)


def left(asker, **options):
    """What the header of an answer says is left of the tokens."""

    answer = asker.chat.completions.with_raw_response.create(**ASK, **options)

    if options:
        text_of(answer.parse())
    else:
        answer.parse()

    return int(answer.headers["x-ratelimit-remaining-tokens"])


def rate():
    asker = client("rate")

    answers = [asker.chat.completions.with_raw_response.create(**ASK)
               for _ in range(3)]

    equal([a.headers["x-ratelimit-limit-requests"] for a in answers],
          ["2"] * 3, "rate: the limit")
    equal([a.headers["x-ratelimit-remaining-requests"] for a in answers[:2]],
          ["1", "0"], "rate: what is left")
    equal(answers[2].retries_taken, 1,
          "rate: the third answer takes one retry")
    equal(answers[2].parse().choices[0].message.content, "Hello!",
          "rate: and is an answer")

    asker = client("rate", "stream")

    equal([text_of(asker.chat.completions.create(stream=True, **ASK))
           for _ in range(3)], ["Hello!"] * 3,
          "rate: the third stream waits like that")


def month():
    asker = client("month")
    asker.chat.completions.create(**ASK)

    for options in ({}, {"stream": True}):
        start = time.monotonic()
        error = raises(openai.RateLimitError,
                       lambda: asker.chat.completions.create(**ASK, **options),
                       "month: a quota is a RateLimitError")

        ok(time.monotonic() - start < 5, "month: at once")

        if error is not None:
            refused(error, "month")
            ok(int(error.response.headers["retry-after"]) >= 1,
               "month: when it is over is told", error.response.headers)


def refused(error, kind):
    equal(error.code, "insufficient_quota", kind + ": with its code")
    equal(error.type, "insufficient_quota", kind + ": and type")
    ok('"%s"' % kind in error.message, kind + ": which quota is told",
       error.message)
    equal(error.response.headers.get("x-should-retry"), "false",
          kind + ": the client is told not to try again")


def tokens():
    """100 for a life, of which 50 are reserved and 8 used each time: seven
    fit, then 56 are spent."""

    asker = client("tokens")

    equal([left(asker), left(asker, **USAGE), left(asker),
           left(asker, **USAGE)], [50, 42, 34, 26],
          "tokens: answers and streams are charged what they have used")
    equal([left(asker), left(asker), left(asker)], [18, 10, 2],
          "tokens: till nothing is left to reserve")

    for options in ({}, USAGE):
        error = raises(openai.RateLimitError,
                       lambda: asker.chat.completions.create(**ASK, **options),
                       "tokens: then it is a RateLimitError")

        if error is not None:
            refused(error, "tokens")
            ok("retry-after" not in error.response.headers,
               "tokens: a life has no second", error.response.headers)


def abort():
    """2000 for a life: what is left after each of these, less the 400 that
    asking has reserved, more than the bytes would be taken for."""

    asker = client("abort")

    equal(left(asker), 1600, "abort: nothing was spent")
    equal(left(asker, **USAGE), 1592, "abort: 8 by an answer")

    gate = NAME + "-abort"

    with asker.chat.completions.create(
            **{**ASK, "model": "gate-" + gate}, **USAGE) as stream:
        for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                break

    ok(waiting(gate), "abort: the client left before the stream had ended")
    time.sleep(1)

    spent = left(asker)

    ok(spent <= 1592 - 8 - 400, "abort: what was reserved is spent", spent)

    # no usage, and not aborted: by the bytes that the server has sent,
    # dropped ones too, and neither nothing nor the 400 of the reservation

    before = left(asker)
    text_of(asker.chat.completions.create(stream=True, **ASK))
    spent = before - 8 - left(asker)

    ok(400 < spent < 420, "abort: a stream that tells no usage is charged",
       spent)


def all():
    for check in (rate, month, tokens, abort):
        check()


main([], all)
