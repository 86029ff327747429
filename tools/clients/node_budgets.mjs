// Copyright (C) the modelguard authors
//
// npm openai, and budgets of every kind: as python_budgets.py.

import OpenAI from "openai";

import { BUDGETS, CHAT, NAME, equal, last, ok, raises, waiting }
    from "./node_checks.mjs";

const ASK = { model: "m", messages: CHAT };
const USAGE = { stream: true, stream_options: { include_usage: true } };


function client(kind, key = kind) {
    return new OpenAI({ baseURL: `${BUDGETS}/${kind}/v1`, timeout: 20000,
                        apiKey: `${NAME}_${key}`, maxRetries: 3 });
}


function ask(asker, options = {}) {
    return asker.chat.completions.create({ ...ASK, ...options });
}


async function textOf(stream) {
    let text = "";

    for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? "";
    }

    return text;
}


// what the header of an answer says is left of the tokens

async function left(asker, options = {}) {
    const { data, response } = await ask(asker, options).withResponse();

    if (options.stream) {
        await textOf(data);
    }

    return Number(response.headers.get("x-ratelimit-remaining-tokens"));
}


async function rate() {
    const seen = [];
    let asker = client("rate");

    for (let i = 0; i < 3; i++) {
        const { data, response } = await ask(asker).withResponse();

        seen.push([response.headers.get("x-ratelimit-remaining-requests"),
                   data.choices[0].message.content]);
    }

    equal(seen.slice(0, 2), [["1", "Hello!"], ["0", "Hello!"]],
          "rate: what is left");
    equal(seen[2][1], "Hello!", "rate: the third answer comes");

    asker = client("rate", "stream");
    seen.length = 0;

    for (let i = 0; i < 3; i++) {
        seen.push(await textOf(await ask(asker, { stream: true })));
    }

    equal(seen, ["Hello!", "Hello!", "Hello!"],
          "rate: the third stream waits like that");
}


function refused(error, kind) {
    equal(error?.code, "insufficient_quota", `${kind}: with its code`);
    equal(error?.type, "insufficient_quota", `${kind}: and type`);
    ok(error?.message.includes(`"${kind}"`), `${kind}: which quota is told`,
       error?.message);
    equal(error?.headers.get("x-should-retry"), "false",
          `${kind}: the client is told not to try again`);
}


async function month() {
    const asker = client("month");

    await ask(asker);

    for (const options of [{}, { stream: true }]) {
        const start = Date.now();
        const error = await raises(OpenAI.RateLimitError,
            () => ask(asker, options), "month: a quota is a RateLimitError");

        ok(Date.now() - start < 5000, "month: at once");
        refused(error, "month");
        ok(Number(error?.headers.get("retry-after")) >= 1,
           "month: when it is over is told");
    }
}


// 100 for a life, of which 50 are reserved and 8 used each time

async function tokens() {
    const asker = client("tokens");
    const seen = [];

    for (const options of [{}, USAGE, {}, USAGE, {}, {}, {}]) {
        seen.push(await left(asker, options));
    }

    equal(seen, [50, 42, 34, 26, 18, 10, 2],
          "tokens: answers and streams are charged what they have used");

    for (const options of [{}, USAGE]) {
        const error = await raises(OpenAI.RateLimitError,
            () => ask(asker, options), "tokens: then it is a RateLimitError");

        refused(error, "tokens");
        equal(error?.headers.get("retry-after"), null,
              "tokens: a life has no second");
    }
}


// 2000 for a life: what is left, less the 400 that asking has reserved

async function abort() {
    const asker = client("abort");
    const gate = `${NAME}-abort`;

    equal(await left(asker), 1600, "abort: nothing was spent");
    equal(await left(asker, USAGE), 1592, "abort: 8 by an answer");

    // leaving the loop closes the connection

    for await (const chunk of await ask(asker, { ...USAGE,
                                                 model: `gate-${gate}` })) {
        if (chunk.choices[0]?.delta.content) {
            break;
        }
    }

    ok(await waiting(gate),
       "abort: the client left before the stream had ended");

    await new Promise((resolve) => setTimeout(resolve, 1000));

    const after = await left(asker);

    ok(after <= 1592 - 8 - 400, "abort: what was reserved is spent", after);

    // no usage, and not aborted: by the bytes that the server has sent,
    // dropped ones too, and neither nothing nor the 400 of the reservation

    const before = await left(asker);

    await textOf(await ask(asker, { stream: true }));

    const spent = before - 8 - await left(asker);

    ok(spent > 400 && spent < 420,
       "abort: a stream that tells no usage is charged", spent);
}


await last(async () => {
    await rate();
    await month();
    await tokens();
    await abort();
});
