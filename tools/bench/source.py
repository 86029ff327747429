# Copyright (C) the modelguard authors

"""A model server that streams without thinking:

    source.py PORT

GET /sse/N and /ndjson/N answer with N times a block of about 1 MB, made once:
events of a chat completion with the logprobs of each token and of four
others, or the same tokens as lines of JSON.  Each event is a chunk of its
own, as servers send them."""

import json
import random
import socket
import sys
import threading

import bodies

BLOCK = 1024 * 1024

TYPES = {
    'sse': 'text/event-stream; charset=utf-8',
    'ndjson': 'application/x-ndjson',
}


def logprob(source):
    return -source.expovariate(1)


def token(source, word):
    return {'token': ' ' + word, 'logprob': logprob(source),
            'bytes': list((' ' + word).encode())}


def event(source, number):
    """The place of the logprobs is that of OpenAI, or of Ollama."""

    word = source.choice(bodies.WORDS)
    top = [token(source, other)
           for other in [word] + source.sample(bodies.WORDS, 4)]

    return word, dict(token(source, word), top_logprobs=top)


def sse(source, number):
    word, one = event(source, number)

    return 'data: %s\n\n' % json.dumps({
        'id': 'chatcmpl-%08x' % number, 'object': 'chat.completion.chunk',
        'created': 1700000000, 'model': 'benchmark',
        'choices': [{'index': 0, 'delta': {'content': ' ' + word},
                     'logprobs': {'content': [one]},
                     'finish_reason': None}]}, separators=(',', ':'))


def ndjson(source, number):
    word, one = event(source, number)

    return '%s\n' % json.dumps({
        'model': 'benchmark', 'created_at': '2026-01-01T00:00:00.000000Z',
        'message': {'role': 'assistant', 'content': ' ' + word},
        'done': False, 'logprobs': [one]}, separators=(',', ':'))


def frames(kind):
    """The events of a block."""

    source = random.Random('modelguard ' + kind)
    made = []
    size = 0

    while size < BLOCK:
        made.append({'sse': sse, 'ndjson': ndjson}[kind](source, len(made))
                    .encode())
        size += len(made[-1])

    return made


def chunked(kind):
    return b''.join(b'%x\r\n%s\r\n' % (len(frame), frame)
                    for frame in frames(kind))


def answer(sock, blocks):
    with sock, sock.makefile('rb') as file:
        while True:
            line = file.readline()

            if not line:
                return

            while file.readline() not in (b'\r\n', b''):
                pass

            _, kind, count = line.split()[1].decode().split('/')

            sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: %s\r\n'
                         b'Transfer-Encoding: chunked\r\n\r\n'
                         % TYPES[kind].encode())

            for _ in range(int(count)):
                sock.sendall(blocks[kind])

            sock.sendall(b'0\r\n\r\n')


def serve(port):
    blocks = {kind: chunked(kind) for kind in TYPES}

    with socket.create_server(('127.0.0.1', port)) as listening:
        while True:
            sock, _ = listening.accept()
            threading.Thread(target=attempt, args=(sock, blocks),
                             daemon=True).start()


def attempt(sock, blocks):
    try:
        answer(sock, blocks)
    except OSError:
        pass                    # the other side is gone


if __name__ == '__main__':
    sys.dont_write_bytecode = True
    serve(int(sys.argv[1]))
