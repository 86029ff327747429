# Copyright (C) the modelguard authors

"""A program of the benchmark: started on one core, waited for, measured, and
ended by process id, whatever happens.  All on loopback, under build/bench."""

import collections
import itertools
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
WORK = TOP / 'build' / 'bench'
PEERS = WORK / 'peers'

CORES = sorted(os.sched_getaffinity(0))
GUARDED_CORE = CORES[0]
OTHER_CORE = CORES[-1]

PATIENCE = 10               # seconds for a start or an end, 8 for valgrind

# below the ports that connections get, and apart from another run's

PORTS = itertools.count(int(os.environ.get('BENCH_PORT', 0))
                        or 20000 + os.getpid() % 100 * 100)

Load = collections.namedtuple('Load', 'done length seconds p50_us p99_us')


class Failure(Exception):
    """Something has not started, not answered, or measured wrong."""


def free_port():
    for port in PORTS:
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(('127.0.0.1', port))
            except OSError:
                continue

        return port


def children(pid):
    with open('/proc/%d/task/%d/children' % (pid, pid)) as file:
        return [int(word) for word in file.read().split()]


def pinned(core, command):
    """On one core or any (None), and ended when we are."""

    taskset = [] if core is None else ['taskset', '-c', str(core)]

    return ['setpriv', '--pdeathsig', 'TERM'] + taskset + command


class Program:
    """A context manager.  A subclass says command(), and may have more to
    wait for than the open port."""

    kind = 'program'
    wrapper = ()
    patience = PATIENCE
    environment = {}

    def __init__(self, name, core, instance=None):
        self.name = name
        self.core = core
        self.port = free_port()
        self.directory = WORK / 'servers' / (instance or name)
        self.process = None
        self.worker = None

    def command(self):
        raise NotImplementedError

    def fresh_directory(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        (self.directory / 'logs').mkdir(parents=True)

    def log(self):
        return '\n'.join(path.read_text(errors='replace') for path in
                         (self.directory / 'error.log',
                          self.directory / 'output') if path.exists())

    def __enter__(self):
        environment = {name: value for name, value in os.environ.items()
                       if name != 'NGINX'}
        environment.update(self.environment)

        with open(self.directory / 'output', 'wb') as output:
            self.process = subprocess.Popen(
                pinned(self.core, list(self.command())),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env=environment, cwd=self.directory)

        try:
            self.wait_for_start()
        except BaseException:
            self.stop()
            raise

        return self

    def wait_for_start(self):
        deadline = time.monotonic() + self.patience \
            * (8 if self.wrapper else 1)

        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break

            with socket.socket() as sock:
                if sock.connect_ex(('127.0.0.1', self.port)) == 0:
                    self.find_worker()
                    return

            time.sleep(0.02)

        raise Failure('%s "%s" does not start:\n%s'
                      % (self.kind, self.name, self.log()[-2000:]))

    def find_worker(self):
        self.worker = self.process.pid

    def stop(self):
        process, self.process = self.process, None

        if process is None:
            return

        workers = [] if self.worker == process.pid \
            or process.poll() is not None else children(process.pid)

        # One process under valgrind must be asleep when the signal comes, or
        # it may miss it until something else wakes it.

        if self.wrapper:
            time.sleep(0.1)

        process.terminate()
        deadline = time.monotonic() + PATIENCE

        while time.monotonic() < deadline:
            try:
                process.wait(0.5)
                return
            except subprocess.TimeoutExpired:
                with socket.socket() as sock:
                    sock.connect_ex(('127.0.0.1', self.port))

        process.kill()
        process.wait()

        for pid in workers:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def __exit__(self, kind, value, trace):
        self.stop()

    def cpu(self):
        """Nanoseconds that the threads of the worker have run."""

        total = 0

        for task in os.listdir('/proc/%d/task' % self.worker):
            try:
                with open('/proc/%d/task/%s/schedstat'
                          % (self.worker, task)) as file:
                    total += int(file.read().split()[0])
            except FileNotFoundError:
                pass            # a thread that has just ended

        return total

    def status(self, key):
        with open('/proc/%d/status' % self.worker) as file:
            for line in file:
                if line.startswith(key + ':'):
                    return int(line.split()[1])

        raise Failure('no ' + key)

    def peak_rss_kb(self):
        return self.status('VmHWM')


def load(server, uri, connections, requests, options=(), patience=300):
    """Sends so many requests; what was measured on the client's side."""

    result = subprocess.run(
        pinned(OTHER_CORE, [str(WORK / 'load'), *options, str(server.port),
                            uri, str(connections), str(requests)]),
        capture_output=True, text=True, timeout=patience)

    if result.returncode != 0:
        raise Failure('%s of "%s": %s\n%s' % (uri, server.name,
                                              result.stderr.strip(),
                                              server.log()[-1000:]))

    words = result.stdout.split()
    loaded = Load(int(words[0]), int(words[1]), *map(float, words[2:]))

    if '-t' not in options and loaded.done != requests:
        raise Failure('%d responses of %d' % (loaded.done, requests))

    return loaded
