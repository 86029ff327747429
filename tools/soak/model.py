# Copyright (C) the modelguard authors

"""The model server of the soak: one answer for each framing, in pieces."""

import asyncio
import gzip
import json

SCORES = ('0.8374651928', '0.1625348499')
ROUNDED = ('0.84', '0.16')
HIDDEN = 'q97310458z'
TOKENS = 7
USAGE = '"usage": {"total_tokens": %d}' % TOKENS

PLAIN = ('{"scores": [%s, %s], "meta": "%s", "note": "a", %s}'
         % (*SCORES, HIDDEN, USAGE))


def rows(n, pad):
    row = '{"scores": [%s, %s], "text": "%s"}' % (*SCORES, 'x' * pad)

    return '{"rows": [%s], %s}' % (', '.join([row] * n), USAGE)


def vector(n):
    text = ', '.join('-' * (i & 1) + SCORES[i & 1] for i in range(n))

    return '{"embedding": [%s], %s}' % (text, USAGE)


def frames(n, form):
    return ''.join(form % PLAIN for _ in range(n))


# of each: type, coding, framing (length, chunks or end) and body

ANSWERS = {
    'json': ('application/json', None, 'length', PLAIN),
    'chunked': ('application/json', None, 'chunks', rows(40, 60)),
    'gzip': ('application/json', 'gzip', 'length', rows(300, 20)),
    'sse': ('text/event-stream', None, 'chunks', frames(20, 'data: %s\n\n')),
    'ndjson': ('application/x-ndjson', None, 'end', frames(20, '%s\n')),
    'embed': ('application/json', None, 'length', vector(1536)),
    'big': ('application/json', None, 'length', rows(27000, 100)),
    'slow': ('text/event-stream', None, 'chunks', frames(40, 'data: %s\n\n')),
}

PIECES = {'chunked': (700, 0.002), 'sse': (113, 0.002), 'ndjson': (500, 0.002),
          'slow': (140, 0.02)}


def packed(name):
    kind, coding, framing, text = ANSWERS[name]
    body = text.encode()
    head = 'HTTP/1.1 200 OK\r\nContent-Type: %s\r\n' % kind

    if coding:
        body = gzip.compress(body, 1)
        head += 'Content-Encoding: %s\r\n' % coding

    if framing == 'length':
        head += 'Content-Length: %d\r\n' % len(body)

    elif framing == 'chunks':
        head += 'Transfer-Encoding: chunked\r\n'

    return (head + 'Connection: close\r\n\r\n').encode(), framing, body


PACKED = {name: packed(name) for name in ANSWERS}


async def answer(writer, name):
    head, framing, body = PACKED[name]
    size, pause = PIECES.get(name, (65536, 0))

    writer.write(head)

    for at in range(0, len(body), size):
        piece = body[at:at + size]

        if framing == 'chunks':
            piece = b'%x\r\n%s\r\n' % (len(piece), piece)

        writer.write(piece)
        await writer.drain()

        if pause:
            await asyncio.sleep(pause)

    if framing == 'chunks':
        writer.write(b'0\r\n\r\n')


async def serve_one(reader, writer):
    head = await reader.readuntil(b'\r\n\r\n')
    name = head.split(b' ', 2)[1].decode().split('?')[0].strip('/')
    length = 0

    for line in head.decode('latin-1').split('\r\n'):
        if line.lower().startswith('content-length:'):
            length = int(line.split(':')[1])

    if length:
        await reader.readexactly(length)

    if name == 'fails':
        writer.write(b'HTTP/1.1 500 X\r\nContent-Length: 0\r\n'
                     b'Connection: close\r\n\r\n')

    elif name == 'truncated':
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n'
                     b'Content-Type: application/json\r\n'
                     b'Connection: close\r\n\r\n{"scores": [0.8374')

    else:
        await answer(writer, name if name in PACKED else 'json')

    await writer.drain()


async def handle(reader, writer):
    try:
        await serve_one(reader, writer)

    except (OSError, asyncio.IncompleteReadError,
            asyncio.LimitOverrunError):
        pass

    writer.close()


def expected(name):
    """The body as it must arrive: scores rounded, metadata dropped."""

    text = ANSWERS[name][3]

    for score, rounded in zip(SCORES, ROUNDED):
        text = text.replace(score, rounded)

    return text.replace(' "meta": "%s",' % HIDDEN, '').encode()


def serve(ready):
    async def main():
        server = await asyncio.start_server(handle, '127.0.0.1', 0,
                                            backlog=512)

        ready(server.sockets[0].getsockname()[1])

        async with server:
            await server.serve_forever()

    assert json.loads(expected('json')) == {
        'scores': [0.84, 0.16], 'note': 'a', 'usage': {'total_tokens': TOKENS}}

    asyncio.run(main())
