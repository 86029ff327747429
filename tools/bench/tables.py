# Copyright (C) the modelguard authors

"""What was measured, as tables in Markdown."""

from schema import COUNTED, SIZES

import targets

BODIES = SIZES + ('text', 'sse', 'embedding', 'embedding_base64')

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


#   key of the ratios: (heading, key of the values, their form)

METRICS = {
    'cpu_ratio': ('CPU time of a request, ratio to plain nginx right before it'
                  ' (lower to upper quartile)', 'cpu_us', '%.1f us'),
    'rps_ratio': ('Requests a second, ratio to plain (quartiles)', 'rps',
                  '%.0f'),
    'p50_ratio': ('Median of the latency, ratio to plain (quartiles)',
                  'p50_us', '%.0f us'),
    'p99_ratio': ('99th percentile of the latency, ratio to plain'
                  ' (quartiles)', 'p99_us', '%.0f us'),
}

ORDER = ('limit_req', 'unguarded', 'budget', 'rewrite', 'modelguard',
         'untouched')


def order(result):
    """Ours first, then the peers, and those that failed too."""

    return [one for one in ORDER if one in result['cpu_ratio']] \
        + list(result['peers'])


def title(result, variant):
    if variant in result['peers']:
        return result['peers'][variant]['title']

    return '**%s**' % variant if variant == 'modelguard' else variant


def short(value):
    return '%.2f' % value if value < 9.995 else '%.1f' % value \
        if value < 99.95 else '%.0f' % value


def metric(result, key):
    heading, absolute, form = METRICS[key]
    ratios, spreads = result[key], result[key + '_quartiles']

    def cell(variant, size):
        if size not in ratios.get(variant, {}):
            why = result['peers'].get(variant, {}).get('why', {})
            return 'failed' if size in why else ''

        return '%s (%s-%s)' % ((short(ratios[variant][size]),)
                               + tuple(map(short, spreads[variant][size])))

    yield '## ' + heading
    yield ''

    rows = [['plain'] + ['1 (%s)' % (form % result[absolute]['plain'][size])
                         for size in BODIES]]
    rows += [[title(result, variant)] + [cell(variant, size)
                                         for size in BODIES]
             for variant in order(result)]

    if key == 'cpu_ratio':
        rows.append(['*target: modelguard*']
                    + ['%.2f' % targets.CPU_TARGETS[size] for size in SIZES]
                    + [''] * (len(BODIES) - len(SIZES)))

    yield from table(('variant',) + BODIES, rows)


def metrics(result):
    for key in METRICS:
        yield from metric(result, key)


def work(result):
    yield '## Whether it is the same work'
    yield ''
    yield ('Each output was parsed and compared with what the upstream\'s body'
           ' must become: numbers rounded to 2 decimals, logits and'
           ' model_version gone, the rest as it was. A variant of modelguard'
           ' that differs ends the benchmark.')
    yield ''

    def verdict(one):
        if one['same']:
            return 'same, %d numbers' % one['numbers']

        return '**not the same work**: %s' % (
            one['shape'] or '%d of %d numbers differ' % (one['differing'],
                                                         one['numbers']))

    def row(peer):
        merged = {}

        for size, one in peer['work'].items():
            if size not in peer['why']:
                merged.setdefault(verdict(one).split(',')[0] if one['same']
                                  else verdict(one), []).append(size)

        for size, why in peer['why'].items():
            merged.setdefault('failed: ' + why.replace('|', '/'),
                              []).append(size)

        return '; '.join('%s (%s)' % (what, ', '.join(sizes))
                         for what, sizes in merged.items())

    yield from table(('peer', 'output'), (
        [peer['title'], row(peer)] for peer in result['peers'].values()))


def rss(result):
    alone = result['rss_kb']
    loaded = result['rss_kb_loaded']

    def cell(variant, size):
        if size not in alone.get(variant, {}):
            return ''

        return '%d, %d (%s)' % (
            alone[variant][size], loaded[variant][size],
            short(loaded[variant][size] / loaded['plain'][size]))

    yield ('## Peak memory in KB: 1 connection, loaded (ratio to plain,'
           ' loaded)')
    yield ''
    yield ('Loaded is 8 connections, 4 for 4MB. The larger of some processes'
           ' of ours, of one process of a peer.')
    yield ''
    yield from table(('variant',) + BODIES, (
        [title(result, variant)] + [cell(variant, size) for size in BODIES]
        for variant in ['plain'] + order(result)))


