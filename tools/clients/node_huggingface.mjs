// Copyright (C) the modelguard authors
//
// npm @huggingface/inference.

import { InferenceClient, InferenceClientError }
    from "@huggingface/inference";

import { CHAT, LIMITED, NAME, equal, gated, last, main, ok, raises, rounded,
         uniform } from "./node_checks.mjs";


function client(base, name, key = "hf_key") {
    return new InferenceClient(key, { endpointUrl: `${base}/hf/${name}` });
}


async function whole(mode, base) {
    let answer = await client(base, "classes").textClassification(
        { inputs: "I like it" });

    equal(answer, [{ label: "POSITIVE", score: 0.99 },
                   { label: "NEGATIVE", score: 0.01 }],
          `${mode}text classification: rounded`);

    answer = await client(base, "embedding").featureExtraction(
        { inputs: "a" });

    equal(answer, [[0.123, -0.988, 0.5, 0]],
          `${mode}feature extraction: rounded`);

    answer = await client(base, "m").chatCompletion(
        { messages: CHAT, logprobs: true });

    equal(answer.choices[0].message.content, "Hello!",
          `${mode}chat: the text`);
    ok(!answer.choices[0].logprobs, `${mode}chat: no logprobs`);
}


async function stream(mode, base, gate) {
    await gated(mode, client(base, `gate-${gate}`).chatCompletionStream(
        { messages: CHAT }),
        (chunk) => chunk.choices[0].delta.content, gate);

    let seen = "";

    await raises(Error, async () => {
        for await (const chunk of client(base, "broken").chatCompletionStream(
            { messages: CHAT })) {
            seen += chunk.choices[0].delta.content;
        }
    }, `${mode}stream: an unreadable frame is an error`);

    equal(seen, "Hel", `${mode}stream: after what came before it`);
}


async function failing(mode, base) {
    const error = await raises(InferenceClientError,
        () => client(base, "failing").chatCompletion({ messages: CHAT }),
        `${mode}a 500 of the model is an InferenceClientError`);

    if (error !== null) {
        uniform(mode, error.httpResponse.status, error.httpResponse.body);
    }
}


// this client tries again on 503 only

async function limited() {
    const guarded = client(LIMITED, "m", NAME);

    await guarded.chatCompletion({ messages: CHAT });

    const error = await raises(InferenceClientError,
        () => guarded.chatCompletion({ messages: CHAT }),
        "over the budget: an InferenceClientError");

    equal(error?.httpResponse.status, 429, "over the budget: a 429");
}


await main([whole, stream, failing]);
await last(limited);
