#!/usr/bin/env python3
#
# Copyright (C) the modelguard authors

"""Tests fetch.sh with an archive on loopback that lists what it does not
have, in all the ways that Debian's was seen to, and what matrix.py says of it.
The archive is signed with a key of its own, and nothing else is asked.

    check-fetch.py [PART ...]    summaries, sources, transient, binaries,
                                 silence: all of them"""

import gzip
import hashlib
import http.server
import io
import lzma
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading

import build
import cells
import matrix

HERE = os.path.dirname(os.path.abspath(__file__))

# mirrors of one Debian, and that of its security updates

FIRST, SECOND, SECURITY = "debian", "mirror", "debian-security"

OLD, NEW, NEWER = (f"1.26.3-3+deb13u{n}" for n in (10, 11, 12))


class Archive:
    """What is served: files by path.  A rule is asked first, with the path:
    what it returns is served instead."""

    def __init__(self, home):
        self.home = home
        self.files = {}
        self.suites = {}
        self.asked = []
        self.rule = None
        self.key = "key"

    def reset(self):
        self.files, self.suites, self.asked = {}, {}, []
        self.rule = None
        self.key = "key"

    def answer(self, path):
        self.asked.append(path)
        special = self.rule(path) if self.rule else None

        return self.files.get(path) if special is None else special

    def publish(self, mirror, suite, listing, text):
        """Adds text to a listing, main/source/Sources or the like, and signs
        what the suite then is."""

        listings = self.suites.setdefault((mirror, suite), {
            "main/source/Sources": "", "main/binary-amd64/Packages": ""})
        listings[listing] += text + "\n"
        release = (f"Origin: test\nSuite: {suite}\nCodename: {suite}\n"
                   "Date: Mon, 01 Jan 2024 00:00:00 UTC\n"
                   "Architectures: amd64\nComponents: main\nSHA256:\n")

        for name, lines in listings.items():
            release += f" {digest(lines.encode())} {len(lines)} {name}\n"
            self.files[f"{mirror}/dists/{suite}/{name}"] = lines.encode()

        self.files[f"{mirror}/dists/{suite}/InRelease"] = gpg(
            self.home, "--local-user", self.key, "--clearsign",
            stdin=release.encode())

    def source(self, mirror, suite, version, missing=(".dsc",)):
        """A source package; some of its files may be missing."""

        upstream = version.rsplit("-", 1)[0]
        pool = f"{mirror}/pool/main/n/nginx/"
        files = {
            f"nginx_{upstream}.orig.tar.gz": tarball(
                "gz", f"nginx-{upstream}/configure", upstream),
            f"nginx_{version}.debian.tar.xz": tarball(
                "xz", "debian/rules", version)}
        head = (f"Source: nginx\nBinary: nginx\nVersion: {version}\n"
                "Format: 3.0 (quilt)\nMaintainer: T <t@localhost>\n"
                "Architecture: any\n")
        files[f"nginx_{version}.dsc"] = (head + sums(files)).encode()
        self.publish(mirror, suite, "main/source/Sources",
                     head.replace("Source:", "Package:")
                     + "Directory: pool/main/n/nginx\n" + sums(files))

        for name, data in files.items():
            if not name.endswith(tuple(missing)):
                self.files[pool + name] = data

    def package(self, mirror, suite, name, version, missing=False, depends=""):
        data = package(name, version, depends)
        path = f"pool/main/{name}_{version}_amd64.deb"
        self.publish(mirror, suite, "main/binary-amd64/Packages",
                     f"Package: {name}\nVersion: {version}\n"
                     f"Architecture: amd64\nFilename: {path}\n"
                     f"Size: {len(data)}\nSHA256: {digest(data)}\n")

        if not missing:
            self.files[f"{mirror}/{path}"] = data

    def nginx(self, mirror, suite, version, missing=False):
        self.package(mirror, suite, "nginx", version, missing, "libc6")
        self.package(mirror, suite, "nginx-dev", version, missing)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        data = self.server.archive.answer(
            self.path.lstrip("/").replace("%2b", "+").replace("%7e", "~"))
        self.send_response(404 if data is None else 200)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        self.wfile.write(data or b"")

    def log_message(self, *_):
        pass


def digest(data):
    return hashlib.sha256(data).hexdigest()


def sums(files):
    text = "Files:\n" + "".join(
        f" {hashlib.md5(data).hexdigest()} {len(data)} {name}\n"
        for name, data in files.items())

    return text + "Checksums-Sha256:\n" + "".join(
        f" {digest(data)} {len(data)} {name}\n"
        for name, data in files.items())


