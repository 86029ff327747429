// Copyright (C) the modelguard authors
//
// npm ollama.

import { Ollama } from "ollama";

import { CHAT, LIMITED, NAME, digits, equal, gated, last, main, ok, raises,
         rounded, uniform } from "./node_checks.mjs";


function client(base, key = "key") {
    return new Ollama({ host: base, headers: { Authorization: key } });
}


async function whole(mode, base) {
    const guarded = client(base);

    let answer = await guarded.chat({ model: "m", messages: CHAT,
                                      logprobs: true });

    equal(answer.message.content, "Hello!", `${mode}chat: the text`);
    ok(!answer.logprobs, `${mode}chat: no logprobs`, JSON.stringify(answer));
    equal(answer.eval_count, 3, `${mode}chat: the usage is kept`);

    answer = await guarded.embed({ model: "m", input: "a" });

    equal(answer.embeddings, [[0.123, -0.988, 0.5, 0]],
          `${mode}embedding: rounded`);
}


async function stream(mode, base, gate) {
    const guarded = client(base);
    const logprobs = [];

    await gated(mode, await guarded.generate(
        { model: `gate-${gate}`, prompt: "a", stream: true, logprobs: true }),
        (part) => {
            logprobs.push(...(part.logprobs ?? []));
            return part.response;
        }, gate);

    equal(digits(logprobs), [], `${mode}stream: no logprobs`);

    let seen = "";

    await raises(Error, async () => {
        for await (const part of await guarded.generate(
            { model: "broken", prompt: "a", stream: true })) {
            seen += part.response;
        }
    }, `${mode}stream: an unreadable frame is an error`);

    equal(seen, "Hel", `${mode}stream: after what came before it`);
}


async function failing(mode, base) {
    const error = await raises(Error,
        () => client(base).chat({ model: "failing", messages: CHAT }),
        `${mode}a 500 of the model is an error`);

    if (error !== null) {
        equal(error.name, "ResponseError", `${mode}a ResponseError`);
        uniform(mode, error.status_code, error.message);
    }
}


// this client does not try again

async function limited() {
    const guarded = client(LIMITED, NAME);

    await guarded.chat({ model: "m", messages: CHAT });

    const error = await raises(Error,
        () => guarded.chat({ model: "m", messages: CHAT }),
        "over the budget: an error");

    equal(error?.status_code, 429, "over the budget: a 429");
}


await main([whole, stream, failing]);
await last(limited);
