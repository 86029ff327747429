#!/usr/bin/env python3
# Copyright (C) the modelguard authors

"""Mixed traffic through a guarded nginx, with reloads and killed workers.

SOAK_TIME seconds (1200), SOAK_RATE requests a second (150): all framings,
clients that leave, budgets that run out, a HUP every SOAK_HUP seconds (10), a
worker killed with -9 every SOAK_KILL (30); 0 is never, and with SOAK_HUP=0 the
workers are as old as the run.  At the end memory and descriptors have to be flat, the
counters have to be those of the clients, and no forbidden digit may have
come.  Prints a table; the log and the samples stay in build/soak.
"""

import asyncio
import collections
import http.client
import json
import math
import multiprocessing
import os
import pwd
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time

import clients
import model

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), '../..'))
OUT = os.path.join(TOP, 'build/soak')
NGINX = os.environ.get('NGINX_BIN', '/usr/sbin/nginx')
MODULE = os.environ.get('NGINX_MODULE',
                        TOP + '/build/ngx_http_modelguard_module.so')
TIME = float(os.environ.get('SOAK_TIME', 1200))
RATE = float(os.environ.get('SOAK_RATE', 150))
HUP = float(os.environ.get('SOAK_HUP', 10))
KILL = float(os.environ.get('SOAK_KILL', 30))
SAMPLE = 1
AGE = 7                                # s, at which workers are compared
LIMIT = 10 ** 9

# tokens of an answer whose usage has not come: a quarter of its bytes

TOKENS_MOST = len(model.PACKED['big'][2]) // 4 + 100

# what may grow from the second quarter of the time to the last, in KB: pages
# that malloc keeps, by the median of all samples; a leak of a request would be
# RATE * TIME times as much

GROWTH = {'master': 256, 'worker': 1024}

CONF = '''
daemon off;
%(user)s
worker_processes 2;
pid nginx.pid;
error_log error.log notice;
load_module %(module)s;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    log_not_found off;
    modelguard_log_level info;
    modelguard_zone $arg_k zone=kept:1m state=%(out)s/state/kept;
    modelguard_zone $arg_k zone=memory:1m;
    modelguard_field scores $.scores $.rows[*].scores;
    modelguard_field metadata $.meta;
    modelguard_field embedding $.embedding;
    modelguard_profile two { scores round=2; embedding round=2;
                             metadata drop; }
    modelguard_cost tokens %(tokens)d;
    modelguard_vector_size 1m;
    proxy_http_version 1.1;
    server {
        listen 127.0.0.1:%(port)d backlog=1024;
        modelguard two;
        location /model/ {
            %(budgets)s
            proxy_pass http://127.0.0.1:%(model)d/;
        }
        location /tight/ {
            modelguard_budget tight zone=memory limit=2 window=5s;
            proxy_pass http://127.0.0.1:%(model)d/;
        }
        location /param/ {
            %(budgets)s
            modelguard_param $.logprobs forbid;
            proxy_pass http://127.0.0.1:%(model)d/;
        }
        %(looks)s
        location = /counters {
            modelguard off;
            default_type text/plain;
            return 200 "%(counters)s";
        }
    }
}
'''

BUDGETS = {
    'spent': 'zone=kept limit=%d lifetime' % LIMIT,
    'tokens': 'zone=kept limit=%d lifetime unit=tokens' % LIMIT,
    'month': 'zone=memory limit=%d calendar=month' % LIMIT,
}

WORDS = ('allowed', 'limited', 'exhausted', 'forbidden', 'treated', 'blocked',
         'cut', 'upstream', 'truncated', 'malformed', 'memory', 'undecided')
ZONE_WORDS = ('records', 'capacity', 'evicted', 'exhausted', 'recovered',
              'repaired')