def tarball(how, name, text):
    """A tarball with one file, the same ones every time."""

    out = io.BytesIO()

    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text.encode()))

    pack = {"gz": lambda data: gzip.compress(data, mtime=0),
            "xz": lzma.compress}

    return pack[how](out.getvalue())


def package(name, version, depends):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        os.mkdir(os.path.join(folder, "DEBIAN"))

        with open(os.path.join(folder, "DEBIAN", "control"), "w") as stream:
            stream.write(f"Package: {name}\nVersion: {version}\n"
                         "Architecture: amd64\nMaintainer: T <t@localhost>\n"
                         + (f"Depends: {depends}\n" if depends else "")
                         + "Description: test\n")

        with open(os.path.join(folder, name), "w") as stream:
            stream.write(version)

        path = folder + ".deb"
        subprocess.run(["dpkg-deb", "-Znone", "--root-owner-group", "-b",
                        folder, path], check=True, capture_output=True)

        with open(path, "rb") as stream:
            data = stream.read()

        os.remove(path)

        return data


def gpg(home, *arguments, stdin=None):
    return subprocess.run(
        ["gpg", "--homedir", home, "--batch", "--quiet", "--passphrase", "",
         "--pinentry-mode", "loopback", *arguments], input=stdin,
        stdout=subprocess.PIPE, check=True).stdout


