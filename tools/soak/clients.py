# Copyright (C) the modelguard authors

"""The clients of the soak: what they ask, and what they have seen."""

import asyncio
import collections
import random
import re
import socket
import struct

import model

# any four digits in a row that the rounded scores do not have

SECRETS = re.compile('|'.join(sorted(
    {score[2:][at:at + 4] for score in model.SCORES
     for at in range(len(score) - 5)} | {model.HIDDEN})).encode())

# so many requests of each kind in 400

MIX = {'json': 140, 'chunked': 40, 'gzip': 30, 'sse': 30, 'ndjson': 30,
       'embed': 40, 'big': 2, 'tight': 30, 'param': 20, 'fails': 8,
       'truncated': 8, 'abort-request': 8, 'abort-answer': 12,
       'abort-reset': 2}

EXPECTED = {name: model.expected(name) for name in model.ANSWERS}

STATUS = {'param': (400, 403), 'tight': (200, 429), 'fails': (500,),
          'truncated': (502,)}

CLIENTS = 16                           # of each group


class Seen:
    """Counts of answers, and of requests of which nobody knows."""

    def __init__(self):
        self.answers = collections.Counter()     # (kind, status)
        self.charged = collections.Counter()     # by client: answered
        self.unknown = collections.Counter()     # by client
        self.kinds = collections.Counter()       # unknown, by kind
        self.wrong = []
        self.bytes = 0

    def fail(self, kind, what):
        if len(self.wrong) < 50:
            self.wrong.append('%s: %s' % (kind, what))


def request(kind, key):
    path = 'json' if kind in ('tight', 'param') else kind
    body = b''

    if kind.startswith('abort'):
        path = 'slow' if kind == 'abort-reset' else 'big'

    location = {'tight': 'tight', 'param': 'param'}.get(kind, 'model')

    if kind == 'param':
        body = b'{"logprobs": 5, "input": "x"}'

    elif kind in ('json', 'abort-request'):
        body = b'{"input": "%s"}' % (b'y' * 2000)

    head = ('%s /%s/%s?k=%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'
            % ('POST' if body else 'GET', location, path, key))

    if body:
        head += ('Content-Type: application/json\r\nContent-Length: %d\r\n'
                 % len(body))

    return head.encode() + b'\r\n' + body


def unchunked(body):
    joined = bytearray()

    while True:
        line, found, rest = body.partition(b'\r\n')

        if not found:
            return bytes(joined), False

        size = int(line, 16)

        if size == 0:
            return bytes(joined), True

        if len(rest) < size + 2:
            return bytes(joined), False

        joined += rest[:size]
        body = memoryview(rest)[size + 2:].tobytes()


def split(raw):
    """(status, body, whole) of an answer; None if there is none."""

    head, found, body = raw.partition(b'\r\n\r\n')

    if not found:
        return None

    status = int(head.split(b' ', 2)[1])
    length = re.search(rb'(?im)^Content-Length: (\d+)', head)

    if re.search(rb'(?im)^Transfer-Encoding: chunked', head):
        body, whole = unchunked(body)

    else:
        whole = length is None or len(body) == int(length.group(1))

    return status, body, whole


async def receive(reader, most=None):
    raw = bytearray()

    while most is None or len(raw) < most:
        piece = await reader.read(262144)

        if not piece:
            break

        raw += piece

    return bytes(raw)


def reset(writer):
    writer.get_extra_info('socket').setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    writer.transport.abort()


async def talk(port, kind, key):
    """What came, as far as this kind of a client listens; None: nothing was
    sent."""

    try:
        reader, writer = await asyncio.open_connection('127.0.0.1', port,
                                                       limit=1 << 20)
    except OSError:
        return None

    try:
        bytes_ = request(kind, key)

        if kind == 'abort-request':
            writer.write(bytes_[:len(bytes_) // 2])
            await writer.drain()
            await asyncio.sleep(0.02)
            return b''

        writer.write(bytes_)
        await writer.drain()

        if kind == 'abort-answer':
            return await receive(reader, 20000)

        if kind == 'abort-reset':
            raw = await receive(reader, 300)
            reset(writer)
            return raw

        return await asyncio.wait_for(receive(reader), 60)

    except (OSError, asyncio.TimeoutError):
        return b''

    finally:
        writer.close()


def judge(seen, kind, key, raw):
    """One answer, to the counts."""

    leak = SECRETS.search(raw)

    if leak:
        seen.fail(kind, 'forbidden digits %r' % leak.group())

    seen.bytes += len(raw)
    parts = split(raw)

    if kind.startswith('abort') or parts is None or not parts[2]:
        seen.unknown[key] += 1
        seen.kinds[kind] += 1
        return

    status, body, _ = parts
    seen.answers[kind, status] += 1

    if status not in STATUS.get(kind, (200,)):

        # a model that was refused while a worker died, or the like

        seen.fail(kind, 'status %d: %r' % (status, body[:200]))
        return

    # what the model broke off was withheld, but it had answered

    if status == 200 or kind == 'truncated':
        seen.charged[key] += 1

    if status == 200:
        name = 'json' if kind == 'tight' else kind

        if body != EXPECTED[name]:
            seen.fail(kind, 'another body: %r' % body[:200])


async def ask(port, seen, kind):
    group = kind if kind in ('tight', 'param', 'fails', 'truncated') \
        else kind.split('-')[0] if kind.startswith('abort') else 'good'
    key = '%s%d' % (group, random.randrange(CLIENTS))
    raw = await talk(port, kind, key)

    if raw is not None:
        judge(seen, kind, key, raw)


async def run(port, seen, rate, over):
    """Asks at that rate, until over() says so; then hears what still comes."""

    loop = asyncio.get_running_loop()
    kinds = [kind for kind, n in MIX.items() for _ in range(n)]
    running = set()
    start = loop.time()
    sent = 0

    while not over():
        due = int((loop.time() - start) * rate)

        # no arrears: a machine that is busy is asked less

        if due - sent > rate:
            start = loop.time()
            due = sent = 0

        while sent < due and len(running) < 200:
            task = loop.create_task(ask(port, seen, random.choice(kinds)))
            running.add(task)
            task.add_done_callback(running.discard)
            sent += 1

        for task in running:
            if task.done() and task.exception():
                raise task.exception()

        await asyncio.sleep(0.01)

    if running:
        for result in await asyncio.gather(*running, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
