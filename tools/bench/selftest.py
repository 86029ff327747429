# Copyright (C) the modelguard authors

"""Checks the benchmark without measuring: on made-up numbers the report is
written, and the schema, the comparison of outputs and the targets notice what
is wrong."""

import copy
import decimal
import json
import xml.etree.ElementTree

import bodies
import cells
import chart
import charges
import instructions
import peers
import report
import same
import schema
import streams
import tables
import targets

VARIANTS = cells.REPORTED + ('untouched',)
METRICS = ('cpu_ratio', 'rps_ratio', 'p50_ratio', 'p99_ratio')
VALUES = ('cpu_us', 'rps', 'p50_us', 'p99_us')


def ratios(variant, key):
    value = 1.0 if variant in VARIANTS + ('plain',) else 200.0

    return {size: value for size in tables.BODIES}


def made_up():
    """A result in which every target is met, and one peer has failed."""

    everyone = ('plain',) + VARIANTS + tuple(peers.PEERS_LIST)
    result = {'setting': 'nowhere', 'quick': True, 'seconds': 1,
              'body_bytes': {size: 1000 for size in tables.BODIES},
              'kernel_why': {'kernel_simdjson': 'not built'}}

    for key in METRICS:
        result[key] = {one: ratios(one, key) for one in everyone}
        result[key + '_quartiles'] = {
            one: {size: [1.0, 1.0] for size in tables.BODIES}
            for one in everyone}

    for key in VALUES + ('rss_kb', 'rss_kb_loaded'):
        result[key] = {one: {size: 5000 for size in tables.BODIES}
                       for one in everyone}

    result['kernel_gbs'] = {
        '%s_%s' % (method, name): 50.0 if method == 'modelguard' else 0.1
        for method in ('modelguard', 'jansson', 'memcpy')
        for name in ('40KB', '4MB', 'text')}
    result['instructions'] = {
        variant: {size: 20000 for size in schema.COUNTED + ('text',)}
        for variant in instructions.VARIANTS}
    result['instructions_over_plain'] = {
        key: 0 for key in ('limit_req', 'budget', 'budget8', 'further_budget',
                           'loaded', 'unguarded')}
    result['peers'] = {
        peer: {'title': what.title, 'why': {}, 'work': {
            size: {'same': True, 'numbers': 1, 'differing': 0, 'shape': None}
            for size in what.bodies}}
        for peer, what in peers.PEERS_LIST.items()}
    result['llm'] = {'why': 'not installed: litellm'}

    fail(result, 'njs', '4MB')
    add_streams(result)
    add_charges(result)

    return result


def fail(result, peer, size):
    result['peers'][peer]['why'][size] = 'it | died'

    for key in METRICS:
        del result[key][peer][size]

    for key in ('rss_kb', 'rss_kb_loaded'):
        del result[key][peer][size]


def add_streams(result):
    one = {'whole': True, 'bytes': 1e9, 'cpu_s': 1.0, 'wall_s': 1.0,
           'peak_kb': 5000, 'rss_kb': 5000, 'first_kb': 5000,
           'first_byte_us': 100}

    result['streams'] = {
        kind: dict({variant: one for variant in streams.VARIANTS},
                   cpu_ratio=1.0, peak_kb_over_plain=0,
                   us_an_event_over_plain=1.0, first_byte_us_over_plain=0)
        for kind in ('sse', 'ndjson')}


def add_charges(result):
    sizes = {str(n): 100 for n in charges.BUDGETS}
    flood = dict({'rate_%d' % n: 1.0 for n in range(1, 11)}, keys=1, clients=1,
                 spent_before=1, spent_after=1, half_after=1, evicted=1,
                 exhausted=0, rss_kb=1, rss_kb_grown=0, last_to_first=1.0)

    result['charges'] = {
        'bytes': sizes, 'clients_per_mb': sizes,
        'limit_req_clients_per_mb': 8000, 'ns_by_budgets': sizes,
        'ns_hash': 10.0, 'flood': flood,
        'ns': {structure: {'%d %s %d' % (clients, pattern, processes): 50.0
                           for clients, pattern in found
                           for processes in charges.PROCESSES}
               for structure, found in charges.CELLS.items()},
        'instructions': {'table 1000 1': 300, 'tree 1000 1': 900},
    }
    result['charge_ns'] = {structure: {'uniform': 50.0, 'hot': 50.0}
                           for structure in charges.STRUCTURES}
    result['bytes_per_client'] = sizes


def without(result, *path):
    spoiled = copy.deepcopy(result)
    place = spoiled

    for key in path[:-1]:
        place = place[key]

    del place[path[-1]]

    return spoiled


def changed(result, value, *path):
    spoiled = copy.deepcopy(result)
    place = spoiled

    for key in path[:-1]:
        place = place[key]

    place[path[-1]] = value

    return spoiled


