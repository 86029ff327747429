# Copyright (C) the modelguard authors

"""Builds the nginx, or the module, of one cell of the matrix."""

import collections
import copy
import glob
import os
import re
import shlex
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(TOP, "build", "matrix")
NAME = "ngx_http_modelguard_module"
VALGRIND = os.path.join(TOP, "t", "tools", "valgrind.supp")
JOBS = os.environ.get("JOBS", "2")

# For our own sources only: nginx's are not ours to judge, nor to optimize.
# With the sanitizers they are not optimized either: that takes four times as
# long, and the warnings are those of the other cells.
# What is off is what nginx's handlers, tables and casts of handlers are
# written with.

STRICT = """-Wall -Wextra -Werror -Wno-unused-parameter
    -Wno-missing-field-initializers -Wno-cast-function-type""".split()

# As tools/build-nginx.sh explains it.

SANITIZERS = "-fsanitize=address,undefined -fno-sanitize-recover=all"
SANITIZED = f"-DNGX_DEBUG_PALLOC=1 {SANITIZERS} -fno-sanitize=nonnull-attribute"

_sources = {}
_lacking = []
_built = {}


class Failed(Exception):
    """The cell cannot be built; says what failed, and where the log is."""


class Missing(Exception):
    """The archive does not have what the cell is built from."""


class Built:
    """What there is to test: the paths of nginx and of the dynamic module
    (empty: linked in), what tests need in their environment, and where nginx
    is from."""

    def __init__(self, version, compiler, nginx="", module="", ran="",
                 environment=None, logs="", origin=""):
        self.version = version
        self.origin = origin
        self.compiler = compiler
        self.nginx = nginx
        self.module = module
        self.ran = ran
        self.environment = environment or {}
        self.logs = logs

    def after(self, run):
        """What reports in the folder of the run say, or nothing."""

        text = ""

        for path in glob.glob(os.path.join(run, self.logs)) \
                if self.logs else []:
            with open(path, errors="replace") as stream:
                text += stream.read()

        return text


def command(log, arguments, **options):
    """Runs it with its output added to a log; fails if it does."""

    with open(log, "a") as stream:
        stream.write("$ " + shlex.join(arguments) + "\n")
        stream.flush()
        status = subprocess.call(arguments, stdout=stream,
                                 stderr=subprocess.STDOUT, **options)

    if status:
        raise Failed(f"{os.path.basename(arguments[0])} failed, see "
                     f"{os.path.relpath(log, TOP)}")


def fetch(*what):
    """The folder with what tools/matrix/fetch.sh fetched, once."""

    folder = os.path.join(BUILD, "fetched", "-".join(what))

    if os.path.exists(os.path.join(folder, "version")):
        return folder

    status = subprocess.call([os.path.join(HERE, "fetch.sh"), *what, folder],
                             cwd=TOP)

    if status == 3:
        raise Missing("the archive does not have it, nor another of this "
                      "nginx")

    if status:
        raise Failed(f"could not fetch {' '.join(what)} from Debian's archive; "
                     "apt's words are above")

    return folder


def add_source(name, folder):
    """An unpacked source that is not fetched."""

    _sources[name] = os.path.abspath(folder)


def said(folder, what):
    """What fetch.sh says of what is in a folder: version, from."""

    with open(os.path.join(folder, what)) as stream:
        return stream.read().strip()


def source(version):
    """The folder of nginx's source, its version, and where it is from."""

    if version in _sources:
        return _sources[version], version, "by hand"

    folder = fetch("source", version)

    return (os.path.join(folder, "nginx"), said(folder, "version"),
            said(folder, "from"))


def newest():
    """The newest Debian that has its source in the archive."""

    try:
        source("unstable")
        return "unstable"

    except Missing:
        folder = os.path.join(BUILD, "fetched", "source-unstable")
        _lacking[:] = [said(folder, "missing")]
        return "trixie"


def from_where(cell, origin):
    """With what the newest one would be."""

    if cell.name.startswith("newest-") and _lacking:
        return f"{origin}; instead of unstable's {_lacking[0]}"

    return origin


def compiler_version(compiler):
    text = subprocess.check_output([compiler, "--version"], text=True)

    return compiler + " " + re.search(r"\d+\.\d+\.\d+", text).group()


