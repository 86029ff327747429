# Copyright (C) the modelguard authors

"""What was measured, as Markdown, beside what PERFORMANCE.md wants.  A missed
target is said, and is no failure: the machine may be busy."""

SIZES = ('0.4KB', '4KB', '40KB', '400KB', '4MB')

CPU_TARGETS = {'0.4KB': 1.05, '4KB': 1.05, '40KB': 1.7, '400KB': 1.5,
               '4MB': 1.35}
UNTOUCHED_TARGET = 1.5
RSS_TARGET = 1024           # KB over plain
RSS_KEYS = (('rss_kb', '1 connection'),
            ('rss_kb_8_connections', '8 connections'))
GATE = (5000, 5)            # instructions over plain: constant, a byte
BUDGET_TARGET = 700
FURTHER_TARGET = 150
UNGUARDED_TARGET = 50
KERNEL_TARGETS = {'40KB': 1.5, '4MB': 1.5, 'text': 10}
JANSSON_TARGET = 60

STRUCTURES = {'table': 'modelguard_table', 'tree': 'red-black tree, LRU, one'
              ' lock (limit_req\'s shape)'}

# measured elsewhere, on an idle machine

ANCHORS = [
    ['*hash table, 256 stripe locks, 1 million*', '*178 / 154*', '*120*',
     '*33*', '*13 / 36*'],
    ['*one lock and LRU list, 1 million*', '*216 / 422*', '*168*', '*41*',
     '*13 / 48*'],
    ['*red-black tree, one lock, LRU, 1 million*', '*1170 / 3125*', '*995*',
     '*538*', '*110 / 301*'],
]


def table(head, rows):
    yield '| ' + ' | '.join(head) + ' |'
    yield '|' + '---|' * len(head)

    for row in rows:
        yield '| ' + ' | '.join(row) + ' |'

    yield ''


def at_most(what, value, target, form='%.2f'):
    return what, form % value, 'at most ' + form % target, value <= target


def at_least(what, value, target, form='%.2f'):
    return what, form % value, 'at least ' + form % target, value >= target


def cpu(result):
    yield '## CPU per request, ratio to plain nginx (lower to upper quartile)'
    yield ''

    sizes = SIZES + ('text',)
    rows = [['plain'] + ['1.00 (%.1f us)' % result['cpu_us']['plain'][size]
                         for size in sizes]]

    for variant, ratios in result['cpu_ratio'].items():
        spreads = result['cpu_ratio_quartiles'][variant]
        rows.append([variant] + [
            '%.2f (%.2f-%.2f)' % (ratios[size], *spreads[size])
            if size in ratios else '' for size in sizes])

    rows.append(['*target: modelguard*'] + ['%.2f' % CPU_TARGETS[size]
                                            for size in SIZES] + [''])
    rows.append(['*target: untouched*', '', '', '%.2f' % UNTOUCHED_TARGET,
                 '', '', '%.2f' % UNTOUCHED_TARGET])

    yield from table(('variant',) + sizes, rows)


def rss(result):
    alone = result['rss_kb']
    loaded = result['rss_kb_8_connections']

    yield '## Peak memory of the worker in KB: 1 connection, 8 connections'
    yield ''
    yield from table(('variant',) + SIZES + ('text',), (
        [variant] + ['%d, %d' % (alone[variant][size], loaded[variant][size])
                     if size in alone[variant] else ''
                     for size in SIZES + ('text',)]
        for variant in alone))


def kernel(result):
    yield '## The kernel alone, GB/s of input'
    yield ''

    values = result['kernel_gbs']
    names = ('40KB', '4MB', 'text')
    methods = sorted({key.rsplit('_', 1)[0] for key in values})

    yield from table(('method',) + names, (
        [method] + ['%.3f' % values['%s_%s' % (method, name)]
                    for name in names] for method in methods))


def instructions(result):
    yield '## Instructions per request (callgrind)'
    yield ''

    values = result['instructions']
    sizes = SIZES[:4]

    yield from table(('variant',) + sizes, (
        [variant] + ['%d' % counts[size] for size in sizes]
        for variant, counts in values.items() if isinstance(counts, dict)))


def streams(result):
    yield '## One long stream, proxy_buffering off'
    yield ''
    yield from table(
        ('stream', 'MB out', 'variant', 'CPU s', 'ratio', 'peak KB',
         'KB at the end', 'peak KB after the first MB'),
        ([kind, '%d' % (one['bytes'] / 1e6), variant,
          '%.2f%s' % (one['cpu_s'], '' if one['whole'] else ' (given up)'),
          '%.2f' % (one['cpu_s'] / values['plain']['cpu_s']),
          '%d' % one['peak_kb'], '%d' % one['rss_kb'],
          '%d' % one['first_kb']]
         for kind, values in result['streams'].items()
         for variant, one in values.items() if isinstance(one, dict)))


