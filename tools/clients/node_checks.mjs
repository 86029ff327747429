// Copyright (C) the modelguard authors
//
// What the Node clients' tests share.

const env = process.env;

export const NAME = env.MODELGUARD_NAME;
export const BUFFERED = env.MODELGUARD_BUFFERED;
export const UNBUFFERED = env.MODELGUARD_UNBUFFERED;
export const LIMITED = env.MODELGUARD_LIMITED;
export const BUDGETS = env.MODELGUARD_BUDGETS;
export const REPLAY = env.MODELGUARD_REPLAY;

export const MODES = [["buffered", BUFFERED], ["unbuffered", UNBUFFERED]];

export const CHAT = [{ role: "user", content: "hello?" }];


export function ok(good, text, ...details) {
    console.log(`${good ? "" : "not "}ok - ${NAME}: ${text}`);

    if (!good) {
        for (const detail of details) {
            for (const line of String(detail).split("\n")) {
                console.log(`# ${line}`);
            }
        }
    }
}


export function equal(got, wanted, text) {
    const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];

    ok(a === b, text, `got    ${a}`, `wanted ${b}`);
}


// the error, or null if it is not one of that kind

export async function raises(kind, call, text) {
    try {
        const got = await call();

        ok(false, text, `no error but ${JSON.stringify(got)}`);
    } catch (error) {
        ok(error instanceof kind, text,
           `${error.constructor.name}: ${error.message}`);

        return error instanceof kind ? error : null;
    }

    return null;
}


// true if the stream of that name has not been ended by the server

export async function waiting(gate) {
    const answer = await fetch(`${REPLAY}/control/release/${gate}`);

    return (await answer.json()).waiting;
}


// A stream whose server waits after the first token until that has come.

export async function gated(mode, events, text, gate) {
    let seen = "";
    let first = true;

    for await (const event of events) {
        seen += text(event) ?? "";

        if (seen && first) {
            first = false;
            equal(seen, "Hel", `${mode}stream: the first token comes alone`);
            ok(await waiting(gate),
               `${mode}stream: and before the server has sent the next`);
        }
    }

    equal(seen, "Hello!", `${mode}stream: all tokens`);
}


// The fractions of three digits or more in what a client was given.

export function digits(value) {
    return JSON.stringify(value ?? null).match(/\d\.\d{3,}/g) ?? [];
}


export function rounded(vector) {
    return Array.from(vector, (value) => Number(value.toFixed(6)));
}


// An error of the model, 500, in the one shape that all of them have.

export function uniform(mode, status, body) {
    equal(status, 500, `${mode}with its status`);
    equal(digits(body), [], `${mode}and without the model's numbers`);
}


export async function main(checks) {
    for (const [mode, base] of MODES) {
        for (const check of checks) {
            try {
                await check(`${mode}: `, base, `${NAME}-${mode}`);
            } catch (error) {
                ok(false, `${mode}: ${check.name}: no unexpected error`,
                   error.stack);
            }
        }
    }
}


// the checks of a budget, which are last

export async function last(check) {
    try {
        await check();
    } catch (error) {
        ok(false, "over the budget: no unexpected error", error.stack);
    }

    console.log("# done");
}
