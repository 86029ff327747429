# Copyright (C) the modelguard authors

"""What tests with other people's programs have in common: a TAP report,
processes that end when their test does, virtual environments, and an nginx
with the module.  For tools/clients and tools/servers; nothing but Python's
own library."""

import hashlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.join(TOP, "build")
FIELDS = os.path.join(TOP, "conf-examples", "fields")
MODULE = os.environ.get("NGINX_MODULE",
                        BUILD + "/ngx_http_modelguard_module.so")
NGINX = os.environ.get("NGINX_BIN", "/usr/sbin/nginx")


class Skip(Exception):
    """A test that cannot run here, and the sentence that says why."""


class Tap:
    def __init__(self, quiet=False):
        self.number = self.failed = self.skipped = 0
        self.failures = []
        self.quiet = quiet

    def line(self, good, text):
        self.number += 1

        if not good:
            self.failures.append(text)

        if self.quiet:
            return

        print("%sok %d - %s" % ("" if good else "not ", self.number, text),
              flush=True)

    def ok(self, good, text, *details):
        self.line(good, text)

        if not good:
            self.failed += 1

            for detail in details:
                self.note(detail)

        return good

    def note(self, text):
        if self.quiet:
            return

        for line in str(text).splitlines():
            print("# " + line, flush=True)

    def skip(self, text, reason):
        self.skipped += 1
        self.line(True, "%s # SKIP %s" % (text, reason))

    def take(self, output):
        """The lines of another program that reports the same way."""

        for line in output.splitlines():
            found = re.match(r"(not )?ok(?: \d+)? - (.*)", line)

            if found:
                self.line(not found[1], found[2])
                self.failed += bool(found[1])
                self.skipped += "# SKIP" in found[2]

            elif line.startswith("#"):
                self.note(line[1:].strip())

    def done(self):
        print("1..%d" % self.number)
        self.note("%d checks, %d failed, %d skipped"
                  % (self.number, self.failed, self.skipped))
        return 1 if self.failed or self.number == 0 else 0


def free_port():
    """A port that is free now, below those that the system gives away."""

    for port in range(20011, 32000, 7):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue

            if port not in free_port.given:
                free_port.given.add(port)
                return port

    raise RuntimeError("no port is free")


free_port.given = set()


def tail(path, lines=25):
    try:
        with open(path, errors="replace") as log:
            return "".join(log.readlines()[-lines:])
    except OSError:
        return ""


