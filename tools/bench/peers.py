# Copyright (C) the modelguard authors

"""What people would use instead, each doing the same work as the module: a
budget, and a rewritten body.  Debian's packages are unpacked below
build/bench/peers and run from there, so that the system has none of them; the
packages of npm and PyPI are in build/bench/npm and build/bench/litellm.

"why" of a peer is what is missing, or None."""

import os
import pathlib
import shutil

import bodies
import servers
from programs import GUARDED_CORE, PEERS, Program, WORK

HERE = pathlib.Path(__file__).resolve().parent / 'peers'

LIBRARIES = PEERS / 'usr' / 'lib' / 'x86_64-linux-gnu'
# Debian has some libraries in /usr/lib and some still in /lib

LIBRARY_PATH = '%s:%s' % (LIBRARIES, PEERS / 'lib' / 'x86_64-linux-gnu')
MODULES = PEERS / 'usr' / 'lib' / 'nginx' / 'modules'
LUA = PEERS / 'usr' / 'share' / 'lua'
HAPROXY = PEERS / 'usr' / 'sbin' / 'haproxy'
NPM = WORK / 'npm' / 'node_modules'
LITELLM = WORK / 'litellm' / 'bin' / 'litellm'

NODE_WARM = 1

PREDICTIONS = tuple(bodies.SIZES)
EVERYTHING = PREDICTIONS + bodies.OTHERS
WHOLE = tuple(name for name in EVERYTHING if name != bodies.SSE)

LUA_HTTP = """
    lua_package_path        "%s/?.lua;%s/5.1/?.lua;;";
    lua_package_cpath       "%s/lua/5.1/?.so;;";
    lua_shared_dict         budgets 10m;
"""

LUA_REWRITE = """
            header_filter_by_lua_block { require("nginx").header() }
            body_filter_by_lua_block   { require("nginx").body() }
"""

LUA_BUDGET = """
            access_by_lua_block        { require("nginx").budget() }
"""

NJS_HTTP = """
    js_path                 "%s";
    js_import               guard from njs.js;

    limit_req_zone          $http_x_api_key zone=clients:10m rate=1000000r/s;
"""

NJS_LOCATION = """
            limit_req           zone=clients burst=1000000 nodelay;
            js_header_filter    guard.header;
            js_body_filter      guard.%s buffer_type=buffer;
"""

# Cuts every decimal, wherever it is: it cannot round, nor look for a place.

SUBS_LOCATION = r"""
            limit_req           zone=clients burst=1000000 nodelay;
            subs_filter_types   *;
            subs_filter         ',"logits":\[[^\]]*\]' '' gr;
            subs_filter         ',"model_version":"[^"]*"' '' gr;
            subs_filter         '(\d\.\d\d)\d+(e-?\d+)?' '$1' gr;
"""

SUB_LOCATION = """
            sub_filter_types    *;
            sub_filter          '"model_version":"7"' '"model_version":"-"';
"""

GZIP_LOCATION = """
            gzip                on;
            gzip_comp_level     1;
            gzip_min_length     1;
            gzip_types          *;
"""

HAPROXY_CONF = """
global
    nbthread 1
    lua-prepend-path %(here)s/?.lua
    lua-prepend-path %(libraries)s/lua/5.3/?.so cpath
    lua-load %(here)s/haproxy.lua
    tune.lua.session-timeout 60s
    tune.lua.service-timeout 60s

defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s

frontend guarded
    bind 127.0.0.1:%(port)d
    stick-table type string len 64 size 100k expire 1h store http_req_cnt
    http-request track-sc0 req.hdr(x-api-key)
    http-request deny deny_status 429 if { sc0_http_req_cnt gt 4000000000 }
    http-request use-service lua.guard
"""


def missing(*paths):
    for path in paths:
        if not pathlib.Path(path).exists():
            return 'not installed: %s' % pathlib.Path(path).name

    return None


class Peer:
    """What a peer is, and the bodies that it is asked for."""

    #   work: 'same', or 'scale' for other work

    def __init__(self, title, start, needs=(), bodies_=EVERYTHING,
                 work='same', options=(), warm=0.2):
        self.title = title
        self.start = start
        self.needs = needs
        self.bodies = bodies_
        self.work = work
        self.options = options
        self.warm = warm            # seconds, until the compiler is done

    def why(self):
        return missing(*self.needs)


