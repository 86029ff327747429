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


def ndjson(source, number):
    word, one = bodies.token_event(source, number)

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
        made.append({'sse': bodies.sse_event, 'ndjson': ndjson}[kind](source, len(made))
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
