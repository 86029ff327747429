#!/usr/bin/env python3

# Copyright (C) the modelguard authors

"""Real clients through nginx with the module, against the replay server.

    run.py [NAME ...]       all of the clients, or those named
    run.py --self-test      proves that they notice an nginx without a guard

Reports as TAP.  The packages are installed below build/clients; a client
that cannot be installed is skipped with a sentence."""

import sys

sys.dont_write_bytecode = True

import os
import re
import shutil
import subprocess

import harness

HERE = os.path.dirname(os.path.abspath(__file__))
PLACE = os.path.join(harness.BUILD, "clients")

INSTALL_TIMEOUT = 300
CLIENT_TIMEOUT = 90

PYTHON = ("python_openai", "python_budgets", "python_tritonclient")
NODE = ("node_openai", "node_budgets", "node_anthropic", "node_ollama",
        "node_huggingface")
CLIENTS = PYTHON + NODE

# Three servers: buffered as nginx is by default, unbuffered over HTTP/1.1, and
# one in which each client may ask once in two seconds.  The locations are the
# same in all of them.  A fourth has a location for each kind of budget.

CONF = """
    log_format  clients  '$modelguard_key_name $status '
                         '$sent_http_retry_after $msec $request_uri';
    access_log  logs/access.log clients;

    map $http_authorization$http_x_api_key $modelguard_key_name {
        "~([a-z_]+)$"  $1;
        default        "-";
    }

    upstream replay {
        server     127.0.0.1:REPLAY;
        keepalive  4;
    }

    modelguard_zone  $http_authorization$http_x_api_key zone=clients:1m;

    modelguard_profile  strict {
        scores     round=2;
        logits     drop;
        logprobs   drop;
        metadata   drop;
        embedding  round=3;
    }

    modelguard_profile  rounded {
        scores    round=2;
        logprobs  round=1;
    }

    modelguard            strict;
    modelguard_on_error   block;
    modelguard_error_body openai upstream;
    modelguard_strip_headers x-model-* openai-processing-ms;

    server {
        listen  127.0.0.1:BUFFERED;
        LOCATIONS
    }

    server {
        listen              127.0.0.1:UNBUFFERED;
        proxy_buffering     off;
        proxy_http_version  1.1;
        proxy_set_header    Connection "";
        LOCATIONS
    }

    server {
        listen            127.0.0.1:LIMITED;
        modelguard_budget seconds zone=clients limit=1 window=2s;
        LOCATIONS
    }

    server {
        listen              127.0.0.1:BUDGETS;
        modelguard_headers  openai;
        include             "FIELDS/openai.conf";

        location /rate/v1/ {
            modelguard_budget  rate zone=clients limit=2 window=3s;
            proxy_pass         http://replay/v1/;
        }

        location /month/v1/ {
            modelguard_budget  month zone=clients limit=1 calendar=month;
            proxy_pass         http://replay/v1/;
        }

        location /tokens/v1/ {
            modelguard_cost    tokens 50;
            modelguard_budget  tokens zone=clients limit=100 lifetime
                               unit=tokens;
            proxy_pass         http://replay/v1/;
        }

        location /abort/v1/ {
            modelguard_cost    tokens 400;
            modelguard_budget  abort zone=clients limit=2k lifetime
                               unit=tokens;
            proxy_pass         http://replay/v1/;
        }
    }
"""

LOCATIONS = """
        location /v1/ {
            include     "FIELDS/openai.conf";
            proxy_pass  http://replay;
        }

        location /rounded/v1/ {
            include     "FIELDS/openai.conf";
            modelguard  rounded;
            proxy_pass  http://replay/v1/;
        }

        location /v1/messages {
            include                "FIELDS/anthropic.conf";
            modelguard_error_body  anthropic upstream;
            proxy_pass             http://replay;
        }

        location /api/ {
            include                "FIELDS/ollama.conf";
            modelguard_error_body  plain upstream;
            proxy_pass             http://replay;
        }

        location /hf/ {
            include     "FIELDS/huggingface.conf";
            proxy_pass  http://replay;
        }

        location ~ ^/hf/[^/]+/v1/ {
            include     "FIELDS/openai.conf";
            proxy_pass  http://replay;
        }

        location /hf/embedding {
            modelguard_field  embedding $;
            proxy_pass        http://replay;
        }

        location /v2/ {
            include                  "FIELDS/triton.conf";
            modelguard_error_body    plain upstream;
            modelguard_binary_output json;
            proxy_pass               http://replay;
        }

        location /forbid/v2/ {
            include                  "FIELDS/triton.conf";
            modelguard_error_body    plain upstream;
            modelguard_binary_output forbid;
            proxy_pass               http://replay/v2/;
        }
"""


