/*
 * Copyright (C) the modelguard authors
 *
 * A gateway of fastify with @fastify/http-proxy:
 * fastify.js PORT PORT-OF-THE-MODEL
 */

'use strict';

const work = require('./work.js');
const fastify = require('fastify')();


fastify.addHook('onRequest', async (request, reply) => {
    if (!work.budget(request.headers['x-api-key'])) {
        reply.code(429).send();
    }
});

fastify.register(require('@fastify/http-proxy'), {
    upstream: 'http://127.0.0.1:' + process.argv[3],
    replyOptions: {
        onResponse(request, reply, answer) {
            const upstream = answer.stream || answer;
            const chunks = [];

            upstream.on('data', (chunk) => chunks.push(chunk));
            upstream.on('end', () => {
                reply.removeHeader('content-length');
                reply.send(work.text(Buffer.concat(chunks).toString()));
            });
        },
    },
});

fastify.listen({ port: Number(process.argv[2]), host: '127.0.0.1' });
