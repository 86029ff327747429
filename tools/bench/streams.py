# Copyright (C) the modelguard authors

"""Streams of 256 MB: the worker's memory and CPU time, guarded and plain.

Each stream is one response, with proxy_buffering off, to a client that throws
it away.  Before that, a stream of one block is looked at event by event."""

import contextlib
import decimal
import http.client
import json
import socket
import statistics
import subprocess
import sys
import time

import same
import servers
import source

BLOCKS = 256
FIRST_BYTES = 15
PATIENCE = 300              # seconds for one stream

VARIANTS = ('plain', 'modelguard')

PROFILE = """
    modelguard_profile      rounded {
        logprobs            round=2;
    }
"""

FIELDS = """
        modelguard          rounded;
        modelguard_field    logprobs
                     $.choices[*].logprobs.content[*].logprob
                     $.choices[*].logprobs.content[*].top_logprobs[*].logprob;
        modelguard_field    logprobs
                     $.logprobs[*].logprob
                     $.logprobs[*].top_logprobs[*].logprob;
"""

LOCATION = """
            proxy_pass          http://model;
            proxy_http_version  1.1;
            proxy_set_header    Connection "";
            proxy_buffering     off;
            proxy_buffer_size   16k;
            proxy_buffers       8 16k;
"""


@contextlib.contextmanager
def running():
    """The source; its port."""

    port = servers.free_port()
    process = subprocess.Popen(
        servers.pinned(servers.OTHER_CORE,
                       [sys.executable, source.__file__, str(port)]),
        stdin=subprocess.DEVNULL)

    try:
        deadline = time.monotonic() + servers.PATIENCE

        while True:
            with socket.socket() as sock:
                if sock.connect_ex(('127.0.0.1', port)) == 0:
                    break

            if time.monotonic() > deadline or process.poll() is not None:
                raise servers.Failure('the source of streams does not start')

            time.sleep(0.02)

        yield port

    finally:
        process.terminate()
        process.wait()


def server(variant, port):
    guarded = variant == 'modelguard'

    return servers.Server(variant, servers.GUARDED_CORE).configure(
        servers.OURS if guarded else (),
        servers.GUARDED_HTTP % port + (PROFILE if guarded else ''),
        (FIELDS if guarded else '') + LOCATION)


def fetch(one, kind):
    connection = http.client.HTTPConnection('127.0.0.1', one.port, timeout=30)

    try:
        connection.request('GET', '/%s/1' % kind)
        response = connection.getresponse()

        return response.status, response.read()
    finally:
        connection.close()


def first_byte(one, kind):
    """Microseconds to the first byte of a body, the median of several."""

    times = []

    for _ in range(FIRST_BYTES):
        connection = http.client.HTTPConnection('127.0.0.1', one.port,
                                                timeout=30)
        try:
            connection.connect()
            started = time.monotonic()
            connection.request('GET', '/%s/1' % kind)
            connection.getresponse().read(1)
            times.append((time.monotonic() - started) * 1e6)
        finally:
            connection.close()

    return round(statistics.median(times))


def read(text):
    return json.loads(text, parse_float=decimal.Decimal)


def complaint(kind, guarded, body):
    frames = source.frames(kind)

    if not guarded:
        return None if body == b''.join(frames) else 'not the source\'s bytes'

    start, end = (6, 2) if kind == 'sse' else (0, 1)
    lines = body.split(b'\n\n' if kind == 'sse' else b'\n')

    if lines.pop() != b'' or len(lines) != len(frames):
        return '%d events of %d' % (len(lines), len(frames))

    for line, frame in zip(lines, frames):
        if read(line[start:]) != same.rounded(read(frame[start:-end])):
            return 'an event that is not rounded: %r' % line

    return None


def stream(one, kind, blocks, length):
    """What a stream costs; where it takes too long, what it has cost."""

    started = time.monotonic()
    before = one.cpu()
    whole = True

    try:
        got = servers.load(one, '/%s/%d' % (kind, blocks), 1, 1,
                           patience=PATIENCE).length
    except subprocess.TimeoutExpired:
        whole = False

    if whole and got != length * blocks:
        raise servers.Failure('%s of "%s": %d bytes, not %d'
                              % (kind, one.name, got, length * blocks))

    return {
        'whole': whole,
        'bytes': length * blocks,
        'cpu_s': round((one.cpu() - before) / 1e9, 3),
        'wall_s': round(time.monotonic() - started, 3),
        'peak_kb': one.status('VmHWM'),
        'rss_kb': one.status('VmRSS'),
    }


def measure_one(variant, kind, port, blocks):
    with server(variant, port) as one:
        code, body = fetch(one, kind)
        problem = 'status %d' % code if code != 200 else \
            complaint(kind, variant == 'modelguard', body)

        if problem:
            raise servers.Failure('%s of "%s": %s' % (kind, variant, problem))

        first = one.status('VmHWM')
        delay = first_byte(one, kind)

        return dict(stream(one, kind, blocks, len(body)), first_kb=first,
                    first_byte_us=delay)


def measure(scale, say):
    blocks = max(2, int(BLOCKS * scale))
    result = {}

    with running() as port:
        for kind in source.TYPES:
            say('a stream of %d MB, %s' % (blocks, kind))

            result[kind] = {variant: measure_one(variant, kind, port, blocks)
                            for variant in VARIANTS}

            costs = [result[kind][variant] for variant in VARIANTS]

            result[kind]['cpu_ratio'] = round(costs[1]['cpu_s']
                                              / costs[0]['cpu_s'], 3)
            result[kind]['us_an_event_over_plain'] = round(
                (costs[1]['cpu_s'] - costs[0]['cpu_s']) * 1e6
                / (blocks * len(source.frames(kind))), 3)
            result[kind]['first_byte_us_over_plain'] = (
                costs[1]['first_byte_us'] - costs[0]['first_byte_us'])
            result[kind]['peak_kb_over_plain'] = (costs[1]['peak_kb']
                                                  - costs[0]['peak_kb'])

    return result