def schema_checks(result):
    yield 'a whole result passes', not schema.problems(result)

    for path in (('cpu_ratio',), ('rss_kb',), ('instructions',),
                 ('kernel_gbs',), ('charge_ns',), ('bytes_per_client',),
                 ('cpu_ratio', 'modelguard'), ('cpu_ratio', 'plain', '4MB'),
                 ('rss_kb', 'modelguard', '0.4KB'),
                 ('instructions', 'budget4'),
                 ('instructions', 'modelguard', '400KB'),
                 ('kernel_gbs', 'modelguard_text'), ('charge_ns', 'tree'),
                 ('charge_ns', 'table', 'hot'), ('bytes_per_client', '8')):
        yield ('it is noticed that %s is missing' % '.'.join(path),
               schema.problems(without(result, *path)))

    for value, path in (('1', ('cpu_ratio', 'plain', '4KB')),
                        (None, ('kernel_gbs', 'jansson_40KB')),
                        ({}, ('bytes_per_client', '1')),
                        (5, ('charge_ns', 'table')),
                        ([], ('rss_kb',)), (-1, ('rss_kb', 'plain', '4KB'))):
        yield ('it is noticed that %s is %r' % ('.'.join(path), value),
               schema.problems(changed(result, value, *path)))


def target_checks(result):
    def missed(one):
        return [what for what, _, _, met in targets.verdicts(one)
                if met is False]

    yield 'no target is missed', not missed(result)

    for value, path in (
            (1.06, ('cpu_ratio', 'modelguard', '4KB')),
            (60.0, ('cpu_ratio', 'modelguard', '400KB')),
            (1.51, ('cpu_ratio', 'untouched', 'text')),
            (6100, ('rss_kb', 'modelguard', '4MB')),
            (701, ('instructions_over_plain', 'budget')),
            (-51, ('instructions_over_plain', 'unguarded')),
            (30001, ('instructions', 'modelguard', '4KB')),
            (1.9, ('kernel_gbs', 'modelguard_4MB')),
            (3.1, ('streams', 'sse', 'us_an_event_over_plain')),
            (129, ('charges', 'bytes', '1')),
            (121.0, ('charges', 'ns', 'table', '1000000 uniform 2'))):
        yield ('%s of %s misses' % (value, '.'.join(path)),
               missed(changed(result, value, *path)))

    peer = changed(result, 3.9, 'cpu_ratio', 'lua_budget', '4KB')
    yield 'so does a peer that is too near', missed(peer)

    gone = without(result, 'cpu_ratio', 'lua_budget')
    yield 'but not one that is not there', not missed(gone)


def report_checks(result):
    text = report.markdown(result)

    yield 'a quick run says that it is none', 'say nothing' in text
    yield 'all targets are there', 'targets are met' in text
    yield 'who failed is said', 'it / died' in text and 'failed' in text
    yield 'a peer that is not the same work is named', \
        '**not the same work**: 3 of 10 numbers' in report.markdown(changed(
            result, {'same': False, 'numbers': 10, 'differing': 3,
                     'shape': None}, 'peers', 'subs_filter', 'work', '4KB'))

    wide = [line for line in text.split('\n') if line.startswith('|')]
    yield 'there are tables', len(wide) > 100

    image = chart.svg(result)
    yield 'the chart is XML', xml.etree.ElementTree.fromstring(image) is not \
        None
    yield 'with a bar for each', image.count('<rect') > 60

    page = 'a\n%s\nold\n%s\nz\n' % (report.BEGIN, report.END)
    once = report.between(page, 'new')
    yield 'a page keeps what is around the tables', \
        once.startswith('a\n') and once.endswith('\nz\n') \
        and 'new' in once and 'old' not in once
    yield 'and may be written again', report.between(once, 'new') == once

    page = report.PAGE.read_text()
    yield 'the page has its markers', page.count(report.BEGIN) == 1 \
        and page.count(report.END) == 1


def same_checks():
    want = [{'scores': [decimal.Decimal('0.12'), decimal.Decimal('0.85')],
             'label': 'a'}]

    def found(*scores, label='a', **more):
        one = same.Difference(same.NEAR)
        one.walk(want, [dict({'scores': list(scores), 'label': label},
                             **more)])
        return one

    yield 'the same is the same', \
        (found(0.12, 0.85).differing, found(0.12, 0.85).shape) == (0, None)
    yield 'however it is written', found(0.120000000000000001, 0.85).differing \
        == 0
    yield 'another number is counted', found(0.12, 0.84).differing == 1
    yield 'a missing one is noticed', found(0.12).shape
    yield 'another member, too', found(0.12, 0.85, logits=[]).shape
    yield 'another string, too', found(0.12, 0.85, label='b').shape
    yield 'a string for a number, too', found(0.12, '0.85').shape

    body = bodies.predictions('4KB').encode()
    document = json.loads(body)
    del document['model_version']

    for row in document['predictions']:
        del row['logits']
        row['scores'] = [round(one, 2) for one in row['scores']]

    right = json.dumps(document).encode()
    yield 'a rounded document has no complaint', \
        same.complaint_of_predictions(body, right) is None
    yield 'the upstream\'s own has one', \
        same.complaint_of_predictions(body, body)

    document['predictions'][0]['scores'][3] += 0.02
    yield 'so has one with a wrong number', same.complaint_of_predictions(
        body, json.dumps(document).encode())


def checks():
    result = made_up()

    yield from schema_checks(result)
    yield from target_checks(result)
    yield from report_checks(result)
    yield from same_checks()


def run():
    """The exit status."""

    good = failed = 0

    for what, held in checks():
        if held:
            good += 1
        else:
            failed += 1
            print('bench: not so: ' + what)

    print('bench: %d checks hold, %d do not' % (good, failed))

    return 1 if failed else 0
