# Copyright (C) the modelguard authors

"""PyPI openai."""

import openai

from python_checks import *

ASK = dict(messages=[{"role": "user", "content": "hello?"}])


def client(base, key="key", path="/v1", retries=0):
    return openai.OpenAI(base_url=base + path, api_key=key, timeout=20,
                         max_retries=retries)


def whole(mode, base):
    guarded = client(base)

    answer = guarded.chat.completions.create(
        model="m", logprobs=True, top_logprobs=1, **ASK)

    equal(answer.choices[0].message.content, "Hello!", mode + "chat: the text")
    ok(answer.choices[0].logprobs is None, mode + "chat: no logprobs", answer)
    ok(answer.system_fingerprint is None, mode + "chat: no fingerprint")
    equal(answer.usage.total_tokens, 8, mode + "chat: the usage is kept")

    answer = client(base, path="/rounded/v1").chat.completions.create(
        model="m", logprobs=True, **ASK)

    equal([t.logprob for t in answer.choices[0].logprobs.content],
          [-0.1, -1.2, 0], mode + "chat: logprobs are rounded")

    # without encoding_format the client asks for base64 and decodes it

    answer = guarded.embeddings.create(model="m", input="hello?")

    equal([round(v, 6) for v in answer.data[0].embedding],
          [0.123, -0.988, 0.5, 0], mode + "embedding: base64 is rounded")

    answer = guarded.embeddings.create(model="m", input="hello?",
                                       encoding_format="float")

    equal(answer.data[0].embedding, [0.123, -0.988, 0.5, 0],
          mode + "embedding: numbers are rounded")

    answer = guarded.moderations.create(model="m", input="hello?")

    equal(answer.results[0].category_scores.violence, 0.99,
          mode + "moderation: the score is rounded")
    ok(answer.results[0].categories.violence, mode + "moderation: the label")

    answer = guarded.completions.create(model="m", prompt="a", logprobs=1)

    equal(answer.choices[0].text, "Hello!", mode + "completion: the text")
    ok(answer.choices[0].logprobs is None, mode + "completion: no logprobs")


def stream(mode, base):
    guarded = client(base)
    gate = NAME + "-" + mode.split(":")[0]
    text, logprobs, first = "", [], True

    for chunk in guarded.chat.completions.create(
            model="gate-" + gate, stream=True, logprobs=True, **ASK):

        text += chunk.choices[0].delta.content or ""
        logprobs.append(chunk.choices[0].logprobs)

        if text and first:
            first = False
            equal(text, "Hel", mode + "stream: the first token comes alone")
            ok(waiting(gate),
               mode + "stream: and before the server has sent the next")

    equal(text, "Hello!", mode + "stream: all tokens")
    ok(not any(logprobs), mode + "stream: no logprobs", logprobs)

    logprobs = []

    for chunk in client(base, path="/rounded/v1").chat.completions.create(
            model="m", stream=True, logprobs=True, **ASK):

        if chunk.choices[0].logprobs:
            logprobs.append(chunk.choices[0].logprobs.content[0].logprob)

    equal(logprobs, [-0.1, -1.2, 0], mode + "stream: logprobs are rounded")

    seen = []

    def broken():
        for chunk in guarded.chat.completions.create(
                model="broken", stream=True, **ASK):
            seen.append(chunk.choices[0].delta.content)

    raises(openai.APIError, broken,
           mode + "stream: an unreadable frame is an APIError")
    equal("".join(seen), "Hel", mode + "stream: after what came before it")


def failing(mode, base):
    error = raises(openai.InternalServerError,
                   lambda: client(base).chat.completions.create(
                       model="failing", **ASK),
                   mode + "a 500 of the model is an InternalServerError")

    if error is not None:
        equal(error.status_code, 500, mode + "with its status")
        equal(error.code, "model_failed", mode + "in the uniform shape")
        ok(not digits(error.body), mode + "and without the model's numbers",
           error.body)


def limited():
    """The second answer comes after Retry-After, which the access log has;
    the client waits by itself."""

    guarded = client(LIMITED, key=NAME, retries=2)

    for _ in range(2):
        answer = guarded.chat.completions.create(model="m", **ASK)

    equal(answer.choices[0].message.content, "Hello!",
          "over the budget: the second attempt succeeds")

    patient = client(LIMITED, key="impatient")
    patient.chat.completions.create(model="m", **ASK)

    error = raises(openai.RateLimitError,
                   lambda: patient.chat.completions.create(model="m", **ASK),
                   "over the budget: without retries a RateLimitError")

    if error is not None:
        equal(error.code, "budget_exhausted", "with the module's code")


main([whole, stream, failing], limited)
