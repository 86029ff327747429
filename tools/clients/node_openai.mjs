// Copyright (C) the modelguard authors
//
// npm openai.

import OpenAI from "openai";

import { CHAT, LIMITED, NAME, equal, gated, last, main, ok, raises, rounded,
         uniform } from "./node_checks.mjs";


function client(base, apiKey = "key", path = "/v1", maxRetries = 0) {
    return new OpenAI({ baseURL: base + path, apiKey, maxRetries,
                        timeout: 20000 });
}


async function whole(mode, base) {
    const guarded = client(base);

    let answer = await guarded.chat.completions.create(
        { model: "m", messages: CHAT, logprobs: true });

    equal(answer.choices[0].message.content, "Hello!",
          `${mode}chat: the text`);
    ok(!answer.choices[0].logprobs, `${mode}chat: no logprobs`);
    ok(!answer.system_fingerprint, `${mode}chat: no fingerprint`);
    equal(answer.usage.total_tokens, 8, `${mode}chat: the usage is kept`);

    answer = await client(base, "key", "/rounded/v1").chat.completions.create(
        { model: "m", messages: CHAT, logprobs: true });

    equal(answer.choices[0].logprobs.content.map((t) => t.logprob),
          [-0.1, -1.2, 0], `${mode}chat: logprobs are rounded`);

    // without encoding_format the client asks for base64 and decodes it

    answer = await guarded.embeddings.create({ model: "m", input: "a" });

    equal(rounded(answer.data[0].embedding), [0.123, -0.988, 0.5, 0],
          `${mode}embedding: base64 is rounded`);

    answer = await guarded.embeddings.create(
        { model: "m", input: "a", encoding_format: "float" });

    equal(answer.data[0].embedding, [0.123, -0.988, 0.5, 0],
          `${mode}embedding: numbers are rounded`);

    answer = await guarded.moderations.create({ model: "m", input: "a" });

    equal(answer.results[0].category_scores.violence, 0.99,
          `${mode}moderation: the score is rounded`);
}


async function stream(mode, base, gate) {
    const guarded = client(base);
    const logprobs = [];

    await gated(mode, await guarded.chat.completions.create(
        { model: `gate-${gate}`, messages: CHAT, stream: true,
          logprobs: true }),
        (chunk) => {
            logprobs.push(chunk.choices[0].logprobs ?? null);
            return chunk.choices[0].delta.content;
        }, gate);

    ok(logprobs.every((l) => l === null), `${mode}stream: no logprobs`);

    const values = [];

    for await (const chunk of await client(base, "key", "/rounded/v1")
        .chat.completions.create({ model: "m", messages: CHAT, stream: true,
                                   logprobs: true })) {

        values.push(...(chunk.choices[0].logprobs?.content ?? [])
            .map((t) => t.logprob));
    }

    equal(values, [-0.1, -1.2, 0], `${mode}stream: logprobs are rounded`);

    let seen = "";

    await raises(OpenAI.APIError, async () => {
        for await (const chunk of await guarded.chat.completions.create(
            { model: "broken", messages: CHAT, stream: true })) {
            seen += chunk.choices[0].delta.content;
        }
    }, `${mode}stream: an unreadable frame is an APIError`);

    equal(seen, "Hel", `${mode}stream: after what came before it`);
}


async function failing(mode, base) {
    const error = await raises(OpenAI.InternalServerError,
        () => client(base).chat.completions.create(
            { model: "failing", messages: CHAT }),
        `${mode}a 500 of the model is an InternalServerError`);

    if (error !== null) {
        uniform(mode, error.status, error.error);
        equal(error.code, "model_failed", `${mode}in the uniform shape`);
    }
}


// the second answer comes after Retry-After: the client waits by itself

async function limited() {
    const patient = client(LIMITED, NAME, "/v1", 2);

    await patient.chat.completions.create({ model: "m", messages: CHAT });

    const answer = await patient.chat.completions.create(
        { model: "m", messages: CHAT });

    equal(answer.choices[0].message.content, "Hello!",
          "over the budget: the second attempt succeeds");

    const impatient = client(LIMITED, "impatient_node");

    await impatient.chat.completions.create({ model: "m", messages: CHAT });

    const error = await raises(OpenAI.RateLimitError,
        () => impatient.chat.completions.create({ model: "m", messages: CHAT }),
        "over the budget: without retries a RateLimitError");

    equal(error?.code, "budget_exhausted", "with the module's code");
}


await main([whole, stream, failing]);
await last(limited);
