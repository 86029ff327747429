#!/usr/bin/env python3

# Copyright (C) the modelguard authors

"""Checks README.md and docs/*.md against the module.

    check-docs.py [--self-test]

- every fenced nginx snippet passes "nginx -t" in a configuration around it
  that adds what the snippet uses and does not define: zones, profiles, the
  upstream "model" and $tier
- the directives of docs/directives.md are those of the command table, each
  with Syntax, Default, Context, what is inherited, an example and "See also";
  likewise the variables
- links between the files lead somewhere

Environment: NGINX_BIN, NGINX_MODULE.  Everything is kept in build/docs."""

import sys

sys.dont_write_bytecode = True

import os
import pathlib
import re
import shutil
import subprocess

TOP = pathlib.Path(__file__).resolve().parent.parent
SOURCES = TOP / "ngx_http_modelguard_module"
WORK = TOP / "build" / "docs"

NGINX = os.environ.get("NGINX_BIN", "/usr/sbin/nginx")
MODULE = os.environ.get("NGINX_MODULE",
                        str(TOP / "build/ngx_http_modelguard_module.so"))

os.environ.pop("NGINX", None)

PATHS = "".join("    %s_temp_path %s_temp;\n" % (name, name)
                for name in ("client_body", "proxy", "fastcgi", "uwsgi",
                             "scgi")) + "    access_log off;\n"
LOAD = "load_module modules/ngx_http_modelguard_module.so;"

PARTS = ("Syntax:", "Default:", "Context:")


def snippets(text):
    """(line number, snippet) of every fenced nginx block."""

    for match in re.finditer(r"^```nginx\n(.*?)^```$", text, re.M | re.S):
        yield text.count("\n", 0, match.start()) + 2, match.group(1)


def level(snippet):
    """Where the snippet belongs, by what stands at its outer level."""

    outer, depth = [], 0

    for line in snippet.splitlines():
        if depth == 0:
            outer.append(line)

        line = re.sub(r"'[^']*'|\"[^\"]*\"|#.*", "", line)
        depth += line.count("{") - line.count("}")

    words = {line.split()[0] for line in outer if line.split()}

    if words & {"http", "events", "load_module"}:
        return "main"

    if words & {"server", "upstream", "map", "log_format", "modelguard_zone",
                "modelguard_profile", "modelguard_secret"}:
        return "http"

    if "location" in words:
        return "server"

    return "location"


def missing(snippet):
    """What the snippet uses and does not define, for the level of http."""

    lines = []

    for name in sorted(set(re.findall(r"\bzone=(\w+)[\s;]", snippet))):
        if not re.search(r"\bzone=%s:" % name, snippet):
            lines.append("modelguard_zone $remote_addr zone=%s:1m;" % name)

    used = set(re.findall(r"^\s*modelguard\s+([\w-]+);", snippet, re.M))

    if "$tier" in snippet:
        used.add("public")

    for name in sorted(used - {"off"}):
        if not re.search(r"modelguard_profile\s+%s\s" % name, snippet):
            lines.append("modelguard_profile %s { scores round=2; "
                         "metadata drop; }" % name)

    if "http://model;" in snippet and "upstream model" not in snippet:
        lines.append("upstream model { server 127.0.0.1:1; }")

    if "$tier" in snippet and not re.search(r"map\s+\S+\s+\$tier", snippet):
        lines.append("map $host $tier { default public; }")

    return "".join("    %s\n" % line for line in lines)


def configuration(snippet):
    where = level(snippet)

    if where == "main":
        text = snippet if "events" in snippet else "events {}\n" + snippet

        # before the first "http {", so that load_module stands first

        return "pid nginx.pid;\n" + re.sub(
            r"^http\s*\{\n", lambda m: m.group(0) + PATHS + missing(snippet),
            text, count=1, flags=re.M)

    if where == "location":
        snippet = "location / {\n%s}\n" % snippet

    if where in ("location", "server"):
        snippet = "server {\nlisten 127.0.0.1:64999;\n%s}\n" % snippet

    return "%s\npid nginx.pid;\nevents {}\nhttp {\n%s%s%s}\n" \
        % (LOAD, PATHS, missing(snippet), snippet)


def prepare():
    shutil.rmtree(WORK, ignore_errors=True)
    (WORK / "modules").mkdir(parents=True)
    (WORK / "logs").mkdir()
    (WORK / "state").mkdir()
    (WORK / "conf" / "modelguard").mkdir(parents=True)
    (WORK / "conf" / "modelguard.secret").write_text("not a secret at all\n")
    (WORK / "conf" / "modelguard.secret").chmod(0o600)
    (WORK / "modules" / "ngx_http_modelguard_module.so").symlink_to(MODULE)
    (WORK / "conf/modelguard/fields").symlink_to(TOP / "conf-examples/fields")


def test(snippet):
    """What nginx says about the snippet; nothing if it is content.  Snippets
    may have guarded locations without fields or budgets, which it warns
    of."""

    (WORK / "conf" / "nginx.conf").write_text(configuration(snippet))

    done = subprocess.run([NGINX, "-e", "stderr", "-t", "-p", str(WORK),
                           "-c", str(WORK / "conf/nginx.conf")],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=20)

    warnings = [line for line in done.stdout.splitlines()
                if "[warn]" in line and 'no "modelguard_field"' not in line
                and "nothing to rewrite" not in line
                and "nobody is ever refused" not in line]

    return "" if done.returncode == 0 and not warnings \
        else done.stdout.strip()


