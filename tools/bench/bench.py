#!/usr/bin/env python3

# Copyright (C) the modelguard authors

"""Measures what the guard costs, beside plain nginx and beside what people
would use instead, in the same run.

    bench.py [--quick] [--charges]
    bench.py --self-test

Called by bench.sh, which builds what is needed.  Prints the tables and writes
bench.json, bench.md and bench.svg into the build folder.  Exits with 1 when an
output of ours is not what it must be, never for a missed target, nor for a
peer that fails.  --quick is for those who work on the benchmark: its numbers
say nothing.  --charges measures only the table of clients, and leaves the
rest of build/bench.json as it was.  --self-test measures nothing."""

import sys

sys.dont_write_bytecode = True

import datetime
import http.client
import json
import os
import signal
import subprocess
import time

import bodies
import cells
import charges
import instructions
import kernels
import llm
import peers
import programs
import report
import schema
import selftest
import servers
import streams

GENERATIONS = 3
ROUNDS = 4                  # of each generation

PLACES = 3                  # after the decimal point, in the JSON
DEADLINE = 1500             # seconds for everything

OUTPUT = programs.TOP / 'build' / 'bench.json'
PARTIAL = programs.WORK / 'partial.json'

STARTED = time.monotonic()


def say(text):
    print('== %3d s: %s' % (time.monotonic() - STARTED, text),
          file=sys.stderr, flush=True)


#   metric: the key of its ratios, the key of its values, what divides these

METRICS = {
    'cpu': ('cpu_ratio', 'cpu_us', 1000),
    'rps': ('rps_ratio', 'rps', 1),
    'p50': ('p50_ratio', 'p50_us', 1),
    'p99': ('p99_ratio', 'p99_us', 1),
}


def put(where, variant, size, value):
    where.setdefault(variant, {})[size] = value


def add_metric(result, size, one, metric):
    key, absolute, unit = METRICS[metric]

    for variant, lists in one.ratios.items():
        low, median, high = cells.spread(lists[metric])
        put(result[key], variant, size, round(median, PLACES))
        put(result[key + '_quartiles'], variant, size,
            [round(low, PLACES), round(high, PLACES)])

    put(result[key], 'plain', size, 1.0)

    for variant, lists in one.values.items():
        put(result[absolute], variant, size,
            round(cells.spread(lists[metric])[1] / unit, PLACES))


def add_cells(result, measured):
    for key, absolute, _ in METRICS.values():
        result.update({key: {'plain': {}}, key + '_quartiles': {},
                       absolute: {}})

    result.update(rss_kb={}, rss_kb_loaded={}, peers={})

    for size, one in measured.items():

        for metric in METRICS:
            add_metric(result, size, one, metric)

        for variant in one.values:
            put(result['rss_kb'], variant, size, one.rss[variant])
            put(result['rss_kb_loaded'], variant, size,
                one.rss_loaded.get(variant, one.rss[variant]))

    for peer, what in peers.PEERS_LIST.items():
        result['peers'][peer] = {
            'title': what.title,
            'why': {size: one.why[peer] for size, one in measured.items()
                    if peer in one.why},
            'work': {size: one.work[peer] for size, one in measured.items()
                     if peer in one.work},
        }


def add_instructions(result, counts):
    base = counts['plain']['0.4KB']

    def over(variant):
        return counts[variant]['0.4KB'] - base

    result['instructions'] = counts
    result['instructions_over_plain'] = {
        'limit_req': over('limit_req'),
        'budget': over('budget'),
        'budget8': over('budget8'),
        'further_budget': round((over('budget8') - over('budget')) / 7),
        'loaded': over('loaded'),
        'unguarded': over('unguarded'),
    }


def add_charges(result, measured):
    million = str(charges.CLIENTS[-1])

    result['charges'] = measured
    result['charge_ns'] = {
        structure: {pattern: measured['ns'][structure][
            '%s %s 2' % (million, pattern)] for pattern in ('uniform', 'hot')}
        for structure in charges.STRUCTURES}
    result['bytes_per_client'] = measured['bytes']


def processor():
    with open('/proc/cpuinfo') as file:
        text = file.read()

    for line in text.splitlines():
        if line.startswith('model name'):
            return '%s%s' % (line.split(':', 1)[1].strip(),
                             ' (AVX2)' if ' avx2 ' in text else '')

    return 'unknown processor'


def setting():
    version = subprocess.run([servers.NGINX, '-v'], capture_output=True,
                             text=True, check=True).stderr.strip()

    return ('%s, %s, %d cores of %s; load beside it when it began: %.1f. One'
            ' worker on a core of its own, model server and load generator on'
            ' another; proxy_buffering on, 8 buffers of 16k, no temporary'
            ' files.'
            % (datetime.date.today(), version.replace('nginx version: ', ''),
               len(programs.CORES), processor(), os.getloadavg()[0]))


def measure_charges(quick, result):
    if OUTPUT.exists():
        result.update(json.loads(OUTPUT.read_text()))

    add_charges(result, charges.measure(0.1 if quick else 1, say))


def measure(quick, result):
    scale = 0.1 if quick else 1
    generations, rounds = (1, 1) if quick else (GENERATIONS, ROUNDS)

    result.update(setting=setting(), quick=quick)

    bodies.write(programs.WORK / 'bodies')

    result['body_bytes'] = {
        name: (programs.WORK / 'bodies' / bodies.file_of(name)).stat().st_size
        for name in cells.LOADS}

    result['kernel_gbs'], result['kernel_why'] = kernels.measure(say)

    with servers.model() as upstream:
        add_cells(result, cells.measure(upstream, generations, rounds, scale,
                                        say))
        result['llm'] = llm.measure(upstream, 1 if quick else llm.ROUNDS, say)
        add_instructions(result, instructions.measure(upstream, scale, say))

    result['streams'] = streams.measure(scale, say)
    add_charges(result, charges.measure(scale, say))

    result['seconds'] = round(time.monotonic() - STARTED)
    say('done')


def main():
    # our own end goes through the "with" blocks, which end what we started

    def end(number, frame):
        sys.exit(128 + number)

    for number in (signal.SIGALRM, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, end)

    if '--self-test' in sys.argv[1:]:
        sys.exit(selftest.run())

    signal.alarm(DEADLINE)

    only = '--charges' in sys.argv[1:]

    result = {}

    try:
        (measure_charges if only else measure)('--quick' in sys.argv[1:],
                                               result)
    except (programs.Failure, OSError, http.client.HTTPException,
            subprocess.SubprocessError) as error:
        PARTIAL.write_text(json.dumps(result, indent=4) + '\n')
        sys.exit('bench: FAILED: %s\n(what was measured before is in %s)'
                 % (error, PARTIAL.relative_to(programs.TOP)))

    OUTPUT.write_text(json.dumps(result, indent=4) + '\n')

    problems = [] if only else schema.problems(result)

    if problems:
        sys.exit('bench: FAILED: bench.json: %s' % '; '.join(problems))

    print(report.charges(result) if only else report.write(result))


main()
