# Copyright (C) the modelguard authors

"""What the design wants, beside what was measured.  A missed target is said,
and is no failure: the machine may be busy."""

from schema import COUNTED, SIZES

CPU_TARGETS = {'0.4KB': 1.05, '4KB': 1.05, '40KB': 1.7, '400KB': 1.5,
               '4MB': 1.35}
UNTOUCHED_TARGET = 1.5
RSS_TARGET = 1024           # KB over plain
RSS_KEYS = (('rss_kb', '1 connection'),
            ('rss_kb_loaded', 'loaded'))
GATE = (5000, 5)            # instructions over plain: constant, a byte
TEXT_TARGET = 1             # instructions a byte
BUDGET_TARGET = 700
FURTHER_TARGET = 150
UNGUARDED_TARGET = 50
EVENT_TARGET = 3            # microseconds of an event
FIRST_BYTE_TARGET = 1000    # microseconds over plain
KERNEL_TARGETS = {'40KB': 2, '4MB': 2, 'text': 10}
SSE2_TARGETS = {'40KB': 1.5, '4MB': 1.5}
JANSSON_TARGET = 60
SIMDJSON_TARGET = 2

#   peer: the least that it costs more, by body

PEER_TARGETS = (
    ('lua_budget', {'4KB': 4, '40KB': 14, '400KB': 14, '4MB': 14}),
    ('njs', {'40KB': 30, '400KB': 30, '4MB': 30}),
)


def at_most(what, value, target, form='%.2f'):
    return what, form % value, 'at most ' + form % target, value <= target


def at_least(what, value, target, form='%.2f'):
    return what, form % value, 'at least ' + form % target, value >= target


def of_cpu(result):
    ratios = result['cpu_ratio']

    for size in SIZES:
        yield at_most('CPU over plain, %s, modelguard' % size,
                      ratios['modelguard'][size], CPU_TARGETS[size])

    for size in ('40KB', 'text'):
        yield at_most('CPU over plain, %s, no rule touches it' % size,
                      ratios['untouched'][size], UNTOUCHED_TARGET)

    for peer, targets in PEER_TARGETS:
        for size, target in targets.items():
            if size in ratios.get(peer, {}):
                yield at_least('CPU of %s over modelguard, %s' % (peer, size),
                               ratios[peer][size]
                               / ratios['modelguard'][size], target, '%.1f')


def of_memory(result):
    for key, connections in RSS_KEYS:
        for size in SIZES:
            yield at_most('peak KB over plain, %s, %s' % (size, connections),
                          result[key]['modelguard'][size]
                          - result[key]['plain'][size], RSS_TARGET, '%d')

    for kind, values in result['streams'].items():
        yield at_most('peak KB over plain, a stream of %d MB, %s'
                      % (values['plain']['bytes'] / 1e6, kind),
                      values['peak_kb_over_plain'], RSS_TARGET, '%d')


def of_streams(result):
    for kind, values in result['streams'].items():
        yield at_most('microseconds over plain of an event, %s' % kind,
                      values['us_an_event_over_plain'], EVENT_TARGET)
        yield at_most('microseconds over plain to the first byte, %s' % kind,
                      values['first_byte_us_over_plain'], FIRST_BYTE_TARGET,
                      '%d')


def of_instructions(result):
    counts = result['instructions']
    over = result['instructions_over_plain']
    lengths = result['body_bytes']

    for size in COUNTED:
        yield at_most('instructions over plain, %s, modelguard' % size,
                      counts['modelguard'][size] - counts['plain'][size],
                      GATE[0] + GATE[1] * lengths[size], '%d')

    for size, target in (('400KB', GATE[1]), ('text', TEXT_TARGET)):
        yield at_most('instructions a byte, %s, rewriting' % size,
                      (counts['rewrite'][size] - counts['plain'][size])
                      / lengths[size], target)

    yield at_most('instructions of one budget', over['budget'],
                  BUDGET_TARGET, '%d')
    yield ('instructions of limit_req', '%d' % over['limit_req'], '', None)
    yield at_most('instructions of each further budget',
                  over['further_budget'], FURTHER_TARGET, '%d')
    yield at_most('instructions of an unguarded location',
                  abs(over['unguarded']), UNGUARDED_TARGET, '%d')
    yield ('instructions of a module that nothing uses', '%d' % over['loaded'],
           '', None)


def of_kernel(result):
    kernels = result['kernel_gbs']

    for name, target in KERNEL_TARGETS.items():
        yield at_least('kernel GB/s, %s' % name,
                       kernels['modelguard_' + name], target)

    for name, target in SSE2_TARGETS.items():
        if 'modelguard_sse2_' + name in kernels:
            yield at_least('kernel GB/s, %s, SSE2' % name,
                           kernels['modelguard_sse2_' + name], target)

    for other, target in (('jansson', JANSSON_TARGET),
                          ('simdjson_ondemand', SIMDJSON_TARGET)):
        for name in KERNEL_TARGETS:
            if '%s_%s' % (other, name) in kernels:
                yield at_least('kernel over %s, %s' % (other, name),
                               kernels['modelguard_' + name]
                               / kernels['%s_%s' % (other, name)], target,
                               '%.1f')


def of_charges(result):
    values = result['charges']
    ns = values['ns']['table']
    lost = values['flood']['spent_before'] - values['flood']['spent_after']

    for pattern, target in (('uniform', 120), ('hot', 60)):
        yield at_most('ns of a charge, 1 million clients, %s, 2 processes'
                      % pattern, ns['1000000 %s 2' % pattern], target, '%.0f')

    yield at_most('ns of a charge, 1 million clients to 1 thousand, uniform',
                  ns['1000000 uniform 1'] / ns['1000 uniform 1'], 2)

    for budgets, target in (('1', 128), ('8', 256)):
        yield at_most('bytes of a client, budgets: %s' % budgets,
                      values['bytes'][budgets], target, '%d')

    yield at_most('clients that a flood gives their budget back', lost, 0,
                  '%d')
    yield at_least('throughput at the end of a flood, to its start',
                   values['flood']['last_to_first'], 0.9)


def verdicts(result):
    """(what, measured, target, met)"""

    for part in (of_cpu, of_memory, of_streams, of_instructions, of_kernel,
                 of_charges):
        yield from part(result)
