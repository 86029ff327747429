# Copyright (C) the modelguard authors

"""A model server that gives the files of the corpus in several ways, and a
guarded nginx before it."""

import gzip
import http.client
import http.server
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import table

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
RUN = pathlib.Path(os.environ["MODELGUARD_RUN"])

# how a body comes from the model server; HTTP/2 is to the client

WAYS = ("whole", "bytes", "split", "gzip")

WAIT = 10

# a byte a chunk, up to this length of a body

BYTES = 20000

# places to cut at: within a number, an escape, a character, the name of a
# field or its line end

INSIDE = (
    rb"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?",
    rb"\\u[0-9a-fA-F]{4}|\\.",
    rb"[\xc2-\xf4][\x80-\xbf]+",
    rb"data: ?|event:|id:|retry:|\r\n|\n\n",
)


def cuts(body, seed):
    """Places to cut at, up to 50 of each kind and some anywhere."""

    chance = random.Random(seed)
    found = set(chance.sample(range(1, len(body)),
                              min(30, max(0, len(body) - 1))))

    for pattern in INSIDE:
        inside = [place for match in re.finditer(pattern, body)
                  for place in range(match.start() + 1, match.end())]
        found |= set(chance.sample(inside, min(50, len(inside))))

    return sorted(found)


def pieces(body, way, seed):
    if way == "bytes" and len(body) <= BYTES:
        places = range(1, len(body))

    elif way == "bytes":
        chance, places, at = random.Random(seed), [], 0

        while at < len(body):
            at += chance.randint(1, 7)
            places.append(at)

    else:
        places = cuts(body, seed)

    starts = [0, *places]

    return [body[start:end] for start, end
            in zip(starts, [*starts[1:], len(body)]) if start < end]


class Entry:
    """A file of the corpus with its line of the manifest."""

    def __init__(self, line, corpus):
        self.file = line["file"]
        self.number = self.file.split("-")[0]
        self.status = int(line["status"])
        self.type = line["content_type"]
        self.framing = line["streaming"] if line["streaming"] \
            in ("sse", "ndjson") else "json"
        self.body = (corpus / "responses" / self.file).read_bytes()


class Backend(http.server.ThreadingHTTPServer):
    """/NUMBER/PROFILE/WAY is the body of that file.  In the way "hold" and
    "hold-direct" it stops after self.stop bytes until self.go is set."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, files):
        self.files = files
        self.stop = 0
        self.go = threading.Event()
        super().__init__(("127.0.0.1", 0), BackendHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class BackendHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        number, _, way = self.path.split("/")[1:4]
        entry = self.server.files[number]
        body = entry.body

        self.close_connection = True
        self.send_response(entry.status)
        self.send_header("Content-Type", entry.type)

        if way == "gzip":
            body = gzip.compress(body, mtime=0)
            self.send_header("Content-Encoding", "gzip")

        if way in ("whole", "gzip"):
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return

        if way == "hold-direct":
            self.send_header("X-Accel-Buffering", "no")

        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

        if way.startswith("hold"):
            self.chunks([body[:self.server.stop]])
            self.server.go.wait(WAIT)
            body = body[self.server.stop:]
            self.chunks([body] if body else [])
        else:
            self.chunks(pieces(body, way, number))

        self.wfile.write(b"0\r\n\r\n")

    def chunks(self, parts):
        text = b"".join(b"%x\r\n%s\r\n" % (len(part), part)
                        for part in parts)

        for at in range(0, len(text), 30000):
            self.wfile.write(text[at:at + 30000])

    def log_message(self, *arguments):
        pass

    def handle(self):
        """An answer that is refused is not read to its end."""

        try:
            super().handle()
        except ConnectionError:
            pass

    def finish(self):
        try:
            super().finish()
        except ConnectionError:
            pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def has_http2():
    built = subprocess.run([os.environ["TEST_NGINX_BINARY"], "-V"],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, check=True)
    curl = shutil.which("curl") and subprocess.run(
        ["curl", "-V"], stdout=subprocess.PIPE, text=True, check=True).stdout

    return "http_v2_module" in built.stdout and "HTTP2" in (curl or "")


class Nginx:
    """One nginx with a location for every entry of the table."""

    def __init__(self, backend, profiles, conf):
        self.prefix = RUN / "corpus"
        self.backend = backend
        self.profiles = profiles
        self.profiles_conf = conf
        self.http2 = has_http2()
        self.connection = None

        shutil.rmtree(self.prefix, ignore_errors=True)
        self.prefix.mkdir(parents=True)
        (self.prefix / "fields").symlink_to(
            TOP / "conf-examples" / "fields")

        for _ in range(3):
            self.port, self.port2 = free_port(), free_port()
            (self.prefix / "nginx.conf").write_text(self.conf())

            if self.start():
                break
        else:
            sys.exit("Bail out!  nginx has not started: "
                     + (self.prefix / "start.log").read_text())

        if os.environ.get("TEST_NGINX_USE_HUP"):
            self.process.send_signal(signal.SIGHUP)
            time.sleep(0.5)

    def conf(self):
        load = "".join("load_module %s;\n" % module for module in
                       os.environ.get("TEST_NGINX_LOAD_MODULES", "").split())
        paths = "".join("    %s_temp_path %s_temp;\n" % (name, name)
                        for name in ("client_body", "proxy", "fastcgi",
                                     "uwsgi", "scgi"))
        postpone = os.environ.get("TEST_NGINX_POSTPONE_OUTPUT")

        locations = "".join("""
        location /%s {
            include fields/%s.conf;
            modelguard %s;
            proxy_pass http://127.0.0.1:%d;
        }
