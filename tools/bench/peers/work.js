/*
 * Copyright (C) the modelguard authors
 *
 * The work that every peer has to do, in JavaScript, for Node.
 */

'use strict';

const LIMIT = 1e12;


function round(value)
{
    return Math.round(value * 100) / 100;
}


function coded(text)
{
    const bytes = Buffer.from(text, 'base64');

    for (let i = 0; i + 4 <= bytes.length; i += 4) {
        bytes.writeFloatLE(round(bytes.readFloatLE(i)), i);
    }

    return bytes.toString('base64');
}


function rewrite(doc)
{
    for (const row of doc.predictions || []) {
        row.scores = row.scores.map(round);
        delete row.logits;
    }

    for (const row of doc.choices || []) {
        for (const one of row.logprobs ? row.logprobs.content : []) {
            one.logprob = round(one.logprob);

            for (const top of one.top_logprobs) {
                top.logprob = round(top.logprob);
            }
        }
    }

    for (const row of doc.data || []) {
        row.embedding = typeof row.embedding === 'string'
                        ? coded(row.embedding) : row.embedding.map(round);
    }

    delete doc.model_version;

    return doc;
}


function text(body)
{
    return JSON.stringify(rewrite(JSON.parse(body)));
}


/* Whole events of what has come so far, and the rest. */

function events(body)
{
    const parts = body.split('\n\n');
    const rest = parts.pop();

    return [parts.map((one) => 'data: ' + text(one.slice(6)) + '\n\n')
                 .join(''), rest];
}


const spent = new Map();


function budget(key)
{
    const count = (spent.get(key) || 0) + 1;

    spent.set(key, count);

    return count <= LIMIT;
}


module.exports = { budget, events, text };
