// Copyright (C) the modelguard authors
//
// npm @anthropic-ai/sdk.

import Anthropic from "@anthropic-ai/sdk";

import { CHAT, LIMITED, NAME, equal, gated, last, main, ok, raises,
         uniform } from "./node_checks.mjs";

const ASK = { max_tokens: 10, messages: CHAT };


function client(base, apiKey = "key", maxRetries = 0) {
    return new Anthropic({ baseURL: base, apiKey, maxRetries,
                           timeout: 20000 });
}


async function whole(mode, base) {
    const answer = await client(base).messages.create({ model: "m", ...ASK });

    equal(answer.content[0].text, "Hello!", `${mode}message: the text`);
    equal(answer.usage.output_tokens, 3, `${mode}message: the usage is kept`);
    ok(!("service_tier" in answer.usage),
       `${mode}message: the metadata is gone`, JSON.stringify(answer));
}


async function stream(mode, base, gate) {
    const guarded = client(base);

    await gated(mode, await guarded.messages.create(
        { model: `gate-${gate}`, stream: true, ...ASK }),
        (event) => event.delta?.text, gate);

    // the helper puts the message together from all events

    const message = await guarded.messages.stream({ model: "m", ...ASK })
        .finalMessage();

    equal([message.content[0].text, message.stop_reason],
          ["Hello!", "end_turn"], `${mode}stream: the final message`);

    let seen = "";

    await raises(Anthropic.AnthropicError, async () => {
        for await (const event of await guarded.messages.create(
            { model: "broken", stream: true, ...ASK })) {
            seen += event.delta?.text ?? "";
        }
    }, `${mode}stream: an unreadable frame is an AnthropicError`);

    equal(seen, "", `${mode}stream: after what came before it`);
}


async function failing(mode, base) {
    const error = await raises(Anthropic.InternalServerError,
        () => client(base).messages.create({ model: "failing", ...ASK }),
        `${mode}a 500 of the model is an InternalServerError`);

    if (error !== null) {
        uniform(mode, error.status, error.error);
    }
}


async function limited() {
    const patient = client(LIMITED, NAME, 2);

    await patient.messages.create({ model: "m", ...ASK });

    const answer = await patient.messages.create({ model: "m", ...ASK });

    equal(answer.content[0].text, "Hello!",
          "over the budget: the second attempt succeeds");

    const impatient = client(LIMITED, "impatient_anthropic");

    await impatient.messages.create({ model: "m", ...ASK });

    await raises(Anthropic.RateLimitError,
        () => impatient.messages.create({ model: "m", ...ASK }),
        "over the budget: without retries a RateLimitError");
}


await main([whole, stream, failing]);
await last(limited);