def cached(compiler):
    """The compiler behind ccache: the cells compile the same files."""

    folder = os.path.join(BUILD, "bin")
    path = os.path.join(folder, compiler)

    if not os.path.lexists(path):
        os.makedirs(folder, exist_ok=True)
        os.symlink("/usr/bin/ccache", path)

    return path


def environment(**more):
    return dict(os.environ, CCACHE_DIR=os.path.join(BUILD, "ccache"),
                CCACHE_NOHASHDIR="1", ASAN_OPTIONS="detect_leaks=0", **more)


def shadow(work, names):
    """A folder of headers that are not there: the first one that is found
    wins, and does not compile."""

    folder = os.path.join(work, "shadow")

    for name in names:
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)

        with open(path, "w") as stream:
            stream.write("#error this library is not here\n")

    return folder


def strict(work, optimize="-O2"):
    """Our warnings into the rules of our objects; only these name our
    folder."""

    path = os.path.join(work, "objs", "Makefile")
    ours = False
    lines = []

    with open(path) as stream:
        for line in stream:
            ours = ours or line.startswith(f"objs/addon/{NAME}/")

            if ours and "$(CFLAGS)" in line:
                line = line.replace("$(CFLAGS)",
                                    " ".join(["$(CFLAGS)", optimize, *STRICT]))
                ours = False

            lines.append(line)

    with open(path, "w") as stream:
        stream.writelines(lines)


def i386():
    """Compiler and linker options, and the folders of the libraries."""

    root = os.path.join(fetch("i386"), "root")
    folders = [os.path.join(root, "usr/lib/i386-linux-gnu"),
               os.path.join(root, "lib/i386-linux-gnu")]

    for link in glob.glob(os.path.join(folders[0], "*.so")):
        if os.path.islink(link) and not os.path.exists(link):
            target = os.readlink(link)
            os.remove(link)
            os.symlink(os.path.join(folders[1], os.path.basename(target)),
                       link)

    compile_options = (f"-m32 -I{root}/usr/include/i386-linux-gnu "
                       f"-I{root}/usr/include")

    # not RUNPATH: what a library of the folders needs is in them, too

    link_options = "-m32 -Wl,--disable-new-dtags " + " ".join(
        f"-L{folder} -Wl,-rpath,{folder} -Wl,-rpath-link,{folder}"
        for folder in folders)

    return compile_options, link_options


def options_of(cell, work):
    """Options for compiler and linker, and the environment of configure."""

    if cell.kind == "asan":
        return f"-g -O0 -fno-omit-frame-pointer {SANITIZED}", SANITIZERS, {}

    if cell.kind == "bare":
        folder = shadow(work, ["brotli/decode.h", "zstd.h"])
        return f"-g1 -O0 -I{folder}", "", {"PKG_CONFIG": "false"}

    if cell.kind == "no-pcre2":
        folder = shadow(work, ["pcre2.h"])
        return f"-g1 -O0 -I{folder}", "", {"PKG_CONFIG": "false"}

    if cell.kind == "i386":
        compile_options, link_options = i386()
        return f"-g1 -O0 {compile_options}", link_options, {
            "PKG_CONFIG": "false"}

    return "-g1 -O0", "", {}


def known(folder, options):
    """Those of the features that this nginx knows."""

    with open(os.path.join(folder, "auto", "options")) as stream:
        text = stream.read()

    return [o for o in options if o + ")" in text or o + "=" in text]


def configure(cell, work, log):
    """Copies the source and configures it."""

    folder = source(cell.version)[0]
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(folder, work, symlinks=True)

    script = "./configure"

    if not os.path.exists(os.path.join(work, "configure")):
        script = "./auto/configure"

    compile_options, link_options, more = options_of(cell, work)
    how = "--add-dynamic-module" if cell.linkage == "dynamic" \
        else "--add-module"

    command(log, [script, *known(folder, cell.options),
                  f"--prefix={work}/prefix", "--error-log-path=stderr",
                  f"--with-cc={cached(cell.compiler)}",
                  f"--with-cc-opt={compile_options}",
                  f"--with-ld-opt={link_options}", f"{how}={TOP}"],
            cwd=work, env=environment(**more))


