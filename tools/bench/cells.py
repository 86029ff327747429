# Copyright (C) the modelguard authors

"""What a request costs in each variant and of each peer, beside plain nginx
right before it, in interleaved rounds: CPU time of the worker, requests a
second, the median and the 99th percentile of the latency, and peak memory.

Each body is measured in several generations of fresh processes, for the place
where a process happens to lie in memory is worth some per cent.  Peers cost so
much more that one process of each will do, and less time.

A variant of ours that fails ends the benchmark; a peer that fails is left out,
and its row says why."""

import contextlib
import http.client
import statistics
import subprocess
import time

import bodies
import peers
import programs
import same
import servers

REPORTED = ('limit_req', 'unguarded', 'budget', 'rewrite', 'modelguard')

#       body: requests in a measurement, connections

LOADS = {
    '0.4KB': (4000, 8),
    '4KB': (4000, 8),
    '40KB': (2000, 8),
    '400KB': (300, 8),
    '4MB': (40, 4),
    bodies.TEXT: (1500, 8),
    bodies.SSE: (200, 8),
    bodies.EMBEDDING: (2000, 8),
    bodies.EMBEDDING_BASE64: (3000, 8),
}

ALONE = 20                  # requests for the memory of one connection

PEER_ROUNDS = 1             # of each generation, and where there is only one
PEER_ROUNDS_ALONE = 2

# no further generation if it would end later than that, after the start

SECONDS = 65
SECONDS_OTHERS = 30

PEER_SECONDS = {'4MB': 0.8}
PEER_SECONDS_ELSE = 0.4

REWRITING = ('rewrite', 'modelguard')

METRICS = ('cpu', 'rps', 'p50', 'p99')

PEER_TROUBLE = (programs.Failure, OSError, http.client.HTTPException,
                subprocess.SubprocessError, ValueError)


def variants_of(name):
    if name in bodies.SIZES:
        return REPORTED + (('untouched',) if name == '40KB' else ())

    return ('modelguard',) + (('untouched',) if name == bodies.TEXT else ())


def uri(name):
    return '/' + bodies.file_of(name)


def fetch(server, name):
    connection = http.client.HTTPConnection('127.0.0.1', server.port,
                                            timeout=30)
    try:
        connection.request('GET', uri(name), headers={'X-API-Key': 'check'})
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()

    if response.status != 200:
        raise programs.Failure('%s of "%s": %d' % (name, server.name,
                                                   response.status))

    return body


def check(server, name):
    """Whether the body is what it must be; its length."""

    body = fetch(server, name)

    if server.name in REWRITING:
        problem = same.complaint(name, body)
    else:
        problem = None if body == same.original(name) \
            else 'not the upstream\'s bytes'

    if problem:
        raise programs.Failure('%s of "%s": %s' % (name, server.name,
                                                   problem))

    return len(body)


class Measured:
    """What was measured for one body."""

    def __init__(self):
        self.ratios = {}        # variant: metric: list
        self.values = {}        # variant: metric: list
        self.rss = {}           # variant: KB, one connection
        self.rss_loaded = {}    # variant: KB, all connections
        self.why = {}           # peer: why there is nothing
        self.work = {}          # peer: how its output compares

    @staticmethod
    def append(where, variant, cell):
        for metric in METRICS:
            where.setdefault(variant, {}).setdefault(metric, []) \
                .append(cell[metric])

    def add(self, variant, plain, cell):
        self.append(self.values, 'plain', plain)
        self.append(self.values, variant, cell)
        self.append(self.ratios, variant,
                    {metric: cell[metric] / plain[metric]
                     for metric in METRICS})

    @staticmethod
    def peak(values, server):
        values[server.name] = max(values.get(server.name, 0),
                                  server.peak_rss_kb())


def one(server, name, requests, connections=None, options=(), length=None):
    """A cell: nanoseconds of CPU a request, requests a second, ..."""

    before = server.cpu()
    loaded = programs.load(server, uri(name), connections or LOADS[name][1],
                           requests, options, patience=60)
    cpu = server.cpu() - before

    if length is not None and loaded.length != length:
        raise programs.Failure('%s of "%s": a body of another length'
                               % (name, server.name))

    return {'cpu': cpu / loaded.done, 'rps': loaded.done / loaded.seconds,
            'p50': loaded.p50_us, 'p99': loaded.p99_us}