def clients(result):
    values = result['charges']
    theirs = values['limit_req_clients_per_mb']

    yield '## Memory of a client'
    yield ''
    yield from table(
        ('budgets', 'bytes', 'clients a MB', 'limit_req, as many zones:'
         ' bytes', 'clients a MB'),
        ([n, '%d' % values['bytes'][n], '%d' % values['clients_per_mb'][n],
          '%.1f' % (int(n) * 1048576 / theirs), '%d' % (theirs // int(n))]
         for n in values['bytes']))
    yield ('limit_req: a real zone of 1 MB and keys of 20 bytes, filled until'
           ' it forgets. A charge of 1, 4 and 8 budgets at 1 million clients:'
           ' %s ns; the hash of a key before it: %.0f ns.'
           % (', '.join('%.0f' % ns
                        for ns in values['ns_by_budgets'].values()),
              values['ns_hash']))
    yield ''


def charge_costs(result):
    values = result['charges']
    patterns = ('uniform', 'zipf', 'hot', 'one')

    yield '## Nanoseconds of a charge: one process / two processes'
    yield ''

    rows = [['%s, %s clients' % (STRUCTURES[structure], clients)]
            + [' / '.join('%.0f' % values['ns'][structure][
                '%s %s %d' % (clients, pattern, processes)]
                          for processes in (1, 2)) for pattern in patterns]
            for structure in STRUCTURES for clients in ('1000', '1000000')]

    yield from table(('structure', 'uniform', 'Zipf', '1000 hot keys',
                      'one key'), rows + ANCHORS)

    yield '## Instructions of a charge (callgrind, uniform)'
    yield ''
    yield from table(('structure', 'clients', 'budgets', 'instructions'), (
        [STRUCTURES[key.split()[0]]] + key.split()[1:] + ['%d' % count]
        for key, count in values['instructions'].items()))


def flood(result):
    values = result['charges']['flood']

    yield '## A flood of %d fresh keys, a zone for %d clients' \
        % (values['keys'], values['clients'])
    yield ''
    yield from table(('what', 'measured'), (
        ('clients that had spent all, before and after',
         '%d, %d' % (values['spent_before'], values['spent_after'])),
        ('clients that had spent half, after', '%d' % values['half_after']),
        ('evicted, exhausted', '%d, %d' % (values['evicted'],
                                           values['exhausted'])),
        ('KB of memory before, and grown by', '%d, %d'
         % (values['rss_kb'], values['rss_kb_grown'])),
        ('million charges a second, tenth by tenth',
         ' '.join('%.2f' % values['rate_%d' % n] for n in range(1, 11))),
        ('last tenth to first tenth', '%.2f' % values['last_to_first'])))


def charge_verdicts(result):
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

    counts = result['instructions']
    lengths = result['body_bytes']
    kernels = result['kernel_gbs']

    for size in SIZES:
        yield at_most('CPU, %s, modelguard' % size,
                      result['cpu_ratio']['modelguard'][size],
                      CPU_TARGETS[size])

    for size in ('40KB', 'text'):
        yield at_most('CPU, %s, no rule touches it' % size,
                      result['cpu_ratio']['untouched'][size],
                      UNTOUCHED_TARGET)

    for key, connections in RSS_KEYS:
        for size in SIZES:
            yield at_most('peak KB over plain, %s, %s' % (size, connections),
                          result[key]['modelguard'][size]
                          - result[key]['plain'][size], RSS_TARGET, '%d')

    for kind, values in result['streams'].items():
        yield at_most('peak KB over plain, stream, %s' % kind,
                      values['peak_kb_over_plain'], RSS_TARGET, '%d')

    for size in SIZES[:4]:
        yield at_most('instructions over plain, %s, modelguard' % size,
                      counts['modelguard'][size] - counts['plain'][size],
                      GATE[0] + GATE[1] * lengths[size], '%d')

    yield at_most('instructions a byte, 400KB, rewriting',
                  (counts['rewrite']['400KB'] - counts['plain']['400KB'])
                  / lengths['400KB'], GATE[1])
    yield at_most('instructions of one budget', counts['budget_over_plain'],
                  BUDGET_TARGET, '%d')
    yield ('instructions of limit_req', '%d' % counts['limit_req_over_plain'],
           '', None)
    yield at_most('instructions of each further budget',
                  counts['further_budget'], FURTHER_TARGET, '%d')
    yield at_most('instructions of an unguarded location',
                  abs(counts['unguarded_over_plain']), UNGUARDED_TARGET, '%d')
    yield ('instructions of a module that nothing uses',
           '%d' % counts['loaded_over_plain'], '', None)

    for name, target in KERNEL_TARGETS.items():
        value = kernels['modelguard_' + name]
        yield at_least('kernel GB/s, %s' % name, value, target)
        yield at_least('kernel over jansson, %s' % name,
                       value / kernels['jansson_' + name], JANSSON_TARGET,
                       '%.0f')


def compared(lines):
    yield '## Targets'
    yield ''
    yield from table(('what', 'measured', 'target', ''), (
        [what, measured, target, {True: 'met', False: '**missed**',
                                  None: ''}[met]]
        for what, measured, target, met in lines))


def targets(result):
    yield from compared(list(verdicts(result))
                        + list(charge_verdicts(result)))


def charges(result):
    lines = ['# The table of clients', '']

    for part in (clients, charge_costs, flood):
        lines += part(result)

    return '\n'.join(lines + list(compared(charge_verdicts(result))))


def markdown(result):
    lines = ['# modelguard beside plain nginx', '', result['setting'], '']

    for part in (cpu, rss, streams, kernel, instructions, clients,
                 charge_costs, flood, targets):
        lines += part(result)

    return '\n'.join(lines)
