#!/usr/bin/env python3

# Copyright (C) the modelguard authors

"""Measures what the guard costs, beside plain nginx in the same run.

    bench.py [--quick] [--charges]

Called by bench.sh, which builds what is needed.  Prints tables and writes
build/bench.json.  Exits with 1 when an output is not what it must be, never
for a missed target.  --quick is for those who work on the benchmark: its
numbers say nothing.  --charges measures only the table of clients, and leaves
the rest of build/bench.json as it was."""

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
import charges
import cpu
import instructions
import report
import servers
import streams

GENERATIONS = 3
ROUNDS = 4                  # of each generation

KERNEL_BODIES = ('40KB', '4MB', 'text')
PLACES = 3                  # after the decimal point, in the JSON
DEADLINE = 2400             # seconds for everything

OUTPUT = servers.TOP / 'build' / 'bench.json'

STARTED = time.monotonic()


def say(text):
    print('== %3d s: %s' % (time.monotonic() - STARTED, text),
          file=sys.stderr, flush=True)


def kernel():
    say('the kernel alone')

    files = ['%s=%s' % (name, servers.WORK / 'bodies' / (name + '.json'))
             for name in KERNEL_BODIES]
    result = subprocess.run(
        servers.pinned(servers.GUARDED_CORE,
                       [str(servers.WORK / 'kernel')] + files),
        capture_output=True, text=True, timeout=120)

    if result.returncode != 0:
        raise servers.Failure(result.stderr.strip())

    pairs = (line.split() for line in result.stdout.splitlines())

    return {key: float(value) for key, value in pairs}


def add_cpu(result, measured):
    ratios = result['cpu_ratio'] = {}
    quartiles = result['cpu_ratio_quartiles'] = {}
    micros = result['cpu_us'] = {}
    rss = result['rss_kb'] = {}
    rss_loaded = result['rss_kb_8_connections'] = {}

    for size, one in measured.items():

        for variant, values in one.ratios.items():
            low, median, high = cpu.spread(values)
            ratios.setdefault(variant, {})[size] = round(median, PLACES)
            quartiles.setdefault(variant, {})[size] = [round(low, PLACES),
                                                       round(high, PLACES)]

        for variant, values in one.micros.items():
            micros.setdefault(variant, {})[size] = \
                round(cpu.spread(values)[1], PLACES)

        for variant in one.rss:
            rss.setdefault(variant, {})[size] = one.rss[variant]
            rss_loaded.setdefault(variant, {})[size] = \
                one.rss_loaded[variant]


def add_instructions(result, counts):
    base = counts['plain']['0.4KB']

    def over(variant):
        return counts[variant]['0.4KB'] - base

    result['instructions'] = dict(
        counts,
        limit_req_over_plain=over('limit_req'),
        budget_over_plain=over('budget'),
        budget8_over_plain=over('budget8'),
        further_budget=round((over('budget8') - over('budget')) / 7),
        loaded_over_plain=over('loaded'),
        unguarded_over_plain=over('unguarded'))


def add_charges(result, measured):
    result['charges'] = measured
    result['charge_ns'] = measured['ns_by_budgets']
    result['bytes_per_client'] = measured['bytes']


def setting():
    version = subprocess.run([servers.NGINX, '-v'], capture_output=True,
                             text=True, check=True).stderr.strip()

    return ('%s, %s; load on %d cores beside it: %.1f. One worker on a core of'
            ' its own, model server and load generator on another;'
            ' proxy_buffering on, 8 buffers of 16k, no temporary files.'
            % (datetime.date.today(), version.replace('nginx version: ', ''),
               len(servers.CORES), os.getloadavg()[0]))


def measure_charges(quick):
    result = {}

    if OUTPUT.exists():
        result = json.loads(OUTPUT.read_text())

    add_charges(result, charges.measure(0.1 if quick else 1, say))

    return result


def measure(quick):
    scale = 0.1 if quick else 1
    result = {'setting': setting()}

    bodies.write(servers.WORK / 'bodies')

    result['body_bytes'] = {
        path.stem: path.stat().st_size
        for path in (servers.WORK / 'bodies').glob('*.json')}

    result['kernel_gbs'] = kernel()

    with servers.model() as upstream:
        add_cpu(result, cpu.measure(upstream, 1 if quick else GENERATIONS,
                                    1 if quick else ROUNDS, scale, say))
        add_instructions(result, instructions.measure(upstream, scale, say))

    result['streams'] = streams.measure(scale, say)
    add_charges(result, charges.measure(scale, say))

    say('done')

    return result


def main():
    # our own end goes through the "with" blocks, which end what we started

    def end(number, frame):
        sys.exit(128 + number)

    for number in (signal.SIGALRM, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, end)

    signal.alarm(DEADLINE)

    only = '--charges' in sys.argv[1:]

    try:
        result = (measure_charges if only else measure)(
            '--quick' in sys.argv[1:])
    except (servers.Failure, OSError, http.client.HTTPException,
            subprocess.SubprocessError) as error:
        sys.exit('bench: FAILED: %s' % error)

    with open(OUTPUT, 'w') as file:
        json.dump(result, file, indent=4)
        file.write('\n')

    print(report.charges(result) if only else report.markdown(result))


main()