def configuration(ports):
    conf = CONF.replace("LOCATIONS", LOCATIONS.strip())

    for name, port in ports.items():
        conf = conf.replace(name, str(port))

    return conf.replace("FIELDS", harness.FIELDS)


def install_python():
    with open(os.path.join(HERE, "requirements.txt")) as file:
        packages = file.read().split()

    return harness.venv(os.path.join(PLACE, "python"), packages,
                        INSTALL_TIMEOUT)


def install_node():
    """Node's programs look for packages beside themselves: they are copied
    to where the packages are."""

    directory = os.path.join(PLACE, "node")

    with open(os.path.join(HERE, "package.json")) as file:
        package = file.read()

    node = shutil.which("node")

    if node is None:
        raise harness.Skip("node is not installed")

    version = subprocess.run([node, "--version"], stdout=subprocess.PIPE,
                             text=True).stdout.strip()

    if int(re.match(r"v(\d+)", version)[1]) < 18:
        raise harness.Skip("node %s is older than 18" % version)

    harness.install(directory, version + package, [
        ["cp", os.path.join(HERE, "package.json"), directory],
        ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock",
         "--ignore-scripts", "--loglevel=error"]], INSTALL_TIMEOUT)

    for name in os.listdir(HERE):
        if name.endswith(".mjs"):
            shutil.copy(os.path.join(HERE, name), directory)

    return node, directory


def command(name):
    if name in PYTHON:
        return [install_python(), os.path.join(HERE, name + ".py")]

    node, directory = install_node()
    return [node, os.path.join(directory, name + ".mjs")]


def run_client(tap, name, argv, environment, directory):
    log = os.path.join(directory, name + ".err")

    with open(log, "w") as errors:
        with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE,
                              stderr=errors, stdin=subprocess.DEVNULL,
                              text=True) as child:
            try:
                output, _ = child.communicate(timeout=CLIENT_TIMEOUT)
            except subprocess.TimeoutExpired:
                child.kill()
                output, _ = child.communicate()
                tap.take(output)
                tap.ok(False, "%s: ends within %d seconds"
                       % (name, CLIENT_TIMEOUT))
                return

    tap.take(output)
    tap.ok(child.returncode == 0 and "# done" in output,
           "%s: came to its end" % name, harness.tail(log))


def check_budget(tap, name, wanted, path):
    """What nginx's access log says about the one who was over his budget: the
    statuses, the 429 with a Retry-After of seconds if something follows it,
    and that as many seconds later."""

    with open(path) as log:
        lines = [line.split() for line in log]

    mine = [(int(status), after, float(when))
            for who, status, after, when, _ in lines if who == name]
    statuses = [status for status, _, _ in mine]

    if not tap.ok(statuses == wanted, "%s: over the budget: answered %s"
                  % (name, ", ".join(map(str, wanted))), statuses):
        return

    refused = wanted.index(429)
    after = mine[refused][1]
    retries = wanted[refused + 1:] == [200]

    if retries or wanted == ONCE:
        tap.ok(after.isdigit() and 1 <= int(after) <= 6,
               "%s: the 429 has a Retry-After of seconds" % name, after)

    if retries and after.isdigit():
        waited = mine[refused + 1][2] - mine[refused][2]
        tap.ok(int(after) - 0.1 <= waited <= int(after) + 10,
               "%s: the second attempt came after Retry-After" % name,
               "%s seconds, waited for %.2f" % (after, waited))


ONCE = [200, 429]
AGAIN = [200, 429, 200]

