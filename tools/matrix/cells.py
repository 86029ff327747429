# Copyright (C) the modelguard authors

"""The cells of the matrix: what is built, how, and what then runs."""

import collections

Cell = collections.namedtuple(
    "Cell", "name version compiler linkage kind options tests")

# One file or two for each feature, none of the slow ones, and none that needs
# other people's modules, which exist for Debian 12's nginx only.

SUBSET = """
    t/00-load.t t/05-budget-reload.t t/06-dryrun.t t/10-json-basic.t
    t/16-conf-const.t t/20-headers.t t/21-coding.t t/24-cache.t
    t/25-subrequest.t t/28-events.t t/30-lines.t t/34-meter.t
    t/40-param-ways.t t/62-head.t t/81-everywhere.t t/83-settle.t
    t/90-state-file.t t/93-ratelimit-headers.t t/97-warnings.t t/99-alerts.t
    """.split()

# Of these, what differs most between builds, on cells that differ only in how
# they are built.

PART = """t/00-load.t t/05-budget-reload.t t/10-json-basic.t t/21-coding.t
    t/25-subrequest.t t/28-events.t t/40-param-ways.t t/81-everywhere.t
    t/90-state-file.t t/99-alerts.t""".split()

# An nginx of a few features has no "return", no SSI, no gzip, ...

FEW = "t/27-proxy-only.t t/99-alerts.t".split()

# Under valgrind a start takes seconds; the sanitizers see more of the rest.

SLOW = "t/00-load.t t/21-coding.t t/99-alerts.t".split()

# The features of Debian's package that change structures or the way of a
# response.  Not its paths: this nginx writes below its prefix.

FEATURES = """
    --with-compat --with-pcre-jit --with-threads --with-file-aio
    --with-http_ssl_module --with-http_v2_module --with-http_v3_module
    --with-http_stub_status_module --with-http_realip_module
    --with-http_auth_request_module --with-http_slice_module
    --with-http_addition_module --with-http_gunzip_module
    --with-http_gzip_static_module --with-http_sub_module
    """.split()

# Debian builds with --with-debug; here half of the cells do.

DEBUG = ["--with-debug"]

MINIMAL = """
    --without-pcre --without-http_rewrite_module --without-http_gzip_module
    --without-http_ssi_module --without-http_charset_module
    """.split()


def of_version(version):
    """Both compilers, both linkages, with two builds: Debian's package is a
    dynamic module of gcc already."""

    return [
        Cell(f"{version}-dynamic-clang", version, "clang", "dynamic",
             "source", FEATURES + DEBUG, PART),
        Cell(f"{version}-static-gcc", version, "gcc", "static", "source",
             FEATURES, PART),
    ]


def cells(newest):
    """All of them.  What is built once is built from the newest source that
    there is.  make test runs all of t/*.t on Debian 12's nginx, and
    builds with clang for it."""

    wanted = []

    wanted.append(Cell("bookworm-package-gcc", "bookworm", "gcc", "dynamic",
                       "installed", [], PART))

    for version in ("trixie", "unstable"):
        wanted.append(Cell(f"{version}-package-gcc", version, "gcc",
                           "dynamic", "package", [], SUBSET))

    wanted += of_version("trixie")

    wanted += [
        Cell("newest-valgrind", newest, "gcc", "static, valgrind",
             "valgrind", FEATURES, SLOW),
        Cell("newest-asan", newest, "gcc", "static, ASan and UBSan",
             "asan", FEATURES + DEBUG, PART),
        Cell("newest-32-bit", newest, "gcc", "static, 32 bits", "i386",
             FEATURES, PART),
        Cell("newest-bare", newest, "gcc", "static, without brotli and zstd",
             "bare", MINIMAL, FEW),
        Cell("newest-no-pcre2", newest, "gcc", "none: without PCRE2",
             "no-pcre2", MINIMAL, []),
        Cell("units-32-bit", "", "gcc", "units, 32 bits", "units-i386", [],
             []),
    ]

    return wanted
