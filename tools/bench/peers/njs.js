/*
 * Copyright (C) the modelguard authors
 *
 * A body filter for nginx's njs.  Each request has a machine of its own, so
 * that a variable of the module belongs to one response.
 */

let chunks = [];
let rest = '';


function round(value) {
    return Math.round(value * 100) / 100;
}


function coded(text) {
    let bytes = Buffer.from(text, 'base64');

    for (let i = 0; i + 4 <= bytes.length; i += 4) {
        bytes.writeFloatLE(round(bytes.readFloatLE(i)), i);
    }

    return bytes.toString('base64');
}


function rewrite(text) {
    let doc = JSON.parse(text);

    (doc.predictions || []).forEach((row) => {
        row.scores = row.scores.map(round);
        delete row.logits;
    });

    (doc.choices || []).forEach((row) => {
        (row.logprobs ? row.logprobs.content : []).forEach((one) => {
            one.logprob = round(one.logprob);
            one.top_logprobs.forEach((top) => {
                top.logprob = round(top.logprob);
            });
        });
    });

    (doc.data || []).forEach((row) => {
        row.embedding = typeof row.embedding === 'string'
                        ? coded(row.embedding) : row.embedding.map(round);
    });

    delete doc.model_version;

    return JSON.stringify(doc);
}


function header(r) {
    delete r.headersOut['Content-Length'];
}


function body(r, data, flags) {
    chunks.push(data);

    if (flags.last) {
        r.sendBuffer(rewrite(Buffer.concat(chunks).toString()), flags);
    }
}


function stream(r, data, flags) {
    let parts = (rest + data.toString()).split('\n\n');

    rest = parts.pop();

    r.sendBuffer(parts.map((one) => 'data: ' + rewrite(one.slice(6)) + '\n\n')
                      .join(''), flags);
}


export default { header, body, stream };