def nginx(name, upstream, modules, http, location):
    server = servers.Server(name, GUARDED_CORE,
                            environment={'LD_LIBRARY_PATH': LIBRARY_PATH})

    return server.configure(modules, servers.GUARDED_HTTP % upstream.port
                            + http, location + servers.GUARDED_LOCATION)


LUA_NEEDS = (MODULES / 'ndk_http_module.so', MODULES
             / 'ngx_http_lua_module.so', LIBRARIES / 'lua/5.1/cjson.so',
             LUA / '5.1/resty/core.lua')
NJS_NEEDS = (MODULES / 'ngx_http_js_module.so',)
SUBS_NEEDS = (MODULES / 'ngx_http_subs_filter_module.so',)


def lua(location):
    def start(name, upstream, body):
        return nginx(name, upstream, LUA_NEEDS[:2],
                     LUA_HTTP % (HERE, LUA, LIBRARIES), location)

    return start


def njs(name, upstream, body):
    return nginx(name, upstream, NJS_NEEDS, NJS_HTTP % HERE,
                 NJS_LOCATION % ('stream' if body == bodies.SSE else 'body'))


def subs_filter(name, upstream, body):
    return nginx(name, upstream, SUBS_NEEDS, servers.VARIANTS['limit_req'][1],
                 SUBS_LOCATION)


def plain_nginx(location):
    def start(name, upstream, body):
        return nginx(name, upstream, (), '', location)

    return start


class Command(Program):
    """One process, with an environment."""

    def __init__(self, name, arguments, environment):
        super().__init__(name, GUARDED_CORE)
        self.fresh_directory()
        self.arguments = arguments
        self.environment = environment

    def command(self):
        return self.arguments(self.port)


def haproxy(name, upstream, body):
    def arguments(port):
        path = WORK / 'servers' / name / 'haproxy.cfg'
        path.write_text(HAPROXY_CONF % {'here': HERE, 'libraries': LIBRARIES,
                                        'port': port})
        return [str(HAPROXY), '-db', '-f', str(path)]

    return Command(name, arguments, {
        'LD_LIBRARY_PATH': LIBRARY_PATH,
        'BENCH_MODEL': 'http://127.0.0.1:%d' % upstream.port})


def node(script):
    def start(name, upstream, body):
        return Command(name, lambda port: [
            shutil.which('node') or 'node', str(HERE / script), str(port),
            str(upstream.port)], {'NODE_PATH': str(NPM)})

    return start


def node_needs(*packages):
    return (shutil.which('node') or 'node',) + packages


PEERS_LIST = {
    'sub_filter': Peer('sub_filter, one constant, no JSON',
                       plain_nginx(SUB_LOCATION), work='scale',
                       bodies_=PREDICTIONS),
    'gzip': Peer('gzip 1, for scale', plain_nginx(GZIP_LOCATION),
                 work='scale', bodies_=PREDICTIONS,
                 options=('-H', 'Accept-Encoding: gzip')),
    'lua': Peer('Lua, cjson', lua(LUA_REWRITE), LUA_NEEDS, PREDICTIONS),
    'lua_budget': Peer('Lua, cjson, shared dict', lua(LUA_REWRITE
                                                      + LUA_BUDGET),
                       LUA_NEEDS),
    'njs': Peer('njs, limit_req', njs, NJS_NEEDS),
    'subs_filter': Peer('subs_filter, regex, limit_req', subs_filter,
                        SUBS_NEEDS, PREDICTIONS),
    'haproxy_lua': Peer('HAProxy, Lua, stick table', haproxy,
                        (HAPROXY, LIBRARIES / 'lua/5.3/cjson.so'),
                        tuple(name for name in WHOLE
                              if name != bodies.EMBEDDING_BASE64)),
    'node': Peer('Node http', node('gateway.js'), node_needs(),
                 warm=NODE_WARM),
    'fastify': Peer('fastify, http-proxy', node('fastify.js'),
                    node_needs(NPM / 'fastify', NPM / '@fastify/http-proxy'),
                    WHOLE, warm=NODE_WARM),
}