def compile_source(cell, work, log):
    configure(cell, work, log)
    strict(work, "-O0" if cell.kind == "asan" else "-O2")

    if cell.kind == "asan":
        path = os.path.join(work, "objs", "ngx_auto_config.h")

        with open(path) as stream:
            text = stream.read()

        with open(path, "w") as stream:
            stream.write(re.sub(r"define NGX_HAVE_NONALIGNED *1",
                                "undef NGX_HAVE_NONALIGNED", text))

    command(log, ["make", "-j", JOBS, "-f", "objs/Makefile", "binary",
                  *(["modules"] if cell.linkage == "dynamic" else [])],
            cwd=work, env=environment())


def same(cell):
    """What makes two builds of unpacked source the same."""

    return (source(cell.version)[0], cell.compiler, tuple(cell.options))


def build_source(cell, work, log):
    """nginx with the module linked in, or with the module beside it."""

    compile_source(cell, work, log)
    module = ""

    if cell.linkage == "dynamic":
        module = os.path.join(work, "objs", NAME + ".so")

    if cell.kind == "bare":
        with open(os.path.join(work, "objs", "ngx_auto_config.h")) as stream:
            if re.search("MODELGUARD_(BROTLI|ZSTD)", stream.read()):
                raise Failed("brotli or zstd was found behind their shadow")

    # Angie's program has its own name

    names = [os.path.join(work, "objs", name) for name in ("nginx", "angie")]
    nginx = next((n for n in names if os.path.exists(n)), names[0])

    _, version, origin = source(cell.version)
    built = Built(version, compiler_version(cell.compiler), nginx, module,
                  origin=origin)

    if cell.kind == "source" and cell.linkage == "static":
        _built[same(cell)] = built

    return built


def build_valgrind(cell, work, log):
    """The same, or what a cell with the same options built, started by
    valgrind."""

    built = copy.copy(_built.get(same(cell)) or build_source(cell, work, log))
    built.origin = source(cell.version)[2]
    os.makedirs(work, exist_ok=True)
    script = os.path.join(work, "under-valgrind")
    logs = os.path.join(TOP, "build", "run", "matrix-" + cell.name,
                        "valgrind.%p")

    with open(script, "w") as stream:
        stream.write("#!/bin/sh\n"
                     f"exec valgrind -q --leak-check=full "
                     "--errors-for-leak-kinds=definite "
                     "--show-leak-kinds=definite --num-callers=30 "
                     "--gen-suppressions=all --fair-sched=yes "
                     f"--suppressions={VALGRIND} --log-file={logs} "
                     f"{built.nginx} \"$@\"\n")

    os.chmod(script, 0o755)
    built.nginx = script
    built.logs = "valgrind.*"
    built.environment = {"TEST_NGINX_TIMEOUT": "60"}

    return built


def build_without_pcre2(cell, work, log):
    """config has to stop, and to say what is missing."""

    try:
        configure(cell, work, log)

    except Failed:
        with open(log) as stream:
            text = stream.read()

        if "needs the 8 bit PCRE2 library" not in text:
            raise Failed("config does not say that PCRE2 is missing, see "
                         + os.path.relpath(log, TOP))

        _, version, origin = source(cell.version)

        return Built(version, compiler_version(cell.compiler),
                     ran="config stops and says what is missing",
                     origin=origin)

    raise Failed("config did not notice that PCRE2 is missing")


def build_installed(cell, _, log):
    """Debian 12's nginx, as tools/build-module.sh builds for it."""

    command(log, [os.path.join(TOP, "tools", "build-module.sh"),
                  cell.compiler])
    version = subprocess.check_output(
        ["dpkg-query", "-W", "-f", "${Version}", "nginx"], text=True)

    return Built(version, compiler_version(cell.compiler),
                 os.environ.get("NGINX_BIN", "/usr/sbin/nginx"),
                 os.path.join(TOP, "build", "module-" + cell.compiler,
                              "objs", NAME + ".so"), origin="installed")


def signatures(path):
    with open(path, "rb") as stream:
        return set(re.findall(rb"\d,\d,\d,[01]{30,}", stream.read()))