def table(name):
    """The words of a table of the C sources, of ngx_string("...") each."""

    words = []

    for source in sorted(SOURCES.glob("*.c")):
        match = re.search(r"\b%s\[\] = \{(.*?)\n\};" % name,
                          source.read_text(), re.S)
        if match:
            words += re.findall(r"^\s*\{ ngx_string\(\"(\w+)\"\)",
                                match.group(1), re.M)

    return words


def compare(what, documented, existing):
    problems = ["docs/directives.md: no %s \"%s\" in the module" % (what, name)
                for name in documented if name not in existing]
    problems += ["docs/directives.md: the %s \"%s\" is not described"
                 % (what, name) for name in existing if name not in documented]

    if len(set(documented)) != len(documented):
        problems.append("docs/directives.md: a %s is described twice" % what)

    return problems


def directives(text, commands, variables):
    sections = re.split(r"^### ", text.split("\n## ")[0], flags=re.M)[1:]
    names = [section.split("\n")[0] for section in sections]
    problems = compare("directive", names, commands)

    if names != sorted(names):
        problems.append("docs/directives.md: the order is not alphabetic")

    for name, section in zip(names, sections):
        block = re.search(r"^```\n(.*?)^```$", section, re.M | re.S)
        block = block.group(1) if block else ""

        for part in PARTS:
            if not re.search(r"^%s +\S" % part, block, re.M):
                problems.append("docs/directives.md: %s has no \"%s\""
                                % (name, part))

        if not re.search(r"^Syntax: +%s " % name, block, re.M):
            problems.append("docs/directives.md: %s has the syntax of another"
                            % name)

        for part in ("```nginx\n", "See also: ", "nherited"):
            if part not in section:
                problems.append("docs/directives.md: %s lacks \"%s\""
                                % (name, part.strip()))

    return problems + compare("variable",
                              re.findall(r"^\| `\$(modelguard_\w+)`", text,
                                         re.M), variables)


def anchors(text):
    """The anchors of headings, as Markdown hosts make them."""

    found = set()
    text = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)

    for heading in re.findall(r"^#+ +(.*)$", text, re.M):
        heading = re.sub(r"[^\w\- ]", "", heading.lower())
        found.add(heading.replace(" ", "-"))

    return found


def links(path, text):
    text = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)

    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue

        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path

        if not file.exists():
            yield "%s: no such file: %s" % (path.relative_to(TOP), target)

        elif anchor and anchor not in anchors(file.read_text()):
            yield "%s: no such heading: %s" % (path.relative_to(TOP), target)


def documents():
    return [TOP / "README.md", TOP / "conf-examples/README.md",
            *sorted((TOP / "docs").glob("*.md"))]


def check():
    problems, count = [], 0

    for path in documents():
        text = path.read_text()

        for line, snippet in snippets(text):
            said = test(snippet)
            count += 1

            if said:
                problems.append("%s:%d: %s" % (path.relative_to(TOP), line,
                                               said))

        problems += links(path, text)

    commands = table("ngx_http_modelguard_commands")
    problems += directives((TOP / "docs/directives.md").read_text(), commands,
                           table("ngx_http_modelguard_variables"))

    if not problems:
        print("ok     docs: %d snippets, %d directives, %d files"
              % (count, len(commands), len(documents())))

    return problems


def self_test():
    """Damages, each of which must be noticed."""

    text = (TOP / "docs/directives.md").read_text()
    commands = table("ngx_http_modelguard_commands")
    variables = table("ngx_http_modelguard_variables")
    good = "modelguard_zone $host zone=a:1m;\n"

    cases = [
        ("a good snippet is taken", not test(good)),
        ("an unknown directive", test("modelguard_zones a;\n")),
        ("a missing semicolon", test(good.replace(";", ""))),
        ("an unknown parameter", test(good.replace(":1m", ":1m x=1"))),
        ("a warning", test("modelguard_types application/json;\n")),
        ("an unknown profile",
         test("modelguard_profile a { }\nserver { modelguard b c; }\n")),
        ("a bad snippet of a location", test("modelguard_field scores $[;\n")),
        ("a directive that is not there",
         directives(text.replace("### modelguard_zone\n",
                                 "### modelguard_zoo\n"), commands,
                    variables)),
        ("a directive that is not described",
         directives(text, commands + ["modelguard_new"], variables)),
        ("a directive without Default",
         directives(text.replace("Default:", "", 1), commands, variables)),
        ("a variable that is not described",
         directives(text, commands, variables + ["modelguard_new"])),
        ("a link to nowhere",
         list(links(TOP / "README.md", "[x](docs/nowhere.md)"))),
        ("a link to no heading",
         list(links(TOP / "README.md", "[x](docs/directives.md#nowhere)"))),
    ]

    return ["self-test: not noticed: " + name for name, holds in cases
            if not holds]


def main():
    prepare()

    problems = check()

    if "--self-test" in sys.argv[1:]:
        problems += self_test()

    for problem in problems:
        print("WRONG  " + problem)

    if problems:
        sys.exit(1)

    if "--self-test" in sys.argv[1:]:
        print("ok     self-test: damages are noticed")

    shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    main()