""" % (place, fields, profile, self.backend.server_address[1])
            for place, fields, profile in self.guards())

        return """%serror_log error.log notice;
error_log %s alert;
pid nginx.pid;
daemon off;
worker_processes 1;

events {
}

http {
%s    access_log off;
    keepalive_requests 10000;
    %s
%s
    server {
        listen 127.0.0.1:%d;
        %s
        proxy_http_version 1.1;
        proxy_set_header Connection close;
%s    }
}
""" % (load, RUN / "alerts.log", paths,
            "postpone_output %s;" % postpone if postpone else "",
            self.profiles_conf, self.port,
            "listen 127.0.0.1:%d http2;" % self.port2 if self.http2 else "",
            locations)

    def guards(self):
        """Locations with their fields and profiles."""

        for number, row in table.TABLE.items():
            flat = any(spec[:2] == ["base64", "logits"]
                       for spec in getattr(row, "specs", ()))

            if not flat:
                yield number + "/", row.fields, "$arg_profile"
                continue

            # what is in base64 cannot be ranked: a profile for such

            for profile in self.profiles:
                yield "%s/%s/" % (number, profile), row.fields, \
                    profile if profile != "top" else "flat"

    def start(self):
        environment = dict(os.environ)
        environment.pop("NGINX", None)

        with open(self.prefix / "start.log", "w") as log:
            self.process = subprocess.Popen(
                [os.environ["TEST_NGINX_BINARY"], "-p", str(self.prefix),
                 "-c", str(self.prefix / "nginx.conf"),
                 "-e", str(self.prefix / "error.log")],
                stdout=log, stderr=log, env=environment)

        for _ in range(200):
            if self.process.poll() is not None:
                return False

            if (self.prefix / "nginx.pid").exists():
                return True

            time.sleep(0.05)

        self.stop()

        return False

    def stop(self):
        self.process.terminate()

        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(10)

    def path(self, number, way, profile):
        return "/%s/%s/%s/?profile=%s" % (number, profile, way, profile)

    def request(self, path):
        """A response whose header has come."""

        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=WAIT / 2)
        connection.request("GET", path)
        response = connection.getresponse()
        response.own = connection

        return response

    def get(self, number, way, profile):
        """Status, type and body; a connection that is cut has no type."""

        response = self.request(self.path(number, way, profile))

        try:
            return (response.status, response.getheader("Content-Type"),
                    response.read())
        except http.client.HTTPException as cut:
            return (response.status, "cut", getattr(cut, "partial", b""))
        finally:
            response.own.close()

    def get_all_http2(self, wanted):
        """Answers by (number, profile).  Each has a host of its own, for
        curl 7.88 cannot use such a connection twice."""

        folder = self.prefix / "http2"
        folder.mkdir()
        lines = ["silent", "http2-prior-knowledge", "globoff",
                 'connect-to = "::127.0.0.1:%d"' % self.port2,
                 'write-out = "%{http_code}\\t%{content_type}\\t'
                 '%{filename_effective}\\t%{exitcode}\\n"']

        for number, profile in wanted:
            lines += ['url = "http://%s-%s%s"'
                      % (number, profile, self.path(number, "whole", profile)),
                      'output = "%s/%s-%s"' % (folder, number, profile)]

        (folder / "curlrc").write_text("\n".join(lines) + "\n")
        done = subprocess.run(["curl", "-q", "-K", str(folder / "curlrc")],
                              stdout=subprocess.PIPE, text=True, check=False)
        answers = {}

        for line in done.stdout.splitlines():
            status, kind, path, code = line.split("\t")
            path = pathlib.Path(path)
            body = path.read_bytes() if path.exists() else b""
            answers[tuple(path.name.split("-"))] = (
                int(status), kind if code == "0" else "cut", body)

        return answers

    def held(self, number, way, profile, stop, wanted):
        """Whether the first "wanted" bytes come while the model server waits
        for us after "stop" bytes of its own, and the whole body."""

        self.backend.stop = stop
        self.backend.go.clear()
        body = b""

        try:
            response = self.request(self.path(number, way, profile))

            while len(body) < wanted:
                part = response.read1(wanted - len(body))

                if not part:
                    return False, body

                body += part

            self.backend.go.set()
            body += response.read()
            response.own.close()

            return True, body

        except OSError:
            return False, body

        finally:
            self.backend.go.set()
