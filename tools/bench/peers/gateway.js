/*
 * Copyright (C) the modelguard authors
 *
 * A gateway of Node's own http module: gateway.js PORT PORT-OF-THE-MODEL
 */

'use strict';

const http = require('http');
const { StringDecoder } = require('string_decoder');
const work = require('./work.js');

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
const model = Number(process.argv[3]);


function whole(upstream, answer)
{
    const chunks = [];

    upstream.on('data', (chunk) => chunks.push(chunk));
    upstream.on('end', () => {
        const body = Buffer.from(work.text(Buffer.concat(chunks).toString()));

        answer.writeHead(200, { 'Content-Type': 'application/json',
                                'Content-Length': body.length });
        answer.end(body);
    });
}


function stream(upstream, answer)
{
    const decoder = new StringDecoder('utf8');
    let rest = '';

    answer.writeHead(200, { 'Content-Type': 'text/event-stream' });

    upstream.on('data', (chunk) => {
        const [done, next] = work.events(rest + decoder.write(chunk));

        rest = next;

        if (done) {
            answer.write(done);
        }
    });
    upstream.on('end', () => answer.end());
}


http.createServer((request, answer) => {

    if (!work.budget(request.headers['x-api-key'])) {
        answer.writeHead(429).end();
        return;
    }

    http.get({ host: '127.0.0.1', port: model, path: request.url, agent },
             (upstream) => {
        if (upstream.statusCode !== 200) {
            answer.writeHead(upstream.statusCode).end();
            upstream.resume();
            return;
        }

        const type = upstream.headers['content-type'] || '';

        (type.startsWith('text/event-stream') ? stream : whole)(upstream,
                                                                answer);
    }).on('error', () => answer.writeHead(502).end());

}).listen(Number(process.argv[2]), '127.0.0.1');
