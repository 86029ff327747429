# Copyright (C) the modelguard authors

"""What a client takes and what a charge costs, beside limit_req: its real zone
for bytes (filled until it forgets), its shape in C for the charge alone (see
charge_tree.c; its instructions in a whole request are in instructions.py).

Nanoseconds are medians of many batches, of the best of several runs: the
machine is shared.  Instructions
are callgrind's, in one process, without filling the table."""

import re
import socket
import subprocess

import servers

STRUCTURES = ('table', 'tree')
CLIENTS = (1000, 1000000)
PROCESSES = (1, 2)
BUDGETS = (1, 4, 8)

#   structure: (clients, pattern) measured with one process and with two

CELLS = {
    'table': [(clients, pattern) for clients in CLIENTS
              for pattern in ('uniform', 'hot')]
             + [(CLIENTS[-1], pattern) for pattern in ('zipf', 'one')],
    'tree': [(1000, 'uniform'), (CLIENTS[-1], 'uniform'),
             (CLIENTS[-1], 'hot')],
}

RUNS = {'table': 2, 'tree': 1}
CHARGES = {'table': 1000000, 'tree': 200000}    # in a run

COUNTED = 50000             # under callgrind

FLOOD_KEYS = 10000000
FLOOD_CLIENTS = 100000

ANSWER = re.compile(rb'HTTP/1\.1 (\d+).*?\r\nContent-Length: (\d+)\r\n'
                    rb'.*?\r\n\r\n', re.S)
COLLECTED = re.compile(r'Collected : (\d+)')

LIMIT_REQ_ZONE = 1024 * 1024
LIMIT_REQ_KEYS = 12000      # more than such a zone holds
LIMIT_REQ_BATCH = 100

LIMIT_REQ_HTTP = ('    limit_req_zone $http_x_api_key zone=filled:1m'
                  ' rate=1r/m;\n    limit_req_log_level info;\n')
LIMIT_REQ_LOCATION = ('            limit_req zone=filled;\n'
                      '            limit_req_status 429;\n'
                      '            empty_gif;\n')


def run(arguments, wrapper=(), patience=600):
    command = list(wrapper) + [str(servers.WORK / 'charge')]
    result = subprocess.run(command + [str(one) for one in arguments],
                            capture_output=True, text=True, timeout=patience)

    if result.returncode != 0:
        raise servers.Failure(result.stderr.strip())

    return result


def values(*arguments):
    lines = run(arguments).stdout.splitlines()

    return {key: float(value) for key, value in (line.split()
                                                 for line in lines)}


def nanoseconds(structure, pattern, clients, processes, budgets, scale):
    runs = 1 if scale < 1 else RUNS[structure]

    return min(values('run', structure, pattern, clients, processes, budgets,
                      int(CHARGES[structure] * scale))['ns']
               for _ in range(runs))


def instructions(structure, clients, budgets):
    text = run(('run', structure, 'uniform', clients, 1, budgets, COUNTED),
               ('valgrind', '--tool=callgrind', '--instr-atstart=no',
                '--callgrind-out-file=/dev/null')).stderr

    return round(int(COLLECTED.search(text).group(1)) / COUNTED)


def statuses(sock, keys):
    """One request for each key, many at a time."""

    found = []
    rest = b''

    for start in range(0, len(keys), LIMIT_REQ_BATCH):
        batch = keys[start:start + LIMIT_REQ_BATCH]
        sock.sendall(b''.join(
            b'GET /x HTTP/1.1\r\nHost: x\r\nX-Api-Key: sk-%017d\r\n\r\n' % key
            for key in batch))

        while len(found) < start + len(batch):
            answer = ANSWER.match(rest)

            if answer and len(rest) >= answer.end() + int(answer.group(2)):
                found.append(answer.group(1))
                rest = rest[answer.end() + int(answer.group(2)):]
                continue

            data = sock.recv(65536)

            if not data:
                raise servers.Failure('limit_req has closed the connection')

            rest += data

    return found


def limit_req_clients():
    """How many 20-byte keys a real zone of 1 MB remembers: it is given more,
    and then asked for the newest first.  Who is remembered is refused."""

    server = servers.Server('filled', None)

    with server.configure((), LIMIT_REQ_HTTP, LIMIT_REQ_LOCATION):
        with socket.create_connection(('127.0.0.1', server.port)) as sock:
            keys = list(range(LIMIT_REQ_KEYS))
            statuses(sock, keys)
            answers = statuses(sock, keys[::-1])

    return answers.index(b'200')


def measure(scale, say):
    say('bytes of a client')

    sizes = values('bytes')
    result = {
        'bytes': {str(n): int(sizes['bytes_%d' % n]) for n in BUDGETS},
        'clients_per_mb': {str(n): int(sizes['clients_%d' % n])
                           for n in BUDGETS},
        'limit_req_clients_per_mb': limit_req_clients(),
    }

    say('nanoseconds of a charge')

    table = result['ns'] = {}

    for structure in STRUCTURES:
        for clients, pattern in CELLS[structure]:
            for processes in PROCESSES:
                table.setdefault(structure, {})[
                    '%d %s %d' % (clients, pattern, processes)] = \
                    nanoseconds(structure, pattern, clients, processes, 1,
                                scale)

    result['ns_by_budgets'] = {
        str(n): nanoseconds('table', 'uniform', CLIENTS[-1], 1, n, scale)
        for n in BUDGETS}
    result['ns_hash'] = values('hash', int(CHARGES['table'] * scale))['ns']

    say('instructions of a charge')

    result['instructions'] = {
        '%s %d %d' % (structure, clients, budgets):
            instructions(structure, clients, budgets)
        for structure, clients, budgets in
        (('table', 1000, 1), ('table', 1000, 4), ('table', 1000, 8),
         ('table', 1000000, 1), ('tree', 1000, 1))}

    say('a flood of keys')

    result['flood'] = values('flood', int(FLOOD_KEYS * scale),
                             int(FLOOD_CLIENTS * scale))

    return result