def configure(port, upstream):
    budgets = {name: 'modelguard_budget %s %s;' % (name, text)
               for name, text in BUDGETS.items()}

    looks = ''.join('''
        location = /look/%s {
            %s
            modelguard_cost requests 0;
            modelguard_cost tokens 1;
            add_header X-Remaining $modelguard_remaining always;
            root none;
        }''' % item for item in budgets.items())

    counters = ['%s $modelguard_count_%s' % (word, word) for word in WORDS]
    counters += ['%s_%s $modelguard_zone_%s_%s' % (zone, word, word, zone)
                 for zone in ('kept', 'memory') for word in ZONE_WORDS]

    user = ''

    if os.geteuid() == 0:
        user = 'user %s;' % pwd.getpwuid(0).pw_name

    with open(OUT + '/nginx.conf', 'w') as out:
        out.write(CONF % {
            'user': user, 'module': MODULE, 'port': port, 'model': upstream,
            'out': OUT, 'tokens': model.TOKENS,
            'budgets': '\n            '.join(budgets.values()),
            'looks': looks, 'counters': '\n'.join(counters)})


def free_port():
    with socket.socket() as one:
        one.bind(('127.0.0.1', 0))
        return one.getsockname()[1]


def get(port, uri):
    for _ in range(50):
        try:
            one = http.client.HTTPConnection('127.0.0.1', port, timeout=10)
            one.request('GET', uri)
            answer = one.getresponse()
            return answer, answer.read().decode()
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)

    sys.exit('soak: nobody answers %s' % uri)


def spent(port, budget, key):
    left = get(port, '/look/%s?k=%s' % (budget, key))[0]
    left = int(left.getheader('X-Remaining'))

    return LIMIT - left - (1 if budget == 'tokens' else 0)


# of processes

def read(path):
    try:
        with open(path) as lines:
            return lines.read()
    except OSError:
        return ''


def children(master):
    return [int(pid) for pid in
            read('/proc/%d/task/%d/children' % (master, master)).split()]


def rss(pid):
    found = re.search(r'VmRSS:\s+(\d+)', read('/proc/%d/status' % pid))

    return int(found.group(1)) if found else None


def descriptors(pid):
    try:
        return len(os.listdir('/proc/%d/fd' % pid))
    except OSError:
        return None


def born(pid):
    text = read('/proc/%d/stat' % pid)

    return int(text.rpartition(')')[2].split()[19]) if text else None


def zombie(pid):
    return re.search(r'\) Z', read('/proc/%d/stat' % pid)) is not None


class Keeper:
    """Reloads, kills, and samples of memory and descriptors."""

    def __init__(self, master):
        self.master = master
        self.samples = []              # s, RSS and descriptors of the master
        self.workers = []              # the same of workers of that age
        self.count = []                # processes
        self.seen = {}
        self.measured = set()
        self.hups = 0
        self.killed = []

    async def run(self, over):
        start = time.monotonic()
        hup, kill = (start + (wait or math.inf) for wait in (HUP, KILL))

        while not over():
            now = time.monotonic()
            self.sample(now - start, now)

            if now >= hup:
                os.kill(self.master, signal.SIGHUP)
                self.hups += 1
                hup += HUP

            elif now >= kill:

                # between reloads: one of those that accept connections

                self.kill()
                kill += KILL

            await asyncio.sleep(SAMPLE)

    def sample(self, at, now):
        self.samples.append((at, rss(self.master), descriptors(self.master)))
        pids = children(self.master)
        self.count.append(len(pids))

        for pid in pids:
            one = (pid, born(pid))
            first = self.seen.setdefault(one, now)

            if now - first >= AGE and (not HUP or one not in self.measured):
                self.measured.add(one)
                memory = rss(pid)

                if memory:
                    self.workers.append((at, memory, descriptors(pid)))

    def kill(self):
        pids = [pid for pid in children(self.master) if not zombie(pid)]

        if pids:
            pid = random.choice(sorted(pids)[-2:])
            os.kill(pid, signal.SIGKILL)
            self.killed.append(pid)