class Test:
    """Runs fetch.sh on an archive, and counts what was as it should be."""

    def __init__(self, folder):
        self.folder = folder
        self.to = os.path.join(folder, "fetched")
        self.checks = self.failed = 0
        home = os.path.join(folder, "gpg")
        os.mkdir(home, 0o700)

        for name in ("key", "other"):
            gpg(home, "--quick-gen-key", name, "ed25519", "sign", "never")

        self.keyring = os.path.join(folder, "keyring.gpg")

        with open(self.keyring, "wb") as stream:
            stream.write(gpg(home, "--export", "key"))

        self.archive = Archive(home)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        self.server.archive = self.archive
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()
        self.configure()

    def configure(self):
        """The system's sources, and an apt that uses no proxy for them."""

        codename = subprocess.check_output(
            ["sh", "-c", ". /etc/os-release; echo $VERSION_CODENAME"],
            text=True).strip()
        base = f"http://127.0.0.1:{self.port}/"
        parts = os.path.join(self.folder, "etc", "sources.list.d")
        os.makedirs(parts)

        with open(os.path.join(parts, "test.sources"), "w") as stream:
            stream.write(f"Types: deb\nURIs: {base}{FIRST} {base}{SECOND}\n"
                         f"Suites: {codename}\nComponents: main\n\n"
                         f"Types: deb\nURIs: {base}{SECURITY}\n"
                         f"Suites: {codename}-security\nComponents: main\n")

        with open(os.path.join(self.folder, "apt.conf"), "w") as stream:
            stream.write('Acquire::http::Proxy::127.0.0.1 "DIRECT";\n'
                         'Acquire::Retries::Delay "false";\n'
                         'Acquire::Check-Valid-Until "false";\n'
                         'APT::Architecture "amd64";\n'
                         'APT::Architectures { "amd64"; };\n')

    def fetch(self, *what):
        """The exit status, the version and where it is from."""

        shutil.rmtree(self.to, ignore_errors=True)
        shutil.rmtree(os.path.join(self.folder, "apt"), ignore_errors=True)
        done = subprocess.run(
            [os.path.join(HERE, "fetch.sh"), *what, self.to],
            env=dict(os.environ, LC_ALL="C",
                     PRIVATE_APT=os.path.join(self.folder, "apt"),
                     PRIVATE_APT_ETC=os.path.join(self.folder, "etc"),
                     PRIVATE_APT_KEYRING=self.keyring,
                     APT_CONFIG=os.path.join(self.folder, "apt.conf")),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        self.log = done.stdout

        return done.returncode, self.read("version"), self.read("from")

    def read(self, *path):
        try:
            with open(os.path.join(self.to, *path)) as stream:
                return stream.read().strip()

        except OSError:
            return ""

    def same(self, got, wanted, name):
        self.checks += 1
        self.failed += got != wanted
        print(f"{'ok' if got == wanted else 'not ok'} {self.checks} - {name}",
              flush=True)

        if got != wanted:
            for line in [f"got {got!r}", f"not {wanted!r}",
                         *getattr(self, "log", "").splitlines()]:
                print("# " + line)


def suites(archive, old=(), new=(), second=None):
    """What Debian had: a release, its mirror, and a security update."""

    archive.reset()
    archive.source(FIRST, "trixie", OLD, missing=old)
    archive.source(SECOND, "trixie", OLD,
                   missing=old if second is None else second)
    archive.source(SECURITY, "trixie-security", NEW, missing=new)


LISTED = (".dsc", ".debian.tar.xz")
EVERYTHING = LISTED + (".orig.tar.gz",)
IN_VAIN = f"; not to be had: {NEW}, {OLD}"


def sources(test):
    archive = test.archive

    suites(archive)
    test.same(test.fetch("source", "trixie"), (0, NEW, "trixie-security"),
              "the newest that is listed")
    test.same((test.read("nginx", "debian", "rules"), "debian-security/pool/"
               in " ".join(archive.asked)), (NEW, True), "is unpacked")

    for name in EVERYTHING:
        suites(archive, new=[name])
        test.same(test.fetch("source", "trixie"),
                  (0, OLD, f"trixie; not to be had: {NEW}"),
                  f"an older one, without the newest's {name}")
        test.same(("going on with " + OLD in test.log,
                   test.read("nginx", "debian", "rules")), (True, OLD),
                  "is unpacked, and the log says so")

    suites(archive, new=LISTED, old=LISTED, second=())
    test.same(test.fetch("source", "trixie"),
              (0, OLD, f"trixie; not to be had: {NEW}"), "another mirror")
    test.same(any(path.startswith("mirror/pool") for path in archive.asked),
              True, "was asked")

    suites(archive, new=EVERYTHING, old=EVERYTHING)
    archive.source(FIRST, "testing", "1.30.6-2", missing=())
    archive.source(FIRST, "unstable", "1.26.3-4", missing=())
    test.same(test.fetch("source", "trixie"),
              (0, "1.26.3-4", "unstable" + IN_VAIN),
              "another release, if it has the same nginx")

    archive.source(FIRST, "trixie-proposed-updates", NEWER, missing=())
    test.same(test.fetch("source", "trixie"),
              (0, NEWER, "trixie-proposed-updates" + IN_VAIN),
              "an update that waits is better")

    suites(archive)
    archive.source(FIRST, "trixie-proposed-updates", NEWER, missing=())
    test.same(test.fetch("source", "trixie"), (0, NEW, "trixie-security"),
              "but not better than what is there")

    suites(archive, new=LISTED, old=LISTED)
    archive.source(FIRST, "testing", "1.30.6-2", missing=())
    test.same(test.fetch("source", "trixie"),
              (0, "1.26.3", "nginx's tarball in trixie-security, without "
               "Debian's patches" + IN_VAIN), "no other: nginx's tarball")
    test.same((test.read("nginx", "configure"),
               os.path.exists(os.path.join(test.to, "nginx", "debian"))),
              ("1.26.3", False), "is unpacked")

    def other(path):
        return tarball("gz", "nginx-1.26.3/configure", "other") \
            if path.endswith(".orig.tar.gz") else None

    suites(archive, new=LISTED, old=LISTED)
    archive.rule = other
    test.same(test.fetch("source", "trixie"), (3, "", ""),
              "a tarball that is not the one that is listed")

    suites(archive, new=EVERYTHING, old=EVERYTHING)
    archive.source(FIRST, "testing", "1.30.6-2", missing=())
    test.same((test.fetch("source", "trixie"), test.read("missing")),
              ((3, "", ""), NEW), "nothing at all")


def transient(test):
    """What is only so until the lists are fetched once more."""

    archive = test.archive
    dsc = f"{SECURITY}/pool/main/n/nginx/nginx_{NEW}.dsc"
    listing = f"{SECURITY}/dists/trixie-security/InRelease"
    lock = threading.Lock()

    def update(path):
        with lock:
            if path == dsc and archive.asked.count(listing) == 1 \
                    and NEWER not in str(archive.suites):
                archive.source(SECURITY, "trixie-security", NEWER, missing=())

    suites(archive, new=EVERYTHING)
    archive.rule = update
    test.same(test.fetch("source", "trixie"), (0, NEWER, "trixie-security"),
              "an archive that is updated meanwhile")

    def bad(path):
        if path == dsc and archive.asked.count(listing) == 1:
            return b"x" * len(archive.files[dsc])

        return None

    suites(archive)
    archive.rule = bad
    test.same(test.fetch("source", "trixie"), (0, NEW, "trixie-security"),
              "a wrong hash, once")
    test.same(archive.asked.count(listing), 2, "and the lists but twice")

    suites(archive)
    archive.rule = lambda path: b"x" * len(archive.files[dsc]) \
        if path == dsc else None
    test.same(test.fetch("source", "trixie"),
              (0, OLD, f"trixie; not to be had: {NEW}"), "a wrong hash")

    suites(archive, new=EVERYTHING, old=EVERYTHING)
    archive.key = "other"
    archive.source(SECURITY, "trixie-security", NEWER, missing=())
    archive.key = "key"
    test.same(test.fetch("source", "trixie")[0], 1,
              "a list that another has signed is none")

    suites(archive)
    archive.key = "other"
    archive.source(SECURITY, "trixie-security", NEWER, missing=())
    test.same(test.fetch("source", "trixie"), (0, OLD, "trixie"),
              "what others signed is not looked at")


def binaries(test):
    archive = test.archive

    def packages(missing, library):
        archive.reset()

        for mirror in (FIRST, SECOND):
            archive.nginx(mirror, "trixie", OLD)
            archive.package(mirror, "trixie", "libc6", "2.41-1")
            archive.publish(mirror, "trixie-updates", "main/source/Sources",
                            "")

        archive.nginx(SECURITY, "trixie-security", NEW, missing)
        archive.package(SECURITY, "trixie-security", "libc6", "2.41-2",
                        library)

    packages(False, False)
    test.same(test.fetch("binary", "trixie"), (0, NEW, "trixie-security"),
              "binary: the newest that is listed")
    test.same((test.read("root", "nginx"), test.read("root", "libc6")),
              (NEW, "2.41-2"), "binary: is unpacked")

    packages(True, False)
    test.same(test.fetch("binary", "trixie"),
              (0, OLD, f"trixie; not to be had: {NEW}"),
              "binary: an older one")
    test.same((test.read("root", "nginx"), test.read("root", "libc6")),
              (OLD, "2.41-2"), "binary: is unpacked")

    packages(False, True)
    test.same(test.fetch("binary", "trixie"),
              (0, NEW, "trixie-security; not to be had: libc6 2.41-2"),
              "binary: an older library")
    test.same(test.read("root", "libc6"), "2.41-1", "binary: is unpacked")

    for missing, wanted in (
            (False, (0, "1.30.6-1", "testing; not to be had: 1.30.6-2")),
            (True, (3, "", ""))):
        archive.reset()

        for mirror in (FIRST, SECOND):
            archive.nginx(mirror, "unstable", "1.30.6-2", True)
            archive.nginx(mirror, "testing", "1.30.6-1", missing)
            archive.package(mirror, "testing", "libc6", "2.43-1")

        test.same(test.fetch("binary", "unstable"), wanted,
                  "binary: testing instead of unstable, if it is there")


def silence(test):
    """Nobody listens any more: that is no answer."""

    suites(test.archive)
    test.server.shutdown()
    test.server.server_close()
    test.same(test.fetch("source", "trixie"), (1, "", ""), "no answer")
    test.same(test.fetch("binary", "trixie"), (1, "", ""), "nor of a binary")


def summaries(test):
    """What matrix.py makes of cells that have nothing to be built from."""

    def records(passed, missing, failed=0):
        results = (["passed"] * passed + ["not in the archive"] * missing
                   + ["failed"] * failed)

        return [{"cell": f"cell-{i}", "result": r}
                for i, r in enumerate(results)]

    test.log = ""

    for args, text, usual, strict in (
            ((11, 0), "11 of 11 cells", 0, 0),
            ((10, 1), "10 of 11 cells, 1 not in the archive", 0, 1),
            ((4, 7), "4 of 11 cells, 7 not in the archive", 0, 7),
            ((3, 7, 1), "3 of 11 cells, 7 not in the archive, 1 failed", 1,
             8)):
        some = records(*args)
        test.same((matrix.count(some), len(matrix.failures(some, False)),
                   len(matrix.failures(some, True))), (text, usual, strict),
                  "said: " + text)

    build.fetch = lambda *_: (_ for _ in ()).throw(build.Missing())
    build.said = lambda *_: "1.30.6-2"
    newest = build.newest()
    test.same((newest, [build.from_where(cell, "trixie")
                        for cell in cells.cells(newest)[4:6]]),
              ("trixie", ["trixie",
                          "trixie; instead of unstable's 1.30.6-2"]),
              "a newest one that is not is named")


def main():
    parts = {part.__name__: part for part in
             (summaries, sources, transient, binaries, silence)}
    folder = tempfile.mkdtemp(prefix="matrix-")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    try:
        test = Test(folder)

        for name in sys.argv[1:] or parts:
            parts[name](test)

        print(f"1..{test.checks}")

    finally:
        subprocess.call(["gpgconf", "--homedir", os.path.join(folder, "gpg"),
                         "--kill", "all"])
        shutil.rmtree(folder)

    sys.exit(1 if test.failed else 0)


if __name__ == "__main__":
    main()
