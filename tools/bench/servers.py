# Copyright (C) the modelguard authors

"""The nginx processes of the benchmark: the model server, which serves files,
and one guarded nginx for each variant.  All on loopback, under build/bench,
and ended by process id.

Buffering is the same in every variant: proxy_buffering on, 8 buffers of 16k,
which is kinder to plain nginx than the default of 4k, and no temporary files,
so that no disk is measured."""

import itertools
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import time

import bodies

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
WORK = TOP / 'build' / 'bench'

NGINX = os.environ.get('NGINX_BIN', '/usr/sbin/nginx')
MODULE = os.environ.get('NGINX_MODULE',
                        str(TOP / 'build' / 'ngx_http_modelguard_module.so'))

CORES = sorted(os.sched_getaffinity(0))
GUARDED_CORE = CORES[0]
OTHER_CORE = CORES[-1]

PATIENCE = 10               # seconds for a start or an end, 8 for valgrind

# below the ports that connections get, and apart from another run's

PORTS = itertools.count(20000 + os.getpid() % 100 * 100)

ZONE = '    modelguard_zone         $http_x_api_key zone=clients:10m;\n'
BUDGET = ('        modelguard_budget   b%d zone=clients limit=1000000000000'
          ' window=1h unit=requests;\n')
REWRITE = '        modelguard          rounded;\n' + bodies.FIELDS

# Rules that no place of the bodies meets.

UNTOUCHED = ('        modelguard          rounded;\n'
             '        modelguard_field    scores $.outputs[*].scores;\n')

ELSEWHERE = ('    server {\n        listen 127.0.0.1:%d;\n\n'
             '        location / {\n' + REWRITE + BUDGET % 0
             + '            return 404;\n        }\n    }\n')

#   variant: (of the module, of http {}, of location {})

VARIANTS = {
    'plain': (False, '', ''),
    'limit_req': (False, '    limit_req_zone $http_x_api_key'
                         ' zone=clients:10m rate=1000000r/s;\n',
                  '        limit_req zone=clients burst=1000000 nodelay;\n'),
    'loaded': (True, '', ''),
    'unguarded': (True, ZONE + bodies.PROFILE, ''),
    'budget': (True, ZONE, BUDGET % 0),
    'budget8': (True, ZONE, ''.join(BUDGET % n for n in range(8))),
    'rewrite': (True, bodies.PROFILE, REWRITE),
    'untouched': (True, bodies.PROFILE, UNTOUCHED),
    'modelguard': (True, ZONE + bodies.PROFILE, REWRITE + BUDGET % 0),
}

CONF = """
%(user)s
%(load_module)s
worker_processes            1;
pid                         nginx.pid;
error_log                   error.log warn;

events {
    worker_connections      512;
}

http {
    access_log              off;
    keepalive_requests      1000000000;
    default_type            application/json;

    client_body_temp_path   client_body_temp;
    proxy_temp_path         proxy_temp;
    fastcgi_temp_path       fastcgi_temp;
    uwsgi_temp_path         uwsgi_temp;
    scgi_temp_path          scgi_temp;

%(http)s
    server {
        listen              127.0.0.1:%(port)d;

        location / {
%(location)s
        }
    }
}
"""

MODEL_HTTP = '    sendfile on;\n    tcp_nopush on;\n'

GUARDED_HTTP = """
    upstream model {
        server              127.0.0.1:%d;
        keepalive           64;
        keepalive_requests  1000000000;
    }
"""

GUARDED_LOCATION = """
            proxy_pass          http://model;
            proxy_http_version  1.1;
            proxy_set_header    Connection "";
            proxy_buffering     on;
            proxy_buffer_size   16k;
            proxy_buffers       8 16k;
            proxy_max_temp_file_size  0;
"""


class Failure(Exception):
    """The benchmark cannot go on, or has measured something wrong."""


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