def llm(result):
    values = result['llm']

    yield '## An answer of a chat model with log probabilities, through LiteLLM'
    yield ''

    if 'why' in values:
        yield 'LiteLLM was not measured: %s' % values['why']
        yield ''
        return

    yield ('Not the same work: LiteLLM passes the answer on, modelguard charges'
           ' a budget and rounds. LiteLLM took %.0f seconds to start.'
           % values['start_seconds'])
    yield ''
    yield from table(
        ('variant', 'CPU us', 'ratio to plain (quartiles)', 'requests a second',
         'p50 us', 'p99 us', 'peak KB', 'log probabilities'),
        ([name, '%.1f' % one['cpu_us'], '%s (%s-%s)' % (
            short(one['cpu_ratio'][1]), short(one['cpu_ratio'][0]),
            short(one['cpu_ratio'][2])),
          '%d' % one['rps'], '%d' % one['p50_us'], '%d' % one['p99_us'],
          '%d' % one['rss_kb'], one['logprobs']]
         for name, one in values['variants'].items()))


def kernel(result):
    yield '## The kernel alone, GB/s of input'
    yield ''

    values = result['kernel_gbs']
    names = ('40KB', '4MB', 'text')
    methods = sorted({key.rsplit('_', 1)[0] for key in values},
                     key=lambda one: -values[one + '_4MB'])

    yield from table(('method',) + names, (
        [method] + ['%.3f' % values['%s_%s' % (method, name)]
                    for name in names] for method in methods))

    for program, why in result['kernel_why'].items():
        yield 'Without %s: %s.' % (program, why)
        yield ''


def instructions(result):
    yield '## Instructions of a request (callgrind)'
    yield ''

    sizes = COUNTED + ('text',)

    yield from table(('variant',) + sizes, (
        [variant] + ['%d' % counts[size] if size in counts else ''
                     for size in sizes]
        for variant, counts in result['instructions'].items()))


def streams(result):
    yield '## One long stream, proxy_buffering off'
    yield ''
    yield from table(
        ('stream', 'MB', 'variant', 'CPU s', 'ratio', 'us to the first byte',
         'peak KB', 'KB at the end', 'peak KB after the first MB'),
        ([kind, '%d' % (one['bytes'] / 1e6), variant,
          '%.2f%s' % (one['cpu_s'], '' if one['whole'] else ' (given up)'),
          '%.2f' % (one['cpu_s'] / values['plain']['cpu_s']),
          '%d' % one['first_byte_us'], '%d' % one['peak_kb'],
          '%d' % one['rss_kb'], '%d' % one['first_kb']]
         for kind, values in result['streams'].items()
         for variant, one in values.items() if isinstance(one, dict)))
    yield 'An event costs, over plain: ' + ', '.join(
        '%.2f us (%s)' % (values['us_an_event_over_plain'], kind)
        for kind, values in result['streams'].items()) + '.'
    yield ''


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

    def cells(structure, clients, pattern):
        keys = ['%s %s %d' % (clients, pattern, processes)
                for processes in (1, 2)]

        return [values['ns'][structure][key] for key in keys
                if key in values['ns'][structure]]

    yield '## Nanoseconds of a charge: one process / two processes'
    yield ''

    rows = [['%s, %s clients' % (STRUCTURES[structure], clients)]
            + [' / '.join('%.0f' % one for one in cells(structure, clients,
                                                        pattern))
               for pattern in patterns]
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


def compared(lines):
    lines = list(lines)
    met = [line[3] for line in lines if line[3] is not None]

    yield '## Targets'
    yield ''
    yield '%d of %d targets are met.' % (sum(met), len(met))
    yield ''
    yield from table(('what', 'measured', 'target', ''), (
        [what, measured, target, {True: 'met', False: '**missed**',
                                  None: ''}[one]]
        for what, measured, target, one in lines))


def charges(result):
    for part in (clients, charge_costs, flood):
        yield from part(result)


def everything(result):
    for part in (metrics, work, rss, llm, kernel, instructions, streams,
                 charges):
        yield from part(result)

    yield from compared(targets.verdicts(result))