# By client and key: what the access log has of it.  A quota is asked once,
# however many retries the client has left.

OVER = {"node_openai": {"node_openai": AGAIN},
        "node_anthropic": {"node_anthropic": AGAIN},
        "python_openai": {"python_openai": AGAIN},
        "node_ollama": {"node_ollama": ONCE},
        "node_huggingface": {"node_huggingface": ONCE},
        "python_tritonclient": {"python_tritonclient": ONCE}}

for client in ("python_budgets", "node_budgets"):
    OVER[client] = {client + "_rate": [200, 200, 429, 200],
                    client + "_stream": [200, 200, 429, 200],
                    client + "_month": [200, 429, 429],
                    client + "_tokens": [200] * 7 + [429, 429]}


def test(tap, names, directory):
    port_file = os.path.join(directory, "replay.port")

    replay = harness.Process(
        [sys.executable, os.path.join(HERE, "replay.py"), "--port-file",
         port_file], os.path.join(directory, "replay.log"))

    with replay:
        if not replay.until(lambda: os.path.exists(port_file), 10):
            raise RuntimeError("the replay server did not start: "
                               + harness.tail(replay.log))

        ports = {"REPLAY": int(open(port_file).read())}

        # UNBUFFERED before BUFFERED, which is a part of it

        for name in ("UNBUFFERED", "BUFFERED", "LIMITED", "BUDGETS"):
            ports[name] = harness.free_port()

        nginx = harness.Nginx(directory, configuration(ports))
        nginx.start(ports["LIMITED"])

        with nginx:
            for name in names:
                try:
                    argv = command(name)
                except harness.Skip as reason:
                    tap.skip(name, reason)
                    continue

                environment = dict(
                    os.environ, MODELGUARD_NAME=name,
                    PYTHONDONTWRITEBYTECODE="1",
                    NO_PROXY="127.0.0.1", no_proxy="127.0.0.1",
                    **{"MODELGUARD_" + key: "http://127.0.0.1:%d" % port
                       for key, port in ports.items()})

                run_client(tap, name, argv, environment, directory)

                for key, wanted in OVER[name].items():
                    check_budget(tap, key, wanted, os.path.join(
                        directory, "logs", "access.log"))

            tap.ok(not nginx.alerts(), "no alert in nginx's log",
                   "".join(nginx.alerts()))
            tap.ok(nginx.process.stop(), "nginx ends when it is asked to")

        tap.ok(replay.running(), "the replay server is still there")
        tap.ok(os.path.getsize(replay.log) == 0,
               "and has nothing to complain about", harness.tail(replay.log))


# what an unguarded nginx has to fail, at least

NOTICED = ("chat: no logprobs", "chat: logprobs are rounded",
           "embedding: base64 is rounded", "stream: no logprobs",
           "stream: logprobs are rounded",
           "stream: an unreadable frame is an APIError",
           "and without the model's numbers")


def self_test():
    """The checks of one client, with the guard off."""

    global CONF, LOCATIONS

    CONF = re.sub(r"modelguard  +strict", "modelguard off", CONF)
    LOCATIONS = re.sub(r" +(include|modelguard\w*) [^;]*;\n", "", LOCATIONS)

    tap = harness.Tap(quiet=True)
    directory = harness.workspace("clients")
    test(tap, ["python_openai"], directory)
    shutil.rmtree(directory)

    if tap.skipped:
        print("# no self-test: the client cannot be installed")
        return 0

    for text in NOTICED:
        if not any(text in failure for failure in tap.failures):
            print("run.py: without a guard nobody noticed: " + text)
            return 1

    print("# the clients notice %d things without a guard" % tap.failed)
    return 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()

    names = sys.argv[1:] or CLIENTS

    for name in names:
        if name not in CLIENTS:
            sys.exit("no such client: %s; there are %s"
                     % (name, " ".join(CLIENTS)))

    tap = harness.Tap()
    directory = harness.workspace("clients")

    test(tap, names, directory)

    status = tap.done()

    if status == 0:
        shutil.rmtree(directory)
    else:
        tap.note("the logs are in " + directory)

    return status


if __name__ == "__main__":
    sys.exit(main())