class Server:
    """An nginx; a context manager.  "wrapper" runs it as one process."""

    def __init__(self, name, core, instance=None, wrapper=()):
        self.name = name
        self.core = core
        self.wrapper = list(wrapper)
        self.port = free_port()
        self.directory = WORK / 'servers' / (instance or name)
        self.process = None
        self.worker = None

    def configure(self, module, http, location):
        shutil.rmtree(self.directory, ignore_errors=True)
        (self.directory / 'logs').mkdir(parents=True)

        user = ''
        if os.geteuid() == 0 and not self.wrapper:
            user = 'user %s;' % pwd.getpwuid(0).pw_name

        text = CONF % {
            'user': user,
            'load_module': 'load_module "%s";' % MODULE if module else '',
            'http': http,
            'port': self.port,
            'location': location,
        }

        (self.directory / 'nginx.conf').write_text(text)

        return self

    def log(self):
        return '\n'.join(path.read_text(errors='replace') for path in
                         (self.directory / 'error.log',
                          self.directory / 'output') if path.exists())

    def __enter__(self):
        single = ' master_process off;' if self.wrapper else ''
        command = self.wrapper + [
            NGINX, '-p', str(self.directory),
            '-c', str(self.directory / 'nginx.conf'),
            '-e', str(self.directory / 'error.log'),
            '-g', 'daemon off;' + single]

        environment = {name: value for name, value in os.environ.items()
                       if name != 'NGINX'}

        with open(self.directory / 'output', 'wb') as output:
            self.process = subprocess.Popen(
                pinned(self.core, command), stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, env=environment,
                cwd=self.directory)

        try:
            self.wait_for_start()
        except BaseException:
            self.stop()
            raise

        return self

    def wait_for_start(self):
        deadline = time.monotonic() + PATIENCE * (8 if self.wrapper else 1)

        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break

            with socket.socket() as sock:
                if sock.connect_ex(('127.0.0.1', self.port)) == 0:
                    self.find_worker()
                    return

            time.sleep(0.02)

        raise Failure('nginx "%s" does not start:\n%s'
                      % (self.name, self.log()))

    def find_worker(self):
        if self.wrapper:
            self.worker = self.process.pid
            return

        deadline = time.monotonic() + PATIENCE

        while time.monotonic() < deadline:
            found = children(self.process.pid)
            if found:
                self.worker = found[0]
                return
            time.sleep(0.02)

        raise Failure('nginx "%s" has no worker' % self.name)

    def stop(self):
        process, self.process = self.process, None

        if process is None:
            return

        workers = [] if self.wrapper or process.poll() is not None \
            else children(process.pid)

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

        # a response that was cut, a client over its budget, an alert: then
        # the numbers are not those of the work

        if kind is None and self.log().strip():
            raise Failure('nginx "%s" has said:\n%s'
                          % (self.name, self.log()[:2000]))

    def cpu(self):
        """Nanoseconds that the worker has run."""

        with open('/proc/%d/schedstat' % self.worker) as file:
            return int(file.read().split()[0])

    def peak_rss_kb(self):
        with open('/proc/%d/status' % self.worker) as file:
            for line in file:
                if line.startswith('VmHWM:'):
                    return int(line.split()[1])

        raise Failure('no VmHWM')


def model():
    server = Server('model', OTHER_CORE)

    return server.configure(False, MODEL_HTTP,
                            '            root "%s";\n' % (WORK / 'bodies'))


def guarded(variant, upstream, instance=None, wrapper=()):
    module, http, location = VARIANTS[variant]
    server = Server(variant, None if wrapper else GUARDED_CORE, instance,
                    wrapper)

    # Not this location, but another one of the same nginx.

    if variant == 'unguarded':
        http += ELSEWHERE % free_port()

    return server.configure(module, GUARDED_HTTP % upstream.port + http,
                            location + GUARDED_LOCATION)


def load(server, uri, connections, requests, patience=300):
    """Sends exactly so many requests; the length of their bodies."""

    result = subprocess.run(
        pinned(OTHER_CORE, [str(WORK / 'load'), str(server.port), uri,
                            str(connections), str(requests)]),
        capture_output=True, text=True, timeout=patience)

    if result.returncode != 0:
        raise Failure('%s of "%s": %s\n%s' % (uri, server.name,
                                              result.stderr.strip(),
                                              server.log()))

    done, length = (int(word) for word in result.stdout.split())

    if done != requests:
        raise Failure('%d responses of %d' % (done, requests))

    return length
