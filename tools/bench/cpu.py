# Copyright (C) the modelguard authors

"""CPU time per request and peak memory of nginx's worker, for each variant as
a ratio to plain nginx right before it, in interleaved rounds.

Each size is measured in several generations of fresh processes, for the place
where a process happens to lie in memory is worth some per cent."""

import contextlib
import http.client
import statistics

import bodies
import servers

REPORTED = ('limit_req', 'budget', 'rewrite', 'modelguard')

#       size: requests in a measurement, connections

LOADS = {
    '0.4KB': (4000, 8),
    '4KB': (4000, 8),
    '40KB': (2000, 8),
    '400KB': (300, 8),
    '4MB': (40, 8),
    'text': (1500, 8),
}

ALONE = 20                  # requests for the memory of one connection

REWRITING = ('rewrite', 'modelguard')


def variants_of(size):
    if size == '40KB':
        return REPORTED + ('untouched',)
    if size == 'text':
        return ('untouched',)

    return REPORTED


def uri(size):
    return '/%s.json' % size


def fetch(server, size):
    connection = http.client.HTTPConnection('127.0.0.1', server.port,
                                            timeout=30)
    try:
        connection.request('GET', uri(size), headers={'X-API-Key': 'check'})
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()

    if response.status != 200:
        raise servers.Failure('%s of "%s": %d' % (size, server.name,
                                                  response.status))

    return body


def check(server, size):
    """Whether the body is what it must be; its length."""

    original = (servers.WORK / 'bodies' / (size + '.json')).read_bytes()
    body = fetch(server, size)

    if server.name in REWRITING:
        problem = bodies.complaint(original, body)
    else:
        problem = None if body == original else 'not the upstream\'s bytes'

    if problem:
        raise servers.Failure('%s of "%s": %s' % (size, server.name, problem))

    return len(body)


class Measured:
    """What was measured for one size."""

    def __init__(self):
        self.ratios = {}        # variant: list
        self.micros = {}        # variant: list, per request
        self.rss = {}           # variant: KB, one connection
        self.rss_loaded = {}    # variant: KB, all connections

    def add(self, variant, plain, cpu, requests):
        if variant != 'plain':
            self.ratios.setdefault(variant, []).append(cpu / plain)

        self.micros.setdefault(variant, []).append(cpu / requests / 1000)

    @staticmethod
    def peak(values, server):
        values[server.name] = max(values.get(server.name, 0),
                                  server.peak_rss_kb())


def one(server, size, length, requests, connections=None):
    before = server.cpu()

    if servers.load(server, uri(size), connections or LOADS[size][1],
                    requests) != length:
        raise servers.Failure('%s of "%s": a body of another length'
                              % (size, server.name))

    return server.cpu() - before


def generation(upstream, size, rounds, scale, measured):
    requests = max(LOADS[size][1], int(LOADS[size][0] * scale))
    variants = variants_of(size)

    with contextlib.ExitStack() as stack:
        running = {}
        lengths = {}

        for variant in ('plain',) + variants:
            server = servers.guarded(variant, upstream)
            running[variant] = stack.enter_context(server)
            lengths[variant] = check(server, size)

            one(server, size, lengths[variant], ALONE, 1)
            measured.peak(measured.rss, server)
            one(server, size, lengths[variant], requests // 5 + 8)

        for number in range(rounds):
            turn = number % len(variants)

            for variant in variants[turn:] + variants[:turn]:
                plain = one(running['plain'], size, lengths['plain'],
                            requests)
                cpu = one(running[variant], size, lengths[variant], requests)

                measured.add('plain', plain, plain, requests)
                measured.add(variant, plain, cpu, requests)

        for server in running.values():
            measured.peak(measured.rss_loaded, server)


def measure(upstream, generations, rounds, scale, say):
    result = {}

    for size in LOADS:
        say('CPU per request, %s' % size)
        result[size] = Measured()

        for _ in range(generations):
            generation(upstream, size, rounds, scale, result[size])

    return result


def spread(values):
    """Lower quartile, median, upper quartile."""

    if len(values) < 2:
        return values * 3

    return statistics.quantiles(values, n=4, method='inclusive')