class Process:
    """A program and all that it starts, in a session of their own."""

    def __init__(self, argv, log, cwd=None, env=None):
        self.log = log
        self.out = open(log, "ab")
        self.child = subprocess.Popen(
            argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=self.out,
            stderr=subprocess.STDOUT, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def running(self):
        return self.child.poll() is None

    def members(self):
        """The processes of the session that have not ended."""

        found = []

        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue

            try:
                with open("/proc/%s/stat" % name) as stat:
                    fields = stat.read().rpartition(")")[2].split()
            except OSError:
                continue

            if int(fields[3]) == self.child.pid and fields[0] not in "ZX":
                found.append(int(name))

        return found

    def signal(self, number):
        for pid in self.members():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def stop(self, patience=10):
        """True if it ended when it was asked to, and left nothing."""

        clean = True

        if self.running():
            self.child.terminate()

        try:
            self.child.wait(patience)
        except subprocess.TimeoutExpired:
            clean = False

        if self.members():
            clean = False
            self.signal(signal.SIGTERM)
            deadline = time.monotonic() + patience

            while self.members() and time.monotonic() < deadline:
                time.sleep(0.05)

            self.signal(signal.SIGKILL)

        self.child.wait()
        self.out.close()
        return clean

    def until(self, ready, timeout):
        """Waits for ready() to be true; False if it is not in time or the
        program has ended."""

        deadline = time.monotonic() + timeout

        while time.monotonic() < deadline:
            if ready():
                return True

            if not self.running():
                return False

            time.sleep(0.05)

        return False


def listens(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run(argv, log, timeout, cwd=None, env=None):
    """The exit status of a program, or None if it took too long."""

    with Process(argv, log, cwd, env) as process:
        try:
            return process.child.wait(timeout)
        except subprocess.TimeoutExpired:
            return None


def workspace(name):
    """A new directory below build/, which a run that fails leaves there."""

    parent = os.path.join(BUILD, name)
    os.makedirs(parent, exist_ok=True)
    directory = tempfile.mkdtemp(prefix="run-", dir=parent)
    os.chmod(directory, 0o755)
    return directory


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def last_error(log):
    """The line of an installer's output that says what went wrong."""

    lines = [line.strip() for line in tail(log, 400).splitlines()]
    errors = [line for line in lines
              if re.match(r"(ERROR|error|npm (error|ERR!))", line)]

    return (errors or lines or ["it said nothing"])[-1][:160]


def install(directory, stamp, commands, timeout, environment=None):
    """Runs the commands unless they have been run with the same stamp.
    Raises Skip with a sentence if one of them fails."""

    mark = directory + ".installed"
    log = directory + ".install.log"
    stamp = digest(stamp)

    if os.path.exists(mark) and open(mark).read() == stamp:
        return

    print("# installing %s" % os.path.basename(directory), flush=True)

    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    open(log, "w").close()
    deadline = time.monotonic() + timeout

    for argv in commands:
        try:
            status = run(argv, log, max(1, deadline - time.monotonic()),
                         cwd=directory,
                         env={**os.environ, **(environment or {})})
        except FileNotFoundError:
            raise Skip("%s is not installed" % argv[0])

        if status is None:
            raise Skip("not installed within %d seconds" % timeout)

        if status != 0:
            raise Skip("cannot be installed: " + last_error(log))

    with open(mark, "w") as out:
        out.write(stamp)


def base_python():
    """Debian's own Python, for Triton's one links with its library; else
    the one that runs this."""

    debian = "/usr/bin/python3"

    if os.path.exists(debian) and subprocess.call(
            [debian, "-c", "import ensurepip, venv"],
            stderr=subprocess.DEVNULL) == 0:
        return debian

    return sys.executable


def venv(directory, packages, timeout, environment=None):
    """A virtual environment with the packages; its python."""

    base = base_python()
    python = os.path.join(directory, "bin", "python")

    install(directory, repr((base, sys.version, packages)), [
        [base, "-m", "venv", directory],
        [python, "-m", "pip", "install", "--disable-pip-version-check",
         "--no-input", *packages]], timeout, environment)

    return python


class Nginx:
    """nginx with the module; conf is the contents of the http block."""

    def __init__(self, directory, conf):
        self.directory = directory

        for name in ("tmp", "logs"):
            os.makedirs(os.path.join(directory, name), exist_ok=True)

        user = ""

        # workers of a root's nginx have to read the fields and write here

        if os.geteuid() == 0:
            owner = pwd.getpwuid(os.stat(TOP).st_uid).pw_name
            user = "user %s;\n" % owner

        paths = "".join("%s_temp_path tmp/%s;\n" % (p, p) for p in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))

        with open(directory + "/nginx.conf", "w") as out:
            out.write('load_module "%s";\n%sdaemon off;\n'
                      "worker_processes 1;\npid nginx.pid;\n"
                      "error_log logs/error.log info;\n"
                      "events {\n}\n"
                      "http {\n%s%s}\n" % (MODULE, user, paths, conf))

    def try_conf(self):
        """What nginx -t says against the configuration; empty if nothing."""

        done = subprocess.run(self.argv() + ["-t"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        return done.stdout if done.returncode else ""

    def argv(self):
        return [NGINX, "-p", self.directory + "/", "-c", "nginx.conf",
                "-e", "logs/error.log"]

    def start(self, port):
        environment = dict(os.environ)
        environment.pop("NGINX", None)

        self.process = Process(self.argv(), self.directory + "/nginx.log",
                               env=environment)

        if not self.process.until(lambda: listens(port), 10):
            self.process.stop()
            raise RuntimeError("nginx did not start: "
                               + tail(self.directory + "/nginx.log"))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.stop()

    def alerts(self):
        """Lines of the error log that must not be there."""

        with open(self.directory + "/logs/error.log") as log:
            return [line for line in log
                    if re.search(r"\[(alert|emerg|crit)\]", line)]
