#!/usr/bin/env python3

# Copyright (C) the modelguard authors

"""Runs the examples of conf-examples/ as their comments say.

    check-examples.py [--self-test]

For each NN-*.conf: "nginx -t", then nginx with a stand-in for the model
server.  In the comment at the top,

    > text    is a line of the answer that the stand-in gives to everything
    >: header is a header of it, application/json being its type if none is
              given
    % command is run before nginx is started, for keys and the like
    $ command is run ("\\" continues it), with the ports replaced; the lines
              below it are what it prints.  "..." stands for any lines, or at
              the end of a line for the rest of it.  Headers (with -i) may
              come in any order, and with others among them.

Commands are run in the folder of the example.  Beside ours, nginx finds the
modules of build/beside.

Environment: NGINX_BIN, NGINX_MODULE.  Everything is kept in
build/examples."""

import sys

sys.dont_write_bytecode = True

import http.server
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
EXAMPLES = TOP / "conf-examples"
WORK = TOP / "build" / "examples"
BESIDE = TOP / "build" / "beside" / "usr" / "lib" / "nginx" / "modules"

NGINX = os.environ.get("NGINX_BIN", "/usr/sbin/nginx")
MODULE = os.environ.get("NGINX_MODULE",
                        str(TOP / "build/ngx_http_modelguard_module.so"))

# nginx takes a variable of this name for a list of sockets
os.environ.pop("NGINX", None)

PORT = re.compile(r"127\.0\.0\.1:([0-9]+)")


class Wrong(Exception):
    """The sentence says what."""


class Comment:
    """The answer of the model server, what to do before the start, and
    (command, lines) in order."""

    def __init__(self, text):
        self.answer = ""
        self.headers = []
        self.before = []
        self.commands = []
        lines, more, blank = None, False, 0

        for line in text.splitlines():
            if not line.startswith("#"):
                break

            line = line[1:]

            if not line:
                blank += 1
                continue

            if not line.startswith("     "):
                lines, blank = None, 0
                continue

            line = line[5:]

            # an empty line belongs to what is printed only within that

            between, blank = blank, 0

            if more:
                self.commands[-1][0] += " " + line.strip().rstrip("\\")
                more = line.endswith("\\")

            elif line.startswith(">: "):
                self.headers.append(line[3:].split(": ", 1))

            elif line.startswith("> ") or line == ">":
                self.answer += line[2:] + "\n"

            elif line.startswith("% "):
                self.before.append(line[2:])

            elif line.startswith("$ "):
                lines = []
                more = line.endswith("\\")
                self.commands.append([line[2:].rstrip("\\"), lines])

            elif lines is not None:
                lines += [""] * between + [line]


class Model(http.server.ThreadingHTTPServer):
    """Answers every request with the same bytes."""

    def __init__(self, comment):
        self.answer = comment.answer.encode()
        self.headers = dict([("Content-Type", "application/json"),
                             *comment.headers])
        super().__init__(("127.0.0.1", 0), ModelHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class ModelHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)

        for name, value in self.server.headers.items():
            self.send_header(name, value)

        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    do_GET = do_POST

    def log_message(self, *arguments):
        pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(*command, cwd=None):
    return subprocess.run(command, stdout=subprocess.PIPE, cwd=cwd,
                          stderr=subprocess.STDOUT, timeout=20, text=True)


def shell(command, prefix):
    done = run("sh", "-c", command, cwd=prefix / "conf")

    if done.returncode != 0:
        raise Wrong("%s\nfailed: %s" % (command, done.stdout))

    return done.stdout


def prepare(name, text, before):
    """A prefix with the modules and the example in it."""

    prefix = WORK / name
    shutil.rmtree(prefix, ignore_errors=True)
    (prefix / "modules").mkdir(parents=True)
    (prefix / "conf").mkdir()
    prefix.chmod(0o755)

    for module in [pathlib.Path(MODULE), *BESIDE.glob("*.so")]:
        (prefix / "modules" / module.name).symlink_to(module)

    for folder in ("fields", "tiers"):
        (prefix / "conf" / folder).symlink_to(EXAMPLES / folder)

    (prefix / "conf" / "nginx.conf").write_text(text)

    for command in before:
        shell(command, prefix)

    return prefix


def nginx(prefix, *options):
    return [NGINX, "-e", str(prefix / "start.log"), "-p", str(prefix),
            "-c", str(prefix / "conf/nginx.conf"), *options]


