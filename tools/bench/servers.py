# Copyright (C) the modelguard authors

"""The nginx processes of the benchmark: the model server, which serves files,
and one in front of it for each variant.

Buffering is the same in every variant: proxy_buffering on, 8 buffers of 16k,
which is kinder to plain nginx than the default of 4k, and no temporary files,
so that no disk is measured."""

import os
import pwd
import time

import bodies
from programs import (CORES, Failure, GUARDED_CORE, OTHER_CORE, PATIENCE,
                      Program, TOP, WORK, children, free_port, load, pinned)

NGINX = os.environ.get('NGINX_BIN', '/usr/sbin/nginx')
MODULE = os.environ.get('NGINX_MODULE',
                        str(TOP / 'build' / 'ngx_http_modelguard_module.so'))

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

OURS = (MODULE,)

# nginx says so where there is a profile and no budget: it is meant so here

EXPECTED = 'no "modelguard_budget" for the guarded location'


def budgets(count):
    return ''.join(BUDGET % n for n in range(count))


#   variant: (modules, of http {}, of location {})

VARIANTS = {
    'plain': ((), '', ''),
    'limit_req': ((), '    limit_req_zone $http_x_api_key'
                      ' zone=clients:10m rate=1000000r/s;\n',
                  '        limit_req zone=clients burst=1000000 nodelay;\n'),
    'loaded': (OURS, '', ''),
    'unguarded': (OURS, ZONE + bodies.PROFILE, ''),
    'budget': (OURS, ZONE, budgets(1)),
    'budget2': (OURS, ZONE, budgets(2)),
    'budget4': (OURS, ZONE, budgets(4)),
    'budget8': (OURS, ZONE, budgets(8)),
    'rewrite': (OURS, bodies.PROFILE, REWRITE),
    'untouched': (OURS, bodies.PROFILE, UNTOUCHED),
    'modelguard': (OURS, ZONE + bodies.PROFILE, REWRITE + budgets(1)),
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

MODEL_HTTP = """
    sendfile                on;
    tcp_nopush              on;

    types {
        text/event-stream   sse;
    }
"""

# a file cannot be POSTed to, the model of the chat can

MODEL_LOCATION = """
            root                "%s";
            rewrite             ^/v1/ /chat.json break;
            error_page          405 =200 /chat.json;
"""

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


class Server(Program):
    """An nginx.  "wrapper" runs it as one process."""

    kind = 'nginx'

    def __init__(self, name, core, instance=None, wrapper=(), environment=()):
        super().__init__(name, core, instance)
        self.wrapper = list(wrapper)
        self.environment = dict(environment)

    def configure(self, modules, http, location):
        self.fresh_directory()

        user = ''
        if os.geteuid() == 0 and not self.wrapper:
            user = 'user %s;' % pwd.getpwuid(0).pw_name

        text = CONF % {
            'user': user,
            'load_module': '\n'.join('load_module "%s";' % module
                                     for module in modules),
            'http': http,
            'port': self.port,
            'location': location,
        }

        (self.directory / 'nginx.conf').write_text(text)

        return self

    def command(self):
        single = ' master_process off;' if self.wrapper else ''

        return self.wrapper + [
            NGINX, '-p', str(self.directory),
            '-c', str(self.directory / 'nginx.conf'),
            '-e', str(self.directory / 'error.log'),
            '-g', 'daemon off;' + single]

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

    def complaints(self):
        return '\n'.join(line for line in self.log().splitlines()
                         if line.strip() and EXPECTED not in line)

    def __exit__(self, kind, value, trace):
        self.stop()

        # a response that was cut, a client over its budget, an alert: then
        # the numbers are not those of the work

        if kind is None and self.complaints():
            raise Failure('nginx "%s" has said:\n%s'
                          % (self.name, self.complaints()[:2000]))


def model():
    server = Server('model', OTHER_CORE)

    return server.configure((), MODEL_HTTP,
                            MODEL_LOCATION % (WORK / 'bodies'))


def guarded(variant, upstream, instance=None, wrapper=(), body=None):
    modules, http, location = VARIANTS[variant]

    if variant == 'modelguard' and body in bodies.FIELDS_OF:
        location = bodies.FIELDS_OF[body] + budgets(1)

    server = Server(variant, None if wrapper else GUARDED_CORE, instance,
                    wrapper)

    # Not this location, but another one of the same nginx.

    if variant == 'unguarded':
        http += ELSEWHERE % free_port()

    return server.configure(modules, GUARDED_HTTP % upstream.port + http,
                            location + GUARDED_LOCATION)