def build_package(cell, work, log):
    """The nginx that Debian built, with the C library it was built for, and
    the module built with its nginx-dev."""

    folder = fetch("binary", cell.version)
    root = os.path.join(folder, "root")
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(os.path.join(root, "usr/share/nginx/src"), work,
                    symlinks=True)

    command(log, ["bash", "-ec", """
        . ./conf_flags
        exec ./configure "${NGX_CONF_FLAGS[@]}" --with-cc="$1" \\
            --with-cc-opt="-g1 -O2 -fPIC" --with-ld-opt= \\
            --add-dynamic-module="$2" """,
                  "configure", cached(cell.compiler), TOP],
            cwd=work, env=environment())
    strict(work)
    command(log, ["make", "-j", JOBS, "-f", "objs/Makefile", "modules"],
            cwd=work, env=environment())

    nginx = os.path.join(work, "objs", "nginx")
    module = os.path.join(work, "objs", NAME + ".so")
    libraries = os.path.join(root, "usr/lib/x86_64-linux-gnu")
    shutil.copy(os.path.join(root, "usr/sbin/nginx"), nginx)

    if signatures(nginx) != signatures(module):
        raise Failed("the module's signature is not that of the package")

    command(log, ["patchelf", "--force-rpath", "--set-rpath", libraries,
                  "--set-interpreter",
                  os.path.join(libraries, "ld-linux-x86-64.so.2"), nginx])

    return Built(said(folder, "version"), compiler_version(cell.compiler),
                 nginx, module, origin=said(folder, "from"))


def wide_units():
    """The unit tests whose references need 128 bits, which compilers have for
    64 only."""

    texts = {}

    for path in glob.glob(os.path.join(TOP, "t", "unit", "*.[ch]")):
        with open(path) as stream:
            texts[os.path.basename(path)] = stream.read()

    wide = {name for name, text in texts.items() if "__int128" in text}
    before = set()

    while before != wide:
        before = set(wide)
        wide |= {name for name, text in texts.items()
                 if any(f'"{header}"' in text for header in before)}

    return ({name[:-2] for name in texts if name.endswith(".c")},
            {name[:-2] for name in wide if name.endswith(".c")})


def make_units(work, log, names, compiler, libraries, levels):
    """Builds unit tests; the paths of the programs."""

    arguments = ["make", "-j", JOBS, "-f", "tools/unit.mk", f"BUILD={work}",
                 "CC=" + compiler, "NAMES=" + " ".join(sorted(names)),
                 "LEVELS=" + levels,
                 f"PKG_LIBS={libraries} -ljansson -lpcre2-8 -lm -lpthread"]

    command(log, [*arguments, "plain"], cwd=TOP, env=environment())

    return subprocess.check_output(
        [*arguments, "-s", "--no-print-directory", "programs"], cwd=TOP,
        text=True).split()


def build_units_i386(_, work, log):
    """Layer 0 and its unit tests with 32 bits; those whose references need
    more run with 64 on the arithmetic that 32 bits use.  Those that scan run
    without vectors, too: not every processor of 32 bits has them."""

    compile_options, link_options = i386()
    every, wide = wide_units()
    units = make_units(work, log, every - wide,
                       f"{cached('gcc')} {compile_options}", link_options,
                       "portable")
    units += make_units(os.path.join(work, "wide"), log, wide,
                        f"{cached('gcc')} -DMODELGUARD_BUDGET_INT128=0", "", "")

    command(log, ["prove", "-j", JOBS, *units], cwd=TOP)

    with open(log, errors="replace") as stream:
        files, checks = re.findall(r"^Files=(\d+), Tests=(\d+)",
                                   stream.read(), re.M)[-1]

    return Built("none", compiler_version("gcc"),
                 ran=f"{files} units ({len(wide)} of them with 64 bits), "
                     f"{checks} checks",
                 origin=said(fetch("i386"), "from"))


BUILDERS = collections.defaultdict(
    lambda: build_source,
    {"installed": build_installed, "package": build_package,
     "valgrind": build_valgrind, "no-pcre2": build_without_pcre2,
     "units-i386": build_units_i386})


def build(cell):
    """Builds a cell and returns what there is to test."""

    os.makedirs(BUILD, exist_ok=True)
    work = os.path.join(BUILD, cell.name)
    log = work + ".build.log"

    if os.path.exists(log):
        os.remove(log)

    built = BUILDERS[cell.kind](cell, work, log)
    built.origin = from_where(cell, built.origin)

    return built