def syntax(prefix):
    done = run(*nginx(prefix, "-t"))
    said = done.stdout + (prefix / "start.log").read_text()

    if done.returncode != 0 or "[warn]" in said:
        raise Wrong("nginx -t: " + said.strip())


def wait_for(port, process):
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)

    raise Wrong("nginx did not start: " + process.stdout.read())


def same(line, want):
    if want.endswith("..."):
        return line.startswith(want[:-3])

    return line == want


def body_follows(lines, wanted):
    """Whether the lines are the wanted ones, "..." being any number."""

    if not wanted:
        return not lines

    if wanted[0] == "...":
        return any(body_follows(lines[i:], wanted[1:])
                   for i in range(len(lines) + 1))

    return bool(lines) and same(lines[0], wanted[0]) \
        and body_follows(lines[1:], wanted[1:])


def check_output(command, output, wanted):
    lines = output.replace("\r\n", "\n").rstrip("\n").split("\n")

    if lines[0].startswith("HTTP/"):
        end = lines.index("") if "" in lines else len(lines)
        head, lines = lines[:end], lines[end + 1:]

        while wanted and wanted[0] != "...":
            if not any(same(line, wanted[0]) for line in head):
                raise Wrong("%s\nhas no \"%s\" but\n%s"
                            % (command, wanted[0], output))
            wanted = wanted[1:]

    if not wanted or not body_follows(lines, wanted):
        raise Wrong("%s\nprinted\n%s\nand not\n%s"
                    % (command, output, "\n".join(wanted)))


def commands(comment, ports, prefix):
    for command, wanted in comment.commands:
        command = PORT.sub(lambda m: "127.0.0.1:%d" % ports[m.group(1)],
                           command)

        check_output(command, shell(command, prefix), wanted)


def check(name, text):
    """The number of commands that did what the comment says."""

    comment = Comment(text)

    if not comment.commands or not comment.answer:
        raise Wrong("the comment at the top has nothing to run")

    model = Model(comment)
    process = None

    try:
        listens = re.findall(r"^\s*listen\s+127\.0\.0\.1:([0-9]+)( ssl)?;",
                             text, re.M)
        listens = [port for port, _ in listens]
        ports = {port: free_port() if port in listens
                 else model.server_address[1] for port in PORT.findall(text)}

        prefix = prepare(name, PORT.sub(
            lambda m: "127.0.0.1:%d" % ports[m.group(1)], text),
            comment.before)

        syntax(prefix)

        process = subprocess.Popen(nginx(prefix, "-g", "daemon off;"),
                                   stdout=subprocess.PIPE, text=True,
                                   stderr=subprocess.STDOUT)
        wait_for(ports[listens[0]], process)
        commands(comment, ports, prefix)

        bad = re.findall(r".*\[(?:alert|crit|emerg)\].*",
                         (prefix / "error.log").read_text())
        if bad:
            raise Wrong("nginx has logged: " + bad[0])

    finally:
        if process is not None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)

        model.shutdown()
        model.server_close()

    return len(comment.commands)


def self_test(name, text):
    """Damaged examples must not pass."""

    damages = [
        ("round=2", "round=3"),
        ("limit=3 ", "limit=300 "),
        ("modelguard         public;", "modelguard         off;"),
        ("modelguard_zone     $http_x_api_key", "modelguard_zone     same"),
        ("modelguard_budget  minute", "modelguard_budgets  minute"),
        ("HTTP/1.1 200", "HTTP/1.1 201"),
    ]

    for old, new in damages:
        if old not in text:
            raise Wrong("the self-test does not find \"%s\"" % old)

        try:
            check("self-test", text.replace(old, new))
        except Wrong:
            continue

        raise Wrong("\"%s\" for \"%s\" was not noticed" % (new, old))

    return len(damages)


def main():
    examples = sorted(EXAMPLES.glob("[0-9][0-9]-*.conf"))
    failed = 0

    if not examples:
        sys.exit("check-examples: there are none")

    for example in examples:
        try:
            n = check(example.stem, example.read_text())
            print("ok     %s: %d commands" % (example.name, n))
        except (Wrong, subprocess.TimeoutExpired) as error:
            failed = 1
            print("WRONG  %s: %s" % (example.name, error))

    if not failed and "--self-test" in sys.argv[1:]:
        try:
            n = self_test(examples[0].stem, examples[0].read_text())
            print("ok     self-test: %d damages were noticed" % n)
        except Wrong as error:
            failed = 1
            print("WRONG  self-test: %s" % error)

    if not failed:
        shutil.rmtree(WORK, ignore_errors=True)

    sys.exit(failed)


if __name__ == "__main__":
    main()