def quarters(samples, column):
    """Medians of the second quarter and of the last."""

    values = [sample[column] for sample in samples
              if sample[column] is not None]
    n = len(values)

    if n < 8:
        return None

    return (statistics.median(values[n // 4:n // 2]),
            statistics.median(values[-(n // 4):]))


def slope(samples, column):
    """Least squares over all but the first quarter, per hour."""

    points = [(s[0], s[column]) for s in samples[len(samples) // 4:]
              if s[column] is not None]

    if len(points) < 4:
        return 0.0

    x, y = zip(*points)
    mx, my = statistics.fmean(x), statistics.fmean(y)
    square = sum((a - mx) ** 2 for a in x)

    return 3600 * sum((a - mx) * (b - my) for a, b in points) / square


def slope_beside(samples):
    """The slope of RSS, per hour, with what goes with descriptors taken out:
    least squares of RSS over time and descriptors.  A worker with more open
    connections has more memory, and a busier machine more connections."""

    points = [s for s in samples[len(samples) // 4:] if None not in s]

    if len(points) < 8:
        return 0.0

    means = [statistics.fmean(column) for column in zip(*points)]
    t, y, d = ([s[i] - means[i] for s in points] for i in range(3))

    def dot(a, b):
        return sum(x * y for x, y in zip(a, b))

    both = dot(t, t) * dot(d, d) - dot(t, d) ** 2

    if both == 0:
        return slope(samples, 1)

    return 3600 * (dot(t, y) * dot(d, d) - dot(d, y) * dot(t, d)) / both


class Report:
    def __init__(self):
        self.bad = 0
        self.lines = []

    def line(self, what, value, good=None):
        self.bad += good is False
        mark = {None: '', True: 'ok', False: 'NOT OK'}[good]
        self.lines.append('| %s | %s | %s |' % (what, value, mark))

    def text(self):
        return '\n'.join(['| what | value | |', '|---|---|---|']
                         + self.lines)


def report_memory(report, keeper):
    for name, samples in (('master', keeper.samples),
                          ('worker', keeper.workers)):
        said = 'RSS of the master' if name == 'master' \
            else 'RSS of workers %d s old (%d samples)' % (AGE, len(samples))

        for column, what, most in ((1, said + ', KB', GROWTH[name]),
                                   (2, said.replace('RSS', 'descriptors'),
                                    0 if name == 'master' else 60)):
            medians = quarters(samples, column)

            if medians is None:
                report.line(what, 'too few samples to compare')
                continue

            grown = medians[1] - medians[0]
            report.line(what, 'median %d in the second quarter, %d in the '
                        'last; at most %d more; slope %+.0f an hour'
                        % (*medians, most, slope(samples, column)),
                        grown <= most)

        report.line('slope of that RSS, descriptors taken out',
                    '%+.0f KB an hour' % slope_beside(samples))

    report.line('worker processes at once', 'median %d, at most %d'
                % (statistics.median(keeper.count), max(keeper.count)))


def report_log(report, keeper, log):
    alerts = re.findall(r'\[(?:alert|crit|emerg)\] .*', log)
    died = [int(pid) for pid in
            re.findall(r'worker process (\d+) exited on signal 9', log)]
    others = [line for line in alerts
              if not re.search(r'worker process \d+ exited on signal 9',
                               line)]

    report.line('workers killed', '%d, of which the log knows %d'
                % (len(keeper.killed), len(died)),
                sorted(died) == sorted(keeper.killed))
    report.line('other alert, crit and emerg', len(others), not others)
    report.line('of error', len(re.findall(r'\[error\]', log)))

    for line in others[:10]:
        print('log: ' + line)


def report_clients(report, seen, port):
    groups = collections.defaultdict(lambda: [0, 0, 0, 0])
    wrong = []

    for group in ('good', 'abort', 'fails', 'truncated', 'param'):
        for i in range(clients.CLIENTS):
            key = '%s%d' % (group, i)
            least = seen.charged[key]

            for budget in BUDGETS:
                got = spent(port, budget, key)
                one = groups[group, budget]
                few, many = 1, 1

                # what was withheld was answered, and is paid for by its bytes

                if budget == 'tokens':
                    few = 1 if group == 'truncated' else model.TOKENS
                    many = TOKENS_MOST if group == 'abort' else 50 \
                        if group == 'truncated' else model.TOKENS

                low = least * few
                high = least * (many if group == 'truncated' else few) \
                    + seen.unknown[key] * many

                for j, value in enumerate((low, got, high)):
                    one[j] += value

                if not low <= got <= high:
                    one[3] += 1
                    wrong.append('%s of %s: %d, not %d to %d'
                                 % (budget, key, got, low, high))

    for (group, budget), (least, got, most, bad) in groups.items():
        report.line('budget "%s" of clients "%s"' % (budget, group),
                    '%d spent; at least %d, at most %d more; wrong for %d of '
                    '%d clients' % (got, least, most - least, bad,
                                    clients.CLIENTS), not bad)

    for line in wrong[:10]:
        print('budget: ' + line)


def report_counters(report, seen, port):
    counters = dict(line.split() for line
                    in get(port, '/counters')[1].split('\n') if line)
    counters = {name: int(value) for name, value in counters.items()}

    ok = sum(n for (_, status), n in seen.answers.items() if status == 200)
    unknown = sum(seen.unknown.values())
    failed = seen.answers['fails', 500]
    truncated = seen.answers['truncated', 502]

    for word, least, most in (
            ('allowed', ok + failed + truncated, unknown),
            ('limited', seen.answers['tight', 429], seen.kinds['tight']),
            ('forbidden', seen.answers['param', 403]
             + seen.answers['param', 400], seen.kinds['param']),
            ('treated', ok + truncated, unknown),
            ('upstream', truncated, unknown),
            ('truncated', 0, 0), ('malformed', 0, 0), ('memory', 0, 0), ('undecided', 0, 0)):
        got = counters[word]
        report.line('$modelguard_count_' + word,
                    '%d; %d answers, %d unknown' % (got, least, most),
                    least <= got <= least + most)

    # 96 clients

    for zone in ('kept', 'memory'):
        got = {word: counters['%s_%s' % (zone, word)] for word in ZONE_WORDS}
        report.line('zone "%s"' % zone, ', '.join(
            '%s %d' % item for item in got.items()),
            got['records'] <= 6 * clients.CLIENTS and got['evicted'] == 0
            and got['exhausted'] == 0 and got['repaired'] == 0)


def launch():
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT + '/state')

    context = multiprocessing.get_context('fork')
    queue = context.Queue()
    upstream = context.Process(target=model.serve, args=(queue.put,),
                               daemon=True)
    upstream.start()

    port = free_port()
    configure(port, queue.get(timeout=10))

    nginx = subprocess.Popen([NGINX, '-p', OUT + '/', '-c',
                              OUT + '/nginx.conf', '-e', OUT + '/error.log'])

    get(port, '/counters')

    return upstream, nginx, port


def finish(upstream, nginx, report):
    pids = [nginx.pid, upstream.pid, *children(nginx.pid)]

    nginx.send_signal(signal.SIGQUIT)

    try:
        code = nginx.wait(30)
    except subprocess.TimeoutExpired:
        code = 'none'
        nginx.kill()

    upstream.terminate()
    upstream.join()

    left = [pid for pid in pids if os.path.exists('/proc/%d' % pid)]

    report.line('exit code of nginx, processes left', '%s, %d'
                % (code, len(left)), code == 0 and not left)


def main():
    upstream, nginx, port = launch()
    seen = clients.Seen()
    keeper = Keeper(nginx.pid)
    start = time.monotonic()
    report = Report()

    def over():
        return time.monotonic() - start >= TIME

    async def traffic():
        await asyncio.gather(clients.run(port, seen, RATE, over),
                             keeper.run(over))

    try:
        asyncio.run(traffic())

        # a worker of the last reload settles what its clients have left

        time.sleep(2)

        answers = sum(seen.answers.values())
        report.line('time, reloads', '%d s, %d' % (time.monotonic() - start,
                                                   keeper.hups))
        report.line('answers', '%d, %d MB; %s' % (
            answers, seen.bytes >> 20, ', '.join(
                '%s %d: %d' % (*key, n)
                for key, n in sorted(seen.answers.items()))), answers > 0)
        report.line('requests of which nobody knows', ', '.join(
            '%s: %d' % item for item in sorted(seen.kinds.items())))
        report.line('wrong answers, forbidden digits', len(seen.wrong),
                    not seen.wrong)

        for line in seen.wrong[:10]:
            print('answer: ' + line)

        report_memory(report, keeper)
        report_counters(report, seen, port)
        report_clients(report, seen, port)
    finally:
        finish(upstream, nginx, report)

    report_log(report, keeper, read(OUT + '/error.log'))

    with open(OUT + '/samples.json', 'w') as out:
        json.dump({'master': keeper.samples, 'workers': keeper.workers}, out)

    with open(OUT + '/soak.md', 'w') as out:
        out.write(report.text() + '\n')

    print(report.text())
    sys.exit(1 if report.bad else 0)


if __name__ == '__main__':
    main()