class Peers:
    """Those that run for one body."""

    def __init__(self, upstream, name, measured, rounds, say):
        self.rounds = rounds
        self.upstream = upstream
        self.name = name
        self.measured = measured
        self.say = say
        self.running = {}

    def __enter__(self):
        try:
            for peer, what in peers.PEERS_LIST.items():
                if self.name in what.bodies:
                    self.attempt(peer, self.start)
        except BaseException:
            self.__exit__()
            raise

        return self

    def __exit__(self, *unused):
        for server in self.running.values():
            server.stop()

    def attempt(self, peer, what, *arguments):
        try:
            what(peer, *arguments)
        except PEER_TROUBLE as error:
            why = ' '.join(str(error).split())[:300]
            self.measured.why[peer] = why
            self.measured.ratios.pop(peer, None)
            self.say('%s is left out: %s' % (peer, why))

            if peer in self.running:
                self.running.pop(peer).stop()

    def options(self, peer, seconds):
        return ('-v', '-t', str(seconds)) + peers.PEERS_LIST[peer].options

    def start(self, peer):
        what = peers.PEERS_LIST[peer]

        if what.why():
            raise programs.Failure(what.why())

        server = what.start(peer, self.upstream, self.name).__enter__()
        self.running[peer] = server

        self.compare(peer, what, fetch(server, self.name))

        one(server, self.name, ALONE, 1, self.options(peer, 1))
        self.measured.peak(self.measured.rss, server)
        one(server, self.name, LOADS[self.name][0], None,
            self.options(peer, what.warm))

    def compare(self, peer, what, body):
        """The same work, or how far from it."""

        found = same.difference(self.name, body)
        work = {'numbers': found.numbers, 'differing': found.differing,
                'shape': found.shape,
                'same': not found.differing and found.shape is None}

        if what.work == 'scale':
            work = {'same': False, 'shape': 'other work, for scale'}

        self.measured.work[peer] = work

    def seconds(self):
        return PEER_SECONDS.get(self.name, PEER_SECONDS_ELSE)

    def measure(self, peer, plain):
        """Beside the plain nginx of this generation."""

        cell = one(self.running[peer], self.name, LOADS[self.name][0], None,
                   self.options(peer, self.seconds()))
        self.measured.add(peer, plain, cell)

    def round(self, plain):
        """plain(): a fresh cell."""

        for peer in list(self.running):
            self.attempt(peer, self.measure, plain())

    def peak(self, peer):
        self.measured.peak(self.measured.rss_loaded, self.running[peer])

    def peaks(self):
        for peer in list(self.running):
            self.attempt(peer, self.peak)


def generation(upstream, name, rounds, scale, beside):
    measured = beside.measured
    requests = max(LOADS[name][1], int(LOADS[name][0] * scale))
    variants = variants_of(name)

    with contextlib.ExitStack() as stack:
        running = {}
        lengths = {}

        def cell(variant, requests=requests):
            return one(running[variant], name, requests,
                       length=lengths[variant])

        for variant in ('plain',) + variants:
            server = servers.guarded(variant, upstream, body=name)
            running[variant] = stack.enter_context(server)
            lengths[variant] = check(server, name)

            one(server, name, ALONE, 1, length=lengths[variant])
            measured.peak(measured.rss, server)
            cell(variant, requests // 5 + 8)

        for number in range(rounds):
            turn = number % len(variants)

            for variant in variants[turn:] + variants[:turn]:
                plain = cell('plain')
                measured.add(variant, plain, cell(variant))

            if number < beside.rounds:
                beside.round(lambda: cell('plain', requests // 2 + 4))

        for server in running.values():
            measured.peak(measured.rss_loaded, server)


def measure_body(upstream, name, generations, rounds, scale, say):
    measured = Measured()
    started = time.monotonic()
    seconds = SECONDS

    # what is not of the five sizes is for the table beside them

    if name not in bodies.SIZES:
        generations, seconds = 1, SECONDS_OTHERS

    with Peers(upstream, name, measured,
               PEER_ROUNDS if generations > 1 else PEER_ROUNDS_ALONE,
               say) as beside:

        for done in range(generations):
            took = time.monotonic() - started

            if done and took * (done + 1) / done > seconds:
                say('%s: %d generations of %d, for want of time'
                    % (name, done, generations))
                break

            generation(upstream, name, rounds, scale, beside)

        beside.peaks()

    return measured


def measure(upstream, generations, rounds, scale, say):
    result = {}

    for name in LOADS:
        say('CPU, throughput and latency, %s' % name)
        result[name] = measure_body(upstream, name, generations, rounds,
                                    scale, say)

    return result


def spread(values):
    """Lower quartile, median, upper quartile."""

    if len(values) < 2:
        return values * 3

    return statistics.quantiles(values, n=4, method='inclusive')
