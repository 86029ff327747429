# Copyright (C) the modelguard authors

"""Instructions per request: nginx as one process under callgrind, once with N
keep-alive requests and once with 2N.  Starting, connecting and ending cancel
out in the difference."""

import concurrent.futures
import itertools
import re

import servers

VARIANTS = ('plain', 'limit_req', 'loaded', 'unguarded', 'budget', 'budget2',
            'budget4', 'budget8', 'rewrite', 'modelguard')

TEXT_VARIANTS = ('plain', 'rewrite')

#       body: N

SIZES = {
    '0.4KB': 300,
    '4KB': 200,
    '40KB': 60,
    '400KB': 20,
    'text': 60,
}

AT_ONCE = min(2, len(servers.CORES))

SUMMARY = re.compile(r'^(?:summary|totals): (\d+)', re.M)


def total(upstream, variant, size, requests):
    """All instructions of a process that serves so many requests."""

    server = servers.guarded(
        variant, upstream, '%s-%s-%d' % (variant, size, requests),
        ('valgrind', '--tool=callgrind', '--quiet',
         '--callgrind-out-file=callgrind.out'))

    with server:
        servers.load(server, '/%s.json' % size, 1, requests)

    text = (server.directory / 'callgrind.out').read_text()
    found = SUMMARY.search(text)

    if not found:
        raise servers.Failure('callgrind has counted nothing')

    return int(found.group(1))


def per_request(upstream, variant, size, scale):
    n = max(2, int(SIZES[size] * scale))

    return (total(upstream, variant, size, 2 * n)
            - total(upstream, variant, size, n)) / n


def measure(upstream, scale, say):
    say('instructions per request')

    jobs = [(size, variant)
            for size, variant in itertools.product(SIZES, VARIANTS)
            if size != 'text' or variant in TEXT_VARIANTS]
    result = {variant: {} for variant in VARIANTS}

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(per_request, upstream, variant, size, scale)
                   for size, variant in jobs]

        try:
            for (size, variant), future in zip(jobs, futures):
                result[variant][size] = round(future.result())
        except BaseException:
            for future in futures:
                future.cancel()
            raise

    return result
